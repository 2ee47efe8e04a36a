//! Where packed rows wait for their partition's turn: in memory, and on disk as far as they do not fit.
//!
//! A writer fills a chunk per partition and hands over full ones. When all chunks together pass the limit, the
//! largest partition goes to disk, until they fit again.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::spill::{Extent, Spill};
use crate::engine::{MatchError, Side};
use crate::line::LineFields;
use crate::packed::{HEAD, pack, texts};

/// What a chunk holds, in bytes.
const CHUNK: usize = 8 * 1024;

/// One side of a partition.
#[derive(Debug, Default)]
struct Kept {
    chunks: Vec<Vec<u8>>,
    spilled: Vec<Extent>,
}

#[derive(Debug, Default)]
struct Partition {
    sides: Mutex<[Kept; 2]>,
    /// Bytes in memory.
    size: AtomicUsize,
}

#[derive(Debug)]
pub(super) struct Shelf {
    partitions: Vec<Partition>,
    limit: usize,
    used: AtomicUsize,
    spill: Spill,
    spilling: Mutex<()>,
}

/// One partition's rows, in memory until this is dropped.
#[derive(Debug)]
pub(super) struct Loaded<'a> {
    shelf: &'a Shelf,
    sides: [Vec<Vec<u8>>; 2],
    size: usize,
}

impl Loaded<'_> {
    pub(super) fn chunks(&self, side: Side) -> &[Vec<u8>] {
        &self.sides[side as usize]
    }
}

impl Drop for Loaded<'_> {
    fn drop(&mut self) {
        self.shelf.used.fetch_sub(self.size, Ordering::Relaxed);
    }
}

impl Shelf {
    pub(super) fn new(partitions: usize, limit: usize, spill: Spill) -> Self {
        Self {
            partitions: (0..partitions).map(|_| Partition::default()).collect(),
            limit,
            used: AtomicUsize::new(0),
            spill,
            spilling: Mutex::new(()),
        }
    }

    pub(super) fn spilled(&self) -> u64 {
        self.spill.written()
    }

    /// The bytes of a partition's rows on disk come on top of those in memory.
    pub(super) fn take(&self, partition: usize) -> Result<Loaded<'_>, MatchError> {
        let partition = &self.partitions[partition];
        let kept = {
            let mut sides = partition.sides.lock().unwrap_or_else(PoisonError::into_inner);
            partition.size.store(0, Ordering::Relaxed);
            std::mem::take(&mut *sides)
        };
        let in_memory: usize = kept.iter().flat_map(|it| &it.chunks).map(Vec::capacity).sum();
        let on_disk: usize = kept.iter().flat_map(|it| &it.spilled).map(|it| it.length).sum();
        let mut loaded = Loaded {
            shelf: self,
            sides: [Vec::new(), Vec::new()],
            size: in_memory,
        };
        if on_disk > 0 {
            self.used.fetch_add(on_disk, Ordering::Relaxed);
            loaded.size += on_disk;
            self.make_room()?;
        }
        for (side, kept) in loaded.sides.iter_mut().zip(kept) {
            *side = kept.chunks;
            for extent in kept.spilled {
                side.push(self.spill.read(extent).map_err(|it| self.failed(it))?);
            }
        }
        Ok(loaded)
    }

    fn put(&self, partition: usize, side: Side, chunk: Vec<u8>) -> Result<(), MatchError> {
        let size = chunk.capacity();
        let partition = &self.partitions[partition];
        {
            let mut sides = partition.sides.lock().unwrap_or_else(PoisonError::into_inner);
            sides[side as usize].chunks.push(chunk);
            partition.size.fetch_add(size, Ordering::Relaxed);
        }
        let used = self.used.fetch_add(size, Ordering::Relaxed) + size;
        if used > self.limit {
            self.make_room()
        } else {
            Ok(())
        }
    }

    fn make_room(&self) -> Result<(), MatchError> {
        let _one_at_a_time = self.spilling.lock().unwrap_or_else(PoisonError::into_inner);
        while self.used.load(Ordering::Relaxed) > self.limit {
            let size = |it: &&Partition| it.size.load(Ordering::Relaxed);
            let Some(largest) = self.partitions.iter().max_by_key(size).filter(|it| size(it) > 0) else {
                return Ok(()); // what is left is being compared, and goes when it is
            };
            let mut sides = largest.sides.lock().unwrap_or_else(PoisonError::into_inner);
            for kept in &mut *sides {
                let chunks = std::mem::take(&mut kept.chunks);
                if chunks.is_empty() {
                    continue;
                }
                // They are gone from memory also when they cannot be written: another thread must not wait for them.
                let size = chunks.iter().map(Vec::capacity).sum();
                largest.size.fetch_sub(size, Ordering::Relaxed);
                self.used.fetch_sub(size, Ordering::Relaxed);
                kept.spilled
                    .push(self.spill.write(&chunks).map_err(|it| self.failed(it))?);
            }
        }
        Ok(())
    }

    fn failed(&self, source: std::io::Error) -> MatchError {
        MatchError::Spill {
            dir: self.spill.directory().to_owned(),
            source,
        }
    }
}

/// Fills chunks on one thread. Nothing is on the shelf for sure before [`Self::finish`].
#[derive(Debug)]
pub(super) struct Writer<'a> {
    shelf: &'a Shelf,
    side: Side,
    open: Vec<Vec<u8>>,
    /// The first failure; rows after it are dropped, and the run fails.
    failed: Option<MatchError>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(shelf: &'a Shelf, side: Side) -> Self {
        Self {
            shelf,
            side,
            open: vec![Vec::new(); shelf.partitions.len()],
            failed: None,
        }
    }

    #[inline]
    pub(super) fn push(&mut self, partition: usize, fields: &LineFields<'_>) {
        let size = HEAD + texts(fields).iter().map(|it| it.len()).sum::<usize>();
        pack(fields, self.room(partition, size));
    }

    pub(super) fn push_raw(&mut self, partition: usize, raw: &[u8]) {
        self.room(partition, raw.len()).extend_from_slice(raw);
    }

    #[inline]
    fn room(&mut self, partition: usize, size: usize) -> &mut Vec<u8> {
        let open = &self.open[partition];
        if open.capacity() - open.len() < size {
            self.seal(partition, size);
        }
        &mut self.open[partition]
    }

    #[cold]
    fn seal(&mut self, partition: usize, next: usize) {
        let new = if next == 0 {
            Vec::new()
        } else {
            Vec::with_capacity(CHUNK.max(next))
        };
        let full = std::mem::replace(&mut self.open[partition], new);
        if full.is_empty() || self.failed.is_some() {
            return;
        }
        self.failed = self.shelf.put(partition, self.side, full).err();
    }

    /// Whether the shelf could not take a chunk; then the run is over.
    pub(super) fn check(&mut self) -> Result<(), MatchError> {
        self.failed.take().map_or(Ok(()), Err)
    }

    pub(super) fn finish(mut self) -> Result<(), MatchError> {
        for partition in 0..self.open.len() {
            self.open[partition].shrink_to_fit();
            self.seal(partition, 0);
        }
        self.check()
    }
}
