//! Certificates of what servers show: what holds is proved, an order is accepted exactly where the definition accepts it, and none
//! is for what is violated.

use std::collections::HashMap;

use anachron::budget::Budget;
use anachron::certificate::{Certificate, Claim, Evidence, Ruling, Writes, rule, verify_certificate};
use anachron::check::{Settings, certify, judge};
use anachron::contract::Requirement;
use anachron::guarantee::Guarantee;
use anachron::history::{History, OpId, Status, Value};
use anachron::verdict::{Outcome, Verdict};
use anachron::workload::Workload;

use super::brute::{Brute, Set, members};
use super::certificates::{named, read_back, shuffle};
use super::random::{self, Access, KEYS, Random, Small, What, lists, registers};
use super::servers::{BOTH, rounds, with_nodes};
use super::{history, verdict};

/// Writes in order, and which of them share the place of the one before.
type Line = (Vec<usize>, Vec<u32>);

/// When something was shown: see [`Case::first`].
type Moment = (u32, usize, usize);
const NEVER: Moment = (u32::MAX, 0, 0);

/// One history with its servers, and what a guarantee asks of their orders.
struct Case<'a> {
    history: &'a History,
    brute: &'a Brute,
    /// By access: the writes that its server has if it has this one.
    base: Vec<Set>,
}

impl<'a> Case<'a> {
    fn new(history: &'a History, brute: &'a Brute, guarantee: Guarantee) -> Case<'a> {
        let mut base = vec![0; brute.count];
        for at in members(brute.writes()) {
            base[at] = match guarantee {
                Guarantee::MonotonicWritesNode => brute.so[at] & brute.writes(),
                _ => brute.shown(brute.so[at]),
            };
        }
        Case { history, brute, base }
    }

    fn span(&self, read: usize) -> (u32, u32) {
        let op = self.history.op(OpId(u32::try_from(self.brute.small.accesses[read].op).expect("few")));
        (op.began(), if op.status() == Status::Ok { op.ended() } else { u32::MAX })
    }

    fn node(&self, read: usize) -> Value {
        self.history.op(OpId(u32::try_from(self.brute.small.accesses[read].op).expect("few"))).node()
    }

    /// The reads at each server.
    fn servers(&self) -> HashMap<Value, Vec<usize>> {
        let mut servers: HashMap<Value, Vec<usize>> = HashMap::new();
        for read in members(self.brute.counted).filter(|at| self.brute.shows(*at).is_some()) {
            if !self.node(read).is_null() {
                servers.entry(self.node(read)).or_default().push(read);
            }
        }
        servers
    }

    /// What a read shows: its last write, and what lists hold before their end, from there on.
    fn shown(&self, read: usize) -> Vec<usize> {
        let Some(last) = self.brute.shows(read).expect("a read").1 else { return Vec::new() };
        let mut all = vec![last];
        if self.brute.small.lists {
            all.extend(members(self.brute.known[last]));
            all.sort_by_key(|write| std::cmp::Reverse(self.brute.known[*write].count_ones()));
        }
        all
    }

    /// When a server had shown a write for the first time: at which position, by which read, as which of what it shows.
    fn first(&self, reads: &[usize], write: usize) -> Moment {
        let moment = |read: &usize| {
            let at = self.shown(*read).iter().position(|shown| *shown == write)?;
            Some((self.span(*read).1, *read, at)).filter(|moment| moment.0 != u32::MAX)
        };
        reads.iter().filter_map(moment).min().unwrap_or(NEVER)
    }

    /// Since when it owed a write that it had not shown.
    fn owed(&self, reads: &[usize], write: usize) -> Option<u32> {
        let leads = |other: &usize| {
            let mut owed = self.base[*other];
            loop {
                let more = members(owed).fold(owed, |all, one| all | self.base[one]);
                if more == owed {
                    return owed >> write & 1 == 1 && *other != write;
                }
                owed = more;
            }
        };
        let since = members(self.brute.writes()).filter(leads).map(|other| self.first(reads, other)).min()?;
        (since < self.first(reads, write)).then_some(since.0)
    }

    /// Whether an order is one of what happened, and contains what the guarantee asks of all sessions.
    fn contains(&self, (order, shares): &Line) -> bool {
        let mut sorted = order.clone();
        sorted.sort_unstable();
        let ascending = shares.windows(2).all(|pair| pair[0] < pair[1]);
        let within = shares.iter().all(|at| *at > 0 && (*at as usize) < order.len());
        if sorted != self.brute.written() || !ascending || !within {
            return false;
        }
        let rank = self.rank(&(order.clone(), shares.clone()));
        let place = |write: usize| order.iter().position(|one| *one == write);
        order.iter().all(|write| {
            members(self.base[*write]).all(|earlier| rank[earlier] < rank[*write])
                && members(self.brute.known[*write] & self.brute.writes()).all(|earlier| place(earlier) < place(*write))
        })
    }

    fn rank(&self, (order, shares): &Line) -> Vec<usize> {
        let mut rank = vec![0; self.brute.count];
        let mut last = 0;
        for (at, write) in order.iter().enumerate() {
            if !shares.iter().any(|share| *share as usize == at) {
                last = at + 1;
            }
            rank[*write] = last;
        }
        rank
    }

    /// Whether it explains all reads at one server.
    fn explains(&self, line: &Line, reads: &[usize]) -> bool {
        let rank = self.rank(line);
        reads.iter().all(|read| {
            let (key, seen) = self.brute.shows(*read).expect("a read");
            let began = self.span(*read).0;
            let of_key = |write: &usize| self.brute.small.accesses[*write].what == What::Write(key);
            members(self.brute.writes()).filter(of_key).all(|write| {
                let shown = self.first(reads, write).0 < began;
                // Owed until a read that began after that has shown it.
                let settled = |since: u32| {
                    reads.iter().any(|other| {
                        let (from, to) = self.span(*other);
                        self.brute.shows(*other) == Some((key, Some(write))) && from > since && to < began
                    })
                };
                let owed = self.owed(reads, write).filter(|since| *since < began);
                match seen {
                    None => owed.is_none(),
                    Some(seen) if seen == write => true,
                    Some(seen) => {
                        (!shown || rank[write] <= rank[seen])
                            && owed.is_none_or(|since| settled(since) || rank[write] < rank[seen])
                    }
                }
            })
        })
    }

    fn is_legal(&self, lines: &[Line]) -> bool {
        let served = |reads: &Vec<usize>| lines.iter().any(|line| self.explains(line, reads));
        let tested = self.servers().values().any(|reads| {
            reads.iter().any(|read| {
                let (key, _) = self.brute.shows(*read).expect("a read");
                let of_key = |write: &usize| self.brute.small.accesses[*write].what == What::Write(key);
                let owed = members(self.brute.writes()).filter(of_key).filter_map(|write| self.owed(reads, write));
                owed.min().is_some_and(|since| since < self.span(*read).0)
            })
        });
        !self.brute.spoilt
            && tested
            && !lines.is_empty()
            && lines.iter().all(|line| self.contains(line))
            && self.servers().values().all(served)
    }
}

fn certified(history: &History, workload: Workload) -> (Outcome, Certificate) {
    let requirements = BOTH.map(Requirement::new);
    let settings = Settings { requirements: &requirements, budget: &Budget::default() };
    let outcome = judge(history, workload, &settings).expect("of this vocabulary");
    let certificate = certify(history, workload, &outcome.judgements, &settings).expect("certified");
    (outcome, certificate)
}

/// What becomes of a claim with these orders.
fn ruling(case: &Case<'_>, workload: Workload, guarantee: Guarantee, lines: &[Line]) -> Ruling {
    let orders = lines
        .iter()
        .map(|(order, shares)| Writes { shares: shares.clone(), ..named(case.history, &case.brute.small, order) });
    let evidence = Evidence::Arbitrations(orders.collect());
    let claim = Claim { guarantee: guarantee.name().to_owned(), evidence, left_out: Vec::new() };
    rule(case.history, workload.name(), &claim)
}

#[derive(Default, Debug)]
struct Seen {
    proved: u32,
    shared: u32,
    several: u32,
    legal: u32,
    refused: u32,
    forged: u32,
}

/// Any two entries swapped, and one place more or less that is shared.
fn tampered(random: &mut Random, lines: &[Line]) -> Vec<Vec<Line>> {
    let mut all = Vec::new();
    for which in 0..lines.len() {
        let count = lines[which].0.len();
        for (a, b) in (0..count).flat_map(|a| (0..a).map(move |b| (a, b))) {
            let mut changed = lines.to_vec();
            changed[which].0.swap(a, b);
            all.push(changed);
        }
        let mut changed = lines.to_vec();
        let at = u32::try_from(random.below(count + 1)).expect("few");
        let shares = &mut changed[which].1;
        match shares.binary_search(&at) {
            Ok(found) => drop(shares.remove(found)),
            Err(place) => shares.insert(place, at),
        }
        all.push(changed);
    }
    all
}

fn check(small: &Small, workload: Workload, random: &mut Random, seen: &mut Seen) {
    let history = history(&small.records);
    let (outcome, certificate) = certified(&history, workload);
    let brute = Brute::new(small);
    let lines = verify_certificate(&history, &certificate);
    for guarantee in BOTH {
        let context =
            |what: &str| format!("{what}: {guarantee}\n{}{small:#?}\n{certificate:#?}\n{lines:#?}", small.records);
        let case = Case::new(&history, &brute, guarantee);
        if verdict(&outcome, guarantee) == Verdict::Holds {
            let at = certificate.claims.iter().position(|claim| claim.guarantee == guarantee.name());
            let at = at.unwrap_or_else(|| panic!("{}", context("not claimed")));
            match (&lines[at].ruling, &certificate.claims[at].evidence) {
                (Ruling::Proved(_), Evidence::Arbitrations(orders)) => {
                    let back = read_back(&history, small, orders).expect("writes");
                    let back: Vec<Line> =
                        back.into_iter().zip(orders).map(|(order, writes)| (order, writes.shares.clone())).collect();
                    assert!(case.is_legal(&back), "{back:?} {}", context("not legal"));
                    seen.proved += 1;
                    seen.several += u32::from(back.len() > 1);
                    seen.shared += u32::from(back.iter().any(|line| !line.1.is_empty()));
                    for changed in tampered(random, &back) {
                        let given = ruling(&case, workload, guarantee, &changed);
                        let legal = case.is_legal(&changed);
                        assert_eq!(
                            matches!(given, Ruling::Proved(_)),
                            legal,
                            "{given:?} {changed:?} {}",
                            context("tampered")
                        );
                        seen.legal += u32::from(legal);
                        seen.refused += u32::from(!legal);
                    }
                }
                (Ruling::Proved(_), _) => {}
                (Ruling::Unproved(why), _) if why.contains("in a circle") => {}
                other => panic!("{other:?} {}", context("not proved")),
            }
        } else if verdict(&outcome, guarantee) == Verdict::Violated {
            let mut order = brute.written();
            for _ in 0..4 {
                let shares = (1..order.len()).filter(|_| random.one_in(3)).map(|at| u32::try_from(at).expect("few"));
                let forged = [(order.clone(), shares.collect())];
                let given = ruling(&case, workload, guarantee, &forged);
                assert!(!matches!(given, Ruling::Proved(_)), "{given:?} {forged:?} {}", context("forged"));
                seen.forged += 1;
                shuffle(random, &mut order);
            }
        }
    }
}

/// Two servers that take each session's writes in its order, mostly, and one another's as they come; one of them goes back, now and
/// then.
fn replicas(random: &mut Random) -> Small {
    let mut small = Small::default();
    // By server: by session, how many of its writes it has taken; by key, what it shows, and what it had shown.
    let mut servers = [([0_usize; 2], [[None; 2]; KEYS]), ([0; 2], [[None; 2]; KEYS])];
    for op in 0..12 + random.below(10) {
        let (session, key, server) = (random.below(5), random.below(KEYS), random.below(2));
        let mut add = |what: What, f: &str, value: &str| {
            small.accesses.push(Access { op, session, status: random::Status::Ok, what });
            let node = if f == "read" { format!(r#","node":"{server}""#) } else { String::new() };
            for (kind, value) in [("invoke", if f == "read" { "null" } else { value }), ("ok", value)] {
                small.records.push_str(&format!(
                    "{{\"type\":\"{kind}\",\"process\":{session},\"f\":\"{f}\",\"key\":{key},\"value\":{value}{node}}}\n"
                ));
            }
        };
        if session < 2 && !random.one_in(4) {
            add(What::Write(key), "write", &op.to_string());
            continue;
        }
        if random.one_in(8) {
            servers[server].1[key].swap(0, 1);
        }
        let shown = servers[server].1[key][0];
        add(What::Read(key, shown), "read", &shown.map_or("null".to_owned(), |write: usize| write.to_string()));
        let (taken, shows) = &mut servers[server];
        for _ in 0..random.below(3) {
            let from = random.below(2);
            let of = |access: &&(usize, Access)| access.1.session == from && matches!(access.1.what, What::Write(_));
            let all: Vec<(usize, Access)> = small.accesses.iter().copied().enumerate().filter(|one| of(&one)).collect();
            let skipped = usize::from(random.one_in(20));
            let Some((write, access)) = all.get(taken[from] + skipped) else { continue };
            let What::Write(key) = access.what else { continue };
            shows[key] = [Some(*write), shows[key][0]];
            taken[from] += 1;
        }
    }
    small
}

fn run(make: impl Fn(&mut Random) -> Small, workload: Workload) -> Seen {
    let mut all = Seen::default();
    for round in 0..rounds() {
        let mut random = Random(23 + round);
        for _ in 0..300 {
            let small = make(&mut random);
            check(&small, workload, &mut random, &mut all);
        }
    }
    all
}

fn at_nodes(small: impl Fn(&mut Random) -> Small) -> impl Fn(&mut Random) -> Small {
    move |random| {
        let mut small = small(random);
        small.records = with_nodes(&small.records, random);
        small
    }
}

/// Goal: of registers at servers, some of which go back, each guarantee that holds is proved; with any two entries swapped, or
/// another place shared, an order is accepted exactly where the definition accepts it.
#[test]
fn orders_of_registers_at_servers() {
    let seen = run(at_nodes(registers), Workload::Register);
    assert!(seen.proved > 0 && seen.refused > 5 && seen.forged > 100, "{seen:?}");
    let seen = run(replicas, Workload::Register);
    assert!(seen.proved > 20 && seen.legal > 50 && seen.refused > 100 && seen.forged > 20, "{seen:?}");
}

/// Goal: the same of lists, which show what came before their last element too.
#[test]
fn orders_of_lists_at_servers() {
    let seen = run(at_nodes(lists), Workload::ListAppend);
    assert!(seen.proved > 5 && seen.refused > 50 && seen.forged > 100 && seen.shared > 0, "{seen:?}");
}

/// Goal: two servers that show writes in opposite orders have an order each; one that goes back by itself has one in which these writes
/// share a place, and nobody but servers may have that.
#[test]
fn servers_that_disagree_and_servers_that_go_back() {
    let text = |reads: &[(&str, &str, u32)]| {
        let writes = [("0", "x", 1), ("1", "x", 3), ("0", "y", 2)].map(|(process, key, value)| {
            format!(r#"{{"type":"ok","process":{process},"f":"write","key":"{key}","value":{value}}}"#)
        });
        let reads = reads.iter().flat_map(|(node, key, value)| {
            let line = |kind: &str, value: &str| {
                format!(r#"{{"type":"{kind}","process":2,"f":"read","key":"{key}","node":"{node}","value":{value}}}"#)
            };
            [line("invoke", "null"), line("ok", &value.to_string())]
        });
        writes.into_iter().chain(reads).collect::<Vec<String>>().join("\n")
    };
    let orders = |reads: &[(&str, &str, u32)]| {
        let history = history(&text(reads));
        let certificate = certified(&history, Workload::Register).1;
        let Evidence::Arbitrations(orders) = &certificate.claims[0].evidence else { panic!("{certificate:?}") };
        let lines = verify_certificate(&history, &certificate);
        assert!(matches!(lines[0].ruling, Ruling::Proved(_)), "{lines:?}");
        orders.clone()
    };
    let apart = orders(&[("a", "y", 2), ("a", "x", 1), ("a", "x", 3), ("b", "x", 3), ("b", "x", 1)]);
    assert!(apart.len() == 2 && apart.iter().all(|order| order.shares.is_empty()), "{apart:?}");
    let back = [("a", "y", 2), ("a", "x", 1), ("a", "x", 3), ("a", "x", 1)];
    let shared = orders(&back);
    assert!(shared.len() == 1 && shared[0].operations[..2] == [0, 1] && shared[0].shares == [1], "{shared:?}");
    let evidence = Evidence::Arbitrations(shared);
    let claim = Claim { guarantee: "monotonic-reads".to_owned(), evidence, left_out: Vec::new() };
    let given = rule(&history(&text(&back)), "register", &claim);
    assert!(matches!(&given, Ruling::Refused(why) if why.contains("share a place")), "{given:?}");
}
