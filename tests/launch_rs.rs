//! The launch of runtime-rs where no recording reaches: TEE hardware, other architectures, rare refusals.
//! Expectations are read off upstream's source.

use std::sync::Arc;

use katascope::answer::launch::joined;
use katascope::answer::verdict::Failure;
use katascope::input::host::{Arch, HostFacts, MemoryFiles, Protection};
use katascope::input::{Annotations, Host, Text};
use katascope::launch::Started;
use katascope::launch::rs::{check, launch};
use katascope::runtime::Sandbox;
use katascope::runtime::rs::config::{Config, GuestExtensionImage, Hypervisor};

const DOCUMENT: &str = "algorithm = \"sha256\"\nversion = \"0.1.0\"\n[data]\n";

fn host(arch: Arch, protection: Protection) -> Host {
    let files = MemoryFiles::new()
        .file("/bin/vmm", 0o755, "x")
        .file("/bin/virtiofsd", 0o755, "x")
        .file("/img/root", 0o644, vec![0; 4096])
        .file("/img/firmware", 0o644, "x");
    Host::new(HostFacts { arch, protection, ..HostFacts::default() }, Arc::new(files))
}

fn plain() -> Host {
    host(Arch::X86_64, Protection::None)
}

/// A configuration as it comes out of sizing.
fn config(name: &str, change: impl FnOnce(&mut Hypervisor)) -> Config {
    let mut hv = Hypervisor { path: "/bin/vmm".into(), disable_guest_selinux: true, ..Hypervisor::default() };
    hv.boot_info.kernel = "/img/kernel".into();
    hv.boot_info.image = "/img/root".into();
    hv.boot_info.rootfs_type = "ext4".into();
    hv.boot_info.vm_rootfs_driver = "virtio-blk-pci".into();
    hv.blockdev_info.block_device_driver = "virtio-blk-pci".into();
    hv.machine_info.machine_type = "q35".into();
    hv.cpu_info.default_vcpus = 1.0;
    hv.cpu_info.default_maxvcpus = 2;
    hv.memory_info.default_memory = 512;
    hv.memory_info.default_maxmemory = 4096;
    hv.memory_info.memory_slots = 10;
    hv.device_info.default_bridges = 1;
    hv.shared_fs.virtio_fs_daemon = "/bin/virtiofsd".into();
    change(&mut hv);
    let mut config = Config::default();
    config.runtime.name = "virt_container".into();
    config.runtime.hypervisor_name = Text::copy(name);
    config.runtime.agent_name = "kata".into();
    config.hypervisor.insert(Text::copy(name), hv);
    config
}

type Outcome = Result<Started, Failure>;

/// Both doors, which have to agree.
fn outcome(host: &Host, config: &Config) -> Outcome {
    let annotations = Annotations::default();
    let sandbox =
        Sandbox { id: "ID", hostname: "web", host_network: false, annotations: &annotations, devices: &[] };
    let launched = launch(host, config, &sandbox);
    let checked = check(host, config, &sandbox);
    assert_eq!(launched.as_ref().map(|started| started.findings.clone()).map_err(Clone::clone), checked);
    launched
}

/// The arguments, and the guest kernel's command line.
fn started(host: &Host, config: &Config) -> (Vec<String>, String) {
    let Started { launch, kernel_params, .. } = outcome(host, config).unwrap();
    for arg in launch.args.iter().chain(&kernel_params) {
        assert!(!arg.cause.keys.is_empty() || !arg.cause.rule.is_empty(), "{} has no cause", arg.text);
    }
    (launch.args.into_iter().map(|arg| arg.text).collect(), joined(&kernel_params))
}

fn refusal(host: &Host, config: &Config) -> String {
    outcome(host, config).err().map(|failure| failure.message).unwrap_or_default()
}

fn has(args: &[String], text: &str) -> bool {
    args.iter().any(|arg| arg == text)
}

#[test]
fn tdx_guests_are_bound_to_their_initialization_data() {
    let config = config("qemu", |hv| {
        hv.security_info.confidential_guest = true;
        hv.security_info.tdx_quote_generation_service_socket_port = 4050;
        hv.security_info.initdata = DOCUMENT.into();
        hv.boot_info.firmware = "/img/firmware".into();
        hv.shared_fs.shared_fs = Some("virtio-fs".into());
    });
    let (args, _) = started(&host(Arch::X86_64, Protection::Tdx), &config);
    let object = args.iter().find(|arg| arg.contains("tdx-guest")).unwrap();
    // 32 bytes of digest and 16 of zeros, in base64.
    assert!(
        object.contains(r#""mrconfigid":""#) && object.contains(r#"AAAAAAAAAAAAAAAAAAAAA","quote"#),
        "{object}"
    );
    assert!(object.ends_with(r#""quote-generation-socket":{"type":"vsock","cid":"2","port":"4050"}}"#));
    assert!(has(&args, "q35,accel=kvm,kernel_irqchip=split,confidential-guest-support=tdx"));
    // No folder is shared with it, and then nothing backs the memory by name.
    assert!(has(&args, "512M") && !args.iter().any(|arg| arg.contains("virtiofsd")));
    assert!(
        args.iter()
            .any(|arg| arg.contains("filename=/run/kata-containers/shared/initdata/ID/initdata.image,"))
    );
    let bios = args.iter().position(|arg| arg == "-bios").unwrap();
    assert!(bios < args.iter().position(|arg| arg == "virtio-serial-pci,id=serial0").unwrap());
}

#[test]
fn snp_hosts_make_plain_sev_guests_unless_told() {
    let build = |snp: bool, firmware: &str| {
        config("qemu", |hv| {
            hv.security_info.confidential_guest = true;
            hv.security_info.sev_snp_guest = snp;
            hv.security_info.snp_guest_policy = 0x30000;
            hv.boot_info.firmware = Text::copy(firmware);
        })
    };
    let host = host(Arch::X86_64, Protection::Snp);
    let (args, _) = started(&host, &build(true, "/img/firmware"));
    assert!(
        has(&args, "EPYC-v4,") && args.iter().any(|arg| arg.ends_with("kernel-hashes=on,policy=0x30000"))
    );
    let (args, _) = started(&host, &build(false, "/img/firmware"));
    assert!(has(&args, "host,") && args.iter().any(|arg| arg.starts_with("sev-guest,id=sev,")));
    assert_eq!(
        refusal(&host, &build(true, "")),
        "start sandbox in task handler: failed to prepare protection device config: SEV-SNP protection \
         requires a path to firmaware"
    );
}

#[test]
fn secure_execution_boots_what_the_kernel_image_holds() {
    let config = config("qemu", |hv| {
        hv.security_info.confidential_guest = true;
        hv.machine_info.machine_type = "s390-ccw-virtio".into();
        hv.boot_info.image = Text::default();
        hv.boot_info.vm_rootfs_driver = "virtio-blk-ccw".into();
    });
    let (args, kernel_cmdline) = started(&host(Arch::S390x, Protection::Se), &config);
    assert_eq!(kernel_cmdline, "panic=1 selinux=0 console=hvc0");
    assert!(has(&args, "s390-pv-guest,id=pv0"));
    assert!(has(&args, "vhost-vsock-ccw,devno=fe.0.0000,vhostfd={fd},guest-cid={cid}"));
    assert!(has(&args, "virtio-serial-ccw,id=serial0,devno=fe.0.0002"));
}

#[test]
fn cloud_hypervisor_knows_tdx_alone() {
    let build = |confidential| config("clh", |hv| hv.security_info.confidential_guest = confidential);
    let ask = |protection, confidential| refusal(&host(Arch::X86_64, protection), &build(confidential));
    let said = "start sandbox in task handler: prepare vm: ";
    assert_eq!(
        ask(Protection::Tdx, false),
        format!(
            "{said}TDX guest protection available and must be used with Cloud Hypervisor (set 'confidential_guest=true')"
        )
    );
    assert_eq!(ask(Protection::Snp, true), format!("{said}Expected TDX protection, found snp (cbitpos: 51"));
    assert_eq!(
        ask(Protection::Tdx, true),
        "start sandbox in task handler: start vm: Payload config error: Need firmware for TDX"
    );
}

#[test]
fn persistent_memory_needs_room() {
    let build = |shared: Option<&str>, confidential| {
        config("qemu", |hv| {
            hv.boot_info.vm_rootfs_driver = "virtio-pmem".into();
            hv.shared_fs.shared_fs = shared.map(Text::copy);
            hv.security_info.confidential_guest = confidential;
        })
    };
    let (args, _) = started(&plain(), &build(Some("virtio-fs"), false));
    assert!(has(&args, "512M,slots=10,maxmem=4G"));
    assert!(has(
        &args,
        "memory-backend-file,id=TODO,mem-path=/img/root,size=4096,share=off,prealloc=off,readonly=on"
    ));
    assert_eq!(
        refusal(&plain(), &build(None, true)),
        "start sandbox in task handler: start vm: both memory max size and num slots must be set for nvdimm"
    );
}

#[test]
fn a_disk_is_attached_once() {
    let config = config("qemu", |hv| {
        let image = |name: &str, path: &str| GuestExtensionImage {
            name: Text::copy(name),
            path: Text::copy(path),
            verity_params: Text::default(),
        };
        hv.guest_extension_images =
            vec![image("same", "/img/root"), image("gpu", "/img/firmware"), image("again", "/img/firmware")];
    });
    let (args, kernel_cmdline) = started(&plain(), &config);
    assert_eq!(args.iter().filter(|arg| *arg == "-blockdev").count(), 2);
    assert!(args.iter().any(|arg| arg.ends_with("serial=extension-gpu")));
    assert!(kernel_cmdline.ends_with("kata.extension.again.verity_params console=hvc0"));
}

#[test]
fn refusals_are_in_upstreams_order_and_words() {
    let ask = |change: fn(&mut Hypervisor)| refusal(&plain(), &config("qemu", change));
    assert_eq!(
        ask(|hv| hv.boot_info.vm_rootfs_driver = "ide".into()),
        "start sandbox in task handler: set up device before start vm: do handle device failed.: failed to \
         create device: failed to create block device modern: unsupported driver type ide"
    );
    assert_eq!(
        ask(|hv| hv.boot_info.vm_rootfs_driver = "virtio-scsi".into()),
        "start sandbox in task handler: start vm: adding rootfs/verity params failed: Unsupported rootfs \
         driver virtio-scsi"
    );
    assert_eq!(
        ask(|hv| {
            hv.debug_info.enable_debug = true;
            hv.debug_info.extra_monitor_socket = "qmp".into();
        }),
        "start sandbox in task handler: start vm: unix listener bind failed.: Address already in use (os \
         error 98)"
    );
    assert_eq!(
        ask(|hv| {
            hv.shared_fs.shared_fs = Some("virtio-fs-nydus".into());
            hv.shared_fs.virtio_fs_daemon = "/bin/nydusd".into();
        }),
        "start sandbox in task handler: set up device before start vm: setup share fs device before start vm: \
         setup nydusd: validate nydusd config: path \"/bin/nydusd\" does not exist"
    );
    assert_eq!(
        ask(|hv| hv.boot_info.kernel_params = "a =b".into()),
        "start sandbox in task handler: start vm: Empty key"
    );
}

#[test]
fn the_rooms_of_other_hypervisors_refuse_in_their_own_words() {
    let mut config = config("openvmm", |hv| hv.shared_fs.shared_fs = Some("inline-virtio-fs".into()));
    assert_eq!(
        refusal(&plain(), &config),
        "start sandbox in task handler: start vm: openvmm only supports vhost-user virtio-fs (fs_type \
         'virtio-fs'), got 'inline-virtio-fs'"
    );
    let hv = config.hypervisor.remove("openvmm").unwrap();
    config.hypervisor.insert("dragonball".into(), hv);
    config.runtime.hypervisor_name = "dragonball".into();
    let hv = config.hypervisor.get_mut("dragonball").unwrap();
    hv.boot_info.kernel_params = "=x".into();
    assert_eq!(
        refusal(&plain(), &config),
        "start sandbox in task handler: start vm: kernel params to string: Empty key"
    );
}

#[test]
fn firecracker_passes_no_parameters_rather_than_bad_ones() {
    let config = config("firecracker", |hv| hv.boot_info.kernel_params = "=".into());
    let started = outcome(&plain(), &config).unwrap();
    assert_eq!(started.launch.requests.first().unwrap().body["boot_args"], "");
    assert_eq!(joined(&started.kernel_params), "");
    assert_eq!(started.findings.len(), 1);
}

#[test]
fn more_arguments_than_the_kernel_takes_end_the_start() {
    let threads = |many: u32| {
        config("qemu", |hv| {
            hv.enable_iothreads = true;
            hv.indep_iothreads = many;
        })
    };
    let want = "start sandbox in task handler: start vm: Argument list too long (os error 7)";
    assert_eq!(refusal(&plain(), &threads(u32::MAX)), want);
    assert!(outcome(&plain(), &threads(3)).is_ok());
    let ports = config("qemu", |hv| hv.device_info.pcie_root_port = u32::MAX);
    assert_eq!(refusal(&plain(), &ports), want);
    let told = config("firecracker", |hv| hv.device_info.pcie_root_port = u32::MAX);
    assert!(refusal(&plain(), &told).contains("total_ports: 4294967295"));
}

#[test]
fn dragonballs_own_file_sharing_takes_flags_as_go_does() {
    let share = |args: &[&str]| {
        let config = config("dragonball", |hv| {
            hv.shared_fs.shared_fs = Some("inline-virtio-fs".into());
            hv.shared_fs.virtio_fs_extra_args = args.iter().map(|arg| (*arg).to_owned()).collect();
        });
        outcome(&plain(), &config).map(|started| {
            let requests = started.launch.requests;
            let body = &requests.iter().find(|request| request.path == "InsertFsDevice").unwrap().body;
            (body["thread_pool_size"].clone(), body["drop_sys_resource"].clone(), body["xattr"].clone())
        })
    };
    let takes = |args, size: u16, drops: bool, xattr: bool| {
        assert_eq!(share(args), Ok((size.into(), drops.into(), xattr.into())), "{args:?}");
    };
    takes(&["--thread-pool-size=0x10", "-o", "no_readdir,no_xattr", "-d"], 16, false, false);
    takes(&["--drop-sys-resource=f", "x", "--nope"], 0, false, true);
    takes(&["-thread-pool-size", "1_0", "--drop-sys-resource"], 10, true, true);
    for (args, why) in [
        (&["--x"][..], "flag provided but not defined: -x"),
        (&["--=x"], "bad flag syntax: --=x"),
        (&["-o"], "flag needs an argument: -o"),
        (&["-thread-pool-size", "65536"], "parse error: invalid integer"),
        (&["-d=maybe"], "parse error: invalid bool"),
    ] {
        let message = share(args).unwrap_err().message;
        assert!(message.ends_with(&format!("parse args: {args:?}: {why}")), "{message}");
    }
}
