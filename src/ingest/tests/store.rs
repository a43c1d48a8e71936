//! Goal: Jepsen's store reads as the `history.edn` beside it would, in both versions; damage is found by its checksums.

use super::*;

/// Writes Fressian, as far as stores have it.
#[derive(Default)]
struct Writer {
    out: Vec<u8>,
    structures: Vec<&'static str>,
    cached: Vec<&'static str>,
}

impl Writer {
    fn int(&mut self, int: i64) -> &mut Self {
        match int {
            -1 => self.out.push(0xff),
            0..=0x3f => self.out.push(int as u8),
            -4096..=4095 => self.out.extend([(0x50 + (int >> 8)) as u8, int as u8]),
            _ => {
                self.out.push(0xf8);
                self.out.extend(int.to_be_bytes());
            }
        }
        self
    }

    fn string(&mut self, text: &str) -> &mut Self {
        if text.len() < 8 {
            self.out.push(0xda + text.len() as u8);
        } else {
            self.out.push(0xe3);
            self.int(text.len() as i64);
        }
        self.out.extend(text.as_bytes());
        self
    }

    fn code(&mut self, code: u8) -> &mut Self {
        self.out.push(code);
        self
    }

    /// A keyword, which is cached from its first time on.
    fn keyword(&mut self, name: &'static str) -> &mut Self {
        match self.cached.iter().position(|cached| *cached == name) {
            Some(at) => self.code(0x80 + at as u8),
            None => {
                self.cached.push(name);
                self.code(0xcd).code(0xca).code(0xf7).string(name)
            }
        }
    }

    /// The beginning of a structure.
    fn tag(&mut self, tag: &'static str, fields: i64) -> &mut Self {
        match self.structures.iter().position(|known| *known == tag) {
            Some(at) => self.code(0xa0 + at as u8),
            None => {
                self.structures.push(tag);
                self.code(0xef).string(tag).int(fields)
            }
        }
    }

    fn op(&mut self, index: i64, kind: &'static str, process: i64, f: &'static str) -> &mut Self {
        self.tag("jepsen.history.Op", 7).int(index).int(index * 1_000_000_007).keyword(kind).int(process).keyword(f)
    }
}

/// A store of these blocks, the first of which is the test; each has its type and its body.
fn store(version: u32, blocks: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = [b"JEPSEN".as_slice(), &version.to_be_bytes(), &[0; 8]].concat();
    let mut index = 1u32.to_be_bytes().to_vec();
    let block = |kind: u16, body: &[u8]| {
        let mut header = vec![0; 28];
        header[..8].copy_from_slice(&(28 + body.len() as u64).to_be_bytes());
        header[12..14].copy_from_slice(&kind.to_be_bytes());
        let mut crc = flate2::Crc::new();
        crc.update(body);
        crc.update(&header);
        header[8..12].copy_from_slice(&crc.sum().to_be_bytes());
        [header, body.to_vec()].concat()
    };
    for (id, (kind, body)) in (1u32..).zip(blocks) {
        index.extend(id.to_be_bytes());
        index.extend((bytes.len() as u64).to_be_bytes());
        bytes.extend(block(*kind, body));
    }
    let at = bytes.len() as u64;
    bytes[10..18].copy_from_slice(&at.to_be_bytes());
    bytes.extend(block(1, &index));
    bytes
}

/// The test map, whose history is in block 2.
fn test() -> Vec<u8> {
    let mut writer = Writer::default();
    writer.code(0xc0).code(0xe4 + 6).keyword("name").string("a test").keyword("nodes").code(0xe5).string("n1");
    writer.keyword("history").tag("block-ref", 1).int(2);
    writer.out
}

fn chunks(parts: &[(i64, u32)]) -> Vec<u8> {
    let mut body = 4i64.to_be_bytes().to_vec();
    for (index, block) in parts {
        body.extend(index.to_be_bytes());
        body.extend(block.to_be_bytes());
    }
    body
}

fn shown(bytes: &[u8]) -> String {
    dump(&history_with(bytes, &Options::default()).unwrap_or_else(|error| panic!("{}", error.message)))
}

/// Goal: chunks of operations, with caches of their own, are the history that their EDN is.
#[test]
fn a_store_is_its_history() {
    let mut first = Writer::default();
    first.op(0, "invoke", 0, "txn").code(0xe5).code(0xe7).keyword("append").int(-300).int(1 << 40).code(0xf7);
    first.op(1, "info", 3, "kill").code(0xc1).code(0xe6).int(1).string("n1").code(0xc0).code(0xe6);
    first.keyword("error").code(0xfa).code(0x3f).code(0xf8).code(0).code(0).code(0).code(0).code(0).code(0);
    let mut second = Writer::default();
    second.op(2, "ok", 0, "txn").code(0xed).code(0xe7).keyword("append").int(-300).int(1 << 40).code(0xfd).code(0xf7);
    second.op(3, "ok", 1, "read").tag("ratio", 2).code(0xd1).code(1).int(2).code(0xc0).code(0xe4);
    let bytes = store(1, &[(2, test()), (5, chunks(&[(0, 3), (2, 4)])), (4, first.out), (4, second.out)]);
    let edn = "{:index 0, :time 0, :type :invoke, :process 0, :f :txn, :value [[:append -300 1099511627776]]}
{:index 1, :time 1000000007, :type :info, :process 3, :f :kill, :value #{1 \"n1\"}, :error 1.5}
{:index 2, :time 2000000014, :type :ok, :process 0, :f :txn, :value [[:append -300 1099511627776]]}
{:index 3, :time 3000000021, :type :ok, :process 1, :f :read, :value 1/2}";
    assert_eq!(shown(&bytes), shown(edn.as_bytes()));
    assert_eq!(shown(&gzip(&bytes)), shown(edn.as_bytes()));
    let history = history_with(&bytes, &Options::default()).expect("a history");
    let record = r#"{"index":1,"time":1000000007,"type":"info","process":3,"f":"kill","value":[1,"n1"],"error":1.5}"#;
    assert_eq!(history.origin().json(1).as_deref(), Some(record));
}

/// Goal: independent tuples are told from lists of two, as EDN can't; old stores hold one list of maps.
#[test]
fn tuples_and_old_stores() {
    let mut writer = Writer::default();
    writer.op(0, "invoke", 0, "cas").tag("map-entry", 2).string("x").code(0xe6).int(0).int(1).code(0xf7);
    writer.op(1, "ok", 0, "cas").tag("map-entry", 2).string("x").code(0xe6).int(0).int(1).code(0xf7);
    let bytes = store(1, &[(2, test()), (5, chunks(&[(0, 3)])), (4, writer.out)]);
    let history = history_with(&bytes, &Options::default()).expect("a history");
    let op = history.ops().next().expect("an operation");
    let json = |value| history.values().json(value, 99);
    assert_eq!((json(op.key()).as_str(), json(op.argument()).as_str()), ("\"x\"", "[0,1]"));
    let mut old = Writer::default();
    old.code(0xec).int(1).code(0xc0).code(0xe4 + 6);
    old.keyword("type").keyword("ok").keyword("process").int(0).keyword("value").int(-1);
    let bytes = store(0, &[(2, test()), (2, old.out)]);
    assert_eq!(shown(&bytes), shown(b"{:type :ok, :process 0, :value -1}"));
}

/// Goal: a store with any byte changed or cut off is refused, or the same history; caches of caches end at the limit.
#[test]
fn damaged_stores() {
    let mut writer = Writer::default();
    writer.op(0, "invoke", 0, "write").int(7).code(0xf7);
    writer.op(1, "ok", 0, "write").int(7).code(0xf7);
    let bytes = store(1, &[(2, test()), (5, chunks(&[(0, 3)])), (4, writer.out)]);
    let whole = shown(&bytes);
    for at in 0..bytes.len() {
        for damaged in [bytes[..at].to_vec(), [&bytes[..at], &[bytes[at] ^ 0x41], &bytes[at + 1..]].concat()] {
            match history_with(&damaged, &Options::default()) {
                Ok(history) => assert_eq!(dump(&history), whole, "byte {at}"),
                Err(error) => assert!(!error.help.is_empty()),
            }
        }
    }
    let unsealed = store(1, &[(2, test()), (2, vec![0xf7])]);
    let error = history_with(&unsealed, &Options::default()).expect_err("no history");
    assert!(error.message.contains("never sealed"), "{}", error.message);
    // Each value is twice the one before.
    let mut bomb = Writer::default();
    bomb.op(0, "ok", 0, "read").code(0xec).int(29).code(0xcd).string("0123456789");
    for cached in 0x82..0x82 + 28 {
        bomb.code(0xcd).code(0xe6).code(cached).code(cached);
    }
    bomb.code(0xf7);
    let deep = vec![0xe5; 50_000];
    let names = [vec![0xca; 20_000], vec![0xf7; 40_000]].concat();
    for body in
        [bomb.out, deep, names, vec![0xc3; 50_000], vec![0xfe; 50_000], vec![0xcd; 50_000], vec![0xcd, 0xfe, 0x00]]
    {
        let bytes = store(1, &[(2, test()), (5, chunks(&[(0, 3)])), (4, body)]);
        let options = Options { max_memory: Some(1 << 20), ..Options::default() };
        assert!(history_with(&bytes, &options).is_err());
    }
}

/// Goal: whatever the bytes of a block, there is an answer.
#[test]
fn any_fressian_gives_an_answer() {
    let mut numbers = Numbers(8);
    let codes = [
        0u8, 0x50, 0x80, 0x81, 0xa0, 0xc0, 0xc1, 0xc6, 0xc7, 0xc8, 0xca, 0xcd, 0xd2, 0xdb, 0xe4, 0xe5, 0xe6, 0xed,
        0xee, 0xef, 0xf0, 0xf7, 0xfa, 0xfd,
    ];
    let tags = ["ratio", "bigint", "char", "map-entry", "record", "jepsen.history.Op", "vec", "x"];
    for _ in 0..3000 {
        let mut writer = Writer::default();
        for _ in 0..numbers.below(30) {
            match numbers.below(8) {
                0 => writer.code(numbers.next().to_le_bytes()[0]),
                1 => writer.tag(tags[numbers.below(tags.len())], 1 + numbers.below(2) as i64),
                2 => writer.keyword(["ok", "read"][numbers.below(2)]),
                _ => writer.code(codes[numbers.below(codes.len())]),
            };
        }
        let mut body = writer.out.clone();
        let bytes = store(1, &[(2, test()), (5, chunks(&[(0, 3)])), (4, writer.out)]);
        let options = Options { max_memory: Some(1 << 20), ..Options::default() };
        let _ = history_with(&bytes, &options);
        let mut whole = Writer::default();
        whole.op(0, "ok", 0, "read");
        body.push(0xf7);
        body.push(0xf7);
        let bytes = store(1, &[(2, test()), (5, chunks(&[(0, 3)])), (4, [whole.out, body].concat())]);
        let _ = history_with(&bytes, &options);
    }
}
