//! How the history was read stands in what is verified, so that nobody has to say it again.

use super::anachron;

const LOG: &str = r#"{"ts":1.000,"op":"PUT","k":"x","v":1,"ms":5,"status":200}
{"ts":1.010,"op":"GET","k":"x","v":0,"ms":2,"status":200}
{"ts":1.020,"op":"GET","k":"y","v":0,"ms":2,"status":200}
"#;
const MAP: [&str; 14] = [
    "--map",
    "type=status|2xx=ok,*=info",
    "--map",
    "f=op|PUT=write,GET=read",
    "--map",
    "key=k",
    "--map",
    "value=v",
    "--map",
    "start=ts|s",
    "--map",
    "duration=ms|ms",
    "--initial",
    "0",
];

/// Goal: a report and a certificate of a log that was read by a mapping, with another initial value, are verified without saying
/// either again; what is said anew counts more than what the document says.
#[test]
fn a_document_says_how_its_history_was_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let (log, report, proof) = (path("app.log"), path("report.json"), path("proof.json"));
    std::fs::write(&log, LOG).expect("written");
    let output = format!("json={report}");
    let check = |require: &str, more: &[&str]| {
        anachron(&[&["check", &log, "--no-contract", "--quiet", "--require", require], &MAP[..], more].concat()).0
    };
    assert_eq!(check("linearizable", &["--output", &output]), Some(1));
    let (code, text) = anachron(&["verify", &log, &report]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("The history is read as") && text.contains(r#""initial":0"#), "{text}");
    assert_eq!(check("monotonic-reads", &["--certificate", &proof]), Some(0));
    let (code, text) = anachron(&["verify", &log, &proof]);
    assert_eq!(code, Some(0), "{text}");
    // Another initial value: another history.
    let (code, text) = anachron(&["verify", &log, &proof, "--initial", "7"]);
    assert_eq!(code, Some(1), "{text}");
    let written = std::fs::read_to_string(&proof).expect("a certificate");
    std::fs::write(&proof, written.replace("\"f\":\"op|", "\"fun\":\"op|")).expect("written");
    let (code, text) = anachron(&["verify", &log, &proof]);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("a record has no field `fun`"), "{text}");
}

/// Goal: what holds of files that are one history is certified, and verified over the same files.
#[test]
fn joined_files_are_verified_together() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let line = |kind: &str, process: u8, f: &str, time: u32| {
        format!(r#"{{"type":"{kind}","process":{process},"f":"{f}","value":1,"time":{time}}}"#)
    };
    let (one, two, proof) = (path("one.jsonl"), path("two.jsonl"), path("proof.json"));
    let put = |to: &str, lines: [String; 2]| std::fs::write(to, lines.join("\n")).expect("written");
    put(&one, [line("invoke", 0, "write", 10), line("ok", 0, "write", 20)]);
    put(&two, [line("invoke", 1, "read", 15), line("ok", 1, "read", 30)]);
    let (code, text) =
        anachron(&["check", &one, &two, "--join", "time", "--no-contract", "--quiet", "--certificate", &proof]);
    assert_eq!(code, Some(0), "{text}");
    let (code, text) = anachron(&["verify", &one, &two, &proof]);
    assert_eq!(code, Some(0), "{text}");
    let (code, text) = anachron(&["verify", &one, &proof]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("another history"), "{text}");
}
