//! Which parameters a guarantee has, and what each may be.

use super::{parse_duration, quoted};
use crate::guarantee::Guarantee;

/// What a parameter's value may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A length of time, with its unit.
    Duration,
    /// A whole number within these bounds.
    Integer {
        /// The least that makes sense.
        least: i64,
        /// The most that makes sense.
        most: i64,
    },
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// An HTTP status that refuses a request (400 to 499), or one of these words.
    RefusalOr(&'static [&'static str]),
    /// Some of these words, joined by `+`.
    SomeOf(&'static [&'static str]),
    /// Words of the user's own, joined by `+`.
    Words,
    /// Any text.
    Text,
}

impl Kind {
    /// What to write, in a phrase.
    #[must_use]
    pub fn describe(self) -> String {
        let list = |words: &[&str]| words.join(", ");
        match self {
            Kind::Duration => "a duration, such as 500ms, 30s or 24h".to_owned(),
            Kind::Integer { least, most: i64::MAX } => format!("a whole number, {least} or more"),
            Kind::Integer { least, most } => format!("a whole number from {least} to {most}"),
            Kind::OneOf(words) => format!("one of {}", list(words)),
            Kind::RefusalOr([]) => "an HTTP status from 400 to 499".to_owned(),
            Kind::RefusalOr(words) => format!("an HTTP status from 400 to 499, or {}", list(words)),
            Kind::SomeOf(words) => format!("some of {}, joined by +", list(words)),
            Kind::Words => "names, joined by +".to_owned(),
            Kind::Text => "a name".to_owned(),
        }
    }
}

/// One parameter of a guarantee.
#[derive(Debug, PartialEq, Eq)]
pub struct Parameter {
    /// What it is called.
    pub name: &'static str,
    /// What it may be.
    pub kind: Kind,
    /// What it is where nobody says; none: it has no effect then.
    pub default: Option<&'static str>,
    /// What it does, in a phrase.
    pub meaning: &'static str,
}

/// A parameter's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Duration(i64),
    Integer(i64),
    Words(Vec<String>),
}

impl Parameter {
    /// The parameters of a guarantee, in the order in which they are listed.
    #[must_use]
    pub const fn of(guarantee: Guarantee) -> &'static [Parameter] {
        match guarantee {
            Guarantee::BoundedStaleness => BOUNDED_STALENESS,
            Guarantee::Eventual | Guarantee::StrongEventual => EVENTUAL,
            Guarantee::Idempotent => IDEMPOTENT,
            Guarantee::AtLeastOnce
            | Guarantee::AtMostOnce
            | Guarantee::EffectivelyOnce
            | Guarantee::OrderedDelivery => DELIVERY,
            Guarantee::Outbox => OUTBOX,
            Guarantee::Reconciled => RECONCILED,
            Guarantee::Bank => BANK,
            _ => &[],
        }
    }

    /// Reads a value.
    ///
    /// The error is a clause that follows the value: `... has no unit: write 500ms`.
    pub(super) fn read(&self, text: &str) -> Result<Value, String> {
        let text = text.trim();
        let expected = || format!("is not {}", self.kind.describe());
        let whole = |least, most| match text.parse::<i64>() {
            Ok(number) if (least..=most).contains(&number) => Ok(Value::Integer(number)),
            _ => Err(expected()),
        };
        let word = |word: &str| Value::Words(vec![word.to_owned()]);
        match self.kind {
            Kind::Duration => parse_duration(text).map(Value::Duration),
            Kind::Integer { least, most } => whole(least, most),
            Kind::OneOf(words) if words.contains(&text) => Ok(word(text)),
            Kind::RefusalOr(words) if words.contains(&text) => Ok(word(text)),
            Kind::RefusalOr(_) => whole(400, 499),
            Kind::SomeOf(_) | Kind::Words => {
                let parts: Vec<String> = text.split('+').map(|part| part.trim().to_owned()).collect();
                for (at, part) in parts.iter().enumerate() {
                    if part.is_empty() || matches!(self.kind, Kind::SomeOf(words) if !words.contains(&part.as_str())) {
                        return Err(expected());
                    }
                    if parts[..at].contains(part) {
                        return Err(format!("has {} twice", quoted(part)));
                    }
                }
                Ok(Value::Words(parts))
            }
            Kind::Text if !text.is_empty() => Ok(word(text)),
            Kind::OneOf(_) | Kind::Text => Err(expected()),
        }
    }
}

const COUNT: Kind = Kind::Integer { least: 0, most: i64::MAX };

macro_rules! parameters {
    ($table:ident: $($name:literal $kind:expr, $default:expr; $meaning:literal;)+) => {
        const $table: &[Parameter] =
            &[$(Parameter { name: $name, kind: $kind, default: $default, meaning: $meaning }),+];
    };
}

parameters! { BOUNDED_STALENESS:
    "time" Kind::Duration, None; "how long after a newer value was there a read may still show an older one";
    "versions" COUNT, None; "how many newer versions a read may miss";
    "combine" Kind::OneOf(&["any", "all"]), Some("any");
        "whether a read breaks the guarantee past either bound, or only past both (as Azure Cosmos DB)";
}

parameters! { EVENTUAL:
    "within" Kind::Duration, None; "how long after a write was acknowledged reads may still miss it";
}

parameters! { IDEMPOTENT:
    "ttl" Kind::Duration, None; "the least life of a key, from the start of its first execution; none: keys never expire";
    "max-ttl" Kind::Duration, None; "the most life of a key";
    "lease" Kind::Duration, None; "the longest an attempt is in flight";
    "mismatch" Kind::RefusalOr(&[]), Some("422"); "the answer to a key that comes with another payload";
    "in-flight" Kind::RefusalOr(&["wait"]), Some("409"); "the answer to a retry while the first attempt is in flight";
    "replay" Kind::OneOf(&["exact", "response", "status", "resource"]), Some("response");
        "what of the first answer its replays repeat";
    "cache" Kind::SomeOf(&["2xx", "3xx", "4xx", "5xx"]), Some("2xx"); "the classes of answers that are replayed";
    "key" Kind::OneOf(&["required", "optional"]), Some("optional"); "whether a request without a key is refused";
    "effects" Kind::Words, None; "the kinds of effects that one request makes together; none: one effect of any kind";
}

parameters! { DELIVERY:
    "window" Kind::Duration, None; "how long deduplication holds; none: for ever";
    "max-attempts" Kind::Integer { least: 1, most: i64::MAX }, None; "how often a message is tried before it is parked";
}

parameters! { OUTBOX:
    "duplicates" Kind::OneOf(&["allowed", "forbidden"]), Some("allowed"); "whether an event may be published twice";
}

parameters! { RECONCILED:
    "authority" Kind::Text, None; "the system that is right where two differ";
}

parameters! { BANK:
    "total" Kind::Integer { least: i64::MIN, most: i64::MAX }, None; "what all balances add up to; none: what the first read shows";
    "negative" Kind::OneOf(&["true", "false"]), Some("true"); "whether a balance may be negative";
}
