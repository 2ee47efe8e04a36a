//! The last look at a finished pack, by other means than those that masked it: every file and every file name is
//! decoded, three layers deep, and each layer is searched for known values and for what looks like a credential.

mod decode;

use std::fs;
use std::io;
use std::path::Path;

use mizan_mask::Masker;

use crate::manifest;

/// How deep encodings are undone.
pub const LAYERS: u8 = 3;

/// What is undone.
pub const ENCODINGS: &[&str] = decode::NAMES;

/// Text is looked at in windows of whole lines, so that a long log needs no more memory than this.
const WINDOW: usize = 8 * 1024 * 1024;
/// What two windows share: a value over several lines is whole in one of them.
const OVERLAP: usize = 64 * 1024;

/// Something that must not leave. It says where it is, never what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    pub file: String,
    /// The encodings around it, outermost first; empty where it stands as it is.
    pub under: Vec<&'static str>,
    pub kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A value that the run was told to hide.
    KnownValue,
    /// Something that the masker would have hidden: a credential by its place or its shape.
    Credential,
    /// It unpacks to more than can be searched.
    TooLarge,
}

/// One sentence about all of them.
pub fn sentence(hits: &[Hit]) -> String {
    let each: Vec<String> = hits.iter().map(Hit::to_string).collect();
    format!(
        "the leak guard stopped the pack and deleted it: {}",
        each.join("; ")
    )
}

impl std::fmt::Display for Hit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let what = match self.kind {
            Kind::KnownValue => "a known secret",
            Kind::Credential => "what looks like a credential",
            Kind::TooLarge => "compressed data too large to search",
        };
        write!(f, "{what} in {}", self.file)?;
        if !self.under.is_empty() {
            write!(f, " (under {})", self.under.join(", then "))?;
        }
        Ok(())
    }
}

/// Searches every file of a pack.
pub fn scan(pack: &Path, masker: &Masker) -> io::Result<Vec<Hit>> {
    // Host names may be shortened; they are no secrets.
    let masker = masker.to_builder().shorten_hosts(false).build();
    let (files, strange) = manifest::list(pack)?;
    let mut hits = Vec::new();
    for file in files.iter().chain(&strange) {
        // A name that holds a secret is shown by nobody, not even here.
        let mut found = Search {
            masker: &masker,
            file: "the name of a file",
            hits: &mut hits,
        };
        found.look(file.as_bytes(), &mut Vec::new());
    }
    for file in &files {
        let bytes = fs::read(pack.join(file))?;
        let mut found = Search {
            masker: &masker,
            file,
            hits: &mut hits,
        };
        for window in windows(&bytes) {
            found.look(window, &mut Vec::new());
        }
    }
    Ok(hits)
}

/// Searches one text; `file` is what a hit is called.
pub fn scan_text(text: &[u8], file: &str, masker: &Masker) -> Vec<Hit> {
    let mut hits = Vec::new();
    let mut found = Search {
        masker,
        file,
        hits: &mut hits,
    };
    found.look(text, &mut Vec::new());
    hits
}

struct Search<'a> {
    masker: &'a Masker,
    file: &'a str,
    hits: &'a mut Vec<Hit>,
}

impl Search<'_> {
    fn look(&mut self, bytes: &[u8], under: &mut Vec<&'static str>) {
        if self.masker.holds_known_value(bytes) {
            self.hit(Kind::KnownValue, under);
        } else if self.masker.mask_bytes(bytes) != bytes {
            self.hit(Kind::Credential, under);
        }
        if under.len() == usize::from(LAYERS) {
            return;
        }
        decode::each(bytes, &mut |name, decoded| {
            under.push(name);
            match decoded {
                Some(decoded) => self.look(&decoded, under),
                None => self.hit(Kind::TooLarge, under),
            }
            under.pop();
        });
    }

    /// One hit for each file and kind: the one under the fewest encodings.
    fn hit(&mut self, kind: Kind, under: &[&'static str]) {
        let same = |it: &&mut Hit| it.file == self.file && it.kind == kind;
        match self.hits.iter_mut().find(same) {
            Some(known) if known.under.len() <= under.len() => {}
            Some(known) => known.under = under.to_vec(),
            None => self.hits.push(Hit {
                file: self.file.to_owned(),
                under: under.to_vec(),
                kind,
            }),
        }
    }
}

/// Overlapping windows that begin and end between lines, where there are lines.
fn windows(bytes: &[u8]) -> Vec<&[u8]> {
    let line_end = |below: usize| {
        bytes[..below]
            .iter()
            .rposition(|it| *it == b'\n')
            .map(|it| it + 1)
    };
    let (mut found, mut start) = (Vec::new(), 0);
    while bytes.len() - start > WINDOW {
        let end = line_end(start + WINDOW)
            .filter(|it| *it > start + OVERLAP)
            .unwrap_or(start + WINDOW);
        found.push(&bytes[start..end]);
        start = line_end(end - OVERLAP)
            .filter(|it| *it > start)
            .unwrap_or(end - OVERLAP);
    }
    found.push(&bytes[start..]);
    found
}

#[cfg(test)]
mod tests {
    use super::{OVERLAP, WINDOW, windows};

    #[test]
    fn windows_cover_everything_and_share_whole_lines() {
        let line = b"0123456789abcde\n";
        let text = line.repeat(WINDOW / line.len() * 2 + 100);
        let parts = windows(&text);
        assert!(parts.len() > 2);
        assert!(
            parts
                .iter()
                .all(|it| it.starts_with(b"0") && it.ends_with(b"\n") && it.len() <= WINDOW)
        );
        let total: usize = parts.iter().map(|it| it.len()).sum();
        assert!(total >= text.len() + (parts.len() - 1) * (OVERLAP - line.len()));
        let without_lines = vec![b'x'; WINDOW + 1];
        assert_eq!(windows(&without_lines).len(), 2);
    }
}
