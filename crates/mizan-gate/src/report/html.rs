//! `closure.html`: one page that prints on one sheet, with nothing to load from anywhere.

use super::{Page, ReportError, render};

/// The closure report.
pub fn closure(page: &Page) -> Result<String, ReportError> {
    let template = include_str!("../../templates/closure.html.j2");
    render("closure.html", template, page)
}
