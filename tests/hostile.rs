//! Goal: whatever is given to `anachron check`, the answer is clear and quick: a message with its place and the way out, and
//! never a panic, a hang, or a verdict on part of a history.
//!
//! What takes memory or time is limited by `--max-memory` and `--timeout`; large inputs are made on the fly.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Runs `anachron check` in this folder.
fn check(folder: &Path, arguments: &[&str], input: Option<&[u8]>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_anachron"));
    command.arg("check").args(arguments).current_dir(folder);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    // Who refuses its input early leaves the pipe.
    if let Some(input) = input {
        let _ = stdin.write_all(input);
    }
    drop(stdin);
    child.wait_with_output().expect("the program ends")
}

/// The report on a file with this content, on one line, and the exit code.
fn report(content: &[u8]) -> (String, i32) {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("h"), content).expect("a file");
    told(&check(folder.path(), &["h"], None))
}

fn told(output: &Output) -> (String, i32) {
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!errors.contains("panicked") && errors.is_empty(), "{errors}");
    (text.split_whitespace().collect::<Vec<_>>().join(" "), output.status.code().expect("a code"))
}

const OK: &str = r#"{"type":"ok","process":0,"f":"write","value":1}"#;

fn invoke(fields: &str) -> String {
    format!("{{\"type\":\"invoke\",\"process\":0,\"f\":\"write\",{fields}}}\n")
}

/// Goal: what is no history is refused with exit code 2, where it is, and with what to do.
#[test]
fn what_is_no_history() {
    let records = format!("{}{OK}\n", invoke("\"value\":1"));
    let gzip = {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(records.as_bytes()).expect("memory");
        encoder.finish().expect("memory")
    };
    let noise: Vec<u8> = (1..2000u32).map(|i| i.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
    let cases: [(&[u8], &str); 16] = [
        (b"", "the file is empty help: check the path"),
        (b" \n\t\r\n ", "the file is empty"),
        (b"{\"history\":{\"workload\":\"register\"}}\n", "the file holds no records"),
        (&noise, "error h, line 1, column 1 this is no format that anachron knows help: histories are JSON"),
        (&records.as_bytes()[..records.len() - 9], "line 2, column 40 the file ends in the middle of a record"),
        (&gzip[..gzip.len() - 9], "the compressed input is cut off"),
        (&[&gzip[..], b"more"].concat(), "the compressed input is cut off, or something else follows it"),
        (b"{\"type\":\"ok\",\"process\":\"\xff\"}", "line 1, column 25 found bytes that are no UTF-8"),
        (b"{\"type\":\"ok\",\0\0\0", "line 1, column 14 found a NUL byte help: the file was not written to its end"),
        (b"\xff\xfe{\0", "the file is UTF-16 help: a history is UTF-8: convert it"),
        (
            b"{\"type\":\"ok\",\"process\":0,\"type\":\"ok\"}",
            "line 1, column 26 this record has the field `type` twice",
        ),
        (b"{\"type\":\"ok\",\"process\":0,\"time\":99999999999999999999}", "`time` is beyond 64 bits"),
        (b"{\"type\":\"ok\",\"process\":0,\"value\":1e999}", "this number is too large for 64 bits"),
        (b"[1, 2, 3]", "line 1, column 2 this is no record: a record is an object with `type`"),
        (b"process,type,f,value\n0,invoke,read,\n", "this is no format that anachron knows"),
        (b"0\t:invoke\t:read\tnil\n0\t:ok\t:re", "line 2, column 10 the file ends in the middle of a record"),
    ];
    for (content, expected) in cases {
        let (text, code) = report(content);
        assert!(text.starts_with("error h") && text.contains(expected), "{expected}: {text}");
        assert!(code == 2 && text.contains(" help: "), "{code} {text}");
    }
}

/// Goal: a plausible mistake is told in the writer's words: what was found, where, and what to write instead.
#[test]
fn newcomers_mistakes() {
    let record = |kind: &str, rest: &str| format!("{{\"type\":\"{kind}\",\"process\":0,{rest}}}\n");
    let write = "\"f\":\"write\",\"value\":1";
    let txn = |value: &str| record("ok", &format!("\"f\":\"txn\",\"value\":{value}"));
    let cases = [
        (
            "{\"op\":\"invoke\",\"client\":0,\"func\":\"write\",\"val\":1}".to_owned(),
            "line 1, column 1 this record has no `type`, only `op`, `client`, `func`, `val` help: every record has a `type`",
        ),
        ("{\"Type\":\"ok\",\"Process\":0}".into(), "help: the names of fields are in lower case"),
        ("{\"results\":[{\"type\":\"ok\"}]}".into(), "only `results` help: every record has a `type`: `invoke`"),
        (
            record("OK", write),
            "column 9 the type `OK` is none of `invoke`, `ok`, `fail` and `info` help: an operation that certainly happened is written `ok`",
        ),
        (record("call", write), "the beginning of an operation is written `invoke`"),
        (record("return", write), "written `ok`"),
        (record("timeout", write), "an operation of which nobody knows whether it happened is written `info`"),
        (record("aborted", write), "written `fail`, in lower case; one that may have happened, `info`"),
        (
            record("invoke", "\"time\":1.5"),
            "`time` is not a whole number help: `time` is whole nanoseconds: multiply seconds",
        ),
        (record("invoke", "\"time\":\"2024-01-01\""), "`time` is no integer help: `time` is the observer's clock"),
        (
            record("invoke", write).repeat(2),
            "line 2, column 1 process 0 invokes an operation while its last one has no completion (the other record is on line 1)",
        ),
        (
            record("invoke", write) + &record("ok", "\"f\":\"read\""),
            "this completion has `f` \"read\", and its invocation \"write\"",
        ),
        (
            record("invoke", write).replace("\"process\":0,", "").repeat(2),
            "neither says which process invoked it (the other record is on line 1) help: a completion finds its invocation by its process",
        ),
        (record("ok", "\"index\":5") + &record("ok", "\"index\":2"), "index 2 comes after index 5"),
        (
            txn("\"[[\\\"append\\\",1,2]]\""),
            "is no list of micro-operations help: the value is a string with JSON in it",
        ),
        (txn("[{\"op\":\"append\",\"key\":1}]"), "help: a transaction's value is a list of lists"),
        (
            record("invoke", write).replace('"', "'"),
            "column 2 expected a name in double quotes, and found `'` help: JSON has double quotes",
        ),
        (record("invoke", "\"value\":None"), "found `N` help: JSON writes true, false and null"),
        (record("invoke", "\"value\":NaN"), "found `N` help: JSON has no such number"),
        (record("invoke", "\"value\":1,"), "found `}` help: JSON has no comma behind the last element"),
        (
            format!("[{}]", record("invoke", write).repeat(2)),
            "line 2, column 1 expected `,` or `]`, and found `{` help: put a comma",
        ),
        (
            record("invoke", write).replace("}\n", "},\n").repeat(2),
            "line 1, column 52 expected a value, and found `,` help: records one a line have no commas",
        ),
        (
            record("invoke", write) + "// the end\n",
            "line 2, column 1 expected a value, and found `/` help: JSON has no comments",
        ),
        (record("invoke", "\"f\":\"transfer\""), "the functions transfer are of no workload"),
        ("<html><body>404 Not Found</body></html>".into(), "this is no format that anachron knows"),
    ];
    for (content, expected) in cases {
        let (text, code) = report(content.as_bytes());
        assert!(code == 2 && text.contains(expected), "{content}\n{expected}\n{text}");
    }
}

/// Goal: nesting of any depth is refused wherever it stands, in either syntax, before any stack ends.
#[test]
fn nested_brackets() {
    let deep = |open: &str, close: &str| format!("{}1{}", open.repeat(200_000), close.repeat(200_000));
    let (lists, maps, edn_maps) = (deep("[", "]"), deep("{\"a\":", "}"), deep("{:a ", "}"));
    let mut texts = Vec::new();
    for value in [&lists, &maps] {
        texts.push(invoke(&format!("\"value\":{value}")));
        texts.push(invoke(&format!("\"value\":1,\"key\":{value}")));
        texts.push(invoke(&format!("\"value\":1,\"error\":{value}")));
        texts.push(format!("{{\"history\":{{\"x\":{value}}}}}\n{OK}"));
        texts.push(format!("{{\"type\":\"invoke\",\"process\":0,\"f\":\"txn\",\"value\":[[\"append\",1,{value}]]}}"));
    }
    let tags = format!("{{:type :ok, :process 0, :value {}1}}", "#a ".repeat(200_000));
    texts.push(tags);
    for value in [&lists, &edn_maps] {
        texts.push(format!("{{:type :invoke, :process 0, :f :write, :value {value}}}"));
        texts.push(format!("{{:type :invoke, :process 0, :f :write, :value 1, :x {value}}}"));
        texts.push(format!("{{:history {{:x {value}}}}}\n{{:type :ok, :process 0}}"));
        texts.push(format!("0\t:invoke\t:write\t{value}\n"));
    }
    for text in texts {
        let (report, code) = report(text.as_bytes());
        let expected = "lists and maps are nested more than 10000 deep help: ";
        assert!(code == 2 && report.contains(expected), "{}: {report}", &text[..60]);
    }
    for text in [&lists, &lists[..200_000]] {
        assert!(report(text.as_bytes()).0.contains("line 1, column 2 this is no record"));
    }
}

/// Goal: a history that shows nothing is unknown, and one that is only odd is read.
#[test]
fn odd_histories() {
    let fails: String = (0..50).map(|_| format!("{}{}\n", invoke("\"value\":1"), OK.replace("ok", "fail"))).collect();
    assert!(report(fails.as_bytes()).0.starts_with("unknown linearizable is required"));
    assert_eq!(report(fails.as_bytes()).1, 3);
    let odd = invoke("\"value\":123456789012345678901234567890,\"process2\":\"\\u0000\\u001b[31m<b>\"");
    let ok = OK.replace(":1}", ":123456789012345678901234567890}");
    let odd = format!("\u{feff}{}\r\n{ok}\r\n", odd.trim_end());
    let (text, code) = report(odd.as_bytes());
    assert!(text.contains("1 operation (1 ok") && code == 3, "{text}");
    let wild = r#"{"type":"ok","process":"\u001b[2J","f":"read","value":"\u001b]0;x\u0007\u202e\u0000"}"#;
    let output = {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("h"), wild).expect("a file");
        check(folder.path(), &["h"], None)
    };
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(!text.contains(['\u{1b}', '\u{7}', '\0', '\u{202e}']), "{text:?}");
}

/// Goal: a great many processes or keys are as quick as few.
#[test]
fn many_names() {
    let line = |kind: &str, process: usize, key: usize| {
        format!("{{\"type\":\"{kind}\",\"process\":{process},\"f\":\"write\",\"key\":\"k{key}\",\"value\":1}}\n")
    };
    for keys in [false, true] {
        let name = |i| if keys { (0, i) } else { (i, 0) };
        let lines: String =
            (0..50_000).map(|i| line("invoke", name(i).0, name(i).1) + &line("ok", name(i).0, name(i).1)).collect();
        let begin = Instant::now();
        let (text, code) = report(lines.as_bytes());
        assert!(code == 3 && text.contains("50000 operations (50000 ok"), "{text}");
        assert!(begin.elapsed() < Duration::from_secs(30));
    }
}

/// Goal: a hundred thousand clients, each with a name of its own, are no hardship to any command that judges.
#[test]
fn every_operation_has_its_own_process() {
    let folder = tempfile::tempdir().expect("a folder");
    let line = |kind: &str, i: usize, rest: &str| format!("{{\"type\":\"{kind}\",\"process\":{i},{rest}}}\n");
    let mut lines: String = (0..100_000)
        .map(|i| ["invoke", "ok"].map(|kind| line(kind, i, &format!("\"f\":\"write\",\"value\":{i}"))).concat())
        .collect();
    lines.push_str(&line("invoke", 7, "\"f\":\"read\",\"value\":null"));
    lines.push_str(&line("ok", 7, "\"f\":\"read\",\"value\":3"));
    std::fs::write(folder.path().join("h"), lines).expect("a file");
    let commands: [(&[&str], i32, &str); 3] = [
        (&["check", "h"], 1, "100000 processes"),
        (&["shrink", "h"], 0, "\"value\":3"),
        (&["contract", "init", "--output", "-", "h"], 0, "register"),
    ];
    for (command, expected, said) in commands {
        let begin = Instant::now();
        let (out, err, code) = run(folder.path(), command, "120");
        assert!(code == expected && out.contains(said), "{command:?}: {code} {out} {err}");
        assert!(begin.elapsed() < Duration::from_secs(30), "{command:?} took {:?}", begin.elapsed());
    }
}

/// Goal: a line of two gigabytes is refused for what it is, as soon as that is seen, and is not held in memory.
#[cfg(unix)]
#[test]
fn a_line_of_two_gigabytes() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut file = std::fs::File::create(folder.path().join("h")).expect("a file");
    file.write_all(b"{\"type\":\"invoke\",\"process\":0,\"f\":\"write\",\"value\":\"").expect("written");
    // What was never written takes no place on the disk, and reads as zeros.
    file.set_len(2 << 30).expect("a long file");
    let begin = Instant::now();
    let (text, code) = told(&check(folder.path(), &["--max-memory=100MB", "h"], None));
    assert!(text.contains("line 1, column 51 found a NUL byte") && code == 2, "{text}");
    // One that goes on and on, through a pipe: who is refused stops writing.
    let start = b"{\"type\":\"invoke\",\"process\":0,\"f\":\"write\",\"value\":\"";
    let mut command = Command::new(env!("CARGO_BIN_EXE_anachron"));
    command.args(["check", "--max-memory=100MB", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    let block = [b'x'; 1 << 16];
    let written = stdin.write_all(start).and_then(|()| (0..1 << 15).try_for_each(|_| stdin.write_all(&block)));
    drop(stdin);
    let output = child.wait_with_output().expect("the program ends");
    let (text, code) = told(&output);
    assert!(written.is_err(), "all of it was read");
    assert!(text.contains("the input is larger than the memory limit of 100 MB") && code == 3, "{text}");
    assert!(begin.elapsed() < Duration::from_secs(60), "took {:?}", begin.elapsed());
}

/// Goal: memory and time are kept while input is read: the verdict is unknown, and says what ended it.
#[test]
fn limits_are_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let lines: String =
        (0..40_000).map(|i| invoke(&format!("\"value\":{i},\"process2\":1")).replace(":0", &format!(":{i}"))).collect();
    let bomb = zstd::stream::encode_all(&vec![b' '; 64 << 20][..], 1).expect("memory");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&vec![b' '; 64 << 20]).expect("memory");
    let gzip = gzip.finish().expect("memory");
    for (name, content) in [("lines", lines.as_bytes()), ("bomb", &bomb), ("gzip", &gzip)] {
        std::fs::write(folder.path().join(name), content).expect("a file");
        let (text, code) =
            told(&check(folder.path(), &["--max-memory", "1MB", "--require", "linearizable", name], None));
        assert!(text.starts_with(&format!("unknown {name}")) && text.contains("the memory limit of 1 MB"), "{text}");
        assert_eq!(code, 3);
        let output = check(folder.path(), &["--max-memory=1MB", "-rlinearizable", "-fjson", name], None);
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let judged = &json["histories"][0]["guarantees"][0];
        assert_eq!((&judged["verdict"], &judged["stopped_by"]), (&"unknown".into(), &"memory".into()));
    }
    let (text, code) = told(&check(folder.path(), &["--timeout", "1ms", "lines"], None));
    assert!(text.contains("was not read whole before the time limit") && code == 3, "{text}");
    // A line of 80 MB, and one that does not end.
    let long = format!("{{\"type\":\"invoke\",\"process\":0,\"f\":\"write\",\"value\":\"{}", "x".repeat(80 << 20));
    let (text, code) = told(&check(folder.path(), &["-"], Some(long.as_bytes())));
    assert!(text.contains("column 83886131 the file ends in the middle of a record") && code == 2, "{text}");
    let (text, code) = told(&check(folder.path(), &["-"], Some(format!("{long}\"}}\n").as_bytes())));
    assert!(text.contains("line 1, column 50 this string is longer than 64 MiB") && code == 2, "{text}");
    let (text, _) = told(&check(folder.path(), &["--max-memory=10MB", "-"], Some(long.as_bytes())));
    assert!(text.contains("the input is larger than the memory limit of 10 MB"), "{text}");
}

/// Goal: what is no file is read where it can be, and told where not.
#[cfg(unix)]
#[test]
fn what_is_no_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let ask = |arguments: &[&str]| told(&check(folder.path(), arguments, None));
    assert!(ask(&["."]).0.contains("this is a directory help: name the files in it"));
    assert!(ask(&["missing"]).0.contains("can't be read: No such file"));
    assert!(ask(&["/dev/null"]).0.contains("the file is empty"));
    let pipe = folder.path().join("pipe");
    if !Command::new("mkfifo").arg(&pipe).status().is_ok_and(|status| status.success()) {
        return;
    }
    // Nobody writes to it.
    let begin = Instant::now();
    let (text, code) = ask(&["--timeout=200ms", "pipe"]);
    assert!(text.contains("was not read whole before the time limit") && code == 3, "{text}");
    assert!(begin.elapsed() < Duration::from_secs(20));
    let writer = std::thread::spawn(move || std::fs::write(pipe, format!("{}{OK}\n", invoke("\"value\":1"))));
    assert!(ask(&["pipe"]).0.contains("1 operation (1 ok"));
    writer.join().expect("a thread").expect("written");
}

/// Runs any command in this folder: its output, its complaints and its exit code.
fn run(folder: &Path, arguments: &[&str], columns: &str) -> (String, String, i32) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_anachron"));
    command.current_dir(folder).args(arguments).env("COLUMNS", columns).stdin(Stdio::null());
    let output = command.output().expect("the program runs");
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr), output.status.code().expect("a code"))
}

/// Goal: the other commands refuse as `check` does: with what is wrong, what to do, and exit code 2.
#[test]
fn other_commands_refuse_what_is_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let noise: Vec<u8> = (1..2000u32).map(|i| i.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
    let deep = format!("{{\"schema\":\"anachron.certificate/1\",\"claims\":{}", "[".repeat(200_000));
    let good = invoke("\"value\":1") + OK;
    std::fs::create_dir(folder.path().join("folder")).expect("a folder");
    for (name, content) in
        [("empty", &b""[..]), ("noise", &noise), ("deep", deep.as_bytes()), ("good", good.as_bytes())]
    {
        std::fs::write(folder.path().join(name), content).expect("a file");
    }
    let commands: [&[&str]; 10] = [
        &["inspect"],
        &["shrink"],
        &["convert", "--to", "edn"],
        &["contract", "init", "--output", "-"],
        &["verify", "good"],
        &["check", "good", "--contract"],
        &["check", "good", "--baseline"],
        &["check", "--map", "type=t", "--map", "process=p", "--map", "f=f", "--quiet"],
        &["check", "--join", "time", "--quiet", "good"],
        &["explain"],
    ];
    for command in commands {
        for file in ["empty", "noise", "deep", "folder", "missing", "/dev/null"] {
            let (out, err, code) = run(folder.path(), &[command, &[file]].concat(), "80");
            let is_quiet = command.contains(&"--quiet");
            // A contract without anything in it is one.
            let is_contract = command.contains(&"--contract") && (file == "empty" || file == "/dev/null");
            assert!(code == 2 || is_contract, "{command:?} {file}: {code} {out} {err}");
            assert!(
                is_quiet || is_contract || (err.starts_with("error: ") && err.contains("\n help: ")),
                "{command:?} {file}: {err}"
            );
            assert!(!err.contains("panicked") && err.len() < 600, "{command:?} {file}: {err}");
        }
    }
}

/// Goal: what has no end is not read to it.
#[cfg(unix)]
#[test]
fn documents_without_end() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("good"), invoke("\"value\":1") + OK).expect("a file");
    for arguments in [
        &["verify", "good", "/dev/zero", "--max-memory", "100MB"][..],
        &["check", "good", "--contract", "/dev/zero"],
        &["contract", "check", "/dev/zero"],
    ] {
        let (_, err, code) = run(folder.path(), arguments, "80");
        assert!(code == 2 && err.contains("it is larger than"), "{arguments:?}: {code} {err}");
    }
}

/// Goal: whatever a history says, no command prints what a terminal would obey, at any width; and records stay what they were.
#[test]
fn nothing_is_printed_that_a_terminal_obeys() {
    let folder = tempfile::tempdir().expect("a folder");
    let wild = "\u{1b}[31m<script>\u{202e}`|\n\u{7}\u{9b}\u{7f}";
    let record = |kind: &str, process: &str, f: &str, value: &str| serde_json::json!({ "type": kind, "process": format!("{wild}{process}"), "f": f, "key": wild, "node": wild, "value": format!("{wild}{value}") });
    let records = [
        record("invoke", "0", "write", "1"),
        record("ok", "0", "write", "1"),
        record("invoke", "1", "read", ""),
        record("ok", "1", "read", "2"),
    ];
    let lines: String = records.iter().map(|record| format!("{record}\n")).collect();
    std::fs::write(
        folder.path().join("h"),
        lines.replace(&format!("\"value\":{}", serde_json::json!(wild)), "\"value\":null"),
    )
    .expect("a file");
    let commands: [&[&str]; 11] = [
        &["inspect", "h"],
        &["inspect", "h", "--witness", "1"],
        &["inspect", "h", "--around", "1"],
        &["inspect", "h", "--format", "json"],
        &["inspect", "h", "--around", "1", "--format", "json"],
        &["shrink", "h"],
        &["contract", "init", "--output", "-", "h"],
        &["check", "--no-contract", "h", "--output", "json=r", "--certificate", "c"],
        &["verify", "h", "r"],
        &["verify", "h", "c"],
        &["explain", wild],
    ];
    for command in commands {
        for columns in ["1", "20", "80"] {
            let (out, err, _) = run(folder.path(), command, columns);
            let obeyed = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
            assert!(!out.contains(obeyed) && !err.contains(obeyed), "{command:?} {columns}: {out:?} {err:?}");
            assert!(!err.contains("panicked"), "{command:?} {columns}: {err}");
            assert!(!out.is_empty() || !err.is_empty(), "{command:?} {columns}: nothing is said");
        }
    }
    let (shrunk, _, _) = run(folder.path(), &["shrink", "h"], "80");
    let kept: Vec<serde_json::Value> = shrunk.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert!(kept.contains(&records[3]), "{shrunk}");
}

/// Goal: a reader that has seen enough is no error of any command that writes much.
#[cfg(unix)]
#[test]
fn readers_that_leave() {
    let history = concat!(env!("CARGO_MANIFEST_DIR"), "/histories/postgres/list-append-read-committed.jsonl");
    let commands: [&[&str]; 4] = [
        &["convert", "--to", "edn", history],
        &["inspect", "--limit", "100000", "--format", "json", "--process", "0", history],
        &["generate", "register", "--operations", "100000"],
        &["guarantees", "--format", "json"],
    ];
    for command in commands {
        let mut child = Command::new(env!("CARGO_BIN_EXE_anachron"));
        child.args(command).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = child.spawn().expect("the program starts");
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("the program ends");
        assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0), "{command:?}: {output:?}");
    }
}
