//! Every key with the value that holds for one sandbox, and where that value came from.
//!
//! Names clamps and rules; which keys a hypervisor reads, the catalogue says. The values are those that
//! the runtime holds once annotations and sizing are through, before its last checks fill zeros. Facts:
//! src/runtime/pkg/katautils/config.go and src/runtime/pkg/oci/utils.go at 4.1.0.

use std::borrow::Cow;

use serde_json::json;

use super::Loaded;
use super::annotations::walk::Walk;
use super::config::{HypervisorType, SandboxConfig};
use super::keys::{Key, Section, all_keys, key};
use crate::answer::effective::{Effective, EffectiveValue, Origin};
use crate::answer::verdict::Status;
use crate::catalog::Id;

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
        let read = Id::ALL.iter().filter(|id| loaded.reads(**id));
        let set: Vec<Key> = read.filter_map(|id| id.target()).collect();
        let known = |key: &Key| key.is_read(hypervisor, release) || set.contains(key);
        for key in all_keys().filter(known) {
            base.effective.set(key.name(hypervisor), key.value(&config), origin(loaded, &config, key, None));
            base.of_hypervisor += usize::from(key.section == Section::Hypervisor);
        }
        Self { effective: base.effective.shared(), ..base }
    }
}

/// Everything that holds for this sandbox: what holds for all of them, and its own in the place of that.
pub(super) fn effective(loaded: &Loaded, walk: &Walk<'_>) -> Effective {
    let base = loaded.base();
    let mut out = base.effective.clone();
    let config = &walk.config;
    let hypervisor = config.hypervisor_type;
    let mut set = |key: Key, by: Option<&'static str>| {
        let name = key.name(hypervisor);
        out.set(name.clone(), key.value(config), origin(loaded, config, key, by));
        if by.is_some() && matches!(key.field, "kernel_params" | "virtio_fs_extra_args") {
            out.add_to(&name, origin(loaded, config, key, None));
        }
    };
    if config.runtime.static_sandbox_resource_mgmt {
        for field in ["default_vcpus", "default_memory", "default_maxvcpus"] {
            key(Section::Hypervisor, field).into_iter().for_each(|key| set(key, None));
        }
    }
    let applied = walk.decisions.iter().filter(|(_, mark)| mark.status == Status::Applied);
    let mut keyless = Vec::new();
    let mut experimental = None;
    for (id, _) in applied {
        let annotation = id.annotation().key;
        match loaded.prepared(*id).and_then(|prepared| prepared.key) {
            Some(key) => set(key, Some(annotation)),
            None => keyless
                .extend(id.target().filter(|key| key.section == Section::Hypervisor).map(|key| (*id, key))),
        }
        if *id == Id::RuntimeExperimental
            && let Some(value) = walk.value(*id)
        {
            let words: Vec<&str> = value.split(' ').collect();
            experimental = Some(json!(words));
        }
        if let Some(key) = also_set(*id).and_then(|field| key(Section::Hypervisor, field)) {
            set(key, Some(annotation));
        }
    }
    if let Some(words) = experimental {
        let by = Origin::Annotation(Cow::Borrowed(Id::RuntimeExperimental.annotation().key));
        out.set("runtime.experimental", words, by);
    }
    if keyless.is_empty() {
        return out;
    }
    // What only annotations can say stands behind the hypervisor's keys.
    let mut all = Effective::default();
    for (at, (name, EffectiveValue { value, origin, configured })) in out.iter().enumerate() {
        if at == base.of_hypervisor {
            for (id, key) in keyless.drain(..) {
                if let Some(value) = walk.value(id) {
                    let by = Origin::Annotation(Cow::Borrowed(id.annotation().key));
                    all.set(key.name(hypervisor), value, by);
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

/// Where the value of a key came from; `by`: the annotation that set it.
fn origin(loaded: &Loaded, config: &SandboxConfig, key: Key, by: Option<&'static str>) -> Origin {
    let of_hypervisor = key.section == Section::Hypervisor;
    if of_hypervisor
        && config.runtime.static_sandbox_resource_mgmt
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
