//! Contract files: what they say, and how they are refused.
use super::*;

const WORKLOADS: &[&str] = &["register", "list-append", "idempotency", "delivery"];

const GATE: &str = r#"
[[use-case]]
name = "payments"
match = { workload = "idempotency", scope = "POST /payments" }
require = ["idempotent"]
idempotent = { ttl = "24h", mismatch = 422, in-flight = 409, replay = "exact", cache = ["2xx", "4xx"] }

[[use-case]]
name = "profiles"
match = { key = ["user/*", 7] }
require = ["session", "bounded-staleness:combine=all"]
bounded-staleness = { time = "500ms", versions = 3 }

[use-case.match]
"#;

/// The gate without its last, broken, table.
fn gate() -> String {
    GATE.replace("[use-case.match]\n", "")
}

/// Goal: the contract that the documentation shows means what it says.
#[test]
fn reads_a_contract() {
    let text = gate()
        + "[[use-case]]\nname = \"catalogue\"\nmatch = { key = 'catalog/*' }\nrequire = 'eventual'\n\n\
                [use-case.eventual]\nwithin = '30s'\n\n[input]\ntype = 'level'\n";
    let contract = Contract::parse(&text, WORKLOADS).expect("a contract");
    let names: Vec<(&str, usize)> = contract.use_cases.iter().map(|one| (one.name.as_str(), one.line)).collect();
    assert_eq!(names, [("payments", 2), ("profiles", 8), ("catalogue", 14)]);
    let [payments, profiles, catalogue] = &contract.use_cases[..] else { panic!("three use cases") };

    let idempotent = payments.requirements[0].policy().expect("it was checked");
    assert_eq!(idempotent.duration_ns("ttl"), Some(86_400_000_000_000));
    assert_eq!(idempotent.integer("in-flight"), Some(409));
    assert_eq!(idempotent.words("cache"), ["2xx", "4xx"]);
    assert_eq!(payments.requirements[0].use_case.as_deref(), Some("payments"));

    let required: Vec<Guarantee> = profiles.requirements.iter().map(|one| one.guarantee).collect();
    assert_eq!(required, [Guarantee::Session, Guarantee::BoundedStaleness]);
    let staleness = profiles.requirements[1].policy().expect("it was checked");
    assert_eq!((staleness.integer("versions"), staleness.word("combine").as_deref()), (Some(3), Some("all")));
    let selects = |key| profiles.selection.matches(&Subject { key: Some(key), ..Subject::default() });
    assert!(selects("user/9") && selects("7") && !selects("catalog/9"));
    assert_eq!(profiles.selection.extent(Guarantee::Session), Extent::Whole);

    assert_eq!(catalogue.requirements[0].policy().expect("it was checked").duration_ns("within"), Some(30_000_000_000));
    assert_eq!(contract.requirements().count(), 4);
    assert_eq!(contract.input.expect("it is there")["type"].as_str(), Some("level"));
}

/// Goal: an empty contract requires nothing, and says so by having nothing.
#[test]
fn reads_an_empty_contract() {
    assert_eq!(Contract::parse("", WORKLOADS), Ok(Contract::default()));
    assert_eq!(Contract::parse("# nothing yet\n", &[]), Ok(Contract::default()));
}

/// Goal: every mistake is told with its place, and with what would be right.
#[test]
fn refuses_with_a_place_and_help() {
    let case = "[[use-case]]\nname = \"a\"\n";
    for (text, place, part) in [
        // Not TOML at all.
        ("[[use-case]\n", (1, 12), ""),
        ("a = 1\na = 2\n", (2, 1), "duplicate key"),
        // The outermost level.
        ("[[usecase]]\nname = 1\n", (1, 3), "did you mean `use-case`?"),
        ("require = [\"serializable\"]\n", (1, 1), "put it below a `[[use-case]]`"),
        ("[use-case]\nname = \"a\"\n", (1, 2), "write `[[use-case]]`"),
        ("input = 3\n", (1, 1), "write `[input]`"),
        // A use case.
        ("[[use-case]]\nrequire = [\"serializable\"]\n", (1, 1), "without a name"),
        ("[[use-case]]\nname = 3\nrequire = [\"serializable\"]\n", (2, 8), "is text"),
        (&format!("{case}requires = [\"serializable\"]\nrequire = [\"causal\"]\n"), (3, 1), "did you mean `require`?"),
        (&format!("{case}require = []\n"), (3, 11), "requires nothing"),
        (&format!("{case}\n"), (1, 1), "requires nothing"),
        (&format!("{case}require = [\"causal\", \"CCv\"]\n"), (3, 22), "causal is required twice"),
        (&format!("{case}require = [1]\n"), (3, 12), "not the name of a guarantee"),
        // Names of guarantees.
        (&format!("{case}require = [\"causal\", \"serialisable\"]\n"), (3, 23), "did you mean `serializable`?"),
        (&format!("{case}require = [\"session@node\"]\n"), (3, 13), "it has @global"),
        (&format!("{case}require = [\"eventual:wihtin=3s\"]\n"), (3, 22), "did you mean `within`?"),
        // Parameters.
        (&format!("{case}require = [\"causal\"]\neventual = {{ within = \"3s\" }}\n"), (4, 1), "is not required"),
        (&format!("{case}require = [\"eventual\"]\neventual = \"3s\"\n"), (4, 12), "not a table"),
        (
            &format!("{case}require = [\"eventual\"]\neventual = {{ wihtin = \"3s\" }}\n"),
            (4, 14),
            "did you mean `within`?",
        ),
        (&format!("{case}require = [\"eventual\"]\neventual = {{ within = 3 }}\n"), (4, 23), "`3` has no unit"),
        (
            &format!("{case}require = [\"eventual\"]\neventual = {{ within = {{}} }}\n"),
            (4, 23),
            "not a text or a number",
        ),
        (
            &format!("{case}require = [\"eventual:within=1s\"]\neventual = {{ within = \"3s\" }}\n"),
            (4, 14),
            "given twice",
        ),
        (&format!("{case}require = [\"bounded-staleness\"]\n"), (3, 13), "no bound"),
        (
            &format!("{case}require = [\"idempotent\"]\nidempotent = {{ ttl = \"2h\", max-ttl = \"1h\" }}\n"),
            (4, 38),
            "shorter than its `ttl`",
        ),
        (
            &format!("{case}require = [\"snapshot-isolation\"]\nSI = {{}}\nPL-SI = {{}}\n"),
            (5, 1),
            "are the same guarantee",
        ),
        // What is matched.
        (&format!("{case}require = [\"causal\"]\nmatch = \"user/*\"\n"), (4, 9), "write match = { key"),
        (&format!("{case}require = [\"causal\"]\nmatch = {{ keys = \"user/*\" }}\n"), (4, 11), "did you mean `key`?"),
        (&format!("{case}require = [\"causal\"]\nmatch = {{ key = [] }}\n"), (4, 17), "matches nothing"),
        (&format!("{case}require = [\"causal\"]\nmatch = {{ key = \"[x\" }}\n"), (4, 17), "without its `]`"),
        (
            &format!("{case}require = [\"causal\"]\nmatch = {{ workload = \"registers\" }}\n"),
            (4, 22),
            "did you mean `register`?",
        ),
    ] {
        let errors = Contract::parse(text, WORKLOADS).expect_err(text);
        let error = errors.iter().find(|error| (error.line, error.column) == place);
        let error = error.unwrap_or_else(|| panic!("nothing at {place:?} of {text}: {errors:#?}"));
        assert!(error.to_string().contains(part), "{text}: {error}");
    }
}

/// Goal: the column counts characters, not bytes, and no escape sequence of a file reaches a terminal.
#[test]
fn places_count_characters() {
    let text = "[[use-case]]\nname = \"é\"\nrequire = [\"ééé\", \"nö\\u001b[31m\"]\n";
    let errors = Contract::parse(text, &[]).expect_err("no such guarantees");
    let places: Vec<(usize, usize)> = errors.iter().map(|error| (error.line, error.column)).collect();
    assert_eq!(places, [(3, 13), (3, 19)]);
    assert!(errors.iter().all(|error| !error.to_string().contains('\u{1b}')));
}

/// Goal: all mistakes are told in one go, in the order of the file, and two use cases of one name are one of them.
#[test]
fn tells_all_mistakes_at_once() {
    let text = gate()
        .replace("\"exact\"", "\"exactly\"")
        .replace("\"session\"", "\"sesion\"")
        .replace("\"profiles\"", "\"payments\"")
        .replace("scope =", "scoop =");
    let errors = Contract::parse(&text, WORKLOADS).expect_err("four mistakes");
    let told: Vec<(usize, &str)> = errors.iter().map(|error| (error.line, error.message.as_str())).collect();
    assert_eq!(
        told,
        [
            (4, "nothing is matched by `scoop`"),
            (6, "`replay` of idempotent: `exactly` is not one of exact, response, status, resource"),
            (8, "the use case `payments` is there twice, first in line 2"),
            (11, "there is no guarantee `sesion`"),
        ]
    );
}

/// Goal: no text, however broken, ends in anything but a contract or a list of mistakes.
#[test]
fn survives_broken_files() {
    let whole = gate();
    assert!(Contract::parse(&whole, WORKLOADS).is_ok() && Contract::parse(GATE, WORKLOADS).is_err());
    for end in (0..whole.len()).filter(|&end| whole.is_char_boundary(end)) {
        for text in [whole[..end].to_owned(), whole[..end].to_owned() + "\"]}[=,\n" + &whole[end..]] {
            if let Err(errors) = Contract::parse(&text, WORKLOADS) {
                assert!(!errors.is_empty() && errors.iter().all(|error| error.line > 0 && !error.message.is_empty()));
            }
        }
    }
    assert!(Contract::parse(&("a=".to_owned() + &"[".repeat(100_000)), WORKLOADS).is_err());
}
