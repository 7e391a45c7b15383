//! The loop: events in, messages through `update`, effects out, one drawing a batch.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::Command as Process;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crossterm::event::{
    self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEventKind,
};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use super::effect::{Effect, Fresh, SaveOutcome};
use super::env::{Colours, Env};
use super::geometry::Geometry;
use super::invocation::Invocation;
use super::keymap::{Chord, Key};
use super::message::{Answer, Message, Pointer};
use super::model::Model;
use super::model::pods::First;
use super::settings::Settings;
use super::terminal::{self, Guard};
use super::theme::Theme;
use super::watch::Watch;
use super::{update, view};
use crate::edit::{self, Plan, RealDisk, SaveError};
use crate::evaluate::Evaluator;
use crate::input::manifest::Pod;
use crate::input::source::Source;

/// How long the loop sleeps at most: signals and changed files are looked for that often.
const NAP: Duration = Duration::from_millis(250);
/// How often files are looked at.
const LOOK: Duration = Duration::from_secs(2);
/// Idle work between two looks at the keyboard.
const WORK: Duration = Duration::from_millis(4);
/// The shortest look at the keyboard. Not zero: with that, crossterm's reader of /dev/tty returns before
/// it has looked at all.
const GLANCE: Duration = Duration::from_micros(400);
/// Idle work waits this long after a key: whoever types is not made to share the processor.
const LULL: Duration = Duration::from_millis(25);
/// Drawings of progress while idle work goes on.
const PROGRESS: Duration = Duration::from_millis(100);

/// What the program starts with.
pub struct Session {
    /// The configuration, loaded.
    pub evaluator: Evaluator,
    /// The pods.
    pub pods: Vec<Pod>,
    /// Reads both again.
    pub reload: Box<dyn FnMut() -> Result<Fresh, String>>,
    /// Where a shown path lies on this machine.
    pub real_path: Box<dyn Fn(&str) -> PathBuf>,
    /// The folder that shown paths of the configuration are below.
    pub root: PathBuf,
    /// Why nothing may be changed; `None`: it may.
    pub readonly: Option<String>,
    /// Why the files cannot be written; `None`: they can.
    pub unwritable: Option<String>,
    /// Whether the embedded sample is shown.
    pub sample: bool,
    /// Colours.
    pub colours: Colours,
    /// The settings file that was named.
    pub settings: Option<PathBuf>,
    /// How the program was started, for "copy as command".
    pub invocation: Invocation,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("pods", &self.pods.len())
            .field("sample", &self.sample)
            .finish_non_exhaustive()
    }
}

/// How the program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// By its user.
    Quit,
    /// By a signal, its number.
    Signal(i32),
}

/// Runs the terminal program until it is left.
pub fn run(session: Session) -> io::Result<Ended> {
    let env = Env::capture();
    let settings = read_settings(&session, &env);
    let preset = match session.colours {
        Colours::Auto if env.var("NO_COLOR").is_none() => {
            settings.preset.unwrap_or_else(|| env.preset(Colours::Auto))
        }
        colours => env.preset(colours),
    };
    let ascii = settings.ascii.unwrap_or_else(|| env.ascii());
    let mut model = Model::opened(First::of(session.evaluator, session.pods));
    model.preset = preset;
    model.keymap = settings.keymap.clone();
    model.readonly = session.readonly;
    model.unwritable = session.unwritable;
    model.sample = session.sample;
    model.mouse = settings.mouse;
    model.invocation = session.invocation;
    model.select_problem();
    if model.sample {
        model.welcome();
    }
    if let Some(reason) = model.unwritable.clone().filter(|_| !model.sample) {
        model.say(format!("{reason}; edits can be saved as a drop-in or a patch"));
    }
    for warning in &settings.warnings {
        model.complain(warning.clone());
    }

    let signal = Arc::new(AtomicUsize::new(0));
    for number in [SIGTERM, SIGHUP, SIGINT] {
        signal_hook::flag::register_usize(number, signal.clone(), usize::try_from(number).unwrap_or(0))?;
    }
    terminal::guard_against_panics();
    let guard = Guard::take(model.mouse)?;
    let screen = new_screen()?;
    let mut outside = Outside {
        guard,
        screen,
        reload: session.reload,
        real_path: session.real_path,
        disk: RealDisk::new(session.root),
        editor: env.editor(settings.editor.as_deref()),
        env,
        ended: None,
    };
    let mut geometry = Geometry::default();
    let result = outside.go(&mut model, &mut geometry, ascii, &signal);
    let patch = match &outside.ended {
        Some(patch) => patch.clone(),
        None => model.unsaved_patch(),
    };
    drop(outside);
    if let Some(patch) = patch {
        let mut err = io::stderr();
        let _ = writeln!(err, "katascope: unsaved policy edits, as a patch:\n{patch}");
    }
    result
}

fn read_settings(session: &Session, env: &Env) -> Settings {
    let named = session.settings.clone();
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

type Screen = Terminal<CrosstermBackend<io::BufWriter<io::Stdout>>>;

fn new_screen() -> io::Result<Screen> {
    Terminal::new(CrosstermBackend::new(io::BufWriter::with_capacity(1 << 16, io::stdout())))
}

/// Everything outside of the model.
struct Outside {
    guard: Guard,
    screen: Screen,
    reload: Box<dyn FnMut() -> Result<Fresh, String>>,
    real_path: Box<dyn Fn(&str) -> PathBuf>,
    disk: RealDisk,
    editor: Vec<String>,
    env: Env,
    ended: Option<Option<String>>,
}

impl Outside {
    fn go(
        &mut self,
        model: &mut Model,
        geometry: &mut Geometry,
        ascii: bool,
        signal: &AtomicUsize,
    ) -> io::Result<Ended> {
        let mut queue: VecDeque<Message> = VecDeque::new();
        let mut drawn_at = Instant::now();
        let mut looked_at = Instant::now();
        let mut pressed_at = Instant::now();
        let mut draw = false;
        let mut unsaved = 0;
        let mut fresh = false;
        // The first picture comes first.
        self.draw(model, geometry, ascii)?;
        let mut watch = Watch::of(model, self.real_path.as_ref());
        loop {
            if draw {
                self.draw(model, geometry, ascii)?;
                drawn_at = Instant::now();
                draw = false;
            }
            let number = signal.load(Ordering::SeqCst);
            if number != 0 {
                return Ok(Ended::Signal(i32::try_from(number).unwrap_or(SIGTERM)));
            }
            if terminal::is_gone() {
                return Ok(Ended::Signal(SIGHUP));
            }
            let busy = update::has_work(model);
            let patience = if busy { LULL.saturating_sub(pressed_at.elapsed()).max(GLANCE) } else { NAP };
            if event::poll(patience)? {
                pressed_at = Instant::now();
                // Everything that waits becomes one drawing.
                loop {
                    match event::read()? {
                        Event::Resize(_, _) => draw = true,
                        event => queue.extend(translate(event)),
                    }
                    if !event::poll(GLANCE)? || queue.len() >= 256 {
                        break;
                    }
                }
            } else if busy {
                let until = Instant::now() + WORK;
                while update::has_work(model) && Instant::now() < until {
                    update::update(model, geometry, Message::Idle);
                }
                draw = !update::has_work(model) || drawn_at.elapsed() > PROGRESS;
            } else if looked_at.elapsed() > LOOK {
                looked_at = Instant::now();
                let changed = watch.changed();
                if changed != model.stale {
                    queue.push_back(Message::Answer(Answer::ChangedOnDisk(changed)));
                }
            }
            while let Some(message) = queue.pop_front() {
                draw = true;
                let effects = update::update(model, geometry, message);
                if model.unsaved() != unsaved {
                    unsaved = model.unsaved();
                    terminal::set_last_words(model.unsaved_patch());
                }
                for effect in effects {
                    let touches = matches!(effect, Effect::Save(_) | Effect::Reload);
                    if touches {
                        fresh = true;
                    }
                    if let Some(answer) = self.carry_out(effect)? {
                        queue.push_back(Message::Answer(answer));
                    }
                }
                if self.ended.is_some() {
                    return Ok(Ended::Quit);
                }
                if fresh && queue.is_empty() {
                    watch = Watch::of(model, self.real_path.as_ref());
                    fresh = false;
                }
                // Paging needs fresh measures.
                if !queue.is_empty() && model_moved(queue.front()) {
                    let theme = Theme::new(model.preset, ascii);
                    let area = self.screen.get_frame().area();
                    let mut scratch = ratatui::buffer::Buffer::empty(area);
                    *geometry = view::view(model, theme, geometry, &mut scratch).geometry;
                }
            }
        }
    }

    fn draw(&mut self, model: &Model, geometry: &mut Geometry, ascii: bool) -> io::Result<()> {
        let theme = Theme::new(model.preset, ascii);
        self.screen.draw(|frame| {
            let drawn = view::view(model, theme, geometry, frame.buffer_mut());
            if let Some((x, y)) = drawn.cursor {
                frame.set_cursor_position((x, y));
            }
            *geometry = drawn.geometry;
        })?;
        Ok(())
    }

    fn carry_out(&mut self, effect: Effect) -> io::Result<Option<Answer>> {
        Ok(match effect {
            Effect::Copy { text, what } => Some(Answer::Copied(self.copy(&text, &what))),
            Effect::Save(plans) => Some(Answer::Saved(save_all(plans, &self.disk))),
            Effect::Reload => Some(Answer::Reloaded(Box::new((self.reload)()))),
            Effect::Editor { path, line } => Some(Answer::Edited(self.edit(&path, line)?)),
            Effect::Suspend => {
                self.guard.lend();
                signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGTSTP)?;
                self.guard.again()?;
                self.blank()?;
                Some(Answer::Resumed)
            }
            Effect::Redraw => {
                self.blank()?;
                None
            }
            Effect::Mouse(on) => {
                self.guard.set_mouse(on)?;
                None
            }
            Effect::Export { name, text } => Some(Answer::Exported(export(&name, &text))),
            Effect::Quit { patch } => {
                self.ended = Some(patch);
                None
            }
        })
    }

    /// Forgets what is on the screen, so that everything is drawn again. Not ratatui's own `clear`: that
    /// asks the terminal where its cursor is, and a slow or dumb one never answers.
    fn blank(&mut self) -> io::Result<()> {
        let size = self.screen.size()?;
        self.screen.resize(Rect::new(0, 0, size.width, size.height))
    }

    /// OSC 52 reaches the user's own terminal over any number of hops; local tools are asked as well
    /// where there is a local display.
    fn copy(&mut self, text: &str, what: &str) -> Result<String, String> {
        use base64::Engine as _;
        const LIMIT: usize = 74_994;
        let encoded = base64::engine::general_purpose::STANDARD.encode(text);
        if encoded.len() > LIMIT {
            return Err(format!(
                "{what} is {} bytes, more than terminals take; use 'copy command' and a shell instead",
                text.len()
            ));
        }
        let mut osc = format!("\x1b]52;c;{encoded}\x07");
        if self.env.tmux() {
            // tmux heeds the one or passes the other on, by its settings; by default it does neither.
            osc.push_str(&format!("\x1bPtmux;{}\x1b\\", osc.replace('\x1b', "\x1b\x1b")));
        }
        let mut out = io::stdout();
        out.write_all(osc.as_bytes()).and_then(|()| out.flush()).map_err(|e| e.to_string())?;
        let mut by = vec!["OSC 52"];
        if self.env.tmux() && fed("tmux", &["load-buffer", "-w", "-"], text) {
            by.push("tmux");
        }
        if !self.env.remote() {
            by.extend(self.local_copy(text));
        }
        Ok(format!("copied {what}: {} bytes by {}", text.len(), by.join(" and ")))
    }

    fn local_copy(&self, text: &str) -> Option<&'static str> {
        let tools: [(&str, &str, &[&str]); 3] = [
            ("WAYLAND_DISPLAY", "wl-copy", &[]),
            ("DISPLAY", "xclip", &["-selection", "clipboard"]),
            ("__CF_USER_TEXT_ENCODING", "pbcopy", &[]),
        ];
        let (_, tool, args) = tools.into_iter().find(|(variable, _, _)| self.env.var(variable).is_some())?;
        fed(tool, args, text).then_some(tool)
    }

    /// The editor has the terminal to itself; nothing reads keys meanwhile.
    fn edit(&mut self, path: &str, line: u32) -> io::Result<Result<(), String>> {
        let real = (self.real_path)(path);
        let words = self.editor.clone();
        let Some((program, args)) = words.split_first() else {
            return Ok(Err("no editor: set VISUAL or EDITOR".into()));
        };
        let name = program.rsplit('/').next().unwrap_or(program);
        let mut process = Process::new(program);
        process.args(args);
        match name {
            "code" | "codium" => {
                process.arg("--goto").arg(format!("{}:{}", real.display(), line.max(1)));
            }
            "hx" | "helix" | "subl" | "zed" => {
                process.arg(format!("{}:{}", real.display(), line.max(1)));
            }
            "vi" | "vim" | "nvim" | "view" | "nano" | "emacs" | "emacsclient" | "kak" | "micro" | "joe"
            | "jed" | "mg" | "less" => {
                process.arg(format!("+{}", line.max(1))).arg(&real);
            }
            _ => {
                process.arg(&real);
            }
        }
        self.guard.lend();
        let ended = process.status();
        self.guard.again()?;
        self.blank()?;
        Ok(match ended {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(format!("{program} ended with {status}")),
            Err(error) => Err(format!("{program}: {error}; set VISUAL or EDITOR")),
        })
    }
}

/// Whether a program took `text` as its input.
fn fed(program: &str, args: &[&str], text: &str) -> bool {
    let quiet = std::process::Stdio::null;
    let spawned = Process::new(program)
        .args(args)
        .stdin(std::process::Stdio::piped())
        .stdout(quiet())
        .stderr(quiet())
        .spawn();
    let Ok(mut child) = spawned else { return false };
    let written = child.stdin.take().is_some_and(|mut pipe| pipe.write_all(text.as_bytes()).is_ok());
    child.wait().is_ok_and(|status| status.success()) && written
}

/// Whether a message depends on what the last one changed on screen.
fn model_moved(next: Option<&Message>) -> bool {
    matches!(next, Some(Message::Key(_) | Message::Pointer(_)))
}

/// Carries out plans, up to the first that fails.
fn save_all(plans: Vec<Plan>, disk: &RealDisk) -> Vec<SaveOutcome> {
    let mut outcomes = Vec::new();
    for plan in plans {
        let outcome = match edit::save(&plan, disk) {
            Ok(saved) => {
                let word = if saved.created { "created" } else { "wrote" };
                let text = format!("{word} {}: {} bytes", saved.path.display(), plan.after.len());
                SaveOutcome::Written(plan, text)
            }
            Err(SaveError::Conflict { now, .. }) => SaveOutcome::Conflict {
                path: plan.path.to_string(),
                theirs: now.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
            },
            Err(error) => SaveOutcome::Failed(error.to_string()),
        };
        let stop = !matches!(outcome, SaveOutcome::Written(..));
        outcomes.push(outcome);
        if stop {
            break;
        }
    }
    outcomes
}

/// Writes a new file; what is there already stays.
fn export(name: &str, text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(name);
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&path)
        .map_err(|e| format!("{}: {e}", path.display()))?;
    file.write_all(text.as_bytes()).map_err(|e| format!("{}: {e}", path.display()))?;
    Ok(path)
}

/// A terminal event as a message; most are none.
fn translate(event: Event) -> Option<Message> {
    match event {
        Event::Key(KeyEvent { code, modifiers, kind, .. }) if kind != KeyEventKind::Release => {
            let key = match code {
                KeyCode::Char(c) => Key::Char(c),
                KeyCode::Enter => Key::Enter,
                KeyCode::Esc => Key::Esc,
                KeyCode::Tab => Key::Tab,
                KeyCode::BackTab => Key::BackTab,
                KeyCode::Backspace => Key::Backspace,
                KeyCode::Delete => Key::Delete,
                KeyCode::Up => Key::Up,
                KeyCode::Down => Key::Down,
                KeyCode::Left => Key::Left,
                KeyCode::Right => Key::Right,
                KeyCode::Home => Key::Home,
                KeyCode::End => Key::End,
                KeyCode::PageUp => Key::PageUp,
                KeyCode::PageDown => Key::PageDown,
                KeyCode::F(n) => Key::F(n),
                _ => return None,
            };
            let ctrl = modifiers.contains(KeyModifiers::CONTROL);
            let key = match key {
                Key::Char(c) if ctrl => Key::Char(c.to_ascii_lowercase()),
                key => key,
            };
            Some(Message::Key(Chord { key, ctrl, alt: modifiers.contains(KeyModifiers::ALT) }))
        }
        Event::Paste(text) => Some(Message::Paste(text)),
        Event::Mouse(mouse) => {
            let (column, row) = (mouse.column, mouse.row);
            Some(Message::Pointer(match mouse.kind {
                MouseEventKind::Down(MouseButton::Left) => Pointer::Click { column, row },
                MouseEventKind::ScrollUp => Pointer::ScrollUp { column, row },
                MouseEventKind::ScrollDown => Pointer::ScrollDown { column, row },
                _ => return None,
            }))
        }
        _ => None,
    }
}
