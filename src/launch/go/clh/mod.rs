//! Cloud Hypervisor: the process, its guest's command line, and whether it would start.
//!
//! Facts: src/runtime/virtcontainers/clh.go from 2.0.0 to 4.1.0.

mod network;
mod vm_config;

use super::daemon::{Daemon, NYDUSD_API};
use super::guest_kernel::{Root, configured, debug, extend};
use super::network::Network;
use super::{Boot, Change, Plan, Refusal, Start, findings, or, process, refuse, requests, version};
use crate::answer::agent::NetworkRequests;
use crate::answer::finding::Finding;
use crate::answer::launch::{Arg, Cause, Launch};
use crate::golang::strconv::quote;
use crate::input::host::{Arch, Errno, Protection};
use crate::launch::body::bare_request;
use crate::launch::line::{Line, parameter};

const DEFAULT_PATH: &str = "/usr/local/bin/cloud-hypervisor";
const API_SOCKET: &str = "clh-api.sock";
const VSOCK_SOCKET: &str = "clh.sock";
const SHARE_SOCKET: &str = "virtiofsd.sock";

/// A Cloud Hypervisor sandbox that will not fail any more.
pub(super) struct Clh<'a> {
    start: Start<'a>,
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

impl<'a> Clh<'a> {
    /// Decides, or says where upstream gives up.
    pub(super) fn new(start: Start<'a>) -> Result<Self, Refusal> {
        let Start { host, hv, paths, .. } = start;
        let confidential = hv.confidential_guest && start.has(Change::ClhConfidential);
        let program = or(hv.hypervisor_asset_path(), DEFAULT_PATH);
        if start.has(Change::ClhVersion) {
            check_path(&start, program).map_err(|why| Refusal::because(why, &["path"]))?;
            version::check_clh(host, program)?;
        }
        if confidential {
            check_protection(&start)?;
        }
        // Whether the image is a disk, and not persistent memory.
        let disk = confidential
            || start.has(Change::ClhImageIsDisk)
            || (start.has(Change::ClhImageChoice) && hv.disable_image_nvdimm);
        let mapped = start.has(Change::ClhRootDax) || start.has(Change::ClhRootDaxAgain);
        let root = Root::new(&start, !disk, !disk && mapped)?;
        let boot = boot(&start)?;
        paths.check_socket(API_SOCKET)?;
        paths.check_socket(SHARE_SOCKET)?;
        let shares = !(confidential && start.has(Change::ClhConfidentialWithoutShare));
        let daemon = start.daemon().filter(|_| shares);
        if let Some(daemon) = daemon {
            daemon.check_sockets(paths, SHARE_SOCKET)?;
        }

        // configure of the agent
        paths.check_socket(VSOCK_SOCKET)?;
        let none = hv.shared_fs == "none" && start.has(Change::NoSharedFolder);
        if daemon.is_none() && shares && !none {
            return refuse(format!("shared fs method not supported {}", hv.shared_fs), &["shared_fs"]);
        }

        // createNetwork
        let network = network::of(&start)?;

        // StartVM
        if let Some(daemon) = daemon {
            daemon.check_start(&start)?;
            if let Some(why) = process::not_startable(host, &hv.virtio_fs_daemon) {
                return refuse(why, &["virtio_fs_daemon"]);
            }
        }
        let not_launched = |why: String| {
            Refusal::because(format!("failed to launch cloud-hypervisor: {}", quote(&why)), &["path"])
        };
        check_path(&start, program).map_err(not_launched)?;
        if let Some(why) = process::not_startable(host, program) {
            return Err(not_launched(why));
        }
        let mshv = host.finds("/dev/mshv");
        Ok(Self { start, boot, disk, root, confidential, mshv, daemon, program, network })
    }
    fn has(&self, change: Change) -> bool {
        self.start.has(change)
    }

    fn args(&self) -> Vec<Arg> {
        let (hv, keys) = (self.start.hv, self.start.keys);
        let mut line = Line::default();
        line.push("--api-socket", self.start.paths.in_vm(API_SOCKET), Cause::constant());
        let unfiltered = self.has(Change::ClhUnfiltered);
        if hv.enable_debug && !self.has(Change::ClhLogLevel) {
            line.word(if unfiltered { "-vv" } else { "-v" }, keys.enable_debug);
        }
        if hv.enable_debug && hv.hypervisor_loglevel > 0 && self.has(Change::ClhLogLevel) {
            let verbose = format!("-{}", "v".repeat(hv.hypervisor_loglevel as usize));
            line.word(verbose, [keys.hypervisor_loglevel, keys.enable_debug]);
        }
        let by_seccomp = if unfiltered { Cause::constant() } else { keys.disable_seccomp.into() };
        line.push_if(unfiltered || hv.disable_seccomp, "--seccomp", "false", by_seccomp);
        line.args
    }
}

impl Plan for Clh<'_> {
    fn kernel_params(&self) -> Vec<Arg> {
        let (hv, keys) = (self.start.hv, self.start.keys);
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
            extend(&mut out, &constant, Cause::constant());
            let flags = format!("{dax}data=ordered,errors=remount-ro ro");
            extend(&mut out, &[("rootflags", &flags), ("rootfstype", "ext4")], Cause::constant());
        } else {
            self.root.params(keys, &image, &mut out);
            extend(&mut out, &constant, Cause::constant());
        }
        let iommu: &[_] =
            if hv.enable_iommu && self.has(Change::ClhPlatform) { &[("iommu", "pt")] } else { &[] };
        let first = self.has(Change::ClhIommuFirst);
        if first {
            extend(&mut out, iommu, keys.enable_iommu);
        }
        let console = match self.start.arch {
            _ if self.confidential && self.has(Change::ClhConfidentialConsole) => "hvc0",
            Arch::Aarch64 if self.has(Change::ClhArmConsole) => "ttyAMA0,115200n8",
            _ => "ttyS0,115200n8",
        };
        let quiet: &[_] = if self.has(Change::ClhQuiet) { &[("quiet", "")] } else { &[] };
        let on = [("console", console), ("systemd.log_target", "console")];
        debug(&self.start, &on, quiet, &mut out);
        if !first {
            extend(&mut out, iommu, keys.enable_iommu);
        }
        configured(&self.start, |key, value| Some(parameter(key, value)), &mut out);
        out
    }

    fn launch(&self, cmdline: &str) -> Launch {
        let helper = self.daemon.map(|daemon| daemon.helper(&self.start, SHARE_SOCKET, NYDUSD_API, false));
        let mut requests = vec![self.vm_config(cmdline.trim()).request("PUT", "vm.create")];
        requests.extend(self.add_net());
        requests.push(bare_request("PUT", "vm.boot"));
        Launch {
            program: Some(Arg::new(self.program, self.start.keys.path.into())),
            args: self.args(),
            helpers: helper.into_iter().collect(),
            requests,
            ..Launch::default()
        }
    }

    fn share(&self) -> Option<String> {
        self.daemon.map(|_| self.start.guest_share())
    }

    fn network(&self) -> NetworkRequests {
        requests::requests(&self.start, &self.network)
    }

    fn findings(&self) -> Vec<Finding> {
        findings::of(&self.start, self.daemon.is_some()).0
    }
}

/// What the guest boots from; an image comes first where a release does not refuse both.
fn boot<'a>(start: &Start<'a>) -> Result<Boot<'a>, Refusal> {
    if !start.has(Change::InitrdWins) {
        return Boot::of(start);
    }
    match (start.hv.image_asset_path(), start.hv.initrd_asset_path()) {
        ("", _) if !start.has(Change::ClhInitrd) => refuse("image path is empty", &["image", "initrd"]),
        ("", "") => Ok(Boot::Kernel),
        ("", initrd) => Ok(Boot::Initrd(initrd)),
        (image, _) => Ok(Boot::Image(image)),
    }
}

/// Why the binary cannot be used.
fn check_path(start: &Start<'_>, program: &str) -> Result<(), String> {
    match start.host.stat(program) {
        Ok(_) => Ok(()),
        Err(errno) if start.has(Change::ClhPathReason) => Err(format!(
            "Cloud-Hypervisor path ({program}) is not accessible: stat {program}: {}",
            errno.go()
        )),
        Err(Errno::NotFound) => Err(format!("Cloud-Hypervisor path ({program}) does not exist")),
        Err(errno) => Err(format!("stat {program}: {}", errno.go())),
    }
}

fn check_protection(start: &Start<'_>) -> Result<(), Refusal> {
    let refuse = |message: &'static str| refuse(message, &["confidential_guest"]);
    match (start.arch, start.host.facts.protection) {
        (Arch::X86_64, Protection::Tdx) if start.hv.firmware_asset_path().is_empty() => {
            refuse("Firmware path is not specified")
        }
        (Arch::X86_64, Protection::Tdx) => Ok(()),
        (Arch::X86_64, Protection::Snp) if start.has(Change::ClhSnpHosts) => {
            refuse("SEV-SNP protection is not supported by Cloud Hypervisor")
        }
        (Arch::X86_64, Protection::Snp | Protection::Sev) if start.has(Change::SevHosts) => {
            refuse("SEV protection is not supported by Cloud Hypervisor")
        }
        _ if start.has(Change::ClhConfidentianSlip) => {
            refuse("This system doesn't support Confidentian Computing (Guest Protection)")
        }
        _ => refuse("This system doesn't support Confidential Computing (Guest Protection)"),
    }
}
