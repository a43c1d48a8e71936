//! How large a history is, what was done in it, how long that took, and where it is thin.
//!
//! Cost: a pass, and a sort of each function's durations.

use hashbrown::HashMap;
use serde::Serialize;

use super::super::operation::short;
use super::super::page::{ASIDE, Cell, HEADING, NAME, Page};
use super::super::text::{clean, counted, duration, shorten};
use crate::history::{History, Operation, Status, Value};
use crate::workload::Workload;

type Seeded<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

/// More rows than these tell little at a glance.
const MOST_ROWS: usize = 20;
/// The longest pauses that are shown.
const MOST_GAPS: usize = 3;

/// What is known of a history as a whole. Durations in nanoseconds.
#[derive(Debug, Serialize)]
pub(super) struct Summary {
    schema: &'static str,
    source: String,
    workload: Option<&'static str>,
    records: u32,
    operations: usize,
    ok: u64,
    fail: u64,
    info: u64,
    /// Operations without a completion, which count as info.
    without_completion: u64,
    without_invocation: u64,
    processes: usize,
    keys: usize,
    /// The most operations in flight at one time, crashed ones for ever.
    concurrency_max: u64,
    duration_ns: Option<i64>,
    functions: Vec<Row>,
    nodes: Vec<Row>,
    busiest_keys: Vec<(String, u64)>,
    gaps: Vec<Gap>,
    observers: Vec<Observer>,
    #[serde(skip)]
    more_observations: usize,
}

/// The operations of one function, or at one node.
#[derive(Debug, Serialize)]
struct Row {
    name: String,
    operations: u64,
    ok: u64,
    fail: u64,
    info: u64,
    p50_ns: Option<i64>,
    p99_ns: Option<i64>,
    max_ns: Option<i64>,
}

/// A time without any record.
#[derive(Debug, Serialize)]
struct Gap {
    duration_ns: i64,
    after: u32,
    before: u32,
}

/// What was observed, and when.
#[derive(Debug, Serialize)]
struct Observer {
    position: u32,
    time_ns: Option<i64>,
    who: String,
    what: String,
}

#[derive(Default)]
struct Tally {
    counts: [u64; 3],
    took: Vec<i64>,
}

impl Tally {
    fn take(&mut self, op: &Operation<'_>) {
        self.counts[op.status() as usize] += 1;
        // How long it took is known of what was answered.
        if let (Some(from), Some(to)) = (op.invoked_time(), op.completed_time())
            && op.status() != Status::Info
        {
            self.took.push(to.saturating_sub(from));
        }
    }

    fn row(mut self, name: String) -> Row {
        self.took.sort_unstable();
        let at = |hundredths: usize| {
            let rank = (self.took.len() * hundredths).div_ceil(100);
            self.took.get(rank.saturating_sub(1)).copied()
        };
        let [ok, fail, info] = self.counts;
        let (p50_ns, p99_ns, max_ns) = (at(50), at(99), self.took.last().copied());
        Row { name, operations: ok + fail + info, ok, fail, info, p50_ns, p99_ns, max_ns }
    }
}

impl Summary {
    pub(super) fn of(history: &History, source: &str, workload: Option<Workload>) -> Summary {
        let values = history.values();
        let name = |value: Value| clean(&short(values, value, 40));
        let mut functions: Seeded<Value, Tally> = Seeded::default();
        let mut nodes: Seeded<Value, Tally> = Seeded::default();
        let mut keys: Seeded<Value, u64> = Seeded::default();
        let mut whole = Tally::default();
        let (mut without_completion, mut without_invocation) = (0, 0);
        for op in history.ops() {
            functions.entry(op.f()).or_default().take(&op);
            if !op.node().is_null() {
                nodes.entry(op.node()).or_default().take(&op);
            }
            whole.counts[op.status() as usize] += 1;
            without_completion += u64::from(op.completed().is_none());
            without_invocation += u64::from(op.invoked().is_none());
            for key in std::iter::once(op.key()).chain(op.mops().iter().map(|mop| mop.key)) {
                if !key.is_null() {
                    *keys.entry(key).or_default() += 1;
                }
            }
        }
        let rows = |tallies: Seeded<Value, Tally>| {
            let mut rows: Vec<Row> = tallies.into_iter().map(|(value, tally)| tally.row(name(value))).collect();
            rows.sort_by(|a, b| b.operations.cmp(&a.operations).then_with(|| a.name.cmp(&b.name)));
            rows
        };
        let count = keys.len();
        let mut busiest: Vec<(String, u64)> = keys.into_iter().map(|(key, times)| (name(key), times)).collect();
        busiest.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        busiest.truncate(5);
        let (gaps, duration_ns) = gaps(history);
        let seen = history.observations();
        let observer = |seen: &crate::history::Observation| {
            let view = super::super::operation::observed(history, seen, "");
            let (who, what) = (clean(&view.process), clean(&shorten(&view.does, 120)));
            Observer { position: seen.position, time_ns: view.invoked_ns, who, what }
        };
        let [ok, fail, info] = whole.counts;
        Summary {
            schema: "anachron.inspection/1",
            source: source.to_owned(),
            workload: workload.map(Workload::name),
            records: history.records(),
            operations: history.len(),
            ok,
            fail,
            info,
            without_completion,
            without_invocation,
            processes: history.processes(),
            keys: count,
            concurrency_max: concurrency(history),
            duration_ns,
            functions: rows(functions),
            nodes: rows(nodes),
            busiest_keys: busiest,
            gaps,
            observers: seen.iter().take(MOST_ROWS).map(observer).collect(),
            more_observations: seen.len().saturating_sub(MOST_ROWS),
        }
    }

    pub(super) fn render(&self, page: &mut Page) {
        page.headed(
            0,
            2,
            &clean(&self.source),
            NAME,
            &self.workload.map(|name| format!("({name})")).unwrap_or_default(),
        );
        page.paragraph(
            2,
            2,
            &format!(
                "{}, {} ({} ok, {} fail, {} info), {}, {}",
                counted(self.records, "record", "records"),
                counted(self.operations, "operation", "operations"),
                self.ok,
                self.fail,
                self.info,
                counted(self.processes, "process", "processes"),
                counted(self.keys, "key", "keys")
            ),
        );
        let mut facts = vec![format!("at most {} in flight at one time", self.concurrency_max)];
        if let Some(span) = self.duration_ns {
            facts.insert(0, format!("over {}", duration(span)));
        }
        if self.without_completion > 0 {
            facts.push(format!("{} without a completion, which count as info", self.without_completion));
        }
        if self.without_invocation > 0 {
            facts.push(format!("{} without an invocation", self.without_invocation));
        }
        page.paragraph(2, 2, &facts.join(", "));
        table(page, "functions", &self.functions);
        table(page, "nodes", &self.nodes);
        if self.keys > 1 {
            page.gap();
            let keys: Vec<String> = self.busiest_keys.iter().map(|(key, times)| format!("{key} ({times})")).collect();
            page.headed(0, 2, "busiest keys", HEADING, &keys.join(", "));
        }
        if !self.gaps.is_empty() {
            page.gap();
            let gap =
                |gap: &Gap| format!("{} between records {} and {}", duration(gap.duration_ns), gap.after, gap.before);
            page.headed(0, 2, "longest pauses", HEADING, &self.gaps.iter().map(gap).collect::<Vec<_>>().join(", "));
        }
        if !self.observers.is_empty() {
            page.gap();
            page.headed(0, 2, "observed", HEADING, "");
            let row = |seen: &Observer| {
                let at = format!("record {}", seen.position);
                vec![Cell::inked(at, ASIDE), Cell::from(seen.who.clone()), Cell::from(seen.what.clone())]
            };
            page.grid(2, &self.observers.iter().map(row).collect::<Vec<_>>(), &[16, 20]);
            if self.more_observations > 0 {
                page.paragraph(2, 2, &format!("… and {} more", self.more_observations));
            }
        }
    }
}

fn table(page: &mut Page, title: &str, rows: &[Row]) {
    if rows.is_empty() {
        return;
    }
    page.gap();
    let mut grid = vec![
        [title, "count", "ok", "fail", "info", "p50", "p99", "max"].map(|head| Cell::inked(head, HEADING)).to_vec(),
    ];
    for row in rows.iter().take(MOST_ROWS) {
        let time = |ns: Option<i64>| Cell::from(ns.map_or_else(String::new, duration));
        let mut cells = vec![Cell::from(row.name.clone())];
        cells.extend([row.operations, row.ok, row.fail, row.info].map(|count| Cell::from(count.to_string())));
        cells.extend([time(row.p50_ns), time(row.p99_ns), time(row.max_ns)]);
        grid.push(cells);
    }
    page.grid(0, &grid, &[24]);
    if rows.len() > MOST_ROWS {
        page.paragraph(2, 2, &format!("… and {} more", rows.len() - MOST_ROWS));
    }
}

/// The most operations in flight at one time.
fn concurrency(history: &History) -> u64 {
    let mut events: Vec<(u32, bool)> = Vec::with_capacity(2 * history.len());
    for op in history.ops() {
        let begin = op.invoked().unwrap_or_else(|| op.began());
        events.push((begin, true));
        let end = if op.status() == Status::Info { None } else { op.completed() };
        events.extend(end.map(|end| (end, false)));
    }
    // At one position an invocation comes first: an operation of one record is in flight there.
    events.sort_unstable_by_key(|(at, begins)| (*at, !begins));
    let (mut now, mut most) = (0u64, 0);
    for (_, begins) in events {
        now = if begins { now + 1 } else { now.saturating_sub(1) };
        most = most.max(now);
    }
    most
}

/// The longest times without a record, and the whole time.
fn gaps(history: &History) -> (Vec<Gap>, Option<i64>) {
    let mut moments: Vec<(u32, i64)> = Vec::new();
    for op in history.ops() {
        moments.extend(op.invoked().zip(op.invoked_time()));
        moments.extend(op.completed().zip(op.completed_time()));
    }
    let seen = history.observations().iter().filter(|seen| seen.time != History::NO_TIME);
    moments.extend(seen.map(|seen| (seen.position, seen.time)));
    moments.sort_unstable();
    let times = || moments.iter().map(|(_, time)| *time);
    let span = times().max().zip(times().min()).map(|(last, first)| last.saturating_sub(first));
    let mut gaps: Vec<Gap> = moments
        .windows(2)
        .map(|pair| Gap { duration_ns: pair[1].1.saturating_sub(pair[0].1), after: pair[0].0, before: pair[1].0 })
        .filter(|gap| gap.duration_ns > 0)
        .collect();
    gaps.sort_by_key(|gap| (std::cmp::Reverse(gap.duration_ns), gap.after));
    gaps.truncate(MOST_GAPS);
    (gaps, span)
}
