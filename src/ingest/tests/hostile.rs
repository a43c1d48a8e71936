//! Goal: any bytes give an answer: a history or an error, never a panic, never a guess.

use super::*;

const JSON: &str = r#"{"index":0,"time":5,"type":"invoke","process":0,"f":"txn","value":[["append",1,2],["r",1,null]],"error":{"a":[1,"\u00e9"]}}
{"index":1,"time":7,"type":"ok","process":0,"f":"txn","value":[["append",1,2],["r",1,[1,2]]],"node":"n1","final":true}
{"index":2,"type":"invoke","process":"a b","f":"write","key":"k\n","value":-1.5e3}
"#;

const EDN: &str = r#"{:index 0 :time 5, :type :invoke :process 0 :f :txn :value [[:append 1 2] [:r 1 nil]] :error {:a #{1 "\u00e9"}}}
#jepsen.history.Op{:index 1, :type :ok, :process 0, :f :txn, :value [[:append 1 2] [:r 1 (1 2)]] #_ :node :node "n1"}
; a comment
{:index 2 :type :invoke :process :a :f :write :key \k :value 1/2}
"#;

const LOG: &str = "INFO  jepsen.util - 0\t:invoke\t:read\tnil\n:nemesis\t:info\t:kill\t[\"n1\"]\n0\t:ok\t:read\t{:a #{1}}\n\
                   1 :invoke :txn [[:append 1 2]]\n1\t:info\t:txn\t[[:append 1 2]]\t:timeout\n0\t:fail\t:read\t:timed-out\n";

const OPERATIONS: &str = r#"{"client_id":1,"input":{"op":"get","key":"x"},"call":20,"output":{"value":"a"},"return":40}
{"ClientId":0,"Input":{"Op":"put","Key":"x","Value":"a\u00e9"},"Call":10,"Output":null,"Return":30,"Metadata":[1e3]}
{"client_id":1,"input":{"f":"get","key":"x"},"call":30,"output":{"unknown":true}}
"#;

/// Goal: a beginning of a file is an error, or the history of the records that are whole in it.
#[test]
fn every_beginning_of_a_file() {
    for text in [JSON, EDN] {
        let whole: Vec<usize> = text.match_indices("}\n").map(|(at, _)| at + 1).collect();
        let rows: Vec<&str> = text.lines().collect();
        for at in (0..text.len()).filter(|at| text.is_char_boundary(*at)) {
            let records = whole.iter().filter(|end| **end <= at).count();
            match history(&text[..at]) {
                // Nothing but white space, and what is no record, follows the last whole one.
                Ok(history) => {
                    assert_eq!(history.records() as usize, records, "{}", &text[..at]);
                    let rest = text[whole[records - 1]..at].trim();
                    assert!(rest.is_empty() || rest.starts_with(';'), "{rest}");
                }
                Err(error) => assert!(error.line.is_some() || records == 0, "{}", error.message),
            }
        }
        let list = format!("[{}]", rows.join(if text == JSON { "," } else { "\n" }));
        for at in (0..list.len()).filter(|at| list.is_char_boundary(*at)) {
            assert!(history(&list[..at]).is_err(), "{}", &list[..at]);
        }
        assert!(history(&list).is_ok());
    }
}

/// Goal: files with some bytes changed, and bytes without any sense, never end the process.
#[test]
fn any_bytes_give_an_answer() {
    let mut numbers = Numbers(4);
    let pieces: [&[u8]; 29] = [
        b"{",
        b"}",
        b"[",
        b"]",
        b"\"",
        b":",
        b",",
        b"#",
        b"#_",
        b"#{",
        b"\\",
        b"\n",
        b" ",
        b"\0",
        b"\xff",
        b"\xc3",
        b"-",
        b"1e",
        b"null",
        b"nil",
        b"\"type\":\"ok\"",
        b":type :ok ",
        b"{\"history\":",
        b";",
        b"\t:ok\t",
        b"0\t:invoke\t:read\tnil\n",
        b"\"call\":1,",
        b"\"input\":{\"op\":\"a\"},",
        b"\x1f\x8b\x08",
    ];
    let mut accepted = 0;
    for round in 0..1800 {
        let mut bytes: Vec<u8> = match round % 9 {
            0 => JSON.into(),
            1 => EDN.into(),
            2 => format!("[{}]", JSON.trim_end().replace('\n', ",\n")).into(),
            3 => LOG.into(),
            4 => OPERATIONS.into(),
            5 => format!("[{}]", OPERATIONS.trim_end().replace('\n', ",\n")).into(),
            6 => gzip(JSON.as_bytes()),
            7 => zstd::stream::encode_all(EDN.as_bytes(), 1).expect("memory"),
            _ => Vec::new(),
        };
        for _ in 0..numbers.below(4) + 1 {
            let at = numbers.below(bytes.len() + 1);
            match numbers.below(5) {
                0 if at < bytes.len() => bytes[at] = numbers.next().to_le_bytes()[0],
                1 => bytes.truncate(at),
                2 if at < bytes.len() => {
                    bytes.remove(at);
                }
                3 => {
                    let (from, to) = (numbers.below(bytes.len() + 1), numbers.below(bytes.len() + 1));
                    let copy = bytes[from.min(to)..from.max(to)].to_vec();
                    bytes.splice(at..at, copy);
                }
                _ => {
                    let piece = pieces[numbers.below(pieces.len())];
                    bytes.splice(at..at, piece.iter().copied());
                }
            }
        }
        if round % 9 == 8 {
            bytes = (0..numbers.below(40)).flat_map(|_| pieces[numbers.below(pieces.len())].to_vec()).collect();
        }
        // What was damaged before it was packed, too.
        if round % 10 == 0 {
            bytes = gzip(&bytes);
        }
        for format in std::iter::once(None).chain(Format::ALL.map(Some)) {
            if let Ok(history) = history_with(&bytes, &Options { format, ..Options::default() }) {
                accepted += 1;
                for position in 0..history.records() {
                    assert!(history.origin().line(position).is_some());
                    let json = history
                        .origin()
                        .json(position)
                        .unwrap_or_else(|| panic!("{position} of {}", String::from_utf8_lossy(&bytes)));
                    let parsed = serde_json::from_str::<serde_json::Value>(&json);
                    assert!(parsed.is_ok(), "{json} {parsed:?}");
                }
            }
        }
    }
    assert!(accepted > 100, "{accepted}");
}

/// Goal: an answer does not depend on where a text was cut for its threads.
#[test]
fn braces_in_strings_are_no_records() {
    let mut text = String::new();
    for i in 0..200 {
        text.push_str(&format!(
            "{{:type :invoke, :process {i}, :f :write, :value \"\n{{:type :ok\n{{:type :no {}\"}}\n",
            "x".repeat(i % 50)
        ));
    }
    let history = self::history(&text).expect("a history");
    assert_eq!((history.records(), history.len()), (200, 200));
    let nested = r#"{"type":"invoke","process":P,"f":"write","value":[{"type":"x"},{"type":"invoke","process":7}]}"#;
    let list: Vec<String> = (0..200).map(|i| nested.replace('P', &i.to_string())).collect();
    let history = self::history(&format!("[{}]", list.join(","))).expect("a history");
    assert_eq!(history.len(), 200);
    let torn = format!("[{},{{\"type\":]", list.join(","));
    assert!(self::history(&torn).is_err());
}

/// Goal: the same input gives the same history, with handles and all, whatever the threads.
#[test]
fn threads_change_nothing() {
    let line = |i: usize| format!(r#"{{"type":"invoke","process":{i},"f":"f{}","value":["v{}",{i}]}}"#, i % 7, i % 13);
    let text: Vec<String> = (0..500).map(line).collect();
    let text = text.join("\n");
    let raw = |history: &History| history.ops().map(|op| (op.f().raw(), op.argument().raw())).collect::<Vec<_>>();
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a pool");
    let expected = one.install(|| raw(&history(&text).expect("a history")));
    let four = rayon::ThreadPoolBuilder::new().num_threads(4).build().expect("a pool");
    for _ in 0..20 {
        assert_eq!(four.install(|| raw(&history(&text).expect("a history"))), expected);
    }
}
