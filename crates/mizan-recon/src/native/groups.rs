//! The rows of a partition, grouped by key: a hash table of groups, most of which are one row of each side.
//! The table is kept from partition to partition.

use super::shelf::Loaded;
use crate::engine::Side;
use crate::packed::Packed;

/// What rows are grouped by. The kind is part of it only where the reference is the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    EventId,
    ReferenceAndKind,
}

impl Key {
    #[inline]
    pub(super) fn text<'a>(self, row: &Packed<'a>) -> &'a [u8] {
        match self {
            Self::EventId => row.event_id(),
            Self::ReferenceAndKind => row.reference(),
        }
    }

    #[inline]
    fn same(self, one: &Packed<'_>, other: &Packed<'_>) -> bool {
        self.text(one) == self.text(other)
            && (self == Self::EventId || one.kind_number() == other.kind_number())
    }
}

/// Where a row lies: chunk and offset.
type Place = (u32, u32);
const NOWHERE: Place = (u32::MAX, u32::MAX);

#[derive(Debug, Clone, Copy)]
struct Group {
    hash: u64,
    first: [Place; 2],
    more: bool,
}

#[derive(Debug, Default)]
pub(super) struct Groups {
    /// The number of a group plus one; 0 is free.
    slots: Vec<u32>,
    known: Vec<Group>,
    /// Rows after the first of their side in their group.
    more: Vec<(u32, Side, Place)>,
}

/// The rows could not be unpacked: they are not what was packed.
#[derive(Debug)]
pub(super) struct Damaged;

impl Groups {
    /// Groups the rows and calls `each` once per key with the rows of both sides.
    pub(super) fn each(
        &mut self,
        loaded: &Loaded<'_>,
        key: Key,
        hash: fn(&[u8]) -> u128,
        mut each: impl FnMut(&[Packed<'_>], &[Packed<'_>]) -> Result<(), Damaged>,
    ) -> Result<(), Damaged> {
        self.known.clear();
        self.more.clear();
        // A row takes more than 32 bytes: so the table is large enough from the start, and at most half full.
        let chunks = [Side::Statement, Side::Ledger].map(|it| loaded.chunks(it));
        let bytes: usize = chunks.into_iter().flatten().map(Vec::len).sum();
        if bytes == 0 {
            return Ok(()); // most partitions of a small run: nothing to lay a table out for
        }
        self.slots.clear();
        self.slots.resize((bytes / 16).next_power_of_two().max(1024), 0);
        for side in [Side::Statement, Side::Ledger] {
            self.index(loaded, side, key, hash)?;
        }
        self.more.sort_unstable_by_key(|it| (it.0, it.1));
        let mut more = self.more.as_slice();
        for (number, group) in (0_u32..).zip(&self.known) {
            if group.more {
                let count = more.iter().take_while(|it| it.0 == number).count();
                let (of_group, rest) = more.split_at(count);
                more = rest;
                let rows = |side: Side| {
                    let places = of_group.iter().filter(|it| it.1 == side).map(|it| it.2);
                    let first = Some(group.first[side as usize]).filter(|it| *it != NOWHERE);
                    let all = first.into_iter().chain(places);
                    all.map(|it| row_at(loaded, side, it))
                        .collect::<Result<Vec<_>, _>>()
                };
                each(&rows(Side::Statement)?, &rows(Side::Ledger)?)?;
                continue;
            }
            match group.first {
                [theirs, NOWHERE] => each(&[row_at(loaded, Side::Statement, theirs)?], &[])?,
                [NOWHERE, ours] => each(&[], &[row_at(loaded, Side::Ledger, ours)?])?,
                [theirs, ours] => each(
                    &[row_at(loaded, Side::Statement, theirs)?],
                    &[row_at(loaded, Side::Ledger, ours)?],
                )?,
            }
        }
        Ok(())
    }

    fn index(
        &mut self,
        loaded: &Loaded<'_>,
        side: Side,
        key: Key,
        hash: fn(&[u8]) -> u128,
    ) -> Result<(), Damaged> {
        for (number, chunk) in (0_u32..).zip(loaded.chunks(side)) {
            let mut rest = chunk.as_slice();
            while !rest.is_empty() {
                let offset = u32::try_from(chunk.len() - rest.len()).map_err(|_| Damaged)?;
                let (row, after) = Packed::first(rest).ok_or(Damaged)?;
                self.add(
                    loaded,
                    side,
                    key,
                    &row,
                    low(hash(key.text(&row))),
                    (number, offset),
                )?;
                rest = after;
            }
        }
        Ok(())
    }

    #[inline]
    fn add(
        &mut self,
        loaded: &Loaded<'_>,
        side: Side,
        key: Key,
        row: &Packed<'_>,
        hash: u64,
        place: Place,
    ) -> Result<(), Damaged> {
        if self.known.len() * 2 >= self.slots.len() {
            self.grow();
        }
        let mask = self.slots.len() - 1;
        let mut slot = start(hash, mask);
        loop {
            let number = self.slots[slot];
            if number == 0 {
                let mut first = [NOWHERE; 2];
                first[side as usize] = place;
                self.known.push(Group {
                    hash,
                    first,
                    more: false,
                });
                self.slots[slot] = u32::try_from(self.known.len()).map_err(|_| Damaged)?;
                return Ok(());
            }
            let group = &mut self.known[number as usize - 1];
            if group.hash == hash {
                // Equal hashes of different keys do no harm: the keys themselves are compared.
                let known = match group.first {
                    [NOWHERE, ours] => row_at(loaded, Side::Ledger, ours)?,
                    [theirs, _] => row_at(loaded, Side::Statement, theirs)?,
                };
                if key.same(&known, row) {
                    let first = &mut group.first[side as usize];
                    if *first == NOWHERE {
                        *first = place;
                    } else {
                        group.more = true;
                        self.more.push((number - 1, side, place));
                    }
                    return Ok(());
                }
            }
            slot = (slot + 1) & mask;
        }
    }

    fn grow(&mut self) {
        let size = (self.slots.len() * 2).max(1024);
        self.slots.clear();
        self.slots.resize(size, 0);
        for (number, group) in (1_u32..).zip(&self.known) {
            let mut slot = start(group.hash, size - 1);
            while self.slots[slot] != 0 {
                slot = (slot + 1) & (size - 1);
            }
            self.slots[slot] = number;
        }
    }
}

fn row_at<'a>(loaded: &'a Loaded<'_>, side: Side, (chunk, offset): Place) -> Result<Packed<'a>, Damaged> {
    let chunk = &loaded.chunks(side)[chunk as usize];
    let (row, _) = Packed::first(&chunk[offset as usize..]).ok_or(Damaged)?;
    Ok(row)
}

#[expect(clippy::cast_possible_truncation, reason = "the low half of a hash is a hash")]
fn low(hash: u128) -> u64 {
    hash as u64
}

#[expect(clippy::cast_possible_truncation, reason = "cut down to the mask anyway")]
fn start(hash: u64, mask: usize) -> usize {
    hash as usize & mask
}
