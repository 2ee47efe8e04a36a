//! The packs that come with Mizan can be read, and pass for no empty reason.

use mizan_gate::pack::check::{Wishes, check};
use mizan_gate::pack::parse::parse;

#[test]
fn every_pack_in_gates_is_without_a_problem() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../gates");
    let mut seen = 0;
    for directory in [root.to_owned(), format!("{root}/examples")] {
        for entry in std::fs::read_dir(&directory).expect("a directory").flatten() {
            let path = entry.path();
            if path.extension().is_none_or(|it| it != "yaml") {
                continue;
            }
            let text = std::fs::read_to_string(&path).expect("a pack");
            let pack = parse(&text).unwrap_or_else(|it| panic!("{}: {it}", path.display()));
            let problems = check(&pack, &text, &Wishes::default());
            assert!(problems.is_empty(), "{}: {problems:?}", path.display());
            seen += 1;
        }
    }
    assert!(seen >= 3, "{seen} packs");
}
