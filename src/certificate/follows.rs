//! What follows from another claim of the same certificate, by the lattice's table of implications.

use super::{Certificate, Claim, Evidence, Ruling};
use crate::guarantee::Guarantee;

/// What became of the claim. `own`: by claim, what became of it by its own evidence; a claim that has none is no ground for others.
pub(super) fn rule(certificate: &Certificate, claim: &Claim, own: &[Option<Ruling>]) -> Ruling {
    let Evidence::FollowsFrom(stronger) = &claim.evidence else {
        return Ruling::Unproved("it has no evidence of its own".to_owned());
    };
    let implied = Guarantee::named(stronger)
        .zip(Guarantee::named(&claim.guarantee))
        .is_some_and(|(stronger, weaker)| stronger.entails(weaker));
    if !implied {
        return Ruling::Refused(format!("{stronger} does not imply it"));
    }
    let mut grounds = certificate.claims.iter().zip(own).filter(|(other, _)| other.guarantee == *stronger);
    match grounds.find_map(|(_, ruling)| ruling.as_ref()) {
        Some(Ruling::Proved(_)) => Ruling::Proved(format!("{stronger} implies it, and is proved")),
        Some(Ruling::Unproved(_)) => Ruling::Unproved(format!("{stronger} implies it, and is not proved")),
        Some(Ruling::Refused(_)) => Ruling::Refused(format!("it is to follow from {stronger}, whose evidence fails")),
        None => Ruling::Refused(format!("it is to follow from {stronger}, which the certificate has no evidence for")),
    }
}
