//! The guest kernel's parameters: how the root file system is named, and what put each parameter of the
//! configured list there.
//!
//! Facts: `GetKernelRootParams` and `SerializeParams` in
//! src/runtime/virtcontainers/hypervisor.go from 2.0.0 to 4.1.0.

use super::{Change, Refusal, Start, refuse};
use crate::answer::launch::{Arg, Cause};
use crate::launch::line::{parameter, verity_table};
use crate::release::Runtime;
use crate::runtime::go::config::{HypervisorKeys, ParamFrom};
use crate::runtime::verity::Verity;

/// A parameter as the command line has it; one without key and value is left out.
pub(super) fn rendered(key: &str, value: &str) -> Option<String> {
    match key.is_empty() {
        true => (!value.is_empty()).then(|| value.to_owned()),
        false => Some(parameter(key, value)),
    }
}

/// Parameters that are the same for every pod, each with what brought or took it.
pub(super) type Constants = &'static [(Option<Change>, &'static str, &'static str)];

/// Appends those that the release has.
pub(super) fn constants(start: &Start<'_>, all: Constants, params: &mut Vec<Arg>) {
    let there = |change: Option<Change>| change.is_none_or(|change| start.has(change));
    for (_, key, value) in all.iter().filter(|(change, ..)| there(*change)) {
        extend(params, &[(*key, *value)], Cause::constant());
    }
}
pub(super) fn extend(params: &mut Vec<Arg>, all: &[(&str, &str)], cause: impl Into<Cause>) {
    let cause = cause.into();
    params.extend(all.iter().filter_map(|(k, v)| rendered(k, v)).map(|text| Arg::new(text, cause.clone())));
}

/// How the guest finds its root file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Root<'a> {
    nvdimm: bool,
    flags: &'static str,
    rootfs_type: &'a str,
    verity: Option<Verity>,
}

impl<'a> Root<'a> {
    /// Decides it; `dax` is ignored for a verified root.
    pub(super) fn new(start: &Start<'a>, nvdimm: bool, dax: bool) -> Result<Self, Refusal> {
        let verity = if start.has(Change::KernelVerity) {
            Verity::parse(&start.hv.kernel_verity_params, Runtime::Go)
                .map_err(|why| Refusal::because(why, &["kernel_verity_params"]))?
        } else {
            None
        };
        let rootfs_type = match &*start.hv.rootfs_type {
            "" => "ext4",
            _ if !start.has(Change::RootfsTypes) => "ext4",
            name => name,
        };
        let mounted_as = match rootfs_type {
            "xfs" if start.has(Change::XfsMountedAsExt4) => "ext4",
            name => name,
        };
        let flags = match (mounted_as, dax && verity.is_none()) {
            ("erofs" | "xfs", true) => "dax ro",
            ("erofs" | "xfs", false) => "ro",
            ("ext4", true) => "dax,data=ordered,errors=remount-ro ro",
            ("ext4", false) => "data=ordered,errors=remount-ro ro",
            _ => return refuse("unsupported rootfs type", &["rootfs_type"]),
        };
        Ok(Self { nvdimm, flags, rootfs_type, verity })
    }

    /// Its parameters, each with the keys that decided it. `disk` names how the image is attached.
    pub(super) fn params(&self, keys: &'static HypervisorKeys, disk: &Cause, out: &mut Vec<Arg>) {
        let (data, hash) =
            if self.nvdimm { ("/dev/pmem0p1", "/dev/pmem0p2") } else { ("/dev/vda1", "/dev/vda2") };
        if let Some(v) = &self.verity {
            let table = parameter("dm-mod.create", &verity_table(v, data, hash));
            out.push(Arg::new(table, with(keys.kernel_verity_params, disk)));
            out.push(Arg::new("root=/dev/dm-0", Cause::key(keys.kernel_verity_params)));
        } else {
            out.push(Arg::new(format!("root={data}"), disk.clone()));
        }
        out.push(Arg::new(format!("rootflags={}", self.flags), with(keys.rootfs_type, disk)));
        out.push(Arg::new(format!("rootfstype={}", self.rootfs_type), Cause::key(keys.rootfs_type)));
    }
}

/// A key, and what decided how the image is attached.
fn with(key: &'static str, disk: &Cause) -> Cause {
    let mut cause = Cause::key(key);
    cause.add_keys(disk);
    cause
}

/// What put a parameter of the configured list there.
fn configured_cause(from: ParamFrom, keys: &'static HypervisorKeys) -> Cause {
    match from {
        ParamFrom::Configuration => Cause::key(keys.kernel_params).configured(true),
        ParamFrom::Pod => Cause::key(keys.kernel_params),
        ParamFrom::Image => Cause::key(keys.image).by("an image boots systemd"),
        ParamFrom::BlockDeviceDriver => Cause::key(keys.block_device_driver),
        ParamFrom::Agent(names) => Cause::keys(names.iter().map(|name| format!("agent.kata.{name}"))),
        ParamFrom::Fips => Cause::rule("the host runs in FIPS mode"),
    }
}

/// The parameters of the configured list, in its order: loading's own, `kernel_params`, the annotation's.
pub(super) fn configured(start: &Start<'_>, text: impl Fn(&str, &str) -> Option<String>, out: &mut Vec<Arg>) {
    out.extend(start.hv.kernel_params.list.iter().filter_map(|param| {
        text(&param.key, &param.value).map(|text| Arg::new(text, configured_cause(param.from, start.keys)))
    }));
}

/// The parameters that debugging brings, and those of its absence.
pub(super) fn debug(start: &Start<'_>, on: &[(&str, &str)], off: &[(&str, &str)], out: &mut Vec<Arg>) {
    extend(out, if start.hv.enable_debug { on } else { off }, start.keys.enable_debug);
}
