//! The signals that end or suspend the program: noted where they come, acted on between two drawings.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGTSTP};

/// What the program ends with where its terminal is gone.
pub(super) const GONE: i32 = SIGHUP;

/// The last signal that came.
#[derive(Debug, Clone)]
pub(super) struct Signals(Arc<AtomicUsize>);

impl Signals {
    /// Listens.
    pub(super) fn take() -> io::Result<Self> {
        let number = Arc::new(AtomicUsize::new(0));
        for signal in [SIGTERM, SIGHUP, SIGINT] {
            let value = usize::try_from(signal).unwrap_or(0);
            signal_hook::flag::register_usize(signal, number.clone(), value)?;
        }
        Ok(Self(number))
    }

    /// The signal that asks to end, where one came.
    pub(super) fn arrived(&self) -> Option<i32> {
        match self.0.load(Ordering::SeqCst) {
            0 => None,
            number => Some(i32::try_from(number).unwrap_or(SIGTERM)),
        }
    }
}

/// Stops, until somebody says go on.
pub(super) fn suspend() -> io::Result<()> {
    signal_hook::low_level::emulate_default_handler(SIGTSTP)
}
