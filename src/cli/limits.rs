//! How much memory this machine lets one run have.

/// Three quarters of the machine's memory, or of the container's where that is less; without limit where neither says.
pub(crate) fn default_memory() -> u64 {
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
