//! How long it took until the servers showed what they show in the end.
//!
//! From a key's last acknowledged write: `time_ns` is until the last read that showed something else began (it had not
//! converged by then), `within_ns` until the first read after that which showed the final value had ended (it had by then).
//! The truth lies between. Only keys whose final reads agree count. Cost: linear.

use super::datatype::Datatype;
use super::finals::{Finals, quiet};
use crate::check::staleness::Observed;
use crate::check::staleness::clock::between;
use crate::verdict::Figures;

/// How many servers are listed one by one.
const MOST_LISTED: usize = 32;

#[derive(Clone, Copy, Default)]
struct Span {
    time_ns: i64,
    within_ns: i64,
}

impl Span {
    fn and(&mut self, other: Span) {
        self.time_ns = self.time_ns.max(other.time_ns);
        self.within_ns = self.within_ns.max(other.within_ns);
    }

    fn figures(self) -> Figures {
        let mut figures = Figures::new();
        figures.insert("time_ns".to_owned(), self.time_ns.into());
        figures.insert("within_ns".to_owned(), self.within_ns.into());
        figures
    }
}

/// `measures.convergence`; none without a clock, or where no key was read in the end.
pub(super) fn measures(observed: &Observed<'_>, datatype: &dyn Datatype, finals: &Finals) -> Option<Figures> {
    let clock = observed.clock.as_ref()?;
    let accesses = observed.accesses;
    let nodes = accesses.nodes.len();
    let mut spans: Vec<Option<Span>> = vec![None; nodes + 1];
    let (mut converged, mut diverged) = (0_u64, 0_u64);
    for (number, key) in observed.keys.iter().enumerate() {
        let shown = finals.shown(observed, datatype, number);
        let Some(first) = shown.first() else { continue };
        if shown.iter().any(|one| one.value != first.value) {
            diverged += 1;
            continue;
        }
        converged += 1;
        let quiet = quiet(key);
        // By node: when the last read that showed something else began, and the first after it that didn't ended.
        let mut last: Vec<(i64, Option<u32>)> = vec![(0, None); nodes + 1];
        for read in &key.reads {
            let slot = accesses.node_of(read.row).map_or(nodes, |node| node as usize);
            let since =
                || if quiet == 0 { 0 } else { between(clock.end(quiet), clock.begin(read.began, read.invoked)) };
            if datatype.shown(observed, read.row) == first.value {
                let end = last[slot].1.map_or(read.ended, |end| end.min(read.ended));
                last[slot].1 = Some(end);
            } else {
                last[slot] = (if read.began > quiet { since() } else { 0 }, None);
            }
        }
        for (span, (time_ns, end)) in spans.iter_mut().zip(last) {
            // A server that was not read in the end says nothing of it.
            let Some(end) = end else { continue };
            let within_ns = if quiet > 0 && end > quiet { between(clock.end(quiet), clock.end(end)) } else { 0 };
            span.get_or_insert_default().and(Span { time_ns, within_ns: within_ns.max(time_ns) });
        }
    }
    if converged + diverged == 0 {
        return None;
    }
    let mut all = Span::default();
    spans.iter().flatten().for_each(|span| all.and(*span));
    let mut figures = Figures::new();
    if diverged == 0 {
        figures.extend(all.figures());
    } else {
        figures.insert("time_ns".to_owned(), serde_json::Value::Null);
        figures.insert("within_ns".to_owned(), serde_json::Value::Null);
    }
    figures.insert("converged_keys".to_owned(), converged.into());
    figures.insert("diverged_keys".to_owned(), diverged.into());
    let name = |slot: usize| accesses.nodes.get(slot).map(|node| observed.name(*node));
    let named = spans.iter().enumerate().filter_map(|(slot, span)| Some((name(slot)?, (*span)?.figures().into())));
    let by_node: Figures = named.take(MOST_LISTED).collect();
    if !by_node.is_empty() {
        figures.insert("by_node".to_owned(), by_node.into());
    }
    Some(figures)
}
