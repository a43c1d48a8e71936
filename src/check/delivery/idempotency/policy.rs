//! What an idempotency layer promises, as data. The defaults are those of the idempotency-key draft, and no expiry.

use crate::check::delivery::policy;
use crate::contract::Requirement;
use crate::guarantee::Guarantee;
use crate::history::History;
use crate::witness::recheck::idempotency::Terms as Confirmed;
use crate::workload::WorkloadError;

/// What a retry gets while the first attempt is in flight.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InFlight {
    /// A refusal with this status.
    Status(u16),
    /// It waits, and gets the outcome.
    Wait,
}

/// How much of the first answer a replay repeats.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Replay {
    /// Status and response.
    Exact,
    /// The response.
    Response,
    /// The status.
    Status,
    /// The resource.
    Resource,
}

/// The promises.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// A key lives at least this long from the start of its first execution; none: for ever.
    pub ttl_ns: Option<i64>,
    /// And at most this long.
    pub max_ttl_ns: Option<i64>,
    /// An attempt is in flight at most this long.
    pub lease_ns: Option<i64>,
    /// The status for a key that comes again with another payload.
    pub mismatch: u16,
    /// What a retry gets while an attempt is in flight.
    pub in_flight: InFlight,
    /// How much of it a replay repeats.
    pub replay: Replay,
    /// The statuses whose answers are replayed, as ranges.
    pub cache: Vec<(u16, u16)>,
    /// Whether a request without a key has to be refused.
    pub key_required: bool,
    /// The kinds of effect that one request makes; empty: one effect of any kind.
    pub effects: Vec<String>,
}

impl Default for Policy {
    fn default() -> Self {
        Policy {
            ttl_ns: None,
            max_ttl_ns: None,
            lease_ns: None,
            mismatch: 422,
            in_flight: InFlight::Status(409),
            replay: Replay::Response,
            cache: vec![(200, 299)],
            key_required: false,
            effects: Vec::new(),
        }
    }
}

impl Policy {
    /// What the history's header says, and over it what the requirements of `idempotent` say.
    ///
    /// # Errors
    /// A term that does not exist, or whose value is not of its kind.
    pub fn of(history: &History, requirements: &[Requirement]) -> Result<Policy, WorkloadError> {
        let said = policy::stated(history, requirements, &[Guarantee::Idempotent])?;
        let default = Policy::default();
        let status = |name| said.integer(name).and_then(|code| u16::try_from(code).ok());
        Ok(Policy {
            ttl_ns: said.duration_ns("ttl"),
            max_ttl_ns: said.duration_ns("max-ttl"),
            lease_ns: said.duration_ns("lease"),
            mismatch: status("mismatch").unwrap_or(default.mismatch),
            in_flight: match said.word("in-flight").as_deref() {
                Some("wait") => InFlight::Wait,
                _ => status("in-flight").map_or(default.in_flight, InFlight::Status),
            },
            replay: match said.word("replay").as_deref() {
                Some("exact") => Replay::Exact,
                Some("status") => Replay::Status,
                Some("resource") => Replay::Resource,
                _ => default.replay,
            },
            cache: said.words("cache").iter().filter_map(|class| range(class)).collect(),
            key_required: said.word("key").as_deref() == Some("required"),
            effects: said.words("effects"),
        })
    }

    /// How long two effects of one key are a duplicate: the life that is promised at least.
    #[must_use]
    pub fn life_ns(&self) -> Option<i64> {
        self.ttl_ns.or(self.max_ttl_ns)
    }

    /// What confirming a finding needs of it.
    #[must_use]
    pub fn terms(&self) -> Confirmed {
        let repeats = match self.replay {
            Replay::Exact => [true, true, false],
            Replay::Response => [false, true, false],
            Replay::Status => [true, false, false],
            Replay::Resource => [false, false, true],
        };
        Confirmed {
            life_ns: self.life_ns(),
            max_ttl_ns: self.max_ttl_ns,
            lease_ns: self.lease_ns,
            mismatch: self.mismatch,
            in_flight: match self.in_flight {
                InFlight::Status(code) => Some(code),
                InFlight::Wait => None,
            },
            repeats,
            cache: self.cache.clone(),
            key_required: self.key_required,
            bundle: self.effects.clone(),
        }
    }

    /// Whether answers of this status are replayed. No status is that of a success.
    #[must_use]
    pub fn caches(&self, code: u16) -> bool {
        let code = if code == 0 { 200 } else { code };
        self.cache.iter().any(|(first, last)| (*first..=*last).contains(&code))
    }
}

/// The statuses of a class: `2xx`.
fn range(class: &str) -> Option<(u16, u16)> {
    let first = class.strip_suffix("xx")?.parse::<u16>().ok()?.checked_mul(100)?;
    Some((first, first.checked_add(99)?))
}
