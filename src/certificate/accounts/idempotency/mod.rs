//! `idempotent`: of each idempotency key in its scope (each intent, or attempt, without one) its attempts and effects.
//!
//! An account is in order where
//! - what was done, was done after an attempt that was not refused had begun, and once in each life of the key (each kind of
//!   effect once, where the policy names a bundle, and then all of them);
//! - every answer that claims an effect came after it, and names the resource that it made;
//! - answers to one payload repeat the first that is kept, as far as the policy has them repeated;
//! - every answer that claims an effect is to one payload, that of an attempt which can have been executed ([`super::Role::Executed`]);
//! - every refusal for another payload, or as in flight, names an attempt that was its reason.
//!
//! And all together: no intent took effect in two accounts of one scope, no account answers with another's resource, and a
//! complete audit comes after the last answer. An effect that does not say whose it is (its key, and the scope where several use
//! that key) is its intent's, else the resource's that the first answer names; what even that does not tell has no account.

mod lives;
mod refusals;
mod whose;

use std::collections::{HashMap, HashSet};

use super::contents::Contents;
use super::ledger::{Act, Ledger, is_named, name};
use super::{Account, Entry, Shown};
use crate::contract::Policy;
use crate::history::{History, Status, Value};

use lives::Lives;
use whose::{Identity, Whose};

/// The policy.
pub(super) struct Terms {
    life_ns: Option<i64>,
    max_ttl_ns: Option<i64>,
    lease_ns: Option<i64>,
    mismatch: Option<i64>,
    /// The status of a retry while an attempt is in flight; none where it waits.
    in_flight: Option<i64>,
    replay: String,
    cache: Vec<String>,
    key_required: bool,
    bundle: Vec<String>,
}

impl Terms {
    fn of(policy: &Policy) -> Terms {
        let max_ttl_ns = policy.duration_ns("max-ttl");
        Terms {
            life_ns: policy.duration_ns("ttl").or(max_ttl_ns),
            max_ttl_ns,
            lease_ns: policy.duration_ns("lease"),
            mismatch: policy.integer("mismatch"),
            in_flight: match policy.word("in-flight").as_deref() {
                Some("wait") => None,
                _ => policy.integer("in-flight").or(Some(409)),
            },
            replay: policy.word("replay").unwrap_or_default(),
            cache: policy.words("cache"),
            key_required: policy.word("key").as_deref() == Some("required"),
            bundle: policy.words("effects"),
        }
    }

    /// Whether an answer is kept for retries.
    fn keeps(&self, attempt: &Attempt<'_>) -> bool {
        let class = if attempt.code == 0 { 2 } else { attempt.code / 100 };
        attempt.act.ok() && self.cache.iter().any(|kept| *kept == format!("{class}xx"))
    }

    /// Whether a second answer repeats the first.
    fn repeats(&self, one: &Attempt<'_>, two: &Attempt<'_>) -> bool {
        match self.replay.as_str() {
            "exact" => one.code == two.code && one.response() == two.response(),
            "status" => one.code == two.code,
            "resource" => one.resource == two.resource,
            _ => one.response() == two.response(),
        }
    }
}

/// What an attempt asks for.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Content {
    Unknown,
    Payload(u32),
    Fingerprint(Value),
}

impl Content {
    /// Whether the two certainly are not the same.
    fn differs(self, other: Content) -> bool {
        match (self, other) {
            (Content::Payload(_), Content::Payload(_)) | (Content::Fingerprint(_), Content::Fingerprint(_)) => {
                self != other
            }
            _ => false,
        }
    }
}

/// An attempt.
#[derive(Clone, Copy)]
struct Attempt<'a> {
    act: Act<'a>,
    content: Content,
    /// The status that it was answered with; 0 for none.
    code: i64,
    /// The resource that the answer names, or null.
    resource: Value,
}

impl<'a> Attempt<'a> {
    fn of(act: &Act<'a>, ledger: &Ledger<'_>, contents: &mut Contents) -> Attempt<'a> {
        let asked = if act.begins { act.argument } else { act.result };
        let (payload, fingerprint) = (act.within(asked, "payload"), act.within(asked, "fingerprint"));
        let content = match (payload.is_null(), fingerprint.is_null()) {
            (false, _) => Content::Payload(contents.number(ledger.values, payload)),
            (true, false) => Content::Fingerprint(fingerprint),
            (true, true) => Content::Unknown,
        };
        let code = ledger.values.as_int(act.within(act.result, "status")).unwrap_or(0);
        Attempt { act: *act, content, code, resource: whose::named(act) }
    }

    /// Whether the answer claims an effect.
    fn claims(&self) -> bool {
        whose::claims(&self.act, self.code)
    }

    fn response(&self) -> Value {
        self.act.within(self.act.result, "response")
    }
}

/// An effect: its first record, and what any record of it says.
#[derive(Clone, Copy)]
struct Effect {
    position: u32,
    time: Option<i64>,
    id: Value,
    resource: Value,
    kind: Value,
}

/// One account, read.
struct Read<'a> {
    keyed: bool,
    /// By beginning.
    attempts: Vec<Attempt<'a>>,
    /// By position.
    effects: Vec<Effect>,
    lives: Lives,
}

/// Whether the accounts show that every key was kept.
pub(super) fn rule(history: &History, policy: &Policy, accounts: &[Account]) -> Result<Shown, String> {
    let terms = Terms::of(policy);
    let mut ledger = Ledger::new(history, &["request"], &["effect", "audit"])?;
    let whose = Whose::of(&ledger);
    let mut contents = Contents::default();
    let mut had: HashSet<Identity> = HashSet::new();
    let mut intents = Intents::default();
    let mut effects = 0usize;
    for account in accounts {
        let refuse = |why: String| format!("{} {why}", name(account));
        let acts = ledger.take(account, |_| false)?;
        let identity = belong(&acts, &whose).map_err(refuse)?;
        if !had.insert(identity) {
            return Err(refuse("what it is of has an account already".to_owned()));
        }
        is_named(account, &identity.name(ledger.values))?;
        let read = read(&acts, &ledger, identity, &terms, &mut contents).map_err(refuse)?;
        done(&read, &terms, &ledger).map_err(refuse)?;
        answers(&read, &terms, &whose, identity).map_err(refuse)?;
        if read.keyed {
            repeated(&read, &terms).map_err(refuse)?;
            refusals::payloads(&read, &terms, &account.entries).map_err(refuse)?;
            refusals::refused(&read, &terms, &account.entries).map_err(refuse)?;
        } else if let Some(entry) = account.entries.iter().find(|entry| entry.is.is_some()) {
            return Err(refuse(format!("record {} has a role, and no key", entry.at)));
        }
        intents.take(&acts, &read, identity, &terms).map_err(refuse)?;
        effects += read.effects.len();
    }
    ledger.complete(&["request", "effect"])?;
    let answered = ledger.acts.iter().filter(|act| act.f == "request" && act.ok());
    let last = answered.map(|act| act.ended).max();
    let refused = ledger.acts.iter().any(|act| act.f == "request" && !act.may());
    if last.is_none() && !refused && effects == 0 {
        return Ok(Shown::Nothing("no request was answered, and no effect is recorded: nothing could refute it"));
    }
    if ledger.audit().is_none_or(|audit| last.is_some_and(|last| audit.position <= last)) {
        return Ok(Shown::Nothing("no complete audit comes after the last answer: effects may be missing"));
    }
    let attempts = ledger.acts.iter().filter(|act| act.f == "request").count();
    Ok(Shown::All(format!("{attempts} attempts of {} requests, {effects} effects, each once", accounts.len())))
}

/// What all records of an account are of.
fn belong(acts: &[Act<'_>], whose: &Whose) -> Result<Identity, String> {
    let mut own = acts.iter().filter(|act| act.f == "request").map(Identity::of);
    let Some(identity) = own.next() else { return Err("nobody asked for what it has".to_owned()) };
    for act in acts {
        let of = if act.f == "request" { Some(Identity::of(act)) } else { whose.is(act) };
        match of {
            Some(of) if of == identity => {}
            Some(_) => return Err(format!("record {} is of another one", act.position)),
            None => return Err(format!("nothing says whose the effect at record {} is", act.position)),
        }
    }
    Ok(identity)
}

fn read<'a>(
    acts: &[Act<'a>],
    ledger: &Ledger<'a>,
    identity: Identity,
    terms: &Terms,
    contents: &mut Contents,
) -> Result<Read<'a>, String> {
    let mut attempts: Vec<Attempt<'a>> =
        acts.iter().filter(|act| act.f == "request").map(|act| Attempt::of(act, ledger, contents)).collect();
    attempts.sort_by_key(|attempt| (attempt.act.began, attempt.act.position));
    let mut effects: Vec<Effect> = Vec::new();
    let mut known: HashMap<Value, usize> = HashMap::new();
    for act in acts.iter().filter(|act| act.f == "effect") {
        let effect = Effect {
            position: act.position,
            time: act.completed,
            id: act.said("effect"),
            resource: act.said("resource"),
            kind: act.said("kind"),
        };
        if effect.id.is_null() {
            return Err(format!("the effect at record {} has no identity", act.position));
        }
        match known.get(&effect.id) {
            // A second record of one effect may say more of it.
            Some(at) => {
                let first = &mut effects[*at];
                first.resource = if first.resource.is_null() { effect.resource } else { first.resource };
                first.kind = if first.kind.is_null() { effect.kind } else { first.kind };
            }
            None => {
                known.insert(effect.id, effects.len());
                effects.push(effect);
            }
        }
    }
    let lives = Lives::of(&attempts, &effects, terms);
    Ok(Read { keyed: matches!(identity, Identity::Key { .. }), attempts, effects, lives })
}

/// What was done: after somebody asked, once in each life, and all of it.
fn done(read: &Read<'_>, terms: &Terms, ledger: &Ledger<'_>) -> Result<(), String> {
    let live = read.attempts.iter().find(|attempt| attempt.act.may()).map_or(u32::MAX, |attempt| attempt.act.began);
    if let Some(first) = read.effects.first().filter(|first| first.position < live) {
        return Err(format!("no attempt can have caused the effect at record {}", first.position));
    }
    let mut once: HashMap<(u32, Value), u32> = HashMap::new();
    for (at, effect) in read.effects.iter().enumerate() {
        let kind = if terms.bundle.is_empty() { Value::NULL } else { effect.kind };
        if let Some(first) = once.insert((read.lives.of_effect(at).0, kind), effect.position) {
            return Err(format!("records {first} and {} are two effects of one life of the key", effect.position));
        }
    }
    let has = |kind: &String| read.effects.iter().any(|effect| ledger.values.as_str(effect.kind) == Some(kind));
    let had = terms.bundle.iter().filter(|kind| has(kind)).count();
    let claimed = read.attempts.iter().find(|attempt| attempt.claims());
    let nothing = if terms.bundle.is_empty() { read.effects.is_empty() } else { had == 0 };
    if let (true, Some(claim)) = (nothing, claimed) {
        return Err(format!("the answer at record {} claims an effect, and there is none", claim.act.position));
    }
    let unnamed = read.effects.iter().any(|effect| effect.kind.is_null());
    if had < terms.bundle.len() && (had > 0 || unnamed) {
        return Err("only some of the effects of its bundle were made".to_owned());
    }
    if let (true, Some(claim)) = (terms.key_required && !read.keyed, claimed) {
        return Err(format!("the answer at record {} is a success without a key", claim.act.position));
    }
    Ok(())
}

/// Every answer that claims an effect came after it, and names what it made.
fn answers(read: &Read<'_>, terms: &Terms, whose: &Whose, identity: Identity) -> Result<(), String> {
    // The youngest effect with each resource.
    let mut made: HashMap<Value, &Effect> = HashMap::new();
    made.extend(
        read.effects.iter().filter(|effect| !effect.resource.is_null()).map(|effect| (effect.resource, effect)),
    );
    let begun = read.attempts.iter().filter(|attempt| attempt.act.may());
    let begun = begun.map(|attempt| attempt.act.invoked).min().flatten();
    for attempt in read.attempts.iter().filter(|attempt| attempt.claims()) {
        let refuse = |why: &str| Err(format!("the answer at record {} {why}", attempt.act.position));
        let early = read.effects.first().is_some_and(|first| attempt.act.ended < first.position);
        if read.keyed && early {
            return refuse("claims an effect before there was one");
        }
        let own = made.get(&attempt.resource).filter(|_| !attempt.resource.is_null());
        if own.is_none() && !made.is_empty() {
            return refuse("does not name what its effect made");
        }
        if own.is_none() && !attempt.resource.is_null() && whose.made_elsewhere(identity, attempt.resource) {
            return refuse("names what was made for another scope");
        }
        if let (Some(max), Some(effect)) = (terms.max_ttl_ns.filter(|_| read.keyed), own)
            && attempt.act.began > effect.position
        {
            let within = begun.zip(attempt.act.completed).is_some_and(|(begun, now)| now <= begun.saturating_add(max));
            let old = effect.time.zip(attempt.act.invoked).is_some_and(|(made, now)| now > made.saturating_add(max));
            if old || !within {
                return refuse("may replay what was made longer than max-ttl before");
            }
        }
    }
    Ok(())
}

/// Answers to one payload repeat the first of them that is kept.
fn repeated(read: &Read<'_>, terms: &Terms) -> Result<(), String> {
    let mut answers: Vec<&Attempt<'_>> = read.attempts.iter().filter(|attempt| attempt.act.ok()).collect();
    answers.sort_by_key(|attempt| attempt.act.ended);
    let mut first: HashMap<(u32, Content), &Attempt<'_>> = HashMap::new();
    for attempt in answers.iter().filter(|attempt| terms.keeps(attempt)) {
        if let Some(life) = read.lives.of_attempt(attempt) {
            first.entry((life, attempt.content)).or_insert(attempt);
        }
    }
    for attempt in answers {
        let of = read.lives.of_attempt(attempt).and_then(|life| first.get(&(life, attempt.content)));
        let Some(one) = of else { continue };
        let same = if terms.keeps(attempt) { terms.repeats(one, attempt) } else { attempt.act.began < one.act.ended };
        if !same {
            return Err(format!(
                "the answer at record {} does not repeat that at record {}",
                attempt.act.position, one.act.position
            ));
        }
    }
    Ok(())
}

/// Where each intent took effect: of each kind, the first.
#[derive(Default)]
struct Intents(HashMap<(Value, Place, Value), Value>);

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Place {
    Scope(Value),
    Keyed,
    Keyless,
}

impl Intents {
    /// No other account of the scope, and none with a key beside one without, has another effect of the same intent.
    fn take(&mut self, acts: &[Act<'_>], read: &Read<'_>, identity: Identity, terms: &Terms) -> Result<(), String> {
        let mut said = acts.iter().filter(|act| act.f == "request").map(whose::intent).filter(|one| !one.is_null());
        let Some(intent) = said.next().filter(|intent| said.all(|other| other == *intent)) else { return Ok(()) };
        let (ours, others) = match identity {
            Identity::Key { scope, .. } => ([Place::Scope(scope), Place::Keyed], [Place::Scope(scope), Place::Keyless]),
            _ => ([Place::Keyless; 2], [Place::Keyed; 2]),
        };
        let kind = |effect: &Effect| if terms.bundle.is_empty() { Value::NULL } else { effect.kind };
        for effect in &read.effects {
            let twice = |place: Place| self.0.get(&(intent, place, kind(effect))).is_some_and(|id| *id != effect.id);
            if others.into_iter().any(twice) {
                return Err(format!("the effect at record {} is a second one of its intent", effect.position));
            }
        }
        for effect in &read.effects {
            for place in ours {
                self.0.entry((intent, place, kind(effect))).or_insert(effect.id);
            }
        }
        Ok(())
    }
}

/// The entry of an attempt.
fn entry_of<'e>(entries: &'e [Entry], attempt: &Attempt<'_>) -> Option<&'e Entry> {
    let at = entries.binary_search_by_key(&attempt.act.position, |entry| entry.at).ok()?;
    entries.get(at)
}

/// The attempt that an entry's `by` names.
fn reason<'r, 'a>(read: &'r Read<'a>, by: &HashMap<u32, usize>, entry: &Entry) -> Option<&'r Attempt<'a>> {
    read.attempts.get(*by.get(&entry.by?)?)
}

/// Which attempt each position names.
fn by_position(read: &Read<'_>) -> HashMap<u32, usize> {
    read.attempts.iter().enumerate().map(|(at, attempt)| (attempt.act.position, at)).collect()
}

/// Whether an attempt ended without an answer.
fn unanswered(attempt: &Attempt<'_>) -> bool {
    attempt.act.status == Status::Info
}
