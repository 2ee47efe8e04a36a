//! What a step has seen, whatever its kind.

use std::time::Duration;

use serde_json::Value;

/// Text that came out of something. Of very long ones the beginning and the end are kept.
#[derive(Debug, Clone, Default)]
pub struct Body {
    pub text: String,
    /// Whether something in the middle is missing: then nothing can be said to be absent.
    pub cut: bool,
}

/// The rows of a query, as text.
#[derive(Debug, Clone, Default)]
pub struct Rows {
    pub columns: Vec<String>,
    pub rows: Vec<Vec<Option<String>>>,
    /// Whether there were more than are kept.
    pub cut: bool,
}

#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Exit code, or the signal that ended it.
    pub exit: Option<Result<i32, String>>,
    pub text: Option<Body>,
    pub stderr: Option<Body>,
    pub status: Option<u16>,
    pub headers: Vec<(String, String)>,
    pub json: Option<Value>,
    pub rows: Option<Rows>,
    pub took: Duration,
    /// A metric.
    pub value: Option<f64>,
    pub baseline: Option<f64>,
}

impl Facts {
    /// The JSON of the answer: given, or read out of its text.
    pub fn document(&self) -> Option<Value> {
        if let Some(json) = &self.json {
            return Some(json.clone());
        }
        let body = self.text.as_ref().filter(|it| !it.cut)?;
        serde_json::from_str(body.text.trim()).ok()
    }
}

impl Rows {
    pub fn count(&self) -> u64 {
        self.rows.len() as u64
    }

    /// A row as a line of text.
    pub fn line(row: &[Option<String>]) -> String {
        let cells: Vec<&str> = row.iter().map(|it| it.as_deref().unwrap_or("NULL")).collect();
        cells.join(" | ")
    }

    pub fn to_json(&self) -> Value {
        let object = |row: &Vec<Option<String>>| -> Value {
            let cells = self.columns.iter().zip(row);
            cells
                .map(|(name, cell)| (name.clone(), cell.clone().map_or(Value::Null, Value::String)))
                .collect::<serde_json::Map<_, _>>()
                .into()
        };
        self.rows.iter().map(object).collect()
    }
}
