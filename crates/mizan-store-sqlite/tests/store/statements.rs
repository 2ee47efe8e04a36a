//! Every statement is valid at head, and lists cost what a page costs.

use std::collections::HashSet;

use crate::harness::{by_hand, migrate};

#[test]
fn every_statement_prepares_on_a_migrated_database() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("mizan.db");
    migrate(&path);
    let db = by_hand(&path);
    let mut names = HashSet::new();
    for (name, sql) in mizan_store_sqlite::statements() {
        db.prepare(sql).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(names.insert(name), "{name} is the name of two statements");
    }
    assert!(names.len() > 90, "{} statements", names.len());
}

#[test]
fn a_page_of_a_list_is_read_from_an_index_and_never_sorted() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("mizan.db");
    migrate(&path);
    let db = by_hand(&path);
    let lists: Vec<_> = mizan_store_sqlite::statements()
        .filter(|(name, _)| name.starts_with("LIST_") || *name == "EFFECTS_IN")
        .collect();
    assert!(lists.len() >= 12);
    for (name, sql) in lists {
        let mut explain = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let parameters = explain.parameter_count();
        let plan: Vec<String> = explain
            .query_map(
                rusqlite::params_from_iter(std::iter::repeat_n(1, parameters)),
                |row| row.get(3),
            )
            .unwrap()
            .map(Result::unwrap)
            .collect();
        let plan = plan.join("\n");
        assert!(!plan.contains("TEMP B-TREE"), "{name} sorts:\n{plan}");
        assert!(!plan.contains("SCAN"), "{name} scans:\n{plan}");
        assert!(
            plan.contains('<') || plan.contains('>'),
            "{name} does not seek:\n{plan}"
        );
    }
}
