//! Every key with the value that holds for one sandbox, and where that value came from.
//!
//! Names clamps and rules; which keys a hypervisor reads, the catalogue says. The values are those that
//! the runtime holds once annotations and sizing are through, before its last checks fill zeros. Facts:
//! src/runtime/pkg/katautils/config.go and src/runtime/pkg/oci/utils.go at 4.1.0.

use std::borrow::Cow;

use serde_json::{Value as Json, json};

use super::Loaded;
use super::annotations::known::{Known, Section};
use super::annotations::session::Session;
use super::config::{AgentConfig, HypervisorConfig, HypervisorType, SandboxConfig};
use super::record::ToJson;
use crate::answer::effective::{Effective, EffectiveValue, Origin, hidden};
use crate::answer::verdict::Status;
use crate::catalog::{self, Id};
use crate::release::Release;

/// A key of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Key {
    section: Section,
    /// The key within the table.
    field: &'static str,
}

type OfSandbox = fn(&SandboxConfig) -> Json;

/// The keys of the runtime's table that a sandbox has a value of, in the order of reports.
const RUNTIME: &[(&str, OfSandbox)] = &[
    ("internetworking_model", |c| c.network_config.interworking_model.as_str().into()),
    ("vfio_mode", |c| c.vfio_mode.as_str().into()),
    ("guest_selinux_label", |c| c.guest_selinux_label.to_json()),
    ("sandbox_bind_mounts", |c| c.sandbox_bind_mounts.to_json()),
    ("disable_new_netns", |c| c.network_config.disable_new_network.into()),
    ("disable_guest_seccomp", |c| c.disable_guest_seccomp.into()),
    ("enable_vcpus_pinning", |c| c.enable_vcpus_pinning.into()),
    ("sandbox_cgroup_only", |c| c.sandbox_cgroup_only.into()),
    ("static_sandbox_resource_mgmt", |c| c.static_resource_mgmt.into()),
    ("emptydir_mode", |c| c.empty_dir_mode.to_json()),
    ("create_container_timeout", |c| c.create_container_timeout.into()),
    ("experimental_force_guest_pull", |c| c.force_guest_pull.into()),
    ("enable_pprof", |c| c.enable_pprof.into()),
    ("kubelet_root_dir", |c| c.kubelet_root_dir.to_json()),
];

/// The key of a table, where a sandbox has a value of it.
pub(super) fn key(section: Section, field: &'static str) -> Option<Key> {
    let key = Key { section, field };
    all_keys().find(|known| *known == key)
}

/// All of them, in the order of reports.
fn all_keys() -> impl Iterator<Item = Key> {
    let of = |section| move |field: &&'static str| Key { section, field };
    let hypervisor = HypervisorConfig::KEYS.iter().chain(HypervisorConfig::BY_ANNOTATION);
    let agent = AgentConfig::KEYS.iter().chain(AgentConfig::BY_ANNOTATION);
    let runtime = RUNTIME.iter().map(|(field, _)| field);
    hypervisor
        .map(move |field| of(Section::Hypervisor)(field))
        .chain(agent.map(move |field| of(Section::Agent)(field)))
        .chain(runtime.map(move |field| of(Section::Runtime)(field)))
}

impl Key {
    /// The whole key.
    fn name(self, hypervisor: HypervisorType) -> String {
        self.section.key(self.field, hypervisor)
    }

    /// What it comes to.
    pub fn value(self, config: &SandboxConfig) -> Json {
        let hypervisor = &config.hypervisor_config;
        let value = match self.section {
            Section::Hypervisor => match hypervisor.chosen_asset(self.field) {
                Some(asset) => Some(asset.into()),
                None => hypervisor.value(self.field),
            },
            Section::Agent => config.agent_config.value(self.field),
            Section::Runtime => {
                RUNTIME.iter().find(|(field, _)| *field == self.field).map(|(_, value)| value(config))
            }
            Section::Nowhere => None,
        };
        value.unwrap_or_default()
    }

    /// Whether a release reads it from a file, for this hypervisor.
    fn is_read(self, hypervisor: HypervisorType, release: Release) -> bool {
        match self.section {
            Section::Hypervisor => HypervisorConfig::takes(hypervisor, self.field, release),
            Section::Agent => AgentConfig::reads(self.field, release),
            Section::Runtime => {
                catalog::config_key("runtime", self.field).is_some_and(|key| key.reader(release).is_some())
            }
            Section::Nowhere => false,
        }
    }

    /// Whether one of these annotations can set it.
    fn is_set_by(self, annotations: &[Known]) -> bool {
        annotations.iter().any(|known| known.section == self.section && known.field == self.field)
    }
}

/// What holds for a sandbox that no annotation touches, and whose size nobody asks for.
#[derive(Debug, Clone)]
pub(super) struct Base {
    effective: Effective,
    /// How many of the keys are the hypervisor's; they stand first.
    of_hypervisor: usize,
}

impl Base {
    /// Every key that the hypervisor, the agent and the runtime have.
    pub fn of(loaded: &Loaded) -> Self {
        let mut config = SandboxConfig::new(loaded.runtime(), "", "");
        loaded.fill_in(&mut config);
        let mut base = Self { effective: Effective::default(), of_hypervisor: 0 };
        let hypervisor = config.hypervisor_type;
        let release = loaded.release();
        let annotations: Vec<Known> =
            Id::ALL.iter().filter(|id| loaded.reads(**id)).map(|id| id.known()).collect();
        let known = |key: &Key| key.is_read(hypervisor, release) || key.is_set_by(&annotations);
        for key in all_keys().filter(known) {
            base.effective.set(key.name(hypervisor), key.value(&config), origin(loaded, &config, key, None));
            base.of_hypervisor += usize::from(key.section == Section::Hypervisor);
        }
        beside_the_sandbox(loaded, &mut base.effective);
        Self { effective: base.effective.shared(), ..base }
    }
}

/// Everything that holds for this sandbox: what holds for all of them, and its own in the place of that.
pub(super) fn effective(loaded: &Loaded, session: &Session<'_>) -> Effective {
    let base = loaded.base();
    let mut out = base.effective.clone();
    let config = &session.config;
    let hypervisor = config.hypervisor_type;
    let mut set = |key: Key, by: Option<&'static str>| {
        let name = key.name(hypervisor);
        out.set(name.clone(), key.value(config), origin(loaded, config, key, by));
        if by.is_some() && matches!(key.field, "kernel_params" | "virtio_fs_extra_args") {
            out.add_to(&name, origin(loaded, config, key, None));
        }
    };
    if config.static_resource_mgmt {
        for field in ["default_vcpus", "default_memory", "default_maxvcpus"] {
            key(Section::Hypervisor, field).into_iter().for_each(|key| set(key, None));
        }
    }
    let applied = session.marks.iter().filter(|(_, mark)| mark.status == Status::Applied);
    let mut keyless = Vec::new();
    let mut experimental = None;
    for (id, _) in applied {
        let known = id.known();
        match loaded.stations(*id).and_then(|stations| stations.key) {
            Some(key) => set(key, Some(known.key)),
            None if known.section == Section::Hypervisor => keyless.push(*id),
            None => {}
        }
        if *id == Id::RuntimeExperimental
            && let Some(value) = session.value(*id)
        {
            let words: Vec<&str> = value.split(' ').collect();
            experimental = Some(json!(words));
        }
        if let Some(key) = also_set(*id).and_then(|field| key(Section::Hypervisor, field)) {
            set(key, Some(known.key));
        }
    }
    if let Some(words) = experimental {
        let by = Origin::Annotation(Cow::Borrowed(Id::RuntimeExperimental.known().key));
        out.set("runtime.experimental", words, by);
    }
    if keyless.is_empty() {
        return out;
    }
    // What only annotations can say stands behind the hypervisor's keys.
    let mut all = Effective::default();
    for (at, (name, EffectiveValue { value, origin, configured })) in out.iter().enumerate() {
        if at == base.of_hypervisor {
            for id in keyless.drain(..) {
                let known = id.known();
                if let (Some(name), Some(value)) = (known.name(hypervisor), session.value(id)) {
                    all.set(name, value, Origin::Annotation(Cow::Borrowed(known.key)));
                }
            }
        }
        all.set(name.clone(), value.clone(), origin.clone());
        if let Some(configured) = configured {
            all.add_to(name, configured.clone());
        }
    }
    all
}

/// The key that an annotation decides beside its own.
fn also_set(id: Id) -> Option<&'static str> {
    match id {
        Id::HypervisorNumaMapping => Some("enable_numa"),
        Id::HypervisorColdPlugVfio => Some("hot_plug_vfio"),
        Id::HypervisorHotPlugVfio => Some("cold_plug_vfio"),
        _ => None,
    }
}

/// What only the shim knows: no pod changes it.
fn beside_the_sandbox(loaded: &Loaded, out: &mut Effective) {
    let runtime = &loaded.configuration.runtime;
    let factory = &runtime.factory_config;
    let netmon = &runtime.netmon;
    let values: [(&'static str, Json); 16] = [
        ("runtime.enable_debug", runtime.debug.into()),
        ("runtime.enable_tracing", runtime.trace.into()),
        ("runtime.jaeger_endpoint", runtime.jaeger_endpoint.as_str().into()),
        ("runtime.jaeger_user", runtime.jaeger_user.as_str().into()),
        ("runtime.jaeger_password", hidden(&runtime.jaeger_password).into()),
        ("runtime.experimental", json!(runtime.experimental)),
        ("runtime.disable_guest_empty_dir", runtime.disable_guest_empty_dir.into()),
        ("runtime.dan_conf", runtime.dan_config.as_str().into()),
        ("runtime.pod_resource_api_sock", runtime.pod_resource_api_sock.as_str().into()),
        ("factory.enable_template", factory.template.into()),
        ("factory.template_path", factory.template_path.as_str().into()),
        ("factory.vm_cache_number", factory.vm_cache_number.into()),
        ("factory.vm_cache_endpoint", factory.vm_cache_endpoint.as_str().into()),
        ("netmon.path", netmon.path.as_str().into()),
        ("netmon.enable_debug", netmon.debug.into()),
        ("netmon.enable_netmon", netmon.enable.into()),
    ];
    let read = |name: &str| {
        let known = name.split_once('.').and_then(|(table, key)| catalog::config_key(table, key));
        known.is_some_and(|key| key.reader(runtime.release).is_some())
    };
    for (key, value) in values.into_iter().filter(|(key, _)| read(key)) {
        let place = loaded.configuration.places.get(key).cloned();
        out.set(key, value, place.map_or(Origin::Default, Origin::File));
    }
}

/// Where the value of a key came from; `by`: the annotation that set it.
fn origin(loaded: &Loaded, config: &SandboxConfig, key: Key, by: Option<&'static str>) -> Origin {
    let of_hypervisor = key.section == Section::Hypervisor;
    if of_hypervisor
        && config.static_resource_mgmt
        && let Some(rule) = sizing_rule(config, key.field)
    {
        return Origin::Derived(Cow::Borrowed(rule));
    }
    if let Some(annotation) = by {
        return Origin::Annotation(Cow::Borrowed(annotation));
    }
    if of_hypervisor && let Some(rule) = rule(loaded, config.hypervisor_type, key.field) {
        return Origin::Derived(Cow::Borrowed(rule));
    }
    if !key.is_read(config.hypervisor_type, config.release) {
        return Origin::Default;
    }
    let places = &loaded.configuration.places;
    let place = match key.section {
        Section::Agent => places.get(&format!("agent.{}.{}", loaded.configuration.agent_table, key.field)),
        _ => places.get(&key.name(config.hypervisor_type)),
    };
    place.cloned().map_or(Origin::Default, Origin::File)
}

/// What static sizing made of a key, whatever was there.
fn sizing_rule(config: &SandboxConfig, field: &str) -> Option<&'static str> {
    let resources = &config.sandbox_resources;
    match field {
        "default_maxvcpus" => Some("static sizing: the vCPUs at boot"),
        "default_vcpus" if resources.workload_cpus != 0.0 => {
            Some("static sizing: default plus the pod's CPU limit")
        }
        "default_memory" if resources.workload_mem_mb != 0 => {
            Some("static sizing: default plus the pod's memory limit")
        }
        _ => None,
    }
}

/// The rule that replaced what the file says (or does not say).
fn rule(loaded: &Loaded, kind: HypervisorType, key: &str) -> Option<&'static str> {
    let asked = &loaded.configuration.asked;
    let held = &loaded.configuration.runtime.hypervisor_config;
    if kind == HypervisorType::Remote {
        return match key {
            "shared_fs" => Some("remote never shares a file system"),
            "block_device_driver" => Some("remote has no block devices"),
            "kernel_params" => Some("the runtime's own parameters"),
            _ => None,
        };
    }
    let cut = "lowered to the most that is taken";
    match key {
        "default_vcpus" if asked.default_vcpus != 0.0 && asked.default_vcpus != held.default_vcpus => {
            Some("set to the host's CPUs")
        }
        "default_maxvcpus" if asked.default_maxvcpus != held.default_maxvcpus => {
            Some("set to the host's CPUs")
        }
        "default_memory" if asked.default_memory != 0 && asked.default_memory != held.default_memory => {
            Some("below 256 MiB: replaced by the built-in 2048")
        }
        "default_maxmemory" if asked.default_maxmemory != held.default_maxmemory => {
            (held.default_maxmemory != 0).then_some("set to the host's memory")
        }
        "default_bridges" if asked.default_bridges > held.default_bridges && held.default_bridges != 0 => {
            Some(cut)
        }
        "hypervisor_loglevel"
            if asked.hypervisor_loglevel > held.hypervisor_loglevel && held.hypervisor_loglevel != 0 =>
        {
            Some(cut)
        }
        "pcie_root_port" if asked.pcie_root_port > held.pcie_root_port => Some(cut),
        "pcie_switch_port" if asked.pcie_switch_port > 16 => Some(cut),
        "disable_image_nvdimm" if held.disable_image_nvdimm && !asked.disable_image_nvdimm => {
            Some("this machine type or firmware has no NVDIMM")
        }
        "disable_vhost_net" if held.disable_vhost_net && kind != HypervisorType::Qemu => {
            Some("always, on this hypervisor")
        }
        "disable_guest_selinux" if kind == HypervisorType::Firecracker => Some("always, on this hypervisor"),
        "kernel_params" if asked.kernel_params.written.is_empty() && !held.kernel_params.list.is_empty() => {
            Some("the runtime's own parameters")
        }
        _ => None,
    }
}
