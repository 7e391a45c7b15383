//! What people get stuck on, case by case: the input in which it shows, and the verdict, the cause and
//! the fix that would have helped. Cases are numbered as in the collection of users' problems.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use katascope::catalog::{self, Generation};
use katascope::cri::containerd::{Containerd, Release};
use katascope::cri::crio::Crio;
use katascope::cri::{Engine, which};
use katascope::evaluate::{Evaluation, Evaluator, Setup};
use katascope::explain::{Meaning, explain};
use katascope::finding::{Code, Finding, Severity, Who};
use katascope::input::Host;
use katascope::input::config::Layers;
use katascope::input::host::{HostFacts, MemoryFiles};
use katascope::input::manifest::Pod;
use katascope::input::source::Source;
use katascope::kubernetes::{self, Kubelet, Node, Version};
use katascope::policy::names::NameGate;
use katascope::runtime::Depth;
use katascope::runtime::verdict::{Stage, Status, Verdict};

const GO: &str = "/opt/kata/share/defaults/kata-containers/configuration-qemu.toml";
const RS: &str = "/opt/kata/share/defaults/kata-containers/runtime-rs/configuration-qemu-runtime-rs.toml";
const CONTAINERD: &str = "/etc/containerd/config.toml";
const HV: &str = "io.katacontainers.config.hypervisor.";

/// A node: files, CPUs and memory.
struct Fixture {
    files: MemoryFiles,
    facts: HostFacts,
}

impl Fixture {
    fn new() -> Self {
        let mut files = MemoryFiles::new();
        for program in
            ["/opt/kata/bin/qemu-system-x86_64", "/usr/bin/qemu-system-x86_64", "/opt/kata/libexec/virtiofsd"]
        {
            files = files.file(program, 0o755, "a program");
        }
        for data in [
            "/opt/kata/vmlinux",
            "/opt/kata/kata.img",
            "/opt/kata/initrd",
            "/dev/vhost-vsock",
            "/dev/urandom",
        ] {
            files = files.file(data, 0o644, "data");
        }
        let facts = HostFacts { cpus: 64, memory_mib: 64_000, vhost_vsock: true, ..HostFacts::default() };
        Self { files, facts }
    }

    fn with(mut self, path: &str, text: &str) -> Self {
        self.files = self.files.file(path, 0o644, text);
        self
    }

    fn link(mut self, path: &str, target: &str) -> Self {
        self.files = self.files.link(path, target);
        self
    }

    fn host(self) -> Host {
        Host::new(self.facts, Arc::new(self.files))
    }
}

/// A configuration of the Go runtime for QEMU; `hypervisor` and `runtime` are further lines of the tables.
fn go(hypervisor: &str, runtime: &str) -> String {
    format!(
        "[hypervisor.qemu]\npath = \"/opt/kata/bin/qemu-system-x86_64\"\nkernel = \"/opt/kata/vmlinux\"\n\
         image = \"/opt/kata/kata.img\"\nmachine_type = \"q35\"\nshared_fs = \"virtio-fs\"\n\
         virtio_fs_daemon = \"/opt/kata/libexec/virtiofsd\"\ndefault_vcpus = 1\ndefault_maxvcpus = 0\n\
         {hypervisor}\n[agent.kata]\n[runtime]\ninternetworking_model = \"tcfilter\"\nsandbox_cgroup_only = true\n\
         create_container_timeout = 60\n{runtime}\n"
    )
}

/// A configuration of runtime-rs for QEMU.
fn rs(hypervisor: &str, runtime: &str) -> String {
    let memory = if hypervisor.contains("default_memory =") { "" } else { "default_memory = 2048\n" };
    let overhead = if hypervisor.contains("overhead_memory =") {
        ""
    } else {
        "overhead_vcpus = 0.2\noverhead_memory = 32\n"
    };
    format!(
        "[hypervisor.qemu]\npath = \"/opt/kata/bin/qemu-system-x86_64\"\nkernel = \"/opt/kata/vmlinux\"\n\
         image = \"/opt/kata/kata.img\"\nmachine_type = \"q35\"\nshared_fs = \"virtio-fs\"\n\
         virtio_fs_daemon = \"/opt/kata/libexec/virtiofsd\"\ndefault_vcpus = 1\ndefault_maxvcpus = 0\n{memory}\
         {overhead}{hypervisor}\n[agent.kata]\n[runtime]\nname = \"virt_container\"\nhypervisor_name = \"qemu\"\n\
         agent_name = \"kata\"\ninternetworking_model = \"tcfilter\"\nstatic_sandbox_resource_mgmt = true\n{runtime}\n"
    )
}

fn allow(names: &[&str]) -> String {
    format!("enable_annotations = {names:?}")
}

/// The Go runtime with that text, nothing known of a container runtime.
fn go_evaluator(text: &str) -> Evaluator {
    evaluator(Fixture::new().with(GO, text).host(), GO, Generation::Go41, Engine::Assumed)
}

fn rs_evaluator(text: &str) -> Evaluator {
    evaluator(Fixture::new().with(RS, text).host(), RS, Generation::Rs41, Engine::Assumed)
}

fn evaluator(host: Host, path: &str, generation: Generation, engine: Engine) -> Evaluator {
    let layers = Layers::read(&host, path);
    Evaluator::new(Setup { host, layers, generation, hypervisor: None, sandbox_id: None, engine })
}

fn containerd(text: &str, handler: &str) -> (Host, Engine) {
    let host = Fixture::new().with(CONTAINERD, text).with(GO, &go("", "")).host();
    let read = Containerd::read(&host, CONTAINERD, Release::NEWEST, Some(handler.to_owned()));
    (host, Engine::Containerd(Box::new(read)))
}

/// A pod of class `kata` with these annotations and that `resources:` of its one container.
fn pod_with(annotations: &[(&str, &str)], resources: &str, node: &Node) -> Pod {
    let lines: String = annotations.iter().map(|(key, value)| format!("    {key}: {value:?}\n")).collect();
    let text = format!(
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  annotations:\n{lines}spec:\n  runtimeClassName: kata\n  \
         containers:\n  - name: web\n    image: web\n    resources: {resources}\n"
    );
    let text = text.replace("  annotations:\nspec", "spec");
    pods(&text, node).remove(0)
}

fn pod(annotations: &[(&str, &str)]) -> Pod {
    pod_with(annotations, "{}", &Node::default())
}

fn sized(resources: &str) -> Pod {
    pod_with(&[], resources, &Node::default())
}

fn pods(text: &str, node: &Node) -> Vec<Pod> {
    kubernetes::read(&Source::new("pod.yaml", text), node).unwrap().pods
}

fn verdict<'e>(evaluation: &'e Evaluation, key: &str) -> &'e Verdict {
    evaluation.verdicts.iter().find(|v| v.key == key).unwrap()
}

fn finding(evaluation: &Evaluation, code: Code) -> &Finding {
    let codes: Vec<_> = evaluation.findings.iter().map(|f| f.code.as_str()).collect();
    evaluation.findings.iter().find(|f| f.code == code).unwrap_or_else(|| panic!("no {code:?} in {codes:?}"))
}

fn fix(verdict: &Verdict) -> String {
    verdict.fix.as_ref().map(ToString::to_string).unwrap_or_default()
}

fn fix_of(finding: &Finding) -> String {
    finding.fix.as_ref().map(ToString::to_string).unwrap_or_default()
}

#[track_caller]
fn says(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "{word:?} is not in {text:?}");
    }
}

/// vCPUs and MiB at boot, as the runtime itself comes to them.
fn boots(evaluation: &Evaluation) -> (f64, f64) {
    let effective = evaluation.effective.as_ref().unwrap_or_else(|| panic!("{:?}", evaluation.outcome));
    let number =
        |key: &str| effective.get(&format!("hypervisor.qemu.{key}")).unwrap().value.as_f64().unwrap();
    (number("default_vcpus").ceil(), number("default_memory"))
}

/// The whole VM and the sum behind it, checked against the runtime's own boot size.
fn whole(evaluator: &Evaluator, pod: &Pod) -> (f64, f64, String) {
    let evaluation = evaluator.evaluate(pod, Depth::Full);
    let size = evaluator.vm_size(&evaluation).unwrap();
    assert_eq!((size.boot.vcpus, size.boot.mib), boots(&evaluation));
    (size.whole.vcpus, size.whole.mib, size.steps.join("\n"))
}

// A. Lost without a word.

#[test]
fn case_01_everything_is_enabled_and_containerd_passes_nothing_on() {
    let table = "version = 3\n[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.kata]\n\
                 runtime_type = 'io.containerd.kata.v2'\n";
    let (_, engine) = containerd(table, "kata");
    let host = Fixture::new().with(GO, &go(&allow(&[".*"]), "")).host();
    let key = format!("{HV}kernel_params");
    let evaluation =
        evaluator(host, GO, Generation::Go41, engine).evaluate(&pod(&[(&key, "quiet")]), Depth::Verdicts);
    assert_eq!(evaluation.outcome.as_str(), "starts");
    let verdict = verdict(&evaluation, &key);
    assert_eq!((verdict.status, verdict.stage), (Status::Dropped, Stage::Cri));
    says(&verdict.reason, &["handler kata has no pod_annotations", "silently"]);
    says(&fix(verdict), &["io.katacontainers.*", "handler kata", "/etc/containerd/config.toml:2", "restart"]);
    assert_eq!(finding(&evaluation, Code::AnnotationDropped).who, Who::ClusterAdministrator);
}

#[test]
fn case_02_the_key_is_misspelt_twice() {
    let table = "version = 3\n[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.kata]\n\
                 runtime_type = 'io.containerd.kata.v2'\npod_annotations = ['io.katacontainers.*']\n";
    let (host, engine) = containerd(table, "kata");
    let (prefix, part) =
        ("io.kata-containers.hypervisor.kernel_params", "io.katacontainers.hypervisor.kernel_params");
    let pod = pod(&[(prefix, "quiet"), (part, "quiet")]);
    let right = format!("{HV}kernel_params");
    for generation in [Generation::Go41, Generation::Rs41] {
        let evaluator =
            evaluator(host.clone(), GO, Generation::Go41, engine.clone()).with_generation(generation);
        let evaluation = evaluator.evaluate(&pod, Depth::Verdicts);
        let first = verdict(&evaluation, prefix);
        assert_eq!((first.status, first.stage), (Status::Dropped, Stage::Cri));
        says(&fix(first), &[&right]);
        let misspelt = finding(&evaluation, Code::KeyMisspelt);
        assert_eq!((misspelt.subject.as_deref(), misspelt.who), (Some(prefix), Who::PodAuthor));
        if generation == Generation::Go41 {
            assert_eq!(evaluation.outcome.as_str(), "starts");
            let second = verdict(&evaluation, part);
            assert_eq!((second.status, second.stage), (Status::Unknown, Stage::Known));
            says(&fix(second), &[&right]);
        }
    }
}

#[test]
fn case_03_the_list_stands_in_the_table_of_another_handler() {
    let table = "version = 3\n[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.kata-old]\n\
                 runtime_type = 'io.containerd.kata.v2'\n\
                 [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.kata]\n\
                 runtime_type = 'io.containerd.kata.v2'\npod_annotations = ['io.katacontainers.*']\n";
    let (host, engine) = containerd(table, "kata-old");
    let key = "io.katacontainers.config.agent.kernel_modules";
    let evaluation =
        evaluator(host, GO, Generation::Go41, engine).evaluate(&pod(&[(key, "e1000e")]), Depth::Verdicts);
    let verdict = verdict(&evaluation, key);
    assert_eq!(verdict.status, Status::Dropped);
    says(&verdict.reason, &["handler kata-old", "config.toml:6", "counts for kata only"]);
    says(&fix(verdict), &["handler kata-old", "config.toml:2"]);
}

#[test]
fn case_04_the_annotation_is_on_the_job_and_not_on_its_template() {
    let job = |kind: &str, version: &str, spec: &str| {
        format!(
            "apiVersion: {version}\nkind: {kind}\nmetadata:\n  name: j\n  annotations:\n    {HV}default_vcpus: '4'\nspec:\n{spec}"
        )
    };
    let template = |indent: &str| {
        format!(
            "{indent}template:\n{indent}  spec:\n{indent}    runtimeClassName: kata\n{indent}    restartPolicy: Never\n\
             {indent}    containers: [{{name: a, image: a}}]\n"
        )
    };
    let cron = format!("  schedule: '0 * * * *'\n  jobTemplate:\n    spec:\n{}", template("      "));
    for (text, path) in [
        (job("Job", "batch/v1", &template("  ")), "spec.template.metadata.annotations"),
        (job("CronJob", "batch/v1", &cron), "spec.jobTemplate.spec.template.metadata.annotations"),
    ] {
        let pod = pods(&text, &Node::default()).remove(0);
        let evaluation = go_evaluator(&go(&allow(&[".*"]), "")).evaluate(&pod, Depth::Verdicts);
        assert_eq!((evaluation.outcome.as_str(), evaluation.verdicts.len()), ("starts", 0));
        let finding = finding(&evaluation, Code::AnnotationMisplaced);
        assert_eq!((finding.severity, finding.who), (Severity::Ignored, Who::PodAuthor));
        says(&finding.message, &["metadata.annotations", "never"]);
        says(&fix_of(finding), &[path]);
        assert_eq!(finding.place.as_ref().unwrap().line, 6);
    }
}

#[test]
fn case_05_the_whole_way_of_an_annotation_is_shown() {
    let table = "version = 3\n[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.kata]\n\
                 runtime_type = 'io.containerd.kata.v2'\npod_annotations = ['io.katacontainers.*']\n";
    let (_, engine) = containerd(table, "kata");
    let host = Fixture::new().with(GO, &go(&allow(&["default_vcpus"]), "")).host();
    let key = format!("{HV}default_vcpus");
    let pod = pod(&[(&key, "4")]);
    let evaluation = evaluator(host, GO, Generation::Go41, engine).evaluate(&pod, Depth::Verdicts);
    let verdict = verdict(&evaluation, &key);
    assert_eq!(verdict.status, Status::Applied);
    let stages: Vec<_> = verdict.trace.iter().map(|s| s.stage).collect();
    assert_eq!(stages.first(), Some(&Stage::Cri));
    assert_eq!(stages.last(), Some(&Stage::Effective));
    assert!(stages.contains(&Stage::Name) && verdict.trace.iter().all(|s| s.passed));
    let cri = verdict.trace[0].place.as_ref().unwrap();
    assert_eq!((&*cri.file, cri.line), (CONTAINERD, 4));
    let gate = verdict.trace.iter().find(|s| s.stage == Stage::Name).unwrap();
    assert_eq!(&*gate.place.as_ref().unwrap().file, GO);
    let shown = katascope::report::text::traced_pod(
        &pod,
        &evaluation,
        katascope::report::text::Paint { color: false },
    );
    says(
        &shown,
        &["the pod starts, and its Kata annotations take effect", "✓ cri", "config.toml:4", "✓ name"],
    );
}

// B. Not enabled.

#[test]
fn case_06_refused_by_go_and_read_past_by_rust() {
    let key = format!("{HV}memory_offset");
    let pod = pod(&[(&key, "1073741824")]);
    let list = allow(&["enable_iommu", "kernel_params"]);
    let go = go_evaluator(&go(&list, "")).evaluate(&pod, Depth::Verdicts);
    let failure = go.outcome.failure().unwrap();
    assert_eq!(failure.message, format!("annotation {key} is not enabled"));
    assert_eq!(failure.annotation.as_deref(), Some(key.as_str()));
    says(&fix(verdict(&go, &key)), &["\"^memory_offset$\"", "[hypervisor.qemu] enable_annotations"]);
    assert_eq!(finding(&go, Code::AnnotationRefused).who, Who::ClusterAdministrator);
    says(&finding(&go, Code::ShippedPolicy).message, &["no configuration", "memory_offset"]);
    let rust = rs_evaluator(&rs(&list, "")).evaluate(&pod, Depth::Verdicts);
    assert_eq!(rust.outcome.as_str(), "starts");
    assert_eq!(verdict(&rust, &key).status, Status::Ignored);
    says(&verdict(&rust, &key).reason, &["warning"]);
}

#[test]
fn case_06_which_shipped_files_would_take_the_pod() {
    let key = format!("{HV}default_vcpus");
    let evaluation =
        go_evaluator(&go(&allow(&["kernel_params"]), "")).evaluate(&pod(&[(&key, "2")]), Depth::Verdicts);
    let shipped = finding(&evaluation, Code::ShippedPolicy);
    says(&shipped.message, &["configuration-qemu-tdx.toml", "configuration-remote.toml"]);
    assert!(!shipped.message.contains("configuration-qemu.toml"), "{}", shipped.message);
}

#[test]
fn case_07_the_message_itself_is_enough_of_a_question() {
    let event = "failed to create shim task: annotation io.katacontainers.config.hypervisor.memory_offset is not \
                 enabled: unknown";
    let Meaning::Message(decoded) = explain(event) else { panic!("no message") };
    assert_eq!(decoded.annotation.unwrap().base(), "memory_offset");
    assert_eq!(decoded.who, Who::ClusterAdministrator);
    says(&decoded.advice, &["enable_annotations", "drop-in", "allowedHypervisorAnnotations"]);
    let root = root(&[(GO, &go(&allow(&["kernel_params"]), ""))]);
    let config = root.join(GO.trim_start_matches('/'));
    let said =
        katascope(&["explain", "-c", config.to_str().unwrap(), "--root", root.to_str().unwrap(), event]);
    says(
        &said.text,
        &["^memory_offset$", "[hypervisor.qemu] enable_annotations", "configuration-qemu.toml:", "risk"],
    );
}

#[test]
fn case_08_what_a_pattern_really_lets_in() {
    let admitted = |generation, patterns: &[&str]| {
        let patterns: Vec<String> = patterns.iter().map(|p| (*p).to_owned()).collect();
        let gate = NameGate::new(generation, &patterns);
        let mut names: Vec<_> = catalog::annotations(generation)
            .filter_map(|(annotation, _)| annotation.short())
            .filter(|short| gate.admits(short).is_some())
            .collect();
        names.sort_unstable();
        names
    };
    assert_eq!(
        admitted(Generation::Go41, &["path"]),
        ["guest_hook_path", "jailer_path", "path", "vhost_user_store_path"]
    );
    assert_eq!(admitted(Generation::Go41, &["^kernel$"]), ["kernel"]);
    let broken = admitted(Generation::Go41, &["[", "kernel"]);
    assert!(broken.contains(&"kernel") && broken.contains(&"kernel_params"), "{broken:?}");
    assert!(admitted(Generation::Rs41, &["[", "kernel"]).is_empty());
}

#[test]
fn case_09_a_file_that_kata_deploy_writes_anew() {
    let key = format!("{HV}default_vcpus");
    let evaluation = go_evaluator(&go("", "")).evaluate(&pod(&[(&key, "2")]), Depth::Verdicts);
    let rewritten = finding(&evaluation, Code::FileRewritten);
    says(&rewritten.message, &[GO, "kata-deploy"]);
    says(&fix_of(rewritten), &["--drop-in", "allowedHypervisorAnnotations"]);
    let own = "/etc/kata-containers/configuration.toml";
    let host = Fixture::new().with(own, &go("", "")).host();
    let evaluation = evaluator(host, own, Generation::Go41, Engine::Assumed)
        .evaluate(&pod(&[(&key, "2")]), Depth::Verdicts);
    assert!(evaluation.findings.iter().all(|f| f.code != Code::FileRewritten));
    // The edit as a drop-in: the whole list, beside the file.
    let root = root(&[(GO, &go(&allow(&["kernel_params"]), ""))]);
    let config = root.join(GO.trim_start_matches('/'));
    let said = katascope(&[
        "policy",
        "allow",
        "^default_vcpus$",
        "--drop-in",
        "--dry-run",
        "-c",
        config.to_str().unwrap(),
        "--root",
        root.to_str().unwrap(),
    ]);
    says(&said.text, &["config.d/", "kernel_params", "^default_vcpus$"]);
}

#[test]
fn case_10_one_annotation_two_handlers() {
    let key = format!("{HV}virtio_fs_extra_args");
    let pod = pod(&[(&key, "[\"--thread-pool-size=4\"]")]);
    let remote = "[hypervisor.remote]\nremote_hypervisor_socket = \"/run/peerpod/hypervisor.sock\"\n\
                  enable_annotations = [\"machine_type\"]\n[agent.kata]\n[runtime]\ninternetworking_model = \"none\"\n\
                  disable_new_netns = true\n";
    let local = go_evaluator(&go(&allow(&["virtio_fs_extra_args"]), "")).evaluate(&pod, Depth::Verdicts);
    let far = go_evaluator(remote).evaluate(&pod, Depth::Verdicts);
    assert_eq!(verdict(&local, &key).status, Status::Applied);
    assert_eq!(far.outcome.failure().unwrap().message, format!("annotation {key} is not enabled"));
    assert_eq!(verdict(&far, &key).status, Status::Refused);
}

// C. The VM has another size.

#[test]
fn case_11_static_sizing_takes_the_limits_and_not_the_annotation() {
    let tee = format!("{}\noverhead_vcpus = 0.4\noverhead_memory = 128", allow(&["default_vcpus"]));
    let evaluator = rs_evaluator(&rs(&tee, ""));
    let key = format!("{HV}default_vcpus");
    let ask = |resources: &str| {
        evaluator.evaluate(&pod_with(&[(&key, "8")], resources, &Node::default()), Depth::Full)
    };
    let unlimited = ask("{limits: {memory: 16Gi}}");
    assert_eq!(boots(&unlimited), (1.0, 16512.0));
    assert_eq!(verdict(&unlimited, &key).status, Status::Overridden);
    let replaced = finding(&unlimited, Code::SizeReplaced);
    says(&replaced.message, &["no CPU limit", "0.4"]);
    says(&fix_of(replaced), &["limits.cpu: 8"]);
    assert_eq!(replaced.who, Who::PodAuthor);
    assert_eq!(boots(&ask("{limits: {cpu: 8, memory: 16Gi}}")), (9.0, 16512.0));
}

#[test]
fn case_11_a_cpu_limit_alone_leaves_the_overhead_as_memory() {
    let evaluator = rs_evaluator(&rs("", ""));
    let evaluation = evaluator.evaluate(&sized("{limits: {cpu: 2}}"), Depth::Full);
    assert_eq!(boots(&evaluation), (3.0, 32.0));
    let trap = finding(&evaluation, Code::OverheadOnly);
    says(&trap.message, &["32 MiB"]);
    says(&fix_of(trap), &["memory"]);
    // Without overhead keys it is an error that says so.
    let bare = rs_evaluator(&rs("overhead_vcpus = 0.0\noverhead_memory = 0", ""));
    let evaluation = bare.evaluate(&sized("{limits: {cpu: 2}}"), Depth::Verdicts);
    says(&evaluation.outcome.failure().unwrap().message, &["computed sandbox memory is 0 MiB"]);
}

#[test]
fn case_12_requests_do_not_size() {
    let pod = sized("{requests: {cpu: 4}}");
    assert_eq!(pod.sizing.unwrap().cpu_quota, 0);
    for evaluator in [go_evaluator(&go("", "")), rs_evaluator(&rs("", ""))] {
        let evaluation = evaluator.evaluate(&pod, Depth::Full);
        assert_eq!(boots(&evaluation).0, 1.0);
        let note = finding(&evaluation, Code::RequestsWithoutLimits);
        says(&note.message, &["CPU", "do not size"]);
        assert_eq!(note.who, Who::PodAuthor);
    }
}

#[test]
fn case_13_the_sum_line_by_line() {
    let pod = sized("{limits: {cpu: 2, memory: 4Gi}}");
    let (vcpus, mib, steps) = whole(&go_evaluator(&go("default_memory = 2048", "")), &pod);
    assert_eq!((vcpus, mib), (3.0, 6144.0));
    says(
        &steps,
        &["default_memory 2048 + limits 4096 = 6144 MiB", "default_vcpus 1 + limits 2 = 3", "plugged in"],
    );
    let fixed = go("default_memory = 2048", "static_sandbox_resource_mgmt = true");
    let (vcpus, mib, _) = whole(&go_evaluator(&fixed), &pod);
    assert_eq!((vcpus, mib), (3.0, 6144.0));
    let (vcpus, mib, steps) = whole(&rs_evaluator(&rs("", "")), &pod);
    assert_eq!((vcpus, mib), (3.0, 4128.0));
    says(&steps, &["overhead_memory 32 + limits 4096 = 4128 MiB", "= 2.2, boots with 3", "default_vcpus"]);
    // Limits 8 and 4, and a container without: 12, and a warning about the third.
    let text = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  runtimeClassName: kata\n  containers:\n  \
                - {name: a, image: a, resources: {limits: {cpu: 8}}}\n  - {name: b, image: b, resources: {limits: {cpu: 4}}}\n  \
                - {name: c, image: c}\n";
    let partial = pods(text, &Node::default()).remove(0);
    let sum = partial.sum.clone().unwrap();
    assert_eq!(sum.lines.len(), 3);
    says(sum.lines[2].note, &["contributes nothing"]);
    assert_eq!(partial.sizing.unwrap().cpu_quota, 1_200_000);
    let evaluation = go_evaluator(&go("", "")).evaluate(&partial, Depth::Verdicts);
    says(&finding(&evaluation, Code::PartialLimits).message, &["c has no limits"]);
}

#[test]
fn case_14_overhead_is_not_part_of_the_vm() {
    let text = "apiVersion: node.k8s.io/v1\nkind: RuntimeClass\nmetadata: {name: kata}\nhandler: kata\noverhead:\n  \
                podFixed: {cpu: 250m, memory: 160Mi}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  \
                runtimeClassName: kata\n  containers:\n  - {name: a, image: a, resources: {limits: {cpu: 1, memory: 1Gi}}}\n";
    let pod = pods(text, &Node::default()).remove(0);
    let sizing = pod.sizing.unwrap();
    assert_eq!((sizing.cpu_quota, sizing.memory_limit), (100_000, 1 << 30));
    let evaluation = go_evaluator(&go("", "")).evaluate(&pod, Depth::Verdicts);
    says(
        &finding(&evaluation, Code::OverheadLeftOut).message,
        &["250m", "160Mi", "cgroup", "scheduler", "not the VM"],
    );
}

#[test]
fn case_15_crio_hands_the_size_on_where_kata_does_not_look() {
    let conf = "[crio.runtime.runtimes.kata]\nruntime_path = '/opt/kata/bin/containerd-shim-kata-v2'\n\
                runtime_type = 'vm'\nruntime_config_path = '/c'\n";
    let host = Fixture::new().with("/etc/crio/crio.conf", conf).with(RS, &rs("", "")).host();
    let crio = Crio::read(&host, "/etc/crio/crio.conf", Some("kata".into()));
    let pod = sized("{limits: {cpu: 4, memory: 8Gi}}");
    let far = evaluator(host.clone(), RS, Generation::Rs41, Engine::Crio(Box::new(crio)));
    let near = evaluator(host, RS, Generation::Rs41, Engine::Assumed);
    let evaluation = far.evaluate(&pod, Depth::Full);
    assert_eq!(boots(&evaluation), (1.0, 2048.0));
    assert_eq!(boots(&near.evaluate(&pod, Depth::Full)), (5.0, 8224.0));
    let lost = finding(&evaluation, Code::SizeNotDelivered);
    says(&fix_of(lost), &["default_vcpus", "default_memory"]);
    assert_eq!(lost.who, Who::ClusterAdministrator);
}

#[test]
fn case_16_kubelet_sends_no_quota() {
    let node = |text: &str| {
        let version: Version = "1.36".parse().unwrap();
        let kubelet = Kubelet::read(&Source::new("kubelet.yaml", text), &version).unwrap();
        Node::new(version, kubelet, 16)
    };
    let key = format!("{HV}default_vcpus");
    let off = node("kind: KubeletConfiguration\ncpuCFSQuota: false\n");
    let pod = pod_with(&[(&key, "3")], "{limits: {cpu: 4, memory: 4Gi}}", &off);
    assert_eq!((pod.sizing.unwrap().cpu_quota, pod.sizing.unwrap().cpu_period), (0, 0));
    let list = allow(&["default_vcpus"]);
    let fixed = go(&list, "static_sandbox_resource_mgmt = true");
    assert_eq!(boots(&go_evaluator(&fixed).evaluate(&pod, Depth::Full)).0, 3.0);
    let evaluation = rs_evaluator(&rs(&list, "")).evaluate(&pod, Depth::Full);
    assert_eq!(boots(&evaluation).0, 1.0);
    let found = finding(&evaluation, Code::CfsQuotaOff);
    assert_eq!(found.who, Who::ClusterAdministrator);
    says(&fix_of(found), &["cpuCFSQuota: true"]);
    // CPUs of its own: quota -1; Go counts the shares, Rust nothing.
    let exclusive = node("kind: KubeletConfiguration\ncpuManagerPolicy: static\nreservedSystemCPUs: '0'\n");
    let pod = pod_with(&[], "{limits: {cpu: 4, memory: 4Gi}}", &exclusive);
    assert_eq!((pod.sizing.unwrap().cpu_quota, pod.sizing.unwrap().cpu_shares), (-1, 4096));
    assert_eq!(boots(&go_evaluator(&fixed).evaluate(&pod, Depth::Full)).0, 5.0);
    let evaluation = rs_evaluator(&rs(&list, "")).evaluate(&pod, Depth::Full);
    assert_eq!(boots(&evaluation).0, 1.0);
    says(&finding(&evaluation, Code::ExclusiveCpus).message, &["quota -1", "shares"]);
}

#[test]
fn case_17_base_and_limit_add_up_to_more_than_the_host_has() {
    let key = format!("{HV}default_memory");
    let evaluator = go_evaluator(&go(&allow(&["default_memory"]), ""));
    let pod = pod_with(&[(&key, "55000")], "{limits: {memory: 55000Mi}}", &Node::default());
    let (_, mib, _) = whole(&evaluator, &pod);
    assert_eq!(mib, 110_000.0);
    let evaluation = evaluator.evaluate(&pod, Depth::Verdicts);
    let found = finding(&evaluation, Code::LargerThanHost);
    says(&found.message, &["110000 MiB", "64000", "default_memory 55000 + limits 55000"]);
    says(&fix_of(found), &["default_memory"]);
    let small = evaluator.evaluate(&sized("{limits: {memory: 1Gi}}"), Depth::Verdicts);
    assert!(small.findings.iter().all(|f| f.code != Code::LargerThanHost));
}

#[test]
fn case_18_what_a_size_may_look_like() {
    let key = format!("{HV}default_memory");
    let list = allow(&["default_memory"]);
    let (go, rust) = (go_evaluator(&go(&list, "")), rs_evaluator(&rs(&list, "")));
    // Values in MiB; runtime-rs alone takes units.
    for (value, by_go, by_rust) in [
        ("3000", Some(3000.0), Some(3000.0)),
        ("2048", Some(2048.0), Some(2048.0)),
        ("4Gi", None, Some(4096.0)),
        ("3072MiB", None, Some(3072.0)),
        ("-1", None, None),
        ("", None, None),
    ] {
        for (evaluator, want) in [(&go, by_go), (&rust, by_rust)] {
            let evaluation = evaluator.evaluate(&pod(&[(&key, value)]), Depth::Full);
            let fate = verdict(&evaluation, &key);
            match want {
                Some(mib) => {
                    assert_eq!((fate.status, boots(&evaluation).1), (Status::Applied, mib), "{value:?}")
                }
                None if evaluator.setup().generation == Generation::Rs41 => {
                    // Read past, with the configured size kept.
                    assert_eq!((fate.status, boots(&evaluation).1), (Status::Ignored, 2048.0), "{value:?}");
                    says(&fate.reason, &["cannot read this", "keeps"]);
                }
                None => {
                    assert_eq!(fate.status, Status::Refused, "{value:?}: {}", fate.reason);
                    assert!(evaluation.outcome.failure().is_some());
                }
            }
        }
    }
}

// D. Which file, which shim.

fn handler_table(options: &str) -> String {
    format!(
        "version = 3\n[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.kata]\n\
         runtime_type = 'io.containerd.kata.v2'\nruntime_path = '/opt/kata/bin/containerd-shim-kata-v2'\n\
         pod_annotations = ['io.katacontainers.*']\n{options}\n"
    )
}

const CLH: &str = "/opt/kata/share/defaults/kata-containers/configuration-clh.toml";
const ETC: &str = "/etc/kata-containers/configuration.toml";

fn which_file(fixture: Fixture, environment: Option<&str>) -> which::Which {
    let host = fixture.host();
    let read = Containerd::read(&host, CONTAINERD, Release::NEWEST, None);
    which::handlers(&Engine::Containerd(Box::new(read)), &host, environment).unwrap().remove(0)
}

#[test]
fn case_19_kubelet_and_ctr_read_different_files() {
    let table = handler_table(&format!("options = {{ ConfigPath = '{CLH}' }}"));
    let fixture = Fixture::new().with(CONTAINERD, &table).with(CLH, "").with(ETC, &go("", ""));
    let which = which_file(fixture, None);
    assert_eq!(which.config(), Some(CLH));
    let lost = which.candidates.iter().find(|c| c.path == ETC).unwrap();
    assert!(!lost.chosen);
    says(&lost.why, &["not searched"]);
    says(&which.notes.join("\n"), &["ctr, nerdctl and docker", ETC]);
}

#[test]
fn case_20_the_variable_may_only_name_a_default_file() {
    let fixture = || Fixture::new().with(CONTAINERD, &handler_table("")).with(CLH, "");
    let refused = which_file(fixture(), Some(CLH));
    says(&refused.candidates[0].why, &["refused", "default files"]);
    says(&refused.candidates[0].why, &["ConfigPath"]);
    let linked = fixture()
        .link("/opt/kata/share/defaults/kata-containers/configuration.toml", "configuration-clh.toml");
    let taken = which_file(linked, Some(CLH));
    assert_eq!(taken.config(), Some(CLH));
    assert!(!taken.candidates[0].why.contains("refused"));
    let Meaning::Message(decoded) = explain("invalid KATA_CONF_FILE \"/x.toml\": not allowed") else {
        panic!()
    };
    says(&decoded.advice, &["ConfigPath", "configuration.toml"]);
}

#[test]
fn case_21_a_file_that_nobody_reads() {
    let table = handler_table(&format!("options = {{ ConfigPath = '{CLH}' }}"));
    let clh = "[hypervisor.clh]\n";
    let root =
        root(&[(CONTAINERD, &table), (CLH, clh), (ETC, clh), ("/etc/kata-containers/config.d/10.toml", "")]);
    let ask = |path: &str| katascope(&["which", "--root", root.to_str().unwrap(), path]);
    for unread in [ETC, "/etc/kata-containers/config.d/10.toml"] {
        let said = ask(unread);
        says(&said.text, &["no handler reads", unread]);
        assert_eq!(said.status, 1);
    }
    let said = ask(CLH);
    says(&said.text, &["kata", "read by"]);
    assert_eq!(said.status, 0);
}

#[test]
fn case_22_the_guest_image_has_to_bring_the_module() {
    let key = "io.katacontainers.config.agent.kernel_modules";
    let evaluation = go_evaluator(&go("", "")).evaluate(&pod(&[(key, "mlx5_core")]), Depth::Verdicts);
    assert_eq!(verdict(&evaluation, key).status, Status::Applied);
    let found = finding(&evaluation, Code::GuestMustBring);
    assert_eq!((found.who, found.severity), (Who::ImageBuilder, Severity::Note));
    says(&found.message, &["mlx5_core", "guest image"]);
    let Meaning::Message(decoded) =
        explain("modprobe: FATAL: Module mlx5_core not found in directory /lib/modules/6.12")
    else {
        panic!()
    };
    assert_eq!(decoded.who, Who::ImageBuilder);
}

// E. Two runtimes.

#[test]
fn case_23_noise_and_the_same_pod_on_both_runtimes() {
    let noise = "Annotation io.kubernetes.cri.container-type not enabled";
    let Meaning::Message(decoded) = explain(noise) else { panic!() };
    assert!(decoded.harmless);
    let plain = rs_evaluator(&rs("", "")).evaluate(&pod(&[]), Depth::Verdicts);
    assert_eq!((plain.outcome.as_str(), plain.findings.len()), ("starts", 0));
    // An enabled key that neither knows: read past by Go, refused by Rust.
    let key = format!("{HV}no_such_key");
    let other = pod(&[(&key, "1")]);
    let list = allow(&["no_such_key"]);
    let by_go = go_evaluator(&go(&list, "")).evaluate(&other, Depth::Verdicts);
    let by_rust = rs_evaluator(&rs(&list, "")).evaluate(&other, Depth::Verdicts);
    assert_eq!((by_go.outcome.as_str(), verdict(&by_go, &key).status), ("starts", Status::Unknown));
    says(&by_rust.outcome.failure().unwrap().message, &["Invalid annotation type", &key]);
    // A JSON list for Go, a comma list for Rust.
    let key = format!("{HV}virtio_fs_extra_args");
    let list = allow(&["virtio_fs_extra_args"]);
    let json = pod(&[(&key, "[\"-o\",\"a\"]")]);
    let comma = pod(&[(&key, "-o,a")]);
    let go = go_evaluator(&go(&list, ""));
    assert_eq!(verdict(&go.evaluate(&json, Depth::Verdicts), &key).status, Status::Applied);
    assert_eq!(verdict(&go.evaluate(&comma, Depth::Verdicts), &key).status, Status::Refused);
    let rust = rs_evaluator(&rs(&list, ""));
    let applied = rust.evaluate(&comma, Depth::Full);
    assert_eq!(verdict(&applied, &key).status, Status::Applied);
    says(&verdict(&applied, &key).after.as_ref().unwrap().to_string(), &["\"-o\",\"a\""]);
}

#[test]
fn case_24_cc_init_data_moved() {
    let (old, new) = ("io.katacontainers.config.runtime.cc_init_data", format!("{HV}cc_init_data"));
    for evaluator in [go_evaluator(&go("", "")), rs_evaluator(&rs("", ""))] {
        let evaluation = evaluator.evaluate(&pod(&[(old, "H4sI")]), Depth::Verdicts);
        assert_eq!(evaluation.outcome.as_str(), "starts");
        let fate = verdict(&evaluation, old);
        assert!(matches!(fate.status, Status::Unknown | Status::Ignored), "{fate:?}");
        says(&fix(fate), &[&new, "under that key"]);
    }
    let row = catalog::annotation(&new).unwrap();
    assert!(row.go.unwrap().starts_with("3.20") && row.rs.unwrap().starts_with("3.19"), "{row:?}");
    assert_eq!(catalog::annotation(old).unwrap().replaced_by, Some(new.as_str()));
}

#[test]
fn case_25_an_initrd_beside_the_configured_image() {
    let key = format!("{HV}initrd");
    let pod = pod(&[(&key, "/opt/kata/initrd")]);
    let list = allow(&["initrd"]);
    let by_go = go_evaluator(&go(&list, "")).evaluate(&pod, Depth::Full);
    assert_eq!((by_go.outcome.as_str(), verdict(&by_go, &key).status), ("starts", Status::Applied));
    let args: Vec<_> = by_go.launch.as_ref().unwrap().args.iter().map(|a| a.text.as_str()).collect();
    let at = args.iter().position(|a| *a == "-initrd").unwrap();
    assert_eq!(args[at + 1], "/opt/kata/initrd");
    let by_rust = rs_evaluator(&rs(&list, "")).evaluate(&pod, Depth::Full);
    let message = &by_rust.outcome.failure().unwrap().message;
    says(&message.to_lowercase(), &["can not configure both"]);
    let Meaning::Message(decoded) = explain(message) else { panic!() };
    says(&decoded.advice, &["empty annotation"]);
}

// F. containerd's traps.

#[test]
fn case_26_a_drop_in_wipes_the_handlers_of_1_x() {
    let main = "version = 2\nimports = ['/etc/containerd/conf.d/*.toml']\n\
                [plugins.'io.containerd.grpc.v1.cri'.containerd.runtimes.runc]\nruntime_type = 'io.containerd.runc.v2'\n\
                [plugins.'io.containerd.grpc.v1.cri'.containerd.runtimes.kata-qemu]\nruntime_type = 'io.containerd.kata-qemu.v2'\n";
    let drop_in = "version = 2\n[plugins.'io.containerd.grpc.v1.cri'.containerd.runtimes.runc]\n\
                   runtime_type = 'io.containerd.runc.v2'\n\
                   [plugins.'io.containerd.grpc.v1.cri'.containerd.runtimes.nvidia]\nruntime_type = 'io.containerd.runc.v2'\n";
    let read = |release: &str| {
        let host =
            Fixture::new().with(CONTAINERD, main).with("/etc/containerd/conf.d/99.toml", drop_in).host();
        Containerd::read(&host, CONTAINERD, Release::parse(release).unwrap(), Some("kata-qemu".into()))
    };
    let names = |containerd: &Containerd| {
        let mut names: Vec<_> = containerd.handlers.as_ref().unwrap().by_name.keys().cloned().collect();
        names.sort();
        names
    };
    let (old, new) = (read("1.7.34"), read("2.2.7"));
    assert_eq!(names(&old), ["nvidia", "runc"]);
    assert_eq!(names(&new), ["kata-qemu", "nvidia", "runc"]);
    let lost = old.lost();
    assert_eq!(lost.len(), 1);
    assert_eq!((lost[0].0.as_str(), &*lost[0].1.file, lost[0].1.line), ("kata-qemu", CONTAINERD, 5));
    assert!(new.lost().is_empty());
    let host = Fixture::new().with(GO, &go("", "")).host();
    let evaluation = evaluator(host, GO, Generation::Go41, Engine::Containerd(Box::new(old)))
        .evaluate(&pod(&[]), Depth::Verdicts);
    says(&evaluation.outcome.failure().unwrap().message, &["no runtime for \"kata-qemu\" is configured"]);
    says(&finding(&evaluation, Code::HandlerMissing).message, &["config.toml:5", "conf.d/99.toml"]);
}

#[test]
fn case_27_no_runtime_class_no_kata() {
    let text = format!(
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\n  annotations: {{{HV}default_vcpus: '2'}}\nspec:\n  \
         containers: [{{name: a, image: a}}]\n"
    );
    let pod = pods(&text, &Node::default()).remove(0);
    let evaluation = go_evaluator(&go(&allow(&["default_vcpus"]), "")).evaluate(&pod, Depth::Verdicts);
    let found = finding(&evaluation, Code::NoRuntimeClass);
    assert_eq!(found.who, Who::PodAuthor);
    says(&found.message, &["default runtime"]);
    says(&fix_of(found), &["runtimeClassName"]);
    // k3s reads its own rendered file, which is found without being named.
    let k3s = "/var/lib/rancher/k3s/agent/etc/containerd/config.toml";
    let root = root(&[(k3s, &handler_table("")), (ETC, &go("", ""))]);
    let said = katascope(&["which", "--root", root.to_str().unwrap()]);
    says(&said.text, &["kata", ETC]);
}

#[test]
fn case_28_a_table_of_another_version_is_ignored() {
    let table = "version = 3\n[plugins.'io.containerd.grpc.v1.cri'.containerd.runtimes.kata]\n\
                 runtime_type = 'io.containerd.kata.v2'\n";
    let under = |release: &str| {
        let host = Fixture::new().with(CONTAINERD, table).with(GO, &go("", "")).host();
        let read = Containerd::read(&host, CONTAINERD, Release::parse(release).unwrap(), Some("kata".into()));
        evaluator(host, GO, Generation::Go41, Engine::Containerd(Box::new(read)))
            .evaluate(&pod(&[]), Depth::Verdicts)
    };
    // 2.3 moves the old table whatever version the file says.
    assert_eq!(under("2.3.4").outcome.as_str(), "starts");
    let evaluation = under("2.2.7");
    says(&evaluation.outcome.failure().unwrap().message, &["no runtime for \"kata\" is configured"]);
    let found = finding(&evaluation, Code::TableUnread);
    says(&found.message, &["io.containerd.grpc.v1.cri", "ignores"]);
    assert_eq!((found.place.as_ref().unwrap().line, found.who), (2, Who::ClusterAdministrator));
    // A handler whose file is gone.
    let gone = handler_table("options = { ConfigPath = '/opt/kata/gone.toml' }");
    let which = which_file(Fixture::new().with(CONTAINERD, &gone), None);
    says(&which.candidates[0].why, &["does not exist", "every pod fails"]);
}

// G. Upgrades.

#[test]
fn case_29_config_path_selects_nothing_any_more() {
    let key = "io.katacontainers.config_path";
    for evaluator in [go_evaluator(&go("", "")), rs_evaluator(&rs("", ""))] {
        let evaluation = evaluator.evaluate(&pod(&[(key, CLH)]), Depth::Verdicts);
        assert_eq!(evaluation.outcome.as_str(), "starts");
        let fate = verdict(&evaluation, key);
        assert!(matches!(fate.status, Status::Ignored | Status::Unknown), "{fate:?}");
        says(&fix(fate), &["3.32.0", "RuntimeClass"]);
    }
    let row = catalog::annotation(key).unwrap();
    says(row.note.unwrap(), &["gone since 4.0"]);
    assert!(row.reader(Generation::Go21).read);
}

// H. What a tenant may change.

#[test]
fn case_30_keys_that_no_list_gates() {
    let root = root(&[(GO, &go("enable_annotations = []", ""))]);
    let config = root.join(GO.trim_start_matches('/'));
    let said = katascope(&[
        "policy",
        "audit",
        "--json",
        "-c",
        config.to_str().unwrap(),
        "--root",
        root.to_str().unwrap(),
    ]);
    for open in [
        "config.agent.kernel_modules",
        "config.runtime.disable_new_netns",
        "config.runtime.disable_guest_seccomp",
    ] {
        says(&said.text, &[open]);
    }
    assert!(!said.text.contains("config.hypervisor.kernel_params\""), "{}", said.text);
}

// I. Kubernetes' own rules.

#[test]
fn case_31_values_are_strings_and_keys_have_a_length() {
    let text = |line: &str| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\n  annotations:\n    {line}\nspec:\n  runtimeClassName: kata\n  \
             containers: [{{name: a, image: a}}]\n"
        )
    };
    let list = allow(&["default_vcpus", "enable_iommu", "vhost_user_reconnect_timeout_sec"]);
    let evaluator = go_evaluator(&go(&list, ""));
    let ask =
        |line: &str| evaluator.evaluate(&pods(&text(line), &Node::default()).remove(0), Depth::Verdicts);
    for (line, quoted) in [
        (format!("{HV}default_vcpus: 8"), "\"8\""),
        (format!("{HV}enable_iommu: on"), "\"on\""),
        (format!("{HV}enable_iommu: true"), "\"true\""),
    ] {
        let evaluation = ask(&line);
        let fate = &evaluation.verdicts[0];
        assert_eq!((fate.status, fate.stage), (Status::Invalid, Stage::Kubernetes), "{line}");
        says(&fix(fate), &[quoted]);
        assert_eq!(fate.trace[0].place.as_ref().unwrap().line, 6);
        assert_eq!(finding(&evaluation, Code::AnnotationInvalid).who, Who::PodAuthor);
    }
    // As text Kubernetes takes it, and the runtime's boolean does not.
    let evaluation = ask(&format!("{HV}enable_iommu: \"on\""));
    assert_eq!(
        (evaluation.verdicts[0].status, evaluation.verdicts[0].stage),
        (Status::Refused, Stage::Parse)
    );
    let key = format!("{HV}vhost_user_reconnect_timeout_sec");
    assert_eq!(key.len(), 68);
    let evaluation = ask(&format!("{key}: \"5\""));
    assert_eq!(evaluation.verdicts[0].status, Status::Invalid);
    says(&evaluation.outcome.failure().unwrap().message, &["63"]);
    // More than all annotations together may have.
    let evaluation = ask(&format!("io.katacontainers.config.agent.policy: \"{}\"", "x".repeat(262_144)));
    says(&evaluation.outcome.failure().unwrap().message, &["262144"]);
}

// J. Remote hypervisor, and time.

#[test]
fn case_32_the_shortest_timeout_counts() {
    let key = "io.katacontainers.config.runtime.create_container_timeout";
    let pod = pod(&[(key, "600")]);
    let evaluation = go_evaluator(&go("", "")).evaluate(&pod, Depth::Verdicts);
    assert_eq!(verdict(&evaluation, key).status, Status::Applied);
    let found = finding(&evaluation, Code::ShortTimeout);
    says(&found.message, &["120 s", "600 s"]);
    says(&fix_of(found), &["runtimeRequestTimeout"]);
    let version = Version::default();
    let kubelet = Kubelet::read(
        &Source::new("k", "kind: KubeletConfiguration\nruntimeRequestTimeout: 15m\n"),
        &version,
    )
    .unwrap();
    let long = pod_with(&[(key, "600")], "{}", &Node::new(version, kubelet, 4));
    assert!(long.findings.iter().all(|f| f.code != Code::ShortTimeout));
}

#[test]
fn case_32_a_remote_vm_is_not_measured_by_the_worker() {
    let remote = "[hypervisor.remote]\nremote_hypervisor_socket = \"/run/peerpod/hypervisor.sock\"\n\
                  enable_annotations = [\"default_vcpus\", \"default_memory\"]\n[agent.kata]\n[runtime]\n\
                  internetworking_model = \"none\"\ndisable_new_netns = true\n";
    let mut fixture = Fixture::new().with(GO, remote);
    fixture.facts.cpus = 4;
    let far = evaluator(fixture.host(), GO, Generation::Go41, Engine::Assumed);
    let key = format!("{HV}default_vcpus");
    let evaluation = far.evaluate(&pod(&[(&key, "8")]), Depth::Verdicts);
    assert_eq!((evaluation.outcome.as_str(), verdict(&evaluation, &key).status), ("starts", Status::Applied));
    assert!(evaluation.findings.iter().all(|f| f.code != Code::LargerThanHost));
    // A local one is refused.
    let mut fixture = Fixture::new().with(GO, &go(&allow(&["default_vcpus"]), ""));
    fixture.facts.cpus = 4;
    let near = evaluator(fixture.host(), GO, Generation::Go41, Engine::Assumed);
    assert_eq!(verdict(&near.evaluate(&pod(&[(&key, "8")]), Depth::Verdicts), &key).status, Status::Refused);
}

/// What the program printed, and its exit status.
struct Said {
    text: String,
    status: i32,
}

fn katascope(args: &[&str]) -> Said {
    let output = Command::new(env!("CARGO_BIN_EXE_katascope"))
        .args(args)
        .env_remove("KATA_CONF_FILE")
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    Said { text, status: output.status.code().unwrap() }
}

/// A folder with these files below it, named after the test that asked.
fn root(files: &[(&str, &str)]) -> PathBuf {
    let name = std::thread::current().name().unwrap().replace("::", "-");
    let root = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&root);
    let programs = [
        ("/opt/kata/bin/qemu-system-x86_64", "a program"),
        ("/opt/kata/libexec/virtiofsd", "a program"),
        ("/opt/kata/vmlinux", "a kernel"),
        ("/opt/kata/kata.img", "an image"),
    ];
    for (path, text) in programs.iter().chain(files) {
        let path = root.join(path.trim_start_matches('/'));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    root
}
