//! Records that don't simply follow each other in one file: rows of a foreign log, and histories that are spread over files.
//!
//! Each becomes the text of a native record, in one order, and is read as such. That takes a copy of the text, and a place for
//! every record: a slower path than that of a native history, in one thread.
//!
//! Order by time. Clocks have a resolution, so what ends at the very moment at which something else begins is not taken to
//! come before it: within one moment, beginnings come first. A process whose next operation begins at the moment at which its
//! last one ends then has two at once; the next one gets a process of its own, with the first as its session, so that the
//! order within the session is kept and no order with others is invented. Files that are joined keep their own order: a time
//! that goes back within a file counts as the latest before it.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use hashbrown::HashMap;

use super::bytes::Bytes;
use super::error::InputError;
use super::json::Json;
use super::limits::Limits;
use super::mapping::{Half, Mapped, Mapping, Order, Unmapped};
use super::record::RecordReader;
use super::scan::Scanner as _;
use crate::history::{Builder, Origin};
use crate::verdict::StoppedBy;

/// How files are put together to one history.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Join {
    /// By `time`: the files' clocks are one clock.
    Time,
    /// By `index`.
    Index,
}

impl Join {
    /// The name, as the command line takes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Join::Time => "time",
            Join::Index => "index",
        }
    }

    /// By its name.
    #[must_use]
    pub fn named(name: &str) -> Option<Join> {
        [Join::Time, Join::Index].into_iter().find(|join| join.name() == name)
    }
}

/// A record on its way.
struct Entry {
    /// All of it but the braces and, of a mapped row, the process.
    text: String,
    process: Option<String>,
    has_session: bool,
    half: Half,
    invokes: bool,
    time: Option<i64>,
    index: Option<i64>,
    file: u32,
    line: u64,
    /// Where its row is in the file, where it was mapped.
    row: (u64, u32),
}

/// Where records come from, file by file.
#[derive(Default)]
pub(super) struct Assembly {
    entries: Vec<Entry>,
    files: Vec<(String, Option<Bytes>)>,
    left_out: u64,
    bytes: u64,
}

impl Assembly {
    /// Adds the rows of a foreign log: one on each line, or the elements of one array.
    pub(super) fn rows(
        &mut self,
        name: &str,
        bytes: Bytes,
        mapping: &Mapping,
        limits: &Limits,
    ) -> Result<(), InputError> {
        let file = u32::try_from(self.files.len()).unwrap_or(u32::MAX);
        let text = std::str::from_utf8(bytes.as_slice()).map_err(|error| {
            let line = 1 + memchr::memchr_iter(b'\n', &bytes.as_slice()[..error.valid_up_to()]).count() as u64;
            at(
                name,
                Some(line),
                "found bytes that are no UTF-8",
                "a log is UTF-8 text: the file is damaged, binary, or in another encoding",
            )
        })?;
        let before = self.entries.len();
        for (row, line) in rows(text).map_err(|(message, line)| at(name, line, message, ROWS))? {
            self.keep(limits, row.len())?;
            let offset = row.as_ptr().addr() - text.as_ptr().addr();
            let place = (offset as u64, u32::try_from(row.len()).unwrap_or(u32::MAX));
            match mapping.records(row) {
                Ok(records) => {
                    for Mapped { half, invokes, time, process, has_session, fields } in records {
                        let process = match (process, half) {
                            (None, Half::Begin | Half::End) => Some(format!("\"row {line}\"")),
                            (process, _) => process,
                        };
                        let index = None;
                        self.entries.push(Entry {
                            text: fields,
                            process,
                            has_session,
                            half,
                            invokes,
                            time,
                            index,
                            file,
                            line,
                            row: place,
                        });
                    }
                }
                Err(Unmapped::Other) => self.left_out += 1,
                Err(Unmapped::Lacks(_)) if mapping.skips() => self.left_out += 1,
                Err(Unmapped::Lacks(what)) => {
                    return Err(at(name, Some(line), format!("this row becomes no record: {what}"), ROWS));
                }
            }
        }
        if self.entries.len() == before && self.left_out > 0 {
            let message = format!("none of the {} rows becomes a record", self.left_out);
            return Err(at(
                name,
                None,
                message,
                "check the paths and conditions of the mapping against one row of the log",
            ));
        }
        self.files.push((name.to_owned(), Some(bytes)));
        Ok(())
    }

    /// Adds the records of a history. Their `index` is kept where they are joined by it.
    pub(super) fn records(
        &mut self,
        name: &str,
        origin: &dyn Origin,
        records: u32,
        join: Join,
        limits: &Limits,
    ) -> Result<(), InputError> {
        let file = u32::try_from(self.files.len()).unwrap_or(u32::MAX);
        self.files.push((name.to_owned(), None));
        for position in 0..records {
            let line = origin.line(position);
            let lost = || at(name, line, "this record can't be found again", "please report this, with the file");
            let json = origin.json(position).ok_or_else(lost)?;
            self.keep(limits, json.len())?;
            let entry = native(&json, join).ok_or_else(lost)?;
            self.entries.push(Entry { file, line: line.unwrap_or(0), ..entry });
        }
        Ok(())
    }

    fn keep(&mut self, limits: &Limits, bytes: usize) -> Result<(), InputError> {
        /// A place, and the fields that have texts of their own.
        const EACH: u64 = 200;
        self.bytes += bytes as u64 + EACH;
        if self.entries.len().is_multiple_of(1024) {
            limits.keep(usize::try_from(self.bytes).unwrap_or(usize::MAX));
            let over = (limits.left() == 0).then_some(StoppedBy::Memory);
            if let Some(by) = over.or_else(|| limits.stopped()) {
                return Err(limits.error(by));
            }
        }
        Ok(())
    }

    /// In the order that is asked for: of the rows' own times, or of the files together.
    pub(super) fn order(&mut self, mapped: Option<Order>, join: Option<Join>) -> Result<(), InputError> {
        match (mapped, join) {
            (_, Some(Join::Index)) => self.by_index(),
            (Some(Order::Time), _) => {
                self.entries.sort_by_key(|entry| (entry.time, !entry.invokes));
                self.part();
                Ok(())
            }
            (_, Some(Join::Time)) => self.merge(),
            (_, None) => Ok(()),
        }
    }

    fn by_index(&mut self) -> Result<(), InputError> {
        if let Some(entry) = self.entries.iter().find(|entry| entry.index.is_none()) {
            let help = "give every record its `index` over all files, or join by time";
            return Err(at(&self.files[entry.file as usize].0, Some(entry.line), "this record has no `index`", help));
        }
        self.entries.sort_by_key(|entry| entry.index);
        for pair in self.entries.windows(2) {
            if pair[0].index == pair[1].index {
                let (first, second) = (&pair[0], &pair[1]);
                let other = &self.files[first.file as usize].0;
                let message = format!("index {} is in {other}, line {}, too", second.index.unwrap_or(0), first.line);
                let help = "each record of the joined history has an `index` of its own; files that each count from 0 are joined by time";
                return Err(at(&self.files[second.file as usize].0, Some(second.line), message, help));
            }
        }
        Ok(())
    }

    /// Merges the files by time, each in its own order. Within one moment, beginnings come first.
    fn merge(&mut self) -> Result<(), InputError> {
        if let Some(entry) = self.entries.iter().find(|entry| entry.time.is_none()) {
            let help = "give every record its `time`, on one clock, or join by index";
            return Err(at(&self.files[entry.file as usize].0, Some(entry.line), "this record has no `time`", help));
        }
        let mut files: Vec<std::vec::IntoIter<Entry>> = Vec::new();
        let mut entries = std::mem::take(&mut self.entries);
        let total = entries.len();
        for file in (0..self.files.len()).rev() {
            let start = entries.partition_point(|entry| (entry.file as usize) < file);
            files.push(entries.split_off(start).into_iter());
        }
        files.reverse();
        let mut latest: Vec<i64> = vec![i64::MIN; files.len()];
        let mut heads: Vec<Option<Entry>> = files.iter().map(|_| None).collect();
        let mut heap = BinaryHeap::new();
        let mut next =
            |file: usize, heads: &mut Vec<Option<Entry>>, heap: &mut BinaryHeap<Reverse<(i64, bool, usize)>>| {
                if let Some(entry) = files[file].next() {
                    latest[file] = latest[file].max(entry.time.unwrap_or(i64::MIN));
                    heap.push(Reverse((latest[file], !entry.invokes, file)));
                    heads[file] = Some(entry);
                }
            };
        for file in 0..heads.len() {
            next(file, &mut heads, &mut heap);
        }
        self.entries.reserve_exact(total);
        while let Some(Reverse((.., file))) = heap.pop() {
            self.entries.extend(heads[file].take());
            next(file, &mut heads, &mut heap);
        }
        Ok(())
    }

    /// Gives an operation that begins as its process's last one ends a process of its own.
    fn part(&mut self) {
        let mut ends: HashMap<(u32, u64), i64, foldhash::fast::RandomState> = HashMap::default();
        for entry in self.entries.iter().filter(|entry| entry.half == Half::End) {
            ends.insert((entry.file, entry.row.0), entry.time.unwrap_or(i64::MAX));
        }
        // For each process, the ends of what it has in flight, by lane.
        let mut lanes: HashMap<String, Vec<Option<(u32, u64)>>, foldhash::fast::RandomState> = HashMap::default();
        for entry in &mut self.entries {
            let Some(process) = entry.process.clone() else { continue };
            let operation = (entry.file, entry.row.0);
            let lane = match entry.half {
                Half::Only => continue,
                Half::Begin => {
                    let lanes = lanes.entry(process.clone()).or_default();
                    let ends_now =
                        |open: &Option<(u32, u64)>| open.is_some_and(|open| ends.get(&open).copied() == entry.time);
                    let free = lanes.iter().position(Option::is_none);
                    // What is still in flight later on is no matter of a clock's resolution: the process has two at once.
                    let lane = if lanes.iter().flatten().count() == lanes.iter().filter(|open| ends_now(open)).count() {
                        free.unwrap_or(lanes.len())
                    } else {
                        0
                    };
                    if lane == lanes.len() {
                        lanes.push(None);
                    }
                    lanes[lane] = Some(operation);
                    lane
                }
                Half::End => {
                    let Some(lanes) = lanes.get_mut(&process) else { continue };
                    let Some(lane) = lanes.iter().position(|open| *open == Some(operation)) else { continue };
                    lanes[lane] = None;
                    lane
                }
            };
            if lane > 0 {
                if !entry.has_session {
                    entry.text.push_str(&format!(",\"session\":{process}"));
                }
                let name = serde_json::from_str::<String>(&process).unwrap_or_else(|_| process.clone());
                entry.process = Some(serde_json::Value::String(format!("{name} ({})", lane + 1)).to_string());
            }
        }
    }

    /// Reads all records, in their order.
    pub(super) fn read(self, builder: &mut Builder, limits: &Limits) -> Result<Assembled, InputError> {
        const BATCH: usize = 1 << 16;
        let mut assembled = Assembled {
            texts: String::new(),
            places: Vec::with_capacity(self.entries.len()),
            files: self.files,
            left_out: self.left_out,
        };
        let mut reader = RecordReader::new();
        reader.limit(limits.left() / 2);
        for entry in self.entries {
            if reader.len() == BATCH {
                builder.add(reader.take());
                limits.keep(builder.bytes() + assembled.texts.len());
                reader.limit(limits.left() / 2);
                let over = reader.is_over_limit().then_some(StoppedBy::Memory);
                if let Some(by) = over.or_else(|| limits.stopped()) {
                    return Err(limits.error(by));
                }
            }
            let start = assembled.texts.len();
            let process = entry.process.map(|process| format!("\"process\":{process},")).unwrap_or_default();
            assembled.texts.push('{');
            assembled.texts.push_str(&process);
            assembled.texts.push_str(&entry.text);
            assembled.texts.push('}');
            assembled.places.push(Place { start: start as u64, file: entry.file, line: entry.line, row: entry.row });
            reader.change_text();
            let mut scanner = Json::new(&assembled.texts[start..]);
            let read = reader.record(&mut scanner);
            if let Err(fault) = read.and_then(|()| super::chunks::epilogue(&mut scanner, false)) {
                let message = format!("this becomes no record: {}", fault.message);
                return Err(at(&assembled.files[entry.file as usize].0, Some(entry.line), message, fault.help));
            }
        }
        builder.add(reader.take());
        Ok(assembled)
    }
}

const ROWS: &str = "a foreign log has one JSON object on each line, or an array of them; `unmapped = \"skip\"` (--unmapped skip) leaves \
                    out what becomes no record";

fn at(name: &str, line: Option<u64>, message: impl Into<String>, help: &str) -> InputError {
    let mut error = InputError::new(format!("{name}: {}", message.into()), help);
    error.line = line;
    error
}

/// A row's text, and its line, from 1.
type Row<'a> = (&'a str, u64);
/// What is wrong, and on which line.
type Unread = (String, Option<u64>);

/// The rows of a log with their lines.
fn rows(text: &str) -> Result<Vec<Row<'_>>, Unread> {
    let mut line = 1;
    let mut from = 0;
    let base = text.as_ptr().addr();
    let mut place = |row: &str| {
        let offset = row.as_ptr().addr() - base;
        line += memchr::memchr_iter(b'\n', &text.as_bytes()[from..offset]).count() as u64;
        from = offset;
        line
    };
    if text.trim_start().starts_with('[') {
        let items: Vec<&serde_json::value::RawValue> = serde_json::from_str(text)
            .map_err(|error| (format!("this is no array of rows: {error}"), u64::try_from(error.line()).ok()))?;
        return Ok(items.into_iter().map(|item| (item.get(), place(item.get()))).collect());
    }
    Ok(text.lines().map(str::trim).filter(|row| !row.is_empty()).map(|row| (row, place(row))).collect())
}

/// A native record, taken apart as far as its place in the order asks.
fn native(json: &str, join: Join) -> Option<Entry> {
    let fields = super::mapping::fields(json)?;
    let of = |name: &str| fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.get());
    let invokes = of("type").is_some_and(|kind| kind.trim_matches([':', '"']) == "invoke");
    let number = |name: &str| of(name).and_then(|text| text.parse::<i64>().ok());
    let (time, index) = (number("time").filter(|time| *time != -1), number("index"));
    let mut text = String::with_capacity(json.len());
    for (name, value) in fields.iter().filter(|(name, _)| name != "index" || join == Join::Index) {
        if !text.is_empty() {
            text.push(',');
        }
        text.push_str(&format!("{}:{}", serde_json::Value::String(name.clone()), value.get()));
    }
    let (half, row) = (Half::Only, (0, 0));
    Some(Entry { text, process: None, has_session: false, half, invokes, time, index, file: 0, line: 0, row })
}

/// Where a record is.
#[derive(Debug)]
struct Place {
    start: u64,
    file: u32,
    line: u64,
    row: (u64, u32),
}

/// The way back to records that were put together.
#[derive(Debug)]
pub(super) struct Assembled {
    texts: String,
    places: Vec<Place>,
    files: Vec<(String, Option<Bytes>)>,
    left_out: u64,
}

impl Assembled {
    fn place(&self, position: u32) -> Option<(&Place, &str)> {
        let at = usize::try_from(position).ok()?;
        let place = self.places.get(at)?;
        let end = self.places.get(at + 1).map_or(self.texts.len() as u64, |next| next.start);
        Some((place, self.texts.get(usize::try_from(place.start).ok()?..usize::try_from(end).ok()?)?))
    }

    /// The error of records that contradict each other, with the lines of these.
    pub(super) fn error(&self, error: crate::history::BuildError) -> InputError {
        let place = |position: Option<u32>| position.and_then(|position| self.place(position)).map(|(place, _)| place);
        let name = |place: &Place| self.files[place.file as usize].0.as_str();
        let mut message = error.message;
        if let Some(other) = place(error.other) {
            message.push_str(&format!(" (the other record is on line {} of {})", other.line, name(other)));
        }
        match place(error.position) {
            Some(place) => at(name(place), Some(place.line), message, &error.help),
            None => InputError::new(message, error.help),
        }
    }
}

impl Origin for Assembled {
    fn json(&self, position: u32) -> Option<String> {
        let (place, text) = self.place(position)?;
        let (start, len) = place.row;
        let row = self.files.get(place.file as usize)?.1.as_ref().and_then(|bytes| {
            let start = usize::try_from(start).ok()?;
            std::str::from_utf8(bytes.as_slice().get(start..start + len as usize)?).ok()
        });
        Some(match row {
            Some(row) => format!("{},\"row\":{}}}", text.strip_suffix('}')?, super::text::compact(row)),
            None => text.to_owned(),
        })
    }

    fn line(&self, position: u32) -> Option<u64> {
        self.place(position).map(|(place, _)| place.line).filter(|line| *line > 0)
    }

    fn source(&self, position: u32) -> Option<&str> {
        if self.files.len() < 2 {
            return None;
        }
        self.place(position).and_then(|(place, _)| self.files.get(place.file as usize)).map(|(name, _)| name.as_str())
    }

    fn left_out(&self) -> u64 {
        self.left_out
    }
}

/// What a history and its reader share, and what the reader was told beside it.
#[derive(Debug)]
pub(super) struct SharedAssembly(pub(super) Arc<Assembled>, pub(super) Option<serde_json::Value>);

impl Origin for SharedAssembly {
    fn json(&self, position: u32) -> Option<String> {
        self.0.json(position)
    }

    fn line(&self, position: u32) -> Option<u64> {
        self.0.line(position)
    }

    fn source(&self, position: u32) -> Option<&str> {
        self.0.source(position)
    }

    fn left_out(&self) -> u64 {
        self.0.left_out()
    }

    fn told(&self) -> Option<&serde_json::Value> {
        self.1.as_ref()
    }
}
