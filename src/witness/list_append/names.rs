//! The operations and the value that a claim names, for putting other names in their place.

use super::{Appearance, Claim, Dependency, Mop, Order, Why};
use crate::history::{OpId, Value};

impl Claim {
    /// Every operation that it names, wherever it does.
    pub(in crate::witness) fn operations_mut(&mut self) -> Vec<&mut OpId> {
        let mut all = Vec::new();
        match self {
            Claim::Cycle { steps, happened, .. } => {
                steps.iter_mut().for_each(|step| step.operations_mut(&mut all));
                happened.iter_mut().for_each(|shown| shown.operations_mut(&mut all));
            }
            Claim::EveryOrder { cycles, happened, .. } => {
                cycles.iter_mut().flatten().for_each(|step| step.operations_mut(&mut all));
                happened.iter_mut().for_each(|shown| shown.operations_mut(&mut all));
            }
            Claim::AbortedRead(shown) | Claim::FutureRead(shown) => shown.operations_mut(&mut all),
            Claim::IntermediateRead { shown, later: mop }
            | Claim::DirtyUpdate { aborted: shown, over: mop }
            | Claim::OutOfOrder { second: shown, first: mop } => {
                shown.operations_mut(&mut all);
                all.push(&mut mop.op);
            }
            Claim::Internal { read } | Claim::DuplicateElements { read, .. } | Claim::ThinAirRead { read, .. } => {
                all.push(&mut read.op);
            }
            Claim::IncompatibleReads { one, other } => all.extend([&mut one.op, &mut other.op]),
            Claim::LostUpdate { reads, appends } => all.extend(reads.iter_mut().chain(appends).map(|mop| &mut mop.op)),
        }
        all
    }

    /// The element that it names, where it names one that no micro-operation tells.
    pub(in crate::witness) fn value_mut(&mut self) -> Option<&mut Value> {
        match self {
            Claim::DuplicateElements { element, .. } | Claim::ThinAirRead { element, .. } => Some(element),
            _ => None,
        }
    }
}

impl Appearance {
    fn operations_mut<'a>(&'a mut self, all: &mut Vec<&'a mut OpId>) {
        all.extend([&mut self.append.op, &mut self.read.op]);
    }
}

impl Dependency {
    fn operations_mut<'a>(&'a mut self, all: &mut Vec<&'a mut OpId>) {
        all.extend([&mut self.from, &mut self.to]);
        let mut ordered = |first: &'a mut Mop, later: &'a mut Mop, order: &'a mut Order| {
            let (Order::Shown(read) | Order::Unobserved(read)) = order;
            all.extend([&mut first.op, &mut later.op, &mut read.op]);
        };
        match &mut self.why {
            Why::WriteWrite { earlier, later, order } => ordered(earlier, later, order),
            Why::ReadWrite { read, later, order } => ordered(read, later, order),
            Why::WriteRead(shown) => shown.operations_mut(all),
            Why::Supposed { earlier, later } => all.extend([&mut earlier.op, &mut later.op]),
            Why::Process | Why::Realtime => {}
        }
    }
}
