//! Keys that nobody reads, and what the host decides: huge pages, hotplug, devices, the pod's cgroup, the CPUs that
//! the shim may run on. And none of it where all is well.

use katascope::input::host::Arch;
use katascope::release::Version;

use super::*;

/// Findings about the configuration and the host that are told of pods that start.
const CODES: [Code; 9] = [
    Code::KeyUnread,
    Code::OtherSyntax,
    Code::DigestCut,
    Code::HugePagesShort,
    Code::PluggedIn,
    Code::NoHotplug,
    Code::DeviceMissing,
    Code::CgroupShort,
    Code::LargerThanHost,
];

fn on(fixture: Fixture, text: &str, runtime: Runtime) -> Evaluator {
    let path = if runtime == Runtime::Go { GO } else { RS };
    evaluator(fixture.with(path, text).host(), path, Release::newest(runtime), Engine::Assumed)
}

/// A host with the devices that VMs need.
fn whole() -> Fixture {
    let mut fixture = Fixture::new();
    for device in ["/dev/pts/0", "/dev/kvm", "/dev/vhost-net", "/dev/hugepages/.keep"] {
        fixture = fixture.with(device, "");
    }
    fixture.facts.hugepages = true;
    fixture
}

fn ask(evaluator: &Evaluator, resources: &str) -> Evaluation {
    evaluator.evaluate(&sized(resources), Depth::Verdicts)
}

#[test]
fn a_key_that_nobody_reads_is_told_with_its_line_and_the_nearest() {
    let evaluation = ask(&go_evaluator(&go("defualt_memory = 4096", "")), "{}");
    let found = finding(&evaluation, Code::KeyUnread);
    says(&found.message, &["defualt_memory"]);
    says(&fix_of(found), &["default_memory"]);
    let line =
        go("defualt_memory = 4096", "").lines().position(|line| line.starts_with("defualt")).unwrap() + 1;
    assert_eq!(found.place.as_ref().map(|place| place.line as usize), Some(line));
    // A key of the other runtime.
    let text = go("", "").replace("[agent.kata]\n", "[agent.kata]\nreconnect_timeout_ms = 3000\n");
    says(&finding(&ask(&go_evaluator(&text), "{}"), Code::KeyUnread).message, &["reconnect_timeout_ms"]);
}

#[test]
fn too_few_huge_pages_are_told_with_count_and_size() {
    let memory = "MemTotal: 64000000 kB\nHugePages_Total: 512\nHugePages_Free: 512\nHugepagesize: 2048 kB\n";
    let text = go("enable_hugepages = true\ndefault_memory = 2048", "");
    let short = on(whole().with("/proc/meminfo", memory), &text, Runtime::Go);
    says(
        &finding(&ask(&short, "{}"), Code::HugePagesShort).message,
        &["2048 MiB", "512 free of 2048 KiB, 1024 MiB in all"],
    );
    let enough = on(whole().with("/proc/meminfo", &memory.replace("512", "1024")), &text, Runtime::Go);
    assert!(ask(&enough, "{}").findings.iter().all(|f| f.code != Code::HugePagesShort));
}

#[test]
fn memory_that_is_plugged_in_over_many_steps_is_told_with_its_sum() {
    let evaluator = on(whole(), &go("default_memory = 256", ""), Runtime::Go);
    let evaluation = ask(&evaluator, "{limits: {memory: 16Gi}}");
    says(&finding(&evaluation, Code::PluggedIn).message, &["16384 MiB", "256 MiB", "48 times", "12288 MiB"]);
    assert!(ask(&evaluator, "{limits: {memory: 8Gi}}").findings.iter().all(|f| f.code != Code::PluggedIn));
}

#[test]
fn a_machine_that_takes_no_cpus_while_it_runs_is_told() {
    let mut fixture = whole();
    fixture.facts.arch = Arch::Aarch64;
    let text = go("", "").replace("q35", "virt");
    let evaluation = ask(&on(fixture, &text, Runtime::Go), "{limits: {cpu: 2}}");
    says(&finding(&evaluation, Code::NoHotplug).message, &["aarch64", "boots with 1", "ask for 3"]);
}

#[test]
fn devices_that_the_host_lacks_are_told() {
    let evaluation = ask(&on(Fixture::new().with("/dev/pts/0", ""), &go("", ""), Runtime::Go), "{}");
    let missing: Vec<&str> = evaluation
        .findings
        .iter()
        .filter(|f| f.code == Code::DeviceMissing)
        .map(|f| f.message.split(',').next().unwrap_or_default())
        .collect();
    assert_eq!(missing.len(), 2, "{missing:?}");
    says(&missing.join(" "), &["/dev/kvm", "/dev/vhost-net"]);
}

#[test]
fn the_pods_cgroup_is_held_against_the_vm() {
    let text = "apiVersion: node.k8s.io/v1\nkind: RuntimeClass\nmetadata: {name: kata}\nhandler: kata\noverhead: \
                {podFixed: {memory: 160Mi}}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: \
                {runtimeClassName: kata, containers: [{name: web, image: web, resources: {limits: {memory: 512Mi}}}]}\n";
    let pod = pods(text, &Node::default()).pop().unwrap();
    let evaluation = on(whole(), &go("", ""), Runtime::Go).evaluate(&pod, Depth::Verdicts);
    says(
        &finding(&evaluation, Code::CgroupShort).message,
        &["672 MiB", "limits 512 + overhead 160", "2560 MiB"],
    );
}

#[test]
fn the_cpus_that_the_shim_may_run_on_count() {
    let narrow = || {
        let mut fixture = whole();
        fixture.facts.cpus_allowed = Some(4);
        fixture
    };
    let key = format!("{HV}default_vcpus");
    let text = go(&allow(&["default_vcpus"]), "");
    let evaluator = on(narrow(), &text, Runtime::Go);
    let evaluation = evaluator.evaluate_and_advise(&pod(&[(&key, "8")]), Depth::Verdicts);
    says(verdict(&evaluation, &key).reason().as_ref(), &["4 CPUs"]);
    says(&evaluation.way_out.unwrap().facts.join("\n"), &["4 of the host's 64 CPUs"]);
    assert_eq!(evaluator.evaluate(&pod(&[(&key, "4")]), Depth::Verdicts).outcome.as_str(), "starts");
    let evaluation = ask(&evaluator, "{limits: {cpu: 8}}");
    says(&finding(&evaluation, Code::LargerThanHost).message, &["9 vCPUs", "4 of the host's 64 CPUs"]);
    // What the configuration leaves open is all of the machine's since 3.4, and the shim's before.
    let most = |release| {
        let evaluation = evaluator.with_release(release).evaluate(&pod(&[]), Depth::Full);
        evaluation.effective.unwrap().get("hypervisor.qemu.default_maxvcpus").unwrap().value.as_f64()
    };
    assert_eq!(most(Release::newest(Runtime::Go)), Some(64.0));
    assert_eq!(most(Release::new(Runtime::Go, Version::new(3, 3, 0))), Some(4.0));
    let plugged = rs("", "").replace("resource_mgmt = true", "resource_mgmt = false");
    let evaluation = on(narrow(), &plugged, Runtime::Rs).evaluate(&pod(&[]), Depth::Full);
    let most = evaluation.effective.unwrap();
    assert_eq!(most.get("hypervisor.qemu.default_maxvcpus").unwrap().value.as_f64(), Some(4.0));
}

#[test]
fn nothing_is_pointed_out_where_all_is_well() {
    let memory = "HugePages_Free: 4096\nHugepagesize: 2048 kB\n";
    for (runtime, text) in [
        (Runtime::Go, go("", "")),
        (Runtime::Go, go("enable_hugepages = true", "")),
        (Runtime::Go, go("default_memory = 512", "static_sandbox_resource_mgmt = true")),
        (Runtime::Rs, rs("", "")),
        (Runtime::Rs, rs("enable_hugepages = true", "")),
    ] {
        let evaluator = on(whole().with("/proc/meminfo", memory), &text, runtime);
        for resources in ["{}", "{limits: {cpu: 2}}", "{limits: {cpu: 2, memory: 2Gi}}"] {
            let evaluation = ask(&evaluator, resources);
            assert_eq!(evaluation.outcome.as_str(), "starts", "{:?}", evaluation.outcome);
            let told: Vec<_> = evaluation.findings.iter().filter(|f| CODES.contains(&f.code)).collect();
            assert!(told.is_empty(), "{resources} {text}: {told:#?}");
        }
    }
}
