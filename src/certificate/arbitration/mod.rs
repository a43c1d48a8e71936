//! Guarantees of sessions, and causal ones of single reads and writes: orders of all writes that explain what reads show.
//!
//! Each of these guarantees says that there is an order of the writes (an arbitration), one for everybody, or one for each session, each
//! server or each read; the orders are the evidence. The history says the rest. [`RULES`] has a line for each guarantee:
//!
//! 1. Every order holds each write that happened, once. It contains what the history tells of versions (`scene`): a `cas` comes
//!    after the write of the value that it replaced, and a list's appends stand as every read of the list shows them. Where the
//!    rule says so, it also contains each session's order of its writes (monotonic writes), and puts each write after those that
//!    its session had read before it (writes follow reads).
//! 2. An order explains a read (`explain`) if, of the writes of its key that it had to see, the last one is what it shows. What it
//!    had to see is the rule's: its session's own writes, what its session had read, all that led to it, or all that comes
//!    before its own place in the order.
//! 3. For everybody, for each session, or for each read, some order of the certificate explains all.
//!
//! With both of the additions of 1, and all that led to a read, this is Terry's four guarantees together, closed as in
//! DEFINITIONS.md; of everybody that is causal convergence, of a read weak causal consistency (Brzezinski, Sobaniec, Wawrzyniak
//! 2004; Bouajjani, Enea, Guerraoui, Hamza 2017). A place for a session's reads in the order is PRAM and, where the
//! order contains causality, causal memory.
//!
//! Cost: linear in the history for an order; what led to a read is looked up session by session, so linear in the history
//! for a session that writes.

mod explain;
mod scene;
mod servers;

use serde::{Deserialize, Serialize};

use self::explain::Unexplained;
use self::scene::{Places, Scene};
use self::servers::Owes;
use super::evidence::other;
use super::{Beside, Certificate, Claim, Ruling, Set};

/// All writes that happened, in an order that versions can have had.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Writes {
    /// The positions of the operations that write.
    pub operations: Vec<u32>,
    /// Which of an operation's micro-operations each of these is; absent for registers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub micro_operations: Vec<u32>,
    /// Ascending: which of these (from 0) share the place of the one before them. Only for what servers show, where one that went back
    /// has shown either before the other.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shares: Vec<u32>,
}

/// Which writes a read had to see.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Visible {
    /// None: what reads show is not asked.
    None,
    /// Its session's earlier ones.
    Own,
    /// Those that its session's earlier reads showed.
    Seen,
    /// All that lead to it by session order and by what reads show.
    Past,
    /// All before a place in the order that is its own, and that keeps its session's order.
    Placed,
    /// All before a place in the order that is its own; no earlier read of its session has a later one, whatever it wrote.
    Prefix,
    /// At a server: those that what it had shown by then brings with it.
    There(Owes),
}

/// For whom one order explains all.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum OneFor {
    Everybody,
    Session,
    Server,
    Read,
}

/// What a guarantee asks of orders.
#[derive(Clone, Copy, Debug)]
struct Rule {
    /// Each session's order of its writes is in every order.
    monotonic_writes: bool,
    /// Each write comes after what its session had read before.
    writes_follow_reads: bool,
    visible: Visible,
    one_for: OneFor,
}

const fn rule_of(writes: bool, reads: bool, visible: Visible, one_for: OneFor) -> Rule {
    Rule { monotonic_writes: writes, writes_follow_reads: reads, visible, one_for }
}

/// What each guarantee asks: see the text of this file.
const RULES: &[(&str, Rule)] = &[
    ("read-your-writes", rule_of(false, false, Visible::Own, OneFor::Session)),
    ("read-your-writes@global", rule_of(false, false, Visible::Own, OneFor::Everybody)),
    ("monotonic-reads", rule_of(false, false, Visible::Seen, OneFor::Session)),
    ("monotonic-reads@global", rule_of(false, false, Visible::Seen, OneFor::Everybody)),
    ("monotonic-writes", rule_of(true, false, Visible::None, OneFor::Everybody)),
    ("monotonic-writes@global", rule_of(true, false, Visible::None, OneFor::Everybody)),
    ("writes-follow-reads", rule_of(false, true, Visible::None, OneFor::Everybody)),
    ("writes-follow-reads@global", rule_of(false, true, Visible::None, OneFor::Everybody)),
    ("monotonic-writes@node", rule_of(true, false, Visible::There(Owes::Writes), OneFor::Server)),
    ("writes-follow-reads@node", rule_of(false, true, Visible::There(Owes::Reads), OneFor::Server)),
    ("session", rule_of(true, true, Visible::Past, OneFor::Session)),
    ("session@global", rule_of(true, true, Visible::Past, OneFor::Everybody)),
    ("causal", rule_of(true, true, Visible::Past, OneFor::Everybody)),
    ("weak-causal", rule_of(true, true, Visible::Past, OneFor::Read)),
    ("consistent-prefix", rule_of(true, false, Visible::Prefix, OneFor::Everybody)),
    ("pram", rule_of(true, false, Visible::Placed, OneFor::Session)),
    ("causal-memory", rule_of(true, true, Visible::Placed, OneFor::Session)),
];

/// What becomes of a claim that these orders show its guarantee.
pub(super) fn rule(beside: &Beside<'_>, certificate: &Certificate, claim: &Claim, orders: &[Writes]) -> Ruling {
    let rule = RULES.iter().find(|(name, _)| *name == claim.guarantee).map(|(_, rule)| rule);
    let of_transactions = certificate.workload == "list-append";
    // Of transactions, these ask for more than of single reads and writes.
    let is_more = |rule: &Rule| {
        rule.visible == Visible::Prefix || rule.visible == Visible::Past && rule.one_for == OneFor::Everybody
    };
    match rule.filter(|rule| certificate.workload == "register" || of_transactions && !is_more(rule)) {
        Some(rule) => prove(beside, rule, orders).map_or_else(|ruling| ruling, Ruling::Proved),
        None => other(certificate, claim),
    }
}

fn refuse<T>(why: String) -> Result<T, Ruling> {
    Err(Ruling::Refused(why))
}

fn prove(beside: &Beside<'_>, rule: &Rule, orders: &[Writes]) -> Result<String, Ruling> {
    let count = orders.len();
    if count == 0 {
        return Err(Ruling::Unproved("no order is given".to_owned()));
    }
    if rule.one_for == OneFor::Everybody && count > 1 {
        return refuse(format!("one order has to serve for everybody, and {count} are given"));
    }
    let scene = Scene::new(beside.accesses()?, orders)?;
    let mut tested = scene.tested(rule);
    // Reads for which no order has been found yet: all at first.
    let mut open: Option<Vec<Unexplained>> = None;
    for (number, writes) in orders.iter().enumerate() {
        let place = || if count > 1 { format!("order {}, ", number + 1) } else { String::new() };
        let order = Places::new(&scene, writes).map_err(|why| Ruling::Refused(place() + &why))?;
        order.contains(rule).map_err(|why| Ruling::Refused(place() + &why))?;
        let failed = match rule.visible {
            Visible::There(owes) => {
                let (failed, count) = servers::unexplained(&order, owes);
                tested = count;
                failed
            }
            _ if !writes.shares.is_empty() => return refuse(format!("{}no two writes can share a place", place())),
            visible => order.unexplained(visible)?,
        };
        open = Some(match open.take() {
            None => failed,
            Some(open) => still_open(&scene, rule.one_for, open, &failed),
        });
    }
    if let Some(one) = open.iter().flatten().next() {
        let among = if count > 1 { format!(" (in the last of {count} orders; none serves)") } else { String::new() };
        return refuse(one.why(&scene) + &among);
    }
    if tested == 0 {
        return Err(Ruling::Unproved("nothing that was observed could have refuted it".to_owned()));
    }
    Ok(text(rule, orders, tested))
}

/// Of those for whom no earlier order explained all, those for whom this one doesn't either.
fn still_open(
    scene: &Scene<'_, '_>,
    one_for: OneFor,
    open: Vec<Unexplained>,
    failed: &[Unexplained],
) -> Vec<Unexplained> {
    let unit = |one: &Unexplained| match one_for {
        OneFor::Everybody => 0,
        OneFor::Session => scene.accesses.rows[one.row as usize].session,
        OneFor::Server => scene.accesses.rows[one.row as usize].op.node().raw(),
        OneFor::Read => one.row,
    };
    let before: Set<u32> = open.iter().map(unit).collect();
    failed.iter().filter(|one| before.contains(&unit(one))).copied().collect()
}

fn text(rule: &Rule, orders: &[Writes], tested: u64) -> String {
    let writes = orders.first().map_or(0, |order| order.operations.len());
    let (count, keep) = match orders.len() {
        1 => (format!("one order of {writes} writes"), "keeps"),
        many => (format!("{many} orders of {writes} writes"), "keep"),
    };
    let kept = match (rule.monotonic_writes, rule.writes_follow_reads) {
        (false, false) => "what the history tells of versions",
        (true, false) => "what the history tells of versions and each session's order",
        (false, true) => "what the history tells of versions, and each write after what its session had read,",
        (true, true) => {
            "what the history tells of versions, each session's order, and each write after what its session had read,"
        }
    };
    let had_to_see = match rule.visible {
        Visible::None => return format!("{count} {keep} {kept} where {tested} writes could have broken it"),
        Visible::Own => "its session's own",
        Visible::Seen => "those that its session had read",
        Visible::Past => "those that led to it",
        Visible::Placed => "those before its place in its session's order",
        Visible::Prefix => "those before its place among its session's reads",
        Visible::There(_) => "those that its server had by then",
    };
    let whom = match rule.one_for {
        OneFor::Everybody => "for everybody",
        OneFor::Session => "for each session in one order",
        OneFor::Server => "for each server in one order",
        OneFor::Read => "for each read in one order",
    };
    format!("{count} {keep} {kept} and of {tested} reads each shows the last of {had_to_see}, {whom}")
}
