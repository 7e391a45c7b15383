//! The body of Cloud Hypervisor's `vm.create` request.
//!
//! Decides each field, and with which release it came or went. Facts: `CreateVM`, `addVSock` and `addVolume` in
//! src/runtime/virtcontainers/clh.go, and the fields and defaults of
//! src/runtime/virtcontainers/pkg/cloud-hypervisor/client from 2.0.0 to 4.1.0. Bodies have their keys in the order
//! of the alphabet, as the client sends them.

use serde_json::{Value as Json, json};

use super::{Boot, Change, Clh, SHARE_SOCKET, VSOCK_SOCKET};
use crate::answer::launch::Cause;
use crate::launch::body::Body;
use crate::launch::go::network::powers_of_1024;

/// Milliseconds in which a token bucket is filled again.
const REFILL: u32 = 1000;
/// The size of the shared folder's queues.
const SHARE_QUEUE: u32 = 1024;

/// Bits per second, in thousands of thousands, as bytes in the powers of 1024 that the VMM counts in.
fn as_bytes(bits: i64) -> i64 {
    powers_of_1024((bits / 8) as u64) as i64
}

/// The limits of bandwidth and operations, each followed by its burst; `None` where there are none.
fn limiter([bandwidth, bandwidth_burst, ops, ops_burst]: [i64; 4]) -> Option<Json> {
    let all =
        [("bandwidth", as_bytes(bandwidth), as_bytes(bandwidth_burst)), ("ops", ops, ops_burst)].into_iter();
    let limits: serde_json::Map<_, _> = all
        .filter(|(_, size, _)| *size != 0)
        .map(|(name, size, burst)| (name.to_owned(), bucket(size, burst)))
        .collect();
    (!limits.is_empty()).then_some(limits.into())
}

fn bucket(size: i64, burst: i64) -> Json {
    match burst {
        0 => json!({ "refill_time": REFILL, "size": size }),
        burst => json!({ "one_time_burst": burst, "refill_time": REFILL, "size": size }),
    }
}

impl Clh<'_> {
    /// Whether the defaults of the client are sent.
    pub(super) fn generated(&self) -> bool {
        self.has(Change::ClhGeneratedClient)
    }

    /// Whether a device is behind the IOMMU, where that is said.
    pub(super) fn iommu(&self) -> bool {
        self.start.hv.enable_iommu && self.has(Change::ClhPlatform)
    }

    /// A device with its limits of bandwidth and operations, each followed by its burst, with their keys.
    pub(super) fn limited(&self, device: Body, limits: [(i64, &'static str); 4]) -> Body {
        let limiter = limiter(limits.map(|(rate, _)| rate)).filter(|_| self.has(Change::ClhRateLimits));
        device.by_if(limiter.is_some(), "rate_limiter_config", &limiter, limits.map(|(_, key)| key))
    }

    pub(super) fn vm_config(&self, cmdline: &str) -> Body {
        let (hv, keys, generated) = (self.start.hv, self.start.keys, self.generated());
        let balloon =
            if hv.reclaim_guest_freed_memory && !hv.confidential_guest && self.has(Change::ClhBalloon) {
                json!({ "deflate_on_oom": false, "free_page_reporting": true, "size": 0 })
            } else {
                json!({ "size": 0 })
            };
        let has_balloon = self.has(Change::ClhEmptyBalloon) || balloon.get("deflate_on_oom").is_some();
        let tty = |on: bool| if on { "Tty" } else { "Off" };
        let silent = if self.has(Change::ClhQuiet) { "Off" } else { "Null" };
        let serial = if hv.enable_debug { "Tty" } else { silent };
        let (console, serial) = if self.confidential && self.has(Change::ClhConfidentialConsole) {
            (tty(hv.enable_debug), "Off")
        } else {
            ("Off", serial)
        };
        let pmem = match self.boot {
            Boot::Image(path) if !self.disk => vec![self.pmem(path)],
            _ => Vec::new(),
        };
        let epc = Body::default()
            .set_if(self.has(Change::ClhEnclaveName), "id", "kata-epc")
            .set("prefault", true)
            .set("size", hv.epc);
        let has_epc = hv.epc > 0 && self.has(Change::ClhEnclaveMemory);
        let devices = self.cold_plugged();
        let platform = self.platform();
        let rng = Body::default().by_if(generated, "iommu", self.iommu(), keys.enable_iommu).by(
            "src",
            &*hv.entropy_source,
            keys.entropy_source,
        );
        let vsock = Body::default()
            .set("cid", 3)
            .by_if(generated, "iommu", self.iommu(), keys.enable_iommu)
            .set("socket", self.start.paths.in_vm(VSOCK_SOCKET));
        let tdx = self.confidential && self.has(Change::ClhTdxSection);
        let firmware = json!({ "firmware": hv.firmware_asset_path() });
        let body = Body::default()
            .by_if(has_balloon, "balloon", balloon, keys.reclaim_guest_freed_memory)
            .part("console", self.port(console, self.iommu()).because("iommu", keys.enable_iommu))
            .part("cpus", self.cpus())
            .by_if(!devices.is_empty(), "devices", devices, keys.cold_plug_vfio)
            .parts_if_any("disks", self.disks())
            .parts_if_any("pmem", pmem)
            .because("fs", keys.shared_fs)
            .parts_if_any("fs", self.daemon.map(|_| self.share_device()).into_iter().collect())
            .set_if(generated, "iommu", false)
            .set_if(self.has(Change::ClhLandlock), "landlock_enable", false)
            .part("memory", self.memory());
        self.payload(body, cmdline)
            .parts_if_any("net", self.endpoints())
            .part_if(!platform.is_empty(), "platform", platform)
            .set_if(self.has(Change::ClhPvpanic), "pvpanic", false)
            .part("rng", rng)
            .part("serial", self.port(serial, false))
            .because("sgx_epc", Cause::rule("the annotation sgx.intel.com/epc"))
            .parts_if_any("sgx_epc", has_epc.then_some(epc).into_iter().collect())
            .by_if(tdx, "tdx", firmware, [keys.firmware, keys.confidential_guest])
            .part("vsock", vsock)
            .set_if(generated, "watchdog", false)
    }

    /// A console or serial port.
    fn port(&self, mode: &str, iommu: bool) -> Body {
        let by_mode = [self.start.keys.enable_debug, self.start.keys.confidential_guest];
        Body::default().set_if(self.generated(), "iommu", iommu).by("mode", mode, by_mode)
    }

    fn cpus(&self) -> Body {
        let (hv, keys) = (self.start.hv, self.start.keys);
        let max = hv.default_maxvcpus as i32;
        let nested = !self.mshv;
        let topology = Body::default()
            .by("cores_per_die", max, keys.default_maxvcpus)
            .set("dies_per_package", 1)
            .set("packages", 1)
            .set("threads_per_core", 1);
        Body::default()
            .by("boot_vcpus", hv.num_vcpus() as i32, Cause::key(keys.default_vcpus).by("rounded up"))
            .set_if(self.has(Change::ClhHyperV), "kvm_hyperv", false)
            .by("max_vcpus", max, keys.default_maxvcpus)
            .because("nested", Cause::rule("false where the host has /dev/mshv"))
            .set_if(self.has(Change::ClhRawDisks), "nested", nested)
            .part("topology", topology)
    }

    fn pmem(&self, path: &str) -> Body {
        let keys = self.start.keys;
        Body::default()
            .all_by(keys.image)
            .set("discard_writes", true)
            .set("file", path)
            .by_if(self.generated(), "iommu", self.iommu(), [keys.image, keys.enable_iommu])
            .set_if(self.has(Change::ClhPmemMergeable), "mergeable", false)
    }

    /// The shared folder. Loading never gives this hypervisor a queue size of the file's.
    fn share_device(&self) -> Body {
        let (hv, keys) = (self.start.hv, self.start.keys);
        // 32 bits are all there is: sizes from 4 GiB on lose what does not fit.
        let cache = hv.virtio_fs_cache_size << 20;
        let share =
            Body::default().set("socket", self.start.paths.in_vm(SHARE_SOCKET)).set("tag", "kataShared");
        if !self.has(Change::ClhShareQueues) {
            let cached = hv.virtio_fs_cache == "always" && cache != 0;
            return share.by_if(cached, "cache_size", cache, keys.virtio_fs_cache_size);
        }
        let queue = match hv.virtio_fs_queue_size {
            0 => SHARE_QUEUE,
            _ if !self.has(Change::ClhShareQueueSize) => SHARE_QUEUE,
            size => size,
        };
        let dax = self.has(Change::ClhShareDax);
        share
            .by_if(dax, "cache_size", cache, keys.virtio_fs_cache_size)
            .by_if(dax, "dax", hv.virtio_fs_cache_size != 0, keys.virtio_fs_cache_size)
            .set("num_queues", 1)
            .set_if(self.has(Change::ClhPlatform), "pci_segment", 1)
            .set("queue_size", queue as i32)
    }

    fn payload(&self, body: Body, cmdline: &str) -> Body {
        let (hv, keys) = (self.start.hv, self.start.keys);
        let (kernel, params) =
            (hv.kernel_asset_path(), Cause::key(keys.kernel_params).by("see the kernel parameters"));
        let (initrd, has_initrd) = match self.boot {
            Boot::Initrd(path) => (path, true),
            Boot::Kernel => ("", true),
            Boot::Image(_) => ("", false),
        };
        if !self.has(Change::ClhPayload) {
            return body
                .part("cmdline", Body::default().by("args", cmdline, params))
                .part("kernel", Body::default().by("path", kernel, keys.kernel))
                .part_if(has_initrd, "initramfs", Body::default().by("path", initrd, keys.initrd));
        }
        let firmware = self.confidential && !self.has(Change::ClhTdxSection);
        let by_firmware = [keys.firmware, keys.confidential_guest];
        let payload = Body::default()
            .by("cmdline", cmdline, params)
            .by_if(firmware, "firmware", hv.firmware_asset_path(), by_firmware)
            .by_if(has_initrd, "initramfs", initrd, keys.initrd)
            .by("kernel", kernel, keys.kernel);
        body.part("payload", payload)
    }

    fn platform(&self) -> Body {
        let (keys, always) = (self.start.keys, self.has(Change::ClhPlatform));
        let tdx = self.confidential && !self.has(Change::ClhTdxSection);
        Body::default()
            .by_if(self.iommu(), "iommu_segments", [0], keys.enable_iommu)
            .set_if(always, "num_pci_segments", 2)
            .set_if(self.has(Change::ClhSevSnp), "sev_snp", false)
            .by_if(always || tdx, "tdx", tdx, keys.confidential_guest)
    }

    fn memory(&self) -> Body {
        let (hv, keys, generated) = (self.start.hv, self.start.keys, self.generated());
        let bytes = |mib: u64| mib.wrapping_mul(1 << 20) as i64;
        let (most, by_most) = if self.has(Change::MaxMemoryConfigured) {
            (hv.default_maxmemory, Cause::keys([keys.default_maxmemory, keys.confidential_guest]))
        } else {
            (self.start.host.facts.memory_mib, Cause::rule("the memory of the host"))
        };
        let private = hv.shared_fs == "none" && !hv.enable_hugepages && self.has(Change::ClhPrivateMemory);
        let huge = hv.enable_hugepages && self.has(Change::ClhHugePages);
        Body::default()
            .set_if(generated, "hotplug_method", "Acpi")
            .by_if(!self.confidential, "hotplug_size", bytes(most), by_most)
            .by_if(generated, "hugepages", huge, keys.enable_hugepages)
            .set_if(generated, "mergeable", false)
            .set_if(self.has(Change::ClhPrefault), "prefault", false)
            .by("shared", !private, [keys.shared_fs, keys.enable_hugepages])
            .by("size", bytes(hv.default_memory.into()), keys.default_memory)
            .set_if(self.has(Change::ClhThp), "thp", true)
    }

    fn disks(&self) -> Vec<Body> {
        let (hv, keys, raw) = (self.start.hv, self.start.keys, self.has(Change::ClhRawDisks));
        let limits = [
            (hv.disk_rate_limiter_bw_max_rate, keys.disk_rate_limiter_bw_max_rate),
            (hv.disk_rate_limiter_bw_one_time_burst, keys.disk_rate_limiter_bw_one_time_burst),
            (hv.disk_rate_limiter_ops_max_rate, keys.disk_rate_limiter_ops_max_rate),
            (hv.disk_rate_limiter_ops_one_time_burst, keys.disk_rate_limiter_ops_one_time_burst),
        ];
        let disk = |direct: bool, iommu: bool, queues: i32, path: &str, size: i32| {
            let disk = Body::default()
                .set_if(raw, "backing_files", false)
                .set("direct", direct)
                .set_if(raw, "image_type", "Raw")
                .set("iommu", iommu)
                .set("num_queues", queues)
                .set("path", path)
                .set_if(self.has(Change::ClhPollQueue), "poll_queue", true)
                .set("queue_size", size);
            let disk = self.limited(disk, limits).set("readonly", true).set_if(raw, "sparse", true);
            disk.set("vhost_user", false)
        };
        let mut disks = Vec::new();
        if let Boot::Image(path) = self.boot
            && self.disk
        {
            disks.push(disk(false, false, 1, path, 128).all_by(keys.image));
        }
        if !hv.cc_init_data.is_empty() && self.has(Change::ClhInitdata) {
            let path = format!("/run/kata-containers/shared/initdata/{}/data.img", self.start.paths.id);
            let direct = hv.block_device_cache_set && hv.block_device_cache_direct;
            let initdata = disk(direct, hv.enable_iommu, hv.num_vcpus() as i32, &path, 1024)
                .all_by(keys.cc_init_data)
                .because("iommu", [keys.cc_init_data, keys.enable_iommu])
                .because("num_queues", [keys.cc_init_data, keys.default_vcpus]);
            disks.push(initdata);
        }
        disks
    }

    /// The devices that are plugged in before the start: which they are, the host's CDI files say.
    fn cold_plugged(&self) -> Vec<Json> {
        let hv = self.start.hv;
        // A release that does not plug them in has refused by now.
        if hv.cold_plug_vfio == "no-port" {
            return Vec::new();
        }
        let device = json!({ "id": "{id}", "iommu": hv.enable_iommu, "path": "/sys/bus/pci/devices/{bdf}" });
        vec![device; hv.vfio_devices.len()]
    }
}
