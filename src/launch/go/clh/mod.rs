//! Cloud Hypervisor: the process, its guest's command line, and whether it would start.
//!
//! Facts: src/runtime/virtcontainers/clh.go from 2.0.0 to 4.1.0.

mod network;
mod version;
mod vm_config;

use serde_json::Value as Json;

use super::daemon::{Call, Daemon, NYDUSD_API};
use super::guest_kernel::{Root, configured, extend};
use super::network::Network;
use super::paths::Paths;
use super::remarks::Remarks;
use super::{Boot, Refusal, Started, process};
use crate::answer::finding::Finding;
use crate::answer::launch::{Arg, Cause, Launch, Request, joined};
use crate::golang::strconv::quote;
use crate::input::Host;
use crate::input::host::{Arch, Errno, Protection};
use crate::release::Release;
use crate::release::go::Change;
use crate::runtime::go::config::{HypervisorConfig, HypervisorKeys, HypervisorType, SandboxConfig};

const DEFAULT_PATH: &str = "/usr/local/bin/cloud-hypervisor";
const API_SOCKET: &str = "clh-api.sock";
const VSOCK_SOCKET: &str = "clh.sock";
const SHARE_SOCKET: &str = "virtiofsd.sock";

/// Everything that is decided before anything is spelled out.
pub(super) struct Plan<'a> {
    release: Release,
    config: &'a SandboxConfig,
    hv: &'a HypervisorConfig,
    keys: &'static HypervisorKeys,
    paths: Paths<'a>,
    arch: Arch,
    /// MiB.
    host_memory: u64,
    boot: Boot<'a>,
    /// Whether the image is a disk, and not persistent memory.
    disk: bool,
    root: Root<'a>,
    /// Whether the guest is confidential, which means TDX.
    confidential: bool,
    mshv: bool,
    daemon: Option<Daemon>,
    program: &'a str,
    network: Network<'a>,
}

/// `key=value`, whatever is empty.
fn spelled(key: &str, value: &str) -> Option<String> {
    Some(if value.is_empty() { key.to_owned() } else { [key, "=", value].concat() })
}

impl<'a> Plan<'a> {
    /// Decides, or says where upstream gives up.
    pub(super) fn new(host: &'a Host, config: &'a SandboxConfig) -> Result<Self, Refusal> {
        let (hv, release) = (&config.hypervisor_config, config.release);
        let paths = Paths::of(config);
        let confidential = hv.confidential_guest && release.has(Change::ClhConfidential);
        let program = match hv.hypervisor_asset_path() {
            "" => DEFAULT_PATH,
            path => path,
        };
        if release.has(Change::ClhVersion) {
            check_path(release, host, program).map_err(|why| Refusal::because(why, &["path"]))?;
            version::check(host, program)?;
        }
        if confidential {
            check_protection(release, host, hv)?;
        }
        let disk = is_disk(release, hv, confidential);
        let root = Root::new(release, hv, !disk, !disk && root_dax(release))?;
        let boot = boot(release, hv)?;
        paths.check_socket(API_SOCKET)?;
        paths.check_socket(SHARE_SOCKET)?;
        let shares = !(confidential && release.has(Change::ClhConfidentialWithoutShare));
        let daemon = Daemon::of(release, &hv.shared_fs).filter(|_| shares);
        if let Some(daemon) = daemon {
            daemon.check_sockets(paths, SHARE_SOCKET)?;
        }

        // configure of the agent
        paths.check_socket(VSOCK_SOCKET)?;
        let none = hv.shared_fs == "none" && release.has(Change::NoSharedFolder);
        if daemon.is_none() && shares && !none {
            return Err(Refusal::because(
                format!("shared fs method not supported {}", hv.shared_fs),
                &["shared_fs"],
            ));
        }

        // createNetwork
        let network = network::of(host, config)?;

        // StartVM
        if let Some(daemon) = daemon {
            daemon.check_start(release, host, hv)?;
            if let Some(why) = process::not_startable(host, &hv.virtio_fs_daemon) {
                return Err(Refusal::because(why, &["virtio_fs_daemon"]));
            }
        }
        let not_launched = |why: String| {
            Refusal::because(format!("failed to launch cloud-hypervisor: {}", quote(&why)), &["path"])
        };
        check_path(release, host, program).map_err(not_launched)?;
        if let Some(why) = process::not_startable(host, program) {
            return Err(not_launched(why));
        }
        Ok(Self {
            release,
            config,
            hv,
            keys: HypervisorKeys::of(HypervisorType::Clh),
            paths,
            arch: host.facts.arch,
            host_memory: host.facts.memory_mib,
            boot,
            disk,
            root,
            confidential,
            mshv: host.finds("/dev/mshv"),
            daemon,
            program,
            network,
        })
    }

    /// Whether this release does it.
    fn has(&self, change: Change) -> bool {
        self.release.has(change)
    }

    /// Spells it out.
    pub(super) fn start(self, host: &Host) -> Started<'a> {
        let kernel_params = self.kernel_params();
        let kernel_cmdline = joined(&kernel_params);
        let helpers = self.daemon.map(|daemon| {
            let (config, keys, paths) = (self.config, self.keys, self.paths);
            Call { config, keys, paths, socket: SHARE_SOCKET, api: NYDUSD_API, xattr: false }.helper(daemon)
        });
        let create = Request {
            method: "PUT".into(),
            path: "vm.create".into(),
            body: self.vm_config(kernel_cmdline.trim()),
            causes: self.causes(),
        };
        let mut requests = vec![create];
        requests.extend(self.add_net());
        requests.push(Request {
            method: "PUT".into(),
            path: "vm.boot".into(),
            body: Json::Null,
            causes: Vec::new(),
        });
        Started {
            launch: Launch {
                program: Some(Arg::new(self.program, Cause::key(self.keys.path))),
                args: self.args(),
                helpers: helpers.into_iter().collect(),
                requests,
                ..Launch::default()
            },
            kernel_params,
            kernel_cmdline,
            shares_files: self.daemon.is_some(),
            findings: self.findings(host),
            network: Some(self.network),
        }
    }

    /// What fails after the point up to which the launch is modelled.
    pub(super) fn findings(&self, host: &Host) -> Vec<Finding> {
        Remarks::of(host, self.config, self.keys, self.daemon.is_some()).0
    }

    fn args(&self) -> Vec<Arg> {
        let hv = self.hv;
        let mut args = vec![
            Arg::new("--api-socket", Cause::constant()),
            Arg::new(self.paths.in_vm(API_SOCKET), Cause::constant()),
        ];
        if hv.enable_debug && !self.has(Change::ClhLogLevel) {
            let verbose = if self.has(Change::ClhUnfiltered) { "-vv" } else { "-v" };
            args.push(Arg::new(verbose, Cause::key(self.keys.enable_debug)));
        }
        if hv.enable_debug && hv.hypervisor_loglevel > 0 && self.has(Change::ClhLogLevel) {
            let verbose = format!("-{}", "v".repeat(hv.hypervisor_loglevel as usize));
            args.push(Arg::new(
                verbose,
                Cause::keys([self.keys.hypervisor_loglevel, self.keys.enable_debug]),
            ));
        }
        let unfiltered = self.has(Change::ClhUnfiltered);
        if hv.disable_seccomp || unfiltered {
            let cause = if unfiltered { Cause::constant() } else { Cause::key(self.keys.disable_seccomp) };
            for text in ["--seccomp", "false"] {
                args.push(Arg::new(text, cause.clone()));
            }
        }
        args
    }

    fn kernel_params(&self) -> Vec<Arg> {
        let (hv, keys) = (self.hv, self.keys);
        let mut out = Vec::with_capacity(24);
        let image = Cause::rule(if self.disk {
            "the image is the first disk"
        } else {
            "the image is the first persistent memory"
        });
        let constant = [("panic", "1"), ("no_timer_check", ""), ("noreplace-smp", "")];
        if self.has(Change::ClhRootAmongConstants) {
            let dax = if self.has(Change::ClhRootDax) { "dax," } else { "" };
            extend(&mut out, &[("root", "/dev/pmem0p1")], &image);
            extend(&mut out, &constant, &Cause::constant());
            let flags = format!("{dax}data=ordered,errors=remount-ro ro");
            extend(&mut out, &[("rootflags", &flags), ("rootfstype", "ext4")], &Cause::constant());
        } else {
            self.root.params(keys, &image, &mut out);
            extend(&mut out, &constant, &Cause::constant());
        }
        let iommu: &[_] =
            if hv.enable_iommu && self.has(Change::ClhPlatform) { &[("iommu", "pt")] } else { &[] };
        let iommu_cause = Cause::key(keys.enable_iommu);
        if self.has(Change::ClhIommuFirst) {
            extend(&mut out, iommu, &iommu_cause);
        }
        let debug = Cause::key(keys.enable_debug);
        if hv.enable_debug {
            let console = match self.arch {
                _ if self.confidential && self.has(Change::ClhConfidentialConsole) => "hvc0",
                Arch::Aarch64 if self.has(Change::ClhArmConsole) => "ttyAMA0,115200n8",
                _ => "ttyS0,115200n8",
            };
            extend(&mut out, &[("console", console), ("systemd.log_target", "console")], &debug);
        } else if self.has(Change::ClhQuiet) {
            extend(&mut out, &[("quiet", "")], &debug);
        }
        if !self.has(Change::ClhIommuFirst) {
            extend(&mut out, iommu, &iommu_cause);
        }
        configured(self.config, keys, spelled, &mut out);
        out
    }
}

/// Whether the image is a disk, and not persistent memory.
fn is_disk(release: Release, hv: &HypervisorConfig, confidential: bool) -> bool {
    confidential
        || release.has(Change::ClhImageIsDisk)
        || (release.has(Change::ClhImageChoice) && hv.disable_image_nvdimm)
}

/// Whether the root file system is mapped from an image that is persistent memory.
fn root_dax(release: Release) -> bool {
    release.has(Change::ClhRootDax) || release.has(Change::ClhRootDaxAgain)
}

/// What the guest boots from; an image comes first where a release does not refuse both.
fn boot<'a>(release: Release, hv: &'a HypervisorConfig) -> Result<Boot<'a>, Refusal> {
    if !release.has(Change::InitrdWins) {
        return Boot::of(release, hv);
    }
    match (hv.image_asset_path(), hv.initrd_asset_path()) {
        ("", _) if !release.has(Change::ClhInitrd) => {
            Err(Refusal::because("image path is empty", &["image", "initrd"]))
        }
        ("", "") => Ok(Boot::Kernel),
        ("", initrd) => Ok(Boot::Initrd(initrd)),
        (image, _) => Ok(Boot::Image(image)),
    }
}

/// Why the binary cannot be used.
fn check_path(release: Release, host: &Host, program: &str) -> Result<(), String> {
    match host.stat(program) {
        Ok(_) => Ok(()),
        Err(errno) if release.has(Change::ClhPathReason) => Err(format!(
            "Cloud-Hypervisor path ({program}) is not accessible: stat {program}: {}",
            errno.go()
        )),
        Err(Errno::NotFound) => Err(format!("Cloud-Hypervisor path ({program}) does not exist")),
        Err(errno) => Err(format!("stat {program}: {}", errno.go())),
    }
}

fn check_protection(release: Release, host: &Host, hv: &HypervisorConfig) -> Result<(), Refusal> {
    let refuse = |message: &'static str| Err(Refusal::because(message, &["confidential_guest"]));
    match (host.facts.arch, host.facts.protection) {
        (Arch::X86_64, Protection::Tdx) if hv.firmware_asset_path().is_empty() => {
            refuse("Firmware path is not specified")
        }
        (Arch::X86_64, Protection::Tdx) => Ok(()),
        (Arch::X86_64, Protection::Snp) if release.has(Change::ClhSnpHosts) => {
            refuse("SEV-SNP protection is not supported by Cloud Hypervisor")
        }
        (Arch::X86_64, Protection::Snp | Protection::Sev) if release.has(Change::SevHosts) => {
            refuse("SEV protection is not supported by Cloud Hypervisor")
        }
        _ if release.has(Change::ClhConfidentianSlip) => {
            refuse("This system doesn't support Confidentian Computing (Guest Protection)")
        }
        _ => refuse("This system doesn't support Confidential Computing (Guest Protection)"),
    }
}
