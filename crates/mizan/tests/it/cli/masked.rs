//! Whatever goes wrong on the command line, nobody reads a password of it: errors of the configuration, of servers that do
//! not answer, and of the command line itself.

use super::mizan;

const PASSWORD: &str = "hunter2-Of_Nobody.9x";

/// Commands that say what they are connected to, or why they are not.
const COMMANDS: [&[&str]; 13] = [
    &["doctor"],
    &["doctor", "--json"],
    &["migrate", "current"],
    &["migrate", "current", "--json"],
    &["migrate", "upgrade", "head"],
    &["migrate", "upgrade", "head", "--json"],
    &["ledger", "verify"],
    &["ledger", "export"],
    &["worker", "--check"],
    &["worker", "--check", "--json"],
    &["admin", "create", "--email", "a@example.com", "--role", "owner"],
    &["recon", "schedule", "list"],
    &["gate", "list", "/no/such/directory"],
];

#[tokio::test]
async fn no_command_says_a_password_of_its_environment() {
    let databases = [
        format!("postgresql://app:{PASSWORD}@127.0.0.1:9/d"),
        format!("postgresql+asyncpg://app:{PASSWORD}@127.0.0.1:9/d?sslmode=verify-full"),
        format!("postgresql://app:{PASSWORD}@127.0.0.1:no-port/d"),
        format!("postgresql://127.0.0.1:9/d?user=app&password={PASSWORD}&sslmode=nonsense"),
        format!("mysql://app:{PASSWORD}@127.0.0.1/d"),
        format!("app:{PASSWORD}@127.0.0.1/d"),
    ];
    let redis = format!("redis://:{PASSWORD}@127.0.0.1:9/0");
    let mut said = 0;
    for database in &databases {
        for command in COMMANDS {
            let env = [
                ("DATABASE_URL", database.as_str()),
                ("REDIS_URL", &redis),
                ("ENV", "test"),
                ("RUST_LOG", "info"),
            ];
            let done = mizan(command, &env).await;
            assert_ne!(done.code, 0, "{command:?} {database}: {}", done.stdout);
            assert_ne!(done.code, 101, "{command:?} {database} panics: {}", done.stderr);
            for text in [&done.stdout, &done.stderr] {
                said += text.len();
                assert!(
                    !text.contains(PASSWORD),
                    "{command:?} with {database} says {text}"
                );
            }
        }
    }
    assert!(said > 1_000, "the commands say something");
}

#[tokio::test]
async fn a_command_line_that_is_wrong_is_not_said_back_with_its_secrets() {
    let url = format!("postgresql://app:{PASSWORD}@db/d");
    let key = format!("--api-key={PASSWORD}");
    let cases: [&[&str]; 7] = [
        &[&url],
        &["serve", &url],
        &["serve", "--port", &url],
        &["migrate", "upgrade", "head", &url],
        &["gate", "run", "x.yaml", "--lang", &url],
        &["doctor", &key],
        &["gate", "post", "x", "--to", &url],
    ];
    for args in cases {
        let done = mizan(args, &[]).await;
        assert_eq!(done.code, 2, "{args:?}: {}", done.stderr);
        assert!(
            done.stderr.starts_with("error: ") && done.stderr.contains("--help"),
            "{}",
            done.stderr
        );
        assert!(
            !done.stderr.contains(PASSWORD) && !done.stdout.contains(PASSWORD),
            "{args:?}: {}",
            done.stderr
        );
    }
    let known = mizan(&["doctor", PASSWORD], &[("API_TOKEN", PASSWORD)]).await;
    assert!(
        known.stderr.contains("unexpected argument '***'"),
        "{}",
        known.stderr
    );
}
