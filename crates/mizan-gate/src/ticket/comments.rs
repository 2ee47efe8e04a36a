//! What is written to a ticket: the report; for a NO-GO also the template of the root-cause analysis and the complete
//! output of every step that did not pass, as text, because links into a pack lead nowhere from a ticket.

use std::fs;
use std::io;
use std::path::Path;

use crate::record::{GateRecord, Status, Verdict};

/// More comments than this make a ticket unreadable; what is left out is said.
const MOST: usize = 20;

/// The comments of a pack, none longer than `longest` bytes.
pub fn comments(pack: &Path, record: &GateRecord, longest: usize) -> io::Result<Vec<String>> {
    let read = |name: &str| fs::read_to_string(pack.join(name));
    let mut comments = vec![shortened(&read("closure.md")?, longest)];
    if record.verdict != Verdict::NoGo {
        return Ok(comments);
    }
    comments.push(shortened(&read("rca.md")?, longest));
    let mut left_out = 0;
    for (path, text) in failed_outputs(pack, record)? {
        let parts = parts(&text, longest.saturating_sub(500));
        let total = parts.len();
        for (index, part) in parts.into_iter().enumerate() {
            if comments.len() >= MOST {
                left_out += 1;
                continue;
            }
            let fence = fence_for(part);
            comments.push(format!(
                "**{path}** ({}/{total})\n\n{fence}\n{part}\n{fence}\n",
                index + 1
            ));
        }
    }
    if left_out > 0
        && let Some(last) = comments.last_mut()
    {
        last.push('\n');
        last.push_str(&left_out.to_string());
        last.push_str(" more parts are in the evidence pack only.\n");
    }
    Ok(comments)
}

fn failed_outputs(pack: &Path, record: &GateRecord) -> io::Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    for packet in &record.packets {
        let failed = packet
            .steps
            .iter()
            .filter(|it| matches!(it.status, Status::Fail | Status::Error));
        for output in failed.flat_map(|it| &it.outputs) {
            let path = format!("packets/{}/{}", packet.id, output.file);
            let bytes = fs::read(pack.join(&path))?;
            if !bytes.is_empty() {
                found.push((path, String::from_utf8_lossy(&bytes).into_owned()));
            }
        }
    }
    Ok(found)
}

/// A text in parts of whole lines; a line that is too long by itself is cut between letters.
fn parts(text: &str, longest: usize) -> Vec<&str> {
    let (mut parts, mut rest) = (Vec::new(), text);
    while rest.len() > longest {
        let end = (0..=longest)
            .rev()
            .find(|it| rest.is_char_boundary(*it))
            .unwrap_or(0);
        let end = rest[..end].rfind('\n').map_or(end, |it| it + 1).max(1);
        let end = (end..=rest.len())
            .find(|it| rest.is_char_boundary(*it))
            .unwrap_or(rest.len());
        parts.push(rest[..end].trim_end_matches('\n'));
        rest = &rest[end..];
    }
    if !rest.is_empty() {
        parts.push(rest.trim_end_matches('\n'));
    }
    parts
}

/// A page that fits: cut after a line, its open fence closed, and what is missing named.
fn shortened(page: &str, longest: usize) -> String {
    if page.len() <= longest {
        return page.to_owned();
    }
    let (mut out, mut fence, mut kept) = (String::new(), None::<String>, 0);
    for line in page.lines() {
        if out.len() + line.len() + 300 > longest {
            break;
        }
        let ticks: String = line.chars().take_while(|it| *it == '`').collect();
        match &fence {
            Some(open) if *open == line => fence = None,
            None if ticks.len() >= 3 => fence = Some(ticks),
            _ => {}
        }
        out.push_str(line);
        out.push('\n');
        kept += 1;
    }
    if let Some(open) = fence {
        out.push_str(&open);
        out.push('\n');
    }
    let missing = page.lines().count() - kept;
    format!(
        "{out}
… {missing} more lines are in the evidence pack.
"
    )
}

fn fence_for(text: &str) -> String {
    let longest = text.split(|it| it != '`').map(str::len).max().unwrap_or(0);
    "`".repeat(longest.max(2) + 1)
}

#[cfg(test)]
mod tests {
    use super::{parts, shortened};

    #[test]
    fn parts_are_whole_lines_that_fit_and_nothing_is_lost() {
        let check = |text: &str, longest, expected: &[&str]| assert_eq!(parts(text, longest), expected);
        check("a\nb\n", 10, &["a\nb"]);
        check("aaa\nbbb\nccc\n", 8, &["aaa\nbbb", "ccc"]);
        check("abcdefgh", 3, &["abc", "def", "gh"]);
        check("ççç", 3, &["ç", "ç", "ç"]);
        check("ç", 1, &["ç"]);
    }

    #[test]
    fn a_page_that_is_cut_inside_a_fence_closes_it_and_says_what_is_missing() {
        let page = format!(
            "# Title\n````text\n{}````\nend\n",
            "a line of output\n".repeat(100)
        );
        let cut = shortened(&page, 600);
        assert!(cut.len() <= 600, "{}", cut.len());
        assert_eq!(cut.matches("````").count(), 2);
        assert!(cut.contains("more lines are in the evidence pack"), "{cut}");
        assert_eq!(shortened("short\n", 600), "short\n");
    }
}
