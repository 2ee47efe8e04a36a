//! Tells the binary which commit it was built from. A build without git says `unknown`.

use std::process::Command;

#[expect(
    clippy::disallowed_methods,
    reason = "a build script's input is its environment"
)]
fn main() {
    println!("cargo:rerun-if-env-changed=MIZAN_GIT_SHA");
    println!("cargo:rerun-if-env-changed=SOURCE_DATE_EPOCH");
    // One line is added to this file by every commit and checkout.
    println!("cargo:rerun-if-changed=../../.git/logs/HEAD");
    let given = std::env::var("MIZAN_GIT_SHA").ok().filter(|it| !it.is_empty());
    let sha = given.or_else(|| git(&["rev-parse", "--short=12", "HEAD"]));
    println!(
        "cargo:rustc-env=MIZAN_BUILD_GIT_SHA={}",
        sha.unwrap_or_else(|| "unknown".into())
    );
    let time = git(&["show", "-s", "--format=%cI", "HEAD"]);
    println!(
        "cargo:rustc-env=MIZAN_BUILD_TIME={}",
        time.unwrap_or_else(|| "unknown".into())
    );
}

fn git(args: &[&str]) -> Option<String> {
    let out = Command::new("git")
        .args(args)
        .output()
        .ok()
        .filter(|it| it.status.success())?;
    let text = String::from_utf8(out.stdout).ok()?.trim().to_owned();
    (!text.is_empty()).then_some(text)
}
