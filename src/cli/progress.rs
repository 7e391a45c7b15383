//! A line on standard error that tells how far a long run has come.
//!
//! Decides when it is worth showing: only on a terminal, and only where the report goes elsewhere.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

/// Nothing is shown before this, and nothing more often.
const PAUSE: Duration = Duration::from_millis(250);

/// The line.
pub(super) struct Progress {
    wanted: bool,
    shown: bool,
    pods: u64,
    begun: Instant,
    last: Instant,
}

impl Progress {
    /// Begins; `quiet` where nothing is printed on standard output.
    pub(super) fn begin(quiet: bool) -> Self {
        let wanted = io::stderr().is_terminal() && (quiet || !io::stdout().is_terminal());
        let now = Instant::now();
        Self { wanted, shown: false, pods: 0, begun: now, last: now }
    }

    /// One pod more. Looks at the clock every 64 pods.
    pub(super) fn pod(&mut self) {
        self.pods += 1;
        if !self.wanted || !self.pods.is_multiple_of(64) || self.last.elapsed() < PAUSE {
            return;
        }
        self.last = Instant::now();
        self.shown = true;
        let seconds = self.begun.elapsed().as_secs_f64();
        let rate = self.pods as f64 / seconds.max(0.001);
        let _ = write!(io::stderr(), "\r{} pods, {rate:.0} a second\u{1b}[K", self.pods);
    }
}

impl Drop for Progress {
    /// Takes the line away, after an error too.
    fn drop(&mut self) {
        if self.shown {
            let _ = write!(io::stderr(), "\r\u{1b}[K");
        }
    }
}
