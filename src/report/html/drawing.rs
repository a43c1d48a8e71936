//! What the time line of a page draws: a history's operations as columns of numbers, and its texts once each.
//!
//! All operations of a history of up to `MOST`; of a longer one those around its witnesses, evenly. Processes that were
//! never active at one time share a lane where there are many: a harness that gives every crashed client a new name would
//! otherwise need thousands. Cost: linear, but for the sorting of names.

use hashbrown::{HashMap, HashSet};
use serde::Serialize;

use super::super::operation::{self, Relevant};
use super::super::text::{clean, shorten};
use crate::history::{History, OpId, Operation, Status, Value};

/// A page draws no more operations than this.
pub(super) const MOST: usize = 100_000;
/// With more processes than this, lanes are shared.
const OWN_LANES: usize = 64;
/// A page shows no more records of observers than this.
const MOST_SEEN: usize = 5_000;
/// A page shows no more faults than this.
const MOST_BANDS: usize = 200;

type Seeded<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

/// The columns, one entry an operation, in order of invocation. Positions are -1 where there is none; times are
/// nanoseconds since the first.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Drawing {
    total: usize,
    /// Whether every operation has a place in time.
    timed: bool,
    end: u32,
    end_ns: i64,
    lanes: Vec<String>,
    processes: Vec<String>,
    functions: Vec<String>,
    keys: Vec<String>,
    nodes: Vec<String>,
    lane: Vec<u32>,
    process: Vec<u32>,
    function: Vec<u32>,
    node: Vec<i64>,
    key: Vec<Vec<u32>>,
    /// A letter an operation: `o`, `f` or `i`.
    status: String,
    invoked: Vec<i64>,
    completed: Vec<i64>,
    invoked_ns: Vec<i64>,
    completed_ns: Vec<i64>,
    text: Vec<String>,
    seen: Vec<Seen>,
    bands: Vec<Band>,
    /// What is not drawn.
    gaps: Vec<Band>,
    /// The time of the first, on the history's clock.
    #[serde(skip)]
    zero: i64,
    #[serde(skip)]
    around: bool,
}

/// What an observer saw.
#[derive(Clone, Debug, Serialize)]
struct Seen {
    at: u32,
    ns: i64,
    who: String,
    text: String,
}

/// While a fault lasted.
#[derive(Clone, Debug, Serialize)]
struct Band {
    name: String,
    from: u32,
    to: u32,
    from_ns: i64,
    to_ns: i64,
}

impl Drawing {
    /// How many operations are drawn.
    #[must_use]
    pub fn len(&self) -> usize {
        self.process.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.process.is_empty()
    }

    /// How many the history has.
    #[must_use]
    pub fn total(&self) -> usize {
        self.total
    }

    /// Whether operations were chosen for a witness that is near.
    pub(super) fn is_around_witnesses(&self) -> bool {
        self.around
    }

    pub(super) fn has_faults(&self) -> bool {
        !self.bands.is_empty()
    }

    pub(super) fn has_observers(&self) -> bool {
        !self.seen.is_empty()
    }

    /// The faults that were injected, from when to when on the history's clock; those without a time are left out.
    pub(super) fn faults(&self) -> Vec<(&str, i64, i64)> {
        let timed = self.bands.iter().filter(|band| band.from_ns >= 0 && band.to_ns >= band.from_ns);
        let on_clock = |ns: i64| ns.saturating_add(self.zero);
        timed.map(|band| (band.name.as_str(), on_clock(band.from_ns), on_clock(band.to_ns))).collect()
    }

    /// The drawing of a history whose witnesses are at these positions.
    #[must_use]
    pub fn new(history: &History, witnesses: impl IntoIterator<Item = u32>) -> Drawing {
        let wanted: Wanted = witnesses.into_iter().collect();
        let (chosen, around) = choose(history, &wanted);
        let ops = || chosen.iter().map(|id| history.op(*id));
        let times = || ops().flat_map(|op| [op.invoked_time(), op.completed_time()]).flatten();
        let zero = times().min().unwrap_or(0);
        let since = |time: Option<i64>| time.map_or(-1, |time| time.saturating_sub(zero));
        let mut drawing = Drawing {
            total: history.len(),
            timed: !chosen.is_empty() && ops().all(|op| op.invoked_time().or(op.completed_time()).is_some()),
            end: history.records(),
            end_ns: since(times().max()),
            zero,
            around,
            ..Drawing::default()
        };
        let [mut processes, mut functions, mut keys, mut nodes] = [0; 4].map(|_| Names::default());
        for op in ops() {
            drawing.process.push(processes.number(history, history.process_name(op.process())));
            drawing.function.push(functions.number(history, op.f()));
            drawing.key.push(touched(&op).into_iter().map(|key| keys.number(history, key)).collect());
            drawing.node.push(if op.node().is_null() { -1 } else { nodes.number(history, op.node()).into() });
            drawing.status.push(match op.status() {
                Status::Ok => 'o',
                Status::Fail => 'f',
                Status::Info => 'i',
            });
            drawing.invoked.push(op.invoked().map_or(-1, i64::from));
            drawing.completed.push(op.completed().map_or(-1, i64::from));
            drawing.invoked_ns.push(since(op.invoked_time()));
            drawing.completed_ns.push(since(op.completed_time()));
            let does = operation::does(history.values(), &op, &Relevant::default());
            drawing.text.push(clean(&shorten(&does, 200)));
        }
        drawing.processes = processes.names;
        drawing.functions = functions.names;
        drawing.keys = keys.names;
        drawing.nodes = nodes.names;
        drawing.give_lanes();
        drawing.observe(history, &wanted);
        drawing.leave_gaps(history, &chosen);
        drawing
    }

    /// A lane for each process, or shared ones where there are many.
    fn give_lanes(&mut self) {
        if self.processes.len() <= OWN_LANES {
            // By number where they are numbers, as people count them.
            let mut order: Vec<usize> = (0..self.processes.len()).collect();
            order.sort_by_key(|at| (self.processes[*at].parse::<i64>().unwrap_or(i64::MAX), *at));
            let mut lane_of = vec![0u32; order.len()];
            for (lane, process) in (0u32..).zip(&order) {
                lane_of[*process] = lane;
            }
            self.lanes = order.iter().map(|at| self.processes[*at].clone()).collect();
            self.lane = self.process.iter().map(|process| lane_of[*process as usize]).collect();
            return;
        }
        let mut last = vec![0i64; self.processes.len()];
        for (at, process) in self.process.iter().enumerate() {
            let end = if self.status.as_bytes()[at] == b'o' {
                self.completed[at]
            } else {
                self.completed[at].max(self.invoked[at])
            };
            last[*process as usize] = last[*process as usize].max(end);
        }
        // Lanes in the order in which they become free: a process takes the first that is.
        let mut free_at: Vec<i64> = Vec::new();
        let mut lane_of = vec![u32::MAX; self.processes.len()];
        let mut queue = std::collections::BinaryHeap::new();
        for (at, process) in self.process.iter().enumerate() {
            let process = *process as usize;
            if lane_of[process] == u32::MAX {
                let begins = self.invoked[at].max(0);
                let lane = match queue.peek() {
                    Some(std::cmp::Reverse((free, lane))) if *free < begins => {
                        let lane: usize = *lane;
                        queue.pop();
                        lane
                    }
                    _ => {
                        free_at.push(0);
                        free_at.len() - 1
                    }
                };
                queue.push(std::cmp::Reverse((last[process], lane)));
                lane_of[process] = u32::try_from(lane).unwrap_or(u32::MAX);
            }
            self.lane.push(lane_of[process]);
        }
        self.lanes = (1..=free_at.len()).map(|lane| format!("lane {lane}")).collect();
    }

    /// What observers saw, and how long faults lasted.
    fn observe(&mut self, history: &History, wanted: &Wanted) {
        let values = history.values();
        let mut open: Vec<OpenFault> = Vec::new();
        for seen in history.observations() {
            let name = values.as_str(seen.f).unwrap_or("");
            let timed = seen.time != History::NO_TIME;
            let ns = if timed { seen.time.saturating_sub(self.zero).max(0) } else { -1 };
            let who = history.process_name(seen.process);
            match fault(name, open.iter().any(|fault| fault.who == who && fault.what == "kill")) {
                // Jepsen writes a fault's beginning twice, when it is asked for and when it is done.
                Some(Turn::Begins(what))
                    if self.bands.len() < MOST_BANDS
                        && !open.iter().any(|fault| fault.who == who && fault.what == what) =>
                {
                    let name = if what.is_empty() { "fault".to_owned() } else { clean(&shorten(what, 30)) };
                    let (to, to_ns) = (self.end, self.end_ns);
                    open.push(OpenFault { who, what: what.to_owned(), band: self.bands.len() });
                    self.bands.push(Band { name, from: seen.position, to, from_ns: ns, to_ns });
                }
                Some(Turn::Ends(what)) => open.retain(|fault| {
                    let ends = fault.who == who && (what.is_empty() || fault.what == what);
                    if ends {
                        let band = &mut self.bands[fault.band];
                        (band.to, band.to_ns) = (seen.position, ns);
                    }
                    !ends
                }),
                _ => {}
            }
            if self.seen.len() < MOST_SEEN || wanted.contains(&seen.position) {
                let view = operation::observed(history, seen, "");
                self.seen.push(Seen {
                    at: seen.position,
                    ns,
                    who: clean(&view.process),
                    text: clean(&shorten(&view.does, 200)),
                });
            }
        }
    }

    /// The stretches between the operations that are drawn, where others were left out.
    fn leave_gaps(&mut self, history: &History, chosen: &[OpId]) {
        let last = history.len();
        // Where each operation that is drawn follows one that is not: begin and end of what is missing, as numbers.
        let mut next = 0;
        let mut missing = Vec::new();
        for op in chosen.iter().map(|op| op.index()) {
            if op > next {
                missing.push((next, op));
            }
            next = op + 1;
        }
        if next < last {
            missing.push((next, last));
        }
        let since = |time: Option<i64>| time.map_or(-1, |time| time.saturating_sub(self.zero));
        let op = |at: usize| u32::try_from(at).ok().filter(|_| at < last).map(|at| history.op(OpId(at)));
        let end_ns = op(last.saturating_sub(1)).map_or(-1, |op| since(op.completed_time().or(op.invoked_time())));
        for (from, to) in missing {
            let begins = |at: usize| {
                op(at)
                    .map(|op| (op.invoked().unwrap_or(op.position()), since(op.invoked_time().or(op.completed_time()))))
            };
            let (from, from_ns) = begins(from).unwrap_or((0, -1));
            let (to, to_ns) = begins(to).unwrap_or((self.end, end_ns));
            self.gaps.push(Band { name: "not drawn".to_owned(), from, to, from_ns, to_ns });
        }
    }
}

/// A fault that has begun.
struct OpenFault {
    who: Value,
    what: String,
    band: usize,
}

/// What a record of a nemesis says of a fault: its name, which is empty where there is only one.
enum Turn<'a> {
    Begins(&'a str),
    Ends(&'a str),
}

/// Jepsen's names: `start` and `stop`, `start-partition` and `stop-partition`; `kill` ends with `start`, `pause` with
/// `resume`. Others write `inject` and `heal`, `begin` and `end`.
fn fault(name: &str, killed: bool) -> Option<Turn<'_>> {
    let rest = |verb: &str| {
        let rest = name.strip_prefix(verb)?;
        let separated = rest.is_empty() || rest.starts_with(['-', '_', ' ', ':', '/']);
        separated.then(|| rest.trim_start_matches(['-', '_', ' ', ':', '/']))
    };
    match name {
        "start" if killed => return Some(Turn::Ends("kill")),
        "kill" | "pause" => return Some(Turn::Begins(name)),
        "resume" => return Some(Turn::Ends("pause")),
        _ => {}
    }
    let begins = ["start", "inject", "begin"].into_iter().find_map(rest).map(Turn::Begins);
    begins.or_else(|| ["stop", "heal", "end", "recover"].into_iter().find_map(rest).map(Turn::Ends))
}

type Wanted = HashSet<u32, foldhash::fast::RandomState>;

/// Which operations are drawn, in order, and whether they were chosen for a witness that is near.
fn choose(history: &History, wanted: &Wanted) -> (Vec<OpId>, bool) {
    let all = |count: usize| (0..u32::try_from(count).unwrap_or(u32::MAX)).map(OpId).collect();
    if history.len() <= MOST {
        return (all(history.len()), false);
    }
    let is_wanted = |op: &Operation<'_>| op.invoked().into_iter().chain(op.completed()).any(|at| wanted.contains(&at));
    let centers: Vec<usize> = history.ops().filter(is_wanted).map(|op| op.id.index()).take(MOST / 2).collect();
    if centers.is_empty() {
        return (all(MOST), false);
    }
    let half = MOST / (2 * centers.len());
    let mut chosen = Vec::new();
    let mut next = 0;
    for center in centers {
        let end = (center + half.max(1)).min(history.len());
        for at in center.saturating_sub(half).max(next)..end {
            chosen.push(OpId(u32::try_from(at).unwrap_or(u32::MAX)));
        }
        next = next.max(end);
    }
    (chosen, true)
}

/// The keys that an operation touches, each once.
fn touched(op: &Operation<'_>) -> Vec<Value> {
    let mut keys: Vec<Value> = Vec::new();
    for key in std::iter::once(op.key()).chain(op.mops().iter().map(|mop| mop.key)) {
        if !key.is_null() && !keys.contains(&key) && keys.len() < 64 {
            keys.push(key);
        }
    }
    keys
}

/// Values in order of first appearance, in words.
#[derive(Default)]
struct Names {
    numbers: Seeded<Value, u32>,
    names: Vec<String>,
}

impl Names {
    fn number(&mut self, history: &History, value: Value) -> u32 {
        *self.numbers.entry(value).or_insert_with(|| {
            self.names.push(clean(&operation::short(history.values(), value, 60)));
            u32::try_from(self.names.len() - 1).unwrap_or(u32::MAX)
        })
    }
}
