//! Confirms, from the history alone, that a read was stale, since when, and how many versions it missed.
//!
//! A register's read missed a write that began after what it returned had certainly taken effect, and that had certainly taken
//! effect itself before the read began; where the servers' revisions order all writes of the register, and real time does not contradict
//! them, one that comes later in that order. A list's read missed an element that it lacks and that was certainly there before it
//! began: its append had completed, or a read had shown it, or the lists put it before such a one.
//!
//! Cost: a scan of the history, and a sort of one key's writes.

use std::collections::HashSet;

use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

use super::objects::{act, initial, same_key};
use super::revisions::Revisions;
use crate::history::{History, MicroOp, OpId, Operation, Status, Value};

/// What is claimed of a read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// The read.
    pub read: OpId,
    /// Of a transaction, which micro-operation.
    pub mop: usize,
    /// Since how long what it returned had been overwritten when it began, at least, in nanoseconds.
    pub age_ns: Option<i64>,
    /// How many writes had overwritten it, at least.
    pub versions: u32,
    /// One of these.
    pub missed: Option<OpId>,
}

/// Whether the whole history bears the claim out.
#[must_use]
pub fn is_stale(history: &History, claim: &Claim) -> bool {
    let read = history.op(claim.read);
    if read.status() != Status::Ok {
        return false;
    }
    let missed = match read.mops().get(claim.mop) {
        Some(mop) => missed_elements(history, &read, mop),
        None => missed_writes(history, &read),
    };
    let Some(missed) = missed else { return false };
    let since = missed.iter().filter_map(|missed| missed.end.time_ns).min();
    let named = claim.missed.is_none_or(|write| missed.iter().any(|missed| missed.by == Some(write)));
    let old_enough = match (claim.age_ns, since, began_ns(history, &read)) {
        (None | Some(0), ..) => true,
        (Some(age), Some(since), Some(began)) => began.saturating_sub(since) >= age,
        _ => false,
    };
    claim.versions > 0 && missed.len() >= claim.versions as usize && old_enough && named
}

/// By when something had certainly happened.
#[derive(Clone, Copy)]
struct End {
    position: i64,
    time_ns: Option<i64>,
}

/// A write that a read missed.
struct Missed {
    by: Option<OpId>,
    end: End,
}

impl End {
    const NEVER: End = End { position: i64::MAX, time_ns: None };
    const BEFORE_ALL: End = End { position: -1, time_ns: None };

    fn of(op: &Operation<'_>) -> End {
        match op.status() {
            Status::Ok => End { position: i64::from(op.ended()), time_ns: op.completed_time() },
            Status::Fail | Status::Info => End::NEVER,
        }
    }
}

/// When the read began, at the earliest.
fn began_ns(history: &History, read: &Operation<'_>) -> Option<i64> {
    if read.invoked().is_some() {
        return read.invoked_time();
    }
    let before = read.began().checked_sub(1);
    let at = |op: Operation<'_>| {
        let times = [(op.invoked(), op.invoked_time()), (op.completed(), op.completed_time())];
        times.into_iter().find(|(position, _)| *position == before).and_then(|(_, time)| time)
    };
    history.ops().find_map(at)
}

/// The ends of the writes that overwrote what a register's read returned; nothing where no write explains it.
fn missed_writes(history: &History, read: &Operation<'_>) -> Option<Vec<Missed>> {
    let acts = || history.ops().filter(|op| same_key(op, read.key())).filter_map(|op| act(history, &op));
    let seen = act(history, read)?.observes?;
    let mut certain: Vec<_> = acts().filter(|act| !act.failed && act.writes.is_some()).collect();
    certain.sort_by_key(|act| act.began);
    // What is newer began after a write of what was read had begun, and before the read: of all other values nothing is asked.
    let began = i64::from(read.began());
    let until = i64::from(read.ended());
    let of_seen = certain.iter().filter(|act| act.writes == Some(seen) && i64::from(act.began) <= until);
    let floor = of_seen.map(|act| i64::from(act.began)).max().unwrap_or(-1);
    let between = certain.iter().filter(|act| (floor..began).contains(&i64::from(act.began)));
    let between: HashSet<Value> = between.filter_map(|act| act.writes).chain([seen]).collect();
    // Revisions speak of all writes.
    let revisions = Revisions::of(history, read.key());
    let is_asked = |value: &Value| revisions.is_some() || between.contains(value);
    // (where it began, by when it had taken effect), the initial value first.
    let mut writes: Vec<(i64, End)> = vec![(-1, End::BEFORE_ALL)];
    let mut by: Vec<Option<OpId>> = vec![None];
    // By value that is asked of: its first two writes. Two are as good as many here.
    let mut writers: HashMap<Value, (usize, Option<usize>), foldhash::fast::RandomState> = HashMap::default();
    let mut seen_of = Vec::new();
    let mut enter = |value: Value, write: usize| {
        if !is_asked(&value) {
            return;
        }
        writers.entry(value).and_modify(|two| two.1 = two.1.or(Some(write))).or_insert((write, None));
        if value == seen {
            seen_of.push(write);
        }
    };
    if let Some(value) = initial(history, read.key()) {
        enter(value, 0);
    }
    for act in &certain {
        if let Some(value) = act.writes {
            enter(value, writes.len());
            writes.push((i64::from(act.began), End::of(&history.op(act.op))));
            by.push(Some(act.op));
        }
    }
    for other in acts().filter(|act| act.must) {
        let Some(value) = other.observes.filter(is_asked) else { continue };
        let end = End::of(&history.op(other.op));
        let Some((only, second)) = writers.get(&value) else { continue };
        let began_by = |write: usize| writes[write].0 <= end.position;
        if began_by(*only) && !second.is_some_and(began_by) && end.position < writes[*only].1.position {
            writes[*only].1 = end;
        }
    }
    if let Some(revisions) = &revisions {
        let numbers: HashMap<OpId, usize, foldhash::fast::RandomState> =
            by.iter().enumerate().filter_map(|(at, op)| Some(((*op)?, at))).collect();
        let number = |op: OpId| numbers.get(&op).copied();
        for other in acts().filter(|act| act.must) {
            let Some(write) = revisions.shown(other.op).and_then(number) else { continue };
            let end = End::of(&history.op(other.op));
            if end.position < writes[write].1.position {
                writes[write].1 = end;
            }
        }
        if let Some(write) = revisions.shown(read.id).and_then(number) {
            seen_of = vec![write];
        }
        if let [seen] = seen_of[..]
            && let Some(missed) = by_revision(revisions, seen, began, &writes, &by, &numbers)
        {
            return Some(missed);
        }
    }
    let possible = seen_of.into_iter().filter(|write| writes[*write].0 <= until);
    let latest = possible.map(|write| writes[write].1.position).max();
    // What nobody wrote may have been there at first, where nothing says what was.
    let latest = latest.or_else(|| initial(history, read.key()).is_none().then_some(-1))?;
    let newer = writes.iter().zip(by).filter(|((begin, end), _)| *begin > latest && end.position < began);
    Some(newer.map(|((_, end), by)| Missed { by, end: *end }).collect())
}

/// The same by the servers' revisions, where these order all writes that certainly happened as real time allows.
fn by_revision(
    revisions: &Revisions,
    seen: usize,
    began: i64,
    writes: &[(i64, End)],
    by: &[Option<OpId>],
    numbers: &HashMap<OpId, usize, foldhash::fast::RandomState>,
) -> Option<Vec<Missed>> {
    let mut line = vec![0];
    for op in revisions.line()? {
        line.push(*numbers.get(&op)?);
    }
    let mut placed = vec![false; writes.len()];
    line.iter().for_each(|write| placed[*write] = true);
    if placed.iter().zip(writes).any(|(placed, (_, end))| !placed && end.position < i64::MAX) {
        return None;
    }
    // By the time that a later one was there, the earlier ones had been.
    let mut ends = vec![End::NEVER; line.len()];
    let mut earliest = End::NEVER;
    for (end, write) in ends.iter_mut().zip(&line).rev() {
        let (begin, own) = writes[*write];
        if own.position < earliest.position {
            earliest = own;
        }
        *end = earliest;
        if end.position < begin {
            return None;
        }
    }
    let place = line.iter().position(|write| *write == seen)?;
    let newer = line.iter().zip(ends).skip(place + 1).filter(|(_, end)| end.position < began);
    Some(newer.map(|(write, end)| Missed { by: by[*write], end }).collect())
}

/// The ends of the elements that a list's read lacks and that were there before it began.
fn missed_elements(history: &History, read: &Operation<'_>, mop: &MicroOp) -> Option<Vec<Missed>> {
    let values = history.values();
    let of_list = |op: &Operation<'_>, other: &MicroOp| other.key == mop.key && op.key() == read.key();
    let is = |f: Value, name: &str| values.as_str(f) == Some(name);
    let mut appended: Vec<(Value, End, OpId)> = Vec::new();
    let mut appenders: HashMap<Value, OpId, foldhash::fast::RandomState> = HashMap::default();
    // The longest list of all, and of those that were read before: lists grow at their ends.
    let (mut longest, mut before) = (mop.value, (Value::EMPTY_LIST, End::NEVER));
    let mut shown: Vec<(usize, End)> = Vec::new();
    for op in history.ops() {
        for other in op.mops().iter().filter(|other| of_list(&op, other)) {
            if is(other.f, "append") {
                appenders.insert(other.value, op.id);
                appended.push((other.value, End::of(&op), op.id));
            } else if is(other.f, "r") && op.status() == Status::Ok && !other.value.is_null() {
                if values.len(other.value) > values.len(longest) {
                    longest = other.value;
                }
                if op.ended() < read.began() {
                    shown.push((values.len(other.value), End::of(&op)));
                    if values.len(other.value) > values.len(before.0) {
                        before = (other.value, End::of(&op));
                    }
                }
            }
        }
    }
    let full = values.items(longest);
    let returned = if mop.value.is_null() { Vec::new() } else { values.items(mop.value) };
    if !full.starts_with(&returned) || !full.starts_with(&values.items(before.0)) {
        return None;
    }
    let place: HashMap<Value, usize, foldhash::fast::RandomState> =
        full.iter().enumerate().map(|(at, element)| (*element, at)).collect();
    // For each element of the longest list, the earliest that shows it, through a later one too.
    let mut ends = vec![End::NEVER; full.len()];
    let mut take = |at: usize, end: End| {
        if end.position < ends[at].position {
            ends[at] = end;
        }
    };
    let mut rest = Vec::new();
    for (element, end, op) in appended.into_iter().filter(|(_, end, _)| end.position < i64::from(read.began())) {
        match place.get(&element) {
            Some(at) => take(*at, end),
            None => rest.push(Missed { by: Some(op), end }),
        }
    }
    for (len, end) in shown.into_iter().filter(|(len, _)| *len > 0) {
        take(len - 1, end);
    }
    let mut earliest = rest.iter().map(|missed| missed.end).min_by_key(|end| end.position).unwrap_or(End::NEVER);
    for end in ends.iter_mut().rev() {
        if end.position < earliest.position {
            earliest = *end;
        } else {
            *end = earliest;
        }
    }
    let known: HashSet<Value> = returned.into_iter().collect();
    let missed = full.iter().zip(&ends).filter(|(element, end)| !known.contains(element) && end.position < i64::MAX);
    let missed = missed.map(|(element, end)| Missed { by: appenders.get(element).copied(), end: *end });
    Some(missed.chain(rest).collect())
}
