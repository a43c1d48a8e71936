//! What one run may take: memory, as the user or this machine lets it have, time and threads.

use std::time::Instant;

use super::CommandError;
use super::args::Limits;

/// The most bytes that the run may hold.
pub(crate) fn memory(limits: &Limits) -> u64 {
    limits.max_memory.unwrap_or_else(default_memory)
}

/// When a run that began then has to end.
pub(crate) fn deadline(limits: &Limits, begin: Instant) -> Option<Instant> {
    limits.timeout.and_then(|timeout| begin.checked_add(timeout))
}

/// Starts as many threads as were asked for.
pub(crate) fn use_threads(limits: &Limits) -> Result<(), CommandError> {
    let Some(threads) = limits.threads else { return Ok(()) };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(usize::from(threads));
    pool.build_global().map_err(|error| CommandError::new(format!("no threads: {error}")))
}

/// Three quarters of the machine's memory, or of the container's where that is less; without limit where neither says.
fn default_memory() -> u64 {
    let machine = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| total_in(&text));
    let container = std::fs::read_to_string("/sys/fs/cgroup/memory.max").ok().and_then(|text| text.trim().parse().ok());
    let least = [machine, container].into_iter().flatten().min();
    least.map_or(u64::MAX, |bytes: u64| bytes / 4 * 3)
}

fn total_in(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: the kernel's own wording is read, and anything else is no limit.
    #[test]
    fn the_total_is_found() {
        assert_eq!(total_in("MemTotal:       16384 kB\nMemFree:  1 kB\n"), Some(16 << 20));
        assert_eq!(total_in("MemFree:  1 kB\n"), None);
    }
}
