//! A pod that names the configuration which is loaded for it.
//!
//! Decides which file counts, and what is said of it: until 3.32 the annotation `config_path` goes before every
//! other source, and no policy of the host stands before it. Facts: `loadRuntimeConfig` in
//! src/runtime/pkg/containerd-shim-v2/create.go at 3.32.0.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Change, Loaded, container_type, load, paths};
use crate::answer::finding::{Code, Finding, Severity, Who};
use crate::answer::verdict::{Failure, FailureStage, Fix, Stage, Status, Step, Verdict};
use crate::input::config::Layers;
use crate::input::{Host, Text};
use crate::release::Release;
use crate::runtime::{Depth, LoadError, LoadOptions, Run, Sandbox};

/// The annotation.
pub(super) const CONFIG_PATH: &str = "io.katacontainers.config_path";

/// The configurations that pods asked for so far, by path.
pub(super) type Known = Arc<Mutex<HashMap<String, Arc<Result<Loaded, LoadError>>>>>;

/// The file that a pod asks for.
fn asked_for(release: Release, sandbox: &Sandbox<'_>) -> Option<String> {
    if !release.has(Change::ConfigPathAnnotation) {
        return None;
    }
    let path = sandbox.annotations.get(CONFIG_PATH).map(Text::as_str).filter(|path| !path.is_empty())?;
    Some(paths::absolute(path, sandbox.id))
}

/// A relative path in a configuration is looked up in the folder of the sandbox, which only now has a name.
fn load_failure(error: &LoadError, sandbox: &Sandbox<'_>) -> Failure {
    let message = error.message.replace(paths::SANDBOX, sandbox.id);
    let failure = Failure::new(FailureStage::Load, message);
    if error.panic { failure.crash() } else { failure }
}

/// What becomes of a sandbox where the host's own configuration does not load: a pod may bring another.
pub fn without_configuration(
    release: Release,
    error: &LoadError,
    host: &Host,
    sandbox: &Sandbox<'_>,
    depth: Depth,
) -> Run {
    if let Err(message) = container_type(release, sandbox) {
        let failure = Some(Failure::new(FailureStage::Annotations, message));
        return Run { failure, ..Run::default() };
    }
    match asked_for(release, sandbox) {
        Some(path) => redirected(&load_from(release, host, &path, None), &path, host, sandbox, depth),
        None => Run { failure: Some(load_failure(error, sandbox)), ..Run::default() },
    }
}

fn load_from(release: Release, host: &Host, path: &str, wanted: Option<&str>) -> Result<Loaded, LoadError> {
    load(release, &Layers::read(host, path), host, &LoadOptions { hypervisor: wanted })
}

/// The rest of the way under the configuration that the pod picked, where it picked one.
pub(super) fn run(loaded: &Loaded, host: &Host, sandbox: &Sandbox<'_>, depth: Depth) -> Option<Run> {
    let path = asked_for(loaded.release(), sandbox)?;
    let mut known = loaded.elsewhere.lock().unwrap_or_else(PoisonError::into_inner);
    let other = known
        .entry(path.clone())
        .or_insert_with(|| Arc::new(load_from(loaded.release(), host, &path, loaded.wanted.as_deref())));
    let other = Arc::clone(other);
    drop(known);
    Some(redirected(&other, &path, host, sandbox, depth))
}

fn redirected(
    loaded: &Result<Loaded, LoadError>,
    path: &str,
    host: &Host,
    sandbox: &Sandbox<'_>,
    depth: Depth,
) -> Run {
    let passed = |stage, note: &'static str| Step { stage, passed: true, note: note.into(), place: None };
    let mut verdict = Verdict {
        key: CONFIG_PATH.into(),
        value: sandbox.annotations.get(CONFIG_PATH).cloned().unwrap_or_default(),
        status: Status::Applied,
        field: None,
        before: None,
        after: None,
        stage: Stage::Effective,
        reason: format!("the whole configuration, its policy included, is read from {path}").into(),
        fix: None,
        trace: vec![passed(Stage::Known, "read before any configuration"), passed(Stage::Name, "not gated")]
            .into(),
    };
    let mut run = match loaded {
        Ok(loaded) => loaded.run_here(host, sandbox, depth),
        Err(error) => {
            verdict.status = Status::Refused;
            verdict.stage = Stage::Value;
            verdict.reason = format!("the file it names does not load: {}", error.message.trim_end()).into();
            verdict.fix =
                Some(Fix::Advice("name a file of the host that loads, or leave it out".into()).into());
            Run { failure: Some(load_failure(error, sandbox).by(CONFIG_PATH)), ..Run::default() }
        }
    };
    let note = verdict.reason().into_owned().into();
    verdict.trace.push(Step { stage: verdict.stage, passed: loaded.is_ok(), note, place: None });
    run.verdicts.retain(|other| other.key != CONFIG_PATH);
    let at = run.verdicts.partition_point(|v| v.key.as_str() < CONFIG_PATH);
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
