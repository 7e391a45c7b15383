//! From a file to `RuntimeConfig`: read, fitted into Go's structs, defaults filled in, checked. There is one
//! file and no `config.d` in this release.
//!
//! Facts: `LoadConfiguration` in src/runtime/pkg/katautils/config.go at 2.1.0.

pub(super) mod hypervisors;
mod tables;

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use self::hypervisors::Derived;
use super::Loaded;
use super::annotations::rules::RULES;
use super::config::{
    AgentConfig, FactoryConfig, HypervisorConfig, HypervisorType, InterworkingModel, List, NetmonConfig,
    Param, RuntimeConfig,
};
use super::paths::{absolute, not_resolved, resolve};
use crate::finding::{Code, Finding, Severity, Who};
use crate::input::config::{Layers, Unreadable};
use crate::input::source::Source;
use crate::input::{Host, Place};
use crate::policy::names::NameGate;
use crate::release::Release;
use crate::runtime::go::toml::early::{self as toml, Table, Value};
use crate::runtime::go_listed::ListedPaths;
use crate::runtime::go_text::quote;
use crate::runtime::{LoadError, LoadOptions};

const MIB: u64 = 1 << 20;
/// Whether the host's kernel is in FIPS mode.
const FIPS: &str = "/proc/sys/crypto/fips_enabled";

fn failed(message: impl Into<String>, place: Option<Place>) -> LoadError {
    LoadError { message: message.into(), place, panic: false }
}

/// The file as a whole.
fn whole(path: &Arc<str>) -> Option<Place> {
    Some(Place { file: Arc::clone(path), line: 0, column: 0 })
}

/// The text of the file, or the words of the runtime for a file that it cannot read.
fn text(layers: &Layers, host: &Host) -> Result<Source, LoadError> {
    let real = match &layers.resolved {
        Ok(real) => real,
        Err(errno) => {
            let asked = absolute(&layers.asked, "{sandbox-id}");
            let why = not_resolved(&asked, *errno);
            return Err(failed(format!("Cannot find usable config file ({why})"), whole(&layers.asked)));
        }
    };
    match &layers.base {
        Ok(source) => Ok(source.clone()),
        Err(Unreadable::Io(errno)) => {
            let verb = if errno.number() == 21 { "read" } else { "open" };
            Err(failed(format!("{verb} {real}: {errno}"), whole(real)))
        }
        // What is not UTF-8 is read all the same, with a replacement for each bad byte.
        Err(Unreadable::NotUtf8(_)) => match host.read(real) {
            Ok(bytes) => Ok(Source::new(real.clone(), String::from_utf8_lossy(&bytes))),
            Err(errno) => Err(failed(format!("open {real}: {errno}"), whole(real))),
        },
        Err(Unreadable::TooLarge(size)) => {
            Err(failed(format!("{real} has {size} bytes: too large to be looked at"), whole(real)))
        }
    }
}

/// Where each key of the file stands, by dotted name.
fn places(source: &Source, root: &Table) -> HashMap<String, Place> {
    fn collect(source: &Source, prefix: &str, table: &Table, places: &mut HashMap<String, Place>) {
        for (key, entry) in table {
            let key = key.to_ascii_lowercase();
            let name = if prefix.is_empty() { key } else { format!("{prefix}.{key}") };
            if let Value::Table(inner) = &entry.value {
                collect(source, &name, inner, places);
            }
            places.insert(name, source.place(entry.offset));
        }
    }
    let mut places = HashMap::new();
    collect(source, "", root, &mut places);
    places
}

/// A complaint with the key that is to blame, by its whole name.
struct Fault {
    key: String,
    message: String,
}

impl Fault {
    fn new(key: impl Into<String>, message: impl Into<String>) -> Self {
        Self { key: key.into(), message: message.into() }
    }
}

/// What the tables of the hypervisors come to.
struct Chosen {
    hypervisor_type: HypervisorType,
    config: HypervisorConfig,
    enable_annotations: Vec<String>,
    lists: [Vec<String>; 7],
    derived: Vec<Derived>,
}

impl Default for Chosen {
    /// What counts without any table.
    fn default() -> Self {
        let config = HypervisorConfig {
            hypervisor_path: "/usr/bin/qemu-lite-system-x86_64".to_owned(),
            jailer_path: "/usr/bin/jailer".to_owned(),
            kernel_path: "/usr/share/kata-containers/vmlinuz.container".to_owned(),
            image_path: "/usr/share/kata-containers/kata-containers.img".to_owned(),
            initrd_path: "/usr/share/kata-containers/kata-containers-initrd.img".to_owned(),
            hypervisor_machine_type: "pc".to_owned(),
            num_vcpus: 1,
            memory_size: 2048,
            default_bridges: 1,
            mlock: true,
            block_device_driver: "virtio-scsi".to_owned(),
            msize9p: 8192,
            vhost_user_store_path: "/var/run/kata-containers/vhost-user/".to_owned(),
            virtio_fs_cache: "none".to_owned(),
            ..HypervisorConfig::default()
        };
        Self {
            hypervisor_type: HypervisorType::Qemu,
            config,
            enable_annotations: Vec::new(),
            lists: Default::default(),
            derived: Vec::new(),
        }
    }
}

fn lists_of(hypervisor: HypervisorType, table: &tables::Hypervisor) -> [Vec<String>; 7] {
    List::ALL.map(|list| {
        if !hypervisor.lists().contains(&list) {
            return Vec::new();
        }
        match list {
            List::HypervisorPaths => &table.valid_hypervisor_paths,
            List::JailerPaths => &table.valid_jailer_paths,
            List::CtlPaths => &table.valid_ctlpaths,
            List::VirtioFsDaemonPaths => &table.valid_virtio_fs_daemon_paths,
            List::VhostUserStorePaths => &table.valid_vhost_user_store_paths,
            List::FileMemBackends => &table.valid_file_mem_backends,
            List::EntropySources => &table.valid_entropy_sources,
        }
        .clone()
    })
}

/// Every table is built, and must be good; the runtime keeps the one that its map gives last, which is
/// random: here the one asked for, else the last of the file.
fn choose(host: &Host, file: &tables::File, wanted: Option<&str>) -> Result<Chosen, Fault> {
    let mut chosen = Chosen::default();
    let mut taken = false;
    for (name, table) in &file.hypervisor {
        let found = match HypervisorType::parse(name) {
            Some(hypervisor) => {
                let built = hypervisors::build(host, hypervisor, table)
                    .map_err(|fault| Fault::new(format!("hypervisor.{name}.{}", fault.key), fault.message))?;
                Chosen {
                    hypervisor_type: hypervisor,
                    config: built.config,
                    enable_annotations: table.enable_annotations.clone(),
                    lists: lists_of(hypervisor, table),
                    derived: built.derived,
                }
            }
            // A table of another name leaves nothing at all.
            None => Chosen { config: HypervisorConfig::default(), ..Chosen::default() },
        };
        if !taken || wanted.is_none_or(|wanted| wanted == name) {
            taken |= wanted == Some(name);
            chosen = found;
        }
    }
    Ok(chosen)
}

/// Checks how the agent traces, and fills in what is not said.
fn trace_options(agent: &mut AgentConfig) -> Result<(), Fault> {
    if !agent.trace {
        return Ok(());
    }
    match agent.trace_mode.as_str() {
        "dynamic" | "static" => {}
        "" => agent.trace_mode = "dynamic".to_owned(),
        other => {
            let other = quote(other);
            return Err(Fault::new(
                "agent.kata.trace_mode",
                format!("invalid kata agent trace mode: {other} (need \"dynamic\" or \"static\")"),
            ));
        }
    }
    match agent.trace_type.as_str() {
        "isolated" | "collated" => {}
        "" => agent.trace_type = "isolated".to_owned(),
        other => {
            let other = quote(other);
            return Err(Fault::new(
                "agent.kata.trace_type",
                format!("invalid kata agent trace type: {other} (need \"isolated\" or \"collated\")"),
            ));
        }
    }
    Ok(())
}

/// The guest's parameters that the runtime adds before those of the file.
fn kernel_params(config: &mut RuntimeConfig) -> Result<(), Fault> {
    let hv = &mut config.hypervisor_config;
    let own = std::mem::take(&mut hv.kernel_params);
    let params = &mut hv.kernel_params;
    if !hv.image_path.is_empty() {
        params.push(Param::new("systemd.unit", "kata-containers.target"));
        params.push(Param::new("systemd.mask", "systemd-networkd.service"));
        params.push(Param::new("systemd.mask", "systemd-networkd.socket"));
    }
    if hv.block_device_driver == "virtio-scsi" {
        params.push(Param::new("scsi_mod.scan", "none"));
    }
    trace_options(&mut config.agent_config)?;
    params.extend(agent_params(&config.agent_config));
    for param in own {
        if param.key.is_empty() {
            let key = format!("hypervisor.{}.kernel_params", config.hypervisor_type.as_str());
            return Err(Fault::new(key, "Empty kernel parameter"));
        }
        params.push(param);
    }
    Ok(())
}

fn bind_mounts(host: &Host, mounts: &[String]) -> Result<(), String> {
    let mut bases: Vec<String> = Vec::new();
    for mount in mounts {
        let path = resolve(host, mount)
            .map_err(|why| format!("sandbox-bindmounts: Failed to resolve path: {mount}: {why}"))?;
        let base = path.rsplit('/').next().unwrap_or_default().to_owned();
        if bases.contains(&base) {
            return Err(format!(
                "sandbox-bindmounts: File {path} has base that matches already specified bindmount"
            ));
        }
        bases.push(base);
    }
    Ok(())
}

/// Compares images with the memory of the VM; what is only odd comes back as text.
fn check_images(host: &Host, config: &RuntimeConfig) -> Result<Vec<String>, Fault> {
    let hv = &config.hypervisor_config;
    if hv.memory_size == 0 {
        return Err(Fault::new("hypervisor", "VM memory cannot be zero"));
    }
    let mut odd = Vec::new();
    for (path, initrd) in [(&hv.image_path, false), (&hv.initrd_path, true)] {
        if path.is_empty() {
            continue;
        }
        let which = if initrd { "initrd" } else { "image" };
        let key = format!("hypervisor.{}.{which}", config.hypervisor_type.as_str());
        let size = host.stat(path).map_err(|errno| Fault::new(key.as_str(), errno.to_string()))?.size;
        if size == 0 {
            return Err(Fault::new(key, format!("image {} is empty", quote(path))));
        }
        let mib = size / MIB;
        if size > MIB && mib >= u64::from(hv.memory_size) {
            let message =
                format!("VM memory ({}MB) smaller than image {} size ({mib}MB)", hv.memory_size, quote(path));
            if initrd {
                return Err(Fault::new(key, message));
            }
            odd.push(message);
        }
    }
    Ok(odd)
}

fn check(config: &RuntimeConfig, host: &Host) -> Result<Vec<String>, Fault> {
    let netns = "runtime.disable_new_netns";
    if config.disable_new_netns {
        if config.netmon_config.enable {
            return Err(Fault::new(netns, "config disable_new_netns conflicts with enable_netmon"));
        }
        if config.inter_network_model != InterworkingModel::None {
            let message = "config disable_new_netns only works with 'none' internetworking_model";
            return Err(Fault::new(netns, message));
        }
    }
    let odd = check_images(host, config)?;
    let factory = &config.factory_config;
    if factory.template && config.hypervisor_config.initrd_path.is_empty() {
        let message = "Factory option enable_template requires an initrd image";
        return Err(Fault::new("factory.enable_template", message));
    }
    if factory.vm_cache_number > 0 && config.hypervisor_type != HypervisorType::Qemu {
        return Err(Fault::new("factory.vm_cache_number", "VM cache just support qemu"));
    }
    Ok(odd)
}

fn agent_config(file: &tables::File) -> AgentConfig {
    // Of several tables the runtime takes a random one.
    let Some(table) = file.agent.get("kata").or_else(|| file.agent.values().last()) else {
        return AgentConfig::default();
    };
    AgentConfig {
        debug: table.enable_debug,
        trace: table.enable_tracing,
        enable_debug_console: table.debug_console_enabled,
        container_pipe_size: 0,
        trace_mode: table.trace_mode.clone(),
        trace_type: table.trace_type.clone(),
        dial_timeout: table.dial_timeout,
        kernel_modules: table.kernel_modules.clone(),
    }
}

fn or(value: &str, default: &str) -> String {
    if value.is_empty() { default.to_owned() } else { value.to_owned() }
}

/// Loads the configuration as the runtime does.
pub(super) fn load(layers: &Layers, host: &Host, options: &LoadOptions<'_>) -> Result<Loaded, LoadError> {
    let source = text(layers, host)?;
    let root = toml::parse(&source.text).map_err(|error| LoadError {
        message: error.message,
        place: Some(source.place(error.offset)),
        panic: error.panic,
    })?;
    let file = tables::File::read(&root)
        .map_err(|misfit| failed(misfit.message, Some(source.place(misfit.offset))))?;
    let places = places(&source, &root);
    // The key itself, else its table, else the file as a whole.
    let blamed = |fault: Fault| {
        let place = places.get(&fault.key).or_else(|| places.get(fault.key.rsplit_once('.')?.0)).cloned();
        failed(fault.message, place.or_else(|| whole(&source.path)))
    };
    let runtime_fault = |key: &str, message: String| blamed(Fault::new(format!("runtime.{key}"), message));

    let runtime = &file.runtime;
    let model = runtime.internetworking_model.as_str();
    let inter_network_model = match model {
        "" => InterworkingModel::Default,
        _ => InterworkingModel::parse(model)
            .ok_or_else(|| runtime_fault("internetworking_model", format!("Unknown type {model}")))?,
    };
    let chosen = choose(host, &file, options.hypervisor)
        .map_err(|fault| blamed(Fault { message: format!("{}: {}", source.path, fault.message), ..fault }))?;
    let mut config = RuntimeConfig {
        hypervisor_type: chosen.hypervisor_type,
        hypervisor_config: chosen.config,
        agent_config: agent_config(&file),
        factory_config: FactoryConfig {
            template: file.factory.template,
            template_path: or(&file.factory.template_path, "/run/vc/vm/template"),
            vm_cache_number: file.factory.vm_cache_number,
            vm_cache_endpoint: or(&file.factory.vm_cache_endpoint, "/var/run/kata-containers/cache.sock"),
        },
        netmon_config: NetmonConfig {
            path: or(&file.netmon.path, "/usr/libexec/kata-containers/kata-netmon"),
            debug: file.netmon.enable_debug,
            enable: file.netmon.enable_netmon,
        },
        inter_network_model,
        jaeger_endpoint: runtime.jaeger_endpoint.clone(),
        jaeger_user: runtime.jaeger_user.clone(),
        jaeger_password: runtime.jaeger_password.clone(),
        sandbox_bind_mounts: runtime.sandbox_bind_mounts.clone(),
        experimental: runtime.experimental.clone(),
        debug: runtime.enable_debug,
        trace: runtime.enable_tracing,
        disable_guest_seccomp: runtime.disable_guest_seccomp,
        disable_new_netns: runtime.disable_new_netns,
        sandbox_cgroup_only: runtime.sandbox_cgroup_only,
        enable_pprof: runtime.enable_pprof,
    };
    kernel_params(&mut config).map_err(blamed)?;
    if let Some(other) = runtime.experimental.iter().find(|feature| !super::is_experimental(feature)) {
        return Err(runtime_fault(
            "experimental",
            format!("Unsupported experimental feature {}", quote(other)),
        ));
    }
    bind_mounts(host, &runtime.sandbox_bind_mounts)
        .map_err(|message| runtime_fault("sandbox_bind_mounts", message))?;
    let mut odd = check(&config, host).map_err(blamed)?;

    if file.hypervisor.len() > 1 {
        let names: Vec<&str> = file.hypervisor.keys().map(String::as_str).collect();
        odd.push(format!(
            "there are tables for several hypervisors ({}), and the runtime takes a random one: what is shown is \
             {}",
            names.join(", "),
            config.hypervisor_type.as_str()
        ));
    }
    let finding = |message: String| Finding {
        code: Code::ConfigOdd,
        severity: Severity::Warning,
        subject: None,
        place: None,
        message,
        fix: None,
        who: Who::ClusterAdministrator,
    };
    let config = Arc::new(config);
    let gate = |which: List, list: &[String]| {
        let place = places.get(&format!("hypervisor.{}.{}", config.hypervisor_type.as_str(), which.key()));
        let note = |pattern: &str| format!("{pattern:?} stands for it");
        ListedPaths::new(Release::go(2, 1, 0), which.key(), list, place.cloned(), note)
    };
    let gates = List::ALL.into_iter().zip(&chosen.lists).map(|(which, list)| gate(which, list)).collect();
    let fips =
        host.finds(FIPS) && host.read(FIPS).is_ok_and(|bytes| String::from_utf8_lossy(&bytes).trim() == "1");
    Ok(Loaded {
        stations: RULES.iter().map(|_| OnceLock::new()).collect(),
        unannotated: OnceLock::new(),
        fips,
        gates,
        places,
        name_gate: NameGate::new(Release::go(2, 1, 0), &chosen.enable_annotations),
        enable_annotations: chosen.enable_annotations,
        lists: chosen.lists,
        derived: chosen.derived,
        findings: odd.into_iter().map(finding).collect(),
        config,
        wanted: options.hypervisor.map(str::to_owned),
        elsewhere: Arc::default(),
    })
}

/// The guest's parameters that say how the agent runs. They are fixed when the configuration is loaded:
/// no annotation reaches them.
fn agent_params(agent: &AgentConfig) -> Vec<Param> {
    let mut params = Vec::new();
    if agent.debug {
        params.push(Param::new("agent.log", "debug"));
    }
    if agent.trace && agent.trace_mode == "static" {
        params.push(Param::new("agent.trace", agent.trace_type.clone()));
    }
    if agent.container_pipe_size > 0 {
        params.push(Param::new("agent.container_pipe_size", agent.container_pipe_size.to_string()));
    }
    if agent.enable_debug_console {
        params.push(Param::new("agent.debug_console", ""));
        params.push(Param::new("agent.debug_console_vport", "1026"));
    }
    params
}
