//! The smallest contradiction between clusters, once it is known that there is one.
//!
//! Without compare-and-set the witness is a minimum: two clusters contradict each other, and of each at most its write and
//! two reads are needed (the one that ended first, the one that began last). So every cluster offers *pieces* of one, two
//! or three operations, and pairs of pieces are tried by their number of operations, from the smallest; each size is one
//! sort and one sweep. Cost: O(n log n) in the operations of the key.
//!
//! Between chains, the pieces of chain that hold the two clusters together come with them.

use super::proof::{Proof, Shape, Side, window};
use super::values::{INITIAL, NONE};
use super::zones::{Block, Clusters};
use crate::guarantee::Anomaly;
use crate::history::Status;
use crate::witness::Minimality;
use crate::workload::register::{Action, Key};

/// How many contradicting pairs of chains are measured against each other.
const CHAIN_PAIRS: usize = 64;

/// Part of a cluster: its write, and up to two of its reads.
#[derive(Clone, Copy)]
struct Piece {
    cluster: u32,
    first_end: u32,
    last_begin: u32,
    writer: u32,
    early: u32,
    late: u32,
}

impl Piece {
    fn side(&self) -> Side {
        let path = if self.writer == NONE { Vec::new() } else { vec![self.writer] };
        Side { path, early: self.early, late: self.late }
    }
}

/// The operation of each cluster that ended first, and the one that began last.
struct Extremes {
    early: Vec<u32>,
    late: Vec<u32>,
}

/// The reads that have a cluster, with its slot.
fn reads<'k>(key: &'k Key<'_>, clusters: &'k Clusters) -> impl Iterator<Item = (u32, u32)> + 'k {
    (0u32..).zip(key.action).filter(|(_, action)| **action == Action::Read).filter_map(move |(op, _)| {
        let at = op as usize;
        let slot = clusters.slots.of(key.value[at]);
        if slot == NONE || key.status[at] != Status::Ok {
            return None;
        }
        let writer = clusters.slots.writer[slot as usize];
        let future = slot != INITIAL && key.ended[at] < key.began[writer as usize];
        (!future).then_some((op, slot))
    })
}

/// The smallest contradiction between blocks.
pub(super) fn smallest(key: &Key<'_>, clusters: &Clusters, blocks: &[Block]) -> Option<Proof> {
    let plain = between_clusters(key, clusters);
    if clusters.next.is_empty() {
        return plain;
    }
    let chained = between_chains(key, clusters, blocks);
    let mut best = plain.into_iter().chain(chained).min_by_key(|proof| proof.rank(key))?;
    best.minimality = Minimality::Bounded;
    Some(best)
}

fn between_clusters(key: &Key<'_>, clusters: &Clusters) -> Option<Proof> {
    let mut sizes = pieces(key, clusters);
    // Sorted when they are needed: most contradictions are found between the smallest.
    let mut sorted = 0;
    for total in 2..=6 {
        while sorted < sizes.len().min(total - 1) {
            sizes[sorted].sort_by_key(|piece| piece.first_end);
            sorted += 1;
        }
        let mut best: Option<(u32, u32, Piece, Piece)> = None;
        for small in 1..=total / 2 {
            let large = total - small;
            if large > 3 {
                continue;
            }
            sweep(key, &sizes[small - 1], &sizes[large - 1], &mut best);
            if small != large {
                sweep(key, &sizes[large - 1], &sizes[small - 1], &mut best);
            }
        }
        if let Some((_, _, a, b)) = best {
            let shape = Shape::Pair { sides: [a.side(), b.side()] };
            return Some(Proof::new(Anomaly::NonLinearizable, shape, &[]));
        }
    }
    None
}

/// Pieces by their number of operations, from one; the initial value's write counts for none.
fn pieces(key: &Key<'_>, clusters: &Clusters) -> [Vec<Piece>; 3] {
    let mut sizes: [Vec<Piece>; 3] = [Vec::new(), Vec::new(), Vec::new()];
    let alone = |cluster: usize, writer: u32| Piece {
        cluster: u32::try_from(cluster).unwrap_or(NONE),
        first_end: key.ended[writer as usize].saturating_add(1),
        last_begin: key.began[writer as usize] + 1,
        writer,
        early: writer,
        late: writer,
    };
    let count = clusters.slots.len();
    for slot in 1..count {
        if clusters.happened(key, slot) {
            sizes[0].push(alone(slot, clusters.slots.writer[slot]));
        }
    }
    let mut early = vec![NONE; count];
    let mut late = vec![NONE; count];
    for (read, slot) in reads(key, clusters) {
        let (at, cluster) = (read as usize, slot as usize);
        let (end, begin) = (key.ended[at] + 1, key.began[at] + 1);
        if slot == INITIAL {
            let piece = Piece { cluster: slot, first_end: 0, last_begin: begin, writer: NONE, early: NONE, late: read };
            sizes[0].push(piece);
            continue;
        }
        let mut piece = alone(cluster, clusters.slots.writer[cluster]);
        if end < piece.first_end {
            (piece.first_end, piece.early) = (end, read);
        }
        if begin > piece.last_begin {
            (piece.last_begin, piece.late) = (begin, read);
        }
        sizes[1].push(piece);
        if early[cluster] == NONE || key.ended[at] < key.ended[early[cluster] as usize] {
            early[cluster] = read;
        }
        if late[cluster] == NONE || key.began[at] > key.began[late[cluster] as usize] {
            late[cluster] = read;
        }
    }
    for cluster in 1..count {
        if early[cluster] != late[cluster] {
            let mut piece = alone(cluster, clusters.slots.writer[cluster]);
            (piece.early, piece.late) = (early[cluster], late[cluster]);
            piece.first_end = key.ended[piece.early as usize] + 1;
            piece.last_begin = key.began[piece.late as usize] + 1;
            sizes[2].push(piece);
        }
    }
    sizes
}

/// For each piece of `from`, the piece of `to` (sorted by first end) that began last among those it has to follow: where
/// that one has to follow it too, they contradict each other.
fn sweep(key: &Key<'_>, to: &[Piece], from: &[Piece], best: &mut Option<(u32, u32, Piece, Piece)>) {
    // The two latest beginnings among the first pieces, of different clusters.
    let mut tops: Vec<[u32; 2]> = Vec::with_capacity(to.len() + 1);
    let [mut first, mut second] = [NONE, NONE];
    tops.push([first, second]);
    for (at, piece) in (0u32..).zip(to) {
        let later = |other: u32| other == NONE || to[other as usize].last_begin < piece.last_begin;
        if first != NONE && to[first as usize].cluster == piece.cluster {
            if later(first) {
                first = at;
            }
        } else if later(first) {
            [first, second] = [at, first];
        } else if later(second) {
            second = at;
        }
        tops.push([first, second]);
    }
    for piece in from {
        let reach = to.partition_point(|other| other.first_end < piece.last_begin);
        for other in tops[reach].into_iter().filter(|at| *at != NONE).map(|at| to[at as usize]) {
            if other.cluster == piece.cluster || other.last_begin <= piece.first_end {
                continue;
            }
            let operations: Vec<u32> = [piece, &other]
                .iter()
                .flat_map(|piece| [piece.writer, piece.early, piece.late])
                .filter(|op| *op != NONE)
                .collect();
            let (start, end) = window(key, &operations);
            if best.is_none_or(|(width, from, ..)| (end - start, start) < (width, from)) {
                *best = Some((end - start, start, *piece, other));
            }
        }
    }
}

fn extremes(key: &Key<'_>, clusters: &Clusters) -> Extremes {
    let mut extremes = Extremes { early: clusters.slots.writer.clone(), late: clusters.slots.writer.clone() };
    for (read, slot) in reads(key, clusters) {
        let (at, slot) = (read as usize, slot as usize);
        let early = &mut extremes.early[slot];
        if slot != INITIAL as usize && key.ended[at] < key.ended[*early as usize] {
            *early = read;
        }
        let late = &mut extremes.late[slot];
        if *late == NONE || key.began[at] > key.began[*late as usize] {
            *late = read;
        }
    }
    extremes
}

fn chain(clusters: &Clusters, head: u32) -> Vec<u32> {
    let mut members = vec![head];
    let mut at = clusters.next.get(head as usize).copied().unwrap_or(NONE);
    while at != NONE {
        members.push(at);
        at = clusters.next[at as usize];
    }
    members
}

/// Who writes the clusters from one place of a chain to another.
fn path(clusters: &Clusters, members: &[u32]) -> Vec<u32> {
    members.iter().map(|slot| clusters.slots.writer[*slot as usize]).filter(|writer| *writer != NONE).collect()
}

/// The shortest piece of a chain that contradicts itself: an operation of its last value ended before one of its first
/// began.
pub(super) fn within(key: &Key<'_>, clusters: &Clusters, head: u32) -> Option<Proof> {
    let members = chain(clusters, head);
    let mut best: Option<(usize, usize)> = None;
    // Places whose latest beginning no later place exceeds: beginnings fall from bottom to top.
    let mut stack: Vec<usize> = Vec::new();
    for (at, slot) in members.iter().enumerate() {
        let end = clusters.first_end[*slot as usize];
        let above = stack.partition_point(|place| clusters.last_begin[members[*place] as usize] > end);
        if above > 0 {
            let from = stack[above - 1];
            if best.is_none_or(|(a, b)| at - from < b - a) {
                best = Some((from, at));
            }
        }
        let begin = clusters.last_begin[*slot as usize];
        while stack.last().is_some_and(|place| clusters.last_begin[members[*place] as usize] <= begin) {
            stack.pop();
        }
        stack.push(at);
    }
    let (from, to) = best?;
    let extremes = extremes(key, clusters);
    let shape = Shape::Chain {
        path: path(clusters, &members[from..=to]),
        early: extremes.early[members[to] as usize],
        late: extremes.late[members[from] as usize],
    };
    let mut proof = Proof::new(Anomaly::NonLinearizable, shape, &[]);
    proof.minimality = Minimality::Bounded;
    Some(proof)
}

fn between_chains(key: &Key<'_>, clusters: &Clusters, blocks: &[Block]) -> Option<Proof> {
    let mut forward: Vec<&Block> = blocks.iter().filter(|block| block.first_end < block.last_begin).collect();
    forward.sort_by_key(|block| (block.first_end, block.last_begin));
    let mut pairs: Vec<[&Block; 2]> = Vec::new();
    let mut furthest: Option<&Block> = None;
    let mut reaches: Vec<&Block> = Vec::with_capacity(forward.len());
    for block in &forward {
        if let Some(other) = furthest.filter(|other| block.first_end < other.last_begin) {
            pairs.push([other, block]);
        }
        furthest = furthest.filter(|other| other.last_begin > block.last_begin).or(Some(block));
        reaches.extend(furthest);
    }
    for block in blocks.iter().filter(|block| block.first_end >= block.last_begin) {
        let after = forward.partition_point(|zone| zone.first_end < block.last_begin);
        if after > 0 && block.first_end < reaches[after - 1].last_begin {
            pairs.push([reaches[after - 1], block]);
        }
    }
    pairs.sort_by_key(|[a, b]| a.last_begin.abs_diff(a.first_end).max(b.last_begin.abs_diff(b.first_end)));
    let extremes = extremes(key, clusters);
    let sides = pairs.iter().take(CHAIN_PAIRS).filter_map(|[a, b]| {
        let first = nearest(clusters, a, b.first_end, b.last_begin)?;
        let second = nearest(clusters, b, first.first_end, first.last_begin)?;
        let shape = Shape::Pair { sides: [first.side(clusters, &extremes), second.side(clusters, &extremes)] };
        Some(Proof::new(Anomaly::NonLinearizable, shape, &[]))
    });
    sides.min_by_key(|proof| proof.rank(key))
}

/// A piece of a chain.
struct Stretch {
    members: Vec<u32>,
    /// The ends of `members` at which something ended early, and began late.
    early: u32,
    late: u32,
    first_end: u32,
    last_begin: u32,
}

impl Stretch {
    fn side(&self, clusters: &Clusters, extremes: &Extremes) -> Side {
        Side {
            path: path(clusters, &self.members),
            early: extremes.early[self.early as usize],
            late: extremes.late[self.late as usize],
        }
    }
}

/// The two nearest members of a block such that one ended before `last_begin` and one began after `first_end`.
fn nearest(clusters: &Clusters, block: &Block, first_end: u32, last_begin: u32) -> Option<Stretch> {
    let members = chain(clusters, block.head);
    let (mut early, mut late): (Option<usize>, Option<usize>) = (None, None);
    let mut best: Option<(usize, usize)> = None;
    for (at, slot) in members.iter().enumerate() {
        if clusters.first_end[*slot as usize] < last_begin {
            early = Some(at);
        }
        if clusters.last_begin[*slot as usize] > first_end {
            late = Some(at);
        }
        if let (Some(e), Some(l)) = (early, late)
            && best.is_none_or(|(be, bl)| e.abs_diff(l) < be.abs_diff(bl))
        {
            best = Some((e, l));
        }
    }
    let (e, l) = best?;
    Some(Stretch {
        early: members[e],
        late: members[l],
        first_end: clusters.first_end[members[e] as usize],
        last_begin: clusters.last_begin[members[l] as usize],
        members: members[e.min(l)..=e.max(l)].to_vec(),
    })
}
