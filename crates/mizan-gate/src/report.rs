//! The pages for people, and JUnit for tools: all made from the record, in Turkish or English.

pub mod html;
pub mod junit;
pub mod markdown;
mod view;
pub mod words;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment};

use crate::record::GateRecord;
use crate::summary::Summary;
pub use words::Lang;

/// What a page is made from.
pub struct Page<'a> {
    pub record: &'a GateRecord,
    pub summary: &'a Summary,
    /// The name of the pack's directory.
    pub pack: &'a str,
    pub lang: Lang,
}

/// A page that cannot be made: a mistake in a template, not in the evidence.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    #[error("the template cannot be filled in")]
    Template(#[from] minijinja::Error),
    #[error("the test report cannot be written")]
    Junit(#[from] quick_junit::SerializeError),
}

fn render(name: &'static str, template: &'static str, page: &Page) -> Result<String, ReportError> {
    let mut environment = Environment::new();
    let mut syntax = SyntaxConfig::builder();
    syntax
        .trim_blocks(true)
        .lstrip_blocks(true)
        .keep_trailing_newline(true);
    environment.set_syntax(syntax.build()?);
    let html = |name: &str| match name {
        "closure.html" => AutoEscape::Html,
        _ => AutoEscape::None,
    };
    environment.set_auto_escape_callback(html);
    environment.set_undefined_behavior(minijinja::UndefinedBehavior::Strict);
    environment.add_filter("cell", markdown::cell);
    environment.add_filter("fence", markdown::fence);
    environment.add_template(name, template)?;
    let view = Value::from(Serde(view::View::new(page)));
    Ok(environment.get_template(name)?.render(view)?)
}
