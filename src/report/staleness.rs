//! Staleness and convergence in the table: how much, by server, by key, and how soon after a write reads are fresh.
//!
//! What the figures are is said in `measures`; anything that is not as expected is left to the general form.

use serde_json::Value;

use super::page::{ASIDE, Cell, Page};
use super::text::{clean, duration, shorten};
use crate::verdict::Figures;

/// How many servers and keys a table shows.
const MOST_SHOWN: usize = 3;

/// The lines of `staleness`: a name and a text each.
pub(super) fn staleness(figures: &Figures) -> Option<Vec<Vec<Cell>>> {
    let (reads, stale) = (integer(figures, "reads")?, integer(figures, "stale_reads")?);
    let mut text = format!("{} of {reads} reads stale", if stale == 0 { "none".to_owned() } else { stale.to_string() });
    if stale > 0 {
        if let Some(most) = integer(figures, "time_ns_max") {
            text.push_str(&format!(", at most {}{}", duration(most), middle(figures, "stale_ns", duration)));
        }
        let versions = integer(figures, "versions_max")?;
        let middle = middle(figures, "stale_versions", |versions| versions.to_string());
        text.push_str(&format!(" and {}{middle}", counted(versions, "version")));
    }
    let mut rows = vec![row("staleness", text)];
    let smallest = format!(
        "delta {}, k {}",
        bound(figures.get("delta_ns")?, duration),
        bound(figures.get("k")?, |k| k.to_string())
    );
    rows.push(row("", smallest));
    if let Some(Value::Object(nodes)) = figures.get("by_node").filter(|_| stale > 0) {
        for (name, node) in nodes.iter().take(MOST_SHOWN) {
            rows.push(row(&format!("at {}", named(name)), one(node.as_object()?, "time_ns")?));
        }
        rows.extend(more(nodes.len()));
    }
    if let Some(Value::Array(keys)) = figures.get("worst_keys") {
        for key in keys.iter().filter_map(Value::as_object).take(MOST_SHOWN) {
            let stale = integer(key, "stale_reads")?;
            let age =
                integer(key, "time_ns_max").map_or_else(String::new, |age| format!(", at most {}", duration(age)));
            let versions = counted(integer(key, "versions_max")?, "version");
            rows.push(row(
                &format!("key {}", named(&key.get("key")?.to_string())),
                format!("{stale} stale{age}, {versions}"),
            ));
        }
        rows.extend(more(keys.len()));
    }
    Some(rows)
}

/// The lines of `convergence`.
pub(super) fn convergence(figures: &Figures) -> Option<Vec<Vec<Cell>>> {
    let (converged, diverged) = (integer(figures, "converged_keys")?, integer(figures, "diverged_keys")?);
    let keys = match diverged {
        0 => counted(converged, "key"),
        diverged => format!("{diverged} of {} differ in the end", counted(converged + diverged, "key")),
    };
    let mut rows = vec![row("convergence", format!("{}{keys}", span(figures)))];
    if let Some(Value::Object(nodes)) = figures.get("by_node").filter(|_| diverged == 0) {
        for (name, node) in nodes.iter().take(MOST_SHOWN) {
            let text = span(node.as_object()?);
            rows.push(row(&format!("at {}", named(name)), text.trim_end_matches("; ").to_owned()));
        }
        rows.extend(more(nodes.len()));
    }
    Some(rows)
}

/// How likely a read is fresh, by the time since the last write: a bar a line.
pub(super) fn freshness(page: &mut Page, figures: &Figures) {
    const WIDEST: u64 = 30;
    let Some(buckets) = figures.get("freshness").and_then(Value::as_array) else { return };
    let of = |bucket: &Value, name: &str| bucket.get(name).and_then(Value::as_u64).unwrap_or(0);
    let full: Vec<&Value> = buckets.iter().filter(|bucket| of(bucket, "reads") > 0).collect();
    if full.iter().all(|bucket| of(bucket, "reads") == of(bucket, "fresh")) {
        return;
    }
    page.gap();
    page.headed(2, 2, "fresh reads, by time since the last write", ASIDE, "");
    let widest = WIDEST.min(u64::try_from(page.width()).unwrap_or(WIDEST).saturating_sub(30).max(5));
    let line = |bucket: &&Value| {
        let (reads, fresh) = (of(bucket, "reads"), of(bucket, "fresh"));
        let since = bucket.get("since_ns").and_then(Value::as_i64).unwrap_or(0);
        let bar = usize::try_from(fresh * widest / reads.max(1)).unwrap_or(0);
        let rest = usize::try_from(widest).unwrap_or(0).saturating_sub(bar);
        let share = format!("{}%", fresh * 100 / reads.max(1));
        vec![
            Cell::from(format!("{} +", duration(since))),
            Cell::from(format!("{}{}", "#".repeat(bar), ".".repeat(rest))),
            Cell::from(format!("{share} of {reads}")),
        ]
    };
    let rows: Vec<Vec<Cell>> = full.iter().map(line).collect();
    page.grid(4, &rows, &[]);
}

fn row(name: &str, text: String) -> Vec<Cell> {
    vec![Cell::from(name.to_owned()), Cell::from(text)]
}

fn more(count: usize) -> Option<Vec<Cell>> {
    (count > MOST_SHOWN).then(|| row("", format!("… and {} more", count - MOST_SHOWN)))
}

fn named(name: &str) -> String {
    clean(&shorten(name, 16))
}

fn integer(figures: &Figures, name: &str) -> Option<i64> {
    figures.get(name)?.as_i64()
}

fn counted(count: i64, one: &str) -> String {
    format!("{count} {one}{}", if count == 1 { "" } else { "s" })
}

/// ` (p50 30.3 ms, p99 69 ms)`.
fn middle(figures: &Figures, name: &str, text: impl Fn(i64) -> String) -> String {
    let Some(some) = figures.get(name).and_then(Value::as_object) else { return String::new() };
    match (integer(some, "p50"), integer(some, "p99")) {
        (Some(half), Some(most)) => format!(" (p50 {}, p99 {})", text(half), text(most)),
        _ => String::new(),
    }
}

/// What one server showed.
fn one(node: &Figures, ages: &str) -> Option<String> {
    let (reads, stale) = (integer(node, "reads")?, integer(node, "stale_reads")?);
    if stale == 0 {
        return Some(format!("none of {reads} reads stale"));
    }
    let most = node.get(ages).and_then(Value::as_object).and_then(|ages| integer(ages, "max"));
    let most = most.map_or_else(String::new, |most| format!(", at most {}", duration(most)));
    Some(format!("{stale} of {reads} reads stale{most}, {}", counted(integer(node, "versions_max")?, "version")))
}

/// `82 ms`, `32 to 33`, `at least 2`, `none is enough`.
fn bound(value: &Value, text: impl Fn(i64) -> String) -> String {
    let of = |name: &str| value.get(name).and_then(Value::as_i64);
    match (value.as_i64(), of("at_least"), of("at_most")) {
        (Some(exact), ..) => text(exact),
        (None, Some(least), Some(most)) => format!("{} to {}", text(least), text(most)),
        (None, Some(least), None) => format!("at least {}", text(least)),
        _ => "none is enough".to_owned(),
    }
}

/// `not yet after 646 µs, within 1.07 s; `.
fn span(figures: &Figures) -> String {
    match (integer(figures, "time_ns"), integer(figures, "within_ns")) {
        (Some(0), Some(within)) => format!("within {}; ", duration(within)),
        (Some(time), Some(within)) => format!("not yet after {}, within {}; ", duration(time), duration(within)),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Style;
    use super::*;

    fn render(json: &str, width: usize) -> String {
        let figures: Figures = serde_json::from_str(json).expect("figures");
        let mut page = Page::new(&Style { width, ..Style::default() });
        super::super::measures::render(&mut page, &figures);
        page.finish()
    }

    const BOTH: &str = r#"{"staleness":{"reads":3574,"stale_reads":1775,"time_ns_max":82044173,"versions_max":31,
        "delta_ns":82044173,"k":{"at_least":32,"at_most":33},"stale_ns":{"p50":30300000,"p99":69000000,"max":82044173},
        "stale_versions":{"p50":8,"p99":20,"max":31},
        "by_node":{"replica":{"reads":1787,"stale_reads":1775,"versions_max":31,"time_ns":{"max":82044173}},
                   "primary":{"reads":1787,"stale_reads":0,"versions_max":0}},
        "worst_keys":[{"key":"k1","stale_reads":347,"time_ns_max":82044173,"versions_max":21,"delta_ns":82044173,"k":22}],
        "freshness":[{"since_ns":0,"reads":40,"fresh":10},{"since_ns":1000000,"reads":0,"fresh":0},
                     {"since_ns":2000000,"reads":10,"fresh":10}]},
      "convergence":{"time_ns":646000,"within_ns":1070000000,"converged_keys":5,"diverged_keys":0}}"#;

    /// Goal: one look says how stale, where, and since when it was over; nothing is wider than the terminal.
    #[test]
    fn the_profile_is_readable() {
        assert_eq!(
            render(BOTH, 100),
            "measures
  staleness    1775 of 3574 reads stale, at most 82 ms (p50 30.3 ms, p99 69 ms) and 31 versions (p50
               8, p99 20)
               delta 82 ms, k 32 to 33
  at replica   1775 of 1787 reads stale, at most 82 ms, 31 versions
  at primary   none of 1787 reads stale
  key \"k1\"     347 stale, at most 82 ms, 21 versions
  convergence  not yet after 646 µs, within 1.07 s; 5 keys

  fresh reads, by time since the last write
    0 s +   #######.......................  25% of 40
    2 ms +  ##############################  100% of 10
"
        );
        for width in [40, 60] {
            let text = render(BOTH, width);
            assert!(text.lines().all(|line| line.chars().count() <= width), "{text}");
        }
    }

    /// Goal: what is unknown or none says so, and what is not as expected is not hidden.
    #[test]
    fn bounds_and_strangers() {
        let text = render(
            r#"{"staleness":{"reads":3,"stale_reads":1,"time_ns_max":null,"versions_max":1,"delta_ns":null,
                "k":{"at_least":2,"at_most":null}},"convergence":{"odd":7}}"#,
            100,
        );
        assert!(text.contains("1 of 3 reads stale and 1 version"), "{text}");
        assert!(text.contains("delta none is enough, k at least 2"), "{text}");
        assert!(text.contains("odd 7"), "{text}");
    }
}
