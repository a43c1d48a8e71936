//! Processes, timed and weighed.

use std::fs::File;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How often a process is weighed.
const EVERY: Duration = Duration::from_millis(1);

/// What a process took.
pub(crate) struct Measured {
    pub(crate) seconds: f64,
    /// What its threads computed together, in seconds: on a shared machine, steadier than the clock. To a hundredth.
    pub(crate) processor: f64,
    /// The most memory it occupied at once, the file that it mapped included; 0 where the system doesn't tell.
    pub(crate) peak_bytes: u64,
    /// The most memory of its own (no file's), as seen every millisecond.
    pub(crate) own_bytes: u64,
    /// Its exit status; none where a signal ended it.
    pub(crate) status: Option<i32>,
    pub(crate) stdout: Vec<u8>,
}

impl Measured {
    /// The shorter of two runs, and the least that was computed; the heavier of their weights.
    pub(crate) fn best(self, other: Option<Measured>) -> Measured {
        let Some(other) = other else { return self };
        let peak_bytes = other.peak_bytes.max(self.peak_bytes);
        let own_bytes = other.own_bytes.max(self.own_bytes);
        let processor = other.processor.min(self.processor);
        Measured { processor, peak_bytes, own_bytes, ..if other.seconds < self.seconds { other } else { self } }
    }
}

/// Runs a process to its end. Its standard output goes through a file of `folder`, so that no pipe slows it down.
pub(crate) fn run(command: &mut Command, folder: &Path) -> io::Result<Measured> {
    let path = folder.join("stdout");
    command.stdin(Stdio::null()).stdout(File::create(&path)?).stderr(Stdio::null());
    let began = Instant::now();
    let mut child = command.spawn()?;
    let (mut peak_bytes, mut own_bytes, mut processor) = (0, 0, 0.0);
    let (status, seconds) = loop {
        if let Some(status) = child.try_wait()? {
            break (status, began.elapsed().as_secs_f64());
        }
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        peak_bytes = bytes(&status, "VmHWM:").max(peak_bytes);
        own_bytes = bytes(&status, "RssAnon:").max(own_bytes);
        processor = computed(&std::fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap_or_default())
            .unwrap_or(processor);
        std::thread::sleep(EVERY);
    };
    Ok(Measured { seconds, processor, peak_bytes, own_bytes, status: status.code(), stdout: std::fs::read(path)? })
}

/// A line of what Linux tells of a process.
fn bytes(status: &str, name: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok()).map_or(0, |kib| kib * 1024)
}

/// What Linux tells of a process's threads: user and system time, in hundredths of a second.
fn computed(stat: &str) -> Option<f64> {
    // The name, in parentheses, may hold spaces.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut hundredths = || fields.next()?.parse::<f64>().ok();
    Some((hundredths()? + hundredths()?) / 100.0)
}
