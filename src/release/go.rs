//! Every behaviour of the Go runtime that came or went between 2.0.0 and 4.1.0, by name: reading the configuration,
//! annotations, sizing; then the launch of the VM and what its agent is told.
//!
//! A table alone; the code asks `release.has(Change::...)` where upstream has the difference. What only
//! concerns whether a key or an annotation exists is not here: the catalogue has it by spans. Facts: the tags
//! of kata-containers, src/runtime and the QEMU library beside it; each line names the commit that made the
//! difference, or the file where none says so.

use super::{Version, behaviours, v};

/// The first release there is.
const FIRST: Version = v(2, 0, 0);

behaviours! {
    /// What came, and with a last release what went.
    Change of Go;

    // Files.
    /// Files in `config.d` beside the configuration are merged into it.
    DropIns: v(2, 5, 0), None, "0f9856c465";
    /// A pod's `config_path` names the configuration that is loaded for it.
    ConfigPathAnnotation: FIRST, Some(v(3, 32, 0)), "03cc670076";
    /// A hypervisor table of an unknown name is refused; before, it configures nothing.
    UnknownTablesRefused: v(3, 2, 0), None, "92f283f062";

    // Devices.
    /// The shim adds the devices of `cdi.k8s.io/` annotations to every sandbox's specification.
    CdiOfPods: v(3, 3, 0), Some(v(3, 5, 0)), "7c934dc7da";
    /// It does so for lone containers alone.
    CdiOfLoneContainers: v(3, 6, 0), Some(v(3, 15, 0)), "6713db8990";
    /// And for every sandbox again.
    CdiOfEveryPod: v(3, 16, 0), Some(v(3, 23, 0)), "4c93bb2d61";
    /// It says why it cannot.
    CdiReason: v(3, 15, 0), None, "1f6833bd0d";
    /// It does so where `cold_plug_vfio` is set alone, and the kubelet's socket goes first.
    ColdPlugByKubelet: v(3, 24, 0), None, "5aa184925a";

    // Hypervisors.
    /// ACRN.
    Acrn: FIRST, Some(v(3, 9, 0)), "fefcf7cfa4";
    /// Dragonball, as a mock.
    Dragonball: v(3, 0, 0), None, "274598ae56";
    /// StratoVirt and the remote hypervisor.
    StratovirtAndRemote: v(3, 3, 0), None, "9542211e71";

    // Defaults and checks at load.
    /// The machine type that holds where none is configured is q35; before, pc.
    Q35ByDefault: v(2, 2, 0), None, "789a59549e";
    /// The program that holds where none is configured is the full QEMU; before, qemu-lite.
    FullQemuByDefault: v(2, 2, 0), None, "60155756f3";
    /// The shared file system that holds where none is configured is virtio-fs; before, virtio-9p.
    VirtioFsByDefault: v(2, 4, 0), None, "2d9f89aec7";
    /// nydus can serve the shared file system.
    Nydus: v(2, 4, 0), None, "2d9f89aec7";
    /// No shared file system at all can be asked for.
    NoSharedFs: v(3, 2, 0), None, "6a21e20c63";
    /// The cache mode that holds where none is configured is never; before, it is called none.
    CacheNeverByDefault: v(3, 1, 0), None, "56071c6e7b";
    /// Whatever is configured, the runtime pins no vCPUs: only the annotation does.
    PinningByAnnotationAlone: v(3, 1, 0), Some(v(3, 1, 1)), "4ec5db0fb3";
    /// The host's CPUs are counted in /proc/cpuinfo; before, and for annotations always, those that the shim may
    /// run on.
    CpusOfMachine: v(3, 4, 0), None, "da01bccd36";
    /// vCPUs come in fractions.
    FractionalVcpus: v(3, 3, 0), None, "e477ed0e86";
    /// Blanks within double quotes do not end a configured kernel parameter.
    QuotedKernelParams: v(3, 3, 0), None, "82ff2db460";
    /// Ports for VFIO devices are chosen and checked.
    VfioPorts: v(3, 2, 0), None, "13d7f39c71";
    /// Numbers of ports are lowered to 16; an annotation of 0 is read past.
    PortsLimited: v(3, 6, 0), None, "c7b41361b2";
    /// Cloud Hypervisor plugs VFIO devices into root ports before the start, too.
    ClhColdPlug: v(3, 29, 0), None, "858620d2e7";
    /// On arm64 NVDIMM is off where no firmware is configured.
    Arm64NvdimmNeedsFirmware: v(3, 2, 0), None, "ece5edc641";
    /// Certificates are looked up for SNP guests alone.
    SnpCertificatesForSnpAlone: v(3, 9, 0), Some(v(3, 13, 0)), "b10256a7ca";
    /// The remote hypervisor's shared file system is said to be none; before, it is left empty.
    RemoteSharesNothing: v(3, 7, 0), None, "8260ce8d15";
    /// Port 0 of the quote service is port 4050.
    QuotePortByDefault: v(3, 6, 0), Some(v(3, 21, 0)), "src/runtime/pkg/katautils/config.go";
    /// How much the hypervisor logs is 1 where nothing is configured.
    LogLevelByDefault: v(3, 15, 0), None, "d48116114e";
    /// Bind mounts of the sandbox are looked at; 2.0.4 knows their key and uses none.
    BindMounts: v(2, 1, 0), None, "src/runtime/pkg/katautils/config.go";
    /// Image and initrd are looked up together: one of them must lead to a file, and both are refused.
    AssetsAtLoad: FIRST, Some(v(2, 4, 3)), "469e098543";
    /// Cloud Hypervisor boots an image alone, and shares files by virtio-fs whatever is configured.
    ClhImageAlone: FIRST, Some(v(2, 3, 3)), "7c956e0d27";
    /// One feature is experimental: newstore.
    NewStore: FIRST, Some(v(2, 2, 3)), "src/runtime/virtcontainers/persist/manager.go";
    /// netmon watches the network, and wants a namespace of its own.
    Netmon: FIRST, Some(v(2, 3, 3)), "ddc68131df";
    /// Tracing has a mode and a type.
    TraceModes: FIRST, Some(v(2, 2, 3)), "321be0f794";
    /// Fewer vCPUs than the host has are the most, where the machine takes no more.
    VcpusWithinMachine: v(2, 2, 3), None, "e97cd23bd6";
    /// Templates need an initrd.
    TemplateNeedsInitrd: FIRST, Some(v(3, 31, 0)), "c0f9744225";
    /// Several guest NUMA nodes need static sizing.
    NumaNeedsStaticSizing: v(3, 32, 0), None, "d0d7deb262";
    /// The most vCPUs are a multiple of the guest's NUMA nodes, which do nothing else yet.
    VcpusByNumaNodes: v(3, 27, 0), Some(v(3, 31, 0)), "5d99a141d9";
    /// An emptyDir can be a plain block device.
    EmptyDirAsBlock: v(4, 0, 0), None, "24c51cfbbf";

    // Annotations.
    /// All booleans share one complaint, and all numbers one; numbers have 64 bits and are cut to 32. Before, each
    /// annotation has words of its own, slips included, and a number of more than 32 bits is refused.
    SharedComplaints: v(2, 2, 0), None, "66dd8719e3";
    /// The remote hypervisor's size is not held against this host.
    RemoteSizeUnchecked: v(3, 6, 0), None, "abe607b0c7";
    /// A kernel parameter takes the place of those of the same name; before, it is appended.
    KernelParamsReplace: v(3, 24, 0), None, "5ca4f2b9ff";
    /// The initdata document is unpacked and measured; before, it is a text for the remote hypervisor.
    InitdataUnpacked: v(3, 16, 0), None, "91bb6b7c34";
    /// An annotation can choose an asset of every kind, and the hashes are SHA-512. Before, kernel, image and initrd
    /// alone, of which the last two exclude each other, and `asset_hash_type` names the hash.
    AssetsOfEveryKind: v(2, 1, 0), None, "e82c9daec3";
    /// An image or initrd of an annotation takes the place of the other kind in the file.
    AssetAnnotationWins: v(3, 2, 0), None, "59fae423b5";

    // Sizing.
    /// The pod's limits are added to the defaults when the sandbox is made.
    StaticSizing: v(2, 4, 0), None, "8cde54131a";
    /// Limits are read as numbers of 64 bits; before, of 32, and larger ones count as none.
    LimitsIn64Bits: v(2, 5, 0), None, "src/runtime/pkg/oci/utils.go";
    /// A pod with CPU shares and without a limit is sized by its shares.
    SizedByShares: v(3, 32, 0), None, "b688619314";
    /// With static sizing the VM can have no more vCPUs than it starts with.
    StaticMaxVcpus: v(3, 11, 0), None, "e83f8f8a04";
    /// Those are at least 1.
    StaticMaxVcpusAtLeastOne: v(4, 0, 0), None, "afb4b38050";

    /// The offset of memory devices has 64 bits.
    WideMemoryOffset: v(2, 2, 0), None, "66dd8719e3";
    /// A container is refused where its sandbox is not there; later ones are asked what that sandbox would be.
    LoneContainerRefused: FIRST, Some(v(2, 1, 1)), "src/runtime/containerd-shim-v2/create.go";

    // The last checks.
    /// They stand before the hypervisor is made; in earlier releases each hypervisor makes its own.
    ChecksBeforeHypervisor: v(2, 5, 0), None, "469e098543";
    /// The remote hypervisor is spared them.
    RemoteUnchecked: v(3, 3, 0), None, "9542211e71";
    /// A confidential guest can have no more vCPUs than it boots with.
    ConfidentialMaxVcpus: v(2, 5, 0), Some(v(3, 10, 1)), "56812c852f";
    /// A confidential guest has no virtio-mmio disks.
    NoMmioForConfidential: v(3, 28, 0), None, "83dd7dcc75";

    // QEMU: the machine.
    /// Machine types pc and pc-lite; nothing configured is pc.
    PcMachines: FIRST, Some(v(2, 1, 1)), "3165095669";
    /// Machine type virt on x86_64.
    VirtOnAmd64: FIRST, Some(v(3, 16, 0)), "3dba8ddd98";
    /// Bridges of a virt machine are PCI Express.
    ExpressBridgesOnVirt: FIRST, Some(v(2, 0, 4)), "9eab301526";
    /// The interrupt chip is asked for without a value.
    IrqchipWithoutValue: FIRST, Some(v(2, 1, 1)), "3165095669";
    /// The interrupt chip is asked for.
    IrqchipNamed: FIRST, Some(v(3, 0, 2)), "17de94e118";
    /// The interrupt chip is split for q35 alone, and not for confidential guests.
    SplitIrqchipOnQ35Alone: FIRST, Some(v(2, 1, 1)), "3165095669";
    /// `nvdimm` and the sockets' `server,nowait` without a value; an empty `romfile=` on every PCI device.
    OptionsWithoutValue: FIRST, Some(v(2, 0, 4)), "67ac4f4585";
    /// A machine without DIMM slots is not told of its memory's backend.
    NoBackendWithoutDimms: FIRST, Some(v(2, 0, 4)), "67ac4f4585";
    /// Confidential guests on x86_64: detection, protection objects, refusal without protection.
    ConfidentialGuests: v(2, 2, 0), None, "0affe8860d";
    /// A confidential guest's image is a block device.
    ConfidentialImageIsBlock: v(2, 4, 0), None, "a8827e0c78";
    /// SGX enclave memory.
    EnclaveMemory: v(2, 4, 0), None, "41e0c414a4";
    /// SEV-SNP guests; before, its hosts count as SEV hosts.
    SnpGuests: v(3, 1, 0), None, "22bda0838c";
    /// SNP and its processor follow confidential_guest instead of sev_snp_guest.
    SnpFollowsConfidentialGuest: v(3, 2, 0), Some(v(3, 2, 0)), "de39fb7d38";
    /// Arm's realms.
    Realms: v(3, 22, 0), None, "bfa7f2486d";
    /// Hosts with plain SEV are found.
    SevHosts: v(2, 2, 0), Some(v(3, 18, 0)), "ecac3d2d28";

    // QEMU: what surrounds the devices.
    /// QEMU puts itself into the background and logs to a file; its monitor's socket is a path.
    Daemonized: FIRST, Some(v(3, 0, 1)), "8c4507be21";
    /// Threads have names when debugging.
    DebugThreads: v(3, 4, 0), None, "cd0c31e185";
    /// A human monitor is there when debugging; later releases are told which.
    HumanMonitor: v(3, 1, 0), Some(v(3, 1, 3)), "src/runtime/virtcontainers/qemu.go";
    /// A VM can grow to `default_maxmemory`; before, to the memory of the host.
    MaxMemoryConfigured: v(2, 5, 0), None, "afdc960424";
    /// The memory offset is counted in 32 bits.
    MemoryOffsetIn32Bits: FIRST, Some(v(2, 1, 1)), "src/runtime/virtcontainers/qemu.go";
    /// A confidential guest's memory cannot grow, and no limit of zero is spelled out.
    ConfidentialMemoryFixed: v(3, 21, 0), None, "49fbd6e7af";
    /// A chosen folder backs the memory (`file_mem_backend`).
    FileMemoryBackend: FIRST, Some(v(3, 31, 0)), "447e2a3faf";
    /// Whether memory is locked is said.
    MemoryLock: FIRST, Some(v(2, 3, 3)), "49223e67af";
    /// Memory of a TDX guest is private to it: its own backend, one socket.
    TdxPrivateMemory: v(3, 2, 0), Some(v(3, 3, 0)), "07471cd7a6";
    /// Memory of a TDX guest is private to it: an option of the usual backend.
    TdxPrivateOption: v(3, 4, 0), Some(v(3, 4, 0)), "cdb8531302";
    /// NUMA nodes of the guest follow those of the host.
    GuestNuma: v(3, 32, 0), None, "447e2a3faf";
    /// Guest nodes without processors are left out, and memory follows the huge page's real size.
    NumaByHugePage: v(4, 0, 0), None, "71aecf91e1";
    /// A confidential guest's processors cannot grow.
    ConfidentialProcessorsFixed: v(3, 32, 0), None, "e475d870fb";
    /// OVMF is told of the PCI window.
    FirmwarePciWindow: v(3, 2, 0), Some(v(3, 27, 0)), "de39fb7d38";

    // QEMU: devices.
    /// Bridges are hot plugged by their own controller, and reserve nothing.
    HotPlugBridges: FIRST, Some(v(2, 2, 3)), "8bbcb06af5";
    /// With a firmware, q35's bridges stand behind root ports.
    BridgesBehindPorts: v(4, 0, 0), None, "c7e91684b8";
    /// The image as persistent memory is read-only.
    ReadOnlyNvdimm: v(2, 2, 0), None, "070590fb53";
    /// Block devices have a serial number.
    BlockSerial: v(2, 0, 1), None, "6b6668998f";
    /// Block devices say that they take no SCSI commands.
    BlockScsiOff: FIRST, Some(v(3, 7, 0)), "322c80e7c8";
    /// Drives say `readonly` without a value.
    ReadOnlyWithoutValue: FIRST, Some(v(2, 3, 3)), "41e0c414a4";
    /// Extension images of the guest.
    ExtensionImages: v(4, 0, 0), None, "968d6e9431";
    /// A container's root may be RAFS, which a nydusd mounts.
    NydusRoots: v(2, 4, 0), None, "61590bbddc";
    /// A container's root may be a word of the snapshotter that its image is to be pulled in the guest.
    GuestPullRoots: v(3, 3, 0), None, "5318afe273";
    /// A container's root may be layers of EROFS, each a block device of the VM.
    ErofsRoots: v(3, 17, 0), None, "f63ec50ba3";
    /// The initdata document as a drive, its digest in the protection object.
    InitdataDrive: v(3, 16, 0), None, "91bb6b7c34";
    /// The initdata drive is made by the architecture, where that can.
    InitdataByArchitecture: v(3, 20, 0), None, "9891b111d1";
    /// A TDX guest's firmware is loaded by a device of its own.
    TdxFirmwareLoader: v(2, 2, 0), Some(v(3, 1, 3)), "07471cd7a6";
    /// That device names the firmware's volume.
    TdxFirmwareVolume: v(2, 4, 0), Some(v(3, 1, 3)), "a8827e0c78";
    /// TDX exceptions of the guest are handled without an interrupt vector.
    TdxSeptVeDisable: v(3, 2, 0), Some(v(3, 4, 0)), "77f457c0e1";
    /// The TDX object is JSON, and names the socket of the quote service.
    TdxQuoteService: v(3, 6, 0), None, "fc680139e5";
    /// Port 0 is the quote service itself by its own socket, and port 4050 only where that is missing.
    TdxQuoteFallback: v(3, 32, 0), None, "733c6791d3";
    /// An SNP guest's firmware is a flash drive.
    SnpFirmwareDrive: v(3, 1, 0), Some(v(3, 13, 0)), "e87231edc7";
    /// The SNP object measures kernel, initrd and command line.
    SnpKernelHashes: v(3, 6, 0), None, "62d3d7c58f";
    /// Identity block and its signature, which want each other.
    SnpIdentity: v(3, 15, 0), None, "a994f142d0";
    /// The guest policy.
    SnpPolicy: v(3, 20, 0), None, "5635410dd3";
    /// The SNP object begins with the digest of the initdata document.
    SnpHostDataFirst: v(3, 16, 0), Some(v(3, 17, 0)), "39aa481da1";
    /// A confidential guest has no random device.
    NoEntropyForConfidential: v(3, 17, 0), None, "ab29c8c979";
    /// s390x machines have no random device.
    NoEntropyOnCcw: v(2, 4, 0), None, "7ffe9e5198";
    /// Memory that the guest gives back is returned by a balloon.
    QemuBalloon: v(3, 21, 0), None, "fd1b8ceed1";
    /// `pcie_root_port` root ports, whatever is plugged into them.
    PortsByNumber: FIRST, Some(v(3, 1, 3)), "de39fb7d38";
    /// Those of a virt machine, too.
    PortsOnVirt: v(2, 5, 0), Some(v(3, 1, 3)), "e7e7dc9dfe";
    /// A virt machine gets ports for what it plugs in later.
    PortsForHotPlugOnVirt: v(3, 3, 0), None, "f1aec98f9d";
    /// `pcie_root_port` and `pcie_switch_port` are the least.
    PortsAtLeast: v(3, 6, 0), None, "src/runtime/virtcontainers/qemu.go";
    /// Ports reserve memory for the host's graphics cards.
    PortsReserve: v(2, 5, 0), Some(v(3, 27, 0)), "bb7fd335f3";
    /// Devices name the PCI Express root bus.
    RootBusNamed: v(3, 32, 0), None, "1cbe930fc9";
    /// The shared folder's queues have a size.
    ShareQueueSize: v(3, 1, 0), None, "3bb145c63a";
    /// Threads of their own for input and output.
    IndependentIoThreads: v(3, 24, 0), None, "af203b7dee";

    // The guest kernel's command line.
    /// `kata-containers_iommu=on`, by a mistaken rename.
    IommuRenamed: v(2, 0, 1), Some(v(2, 0, 4)), "6b6668998f";
    /// Consoles are among the constant parameters; later they follow the root file system's.
    ConsolesAmongConstants: FIRST, Some(v(2, 4, 3)), "c67b9d2975";
    /// TDX is announced to the guest.
    TdxGuestParameter: v(2, 2, 0), Some(v(2, 5, 2)), "dc90eae17b";
    /// The root file system's parameters follow `rootfs_type`.
    RootfsTypes: v(3, 1, 0), None, "bdf20b5d26";
    /// XFS is mounted with the options of ext4.
    XfsMountedAsExt4: v(3, 1, 0), Some(v(3, 16, 0)), "src/runtime/virtcontainers/hypervisor.go";
    /// The root file system is verified.
    KernelVerity: v(3, 27, 0), None, "f639c3fa17";
    /// SELinux in the guest is switched.
    GuestSelinux: v(3, 1, 0), None, "c617bbe70d";

    // Assets, folders and sockets.
    /// An initrd wins over an image; later releases refuse both.
    InitrdWins: FIRST, Some(v(3, 1, 3)), "src/runtime/virtcontainers/hypervisor.go";
    /// Guests of Secure Execution boot from the kernel image alone.
    SealedBoot: v(3, 3, 0), None, "540a2a7fb1";
    /// What says nothing is filled in by the hypervisor, and not before.
    HypervisorFillsIn: FIRST, Some(v(2, 4, 3)), "src/runtime/virtcontainers/hypervisor.go";
    /// Firecracker fills in as well.
    FirecrackerFillsIn: v(2, 3, 0), Some(v(2, 4, 3)), "src/runtime/virtcontainers/fc.go";
    /// More vCPUs than QEMU can have count as its most.
    MaxVcpusCapped: v(2, 2, 3), None, "src/runtime/virtcontainers/hypervisor.go";
    /// A confidential guest cannot have more vCPUs than it boots with.
    ConfidentialVcpusFixed: v(2, 4, 0), None, "a8827e0c78";
    /// Sharing no folder is a way of sharing folders.
    NoSharedFolder: v(3, 2, 0), None, "src/runtime/virtcontainers/qemu_arch_base.go";
    /// nydusd serves the shared folder.
    Nydusd: v(2, 4, 0), None, "2d9f89aec7";
    /// nydusd is told that it serves virtio-fs.
    NydusdSubcommand: v(3, 0, 1), None, "src/runtime/virtcontainers/nydusd.go";
    /// nydusd is told to serve a second file system beside it.
    NydusdHybrid: v(3, 0, 1), Some(v(3, 1, 3)), "src/runtime/virtcontainers/nydusd.go";
    /// The shared folder of a rootless VM is the user's.
    RootlessShare: v(3, 19, 0), None, "3c7a670129";
    /// The guest's shared memory lies where the user's would be.
    RootlessGuestMemory: v(3, 19, 0), Some(v(4, 0, 0)), "253642cce3";

    // Devices that are plugged in before the start.
    /// QEMU is told a device's vendor and kind.
    DeviceKinds: v(3, 6, 0), None, "c7b41361b2";
    /// Devices may be handed over by files of their own, not of their groups.
    DevicesByThemselves: v(3, 15, 0), None, "9add633258";
    /// A confidential guest takes no others.
    ConfidentialDevicesByThemselves: v(3, 26, 0), None, "1440dd7468";
    /// A device has a name for QEMU.
    DeviceNames: v(3, 32, 0), None, "23c5250933";

    // The network.
    /// All interfaces are looked at before the first is joined, and joined in the order of their names.
    EndpointsMadeAtOnce: FIRST, Some(v(2, 3, 3)), "7fca5792f7";
    /// A tap is numbered past the number in the name of the interface before.
    TapsBesideNames: v(3, 3, 0), None, "ca4b6b051d";
    /// A device of no own kind is joined as a veth is.
    PlainDevices: v(3, 30, 0), None, "6436922f5b";
    /// A tap is opened once where the VM has no queues for it.
    OneQueueAtLeast: v(2, 5, 0), None, "0b75522e1f";
    /// A rootless VM gets no descriptors of vhost-net.
    RootlessWithoutVhost: v(2, 3, 0), Some(v(2, 3, 0)), "src/runtime/virtcontainers/network.go";
    /// A file of directly attached networks may name VFIO devices.
    DanVfio: v(3, 10, 0), None, "39b0e9aa8f";
    /// The agent is told the kind of an interface.
    InterfaceTypes: v(3, 10, 0), None, "39b0e9aa8f";
    /// The agent is told where a default route leads: the library's new word for it.
    DefaultRouteSpelled: v(3, 21, 0), None, "src/runtime/go.mod";
    /// The agent is told the family of a route.
    RouteFamily: v(2, 2, 2), None, "893623dfbc";
    /// The agent is told the flags of a route.
    RouteFlags: v(3, 15, 0), None, "1ade2a874f";
    /// The agent is told the largest packet of a route.
    RouteMtu: v(3, 17, 0), None, "492329fc02";
    /// The agent is told of gateways that have answered, beside the neighbours that somebody set.
    GatewayNeighbours: v(3, 29, 0), None, "83bbfedc08";

    // virtiofsd.
    /// Each hypervisor calls it in its own way.
    VirtiofsdByHypervisor: FIRST, Some(v(2, 1, 1)), "72cd8f5ef6";
    /// It is told to debug.
    VirtiofsdDebug: FIRST, Some(v(2, 4, 3)), "src/runtime/virtcontainers/virtiofsd.go";
    /// The options of the daemon written in Rust.
    VirtiofsdInRust: v(3, 1, 3), None, "993ecec932";
    /// Its cache mode is checked.
    CacheChecked: v(3, 1, 0), None, "src/runtime/virtcontainers/virtiofsd.go";
    /// Cache mode none is another word for never.
    CacheNone: v(3, 1, 0), Some(v(3, 1, 3)), "4679aa7712";
    /// Cache mode metadata.
    CacheMetadata: v(3, 20, 0), None, "src/runtime/virtcontainers/virtiofsd.go";
    /// It keeps SELinux labels.
    VirtiofsdXattr: v(3, 1, 0), None, "c617bbe70d";
    /// It is told so by a word of the daemon written in Rust.
    XattrInRust: v(3, 2, 0), None, "4679aa7712";
    /// Without cache a folder is never mapped into the guest: the word is never, and not none.
    NeverIsNoCache: v(3, 2, 0), None, "4679aa7712";

    // Cloud Hypervisor.
    /// The binary is asked for its version.
    ClhVersion: FIRST, Some(v(2, 1, 1)), "61babd45ed";
    /// The client is generated: its defaults are sent, and what is null is not.
    ClhGeneratedClient: v(2, 2, 0), None, "61babd45ed";
    /// A balloon of no size.
    ClhEmptyBalloon: v(2, 0, 1), Some(v(2, 1, 1)), "9bc6fe6c83";
    /// The shared folder's queues are stated, and mapping follows the cache's size.
    ClhShareQueues: v(2, 0, 1), None, "9bc6fe6c83";
    /// The shared folder is mapped into the guest.
    ClhShareDax: FIRST, Some(v(2, 4, 3)), "ed25d2cf5b";
    /// SGX enclave memory.
    ClhEnclaveMemory: v(2, 1, 0), Some(v(3, 20, 0)), "6df165c19d";
    /// Enclave memory has a name.
    ClhEnclaveName: v(2, 2, 0), Some(v(3, 20, 0)), "61babd45ed";
    /// Root parameters surround the others, and are constant.
    ClhRootAmongConstants: FIRST, Some(v(2, 3, 3)), "dcdc412e25";
    /// The root file system is mapped from the image.
    ClhRootDax: v(2, 1, 0), Some(v(3, 0, 2)), "77b50969ea";
    /// The root file system is mapped from the image again.
    ClhRootDaxAgain: v(3, 3, 0), Some(v(3, 26, 0)), "241c355e07";
    /// The guest is quiet unless it debugs, and its serial port off.
    ClhQuiet: v(2, 2, 2), None, "eea2c0195f";
    /// Memory is filled when it is used.
    ClhPrefault: v(2, 2, 3), None, "b794a39401";
    /// `enable_hugepages` is honoured.
    ClhHugePages: v(2, 3, 0), None, "d00decc97d";
    /// Debugging is asked for twice, and system calls are never filtered.
    ClhUnfiltered: FIRST, Some(v(2, 2, 3)), "51cbe14584";
    /// How much is logged is configured.
    ClhLogLevel: v(3, 14, 0), None, "b6b0addd5e";
    /// An initrd can be booted.
    ClhInitrd: v(2, 4, 0), None, "72434333aa";
    /// Confidential guests.
    ClhConfidential: v(2, 4, 0), None, "72434333aa";
    /// Confidential guests share no folder.
    ClhConfidentialWithoutShare: v(2, 4, 0), Some(v(2, 5, 2)), "d4b67613f0";
    /// Confidential guests have their console on the virtio port.
    ClhConfidentialConsole: v(3, 0, 0), None, "d4b67613f0";
    /// The firmware of TDX has a section of its own.
    ClhTdxSection: v(2, 4, 0), Some(v(3, 0, 0)), "9a0ab92f65";
    /// The refusal of a host without protection has a slip of the pen.
    ClhConfidentianSlip: v(2, 4, 0), Some(v(3, 0, 2)), "72434333aa";
    /// SNP hosts are told apart from SEV hosts.
    ClhSnpHosts: v(3, 1, 0), None, "22bda0838c";
    /// Hyper-V's interface is refused.
    ClhHyperV: v(2, 5, 0), None, "ed25d2cf5b";
    /// Persistent memory is said to be merged or not.
    ClhPmemMergeable: v(2, 2, 0), Some(v(2, 4, 3)), "ed25d2cf5b";
    /// Rate limits of disks.
    ClhRateLimits: v(2, 5, 0), None, "1cf9469297";
    /// Kernel, command line and initrd are one payload.
    ClhPayload: v(2, 5, 1), None, "cd898d28c7";
    /// Disks are polled.
    ClhPollQueue: v(2, 2, 0), Some(v(2, 5, 0)), "e8512320c3";
    /// Transparent huge pages.
    ClhThp: v(3, 0, 1), None, "9cf1af873b";
    /// `virtio_fs_queue_size` is honoured.
    ClhShareQueueSize: v(3, 1, 0), None, "3bb145c63a";
    /// Two PCI segments; devices follow `enable_iommu`.
    ClhPlatform: v(3, 2, 0), None, "3b5c5bcfa4";
    /// `iommu=pt` before what debugging adds.
    ClhIommuFirst: v(3, 17, 0), None, "b747f8380e";
    /// arm64 has its own serial console.
    ClhArmConsole: v(3, 3, 0), None, "241c355e07";
    /// The panic device is refused.
    ClhPvpanic: v(3, 6, 0), None, "2398442c58";
    /// Landlock is refused.
    ClhLandlock: v(3, 9, 0), None, "254f8bca74";
    /// Memory that nobody shares is not shared.
    ClhPrivateMemory: v(3, 12, 0), None, "ac4f986e3e";
    /// SEV-SNP is refused.
    ClhSevSnp: v(3, 16, 0), None, "ee84068aed";
    /// Memory that the guest gives back is returned by a balloon.
    ClhBalloon: v(3, 17, 0), None, "9f76467cb7";
    /// `disable_image_nvdimm` is honoured.
    ClhImageChoice: v(3, 18, 0), None, "1aeef52bae";
    /// The image is always a disk.
    ClhImageIsDisk: v(3, 27, 0), None, "e17f96251d";
    /// The initdata document as a disk.
    ClhInitdata: v(3, 21, 0), None, "5d124523f8";
    /// Disks are raw, sparse, and have no backing file; guests may run VMs, but not on Hyper-V.
    ClhRawDisks: v(3, 28, 0), None, "dc398e801c";
    /// Why the binary cannot be used is said.
    ClhPathReason: v(3, 32, 0), None, "c0f9744225";

    /// Network cards are added between the creation and the start of the VM.
    ClhAddNet: v(2, 5, 0), None, "01fe09a4ee";
    /// What network cards leave to the host is stated.
    ClhOffloads: v(3, 28, 0), None, "cadbf51015";

    // Firecracker.
    /// Log and metrics are one setting.
    FcLogWithMetrics: FIRST, Some(v(2, 0, 4)), "6255cc1959";
    /// The names of Firecracker before 1.1, and the jailer's NUMA node.
    FcBeforeOne: FIRST, Some(v(2, 4, 3)), "4f0ca40e0c";
    /// Spare drives have a cache.
    FcDriveCache: v(3, 3, 0), None, "d507d189bb";
    /// Only the first line of what the binary prints is its version.
    FcVersionLine: v(2, 2, 2), None, "src/runtime/virtcontainers/fc.go";

    // ACRN.
    /// One of eight VMs known to the hypervisor is used; graphics parameters are given.
    AcrnUuid: FIRST, Some(v(3, 0, 2)), "435c8f181a";
    /// The driver is not told of its sandbox, and falls over.
    AcrnWithoutSandbox: v(2, 4, 0), Some(v(3, 0, 2)), "c28e5a7807";

    // Remote.
    /// The initdata document is sent.
    RemoteInitdata: v(3, 8, 0), None, "src/runtime/virtcontainers/remote.go";
    /// It is sent as the hypervisor's; before, as the runtime's.
    RemoteInitdataOfHypervisor: v(3, 20, 0), None, "93ec470928";
    /// The image is sent.
    RemoteImage: v(3, 9, 0), None, "a19f2eacec";
    /// Graphics cards are sent.
    RemoteGpus: v(3, 11, 0), None, "6f1ba007ed";
    /// The policy is sent and the agent is asked as elsewhere.
    RemoteAgent: v(3, 7, 0), None, "779754dcf6";
}
