//! Goal: Porcupine's operations are the history that Porcupine would judge.

use super::*;

fn shown(text: &str) -> Vec<String> {
    let history = history(text).unwrap_or_else(|error| panic!("{}", error.message));
    let json = |value: Value| if value.is_absent() { "-".to_owned() } else { history.values().json(value, 99) };
    let row = |op: crate::history::Operation<'_>| {
        format!(
            "{} {} {} {} -> {} {:?} {}..{}",
            json(history.process_name(op.process())),
            json(op.f()),
            json(op.key()),
            json(op.argument()),
            json(op.result()),
            op.status(),
            op.began(),
            if op.ended() == History::NO_POSITION { "-".to_owned() } else { op.ended().to_string() }
        )
    };
    history.ops().map(row).collect()
}

/// Goal: names in any case, results bare or in an object; records follow the clock, whatever the order of the file.
#[test]
fn operations_become_records() {
    let lines = r#"{"client_id":1,"input":{"op":"get","key":"x"},"call":20,"output":{"value":"a"},"return":40}
{"ClientId":0,"Input":{"Op":"put","Key":"x","Value":"a"},"Call":10,"Output":{},"Return":30,"Metadata":{"n":[1]}}
{"clientId":"c","input":{"f":"append","key":"x","value":"b"},"call":25,"output":null}
{"client_id":1,"input":{"f":"get","key":"x"},"call":50,"output":{"unknown":true,"value":""},"return":60}"#;
    let expected = [
        r#"0 "put" "x" "a" -> null Ok 0..3"#,
        r#"1 "get" "x" null -> "a" Ok 1..4"#,
        r#""c" "append" "x" "b" -> - Info 2..-"#,
        r#"1 "get" "x" null -> - Info 5..-"#,
    ];
    assert_eq!(shown(lines), expected);
    let list = format!(" [\n{}\n]\n", lines.replace('\n', ",\n"));
    assert_eq!(shown(&list), expected);
    let history = history(&list).expect("a history");
    assert_eq!(
        (history.origin().line(0), history.origin().line(3), history.origin().line(4)),
        (Some(3), Some(3), Some(2))
    );
    let json = |position| history.origin().json(position).unwrap_or_default();
    assert_eq!(
        json(0),
        r#"{"type":"invoke","process":0,"f":"put","key":"x","value":"a","time":10,"Metadata":{"n":[1]}}"#
    );
    assert_eq!(json(3), r#"{"type":"ok","process":0,"f":"put","key":"x","value":null,"time":30}"#);
    assert_eq!(history.origin().json(history.records()), None);
}

/// Goal: intervals are closed, and a client with several operations in flight is several processes.
#[test]
fn what_touches_is_concurrent() {
    let op = |call: i64, end: i64| {
        format!(
            r#"{{"client_id":0,"input":{{"op":"write","value":{call}}},"call":{call},"output":null,"return":{end}}}"#
        )
    };
    let text = [op(0, 5), op(5, 9), op(6, 7), op(10, 11)].join("\n");
    assert_eq!(
        shown(&text),
        [
            r#"0 "write" - 0 -> null Ok 0..2"#,
            r#""0#2" "write" - 5 -> null Ok 1..5"#,
            r#"0 "write" - 6 -> null Ok 3..4"#,
            r#"0 "write" - 10 -> null Ok 6..7"#,
        ]
    );
}

/// Goal: what is no operation says where, and what one is.
#[test]
fn what_is_no_operation() {
    let cases = [
        (r#"{"input":{"op":1},"call":1,"return":2}"#, "1:1 the function of the `input` is no string"),
        (r#"{"input":{"key":1},"call":1,"return":2}"#, "1:1 the `input` names no function"),
        (r#"{"input":{"op":"a"},"call":1.5,"return":2}"#, "1:1 `call` is no whole number of 64 bits"),
        (r#"{"input":{"op":"a"},"call":3,"return":2}"#, "1:1 this operation returned before it was called"),
        (r#"{"input":3,"call":1,"return":2}"#, "1:1 `input` is no object"),
        (r#"{"input":{"op":"a"},"call":1,"Call":2}"#, "1:1 this operation has the field `call` twice"),
        (r#"{"client_id":[1],"input":{"op":"a"},"call":1}"#, "1:1 this operation can't be read: `process` is neither"),
        ("[{\"input\":{\"op\":\"a\"},\"call\":1},\n5]", "2:1 this is no operation"),
        ("[{\"input\":{\"op\":\"a\"},\"call\":1},\n{\"in", "2:5 the file ends in the middle of a record"),
        ("[{\"input\":{\"op\":\"a\"},\"call\":1}", "1:31 the file ends in the middle of a record"),
    ];
    for (text, expected) in cases {
        let error = history(text).expect_err("no history");
        let found = format!("{}:{} {}", error.line.unwrap_or(0), error.column.unwrap_or(0), error.message);
        assert!(found.starts_with(expected) && !error.help.is_empty(), "{found}");
    }
}
