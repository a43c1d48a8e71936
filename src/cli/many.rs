//! Many histories in one run: small ones side by side, large ones one after the other.
//!
//! Those side by side share the memory. Whatever came to the limit of its share is judged once more, alone, with all of it: so
//! no answer depends on how many threads there are, or on what else was judged.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use anachron::report::HistoryReport;

use super::judge::Judge;

/// Files up to this size are judged side by side, where compressed up to a sixteenth of it.
const SMALL: u64 = 32 << 20;
/// More at a time only take memory from each other.
const MOST_WORKERS: usize = 16;
/// As much as the main thread has.
const STACK: usize = 8 << 20;

/// The reports of these files, in their order.
pub(crate) fn reports(judge: &Judge<'_>, files: &[PathBuf]) -> Vec<HistoryReport> {
    if judge.join.is_some() {
        return vec![judge.report(files).0];
    }
    let small: Vec<usize> = (0..files.len()).filter(|at| is_small(&files[*at])).collect();
    let workers = rayon::current_num_threads().min(small.len()).min(MOST_WORKERS);
    let reports: Mutex<Vec<Option<HistoryReport>>> = Mutex::new(files.iter().map(|_| None).collect());
    if small.len() > 1 {
        let share = judge.memory / u64::try_from(workers.max(1)).unwrap_or(1);
        let mut options = judge.options.clone();
        options.max_memory = Some(share);
        let judge = Judge { memory: share, options: &options, ..*judge };
        let next = AtomicUsize::new(0);
        let work = || {
            while let Some(&at) = small.get(next.fetch_add(1, Ordering::Relaxed)) {
                let (report, is_final) = judge.report(std::slice::from_ref(&files[at]));
                if is_final {
                    reports.lock().unwrap_or_else(PoisonError::into_inner)[at] = Some(report);
                }
            }
        };
        std::thread::scope(|scope| {
            let started = (0..workers).map(|_| std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work));
            // Where a thread can't be had, the others do its work; without any, this one does.
            if started.filter(Result::is_ok).count() == 0 {
                work();
            }
        });
    }
    let reports = reports.into_inner().unwrap_or_else(PoisonError::into_inner);
    let alone = reports.into_iter().zip(files);
    alone.map(|(report, file)| report.unwrap_or_else(|| judge.report(std::slice::from_ref(file)).0)).collect()
}

fn is_small(path: &std::path::Path) -> bool {
    let Ok(metadata) = path.metadata() else { return false };
    let is_compressed = path.extension().is_some_and(|ending| ending == "gz" || ending == "zst");
    metadata.is_file() && metadata.len() <= if is_compressed { SMALL / 16 } else { SMALL }
}
