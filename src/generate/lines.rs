//! Records as JSON Lines, written without a detour over any tree.

use std::io::{self, Write};

use super::random::Random;
use crate::history::RecordType;

/// How much is gathered before it is written.
const BLOCK: usize = 1 << 16;
/// The longest pause between two records, in nanoseconds.
const PAUSE_NS: u64 = 20_000;

/// The records written so far: their number, their clock, and those that wait for the next block.
pub(super) struct Lines<'a> {
    out: &'a mut dyn Write,
    buffer: Vec<u8>,
    index: u64,
    time_ns: u64,
    /// How many nodes clients contact; 0: no record names one.
    nodes: u64,
}

impl<'a> Lines<'a> {
    pub(super) fn new(out: &'a mut dyn Write, nodes: u32) -> Lines<'a> {
        Lines { out, buffer: Vec::with_capacity(2 * BLOCK), index: 0, time_ns: 0, nodes: u64::from(nodes) }
    }

    /// Begins a record, some time after the one before it. Its other fields follow through [`Lines::text`].
    pub(super) fn start(&mut self, kind: RecordType, process: u64, f: &str, random: &mut Random) {
        self.time_ns += 1 + random.below(PAUSE_NS);
        let text = &mut self.buffer;
        text.extend_from_slice(b"{\"index\":");
        integer(text, self.index);
        text.extend_from_slice(b",\"time\":");
        integer(text, self.time_ns);
        text.extend_from_slice(match kind {
            RecordType::Invoke => b",\"type\":\"invoke\",\"process\":",
            RecordType::Ok => b",\"type\":\"ok\",\"process\":",
            RecordType::Fail => b",\"type\":\"fail\",\"process\":",
            RecordType::Info => b",\"type\":\"info\",\"process\":",
        });
        integer(text, process);
        text.extend_from_slice(b",\"f\":\"");
        text.extend_from_slice(f.as_bytes());
        text.push(b'"');
        if self.nodes > 0 {
            text.extend_from_slice(b",\"node\":\"n");
            integer(text, process % self.nodes + 1);
            text.push(b'"');
        }
        self.index += 1;
    }

    /// The record's text so far.
    pub(super) fn text(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    /// Ends a record.
    pub(super) fn end(&mut self) -> io::Result<()> {
        self.buffer.extend_from_slice(b"}\n");
        if self.buffer.len() >= BLOCK { self.flush() } else { Ok(()) }
    }

    /// Writes what waits.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.out.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }
}

const DIGITS: &[u8; 200] = b"0001020304050607080910111213141516171819\
2021222324252627282930313233343536373839\
4041424344454647484950515253545556575859\
6061626364656667686970717273747576777879\
8081828384858687888990919293949596979899";

/// Appends a number in decimal, two digits at a time.
#[inline]
pub(super) fn integer(text: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    while number >= 100 {
        // Below 100, hence within the table.
        let pair = (number % 100) as usize * 2;
        number /= 100;
        at -= 2;
        digits[at..at + 2].copy_from_slice(&DIGITS[pair..pair + 2]);
    }
    let pair = number as usize * 2;
    if number >= 10 {
        at -= 2;
        digits[at..at + 2].copy_from_slice(&DIGITS[pair..pair + 2]);
    } else {
        at -= 1;
        digits[at] = DIGITS[pair + 1];
    }
    text.extend_from_slice(&digits[at..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: our own decimal text is the standard library's.
    #[test]
    fn integers_are_decimal() {
        let mut numbers: Vec<u64> = (0..1100).chain([u64::MAX]).collect();
        numbers.extend((0..64).flat_map(|bit| [(1u64 << bit) - 1, 1 << bit, (1 << bit) + 1]));
        for number in numbers {
            let mut text = Vec::new();
            integer(&mut text, number);
            assert_eq!(String::from_utf8_lossy(&text), number.to_string());
        }
    }
}
