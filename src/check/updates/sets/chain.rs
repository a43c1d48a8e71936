//! Whether a set that only grows is linearizable.
//!
//! What reads show has to be a chain: of two reads, one shows all that the other shows. So reads that show the same stand
//! together, in slots in order of what they show; the first addition of an element stands in the slot before the first reads that
//! show it, and further ones anywhere after that. An order of the slots that contains real time exists exactly when nothing in a
//! later slot was over before something in an earlier one began: then each operation takes effect at its own beginning, or as late
//! as the latest beginning in the slots before it, which is within its time, and that is an order.
//!
//! Of several additions of an element, the one that began first is taken to be the first: all of them come after the reads that
//! lack the element, and none asks less of what comes later. An addition of unknown outcome that nobody saw is left out.
//!
//! Exact for reads of the whole set and additions. Cost: linear in what reads list, and a sort of the reads.

use super::{Fault, Sets, search};
use crate::budget::Meter;
use crate::check::updates::Order;
use crate::history::Status;
use crate::workload::updates::NONE;

/// Decides a set of whose reads none is untimely.
pub(super) fn order(sets: &Sets<'_>, meter: &mut Meter<'_>) -> Order<Fault> {
    let set = sets.set;
    let plain = sets.removed().next().is_none()
        && set.reads.iter().all(|read| read.asked == NONE)
        && set.updates.iter().all(|update| update.changed.is_none());
    if !plain {
        return search::order(sets, meter);
    }
    let shown = |read: u32| set.shown(sets.reading(read));
    let mut reads: Vec<u32> = (0u32..).take(set.reads.len()).collect();
    reads.sort_by_key(|read| (shown(*read).len(), *read));
    // By element, the slot of its first addition; by read, its slot.
    let slots = u32::try_from(reads.len()).unwrap_or(NONE);
    let mut first_slot = vec![2 * slots + 1; sets.elements.len()];
    let mut events: Vec<Event> = Vec::with_capacity(reads.len() + set.updates.len());
    let mut group = 0;
    for (at, read) in reads.iter().copied().enumerate() {
        let before = at.checked_sub(1).map(|before| reads[before]);
        let known = before.map_or(&[][..], shown);
        if before.is_none() || known != shown(read) {
            group += 1;
            if let (Some(before), Some(lost), Some(new)) =
                (before, lacking(known, shown(read)), lacking(shown(read), known))
            {
                return Order::None(Fault::Fork { reads: [before, read], elements: [lost, new] });
            }
            for element in shown(read).iter().filter(|element| known.binary_search(element).is_err()) {
                first_slot[*element as usize] = 2 * group - 1;
            }
        }
        events.push(Event { slot: 2 * group, act: Some(read), add: NONE, first: true });
    }
    for (element, slot) in sets.elements.iter().zip(&first_slot) {
        let first = element.adds.iter().copied().min_by_key(|add| sets.act(*add).began);
        for add in element.adds.iter().copied() {
            let seen = *slot <= 2 * group;
            if sets.act(add).status == Status::Ok || seen && Some(add) == first {
                events.push(Event { slot: *slot, act: None, add, first: seen && Some(add) == first });
            }
        }
    }
    events.sort_by_key(|event| event.slot);
    let act = |event: &Event| event.act.map_or_else(|| *sets.act(event.add), |read| sets.reading(read).act);
    // The latest beginning in the slots before.
    let mut latest: Option<&Event> = None;
    for slot in events.chunk_by(|a, b| a.slot == b.slot) {
        if let Some(earlier) = latest
            && let Some(later) = slot.iter().find(|event| act(event).precedes(&act(earlier)))
        {
            return Order::None(overtaken(sets, earlier, later, &events));
        }
        let own = slot.iter().filter(|event| event.first).max_by_key(|event| act(event).began);
        latest = latest.into_iter().chain(own).max_by_key(|event| act(event).began);
    }
    Order::Found
}

/// A read, or an addition.
struct Event {
    slot: u32,
    act: Option<u32>,
    add: u32,
    /// Whether it stands in its slot, and not anywhere after it.
    first: bool,
}

/// An element of the one that the other lacks.
fn lacking(some: &[u32], other: &[u32]) -> Option<u32> {
    some.iter().copied().find(|element| other.binary_search(element).is_err())
}

/// The addition that was over when another began, and a read that shows only that other. (Where one of the two is a read, it
/// is untimely.)
fn overtaken(sets: &Sets<'_>, earlier: &Event, later: &Event, events: &[Event]) -> Fault {
    let read = events.iter().find(|event| event.act.is_some() && event.slot > earlier.slot && event.slot < later.slot);
    match (earlier.act, later.act, read.and_then(|event| event.act)) {
        (None, None, Some(read)) => Fault::Overtaken { first: later.add, then: earlier.add, read },
        (Some(read), None, _) => Fault::Missed { read, update: later.add, shown_by: NONE },
        (None, Some(read), _) => Fault::Early { read, update: earlier.add },
        (Some(read), Some(shown_by), _) => {
            let element = lacking(sets.set.shown(sets.reading(shown_by)), sets.set.shown(sets.reading(read)));
            let adds = element.map_or(&[][..], |element| &sets.elements[element as usize].adds);
            Fault::Missed { read, update: adds.first().copied().unwrap_or(0), shown_by }
        }
        (None, None, None) => Fault::Early { read: 0, update: earlier.add },
    }
}
