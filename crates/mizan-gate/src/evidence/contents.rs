//! What is in a pack. Every page passes the masker once more before it is written: putting masked texts side by
//! side (`password` in one cell, a value in the next) may say what neither said alone.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use mizan_mask::Masker;
use serde::Serialize;
use serde_json::Value;

use super::{PackError, PackOptions, disk, name};
use crate::manifest;
use crate::record::{GateRecord, PacketRecord, Verdict};
use crate::report::{self, Page};
use crate::summary::{Summary, duration_ms};

/// `packets/<id>/packet.json` and the outputs of its steps.
pub fn packets(record: &GateRecord, workdir: &Path, to: &Path, masker: &Masker) -> Result<(), PackError> {
    for packet in &record.packets {
        name::check(&packet.id)?;
        let folder = format!("packets/{}", packet.id);
        json(
            &to.join(&folder).join("packet.json"),
            &packet_json(packet),
            masker,
        )?;
        for output in packet.steps.iter().flat_map(|it| &it.outputs) {
            name::check(&output.file)?;
            let path = format!("{folder}/{}", output.file);
            let from = workdir.join(&path);
            if !from.is_file() {
                return Err(PackError::MissingOutput { output: path });
            }
            disk::copy(&from, &to.join(&path))?;
        }
    }
    Ok(())
}

/// The record of a packet, with the duration of every step beside its times.
fn packet_json(packet: &PacketRecord) -> Value {
    let mut value = serde_json::to_value(packet).unwrap_or_default();
    let steps = value["steps"].as_array_mut();
    for (step, json) in packet.steps.iter().zip(steps.into_iter().flatten()) {
        json["duration_ms"] = duration_ms(step).into();
    }
    value
}

/// The pages on top: summary, reports, JUnit, what was masked; for a NO-GO the template of the root-cause analysis.
pub fn pages(
    record: &GateRecord,
    summary: &Summary,
    pack: &str,
    to: &Path,
    options: &PackOptions,
) -> Result<(), PackError> {
    let masker = options.masker;
    json(&to.join("summary.json"), summary, masker)?;
    let page = Page {
        record,
        summary,
        pack,
        lang: options.lang,
    };
    let mut texts = vec![
        ("closure.md", report::markdown::closure(&page)?),
        ("closure.html", report::html::closure(&page)?),
        ("junit.xml", report::junit::report(record)?),
    ];
    if record.verdict == Verdict::NoGo {
        texts.push(("rca.md", report::markdown::root_cause(&page)?));
    }
    for (name, text) in texts {
        disk::write(&to.join(name), masker.mask(&text).as_ref().as_bytes())?;
    }
    json(&to.join("masking.json"), &masking(to, masker)?, masker)
}

fn json(path: &Path, value: &impl Serialize, masker: &Masker) -> Result<(), PackError> {
    let mut value = serde_json::to_value(value).unwrap_or_default();
    let mut masked = masked_form(&value, masker);
    if !is_json(&masked) {
        // A quotation that a program began and did not end is covered up to the end of its line, with the marks of JSON.
        leave_out(&mut value, masker);
        masked = masked_form(&value, masker);
    }
    // A short known value may be part of a key or of a number; better no pack than one that cannot be read.
    if !is_json(&masked) {
        return Err(PackError::MaskedForm(path.display().to_string()));
    }
    disk::write(path, masked.as_bytes())
}

fn masked_form(value: &Value, masker: &Masker) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    masker.mask(&text).into_string()
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<Value>(text).is_ok()
}

/// Stands for a text that cannot be masked and stay JSON. What a program printed is complete in its output.
const LEFT_OUT: &str = "[left out: it cannot be masked as JSON]";

fn leave_out(value: &mut Value, masker: &Masker) {
    match value {
        Value::String(text) if !is_json(&masked_form(&Value::from(vec![text.as_str(), ""]), masker)) => {
            LEFT_OUT.clone_into(text);
        }
        Value::Array(items) => items.iter_mut().for_each(|it| leave_out(it, masker)),
        Value::Object(fields) => fields.values_mut().for_each(|it| leave_out(it, masker)),
        _ => {}
    }
}

/// The summary as it was written.
pub fn written_summary(pack: &Path) -> Result<Summary, PackError> {
    let path = pack.join("summary.json");
    let text = fs::read(&path).map_err(PackError::io("cannot read", &path))?;
    serde_json::from_slice(&text).map_err(|_| PackError::MaskedForm("summary.json".to_owned()))
}

/// `masking.json`: how this pack was masked, and what was too weak to be looked for.
#[derive(Debug, Serialize)]
struct Masking {
    known_values: usize,
    /// Names, never values: these are not masked by what they are.
    refused: Vec<RefusedValue>,
    hosts_shortened: bool,
    /// How often `***` stands in each file.
    masked: BTreeMap<String, usize>,
    leak_scan: LeakScan,
}

#[derive(Debug, Serialize)]
struct RefusedValue {
    name: String,
    reason: String,
}

#[derive(Debug, Serialize)]
struct LeakScan {
    layers: u8,
    encodings: &'static [&'static str],
    /// A pack with a hit is deleted, so this can say nothing else.
    hits: u8,
}

fn masking(pack: &Path, masker: &Masker) -> Result<Masking, PackError> {
    let mut masked = BTreeMap::new();
    let (files, _) = manifest::list(pack).map_err(PackError::io("cannot list", pack))?;
    for file in files {
        let path = pack.join(&file);
        let bytes = fs::read(&path).map_err(PackError::io("cannot read", &path))?;
        let stars = bytes.windows(3).filter(|it| it == b"***").count();
        if stars > 0 {
            masked.insert(file, stars);
        }
    }
    let refused = masker.refused().iter().map(|it| RefusedValue {
        name: it.name.clone(),
        reason: it.reason.to_string(),
    });
    Ok(Masking {
        known_values: masker.known_count(),
        refused: refused.collect(),
        hosts_shortened: masker.shortens_hosts(),
        masked,
        leak_scan: LeakScan {
            layers: crate::leak::LAYERS,
            encodings: crate::leak::ENCODINGS,
            hits: 0,
        },
    })
}
