//! Every behaviour of runtime-rs that came or went between 3.0.0 and 4.1.0, by name.
//!
//! A table alone; the code asks `release.has(Change::...)` where upstream has the difference. Facts: the tags
//! of kata-containers, src/runtime-rs and src/libs; each line names the commit that made the difference, or
//! the file.

use super::{behaviours, v};

behaviours! {
    /// What came, and with a last release what went.
    Change of Rs;
    // loading
    /// A pod's `config_path` names the configuration that is loaded for it.
    ConfigPathAnnotation: v(3, 0, 0), Some(v(3, 32, 0)), "03cc670076";
    /// The runtime crashes where the pod has no network namespace of its own.
    NamespaceNeeded: v(3, 21, 0), Some(v(3, 24, 0)), "95585d818f";
    /// The files are read with toml 1.1, in its grammar and words; before with 0.5.
    Toml1: v(4, 0, 0), None, "b2c91136a1";
    /// Unknown keys of agents, factories, rootless users and shared mounts are errors.
    StrictTables: v(3, 29, 0), None, "b32c5234f4";
    /// `default_vcpus` is a whole number, in the file and in the annotation.
    WholeVcpus: v(3, 0, 0), Some(v(3, 19, 1)), "1f95d9401b";
    /// `reclaim_guest_freed_memory` is called `enable_balloon_f_reporting`.
    BalloonKey: v(3, 9, 0), Some(v(3, 13, 0)), "8f550de88a";
    /// `extra_monitor_socket` is called `dbg_monitor_socket`.
    DebugMonitorKey: v(3, 6, 0), Some(v(3, 28, 0)), "a6e891e733";
    /// `create_container_timeout` is called `request_timeout_ms`, in milliseconds.
    RequestTimeoutKey: v(3, 0, 0), Some(v(3, 18, 0)), "ce524a3958";
    /// `create_container_timeout` of the file is in milliseconds.
    TimeoutInMilliseconds: v(3, 19, 0), Some(v(3, 20, 0)), "3e53f2814a";
    /// `static_sandbox_resource_mgmt` is called `static_resource_mgmt`.
    StaticResourceKey: v(3, 0, 0), Some(v(3, 1, 3)), "919d19f415";
    /// An agent's table has to set `container_pipe_size`.
    PipeSizeRequired: v(3, 0, 0), Some(v(3, 1, 3)), "844bf053b2";
    /// The whole configuration is checked after the annotations, and the agent's parameters are told to the
    /// kernel.
    Checks: v(3, 1, 0), None, "e23bfd615e";
    /// The whole configuration is adjusted once more after the annotations.
    AdjustedAfterAnnotations: v(3, 20, 0), None, "00bfa3fa02";
    /// The names of runtime, hypervisor and agent have to be given, and to have tables; before there were
    /// defaults, and a crash.
    NamesRequired: v(3, 3, 0), None, "864389c524";
    /// `default_vcpus` and `default_maxvcpus` are bounded by the host's when loading.
    VcpusBounded: v(3, 1, 0), None, "53f209af44";
    /// `default_maxmemory` is the host's memory where it is not set.
    MaxMemory: v(3, 3, 0), None, "9a37e77f2a";
    /// `default_memory` and `default_maxmemory` are bounded by the host's when loading; before by the launch
    /// of QEMU.
    MemoryBounded: v(3, 28, 0), None, "d298df7014";
    /// `network_queues` is from 1 to 256.
    NetworkQueuesBounded: v(3, 27, 0), None, "61e7875267";
    /// On ppc64le memory is cut to blocks of 256 MiB.
    MemoryInBlocks: v(3, 29, 0), None, "b32c5234f4";
    /// `guest_hook_path` has a default.
    GuestHookDefault: v(3, 0, 0), Some(v(3, 19, 1)), "c4af9be411";
    /// `shared_fs = "none"` means that nothing is shared.
    SharedFsNone: v(3, 18, 0), None, "f3c8ef9200";
    /// `virtio-9p` is a way to share files, with `msize_9p`.
    Plan9: v(3, 0, 0), Some(v(3, 28, 0)), "10b24a19c8";
    /// The default of `msize_9p` is 8 KiB; before 128 KiB.
    SmallPlan9: v(3, 24, 0), Some(v(3, 28, 0)), "e859537c74";
    /// `virtio-fs-nydus` is a way to share files.
    Nydus: v(3, 32, 0), None, "b50f803a4e";
    /// The cache modes are never, auto and always; before none stood for never.
    CacheNever: v(3, 1, 0), None, "4661ea8d3b";
    /// Block drivers are called virtio-blk-pci, virtio-blk-mmio and virtio-pmem; before virtio-blk, virtio-
    /// mmio and nvdimm.
    BlockDriverNames: v(3, 2, 0), None, "4719802c8d";
    /// Sandbox bind mounts may end with :ro or :rw.
    BindMountModes: v(3, 2, 0), None, "eee7aae71d";
    /// The message about a missing flash image is spelled right when loading.
    FlashSpelled: v(3, 20, 0), None, "src/libs/kata-types/src/config/hypervisor/mod.rs";
    /// `file_mem_backend` has to exist.
    MemoryBackend: v(3, 0, 0), Some(v(3, 31, 0)), "86fd65271c";
    /// `l3forwarding` is an internetworking model.
    L3Forwarding: v(4, 1, 0), None, "60e55ee2c7";
    /// `block-plain` is an emptydir_mode.
    BlockPlain: v(4, 0, 0), None, "src/libs/kata-types/src/config/runtime.rs";
    /// A table of the remote hypervisor forces the internetworking model none.
    RemoteNetwork: v(4, 1, 0), None, "60e55ee2c7";
    /// `reconnect_timeout_ms` must not be below `dial_timeout_ms`.
    ReconnectChecked: v(4, 1, 0), None, "a8c9307dea";
    // hypervisors
    /// QEMU is known.
    QemuPlugin: v(3, 1, 0), None, "2f6d0d408b";
    /// Cloud Hypervisor is known.
    ClhPlugin: v(3, 2, 0), None, "545151829d";
    /// Cloud Hypervisor's table is called clh; before cloud-hypervisor.
    ClhShortName: v(3, 30, 0), None, "cf6a91a104";
    /// Firecracker is known.
    FirecrackerPlugin: v(3, 7, 0), None, "2d19f3fbd7";
    /// The remote hypervisor is known.
    RemotePlugin: v(3, 11, 0), None, "f1167645f3";
    /// OpenVMM is known.
    OpenvmmPlugin: v(4, 1, 0), None, "43784596e5";
    /// Dragonball boots an initrd.
    DragonballInitrd: v(3, 8, 0), None, "e3f0d2a751";
    /// Dragonball takes `enable_guest_swap`, and QEMU refuses it.
    DragonballGuestSwap: v(3, 15, 0), None, "7787340ab6";
    /// A confidential guest on s390x needs neither image nor initrd.
    SealedImage: v(3, 15, 0), None, "4c8e881a84";
    /// A confidential guest's root may not be virtio-blk-mmio.
    ConfidentialRootfs: v(3, 28, 0), None, "83dd7dcc75";
    /// Cloud Hypervisor refuses virtio-blk-mmio.
    ClhRefusesMmio: v(3, 2, 0), Some(v(3, 2, 0)), "src/libs/kata-types/src/config/hypervisor/ch.rs";
    /// QEMU's `rootfs_type` is ext4 where it is not set.
    QemuRootfsType: v(3, 3, 0), None, "src/libs/kata-types/src/config/hypervisor/qemu.rs";
    /// QEMU has one PCI bridge where none is asked for; before two.
    OneBridge: v(3, 25, 0), None, "1a76d44e16";
    /// `factory.template_path` has a default.
    TemplatePath: v(3, 24, 0), None, "src/libs/kata-types/src/config/default.rs";
    /// Cloud Hypervisor and Dragonball start from templates, too.
    TemplatesEverywhere: v(4, 1, 0), None, "8f02eaf5f6";
    // annotations
    /// The annotation `kernel_params` replaces parameters of the same key; before the whole line.
    KernelParamsByKey: v(3, 24, 0), None, "5ca4f2b9ff";
    /// At most 16 PCIe ports can be asked for.
    PortsBounded: v(3, 17, 0), None, "2f5ee0ec6d";
    /// The document of `cc_init_data` is kept as it came; before it was read and written anew.
    InitdataAsGiven: v(3, 31, 0), None, "4971445f67";
    /// An empty `cc_init_data` is no initdata; before a crash.
    EmptyInitdata: v(3, 20, 0), None, "src/libs/kata-types/src/initdata.rs";
    /// Bare digits of the annotation `default_memory` are MiB; before bytes.
    MemoryUnits: v(3, 32, 0), None, "5ba5046e97";
    /// Sizes are read with byte-unit 5; before with 3.
    ByteUnit5: v(3, 3, 0), None, "src/libs/kata-types/Cargo.toml";
    /// A pod adds host folders by `sandbox_bind_mounts`.
    BindMountsFromPods: v(3, 2, 0), Some(v(3, 32, 0)), "ab2e7f0c58";
    // the agent's parameters
    /// The agent's kernel parameters stand in a fixed order.
    OrderedAgentParams: v(3, 26, 0), None, "37a0c81b6a";
    // sizing
    /// With static sizing the pod's limits are added to the size of the VM.
    LimitsAddedWhenStatic: v(3, 0, 0), Some(v(3, 1, 3)), "919d19f415";
    /// The pod's CPU limit takes the place of `default_vcpus`.
    VcpusFromLimit: v(3, 2, 0), Some(v(3, 23, 0)), "c8dd5fbacf";
    /// The pod's memory limit is added to `default_memory`.
    MemoryFromLimit: v(3, 2, 0), Some(v(3, 28, 0)), "0e5e4802d7";
    /// The memory limit is added once when loading and once more after.
    MemoryTwice: v(3, 3, 0), Some(v(3, 5, 0)), "src/runtime-rs/crates/runtimes/src/manager.rs";
    /// The pod's CPU limit keeps its fraction.
    FractionalLimit: v(3, 24, 0), None, "c8dd5fbacf";
    /// An odd memory limit is rounded up to the next MiB.
    EvenMemory: v(3, 19, 0), None, "91cadb7bfe";
    /// With static sizing the pod's limits are added to the size of the VM.
    StaticLimitsAdded: v(3, 29, 0), Some(v(3, 32, 0)), "0e5e4802d7";
    /// With static sizing the VM gets no more vCPUs than it starts with.
    StaticMaxVcpus: v(3, 31, 0), None, "d930fc42b8";
    /// With static sizing the pod's limits and the overhead take the place of the VM's size.
    Overhead: v(4, 0, 0), None, "a34c74a2d4";
    /// Limits that the sandbox's own resources lack are taken from its annotations.
    LimitsFilledUp: v(3, 32, 0), None, "ed34d7811d";
    /// CRI-O's own label says whether a container is a sandbox.
    CrioLabel: v(3, 3, 0), None, "a3b003c345";
    // launch
    /// Firecracker is told vCPUs with a fraction.
    RawVcpuCount: v(3, 7, 0), Some(v(3, 28, 0)), "02c82b174a";
    /// Firecracker is told the size of the VM.
    MachineConfig: v(3, 10, 0), None, "src/runtime-rs/crates/hypervisor/src/firecracker/fc_api.rs";
    /// Firecracker's drives are told a rate limiter.
    DriveRateLimiter: v(3, 21, 0), None, "73e31ea19a";
    /// Firecracker's rate limiter is JSON within a text.
    RateLimiterAsText: v(3, 21, 0), Some(v(3, 28, 0)), "src/runtime-rs/crates/hypervisor/src/firecracker/fc_api.rs";
    /// `disable_seccomp` reaches Firecracker.
    SeccompSwitch: v(3, 20, 0), None, "d147e2491b";
    /// A folder is shared only where `shared_fs` says so; before a hypervisor that can share had to.
    SharedFsAsked: v(4, 1, 0), None, "src/runtime-rs/crates/runtimes/virt_container/src/sandbox.rs";
    /// QEMU shares no folder where `shared_fs` is not set.
    QemuSharesIfAsked: v(3, 19, 0), None, "src/runtime-rs/crates/hypervisor/src/qemu/inner.rs";
    /// A confidential QEMU guest shares no folder.
    ConfidentialUnshared: v(3, 18, 0), None, "src/runtime-rs/crates/hypervisor/src/qemu/inner.rs";
    /// The message about an unknown way to share is spelled right.
    SharedFsSpelled: v(3, 29, 0), None, "517882f93d";
    /// virtiofsd's folder is made before it is looked for; before every start with virtiofsd failed.
    SharedFolderMade: v(3, 1, 0), None, "27b1913584";
    /// Dragonball takes huge pages; before `enable_hugepages` was passed over.
    DragonballHugePages: v(3, 1, 0), None, "fc4a67eec3";
    /// Dragonball's shared folder has extended attributes where nothing else is asked for.
    SharedAttributes: v(3, 1, 0), None, "c46814b26a";
    /// virtiofsd is started with `--sandbox none --seccomp none`.
    SandboxedVirtiofsd: v(3, 1, 0), Some(v(3, 30, 0)), "555b7738fe";
    /// virtiofsd keeps extended attributes where the guest has SELinux.
    VirtiofsdXattr: v(3, 9, 0), None, "5e5eb9759f";
    /// An XFS root has flags of its own; before those of ext4.
    RootfsFlagsOfXfs: v(3, 17, 0), None, "src/runtime-rs/crates/hypervisor/src/kernel_param.rs";
    /// A root on virtio-blk-ccw is known.
    CcwRoot: v(3, 4, 0), None, "src/runtime-rs/crates/hypervisor/src/kernel_param.rs";
    /// The guest's systemd-networkd.socket is masked.
    NetworkdSocketMasked: v(3, 31, 0), None, "7df5907c71";
    /// The root file system may be of several types; before ext4.
    RootfsType: v(3, 1, 0), None, "bdf20b5d26";
    /// The guest's kernel prints early and its initial calls.
    EarlyPrintk: v(3, 0, 0), Some(v(3, 2, 0)), "src/runtime-rs/crates/hypervisor/src/kernel_param.rs";
    /// Double quotes keep a kernel parameter with blanks together.
    QuotedParams: v(3, 27, 0), None, "472b50fa42";
    /// A root can be verified by dm-verity.
    Verity: v(3, 27, 0), None, "472b50fa42";
    /// A root on persistent memory is mounted without DAX on aarch64.
    NoDax: v(3, 27, 0), None, "472b50fa42";
    /// An initrd is not registered as a disk.
    InitrdIsNoDisk: v(3, 8, 0), None, "e3f0d2a751";
    /// A confidential guest is protected.
    Protection: v(3, 15, 0), None, "eb47f15b10";
    /// TDX protects a confidential guest.
    TdxProtection: v(3, 18, 0), None, "09fddac2c4";
    /// A confidential guest starts on a host without a TEE.
    UnprotectedStarts: v(3, 21, 0), None, "5cc028a8b1";
    /// On a host with a TEE every guest is protected.
    ProtectionUnasked: v(3, 21, 0), Some(v(3, 24, 0)), "5cc028a8b1";
    /// Devices hang on the channel subsystem by the host's architecture; before by the machine type.
    CcwByHost: v(3, 25, 0), None, "cb5b1384ca";
    /// The kubelet's socket says which devices a pod's VM is started with, where `cold_plug_vfio` is set.
    ColdPlugByKubelet: v(3, 31, 0), None, "4f618d09d5";
    /// A container's root may be a word of the snapshotter that its image is to be pulled in the guest, where no folder
    /// is shared.
    GuestPullRoots: v(3, 18, 0), None, "c9ffbaf30d";
    /// A container's root may be a file that holds a file system.
    BlockFileRoots: v(3, 19, 0), None, "74eccc54e7";
    /// A container's root may be layers of EROFS, each a block device of the VM.
    ErofsRoots: v(3, 29, 0), None, "d8db044c63";
    /// Initialization data is given to guests of hosts without a TEE, too.
    InitdataWithoutTee: v(3, 21, 0), None, "5cc028a8b1";
    /// The disk of initialization data uses `block_device_driver`; before `vm_rootfs_driver`.
    InitdataByBlockDriver: v(3, 21, 0), None, "e430727cb6";
    /// The remote hypervisor needs no image.
    RemoteWithoutImage: v(3, 23, 0), None, "45d8141edc";
    /// PCIe ports are prepared.
    PciePorts: v(3, 17, 0), None, "c109328097";
    /// PCIe ports have room reserved, and switch ports are prepared as well.
    PortReserves: v(3, 17, 0), Some(v(3, 30, 0)), "a975a998a6";
    /// A PCIe root port's chassis is numbered from 1.
    NumberedChassis: v(3, 31, 0), Some(v(3, 32, 0)), "ab90624d79";
    /// A device on the channel subsystem may be told disable-modern.
    ModernOffOnCcw: v(3, 0, 0), Some(v(3, 30, 0)), "src/runtime-rs/crates/hypervisor/src/qemu/cmdline_generator.rs";
    /// QEMU is always told where interrupts are handled.
    KernelIrqchip: v(3, 31, 0), None, "a975a998a6";
    /// SNP guests have a policy, split interrupts and memory that does not grow.
    SnpPolicy: v(3, 28, 0), None, "dc87c1f732";
    /// TDX guests have split interrupts.
    TdxIrqchip: v(3, 29, 0), None, "src/runtime-rs/crates/hypervisor/src/qemu/cmdline_generator.rs";
    /// Plain SEV has an object of its own, and the address bits come from the processor.
    SevObject: v(3, 23, 0), None, "6f9178d290";
    /// On the machine virt an IOMMU is a kernel parameter; before a device.
    VirtIommu: v(3, 26, 0), None, "5b82b160e2";
    /// QEMU gets an IOMMU.
    IommuDevice: v(3, 5, 0), None, "2bc5e3c6e2";
    /// QEMU has a control socket and may have another monitor.
    MonitorSocket: v(3, 6, 0), None, "138d985c64";
    /// The guest kernel is told whether SELinux is on.
    GuestSelinux: v(3, 9, 0), None, "eb1227f47d";
    /// QEMU has PCI bridges and a SCSI controller.
    Bridges: v(3, 10, 0), None, "720265c2d8";
    /// QEMU has a console for the guest.
    Console: v(3, 4, 0), None, "81aaa34bd6";
    /// QEMU's guest is told its console.
    ConsoleParam: v(3, 21, 0), None, "5715408d61";
    /// QEMU and Dragonball round vCPUs up; before down.
    CeiledVcpus: v(3, 23, 0), None, "c74a2650e9";
    /// maxcpus is left out where there is no room for more, as for a confidential guest.
    SmpWithoutRoom: v(3, 32, 0), None, "2e625d0bab";
    /// Independent I/O threads are objects.
    IndepIothreads: v(3, 32, 0), None, "36e626649d";
    /// The firmware of a plain guest is told to QEMU.
    PlainBios: v(3, 32, 0), None, "36e626649d";
    /// The firmware of a plain guest is told after all devices.
    BiosAtTheEnd: v(4, 0, 0), None, "ab90624d79";
    /// The machine names its memory backend; before a NUMA node did.
    MemoryBackendOption: v(4, 0, 0), None, "125cd3732c";
    /// With a firmware PCI bridges are nested below root ports.
    NestedBridges: v(4, 0, 0), None, "ab90624d79";
    /// QEMU is told read-only of a disk; before auto-read-only.
    ReadOnlySaid: v(4, 1, 0), None, "src/runtime-rs/crates/hypervisor/src/qemu/cmdline_generator.rs";
    /// A SCSI disk is attached; before left out.
    ScsiDisk: v(3, 22, 0), None, "src/runtime-rs/crates/hypervisor/src/qemu/inner.rs";
    /// A virtio-blk disk is attached before the VM starts.
    BlkDisk: v(3, 18, 0), None, "09fddac2c4";
    /// `block_device_cache_direct` reaches QEMU and Cloud Hypervisor.
    CacheDirect: v(3, 14, 0), None, "db04c7ec93";
    /// Freed memory is given back by QEMU and Cloud Hypervisor, too.
    Balloon: v(3, 14, 0), None, "8f550de88a";
    /// Memory can be allocated beforehand.
    Prealloc: v(3, 18, 0), None, "09fddac2c4";
    /// `virtio_fs_queue_size` reaches QEMU and Cloud Hypervisor.
    QueueSize: v(3, 31, 0), None, "0d5bde2181";
    /// QEMU's console and virtiofsd's socket are in the sandbox's folder; before in the working directory.
    JailedSockets: v(3, 22, 0), None, "9e33888f06";
    /// A VMM may run as a user made for it.
    Rootless: v(3, 22, 0), None, "bde6eb7c3a";
    /// Cloud Hypervisor's root is virtio-blk; before persistent memory.
    ClhBlockRoot: v(3, 27, 0), None, "e17f96251d";
    /// Cloud Hypervisor is told host devices.
    ClhHostDevices: v(3, 19, 0), None, "src/runtime-rs/crates/hypervisor/ch-config/src/convert.rs";
    /// Cloud Hypervisor is told the type of an image.
    ClhImageType: v(3, 28, 0), None, "24ac2ccb5c";
    /// Cloud Hypervisor is told of one queue of a disk, of 128 requests; before of none.
    ClhDiskQueues: v(3, 3, 0), None, "523399c329";
    /// Cloud Hypervisor is told whether an image is sparse.
    ClhSparse: v(4, 0, 0), None, "3332b7c4bc";
    /// Cloud Hypervisor is told not to nest on Microsoft's hypervisor.
    ClhMshv: v(3, 30, 0), None, "ed44b363ba";
    /// Cloud Hypervisor is told digests of initialization data.
    ClhHostData: v(3, 29, 0), None, "6dde0a91ca";
    /// Cloud Hypervisor's vCPUs may be more than 255.
    ClhWideCpus: v(4, 1, 0), None, "src/runtime-rs/crates/hypervisor/ch-config/src/convert.rs";
    /// Dragonball is told whether a disk is sparse.
    SparseBlocks: v(4, 0, 0), None, "3332b7c4bc";
    /// Dragonball puts virtio-blk-pci on the PCI bus.
    PciBus: v(3, 21, 0), None, "c80ddd3fd9";
    /// Dragonball's disks have rate limiters.
    DragonballRateLimiter: v(3, 22, 0), None, "bb6fb8ff39";
    /// Dragonball refuses devices that it does not know; before it crashed.
    DragonballRefuses: v(3, 31, 0), None, "src/runtime-rs/crates/hypervisor/src/dragonball/inner_device.rs";
    /// The remote hypervisor takes CRI-O's names of a pod, too.
    RemoteFallback: v(4, 1, 0), None, "adfd9a966c";
    /// A disk may be virtio-blk-ccw.
    CcwDriver: v(3, 4, 0), None, "9bcfaad625";
    /// A disk may be virtio-scsi.
    ScsiDriver: v(3, 20, 0), None, "src/runtime-rs/crates/hypervisor/src/device/device_manager.rs";
    /// Disks are made in another way, which the messages say.
    ModernBlocks: v(4, 0, 0), None, "src/runtime-rs/crates/hypervisor/src/device/device_manager.rs";
    /// The message about a device that cannot be made is spelled right.
    CreationSpelled: v(3, 3, 0), None, "src/runtime-rs/crates/hypervisor/src/device/device_manager.rs";
    /// The message about a device that cannot be added is spelled right.
    DeviceSpelled: v(3, 22, 0), None, "src/runtime-rs/crates/hypervisor/src/device/device_manager.rs";
    /// The folder of a rootless VMM's sockets is there before QEMU is started.
    SocketFolder: v(4, 1, 0), None, "src/runtime-rs/crates/hypervisor/src/qemu/inner.rs";
    /// Cloud Hypervisor is told network devices when the VM is created.
    ClhNetAtCreation: v(3, 3, 0), Some(v(3, 22, 0)), "2ddbae3aa6";
    /// The network is set up in a thread of its own, which the messages say; before a panic in it was the runtime's.
    NetworkThread: v(3, 1, 0), None, "b987bbc576";
    /// The network is set up in a step of its own, which the messages say.
    NetworkHandled: v(3, 2, 0), None, "b31f103d12";
    /// A sandbox's file in `dan_conf` names its network.
    Dan: v(3, 3, 0), None, "src/runtime-rs/crates/resource/src/network/dan.rs";
    /// `internetworking_model = "none"` leaves the pod's network out; before, its interfaces are the VM's and joined to
    /// nothing.
    NoneModelUnscanned: v(3, 2, 0), None, "6822029c81";
    /// `disable_new_netns` leaves the pod's network out.
    NewNetnsDisabled: v(3, 2, 0), None, "src/runtime-rs/crates/runtimes/src/manager.rs";
    /// A pod's interface is looked up by its name; before by eth0, eth1 and so on.
    LinkByOwnName: v(3, 31, 0), None, "src/runtime-rs/crates/resource/src/network/network_pair.rs";
    /// An interface of no own kind is joined as a veth is; before refused.
    PlainLinks: v(3, 30, 0), None, "src/runtime-rs/crates/resource/src/network/network_with_netns.rs";
    /// A card is told its queues and their length.
    CardQueues: v(4, 0, 0), None, "src/runtime-rs/crates/resource/src/network/endpoint/veth_endpoint.rs";
    /// The agent is told an interface's device path.
    DevicePath: v(3, 15, 0), None, "src/runtime-rs/crates/agent/src/types.rs";
    /// The agent is told the neighbours that somebody has set; before all that the kernel knows.
    SetNeighbours: v(3, 20, 0), None, "src/runtime-rs/crates/resource/src/manager_inner.rs";
    /// The agent is told a route's destination without the length of its prefix.
    RouteWithoutPrefix: v(3, 15, 0), Some(v(4, 0, 0)), "src/runtime-rs/crates/resource/src/network/network_info/network_info_from_link.rs";
    /// A vhost-user card has the name of its interface.
    VhostUserNamed: v(4, 1, 0), None, "src/runtime-rs/crates/resource/src/network/endpoint/vhost_user_endpoint.rs";
    /// A VM of a factory gets its network once it runs.
    NetworkDeferred: v(4, 1, 0), None, "src/runtime-rs/crates/runtimes/virt_container/src/sandbox.rs";
    /// Cloud Hypervisor is handed descriptors of a card's tap device, once for each of `network_queues`.
    ClhCardQueues: v(3, 27, 0), None, "362a4c5714";
    /// Cloud Hypervisor is handed network cards before it boots.
    ClhCards: v(3, 23, 0), None, "2ddbae3aa6";
    /// QEMU's card is a driver's name and its options; before the driver was one of them.
    NetDriverFirst: v(3, 4, 0), None, "src/runtime-rs/crates/hypervisor/src/qemu/cmdline_generator.rs";
    /// QEMU's network has the name of its tap device; before a number that was always 0.
    NetdevByTap: v(3, 10, 0), None, "src/runtime-rs/crates/hypervisor/src/qemu/cmdline_generator.rs";
    /// QEMU's devices may hang on the channel subsystem.
    CcwBus: v(3, 4, 0), None, "9b2c08935b";
    /// QEMU's devices on the channel subsystem have numbers.
    CcwNumbers: v(3, 12, 0), None, "920484918c";
    /// QEMU's card may hang on the channel subsystem.
    CcwCard: v(3, 15, 0), None, "src/runtime-rs/crates/hypervisor/src/qemu/cmdline_generator.rs";
    /// Dragonball is told what stands behind a card.
    DragonballCardBackend: v(3, 3, 0), None, "src/runtime-rs/crates/hypervisor/src/dragonball/mod.rs";
    /// Cloud Hypervisor protects a confidential guest, for which the host has to have TDX.
    ClhProtection: v(3, 3, 0), None, "b0a3293d53";
    /// Cloud Hypervisor shares no folder with a TDX guest.
    ClhTdxUnshared: v(3, 3, 0), None, "src/runtime-rs/crates/hypervisor/src/ch/inner_hypervisor.rs";
    /// The quote service is reached by vsock where its socket is missing.
    QuoteFallback: v(3, 32, 0), None, "733c6791d3";
    /// QEMU is started; before the runtime crashed on the way.
    QemuWorks: v(3, 3, 0), None, "f550d9a325";
    /// Cloud Hypervisor runs without seccomp.
    ClhSeccompOff: v(3, 2, 0), Some(v(3, 2, 0)), "src/runtime-rs/crates/hypervisor/src/ch/inner_hypervisor.rs";
    /// Cloud Hypervisor's guest gets parameters about its clock and log.
    ClhGuestOptions: v(3, 3, 0), None, "src/runtime-rs/crates/hypervisor/src/ch/inner_hypervisor.rs";
    /// The shared folder's device heeds enable_iommu_platform on every machine.
    SharePlatform: v(3, 3, 0), Some(v(3, 4, 0)), "2bc5e3c6e2";
    /// QEMU is told that a disk passes no SCSI commands.
    ScsiOff: v(3, 4, 0), Some(v(3, 7, 0)), "b7999ac765";
    /// The root file system is registered as a disk; before each hypervisor did so by itself.
    VmRootfs: v(3, 2, 0), None, "src/runtime-rs/crates/runtimes/virt_container/src/sandbox.rs";
    // the agent
    /// The agent is told the sandbox's hostname.
    Hostname: v(3, 2, 0), None, "f4938c0d90";
    /// The guest is given shared memory.
    ShmStorage: v(3, 21, 0), None, "4a92fc1129";
    /// Shared memory is at the same place in the guest of a rootless VMM.
    GuestShmFixed: v(4, 1, 0), None, "621c836842";
    /// Storages say whether they are shared.
    SharedMark: v(3, 31, 0), None, "src/runtime-rs/crates/resource/src/share_fs/share_virtio_fs_standalone.rs";
}
