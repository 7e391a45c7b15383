//! The terminal is borrowed: one guard takes raw mode, alternate screen, paste and mouse, and gives
//! them back whatever happens (end, panic, signal, suspension).
//!
//! Order on the way back: mouse and paste off, pending input drained, main screen, cursor, and only
//! then the line discipline, so that no mouse byte spills into the shell.

use std::io::{self, Write};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crossterm::cursor::Show;
use crossterm::event::{
    DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture, poll, read,
};
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use crossterm::{execute, queue};
use rustix::event::{PollFd, PollFlags, Timespec, poll as poll_descriptors};

/// Whether the terminal is taken, for the panic hook and the guard alike.
static TAKEN: AtomicBool = AtomicBool::new(false);
/// What a crash prints: the unsaved edits.
static LAST_WORDS: Mutex<Option<String>> = Mutex::new(None);

/// When the terminal was asked something that it has not answered.
static ASKED: Mutex<Option<Instant>> = Mutex::new(None);
/// After this no answer is expected any more.
const ANSWERS_WITHIN: Duration = Duration::from_secs(1);

/// The terminal was asked something: what it answers is read before it is given back.
pub fn expect_answer() {
    if let Ok(mut asked) = ASKED.lock() {
        *asked = Some(Instant::now());
    }
}

/// It has answered.
pub fn answer_came() {
    if let Ok(mut asked) = ASKED.lock() {
        *asked = None;
    }
}

/// How long to listen for what is under way.
fn patience() -> Duration {
    let asked = ASKED.try_lock().ok().and_then(|asked| *asked);
    let waits = asked.is_some_and(|at| at.elapsed() < ANSWERS_WITHIN);
    Duration::from_millis(if waits { 100 } else { 2 })
}

/// The terminal, while it is ours.
#[derive(Debug)]
pub struct Guard {
    mouse: bool,
}

impl Guard {
    /// Takes the terminal.
    pub fn take(mouse: bool) -> io::Result<Self> {
        enter(mouse)?;
        Ok(Self { mouse })
    }

    /// Gives it back for a while.
    pub fn lend(&self) {
        restore();
    }

    /// Takes it again.
    pub fn again(&self) -> io::Result<()> {
        enter(self.mouse)
    }

    /// Takes or releases the mouse.
    pub fn set_mouse(&mut self, mouse: bool) -> io::Result<()> {
        self.mouse = mouse;
        if mouse {
            execute!(io::stdout(), EnableMouseCapture)
        } else {
            execute!(io::stdout(), DisableMouseCapture)
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        restore();
    }
}

fn enter(mouse: bool) -> io::Result<()> {
    enable_raw_mode()?;
    TAKEN.store(true, Ordering::SeqCst);
    let mut out = io::stdout();
    queue!(out, EnterAlternateScreen, EnableBracketedPaste)?;
    if mouse {
        queue!(out, EnableMouseCapture)?;
    }
    out.flush()
}

/// Gives the terminal back; does nothing where it is not taken. Errors are not reported: there is
/// nobody left to tell.
fn restore() {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    let mut out = io::stdout();
    let _ = queue!(out, DisableMouseCapture, DisableBracketedPaste);
    let _ = out.flush();
    // What the terminal sent before it heard of it.
    let mut patience = patience();
    for _ in 0..1_000 {
        if is_gone() {
            break;
        }
        match poll(patience) {
            Ok(true) if read().is_ok() => patience = Duration::from_millis(2),
            _ => break,
        }
    }
    let _ = execute!(out, LeaveAlternateScreen, Show);
    let _ = disable_raw_mode();
}

/// Whether the terminal at the other end is gone. Its signal does not reach a program in a session of
/// its own (`su -c`, `setsid`), and reading from what is left returns at once, for ever.
pub fn is_gone() -> bool {
    let out = io::stdout();
    let mut asked = [PollFd::new(&out, PollFlags::empty())];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll_descriptors(&mut asked, Some(&now)).is_ok()
        && asked.iter().any(|fd| fd.revents().intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL))
}

/// What to print if the program dies.
pub fn set_last_words(words: Option<String>) {
    if let Ok(mut slot) = LAST_WORDS.lock() {
        *slot = words;
    }
}

/// Restores the terminal before a panic is reported, then lets the hook that was there report it.
pub fn guard_against_panics() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        restore();
        before(info);
        let words = LAST_WORDS.try_lock().ok().and_then(|mut slot| slot.take());
        if let Some(words) = words {
            let _ = writeln!(io::stderr(), "{words}");
        }
    }));
}
