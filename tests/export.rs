//! The policies that are exported, evaluated as an API server does and held against what the host does.

use std::sync::Arc;

use assert_cmd::Command;
use katascope::answer::verdict::{Stage, Status, Verdict};
use katascope::catalog;
use katascope::cri::Engine;
use katascope::evaluate::{Evaluator, Outcome, Setup};
use katascope::export::{self, Action, Admission, Mode, Rules, Subject, Target, Wanted};
use katascope::input::Source;
use katascope::input::config::Layers;
use katascope::input::host::{Host, HostFacts, MemoryFiles};
use katascope::input::manifest;
use katascope::release::{KnownBy, Release, Runtime};
use katascope::runtime::Depth;
use proptest::prelude::{ProptestConfig, prop_assert, prop_assert_eq, proptest};
use proptest::sample::{select, subsequence};
use serde_json::{Value as Json, json};

use crate::support::cel::{Policy, Request, documents};
use crate::support::{QEMU, QEMU_NAMES};

const MODES: [Mode; 3] = [Mode::AsHost, Mode::NothingLost, Mode::Closed];
const FILES: [&str; 7] = [
    "/opt/kata/bin/qemu-system-x86_64",
    "/opt/kata/bin/qemu-a",
    "/opt/kata/bin/old/qemu-b",
    "/opt/kata/libexec/virtiofsd",
    "/opt/kata/share/kata-containers/vmlinux.container",
    "/opt/kata/share/kata-containers/kata-containers.img",
    "/dev/urandom",
];

fn evaluator(release: Release, lists: &str) -> Evaluator {
    let names = if release.runtime == Runtime::Rs { QEMU_NAMES } else { "" };
    let text = format!("{QEMU}{names}").replace("enable_annotations = [\"enable_iommu\"]\n", lists);
    let files = FILES.iter().fold(MemoryFiles::new(), |files, path| files.file(path, 0o755, "x"));
    Evaluator::new(Setup {
        release,
        known_by: KnownBy::Said,
        release_note: None,
        layers: Layers::of_text("/etc/kata-containers/configuration.toml", &text),
        hypervisor: None,
        sandbox_id: None,
        engine: Engine::Assumed,
        host: Host::new(HostFacts::default(), Arc::new(files)),
    })
}

fn rules(evaluator: &Evaluator, handler: Option<&str>, mode: Mode) -> Rules {
    let subject = Subject { handler: handler.map(str::to_owned), default: false, evaluator };
    export::rules(&subject, "qemu", mode)
}

fn wanted() -> Wanted {
    Wanted {
        pods: true,
        templates: true,
        action: Action::Deny,
        exempt: vec!["kube-system".into()],
        classes: Vec::new(),
        early_containerd: false,
    }
}

fn exported(rules: &[Rules], target: Target) -> String {
    export::export(target, rules, &wanted()).unwrap().text
}

fn policy_of(text: &str, name: &str) -> Policy {
    let documents = documents(text);
    let found = documents
        .iter()
        .find(|d| d["kind"] == "ValidatingAdmissionPolicy" && d["metadata"]["name"] == name)
        .unwrap_or_else(|| panic!("no policy {name}"));
    Policy::new(&found["spec"])
}

fn pod_policy(rules: Rules) -> Policy {
    policy_of(&exported(&[rules], Target::Vap), "kata-annotations")
}

fn pod(annotations: &[(String, String)]) -> Json {
    let annotations: serde_json::Map<String, Json> =
        annotations.iter().map(|(key, value)| (key.clone(), Json::from(value.as_str()))).collect();
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "p", "annotations": annotations },
        "spec": { "runtimeClassName": "kata", "containers": [{ "name": "c", "image": "i" }] },
    })
}

fn created(object: &Json) -> Request<'_> {
    Request { object: Some(object), ..Request::default() }
}

/// Whether a gate of the host refuses it: by its name, or by a list of values.
fn gated(verdict: &Verdict, release: Release) -> bool {
    let listed = || {
        let known = catalog::annotation(&verdict.key);
        known.is_some_and(|known| known.reader(release).gate.list().is_some())
    };
    verdict.status == Status::Refused
        && match verdict.stage {
            Stage::Name | Stage::Known => verdict.key.starts_with(catalog::HYPERVISOR_PREFIX),
            Stage::Value => listed(),
            _ => false,
        }
}

const NAMES: [&str; 22] = [
    "^kernel_params$",
    "default_.*",
    "path",
    "^path$",
    "virtio_fs",
    "^(path|kernel)$",
    "",
    ".*",
    "(?i)PATH$",
    "[[a]]x",
    "[a-c]t",
    r"\bpath\b",
    r"^path\z",
    "(",
    "a**",
    r"\<path",
    "entropy_source",
    "^entropy_source$",
    "^no_such_name$",
    "^(default_vcpus|default_memory|no_such)$",
    "enable_[^i]",
    "x{1001}",
];
const GLOBS: [&str; 14] = [
    "/opt/kata/bin/qemu-system-x86_64",
    "/opt/kata/bin/*",
    "/opt/kata/**/qemu-*",
    "/opt//kata/bin/q*",
    "/opt/*/bin/qemu-a",
    "/opt/kata/bin/qemu-[a-c]",
    "/opt/kata/bin/qemu-[!a]",
    "/opt/kata/bin/qemu-[^a]",
    "/opt/kata/bin/../bin/qemu-*",
    "",
    "[",
    "/opt/kata/bin/qemu-?",
    "/dev/*random",
    r"/opt/kata/bin/qemu\-a",
];
const KEYS: [&str; 16] = [
    "config.hypervisor.path",
    "config.hypervisor.path",
    "config.hypervisor.kernel_params",
    "config.hypervisor.default_vcpus",
    "config.hypervisor.entropy_source",
    "config.hypervisor.virtio_fs_daemon",
    "config.hypervisor.no_such_name",
    "config.hypervisor.xpathx",
    "config.hypervisor.asset_hash_type",
    "config.hypervisor.enable_mem_prealloc",
    "config.hypervisor.jailer_path",
    "config.agent.kernel_modules",
    "config.runtime.disable_guest_seccomp",
    "enable_vcpus_pinning",
    "no.such.key",
    "pkg.oci.bundle_path",
];
const VALUES: [&str; 12] = [
    "/opt/kata/bin/qemu-a",
    "/opt/kata/bin/qemu-system-x86_64",
    "/opt/kata/bin/old/qemu-b",
    "/opt/kata/libexec/virtiofsd",
    "/opt/kata/bin/../bin/qemu-a",
    "/opt/kata/bin//qemu-a",
    "/opt/kata/bin/",
    "/opt/kata/bin/qemu-none",
    "/dev/urandom",
    "",
    "2",
    "true",
];

fn quoted(list: &[&str]) -> String {
    let texts: Vec<String> = list.iter().map(|text| json!(text).to_string()).collect();
    texts.join(", ")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]
    #[test]
    fn a_cluster_and_the_host_agree_on_every_pod(
        release in select(vec![
            Release::newest(Runtime::Go), Release::newest(Runtime::Rs), Release::go(2, 1, 0), Release::rs(3, 12, 0),
        ]),
        names in subsequence(NAMES.to_vec(), 0..4),
        paths in subsequence(GLOBS.to_vec(), 0..4),
        others in subsequence(GLOBS.to_vec(), 0..3),
        pods in proptest::collection::vec(
            proptest::collection::btree_map(select(KEYS.to_vec()), select(VALUES.to_vec()), 0..4), 6),
    ) {
        let lists = format!(
            "enable_annotations = [{}]\nvalid_hypervisor_paths = [{}]\nvalid_entropy_sources = [{}]\n\
             valid_virtio_fs_daemon_paths = [{}]\n",
            quoted(&names), quoted(&paths), quoted(&others), quoted(&others)
        );
        let evaluator = evaluator(release, &lists);
        let all = MODES.map(|mode| rules(&evaluator, None, mode));
        let policies = all.clone().map(pod_policy);
        let admissions = all.each_ref().map(Admission::by);
        for annotations in &pods {
            let annotations: Vec<(String, String)> = annotations
                .iter()
                .map(|(key, value)| (format!("io.katacontainers.{key}"), (*value).to_owned()))
                .collect();
            let object = pod(&annotations);
            let read = manifest::read(&Source::new("pod.json", object.to_string())).unwrap();
            let evaluation = evaluator.evaluate(&read.pods[0], Depth::Verdicts);
            // What the screens say of a cluster is what a server says.
            for (policy, admission) in policies.iter().zip(&admissions) {
                let (server, here) = (policy.judge(&created(&object)), admission.refuses(&read.pods[0]));
                prop_assert_eq!(server.is_ok(), here.is_none(), "{}{:?} {:?} {:?}", &lists, &annotations, &server, &here);
            }
            let refused: Vec<&Verdict> = evaluation.verdicts.iter().filter(|v| gated(v, release)).collect();
            let starts = matches!(evaluation.outcome, Outcome::Starts);
            let [as_host, nothing_lost, closed] = policies.each_ref().map(|policy| policy.judge(&created(&object)));
            // That a file is there, only the host can say.
            let absent = |v: &&Verdict| v.stage == Stage::Value && !FILES.contains(&&*v.value);
            if !refused.iter().all(|v| release.runtime == Runtime::Go && absent(v)) {
                prop_assert!(closed.is_err(), "{lists}{annotations:?} {refused:?}");
                prop_assert!(as_host.is_err(), "{lists}{annotations:?} {refused:?}");
            }
            if starts {
                prop_assert!(as_host.is_ok(), "{lists}{annotations:?} {as_host:?}");
                let lost = evaluation.verdicts.iter().any(|v| v.status == Status::Unknown);
                prop_assert!(!lost || nothing_lost.is_err(), "{lists}{annotations:?}");
            }
            // Each mode refuses what the one before it does.
            prop_assert!(as_host.is_ok() || nothing_lost.is_err(), "{lists}{annotations:?} {as_host:?}");
            prop_assert!(nothing_lost.is_ok() || closed.is_err(), "{lists}{annotations:?} {nothing_lost:?}");
        }
    }
}

const LISTS: &str = "\
enable_annotations = [\"^kernel_params$\", \"path\", \"virtio_fs_daemon\"]
valid_hypervisor_paths = [\"/opt/kata/bin/qemu-*\", \"/usr/bin/qemu\"]
";

fn hypervisor(name: &str) -> String {
    format!("{}{name}", catalog::HYPERVISOR_PREFIX)
}

fn with(pairs: &[(&str, &str)]) -> Json {
    pod(&pairs.iter().map(|(name, value)| (hypervisor(name), (*value).to_owned())).collect::<Vec<_>>())
}

#[test]
fn what_an_object_has_already_is_not_judged_again() {
    let evaluator = evaluator(Release::newest(Runtime::Go), LISTS);
    let policy = pod_policy(rules(&evaluator, None, Mode::Closed));
    let old = with(&[("default_memory", "512"), ("path", "/bin/sh")]);
    let mut new = old.clone();
    let judge = |new: &Json| policy.judge(&Request { object: Some(new), old: Some(&old), params: None });
    assert_eq!(
        policy.judge(&created(&old)),
        Err(format!("not allowed on this host: {}", hypervisor("default_memory")))
    );
    new["metadata"]["labels"] = json!({ "a": "b" });
    assert_eq!(judge(&new), Ok(()));
    new["metadata"]["annotations"][hypervisor("default_memory")] = json!("1024");
    assert_eq!(judge(&new), Err(format!("not allowed on this host: {}", hypervisor("default_memory"))));
    new["metadata"]["annotations"] = json!({ hypervisor("path"): "/bin/bash" });
    let message =
        format!("valid_hypervisor_paths of this host does not list the value of {}", hypervisor("path"));
    assert_eq!(judge(&new), Err(message));
    new["metadata"]["annotations"] = json!({});
    assert_eq!(judge(&new), Ok(()));
    new["metadata"].as_object_mut().unwrap().remove("annotations");
    assert_eq!(judge(&new), Ok(()));
}

#[test]
fn a_value_is_bounded_before_it_is_searched() {
    let evaluator = evaluator(Release::newest(Runtime::Rs), LISTS);
    let policy = pod_policy(rules(&evaluator, None, Mode::AsHost));
    let judge = |path: &str| policy.judge(&created(&with(&[("path", path)]))).is_ok();
    assert!(judge("/opt/kata/bin/qemu-x"));
    assert!(judge("/usr/bin/qemu"));
    assert!(!judge("/usr/bin/qemu2"));
    assert!(judge(&format!("/opt/kata/bin/qemu-{}", "x".repeat(4000))));
    assert!(!judge(&format!("/opt/kata/bin/qemu-{}", "x".repeat(4096))));
}

fn template(kind: &str, annotations: &Json, class: &str) -> Json {
    let template = json!({
        "metadata": { "annotations": annotations }, "spec": { "runtimeClassName": class, "containers": [] },
    });
    match kind {
        "CronJob" => json!({ "kind": kind, "spec": { "jobTemplate": { "spec": { "template": template } } } }),
        "PodTemplate" => json!({ "kind": kind, "template": template }),
        _ => json!({ "kind": kind, "spec": { "template": template } }),
    }
}

#[test]
fn whatever_makes_pods_is_judged_where_it_is_applied() {
    let evaluator = evaluator(Release::newest(Runtime::Go), LISTS);
    let text = exported(&[rules(&evaluator, Some("kata-qemu"), Mode::Closed)], Target::Vap);
    let policy = policy_of(&text, "kata-annotations-templates-kata-qemu");
    let class = json!({ "metadata": { "name": "fast" }, "handler": "kata-qemu" });
    let other = json!({ "metadata": { "name": "slow" }, "handler": "kata-clh" });
    let bad = json!({ hypervisor("default_memory"): "512" });
    let good = json!({ hypervisor("kernel_params"): "quiet" });
    for kind in [
        "Deployment",
        "StatefulSet",
        "DaemonSet",
        "ReplicaSet",
        "Job",
        "CronJob",
        "ReplicationController",
        "PodTemplate",
    ] {
        let object = template(kind, &bad, "fast");
        let judge = |object: &Json, old: Option<&Json>, params: &Json| {
            policy.judge(&Request { object: Some(object), old, params: Some(params) })
        };
        let message = Err(format!("not allowed on kata-qemu: {}", hypervisor("default_memory")));
        assert_eq!(judge(&object, None, &class), message, "{kind}");
        assert_eq!(judge(&object, Some(&object), &class), Ok(()), "{kind}");
        assert_eq!(judge(&object, Some(&template(kind, &good, "fast")), &class), message, "{kind}");
        assert_eq!(judge(&template(kind, &good, "fast"), None, &class), Ok(()), "{kind}");
        // The class is another one, or its handler is.
        assert_eq!(judge(&object, None, &other), Ok(()), "{kind}");
        assert_eq!(judge(&template(kind, &bad, "slow"), None, &class), Ok(()), "{kind}");
        assert_eq!(judge(&template(kind, &bad, "slow"), None, &other), Ok(()), "{kind}");
    }
    for object in [
        json!({ "kind": "ReplicationController", "spec": {} }),
        json!({ "kind": "PodTemplate" }),
        json!({ "kind": "Deployment", "spec": { "template": { "spec": { "runtimeClassName": "fast" } } } }),
    ] {
        assert_eq!(policy.judge(&Request { object: Some(&object), old: None, params: Some(&class) }), Ok(()));
    }
}

/// What is asked of a server, and whether it lets it in.
#[test]
fn requests_of_every_kind_are_answered_as_a_server_does() {
    let judge =
        |release: Release, lists: &str, mode: Mode, old: Option<&[(&str, &str)]>, new: &[(&str, &str)]| {
            let policy = pod_policy(rules(&evaluator(release, lists), None, mode));
            let all = |pairs: &[(&str, &str)]| {
                let own = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
                pod(&pairs.iter().map(own).collect::<Vec<_>>())
            };
            let (old, new) = (old.map(all), all(new));
            policy.judge(&Request { object: Some(&new), old: old.as_ref(), params: None }).is_ok()
        };
    let (go, rs) = (Release::newest(Runtime::Go), Release::newest(Runtime::Rs));
    let open = "enable_annotations = [\"enable_iommu\", \"kernel_params\"]\n";
    let h = "io.katacontainers.config.hypervisor.";
    let key = |name: &str| format!("{h}{name}");
    // As the host: searches are unanchored and mind case, and other families have no gate.
    for (name, passes) in [
        ("enable_iommu", true),
        ("enable_iommu_platform", true),
        ("my_kernel_params_x", true),
        ("default_vcpus", false),
        ("Enable_IOMMU", false),
        ("x", false),
        ("path", false),
    ] {
        assert_eq!(judge(go, open, Mode::AsHost, None, &[(&key(name), "1")]), passes, "{name}");
    }
    for other in [
        "io.katacontainers.config.agent.kernel_modules",
        "io.katacontainers.config.runtime.disable_guest_seccomp",
        "io.katacontainers.config.hypervisor",
        "io.katacontainers.enable_vcpus_pinning",
    ] {
        assert!(judge(go, open, Mode::AsHost, None, &[(other, "1")]), "{other}");
        assert!(!judge(go, open, Mode::Closed, None, &[(other, "1")]), "{other}");
    }
    assert!(judge(go, open, Mode::AsHost, None, &[]));
    assert!(!judge(go, open, Mode::AsHost, None, &[(&key("kernel_params"), "a"), (&key("image"), "/i")]));
    // runtime-rs reads past what its gate shuts, and refuses what it opens and does not know.
    for (name, passes) in
        [("enable_iommu", true), ("kernel", true), ("enable_iommu_max", false), ("nosuch", true)]
    {
        assert_eq!(judge(rs, open, Mode::AsHost, None, &[(&key(name), "true")]), passes, "{name}");
    }
    // What is there already is not judged again, and what comes or changes is.
    let bad = [(&*key("default_vcpus"), "4")];
    assert!(judge(go, open, Mode::AsHost, Some(&bad), &bad));
    assert!(judge(go, open, Mode::AsHost, Some(&bad), &[]));
    assert!(judge(go, open, Mode::AsHost, Some(&bad), &[bad[0], (&key("enable_iommu"), "true")]));
    assert!(!judge(go, open, Mode::AsHost, Some(&bad), &[(bad[0].0, "8")]));
    assert!(!judge(go, open, Mode::AsHost, Some(&[]), &bad));
    // The closed list: whole names, nobody else's.
    for (key, passes) in [
        ("example.com/io.katacontainers.config", true),
        ("IO.katacontainers.config.runtime.x", true),
        ("io.katacontainers.config_path", false),
        ("io.katacontainers.container.resource.swappiness", false),
        ("io.katacontainers.pkg.oci.container_type", false),
        ("sgx.intel.com/epc", false),
        ("io.katacontainers.config.hypervisor.my_kernel_params_x", false),
        ("io.katacontainers.config.hypervisor.kernel_params", true),
        ("io.katacontainers.config.runtime.experimental", false),
    ] {
        assert_eq!(judge(go, open, Mode::Closed, None, &[(key, "")]), passes, "{key}");
    }
}

/// Where a policy written by hand and one made of a host's answer otherwise, and why that is meant: recorded of a
/// server under policies of these shapes.
#[test]
fn what_policies_by_hand_say_otherwise_has_its_reason() {
    let go = Release::newest(Runtime::Go);
    let open = evaluator(
        go,
        "enable_annotations = [\"default_vcpus\", \"enable_iommu\", \"path\"]\nvalid_hypervisor_paths = [\"/opt/q\"]\n",
    );
    let mode = |mode| rules(&open, Some("kata-qemu"), mode);
    let text = exported(&[mode(Mode::Closed)], Target::Vap);
    let class = |name: &str, handler: &str| json!({ "metadata": { "name": name }, "handler": handler });
    let pods = policy_of(&text, "kata-annotations-kata-qemu");
    let asked = |class: &str| {
        let mut object = with(&[("default_memory", "512")]);
        object["spec"]["runtimeClassName"] = json!(class);
        object
    };
    let judge = |object: &Json, params: &Json| {
        pods.judge(&Request { object: Some(object), old: None, params: Some(params) }).is_ok()
    };
    // Stricter: names of RuntimeClasses can be passed by under another name of the same handler; the handler cannot.
    assert!(!judge(&asked("fast"), &class("fast", "kata-qemu")));
    assert!(judge(&asked("gvisor"), &class("gvisor", "runsc")));
    // Stricter: with rules for pods alone a workload is let in, and its pods fail out of sight.
    let workloads = policy_of(&text, "kata-annotations-templates-kata-qemu");
    let object = template("Deployment", &json!({ hypervisor("default_memory"): "512" }), "fast");
    let params = class("fast", "kata-qemu");
    assert!(workloads.judge(&Request { object: Some(&object), old: None, params: Some(&params) }).is_err());
    // Looser, and said in the head: what a number or a truth is, each release reads in its own way, which no pattern
    // says for all of them; the host refuses those that are none.
    for value in ["many", "-1", "0x4", "99", "1\n2", "\u{0664}"] {
        let mut object = with(&[("default_vcpus", value)]);
        object["spec"]["runtimeClassName"] = json!("fast");
        assert!(judge(&object, &params), "{value:?}");
    }
    assert!(text.contains("how values are read"), "{text}");
    // An empty value is one: where a list gates it, it has to be in the list.
    let mut object = with(&[("path", "")]);
    object["spec"]["runtimeClassName"] = json!("fast");
    assert!(!judge(&object, &params));
    // Stricter: what cannot be worked out is refused, never let in (failurePolicy Ignore lets an error in).
    let all = documents(&text);
    let policies = all.iter().filter(|document| document["kind"] == "ValidatingAdmissionPolicy");
    policies.for_each(|policy| assert_eq!(policy["spec"]["failurePolicy"], "Fail"));
    // Another sentence: one for all that is wrong, with the keys, and no value, whatever is in it.
    let mut object = with(&[("default_memory", "\u{1b}[31m\n"), ("machine_type", "x")]);
    object["spec"]["runtimeClassName"] = json!("fast");
    let said = pods.judge(&Request { object: Some(&object), old: None, params: Some(&params) }).unwrap_err();
    assert!(
        said.contains(&hypervisor("default_memory")) && said.contains(&hypervisor("machine_type")),
        "{said}"
    );
    assert!(!said.contains('\u{1b}') && !said.contains('\n'), "{said}");
    // Of no kind that is made: lists in a ConfigMap, which would have to be kept like the host's by hand.
    assert!(!text.contains("ConfigMap"));
}

#[test]
fn the_side_doors_are_closed() {
    let evaluator = evaluator(Release::newest(Runtime::Go), LISTS);
    let text = exported(&[rules(&evaluator, None, Mode::Closed)], Target::Vap);
    let judged: Vec<String> = documents(&text)
        .iter()
        .flat_map(|d| d["spec"]["matchConstraints"]["resourceRules"].as_array().cloned().unwrap_or_default())
        .flat_map(|rule| rule["resources"].as_array().cloned().unwrap_or_default())
        .map(|resource| resource.as_str().unwrap().to_owned())
        .collect();
    for resource in
        ["pods", "pods/status", "pods/binding", "bindings", "deployments", "cronjobs", "podtemplates"]
    {
        assert!(judged.iter().any(|judged| judged == resource), "{resource}");
    }
    let policy = policy_of(&text, "kata-annotations-bindings");
    let mut binding = json!({ "kind": "Binding", "metadata": { "name": "p" }, "target": { "name": "n" } });
    assert_eq!(policy.judge(&created(&binding)), Ok(()));
    binding["metadata"]["annotations"] = json!({ "a": "b" });
    assert_eq!(policy.judge(&created(&binding)), Ok(()));
    for key in ["io.katacontainers.config.agent.kernel_modules", "sgx.intel.com/epc"] {
        binding["metadata"]["annotations"] = json!({ key: "b" });
        assert!(policy.judge(&created(&binding)).is_err());
    }
}

#[test]
fn patterns_are_quoted_whatever_is_in_them() {
    let lists = r#"
enable_annotations = ["^it's$", "a\"b", "c\\\\d", "e\nf", "é", "path"]
valid_hypervisor_paths = ["/it's/*", "/a\"b/*", "/c\\\\d*", "/e\nf", "/é*"]
"#;
    for release in [Release::newest(Runtime::Go), Release::newest(Runtime::Rs)] {
        let evaluator = evaluator(release, lists);
        for mode in MODES {
            let policy = pod_policy(rules(&evaluator, None, mode));
            let judge = |path: &str| policy.judge(&created(&with(&[("path", path)]))).is_ok();
            assert!(judge("/it's/x") && judge("/a\"b/x") && judge("/e\nf") && judge("/éa"), "{release:?}");
            assert!(!judge("/its/x") && !judge("/e f") && !judge("/ea"), "{release:?}");
        }
    }
}

#[test]
fn a_list_that_is_long_stays_within_what_a_server_spends() {
    let names: Vec<String> = (0..64).map(|n| format!("x{n:02}[a-z]*_pattern$")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let evaluator =
        evaluator(Release::newest(Runtime::Go), &format!("enable_annotations = [{}]\n", quoted(&names)));
    let rules = rules(&evaluator, None, Mode::AsHost);
    let export::Others::PassWhere(patterns) = &rules.others else { panic!("{:?}", rules.others) };
    assert_eq!(patterns.len(), 64);
    // What a search of one name costs, by the server's own formula, times the names that are searched.
    let each: usize = patterns.iter().map(|p| 28_usize.div_ceil(10) * p.len().div_ceil(4) + 6).sum();
    let text = exported(std::slice::from_ref(&rules), Target::Vap);
    let (_, bound) = text.split_once("size(variables.unknown) > ").unwrap();
    let bound: usize = bound.split_once(' ').unwrap().0.parse().unwrap();
    assert!(bound >= 100 && bound * each <= 1_000_000, "{bound} names of {each}");
    // Each of 4,000 annotations is looked for among all names that are known.
    assert!((rules.allowed.len() + rules.refused.len() + 4) * 4000 < 1_000_000);
    let many: Vec<(String, String)> =
        (0..bound + 1).map(|n| (hypervisor(&format!("x00_pattern{n}")), String::new())).collect();
    let policy = pod_policy(rules);
    assert!(policy.judge(&created(&pod(&many))).unwrap_err().contains(&format!("{} annotations", bound + 1)));
    assert_eq!(policy.judge(&created(&with(&[("x00abc_pattern", "")]))), Ok(()));
    assert!(policy.judge(&created(&with(&[("x00abc_pattern2", "")]))).is_err());
}

/// The file as it is, but for the program's version.
fn golden(name: &str, target: Target, mode: Mode) {
    let evaluator = evaluator(Release::newest(Runtime::Go), LISTS);
    let text = exported(&[rules(&evaluator, Some("kata-qemu"), mode)], target);
    assert!(
        text.lines().filter(|line| line.starts_with('#')).all(|line| line.chars().count() <= 110),
        "{text}"
    );
    insta::assert_snapshot!(name, text.replace(env!("CARGO_PKG_VERSION"), "VERSION"));
}

#[test]
fn each_target_has_its_form() {
    golden("vap", Target::Vap, Mode::Closed);
    golden("vap-as-host", Target::Vap, Mode::AsHost);
    golden("kyverno", Target::Kyverno, Mode::Closed);
    golden("gatekeeper", Target::Gatekeeper, Mode::Closed);
    golden("containerd", Target::Containerd, Mode::NothingLost);
    golden("helm", Target::Helm, Mode::Closed);
    golden("machineconfig", Target::MachineConfig, Mode::AsHost);
}

#[test]
fn a_file_says_whether_it_is_stale() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    let run = |words: &[&str]| {
        let mut command = Command::cargo_bin("katascope").unwrap();
        let output =
            command.args(["policy", "export"]).args(words).current_dir(folder.path()).output().unwrap();
        (
            output.status.code(),
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    let file = format!("{QEMU}{QEMU_NAMES}");
    write("c.toml", &file);
    let (code, _, stderr) = run(&["--to", "vap", "-c", "c.toml", "--mode", "nothing-lost", "-o", "p.yaml"]);
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stderr.contains("static pods"), "{stderr}");
    let check = || run(&["--check", "p.yaml", "-c", "c.toml"]);
    let (code, stdout, _) = check();
    assert_eq!((code, stdout.contains("current")), (Some(0), true), "{stdout}");
    write("c.toml", &format!("{file}# a word\n"));
    let (code, stdout, _) = check();
    assert_eq!((code, stdout.contains("its policy has not")), (Some(0), true), "{stdout}");
    write("c.toml", &file.replace("\"enable_iommu\"", "\"enable_iommu\", \"path\""));
    let (code, stdout, _) = check();
    assert_eq!((code, stdout.starts_with("stale  every pod: ")), (Some(1), true), "{stdout}");
    write("p.yaml", "a: b\n");
    assert_eq!(check().0, Some(2));
    let (code, _, stderr) =
        run(&["--to", "containerd", "--mode", "as-host", "--handler", "kata", "-c", "c.toml"]);
    assert_eq!((code, stderr.contains("--mode closed")), (Some(2), true), "{stderr}");
}
