//! Every kind of witness has a picture that shows its fault: marked, whole, legible.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::browser::{Browser, installed};

/// One page of all these histories; each kind of anomaly that was found.
fn page_of(histories: &[PathBuf], page: &Path) {
    let output = Command::new(env!("CARGO_BIN_EXE_anachron"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .arg("check")
        .args(histories)
        .args(["--quiet", "--output", &format!("html={}", page.display())])
        .output()
        .expect("the binary runs");
    assert!(matches!(output.status.code(), Some(1..=3)), "{}", String::from_utf8_lossy(&output.stderr));
}

/// What is wrong with the pictures of a page, and the names of the anomalies that it shows.
const FLAWS: &str = "(() => {
    const flaws = [], names = new Set();
    if (document.documentElement.scrollWidth > innerWidth) flaws.push('the page is ' + document.documentElement.scrollWidth + ' wide');
    const meet = (a, b, by = 0) => a.left + by < b.right && b.left + by < a.right && a.top + by < b.bottom && b.top + by < a.bottom;
    for (const card of document.querySelectorAll('.finding')) {
        const name = card.querySelector('h2').firstChild.textContent;
        const flaw = (text) => flaws.push(card.closest('section').querySelector('.source').textContent + ' ' + name + ': ' + text);
        names.add(name);
        const picture = card.querySelector('.picture figure');
        if (!picture) { flaw('no picture'); continue; }
        if (!card.querySelector('.cycle svg, .impossible .bar, .lanes .fault')) flaw('no fault is marked');
        if (!card.querySelector('.cycle svg, .lanes, .interval .bar')) flaw('nothing is drawn');
        for (const bar of card.querySelectorAll('.bar')) if (bar.getBoundingClientRect().width < 4) flaw('a bar is too narrow');
        const svg = card.querySelector('.cycle svg');
        if (!svg) continue;
        const frame = svg.getBoundingClientRect();
        const nodes = [...svg.querySelectorAll('.node')], labels = [...svg.querySelectorAll('.edge-label')].map((one) => [one.textContent, one.getBoundingClientRect()]);
        const boxes = nodes.map((one) => one.querySelector('rect').getBoundingClientRect());
        nodes.forEach((one, at) => {
            const text = one.querySelector('text').getBoundingClientRect();
            if (text.left < boxes[at].left + 1 || text.right > boxes[at].right - 1) flaw('the name is wider than its box: ' + one.textContent);
            if (boxes.some((other, k) => k > at && meet(boxes[at], other))) flaw('two boxes meet: ' + one.textContent);
        });
        labels.forEach(([text, box], at) => {
            if (box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1 || box.bottom > frame.bottom + 1) flaw('cut off: ' + text);
            if (boxes.some((other) => meet(box, other, 2))) flaw('on a box: ' + text);
            for (const [other, there] of labels.slice(at + 1)) if (meet(box, there, 1)) flaw('one on the other: ' + text + ' and ' + other);
        });
    }
    return { flaws, names: [...names] };
})()";

fn flaws(browser: &mut Browser, page: &Path, names: &mut Vec<String>) {
    for width in [1280, 400] {
        browser.show(page, width, 800, false);
        let found = browser.value(FLAWS);
        assert_eq!(found["flaws"], Value::Array(Vec::new()), "at {width}");
        names.extend(
            found["names"].as_array().expect("names").iter().map(|name| name.as_str().expect("a name").to_owned()),
        );
    }
}

/// Goal: each history that ships and shows a fault has a picture of it in which the fault is marked, and no label is cut off
/// or lies on another, wide and narrow.
#[test]
fn each_kind_of_witness_has_its_picture() {
    if !installed() {
        return;
    }
    let mut browser = Browser::open();
    let page = browser.file("page.html");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut names = Vec::new();
    for folder in ["anomalies", "delivery", "idempotency", "outbox", "saga", "reconciliation", "postgres", "redis"] {
        let files = std::fs::read_dir(root.join("histories").join(folder)).expect("a folder");
        let mut files: Vec<PathBuf> = files.map(|file| file.expect("a file").path()).collect();
        files.retain(|file| {
            file.extension().is_some_and(|ext| ext == "jsonl") && !file.to_string_lossy().contains("-holds")
        });
        files.sort();
        page_of(&files, &page);
        flaws(&mut browser, &page, &mut names);
    }
    names.sort();
    names.dedup();
    assert!(names.len() > 100, "only {} kinds were seen: {names:?}", names.len());
    assert!(browser.complaints.is_empty(), "{:?}", browser.complaints);
}

/// Transactions in a ring, each of which read what the one before appended: no smaller cycle is there.
fn ring(count: usize) -> String {
    let mut text = String::new();
    let key = |at: usize| format!("\"account/東京/{at} with a long name\"");
    for (kind, read) in [("invoke", "null"), ("ok", "[1]")] {
        for at in 0..count {
            let before = (at + count - 1) % count;
            let _ = writeln!(
                text,
                "{{\"type\":\"{kind}\",\"process\":{at},\"f\":\"txn\",\"value\":[[\"append\",{},1],[\"r\",{},{read}]]}}",
                key(at),
                key(before)
            );
        }
    }
    text
}

/// Goal: a large cycle with long keys is as legible as a small one, and a larger one than can be drawn has its operations in
/// time and its steps in words.
#[test]
fn large_cycles_stay_legible() {
    if !installed() {
        return;
    }
    let mut browser = Browser::open();
    let page = browser.file("page.html");
    let files: Vec<PathBuf> = [3, 5, 8, 12]
        .map(|count| (count, browser.file(&format!("ring-{count}.jsonl"))))
        .map(|(count, file)| {
            std::fs::write(&file, ring(count)).expect("a file");
            file
        })
        .into();
    page_of(&files, &page);
    flaws(&mut browser, &page, &mut Vec::new());
    let nodes = browser
        .value("[...document.querySelectorAll('section')].map((one) => one.querySelectorAll('.cycle .node').length)");
    assert_eq!(nodes, serde_json::json!([3, 5, 8, 12]));
    std::fs::write(&files[0], ring(30)).expect("a file");
    page_of(&files[..1], &page);
    browser.show(&page, 1280, 800, false);
    let counts = browser.value("['.cycle', '.interval', '.steps li'].map((one) => document.querySelector('.finding').querySelectorAll(one).length)");
    assert_eq!(counts, serde_json::json!([0, 30, 30]));
    let dense = browser.value("document.querySelector('.interval').getBoundingClientRect().height");
    assert!(dense.as_f64().expect("a height") < 40.0, "each of many operations has one line: {dense}");
}
