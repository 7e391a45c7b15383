//! Dragonball, which runs inside the shim: the actions that its VM is made with.
//!
//! Facts: src/runtime-rs/crates/hypervisor/src/dragonball and src/dragonball at each tag.

use serde_json::{Value as Json, json};

use super::firecracker::debug_of;
use super::flags::{self, Slot};
use super::kernel::KernelLine;
use super::network::{Backend, Card};
use super::remarks::Remarks;
use super::resources::{Disk, Driver, Resources, Role};
use super::share_fs::{self, Share};
use super::{Refusal, Spelled, Start, Within};
use crate::answer::launch::{Cause, Launch, Request, joined};
use crate::launch::put;
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

/// A Dragonball sandbox that will not fail any more.
pub(super) struct Plan<'a> {
    start: Start<'a>,
    pub(super) resources: Resources<'a>,
    kernel: KernelLine<'a>,
    inline: Option<Inline>,
    jailed: bool,
}

impl<'a> Plan<'a> {
    pub(super) fn new(start: Start<'a>) -> Result<Self, Refusal> {
        let resources = Resources::new(&start, true)?;
        Self::cold(start, resources).within("start vm")
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
        kernel.check().within("kernel params to string")?;
        own_root(&start)?;
        let inline = match &resources.share {
            Some(share) if share.kind == share_fs::Kind::Inline => {
                Some(inline(&start).within("add_device: add share fs device")?)
            }
            _ => None,
        };
        if let Some(protection) = &resources.protection {
            if !start.has(Change::DragonballRefuses) {
                return Err(Refusal::crash("not yet implemented", &["hypervisor.confidential_guest"]));
            }
            let message = format!("add_device: unsupported device Protection({})", debug_of(protection));
            return Err(Refusal::because(message, &["hypervisor.confidential_guest"]));
        }
        let template = &hv.vm_template;
        if start.has(Change::TemplatesEverywhere)
            && template.boot_from_template
            && (template.memory_path.is_empty() || template.device_state_path.is_empty())
        {
            let message = "start vmm instance: vm_template memory_path/device_state_path are not configured";
            return Err(Refusal::because(message, &[]));
        }
        Ok(Self { jailed: !hv.jailer_path.is_empty(), start, resources, kernel, inline })
    }

    /// A host file as the VMM names it: in the jail it is bound to a name of its own.
    fn resource(&self, path: &str, name: &str) -> String {
        if self.jailed { format!("/{name}") } else { path.to_owned() }
    }

    pub(super) fn spell(&self) -> Spelled {
        let start = &self.start;
        let kernel_params = self.kernel.args();
        let mut requests = vec![self.configuration(), self.boot(&joined(&kernel_params)), self.vsock()];
        if !start.has(Change::VmRootfs) {
            requests.insert(2, self.own_root());
        }
        requests.extend(self.resources.network.cards.iter().map(|card| self.card(card)));
        requests.extend(self.resources.share.iter().map(|share| self.share(share)));
        requests.extend(self.resources.disks.iter().map(|disk| self.disk(disk)));
        let template = &start.hv.vm_template;
        requests.push(if template.boot_from_template && start.has(Change::TemplatesEverywhere) {
            let body = json!({
                "device_state_path": template.device_state_path,
                "memory_path": template.memory_path,
            });
            action("StartMicroVmFromSnapshot", body, &[("", start.keys.boot_from_template)])
        } else {
            action("StartMicroVm", Json::Null, &[])
        });
        let helpers = self.resources.share.iter().filter_map(|share| share.helper(start)).collect();
        let launch = Launch { helpers, requests, ..Launch::default() };
        Spelled { launch, kernel_params }
    }

    pub(super) fn remarks(&self) -> Remarks {
        Remarks::of(&self.start, &self.resources)
    }

    fn configuration(&self) -> Request {
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
        let mut body = json!({
            "vcpu_count": vcpus,
            // Eight bits are left of the number.
            "max_vcpu_count": hv.cpu_info.default_maxvcpus as u8,
            "cpu_pm": "on",
            "cpu_topology": {
                "threads_per_core": 1,
                "cores_per_die": 1,
                "dies_per_socket": 1,
                "sockets": 1,
            },
            "vpmu_feature": 0,
            "mem_type": kind,
            "mem_file_path": file,
            "mem_size_mib": memory.default_memory,
            "serial_path": format!("/run/kata/{}/console.sock", self.start.paths.id),
        });
        if self.start.has(Change::MaxMemory) {
            put(&mut body, "pci_hotplug_enabled", json!(true));
        }
        let causes = [
            ("/vcpu_count", keys.default_vcpus),
            ("/max_vcpu_count", keys.default_maxvcpus),
            ("/mem_size_mib", keys.default_memory),
            ("/mem_type", keys.enable_hugepages),
            ("/mem_file_path", keys.hugepage_type),
        ];
        action("SetVmConfiguration", body, &causes)
    }

    fn boot(&self, cmdline: &str) -> Request {
        let (boot, keys) = (&self.start.hv.boot_info, self.start.keys);
        let initrd = (!boot.initrd.is_empty()).then(|| self.resource(&boot.initrd, "initrd"));
        let body = json!({
            "kernel_path": self.resource(&boot.kernel, "vmlinux"),
            "initrd_path": initrd,
            "boot_args": (!cmdline.is_empty()).then_some(cmdline),
        });
        let causes = [
            ("/kernel_path", keys.kernel),
            ("/initrd_path", keys.initrd),
            ("/boot_args", keys.kernel_params),
        ];
        action("ConfigureBootSource", body, &causes)
    }

    fn vsock(&self) -> Request {
        let body = json!({
            "id": "root",
            "guest_cid": 3,
            "uds_path": format!("{}/kata.hvsock", self.start.paths.jail()),
            "tcp_addr": null,
            "queue_size": [256, 256, 256],
            "use_shared_irq": null,
            "use_generic_irq": null,
        });
        action("InsertVsockDevice", body, &[])
    }

    fn card(&self, card: &Card) -> Request {
        let (start, keys) = (&self.start, self.start.keys);
        let pairs = start.has(Change::CardQueues);
        let queues = if pairs { card.queue_pairs.max(1) * 2 } else { card.queue_pairs };
        // Too long a queue loses its upper bits.
        let queue_size = card.queue_size as u16;
        if !start.has(Change::DragonballCardBackend) {
            let body = json!({
                "iface_id": card.interface,
                "host_dev_name": card.tap(),
                "num_queues": queues,
                "queue_size": queue_size,
                "guest_mac": card.mac,
                "rx_rate_limiter": null,
                "tx_rate_limiter": null,
                "allow_duplicate_mac": false,
                "use_shared_irq": null,
                "use_generic_irq": null,
            });
            return action("InsertNetworkDevice", body, &[]);
        }
        let mut backend = match &card.backend {
            Backend::Tap { name, .. } => json!({
                "type": if start.hv.network_info.disable_vhost_net { "virtio" } else { "vhost" },
                "iface_id": card.interface,
                "host_dev_name": name,
                "rx_rate_limiter": null,
                "tx_rate_limiter": null,
                "allow_duplicate_mac": false,
            }),
            Backend::VhostUser { socket } => json!({ "type": "vhost-user", "sock_path": socket }),
        };
        if card.tap().is_none() && start.has(Change::VhostUserNamed) {
            put(&mut backend, "iface_id", json!(card.interface));
        }
        let body = json!({
            "num_queues": queues,
            "queue_size": queue_size,
            "backend": backend,
            "guest_mac": card.mac,
            "use_shared_irq": null,
            "use_generic_irq": null,
        });
        let causes = [("/num_queues", keys.network_queues), ("/backend/type", keys.disable_vhost_net)];
        action("InsertNetworkDevice", body, &causes)
    }

    fn share(&self, share: &Share) -> Request {
        let (info, keys) = (&self.start.hv.shared_fs, self.start.keys);
        // Too long a queue loses its upper bits.
        let queue_size = if share.queue_size > 0 { share.queue_size as u16 } else { 1024 };
        let served = Inline {
            thread_pool_size: 0,
            drop_sys_resource: false,
            cache_policy: "always".to_owned(),
            no_open: true,
            writeback_cache: true,
            xattr: self.start.has(Change::SharedAttributes),
            no_readdir: false,
        };
        let options = self.inline.as_ref().unwrap_or(&served);
        let body = json!({
            "sock_path": share.socket(&self.start),
            "tag": "kataShared",
            "num_queues": 1,
            "queue_size": queue_size,
            "cache_size": u64::from(info.virtio_fs_cache_size).saturating_mul(MIB),
            "thread_pool_size": options.thread_pool_size,
            "cache_policy": options.cache_policy,
            "writeback_cache": options.writeback_cache,
            "no_open": options.no_open,
            "xattr": options.xattr,
            "drop_sys_resource": options.drop_sys_resource,
            "mode": if self.inline.is_some() { "virtio" } else { "vhostuser" },
            "fuse_killpriv_v2": self.inline.is_some(),
            "no_readdir": options.no_readdir,
            "rate_limiter": {
                "bandwidth": { "size": 0, "one_time_burst": 0, "refill_time": 0 },
                "ops": { "size": 0, "one_time_burst": 0, "refill_time": 0 },
            },
            "use_shared_irq": null,
            "use_generic_irq": null,
        });
        let causes = [
            ("/mode", keys.shared_fs),
            ("/queue_size", keys.virtio_fs_queue_size),
            ("/cache_size", keys.virtio_fs_cache_size),
            ("/cache_policy", keys.virtio_fs_cache),
            ("/thread_pool_size", keys.virtio_fs_extra_args),
            ("/drop_sys_resource", keys.virtio_fs_extra_args),
            ("/no_open", keys.virtio_fs_extra_args),
            ("/writeback_cache", keys.virtio_fs_extra_args),
            ("/xattr", keys.virtio_fs_extra_args),
            ("/no_readdir", keys.virtio_fs_extra_args),
        ];
        action("InsertFsDevice", body, &causes)
    }

    /// The root file system as releases inserted it that registered no disk for it.
    fn own_root(&self) -> Request {
        let boot = &self.start.hv.boot_info;
        let path = if boot.initrd.is_empty() { &boot.image } else { &boot.initrd };
        let body = json!({
            "drive_id": "rootfs",
            "device_type": "RawBlock",
            "path_on_host": self.resource(path, "rootfs"),
            "is_root_device": false,
            "part_uuid": null,
            "is_read_only": true,
            "is_direct": false,
            "no_drop": false,
            "num_queues": 1,
            "queue_size": 256,
            "rate_limiter": null,
            "use_shared_irq": null,
            "use_generic_irq": null,
        });
        action("InsertBlockDevice", body, &[("/path_on_host", self.start.keys.image)])
    }

    fn disk(&self, disk: &Disk<'_>) -> Request {
        let (info, keys) = (&self.start.hv.blockdev_info, self.start.keys);
        let kind = if disk.path.starts_with("spool:/") {
            "Spool"
        } else if disk.path.starts_with("spdk:/") {
            "Spdk"
        } else {
            "RawBlock"
        };
        let (start, is_told) = (&self.start, self.start.has(Change::DragonballRateLimiter));
        let bucket = |rate: u64, burst: Option<u64>| json!({ "size": rate, "one_time_burst": burst.unwrap_or(0), "refill_time": 1000 });
        let mut body = json!({
            "drive_id": "{nonce}",
            "device_type": kind,
            "path_on_host": self.resource(&disk.path, "{nonce}"),
            "is_root_device": false,
            "part_uuid": null,
            "is_read_only": true,
            "is_direct": info.block_device_cache_direct,
            "no_drop": false,
            "num_queues": 1,
            "queue_size": 256,
            "rate_limiter": is_told.then(|| json!({
                "bandwidth":
                    bucket(info.disk_rate_limiter_bw_max_rate, info.disk_rate_limiter_bw_one_time_burst),
                "ops": bucket(info.disk_rate_limiter_ops_max_rate, info.disk_rate_limiter_ops_one_time_burst),
            })),
            "use_shared_irq": null,
            "use_generic_irq": null,
        });
        if start.has(Change::PciBus) {
            put(&mut body, "use_pci_bus", json!((disk.driver == Driver::Blk).then_some(true)));
        }
        if start.has(Change::SparseBlocks) {
            put(&mut body, "sparse", json!(false));
        }
        let (path, driver) = match disk.role {
            Role::Root => (keys.image, keys.vm_rootfs_driver),
            Role::Extension(_) => (keys.guest_extension_images, keys.guest_extension_images),
            Role::Initdata => (keys.initdata, keys.block_device_driver),
        };
        let causes = [
            ("/path_on_host", path),
            ("/use_pci_bus", driver),
            ("/is_direct", keys.block_device_cache_direct),
            ("/rate_limiter/bandwidth/size", keys.disk_rate_limiter_bw_max_rate),
            ("/rate_limiter/bandwidth/one_time_burst", keys.disk_rate_limiter_bw_one_time_burst),
            ("/rate_limiter/ops/size", keys.disk_rate_limiter_ops_max_rate),
            ("/rate_limiter/ops/one_time_burst", keys.disk_rate_limiter_ops_one_time_burst),
        ];
        action("InsertBlockDevice", body, &causes)
    }
}

fn action(name: &str, body: Json, causes: &[(&str, &'static str)]) -> Request {
    Request {
        method: "action".to_owned(),
        path: name.to_owned(),
        body,
        causes: causes.iter().map(|(at, key)| ((*at).to_owned(), Cause::key(*key))).collect(),
    }
}

/// `set_vm_rootfs`, where it is Dragonball's own business.
fn own_root(start: &Start<'_>) -> Result<(), Refusal> {
    let driver = start.hv.blockdev_info.block_device_driver.as_str();
    if start.has(Change::VmRootfs) || driver == "virtio-blk" {
        return Ok(());
    }
    let path = start.hv.boot_info.image.as_str();
    let message = format!("Unknown vm_rootfs driver {driver} path {path:?}");
    Err(Refusal::because(message, &["hypervisor.block_device_driver"]).within("set vm rootfs"))
}

/// `parse_inline_virtiofs_args`
fn inline(start: &Start<'_>) -> Result<Inline, Refusal> {
    let info = &start.hv.shared_fs;
    let mut options = Inline {
        thread_pool_size: 0,
        drop_sys_resource: false,
        cache_policy: info.virtio_fs_cache.to_string(),
        no_open: true,
        writeback_cache: true,
        xattr: start.has(Change::SharedAttributes),
        no_readdir: false,
    };
    let (mut debug, mut list) = (false, String::new());
    let mut known = [
        ("d", Slot::Bool(&mut debug)),
        ("thread-pool-size", Slot::Number(&mut options.thread_pool_size)),
        ("drop-sys-resource", Slot::Bool(&mut options.drop_sys_resource)),
        ("o", Slot::Text(&mut list)),
    ];
    flags::parse(&info.virtio_fs_extra_args, &mut known).map_err(|why| {
        let message = format!("parse args: {:?}: {why}", info.virtio_fs_extra_args);
        Refusal::because(message, &["hypervisor.virtio_fs_extra_args"])
    })?;
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
