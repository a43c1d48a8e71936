//! Small random histories: accesses as the brute force sees them, and the records that say so.

use std::fmt::Write;

/// SplitMix64: the same histories on every machine.
pub(crate) struct Random(pub u64);

impl Random {
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) % bound as u64).expect("below a usize")
    }

    pub(crate) fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == 0
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Status {
    Ok,
    Fail,
    Info,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum What {
    /// Of a key.
    Write(usize),
    /// Of a key: the access that wrote what it shows; nothing for the initial version.
    Read(usize, Option<usize>),
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Access {
    pub op: usize,
    pub session: usize,
    pub status: Status,
    pub what: What,
}

/// Accesses in order; what the history itself tells of versions (access of the earlier, of the later).
#[derive(Clone, Debug, Default)]
pub(crate) struct Small {
    pub accesses: Vec<Access>,
    pub known: Vec<(usize, usize)>,
    /// Writes that lists show.
    pub within: Vec<usize>,
    /// Whether these are lists: then what a crashed transaction would have read is not known.
    pub lists: bool,
    /// Whether what is known of versions is, in part, what a server says.
    pub revised: bool,
    /// By access: what its write wrote, where several can have written one value.
    pub named: Vec<usize>,
    pub records: String,
}

pub(crate) const KEYS: usize = 2;

#[derive(Clone, Debug)]
enum Act {
    Write(usize),
    Read(usize),
    Cas(usize),
    Transaction(Vec<(bool, usize)>),
}

#[derive(Clone, Debug)]
struct Op {
    act: Act,
    process: usize,
    session: usize,
    status: Status,
    /// Recorded when it was invoked, and when it completed.
    recorded: (bool, bool),
}

/// The operations in order of invocation, and the order of events: (operation, whether it completes).
fn plan(random: &mut Random, lists: bool) -> (Vec<Op>, Vec<(usize, bool)>) {
    let count = 3 + random.below(6);
    let sessions = 1 + random.below(3);
    let keys = 1 + random.below(KEYS);
    let named = random.one_in(2);
    let mut ops: Vec<Op> = Vec::new();
    let mut events = Vec::new();
    // By place: process, session, and the operation that is in flight.
    let mut places: Vec<(usize, usize, Option<usize>)> = (0..sessions).map(|at| (at, at, None)).collect();
    let mut fresh = sessions;
    while ops.len() < count || places.iter().any(|place| place.2.is_some()) {
        let at = random.below(sessions);
        let place = &mut places[at];
        if let Some(op) = place.2.take() {
            events.push((op, true));
            if ops[op].status == Status::Info {
                // The process has crashed; its session goes on, or ends with it.
                place.0 = fresh;
                if !named {
                    place.1 = fresh;
                }
                fresh += 1;
            }
            continue;
        }
        if ops.len() == count {
            continue;
        }
        let key = random.below(keys);
        let act = if lists {
            let mops = (0..1 + random.below(3)).map(|_| (random.one_in(2), random.below(keys)));
            let mut mops: Vec<(bool, usize)> = mops.collect();
            // One append to a key: what shows half of a transaction is for the tests of lists.
            for key in 0..keys {
                let mut had = false;
                mops.retain(|mop| *mop != (true, key) || !std::mem::replace(&mut had, true));
            }
            Act::Transaction(mops)
        } else {
            match random.below(10) {
                0..=3 => Act::Write(key),
                4 => Act::Cas(key),
                _ => Act::Read(key),
            }
        };
        let status = match random.below(12) {
            0 => Status::Info,
            1 => Status::Fail,
            _ => Status::Ok,
        };
        // A completion alone says when its process began, not its session.
        let whole = named || !random.one_in(8);
        let recorded = match status {
            Status::Ok => (whole, true),
            Status::Info => (true, whole),
            Status::Fail => (true, true),
        };
        if recorded.0 {
            events.push((ops.len(), false));
            place.2 = Some(ops.len());
        } else {
            events.push((ops.len(), true));
        }
        ops.push(Op { act, process: place.0, session: place.1, status, recorded });
    }
    if !named {
        return (ops, events);
    }
    // Sessions with names, so that a session can outlive its process.
    for op in &mut ops {
        op.session += 100;
    }
    (ops, events)
}

fn record(small: &mut Small, op: &Op, kind: &str, value: &str, key: Option<usize>, version: Option<usize>) {
    let f = match op.act {
        Act::Write(_) => "write",
        Act::Read(_) => "read",
        Act::Cas(_) => "cas",
        Act::Transaction(_) => "txn",
    };
    let key = key.map_or_else(String::new, |key| format!(r#","key":"{}""#, ["x", "y"][key]));
    let session = if op.session >= 100 { format!(r#","session":"s{}""#, op.session) } else { String::new() };
    let version = version.map_or_else(String::new, |version| format!(r#","version":{version}"#));
    let process = op.process;
    writeln!(
        small.records,
        r#"{{"type":"{kind}","process":{process},"f":"{f}"{key}{session}{version},"value":{value}}}"#
    )
    .expect("a string");
}

/// A history of registers: values are written once each.
pub(crate) fn registers(random: &mut Random) -> Small {
    of_registers(random, Kind::Plain)
}

/// The same where several writes write one value, so that reads don't tell which they saw.
pub(crate) fn repeated(random: &mut Random) -> Small {
    of_registers(random, Kind::Repeated)
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Plain,
    Revised,
    Repeated,
}

/// The same where the server says which revision it has of a register, mostly, and writes can have one value.
pub(crate) fn revised(random: &mut Random) -> Small {
    of_registers(random, Kind::Revised)
}

fn of_registers(random: &mut Random, kind: Kind) -> Small {
    let revised = kind == Kind::Revised;
    let (ops, events) = plan(random, false);
    let mut small = Small { revised, ..Small::default() };
    let mut write_of: Vec<Option<usize>> = Vec::new();
    for (number, op) in ops.iter().enumerate() {
        let access = |what| Access { op: number, session: op.session, status: op.status, what };
        match op.act {
            Act::Write(key) => small.accesses.push(access(What::Write(key))),
            Act::Read(key) => small.accesses.push(access(What::Read(key, None))),
            Act::Cas(key) => {
                small.accesses.push(access(What::Read(key, None)));
                small.accesses.push(access(What::Write(key)));
            }
            Act::Transaction(_) => {}
        }
        write_of.push(small.accesses.len().checked_sub(1).filter(|_| !matches!(op.act, Act::Read(_))));
    }
    // What a read shows: mostly something that had been invoked by then.
    for at in 0..small.accesses.len() {
        let What::Read(key, _) = small.accesses[at].what else { continue };
        let mut writes: Vec<usize> = (0..small.accesses.len()).collect();
        writes.retain(|other| {
            let write = small.accesses[*other];
            write.what == What::Write(key)
                && write.op != small.accesses[at].op
                && (*other < at || random.one_in(12))
                && (write.status != Status::Fail || random.one_in(12))
        });
        let source = writes.get(random.below(writes.len() + 1)).copied();
        small.accesses[at].what = What::Read(key, source);
    }
    for at in 1..small.accesses.len() {
        let (read, write) = (small.accesses[at - 1], small.accesses[at]);
        if let (What::Read(_, Some(source)), true) = (read.what, read.op == write.op) {
            small.known.push((source, at));
        }
    }
    if kind == Kind::Repeated {
        small.named = (0..small.accesses.len()).map(|_| random.below(3)).collect();
    }
    let named = small.named.clone();
    let (versions, same) = if revised { revisions(random, &mut small) } else { (vec![None; ops.len()], None) };
    let value = |source: Option<usize>| match source {
        None => "null".to_owned(),
        Some(source) if !named.is_empty() => named[source].to_string(),
        Some(source) if same.is_some_and(|(a, _)| a == source) => (same.expect("two").1 + 1).to_string(),
        Some(source) => (source + 1).to_string(),
    };
    for (number, completes) in events {
        let op = &ops[number];
        let (key, given, found) = match op.act {
            Act::Write(key) => (key, value(write_of[number]), value(write_of[number])),
            Act::Read(key) => {
                let read = small.accesses.iter().find(|access| access.op == number).expect("there");
                let What::Read(_, source) = read.what else { unreachable!("it reads") };
                (key, "null".to_owned(), value(source))
            }
            Act::Cas(key) => {
                let read = small.accesses.iter().find(|access| access.op == number).expect("there");
                let What::Read(_, source) = read.what else { unreachable!("it reads first") };
                let pair = format!("[{},{}]", value(source), value(write_of[number]));
                (key, pair.clone(), pair)
            }
            Act::Transaction(_) => continue,
        };
        let op = op.clone();
        tell(&mut small, &op, completes, [&given, &found], Some(key), versions[number]);
    }
    small
}

/// What records of operations name as their register's revision; and two writes that may have one value, since every read of either
/// names its revision. The order is near that of invocation, and contains what replaced what.
fn revisions(random: &mut Random, small: &mut Small) -> (Vec<Option<usize>>, Option<(usize, usize)>) {
    let count = small.accesses.len();
    let writes = |key: usize| move |access: &Access| access.what == What::Write(key) && access.status != Status::Fail;
    let mut place: Vec<Option<usize>> = vec![None; count];
    for key in 0..KEYS {
        let mut left: Vec<usize> = (0..count).filter(|at| writes(key)(&small.accesses[*at])).collect();
        let mut next = 1 + random.below(3);
        while !left.is_empty() {
            let waits = |at: &usize| small.known.iter().any(|(first, then)| then == at && left.contains(first));
            let Some(first) = left.iter().position(|at| !waits(at)) else { return (vec![None; count], None) };
            let ready: Vec<usize> = (first..left.len()).filter(|at| !waits(&left[*at])).collect();
            let chosen = if random.one_in(3) { ready[random.below(ready.len())] } else { first };
            place[left.remove(chosen)] = Some(next);
            next += 1 + random.below(2);
        }
    }
    let sparse = random.one_in(2);
    let mut versions = vec![None; count];
    let mut numbered = vec![false; count];
    for at in 0..count {
        let access = small.accesses[at];
        let part = small.accesses.get(at + 1).is_some_and(|next| next.op == access.op);
        if access.status != Status::Ok || part || sparse && random.one_in(3) {
            continue;
        }
        match access.what {
            What::Write(_) => (versions[access.op], numbered[at]) = (place[at], true),
            What::Read(_, None) => versions[access.op] = Some(0).filter(|_| random.one_in(2)),
            What::Read(_, Some(source)) => {
                if let Some(version) = place[source] {
                    (versions[access.op], numbered[source]) = (Some(version), true);
                }
            }
        }
    }
    let all: Vec<usize> = (0..count).filter(|at| numbered[*at]).collect();
    let key = |at: usize| small.accesses[at].what;
    for (first, then) in all.iter().flat_map(|first| all.iter().map(move |then| (*first, *then))) {
        if key(first) == key(then) && place[first] < place[then] {
            small.known.push((first, then));
        }
    }
    let told = |source: usize| {
        let shows = |access: &&Access| matches!(access.what, What::Read(_, Some(shown)) if shown == source);
        let mut readers = small.accesses.iter().enumerate().filter(|(_, access)| shows(access));
        let own = small.accesses[source];
        own.status == Status::Ok
            && versions[own.op].is_some()
            && readers.all(|(at, read)| {
                let part = small.accesses.get(at + 1).is_some_and(|next| next.op == read.op);
                !part && (read.status != Status::Ok || versions[read.op].is_some())
            })
    };
    let same = (0..count).flat_map(|a| (0..count).map(move |b| (a, b)));
    let mut same = same.filter(|(a, b)| a != b && key(*a) == key(*b) && matches!(key(*a), What::Write(_)));
    let same = same.find(|(a, b)| told(*a) && told(*b));
    (versions, same)
}

fn tell(
    small: &mut Small,
    op: &Op,
    completes: bool,
    [given, found]: [&str; 2],
    key: Option<usize>,
    version: Option<usize>,
) {
    if !completes {
        record(small, op, "invoke", given, key, None);
    } else if op.recorded.1 {
        match op.status {
            Status::Ok => record(small, op, "ok", found, key, version),
            Status::Fail => record(small, op, "fail", given, key, None),
            Status::Info => record(small, op, "info", given, key, None),
        }
    }
}

/// A history of lists: what reads show are beginnings of one order of each key's elements.
pub(crate) fn lists(random: &mut Random) -> Small {
    let (ops, events) = plan(random, true);
    let mut small = Small { lists: true, ..Small::default() };
    for (number, op) in ops.iter().enumerate() {
        let Act::Transaction(mops) = &op.act else { continue };
        for (appends, key) in mops {
            let what = if *appends { What::Write(*key) } else { What::Read(*key, None) };
            small.accesses.push(Access { op: number, session: op.session, status: op.status, what });
        }
    }
    // Near the order of invocation, with some swaps; what failed mostly left out.
    let mut orders: Vec<Vec<usize>> = Vec::new();
    for key in 0..KEYS {
        let writes = (0..small.accesses.len()).filter(|at| small.accesses[*at].what == What::Write(key));
        let writes = writes.collect::<Vec<_>>().into_iter();
        let mut order: Vec<usize> =
            writes.filter(|at| small.accesses[*at].status != Status::Fail || random.one_in(12)).collect();
        for _ in 0..random.below(3) {
            if order.len() > 1 {
                let at = random.below(order.len() - 1);
                order.swap(at, at + 1);
            }
        }
        orders.push(order);
    }
    let mut shown: Vec<usize> = vec![0; small.accesses.len()];
    let mut longest = [0; KEYS];
    for (at, shown) in shown.iter_mut().enumerate() {
        let What::Read(key, _) = small.accesses[at].what else { continue };
        // As long as what was appended by then, or shorter.
        let by_now = orders[key].iter().filter(|write| **write < at).count();
        let lag = random.below(3);
        let length = if random.one_in(10) { random.below(orders[key].len() + 1) } else { by_now.saturating_sub(lag) };
        *shown = length;
        small.accesses[at].what = What::Read(key, length.checked_sub(1).map(|last| orders[key][last]));
        if small.accesses[at].status == Status::Ok {
            longest[key] = longest[key].max(length);
        }
    }
    for key in 0..KEYS {
        let line = &orders[key][..longest[key]];
        small.known.extend(line.windows(2).map(|pair| (pair[0], pair[1])));
        // What nobody saw comes after.
        if let Some(last) = line.last() {
            let unseen = (0..small.accesses.len()).filter(|at| small.accesses[*at].what == What::Write(key));
            small.known.extend(unseen.filter(|at| !line.contains(at)).map(|at| (*last, at)));
        }
    }
    for (number, completes) in events {
        let op = ops[number].clone();
        let mut texts = [Vec::new(), Vec::new()];
        for (at, access) in small.accesses.iter().enumerate().filter(|(_, access)| access.op == number) {
            let name = |key: usize| ["x", "y"][key];
            match access.what {
                What::Write(key) => {
                    texts.iter_mut().for_each(|text| text.push(format!(r#"["append","{}",{at}]"#, name(key))))
                }
                What::Read(key, _) => {
                    texts[0].push(format!(r#"["r","{}",null]"#, name(key)));
                    texts[1].push(format!(r#"["r","{}",{:?}]"#, name(key), &orders[key][..shown[at]]));
                }
            }
        }
        let [given, found] = texts.map(|text| format!("[{}]", text.join(",")));
        tell(&mut small, &op, completes, [&given, &found], None, None);
    }
    for key in 0..KEYS {
        small.within.extend(&orders[key][..longest[key]]);
    }
    small
}
