//! What one evaluation costs: a pod with six annotations, verdicts only and with launch and agent,
//! under each release; what many pods cost (the time for each stays the same), and an edit of the
//! policy; and loading, and judging a manifest. Prints figures, fails nothing.

use katascope::evaluate::{Evaluator, Setup};
use katascope::input::config::Layers;
use katascope::input::manifest::{self, Pod};
use katascope::input::source::Source;
use katascope::kubernetes::{self, Kubelet, Node, Version};
use katascope::release::{Release, Runtime};
use katascope::runtime::Depth;
use katascope::sample;

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    divan::main();
}

const GENERATIONS: [Release; 3] = Release::STOPS;

/// A QEMU configuration that loads on the sample's host under every release.
fn configuration(release: Release) -> String {
    let common = r#"
[hypervisor.qemu]
path = "/opt/kata/bin/qemu-system-x86_64"
kernel = "/opt/kata/share/kata-containers/vmlinux.container"
image = "/opt/kata/share/kata-containers/kata-containers.img"
machine_type = "q35"
default_memory = 2048
memory_slots = 10
shared_fs = "virtio-fs"
virtio_fs_daemon = "/opt/kata/libexec/virtiofsd"
virtio_fs_cache = "auto"
enable_annotations = ["enable_iommu", "^kernel_params$", "^default_(vcpus|memory)$", "^path$", "^virtio_fs_daemon$"]
valid_hypervisor_paths = ["/opt/kata/bin/qemu-*"]
valid_virtio_fs_daemon_paths = ["/opt/kata/libexec/virtiofsd"]
[agent.kata]
[runtime]
internetworking_model = "tcfilter"
"#;
    let names = "name = \"virt_container\"\nhypervisor_name = \"qemu\"\nagent_name = \"kata\"\n";
    match release.runtime {
        Runtime::Rs => format!("{common}{names}"),
        Runtime::Go => common.to_owned(),
    }
}

fn evaluator(release: Release) -> Evaluator {
    let layers = Layers::of_text("/etc/kata-containers/configuration.toml", &configuration(release));
    let evaluator = Evaluator::new(Setup { layers, release, ..sample::evaluator().setup().clone() });
    if let Err(error) = evaluator.loaded() {
        eprintln!("{}: {}", release.id(), error.message);
    }
    evaluator
}

/// What containerd hands over for a pod with six annotations.
fn pod() -> Pod {
    let text = r#"{"ociVersion": "1.1.0", "hostname": "web-0", "annotations": {
        "io.kubernetes.cri.container-type": "sandbox", "io.kubernetes.cri.sandbox-id": "abc",
        "io.kubernetes.cri.sandbox-name": "web-0", "io.kubernetes.cri.sandbox-namespace": "default",
        "io.kubernetes.cri.sandbox-cpu-quota": "200000", "io.kubernetes.cri.sandbox-cpu-period": "100000",
        "io.kubernetes.cri.sandbox-memory": "2147483648",
        "io.katacontainers.config.hypervisor.default_vcpus": "4",
        "io.katacontainers.config.hypervisor.default_memory": "4096",
        "io.katacontainers.config.hypervisor.kernel_params": "quiet loglevel=3",
        "io.katacontainers.config.hypervisor.path": "/opt/kata/bin/qemu-system-x86_64",
        "io.katacontainers.config.agent.kernel_modules": "e1000e EEE=1",
        "io.katacontainers.config.runtime.disable_guest_seccomp": "false"}}"#;
    let documents = manifest::read(&Source::new("pod.json", text));
    documents.ok().and_then(|d| d.pods.into_iter().next()).unwrap_or_else(|| std::process::exit(1))
}

/// More pods than answers are kept of, so that each is judged anew.
const UNLIKE: usize = 1_000;

#[divan::bench(args = GENERATIONS.map(Release::id))]
fn verdicts(bencher: divan::Bencher, id: &str) {
    let (evaluator, pods) = (evaluator(release(id)), pods(UNLIKE));
    let mut next = pods.iter().cycle();
    bencher.bench_local(|| next.next().map(|pod| evaluator.evaluate(divan::black_box(pod), Depth::Verdicts)));
}

#[divan::bench(args = GENERATIONS.map(Release::id))]
fn verdicts_of_a_pod_like_one_before(bencher: divan::Bencher, id: &str) {
    let (evaluator, pod) = (evaluator(release(id)), pod());
    bencher.bench_local(|| evaluator.evaluate(divan::black_box(&pod), Depth::Verdicts));
}

#[divan::bench(args = GENERATIONS.map(Release::id))]
fn with_launch_and_agent(bencher: divan::Bencher, id: &str) {
    let (evaluator, pod) = (evaluator(release(id)), pod());
    bencher.bench_local(|| evaluator.evaluate(divan::black_box(&pod), Depth::Full));
}

/// Pods that no two of are the same.
fn pods(count: usize) -> Vec<Pod> {
    let (one, mut all) = (pod(), Vec::with_capacity(count));
    for number in 0..count {
        let mut next = one.clone();
        next.name = format!("web-{number}");
        for annotation in &mut next.annotations {
            match annotation.key.rsplit('.').next() {
                Some("default_memory") => annotation.value = (1024 + number).to_string().into(),
                Some("kernel_params") => annotation.value = format!("quiet web={number}").into(),
                _ => {}
            }
        }
        all.push(next);
    }
    all
}

/// The time for each pod stays the same: divan prints pods a second.
#[divan::bench(args = [UNLIKE, 10 * UNLIKE], sample_count = 20)]
fn verdicts_of_many(bencher: divan::Bencher, count: usize) {
    let (evaluator, pods) = (evaluator(Release::newest(Runtime::Rs)), pods(count));
    bencher.counter(divan::counter::ItemsCount::new(count)).bench_local(|| {
        for pod in &pods {
            divan::black_box(evaluator.evaluate(pod, Depth::Verdicts));
        }
    });
}

/// One edit of `enable_annotations`: the new text of the file, read and loaded anew.
fn edited(before: &Evaluator, edits: &mut usize) -> Evaluator {
    *edits += 1;
    let release = before.setup().release;
    let list = format!("enable_annotations = [\"edit_{edits}\", ");
    let text = configuration(release).replace("enable_annotations = [", &list);
    before.with_layers(Layers::of_text("/etc/kata-containers/configuration.toml", &text))
}

#[divan::bench(args = GENERATIONS.map(Release::id))]
fn an_edit(bencher: divan::Bencher, id: &str) {
    let (before, mut edits) = (evaluator(release(id)), 0);
    bencher.bench_local(|| edited(&before, &mut edits));
}

/// What it takes until the verdicts of all pods are there again.
#[divan::bench(args = GENERATIONS.map(Release::id))]
fn an_edit_with_the_verdicts_of_1000_pods(bencher: divan::Bencher, id: &str) {
    let (before, pods, mut edits) = (evaluator(release(id)), pods(1_000), 0);
    bencher.bench_local(|| {
        let evaluator = edited(&before, &mut edits);
        pods.iter().filter(|pod| evaluator.evaluate(pod, Depth::Verdicts).outcome.failure().is_none()).count()
    });
}

#[divan::bench(args = GENERATIONS.map(Release::id))]
fn load(bencher: divan::Bencher, id: &str) {
    let setup = evaluator(release(id)).setup().clone();
    bencher.bench_local(|| Evaluator::new(divan::black_box(&setup).clone()));
}

#[divan::bench]
fn read_and_judge_the_sample(bencher: divan::Bencher) {
    let node = Node::new(Version::default(), Kubelet::default(), 64);
    let source = sample::pods();
    bencher.bench_local(|| kubernetes::read(divan::black_box(&source), &node));
}

fn release(id: &str) -> Release {
    Release::STOPS.into_iter().find(|release| release.id() == id).unwrap_or(Release::newest(Runtime::Rs))
}
