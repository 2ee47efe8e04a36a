//! Writes four packs (GO, NO-GO, with a waiver, of an empty gate) for other programs to read:
//! `cargo run -p mizan-gate --example packs -- DIRECTORY [PRIVATE KEY]`.

mod records;

use std::path::{Path, PathBuf};

use mizan_gate::evidence::{PackOptions, write_pack};
use mizan_gate::key;
use mizan_gate::report::Lang;
use mizan_mask::Masker;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1).map(PathBuf::from);
    let root = arguments.next().ok_or("name a directory to write to")?;
    let key = arguments.next().map(|it| key::from_file(&it)).transpose()?;
    let masker = Masker::default();
    let records = [
        ("go", records::go()),
        ("no-go", records::no_go()),
        ("waiver", records::waived()),
        ("empty", records::empty()),
    ];
    for (name, record) in records {
        let workdir = root.join(format!("{name}.work"));
        records::write_outputs(&record, &workdir, None)?;
        let folder = root.join(name);
        let options = PackOptions {
            root: &folder,
            lang: Lang::En,
            key: key.as_ref(),
            masker: &masker,
        };
        let pack = write_pack(&record, &workdir, &options)?;
        rename_to_latest(&pack, &folder)?;
        std::fs::remove_dir_all(&workdir).or_else(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Ok(()),
            _ => Err(error),
        })?;
    }
    Ok(())
}

/// Other programs look for `DIRECTORY/go/pack`.
fn rename_to_latest(pack: &Path, folder: &Path) -> std::io::Result<()> {
    std::fs::rename(pack, folder.join("pack"))
}
