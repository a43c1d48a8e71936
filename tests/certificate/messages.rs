//! What `verify` says where it is given something else, and what a certificate holds where requirements disagree.

use anachron::certificate::{Certificate, Evidence};

use super::anachron;

/// Goal: a certificate of another history is told first, with what differs: the operation of a changed value, the counts where a record is
/// missing, the header; times of the clock are another matter.
#[test]
fn another_history_is_told_with_what_differs() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let header = r#"{"history":{"initial":0}}"#;
    let mut lines = vec![header.to_owned()];
    for at in 1..=300 {
        lines.push(format!(r#"{{"type":"ok","process":0,"f":"write","value":{at},"time":{at}}}"#));
        lines.push(format!(r#"{{"type":"ok","process":0,"f":"read","value":{at},"time":{at}}}"#));
    }
    let write = |name: &str, lines: &[String]| std::fs::write(path(name), lines.join("\n")).expect("written");
    write("good.jsonl", &lines);
    let (code, text) =
        anachron(&["check", &path("good.jsonl"), "--quiet", "--no-contract", "--certificate", &path("proof.json")]);
    assert_eq!(code, Some(0), "{text}");
    let verified = |name: &str, lines: &[String]| {
        write(name, lines);
        anachron(&["verify", &path(name), &path("proof.json")])
    };
    let mut changed = lines.clone();
    changed[402] = changed[402].replace("201", "77");
    let (code, text) = verified("changed.jsonl", &changed);
    assert_eq!(code, Some(1), "{text}");
    assert!(
        text.starts_with("history: refused: the certificate is of another history: the first operation that differs"),
        "{text}"
    );
    let span = text.split("records ").nth(1).expect("a span");
    let numbers: Vec<u32> = span.split(|c: char| !c.is_ascii_digit()).filter_map(|word| word.parse().ok()).collect();
    assert!(numbers[0] <= 401 && 401 <= numbers[1] && numbers[1] - numbers[0] < 8, "{text}");
    let (_, text) = verified("shorter.jsonl", &lines[..600]);
    assert!(text.contains("the certificate's has 600 records, and this one 599"), "{text}");
    let (_, text) = verified("header.jsonl", &[&[header.replace('0', "1")], &lines[1..]].concat());
    assert!(text.contains("their headers differ"), "{text}");
    let later: Vec<String> = lines.iter().map(|line| line.replace(r#""time":"#, r#""time":1"#)).collect();
    assert_eq!(verified("later.jsonl", &later).0, Some(0));
}

/// Goal: what is nested deeper than the reader goes is refused with where, why, and what to do.
#[test]
fn what_is_nested_too_deep_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let history = r#"{"type":"ok","process":0,"f":"read","value":null}"#;
    std::fs::write(path("h.jsonl"), history).expect("written");
    let deep = format!("{{\"schema\":\"anachron.report/1\",\n\"histories\":{}{}}}", "[".repeat(200), "]".repeat(200));
    std::fs::write(path("deep.json"), deep).expect("written");
    let (code, text) = anachron(&["verify", &path("h.jsonl"), &path("deep.json")]);
    assert_eq!(code, Some(2), "{text}");
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("nested more than 127 deep (line 2)") && text.contains("--certificate"), "{text}");
}

/// Goal: where requirements disagree, each claim is shown by its own parameters, and what is violated is not claimed.
#[test]
fn each_claim_has_its_own_parameters() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let stale = r#"{"type":"ok","process":0,"f":"write","value":1}
{"type":"ok","process":0,"f":"write","value":2}
{"type":"ok","process":0,"f":"write","value":3}
{"type":"invoke","process":1,"f":"read","value":null}
{"type":"ok","process":1,"f":"read","value":1}"#;
    std::fs::write(path("h.jsonl"), stale).expect("written");
    let required = [3, 1, 2].map(|most| format!("bounded-staleness:versions={most}"));
    let mut arguments = vec!["check", "--no-contract", "--quiet"];
    required.iter().for_each(|text| arguments.extend(["--require", text]));
    let (history, proof) = (path("h.jsonl"), path("proof.json"));
    arguments.extend([&history, "--certificate", &proof]);
    let (code, text) = anachron(&arguments);
    assert_eq!(code, Some(1), "{text}");
    let certificate: Certificate =
        serde_json::from_str(&std::fs::read_to_string(&proof).expect("a certificate")).expect("a certificate");
    let bounds: Vec<Option<u32>> = certificate
        .claims
        .iter()
        .map(|claim| match &claim.evidence {
            Evidence::Staleness(staleness) if staleness.bounds.len() == 1 => staleness.bounds[0].versions,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(bounds, [Some(3), Some(2)]);
    let (code, text) = anachron(&["verify", &history, &proof]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("none by more than 3 versions") && text.contains("none by more than 2 versions"), "{text}");
}
