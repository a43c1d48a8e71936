//! What the tables must be, row by row and as a whole.
use super::*;

fn guarantee(name: &str) -> Guarantee {
    Guarantee::named(name).unwrap_or_else(|| panic!("no guarantee is called {name}"))
}

fn anomaly(name: &str) -> Anomaly {
    Anomaly::named(name).unwrap_or_else(|| panic!("no anomaly is called {name}"))
}

/// What is worth knowing of a consumer, and breaks what it promises only through lost or doubled effects.
const FINDINGS_OF_THEIR_OWN: [Anomaly; 6] = [
    Anomaly::ConflictingVersions,
    Anomaly::FalseDeduplication,
    Anomaly::ConcurrentProcessing,
    Anomaly::EarlyAcknowledgement,
    Anomaly::ProcessedAfterDeadLetter,
    Anomaly::GhostDelivery,
];

/// Goal: a name means one thing, whatever its case, and every row says what it is for.
#[test]
fn names_are_unique_and_rows_complete() {
    let mut seen = std::collections::BTreeSet::new();
    for &one in Guarantee::ALL {
        for name in std::iter::once(&one.name()).chain(one.aliases()) {
            assert!(seen.insert(name.to_ascii_lowercase()), "{name} is there twice");
            assert_eq!(Guarantee::named(&name.to_ascii_uppercase()), Some(one));
        }
        assert!(!one.meaning().is_empty() && !one.source().is_empty() && !one.families().is_empty(), "{one}");
        assert!(!one.meaning().ends_with('.'), "{one}: a meaning is a phrase");
    }
    seen.clear();
    for &one in Anomaly::ALL {
        for name in std::iter::once(&one.name()).chain(one.aliases()) {
            assert!(seen.insert(name.to_ascii_lowercase()), "{name} is there twice");
            assert_eq!(Anomaly::named(&name.to_ascii_uppercase()), Some(one));
        }
        assert!(!one.meaning().is_empty() && one.consequence().ends_with('.') && !one.source().is_empty(), "{one}");
        if FINDINGS_OF_THEIR_OWN.contains(&one) {
            assert!(one.rules_out().is_empty(), "{one} breaks a guarantee only through what it entails");
            continue;
        }
        assert!(!one.rules_out().is_empty(), "{one} is evidence against nothing");
        let family = |ruled_out: &Guarantee| ruled_out.families().iter().any(|family| one.families().contains(family));
        assert!(one.rules_out().iter().any(family), "{one} rules out nothing of its own family");
    }
}

/// Goal: the 18 aliases of Elle, and the names of Biswas and Enea's levels, mean what they mean there.
#[test]
fn knows_the_aliases_of_others() {
    for (alias, name) in [
        ("PL-1", "read-uncommitted"),
        ("PL-2", "read-committed"),
        ("PL-2.99", "repeatable-read"),
        ("PL-3", "serializable"),
        ("conflict-serializable", "serializable"),
        ("PL-SI", "snapshot-isolation"),
        ("PL-SS", "strict-serializable"),
        ("strong-serializable", "strict-serializable"),
        ("PL-2+", "consistent-view"),
        ("PL-CS", "cursor-stability"),
        ("PL-FCV", "forward-consistent-view"),
        ("PL-MSR", "monotonic-snapshot-read"),
        ("PL-2L", "monotonic-view"),
        ("PL-3U", "update-serializable"),
        ("strong-session-PL-1", "strong-session-read-uncommitted"),
        ("strong-session-PL-2", "strong-session-read-committed"),
        ("strong-PL-1", "strong-read-uncommitted"),
        ("strong-PL-2", "strong-read-committed"),
        ("serializable@biswas-enea", "strong-session-serializable"),
        ("snapshot-isolation@biswas-enea", "strong-session-snapshot-isolation"),
        ("causal@biswas-enea", "causal"),
        ("exactly-once", "effectively-once"),
    ] {
        assert_eq!(guarantee(alias).name(), name);
    }
    assert_eq!(anomaly("NotMyLastWrite"), Anomaly::Internal);
    assert_eq!(anomaly("IntermediateRead"), Anomaly::G1b);
}

/// Goal: apart from guarantees that are one and the same, nothing implies itself through others, and no edge stands twice.
#[test]
fn the_lattice_is_acyclic() {
    let same = [
        "serializable = view-serializable",
        "serializable = 1SR",
        "view-serializable = 1SR",
        "strong-session-serializable = session-serializable",
        "causal = session@global",
        "forward-consistent-view = consistent-view",
        "monotonic-writes = monotonic-writes@global",
        "writes-follow-reads = writes-follow-reads@global",
    ];
    let mut found = Vec::new();
    for &a in Guarantee::ALL {
        for &b in Guarantee::ALL.iter().filter(|&&b| a < b && a.is_equivalent_to(b)) {
            found.push(format!("{a} = {b}"));
        }
    }
    found.sort_unstable();
    let mut same: Vec<String> = same.iter().map(ToString::to_string).collect();
    same.sort_unstable();
    assert_eq!(found, same);
    for (at, edge) in implications().iter().enumerate() {
        assert!(edge.stronger != edge.weaker && !edge.source.is_empty());
        let again = |other: &Implication| other.stronger == edge.stronger && other.weaker == edge.weaker;
        assert!(!implications()[at + 1..].iter().any(again), "{} => {} stands twice", edge.stronger, edge.weaker);
    }
}

/// Goal: what follows is what the edges reach, checked by walking them one by one.
#[test]
fn closure_is_reachability() {
    for &start in Guarantee::ALL {
        let mut reached = vec![start];
        let mut next = 0;
        while next < reached.len() {
            for &weaker in reached[next].implies() {
                assert!(weaker.implied_by().contains(&reached[next]));
                if !reached.contains(&weaker) {
                    reached.push(weaker);
                }
            }
            next += 1;
        }
        for &other in Guarantee::ALL {
            assert_eq!(start.entails(other), reached.contains(&other), "{start} => {other}");
        }
        assert_eq!(start.weaker().count() + 1, reached.len());
        assert!(start.stronger().all(|stronger| stronger.entails(start)));
    }
}

/// Goal: what is drawn is enough: walking the edges that nothing stands between reaches all that follows.
#[test]
fn covers_reach_everything() {
    for &start in Guarantee::ALL {
        let mut reached = start.covers();
        let mut next = 0;
        while next < reached.len() {
            let news: Vec<Guarantee> =
                reached[next].covers().into_iter().filter(|one| !reached.contains(one)).collect();
            reached.extend(news);
            next += 1;
        }
        for weaker in start.weaker().filter(|weaker| !weaker.is_equivalent_to(start)) {
            assert!(reached.iter().any(|one| one.is_equivalent_to(weaker)), "{start} => {weaker}");
        }
        for &cover in &start.covers() {
            let between = |middle: &&Guarantee| {
                start.entails(**middle) && middle.entails(cover) && !middle.entails(start) && !cover.entails(**middle)
            };
            assert_eq!(Guarantee::ALL.iter().find(between), None, "{start} => {cover}");
        }
    }
    let same: Vec<Guarantee> = Guarantee::Serializable.equivalents().collect();
    assert_eq!(same, [Guarantee::ViewSerializable, Guarantee::OneCopySerializable]);
}

/// Elle's 52 edges, by the names of this table.
const ELLE: &str = "
    strict-serializable: serializable snapshot-isolation linearizable session-serializable strong-session-serializable
        strong-snapshot-isolation
    strong-session-serializable: serializable strong-session-snapshot-isolation
    strong-snapshot-isolation: strong-session-snapshot-isolation strong-read-committed
    strong-session-snapshot-isolation: snapshot-isolation strong-session-read-committed
    strong-read-committed: strong-session-read-committed strong-read-uncommitted
    strong-read-uncommitted: strong-session-read-uncommitted
    strong-session-read-committed: read-committed strong-session-read-uncommitted
    strong-session-read-uncommitted: read-uncommitted
    serializable: repeatable-read update-serializable snapshot-isolation view-serializable
    snapshot-isolation: forward-consistent-view monotonic-snapshot-read monotonic-atomic-view parallel-snapshot-isolation prefix
    update-serializable: forward-consistent-view
    forward-consistent-view: consistent-view
    consistent-view: monotonic-view cursor-stability
    repeatable-read: cursor-stability monotonic-atomic-view
    cursor-stability: read-committed
    monotonic-view: read-committed
    monotonic-snapshot-read: read-committed
    monotonic-atomic-view: read-committed
    read-committed: read-uncommitted
    parallel-snapshot-isolation: causal-cerone update-atomic
    prefix: causal-cerone
    causal-cerone: read-atomic
    update-atomic: read-atomic
    read-atomic: monotonic-atomic-view
    session-serializable: 1SR
    linearizable: sequential
    sequential: causal
    causal: writes-follow-reads pram
    pram: monotonic-reads monotonic-writes read-your-writes";

/// Goal: all of Elle's implications are kept but one: its `causal` is causal memory where it implies PRAM, and ours is the
/// convergent form, which doesn't (p reads x=w1, y=init, then y=w5, z=w6, x=w1 where one session wrote y, x, z).
#[test]
fn keeps_the_implications_of_elle() {
    let (mut edges, mut broken, mut stronger) = (0, Vec::new(), None);
    for word in ELLE.split_whitespace() {
        if let Some(name) = word.strip_suffix(':') {
            stronger = Some(guarantee(name));
        } else {
            let (stronger, weaker) = (stronger.expect("a colon comes first"), guarantee(word));
            edges += 1;
            if !stronger.entails(weaker) {
                broken.push((stronger, weaker));
            }
        }
    }
    assert_eq!(edges, 52);
    assert_eq!(broken, [(Guarantee::Causal, Guarantee::Pram)]);
    assert!(Guarantee::CausalMemory.entails(Guarantee::Pram));
}

/// Goal: pairs that are easily got wrong, both ways.
#[test]
fn knows_what_does_not_follow() {
    for (stronger, weaker) in [
        ("serializable", "snapshot-isolation"),
        ("serializable", "prefix"),
        ("serializable", "read-atomic"),
        ("serializable", "causal-cerone"),
        ("strong-session-serializable", "causal"),
        ("strong-session-serializable", "prefix@biswas-enea"),
        ("strong-session-serializable", "read-your-writes"),
        ("strict-serializable", "causal-memory"),
        ("causal", "strong-session-read-committed"),
        ("causal", "monotonic-reads@global"),
        ("causal", "monotonic-reads"),
        ("causal", "session"),
        ("causal-memory", "session"),
        ("linearizable", "causal-memory"),
        ("linearizable", "bounded-staleness"),
        ("parallel-snapshot-isolation", "consistent-view"),
        ("snapshot-isolation", "update-atomic"),
        ("effectively-once", "at-least-once"),
    ] {
        assert!(guarantee(stronger).entails(guarantee(weaker)), "{stronger} => {weaker}");
        assert!(!guarantee(weaker).entails(guarantee(stronger)), "{weaker} => {stronger}");
    }
    for (one, other) in [
        // Session order is in none of these.
        ("serializable", "causal"),
        ("serializable", "prefix@biswas-enea"),
        ("serializable", "read-atomic@biswas-enea"),
        ("serializable", "read-committed@biswas-enea"),
        ("serializable", "strong-session-read-uncommitted"),
        ("serializable", "read-your-writes"),
        ("serializable", "sequential"),
        // Nor real time in these.
        ("strong-session-serializable", "linearizable"),
        ("strong-session-serializable", "strong-snapshot-isolation"),
        ("sequential", "bounded-staleness"),
        // Repeatable read allows a read that contradicts the transaction's own write.
        ("repeatable-read", "read-atomic"),
        ("repeatable-read", "snapshot-isolation"),
        ("repeatable-read", "update-serializable"),
        ("update-serializable", "read-atomic"),
        // Prefix and causal allow lost updates; snapshot isolation allows write skew.
        ("prefix", "cursor-stability"),
        ("prefix@biswas-enea", "update-atomic"),
        ("snapshot-isolation", "repeatable-read"),
        // The three strengths of causal.
        ("causal", "causal-memory"),
        ("causal", "pram"),
        ("causal-memory", "causal"),
        ("causal-memory", "monotonic-reads@global"),
        ("weak-causal", "monotonic-reads"),
        ("pram", "writes-follow-reads"),
        ("pram", "weak-causal"),
        // A redelivery that is deduplicated is not at most once.
        ("effectively-once", "at-most-once"),
    ] {
        assert!(!guarantee(one).entails(guarantee(other)), "{one} => {other}");
    }
}

/// Goal: the guarantees of sessions and of objects that hold together are told apart from those that merely follow.
#[test]
fn finds_strongest_and_weakest() {
    use Guarantee::*;
    let set = [ReadCommitted, SnapshotIsolation, RepeatableRead, ReadUncommitted];
    assert_eq!(strongest(&set), [RepeatableRead, SnapshotIsolation]);
    assert_eq!(weakest(&set), [ReadUncommitted]);
    assert_eq!(strongest(&[OneCopySerializable, ViewSerializable, ReadAtomic]), [ViewSerializable]);
    assert_eq!(weakest(&[StrictSerializable, OneCopySerializable, Serializable]), [Serializable]);
    assert_eq!(strongest(&[]), []);
}

/// What Elle proscribes directly (names that it never produces left out), where DEFINITIONS agrees.
const PROSCRIBED: &str = "
    read-uncommitted: G0 duplicate-elements
    read-committed: G1a G1b G1c future-read dirty-update incompatible-order cyclic-versions
    cursor-stability: lost-update
    consistent-view: G-single G-single-item
    repeatable-read: G2-item lost-update G-nonadjacent-item G-single-item
    read-atomic: internal future-read
    update-atomic: lost-update
    snapshot-isolation: internal G-nonadjacent G-single
    serializable: G2 internal predicate-read-miss
    strong-session-read-uncommitted: G0-process
    strong-session-read-committed: G1c-process
    strong-read-uncommitted: G0-realtime
    strong-read-committed: G1c-realtime
    strong-session-snapshot-isolation: internal G1c-process G-nonadjacent-process G-single-process
    strong-snapshot-isolation: internal G1c-realtime G-nonadjacent-realtime G-single-realtime
    strong-session-serializable: G1c-process G2-process G2-item-process
    strict-serializable: G1c-realtime G2-realtime G2-item-realtime G-nonadjacent-item-realtime";

/// Goal: what Elle proscribes is ruled out here, and with it all that implies a ruled out guarantee, in the order of the table.
#[test]
fn rules_out_what_elle_proscribes() {
    let mut model = None;
    for word in PROSCRIBED.split_whitespace() {
        match word.strip_suffix(':') {
            Some(name) => model = Some(guarantee(name)),
            None => {
                let model = model.expect("a colon comes first");
                let ruled_out = anomaly(word).rules_out();
                assert!(ruled_out.contains(&model), "{word} rules out {model}");
                assert!(model.stronger().all(|stronger| ruled_out.contains(&stronger)), "{word}: all above {model}");
                assert!(ruled_out.is_sorted());
            }
        }
    }
}

/// Goal: nothing is blamed for what it allows.
#[test]
fn rules_out_no_more() {
    for (name, innocent) in [
        ("G1a", "read-uncommitted"),
        ("G1c", "read-uncommitted strong-read-uncommitted"),
        ("internal", "read-committed monotonic-atomic-view repeatable-read consistent-view update-serializable pram"),
        ("non-repeatable-read", "read-committed cursor-stability monotonic-view read-committed@biswas-enea"),
        ("lost-update", "prefix causal prefix@biswas-enea read-atomic monotonic-view"),
        ("cyclic-versions", "read-uncommitted strong-session-read-uncommitted"),
        ("G-single-item", "prefix causal causal-cerone read-atomic cursor-stability monotonic-view read-committed"),
        ("G-nonadjacent-item", "consistent-view parallel-snapshot-isolation update-serializable prefix causal"),
        ("G2-item", "snapshot-isolation strong-snapshot-isolation update-serializable"),
        ("G2", "repeatable-read snapshot-isolation update-serializable"),
        ("G0-process", "serializable repeatable-read read-uncommitted"),
        ("G1c-process", "serializable strong-session-read-uncommitted strong-read-uncommitted"),
        ("G-single-process", "serializable causal prefix@biswas-enea strong-read-committed"),
        ("G2-process", "serializable strong-snapshot-isolation causal"),
        ("G0-realtime", "strong-session-serializable serializable causal"),
        ("G1c-realtime", "strong-session-serializable strong-read-uncommitted"),
        ("G-nonadjacent-realtime", "strong-session-serializable strong-read-committed"),
        ("G2-realtime", "strong-session-serializable strong-snapshot-isolation linearizable"),
        ("non-linearizable", "sequential causal bounded-staleness serializable strong-session-serializable"),
        ("duplicate-elements", "pram bounded-staleness eventual"),
    ] {
        for innocent in innocent.split(' ') {
            assert!(!anomaly(name).rules_out().contains(&guarantee(innocent)), "{name} does not rule out {innocent}");
        }
    }
}

/// Goal: what comes from nowhere violates every guarantee of its families; aborted, intermediate and future reads all of objects
/// and sessions.
#[test]
fn rules_out_whole_families() {
    let all = |family: Family, name: &str| family.members().all(|member| anomaly(name).rules_out().contains(&member));
    for name in ["thin-air-read", "duplicate-elements", "incompatible-order"] {
        assert!(all(Family::Transactions, name), "{name}");
    }
    for name in ["thin-air-read", "G1a", "G1b", "future-read"] {
        assert!(all(Family::Objects, name) && all(Family::Sessions, name), "{name}");
    }
    assert!(all(Family::Eventual, "thin-air-read") && all(Family::Staleness, "thin-air-read"));
    assert!(!all(Family::Transactions, "G1a"));
}

/// Goal: an anomaly rules out all that the anomalies it implies rule out, and is as severe.
#[test]
fn implied_anomalies_rule_out_less() {
    for &one in Anomaly::ALL {
        for &implied in one.implies() {
            let less = implied.rules_out().iter().all(|guarantee| one.rules_out().contains(guarantee));
            assert!(less, "{one} => {implied}");
            let tie = one.rules_out() == implied.rules_out();
            assert!(tie || one.severity() < implied.severity(), "{one} => {implied}");
        }
    }
    let mut ranks: Vec<usize> = Anomaly::ALL.iter().map(|anomaly| anomaly.severity()).collect();
    ranks.sort_unstable();
    assert!(ranks.iter().copied().eq(0..Anomaly::ALL.len()));
    for pair in
        ["thin-air-read", "G0", "G1c", "G-single-item", "G2-item", "G0-process", "G2-process", "G0-realtime"].windows(2)
    {
        assert!(anomaly(pair[0]).severity() < anomaly(pair[1]).severity(), "{pair:?}");
    }
}
