//! A page for those who use the keyboard, listen, or print.

use std::path::Path;

use serde_json::{Value, json};

use super::browser::{Browser, installed};
use super::{FAULTS, press, write_page};

/// What the accessibility tree calls each thing of these roles.
fn names(browser: &mut Browser, role: &str) -> Vec<String> {
    browser.call("Accessibility.enable", json!({}));
    let tree = browser.call("Accessibility.getFullAXTree", json!({}));
    let nodes = tree["nodes"].as_array().expect("nodes");
    let of_role = nodes.iter().filter(|node| node["role"]["value"] == role && node["ignored"] != true);
    of_role.map(|node| node["name"]["value"].as_str().unwrap_or_default().to_owned()).collect()
}

/// Goal: `w` goes from witness to witness, Tab from operation to operation within one, Enter opens the record; and all of it
/// is where the focus can be seen.
#[test]
fn the_keyboard_leads_through_the_witnesses() {
    if !installed() {
        return;
    }
    let mut browser = Browser::open();
    let page = browser.file("page.html");
    for (fault, second) in [(&FAULTS[0], "T2"), (&FAULTS[1], "R1 read k0"), (&FAULTS[3], "+30.2 ms")] {
        write_page(Path::new(fault.history), fault.requires, &page);
        browser.show(&page, 1280, 800, false);
        press(&mut browser, &["w"]);
        let focus = "document.activeElement";
        let card = browser.value(&format!("{focus}.closest('.finding').id"));
        assert_eq!(card, "w0-0", "{}: the first witness has the focus", fault.name);
        press(&mut browser, &["Tab"]);
        let text = browser.value(&format!("{focus}.textContent"));
        assert!(text.as_str().expect("text").contains(second), "{}: {text}", fault.name);
        let outline = browser.value(&format!("getComputedStyle({focus}).outlineStyle"));
        assert_ne!(outline, "none", "{}: the focus can't be seen", fault.name);
        press(&mut browser, &["Enter"]);
        let open = browser.value("document.querySelectorAll('.operations details.chosen[open] pre').length");
        assert!(open.as_u64().expect("a number") > 0, "{}: no record is open", fault.name);
        let detail = browser.value("document.querySelector('.detail').textContent");
        assert!(detail.as_str().expect("text").contains("record"), "{}: {detail}", fault.name);
        press(&mut browser, &["w"]);
        let next = browser.value(&format!("{focus}.closest('.finding').id"));
        press(&mut browser, &["W"]);
        assert_eq!(browser.value(&format!("{focus}.closest('.finding').id")), "w0-0", "back from {next}");
    }
}

/// Goal: whatever acts or is a picture has a name that can be read aloud, and a cycle's operations can be reached in it.
#[test]
fn everything_has_a_name() {
    if !installed() {
        return;
    }
    let mut browser = Browser::open();
    let page = browser.file("page.html");
    for fault in &FAULTS {
        write_page(Path::new(fault.history), fault.requires, &page);
        browser.show(&page, 1280, 800, false);
        for role in [
            "button",
            "link",
            "textbox",
            "searchbox",
            "combobox",
            "image",
            "img",
            "application",
            "search",
            "table",
            "article",
        ] {
            for name in names(&mut browser, role) {
                assert!(!name.trim().is_empty(), "{}: a {role} without a name", fault.name);
            }
        }
        assert_eq!(names(&mut browser, "main").len(), 1, "{}", fault.name);
        let headings = names(&mut browser, "heading");
        assert!(headings[0].contains("violated"), "{}: {headings:?}", fault.name);
        let links = names(&mut browser, "link");
        let expected = match fault.name {
            "cycle" => "T1, to its record",
            "duplicate-charge" => "0 s",
            _ => "(can't be)",
        };
        assert!(links.iter().any(|link| link.contains(expected)), "{}: {links:?}", fault.name);
    }
    assert!(browser.complaints.is_empty(), "{:?}", browser.complaints);
}

/// Goal: on paper, even from a dark screen, the page is light, its pictures keep their ink, what can only be clicked is gone,
/// and each witness shows its records; afterwards the page is as it was.
#[test]
fn paper_shows_what_a_screen_shows() {
    if !installed() {
        return;
    }
    let mut browser = Browser::open();
    let page = browser.file("page.html");
    write_page(Path::new(FAULTS[1].history), FAULTS[1].requires, &page);
    browser.show(&page, 1280, 800, true);
    let open = "document.querySelectorAll('.operations details[open]').length";
    assert_eq!(browser.value(open), 0);
    let pdf = browser.call("Page.printToPDF", json!({"printBackground": false}));
    assert!(pdf["data"].as_str().expect("a document").len() > 40_000, "the document is nearly empty");
    assert_eq!(browser.value(open), 0, "the page is not as it was before it was printed");
    let dark = browser.value("getComputedStyle(document.body).backgroundColor");
    assert_ne!(dark, "rgb(255, 255, 255)");

    let features = json!([{"name": "prefers-color-scheme", "value": "dark"}]);
    browser.call("Emulation.setEmulatedMedia", json!({"media": "print", "features": features}));
    browser.value("dispatchEvent(new Event('beforeprint'))");
    assert_ne!(browser.value(open), 0, "the records are not on paper");
    let style = |browser: &mut Browser, selector: &str, name: &str| -> Value {
        browser.value(&format!("getComputedStyle(document.querySelector({selector:?})).{name}"))
    };
    assert_eq!(style(&mut browser, "body", "backgroundColor"), "rgb(255, 255, 255)");
    assert_eq!(style(&mut browser, "body", "color"), "rgb(0, 0, 0)");
    assert_eq!(style(&mut browser, ".impossible .bar", "printColorAdjust"), "exact");
    for gone in [".controls", ".detail", "#theme"] {
        assert_eq!(style(&mut browser, gone, "display"), "none", "{gone}");
    }
    let corner = browser.value(
        "[...document.querySelector('.lanes-view canvas').getContext('2d').getImageData(2, 2, 1, 1).data].slice(0, 3)",
    );
    assert_eq!(corner, json!([255, 255, 255]), "the time line is dark on light paper");
    browser.value("dispatchEvent(new Event('afterprint'))");
    assert_eq!(browser.value(open), 0);
    assert!(browser.complaints.is_empty(), "{:?}", browser.complaints);
}
