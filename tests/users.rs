//! Who uses an annotation is told by one table, the catalogue's: a launch with it and one without it differ
//! exactly on the hypervisors that the table names.
//!
//! Asked of annotations that show when the VM starts. What shows later (a disk that is plugged, a container that
//! is made, a card that the host holds back) is in the same table, and cannot be seen here.

use std::sync::Arc;

use katascope::answer::finding::Code;
use katascope::answer::verdict::Status;
use katascope::catalog;
use katascope::cri::Engine;
use katascope::evaluate::{Evaluation, Evaluator, Setup};
use katascope::input::config::Layers;
use katascope::input::host::{HostFacts, MemoryFiles};
use katascope::input::{Host, Source, manifest, probe};
use katascope::release::{KnownBy, Release, Runtime};
use katascope::runtime::Depth;
use serde_json::json;

/// An annotation past `io.katacontainers.config.`, and a value that no configuration here has.
const BOTH: &[(&str, &str)] = &[
    ("hypervisor.path", "/opt/other"),
    ("hypervisor.kernel", "/opt/other"),
    ("hypervisor.image", "/opt/other"),
    ("hypervisor.kernel_params", "quiet=1"),
    (
        "hypervisor.kernel_verity_params",
        "root_hash=a,salt=b,data_blocks=1,data_block_size=4096,hash_block_size=4096",
    ),
    ("hypervisor.default_vcpus", "3"),
    ("hypervisor.default_max_vcpus", "5"),
    ("hypervisor.default_memory", "4096"),
    ("hypervisor.memory_offset", "4096"),
    ("hypervisor.enable_iommu", "true"),
    ("hypervisor.enable_mem_prealloc", "true"),
    ("hypervisor.reclaim_guest_freed_memory", "true"),
    ("hypervisor.machine_accelerators", "nosmm"),
    ("hypervisor.disable_image_nvdimm", "true"),
    ("hypervisor.entropy_source", "/dev/random"),
    ("hypervisor.virtio_fs_daemon", "/opt/other"),
    ("hypervisor.virtio_fs_cache", "never"),
    ("hypervisor.virtio_fs_extra_args", "[\"--b\"]"),
    ("hypervisor.default_gpus", "1"),
    ("hypervisor.rootless", "true"),
    ("agent.kernel_modules", "loop max=1"),
    ("agent.container_pipe_size", "4096"),
];

/// Those that show at the start with the Go runtime alone.
const GO: &[(&str, &str)] = &[
    ("hypervisor.memory_slots", "20"),
    ("hypervisor.enable_iothreads", "true"),
    ("hypervisor.indep_iothreads", "2"),
    ("hypervisor.cpu_features", "pmu=off"),
    ("hypervisor.use_legacy_serial", "true"),
    ("hypervisor.virtio_fs_cache_size", "512"),
    ("hypervisor.default_gpu_model", "x"),
    ("hypervisor.guest_hook_path", "/hooks"),
];

fn host() -> Host {
    let files = ["vmm", "other", "vmlinux", "image", "virtiofsd"]
        .iter()
        .fold(MemoryFiles::new(), |files, name| files.file(&format!("/opt/{name}"), 0o755, vec![0; 1 << 20]));
    let files = ["random", "urandom", "vhost-vsock", "kvm"]
        .iter()
        .fold(files, |files, name| files.file(&format!("/dev/{name}"), 0o666, ""));
    let mut facts = HostFacts { cpus: 16, memory_mib: 65_536, ..HostFacts::default() };
    let network = Source::new("host.toml", "network = { interfaces = [] }");
    probe::apply_host_file(&mut facts, &network).unwrap();
    Host::new(facts, Arc::new(files))
}

fn configuration(runtime: Runtime, hypervisor: &str) -> String {
    let disk = match (runtime, hypervisor) {
        (Runtime::Go, "qemu") => "virtio-scsi",
        (Runtime::Go, "clh") => "virtio-blk",
        (Runtime::Go, _) => "virtio-mmio",
        (Runtime::Rs, _) => "virtio-blk-pci",
    };
    let mut text = format!("[hypervisor.{hypervisor}]\nenable_annotations = [\".*\"]\n");
    text += "default_vcpus = 1\ndefault_memory = 2048\n";
    if hypervisor == "remote" {
        text += "remote_hypervisor_socket = \"/run/r.sock\"\n";
    } else {
        text += "path = \"/opt/vmm\"\nvalid_hypervisor_paths = [\"/opt/*\"]\ndefault_maxvcpus = 8\n";
        text += "kernel = \"/opt/vmlinux\"\nimage = \"/opt/image\"\nrootfs_type = \"ext4\"\n";
        text += "entropy_source = \"/dev/urandom\"\nvalid_entropy_sources = [\"/dev/urandom\", \"/dev/random\"]\n";
        text += &format!("block_device_driver = \"{disk}\"\n");
    }
    match hypervisor {
        "qemu" => text += "machine_type = \"q35\"\n",
        "stratovirt" => text += "machine_type = \"microvm\"\n",
        _ => {}
    }
    if runtime == Runtime::Rs {
        text += "vm_rootfs_driver = \"virtio-blk-pci\"\n";
    }
    if ["qemu", "clh", "stratovirt"].contains(&hypervisor) {
        text +=
            "shared_fs = \"virtio-fs\"\nvirtio_fs_daemon = \"/opt/virtiofsd\"\nvirtio_fs_cache = \"auto\"\n";
        text += "valid_virtio_fs_daemon_paths = [\"/opt/*\"]\nvirtio_fs_extra_args = [\"--a\"]\n";
    }
    text += "[agent.kata]\n[runtime]\ninternetworking_model = \"tcfilter\"\n";
    if runtime == Runtime::Rs {
        text += &format!(
            "name = \"virt_container\"\nhypervisor_name = \"{hypervisor}\"\nagent_name = \"kata\"\n"
        );
    }
    text
}

fn evaluate(evaluator: &Evaluator, annotation: Option<(&str, &str)>) -> Evaluation {
    let mut all = json!({"io.kubernetes.cri.container-type": "sandbox", "io.kubernetes.cri.sandbox-id": "s"});
    if let Some((key, value)) = annotation {
        all[key] = value.into();
    }
    let spec = json!({"ociVersion": "1.1.0", "hostname": "h", "annotations": all}).to_string();
    let pods = manifest::read(&Source::new("spec.json", spec)).unwrap().pods;
    evaluator.evaluate(&pods[0], Depth::Full)
}

fn hold(runtime: Runtime, hypervisors: &[&str], annotations: &[(&str, &str)]) {
    let (release, mut wrong, mut differ) = (Release::newest(runtime), Vec::new(), 0);
    for hypervisor in hypervisors {
        let evaluator = Evaluator::new(Setup {
            host: host(),
            layers: Layers::of_text("/etc/c.toml", &configuration(runtime, hypervisor)),
            release,
            known_by: KnownBy::Said,
            release_note: None,
            hypervisor: None,
            sandbox_id: Some("s".into()),
            engine: Engine::Assumed,
        });
        let without = evaluate(&evaluator, None);
        assert_eq!(without.outcome.failure(), None, "{hypervisor}");
        for (name, value) in annotations {
            let key = format!("io.katacontainers.config.{name}");
            let reader = catalog::annotation(&key).unwrap().reader(release);
            let with = evaluate(&evaluator, Some((&key, value)));
            // Where the policy or a check lets nothing through, nothing can differ; and what Firecracker boots is
            // mounted where it always is.
            let mounted =
                *hypervisor == "firecracker" && ["kernel", "image"].iter().any(|n| name.ends_with(n));
            if !reader.read || with.outcome.failure().is_some() || mounted {
                continue;
            }
            let differs = (&with.launch, &with.agent) != (&without.launch, &without.agent);
            differ += usize::from(differs);
            if differs != reader.used_on(hypervisor) {
                wrong.push(format!(
                    "{hypervisor} {name}: differs {differs}, used by {:?}",
                    reader.hypervisors
                ));
            }
            let verdict = with.verdicts.iter().find(|verdict| *verdict.key == key).unwrap();
            let remarked = with
                .findings
                .iter()
                .any(|f| f.code == Code::NoEffect && f.subject.as_deref() == Some(key.as_str()));
            let idle = verdict.status != Status::Applied || remarked;
            if differs == idle {
                wrong.push(format!(
                    "{hypervisor} {name}: differs {differs}, but it is said: {}",
                    verdict.reason()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(differ > annotations.len() / 2, "hardly anything shows");
}

#[test]
fn go_hypervisors_that_the_table_names_use_an_annotation() {
    let all: Vec<_> = BOTH.iter().chain(GO).copied().collect();
    hold(Runtime::Go, &["qemu", "clh", "firecracker", "stratovirt", "remote"], &all);
}

#[test]
fn rs_hypervisors_that_the_table_names_use_an_annotation() {
    hold(Runtime::Rs, &["qemu", "clh"], BOTH);
}
