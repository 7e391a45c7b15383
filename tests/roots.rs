//! What brings the roots of containers into the VM, and what becomes of devices that a pod asks for, by release.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value as Json;

const PODS: &str = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  annotations: {}\nspec:\n  runtimeClassName: kata\n  \
                    containers: [{name: a, image: b}]\n";

fn config(runtime: &str, shared_fs: &str, more: &str) -> String {
    let rs = "name = \"virt_container\"\nhypervisor_name = \"qemu\"\nagent_name = \"kata\"\n";
    format!(
        "[hypervisor.qemu]\npath = \"/usr/bin/qemu-system-x86_64\"\nkernel = \"/opt/kata/vmlinux\"\nimage = \
         \"/opt/kata/kata.img\"\nmachine_type = \"q35\"\nshared_fs = \"{shared_fs}\"\nvirtio_fs_daemon = \
         \"/usr/libexec/virtiofsd\"\nvirtio_fs_cache = \"auto\"\nblock_device_driver = \"virtio-scsi\"\n{more}\n\
         [agent.kata]\n[runtime]\ninternetworking_model = \"tcfilter\"\n{}",
        if runtime == "rs" { rs } else { "" }
    )
}

/// The pod of a report, for a handler with a snapshotter.
fn pod(folder: &Path, snapshotter: &str, (runtime, version): (&str, &str), config: &str, pods: &str) -> Json {
    let table = "[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.kata]";
    let containerd = format!(
        "version = 3\n{table}\nruntime_type = 'io.containerd.kata.v2'\nsnapshotter = '{snapshotter}'\npod_annotations = \
         ['cdi.k8s.io/*']\n"
    );
    fs::write(folder.join("containerd.toml"), containerd).unwrap();
    fs::write(folder.join("kata.toml"), config).unwrap();
    fs::write(folder.join("pods.yaml"), pods).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_katascope"))
        .current_dir(folder)
        .args([
            "check",
            "-c",
            "kata.toml",
            "--runtime",
            runtime,
            "--kata-version",
            version,
            "--handler",
            "kata",
        ])
        .args(["--cri-config", "containerd.toml", "--files", "assume", "-o", "json", "--full", "pods.yaml"])
        .output()
        .unwrap();
    let report: Json = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&output.stderr)));
    report["pods"][0].clone()
}

fn said(pod: &Json, code: &str) -> Option<String> {
    let found = pod["findings"].as_array()?.iter().find(|finding| finding["code"] == code)?;
    Some(format!("{} {}", found["severity"].as_str()?, found["message"].as_str()?))
}

#[test]
fn a_snapshotter_fits_a_release_or_not() {
    let folder = tempfile::tempdir().unwrap();
    for (runtime, version, shared_fs, snapshotter, wanted) in [
        ("go", "3.20.0", "none", "overlayfs", Some("warning the sandbox starts, and every container fails")),
        ("go", "3.20.0", "virtio-fs", "overlayfs", None),
        ("go", "3.16.0", "none", "erofs", Some("whose roots are folders")),
        ("go", "3.17.0", "none", "erofs", None),
        ("go", "3.20.0", "virtio-fs", "nydus", Some("note handler kata has the snapshotter nydus")),
        ("go", "3.2.0", "virtio-fs", "nydus", Some("warning the sandbox starts, and every container fails")),
        ("go", "3.20.0", "virtio-fs-nydus", "nydus", None),
        ("rs", "3.28.0", "none", "erofs", Some("whose roots are folders")),
        ("rs", "4.1.0", "none", "erofs", None),
        ("rs", "3.28.0", "none", "blockfile", None),
        ("rs", "4.1.0", "virtio-fs", "nydus", Some("failed to parse nydus extra options")),
        ("rs", "4.1.0", "none", "nydus", Some("unsupported rootfs")),
    ] {
        let config = config(runtime, shared_fs, "");
        let pod = pod(folder.path(), snapshotter, (runtime, version), &config, PODS);
        let told = said(&pod, "container-root");
        let fits = match (wanted, &told) {
            (None, told) => told.is_none(),
            (Some(wanted), told) => told.as_ref().is_some_and(|told| told.contains(wanted)),
        };
        assert!(fits, "{runtime} {version} {shared_fs} {snapshotter}: {told:?}; {}", pod["error"]);
    }
}

#[test]
fn devices_are_read_by_some_releases() {
    let folder = tempfile::tempdir().unwrap();
    let of =
        |value: &str| PODS.replace("annotations: {}", &format!("annotations: {{cdi.k8s.io/gpu: '{value}'}}"));
    let cold = "cold_plug_vfio = \"root-port\"";
    for (version, plug, value, wanted) in [
        ("3.4.0", "", "gpu", Err("adding CDI devices failed")),
        ("3.9.0", cold, "gpu", Ok("reads no cdi.k8s.io annotation")),
        (
            "3.20.0",
            cold,
            "gpu",
            Err(
                "adding CDI devices failed: failed to parse CDI device annotations: invalid CDI device name \"gpu\"",
            ),
        ),
        ("3.20.0", cold, "nvidia.com/gpu=0", Ok("on its root-ports")),
        ("3.20.0", "", "nvidia.com/gpu=0", Ok("the VM starts without them")),
        (
            "4.1.0",
            cold,
            "nvidia.com/gpu=",
            Err(
                "device cold plug failed: CDI device injection failed: failed to parse CDI device annotations: invalid CDI device name \"nvidia.com/gpu=\"",
            ),
        ),
        ("4.1.0", "", "gpu", Ok("no VM gets gpu")),
        ("4.1.0", cold, "v/class=0", Err("panic: runtime error: slice bounds out of range [1:0]")),
    ] {
        let pod = pod(folder.path(), "devmapper", ("go", version), &config("go", "none", plug), &of(value));
        match wanted {
            Err(message) => assert_eq!(pod["error"]["message"], message, "{version}"),
            Ok(text) => {
                let told = said(&pod, "devices-unseen").unwrap_or_default();
                assert!(told.contains(text), "{version} {value}: {told}; {}", pod["error"]);
            }
        }
    }
}

/// The arguments that are about devices, each with the option before it.
fn of_devices(pod: &Json) -> Vec<String> {
    let args: Vec<&str> = pod["launch"]["args"].as_array().unwrap().iter().filter_map(Json::as_str).collect();
    let pairs = args.windows(2).filter(|pair| pair[1].contains("vfio") || pair[1].contains("iommufd"));
    pairs.map(|pair| pair.join(" ")).collect()
}

#[test]
fn devices_that_a_vm_starts_with_are_tokens_on_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let cold = "cold_plug_vfio = \"root-port\"";
    let asked = PODS.replace("image: b}", "image: b, resources: {limits: {example.com/card: 2, cpu: 1}}}");
    let named = PODS.replace("annotations: {}", "annotations: {cdi.k8s.io/card: example.com/card=0}");
    let by_kubelet = |runtime: &str| {
        let socket = "[runtime]\npod_resource_api_sock = \"/var/lib/kubelet/pod-resources/kubelet.sock\"\n";
        config(runtime, "none", cold).replace("[runtime]\n", socket)
    };
    let device = |port: u32| {
        [
            "-object iommufd,id=iommufd{id}".to_owned(),
            format!(
                "-device vfio-pci,host={{bdf}},id={{id}},x-pci-vendor-id={{vendor}},x-pci-device-id={{device}},bus=rp{port},\
                 iommufd=iommufd{{id}}"
            ),
        ]
    };
    let go = pod(folder.path(), "devmapper", ("go", "4.1.0"), &by_kubelet("go"), &asked);
    assert_eq!(of_devices(&go), [device(0), device(1)].concat(), "{}", go["error"]);
    let told = said(&go, "devices-unseen").unwrap();
    assert!(
        told.contains("gives the containers for example.com/card (2)") && told.contains("{bdf}"),
        "{told}"
    );
    let ports = go["launch"]["args"].to_string().matches("pcie-root-port,id=rp").count();
    assert_eq!(ports, 2, "one for each");

    // Before devices had names and files of their own.
    let go = pod(folder.path(), "devmapper", ("go", "3.4.0"), &config("go", "none", cold), &named);
    assert_eq!(of_devices(&go), ["-device vfio-pci,host={bdf},bus=rp0"], "{}", go["error"]);

    let rs = pod(folder.path(), "devmapper", ("rs", "4.1.0"), &by_kubelet("rs"), &asked);
    let device = |port: u32| {
        [
            format!("-object iommufd,id=iommufdrp{port}"),
            format!("-device vfio-pci,host={{bdf}},bus=rp{port},addr=0x0,iommufd=iommufdrp{port}"),
        ]
    };
    assert_eq!(of_devices(&rs), [device(0), device(1)].concat(), "{}", rs["error"]);

    // Kubelet is not asked where nobody names its socket.
    let go = pod(folder.path(), "devmapper", ("go", "4.1.0"), &config("go", "none", cold), &asked);
    assert_eq!(of_devices(&go), Vec::<String>::new());
    assert!(said(&go, "devices-unseen").unwrap().contains("no pod_resource_api_sock is named"));
}
