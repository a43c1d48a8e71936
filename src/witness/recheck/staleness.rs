//! Confirms, from the history alone, that a read was stale, since when, and how many versions it missed; and says what the
//! history tells of that, for the words.
//!
//! A register's read missed a write that began after what it returned had certainly taken effect, and that had certainly taken
//! effect itself before the read began; where the servers' revisions order all writes of the register, and real time does not contradict
//! them, one that comes later in that order. A list's read missed an element that it lacks and that was certainly there before it
//! began: its append had completed, or a read had shown it, or the lists put it before such a one.
//!
//! Durations come from `time`, as long as they certainly were: see `Clock`.
//!
//! Cost: a scan of the history, and a sort of one key's writes.

use std::collections::HashSet;

use hashbrown::HashMap;

use super::accesses::is_read;
use super::objects::{act, initial, same_key};
use super::revisions::Revisions;
use crate::guarantee::Anomaly;
use crate::history::{History, MicroOp, OpId, Operation, Status, Value};
use crate::witness::objects::Source;
use crate::witness::sessions::Access;
use crate::witness::staleness::{Claim, Says};

type Seeded = foldhash::fast::RandomState;

/// By when something had certainly happened: a position, and the access that shows it.
#[derive(Clone, Copy, Debug)]
pub(in crate::witness) struct End {
    position: i64,
    /// Nothing for what was there at first.
    pub(in crate::witness) shown: Option<(Access, Shown)>,
}

/// How an access shows that a write had taken effect.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::witness) enum Shown {
    /// It is that write.
    Itself,
    /// It saw it.
    Seen(Source),
}

/// A write that a read missed.
#[derive(Clone, Copy, Debug)]
pub(in crate::witness) struct Missed {
    /// Nothing where nobody wrote it.
    pub(in crate::witness) by: Option<Access>,
    pub(in crate::witness) end: End,
}

/// What the history tells of a read.
#[derive(Debug)]
pub(in crate::witness) struct Sight {
    /// The write that it saw, and by what; nothing where that was there at first.
    pub(in crate::witness) seen: Option<(Access, Source)>,
    /// By when that had taken effect.
    pub(in crate::witness) since: End,
    /// The writes that it missed, in the order in which they had taken effect.
    pub(in crate::witness) missed: Vec<Missed>,
    /// Whether the history tells the order of versions, so that real time does not matter.
    pub(in crate::witness) is_ordered: bool,
}

impl End {
    const NEVER: End = End { position: i64::MAX, shown: None };
    const BEFORE_ALL: End = End { position: -1, shown: None };

    /// When a write's own operation had ended.
    fn of(op: &Operation<'_>, access: Access) -> End {
        match op.status() {
            Status::Ok => End { position: i64::from(op.ended()), shown: Some((access, Shown::Itself)) },
            Status::Fail | Status::Info => End::NEVER,
        }
    }

    fn seen(op: &Operation<'_>, mop: u32, source: Source) -> End {
        let access = Access { op: op.id, mop };
        End { position: i64::from(op.ended()), shown: Some((access, Shown::Seen(source))) }
    }

    /// The same end, of an earlier version.
    fn of_earlier(self) -> End {
        End { shown: self.shown.map(|(access, _)| (access, Shown::Seen(Source::Later))), ..self }
    }
}

/// Whether the whole history bears the claim out.
#[must_use]
pub fn is_stale(history: &History, anomaly: Anomaly, claim: &Claim) -> bool {
    look(history, claim.read).is_some_and(|sight| bears_out(history, anomaly, claim, &sight))
}

/// The same, of what the history tells of the read.
pub(in crate::witness) fn bears_out(history: &History, anomaly: Anomaly, claim: &Claim, sight: &Sight) -> bool {
    let read = history.op(claim.read.op);
    let missed: Option<Vec<&Missed>> =
        claim.missed.iter().map(|write| sight.missed.iter().find(|missed| missed.by == Some(*write))).collect();
    let Some([first, rest @ ..]) = missed.as_deref() else { return false };
    let mut named = claim.missed.clone();
    named.sort_unstable();
    named.dedup();
    if named.len() != claim.missed.len() {
        return false;
    }
    match claim.says {
        Says::Overwritten { versions, age_ns } => {
            let since = |age: i64| Some(age) == Clock::between(history, first.end.position, &read);
            let all = usize::try_from(versions).is_ok_and(|versions| versions == sight.missed.len());
            anomaly == Anomaly::StaleRead && all && age_ns.is_none_or(since)
        }
        Says::Gone => {
            let back = || seen_before(history, claim, first).is_some();
            let asked = anomaly == Anomaly::LostWrite || anomaly == Anomaly::Resurrection && back();
            asked && rest.is_empty() && read.is_final()
        }
        Says::Overdue { age_ns, within_ns } => {
            let write = history.op(claim.missed[0].op);
            let acknowledged = i64::from(write.ended());
            let since = || Clock::between(history, acknowledged, &read) == Some(age_ns);
            anomaly == Anomaly::OverdueVisibility
                && rest.is_empty()
                && write.status() == Status::Ok
                && age_ns > within_ns
                && since()
        }
    }
}

/// A read that showed a missed write before the read of the claim began, if that is certain.
pub(in crate::witness) fn seen_before(history: &History, claim: &Claim, missed: &Missed) -> Option<(Access, Source)> {
    if let Some((access, Shown::Seen(source))) = missed.end.shown {
        return Some((access, source));
    }
    let (read, write) = (history.op(claim.read.op), history.op(missed.by?.op));
    let value = act(history, &write)?.writes?;
    let acts = || history.ops().filter(|op| same_key(op, read.key())).filter_map(|op| act(history, &op));
    let writers: Vec<u32> =
        acts().filter(|act| !act.failed && act.writes == Some(value)).map(|act| act.began).collect();
    let at_first = initial(history, read.key()) == Some(value);
    let certain = |ended: u32| !at_first && writers.iter().filter(|began| **began <= ended).count() == 1;
    let saw = |act: &super::objects::Act| act.must && act.observes == Some(value) && act.ended < read.began();
    let mut reads: Vec<_> = acts().filter(saw).filter(|act| write.began() <= act.ended && certain(act.ended)).collect();
    reads.sort_by_key(|act| act.began);
    let source = if writers.len() == 1 { Source::Only } else { Source::OnlyThen };
    reads.first().map(|act| (Access { op: act.op, mop: 0 }, source))
}

/// How long it certainly was between two positions. Where times go backwards or are missing, what ended did so as late, and what
/// began as early, as the times around it allow.
#[derive(Debug)]
pub(in crate::witness) struct Clock;

impl Clock {
    /// From what had happened by a position to the beginning of an operation, at least; nothing where no record has a time.
    pub(super) fn between(history: &History, end: i64, read: &Operation<'_>) -> Option<i64> {
        let begin = match read.invoked() {
            Some(_) => i64::from(read.began()),
            None => i64::from(read.began().saturating_sub(1)),
        };
        // The latest time up to the end, the earliest from the beginning on; and the nearest ones beyond.
        let (mut latest, mut after) = (None::<i64>, None::<(i64, i64)>);
        let (mut earliest, mut before) = (None::<i64>, None::<(i64, i64)>);
        let (mut ends_timed, mut begins_timed) = (false, false);
        let mut take = |position: Option<u32>, time: Option<i64>| {
            let (Some(position), Some(time)) = (position.map(i64::from), time) else { return };
            if position <= end {
                latest = Some(latest.map_or(time, |latest| latest.max(time)));
                ends_timed |= position == end;
            } else if after.is_none_or(|(known, _)| position < known) {
                after = Some((position, time));
            }
            if position >= begin {
                earliest = Some(earliest.map_or(time, |earliest| earliest.min(time)));
                begins_timed |= position == begin;
            } else if before.is_none_or(|(known, _)| position > known) {
                before = Some((position, time));
            }
        };
        for op in history.ops() {
            take(op.invoked(), op.invoked_time());
            take(op.completed(), op.completed_time());
        }
        for seen in history.observations() {
            take(Some(seen.position), Some(seen.time).filter(|time| *time != History::NO_TIME));
        }
        latest.or(after.map(|(_, time)| time))?;
        if !ends_timed {
            let next = after.map_or(i64::MAX, |(_, time)| time);
            latest = Some(latest.map_or(next, |latest| latest.max(next)));
        }
        if !begins_timed {
            let last = before.map_or(i64::MIN, |(_, time)| time);
            earliest = Some(earliest.map_or(last, |earliest| earliest.min(last)));
        }
        Some(earliest?.saturating_sub(latest?).max(0))
    }
}

/// What the history tells of a read; nothing where it is none, or nothing explains it.
pub(in crate::witness) fn look(history: &History, access: Access) -> Option<Sight> {
    let read = history.op(access.op);
    if read.status() != Status::Ok || !is_read(history, access) {
        return None;
    }
    let mut sight = match read.mops().get(access.mop as usize) {
        Some(mop) => of_list(history, &read, mop)?,
        None => of_register(history, &read)?,
    };
    sight.missed.sort_by_key(|missed| missed.end.position);
    Some(sight)
}

/// What a register's read saw and missed; nothing where no write explains it.
fn of_register(history: &History, read: &Operation<'_>) -> Option<Sight> {
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
    let mut by: Vec<Option<Access>> = vec![None];
    // By value that is asked of: its first two writes. Two are as good as many here.
    let mut writers: HashMap<Value, (usize, Option<usize>), Seeded> = HashMap::default();
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
            let write = Access { op: act.op, mop: u32::from(act.observes.is_some()) };
            writes.push((i64::from(act.began), End::of(&history.op(act.op), write)));
            by.push(Some(write));
        }
    }
    for other in acts().filter(|act| act.must) {
        let Some(value) = other.observes.filter(is_asked) else { continue };
        let Some((only, second)) = writers.get(&value) else { continue };
        let source = if second.is_none() { Source::Only } else { Source::OnlyThen };
        let end = End::seen(&history.op(other.op), 0, source);
        let began_by = |write: usize| writes[write].0 <= end.position;
        if began_by(*only) && !second.is_some_and(began_by) && end.position < writes[*only].1.position {
            writes[*only].1 = end;
        }
    }
    let mut source = if seen_of.len() == 1 { Source::Only } else { Source::OnlyThen };
    if let Some(revisions) = &revisions {
        let numbers: HashMap<OpId, usize, Seeded> =
            by.iter().enumerate().filter_map(|(at, write)| Some(((*write)?.op, at))).collect();
        let number = |op: OpId| numbers.get(&op).copied();
        for other in acts().filter(|act| act.must) {
            let Some(write) = revisions.shown(other.op).and_then(number) else { continue };
            let end = End::seen(&history.op(other.op), 0, Source::Revision);
            // What shows a write that began later shows that records contradict each other.
            let (began, known) = writes[write];
            if began <= end.position && end.position < known.position {
                writes[write].1 = end;
            }
        }
        if let Some(write) = revisions.shown(read.id).and_then(number) {
            (seen_of, source) = (vec![write], Source::Revision);
        }
        if let [seen] = seen_of[..]
            && let Some(missed) = by_revision(revisions, seen, began, &writes, &by, &numbers)
        {
            let seen_by = by[seen].map(|write| (write, source));
            return Some(Sight { seen: seen_by, since: writes[seen].1, missed, is_ordered: true });
        }
    }
    let possible: Vec<usize> = seen_of.into_iter().filter(|write| writes[*write].0 <= until).collect();
    if source == Source::OnlyThen && possible.len() > 1 {
        source = Source::LastThen;
    }
    let latest = possible.into_iter().max_by_key(|write| writes[*write].1.position);
    // What nobody wrote may have been there at first, where nothing says what was.
    let latest = latest.or_else(|| initial(history, read.key()).is_none().then_some(0))?;
    let since = writes[latest].1;
    let seen = by[latest].map(|write| (write, source));
    let newer = writes.iter().zip(by).filter(|((begin, end), _)| *begin > since.position && end.position < began);
    let missed = newer.map(|((_, end), by)| Missed { by, end: *end }).collect();
    Some(Sight { seen, since, missed, is_ordered: false })
}

/// The same by the servers' revisions, where these order all writes that certainly happened as real time allows.
fn by_revision(
    revisions: &Revisions,
    seen: usize,
    began: i64,
    writes: &[(i64, End)],
    by: &[Option<Access>],
    numbers: &HashMap<OpId, usize, Seeded>,
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
        *end = if own.position < earliest.position { own } else { earliest.of_earlier() };
        earliest = *end;
        if end.position < begin {
            return None;
        }
    }
    let place = line.iter().position(|write| *write == seen)?;
    let newer = line.iter().zip(ends).skip(place + 1).filter(|(_, end)| end.position < began);
    Some(newer.map(|(write, end)| Missed { by: by[*write], end }).collect())
}

/// What a list's read saw, and the elements that it lacks and that were there before it began.
fn of_list(history: &History, read: &Operation<'_>, mop: &MicroOp) -> Option<Sight> {
    let values = history.values();
    let is_same = |op: &Operation<'_>, other: &MicroOp| other.key == mop.key && op.key() == read.key();
    let is = |f: Value, name: &str| values.as_str(f) == Some(name);
    let mut appended: Vec<(Value, End, Access)> = Vec::new();
    let mut appenders: HashMap<Value, Access, Seeded> = HashMap::default();
    // The longest list of all, and of those that were read before: lists grow at their ends.
    let (mut longest, mut before) = (mop.value, Value::EMPTY_LIST);
    let mut shown: Vec<(usize, End)> = Vec::new();
    for op in history.ops() {
        for (at, other) in (0..).zip(op.mops()).filter(|(_, other)| is_same(&op, other)) {
            if is(other.f, "append") {
                let append = Access { op: op.id, mop: at };
                appenders.insert(other.value, append);
                appended.push((other.value, End::of(&op, append), append));
            } else if is(other.f, "r") && op.status() == Status::Ok && !other.value.is_null() {
                if values.len(other.value) > values.len(longest) {
                    longest = other.value;
                }
                if op.ended() < read.began() {
                    shown.push((values.len(other.value), End::seen(&op, at, Source::Element)));
                    if values.len(other.value) > values.len(before) {
                        before = other.value;
                    }
                }
            }
        }
    }
    let full = values.items(longest);
    let returned = if mop.value.is_null() { Vec::new() } else { values.items(mop.value) };
    if !full.starts_with(&returned) || !full.starts_with(&values.items(before)) {
        return None;
    }
    let place: HashMap<Value, usize, Seeded> = full.iter().enumerate().map(|(at, element)| (*element, at)).collect();
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
        if end.position >= earliest.position {
            // A read that shows a later element shows this one, too.
            *end = match earliest.shown {
                Some((_, Shown::Seen(_))) => earliest,
                _ => earliest.of_earlier(),
            };
        }
        earliest = *end;
    }
    let seen = returned.last().and_then(|last| appenders.get(last)).map(|append| (*append, Source::End));
    let since = returned.len().checked_sub(1).and_then(|last| ends.get(last).copied()).unwrap_or(End::BEFORE_ALL);
    let known: HashSet<Value> = returned.into_iter().collect();
    let missed = full.iter().zip(&ends).filter(|(element, end)| !known.contains(element) && end.position < i64::MAX);
    let missed = missed.map(|(element, end)| Missed { by: appenders.get(element).copied(), end: *end });
    Some(Sight { seen, since, missed: missed.chain(rest).collect(), is_ordered: true })
}
