//! What a kind of object makes of its writes: which final values can both be right. A kind of object joins here.

use hashbrown::HashSet;

use super::finals::Final;
use crate::check::staleness::Observed;
use crate::check::staleness::key::KeyHistory;
use crate::history::Value;

/// A kind of object.
pub(in crate::check) trait Datatype: Sync {
    /// What a read returned, such that two reads that return the same have the same.
    fn shown(&self, observed: &Observed<'_>, row: u32) -> Value;

    /// Two final reads (by their places among `finals`) whose difference no write of unknown outcome explains. `open` says of
    /// a write whether it may have taken effect between final reads.
    fn contradiction(
        &self,
        observed: &Observed<'_>,
        key: &KeyHistory,
        finals: &[Final],
        open: &dyn Fn(u32) -> bool,
    ) -> Option<(usize, usize)>;

    /// Whether a value that was overwritten can come back; else what is missing is lost.
    fn values_return(&self) -> bool;
}

/// What writes of unknown outcome may have put there between final reads.
fn open_versions(key: &KeyHistory, open: &dyn Fn(u32) -> bool) -> HashSet<u32, foldhash::fast::RandomState> {
    (0..).zip(&key.writes).filter(|(at, _)| open(*at)).map(|(_, write)| write.version).collect()
}

/// A register holds one value: the last one written.
pub(in crate::check) struct Registers;

impl Datatype for Registers {
    fn shown(&self, observed: &Observed<'_>, row: u32) -> Value {
        let accesses = observed.accesses;
        accesses.version_value[accesses.version[row as usize] as usize]
    }

    /// A value that a write of unknown outcome put there may have come between two reads; two others can't both be last.
    fn contradiction(
        &self,
        _: &Observed<'_>,
        key: &KeyHistory,
        finals: &[Final],
        open: &dyn Fn(u32) -> bool,
    ) -> Option<(usize, usize)> {
        let version = |one: &Final| key.seen(&key.reads[one.read as usize]).version;
        let may_come = open_versions(key, open);
        let mut first: Option<(usize, Value)> = None;
        for (at, one) in finals.iter().enumerate().filter(|(_, one)| !may_come.contains(&version(one))) {
            match first {
                None => first = Some((at, one.value)),
                Some((known, value)) if value != one.value => return Some((known, at)),
                Some(_) => {}
            }
        }
        None
    }

    fn values_return(&self) -> bool {
        true
    }
}

/// A list grows at its end.
pub(in crate::check) struct Lists;

impl Datatype for Lists {
    fn shown(&self, observed: &Observed<'_>, row: u32) -> Value {
        let accesses = observed.accesses;
        let mop = accesses.operation(row).mops().get(accesses.mop[row as usize] as usize);
        mop.map(|mop| mop.value).filter(|list| !list.is_null()).unwrap_or(Value::EMPTY_LIST)
    }

    /// Of two lists, one has to be the beginning of the other, and what follows has to be appends of unknown outcome.
    fn contradiction(
        &self,
        observed: &Observed<'_>,
        key: &KeyHistory,
        finals: &[Final],
        open: &dyn Fn(u32) -> bool,
    ) -> Option<(usize, usize)> {
        let values = observed.accesses.history.values();
        let accesses = observed.accesses;
        let mut by_length: Vec<usize> = (0..finals.len()).collect();
        by_length.sort_by_key(|at| values.len(finals[*at].value));
        let may_come: HashSet<Value, foldhash::fast::RandomState> =
            open_versions(key, open).into_iter().map(|version| accesses.version_value[version as usize]).collect();
        by_length.windows(2).find_map(|pair| {
            let (short, mut list) = (finals[pair[0]].value, finals[pair[1]].value);
            while values.len(list) > values.len(short) {
                let (before, element) = values.split_last(list)?;
                if !may_come.contains(&element) {
                    return Some((pair[0], pair[1]));
                }
                list = before;
            }
            (list != short).then_some((pair[0], pair[1]))
        })
    }

    fn values_return(&self) -> bool {
        false
    }
}
