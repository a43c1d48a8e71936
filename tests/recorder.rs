//! What the recorder writes is a history, whatever happens to the process that writes it.

use std::io::{self, Write};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::time::{Duration, Instant};

use anachron::budget::Budget;
use anachron::check::{self, Settings};
use anachron::contract::Requirement;
use anachron::guarantee::Guarantee;
use anachron::history::{History, Status};
use anachron::ingest::{Options, Source, read};
use anachron::recorder::Recorder;
use anachron::verdict::Verdict;
use anachron::workload::Workload;

const THREADS: u64 = 16;
const PATH: &str = "ANACHRON_TEST_RECORDING";

fn history(text: &str) -> History {
    read(Source::Bytes { name: "recorded".into(), bytes: text.into() }, &Options::default()).expect("a history")
}

/// Sixteen threads share one atomic register until the process ends, which it never does by itself.
fn record_for_ever(path: &Path) -> io::Result<()> {
    let recorder = Recorder::create(path)?;
    recorder.header(serde_json::json!({"workload": "register", "initial": 0}))?;
    let (register, all) = (AtomicU64::new(0), Barrier::new(16));
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (recorder, register, all) = (&recorder, &register, &all);
            scope.spawn(move || -> io::Result<()> {
                let mut client = recorder.client(thread).node("memory");
                for round in 0u64.. {
                    // Values of one thread count upward, so that a hole in what is read back shows.
                    let value = 1 + round * THREADS + thread;
                    let write = client.invoke("write", "x", value)?;
                    register.store(value, Ordering::SeqCst);
                    write.ok(value)?;
                    if round == 0 {
                        // Nobody runs ahead before everybody has begun.
                        all.wait();
                    }
                    let read = client.invoke("read", "x", ())?;
                    read.ok(register.load(Ordering::SeqCst))?;
                }
                Ok(())
            });
        }
    });
    Ok(())
}

/// The process that the next test kills. Without a path to write to, nothing is asked of it.
#[test]
fn child() {
    if let Some(path) = std::env::var_os(PATH) {
        record_for_ever(Path::new(&path)).expect("a file that can be written");
    }
}

/// Goal: a process of sixteen threads is killed while it records; what is in the file is every line up to some moment,
/// whole, and as a history it is linearizable, as the register was.
#[test]
fn a_killed_process_leaves_a_prefix() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("history.jsonl");
    let mut child = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "child", "--nocapture"])
        .env(PATH, &path)
        .stdout(std::process::Stdio::null())
        .spawn()
        .expect("a process");
    let patience = Instant::now() + Duration::from_secs(60);
    while std::fs::metadata(&path).map_or(0, |file| file.len()) < 500_000 {
        assert!(Instant::now() < patience, "the process records nothing");
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().expect("a process to kill");
    child.wait().expect("it ends");

    let text = std::fs::read_to_string(&path).expect("the file");
    let whole = &text[..=text.rfind('\n').expect("a line")];
    let mut writes = [0u64; THREADS as usize];
    let mut threads_seen = 0;
    for (number, line) in whole.lines().enumerate().skip(1) {
        let record: serde_json::Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("line {}: {error}: {line}", number + 1));
        let thread = record["process"].as_u64().expect("a thread");
        if record["type"] == "invoke" && record["f"] == "write" {
            let round = &mut writes[usize::try_from(thread).expect("a small number")];
            assert_eq!(record["value"], 1 + *round * THREADS + thread, "a line is missing before line {}", number + 1);
            threads_seen += u64::from(*round == 0);
            *round += 1;
        }
    }
    assert_eq!(threads_seen, THREADS, "not every thread had its turn");

    let history = history(whole);
    let open = history.ops().filter(|op| op.status() == Status::Info).count();
    assert!(open <= THREADS as usize, "{open} operations have no completion");
    let requirements = [Requirement::new(Guarantee::Linearizable)];
    let settings = Settings { requirements: &requirements, budget: &Budget::default() };
    let outcome = check::judge(&history, Workload::Register, &settings).expect("a register");
    let judged = outcome.judgements.iter().find(|judged| judged.guarantee == Guarantee::Linearizable);
    assert_eq!(judged.expect("a judgement").verdict, Verdict::Holds);
}

/// Goal: each way to end an operation is recorded as what it means, and so is to say nothing.
#[test]
fn every_end_of_an_operation_is_recorded() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("history.jsonl");
    let recorder = Recorder::create(&path).expect("a file");
    let mut client = recorder.client("a \"client\"\n").session(7u32);
    client.invoke("write", -1, "one").and_then(|op| op.ok("one")).expect("written");
    client.invoke("write", "k", 2).and_then(|op| op.fail("refused")).expect("written");
    client.invoke("write", "k", 3).and_then(|op| op.info("timeout")).expect("written");
    drop(client.invoke_keyless("txn", [("append", 1, 2)]).expect("written"));
    client.invoke("read", "k", ()).and_then(|op| op.last().ok(3)).expect("written");
    recorder.observe("nemesis", "partition", ["n1"]).expect("written");
    recorder.observe_key("ledger", "effect", "k", serde_json::json!({"effect": 1})).expect("written");
    drop((recorder, client));

    let text = std::fs::read_to_string(&path).expect("the file");
    let records: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("a record")).collect();
    let told: Vec<String> =
        records.iter().map(|record| format!("{} {}", record["type"], record["f"]).replace('"', "")).collect();
    assert_eq!(
        told,
        [
            "invoke write",
            "ok write",
            "invoke write",
            "fail write",
            "invoke write",
            "info write",
            "invoke txn",
            "info txn",
            "invoke read",
            "ok read",
            "info partition",
            "info effect"
        ]
    );
    assert_eq!((&records[0]["process"], &records[0]["key"]), (&"a \"client\"\n".into(), &(-1).into()));
    assert!(records[8]["value"].is_null() && records[8].get("value").is_some() && records[9]["final"] == true);
    assert!(records[3].get("value").is_none() && records[3]["error"] == "refused" && records[3]["session"] == 7);
    let times: Vec<i64> = records.iter().map(|record| record["time"].as_i64().expect("a time")).collect();
    assert!(times.is_sorted() && times[0] >= 0);
    let history = history(&text);
    let status: Vec<Status> = history.ops().map(|op| op.status()).collect();
    assert_eq!(status, [Status::Ok, Status::Fail, Status::Info, Status::Info, Status::Ok]);
    assert_eq!(history.observations().len(), 2);
}

/// A disk that is full after some bytes.
struct Full {
    left: usize,
    written: Arc<Mutex<Vec<u8>>>,
}

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(self.left);
        self.left -= taken;
        self.written.lock().expect("no panic").extend_from_slice(&bytes[..taken]);
        if taken == 0 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(taken) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Goal: when the disk is full, every later call says so, and nothing is written after the half line.
#[test]
fn a_full_disk_ends_the_history() {
    let written = Arc::new(Mutex::new(Vec::new()));
    let recorder = Recorder::to_writer(Full { left: 100, written: written.clone() }).unbuffered();
    let mut client = recorder.client(0);
    client.invoke("write", "x", 1).expect("there is room").ok(1).expect_err("the disk is full");
    let error = client.invoke("write", "x", 2).expect_err("the disk is still full");
    assert!(error.to_string().contains("could not be written"), "{error}");
    assert!(recorder.flush().is_err());
    drop((client, recorder));
    let written = written.lock().expect("no panic");
    assert_eq!((written.len(), written.iter().filter(|byte| **byte == b'\n').count()), (100, 1));
}

/// Goal: a value that JSON can't hold is an error, and leaves no half line behind.
#[test]
fn what_is_no_json_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("history.jsonl");
    let recorder = Recorder::create(&path).expect("a file");
    let unfit = std::collections::BTreeMap::from([(vec![1], 2)]);
    assert!(recorder.client(0).invoke("write", "x", &unfit).is_err());
    recorder.client(0).invoke("write", "x", 1).and_then(|op| op.ok(1)).expect("the recorder goes on");
    drop(recorder);
    assert_eq!(std::fs::read_to_string(&path).expect("the file").lines().count(), 2);
}
