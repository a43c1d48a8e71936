//! The time line and the plots: zoom, search, filters, faults, stretches that are not drawn, and what a frame costs.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::browser::{Browser, installed};
use super::{press, write_page};

/// A register whose replica fell behind while a partition lasted, with a client that crashed and a server that was killed.
fn partitioned() -> String {
    let mut records: Vec<(u64, String)> = Vec::new();
    let mut put = |time: u64, kind: &str, process: &str, f: &str, key: &str, value: &str| {
        let record = format!(
            "{{\"type\":\"{kind}\",\"process\":{process},\"f\":\"{f}\",\"key\":{key},\"value\":{value},\"time\":{time}}}"
        );
        records.push((time, record));
    };
    for at in 0..200 {
        let (time, text) = (at * 1_000_000, at.to_string());
        put(time, "invoke", "0", "write", "\"x\"", &text);
        put(time + 400_000, "ok", "0", "write", "\"x\"", &text);
        let seen = if (100..150).contains(&at) { 100 } else { at };
        put(time + 500_000, "invoke", "1", "read", "\"x\"", "null");
        put(time + 900_000, "ok", "1", "read", "\"x\"", &seen.to_string());
    }
    put(3_000_000, "invoke", "2", "write", "\"y\"", "1");
    put(9_000_000, "info", "2", "write", "\"y\"", "1");
    put(4_000_000, "invoke", "3", "write", "\"y\"", "2");
    put(5_000_000, "fail", "3", "write", "\"y\"", "2");
    for (time, f) in
        [(100, "start-partition"), (101, "start-partition"), (150, "stop-partition"), (170, "kill"), (180, "start")]
    {
        put(time * 1_000_000 + 1, "info", "\"nemesis\"", f, "null", "\"n1\"");
    }
    records.sort();
    records.iter().fold(String::new(), |mut text, (_, record)| {
        let _ = writeln!(text, "{record}");
        text
    })
}

fn opened(browser: &mut Browser, history: &str) {
    let (file, page) = (browser.file("history.jsonl"), browser.file("page.html"));
    std::fs::write(&file, history).expect("a file");
    write_page(&file, &[], &page);
    browser.show(&page, 1280, 800, false);
}

/// Goal: the time line zooms, moves, shows everything, and finds operations by key, process, function, ending and text.
#[test]
fn the_time_line_zooms_and_filters() {
    if !installed() {
        return;
    }
    let mut browser = Browser::open();
    opened(&mut browser, &partitioned());
    let span = |browser: &mut Browser| browser.value("charts[0].right - charts[0].left").as_f64().expect("a number");
    browser.value("document.querySelector('.all').click()");
    let whole = span(&mut browser);
    assert!(whole > 199e6, "not all is in view: {whole} ns");
    browser.value("document.querySelector('.lanes-view').focus()");
    press(&mut browser, &["+", "+"]);
    let near = span(&mut browser);
    assert!(near < whole * 0.5, "{near} of {whole}");
    let left = browser.value("charts[0].left").as_f64().expect("a number");
    browser.value("charts[0].view.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowRight', bubbles: true }))");
    assert!(browser.value("charts[0].left").as_f64().expect("a number") > left, "it does not move");
    browser.value(
        "charts[0].view.dispatchEvent(new WheelEvent('wheel', { ctrlKey: true, deltaY: -100, cancelable: true }))",
    );
    assert!(span(&mut browser) < near, "the wheel does not zoom");
    press(&mut browser, &["0"]);
    assert!((span(&mut browser) - whole).abs() < 1.0, "0 does not show everything");

    let matches = "document.querySelector('.matches').textContent";
    let choose = |browser: &mut Browser, class: &str, text: &str| {
        browser.value(&format!(
            "(() => {{ const all = document.querySelector('.{class}');
                all.value = [...all.options].find((one) => one.textContent === {text:?}).value;
                all.dispatchEvent(new Event('change')); }})()"
        ));
    };
    for (class, text, count) in [
        ("by-key", "y", "2 operations"),
        ("by-process", "1", "200 operations"),
        ("by-function", "write", "202 operations"),
        ("by-status", "info", "1 operation"),
    ] {
        choose(&mut browser, class, text);
        assert_eq!(browser.value(matches), count, "{class} {text}");
        browser.value(&format!("document.querySelector('.{class}').value = ''"));
    }
    choose(&mut browser, "by-key", "y");
    choose(&mut browser, "by-status", "fail");
    assert_eq!(browser.value(matches), "1 operation", "filters are joined");
    press(&mut browser, &["n"]);
    let detail = browser.value("document.querySelector('.detail').textContent");
    assert!(detail.as_str().expect("text").contains("process 3, fail"), "{detail}");
    assert!(browser.complaints.is_empty(), "{:?}", browser.complaints);
}

/// Goal: faults lie over the time that they lasted, named, on the time line, the latencies and the staleness; a mark above the
/// lanes says what the nemesis did; the plots say when reads were stale, and how soon after a write they are fresh.
#[test]
fn faults_and_staleness_are_seen_in_time() {
    if !installed() {
        return;
    }
    let mut browser = Browser::open();
    opened(&mut browser, &partitioned());
    let bands = browser.value("charts[0].data.bands.map((one) => [one.name, one.from_ns, one.to_ns])");
    assert_eq!(bands, json!([["partition", 100_000_001, 150_000_001], ["kill", 170_000_001, 180_000_001]]));
    let tint = browser.value(
        "new Promise((done) => {
            charts[0].all();
            requestAnimationFrame(() => requestAnimationFrame(() => {
                const line = charts[0], c = line.context;
                const row = c.getImageData(0, line.height - 2, line.width, 1).data;
                const at = (ns) => [...row.slice(Math.round(line.x(ns)) * 4, Math.round(line.x(ns)) * 4 + 3)];
                done([at(50e6), at(110e6), at(160e6), at(175e6)]);
            }));
        })",
    );
    assert_eq!(tint[0], tint[2], "nothing was wrong before and between");
    assert!(tint[1] == tint[3] && tint[1] != tint[0], "the faults are not to be seen: {tint}");
    let mark = browser.value(
        "(() => {
            const line = charts[0], at = { pointerId: 1, bubbles: true, clientX: line.canvas.getBoundingClientRect().left + line.seenX(3), clientY: line.canvas.getBoundingClientRect().top + 17 };
            line.canvas.setPointerCapture = () => {};
            line.canvas.dispatchEvent(new PointerEvent('pointerdown', at));
            line.canvas.dispatchEvent(new PointerEvent('pointerup', at));
            return line.detail.textContent;
        })()",
    );
    assert!(
        mark.as_str().expect("text").contains("nemesis recorded") && mark.as_str().expect("text").contains("kill"),
        "{mark}"
    );

    let columns = browser.value(
        "[...document.querySelectorAll('.over-time .column')].map((one) => Boolean(one.querySelector('.fill')))",
    );
    let stale: Vec<usize> = columns
        .as_array()
        .expect("columns")
        .iter()
        .enumerate()
        .filter(|(_, one)| **one == json!(true))
        .map(|(at, _)| at)
        .collect();
    let all = columns.as_array().expect("columns").len();
    assert!(
        stale.first().is_some_and(|at| at * 10 / all == 5) && stale.last().is_some_and(|at| at * 10 / all == 7),
        "{stale:?} of {all}"
    );
    let over = browser.value("[...document.querySelectorAll('.over-time .fault-band')].map((one) => one.textContent)");
    assert_eq!(over, json!(["partition", "kill"]));
    let (band, first) = (
        browser.value("document.querySelector('.fault-band').getBoundingClientRect().left").as_f64().expect("a place"),
        browser
            .value("document.querySelector('.column .fill').getBoundingClientRect().left")
            .as_f64()
            .expect("a place"),
    );
    assert!((band - first).abs() < 40.0, "the partition is drawn at {band}, and reads are stale from {first} on");
    let fresh =
        browser.value("[...document.querySelectorAll('.freshness tbody tr')].map((one) => one.textContent).join()");
    assert!(fresh.as_str().expect("text").contains("75.5%"), "{fresh}");
    let latency = browser.value("[...document.querySelectorAll('.quantiles tr')].map((one) => one.textContent)");
    assert!(
        latency
            .as_array()
            .expect("rows")
            .iter()
            .any(|row| row.as_str().is_some_and(|row| row.starts_with("read ok200"))),
        "{latency}"
    );
    let painted = browser.value(
        "(() => { const one = document.querySelector('.latencies canvas'), data = one.getContext('2d').getImageData(0, 0, one.width, one.height).data;
            let count = 0; for (let i = 3; i < data.length; i += 4) count += data[i] > 0; return count; })()",
    );
    assert!(painted.as_u64().expect("a number") > 500, "the latencies are not drawn");
    assert!(browser.complaints.is_empty(), "{:?}", browser.complaints);
}

fn generated(operations: u32, file: &Path) {
    let output = Command::new(env!("CARGO_BIN_EXE_anachron"))
        .args(["generate", "register", "--operations", &operations.to_string(), "--processes", "30", "--keys", "100"])
        .args(["--anomaly", "stale-read"])
        .output()
        .expect("the binary runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    std::fs::write(file, output.stdout).expect("a file");
}

/// Goal: 100,000 operations open in a moment, and moving through them does not stutter. What the page itself does in a frame is
/// held to a bound; the rest is the browser's, and wide, as a machine that tests has other work. What is measured is printed.
#[test]
#[expect(clippy::print_stdout, reason = "says what was measured")]
fn a_large_history_opens_and_scrolls() {
    if !installed() {
        return;
    }
    let mut browser = Browser::open();
    let (history, page) = (browser.file("history.jsonl"), browser.file("page.html"));
    generated(100_000, &history);
    write_page(&history, &[], &page);
    browser.show(&page, 1280, 800, false);
    let drawn = browser.value("charts[0].data.process.length");
    assert!(drawn.as_u64().expect("a number") >= 100_000, "{drawn} operations are drawn");
    let ready = browser.value("Number(document.documentElement.dataset.ready)").as_f64().expect("a time");
    // Everything is in view, most of the time: to and fro, near and far again.
    let times = browser.value(
        "new Promise((done) => {
            document.querySelector('.timeline').scrollIntoView();
            document.querySelector('.all').click();
            const view = document.querySelector('.lanes-view'), frames = [], costs = [];
            const high = (times, share) => times.sort((a, b) => a - b)[Math.floor(times.length * share)];
            let last = performance.now();
            const frame = () => {
                frames.push(performance.now() - last);
                last = performance.now();
                costs.push(charts[0].cost);
                if (frames.length > 80) {
                    const seen = charts[0].right - charts[0].left > charts[0].axis.end / 3;
                    done({ frame: high(frames.slice(5), 0.95), half: high(costs.slice(5), 0.5), most: high(costs.slice(5), 0.95), seen });
                    return;
                }
                const key = ['+', 'ArrowRight', 'ArrowLeft', '-', 'ArrowDown', 'ArrowUp'][frames.length % 6];
                view.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true}));
                requestAnimationFrame(frame);
            };
            requestAnimationFrame(frame);
        })",
    );
    let of = |name: &str| times[name].as_f64().expect("a time");
    println!(
        "ready after {ready} ms; a frame costs the page {:.1} ms, 95 of 100 at most {:.1} ms, and come within {:.1} ms",
        of("half"),
        of("most"),
        of("frame")
    );
    assert_eq!(times["seen"], Value::Bool(true), "the view left the operations");
    assert!(ready < 6000.0, "the page was ready after {ready} ms");
    assert!(of("half") < 8.0, "a frame costs {} ms", of("half"));
    assert!(of("frame") < 250.0, "a frame takes {} ms", of("frame"));
    assert!(browser.complaints.is_empty(), "{:?}", browser.complaints);
}

/// Goal: of a longer history the stretches that are not drawn are told from those in which nothing happened.
#[test]
fn what_is_not_drawn_is_grey() {
    if !installed() {
        return;
    }
    let mut browser = Browser::open();
    let (history, page) = (browser.file("history.jsonl"), browser.file("page.html"));
    generated(150_000, &history);
    write_page(&history, &[], &page);
    browser.show(&page, 1280, 800, false);
    let note = browser.value("[...document.querySelectorAll('.note')].map((one) => one.textContent).join()");
    assert!(note.as_str().expect("text").contains("around the witnesses are drawn"), "{note}");
    let gaps = browser.value("charts[0].data.gaps.map((one) => [one.from, one.to])");
    let drawn = browser.value("charts[0].data.process.length").as_u64().expect("a number");
    let ends = browser.value("[charts[0].data.invoked[0], charts[0].data.end]");
    assert_eq!(gaps[0][0], 0, "what comes before the first window: {gaps}");
    assert_eq!(gaps[0][1], ends[0], "up to where it begins: {gaps}");
    assert_eq!(gaps.as_array().expect("gaps").last().expect("one")[1], ends[1], "to the end: {gaps}");
    assert!(drawn <= 100_000, "{drawn}");
}
