//! Statements that other projects keep as test data. They are not part of this repository: they are looked for in
//! `../shared/data/statements`, seen from the workspace, and where they are absent the test says so and passes.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use mizan_recon::bank::BankRead;
use mizan_recon::statement::open::{Opened, Opening, open};

/// What a file is read as: entries, quarantined entries, checks that hold, checks that fail.
type Counts = (usize, usize, usize, usize);

fn folder() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/statements");
    if !root.is_dir() {
        eprintln!("not checked: no statements in {}", root.display());
        return None;
    }
    Some(root)
}

fn read(path: &Path) -> Result<BankRead, String> {
    let file = BufReader::new(File::open(path).expect("the file is there"));
    let opened = open("bank", file, &Opening::default()).map_err(|it| it.to_string())?;
    let Opened::Bank(_, mut source) = opened else {
        return Err("read as rows of a provider".to_owned());
    };
    BankRead::all(&mut *source).map_err(|it| it.to_string())
}

#[test]
fn every_statement_is_read_or_refused_with_a_reason() {
    let Some(root) = folder() else { return };
    let expected: [(&str, Result<Counts, &str>); 18] = [
        ("camt053/camt053.v2.all-balance-types.xml", Ok((1, 0, 0, 1))),
        ("camt053/camt053.v2.five.decimals.xml", Ok((1, 0, 0, 1))),
        ("camt053/camt053.v2.minimal.xml", Ok((1, 0, 0, 1))),
        ("camt053/camt053.v2.multi.statement.xml", Ok((2, 0, 2, 0))),
        ("camt053/camt053.v2.wrong.xml", Err("no statement")),
        ("camt053/camt053.v3.xml", Ok((1, 0, 0, 1))),
        ("camt053/camt053.v8.xml", Ok((1, 0, 0, 1))),
        ("mt940/betterplace-amount_formats.sta", Ok((0, 0, 0, 6))),
        ("mt940/betterplace-sepa_snippet.sta", Ok((11, 0, 1, 1))),
        ("mt940/betterplace-sepa_snippet_broken.sta", Ok((1, 0, 0, 2))),
        ("mt940/cmxl-mt940.sta", Ok((5, 11, 2, 1))),
        ("mt940/jejik-abnamro.sta", Ok((10, 0, 0, 2))),
        ("mt940/jejik-ing.sta", Ok((7, 0, 0, 1))),
        ("mt940/jejik-postfinance.sta", Ok((4, 0, 1, 1))),
        ("mt940/mBank-mt940.sta", Ok((3, 0, 1, 0))),
        ("mt940/self-provided-february_30.sta", Ok((0, 1, 0, 1))),
        ("mt940/self-provided-malformed_details.sta", Ok((1, 0, 0, 1))),
        ("mt940/self-provided-raphaelm.sta", Ok((0, 9, 0, 3))),
    ];
    let mut wrong = Vec::new();
    for (name, expected) in expected {
        let seen = read(&root.join(name));
        if let Ok(read) = &seen {
            eprintln!(
                "{name}: {} rows, {} quarantined",
                read.lines.len(),
                read.quarantined.len()
            );
            for row in &read.quarantined {
                eprintln!("    line {} {:?}: {}", row.line_no, row.column, row.reason);
            }
            for check in &read.checks {
                eprintln!("    {} {}: {}", check.held, check.what, check.detail);
            }
        }
        match (seen, expected) {
            (Ok(read), Ok(expected)) => {
                let held = read.checks.iter().filter(|it| it.held).count();
                let counts = (
                    read.lines.len(),
                    read.quarantined.len(),
                    held,
                    read.checks.len() - held,
                );
                if counts != expected {
                    wrong.push(format!("{name}: {counts:?}, expected {expected:?}"));
                }
            }
            (Err(reason), Err(part)) => assert!(reason.contains(part), "{name}: {reason}"),
            (seen, expected) => panic!("{name}: {seen:?}, expected {expected:?}"),
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
