//! What a name means, for somebody who has just met it in a report: a guarantee, an anomaly, an exit code, a word of a verdict.

use super::Style;
use super::page::{ASIDE, HEADING, NAME, Page};
use crate::contract::Parameter;
use crate::guarantee::{Anomaly, Guarantee, nearest};

/// What can be explained.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Subject {
    /// A guarantee.
    Guarantee(Guarantee),
    /// An anomaly.
    Anomaly(Anomaly),
    /// A word that reports use: its number in the table.
    Term(usize),
}

/// Names that reports use, what else they are looked up by, and what they mean.
const TERMS: &[(&str, &[&str], &str)] = &[
    (
        "holds",
        &[],
        "Every observation of the history is consistent with the guarantee, and at least one could have refuted it. It says what this history shows, no more: another run may differ. `evidence` says how much was looked at.",
    ),
    (
        "violated",
        &[],
        "The history certainly breaks the guarantee, however clocks and missing records are read. The anomaly beside it has a witness: the records that prove it.",
    ),
    (
        "unknown",
        &[],
        "Neither could be decided. The reason says why: a budget that was spent, evidence that is missing (an audit, a final read, an observation that could have refuted it), or a finding that is only possible. It never counts as a pass: the exit code is 3.",
    ),
    (
        "not-applicable",
        &[],
        "Such a history can neither show nor refute the guarantee: no register shows whether transactions are serializable. To require it is an error, with exit code 2.",
    ),
    ("certain", &[], "It is so in every reading of the history. Only what is certain makes a guarantee violated."),
    (
        "possible",
        &[],
        "It is so in some readings: it depends on a clock, on an interval, or on a record that is missing. It is reported, and where nothing else is wrong the verdict is unknown.",
    ),
    (
        "exit-codes",
        &["exit codes", "exit", "exit-code"],
        "0: everything required holds. 1: something required is violated. 2: usage, input that can't be read or is not a history, or a required guarantee that is not applicable to it. 3: nothing required is violated, but something required is unknown. Of several histories the worst decides, in the order 2, 1, 3, 0.",
    ),
    ("0", &["exit 0"], "Exit code 0: everything required holds, in every history."),
    (
        "1",
        &["exit 1"],
        "Exit code 1: something required is violated. The first line of the report says what, and by which anomaly.",
    ),
    (
        "2",
        &["exit 2"],
        "Exit code 2: nothing was judged, or not all: the arguments or the contract are wrong, a file can't be read or is no history, or a required guarantee is not applicable to it. The message says where and what to do.",
    ),
    (
        "3",
        &["exit 3"],
        "Exit code 3: nothing required is violated, but something required is unknown. The reason in the report says what would decide it: a larger --timeout or --max-memory, or records that the history lacks.",
    ),
    (
        "budget",
        &["steps"],
        "The search was ended after a number of steps, the same on every machine. What is undecided then is unknown. Values that are written once, fewer clients at one time and shorter histories need no or little search.",
    ),
    (
        "timeout",
        &[],
        "The search was ended by --timeout. What is undecided then is unknown; what was found before stands.",
    ),
    (
        "memory",
        &["max-memory"],
        "The search or the reading was ended by --max-memory. What is undecided then is unknown; a history that was read in part is not judged.",
    ),
    ("minimum", &["minimality"], "No smaller witness exists: none with fewer operations shows this anomaly."),
    (
        "1-minimal",
        &[],
        "No operation can be left out of this witness: without any one of them it would show nothing. A smaller one of other operations may exist.",
    ),
    (
        "bounded",
        &[],
        "The budget ended before a smaller witness could be ruled out. What it shows is certain all the same.",
    ),
    (
        "rechecked",
        &["recheck"],
        "Every witness is confirmed from the whole history by code that shares nothing with the search that found it. `\"rechecked\": false` means that this second look could not confirm it: read it with care, and please report it.",
    ),
    (
        "vacuous",
        &["evidence"],
        "Nothing in the history could have refuted the guarantee: no read, no completed operation, no audit. Such a history never passes: the verdict is unknown.",
    ),
    (
        "witness",
        &[],
        "The smallest piece of the history that shows an anomaly: its operations with their records, and step by step why no execution that keeps the guarantee could have produced them.",
    ),
    (
        "customary",
        &[],
        "Without --require and without a contract, what is customary for the workload is required: linearizable for objects, strict-serializable for transactions, idempotent, effectively-once, outbox, saga, reconciled.",
    ),
    (
        "info",
        &["crashed", "indeterminate"],
        "A record type: nobody knows whether the operation happened. It may have, at any time after its invocation, or never. An invocation without a completion means the same.",
    ),
    (
        "fail",
        &[],
        "A record type: the operation certainly did not happen, and never will. A timeout is not a failure but `info`: recorded as fail, its write would be reported as an aborted read (G1a) when somebody sees it.",
    ),
    ("ok", &[], "A record type: the operation happened, between its invocation and this record, with this result."),
    (
        "ww",
        &["dependency"],
        "A relation: the first transaction wrote a version of the key, and the second wrote the next one.",
    ),
    ("wr", &[], "A relation: the second transaction read what the first wrote."),
    (
        "rw",
        &["anti-dependency"],
        "A relation: the first transaction read a version of the key, and the second wrote the next one, which the first did not see.",
    ),
    (
        "realtime",
        &["real time"],
        "A relation: the first operation completed before the second was invoked. Only the order of records counts, never clocks.",
    ),
    ("process", &["session order"], "A relation: one session did the first operation before the second."),
];

impl Subject {
    /// What is called so, without regard to case.
    #[must_use]
    pub fn named(name: &str) -> Option<Subject> {
        let name = name.trim();
        let is = |known: &str| known.eq_ignore_ascii_case(name);
        let term = || TERMS.iter().position(|(term, others, _)| is(term) || others.iter().any(|other| is(other)));
        Guarantee::named(name)
            .map(Subject::Guarantee)
            .or_else(|| Anomaly::named(name).map(Subject::Anomaly))
            .or_else(|| term().map(Subject::Term))
    }

    /// The name that was probably meant.
    #[must_use]
    pub fn suggest(name: &str) -> Option<&'static str> {
        let terms = || TERMS.iter().map(|(term, ..)| *term);
        let all =
            Guarantee::ALL.iter().flat_map(|one| std::iter::once(one.name()).chain(one.aliases().iter().copied()));
        let anomalies =
            Anomaly::ALL.iter().flat_map(|one| std::iter::once(one.name()).chain(one.aliases().iter().copied()));
        nearest(name, all.chain(anomalies).chain(terms()))
    }

    /// Everything that has a name of its own, in the order of the tables.
    pub fn all() -> impl Iterator<Item = Subject> {
        let guarantees = Guarantee::ALL.iter().copied().map(Subject::Guarantee);
        guarantees.chain(Anomaly::ALL.iter().copied().map(Subject::Anomaly)).chain((0..TERMS.len()).map(Subject::Term))
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Subject::Guarantee(guarantee) => guarantee.name(),
            Subject::Anomaly(anomaly) => anomaly.name(),
            Subject::Term(term) => TERMS[term].0,
        }
    }

    /// The smallest history that shows it, or that violates it: its path below `histories/`, and its text.
    #[must_use]
    pub fn example(self) -> Option<(&'static str, &'static str)> {
        match self {
            Subject::Guarantee(guarantee) => guarantee.example().and_then(|anomaly| anomaly.told().example),
            Subject::Anomaly(anomaly) => anomaly.told().example,
            Subject::Term(_) => None,
        }
    }
}

/// What the subject means. `judged` is the report on its example, which stands at the end.
#[must_use]
pub fn explain(subject: Subject, judged: Option<&str>, style: &Style) -> String {
    let mut page = Page::new(style);
    match subject {
        Subject::Guarantee(guarantee) => of_guarantee(&mut page, guarantee),
        Subject::Anomaly(anomaly) => of_anomaly(&mut page, anomaly),
        Subject::Term(term) => page.headed(0, 2, TERMS[term].0, NAME, TERMS[term].2),
    }
    let Some((path, text)) = subject.example() else { return page.finish() };
    page.gap();
    let what = match subject {
        Subject::Guarantee(guarantee) => {
            let anomaly = guarantee.example().map_or("", Anomaly::name);
            format!("violates it, by {anomaly} (histories/{path}):")
        }
        _ => format!("shows it (histories/{path}):"),
    };
    page.headed(0, 2, "A smallest history", HEADING, &what);
    page.gap();
    let mut out = page.finish();
    // Records are shown as they are: somebody may want to copy them.
    out.extend(text.lines().map(|line| format!("  {line}\n")));
    if let Some(judged) = judged {
        let mut page = Page::new(style);
        page.gap();
        page.headed(0, 2, "What anachron says of it:", HEADING, "");
        out.push('\n');
        out.push_str(&page.finish());
        out.push('\n');
        out.extend(judged.lines().map(|line| if line.is_empty() { "\n".to_owned() } else { format!("  {line}\n") }));
    }
    out
}

fn part(page: &mut Page, head: &str, text: &str) {
    if !text.is_empty() {
        page.headed(0, 2, head, HEADING, text);
    }
}

fn names(guarantees: &[Guarantee]) -> String {
    guarantees.iter().map(|one| one.name()).collect::<Vec<_>>().join(", ")
}

fn of_guarantee(page: &mut Page, guarantee: Guarantee) {
    page.headed(0, 2, guarantee.name(), NAME, &format!("(a guarantee, {})", guarantee.families()[0].name()));
    page.gap();
    part(page, "Means:", &format!("{}.", guarantee.meaning()));
    part(page, "Also called:", &guarantee.aliases().join(", "));
    part(page, "Implies:", &names(&guarantee.covers()));
    let stronger: Vec<Guarantee> =
        Guarantee::ALL.iter().copied().filter(|other| other.covers().contains(&guarantee)).collect();
    part(page, "Implied by:", &names(&stronger));
    let against: Vec<&str> =
        Anomaly::ALL.iter().filter(|one| one.rules_out().contains(&guarantee)).map(|one| one.name()).collect();
    part(page, "Ruled out by:", &against.join(", "));
    for parameter in Parameter::of(guarantee) {
        let default = parameter.default.map(|value| format!(", {value} unless said")).unwrap_or_default();
        let text = format!("{} ({}{default}).", parameter.meaning, parameter.kind.describe());
        page.headed(2, 2, &format!("{}:", parameter.name), ASIDE, &text);
    }
    part(page, "Defined in:", &format!("{}.", guarantee.source()));
    part(page, "Require it:", &format!("anachron check FILE --require {}", guarantee.name()));
}

fn of_anomaly(page: &mut Page, anomaly: Anomaly) {
    page.headed(0, 2, anomaly.name(), NAME, "(an anomaly)");
    page.gap();
    part(page, "Means:", &format!("{}.", anomaly.meaning()));
    part(page, "Also called:", &anomaly.aliases().join(", "));
    part(page, "For the data:", anomaly.consequence());
    part(page, "Commonly caused by:", anomaly.told().cause);
    let out = anomaly.rules_out();
    let weakest = crate::guarantee::weakest(out);
    let rest = out.len() - weakest.len();
    let more = if rest == 0 { String::new() } else { format!(", and {rest} more that imply these") };
    match out {
        [] => part(page, "Rules out:", "nothing by itself: it is reported for what may follow from it."),
        _ => part(page, "Rules out:", &format!("{}{more}.", names(&weakest))),
    }
    part(page, "Implies:", &anomaly.implies().iter().map(|one| one.name()).collect::<Vec<_>>().join(", "));
    part(page, "Defined in:", &format!("{}.", anomaly.source()));
    if !anomaly.is_found() {
        part(
            page,
            "Here:",
            "no check of this version finds it by itself; it stands in the lattice because others speak of it.",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Overall;

    /// Goal: every name leads to its own explanation, and no name leads to two.
    #[test]
    fn every_name_is_explained() {
        for subject in Subject::all() {
            assert_eq!(Subject::named(subject.name()), Some(subject), "{}", subject.name());
            let text = explain(subject, None, &Style::default());
            assert!(text.starts_with(subject.name()) && text.len() > 40, "{text}");
            assert!(text.lines().all(|line| line.starts_with("  {") || line.chars().count() <= 80), "{text}");
        }
        assert_eq!(Subject::named("Write-Skew"), Some(Subject::Anomaly(Anomaly::G2Item)));
        assert_eq!(Subject::named("PL-3"), Some(Subject::Guarantee(Guarantee::Serializable)));
        assert_eq!(Subject::suggest("serialisable"), Some("serializable"));
        assert_eq!(Subject::named("nonsense"), None);
    }

    /// Goal: what is said of exit codes is what programs get.
    #[test]
    fn exit_codes_are_those_of_the_view() {
        let all = TERMS.iter().find(|(term, ..)| *term == "exit-codes").expect("a term").2;
        for (overall, words) in [
            (Overall::Holds, "everything required holds"),
            (Overall::Violated, "something required is violated"),
            (Overall::Error, "usage"),
            (Overall::Unknown, "nothing required is violated"),
        ] {
            assert!(all.contains(&format!("{}: {words}", overall.exit_code())), "{overall:?}");
        }
    }
}
