//! The Go runtime 4.1.0, in its own order: load, annotations, sizing, assets, checks, launch.
//!
//! Decides what becomes of a configuration and of each sandbox; each step has its own file. Facts:
//! src/runtime/pkg/{oci,katautils} and src/runtime/virtcontainers at 4.1.0.

mod annotations;
pub(crate) mod cdi;
pub mod config;
mod config_path;
mod effective;
mod initdata;
mod kernel_params;
mod keys;
mod load;
mod numa;
mod paths;
mod prepared;
mod record;
pub(crate) mod sizing;
mod validate;
mod verdicts;

pub use config_path::without_configuration;
use std::fmt::Display;
use std::sync::{Arc, OnceLock};

use self::config::{HypervisorType, Param, ParamFrom, RuntimeConfig, SandboxConfig};
use self::effective::Base;
use self::prepared::{ListedPaths, Prepared};
use super::config_path::Known;
use super::{Asked, Depth, LoadError, LoadOptions, Run, RuntimeMessage, Sandbox};
use crate::answer::finding::{Code, Finding, Who};
use crate::answer::verdict::{Failure, FailureStage};
use crate::catalog::{Id, Level};
use crate::input::config::Layers;
use crate::input::{Host, Place};
use crate::policy::names::NameGate;
use crate::release::Release;
use crate::release::go::Change;
use annotations::walk::Walk;
use load::Configuration;

/// Whether the host's kernel is in FIPS mode.
const FIPS: &str = "/proc/sys/crypto/fips_enabled";

/// A configuration as the runtime holds it after loading.
#[derive(Debug, Clone)]
pub struct Loaded {
    configuration: Arc<Configuration>,
    names: NameGate,
    /// The `valid_*` lists.
    gates: Vec<ListedPaths>,
    /// `hypervisor.qemu`
    table: &'static str,
    /// Which annotations the release knows, by their ids.
    read: Box<[bool]>,
    /// What each annotation passes first, once somebody wants it.
    prepared: Box<[OnceLock<Prepared>]>,
    /// What holds for a sandbox that no annotation touches, once somebody wants it.
    base: OnceLock<Base>,
    /// The configurations that pods asked for instead.
    by_config_path: Known<Loaded>,
    /// The hypervisor that was asked for.
    wanted: Option<String>,
    /// Whether the host's kernel runs in FIPS mode.
    fips: bool,
    findings: Vec<Finding>,
}

/// Loads the configuration as the runtime does.
pub fn load(
    release: Release,
    layers: &Layers,
    host: &Host,
    options: &LoadOptions<'_>,
) -> Result<Loaded, LoadError> {
    let configuration = load::load(release, layers, host, options)?;
    let runtime = &configuration.runtime;
    let hypervisor = &runtime.hypervisor_config;
    let table = runtime.hypervisor_type.table();
    let gate = |(key, list): (&'static str, &[String])| {
        ListedPaths::new(release, key, list, configuration.places.get(&format!("{table}.{key}")))
    };
    Ok(Loaded {
        names: NameGate::new(release, &hypervisor.enable_annotations),
        gates: hypervisor.lists().into_iter().skip(1).map(gate).collect(),
        fips: host.finds(FIPS) && host.read(FIPS).is_ok_and(|text| text.trim_ascii() == b"1"),
        findings: remarks(&configuration, table),
        table,
        read: Id::ALL.iter().map(|id| is_known(*id, release)).collect(),
        prepared: Box::new([const { OnceLock::new() }; Id::COUNT]),
        base: OnceLock::new(),
        by_config_path: Known::default(),
        wanted: options.hypervisor.map(str::to_owned),
        configuration: Arc::new(configuration),
    })
}

/// Whether a release reads an annotation, or writes over it.
fn is_known(id: Id, release: Release) -> bool {
    let reader = id.annotation().reader(release);
    id.annotation().level != Level::MountOption && (reader.read || reader.overwritten)
}

/// What is said of a number that was asked for and is not the one that holds.
fn replaced<T: Display + Default + PartialEq>(asked: T, held: T, too: &str) -> Option<String> {
    (asked != T::default() && asked != held).then(|| format!("{asked} {too}: {held} are used"))
}

/// What loading did without a word.
fn remarks(configuration: &Configuration, table: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut remark = |code, key: String, message: String| {
        let place = configuration.places.get(&key).cloned();
        let who = Who::ClusterAdministrator;
        findings.push(Finding::note(code, who, message).about(key).at(place));
    };
    let asked = &configuration.asked;
    let held = &configuration.runtime.hypervisor_config;
    if configuration.runtime.hypervisor_type != HypervisorType::Remote {
        let values = [
            ("default_memory", replaced(asked.default_memory, held.default_memory, "MiB are too little")),
            (
                "default_maxvcpus",
                replaced(asked.default_maxvcpus, held.default_maxvcpus, "vCPUs are too many"),
            ),
            ("default_vcpus", replaced(asked.default_vcpus, held.default_vcpus, "vCPUs are not to be had")),
        ];
        for (key, message) in values {
            message.into_iter().for_each(|said| remark(Code::ValueReplaced, format!("{table}.{key}"), said));
        }
    }
    let several = [("hypervisor", &configuration.hypervisor_tables), ("agent", &configuration.agent_tables)];
    for (what, tables) in several {
        if let [_, .., last] = tables.as_slice() {
            let names = tables.join(", ");
            let message = format!("several {what} tables ({names}): the runtime takes one of them at random");
            remark(Code::SeveralTables, format!("{what}.{last}"), message);
        }
    }
    findings
}

impl Loaded {
    /// The active hypervisor's table name.
    pub fn hypervisor(&self) -> &str {
        self.configuration.runtime.hypervisor_type.as_str()
    }

    /// The release whose rules hold.
    pub fn release(&self) -> Release {
        self.configuration.runtime.release
    }

    /// The lists of its table, `enable_annotations` first.
    pub fn policy_lists(&self) -> Vec<(&'static str, &[String])> {
        self.runtime().hypervisor_config.lists()
    }

    fn runtime(&self) -> &RuntimeConfig {
        &self.configuration.runtime
    }

    /// What an annotation passes first.
    fn prepared(&self, id: Id) -> Option<&Prepared> {
        Some(self.prepared.get(id as usize)?.get_or_init(|| Prepared::of(self, id)))
    }

    /// Whether the release reads an annotation, or writes over it.
    fn reads(&self, id: Id) -> bool {
        self.read.get(id as usize).copied().unwrap_or_default()
    }

    /// What holds for a sandbox that no annotation touches.
    fn base(&self) -> &Base {
        self.base.get_or_init(|| Base::of(self))
    }

    /// Where a key of the active hypervisor's table stands.
    fn hypervisor_place(&self, key: &str) -> Option<Place> {
        self.configuration.places.get(&format!("{}.{key}", self.table)).cloned()
    }

    /// What `enable_annotations` lets through.
    pub fn name_gate(&self) -> &NameGate {
        &self.names
    }

    /// The pattern of `enable_annotations` that lets a name through.
    fn pattern(&self, short: &str) -> Option<&str> {
        let patterns = &self.runtime().hypervisor_config.enable_annotations;
        patterns.get(self.names.allows(short)?).map(String::as_str)
    }

    /// Whether this hypervisor's loader takes `enable_annotations` over at all.
    fn has_gates(&self) -> bool {
        self.runtime().hypervisor_type != HypervisorType::Dragonball
    }

    /// What becomes of one sandbox.
    pub fn run(&self, asked: Asked<'_>) -> Run {
        let kind = match container_type(self.release(), asked.sandbox) {
            Ok(kind) => kind,
            Err(message) => return unfit(message),
        };
        let options = LoadOptions { hypervisor: self.wanted.as_deref() };
        self.by_config_path.run(self.release(), &options, asked).unwrap_or_else(|| self.run_as(kind, asked))
    }

    fn run_as(&self, kind: ContainerType, asked: Asked<'_>) -> Run {
        let Asked { host, sandbox, depth, .. } = asked;
        let held = self.runtime();
        let ports =
            (held.hypervisor_config.cold_plug_vfio.as_ref(), held.runtime.pod_resource_api_sock.as_ref());
        if let Some(failure) = cdi::check(self.release(), kind, ports, host, sandbox.annotations) {
            return Run { failure: Some(failure), findings: self.findings.clone(), ..Run::default() };
        }
        let mut walk = Walk::new(host, self, sandbox);
        let config = &mut walk.config;
        // A standalone container is sized by its own resources, which are not at hand here.
        if kind == ContainerType::Sandbox {
            config.sandbox_resources = sizing::workload(sandbox.annotations, self.release());
        }
        config.network_config.host_network = sandbox.host_network;
        config.hypervisor_config.arch = host.facts.arch;
        let dan = &self.runtime().runtime.dan_conf;
        if !dan.is_empty() {
            let dan = crate::golang::filepath::clean(&format!("{dan}/{}.json", sandbox.id));
            if host.facts.network.dan.is_some() || host.finds(&dan) {
                config.network_config.dan_config_path = dan;
            }
        }
        annotations::apply(&mut walk, sandbox.annotations);
        let hypervisor = &mut walk.config.hypervisor_config;
        if hypervisor.cold_plug_vfio != "no-port" || hypervisor.hot_plug_vfio != "no-port" {
            let found = cdi::devices(self.release(), kind, ports, host, sandbox);
            hypervisor.vfio_devices = found.names;
            hypervisor.vfio_groups = found.by_group;
        }
        self.fill_in(&mut walk.config);
        let mut run = Run { failure: walk.failure.take(), findings: self.findings.clone(), ..Run::default() };
        if depth == Depth::Full && run.failure.is_none() {
            run.effective = Some(effective::effective(self, &walk));
        }
        run.verdicts = verdicts::verdicts(self, &mut walk, &mut run.findings);
        if run.failure.is_none() {
            self.start(asked, &mut walk.config, &mut run);
            verdicts::refuse_cause(&mut run);
        }
        run
    }

    /// What is added to a configuration that has been through its annotations.
    fn fill_in(&self, config: &mut SandboxConfig) {
        sizing::apply_static(config);
        if self.fips {
            config.hypervisor_config.kernel_params.list.push(Param::new("fips", "1", ParamFrom::Fips));
        }
    }

    /// From the sandbox's configuration to the VM.
    fn start(&self, asked: Asked<'_>, config: &mut SandboxConfig, run: &mut Run) {
        let Asked { host, sandbox, depth, start } = asked;
        if let Err(message) = validate::validate(config, host.facts.arch) {
            run.failure = Some(Failure::new(FailureStage::Launch, message));
            return;
        }
        // Where both speak, CRI-O's word counts.
        let said = |keys: [&str; 2]| {
            let value = keys.into_iter().find_map(|key| sandbox.annotations.get(key));
            value.map_or_else(String::new, |value| value.as_str().to_owned())
        };
        let hypervisor = &mut config.hypervisor_config;
        hypervisor.sandbox_name = said(["io.kubernetes.cri-o.SandboxName", "io.kubernetes.cri.sandbox-name"]);
        hypervisor.sandbox_namespace =
            said(["io.kubernetes.cri-o.Namespace", "io.kubernetes.cri.sandbox-namespace"]);
        run.conclude(start.go(host, config, sandbox, depth));
    }
}

/// A container that the runtime takes for no sandbox.
fn unfit(message: RuntimeMessage) -> Run {
    Run { failure: Some(Failure::new(FailureStage::Annotations, message)), ..Run::default() }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ContainerType {
    Sandbox,
    /// Started without a CRI: no annotation says what it is.
    Single,
}

/// What the CRI says this container is.
fn container_type(release: Release, sandbox: &Sandbox<'_>) -> Result<ContainerType, RuntimeMessage> {
    let keys = [
        "io.kubernetes.cri.container-type",
        "io.kubernetes.cri-o.ContainerType",
        "io.kubernetes.docker.type",
    ];
    let Some(kind) = keys.iter().find_map(|key| sandbox.annotations.get(key)) else {
        return Ok(ContainerType::Single);
    };
    match kind.as_str() {
        "sandbox" | "podsandbox" => Ok(ContainerType::Sandbox),
        "container" if release.has(Change::LoneContainerRefused) => {
            Err("BUG: Cannot start the container, since the sandbox hasn't been created".into())
        }
        // What is asked is what its sandbox would be.
        "container" => Ok(ContainerType::Single),
        _ => Err(format!("Unknown container type {kind}").into()),
    }
}
