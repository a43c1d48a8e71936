//! Snapshots and repairs, and what is known of an entry at some time.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::super::ledger::{Act, Ledger};
use super::Cell;
use crate::history::{Compound, Value, Values, View};

/// What a repair made of an entry.
#[derive(Clone, Copy)]
pub(super) struct Change {
    pub(super) system: Value,
    pub(super) id: Value,
    pub(super) to: Value,
}

/// The changes of one entry, by the beginning of their repairs, and up to each the three latest ends, with the repairs.
#[derive(Default)]
struct Touched {
    by_began: Vec<(u32, u32, u32)>,
    latest: Vec<[(u32, u32); 3]>,
}

impl Touched {
    fn index(&mut self) {
        self.by_began.sort_unstable();
        let mut latest = [(0, u32::MAX); 3];
        for &(_, ended, repair) in &self.by_began {
            let least = latest[2].0;
            match latest.iter_mut().find(|(_, known)| *known == repair) {
                Some(known) => known.0 = known.0.max(ended),
                None if ended > least => latest[2] = (ended, repair),
                None => {}
            }
            latest.sort_unstable_by_key(|(ended, _)| std::cmp::Reverse(*ended));
            self.latest.push(latest);
        }
    }

    /// Whether a repair other than these two may have changed the entry after `since`, and began before `until`.
    fn since(&self, since: u32, until: u32, but: [u32; 2]) -> bool {
        let began = self.by_began.partition_point(|(began, ..)| *began < until);
        let latest = began.checked_sub(1).and_then(|last| self.latest.get(last));
        latest.is_some_and(|latest| latest.iter().any(|(ended, repair)| *ended > since && !but.contains(repair)))
    }
}

/// All of a history.
pub(super) struct Systems {
    /// The positions of each system's snapshots, in order; systems in order of appearance.
    snapshots: Vec<(Value, Vec<u32>)>,
    by_name: HashMap<Value, usize>,
    /// The entries of the last snapshots, and where there are repairs of all.
    entries: BTreeMap<u32, Vec<(Value, Value)>>,
    cells: HashMap<(u32, Value), Cell>,
    /// The changes of each repair, by its position.
    changes: HashMap<u32, Vec<Change>>,
    /// The changes of each entry that certainly happened, and that may have.
    done: HashMap<(Value, Value), Touched>,
    open: HashMap<(Value, Value), Touched>,
}

impl Systems {
    pub(super) fn read(ledger: &Ledger<'_>) -> Systems {
        let values = ledger.values;
        let mut systems = Systems {
            snapshots: Vec::new(),
            by_name: HashMap::new(),
            entries: BTreeMap::new(),
            cells: HashMap::new(),
            changes: HashMap::new(),
            done: HashMap::new(),
            open: HashMap::new(),
        };
        // A map's key "7" is the integer 7, where that is named elsewhere.
        let mut whole: HashMap<String, Value> = HashMap::new();
        let mut keys: Vec<(u32, usize)> = Vec::new();
        let mut integer = |id: Value| {
            if let Some(int) = values.as_int(id) {
                whole.insert(int.to_string(), id);
            }
        };
        let mut acts: Vec<&Act<'_>> = ledger.acts.iter().collect();
        acts.sort_by_key(|act| act.position);
        for act in &acts {
            if act.f == "snapshot" {
                let listed = act.said("entries");
                let entries: Vec<(Value, Value)> = match values.view(listed) {
                    View::Compound(Compound::Map) => {
                        let entries: Vec<(Value, Value)> = values.entries(listed).collect();
                        keys.extend((0..entries.len()).map(|at| (act.position, at)));
                        entries
                    }
                    _ => values.items(listed).into_iter().filter_map(|entry| pair(values, entry)).collect(),
                };
                if listed.is_list() {
                    entries.iter().for_each(|(id, _)| integer(*id));
                }
                systems.entries.insert(act.position, entries);
                let next = systems.snapshots.len();
                let system = *systems.by_name.entry(act.said("system")).or_insert(next);
                if system == next {
                    systems.snapshots.push((act.said("system"), Vec::new()));
                }
                systems.snapshots[system].1.push(act.position);
            } else {
                let fixes = changes(act);
                fixes.iter().for_each(|change| integer(change.id));
                for change in fixes.iter().filter(|_| act.may()) {
                    let touched = if act.ok() { &mut systems.done } else { &mut systems.open };
                    let entry = touched.entry((change.system, change.id)).or_default();
                    entry.by_began.push((act.began, act.ended, act.position));
                }
                systems.changes.insert(act.position, fixes);
            }
        }
        for (position, at) in keys {
            if let Some((id, _)) = systems.entries.get_mut(&position).and_then(|entries| entries.get_mut(at))
                && let Some(same) = values.as_str(*id).and_then(|text| whole.get(text))
            {
                *id = *same;
            }
        }
        systems.done.values_mut().chain(systems.open.values_mut()).for_each(Touched::index);
        if !systems.done.is_empty() {
            for (position, entries) in &systems.entries {
                for (id, value) in entries {
                    let cell = systems.cells.entry((*position, *id)).or_insert(Cell::Is(*value));
                    if *cell != Cell::Is(*value) {
                        *cell = Cell::Several;
                    }
                }
            }
        }
        systems
    }

    /// The system of this name that has a snapshot.
    pub(super) fn named(&self, values: &Values, name: &str) -> Option<Value> {
        let is =
            |system: Value| values.as_str(system).map_or_else(|| values.json(system, 200) == name, |text| text == name);
        self.snapshots.iter().map(|(system, _)| *system).find(|system| is(*system))
    }

    pub(super) fn changes_of(&self, repair: &Act<'_>) -> &[Change] {
        self.changes.get(&repair.position).map_or(&[], Vec::as_slice)
    }

    /// What a record shows that a system had under an id when `repair` ran, and that nobody else can have changed by then.
    /// `of`: which system, in a repair that changed several. `done`: only what certainly happened counts as a change.
    pub(super) fn known(
        &self,
        ledger: &Ledger<'_>,
        repair: &Act<'_>,
        (id, position): (Value, u32),
        of: &dyn Fn(Value) -> bool,
        done: bool,
    ) -> Result<Cell, &'static str> {
        let Some((_, act)) = ledger.find(position) else { return Err("is neither a snapshot nor a repair") };
        if act.f == "snapshot" {
            let system = act.said("system");
            if !of(system) {
                return Err("is of a system that does not show it");
            }
            self.from(repair, system, position)?;
            self.unchanged((system, id), position, repair, repair.position, done)?;
            return Ok(self.cells.get(&(position, id)).copied().unwrap_or(Cell::Nothing));
        }
        if !act.ok() || act.ended >= repair.began {
            return Err("is a repair that was not over before");
        }
        let Some(change) = self.changes_of(act).iter().rfind(|change| change.id == id && of(change.system)) else {
            return Err("did not change this entry of a system that shows it");
        };
        let at = self.by_name.get(&change.system).ok_or("is of a system that has no snapshot")?;
        let snapshots = &self.snapshots[*at].1;
        // Of the snapshots that may have been seen, the last that it came after.
        let before = snapshots.partition_point(|at| *at < repair.began).saturating_sub(1);
        let seen = snapshots.partition_point(|at| *at < act.ended).checked_sub(1).filter(|seen| *seen >= before);
        let seen =
            seen.and_then(|seen| snapshots.get(seen)).ok_or("comes before all snapshots that may have been seen")?;
        let entry = (change.system, id);
        self.unchanged(entry, act.ended, repair, position, done)?;
        if !done {
            let open = self.open.get(&entry);
            if open.is_some_and(|open| open.since(*seen, repair.ended, [repair.position; 2])) {
                return Err("may have been overtaken by a repair of which nobody knows whether it was done");
            }
        }
        Ok(Cell::left(change.to))
    }

    /// Whether a repair can have worked from this snapshot.
    fn from(&self, repair: &Act<'_>, system: Value, position: u32) -> Result<(), &'static str> {
        let snapshots = self.by_name.get(&system).map_or(&[][..], |at| &self.snapshots[*at].1);
        let before = snapshots.partition_point(|at| *at < repair.began);
        match position < repair.ended && snapshots.get(before.saturating_sub(1)).is_some_and(|last| *last <= position) {
            true => Ok(()),
            false => Err("is no snapshot that the repair can have worked from"),
        }
    }

    /// Whether nobody but these two repairs can have changed an entry since.
    fn unchanged(
        &self,
        entry: (Value, Value),
        since: u32,
        repair: &Act<'_>,
        other: u32,
        done: bool,
    ) -> Result<(), &'static str> {
        let but = [repair.position, other];
        // What certainly came first, if only that counts; else whatever began before the repair was over.
        let until = if done { repair.began } else { repair.ended };
        let touched =
            |by: &HashMap<(Value, Value), Touched>| by.get(&entry).is_some_and(|by| by.since(since, until, but));
        if touched(&self.done) || (!done && touched(&self.open)) {
            return Err("is not the last of the entry: another repair may have changed it since");
        }
        Ok(())
    }

    /// How many systems there are, and how many entries each has, where all have the same.
    pub(super) fn agree(&self) -> Result<(usize, usize), String> {
        let mut first: Option<HashMap<Value, Value>> = None;
        for (_, positions) in &self.snapshots {
            let Some(last) = positions.last() else { continue };
            let entries = self.entries.get(last).map_or(&[][..], Vec::as_slice);
            let mut ids: HashSet<Value> = HashSet::with_capacity(entries.len());
            let twice = entries.iter().any(|(id, _)| !ids.insert(*id));
            let same = |first: &HashMap<Value, Value>| {
                first.len() == entries.len() && entries.iter().all(|(id, value)| first.get(id) == Some(value))
            };
            if twice {
                return Err(format!("the snapshot at record {last} lists an entry twice"));
            }
            if !same(first.get_or_insert_with(|| entries.iter().copied().collect())) {
                return Err(format!("the snapshot at record {last} has other entries than that of another system"));
            }
        }
        Ok((self.snapshots.len(), first.map_or(0, |first| first.len())))
    }
}

fn pair(values: &Values, entry: Value) -> Option<(Value, Value)> {
    match values.items(entry)[..] {
        [id, value] => Some((id, value)),
        _ => None,
    }
}

/// What a repair says that it changed: by its answer, where that says it.
fn changes(act: &Act<'_>) -> Vec<Change> {
    let answer = if act.ok() { act.within(act.result, "fixes") } else { Value::NULL };
    let asked = if act.argument.is_null() { act.result } else { act.argument };
    let fixes = if answer.is_null() { act.within(asked, "fixes") } else { answer };
    act.items(fixes)
        .into_iter()
        .map(|fix| Change { system: act.within(fix, "system"), id: act.within(fix, "id"), to: act.within(fix, "to") })
        .collect()
}
