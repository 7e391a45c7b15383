//! The Go runtime 2.1.0, in its own order: load, annotations, assets, launch.
//!
//! Sizing by the pod's limits does not exist in this release: a VM starts with `default_vcpus` and
//! `default_memory` and grows when containers join. What is its own is `io.katacontainers.config_path`: a
//! pod picks the configuration file, and with it the policy it is held against.
//!
//! Facts: src/runtime/containerd-shim-v2/create.go, src/runtime/virtcontainers and
//! src/runtime/pkg/katautils at 2.1.0.

mod annotations;
mod assets;
pub mod config;
mod convert;
mod effective;
mod load;
mod paths;
mod stations;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

use self::annotations::CONFIG_PATH;
use self::annotations::rules::RULES;
use self::config::{Param, RuntimeConfig, SandboxConfig};
use self::stations::Stations;
use super::go_listed::ListedPaths;
use super::value::{Effective, Origin};
use super::verdict::{Failure, FailureStage, Fix, Stage, Status, Step, Verdict};
use super::{Depth, LoadError, LoadOptions, Run, Sandbox};
use crate::catalog::HYPERVISOR_PREFIX;
use crate::finding::{Code, Finding, Severity, Who};
use crate::input::config::Layers;
use crate::input::{Host, Place, Text};
use crate::policy::names::NameGate;

/// Configurations that pods have pointed at, by path.
type Elsewhere = Arc<Mutex<HashMap<String, Arc<Result<Loaded, LoadError>>>>>;

/// A configuration as the runtime holds it after loading.
#[derive(Debug, Clone)]
pub struct Loaded {
    config: Arc<RuntimeConfig>,
    /// What each annotation passes first, by its rule, once somebody wants it.
    stations: Box<[OnceLock<Stations>]>,
    /// What holds for a sandbox that no annotation touches, once somebody wants it.
    unannotated: OnceLock<Effective>,
    enable_annotations: Vec<String>,
    name_gate: NameGate,
    lists: [Vec<String>; 7],
    /// The same lists, compiled.
    gates: Vec<ListedPaths>,
    /// Where each key of the file stands, by its whole name.
    places: HashMap<String, Place>,
    derived: Vec<load::hypervisors::Derived>,
    findings: Vec<Finding>,
    /// The guest boots in FIPS mode, as the host does.
    fips: bool,
    wanted: Option<String>,
    elsewhere: Elsewhere,
}

/// Loads the configuration as the runtime does.
pub fn load(layers: &Layers, host: &Host, options: &LoadOptions<'_>) -> Result<Loaded, LoadError> {
    load::load(layers, host, options)
}

/// Features that may be switched on by name: one is registered.
fn is_experimental(feature: &str) -> bool {
    feature == "newstore"
}

/// What the shim makes of the sandbox before it looks at any configuration.
fn container_type(sandbox: &Sandbox<'_>) -> Result<(), Failure> {
    const KEYS: [&str; 3] = [
        "io.kubernetes.cri.container-type",
        "io.kubernetes.cri-o.ContainerType",
        "io.kubernetes.docker.type",
    ];
    let Some((key, value)) =
        KEYS.iter().find_map(|key| sandbox.annotations.get(key).map(|value| (*key, value)))
    else {
        return Ok(());
    };
    let message = match value.as_str() {
        "sandbox" | "podsandbox" => return Ok(()),
        "container" => "BUG: Cannot start the container, since the sandbox hasn't been created".to_owned(),
        other => format!("Unknown container type {other}"),
    };
    Err(Failure::new(FailureStage::Annotations, message).by(key))
}

fn wrong_type(sandbox: &Sandbox<'_>, failure: Failure) -> Run {
    let verdicts = annotations::unreached(sandbox, "the shim does not take this for a sandbox");
    Run { failure: Some(failure), verdicts, ..Run::default() }
}

/// The configuration file that the pod asks for.
fn asked_for<'a>(sandbox: &Sandbox<'a>) -> Option<&'a str> {
    sandbox.annotations.get(CONFIG_PATH).map(Text::as_str).filter(|path| !path.is_empty())
}

fn load_elsewhere(host: &Host, path: &str, wanted: Option<&str>) -> Result<Loaded, LoadError> {
    load(&Layers::read(host, path), host, &LoadOptions { hypervisor: wanted })
}

/// A relative path in the configuration is looked up in the folder of the sandbox, which only now has a name.
fn load_failure(error: &LoadError, sandbox: &Sandbox<'_>) -> Failure {
    let message = error.message.replace("{sandbox-id}", sandbox.id);
    let failure = Failure::new(FailureStage::Load, message);
    if error.panic { failure.crash() } else { failure }
}

/// What becomes of a sandbox where the host's own configuration does not load: a pod may bring another.
pub fn without_configuration(error: &LoadError, host: &Host, sandbox: &Sandbox<'_>, depth: Depth) -> Run {
    if let Err(failure) = container_type(sandbox) {
        return wrong_type(sandbox, failure);
    }
    match asked_for(sandbox) {
        Some(path) => {
            let path = paths::absolute(path, sandbox.id);
            redirected(&load_elsewhere(host, &path, None), &path, host, sandbox, depth)
        }
        None => Run { failure: Some(load_failure(error, sandbox)), ..Run::default() },
    }
}

/// The rest of the way under the configuration that the pod picked.
fn redirected(
    loaded: &Result<Loaded, LoadError>,
    path: &str,
    host: &Host,
    sandbox: &Sandbox<'_>,
    depth: Depth,
) -> Run {
    let mut verdict = Verdict {
        key: CONFIG_PATH.into(),
        value: Text::copy(asked_for(sandbox).unwrap_or_default()),
        status: Status::Applied,
        field: None,
        before: None,
        after: None,
        stage: Stage::Effective,
        reason: format!("the whole configuration, its policy included, is read from {path}").into(),
        fix: None,
        trace: vec![
            Step {
                stage: Stage::Known,
                passed: true,
                note: "read before any configuration".into(),
                place: None,
            },
            Step { stage: Stage::Name, passed: true, note: "not gated".into(), place: None },
        ]
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
            Run {
                failure: Some(load_failure(error, sandbox).by(CONFIG_PATH)),
                verdicts: annotations::unreached(sandbox, "the file that the pod picked does not load"),
                ..Run::default()
            }
        }
    };
    let (passed, note) = (loaded.is_ok(), verdict.reason().into_owned().into());
    verdict.trace.push(Step { stage: verdict.stage, passed, note, place: None });
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

impl Loaded {
    /// The active hypervisor's table name.
    pub fn hypervisor(&self) -> &str {
        self.config.hypervisor_type.as_str()
    }

    /// What `enable_annotations` lets through.
    pub fn name_gate(&self) -> &NameGate {
        &self.name_gate
    }

    /// Where the value of a key came from, no annotation told apart.
    fn origin(&self, key: &str, name: &str, of_hypervisor: bool) -> Origin {
        if of_hypervisor && let Some((_, rule)) = self.derived.iter().rev().find(|(k, _)| *k == key) {
            return Origin::Derived((*rule).into());
        }
        match self.places.get(name) {
            Some(place) => Origin::File(place.clone()),
            None => Origin::Default,
        }
    }

    /// What an annotation passes first, by its rule.
    fn stations(&self, host: &Host, rule: usize, name: &str) -> Option<&Stations> {
        let (rule, stations) = (RULES.get(rule)?, self.stations.get(rule)?);
        Some(stations.get_or_init(|| Stations::of(self, host, rule, name)))
    }

    /// What holds for a sandbox that no annotation touches.
    fn unannotated(&self) -> &Effective {
        self.unannotated.get_or_init(|| {
            let config = SandboxConfig::new(&self.config, "", "");
            effective::key_by_key(self, &config, &[]).shared()
        })
    }

    /// Where a list of the active hypervisor's table stands.
    fn list_place(&self, list: &str) -> Option<Place> {
        self.places.get(&format!("hypervisor.{}.{list}", self.hypervisor())).cloned()
    }

    /// What becomes of one sandbox.
    pub fn run(&self, host: &Host, sandbox: &Sandbox<'_>, depth: Depth) -> Run {
        if let Err(failure) = container_type(sandbox) {
            return wrong_type(sandbox, failure);
        }
        let Some(path) = asked_for(sandbox) else { return self.run_here(host, sandbox, depth) };
        let path = paths::absolute(path, sandbox.id);
        let mut known = self.elsewhere.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let loaded = match known.get(&path) {
            Some(loaded) => Arc::clone(loaded),
            None => {
                let loaded = Arc::new(load_elsewhere(host, &path, self.wanted.as_deref()));
                known.insert(path.clone(), Arc::clone(&loaded));
                loaded
            }
        };
        drop(known);
        redirected(&loaded, &path, host, sandbox, depth)
    }

    /// What becomes of one sandbox under this configuration.
    fn run_here(&self, host: &Host, sandbox: &Sandbox<'_>, depth: Depth) -> Run {
        let mut config = SandboxConfig::new(&self.config, sandbox.id, sandbox.hostname);
        let walked = annotations::apply(self, host, sandbox, &mut config);
        let mut run = Run {
            verdicts: walked.verdicts,
            failure: walked.failure,
            findings: self.findings.clone(),
            ..Run::default()
        };
        if let Some(value) = sandbox.annotations.get(CONFIG_PATH).filter(|value| value.is_empty()) {
            let at = run.verdicts.partition_point(|v| v.key.as_str() < CONFIG_PATH);
            run.verdicts.insert(at, empty_config_path(value));
        }
        if run.failure.is_some() {
            return run;
        }
        let effective =
            (depth == Depth::Full).then(|| effective::effective(self, &config, &walked.annotated));
        if self.fips {
            config.hypervisor_config.kernel_params.push(Param::new("fips", "1"));
        }
        let started = assets::check(host, &config).and_then(|()| {
            let config = convert::convert(&config);
            if depth < Depth::Full {
                return Ok((crate::launch::go::check(host, &config, sandbox)?, None));
            }
            let (launch, agent, findings) = crate::launch::go::launch(host, &config, sandbox)?;
            Ok((findings, Some((launch, agent))))
        });
        let (findings, launched) = match started {
            Ok(started) => started,
            Err(failure) => {
                blame(&mut run.verdicts, &failure);
                run.failure = Some(failure);
                return run;
            }
        };
        self.point_out(&walked.unused, &mut run.findings);
        run.findings.extend(findings);
        if let Some((launch, agent)) = launched {
            run.effective = effective;
            run.launch = Some(launch);
            run.agent = Some(agent);
        }
        run
    }

    /// Annotations that take effect in the configuration, and nowhere else.
    fn point_out(&self, unused: &[&str], findings: &mut Vec<Finding>) {
        let hypervisor = self.config.hypervisor_type.as_str();
        findings.extend(unused.iter().map(|key| Finding {
            code: Code::NoEffect,
            severity: Severity::Warning,
            subject: Some((*key).to_owned()),
            place: None,
            message: format!("accepted, but nothing uses it with {hypervisor} in this release"),
            fix: None,
            who: Who::PodAuthor,
        }));
    }
}

fn empty_config_path(value: &str) -> Verdict {
    let reason = Text::from("an empty path counts as none");
    Verdict {
        key: CONFIG_PATH.into(),
        value: Text::copy(value),
        status: Status::Ignored,
        field: None,
        before: None,
        after: None,
        stage: Stage::Parse,
        trace: vec![Step { stage: Stage::Parse, passed: false, note: reason.clone().into(), place: None }]
            .into(),
        reason: reason.into(),
        fix: None,
    }
}

/// The verdict of the annotation that a later step fails by.
fn blame(verdicts: &mut [Verdict], failure: &Failure) {
    let Some(verdict) = verdicts.iter_mut().find(|v| failure.annotation.as_deref() == Some(v.key.as_str()))
    else {
        return;
    };
    let short = verdict.key.strip_prefix(HYPERVISOR_PREFIX).unwrap_or(&verdict.key).to_owned();
    verdict.status = Status::Refused;
    verdict.stage = Stage::Effective;
    verdict.reason =
        format!("{short} was accepted, but the VM cannot be started with it: {}", failure.message).into();
    verdict.fix = Some(Fix::Advice(format!("give {short} another value, or leave it out").into()).into());
    verdict.trace.push(Step {
        stage: Stage::Effective,
        passed: false,
        note: failure.message.clone().into(),
        place: None,
    });
}
