//! The loop: events in, messages through `update`, effects out, one drawing a batch.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use crossterm::event::{self, Event};

use super::background::{Background, Heard};
use super::display::Display;
use super::effect::{Effect, Fresh, Rights, Watched};
use super::env::{Colours, Env};
use super::events::translate;
use super::geometry::Geometry;
use super::keymap::Keymap;
use super::message::{Answer, Message};
use super::model::{Model, Notice, Screen};
use super::opening::{Arrived, Arriving, Opening, read_settings};
use super::session::{Ended, GLANCE, MOMENT, Machine, Open, Reload, RightsOf, Session, Wanted};
use super::settings::Settings;
use super::signals::{GONE, Signals, suspend};
use super::terminal;
use super::update::openings;
use super::watch::Watch;
use super::write::{export, save_all};
use super::{against, clipboard, editor, recent, update};
use crate::edit::RealDisk;

/// How long the loop sleeps at most: signals and changed files are looked for that often.
const NAP: Duration = Duration::from_millis(250);
/// How often the cluster is listened to.
const LISTEN: Duration = Duration::from_millis(500);
/// How often files are looked at.
const LOOK: Duration = Duration::from_secs(2);
/// Idle work between two looks at the keyboard.
const WORK: Duration = Duration::from_millis(4);
/// Idle work waits this long after a key: whoever types is not made to share the processor.
const LULL: Duration = Duration::from_millis(25);
/// Drawings of progress while idle work goes on.
const PROGRESS: Duration = Duration::from_millis(100);

/// Runs the terminal program until it is left; gives back what kept it from reading its files, too.
pub fn run<E: Send + 'static>(opening: Opening<E>) -> io::Result<Result<Ended, E>> {
    terminal::guard_against_panics();
    let signals = Signals::take()?;
    let (read, arriving) = match opening.beside {
        true => (None, Some(Arriving::begin(opening.load)?)),
        false => (Some((opening.load)(&Default::default())), None),
    };
    let env = Env::capture();
    let settings = read_settings(opening.settings, &env);
    let preset = match opening.colours {
        Colours::Auto if env.var("NO_COLOR").is_none() => {
            settings.preset.unwrap_or_else(|| env.preset(Colours::Auto))
        }
        colours => env.preset(colours),
    };
    let ascii = settings.ascii.unwrap_or_else(|| env.ascii());
    let take = || Display::take(settings.mouse, ascii);
    let arrived = match (read, arriving) {
        (Some(result), _) => Arrived::of(result, None, VecDeque::new()),
        (None, Some(arriving)) => arriving.wait(&signals, &settings, preset, take)?,
        (None, None) => Arrived::Left(Ended::Quit),
    };
    let (session, display, mut typed) = match arrived {
        Arrived::Session(session, display, typed) => (*session, display, typed),
        Arrived::Failed(error) => return Ok(Err(error)),
        Arrived::Left(ended) => return Ok(Ok(ended)),
    };

    let begins = session.live.is_some();
    let (mut model, read) = begun(session, &settings.keymap);
    model.preset = preset;
    model.mouse = settings.mouse;
    model.openings = recent::load(env.state_folder().as_ref(), settings.recent.unwrap_or(true));
    for warning in &settings.warnings {
        model.complain(warning.clone());
    }

    let mut outside = Outside {
        display: match display {
            Some(display) => display,
            None => Display::take(model.mouse, ascii)?,
        },
        read,
        editor: env.editor(settings.editor.as_deref()),
        colours: opening.colours,
        settings,
        env,
        ended: None,
    };
    outside.note_opening(&mut model);
    let mut geometry = Geometry::default();
    // Whoever begins with the VMs of this machine has them looked for.
    typed.extend(begins.then_some(Message::Idle));
    let result = outside.go(&mut model, &mut geometry, typed, &signals);
    let patch = match &outside.ended {
        Some(patch) => patch.clone(),
        None => model.whole_patch(),
    };
    drop(outside);
    if let Some(patch) = patch {
        let mut err = io::stderr();
        let _ = writeln!(err, "katascope: unsaved policy edits, as a patch:\n{patch}");
    }
    result.map(Ok)
}

fn rights_of(ask: &RightsOf, model: &Model) -> Rights {
    let setup = model.seat.saved.setup();
    ask(&setup.layers, setup.release)
}

/// The first state over what was read, and how it is read again.
fn begun(session: Session, keymap: &Keymap) -> (Model, Readers) {
    let mut model = Model::opened(session.first);
    model.keymap = keymap.clone();
    model.readonly = session.readonly;
    model.rights = rights_of(&session.rights_of, &model);
    model.nodes = session.nodes;
    model.sample = session.sample;
    model.invocation = session.invocation;
    model.watching = session.watched.is_some();
    model.select_problem();
    if let Some(live) = session.live {
        model.live = live;
        model.screen = Screen::Live;
        model.rebuild_rows();
    }
    if model.sample {
        model.welcome();
    }
    if let Some(reason) = model.rights.files.clone().filter(|_| !model.sample) {
        let instead = match (model.beside(), &model.rights.drop_in) {
            (Some(_), _) => "beside it, as a drop-in or a patch",
            (None, None) => "as a drop-in or a patch",
            (None, Some(_)) => "as a patch",
        };
        model.say(format!("{reason}; edits can be saved {instead}"));
    }
    if let Some(watched) = &session.watched {
        model.say(format!("{} keeps the pods current", watched.words));
    }
    model.explain_no_load();
    let readers = Readers {
        watched: session.watched,
        machine: session.machine,
        reload: session.reload,
        rights_of: session.rights_of,
        real_path: session.real_path,
        disk: RealDisk::new(session.root),
        open: session.open,
    };
    (model, readers)
}

/// What reads and writes the files of what is open.
struct Readers {
    watched: Option<Watched>,
    machine: Machine,
    reload: Reload,
    rights_of: RightsOf,
    real_path: Box<dyn Fn(&str) -> PathBuf + Send>,
    disk: RealDisk,
    open: Open,
}

/// Everything outside of the model.
struct Outside {
    display: Display,
    read: Readers,
    editor: String,
    colours: Colours,
    settings: Settings,
    env: Env,
    ended: Option<Option<String>>,
}

impl Outside {
    fn go(
        &mut self,
        model: &mut Model,
        geometry: &mut Geometry,
        mut queue: VecDeque<Message>,
        signals: &Signals,
    ) -> io::Result<Ended> {
        let mut drawn_at = Instant::now();
        let mut looked_at = Instant::now();
        let mut pressed_at = Instant::now();
        let mut heard_at = Instant::now();
        let mut draw = false;
        let mut unsaved = 0;
        // The first picture comes first.
        self.display.draw(model, geometry)?;
        let mut background = Background::ask(self.colours, &self.settings, &self.env)?;
        let mut watch = Watch::of(model, self.read.real_path.as_ref());
        let mut readings = model.readings;
        loop {
            if draw {
                self.display.draw(model, geometry)?;
                drawn_at = Instant::now();
                draw = false;
            }
            if let Some(number) = signals.arrived() {
                return Ok(Ended::Signal(number));
            }
            if terminal::is_gone() {
                return Ok(Ended::Signal(GONE));
            }
            let busy = update::has_work(model);
            let patience = match (queue.is_empty(), busy) {
                // Typed while everything was read.
                (false, _) => GLANCE,
                (true, true) => LULL.saturating_sub(pressed_at.elapsed()).max(GLANCE),
                (true, false) => NAP,
            };
            if event::poll(patience)? {
                pressed_at = Instant::now();
                // Everything that waits becomes one drawing.
                loop {
                    match event::read()? {
                        Event::Resize(_, _) => draw = true,
                        event => match background.hear(&event) {
                            Heard::Nothing => queue.extend(translate(event)),
                            Heard::Part | Heard::Answer(None) => {}
                            Heard::Answer(Some(light)) => {
                                queue.push_back(Message::Answer(Answer::Background { light }));
                            }
                        },
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
                if let Some(changed) = watch.look() {
                    queue.push_back(Message::Answer(Answer::ChangedOnDisk(changed)));
                }
            }
            if heard_at.elapsed() > LISTEN {
                heard_at = Instant::now();
                let news = self.read.watched.as_mut().and_then(|watched| (watched.hear)());
                queue.extend(news.map(|news| Message::Answer(Answer::News(news))));
            }
            while let Some(message) = queue.pop_front() {
                draw = true;
                let effects = update::update(model, geometry, message);
                if model.unsaved() + model.unsaved_elsewhere() != unsaved {
                    unsaved = model.unsaved() + model.unsaved_elsewhere();
                    terminal::set_last_words(model.whole_patch());
                }
                for effect in effects {
                    if let Some(answer) = self.carry_out(effect, model, geometry)? {
                        queue.push_back(Message::Answer(answer));
                    }
                }
                if self.ended.is_some() {
                    return Ok(Ended::Quit);
                }
                // A reading that was refused leaves what is watched as it was.
                if model.readings != readings && queue.is_empty() {
                    watch = Watch::of(model, self.read.real_path.as_ref());
                    readings = model.readings;
                    model.rights = rights_of(&self.read.rights_of, model);
                }
                // Paging needs fresh measures.
                if matches!(queue.front(), Some(Message::Key(_) | Message::Pointer(_))) {
                    self.display.measure(model, geometry);
                }
            }
        }
    }

    fn carry_out(
        &mut self,
        effect: Effect,
        model: &mut Model,
        geometry: &mut Geometry,
    ) -> io::Result<Option<Answer>> {
        Ok(match effect {
            Effect::Copy { text, what } => Some(Answer::Copied(clipboard::copy(&self.env, &text, &what))),
            Effect::Save(plans) => Some(Answer::Saved(save_all(plans, &self.read.disk))),
            Effect::Reload => {
                let node = model.nodes.as_ref().map_or(0, |nodes| nodes.opened);
                let handler = model.handler.clone();
                let wanted = Wanted { node, handler: handler.as_deref(), pods: true };
                let fresh = self.read_again(model, geometry, wanted)?;
                Some(Answer::Reloaded(Box::new(fresh)))
            }
            Effect::OpenNode { node, pod } => {
                let wanted = Wanted { node, handler: None, pods: false };
                let fresh = Box::new(self.read_again(model, geometry, wanted)?);
                Some(Answer::NodeOpened { node, pod, fresh })
            }
            Effect::Look => Some(Answer::Looked((self.read.machine.look)())),
            Effect::Beside { vm, sandbox } => {
                let beside = Box::new((self.read.machine.beside)(&sandbox, &model.tried));
                Some(Answer::Beside { vm, beside })
            }
            Effect::OpenInstead { words, keep } => match self.opened(model, geometry, &words)? {
                Ok(session) => {
                    let (mut fresh, read) = begun(session, &self.settings.keymap);
                    (fresh.preset, fresh.mouse) = (model.preset, model.mouse);
                    fresh.openings = std::mem::take(&mut model.openings);
                    fresh.typed = std::mem::take(&mut model.typed);
                    fresh.log = std::mem::take(&mut model.log);
                    fresh.log.extend(fresh.notice.clone());
                    // What is watched is to be what was opened.
                    fresh.readings = model.readings + 1;
                    if keep {
                        fresh.keep_place(model);
                        fresh.say_what_is_said_otherwise();
                    }
                    *model = fresh;
                    self.read = read;
                    self.note_opening(model);
                    None
                }
                Err(why) => Some(Answer::NotOpened(why)),
            },
            Effect::Suppose { words } => {
                let read = self.opened(model, geometry, &words)?;
                let read = read.map(|session| (session.first.node, session.first.pods));
                Some(Answer::Supposed(Box::new(read)))
            }
            Effect::OpenBeside { words } => {
                let read = self.opened(model, geometry, &words)?;
                let read = read.map(|session| (words.join(" "), session.first.node));
                Some(Answer::OpenedBeside(Box::new(read)))
            }
            Effect::Remember => {
                self.remember(model);
                None
            }
            Effect::Upgrade { to } => {
                let found = Box::new(against::found(&mut self.display, to, model, geometry)?);
                Some(Answer::Upgraded { to, found })
            }
            Effect::Editor { path, line } => Some(Answer::Edited(self.edit(&path, line)?)),
            Effect::Suspend => {
                self.display.lent(suspend)??;
                Some(Answer::Resumed)
            }
            Effect::Redraw => {
                self.display.blank()?;
                None
            }
            Effect::Mouse(on) => {
                self.display.set_mouse(on)?;
                None
            }
            Effect::Export { name, text, another } => Some(Answer::Exported(export(&name, &text, another))),
            Effect::Quit { patch } => {
                self.ended = Some(patch);
                None
            }
        })
    }

    /// Notes what is open among what can be opened again.
    fn note_opening(&self, model: &mut Model) {
        let line = openings::here(model);
        let again = !model.sample && !line.split(' ').any(|word| word == "-");
        if again && model.openings.note(&line) {
            self.remember(model);
        }
    }

    fn remember(&self, model: &mut Model) {
        if let Err(error) = recent::save(self.env.state_folder().as_ref(), &model.openings) {
            model.complain(format!("what was opened could not be written down: {error}"));
        }
    }

    /// Reads what words name, beside; after a moment it is said what one waits for.
    fn opened(
        &mut self,
        model: &mut Model,
        geometry: &mut Geometry,
        words: &[String],
    ) -> io::Result<Result<Session, String>> {
        let open = &mut self.read.open;
        waited_for(&mut self.display, model, geometry, "reading", || open(words))
    }

    /// Reads the files of a node again, beside; after a moment it is said what one waits for.
    fn read_again(
        &mut self,
        model: &mut Model,
        geometry: &mut Geometry,
        wanted: Wanted<'_>,
    ) -> io::Result<Result<Fresh, String>> {
        let reload = &mut self.read.reload;
        waited_for(&mut self.display, model, geometry, "reading again", || reload(wanted))
    }

    /// The editor has the terminal to itself; nothing reads keys meanwhile.
    fn edit(&mut self, path: &str, line: u32) -> io::Result<Result<(), String>> {
        let mut command = editor::command(&self.editor, &(self.read.real_path)(path), line);
        let ended = self.display.lent(|| command.status())?;
        Ok(match ended {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(editor::failure(&self.editor, status)),
            Err(error) => Err(format!("{}: {error}; set VISUAL or EDITOR", self.editor)),
        })
    }
}

/// Does something on a thread of its own; after a moment it is said what one waits for.
fn waited_for<T: Send>(
    display: &mut Display,
    model: &mut Model,
    geometry: &mut Geometry,
    what: &str,
    work: impl FnOnce() -> Result<T, String> + Send,
) -> io::Result<Result<T, String>> {
    let (outbox, inbox) = channel();
    std::thread::scope(|scope| {
        scope.spawn(move || drop(outbox.send(work())));
        if let Ok(result) = inbox.recv_timeout(MOMENT) {
            return Ok(result);
        }
        let before = model.notice.replace(Notice { text: what.into(), bad: false });
        let drawn = display.draw(model, geometry);
        model.notice = before;
        drawn?;
        Ok(inbox.recv().unwrap_or_else(|_| Err("reading ended before its time".into())))
    })
}
