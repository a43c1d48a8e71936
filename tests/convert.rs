//! Goal: a history in another format is the same history, or the format is refused for what it can't hold.

use anachron::convert::{self, ConvertError, Format, Options};
use anachron::history::{History, Value};
use anachron::ingest::{self, Source, read};

fn history(text: &str) -> History {
    let source = Source::Bytes { name: "test".into(), bytes: text.into() };
    read(source, &ingest::Options::default()).unwrap_or_else(|error| panic!("{}\n{text}", error.message))
}

fn written(history: &History, options: &Options) -> Result<String, String> {
    let mut out = Vec::new();
    match convert::write(history, options, &mut out) {
        Ok(()) => Ok(String::from_utf8(out).expect("text")),
        Err(ConvertError::Unfit { message, help, .. }) => {
            assert!(!help.is_empty());
            Err(message)
        }
        Err(error) => panic!("{error}"),
    }
}

fn converted(history: &History, format: Format) -> Result<String, String> {
    written(history, &Options::new(format))
}

/// All that a history says to a check. What is null and what was left out are one where a format has no other way to say it.
fn said(history: &History, nulls: bool) -> String {
    let values = history.values();
    let json = |value: Value| match value {
        value if value.is_absent() => if nulls { "null" } else { "-" }.to_owned(),
        value => values.json(value, usize::MAX),
    };
    let mut out = format!("{}\n", json(history.header().fields));
    for op in history.ops() {
        let mops: Vec<String> =
            op.mops().iter().map(|mop| format!("{} {} {}", json(mop.f), json(mop.key), json(mop.value))).collect();
        out.push_str(&format!(
            "{} {} {} {:?} {} {}..{} {} -> {} {:?} {:?} {} {} {} {mops:?}\n",
            json(history.process_name(op.process())),
            json(op.session()),
            json(op.f()),
            op.status(),
            json(op.key()),
            op.began(),
            op.ended(),
            json(op.argument()),
            json(op.result()),
            op.invoked_time(),
            op.completed_time(),
            json(op.node()),
            json(op.version()),
            op.is_final(),
        ));
    }
    for seen in history.observations() {
        let process = json(history.process_name(seen.process));
        out.push_str(&format!("{} {process} {} {} {}\n", seen.position, json(seen.f), json(seen.value), seen.time));
    }
    out
}

/// A small generator of numbers, the same in every run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb) >> 7
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).expect("below a usize")
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn pick<'a>(&mut self, items: &[&'a str]) -> &'a str {
        items[self.below(items.len())]
    }

    /// A value of JSON.
    fn json(&mut self, depth: usize) -> String {
        const SCALARS: [&str; 16] = [
            "null",
            "true",
            "false",
            "0",
            "-7",
            "12",
            "1.5",
            "1e3",
            "-2.5E-3",
            "123456789012345678901234567890",
            "\"\"",
            "\"a b\"",
            "\":k\"",
            r#""\u00e9\ud83d\ude00\"\\\/\n\u0001""#,
            "\"nil\"",
            "\"#{;\"",
        ];
        match self.below(if depth == 0 { 3 } else { 5 }) {
            3 => {
                let items: Vec<String> = (0..self.below(4)).map(|_| self.json(depth - 1)).collect();
                format!("[{}]", items.join(self.pick(&[",", " , "])))
            }
            4 => {
                let names = ["\"a\"", "\"b c\"", "\"7\"", "\"\\n\"", "\"nil\""];
                let entries: Vec<String> =
                    names[..self.below(6)].iter().map(|name| format!("{name}:{}", self.json(depth - 1))).collect();
                format!("{{{}}}", entries.join(","))
            }
            _ => self.pick(&SCALARS).to_owned(),
        }
    }

    /// A history of JSON Lines; a plain one is one that Jepsen's text can hold.
    fn history(&mut self, plain: bool) -> String {
        let mut lines = Vec::new();
        if !plain && self.one_in(2) {
            lines.push(r#"{"history":{"workload":"register","initial":[1,{"a":null}]}}"#.to_owned());
        }
        // For each process, whether its operation in flight is a transaction.
        let mut open = [None; 4];
        for _ in 0..1 + self.below(30) {
            let process = self.below(5);
            let mut value = self.json(2);
            if process == 4 {
                lines.push(format!(r#"{{"type":"info","process":"nemesis","f":"kill","value":{value}}}"#));
                continue;
            }
            let kind = if open[process].is_some() { self.pick(&["ok", "fail", "info"]) } else { "invoke" };
            let is_txn = open[process].unwrap_or(self.one_in(3));
            open[process] = if open[process].is_some() { None } else { Some(is_txn) };
            if is_txn {
                value = format!(r#"[["append",{},{}],["r","k",{}]]"#, self.json(0), self.json(1), self.json(1));
            }
            let f = if is_txn { "txn" } else { "write" };
            let name = if process == 3 { "\"client-3\"".to_owned() } else { process.to_string() };
            let mut line = format!(r#"{{"type":"{kind}","process":{name},"f":"{f}""#);
            if !plain && !is_txn {
                line.push_str(&format!(r#","key":"k{process}""#));
            }
            line.push_str(&format!(r#","value":{value}"#));
            if kind == "info" && self.one_in(2) {
                line.push_str(r#","error":"a \"reason\"""#);
            }
            if !plain && self.one_in(2) {
                line.push_str(&format!(r#","time":{},"node":"n1","x y":{}"#, lines.len() * 7, self.json(2)));
            }
            if !plain && self.one_in(3) {
                line.push_str(&format!(r#","session":{},"version":{},"final":true"#, self.json(0), lines.len()));
            }
            lines.push(line + "}");
        }
        lines.join("\n") + "\n"
    }
}

/// Goal: whatever the two formats, the history is the same, and in JSON every field of every record has its own text.
#[test]
fn every_format_and_back() {
    let mut numbers = Numbers(1);
    for round in 0..150 {
        let plain = round % 2 == 0;
        let first = history(&numbers.history(plain));
        for format in [Format::Json, Format::JsonLines, Format::Edn] {
            let text = converted(&first, format).expect("holds any history");
            let second = history(&text);
            assert_eq!(said(&second, false), said(&first, false), "{text}");
            for back in [Format::Json, Format::JsonLines, Format::Edn] {
                let third = history(&converted(&second, back).expect("holds any history of JSON"));
                assert_eq!(said(&third, false), said(&first, false), "{text}");
            }
            if format != Format::Edn {
                for position in 0..first.records() {
                    assert_eq!(second.origin().json(position), first.origin().json(position));
                }
            }
        }
        if plain {
            let text = converted(&first, Format::Text).expect("holds a plain history");
            assert_eq!(said(&history(&text), true), said(&first, true), "{text}");
        }
    }
}

/// Goal: what JSON can't tell apart is refused, with the record's name for it; EDN holds it as it is.
#[test]
fn what_json_has_no_word_for() {
    let record = |value: &str| format!("{{:type :ok, :process 0, :f :read, :value {value}}}\n");
    for (value, what, near) in [
        ("#{1 2}", "a set", "[1,2]"),
        ("[1/2]", "a ratio or a decimal", r#"[["ratio","1/2"]]"#),
        ("{:a 1.50M}", "a ratio or a decimal", r#"{"a":["decimal","1.50"]}"#),
        ("##Inf", "a number that is not finite", "\"Infinity\""),
        ("{0 97}", "a map with a key that is no string", r#"{"0":97}"#),
        ("{[1] 97}", "a map with a key that is no string", r#"{"[1]":97}"#),
        ("#inst \"2024\"", "a tagged value", r#"["inst","2024"]"#),
    ] {
        let first = history(&record(value));
        let refused = converted(&first, Format::JsonLines).expect_err("not JSON");
        assert!(refused.contains(what), "{refused}");
        assert!(converted(&first, Format::Json).is_err() && converted(&first, Format::Text).is_err());
        let edn = converted(&first, Format::Edn).expect("EDN holds EDN");
        assert_eq!(edn, record(value));
        let lossy = Options { lossy: true, ..Options::new(Format::JsonLines) };
        let text = written(&first, &lossy).expect("as near as it can");
        assert!(text.contains(&format!("\"value\":{near}}}")), "{text}");
    }
    let fine = record("[:a nil \\c (1 2) {\"x\" :y}]");
    let text = converted(&history(&fine), Format::JsonLines).expect("JSON");
    assert_eq!(
        text,
        "{\"type\":\"ok\",\"process\":0,\"f\":\"read\",\"value\":[\"a\",null,\"c\",[1,2],{\"x\":\"y\"}]}\n"
    );
}

/// Goal: what Jepsen's text has no column for is refused; `lossy` leaves out what no check needs, and never a key.
#[test]
fn what_the_text_log_has_no_column_for() {
    let record = |fields: &str| history(&format!("{{\"type\":\"ok\",\"f\":\"read\",{fields}}}\n"));
    let lossy = Options { lossy: true, ..Options::new(Format::Text) };
    for (fields, what, lost) in [
        (r#""process":0,"time":5"#, "time", true),
        (r#""process":0,"node":"n1""#, "node", true),
        (r#""process":0,"key":"x""#, "key", false),
        (r#""process":"a b""#, "process", false),
        (r#""process":-1"#, "process", false),
        (r#""value":1"#, "process", false),
    ] {
        let refused = converted(&record(fields), Format::Text).expect_err("no column");
        assert!(refused.contains(what), "{refused}");
        assert_eq!(written(&record(fields), &lossy).is_ok(), lost, "{fields}");
    }
    let odd = history("{\"type\":\"ok\",\"process\":0,\"f\":\"my read\"}\n");
    assert!(converted(&odd, Format::Text).expect_err("two words").contains("my read"));
    let header = history("{\"history\":{\"initial\":0}}\n{\"type\":\"ok\",\"process\":0,\"f\":\"read\"}\n");
    assert!(converted(&header, Format::Text).expect_err("no header").contains("header"));
}

/// Goal: a record that can't be shown is refused, and not left out.
#[test]
fn nothing_is_left_out_in_silence() {
    let tags = "#a ".repeat(20_000);
    let first =
        history(&format!("{{:type :ok, :process 0, :f :read, :x {tags} 1}}\n{{:type :ok, :process 0, :f :read}}\n"));
    assert_eq!(first.records(), 2);
    assert!(converted(&first, Format::JsonLines).is_err());
    assert!(converted(&first, Format::Edn).expect("EDN holds EDN").contains("#a #a"));
}
