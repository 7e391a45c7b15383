//! Any values for any annotations, under every release and each of its hypervisors, with a policy that
//! lets everything in: evaluated to the launch, then reported in every format. The first byte chooses the
//! host, each annotation's first byte its key.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::LazyLock;

use katascope::answer::Place;
use katascope::answer::finding::Severity;
use katascope::catalog;
use katascope::diff::Sides;
use katascope::diff::evaluation::Differences;
use katascope::evaluate::{Evaluator, Setup};
use katascope::input::Annotations;
use katascope::input::config::Layers;
use katascope::input::manifest::{Form, Pod, PodAnnotation, PodSource, Sizing};
use katascope::release::{Release, Runtime};
use katascope::report::escape::is_hostile;
use katascope::report::junit::{self, Junit};
use katascope::report::text::{self, Paint};
use katascope::report::{changes, json, launch, sarif};
use katascope::runtime::Depth;
use katascope::sample;

const HOSTS: [(Release, &str); 16] = [
    (Release::newest(Runtime::Rs), "qemu"),
    (Release::newest(Runtime::Rs), "cloud-hypervisor"),
    (Release::newest(Runtime::Rs), "dragonball"),
    (Release::newest(Runtime::Rs), "firecracker"),
    (Release::newest(Runtime::Rs), "openvmm"),
    (Release::newest(Runtime::Rs), "remote"),
    (Release::newest(Runtime::Go), "qemu"),
    (Release::newest(Runtime::Go), "clh"),
    (Release::newest(Runtime::Go), "firecracker"),
    (Release::newest(Runtime::Go), "stratovirt"),
    (Release::newest(Runtime::Go), "remote"),
    (Release::go(2, 1, 0), "qemu"),
    (Release::go(2, 1, 0), "clh"),
    (Release::go(2, 1, 0), "firecracker"),
    (Release::go(2, 1, 0), "acrn"),
    (Release::newest(Runtime::Rs), "qemu"),
];

fn evaluator(release: Release, hypervisor: &str) -> Evaluator {
    let mut text = format!("[hypervisor.{hypervisor}]\n");
    if hypervisor != "remote" {
        text += "path = \"/opt/kata/bin/qemu-system-x86_64\"\n\
                 kernel = \"/opt/kata/share/kata-containers/vmlinux.container\"\n\
                 image = \"/opt/kata/share/kata-containers/kata-containers.img\"\n\
                 rootfs_type = \"ext4\"\nentropy_source = \"/dev/urandom\"\ndefault_maxvcpus = 8\n";
    }
    if (release, hypervisor) == (Release::newest(Runtime::Rs), "qemu") {
        text += "machine_type = \"q35\"\nblock_device_driver = \"virtio-blk-pci\"\n\
                 vm_rootfs_driver = \"virtio-blk-pci\"\nblock_device_aio = \"io_uring\"\n";
    }
    text += "enable_annotations = [\".*\"]\n";
    for list in catalog::lists(release) {
        if list != "enable_annotations" {
            let _ = writeln!(text, "{list} = [\"*\", \"/*\", \"/*/*\", \"/*/*/*\", \"/*/*/*/*\"]");
        }
    }
    text += "[agent.kata]\ncreate_container_timeout = 60\n[runtime]\n";
    if release.runtime == Runtime::Rs {
        let _ = writeln!(text, "name = \"virt_container\"\nagent_name = \"kata\"");
        let _ = writeln!(text, "hypervisor_name = \"{hypervisor}\"");
    }
    text += "internetworking_model = \"tcfilter\"\nstatic_sandbox_resource_mgmt = true\n";
    Evaluator::new(Setup {
        layers: Layers::of_text("/etc/kata-containers/configuration.toml", &text),
        release,
        ..sample::evaluator().setup().clone()
    })
}

static EVALUATORS: LazyLock<Vec<Evaluator>> =
    LazyLock::new(|| HOSTS.iter().map(|(release, name)| evaluator(*release, name)).collect());

fn pod(annotations: &[(u8, &str)], name: &str, sizing: Option<Sizing>) -> Pod {
    let all = catalog::all_annotations();
    let mut seen = BTreeMap::new();
    for (key, value) in annotations {
        let Some(annotation) = all.get(usize::from(*key) % all.len()) else { continue };
        seen.insert(annotation.key, (*value).to_owned());
    }
    let place = Place { file: "pod.json".into(), line: 1, column: 1 };
    let own = [("io.kubernetes.cri.container-type".to_owned(), "sandbox".to_owned())];
    let own = own.into_iter().chain(sizing.into_iter().flat_map(|sizing| {
        [
            ("io.kubernetes.cri.sandbox-cpu-period".to_owned(), sizing.cpu_period.to_string()),
            ("io.kubernetes.cri.sandbox-cpu-quota".to_owned(), sizing.cpu_quota.to_string()),
            ("io.kubernetes.cri.sandbox-memory".to_owned(), sizing.memory_limit.to_string()),
        ]
    }));
    Pod {
        name: name.to_owned(),
        namespace: "default".to_owned(),
        kind: "OCI".to_owned(),
        source: PodSource { file: name.to_owned(), document: 1, line: 1 },
        form: Form::Oci,
        annotations: own
            .chain(seen.into_iter().map(|(key, value)| (key.to_owned(), value)))
            .map(|(key, value)| PodAnnotation { key: key.into(), value: value.into(), place: place.clone() })
            .collect(),
        labels: Annotations::default(),
        runtime_class: None,
        hostname: name.to_owned(),
        uid: None,
        log_directory: None,
        isolation: katascope::input::manifest::Isolation::default(),
        overhead: None,
        class_overhead: 0,
        resolver: String::new(),
        sizing,
        sum: None,
        cgroup: None,
        handler: None,
        devices: Vec::new(),
        problems: Vec::new(),
        findings: Vec::new(),
    }
}

fn shown(what: &str, text: &str) {
    let hostile = text.chars().find(|c| *c != '\n' && is_hostile(*c));
    assert_eq!(hostile, None, "{what} shows it raw: {text:?}");
}

/// The host; quota, period and memory limit; the name; keys and values of annotations.
pub type Input<'a> = (u8, Option<(i64, u64, i64)>, &'a str, Vec<(u8, &'a str)>);

/// Panics where something does not hold.
pub fn run(input: Input<'_>) {
    let (host, size, name, annotations) = input;
    let sizing = size.map(|(cpu_quota, cpu_period, memory_limit)| Sizing {
        cpu_quota,
        cpu_period,
        cpu_shares: 2,
        memory_limit,
    });
    let Some(evaluator) = EVALUATORS.get(usize::from(host) % HOSTS.len()) else { return };
    let pod = pod(&annotations, name, sizing);
    let plain = self::pod(&[], "plain", None);
    // What is asked for twice is remembered for a pod of any name.
    let namesake = self::pod(&annotations, "namesake", sizing);
    for _ in 0..2 {
        let _ = evaluator.evaluate(&namesake, Depth::Verdicts);
    }
    let quick = evaluator.evaluate(&pod, Depth::Verdicts);
    let full = evaluator.evaluate(&pod, Depth::Full);
    assert_eq!(quick.outcome, full.outcome, "the outcome does not depend on how much is asked");
    assert_eq!(quick.verdicts, full.verdicts, "the verdicts do not depend on how much is asked");
    let paint = Paint { color: false };
    shown("text", &text::traced_pod(&pod, &full, paint));
    let mut out = Vec::new();
    let _ = text::config(&mut out, &full);
    let _ = launch::text(&mut out, &full, true);
    let _ = launch::agent(&mut out, &full);
    shown("show", &String::from_utf8_lossy(&out));
    let report = json::pod(&pod, &full, Some(0), Some(json::Full::default())).unwrap_or_default();
    let _: serde_json::Value = serde_json::from_str(&report).expect("the report is JSON");
    let again = evaluator.evaluate(&pod, Depth::Full);
    let again = json::pod(&pod, &again, Some(0), Some(json::Full::default())).unwrap_or_default();
    assert_eq!(again, report, "the same question has the same answer");
    shown("JSON", &report);
    let mut all = Junit::default();
    let _ = all.add(&junit::pod(&pod, &full, Severity::Refused));
    let mut out = Vec::new();
    let _ = all.write(&mut out);
    shown("JUnit", &String::from_utf8_lossy(&out));
    for result in sarif::pod(&pod, &full) {
        shown("SARIF", &result);
        let result: serde_json::Value = serde_json::from_str(&result).expect("a result is JSON");
        shown("SARIF", result["message"]["text"].as_str().unwrap_or_default());
    }
    let plain = evaluator.evaluate(&plain, Depth::Full);
    let differences = Differences::between(&plain, &full);
    let mut out = Vec::new();
    let _ = changes::text(&mut out, name, &differences, &Sides::new(plain, full), true, paint);
    shown("diff", &String::from_utf8_lossy(&out));
}
