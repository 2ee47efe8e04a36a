//! `MANIFEST.sha256`: every file of a pack with its digest, in the form that `sha256sum -c` reads.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::path::Path;

use sha2::{Digest, Sha256};

/// Its name in a pack.
pub const NAME: &str = "MANIFEST.sha256";

/// Paths relative to the pack, with `/`, and the digests of the files in lower-case hex.
pub type Digests = BTreeMap<String, String>;

/// The digest of some bytes, in lower-case hex.
pub fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// The digest of a file, read in pieces.
pub fn sha256_of(path: &Path) -> io::Result<String> {
    let mut file = fs::File::open(path)?;
    let mut hasher = Sha256::new();
    let mut piece = vec![0; 64 * 1024];
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(hex::encode(hasher.finalize())),
            read => hasher.update(&piece[..read]),
        }
    }
}

/// The text of a manifest: two spaces between digest and name, names in byte order.
pub fn write(digests: &Digests) -> String {
    let line = |(name, digest): (&String, &String)| format!("{digest}  {name}\n");
    digests.iter().map(line).collect()
}

/// Why a manifest cannot be read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("line {line} of {NAME} {what}")]
pub struct Unreadable {
    pub line: usize,
    pub what: &'static str,
}

/// Reads a manifest. Names that lead out of the pack, and names that occur twice, are refused.
pub fn read(text: &str) -> Result<Digests, Unreadable> {
    let mut digests = Digests::new();
    for (index, content) in text.lines().enumerate() {
        let wrong = |what| Unreadable {
            line: index + 1,
            what,
        };
        let (digest, name) = content
            .split_once("  ")
            .ok_or(wrong("is not a digest, two spaces and a name"))?;
        let hex = |it: u8| it.is_ascii_digit() || (b'a'..=b'f').contains(&it);
        if digest.len() != 64 || !digest.bytes().all(hex) {
            return Err(wrong("does not begin with a sha256 in lower-case hex"));
        }
        if !is_inside(name) {
            return Err(wrong("names a file outside the pack"));
        }
        if digests.insert(name.to_owned(), digest.to_owned()).is_some() {
            return Err(wrong("names a file a second time"));
        }
    }
    Ok(digests)
}

fn is_inside(name: &str) -> bool {
    !name.contains('\\') && name.split('/').all(|it| !matches!(it, "" | "." | ".."))
}

/// Every regular file below `root`, as a path with `/`, in byte order; and separately whatever is there that is
/// neither a file nor a directory (a link could show other content than the one that was hashed).
pub fn list(root: &Path) -> io::Result<(Vec<String>, Vec<String>)> {
    let (mut files, mut strange) = (Vec::new(), Vec::new());
    let mut open = vec![String::new()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(root.join(&folder))? {
            let entry = entry?;
            let name = format!("{folder}{}", entry.file_name().to_string_lossy());
            let kind = entry.file_type()?;
            if kind.is_dir() {
                open.push(format!("{name}/"));
            } else if kind.is_file() {
                files.push(name);
            } else {
                strange.push(name);
            }
        }
    }
    files.sort_unstable();
    strange.sort_unstable();
    Ok((files, strange))
}

#[cfg(test)]
mod tests {
    use super::{read, write};

    #[test]
    fn what_is_written_is_read_again_and_what_could_deceive_is_refused() {
        let digest = "0".repeat(64);
        let good = format!("{digest}  a b\n{digest}  packets/1/x.stdout\n");
        assert_eq!(read(&good).map(|it| write(&it)), Ok(good));
        let check = |text: String, says: &str| match read(&text) {
            Ok(_) => panic!("{text:?} was taken"),
            Err(error) => assert!(error.to_string().contains(says), "{error}"),
        };
        check(format!("{digest} a"), "two spaces");
        check(format!("{}  a", "0".repeat(63)), "does not begin");
        check(format!("{}  a", "A".repeat(64)), "does not begin");
        check(format!("{digest}  ../a"), "outside");
        check(format!("{digest}  /etc/passwd"), "outside");
        check(format!("{digest}  a/../../b"), "outside");
        check(format!("{digest}  a\n{digest}  a\n"), "second time");
    }
}
