//! A part of a history: some of its operations and observations, in columns of their own.
//!
//! Values, processes and the way back to the original records are shared with the whole, and positions stay what they are
//! there, so that a part's witnesses name the records of the file. Cost: one pass, and the columns of what is kept.

use std::sync::Arc;

use super::{History, Observation, Operation, Status, Value};

impl History {
    /// The operations and observations that are wanted, as a history. What is counted in it as a whole (records, processes)
    /// stays that of all.
    #[must_use]
    pub fn select(
        &self,
        mut operation: impl FnMut(&Operation<'_>) -> bool,
        mut observation: impl FnMut(&Observation) -> bool,
    ) -> History {
        let mut part = History {
            values: Arc::clone(&self.values),
            header: self.header,
            processes: Arc::clone(&self.processes),
            process: Vec::new(),
            f: Vec::new(),
            status: Vec::new(),
            began: Vec::new(),
            invoked: Vec::new(),
            completed: Vec::new(),
            key: Vec::new(),
            argument: Vec::new(),
            result: Vec::new(),
            invoked_time: Vec::new(),
            completed_time: Vec::new(),
            mop_ends: Vec::new(),
            mops: Vec::new(),
            node: Vec::new(),
            session: Vec::new(),
            version: Vec::new(),
            final_read: Vec::new(),
            observations: self.observations.iter().filter(|seen| observation(seen)).copied().collect(),
            records: self.records,
            origin: Arc::clone(&self.origin),
        };
        for op in self.ops().filter(|op| operation(op)) {
            part.copy(self, &op);
        }
        part
    }

    /// The history as it stood before the record at this position: of operations that were in flight nobody knows what became.
    /// Observers' records are kept, later ones too: what they tell is of the whole.
    #[must_use]
    pub fn before(&self, position: u32) -> History {
        let mut part = self.select(|op| op.invoked().unwrap_or_else(|| op.position()) < position, |_| true);
        for at in 0..part.len() {
            if part.completed[at] != History::NO_POSITION && part.completed[at] >= position {
                part.status[at] = Status::Info;
                part.completed[at] = History::NO_POSITION;
                part.completed_time[at] = History::NO_TIME;
                part.result[at] = Value::ABSENT;
            }
        }
        part
    }

    fn copy(&mut self, whole: &History, op: &Operation<'_>) {
        fn one<T: Copy>(to: &mut Vec<T>, from: &[T], at: usize) {
            // A column that nothing in the whole history needs is empty.
            to.extend(from.get(at));
        }
        let at = op.id.index();
        one(&mut self.process, &whole.process, at);
        one(&mut self.f, &whole.f, at);
        one(&mut self.status, &whole.status, at);
        one(&mut self.began, &whole.began, at);
        one(&mut self.invoked, &whole.invoked, at);
        one(&mut self.completed, &whole.completed, at);
        one(&mut self.key, &whole.key, at);
        one(&mut self.argument, &whole.argument, at);
        one(&mut self.result, &whole.result, at);
        one(&mut self.invoked_time, &whole.invoked_time, at);
        one(&mut self.completed_time, &whole.completed_time, at);
        one(&mut self.node, &whole.node, at);
        one(&mut self.session, &whole.session, at);
        one(&mut self.version, &whole.version, at);
        one(&mut self.final_read, &whole.final_read, at);
        if !whole.mop_ends.is_empty() {
            self.mops.extend_from_slice(op.mops());
            // No more than the whole has, and that fits.
            self.mop_ends.push(u32::try_from(self.mops.len()).unwrap_or(u32::MAX));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::history::{History, Status};
    use crate::ingest::{Options, Source, read};

    /// Goal: a part has the operations that were asked for, each column with its own values, at their old positions.
    #[test]
    fn a_part_keeps_positions_and_columns() {
        let text = r#"{"type":"invoke","process":0,"f":"write","key":"a","value":1,"time":5}
{"type":"invoke","process":1,"f":"write","key":"b","value":2,"node":"n1"}
{"type":"ok","process":1,"f":"write","key":"b","value":2,"time":7}
{"type":"info","process":"nemesis","f":"kill","value":"n1"}
{"type":"fail","process":0,"f":"write","key":"a","value":1}
{"type":"ok","process":2,"f":"read","key":"b","value":2,"final":true}"#;
        let whole = read(Source::Bytes { name: "test".into(), bytes: text.into() }, &Options::default());
        let whole = whole.expect("a history");
        let is = |value, name| whole.values().as_str(value) == Some(name);
        let part = whole.select(|op| is(op.key(), "b"), |_| false);
        let seen: Vec<_> = part.ops().map(|op| (op.position(), op.began(), op.status(), op.is_final())).collect();
        assert_eq!(seen, [(2, 1, Status::Ok, false), (5, 0, Status::Ok, true)]);
        let first = part.ops().next().expect("one");
        assert_eq!((first.completed_time(), first.invoked_time()), (Some(7), None));
        assert_eq!(part.values().as_str(first.node()), Some("n1"));
        assert_eq!((part.records(), part.observations().len(), part.origin().line(5)), (6, 0, Some(6)));

        let all = whole.select(|_| true, |_| true);
        let columns = |history: &History| {
            format!("{:?}", history.ops().map(|op| (op.key(), op.f(), op.result())).collect::<Vec<_>>())
        };
        assert_eq!(columns(&all), columns(&whole));
        assert_eq!(all.observations().len(), 1);
    }

    /// Goal: transactions keep their own micro-operations.
    #[test]
    fn a_part_keeps_micro_operations() {
        let text = r#"{"type":"ok","process":0,"f":"txn","value":[["append",1,1],["r",1,[1]]]}
{"type":"ok","process":1,"f":"txn","value":[["append",2,5]]}
{"type":"ok","process":2,"f":"txn","value":[["r",2,[5]],["append",1,2]]}"#;
        let whole = read(Source::Bytes { name: "test".into(), bytes: text.into() }, &Options::default());
        let whole = whole.expect("a history");
        let part = whole.select(|op| op.position() != 0, |_| true);
        let mops: Vec<_> = part.ops().map(|op| op.mops().to_vec()).collect();
        assert_eq!(mops, whole.ops().skip(1).map(|op| op.mops().to_vec()).collect::<Vec<_>>());
    }
}
