//! The guest kernel's parameters: the runtime's own, how the root file system is named, the configured list.
//!
//! Facts: src/runtime-rs/crates/hypervisor/src/kernel_param.rs at each tag.

use std::borrow::Cow;

use super::{Refusal, Start, refuse};
use crate::answer::launch::{Arg, Cause};
use crate::launch::line::{parameter, verity_table};
use crate::release::Runtime;
use crate::release::rs::Change;
use crate::runtime::rs::boot::{self, ParamFrom};
use crate::runtime::rs::config::Keys;
use crate::runtime::verity::Verity;

const CAUSED_BY_PARAMS: &[&str] = &["hypervisor.kernel_params"];
const CAUSED_BY_ROOT: &[&str] =
    &["hypervisor.kernel_verity_params", "hypervisor.rootfs_type", "hypervisor.block_device_driver"];

#[derive(Debug, Clone)]
struct Param<'a> {
    key: Cow<'a, str>,
    value: Cow<'a, str>,
    cause: Cause,
}

/// A kernel command line that grows.
#[derive(Debug, Clone)]
pub(super) struct KernelLine<'a> {
    params: Vec<Param<'a>>,
    keys: &'static Keys,
    /// Whether double quotes keep a parameter together.
    quotes: bool,
}

impl<'a> KernelLine<'a> {
    /// With what every guest of this runtime boots.
    pub(super) fn new(start: &Start<'a>) -> Self {
        let (params, quotes) = (Vec::with_capacity(24), start.has(Change::QuotedParams));
        let mut line = Self { params, keys: start.keys, quotes };
        for (key, value, change) in [
            ("reboot", "k", None),
            ("earlyprintk", "ttyS0", Some(Change::EarlyPrintk)),
            ("initcall_debug", "", Some(Change::EarlyPrintk)),
            ("panic", "1", None),
            ("systemd.unit", "kata-containers.target", None),
            ("systemd.mask", "systemd-networkd.service", None),
            ("systemd.mask", "systemd-networkd.socket", Some(Change::NetworkdSocketMasked)),
        ] {
            if change.is_none_or(|change| start.has(change)) {
                line.push(key, value, Cause::constant());
            }
        }
        if start.hv.debug_info.enable_debug {
            line.push("agent.log_vport", "1025", Cause::key(start.keys.enable_debug));
        }
        line
    }

    pub(super) fn push(
        &mut self,
        key: impl Into<Cow<'a, str>>,
        value: impl Into<Cow<'a, str>>,
        cause: Cause,
    ) {
        self.params.push(Param { key: key.into(), value: value.into(), cause });
    }

    /// Parameters as a text has them: at spaces outside double quotes, key and value at the first `=`. The cause
    /// is asked with the byte at which a parameter begins, and its key.
    pub(super) fn text(&mut self, text: &'a str, mut cause: impl FnMut(usize, &str) -> Cause) {
        for (at, word) in words(text, self.quotes) {
            let (key, value) = pair(word);
            self.push(key, value, cause(at, key));
        }
    }

    /// A guest extension's parameter; without verification it is a bare name, which activates it, too.
    pub(super) fn extension(&mut self, name: &str, verity: &str, cause: &Cause) {
        let text = format!("kata.extension.{name}.verity_params={verity}");
        for (key, value) in words(&text, true).map(|(_, word)| pair(word)) {
            self.push(key.to_owned(), value.to_owned(), cause.clone());
        }
    }

    /// The configured list: what loading put first on behalf of the agent, then `kernel_params`.
    pub(super) fn configured(&mut self, start: &Start<'a>) {
        let (keys, agent) = (self.keys, &start.config.runtime.agent_name);
        let boot = &start.hv.boot_info;
        self.text(&boot.kernel_params, |at, name| match boot::param_from(boot, at, name) {
            ParamFrom::Agent(key) => Cause::key(format!("agent.{agent}.{key}")),
            ParamFrom::Configuration => Cause::key(keys.kernel_params).configured(true),
            ParamFrom::Pod => Cause::key(keys.kernel_params),
        });
    }

    /// How the guest finds its root file system on `driver`, which `decided` by these keys.
    pub(super) fn root(
        &mut self,
        start: &Start<'a>,
        driver: &str,
        decided: Cause,
        rootfs_type: &'a str,
        dax: bool,
    ) -> Result<(), Refusal> {
        let named = start.has(Change::BlockDriverNames);
        let (pmem, data, hash) = match driver {
            "virtio-pmem" => (true, "/dev/pmem0p1", "/dev/pmem0p2"),
            "virtio-blk-pci" | "virtio-blk-mmio" if named => (false, "/dev/vda1", "/dev/vda2"),
            "virtio-blk-ccw" if start.has(Change::CcwRoot) => (false, "/dev/vda1", "/dev/vda2"),
            "virtio-blk" if !named => (false, "/dev/vda1", "/dev/vda2"),
            _ if !start.has(Change::RootfsType) => return Ok(()),
            _ if !named => return refuse("Unsupported rootfs driver", CAUSED_BY_ROOT),
            _ => return refuse(format!("Unsupported rootfs driver {driver}"), CAUSED_BY_ROOT),
        };
        let (rootfs_type, plain) = match rootfs_type {
            _ if !start.has(Change::RootfsType) => ("ext4", "data=ordered,errors=remount-ro ro"),
            "ext4" => (rootfs_type, "data=ordered,errors=remount-ro ro"),
            "xfs" if !start.has(Change::RootfsFlagsOfXfs) => {
                (rootfs_type, "data=ordered,errors=remount-ro ro")
            }
            "xfs" | "erofs" => (rootfs_type, "ro"),
            _ if !named => return refuse("Unsupported rootfs type", CAUSED_BY_ROOT),
            _ => return refuse(format!("Unsupported rootfs type {rootfs_type}"), CAUSED_BY_ROOT),
        };
        let dax = dax || !start.has(Change::NoDax);
        let verity = Verity::parse(&start.hv.boot_info.kernel_verity_params, Runtime::Rs)
            .map_err(|why| Refusal::because(why, CAUSED_BY_ROOT))?;
        let with = |key: &'static str| {
            let mut cause = Cause::key(key);
            cause.add_keys(&decided);
            cause
        };
        let by_flags = with(self.keys.rootfs_type);
        let flags = match (&verity, pmem && dax, plain) {
            (Some(_), ..) | (None, false, _) => plain,
            (None, true, "ro") => "dax ro",
            (None, true, _) if !start.has(Change::RootfsType) => "data=ordered,errors=remount-ro,dax ro",
            (None, true, _) => "dax,data=ordered,errors=remount-ro ro",
        };
        if let Some(verity) = verity {
            let cause = with(self.keys.kernel_verity_params);
            self.push("dm-mod.create", verity_table(&verity, data, hash), cause);
            self.push("root", "/dev/dm-0", Cause::key(self.keys.kernel_verity_params));
        } else {
            self.push("root", data, decided);
        }
        self.push("rootflags", flags, by_flags);
        self.push("rootfstype", rootfs_type, Cause::key(self.keys.rootfs_type));
        Ok(())
    }

    /// Drops every parameter of these names.
    pub(super) fn remove(&mut self, names: &[&str]) {
        self.params.retain(|param| !names.contains(&&*param.key));
    }

    /// Whether it can be written: a parameter needs a name.
    pub(super) fn check(&self) -> Result<(), Refusal> {
        for param in &self.params {
            if param.key.is_empty() {
                let what = if param.value.is_empty() { "Empty key and value" } else { "Empty key" };
                return refuse(what, CAUSED_BY_PARAMS);
            }
        }
        Ok(())
    }

    /// The parameters as the command line has them.
    pub(super) fn args(&self) -> Vec<Arg> {
        let text = |param: &Param<'_>| parameter(&param.key, &param.value);
        self.params.iter().map(|param| Arg::new(text(param), param.cause.clone())).collect()
    }
}

/// The words of a parameter list with the byte at which each begins; where quotes count, a space between two does
/// not end a word.
fn words(text: &str, quotes: bool) -> impl Iterator<Item = (usize, &str)> {
    let mut quoted = false;
    let mut at = 0;
    let pieces = text.split(move |sign| {
        quoted ^= quotes && sign == '"';
        sign == ' ' && !quoted
    });
    let placed = pieces.map(move |piece| {
        let begin = at;
        at += piece.len() + 1;
        (begin, if quotes { piece.trim() } else { piece })
    });
    placed.filter(|(_, word)| !word.is_empty())
}

fn pair(word: &str) -> (&str, &str) {
    word.split_once('=').unwrap_or((word, ""))
}
