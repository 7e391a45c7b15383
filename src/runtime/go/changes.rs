//! Every behaviour of the Go runtime's loading that came or went between 2.0.0 and 4.1.0, by name: reading the
//! configuration, annotations, sizing.
//!
//! A table alone; the code asks `release.has(Change::...)` where upstream has the difference. What only
//! concerns whether a key or an annotation exists is not here: the catalogue has it by spans. Facts: the tags
//! of kata-containers, src/runtime; each line names the commit that made the difference, or the file.

use crate::golang::toml::Dialect;
use crate::release::{Release, Version, behaviours};

const fn v(major: u8, minor: u8, patch: u8) -> Version {
    Version::new(major, minor, patch)
}

/// The TOML library that a release is built with.
pub(super) fn toml_of(release: Release) -> Dialect {
    let since = [
        (v(3, 28, 0), Dialect::V1_6),
        (v(3, 21, 0), Dialect::V1_5),
        (v(3, 5, 0), Dialect::V1_3),
        (v(3, 0, 0), Dialect::V1_2),
    ];
    let found = since.into_iter().find(|(since, _)| release.version >= *since);
    found.map_or(Dialect::V0_3, |(_, dialect)| dialect)
}

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
}
