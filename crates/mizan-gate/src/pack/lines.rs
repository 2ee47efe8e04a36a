//! Where in the file a packet or a step begins, for messages about what the parser itself finds nothing wrong with.

use super::Pack;

/// Line numbers of `id:` keys, by packet and step. Found by reading the file as a person would: the ids of packets
/// and steps in their order. Where that does not come out even (ids in another style), there are no numbers.
pub struct Lines {
    found: Option<Vec<(usize, Vec<usize>)>>,
}

impl Lines {
    pub fn new(text: &str, pack: &Pack) -> Self {
        let ids = text.lines().enumerate().filter_map(|(no, line)| {
            let line = line.trim_start();
            let line = line.strip_prefix("- ").unwrap_or(line).trim_start();
            let line = line.trim_start_matches('{').trim_start();
            let value = line.strip_prefix("id:")?.trim_start();
            let end = value.find([',', '#', '}']).unwrap_or(value.len());
            Some((no + 1, value[..end].trim().trim_matches(['"', '\'']).to_owned()))
        });
        let mut ids = ids.peekable();
        let mut found = Vec::new();
        for packet in &pack.packets {
            let Some((packet_line, _)) = ids.next().filter(|(_, id)| *id == packet.id.0) else {
                return Self { found: None };
            };
            let mut steps = Vec::new();
            for step in &packet.steps {
                match ids.next() {
                    Some((line, id)) if id == step.id.0 => steps.push(line),
                    _ => return Self { found: None },
                }
            }
            found.push((packet_line, steps));
        }
        Self {
            found: ids.next().is_none().then_some(found),
        }
    }

    pub fn packet(&self, index: usize) -> Option<usize> {
        self.found.as_ref()?.get(index).map(|it| it.0)
    }

    pub fn step(&self, packet: usize, step: usize) -> Option<usize> {
        self.found.as_ref()?.get(packet)?.1.get(step).copied()
    }
}
