//! Generated files that are checked in say what the binary says.
//!
//! `schemas/config.json` and `docs/configuration.md` are compared by the tests of `mizan-config`, where they
//! come from; what needs the whole binary is compared here.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Violation;

/// A checked-in file and the arguments of `mizan` that print it.
const GENERATED: [(&str, &[&str]); 2] = [
    ("schemas/openapi.json", &["openapi"]),
    ("docs/error-codes.md", &["openapi", "--error-codes"]),
];

/// Compares the generated files below `root` with what `mizan` prints.
pub fn check(root: &Path, mizan: &Path) -> Vec<Violation> {
    GENERATED
        .iter()
        .filter_map(|(file, arguments)| {
            let command = format!("mizan {}", arguments.join(" "));
            let message = match print(mizan, arguments) {
                Err(error) => format!("`{command}` could not be asked: {error}"),
                Ok(text) if fs::read(root.join(file)).is_ok_and(|it| it == text) => return None,
                Ok(_) => format!("differs from `{command}`: write its output to the file"),
            };
            Some(Violation {
                file: (*file).to_owned(),
                line: 0,
                rule: "fresh",
                message,
                reason: "clients are generated from the checked-in file".to_owned(),
            })
        })
        .collect()
}

fn print(mizan: &Path, arguments: &[&str]) -> Result<Vec<u8>, String> {
    let output = Command::new(mizan)
        .args(arguments)
        .output()
        .map_err(|it| it.to_string())?;
    if !output.status.success() {
        return Err(format!("{}", output.status));
    }
    if output.stdout.is_empty() {
        return Err("it printed nothing".to_owned());
    }
    Ok(output.stdout)
}

/// The `mizan` that was built beside this program: the same profile, the same target directory.
pub fn built_binary() -> Option<PathBuf> {
    let here = std::env::current_exe().ok()?;
    let directories = here.ancestors().skip(1).take(2);
    let mut candidates = directories.map(|it| it.join(format!("mizan{}", std::env::consts::EXE_SUFFIX)));
    candidates.find(|it| it.is_file())
}
