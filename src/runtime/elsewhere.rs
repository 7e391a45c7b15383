//! A pod that names the configuration which is loaded for it.
//!
//! Decides what is said of it: until 3.32 the annotation `config_path` goes before every other source, and no policy
//! of the host stands before it. Which file counts is each runtime's own. Facts: `loadRuntimeConfig` in
//! src/runtime/pkg/containerd-shim-v2/create.go, `load_config` in src/runtime-rs/crates/runtimes/src/manager.rs,
//! at 3.32.0.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::{LoadError, Run, Sandbox};
use crate::answer::finding::{Code, Finding, Severity, Who};
use crate::answer::verdict::{Failure, FailureStage, Fix, Stage, Status, Step, Verdict};

/// The annotation.
pub(super) const CONFIG_PATH: &str = "io.katacontainers.config_path";

/// A configuration that a pod picked, as it loads.
pub(super) type Picked<L> = Arc<Result<L, LoadError>>;

/// The configurations that pods asked for so far, by path.
#[derive(Debug, Clone)]
pub(super) struct Known<L>(Arc<Mutex<HashMap<String, Picked<L>>>>);

impl<L> Default for Known<L> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<L> Known<L> {
    /// The configuration at `path`, which is loaded once.
    pub(super) fn get(&self, path: &str, load: impl FnOnce() -> Result<L, LoadError>) -> Picked<L> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match known.get(path) {
            Some(loaded) => Arc::clone(loaded),
            None => Arc::clone(known.entry(path.to_owned()).or_insert(Arc::new(load()))),
        }
    }
}

/// The failure of a sandbox whose configuration does not load, with the runtime's message for it.
pub(super) fn load_failure(error: &LoadError, message: String) -> Failure {
    let failure = Failure::new(FailureStage::Load, message);
    if error.panic { failure.crash() } else { failure }
}

/// What becomes of a sandbox under the configuration that it picked: what `run` makes of it, or `failure` where it
/// does not load, with a verdict on the annotation.
pub(super) fn redirected<L>(
    loaded: &Result<L, LoadError>,
    path: &str,
    sandbox: &Sandbox<'_>,
    run: impl FnOnce(&L) -> Run,
    failure: impl FnOnce(&LoadError) -> Failure,
) -> Run {
    let (mut run, status, stage, reason) = match loaded {
        Ok(loaded) => {
            let reason = format!("the whole configuration, its policy included, is read from {path}");
            (run(loaded), Status::Applied, Stage::Effective, reason)
        }
        Err(error) => {
            let reason = format!("the file it names does not load: {}", error.message.trim_end());
            let run = Run { failure: Some(failure(error).by(CONFIG_PATH)), ..Run::default() };
            (run, Status::Refused, Stage::Value, reason)
        }
    };
    let step = |stage, passed, note: &str| Step { stage, passed, note: note.to_owned().into(), place: None };
    let fix = "name a file of the host that loads, or leave it out";
    let verdict = Verdict {
        key: CONFIG_PATH.into(),
        value: sandbox.annotations.get(CONFIG_PATH).cloned().unwrap_or_default(),
        status,
        field: None,
        before: None,
        after: None,
        stage,
        fix: loaded.is_err().then(|| Fix::Advice(fix.into()).into()),
        trace: vec![
            step(Stage::Known, true, "read before any configuration"),
            step(Stage::Name, true, "no list checks it"),
            step(stage, loaded.is_ok(), &reason),
        ]
        .into(),
        reason: reason.into(),
    };
    run.verdicts.retain(|verdict| verdict.key.as_str() != CONFIG_PATH);
    let at = run.verdicts.partition_point(|verdict| verdict.key.as_str() < CONFIG_PATH);
    run.verdicts.insert(at, verdict);
    run.findings.push(Finding {
        code: Code::ConfigElsewhere,
        severity: Severity::Warning,
        subject: Some(CONFIG_PATH.to_owned()),
        place: None,
        message: format!(
            "the pod is not held against this host's policy: it picked {path} as its configuration, and \
             enable_annotations and every valid_* list are that file's"
        ),
        fix: Some(Fix::Advice(
            "take io.katacontainers.config_path out of pod_annotations in the container runtime's \
             configuration: this release cannot refuse it"
                .into(),
        )),
        who: Who::ClusterAdministrator,
    });
    run
}
