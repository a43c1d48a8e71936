//! By which terms something is judged: what a history's header says, and over it the parameters of what is required.
//!
//! A header gives its terms as fields of its own, or within `policy`, where a name that is none of them is refused by whoever reads
//! them. There a bare number of a duration is nanoseconds, the unit of `time`, a list is what `+` joins elsewhere, and null says
//! nothing.

use crate::contract::{Kind, Parameter, ParameterError, Policy};
use crate::guarantee::Guarantee;
use crate::history::{History, Value, Values, View};
use crate::witness::claim::Rule;
use crate::witness::recheck::{delivery, idempotency};

/// The terms that a header has, as text.
#[must_use]
pub fn header(history: &History, guarantee: Guarantee) -> Vec<(String, String)> {
    let values = history.values();
    let table = Parameter::of(guarantee);
    let fields = history.header().fields;
    let policy = values.get(fields, "policy").unwrap_or(Value::ABSENT);
    let mut terms = Vec::new();
    for (map, is_policy) in [(fields, false), (policy, true)] {
        for (name, value) in values.entries(map).filter(|(_, value)| !value.is_null()) {
            let name = values.as_str(name).map_or_else(|| values.plain_json(name, 60), |name| name.replace('_', "-"));
            let parameter = table.iter().find(|known| known.name == name);
            if is_policy || parameter.is_some() {
                terms.push((name, text(values, value, parameter.map(|known| known.kind))));
            }
        }
    }
    terms
}

/// A value of the header as the text that a parameter has.
fn text(values: &Values, value: Value, kind: Option<Kind>) -> String {
    let plain = |value| values.as_str(value).map_or_else(|| values.plain_json(value, 200), str::to_owned);
    match values.view(value) {
        View::Int(nanoseconds) if kind == Some(Kind::Duration) => format!("{nanoseconds}ns"),
        View::Compound(_) if value.is_list() => {
            values.items(value).into_iter().map(plain).collect::<Vec<String>>().join("+")
        }
        _ => plain(value),
    }
}

/// The guarantees whose parameters are the terms of an account's rule; the first one's table is all of theirs.
pub(super) fn guarantees(rule: &Rule) -> &'static [Guarantee] {
    match rule {
        Rule::Idempotency(_) => &[Guarantee::Idempotent],
        Rule::Delivery(_) => {
            &[Guarantee::EffectivelyOnce, Guarantee::AtLeastOnce, Guarantee::AtMostOnce, Guarantee::OrderedDelivery]
        }
        Rule::Outbox => &[Guarantee::Outbox],
        Rule::Saga => &[Guarantee::Saga],
        Rule::Reconciliation { .. } => &[Guarantee::Reconciled],
    }
}

/// What the header says, and over it each of these, the later ones over the earlier.
///
/// # Errors
/// Terms that can't be.
pub(super) fn stated(history: &History, guarantee: Guarantee, over: &[Policy]) -> Result<Policy, ParameterError> {
    let terms = header(history, guarantee);
    let said = Policy::read(guarantee, terms.iter().map(|(name, text)| (name.as_str(), text.as_str())))?;
    over.iter().try_fold(said, |policy, over| policy.overridden_by(over))
}

/// Whether an account's rule is read by these terms.
pub(super) fn are_of(rule: &Rule, policy: &Policy) -> bool {
    match rule {
        Rule::Idempotency(terms) => *terms == idempotency_terms(policy),
        Rule::Delivery(terms) => {
            let (window_ns, max_attempts) = (policy.duration_ns("window"), policy.integer("max-attempts"));
            *terms == delivery::Terms { window_ns, max_attempts }
        }
        Rule::Reconciliation { authority } => *authority == policy.word("authority"),
        Rule::Outbox | Rule::Saga => true,
    }
}

fn idempotency_terms(policy: &Policy) -> idempotency::Terms {
    let max_ttl_ns = policy.duration_ns("max-ttl");
    let status = |name| policy.integer(name).and_then(|code| u16::try_from(code).ok());
    let replay = policy.word("replay");
    // A class of statuses, as `2xx`.
    let class = |text: &String| {
        let first = text.strip_suffix("xx")?.parse::<u16>().ok()?.checked_mul(100)?;
        Some((first, first.checked_add(99)?))
    };
    idempotency::Terms {
        life_ns: policy.duration_ns("ttl").or(max_ttl_ns),
        max_ttl_ns,
        lease_ns: policy.duration_ns("lease"),
        mismatch: status("mismatch").unwrap_or(422),
        in_flight: match policy.word("in-flight").as_deref() {
            Some("wait") => None,
            _ => status("in-flight").or(Some(409)),
        },
        repeats: match replay.as_deref() {
            Some("exact") => [true, true, false],
            Some("status") => [true, false, false],
            Some("resource") => [false, false, true],
            _ => [false, true, false],
        },
        cache: policy.words("cache").iter().filter_map(class).collect(),
        key_required: policy.word("key").as_deref() == Some("required"),
        bundle: policy.words("effects"),
    }
}
