//! Records in parallel.
//!
//! The text is cut into chunks where a record seems to begin. A chunk is sound when the one before it ended exactly there,
//! between two records; since the first chunk begins at a record, soundness carries from chunk to chunk. From the first chunk
//! that does not end so (a brace inside a string looked like a record, or there is a fault), the rest of the text is read
//! once more, as one piece. So the cuts are guesses, and the result never depends on them.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use memchr::{memchr_iter, memmem, memrchr};

use super::error::{Fault, InputError};
use super::limits::Limits;
use super::record::RecordReader;
use super::scan::{Kind, Scan, Scanner};
use super::text::{MARK_EVERY, Mark, Text};
use crate::history::{Batch, Builder};
use crate::verdict::StoppedBy;

/// How the records follow each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Shape {
    /// One after the other until the end of the text.
    Stream,
    /// As the elements of a list, which is the whole text or a field of a document.
    List {
        /// Its brackets.
        kind: Kind,
        /// Whether fields of a document follow it.
        document: bool,
    },
}

/// About how many bytes a chunk has: enough that lists which grow are not read anew too often.
const CHUNK: usize = if cfg!(test) { 200 } else { 2 << 20 };

/// What became of a chunk.
struct Piece {
    batch: Batch,
    /// Offsets of some of its records, by rank in the batch.
    marks: Vec<(usize, u64)>,
    /// Whether it ended between two records.
    sound: bool,
}

/// Reads all records from `start` on into the builder, and notes where they are.
///
/// # Errors
/// The first fault in the text, or a limit that was reached.
pub(super) fn read<S>(
    text: &mut Text,
    start: usize,
    shape: Shape,
    limits: &Limits,
    builder: &mut Builder,
) -> Result<(), InputError>
where
    S: Syntax,
{
    let bytes = text.bytes();
    let cuts = cuts(bytes, start, shape);
    builder.interner().limit(usize::try_from(limits.left()).unwrap_or(usize::MAX));
    let mut inbox = Inbox { builder, marks: Vec::new(), records: 0, limits, stopped: None };
    let redo = parallel::<S>(bytes, &cuts, shape, &mut inbox);
    let mut result = Ok(());
    if let Some(from) = redo
        && inbox.stopped.is_none()
    {
        result = rest::<S>(bytes, from, shape, &mut inbox);
    }
    let Inbox { marks, records, stopped, .. } = inbox;
    if let Some(by) = stopped {
        return Err(limits.error(by));
    }
    if let Err((fault, base)) = result {
        return Err(fault.located(text, base as u64));
    }
    text.mark(marks, u32::try_from(records).unwrap_or(u32::MAX));
    Ok(())
}

/// A syntax, for text of any lifetime.
pub(super) trait Syntax {
    /// Its scanner.
    type Scanner<'a>: Scanner<'a>;
}

/// Where chunks begin and end.
fn cuts(bytes: &[u8], start: usize, shape: Shape) -> Vec<usize> {
    let mut cuts = vec![start];
    let mut at = start + CHUNK;
    match shape {
        Shape::Stream => {
            while let Some(rest) = bytes.get(at..) {
                let begins = |newline: &usize| matches!(rest.get(newline + 1), Some(b'{' | b'#'));
                let Some(newline) = memchr_iter(b'\n', rest).find(begins) else { break };
                cuts.push(at + newline + 1);
                at += newline + 1 + CHUNK;
            }
        }
        Shape::List { .. } => {
            // Records mostly begin alike, and nested maps otherwise.
            let head = &bytes[start..bytes.len().min(start + 64)];
            let end = head.iter().position(|b| matches!(b, b' ' | b':') || b.is_ascii_whitespace());
            let opening = &head[..end.map_or(head.len(), |end| end + 1)];
            let finder = memmem::Finder::new(opening);
            while opening.len() >= 3
                && let Some(rest) = bytes.get(at..)
                && let Some(found) = finder.find(rest)
            {
                cuts.push(at + found);
                at += found + CHUNK;
            }
        }
    }
    cuts.push(bytes.len());
    cuts
}

/// Where batches arrive in order.
struct Inbox<'b> {
    builder: &'b mut Builder,
    marks: Vec<Mark>,
    records: usize,
    limits: &'b Limits,
    /// The limit that ended the reading.
    stopped: Option<StoppedBy>,
}

impl Inbox<'_> {
    fn add(&mut self, piece: Piece) {
        for (rank, offset) in piece.marks {
            if let Ok(record) = u32::try_from(self.records + rank) {
                self.marks.push(Mark { record, offset });
            }
        }
        self.records += piece.batch.len();
        self.builder.add(piece.batch);
        self.limits.keep(self.builder.bytes());
        let over = self.builder.is_over_limit().then_some(StoppedBy::Memory);
        self.stopped = self.stopped.or(over).or_else(|| self.limits.stopped());
    }
}

/// Reads the chunks; gives the offset from which on they are not sound, if that is so.
fn parallel<S>(bytes: &[u8], cuts: &[usize], shape: Shape, inbox: &mut Inbox<'_>) -> Option<usize>
where
    S: Syntax,
{
    let chunks = cuts.len() - 1;
    let next = AtomicUsize::new(0);
    let stop = AtomicUsize::new(chunks);
    let slots: Vec<Mutex<Option<Piece>>> = (0..chunks).map(|_| Mutex::new(None)).collect();
    let limits = inbox.limits;
    let threads = rayon::current_num_threads().min(chunks).max(1);
    let inbox = Mutex::new((inbox, 0));
    let drain = |state: &mut (&mut Inbox<'_>, usize)| {
        while state.1 < stop.load(Ordering::Acquire)
            && let Some(piece) = slots[state.1].lock().ok().and_then(|mut slot| slot.take())
        {
            if !piece.sound {
                stop.fetch_min(state.1, Ordering::AcqRel);
                break;
            }
            let bytes = piece.batch.bytes();
            state.0.add(piece);
            limits.depart(bytes);
            state.1 += 1;
            if state.0.stopped.is_some() {
                stop.fetch_min(0, Ordering::AcqRel);
            }
        }
    };
    let work = || {
        let mut reader = RecordReader::new();
        loop {
            let at = next.fetch_add(1, Ordering::AcqRel);
            if at >= stop.load(Ordering::Acquire) {
                break;
            }
            // What all threads take, and then the history from them, has room. Where one comes to its limit, the piece is read
            // once more, alone.
            reader.limit(limits.left() / 2 / threads as u64);
            let piece = piece::<S>(bytes, cuts[at], cuts[at + 1], at + 1 == chunks, shape, &mut reader);
            if !piece.sound {
                stop.fetch_min(at + 1, Ordering::AcqRel);
            }
            limits.arrive(piece.batch.bytes());
            if let Ok(mut slot) = slots[at].lock() {
                *slot = Some(piece);
            }
            // Whoever comes along takes in what is ready, while the others read on; but nobody reads on where batches pile up.
            let crowded = limits.is_crowded();
            if let Ok(mut state) = if crowded { inbox.lock().ok().ok_or(()) } else { inbox.try_lock().map_err(|_| ()) }
            {
                drain(&mut state);
                if crowded && state.0.stopped.is_none() {
                    state.0.stopped = limits.stopped();
                    if state.0.stopped.is_some() {
                        stop.fetch_min(0, Ordering::AcqRel);
                    }
                }
            }
        }
    };
    if chunks == 1 {
        work();
    } else {
        rayon::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|_| work());
            }
        });
    }
    let mut state = inbox.lock().ok()?;
    drain(&mut state);
    cuts.get(state.1).copied().filter(|_| state.1 < chunks)
}

/// One chunk.
fn piece<S>(bytes: &[u8], from: usize, to: usize, last: bool, shape: Shape, reader: &mut RecordReader) -> Piece
where
    S: Syntax,
{
    let mut marks = Vec::new();
    let sound = std::str::from_utf8(&bytes[from..to]).is_ok_and(|slice| {
        let mut scanner = S::Scanner::<'_>::new(slice);
        match records(&mut scanner, shape, from as u64, reader, &mut marks, usize::MAX) {
            Ok(end) => match (last, shape) {
                (false, _) | (true, Shape::Stream) => end == End::Text,
                (true, Shape::List { document, .. }) => end == End::List && epilogue(&mut scanner, document).is_ok(),
            },
            Err(_) => false,
        }
    });
    let sound = sound && !reader.is_over_limit();
    Piece { batch: reader.take(), marks, sound }
}

/// All of the text from `from` on, piece by piece. A fault comes with the offset that its own counts from.
fn rest<S>(bytes: &[u8], from: usize, shape: Shape, inbox: &mut Inbox<'_>) -> Result<(), (Box<Fault>, usize)>
where
    S: Syntax,
{
    let (slice, invalid) = match std::str::from_utf8(&bytes[from..]) {
        Ok(slice) => (slice, None),
        Err(error) => {
            let valid = &bytes[from..from + error.valid_up_to()];
            (std::str::from_utf8(valid).unwrap_or(""), Some(error.valid_up_to()))
        }
    };
    let mut scanner = S::Scanner::<'_>::new(slice);
    let mut reader = RecordReader::new();
    let mut result = loop {
        let mut marks = Vec::new();
        reader.limit(inbox.limits.left() / 2);
        let until = scanner.at().saturating_add(CHUNK);
        let result = records(&mut scanner, shape, from as u64, &mut reader, &mut marks, until);
        if reader.is_over_limit() {
            inbox.stopped = Some(StoppedBy::Memory);
            return Ok(());
        }
        inbox.add(Piece { batch: reader.take(), marks, sound: true });
        if inbox.stopped.is_some() {
            return Ok(());
        }
        match result {
            Ok(End::Piece) => {}
            end => break end,
        }
    };
    if let (Ok(end), Shape::List { document, .. }) = (&result, shape) {
        result = if *end == End::Text {
            Err(Fault::cut(slice.len()))
        } else {
            epilogue(&mut scanner, document).map(|()| End::List)
        };
    }
    if let Some(at) = invalid
        && result.as_ref().map_or_else(|fault| fault.cut, |_| true)
    {
        result = Err(Fault::new(
            at,
            "found bytes that are no UTF-8",
            "a history is UTF-8 text: the file is damaged, binary, or in another encoding",
        ));
    }
    result.map(|_| ()).map_err(|fault| (fault, from))
}

/// Where records end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum End {
    /// With the text.
    Text,
    /// With their list.
    List,
    /// Where the piece should, and there are more.
    Piece,
}

/// Records until the text ends, their list closes, or one ends at or behind `until`.
fn records<'a, S: Scanner<'a>>(
    scanner: &mut S,
    shape: Shape,
    base: u64,
    reader: &mut RecordReader,
    marks: &mut Vec<(usize, u64)>,
    until: usize,
) -> Scan<End> {
    let end = scanner.text().len();
    loop {
        scanner.blank()?;
        if scanner.at() == end {
            return Ok(End::Text);
        }
        if scanner.at() >= until {
            return Ok(End::Piece);
        }
        if reader.len().is_multiple_of(MARK_EVERY) {
            marks.push((reader.len(), base + scanner.at() as u64));
        }
        let start = scanner.at();
        if let Err(fault) = reader.record(scanner) {
            return Err(if shape == Shape::Stream { torn(scanner.text(), start, fault) } else { fault });
        }
        if let Shape::List { kind, .. } = shape
            && !scanner.next_record(kind)?
        {
            return Ok(End::List);
        }
    }
}

/// A record that begins before another one has ended is a torn line, however the fault showed.
#[cold]
fn torn(text: &str, start: usize, mut fault: Box<Fault>) -> Box<Fault> {
    let bytes = text.as_bytes();
    if bytes.get(fault.at) == Some(&b'{')
        && let Some(before) = bytes.get(start..fault.at)
        && let Some(newline) = memrchr(b'\n', before)
        && before[newline..].trim_ascii().is_empty()
    {
        fault.at = start + newline;
        fault.message = "this record is not complete at the end of its line".to_owned();
        fault.help = "the line is torn, by a crash or by two writers at once: write the history again, or remove the line if \
                      you know what it said";
    }
    fault
}

/// What follows the list of records: the rest of a document, and nothing else.
pub(super) fn epilogue<'a, S: Scanner<'a>>(scanner: &mut S, document: bool) -> Scan<()> {
    if document {
        while scanner.more(Kind::Map)? {
            scanner.key()?;
            scanner.colon()?;
            scanner.skip()?;
        }
    }
    scanner.blank()?;
    if scanner.at() < scanner.text().len() {
        return Err(Fault::unexpected(
            scanner.text(),
            scanner.at(),
            "the end of the file",
            "a file holds one history: one list of records, or one record a line",
        ));
    }
    Ok(())
}
