//! Goal: the table reads well, at every width. The expected texts are beside this file, reviewed as their readers would.

use super::*;

fn check(name: &str, actual: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/report/golden").join(name);
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(expected == actual, "{name} reads otherwise now:\n{actual}\n--- and was expected as:\n{expected}");
}

/// Goal: a cycle of two transactions: who, when, what, why, and what it means.
#[test]
fn write_skew_as_a_table() {
    let report = Report::new(vec![skew_report()]);
    for width in [60, 80, 120] {
        check(&format!("write-skew-{width}.txt"), &table(&report, width));
    }
}

/// Goal: a failure in time has a lane for every party, and a list where lanes don't fit.
#[test]
fn a_double_charge_as_lanes() {
    let report = Report::new(vec![charged_report()]);
    for width in [40, 60, 80] {
        check(&format!("charged-twice-{width}.txt"), &table(&report, width));
    }
}

/// Goal: what holds says on what evidence; what is unknown says why; what can't be read says where and what to do.
#[test]
fn short_reports() {
    check("holds-80.txt", &table(&Report::new(vec![holding_report()]), 80));
    check("unknown-80.txt", &table(&Report::new(vec![unknown_report()]), 80));
    check("error-80.txt", &table(&Report::new(vec![broken_report()]), 80));
}

/// Goal: several histories end with a summary, and those that hold take one line each.
#[test]
fn several_histories() {
    let report = Report::new(vec![holding_report(), skew_report(), broken_report(), unknown_report()]);
    check("several-60.txt", &table(&report, 60));
    check("several-100.txt", &table(&report, 100));
}

/// Goal: the JSON report is DESIGN's, field by field, with the original records in it.
#[test]
fn write_skew_as_json() {
    let json = report::render(&Report::new(vec![skew_report()]), Format::Json, &Style::default());
    check("write-skew.json", &json.replace(env!("CARGO_PKG_VERSION"), "VERSION"));
}

/// Goal: colour changes nothing but colour.
#[test]
fn colour_is_only_colour() {
    for histories in [vec![skew_report()], vec![charged_report()], vec![broken_report(), holding_report()]] {
        let report = Report::new(histories);
        for width in [40, 60, 80, 120] {
            let coloured = report::render(&report, Format::Table, &Style { width, color: true });
            assert!(coloured.contains("\u{1b}["), "it has colour");
            assert_eq!(anstream::adapter::strip_str(&coloured).to_string(), table(&report, width));
        }
    }
}
