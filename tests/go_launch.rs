//! Holds the Go runtime's launch against what the real runtime 4.1.0 started for the same sandbox
//! configuration: process arguments, request bodies, kernel command line, agent requests, or the error.
//!
//! A vector is a configuration as the difference from its hypervisor's `base`; arguments are numbers in a
//! table of strings.

// A vector that cannot be read fails the test, in the functions beside it, too.

use std::sync::Arc;

use crate::support::tokens;
use katascope::answer::launch::Arg;
use katascope::input::host::{HostFacts, MemoryFiles, NumaNode, Protection};
use katascope::input::{Annotations, Host};
use katascope::launch::go;
use katascope::runtime::Sandbox;
use katascope::runtime::go::config::{
    AgentConfig, CustomAssets, GuestExtensionImage, GuestNumaNode, HypervisorConfig, HypervisorType, Param,
    RuntimeConfig, SandboxConfig,
};
use serde_json::Value as Json;

/// Reads one field of a recorded configuration.
trait Recorded {
    fn read(value: &Json) -> Self;
}

impl Recorded for String {
    fn read(value: &Json) -> Self {
        value.as_str().unwrap_or_default().to_owned()
    }
}

impl Recorded for bool {
    fn read(value: &Json) -> Self {
        value.as_bool().unwrap_or_default()
    }
}

impl Recorded for u32 {
    fn read(value: &Json) -> Self {
        value.as_u64().unwrap_or_default() as u32
    }
}

impl Recorded for u64 {
    fn read(value: &Json) -> Self {
        value.as_u64().unwrap_or_default()
    }
}

impl Recorded for i64 {
    fn read(value: &Json) -> Self {
        value.as_i64().unwrap_or_default()
    }
}

impl Recorded for f32 {
    fn read(value: &Json) -> Self {
        value.as_f64().unwrap_or_default() as f32
    }
}

impl Recorded for Option<u64> {
    fn read(value: &Json) -> Self {
        value.as_u64()
    }
}

impl<T: Recorded> Recorded for Vec<T> {
    fn read(value: &Json) -> Self {
        value.as_array().into_iter().flatten().map(T::read).collect()
    }
}

impl<T: Recorded> Recorded for Arc<[T]> {
    fn read(value: &Json) -> Self {
        Vec::read(value).into()
    }
}

impl Recorded for Param {
    fn read(value: &Json) -> Self {
        Self::new(String::read(&value["Key"]), String::read(&value["Value"]))
    }
}

impl Recorded for GuestExtensionImage {
    fn read(value: &Json) -> Self {
        Self {
            name: String::read(&value["Name"]),
            path: String::read(&value["Path"]),
            verity_params: String::read(&value["VerityParams"]),
        }
    }
}

impl Recorded for GuestNumaNode {
    fn read(value: &Json) -> Self {
        Self { host_nodes: String::read(&value["HostNodes"]), host_cpus: String::read(&value["HostCPUs"]) }
    }
}

/// Sets the fields of `$to` from the recorded `$from`.
macro_rules! read {
    ($to:expr, $from:expr, $($field:ident = $name:literal)*) => { $($to.$field = Recorded::read(&$from[$name]);)* };
}

fn hypervisor(values: &Json) -> HypervisorConfig {
    let mut hv = HypervisorConfig::default();
    read!(hv, values,
        kernel_path = "KernelPath"
        image_path = "ImagePath"
        initrd_path = "InitrdPath"
        guest_extension_images = "GuestExtensionImages"
        rootfs_type = "RootfsType"
        firmware_path = "FirmwarePath"
        machine_accelerators = "MachineAccelerators"
        cpu_features = "CPUFeatures"
        hypervisor_path = "HypervisorPath"
        jailer_path = "JailerPath"
        block_device_driver = "BlockDeviceDriver"
        hypervisor_machine_type = "HypervisorMachineType"
        entropy_source = "EntropySource"
        shared_fs = "SharedFS"
        virtio_fs_daemon = "VirtioFSDaemon"
        virtio_fs_cache = "VirtioFSCache"
        guest_memory_dump_path = "GuestMemoryDumpPath"
        guest_hook_path = "GuestHookPath"
        virtio_fs_extra_args = "VirtioFSExtraArgs"
        pflash = "PFlash"
        seccomp_sandbox = "SeccompSandbox"
        sandbox_name = "SandboxName"
        sandbox_namespace = "SandboxNamespace"
        snp_id_block = "SnpIdBlock"
        snp_id_auth = "SnpIdAuth"
        snp_guest_policy = "SnpGuestPolicy"
        kernel_params = "KernelParams"
        kernel_verity_params = "KernelVerityParams"
        sgx_epc_size = "SGXEPCSize"
        disk_rate_limiter_bw_max_rate = "DiskRateLimiterBwMaxRate"
        disk_rate_limiter_bw_one_time_burst = "DiskRateLimiterBwOneTimeBurst"
        disk_rate_limiter_ops_max_rate = "DiskRateLimiterOpsMaxRate"
        disk_rate_limiter_ops_one_time_burst = "DiskRateLimiterOpsOneTimeBurst"
        mem_offset = "MemOffset"
        hot_plug_vfio = "HotPlugVFIO"
        cold_plug_vfio = "ColdPlugVFIO"
        pcie_root_port = "PCIeRootPort"
        pcie_switch_port = "PCIeSwitchPort"
        num_vcpus_f = "NumVCPUsF"
        default_max_vcpus = "DefaultMaxVCPUs"
        memory_size = "MemorySize"
        default_max_memory_size = "DefaultMaxMemorySize"
        default_bridges = "DefaultBridges"
        msize9p = "Msize9p"
        mem_slots = "MemSlots"
        virtio_fs_cache_size = "VirtioFSCacheSize"
        virtio_fs_queue_size = "VirtioFSQueueSize"
        block_device_cache_set = "BlockDeviceCacheSet"
        block_device_cache_direct = "BlockDeviceCacheDirect"
        block_device_cache_noflush = "BlockDeviceCacheNoflush"
        enable_iothreads = "EnableIOThreads"
        indep_iothreads = "IndepIOThreads"
        debug = "Debug"
        hypervisor_loglevel = "HypervisorLoglevel"
        mem_prealloc = "MemPrealloc"
        reclaim_guest_freed_memory = "ReclaimGuestFreedMemory"
        huge_pages = "HugePages"
        virtio_mem = "VirtioMem"
        iommu = "IOMMU"
        iommu_platform = "IOMMUPlatform"
        guest_numa_nodes = "GuestNUMANodes"
        numa_mapping = "NUMAMapping"
        disable_nesting_checks = "DisableNestingChecks"
        disable_image_nvdimm = "DisableImageNvdimm"
        confidential_guest = "ConfidentialGuest"
        sev_snp_guest = "SevSnpGuest"
        enable_vhost_user_store = "EnableVhostUserStore"
        disable_seccomp = "DisableSeccomp"
        disable_guest_selinux = "DisableGuestSeLinux"
        legacy_serial = "LegacySerial"
        extra_monitor_socket = "ExtraMonitorSocket"
        qgs_port = "QgsPort"
        initdata = "Initdata"
        default_gpus = "DefaultGPUs"
        default_gpu_model = "DefaultGPUModel"
    );
    hv.initdata_digest = match &values["InitdataDigest"] {
        Json::String(text) => {
            use base64::Engine;
            base64::engine::general_purpose::STANDARD.decode(text).unwrap()
        }
        other => Vec::<u32>::read(other).into_iter().map(|byte| byte as u8).collect(),
    };
    hv
}

fn agent(values: &Json) -> AgentConfig {
    let mut agent = AgentConfig::default();
    read!(agent, values,
        kernel_modules = "KernelModules"
        cdh_api_timeout = "CdhApiTimeout"
        launch_process_timeout = "LaunchProcessTimeout"
        debug = "Debug"
        trace = "Trace"
        enable_debug_console = "EnableDebugConsole"
        visible_cdi_devices = "VisibleCdiDevices"
        policy = "Policy"
    );
    agent
}

fn facts(values: &Json) -> HostFacts {
    let mut facts = HostFacts::default();
    facts.cpus = values["cpus"].as_u64().map_or(facts.cpus, |n| n as u32);
    facts.memory_mib = values["mem_mb"].as_u64().unwrap_or(facts.memory_mib);
    facts.nested = values["nested"] == true;
    facts.vhost_vsock = values["no_vsock"] != true;
    facts.protection = match values["protection"].as_str() {
        Some("tdx") => Protection::Tdx,
        Some("snp") => Protection::Snp,
        _ => Protection::None,
    };
    let nodes = values["numa"].as_array().into_iter().flatten();
    facts.numa = nodes
        .map(|n| NumaNode { cpus: String::read(&n["cpus"]), memory_mib: u64::read(&n["mem_mb"]) })
        .collect();
    facts
}

fn runtime(case: &Json, base: &Json) -> RuntimeConfig {
    let kind = case["type"].as_str().unwrap();
    let mut values = base[kind].clone();
    for (name, value) in case["hypervisor"].as_object().unwrap() {
        values[name] = value.clone();
    }
    let mut hv = hypervisor(&values);
    let asset = |name: &str| case["assets"][name].as_str().map(str::to_owned);
    hv.custom_assets = CustomAssets {
        firmware: asset("firmware"),
        firmware_volume: None,
        hypervisor: asset("hypervisor"),
        hypervisor_ctl: None,
        image: asset("image"),
        initrd: asset("initrd"),
        jailer: asset("jailer"),
        kernel: asset("kernel"),
    };
    RuntimeConfig {
        hypervisor_type: HypervisorType::parse(kind).unwrap(),
        hypervisor_config: hv,
        agent_config: agent(&case["agent"]),
        ..RuntimeConfig::default()
    }
}

/// Equal, where numbers are compared as numbers, and a list without elements is no list.
fn same(a: &Json, b: &Json) -> bool {
    match (a, b) {
        (Json::Number(a), Json::Number(b)) => a.as_f64() == b.as_f64(),
        (Json::Object(a), Json::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(k, v)| b.get(k).is_some_and(|w| same(v, w)))
        }
        (Json::Array(a), Json::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(v, w)| same(v, w)),
        (Json::Null, Json::Array(list)) | (Json::Array(list), Json::Null) => list.is_empty(),
        _ => a == b,
    }
}

/// Collects what differs in one case.
struct Differences(String);

impl Differences {
    fn lines(&mut self, name: &str, want: &[&str], got: &[&str]) {
        for i in 0..want.len().max(got.len()) {
            if want.get(i) != got.get(i) {
                self.0 += &format!("  {name}[{i}]\n    - {:?}\n    + {:?}\n", want.get(i), got.get(i));
                return;
            }
        }
    }

    fn json(&mut self, name: &str, want: &Json, got: &Json) {
        if !same(want, got) {
            self.0 += &format!("  {name}\n    - {want}\n    + {got}\n");
        }
    }
}

fn texts(args: &[Arg]) -> impl Iterator<Item = &str> {
    args.iter().map(|arg| arg.text.as_str())
}

fn differences(host: &Host, case: &Json, vectors: &Json) -> String {
    let runtime = runtime(case, &vectors["base"]);
    let mut config = SandboxConfig::new(&runtime, "SANDBOXID", "oracle-pod");
    config.rootless_shim = case["rootless"] == true;
    let annotations = Annotations::default();
    let sandbox =
        Sandbox { id: "SANDBOXID", hostname: "oracle-pod", host_network: false, annotations: &annotations };
    let mut found = Differences(String::new());
    let outcome = go::launch(host, &config, &sandbox);
    assert_eq!(go::check(host, &config, &sandbox).err(), outcome.as_ref().err().cloned());
    let (launch, agent, _) = match outcome {
        Ok(started) => started,
        Err(failure) => {
            found.json("error", &case["error"], &failure.message.into());
            return found.0;
        }
    };
    found.json("error", &case["error"], &Json::Null);
    let strings = |list: &Json| -> Vec<&str> {
        let list = list.as_array().into_iter().flatten();
        list.map(|n| vectors["strings"][n.as_u64().unwrap() as usize].as_str().unwrap()).collect()
    };
    let program = launch.program.as_deref().filter(|_| !case["argv"].is_null());
    let args: Vec<&str> = program.into_iter().chain(texts(&launch.args)).collect();
    if case["error"].is_null() {
        found.lines("argv", &strings(&case["argv"]), &args);
    }
    let helper: Vec<&str> = launch
        .helpers
        .iter()
        .flat_map(|helper| std::iter::once(helper.program.as_str()).chain(texts(&helper.args)))
        .collect();
    found.lines("helper", &strings(&case["helper"]), &helper);
    let body = |name: &str| launch.requests.iter().find(|r| r.path == name).map(|r| r.body.clone());
    let file = launch.files.first().map(|file| file.body.clone());
    found.json("vm_config", &case["vm_config"], &body("vm.create").unwrap_or_default());
    found.json("create_vm", &case["create_vm"], &body("CreateVM").unwrap_or_default());
    found.json("fc_config", &case["fc_config"], &file.unwrap_or_default());
    found.lines("cmdline", &strings(&Json::from(vec![case["cmdline"].clone()])), &[&agent.kernel_cmdline]);
    let request = &vectors["create_sandbox"][case["create_sandbox"].as_u64().unwrap() as usize];
    found.json("create_sandbox", request, &agent.create_sandbox);
    found.json("policy", &case["policy"], &agent.policy.into());
    found.0
}

#[test]
fn every_recorded_sandbox_is_started_as_the_runtime_starts_it() {
    let vectors: Json = serde_json::from_str(&tokens(include_str!("vectors/go-launch.json"))).unwrap();
    let mut files = MemoryFiles::new();
    for file in vectors["files"].as_array().unwrap() {
        files = files.file(file[0].as_str().unwrap(), 0o755, vec![0; file[1].as_u64().unwrap() as usize]);
    }
    let host = Host::new(HostFacts::default(), Arc::new(files));
    let mut report = String::new();
    let cases = vectors["cases"].as_array().unwrap();
    for case in cases {
        let found = differences(&host.with_facts(facts(&case["host"])), case, &vectors);
        if !found.is_empty() {
            report += &format!("{} ({})\n{found}", case["id"], case["type"]);
        }
    }
    assert!(report.is_empty(), "recorded -, modelled +\n{report}");
    assert_eq!(cases.len(), 340);
}
