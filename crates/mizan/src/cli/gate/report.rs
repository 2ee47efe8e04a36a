//! `mizan gate report`: the pages of a pack again, in either language.

use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, ValueEnum};
use mizan_gate::report::{Lang, Page, html, junit, markdown};

use super::verify;
use crate::cli::exit::{self, Exit};
use crate::wire;

#[derive(Debug, Args)]
pub struct ReportArgs {
    /// The directory of the pack.
    pack: PathBuf,
    /// tr or en; by default as LC_ALL, LC_MESSAGES or LANG say.
    #[arg(long)]
    lang: Option<Lang>,
    #[arg(long, value_enum, default_value_t = Form::Markdown)]
    format: Form,
    /// A file to write to, in place of standard output.
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Form {
    Markdown,
    Html,
    Junit,
    /// The summary, as it is in the pack.
    Json,
    /// The template of a root-cause analysis.
    Rca,
}

/// A pack that does not stand is not shown as a report: exit 1.
pub fn run(args: &ReportArgs) -> anyhow::Result<Exit> {
    let checked = verify::check(&args.pack, None)?;
    let (Some(summary), Some(record), true) = (&checked.summary, &checked.record, checked.stands()) else {
        verify::say(&args.pack, &checked);
        return Ok(exit::NO);
    };
    let folder = std::fs::canonicalize(&args.pack)?;
    let pack = folder
        .file_name()
        .map(|it| it.to_string_lossy())
        .unwrap_or_default();
    let page = Page {
        record,
        summary,
        pack: &pack,
        lang: args.lang.unwrap_or_else(lang_of_locale),
    };
    let text = match args.format {
        Form::Markdown => markdown::closure(&page)?,
        Form::Html => html::closure(&page)?,
        Form::Junit => junit::report(record)?,
        Form::Json => serde_json::to_string_pretty(summary)? + "\n",
        Form::Rca => markdown::root_cause(&page)?,
    };
    let text = wire::masker().mask(&text);
    match &args.out {
        Some(file) => std::fs::write(file, text.as_ref())
            .with_context(|| format!("{} cannot be written", file.display()))?,
        None => say!("{}", text.as_ref().trim_end_matches('\n')),
    }
    Ok(exit::DONE)
}

/// The language of the terminal.
#[expect(
    clippy::disallowed_methods,
    reason = "the locale is the terminal's, not a setting of Mizan"
)]
pub fn lang_of_locale() -> Lang {
    let set = ["LC_ALL", "LC_MESSAGES", "LANG"]
        .into_iter()
        .filter_map(|it| std::env::var(it).ok());
    Lang::of_locale(&set.into_iter().find(|it| !it.is_empty()).unwrap_or_default())
}
