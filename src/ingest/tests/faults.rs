//! Goal: what is no history is refused with its place, what was found, and what to do.

use super::*;

/// The error as `line:column message`, which has a help.
fn fault(text: &str) -> String {
    match history(text) {
        Ok(history) => panic!("{text} is a history: {}", dump(&history)),
        Err(error) => {
            assert!(!error.help.is_empty() && !error.help.ends_with('.'), "{}", error.help);
            let place = error.line.map_or(String::new(), |line| format!("{line}:{} ", error.column.unwrap_or(0)));
            format!("{place}{}", error.message)
        }
    }
}

const INVOKE: &str = r#"{"type":"invoke","process":0,"f":"write","value":1}"#;
const OK: &str = r#"{"type":"ok","process":0,"f":"write","value":1}"#;

#[test]
fn faults_of_the_text() {
    let cases = [
        (String::new(), "the file is empty"),
        (" \n\t\n".into(), "the file is empty"),
        ("\u{feff}".into(), "the file is empty"),
        ("[]".into(), "the file holds no records"),
        (r#"{"history":[]}"#.into(), "the file holds no records"),
        (r#"{"history":{"initial":1}}"#.into(), "the file holds no records"),
        ("; only a comment".into(), "the file holds no records"),
        ("hello".into(), "1:1 this is no format that anachron knows"),
        ("\0\0\0".into(), "1:1 this is no format that anachron knows"),
        (format!("{INVOKE}\n{OK}\n\0\0"), "3:1 found a NUL byte"),
        (format!("{INVOKE}\n{}", &OK[..20]), "2:21 the file ends in the middle of a record: it is cut off"),
        (format!("{INVOKE}\n{}\n{OK}", &OK[..12]), "2:13 this record is not complete at the end of its line"),
        (format!("{INVOKE}\n{}\n{OK}", &OK[..10]), "2:11 expected the rest of a string, and found the end of the line"),
        (format!("{INVOKE} x"), "1:53 expected a value, and found `x`"),
        (format!("[{INVOKE},{OK}"), "1:101 the file ends in the middle of a record: it is cut off"),
        (format!("[{INVOKE},\n]"), "2:1 expected another record after the comma, and found `]`"),
        (format!("[{INVOKE}] {INVOKE}"), "1:55 expected the end of the file, and found `{`"),
        (format!("[{INVOKE} {OK}]"), "1:54 expected `,` or `]`, and found `{`"),
        (
            format!("[{INVOKE}, 5]"),
            "1:55 this is no record: a record is an object with `type`, `process`, `f` and `value`",
        ),
        ("5".into(), "1:1 this is no record: a record is an object with `type`, `process`, `f` and `value`"),
        ("{:type :invoke, :process 0".into(), "1:27 the file ends in the middle of a record: it is cut off"),
        ("[{:type :invoke, :process 0}".into(), "1:29 the file ends in the middle of a record: it is cut off"),
        ("{'type':'ok'}".into(), "1:2 expected a name in double quotes, and found `'`"),
        (r#"{"type":"ok","process":0,"value":NaN}"#.into(), "1:34 expected a value, and found `N`"),
    ];
    for (text, expected) in cases {
        assert_eq!(fault(&text), expected, "{text}");
    }
}

#[test]
fn faults_of_a_record() {
    let cases = [
        (r#"{"process":0,"f":"read"}"#, "1:1 this record has no `type`, only `process`, `f`"),
        (r#"{"type":"done","process":0}"#, "1:9 the type `done` is none of `invoke`, `ok`, `fail` and `info`"),
        (
            r#"{"type":"something-strange","process":0}"#,
            "1:9 the type `something-strange` is none of `invoke`, `ok`, `fail` and `info`",
        ),
        (r#"{"type":5,"process":0}"#, "1:9 `type` is no string"),
        (r#"{"type":"ok","process":0,"f":1}"#, "1:30 `f` is no string"),
        (r#"{"type":"ok","process":1.5}"#, "1:24 `process` is neither an integer nor a string"),
        (r#"{"type":"ok","process":[0]}"#, "1:24 `process` is neither an integer nor a string"),
        (r#"{"type":"ok","process":0,"time":0.25}"#, "1:33 `time` is not a whole number"),
        (r#"{"type":"ok","process":0,"time":"now"}"#, "1:33 `time` is no integer"),
        (r#"{"type":"ok","process":0,"index": "1"}"#, "1:35 `index` is no integer"),
        (r#"{"type":"ok","process":0,"index":99999999999999999999}"#, "1:34 `index` is beyond 64 bits"),
        (r#"{"type":"ok","process":0,"version":"v1"}"#, "1:36 `version` is no integer"),
        (r#"{"type":"ok","process":0,"final":1}"#, "1:34 `final` is neither true nor false"),
        (r#"{"type":"ok","process":0, "type":"ok"}"#, "1:27 this record has the field `type` twice"),
        ("{:type :ok, :process 0, :f :read,\n :f :read}", "2:2 this record has the field `f` twice"),
        (r#"{"type":"ok","process":0,"value":{"a":1,"a":2}}"#, "1:35 the key \"a\" occurs twice in this map"),
    ];
    for (text, expected) in cases {
        assert_eq!(fault(text), expected, "{text}");
    }
}

#[test]
fn faults_between_records() {
    let cases = [
        (
            format!("{INVOKE}\n{INVOKE}"),
            "2:1 process 0 invokes an operation while its last one has no completion (the other record is on line 1)",
        ),
        (
            format!("[{INVOKE},\n{}]", r#"{"type":"ok","process":0,"f":"read","value":1}"#),
            "2:1 this completion has `f` \"read\", and its invocation \"write\" (the other record is on line 1)",
        ),
        (
            r#"{"type":"invoke","process":0,"index":5}
               {"type":"ok","process":0,"index":5}"#
                .into(),
            "2:16 index 5 comes after index 5 (the other record is on line 1)",
        ),
        (
            r#"{"type":"invoke","process":0,"value":[["r",1,null]]}
{"type":"ok","process":0}"#
                .into(),
            "2:1 this transaction is `ok`, and does not say what its micro-operations returned (the other record is on line 1)",
        ),
        (
            r#"{"type":"invoke","process":0,"f":"read","value":[1,null]}
{"type":"ok","process":0,"f":"read","value":[1,2]}
{"type":"invoke","process":1,"f":"write","value":3}"#
                .into(),
            "3:1 the value 3 is no [key, value] tuple, where other records have tuples",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(fault(&text), expected, "{text}");
    }
}

/// Goal: what is no UTF-8 is refused where it is, but after the faults before it.
#[test]
fn bytes_that_are_no_text() {
    let mut bytes = format!("{INVOKE}\n{OK}\n").repeat(20).into_bytes();
    let end = bytes.len();
    bytes.extend_from_slice(b"{\"type\":\"ok\",\"process\":\"\xff\"}\n");
    let error = history_with(&bytes, &Options::default()).expect_err("no UTF-8");
    assert_eq!((error.line, error.column, &*error.message), (Some(41), Some(25), "found bytes that are no UTF-8"));
    bytes[end - 10] = b'"';
    let error = history_with(&bytes, &Options::default()).expect_err("a fault before");
    assert_eq!(error.line, Some(40), "{}", error.message);
    let error = history_with(&[0xff, 0xfe, b'{', 0], &Options::default()).expect_err("UTF-16");
    assert_eq!(error.message, "the file is UTF-16");
    let latin: Vec<u8> = INVOKE.replace("write", "wr\u{1}te").bytes().map(|b| if b == 1 { 0xe9 } else { b }).collect();
    assert!(history_with(&latin, &Options::default()).is_err());
}

/// Goal: what is read from outside is bounded, and damage in compressed input is found.
#[test]
fn bounds_and_damage() {
    let line = format!("{INVOKE}\n{OK}\n");
    let text = line.repeat(500);
    let packed = gzip(text.as_bytes());
    assert_eq!(history_with(&packed, &Options::default()).expect("a history").records(), 1000);
    let limited = |bytes: &[u8], limit: u64| {
        history_with(bytes, &Options { max_memory: Some(limit), ..Options::default() })
            .map(|_| ())
            .map_err(|error| error.message)
    };
    assert_eq!(limited(&packed, 10_000), Err("the input is larger than the memory limit of 10 kB".into()));
    assert_eq!(limited(text.as_bytes(), 10_000), Err("the history needs more than the memory limit of 10 kB".into()));
    assert_eq!(limited(&packed, 1 << 20), Ok(()));
    for cut in [packed.len() - 1, packed.len() / 2, 20, 3] {
        let error = history_with(&packed[..cut], &Options::default()).expect_err("cut off");
        assert!(error.message.contains("cut off"), "{}", error.message);
    }
    let mut damaged = packed;
    let middle = damaged.len() / 2;
    damaged[middle] ^= 0x55;
    assert!(history_with(&damaged, &Options::default()).is_err());
    let zstd = zstd::stream::encode_all(text.as_bytes(), 1).expect("memory");
    assert_eq!(history_with(&zstd, &Options::default()).expect("a history").records(), 1000);
    let error = history_with(&zstd[..zstd.len() - 3], &Options::default()).expect_err("cut off");
    assert!(error.message.contains("cut off"), "{}", error.message);
}

/// Goal: what can't be opened says why.
#[test]
fn sources_that_cannot_be_read() {
    let missing = read(Source::File("no/such/file".into()), &Options::default()).expect_err("missing");
    assert!(missing.message.starts_with("can't be read: ") && missing.help.starts_with("check the path"));
    let folder = read(Source::File("src".into()), &Options::default()).expect_err("a folder");
    assert_eq!(folder.message, "this is a directory");
    let options = Options { header: vec![("initial".into(), "nope".into())], ..Options::default() };
    let error = history_with(INVOKE.as_bytes(), &options).expect_err("no JSON");
    assert!(error.message.starts_with("the value given for `initial` is no JSON: "), "{}", error.message);
    let error = history(&format!("{}\n{INVOKE}", r#"{"history":{"independent":"yes"}}"#)).expect_err("no boolean");
    assert_eq!(error.message, "`independent` in the header is \"yes\"");
}
