//! Every annotation that this release reads, in the order it reads them, with what its value does.
//!
//! Facts: `addAnnotations` and what it calls in src/runtime/virtcontainers/pkg/oci/utils.go at 2.1.0. The
//! words of the messages are the runtime's, slips included (`use_nvdimm`, `default_maxvcpus`).

use std::borrow::Cow;
use std::sync::OnceLock;

use super::way::{Effect, Refused, Way};
use crate::runtime::go_json::string_list;
use crate::runtime::go_quantity::{self, binary_bytes};
use crate::runtime::go_text::{NumError, parse_bool};
use crate::runtime::go21::config::{HypervisorType, InterworkingModel, List, Param, SandboxConfig};
use crate::runtime::go21::effective::Part;
use crate::runtime::go21::load::hypervisors::{
    BLOCK_DRIVERS, LEAST_MEMORY, MOST_QEMU_VCPUS, SHARED_FS, params,
};
use crate::runtime::names::Names;
use crate::runtime::verdict::{Fix, Note, Stage};

type Outcome = Result<Effect, Box<Refused>>;
type Apply = for<'a> fn(&mut Way<'_>, &mut SandboxConfig<'a>, &'a str) -> Outcome;

/// What one annotation does.
pub(in crate::runtime::go21) struct Rule {
    /// The key without `io.katacontainers.config.`, or the whole of a key that is not Kata's.
    pub(in crate::runtime::go21) name: &'static str,
    pub(in crate::runtime::go21) part: Part,
    /// The configuration key that it sets; empty: none.
    pub(in crate::runtime::go21) field: &'static str,
    pub(super) apply: Apply,
}

/// The rule at which the runtime looks, annotation or not, whether virtio-fs has its daemon: before it.
pub(super) const DAEMON_CHECK_BEFORE: &str = "hypervisor.virtio_fs_cache";

/// An index into the rules, by the annotation's key.
pub(in crate::runtime::go21) fn find(key: &str) -> Option<usize> {
    static NAMES: OnceLock<Names> = OnceLock::new();
    let name = key.strip_prefix("io.katacontainers.config.").unwrap_or(key);
    NAMES.get_or_init(|| Names::new(RULES.iter().map(|rule| rule.name))).number(name)
}

macro_rules! rules {
    ($($name:literal $part:ident $field:literal = $apply:expr;)*) => {
        pub(in crate::runtime::go21) static RULES: &[Rule] =
            &[$(Rule { name: $name, part: Part::$part, field: $field, apply: $apply }),*];
    };
}

/// A rule for a boolean: the word in the message, and where it goes.
macro_rules! boolean {
    ($word:literal, $($at:ident).+) => {
        |way, config, value| {
            config.$($at).+ = way.boolean(value, $word)?;
            Ok(Effect::Replaced)
        }
    };
}

/// A rule for a file that a list must admit.
macro_rules! listed {
    ($list:ident, $message:literal, $at:ident) => {
        |way, config, value| {
            way.listed(value, List::$list, |value| format!($message, value))?;
            config.hypervisor_config.$at = value.into();
            Ok(Effect::Replaced)
        }
    };
}

/// A rule for any text but none at all.
macro_rules! text {
    ($at:ident) => {
        |_, config, value| {
            if value.is_empty() {
                return Ok(EMPTY);
            }
            config.hypervisor_config.$at = value.into();
            Ok(Effect::Replaced)
        }
    };
}

/// A rule for a path or digest that is looked at when the VM is made.
fn asset<'a>(_: &mut Way<'_>, _: &mut SandboxConfig<'a>, value: &'a str) -> Outcome {
    Ok(if value.is_empty() { EMPTY } else { Effect::Replaced })
}

const EMPTY: Effect = Effect::Kept("an empty value counts as none");
const ZERO: Effect = Effect::Kept("zero counts as not set");

fn positive(name: &'static str) -> impl Fn(&NumError) -> String {
    move |e| format!("Error parsing annotation for {name}: {e}, please specify positive numeric value")
}

fn from_zero(name: &'static str) -> impl Fn(&NumError) -> String {
    move |e| {
        format!(
            "Error parsing annotation for {name}: {e}, Please specify an integer greater than or equal to 0"
        )
    }
}

rules! {
    "hypervisor.firmware" Hypervisor "firmware" = asset;
    "hypervisor.firmware_hash" Hypervisor "" = asset;
    "hypervisor.hypervisor_hash" Hypervisor "" = asset;
    "hypervisor.hypervisorctl_hash" Hypervisor "" = asset;
    "hypervisor.image" Hypervisor "image" = asset;
    "hypervisor.image_hash" Hypervisor "" = asset;
    "hypervisor.initrd" Hypervisor "initrd" = asset;
    "hypervisor.initrd_hash" Hypervisor "" = asset;
    "hypervisor.jailer_hash" Hypervisor "" = asset;
    "hypervisor.kernel" Hypervisor "kernel" = asset;
    "hypervisor.kernel_hash" Hypervisor "" = asset;

    "hypervisor.default_vcpus" Hypervisor "default_vcpus" = default_vcpus;
    "hypervisor.default_max_vcpus" Hypervisor "default_maxvcpus" = default_max_vcpus;

    "hypervisor.default_memory" Hypervisor "default_memory" = default_memory;
    "hypervisor.memory_slots" Hypervisor "memory_slots" = |way, config, value| {
        let slots = way.number32(value, positive("memory_slots"))?;
        if slots == 0 {
            return Ok(ZERO);
        }
        config.hypervisor_config.mem_slots = slots;
        Ok(Effect::Replaced)
    };
    "hypervisor.memory_offset" Hypervisor "memory_offset" = |way, config, value| {
        let offset = way.number32(value, positive("memory_offset"))?;
        if offset == 0 {
            return Ok(ZERO);
        }
        config.hypervisor_config.mem_offset = offset;
        Ok(Effect::Replaced)
    };
    "hypervisor.enable_virtio_mem" Hypervisor "enable_virtio_mem" =
        boolean!("enable_virtio_mem", hypervisor_config.virtio_mem);
    "hypervisor.enable_mem_prealloc" Hypervisor "enable_mem_prealloc" =
        boolean!("enable_mem_prealloc", hypervisor_config.mem_prealloc);
    "hypervisor.enable_swap" Hypervisor "enable_swap" = |way, config, value| {
        config.hypervisor_config.mlock = !way.boolean(value, "enable_swap")?;
        Ok(Effect::Replaced)
    };
    "hypervisor.file_mem_backend" Hypervisor "file_mem_backend" = listed!(
        FileMemBackends, "file_mem_backend value {} required from annotation is not valid",
        file_backed_mem_root_dir
    );
    "hypervisor.enable_hugepages" Hypervisor "enable_hugepages" =
        boolean!("enable_hugepages", hypervisor_config.huge_pages);
    "hypervisor.enable_iommu" Hypervisor "enable_iommu" = boolean!("iommu", hypervisor_config.iommu);
    "hypervisor.enable_iommu_platform" Hypervisor "enable_iommu_platform" =
        boolean!("enable_iommu_platform", hypervisor_config.iommu_platform);

    "hypervisor.block_device_driver" Hypervisor "block_device_driver" = |way, config, value| {
        let message = |known: &str| format!(
            "Invalid hypervisor block storage driver {value} specified in annotation (supported drivers: {known})"
        );
        way.choice(value, &BLOCK_DRIVERS, message)?;
        config.hypervisor_config.block_device_driver = value.into();
        Ok(Effect::Replaced)
    };
    "hypervisor.disable_block_device_use" Hypervisor "disable_block_device_use" =
        boolean!("disable_block_device_use", hypervisor_config.disable_block_device_use);
    "hypervisor.enable_iothreads" Hypervisor "enable_iothreads" =
        boolean!("enable_iothreads", hypervisor_config.enable_iothreads);
    "hypervisor.block_device_cache_set" Hypervisor "block_device_cache_set" =
        boolean!("block_device_cache_set", hypervisor_config.block_device_cache_set);
    "hypervisor.block_device_cache_direct" Hypervisor "block_device_cache_direct" =
        boolean!("block_device_cache_direct", hypervisor_config.block_device_cache_direct);
    "hypervisor.block_device_cache_noflush" Hypervisor "block_device_cache_noflush" =
        boolean!("block_device_cache_noflush", hypervisor_config.block_device_cache_noflush);

    "hypervisor.shared_fs" Hypervisor "shared_fs" = |way, config, value| {
        let message = |known: &str| format!(
            "Invalid hypervisor shared file system {value} specified for annotation shared_fs, (supported file \
             systems: {known})"
        );
        way.choice(value, &SHARED_FS, message)?;
        config.hypervisor_config.shared_fs = value.into();
        Ok(Effect::Replaced)
    };
    "hypervisor.virtio_fs_daemon" Hypervisor "virtio_fs_daemon" = listed!(
        VirtioFsDaemonPaths, "virtiofs daemon {} required from annotation is not valid", virtio_fs_daemon
    );
    "hypervisor.virtio_fs_extra_args" Hypervisor "virtio_fs_extra_args" = extra_args;
    "hypervisor.virtio_fs_cache" Hypervisor "virtio_fs_cache" = |_, config, value| {
        config.hypervisor_config.virtio_fs_cache = value.into();
        Ok(Effect::Replaced)
    };
    "hypervisor.virtio_fs_cache_size" Hypervisor "virtio_fs_cache_size" = |way, config, value| {
        let size = way.number32(value, positive("virtio_fs_cache_size"))?;
        config.hypervisor_config.virtio_fs_cache_size = size;
        Ok(Effect::Replaced)
    };
    "hypervisor.msize_9p" Hypervisor "msize_9p" = |way, config, value| {
        let message = "Error parsing annotation for msize_9p, please specify positive numeric value";
        let size = way.number32(value, |_| message.to_owned())?;
        if size == 0 {
            let fix = Fix::Value("8192".into());
            return Err(Way::out_of_range(message.to_owned(), "zero is too small".to_owned(), fix));
        }
        config.hypervisor_config.msize9p = size;
        Ok(Effect::Replaced)
    };

    "hypervisor.cpu_features" Hypervisor "cpu_features" = text!(cpu_features);
    "hypervisor.disable_vhost_net" Hypervisor "disable_vhost_net" =
        boolean!("disable_vhost_net", hypervisor_config.disable_vhost_net);
    "hypervisor.rx_rate_limiter_max_rate" Hypervisor "rx_rate_limiter_max_rate" = |way, config, value| {
        let rate = way.number(value, 64, from_zero("rx_rate_limiter_max_rate"))?;
        config.hypervisor_config.rx_rate_limiter_max_rate = rate;
        Ok(Effect::Replaced)
    };
    "hypervisor.tx_rate_limiter_max_rate" Hypervisor "tx_rate_limiter_max_rate" = |way, config, value| {
        let rate = way.number(value, 64, from_zero("tx_rate_limiter_max_rate"))?;
        config.hypervisor_config.tx_rate_limiter_max_rate = rate;
        Ok(Effect::Replaced)
    };

    "hypervisor.path" Hypervisor "path" = listed!(
        HypervisorPaths, "hypervisor {} required from annotation is not valid", hypervisor_path
    );
    "hypervisor.jailer_path" Hypervisor "jailer_path" = listed!(
        JailerPaths, "jailer {} required from annotation is not valid", jailer_path
    );
    "hypervisor.ctlpath" Hypervisor "ctlpath" = listed!(
        CtlPaths, "hypervisor control {} required from annotation is not valid", hypervisor_ctl_path
    );
    "hypervisor.kernel_params" Hypervisor "kernel_params" = kernel_params;

    "hypervisor.machine_type" Hypervisor "machine_type" = text!(hypervisor_machine_type);
    "hypervisor.machine_accelerators" Hypervisor "machine_accelerators" = text!(machine_accelerators);
    "hypervisor.vhost_user_store_path" Hypervisor "vhost_user_store_path" = listed!(
        VhostUserStorePaths, "vhost store path {} required from annotation is not valid",
        vhost_user_store_path
    );
    "hypervisor.guest_hook_path" Hypervisor "guest_hook_path" = text!(guest_hook_path);
    "hypervisor.disable_image_nvdimm" Hypervisor "disable_image_nvdimm" =
        boolean!("use_nvdimm", hypervisor_config.disable_image_nvdimm);
    "hypervisor.hotplug_vfio_on_root_bus" Hypervisor "hotplug_vfio_on_root_bus" =
        boolean!("hotplug_vfio_on_root_bus", hypervisor_config.hotplug_vfio_on_root_bus);
    "hypervisor.pcie_root_port" Hypervisor "pcie_root_port" = |way, config, value| {
        config.hypervisor_config.pcie_root_port = way.number32(value, from_zero("pcie_root_port"))?;
        Ok(Effect::Replaced)
    };
    "hypervisor.entropy_source" Hypervisor "entropy_source" = |way, config, value| {
        let message = |value: &str| format!("entropy source {value} required from annotation is not valid");
        way.listed(value, List::EntropySources, message)?;
        if value.is_empty() {
            return Ok(EMPTY);
        }
        config.hypervisor_config.entropy_source = value.into();
        Ok(Effect::Replaced)
    };
    "sgx.intel.com/epc" Hypervisor "epc" = enclave_memory;

    "runtime.disable_guest_seccomp" Runtime "disable_guest_seccomp" =
        boolean!("disable_guest_seccomp", disable_guest_seccomp);
    "runtime.sandbox_cgroup_only" Runtime "sandbox_cgroup_only" =
        boolean!("sandbox_cgroup_only", sandbox_cgroup_only);
    "runtime.experimental" Runtime "experimental" = experimental;
    "runtime.disable_new_netns" Runtime "disable_new_netns" = boolean!("experimental", disable_new_netns);
    "runtime.internetworking_model" Runtime "internetworking_model" = |way, config, value| {
        let key = "io.katacontainers.config.runtime.internetworking_model";
        let message = |_: &str| format!("Unknown network model specified in annotation {key}");
        way.choice(value, &["default", "macvtap", "tcfilter", "none"], message)?;
        config.interworking_model = InterworkingModel::parse(value).unwrap_or_default();
        Ok(Effect::Replaced)
    };

    "agent.kernel_modules" Agent "kernel_modules" = |_, config, value| {
        config.agent_config.kernel_modules = value.split(';').map(Cow::Borrowed).collect();
        Ok(Effect::Replaced)
    };
    "agent.enable_tracing" Agent "enable_tracing" = boolean!("agent.trace", agent_config.trace);
    "agent.trace_mode" Agent "trace_mode" = |_, config, value| {
        config.agent_config.trace_mode = value.into();
        Ok(Effect::Replaced)
    };
    "agent.trace_type" Agent "trace_type" = |_, config, value| {
        config.agent_config.trace_type = value.into();
        Ok(Effect::Replaced)
    };
    "agent.container_pipe_size" Agent "container_pipe_size" = |way, config, value| {
        let key = "io.katacontainers.config.agent.container_pipe_size";
        let message = format!("Error parsing annotation for {key}: Please specify uint32 value");
        config.agent_config.container_pipe_size = way.number32(value, |_| message.clone())?;
        Ok(Effect::Replaced)
    };

    // Read last, by the shim's own server, once the sandbox is there.
    "runtime.enable_pprof" Runtime "enable_pprof" = |way, config, value| {
        match parse_bool(value) {
            Some(true) => {
                way.passed(Stage::Parse, "true");
                config.enable_pprof = true;
                Ok(Effect::Replaced)
            }
            Some(false) => Ok(Effect::Kept("an annotation can switch profiling on, but not off")),
            None => Ok(Effect::Kept("it is no boolean, which the shim reads past without a word")),
        }
    };
}

fn default_vcpus<'a>(way: &mut Way<'_>, config: &mut SandboxConfig<'a>, value: &'a str) -> Outcome {
    let vcpus = way.number32(value, |e| {
        format!("Error encountered parsing annotation default_vcpus: {e}, please specify numeric value")
    })?;
    let cpus = way.host.facts.cpus;
    if vcpus > cpus {
        let message = format!(
            "Number of cpus {vcpus} specified in annotation default_vcpus is greater than the number of CPUs \
             {cpus} on the system"
        );
        let reason = format!("the host has {cpus} CPUs");
        return Err(Way::out_of_range(message, reason, Fix::Value(cpus.to_string())));
    }
    way.passed(Stage::Range, Note::Counted(&["not above the ", " CPUs of the host"], cpus.into()));
    config.hypervisor_config.num_vcpus = vcpus;
    Ok(Effect::Replaced)
}

fn default_max_vcpus<'a>(way: &mut Way<'_>, config: &mut SandboxConfig<'a>, value: &'a str) -> Outcome {
    let most = way.number32(value, |e| {
        format!(
            "Error encountered parsing annotation for default_maxvcpus: {e}, please specify positive numeric value"
        )
    })?;
    let cpus = way.host.facts.cpus;
    if most > cpus {
        let message = format!(
            "Number of cpus {most} in annotation default_maxvcpus is greater than the number of CPUs {cpus} on \
             the system"
        );
        let reason = format!("the host has {cpus} CPUs");
        return Err(Way::out_of_range(message, reason, Fix::Value(cpus.to_string())));
    }
    if config.runtime.hypervisor_type == HypervisorType::Qemu && most > MOST_QEMU_VCPUS {
        let message = format!(
            "Number of cpus {most} in annotation default_maxvcpus is greater than max no of CPUs \
             {MOST_QEMU_VCPUS} supported for qemu"
        );
        let reason = format!("QEMU takes {MOST_QEMU_VCPUS} vCPUs at most");
        return Err(Way::out_of_range(message, reason, Fix::Value(MOST_QEMU_VCPUS.to_string())));
    }
    way.passed(Stage::Range, Note::Counted(&["not above the ", " CPUs of the host"], cpus.into()));
    config.hypervisor_config.default_max_vcpus = most;
    Ok(Effect::Replaced)
}

fn default_memory<'a>(way: &mut Way<'_>, config: &mut SandboxConfig<'a>, value: &'a str) -> Outcome {
    let memory = way.number32(value, |e| {
        format!(
            "Error encountered parsing annotation for default_memory: {e}, please specify positive numeric value \
             greater than 8"
        )
    })?;
    if memory < LEAST_MEMORY {
        let key = "io.katacontainers.config.hypervisor.default_memory";
        let message = format!(
            "Memory specified in annotation {key} is less than minimum required {LEAST_MEMORY}, please specify a \
             larger value"
        );
        let reason = format!("a pod gets {LEAST_MEMORY} MiB at least");
        return Err(Way::out_of_range(message, reason, Fix::Value(LEAST_MEMORY.to_string())));
    }
    way.passed(Stage::Range, Note::Counted(&["at least ", " MiB"], LEAST_MEMORY.into()));
    config.hypervisor_config.memory_size = memory;
    Ok(Effect::Replaced)
}

fn extra_args<'a>(way: &mut Way<'_>, config: &mut SandboxConfig<'a>, value: &'a str) -> Outcome {
    match string_list(value) {
        Ok(args) => {
            way.passed(Stage::Parse, format!("{} arguments", args.len()));
            config.hypervisor_config.virtio_fs_extra_args.extend(args.into_iter().map(Cow::Owned));
            Ok(Effect::Appended)
        }
        Err(why) => Err(Box::new(Refused {
            stage: Stage::Parse,
            message: format!("Error parsing virtiofsd extra arguments: {why}"),
            reason: "the value must be a list of strings, as JSON".to_owned(),
            fix: Some(Fix::Value("[\"-o\", \"...\"]".into())),
            note: why,
        })),
    }
}

fn kernel_params<'a>(way: &mut Way<'_>, config: &mut SandboxConfig<'a>, value: &'a str) -> Outcome {
    if value.is_empty() {
        return Ok(EMPTY);
    }
    let params: Vec<Param<Cow<'_, str>>> = params(value);
    if params.iter().any(|param| param.key.is_empty()) {
        return Err(Box::new(Refused {
            stage: Stage::Parse,
            message: "Error adding kernel parameters in annotation kernel_params : Empty kernel parameter"
                .into(),
            reason: "a word begins with \"=\": a parameter needs a name".to_owned(),
            fix: Some(Fix::Advice("leave no white space before \"=\"".into())),
            note: "a parameter without a name".to_owned(),
        }));
    }
    way.passed(Stage::Parse, Note::Counted(&["", " parameters"], params.len() as u64));
    config.hypervisor_config.kernel_params.extend(params);
    Ok(Effect::Appended)
}

fn enclave_memory<'a>(way: &mut Way<'_>, config: &mut SandboxConfig<'a>, value: &'a str) -> Outcome {
    let message = match binary_bytes(value) {
        Ok(bytes) => {
            way.passed(Stage::Parse, format!("{bytes} bytes"));
            config.hypervisor_config.sgx_epc_size = bytes;
            return Ok(Effect::Replaced);
        }
        Err(go_quantity::Refused::Parse(why)) => format!("Couldn't parse EPC '{why}': {value}"),
        Err(go_quantity::Refused::Format) => {
            format!("Unsupported EPC format '{value}': use Ki | Mi | Gi | Ti | Pi | Ei as suffix")
        }
    };
    Err(Box::new(Refused {
        stage: Stage::Parse,
        message,
        reason: format!("{value:?} is no size with a suffix Ki, Mi, Gi, Ti, Pi or Ei"),
        fix: Some(Fix::Value("64Mi".into())),
        note: "a quantity with a binary suffix is wanted".to_owned(),
    }))
}

fn experimental<'a>(way: &mut Way<'_>, config: &mut SandboxConfig<'a>, value: &'a str) -> Outcome {
    let features: Vec<Cow<'_, str>> = value.split(' ').map(Cow::Borrowed).collect();
    if let Some(other) = features.iter().find(|feature| !crate::runtime::go21::is_experimental(feature)) {
        let key = "io.katacontainers.config.runtime.experimental";
        return Err(Box::new(Refused {
            stage: Stage::Range,
            message: format!("Unsupported experimental feature {other} specified in annotation {key}"),
            reason: format!("{other:?} is no experimental feature of this release: newstore is the only one"),
            fix: Some(Fix::Value("newstore".into())),
            note: "unknown feature".to_owned(),
        }));
    }
    way.passed(Stage::Range, "a feature of this release");
    config.experimental = features;
    Ok(Effect::Replaced)
}
