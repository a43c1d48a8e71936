//! A stale read as a witness that a person can read: the read, what it saw, and who had overwritten that.

use super::figures::KeyFigures;
use super::key::{KeyHistory, NONE, Write};
use super::overwritten::{Stale, overwriters};
use super::{Observed, Place};
use crate::check::deeds;
use crate::guarantee::Anomaly;
use crate::history::OpId;
use crate::witness::claim::Claim;
use crate::witness::objects::Cast;
use crate::witness::recheck::staleness;
use crate::witness::{Minimality, Witness};

/// How many overwriters are named at most; the text says how many there are.
const MOST_NAMED: u32 = 16;

/// The witness of a stale read, with as many of the writes that overwrote what it returned as the claim needs: one for its
/// age, one more than a bound in versions.
pub(super) fn witness(observed: &Observed<'_>, keys: &[KeyFigures], place: Place, needed: u32) -> Witness {
    let (key, figures) = (&observed.keys[place.key], &keys[place.key]);
    let stale = figures.stale[place.at];
    let age = figures.ages.get(place.at).copied();
    Story { observed, key, stale, age, needed }.tell(place)
}

struct Story<'a> {
    observed: &'a Observed<'a>,
    key: &'a KeyHistory,
    stale: Stale,
    age: Option<i64>,
    needed: u32,
}

impl Story<'_> {
    fn op(&self, row: u32) -> OpId {
        self.observed.accesses.op[row as usize]
    }

    fn tell(&self, place: Place) -> Witness {
        let (accesses, key) = (self.observed.accesses, self.key);
        let read = &key.reads[self.stale.read as usize];
        let seen = key.seen(read);
        let first = &key.writes[self.stale.first as usize];
        let mut named = overwriters(key, read, self.needed.min(MOST_NAMED) as usize);
        named.retain(|write| *write != self.stale.first);
        named.truncate((self.needed.min(MOST_NAMED) as usize).saturating_sub(1));
        let named: Vec<&Write> = named.iter().map(|write| &key.writes[*write as usize]).collect();
        let mut rows = vec![seen.row, seen.shown_by, first.row, first.shown_by];
        rows.extend(named.iter().flat_map(|write| [write.row, write.shown_by]));
        rows.push(read.row);
        rows.retain(|row| *row != NONE);
        rows.sort_by_key(|row| (accesses.began(*row as usize), *row));
        rows.dedup();
        // One operation can be here with several of its accesses.
        let mut cast: Vec<u32> = Vec::new();
        for row in rows {
            if !cast.iter().any(|other| self.op(*other) == self.op(row)) {
                cast.push(row);
            }
        }
        let deeds = cast.iter().map(|row| (self.op(*row), deeds::deed(accesses, *row))).collect();
        let mut cast = Cast::new(accesses.history, accesses.keys[place.key], deeds);
        let reader = self.op(read.row);
        if seen.row != NONE {
            cast.saw(self.op(seen.row), reader);
        }
        for write in std::iter::once(first).chain(named) {
            // Where the order of versions is known, that and not real time says which is newer.
            if seen.shown_by != NONE && key.order.is_none() && self.op(seen.shown_by) != self.op(write.row) {
                cast.before(self.op(seen.shown_by), self.op(write.row));
            }
            if write.shown_by != write.row {
                cast.saw(self.op(write.row), self.op(write.shown_by));
            }
            cast.before(self.op(write.shown_by), reader);
        }
        let returned = deeds::value(accesses, read.row);
        let (reader_name, first_name) = (cast.name(reader).to_owned(), cast.name(self.op(first.row)).to_owned());
        let since = match self.age {
            Some(age) => format!("at least {} before it began", deeds::duration(age)),
            None => "before it began".to_owned(),
        };
        let missed = match self.stale.versions {
            1 => "it missed one version".to_owned(),
            versions => format!("it missed {versions} versions"),
        };
        let because = format!("{reader_name} returned {returned}, which {first_name} had replaced {since}; {missed}");
        cast.step(self.op(first.row), reader, "stale", because);
        let claim = Claim::Stale(staleness::Claim {
            read: reader,
            mop: accesses.mop[read.row as usize] as usize,
            age_ns: self.age,
            versions: self.stale.versions,
            missed: None,
        });
        let meaning = "Whoever read this acted on data that was no longer true, and was not told so.";
        let minimality = if self.needed > MOST_NAMED { Minimality::Bounded } else { Minimality::Minimum };
        cast.witness(meaning, minimality, false).claiming(accesses.history, Anomaly::StaleRead, true, &claim)
    }
}
