//! Masking of whole lines, for sinks that write an event at a time: logs.

use crate::Masker;
use std::io;

/// A writer that masks whole lines and passes them on at once. For writers that hand over complete events, as
/// `tracing_subscriber`'s do (`with_writer(move || MaskingWriter::new(masker.clone(), io::stderr()))`); text
/// that may be split anywhere goes through [`MaskStream`](crate::MaskStream). An unfinished line is held back
/// until its end, a `flush` or the drop.
pub struct MaskingWriter<W: io::Write> {
    masker: Masker,
    line: Vec<u8>,
    sink: W,
}

impl<W: io::Write> MaskingWriter<W> {
    pub fn new(masker: Masker, sink: W) -> Self {
        Self {
            masker,
            line: Vec::new(),
            sink,
        }
    }

    fn pass(&mut self, end: usize) -> io::Result<()> {
        let masked = self.masker.mask_bytes(&self.line[..end]);
        self.line.drain(..end);
        self.sink.write_all(&masked)
    }
}

impl<W: io::Write> io::Write for MaskingWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let before = self.line.len();
        self.line.extend_from_slice(bytes);
        if let Some(end) = memchr::memrchr(b'\n', bytes) {
            self.pass(before + end + 1)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.pass(self.line.len())?;
        self.sink.flush()
    }
}

impl<W: io::Write> Drop for MaskingWriter<W> {
    fn drop(&mut self) {
        // Nobody is left to tell; `flush` is for those who want to know.
        drop(io::Write::flush(self));
    }
}
