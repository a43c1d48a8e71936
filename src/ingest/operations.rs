//! Porcupine's operations, as Go programs write them: an object an operation, in a list or one a line.
//!
//! `{"client_id": 0, "input": {"op": "put", "key": "x", "value": "1"}, "call": 3, "output": null, "return": 8}`, with names in
//! any case (`ClientId`). `input` names its function, `op` or `f`, and has `key` and `value`; `output` is the result, or an object
//! with the result as its `value`. An output with `"unknown": true`, and an operation without `return`, may or may not have
//! happened.
//!
//! Each operation is two records, at the times of its call and its return. Porcupine's intervals are closed: what ends when
//! another begins is concurrent with it, so of records at one time, calls come first. Clients may have several operations in
//! flight; each beyond the first is a process of its own (`0#2`). One thread; such files are small.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::value::RawValue;

use super::chunks::{Shape, epilogue};
use super::detect;
use super::error::{Fault, InputError};
use super::json::Json;
use super::limits::Limits;
use super::mapping::fields;
use super::record::RecordReader;
use super::scan::{Kind, Scan, Scanner, Token};
use super::text::Text;
use crate::history::{Builder, escape_json};
use crate::verdict::StoppedBy;

/// Where a record is: in which operation, and which half of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Half {
    /// Where the operation begins in the text.
    pub(super) offset: u64,
    /// Which of its client's operations in flight it is, from 0.
    lane: u32,
    returned: bool,
}

/// How much of a text is looked at.
const HEAD: usize = 64 << 10;

/// How many records are read before they become part of the history.
const BATCH: usize = 1 << 14;

/// Whether the first object is such an operation.
pub(super) fn looks_like_operations(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(HEAD)];
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&head[..error.valid_up_to()]).unwrap_or(""),
    };
    let Some(start) = text.find('{') else { return false };
    let mut scanner = Json::new(text);
    scanner.seek(start);
    // What is cut off behind the names that tell is no matter.
    let mut names = Vec::new();
    let _ = names_of(&mut scanner, &mut names);
    let has = |name: &str| names.iter().any(|found| found == name);
    has("input") && has("call") && !has("type")
}

fn names_of(scanner: &mut Json<'_>, names: &mut Vec<String>) -> Scan<()> {
    scanner.token()?;
    let mut more = scanner.first(Kind::Map)?;
    while more {
        if let Token::Str(name) = scanner.key()? {
            names.push(plain(name));
        }
        scanner.colon()?;
        scanner.skip()?;
        more = scanner.more(Kind::Map)?;
    }
    Ok(())
}

/// A name without its writer's habits: `ClientId` and `client_id` are `clientid`.
fn plain(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '_' | '-')).flat_map(char::to_lowercase).collect()
}

/// The fields of an object, in order, each as its own text.
struct Fields<'a>(Vec<(String, &'a RawValue)>);

impl<'a> Fields<'a> {
    fn of(text: &'a str) -> Option<Fields<'a>> {
        fields(text).map(Fields)
    }

    /// Takes the field of this plain name out; twice is a fault.
    fn take(&mut self, name: &str) -> Result<Option<&'a str>, Mistake> {
        let mut found = None;
        let mut twice = false;
        self.0.retain(|(given, value)| {
            let is_it = plain(given) == name;
            if is_it {
                twice |= found.is_some();
                found = Some(value.get());
            }
            !is_it
        });
        if twice {
            let help = "nobody can say which of the two is meant: give each field once";
            return Err(Mistake { message: format!("this operation has the field `{name}` twice"), help });
        }
        Ok(found)
    }
}

/// Why an object is no operation.
struct Mistake {
    message: String,
    help: &'static str,
}

impl Mistake {
    fn new(message: &str, help: &'static str) -> Mistake {
        Mistake { message: message.to_owned(), help }
    }
}

/// One operation; what is text is JSON.
struct Operation<'a> {
    client: &'a str,
    call: i64,
    returned: Option<i64>,
    f: &'a str,
    key: Option<&'a str>,
    value: &'a str,
    result: &'a str,
    unknown: bool,
    rest: Vec<(String, &'a RawValue)>,
}

const OPERATION: &str = "an operation is {\"client_id\": 0, \"input\": {\"op\": \"put\", \"key\": \"x\", \"value\": 1}, \"call\": 3, \
                         \"output\": null, \"return\": 8}";

impl<'a> Operation<'a> {
    fn parse(text: &'a str) -> Result<Operation<'a>, Mistake> {
        let mut fields = Fields::of(text).ok_or_else(|| Mistake::new("this is no operation", OPERATION))?;
        let mut time = |name: &str| -> Result<Option<i64>, Mistake> {
            match fields.take(name)? {
                None | Some("null") => Ok(None),
                Some(text) => text.parse().map(Some).map_err(|_| Mistake {
                    message: format!("`{name}` is no whole number of 64 bits"),
                    help: "`call` and `return` are times of one clock, in whole nanoseconds",
                }),
            }
        };
        let (call, returned) = (time("call")?, time("return")?);
        let call = call.ok_or_else(|| Mistake::new("this operation has no `call`", OPERATION))?;
        if returned.is_some_and(|returned| returned < call) {
            let help = "`call` and `return` are times of one clock that does not go back";
            return Err(Mistake::new("this operation returned before it was called", help));
        }
        let client = fields.take("clientid")?.filter(|client| *client != "null").unwrap_or("0");
        let input = fields.take("input")?.ok_or_else(|| Mistake::new("this operation has no `input`", OPERATION))?;
        let mut input = Fields::of(input).ok_or_else(|| Mistake::new("`input` is no object", OPERATION))?;
        let f = match (input.take("f")?, input.take("op")?) {
            (Some(f), None) | (None, Some(f)) if f.starts_with('"') => f,
            (None, None) => return Err(Mistake::new("the `input` names no function", OPERATION)),
            _ => {
                let help =
                    "name the function in words: \"op\": \"get\", \"put\", \"append\", \"read\", \"write\", \"cas\"";
                return Err(Mistake::new("the function of the `input` is no string", help));
            }
        };
        let (key, value) = (input.take("key")?, input.take("value")?.unwrap_or("null"));
        let (mut result, mut unknown) = (fields.take("output")?.unwrap_or("null"), false);
        if let Some(mut output) = Fields::of(result) {
            unknown = output.take("unknown")? == Some("true");
            match output.take("value")? {
                Some(value) => result = value,
                None if output.0.is_empty() => result = "null",
                None => {}
            }
        }
        Ok(Operation { client, call, returned, f, key, value, result, unknown, rest: fields.0 })
    }

    /// The record of its call or its return.
    fn record(&self, lane: u32, returned: bool) -> String {
        let kind = match (returned, self.unknown) {
            (false, _) => "invoke",
            (true, false) => "ok",
            (true, true) => "info",
        };
        let mut out = format!("{{\"type\":\"{kind}\",\"process\":");
        if lane == 0 {
            out.push_str(self.client);
        } else {
            escape_json(&format!("{}#{}", self.client.trim_matches('"'), lane + 1), &mut out);
        }
        out.push_str(&format!(",\"f\":{}", self.f));
        if let Some(key) = self.key {
            out.push_str(&format!(",\"key\":{key}"));
        }
        let (value, time) =
            if returned { (self.result, self.returned.unwrap_or(self.call)) } else { (self.value, self.call) };
        if kind != "info" {
            out.push_str(&format!(",\"value\":{value}"));
        }
        out.push_str(&format!(",\"time\":{time}"));
        for (name, value) in self.rest.iter().filter(|_| !returned) {
            out.push(',');
            escape_json(name, &mut out);
            out.push_str(&format!(":{value}"));
        }
        out.push('}');
        out
    }
}

/// The record of a half of the operation that begins this text.
pub(super) fn record_of(text: &str, half: Half) -> Option<String> {
    let mut scanner = Json::new(text);
    scanner.skip().ok()?;
    Some(Operation::parse(&text[..scanner.at()]).ok()?.record(half.lane, half.returned))
}

/// Reads all operations.
///
/// # Errors
/// What is no operation, and a limit that was reached.
pub(super) fn read(text: &mut Text, limits: &Limits, builder: &mut Builder) -> Result<(), InputError> {
    let bytes = text.bytes();
    let whole = std::str::from_utf8(bytes).map_err(|error| {
        let help = "a history is UTF-8 text: the file is damaged, binary, or in another encoding";
        Fault::new(error.valid_up_to(), "found bytes that are no UTF-8", help).located(text, 0)
    })?;
    let events = events(whole, limits).map_err(|stop| stop.located(text, limits))?;
    let mut halves = Vec::with_capacity(events.len());
    let mut lanes = Lanes::default();
    let mut reader = RecordReader::new();
    reader.limit(limits.left() / 2);
    for event in events {
        if let Some(by) = reader.is_over_limit().then_some(StoppedBy::Memory).or_else(|| limits.stopped()) {
            return Err(limits.error(by));
        }
        if reader.len() == BATCH {
            builder.add(reader.take());
            limits.keep(builder.bytes());
            reader.limit(limits.left() / 2);
        }
        let start = usize::try_from(event.offset).unwrap_or(usize::MAX);
        let locate = |fault: Box<Fault>| fault.located(text, event.offset);
        let mut scanner = Json::new(&whole[start..]);
        scanner.skip().map_err(locate)?;
        let operation = Operation::parse(&whole[start..start + scanner.at()]);
        let operation = operation.map_err(|mistake| locate(Fault::new(0, mistake.message, mistake.help)))?;
        let lane = lanes.lane(operation.client, event.offset, event.returned);
        let record = operation.record(lane, event.returned);
        reader.change_text();
        let mut scanner = Json::new(&record);
        reader.record(&mut scanner).map_err(|fault| {
            let message = format!("this operation can't be read: {}", fault.message);
            locate(Fault::new(0, message, fault.help))
        })?;
        halves.push(Half { offset: event.offset, lane, returned: event.returned });
    }
    builder.add(reader.take());
    if builder.is_over_limit() {
        return Err(limits.error(StoppedBy::Memory));
    }
    text.mark_halves(halves);
    Ok(())
}

/// A call or a return.
#[derive(Clone, Copy)]
struct Event {
    time: i64,
    returned: bool,
    offset: u64,
}

/// What ends the reading of operations.
enum Stop {
    Fault(Box<Fault>),
    Limit(StoppedBy),
}

impl Stop {
    fn located(self, text: &Text, limits: &Limits) -> InputError {
        match self {
            Stop::Fault(fault) => fault.located(text, 0),
            Stop::Limit(by) => limits.error(by),
        }
    }
}

impl From<Box<Fault>> for Stop {
    fn from(fault: Box<Fault>) -> Stop {
        Stop::Fault(fault)
    }
}

/// All calls and returns, in the order of time; of those at one time, calls first, and then as they are in the text.
fn events(text: &str, limits: &Limits) -> Result<Vec<Event>, Stop> {
    let prelude = detect::prelude::<super::JsonSyntax>(text.as_bytes())?;
    let Some(shape) = prelude.shape else { return Ok(Vec::new()) };
    let mut scanner = Json::new(text);
    scanner.seek(prelude.start);
    let mut events = Vec::new();
    loop {
        scanner.blank()?;
        if scanner.at() == text.len() {
            if let Shape::List { .. } = shape {
                return Err(Fault::cut(text.len()).into());
            }
            break;
        }
        let start = scanner.at();
        scanner.skip()?;
        let operation = Operation::parse(&text[start..scanner.at()]);
        let operation = operation.map_err(|mistake| Fault::new(start, mistake.message, mistake.help))?;
        let offset = start as u64;
        events.push(Event { time: operation.call, returned: false, offset });
        events.extend(operation.returned.map(|time| Event { time, returned: true, offset }));
        // One or two came.
        if events.len() % (1 << 10) < 2 {
            limits.keep(events.capacity() * (size_of::<Event>() + size_of::<Half>()));
            if let Some(by) = limits.stopped() {
                return Err(Stop::Limit(by));
            }
        }
        if let Shape::List { kind, document } = shape
            && !scanner.next_record(kind)?
        {
            epilogue(&mut scanner, document)?;
            break;
        }
    }
    events.sort_by_key(|event| (event.time, event.returned));
    Ok(events)
}

/// Which operations of each client are in flight.
#[derive(Default)]
struct Lanes {
    clients: BTreeMap<String, Client>,
}

#[derive(Default)]
struct Client {
    /// Lanes that were used and are free again.
    free: BTreeSet<u32>,
    /// How many were ever used.
    used: u32,
    /// The lanes of operations in flight, by the offsets where these begin.
    taken: BTreeMap<u64, u32>,
}

impl Lanes {
    fn lane(&mut self, client: &str, offset: u64, returned: bool) -> u32 {
        if !self.clients.contains_key(client) {
            self.clients.insert(client.to_owned(), Client::default());
        }
        let Some(client) = self.clients.get_mut(client) else { return 0 };
        if returned {
            let lane = client.taken.remove(&offset).unwrap_or(0);
            client.free.insert(lane);
            return lane;
        }
        let lane = client.free.pop_first().unwrap_or_else(|| {
            client.used = client.used.saturating_add(1);
            client.used - 1
        });
        client.taken.insert(offset, lane);
        lane
    }
}
