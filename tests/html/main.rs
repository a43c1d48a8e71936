//! The page: what it says without a browser, and what a real one shows of it.

#![cfg(unix)]

mod browser;
mod page;
mod pictures;
mod reader;
mod time;

use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use browser::{Browser, installed};

/// The page of a history that ships, or of any file, written to a path.
fn write_page(history: &Path, more: &[&str], page: &Path) {
    let output = Command::new(env!("CARGO_BIN_EXE_anachron"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .arg("check")
        .arg(history)
        .args(more)
        .args(["--quiet", "--output", &format!("html={}", page.display())])
        .output()
        .expect("the binary runs");
    assert!(matches!(output.status.code(), Some(0 | 1 | 3)), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Presses keys as a person does, on what has the focus.
fn press(browser: &mut Browser, keys: &[&str]) {
    for key in keys {
        let (code, text) = match *key {
            "Enter" => (13, "\r"),
            "Tab" => (9, ""),
            one => (0, one),
        };
        let event = |kind: &str| serde_json::json!({"type": kind, "key": key, "windowsVirtualKeyCode": code, "text": if kind == "keyUp" { "" } else { text }});
        browser.call("Input.dispatchKeyEvent", event("keyDown"));
        browser.call("Input.dispatchKeyEvent", event("keyUp"));
    }
}

/// A fault of the report, and what of it must be in the first screen.
struct Fault {
    name: &'static str,
    history: &'static str,
    requires: &'static [&'static str],
    /// A selector of the page: the picture of the fault.
    picture: &'static str,
    /// Words that stand in the first screen.
    words: &'static [&'static str],
}

const FAULTS: [Fault; 4] = [
    Fault {
        name: "cycle",
        history: "histories/postgres/list-append-repeatable-read.jsonl",
        requires: &["--require", "serializable"],
        picture: ".finding .cycle svg",
        words: &["violated", "G2-item", "T1 comes before T2, and T2 before T1"],
    },
    Fault {
        name: "linearizability",
        history: "histories/redis/replica-reads-lagging.jsonl",
        requires: &["--require", "linearizable"],
        picture: ".finding .intervals .impossible .bar",
        words: &["violated", "non-linearizable", "a client acts on data that was already overwritten"],
    },
    Fault {
        name: "stale-read",
        history: "histories/redis/replica-reads-lagging.jsonl",
        requires: &["--require", "bounded-staleness:time=50ms"],
        picture: ".finding .intervals .impossible .bar",
        words: &["violated", "bounded-staleness", "acted on data that was no longer true"],
    },
    Fault {
        name: "duplicate-charge",
        history: "histories/payments/check-then-insert.jsonl",
        requires: &[],
        picture: ".finding .lanes .fault",
        words: &["violated", "duplicate-effect", "took effect twice"],
    },
];

/// Goal: in a real browser each fault is to be seen at once, light and dark, wide and narrow; nothing is loaded, nothing
/// complains, and nothing is wider than the window.
#[test]
fn each_fault_is_seen_at_first_sight() {
    if !installed() {
        return;
    }
    let mut browser = Browser::open();
    for fault in FAULTS {
        let page = browser.file(&format!("{}.html", fault.name));
        write_page(Path::new(fault.history), fault.requires, &page);
        let mut backgrounds = Vec::new();
        for (width, height) in [(1280, 800), (400, 800)] {
            for dark in [false, true] {
                let case = format!("{} at {width}, dark {dark}", fault.name);
                browser.show(&page, width, height, dark);
                let seen = browser.value(
                    "[...document.querySelectorAll('h1, h2, p, li, td, .pill')]
                        .filter((one) => one.getBoundingClientRect().top < innerHeight).map((one) => one.textContent).join('\\n')",
                );
                for word in fault.words {
                    assert!(
                        seen.as_str().expect("text").contains(word),
                        "{case}: no {word:?} in the first screen: {seen}"
                    );
                }
                let top =
                    browser.value(&format!("document.querySelector({:?}).getBoundingClientRect().top", fault.picture));
                assert!(top.as_f64().expect("a number") < f64::from(height), "{case}: the picture begins at {top}");
                let wide = browser.value("document.documentElement.scrollWidth");
                assert!(wide.as_u64().expect("a number") <= u64::from(width), "{case}: the page is {wide} wide");
                backgrounds.push(browser.value("getComputedStyle(document.body).backgroundColor"));
                let contrast = browser.value(CONTRAST);
                assert!(contrast.as_f64().expect("a number") >= 4.5, "{case}: text has a contrast of {contrast}");
                let picture = browser.picture();
                let bytes = base64::engine::general_purpose::STANDARD.decode(picture).expect("base64");
                assert!(bytes.len() > 20_000, "{case}: the picture is nearly empty");
                if let Some(folder) = std::env::var_os("ANACHRON_SCREENSHOTS") {
                    let shade = if dark { "dark" } else { "light" };
                    let name = format!("{}-{width}-{shade}.png", fault.name);
                    std::fs::write(Path::new(&folder).join(name), bytes).expect("a file");
                }
            }
        }
        assert_ne!(backgrounds[0], backgrounds[1], "dark is as light");
    }
    assert!(browser.requests.iter().all(|url| url.starts_with("file://")), "{:?}", browser.requests);
    assert!(browser.complaints.is_empty(), "{:?}", browser.complaints);
}

/// The least contrast of the words of a page to what they stand on.
const CONTRAST: &str = "(() => {
    const parse = (text) => text.match(/[\\d.]+/g).map(Number);
    const light = ([r, g, b]) => [r, g, b].map((c) => c / 255).map((c) => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
        .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    const ground = (one) => { for (; one; one = one.parentElement) {
        const color = parse(getComputedStyle(one).backgroundColor);
        if (color.length === 3 || color[3] === 1) return color; } return [255, 255, 255]; };
    let least = 21;
    for (const one of document.querySelectorAll('h1, h2, p, li, td, th, b, .pill, .tag, summary, figcaption, .what')) {
        if (!one.textContent.trim() || !one.offsetParent) continue;
        const [a, b] = [light(parse(getComputedStyle(one).color)), light(ground(one))];
        least = Math.min(least, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05));
    }
    return least;
})()";

/// Goal: from a picture to the record, by mouse and by keyboard.
#[test]
fn a_picture_leads_to_its_record() {
    if !installed() {
        return;
    }
    let mut browser = Browser::open();
    let page = browser.file("page.html");
    write_page(Path::new(FAULTS[0].history), FAULTS[0].requires, &page);
    browser.show(&page, 1280, 800, false);
    browser.value(
        "document.querySelector('.cycle a').dispatchEvent(new MouseEvent('click', {bubbles: true, cancelable: true}))",
    );
    let detail = browser.value("document.querySelector('.detail').textContent");
    assert!(detail.as_str().expect("text").contains("records 125 and 140"), "{detail}");
    let record = browser.value("document.querySelector('.operations details[open] pre').textContent");
    assert!(record.as_str().expect("text").contains("\"index\":125"), "{record}");
    let press =
        |key: &str| format!("document.dispatchEvent(new KeyboardEvent('keydown', {{key: '{key}', bubbles: true}}))");
    browser.value("document.querySelector('.find').value = 'append 3 16'; document.querySelector('.find').dispatchEvent(new Event('input'))");
    assert_eq!(browser.value("document.querySelector('.matches').textContent"), "1 operation");
    browser.value(&press("n").replace("document.dispatch", "document.body.dispatch"));
    let detail = browser.value("document.querySelector('.detail').textContent");
    assert!(detail.as_str().expect("text").contains("append 3 16"), "{detail}");
    browser.value(&press("t").replace("document.dispatch", "document.body.dispatch"));
    assert_eq!(browser.value("document.documentElement.dataset.theme"), "dark");
    browser.value(&press("?").replace("document.dispatch", "document.body.dispatch"));
    assert_eq!(browser.value("document.getElementById('help').open"), true);
    assert!(browser.complaints.is_empty(), "{:?}", browser.complaints);
}

/// Goal: markup and script in a history's strings, in its name and in what is said of a file that can't be read are shown as
/// text, wherever they stand, and run nowhere, also when everything is opened, pointed at and searched.
#[test]
fn script_in_strings_stays_text() {
    if !installed() {
        return;
    }
    let mut browser = Browser::open();
    let page = browser.file("page.html");
    let (history, broken) = (browser.file("<img src=x onerror=window.hacked=1>.jsonl"), browser.file("broken.jsonl"));
    std::fs::write(&history, page::hostile_history()).expect("a file");
    std::fs::write(&broken, r#"{"type":"<img src=x onerror=window.hacked=1>","process":0}"#).expect("a file");
    let output = Command::new(env!("CARGO_BIN_EXE_anachron"))
        .arg("check")
        .args([&history, &broken])
        .args(["--quiet", "--output", &format!("html={}", page.display())])
        .output()
        .expect("the binary runs");
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    browser.show(&page, 1280, 800, false);
    browser.value(
        "(async () => {
            for (const one of document.querySelectorAll('section.history')) {
                one.scrollIntoView();
                await new Promise((done) => requestAnimationFrame(() => setTimeout(done, 30)));
            }
            for (const one of document.querySelectorAll('details')) one.open = true;
            for (const one of document.querySelectorAll('[data-at]')) {
                one.dispatchEvent(new MouseEvent('mouseover', { bubbles: true }));
                one.dispatchEvent(new MouseEvent('click', { bubbles: true, cancelable: true }));
            }
            for (const line of charts.filter((one) => one.view)) {
                for (let i = 0; i < line.data.process.length; i++) line.show(i);
                for (let j = 0; j < line.data.seen.length; j++) line.chooseSeen(j);
                line.find.value = '<img';
                line.filter();
            }
        })()",
    );
    assert!(browser.value("window.hacked === undefined").as_bool().expect("a boolean"), "a string of the history ran");
    assert_eq!(browser.value("document.querySelectorAll('img, iframe, object').length"), 0);
    assert_eq!(browser.value("document.querySelectorAll('script').length"), 2, "the data's and the page's own");
    let text = browser.value("document.body.innerText");
    let text = text.as_str().expect("text");
    // Where each kind of string stands: name, process, key, node, value; faults below.
    for part in ["<img src=x onerror=window.hacked=1>.jsonl", "process \"w", "\"k", " on \"n", "\"v"] {
        assert!(text.contains(part), "{part} is not shown: {text}");
    }
    let marks = browser.value("charts.filter((one) => one.view).map((one) => one.data.bands.concat(one.data.seen).map((one) => (one.name || one.text)).join()).join()");
    assert!(marks.as_str().expect("text").contains("</script>"), "no fault with markup is drawn: {marks}");
    assert!(browser.complaints.is_empty(), "{:?}", browser.complaints);
    assert!(browser.requests.iter().all(|url| url.starts_with("file://")), "{:?}", browser.requests);
}
