//! A pod that names the configuration which is loaded for it.
//!
//! Decides what is said of it: until 3.32 the annotation `config_path` goes before every other source, and no policy
//! of the host stands before it. Which file counts is each runtime's own. Facts: `loadRuntimeConfig` in
//! src/runtime/pkg/containerd-shim-v2/create.go, `load_config` in src/runtime-rs/crates/runtimes/src/manager.rs,
//! at 3.32.0.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Asked, LoadError, LoadOptions, Run, Sandbox};
use crate::answer::finding::{Code, Finding, Who};
use crate::answer::verdict::{Failure, FailureStage, Fix, Stage, Status, Step, Verdict};
use crate::input::config::Layers;
use crate::input::{Host, Text};
use crate::release::Release;

/// The annotation.
pub(super) const CONFIG_PATH: &str = "io.katacontainers.config_path";

/// How a runtime loads a configuration.
pub(super) type Load<L> = fn(Release, &Layers, &Host, &LoadOptions<'_>) -> Result<L, LoadError>;

/// A configuration that a pod may replace by another: what each runtime has its own way for.
pub(super) trait Replaceable: Sized {
    /// How it is loaded.
    const LOAD: Load<Self>;

    /// The file that a pod asks for, where the release heeds it and it can be looked up here.
    fn asked_for(release: Release, host: &Host, sandbox: &Sandbox<'_>) -> Option<String>;

    /// The runtime's message for a configuration that does not load.
    fn load_message(error: &LoadError, _sandbox: &Sandbox<'_>) -> String {
        error.message.clone()
    }

    /// What becomes of a sandbox under this configuration, whatever it asks for.
    fn run_here(&self, asked: Asked<'_>) -> Run;
}

/// So many are kept before all are forgotten: pods may name paths without end.
const KEPT: usize = 64;

/// The configurations that pods asked for so far, by path.
#[derive(Debug, Clone)]
pub(super) struct Known<L>(Arc<Mutex<ByPath<L>>>);

/// What was loaded, by path.
type ByPath<L> = HashMap<String, Arc<Result<L, LoadError>>>;

impl<L> Default for Known<L> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<L: Replaceable> Known<L> {
    /// What becomes of a sandbox under the configuration that it picked, where it picked one; each is loaded once.
    pub(super) fn run(&self, release: Release, options: &LoadOptions<'_>, asked: Asked<'_>) -> Option<Run> {
        let path = L::asked_for(release, asked.host, asked.sandbox)?;
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KEPT && !known.contains_key(&path) {
            known.clear();
        }
        let load = || Arc::new(L::LOAD(release, &Layers::read(asked.host, &path), asked.host, options));
        let loaded = Arc::clone(known.entry(path.clone()).or_insert_with(load));
        drop(known);
        Some(redirected(&loaded, &path, asked))
    }
}

/// What becomes of a sandbox where the host's own configuration does not load: a pod may bring another.
pub(super) fn without_configuration<L: Replaceable>(
    release: Release,
    error: &LoadError,
    asked: Asked<'_>,
) -> Run {
    let Some(path) = L::asked_for(release, asked.host, asked.sandbox) else {
        return Run { failure: Some(failure::<L>(error, asked.sandbox)), ..Run::default() };
    };
    let options = LoadOptions::default();
    redirected(&L::LOAD(release, &Layers::read(asked.host, &path), asked.host, &options), &path, asked)
}

/// The failure of a sandbox whose configuration does not load.
fn failure<L: Replaceable>(error: &LoadError, sandbox: &Sandbox<'_>) -> Failure {
    let failure = Failure::new(FailureStage::Load, L::load_message(error, sandbox));
    if error.panic { failure.crash() } else { failure }
}

/// What becomes of a sandbox under the configuration that it picked, with a verdict on the annotation.
fn redirected<L: Replaceable>(loaded: &Result<L, LoadError>, path: &str, asked: Asked<'_>) -> Run {
    let (mut run, status, stage, reason) = match loaded {
        Ok(loaded) => {
            let reason = format!("the whole configuration, its policy included, is read from {path}");
            (loaded.run_here(asked), Status::Applied, Stage::Effective, reason)
        }
        Err(error) => {
            let reason = format!("the file it names does not load: {}", error.message.trim_end());
            let run =
                Run { failure: Some(failure::<L>(error, asked.sandbox).by(CONFIG_PATH)), ..Run::default() };
            (run, Status::Refused, Stage::Value, reason)
        }
    };
    let reason = Text::from(reason);
    let value = asked.sandbox.annotations.get(CONFIG_PATH).cloned().unwrap_or_default();
    let fix = "name a file of the host that loads, or leave it out";
    let steps = vec![
        Step::new(Stage::Known, true, "read before any configuration"),
        Step::new(Stage::Name, true, "no list checks it"),
        Step::new(stage, loaded.is_ok(), reason.clone()),
    ];
    let verdict = Verdict {
        fix: loaded.is_err().then(|| Fix::Advice(fix.into()).into()),
        trace: steps.into(),
        ..Verdict::new(&CONFIG_PATH.into(), &value, status, stage, reason)
    };
    run.verdicts.retain(|verdict| verdict.key.as_str() != CONFIG_PATH);
    let at = run.verdicts.partition_point(|verdict| verdict.key.as_str() < CONFIG_PATH);
    run.verdicts.insert(at, verdict);
    let message = format!(
        "the pod is not held against this host's policy: it picked {path} as its configuration, and \
         enable_annotations and every valid_* list are that file's"
    );
    let finding = Finding::warning(Code::ConfigElsewhere, Who::ClusterAdministrator, message);
    let fix = "take io.katacontainers.config_path out of pod_annotations in the container runtime's \
               configuration: this release cannot refuse it";
    run.findings.push(finding.about(CONFIG_PATH).advise(fix));
    run
}
