//! Mappings: what they say, what becomes of rows, and how both are refused.
use crate::history::{History, Status};
use crate::ingest::{InputError, Join, Mapping, Options, Source, read, read_joined};

fn options(map: &[&str], when: &[&str], skip: bool) -> Options {
    let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let mapping = Mapping::from_options(&owned(map), &owned(when), skip).expect("a mapping");
    Options { mapping: Some(mapping.into()), maps_all: true, ..Options::default() }
}

fn bytes(name: &str, text: &str) -> Source {
    Source::Bytes { name: name.to_owned(), bytes: text.into() }
}

fn log(text: &str, options: &Options) -> Result<History, InputError> {
    read(bytes("app.log", text), options)
}

/// Operations as `process f key argument -> result status`, in order of invocation.
fn shown(history: &History) -> Vec<String> {
    let values = history.values();
    let json = |value| values.json(value, 100);
    history
        .ops()
        .map(|op| {
            let process = json(history.process_name(op.process()));
            format!(
                "{process} {} {} {} -> {} {:?}",
                json(op.f()),
                json(op.key()),
                json(op.argument()),
                json(op.result()),
                op.status()
            )
        })
        .collect()
}

/// Goal: a log of start and end events, as a Go service writes it, is a history: nested paths, tables, dates, constants, and rows
/// of other kinds left out and counted.
#[test]
fn start_and_end_events() {
    let text = r#"{"level":"info","ts":"2026-03-01T09:30:00.001Z","msg":"op start","op":{"id":7,"name":"PUT"},"http.route":"x","val":1}
{"level":"debug","msg":"cache miss"}
{"level":"info","ts":"2026-03-01T09:30:00.004Z","msg":"op done","op":{"id":7,"name":"PUT"},"http.route":"x","val":1,"node":["n1","n2"]}
"#;
    let map = [
        "type=msg|op start=invoke,op done=ok",
        "process=op.id",
        "f=op.name|PUT=write,GET=read",
        "key=http.route",
        "value=val",
        "time=ts|rfc3339",
        "node=node.0",
    ];
    let history = log(text, &options(&map, &["level=info"], false)).expect("a history");
    assert_eq!(shown(&history), [r#"7 "write" "x" 1 -> 1 Ok"#]);
    let op = history.ops().next().expect("one");
    assert_eq!(op.completed_time().zip(op.invoked_time()).map(|(end, start)| end - start), Some(3_000_000));
    assert_eq!(history.values().as_str(op.node()), Some("n1"));
    assert_eq!((history.origin().left_out(), history.origin().line(1)), (1, Some(3)));
    let record = history.origin().json(1).expect("a record");
    assert!(
        record.starts_with(r#"{"process":7,"type":"ok","f":"write","key":"x""#)
            && record.contains(r#""row":{"level":"info""#),
        "{record}"
    );
}

/// Goal: a row a request, with its beginning and duration, is an operation; parts of values go to the record they belong to;
/// order is that of times, and not that of the rows, which is that of the ends.
#[test]
fn completed_requests() {
    let text = r#"{"t":1700000000.5,"ms":0.25,"client":"b","status":503,"path":"POST /pay","amount":5}
{"t":1700000000.0,"ms":900,"client":"a","status":201,"path":"POST /pay","amount":7,"id":"pay_1"}
{"t":1700000001.0,"ms":1,"client":"a","status":409,"path":"POST /pay","amount":7}
"#;
    let map = [
        "type=status|2xx=ok,409=fail,*=info",
        "process=client",
        "f=\"request\"",
        "start=t|s",
        "duration=ms|ms",
        "argument.scope=path",
        "argument.payload.amount=amount",
        "result.status=status",
        "result.response.id=id",
    ];
    let history = log(text, &options(&map, &[], false)).expect("a history");
    assert_eq!(
        shown(&history),
        [
            r#""a" "request" null {"payload":{"amount":7},"scope":"POST /pay"} -> {"response":{"id":"pay_1"},"status":201} Ok"#,
            r#""b" "request" null {"payload":{"amount":5},"scope":"POST /pay"} -> {"status":503} Info"#,
            r#""a" "request" null {"payload":{"amount":7},"scope":"POST /pay"} -> {"status":409} Fail"#,
        ]
    );
    let positions: Vec<_> = history.ops().map(|op| (op.invoked(), op.completed())).collect();
    assert_eq!(positions, [(Some(0), Some(3)), (Some(1), Some(2)), (Some(4), Some(5))]);
}

/// Goal: what ends in the millisecond in which something else begins does not come before it, even where one client's next
/// request begins in the millisecond in which its last one ended; its session keeps the order of its own.
#[test]
fn one_moment_is_no_order() {
    let text = r#"{"c":"p","s":0,"e":5,"v":1}
{"c":"q","s":0,"e":5,"v":2}
{"c":"p","s":5,"e":9,"v":3}
{"c":"q","s":5,"e":9,"v":4}
"#;
    let map = ["type=\"ok\"", "process=c", "f=\"write\"", "start=s|ms", "end=e|ms", "value=v"];
    let history = log(text, &options(&map, &[], false)).expect("a history");
    let ops: Vec<_> = history.ops().collect();
    assert_eq!(ops.len(), 4);
    for first in &ops[..2] {
        for second in &ops[2..] {
            assert!(first.ended() > second.began(), "{first:?} before {second:?}");
        }
    }
    assert_eq!(ops[2].session(), history.process_name(ops[0].process()), "the session is still p's");
    assert_ne!(ops[2].process(), ops[0].process());
    // A client that truly has two requests at once is no process: that is said, with the lines.
    let overlap = "{\"c\":\"p\",\"s\":0,\"e\":5,\"v\":1}\n{\"c\":\"p\",\"s\":3,\"e\":9,\"v\":3}\n";
    let error = log(overlap, &options(&map, &[], false)).expect_err("two at once");
    assert!(error.message.contains("line 1 of app.log") && error.line == Some(2), "{error:?}");
    // Without a process, each row is one of its own.
    let free = ["type=\"ok\"", "f=\"write\"", "start=s|ms", "end=e|ms", "value=v"];
    assert_eq!(log(overlap, &options(&free, &[], false)).expect("a history").len(), 2);
}

/// Goal: rows that lack something are refused with their line and what is missing, or left out by choice.
#[test]
fn rows_that_lack_something() {
    let map = ["type=kind", "process=who", "f=op", "value=v"];
    let good = r#"{"kind":"ok","who":1,"op":"read","v":1}"#;
    for (row, part) in [
        ("panic: runtime error", "no JSON object"),
        (r#"{"who":1,"op":"read"}"#, "nothing at `kind` that would be its `type`"),
        (r#"{"kind":"done","who":1,"op":"read"}"#, "its `type` is done"),
        (r#"{"kind":"ok","op":"read"}"#, "nothing at `who`"),
    ] {
        let text = format!("{good}\n\n{row}\n");
        let error = log(&text, &options(&map, &[], false)).expect_err(row);
        assert!(error.message.contains(part) && error.line == Some(3), "{error:?}");
        assert_eq!(log(&text, &options(&map, &[], true)).expect("a history").origin().left_out(), 1, "{row}");
    }
    assert!(
        log("nothing here\n", &options(&map, &[], true)).expect_err("no rows").message.contains("none of the 1 rows")
    );
    let error =
        log("{\"kind\":\"ok\",\"who\":[1],\"op\":\"read\"}", &options(&map, &[], true)).expect_err("no process");
    assert!(error.message.contains("`process` is neither"), "{error:?}");
    let dated = ["type=kind", "process=who", "f=op", "time=at"];
    let row = r#"{"kind":"ok","who":1,"op":"read","at":1.5}"#;
    assert!(log(row, &options(&dated, &[], false)).expect_err("no unit").message.contains("time=PATH|ms"));
}

/// Goal: an array of rows is a log, too, and the table of a contract says the same as the command line, with rules for rows of
/// several kinds.
#[test]
fn rules_of_a_contract() {
    let table: toml::Table = toml::from_str(
        r#"
unmapped = "skip"
time = "ts|ms"

[[rows]]
when = { msg = "request" }
type = { path = "status", values = { 2xx = "ok" }, default = "info" }
process = "req"
f = '"request"'
key = "idem"
argument.scope = "route"
result.status = "status"
end = "ts|ms"
duration = "took|ms"
time = { path = "ts", unit = "ms" }

[[rows]]
when = { msg = ["captured", "charged"] }
type = '"info"'
process = '"ledger"'
f = '"effect"'
key = "idem"
value.effect = "row"
"#,
    )
    .expect("TOML");
    let error = Mapping::from_table(&table).expect_err("time and duration");
    assert_eq!(error.at, ["rows", "0", "time"]);
    let text = toml::to_string(&table).expect("TOML").replace("[rows.time]\npath = \"ts\"\nunit = \"ms\"\n", "");
    let mut table: toml::Table = toml::from_str(&text).expect("TOML");
    table.remove("time");
    let rows = table["rows"].as_array_mut().expect("rules");
    rows[1].as_table_mut().expect("a rule").insert("time".into(), "ts|ms".into());
    let mapping = Mapping::from_table(&table).expect("a mapping");
    let options = Options { mapping: Some(mapping.into()), ..Options::default() };
    let text = r#"[{"msg":"charged","ts":7,"idem":"k","row":"r1"},
 {"msg":"request","ts":9,"took":4,"req":"q1","idem":"k","route":"POST /p","status":201},
 {"msg":"other"}]"#;
    let history = log(text, &options).expect("a history");
    assert_eq!(shown(&history), [r#""q1" "request" "k" {"scope":"POST /p"} -> {"status":201} Ok"#]);
    assert_eq!(history.observations().len(), 1);
    assert_eq!(
        (history.observations()[0].position, history.origin().line(1), history.origin().left_out()),
        (1, Some(1), 1)
    );
    // A history as it stands needs no mapping, and none of a contract is put on it.
    let native = r#"{"type":"ok","process":0,"f":"read","value":1}"#;
    assert_eq!(shown(&log(native, &options).expect("a history")).len(), 1);
}

/// Goal: what a mapping can't be is refused with what it should be.
#[test]
fn refuses_mappings() {
    for (map, part) in [
        (&["process=x"][..], "what the `type`"),
        (&["type"], "maps nothing"),
        (&["type="], "no source"),
        (&["kind=x"], "no field `kind`"),
        (&["type=x", "type=y"], "mapped twice"),
        (&["type=x|ms"], "has no unit"),
        (&["type=x", "time=t|parsecs"], "no unit `parsecs`"),
        (&["type=x", "start=t|ms"], "take two of"),
        (&["type=x", "start=t|ms", "end=u|ms", "duration=d|ms"], "take two of"),
        (&["type=x", "start=t", "end=u", "time=t"], "these rows have two"),
        (&["type=x", "value=v", "value.a=b"], "as a whole and in parts"),
        (&["type=x", "key.a=b"], "has no parts"),
    ] {
        let map: Vec<String> = map.iter().map(|text| (*text).to_owned()).collect();
        let error = Mapping::from_options(&map, &[], false).expect_err(part);
        assert!(error.message.contains(part) && !error.help.is_empty(), "{map:?}: {error:?}");
    }
}

/// Goal: files of one history are one history, by time or by index, each in its own order, in any of the formats; what has no
/// place is refused with its file.
#[test]
fn files_are_joined() {
    let a = r#"{"type":"invoke","process":0,"f":"write","value":1,"time":10,"index":0}
{"type":"ok","process":0,"f":"write","value":1,"time":30,"index":2}
"#;
    let b = "{:type :invoke, :process 1, :f :read, :value nil, :time 20, :index 1}\n{:type :ok, :process 1, :f :read, :value 1, :time 30, :index 3}\n";
    let sources = || vec![bytes("a.jsonl", a), bytes("b.edn", b)];
    for join in [Join::Time, Join::Index] {
        let history = read_joined(sources(), join, &Options::default()).expect("a history");
        assert_eq!(shown(&history), ["0 \"write\" null 1 -> 1 Ok", "1 \"read\" null null -> 1 Ok"]);
        let origin = history.origin();
        let places: Vec<_> = (0..4).map(|at| (origin.source(at), origin.line(at))).collect();
        let (a, b) = (Some("a.jsonl"), Some("b.edn"));
        assert_eq!(places, [(a, Some(1)), (b, Some(1)), (a, Some(2)), (b, Some(2))], "{join:?}");
    }
    // Of two that are of one moment, the one that begins comes first.
    let late = r#"{"type":"invoke","process":2,"f":"read","time":30}"#;
    let history =
        read_joined(vec![bytes("a", a), bytes("c", late)], Join::Time, &Options::default()).expect("a history");
    assert_eq!(history.ops().nth(1).map(|op| op.began()), Some(1));
    for (files, join, part) in [
        (
            vec![bytes("a", a), bytes("c", r#"{"type":"ok","process":2,"f":"read"}"#)],
            Join::Time,
            "c: this record has no `time`",
        ),
        (vec![bytes("a", a), bytes("c", late)], Join::Index, "c: this record has no `index`"),
        (vec![bytes("a", a), bytes("c", a)], Join::Index, "c: index 0 is in a, line 1, too"),
        (
            vec![
                bytes("a", a),
                bytes("c", "{\"history\":{\"initial\":0}}\n"),
                bytes("d", "{\"history\":{\"initial\":1}}\n"),
            ],
            Join::Time,
            "d: its header differs from that of c",
        ),
    ] {
        let error = read_joined(files, join, &Options::default()).expect_err(part);
        assert!(error.message.contains(part), "{error:?}");
    }
    let header = read_joined(
        vec![bytes("h", "{\"history\":{\"initial\":7}}\n"), bytes("a", a)],
        Join::Time,
        &Options::default(),
    );
    let header = header.expect("a history");
    assert_eq!(header.header_field("initial").and_then(|value| header.values().as_int(value)), Some(7));
    assert_eq!(header.ops().next().map(|op| op.status()), Some(Status::Ok));
}
