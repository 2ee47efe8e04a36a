//! Packets in their order; those that may, side by side.

use futures::future::try_join_all;

use super::{CouldNot, Event, Session};
use crate::pack::{Pack, Packet, Step};
use crate::record::{PacketRecord, Status};
use crate::step;
use crate::verdict;

pub async fn all(session: &Session, pack: &Pack) -> Result<(), CouldNot> {
    let only = &session.options.only;
    session.change(|record| {
        for packet in record
            .packets
            .iter_mut()
            .filter(|it| !only.is_empty() && !only.contains(&it.id))
        {
            packet.note = format!("was not run: only {} was asked for", only.join(", "));
        }
    })?;
    let mut rest: &[Packet] = &pack.packets;
    while let Some(first) = rest.first() {
        let together = if first.parallel {
            rest.iter().take_while(|it| it.parallel).count()
        } else {
            1
        };
        let (group, after) = rest.split_at(together);
        let wanted = group
            .iter()
            .filter(|it| only.is_empty() || only.contains(&it.id.0));
        try_join_all(wanted.map(|it| one(session, it))).await?;
        rest = after;
    }
    Ok(())
}

async fn one(session: &Session, packet: &Packet) -> Result<(), CouldNot> {
    if session.stop().why().is_some() {
        return Ok(());
    }
    let id = packet.id.as_str();
    (session.options.progress)(Event::Packet {
        id,
        title: &packet.title,
    });
    for it in &packet.steps {
        let record = if session.stop().why().is_some() {
            step::skipped(session, it, "the run was interrupted before this step")
        } else if let Some(why) = left_out(session, it) {
            let mut record = step::skipped(session, it, &why);
            record.optional = true;
            record
        } else {
            step::perform(session, id, it).await?
        };
        session.add(id, record)?;
    }
    let mut done: Option<PacketRecord> = None;
    session.change(|record| {
        if let Some(it) = record.packets.iter_mut().find(|it| it.id == id) {
            (it.status, it.note) = verdict::packet(&it.steps);
            done = Some(it.clone());
        }
    })?;
    if let Some(done) = done.filter(|it| it.status != Status::Skipped || !it.steps.is_empty()) {
        (session.options.progress)(Event::PacketDone(&super::masked(&done, &session.masking)?));
    }
    Ok(())
}

/// Why a step is not for this run: what it is about was given, or was not.
fn left_out(session: &Session, step: &Step) -> Option<String> {
    let given = &session.options.given;
    let present = step.unless_given.iter().find(|it| given.contains_key(*it));
    let absent = step.if_given.iter().find(|it| !given.contains_key(*it));
    let because = |it: &String| format!("left out: {it} was given");
    let missing = |it: &String| format!("left out: {it} was not given");
    present.map(because).or(absent.map(missing))
}
