//! Confirms findings about systems that should agree from the history alone: the snapshots and repairs of one entry are read
//! once more.
//!
//! Cost: a scan of the history for each witness, and pairs of the snapshots and fixes of one entry.

use crate::guarantee::Anomaly;
use crate::history::{History, Status, Value};
use crate::witness::accounts::Reason;
use crate::witness::claim::Account;
use crate::witness::recheck::facts::facts;

/// A system's values under the entry's id, at a position.
struct Shot {
    system: Value,
    position: u32,
    found: Vec<Value>,
}

/// A change of the entry.
struct Fix {
    system: Value,
    to: Value,
    /// The position by which the repair is named.
    at: u32,
    began: u32,
    ended: u32,
    status: Status,
}

/// What may be under the id: values, and whether null may be an entry or none.
type Content = (Vec<Value>, bool);

fn agree(a: &Content, b: &Content) -> bool {
    let nothing = |one: &Content| one.0.iter().all(|value| value.is_null());
    if a.1 || b.1 {
        return (nothing(a) && nothing(b)) || a.0 == b.0;
    }
    a.0 == b.0
}

/// Whether the history has this, of this entry and for this reason, and the witness names the records that show it.
#[must_use]
pub fn confirms(
    history: &History,
    authority: Option<&str>,
    anomaly: Anomaly,
    certain: bool,
    account: &Account,
) -> bool {
    let (id, operations, why) = (account.subject, &account.records[..], account.why);
    let values = history.values();
    let is_id = |one: Value| {
        one == id || values.as_int(id).is_some_and(|whole| values.as_str(one) == Some(whole.to_string().as_str()))
    };
    let get = |map: Value, name: &str| values.get(map, name).unwrap_or(Value::NULL);
    let shots: Vec<Shot> = facts(history, &["snapshot"])
        .into_iter()
        .map(|(_, fact)| {
            let entries = get(fact.value, "entries");
            let pairs: Vec<(Value, Value)> = if entries.is_list() {
                let items = values.items(entries).into_iter().map(|pair| values.items(pair));
                items.filter_map(|pair| Some((*pair.first()?, *pair.get(1)?))).collect()
            } else {
                values.entries(entries).collect()
            };
            let found = pairs.into_iter().filter(|(one, _)| is_id(*one)).map(|(_, value)| value).collect();
            Shot { system: get(fact.value, "system"), position: fact.position, found }
        })
        .collect();
    let mut fixes: Vec<Fix> = Vec::new();
    // Every system that a repair names, done or not.
    let repairs = history.ops().filter(|op| values.as_str(op.f()) == Some("reconcile"));
    let lists = repairs.flat_map(|op| [op.argument(), op.result()]).map(|value| get(value, "fixes"));
    let changed: Vec<Value> = lists.flat_map(|list| values.items(list)).map(|fix| get(fix, "system")).collect();
    for op in history.ops().filter(|op| values.as_str(op.f()) == Some("reconcile") && op.status() != Status::Fail) {
        let listed = [op.result(), op.argument()].map(|value| get(value, "fixes"));
        let listed = if op.status() == Status::Ok && !listed[0].is_null() { listed[0] } else { listed[1] };
        let listed = if listed.is_null() && op.invoked().is_none() { get(op.result(), "fixes") } else { listed };
        for fix in values.items(listed).into_iter().filter(|fix| is_id(get(*fix, "id"))) {
            fixes.push(Fix {
                system: get(fix, "system"),
                to: get(fix, "to"),
                at: op.position(),
                began: op.began(),
                ended: op.completed().unwrap_or(u32::MAX),
                status: op.status(),
            });
        }
    }
    let mut systems: Vec<Value> = shots.iter().map(|shot| shot.system).collect();
    systems.sort_unstable();
    systems.dedup();
    let named = |position: u32| operations.contains(&position);
    let last = |system: Value| shots.iter().rev().find(|shot| shot.system == system);
    let distinct = |found: &[Value]| {
        let mut found = found.to_vec();
        found.sort_unstable();
        found.dedup();
        found
    };
    // In the end: the last snapshots, with what later repairs would have left.
    let settled = || {
        let ends: Vec<Content> = systems
            .iter()
            .filter_map(|system| {
                let shot = last(*system)?;
                let later = fixes.iter().filter(|fix| fix.system == *system && fix.ended > shot.position);
                let later = later.max_by_key(|fix| fix.ended);
                Some(later.map_or((distinct(&shot.found), false), |fix| (vec![fix.to], true)))
            })
            .collect();
        let several = ends.iter().any(|end| end.0.len() > 1);
        !several && ends.iter().all(|a| ends.iter().all(|b| agree(a, b)))
    };
    let told = || systems.iter().filter_map(|system| last(*system)).filter(|shot| named(shot.position));
    let seen = Seen { shots: &shots, fixes: &fixes, systems: &systems };
    match anomaly {
        Anomaly::MissingEntry => {
            told().any(|shot| shot.found.is_empty())
                && told().any(|shot| !shot.found.is_empty())
                && settled() != certain
                && why.is_none()
        }
        Anomaly::EntryMismatch => {
            let full = || told().filter(|shot| !shot.found.is_empty());
            let apart = full().any(|a| full().any(|b| distinct(&a.found) != distinct(&b.found)));
            apart && settled() != certain && why.is_none()
        }
        Anomaly::DuplicateEntry => {
            told().any(|shot| shot.found.len() > 1) && (systems.len() > 1) == certain && why.is_none()
        }
        Anomaly::OverCorrection | Anomaly::RepeatedRepair => {
            fixes.iter().filter(|fix| named(fix.at) && fix.status == Status::Ok).any(|fix| {
                let (without, with) = (seen.differ(fix, Some(false)), seen.differ(fix, Some(true)));
                let wrong = without == Some(false) && with == Some(false);
                let fine = without == Some(true) && with == Some(true);
                let raw = seen.differ(fix, None);
                let reason = why == Some(Reason::Unseen).filter(|_| raw.is_none());
                let class = (raw == Some(true)) == (anomaly == Anomaly::RepeatedRepair);
                class && reason && if certain { wrong } else { !wrong && !fine }
            })
        }
        Anomaly::AuthorityOverruled => {
            let name = |system: Value| values.as_str(system).map_or_else(|| values.json(system, 200), str::to_owned);
            let right = |system: Value| authority == Some(name(system).as_str());
            fixes.iter().filter(|fix| named(fix.at) && fix.status == Status::Ok).any(|fix| {
                let of = systems.iter().copied().find(|system| right(*system));
                let contents = of.map_or_else(Vec::new, |system| seen.contents(fix, system, Some(false)));
                let kept = contents.iter().any(|content| agree(content, &(vec![fix.to], true)));
                if right(fix.system) {
                    return certain && why == Some(Reason::Authority);
                }
                let known = systems.iter().chain(&changed).any(|system| right(*system));
                known && !kept && contents.is_empty() != certain && why == Some(Reason::OtherSystem)
            })
        }
        _ => false,
    }
}

/// What repairs can have worked from.
struct Seen<'a> {
    shots: &'a [Shot],
    fixes: &'a [Fix],
    systems: &'a [Value],
}

impl Seen<'_> {
    /// What a system may have had under the id when this fix was made; `open`: whether repairs of unknown outcome or order are
    /// taken for done; without it, as if nobody had repaired anything.
    fn contents(&self, fix: &Fix, system: Value, open: Option<bool>) -> Vec<Content> {
        let of = || self.shots.iter().filter(|shot| shot.system == system);
        let before = of().filter(|shot| shot.position < fix.began).map(|shot| shot.position).max();
        let mut contents = Vec::new();
        for shot in of().filter(|shot| shot.position < fix.ended && before.is_none_or(|before| shot.position >= before))
        {
            let mut content = (shot.found.clone(), false);
            content.0.sort_unstable();
            content.0.dedup();
            let since: Vec<&Fix> = self
                .fixes
                .iter()
                .filter(|one| one.system == system && one.at != fix.at)
                .filter(|one| open.is_some() && one.ended >= shot.position && one.began <= fix.ended)
                .collect();
            let over = |one: &&&Fix| one.status == Status::Ok && one.ended < fix.began;
            if let Some(done) = since.iter().filter(over).max_by_key(|one| one.ended) {
                content = (vec![done.to], true);
            }
            let unsure: Vec<Content> = since.iter().filter(|one| !over(one)).map(|one| (vec![one.to], true)).collect();
            if open == Some(true) && !unsure.is_empty() {
                contents.extend(unsure);
            } else {
                contents.push(content);
            }
        }
        contents
    }

    fn differ(&self, fix: &Fix, open: Option<bool>) -> Option<bool> {
        let own = self.contents(fix, fix.system, open);
        let others: Vec<Content> = self
            .systems
            .iter()
            .filter(|system| **system != fix.system)
            .flat_map(|system| self.contents(fix, *system, open))
            .collect();
        let several = |content: &Content| content.0.len() > 1;
        let apart = |a: &Content, b: &Content| several(a) || several(b) || !agree(a, b);
        if own.iter().any(|a| others.iter().any(|b| apart(a, b))) {
            return Some(true);
        }
        (!own.is_empty() && !others.is_empty()).then_some(false)
    }
}
