//! What is claimed of reads and writes in sessions, precisely enough that `recheck` can confirm it from the history alone.
//!
//! A claim is a circle of *links*: each says that one write has to come before another, and why. Where a circle ends at the
//! initial version of a key, before which nothing comes, one link is enough.

mod words;

pub use words::witness;

use serde::{Deserialize, Serialize};

use crate::guarantee::Anomaly;
use crate::history::OpId;

/// An access: which one of which operation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Access {
    /// The operation.
    pub op: OpId,
    /// Its place among the operation's micro-operations, from 0; of a `cas`, 0 is the read and 1 the write.
    pub mop: u32,
}

/// How one access leads to the next.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Hop {
    /// It is earlier in the same session.
    Session,
    /// The next one, a read, shows what it wrote.
    Shows,
    /// It is a read, and the next one a read at the same server that began after it had ended.
    Server,
    /// The premise of this number says that the next one, a write, comes after it.
    Premise(usize),
}

/// Why a write comes before another.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Why {
    /// One session made both, in this order.
    Wrote,
    /// This read, in the session of the later write and before it, shows the earlier one.
    Read(Access),
    /// The history itself says that the later one replaced the earlier one: lists that were read, or compare-and-sets.
    Replaced,
    /// A read that shows the later one had to see the earlier one, by these hops; the last leads to the read.
    Seen(Vec<(Hop, Access)>),
    /// `first` shows the earlier one; `last`, that read or one after it in its session, shows what the later one replaced.
    Missed {
        /// A read.
        first: Access,
        /// A read.
        last: Access,
        /// The write that `last` shows; nothing for the initial value.
        over: Option<Access>,
    },
    /// The later one is a compare-and-set, which reads before it writes; this read, its own or one before it in its session, shows the
    /// earlier one.
    Within(Access),
}

/// A write comes before another.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// The earlier write.
    pub from: Access,
    /// The later one; nothing for the initial version of the key that `from` wrote.
    pub to: Option<Access>,
    /// Why.
    pub why: Why,
}

/// What a witness claims: links that lead back to where they began, or to an initial version.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// What it is.
    pub anomaly: Anomaly,
    /// Links on which others rest ([`Hop::Premise`]), each on earlier ones only.
    pub premises: Vec<Link>,
    /// The circle.
    pub circle: Vec<Link>,
}

impl Claim {
    /// All links, the premises first.
    pub fn links(&self) -> impl Iterator<Item = &Link> {
        self.premises.iter().chain(&self.circle)
    }

    /// The accesses that it names, in order of their operations, each once.
    #[must_use]
    pub fn accesses(&self) -> Vec<Access> {
        let mut all: Vec<Access> = Vec::new();
        for link in self.links() {
            all.push(link.from);
            all.extend(link.to);
            match &link.why {
                Why::Read(by) | Why::Within(by) => all.push(*by),
                Why::Missed { first, last, over } => {
                    all.extend([*first, *last]);
                    all.extend(over);
                }
                Why::Seen(hops) => all.extend(hops.iter().map(|hop| hop.1)),
                Why::Wrote | Why::Replaced => {}
            }
        }
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Every operation that it names, wherever it does, for putting another name in its place.
    pub(in crate::witness) fn operations_mut(&mut self) -> Vec<&mut OpId> {
        let mut all: Vec<&mut OpId> = Vec::new();
        for link in self.premises.iter_mut().chain(&mut self.circle) {
            all.push(&mut link.from.op);
            all.extend(link.to.as_mut().map(|to| &mut to.op));
            match &mut link.why {
                Why::Read(by) | Why::Within(by) => all.push(&mut by.op),
                Why::Missed { first, last, over } => {
                    all.extend([&mut first.op, &mut last.op]);
                    all.extend(over.as_mut().map(|over| &mut over.op));
                }
                Why::Seen(hops) => all.extend(hops.iter_mut().map(|hop| &mut hop.1.op)),
                Why::Wrote | Why::Replaced => {}
            }
        }
        all
    }
}
