//! A stale read as a claim: which of the writes that overwrote what it returned are named.

use super::figures::KeyFigures;
use super::overwritten::overwriters;
use super::{Observed, Place};
use crate::check::deeds::access;
use crate::guarantee::Anomaly;
use crate::witness::staleness::{Claim, Says, witness as told};
use crate::witness::{Minimality, Witness};

/// How many overwriters are named at most; the text says how many there are.
const MOST_NAMED: u32 = 16;

/// The witness of a stale read, with as many of the writes that overwrote what it returned as the claim needs: one for its
/// age, one more than a bound in versions.
pub(super) fn witness(observed: &Observed<'_>, keys: &[KeyFigures], place: Place, needed: u32) -> Witness {
    let (key, figures, accesses) = (&observed.keys[place.key], &keys[place.key], observed.accesses);
    let stale = figures.stale[place.at];
    let read = &key.reads[stale.read as usize];
    let most = needed.clamp(1, MOST_NAMED) as usize;
    let more = overwriters(key, read, most).into_iter().filter(|write| *write != stale.first);
    let missed = std::iter::once(stale.first).chain(more).take(most);
    let claim = Claim {
        read: access(accesses, read.row),
        missed: missed.map(|write| access(accesses, key.writes[write as usize].row)).collect(),
        says: Says::Overwritten { versions: stale.versions, age_ns: figures.ages.get(place.at).copied() },
    };
    let minimality = if needed > MOST_NAMED { Minimality::Bounded } else { Minimality::Minimum };
    told(accesses.history, Anomaly::StaleRead, &claim, minimality)
}
