//! No secret of a run is in anything that it writes.

use std::sync::{Arc, Mutex};

use mizan_gate::Event;
use mizan_gate::record::Status;
use mizan_mask::Secret;

use crate::harness::{gate, pack_of, server};

#[tokio::test]
async fn secrets_of_every_origin_are_masked_everywhere() {
    let server = server(|path| match path {
        "/login" => (200, String::new(), "{\"opaque\":\"c4ptured-Value-93x\"}".into()),
        _ => (
            200,
            "x-echo: c4ptured-Value-93x\r\n".into(),
            "you sent c4ptured-Value-93x".into(),
        ),
    })
    .await;
    let steps = format!(
        "  - id: env\n    run: echo \"$DATABASE_URL\" \"$made\"; echo \"$DATABASE_URL\" >&2\n  - id: login\n    \
         http: {{ url: '{0}/login' }}\n    expect: {{ status: 200 }}\n    capture: {{ session: {{ json: $.opaque, secret: true }} }}\n  \
         - id: use\n    http: {{ url: '{0}/use', bearer: '${{session}}', json: {{ note: '${{made}}' }} }}\n    \
         expect: {{ status: 200, contains: ['${{session}}'] }}\n  - id: own\n    env: {{ OTHER_SECRET: gr33n-Elephant-77 }}\n    \
         run: echo $OTHER_SECRET | base64\n  - id: fails\n    run: echo \"$session\"; exit 1\n    \
         expect: {{ contains: ['${{session}}'], matches: '${{session}}!' }}\n",
        server.url
    );
    let pack = pack_of(&steps).replace(
        "packets:",
        "env: [DATABASE_URL]\ngenerate: { made: { token: 32 } }\npackets:",
    );
    let ran = gate()
        .env("DATABASE_URL", "postgres://u:p4ssw0rd-Of-Db@h:5432/d")
        .run(&pack)
        .await;
    assert_eq!(ran.step("use").status, Status::Pass, "{:?}", ran.step("use"));
    let asked = server.asked.lock().expect("nobody panics").join("\n");
    assert!(
        asked.contains("Bearer c4ptured-Value-93x") || asked.contains("bearer c4ptured-Value-93x"),
        "{asked}"
    );
    let made = asked
        .split("\"note\":\"")
        .nth(1)
        .and_then(|it| it.split('"').next())
        .expect("the token was sent");
    assert_eq!(made.len(), 32);
    for secret in [
        "p4ssw0rd-Of-Db",
        "c4ptured-Value-93x",
        "gr33n-Elephant-77",
        "Z3IzM24tRWxlcGhhbnQt",
        made,
    ] {
        for (path, text) in ran.everything() {
            assert!(!text.contains(secret), "{secret} is in {}", path.display());
        }
    }
    assert!(
        ran.output("env.stdout").contains("postgres://u:***@h:5432/d"),
        "{}",
        ran.output("env.stdout")
    );
    assert!(
        ran.step("use").command.contains("Bearer ***"),
        "{}",
        ran.step("use").command
    );
}

#[tokio::test]
async fn what_was_printed_before_it_was_known_is_masked_in_the_end() {
    let steps = "  - id: early\n    run: echo the value is l8r-Kn0wn-Value\n  - id: late\n    run: echo l8r-Kn0wn-Value\n    \
                 capture: { it: { regex: '.+', secret: true } }\n";
    let ran = gate().run(&pack_of(steps)).await;
    assert_eq!(ran.output("early.stdout"), "the value is ***\n");
    assert_eq!(ran.step("early").outputs[0].head, ["the value is ***"]);
    assert_eq!(ran.step("early").command, "echo the value is ***");
}

#[tokio::test]
async fn steps_get_what_the_pack_names_and_nothing_else() {
    let steps = "  - id: a\n    run: env\n    env: { OWN: mine }\n    expect: { contains: [NAMED=1, OWN=mine, place=here], lacks: [HIDDEN] }\n\
                 \x20 - id: b\n    run: env\n    unset: [NAMED]\n    expect: { lacks: ['NAMED=', OWN] }\n";
    let pack = pack_of(steps).replace("packets:", "env: [NAMED]\nvars: { place: here }\npackets:");
    let ran = gate().env("NAMED", "1").env("HIDDEN", "2").run(&pack).await;
    assert_eq!(ran.packet("1").status, Status::Pass, "{:?}", ran.packet("1"));
}

#[tokio::test]
async fn a_value_is_never_a_command() {
    let steps = "  - id: a\n    run: echo \"${word}\"\n    expect: { contains: ['$(echo x); echo y'] }\n  - id: b\n    \
                 run: [echo, '${word}']\n    expect: { contains: ['$(echo x); echo y'] }\n";
    let pack = pack_of(steps).replace("packets:", "vars: { word: w }\npackets:");
    let ran = gate().given("word", "$(echo x); echo y").run(&pack).await;
    assert_eq!(ran.packet("1").status, Status::Pass, "{:?}", ran.packet("1"));
}

/// What is shown while a run goes on is what its evidence will say.
#[tokio::test]
async fn those_who_watch_see_what_is_masked() {
    let shown = Arc::new(Mutex::new(String::new()));
    let to = Arc::clone(&shown);
    let mut gate = gate().env("API_KEY", "w4tched-Value-77x");
    gate.options.known = vec![("the signing key".into(), Secret::from("kn0wn-By-The-Caller"))];
    gate.options.progress = Arc::new(move |event| {
        let text = match event {
            Event::Step { step, .. } => format!("{step:?}"),
            Event::PacketDone(packet) => format!("{packet:?}"),
            Event::Started { .. } | Event::Packet { .. } => String::new(),
        };
        to.lock().expect("a text").push_str(&text);
    });
    let steps = "  - id: a\n    run: echo \"$API_KEY kn0wn-By-The-Caller\"\n    expect: { contains: ['${API_KEY}!'] }\n  \
                 - id: b\n    run: [no-such-program, '${API_KEY}']\n    capture: { c: { regex: 'w4.*' } }\n";
    let ran = gate
        .run(&pack_of(steps).replace("packets:", "env: [API_KEY]\npackets:"))
        .await;
    assert_eq!(ran.step("a").status, Status::Fail);
    let shown = shown.lock().expect("a text").clone();
    assert!(
        shown.contains("***") && shown.contains("was not found"),
        "{shown}"
    );
    for secret in ["w4tched", "kn0wn-By"] {
        assert!(!shown.contains(secret), "{shown}");
        for (path, text) in ran.everything() {
            assert!(!text.contains(secret), "{secret} is in {}", path.display());
        }
    }
}
