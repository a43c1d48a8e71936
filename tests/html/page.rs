//! What needs no browser: bytes, sizes, and what must not stand in a page.

use std::path::Path;

use super::write_page;

/// A register whose strings are markup and script, with a fault that shows them.
pub(crate) fn hostile_history() -> String {
    let evil = r#"</script><script>window.hacked=1</script><img src=x onerror=\"window.hacked=1\">\u2028]]>-->"#;
    let record = |kind: &str, process: &str, f: &str, value: &str| {
        format!(
            "{{\"type\":\"{kind}\",\"process\":\"{process}\",\"f\":\"{f}\",\"key\":\"k{evil}\",\"node\":\"n{evil}\",\"value\":{value}}}\n"
        )
    };
    let (writer, reader) = (format!("w{evil}"), format!("r{evil}"));
    let value = format!("\"v{evil}\"");
    let mut text = record("invoke", &writer, "write", &value) + &record("ok", &writer, "write", &value);
    text += &record("invoke", &reader, "read", "null");
    text += &record("ok", &reader, "read", "null");
    // A failed operation, with an error text.
    text += &record("invoke", &writer, "write", "7");
    text +=
        &record("fail", &writer, "write", "7").replace("\"value\":7", &format!("\"value\":7,\"error\":\"e{evil}\""));
    let nemesis = format!("nemesis{evil}");
    text += &record("info", &nemesis, &format!("start-{evil}"), &value);
    text
}

fn page(history: &Path, more: &[&str]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("page.html");
    write_page(history, more, &file);
    std::fs::read_to_string(&file).expect("a page")
}

/// Goal: the page names no address outside of itself, and allows no script but its own.
#[test]
fn nothing_is_loaded() {
    let page = page(Path::new("histories/payments/check-then-insert.jsonl"), &[]);
    for load in ["http:", "https:", "src=", "@import", "url(", "<link", "<iframe"] {
        let found: Vec<&str> = page.match_indices(load).map(|(at, _)| &page[at..(at + 40).min(page.len())]).collect();
        // Arrowheads of the page's own drawings are the one thing that is referred to by address.
        assert!(found.iter().all(|text| text.starts_with("url(#")), "{load}: {found:?}");
    }
    assert!(page.contains("default-src 'none'; script-src 'sha256-"), "{}", &page[..600]);
    assert_eq!(page.matches("<script>").count(), 1);
}

/// Goal: what a history's strings hold is escaped in markup and inert in the data.
#[test]
fn strings_are_escaped() {
    let folder = tempfile::tempdir().expect("a folder");
    let history = folder.path().join("history.jsonl");
    std::fs::write(&history, hostile_history()).expect("a file");
    let page = page(&history, &[]);
    assert!(page.contains("&lt;img src=x") && page.contains("\\u003cimg"), "the strings are not in the page");
    assert!(!page.contains("<img") && page.matches("<script").count() == 2, "a string became markup");
}

/// Goal: same input, same bytes, whatever the number of threads.
#[test]
fn the_bytes_are_the_same() {
    let history = Path::new("histories/postgres/list-append-repeatable-read.jsonl");
    let one = page(history, &["--threads", "1"]);
    assert!(one == page(history, &["--threads", "2"]) && one == page(history, &[]));
}

/// Goal: a history of more operations than a page draws says so, and draws those around its witness.
#[test]
fn a_longer_history_is_drawn_around_its_witness() {
    let folder = tempfile::tempdir().expect("a folder");
    let history = folder.path().join("history.jsonl");
    let mut text = String::new();
    let mut write = |value: u32, read: Option<u32>| {
        for kind in ["invoke", "ok"] {
            text.push_str(&format!("{{\"type\":\"{kind}\",\"process\":0,\"f\":\"write\",\"value\":{value}}}\n"));
        }
        if let Some(value) = read {
            text.push_str("{\"type\":\"invoke\",\"process\":0,\"f\":\"read\",\"value\":null}\n");
            text.push_str(&format!("{{\"type\":\"ok\",\"process\":0,\"f\":\"read\",\"value\":{value}}}\n"));
        }
    };
    for value in 0..120_000 {
        // The last read is of a value long gone.
        write(value, if value == 119_999 { Some(119_990) } else { None });
    }
    std::fs::write(&history, text).expect("a file");
    let page = page(&history, &[]);
    assert!(page.contains("The history has 120001 operations; the "), "it does not say what it leaves out");
    let (_, data) = page.split_once("type=\"application/json\"").expect("data");
    let data = &data[data.find('{').expect("JSON")..data.find("</script>").expect("the end")];
    let data: serde_json::Value = serde_json::from_str(data).expect("JSON");
    let texts = data["text"].as_array().expect("texts");
    assert!(texts.len() <= 100_000 && texts.last().expect("a text") == "read → 119990", "{:?}", texts.last());
}
