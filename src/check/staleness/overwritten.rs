//! Which reads returned what had certainly been overwritten before they began, and by how many writes.
//!
//! A write *certainly overwrote* what a read returned where it began after that had taken effect, and had taken effect itself
//! before the read began; where the order of the versions is known, where it comes later in it and had taken effect before
//! the read began. Overlapping writes never count: whichever came last, the read may be right.
//!
//! Every finding is certain: with n such writes the history is not n-atomic, and with one that had taken effect d before the
//! read began it is not delta-atomic for any delta below d (Golab, Li and Shah 2011; Golab, Hurwitz and Li 2013). The converse
//! does not hold: a history can need a larger k or delta than any single read shows.
//!
//! Cost: n log n, of which the logarithm concerns writes, and stale reads.

use super::key::{KeyHistory, NEVER, NONE, Read, Write};

/// A read that returned what had been overwritten.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::check) struct Stale {
    /// The read, by its place in the key's reads.
    pub(in crate::check) read: u32,
    /// Of the writes that overwrote what it returned, the one that had taken effect first.
    pub(in crate::check) first: u32,
    /// How many there are.
    pub(in crate::check) versions: u32,
}

/// The stale reads of a key, in the order of its reads.
pub(in crate::check) fn stale(key: &KeyHistory) -> Vec<Stale> {
    match &key.order {
        Some(order) => in_known_order(key, order),
        None if key.contradictory => Vec::new(),
        None => by_position(key),
    }
}

/// The writes that certainly overwrote what a read returned, the first to take effect first; no more than `most`.
pub(in crate::check) fn overwriters(key: &KeyHistory, read: &Read, most: usize) -> Vec<u32> {
    let seen = key.seen(read);
    let place = key.order.as_ref().map(|order| Places::new(key, order));
    key.by_end
        .iter()
        .take_while(|write| key.writes[**write as usize].ended < read.began)
        .filter(|write| match &place {
            Some(places) => places.of[**write as usize] > places.of[read.write as usize],
            None => key.writes[**write as usize].began > seen.ended,
        })
        .take(most)
        .copied()
        .collect()
}

/// Where each write stands in a known order; those that it lacks come last.
struct Places {
    of: Vec<u32>,
}

impl Places {
    fn new(key: &KeyHistory, order: &[u32]) -> Places {
        let mut of = vec![NONE; key.writes.len()];
        (0..).zip(order).for_each(|(place, write)| of[*write as usize] = place);
        Places { of }
    }
}

fn in_known_order(key: &KeyHistory, order: &[u32]) -> Vec<Stale> {
    let places = Places::new(key, order);
    let ended = |write: u32| key.writes[write as usize].ended;
    // In a known order, ends go forward.
    let mut rest: Vec<u32> = (0..).take(key.writes.len()).filter(|write| places.of[*write as usize] == NONE).collect();
    rest.retain(|write| ended(*write) != NEVER);
    rest.sort_by_key(|write| ended(*write));
    let stale = (0..).zip(&key.reads).filter_map(|(at, read)| {
        let later = places.of[read.write as usize] as usize + 1;
        let ordered = order[later..].partition_point(|write| ended(*write) < read.began);
        let unordered = rest.partition_point(|write| ended(*write) < read.began);
        let first = if ordered > 0 { order.get(later) } else { rest.first() };
        let versions = u32::try_from(ordered + unordered).unwrap_or(u32::MAX);
        first.filter(|_| versions > 0).map(|first| Stale { read: at, first: *first, versions })
    });
    stale.collect()
}

/// For each write, the one of those that overwrote it whose end, as `end` has it, comes first; [`NONE`] where there is none.
pub(in crate::check) fn first_overwriters(key: &KeyHistory, end: impl Fn(&Write) -> u32) -> Vec<u32> {
    let writes = &key.writes;
    let ended = |write: u32| writes.get(write as usize).map_or(NEVER, &end);
    let earlier = |a: u32, b: u32| if ended(a) < ended(b) { a } else { b };
    match &key.order {
        None if key.contradictory => vec![NONE; writes.len()],
        None => {
            // Of all writes from this one on, in order of beginning, the first to end.
            let mut first_from = vec![NONE; writes.len() + 1];
            for at in (0..writes.len()).rev() {
                first_from[at] = earlier(u32::try_from(at).unwrap_or(NONE), first_from[at + 1]);
            }
            writes.iter().map(|write| first_from[after(key, write)]).collect()
        }
        Some(order) => {
            let places = Places::new(key, order);
            let rest = (0..).take(writes.len()).filter(|write| places.of[*write as usize] == NONE);
            let mut best = rest.fold(NONE, |best, write| earlier(write, best));
            let mut first = vec![NONE; writes.len()];
            for write in order.iter().rev() {
                first[*write as usize] = best;
                best = earlier(*write, best);
            }
            first
        }
    }
}

/// Where the writes begin that began after this one had taken effect.
fn after(key: &KeyHistory, write: &Write) -> usize {
    key.writes.partition_point(|other| other.began <= write.ended)
}

fn by_position(key: &KeyHistory) -> Vec<Stale> {
    let writes = &key.writes;
    let ended = |write: u32| writes.get(write as usize).map_or(NEVER, |write| write.ended);
    let first = first_overwriters(key, |write| write.ended);
    let mut stale: Vec<Stale> = (0..)
        .zip(&key.reads)
        .map(|(at, read)| Stale { read: at, first: first[read.write as usize], versions: 0 })
        .filter(|stale| ended(stale.first) < key.reads[stale.read as usize].began)
        .collect();
    // Counted with a Fenwick tree over the writes in order of beginning, which takes them in as they take effect.
    let mut tree = Fenwick::new(if stale.is_empty() { 0 } else { writes.len() });
    let mut taken = key.by_end.iter().peekable();
    for stale in &mut stale {
        let read = &key.reads[stale.read as usize];
        while let Some(write) = taken.next_if(|write| ended(**write) < read.began) {
            tree.add(*write as usize);
        }
        stale.versions = tree.from(after(key, key.seen(read)));
    }
    stale
}

/// Counts of elements by place.
struct Fenwick {
    sums: Vec<u32>,
    total: u32,
}

impl Fenwick {
    fn new(len: usize) -> Fenwick {
        Fenwick { sums: vec![0; len + 1], total: 0 }
    }

    fn add(&mut self, place: usize) {
        self.total += 1;
        let mut at = place + 1;
        while at < self.sums.len() {
            self.sums[at] += 1;
            at += at & at.wrapping_neg();
        }
    }

    /// How many are at this place or a later one.
    fn from(&self, place: usize) -> u32 {
        let (mut before, mut at) = (0, place);
        while at > 0 {
            before += self.sums[at];
            at -= at & at.wrapping_neg();
        }
        self.total - before
    }
}
