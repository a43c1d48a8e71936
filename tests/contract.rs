//! Goal: a contract decides what is required of which operations, is refused before any history is read, and never lets a
//! part of a history pass for more than it shows.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// A folder with these files, gone when it is dropped.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }
    folder
}

fn anachron(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_anachron"));
    command.current_dir(folder).env("COLUMNS", "100").args(arguments).output().expect("the binary runs")
}

fn report(folder: &Path, arguments: &[&str]) -> (i32, Value) {
    let output = anachron(folder, &[arguments, &["--format", "json"]].concat());
    let text = String::from_utf8_lossy(&output.stdout);
    let report = serde_json::from_str(&text)
        .unwrap_or_else(|error| panic!("{error}: {text}{}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code().expect("an exit code"), report)
}

/// `use case guarantee verdict`, for each required row of a history.
fn rows(report: &Value, history: usize) -> Vec<String> {
    let rows = report["histories"][history]["guarantees"].as_array().expect("rows");
    let required = rows.iter().filter(|row| row["required"] == true);
    required
        .map(|row| {
            let text = |name: &str| row[name].as_str().unwrap_or("-").to_owned();
            format!("{} {} {}", text("use_case"), text("guarantee"), text("verdict"))
        })
        .collect()
}

/// Registers below `user/`, which are linearizable, and below `catalog/`, which are not.
const REGISTERS: &str = r#"{"type":"invoke","process":0,"f":"write","key":"user/1","value":1}
{"type":"ok","process":0,"f":"write","key":"user/1","value":1}
{"type":"invoke","process":1,"f":"read","key":"user/1","value":null}
{"type":"ok","process":1,"f":"read","key":"user/1","value":1}
{"type":"invoke","process":0,"f":"write","key":"catalog/1","value":2}
{"type":"ok","process":0,"f":"write","key":"catalog/1","value":2}
{"type":"invoke","process":1,"f":"read","key":"catalog/1","value":null}
{"type":"ok","process":1,"f":"read","key":"catalog/1","value":null}
"#;

fn payments(scope: &str, effects: u32) -> String {
    let mut text = format!(
        r#"{{"type":"invoke","process":0,"f":"request","key":"{scope}-1","value":{{"scope":"POST /{scope}","payload":{{"amount":5}}}}}}
"#
    );
    for effect in 0..effects {
        text.push_str(&format!(
            r#"{{"type":"info","process":"ledger","f":"effect","key":"{scope}-1","value":{{"effect":"{scope}-row-{effect}","resource":"{scope}_1"}}}}
"#
        ));
    }
    text + &format!(
        r#"{{"type":"ok","process":0,"f":"request","key":"{scope}-1","value":{{"status":201,"response":{{"id":"{scope}_1"}}}}}}
"#
    )
}

const AUDIT: &str = r#"{"type":"info","process":"ledger","f":"audit","value":{"complete":true}}
"#;

const BY_KEY: &str = r#"
[[use-case]]
name = "profiles"
match = { key = "user/*" }
require = ["linearizable"]

[[use-case]]
name = "catalogue"
match = { key = "catalog/*" }
require = ["linearizable"]
"#;

/// Goal: a local guarantee is judged on what a use case selects, with the contract found from a folder below it.
#[test]
fn local_guarantees_are_judged_on_their_part() {
    let folder = folder(&[("anachron.toml", BY_KEY), ("runs/today/h.jsonl", REGISTERS)]);
    let below = folder.path().join("runs/today");
    let (code, report) = report(&below, &["check", "h.jsonl"]);
    assert_eq!(code, 1);
    assert_eq!(rows(&report, 0), ["profiles linearizable holds", "catalogue linearizable violated"]);
    assert_eq!(report["contract"], PathBuf::from("../../anachron.toml").display().to_string());
    let anomalies = report["histories"][0]["anomalies"].as_array().expect("anomalies");
    assert!(anomalies.iter().any(|one| one["anomaly"] == "non-linearizable"), "{anomalies:?}");
    for anomaly in anomalies {
        assert_eq!((&anomaly["use_case"], &anomaly["witness"]["rechecked"]), (&"catalogue".into(), &true.into()));
    }
    assert_eq!(anomalies[0]["witness"]["records"][0]["index"], 4, "positions are those of the file");
    let evidence = &report["histories"][0]["guarantees"][0]["evidence"];
    assert_eq!(evidence["operations"], 2, "no more than the part is counted");
}

/// Goal: `--require` adds to the contract, `--contract` names another one, and `--no-contract` does without.
#[test]
fn the_command_line_adds_and_chooses() {
    let folder = folder(&[
        ("anachron.toml", BY_KEY),
        ("other.toml", "[[use-case]]\nname = \"users\"\nmatch = { key = \"user/*\" }\nrequire = [\"linearizable\"]\n"),
        ("h.jsonl", REGISTERS),
    ]);
    let (code, both) = report(folder.path(), &["check", "h.jsonl", "--require", "read-your-writes"]);
    assert_eq!(code, 1);
    assert_eq!(rows(&both, 0).len(), 3);
    assert!(rows(&both, 0)[0].starts_with("- read-your-writes"));
    let (code, other) = report(folder.path(), &["check", "h.jsonl", "--contract", "other.toml"]);
    assert_eq!((code, rows(&other, 0)), (0, vec!["users linearizable holds".to_owned()]));
    let (code, none) = report(folder.path(), &["check", "h.jsonl", "--no-contract"]);
    assert_eq!((code, rows(&none, 0)), (1, vec!["- linearizable violated".to_owned()]));
    assert!(none["contract"].is_null());
}

/// Goal: what no part of a history can show is judged over the whole: a violation that touches nothing of the use case
/// leaves it undecided, and the row says so.
#[test]
fn what_is_not_local_is_judged_over_the_whole() {
    let contract = r#"
[[use-case]]
name = "profiles"
match = { key = "user/*" }
require = ["sequential"]

[[use-case]]
name = "catalogue"
match = { key = "catalog/*" }
require = ["sequential"]
"#;
    // Process 2 reads a value that nobody wrote to the catalogue.
    let broken = REGISTERS.replace(r#""key":"catalog/1","value":null}"#, r#""key":"catalog/1","value":9}"#);
    let broken = broken.replacen(
        r#"{"type":"invoke","process":1,"f":"read","key":"catalog/1","value":9}"#,
        r#"{"type":"invoke","process":1,"f":"read","key":"catalog/1","value":null}"#,
        1,
    );
    let folder = folder(&[("anachron.toml", contract), ("h.jsonl", &broken)]);
    let (code, report) = report(folder.path(), &["check", "h.jsonl"]);
    assert_eq!(rows(&report, 0), ["profiles sequential unknown", "catalogue sequential violated"]);
    assert_eq!(code, 1);
    for row in report["histories"][0]["guarantees"].as_array().expect("rows").iter().take(2) {
        assert!(row["reason"].as_str().is_some_and(|reason| reason.contains("judged over the whole history")), "{row}");
    }
}

/// Goal: each use case has its own parameters, and idempotency keys are parted by scope; an effect that doesn't say to which
/// part it belongs has the whole judged.
#[test]
fn scopes_are_parts_where_nothing_ties_them() {
    let contract = r#"
[[use-case]]
name = "payments"
match = { workload = "idempotency", scope = "POST /payments" }
require = ["idempotent"]
idempotent = { ttl = "24h", mismatch = 409 }

[[use-case]]
name = "refunds"
match = { workload = "idempotency", scope = "POST /refunds" }
require = ["idempotent"]
"#;
    let history = payments("payments", 1) + &payments("refunds", 2) + AUDIT;
    let tied = payments("payments", 1)
        + &payments("refunds", 1)
        + r#"{"type":"info","process":"ledger","f":"effect","value":{"effect":"row-9","resource":"unknown"}}
"# + AUDIT;
    let shared = history.replace("refunds-1", "payments-1");
    let folder =
        folder(&[("anachron.toml", contract), ("h.jsonl", &history), ("tied.jsonl", &tied), ("shared.jsonl", &shared)]);
    let (code, parted) = report(folder.path(), &["check", "h.jsonl"]);
    assert_eq!(rows(&parted, 0), ["payments idempotent holds", "refunds idempotent violated"]);
    assert_eq!(code, 1);
    assert_eq!(parted["histories"][0]["guarantees"][0]["parameters"]["mismatch"], "409");
    for name in ["tied.jsonl", "shared.jsonl"] {
        let (_, whole) = report(folder.path(), &["check", name]);
        let reason = whole["histories"][0]["guarantees"][0]["reason"].as_str().unwrap_or("");
        assert!(reason.starts_with("judged over the whole history, since"), "{name}: {reason}");
    }
}

/// Goal: a use case that selects nothing is reported and never passes; one that is about other histories is only noted.
#[test]
fn nothing_selected_is_no_pass() {
    let contract = BY_KEY.replace("catalog/*", "katalog/*")
        + "[[use-case]]\nname = \"payments\"\nmatch = { workload = \"idempotency\" }\nrequire = [\"idempotent\"]\n";
    let folder = folder(&[("anachron.toml", &contract), ("h.jsonl", REGISTERS)]);
    let (code, report) = report(folder.path(), &["check", "h.jsonl"]);
    assert_eq!((code, rows(&report, 0)), (3, vec!["profiles linearizable holds".to_owned()]));
    let notices: Vec<(&str, &str)> = report["notices"]
        .as_array()
        .expect("notices")
        .iter()
        .map(|notice| (notice["kind"].as_str().expect("a kind"), notice["subject"].as_str().expect("a name")))
        .collect();
    assert_eq!(notices, [("use-case-selects-nothing", "catalogue"), ("use-case-not-judged", "payments")]);
    let table = anachron(folder.path(), &["check", "h.jsonl"]);
    let text = String::from_utf8_lossy(&table.stdout).into_owned();
    assert!(text.starts_with("unknown  the use case catalogue (anachron.toml, line 7) selects nothing"), "{text}");
    let junit = anachron(folder.path(), &["check", "h.jsonl", "--format", "junit"]);
    assert!(String::from_utf8_lossy(&junit.stdout).contains("<testcase name=\"use case catalogue\""));
}

/// Goal: of a history that no use case is about, nothing is required, and it does not pass.
#[test]
fn a_history_without_a_use_case_does_not_pass() {
    let contract =
        "[[use-case]]\nname = \"payments\"\nmatch = { workload = \"idempotency\" }\nrequire = [\"idempotent\"]\n";
    let folder = folder(&[("anachron.toml", contract), ("h.jsonl", REGISTERS)]);
    let (code, report) = report(folder.path(), &["check", "h.jsonl"]);
    assert_eq!((code, rows(&report, 0).len()), (3, 0));
}

/// Goal: what is wrong with a contract is said all at once, with line and column, before any history is looked at.
#[test]
fn a_broken_contract_is_refused_first() {
    let contract = "[[use-case]]\nname = \"a\"\nrequire = [\"serialisable\"]\n\n[[use-case]]\nname = \"b\"\n\
                    require = [\"eventual\"]\neventual = { within = 3 }\n";
    let folder = folder(&[("anachron.toml", contract)]);
    let command: [&[&str]; 2] = [&["check", "missing.jsonl"], &["contract", "check"]];
    for arguments in command {
        let output = anachron(folder.path(), arguments);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(text.starts_with("error: anachron.toml:3:13: there is no guarantee `serialisable`\n"), "{text}");
        assert!(text.contains("did you mean `serializable`?") && text.contains("anachron.toml:8:23: "), "{text}");
        assert!(output.stdout.is_empty() && !text.contains("missing.jsonl"), "{text}");
    }
}

/// Goal: `contract init` writes a contract that is valid and that the same history keeps, its parts told apart.
#[test]
fn a_contract_is_written_from_a_history() {
    // Who wrote to the catalogue misses it: nothing that could be required of it is kept.
    let own_reader = REGISTERS.replace(r#"1,"f":"read","key":"catalog"#, r#"0,"f":"read","key":"catalog"#);
    let folder =
        folder(&[("h.jsonl", &own_reader), ("p.jsonl", &(payments("payments", 1) + &payments("refunds", 1) + AUDIT))]);
    let output = anachron(folder.path(), &["contract", "init", "h.jsonl", "p.jsonl"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let text = std::fs::read_to_string(folder.path().join("anachron.toml")).expect("a contract");
    assert!(
        text.contains("match = { workload = \"register\", key = \"user/*\" }\nrequire = [\"linearizable\"]"),
        "{text}"
    );
    assert!(text.contains("# match = { workload = \"register\", key = \"catalog/*\" }"), "{text}");
    assert!(text.contains("scope = \"POST /payments\" }\nrequire = [\"idempotent\"]"), "{text}");
    let (code, report) = report(folder.path(), &["check", "h.jsonl", "p.jsonl"]);
    assert_eq!(code, 0, "{report:#}");
    let again = anachron(folder.path(), &["contract", "init", "h.jsonl"]);
    assert_eq!(again.status.code(), Some(2), "what is there is not replaced");
    let check = anachron(folder.path(), &["contract", "check"]);
    assert_eq!(String::from_utf8_lossy(&check.stdout), "anachron.toml: 3 use cases, 3 required guarantees\n");
}

/// A message whose effect comes twice, ten minutes apart.
const DELIVERED_TWICE: &str = r#"{"type":"invoke","process":0,"f":"publish","key":"m-1","value":{"topic":"orders","partition":0},"time":1000000000}
{"type":"ok","process":0,"f":"publish","key":"m-1","value":{"topic":"orders","partition":0,"offset":7},"time":2000000000}
{"type":"invoke","process":10,"f":"consume","key":"m-1","value":{"topic":"orders","partition":0,"offset":7,"group":"billing"},"time":3000000000}
{"type":"info","process":"db","f":"effect","key":"m-1","value":{"effect":"row-1","group":"billing"},"time":4000000000}
{"type":"info","process":10,"f":"consume","key":"m-1","error":"timeout","time":5000000000}
{"type":"invoke","process":11,"f":"consume","key":"m-1","value":{"topic":"orders","partition":0,"offset":7,"group":"billing"},"time":603000000000}
{"type":"info","process":"db","f":"effect","key":"m-1","value":{"effect":"row-2","group":"billing"},"time":604000000000}
{"type":"ok","process":11,"f":"consume","key":"m-1","time":605000000000}
{"type":"info","process":"broker","f":"drained","value":{"topic":"orders"},"time":700000000000}
"#;

/// Anomalies of a required row.
fn anomalies(row: &Value) -> Vec<&str> {
    row["anomalies"].as_array().expect("a list").iter().filter_map(Value::as_str).collect()
}

/// Goal: what two use cases require with different policies is judged by each one's own, and by nothing that another says,
/// even where it is another guarantee that shares the policy's terms.
#[test]
fn each_use_case_has_its_own_policy() {
    let contract = r#"[[use-case]]
name = "short"
match = { workload = "delivery" }
require = ["effectively-once"]
effectively-once = { window = "5m" }

[[use-case]]
name = "long"
match = { workload = "delivery" }
require = ["effectively-once", "at-most-once"]
effectively-once = { window = "1h" }
at-most-once = { window = "2h" }
"#;
    let folder = folder(&[("anachron.toml", contract), ("h.jsonl", DELIVERED_TWICE)]);
    let (code, report) = report(folder.path(), &["check", "h.jsonl"]);
    let rows: Vec<(&str, &str, Vec<&str>)> = report["histories"][0]["guarantees"]
        .as_array()
        .expect("rows")
        .iter()
        .filter(|row| row["required"] == true)
        .map(|row| {
            (row["use_case"].as_str().expect("a name"), row["guarantee"].as_str().expect("a name"), anomalies(row))
        })
        .collect();
    // Within the window, two effects are a fault of deduplication; past it, deduplication was too short-lived.
    assert_eq!(
        rows,
        [
            ("short", "effectively-once", vec!["deduplication-window-exceeded"]),
            ("long", "effectively-once", vec!["duplicate-effect"]),
            ("long", "at-most-once", vec!["duplicate-effect", "redelivery-after-effect"]),
        ]
    );
    assert_eq!(code, 1);
}

/// Goal: two requirements of one guarantee on the command line are two rows, each judged by its own parameters; the finding of
/// one is not blamed on the other, and says with which parameters it was found.
#[test]
fn requirements_with_other_parameters_are_judged_apart() {
    let history = concat!(env!("CARGO_MANIFEST_DIR"), "/histories/idempotency/premature-expiry-violated.jsonl");
    let folder = folder(&[]);
    let arguments = ["check", history, "--require", "idempotent:ttl=1h", "--require", "idempotent:ttl=24h"];
    let (code, report) = report(folder.path(), &arguments);
    // The key was taken again after 23 hours; without an audit, what is not broken is unknown.
    assert_eq!((code, rows(&report, 0)), (1, vec!["- idempotent unknown".into(), "- idempotent violated".into()]));
    let rows = report["histories"][0]["guarantees"].as_array().expect("rows");
    assert_eq!((&rows[0]["parameters"]["ttl"], &rows[1]["parameters"]["ttl"]), (&"1h".into(), &"24h".into()));
    assert_eq!((anomalies(&rows[0]), anomalies(&rows[1]).last()), (Vec::new(), Some(&"premature-expiry")));
    for found in report["histories"][0]["anomalies"].as_array().expect("findings") {
        assert_eq!(found["parameters"]["ttl"], "24h", "{found:#}");
    }
    let junit = anachron(folder.path(), &[&arguments[..], &["--format", "junit"]].concat());
    let text = String::from_utf8_lossy(&junit.stdout).into_owned();
    assert!(text.contains("idempotent (ttl=1h)") && text.contains("idempotent (ttl=24h)"), "{text}");
}
