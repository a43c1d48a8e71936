//! Lists that grow.
//!
//! A history of appends is mostly reads of lists, and a read mostly repeats the last read of its key with a few elements more.
//! So the last list of a key is remembered by its bytes: what a new list has in common with it is found by comparing memory,
//! and only what follows is scanned and interned. The scanner's state after an element depends on nothing before it, so that
//! equal bytes up to an element's end are equal elements.

use super::scan::{Kind, Scan, Scanner, word};
use super::values::ValueReader;
use crate::history::{Interner, Value};

/// The last list of a key.
#[derive(Debug)]
struct Known {
    /// Whose list it is, and in which brackets; nothing where the slot is empty.
    key: Option<(Value, Kind)>,
    /// Where its bytes begin, behind the opening bracket.
    start: usize,
    /// Where each of its elements ends, from `start`, and the list up to it.
    ends: Vec<(u32, Value)>,
}

/// The last lists of some keys.
#[derive(Debug)]
pub(super) struct Lists {
    slots: Vec<Known>,
    /// How many elements all of them know, at most.
    known: usize,
}

const SLOTS: usize = 256;

/// How many elements are known at once: what lists of one record can hold is bounded by its text alone.
const MOST: usize = if cfg!(test) { 50 } else { 1 << 22 };

impl Default for Lists {
    fn default() -> Self {
        Lists { slots: (0..SLOTS).map(|_| Known { key: None, start: 0, ends: Vec::new() }).collect(), known: 0 }
    }
}

impl Lists {
    /// Forgets all of them.
    pub(super) fn reset(&mut self) {
        for slot in &mut self.slots {
            slot.key = None;
        }
    }

    /// The list whose opening bracket was taken, which belongs to this key.
    pub(super) fn list<'a, S: Scanner<'a>>(
        &mut self,
        scanner: &mut S,
        values: &mut ValueReader,
        interner: &mut Interner,
        kind: Kind,
        key: Value,
    ) -> Scan<Value> {
        if !scanner.first(kind)? {
            return Ok(Value::EMPTY_LIST);
        }
        let start = scanner.at();
        if self.known > MOST {
            *self = Lists::default();
        }
        let hash = key.raw().wrapping_mul(0x9e37_79b9) >> 24;
        let known = &mut self.slots[hash as usize % SLOTS];
        let mut list = Value::EMPTY_LIST;
        if known.key == Some((key, kind)) {
            let bytes = scanner.text().as_bytes();
            let last = known.ends.last().map_or(0, |end| end.0 as usize);
            let common = common_prefix(&bytes[known.start..known.start + last], &bytes[start..]);
            let mut count = known.ends.partition_point(|end| end.0 as usize <= common);
            // An element that ends where the common part does may go on in the new list.
            if count > 0 && !scanner.delimits(start + known.ends[count - 1].0 as usize) {
                count -= 1;
            }
            if let Some((end, prefix)) = count.checked_sub(1).map(|last| known.ends[last]) {
                list = prefix;
                scanner.seek(start + end as usize);
                if !scanner.more(kind)? {
                    // A list that is known already; what is known of longer ones stays.
                    return Ok(list);
                }
            }
            known.ends.truncate(count);
        } else {
            known.key = Some((key, kind));
            known.ends.clear();
        }
        known.start = start;
        loop {
            let item = values.next(scanner, interner)?;
            list = interner.push(list, item);
            // Of what is longer, the beginning is known.
            if let Ok(end) = u32::try_from(scanner.at() - start)
                && known.ends.len() < MOST
            {
                known.ends.push((end, list));
                self.known += 1;
            }
            if !scanner.more(kind)? {
                return Ok(list);
            }
        }
    }
}

/// How many bytes two slices have in common at their beginnings.
#[inline]
fn common_prefix(a: &[u8], b: &[u8]) -> usize {
    let mut at = 0;
    while let (Some(x), Some(y)) = (word(a, at), word(b, at)) {
        if x != y {
            return at + (x ^ y).trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    at + a[at..].iter().zip(&b[at..]).take_while(|(a, b)| a == b).count()
}
