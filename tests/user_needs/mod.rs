//! What people get stuck on, case by case: the input in which it shows, and the verdict, the cause and
//! the fix that would have helped. Cases are numbered as in the collection of users' problems.

mod containerd_traps;
mod kubernetes_rules;
mod lost_silently;
mod not_enabled;
mod other_size;
mod remote_and_time;
mod tenants;
mod two_runtimes;
mod unexpected;
mod upgrades;
mod what_the_host_decides;
mod which_file;

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use katascope::answer::finding::{Code, Finding, Severity, Who};
use katascope::answer::verdict::{Stage, Status, Verdict};
use katascope::catalog;
use katascope::cri::Engine;
use katascope::cri::containerd::{self, Containerd};
use katascope::cri::crio::Crio;
use katascope::evaluate::{Evaluation, Evaluator, Setup};
use katascope::explain::{Meaning, explain};
use katascope::input::Host;
use katascope::input::config::Layers;
use katascope::input::host::{HostFacts, MemoryFiles};
use katascope::input::manifest::Pod;
use katascope::input::source::Source;
use katascope::kubernetes::{self, Kubelet, Node, Version};
use katascope::node::{self, Handler, Said as Told};
use katascope::policy::names::NameGate;
use katascope::release::{Release, Runtime};
use katascope::runtime::Depth;

const GO: &str = "/opt/kata/share/defaults/kata-containers/configuration-qemu.toml";
const RS: &str = "/opt/kata/share/defaults/kata-containers/runtime-rs/configuration-qemu-runtime-rs.toml";
const CONTAINERD: &str = "/etc/containerd/config.toml";
const HV: &str = "io.katacontainers.config.hypervisor.";

/// A node: files, CPUs and memory.
/// The shims that handlers of the fixtures are served by.
const SHIMS: [&str; 4] = [
    "/opt/kata/bin/containerd-shim-kata-v2",
    "/usr/local/bin/containerd-shim-kata-v2",
    "/usr/local/bin/containerd-shim-kata-qemu-v2",
    "/usr/bin/containerd-shim-runc-v2",
];

struct Fixture {
    files: MemoryFiles,
    facts: HostFacts,
}

impl Fixture {
    fn new() -> Self {
        let mut files = MemoryFiles::new();
        for program in
            ["/opt/kata/bin/qemu-system-x86_64", "/usr/bin/qemu-system-x86_64", "/opt/kata/libexec/virtiofsd"]
                .into_iter()
                .chain(SHIMS)
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

    fn program(mut self, path: &str) -> Self {
        self.files = self.files.file(path, 0o755, "");
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
    evaluator(Fixture::new().with(GO, text).host(), GO, Release::newest(Runtime::Go), Engine::Assumed)
}

fn rs_evaluator(text: &str) -> Evaluator {
    evaluator(Fixture::new().with(RS, text).host(), RS, Release::newest(Runtime::Rs), Engine::Assumed)
}

fn evaluator(host: Host, path: &str, release: Release, engine: Engine) -> Evaluator {
    let layers = Layers::read(&host, path);
    Evaluator::new(Setup {
        host,
        layers,
        release,
        known_by: katascope::release::KnownBy::Said,
        release_note: None,
        hypervisor: None,
        sandbox_id: None,
        engine,
    })
}

fn containerd(text: &str, handler: &str) -> (Host, Engine) {
    let host = Fixture::new().with(CONTAINERD, text).with(GO, &go("", "")).host();
    let read = Containerd::read(&host, CONTAINERD, containerd::Release::NEWEST, Some(handler.to_owned()));
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

/// The table of handler `kata`; `options` are further lines.
fn handler_table(options: &str) -> String {
    format!(
        "version = 3\n[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.kata]\n\
         runtime_type = 'io.containerd.kata.v2'\nruntime_path = '/opt/kata/bin/containerd-shim-kata-v2'\n\
         pod_annotations = ['io.katacontainers.*']\n{options}\n"
    )
}

const CLH: &str = "/opt/kata/share/defaults/kata-containers/configuration-clh.toml";
const ETC: &str = "/etc/kata-containers/configuration.toml";

/// What serves the first handler; `environment` is `KATA_CONF_FILE`.
fn which_file(fixture: Fixture, environment: Option<&str>) -> Handler {
    let host = fixture.host();
    let read = Containerd::read(&host, CONTAINERD, containerd::Release::NEWEST, None);
    let said = Told { environment, ..Told::default() };
    let node = node::Node::new(host, Engine::Containerd(Box::new(read)), &said);
    node.kata().next().unwrap().clone()
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
    let shims = SHIMS.map(|path| (path, "a shim"));
    for (path, text) in programs.iter().chain(&shims).chain(files) {
        let path = root.join(path.trim_start_matches('/'));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(path, mode).unwrap();
    }
    root
}
