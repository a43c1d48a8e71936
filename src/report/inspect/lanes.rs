//! Operations one below the other in order of invocation, each with a bar from its invocation to its completion.

use super::super::Style;
use super::super::operation::{self, Relevant, short};
use super::super::text::{clean, duration, shorten, width};
use crate::history::{History, Observation, OpId, Operation, Status, Value};

/// Which operations are looked at: those that pass all that is given.
#[derive(Clone, Debug, Default)]
pub struct Focus {
    /// Touching this key, written as reports write it.
    pub key: Option<String>,
    /// Of this process.
    pub process: Option<String>,
    /// Around this record: those in flight there, and as many before and after as `span`.
    pub around: Option<u32>,
    /// With records at these positions.
    pub positions: Option<Vec<u32>>,
    /// How many operations before and after `around`.
    pub span: usize,
    /// No more than so many lines.
    pub limit: usize,
}

impl Focus {
    /// Whether nothing is asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.key.is_none() && self.process.is_none() && self.around.is_none() && self.positions.is_none()
    }

    fn takes(&self, history: &History, op: &Operation<'_>) -> bool {
        let is = |value: Value, wanted: &str| !value.is_null() && written(history, value, wanted);
        let records = || op.invoked().into_iter().chain(op.completed());
        let key = |wanted: &String| is(op.key(), wanted) || op.mops().iter().any(|mop| is(mop.key, wanted));
        self.key.as_ref().is_none_or(key)
            && self.process.as_ref().is_none_or(|wanted| is(history.process_name(op.process()), wanted))
            && self.positions.as_ref().is_none_or(|all| records().any(|at| all.contains(&at)))
    }

    fn sees(&self, history: &History, seen: &Observation) -> bool {
        let is = |value: Value, wanted: &String| !value.is_null() && written(history, value, wanted);
        self.key.as_ref().is_none_or(|wanted| is(seen.key, wanted))
            && self.process.as_ref().is_none_or(|wanted| is(history.process_name(seen.process), wanted))
            && self.positions.as_ref().is_none_or(|all| all.contains(&seen.position))
    }
}

/// Whether a value is what was typed, as JSON or as a word.
fn written(history: &History, value: Value, typed: &str) -> bool {
    let values = history.values();
    values.as_str(value) == Some(typed) || values.as_int(value).is_some_and(|number| number.to_string() == typed) || {
        values.as_str(value).is_none() && values.as_int(value).is_none() && values.json(value, 200) == typed
    }
}

enum Item<'h> {
    Op(Operation<'h>),
    Seen(&'h Observation),
}

impl Item<'_> {
    fn first(&self) -> u32 {
        match self {
            Item::Op(op) => op.invoked().unwrap_or_else(|| op.position()),
            Item::Seen(seen) => seen.position,
        }
    }

    fn last(&self, end: u32) -> u32 {
        match self {
            Item::Op(op) if op.status() == Status::Info => end,
            Item::Op(op) => op.completed().unwrap_or(end),
            Item::Seen(seen) => seen.position,
        }
    }
}

/// What is in focus, in order, and how much more there is than the limit lets through.
fn items<'h>(history: &'h History, focus: &Focus) -> (Vec<Item<'h>>, usize) {
    let mut all: Vec<Item<'h>> = history
        .ops()
        .filter(|op| focus.takes(history, op))
        .map(|op| OpId(op.id.0))
        .map(|id| Item::Op(history.op(id)))
        .collect();
    all.extend(history.observations().iter().filter(|seen| focus.sees(history, seen)).map(Item::Seen));
    all.sort_by_key(Item::first);
    if let Some(at) = focus.around {
        let here = all.partition_point(|item| item.first() <= at);
        let from = here.saturating_sub(focus.span + 1);
        let to = (here + focus.span).min(all.len());
        // What began long before may still be in flight.
        let end = history.records();
        let mut kept: Vec<Item<'h>> = Vec::new();
        for (number, item) in all.into_iter().enumerate() {
            if (from..to).contains(&number) || number < from && item.last(end) >= at && item.last(end) != end {
                kept.push(item);
            }
        }
        all = kept;
    }
    let more = all.len().saturating_sub(focus.limit);
    all.truncate(focus.limit);
    (all, more)
}

/// The original records of what is in focus, in order.
pub(super) fn records(history: &History, focus: &Focus) -> Option<String> {
    let (items, _) = items(history, focus);
    let mut positions: Vec<u32> = Vec::new();
    for item in &items {
        match item {
            Item::Op(op) => positions.extend(op.invoked().into_iter().chain(op.completed())),
            Item::Seen(seen) => positions.push(seen.position),
        }
    }
    positions.sort_unstable();
    let lines: Vec<String> = positions.into_iter().filter_map(|at| history.origin().json(at)).collect();
    (!lines.is_empty()).then(|| lines.join("\n") + "\n")
}

/// The time line.
pub(super) fn render(history: &History, focus: &Focus, style: &Style) -> Option<String> {
    /// A bar of fewer columns says nothing.
    const NARROWEST: usize = 12;
    let (items, more) = items(history, focus);
    if items.is_empty() {
        return None;
    }
    let end = history.records();
    let rows: Vec<[String; 3]> = items.iter().map(|item| row(history, item)).collect();
    let widest = |column: usize| rows.iter().map(|row| width(&row[column])).max().unwrap_or(0);
    let (at, who) = (widest(0), widest(1).min(24));
    let page = style.width.max(40);
    let bar = (page.saturating_sub(at + who + 6) / 3).min(40);
    let bar = if bar < NARROWEST { 0 } else { bar };
    let mut marks: Vec<u32> =
        items.iter().flat_map(|item| [item.first(), item.last(end)]).filter(|at| *at < end).collect();
    marks.sort_unstable();
    marks.dedup();
    let place = |position: u32| marks.partition_point(|mark| *mark < position) * bar / marks.len().max(1);
    let mut out = String::new();
    for (item, row) in items.iter().zip(&rows) {
        let mut line = format!("{}  {}", padded(&row[0], at), padded(&shorten(&row[1], who), who));
        if bar > 0 {
            let (from, to) = (place(item.first()), place(item.last(end).min(end)));
            let open = item.last(end) == end;
            let mut cells = vec![' '; bar];
            for cell in &mut cells[from.min(bar - 1)..=to.max(from).min(bar - 1)] {
                *cell = if open { '╌' } else { '━' };
            }
            line.push_str("  ");
            line.extend(cells);
        }
        let room = page.saturating_sub(width(&line) + 2).max(16);
        line.push_str("  ");
        line.push_str(&shorten(&row[2], room));
        out.push_str(line.trim_end());
        out.push('\n');
    }
    if more > 0 {
        out.push_str(&format!("… and {more} more: raise --limit, or narrow the focus\n"));
    }
    Some(out)
}

fn padded(text: &str, columns: usize) -> String {
    let missing = columns.saturating_sub(width(text));
    text.chars().chain(std::iter::repeat_n(' ', missing)).collect()
}

/// Where, who, and what with its outcome.
fn row(history: &History, item: &Item<'_>) -> [String; 3] {
    let values = history.values();
    match item {
        Item::Op(op) => {
            let at = match (op.invoked(), op.completed()) {
                (Some(from), Some(to)) => format!("{from}-{to}"),
                (from, to) => from.or(to).map(|at| at.to_string()).unwrap_or_default(),
            };
            let mut who = short(values, history.process_name(op.process()), 20);
            if !op.node().is_null() {
                who.push_str(&format!("@{}", short(values, op.node(), 16)));
            }
            let outcome = match (op.completed(), op.status()) {
                (None, _) => "info (no completion)",
                (_, Status::Ok) => "ok",
                (_, Status::Fail) => "fail",
                (_, Status::Info) => "info",
            };
            let took = op.invoked_time().zip(op.completed_time()).map(|(from, to)| to.saturating_sub(from));
            let took = took.map(|ns| format!(" {}", duration(ns))).unwrap_or_default();
            let does = operation::does(values, op, &Relevant::default());
            [at, clean(&who), clean(&format!("{outcome}{took}: {does}"))]
        }
        Item::Seen(seen) => {
            let view = operation::observed(history, seen, "");
            [seen.position.to_string(), clean(&view.process), clean(&view.does)]
        }
    }
}
