//! The pages for people, in both languages, as they are.

use mizan_gate::record::GateRecord;
use mizan_gate::report::{Lang, Page, html, markdown};
use mizan_gate::summary::{Previous, Summary};

use crate::records;

fn pages(record: &GateRecord, lang: Lang) -> [String; 3] {
    let previous = Previous {
        pack: "psp-03d-20261122T090000Z-019aab00".into(),
        manifest_sha256: "ab".repeat(32),
    };
    let summary = Summary::new(record, Some(previous), Some("cd".repeat(32)));
    let page = Page {
        record,
        summary: &summary,
        pack: "psp-03d-20261123T101541Z-019ab0f4",
        lang,
    };
    [
        markdown::closure(&page),
        html::closure(&page),
        markdown::root_cause(&page),
    ]
    .map(|it| it.expect("a page"))
}

#[test]
fn the_pages_are_as_they_were_agreed() {
    for lang in [Lang::Tr, Lang::En] {
        let tag = lang.tag();
        let [closure, html, cause] = pages(&records::no_go(), lang);
        insta::assert_snapshot!(format!("no-go.{tag}.md"), closure);
        insta::assert_snapshot!(format!("no-go.{tag}.html"), html);
        insta::assert_snapshot!(format!("rca.{tag}.md"), cause);
        let [closure, ..] = pages(&records::waived(), lang);
        insta::assert_snapshot!(
            format!("waiver.{tag}.md"),
            closure.split("---\n\n#").next().unwrap_or_default()
        );
    }
}

#[test]
fn what_a_step_printed_is_text_in_the_page_and_nothing_else() {
    let mut record = records::no_go();
    let evil = "<script>alert(1)</script> | `x` \"quoted\"";
    record.title = evil.into();
    record.packets[3].note = evil.into();
    let step = &mut record.packets[3].steps[0];
    step.command = evil.into();
    step.error = Some(evil.into());
    step.criteria[0].seen = evil.into();
    step.outputs[0].head = vec!["```".into(), evil.into(), "</pre>".into()];
    step.outputs[0].tail = step.outputs[0].head.clone();
    let [closure, html, _] = pages(&record, Lang::En);
    assert!(!html.contains("<script"), "the page acts on what a step printed");
    assert_eq!(html.matches("</pre>").count(), html.matches("<pre>").count());
    let outside = |text: &str| {
        let mut fence: Option<&str> = None;
        let lines = text.lines().filter(|line| match fence {
            None if line.starts_with("```") => {
                fence = Some(line.trim_end_matches(char::is_alphabetic));
                false
            }
            Some(mark) => {
                if *line == mark {
                    fence = None;
                }
                false
            }
            None => true,
        });
        lines.filter(|it| it.contains("<script")).count()
    };
    assert_eq!(outside(&closure), 0, "a tag outside of a fence");
}

#[test]
fn the_html_page_loads_nothing() {
    let [_, html, _] = pages(&records::go(), Lang::Tr);
    for word in [
        "<script",
        "<link",
        "<img",
        "src=",
        "url(",
        "@import",
        "http-equiv",
    ] {
        assert!(!html.contains(word), "{word}");
    }
    assert!(html.contains("lang=\"tr\""));
}
