//! What is checked once everything is loaded.
//!
//! Facts: `checkConfig`, `validateBindMounts` in src/runtime/pkg/katautils/config.go at 4.1.0.

use std::collections::HashSet;

use super::settings::{ConfigError, Setting, resolve};
use crate::golang::strconv::quote;
use crate::input::Host;
use crate::input::host::Arch;
use crate::release::go::Change;
use crate::runtime::RuntimeMessage;
use crate::runtime::go::config::{HypervisorConfig, HypervisorType, InterworkingModel, RuntimeConfig};

pub(super) fn check(config: &RuntimeConfig, host: &Host) -> Setting<()> {
    if config.runtime.disable_new_netns && config.inter_network_model != InterworkingModel::None {
        let message = "config disable_new_netns only works with 'none' internetworking_model";
        return Err(ConfigError::new("runtime.disable_new_netns", message));
    }
    hypervisor(&config.hypervisor_config, host)?;
    let release = config.release;
    if release.has(Change::TemplateNeedsInitrd)
        && config.factory.enable_template
        && config.hypervisor_config.initrd.is_empty()
    {
        let message = "Factory option enable_template requires an initrd image";
        return Err(ConfigError::new("factory.enable_template", message));
    }
    if config.factory.vm_cache_number > 0 && config.hypervisor_type != HypervisorType::Qemu {
        return Err(ConfigError::new("factory.vm_cache_number", "VM cache just support qemu"));
    }
    if release.has(Change::NumaNeedsStaticSizing) {
        numa(config, host)?;
    }
    if release.has(Change::VfioPorts) { pcie(config) } else { Ok(()) }
}

fn hypervisor(config: &HypervisorConfig, host: &Host) -> Setting<()> {
    if !config.remote_hypervisor_socket.is_empty() {
        return Ok(());
    }
    let memory = i64::from(config.default_memory);
    if memory == 0 {
        return Err(ConfigError::new("hypervisor.default_memory", "VM memory cannot be zero"));
    }
    let images = [(&config.image, false, "hypervisor.image"), (&config.initrd, true, "hypervisor.initrd")];
    for (path, is_initrd, key) in images {
        if path.is_empty() {
            continue;
        }
        let size = host.stat(path).map_err(|errno| ConfigError::new(key, errno.go()))?.size;
        let image = quote(path);
        if size == 0 {
            return Err(ConfigError::new(key, format!("image {image} is empty")));
        }
        let size_mib = i64::try_from(size >> 20).unwrap_or(i64::MAX);
        // An initrd is read into memory whole.
        if size > 1 << 20 && size_mib >= memory && is_initrd {
            let message = format!("VM memory ({memory}MB) smaller than image {image} size ({size_mib}MB)");
            return Err(ConfigError::new("hypervisor.default_memory", message));
        }
    }
    Ok(())
}

fn numa(config: &RuntimeConfig, host: &Host) -> Setting<()> {
    if config.hypervisor_config.guest_numa_nodes.len() <= 1 {
        return Ok(());
    }
    let arch = host.facts.arch;
    if !matches!(arch, Arch::X86_64 | Arch::Aarch64) {
        let arch = arch.as_str();
        let message = format!("multi-NUMA support is only available on amd64 and arm64, got \"{arch}\"");
        return Err(ConfigError::new("hypervisor.enable_numa", message));
    }
    if !config.runtime.static_sandbox_resource_mgmt {
        let message = "NUMA support requires static_sandbox_resource_mgmt to be enabled; \
                       NUMA topology is not compatible with dynamic CPU/memory hotplug";
        return Err(ConfigError::new("hypervisor.enable_numa", message));
    }
    Ok(())
}

/// How messages name a port.
fn port_name(port: &str) -> String {
    match port {
        "root-port" | "switch-port" | "bridge-port" | "no-port" | "invalid-port" => port.to_owned(),
        _ => format!("<unknown PCIePort: {port}>"),
    }
}

fn pcie(config: &RuntimeConfig) -> Setting<()> {
    let kind = config.hypervisor_type;
    if !matches!(kind, HypervisorType::Qemu | HypervisorType::Clh) {
        return Ok(());
    }
    let hypervisor = &config.hypervisor_config;
    let (cold, hot) = (hypervisor.cold_plug_vfio.as_str(), hypervisor.hot_plug_vfio.as_str());
    let (cold_set, hot_set) = (cold != "no-port", hot != "no-port");
    if cold_set && hot_set {
        // The message has the two the wrong way round.
        let (cold, hot) = (port_name(cold), port_name(hot));
        let message =
            format!("invalid hot-plug={cold} and cold-plug={hot} settings, only one of them can be set");
        return Err(ConfigError::new("hypervisor.cold_plug_vfio", message));
    }
    if (!cold_set && !hot_set) || !matches!(hypervisor.machine_type.as_str(), "q35" | "virt") {
        return Ok(());
    }
    if kind == HypervisorType::Clh && !config.release.has(Change::ClhColdPlug) {
        if cold_set {
            return Err(ConfigError::new("hypervisor.cold_plug_vfio", "cold-plug not supported on CLH"));
        }
        if hot != "root-port" {
            let message = "only hot-plug=root-port supported on CLH";
            return Err(ConfigError::new("hypervisor.hot_plug_vfio", message));
        }
    } else if kind == HypervisorType::Clh {
        for (port, way, key) in
            [(cold, "cold", "hypervisor.cold_plug_vfio"), (hot, "hot", "hypervisor.hot_plug_vfio")]
        {
            if port != "no-port" && port != "root-port" {
                let message = format!("only {way}-plug=no-port or root-port supported on CLH");
                return Err(ConfigError::new(key, message));
            }
        }
    }
    let (port, key) = match hot_set {
        true => (hot, "hypervisor.hot_plug_vfio"),
        false => (cold, "hypervisor.cold_plug_vfio"),
    };
    if matches!(port, "bridge-port" | "root-port" | "switch-port") {
        return Ok(());
    }
    let cold = port_name(cold);
    let message = format!(
        "invalid vfio_port={cold} setting, allowed values no-port, bridge-port, root-port, switch-port"
    );
    Err(ConfigError::new(key, message))
}

/// Every mount is there, and no two of them end in the same name.
pub(super) fn bind_mounts(mounts: &[String], host: &Host) -> Result<(), RuntimeMessage> {
    let mut names = HashSet::new();
    for mount in mounts {
        let path = resolve(host, mount)
            .map_err(|e| format!("sandbox-bindmounts: Failed to resolve path: {mount}: {e}"))?;
        let name = path.rsplit('/').next().unwrap_or(&path).to_owned();
        if !names.insert(name) {
            let message =
                format!("sandbox-bindmounts: File {path} has base that matches already specified bindmount");
            return Err(message.into());
        }
    }
    Ok(())
}
