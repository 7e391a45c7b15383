//! Not enabled.

use super::*;

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
    says(&verdict(&rust, &key).reason(), &["warning"]);
}

#[test]
fn case_06_which_shipped_files_would_take_the_pod() {
    let key = format!("{HV}default_vcpus");
    let evaluation =
        go_evaluator(&go(&allow(&["kernel_params"]), "")).evaluate(&pod(&[(&key, "2")]), Depth::Verdicts);
    let shipped = finding(&evaluation, Code::ShippedPolicy);
    says(&shipped.message, &["configuration-qemu-coco-dev.toml and 6 other configurations"]);
    assert!(!shipped.message.contains("configuration-qemu.toml"), "{}", shipped.message);
}

#[test]
fn case_07_the_message_itself_is_enough_of_a_question() {
    let event = "failed to create shim task: annotation io.katacontainers.config.hypervisor.memory_offset is not \
                 enabled: unknown";
    let Meaning::Message(decoded) = explain(event) else { panic!("no message") };
    assert_eq!(decoded.annotation.unwrap().base(), "memory_offset");
    assert_eq!(decoded.who(), Who::ClusterAdministrator);
    says(decoded.message.advice, &["enable_annotations", "drop-in", "allowedHypervisorAnnotations"]);
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
    let admitted = |release, patterns: &[&str]| {
        let patterns: Vec<String> = patterns.iter().map(|p| (*p).to_owned()).collect();
        let gate = NameGate::new(release, &patterns);
        let mut names: Vec<_> = catalog::annotations(release)
            .filter_map(|(annotation, _)| annotation.short())
            .filter(|short| gate.allows(short).is_some())
            .collect();
        names.sort_unstable();
        names
    };
    assert_eq!(
        admitted(Release::newest(Runtime::Go), &["path"]),
        ["guest_hook_path", "jailer_path", "path", "vhost_user_store_path"]
    );
    assert_eq!(admitted(Release::newest(Runtime::Go), &["^kernel$"]), ["kernel"]);
    let broken = admitted(Release::newest(Runtime::Go), &["[", "kernel"]);
    assert!(broken.contains(&"kernel") && broken.contains(&"kernel_params"), "{broken:?}");
    assert!(admitted(Release::newest(Runtime::Rs), &["[", "kernel"]).is_empty());
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
    let evaluation = evaluator(host, own, Release::newest(Runtime::Go), Engine::Assumed)
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
