//! The body of Cloud Hypervisor's `vm.create` request.
//!
//! Decides each field, and with which release it came or went. Facts: `CreateVM`, `addVSock` and `addVolume` in
//! src/runtime/virtcontainers/clh.go, and the fields and defaults of
//! src/runtime/virtcontainers/pkg/cloud-hypervisor/client from 2.0.0 to 4.1.0. Bodies have their keys in the order
//! of the alphabet, as the client sends them.

use serde_json::{Map, Value as Json, json};

use super::{Boot, Plan, SHARE_SOCKET, VSOCK_SOCKET};
use crate::answer::launch::Cause;
use crate::launch::go::network::powers_of_1024;
use crate::release::go::Change;

/// Milliseconds in which a token bucket is filled again.
const REFILL: u32 = 1000;
/// The size of the shared folder's queues.
const SHARE_QUEUE: u32 = 1024;

/// Bits per second, in thousands of thousands, as bytes in the powers of 1024 that the VMM counts in.
fn as_bytes(bits: i64) -> i64 {
    powers_of_1024((bits / 8) as u64) as i64
}

/// The limits of bandwidth and operations, each with its burst; `None` where there are none.
pub(super) fn limiter(bandwidth: (i64, i64), operations: (i64, i64)) -> Option<Json> {
    let size = as_bytes(bandwidth.0);
    if size == 0 && operations.0 == 0 {
        return None;
    }
    let mut limiter = Map::new();
    if size != 0 {
        limiter.insert("bandwidth".into(), bucket(size, as_bytes(bandwidth.1)));
    }
    if operations.0 != 0 {
        limiter.insert("ops".into(), bucket(operations.0, operations.1));
    }
    Some(limiter.into())
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

/// An object whose fields come one by one.
#[derive(Default)]
pub(super) struct Object(Map<String, Json>);

impl Object {
    pub(super) fn set(&mut self, name: &str, value: impl Into<Json>) {
        self.0.insert(name.to_owned(), value.into());
    }

    /// A field that is there in some releases.
    pub(super) fn set_if(&mut self, there: bool, name: &str, value: impl Into<Json>) {
        if there {
            self.set(name, value);
        }
    }
}

impl From<Object> for Json {
    fn from(object: Object) -> Self {
        Self::Object(object.0)
    }
}

impl Plan<'_> {
    /// Whether the defaults of the client are sent.
    pub(super) fn generated(&self) -> bool {
        self.has(Change::ClhGeneratedClient)
    }

    /// Whether a device is behind the IOMMU, where that is said.
    pub(super) fn iommu(&self) -> bool {
        self.hv.enable_iommu && self.has(Change::ClhPlatform)
    }

    pub(super) fn vm_config(&self, cmdline: &str) -> Json {
        let hv = self.hv;
        let mut body = Object::default();
        if self.has(Change::ClhEmptyBalloon) {
            body.set("balloon", json!({ "size": 0 }));
        }
        if hv.reclaim_guest_freed_memory && !hv.confidential_guest && self.has(Change::ClhBalloon) {
            body.set("balloon", json!({ "deflate_on_oom": false, "free_page_reporting": true, "size": 0 }));
        }
        let tty = |on: bool| if on { "Tty" } else { "Off" };
        let silent = if self.has(Change::ClhQuiet) { "Off" } else { "Null" };
        let serial = if hv.enable_debug { "Tty" } else { silent };
        let (console, serial) = if self.confidential && self.has(Change::ClhConfidentialConsole) {
            (tty(hv.enable_debug), "Off")
        } else {
            ("Off", serial)
        };
        body.set("console", self.port(console, self.iommu()));
        body.set("cpus", self.cpus());
        let disks = self.disks();
        let devices = self.cold_plugged();
        body.set_if(!devices.is_empty(), "devices", devices);
        body.set_if(!disks.is_empty(), "disks", disks);
        if let Boot::Image(path) = self.boot
            && !self.disk
        {
            body.set("pmem", json!([self.pmem(path)]));
        }
        if self.daemon.is_some() {
            body.set("fs", json!([self.share()]));
        }
        body.set_if(self.generated(), "iommu", false);
        body.set_if(self.has(Change::ClhLandlock), "landlock_enable", false);
        body.set("memory", self.memory());
        self.payload(&mut body, cmdline);
        let cards = self.cards();
        body.set_if(!cards.is_empty(), "net", cards);
        let platform = self.platform();
        body.set_if(!platform.0.is_empty(), "platform", platform);
        body.set_if(self.has(Change::ClhPvpanic), "pvpanic", false);
        let mut rng = Object::default();
        rng.set_if(self.generated(), "iommu", self.iommu());
        rng.set("src", &*hv.entropy_source);
        body.set("rng", rng);
        body.set("serial", self.port(serial, false));
        if hv.epc > 0 && self.has(Change::ClhEnclaveMemory) {
            let mut epc = Object::default();
            epc.set_if(self.has(Change::ClhEnclaveName), "id", "kata-epc");
            epc.set("prefault", true);
            epc.set("size", hv.epc);
            body.set("sgx_epc", json!([Json::from(epc)]));
        }
        if self.confidential && self.has(Change::ClhTdxSection) {
            body.set("tdx", json!({ "firmware": hv.firmware_asset_path() }));
        }
        let mut vsock = Object::default();
        vsock.set("cid", 3);
        vsock.set_if(self.generated(), "iommu", self.iommu());
        vsock.set("socket", self.paths.in_vm(VSOCK_SOCKET));
        body.set("vsock", vsock);
        body.set_if(self.generated(), "watchdog", false);
        body.into()
    }

    /// A console or serial port.
    fn port(&self, mode: &str, iommu: bool) -> Object {
        let mut port = Object::default();
        port.set_if(self.generated(), "iommu", iommu);
        port.set("mode", mode);
        port
    }

    fn cpus(&self) -> Object {
        let max = self.hv.default_maxvcpus as i32;
        let mut cpus = Object::default();
        cpus.set("boot_vcpus", self.hv.num_vcpus() as i32);
        cpus.set_if(self.has(Change::ClhHyperV), "kvm_hyperv", false);
        cpus.set("max_vcpus", max);
        cpus.set_if(self.has(Change::ClhRawDisks), "nested", !self.mshv);
        cpus.set(
            "topology",
            json!({
                "cores_per_die": max,
                "dies_per_package": 1,
                "packages": 1,
                "threads_per_core": 1,
            }),
        );
        cpus
    }

    fn pmem(&self, path: &str) -> Json {
        let mut pmem = Object::default();
        pmem.set("discard_writes", true);
        pmem.set("file", path);
        pmem.set_if(self.generated(), "iommu", self.iommu());
        pmem.set_if(self.has(Change::ClhPmemMergeable), "mergeable", false);
        pmem.into()
    }

    /// The shared folder. Loading never gives this hypervisor a queue size of the file's.
    fn share(&self) -> Json {
        let hv = self.hv;
        let mut share = Object::default();
        share.set("socket", self.paths.in_vm(SHARE_SOCKET));
        share.set("tag", "kataShared");
        // 32 bits are all there is: sizes from 4 GiB on lose what does not fit.
        let cache = hv.virtio_fs_cache_size << 20;
        if !self.has(Change::ClhShareQueues) {
            share.set_if(hv.virtio_fs_cache == "always" && cache != 0, "cache_size", cache);
            return share.into();
        }
        if self.has(Change::ClhShareDax) {
            share.set("cache_size", cache);
            share.set("dax", hv.virtio_fs_cache_size != 0);
        }
        let queue = match hv.virtio_fs_queue_size {
            0 => SHARE_QUEUE,
            _ if !self.has(Change::ClhShareQueueSize) => SHARE_QUEUE,
            size => size,
        };
        share.set("num_queues", 1);
        share.set_if(self.has(Change::ClhPlatform), "pci_segment", 1);
        share.set("queue_size", queue as i32);
        share.into()
    }

    fn payload(&self, body: &mut Object, cmdline: &str) {
        let kernel = self.hv.kernel_asset_path();
        let initrd = match self.boot {
            Boot::Initrd(path) => Some(path),
            Boot::Kernel => Some(""),
            Boot::Image(_) => None,
        };
        if !self.has(Change::ClhPayload) {
            body.set("cmdline", json!({ "args": cmdline }));
            body.set("kernel", json!({ "path": kernel }));
            if let Some(path) = initrd {
                body.set("initramfs", json!({ "path": path }));
            }
            return;
        }
        let mut payload = Object::default();
        payload.set("cmdline", cmdline);
        if self.confidential && !self.has(Change::ClhTdxSection) {
            payload.set("firmware", self.hv.firmware_asset_path());
        }
        if let Some(path) = initrd {
            payload.set("initramfs", path);
        }
        payload.set("kernel", kernel);
        body.set("payload", payload);
    }

    fn platform(&self) -> Object {
        let mut platform = Object::default();
        let always = self.has(Change::ClhPlatform);
        platform.set_if(self.iommu(), "iommu_segments", json!([0]));
        platform.set_if(always, "num_pci_segments", 2);
        platform.set_if(self.has(Change::ClhSevSnp), "sev_snp", false);
        let tdx = self.confidential && !self.has(Change::ClhTdxSection);
        platform.set_if(always || tdx, "tdx", tdx);
        platform
    }

    fn memory(&self) -> Object {
        let hv = self.hv;
        let bytes = |mib: u64| mib.wrapping_mul(1 << 20) as i64;
        let most =
            if self.has(Change::MaxMemoryConfigured) { hv.default_maxmemory } else { self.host_memory };
        let private = hv.shared_fs == "none" && !hv.enable_hugepages && self.has(Change::ClhPrivateMemory);
        let generated = self.generated();
        let mut memory = Object::default();
        memory.set_if(generated, "hotplug_method", "Acpi");
        memory.set_if(!self.confidential, "hotplug_size", bytes(most));
        memory.set_if(generated, "hugepages", hv.enable_hugepages && self.has(Change::ClhHugePages));
        memory.set_if(generated, "mergeable", false);
        memory.set_if(self.has(Change::ClhPrefault), "prefault", false);
        memory.set("shared", !private);
        memory.set("size", bytes(hv.default_memory.into()));
        memory.set_if(self.has(Change::ClhThp), "thp", true);
        memory
    }

    fn disks(&self) -> Vec<Json> {
        let hv = self.hv;
        let raw = self.has(Change::ClhRawDisks);
        let limiter = self.rate_limiter().filter(|_| self.has(Change::ClhRateLimits));
        let disk = |direct: bool, iommu: bool, queues: i32, path: &str, size: i32| {
            let mut disk = Object::default();
            disk.set_if(raw, "backing_files", false);
            disk.set("direct", direct);
            disk.set_if(raw, "image_type", "Raw");
            disk.set("iommu", iommu);
            disk.set("num_queues", queues);
            disk.set("path", path);
            disk.set_if(self.has(Change::ClhPollQueue), "poll_queue", true);
            disk.set("queue_size", size);
            if let Some(limiter) = &limiter {
                disk.set("rate_limiter_config", limiter.clone());
            }
            disk.set("readonly", true);
            disk.set_if(raw, "sparse", true);
            disk.set("vhost_user", false);
            Json::from(disk)
        };
        let mut disks = Vec::new();
        if let Boot::Image(path) = self.boot
            && self.disk
        {
            disks.push(disk(false, false, 1, path, 128));
        }
        if !hv.cc_init_data.is_empty() && self.has(Change::ClhInitdata) {
            let path = format!("/run/kata-containers/shared/initdata/{}/data.img", self.paths.id);
            let direct = hv.block_device_cache_set && hv.block_device_cache_direct;
            disks.push(disk(direct, hv.enable_iommu, hv.num_vcpus() as i32, &path, 1024));
        }
        disks
    }

    fn rate_limiter(&self) -> Option<Json> {
        let hv = self.hv;
        limiter(
            (hv.disk_rate_limiter_bw_max_rate, hv.disk_rate_limiter_bw_one_time_burst),
            (hv.disk_rate_limiter_ops_max_rate, hv.disk_rate_limiter_ops_one_time_burst),
        )
    }

    /// The devices that are plugged in before the start: which they are, the host's CDI files say.
    fn cold_plugged(&self) -> Vec<Json> {
        // A release that does not plug them in has refused by now.
        if self.hv.cold_plug_vfio == "no-port" {
            return Vec::new();
        }
        let device =
            json!({ "id": "{id}", "iommu": self.hv.enable_iommu, "path": "/sys/bus/pci/devices/{bdf}" });
        vec![device; self.hv.vfio_devices.len()]
    }

    /// What decided each part of the body; the other parts are the same for every pod.
    pub(super) fn causes(&self) -> Vec<(String, Cause)> {
        let keys = self.keys;
        let hotplug = if self.has(Change::MaxMemoryConfigured) {
            Cause::keys([keys.default_maxmemory, keys.confidential_guest])
        } else {
            Cause::rule("the memory of the host")
        };
        let causes = [
            ("/balloon", Cause::key(keys.reclaim_guest_freed_memory)),
            ("/console/iommu", Cause::key(keys.enable_iommu)),
            ("/console/mode", Cause::keys([keys.enable_debug, keys.confidential_guest])),
            ("/cpus/boot_vcpus", Cause::key(keys.default_vcpus).by("rounded up")),
            ("/cpus/max_vcpus", Cause::key(keys.default_maxvcpus)),
            ("/cpus/nested", Cause::rule("false where the host has /dev/mshv")),
            ("/cpus/topology/cores_per_die", Cause::key(keys.default_maxvcpus)),
            ("/cmdline/args", Cause::key(keys.kernel_params).by("see the kernel parameters")),
            ("/devices", Cause::key(keys.cold_plug_vfio)),
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
            ("/fs/0/cache_size", Cause::key(keys.virtio_fs_cache_size)),
            ("/fs/0/dax", Cause::key(keys.virtio_fs_cache_size)),
            ("/initramfs/path", Cause::key(keys.initrd)),
            ("/kernel/path", Cause::key(keys.kernel)),
            ("/memory/hotplug_size", hotplug),
            ("/memory/hugepages", Cause::key(keys.enable_hugepages)),
            ("/memory/shared", Cause::keys([keys.shared_fs, keys.enable_hugepages])),
            ("/memory/size", Cause::key(keys.default_memory)),
            ("/payload/cmdline", Cause::key(keys.kernel_params).by("see the kernel parameters")),
            ("/payload/firmware", Cause::keys([keys.firmware, keys.confidential_guest])),
            ("/payload/initramfs", Cause::key(keys.initrd)),
            ("/payload/kernel", Cause::key(keys.kernel)),
            ("/pmem/0", Cause::key(keys.image)),
            ("/pmem/0/iommu", Cause::keys([keys.image, keys.enable_iommu])),
            ("/platform/iommu_segments", Cause::key(keys.enable_iommu)),
            ("/platform/tdx", Cause::key(keys.confidential_guest)),
            ("/rng/src", Cause::key(keys.entropy_source)),
            ("/rng/iommu", Cause::key(keys.enable_iommu)),
            ("/sgx_epc", Cause::rule("the annotation sgx.intel.com/epc")),
            ("/tdx", Cause::keys([keys.firmware, keys.confidential_guest])),
            ("/serial/mode", Cause::keys([keys.enable_debug, keys.confidential_guest])),
            ("/vsock/iommu", Cause::key(keys.enable_iommu)),
        ];
        let mut causes: Vec<_> =
            causes.into_iter().map(|(pointer, cause)| (pointer.to_owned(), cause)).collect();
        if !self.has(Change::ClhAddNet) {
            for (index, card) in self.network.endpoints.iter().enumerate() {
                causes.extend(self.card_causes(&format!("/net/{index}"), card));
            }
        }
        causes
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
