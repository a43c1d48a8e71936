//! One key's staleness in figures, and the sum over all keys and nodes.

use rayon::prelude::*;

use super::clock::{Clock, between};
use super::delta::{Clusters, is_possible_order};
use super::freshness::Freshness;
use super::key::{KeyHistory, NONE};
use super::over_time::over_time;
use super::overwritten::{Stale, stale};
use super::range::Range;
use super::{Observed, atomicity};
use crate::budget::Budget;
use crate::check::delivery::figures::distribution;
use crate::verdict::Figures;

/// How many keys and nodes are listed one by one.
const MOST_LISTED: usize = 32;

/// One key.
pub(super) struct KeyFigures {
    pub(super) stale: Vec<Stale>,
    /// By how long each of these is stale, certainly; empty without a clock.
    pub(super) ages: Vec<i64>,
    /// How many reads began when some write had certainly taken effect: the others can't be stale.
    pub(super) judged: u64,
    /// None: no finite one is enough.
    delta_ns: Option<Range<i64>>,
    k: Option<Range<u32>>,
}

impl KeyFigures {
    /// `linearizable`: whether the key is known to be.
    fn new(key: &KeyHistory, clock: Option<&Clock>, linearizable: bool, budget: &Budget) -> KeyFigures {
        let stale = stale(key);
        let age = |clock: &Clock, stale: &Stale| {
            let read = &key.reads[stale.read as usize];
            between(clock.end(key.writes[stale.first as usize].ended), clock.begin(read.began, read.invoked))
        };
        let ages: Vec<i64> = clock.map_or_else(Vec::new, |clock| stale.iter().map(|one| age(clock, one)).collect());
        let first = key.by_end.iter().map(|write| key.writes[*write as usize].ended).find(|ended| *ended > 0);
        let early = first.map_or(key.reads.len(), |first| key.reads.partition_point(|read| read.began <= first));
        let mut figures = KeyFigures { judged: (key.reads.len() - early) as u64, stale, ages, delta_ns: None, k: None };
        figures.smallest(key, clock, linearizable, budget);
        figures
    }

    /// Finds delta and k.
    fn smallest(&mut self, key: &KeyHistory, clock: Option<&Clock>, linearizable: bool, budget: &Budget) {
        if !key.unexplained.is_empty() || key.contradictory {
            return;
        }
        let (versions, age) = (self.versions_max(), self.age_max());
        let timed = |exact: i64| if clock.is_some() { Range::exactly(exact) } else { Range::from(0) };
        if linearizable {
            (self.delta_ns, self.k) = (Some(Range::exactly(0)), Some(Range::exactly(1)));
        } else if let Some(order) = &key.order {
            if is_possible_order(key, order) {
                self.delta_ns = Some(if versions == 0 { Range::exactly(0) } else { timed(age.unwrap_or(0)) });
                self.k = Some(Range::exactly(versions.saturating_add(1)));
            }
        } else if key.replaces || !key.is_unambiguous() {
            self.delta_ns = Some(Range::from(age.unwrap_or(0)));
            self.k = Some(Range::from(versions.saturating_add(1)));
        } else {
            let clusters = Clusters::new(key, clock);
            let linearizable = clusters.is_linearizable();
            self.delta_ns = Some(match clock {
                Some(_) => Range::exactly(clusters.delta_ns(age.unwrap_or(0))),
                None if linearizable => Range::exactly(0),
                None => Range::from(0),
            });
            self.k = Some(if linearizable {
                Range::exactly(1)
            } else {
                atomicity::bounds(key, versions, &mut budget.meter())
            });
        }
    }

    pub(super) fn versions_max(&self) -> u32 {
        self.stale.iter().map(|stale| stale.versions).max().unwrap_or(0)
    }

    fn age_max(&self) -> Option<i64> {
        self.ages.iter().copied().max()
    }

    fn json(&self, name: serde_json::Value) -> serde_json::Value {
        serde_json::json!({
            "key": name,
            "stale_reads": self.stale.len(),
            "time_ns_max": self.age_max(),
            "versions_max": self.versions_max(),
            "delta_ns": self.delta_ns.map(Range::json),
            "k": self.k.map(Range::json),
        })
    }
}

/// Every key.
pub(super) fn all(observed: &Observed<'_>, linearizable: bool, budget: &Budget) -> Vec<KeyFigures> {
    let clock = observed.clock.as_ref();
    observed.keys.par_iter().map(|key| KeyFigures::new(key, clock, linearizable, budget)).collect()
}

/// What one server showed.
#[derive(Clone, Default)]
struct Server {
    reads: u64,
    stale: u64,
    versions_max: u32,
    ages: Vec<i64>,
}

impl Server {
    fn json(self, timed: bool) -> Figures {
        let mut figures = Figures::new();
        figures.insert("reads".to_owned(), self.reads.into());
        figures.insert("stale_reads".to_owned(), self.stale.into());
        figures.insert("versions_max".to_owned(), self.versions_max.into());
        if timed && self.stale > 0 {
            figures.insert("time_ns".to_owned(), without_count(distribution(self.ages)).into());
        }
        figures
    }
}

fn without_count(mut figures: Figures) -> Figures {
    figures.remove("count");
    figures
}

/// `measures.staleness`.
pub(super) fn measures(observed: &Observed<'_>, keys: &[KeyFigures]) -> Figures {
    let accesses = observed.accesses;
    let mut servers = vec![Server::default(); accesses.nodes.len()];
    // Its buckets would take more room than all else that is known of a key: they are added up at once.
    let freshness = observed.clock.as_ref().map_or_else(Freshness::new, |clock| {
        let all = observed.keys.par_iter().zip(keys);
        let add = |sum: Freshness, more: Freshness| sum.and(&more);
        let fold = all.fold(Freshness::new, |sum, (key, figures)| add(sum, Freshness::of(key, &figures.stale, clock)));
        fold.reduce(Freshness::new, add)
    });
    let (mut ages, mut versions) = (Vec::new(), Vec::new());
    let (mut reads, mut delta, mut k) = (0, Some(Range::exactly(0_i64)), Some(Range::exactly(1_u32)));
    for (history, key) in observed.keys.iter().zip(keys) {
        reads += history.reads.len() + history.unexplained.len();
        ages.extend(&key.ages);
        versions.extend(key.stale.iter().map(|stale| i64::from(stale.versions)));
        delta = delta.zip(key.delta_ns).map(|(a, b)| a.and(b));
        k = k.zip(key.k).map(|(a, b)| a.and(b));
        let node = |row: u32| accesses.node_of(row).filter(|_| row != NONE);
        if !servers.is_empty() {
            for read in &history.reads {
                if let Some(node) = node(read.row) {
                    servers[node as usize].reads += 1;
                }
            }
            for (at, stale) in key.stale.iter().enumerate() {
                let Some(node) = node(history.reads[stale.read as usize].row) else { continue };
                let server = &mut servers[node as usize];
                server.stale += 1;
                server.versions_max = server.versions_max.max(stale.versions);
                server.ages.extend(key.ages.get(at));
            }
        }
    }
    let timed = observed.clock.is_some();
    let mut figures = Figures::new();
    let mut put = |name: &str, value: serde_json::Value| _ = figures.insert(name.to_owned(), value);
    put("reads", reads.into());
    put("stale_reads", versions.len().into());
    // Without a clock nobody knows; nothing stale is 0 on any clock.
    let time_max = ages.iter().copied().max().or((versions.is_empty()).then_some(0));
    put("time_ns_max", time_max.into());
    put("versions_max", versions.iter().copied().max().unwrap_or(0).into());
    put("delta_ns", delta.map(Range::json).into());
    put("k", k.map(Range::json).into());
    if !versions.is_empty() {
        if timed {
            put("stale_ns", without_count(distribution(ages)).into());
        }
        put("stale_versions", without_count(distribution(versions)).into());
    }
    if !servers.is_empty() {
        let text = |node: &crate::history::Value| observed.name(*node);
        let named = accesses.nodes.iter().map(text).zip(servers).take(MOST_LISTED);
        let by_node: Figures = named.map(|(name, server)| (name, server.json(timed).into())).collect();
        put("by_node", by_node.into());
    }
    let mut worst: Vec<usize> = (0..keys.len()).filter(|key| !keys[*key].stale.is_empty()).collect();
    if keys.len() > 1 && !worst.is_empty() {
        worst.sort_by_key(|key| (std::cmp::Reverse((keys[*key].age_max(), keys[*key].versions_max())), *key));
        let listed = worst.iter().take(MOST_LISTED);
        let named = listed.map(|key| keys[*key].json(observed.json(accesses.keys[*key])));
        put("worst_keys", named.collect());
    }
    if timed {
        put("freshness", freshness.json());
    }
    if let Some(clock) = observed.clock.as_ref().filter(|_| !worst.is_empty()) {
        put("over_time", over_time(&observed.keys, keys, clock));
    }
    figures
}
