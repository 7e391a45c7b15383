//! What the recordings do not reach: binaries that say something odd of themselves, and late failures.

use std::sync::Arc;

use crate::finding::Code;
use crate::input::Host;
use crate::input::config::Layers;
use crate::input::host::{HostFacts, MemoryFiles};
use crate::release::Release;
use crate::runtime::{Depth, LoadOptions, Loaded, Run, Sandbox};

/// What becomes of a sandbox whose hypervisor's binary is this script.
fn run(table: &str, binary: &str, script: &str, annotations: &[(&str, &str)]) -> Run {
    let path = format!("/kata/{binary}");
    let files = MemoryFiles::new()
        .file(&path, 0o755, script)
        .file("/kata/vmlinuz", 0o644, "x")
        .file("/kata/kata.img", 0o644, "x")
        .file("/kata/virtiofsd", 0o755, "x");
    let host = Host::new(HostFacts::default(), Arc::new(files));
    let text = format!(
        "[hypervisor.{table}]\npath = \"{path}\"\nkernel = \"/kata/vmlinuz\"\nimage = \"/kata/kata.img\"\n\
         virtio_fs_daemon = \"/kata/virtiofsd\"\nenable_annotations = [\".*\"]\n"
    );
    let layers = Layers::of_text("/kata/configuration.toml", &text);
    let loaded = match Loaded::load(Release::go(2, 1, 0), &layers, &host, &LoadOptions::default()) {
        Ok(loaded) => loaded,
        Err(error) => panic!("{error:?}"),
    };
    let annotations = annotations.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let sandbox = Sandbox { id: "s", hostname: "h", annotations: &annotations };
    loaded.run(&host, &sandbox, Depth::Full)
}

fn failure(table: &str, binary: &str, script: &str) -> String {
    run(table, binary, script, &[]).failure.map_or_else(|| "starts".to_owned(), |f| f.message)
}

#[test]
fn cloud_hypervisor_says_its_version_first() {
    let failure = |output: &str| failure("clh", "cloud-hypervisor", &format!("#!/bin/sh\necho {output}\n"));
    assert_eq!(failure("cloud-hypervisor v15.0.0"), "starts");
    assert_eq!(failure("cloud-hypervisor v0.5.0-3-gabcdef"), "starts");
    assert_eq!(
        failure("cloud-hypervisor v0.4.9"),
        "Unsupported version: cloud-hypervisor 0.4 not supported by this driver version (0.5)"
    );
    assert_eq!(
        failure("cloud-hypervisor v15"),
        "Failed to parse cloud-hypervisor version field. Illegal length"
    );
    assert_eq!(failure("v15.0.0"), "Failed to parse cloud-hypervisor version response. Illegal length");
    assert_eq!(failure("cloud-hypervisor vX.0.0"), "strconv.ParseUint: parsing \"X\": invalid syntax");
}

#[test]
fn a_binary_of_another_name_is_not_asked() {
    assert_eq!(failure("clh", "clh-wrapped", "#!/bin/sh\necho no version\n"), "starts");
}

#[test]
fn firecracker_says_its_version_first() {
    let failure = |script: &str| failure("firecracker", "firecracker", script);
    assert_eq!(failure("#!/bin/sh\necho Firecracker v0.23.4\n"), "starts");
    assert_eq!(failure("\u{7f}ELF: a real binary is taken to be good"), "starts");
    assert_eq!(
        failure("#!/bin/sh\necho Firecracker v0.21.0\n"),
        "version 0.21.0 is not supported. Minimum supported version of firecracker is 0.21.1"
    );
    assert_eq!(failure("#!/bin/sh\necho nonsense\n"), "getting FC version failed, the output is malformed");
    assert_eq!(
        failure("#!/bin/sh\necho Firecracker v1\n"),
        "Malformed firecracker version: No Major.Minor.Patch elements found"
    );
    assert_eq!(failure("#!/bin/sh\nexit 7\n"), "Running checking FC version command failed: exit status 7");
}

#[test]
fn a_kernel_that_is_not_there_fails_late() {
    let kernel = "io.katacontainers.config.hypervisor.kernel";
    let run = run("qemu", "qemu", "x", &[(kernel, "/kata/none")]);
    assert_eq!(run.failure, None);
    let late: Vec<_> = run.findings.iter().filter(|f| f.code == Code::FailsLater).collect();
    assert_eq!(late.first().and_then(|f| f.subject.as_deref()), Some(kernel));
}
