//! Goal: whatever stands in a history, a report stays a report.

use super::*;

/// A small generator (xorshift), so that every run sees the same texts.
struct Seed(u64);

impl Seed {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).expect("below limit")
    }

    /// Terminal escapes, controls, bidi controls, invisible and wide characters, markup, and long runs without a space.
    fn text(&mut self) -> String {
        const PIECES: &[&str] = &[
            "\u{1b}[31m",
            "\u{1b}]0;title\u{7}",
            "\u{9b}2J",
            "\0",
            "\r\n",
            "\n",
            "\t",
            "\u{8}",
            "\u{7f}",
            "\u{85}",
            "\u{202e}",
            "\u{2066}",
            "\u{200f}",
            "\u{200b}",
            "\u{feff}",
            "\u{2028}",
            "\u{ad}",
            "\u{e0041}",
            "\u{61c}",
            "a",
            "word ",
            "  ",
            "東京",
            "é",
            "e\u{301}",
            "❤\u{fe0f}",
            "👩\u{200d}🚀",
            "\"",
            "\\",
            "|",
            "`",
            "```",
            "<b>",
            "&amp;",
            "]]>",
            "::error::x",
            "%0A",
            "@someone",
            "*",
            "_",
            "#",
            "[x](y)",
            "{",
            "}",
            ",",
            ":",
            "/",
            "0",
            "-1",
            "null",
            "\u{ffff}",
            "\u{fffe}",
            "\u{10ffff}",
            "\u{a0}",
        ];
        let count = self.below(12);
        let mut text: String = (0..count).map(|_| PIECES[self.below(PIECES.len())]).collect();
        if self.below(8) == 0 {
            text.push_str(&"x".repeat(self.below(400)));
        }
        text
    }

    fn json(&mut self) -> String {
        let text = serde_json::to_string(&self.text()).expect("JSON");
        match self.below(4) {
            0 => format!("[{text},[{text},null],1.5]"),
            1 => format!("{{{text}:{text}}}"),
            _ => text,
        }
    }
}

/// A report with a hostile text in every field that can have one.
fn hostile(seed: &mut Seed) -> HistoryReport {
    let field = |seed: &mut Seed| serde_json::to_string(&seed.text()).expect("JSON");
    let lines = [
        format!(
            r#"{{"type":"invoke","process":{},"f":"txn","value":[["r",{},null],[{},{},{}]],"time":5,"node":{},"session":{},{}:{}}}"#,
            "1",
            field(seed),
            field(seed),
            field(seed),
            seed.json(),
            field(seed),
            field(seed),
            "\"x\\u001b\"",
            seed.json()
        ),
        format!(r#"{{"type":"info","process":"w","f":{},"key":{},"value":{}}}"#, field(seed), field(seed), seed.json()),
        format!(
            r#"{{"type":"ok","process":1,"f":"txn","value":[["r",{},[{},{}]],["append",{},{}]],"time":9,"error":{}}}"#,
            field(seed),
            seed.json(),
            seed.json(),
            field(seed),
            seed.json(),
            seed.json()
        ),
        format!(r#"{{"type":"invoke","process":2,"f":{},"key":{},"value":{}}}"#, field(seed), field(seed), seed.json()),
    ];
    let history = history(&lines.join("\n"));
    let operations: Vec<u32> = vec![2, 1, 3, 77];
    let moments: Vec<Moment> = (0..seed.below(6) + 1)
        .map(|at| Moment {
            position: u32::try_from(at).expect("small"),
            time_ns: [None, Some(i64::MIN), Some(i64::MAX), Some(3)][seed.below(4)],
            lane: seed.text(),
            what: seed.text(),
        })
        .collect();
    let step = |seed: &mut Seed, from, to| Step {
        from,
        to,
        relation: "rw",
        key: history.ops().next().map(|op| op.mops()[0].key),
        because: seed.text(),
    };
    let witness = Witness {
        minimality: Minimality::Bounded,
        rechecked: false,
        claim: None,
        names: operations.iter().take(3).map(|_| seed.text()).collect(),
        operations,
        steps: vec![step(seed, 2, 3), step(seed, 3, 2)],
        timeline: (seed.below(2) == 0).then_some(moments),
        text: seed.text(),
    };
    let mut judgement = judged(Guarantee::Serializable, Verdict::Violated, &[Anomaly::G2Item]);
    judgement.reason = Some(seed.text());
    let nested = format!(r#"{{{}:{},"a":{{{}:{}}}}}"#, field(seed), seed.json(), field(seed), seed.json());
    judgement.evidence = figures(&nested);
    let mut other = Judgement::new(Guarantee::Causal, Verdict::Unknown);
    other.reason = Some(seed.text());
    let outcome = Outcome {
        judgements: vec![judgement, other],
        findings: vec![Finding {
            anomaly: Anomaly::G2Item,
            certainty: Certainty::Possible,
            count: 3,
            rules_out: vec![Guarantee::Serializable],
            witness: Some(witness),
        }],
        measures: figures(&format!(r#"{{{}:{nested},"b_ns":-5}}"#, field(seed))),
    };
    let requirement = Requirement {
        guarantee: Guarantee::Serializable,
        parameters: vec![(seed.text(), seed.text()), (seed.text(), seed.text())],
        use_case: Some(seed.text()),
    };
    let error = Failure { message: seed.text(), line: Some(3), column: Some(4), help: seed.text(), stopped_by: None };
    HistoryReport::new(&HistoryResult {
        source: &seed.text(),
        workload: Some(Workload::ListAppend),
        history: Some(&history),
        error: (seed.below(4) == 0).then_some(error),
        outcome: Some(&outcome),
        requirements: &[requirement],
        customary: seed.below(2) == 0,
        cases: &[],
    })
}

/// One to three such histories, the same ones for the same round.
pub(crate) fn report(round: u64) -> Report {
    let mut seed = Seed(round.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let count = seed.below(3) + 1;
    Report::new((0..count).map(|_| hostile(&mut seed)).collect())
}

/// Whether a terminal would obey the character, or a reader miss it.
pub(crate) fn harmful(c: char) -> bool {
    c != '\n' && c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
        || matches!(c, '\u{e0000}'..='\u{e0fff}')
}

/// Goal: no text from a history reaches a terminal as anything but text, no line is wider than the terminal, the JSON stays
/// JSON that its schema takes, and the same results give the same bytes.
#[test]
fn hostile_texts_stay_texts() {
    for round in 1..=60 {
        let report = report(round);
        for width in [20, 40, 60, 80, 120] {
            let text = table(&report, width);
            assert_eq!(text.chars().find(|c| harmful(*c)), None, "round {round}:\n{text}");
            let widest = text.lines().map(tabled::grid::util::string::get_line_width).max().unwrap_or(0);
            assert!(widest <= width.max(40), "round {round}, {widest} columns of {width}:\n{text}");
            assert_eq!(text, table(&self::report(round), width));
        }
        let json = anachron::report::render(&report, Format::Json, &Style { width: 80, color: true });
        assert_eq!(json.chars().find(|c| harmful(*c)), None, "round {round}");
        let faults = schema::faults(&json);
        assert!(faults.is_empty(), "round {round}: {faults:?}");
    }
}
