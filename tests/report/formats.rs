//! Goal: each format is what its consumer accepts, whatever stands in the history.

use std::process::{Command as Process, Stdio};

use super::*;

fn rendered(report: &Report, format: Format) -> String {
    report::render(report, format, &Style { width: 80, color: true })
}

fn all_kinds() -> Report {
    let histories = vec![holding_report(), skew_report(), charged_report(), unknown_report(), broken_report()];
    Report::new(histories)
}

/// An XML element: its name, attributes and children, and its text without markup.
#[derive(Debug, Default)]
struct Element {
    name: String,
    attributes: Vec<(String, String)>,
    children: Vec<Element>,
    text: String,
}

impl Element {
    fn attribute(&self, name: &str) -> &str {
        self.attributes.iter().find(|(other, _)| other == name).map_or("", |(_, value)| value)
    }

    fn names(&self) -> Vec<&str> {
        self.attributes.iter().map(|(name, _)| name.as_str()).collect()
    }
}

/// Reads the little of XML that is needed here, strictly: what is not well-formed fails the test.
fn parse(xml: &str) -> Element {
    let mut rest = xml.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n").expect("a declaration");
    let mut open = vec![Element::default()];
    while !rest.is_empty() {
        if let Some(tag) = rest.strip_prefix('<') {
            let (tag, after) = tag.split_once('>').expect("a tag's end");
            rest = after;
            if let Some(name) = tag.strip_prefix('/') {
                let element = open.pop().expect("an open element");
                assert_eq!(element.name, name);
                open.last_mut().expect("a parent").children.push(element);
                continue;
            }
            let (tag, closed) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
            let (name, mut fields) = tag.split_once(' ').unwrap_or((tag, ""));
            let mut element = Element { name: name.to_owned(), ..Element::default() };
            while !fields.is_empty() {
                let (name, value) = fields.split_once("=\"").expect("a value in quotes");
                let (value, after) = value.split_once('"').expect("the end of a value");
                element.attributes.push((name.to_owned(), unescaped(value)));
                fields = after.strip_prefix(' ').unwrap_or(after);
            }
            let parent = open.last_mut().expect("a parent");
            if closed { parent.children.push(element) } else { open.push(element) }
        } else {
            let end = rest.find('<').unwrap_or(rest.len());
            open.last_mut().expect("a parent").text.push_str(&unescaped(&rest[..end]));
            rest = &rest[end..];
        }
    }
    let mut roots = open.pop().expect("the document").children;
    assert!(open.is_empty() && roots.len() == 1, "one root");
    roots.remove(0)
}

fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        let (entity, after) = after.split_once(';').expect("an entity's end");
        out.push_str(before);
        out.push(match entity {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            other => panic!("no such entity: {other}"),
        });
        rest = after;
    }
    assert!(!text.contains(['<', '>']), "markup in text: {text}");
    out.push_str(rest);
    out
}

/// What Jenkins' own schema, of its xunit plugin (MIT licence, in the file), says of a document: nothing where it is what that
/// consumer takes. Without xmllint there is no answer; continuous integration must have it.
#[expect(clippy::print_stderr, reason = "says why nothing was looked at")]
fn junit_faults(xml: &str) -> Option<String> {
    use std::io::Write as _;
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/report/junit-10.xsd");
    let started = Process::new("xmllint")
        .args(["--noout", "--nonet", "--schema", schema, "-"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut xmllint = match started {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            assert!(std::env::var_os("CI").is_none(), "CI needs xmllint");
            eprintln!("skipped: without xmllint, JUnit is not held against its schema");
            return None;
        }
        started => started.expect("xmllint starts"),
    };
    xmllint.stdin.take().expect("a pipe").write_all(xml.as_bytes()).expect("it reads");
    let output = xmllint.wait_with_output().expect("it ends");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    Some(if output.status.success() { String::new() } else { text })
}

/// Goal: the schema is one that refuses.
#[test]
fn the_junit_schema_refuses_what_is_none() {
    let odd = "<testsuites><testsuite name=\"a\" tests=\"0\" failures=\"0\" errors=\"0\" surprise=\"1\"/></testsuites>";
    if let Some(faults) = junit_faults(odd) {
        assert!(faults.contains("surprise"), "{faults}");
    }
}

/// What Ant's schema (JUnit.xsd) requires and Jenkins' (junit-10.xsd) allows.
fn check_junit(xml: &str) -> Element {
    assert_eq!(junit_faults(xml).unwrap_or_default(), "", "{xml}");
    let root = parse(xml);
    assert_eq!((root.name.as_str(), root.names().len()), ("testsuites", 0));
    for (id, suite) in root.children.iter().enumerate() {
        assert_eq!(suite.name, "testsuite");
        let mut names = suite.names();
        names.sort_unstable();
        let all = ["errors", "failures", "hostname", "id", "name", "package", "skipped", "tests", "time", "timestamp"];
        assert_eq!(names, all);
        assert_eq!(suite.attribute("id"), id.to_string());
        assert!(!suite.attribute("name").is_empty());
        let kinds: Vec<&str> = suite.children.iter().map(|child| child.name.as_str()).collect();
        let cases = kinds.iter().filter(|kind| **kind == "testcase").count();
        assert_eq!(kinds[0], "properties");
        assert!(kinds[1..=cases].iter().all(|kind| *kind == "testcase"));
        assert_eq!(kinds[cases + 1..], ["system-out", "system-err"]);
        let mut wrong = [0, 0, 0];
        for case in &suite.children[1..=cases] {
            assert_eq!(case.names(), ["name", "classname", "time"]);
            assert!(case.children.len() <= 1);
            for child in &case.children {
                assert_eq!(child.names(), ["type", "message"]);
                let kinds = ["failure", "error", "skipped"];
                wrong[kinds.iter().position(|kind| *kind == child.name).expect("a kind")] += 1;
            }
        }
        assert_eq!(suite.attribute("tests"), cases.to_string());
        assert_eq!(suite.attribute("failures"), wrong[0].to_string());
        assert_eq!(suite.attribute("errors"), wrong[1].to_string());
        assert_eq!(suite.attribute("skipped"), wrong[2].to_string());
        assert!(cases > 0, "a suite without a case would pass");
    }
    root
}

/// Goal: JUnit: a case for every required guarantee, and nothing that does not hold passes.
#[test]
fn junit_fails_what_does_not_hold() {
    let root = check_junit(&rendered(&all_kinds(), Format::Junit));
    let outcome = |suite: &Element, case: usize| {
        let case = &suite.children[1 + case];
        let wrong = case.children.first();
        (case.attribute("name").to_owned(), wrong.map(|w| format!("{} {}", w.name, w.attribute("type"))))
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(outcome(&root.children[0], 0), ("linearizable".to_owned(), None));
    assert_eq!(outcome(&root.children[1], 0), ("strict-serializable".to_owned(), some("failure violated")));
    assert_eq!(outcome(&root.children[2], 0), ("idempotent (payments)".to_owned(), some("failure violated")));
    assert_eq!(outcome(&root.children[3], 2), ("saga".to_owned(), some("error unknown")));
    assert_eq!(outcome(&root.children[4], 0), ("the history can be read".to_owned(), some("error error")));
    let failure = &root.children[1].children[1].children[0];
    assert_eq!(failure.attribute("message"), "strict-serializable is required, and violated: G2-item");
    assert!(failure.text.contains("T1 read x without 41, and T2 appended 41 to it"), "{}", failure.text);
}

/// Goal: what was accepted is shown in every format and fails in none; what a contract says of the run is there, too.
#[test]
fn accepted_findings_and_notices_are_shown() {
    let contract = "[[use-case]]\nname = \"gone\"\nmatch = { key = \"x\" }\nrequire = [\"linearizable\"]\n";
    let contract = anachron::contract::Contract::parse(contract, &[]).expect("a contract");
    let requirements = [required(Guarantee::Linearizable)];
    let case = report::CaseResult { name: Some("gone"), requirements: &requirements, outcome: None };
    let nothing = holding_report_with(&[case]);
    let gate = report::Gate {
        contract: Some(("anachron.toml", &contract)),
        allow: &[Anomaly::G2Item],
        ..report::Gate::default()
    };
    let report = Report::gated(vec![skew_report(), nothing], &gate);
    assert_eq!((report.verdict(), report.exit_code()), (report::Overall::Unknown, 3));
    let root = check_junit(&rendered(&report, Format::Junit));
    assert_eq!(root.children[0].children[1].children[0].name, "skipped");
    assert_eq!(root.children[2].children[1].attribute("name"), "use case gone");
    let log: serde_json::Value = serde_json::from_str(&rendered(&report, Format::Sarif)).expect("JSON");
    check_sarif(&log);
    let results = log["runs"][0]["results"].as_array().expect("results");
    assert_eq!((&results[0]["suppressions"][0]["kind"], &results[0]["level"]), (&"external".into(), &"note".into()));
    assert_eq!(results[1]["ruleId"], "use-case-selects-nothing");
    assert!(rendered(&report, Format::Github).contains("::notice file=histories/write-skew.jsonl"));
    assert!(rendered(&report, Format::Markdown).contains("☑️ accepted"));
    assert!(schema::faults(&rendered(&report, Format::Json)).is_empty());
    let table = table(&report, 100);
    assert!(table.contains("accepted") && table.contains("note: the use case gone"), "{table}");
}

/// A name, properties and a message.
type Command = (String, Vec<(String, String)>, String);

/// What GitHub's runner makes of a line: a command with its properties and its message.
fn command(line: &str) -> Option<Command> {
    let (head, message) = line.strip_prefix("::")?.split_once("::")?;
    let (name, properties) = head.split_once(' ').unwrap_or((head, ""));
    let data = |text: &str| text.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%");
    let pair = |text: &str| {
        let (name, value) = text.split_once('=').expect("a property");
        (name.to_owned(), data(&value.replace("%3A", ":").replace("%2C", ",")))
    };
    Some((name.to_owned(), properties.split(',').map(pair).collect(), data(message)))
}

/// Goal: GitHub: what fails the run is an error at its line, what is unknown a warning.
#[test]
fn github_annotates_what_matters() {
    let text = rendered(&all_kinds(), Format::Github);
    let commands: Vec<_> = text.lines().filter_map(command).collect();
    let heads: Vec<String> = commands.iter().map(|(name, properties, _)| format!("{name} {properties:?}")).collect();
    assert_eq!(
        heads,
        [
            r#"error [("file", "histories/write-skew.jsonl"), ("line", "1"), ("title", "anachron: G2-item")]"#,
            r#"error [("file", "payments.jsonl"), ("line", "1"), ("title", "anachron: duplicate-elements")]"#,
            r#"error [("file", "broken.jsonl"), ("line", "17"), ("col", "24"), ("title", "anachron: input-error")]"#,
            r#"warning [("file", "writes.jsonl"), ("title", "anachron: linearizable")]"#,
            r#"warning [("file", "writes.jsonl"), ("title", "anachron: sequential")]"#,
            r#"warning [("file", "writes.jsonl"), ("title", "anachron: saga")]"#,
        ]
    );
    assert!(
        commands[0]
            .2
            .starts_with("strict-serializable is required, and violated: G2-item found once. Each transaction")
    );
    assert!(commands[0].2.contains("\n  1. T1 → T2 (rw)"));
    assert_eq!(commands[5].2, "saga is required, and unknown: no check judged it");
    assert!(text.starts_with(
        "anachron: error (exit code 2): 5 histories: 1 can't be judged, 2 violated, 1 unknown, 1 holds: line 17: "
    ));
}

/// Goal: GitHub shows ten annotations of a kind: more than ten say so, and none is lost in silence.
#[test]
fn github_counts_what_it_does_not_show() {
    let text = rendered(&Report::new((0..14).map(|_| broken_report()).collect()), Format::Github);
    assert_eq!(text.lines().filter(|line| line.starts_with("::error ")).count(), 10);
    assert!(text.contains("::error title=anachron::5 more like these"), "{text}");
}

/// Goal: SARIF: the fields that code scanning needs, one rule a name, stable fingerprints.
#[test]
fn sarif_has_what_code_scanning_needs() {
    let text = rendered(&all_kinds(), Format::Sarif);
    let log: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    check_sarif(&log);
    let results = log["runs"][0]["results"].as_array().expect("results");
    let summary: Vec<String> = results
        .iter()
        .map(|result| {
            let place = &result["locations"][0]["physicalLocation"];
            let uri = place["artifactLocation"]["uri"].as_str().expect("a URI");
            let [rule, level] = ["ruleId", "level"].map(|name| result[name].as_str().expect("a text"));
            format!("{level} {rule} {uri}:{}", place["region"]["startLine"])
        })
        .collect();
    assert_eq!(
        summary,
        [
            "error G2-item histories/write-skew.jsonl:1",
            "error duplicate-elements payments.jsonl:1",
            "warning linearizable writes.jsonl:1",
            "warning sequential writes.jsonl:1",
            "warning saga writes.jsonl:1",
            "error input-error broken.jsonl:17",
        ]
    );
    let known = &all_kinds();
    let known = known.histories()[1].anomalies()[0].fingerprint();
    assert_eq!(results[0]["partialFingerprints"]["anachron/v1"], known);
}

/// OASIS's schema of SARIF 2.1.0, as it is published, and the rules of code scanning.
fn check_sarif(log: &serde_json::Value) {
    static VALIDATOR: std::sync::OnceLock<jsonschema::Validator> = std::sync::OnceLock::new();
    let validator = VALIDATOR.get_or_init(|| {
        let schema = serde_json::from_str(include_str!("sarif-2.1.0.schema.json")).expect("JSON");
        jsonschema::draft7::new(&schema).expect("a schema")
    });
    let faults: Vec<String> =
        validator.iter_errors(log).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(faults.is_empty(), "{faults:?}");
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    let driver = &run["tool"]["driver"];
    assert_eq!(driver["name"], "anachron");
    let rules = driver["rules"].as_array().expect("rules");
    for (at, rule) in rules.iter().enumerate() {
        assert!(rule["shortDescription"]["text"].as_str().is_some_and(|text| !text.is_empty()), "{rule}");
        assert!(rules[..at].iter().all(|other| other["id"] != rule["id"]), "rules are unique");
    }
    assert!(run["invocations"][0]["executionSuccessful"].is_boolean());
    for result in run["results"].as_array().expect("results") {
        let index = usize::try_from(result["ruleIndex"].as_u64().expect("an index")).expect("small");
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert!(["error", "warning", "note"].contains(&result["level"].as_str().expect("a level")));
        assert!(result["message"]["text"].as_str().is_some_and(|text| !text.is_empty()));
        let place = &result["locations"][0]["physicalLocation"];
        assert!(place["region"]["startLine"].as_u64().is_some_and(|line| line >= 1));
        let uri = place["artifactLocation"]["uri"].as_str().expect("a URI");
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._~/%:".contains(c);
        assert!(!uri.is_empty() && uri.chars().all(plain), "{uri}");
        assert!(result["partialFingerprints"]["anachron/v1"].as_str().is_some_and(|text| text.len() == 16));
    }
}

/// What is left of a Markdown text without its code, by GitHub's rules: fenced blocks, then spans.
fn outside_code(markdown: &str) -> String {
    let mut prose = String::new();
    let mut fence: Option<String> = None;
    for line in markdown.lines() {
        let indent = line.chars().take_while(|c| *c == ' ').count();
        let line = if indent <= 3 { &line[indent..] } else { line };
        let ticks = line.chars().take_while(|c| *c == '`').count();
        match &fence {
            Some(open) if ticks >= open.len() && line[ticks..].trim().is_empty() => fence = None,
            Some(_) => {}
            None if ticks >= 3 && !line[ticks..].contains('`') => fence = Some("`".repeat(ticks)),
            None => {
                prose.push_str(line);
                prose.push('\n');
            }
        }
    }
    assert!(fence.is_none(), "a block is open at the end");
    let mut out = String::new();
    let mut rest = prose.as_str();
    while let Some(at) = rest.find('`') {
        out.push_str(&rest[..at]);
        let ticks = rest[at..].chars().take_while(|c| *c == '`').count();
        let inside = &rest[at + ticks..];
        let fence = "`".repeat(ticks);
        let mut ends = inside.match_indices(&fence).map(|(end, _)| end);
        let end = ends.find(|end| !inside[..*end].ends_with('`') && !inside[*end + ticks..].starts_with('`'));
        rest = &inside[end.expect("a span's end") + ticks..];
    }
    out.push_str(rest);
    out
}

/// Goal: Markdown: the worst first, a row a history, the witness where it can be folded.
#[test]
fn markdown_is_a_summary() {
    let text = rendered(&all_kinds(), Format::Markdown);
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("| ")).collect();
    assert_eq!(
        rows,
        [
            "| | history | workload | required | operations | found |",
            "| ❌ violated | ` histories/write-skew.jsonl ` | list-append | strict-serializable | 2 | G2-item |",
            "| ❌ violated | ` payments.jsonl ` | idempotency | idempotent | 2 | duplicate-elements |",
            "| ❔ unknown | ` writes.jsonl ` | register | linearizable, sequential, saga | 1 |  |",
            "| ❌ error | ` broken.jsonl ` |  |  |  |  |",
            "| ✅ holds | ` good.jsonl ` | register | linearizable | 1 |  |",
        ]
    );
    assert!(text.starts_with("## anachron: ❌ something could not be read or judged\n"), "{text}");
    assert_eq!(text.matches("<details>").count(), 2);
    assert!(text.contains("\n```text\nstrict-serializable is required, and violated: G2-item\n```\n"), "{text}");
}

/// Goal: Markdown stays below the mebibyte that GitHub takes.
#[test]
fn markdown_is_not_too_long() {
    let text = rendered(&Report::new((0..3000).map(|_| skew_report()).collect()), Format::Markdown);
    assert!(text.len() < 1 << 20, "{} bytes", text.len());
    assert!(text.contains("more histories are left out here"));
}

/// Goal: a line of backticks in a witness does not end its block.
#[test]
fn markdown_blocks_can_not_be_closed_from_inside() {
    let (history, mut outcome) = write_skew();
    let long = "x".repeat(97);
    if let Some(witness) = &mut outcome.findings[0].witness {
        witness.text = format!("{long} ``` {long} ````` {long} [x](y)");
    }
    let report = HistoryReport::new(&HistoryResult {
        source: "a``b",
        workload: None,
        history: Some(&history),
        error: None,
        outcome: Some(&outcome),
        requirements: &[required(Guarantee::Serializable)],
        customary: false,
        cases: &[],
    });
    let text = rendered(&Report::new(vec![report]), Format::Markdown);
    assert!(text.lines().any(|line| line.trim() == "`````"), "the text has such a line:\n{text}");
    assert!(!outside_code(&text).contains("[x](y)"), "{text}");
}

/// Goal: no text of a history breaks out of a format, and no format lets one through that a terminal would obey.
#[test]
fn hostile_texts_stay_inside() {
    for round in 1..=40 {
        let report = hostile::report(round);
        for format in Format::ALL {
            let text = rendered(&report, format);
            let harmless = format == Format::Table || text.chars().all(|c| !hostile::harmful(c));
            assert!(harmless, "round {round}, {}", format.name());
            assert_eq!(text, rendered(&hostile::report(round), format));
        }
        check_junit(&rendered(&report, Format::Junit));
        check_sarif(&serde_json::from_str(&rendered(&report, Format::Sarif)).expect("JSON"));
        for line in rendered(&report, Format::Github).lines() {
            match command(line) {
                Some((name, properties, _)) => {
                    assert!(["error", "warning", "notice"].contains(&name.as_str()), "{line}");
                    let known = ["file", "line", "col", "title"];
                    assert!(properties.iter().all(|(name, _)| known.contains(&name.as_str())), "{line}");
                }
                None => assert!(line.starts_with("anachron: "), "{line}"),
            }
        }
        let prose = outside_code(&rendered(&report, Format::Markdown));
        for markup in ["@someone", "[x](y)", "👩", "word ", "&amp;", "::error"] {
            assert!(!prose.contains(markup), "round {round}: {markup} in {prose}");
        }
    }
}
