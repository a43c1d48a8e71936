//! Witnesses of sessions in words: who did what, what they had to see by then, and what they saw.

use super::{Access, Claim, Hop, Link, Why};
use crate::guarantee::Anomaly;
use crate::history::{History, Operation, Status, Value};
use crate::witness::{Minimality, Step, Witness};

/// How long a value's text may get.
const VALUE_TEXT: usize = 60;

/// A claim as a witness.
#[must_use]
pub fn witness(history: &History, claim: &Claim, minimality: Minimality, rechecked: bool) -> Witness {
    let accesses = claim.accesses();
    let mut operations: Vec<_> = accesses.iter().map(|access| access.op).collect();
    operations.dedup();
    let teller = Teller { history };
    let mut counts = [0u32; 2];
    let names = operations.iter().map(|op| {
        let writes = accesses.iter().any(|access| access.op == *op && teller.did(*access).0);
        let count = &mut counts[usize::from(writes)];
        *count += 1;
        format!("{}{count}", if writes { 'W' } else { 'R' })
    });
    let names = names.collect();
    let steps: Vec<Step> = claim.links().map(|link| teller.step(link)).collect();
    let mut text = teller.short(claim).unwrap_or_else(|| {
        let sentences: Vec<&str> = steps.iter().map(|step| &step.because[..]).collect();
        sentences.join("; ")
    });
    text.push_str(". ");
    if let Some(combination) = combination(claim) {
        text.push_str(&combination);
    }
    text.push_str(claim.anomaly.consequence());
    Witness {
        minimality,
        rechecked,
        claim: Some(crate::witness::claim::Claim::Sessions(claim.clone()).to_json(history)),
        operations: operations.iter().map(|op| history.op(*op).position()).collect(),
        names,
        steps,
        timeline: None,
        text,
    }
}

/// Which of the four guarantees a circle of `session` needs together.
fn combination(claim: &Claim) -> Option<String> {
    if claim.anomaly != Anomaly::SessionInversion && claim.anomaly != Anomaly::CausallyOverwrittenRead {
        return None;
    }
    let mut needed = [false; 4];
    let [own, reread, wrote, had_read] = &mut needed;
    for link in claim.links() {
        match &link.why {
            Why::Wrote => *wrote = true,
            Why::Read(_) => *had_read = true,
            Why::Replaced | Why::Missed { .. } | Why::Within(_) => {}
            Why::Seen(hops) => {
                let mut shown = false;
                for (at, (hop, _)) in hops.iter().enumerate() {
                    match hop {
                        Hop::Shows | Hop::Premise(_) | Hop::Server => shown = *hop == Hop::Shows,
                        Hop::Session => {
                            let last = at + 1 == hops.len();
                            *match (last, std::mem::take(&mut shown)) {
                                (true, true) => &mut *reread,
                                (true, false) => &mut *own,
                                (false, true) => &mut *had_read,
                                (false, false) => &mut *wrote,
                            } = true;
                        }
                    }
                }
            }
        }
    }
    let names = ["read-your-writes", "monotonic-reads", "monotonic-writes", "writes-follow-reads"];
    let needed: Vec<&str> = names.into_iter().zip(needed).filter(|(_, needed)| *needed).map(|(name, _)| name).collect();
    (needed.len() > 1).then(|| format!("What fails is {} together. ", needed.join(" and ")))
}

struct Teller<'h> {
    history: &'h History,
}

impl Teller<'_> {
    fn value(&self, value: Value) -> String {
        let value = if value.is_absent() { Value::NULL } else { value };
        self.history.values().json(value, VALUE_TEXT)
    }

    fn key(&self, op: &Operation<'_>, access: Access) -> Value {
        op.mops().get(access.mop as usize).map_or(op.key(), |mop| mop.key)
    }

    /// Whether an access writes, what it did, and the value that this is about.
    fn did(&self, access: Access) -> (bool, String, String) {
        let (op, values) = (self.history.op(access.op), self.history.values());
        let of = |preposition: &str| match self.key(&op, access) {
            Value::ABSENT | Value::NULL => String::new(),
            key => format!(" {preposition} {}", self.value(key)),
        };
        if let Some(mop) = op.mops().get(access.mop as usize) {
            let value = self.value(mop.value);
            return if values.as_str(mop.f) == Some("r") {
                let list = if mop.value.is_null() { Value::EMPTY_LIST } else { mop.value };
                let last = values.split_last(list).map_or_else(|| "[]".to_owned(), |(_, last)| self.value(last));
                (false, format!("read {}{}", self.value(list), of("from")), last)
            } else {
                (true, format!("appended {value}{}", of("to")), value)
            };
        }
        let given = if op.argument().is_null() { op.result() } else { op.argument() };
        match values.as_str(op.f()) {
            Some("read" | "get") => {
                let empty = op.result().is_null() && values.as_str(op.f()) == Some("get");
                let value = self.value(if empty { Value::EMPTY_STRING } else { op.result() });
                (false, format!("read {value}{}", of("from")), value)
            }
            Some("cas") => {
                let parts = values.items(given);
                let part = |at: usize| self.value(parts.get(at).copied().unwrap_or(Value::NULL));
                if access.mop == 0 {
                    (false, format!("found {}{}, and replaced it by {}", part(0), of("in"), part(1)), part(0))
                } else {
                    (true, format!("replaced {} by {}{}", part(0), part(1), of("in")), part(1))
                }
            }
            _ => (true, format!("wrote {}{}", self.value(given), of("to")), self.value(given)),
        }
    }

    fn who(&self, access: Access) -> String {
        let op = self.history.op(access.op);
        let process = self.history.process_name(op.process());
        if op.session() == process {
            format!("process {}", self.value(process))
        } else {
            format!("session {}", self.value(op.session()))
        }
    }

    /// Where an access is in the records, and which server answered.
    fn place(&self, access: Access) -> String {
        let op = self.history.op(access.op);
        let mut text = match (op.invoked(), op.completed()) {
            (Some(from), Some(to)) if op.status() == Status::Ok && to == from + 1 => format!("records {from}-{to}"),
            (Some(from), Some(to)) if op.status() == Status::Ok => format!("records {from} and {to}"),
            (Some(from), _) if op.status() != Status::Ok => format!("record {from}, outcome unknown"),
            _ => format!("record {}", op.position()),
        };
        if !op.node().is_null() {
            text.push_str(&format!(", node {}", self.plain(op.node())));
        }
        if op.status() == Status::Ok && op.mops().is_empty() && !op.version().is_null() {
            text.push_str(&format!(", version {}", self.value(op.version())));
        }
        text
    }

    fn plain(&self, value: Value) -> String {
        self.history.values().as_str(value).map_or_else(|| self.value(value), str::to_owned)
    }

    fn told(&self, access: Access) -> String {
        format!("{} ({})", self.did(access).1, self.place(access))
    }

    /// What a read shows, in view of what it had to see.
    fn shown(&self, link: &Link, reader: Access, replaced: &str) -> String {
        let read = self.did(reader).1;
        let what = match link.to {
            None => ", the initial value".to_owned(),
            Some(_) => replaced.to_owned(),
        };
        format!("{read}{what} ({})", self.place(reader))
    }

    fn because(&self, link: &Link, replaced: &str) -> String {
        let from = self.did(link.from).2;
        let to = link.to.map_or_else(|| "the initial value".to_owned(), |to| self.did(to).2);
        match (&link.why, link.to) {
            (Why::Wrote, Some(to)) => {
                format!("{} {} and then {}", self.who(to), self.told(link.from), self.told(to))
            }
            (Why::Read(by), Some(to)) => format!("{} {} before it {}", self.who(*by), self.told(*by), self.told(to)),
            (Why::Within(by), Some(to)) => {
                format!("{} {} and then, not before that, {}", self.who(*by), self.told(*by), self.told(to))
            }
            (Why::Missed { first, last, over }, Some(newer)) => {
                let newer = self.did(newer).2;
                let old = match over {
                    None => format!(", the initial value, and not yet {newer}"),
                    Some(_) => format!(", which {newer} had replaced"),
                };
                let missed = format!("{}{old} ({})", self.did(*last).1, self.place(*last));
                if first == last {
                    format!("{} {missed}", self.who(*last))
                } else {
                    format!("{} {} and then {missed}", self.who(*last), self.told(*first))
                }
            }
            (Why::Replaced, Some(second)) => {
                format!("{from} comes before {to}: {}", self.order(link.from, second))
            }
            (Why::Seen(hops), _) => match hops[..] {
                [(Hop::Session, reader)] => format!(
                    "{} {} and then {}",
                    self.who(reader),
                    self.told(link.from),
                    self.shown(link, reader, replaced)
                ),
                [(Hop::Shows, first), (Hop::Session, reader)] => {
                    format!("{} {} and then {}", self.who(reader), self.told(first), self.shown(link, reader, replaced))
                }
                _ => self.way(link, hops, replaced),
            },
            _ => format!("{from} comes before {to}"),
        }
    }

    /// How the history tells the order of two versions.
    fn order(&self, first: Access, second: Access) -> String {
        let op = self.history.op(second.op);
        let found = self.did(Access { mop: 0, ..second }).2 == self.did(first).2;
        if op.mops().is_empty() && second.mop == 1 && (found || !self.history.has_versions()) {
            format!("{} {}", self.who(second), self.told(second))
        } else if op.mops().is_empty() {
            "the versions that records name say so".to_owned()
        } else {
            "the lists that were read have it first".to_owned()
        }
    }

    /// A way of several hops from a write to the read that had to see it.
    fn way(&self, link: &Link, hops: &[(Hop, Access)], replaced: &str) -> String {
        let mut text = format!("{} {}", self.who(link.from), self.told(link.from));
        for (at, (hop, access)) in hops.iter().enumerate() {
            let last = at + 1 == hops.len();
            let told = if last { self.shown(link, *access, replaced) } else { self.told(*access) };
            match hop {
                Hop::Session => text.push_str(&format!(" and then {told}")),
                Hop::Shows => text.push_str(&format!(", {} {told}", self.who(*access))),
                Hop::Server => {
                    text.push_str(&format!(", and after that, at the same server, {} {told}", self.who(*access)))
                }
                Hop::Premise(_) => text.push_str(&format!(", before which comes that {} {told}", self.who(*access))),
            }
        }
        text
    }

    fn step(&self, link: &Link) -> Step {
        let position = |access: Access| self.history.op(access.op).position();
        let to = match (&link.why, link.to) {
            (_, Some(to)) => to,
            (Why::Seen(hops), None) => hops.last().map_or(link.from, |hop| hop.1),
            _ => link.from,
        };
        let key = self.key(&self.history.op(link.from.op), link.from);
        let relation = match link.why {
            Why::Wrote => "session",
            Why::Read(_) | Why::Within(_) => "session-reads",
            Why::Missed { .. } => "missed",
            Why::Replaced => "ww",
            Why::Seen(_) => "seen",
        };
        Step {
            from: position(link.from),
            to: position(to),
            relation,
            key: (!key.is_absent()).then_some(key),
            because: self.because(link, ""),
        }
    }

    /// One sentence for the commonest shape: somebody had to see a write, and read what this one had replaced.
    fn short(&self, claim: &Claim) -> Option<String> {
        let [replaced, seen] = &claim.circle[..] else { return None };
        let (replaced, seen) = if replaced.why == Why::Replaced { (replaced, seen) } else { (seen, replaced) };
        if replaced.why != Why::Replaced || !claim.premises.is_empty() || !matches!(seen.why, Why::Seen(_)) {
            return None;
        }
        let newer = self.did(replaced.to?).2;
        Some(self.because(seen, &format!(", which {newer} had replaced")))
    }
}
