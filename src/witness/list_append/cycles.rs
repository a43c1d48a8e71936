//! Cycles in words, edge by edge.

use super::words::{Scene, meaning};
use super::{Appearance, Dependency, Mop, Order, Why};
use crate::guarantee::Anomaly;
use crate::history::Operation;

/// Adds a step for each edge; returns what the cycle means.
pub(super) fn tell(scene: &mut Scene<'_>, anomaly: Anomaly, steps: &[Dependency], happened: &[Appearance]) -> String {
    // The cycle's own transactions come first: T1 is where it begins.
    let names: Vec<String> = steps.iter().map(|step| scene.name(step.from)).collect();
    add_steps(scene, steps);
    let mut text = match missed(who_missed(scene, steps), anomaly) {
        Some(text) => text,
        None => format!("{}, which can't be. {}", circle(&names), meaning(anomaly)),
    };
    text.push_str(suffix(steps));
    tell_happened(scene, happened, &mut text);
    text
}

/// Who missed whom: where the one rw step leaves, and where it leads.
fn who_missed(scene: &mut Scene<'_>, steps: &[Dependency]) -> Option<(String, String)> {
    let step = steps.iter().find(|step| matches!(step.why, Why::ReadWrite { .. }))?;
    Some((scene.name(step.from), scene.name(step.to)))
}

/// Adds the steps of all cycles, one cycle after the other; returns what they mean together.
pub(super) fn tell_all(
    scene: &mut Scene<'_>,
    anomaly: Anomaly,
    cycles: &[Vec<Dependency>],
    happened: &[Appearance],
) -> String {
    let mut circles = Vec::new();
    for steps in cycles {
        let names: Vec<String> = steps.iter().map(|step| scene.name(step.from)).collect();
        let mut supposed = Vec::new();
        for step in steps {
            if let Why::Supposed { earlier, later } = step.why {
                let (first, second) = (scene.name(step.from), scene.name(step.to));
                let (one, other) = (scene.element(earlier), scene.element(later));
                supposed.push(format!("{first}'s append of {one} came before {second}'s of {other}"));
            }
        }
        circles.push(format!("if {}, {}", supposed.join(" and "), circle(&names)));
        add_steps(scene, steps);
    }
    let mut text =
        format!("No read shows the order of some appends, but every order is a circle: {}. ", circles.join("; "));
    text.push_str(meaning(anomaly));
    text.push_str(suffix(cycles.iter().flatten()));
    tell_happened(scene, happened, &mut text);
    text
}

fn add_steps(scene: &mut Scene<'_>, steps: &[Dependency]) {
    for step in steps {
        let (relation, about, because) = match step.why {
            Why::WriteWrite { earlier, later, order } => {
                ("ww", Some(earlier), write_write(scene, earlier, later, order))
            }
            Why::Supposed { earlier, later } => ("ww", Some(earlier), supposed(scene, earlier, later)),
            Why::WriteRead(shown) => ("wr", Some(shown.read), write_read(scene, shown)),
            Why::ReadWrite { read, later, order } => ("rw", Some(read), read_write(scene, read, later, order)),
            Why::Process => ("process", None, process(scene, step)),
            Why::Realtime => ("realtime", None, realtime(scene, step)),
        };
        scene.step(step.from, step.to, relation, about, because);
    }
}

fn tell_happened(scene: &mut Scene<'_>, happened: &[Appearance], text: &mut String) {
    for shown in happened {
        text.push_str(&format!(" ({}.)", scene.happened(*shown)));
    }
}

fn supposed(scene: &mut Scene<'_>, earlier: Mop, later: Mop) -> String {
    let (first, writer) = (scene.appended(earlier), scene.name(later.op));
    format!(
        "{first}, and {writer} {}{}, and no read shows either: suppose that this was their order",
        scene.element(later),
        scene.place(later)
    )
}

/// "T1 comes before T2, T2 before T3, and T3 before T1"; long ones are cut short.
fn circle(names: &[String]) -> String {
    let first = names.first().map_or("", String::as_str);
    let last = names.last().map_or("", String::as_str);
    match names.len() {
        2 => format!("{first} comes before {last}, and {last} before {first}"),
        3 => format!("{first} comes before {0}, {0} before {last}, and {last} before {first}", names[1]),
        _ => format!("{first} comes before {0}, {0} before ..., and {last} before {first} again", names[1]),
    }
}

/// What a cycle means of which one transaction's read is the point.
fn missed(who: Option<(String, String)>, anomaly: Anomaly) -> Option<String> {
    let (reader, writer) = who?;
    Some(match anomaly {
        Anomaly::NonMonotonicRead => format!(
            "{reader} saw what {writer} had done, and a later read of it missed another effect of {writer}: what it saw went \
             backward while it ran."
        ),
        Anomaly::FracturedRead => format!(
            "{reader} saw one effect of {writer} and missed another: it acted on half of a transaction, a state that rules \
             between keys need not survive."
        ),
        Anomaly::FracturedReadProcess => {
            format!("{reader} missed what its own session had done before, in {writer}.")
        }
        Anomaly::CausalityViolation | Anomaly::CausalityViolationProcess => {
            format!("{reader} saw what came of {writer}'s work and missed the work itself: an effect before its cause.")
        }
        Anomaly::UnseenConflict => format!(
            "{reader} appended after {writer} to the same key, and yet did not see all that {writer} had done: of two writers \
             of a key, one acted without knowledge of the other."
        ),
        Anomaly::GCursor => format!(
            "{reader} appended to a key that it had read, and between the two was {writer}'s append, which {reader} had not \
             seen: where it computed what to append from what it read, {writer}'s update is lost."
        ),
        Anomaly::GMonotonic => format!(
            "{reader}'s read missed {writer}, on which depends what {reader} had read or written before: what it saw went \
             backward while it ran."
        ),
        _ => return None,
    })
}

/// What only session order or real time shows.
fn suffix<'a>(steps: impl IntoIterator<Item = &'a Dependency>) -> &'static str {
    let (mut process, mut realtime) = (false, false);
    for step in steps {
        process |= step.why == Why::Process;
        realtime |= step.why == Why::Realtime;
    }
    if realtime {
        " The circle closes only because a transaction had returned before another began: the data alone allows an order."
    } else if process {
        " The circle closes only because of the order of transactions within a session: the data alone allows an order."
    } else {
        ""
    }
}

fn write_write(scene: &mut Scene<'_>, earlier: Mop, later: Mop, order: Order) -> String {
    let (first, writer) = (scene.appended(earlier), scene.name(later.op));
    let second = format!("{writer} appended {}{}", scene.element(later), scene.place(later));
    match order {
        Order::Shown(read) => {
            format!("{first}, and {second} after it, as {} shows", shown_by(scene, read, &[earlier, later]))
        }
        Order::Unobserved(read) => format!(
            "{first}, and {second}, which no read shows, while {} is the longest list of that key that was read: lists only \
             grow, so it came later",
            shown_by(scene, read, &[earlier])
        ),
    }
}

fn write_read(scene: &mut Scene<'_>, shown: Appearance) -> String {
    let read = scene.read(shown.read, &[]);
    let writer = scene.name(shown.append.op);
    format!("{read}, and its last element is what {writer} appended{}", scene.place(shown.append))
}

fn read_write(scene: &mut Scene<'_>, read: Mop, later: Mop, order: Order) -> String {
    let seen = scene.read(read, &[]);
    let writer = scene.name(later.op);
    let append = format!("{writer} appended {} to it{}", scene.element(later), scene.place(later));
    match order {
        Order::Shown(by) => format!("{seen}, and after that {append}, as {} shows", shown_by(scene, by, &[later])),
        Order::Unobserved(by) if by == read => {
            format!(
                "{seen}, the longest list of that key that was read; {append}, which no read shows, so it came later"
            )
        }
        Order::Unobserved(by) => format!(
            "{seen}, and {append}, which no read shows, while {} is the longest list of that key that was read: lists only \
             grow, so it came later",
            shown_by(scene, by, &[])
        ),
    }
}

/// "T3's read [1 2] shows" in the middle of a sentence.
fn shown_by(scene: &mut Scene<'_>, read: Mop, marks: &[Mop]) -> String {
    let name = scene.name(read.op);
    format!("{name}'s read {}{}", scene.list(read, marks), scene.place(read))
}

fn process(scene: &mut Scene<'_>, step: &Dependency) -> String {
    let session = scene.history.values().json(scene.op(step.from).session(), 60);
    let (from, to) = (scene.name(step.from), scene.name(step.to));
    let (first, second) = (scene.op(step.from), scene.op(step.to));
    format!("session {session} ran {from} (record {}) before {to} (record {})", first.position(), second.position())
}

fn realtime(scene: &mut Scene<'_>, step: &Dependency) -> String {
    let (from, to) = (scene.name(step.from), scene.name(step.to));
    let (first, second) = (scene.op(step.from), scene.op(step.to));
    let gap = match (first.completed_time(), second.invoked_time()) {
        (Some(end), Some(begin)) if begin > end => format!(", {} earlier", duration(begin - end)),
        _ => String::new(),
    };
    format!("{from} completed at record {}, before {to} {}{gap}", first.position(), began(&second))
}

fn began(op: &Operation<'_>) -> String {
    match op.invoked() {
        Some(record) => format!("was invoked at record {record}"),
        None => format!("could begin, at record {} (after its process's record before)", op.began()),
    }
}

/// Nanoseconds as people say them.
fn duration(nanoseconds: i64) -> String {
    let micros = nanoseconds / 1_000;
    match micros {
        0 => format!("{nanoseconds} ns"),
        1..1_000 => format!("{micros} us"),
        1_000..1_000_000 => format!("{}.{:03} ms", micros / 1_000, micros % 1_000),
        _ => format!("{}.{:03} s", micros / 1_000_000, micros / 1_000 % 1_000),
    }
}
