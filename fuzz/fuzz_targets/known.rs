//! A known value never comes through, whatever stands around it. Input: the length of the value, the value, the text
//! before it, a zero byte, the text after it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mizan_mask::Masker;

fuzz_target!(|data: &[u8]| {
    let Some((length, rest)) = data.split_first() else {
        return;
    };
    let Some((value, around)) = rest.split_at_checked(usize::from(*length)) else {
        return;
    };
    let Ok(value) = std::str::from_utf8(value) else {
        return;
    };
    // An address gives its password, and shorter values are masked as whole tokens only.
    if value.trim().len() < 8 || value.contains("://") {
        return;
    }
    let masker = Masker::builder().known(value, "VALUE").build();
    if masker.known_count() == 0 {
        return;
    }
    let middle = around.iter().position(|it| *it == 0).unwrap_or(around.len());
    let text = [&around[..middle], value.as_bytes(), &around[middle..]].concat();
    let masked = masker.mask_bytes(&text);
    assert!(!masker.holds_known_value(&masked), "the value came through");
});
