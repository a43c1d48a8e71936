use std::io::Write as _;

use super::*;
use crate::history::Status;

mod faults;
mod hostile;
mod limits;
mod operations;
mod round_trip;
mod scanners;
mod store;

/// A history in memory.
fn history(text: &str) -> Result<History, InputError> {
    history_with(text.as_bytes(), &Options::default())
}

fn history_with(bytes: &[u8], options: &Options) -> Result<History, InputError> {
    read(Source::Bytes { name: "test".into(), bytes: bytes.into() }, options)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

/// All that a history says, as text.
fn dump(history: &History) -> String {
    let values = history.values();
    let json = |value: Value| if value.is_absent() { "-".to_owned() } else { values.json(value, usize::MAX) };
    let mut out = format!("header {} records {}\n", json(history.header().fields), history.records());
    for op in history.ops() {
        let mops: Vec<String> =
            op.mops().iter().map(|mop| format!("{} {} {}", json(mop.f), json(mop.key), json(mop.value))).collect();
        out.push_str(&format!(
            "{:?} {} {} {} {:?} {} {}..{:?} {} -> {} {:?}..{:?} {} {} {} {:?}\n",
            op.id,
            json(history.process_name(op.process())),
            json(op.session()),
            json(op.f()),
            op.status(),
            json(op.key()),
            op.began(),
            Some(op.position()),
            json(op.argument()),
            json(op.result()),
            op.invoked_time(),
            op.completed_time(),
            json(op.node()),
            json(op.version()),
            op.is_final(),
            mops
        ));
    }
    for seen in history.observations() {
        out.push_str(&format!(
            "{} {} {} {} {} {} {}\n",
            seen.position,
            json(history.process_name(seen.process)),
            json(seen.f),
            json(seen.key),
            json(seen.value),
            seen.time,
            json(seen.node)
        ));
    }
    out
}

/// A small generator of numbers, the same in every run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).expect("below a usize")
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
}

/// Goal: the records of one client pair up, and a transaction's results are those of its completion.
#[test]
fn records_become_operations() {
    let text = r#"{"type":"invoke","process":0,"f":"txn","value":[["append",1,2],["r",1,null]]}
{"type":"info","process":"nemesis","f":"kill","value":"n1"}
{"type":"ok","process":0,"f":"txn","value":[["append",1,2],["r",1,[2]]]}
{"type":"invoke","process":0,"f":"txn","value":[["r",1,null]]}"#;
    let history = history(text).expect("a history");
    assert_eq!((history.len(), history.observations().len(), history.records()), (2, 1, 4));
    let op = history.ops().next().expect("an operation");
    assert_eq!((op.began(), op.ended(), op.mops().len()), (0, 2, 2));
    assert_eq!(history.values().json(op.mops()[1].value, 100), "[2]");
    assert_eq!(history.ops().nth(1).map(|op| (op.began(), op.ended())), Some((3, History::NO_POSITION)));
}

/// Goal: a header is no record, the options override its fields, and a document's other fields say nothing.
#[test]
fn headers_and_documents() {
    let record = r#"{"type":"invoke","process":0,"f":"write","value":1}"#;
    let header = r#"{"history": {"workload": "register", "initial": 5}}"#;
    let options =
        Options { header: vec![("initial".into(), "[1]".into()), ("x".into(), "null".into())], ..Options::default() };
    let expected = r#"{"initial":[1],"workload":"register","x":null}"#;
    for text in
        [format!("{header}\n{record}"), format!("[{header},{record}]"), format!("[\n{header}\n,\n{record}\n]\n")]
    {
        let history = history_with(text.as_bytes(), &options).expect("a history");
        assert_eq!((history.records(), history.len()), (1, 1), "{text}");
        assert_eq!(history.values().json(history.header().fields, 1000), expected);
        assert_eq!(history.origin().json(0).as_deref(), Some(record));
    }
    let edn = "{:history {:workload :register, :initial 5}}\n{:type :invoke, :process 0, :f :write, :value 1}";
    let history = history_with(edn.as_bytes(), &options).expect("a history");
    assert_eq!(history.values().json(history.header().fields, 1000), expected);
    let document = format!(r#"{{"initial": 7, "expect": {{"x": [1]}}, "history": [{record}], "after": [[]]}} "#);
    let history = self::history(&document).expect("a history");
    assert_eq!((history.records(), history.header().fields), (1, Value::ABSENT));
    assert_eq!(
        self::history(&format!("{document} 1")).expect_err("garbage").message,
        "expected the end of the file, and found `1`"
    );
}

/// Goal: a field that follows the value decides what the value is, and functions keep their names with or without a colon.
#[test]
fn the_function_may_follow_the_value() {
    let text = r#"{"value":[["r",1,null]],"type":"invoke","process":0,"f":"read"}
{"value":[["r",1,[2]]],"type":"ok","process":0,"f":"read"}
{"value":[["r",1,null]],"type":"invoke","process":0,"f":"txn"}
{"value":[["r",1,[2]],[":append",1,2,3,4],["x"]],"type":"ok","process":0,"f":":txn"}
{"value":[["r",1,null]],"type":"invoke","process":0}
{"value":[["r",1,null],5],"type":"invoke","process":1,"f":"txn"}"#;
    let history = history(text).expect("a history");
    let shown = dump(&history);
    let shown: Vec<&str> = shown.lines().skip(1).filter_map(|line| Some(line.split_once("..Some(")?.1)).collect();
    assert_eq!(
        shown,
        [
            r#"1) [["r",1,null]] -> [["r",1,[2]]] None..None - - false []"#,
            r#"3) - -> - None..None - - false ["\"r\" 1 [2]", "\"append\" 1 [2,3,4]", "\"x\" - -"]"#,
            r#"4) - -> - None..None - - false ["\"r\" 1 null"]"#,
            r#"5) [["r",1,null],5] -> - None..None - - false []"#,
        ]
    );
}

/// Goal: records without a process are paired where that leaves no choice, and only there.
#[test]
fn records_without_a_process() {
    let alone = r#"{"type":"invoke","f":"read"} {"type":"invoke","f":"write","value":1} {"type":"ok","f":"write","value":1}
        {"type":"ok","f":"read","value":1} {"type":"invoke","f":"read"}"#;
    let history = history(alone).expect("a history");
    assert_eq!(
        history.ops().map(|op| (op.began(), op.ended())).collect::<Vec<_>>(),
        [(0, 3), (1, 2), (4, History::NO_POSITION)]
    );
    assert_eq!(history.processes(), 3);
    let completions = r#"{"type":"ok","f":"read","value":1} {"type":"ok","f":"read","value":2}"#;
    assert_eq!(self::history(completions).expect("a history").ops().map(|op| op.began()).collect::<Vec<_>>(), [0, 0]);
    let two = r#"{"type":"invoke","f":"read"} {"type":"invoke","f":"read"}"#;
    assert!(self::history(two).is_err());
    let mixed = r#"{"type":"invoke","f":"read","process":0} {"type":"ok","f":"read"}"#;
    assert!(self::history(mixed).is_err());
}

/// Goal: histories as they are in the wild keep their meaning.
#[test]
fn untidy_histories() {
    let text = r#"{"type":"ok","process":"1","f":"read","value":9,"time":-1}
{"type":"info","process":"nemesis","f":"kill","time":3}
{"type":"invoke","process":1,"f":"write","value":1,"time":4}
{"type":"info","process":1,"f":"write","error":"timeout","time":null}
{"type":"invoke","process":1,"f":"read"}
{"type":"ok","process":1,"value":1}
{"type":"ok","process":1,"f":"read","value":2}
{"type":"info","process":"nemesis","f":"start","value":["n1"],"node":"n1"}
{"type":"invoke","process":2,"f":"write","value":3}"#;
    let history = history(text).expect("a history");
    let ops: Vec<_> = history
        .ops()
        .map(|op| (history.values().json(op.f(), 9), op.status(), op.began(), op.ended(), op.invoked_time()))
        .collect();
    let (read, write, none) = ("\"read\"", "\"write\"", History::NO_POSITION);
    let expected = [
        // A completion alone began at any time since its process's record before it. "1" is not 1.
        (read, Status::Ok, 0, 0, None),
        (write, Status::Info, 2, none, Some(4)),
        // The process goes on after an operation whose outcome it does not know.
        (read, Status::Ok, 4, 5, None),
        (read, Status::Ok, 6, 6, None),
        (write, Status::Info, 8, none, None),
    ];
    assert_eq!(ops, expected.map(|(f, status, began, ended, time)| (f.to_owned(), status, began, ended, time)));
    assert_eq!(history.ops().next().and_then(|op| op.completed_time()), None);
    let seen: Vec<_> = history.observations().iter().map(|seen| (seen.position, seen.time)).collect();
    assert_eq!(seen, [(1, 3), (7, History::NO_TIME)]);
}

/// Goal: independent tuples are taken apart where the reads show them, or where one says so; transactions in them, too.
#[test]
fn independent_tuples() {
    let text = r#"{"type":"invoke","process":0,"f":"read","value":["x",null]}
{"type":"ok","process":0,"f":"read","value":["x",[1,2]]}
{"type":"info","process":"nemesis","f":"kill","value":5}
{"type":"invoke","process":0,"f":"txn","value":[7,[["r",1,null],["w",1,2,3]]]}"#;
    let shown = |history: &History| dump(history).lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
    let apart = shown(&history(text).expect("a history"));
    assert!(apart[0].contains(r#" "x" 0..Some(1) null -> [1,2] "#), "{apart:?}");
    assert!(
        apart[1].contains(r#" 7 3..Some(3) - -> - "#) && apart[1].contains(r#"["\"r\" 1 null", "\"w\" 1 [2,3]"]"#),
        "{apart:?}"
    );
    let options = Options { independent: Some(false), ..Options::default() };
    let whole = shown(&history_with(text.as_bytes(), &options).expect("a history"));
    assert!(whole[0].contains(r#" - 0..Some(1) ["x",null] -> ["x",[1,2]] "#), "{whole:?}");
    let cas = r#"{"type":"invoke","process":0,"f":"cas","value":[1,2]}"#;
    assert!(shown(&history(cas).expect("a history"))[0].contains(" - 0..Some(0) [1,2] -> - "));
    let told = format!("{}\n{cas}", r#"{"history":{"independent":true}}"#);
    assert!(shown(&history(&told).expect("a history"))[0].contains(" 1 0..Some(0) 2 -> - "));
}

/// Goal: Jepsen's text is a history: rows after any prefix, other lines passed over, errors in the place of values.
#[test]
fn jepsen_logs() {
    let log = "2023-05-05 10:00:00,123{GMT}\tINFO\t[main] jepsen.core: Running test\n\
        INFO  jepsen.util - 0\t:invoke\t:write\t[1 \"a b\"]\n\
        \tat clojure.lang.AFn.run(AFn.java:22)\n\
        INFO  jepsen.util - 1\t:invoke\t:read\tnil\r\n\
        2023-05-05 10:00:00,124{GMT}\tINFO\t[jepsen worker 0] jepsen.util: 0\t:info\t:write\t:timed-out\n\
        :nemesis\t:info\t:start\tnil\n\
        1\t:fail\t:read\tnil\t[:timeout \"x\"]\n\
        INFO  jepsen.util - 0   :invoke :cas    [1 2]\n0\t:ok\t:cas\t[1 2]\n";
    let history = history(log).expect("a history");
    let json = |position| history.origin().json(position);
    assert_eq!((history.len(), history.records(), history.observations().len()), (3, 7, 1));
    assert_eq!(history.ops().map(|op| op.status()).collect::<Vec<_>>(), [Status::Info, Status::Fail, Status::Ok]);
    assert_eq!(json(0).as_deref(), Some(r#"{"process":0,"type":"invoke","f":"write","value":[1,"a b"]}"#));
    assert_eq!(
        json(2).as_deref(),
        Some(r#"{"process":0,"type":"info","f":"write","value":null,"error":":timed-out"}"#)
    );
    assert_eq!(
        json(4).as_deref(),
        Some(r#"{"process":1,"type":"fail","f":"read","value":null,"error":"[:timeout \"x\"]"}"#)
    );
    assert_eq!((history.origin().line(4), json(7)), (Some(7), None));
    let message = |text: &str| self::history(text).map_err(|error| (error.line, error.message)).expect_err("an error");
    let cut = message("0\t:invoke\t:write\t1\n0\t:ok\t:write\t1");
    assert_eq!(cut, (Some(2), "the file ends in the middle of a record: it is cut off".into()));
    assert!(message("0\t:invoke\t:write\t1\n0\t:o\n").1.starts_with("this line is no operation"));
    assert!(message("0\t:invoke\t:write\t[1\n").1.starts_with("this operation can't be read: "));
}
