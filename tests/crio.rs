//! CRI-O at three releases, 1.30.14, 1.33.13 and 1.36.3: which files count and what stops the daemon, which
//! handlers are left, and what reaches Kata. What is expected was seen on real daemons of these releases, with
//! other files and pods than these.

use std::collections::BTreeMap;
use std::sync::Arc;

use katascope::answer::finding::Code;
use katascope::answer::verdict::Status;
use katascope::cri::crio::{Crio, Places, Release};
use katascope::cri::{Engine, Passed};
use katascope::evaluate::own_keys::PastPolicy;
use katascope::evaluate::{Evaluator, Setup};
use katascope::input::config::Layers;
use katascope::input::host::{Host, HostFacts, MemoryFiles};
use katascope::input::manifest::Pod;
use katascope::input::source::Source;
use katascope::kubernetes::{self, Node};
use katascope::release::{self, Runtime};
use katascope::runtime::Depth;

const SHIM: &str = "/usr/local/bin/containerd-shim-kata-v2";
const FILE: &str = "/srv/kata/qemu.toml";
const OLD: &str = "1.30.14";
const MIDDLE: &str = "1.33.13";
const NEW: &str = "1.36.3";
const ALL: [&str; 3] = [OLD, MIDDLE, NEW];

fn files() -> MemoryFiles {
    // Both runtimes read it.
    let kata = "[hypervisor.qemu]\npath = '/usr/local/bin/qemu'\nkernel = '/srv/kata/vmlinux'\n\
                image = '/srv/kata/kata.img'\nmachine_type = 'q35'\nshared_fs = 'none'\ndefault_memory = 1024\n\
                default_vcpus = 1\ndefault_maxvcpus = 0\noverhead_memory = 32\noverhead_vcpus = 0.2\n[agent.kata]\n\
                [runtime]\nname = 'virt_container'\nhypervisor_name = 'qemu'\nagent_name = 'kata'\n\
                internetworking_model = 'tcfilter'\nsandbox_cgroup_only = true\n\
                static_sandbox_resource_mgmt = true\n";
    MemoryFiles::new()
        .file(SHIM, 0o755, "")
        .file("/usr/local/bin/qemu", 0o755, "")
        .file("/dev/vhost-vsock", 0o666, "")
        .file("/srv/kata/vmlinux", 0o644, "x")
        .file("/srv/kata/kata.img", 0o644, "x")
        .file("/srv/kata/plain-v2", 0o644, "")
        .file("/srv/kata/containerd-shim-plain-v2", 0o644, "")
        .file(FILE, 0o644, kata)
}

/// A host with these files below `/etc/crio`.
fn host(own: &[(&str, &str)]) -> Host {
    let all =
        own.iter().fold(files(), |all, (name, text)| all.file(&format!("/etc/crio/{name}"), 0o644, *text));
    Host::new(HostFacts::default(), Arc::new(all))
}

fn read(own: &[(&str, &str)], release: &str) -> Crio {
    Crio::read_as(&host(own), Places::MAIN, Release::parse(release).unwrap(), None)
}

/// One drop-in with a handler `sandboxed` and these lines besides.
fn table(lines: &str) -> String {
    format!("[crio.runtime.runtimes.sandboxed]\nruntime_path = '{SHIM}'\nruntime_type = 'vm'\n{lines}\n")
}

/// The message of a daemon that does not start.
fn stops(own: &[(&str, &str)], release: &str) -> String {
    read(own, release).handlers.map_or_else(|broken| broken.message, |found| format!("{:?}", found.by_name))
}

fn names(crio: &Crio) -> Vec<String> {
    let mut names: Vec<_> = crio.handlers.as_ref().unwrap().by_name.keys().cloned().collect();
    names.sort();
    names
}

fn pod(text: &str) -> Pod {
    let text = format!("metadata: {{name: one, namespace: blue, uid: u-1}}\n{text}\n");
    kubernetes::read(&Source::new("sandbox.yaml", text), &Node::default()).unwrap().pods.remove(0)
}

fn pass(own: &[(&str, &str)], release: &str, handler: &str, text: &str) -> Passed {
    let mut crio = read(own, release);
    crio.handler = Some(handler.to_owned());
    let pod = pod(text);
    crio.pass(&pod, pod.sizing.as_ref(), "abc")
}

fn refusal(passed: &Passed) -> &str {
    passed.failure.as_ref().map_or("it starts", |failure| failure.message.as_str())
}

fn received(passed: &Passed) -> BTreeMap<String, String> {
    assert_eq!(refusal(passed), "it starts");
    let all = passed.received.in_order(|_| true);
    all.into_iter().map(|(key, value)| (key.to_string(), value.to_string())).collect()
}

#[test]
fn every_file_counts_in_the_order_of_the_names() {
    let handler = |name: &str| {
        format!("[crio.runtime.runtimes.{name}]\nruntime_path = '{SHIM}'\nruntime_type = 'vm'\n")
    };
    let (readme, hidden, old, deep) = (handler("readme"), handler("hidden"), handler("old"), handler("deep"));
    let own = [
        ("crio.conf.d/README", readme.as_str()),
        ("crio.conf.d/.hidden", &hidden),
        ("crio.conf.d/10-x.bak", &old),
        ("crio.conf.d/20/z/deep.conf", &deep),
        ("crio.conf.d/100-first", "[crio.runtime]\ndefault_runtime = 'old'\n"),
        ("crio.conf.d/9-last", "[crio.runtime]\ndefault_runtime = 'deep'\n"),
    ];
    for release in ALL {
        let crio = read(&own, release);
        let built_in = if release == OLD { "runc" } else { "crun" };
        let mut wanted = vec!["deep", "hidden", "old", "readme", built_in];
        wanted.sort_unstable();
        assert_eq!(names(&crio), wanted);
        assert_eq!(crio.handlers.unwrap().default, "deep");
        assert_eq!(crio.files.len(), own.len(), "and no crio.conf");
        assert_eq!(crio.files[0], "/etc/crio/crio.conf.d/.hidden");
    }
}

#[test]
fn links_are_read_and_not_walked() {
    let with = |link: &str, target: &str| {
        let all = files().file("/etc/more/a", 0o644, table("")).link(&format!("/etc/crio/{link}"), target);
        let host = Host::new(HostFacts::default(), Arc::new(all));
        Crio::read_as(&host, Places::MAIN, Release::NEWEST, None)
    };
    assert_eq!(names(&with("crio.conf.d/50", "/etc/more/a")), ["crun", "sandboxed"]);
    assert_eq!(names(&with("crio.conf", "/nowhere")), ["crun"]);
    let steps = "get and merge config from context: update config from path: walk path: ";
    let message = |crio: Crio| crio.handlers.unwrap_err().message;
    assert_eq!(
        message(with("crio.conf.d/50", "/etc/more")),
        format!("{steps}read /etc/crio/crio.conf.d/50: is a directory")
    );
    assert_eq!(
        message(with("crio.conf.d/50", "/nowhere")),
        format!("{steps}open /etc/crio/crio.conf.d/50: no such file or directory")
    );
    assert_eq!(
        message(with("crio.conf.d", "/etc/more")),
        format!("{steps}read /etc/crio/crio.conf.d: is a directory")
    );
}

#[test]
fn a_known_key_of_the_wrong_type_stops_the_daemon_and_an_unknown_one_does_not() {
    let one = |text: &'static str| [("crio.conf.d/a", text)];
    let lead = |release: &str| match release {
        OLD => "unable to decode configuration /etc/crio/crio.conf.d/a: ".to_owned(),
        _ => "get and merge config from context: update config from path: walk path: unable to decode \
              configuration /etc/crio/crio.conf.d/a: "
            .to_owned(),
    };
    for release in ALL {
        let wrong = [
            (
                "[crio.network]\nplugin_dirs = '/opt/cni/bin'\n",
                "toml: line 2 (last key \"crio.network.plugin_dirs\"): incompatible types: TOML value has type string; \
                 destination has type slice",
            ),
            (
                "[CRIO.Runtime]\nPids_Limit = 'many'\n",
                "toml: line 2 (last key \"CRIO.Runtime.Pids_Limit\"): incompatible types: TOML value has type string; \
                 destination has type integer",
            ),
            (
                "[crio]\nruntime = 4\n",
                "toml: line 2 (last key \"crio.runtime\"): type mismatch for struct { config.RuntimeConfig }: expected \
                 table but found int64",
            ),
            (
                "[[crio.runtime.runtimes.sandboxed]]\n",
                "toml: line 1 (last key \"crio.runtime.runtimes.sandboxed\"): type mismatch for config.RuntimeHandler: \
                 expected table but found []map[string]",
            ),
        ];
        for (text, why) in wrong {
            let message = stops(&one(text), release);
            assert!(message.starts_with(&format!("{}{why}", lead(release))), "{release}: {message}");
        }
        // Not their keys, whatever their type; and a table that is none is read past.
        for text in
            ["[crio.runtime]\nruntime_path = 7\nrunTimes = 'x'\n", "[plugins]\ncri = []\n", "crio-x = 1\n"]
        {
            assert_eq!(names(&read(&one(text), release)).len(), 1, "{release}: {text}");
        }
    }
    // Known from 1.34 on.
    let text = table("seccomp_profile = 3");
    let own = [("crio.conf", text.as_str())];
    assert_eq!(names(&read(&own, MIDDLE)), ["crun", "sandboxed"]);
    let steps =
        "get and merge config from context: update config from file: update config from drop-in file: ";
    assert!(stops(&own, NEW).starts_with(steps), "{}", stops(&own, NEW));
    let list = "[crio.image]\npause_image = ['a']\n";
    assert!(stops(&one(list), OLD).contains("TOML value has type []interface {}; destination"));
    assert!(stops(&one(list), MIDDLE).contains("TOML value has type []any; destination"));
}

#[test]
fn toml_1_1_is_read_since_1_35() {
    let text = format!(
        "crio.runtime.runtimes.sandboxed = {{\n  runtime_path = '{SHIM}',\n  runtime_type = \"\\x76m\",\n}}\n"
    );
    let own = [("crio.conf.d/a", text.as_str())];
    assert_eq!(names(&read(&own, NEW)), ["crun", "sandboxed"]);
    assert_eq!(names(&read(&own, "1.35.1")), ["crun", "sandboxed"]);
    for release in [OLD, MIDDLE, "1.35.0"] {
        let message = stops(&own, release);
        assert!(message.ends_with("newlines not allowed within inline tables"), "{message}");
    }
}

#[test]
fn an_invalid_handler_is_dropped_and_its_pods_are_refused() {
    let cases = [
        ("runtime_type = 'VM'", "invalid `runtime_type` \"VM\" for runtime \"odd\""),
        ("", "\"odd\" not found in $PATH: exec: \"odd\": executable file not found in $PATH"),
        (
            "runtime_path = '/srv/none'",
            "invalid runtime_path for runtime 'odd': stat /srv/none: no such file or directory",
        ),
        (
            "runtime_path = '/srv/kata/plain-v2'\nruntime_type = 'vm'",
            "invalid runtime_path for runtime 'odd': containerd binary naming pattern is not followed",
        ),
        (
            "runtime_path = '/usr/local/bin/containerd-shim-kata-v2'\nruntime_config_path = '/srv/kata/qemu.toml'",
            "runtime_config_path can only be used with the 'vm' runtime type",
        ),
        (
            "runtime_path = '/usr/local/bin/containerd-shim-kata-v2'\nruntime_type = 'vm'\nruntime_config_path = 'qemu.toml'",
            "invalid runtime_config_path for runtime 'odd': stat qemu.toml: no such file or directory",
        ),
        (
            "runtime_path = '/usr/local/bin/containerd-shim-kata-v2'\nruntime_type = 'vm'\nallowed_annotations = ['run.oci.x']",
            "invalid allowed_annotation: run.oci.x",
        ),
    ];
    for (lines, reason) in cases {
        let text = format!("{}[crio.runtime.runtimes.odd]\n{lines}\n", table(""));
        let own = [("crio.conf.d/a", text.as_str())];
        for release in ALL {
            let crio = read(&own, release);
            let dropped = &crio.handlers.as_ref().unwrap().dropped;
            assert_eq!(dropped.len(), 1, "{release}: {lines}");
            // 1.30 looks at the type last.
            if release != OLD || !reason.contains("runtime_type`") {
                assert_eq!(dropped[0].reason, reason, "{release}");
            }
            assert_eq!(dropped[0].handler.place.as_ref().map(|place| place.line), Some(5));
            let built_in = if release == OLD { "runc:{ptr} sandboxed" } else { "crun:{ptr} sandboxed" };
            let passed = pass(&own, release, "odd", "linux: {}");
            let wanted =
                format!("failed to find runtime handler odd from runtime list map[{built_in}:{{ptr}}]");
            assert_eq!(refusal(&passed), wanted);
            assert_eq!(refusal(&pass(&own, release, "sandboxed", "linux: {}")), "it starts");
        }
        // The same as the default one.
        let text = format!("[crio.runtime]\ndefault_runtime = 'odd'\n{text}");
        let message = stops(&[("crio.conf.d/a", &text)], NEW);
        assert_eq!(message, format!("validating runtime config: runtime validation: {reason}"));
    }
    let own = [("crio.conf", "[crio.runtime]\ndefault_runtime = 'Kata'\n[crio.runtime.runtimes.kata]\n")];
    let message = "validating runtime config: default_runtime set to \"Kata\", but no runtime entry table \
                   [crio.runtime.runtimes.Kata] was found";
    assert_eq!(stops(&own, OLD), message);
}

#[test]
fn what_a_release_does_not_check_it_does_not_refuse() {
    let reason = |lines: &str, release: &str| {
        let text = table(lines);
        let crio = read(&[("crio.conf.d/a", &text)], release);
        crio.handlers.unwrap().dropped.first().map_or("kept".to_owned(), |dropped| dropped.reason.clone())
    };
    let sync = "no_sync_log is only allowed with runtime type 'oci', runtime type is 'vm'";
    assert_eq!(reason("no_sync_log = true", OLD), "kept");
    assert_eq!(reason("no_sync_log = true", MIDDLE), sync);
    assert_eq!(reason("no_sync_log = true", NEW), format!("no sync log: {sync}"));
    assert_eq!(reason("stream_websockets = true", MIDDLE), "kept");
    assert!(reason("stream_websockets = true", NEW).ends_with("not \"vm\" (runtime \"sandboxed\")"));
    assert_eq!(reason("exec_cpu_affinity = 'all'", NEW), "invalid exec_cpu_affinity \"all\"");
    assert_eq!(reason("container_min_memory = 'little'", NEW), "kept");
    assert_eq!(
        reason("allowed_annotations = ['umask.crio.io']", MIDDLE),
        "invalid allowed_annotation: umask.crio.io"
    );
    assert_eq!(reason("allowed_annotations = ['umask.crio.io']", NEW), "kept");
}

#[test]
fn a_handler_that_inherits_becomes_the_default_one() {
    let text = table("inherit_default_runtime = true\nruntime_config_path = '/srv/kata/qemu.toml'");
    let own = [("crio.conf.d/a", text.as_str())];
    let kind =
        |release: &str| read(&own, release).handlers.unwrap().by_name["sandboxed"].runtime_type.clone();
    assert_eq!((kind(OLD).as_str(), kind(MIDDLE).as_str(), kind(NEW).as_str()), ("vm", "oci", "oci"));
}

#[test]
fn a_default_handler_of_vms_leaves_the_others_without_pods() {
    let text = format!("[crio.runtime]\ndefault_runtime = 'sandboxed'\n{}", table(""));
    let own = [("crio.conf.d/a", text.as_str())];
    assert_eq!(refusal(&pass(&own, NEW, "", "linux: {}")), "it starts");
    assert_eq!(refusal(&pass(&own, NEW, "crun", "linux: {}")), "open : no such file or directory");
    // Their processes share a namespace, for which the sandbox keeps a container.
    let shared = "linux: {security_context: {namespace_options: {pid: 0}}}";
    assert_eq!(refusal(&pass(&own, NEW, "crun", shared)), "it starts");
    let text =
        format!("[crio.runtime]\ndrop_infra_ctr = false\ndefault_runtime = 'sandboxed'\n{}", table(""));
    assert_eq!(refusal(&pass(&[("crio.conf.d/a", &text)], NEW, "crun", "linux: {}")), "it starts");
}

#[test]
fn a_shim_that_cannot_be_run_fails_with_the_pod() {
    let text = "[crio.runtime.runtimes.plain]\nruntime_path = '/srv/kata/containerd-shim-plain-v2'\nruntime_type = 'vm'\n";
    let own = [("crio.conf.d/a", text)];
    let wanted = ": fork/exec /srv/kata/containerd-shim-plain-v2: permission denied";
    assert_eq!(refusal(&pass(&own, MIDDLE, "plain", "linux: {}")), wanted);
}

#[test]
fn annotations_are_filtered_and_labels_are_not() {
    let text = table(
        "allowed_annotations = ['io.kubernetes.cri-o.LinkLogs']\n[crio.runtime.runtimes.sandboxed.default_annotations]\n\
         'io.katacontainers.config.hypervisor.default_vcpus' = '3'\n'bundle.x' = 'of the host'\n'a' = 'd'\n\
         [crio.runtime.workloads.builds]\nactivation_annotation = 'builds'\nallowed_annotations = ['run.oci.']",
    );
    let own = [("crio.conf.d/a", text.as_str())];
    let pod = "annotations: {builds: '', a: p, run.oci.handler: h, bundle: b, io.kubernetes.cri-o.LinkLogs: l, \
               umask.crio.io: '7', io.kubernetes.cri-o.umaskX: u, io.kubernetes.cri-o.KubeName: own, \
               io.katacontainers.config.hypervisor.default_vcpus: '2', io.kubernetes.cri-o.MountPoint: m}\n\
               labels: {bundle: of the label, io.kubernetes.container.name: mine, team: red}\n\
               linux: {resources: {cpu_quota: -1, memory_limit_in_bytes: 1048576}}";
    for release in ALL {
        let got = received(&pass(&own, release, "sandboxed", pod));
        let value = |key: &str| got.get(key).map(String::as_str);
        assert_eq!(value("io.katacontainers.config.hypervisor.default_vcpus"), Some("2"));
        assert_eq!(value("a"), Some("p"));
        assert_eq!(value("run.oci.handler"), Some("h"), "the workload allows it");
        assert_eq!(value("io.kubernetes.cri-o.LinkLogs"), Some("l"), "the handler allows it");
        assert_eq!(value("io.kubernetes.cri-o.umaskX"), None, "it starts as a name that is kept");
        assert_eq!(value("bundle"), Some("of the label"));
        assert_eq!(value("bundle.x"), (release != OLD).then_some("of the host"), "defaults are not filtered");
        assert_eq!(value("umask.crio.io"), (release != NEW).then_some("7"));
        assert_eq!(value("io.kubernetes.container.name"), Some("POD"));
        assert_eq!(value("io.kubernetes.pod.uid"), Some("u-1"));
        assert_eq!(value("io.kubernetes.cri-o.KubeName"), Some("own"), "a pod may replace it");
        assert_eq!(value("io.kubernetes.cri-o.MountPoint"), Some("{mount}"), "and not this");
        assert_eq!(value("io.kubernetes.cri-o.RuntimeHandler"), Some("sandboxed"));
        let (size, overhead) = match release {
            NEW => ("pod-linux-resources.crio.io", "pod-linux-overhead.crio.io"),
            _ => ("io.kubernetes.cri-o.PodLinuxResources", "io.kubernetes.cri-o.PodLinuxOverhead"),
        };
        assert_eq!(value(size), Some("{\"cpu_quota\":-1,\"memory_limit_in_bytes\":1048576}"));
        assert_eq!(value(overhead), Some("null"));
    }
}

#[test]
fn an_allowed_annotation_is_used_and_its_value_checked() {
    let text =
        table("allowed_annotations = ['io.kubernetes.cri-o.ShmSize', 'io.kubernetes.cri-o.userns-mode']");
    let own = [("crio.conf.d/a", text.as_str())];
    let says = |annotation: &str| {
        refusal(&pass(&own, MIDDLE, "sandboxed", &format!("annotations: {{{annotation}}}\nlinux: {{}}")))
            .to_owned()
    };
    let size = says("io.kubernetes.cri-o.ShmSize: 1 Gi");
    assert!(size.starts_with("failed to parse shm size '1 Gi': quantities must match"), "{size}");
    assert_eq!(says("io.kubernetes.cri-o.ShmSize: 1Gi"), "it starts");
    assert_eq!(says("io.kubernetes.cri-o.userns-mode: host"), "invalid userns mode: \"host\"");
    assert_eq!(says("'io.kubernetes.cri-o.userns-mode': 'auto:size'"), "invalid argument: \"size\"");
}

#[test]
fn workloads_are_checked_before_the_daemon_starts() {
    let lead = "validating runtime config: workloads validation: ";
    let message = |lines: &str, release: &str| {
        stops(&[("a", ""), ("crio.conf.d/a", &format!("[crio.runtime.workloads.w]\n{lines}\n"))], release)
    };
    assert_eq!(message("", OLD), format!("{lead}annotation shouldn't be empty for workload \"w\""));
    let odd = "activation_annotation = 'x'\nallowed_annotations = ['shm-size.crio.io']";
    assert_eq!(message(odd, MIDDLE), format!("{lead}invalid allowed_annotation: shm-size.crio.io"));
    assert!(!message(odd, NEW).starts_with(lead));
    let cpus = "activation_annotation = 'x'\nresources = {cpuset = 'all'}";
    let why = "unable to parse cpuset \"all\": strconv.Atoi: parsing \"all\": invalid syntax";
    assert_eq!(message(cpus, NEW), format!("{lead}{why}"));
}

fn evaluator(text: &str, runtime: Runtime) -> Evaluator {
    let host = host(&[("crio.conf.d/a", text)]);
    let mut crio = Crio::read_as(&host, Places::MAIN, Release::NEWEST, None);
    crio.handler = Some("sandboxed".into());
    let layers = Layers::read(&host, FILE);
    Evaluator::new(Setup {
        host,
        layers,
        release: release::Release::newest(runtime),
        known_by: release::KnownBy::Said,
        release_note: None,
        hypervisor: None,
        sandbox_id: None,
        engine: Engine::Crio(Box::new(crio)),
    })
}

#[test]
fn a_pod_that_sizes_its_own_vm_is_pointed_out() {
    let text = table("");
    let own = "annotations: {io.kubernetes.cri.sandbox-memory: '4294967296', io.kubernetes.cri.sandbox-cpu-quota: \
               '300000', io.kubernetes.cri.sandbox-cpu-period: '100000'}\nlinux: {}";
    for runtime in [Runtime::Go, Runtime::Rs] {
        let evaluator = evaluator(&text, runtime);
        assert_eq!(PastPolicy::of(&evaluator), Some(PastPolicy { sizes_vms: true }));
        let evaluation = evaluator.evaluate(&pod(own), Depth::Full);
        let effective = evaluation.effective.as_ref().unwrap();
        let memory = effective.get("hypervisor.qemu.default_memory").unwrap().value.as_f64().unwrap();
        assert!(memory >= 4096.0, "{memory}");
        assert!(evaluation.verdicts.iter().all(|verdict| verdict.status == Status::Applied));
        let found = evaluation.findings.iter().find(|finding| finding.code == Code::SizePastPolicy).unwrap();
        assert!(found.message.contains("past enable_annotations") && found.message.contains("4294967296"));
        // As a label too; and of a value that asks for nothing nothing is said.
        let label = pod("labels: {io.kubernetes.cri.sandbox-memory: '4294967296'}\nlinux: {}");
        let codes = |pod: &Pod| {
            evaluator.evaluate(pod, Depth::Full).findings.iter().map(|f| f.code).collect::<Vec<_>>()
        };
        assert!(codes(&label).contains(&Code::SizePastPolicy));
        assert!(
            !codes(&pod("annotations: {io.kubernetes.cri.sandbox-memory: '0'}\nlinux: {}"))
                .contains(&Code::SizePastPolicy)
        );
    }
}

#[test]
fn a_sandbox_that_a_pod_calls_a_container_does_not_start() {
    let pod = pod("annotations: {io.kubernetes.cri-o.ContainerType: container}\nlinux: {}");
    let evaluation = evaluator(&table(""), Runtime::Go).evaluate(&pod, Depth::Verdicts);
    let message = &evaluation.outcome.failure().unwrap().message;
    assert_eq!(message, "BUG: Cannot start the container, since the sandbox hasn't been created");
}

#[test]
fn the_release_is_told_by_the_node() {
    let told = |version: &str| {
        let all = files().file("/run/crio/version", 0o644, version);
        Crio::read(&Host::new(HostFacts::default(), Arc::new(all)), Places::MAIN, None).release
    };
    assert_eq!(told("\"1.33.4+1a2b3c\"").to_string(), "1.33.4");
    assert_eq!(told("what"), Release::NEWEST);
}

#[test]
fn what_files_from_elsewhere_name_is_taken_to_be_there() {
    let text = "[crio.runtime.runtimes.far]\nruntime_path = '/opt/far/containerd-shim-kata-v2'\nruntime_type = 'vm'\n\
                runtime_config_path = '/opt/far/qemu.toml'\n";
    let all = files().file("/home/me/crio.conf", 0o644, text).file("/etc/crio/crio.conf", 0o644, text);
    let host = Host::new(HostFacts::default(), Arc::new(all));
    assert_eq!(names(&Crio::read(&host, "/home/me/crio.conf", None)), ["crun", "far"]);
    assert_eq!(names(&Crio::read(&host, Places::MAIN, None)), ["crun"]);
}
