//! Layers two and three, a line of data each: what goes in and exactly what comes out.

use mizan_mask::Masker;

fn check(input: &str, expected: &str) {
    assert_eq!(Masker::default().mask(input).as_ref(), expected, "{input}");
}

fn keeps(inputs: &[&str]) {
    for input in inputs {
        check(input, input);
    }
}

#[test]
fn fields_of_json_forms_and_settings() {
    check(r#"{"password":"a","next":1}"#, r#"{"password":"***","next":1}"#);
    check(
        r#"{"body":"{\"password\":\"a b\\\"c\",\"keep\":\"me\"}"}"#,
        r#"{"body":"{\"password\":\"***\",\"keep\":\"me\"}"}"#,
    );
    check(
        "{\n  \"api_key\":\n    \"abc\",\n  \"x\": 1\n}",
        "{\n  \"api_key\":\n    \"***\",\n  \"x\": 1\n}",
    );
    check(
        r#"{"pin":1234,"password":12345678}"#,
        r#"{"pin":"***","password":"***"}"#,
    );
    check(
        r#"{"passwords":["a","b"],"x":"y"}"#,
        r#"{"passwords":["***","***"],"x":"y"}"#,
    );
    check(
        "&quot;password&quot;:&quot;abc&quot;,",
        "&quot;password&quot;:&quot;***&quot;,",
    );
    check(
        "grant_type=password&client_secret=a%2Fb&scope=x",
        "grant_type=password&client_secret=***&scope=x",
    );
    check(
        "<password>abc</password><user>u</user>",
        "<password>***</password><user>u</user>",
    );
    check(
        "Server=db;User Id=u;Password=a;b$c;Database=m",
        "Server=db;User Id=u;Password=***;Database=m",
    );
    check(
        "Config { jwt_secret: Some(\"abc\"), port: 1 }",
        "Config { jwt_secret: Some(\"***\"), port: 1 }",
    );
    check(
        "ALTER USER app PASSWORD 'abc' VALID",
        "ALTER USER app PASSWORD '***' VALID",
    );
    check(
        "db:\n  password: a b c\n  port: 5432\n",
        "db:\n  password: ***\n  port: 5432\n",
    );
    check(
        "export DB_PASSWORD=correct horse\nPORT=1",
        "export DB_PASSWORD=***\nPORT=1",
    );
    check(
        "user[password]=abc&user[name]=x",
        "user[password]=***&user[name]=x",
    );
    check(
        "token=abc run_id=7c1e4d20-5a1b-4e9a-9d0e-1b2c3d4e5f60",
        "token=*** run_id=7c1e4d20-5a1b-4e9a-9d0e-1b2c3d4e5f60",
    );
}

/// Of a list of lines as JSON or as Python shows it, one line ends with the name of a secret that is not set.
#[test]
fn an_empty_value_at_the_end_of_a_quotation_covers_nothing_of_what_follows() {
    keeps(&[
        r#"["settings: API_KEY=", "next"]"#,
        r#"["settings: API_KEY="]"#,
        "{\"head\": [\n  \"settings: JWT_SECRET=\",\n  \"next\"\n]}",
        r#"{"log": "[\"API_KEY=\", \"next\"]"}"#,
        "['API_KEY=', 'next']",
        r#"["Authorization:", "next"]"#,
        r#"{"password:": "next"}"#,
    ]);
    check(
        r#"say "hello", API_KEY=",x9-Secret""#,
        r#"say "hello", API_KEY="***""#,
    );
    check(
        r#"["API_KEY=\"x9-Secret\"", "next"]"#,
        r#"["API_KEY=\"***\"", "next"]"#,
    );
    check("API_KEY=\"x9-Secret\",\n", "API_KEY=\"***\",\n");
}

#[test]
fn options_and_commands() {
    check("svc --token 'a b' --port 1", "svc --token '***' --port 1");
    check(
        "PGPASSWORD=abc psql -h db -c 'SELECT 1'",
        "PGPASSWORD=*** psql -h db -c 'SELECT 1'",
    );
    check("$ curl -u ops:abc https://h/x", "$ curl -u ops:*** https://h/x");
    check(
        r#"["svc","--api-key","abc","--dry-run"]"#,
        r#"["svc","--api-key","***","--dry-run"]"#,
    );
    check(
        "curl -d 'password=abc&user=ops' https://h",
        "curl -d 'password=***&user=ops' https://h",
    );
    keeps(&[
        "svc --token --dry-run",
        "svc --token-type bearer --password-file /run/x",
        "curl -u ops https://h",
    ]);
}

#[test]
fn headers_in_every_quoting() {
    check(
        "authorization: Digest username=\"u\", response=\"r\"",
        "authorization: Digest ***",
    );
    check(
        r#"{"Authorization":"Bearer abc","x":1}"#,
        r#"{"Authorization":"Bearer ***","x":1}"#,
    );
    check(
        r#"{"cmd":"curl -H \"Authorization: Bearer abc\" https://h"}"#,
        r#"{"cmd":"curl -H \"Authorization: Bearer ***\" https://h"}"#,
    );
    check(
        "[(b'authorization', b'Bearer abc'), (b'host', b'h')]",
        "[(b'authorization', b'Bearer ***'), (b'host', b'h')]",
    );
    check(
        "Authorization: abc\r\nHost: h\r\n",
        "Authorization: ***\r\nHost: h\r\n",
    );
    check(
        "Proxy-Authorization: Basic dTpw",
        "Proxy-Authorization: Basic ***",
    );
    check(
        "-H 'X-Auth-Token: abc def' -H 'Accept: x'",
        "-H 'X-Auth-Token: ***' -H 'Accept: x'",
    );
    check(
        "Cookie: sid=abc; theme=dark\nHost: h",
        "Cookie: sid=***; theme=***\nHost: h",
    );
    check(
        "curl -H 'Cookie: sid=abc; a=b' https://h",
        "curl -H 'Cookie: sid=***; a=***' https://h",
    );
    check("sent Bearer abc123def456ghi789 to h", "sent Bearer *** to h");
    keeps(&[
        "the bearer token is missing",
        "Authorization: Bearer ***",
        "\"authorization required\"",
        "401 Unauthorized: token expired",
    ]);
}

#[test]
fn private_keys_go_and_certificates_stay() {
    let body = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\n".repeat(3);
    check(
        &format!("a\n-----BEGIN PRIVATE KEY-----\n{body}-----END PRIVATE KEY-----\nb\n"),
        "a\n-----BEGIN PRIVATE KEY-----***-----END PRIVATE KEY-----\nb\n",
    );
    check(
        &format!("-----BEGIN EC PRIVATE KEY-----\n{body}connection lost here\n"),
        "-----BEGIN EC PRIVATE KEY-----***connection lost here\n",
    );
    keeps(&[
        "-----BEGIN CERTIFICATE-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\n-----END CERTIFICATE-----\n",
        "expected -----BEGIN PRIVATE KEY-----\nbut found nothing\nof that kind\n",
    ]);
}

#[test]
fn tokens_and_keys_by_their_shape() {
    check(
        "got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0MiJ9.dozjgNryP4J3jV-_ ok",
        "got *** ok",
    );
    check("key sk_live_4eC39HqLyjWDarjtT1zdp7dc used", "key *** used");
    check("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw!", "***!");
    keeps(&[
        "eyJust a word.",
        "sk_live_",
        "ghp_short",
        "task_test_result_of_the_day",
        "AKIA is a prefix",
    ]);
}

#[test]
fn card_numbers_need_issuer_length_and_check_digit() {
    check("card 4111 1111 1111 1111 12/29", "card 4111 11** **** 1111 12/29");
    check("pan=5555555555554444;", "pan=555555******4444;");
    check("\"378282246310005\"", "\"378282*****0005\"");
    check("3782 822463 10005", "3782 82**** *0005");
    check("troy 9792030394440796", "troy 979203******0796");
    keeps(&[
        "4111111111111112",
        "1739541019123",
        "1739541019123456789",
        "9999999999999995",
        "amount 4111111111111111.00",
        "41111111-1111-1111-1111-111111111111",
        "a4111111111111111",
    ]);
}

#[test]
fn account_numbers_need_country_length_and_checksum() {
    check(
        "IBAN GB82 WEST 1234 5698 7654 32.",
        "IBAN GB** **** **** **** **54 32.",
    );
    check("to TR330006100519786457841326,", "to TR********************1326,");
    check("DE89370400440532013000", "DE****************3000");
    keeps(&[
        "GB82 WEST 1234 5698 7654 33",
        "DE8937040044053201300",
        "XX82WEST12345698765432",
    ]);
}

#[test]
fn hosts_are_shortened_on_request_only() {
    let masker = Masker::builder()
        .shorten_hosts(true)
        .known("postgres://u:S3cret99x@db-1.mizan.internal/m", "D")
        .build();
    let shortened =
        |input: &str, expected: &str| assert_eq!(masker.mask(input).as_ref(), expected, "{input}");
    shortened("https://api.mizan.internal:8443/x", "https://api.***:8443/x");
    shortened(
        "pg://u:p@db1.m.i:5432,db2.m.i:5433/x",
        "pg://u:***@db1.***:5432,db2.***:5433/x",
    );
    shortened("could not reach db-1.mizan.internal", "could not reach db-1.***");
    shortened(
        "connect to 10.20.12.7:5432, host=10.20.12.8",
        "connect to *.*.12.7:5432, host=*.*.12.8",
    );
    shortened(
        "http://localhost:1 127.0.0.1:8001 openssl 3.0.19.1",
        "http://localhost:1 127.0.0.1:8001 openssl 3.0.19.1",
    );
    keeps(&["https://api.mizan.internal:8443/x", "10.20.12.7:5432"]);
}

#[test]
fn look_alikes_stay() {
    keeps(&[
        "PASS: packet 3, 12 criteria",
        "pass: 12 fail: 0",
        "verdict=PASS exit_code=0",
        "password authentication failed for user \"app\"",
        "secret::Secret and token == other",
        "the key: value pairs of primary_key=7 idempotency_key=p1b-credit-001",
        "{\"token_type\":\"bearer\",\"next_page_token\":null}",
        "GET /oauth?code=404",
        "mizan migrate upgrade 0007_reconciliation_findings -> 0008_flags (head)",
        "Idempotency-Key: p1b-credit-001",
    ]);
}

#[test]
fn the_environment_teaches_secrets_and_refuses_weak_ones_by_name() {
    let masker = Masker::builder()
        .learn_from_env([
            (
                "DATABASE_URL",
                "postgresql+asyncpg://app:p%40ssw0rd9@db:5432/mizan?sslpassword=c3rtPass77",
            ),
            ("REDIS_PASSWORD", "redis"),
            ("ADMIN_TOKEN", "adm-77d0f3a9"),
            ("ENV", "staging-eu-west"),
            ("EMPTY_SECRET", ""),
        ])
        .build();
    let out = masker
        .mask("p@ssw0rd9 p%40ssw0rd9 c3rtPass77 adm-77d0f3a9 staging-eu-west redis")
        .into_string();
    assert_eq!(out, "*** *** *** *** staging-eu-west redis");
    assert_eq!(
        masker
            .refused()
            .iter()
            .map(|it| it.name.as_str())
            .collect::<Vec<_>>(),
        ["REDIS_PASSWORD"]
    );
}

#[test]
fn what_is_learned_later_is_added_to_what_was_known() {
    let first = Masker::builder().known("first-S3cret", "A").build();
    let both = first.to_builder().known("second-S3cret", "B").build();
    assert_eq!(both.mask("first-S3cret second-S3cret").as_ref(), "*** ***");
    assert_eq!(first.mask("second-S3cret").as_ref(), "second-S3cret");
}
