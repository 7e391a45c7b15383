//! Kubernetes' own rules.

use super::*;

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
        assert_eq!(fate.trace.iter().next().unwrap().place.as_ref().unwrap().line, 6);
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
