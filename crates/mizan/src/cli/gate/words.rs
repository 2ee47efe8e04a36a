//! What a run says while it goes on, on stderr; the verdict goes to stdout.

use mizan_gate::Event;
use mizan_gate::record::{GateRecord, Status, Verdict};

pub fn progress(event: Event<'_>) {
    match event {
        Event::Started { dir, refused } => {
            complain!("run directory: {}", dir.display());
            for it in refused {
                complain!("warning: {} is not masked by its value: {}", it.name, it.reason);
            }
        }
        Event::Packet { id, title } => complain!("\npacket {id}: {title}"),
        Event::Step { step, .. } => {
            let ms = (step.finished_at - step.started_at).num_milliseconds();
            complain!(
                "  {:<7} {:<8} {} ({ms} ms)",
                status(step.status),
                step.kind,
                step.id
            );
            for it in step.criteria.iter().filter(|it| !it.passed) {
                complain!(
                    "          {}: expected {}, seen {}",
                    it.name,
                    it.expected,
                    it.seen
                );
            }
            if let Some(error) = &step.error {
                complain!("          {error}");
            }
            if !step.observed.is_empty() {
                complain!("          observed {}", step.observed.join(" -> "));
            }
        }
        Event::PacketDone(packet) => complain!("  {}: {}", status(packet.status), packet.note),
    }
}

fn status(status: Status) -> &'static str {
    match status {
        Status::Pass => "PASS",
        Status::Fail => "FAIL",
        Status::Error => "ERROR",
        Status::Skipped => "SKIPPED",
    }
}

pub fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Go => "GO",
        Verdict::GoWithWaiver => "GO WITH WAIVER",
        Verdict::NoGo => "NO-GO",
    }
}

/// The verdict and why.
pub fn summary(record: &GateRecord) {
    say!("{}: {}", record.gate, verdict(record.verdict));
    for reason in &record.reasons {
        say!("  {reason}");
    }
    for it in &record.waivers {
        say!("  waiver of packet {}: {}, {}", it.packet, it.by, it.reason);
    }
}
