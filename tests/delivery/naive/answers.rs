//! What was answered: answers that disagree with each other, with what was done, or with what was asked.

use anachron::guarantee::Anomaly;
use serde_json::Value;

use super::{Asked, NEVER, Naive};

impl Naive {
    pub(super) fn count_answers(&self, group: &str, add: &mut impl FnMut(Anomaly, bool, usize)) {
        let names = |resource: &Value| self.effects(group).any(|e| e.resource == *resource);
        let naming = self.effects(group).any(|e| !e.resource.is_null());
        for asked in self.of(group).filter(|a| a.claims()) {
            if !asked.resource.is_null() && names(&asked.resource) {
                continue;
            }
            if asked.keyed && !asked.resource.is_null() && self.owner(asked).is_some_and(|owner| owner != group) {
                add(Anomaly::ScopeCollision, true, 1);
            } else if naming {
                add(Anomaly::ReplayMismatch, true, 1);
            }
        }
        if !self.of(group).any(|a| a.keyed) {
            return;
        }
        let first_effect = self.effects(group).map(|e| e.position).min();
        let early = self.of(group).filter(|a| a.claims() && first_effect.is_some_and(|e| a.ended < e)).count();
        add(Anomaly::InFlightViolation, self.synchronous, early);

        let differ = |a: &Asked, b: &Asked| match self.policy["replay"].as_str() {
            Some("exact") => a.code != b.code || a.response != b.response,
            Some("status") => a.code != b.code,
            Some("resource") => a.resource != b.resource,
            _ => a.response != b.response,
        };
        let diverge = |a: &Asked, b: &Asked| {
            let kept = self.cached(a) && b.kind == "ok" && a.content == b.content;
            kept && if self.cached(b) { differ(a, b) } else { b.began > self.first_kept(group, a) }
        };
        let divergent = self.of(group).any(|a| self.of(group).any(|b| diverge(a, b)));
        add(Anomaly::DivergentReplay, true, usize::from(divergent));
        self.count_payloads(group, add);
    }

    /// When the first kept answer to this payload ended.
    fn first_kept(&self, group: &str, like: &Asked) -> usize {
        let kept = self.of(group).filter(|a| self.cached(a) && a.content == like.content);
        kept.map(|a| a.ended).min().unwrap_or(NEVER)
    }

    /// By when the key was registered.
    pub(super) fn registered(&self, group: &str) -> usize {
        let answer = self.of(group).filter(|a| self.cached(a)).map(|a| a.ended).min().unwrap_or(NEVER);
        self.effects(group).map(|e| e.position).min().unwrap_or(NEVER).min(answer)
    }

    fn count_payloads(&self, group: &str, add: &mut impl FnMut(Anomaly, bool, usize)) {
        let by = self.registered(group);
        if by == NEVER {
            return;
        }
        let candidates: Vec<&Asked> = self.of(group).filter(|a| a.live() && a.began < by).collect();
        if candidates.is_empty() {
            return;
        }
        // Whichever of them was executed first, so many others were answered as if it had been theirs. One that does not say
        // its payload may have had that of any answer.
        let wrong = |first: &Asked| self.of(group).filter(|a| a.claims() && a.differs(first)).count();
        let certain = if candidates.iter().any(|a| a.content.is_none()) {
            self.of(group).filter(|a| a.claims() && a.content.is_some()).map(wrong).min().unwrap_or(0)
        } else {
            candidates.iter().map(|first| wrong(first)).min().unwrap_or(0)
        };
        add(Anomaly::PayloadMismatchAccepted, true, certain);
        let unknown = self.of(group).any(|a| a.live() && a.content.is_none());
        if certain == 0 && !unknown {
            let borrowed = |a: &&Asked| {
                let mut others = self.of(group).filter(|b| b.live() && b.began != a.began && b.began < a.ended);
                a.claims() && a.replayed && others.clone().next().is_some() && others.all(|b| b.differs(a))
            };
            add(Anomaly::PayloadMismatchAccepted, false, self.of(group).filter(borrowed).count());
        }
    }

    /// The group that a named resource belongs to, among those of the same key.
    fn owner(&self, asked: &Asked) -> Option<&str> {
        let alike = |group: &str| self.of(group).next().is_some_and(|a| a.keyed && a.key == asked.key);
        let effect = self.done.iter().filter(|e| e.resource == asked.resource && alike(&e.group));
        // In the order in which the groups first appear.
        let order = |group: &str| self.asked.iter().position(|a| a.group == group);
        if let Some(effect) = effect.min_by_key(|e| order(&e.group)) {
            return Some(&effect.group);
        }
        let named =
            self.asked.iter().filter(|a| a.keyed && a.claims() && a.key == asked.key && a.resource == asked.resource);
        named.min_by_key(|a| a.ended).map(|a| a.group.as_str())
    }
}
