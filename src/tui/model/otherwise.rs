//! The window in which something is said otherwise than the files say it: a pod's limits and requests, its handler,
//! the host; and the state that is kept when it is read so.

use std::rc::Rc;

use super::Model;
use super::arrange::Arrangement;
use super::foresight::Foresight;
use super::openings::words;
use super::pods::{PodEntry, Sweep, cpu_words, memory_words};
use crate::evaluate::node::NodeEvaluator;
use crate::input::manifest::{Pod, Sizing};
use crate::tui::widget::line::Line;

/// One thing that can be said otherwise.
#[derive(Debug, Clone)]
pub struct Field {
    /// Its name, as `--set` takes it; empty for whole words.
    pub name: &'static str,
    /// What is typed: a value, `-` for none, nothing for what the files say.
    pub line: Line,
    /// What it is now.
    pub now: String,
}

/// What comes of it.
#[derive(Debug, Clone)]
pub struct Consequence {
    /// The words that it was worked out for.
    pub words: Vec<String>,
    /// The node as it is said to be.
    pub node: NodeEvaluator,
    /// The pods as they are said to be.
    pub pods: Vec<PodEntry>,
    /// What would differ for the pod in sight.
    pub foresight: Option<Rc<Foresight>>,
    /// What would become of the pods.
    pub sweep: Sweep,
}

/// What is typed into the window.
#[derive(Debug, Clone)]
pub struct Otherwise {
    /// The fields.
    pub fields: Vec<Field>,
    /// Which one is typed in.
    pub at: usize,
    /// Why it cannot be.
    pub error: Option<String>,
    /// What comes of what was tried last.
    pub found: Option<Consequence>,
}

impl Otherwise {
    /// The fields with what is said otherwise already, and the words for which there is no field but the last.
    pub fn of(model: &Model) -> (Self, Vec<String>) {
        let facts = &model.node.node().host.facts;
        let pod = model.pods.get(model.pod).map(|entry| &entry.pod);
        let sizing = pod.and_then(|pod| pod.sizing);
        let all = |words: fn(&Sizing) -> String| sizing.as_ref().map_or(String::new(), words);
        let (cpu, memory) = (all(cpu_words), all(memory_words));
        let shares = sizing.map_or(String::new(), |sizing| format!("{} CPU shares", sizing.cpu_shares));
        let handler = pod.and_then(|_| model.pods.get(model.pod)?.handler.as_deref());
        let now = [
            ("handler", handler.unwrap_or("one configuration judges all").to_owned()),
            ("limits.cpu", cpu),
            ("limits.memory", memory),
            ("requests.cpu", shares),
            ("requests.memory", String::new()),
            ("host.cpus", facts.cpus.to_string()),
            ("host.memory_mib", facts.memory_mib.to_string()),
            ("host.arch", facts.arch.as_str().to_owned()),
            ("host.protection", facts.protection.as_str().to_owned()),
            ("host.nested", facts.nested.to_string()),
            ("", "hypervisor.qemu.default_vcpus=4  annotation:default_vcpus=2  limits.NAME.cpu=1".to_owned()),
        ];
        let field = |(name, now)| Field { name, line: Line::default(), now };
        let mut fields: Vec<Field> = now.into_iter().map(field).collect();
        let mut rest = Vec::new();
        for word in model.node.said_otherwise() {
            let said = match word.split_once('=') {
                Some((name, value)) => Some((name, value)),
                None => word.strip_suffix('-').map(|name| (name, "-")),
            };
            let field = said.and_then(|(name, value)| {
                Some((fields.iter_mut().find(|field| !name.is_empty() && field.name == name)?, value))
            });
            match field {
                Some((field, value)) => field.line = Line::with(value),
                None => rest.push(word.clone()),
            }
        }
        // Where one configuration judges all, no handler is to be chosen.
        (Self { fields, at: usize::from(model.handler.is_none()), error: None, found: None }, rest)
    }

    /// The words that say it, as `--set` takes them.
    pub fn words(&self) -> Result<Vec<String>, OpenQuote> {
        let mut all = Vec::new();
        for field in &self.fields {
            match (field.name, field.line.text().trim()) {
                (_, "") => {}
                ("", text) => all.extend(words(text).ok_or(OpenQuote)?),
                (name, "-") => all.push(format!("{name}-")),
                (name, value) => all.push(format!("{name}={value}")),
            }
        }
        Ok(all)
    }

    /// Whether pods are left to be judged.
    pub fn has_work(&self) -> bool {
        self.found.as_ref().is_some_and(|found| !found.sweep.done())
    }

    /// Whether what comes of it was worked out for what stands there now.
    pub fn is_current(&self) -> bool {
        let words = self.words();
        self.found.as_ref().is_some_and(|found| words.as_ref().is_ok_and(|words| *words == found.words))
    }
}

/// A quotation mark has no end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a quotation mark has no end")]
pub struct OpenQuote;

impl Model {
    /// Takes over where one was in `before`: the same pods are read otherwise.
    pub fn keep_place(&mut self, before: &Self) {
        let index = |entries: &[PodEntry], id: &str| entries.iter().position(|entry| &*entry.id == id);
        let here = |at: &usize| index(&self.pods, &before.pods.get(*at)?.id);
        let (pod, marks) = (here(&before.pod), before.marks.iter().filter_map(here).collect());
        let trials = before.trials.iter().filter_map(|(at, trials)| Some((here(at)?, trials.clone())));
        let trials = trials.collect();
        (self.marks, self.trials) = (marks, trials);
        let Arrangement { sort, reverse, group, open, .. } = before.arrangement.clone();
        self.arrangement = Arrangement { sort, reverse, group, open, ..Arrangement::default() };
        self.lists = before.lists.clone();
        (self.screen, self.pane) = (before.screen, before.pane);
        (self.side_by_side, self.folded, self.baseline) =
            (before.side_by_side, before.folded, before.baseline);
        (self.jumps, self.forward) = (before.jumps.clone(), before.forward.clone());
        self.seeking = false;
        self.pod = pod.unwrap_or(self.pod);
        self.follow_pod();
        self.evaluate();
    }

    /// Says what is said otherwise than the files say it.
    pub fn say_what_is_said_otherwise(&mut self) {
        let said = self.node.said_otherwise().join(", ");
        self.say(match said.is_empty() {
            true => "everything is as the files say".to_owned(),
            false => format!("everything is shown with {said}; p changes that or takes it back"),
        });
    }

    /// The pod of another reading that stands for the one in sight.
    pub fn counterpart<'p>(&self, pods: &'p [PodEntry]) -> Option<&'p Pod> {
        let id = &self.pods.get(self.pod)?.id;
        pods.iter().find(|entry| entry.id == *id).map(|entry| &*entry.pod)
    }
}
