//! One handler: what its table says, and why CRI-O drops it.
//!
//! Decides the checks in each release's order; the first that fails counts. Facts: `RuntimeHandler.Validate` in
//! pkg/config/config.go of cri-o.

use std::collections::BTreeMap;

use super::annotations::{Feature, Known, invalid};
use super::fields::Fields;
use super::release::{Change, Release};
use crate::golang::strconv::quote;
use crate::input::host::{Errno, FileKind, Host, Stat};
use crate::input::{Place, Text};

/// `[crio.runtime.runtimes.NAME]`, completed as CRI-O completes it.
#[derive(Debug, Clone, Default)]
pub struct Handler {
    /// `runtime_path`: for Kata, its shim.
    pub runtime_path: String,
    /// `runtime_type`: `vm` for a shim such as Kata's, `oci` or nothing for a program such as crun.
    pub runtime_type: String,
    /// `runtime_config_path`: Kata's configuration file.
    pub runtime_config_path: String,
    /// `runtime_root`
    pub runtime_root: String,
    /// `allowed_annotations`
    pub allowed: Vec<String>,
    /// `default_annotations`, which the pod's own replace.
    pub defaults: BTreeMap<Text, Text>,
    /// `runtime_pull_image`: the guest pulls the images.
    pub pulls_images: bool,
    /// Where the table stands; nowhere for the built-in one.
    pub place: Option<Place>,
    /// Where `allowed_annotations` stands, else the table.
    pub allowed_place: Option<Place>,
    /// The program was found by its name, so that nobody has to look again.
    pub(super) is_found: bool,
    pub(super) monitor_path: String,
    pub(super) monitor_cgroup: String,
    no_sync_log: bool,
    pub(super) inherits: bool,
    websockets: bool,
    exec_cpu_affinity: String,
    seccomp_profile: String,
}

/// The host, as far as what handlers name can be looked for on it.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Its files.
    pub host: Host,
    /// Whether CRI-O's files were brought here from elsewhere: what they name and is not here is then taken to be
    /// there.
    pub elsewhere: bool,
}

impl Seen {
    /// `stat`, of a program or a file that somebody names.
    pub fn stat(&self, path: &str) -> Result<Stat, Errno> {
        match self.host.stat(path) {
            Err(Errno::NotFound) if self.elsewhere && path.starts_with('/') => {
                Ok(Stat::new(FileKind::File, 0, 0o755))
            }
            answer => answer,
        }
    }
}

/// Where daemons of systemd look for programs.
const PATH: [&str; 6] = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// Programs that come with CRI-O, wherever its packages put them.
const ITS_OWN: [&str; 3] = ["crun", "runc", "conmon"];

/// `exec.LookPath`.
pub(super) fn look_path(seen: &Seen, name: &str) -> Result<String, String> {
    let is_program = |path: &String| {
        seen.host.stat(path).is_ok_and(|stat| stat.kind != FileKind::Directory && stat.mode & 0o111 != 0)
    };
    if name.contains('/') {
        // Not looked for in $PATH, but where it says.
        return match seen.stat(name) {
            Ok(_) => Ok(name.to_owned()),
            Err(errno) => Err(format!("exec: {}: stat {name}: {}", quote(name), errno.go())),
        };
    }
    let found = PATH.iter().map(|folder| format!("{folder}/{name}")).find(is_program);
    match found {
        Some(path) => Ok(path),
        None if ITS_OWN.contains(&name) => Ok(format!("/usr/bin/{name}")),
        None => Err(format!("exec: {}: executable file not found in $PATH", quote(name))),
    }
}

impl Handler {
    pub(super) fn of(fields: &Fields) -> Self {
        Self {
            runtime_path: fields.text("runtime_path"),
            runtime_type: fields.text("runtime_type"),
            runtime_config_path: fields.text("runtime_config_path"),
            runtime_root: fields.text("runtime_root"),
            allowed: fields.texts("allowed_annotations"),
            defaults: fields.text_map("default_annotations"),
            pulls_images: fields.flag("runtime_pull_image"),
            place: Some(fields.place.clone()),
            allowed_place: fields.place_of("allowed_annotations").or_else(|| Some(fields.place.clone())),
            is_found: false,
            monitor_path: fields.text("monitor_path"),
            monitor_cgroup: fields.text("monitor_cgroup"),
            no_sync_log: fields.flag("no_sync_log"),
            inherits: fields.flag("inherit_default_runtime"),
            websockets: fields.flag("stream_websockets"),
            exec_cpu_affinity: fields.text("exec_cpu_affinity"),
            seccomp_profile: fields.text("seccomp_profile"),
        }
    }

    /// The one that is there without any file.
    pub(super) fn built_in(release: Release) -> Self {
        Self {
            runtime_type: "oci".to_owned(),
            allowed: ["io.containers.trace-syscall", Feature::DEVICES.written(release)]
                .map(str::to_owned)
                .to_vec(),
            ..Self::default()
        }
    }

    /// Whether pods get a VM by a shim.
    pub fn is_vm(&self) -> bool {
        self.runtime_type == "vm"
    }

    /// Whether a program such as crun serves its containers.
    pub fn is_oci(&self) -> bool {
        matches!(self.runtime_type.as_str(), "" | "oci")
    }

    /// Whether its program is named as shims are: anywhere in the file's name, not in its folders'.
    pub fn is_named_as_a_shim(&self) -> bool {
        let path = self.runtime_path.trim_end_matches('/');
        let name = path.rsplit('/').next().unwrap_or(path);
        let mut rest = name;
        while let Some((_, after)) = rest.split_once("containerd-shim-") {
            let word = after.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '+'));
            let (word, _) = after.split_at(word.unwrap_or(after.len()));
            // At least one character before the last `-v2` of the word.
            if word.rfind("-v2").is_some_and(|at| at > 0) {
                return true;
            }
            rest = after;
        }
        false
    }

    /// The checks, in the release's order; the program of an empty path is looked up on the way.
    pub(super) fn check(&mut self, name: &str, seen: &Seen, release: Release) -> Result<(), String> {
        let type_first = release.has(Change::TypeCheckedFirst);
        if type_first {
            self.check_type(name)?;
        }
        self.check_path(name, seen)?;
        self.check_config_path(name, seen)?;
        let known = Known::of(release);
        if let Some(odd) = self.allowed.iter().find(|key| !known.has(key)) {
            return Err(invalid(odd));
        }
        if !type_first {
            return self.check_type(name);
        }
        if self.no_sync_log && !self.is_oci() {
            let named = if release.has(Change::NamedSyncLog) { "no sync log: " } else { "" };
            let (only, found) = ("no_sync_log is only allowed with runtime type 'oci'", &self.runtime_type);
            return Err(format!("{named}{only}, runtime type is '{found}'"));
        }
        if self.websockets && self.runtime_type != "pod" {
            let (found, name) = (quote(&self.runtime_type), quote(name));
            let only = "websocket streaming: only the 'runtime_type = \"pod\"' supports websocket streaming";
            return Err(format!("{only}, not {found} (runtime {name})"));
        }
        if self.runtime_type == "pod" && release.has(Change::MonitorAsked) {
            self.check_pod_monitor(seen)
                .map_err(|why| format!("websocket streaming: get conmon-rs version: {why}"))?;
        }
        if !matches!(self.exec_cpu_affinity.as_str(), "" | "first") {
            return Err(format!("invalid exec_cpu_affinity {}", quote(&self.exec_cpu_affinity)));
        }
        self.check_seccomp(seen)
    }

    fn check_type(&self, name: &str) -> Result<(), String> {
        if self.is_oci() || self.is_vm() || self.runtime_type == "pod" {
            return Ok(());
        }
        Err(format!("invalid `runtime_type` {} for runtime {}", quote(&self.runtime_type), quote(name)))
    }

    fn check_path(&mut self, name: &str, seen: &Seen) -> Result<(), String> {
        if self.runtime_path.is_empty() {
            let found = look_path(seen, name);
            self.runtime_path = found.map_err(|why| format!("{} not found in $PATH: {why}", quote(name)))?;
        } else if !self.is_found && seen.stat(&self.runtime_path) == Err(Errno::NotFound) {
            // Only that: what is no folder on the way there is found out by the first pod.
            let path = &self.runtime_path;
            return Err(format!(
                "invalid runtime_path for runtime '{name}': stat {path}: no such file or directory"
            ));
        }
        if self.is_vm() && !self.is_named_as_a_shim() {
            return Err(format!(
                "invalid runtime_path for runtime '{name}': containerd binary naming pattern is not followed"
            ));
        }
        Ok(())
    }

    fn check_config_path(&self, name: &str, seen: &Seen) -> Result<(), String> {
        let path = &self.runtime_config_path;
        if path.is_empty() {
            return Ok(());
        }
        if !self.is_vm() {
            return Err("runtime_config_path can only be used with the 'vm' runtime type".to_owned());
        }
        if seen.stat(path) == Err(Errno::NotFound) {
            return Err(format!(
                "invalid runtime_config_path for runtime '{name}': stat {path}: no such file or directory"
            ));
        }
        Ok(())
    }

    /// Whether the monitor of a handler of type `pod` can be run, to tell its version.
    fn check_pod_monitor(&self, seen: &Seen) -> Result<(), String> {
        let path = if self.monitor_path.is_empty() { "conmonrs" } else { &self.monitor_path };
        let run = format!("run `{path} --version-json`: ");
        if !path.contains('/') {
            return look_path(seen, path).map(drop).map_err(|why| format!("{run}: {why}"));
        }
        match seen.stat(path) {
            Err(errno) => Err(format!("{run}: fork/exec {path}: {}", errno.go())),
            Ok(_) => Ok(()),
        }
    }

    fn check_seccomp(&self, seen: &Seen) -> Result<(), String> {
        let path = &self.seccomp_profile;
        if path.is_empty() {
            return Ok(());
        }
        let why = match seen.host.read(path) {
            Err(Errno::NotFound) if seen.elsewhere => return Ok(()),
            Err(errno @ Errno::IsDirectory) => format!("open seccomp profile: read {path}: {}", errno.go()),
            Err(errno) => format!("open seccomp profile: open {path}: {}", errno.go()),
            Ok(bytes) => match serde_json::from_slice::<serde_json::Value>(&bytes) {
                Ok(_) => return Ok(()),
                Err(error) => format!("decoding seccomp profile failed: {error}"),
            },
        };
        Err(format!("unable to load runtime handler seccomp profile: {why}"))
    }
}

#[cfg(test)]
mod tests {
    use super::Handler;

    #[test]
    fn the_pattern_of_shims_is_looked_for_in_the_files_name() {
        let named =
            |path: &str| Handler { runtime_path: path.into(), ..Handler::default() }.is_named_as_a_shim();
        for path in [
            "/opt/kata/bin/containerd-shim-kata-v2",
            "/opt/my-containerd-shim-kata-v2.bak",
            "containerd-shim-kata+rs-v2",
            "/x/containerd-shim-a-v2-v3/",
        ] {
            assert!(named(path), "{path}");
        }
        for path in [
            "/opt/containerd-shim-kata-v3",
            "/opt/containerd-shim--v2",
            "/opt/containerd-shim-kata_rs-v2",
            "/opt/containerd-shim-kata-v2/kata",
            "/opt/containerd-shim-v2",
            "",
        ] {
            assert!(!named(path), "{path}");
        }
    }
}
