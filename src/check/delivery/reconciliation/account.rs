//! The accounts of systems that agree, for a certificate: each one's snapshots, and what each change of a repair rested on.

use super::repair::{Cell, Repairs};
use crate::budget::Meter;
use crate::certificate::{Account, Entry};
use crate::check::Settings;
use crate::check::delivery::policy;
use crate::guarantee::Guarantee;
use crate::history::{History, Value};
use crate::verdict::StoppedBy;
use crate::workload::WorkloadError;
use crate::workload::reconciliation::{Reconcile, Reconciliation};

/// Of each system, and of each repair; or why there is no account of some.
pub(in crate::check::delivery) fn accounts(
    history: &History,
    settings: &Settings<'_>,
) -> Result<Result<Vec<Account>, String>, WorkloadError> {
    let policy = policy::stated(history, settings.requirements, &[Guarantee::Reconciled])?;
    let read = Reconciliation::from_history(history)?;
    let values = history.values();
    let text = |system: &Value| values.as_str(*system).map_or_else(|| values.json(*system, 200), str::to_owned);
    let named = policy.word("authority").and_then(|name| read.systems.iter().position(|system| text(system) == name));
    let authority = named.and_then(|system| u32::try_from(system).ok());
    let mut accounts: Vec<Account> = read
        .systems
        .iter()
        .map(|system| Account { of: values.json(*system, usize::MAX), entries: Vec::new() })
        .collect();
    for snapshot in &read.snapshots {
        accounts[snapshot.system as usize].entries.push(Entry::plain(snapshot.fact.position));
    }
    accounts.retain(|account| !account.entries.is_empty());
    let repairs = Repairs::of(&read);
    let mut meter = settings.budget.meter();
    for (number, repair) in read.reconciles.iter().enumerate() {
        let at = history.op(repair.run.op).position();
        let mut entries = vec![Entry::plain(at)];
        if repair.run.is_ok() {
            match explained(history, (&read, &repairs), repair, authority, &mut meter) {
                Ok(Some(more)) => entries.extend(more),
                Ok(None) => return Ok(Err(format!("no two records alone explain the repair at record {at}"))),
                Err(_) => return Ok(Err("there are too many changes of one entry to explain each".to_owned())),
            }
        }
        accounts.push(Account { of: format!("repair {}", number + 1), entries });
    }
    Ok(Ok(accounts))
}

/// Of each change, in order, two records that show what it settled, and one of what the authority had.
fn explained(
    history: &History,
    (read, repairs): (&Reconciliation, &Repairs<'_>),
    repair: &Reconcile,
    authority: Option<u32>,
    meter: &mut Meter<'_>,
) -> Result<Option<Vec<Entry>>, StoppedBy> {
    let mut entries = Vec::new();
    for fix in &read.fixes[repair.fixes.clone()] {
        let own = repairs.shows(history, repair, (fix.system, fix.id), meter)?;
        let mut pair = None;
        for system in (0u32..).take(read.systems.len()).filter(|system| *system != fix.system) {
            let others = repairs.shows(history, repair, (system, fix.id), meter)?;
            let differs = |a: &(u32, Cell)| others.iter().find(|b| !a.1.agrees(b.1)).map(|b| (a.0, b.0));
            pair = own.iter().find_map(differs);
            if pair.is_some() {
                break;
            }
        }
        let Some((at, by)) = pair else { return Ok(None) };
        entries.push(Entry { by: Some(by), ..Entry::plain(at) });
        if let Some(authority) = authority {
            let right = repairs.shows(history, repair, (authority, fix.id), meter)?;
            let Some((at, _)) = right.iter().find(|(_, cell)| cell.agrees(Cell::Fixed(fix.to))) else {
                return Ok(None);
            };
            entries.push(Entry::plain(*at));
        }
    }
    Ok(Some(entries))
}
