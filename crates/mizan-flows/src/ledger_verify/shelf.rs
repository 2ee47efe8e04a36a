//! The archived part of the journal for a verification: the files as rows, and what cannot be read, by name.

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::path::{Path, PathBuf};

use mizan_core::AccountId;
use mizan_ledger::chain::JournalRow;
use mizan_store::partitions::{Archived, Carried};

use crate::ledger_archive::{RowFormat, RowReader, sha256_of};

/// Where archived rows are read. Without a format nothing can be.
#[derive(Clone, Copy, Default)]
pub struct Shelf<'a> {
    pub format: Option<&'a dyn RowFormat>,
    /// In place of the directory that the record of each file names.
    pub directory: Option<&'a Path>,
}

impl Shelf<'_> {
    fn path(&self, archived: &Archived) -> PathBuf {
        let recorded = Path::new(&archived.file);
        match (self.directory, recorded.file_name()) {
            (Some(directory), Some(name)) => directory.join(name),
            _ => recorded.to_path_buf(),
        }
    }

    /// Opens a file that is, byte for byte, the one that was archived; or says why not.
    fn open(&self, archived: &Archived) -> Result<Box<dyn RowReader>, String> {
        let Some(format) = self.format else {
            return Err("this mizan was built without its feature `parquet`".to_owned());
        };
        let path = self.path(archived);
        let (sha256, _) = sha256_of(&path).map_err(|it| it.to_string())?;
        if sha256 != archived.sha256 {
            return Err(format!("{} is not the file that was archived", path.display()));
        }
        File::open(&path)
            .and_then(|it| format.open(it))
            .map_err(|it| format!("{}: {it}", path.display()))
    }
}

/// The archived rows in order, and what they add up to.
pub(super) struct Rereading<'a> {
    shelf: Shelf<'a>,
    left: VecDeque<Archived>,
    open: Option<Box<dyn RowReader>>,
    kept: VecDeque<JournalRow>,
    totals: HashMap<AccountId, (i128, u64)>,
    /// Ranges that could not be read, both ends included, with the reason.
    pub unread: Vec<(i64, i64, String)>,
    pub broken: Vec<String>,
    pub rows: u64,
}

impl<'a> Rereading<'a> {
    pub fn new(shelf: Shelf<'a>, archives: Vec<Archived>) -> Self {
        Self {
            shelf,
            left: archives.into(),
            open: None,
            kept: VecDeque::new(),
            totals: HashMap::new(),
            unread: Vec::new(),
            broken: Vec::new(),
            rows: 0,
        }
    }

    /// Whether a row is in a range that could not be read.
    pub fn is_unread(&self, seq: i64) -> bool {
        self.unread
            .iter()
            .any(|(from, to, _)| (*from..=*to).contains(&seq))
    }

    /// The archived rows up to and with `to` that were not taken yet.
    pub fn take(&mut self, to: i64) -> Vec<JournalRow> {
        let mut taken = Vec::new();
        loop {
            while let Some(row) = self.kept.pop_front_if(|it| it.seq <= to) {
                taken.push(row);
            }
            if !self.kept.is_empty() || !self.read_on(to) {
                return taken;
            }
        }
    }

    /// Fetches more rows; `false` when the next ones are beyond `to` or there are none.
    fn read_on(&mut self, to: i64) -> bool {
        let Some(archived) = self.left.front().cloned() else {
            return false;
        };
        if self.open.is_none() {
            if archived.from_seq > to {
                return false;
            }
            match self.shelf.open(&archived) {
                Ok(reader) => self.open = Some(reader),
                Err(why) => {
                    self.give_up(&archived, why);
                    return true;
                }
            }
        }
        match self.open.as_mut().map(|it| it.next_rows()) {
            Some(Ok(Some(rows))) => {
                for row in &rows {
                    self.follow(row);
                }
                self.rows += rows.len() as u64;
                self.kept.extend(rows);
            }
            Some(Err(error)) => {
                self.give_up(&archived, format!("{}: {error}", archived.file));
            }
            Some(Ok(None)) | None => {
                self.open = None;
                self.left.pop_front();
            }
        }
        true
    }

    fn give_up(&mut self, archived: &Archived, why: String) {
        self.unread.push((archived.from_seq, archived.to_seq, why));
        self.open = None;
        self.left.pop_front();
    }

    /// The running balances of a row follow from the rows before it, unless some of those were not read.
    fn follow(&mut self, row: &JournalRow) {
        let sides = [
            (row.debit, -i128::from(row.amount), row.debit_after),
            (row.credit, i128::from(row.amount), row.credit_after),
        ];
        for (account, change, after) in sides {
            let (total, entries) = self.totals.entry(account).or_default();
            *total += change;
            *entries += 1;
            let wrong = after.is_some_and(|it| i128::from(it) != *total);
            if wrong && self.unread.is_empty() && self.broken.len() < 1_000 {
                self.broken.push(format!(
                    "archived journal row {} on account {}: expected {total}, found {}",
                    row.seq,
                    account.0,
                    after.unwrap_or_default()
                ));
            }
        }
    }

    /// Reads what is left and compares what is carried forward with what the files add up to.
    pub fn finish(mut self, carried: &[Carried]) -> (Vec<String>, Vec<String>) {
        while !self.take(i64::MAX).is_empty() {}
        let mut broken = self.broken;
        if self.unread.is_empty() {
            for it in carried {
                let (posted, entries) = self.totals.remove(&it.account).unwrap_or_default();
                if (posted, entries) != (i128::from(it.posted), it.entries) {
                    broken.push(format!(
                        "carried balance of account {}: expected {posted} in {entries} entries, found {} in {}",
                        it.account.0, it.posted, it.entries
                    ));
                }
            }
            let missing = self
                .totals
                .keys()
                .map(|it| format!("account {} has archived entries and no carried balance", it.0));
            broken.extend(missing);
        }
        broken.truncate(1_000);
        let unread = self.unread.into_iter();
        let unread = unread.map(|(from, to, why)| format!("rows {from} to {to}: {why}"));
        (broken, unread.collect())
    }
}
