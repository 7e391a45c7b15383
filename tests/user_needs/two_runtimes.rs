//! Two runtimes.

use super::*;

#[test]
fn case_23_noise_and_the_same_pod_on_both_runtimes() {
    let noise = "Annotation io.kubernetes.cri.container-type not enabled";
    let Meaning::Message(decoded) = explain(noise) else { panic!() };
    assert!(decoded.message.harmless);
    let plain = rs_evaluator(&rs("", "")).evaluate(&pod(&[]), Depth::Verdicts);
    assert_eq!((plain.outcome.as_str(), plain.findings.len()), ("starts", 0));
    // An enabled key that neither knows: read past by Go, refused by Rust.
    let key = format!("{HV}no_such_key");
    let other = pod(&[(&key, "1")]);
    let list = allow(&["no_such_key"]);
    let by_go = go_evaluator(&go(&list, "")).evaluate(&other, Depth::Verdicts);
    let by_rust = rs_evaluator(&rs(&list, "")).evaluate(&other, Depth::Verdicts);
    assert_eq!((by_go.outcome.as_str(), verdict(&by_go, &key).status), ("starts", Status::Unknown));
    says(&by_rust.outcome.failure().unwrap().message, &["Invalid annotation type", &key]);
    // A JSON list for Go, a comma list for Rust.
    let key = format!("{HV}virtio_fs_extra_args");
    let list = allow(&["virtio_fs_extra_args"]);
    let json = pod(&[(&key, "[\"-o\",\"a\"]")]);
    let comma = pod(&[(&key, "-o,a")]);
    let go = go_evaluator(&go(&list, ""));
    assert_eq!(verdict(&go.evaluate(&json, Depth::Verdicts), &key).status, Status::Applied);
    assert_eq!(verdict(&go.evaluate(&comma, Depth::Verdicts), &key).status, Status::Refused);
    let rust = rs_evaluator(&rs(&list, ""));
    let applied = rust.evaluate(&comma, Depth::Full);
    assert_eq!(verdict(&applied, &key).status, Status::Applied);
    says(&verdict(&applied, &key).after.as_ref().unwrap().to_string(), &["\"-o\",\"a\""]);
}

#[test]
fn case_24_cc_init_data_moved() {
    let (old, new) = ("io.katacontainers.config.runtime.cc_init_data", format!("{HV}cc_init_data"));
    let sides =
        [(go_evaluator(&go("", "")), "takes its place"), (rs_evaluator(&rs("", "")), "under that key")];
    for (evaluator, words) in sides {
        let evaluation = evaluator.evaluate(&pod(&[(old, "H4sI")]), Depth::Verdicts);
        assert_eq!(evaluation.outcome.as_str(), "starts");
        let fate = verdict(&evaluation, old);
        assert!(matches!(fate.status, Status::Unknown | Status::Ignored), "{fate:?}");
        says(&fix(fate), &[&new, words]);
    }
    let row = catalog::annotation(&new).unwrap();
    let since = |runtime| row.read_by(runtime).first().unwrap().0.to_string();
    assert_eq!((since(Runtime::Go), since(Runtime::Rs)), ("3.20.0".into(), "3.19.0".into()));
    assert_eq!(catalog::annotation(old).unwrap().replaced_by, Some(new.as_str()));
}

#[test]
fn case_25_an_initrd_beside_the_configured_image() {
    let key = format!("{HV}initrd");
    let pod = pod(&[(&key, "/opt/kata/initrd")]);
    let list = allow(&["initrd"]);
    let by_go = go_evaluator(&go(&list, "")).evaluate(&pod, Depth::Full);
    assert_eq!((by_go.outcome.as_str(), verdict(&by_go, &key).status), ("starts", Status::Applied));
    let args: Vec<_> = by_go.launch.as_ref().unwrap().args.iter().map(|a| a.text.as_str()).collect();
    let at = args.iter().position(|a| *a == "-initrd").unwrap();
    assert_eq!(args[at + 1], "/opt/kata/initrd");
    let by_rust = rs_evaluator(&rs(&list, "")).evaluate(&pod, Depth::Full);
    let message = &by_rust.outcome.failure().unwrap().message;
    says(&message.to_lowercase(), &["can not configure both"]);
    let Meaning::Message(decoded) = explain(message) else { panic!() };
    says(decoded.message.advice, &["empty annotation"]);
}
