//! Names of packs and of what is in them: `<gate>-<UTC>-<run id>`, and nothing that leads elsewhere.

use super::PackError;
use crate::record::GateRecord;

const UNFINISHED: &str = ".unfinished";

/// `psp-03d-20261123T101500Z-0192f0c1-…`. The run id is the UUID, so two runs of one second differ.
pub fn of_pack(record: &GateRecord) -> Result<String, PackError> {
    let name = format!(
        "{}-{}-{}",
        record.gate,
        record.finished_at.format("%Y%m%dT%H%M%SZ"),
        record.run_id
    );
    check(&name)?;
    Ok(name)
}

/// The name while it grows: hidden, and refused by `verify`.
pub fn unfinished(pack: &str) -> String {
    format!(".{pack}{UNFINISHED}")
}

/// Whether a directory never became a pack.
pub fn is_unfinished(name: &str) -> bool {
    name.ends_with(UNFINISHED)
}

/// Whether a name is that of a finished pack of this gate, not of a gate whose name only begins alike.
pub fn is_of_gate(name: &str, gate: &str) -> bool {
    let rest = name.strip_prefix(gate).and_then(|it| it.strip_prefix('-'));
    let is_time = |it: &str| {
        let shape = |(index, byte): (usize, u8)| match index {
            8 => byte == b'T',
            15 => byte == b'Z',
            _ => byte.is_ascii_digit(),
        };
        it.len() == 16 && it.bytes().enumerate().all(shape)
    };
    rest.and_then(|it| it.split_once('-'))
        .is_some_and(|(time, _)| is_time(time))
}

/// A name of one file or directory: it can be typed in a shell and unpacked on any system.
pub fn check(name: &str) -> Result<(), PackError> {
    let plain = |it: char| it.is_ascii_alphanumeric() || matches!(it, '.' | '_' | '-');
    if name.is_empty() || name.starts_with('.') || name.len() > 200 || !name.chars().all(plain) {
        return Err(PackError::BadName(name.to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::is_of_gate;

    #[test]
    fn a_gate_whose_name_begins_alike_is_another_gate() {
        let check = |name, gate, expected| assert_eq!(is_of_gate(name, gate), expected, "{name} of {gate}");
        check("p1b-20261123T101500Z-0192", "p1b", true);
        check("p1b-strict-20261123T101500Z-0192", "p1b", false);
        check("p1b-strict-20261123T101500Z-0192", "p1b-strict", true);
        check(".p1b-20261123T101500Z-0192.unfinished", "p1b", false);
        check("p1b-notes", "p1b", false);
    }
}
