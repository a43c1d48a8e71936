//! Goal: one history in any of its forms is one history.

use super::*;

/// A value to be written in either syntax.
enum Datum {
    Null,
    Bool(bool),
    Int(i64),
    Big(String),
    Float(f64),
    Text(String),
    List(Vec<Datum>),
    Map(Vec<(String, Datum)>),
}

impl Datum {
    fn random(numbers: &mut Numbers, depth: usize) -> Datum {
        match numbers.below(if depth == 0 { 7 } else { 10 }) {
            0 => Datum::Null,
            1 => Datum::Bool(numbers.one_in(2)),
            2 => Datum::Int(numbers.below(20) as i64 - 5),
            3 => Datum::Int(numbers.next() as i64),
            4 => Datum::Big(format!("-{}{}", numbers.next() | 1 << 63, numbers.next())),
            5 => Datum::Float(numbers.below(1000) as f64 / 8.0),
            6 => Datum::Text(["a", "longer than eight", "\"\\\n\t", "é😀", "", ":x"][numbers.below(6)].to_owned()),
            7 | 8 => Datum::List((0..numbers.below(4)).map(|_| Datum::random(numbers, depth - 1)).collect()),
            _ => Datum::Map(
                ["k", "l m", "n"]
                    .iter()
                    .take(numbers.below(4))
                    .map(|key| ((*key).to_owned(), Datum::random(numbers, depth - 1)))
                    .collect(),
            ),
        }
    }

    fn write(&self, edn: bool, out: &mut String) {
        let space = if edn { " " } else { "," };
        match self {
            Datum::Null => out.push_str(if edn { "nil" } else { "null" }),
            Datum::Bool(value) => out.push_str(&value.to_string()),
            Datum::Int(int) => out.push_str(&int.to_string()),
            Datum::Big(digits) => out.push_str(&format!("{digits}{}", if edn { "N" } else { "" })),
            Datum::Float(float) => out.push_str(&format!("{float:?}")),
            Datum::Text(text) if edn && text == "a" => out.push_str(":a"),
            Datum::Text(text) => crate::history::escape_json(text, out),
            Datum::List(items) => {
                out.push('[');
                for (i, item) in items.iter().enumerate() {
                    out.push_str(if i > 0 { space } else { "" });
                    item.write(edn, out);
                }
                out.push(']');
            }
            Datum::Map(entries) => {
                out.push('{');
                for (i, (key, value)) in entries.iter().enumerate() {
                    out.push_str(if i > 0 { ", " } else { "" });
                    crate::history::escape_json(key, out);
                    out.push_str(if edn { " " } else { ":" });
                    value.write(edn, out);
                }
                out.push('}');
            }
        }
    }
}

/// Records as their fields, in order.
fn records(numbers: &mut Numbers) -> Vec<Vec<(&'static str, Datum)>> {
    let text = |text: &str| Datum::Text(text.to_owned());
    let mut records = Vec::new();
    let (mut open, mut lists) = ([None, None, None, None], vec![Vec::new(); 3]);
    let with_extras = numbers.one_in(2);
    for index in 0..numbers.below(60) + 1 {
        let process = numbers.below(5);
        if process == 4 {
            let value = Datum::random(numbers, 2);
            records.push(vec![
                ("type", text("info")),
                ("process", text("nemesis")),
                ("f", text("kill")),
                ("value", value),
            ]);
            continue;
        }
        let is_txn = open[process].unwrap_or(numbers.one_in(2));
        let kind = if open[process].is_some() { ["ok", "fail", "info"][numbers.below(3)] } else { "invoke" };
        open[process] = if open[process].is_some() { None } else { Some(is_txn) };
        let value = if is_txn {
            let mops = (0..numbers.below(3) + 1).map(|_| {
                let key = numbers.below(3);
                if numbers.one_in(2) {
                    let next = lists[key].len() as i64 * 7;
                    lists[key].push(next);
                    Datum::List(vec![text("append"), Datum::Int(key as i64), Datum::Int(lists[key].len() as i64)])
                } else {
                    let seen = numbers.below(lists[key].len() + 1);
                    let list = lists[key][..seen].iter().map(|int| Datum::Int(*int)).collect();
                    Datum::List(vec![
                        text("r"),
                        Datum::Int(key as i64),
                        if kind == "ok" { Datum::List(list) } else { Datum::Null },
                    ])
                }
            });
            Datum::List(mops.collect())
        } else {
            Datum::random(numbers, 3)
        };
        let mut record = vec![("type", text(kind)), ("process", Datum::Int(process as i64)), ("value", value)];
        record.push(("f", text(if is_txn { "txn" } else { "write" })));
        if numbers.one_in(2) {
            record.push(("time", Datum::Int(numbers.below(1 << 40) as i64)));
        }
        if numbers.one_in(4) {
            record.push(("index", Datum::Int(index as i64)));
        }
        if with_extras && numbers.one_in(2) {
            record.push(("node", text("n1")));
            record.push(("session", Datum::Int(1)));
            record.push(("version", Datum::Int(index as i64)));
            record.push(("final", Datum::Bool(numbers.one_in(2))));
            record.push(("error", Datum::random(numbers, 3)));
        }
        let turn = numbers.below(record.len());
        record.rotate_left(turn);
        records.push(record);
    }
    records
}

fn line(record: &[(&str, Datum)], edn: bool) -> String {
    let mut out = String::from("{");
    for (i, (name, value)) in record.iter().enumerate() {
        out.push_str(if i > 0 { "," } else { "" });
        out.push_str(&if edn { format!(":{name} ") } else { format!("\"{name}\":") });
        match value {
            Datum::Text(text) if edn && matches!(*name, "type" | "f" | "process") => out.push_str(&format!(":{text}")),
            value => value.write(edn, &mut out),
        }
    }
    out.push('}');
    out
}

/// A record of JSON with white space wherever it may be.
fn spaced(record: &[(&str, Datum)]) -> String {
    let fields: Vec<String> = record
        .iter()
        .map(|(name, value)| {
            let mut out = format!("\n \"{name}\" \t: ");
            value.write(false, &mut out);
            out
        })
        .collect();
    format!(" {{{} }}\r\n", fields.join("\n,"))
}

#[test]
fn every_form_is_the_same_history() {
    let mut numbers = Numbers(1);
    for _ in 0..100 {
        let records = records(&mut numbers);
        let json: Vec<String> = records.iter().map(|record| line(record, false)).collect();
        let edn: Vec<String> = records.iter().map(|record| line(record, true)).collect();
        let lines = json.join("\n");
        let expected = dump(&history(&lines).expect("a history"));
        let forms = [
            format!("{lines}\n"),
            format!("\u{feff}{}\r\n", json.join("\r\n")),
            format!("\n\n{}\n\n", json.join("\n\n")),
            records.iter().map(|record| spaced(record)).collect(),
            format!("[{}]", json.join(",")),
            format!("[\n{}\n]", json.join(" ,\n ")),
            format!("{{\"a\":[1],\"history\":[{}],\"b\":{{}}}}", json.join(",\n")),
            edn.join("\n"),
            edn.join("\n\n; a comment {\n#_ {:type\n :no}\n"),
            format!("[{}]", edn.join("\n")),
            format!("({})", edn.join(", ")),
            format!("#jepsen.history.Op{}", edn.join("\n#jepsen.history.Op")),
            format!("{{:history [{}] :b 1}}", edn.join(" ")),
        ];
        for form in &forms {
            assert_eq!(dump(&history(form).expect("a history")), expected, "{form}");
        }
        for packed in [gzip(lines.as_bytes()), zstd::stream::encode_all(edn.join("\n").as_bytes(), 1).expect("memory")]
        {
            assert_eq!(dump(&history_with(&packed, &Options::default()).expect("a history")), expected);
            let reader = Box::new(std::io::Cursor::new(packed));
            let streamed = read(Source::Stream { name: "test".into(), reader }, &Options::default());
            assert_eq!(dump(&streamed.expect("a history")), expected);
        }
    }
}

/// Goal: a record's own words are found again, whatever the form.
#[test]
fn records_are_found_again() {
    let mut numbers = Numbers(2);
    for _ in 0..40 {
        let records: Vec<_> =
            std::iter::repeat_with(|| self::records(&mut numbers)).find(|r| r.len() > 40).expect("some");
        let json: Vec<String> = records.iter().map(|record| line(record, false)).collect();
        let edn: Vec<String> = records.iter().map(|record| line(record, true)).collect();
        let forms = [
            (json.join("\n"), 1),
            (format!("[{}]", json.join(",\n")), 1),
            (format!("{{\"x\":1,\n\"history\":[\n{}],\"y\":\"\"}}", json.join("\n,")), 3),
            (edn.join("\n"), 1),
            (format!("; x\n[{}]", edn.join("\n")), 2),
        ];
        for (form, first) in forms {
            let history = history(&form).expect("a history");
            for (position, text) in (0u32..).zip(&json) {
                let found = history.origin().json(position).expect("its text");
                let same = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("JSON");
                if first == 1 && form.starts_with(['{', '[']) && !form.contains(":type") {
                    assert_eq!(&found, text);
                } else {
                    // Integers beyond 64 bits are the same in their text, and floats here have few digits.
                    assert_eq!(same(&found), same(text), "{form}");
                }
                assert_eq!(history.origin().line(position), Some(first + u64::from(position)), "{form}");
            }
            assert_eq!(history.origin().json(u32::try_from(json.len()).expect("few")), None);
        }
    }
}

/// Goal: lists that grow, shrink and branch are the same with and without what was known of their keys.
#[test]
fn known_lists_change_nothing() {
    let mut numbers = Numbers(3);
    for _ in 0..200 {
        let items = ["1", "12", "123", "\"1\"", "\"12\"", "[1]", "[1,2]", "null", "-1", "1.5", "{}"];
        let mut lines = Vec::new();
        let mut lists: Vec<Vec<&str>> = vec![Vec::new(); 2];
        for _ in 0..30 {
            let key = numbers.below(2);
            if numbers.one_in(4) {
                let keep = numbers.below(lists[key].len() + 1);
                lists[key].truncate(keep);
            }
            for _ in 0..numbers.below(3) {
                lists[key].push(items[numbers.below(items.len())]);
            }
            let list = lists[key].join(if numbers.one_in(5) { ", " } else { "," });
            lines.push((
                format!(r#"{{"type":"ok","process":0,"f":"txn","value":[["r",{key},[{list}]]]}}"#),
                format!("[{}]", list.replace(' ', "")),
            ));
        }
        let text: Vec<&str> = lines.iter().map(|(line, _)| line.as_str()).collect();
        // All lines in one chunk, as one element of a list is never split.
        let document = format!("[{}]", text.join(","));
        for text in [text.join("\n"), document] {
            let history = history(&text).expect("a history");
            for (op, (_, list)) in history.ops().zip(&lines) {
                assert_eq!(&history.values().json(op.mops()[0].value, usize::MAX), list);
            }
        }
    }
}
