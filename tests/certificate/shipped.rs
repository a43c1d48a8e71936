//! The shipped histories: whatever is judged to hold of them has a certificate that is accepted.

use anachron::certificate::{Ruling, verify_certificate};
use rayon::prelude::*;

use super::shelf::{Shipped, shipped};

/// What holds and is not proved: the history, the guarantee, and why.
const EXEMPT: &[(&str, &str, &str)] = &[];

/// Goal: of each shipped history, each guarantee that holds has a certificate, and it is proved; what is exempt is not.
#[test]
fn what_holds_of_shipped_histories_is_proved() {
    let results: Vec<(usize, Vec<String>)> = shipped().par_iter().map(look).collect();
    let missing: Vec<&String> = results.iter().flat_map(|(_, missing)| missing).collect();
    assert!(missing.is_empty(), "{missing:#?}");
    let proved: usize = results.iter().map(|(proved, _)| proved).sum();
    assert!(proved > 1000, "{proved}");
}

/// How many guarantees are proved, and which hold and are not; or are exempt, and are.
fn look(one: &Shipped) -> (usize, Vec<String>) {
    let (mut proved, mut missing) = (0, Vec::new());
    for pass in &one.passes {
        let lines = verify_certificate(&one.history, &pass.certificate);
        let required = |name: &str| pass.requirements.iter().any(|one| one.guarantee.name() == name);
        for guarantee in pass.holds.iter().map(|guarantee| guarantee.name()).filter(|name| required(name)) {
            let at = pass.certificate.claims.iter().position(|claim| claim.guarantee == guarantee);
            let exempt = EXEMPT.iter().any(|(history, of, _)| *history == one.name && *of == guarantee);
            match at.map(|at| &lines[at].ruling) {
                Some(Ruling::Proved(_)) if !exempt => proved += 1,
                Some(Ruling::Unproved(_)) if exempt => {}
                other => missing.push(format!("{} ({}), {guarantee}: {other:?}", one.name, one.workload.name())),
            }
        }
    }
    (proved, missing)
}
