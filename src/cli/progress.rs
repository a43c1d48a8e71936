//! A sign of life on standard error, for work over a second, on a terminal only.

use std::io::IsTerminal as _;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// Shows what is being done until it is dropped.
pub(crate) struct Progress {
    said: Option<(Sender<String>, JoinHandle<()>)>,
}

impl Progress {
    /// Starts silent; nothing at all is shown where standard error is no terminal, or `quiet`.
    pub(crate) fn start(quiet: bool) -> Progress {
        if quiet || !std::io::stderr().is_terminal() {
            return Progress { said: None };
        }
        let (sender, receiver) = channel::<String>();
        let thread = std::thread::spawn(move || {
            let mut what = String::new();
            let begin = std::time::Instant::now();
            while begin.elapsed() < Duration::from_secs(1) {
                match receiver.recv_timeout(Duration::from_secs(1).saturating_sub(begin.elapsed())) {
                    Ok(next) => what = next,
                    Err(RecvTimeoutError::Timeout) => break,
                    Err(RecvTimeoutError::Disconnected) => return,
                }
            }
            let spinner = indicatif::ProgressBar::new_spinner();
            spinner.enable_steady_tick(Duration::from_millis(120));
            spinner.set_message(what);
            while let Ok(next) = receiver.recv() {
                spinner.set_message(next);
            }
            spinner.finish_and_clear();
        });
        Progress { said: Some((sender, thread)) }
    }

    /// What is being done now.
    pub(crate) fn say(&self, what: impl Into<String>) {
        if let Some((sender, _)) = &self.said {
            // The thread ends only when this sender does; a message that nobody hears is no loss.
            let _ = sender.send(what.into());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((sender, thread)) = self.said.take() {
            drop(sender);
            let _ = thread.join();
        }
    }
}
