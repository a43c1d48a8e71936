//! From the fields of a record to a [`Record`] of the history: one code for every syntax.

use super::advice;
use super::error::Fault;
use super::lists::Lists;
use super::scan::{Field, Kind, Scan, Scanner, Token, packed, unpacked};
use super::values::ValueReader;
use crate::history::{Batch, History, MicroOp, Record, RecordType, Value};

/// Reads records into a batch.
#[derive(Debug)]
pub(super) struct RecordReader {
    batch: Batch,
    values: ValueReader,
    lists: Lists,
    txn: Value,
}

impl RecordReader {
    /// With an empty batch.
    pub(super) fn new() -> RecordReader {
        let mut batch = Batch::default();
        let txn = batch.interner().string("txn");
        RecordReader { batch, values: ValueReader::default(), lists: Lists::default(), txn }
    }

    /// The batch so far; what follows goes to a new one.
    pub(super) fn take(&mut self) -> Batch {
        let next = Batch::like(&self.batch);
        let batch = std::mem::replace(&mut self.batch, next);
        self.values.reset();
        self.lists.reset();
        self.txn = self.batch.interner().string("txn");
        batch
    }

    /// What follows is scanned from another text.
    pub(super) fn change_text(&mut self) {
        self.lists.reset();
    }

    /// From here on, the batch may take about so many bytes more.
    pub(super) fn limit(&mut self, bytes: u64) {
        self.batch.interner().limit(usize::try_from(bytes).unwrap_or(usize::MAX));
    }

    /// Whether the batch came to its limit.
    pub(super) fn is_over_limit(&self) -> bool {
        self.batch.is_over_limit()
    }

    /// How many records the batch has.
    pub(super) fn len(&self) -> usize {
        self.batch.len()
    }

    /// The record that begins here. All records of a batch come from one text, unless [`RecordReader::change_text`] says so.
    pub(super) fn record<'a, S: Scanner<'a>>(&mut self, scanner: &mut S) -> Scan<()> {
        scanner.blank()?;
        let start = scanner.at();
        loop {
            match scanner.token()? {
                Token::Open(Kind::Map) => break,
                // `#jepsen.history.Op{...}`: the record as old stores print it.
                Token::Tag(_) => {}
                _ => {
                    return Err(Fault::new(
                        start,
                        "this is no record: a record is an object with `type`, `process`, `f` and `value`",
                        "a history is a list of records, or one record a line, in JSON or EDN",
                    ));
                }
            }
        }
        let mut seen = 0u16;
        let mut kind = None;
        let mut record = Record::new(RecordType::Info);
        let mut mops_at = None;
        let mut at = scanner.at();
        let mut next = scanner.first_field()?;
        while let Some(field) = next {
            let bit = 1u16 << field as u8;
            if seen & bit != 0 && field != Field::Other {
                return Err(twice(scanner, at, field));
            }
            seen |= bit;
            if field == Field::Value {
                mops_at = self.value(scanner, &mut record)?;
            } else {
                match field {
                    Field::Type => kind = Some(self.kind(scanner)?),
                    Field::Process => record.process = self.process(scanner)?,
                    Field::F => record.f = self.function(scanner)?,
                    Field::Key => record.key = self.values.next(scanner, self.batch.interner())?,
                    Field::Index => record.index = integer(scanner, field)?,
                    // Jepsen writes -1 where it knows no time.
                    Field::Time => {
                        record.time = integer(scanner, field)?.filter(|t| *t != -1).unwrap_or(History::NO_TIME);
                    }
                    Field::Node => record.node = self.name(scanner)?,
                    Field::Session => record.session = self.name(scanner)?,
                    Field::Version => {
                        if let Some(version) = integer(scanner, field)? {
                            record.version = self.batch.interner().int(version);
                        }
                    }
                    Field::Final => record.final_read = boolean(scanner, field)?,
                    Field::Other => scanner.skip()?,
                    Field::Value => {}
                }
            }
            at = scanner.at();
            next = scanner.next_field()?;
        }
        let Some(kind) = kind else {
            return Err(advice::no_type(scanner, start));
        };
        record.kind = kind;
        if let Some(at) = mops_at
            && record.f != self.txn
            && !record.f.is_absent()
        {
            // The function came after the value, and is no transaction.
            let end = scanner.at();
            self.batch.drop_mops();
            scanner.seek(at);
            let token = scanner.token()?;
            record.value = self.values.value(scanner, self.batch.interner(), token)?;
            scanner.seek(end);
        }
        self.batch.push(record);
        Ok(())
    }

    /// The field `value`: where it is a list of micro-operations, these go to the batch, and the result is where it began.
    fn value<'a, S: Scanner<'a>>(&mut self, scanner: &mut S, record: &mut Record) -> Scan<Option<usize>> {
        if let Some(int) = scanner.quick_int() {
            record.value = self.batch.interner().int(int);
            return Ok(None);
        }
        let at = scanner.at();
        let mut token = scanner.token()?;
        if let Token::Open(kind) = token
            && kind.is_list()
            && (record.f == self.txn || record.f.is_absent())
        {
            if self.mops(scanner, kind)? {
                return Ok(Some(at));
            }
            self.batch.drop_mops();
            scanner.seek(at);
            token = scanner.token()?;
        }
        record.value = self.value_of(scanner, token, record.key)?;
        Ok(None)
    }

    /// A value that belongs to this key.
    #[inline]
    fn value_of<'a, S: Scanner<'a>>(&mut self, scanner: &mut S, token: Token<'a>, key: Value) -> Scan<Value> {
        match token {
            Token::Open(kind) if kind.is_list() => {
                self.lists.list(scanner, &mut self.values, self.batch.interner(), kind, key)
            }
            token => self.values.value(scanner, self.batch.interner(), token),
        }
    }

    /// The micro-operations of a list that was opened; false where its shape is another.
    fn mops<'a, S: Scanner<'a>>(&mut self, scanner: &mut S, outer: Kind) -> Scan<bool> {
        if !scanner.first(outer)? {
            return Ok(false);
        }
        loop {
            let Token::Open(kind) = scanner.token()? else { return Ok(false) };
            if !kind.is_list() || !scanner.first(kind)? {
                return Ok(false);
            }
            let Some(f) = self.name_of(scanner)? else { return Ok(false) };
            let mut mop = MicroOp { f, key: Value::ABSENT, value: Value::ABSENT };
            if scanner.more(kind)? {
                mop.key = self.values.next(scanner, self.batch.interner())?;
                if scanner.more(kind)? {
                    mop.value = match scanner.quick_int() {
                        Some(int) => self.batch.interner().int(int),
                        None => {
                            let token = scanner.token()?;
                            self.value_of(scanner, token, mop.key)?
                        }
                    };
                    if scanner.more(kind)? {
                        mop.value = self.rest(scanner, kind, mop.value)?;
                    }
                }
            }
            self.batch.push_mop(mop);
            if !scanner.more(outer)? {
                return Ok(true);
            }
        }
    }

    /// The items of a micro-operation from the third on, where there are more than three.
    fn rest<'a, S: Scanner<'a>>(&mut self, scanner: &mut S, kind: Kind, third: Value) -> Scan<Value> {
        let mut list = self.batch.interner().push(Value::EMPTY_LIST, third);
        loop {
            let item = self.values.next(scanner, self.batch.interner())?;
            list = self.batch.interner().push(list, item);
            if !scanner.more(kind)? {
                return Ok(list);
            }
        }
    }

    /// A function's name, without the colon that keywords lose; nothing where the value is no string.
    #[inline]
    fn name_of<'a, S: Scanner<'a>>(&mut self, scanner: &mut S) -> Scan<Option<Value>> {
        if let Some(packed) = scanner.quick_name() {
            // The lowest byte is the first one.
            if packed & 0xff != u64::from(b':') {
                return Ok(Some(self.values.packed(self.batch.interner(), packed)));
            }
            let mut buffer = [0; 8];
            let name = unpacked(packed, &mut buffer).trim_start_matches(':');
            return Ok(Some(self.values.string(self.batch.interner(), name)));
        }
        self.long_name(scanner)
    }

    #[cold]
    fn long_name<'a, S: Scanner<'a>>(&mut self, scanner: &mut S) -> Scan<Option<Value>> {
        Ok(match scanner.token()? {
            Token::Str(name) => {
                let name = name.trim_start_matches(':');
                Some(self.values.string(self.batch.interner(), name))
            }
            token @ Token::Escaped => Some(self.values.value(scanner, self.batch.interner(), token)?),
            _ => None,
        })
    }

    #[inline]
    fn kind<'a, S: Scanner<'a>>(&mut self, scanner: &mut S) -> Scan<RecordType> {
        let at = scanner.at();
        match scanner.quick_name() {
            Some(INVOKE) => Ok(RecordType::Invoke),
            Some(OK) => Ok(RecordType::Ok),
            Some(FAIL) => Ok(RecordType::Fail),
            Some(INFO) => Ok(RecordType::Info),
            Some(other) => odd_kind(at, unpacked(other, &mut [0; 8])),
            None => long_kind(scanner),
        }
    }

    #[inline]
    fn process<'a, S: Scanner<'a>>(&mut self, scanner: &mut S) -> Scan<Value> {
        match scanner.quick_int() {
            Some(int) => Ok(self.batch.interner().int(int)),
            None => self.named_process(scanner),
        }
    }

    #[cold]
    fn named_process<'a, S: Scanner<'a>>(&mut self, scanner: &mut S) -> Scan<Value> {
        scanner.blank()?;
        let at = scanner.at();
        match scanner.token()? {
            token @ (Token::Int(_) | Token::Integer(_) | Token::Str(_) | Token::Escaped) => {
                self.values.value(scanner, self.batch.interner(), token)
            }
            Token::Null => Ok(Value::ABSENT),
            _ => Err(Fault::new(
                at,
                "`process` is neither an integer nor a string",
                "a process is who acts, one operation at a time: a client's number or name",
            )),
        }
    }

    fn function<'a, S: Scanner<'a>>(&mut self, scanner: &mut S) -> Scan<Value> {
        let at = scanner.at();
        if let Some(name) = self.name_of(scanner)? {
            return Ok(name);
        }
        scanner.seek(at);
        scanner.blank()?;
        let at = scanner.at();
        match scanner.token()? {
            Token::Null => Ok(Value::ABSENT),
            _ => Err(Fault::new(at, "`f` is no string", "`f` names the function, such as `read`, `write` or `txn`")),
        }
    }

    /// A field that says who or where; null says nothing.
    fn name<'a, S: Scanner<'a>>(&mut self, scanner: &mut S) -> Scan<Value> {
        match scanner.token()? {
            Token::Null => Ok(Value::ABSENT),
            token => self.values.value(scanner, self.batch.interner(), token),
        }
    }
}

const INVOKE: u64 = packed("invoke");
const OK: u64 = packed("ok");
const FAIL: u64 = packed("fail");
const INFO: u64 = packed("info");

#[cold]
fn long_kind<'a, S: Scanner<'a>>(scanner: &mut S) -> Scan<RecordType> {
    scanner.blank()?;
    let at = scanner.at();
    let name = match scanner.token()? {
        Token::Str(name) => name,
        Token::Escaped => scanner.scratch(),
        _ => {
            let help = "`ok` happened, `fail` certainly did not, `info` is unknown";
            return Err(Fault::new(at, "`type` is no string", help));
        }
    };
    odd_kind(at, name)
}

#[cold]
fn odd_kind(at: usize, name: &str) -> Scan<RecordType> {
    RecordType::named(name.trim_start_matches(':')).ok_or_else(|| advice::odd_type(at, name))
}

#[cold]
fn twice<'a, S: Scanner<'a>>(scanner: &S, at: usize, field: Field) -> Box<Fault> {
    let rest = scanner.text().get(at..).unwrap_or("");
    let at = at + (rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n', ',']).len());
    Fault::new(
        at,
        format!("this record has the field `{}` twice", field.name()),
        "nobody can say which of the two is meant: give each field once",
    )
}

#[inline]
fn integer<'a, S: Scanner<'a>>(scanner: &mut S, field: Field) -> Scan<Option<i64>> {
    match scanner.quick_int() {
        Some(int) => Ok(Some(int)),
        None => long_integer(scanner, field),
    }
}

#[cold]
fn long_integer<'a, S: Scanner<'a>>(scanner: &mut S, field: Field) -> Scan<Option<i64>> {
    scanner.blank()?;
    let at = scanner.at();
    match scanner.token()? {
        Token::Int(int) => Ok(Some(int)),
        Token::Null => Ok(None),
        token => Err(not_integer(at, field, token)),
    }
}

#[cold]
fn not_integer(at: usize, field: Field, token: Token<'_>) -> Box<Fault> {
    let help = match (field, token) {
        (Field::Time, Token::Float(_) | Token::Exact(..)) => {
            "`time` is whole nanoseconds: multiply seconds by 1,000,000,000 and write an integer"
        }
        (Field::Time, _) => "`time` is the observer's clock in whole nanoseconds; leave it out where it is not known",
        (Field::Index, _) => "`index` is the record's position, from 0; leave it out, and the file's order counts",
        _ => "`version` is the server's revision of the object; a field of another meaning needs another name",
    };
    let what = match token {
        Token::Float(_) | Token::Exact(..) => "not a whole number",
        Token::Integer(_) => "beyond 64 bits",
        _ => "no integer",
    };
    Fault::new(at, format!("`{}` is {what}", field.name()), help)
}

fn boolean<'a, S: Scanner<'a>>(scanner: &mut S, field: Field) -> Scan<bool> {
    scanner.blank()?;
    let at = scanner.at();
    match scanner.token()? {
        Token::Bool(value) => Ok(value),
        Token::Null => Ok(false),
        _ => Err(Fault::new(
            at,
            format!("`{}` is neither true nor false", field.name()),
            "`final` marks a read made after everything settled",
        )),
    }
}
