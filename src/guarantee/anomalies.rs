//! One row for each anomaly: what it is, what it does to data, what it implies, and what it rules out.
//!
//! A row names only the weakest guarantees that an anomaly rules out; all that imply one of these are ruled out with it. A
//! guarantee is judged by its own axioms, so `-process` cycles rule out only guarantees that contain session order, and
//! `-realtime` cycles only those that contain real time. What an implied anomaly rules out, the implying one rules out too.

use std::sync::LazyLock;

use super::{Anomaly, Family, Guarantee, delivery, sessions, staleness};

/// What is known of an anomaly.
#[derive(Debug)]
pub struct AnomalyRow {
    /// Other names for the same thing; without regard to case.
    pub aliases: &'static [&'static str],
    /// The kinds of guarantee it is evidence against.
    pub families: &'static [Family],
    /// In one line.
    pub meaning: &'static str,
    /// What it means for the data, in a sentence.
    pub consequence: &'static str,
    /// The paper or document that defines it.
    pub source: &'static str,
    /// Anomalies that are there too, wherever this one is, in a graph that has all edges.
    pub implies: &'static [Anomaly],
    /// The weakest guarantees that it rules out ...
    pub rules_out: &'static [Guarantee],
    /// ... and the families whose every guarantee it rules out.
    pub rules_out_families: &'static [Family],
}

/// A part of the table: a function that gives the row of each anomaly of this part.
macro_rules! rows {
    ($function:ident: $($anomaly:ident: $($family:ident),+; [$($alias:literal),*]; $meaning:literal; $consequence:literal; $source:literal;
        implies [$($implied:ident),*], rules out [$($guarantee:ident),*] $(all of [$($whole:ident),+])?;)+) => {
        pub(super) const fn $function(anomaly: Anomaly) -> Option<&'static AnomalyRow> {
            match anomaly {
                $(Anomaly::$anomaly => Some(&AnomalyRow {
                    aliases: &[$($alias),*],
                    families: &[$(Family::$family),+],
                    meaning: $meaning,
                    consequence: $consequence,
                    source: $source,
                    implies: &[$(Anomaly::$implied),*],
                    rules_out: &[$(Guarantee::$guarantee),*],
                    rules_out_families: &[$($(Family::$whole),+)?],
                }),)+
                _ => None,
            }
        }
    };
}
pub(super) use rows;

/// What each anomaly rules out, and the ranks of severity, worked out once.
struct Verdicts {
    rules_out: Vec<Vec<Guarantee>>,
    severity: Vec<usize>,
}

static VERDICTS: LazyLock<Verdicts> = LazyLock::new(|| {
    let rules_out: Vec<Vec<Guarantee>> = Anomaly::ALL.iter().map(|&anomaly| closed(anomaly)).collect();
    let mut order: Vec<Anomaly> = Anomaly::ALL.to_vec();
    order.sort_by_key(|&anomaly| (anomaly.order_needed(), usize::MAX - rules_out[anomaly as usize].len(), anomaly));
    let mut severity = vec![0; order.len()];
    for (rank, anomaly) in order.into_iter().enumerate() {
        severity[anomaly as usize] = rank;
    }
    Verdicts { rules_out, severity }
});

/// All that a guarantee entails which is ruled out by the row of this anomaly, or of one that it implies.
fn closed(anomaly: Anomaly) -> Vec<Guarantee> {
    let mut evidence = vec![anomaly];
    let mut next = 0;
    while let Some(&one) = evidence.get(next) {
        let news: Vec<Anomaly> = one.implies().iter().copied().filter(|implied| !evidence.contains(implied)).collect();
        evidence.extend(news);
        next += 1;
    }
    let directly = |weaker: Guarantee| {
        evidence.iter().map(|one| one.row()).any(|row| {
            row.rules_out.contains(&weaker)
                || weaker.families().iter().any(|family| row.rules_out_families.contains(family))
        })
    };
    let weakest: Vec<Guarantee> = Guarantee::ALL.iter().copied().filter(|&guarantee| directly(guarantee)).collect();
    Guarantee::ALL.iter().copied().filter(|stronger| weakest.iter().any(|&weaker| stronger.entails(weaker))).collect()
}

impl Anomaly {
    /// Its row in the table.
    #[must_use]
    pub const fn row(self) -> &'static AnomalyRow {
        if let Some(row) = consistency(self) {
            return row;
        }
        if let Some(row) = sessions::row(self) {
            return row;
        }
        if let Some(row) = staleness::row(self) {
            return row;
        }
        delivery::row(self)
    }

    /// Its other names.
    #[must_use]
    pub const fn aliases(self) -> &'static [&'static str] {
        self.row().aliases
    }

    /// The families it is evidence against.
    #[must_use]
    pub const fn families(self) -> &'static [Family] {
        self.row().families
    }

    /// What it is, in one line.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        self.row().meaning
    }

    /// What it means for the data, in a sentence.
    #[must_use]
    pub const fn consequence(self) -> &'static str {
        self.row().consequence
    }

    /// Who defined it.
    #[must_use]
    pub const fn source(self) -> &'static str {
        self.row().source
    }

    /// The anomalies that it directly implies.
    #[must_use]
    pub const fn implies(self) -> &'static [Anomaly] {
        self.row().implies
    }

    /// Whether it is one of these, by the table: wherever it is, the other one is too.
    #[must_use]
    pub fn is_instance_of(self, other: Anomaly) -> bool {
        let mut open = vec![self];
        let mut met = Vec::new();
        while let Some(next) = open.pop() {
            if next == other {
                return true;
            }
            if !met.contains(&next) {
                met.push(next);
                open.extend(next.implies());
            }
        }
        false
    }

    /// Every guarantee that it rules out, in the order of their table: those of its row, and all that imply one of these.
    #[must_use]
    pub fn rules_out(self) -> &'static [Guarantee] {
        &VERDICTS.rules_out[self as usize]
    }

    /// Its rank among all, 0 the most severe: cycles of data before those that need session order before those that need real
    /// time, as in Elle; among these, what rules out more guarantees first; then the order of the table.
    #[must_use]
    pub fn severity(self) -> usize {
        VERDICTS.severity[self as usize]
    }

    /// 0: data alone shows it; 1: with session order; 2: with real time.
    fn order_needed(self) -> u8 {
        match self.name() {
            name if name.ends_with("-realtime") => 2,
            name if name.ends_with("-process") => 1,
            _ => 0,
        }
    }
}

rows! { consistency:
    G0: Transactions; ["dirty-write", "P0", "write-cycle"];
        "transactions overwrote each other's writes in a circle";
        "Keys that were written together hold parts of different transactions' writes: what is stored is what nobody wrote.";
        "Adya 1999, ch. 3, G0; Berenson et al. 1995, P0";
        implies [G1c, G0Process], rules out [ReadUncommitted];
    G0Process: Transactions; [];
        "a G0 cycle that needs the order of a session";
        "It can be explained only if somebody's own session is taken out of its order: what a client did first seems to come later.";
        "Adya 1999, ch. 3, G0; Elle";
        implies [G1cProcess, G0Realtime], rules out [StrongSessionReadUncommitted];
    G0Realtime: Transactions; [];
        "a G0 cycle that needs the order of real time";
        "It can be explained only if something finished seems to come after what began later: clients that talk to each other see it.";
        "Adya 1999, ch. 3, G0; Elle";
        implies [G1cRealtime], rules out [StrongReadUncommitted];
    G1a: Transactions, Objects, Sessions; ["aborted-read", "AbortedRead", "dirty-read", "P1"];
        "a read shows what a failed operation wrote";
        "Somebody acted on a value that was taken back.";
        "Adya 1999, ch. 3, G1a";
        implies [], rules out [ReadCommitted] all of [Objects, Sessions];
    G1b: Transactions, Objects, Sessions; ["intermediate-read", "IntermediateRead"];
        "a read shows what a transaction wrote and then overwrote itself";
        "Somebody acted on a value that was never the outcome of anything.";
        "Adya 1999, ch. 3, G1b";
        implies [], rules out [ReadCommitted] all of [Objects, Sessions];
    G1c: Transactions; ["circular-information-flow"];
        "transactions depend on each other in a circle of writes and reads";
        "Each of these transactions saw or overwrote another's work, so none of them can have come first.";
        "Adya 1999, ch. 3, G1c";
        implies [G1cProcess], rules out [ReadCommitted];
    G1cProcess: Transactions; ["CyclicCO"];
        "a G1c cycle that needs the order of a session";
        "It can be explained only if somebody's own session is taken out of its order: what a client did first seems to come later.";
        "Adya 1999, ch. 3, G1c; Elle";
        implies [G1cRealtime], rules out [StrongSessionReadCommitted];
    G1cRealtime: Transactions; [];
        "a G1c cycle that needs the order of real time";
        "It can be explained only if something finished seems to come after what began later: clients that talk to each other see it.";
        "Adya 1999, ch. 3, G1c; Elle";
        implies [], rules out [StrongReadCommitted];
    GSingleItem: Transactions; ["read-skew", "A5A"];
        "a cycle in which exactly one transaction missed another's write, of an item";
        "A transaction saw part of another's effects and missed the rest, so it acted on a state that never was.";
        "Adya 1999, ch. 4, G-single; Berenson et al. 1995, A5A";
        implies [GSingle, GNonadjacentItem, GSingleItemProcess], rules out [ConsistentView, RepeatableRead];
    GSingleItemProcess: Transactions; [];
        "a G-single-item cycle that needs the order of a session";
        "It can be explained only if somebody's own session is taken out of its order: what a client did first seems to come later.";
        "Adya 1999, ch. 4, G-single; Elle";
        implies [GSingleProcess, GNonadjacentItemProcess, GSingleItemRealtime], rules out [StrongSessionSnapshotIsolation];
    GSingleItemRealtime: Transactions; [];
        "a G-single-item cycle that needs the order of real time";
        "It can be explained only if something finished seems to come after what began later: clients that talk to each other see it.";
        "Adya 1999, ch. 4, G-single; Elle";
        implies [GSingleRealtime, GNonadjacentItemRealtime], rules out [StrongSnapshotIsolation];
    GSingle: Transactions; [];
        "a cycle in which exactly one transaction missed another's write, through a predicate or of an item";
        "A transaction saw part of another's effects and missed the rest, so it acted on a state that never was.";
        "Adya 1999, ch. 4, G-single";
        implies [GNonadjacent, GSingleProcess], rules out [ConsistentView];
    GSingleProcess: Transactions; [];
        "a G-single cycle that needs the order of a session";
        "It can be explained only if somebody's own session is taken out of its order: what a client did first seems to come later.";
        "Adya 1999, ch. 4, G-single; Elle";
        implies [GNonadjacentProcess, GSingleRealtime], rules out [StrongSessionSnapshotIsolation];
    GSingleRealtime: Transactions; [];
        "a G-single cycle that needs the order of real time";
        "It can be explained only if something finished seems to come after what began later: clients that talk to each other see it.";
        "Adya 1999, ch. 4, G-single; Elle";
        implies [GNonadjacentRealtime], rules out [StrongSnapshotIsolation];
    GNonadjacentItem: Transactions; [];
        "a cycle with several missed writes of items, no two of them in a row";
        "Transactions saw the same writes in different orders, so they acted on states that can't both have been.";
        "Cerone and Gotsman 2016, theorem 9; Elle";
        implies [GNonadjacent, G2Item, GNonadjacentItemProcess], rules out [SnapshotIsolation, RepeatableRead];
    GNonadjacentItemProcess: Transactions; [];
        "a G-nonadjacent-item cycle that needs the order of a session";
        "It can be explained only if somebody's own session is taken out of its order: what a client did first seems to come later.";
        "Cerone and Gotsman 2016, theorem 9; Elle";
        implies [GNonadjacentProcess, G2ItemProcess, GNonadjacentItemRealtime], rules out [StrongSessionSnapshotIsolation];
    GNonadjacentItemRealtime: Transactions; [];
        "a G-nonadjacent-item cycle that needs the order of real time";
        "It can be explained only if something finished seems to come after what began later: clients that talk to each other see it.";
        "Cerone and Gotsman 2016, theorem 9; Elle";
        implies [GNonadjacentRealtime, G2ItemRealtime], rules out [StrongSnapshotIsolation];
    GNonadjacent: Transactions; [];
        "a cycle with several missed writes, through predicates or of items, no two of them in a row";
        "Transactions saw the same writes in different orders, so they acted on states that can't both have been.";
        "Cerone and Gotsman 2016, theorem 9; Elle";
        implies [G2, GNonadjacentProcess], rules out [SnapshotIsolation];
    GNonadjacentProcess: Transactions; [];
        "a G-nonadjacent cycle that needs the order of a session";
        "It can be explained only if somebody's own session is taken out of its order: what a client did first seems to come later.";
        "Cerone and Gotsman 2016, theorem 9; Elle";
        implies [G2Process, GNonadjacentRealtime], rules out [StrongSessionSnapshotIsolation];
    GNonadjacentRealtime: Transactions; [];
        "a G-nonadjacent cycle that needs the order of real time";
        "It can be explained only if something finished seems to come after what began later: clients that talk to each other see it.";
        "Cerone and Gotsman 2016, theorem 9; Elle";
        implies [G2Realtime], rules out [StrongSnapshotIsolation];
    G2Item: Transactions; ["write-skew", "A5B"];
        "a cycle with missed writes of items, two of them in a row";
        "Transactions each decided on what the other was changing: a rule that both kept alone can be broken by the two together.";
        "Adya 1999, ch. 3, G2-item; Berenson et al. 1995, A5B";
        implies [G2, G2ItemProcess], rules out [RepeatableRead];
    G2ItemProcess: Transactions; [];
        "a G2-item cycle that needs the order of a session";
        "It can be explained only if somebody's own session is taken out of its order: what a client did first seems to come later.";
        "Adya 1999, ch. 3, G2-item; Elle";
        implies [G2Process, G2ItemRealtime], rules out [StrongSessionSerializable];
    G2ItemRealtime: Transactions; [];
        "a G2-item cycle that needs the order of real time";
        "It can be explained only if something finished seems to come after what began later: clients that talk to each other see it.";
        "Adya 1999, ch. 3, G2-item; Elle";
        implies [G2Realtime], rules out [StrictSerializable];
    G2: Transactions; ["anti-dependency-cycle", "phantom", "P3"];
        "a cycle with missed writes, through predicates or of items, two of them in a row";
        "Transactions each decided on what the other was changing: a rule that both kept alone can be broken by the two together.";
        "Adya 1999, ch. 3, G2";
        implies [G2Process], rules out [Serializable];
    G2Process: Transactions; [];
        "a G2 cycle that needs the order of a session";
        "It can be explained only if somebody's own session is taken out of its order: what a client did first seems to come later.";
        "Adya 1999, ch. 3, G2; Elle";
        implies [G2Realtime], rules out [StrongSessionSerializable];
    G2Realtime: Transactions; [];
        "a G2 cycle that needs the order of real time";
        "It can be explained only if something finished seems to come after what began later: clients that talk to each other see it.";
        "Adya 1999, ch. 3, G2; Elle";
        implies [], rules out [StrictSerializable];
    Internal: Transactions; ["internal-inconsistency", "NotMyOwnWrite", "NotMyLastWrite", "InconsistentLocalRead"];
        "a transaction's read contradicts its own earlier read or write";
        "A transaction doesn't see what it has just seen or done, so its next steps rest on a state that is already gone.";
        "Cerone, Bernardi, Gotsman 2015, INT; Elle (of an own write that is not seen: Biswas and Enea 2019, sec. 2; Plume, AWDIT)";
        implies [], rules out [ReadAtomic];
    NonRepeatableRead: Transactions; ["NonRepeatableRead", "fuzzy-read", "P2"];
        "a transaction's read contradicts its own earlier read, with no write of its own between";
        "A value changed under a transaction while it ran, so what it decided first no longer fits what it saw last.";
        "Berenson et al. 1995, P2; Cerone, Bernardi, Gotsman 2015, INT (Elle counts it as internal)";
        implies [Internal], rules out [RepeatableRead, ConsistentView];
    FutureRead: Transactions, Objects, Sessions; ["FutureRead"];
        "a read shows what its own transaction or session wrote only later";
        "An effect came before its cause: the store shows writes that had not been asked for yet.";
        "Elle; Biswas and Enea 2019, sec. 2";
        implies [G1c], rules out [ReadCommitted] all of [Objects, Sessions];
    FutureReadProcess: Objects, Sessions; [];
        "a read shows what its own session wrote only later, in another operation";
        "An effect came before its cause: the store shows writes that had not been asked for yet.";
        "Biswas and Enea 2019, sec. 2, of sessions; Viotti and Vukolic 2016: what is visible is in the past";
        implies [], rules out [] all of [Objects, Sessions];
    DirtyUpdate: Transactions; [];
        "a committed write was built on a failed one";
        "A value that was taken back lives on inside one that was kept.";
        "Elle";
        implies [G1a], rules out [ReadCommitted];
    DuplicateElements: Transactions; [];
        "a list shows one appended element twice";
        "One append took effect twice, as when a retry is applied again.";
        "Elle";
        implies [], rules out [] all of [Transactions];
    IncompatibleOrder: Transactions; [];
        "two reads of one list disagree about the order of its elements";
        "Two versions of one key's past exist: replicas diverged, or a write that somebody saw was lost.";
        "Elle";
        implies [G1a], rules out [] all of [Transactions];
    LostUpdate: Transactions; ["P4"];
        "two transactions read one version of a key, and both wrote it after that";
        "One of the two updates was made without knowledge of the other, and what it had added is gone.";
        "Berenson et al. 1995, P4; Elle (in either order of the two writes it is a cycle with one rw edge)";
        implies [GCursor], rules out [CursorStability, UpdateAtomic];
    GCursor: Transactions; ["P4C"];
        "a transaction wrote a key of which it had read a version that another had overwritten in between";
        "What it wrote rests on a value that was gone, so the update in between is lost where the new value was computed from the old.";
        "Adya 1999, ch. 4, G-cursor (all edges of one key); Berenson et al. 1995, P4C";
        implies [UnseenConflict], rules out [CursorStability];
    GMonotonic: Transactions; [];
        "a transaction's read missed a write that what it had read or overwritten before depends on";
        "The transaction's view of the data went backward while it ran.";
        "Adya 1999, ch. 4, G-monotonic (the transaction's reads and writes apart, in program order)";
        implies [GSingleItem], rules out [MonotonicView];
    GMsr: Transactions; [];
        "no commit order has snapshots, advancing within each transaction, that its reads show";
        "A transaction's reads show states that never were, or go back to an older one.";
        "Adya 1999, ch. 4, PL-MSR, as its row here reads it";
        implies [NonPrefixRead], rules out [MonotonicSnapshotRead];
    GUpdate: Transactions; [];
        "the writing transactions, and at most one that only reads, depend on each other in a circle";
        "What was stored comes from no serial execution, or a reader saw a state that none of them passes through.";
        "Adya 1999, ch. 4, G-update";
        implies [], rules out [UpdateSerializable];
    UnseenConflict: Transactions; ["NOCONFLICT"];
        "a transaction wrote a key after another had, and missed what that one wrote";
        "Of two writers of a key the later one acted without knowledge of the earlier.";
        "Cerone, Bernardi, Gotsman 2015, axiom NOCONFLICT";
        implies [GSingleItem], rules out [UpdateAtomic];
    NonMonotonicRead: Transactions; ["NonMonoReadCO", "NonMonoReadAO"];
        "a transaction saw one write of another, and a later read of it missed another one";
        "The other transaction's effects were there and then partly gone: the view of the data went backward.";
        "Bailis et al. 2013, MAV; Biswas and Enea 2019, RC; Plume (Liu et al. 2024), NonMonoRead";
        implies [FracturedRead, GMonotonic, GMsr], rules out [MonotonicAtomicView];
    FracturedRead: Transactions; ["FracturedReadAO", "FracturedReadCO"];
        "a transaction saw one write of another and missed another one";
        "It acted on half of what somebody had done: a state in which rules between keys need not hold.";
        "Bailis et al. 2014 (RAMP), fractured reads; Plume (Liu et al. 2024), FracturedRead";
        implies [CausalityViolation, FracturedReadProcess], rules out [ReadAtomic];
    FracturedReadProcess: Transactions; [];
        "a transaction missed what its own session had written before, or saw one write of another and missed another one";
        "A client did not see its own earlier work.";
        "Biswas and Enea 2019, RA; Plume (Liu et al. 2024), FracturedReadCO";
        implies [CausalityViolationProcess], rules out [ReadAtomicBiswasEnea];
    CausalityViolation: Transactions; ["CyclicCF", "WriteCORead", "WriteCOInitRead"];
        "a transaction saw what came of another's writes and missed one of these";
        "An effect was there before its cause: an answer without its question.";
        "Bouajjani, Enea, Guerraoui, Hamza 2017, bad patterns; Cerone, Bernardi, Gotsman 2015, without session order";
        implies [GSingleItem, NonPrefixRead, CausalityViolationProcess], rules out [CausalCerone];
    CausalityViolationProcess: Transactions; ["COConflictAO", "ConflictAO"];
        "a transaction saw what came of another's writes, by reads and sessions, and missed one of these";
        "An effect was there before its cause: an answer without its question.";
        "Bouajjani, Enea, Guerraoui, Hamza 2017, bad patterns; Plume (Liu et al. 2024), ConflictAO";
        implies [GSingleItemProcess, NonPrefixReadProcess], rules out [Causal];
    NonPrefixRead: Transactions; ["long-fork"];
        "transactions read states that are not beginnings of one commit order";
        "Two clients saw the same commits in different orders, so what one calls the past never was for the other.";
        "Burckhardt 2014, prefix; Sovran et al. 2011, long fork; Zhang et al. 2023 (Viper), for the graph";
        implies [NonPrefixReadProcess], rules out [Prefix];
    NonPrefixReadProcess: Transactions; [];
        "transactions read states that are not beginnings of one commit order which contain their session's earlier transactions";
        "Clients saw commits in different orders, or one did not see its own earlier work.";
        "Biswas and Enea 2019, PC";
        implies [], rules out [PrefixBiswasEnea];
    ThinAirRead: Transactions, Objects, Sessions, Staleness, Eventual; ["ThinAirRead", "garbage-read", "out-of-thin-air"];
        "a read shows what nobody wrote";
        "Data is corrupt, or comes from somewhere else: another key, another table, an earlier run.";
        "Bouajjani, Enea, Guerraoui, Hamza 2017, ThinAirRead";
        implies [], rules out [] all of [Transactions, Objects, Sessions, Staleness, Eventual];
    CyclicVersions: Transactions; [];
        "what transactions read and then wrote of a key orders its versions in a circle";
        "No history of this one key explains what its readers and writers saw of it.";
        "Elle; each step is read and then written, so it is a cycle of G1c (Elle says G0, and also counts assumed orders)";
        implies [], rules out [ReadCommitted];
    PredicateReadMiss: Transactions; [];
        "a read by predicate lacks a key of which every version matches";
        "A query left out a row that it had to show.";
        "Elle, closed-predicate";
        implies [], rules out [Serializable];
    NonLinearizable: Objects; ["not-linearizable"];
        "no order of a key's operations explains their results and contains real time";
        "A client saw an older state after a newer one had been acknowledged or shown.";
        "Herlihy and Wing 1990";
        implies [], rules out [Linearizable];
}
