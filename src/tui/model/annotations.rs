//! The rows of screen 1: what the pod sets first, then everything else the release knows.

use super::row::{AnnotationRow, Body, Row};
use super::{Model, Screen, Show};
use crate::answer::verdict::{ListId, Status, Verdict};
use crate::catalog::{self, Annotation, Gate, HYPERVISOR_PREFIX, KATA_PREFIX, Level, Reader};
use crate::policy::names::NameGate;
use crate::runtime::Loaded;
use crate::tui::message::Command;
use crate::tui::widget::text::glimpse;

/// The key without what all have in common.
pub fn short(key: &str) -> &str {
    key.strip_prefix(HYPERVISOR_PREFIX)
        .or_else(|| key.strip_prefix("io.katacontainers.config."))
        .or_else(|| key.strip_prefix(KATA_PREFIX))
        .unwrap_or(key)
}

/// Whether a verdict says that something went another way than asked.
pub fn is_problem(verdict: &Verdict) -> bool {
    verdict.status != Status::Applied && verdict.key.starts_with(KATA_PREFIX)
}

/// The part of the key that groups it.
fn group(key: &str) -> &'static str {
    let rest = key.strip_prefix("io.katacontainers.config.").unwrap_or("");
    match rest.split('.').next() {
        Some("hypervisor") => "hypervisor",
        Some("runtime") => "runtime",
        Some("agent") => "agent",
        _ => "other",
    }
}

/// What the catalogue says of a key in the release at hand.
pub fn known(model: &Model, key: &str) -> Option<(&'static Annotation, &'static Reader)> {
    let annotation = catalog::annotation(key)?;
    Some((annotation, annotation.reader(model.seat.current.setup().release)))
}

/// The configuration key that an annotation sets, with the active tables' names in it.
pub fn field_of(model: &Model, reader: &Reader) -> Option<String> {
    let field = reader.field?;
    let hypervisor = model.seat.current.hypervisor().unwrap_or("<name>");
    let field = match field.strip_prefix("agent.<name>") {
        Some(rest) => format!("agent.kata{rest}"),
        None => field.replace("<name>", hypervisor),
    };
    Some(field)
}

/// Whether the active hypervisor uses it.
pub fn used(model: &Model, reader: &Reader) -> bool {
    let hypervisor = model.seat.current.hypervisor().unwrap_or_default();
    hypervisor.is_empty() || !reader.effective || reader.used_on(hypervisor)
}

/// The rows, unfiltered.
pub fn rows(model: &Model) -> Vec<Row> {
    let show = model.lists[Screen::Annotations].show;
    let trials = model.trials.get(&model.pod);
    let tried = |key: &str| trials.is_some_and(|t| t.contains_key(key));
    let verdicts = &model.evaluation.verdicts;
    let mut rows = Vec::new();
    let set: Vec<(usize, &Verdict)> =
        verdicts.iter().enumerate().filter(|(_, v)| show != Show::Problems || is_problem(v)).collect();
    if !set.is_empty() {
        rows.push(Row::heading(if show == Show::Problems {
            "without the effect asked for"
        } else {
            "set by this pod"
        }));
    }
    rows.extend(set.iter().map(|(i, verdict)| {
        Row {
            id: verdict.key.as_str().into(),
            find: format!(
                "{}\t{}\t{}\t{}",
                short(&verdict.key),
                verdict.status.as_str(),
                glimpse(&verdict.value),
                verdict.stage.title()
            )
            .into(),
            body: Body::Annotation(
                AnnotationRow {
                    key: verdict.key.to_string(),
                    verdict: Some(*i),
                    tried: tried(&verdict.key),
                    allowed: None,
                }
                .into(),
            ),
        }
    }));
    if show == Show::All {
        unset(model, &mut rows);
    }
    rows
}

/// What the release knows and the pod does not set, by group.
fn unset(model: &Model, rows: &mut Vec<Row>) {
    let release = model.seat.current.setup().release;
    let verdicts = &model.evaluation.verdicts;
    // Of a configuration that does not load, what its list says all the same.
    let compiled: NameGate;
    let gate = match model.seat.current.loaded().ok().and_then(Loaded::name_gate) {
        Some(gate) => gate,
        None => {
            let table = format!("hypervisor.{}", model.seat.current.hypervisor().unwrap_or_default());
            compiled = NameGate::new(release, &model.patterns(&ListId::new(table, "enable_annotations")));
            &compiled
        }
    };
    let mut free: Vec<(&str, &'static Annotation)> = catalog::annotations(release)
        .filter(|(a, r)| r.read && matches!(a.level, Level::Sandbox | Level::Container))
        .filter(|(a, _)| !verdicts.iter().any(|v| v.key == a.key))
        .map(|(a, _)| (group(a.key), a))
        .collect();
    let order = ["hypervisor", "runtime", "agent", "other"];
    free.sort_by_key(|(g, a)| (order.iter().position(|o| o == g), short(a.key)));
    let mut last = "";
    for (group, annotation) in free {
        if group != last {
            rows.push(Row::heading(format!("{group}, not set")));
            last = group;
        }
        let reader = annotation.reader(release);
        let allowed = match reader.gate {
            Gate::None => None,
            Gate::Name | Gate::NameAndValue(_) => {
                Some(annotation.short().is_some_and(|s| gate.allows(s).is_some()))
            }
        };
        let word = unset_word(model, allowed, reader);
        let kind = reader.kind.map_or("", |kind| kind.as_str());
        let (name, risk) = (short(annotation.key), annotation.risk.as_str());
        rows.push(Row {
            id: annotation.key.into(),
            find: format!("{name}\t{word}\t{kind}\t{risk}").into(),
            body: Body::Annotation(
                AnnotationRow { key: annotation.key.to_owned(), verdict: None, tried: false, allowed }.into(),
            ),
        });
    }
}

/// What a pod that sets it would meet, in a word or two.
pub fn unset_word(model: &Model, allowed: Option<bool>, reader: &Reader) -> &'static str {
    match allowed {
        _ if reader.gate != Gate::None && model.seat.current.hypervisor().is_none() => "not known",
        _ if !used(model, reader) => "not used",
        None => "open",
        Some(true) => "allowed",
        Some(false) => "not allowed",
    }
}

impl Model {
    /// Puts the selection of screen 1 onto what needs looking at: what refuses the pod, else the
    /// first problem, else the first annotation it sets.
    pub fn select_problem(&mut self) {
        let verdicts = &self.evaluation.verdicts;
        let culprit = self.evaluation.outcome.failure().and_then(|f| f.annotation.clone());
        let first = verdicts
            .iter()
            .find(|v| Some(v.key.as_str()) == culprit.as_deref())
            .or_else(|| verdicts.iter().find(|v| matches!(v.status, Status::Refused | Status::Invalid)))
            .or_else(|| verdicts.iter().find(|v| is_problem(v)))
            .or_else(|| verdicts.first());
        if let Some(verdict) = first {
            let id = verdict.key.as_str().into();
            let list = &mut self.lists[Screen::Annotations];
            list.selected = Some(id);
            list.scroll = 0;
        }
        if self.screen == Screen::Annotations {
            self.place_cursor();
        }
    }

    /// The sample's first words.
    pub fn welcome(&mut self) {
        let layers = self.layers_of(self.screen);
        let key = |command| self.keymap.chord_for(&layers, command).map_or("-".into(), |k| k.to_string());
        let refused = self.evaluation.outcome.failure().map_or(String::new(), |_| {
            let (why, allow) = (key(Command::Open), key(Command::Allow));
            format!("{why} says why this one is refused, {allow} would allow it, ")
        });
        let text = format!(
            "a made-up host and {} pods to look around in; nothing is written. {refused}{} is the next pod, \
             {} lists the keys. Yours: katascope -c configuration.toml pods.yaml",
            self.pods.len(),
            key(Command::NextPod),
            key(Command::Help),
        );
        self.say(text);
    }

    /// The first words where the configuration does not load: on another machine than its own nearly none
    /// does, and that can be told.
    pub fn explain_no_load(&mut self) {
        let Err(error) = self.seat.current.loaded() else { return };
        // Only a file that is missing may be another host's.
        let misses_file = self.evaluation.way_out.as_ref().is_none_or(|way| way.misses_file);
        match error.place.clone().filter(|place| place.line > 0 && !misses_file) {
            Some(place) => self.complain(format!(
                "the configuration does not load, so every pod is refused: its cause stands in line {} of {}",
                place.line, place.file
            )),
            None => self.complain(
                "the configuration does not load here, so every pod is refused; if it is another host's, --root \
                 DIR says where its files are, --host FILE what that host is, --files assume that they are there",
            ),
        }
    }

    /// The verdict of the selected annotation.
    pub fn selected_verdict(&self) -> Option<&Verdict> {
        match &self.rows.current()?.body {
            Body::Annotation(row) => self.evaluation.verdicts.get(row.verdict?),
            _ => None,
        }
    }
}
