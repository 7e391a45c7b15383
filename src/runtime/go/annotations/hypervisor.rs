//! The hypervisor's annotations: what each of them changes, in the runtime's own order.
//!
//! Facts: `addHypervisorConfigOverrides` and what it calls in src/runtime/pkg/oci/utils.go at 4.1.0.

use super::paths;
use super::walk::Walk;
use crate::answer::verdict::{Note, Stage, Status, Step};
use crate::catalog::Id;
use crate::golang::json;
use crate::golang::quantity::{self as quantity, Refused as QuantityRefused};
use crate::golang::strconv;
use crate::release::go::Change;
use crate::runtime::checks::{is_sector_size, sector_order};
use crate::runtime::go::config::{HypervisorType, SandboxConfig};
use crate::runtime::go::initdata::Refused;
use crate::runtime::go::load::settings::{MIN_MEMORY_MIB, max_vcpus};
use crate::runtime::go::numa;
use crate::runtime::refusal::Refusal;

/// All of them.
pub(super) fn apply(walk: &mut Walk<'_>) {
    cpus(walk);
    memory(walk);
    block(walk);
    virtio_fs(walk);
    walk.take(&[
        Id::HypervisorCpuFeatures,
        Id::HypervisorDisableVhostNet,
        Id::HypervisorRxRateLimiterMaxRate,
        Id::HypervisorTxRateLimiterMaxRate,
    ]);
    paths::apply(walk);
    plugs(walk);
    let limited = walk.config.release.has(Change::PortsLimited);
    if limited {
        walk.take(&[Id::HypervisorPcieRootPort]);
    }
    walk.take(&[Id::HypervisorPcieSwitchPort]);
    for id in [Id::HypervisorCcInitData, Id::RuntimeCcInitData] {
        initdata(walk, id);
    }
    walk.take(&[
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
        walk.take(&[Id::HypervisorPcieRootPort]);
    }
    walk.take(&[Id::HypervisorEntropySource]);
    sgx_epc(walk);
    gpus(walk);
}

fn is_remote(config: &SandboxConfig) -> bool {
    config.hypervisor_type == HypervisorType::Remote
}

/// Whether the size of the VM is not held against this host.
fn is_unchecked(config: &SandboxConfig) -> bool {
    is_remote(config) && config.release.has(Change::RemoteSizeUnchecked)
}

/// `default_vcpus` while it was a whole number.
fn whole_vcpus(walk: &mut Walk<'_>) {
    let id = Id::HypervisorDefaultVcpus;
    let host_cpus = walk.host.facts.cpus_of_shim();
    let Some(number) = walk.number(id) else { return };
    if number as u32 > host_cpus {
        let message = format!(
            "Number of cpus {number} specified in annotation default_vcpus is greater than the number of CPUs \
             {host_cpus} on the system"
        );
        let reason = format!("{number} vCPUs are more than the host's {host_cpus} CPUs");
        walk.refused(id, Refusal::at(Stage::Range, message, reason).write(host_cpus));
    } else {
        walk.config.hypervisor_config.default_vcpus = walk.applied_cut(id, number) as f32;
    }
}

/// `default_vcpus` as a number with a fraction.
fn vcpus(walk: &Walk<'_>, value: &str) -> Result<f32, Box<Refusal>> {
    let host_cpus = walk.host.facts.cpus_of_shim();
    let key = Id::HypervisorDefaultVcpus.annotation().key;
    let bad = || format!("Error parsing annotation for {key}: Please specify positive numeric value");
    let Ok(count) = strconv::parse_float32(value) else {
        let reason = format!("{value:?} is not a number");
        let refusal = Refusal::at(Stage::Parse, bad(), reason).advise("write a number such as 2 or 0.5");
        return Err(refusal.into());
    };
    let (message, reason) = if count < 0.0 {
        (bad(), "a negative number of vCPUs".to_owned())
    } else if count > f32::MAX {
        let message = format!(
            "Error parsing annotation for {key}: The number exceeds the maximum allowed for its type"
        );
        (message, "an infinite number of vCPUs".to_owned())
    } else if count > host_cpus as f32 && !is_unchecked(&walk.config) {
        let message = format!(
            "Number of cpus {count:.6} specified in annotation default_vcpus is greater than the number \
             of CPUs {host_cpus} on the system"
        );
        (message, format!("{value} vCPUs are more than the host's {host_cpus} CPUs"))
    } else {
        return Ok(count);
    };
    Err(Refusal::at(Stage::Range, message, reason).write(host_cpus).into())
}

fn cpus(walk: &mut Walk<'_>) {
    let id = Id::HypervisorDefaultVcpus;
    if !walk.config.release.has(Change::FractionalVcpus) {
        whole_vcpus(walk);
    } else if let Some(value) = walk.value(id)
        && let Some(count) = walk.accepted(id, vcpus(walk, value))
    {
        walk.config.hypervisor_config.default_vcpus = count;
        walk.applied_by(id, Step::new(Stage::Parse, true, Note::Measured(&["the number ", ""], count)));
    }
    let host_cpus = walk.host.facts.cpus_of_shim();
    let most = max_vcpus(walk.host.facts.arch);
    walk.take_bounded(Id::HypervisorDefaultMaxVcpus, |config, number| {
        let kept = number as u32;
        let (message, reason, fix) = if kept > host_cpus && !is_unchecked(config) {
            let message = format!(
                "Number of cpus {kept} in annotation default_maxvcpus is greater than the number of CPUs \
                 {host_cpus} on the system"
            );
            (message, format!("{kept} vCPUs are more than the host's {host_cpus} CPUs"), host_cpus)
        } else if config.hypervisor_type == HypervisorType::Qemu && kept > most {
            let message = format!(
                "Number of cpus {kept} in annotation default_maxvcpus is greater than max no of CPUs {most} \
                 supported for qemu"
            );
            (message, format!("{kept} vCPUs are more than the {most} that QEMU is driven with"), most)
        } else {
            return None;
        };
        Some(Refusal::at(Stage::Range, message, reason).write(fix))
    });
}

fn memory(walk: &mut Walk<'_>) {
    walk.take_bounded(Id::HypervisorDefaultMemory, |config, number| {
        let refused = number < u64::from(MIN_MEMORY_MIB) && !is_unchecked(config);
        refused.then(|| {
            let key = Id::HypervisorDefaultMemory.annotation().key;
            let message = format!(
                "Memory specified in annotation {key} is less than minimum required {MIN_MEMORY_MIB}, please \
                 specify a larger value"
            );
            let reason = format!("{number} MiB are less than the {MIN_MEMORY_MIB} MiB that a VM must have");
            Refusal::at(Stage::Range, message, reason).write(MIN_MEMORY_MIB)
        })
    });
    walk.take(&[
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
    if let Some(value) = walk.value(Id::HypervisorNumaMapping) {
        let mapping: Vec<String> = strconv::fields(value).map(str::to_owned).collect();
        match numa::guest_nodes(&walk.host.facts, &mapping) {
            Ok(nodes) => {
                let note = format!("{} guest nodes", nodes.len());
                let hypervisor = &mut walk.config.hypervisor_config;
                hypervisor.enable_numa = !nodes.is_empty();
                hypervisor.guest_numa_nodes = nodes;
                hypervisor.numa_mapping = mapping;
                walk.applied_by(Id::HypervisorNumaMapping, Step::new(Stage::Parse, true, note));
            }
            Err(message) => {
                let refusal = Refusal::at(Stage::Value, message, "no list of NUMA nodes that this host has");
                let fix = "name host NUMA nodes, such as \"0 1\"";
                walk.refused(Id::HypervisorNumaMapping, refusal.advise(fix));
            }
        }
    }
}

fn block(walk: &mut Walk<'_>) {
    walk.take(&[
        Id::HypervisorBlockDeviceDriver,
        Id::HypervisorBlockDeviceAio,
        Id::HypervisorDisableBlockDeviceUse,
        Id::HypervisorEnableIothreads,
    ]);
    walk.take_bounded(Id::HypervisorIndepIothreads, |_, number| {
        let message =
            "Error parsing annotation for indepiothreads, please specify numeric value less than 50";
        let refusal = || Refusal::at(Stage::Range, message, "from 1 to 50 threads are taken").write(1);
        (!(1..=50).contains(&number)).then(refusal)
    });
    walk.take(&[
        Id::HypervisorBlockDeviceCacheSet,
        Id::HypervisorBlockDeviceCacheDirect,
        Id::HypervisorBlockDeviceCacheNoflush,
    ]);
    for id in [Id::HypervisorBlkLogicalSectorSize, Id::HypervisorBlkPhysicalSectorSize] {
        walk.take_bounded(id, |_, size| {
            (!is_sector_size(size)).then(|| {
                let key = id.annotation().key;
                let message =
                    format!("invalid {key} {size}: must be 0 or a power of 2 between 512 and 65536");
                let reason = format!("{size} is neither 0 nor a power of two from 512 to 65536");
                Refusal::at(Stage::Range, message, reason).write(512)
            })
        });
    }
    let hypervisor = &walk.config.hypervisor_config;
    let sizes = (hypervisor.block_device_logical_sector_size, hypervisor.block_device_physical_sector_size);
    if let Err(message) = sector_order(sizes.0, sizes.1) {
        let (id, other) = match walk.value(Id::HypervisorBlkLogicalSectorSize) {
            Some(_) => (Id::HypervisorBlkLogicalSectorSize, sizes.1),
            None => (Id::HypervisorBlkPhysicalSectorSize, sizes.0),
        };
        let reason =
            format!("a logical sector of {} bytes does not fit a physical one of {}", sizes.0, sizes.1);
        walk.refused(id, Refusal::at(Stage::Sizing, message, reason).write(other));
    }
}

fn virtio_fs(walk: &mut Walk<'_>) {
    walk.take(&[Id::HypervisorSharedFs, Id::HypervisorVirtioFsDaemon]);
    if let Some(value) = walk.value(Id::HypervisorVirtioFsExtraArgs) {
        match json::string_list(value) {
            Ok(args) => {
                let note = format!("{} arguments, appended to the configured ones", args.len());
                let hypervisor = &mut walk.config.hypervisor_config;
                hypervisor.virtio_fs_extra_args_of_pod = u32::try_from(args.len()).unwrap_or(u32::MAX);
                hypervisor.virtio_fs_extra_args.extend(args);
                let steps =
                    vec![Step::new(Stage::Parse, true, "a JSON list"), Step::new(Stage::Merge, true, note)];
                walk.applied(Id::HypervisorVirtioFsExtraArgs, steps);
            }
            Err(error) => {
                let message = format!("Error parsing virtiofsd extra arguments: {error}");
                let words: Vec<&str> = value.split([',', ' ']).filter(|w| !w.is_empty()).collect();
                let refusal = Refusal::at(Stage::Parse, message, "not a JSON list of strings");
                let refusal = match value.starts_with('-') {
                    true => refusal.write(serde_json::Value::from(words)),
                    false => refusal.advise("write a JSON list of strings, such as [\"--cache=auto\"]"),
                };
                walk.refused(Id::HypervisorVirtioFsExtraArgs, refusal);
            }
        }
    }
    let hypervisor = &walk.config.hypervisor_config;
    if hypervisor.shared_fs == "virtio-fs" && hypervisor.virtio_fs_daemon.is_empty() {
        let by_daemon = walk.value(Id::HypervisorSharedFs).is_none();
        let id = if by_daemon { Id::HypervisorVirtioFsDaemon } else { Id::HypervisorSharedFs };
        let message = "cannot enable virtio-fs without daemon path";
        let reason = "virtio-fs needs a daemon, and the configuration names none";
        let fix = "set virtio_fs_daemon in the configuration file";
        walk.refused(id, Refusal::at(Stage::Value, message, reason).advise(fix));
    }
    walk.take(&[Id::HypervisorVirtioFsCache, Id::HypervisorVirtioFsCacheSize]);
    walk.take_bounded(Id::HypervisorMsize9p, |_, number| {
        let message = "Error parsing annotation for msize_9p, please specify positive numeric value";
        (number == 0).then(|| Refusal::at(Stage::Range, message, "0 is no message size").write(8192))
    });
}

/// Naming a port for one way of plugging takes the other away.
fn plugs(walk: &mut Walk<'_>) {
    for (id, is_hot) in [(Id::HypervisorHotPlugVfio, true), (Id::HypervisorColdPlugVfio, false)] {
        let Some(value) = walk.value(id) else { continue };
        let port = if value.is_empty() { "no-port" } else { value };
        if !matches!(port, "root-port" | "switch-port" | "bridge-port" | "no-port") {
            let message = format!("Invalid PCIe port \"{value}\" specified in annotation");
            let reason = format!("{value:?} is none of root-port, switch-port, bridge-port and no-port");
            walk.refused(id, Refusal::at(Stage::Value, message, reason).write("no-port"));
            continue;
        }
        let hypervisor = &mut walk.config.hypervisor_config;
        let (named, other) = match is_hot {
            true => (&mut hypervisor.hot_plug_vfio, &mut hypervisor.cold_plug_vfio),
            false => (&mut hypervisor.cold_plug_vfio, &mut hypervisor.hot_plug_vfio),
        };
        *named = port.into();
        *other = "no-port".into();
        let note = if is_hot { "turns cold plugging off" } else { "turns hot plugging off" };
        walk.applied_by(id, Step::new(Stage::Merge, true, note));
        if !is_hot
            && let Some(hot) =
                walk.decision_on(Id::HypervisorHotPlugVfio).filter(|m| m.status == Status::Applied)
        {
            hot.status = Status::Overridden;
            hot.stage = Stage::Merge;
            hot.reason = "cold_plug_vfio is read after it and turns hot plugging off".into();
            hot.steps.push(Step::new(Stage::Merge, false, "cold_plug_vfio turns hot plugging off"));
        }
    }
}

/// An initdata document: unpacked and measured, at first a text that is passed on.
fn initdata(walk: &mut Walk<'_>, id: Id) {
    let Some(value) = walk.value(id) else { return };
    if value.is_empty() {
        return walk.ignored_as_empty(id);
    }
    if !walk.config.release.has(Change::InitdataUnpacked) {
        walk.config.hypervisor_config.cc_init_data = value.into();
        walk.applied_as_is(id);
        return;
    }
    match crate::runtime::go::initdata::read(value, walk.config.release) {
        Ok(read) => {
            let note = format!("a document of {} bytes", read.text.len());
            walk.config.hypervisor_config.cc_init_data = read.text;
            walk.config.hypervisor_config.initdata_digest = read.digest;
            walk.applied_by(id, Step::new(Stage::Parse, true, note));
        }
        Err(Refused::Message(message)) => {
            let fix = "write base64 of a gzip-compressed initdata document";
            let reason = "not base64 of a gzip-compressed TOML document";
            walk.refused(id, Refusal::at(Stage::Parse, message, reason).advise(fix));
        }
        Err(Refused::Panic) => {
            let message = "panic: runtime error: invalid memory address or nil pointer dereference";
            let reason =
                "the document names no digest algorithm that the runtime knows, and the runtime crashes";
            let fix = "write algorithm = \"sha256\", \"sha384\" or \"sha512\" in the document";
            walk.refused(id, Refusal::at(Stage::Value, message, reason).advise(fix).crash());
        }
    }
}

fn sgx_epc(walk: &mut Walk<'_>) {
    let id = Id::SgxIntelComEpc;
    let Some(value) = walk.value(id) else { return };
    match quantity::binary_bytes(value) {
        Ok(bytes) => {
            walk.config.hypervisor_config.epc = bytes;
            walk.applied_by(id, Step::new(Stage::Parse, true, format!("{bytes} bytes")));
        }
        Err(refused) => {
            let message = match refused {
                QuantityRefused::Parse(why) => format!("Couldn't parse EPC '{why}': {value}"),
                QuantityRefused::Format => {
                    format!("Unsupported EPC format '{value}': use Ki | Mi | Gi | Ti | Pi | Ei as suffix")
                }
            };
            let refusal = Refusal::at(Stage::Parse, message, "not a quantity with a binary suffix");
            walk.refused(id, refusal.advise("write a whole number with Ki, Mi, Gi or Ti"));
        }
    }
}

fn gpus(walk: &mut Walk<'_>) {
    if is_remote(&walk.config) {
        return walk.take(&[Id::HypervisorDefaultGpus, Id::HypervisorDefaultGpuModel]);
    }
    for id in [Id::HypervisorDefaultGpus, Id::HypervisorDefaultGpuModel] {
        if walk.value(id).is_some() {
            walk.ignored(id, Stage::Known, "only the remote hypervisor reads it");
        }
    }
}
