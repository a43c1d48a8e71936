//! Goal: the user's memory and time are kept while a history is read, and what they ended says so.

use std::time::{Duration, Instant};

use super::*;
use crate::verdict::StoppedBy;

fn limited(bytes: &[u8], limit: u64) -> Result<u32, InputError> {
    history_with(bytes, &Options { max_memory: Some(limit), ..Options::default() }).map(|history| history.records())
}

/// What ended the reading.
fn ended(bytes: &[u8], limit: u64) -> Option<StoppedBy> {
    limited(bytes, limit).expect_err("more than the limit").stopped_by
}

/// Bytes without end.
struct Endless(&'static [u8], usize);

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.1 += buffer.len();
        buffer.iter_mut().zip(self.0.iter().cycle()).for_each(|(to, from)| *to = *from);
        Ok(buffer.len())
    }
}

fn stream(reader: impl Read + Send + 'static, options: &Options) -> Result<History, InputError> {
    read(Source::Stream { name: "test".into(), reader: Box::new(reader) }, options)
}

/// Goal: whatever grows in one record ends at the limit, and not behind it; with enough memory, the record reads.
#[test]
fn one_record_of_any_shape() {
    let many = 40_000;
    let numbers = |between: &str| (0..many).map(|i| i.to_string()).collect::<Vec<_>>().join(between);
    let json = |f: &str, value: &str| format!(r#"{{"type":"invoke","process":0,"f":"{f}","value":{value}}}"#);
    let edn = |value: &str| format!("{{:type :invoke, :process 0, :f :write, :value {value}}}");
    let entries = |quote: &str, colon: &str| {
        (0..many).map(|i| format!("{quote}{i}{quote}{colon}{i}")).collect::<Vec<_>>().join(",")
    };
    let records = [
        json("write", &format!("[{}]", numbers(","))),
        json("write", &format!("{{{}}}", entries("\"", ":"))),
        json("write", &format!("{{\"{}\":[{}]}}", "k".repeat(many), numbers(","))),
        json("txn", &format!("[[\"r\",1,[{}]]]", numbers(","))),
        json("txn", &format!("[{}]", vec![r#"["r",1]"#; many].join(","))),
        edn(&format!("#{{{}}}", numbers(" "))),
        edn(&format!("{{{}}}", entries("", " "))),
        edn(&numbers("").repeat(2)).replace(":value ", ":value \"").replace("}", "\"}"),
    ];
    for record in &records {
        assert_eq!(ended(record.as_bytes(), 100_000), Some(StoppedBy::Memory), "{}", &record[..80]);
        let lines = format!("{record}\n");
        assert_eq!(ended(lines.repeat(3).replace("0,", "0 ,").as_bytes(), 100_000), Some(StoppedBy::Memory));
        assert!(limited(record.as_bytes(), 40 << 20).is_ok(), "{}", &record[..80]);
    }
}

/// Goal: many records end at the limit however they are written and in whatever pieces they are read.
#[test]
fn many_records() {
    let line = |i: usize| format!(r#"{{"type":"invoke","process":{i},"f":"write","value":"v{i}","x":{{"type":{i}}}}}"#);
    let lines: Vec<String> = (0..4000).map(line).collect();
    let log: String = (0..4000).map(|i| format!("{i}\t:invoke\t:write\t\"v{i}\"\n")).collect();
    let spaced: Vec<String> =
        lines.iter().enumerate().map(|(i, line)| line.replacen('{', &"{  "[..1 + i % 3], 1)).collect();
    for text in [lines.join("\n"), format!("[{}]", lines.join(",")), format!("[{}]", spaced.join(",")), log] {
        assert_eq!(ended(text.as_bytes(), 100_000), Some(StoppedBy::Memory));
        assert_eq!(limited(text.as_bytes(), 4 << 20).ok(), Some(4000));
        let whole = dump(&history(&text).expect("a history"));
        let options = Options { max_memory: Some(4 << 20), ..Options::default() };
        assert_eq!(dump(&history_with(text.as_bytes(), &options).expect("a history")), whole);
    }
}

/// Goal: input without an end is refused as soon as it shows that it is no history, and ends at the limit where it never does.
#[test]
fn input_without_end() {
    let options = |limit| Options { max_memory: Some(limit), ..Options::default() };
    let error = stream(Endless(b"x", 0), &options(u64::MAX)).expect_err("no history");
    assert_eq!(error.message, "this is no format that anachron knows");
    let error = stream(Endless(b"{\"a\":1}\n", 0), &options(1 << 20)).expect_err("too much");
    assert_eq!(error.message, "the input is larger than the memory limit of 1 MiB");
    let gzip = gzip(&vec![b' '; 4 << 20]);
    assert_eq!(ended(&gzip, 1 << 20), Some(StoppedBy::Memory));
    let zstd = zstd::stream::encode_all(&vec![b'['; 4 << 20][..], 1).expect("memory");
    assert_eq!(ended(&zstd, 1 << 20), Some(StoppedBy::Memory));
}

/// Goal: a time limit ends the reading of what is large, and the waiting for what says nothing.
#[test]
fn time_is_kept() {
    let now = || Options { deadline: Some(Instant::now()), ..Options::default() };
    let line = r#"{"type":"invoke","process":0,"f":"write","value":1}"#;
    let error = history_with(line.as_bytes(), &now()).expect_err("no time");
    assert_eq!(error.stopped_by, Some(StoppedBy::Timeout));
    let log = "0\t:invoke\t:write\t1\n";
    assert_eq!(history_with(log.as_bytes(), &now()).expect_err("no time").stopped_by, Some(StoppedBy::Timeout));
    let soon = || Options { deadline: Some(Instant::now() + Duration::from_millis(50)), ..Options::default() };
    let begin = Instant::now();
    let (pipe, _silent) = std::io::pipe().expect("a pipe");
    assert_eq!(stream(pipe, &soon()).expect_err("silence").stopped_by, Some(StoppedBy::Timeout));
    assert_eq!(stream(Endless(b"[", 0), &soon()).expect_err("no end").stopped_by, Some(StoppedBy::Timeout));
    assert!(begin.elapsed() < Duration::from_secs(10));
    let late = Options { deadline: Some(Instant::now() + Duration::from_secs(60)), ..Options::default() };
    assert_eq!(stream(std::io::Cursor::new(line), &late).expect("a history").records(), 1);
    let missing = read(Source::File("no/such/file".into()), &late).expect_err("missing");
    assert!(missing.message.starts_with("can't be read: ") && missing.stopped_by.is_none());
}

/// Goal: a string is as long as a record needs, and not longer.
#[test]
fn strings_are_bounded() {
    let long = "x".repeat(2 << 20);
    for text in [
        format!(r#"{{"type":"invoke","process":0,"f":"write","value":"{long}"}}"#),
        format!(r#"{{"type":"invoke","process":0,"f":"write","value":"\n{long}"}}"#),
        format!(r#"{{"type":"invoke","process":0,"f":"write","value":"{}"}}"#, r"\n".repeat(1 << 20)),
        format!(r#"{{:type :invoke, :process 0, :f :write, :value "{long}"}}"#),
        format!(r#"{{:type :invoke, :process 0, :f :write, :value "\n{long}"}}"#),
    ] {
        let error = history(&text).expect_err("too long");
        assert_eq!(error.message, "this string is longer than 1 MiB", "{}", &text[..70]);
        assert!(error.column.is_some_and(|column| column < 70));
    }
}

/// Goal: UTF-16 is told, with and without its mark.
#[test]
fn utf_16_is_told() {
    let line = r#"{"type":"invoke","process":0,"f":"write","value":1}"#;
    let little: Vec<u8> = line.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = line.encode_utf16().flat_map(u16::to_be_bytes).collect();
    for bytes in [little, big] {
        let error = history_with(&bytes, &Options::default()).expect_err("no UTF-8");
        assert_eq!(error.message, "the file is UTF-16");
    }
}
