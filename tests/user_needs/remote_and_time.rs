//! Remote hypervisor, and time.

use super::*;

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
    let far = evaluator(fixture.host(), GO, Release::newest(Runtime::Go), Engine::Assumed);
    let key = format!("{HV}default_vcpus");
    let evaluation = far.evaluate(&pod(&[(&key, "8")]), Depth::Verdicts);
    assert_eq!((evaluation.outcome.as_str(), verdict(&evaluation, &key).status), ("starts", Status::Applied));
    assert!(evaluation.findings.iter().all(|f| f.code != Code::LargerThanHost));
    // A local one is refused.
    let mut fixture = Fixture::new().with(GO, &go(&allow(&["default_vcpus"]), ""));
    fixture.facts.cpus = 4;
    let near = evaluator(fixture.host(), GO, Release::newest(Runtime::Go), Engine::Assumed);
    assert_eq!(verdict(&near.evaluate(&pod(&[(&key, "8")]), Depth::Verdicts), &key).status, Status::Refused);
}
