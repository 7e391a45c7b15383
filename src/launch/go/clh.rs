//! Cloud Hypervisor: the process, and the body of its `vm.create` request.
//!
//! Facts: src/runtime/virtcontainers/clh.go, and the defaults of
//! src/runtime/virtcontainers/pkg/cloud-hypervisor/client at 4.1.0. Bodies have their keys in the order of
//! the alphabet, as the client sends them.

use serde_json::{Map, Value as Json, json};

use super::daemon::{Daemon, NYDUSD_API};
use super::guest_kernel::{Root, configured, extend};
use super::keys::{self, Keys};
use super::paths::Paths;
use super::remarks::Remarks;
use super::{Boot, Refusal, Started};
use crate::finding::Finding;
use crate::input::Host;
use crate::input::host::{Arch, Protection};
use crate::launch::{Arg, Cause, Launch, Request, joined};
use crate::runtime::go::config::{HypervisorType, SandboxConfig, SandboxHypervisor};

const DEFAULT_PATH: &str = "/usr/local/bin/cloud-hypervisor";
const API_SOCKET: &str = "clh-api.sock";
const VSOCK_SOCKET: &str = "clh.sock";
const SHARE_SOCKET: &str = "virtiofsd.sock";
/// Milliseconds in which a token bucket is filled again.
const REFILL: u32 = 1000;

/// Everything that is decided before anything is spelled out.
pub(super) struct Plan<'a> {
    config: &'a SandboxConfig<'a>,
    hv: &'a SandboxHypervisor<'a>,
    keys: &'static Keys,
    paths: Paths<'a>,
    arch: Arch,
    boot: Boot<'a>,
    root: Root<'a>,
    tdx: bool,
    mshv: bool,
    daemon: Option<Daemon>,
    program: &'a str,
}

/// `key=value`, whatever is empty.
fn spelled(key: &str, value: &str) -> Option<String> {
    Some(if value.is_empty() { key.to_owned() } else { [key, "=", value].concat() })
}

/// Bits per second, in thousands of thousands, as bytes in the powers of 1024 that the VMM counts in.
fn as_bytes(bits: i64) -> i64 {
    fn powers(number: u64) -> u64 {
        match number / 1000 {
            0 => number,
            thousands => powers(thousands).wrapping_mul(1024).wrapping_add(number % 1000),
        }
    }
    powers((bits / 8) as u64) as i64
}

fn bucket(size: i64, burst: i64) -> Json {
    let mut bucket = Map::new();
    if burst != 0 {
        bucket.insert("one_time_burst".into(), burst.into());
    }
    bucket.insert("refill_time".into(), REFILL.into());
    bucket.insert("size".into(), size.into());
    bucket.into()
}

impl<'a> Plan<'a> {
    /// Decides, or says where upstream gives up.
    pub(super) fn new(host: &Host, config: &'a SandboxConfig<'a>) -> Result<Self, Refusal> {
        let hv = &config.hypervisor_config;
        let paths = Paths::of(config);
        if hv.confidential_guest {
            check_protection(host, hv)?;
        }
        let root = Root::new(&hv.rootfs_type, false, false, &hv.kernel_verity_params)?;
        let boot = Boot::of(hv)?;
        paths.check_socket(API_SOCKET)?;
        paths.check_socket(SHARE_SOCKET)?;
        let daemon = Daemon::of(&hv.shared_fs);
        if let Some(daemon) = daemon {
            daemon.check_sockets(paths, SHARE_SOCKET)?;
        }

        // configure of the agent
        paths.check_socket(VSOCK_SOCKET)?;
        if daemon.is_none() && hv.shared_fs != "none" {
            return Err(Refusal::because(
                format!("shared fs method not supported {}", hv.shared_fs),
                &["shared_fs"],
            ));
        }

        // StartVM
        if let Some(daemon) = daemon {
            daemon.check_start(host, hv)?;
        }
        let program = match hv.hypervisor_asset_path() {
            "" => DEFAULT_PATH,
            path => path,
        };
        if let Err(errno) = host.stat(program) {
            return Err(Refusal::because(
                format!(
                    "failed to launch cloud-hypervisor: \"Cloud-Hypervisor path ({program}) is not \
                     accessible: stat {program}: {}\"",
                    errno.go()
                ),
                &["path"],
            ));
        }
        Ok(Self {
            config,
            hv,
            keys: keys::of(HypervisorType::Clh),
            paths,
            arch: host.facts.arch,
            boot,
            root,
            tdx: hv.confidential_guest,
            mshv: host.finds("/dev/mshv"),
            daemon,
            program,
        })
    }

    /// Spells it out.
    pub(super) fn start(self, host: &Host) -> Started {
        let kernel_params = self.kernel_params();
        let kernel_cmdline = joined(&kernel_params);
        let helpers = self
            .daemon
            .map(|daemon| daemon.helper(self.hv, self.keys, self.paths, SHARE_SOCKET, NYDUSD_API, false));
        let create = Request {
            method: "PUT".into(),
            path: "vm.create".into(),
            body: self.vm_config(kernel_cmdline.trim()),
            causes: self.causes(),
        };
        let boot =
            Request { method: "PUT".into(), path: "vm.boot".into(), body: Json::Null, causes: Vec::new() };
        Started {
            launch: Launch {
                program: Some(self.program.to_owned()),
                args: self.args(),
                helpers: helpers.into_iter().collect(),
                requests: vec![create, boot],
                ..Launch::default()
            },
            kernel_params,
            kernel_cmdline,
            shares_files: self.hv.shared_fs != "none",
            findings: self.findings(host),
        }
    }

    /// What fails after the point up to which the launch is modelled.
    pub(super) fn findings(&self, host: &Host) -> Vec<Finding> {
        Remarks::of(host, self.config, self.keys, self.daemon.is_some()).0
    }

    fn args(&self) -> Vec<Arg> {
        let hv = self.hv;
        let mut args = vec![
            Arg::new("--api-socket", Cause::constant()),
            Arg::new(self.paths.in_vm(API_SOCKET), Cause::constant()),
        ];
        if hv.debug && hv.hypervisor_loglevel > 0 {
            let verbose = format!("-{}", "v".repeat(hv.hypervisor_loglevel as usize));
            args.push(Arg::new(
                verbose,
                Cause::keys([self.keys.hypervisor_loglevel, self.keys.enable_debug]),
            ));
        }
        if hv.disable_seccomp {
            for text in ["--seccomp", "false"] {
                args.push(Arg::new(text, Cause::key(self.keys.disable_seccomp)));
            }
        }
        args
    }

    fn kernel_params(&self) -> Vec<Arg> {
        let (hv, keys) = (self.hv, self.keys);
        let mut out = Vec::with_capacity(24);
        self.root.params(keys, &Cause::rule("the image is the first disk"), &mut out);
        extend(
            &mut out,
            &[("panic", "1"), ("no_timer_check", ""), ("noreplace-smp", "")],
            &Cause::constant(),
        );
        if hv.iommu {
            extend(&mut out, &[("iommu", "pt")], &Cause::key(keys.enable_iommu));
        }
        let debug = Cause::key(keys.enable_debug);
        if hv.debug {
            let console = match self.arch {
                _ if hv.confidential_guest => "hvc0",
                Arch::Aarch64 => "ttyAMA0,115200n8",
                _ => "ttyS0,115200n8",
            };
            extend(&mut out, &[("console", console), ("systemd.log_target", "console")], &debug);
        } else {
            extend(&mut out, &[("quiet", "")], &debug);
        }
        configured(self.config, keys, spelled, &mut out);
        out
    }

    fn vm_config(&self, cmdline: &str) -> Json {
        let hv = self.hv;
        let mut body = Map::new();
        if hv.reclaim_guest_freed_memory && !hv.confidential_guest {
            body.insert(
                "balloon".into(),
                json!({ "deflate_on_oom": false, "free_page_reporting": true, "size": 0 }),
            );
        }
        let tty = |on: bool| if on { "Tty" } else { "Off" };
        let (console, serial) =
            if hv.confidential_guest { (tty(hv.debug), "Off") } else { ("Off", tty(hv.debug)) };
        body.insert("console".into(), json!({ "iommu": hv.iommu, "mode": console }));
        let max = hv.default_max_vcpus as i32;
        body.insert(
            "cpus".into(),
            json!({
                "boot_vcpus": hv.num_vcpus() as i32,
                "kvm_hyperv": false,
                "max_vcpus": max,
                "nested": !self.mshv,
                "topology": {
                    "cores_per_die": max,
                    "dies_per_package": 1,
                    "packages": 1,
                    "threads_per_core": 1,
                },
            }),
        );
        let disks = self.disks();
        if !disks.is_empty() {
            body.insert("disks".into(), disks.into());
        }
        if self.daemon.is_some() {
            // Loading never sets it for this hypervisor.
            let queue = if hv.virtio_fs_queue_size == 0 { 1024 } else { hv.virtio_fs_queue_size as i32 };
            body.insert(
                "fs".into(),
                json!([{
                    "num_queues": 1,
                    "pci_segment": 1,
                    "queue_size": queue,
                    "socket": self.paths.in_vm(SHARE_SOCKET),
                    "tag": "kataShared",
                }]),
            );
        }
        body.insert("iommu".into(), false.into());
        body.insert("landlock_enable".into(), false.into());
        body.insert("memory".into(), self.memory());
        body.insert("payload".into(), self.payload(cmdline));
        let mut platform = Map::new();
        if hv.iommu {
            platform.insert("iommu_segments".into(), json!([0]));
        }
        platform.insert("num_pci_segments".into(), 2.into());
        platform.insert("sev_snp".into(), false.into());
        platform.insert("tdx".into(), self.tdx.into());
        body.insert("platform".into(), platform.into());
        body.insert("pvpanic".into(), false.into());
        body.insert("rng".into(), json!({ "iommu": hv.iommu, "src": hv.entropy_source }));
        body.insert("serial".into(), json!({ "iommu": false, "mode": serial }));
        body.insert(
            "vsock".into(),
            json!({ "cid": 3, "iommu": hv.iommu, "socket": self.paths.in_vm(VSOCK_SOCKET) }),
        );
        body.insert("watchdog".into(), false.into());
        body.into()
    }

    fn payload(&self, cmdline: &str) -> Json {
        let mut payload = Map::new();
        payload.insert("cmdline".into(), cmdline.into());
        if self.tdx {
            payload.insert("firmware".into(), self.hv.firmware_asset_path().into());
        }
        match self.boot {
            Boot::Initrd(path) => {
                payload.insert("initramfs".into(), path.into());
            }
            Boot::Sealed => {
                payload.insert("initramfs".into(), "".into());
            }
            Boot::Image(_) => {}
        }
        payload.insert("kernel".into(), self.hv.kernel_asset_path().into());
        payload.into()
    }

    fn memory(&self) -> Json {
        let hv = self.hv;
        let bytes = |mib: u64| mib.wrapping_mul(1 << 20) as i64;
        let mut memory = Map::new();
        memory.insert("hotplug_method".into(), "Acpi".into());
        if !hv.confidential_guest {
            memory.insert("hotplug_size".into(), bytes(hv.default_max_memory_size).into());
        }
        memory.insert("hugepages".into(), hv.huge_pages.into());
        memory.insert("mergeable".into(), false.into());
        memory.insert("prefault".into(), false.into());
        memory.insert("shared".into(), (hv.shared_fs != "none" || hv.huge_pages).into());
        memory.insert("size".into(), bytes(hv.memory_size.into()).into());
        memory.insert("thp".into(), true.into());
        memory.into()
    }

    fn disks(&self) -> Vec<Json> {
        let hv = self.hv;
        let mut disks = Vec::new();
        let limiter = self.rate_limiter();
        let mut add = |direct: bool, iommu: bool, queues: i32, path: &str, size: i32| {
            let mut disk = Map::new();
            disk.insert("backing_files".into(), false.into());
            disk.insert("direct".into(), direct.into());
            disk.insert("image_type".into(), "Raw".into());
            disk.insert("iommu".into(), iommu.into());
            disk.insert("num_queues".into(), queues.into());
            disk.insert("path".into(), path.into());
            disk.insert("queue_size".into(), size.into());
            if let Some(limiter) = &limiter {
                disk.insert("rate_limiter_config".into(), limiter.clone());
            }
            disk.insert("readonly".into(), true.into());
            disk.insert("sparse".into(), true.into());
            disk.insert("vhost_user".into(), false.into());
            disks.push(Json::Object(disk));
        };
        if let Boot::Image(path) = self.boot {
            add(false, false, 1, path, 128);
        }
        if !hv.initdata.is_empty() {
            let path = format!("/run/kata-containers/shared/initdata/{}/data.img", self.paths.id);
            let direct = hv.block_device_cache_set && hv.block_device_cache_direct;
            add(direct, hv.iommu, hv.num_vcpus() as i32, &path, 1024);
        }
        disks
    }

    fn rate_limiter(&self) -> Option<Json> {
        let hv = self.hv;
        let bandwidth = as_bytes(hv.disk_rate_limiter_bw_max_rate);
        let operations = hv.disk_rate_limiter_ops_max_rate;
        if bandwidth == 0 && operations == 0 {
            return None;
        }
        let mut limiter = Map::new();
        if bandwidth != 0 {
            let burst = as_bytes(hv.disk_rate_limiter_bw_one_time_burst);
            limiter.insert("bandwidth".into(), bucket(bandwidth, burst));
        }
        if operations != 0 {
            limiter.insert("ops".into(), bucket(operations, hv.disk_rate_limiter_ops_one_time_burst));
        }
        Some(limiter.into())
    }

    /// What decided each part of the body; the other parts are the same for every pod.
    fn causes(&self) -> Vec<(String, Cause)> {
        let keys = self.keys;
        let causes = [
            ("/balloon", Cause::key(keys.reclaim_guest_freed_memory)),
            ("/console/iommu", Cause::key(keys.enable_iommu)),
            ("/console/mode", Cause::keys([keys.enable_debug, keys.confidential_guest])),
            ("/cpus/boot_vcpus", Cause::key(keys.default_vcpus).by("rounded up")),
            ("/cpus/max_vcpus", Cause::key(keys.default_maxvcpus)),
            ("/cpus/nested", Cause::rule("false where the host has /dev/mshv")),
            ("/cpus/topology/cores_per_die", Cause::key(keys.default_maxvcpus)),
            ("/disks/0", Cause::key(keys.image)),
            (
                "/disks/0/rate_limiter_config",
                Cause::keys([
                    keys.disk_rate_limiter_bw_max_rate,
                    keys.disk_rate_limiter_bw_one_time_burst,
                    keys.disk_rate_limiter_ops_max_rate,
                    keys.disk_rate_limiter_ops_one_time_burst,
                ]),
            ),
            ("/disks/1", Cause::key(keys.cc_init_data)),
            ("/disks/1/iommu", Cause::keys([keys.cc_init_data, keys.enable_iommu])),
            ("/disks/1/num_queues", Cause::keys([keys.cc_init_data, keys.default_vcpus])),
            ("/fs", Cause::key(keys.shared_fs)),
            ("/memory/hotplug_size", Cause::keys([keys.default_maxmemory, keys.confidential_guest])),
            ("/memory/hugepages", Cause::key(keys.enable_hugepages)),
            ("/memory/shared", Cause::keys([keys.shared_fs, keys.enable_hugepages])),
            ("/memory/size", Cause::key(keys.default_memory)),
            ("/payload/cmdline", Cause::key(keys.kernel_params).by("see the kernel parameters")),
            ("/payload/firmware", Cause::keys([keys.firmware, keys.confidential_guest])),
            ("/payload/initramfs", Cause::key(keys.initrd)),
            ("/payload/kernel", Cause::key(keys.kernel)),
            ("/platform/iommu_segments", Cause::key(keys.enable_iommu)),
            ("/platform/tdx", Cause::key(keys.confidential_guest)),
            ("/rng/src", Cause::key(keys.entropy_source)),
            ("/rng/iommu", Cause::key(keys.enable_iommu)),
            ("/serial/mode", Cause::keys([keys.enable_debug, keys.confidential_guest])),
            ("/vsock/iommu", Cause::key(keys.enable_iommu)),
        ];
        causes.into_iter().map(|(pointer, cause)| (pointer.to_owned(), cause)).collect()
    }
}

fn check_protection(host: &Host, hv: &SandboxHypervisor<'_>) -> Result<(), Refusal> {
    let refuse = |message: &'static str| Err(Refusal::because(message, &["confidential_guest"]));
    match (host.facts.arch, host.facts.protection) {
        (Arch::X86_64, Protection::Tdx) if hv.firmware_asset_path().is_empty() => {
            refuse("Firmware path is not specified")
        }
        (Arch::X86_64, Protection::Tdx) => Ok(()),
        (Arch::X86_64, Protection::Snp) => refuse("SEV-SNP protection is not supported by Cloud Hypervisor"),
        _ => refuse("This system doesn't support Confidential Computing (Guest Protection)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_become_powers_of_1024() {
        assert_eq!(as_bytes(8_000), 1024);
        assert_eq!(as_bytes(10_000_000), 1024 * (1024 + 250));
        assert_eq!(as_bytes(7_999), 999);
    }
}
