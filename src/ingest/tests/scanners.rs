//! Goal: the scanners accept what their syntaxes allow, give it its meaning, and refuse the rest.

use super::*;
use crate::ingest::edn::Edn;
use crate::ingest::json::Json;

/// The value that a text is, as JSON.
fn value<'a, S: Scanner<'a>>(text: &'a str) -> Result<String, String> {
    let mut interner = Interner::new();
    whole::<S>(text, &mut interner)
        .map(|value| interner.values().json(value, usize::MAX))
        .map_err(|fault| format!("{} {}", fault.at, fault.message))
}

fn json(text: &str) -> Result<String, String> {
    value::<Json<'_>>(text)
}

fn edn(text: &str) -> Result<String, String> {
    value::<Edn<'_>>(text)
}

fn same(scan: fn(&str) -> Result<String, String>, cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        assert_eq!(scan(text).as_deref(), Ok(*expected), "{text}");
    }
}

fn refused(scan: fn(&str) -> Result<String, String>, cases: &[&str]) {
    for text in cases {
        assert!(scan(text).is_err(), "{text} is {:?}", scan(text));
    }
}

#[test]
fn json_values() {
    same(
        json,
        &[
            ("null", "null"),
            (" true ", "true"),
            ("false", "false"),
            ("0", "0"),
            ("-0", "0"),
            ("-12", "-12"),
            ("9223372036854775807", "9223372036854775807"),
            ("-9223372036854775808", "-9223372036854775808"),
            ("9223372036854775808", "9223372036854775808"),
            ("-123456789012345678901234567890", "-123456789012345678901234567890"),
            ("123456789012345678", "123456789012345678"),
            ("1234567890123456789", "1234567890123456789"),
            ("1.5", "1.5"),
            ("1.0", "1.0"),
            ("-0.0", "0.0"),
            ("1e2", "100.0"),
            ("1E+2", "100.0"),
            ("25e-1", "2.5"),
            (r#""""#, r#""""#),
            (r#""a\"\\\/\b\f\n\r\t\u0041""#, r#""a\"\\/\u0008\u000c\n\r\tA""#),
            (r#""\u00e9\uD83D\uDE00 é😀""#, r#""é😀 é😀""#),
            (r#""a longer string without escapes, über alles""#, r#""a longer string without escapes, über alles""#),
            ("[]", "[]"),
            ("[ 1 , [ 2 ] , { } ]", "[1,[2],{}]"),
            (r#"{"b":1,"a":{"c":[null]}}"#, r#"{"a":{"c":[null]},"b":1}"#),
            ("[1,2]\r\n", "[1,2]"),
        ],
    );
    refused(
        json,
        &[
            "",
            "nul",
            "nulll",
            "True",
            "+1",
            "01",
            "-",
            "-a",
            "1.",
            ".5",
            "1e",
            "1e+",
            "1e999",
            "NaN",
            "Infinity",
            "'a'",
            "\"a",
            "\"\\",
            "\"\\x\"",
            "\"\\u12\"",
            "\"\\u12g4\"",
            "\"\\ud800\"",
            "\"\\ud800\\n\"",
            "\"\\ud800\\u0041\"",
            "\"\\udc00\"",
            "\"a\nb\"",
            "\"a\u{1}\"",
            "[",
            "[1",
            "[1,",
            "[1,]",
            "[,1]",
            "[1 2]",
            "{",
            "{\"a\"",
            "{\"a\":",
            "{\"a\":1",
            "{\"a\":1,",
            "{\"a\":1,}",
            "{a:1}",
            "{\"a\" 1}",
            "{1:1}",
            "[1}",
            "{\"a\":1]",
            "1 2",
            "[1]]",
            "\u{0}",
            "[\u{0}]",
            "//",
            "{\"a\":1,\"a\":2}",
            "{\"a\":1,\"\\u0061\":2}",
        ],
    );
}

#[test]
fn edn_values() {
    same(
        edn,
        &[
            ("nil", "null"),
            ("true", "true"),
            (":ok", r#""ok""#),
            (":a.b/c-d?", r#""a.b/c-d?""#),
            ("foo/bar", r#""foo/bar""#),
            ("...", r#""...""#),
            ("+5", "5"),
            ("-5", "-5"),
            ("5N", "5"),
            ("123456789012345678901234567890N", "123456789012345678901234567890"),
            ("0x1F", "31"),
            ("1.5", "1.5"),
            ("1e3", "1000.0"),
            ("##Inf", r#""Infinity""#),
            ("##-Inf", r#""-Infinity""#),
            ("##NaN", r#""NaN""#),
            (r"\a", r#""a""#),
            (r"\newline", r#""\n""#),
            (r"\u0041", r#""A""#),
            (r"\o101", r#""A""#),
            (r"[\a \( \) \é]", r#"["a","(",")","é"]"#),
            (r#""a\"\\\n\t\r\b\f\u0041\101""#, r#""a\"\\\n\t\r\u0008\u000cAA""#),
            ("\"two\nlines\"", r#""two\nlines""#),
            (r#""\ud83d\ude00""#, r#""😀""#),
            ("[1 2,3]", "[1,2,3]"),
            ("(1 2 3)", "[1,2,3]"),
            ("#{3 1 2 1}", "[1,2,3]"),
            ("{:a 1, :b [2]}", r#"{"a":1,"b":[2]}"#),
            ("{[1 2] :x}", r#"{"[1,2]":"x"}"#),
            ("[1 #_2 3 #_ #_ 4 5 ; six\n 7 #_ [a {b c}]]", "[1,3,7]"),
            ("#_ 1 2", "2"),
            ("1/2", r#"["ratio","1/2"]"#),
            ("1.50M", r#"["decimal","1.50"]"#),
            (r#"#inst "2020-01-01""#, r#"["inst","2020-01-01"]"#),
            ("#a #b/c [#d {}]", r#"["a",["b/c",[["d",{}]]]]"#),
            (r##"#object[java.lang.Object 0x1a "x"]"##, r#"["object",["java.lang.Object",26,"x"]]"#),
            ("[#\"a+\"]", r#"["a+"]"#),
        ],
    );
    refused(
        edn,
        &[
            "",
            ":",
            "[",
            "[1",
            "(1]",
            "{:a}",
            "{:a 1 :a 2}",
            "#{1",
            "\"a",
            "\"\\x\"",
            "#",
            "#_",
            "#_ 1",
            "[#_]",
            "#'a",
            "#(a)",
            "@a",
            "'a",
            "^a b",
            "##Foo",
            r"\",
            r"\foo",
            r"\ud800",
            "1/0",
            "1/a",
            "1/",
            "012",
            "1x",
            "1.5.5",
            "1N2",
            "#a",
            "[#a]",
            "]",
            "\u{0}",
            "1 2",
        ],
    );
}

/// Goal: nesting as deep as the input likes is an error, not the end of the process.
#[test]
fn deep_nesting_is_refused() {
    for (open, inner, close) in [("[", "", "]"), ("{\"a\":", "1", "}")] {
        let nest = |depth: usize| format!("{}{inner}{}", open.repeat(depth), close.repeat(depth));
        assert!(json(&nest(5_000)).is_ok());
        for text in [nest(200_000), open.repeat(200_000)] {
            assert!(json(&text).is_err_and(|message| message.contains("deep")));
            let extra = format!(r#"{{"type":"invoke","process":0,"error":{text}}}"#);
            assert!(history(&extra).is_err_and(|error| error.message.contains("deep")));
        }
    }
    for (open, inner, close) in
        [("[", "", "]"), ("(", "", ")"), ("#{", "", "}"), ("{:a ", "1", "}"), ("{", "", " 1}"), ("#a ", "1", "")]
    {
        let nest = |depth: usize| format!("{}{inner}{}", open.repeat(depth), close.repeat(depth));
        // A map as the key of a map: the innermost has none, and so on outward.
        assert!(edn(&nest(5_000)).is_ok() || open == "{", "{open}");
        assert!(edn(&nest(200_000)).is_err_and(|message| message.contains("deep")), "{open}");
        let extra = format!("{{:type :invoke, :process 0, :error {}}}", nest(200_000));
        // Tags take no room where they are skipped.
        assert!(history(&extra).is_err_and(|error| error.message.contains("deep")) || open == "#a ", "{open}");
    }
    assert_eq!(edn(&format!("{}1{} 2", "#_ ".repeat(200_000), " 0".repeat(199_999))).as_deref(), Ok("2"));
    assert!(edn(&format!("#_ {} 2", "[".repeat(200_000))).is_err_and(|message| message.contains("deep")));
}

/// Goal: every proper beginning of a value is an error that knows that more has to come.
#[test]
fn every_beginning_is_cut() {
    let text = r#"{"a b":[1.5e3,-20,null,true,"x\\\u00e9\ud83d\ude00y"],"c":{"d":[[],{}]}}"#;
    for at in (0..text.len()).filter(|at| text.is_char_boundary(*at)) {
        let fault = whole::<Json<'_>>(&text[..at], &mut Interner::new()).expect_err("a beginning");
        assert!(fault.cut, "{}: {}", &text[..at], fault.message);
    }
    let text = r##"{:a/b [1 -20 nil, "x\"y" #{a} (b \c)] #_ {:x 1} :c #inst "2020"}"##;
    for at in 0..text.len() {
        let fault = whole::<Edn<'_>>(&text[..at], &mut Interner::new()).expect_err("a beginning");
        assert!(fault.cut || text[..at].ends_with([':', '\\']), "{}: {}", &text[..at], fault.message);
    }
}

/// Goal: records of EDN show as JSON: in their order, and whatever their keys are.
#[test]
fn edn_shows_as_json() {
    let cases = [
        (r#"{:b 1, :a [:x "y\\n" nil]}"#, r#"{"b":1,"a":["x","y\\n",null]}"#),
        (r"#jepsen.history.Op{:b #{2 1} #_ :no :c (1 [])}", r#"{"b":[2,1],"c":[1,[]]}"#),
        (
            r"{1 2, [1 :k] {}, nil 1/2, {:a 1} #inst x}",
            r#"{"1":2,"[1,\"k\"]":{},"null":["ratio","1/2"],"{\"a\":1}":["inst","x"]}"#,
        ),
        ("{##Inf +5N, :k :k, :k 1.5M}", r#"{"\"Infinity\"":5,"k":"k","k":["decimal","1.5"]}"#),
    ];
    for (edn, json) in cases {
        assert_eq!(
            crate::ingest::render::edn_to_json(edn).ok().map(|shown| shown.json).as_deref(),
            Some(json),
            "{edn}"
        );
    }
    let nested = format!("{}1{}", "{".repeat(30), " 1}".repeat(30));
    assert!(crate::ingest::render::edn_to_json(&nested).is_ok_and(|shown| shown.json.len() < 1000));
}
