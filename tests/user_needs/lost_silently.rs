//! Lost without a word.

use super::*;

#[test]
fn case_01_everything_is_enabled_and_containerd_passes_nothing_on() {
    let table = "version = 3\n[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.kata]\n\
                 runtime_type = 'io.containerd.kata.v2'\n";
    let (_, engine) = containerd(table, "kata");
    let host = Fixture::new().with(GO, &go(&allow(&[".*"]), "")).host();
    let key = format!("{HV}kernel_params");
    let evaluation = evaluator(host, GO, Release::newest(Runtime::Go), engine)
        .evaluate(&pod(&[(&key, "quiet")]), Depth::Verdicts);
    assert_eq!(evaluation.outcome.as_str(), "starts");
    let verdict = verdict(&evaluation, &key);
    assert_eq!((verdict.status, verdict.stage), (Status::Dropped, Stage::Cri));
    says(&verdict.reason(), &["handler kata has no pod_annotations", "silently"]);
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
    for release in [Release::newest(Runtime::Go), Release::newest(Runtime::Rs)] {
        let evaluator =
            evaluator(host.clone(), GO, Release::newest(Runtime::Go), engine.clone()).with_release(release);
        let evaluation = evaluator.evaluate(&pod, Depth::Verdicts);
        let first = verdict(&evaluation, prefix);
        assert_eq!((first.status, first.stage), (Status::Dropped, Stage::Cri));
        says(&fix(first), &[&right]);
        let misspelt = finding(&evaluation, Code::KeyMisspelt);
        assert_eq!((misspelt.subject.as_deref(), misspelt.who), (Some(prefix), Who::PodAuthor));
        if release == Release::newest(Runtime::Go) {
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
    let evaluation = evaluator(host, GO, Release::newest(Runtime::Go), engine)
        .evaluate(&pod(&[(key, "e1000e")]), Depth::Verdicts);
    let verdict = verdict(&evaluation, key);
    assert_eq!(verdict.status, Status::Dropped);
    says(&verdict.reason(), &["handler kata-old", "config.toml:6", "counts for kata only"]);
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
    let evaluation =
        evaluator(host, GO, Release::newest(Runtime::Go), engine).evaluate(&pod, Depth::Verdicts);
    let verdict = verdict(&evaluation, &key);
    assert_eq!(verdict.status, Status::Applied);
    let stages: Vec<_> = verdict.trace.iter().map(|s| s.stage).collect();
    assert_eq!(stages.first(), Some(&Stage::Cri));
    assert_eq!(stages.last(), Some(&Stage::Effective));
    assert!(stages.contains(&Stage::Name) && verdict.trace.iter().all(|s| s.passed));
    let cri = verdict.trace.iter().next().unwrap().place.as_ref().unwrap();
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
        &[
            "the pod starts, and its Kata annotations take effect",
            "✓ container runtime",
            "config.toml:4",
            "✓ name",
        ],
    );
}
