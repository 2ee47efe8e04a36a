//! Files that are not UTF-8, decoded as their encoding was declared. Nothing is guessed: an undeclared file is
//! UTF-8, and a byte that the declared encoding does not have ends the reading with its place.

use std::io::{self, BufRead, Read};

use encoding_rs::{Decoder, DecoderResult, Encoding};

/// How many bytes are decoded at a time.
const BLOCK: usize = 32 * 1024;

/// Reads UTF-8 out of a file in another encoding.
pub struct Decoding<R> {
    input: R,
    decoder: Decoder,
    encoding: &'static Encoding,
    /// Decoded text that is still to be read, from `at` on.
    text: Vec<u8>,
    at: usize,
    read: u64,
    ended: bool,
}

impl<R: BufRead> Decoding<R> {
    pub fn new(input: R, encoding: &'static Encoding) -> Self {
        Self {
            input,
            decoder: encoding.new_decoder_with_bom_removal(),
            encoding,
            text: Vec::new(),
            at: 0,
            read: 0,
            ended: false,
        }
    }

    fn refill(&mut self) -> io::Result<()> {
        while self.at >= self.text.len() && !self.ended {
            let block = self.input.fill_buf()?;
            let block = &block[..block.len().min(BLOCK)];
            let last = block.is_empty();
            let room = self
                .decoder
                .max_utf8_buffer_length_without_replacement(block.len())
                .ok_or_else(|| io::Error::other("the block is too large to decode"))?;
            self.text.resize(room, 0);
            let (result, used, written) =
                self.decoder
                    .decode_to_utf8_without_replacement(block, &mut self.text, last);
            self.text.truncate(written);
            self.at = 0;
            self.input.consume(used);
            self.read += used as u64;
            self.ended = last;
            if let DecoderResult::Malformed(..) = result {
                let reason = format!("byte {} is not {}", self.read, self.encoding.name());
                return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
            }
        }
        Ok(())
    }
}

impl<R: BufRead> Read for Decoding<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let block = self.fill_buf()?;
        let taken = block.len().min(buffer.len());
        buffer[..taken].copy_from_slice(&block[..taken]);
        self.consume(taken);
        Ok(taken)
    }
}

impl<R: BufRead> BufRead for Decoding<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.refill()?;
        Ok(&self.text[self.at.min(self.text.len())..])
    }

    fn consume(&mut self, amount: usize) {
        self.at = self.at.saturating_add(amount).min(self.text.len());
    }
}

impl<R> std::fmt::Debug for Decoding<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Decoding({} after {} bytes)", self.encoding.name(), self.read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], label: &str, expected: Result<&str, &str>) {
        let encoding = Encoding::for_label(label.as_bytes()).unwrap();
        let input = io::BufReader::with_capacity(3, bytes);
        let mut text = String::new();
        match (Decoding::new(input, encoding).read_to_string(&mut text), expected) {
            (Ok(_), Ok(expected)) => assert_eq!(text, expected, "{label}"),
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{label}: {error}"),
            (seen, expected) => panic!("{label}: {seen:?}, expected {expected:?}"),
        }
    }

    #[test]
    fn turkish_files_are_read_in_the_encoding_that_was_declared() {
        check(
            b"\xdd\xfelem,\xd6deme \xd0\xf0",
            "windows-1254",
            Ok("İşlem,Ödeme Ğğ"),
        );
        check(b"\xdd\xfelem", "iso-8859-9", Ok("İşlem"));
        check(b"\xff\xfe0\x01a\0", "utf-16le", Ok("İa"));
        check(b"\xfe\xff\x010\0a", "utf-16be", Ok("İa"));
        check(b"\xef\xbb\xbf\xc4\xb0", "utf-8", Ok("İ"));
        check(b"", "utf-16le", Ok(""));
    }

    #[test]
    fn what_the_declared_encoding_does_not_have_is_refused_with_its_place() {
        check(b"abc\xff", "utf-8", Err("byte 4 is not UTF-8"));
        check(b"a\0b", "utf-16le", Err("is not UTF-16LE"));
    }
}
