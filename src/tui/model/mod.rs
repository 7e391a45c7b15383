//! All state of the terminal program. Screens, panes and dialogs are enums with their data;
//! selections are identities, so that filtering and reloading keep them.

pub mod annotations;
pub mod arrange;
pub mod changes;
pub mod config;
pub mod dialog;
pub mod find;
pub mod foresight;
pub mod handlers;
pub mod live;
pub mod marks;
pub mod nodes;
pub mod openings;
pub mod otherwise;
pub mod outlook;
pub mod pods;
pub mod policy;
pub mod row;
pub mod rows;
mod selection;
pub mod supposed;
pub mod upgrade;

use std::collections::BTreeMap;
use std::rc::Rc;

use indexmap::IndexSet;

use super::effect::Rights;
use super::invocation::Invocation;
use super::keymap::{Keymap, Layer};
use super::theme::Preset;
use super::widget::line::Line;
use crate::answer::Place;
use crate::answer::finding::{Code, Finding, Severity};
use crate::edit::History;
use crate::evaluate::as_if::AsIf;
use crate::evaluate::initdata::Brought;
use crate::evaluate::node::NodeEvaluator;
use crate::evaluate::{self, Evaluation, Evaluator, Outcome};
use crate::input::manifest::{Pod, PodAnnotation};
use crate::input::{Text, archive};
use crate::runtime::Depth;
use arrange::Arrangement;
use changes::Compared;
use dialog::Dialog;
use handlers::Seat;
use live::Live;
use nodes::Nodes;
use openings::Openings;
use pods::{First, PodEntry, Sweep};
use rows::Rows;
use supposed::Suppositions;
use upgrade::Upgrading;

pub use super::screen::{PerScreen, Screen};

/// Which half of a screen has the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs)]
pub enum Pane {
    #[default]
    List,
    Detail,
}

/// What an untyped filter lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs)]
pub enum Show {
    #[default]
    All,
    Set,
    Problems,
}

/// One screen's list: what is selected and what is filtered.
#[derive(Debug, Clone, Default)]
pub struct ListState {
    /// The identity of the selected row.
    pub selected: Option<Rc<str>>,
    /// Where it stood, for when it is gone.
    pub at: usize,
    /// The filter.
    pub filter: Line,
    /// Which rows at all.
    pub show: Show,
    /// First line of the detail.
    pub scroll: usize,
    /// What is searched in the detail.
    pub search: Line,
}

/// Where typed letters go when no dialog is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs)]
pub enum Typing {
    #[default]
    Nowhere,
    Filter,
    Search,
}

/// The inputs of windows that remember what was typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Input {
    Command,
    Find,
    Value,
    Pattern,
    Opening,
}

/// Lines remembered of each input.
const REMEMBERED: usize = 100;

/// Something that was said, for the status line and the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The sentence.
    pub text: String,
    /// Whether something went wrong.
    pub bad: bool,
}

/// A spot to come back to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    /// The screen.
    pub screen: Screen,
    /// The pod.
    pub pod: usize,
    /// The row.
    pub row: Option<Rc<str>>,
}

/// What launch and agent are compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Baseline {
    /// The same pod without its Kata annotations.
    #[default]
    Bare,
    /// The same pod under the policy as it is on disk.
    Saved,
    /// The pod that was marked.
    Marked,
    /// The same pod under the other runtime of the same age.
    OtherRuntime,
    /// The same pod by something else that was opened for that.
    Elsewhere,
}

/// Everything.
#[derive(Debug)]
pub struct Model {
    /// The node.
    pub node: NodeEvaluator,
    /// The handler whose configuration is looked at; `None` where one configuration judges all.
    pub handler: Option<Rc<str>>,
    /// The other handlers that were looked at, with what was done to their configurations.
    pub seats: BTreeMap<Rc<str>, Seat>,
    /// The other nodes, where pods are held against several.
    pub nodes: Option<Nodes>,
    /// The VMs that run.
    pub live: Live,
    /// The node under another release, once one was chosen.
    pub upgrade: Option<Upgrading>,
    /// The configuration that is looked at, and what was done to it.
    pub seat: Seat,
    /// Every pod.
    pub pods: Vec<PodEntry>,
    /// The pod that is looked at, by index.
    pub pod: usize,
    /// Whether the first refused pod is still looked for, to open on it: until a key is pressed.
    pub seeking: bool,
    /// Whether `evaluation` is still that of the pod before.
    pub due: bool,
    /// Values tried in memory, by pod; `None` takes an annotation away.
    pub trials: BTreeMap<usize, BTreeMap<String, Option<String>>>,
    /// How the list of pods is arranged.
    pub arrangement: Arrangement,
    /// What became of each pod.
    pub sweep: Sweep,
    /// What became of each pod under the files as they were read.
    pub saved_sweep: Sweep,
    /// The same under another release, once asked for.
    pub other: Option<Evaluator>,
    /// What else was opened to compare with, in words.
    pub elsewhere: Option<(String, NodeEvaluator)>,
    /// What was opened before, and what is kept.
    pub openings: Openings,
    /// What the diffs compare with, evaluated.
    pub compared: Option<Compared>,
    /// What became of this one.
    pub evaluation: Rc<Evaluation>,
    /// The pod as it was evaluated.
    pub tried: Rc<Pod>,
    /// What a refused pod would be given, once a screen shows it.
    pub supposed: Option<Suppositions>,
    /// What of that is asked for.
    pub as_if: Option<AsIf>,
    /// Counts up whenever `evaluation` changes.
    pub revision: u64,

    /// The screen.
    pub screen: Screen,
    /// The half that has the keys.
    pub pane: Pane,
    /// Each screen's list.
    pub lists: PerScreen<ListState>,
    /// Where letters go.
    pub typing: Typing,
    /// What was typed into the inputs of windows.
    pub typed: BTreeMap<Input, Vec<String>>,
    /// Open windows, the top one last.
    pub dialogs: Vec<Dialog>,
    /// The rows of the screen in sight.
    pub rows: Rows,
    /// Where one was.
    pub jumps: Vec<Spot>,
    /// Where one went back from.
    pub forward: Vec<Spot>,

    /// What the diffs compare with.
    pub baseline: Baseline,
    /// The marked pods, in the order in which they were marked.
    pub marks: IndexSet<usize>,
    /// Both sides beside each other.
    pub side_by_side: bool,
    /// Equal runs are folded.
    pub folded: bool,

    /// What was said last; gone with the next key.
    pub notice: Option<Notice>,
    /// What was said so far.
    pub log: Vec<Notice>,
    /// Why nothing may be changed; `None`: it may.
    pub readonly: Option<String>,
    /// What cannot be written.
    pub rights: Rights,
    /// Whether the embedded sample is shown.
    pub sample: bool,
    /// Whether the cluster is listened to, and its pods kept current.
    pub watching: bool,
    /// Files that differ from what was read.
    pub stale: Vec<String>,
    /// Counts up whenever what was read is what is on disk.
    pub readings: u64,
    /// The history that a save under way leads to, where it is another one.
    pub pending: Option<History>,
    /// Whether a file is being written that holds all edits.
    pub exporting: bool,
    /// Whether all edits are in a file beside the collection that the node came in.
    pub kept: bool,
    /// Quit after the next save.
    pub quitting: bool,
    /// One Ctrl-c was given.
    pub interrupted: bool,
    /// The theme's preset.
    pub preset: Preset,
    /// Whether the mouse is taken.
    pub mouse: bool,
    /// The keys.
    pub keymap: Keymap,
    /// How this program was started, for "copy as command".
    pub invocation: Invocation,
}

impl Model {
    /// The state at the first pod.
    pub fn new(evaluator: Evaluator, pods: Vec<Pod>) -> Self {
        Self::opened(First::at(NodeEvaluator::alone(evaluator), pods, 0))
    }

    /// The first state.
    pub fn opened(first: First) -> Self {
        let First { node, pods, pod, evaluation, summaries, seeking } = first;
        let pods = pods::entries(pods, &node);
        let (handler, evaluator) = handlers::first(&node, pods.get(pod));
        let tried = pods.get(pod).map_or_else(|| Rc::new(Pod::bare()), |e| e.pod.clone());
        let mut model = Self {
            node,
            handler,
            seats: BTreeMap::new(),
            nodes: None,
            live: Live::default(),
            upgrade: None,
            saved_sweep: Sweep::new(pods.len()),
            other: None,
            elsewhere: None,
            openings: Openings::default(),
            compared: None,
            seat: Seat::of(&evaluator),
            arrangement: Arrangement::default(),
            sweep: Sweep::begun(pods.len(), summaries),
            pods,
            pod,
            seeking,
            due: false,
            trials: BTreeMap::new(),
            evaluation: Rc::new(evaluation),
            tried,
            supposed: None,
            as_if: None,
            revision: 1,
            screen: Screen::Annotations,
            pane: Pane::List,
            lists: Default::default(),
            typing: Typing::Nowhere,
            typed: BTreeMap::new(),
            dialogs: Vec::new(),
            rows: Rows::default(),
            jumps: Vec::new(),
            forward: Vec::new(),
            baseline: Baseline::Bare,
            marks: IndexSet::new(),
            side_by_side: false,
            folded: true,
            notice: None,
            log: Vec::new(),
            readonly: None,
            rights: Rights::default(),
            sample: false,
            watching: false,
            stale: Vec::new(),
            readings: 0,
            pending: None,
            exporting: false,
            kept: false,
            quitting: false,
            interrupted: false,
            preset: Preset::Dark,
            mouse: false,
            keymap: Keymap::default(),
            invocation: Invocation::default(),
        };
        model.rebuild_rows();
        model
    }

    /// The list of the screen in sight.
    pub fn list(&self) -> &ListState {
        &self.lists[self.screen]
    }

    /// The same, to change.
    pub fn list_mut(&mut self) -> &mut ListState {
        &mut self.lists[self.screen]
    }

    /// The layers that are asked for a key, the top one first.
    pub fn layers(&self) -> Vec<Layer> {
        if let Some(dialog) = self.dialogs.last() {
            let mut layers = vec![Layer::Always];
            layers.extend(dialog.layers());
            return layers;
        }
        match self.typing {
            Typing::Filter | Typing::Search => vec![Layer::Always, Layer::Picker, Layer::Typing],
            Typing::Nowhere => vec![Layer::Always, Layer::On(self.screen), Layer::Everywhere],
        }
    }

    /// The layers of a screen when no window is open.
    pub fn layers_of(&self, screen: Screen) -> Vec<Layer> {
        vec![Layer::Always, Layer::On(screen), Layer::Everywhere]
    }

    /// A line that starts with `text` and remembers what was typed into that input before.
    pub fn input(&self, text: impl Into<String>, input: Input) -> Line {
        Line::with(text).recalling(self.typed.get(&input).cloned().unwrap_or_default())
    }

    /// Remembers what stands in the open window's input.
    pub fn remember_input(&mut self) {
        let Some((input, text)) = self.dialogs.last().and_then(Dialog::input) else { return };
        let past = self.typed.entry(input).or_default();
        if !text.is_empty() && past.last().map(String::as_str) != Some(text) {
            past.push(text.to_owned());
            past.drain(..past.len().saturating_sub(REMEMBERED));
        }
    }

    /// Says something.
    pub fn say(&mut self, text: impl Into<String>) {
        self.tell(text.into(), false);
    }

    /// Says that something went wrong.
    pub fn complain(&mut self, text: impl Into<String>) {
        self.tell(text.into(), true);
    }

    fn tell(&mut self, text: String, bad: bool) {
        let notice = Notice { text, bad };
        self.log.push(notice.clone());
        self.notice = Some(notice);
    }

    /// The pod with what is tried on it.
    pub fn with_trials(&self, index: usize) -> Option<Pod> {
        let mut pod = (*self.pods.get(index)?.pod).clone();
        for (key, value) in self.trials.get(&index).into_iter().flatten() {
            let at = pod.annotations.iter().position(|a| a.key == *key);
            match (at, value) {
                (Some(at), Some(value)) => {
                    if let Some(annotation) = pod.annotations.get_mut(at) {
                        annotation.value = Text::copy(value);
                        // Kubernetes complained about the old value.
                        pod.problems.retain(|p| p.annotation.as_deref() != Some(key));
                    }
                }
                (Some(at), None) => {
                    pod.annotations.remove(at);
                    pod.problems.retain(|p| p.annotation.as_deref() != Some(key));
                }
                (None, Some(value)) => pod.annotations.push(PodAnnotation {
                    key: Text::copy(key),
                    value: Text::copy(value),
                    place: Place { file: "tried here".into(), line: 0, column: 0 },
                }),
                (None, None) => {}
            }
        }
        Some(pod)
    }

    /// The pod with what is tried on it, where something is.
    pub fn tried_pod(&self, index: usize) -> Option<Pod> {
        self.trials.contains_key(&index).then(|| self.with_trials(index)).flatten()
    }

    /// Evaluates the pod in sight again.
    pub fn evaluate(&mut self) {
        let pod = self.with_trials(self.pod).unwrap_or_else(Pod::bare);
        let evaluation = match self.pods.is_empty() {
            true => self.seat.current.evaluate_and_advise(&pod, Depth::Full),
            false => self.judged_and_advised(&pod, &self.seat.current),
        };
        self.due = false;
        self.evaluation = Rc::new(evaluation);
        self.tried = Rc::new(pod);
        self.revision += 1;
        self.rebuild_rows();
    }

    /// What the pod in sight brings with it for a confidential guest.
    pub fn initdata(&self) -> Option<Brought> {
        evaluate::initdata::of(&self.tried, &self.evaluation, Some(self.seat.current.setup()))
    }

    /// What is pointed out about the protection of a pod that starts: that its VM is protected by nothing, or by
    /// something else than its configuration is for.
    pub fn exposed(&self) -> Option<&Finding> {
        let codes = [Code::Unprotected, Code::OtherProtection];
        let about =
            |finding: &&Finding| codes.contains(&finding.code) && finding.severity >= Severity::Warning;
        self.evaluation.findings.iter().find(about).filter(|_| self.evaluation.outcome == Outcome::Starts)
    }

    /// Whether something is tried.
    pub fn trying(&self) -> usize {
        self.trials.values().map(BTreeMap::len).sum()
    }

    /// What files about the node are named after, where it came in a file.
    pub fn beside(&self) -> Option<String> {
        self.invocation.place.as_deref().map(archive::beside)
    }

    /// Where one is.
    pub fn spot(&self) -> Spot {
        Spot { screen: self.screen, pod: self.pod, row: self.list().selected.clone() }
    }
}

/// A value as a person writes it: texts without quotation marks.
pub fn plain(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) if text.is_empty() => "\"\"".into(),
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
