//! The Go runtime's launch, held against what upstream's source says of made-up configurations.

use std::sync::Arc;

use katascope::answer::launch::{Arg, Launch};
use katascope::answer::verdict::Failure;
use katascope::input::Host;
use katascope::input::host::{Arch, HostFacts, MemoryFiles, NumaNode, PodNetwork, Protection};
use katascope::launch::Started;
use katascope::launch::go::{check, launch};
use katascope::runtime::Sandbox;
use katascope::runtime::go::config::{
    CustomAssets, GuestNumaNode, HypervisorConfig, HypervisorType, KernelParams, Param, ParamFrom,
    SandboxConfig,
};
use serde_json::json;

const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
/// As much of it as Firecracker takes.
const SHORT_ID: &str = "0123456789abcdef0123456789abcdef";

fn host(facts: HostFacts) -> Host {
    let files = MemoryFiles::new()
        .file("/bin/vmm", 0o755, "x")
        .file("/bin/jailer", 0o755, "x")
        .file("/bin/virtiofsd", 0o755, "x")
        .file("/img/kernel", 0o644, "x")
        .file("/img/initrd", 0o644, "x")
        .file("/img/root", 0o644, vec![0; 4096]);
    Host::new(HostFacts { network: Arc::new(PodNetwork::empty()), ..facts }, Arc::new(files))
}

fn config(hypervisor_type: HypervisorType) -> SandboxConfig {
    let hypervisor_config = HypervisorConfig {
        path: "/bin/vmm".into(),
        kernel: "/img/kernel".into(),
        image: "/img/root".into(),
        shared_fs: "virtio-fs".into(),
        virtio_fs_daemon: "/bin/virtiofsd".into(),
        virtio_fs_cache: "never".into(),
        block_device_driver: "virtio-scsi".into(),
        entropy_source: "/dev/urandom".into(),
        hot_plug_vfio: "no-port".into(),
        cold_plug_vfio: "no-port".into(),
        default_vcpus: 1.0,
        default_maxvcpus: 4,
        default_memory: 512,
        default_maxmemory: 8192,
        memory_slots: 10,
        default_bridges: 1,
        disable_guest_selinux: true,
        kernel_params: KernelParams {
            written: "a=1".into(),
            list: vec![
                Param::new("systemd.unit", "kata-containers.target", ParamFrom::Image),
                Param::new("a", "1", ParamFrom::Configuration),
            ],
        },
        ..HypervisorConfig::default()
    };
    SandboxConfig {
        id: ID.into(),
        hostname: "web".into(),
        hypervisor_type,
        hypervisor_config,
        shm_size: 64,
        ..SandboxConfig::default()
    }
}

/// Both doors, which have to agree.
fn run(host: &Host, config: &SandboxConfig) -> Result<Started, Failure> {
    let annotations = [("io.katacontainers.config.hypervisor.machine_type", "")].into_iter().collect();
    let sandbox =
        Sandbox { id: ID, hostname: "web", host_network: false, annotations: &annotations, devices: &[] };
    let outcome = launch(host, config, &sandbox);
    assert_eq!(check(host, config, &sandbox).err(), outcome.as_ref().err().cloned());
    outcome
}

fn line(launch: &Launch) -> Vec<&str> {
    launch.args.iter().map(|arg| arg.text.as_str()).collect()
}

fn started(host: &Host, config: &SandboxConfig) -> Started {
    match run(host, config) {
        Ok(started) => started,
        Err(failure) => panic!("{}", failure.message),
    }
}

fn refusal(host: &Host, change: impl Fn(&mut HypervisorConfig)) -> String {
    let mut config = config(HypervisorType::Qemu);
    change(&mut config.hypervisor_config);
    match run(host, &config) {
        Ok(started) => format!("starts: {:?}", line(&started.launch)),
        Err(failure) => failure.message,
    }
}

#[test]
fn qemu_on_a_plain_host() {
    let host = host(HostFacts::default());
    let config = config(HypervisorType::Qemu);
    let Started { launch, kernel_cmdline, findings, .. } = started(&host, &config);
    assert_eq!(findings, []);
    assert_eq!(launch.program.as_ref().map(|program| program.text.as_str()), Some("/bin/vmm"));
    let cmdline = "tsc=reliable no_timer_check rcupdate.rcu_expedited=1 i8042.direct=1 i8042.dumbkbd=1 \
                   i8042.nopnp=1 i8042.noaux=1 noreplace-smp reboot=k cryptomgr.notests net.ifnames=0 \
                   pci=lastbus=0 root=/dev/pmem0p1 rootflags=dax,data=ordered,errors=remount-ro ro \
                   rootfstype=ext4 console=hvc0 console=hvc1 quiet systemd.show_status=false panic=1 \
                   nr_cpus=4 selinux=0 systemd.unit=kata-containers.target a=1";
    assert_eq!(kernel_cmdline, cmdline);
    let vm = format!("/run/vc/vm/{ID}");
    let want = [
        "-name",
        &format!("sandbox-{ID}"),
        "-uuid",
        "{uuid}",
        "-machine",
        "q35,accel=kvm,nvdimm=on",
        "-cpu",
        "host,",
        "-qmp",
        "unix:fd=3,server=on,wait=off",
        "-m",
        "512M,slots=10,maxmem=9216M",
        "-device",
        "pci-bridge,bus=pcie.0,id=pci-bridge-0,chassis_nr=1,shpc=off,addr=2,io-reserve=4k,mem-reserve=1m,pref64-reserve=1m",
        "-device",
        "virtio-serial-pci,disable-modern=false,id=serial0",
        "-device",
        "virtconsole,chardev=charconsole0,id=console0",
        "-chardev",
        &format!("socket,id=charconsole0,path={vm}/console.sock,server=on,wait=off"),
        "-device",
        "nvdimm,id=nv0,memdev=mem0,unarmed=on",
        "-object",
        "memory-backend-file,id=mem0,mem-path=/img/root,size=4096,readonly=on",
        "-device",
        "virtio-scsi-pci,id=scsi0,disable-modern=false",
        "-object",
        "rng-random,id=rng0,filename=/dev/urandom",
        "-device",
        "virtio-rng-pci,rng=rng0",
        "-device",
        "vhost-vsock-pci,disable-modern=false,vhostfd=4,id=vsock-{cid},guest-cid={cid},bus=pcie.0",
        "-chardev",
        &format!("socket,id=char-{{nonce}},path={vm}/vhost-fs.sock"),
        "-device",
        "vhost-user-fs-pci,chardev=char-{nonce},tag=kataShared,queue-size=1024,bus=pcie.0",
        "-rtc",
        "base=utc,driftfix=slew,clock=host",
        "-global",
        "kvm-pit.lost_tick_policy=discard",
        "-vga",
        "none",
        "-no-user-config",
        "-nodefaults",
        "-nographic",
        "--no-reboot",
        "-object",
        "memory-backend-file,id=dimm1,size=512M,mem-path=/dev/shm,share=on",
        "-numa",
        "node,memdev=dimm1",
        "-kernel",
        "/img/kernel",
        "-append",
        cmdline,
        "-pidfile",
        &format!("{vm}/pid"),
        "-smp",
        "1,cores=1,threads=1,sockets=4,maxcpus=4",
    ];
    assert_eq!(line(&launch), want);
    let helper: Vec<&str> = launch.helpers.iter().flat_map(|h| &h.args).map(|a| a.text.as_str()).collect();
    let share = format!("--shared-dir=/run/kata-containers/shared/sandboxes/{ID}/shared");
    assert_eq!(helper, ["--syslog", "--cache=never", &share, "--fd=3"]);
}

#[test]
fn each_argument_says_what_put_it_there() {
    let host = host(HostFacts::default());
    let config = config(HypervisorType::Qemu);
    let Started { launch, kernel_params, .. } = started(&host, &config);
    let cause = |args: &[Arg], start: &str| {
        args.iter().find(|a| a.text.starts_with(start)).map(|a| a.cause.keys.join(" ")).unwrap_or_default()
    };
    assert_eq!(
        cause(&launch.args, "512M"),
        "hypervisor.qemu.default_memory hypervisor.qemu.memory_slots hypervisor.qemu.default_maxmemory \
         hypervisor.qemu.memory_offset"
    );
    assert_eq!(cause(&launch.args, "virtio-scsi-pci"), "hypervisor.qemu.block_device_driver");
    assert_eq!(cause(&kernel_params, "systemd.unit"), "hypervisor.qemu.image");
    assert_eq!(cause(&kernel_params, "a=1"), "hypervisor.qemu.kernel_params");
    assert!(launch.args.iter().all(|a| !a.cause.keys.is_empty() || !a.cause.rule.is_empty()));
}

#[test]
fn qemu_refuses_in_the_words_of_the_runtime() {
    let plain = host(HostFacts::default());
    assert_eq!(refusal(&plain, |hv| hv.machine_type = "pc".into()), "unrecognised machinetype: pc");
    assert_eq!(refusal(&plain, |hv| hv.rootfs_type = "btrfs".into()), "unsupported rootfs type");
    assert_eq!(
        refusal(&plain, |hv| hv.confidential_guest = true),
        "This system doesn't support Confidential Computing (Guest Protection)"
    );
    assert_eq!(
        refusal(&plain, |hv| hv.enable_vhost_user_store = true),
        "Vhost-user-blk/scsi is enabled without HugePages. This configuration will not work"
    );
    assert_eq!(
        refusal(&plain, |hv| {
            hv.cold_plug_vfio = "switch-port".into();
            hv.pcie_switch_port = 17;
        }),
        "Number of PCIe Switch Ports exceeed allowed max of 16"
    );
    assert_eq!(
        refusal(&plain, |hv| hv.default_vcpus = 4.5),
        "failed to launch qemu: MaxCPUs 4 must be equal to or greater than CPUs 5"
    );
    assert_eq!(
        refusal(&plain, |hv| {
            hv.machine_type = "microvm".into();
            hv.enable_iommu = true;
        }),
        "Machine Type microvm does not support vIOMMU"
    );
    let image = |path: &'static str| CustomAssets { image: Some(path.into()), ..CustomAssets::default() };
    assert_eq!(
        refusal(&plain, |hv| hv.custom_assets = image("/img/none")),
        "open /img/none: no such file or directory"
    );
    assert_eq!(
        refusal(&plain, |hv| {
            hv.custom_assets = image("/img/none");
            hv.disable_image_nvdimm = true;
        }),
        "stat /img/none: no such file or directory"
    );
    assert_eq!(
        refusal(&plain, |hv| {
            hv.custom_assets = CustomAssets { initrd: Some("/img/initrd".into()), ..image("/img/root") };
        }),
        "conflicting annotations: cannot set both image and initrd at the same time"
    );
    assert_eq!(
        refusal(&plain, |hv| hv.virtio_fs_cache = "none".into()),
        "Invalid virtio-fs cache mode: none"
    );
    let deaf = host(HostFacts { vhost_vsock: false, ..HostFacts::default() });
    assert_eq!(refusal(&deaf, |_| ()), "open /dev/vhost-vsock: no such file or directory");
    let snp = host(HostFacts { protection: Protection::Snp, ..HostFacts::default() });
    assert_eq!(
        refusal(&snp, |hv| {
            hv.confidential_guest = true;
            hv.sev_snp_guest = true;
            hv.snp_id_block = "b".into();
        }),
        "specifying SNP IDBlock without SNP IDAuth is not allowed"
    );
}

#[test]
fn a_refusal_names_the_annotation_at_fault() {
    let mut config = config(HypervisorType::Qemu);
    config.hypervisor_config.machine_type = "pc".into();
    let failure = run(&host(HostFacts::default()), &config).err();
    assert_eq!(
        failure.and_then(|f| f.annotation).as_deref(),
        Some("io.katacontainers.config.hypervisor.machine_type")
    );
}

#[test]
fn a_confidential_guest_gets_its_object_and_no_room_to_grow() {
    let host = host(HostFacts { protection: Protection::Tdx, ..HostFacts::default() });
    let mut config = config(HypervisorType::Qemu);
    let hv = &mut config.hypervisor_config;
    hv.confidential_guest = true;
    hv.firmware = "/img/kernel".into();
    hv.tdx_quote_generation_service_socket_port = 7;
    hv.initdata_digest = vec![1, 2];
    let Started { launch, .. } = started(&host, &config);
    let line = line(&launch);
    let digest = format!("AQI{}", "A".repeat(61));
    let object = format!(
        r#"{{"qom-type":"tdx-guest","id":"tdx","mrconfigid":"{digest}","quote-generation-socket":{{"type":"vsock","cid":"2","port":"7"}}}}"#
    );
    for want in ["512M", "1,cores=1,threads=1", object.as_str(), "-bios"] {
        assert!(line.contains(&want), "{want} in {line:?}");
    }
    assert!(line.iter().any(|a| a.starts_with("pcie-pci-bridge,")));
    assert!(!line.iter().any(|a| a.starts_with("rng-random")));
}

#[test]
fn s390x_devices_have_addresses_in_order() {
    let host = host(HostFacts { arch: Arch::S390x, ..HostFacts::default() });
    let config = config(HypervisorType::Qemu);
    let Started { launch, kernel_cmdline, findings, .. } = started(&host, &config);
    let devices: Vec<&str> = line(&launch).into_iter().filter(|a| a.contains("devno=")).collect();
    assert_eq!(
        devices,
        [
            "virtio-serial-ccw,id=serial0,devno=fe.0.0001",
            "virtio-blk-ccw,drive=image-{nonce},config-wce=off,devno=fe.0.0002,share-rw=on,serial=image-{nonce}",
            "virtio-scsi-ccw,id=scsi0,devno=fe.0.0003",
            "vhost-vsock-ccw,vhostfd=4,id=vsock-{cid},guest-cid={cid},devno=fe.0.0004",
            "vhost-user-fs-ccw,chardev=char-{nonce},tag=kataShared,queue-size=1024,devno=fe.0.0005",
        ]
    );
    assert!(line(&launch).contains(&"memory-backend=dimm1"));
    assert!(kernel_cmdline.starts_with("root=/dev/vda1 "));
    assert_eq!(findings.iter().map(|f| f.code.as_str()).collect::<Vec<_>>(), ["not-verified"]);
}

#[test]
fn memory_is_spread_over_nodes() {
    let numa =
        [("0-3", 4096), ("4-7", 4096)].map(|(cpus, memory_mib)| NumaNode { cpus: cpus.into(), memory_mib });
    let host = host(HostFacts { numa: numa.into(), ..HostFacts::default() });
    let mut config = config(HypervisorType::Qemu);
    let hv = &mut config.hypervisor_config;
    hv.guest_numa_nodes = [("0", "0-3"), ("1", "4-7")]
        .map(|(nodes, cpus)| GuestNumaNode { host_nodes: nodes.into(), host_cpus: cpus.into() })
        .into();
    let nodes = |config: &SandboxConfig| -> Vec<String> {
        let Started { launch, .. } = started(&host, config);
        line(&launch).into_iter().filter(|a| a.contains("numa-mem")).map(str::to_owned).collect()
    };
    // Four vCPUs fit into one node.
    assert_eq!(nodes(&config).len(), 2);
    config.hypervisor_config.default_maxvcpus = 6;
    assert_eq!(
        nodes(&config),
        [
            "memory-backend-file,id=numa-mem0,size=256M,mem-path=/dev/shm,host-nodes=0,policy=bind,share=on",
            "node,nodeid=0,memdev=numa-mem0,cpus=0-2",
            "memory-backend-file,id=numa-mem1,size=256M,mem-path=/dev/shm,host-nodes=1,policy=bind,share=on",
            "node,nodeid=1,memdev=numa-mem1,cpus=3-5",
        ]
    );
    config.hypervisor_config.enable_hugepages = true;
    let failure = run(&host, &config).err().map(|f| f.message).unwrap_or_default();
    assert!(failure.ends_with("statfs \"/dev/hugepages\": no such file or directory"), "{failure}");
}

#[test]
fn cloud_hypervisor_is_asked_for_a_machine() {
    let host = host(HostFacts::default());
    let mut config = config(HypervisorType::Clh);
    config.hypervisor_config.disk_rate_limiter_bw_max_rate = 8_000_000;
    let Started { launch, kernel_cmdline, .. } = started(&host, &config);
    let body = launch.requests.first().map(|r| r.body.clone()).unwrap_or_default();
    assert_eq!(body["memory"]["size"], json!(536_870_912));
    assert_eq!(
        body["disks"][0]["rate_limiter_config"],
        json!({ "bandwidth": { "refill_time": 1000, "size": 1_048_576 } })
    );
    assert_eq!(body["payload"]["cmdline"], json!(kernel_cmdline));
    let keys: Vec<&String> = body.as_object().map(|o| o.keys().collect()).unwrap_or_default();
    assert!(keys.is_sorted());
    config.hypervisor_config.shared_fs = "virtio-9p".into();
    let failure = run(&host, &config).err().map(|f| f.message);
    assert_eq!(failure.as_deref(), Some("shared fs method not supported virtio-9p"));
}

#[test]
fn firecracker_is_jailed_where_there_is_a_jailer() {
    let host = host(HostFacts::default());
    let mut config = config(HypervisorType::Firecracker);
    let root = |launch: &Launch| launch.files.first().map(|f| f.body["drives"][0]["path_on_host"].clone());
    let Started { launch, .. } = started(&host, &config);
    let folder = format!("/run/vc/vmm/{}", SHORT_ID);
    assert_eq!(root(&launch), Some(json!(format!("{folder}/root/rootfs"))));
    assert_eq!(line(&launch).first(), Some(&"--api-sock"));
    config.hypervisor_config.jailer_path = "/bin/jailer".into();
    let Started { launch, .. } = started(&host, &config);
    assert_eq!(root(&launch), Some(json!("/rootfs")));
    assert_eq!(launch.program.as_ref().map(|program| program.text.as_str()), Some("/bin/jailer"));
    assert_eq!(line(&launch).get(..2), Some(&["--id", SHORT_ID][..]));
}

#[test]
fn stratovirt_starts_virtiofsd_whatever_shares_files() {
    let host = host(HostFacts::default());
    let mut config = config(HypervisorType::Stratovirt);
    config.hypervisor_config.shared_fs = "virtio-9p".into();
    let Started { launch, kernel_cmdline, .. } = started(&host, &config);
    assert_eq!(launch.helpers.len(), 1);
    assert!(!line(&launch).iter().any(|a| a.starts_with("vhost-user-fs")));
    assert!(kernel_cmdline.contains("ramdom.trust_cpu=on pci=off"));
}

#[test]
fn a_file_that_only_a_pod_names_is_missed() {
    let host = host(HostFacts::default());
    let mut config = config(HypervisorType::Qemu);
    config.hypervisor_config.custom_assets.kernel = Some("/img/none".into());
    let findings = started(&host, &config).findings;
    let told: Vec<_> = findings.iter().map(|f| (f.code.as_str(), f.subject.as_deref())).collect();
    assert_eq!(told, [("fails-later", Some("hypervisor.qemu.kernel"))]);
}
