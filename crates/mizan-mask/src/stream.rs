//! Masking on the way to a sink: nothing is let through before it is certain what it belongs to.

use crate::Masker;
use crate::segment::Progress;
use std::io;

/// A writer that masks what passes. Secrets that are split over several writes are found all the same: a line is
/// held back until it is complete (at most 64 KiB of it), and longer when something in it goes on in the next.
///
/// `flush` passes the flush on and does not let go of what is held back; [`finish`](Self::finish) does. Dropping
/// the stream finishes it too, but cannot report errors.
pub struct MaskStream<W: io::Write> {
    masker: Masker,
    held: Vec<u8>,
    progress: Progress,
    ready: Vec<u8>,
    sink: Option<W>,
}

impl<W: io::Write> MaskStream<W> {
    pub fn new(masker: Masker, sink: W) -> Self {
        Self {
            masker,
            held: Vec::new(),
            progress: Progress::default(),
            ready: Vec::new(),
            sink: Some(sink),
        }
    }

    /// Masks and writes what was held back, and returns the sink.
    ///
    /// # Errors
    /// What the sink answers.
    pub fn finish(mut self) -> io::Result<W> {
        self.let_go()?;
        self.sink
            .take()
            .ok_or_else(|| io::Error::other("the stream is finished"))
    }

    fn advance(&mut self, at_end: bool) -> io::Result<()> {
        let done = self
            .progress
            .advance(self.masker.engine(), &self.held, at_end, &mut self.ready);
        self.held.drain(..done);
        let Some(sink) = &mut self.sink else { return Ok(()) };
        let written = sink.write_all(&self.ready);
        self.ready.clear();
        written
    }

    fn let_go(&mut self) -> io::Result<()> {
        self.advance(true)?;
        self.sink.as_mut().map_or(Ok(()), io::Write::flush)
    }
}

impl<W: io::Write> io::Write for MaskStream<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.held.extend_from_slice(bytes);
        self.advance(false)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.as_mut().map_or(Ok(()), io::Write::flush)
    }
}

impl<W: io::Write> Drop for MaskStream<W> {
    fn drop(&mut self) {
        if self.sink.is_some() {
            // Nobody is left to tell; `finish` is for those who want to know.
            drop(self.let_go());
        }
    }
}
