//! The VM that Cloud Hypervisor is asked for, in the order of upstream's structs, and its network endpoints.
//!
//! Facts: src/runtime-rs/crates/hypervisor/ch-config at each tag; `NetConfig` there and `get_shared_devices` in
//! src/runtime-rs/crates/hypervisor/src/ch/inner_device.rs for the endpoints.

use serde_json::{Value as Json, json};

use super::{Clh, MAX_PHYS_BITS, MSHV, Memory};
use crate::answer::launch::{Cause, Request};
use crate::input::host::Arch;
use crate::launch::body::Body;
use crate::launch::rs::network::Endpoint;
use crate::launch::rs::resources::Protection;
use crate::launch::rs::share_fs::{self, Share};
use crate::release::rs::Change;

impl Clh<'_> {
    fn cpus(&self) -> Body {
        let (start, keys, info) = (&self.start, self.start.keys, &self.start.hv.cpu_info);
        let nested = if !start.has(Change::ClhMshv) {
            None
        } else if start.host.finds(MSHV) {
            Some(false)
        } else {
            info.disable_nested_virtualization.map(|disabled| !disabled)
        };
        let features = if start.host.facts.arch == Arch::X86_64 {
            json!({ "amx": info.cpu_features.split(',').any(|feature| feature == "amx") })
        } else {
            json!({})
        };
        let topology = Body::default()
            .set("threads_per_core", 1)
            .by("cores_per_die", self.max_vcpus, keys.default_maxvcpus)
            .set("dies_per_package", 1)
            .set("packages", 1);
        Body::default()
            .by("boot_vcpus", self.vcpus, keys.default_vcpus)
            .by("max_vcpus", self.max_vcpus, keys.default_maxvcpus)
            .part("topology", topology)
            .set("kvm_hyperv", false)
            .by_if(nested.is_some(), "nested", nested, keys.disable_nested_virtualization)
            .set("max_phys_bits", MAX_PHYS_BITS)
            .by("features", features, keys.cpu_features)
    }

    fn memory(&self) -> Body {
        let (hv, keys) = (self.start.hv, self.start.keys);
        let prefault = hv.memory_info.enable_mem_prealloc && self.start.has(Change::Prealloc);
        let (size, room, zone) = match self.memory {
            Memory::Own { size, room } => (size, room, None),
            Memory::Template { size } => (0, None, Some(size)),
        };
        let by_room = Cause::key(keys.default_memory).by("what is left of the host's memory");
        let zones = zone.map(|size| {
            Body::default()
                .set("id", "mem0")
                .set("size", size)
                .set("file", &hv.vm_template.memory_path)
                .set("shared", true)
                .set("hugepages", false)
                .nulls(&["hugepage_size", "host_numa_node", "hotplug_size", "hotplugged_size"])
                .set("prefault", prefault)
        });
        Body::default()
            .by("size", size, keys.default_memory)
            .set("mergeable", false)
            .set("hotplug_method", "Acpi")
            .by_if(room.is_some(), "hotplug_size", room, by_room)
            .set("shared", true)
            .set("hugepages", false)
            .by("prefault", prefault, keys.enable_mem_prealloc)
            .because("zones", keys.boot_to_be_template)
            .parts_if_any("zones", zones.into_iter().collect())
    }

    fn payload(&self, cmdline: &str) -> Body {
        let (boot, keys) = (&self.start.hv.boot_info, self.start.keys);
        let set = |text: &str| if text.is_empty() { Json::Null } else { json!(text) };
        let (mrconfigid, host_data) = match &self.resources.protection {
            Some(Protection::Tdx { mrconfigid, .. }) => (mrconfigid.as_ref(), None),
            Some(Protection::Snp { host_data, .. }) => (None, host_data.as_ref()),
            _ => (None, None),
        };
        let told = self.start.has(Change::ClhHostData);
        Body::default()
            .by("firmware", set(&boot.firmware), keys.firmware)
            .by("kernel", &boot.kernel, keys.kernel)
            .by("cmdline", set(cmdline), keys.kernel_params)
            .by("initramfs", set(&boot.initrd), keys.initrd)
            .by_if(told, "mrconfigid", mrconfigid, keys.initdata)
            .by_if(told, "host_data", host_data, keys.initdata)
    }

    /// The image as a disk.
    fn disk(&self) -> Body {
        let (queues, length) = if self.start.has(Change::ClhDiskQueues) { (1, 128) } else { (0, 0) };
        Body::default()
            .all_by(self.start.keys.image)
            .set("path", &self.start.hv.boot_info.image)
            .set("readonly", true)
            .set("direct", false)
            .set("iommu", false)
            .set("num_queues", queues)
            .set("queue_size", length)
            .set("vhost_user", false)
            .nulls(&["vhost_socket", "rate_limiter_config", "id"])
            .set("disable_io_uring", false)
            .set("pci_segment", 0)
            .set_if(self.start.has(Change::ClhSparse), "sparse", true)
            .set_if(self.start.has(Change::ClhImageType), "image_type", "Unknown")
    }

    /// The image as persistent memory.
    fn persistent(&self) -> Body {
        Body::default()
            .set("file", &self.start.hv.boot_info.image)
            .nulls(&["size"])
            .set("iommu", false)
            .set("discard_writes", true)
            .nulls(&["id"])
            .set("pci_segment", 0)
    }

    /// The VM, in the order of upstream's structs.
    pub(super) fn body(&self, cmdline: &str) -> Body {
        let (start, hv, keys) = (&self.start, self.start.hv, self.start.keys);
        let (debug, closed) = (hv.debug_info.enable_debug, self.closed);
        let has_image = !hv.boot_info.image.is_empty();
        let is_disk = closed || start.has(Change::ClhBlockRoot);
        let entropy = match hv.machine_info.entropy_source.as_str() {
            "" => "/dev/urandom",
            source => source,
        };
        let balloon = hv.device_info.reclaim_guest_freed_memory && start.has(Change::Balloon);
        let balloon_body = json!({ "size": 0, "deflate_on_oom": false, "free_page_reporting": true });
        let taps = self.resources.network.taps();
        let endpoints: Vec<Body> = taps.map(|endpoint| self.endpoint_at_creation(endpoint)).collect();
        let port = |on: bool| {
            let mode = if on { "Tty" } else { "Off" };
            Body::default().nulls(&["file"]).by("mode", mode, keys.enable_debug).set("iommu", false)
        };
        let vsock = Body::default()
            .set("cid", 3)
            .by("socket", format!("{}/ch-vm.sock", start.paths.sandbox()), keys.rootless)
            .set("iommu", false)
            .nulls(&["id"])
            .set("pci_segment", 0);
        let platform = Body::default()
            .set("num_pci_segments", 1)
            .nulls(&["iommu_segments", "serial_number", "uuid", "oem_strings"])
            .set("tdx", true);
        let mut body = Body::default()
            .part("cpus", self.cpus())
            .part("memory", self.memory())
            .part("payload", self.payload(cmdline))
            .parts_if_any("disks", (has_image && is_disk).then(|| self.disk()).into_iter().collect());
        if start.has(Change::ClhNetAtCreation) {
            body = body.parts("net", endpoints);
        }
        body.part("rng", Body::default().by("src", entropy, keys.entropy_source).set("iommu", false))
            .by_if(balloon, "balloon", balloon_body, keys.reclaim_guest_freed_memory)
            .parts_if_any("pmem", (has_image && !is_disk).then(|| self.persistent()).into_iter().collect())
            .because("fs", keys.shared_fs)
            .parts("fs", self.resources.share.iter().map(|share| self.shared(share)).collect())
            .part("serial", port(debug && !closed))
            .part("console", port(debug && closed))
            .set_if(start.has(Change::ClhHostDevices), "devices", json!([]))
            .part("vsock", vsock)
            .set("iommu", false)
            .set("watchdog", false)
            .because("platform", keys.confidential_guest)
            .part_if(self.tdx, "platform", platform)
    }

    fn shared(&self, share: &Share) -> Body {
        let (start, paths) = (&self.start, &self.start.paths);
        let folder = if share.kind == share_fs::Kind::Inline && !paths.is_rootless() {
            paths.sandbox()
        } else {
            paths.jail_link()
        };
        let queue_size = if start.has(Change::QueueSize) { share.queue_size } else { 1024 };
        Body::default()
            .set("tag", "kataShared")
            .set("socket", format!("{folder}/virtiofsd.sock"))
            .set("num_queues", 1)
            .by("queue_size", queue_size, start.keys.virtio_fs_queue_size)
            .nulls(&["id"])
            .set("pci_segment", 0)
    }

    /// As many descriptors of an endpoint's tap device as it is handed.
    pub(super) fn descriptors(&self, endpoint: &Endpoint) -> usize {
        match (self.resources.network.deferred, self.start.has(Change::ClhCardQueues)) {
            (true, _) => endpoint.queue_pairs.max(1),
            (false, true) => self.start.hv.network_info.network_queues as usize,
            (false, false) => endpoint.queue_pairs,
        }
    }

    /// An endpoint whose tap device is named.
    fn endpoint_at_creation(&self, endpoint: &Endpoint) -> Body {
        let named = Body::default().set("tap", endpoint.tap());
        described(named, endpoint, endpoint.queue_pairs).set("id", &endpoint.interface)
    }

    /// An endpoint whose tap device is handed over, one descriptor for each pair of queues.
    pub(super) fn add_net(&self, endpoint: &Endpoint) -> Request {
        let descriptors = self.descriptors(endpoint);
        let queues =
            if self.start.has(Change::ClhCardQueues) { descriptors * 2 } else { endpoint.queue_pairs };
        let key = self.start.keys.network_queues;
        let added = Body::default().all_by(Cause::rule("an interface of the pod")).because("num_queues", key);
        let added = described(added, endpoint, queues).by("fds", vec!["{fd}"; descriptors.max(1)], key);
        added.request("PUT", "vm.add-net")
    }
}

fn described(body: Body, endpoint: &Endpoint, queues: usize) -> Body {
    // Too long a queue loses its upper bits.
    let length = endpoint.queue_size as u16;
    body.set("ip", "192.168.249.1")
        .set("mask", "255.255.255.0")
        .set("mac", &endpoint.mac)
        .set("iommu", false)
        .set_if(queues > 0, "num_queues", queues)
        .set_if(length > 0, "queue_size", length)
        .set("vhost_user", false)
        .set("vhost_mode", "Client")
}
