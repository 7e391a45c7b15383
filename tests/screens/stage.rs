//! A stage: a model with fixtures, keys typed by script, the screen as text. The outside is played by
//! the stage itself: files are in memory, nothing of this machine is read.

use std::collections::BTreeMap;
use std::sync::Arc;

use katascope::cri::Engine;
use katascope::evaluate::{Evaluator, Setup};
use katascope::input::config::Layers;
use katascope::input::host::{Host, HostFacts, MemoryFiles};
use katascope::input::manifest::Pod;
use katascope::input::source::Source;
use katascope::kubernetes::{self, Node};
use katascope::release::{Release, Runtime};
use katascope::tui::chord::{Chord, Key};
use katascope::tui::effect::{Effect, Fresh, Rights, SaveOutcome};
use katascope::tui::geometry::Geometry;
use katascope::tui::invocation::Invocation;
use katascope::tui::message::{Answer, Copied, Message};
use katascope::tui::model::Model;
use katascope::tui::model::upgrade::judged;
use katascope::tui::theme::{Preset, Theme};
use katascope::tui::{update, view};
use katascope::upgrade::upgrade;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

pub const CONFIG: &str = include_str!("fixture/configuration.toml");
pub const PODS: &str = include_str!("fixture/pods.yaml");
pub const CONFIG_PATH: &str = "/etc/kata-containers/configuration.toml";

/// The program on a stage.
pub struct Stage {
    pub model: Model,
    pub geometry: Geometry,
    pub size: (u16, u16),
    pub ascii: bool,
    /// What it asked of the outside, and the stage did not answer itself.
    pub effects: Vec<Effect>,
    /// What lies on the disk of this stage.
    pub disk: BTreeMap<String, String>,
    /// How it ended.
    pub ended: Option<Option<String>>,
    pods: Vec<Pod>,
}

/// A host with the files that the fixture names.
pub fn host() -> Host {
    let files = [
        "/opt/kata/bin/qemu-system-x86_64",
        "/opt/kata/bin/qemu-system-x86_64-experimental",
        "/opt/kata/libexec/virtiofsd",
        "/tmp/qemu",
    ]
    .iter()
    .fold(MemoryFiles::new(), |files, path| files.file(path, 0o755, "a program"))
    .file("/opt/kata/share/kata-containers/vmlinux.container", 0o644, "a kernel")
    .file("/opt/kata/share/kata-containers/kata-containers.img", 0o644, "an image")
    .file("/dev/urandom", 0o666, "")
    .file("/dev/random", 0o666, "")
    .file("/dev/vhost-vsock", 0o666, "");
    let facts = HostFacts { cpus: 64, memory_mib: 262_144, vhost_vsock: true, ..HostFacts::default() };
    Host::new(facts, Arc::new(files))
}

pub fn evaluator(config: &str, release: Release) -> Evaluator {
    evaluator_of(Layers::of_text(CONFIG_PATH, config), release)
}

pub fn evaluator_of(layers: Layers, release: Release) -> Evaluator {
    Evaluator::new(Setup {
        host: host(),
        layers,
        release,
        known_by: katascope::release::KnownBy::Said,
        release_note: None,
        hypervisor: None,
        sandbox_id: None,
        engine: Engine::Assumed,
    })
}

pub fn pods(text: &str) -> Vec<Pod> {
    let mut pods = kubernetes::read(&Source::new("pods.yaml", text), &Node::default()).unwrap().pods;
    for pod in &mut pods {
        pod.source.file = "pods.yaml".into();
    }
    pods
}

impl Stage {
    /// The fixture under the Go runtime.
    pub fn new(width: u16, height: u16) -> Self {
        Self::of(evaluator(CONFIG, Release::newest(Runtime::Go)), pods(PODS), width, height)
    }

    /// The embedded sample.
    pub fn sample(width: u16, height: u16) -> Self {
        let mut stage =
            Self::of(katascope::sample::evaluator(), pods(katascope::sample::PODS), width, height);
        stage.model.sample = true;
        let reason = Some("the sample lies in this program".to_owned());
        stage.model.rights = Rights { files: reason.clone(), drop_in: reason };
        stage.draw();
        stage
    }

    pub fn of(evaluator: Evaluator, pods: Vec<Pod>, width: u16, height: u16) -> Self {
        let disk =
            evaluator.setup().layers.sources().map(|s| (s.path.to_string(), s.text.to_string())).collect();
        let mut model = Model::new(evaluator, pods.clone());
        model.preset = Preset::Mono;
        model.invocation = Invocation {
            configuration: vec!["-c".into(), "configuration.toml".into()],
            release: Some(model.seat.current.setup().release),
            manifests: vec!["pods.yaml".into()],
            ..Invocation::default()
        };
        model.select_problem();
        let mut stage = Self {
            model,
            geometry: Geometry::default(),
            size: (width, height),
            ascii: false,
            effects: Vec::new(),
            disk,
            ended: None,
            pods,
        };
        stage.settle();
        stage
    }

    /// Does all idle work and draws.
    pub fn settle(&mut self) {
        while update::has_work(&self.model) {
            update::update(&mut self.model, &self.geometry, Message::Idle);
        }
        self.draw();
    }

    pub fn draw(&mut self) -> Buffer {
        let mut buffer = Buffer::empty(Rect::new(0, 0, self.size.0, self.size.1));
        self.draw_into(&mut buffer);
        buffer
    }

    pub fn draw_into(&mut self, buffer: &mut Buffer) {
        let theme = Theme::new(self.model.preset, self.ascii);
        self.geometry = view::view(&self.model, theme, &self.geometry, buffer).geometry;
    }

    /// One message, its effects answered as the loop would.
    pub fn send(&mut self, message: Message) {
        let mut queue = vec![message];
        while !queue.is_empty() {
            let effects = update::update(&mut self.model, &self.geometry, queue.remove(0));
            for effect in effects {
                if let Some(answer) = self.answer(effect) {
                    queue.push(Message::Answer(answer));
                }
            }
        }
        self.draw();
    }

    fn answer(&mut self, effect: Effect) -> Option<Answer> {
        match effect {
            Effect::Copy { ref text, ref what } => {
                let said = format!("copied {what}: {} bytes by OSC 52", text.len());
                self.effects.push(effect);
                Some(Answer::Copied(Copied::Done(said)))
            }
            Effect::Save(plans) => {
                let mut outcomes = Vec::new();
                for plan in plans {
                    let path = plan.path.to_string();
                    let now = self.disk.get(&path).cloned();
                    if now.as_deref() != plan.before.as_deref() {
                        outcomes.push(SaveOutcome::Conflict { path, theirs: now });
                        break;
                    }
                    match &plan.after {
                        Some(text) => self.disk.insert(path.clone(), text.to_string()),
                        None => self.disk.remove(&path),
                    };
                    outcomes.push(SaveOutcome::Written(plan, format!("wrote {path}")));
                }
                Some(Answer::Saved(outcomes))
            }
            Effect::Reload => {
                let mut layers = self.model.seat.saved.setup().layers.clone();
                for (path, text) in &self.disk {
                    layers = layers.with_text(path, text);
                }
                Some(Answer::Reloaded(Box::new(Ok(Fresh {
                    layers,
                    pods: self.pods.clone(),
                    node: self.model.node.clone(),
                    matrix: None,
                }))))
            }
            Effect::Upgrade { to } => {
                let node = &self.model.node;
                let found = upgrade(
                    node,
                    &|runtime| judged(runtime, to).map_err(|error| error.to_string()),
                    &self.pods,
                );
                Some(Answer::Upgraded { to, found: Box::new(found) })
            }
            Effect::Quit { patch } => {
                self.ended = Some(patch);
                None
            }
            other => {
                self.effects.push(other);
                None
            }
        }
    }

    /// Types a script: words between spaces are chords, texts in backquotes are typed letter by letter.
    pub fn keys(&mut self, script: &str) -> &mut Self {
        let mut rest = script.trim_start();
        while !rest.is_empty() {
            if let Some(quoted) = rest.strip_prefix('`') {
                let (text, tail) = quoted.split_once('`').expect("a closing backquote");
                for letter in text.chars() {
                    self.send(Message::Key(Chord::of(Key::Char(letter))));
                }
                rest = tail.trim_start();
                continue;
            }
            let (word, tail) = rest.split_once(' ').unwrap_or((rest, ""));
            let chord = Chord::parse(word).unwrap_or_else(|| panic!("'{word}' is no chord"));
            self.send(Message::Key(chord));
            rest = tail.trim_start();
        }
        self.settle();
        self
    }

    /// The screen as text.
    pub fn screen(&mut self) -> String {
        text(&self.draw())
    }
}

/// A buffer as lines of text.
pub fn text(buffer: &Buffer) -> String {
    let area = buffer.area;
    let mut out = String::new();
    for y in 0..area.height {
        let mut line = String::new();
        let mut skip = 0;
        for x in 0..area.width {
            if skip > 0 {
                skip -= 1;
                continue;
            }
            let symbol = buffer[(x, y)].symbol();
            skip = katascope::tui::widget::text::width(symbol).saturating_sub(1);
            line.push_str(symbol);
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}
