//! Every command explains itself, and wrong use is exit 2.

use super::mizan;

/// The commands that a help text lists.
fn listed(help: &str) -> Vec<String> {
    let lines = help.lines().skip_while(|it| *it != "Commands:").skip(1);
    let lines = lines
        .take_while(|it| it.starts_with("  "))
        .filter(|it| !it.starts_with("   "));
    let names = lines.filter_map(|it| it.split_whitespace().next());
    names.filter(|it| *it != "help").map(str::to_owned).collect()
}

#[tokio::test]
async fn every_command_explains_itself() {
    let mut open: Vec<Vec<String>> = vec![Vec::new()];
    let mut seen = Vec::new();
    while let Some(path) = open.pop() {
        let mut args: Vec<_> = path.iter().map(String::as_str).collect();
        args.push("--help");
        let help = mizan(&args, &[]).await;
        assert_eq!((help.code, help.stderr.as_str()), (0, ""), "{args:?}");
        assert!(help.stdout.contains("Usage: mizan"), "{args:?}: {}", help.stdout);
        assert!(
            !help.stdout.starts_with("Usage"),
            "{args:?} says nothing about itself"
        );
        for name in listed(&help.stdout) {
            open.push([path.as_slice(), &[name]].concat());
        }
        seen.push(path.join(" "));
    }
    for wanted in [
        "demo",
        "serve",
        "start",
        "migrate upgrade",
        "migrate downgrade",
        "migrate current",
        "migrate history",
        "migrate heads",
        "migrate stamp",
        "migrate check",
        "recon run",
        "recon match",
        "ledger verify",
        "ledger export",
        "mockpsp",
        "doctor",
        "admin create",
        "admin rotate-keys",
        "openapi",
    ] {
        assert!(
            seen.iter().any(|it| it == wanted),
            "{wanted} is missing: {seen:?}"
        );
    }
}

#[tokio::test]
async fn wrong_use_is_exit_2_and_says_so_on_stderr() {
    for args in [
        &[][..],
        &["no-such-command"],
        &["serve", "--no-such-flag"],
        &["serve", "--port", "70000"],
        &["migrate"],
        &["migrate", "upgrade"],
        &["migrate", "upgrade", "not a revision"],
        &["recon", "match", "--statement", "a.csv"],
        &[
            "recon",
            "match",
            "--statement",
            "a",
            "--ledger",
            "b",
            "--tolerance",
            "TRY",
        ],
        &[
            "recon",
            "run",
            "--provider",
            "mockpsp",
            "--window-start",
            "yesterday",
            "--window-end",
            "today",
        ],
        &["admin", "create"],
        &["admin", "create", "--email", "a@example.com", "--role", "king"],
        &["ledger", "export", "--format", "xml"],
    ] {
        let ended = mizan(args, &[]).await;
        assert_eq!(ended.code, 2, "{args:?}: {}{}", ended.stdout, ended.stderr);
        assert!(
            !ended.stderr.is_empty() && ended.stdout.is_empty(),
            "{args:?}: {}",
            ended.stdout
        );
    }
}

#[tokio::test]
async fn the_version_names_the_release() {
    let ended = mizan(&["--version"], &[]).await;
    assert_eq!(ended.code, 0);
    assert!(
        ended
            .stdout
            .starts_with(concat!("mizan ", env!("CARGO_PKG_VERSION"))),
        "{}",
        ended.stdout
    );
}
