//! From the start to the first state: the files are read beside, and whoever waits longer than a moment
//! sees what for, and can leave.

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use crossterm::event;

use super::display::Display;
use super::env::{Colours, Env};
use super::events::translate;
use super::keymap::{Found, Keymap, Layer};
use super::message::{Command, Message};
use super::session::{Ended, GLANCE, MOMENT, Session};
use super::settings::Settings;
use super::signals::{GONE, Signals, suspend};
use super::terminal;
use super::theme::Preset;
use crate::input::reading::Reading;
use crate::input::source::Source;

/// How often it is drawn how far reading is, and looked for keys.
const PICTURE: Duration = Duration::from_millis(8);
/// Keys that are kept for when everything is read.
const KEPT: usize = 256;

/// Reads everything, on a thread of its own.
pub type Load<E> = Box<dyn FnOnce(&Arc<Reading>) -> Result<Session, E> + Send>;

/// What the program is started with before anything is read.
pub struct Opening<E> {
    /// Reads the files.
    pub load: Load<E>,
    /// Whether it is read beside the screen. Not where it is typed at the terminal, which nobody else may
    /// read meanwhile; and not where it takes no longer than to start a thread.
    pub beside: bool,
    /// Colours.
    pub colours: Colours,
    /// The settings file that was named.
    pub settings: Option<PathBuf>,
}

impl<E> std::fmt::Debug for Opening<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opening").field("beside", &self.beside).finish_non_exhaustive()
    }
}

/// What waiting came to.
pub(super) enum Arrived<E> {
    /// Everything is read; the terminal, where it was taken meanwhile, and what was typed.
    Session(Box<Session>, Option<Display>, VecDeque<Message>),
    /// It could not be.
    Failed(E),
    /// Nobody waits any more.
    Left(Ended),
}

impl<E> Arrived<E> {
    pub(super) fn of(result: Result<Session, E>, display: Option<Display>, typed: VecDeque<Message>) -> Self {
        match result {
            Ok(session) => Self::Session(Box::new(session), display, typed),
            Err(error) => Self::Failed(error),
        }
    }
}

/// What is being read.
pub(super) struct Arriving<E> {
    inbox: Receiver<Result<Session, E>>,
    reading: Arc<Reading>,
}

impl<E: Send + 'static> Arriving<E> {
    /// Begins to read.
    pub(super) fn begin(load: Load<E>) -> io::Result<Self> {
        let reading = Arc::new(Reading::default());
        let (outbox, inbox) = channel();
        let told = reading.clone();
        thread::Builder::new().spawn(move || {
            // Nobody listens any more where the program is being left.
            let _ = outbox.send(load(&told));
        })?;
        Ok(Self { inbox, reading })
    }

    /// Waits for it; after a moment, before everybody's eyes.
    pub(super) fn wait(
        self,
        signals: &Signals,
        settings: &Settings,
        preset: Preset,
        take: impl FnOnce() -> io::Result<Display>,
    ) -> io::Result<Arrived<E>> {
        let died = || io::Error::other("reading ended before its time");
        match self.inbox.recv_timeout(MOMENT) {
            Ok(result) => return Ok(Arrived::of(result, None, VecDeque::new())),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Err(died()),
        }
        let mut display = take()?;
        let mut typed: VecDeque<Message> = VecDeque::new();
        loop {
            display.draw_reading(&self.reading.words(), &settings.keymap, preset)?;
            if let Some(number) = signals.arrived() {
                return Ok(Arrived::Left(Ended::Signal(number)));
            }
            if terminal::is_gone() {
                return Ok(Arrived::Left(Ended::Signal(GONE)));
            }
            if event::poll(GLANCE)?
                && let Some(message) = translate(event::read()?)
            {
                match wanted(&settings.keymap, &message) {
                    Some(Command::Interrupt) => return Ok(Arrived::Left(Ended::Quit)),
                    // After other keys it may be a letter of a word that is typed ahead.
                    Some(Command::Quit) if typed.is_empty() => return Ok(Arrived::Left(Ended::Quit)),
                    Some(Command::Suspend) => display.lent(suspend)??,
                    _ if typed.len() < KEPT => typed.push_back(message),
                    _ => {}
                }
                continue;
            }
            // It is this that is waited for, not the keys: what is read is there at once.
            match self.inbox.recv_timeout(PICTURE) {
                Ok(result) => return Ok(Arrived::of(result, Some(display), typed)),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(died()),
            }
        }
    }
}

fn wanted(keymap: &Keymap, message: &Message) -> Option<Command> {
    let Message::Key(chord) = message else { return None };
    match keymap.lookup(&[Layer::Always, Layer::Everywhere], *chord) {
        Found::Command(command) => Some(command),
        Found::Letter(_) | Found::Unbound => None,
    }
}

/// The settings file that was named, else the user's.
pub(super) fn read_settings(named: Option<PathBuf>, env: &Env) -> Settings {
    let Some(path) = named.clone().or_else(|| env.settings_path()) else { return Settings::default() };
    match std::fs::read_to_string(&path) {
        Ok(text) => Settings::read(&Source::new(path.display().to_string(), text)),
        Err(error) => {
            let mut settings = Settings::default();
            if named.is_some() || error.kind() != io::ErrorKind::NotFound {
                settings.warnings.push(format!("{}: {error}", path.display()));
            }
            settings
        }
    }
}
