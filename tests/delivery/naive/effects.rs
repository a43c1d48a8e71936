//! What was done: too much, too little, or what nobody had asked for.

use anachron::guarantee::Anomaly;

use super::{Asked, Done, Naive};

impl Naive {
    pub(super) fn count_effects(&self, group: &str, add: &mut impl FnMut(Anomaly, bool, usize)) {
        for effect in self.effects(group) {
            let earlier: Vec<&Asked> = self.of(group).filter(|a| a.began < effect.position).collect();
            add(Anomaly::PhantomEffect, true, usize::from(earlier.is_empty()));
            let refused = !earlier.is_empty() && earlier.iter().all(|a| !a.live());
            add(Anomaly::RejectedEffect, true, usize::from(refused));
        }
        let bundle = self.policy["effects"].as_array();
        let same = |a: &Done, b: &Done| bundle.is_none() || a.kind == b.kind;
        let twice = self.effects(group).any(|a| self.effects(group).any(|b| a.position < b.position && same(a, b)));
        add(Anomaly::DuplicateEffect, true, usize::from(twice));

        let claimed = self.of(group).filter(|a| a.claims()).map(|a| a.ended).min();
        let due = bundle.map_or(1, Vec::len);
        let there = match bundle {
            None => self.effects(group).count().min(1),
            Some(kinds) => kinds.iter().filter(|kind| self.effects(group).any(|e| e.kind == **kind)).count(),
        };
        if there == 0 {
            if let Some(ended) = claimed {
                add(Anomaly::LostEffect, self.audited(ended), 1);
            }
        } else if there < due {
            let over = self.audit.is_some_and(|audit| {
                self.of(group).filter(|a| a.live()).all(|a| match (a.kind.as_str(), self.policy["lease"].as_i64()) {
                    ("ok", _) => a.ended < audit,
                    (_, Some(lease)) => a.time + lease < self.audit_time,
                    _ => false,
                })
            });
            let certain = over || claimed.is_some_and(|ended| self.audited(ended));
            add(Anomaly::PartialEffect, certain, 1);
        }
    }
}
