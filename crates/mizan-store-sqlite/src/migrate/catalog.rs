//! What the schema looks like, read from `sqlite_schema`.

use std::collections::BTreeMap;

use mizan_store::migrate::{Kind, Object, Snapshot};
use rusqlite::Connection;

use super::definition::{after_name, normalized};

/// Without what SQLite keeps for itself; an index behind a constraint has no SQL, its table tells it.
const OBJECTS: &str = "\
SELECT type, name, tbl_name, sql
FROM sqlite_schema
WHERE name NOT GLOB 'sqlite_*' AND tbl_name <> 'mizan_migrations' AND sql IS NOT NULL
ORDER BY type DESC, name";

const COLUMNS: &str = "\
SELECT name,
       type
       || CASE WHEN \"notnull\" THEN ' not null' ELSE '' END
       || CASE WHEN dflt_value IS NULL THEN '' ELSE ' default ' || dflt_value END
       || CASE WHEN pk > 0 THEN ' key ' || pk ELSE '' END
       || CASE WHEN hidden > 0 THEN ' hidden ' || hidden ELSE '' END
FROM pragma_table_xinfo(?1)";

pub(super) fn read(connection: &Connection) -> rusqlite::Result<Snapshot> {
    let mut snapshot = Snapshot::default();
    let mut attached = Vec::new();
    let mut statement = connection.prepare(OBJECTS)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (kind, name, table, sql): (String, String, String, String) =
            (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
        let kind = match kind.as_str() {
            "table" => Kind::Table,
            "view" => Kind::View,
            _ => {
                attached.push((table, format!("{kind} {name}"), normalized(&sql)));
                continue;
            }
        };
        let mut parts = columns(connection, &name)?;
        parts.insert("definition".to_owned(), after_name(&sql, &name));
        snapshot.objects.insert(name, Object { kind, parts });
    }
    for (table, part, line) in attached {
        if let Some(object) = snapshot.objects.get_mut(&table) {
            object.parts.insert(part, line);
        }
    }
    Ok(snapshot)
}

fn columns(connection: &Connection, table: &str) -> rusqlite::Result<BTreeMap<String, String>> {
    let mut statement = connection.prepare_cached(COLUMNS)?;
    let rows = statement.query_map([table], |row| {
        Ok((format!("column {}", row.get::<_, String>(0)?), row.get(1)?))
    })?;
    rows.collect()
}
