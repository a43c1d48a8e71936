//! Which guarantee implies which: every history that keeps the stronger one keeps the weaker one.
//!
//! The transactional part is Elle's graph of 52 edges; a test names the one edge that is not kept (`causal` does not imply
//! `pram`), and each edge that Elle doesn't have says here why it is true. An edge that is missing costs a verdict; a wrong one
//! costs a false alarm: so an edge stands here only with a source or a proof.

use std::sync::LazyLock;

use super::Guarantee;

/// One edge of the lattice.
#[derive(Clone, Copy, Debug)]
pub struct Implication {
    /// The guarantee that implies.
    pub stronger: Guarantee,
    /// The one that is implied.
    pub weaker: Guarantee,
    /// Who says so, or why it is so.
    pub source: &'static str,
}

macro_rules! table {
    ($($stronger:ident => $weaker:ident: $source:literal;)+) => {
        &[$(Implication { stronger: Guarantee::$stronger, weaker: Guarantee::$weaker, source: $source }),+]
    };
}

/// The edges of the lattice, the strongest guarantees first. Two guarantees that imply each other are one: both edges stand here.
#[must_use]
pub const fn implications() -> &'static [Implication] {
    IMPLICATIONS
}

const IMPLICATIONS: &[Implication] = table! {
    // Real time.
    StrictSerializable => StrongSessionSerializable: "Daudjee and Salem 2004: real time contains a session's order";
    StrictSerializable => StrongSnapshotIsolation: "Daudjee and Salem 2006: a serial order gives the snapshots";
    StrictSerializable => Linearizable: "Herlihy and Wing 1990, sec. 3.3: one key's part of a strict serial order";
    StrongSnapshotIsolation => StrongSessionSnapshotIsolation: "Daudjee and Salem 2006";
    StrongSnapshotIsolation => StrongReadCommitted: "Elle: the commit order is a version order that contains real time";
    StrongReadCommitted => StrongSessionReadCommitted: "Elle";
    StrongReadCommitted => StrongReadUncommitted: "Elle";
    StrongReadUncommitted => StrongSessionReadUncommitted: "Elle";
    // Session order.
    StrongSessionSerializable => SessionSerializable: "Zuikeviciute and Pedone 2008: the same definition";
    SessionSerializable => StrongSessionSerializable: "Zuikeviciute and Pedone 2008: the same definition";
    StrongSessionSerializable => Serializable: "Daudjee and Salem 2004";
    StrongSessionSerializable => StrongSessionSnapshotIsolation: "Daudjee and Salem 2006: a serial order gives the snapshots";
    StrongSessionSerializable => Sequential: "Lamport 1979: a serial order with session order, operation by operation";
    StrongSessionSnapshotIsolation => SnapshotIsolation: "Daudjee and Salem 2006";
    StrongSessionSnapshotIsolation => PrefixBiswasEnea: "Biswas and Enea 2019: SI is prefix without write conflicts";
    PrefixBiswasEnea => Prefix: "Biswas and Enea 2019: the same order, sessions left out";
    PrefixBiswasEnea => Causal: "Biswas and Enea 2019";
    ReadAtomicBiswasEnea => ReadAtomic: "Biswas and Enea 2019: the same order, sessions left out";
    ReadAtomicBiswasEnea => ReadCommittedBiswasEnea: "Biswas and Enea 2019";
    ReadCommittedBiswasEnea => MonotonicAtomicView: "Bailis et al. 2013: the same axiom, sessions left out";
    ReadCommittedBiswasEnea => StrongSessionReadCommitted: "its commit order is a version order that contains session order";
    StrongSessionReadCommitted => ReadCommitted: "Elle";
    StrongSessionReadCommitted => StrongSessionReadUncommitted: "Elle";
    StrongSessionReadUncommitted => ReadUncommitted: "Elle";
    // Neither.
    Serializable => ViewSerializable: "Bernstein and Goodman 1983: some version order is acyclic exactly when some serial order \
        gives every read";
    ViewSerializable => Serializable: "Bernstein and Goodman 1983: clients don't see which of two unread writes came last";
    Serializable => OneCopySerializable: "Bernstein and Goodman 1983";
    OneCopySerializable => Serializable: "Bernstein and Goodman 1983: clients see one logical copy";
    Serializable => RepeatableRead: "Adya 1999";
    Serializable => UpdateSerializable: "Adya 1999";
    Serializable => SnapshotIsolation: "Bailis, Cerone: old snapshots are allowed, so a serial order gives the snapshots";
    UpdateSerializable => ForwardConsistentView: "Adya 1999, as in Elle; start points are the system's to choose";
    SnapshotIsolation => ForwardConsistentView: "Adya 1999";
    Prefix => MonotonicSnapshotRead: "one snapshot serves for all reads (Elle has it from snapshot isolation only)";
    MonotonicSnapshotRead => MonotonicAtomicView: "whose write was read is in the snapshot, and so in all later ones (not in Elle)";
    SnapshotIsolation => ParallelSnapshotIsolation: "Cerone, Bernardi, Gotsman 2015";
    SnapshotIsolation => Prefix: "Cerone, Bernardi, Gotsman 2015";
    ParallelSnapshotIsolation => UpdateAtomic: "Cerone, Bernardi, Gotsman 2015";
    ParallelSnapshotIsolation => CausalCerone: "Cerone, Bernardi, Gotsman 2015";
    ParallelSnapshotIsolation => ConsistentView: "Cerone and Gotsman 2016: it has no cycle with one rw edge (not in Elle)";
    ForwardConsistentView => ConsistentView: "Adya 1999";
    ConsistentView => ForwardConsistentView: "start points are the system's to choose: where all come before all commits, nothing \
        is start-dependent, and G-SIb is G-single (not in Elle)";
    ConsistentView => MonotonicView: "Adya 1999";
    ConsistentView => CursorStability: "Adya 1999";
    MonotonicView => MonotonicAtomicView: "a read that misses a write of a transaction read before it closes a cycle with one rw \
        edge from that read (not in Elle)";
    RepeatableRead => CursorStability: "Adya 1999";
    RepeatableRead => MonotonicAtomicView: "Bailis et al. 2013";
    Prefix => CausalCerone: "Cerone, Bernardi, Gotsman 2015";
    CausalCerone => ReadAtomic: "Cerone, Bernardi, Gotsman 2015";
    UpdateAtomic => ReadAtomic: "Cerone, Bernardi, Gotsman 2015";
    UpdateAtomic => CursorStability: "of two writers of a key one sees the other, so none overwrites what it missed (not in Elle)";
    ReadAtomic => MonotonicAtomicView: "Cerone, Bernardi, Gotsman 2015";
    MonotonicAtomicView => ReadCommitted: "Bailis et al. 2013";
    CursorStability => ReadCommitted: "Adya 1999";
    MonotonicView => ReadCommitted: "Adya 1999";
    ReadCommitted => ReadUncommitted: "Adya 1999";
    // Objects and sessions.
    Linearizable => Sequential: "Herlihy and Wing 1990: real time contains session order";
    Linearizable => BoundedStaleness: "Golab, Li, Shah 2011: delta 0 and k 1, within every bound";
    Linearizable => MonotonicWritesNode: "reads at a server, in time, show prefixes of the one order, which contains session order";
    Linearizable => WritesFollowReadsNode: "reads at a server, in time, show prefixes of the one order, which contains session order";
    Sequential => Causal: "Bouajjani et al. 2017";
    Sequential => CausalMemory: "Ahamad et al. 1995";
    Sequential => ConsistentPrefix: "each read shows the prefix of the one order that ends before it";
    ConsistentPrefix => MonotonicReadsGlobal: "a session's prefixes of the one order grow";
    ConsistentPrefix => MonotonicWritesGlobal: "the one order contains each session's writes as it made them";
    Causal => CausalCerone: "Biswas and Enea 2019: the same order, sessions left out";
    Causal => ReadAtomicBiswasEnea: "Biswas and Enea 2019";
    Causal => SessionGlobal: "Brzezinski, Sobaniec, Wawrzyniak 2004; not pram, which asks more of one session's own order";
    SessionGlobal => Causal: "Brzezinski, Sobaniec, Wawrzyniak 2004";
    SessionGlobal => Session: "the one order serves for each session";
    SessionGlobal => ReadYourWritesGlobal: "Viotti and Vukolic 2016";
    SessionGlobal => MonotonicReadsGlobal: "Viotti and Vukolic 2016";
    SessionGlobal => MonotonicWritesGlobal: "Viotti and Vukolic 2016";
    SessionGlobal => WritesFollowReadsGlobal: "Viotti and Vukolic 2016";
    ReadYourWritesGlobal => ReadYourWrites: "the one order serves for each session";
    MonotonicReadsGlobal => MonotonicReads: "the one order serves for each session";
    MonotonicWritesGlobal => MonotonicWrites: "the one order serves for each session";
    WritesFollowReadsGlobal => WritesFollowReads: "the one order serves for each session";
    CausalMemory => Pram: "Ahamad et al. 1995; Elle's causal => PRAM is this one";
    CausalMemory => Session: "a session's order of all writes and its own reads is its arbitration (not in Elle)";
    Session => WeakCausal: "its visible sets and its order contain all that causally came before (not in Elle)";
    Session => ReadYourWrites: "Terry et al. 1994";
    Session => MonotonicReads: "Terry et al. 1994";
    Session => MonotonicWrites: "Terry et al. 1994";
    Session => WritesFollowReads: "Terry et al. 1994";
    WeakCausal => ReadYourWrites: "a session's own earlier writes causally come before its reads (not in Elle)";
    WeakCausal => WritesFollowReads: "what a session has read causally comes before its writes (not in Elle)";
    WeakCausal => MonotonicWrites: "each read's own order contains the order of every session's writes (not in Elle)";
    MonotonicWrites => MonotonicWritesGlobal: "the order of all sessions' writes holds in each session's own order already";
    WritesFollowReads => WritesFollowReadsGlobal: "what all sessions had read holds in each session's own order already";
    Pram => ReadYourWrites: "Brzezinski, Sobaniec, Wawrzyniak 2004";
    Pram => MonotonicReads: "Brzezinski, Sobaniec, Wawrzyniak 2004";
    Pram => MonotonicWrites: "Brzezinski, Sobaniec, Wawrzyniak 2004";
    // In the end, and delivery.
    StrongEventual => Eventual: "Shapiro et al. 2011";
    EffectivelyOnce => AtLeastOnce: "by definition: at least once, and no effect twice";
};

const COUNT: usize = Guarantee::ALL.len();

/// What follows from the edges, worked out once.
struct Closure {
    /// Direct edges, each way, in the order of the table of guarantees.
    weaker: [Vec<Guarantee>; COUNT],
    stronger: [Vec<Guarantee>; COUNT],
    /// `entails[a][b]`: a implies b, over any number of edges; each implies itself.
    entails: [[bool; COUNT]; COUNT],
}

static CLOSURE: LazyLock<Closure> = LazyLock::new(|| {
    let mut weaker = [const { Vec::new() }; COUNT];
    let mut stronger = [const { Vec::new() }; COUNT];
    let mut entails = [[false; COUNT]; COUNT];
    for edge in IMPLICATIONS {
        weaker[edge.stronger as usize].push(edge.weaker);
        stronger[edge.weaker as usize].push(edge.stronger);
        entails[edge.stronger as usize][edge.weaker as usize] = true;
    }
    weaker.iter_mut().chain(&mut stronger).for_each(|row| row.sort_unstable());
    // Warshall. The lattice is small, and this happens once.
    for middle in 0..COUNT {
        entails[middle][middle] = true;
        let through = entails[middle];
        for row in entails.iter_mut().filter(|row| row[middle]) {
            row.iter_mut().zip(through).for_each(|(to, reachable)| *to |= reachable);
        }
    }
    Closure { weaker, stronger, entails }
});

impl Guarantee {
    /// The guarantees that it implies directly, by an edge of the table.
    #[must_use]
    pub fn implies(self) -> &'static [Guarantee] {
        &CLOSURE.weaker[self as usize]
    }

    /// The guarantees that imply it directly, by an edge of the table.
    #[must_use]
    pub fn implied_by(self) -> &'static [Guarantee] {
        &CLOSURE.stronger[self as usize]
    }

    /// Whether every history that keeps this one keeps `weaker`, over any number of edges. Each entails itself.
    #[must_use]
    pub fn entails(self, weaker: Guarantee) -> bool {
        CLOSURE.entails[self as usize][weaker as usize]
    }

    /// Whether they are two names for what is, on a history, the same guarantee.
    #[must_use]
    pub fn is_equivalent_to(self, other: Guarantee) -> bool {
        self.entails(other) && other.entails(self)
    }

    /// What it implies with nothing between, in the order of the table: edges that follow from others are left out, and of
    /// guarantees that are equivalent, the first stands for all.
    #[must_use]
    pub fn covers(self) -> Vec<Guarantee> {
        let below: Vec<Guarantee> = self.weaker().filter(|weaker| !weaker.entails(self)).collect();
        strongest(&below)
    }

    /// Its other selves, in the order of the table.
    pub fn equivalents(self) -> impl Iterator<Item = Guarantee> {
        self.weaker().filter(move |weaker| weaker.entails(self))
    }

    /// All that follows from it, itself left out, in the order of the table.
    pub fn weaker(self) -> impl Iterator<Item = Guarantee> {
        Guarantee::ALL.iter().copied().filter(move |&other| other != self && self.entails(other))
    }

    /// All that it follows from, itself left out, in the order of the table.
    pub fn stronger(self) -> impl Iterator<Item = Guarantee> {
        Guarantee::ALL.iter().copied().filter(move |&other| other != self && other.entails(self))
    }
}

/// Those of a set that no other of it implies, in the order of the table; of two equivalent ones, the first.
#[must_use]
pub fn strongest(set: &[Guarantee]) -> Vec<Guarantee> {
    extremes(set, |other, one| other.entails(one))
}

/// Those of a set that imply no other of it, in the order of the table; of two equivalent ones, the first.
#[must_use]
pub fn weakest(set: &[Guarantee]) -> Vec<Guarantee> {
    extremes(set, |other, one| one.entails(other))
}

/// Those that nothing else of the set is `beyond`.
fn extremes(set: &[Guarantee], beyond: impl Fn(Guarantee, Guarantee) -> bool) -> Vec<Guarantee> {
    let mut kept: Vec<Guarantee> = set
        .iter()
        .copied()
        .filter(|&one| {
            !set.iter().any(|&other| other != one && beyond(other, one) && (!beyond(one, other) || other < one))
        })
        .collect();
    kept.sort_unstable();
    kept.dedup();
    kept
}
