//! The embedded sample: a made-up runtime-rs host with QEMU and a few pods, so that a newcomer sees
//! every kind of verdict at once. Nothing of it touches the machine.

use std::sync::Arc;

use crate::cri::Engine;
use crate::cri::containerd::{self, Containerd};
use crate::evaluate::{Evaluator, Setup};
use crate::input::config::Layers;
use crate::input::host::{Host, HostFacts, MemoryFiles};
use crate::input::source::Source;
use crate::release::{KnownBy, Release, Runtime};

/// Where the sample's configuration pretends to lie.
pub const CONFIG_PATH: &str = "/etc/kata-containers/runtime-rs/configuration.toml";
/// The sample's configuration.
pub const CONFIG: &str = include_str!("../assets/sample/configuration.toml");
/// Where the sample's containerd configuration pretends to lie.
pub const CONTAINERD_PATH: &str = "/etc/containerd/config.toml";
/// The sample's containerd configuration.
pub const CONTAINERD: &str = include_str!("../assets/sample/containerd.toml");
/// The sample's pods.
pub const PODS: &str = include_str!("../assets/sample/pods.yaml");

/// A host with 64 CPUs and 256 GiB on which the files exist that the configuration names.
pub fn host() -> Host {
    let files = [
        "/opt/kata/bin/qemu-system-x86_64",
        "/opt/kata/bin/qemu-system-x86_64-experimental",
        "/opt/kata/libexec/virtiofsd",
        "/usr/bin/qemu-system-x86_64",
        "/tmp/qemu",
    ]
    .iter()
    .fold(MemoryFiles::new(), |files, path| files.file(path, 0o755, "a program"))
    .file("/opt/kata/share/kata-containers/vmlinux.container", 0o644, "a kernel")
    .file("/opt/kata/share/kata-containers/kata-containers.img", 0o644, "an image")
    .file("/dev/urandom", 0o666, "")
    .file("/dev/random", 0o666, "")
    .file("/dev/vhost-vsock", 0o666, "")
    .file("/opt/kata/runtime-rs/bin/containerd-shim-kata-v2", 0o755, "a shim")
    .file(CONTAINERD_PATH, 0o644, CONTAINERD)
    .file(CONFIG_PATH, 0o644, CONFIG);
    let facts = HostFacts { cpus: 64, memory_mib: 262_144, ..HostFacts::default() };
    Host::new(facts, Arc::new(files))
}

/// The sample, ready to be asked.
pub fn evaluator() -> Evaluator {
    let host = host();
    let layers = Layers::read(&host, CONFIG_PATH);
    let containerd =
        Containerd::read(&host, CONTAINERD_PATH, containerd::Release::NEWEST, Some("kata".into()));
    Evaluator::new(Setup {
        host,
        layers,
        release: Release::newest(Runtime::Rs),
        known_by: KnownBy::Assumed,
        release_note: None,
        hypervisor: None,
        sandbox_id: None,
        engine: Engine::Containerd(Box::new(containerd)),
    })
}

/// The text of the sample's pods.
pub fn pods() -> Source {
    Source::new("sample/pods.yaml", PODS)
}
