//! A failure in time: one lane for every party, time running down.

use super::page::{ASIDE, Cell, HEADING, Page};
use super::text::{clean, duration, shorten, width};
use super::view::MomentReport;

/// The narrowest lane in which a sentence can be read.
const NARROWEST: usize = 14;

/// The moments as lanes where they fit, else as a list.
pub(super) fn render(page: &mut Page, indent: usize, moments: &[MomentReport]) {
    let lanes = lanes(moments);
    let first = moments.iter().filter_map(|moment| moment.time_ns).min();
    let time = |moment: &MomentReport| match moment.time_ns.zip(first) {
        Some((time, first)) if time == first => "0 s".to_owned(),
        Some((time, first)) => format!("+{}", duration(time.saturating_sub(first))),
        None => format!("record {}", moment.position),
    };
    let times = moments.iter().map(|moment| width(&time(moment))).max().unwrap_or(0).max("time".len());
    let room = page.width().saturating_sub(indent + times + 3 * lanes.len());
    let each = room / lanes.len().max(1);
    if each < NARROWEST {
        let row = |moment: &MomentReport| {
            let what = clean(&moment.what);
            vec![Cell::inked(time(moment), ASIDE), Cell::inked(lane(moment), HEADING), Cell::from(what)]
        };
        let rows: Vec<Vec<Cell>> = moments.iter().map(row).collect();
        page.grid(indent, &rows, &[16, 16]);
        return;
    }
    let mut rows = vec![vec![Cell::inked("time", ASIDE)]];
    rows[0].extend(lanes.iter().map(|lane| Cell::inked(lane.clone(), HEADING)));
    for moment in moments {
        let mut row = vec![Cell::inked(time(moment), ASIDE)];
        let lane = lane(moment);
        row.extend(lanes.iter().map(|other| match *other == lane {
            true => Cell::from(clean(&moment.what)),
            false => Cell::default(),
        }));
        rows.push(row);
    }
    page.lanes(indent, &rows);
}

pub(super) fn lane(moment: &MomentReport) -> String {
    clean(&shorten(&moment.lane, 24))
}

/// The lanes from the caller to what it calls, then the others as they first appear.
pub(super) fn lanes(moments: &[MomentReport]) -> Vec<String> {
    let known = ["client", "producer", "broker", "consumer", "service", "store"];
    let mut lanes: Vec<String> = Vec::new();
    for moment in moments {
        /// More lanes than this never fit: then the list is shown, which needs no lanes.
        const MOST: usize = 12;
        let lane = lane(moment);
        if !lanes.contains(&lane) && lanes.len() < MOST {
            lanes.push(lane);
        }
    }
    // `consumer 10` is a consumer.
    let kind = |lane: &String| lane.split(' ').next().unwrap_or("").to_owned();
    lanes.sort_by_key(|lane| known.iter().position(|name| *name == kind(lane)).unwrap_or(known.len()));
    lanes
}
