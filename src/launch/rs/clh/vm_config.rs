//! The VM that Cloud Hypervisor is asked for, in the order of upstream's structs, and its network cards.
//!
//! Facts: src/runtime-rs/crates/hypervisor/ch-config at each tag; `NetConfig` there and `get_shared_devices` in
//! src/runtime-rs/crates/hypervisor/src/ch/inner_device.rs for the cards.

use serde_json::{Value as Json, json};

use super::{MAX_PHYS_BITS, MSHV, Memory, Plan};
use crate::answer::launch::{Cause, Request};
use crate::input::host::Arch;
use crate::launch::put;
use crate::launch::rs::network::{Backend, Card};
use crate::launch::rs::resources::Protection;
use crate::launch::rs::share_fs::{self, Share};
use crate::release::rs::Change;

impl Plan<'_> {
    fn cpus(&self) -> Json {
        let info = &self.start.hv.cpu_info;
        let nested = if !self.start.has(Change::ClhMshv) {
            None
        } else if self.start.host.finds(MSHV) {
            Some(false)
        } else {
            info.disable_nested_virtualization.map(|disabled| !disabled)
        };
        let mut cpus = json!({
            "boot_vcpus": self.vcpus,
            "max_vcpus": self.max_vcpus,
            "topology": {
                "threads_per_core": 1,
                "cores_per_die": self.max_vcpus,
                "dies_per_package": 1,
                "packages": 1,
            },
            "kvm_hyperv": false,
        });
        if let Some(nested) = nested {
            put(&mut cpus, "nested", json!(nested));
        }
        put(&mut cpus, "max_phys_bits", json!(MAX_PHYS_BITS));
        put(
            &mut cpus,
            "features",
            if self.start.host.facts.arch == Arch::X86_64 {
                json!({ "amx": info.cpu_features.split(',').any(|feature| feature == "amx") })
            } else {
                json!({})
            },
        );
        cpus
    }

    fn memory(&self) -> Json {
        let prefault = self.start.hv.memory_info.enable_mem_prealloc && self.start.has(Change::Prealloc);
        let (size, room, zone) = match self.memory {
            Memory::Own { size, room } => (size, room, None),
            Memory::Template { size } => (0, None, Some(size)),
        };
        let mut memory = json!({ "size": size, "mergeable": false, "hotplug_method": "Acpi" });
        if let Some(room) = room {
            put(&mut memory, "hotplug_size", json!(room));
        }
        put(&mut memory, "shared", json!(true));
        put(&mut memory, "hugepages", json!(false));
        put(&mut memory, "prefault", json!(prefault));
        if let Some(size) = zone {
            put(
                &mut memory,
                "zones",
                json!([{
                    "id": "mem0",
                    "size": size,
                    "file": self.start.hv.vm_template.memory_path,
                    "shared": true,
                    "hugepages": false,
                    "hugepage_size": null,
                    "host_numa_node": null,
                    "hotplug_size": null,
                    "hotplugged_size": null,
                    "prefault": prefault,
                }]),
            );
        }
        memory
    }

    fn payload(&self, cmdline: &str) -> Json {
        let boot = &self.start.hv.boot_info;
        let set = |text: &str| if text.is_empty() { Json::Null } else { json!(text) };
        let (mrconfigid, host_data) = match &self.resources.protection {
            Some(Protection::Tdx { mrconfigid, .. }) => (mrconfigid.clone(), None),
            Some(Protection::Snp { host_data, .. }) => (None, host_data.clone()),
            _ => (None, None),
        };
        let mut payload = json!({
            "firmware": set(&boot.firmware),
            "kernel": boot.kernel,
            "cmdline": set(cmdline),
            "initramfs": set(&boot.initrd),
        });
        if self.start.has(Change::ClhHostData) {
            put(&mut payload, "mrconfigid", json!(mrconfigid));
            put(&mut payload, "host_data", json!(host_data));
        }
        payload
    }

    /// The image as a disk.
    fn disk(&self) -> Json {
        let mut disk = json!({
            "path": self.start.hv.boot_info.image,
            "readonly": true,
            "direct": false,
            "iommu": false,
            "num_queues": 1,
            "queue_size": 128,
            "vhost_user": false,
            "vhost_socket": null,
            "rate_limiter_config": null,
            "id": null,
            "disable_io_uring": false,
            "pci_segment": 0,
        });
        if self.start.has(Change::ClhSparse) {
            put(&mut disk, "sparse", json!(true));
        }
        if self.start.has(Change::ClhImageType) {
            put(&mut disk, "image_type", json!("Unknown"));
        }
        disk
    }

    /// The image as persistent memory.
    fn persistent(&self) -> Json {
        json!({
            "file": self.start.hv.boot_info.image,
            "size": null,
            "iommu": false,
            "discard_writes": true,
            "id": null,
            "pci_segment": 0,
        })
    }

    /// The VM, in the order of upstream's structs.
    pub(super) fn body(&self, cmdline: &str) -> Json {
        let hv = self.start.hv;
        let mut vm =
            json!({ "cpus": self.cpus(), "memory": self.memory(), "payload": self.payload(cmdline) });
        let is_disk = self.closed || self.start.has(Change::ClhBlockRoot);
        if !hv.boot_info.image.is_empty() && is_disk {
            put(&mut vm, "disks", json!([self.disk()]));
        }
        let entropy = hv.machine_info.entropy_source.as_str();
        let entropy = if entropy.is_empty() { "/dev/urandom" } else { entropy };
        if self.start.has(Change::ClhNetAtCreation) {
            let cards: Vec<Json> = self.cards().map(|card| self.card_at_creation(card)).collect();
            put(&mut vm, "net", json!(cards));
        }
        put(&mut vm, "rng", json!({ "src": entropy, "iommu": false }));
        if hv.device_info.reclaim_guest_freed_memory && self.start.has(Change::Balloon) {
            put(
                &mut vm,
                "balloon",
                json!({ "size": 0, "deflate_on_oom": false, "free_page_reporting": true }),
            );
        }
        if !hv.boot_info.image.is_empty() && !is_disk {
            put(&mut vm, "pmem", json!([self.persistent()]));
        }
        put(&mut vm, "fs", self.resources.share.iter().map(|share| self.shared(share)).collect());
        let talks =
            |on: bool| json!({ "file": null, "mode": if on { "Tty" } else { "Off" }, "iommu": false });
        put(&mut vm, "serial", talks(hv.debug_info.enable_debug && !self.closed));
        put(&mut vm, "console", talks(hv.debug_info.enable_debug && self.closed));
        if self.start.has(Change::ClhHostDevices) {
            put(&mut vm, "devices", json!([]));
        }
        put(
            &mut vm,
            "vsock",
            json!({
                "cid": 3,
                "socket": format!("{}/ch-vm.sock", self.start.paths.sandbox()),
                "iommu": false,
                "id": null,
                "pci_segment": 0,
            }),
        );
        put(&mut vm, "iommu", json!(false));
        put(&mut vm, "watchdog", json!(false));
        if self.tdx {
            put(
                &mut vm,
                "platform",
                json!({
                    "num_pci_segments": 1,
                    "iommu_segments": null,
                    "serial_number": null,
                    "uuid": null,
                    "oem_strings": null,
                    "tdx": true,
                }),
            );
        }
        vm
    }

    fn shared(&self, share: &Share) -> Json {
        let paths = &self.start.paths;
        let folder = if share.kind == share_fs::Kind::Inline && !paths.is_rootless() {
            paths.sandbox()
        } else {
            paths.jail_link()
        };
        json!({
            "tag": "kataShared",
            "socket": format!("{folder}/virtiofsd.sock"),
            "num_queues": 1,
            "queue_size": if self.start.has(Change::QueueSize) { share.queue_size } else { 1024 },
            "id": null,
            "pci_segment": 0,
        })
    }

    pub(super) fn causes(&self) -> Vec<(String, Cause)> {
        let keys = self.start.keys;
        let mut causes: Vec<(String, Cause)> = [
            ("/cpus/boot_vcpus", keys.default_vcpus),
            ("/cpus/max_vcpus", keys.default_maxvcpus),
            ("/cpus/topology/cores_per_die", keys.default_maxvcpus),
            ("/cpus/nested", keys.disable_nested_virtualization),
            ("/cpus/features", keys.cpu_features),
            ("/memory/size", keys.default_memory),
            ("/memory/prefault", keys.enable_mem_prealloc),
            ("/memory/zones", keys.boot_to_be_template),
            ("/payload/kernel", keys.kernel),
            ("/payload/cmdline", keys.kernel_params),
            ("/payload/initramfs", keys.initrd),
            ("/payload/firmware", keys.firmware),
            ("/payload/mrconfigid", keys.initdata),
            ("/payload/host_data", keys.initdata),
            ("/disks/0", keys.image),
            ("/rng/src", keys.entropy_source),
            ("/balloon", keys.reclaim_guest_freed_memory),
            ("/fs", keys.shared_fs),
            ("/fs/0/queue_size", keys.virtio_fs_queue_size),
            ("/serial/mode", keys.enable_debug),
            ("/console/mode", keys.enable_debug),
            ("/platform", keys.confidential_guest),
            ("/vsock/socket", keys.rootless),
        ]
        .map(|(pointer, key)| (pointer.to_owned(), Cause::key(key)))
        .into();
        let room = Cause::key(keys.default_memory).by("what is left of the host's memory");
        causes.push(("/memory/hotplug_size".to_owned(), room));
        causes
    }

    /// The cards that it has: of those behind a process nobody tells it.
    pub(super) fn cards(&self) -> impl Iterator<Item = &Card> {
        let all = self.resources.network.cards.iter();
        all.filter(|card| matches!(card.backend, Backend::Tap { .. }))
    }

    /// As many descriptors of a card's tap device as it is handed.
    pub(super) fn descriptors(&self, card: &Card) -> usize {
        match (self.resources.network.deferred, self.start.has(Change::ClhCardQueues)) {
            (true, _) => card.queue_pairs.max(1),
            (false, true) => self.start.hv.network_info.network_queues as usize,
            (false, false) => card.queue_pairs,
        }
    }

    /// A card whose tap device is named.
    fn card_at_creation(&self, card: &Card) -> Json {
        let mut net = json!({ "tap": card.tap() });
        self.describe(&mut net, card, card.queue_pairs);
        put(&mut net, "id", json!(card.interface));
        net
    }

    /// A card whose tap device is handed over, one descriptor for each pair of queues.
    pub(super) fn add_net(&self, card: &Card) -> Request {
        let descriptors = self.descriptors(card);
        let queues = if self.start.has(Change::ClhCardQueues) { descriptors * 2 } else { card.queue_pairs };
        let mut net = json!({});
        self.describe(&mut net, card, queues);
        put(&mut net, "fds", json!(vec!["{fd}"; descriptors.max(1)]));
        let queues = Cause::key(self.start.keys.network_queues);
        let causes = vec![
            (String::new(), Cause::rule("an interface of the pod")),
            ("/num_queues".to_owned(), queues.clone()),
            ("/fds".to_owned(), queues),
        ];
        Request { method: "PUT".to_owned(), path: "vm.add-net".to_owned(), body: net, causes }
    }

    fn describe(&self, net: &mut Json, card: &Card, queues: usize) {
        put(net, "ip", json!("192.168.249.1"));
        put(net, "mask", json!("255.255.255.0"));
        put(net, "mac", json!(card.mac));
        put(net, "iommu", json!(false));
        if queues > 0 {
            put(net, "num_queues", json!(queues));
        }
        // Too long a queue loses its upper bits.
        let length = card.queue_size as u16;
        if length > 0 {
            put(net, "queue_size", json!(length));
        }
        put(net, "vhost_user", json!(false));
        put(net, "vhost_mode", json!("Client"));
    }
}
