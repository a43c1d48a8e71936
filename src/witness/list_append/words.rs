//! Claims in words: who did what, which read shows it, and what it means for the data.

use super::cycles;
use super::{Appearance, Claim, Mop};
use crate::guarantee::Anomaly;
use crate::history::{History, OpId, Operation, Status, Value};
use crate::witness::{Minimality, Step, Witness};

/// How many elements of a list are shown on each side of what matters.
const AROUND: usize = 4;

/// Puts a claim in words. `rechecked`: whether the claim was confirmed from the whole history.
#[must_use]
pub fn witness(history: &History, claim: &Claim, minimality: Minimality, rechecked: bool) -> Witness {
    let mut scene = Scene { history, cast: Vec::new(), steps: Vec::new() };
    let text = match claim {
        Claim::Cycle { anomaly, steps, happened } => cycles::tell(&mut scene, *anomaly, steps, happened),
        Claim::EveryOrder { anomaly, cycles, happened } => cycles::tell_all(&mut scene, *anomaly, cycles, happened),
        _ => scene.tell(claim),
    };
    let position = |op: &OpId| history.op(*op).position();
    Witness {
        minimality,
        rechecked,
        claim: Some(crate::witness::claim::Claim::ListAppend(claim.clone()).to_json(history)),
        operations: scene.cast.iter().map(position).collect(),
        names: (1..=scene.cast.len()).map(|number| format!("T{number}")).collect(),
        steps: scene.steps,
        timeline: None,
        text,
    }
}

/// The transactions of a witness, in the order in which it names them, and its steps so far.
pub(super) struct Scene<'h> {
    pub(super) history: &'h History,
    cast: Vec<OpId>,
    pub(super) steps: Vec<Step>,
}

impl<'h> Scene<'h> {
    pub(super) fn op(&self, op: OpId) -> Operation<'h> {
        self.history.op(op)
    }

    /// What a transaction is called.
    pub(super) fn name(&mut self, op: OpId) -> String {
        let known = self.cast.iter().position(|member| *member == op);
        let place = known.unwrap_or_else(|| {
            self.cast.push(op);
            self.cast.len() - 1
        });
        format!("T{}", place + 1)
    }

    fn mop(&self, mop: Mop) -> Option<&'h crate::history::MicroOp> {
        self.op(mop.op).mops().get(mop.index as usize)
    }

    fn key_value(&self, mop: Mop) -> Option<Value> {
        self.mop(mop).map(|mop| mop.key)
    }

    /// The object of a micro-operation.
    pub(super) fn key(&self, mop: Mop) -> String {
        self.show(self.key_value(mop).unwrap_or(Value::NULL))
    }

    /// What an append appends.
    pub(super) fn element(&self, mop: Mop) -> String {
        self.show(self.element_value(mop))
    }

    fn element_value(&self, mop: Mop) -> Value {
        self.mop(mop).map_or(Value::NULL, |mop| mop.value)
    }

    fn show(&self, value: Value) -> String {
        self.history.values().json(value, 60)
    }

    fn items(&self, read: Mop) -> Vec<Value> {
        self.history.values().items(self.element_value(read))
    }

    /// What a read returned, around the elements that matter; around its end if none do.
    pub(super) fn list(&self, read: Mop, marks: &[Mop]) -> String {
        let items = self.items(read);
        let places = marks.iter().filter_map(|mark| {
            let element = self.element_value(*mark);
            items.iter().position(|item| *item == element)
        });
        self.list_around(&items, places.collect())
    }

    fn list_around(&self, items: &[Value], mut places: Vec<usize>) -> String {
        if places.is_empty() {
            places.push(items.len().saturating_sub(1));
        }
        let mut parts: Vec<String> = Vec::new();
        let mut gap = false;
        for (at, item) in items.iter().enumerate() {
            if places.iter().any(|place| at.abs_diff(*place) <= AROUND) {
                parts.push(self.show(*item));
                gap = false;
            } else if !gap {
                parts.push("...".to_owned());
                gap = true;
            }
        }
        format!("[{}]", parts.join(" "))
    }

    /// "(micro-operation 2 of 3)", where there are several.
    pub(super) fn place(&self, mop: Mop) -> String {
        match self.op(mop.op).mops().len() {
            0 | 1 => String::new(),
            count => format!(" (micro-operation {} of {count})", mop.index + 1),
        }
    }

    /// "T1 appended 4 to key 5 (micro-operation 1 of 2)".
    pub(super) fn appended(&mut self, append: Mop) -> String {
        let name = self.name(append.op);
        format!("{name} appended {} to key {}{}", self.element(append), self.key(append), self.place(append))
    }

    /// "T2 read key 5 as [1 4] (micro-operation 3 of 3)".
    pub(super) fn read(&mut self, read: Mop, marks: &[Mop]) -> String {
        let name = self.name(read.op);
        format!("{name} read key {} as {}{}", self.key(read), self.list(read, marks), self.place(read))
    }

    /// Adds a step.
    pub(super) fn step(&mut self, from: OpId, to: OpId, relation: &'static str, about: Option<Mop>, because: String) {
        let key = about.and_then(|mop| self.key_value(mop));
        let (from, to) = (self.op(from).position(), self.op(to).position());
        self.steps.push(Step { from, to, relation, key, because });
    }

    fn tell(&mut self, claim: &Claim) -> String {
        match claim {
            Claim::AbortedRead(shown) => self.aborted_read(*shown),
            Claim::IntermediateRead { shown, later } => self.intermediate_read(*shown, *later),
            Claim::Internal { read } => self.internal(*read),
            Claim::FutureRead(shown) => self.future_read(*shown),
            Claim::DirtyUpdate { aborted, over } => self.dirty_update(*aborted, *over),
            Claim::DuplicateElements { read, element } => self.duplicate_elements(*read, *element),
            Claim::IncompatibleReads { one, other } => self.incompatible_reads(*one, *other),
            Claim::OutOfOrder { first, second } => self.out_of_order(*first, *second),
            Claim::LostUpdate { reads, appends } => self.lost_update(*reads, *appends),
            Claim::ThinAirRead { read, element } => self.thin_air(*read, *element),
            Claim::Cycle { anomaly, .. } | Claim::EveryOrder { anomaly, .. } => meaning(*anomaly).to_owned(),
        }
    }

    fn aborted_read(&mut self, shown: Appearance) -> String {
        let (writer, record) = (self.name(shown.append.op), self.op(shown.append.op).position());
        let (element, key) = (self.element(shown.append), self.key(shown.append));
        let because = format!(
            "{writer} was to append {element} to key {key}{}, and failed (record {record}), so that never happened; but {}",
            self.place(shown.append),
            self.read(shown.read, &[shown.append])
        );
        self.step(shown.append.op, shown.read.op, "wr", Some(shown.read), because);
        let reader = self.name(shown.read.op);
        format!("{reader} acted on an effect of {writer}, which was rolled back or reported as failed.")
    }

    fn intermediate_read(&mut self, shown: Appearance, later: Mop) -> String {
        let because = format!(
            "{}, and after that {}{}; {}, which ends between the two",
            self.appended(shown.append),
            self.element(later),
            self.place(later),
            self.read(shown.read, &[])
        );
        self.step(shown.append.op, shown.read.op, "wr", Some(shown.read), because);
        let (writer, reader) = (self.name(shown.append.op), self.name(shown.read.op));
        format!("{reader} saw {writer} half done: a state that was never meant to be seen.")
    }

    fn internal(&mut self, read: Mop) -> String {
        let (name, values) = (self.name(read.op), self.history.values());
        let key = self.key_value(read);
        let (mut known, mut own) = (None, Vec::new());
        let mops = self.op(read.op).mops();
        for (index, mop) in (0u32..).zip(mops).take(read.index as usize).filter(|(_, mop)| Some(mop.key) == key) {
            if values.as_str(mop.f) == Some("append") {
                own.push(mop.value);
            } else {
                known = Some(Mop { op: read.op, index });
                own.clear();
            }
        }
        let own: Vec<String> = own.into_iter().map(|element| self.show(element)).collect();
        let before = match (known, own.is_empty()) {
            (Some(known), true) => self.read(known, &[]),
            (Some(known), false) => format!("{}, then appended {} to it", self.read(known, &[]), own.join(", ")),
            (None, _) => format!("{name} appended {} to key {}", own.join(", "), self.key(read)),
        };
        let expected = match known {
            Some(known) => {
                let list = self.list(known, &[]);
                let list = list.trim_start_matches('[').trim_end_matches(']');
                let parts = std::iter::once(list.to_owned()).filter(|list| !list.is_empty()).chain(own);
                format!("[{}]", parts.collect::<Vec<_>>().join(" "))
            }
            None => format!("[... {}]", own.join(" ")),
        };
        let because =
            format!("{before}; after that it read {}{}, and not {expected}", self.list(read, &[]), self.place(read));
        self.step(read.op, read.op, "internal", Some(read), because);
        format!("{name} can't rely on what it read or wrote itself a moment before: its later reads contradict it.")
    }

    fn future_read(&mut self, shown: Appearance) -> String {
        let because = format!(
            "{}, which shows {}; but it appended that only later{}",
            self.read(shown.read, &[shown.append]),
            self.element(shown.append),
            self.place(shown.append)
        );
        self.step(shown.append.op, shown.read.op, "wr", Some(shown.read), because);
        let name = self.name(shown.read.op);
        format!("{name} saw its own write before making it: its operations did not run in the order it gave them.")
    }

    fn dirty_update(&mut self, aborted: Appearance, over: Mop) -> String {
        let (below, record) = (self.name(aborted.append.op), self.op(aborted.append.op).position());
        let because = format!(
            "{below} was to append {} to key {}, and failed (record {record}); {}, on top of it, as {}",
            self.element(aborted.append),
            self.key(aborted.append),
            self.appended(over),
            self.read(aborted.read, &[aborted.append, over])
        );
        self.step(aborted.append.op, over.op, "ww", Some(over), because);
        let above = self.name(over.op);
        format!("The committed state that {above} left behind contains what {below} had taken back.")
    }

    fn duplicate_elements(&mut self, read: Mop, element: Value) -> String {
        let items = self.items(read);
        let places: Vec<usize> = (0..items.len()).filter(|at| items[*at] == element).collect();
        let (name, key) = (self.name(read.op), self.key(read));
        let because = format!(
            "{name} read key {key} as {}{}, which has {} {} times",
            self.list_around(&items, places.clone()),
            self.place(read),
            self.show(element),
            places.len()
        );
        self.step(read.op, read.op, "duplicate", Some(read), because);
        format!(
            "One append took effect more than once: {} was appended to key {key} by one request.",
            self.show(element)
        )
    }

    fn incompatible_reads(&mut self, one: Mop, other: Mop) -> String {
        let (left, right) = (self.items(one), self.items(other));
        let at = left.iter().zip(&right).take_while(|(left, right)| left == right).count();
        let part = |items: &[Value]| items.get(at).map_or("nothing".to_owned(), |item| self.show(*item));
        let (first, second) = (part(&left), part(&right));
        let (left, right) = (self.list_around(&left, vec![at]), self.list_around(&right, vec![at]));
        let key = self.key(one);
        let because = format!(
            "{} read key {key} as {left}{}, and {} read it as {right}{}: they part at element {}, which is {first} in one \
             and {second} in the other",
            self.name(one.op),
            self.place(one),
            self.name(other.op),
            self.place(other),
            at + 1
        );
        self.step(one.op, other.op, "incompatible", Some(one), because);
        format!("Key {key} had two different pasts: elements were lost or moved, for a list only grows.")
    }

    fn out_of_order(&mut self, first: Mop, second: Appearance) -> String {
        let shows = self.items(second.read).contains(&self.element_value(first));
        let because = format!(
            "{}, and after that {}{}; {}, which shows the second {}",
            self.appended(first),
            self.element(second.append),
            self.place(second.append),
            self.read(second.read, &[first, second.append]),
            if shows { "before the first" } else { "without the first" }
        );
        self.step(first.op, second.read.op, "incompatible", Some(second.read), because);
        let writer = self.name(first.op);
        format!("{writer}'s appends did not take effect in the order in which it made them, or one of them was lost.")
    }

    fn lost_update(&mut self, reads: [Mop; 2], appends: [Mop; 2]) -> String {
        for (at, (read, append)) in reads.into_iter().zip(appends).enumerate() {
            let again = if at == 0 { "" } else { "too, " };
            let because = format!(
                "{}, {again}and then appended {}{}",
                self.read(read, &[]),
                self.element(append),
                self.place(append)
            );
            self.step(reads[at].op, reads[1 - at].op, "rw", Some(read), because);
        }
        let (one, two) = (self.name(reads[0].op), self.name(reads[1].op));
        format!(
            "{one} and {two} both changed key {} from the same version, unaware of each other: an application that \
             computes what it writes from what it read loses one of the two updates.",
            self.key(reads[0])
        )
    }

    fn thin_air(&mut self, read: Mop, element: Value) -> String {
        let items = self.items(read);
        let places: Vec<usize> = (0..items.len()).filter(|at| items[*at] == element).collect();
        let (name, key) = (self.name(read.op), self.key(read));
        let because = format!(
            "{name} read key {key} as {}{}, and no transaction of this history, whatever became of it, appended {} to it",
            self.list_around(&items, places),
            self.place(read),
            self.show(element)
        );
        self.step(read.op, read.op, "wr", Some(read), because);
        format!(
            "{} came from nowhere: corrupted data, another key's data, or a writer that the history does not record.",
            self.show(element)
        )
    }

    /// "T2 (outcome unknown) happened: ...", for a transaction that is neither `ok` nor failed.
    pub(super) fn happened(&mut self, shown: Appearance) -> String {
        let name = self.name(shown.append.op);
        debug_assert_eq!(self.op(shown.append.op).status(), Status::Info, "only these need proof");
        format!(
            "{name}'s outcome is not known, but it happened: {} shows its append of {}",
            self.read(shown.read, &[shown.append]),
            self.element(shown.append)
        )
    }
}

/// What a type of cycle means for the data.
pub(super) fn meaning(anomaly: Anomaly) -> &'static str {
    match anomaly {
        Anomaly::G0 | Anomaly::G0Process | Anomaly::G0Realtime => {
            "Their writes are interleaved: the data is a mixture that none of them wrote."
        }
        Anomaly::G1c | Anomaly::G1cProcess | Anomaly::G1cRealtime => {
            "Each saw or overwrote what could only exist after its own effects: information went round in a circle."
        }
        Anomaly::GSingleItem | Anomaly::GSingleItemProcess | Anomaly::GSingleItemRealtime => {
            "One of them saw some effects and missed others that came before them: its reads show no state that ever was \
             (read skew)."
        }
        Anomaly::NonPrefixRead | Anomaly::NonPrefixReadProcess => {
            "Whoever read can't have read from beginnings of one commit order: what one of them calls the past is the future for \
             another (as in a long fork)."
        }
        Anomaly::GCursor | Anomaly::UnseenConflict => {
            "Whichever of these appends to a key came first, one writer did not know of the other, so an update is lost where it was \
             computed from what was read."
        }
        Anomaly::GMonotonic => {
            "Whatever the order, a read missed what the same transaction's earlier reads and writes depend on: what it saw went \
             backward while it ran."
        }
        Anomaly::GMsr => {
            "No commit order has snapshots that these reads show and that advance within each transaction."
        }
        Anomaly::GUpdate => {
            "The transactions that write, and at most one that only reads, fit into no serial order: what was stored, or what \
             that reader saw, is what none of them run one after the other leaves behind."
        }
        Anomaly::GNonadjacentItem | Anomaly::GNonadjacentItemProcess | Anomaly::GNonadjacentItemRealtime => {
            "Their snapshots contradict each other: each shows effects that are missing in another, both ways (long fork)."
        }
        _ => {
            "Each missed what another wrote, so together they did what none of them would have done alone, one after the \
             other (write skew)."
        }
    }
}
