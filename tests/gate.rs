//! Goal: a run fails for what it should fail for: findings that were accepted don't fail it, many histories are one run, and
//! neither the number of threads nor the way they are named changes a byte.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

const HISTORIES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/histories");

fn anachron(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_anachron"));
    command.current_dir(folder).env("COLUMNS", "100").env_remove("GITHUB_STEP_SUMMARY").args(arguments);
    command.output().expect("the binary runs")
}

fn report(folder: &Path, arguments: &[&str]) -> (i32, Value) {
    let output = anachron(folder, &[&["check"], arguments, &["--format", "json"]].concat());
    let text = String::from_utf8_lossy(&output.stdout);
    let report = serde_json::from_str(&text)
        .unwrap_or_else(|error| panic!("{error}: {text}{}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code().expect("an exit code"), report)
}

const BROKEN: &str = r#"{"type":"invoke","process":0,"f":"write","key":"user/1","value":1}
{"type":"ok","process":0,"f":"write","key":"user/1","value":1}
{"type":"invoke","process":1,"f":"read","key":"user/1","value":null}
{"type":"ok","process":1,"f":"read","key":"user/1","value":null}
"#;
const UNKNOWN: &str = r#"{"type":"ok","process":0,"f":"write","key":"user/1","value":1}
"#;

fn good() -> String {
    BROKEN.replace(r#"1,"f":"read","key":"user/1","value":null}"#, r#"1,"f":"read","key":"user/1","value":1}"#)
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in [("bad.jsonl", BROKEN), ("unknown.jsonl", UNKNOWN), ("good.jsonl", &good())] {
        std::fs::write(folder.path().join(name), text).expect("a file");
    }
    folder
}

/// Goal: each verdict has its exit code, and `--fail-on` changes that of what is unknown alone.
#[test]
fn fail_on_chooses() {
    let folder = folder();
    let code = |arguments: &[&str]| report(folder.path(), arguments).0;
    assert_eq!((code(&["bad.jsonl"]), code(&["unknown.jsonl"]), code(&["good.jsonl"])), (1, 3, 0));
    assert_eq!(
        (code(&["bad.jsonl", "--fail-on", "violated"]), code(&["unknown.jsonl", "--fail-on", "violated"])),
        (1, 0)
    );
    assert_eq!(
        (code(&["unknown.jsonl", "--fail-on", "unknown"]), code(&["good.jsonl", "--fail-on", "unknown"])),
        (1, 0)
    );
    assert_eq!(code(&["missing.jsonl", "--fail-on", "violated"]), 2);
    let contract = folder.path().join("anachron.toml");
    std::fs::write(contract, "[gate]\nfail-on = \"unknown\"\nallow = [\"non-linearizable\", \"stale-read\"]\n")
        .expect("a file");
    assert_eq!((code(&["unknown.jsonl"]), code(&["bad.jsonl"]), code(&["bad.jsonl", "--no-contract"])), (1, 0, 1));
}

/// Goal: an allowed anomaly is shown and does not fail the run; one that doesn't exist is refused with what was meant.
#[test]
fn allowed_anomalies_pass() {
    let folder = folder();
    let (code, report) = report(folder.path(), &["bad.jsonl", "--allow", "non-linearizable"]);
    assert_eq!((code, report["verdict"].as_str()), (0, Some("accepted")));
    let history = &report["histories"][0];
    assert_eq!(
        (&history["guarantees"][0]["verdict"], &history["guarantees"][0]["accepted"]),
        (&"violated".into(), &true.into())
    );
    assert_eq!(history["anomalies"][0]["accepted"], "allowed");
    let table = anachron(folder.path(), &["check", "bad.jsonl", "--allow", "non-linearizable"]);
    let text = String::from_utf8_lossy(&table.stdout).into_owned();
    assert!(text.starts_with("accepted  linearizable is required") && text.contains("found once, allowed"), "{text}");
    // What is only an instance is not all of it, and a read that misses its own session's write is more than a stale one.
    let only = anachron(folder.path(), &["check", "bad.jsonl", "--allow", "stale-read"]);
    let text = String::from_utf8_lossy(&only.stdout).into_owned();
    assert!(only.status.code() == Some(1) && text.contains("not accepted of these: non-linearizable"), "{text}");
    std::fs::write(folder.path().join("own.jsonl"), BROKEN.replace("\"process\":1", "\"process\":0")).expect("a file");
    let own = anachron(folder.path(), &["check", "own.jsonl", "--allow", "non-linearizable"]);
    let text = String::from_utf8_lossy(&own.stdout).into_owned();
    assert!(own.status.code() == Some(1) && text.contains("not accepted of these: missing-your-writes"), "{text}");
    let bound = ["check", "bad.jsonl", "--require", "bounded-staleness:versions=0", "--allow", "non-linearizable"];
    assert_eq!(anachron(folder.path(), &bound).status.code(), Some(1), "it is beyond a bound");
    let wrong = anachron(folder.path(), &["check", "bad.jsonl", "--allow", "lost-updaet"]);
    let text = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert!(wrong.status.code() == Some(2) && text.contains("did you mean `lost-update`?"), "{text}");
}

/// Goal: a baseline accepts what it has, whatever the times, positions and numbers of keys of the next recording; it does not
/// accept the same of another history; what is gone is said, and reasons are kept.
#[test]
fn a_baseline_accepts_what_it_has() {
    let folder = folder();
    let all = ["bad.jsonl", "good.jsonl", "--baseline", "base.json"];
    assert_eq!(anachron(folder.path(), &[&["check"], &all[..]].concat()).status.code(), Some(2), "there is none yet");
    let (code, _) = report(folder.path(), &[&all[..], &["--update-baseline"]].concat());
    assert_eq!(code, 0);
    let path = folder.path().join("base.json");
    let text = std::fs::read_to_string(&path).expect("a baseline");
    std::fs::write(&path, text.replace("\"anomaly\"", "\"reason\": \"known\", \"anomaly\"")).expect("a file");
    let longer = UNKNOWN.replace("user/1", "user/7") + &BROKEN.replace("user/1", "user/22");
    std::fs::write(folder.path().join("bad.jsonl"), &longer).expect("a file");
    let (code, again) = report(folder.path(), &all);
    assert_eq!((code, again["histories"][0]["anomalies"][0]["accepted"].as_str()), (0, Some("baseline")));
    assert_eq!(report(folder.path(), &["./bad.jsonl", "--baseline", "base.json"]).0, 0);
    std::fs::write(folder.path().join("other.jsonl"), BROKEN).expect("a file");
    assert_eq!(report(folder.path(), &["other.jsonl", "--baseline", "base.json"]).0, 1);

    report(folder.path(), &["bad.jsonl", "--baseline", "base.json", "--update-baseline"]);
    assert!(std::fs::read_to_string(&path).expect("a baseline").contains("\"reason\": \"known\""));
    std::fs::write(folder.path().join("bad.jsonl"), good()).expect("a file");
    let (code, stale) = report(folder.path(), &all);
    assert_eq!((code, stale["notices"][0]["kind"].as_str()), (0, Some("stale-baseline")));
    assert_eq!(
        report(folder.path(), &["good.jsonl", "--baseline", "base.json"]).1["notices"],
        Value::Array(Vec::new())
    );
    std::fs::write(&path, "{}").expect("a file");
    assert_eq!(anachron(folder.path(), &["check", "good.jsonl", "--baseline", "base.json"]).status.code(), Some(2));
}

/// Goal: folders and patterns are all histories below them, in order; the worst decides; and any number of threads writes the
/// same bytes, in every format.
#[test]
fn many_histories_are_one_run() {
    let root = Path::new(HISTORIES);
    let (code, report) = report(root, &["saga", "outbox", "redis/*reads*.jsonl"]);
    let sources: Vec<&str> = report["histories"]
        .as_array()
        .expect("histories")
        .iter()
        .map(|one| one["source"].as_str().expect("a name"))
        .collect();
    let split = sources.iter().position(|name| name.starts_with("outbox")).expect("some");
    assert!(
        sources[..split].iter().all(|name| name.starts_with("saga/")) && sources[..split].is_sorted(),
        "{sources:?}"
    );
    assert!(sources.ends_with(&["redis/primary-reads.jsonl", "redis/replica-reads-lagging.jsonl"]), "{sources:?}");
    assert_eq!(code, 1);
    let folder = tempfile::tempdir().expect("a folder");
    let formats = ["table", "json", "junit", "sarif", "github", "markdown", "html"];
    // Every family, in every format.
    let families =
        ["saga", "outbox", "redis", "idempotency", "delivery", "reconciliation", "payments", "postgres", "anomalies"];
    let run = |threads: &str| {
        let outputs = formats.map(|format| format!("--output={format}={}", folder.path().join(format).display()));
        let outputs: Vec<&str> = outputs.iter().map(String::as_str).collect();
        let output = anachron(root, &[&["check", "--threads", threads, "--quiet"], &families[..], &outputs].concat());
        assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
        formats.map(|format| std::fs::read(folder.path().join(format)).expect("a report"))
    };
    let one = run("1");
    for threads in ["2", "4"] {
        for ((format, one), other) in formats.iter().zip(&one).zip(run(threads)) {
            assert!(!one.is_empty() && *one == other, "{format} with {threads} threads");
        }
    }
    let missing = anachron(root, &["check", "nothing-*.jsonl"]);
    assert!(missing.status.code() == Some(2) && String::from_utf8_lossy(&missing.stderr).contains("no file matches"));
}

/// Goal: a folder's histories are found, and what Jepsen writes beside them is not taken for any; a file that can't be read
/// does not keep the others from being judged.
#[test]
fn folders_are_searched() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = folder.path().join("store/test/run");
    std::fs::create_dir_all(run.join(".cache")).expect("a folder");
    for (name, text) in [
        ("history.edn", "{:type :ok :process 0 :f :read :value nil}\n"),
        ("history.txt", "0\t:ok\t:read\tnil\n"),
        ("results.edn", "{:valid? true}"),
        ("jepsen.log", "x"),
        (".cache/h.jsonl", "x"),
        ("h.jsonl", BROKEN),
        ("torn.jsonl", "{\"type\":"),
    ] {
        std::fs::write(run.join(name), text).expect("a file");
    }
    let (code, report) = report(folder.path(), &["store"]);
    let names: Vec<String> = report["histories"]
        .as_array()
        .expect("histories")
        .iter()
        .map(|one| one["source"].as_str().expect("a name").replace("store/test/run/", ""))
        .collect();
    assert_eq!(names, ["h.jsonl", "history.edn", "torn.jsonl"]);
    assert_eq!(code, 2);
    let verdict = &report["histories"][0]["guarantees"][0]["verdict"];
    assert_eq!(verdict, "violated", "the others are judged all the same");
    assert_eq!(report["histories"].as_array().map(Vec::len), Some(3));
    let twice = anachron(folder.path(), &["check", "store/**/h*.jsonl", "store/*/run"]);
    assert_eq!(twice.status.code(), Some(2));
}

/// Goal: thousands of small histories are one run, and its summary is short.
#[test]
fn thousands_of_small_ones() {
    let folder = tempfile::tempdir().expect("a folder");
    for number in 0..1500 {
        let text = if number == 700 { BROKEN.to_owned() } else { good() };
        std::fs::write(folder.path().join(format!("h{number:04}.jsonl")), text).expect("a file");
    }
    let output = anachron(folder.path(), &["check", ".", "--max-memory", "64MB"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1));
    assert!(text.starts_with("violated  1500 histories: 1 violated, 1499 hold: linearizable is required"), "{text}");
    assert!(text.lines().count() < 100, "{} lines", text.lines().count());
}

/// Goal: on GitHub, the annotations come after one line that says why, and the step's summary is added to.
#[test]
fn github_gets_a_summary() {
    let folder = folder();
    let summary = folder.path().join("summary.md");
    std::fs::write(&summary, "before\n").expect("a file");
    let output = Command::new(env!("CARGO_BIN_EXE_anachron"))
        .current_dir(folder.path())
        .env("GITHUB_STEP_SUMMARY", &summary)
        .args(["check", "bad.jsonl", "--format", "github", "--output", "junit=r.xml", "--output", "sarif=r.sarif"])
        .output()
        .expect("the binary runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.starts_with("anachron: violated (exit code 1): linearizable is required"), "{text}");
    let markdown = std::fs::read_to_string(&summary).expect("a summary");
    assert!(markdown.starts_with("before\n## anachron: ❌"), "{markdown}");
    assert!(folder.path().join("r.xml").exists() && folder.path().join("r.sarif").exists());
}

/// Goal: no value comes through where values are kept out, in any format, and no key where keys are; names, verdicts and
/// exit codes stay what they are.
#[test]
fn redacted_reports_have_no_values() {
    let folder = tempfile::tempdir().expect("a folder");
    let registers =
        BROKEN.replace("\"value\":1", "\"value\":\"SECRET-1\",\"error\":\"SECRET-2\",\"trace\":{\"SECRET-3\":4711}");
    let lists = r#"{"type":"ok","process":0,"f":"txn","value":[["append","KEY-1","SECRET-1"],["r","KEY-2",[]]],"note":"SECRET-9"}
{"type":"ok","process":1,"f":"txn","value":[["append","KEY-2","SECRET-2"],["r","KEY-1",[]]]}
{"type":"ok","process":2,"f":"txn","value":[["r","KEY-1",["SECRET-1"]],["r","KEY-2",["SECRET-2","SECRET-3"]]]}
"#;
    let requests = r#"{"type":"invoke","process":0,"f":"request","key":"KEY-1","value":{"scope":"SECRET-1","payload":{"card":"SECRET-2","amount":471100}}}
{"type":"info","process":"ledger","f":"effect","key":"KEY-1","value":{"effect":"SECRET-3","resource":"SECRET-4"}}
{"type":"info","process":"ledger","f":"effect","key":"KEY-1","value":{"effect":"SECRET-5","resource":"SECRET-6"}}
{"type":"ok","process":0,"f":"request","key":"KEY-1","value":{"status":201,"response":{"id":"SECRET-4"}}}
{"type":"info","process":"ledger","f":"audit","value":{"complete":true}}
"#;
    for (name, text) in
        [("registers", &registers.replace("user/", "KEY-")[..]), ("lists", lists), ("requests", requests)]
    {
        std::fs::write(folder.path().join(name), text).expect("a file");
        let (code, plain) = report(folder.path(), &[name]);
        assert_eq!(code, 1, "{name}: {plain:#}");
        assert!(plain.to_string().contains("SECRET") && plain.to_string().contains("KEY"), "{name}");
        for (option, absent, present) in [("--redact", "SECRET", "KEY"), ("--redact=keys", "KEY", "v1")] {
            for format in ["table", "json", "junit", "sarif", "github", "markdown", "html"] {
                let output = anachron(folder.path(), &["check", name, option, "--format", format]);
                let text = String::from_utf8_lossy(&output.stdout).into_owned();
                assert_eq!(output.status.code(), Some(1));
                assert!(
                    !text.contains(absent) && !text.contains("SECRET") && !text.contains("4711"),
                    "{name} {option} {format}: {text}"
                );
                assert!(text.contains(present), "{name} {option} {format}: {text}");
            }
        }
    }
}

/// Goal: what can't be read is told without its content where values are kept out, and with it where they are not.
#[test]
fn redacted_errors_quote_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in [
        ("type", "{\"type\":\"SECRET\",\"process\":0}\n"),
        (
            "value",
            "{\"type\":\"ok\",\"process\":0,\"f\":\"txn\",\"value\":[[\"append\",\"x\",{\"SECRET\":1}],\"SECRET\"]}\n",
        ),
        ("row", "{\"kind\":\"SECRET\",\"f\":\"read\"}\n"),
    ] {
        std::fs::write(folder.path().join(name), text).expect("a file");
        let map: &[&str] = if name == "row" { &["--map", "type=kind|2xx=ok", "--map", "f=f"] } else { &[] };
        for format in ["table", "json", "junit", "sarif", "github", "markdown", "html"] {
            let said = |more: &[&str]| {
                let output = anachron(folder.path(), &[&["check", name, "--format", format], map, more].concat());
                assert_eq!(output.status.code(), Some(2), "{name}");
                String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
            };
            assert!(name != "type" || said(&[]).contains("SECRET"), "{name} {format}");
            let redacted = said(&["--redact"]);
            assert!(!redacted.contains("SECRET") && redacted.contains("--redact"), "{name} {format}: {redacted}");
        }
    }
}

/// Goal: what is kept out of reports changes no verdict.
#[test]
fn redaction_changes_no_verdict() {
    let root = Path::new(HISTORIES);
    let all = ["etcd", "idempotency", "outbox", "payments", "postgres", "redis", "saga"];
    let verdicts = |option: &[&str]| {
        let (code, report) = report(root, &[&all[..], option].concat());
        let histories = report["histories"].as_array().expect("histories").clone();
        let of = |history: &Value| {
            let rows = history["guarantees"].as_array().expect("rows").iter();
            let rows: Vec<String> = rows.map(|row| format!("{} {}", row["guarantee"], row["verdict"])).collect();
            let found = history["anomalies"].as_array().expect("findings").iter();
            let found: Vec<String> = found
                .map(|one| format!("{} {} {}", one["anomaly"], one["fingerprint"], one["witness"]["rechecked"]))
                .collect();
            (history["source"].clone(), rows, found)
        };
        (code, histories.iter().map(of).collect::<Vec<_>>())
    };
    let plain = verdicts(&[]);
    assert_eq!(verdicts(&["--redact"]), plain);
    assert_eq!(verdicts(&["--redact=keys"]), plain);
}

/// Goal: a service's own log is a history without a script, from the command line and from a contract.
#[test]
fn a_foreign_log_is_a_history() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = r#"{"ts":"2026-03-01T09:30:00.100Z","msg":"done","op":"PUT","user":"user/1","val":1,"took":"1.5ms"}
{"msg":"gc"}
{"ts":"2026-03-01T09:30:00.200Z","msg":"done","op":"GET","user":"user/1","val":null,"took":"2ms"}
"#;
    std::fs::write(folder.path().join("app.log"), log).expect("a file");
    let map = [
        "--map=type=\"ok\"",
        "--map=f=op|PUT=write,GET=read",
        "--map=key=user",
        "--map=argument=val",
        "--map=result=val",
        "--map=end=ts",
        "--map=duration=took",
        "--where=msg=done",
    ];
    let (code, mapped) = report(folder.path(), &[&["app.log"], &map[..]].concat());
    assert_eq!((code, &mapped["histories"][0]["statistics"]["left_out"]), (1, &1.into()), "{mapped:#}");
    let witness = &mapped["histories"][0]["anomalies"][0]["witness"];
    assert_eq!(witness["records"][0]["row"]["msg"], "done", "the row is shown as it stands");

    let contract = r#"[[use-case]]
name = "users"
match = { key = "user/*" }
require = ["linearizable"]

[input]
unmapped = "skip"
type = '"ok"'
f = { path = "op", values = { PUT = "write", GET = "read" } }
key = "user"
value = "val"
end = "ts"
duration = "took"
"#;
    std::fs::write(folder.path().join("anachron.toml"), contract).expect("a file");
    let (code, by_contract) = report(folder.path(), &["app.log"]);
    assert_eq!((code, &by_contract["histories"][0]["guarantees"][0]["use_case"]), (1, &"users".into()));
    // The other commands read it in the same way, from a folder below, too.
    let below = folder.path().join("below");
    std::fs::create_dir(&below).expect("a folder");
    let (_, json) = report(&below, &["../app.log"]);
    std::fs::write(below.join("report.json"), json.to_string()).expect("a file");
    for command in [&["inspect", "../app.log"][..], &["verify", "../app.log", "report.json"], &["shrink", "../app.log"]]
    {
        let output = anachron(&below, command);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(matches!(output.status.code(), Some(0 | 3)), "{command:?}: {text}");
    }
    // What `contract init` writes reads the log as it was read, from the contract above or from the command line.
    let init = anachron(&below, &["contract", "init", "../app.log"]);
    assert_eq!(init.status.code(), Some(0), "{}", String::from_utf8_lossy(&init.stderr));
    let written = std::fs::read_to_string(below.join("anachron.toml")).expect("a contract");
    assert!(written.contains("[input]") && written.contains("duration = \"took\""), "{written}");
    assert_eq!(report(&below, &["../app.log"]).1["histories"][0]["statistics"]["left_out"], 1);
    std::fs::remove_file(below.join("anachron.toml")).expect("it is there");
    std::fs::remove_file(folder.path().join("anachron.toml")).expect("it is there");
    let init = anachron(&below, &[&["contract", "init", "../app.log"], &map[..]].concat());
    assert_eq!(init.status.code(), Some(0), "{}", String::from_utf8_lossy(&init.stderr));
    assert_eq!(anachron(&below, &["contract", "check"]).status.code(), Some(0));
    assert_eq!(report(&below, &["../app.log"]).1["histories"][0]["statistics"]["left_out"], 1);
    std::fs::write(folder.path().join("anachron.toml"), contract.replace("duration", "duratoin")).expect("a file");
    let refused = anachron(folder.path(), &["contract", "check"]);
    let text = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(text.starts_with("error: anachron.toml:13:1: a record has no field `duratoin`"), "{text}");
}

/// Goal: one history of several files is judged as one, and its witness names the file.
#[test]
fn joined_files_are_one_history() {
    let folder = tempfile::tempdir().expect("a folder");
    let (writer, reader) = BROKEN.split_at(BROKEN.find("{\"type\":\"invoke\",\"process\":1").expect("the read"));
    let timed = |text: &str, from: usize| {
        let lines = text.lines().enumerate();
        lines
            .map(|(at, line)| line.replace("{\"type\"", &format!("{{\"time\":{},\"type\"", from + at)) + "\n")
            .collect::<String>()
    };
    std::fs::write(folder.path().join("reader.jsonl"), timed(reader, 20)).expect("a file");
    std::fs::write(folder.path().join("writer.jsonl"), timed(writer, 10)).expect("a file");
    let (code, joined) = report(folder.path(), &["reader.jsonl", "writer.jsonl", "--join", "time"]);
    assert_eq!((code, joined["histories"].as_array().map(Vec::len)), (1, Some(1)));
    assert_eq!(joined["histories"][0]["source"], "reader.jsonl + writer.jsonl");
    let github =
        anachron(folder.path(), &["check", "reader.jsonl", "writer.jsonl", "--join", "time", "--format", "github"]);
    assert!(String::from_utf8_lossy(&github.stdout).contains("::error file=writer.jsonl,line=1,"));
    let (code, _) = report(folder.path(), &["reader.jsonl", "writer.jsonl", "--join", "index"]);
    assert_eq!(code, 2);
}
