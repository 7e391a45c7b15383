//! The VM has another size.

use super::*;

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
    let sum = partial.sum.as_ref().unwrap().tell();
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
    let host = Fixture::new()
        .with("/etc/crio/crio.conf", conf)
        .program("/opt/kata/bin/containerd-shim-kata-v2")
        .with("/c", "")
        .with(RS, &rs("", ""))
        .host();
    let crio = Crio::read(&host, "/etc/crio/crio.conf", Some("kata".into()));
    let pod = sized("{limits: {cpu: 4, memory: 8Gi}}");
    let far = evaluator(host.clone(), RS, Release::newest(Runtime::Rs), Engine::Crio(Box::new(crio)));
    let near = evaluator(host, RS, Release::newest(Runtime::Rs), Engine::Assumed);
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
                None if evaluator.setup().release.runtime == Runtime::Rs => {
                    // Read past, with the configured size kept.
                    assert_eq!((fate.status, boots(&evaluation).1), (Status::Ignored, 2048.0), "{value:?}");
                    says(&fate.reason(), &["cannot read this", "keeps"]);
                }
                None => {
                    assert_eq!(fate.status, Status::Refused, "{value:?}: {}", fate.reason());
                    assert!(evaluation.outcome.failure().is_some());
                }
            }
        }
    }
}
