//! The JSON Schema of packs, for editors.

use crate::pack::Pack;

/// `schemas/gate-pack.schema.json`.
pub fn gate_pack() -> String {
    let mut schema = schemars::schema_for!(Pack);
    schema.insert("title".to_owned(), "A gate pack of mizan".into());
    // A serde_json value of strings and maps can always be written.
    serde_json::to_string_pretty(&schema).unwrap_or_default() + "\n"
}

#[cfg(test)]
mod tests {
    #[test]
    #[expect(
        clippy::disallowed_methods,
        reason = "a person asks a test to write what it compares with"
    )]
    fn the_schema_that_is_checked_in_is_fresh() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../schemas/gate-pack.schema.json");
        let fresh = super::gate_pack();
        if std::env::var_os("MIZAN_BLESS").is_some() {
            std::fs::write(path, &fresh).expect("the schema can be written");
        }
        let kept = std::fs::read_to_string(path).expect("the schema is checked in");
        assert!(
            kept == fresh,
            "run `mizan gate schema > schemas/gate-pack.schema.json`"
        );
    }
}
