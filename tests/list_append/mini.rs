//! A small language for histories of transactions.
//!
//! One record a line (or after `;`): an optional process and sign, then micro-operations.
//! - `ax1`: append 1 to x. `rx[1 2]`: read x as 1, 2. `rx`: a read whose result is not given.
//! - `3>`: process 3 invokes. `3=`: its `ok`. `3!`: its `fail`. `3?`: its `info`.
//! - Without process and sign: a completion without an invocation, of a process of its own: nothing but data orders it.
//!
//! Objects are single letters, elements are numbers.

use anachron::history::{Batch, Builder, History, Interner, MicroOp, NoOrigin, Record, RecordType, Value};

/// The history that this text is.
pub(crate) fn history(text: &str) -> History {
    let mut builder = Builder::default();
    let mut batch = Batch::default();
    let lines = text.split(['\n', ';']).map(str::trim).filter(|line| !line.is_empty());
    for (at, line) in lines.enumerate() {
        let (kind, process, mops) = head(line, at);
        let mut record = Record::new(kind);
        record.process = batch.interner().int(process);
        record.f = batch.interner().string("txn");
        let mops: Vec<MicroOp> = parse(batch.interner(), mops, kind);
        if mops.is_empty() && matches!(kind, RecordType::Invoke | RecordType::Ok) {
            record.value = Value::EMPTY_LIST;
        }
        mops.into_iter().for_each(|mop| batch.push_mop(mop));
        batch.push(record);
    }
    builder.add(batch);
    builder.finish(Box::new(NoOrigin)).expect("a history")
}

fn head(line: &str, at: usize) -> (RecordType, i64, &str) {
    let sign = line.find(['>', '=', '!', '?']).filter(|at| line[..*at].bytes().all(|byte| byte.is_ascii_digit()));
    match sign {
        Some(sign) => {
            let process = line[..sign].parse().expect("a process");
            let kind = match &line[sign..=sign] {
                ">" => RecordType::Invoke,
                "=" => RecordType::Ok,
                "!" => RecordType::Fail,
                _ => RecordType::Info,
            };
            (kind, process, &line[sign + 1..])
        }
        None => (RecordType::Ok, 1000 + i64::try_from(at).expect("few lines"), line),
    }
}

fn parse(interner: &mut Interner, text: &str, kind: RecordType) -> Vec<MicroOp> {
    let mut mops = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (what, key) = (&rest[..1], &rest[1..2]);
        let tail = &rest[2..];
        let f = interner.string(if what == "a" { "append" } else { "r" });
        let key = interner.string(key);
        let (value, end) = if what == "a" {
            let end = tail.find(' ').unwrap_or(tail.len());
            (interner.int(tail[..end].parse().expect("an element")), end)
        } else if tail.starts_with('[') {
            let end = tail.find(']').expect("the list's end");
            let elements: Vec<i64> = tail[1..end].split_whitespace().map(|e| e.parse().expect("an element")).collect();
            let elements: Vec<Value> = elements.into_iter().map(|element| interner.int(element)).collect();
            (interner.list(&elements), end + 1)
        } else {
            (Value::NULL, 0)
        };
        assert!(
            kind != RecordType::Invoke || what == "a" || value == Value::NULL,
            "an invocation has no result: {text}"
        );
        mops.push(MicroOp { f, key, value });
        rest = tail[end..].trim_start();
    }
    mops
}
