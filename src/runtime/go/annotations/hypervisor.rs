//! The hypervisor's annotations: what each of them changes, in the runtime's own order.
//!
//! Facts: `addHypervisorConfigOverrides` and what it calls in src/runtime/pkg/oci/utils.go at 4.1.0.

use super::paths;
use super::session::Session;
use crate::answer::verdict::{Fix, Note, Stage, Status};
use crate::catalog::Id;
use crate::golang::json;
use crate::golang::quantity::{self as quantity, Refused as QuantityRefused};
use crate::golang::strconv;
use crate::release::go::Change;
use crate::runtime::go::config::{HypervisorConfig, HypervisorType, SandboxConfig};
use crate::runtime::go::initdata::Refused;
use crate::runtime::go::load::settings::{MIN_MEMORY_MIB, max_vcpus, sector_order, sector_size_ok};
use crate::runtime::go::numa;
use crate::runtime::go::stations::step;

/// All of them.
pub(super) fn apply(session: &mut Session<'_>) {
    cpus(session);
    memory(session);
    block(session);
    virtio_fs(session);
    session.take(&[
        Id::HypervisorCpuFeatures,
        Id::HypervisorDisableVhostNet,
        Id::HypervisorRxRateLimiterMaxRate,
        Id::HypervisorTxRateLimiterMaxRate,
    ]);
    paths::apply(session);
    plugs(session);
    let limited = session.config.release.has(Change::PortsLimited);
    if limited {
        session.take(&[Id::HypervisorPcieRootPort]);
    }
    session.take(&[Id::HypervisorPcieSwitchPort]);
    for id in [Id::HypervisorCcInitData, Id::RuntimeCcInitData] {
        initdata(session, id);
    }
    session.take(&[
        Id::HypervisorMachineType,
        Id::HypervisorMachineAccelerators,
        Id::HypervisorVhostUserStorePath,
        Id::HypervisorEnableVhostUserStore,
        Id::HypervisorVhostUserReconnectTimeoutSec,
        Id::HypervisorGuestHookPath,
        Id::HypervisorDisableImageNvdimm,
        Id::HypervisorHotplugVfioOnRootBus,
        Id::HypervisorUseLegacySerial,
    ]);
    if !limited {
        session.take(&[Id::HypervisorPcieRootPort]);
    }
    session.take(&[Id::HypervisorEntropySource]);
    sgx_epc(session);
    gpus(session);
}

fn is_remote(config: &SandboxConfig) -> bool {
    config.hypervisor_type == HypervisorType::Remote
}

/// Whether the size of the VM is not held against this host.
fn is_unchecked(config: &SandboxConfig) -> bool {
    is_remote(config) && config.release.has(Change::RemoteSizeUnchecked)
}

/// `default_vcpus` while it was a whole number.
fn whole_vcpus(session: &mut Session<'_>) {
    let host_cpus = session.host.facts.cpus_of_shim();
    let Some(number) = session.number(Id::HypervisorDefaultVcpus) else { return };
    if number as u32 > host_cpus {
        let message = format!(
            "Number of cpus {number} specified in annotation default_vcpus is greater than the number of CPUs \
             {host_cpus} on the system"
        );
        let reason = format!("{number} vCPUs are more than the host's {host_cpus} CPUs");
        let fix = Some(Fix::Value(host_cpus.to_string()));
        session.refused(Id::HypervisorDefaultVcpus, Stage::Range, message, reason, fix);
    } else {
        session.config.hypervisor_config.default_vcpus =
            session.applied_cut(Id::HypervisorDefaultVcpus, number) as f32;
    }
}

fn cpus(session: &mut Session<'_>) {
    let host_cpus = session.host.facts.cpus_of_shim();
    let remote = is_unchecked(&session.config);
    let on_host = || Some(Fix::Value(host_cpus.to_string()));
    if !session.config.release.has(Change::FractionalVcpus) {
        whole_vcpus(session);
    } else if let Some(value) = session.value(Id::HypervisorDefaultVcpus) {
        let key = Id::HypervisorDefaultVcpus.known().key;
        let bad = || format!("Error parsing annotation for {key}: Please specify positive numeric value");
        match strconv::parse_float32(value) {
            Err(_) => {
                let reason = format!("{value:?} is not a number");
                let fix = Some(Fix::Advice("write a number such as 2 or 0.5".into()));
                session.refused(Id::HypervisorDefaultVcpus, Stage::Parse, bad(), reason, fix);
            }
            Ok(count) if count < 0.0 => {
                session.refused(
                    Id::HypervisorDefaultVcpus,
                    Stage::Range,
                    bad(),
                    "a negative number of vCPUs",
                    on_host(),
                );
            }
            Ok(count) if count > f32::MAX => {
                let message = format!(
                    "Error parsing annotation for {key}: The number exceeds the maximum allowed for its type"
                );
                session.refused(
                    Id::HypervisorDefaultVcpus,
                    Stage::Range,
                    message,
                    "an infinite number of vCPUs",
                    on_host(),
                );
            }
            Ok(count) if count > host_cpus as f32 && !remote => {
                let message = format!(
                    "Number of cpus {count:.6} specified in annotation default_vcpus is greater than the number \
                     of CPUs {host_cpus} on the system"
                );
                let reason = format!("{value} vCPUs are more than the host's {host_cpus} CPUs");
                session.refused(Id::HypervisorDefaultVcpus, Stage::Range, message, reason, on_host());
            }
            Ok(count) => {
                session.config.hypervisor_config.default_vcpus = count;
                session.applied_by(
                    Id::HypervisorDefaultVcpus,
                    step(Stage::Parse, true, Note::Measured(&["the number ", ""], count)),
                );
            }
        }
    }
    let Some(number) = session.number(Id::HypervisorDefaultMaxVcpus) else { return };
    let most = max_vcpus(session.host.facts.arch);
    let kept = number as u32;
    if kept > host_cpus && !remote {
        let message = format!(
            "Number of cpus {kept} in annotation default_maxvcpus is greater than the number of CPUs \
             {host_cpus} on the system"
        );
        let reason = format!("{kept} vCPUs are more than the host's {host_cpus} CPUs");
        session.refused(Id::HypervisorDefaultMaxVcpus, Stage::Range, message, reason, on_host());
    } else if session.config.hypervisor_type == HypervisorType::Qemu && kept > most {
        let message = format!(
            "Number of cpus {kept} in annotation default_maxvcpus is greater than max no of CPUs {most} \
             supported for qemu"
        );
        let fix = Some(Fix::Value(most.to_string()));
        let reason = format!("{kept} vCPUs are more than the {most} that QEMU is driven with");
        session.refused(Id::HypervisorDefaultMaxVcpus, Stage::Range, message, reason, fix);
    } else {
        session.config.hypervisor_config.default_maxvcpus =
            session.applied_cut(Id::HypervisorDefaultMaxVcpus, number);
    }
}

fn memory(session: &mut Session<'_>) {
    if let Some(number) = session.number(Id::HypervisorDefaultMemory) {
        if number < u64::from(MIN_MEMORY_MIB) && !is_unchecked(&session.config) {
            let key = Id::HypervisorDefaultMemory.known().key;
            let message = format!(
                "Memory specified in annotation {key} is less than minimum required {MIN_MEMORY_MIB}, please \
                 specify a larger value"
            );
            let reason = format!("{number} MiB are less than the {MIN_MEMORY_MIB} MiB that a VM must have");
            let fix = Some(Fix::Value(MIN_MEMORY_MIB.to_string()));
            session.refused(Id::HypervisorDefaultMemory, Stage::Range, message, reason, fix);
        } else {
            session.config.hypervisor_config.default_memory =
                session.applied_cut(Id::HypervisorDefaultMemory, number);
        }
    }
    session.take(&[
        Id::HypervisorMemorySlots,
        Id::HypervisorMemoryOffset,
        Id::HypervisorEnableVirtioMem,
        Id::HypervisorEnableMemPrealloc,
        Id::HypervisorFileMemBackend,
        Id::HypervisorReclaimGuestFreedMemory,
        Id::HypervisorEnableHugepages,
        Id::HypervisorEnableIommu,
        Id::HypervisorEnableIommuPlatform,
        Id::HypervisorEnableSwap,
        Id::HypervisorEnableGuestSwap,
        Id::HypervisorRootless,
    ]);
    if let Some(value) = session.value(Id::HypervisorNumaMapping) {
        let mapping: Vec<String> = strconv::fields(value).map(str::to_owned).collect();
        match numa::guest_nodes(&session.host.facts, &mapping) {
            Ok(nodes) => {
                let note = format!("{} guest nodes", nodes.len());
                let hypervisor = &mut session.config.hypervisor_config;
                hypervisor.enable_numa = !nodes.is_empty();
                hypervisor.guest_numa_nodes = nodes;
                hypervisor.numa_mapping = mapping;
                session.applied_by(Id::HypervisorNumaMapping, step(Stage::Parse, true, note));
            }
            Err(message) => {
                let reason = "no list of NUMA nodes that this host has";
                let fix = Some(Fix::Advice("name host NUMA nodes, such as \"0 1\"".into()));
                session.refused(Id::HypervisorNumaMapping, Stage::Value, message, reason, fix);
            }
        }
    }
}

fn block(session: &mut Session<'_>) {
    session.take(&[
        Id::HypervisorBlockDeviceDriver,
        Id::HypervisorBlockDeviceAio,
        Id::HypervisorDisableBlockDeviceUse,
        Id::HypervisorEnableIothreads,
    ]);
    if let Some(number) = session.number(Id::HypervisorIndepIothreads) {
        if number == 0 || number > 50 {
            let message =
                "Error parsing annotation for indepiothreads, please specify numeric value less than 50";
            let reason = "from 1 to 50 threads are taken";
            session.refused(
                Id::HypervisorIndepIothreads,
                Stage::Range,
                message,
                reason,
                Some(Fix::Value("1".into())),
            );
        } else {
            session.config.hypervisor_config.indep_iothreads =
                session.applied_cut(Id::HypervisorIndepIothreads, number);
        }
    }
    session.take(&[
        Id::HypervisorBlockDeviceCacheSet,
        Id::HypervisorBlockDeviceCacheDirect,
        Id::HypervisorBlockDeviceCacheNoflush,
    ]);
    sector_size(session, Id::HypervisorBlkLogicalSectorSize, |h| &mut h.block_device_logical_sector_size);
    sector_size(session, Id::HypervisorBlkPhysicalSectorSize, |h| &mut h.block_device_physical_sector_size);
    let hypervisor = &session.config.hypervisor_config;
    let sizes = (hypervisor.block_device_logical_sector_size, hypervisor.block_device_physical_sector_size);
    if let Err(message) = sector_order(sizes.0, sizes.1) {
        let id = match session.value(Id::HypervisorBlkLogicalSectorSize) {
            Some(_) => Id::HypervisorBlkLogicalSectorSize,
            None => Id::HypervisorBlkPhysicalSectorSize,
        };
        session.marks.retain(|(other, _)| *other != id);
        let reason =
            format!("a logical sector of {} bytes does not fit a physical one of {}", sizes.0, sizes.1);
        let fix = Some(Fix::Value(
            if id == Id::HypervisorBlkLogicalSectorSize { sizes.1 } else { sizes.0 }.to_string(),
        ));
        session.refused(id, Stage::Sizing, message, reason, fix);
    }
}

fn sector_size(session: &mut Session<'_>, id: Id, field: impl FnOnce(&mut HypervisorConfig) -> &mut u32) {
    let Some(size) = session.number(id) else { return };
    if sector_size_ok(size) {
        *field(&mut session.config.hypervisor_config) = session.applied_cut(id, size);
        return;
    }
    let key = id.known().key;
    let message = format!("invalid {key} {size}: must be 0 or a power of 2 between 512 and 65536");
    let reason = format!("{size} is neither 0 nor a power of two from 512 to 65536");
    session.refused(id, Stage::Range, message, reason, Some(Fix::Value("512".into())));
}

fn virtio_fs(session: &mut Session<'_>) {
    session.take(&[Id::HypervisorSharedFs, Id::HypervisorVirtioFsDaemon]);
    if let Some(value) = session.value(Id::HypervisorVirtioFsExtraArgs) {
        match json::string_list(value) {
            Ok(args) => {
                let note = format!("{} arguments, appended to the configured ones", args.len());
                let hypervisor = &mut session.config.hypervisor_config;
                hypervisor.virtio_fs_extra_args_of_pod = u32::try_from(args.len()).unwrap_or(u32::MAX);
                hypervisor.virtio_fs_extra_args.extend(args);
                let steps = vec![step(Stage::Parse, true, "a JSON list"), step(Stage::Merge, true, note)];
                session.applied(Id::HypervisorVirtioFsExtraArgs, steps);
            }
            Err(error) => {
                let message = format!("Error parsing virtiofsd extra arguments: {error}");
                let words: Vec<&str> = value.split([',', ' ']).filter(|w| !w.is_empty()).collect();
                let fix = match value.starts_with('-') {
                    true => Fix::Value(serde_json::Value::from(words).to_string()),
                    false => Fix::Advice("write a JSON list of strings, such as [\"--cache=auto\"]".into()),
                };
                let reason = "not a JSON list of strings";
                session.refused(Id::HypervisorVirtioFsExtraArgs, Stage::Parse, message, reason, Some(fix));
            }
        }
    }
    let hypervisor = &session.config.hypervisor_config;
    if hypervisor.shared_fs == "virtio-fs" && hypervisor.virtio_fs_daemon.is_empty() {
        let id = if session.value(Id::HypervisorSharedFs).is_some() {
            Id::HypervisorSharedFs
        } else {
            Id::HypervisorVirtioFsDaemon
        };
        session.marks.retain(|(other, _)| *other != id);
        let message = "cannot enable virtio-fs without daemon path";
        let reason = "virtio-fs needs a daemon, and the configuration names none";
        let fix = Some(Fix::Advice("set virtio_fs_daemon in the configuration file".into()));
        session.refused(id, Stage::Value, message, reason, fix);
    }
    session.take(&[Id::HypervisorVirtioFsCache, Id::HypervisorVirtioFsCacheSize]);
    match session.number(Id::HypervisorMsize9p) {
        None => {}
        Some(0) => {
            let message = "Error parsing annotation for msize_9p, please specify positive numeric value";
            let fix = Some(Fix::Value("8192".into()));
            session.refused(Id::HypervisorMsize9p, Stage::Range, message, "0 is no message size", fix);
        }
        Some(number) => {
            session.config.hypervisor_config.msize_9p = session.applied_cut(Id::HypervisorMsize9p, number);
        }
    }
}

/// Naming a port for one way of plugging takes the other away.
fn plugs(session: &mut Session<'_>) {
    for (id, is_hot) in [(Id::HypervisorHotPlugVfio, true), (Id::HypervisorColdPlugVfio, false)] {
        let Some(value) = session.value(id) else { continue };
        let port = if value.is_empty() { "no-port" } else { value };
        if !matches!(port, "root-port" | "switch-port" | "bridge-port" | "no-port") {
            let message = format!("Invalid PCIe port \"{value}\" specified in annotation");
            let reason = format!("{value:?} is none of root-port, switch-port, bridge-port and no-port");
            session.refused(id, Stage::Value, message, reason, Some(Fix::Value("no-port".into())));
            continue;
        }
        let hypervisor = &mut session.config.hypervisor_config;
        let (named, other) = match is_hot {
            true => (&mut hypervisor.hot_plug_vfio, &mut hypervisor.cold_plug_vfio),
            false => (&mut hypervisor.cold_plug_vfio, &mut hypervisor.hot_plug_vfio),
        };
        *named = port.into();
        *other = "no-port".into();
        let note = if is_hot { "turns cold plugging off" } else { "turns hot plugging off" };
        session.applied_by(id, step(Stage::Merge, true, note));
        if !is_hot
            && let Some(hot) =
                session.mark_of(Id::HypervisorHotPlugVfio).filter(|m| m.status == Status::Applied)
        {
            hot.status = Status::Overridden;
            hot.stage = Stage::Merge;
            hot.reason = "cold_plug_vfio is read after it and turns hot plugging off".into();
            hot.steps.push(step(Stage::Merge, false, "cold_plug_vfio turns hot plugging off"));
        }
    }
}

/// An initdata document: unpacked and measured, at first a text that is passed on.
fn initdata(session: &mut Session<'_>, id: Id) {
    let Some(value) = session.value(id) else { return };
    if value.is_empty() {
        return session.ignored_as_empty(id);
    }
    if !session.config.release.has(Change::InitdataUnpacked) {
        session.config.hypervisor_config.cc_init_data = value.into();
        session.applied_as_is(id);
        return;
    }
    match crate::runtime::go::initdata::read(value, session.config.release) {
        Ok(read) => {
            let note = format!("a document of {} bytes", read.text.len());
            session.config.hypervisor_config.cc_init_data = read.text;
            session.config.hypervisor_config.initdata_digest = read.digest;
            session.applied_by(id, step(Stage::Parse, true, note));
        }
        Err(Refused::Message(message)) => {
            let fix = Some(Fix::Advice("write base64 of a gzip-compressed initdata document".into()));
            let reason = "not base64 of a gzip-compressed TOML document";
            session.refused(id, Stage::Parse, message, reason, fix);
        }
        Err(Refused::Panic) => {
            let message = "panic: runtime error: invalid memory address or nil pointer dereference";
            let fix = Some(Fix::Advice(
                "write algorithm = \"sha256\", \"sha384\" or \"sha512\" in the document".into(),
            ));
            let reason =
                "the document names no digest algorithm that the runtime knows, and the runtime crashes";
            let first = session.failure.is_none();
            session.refused(id, Stage::Value, message, reason, fix);
            if first && let Some(failure) = &mut session.failure {
                failure.panic = true;
            }
        }
    }
}

fn sgx_epc(session: &mut Session<'_>) {
    let id = Id::SgxIntelComEpc;
    let Some(value) = session.value(id) else { return };
    match quantity::binary_bytes(value) {
        Ok(bytes) => {
            session.config.hypervisor_config.epc = bytes;
            session.applied_by(id, step(Stage::Parse, true, format!("{bytes} bytes")));
        }
        Err(refused) => {
            let message = match refused {
                QuantityRefused::Parse(why) => format!("Couldn't parse EPC '{why}': {value}"),
                QuantityRefused::Format => {
                    format!("Unsupported EPC format '{value}': use Ki | Mi | Gi | Ti | Pi | Ei as suffix")
                }
            };
            let fix = Some(Fix::Advice("write a whole number with Ki, Mi, Gi or Ti".into()));
            session.refused(id, Stage::Parse, message, "not a quantity with a binary suffix", fix);
        }
    }
}

fn gpus(session: &mut Session<'_>) {
    if is_remote(&session.config) {
        return session.take(&[Id::HypervisorDefaultGpus, Id::HypervisorDefaultGpuModel]);
    }
    for id in [Id::HypervisorDefaultGpus, Id::HypervisorDefaultGpuModel] {
        if session.value(id).is_some() {
            session.ignored(id, Stage::Known, "only the remote hypervisor reads it");
        }
    }
}
