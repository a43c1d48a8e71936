//! What was refused: as another payload, or as in flight.

use anachron::guarantee::Anomaly;

use super::{Asked, Naive};

impl Naive {
    pub(super) fn count_refusal(&self, refused: &Asked, add: &mut impl FnMut(Anomaly, bool, usize)) {
        let status = |name: &str, default: u64| self.policy[name].as_u64().unwrap_or(default);
        if refused.kind != "fail" {
            return;
        }
        let waits = self.policy["in-flight"] == "wait";
        let elsewhere = self.asked.iter().any(|a| {
            a.keyed && a.key == refused.key && a.group != refused.group && a.live() && a.began < refused.ended
        });
        if refused.code == status("mismatch", 422) {
            let by = self.registered(&refused.group).min(refused.ended);
            let explained = refused.content.is_none()
                || self
                    .of(&refused.group)
                    .any(|a| a.live() && a.began <= by && (a.differs(refused) || a.content.is_none()));
            if !explained && (waits || refused.code != status("in-flight", 409) || !self.flight(refused).0) {
                let anomaly = if elsewhere { Anomaly::ScopeCollision } else { Anomaly::MismatchFalselyRejected };
                // With nothing before it, the status may be that of an invalid request as well.
                let tried = self.of(&refused.group).any(|a| a.live() && a.began <= by);
                add(anomaly, tried, 1);
            }
        } else if refused.code == if waits { 409 } else { status("in-flight", 409) } {
            let (flying, settled, crashed) = self.flight(refused);
            match (waits, flying) {
                (true, _) => add(Anomaly::FalseConflict, true, 1),
                (false, true) => {}
                (false, false) if settled => add(Anomaly::FalseConflict, true, 1),
                (false, false) if elsewhere => add(Anomaly::ScopeCollision, true, 1),
                (false, false) if crashed => {
                    let earlier = self.of(&refused.group).filter(|a| a.kind == "fail" && a.code == refused.code);
                    let stuck = earlier.filter(|a| a.began < refused.began).any(|a| {
                        let (flying, settled, crashed) = self.flight(a);
                        !flying && !settled && crashed
                    });
                    add(Anomaly::StuckKey, true, usize::from(!stuck));
                }
                (false, false) => add(Anomaly::FalseConflict, true, 1),
            }
        }
    }

    /// Whether something else can have been in flight; whether the key was settled before; whether something crashed.
    fn flight(&self, refused: &Asked) -> (bool, bool, bool) {
        let group = &refused.group;
        let settled = self.effects(group).any(|e| e.position < refused.began)
            || self.of(group).any(|a| a.claims() && a.ended < refused.began);
        let others = || self.of(group).filter(|a| a.began != refused.began && a.began < refused.ended);
        let flying = others().any(|a| match (a.kind.as_str(), self.policy["lease"].as_i64()) {
            ("info", None) => true,
            ("info", Some(lease)) => a.time + lease >= refused.time,
            _ => a.ended > refused.began,
        });
        (flying && !settled, settled, others().any(|a| a.kind == "info"))
    }
}
