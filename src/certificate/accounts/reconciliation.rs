//! `reconciled`: of each system its snapshots, of each repair what it worked from.
//!
//! The systems are reconciled where their last snapshots list the same ids, each once, with the same values; and where every
//! change that a repair made had a difference to settle. That is shown by two records: what the system had, and what another
//! one had, neither of which anybody else may have changed until the repair was over. With an authority, a third record shows
//! that this one had what the change made of the entry.
//!
//! The account of a repair begins with the repair; then, for each of its changes in order, come an entry with these two
//! records (`at`, `by`), and where there is an authority one with the third.

mod read;

use super::ledger::{Act, Ledger, is_named, json, name};
use super::{Account, Entry, Shown};
use crate::contract::Policy;
use crate::history::{History, Value};

use read::{Change, Systems};

/// What a system has under an id.
#[derive(Clone, Copy, PartialEq)]
enum Cell {
    Nothing,
    Is(Value),
    /// Several values: that differs from everything.
    Several,
    /// What a repair left there, of which nobody knows whether null is an entry.
    Left,
}

impl Cell {
    /// What a repair leaves.
    fn left(to: Value) -> Cell {
        if to.is_null() { Cell::Left } else { Cell::Is(to) }
    }

    fn agrees(self, other: Cell) -> bool {
        match (self, other) {
            (Cell::Several, _) | (_, Cell::Several) => false,
            (Cell::Left, Cell::Is(value)) | (Cell::Is(value), Cell::Left) => value.is_null(),
            (Cell::Left, _) | (_, Cell::Left) => true,
            _ => self == other,
        }
    }
}

/// Whether the accounts show that the systems are reconciled.
pub(super) fn rule(history: &History, policy: &Policy, accounts: &[Account]) -> Result<Shown, String> {
    let mut ledger = Ledger::new(history, &["reconcile"], &["snapshot"])?;
    let systems = Systems::read(&ledger);
    let authority = policy.word("authority");
    let authority = match authority.map(|name| (systems.named(ledger.values, &name), name)) {
        None => None,
        Some((Some(system), _)) => Some(system),
        Some((None, name)) => return Err(format!("the authority {name:?} has no snapshot")),
    };
    let (mut fixes, mut repairs) = (0usize, 0usize);
    for account in accounts {
        let refuse = |why: &str| Err(format!("{} {why}", name(account)));
        let first = account.entries.first().and_then(|entry| ledger.find(entry.at)).map(|(_, act)| *act);
        match first {
            Some(act) if act.f == "reconcile" => {
                repairs += 1;
                is_named(account, &format!("repair {repairs}"))?;
                let own = Account { of: account.of.clone(), entries: account.entries[..1].to_vec() };
                ledger.take(&own, |_| false)?;
                match repair(&ledger, &systems, &act, &account.entries[1..], authority) {
                    Ok(count) => fixes += count,
                    Err(why) => return refuse(&why),
                }
            }
            Some(act) => {
                let system = act.said("system");
                is_named(account, &json(ledger.values, system))?;
                let acts = ledger.take(account, |_| false)?;
                if let Some(other) = acts.iter().find(|act| act.f != "snapshot" || act.said("system") != system) {
                    return refuse(&format!("record {} is no snapshot of this system", other.position));
                }
            }
            None => return refuse("it has no records"),
        }
    }
    ledger.complete(&["reconcile", "snapshot"])?;
    match systems.agree() {
        Ok((count, _)) if count < 2 => Ok(Shown::Nothing("fewer than two systems have a snapshot")),
        Ok((count, entries)) => Ok(Shown::All(format!(
            "the last snapshots of {count} systems have the same {entries} entries, and {fixes} changes by repairs each settled a \
             difference that had been seen"
        ))),
        Err(why) => Err(why),
    }
}

/// Whether every change of a repair had something to settle; and how many there were.
fn repair(
    ledger: &Ledger<'_>,
    systems: &Systems,
    repair: &Act<'_>,
    entries: &[Entry],
    authority: Option<Value>,
) -> Result<usize, String> {
    let changes = systems.changes_of(repair);
    if !repair.ok() {
        return if entries.is_empty() {
            Ok(0)
        } else {
            Err("it did nothing for certain that has to be explained".to_owned())
        };
    }
    let mut entries = entries.iter();
    for (at, change) in changes.iter().enumerate() {
        let refuse = |why: &str| Err(format!("change {}: {why}", at + 1));
        let Some((entry, by)) = entries.next().and_then(|entry| Some((entry, entry.by?))) else {
            return refuse("two records have to show what differed");
        };
        let own = systems.known(ledger, repair, (change.id, entry.at), &|system| system == change.system, false);
        let other = systems.known(ledger, repair, (change.id, by), &|system| system != change.system, false);
        let (own, other) = match (own, other) {
            (Ok(own), Ok(other)) => (own, other),
            (Err(why), _) => return refuse(&format!("record {} {why}", entry.at)),
            (_, Err(why)) => return refuse(&format!("record {by} {why}")),
        };
        if own.agrees(other) {
            return refuse(&format!("nothing differed between records {} and {by}", entry.at));
        }
        if let Some(authority) = authority {
            right(ledger, systems, repair, change, entries.next(), authority)
                .map_err(|why| format!("change {}: {why}", at + 1))?;
        }
    }
    match entries.next() {
        None => Ok(changes.len()),
        Some(entry) => Err(format!("record {} explains no change of it", entry.at)),
    }
}

/// Whether a change follows the authority, which it leaves alone.
fn right(
    ledger: &Ledger<'_>,
    systems: &Systems,
    repair: &Act<'_>,
    change: &Change,
    entry: Option<&Entry>,
    authority: Value,
) -> Result<(), String> {
    if change.system == authority {
        return Err("it changes the authority".to_owned());
    }
    let Some(entry) = entry else { return Err("a record has to show what the authority had".to_owned()) };
    let cell = systems
        .known(ledger, repair, (change.id, entry.at), &|system| system == authority, true)
        .map_err(|why| format!("record {} {why}", entry.at))?;
    match cell.agrees(Cell::left(change.to)) {
        true => Ok(()),
        false => Err(format!("record {} does not show that the authority had it so", entry.at)),
    }
}
