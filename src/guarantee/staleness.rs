//! The rows of staleness and convergence: what reads miss, and for how long; what is left in the end.

use super::anomalies::{AnomalyRow, rows};
use super::{Anomaly, Family, Guarantee};

/// The row of an anomaly of this part.
pub(super) const fn row(anomaly: Anomaly) -> Option<&'static AnomalyRow> {
    staleness(anomaly)
}

rows! { staleness:
    StaleRead: Staleness, Objects; ["stale"];
        "a read returned what had certainly been overwritten before it began";
        "Somebody acted on data that was no longer true: a price, a balance or a permission of some time ago.";
        "Golab, Li, Shah 2011; Golab, Hurwitz, Li 2013; beyond a bound it also rules out bounded-staleness";
        implies [NonLinearizable], rules out [Linearizable];
    Divergence: Eventual; ["diverged", "split-brain"];
        "after all writing had stopped, two servers showed different values of one key";
        "Which data a client gets depends on the server that it happens to ask, and will for ever.";
        "Burckhardt 2014, quiescent consistency; Jepsen's final reads";
        implies [], rules out [Eventual];
    LostWrite: Eventual, Objects; [];
        "in the end, every server showed an older value than one that had been acknowledged";
        "A client was told that its write is safe, and it is gone.";
        "Burckhardt 2014, eventual visibility; Jepsen, lost";
        implies [StaleRead], rules out [Eventual];
    Resurrection: Eventual, Objects; ["zombie-write"];
        "in the end, every server showed a value that had been seen to be replaced";
        "What was overwritten or deleted came back, as when an old replica wins over a newer one.";
        "Burckhardt 2014, eventual visibility; Jepsen, resurrected";
        implies [StaleRead], rules out [Eventual];
    OverdueVisibility: Eventual, Objects; ["visibility-latency"];
        "a read missed a write that had been acknowledged longer before than a bound allows";
        "Propagation takes longer than somebody relies on.";
        "Burckhardt 2014, eventual visibility; Bailis et al. 2012, t-visibility; beyond a bound it also rules out eventual";
        implies [StaleRead], rules out [];
    StrongDivergence: Eventual; ["seen-set-divergence"];
        "two reads that had seen the same updates returned different values";
        "Replicas that know the same don't show the same: merging depends on order, time or place.";
        "Shapiro et al. 2011, strong convergence";
        implies [], rules out [StrongEventual];
}
