//! Where the PSP simulator is: `MOCKPSP_URL`.

use crate::env::Mode;
use crate::problem::Report;
use crate::reference::{Setting, Shape};
use crate::vars::Vars;

pub(crate) const MOCKPSP_URL: Setting = Setting {
    name: "MOCKPSP_URL",
    meaning: "Where connections of the kind `mockpsp` find their provider: payouts and statements (`mizan mockpsp`).",
    default: "`http://127.0.0.1:8090`",
    strict: "none: such a connection takes events and is asked nothing",
    shape: Shape::Text,
};
pub(crate) const SETTINGS: &[Setting] = &[MOCKPSP_URL];

pub(crate) fn read(vars: &Vars, mode: Mode, report: &mut Report) -> Option<String> {
    let given = vars.text(&MOCKPSP_URL);
    if given.is_some_and(|it| !it.starts_with("http://") && !it.starts_with("https://")) {
        report.problem(MOCKPSP_URL.name, "is not an http or https URL");
    }
    let fallback = (!mode.strict).then_some("http://127.0.0.1:8090");
    given.or(fallback).map(|it| it.trim_end_matches('/').to_owned())
}
