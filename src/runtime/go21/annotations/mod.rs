//! The pod's annotations on the configuration, in this release's order: first the name gate for all of
//! them, then assets, CPU, memory, block, shared files, network, paths, and at last runtime and agent.
//!
//! The first that is not taken ends it, and the pod fails. Of several that the name gate refuses the
//! runtime names a random one; here it is the first in byte order. Facts: `addAnnotations` in
//! src/runtime/virtcontainers/pkg/oci/utils.go at 2.1.0.

pub(super) mod rules;
pub(super) mod way;

use std::sync::Arc;

use serde_json::Value as Json;

use self::rules::{DAEMON_CHECK_BEFORE, RULES, Rule};
use self::way::{Effect, Refused, Way};
use super::Loaded;
use super::config::SandboxConfig;
use super::effective::Key;
use super::stations::Stations;
use crate::catalog::{self, KATA_PREFIX};
use crate::input::{Host, Text};
use crate::release::Release;
use crate::runtime::Sandbox;
use crate::runtime::verdict::{Failure, FailureStage, Fix, Note, Stage, Status, Step, Trace, Verdict};

/// The annotation that moves everything to another file.
pub(super) const CONFIG_PATH: &str = "io.katacontainers.config_path";

/// What the annotations came to.
pub(super) struct Walked<'a> {
    pub(super) verdicts: Vec<Verdict>,
    pub(super) failure: Option<Failure>,
    /// The configuration keys that annotations have set, with the annotation.
    pub(super) annotated: Vec<(&'static Key, &'a str)>,
    /// Annotations that took effect in the configuration, and nowhere else.
    pub(super) unused: Vec<&'a str>,
}

/// One annotation on its way.
struct Traveller<'a> {
    key: &'a Text,
    value: &'a Text,
    /// The rule about it, with what is the same for every pod.
    rule: Option<(usize, &'a Stations)>,
    /// The stations that are the same for every pod, where it passed them.
    common: Option<&'a Arc<[Step]>>,
    /// The others.
    steps: Vec<Step>,
    /// Whether its turn came.
    walked: bool,
    end: Option<End>,
}

/// How its way ended.
struct End {
    status: Status,
    stage: Stage,
    reason: Text,
    fix: Option<Fix>,
}

/// Room for the stations of an annotation that takes effect.
const STATIONS: usize = 4;

impl Traveller<'_> {
    fn rule(&self) -> Option<&'static Rule> {
        self.rule.and_then(|(index, _)| RULES.get(index))
    }

    /// The configuration key it sets.
    fn key_of(&self) -> Option<&'static Key> {
        self.rule.and_then(|(_, stations)| stations.key)
    }

    /// The value of that key without the annotation.
    fn before(&self) -> Option<Arc<Json>> {
        self.rule.and_then(|(_, stations)| stations.before.clone())
    }

    fn ends(&mut self, status: Status, stage: Stage, reason: impl Into<Text>) {
        self.end.get_or_insert(End { status, stage, reason: reason.into(), fix: None });
    }

    fn refused(&mut self, refused: &Refused) {
        if self.steps.last().is_none_or(|step| step.passed) {
            let note = refused.note.clone().into();
            self.steps.push(Step { stage: refused.stage, passed: false, note, place: None });
        }
        self.end = Some(End {
            status: Status::Refused,
            stage: refused.stage,
            reason: refused.reason.clone().into(),
            fix: refused.fix.clone(),
        });
    }
}

/// Whether a verdict is owed on this annotation.
fn concerns_kata(key: &str) -> bool {
    key.starts_with(KATA_PREFIX) || (!key.starts_with("io.kubernetes.") && catalog::annotation(key).is_some())
}

/// Whether it is one of those that are walked over.
fn is_owed(key: &str) -> bool {
    key != CONFIG_PATH && concerns_kata(key)
}

/// Holds the annotations against the gates and applies them to `config`.
pub(super) fn apply<'a>(
    loaded: &'a Loaded,
    host: &Host,
    sandbox: &Sandbox<'a>,
    config: &mut SandboxConfig<'a>,
) -> Walked<'a> {
    let mut travellers: Vec<Traveller<'_>> = sandbox
        .annotations
        .in_order(is_owed)
        .into_iter()
        .map(|(key, value)| Traveller {
            key,
            value,
            rule: rules::find(key).and_then(|rule| Some((rule, loaded.stations(host, rule, key)?))),
            common: None,
            steps: Vec::new(),
            walked: false,
            end: None,
        })
        .collect();
    let mut annotated = Vec::with_capacity(travellers.len());
    let failure = walk(loaded, host, config, &mut travellers, &mut annotated);
    let mut unused = Vec::new();
    let verdicts = travellers.into_iter().map(|traveller| {
        let (key, rule) = (traveller.key.as_str(), traveller.rule);
        let verdict = verdict(loaded, config, traveller, failure.as_ref());
        if verdict.status == Status::Applied && rule.is_some_and(|(_, stations)| stations.unused) {
            unused.push(key);
        }
        verdict
    });
    let verdicts = verdicts.collect();
    Walked { verdicts, failure, annotated, unused }
}

/// The verdicts where the pod fails before any annotation but `CONFIG_PATH` is looked at.
pub(super) fn unreached(sandbox: &Sandbox<'_>, why: &str) -> Vec<Verdict> {
    let owed = sandbox.annotations.in_order(is_owed).into_iter();
    owed.map(|(key, value)| Verdict {
        key: key.clone(),
        value: value.clone(),
        status: Status::Ignored,
        field: None,
        before: None,
        after: None,
        stage: Stage::Known,
        reason: format!("never looked at: {why}").into(),
        fix: None,
        trace: vec![Step { stage: Stage::Known, passed: false, note: Text::copy(why).into(), place: None }]
            .into(),
    })
    .collect()
}

fn failure(message: &str, key: Option<&str>) -> Failure {
    let failure = Failure::new(FailureStage::Annotations, message);
    match key {
        Some(key) => failure.by(key),
        None => failure,
    }
}

fn walk<'a>(
    loaded: &Loaded,
    host: &Host,
    config: &mut SandboxConfig<'a>,
    travellers: &mut [Traveller<'a>],
    annotated: &mut Vec<(&'static Key, &'a str)>,
) -> Option<Failure> {
    let mut first = None;
    for traveller in travellers.iter_mut() {
        if let Some((_, stations)) = traveller.rule.filter(|(_, stations)| stations.admitted) {
            traveller.common = Some(&stations.steps);
            continue;
        }
        let mut way = Way { host, loaded, steps: Vec::new() };
        known(&mut way, traveller);
        if let Err(refused) = way.name(traveller.key) {
            traveller.steps = way.steps;
            traveller.refused(&refused);
            first.get_or_insert_with(|| failure(&refused.message, Some(traveller.key.as_str())));
        } else {
            traveller.steps = way.steps;
        }
    }
    if first.is_some() {
        return first;
    }
    for traveller in travellers.iter() {
        if let Some(name) = traveller.rule.and_then(|(_, stations)| stations.asset) {
            config.asset_annotations.push((name, traveller.value));
        }
    }
    let mut order: Vec<usize> = (0..travellers.len()).collect();
    order.sort_by_key(|at| travellers.get(*at).and_then(|t| t.rule).map_or(usize::MAX, |(rule, _)| rule));
    let check_before = rules::find(DAEMON_CHECK_BEFORE).unwrap_or(0);
    let mut checked = false;
    for at in order {
        if !checked && travellers.get(at).and_then(|t| t.rule).is_none_or(|(rule, _)| rule >= check_before) {
            checked = true;
            if let Some(failure) = without_daemon(config, travellers) {
                return Some(failure);
            }
        }
        let Some(traveller) = travellers.get_mut(at) else { continue };
        let Some(rule) = traveller.rule() else { continue };
        let key = traveller.key_of();
        traveller.walked = true;
        let mut way = Way { host, loaded, steps: Vec::with_capacity(STATIONS) };
        let outcome = (rule.apply)(&mut way, config, traveller.value);
        traveller.steps = way.steps;
        match outcome {
            Ok(effect) => {
                took_effect(config, traveller, effect);
                if let (Some(key), false) = (key, matches!(effect, Effect::Kept(_))) {
                    annotated.push((key, traveller.key));
                }
            }
            Err(refused) => {
                traveller.refused(&refused);
                return Some(failure(&refused.message, Some(traveller.key.as_str())));
            }
        }
    }
    if checked { None } else { without_daemon(config, travellers) }
}

/// Virtio-fs without its daemon is refused between two annotations, whether one asked for it or not.
fn without_daemon(config: &SandboxConfig<'_>, travellers: &mut [Traveller<'_>]) -> Option<Failure> {
    let hv = &config.hypervisor_config;
    if hv.shared_fs != "virtio-fs" || !hv.virtio_fs_daemon.is_empty() {
        return None;
    }
    let message = "cannot enable virtio-fs without daemon path";
    let asked = travellers.iter_mut().find(|t| t.key.ends_with(".hypervisor.shared_fs"));
    let key = asked.map(|traveller| {
        let reason = "virtio-fs needs a daemon, and the configuration names none".to_owned();
        traveller.end = None;
        traveller.refused(&Refused {
            stage: Stage::Effective,
            message: message.to_owned(),
            note: reason.clone(),
            reason,
            fix: Some(Fix::Advice("set virtio_fs_daemon in the configuration file".into())),
        });
        traveller.key.as_str()
    });
    Some(failure(message, key))
}

/// The first station: whether anything reads the annotation.
fn known(way: &mut Way<'_>, traveller: &mut Traveller<'_>) {
    if traveller.rule.is_some() {
        way.passed(Stage::Known, "read by the Go runtime 2.1");
        return;
    }
    let entry = catalog::annotation(traveller.key).map(|a| a.reader(Release::go(2, 1, 0)));
    let (status, reason) = match entry {
        Some(reader) if reader.overwritten => (
            Status::Ignored,
            "the runtime writes this annotation itself, over whatever a pod says".to_owned(),
        ),
        Some(reader) if reader.documented => {
            (Status::Ignored, "documented for this release, but nothing ever reads it".to_owned())
        }
        Some(reader) if reader.read => {
            (Status::Ignored, "read for containers, not for the pod's sandbox".to_owned())
        }
        _ => (Status::Unknown, "the Go runtime 2.1 reads no such annotation".to_owned()),
    };
    let fix = match catalog::nearest(traveller.key, Release::go(2, 1, 0)) {
        Some(near) if status == Status::Unknown => {
            Some(Fix::Advice(format!("did you mean {}?", near.key).into()))
        }
        _ => None,
    };
    let reason = Text::from(reason);
    way.steps.push(Step { stage: Stage::Known, passed: false, note: reason.clone().into(), place: None });
    traveller.end = Some(End { status, stage: Stage::Known, reason, fix });
}

fn took_effect(config: &SandboxConfig<'_>, traveller: &mut Traveller<'_>, effect: Effect) {
    if let Some(asset) = traveller.rule.and_then(|(_, stations)| stations.digest_of) {
        let file = asset.annotations().0;
        if config.asset_annotation(file).is_none_or(str::is_empty) {
            let reason = format!("a digest counts only beside the annotation {file} that names the file");
            traveller.ends(Status::Ignored, Stage::Effective, reason);
            return;
        }
        traveller.ends(
            Status::Applied,
            Stage::Effective,
            format!("the file that {file} names must match it"),
        );
        return;
    }
    let (passed, note, reason) = match effect {
        Effect::Replaced => (true, "replaces the configured value", "it replaces the configured value"),
        Effect::Appended => (true, "added to the configured value", "it is added to the configured value"),
        Effect::Kept(why) => (false, why, why),
    };
    traveller.steps.push(Step { stage: Stage::Merge, passed, note: note.into(), place: None });
    if passed {
        traveller.ends(Status::Applied, Stage::Effective, reason);
    } else {
        traveller.ends(Status::Ignored, Stage::Merge, reason);
    }
}

fn verdict(
    loaded: &Loaded,
    config: &SandboxConfig<'_>,
    mut traveller: Traveller<'_>,
    failure: Option<&Failure>,
) -> Verdict {
    let key = traveller.key_of();
    let hypervisor = loaded.config.hypervisor_type;
    if failure.is_some() && traveller.end.is_none() {
        traveller.ends(Status::Ignored, Stage::Known, "the pod fails before this annotation is looked at");
    }
    let end = traveller.end.take().unwrap_or(End {
        status: Status::Applied,
        stage: Stage::Effective,
        reason: "it took effect".into(),
        fix: None,
    });
    let after = match end.status {
        Status::Applied | Status::Ignored => key.map(|key| Arc::new((key.value)(config))),
        _ => traveller.before().filter(|_| traveller.walked),
    };
    if end.status == Status::Applied {
        let note = after.as_ref().map_or("in effect".into(), |after| Note::Value(Arc::clone(after)));
        traveller.steps.push(Step { stage: Stage::Effective, passed: true, note, place: None });
    }
    Verdict {
        key: traveller.key.clone(),
        value: traveller.value.clone(),
        status: end.status,
        field: key.map(|key| key.name(hypervisor).into()),
        before: traveller.before(),
        after,
        stage: end.stage,
        reason: end.reason.into(),
        fix: end.fix.map(Box::new),
        trace: traveller
            .common
            .map(|common| Trace::along(Arc::clone(common)))
            .unwrap_or_default()
            .then(traveller.steps),
    }
}
