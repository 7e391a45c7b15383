//! Sandboxes that come from a template: the VM is configured by the default file, not by the sandbox.
//!
//! With `factory.enable_template` the runtime reads the first default file again, as it stands, without
//! annotations and sizing, and builds the VM of it.
//!
//! Facts: `build_vm_from_template` in src/runtime-rs/crates/runtimes/virt_container/src/lib.rs,
//! src/runtime-rs/crates/runtimes/virt_container/src/factory/vm.rs at 4.1.0.

use super::Refusal;
use crate::input::Host;
use crate::runtime::rs41::config::{Config, Hypervisor, Runtime};

const DEFAULT_FILES: [&str; 3] = [
    "/etc/kata-containers/runtime-rs/configuration.toml",
    "/usr/share/defaults/kata-containers/runtime-rs/configuration.toml",
    "/opt/kata/share/defaults/kata-containers/runtime-rs/configuration.toml",
];

/// The most vCPUs that QEMU's configuration takes.
const MAX_VCPUS: u32 = 256;

/// The configuration of the VM where it comes from a template; `None` where it does not.
pub(super) fn of(host: &Host, config: &Config) -> Result<Option<Config>, Refusal> {
    if !config.active_hypervisor().is_some_and(|hv| hv.factory.enable_template) {
        return Ok(None);
    }
    let refuse = |message: String| {
        Refusal::because(message, &[])
            .within("init runtime handler: new runtime instance: build vm from template")
    };
    let Some(file) = DEFAULT_FILES.iter().find_map(|file| host.canonicalize(file).ok()) else {
        return Err(refuse("failed to load toml config: entity not found".to_owned()));
    };
    let bytes =
        host.read(&file).map_err(|errno| refuse(format!("failed to load toml config: {}", errno.rust())))?;
    let text = String::from_utf8_lossy(&bytes);
    let mut raw: Config =
        toml::from_str(&text).map_err(|why| refuse(format!("failed to load toml config: {why}")))?;
    let name = raw.runtime.hypervisor_name.clone();
    let Some(hv) = raw.hypervisor.get_mut(&name) else {
        return Err(refuse(format!("hypervisor '{name}' not found")));
    };
    let folder = hv.factory.template_path.clone();
    let inside = |file: &str| {
        if folder.is_empty() { file.to_owned() } else { format!("{}/{file}", folder.trim_end_matches('/')) }
    };
    hv.vm_template.boot_to_be_template = false;
    hv.vm_template.boot_from_template = true;
    hv.vm_template.memory_path = inside("memory");
    hv.vm_template.device_state_path = inside(if name == "clh" { "state.json" } else { "state" });
    complete(hv);
    let runtime = Runtime {
        hypervisor_name: name,
        agent_name: raw.runtime.agent_name.clone(),
        use_passfd_io: raw.runtime.use_passfd_io,
        passfd_listener_port: raw.runtime.passfd_listener_port,
        ..config.runtime.clone()
    };
    Ok(Some(Config { runtime, ..raw }))
}

/// `validate_hypervisor_config`: fills in what a raw file leaves out, up to the first thing it dislikes.
fn complete(hv: &mut Hypervisor) {
    if !hv.remote_info.hypervisor_socket.is_empty() || hv.boot_info.kernel.is_empty() {
        return;
    }
    let one = hv.boot_info.image.is_empty() != hv.boot_info.initrd.is_empty();
    let on_z = hv.machine_info.machine_type == "s390-ccw-virtio";
    let none = hv.boot_info.image.is_empty() && hv.boot_info.initrd.is_empty();
    if !(if hv.security_info.confidential_guest && on_z { none } else { one }) {
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
        "virtio-blk-pci".clone_into(driver);
    } else if driver == "virtio-blk-pci" && on_z {
        "virtio-blk-ccw".clone_into(driver);
    }
    let max = &mut hv.cpu_info.default_maxvcpus;
    if *max == 0 || *max > MAX_VCPUS {
        *max = MAX_VCPUS;
    }
}
