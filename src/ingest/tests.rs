use super::*;

fn history(text: &str) -> Result<History, InputError> {
    read(Source::Bytes { name: "test".into(), bytes: text.into() }, &Options::default())
}

/// Goal: the records of one client pair up, and a transaction's results are those of its completion.
#[test]
fn records_become_operations() {
    let text = r#"{"type":"invoke","process":0,"f":"txn","value":[["append",1,2],["r",1,null]]}
{"type":"info","process":"nemesis","f":"kill","value":"n1"}
{"type":"ok","process":0,"f":"txn","value":[["append",1,2],["r",1,[2]]]}
{"type":"invoke","process":0,"f":"txn","value":[["r",1,null]]}"#;
    let history = history(text).expect("a history");
    assert_eq!((history.len(), history.observations().len(), history.records()), (2, 1, 4));
    let op = history.ops().next().expect("an operation");
    assert_eq!((op.began(), op.ended(), op.mops().len()), (0, 2, 2));
    assert_eq!(history.values().json(op.mops()[1].value, 100), "[2]");
    assert_eq!(history.ops().nth(1).map(|op| (op.began(), op.ended())), Some((3, History::NO_POSITION)));
}
