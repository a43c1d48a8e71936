//! Jepsen's store: blocks with whatever bodies, whose checksums and index are right, so that what is behind them is reached.
//! A block is its type (a byte), its length (two) and its body; the first is the test.
#![no_main]

use flate2::Crc;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| anachron_fuzz::answer(&store(bytes), None));

fn store(mut bytes: &[u8]) -> Vec<u8> {
    let mut out = [b"JEPSEN".as_slice(), &1u32.to_be_bytes(), &[0; 8]].concat();
    let mut index = 2u32.to_be_bytes().to_vec();
    let mut id = 1u32;
    while let [kind, high, low, rest @ ..] = bytes {
        let (body, next) = rest.split_at(usize::from(u16::from_be_bytes([*high, *low])).min(rest.len()));
        index.extend(id.to_be_bytes());
        index.extend((out.len() as u64).to_be_bytes());
        out.extend(block(u16::from(*kind), body));
        (bytes, id) = (next, id + 1);
    }
    let at = out.len() as u64;
    out[10..18].copy_from_slice(&at.to_be_bytes());
    out.extend(block(1, &index));
    out
}

fn block(kind: u16, body: &[u8]) -> Vec<u8> {
    let mut header = [0; 28];
    header[..8].copy_from_slice(&(28 + body.len() as u64).to_be_bytes());
    header[12..14].copy_from_slice(&kind.to_be_bytes());
    let mut crc = Crc::new();
    crc.update(body);
    crc.update(&header);
    header[8..12].copy_from_slice(&crc.sum().to_be_bytes());
    [&header, body].concat()
}
