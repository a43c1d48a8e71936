//! What each class claims, looked for in the whole history.

use super::records::{Asked, Case, Done, Subject};
use crate::guarantee::Anomaly;
use crate::history::{Compound, History, Status, Value, Values, View};
use crate::witness::accounts::Reason;

impl Case<'_> {
    /// Two effects of one kind that are not one, in order of position.
    pub(super) fn distinct(&self) -> Option<(Done, Done)> {
        let [one, two] = self.effects[..] else { return None };
        let alike = self.terms.bundle.is_empty() || one.kind == two.kind;
        let (one, two) = if one.position < two.position { (one, two) } else { (two, one) };
        (alike && one.id != two.id).then_some((one, two))
    }

    /// Two effects in one life of what it is about.
    pub(super) fn again(&self, subject: &Subject) -> bool {
        let Some((one, two)) = self.distinct() else { return false };
        let own = self.is_of(&one, subject) && self.is_of(&two, subject) && self.has_one_scope(subject);
        own && self.within(subject, &[one.time, two.time], one.position)
    }

    /// Whether all that the witness names is of what it is about. Scopes and keys that are mixed up are of several, and of effects
    /// that are only counted nobody knows.
    pub(super) fn is_one(&self, subject: &Subject, anomaly: Anomaly, why: Option<Reason>) -> bool {
        if anomaly == Anomaly::ScopeCollision || matches!(why, Some(Reason::Keys | Reason::Numbers)) {
            return true;
        }
        // An effect that names nothing is of nothing, where no attempt tells.
        let alone = |effect: &Done| matches!(subject, Subject::Attempt(u32::MAX)) && effect.key.is_null();
        let attempts = self.attempts.iter().all(|a| a.of(subject));
        attempts && self.effects.iter().all(|effect| self.is_of(effect, subject) || alone(effect))
    }

    /// Whether its key had been tried in another scope before this was refused.
    pub(super) fn is_elsewhere(&self, refused: &Asked) -> bool {
        let other = |a: &Asked| a.key == refused.key && a.scope != refused.scope && a.live();
        self.all().any(|a| other(&a) && a.began <= refused.ended)
    }

    /// Whether what names no scope can be of one only.
    fn has_one_scope(&self, subject: &Subject) -> bool {
        let Subject::AnyScope(key) = subject else { return true };
        let asked = self.asked(subject).map(|a| a.scope);
        let done = self.effects.iter().filter(|effect| effect.key == *key && !effect.scope.is_null());
        let mut scopes: Vec<Value> = asked.chain(done.map(|effect| effect.scope)).collect();
        scopes.sort_unstable();
        scopes.dedup();
        scopes.len() < 2
    }

    pub(super) fn duplicate(&self, subject: &Subject, certain: bool, why: Option<Reason>) -> bool {
        match why {
            Some(Reason::Keys) => certain && self.distinct().is_some_and(|(one, two)| self.two_keys(&one, &two)),
            Some(Reason::Numbers) => {
                let once = self.terms.life_ns.is_none() && self.terms.bundle.is_empty();
                let unplaced = self.effects.iter().all(|effect| effect.key.is_null() || effect.scope.is_null());
                let several = !self.has_one_scope(subject) || matches!(subject, Subject::Attempt(_));
                once == certain && self.effects.len() > 1 && unplaced && several && self.outnumbered(subject)
            }
            _ => certain && why.is_some() && self.again(subject) && self.cause(subject) == why,
        }
    }

    /// How the second effect came about: by an attempt that says so, or as far as it follows from when attempts began.
    pub(super) fn cause(&self, subject: &Subject) -> Option<Reason> {
        let (one, two) = self.distinct()?;
        let says = |effect: &Done| {
            let resource = effect.resource;
            let by = |a: &Asked| a.claims() && a.executed && a.resource == resource && a.began <= effect.position;
            self.asked(subject).filter(|a| !resource.is_null() && by(a)).map(|a| a.began).min()
        };
        let live = || self.asked(subject).filter(|a| a.live());
        let early = live().filter(|a| a.began <= one.position).count();
        let between = live().any(|a| a.began > one.position && a.began <= two.position);
        Some(match (says(&two), between, early) {
            (Some(by), ..) if says(&one) == Some(by) => Reason::Same,
            (Some(by), ..) if by <= one.position => Reason::Race,
            (Some(_), ..) | (None, true, 1) => Reason::Later,
            (None, true, _) | (None, false, 0) => Reason::Unclear,
            (None, false, 1) => Reason::Same,
            (None, false, _) => Reason::Race,
        })
    }

    /// Two attempts of one intent, each with an effect of its own.
    fn two_keys(&self, one: &Done, two: &Done) -> bool {
        let [a, b] = self.attempts[..] else { return false };
        let own = |attempt: &Asked, effect: &Done| {
            if attempt.key.is_null() {
                effect.key.is_null() && effect.intent == attempt.intent
            } else {
                let scope = effect.scope.is_null() || effect.scope == attempt.scope;
                effect.key == attempt.key && scope || effect.key.is_null() && effect.intent == attempt.intent
            }
        };
        let scopes = a.key.is_null() || b.key.is_null() || a.scope == b.scope;
        let apart = a.key != b.key && a.intent == b.intent && !a.intent.is_null() && scopes;
        apart && (own(&a, one) && own(&b, two) || own(&a, two) && own(&b, one))
    }

    /// More effects than requests that can have caused them, whichever caused which.
    fn outnumbered(&self, subject: &Subject) -> bool {
        let key = match subject {
            Subject::Key { key, .. } | Subject::AnyScope(key) => *key,
            Subject::Attempt(_) | Subject::Intent(_) => Value::NULL,
        };
        let mut causes: Vec<(Value, u32)> = self
            .all()
            .filter(|a| a.key == key && a.live() && (!key.is_null() || a.intent.is_null()))
            .map(|a| if key.is_null() { (Value::NULL, a.began) } else { (a.scope, 0) })
            .collect();
        causes.sort_unstable();
        causes.dedup();
        let caused = |effect: &Done| !key.is_null() || effect.intent.is_null();
        let mut effects: Vec<Value> = self.done().filter(|e| e.key == key && caused(e)).map(|e| e.id).collect();
        effects.sort_unstable();
        effects.dedup();
        effects.len() > causes.len()
    }

    /// Whether an effect certainly is of what the witness is about.
    fn is_of(&self, effect: &Done, subject: &Subject) -> bool {
        match subject {
            Subject::Key { key, scope } if effect.key == *key => {
                // Where it does not say: by its intent, or by its resource, or because no other scope uses the key.
                let named = !effect.resource.is_null() && self.attempts.iter().any(|a| a.resource == effect.resource);
                let intent = !effect.intent.is_null() && self.attempts.iter().any(|a| a.intent == effect.intent);
                let told = effect.scope == *scope || (effect.scope.is_null() && (named || intent || !self.shared));
                told || scope.is_null()
            }
            Subject::Key { .. } => effect.key.is_null() && self.may_be(effect, subject),
            Subject::Intent(intent) => effect.key.is_null() && effect.intent == *intent,
            Subject::Attempt(_) => effect.key.is_null() && self.attempts.iter().any(|a| a.resource == effect.resource),
            Subject::AnyScope(key) => effect.key == *key,
        }
    }

    pub(super) fn lost(&self, subject: &Subject, certain: bool) -> bool {
        let Some(answer) = self.attempts.first().filter(|a| a.claims()) else { return false };
        let kinds = |effect: &Done| {
            self.terms.bundle.is_empty()
                || effect.kind.is_null()
                || self.terms.bundle.iter().any(|kind| self.history.values().as_str(effect.kind) == Some(kind))
        };
        let nothing = !self.done().any(|effect| self.may_be(&effect, subject) && kinds(&effect));
        let audited = |a: &Asked| a.claims() && self.last_audit().is_some_and(|audit| audit.position > a.ended);
        nothing
            && match certain {
                true => self.audit.is_some_and(|audit| audit > answer.ended),
                false => !self.asked(subject).any(|a| audited(&a)),
            }
    }

    /// More answers that claim an effect than effects, whichever are whose.
    pub(super) fn unpaid(&self, subject: &Subject, certain: bool, why: Option<Reason>) -> bool {
        let key = match subject {
            Subject::Key { key, .. } | Subject::AnyScope(key) => *key,
            Subject::Attempt(_) | Subject::Intent(_) => Value::NULL,
        };
        let mine = |a: &Asked| a.key == key && a.claims() && (!key.is_null() || a.intent.is_null());
        let claims = |audited: bool| {
            let sure = |a: &Asked| !audited || self.audit.is_some_and(|audit| audit > a.ended);
            let claiming = self.all().filter(|a| mine(a) && sure(a));
            let mut all: Vec<(Value, u32)> =
                claiming.map(|a| if key.is_null() { (Value::NULL, a.began) } else { (a.scope, 0) }).collect();
            all.sort_unstable();
            all.dedup();
            all.len()
        };
        let mut effects: Vec<Value> =
            self.done().filter(|effect| effect.key == key || effect.key.is_null()).map(|effect| effect.id).collect();
        effects.sort_unstable();
        effects.dedup();
        let named = self.attempts.iter().any(mine) && why == Some(Reason::Numbers);
        let some = self.done().any(|effect| self.may_be(&effect, subject));
        named && some && claims(certain) > effects.len()
    }

    pub(super) fn unasked(&self, subject: &Subject, refused: bool) -> bool {
        let [effect] = self.effects[..] else { return false };
        let mut earlier = self.asked(subject).filter(|a| a.began <= effect.position).peekable();
        if refused { earlier.peek().is_some() && earlier.all(|a| !a.live()) } else { earlier.next().is_none() }
    }

    pub(super) fn partial(&self, subject: &Subject, certain: bool) -> bool {
        let values = self.history.values();
        let mut effects: Vec<Done> = self.done().filter(|effect| self.may_be(effect, subject)).collect();
        effects.sort_by_key(|effect| effect.position);
        let mut met = std::collections::HashSet::new();
        // A second record of an effect says nothing new.
        effects.retain(|effect| met.insert(effect.id));
        let has = |kind: &String| effects.iter().any(|e| e.kind.is_null() || values.as_str(e.kind) == Some(kind));
        let there = self.effects.iter().any(|effect| self.is_of(effect, subject));
        there && !self.terms.bundle.iter().all(has) && certain == self.is_final(subject)
    }

    /// Whether an audit came after an answer that claims it all, or after everything that can still make a part of it.
    fn is_final(&self, subject: &Subject) -> bool {
        let Some(audit) = self.last_audit() else { return false };
        let claimed = self.asked(subject).any(|a| a.claims() && a.ended < audit.position);
        let time = Some(audit.time).filter(|time| *time != History::NO_TIME);
        let over = |a: Asked| match (a.status, self.terms.lease_ns, a.invoked.zip(time)) {
            (Status::Ok, ..) => a.ended < audit.position,
            (_, Some(lease), Some((then, now))) => then.saturating_add(lease) < now,
            _ => false,
        };
        claimed || self.asked(subject).filter(Asked::live).all(over)
    }

    pub(super) fn divergent(&self, subject: &Subject, why: Option<Reason>) -> bool {
        let [mut one, mut two] = self.attempts[..] else { return false };
        if two.ended < one.ended {
            (one, two) = (two, one);
        }
        let values = self.history.values();
        let same = one.of(subject) && two.of(subject) && equal(values, one.payload, two.payload);
        let ok = one.status == Status::Ok && two.status == Status::Ok && self.kept(&one);
        let [status, response, resource] = self.terms.repeats;
        let differ = (status && one.code != two.code)
            || (response && one.response != two.response)
            || (resource && one.resource != two.resource);
        let wrong = match why {
            Some(Reason::Differ) => self.kept(&two) && differ,
            Some(Reason::ExecutedAgain) => !self.kept(&two) && two.began > one.ended,
            _ => false,
        };
        let first = one.ended.min(two.ended);
        // A later life begins with an effect of its own: then the two are compared within it.
        let later = |effect: Done| self.may_be(&effect, subject) && effect.position < one.began;
        let lived = self.within(subject, &[one.completed, two.completed], first)
            || (self.done().any(later) && self.close(one.invoked, two.completed));
        same && ok && wrong && lived
    }

    fn close(&self, from: Option<i64>, to: Option<i64>) -> bool {
        let Some(life) = self.terms.life_ns else { return true };
        from.zip(to).is_some_and(|(from, to)| to < from.saturating_add(life))
    }

    fn kept(&self, attempt: &Asked) -> bool {
        let code = if attempt.code == 0 { 200 } else { attempt.code };
        self.terms.cache.iter().any(|(first, last)| (*first..=*last).contains(&code))
    }

    pub(super) fn unmatched(&self, subject: &Subject, attempt: &Asked, why: Option<Reason>) -> bool {
        let reason = if attempt.resource.is_null() { Reason::Unnamed } else { Reason::OtherResource };
        let named: Vec<Done> =
            self.effects.iter().filter(|e| self.is_of(e, subject) && !e.resource.is_null()).copied().collect();
        let own = |effect: &Done| effect.resource == attempt.resource && self.may_be(effect, subject);
        let wrong = attempt.claims() && !named.is_empty() && why == Some(reason);
        wrong && !self.done().any(|effect| own(&effect) && !effect.resource.is_null())
    }

    pub(super) fn accepted(&self, subject: &Subject, certain: bool, why: Option<Reason>) -> bool {
        let values = self.history.values();
        let differ =
            |a: &Asked, b: &Asked| !equal(values, a.payload, b.payload) && !a.payload.is_null() && !b.payload.is_null();
        let claiming = self.attempts.iter().filter(|a| a.claims() && (certain || a.replayed));
        let Some(last) = claiming.max_by_key(|a| a.ended) else { return false };
        if !certain {
            let others = self.asked(subject).filter(|a| a.live() && a.began != last.began && a.began <= last.ended);
            let mut others = others.peekable();
            let registered = self.settled(subject).unwrap_or(u32::MAX);
            let tried = self.asked(subject).any(|a| a.live() && a.began <= registered);
            let borrowed = last.replayed && others.peek().is_some() && tried;
            return borrowed && why.is_none() && others.all(|other| differ(&other, last));
        }
        let by_two = |a: &Asked| {
            a.claims()
                && differ(a, last)
                && self.within(subject, &[a.completed, last.completed], a.ended.min(last.ended))
        };
        if self.attempts.iter().any(by_two) {
            return why == Some(Reason::TwoAnswers);
        }
        let effect = self.effects.first().map(|effect| effect.position);
        let answer = self.attempts.iter().filter(|a| self.kept(a) && a.status == Status::Ok && a.began != last.began);
        let Some(by) = effect.into_iter().chain(answer.map(|a| a.ended)).min() else { return false };
        let mut candidates = self.asked(subject).filter(|a| a.live() && a.began <= by).peekable();
        candidates.peek().is_some()
            && why == Some(Reason::Registered)
            && candidates.all(|candidate| differ(&candidate, last))
            && self.within(subject, &[last.completed], by)
    }

    /// Certain only where something was tried before: what is invalid may be refused with the same status.
    pub(super) fn falsely_rejected(&self, subject: &Subject, refused: &Asked, certain: bool) -> bool {
        let values = self.history.values();
        let settled = self.settled(subject).filter(|_| self.terms.life_ns.is_none()).unwrap_or(u32::MAX);
        let limit = settled.min(refused.ended);
        let same = |a: &Asked| equal(values, a.payload, refused.payload) && !a.payload.is_null();
        let status = refused.status == Status::Fail && refused.code == self.terms.mismatch;
        let mut before = self.asked(subject).filter(|a| a.live() && a.began <= limit).peekable();
        status && certain == before.peek().is_some() && before.all(|a| same(&a))
    }

    /// By when the key had its first effect, or its first kept answer.
    fn settled(&self, subject: &Subject) -> Option<u32> {
        let effects = self.done().filter(|effect| self.is_of(effect, subject)).map(|effect| effect.position);
        let answers = self.asked(subject).filter(|a| a.status == Status::Ok && self.kept(a)).map(|a| a.ended);
        effects.chain(answers).min()
    }

    pub(super) fn collision(&self, certain: bool, why: Option<Reason>) -> bool {
        let Some(last) = self.attempts.iter().max_by_key(|a| (a.status == Status::Fail, a.ended)) else { return false };
        let own = Subject::Key { key: last.key, scope: last.scope };
        let elsewhere = |a: &Asked| a.key == last.key && a.scope != last.scope;
        if last.status == Status::Fail {
            let before = self.attempts.iter().any(|a| elsewhere(a) && a.live() && a.began <= last.ended);
            let refused = match why {
                Some(Reason::RefusedAsMismatch) => self.falsely_rejected(&own, last, certain),
                Some(Reason::RefusedAsConflict) => {
                    certain && matches!(self.false_conflict(&own, last), Some(Reason::Idle | Reason::Expired))
                }
                _ => false,
            };
            return before && refused;
        }
        let stranger = |resource: Value| !resource.is_null() && resource == last.resource;
        let foreign = self.effects.iter().any(|e| e.scope != last.scope && stranger(e.resource))
            || self.attempts.iter().any(|a| elsewhere(a) && stranger(a.resource));
        let mine = |e: &Done| e.key == last.key && e.scope == last.scope && stranger(e.resource);
        let named = why == Some(Reason::ScopeResource) && certain;
        named && last.claims() && foreign && !self.done().any(|effect| mine(&effect))
    }

    pub(super) fn early(&self, subject: &Subject, certain: bool) -> bool {
        let (Some(answer), Some(effect)) = (self.attempts.first(), self.effects.first()) else { return false };
        let header = self.history.header_field("observers").and_then(|value| self.history.values().as_str(value));
        let first = self.done().filter(|e| self.is_of(e, subject)).map(|e| e.position).min();
        answer.claims()
            && first == Some(effect.position)
            && answer.ended < effect.position
            && certain == (header == Some("synchronous"))
    }

    /// Why a refusal as in flight was wrong.
    pub(super) fn false_conflict(&self, subject: &Subject, refused: &Asked) -> Option<Reason> {
        let code = self.terms.in_flight.unwrap_or(409);
        if refused.status != Status::Fail || refused.code != code {
            return None;
        }
        let settled = |a: &Asked| a.claims() && a.ended < refused.began;
        let effect = |e: &Done| self.is_of(e, subject) && e.position < refused.began;
        let lived = self.within(subject, &[refused.completed], refused.began)
            || self.close(self.latest(refused), refused.completed);
        let over = || (self.asked(subject).any(|a| settled(&a)) || self.done().any(|e| effect(&e))) && lived;
        let flying = |a: &Asked| match (a.status, self.terms.lease_ns, a.invoked.zip(refused.invoked)) {
            (Status::Info, Some(lease), Some((then, now))) => then.saturating_add(lease) >= now,
            (Status::Info, ..) => true,
            _ => a.ended >= refused.began,
        };
        let others = || self.asked(subject).filter(|a| a.began != refused.began && a.began <= refused.ended);
        if self.terms.in_flight.is_none() {
            Some(Reason::Waits)
        } else if over() {
            Some(Reason::Settled)
        } else if others().any(|other| flying(&other)) {
            None
        } else if others().any(|other| other.status == Status::Info) {
            Some(Reason::Expired)
        } else {
            Some(Reason::Idle)
        }
    }

    /// Refused as in flight, where only attempts whose lease was over came before, of which the witness names one.
    pub(super) fn is_stuck(&self, subject: &Subject, refused: &Asked) -> bool {
        let expired = |a: &Asked| a.status == Status::Info && a.of(subject) && a.began <= refused.ended;
        self.attempts.iter().any(expired) && self.false_conflict(subject, refused) == Some(Reason::Expired)
    }

    /// When the latest effect before a refusal was recorded.
    fn latest(&self, refused: &Asked) -> Option<i64> {
        self.effects.iter().filter(|effect| effect.position < refused.began).filter_map(|effect| effect.time).max()
    }

    pub(super) fn retained(&self, certain: bool) -> bool {
        let (Some(max), Some(last)) = (self.terms.max_ttl_ns, self.attempts.iter().max_by_key(|a| a.began)) else {
            return false;
        };
        if let Some(effect) = self.effects.first() {
            let old = effect.time.zip(last.invoked).is_some_and(|(then, now)| now > then.saturating_add(max));
            return last.claims()
                && last.resource == effect.resource
                && !effect.resource.is_null()
                && (old || !certain);
        }
        let values = self.history.values();
        let subject = Subject::Key { key: last.key, scope: last.scope };
        let over = |a: &Asked| {
            let until = match (a.status, self.terms.lease_ns) {
                (Status::Ok, _) => a.completed,
                (_, Some(lease)) => a.invoked.map(|time| time.saturating_add(lease)),
                _ => None,
            };
            until.zip(last.invoked).is_some_and(|(then, now)| then.saturating_add(max) < now)
        };
        last.status == Status::Fail
            && last.code == self.terms.mismatch
            && self
                .asked(&subject)
                .filter(|a| a.live() && a.began <= last.ended && !equal(values, a.payload, last.payload))
                .all(|a| over(&a))
    }
}

/// Whether two payloads are equal, where numbers compare as numbers.
fn equal(values: &Values, a: Value, b: Value) -> bool {
    let mut stack = vec![(a, b)];
    while let Some((a, b)) = stack.pop() {
        if a == b {
            continue;
        }
        let same = match (values.view(a), values.view(b)) {
            (View::Compound(x), View::Compound(y)) => {
                let (left, right) = (values.items(a), values.items(b));
                let alike = x == y && left.len() == right.len() && x != Compound::Tagged;
                stack.extend(left.into_iter().zip(right));
                alike
            }
            (x, y) => number(&x).is_some_and(|x| Some(x) == number(&y)),
        };
        if !same {
            return false;
        }
    }
    true
}

/// A whole number in digits, whatever its notation.
fn number(view: &View<'_>) -> Option<String> {
    match view {
        View::Int(int) => Some(int.to_string()),
        View::BigInt(digits) => Some((*digits).to_owned()),
        View::Float(float) if float.is_finite() && float.fract() == 0.0 => Some(format!("{float:.0}")),
        _ => None,
    }
}
