//! A foreign parser that may panic on crooked input, run so that a panic is an answer, not noise.
//!
//! The panic hook is wrapped once for the process: inside `attempt` it stays silent on this thread,
//! everywhere else it does what it did before.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    static SILENT: Cell<bool> = const { Cell::new(false) };
}

static WRAPPED: Once = Once::new();

/// The result of `parse`, or `None` if it panicked.
pub fn attempt<T>(parse: impl FnOnce() -> T) -> Option<T> {
    WRAPPED.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |info| {
            if !SILENT.get() {
                before(info);
            }
        }));
    });
    SILENT.set(true);
    let result = catch_unwind(AssertUnwindSafe(parse));
    SILENT.set(false);
    result.ok()
}

#[cfg(test)]
mod tests {
    #[test]
    #[allow(clippy::panic)]
    fn a_panic_is_an_answer() {
        assert_eq!(super::attempt(|| 1), Some(1));
        assert_eq!(super::attempt(|| if true { panic!("crooked") } else { 1 }), None);
    }
}
