//! VMs from templates: whose configuration they really have.
//!
//! With `factory.enable_template` the runtime starts the VM from the default configuration file, read
//! anew and unadjusted; the file that containerd names, the annotations and the sizing do not reach it.
//! Facts: `build_vm_from_template` in src/runtime-rs/crates/runtimes/virt_container/src/lib.rs and
//! `VmConfig` in its factory/vm.rs at 4.1.0.

use super::config::{Config, Hypervisor};
use super::load::default_config;
use super::plugin::Plugin;
use crate::input::Host;
use crate::input::config::Layers;

/// What the factory found.
#[derive(Debug, Clone)]
pub struct Template {
    hypervisor: Hypervisor,
    config: Config,
}

/// Prepares the VM from a template, or gives the runtime's message.
pub fn prepare(given: &Layers, host: &Host) -> Result<Template, String> {
    let mut config =
        default_config(given, host).map_err(|why| format!("failed to load toml config: {why}"))?;
    let name = config.runtime.hypervisor_name.clone();
    let Some(hv) = config.hypervisor.get_mut(&name) else {
        return Err(format!("hypervisor '{name}' not found"));
    };
    from_template(&name, hv);
    let hypervisor = hv.clone();
    if Plugin::named(&name, host.facts.arch).is_none() {
        return Err(format!("new hypervisor: Unsupported hypervisor {name}"));
    }
    let agent = &config.runtime.agent_name;
    if !config.agent.contains_key(agent) {
        return Err(format!("new agent: get agent: failed to get agent for {agent}"));
    }
    if agent != "kata" {
        return Err(format!("new agent: Unsupported agent {agent}"));
    }
    Ok(Template { hypervisor, config })
}

fn join(folder: &str, name: &str) -> String {
    match folder {
        "" => name.to_owned(),
        _ if folder.ends_with('/') => format!("{folder}{name}"),
        _ => format!("{folder}/{name}"),
    }
}

fn from_template(name: &str, hv: &mut Hypervisor) {
    let folder = hv.factory.template_path.clone();
    let template = &mut hv.vm_template;
    template.boot_to_be_template = false;
    template.boot_from_template = true;
    template.memory_path = join(&folder, "memory");
    template.device_state_path = join(&folder, if name == "clh" { "state.json" } else { "state" });
    fill(hv);
}

/// What the factory fills in, up to where it would complain; the complaint itself goes unheard.
fn fill(hv: &mut Hypervisor) {
    let boot = &hv.boot_info;
    if !hv.remote_info.hypervisor_socket.is_empty() || boot.kernel.is_empty() {
        return;
    }
    let (image, initrd) = (!boot.image.is_empty(), !boot.initrd.is_empty());
    let s390x = hv.machine_info.machine_type == "s390-ccw-virtio";
    let bootable =
        if hv.security_info.confidential_guest && s390x { !image && !initrd } else { image != initrd };
    if !bootable {
        return;
    }
    if hv.cpu_info.default_vcpus == 0.0 {
        hv.cpu_info.default_vcpus = 1.0;
    }
    if hv.memory_info.default_memory == 0 {
        hv.memory_info.default_memory = 128;
    }
    if hv.device_info.default_bridges == 0 {
        hv.device_info.default_bridges = 1;
    }
    let driver = &mut hv.blockdev_info.block_device_driver;
    if driver.is_empty() {
        *driver = "virtio-blk-pci".to_owned();
    } else if driver == "virtio-blk-pci" && s390x {
        *driver = "virtio-blk-ccw".to_owned();
    }
    if !(1..=256).contains(&hv.cpu_info.default_maxvcpus) {
        hv.cpu_info.default_maxvcpus = 256;
    }
}

impl Template {
    /// The configuration that the VM is started with: the template's hypervisor and agent, the rest of
    /// the sandbox's own.
    pub fn over(&self, config: &Config) -> Config {
        let mut whole = config.clone();
        let runtime = &self.config.runtime;
        whole.hypervisor.insert(runtime.hypervisor_name.clone(), self.hypervisor.clone());
        whole.runtime.hypervisor_name.clone_from(&runtime.hypervisor_name);
        if let Some(agent) = self.config.active_agent() {
            whole.agent.insert(runtime.agent_name.clone(), agent.clone());
        }
        whole.runtime.agent_name.clone_from(&runtime.agent_name);
        whole
    }
}
