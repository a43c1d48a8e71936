//! The weaker guarantees of transactions by definition only: every commit order, visibility and order of versions is tried.
//!
//! A *world* is one way in which the history may have come about: who happened, and an order of versions for each key. A guarantee holds
//! if it holds in one world.

use anachron::guarantee::Guarantee;

use super::brute::{Brute, Elements, Form};

/// A read of another's version: where in the program, of which key, and whose it is (none: the initial one).
#[derive(Clone, Copy, Debug)]
struct Seen {
    at: usize,
    key: usize,
    from: Option<usize>,
}

type Relation = Vec<Vec<bool>>;

/// One way.
#[derive(Debug)]
pub(crate) struct World {
    happened: Vec<usize>,
    /// By key and transaction: the place of its version.
    place: Vec<Vec<Option<usize>>>,
    /// By transaction.
    reads: Vec<Vec<Seen>>,
    /// By transaction and key: where in its program it last appended.
    last_append: Vec<Vec<Option<usize>>>,
    ww: Relation,
    wr: Relation,
    so: Relation,
    /// Every order of those that happened that contains ww and wr: the rank of each.
    orders: Vec<Vec<usize>>,
    /// Whether a transaction's reads contradict it; whether one misses what it had appended itself.
    contradicts: bool,
    misses_own: bool,
}

fn has(relation: &Relation, a: usize, b: usize) -> bool {
    relation[a][b]
}

fn union(one: &Relation, other: &Relation) -> Relation {
    one.iter().zip(other).map(|(a, b)| a.iter().zip(b).map(|(a, b)| *a || *b).collect()).collect()
}

fn closure(relation: &Relation) -> Relation {
    let mut closed = relation.clone();
    for middle in 0..closed.len() {
        let onward = closed[middle].clone();
        for row in closed.iter_mut().filter(|row| row[middle]) {
            row.iter_mut().zip(&onward).for_each(|(to, reached)| *to |= reached);
        }
    }
    closed
}

fn acyclic(relation: &Relation) -> bool {
    let closed = closure(relation);
    (0..closed.len()).all(|t| !closed[t][t])
}

impl Brute {
    /// All worlds in which read-committed holds: every guarantee here implies it.
    pub(crate) fn worlds(&self) -> Vec<World> {
        let mut worlds = Vec::new();
        if !self.reads_are_committed() {
            return worlds;
        }
        for happened in self.cases() {
            let orders: Vec<Vec<Elements>> = (0..self.keys).map(|key| self.orders(&happened, key)).collect();
            if orders.iter().any(Vec::is_empty) {
                continue;
            }
            let mut choice = vec![0; self.keys];
            loop {
                let chosen: Vec<&[(u32, Option<usize>)]> =
                    (0..self.keys).map(|key| &orders[key][choice[key]][..]).collect();
                if self.acyclic(&happened, &chosen, Form::Plain, true, false) {
                    worlds.push(self.world(&happened, &chosen));
                }
                let Some(key) = (0..self.keys).find(|key| choice[*key] + 1 < orders[*key].len()) else { break };
                choice[key] += 1;
                choice[..key].fill(0);
            }
        }
        worlds
    }

    fn world(&self, happened: &[usize], orders: &[&[(u32, Option<usize>)]]) -> World {
        let count = self.txns.len();
        let writer = |key: usize, element: u32| {
            orders[key].iter().find(|placed| placed.0 == element).and_then(|placed| placed.1)
        };
        let mut world = World {
            happened: happened.to_vec(),
            place: vec![vec![None; count]; self.keys],
            reads: vec![Vec::new(); count],
            last_append: vec![vec![None; self.keys]; count],
            ww: vec![vec![false; count]; count],
            wr: vec![vec![false; count]; count],
            so: vec![vec![false; count]; count],
            orders: Vec::new(),
            contradicts: false,
            misses_own: false,
        };
        for (key, order) in orders.iter().enumerate() {
            for (at, (_, writer)) in order.iter().enumerate() {
                if let Some(writer) = writer {
                    world.place[key][*writer] = Some(at);
                }
            }
        }
        for &t in happened {
            let mut known: Vec<Option<Vec<u32>>> = vec![None; self.keys];
            let mut own: Vec<Vec<u32>> = vec![Vec::new(); self.keys];
            let mut last_own: Vec<Option<u32>> = vec![None; self.keys];
            for (at, mop) in self.txns[t].mops.iter().enumerate() {
                let Some(list) = &mop.list else {
                    last_own[mop.key] = Some(mop.element);
                    own[mop.key].push(mop.element);
                    world.last_append[t][mop.key] = Some(at);
                    continue;
                };
                let base = list.strip_suffix(&own[mop.key][..]);
                // A read after an own append shows that one last, whatever was read in between (Biswas and Enea, section 2).
                let shows_own = last_own[mop.key].is_none_or(|own| list.last() == Some(&own));
                world.misses_own |= base.is_none() || !shows_own;
                world.contradicts |= base.is_none() || known[mop.key].as_ref().is_some_and(|known| base != Some(known));
                known[mop.key] = Some(list.clone());
                own[mop.key].clear();
                let mut version = list.clone();
                while version.last().is_some_and(|last| writer(mop.key, *last) == Some(t)) {
                    version.pop();
                }
                let from = version.last().and_then(|last| writer(mop.key, *last));
                world.reads[t].push(Seen { at, key: mop.key, from });
                if let Some(from) = from {
                    world.wr[from][t] = true;
                }
            }
        }
        for &a in happened {
            for &b in happened.iter().filter(|b| **b != a) {
                world.ww[a][b] =
                    world.place.iter().any(|place| place[a].is_some() && place[b].is_some() && place[a] < place[b]);
                world.so[a][b] = self.before(a, b, Form::Session);
            }
        }
        world.orders = world.extensions();
        world
    }
}

impl World {
    fn extensions(&self) -> Vec<Vec<usize>> {
        let base = union(&self.ww, &self.wr);
        let mut found = Vec::new();
        let mut open: Vec<Vec<usize>> = vec![Vec::new()];
        while let Some(done) = open.pop() {
            if done.len() == self.happened.len() {
                let mut rank = vec![usize::MAX; base.len()];
                done.iter().enumerate().for_each(|(at, t)| rank[*t] = at);
                found.push(rank);
                continue;
            }
            for &t in self.happened.iter().filter(|t| !done.contains(t)) {
                let ready = self.happened.iter().all(|other| *other == t || done.contains(other) || !base[*other][t]);
                if ready {
                    open.push(done.iter().copied().chain([t]).collect());
                }
            }
        }
        found
    }

    /// Whether `writer` left a newer version than `from` did.
    fn newer(&self, key: usize, from: Option<usize>, writer: usize) -> bool {
        let place = &self.place[key];
        place[writer].is_some() && from.is_none_or(|from| place[from] < place[writer])
    }

    fn writers(&self, key: usize) -> impl Iterator<Item = usize> {
        self.happened.iter().copied().filter(move |t| self.place[key][*t].is_some())
    }

    /// Biswas and Enea's axioms: an order that contains `base`, in which whoever wrote x and is seen by a reader of x comes no later
    /// than the one that it read from.
    fn some_order(&self, base: &Relation, sees: impl Fn(usize, usize, usize) -> bool) -> bool {
        let contains = |rank: &Vec<usize>| {
            let all = &self.happened;
            all.iter().all(|a| all.iter().all(|b| !has(base, *a, *b) || rank[*a] < rank[*b]))
        };
        self.orders.iter().filter(|rank| contains(rank)).any(|rank| {
            self.happened.iter().all(|&t3| {
                self.reads[t3].iter().all(|read| {
                    let others = self.writers(read.key).filter(|t2| *t2 != t3 && Some(*t2) != read.from);
                    others
                        .into_iter()
                        .all(|t2| !sees(t2, t3, read.at) || read.from.is_some_and(|from| rank[t2] < rank[from]))
                })
            })
        })
    }

    /// Cerone, Bernardi and Gotsman: visibility within an order of all; no two writers of a key that don't see each other.
    fn visibility(&self, transitive: bool) -> bool {
        let depends = union(&self.ww, &self.wr);
        // The least one: what more is seen can only forbid more.
        let vis = if transitive { closure(&depends) } else { depends };
        self.orders.iter().any(|rank| {
            self.happened.iter().all(|&t| {
                self.reads[t].iter().all(|read| {
                    let seen = self.writers(read.key).filter(|w| *w != t && has(&vis, *w, t));
                    seen.max_by_key(|w| rank[*w]) == read.from
                })
            })
        })
    }

    /// Each read has a prefix of one order as its snapshot, before its own transaction's place; they advance.
    fn snapshots_advance(&self) -> bool {
        self.orders.iter().any(|rank| {
            self.happened.iter().all(|&t| {
                let mut least = 0;
                self.reads[t].iter().all(|read| {
                    let shows = |length: &usize| {
                        let inside = self.writers(read.key).filter(|w| rank[*w] < *length);
                        inside.max_by_key(|w| rank[*w]) == read.from
                    };
                    let first = (least..=rank[t]).find(shows);
                    least = first.unwrap_or(least);
                    first.is_some()
                })
            })
        })
    }

    /// No cycle with one rw edge.
    fn consistent_view(&self) -> bool {
        let path = closure(&union(&self.ww, &self.wr));
        self.happened.iter().all(|&t| {
            self.reads[t].iter().all(|read| {
                let missed = self.writers(read.key).filter(|w| *w != t && self.newer(read.key, read.from, *w));
                missed.into_iter().all(|w| !path[w][t])
            })
        })
    }

    /// The transaction's reads and writes apart, in program order: no cycle with one rw edge from a read.
    fn monotonic_view(&self) -> bool {
        let path = closure(&union(&self.ww, &self.wr));
        self.happened.iter().all(|&t| {
            self.reads[t].iter().all(|read| {
                let enters = |last: usize| {
                    let by_read = self.reads[t].iter().any(|other| other.at <= read.at && other.from == Some(last));
                    let by_write = (0..self.place.len()).any(|key| {
                        self.last_append[t][key].is_some_and(|at| at < read.at)
                            && self.place[key][last].is_some()
                            && self.newer(key, Some(last), t)
                    });
                    by_read || by_write
                };
                let back = |writer: usize| {
                    self.happened
                        .iter()
                        .any(|&last| last != t && (last == writer || path[writer][last]) && enters(last))
                };
                let missed = self.writers(read.key).filter(|w| *w != t && self.newer(read.key, read.from, *w));
                missed.into_iter().all(|writer| !back(writer))
            })
        })
    }

    /// No transaction writes a key of which it had read a version that another had overwritten in between.
    fn cursor_stability(&self) -> bool {
        self.happened.iter().all(|&t| {
            self.reads[t].iter().all(|read| {
                let written = self.last_append[t][read.key].is_some_and(|at| at > read.at);
                let between =
                    |w: usize| w != t && self.newer(read.key, read.from, w) && self.newer(read.key, Some(w), t);
                !written || !self.writers(read.key).any(between)
            })
        })
    }

    /// All writing transactions with any single other one.
    fn update_serializable(&self) -> bool {
        let mut all = union(&self.ww, &self.wr);
        for &t in &self.happened {
            for read in &self.reads[t] {
                for w in self.writers(read.key).filter(|w| *w != t && self.newer(read.key, read.from, *w)) {
                    all[t][w] = true;
                }
            }
        }
        let updates = |t: usize| self.last_append[t].iter().any(Option::is_some);
        self.happened.iter().all(|&one| {
            let counts = |t: usize| t == one || updates(t);
            let mut some = all.clone();
            for (a, row) in some.iter_mut().enumerate() {
                row.iter_mut().enumerate().for_each(|(b, edge)| *edge &= counts(a) && counts(b));
            }
            acyclic(&some)
        })
    }

    pub(crate) fn keeps(&self, guarantee: Guarantee) -> bool {
        use Guarantee as G;
        let (wr, with_so) = (&self.wr, union(&self.wr, &self.so));
        let (past, past_so) = (closure(wr), closure(&with_so));
        let earlier = |t2, t3: usize, at| self.reads[t3].iter().any(|read| read.at < at && read.from == Some(t2));
        let internal = !self.contradicts;
        match guarantee {
            G::MonotonicAtomicView => self.some_order(wr, earlier),
            G::ReadCommittedBiswasEnea => !self.misses_own && self.some_order(&with_so, earlier),
            G::ReadAtomic => internal && self.some_order(wr, |t2, t3, _| has(wr, t2, t3)),
            G::ReadAtomicBiswasEnea => internal && self.some_order(&with_so, |t2, t3, _| has(&with_so, t2, t3)),
            G::CausalCerone => internal && self.some_order(wr, |t2, t3, _| has(&past, t2, t3)),
            G::Causal => internal && self.some_order(&with_so, |t2, t3, _| has(&past_so, t2, t3)),
            G::UpdateAtomic => internal && self.visibility(false),
            G::ParallelSnapshotIsolation => internal && self.visibility(true),
            G::ConsistentView | G::ForwardConsistentView => self.consistent_view(),
            G::MonotonicView => self.monotonic_view(),
            G::MonotonicSnapshotRead => self.snapshots_advance(),
            G::CursorStability => self.cursor_stability(),
            G::UpdateSerializable => self.update_serializable(),
            other => panic!("{other} is not defined here"),
        }
    }
}
