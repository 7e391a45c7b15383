//! `io.katacontainers.config_path`: a pod's own configuration, policy included, until 3.32.
//!
//! Decides which file is loaded for such a pod. A relative path is looked up in the sandbox's bundle folder,
//! which exists only when the pod starts: the host's own file stands in for it. Facts: `load_config` in
//! src/runtime-rs/crates/runtimes/src/manager.rs at each tag.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use super::changes::Change;
use super::{Loaded, load};
use crate::answer::finding::{Code, Finding, Severity, Who};
use crate::answer::verdict::{Failure, FailureStage, Fix, Stage, Status, Step, Verdict};
use crate::input::Host;
use crate::input::config::Layers;
use crate::input::search::default_paths;
use crate::release::Release;
use crate::runtime::{Depth, LoadError, LoadOptions, Run, Sandbox};

/// The annotation.
pub const CONFIG_PATH: &str = "io.katacontainers.config_path";

/// Configurations that pods have pointed at, by path.
pub type Elsewhere = Arc<Mutex<HashMap<String, Arc<Result<Loaded, LoadError>>>>>;

/// The file that a pod asks for, where the release heeds it and it can be looked up here.
pub fn asked_for(release: Release, host: &Host, sandbox: &Sandbox<'_>) -> Option<String> {
    if !release.has(Change::ConfigPathAnnotation) {
        return None;
    }
    let path = sandbox.annotations.get(CONFIG_PATH)?.trim();
    if path.is_empty() {
        let default = default_paths(release).iter().find(|path| host.finds(path));
        return default.map(|path| (*path).to_owned());
    }
    path.starts_with('/').then(|| path.to_owned())
}

/// Loads the configuration that a pod points at.
pub fn load_elsewhere(release: Release, host: &Host, path: &str) -> Result<Loaded, LoadError> {
    load(release, &Layers::read(host, path), host, &LoadOptions::default())
}

/// What becomes of a sandbox under the configuration that it picked.
pub fn redirected(
    loaded: &Result<Loaded, LoadError>,
    path: &str,
    host: &Host,
    sandbox: &Sandbox<'_>,
    depth: Depth,
) -> Run {
    let mut run = match loaded {
        Ok(loaded) => loaded.run_here(host, sandbox, depth),
        Err(error) => {
            let failure = Failure::new(FailureStage::Load, error.message.clone()).by(CONFIG_PATH);
            Run { failure: Some(failure), ..Run::default() }
        }
    };
    let (status, stage, reason) = match loaded {
        Ok(_) => {
            let reason = format!("the whole configuration, its policy included, is read from {path}");
            (Status::Applied, Stage::Effective, reason)
        }
        Err(error) => {
            let reason = format!("the file it names does not load: {}", error.message.trim_end());
            (Status::Refused, Stage::Value, reason)
        }
    };
    let step = |stage, passed, note: &str| Step { stage, passed, note: note.to_owned().into(), place: None };
    let verdict = Verdict {
        key: CONFIG_PATH.into(),
        value: sandbox.annotations.get(CONFIG_PATH).cloned().unwrap_or_default(),
        status,
        field: None,
        before: None,
        after: None,
        stage,
        reason: reason.clone().into(),
        fix: None,
        trace: vec![
            step(Stage::Known, true, "read before any configuration"),
            step(Stage::Name, true, "not gated"),
            step(stage, loaded.is_ok(), &reason),
        ]
        .into(),
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

/// What becomes of a sandbox where the host's own configuration does not load: a pod may bring another.
pub fn without_configuration(
    release: Release,
    error: &LoadError,
    host: &Host,
    sandbox: &Sandbox<'_>,
    depth: Depth,
) -> Run {
    if let Some(path) = asked_for(release, host, sandbox) {
        return redirected(&load_elsewhere(release, host, &path), &path, host, sandbox, depth);
    }
    let failure = Failure::new(FailureStage::Load, error.message.clone());
    let failure = if error.panic { failure.crash() } else { failure };
    Run { failure: Some(failure), ..Run::default() }
}
