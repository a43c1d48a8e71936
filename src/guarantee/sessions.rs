//! The rows of sessions: what a client sees that moves between replicas.
//!
//! Names are those of Bailis et al. 2013 (Highly Available Transactions, appendix) and of Bouajjani, Enea, Guerraoui, Hamza 2017 (bad
//! patterns), where these have one. A row rules out the guarantee whose own axioms it breaks; what only several of them together
//! forbid is `session-inversion`.

use super::anomalies::{AnomalyRow, rows};
use super::{Anomaly, Family, Guarantee};

/// The row of an anomaly of this part.
pub(super) const fn row(anomaly: Anomaly) -> Option<&'static AnomalyRow> {
    sessions(anomaly)
}

rows! { sessions:
    MissingYourWrites: Sessions; ["MYR", "read-your-writes-violation"];
        "a session's read misses what the session itself had written";
        "A user doesn't find what they have just saved, and does it again or gives up.";
        "Bailis et al. 2013, MYR; Terry et al. 1994";
        implies [], rules out [ReadYourWrites];
    BackwardRead: Sessions; ["N-MR", "non-monotonic-reads"];
        "a session's read misses what an earlier read of it had shown";
        "A user sees time run backwards: a message that was there is gone, a counter falls.";
        "Bailis et al. 2013, N-MR; Terry et al. 1994";
        implies [], rules out [MonotonicReads];
    NonMonotonicWrite: Sessions; ["N-MW", "non-monotonic-writes"];
        "the order of versions contradicts the order in which a session wrote them";
        "What a client wrote first replaced what it wrote later: the older value won.";
        "Bailis et al. 2013, N-MW; Terry et al. 1994";
        implies [], rules out [MonotonicWrites];
    MissingReadWriteDependency: Sessions; ["MRWD"];
        "what a session wrote comes before what it had read by then";
        "An answer is older than its question: effects are ordered before their causes.";
        "Bailis et al. 2013, MRWD; Terry et al. 1994";
        implies [], rules out [WritesFollowReads];
    CyclicCausality: Sessions; ["causality-cycle"];
        "sessions' orders and what they read of each other lead in a circle";
        "Each of these writes was caused by another one of them: no order of them is possible, for anybody.";
        "Bouajjani, Enea, Guerraoui, Hamza 2017, CyclicCO";
        implies [], rules out [WeakCausal];
    CausallyOverwrittenRead: Sessions; [];
        "a read shows what other writes, which it had to see, had replaced";
        "Somebody sees the answer and not the question: an effect without its cause.";
        "Bouajjani, Enea, Guerraoui, Hamza 2017, WriteCORead, WriteCOInitRead";
        implies [], rules out [WeakCausal];
    SessionInversion: Sessions; [];
        "no order of the writes explains what one session saw, together with what the sessions that it saw had done";
        "To one client the data went back and forth: its guarantees hold one by one, and not together.";
        "Terry et al. 1994, the four guarantees together; Bouajjani, Enea, Guerraoui, Hamza 2017, CyclicCF, of one session";
        implies [], rules out [Session];
    CyclicConflict: Sessions; [];
        "no one order of the writes explains what all sessions saw";
        "Replicas took concurrent writes in different orders, and clients saw it: they can end up with different values.";
        "Bouajjani, Enea, Guerraoui, Hamza 2017, CyclicCF";
        implies [], rules out [Causal];
    PramInversion: Sessions; [];
        "a session's reads have no order together with all writes as their sessions made them";
        "To one client, another one's writes seem to come in an order in which they were not made.";
        "Lipton and Sandberg 1988; Wei et al. 2016";
        implies [], rules out [Pram];
    CyclicHappenedBefore: Sessions; ["CyclicHB", "WriteHBInitRead"];
        "a session's reads have no order together with all that causally came before them";
        "To one client, what it saw can't have happened one thing after the other.";
        "Bouajjani, Enea, Guerraoui, Hamza 2017, CyclicHB, WriteHBInitRead";
        implies [], rules out [CausalMemory];
    MissingYourWritesGlobal: Sessions; [];
        "what sessions read after their own writes orders the versions in a circle";
        "Replicas took writes in different orders: each client's view makes sense, and no one order does.";
        "Viotti and Vukolic 2016";
        implies [], rules out [ReadYourWritesGlobal];
    BackwardReadGlobal: Sessions; ["version-order-divergence"];
        "sessions saw versions come in different orders";
        "Replicas took writes in different orders: each client's view makes sense, and no one order does.";
        "Viotti and Vukolic 2016";
        implies [], rules out [MonotonicReadsGlobal];
    PrefixInversion: Staleness, Sessions; [];
        "no one order of the writes has each session's reads as prefixes that grow";
        "A replica shows what came later and lacks what came before it: a reader sees a state that never was.";
        "Terry 2013; Girault, Goessler, Guerraoui, Hamza, Seredinschi 2018";
        implies [], rules out [ConsistentPrefix];
    ConflictingVersions: Sessions, Staleness; [];
        "the versions that records name contradict each other, or the order in which the writes were made";
        "Servers number the same object's writes by themselves: optimistic locking by that number lets two writers pass.";
        "defined here: a revision of one object has one value, and revisions ascend";
        implies [], rules out [];
    NonMonotonicWriteNode: Sessions; [];
        "a server shows a session's later write, and misses an earlier one";
        "The server took a client's writes out of order: whoever reads there sees the second step without the first.";
        "Terry et al. 1994, as servers show it";
        implies [], rules out [MonotonicWritesNode];
    MissingReadWriteDependencyNode: Sessions; [];
        "a server shows a write, and misses what its session had read before it";
        "The server took an answer before its question: whoever reads there sees an effect without its cause.";
        "Terry et al. 1994, as servers show it";
        implies [], rules out [WritesFollowReadsNode];
}
