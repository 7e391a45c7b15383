//! The pod starts, or does not, in a way that nobody may have meant.

use super::*;

fn evaluate(hypervisor: &str, annotations: &[(&str, &str)]) -> Evaluation {
    rs_evaluator(&rs(hypervisor, "")).evaluate(&pod(annotations), Depth::Full)
}

#[test]
fn a_glob_reaches_over_folders_and_a_path_climbs_out_of_them() {
    let lists = format!("{}\nvalid_hypervisor_paths = [\"/opt/*\"]", allow(&["path"]));
    let path = format!("{HV}path");
    let deep = evaluate(&lists, &[(&path, "/opt/kata/bin/qemu-system-x86_64")]);
    assert_eq!(deep.outcome.failure(), None);
    finding(&deep, Code::GlobOverFolders);
    let climbs = evaluate(&lists, &[(&path, "/opt/../opt/kata/bin/qemu-system-x86_64")]);
    finding(&climbs, Code::PathClimbs);
}

#[test]
fn no_number_passes_every_check() {
    let nan = evaluate(&allow(&["default_vcpus"]), &[(&format!("{HV}default_vcpus"), "NaN")]);
    assert_eq!(nan.outcome.failure(), None);
    finding(&nan, Code::NotANumber);
}

#[test]
fn one_bad_pattern_disables_the_list() {
    let key = format!("{HV}default_vcpus");
    let evaluation = evaluate(&allow(&["(", "default_vcpus"]), &[(&key, "2")]);
    finding(&evaluation, Code::PolicyDisabled);
    let verdict = verdict(&evaluation, &key);
    assert_eq!((verdict.status, verdict.stage), (Status::Ignored, Stage::Name));
    says(&verdict.reason(), &["\"(\" disables all"]);
}

#[test]
fn what_this_hypervisor_does_not_use_is_said() {
    let lists = format!("{}\nvalid_entropy_sources = [\"/dev/*\"]", allow(&["entropy_source"]));
    let key = format!("{HV}entropy_source");
    let evaluation = evaluate(&lists, &[(&key, "/dev/random")]);
    finding(&evaluation, Code::NoEffect);
    let reason = "sets entropy_source, which qemu does not use (only clh)";
    assert_eq!(verdict(&evaluation, &key).reason(), reason);
}

#[test]
fn only_the_culprit_is_refused() {
    let (kernel, vcpus) = (format!("{HV}kernel"), format!("{HV}default_vcpus"));
    let gone = evaluate(&allow(&["kernel", "default_vcpus"]), &[(&kernel, "/nope"), (&vcpus, "2")]);
    assert_eq!(gone.outcome.failure().unwrap().annotation.as_deref(), Some(&*kernel));
    assert_eq!(verdict(&gone, &kernel).status, Status::Refused);
    let other = verdict(&gone, &vcpus);
    assert_eq!(other.status, Status::Applied);
    says(&other.reason(), &["sets default_vcpus, but the pod does not start"]);
}

#[test]
fn the_order_of_agent_parameters_was_random() {
    let said = |release, agent: &str| {
        let text = rs("", "").replace("[agent.kata]", &format!("[agent.kata]\n{agent}"));
        let host = Fixture::new().with(RS, &text).host();
        let evaluation = evaluator(host, RS, release, Engine::Assumed).evaluate(&pod(&[]), Depth::Full);
        evaluation.findings.iter().any(|finding| finding.code == Code::RandomOrder)
    };
    assert!(said(Release::rs(3, 25, 0), "debug_console_enabled = true"));
    assert!(!said(Release::rs(3, 26, 0), "debug_console_enabled = true"));
    assert!(!said(Release::rs(3, 25, 0), "container_pipe_size = 0"));
}
