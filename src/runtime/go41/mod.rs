//! The Go runtime 4.1.0, in its own order: load, annotations, sizing, assets, checks, launch.
//!
//! Decides what becomes of a configuration and of each sandbox; each step has its own file. Facts:
//! src/runtime/pkg/{oci,katautils} and src/runtime/virtcontainers at 4.1.0.

mod annotations;
pub mod config;
mod effective;
mod initdata;
pub mod kernel_params;
mod load;
mod numa;
mod sizing;
pub mod toml;
mod use_of;
mod validate;
mod verdicts;

use std::borrow::Cow;
use std::sync::Arc;

use self::config::{HypervisorType, NetworkConfig, Param, RuntimeConfig, SandboxConfig};
use super::verdict::{Failure, FailureStage};
use super::{Depth, LoadError, LoadOptions, Run, Sandbox};
use crate::catalog::Generation;
use crate::finding::{Code, Finding, Severity, Who};
use crate::input::config::Layers;
use crate::input::{Host, Place};
use crate::policy::names::NameGate;
use crate::policy::values::ValueGate;
use annotations::known::{Id, KNOWN, Section};
use load::Configuration;

/// The compiled value gates, each with the list it was made of.
#[derive(Debug, Clone)]
struct ValueGates {
    hypervisor: (ValueGate, &'static str),
    jailer: (ValueGate, &'static str),
    virtio_fs_daemon: (ValueGate, &'static str),
    vhost_user_store: (ValueGate, &'static str),
    entropy_source: (ValueGate, &'static str),
}

/// A configuration as the runtime holds it after loading.
#[derive(Debug, Clone)]
pub struct Loaded {
    configuration: Arc<Configuration>,
    /// A sandbox without annotations or size.
    template: Box<SandboxConfig>,
    names: NameGate,
    gates: Box<ValueGates>,
    /// `hypervisor.qemu`
    table: String,
    /// The configuration key of each annotation.
    fields: Vec<Option<Cow<'static, str>>>,
    /// Whether the host's kernel runs in FIPS mode.
    fips: bool,
    findings: Vec<Finding>,
}

/// The agent's table in reports: there is one agent, whatever a file calls its table.
const AGENT_TABLE: &str = "agent.kata";

/// Loads the configuration as the runtime does.
pub fn load(layers: &Layers, host: &Host, options: &LoadOptions<'_>) -> Result<Loaded, LoadError> {
    let configuration = load::load(layers, host, options)?;
    let runtime = &configuration.runtime;
    let hypervisor = &runtime.hypervisor_config;
    let gate = |list: &Arc<[String]>, key: &'static str| (ValueGate::new(Generation::Go41, list), key);
    let gates = Box::new(ValueGates {
        hypervisor: gate(&hypervisor.hypervisor_path_list, "valid_hypervisor_paths"),
        jailer: gate(&hypervisor.jailer_path_list, "valid_jailer_paths"),
        virtio_fs_daemon: gate(&hypervisor.virtio_fs_daemon_list, "valid_virtio_fs_daemon_paths"),
        vhost_user_store: gate(&hypervisor.vhost_user_store_path_list, "valid_vhost_user_store_paths"),
        entropy_source: gate(&hypervisor.entropy_source_list, "valid_entropy_sources"),
    });
    let table = format!("hypervisor.{}", runtime.hypervisor_type.as_str());
    let fields = KNOWN
        .iter()
        .map(|known| match known.section {
            Section::Hypervisor => Some(Cow::Owned(format!("{table}.{}", known.field))),
            Section::Agent => Some(Cow::Owned(format!("{AGENT_TABLE}.{}", known.field))),
            Section::Runtime => Some(Cow::Owned(format!("runtime.{}", known.field))),
            Section::Nowhere => None,
        })
        .collect();
    Ok(Loaded {
        template: Box::new(template(runtime)),
        names: NameGate::new(Generation::Go41, &hypervisor.enable_annotations),
        gates,
        fields,
        fips: host.read("/proc/sys/crypto/fips_enabled").is_ok_and(|text| text.trim_ascii() == b"1"),
        findings: remarks(&configuration, &table),
        table,
        configuration: Arc::new(configuration),
    })
}

fn template(runtime: &RuntimeConfig) -> SandboxConfig {
    SandboxConfig {
        hypervisor_type: runtime.hypervisor_type,
        hypervisor_config: runtime.hypervisor_config.clone(),
        agent_config: runtime.agent_config.clone(),
        network_config: NetworkConfig {
            interworking_model: runtime.inter_network_model,
            disable_new_network: runtime.disable_new_netns,
            dan_config_path: String::new(),
        },
        static_resource_mgmt: runtime.static_sandbox_resource_mgmt,
        // A pod sandbox comes with a /dev/shm of the default size.
        shm_size: 64 << 20,
        vfio_mode: runtime.vfio_mode,
        sandbox_cgroup_only: runtime.sandbox_cgroup_only,
        sandbox_bind_mounts: Arc::clone(&runtime.sandbox_bind_mounts),
        disable_guest_seccomp: runtime.disable_guest_seccomp,
        empty_dir_mode: runtime.empty_dir_mode.clone(),
        enable_vcpus_pinning: runtime.enable_vcpus_pinning,
        guest_selinux_label: runtime.guest_selinux_label.clone(),
        create_container_timeout: runtime.create_container_timeout,
        force_guest_pull: runtime.force_guest_pull,
        kubelet_root_dir: runtime.kubelet_root_dir.clone(),
        factory_config: runtime.factory_config.clone(),
        enable_pprof: runtime.enable_pprof,
        trace: runtime.trace,
        rootless_shim: runtime.hypervisor_config.rootless,
        ..SandboxConfig::default()
    }
}

/// What loading did without a word.
fn remarks(configuration: &Configuration, table: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut remark = |code, key: String, message: String| {
        let place = configuration.places.get(&key).cloned();
        let who = Who::ClusterAdministrator;
        findings.push(Finding {
            code,
            severity: Severity::Note,
            subject: Some(key),
            place,
            message,
            fix: None,
            who,
        });
    };
    let asked = &configuration.asked;
    let held = &configuration.runtime.hypervisor_config;
    if configuration.runtime.hypervisor_type != HypervisorType::Remote {
        if asked.default_memory != 0 && asked.default_memory != held.memory_size {
            let message =
                format!("{} MiB are too little: {} are used", asked.default_memory, held.memory_size);
            remark(Code::ValueReplaced, format!("{table}.default_memory"), message);
        }
        if asked.default_maxvcpus != 0 && asked.default_maxvcpus != held.default_max_vcpus {
            let message =
                format!("{} vCPUs are too many: {} are used", asked.default_maxvcpus, held.default_max_vcpus);
            remark(Code::ValueReplaced, format!("{table}.default_maxvcpus"), message);
        }
        let vcpus = asked.default_vcpus;
        if vcpus != 0.0 && vcpus != held.num_vcpus_f {
            let message = format!("{vcpus} vCPUs are not to be had: {} are used", held.num_vcpus_f);
            remark(Code::ValueReplaced, format!("{table}.default_vcpus"), message);
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

    fn runtime(&self) -> &RuntimeConfig {
        &self.configuration.runtime
    }

    /// `hypervisor.qemu`
    fn table(&self) -> &str {
        &self.table
    }

    fn field(&self, id: Id) -> Option<Cow<'static, str>> {
        self.fields.get(id as usize).cloned().flatten()
    }

    /// Where a key of the active hypervisor's table stands.
    fn hypervisor_place(&self, key: &str) -> Option<Place> {
        self.configuration.places.get(&format!("{}.{key}", self.table)).cloned()
    }

    /// An entry of a policy list.
    fn pattern(&self, list: &str, index: usize) -> &str {
        let hypervisor = &self.runtime().hypervisor_config;
        let entries = match list {
            "enable_annotations" => &hypervisor.enable_annotations,
            "valid_hypervisor_paths" => &hypervisor.hypervisor_path_list,
            "valid_jailer_paths" => &hypervisor.jailer_path_list,
            "valid_virtio_fs_daemon_paths" => &hypervisor.virtio_fs_daemon_list,
            "valid_vhost_user_store_paths" => &hypervisor.vhost_user_store_path_list,
            _ => &hypervisor.entropy_source_list,
        };
        entries.get(index).map_or("", String::as_str)
    }

    /// Whether this hypervisor's loader takes `enable_annotations` over at all.
    fn has_gates(&self) -> bool {
        self.runtime().hypervisor_type != HypervisorType::Dragonball
    }

    /// What becomes of one sandbox.
    pub fn run(&self, host: &Host, sandbox: &Sandbox<'_>, depth: Depth) -> Run {
        let mut config = SandboxConfig::clone(&self.template);
        config.id = sandbox.id.to_owned();
        config.hostname = sandbox.hostname.to_owned();
        let kind = match container_type(sandbox) {
            Ok(kind) => kind,
            Err(message) => {
                let failure = Some(Failure::new(FailureStage::Annotations, message));
                return Run { failure, ..Run::default() };
            }
        };
        // A standalone container is sized by its own resources, which are not at hand here.
        if kind == ContainerType::Sandbox {
            config.sandbox_resources = sizing::workload(sandbox.annotations);
        }
        let dan = &self.runtime().dan_config;
        let dan = crate::policy::go_path::clean(&format!("{dan}/{}.json", sandbox.id));
        if !self.runtime().dan_config.is_empty() && host.exists(&dan) {
            config.network_config.dan_config_path = dan;
        }
        let mut session = annotations::apply(host, self, config, sandbox.annotations);
        sizing::apply_static(&mut session.config);
        session.config.hypervisor_config.shared_path =
            format!("/run/kata-containers/shared/sandboxes/{}/shared", sandbox.id);
        if self.fips {
            session.config.hypervisor_config.kernel_params.push(Param::new("fips", "1"));
        }
        let mut run =
            Run { failure: session.failure.take(), findings: self.findings.clone(), ..Run::default() };
        if depth == Depth::Full && run.failure.is_none() {
            run.effective = Some(effective::effective(self, &session));
        }
        run.verdicts = verdicts::verdicts(self, &mut session, sandbox.annotations, &mut run.findings);
        if run.failure.is_none() {
            let mut config = session.config;
            self.start(host, sandbox, &mut config, depth, &mut run);
            verdicts::blame(&mut run);
        }
        run
    }

    /// From the sandbox's configuration to the VM.
    fn start(
        &self,
        host: &Host,
        sandbox: &Sandbox<'_>,
        config: &mut SandboxConfig,
        depth: Depth,
        run: &mut Run,
    ) {
        if let Err(message) = validate::validate(config, host.facts.arch) {
            run.failure = Some(Failure::new(FailureStage::Launch, message));
            return;
        }
        let names = [
            ("io.kubernetes.cri.sandbox-name", "io.kubernetes.cri-o.SandboxName", true),
            ("io.kubernetes.cri.sandbox-namespace", "io.kubernetes.cri-o.Namespace", false),
        ];
        for (containerd, crio, is_name) in names {
            for key in [containerd, crio] {
                if let Some(value) = sandbox.annotations.get(key) {
                    let hypervisor = &mut config.hypervisor_config;
                    let slot = if is_name {
                        &mut hypervisor.sandbox_name
                    } else {
                        &mut hypervisor.sandbox_namespace
                    };
                    slot.clone_from(value);
                }
            }
        }
        if depth < Depth::Full {
            run.failure = crate::launch::go::check(host, config, sandbox).err();
            return;
        }
        match crate::launch::go::launch(host, config, sandbox) {
            Ok((launch, agent, findings)) => {
                run.findings.extend(findings);
                run.launch = Some(launch);
                run.agent = Some(agent);
            }
            Err(failure) => run.failure = Some(failure),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ContainerType {
    Sandbox,
    /// Started without a CRI: no annotation says what it is.
    Single,
}

/// What the CRI says this container is.
fn container_type(sandbox: &Sandbox<'_>) -> Result<ContainerType, String> {
    let keys = [
        "io.kubernetes.cri.container-type",
        "io.kubernetes.cri-o.ContainerType",
        "io.kubernetes.docker.type",
    ];
    let Some(kind) = keys.iter().find_map(|key| sandbox.annotations.get(*key)) else {
        return Ok(ContainerType::Single);
    };
    match kind.as_str() {
        "sandbox" | "podsandbox" => Ok(ContainerType::Sandbox),
        // What is asked is what its sandbox would be.
        "container" => Ok(ContainerType::Single),
        _ => Err(format!("Unknown container type {kind}")),
    }
}
