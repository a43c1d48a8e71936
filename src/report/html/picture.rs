//! A witness as a picture: a cycle with labelled edges, intervals with the impossible step, or a failure in time.
//!
//! The cycle is SVG, which scales; intervals and lanes are boxes of the page, whose words stay readable at any width.

use maud::{Markup, html};

use super::super::text::{clean, duration, shorten};
use super::super::view::{MomentReport, StepReport, WitnessReport};

/// A larger cycle than this is told by its steps alone.
const LARGEST_CYCLE: usize = 12;
/// With more operations than this, intervals would say nothing.
const MOST_INTERVALS: usize = 24;

/// The picture of a witness, where there is one.
pub(super) fn draw(witness: &WitnessReport, id: &str) -> Markup {
    if let Some(moments) = witness.timeline.as_deref().filter(|moments| !moments.is_empty()) {
        return lanes(witness, moments);
    }
    let ring = ring(&witness.steps);
    html! {
        @if ring.len() > 1 && ring.len() <= LARGEST_CYCLE { (cycle(witness, &ring, id)) }
        @if !witness.operations.is_empty() && witness.operations.len() <= MOST_INTERVALS { (intervals(witness, id)) }
    }
}

/// The steps of a cycle, where they lead back to their start.
fn ring(steps: &[StepReport]) -> Vec<&StepReport> {
    let steps: Vec<&StepReport> = steps.iter().filter(|step| step.from != step.to).collect();
    let closed = steps.iter().zip(steps.iter().cycle().skip(1)).all(|(step, next)| step.to == next.from);
    if closed { steps } else { Vec::new() }
}

/// What the witness calls the operation at this position, and its number.
pub(super) fn named(witness: &WitnessReport, position: u32) -> (String, Option<usize>) {
    let found = witness.operations.iter().position(|op| op.position == position || op.records.contains(&position));
    match found {
        Some(at) => (clean(&shorten(&witness.operations[at].name, 16)), Some(at)),
        None => (format!("record {position}"), None),
    }
}

/// A round of operations, each before the next: coordinates are in hundredths of a page's unit.
fn cycle(witness: &WitnessReport, ring: &[&StepReport], id: &str) -> Markup {
    let count = ring.len();
    let (width, height) = if count == 2 { (420.0, 170.0) } else { (420.0, 320.0) };
    let (middle, center) = (width / 2.0, height / 2.0);
    let (across, down) = if count == 2 { (140.0, 0.0) } else { (140.0, 115.0) };
    let place = |at: usize| {
        let turn = std::f64::consts::TAU
            * (f64::from(u32::try_from(at % count).unwrap_or(0)) / f64::from(u32::try_from(count).unwrap_or(1)));
        // Two stand side by side; more begin at the top.
        if count == 2 {
            (middle - across * turn.cos(), center)
        } else {
            (middle + across * turn.sin(), center - down * turn.cos())
        }
    };
    let (top, bottom) = if count == 2 {
        (10.0, height - 10.0)
    } else {
        (20.0, (0..count).map(|at| place(at).1).fold(0.0, f64::max) + 40.0)
    };
    let words: Vec<String> = ring
        .iter()
        .map(|step| format!("{} before {}: {}", named(witness, step.from).0, named(witness, step.to).0, step.relation))
        .collect();
    html! {
        figure.cycle {
            svg viewBox={ "0 " (round(top)) " " (width) " " (round(bottom - top)) } role="img" aria-label={ "Cycle: " (words.join("; ")) } {
                defs {
                    marker id={ (id) "-arrow" } viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto-start-reverse" {
                        path d="M 0 0 L 10 5 L 0 10 z" fill="context-stroke" {}
                    }
                }
                @for (at, step) in ring.iter().enumerate() {
                    @let edge = Edge::between(place(at), place(at + 1), (middle, center), count);
                    path class={ "edge " (relation_class(step.relation)) } d=(edge.path()) marker-end={ "url(#" (id) "-arrow)" } {}
                    text class={ "edge-label " (relation_class(step.relation)) } x=(round(edge.label.0)) y=(round(edge.label.1)) text-anchor="middle" {
                        (label(step))
                    }
                }
                @for (at, step) in ring.iter().enumerate() {
                    @let (x, y) = place(at);
                    @let (name, number) = named(witness, step.from);
                    a.node href={ "#" (id) "-" (number.unwrap_or(at)) } data-at=(step.from) {
                        rect x=(round(x - 34.0)) y=(round(y - 17.0)) width="68" height="34" rx="8" {}
                        text x=(round(x)) y=(round(y + 5.0)) text-anchor="middle" { (name) }
                    }
                }
            }
            figcaption { "Each comes before the next, and the last before the first." }
        }
    }
}

/// An edge, bent outward so that it and its way back are two.
struct Edge {
    from: (f64, f64),
    bend: (f64, f64),
    to: (f64, f64),
    label: (f64, f64),
}

impl Edge {
    fn between(from: (f64, f64), to: (f64, f64), center: (f64, f64), count: usize) -> Edge {
        let (across, down) = (to.0 - from.0, to.1 - from.1);
        let length = across.hypot(down).max(1.0);
        let normal = (down / length, -across / length);
        let amount = if count == 2 { 70.0 } else { 22.0 };
        let middle = (f64::midpoint(from.0, to.0), f64::midpoint(from.1, to.1));
        // Outward: away from the center, or for two, the way there above and the way back below.
        let outward = (middle.0 - center.0) * normal.0 + (middle.1 - center.1) * normal.1;
        let side = if count == 2 || outward >= 0.0 { 1.0 } else { -1.0 };
        let bend = (middle.0 + side * amount * normal.0, middle.1 + side * amount * normal.1);
        let end = |point: (f64, f64)| {
            let (x, y) = (bend.0 - point.0, bend.1 - point.1);
            // The edge ends at the box, not in its middle.
            let scale = (40.0 / x.abs().max(0.01)).min(22.0 / y.abs().max(0.01)).min(0.9);
            (point.0 + x * scale, point.1 + y * scale)
        };
        let (from, to) = (end(from), end(to));
        // Beside the middle of the curve, which is half-way to its bend.
        let on = |a: f64, bend: f64, b: f64| a / 4.0 + bend / 2.0 + b / 4.0;
        let label = (
            on(from.0, bend.0, to.0) + side * 16.0 * normal.0,
            on(from.1, bend.1, to.1) + side * 14.0 * normal.1 + 4.0,
        );
        Edge { from, bend, to, label }
    }

    fn path(&self) -> String {
        let point = |(x, y): (f64, f64)| format!("{} {}", round(x), round(y));
        format!("M {} Q {} {}", point(self.from), point(self.bend), point(self.to))
    }
}

fn round(number: f64) -> String {
    format!("{:.1}", number)
}

fn label(step: &StepReport) -> String {
    match &step.key {
        Some(key) => format!("{} · {}", step.relation, clean(&shorten(key.get(), 14))),
        None => step.relation.to_owned(),
    }
}

pub(super) fn relation_class(relation: &str) -> &'static str {
    match relation {
        "ww" => "ww",
        "wr" => "wr",
        "rw" => "rw",
        "realtime" => "rt",
        "process" | "session" => "so",
        _ => "other",
    }
}

/// Each operation from its invocation to its completion. What lies between two records is drawn as wide as all else: it is
/// the order that counts.
fn intervals(witness: &WitnessReport, id: &str) -> Markup {
    let mut marks: Vec<u32> = witness.operations.iter().flat_map(|op| op.records.iter().copied()).collect();
    marks.sort_unstable();
    marks.dedup();
    let last = u32::try_from(marks.len()).unwrap_or(u32::MAX);
    let percent = |mark: u32| f64::from(mark) * 100.0 / f64::from(last.max(1));
    let rank = |position: u32| u32::try_from(marks.partition_point(|mark| *mark < position)).unwrap_or(last);
    // The last step is about what can't be; where steps go round, no operation is more at fault than another.
    let impossible = match ring(&witness.steps).len() {
        0 | 1 => witness.steps.last().and_then(|step| named(witness, step.to).1),
        _ => None,
    };
    let mut order: Vec<usize> = (0..witness.operations.len()).collect();
    order.sort_by_key(|at| (witness.operations[*at].records.first().copied(), *at));
    html! {
        figure.intervals aria-label="Operations in the order of their records" {
            @for at in order {
                @let op = &witness.operations[at];
                @let start = op.records.first().map_or(0, |at| rank(*at));
                @let ends = op.records.len() > 1 || op.status == "observed";
                @let end = if ends { op.records.last().map_or(last, |at| rank(*at)) } else { last };
                @let point = op.records.len() == 1 && ends;
                @let open = op.status == "info" || op.status == "no completion";
                @let is_last = impossible == Some(at);
                a.interval.impossible[is_last] href={ "#" (id) "-" (at) } data-at=(op.position) {
                    span.what { b { (clean(&shorten(&op.name, 16))) } " " (clean(&shorten(&op.does, 110))) }
                    span.track {
                        span.bar.open[open].point[point] style={ "left:" (round(percent(start))) "%;width:" (round(percent(end.max(start)) - percent(start))) "%" } {}
                    }
                }
            }
            figcaption {
                "Time runs to the right, record by record."
                @if impossible.is_some() { " What can't be is marked." }
            }
        }
    }
}

/// A failure in time: a column for every party, time running down.
fn lanes(witness: &WitnessReport, moments: &[MomentReport]) -> Markup {
    let names = super::super::timeline::lanes(moments);
    let first = moments.iter().filter_map(|moment| moment.time_ns).min();
    // The last step is about what must not have been.
    let fault = witness.steps.last().and_then(|step| moments.iter().rposition(|moment| moment.position == step.to));
    html! {
        figure.lanes {
            table {
                thead { tr { th scope="col" { "time" } @for lane in &names { th scope="col" { (lane) } } } }
                tbody {
                    @for (at, moment) in moments.iter().enumerate() {
                        @let lane = super::super::timeline::lane(moment);
                        tr.fault[fault == Some(at)] data-at=(moment.position) {
                            td.when { (match moment.time_ns.zip(first) {
                                Some((time, first)) if time == first => "0 s".to_owned(),
                                Some((time, first)) => format!("+{}", duration(time.saturating_sub(first))),
                                None => format!("record {}", moment.position),
                            }) }
                            @for name in &names {
                                @if *name == lane { td.here data-lane=(name) { (clean(&moment.what)) } } @else { td {} }
                            }
                        }
                    }
                }
            }
        }
    }
}
