//! Generated files: of this repository against the binary, and stale ones on purpose.

#[cfg(unix)]
use std::os::unix::fs::PermissionsExt as _;

use tempfile::TempDir;
use xtask::{Repo, fresh};

use crate::{list, write};

/// `cargo test --workspace` builds the binary before it runs this.
#[test]
fn generated_files_are_up_to_date() {
    let mizan = fresh::built_binary().expect("mizan is not built: cargo build -p mizan");
    let found = fresh::check(&Repo::own_root(), &mizan);
    assert!(found.is_empty(), "{}", list(&found));
}

#[cfg(unix)]
#[test]
fn a_stale_or_missing_file_is_found() {
    let root = TempDir::new().expect("can make a directory");
    write(root.path(), "mizan", "#!/bin/sh\necho \"$*\"\n");
    let mizan = root.path().join("mizan");
    std::fs::set_permissions(&mizan, std::fs::Permissions::from_mode(0o755)).expect("can make it executable");
    write(root.path(), "schemas/openapi.json", "openapi\n");
    let files = |root: &TempDir| -> Vec<_> {
        fresh::check(root.path(), &mizan)
            .into_iter()
            .map(|it| it.file)
            .collect()
    };
    assert_eq!(files(&root), ["docs/error-codes.md"]);
    write(root.path(), "docs/error-codes.md", "openapi --error-codes\n");
    assert!(files(&root).is_empty());
    write(root.path(), "schemas/openapi.json", "older\n");
    assert_eq!(files(&root), ["schemas/openapi.json"]);
    std::fs::remove_file(&mizan).expect("can remove it");
    assert_eq!(files(&root).len(), 2, "what cannot be asked is not fresh");
}
