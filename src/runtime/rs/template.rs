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
use crate::release::Release;
use crate::release::rs::Change;
use crate::runtime::RuntimeMessage;
use crate::runtime::defaults::{or_number, or_word};

/// What the factory found.
#[derive(Debug, Clone)]
pub struct Template {
    hypervisor: Hypervisor,
    config: Config,
}

/// Prepares the VM from a template, or gives the runtime's message.
pub fn prepare(release: Release, given: &Layers, host: &Host) -> Result<Template, RuntimeMessage> {
    let mut config =
        default_config(release, given, host).map_err(|why| format!("failed to load toml config: {why}"))?;
    let name = config.runtime.hypervisor_name.clone();
    let Some(hv) = config.hypervisor.get_mut(&name) else {
        return Err(format!("hypervisor '{name}' not found").into());
    };
    from_template(&name, hv, release);
    let hypervisor = hv.clone();
    if Plugin::named(&name, host.facts.arch, release).is_none() {
        return Err(format!("new hypervisor: Unsupported hypervisor {name}").into());
    }
    let agent = &config.runtime.agent_name;
    if !config.agent.contains_key(agent) {
        return Err(format!("new agent: get agent: failed to get agent for {agent}").into());
    }
    if agent != "kata" {
        return Err(format!("new agent: Unsupported agent {agent}").into());
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

fn from_template(name: &str, hv: &mut Hypervisor, release: Release) {
    let folder = hv.factory.template_path.clone();
    let template = &mut hv.vm_template;
    template.boot_to_be_template = false;
    template.boot_from_template = true;
    template.memory_path = join(&folder, "memory").into();
    let of_clh = name == "clh" && release.has(Change::TemplatesEverywhere);
    template.device_state_path = join(&folder, if of_clh { "state.json" } else { "state" }).into();
    fill(hv);
}

/// What the factory fills in, up to where it would complain; the error itself goes unheard.
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
    or_number(&mut hv.cpu_info.default_vcpus, 1.0);
    or_number(&mut hv.memory_info.default_memory, 128);
    or_number(&mut hv.device_info.default_bridges, 1);
    let driver = &mut hv.blockdev_info.block_device_driver;
    if driver == "virtio-blk-pci" && s390x {
        *driver = "virtio-blk-ccw".into();
    }
    or_word(driver, "virtio-blk-pci");
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
        // What a hypervisor is told about the runtime comes from the same file.
        whole.runtime.use_passfd_io = runtime.use_passfd_io;
        whole.runtime.passfd_listener_port = runtime.passfd_listener_port;
        whole
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::input::host::{HostFacts, MemoryFiles};

    const NEWEST: Release = Release::newest(crate::release::Runtime::Rs);
    const FILE: &str = "/etc/kata-containers/runtime-rs/configuration.toml";

    fn host(files: MemoryFiles) -> Host {
        Host::new(HostFacts::default(), Arc::new(files))
    }

    #[test]
    fn the_default_file_and_its_drop_ins_make_the_vm() {
        let text = "[hypervisor.qemu]\nkernel = \"/k\"\nimage = \"/i\"\n[hypervisor.qemu.factory]\n\
                    template_path = \"/t\"\n[agent.kata]\n[runtime]\nhypervisor_name = \"qemu\"\nagent_name = \"kata\"\n";
        let files = MemoryFiles::new().file(FILE, 0o644, text).file(
            "/etc/kata-containers/runtime-rs/config.d/1",
            0o644,
            "[hypervisor.qemu]\ndefault_vcpus = 3\n",
        );
        let template = prepare(NEWEST, &Layers::of_text("/elsewhere.toml", ""), &host(files)).unwrap();
        let mut own = Config::default();
        own.runtime.name = "virt_container".into();
        let whole = template.over(&own);
        let hv = whole.active_hypervisor().unwrap();
        assert_eq!(hv.vm_template.memory_path, "/t/memory");
        assert!(hv.vm_template.boot_from_template);
        assert_eq!((hv.cpu_info.default_vcpus, hv.cpu_info.default_maxvcpus), (3.0, 256));
        assert_eq!(whole.runtime.name, "virt_container");
        // Nothing was adjusted: an absent path stays empty.
        assert_eq!(hv.path, "");
    }

    #[test]
    fn what_stops_the_factory_is_told() {
        let given = Layers::of_text("/elsewhere.toml", "");
        let told = |files| prepare(NEWEST, &given, &host(files)).map(|_| ());
        let nothing = Err("failed to load toml config: entity not found".into());
        assert_eq!(told(MemoryFiles::new()), nothing);
        let no_table = MemoryFiles::new().file(FILE, 0o644, "[runtime]\nhypervisor_name = \"qemu\"\n");
        assert_eq!(told(no_table), Err("hypervisor 'qemu' not found".into()));
        let edited = Layers::of_text(FILE, "[runtime]\nhypervisor_name = \"clh\"\n");
        let files = MemoryFiles::new().file(FILE, 0o644, "");
        let unsaved = prepare(NEWEST, &edited, &host(files)).map(|_| ());
        assert_eq!(unsaved, Err("hypervisor 'clh' not found".into()));
    }
}
