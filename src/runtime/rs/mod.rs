//! runtime-rs 4.1.0, in its own order: load, annotations, checks, sizing, launch.
//!
//! Decides what becomes of a configuration and of each sandbox; each step has its own file. Facts:
//! src/libs/kata-types/src/{config,annotations} and src/runtime-rs/crates/runtimes/src/manager.rs at 4.1.0.

mod adjust;
mod annotations;
pub(crate) mod boot;
pub mod config;
mod config_path;
mod effective;
mod error;
mod initdata;
mod load;
mod plugin;
mod remarks;
pub(crate) mod sizing;
mod spelling;
mod template;
mod tree;
mod validate;
mod verdicts;

pub use config_path::without_configuration;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use super::config_path::Known;
use super::{Asked, Depth, LoadError, LoadOptions, Run, RuntimeMessage, Sandbox, placeholder};
use crate::answer::effective::Effective;
use crate::answer::finding::Finding;
use crate::answer::verdict::{Failure, FailureStage};
use crate::catalog::Id;
use crate::input::config::Layers;
use crate::input::{Annotations, Host, Text};
use crate::policy::names::NameGate;
use crate::release::Release;
use crate::release::rs::Change;
use annotations::{Attempt, Gates, View};
use config::{Config, Hypervisor, RootlessUser};
use error::ConfigError;
use plugin::Plugin;
use sizing::Workload;
use template::Template;
use verdicts::{Prepared, VerdictContext};

/// A configuration as the runtime holds it after loading.
#[derive(Clone)]
pub struct Loaded {
    read: Arc<load::Read>,
    /// What the factory makes of the default file, where any table wants templates.
    template: Option<Arc<Result<Template, RuntimeMessage>>>,
    /// By the hypervisor's name.
    tables: Arc<BTreeMap<Text, Table>>,
    /// What pods brought with them, loaded once.
    by_config_path: Known<Self>,
}

/// What is the same for every pod that uses the same hypervisor's table.
struct Table {
    /// Its policy.
    gates: Gates,
    /// What is pointed out about that.
    finding: Option<Finding>,
    /// By the agent's name.
    pairs: BTreeMap<Text, Pair>,
}

/// What is the same for every pod that uses the same two tables.
struct Pair {
    /// The loaded values with their origins.
    loaded: Effective,
    /// The configured kernel parameters behind those of the agent.
    kernel_params: Text,
    /// By rule: what every verdict tells, once some pod has the annotation.
    prepared: Vec<OnceLock<Prepared>>,
}

impl Pair {
    fn new(read: &load::Read, hv: &str, ag: &str) -> Self {
        let (table, agent) = (read.adjusted.hypervisor.get(hv), read.adjusted.agent.get(ag));
        let mut boot = table.map(|table| table.boot_info.clone()).unwrap_or_default();
        if let Some(agent) = agent.filter(|_| read.release.has(Change::Checks)) {
            boot::put_agent_params(&mut boot, agent);
        }
        let prepared = Id::ALL.iter().map(|_| OnceLock::new()).collect();
        Self { loaded: effective::loaded(read, hv, ag), kernel_params: boot.kernel_params, prepared }
    }
}

impl fmt::Debug for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loaded").field("config", &self.read.adjusted).finish_non_exhaustive()
    }
}

/// Loads the configuration as the runtime does. Its table is never picked at random, so `options`
/// have no say.
pub fn load(
    release: Release,
    layers: &Layers,
    host: &Host,
    options: &LoadOptions<'_>,
) -> Result<Loaded, LoadError> {
    let _ = options;
    let read = load::load(release, layers, host)?;
    let config = &read.adjusted;
    let table = |(name, hv): (&Text, &Hypervisor)| {
        let place = read.places.get(&format!("hypervisor.{name}.enable_annotations")).cloned();
        let gates = Gates::new(release, hv, place);
        let finding = remarks::of_table(hv, name, &gates);
        let pairs = config.agent.keys().map(|agent| (agent.clone(), Pair::new(&read, name, agent)));
        (name.clone(), Table { gates, finding, pairs: pairs.collect() })
    };
    let tables = config.hypervisor.iter().map(table).collect();
    let templated = config.hypervisor.iter().any(|(_, hv)| hv.factory.enable_template);
    let template = templated.then(|| Arc::new(template::prepare(release, layers, host)));
    Ok(Loaded { tables: Arc::new(tables), template, by_config_path: Known::default(), read: Arc::new(read) })
}

fn failure(stage: FailureStage, error: &ConfigError) -> Failure {
    let failure = Failure::new(stage, error.message.clone());
    if error.panic { failure.crash() } else { failure }
}

/// A sandbox on its way: what is known so far.
struct Progress<'a> {
    attempts: Vec<Attempt<'a>>,
    config: Config,
    /// What is prepared for the tables that it uses.
    pair: Option<&'a Pair>,
    /// The policy of its hypervisor's table.
    gates: Option<&'a Gates>,
    workload: Workload,
    ended: Option<(FailureStage, ConfigError)>,
}

impl<'a> Progress<'a> {
    /// The annotation that set a field.
    fn setter(&self, field: &str) -> Option<&'a str> {
        let one = |attempt: &&Attempt<'a>| {
            attempt.decision == annotations::Decision::Taken
                && attempt.known.is_some_and(|known| known.rule.field == field)
        };
        self.attempts.iter().find(one).map(|attempt| attempt.key.as_str())
    }

    /// Whether an annotation went into the configuration.
    fn took(&self, key: &str) -> bool {
        self.attempts
            .iter()
            .any(|attempt| *attempt.key == key && attempt.decision == annotations::Decision::Taken)
    }
}

/// The crash of a pod without a network namespace of its own: the path of that is wanted before anything is read.
fn without_namespace(release: Release, sandbox: &Sandbox<'_>) -> Option<Failure> {
    (sandbox.host_network && release.has(Change::NamespaceNeeded)).then(|| {
        let message = "called `Option::unwrap()` on a `None` value";
        Failure::new(FailureStage::Launch, message).crash()
    })
}

impl Loaded {
    /// The release whose rules hold.
    pub fn release(&self) -> Release {
        self.read.release
    }

    /// The active hypervisor's table name.
    pub fn hypervisor(&self) -> &str {
        &self.read.adjusted.runtime.hypervisor_name
    }

    /// What is known of the hypervisor's table that a configuration picks.
    fn table(&self, config: &Config) -> Option<&Table> {
        self.tables.get(config.runtime.hypervisor_name.as_str())
    }

    /// What `enable_annotations` of the active hypervisor's table lets through.
    pub fn name_gate(&self) -> Option<&NameGate> {
        self.tables.get(self.hypervisor()).map(|table| &table.gates.names)
    }

    /// The lists of its table, `enable_annotations` first.
    pub fn policy_lists(&self) -> Vec<(&'static str, &[String])> {
        let table = self.read.adjusted.hypervisor.get(self.hypervisor());
        table.map(|table| table.lists().collect()).unwrap_or_default()
    }

    fn gates(&self, config: &Config) -> Option<&Gates> {
        self.table(config).map(|table| &table.gates)
    }

    /// What becomes of one sandbox.
    pub fn run(&self, asked: Asked<'_>) -> Run {
        let elsewhere = self.by_config_path.run(self.release(), &LoadOptions::default(), asked);
        elsewhere.unwrap_or_else(|| self.run_configured(asked))
    }

    /// What becomes of one sandbox under this configuration.
    fn run_configured(&self, asked: Asked<'_>) -> Run {
        let progress = self.walk(asked.host, asked.sandbox.annotations);
        let mut run = Run::default();
        run.findings.extend(self.table(&progress.config).and_then(|table| table.finding.clone()));
        if let Some(crash) = without_namespace(self.release(), asked.sandbox) {
            run.failure = Some(crash);
        } else if let Some((attempt, refusal)) = annotations::worst(&progress.attempts) {
            let mut failure =
                Failure::new(FailureStage::Annotations, refusal.message.clone()).by(attempt.key.as_str());
            failure.panic = refusal.panic;
            run.failure = Some(failure);
        } else if let Some((stage, error)) = &progress.ended {
            let mut failure = failure(*stage, error);
            failure.annotation = annotation_of(error, &progress, self.hypervisor()).map(str::to_owned);
            run.failure = Some(failure);
        } else {
            self.start(asked, &progress, &mut run);
            // The launch sees the pod's annotations, not which of them were let through.
            if let Some(failure) = &mut run.failure
                && failure.annotation.as_deref().is_some_and(|key| !progress.took(key))
            {
                failure.annotation = None;
            }
        }
        let sized = sizing::writes_over(&progress.config, progress.workload);
        let context = VerdictContext {
            loaded: self,
            pair: progress.pair,
            last: &progress.config,
            view: View::new(&progress.config, &progress.config.runtime),
            failure: run.failure.as_ref(),
            sized,
        };
        run.verdicts = progress.attempts.iter().map(|attempt| context.verdict(attempt)).collect();
        run
    }

    /// From the loaded configuration to the sized one, in the runtime's order.
    fn walk<'a>(&'a self, host: &Host, annotations: &'a Annotations) -> Progress<'a> {
        let adjusted = &self.read.adjusted;
        let mut config = adjusted.clone();
        let workload = Workload::of(annotations, self.release());
        let picked = annotations::pick_tables(&mut config, annotations);
        let plugin = Plugin::named(&config.runtime.hypervisor_name, host.facts.arch, self.release());
        let table = self.table(&config);
        let pair = table.and_then(|table| table.pairs.get(config.runtime.agent_name.as_str()));
        let gates = table.map(|table| &table.gates);
        let attempts = match (&picked, plugin, gates) {
            (Ok(()), Some(plugin), Some(gates)) => {
                annotations::apply(&mut config, gates, plugin, annotations, host)
            }
            _ => annotations::unread(self.release(), annotations),
        };
        let mut ended = None;
        if annotations::worst(&attempts).is_none() {
            let outcome = picked.map_err(|c| (FailureStage::Annotations, c));
            ended = outcome.and_then(|()| prepare(&mut config, host, workload)).err();
        }
        Progress { attempts, config, pair, gates, workload, ended }
    }

    /// What follows the sizing: the handler of the sandbox, and the VM.
    fn start(&self, asked: Asked<'_>, progress: &Progress<'_>, run: &mut Run) {
        let Asked { host, sandbox, depth, start } = asked;
        let config = &progress.config;
        if let Some(gates) = progress.gates {
            let unused = |attempt: &Attempt<'_>| {
                self.prepared(progress.pair, &config.runtime, attempt)?.unused.as_ref()
            };
            run.findings.extend(remarks::of_pod(
                &progress.attempts,
                unused,
                gates,
                config,
                progress.workload,
            ));
        }
        let config = match self.instance(config) {
            Ok(Some(template)) => &template.over(config),
            Ok(None) => config,
            Err(why) => {
                let message = format!("init runtime handler: {why}");
                let mut failure = Failure::new(FailureStage::Launch, message);
                let field = if why.starts_with("Unsupported runtime") { "name" } else { "agent_name" };
                failure.annotation = progress.setter(field).map(str::to_owned);
                run.failure = Some(failure);
                return;
            }
        };
        run.conclude(start.rs(host, config, sandbox, depth));
        if depth == Depth::Full && run.failure.is_none() {
            run.effective = self.effective(progress);
        }
    }

    /// The template that the VM comes from, none, or why there is no instance.
    fn instance(&self, config: &Config) -> Result<Option<&Template>, RuntimeMessage> {
        let runtime = &config.runtime;
        if runtime.name != "virt_container" {
            return Err(format!("Unsupported runtime: {}", runtime.name).into());
        }
        let templated = config.active_hypervisor().is_some_and(|hv| hv.factory.enable_template);
        match self.template.as_deref().filter(|_| templated) {
            Some(Ok(template)) => Ok(Some(template)),
            Some(Err(why)) => Err(format!("new runtime instance: build vm from template: {why}").into()),
            None if runtime.agent_name != "kata" => {
                Err(format!("new runtime instance: new agent: Unsupported agent {}", runtime.agent_name)
                    .into())
            }
            None => Ok(None),
        }
    }

    fn effective(&self, progress: &Progress<'_>) -> Option<Effective> {
        let loaded = &progress.pair?.loaded;
        let sized = sizing::writes_over(&progress.config, progress.workload);
        Some(effective::effective(loaded, &progress.config, &progress.attempts, &sized))
    }
}

/// The steps between the annotations and the sandbox.
fn prepare(config: &mut Config, host: &Host, workload: Workload) -> Result<(), (FailureStage, ConfigError)> {
    let at = |stage| move |error| (stage, error);
    annotations::cross_check(config).map_err(at(FailureStage::Annotations))?;
    let release = config.release;
    if release.has(Change::AdjustedAfterAnnotations) {
        adjust::adjust(config, host).map_err(at(FailureStage::Annotations))?;
    }
    if release.has(Change::Checks) {
        tell_agent(config);
        validate::validate(config, host).map_err(at(FailureStage::Validate))?;
    }
    if release.has(Change::Rootless) {
        go_rootless(config);
    }
    sizing::size(config, workload).map_err(at(FailureStage::Sizing))
}

/// Puts the agent's parameters before the configured ones.
fn tell_agent(config: &mut Config) {
    let Some(agent) = config.agent.get(&config.runtime.agent_name) else { return };
    let Some(hv) = config.hypervisor.get_mut(&config.runtime.hypervisor_name) else { return };
    boot::put_agent_params(&mut hv.boot_info, agent);
}

/// Gives a rootless VM its user, made anew for each.
fn go_rootless(config: &mut Config) {
    if let Some(hv) = config.active_hypervisor_mut().filter(|hv| hv.security_info.rootless) {
        hv.memory_info.guest_swap_path =
            format!("{}/run/kata-containers/swap", placeholder::ROOTLESS_FOLDER).into();
        hv.security_info.rootless_user = Some(RootlessUser {
            uid: placeholder::ROOTLESS_USER,
            gid: placeholder::ROOTLESS_USER,
            groups: vec![placeholder::KVM_GROUP],
            user_name: format!("kata-{}", placeholder::ROOTLESS_USER).into(),
        });
    }
}

/// The annotation that an error is about: one that set the key, or else one that the key hangs on.
fn annotation_of<'a>(error: &ConfigError, progress: &Progress<'a>, configured: &str) -> Option<&'a str> {
    let key = error.key?;
    let related: &[&str] = match key {
        "initrd" => &["initrd", "image"],
        "image" => &["image", "initrd"],
        "pcie_switch_port" => &["pcie_switch_port", "pcie_root_port"],
        "default_maxvcpus" => &["default_maxvcpus", "default_vcpus"],
        "default_vcpus" => &["default_vcpus", "default_maxvcpus"],
        "vhost_user_store_path" => &["vhost_user_store_path", "enable_vhost_user_store"],
        "virtio_fs_daemon" => &["virtio_fs_daemon", "shared_fs"],
        "virtio_fs_cache" => &["virtio_fs_cache", "shared_fs"],
        "virtio_fs_cache_size" => &["virtio_fs_cache_size", "shared_fs"],
        "block_device_driver" => &["block_device_driver", "disable_block_device_use"],
        "block_device_logical_sector_size" => {
            &["block_device_logical_sector_size", "block_device_physical_sector_size"]
        }
        "agent_name" => &[],
        own => &[own],
    };
    let name = progress.config.runtime.hypervisor_name.as_str();
    if error.table.strip_prefix("hypervisor.").is_some_and(|table| table != name) {
        return None;
    }
    let elsewhere = || progress.setter("hypervisor_name").filter(|_| name != configured);
    related.iter().find_map(|field| progress.setter(field)).or_else(elsewhere)
}
