//! Wherever a stream is split, what comes out is what masking the whole gives; and masking that again changes nothing.
//! Input: one byte for the place of the split, then the text.

#![no_main]

use std::io::Write;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use mizan_mask::{MaskStream, Masker};

static MASKER: LazyLock<Masker> =
    LazyLock::new(|| Masker::builder().known("Tr0ub4dor&3-horse", "A").known("kısa-şifre9", "B").build());

fuzz_target!(|data: &[u8]| {
    let Some((place, text)) = data.split_first() else {
        return;
    };
    let whole = MASKER.mask_bytes(text);
    let (left, right) = text.split_at(text.len() * usize::from(*place) / 255);
    let mut stream = MaskStream::new(MASKER.clone(), Vec::new());
    stream.write_all(left).expect("memory");
    stream.write_all(right).expect("memory");
    assert_eq!(stream.finish().expect("memory"), whole, "split at {}", left.len());
    assert_eq!(MASKER.mask_bytes(&whole), whole, "masked again");
});
