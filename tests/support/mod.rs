//! What tests of several subjects share: the program as a user calls it, and a configuration to start from.

pub mod cel;

use std::path::Path;
use std::process::{Command, Stdio};

/// Calls the program in a folder, without standard input: what it says, its complaints, its exit status.
pub fn katascope(folder: &Path, args: &[&str]) -> (String, String, i32) {
    let output = Command::new(env!("CARGO_BIN_EXE_katascope"))
        .args(args)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr), output.status.code().unwrap())
}

/// A QEMU configuration that loads in every release where its files are there, for runtime-rs with
/// [`QEMU_NAMES`] behind it: its `[runtime]` table is still open.
pub const QEMU: &str = r#"
[hypervisor.qemu]
path = "/opt/kata/bin/qemu-system-x86_64"
kernel = "/opt/kata/share/kata-containers/vmlinux.container"
image = "/opt/kata/share/kata-containers/kata-containers.img"
machine_type = "q35"
shared_fs = "virtio-fs"
virtio_fs_daemon = "/opt/kata/libexec/virtiofsd"
virtio_fs_cache = "auto"
enable_annotations = ["enable_iommu"]
[agent.kata]
[runtime]
internetworking_model = "tcfilter"
"#;

/// What only runtime-rs has to be told: which of its parts to take.
pub const QEMU_NAMES: &str = r#"name = "virt_container"
hypervisor_name = "qemu"
agent_name = "kata"
"#;
