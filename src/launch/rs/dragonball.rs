//! Dragonball, which runs inside the shim: the actions that its VM is made with.
//!
//! Facts: src/runtime-rs/crates/hypervisor/src/dragonball and src/dragonball at each tag.

use std::error::Error;

use go_flag::FlagSet;
use serde_json::{Value as Json, json};

use super::firecracker::debug_of;
use super::kernel::KernelLine;
use super::network::{Backend, Endpoint};
use super::resources::{Disk, Driver, Resources};
use super::share_fs::{self, Share};
use super::{Context, Refusal, Start, Vm, refuse};
use crate::answer::launch::{Arg, Cause, Launch, Request};
use crate::launch::body::{Body, bare_request};
use crate::release::rs::Change;
use crate::runtime::rs::config::HugePageType;

const MIB: u64 = 1024 * 1024;

/// Options of the file sharing that is built in.
#[derive(Debug, Clone)]
struct Inline {
    thread_pool_size: u16,
    drop_sys_resource: bool,
    cache_policy: String,
    no_open: bool,
    writeback_cache: bool,
    xattr: bool,
    no_readdir: bool,
}

impl Inline {
    /// What holds unless something else is asked for.
    fn usual(start: &Start<'_>, cache_policy: &str) -> Self {
        Self {
            thread_pool_size: 0,
            drop_sys_resource: false,
            cache_policy: cache_policy.to_owned(),
            no_open: true,
            writeback_cache: true,
            xattr: start.has(Change::SharedAttributes),
            no_readdir: false,
        }
    }

    /// `parse_inline_virtiofs_args`
    fn parse(start: &Start<'_>) -> Result<Self, Refusal> {
        let info = &start.hv.shared_fs;
        let mut options = Self::usual(start, &info.virtio_fs_cache);
        let (mut debug, mut list) = (false, String::new());
        let mut flags = FlagSet::new();
        flags.add_flag("d", &mut debug);
        flags.add_flag("thread-pool-size", &mut options.thread_pool_size);
        flags.add_flag("drop-sys-resource", &mut options.drop_sys_resource);
        flags.add_flag("o", &mut list);
        if let Err(why) = flags.parse::<String, _>(&info.virtio_fs_extra_args) {
            let reason = why.source().map(|reason| format!(": {reason}")).unwrap_or_default();
            let message = format!("parse args: {:?}: {why}{reason}", info.virtio_fs_extra_args);
            return refuse(message, &["hypervisor.virtio_fs_extra_args"]);
        }
        for option in list.split(',') {
            match option {
                "cache=none" | "cache=auto" | "cache=always" => {
                    option.trim_start_matches("cache=").clone_into(&mut options.cache_policy);
                }
                "no_open" => options.no_open = true,
                "open" => options.no_open = false,
                "writeback_cache" | "writeback" => options.writeback_cache = true,
                "no_writeback_cache" | "no_writeback" => options.writeback_cache = false,
                "xattr" => options.xattr = true,
                "no_xattr" => options.xattr = false,
                "no_readdir" => options.no_readdir = true,
                // Anything else is warned about and passed over.
                _ => {}
            }
        }
        Ok(options)
    }
}

/// A Dragonball sandbox that will not fail any more.
pub(super) struct Dragonball<'a> {
    start: Start<'a>,
    resources: Resources<'a>,
    kernel: KernelLine<'a>,
    inline: Option<Inline>,
}

impl<'a> Dragonball<'a> {
    pub(super) fn new(start: Start<'a>) -> Result<Self, Refusal> {
        let resources = Resources::new(&start, true)?;
        Self::cold(start, resources).context("start vm")
    }

    /// `cold_start_vm`
    fn cold(start: Start<'a>, resources: Resources<'a>) -> Result<Self, Refusal> {
        let hv = start.hv;
        let mut kernel = KernelLine::new(&start);
        if hv.boot_info.initrd.is_empty() || !start.has(Change::DragonballInitrd) {
            let decided = Cause::keys([start.keys.image, start.keys.block_device_driver]);
            let driver = &hv.blockdev_info.block_device_driver;
            kernel.root(&start, driver, decided, &hv.boot_info.rootfs_type, true)?;
        }
        kernel.configured(&start);
        if start.config.runtime.use_passfd_io && start.has(Change::MaxMemory) {
            let port = start.config.runtime.passfd_listener_port.to_string();
            let cause = Cause::keys(["runtime.use_passfd_io", "runtime.passfd_listener_port"]);
            kernel.push("agent.passfd_listener_port", port, cause);
        }
        kernel.check().context("kernel params to string")?;
        own_root(&start)?;
        let inline = match &resources.share {
            Some(share) if share.kind == share_fs::Kind::Inline => {
                Some(Inline::parse(&start).context("add_device: add share fs device")?)
            }
            _ => None,
        };
        if let Some(protection) = &resources.protection {
            if !start.has(Change::DragonballRefuses) {
                return Err(Refusal::crash("not yet implemented", &["hypervisor.confidential_guest"]));
            }
            let message = format!("add_device: unsupported device Protection({})", debug_of(protection));
            return refuse(message, &["hypervisor.confidential_guest"]);
        }
        let template = &hv.vm_template;
        if start.has(Change::TemplatesEverywhere)
            && template.boot_from_template
            && (template.memory_path.is_empty() || template.device_state_path.is_empty())
        {
            let message = "start vmm instance: vm_template memory_path/device_state_path are not configured";
            return refuse(message, &[]);
        }
        Ok(Self { start, resources, kernel, inline })
    }

    fn configuration(&self) -> Body {
        let (hv, keys) = (self.start.hv, self.start.keys);
        let memory = &hv.memory_info;
        let huge = memory.enable_hugepages && self.start.has(Change::DragonballHugePages);
        let (kind, file) = match (huge, memory.hugepage_type) {
            (false, _) => ("shmem", ""),
            (true, HugePageType::Thp) => ("hugeshmem", ""),
            (true, HugePageType::Hugetlbfs) => ("hugetlbfs", "/dev/hugepages"),
        };
        let vcpus = match hv.cpu_info.default_vcpus {
            vcpus if self.start.has(Change::CeiledVcpus) => vcpus.ceil() as u8,
            vcpus if self.start.has(Change::WholeVcpus) => vcpus as i32 as u8,
            vcpus => vcpus as u8,
        };
        let topology =
            json!({ "threads_per_core": 1, "cores_per_die": 1, "dies_per_socket": 1, "sockets": 1 });
        Body::default()
            .by("vcpu_count", vcpus, keys.default_vcpus)
            // Eight bits are left of the number.
            .by("max_vcpu_count", hv.cpu_info.default_maxvcpus as u8, keys.default_maxvcpus)
            .set("cpu_pm", "on")
            .set("cpu_topology", topology)
            .set("vpmu_feature", 0)
            .by("mem_type", kind, keys.enable_hugepages)
            .by("mem_file_path", file, keys.hugepage_type)
            .by("mem_size_mib", memory.default_memory, keys.default_memory)
            .set("serial_path", format!("/run/kata/{}/console.sock", self.start.paths.id))
            .set_if(self.start.has(Change::MaxMemory), "pci_hotplug_enabled", true)
    }

    fn boot(&self, cmdline: &str) -> Body {
        let (boot, keys) = (&self.start.hv.boot_info, self.start.keys);
        let initrd = (!boot.initrd.is_empty()).then(|| self.start.jailed(&boot.initrd, "initrd"));
        Body::default()
            .by("kernel_path", self.start.jailed(&boot.kernel, "vmlinux"), keys.kernel)
            .by("initrd_path", initrd, keys.initrd)
            .by("boot_args", (!cmdline.is_empty()).then_some(cmdline), keys.kernel_params)
    }

    fn vsock(&self) -> Body {
        Body::default()
            .set("id", "root")
            .set("guest_cid", 3)
            .set("uds_path", format!("{}/kata.hvsock", self.start.paths.jail()))
            .nulls(&["tcp_addr"])
            .set("queue_size", [256, 256, 256])
            .nulls(&NO_IRQ)
    }

    fn endpoint(&self, endpoint: &Endpoint) -> Body {
        let (start, keys) = (&self.start, self.start.keys);
        let pairs = start.has(Change::CardQueues);
        let queues = if pairs { endpoint.queue_pairs.max(1) * 2 } else { endpoint.queue_pairs };
        // Too long a queue loses its upper bits.
        let queue_size = endpoint.queue_size as u16;
        let named =
            |body: Body| body.set("iface_id", &endpoint.interface).set("host_dev_name", endpoint.tap());
        let unlimited = |body: Body| body.nulls(&["rx_rate_limiter", "tx_rate_limiter"]);
        if !start.has(Change::DragonballCardBackend) {
            let body = named(Body::default())
                .set("num_queues", queues)
                .set("queue_size", queue_size)
                .set("guest_mac", &endpoint.mac);
            return unlimited(body).set("allow_duplicate_mac", false).nulls(&NO_IRQ);
        }
        let backend = match &endpoint.backend {
            Backend::Tap { .. } => {
                let kind = if start.hv.network_info.disable_vhost_net { "virtio" } else { "vhost" };
                let body = named(Body::default().by("type", kind, keys.disable_vhost_net));
                unlimited(body).set("allow_duplicate_mac", false)
            }
            Backend::VhostUser { socket } => Body::default()
                .by("type", "vhost-user", keys.disable_vhost_net)
                .set("sock_path", socket)
                .set_if(start.has(Change::VhostUserNamed), "iface_id", &endpoint.interface),
        };
        Body::default()
            .by("num_queues", queues, keys.network_queues)
            .set("queue_size", queue_size)
            .part("backend", backend)
            .set("guest_mac", &endpoint.mac)
            .nulls(&NO_IRQ)
    }

    fn share_device(&self, share: &Share) -> Body {
        let (info, keys) = (&self.start.hv.shared_fs, self.start.keys);
        // Too long a queue loses its upper bits.
        let queue_size = if share.queue_size > 0 { share.queue_size as u16 } else { 1024 };
        let served = Inline::usual(&self.start, "always");
        let options = self.inline.as_ref().unwrap_or(&served);
        let cache_size = u64::from(info.virtio_fs_cache_size).saturating_mul(MIB);
        let inline = self.inline.is_some();
        let bucket = bucket(0, None, 0);
        Body::default()
            .set("sock_path", share.socket(&self.start))
            .set("tag", "kataShared")
            .set("num_queues", 1)
            .by("queue_size", queue_size, keys.virtio_fs_queue_size)
            .by("cache_size", cache_size, keys.virtio_fs_cache_size)
            .by("thread_pool_size", options.thread_pool_size, keys.virtio_fs_extra_args)
            .by("cache_policy", &options.cache_policy, keys.virtio_fs_cache)
            .by("writeback_cache", options.writeback_cache, keys.virtio_fs_extra_args)
            .by("no_open", options.no_open, keys.virtio_fs_extra_args)
            .by("xattr", options.xattr, keys.virtio_fs_extra_args)
            .by("drop_sys_resource", options.drop_sys_resource, keys.virtio_fs_extra_args)
            .by("mode", if inline { "virtio" } else { "vhostuser" }, keys.shared_fs)
            .set("fuse_killpriv_v2", inline)
            .by("no_readdir", options.no_readdir, keys.virtio_fs_extra_args)
            .set("rate_limiter", json!({ "bandwidth": bucket, "ops": bucket }))
            .nulls(&NO_IRQ)
    }

    /// The root file system as releases inserted it that registered no disk for it.
    fn own_root(&self) -> Body {
        let boot = &self.start.hv.boot_info;
        let path = if boot.initrd.is_empty() { &boot.image } else { &boot.initrd };
        let path = self.start.jailed(path, "rootfs");
        block("rootfs", "RawBlock", path, false, Json::Null).because("path_on_host", self.start.keys.image)
    }

    fn disk(&self, disk: &Disk<'_>) -> Body {
        let (start, keys, info) = (&self.start, self.start.keys, &self.start.hv.blockdev_info);
        let kind = match &*disk.path {
            path if path.starts_with("spool:/") => "Spool",
            path if path.starts_with("spdk:/") => "Spdk",
            _ => "RawBlock",
        };
        let limits = json!({
            "bandwidth":
                bucket(info.disk_rate_limiter_bw_max_rate, info.disk_rate_limiter_bw_one_time_burst, 1000),
            "ops": bucket(info.disk_rate_limiter_ops_max_rate, info.disk_rate_limiter_ops_one_time_burst, 1000),
        });
        let limits = if start.has(Change::DragonballRateLimiter) { limits } else { Json::Null };
        let path = start.jailed(&disk.path, "{nonce}");
        let on_bus = (disk.driver == Driver::Blk).then_some(true);
        let (key, driver) = self.resources.keys_of(disk);
        block("{nonce}", kind, path, info.block_device_cache_direct, limits)
            .because("path_on_host", key)
            .because("is_direct", keys.block_device_cache_direct)
            .because("rate_limiter/bandwidth/size", keys.disk_rate_limiter_bw_max_rate)
            .because("rate_limiter/bandwidth/one_time_burst", keys.disk_rate_limiter_bw_one_time_burst)
            .because("rate_limiter/ops/size", keys.disk_rate_limiter_ops_max_rate)
            .because("rate_limiter/ops/one_time_burst", keys.disk_rate_limiter_ops_one_time_burst)
            .by_if(start.has(Change::PciBus), "use_pci_bus", on_bus, driver)
            .set_if(start.has(Change::SparseBlocks), "sparse", false)
    }

    /// What the VM is started with.
    fn begin(&self) -> Request {
        let template = &self.start.hv.vm_template;
        if !template.boot_from_template || !self.start.has(Change::TemplatesEverywhere) {
            return bare_request("action", "StartMicroVm");
        }
        Body::default()
            .all_by(self.start.keys.boot_from_template)
            .set("device_state_path", &template.device_state_path)
            .set("memory_path", &template.memory_path)
            .request("action", "StartMicroVmFromSnapshot")
    }
}

impl Vm for Dragonball<'_> {
    fn resources(&self) -> &Resources<'_> {
        &self.resources
    }

    fn kernel_params(&self) -> Vec<Arg> {
        self.kernel.args()
    }

    fn launch(&self, cmdline: &str) -> Launch {
        let Resources { network, share, disks, .. } = &self.resources;
        let action = |name: &str, body: Body| body.request("action", name);
        let mut requests = vec![
            action("SetVmConfiguration", self.configuration()),
            action("ConfigureBootSource", self.boot(cmdline)),
        ];
        if !self.start.has(Change::VmRootfs) {
            requests.push(action("InsertBlockDevice", self.own_root()));
        }
        requests.push(action("InsertVsockDevice", self.vsock()));
        let endpoints = network.endpoints.iter().map(|endpoint| self.endpoint(endpoint));
        requests.extend(endpoints.map(|body| action("InsertNetworkDevice", body)));
        requests.extend(share.iter().map(|share| action("InsertFsDevice", self.share_device(share))));
        requests.extend(disks.iter().map(|disk| action("InsertBlockDevice", self.disk(disk))));
        requests.push(self.begin());
        Launch { helpers: self.resources.helpers(), requests, ..Launch::default() }
    }
}

/// No device asks for an interrupt of its own.
const NO_IRQ: [&str; 2] = ["use_shared_irq", "use_generic_irq"];

fn block(id: &str, kind: &str, path: String, direct: bool, limits: Json) -> Body {
    Body::default()
        .set("drive_id", id)
        .set("device_type", kind)
        .set("path_on_host", path)
        .set("is_root_device", false)
        .nulls(&["part_uuid"])
        .set("is_read_only", true)
        .set("is_direct", direct)
        .set("no_drop", false)
        .set("num_queues", 1)
        .set("queue_size", 256)
        .set("rate_limiter", limits)
        .nulls(&NO_IRQ)
}

/// A limit, with the milliseconds in which it is filled again.
fn bucket(rate: u64, burst: Option<u64>, refill: u32) -> Json {
    json!({ "size": rate, "one_time_burst": burst.unwrap_or(0), "refill_time": refill })
}

/// `set_vm_rootfs`, where it is Dragonball's own business.
fn own_root(start: &Start<'_>) -> Result<(), Refusal> {
    let driver = start.hv.blockdev_info.block_device_driver.as_str();
    if start.has(Change::VmRootfs) || driver == "virtio-blk" {
        return Ok(());
    }
    let path = start.hv.boot_info.image.as_str();
    let message = format!("Unknown vm_rootfs driver {driver} path {path:?}");
    refuse(message, &["hypervisor.block_device_driver"]).context("set vm rootfs")
}
