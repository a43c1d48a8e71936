//! A witness as a picture: a cycle with labelled edges, intervals with the impossible step, or a failure in time.
//!
//! The cycle is SVG, which scales; intervals and lanes are boxes of the page, whose words stay readable at any width.

use maud::{Markup, html};

use super::super::text::{clean, duration, shorten, width};
use super::super::view::{MomentReport, StepReport, WitnessReport};
use super::finding;

/// A larger cycle than this is told by its steps alone.
const LARGEST_CYCLE: usize = 12;
/// With more operations than this, each has one line.
const MOST_ROOMY: usize = 10;

/// The picture of a witness, where there is one.
pub(super) fn draw(witness: &WitnessReport, id: &str) -> Markup {
    if let Some(moments) = witness.timeline.as_deref().filter(|moments| !moments.is_empty()) {
        return lanes(witness, moments, id);
    }
    let ring = ring(&witness.steps);
    html! {
        @if ring.len() > 1 && ring.len() <= LARGEST_CYCLE { (cycle(witness, &ring, id)) }
        @if !witness.operations.is_empty() { (intervals(witness, id)) }
    }
}

/// The steps of a cycle, where they lead back to their start.
fn ring(steps: &[StepReport]) -> Vec<&StepReport> {
    let steps: Vec<&StepReport> = steps.iter().filter(|step| step.from != step.to).collect();
    let closed = steps.iter().zip(steps.iter().cycle().skip(1)).all(|(step, next)| step.to == next.from);
    if closed { steps } else { Vec::new() }
}

/// What the witness calls the operation at this position, and its number.
fn named(witness: &WitnessReport, position: u32) -> (String, Option<usize>) {
    let found = witness.operations.iter().position(|op| op.position == position || op.records.contains(&position));
    match found {
        Some(at) => (clean(&shorten(&witness.operations[at].name, 16)), Some(at)),
        None => (format!("record {position}"), None),
    }
}

/// About how wide a text is in a font of this size.
fn room(text: &str, size: f64) -> f64 {
    f64::from(u32::try_from(width(text)).unwrap_or(u32::MAX)) * size * 0.62
}

/// Half the height of the box of an operation.
const HALF: f64 = 17.0;

/// A round of operations, each before the next; it is as large as its names and their number need.
fn cycle(witness: &WitnessReport, ring: &[&StepReport], id: &str) -> Markup {
    let count = ring.len();
    let names: Vec<(String, Option<usize>)> = ring.iter().map(|step| named(witness, step.from)).collect();
    let wide = names.iter().map(|(name, _)| room(name, 15.0) + 24.0).fold(68.0, f64::max);
    let turn = |at: usize| {
        let part = |number: usize| f64::from(u32::try_from(number).unwrap_or(1));
        std::f64::consts::TAU * part(at % count) / part(count)
    };
    let sine = (std::f64::consts::PI / f64::from(u32::try_from(count).unwrap_or(1))).sin();
    let (across, down) = match count {
        2 => (f64::max(140.0, wide + 72.0), 0.0),
        _ => (f64::max(140.0, (wide + 44.0) / (2.0 * sine)), f64::max(115.0, 80.0 / (2.0 * sine))),
    };
    // Two stand side by side; more begin at the top.
    let place = |at: usize| match count {
        2 => (-across * turn(at).cos(), 0.0),
        _ => (across * turn(at).sin(), -down * turn(at).cos()),
    };
    let key_length = if count <= 4 { 14 } else { 8 };
    let edges: Vec<(Edge, String)> = (0..)
        .zip(ring)
        .map(|(at, step)| (Edge::between(place(at), place(at + 1), wide / 2.0, count), label(step, key_length)))
        .collect();
    let mut frame = Frame::default();
    for at in 0..count {
        frame.hold(place(at), wide / 2.0, HALF);
    }
    for (edge, label) in &edges {
        let half = room(label, 13.0) / 2.0;
        frame.hold((edge.label.0 + half * edge.side.offset(), edge.label.1), half, 11.0);
        frame.hold(edge.middle(), 3.0, 3.0);
    }
    let words: Vec<String> = ring
        .iter()
        .map(|step| format!("{} before {}: {}", named(witness, step.from).0, named(witness, step.to).0, step.relation))
        .collect();
    html! {
        figure.cycle {
            // A group, not an image: an image's links could not be reached by those who can't see it.
            svg viewBox=(frame.view_box()) role="group" aria-label={ "Cycle: " (words.join("; ")) } style={ "max-width:" (round(frame.width() * 1.15)) "px" } {
                defs {
                    marker id={ (id) "-arrow" } viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto-start-reverse" {
                        path d="M 0 0 L 10 5 L 0 10 z" fill="context-stroke" {}
                    }
                }
                @for ((edge, label), step) in edges.iter().zip(ring) {
                    path class={ "edge " (relation_class(step.relation)) } d=(edge.path()) marker-end={ "url(#" (id) "-arrow)" } {}
                    text class={ "edge-label " (relation_class(step.relation)) } x=(round(edge.label.0)) y=(round(edge.label.1)) text-anchor=(edge.side.anchor()) { (label) }
                }
                @for (at, (name, number)) in names.iter().enumerate() {
                    @let (x, y) = place(at);
                    @let href = number.map(|number| format!("#{id}-{number}"));
                    a.node href=[href] data-at=(ring[at].from) aria-label={ (name) ", to its record" } {
                        rect x=(round(x - wide / 2.0)) y=(round(y - HALF)) width=(round(wide)) height=(round(HALF * 2.0)) rx="8" {}
                        text x=(round(x)) y=(round(y + 5.0)) text-anchor="middle" { (name) }
                    }
                }
            }
            figcaption { "Each comes before the next, and the last before the first." }
        }
    }
}

/// The smallest frame around what is drawn.
#[derive(Default)]
struct Frame {
    least: (f64, f64),
    most: (f64, f64),
}

impl Frame {
    fn hold(&mut self, (x, y): (f64, f64), half_wide: f64, half_high: f64) {
        self.least = (self.least.0.min(x - half_wide), self.least.1.min(y - half_high));
        self.most = (self.most.0.max(x + half_wide), self.most.1.max(y + half_high));
    }

    fn width(&self) -> f64 {
        (self.most.0 - self.least.0 + 12.0).max(420.0)
    }

    fn view_box(&self) -> String {
        let (width, height) = (self.width(), self.most.1 - self.least.1 + 8.0);
        let left = f64::midpoint(self.least.0, self.most.0) - width / 2.0;
        format!("{} {} {} {}", round(left), round(self.least.1 - 4.0), round(width), round(height))
    }
}

/// An edge, bent outward so that it and its way back are two.
struct Edge {
    from: (f64, f64),
    bend: (f64, f64),
    to: (f64, f64),
    label: (f64, f64),
    side: Side,
}

/// On which side of its place a label stands: outside of the round, so that it lies on nothing.
#[derive(Clone, Copy)]
enum Side {
    Left,
    Middle,
    Right,
}

impl Side {
    fn anchor(self) -> &'static str {
        match self {
            Side::Left => "end",
            Side::Middle => "middle",
            Side::Right => "start",
        }
    }

    /// Where the label's middle is, in halves of its width.
    fn offset(self) -> f64 {
        match self {
            Side::Left => -1.0,
            Side::Middle => 0.0,
            Side::Right => 1.0,
        }
    }
}

impl Edge {
    /// Between boxes that are `half_wide` to both sides; the round's middle is the origin.
    fn between(from: (f64, f64), to: (f64, f64), half_wide: f64, count: usize) -> Edge {
        let (across, down) = (to.0 - from.0, to.1 - from.1);
        let length = across.hypot(down).max(1.0);
        let normal = (down / length, -across / length);
        let amount = if count == 2 { 70.0 } else { 22.0 };
        let middle = (f64::midpoint(from.0, to.0), f64::midpoint(from.1, to.1));
        // Outward: away from the middle, or for two, the way there above and the way back below.
        let outward = middle.0 * normal.0 + middle.1 * normal.1;
        let side = if count == 2 || outward >= 0.0 { 1.0 } else { -1.0 };
        let bend = (middle.0 + side * amount * normal.0, middle.1 + side * amount * normal.1);
        let end = |point: (f64, f64)| {
            let (x, y) = (bend.0 - point.0, bend.1 - point.1);
            // The edge ends at the box, not in its middle.
            let scale = ((half_wide + 6.0) / x.abs().max(0.01)).min((HALF + 5.0) / y.abs().max(0.01)).min(0.9);
            (point.0 + x * scale, point.1 + y * scale)
        };
        let (from, to) = (end(from), end(to));
        let (right, up) = (side * normal.0, side * normal.1);
        let stands = match right {
            _ if count == 2 || right.abs() < 0.1 => Side::Middle,
            _ if right > 0.0 => Side::Right,
            _ => Side::Left,
        };
        let mut edge = Edge { from, bend, to, label: (0.0, 0.0), side: stands };
        let middle = edge.middle();
        edge.label = (middle.0 + 9.0 * right, middle.1 + if count == 2 { 14.0 } else { 11.0 } * up + 4.0);
        edge
    }

    /// The middle of the curve, which is half-way to its bend.
    fn middle(&self) -> (f64, f64) {
        let on = |a: f64, bend: f64, b: f64| a / 4.0 + bend / 2.0 + b / 4.0;
        (on(self.from.0, self.bend.0, self.to.0), on(self.from.1, self.bend.1, self.to.1))
    }

    fn path(&self) -> String {
        let point = |(x, y): (f64, f64)| format!("{} {}", round(x), round(y));
        format!("M {} Q {} {}", point(self.from), point(self.bend), point(self.to))
    }
}

fn round(number: f64) -> String {
    format!("{:.1}", number)
}

fn label(step: &StepReport, key_length: usize) -> String {
    match &step.key {
        Some(key) => format!("{} · {}", step.relation, clean(&shorten(key.get(), key_length))),
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
        figure.intervals.dense[witness.operations.len() > MOST_ROOMY] aria-label="Operations in the order of their records" {
            @for at in order {
                @let op = &witness.operations[at];
                @let start = op.records.first().map_or(0, |at| rank(*at));
                @let ends = op.records.len() > 1 || op.status == "observed";
                @let end = if ends { op.records.last().map_or(last, |at| rank(*at)) } else { last };
                @let point = op.records.len() == 1 && ends;
                @let open = op.status == "info" || op.status == "no completion";
                @let is_last = impossible == Some(at);
                a.interval.impossible[is_last] href={ "#" (id) "-" (at) } data-at=(op.position) {
                    span.what {
                        b { (clean(&shorten(&op.name, 16))) } " " (clean(&shorten(&op.does, 110))) " "
                        span.who { (finding::who(op)) @if op.status != "ok" && op.status != "observed" { ", " (op.status) } }
                        @if is_last { span.unseen { " (can't be)" } }
                    }
                    @if let Some(step) = witness.steps.last().filter(|step| is_last && !step.because.is_empty()) {
                        span.why-not { (clean(&shorten(&step.because, 240))) }
                    }
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
fn lanes(witness: &WitnessReport, moments: &[MomentReport], id: &str) -> Markup {
    let names = super::super::timeline::lanes(moments);
    let first = moments.iter().filter_map(|moment| moment.time_ns).min();
    let fault = fault(witness, moments);
    html! {
        figure.lanes {
            table aria-label="What happened, in time, by who did it" {
                thead { tr { th scope="col" { "time" } @for lane in &names { th scope="col" { (lane) } } } }
                tbody {
                    @for (at, moment) in moments.iter().enumerate() {
                        @let lane = super::super::timeline::lane(moment);
                        @let when = match moment.time_ns.zip(first) {
                            Some((time, first)) if time == first => "0 s".to_owned(),
                            Some((time, first)) => format!("+{}", duration(time.saturating_sub(first))),
                            None => format!("record {}", moment.position),
                        };
                        @let href = named(witness, moment.position).1.map(|at| format!("#{id}-{at}"));
                        tr.fault[fault == Some(at)] data-at=(moment.position) {
                            td.when { a href=[href] { (when) } }
                            @for name in &names {
                                @if *name == lane {
                                    td.here data-lane=(name) { (clean(&moment.what)) @if fault == Some(at) { span.unseen { " (the fault)" } } }
                                } @else { td {} }
                            }
                            // Where there are more parties than columns, no moment is lost.
                            @if !names.contains(&lane) { td.here data-lane=(lane) { (lane) ": " (clean(&moment.what)) } }
                        }
                    }
                }
            }
        }
    }
}

/// The moment that must not have been: the last step is about it; where there are no steps, the last of what the witness
/// names. Of something that is missing, it is the moment by which it should have been there.
fn fault(witness: &WitnessReport, moments: &[MomentReport]) -> Option<usize> {
    let of = |position: u32| {
        let records = witness.operations.iter().filter(|op| op.position == position).flat_map(|op| op.records.iter());
        let known: Vec<u32> = records.copied().chain([position]).collect();
        moments.iter().rposition(|moment| known.contains(&moment.position))
    };
    let told = witness.steps.last().and_then(|step| of(step.to).or_else(|| of(step.from)));
    let named = || witness.operations.last().and_then(|op| of(op.position));
    told.or_else(named).or(moments.len().checked_sub(1))
}
