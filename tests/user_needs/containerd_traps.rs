//! containerd's traps.

use super::*;

#[test]
fn case_26_a_drop_in_wipes_the_handlers_of_1_x() {
    let main = "version = 2\nimports = ['/etc/containerd/conf.d/*.toml']\n\
                [plugins.'io.containerd.grpc.v1.cri'.containerd.runtimes.runc]\nruntime_type = 'io.containerd.runc.v2'\n\
                [plugins.'io.containerd.grpc.v1.cri'.containerd.runtimes.kata-qemu]\nruntime_type = 'io.containerd.kata-qemu.v2'\n";
    let drop_in = "version = 2\n[plugins.'io.containerd.grpc.v1.cri'.containerd.runtimes.runc]\n\
                   runtime_type = 'io.containerd.runc.v2'\n\
                   [plugins.'io.containerd.grpc.v1.cri'.containerd.runtimes.nvidia]\nruntime_type = 'io.containerd.runc.v2'\n";
    let read = |release: &str| {
        let host =
            Fixture::new().with(CONTAINERD, main).with("/etc/containerd/conf.d/99.toml", drop_in).host();
        Containerd::read(
            &host,
            CONTAINERD,
            containerd::Release::parse(release).unwrap(),
            Some("kata-qemu".into()),
        )
    };
    let names = |containerd: &Containerd| {
        let mut names: Vec<_> = containerd.handlers.as_ref().unwrap().by_name.keys().cloned().collect();
        names.sort();
        names
    };
    let (old, new) = (read("1.7.34"), read("2.2.7"));
    assert_eq!(names(&old), ["nvidia", "runc"]);
    assert_eq!(names(&new), ["kata-qemu", "nvidia", "runc"]);
    let lost = old.lost();
    assert_eq!(lost.len(), 1);
    assert_eq!((lost[0].0.as_str(), &*lost[0].1.file, lost[0].1.line), ("kata-qemu", CONTAINERD, 5));
    assert!(new.lost().is_empty());
    let host = Fixture::new().with(GO, &go("", "")).host();
    let evaluation = evaluator(host, GO, Release::newest(Runtime::Go), Engine::Containerd(Box::new(old)))
        .evaluate(&pod(&[]), Depth::Verdicts);
    says(&evaluation.outcome.failure().unwrap().message, &["no runtime for \"kata-qemu\" is configured"]);
    says(&finding(&evaluation, Code::HandlerMissing).message, &["config.toml:5", "conf.d/99.toml"]);
}

#[test]
fn case_27_no_runtime_class_no_kata() {
    let text = format!(
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\n  annotations: {{{HV}default_vcpus: '2'}}\nspec:\n  \
         containers: [{{name: a, image: a}}]\n"
    );
    let pod = pods(&text, &Node::default()).remove(0);
    let evaluation = go_evaluator(&go(&allow(&["default_vcpus"]), "")).evaluate(&pod, Depth::Verdicts);
    let found = finding(&evaluation, Code::NoRuntimeClass);
    assert_eq!(found.who, Who::PodAuthor);
    says(&found.message, &["default runtime"]);
    says(&fix_of(found), &["runtimeClassName"]);
    // k3s reads its own rendered file, which is found without being named.
    let k3s = "/var/lib/rancher/k3s/agent/etc/containerd/config.toml";
    let root = root(&[(k3s, &handler_table("")), (ETC, &go("", ""))]);
    let said = katascope(&["which", "--root", root.to_str().unwrap()]);
    says(&said.text, &["kata", ETC]);
}

#[test]
fn case_28_a_table_of_another_version_is_ignored() {
    let table = "version = 3\n[plugins.'io.containerd.grpc.v1.cri'.containerd.runtimes.kata]\n\
                 runtime_type = 'io.containerd.kata.v2'\n";
    let under = |release: &str| {
        let host = Fixture::new().with(CONTAINERD, table).with(GO, &go("", "")).host();
        let read = Containerd::read(
            &host,
            CONTAINERD,
            containerd::Release::parse(release).unwrap(),
            Some("kata".into()),
        );
        evaluator(host, GO, Release::newest(Runtime::Go), Engine::Containerd(Box::new(read)))
            .evaluate(&pod(&[]), Depth::Verdicts)
    };
    // 2.3 moves the old table whatever version the file says.
    assert_eq!(under("2.3.4").outcome.as_str(), "starts");
    let evaluation = under("2.2.7");
    says(&evaluation.outcome.failure().unwrap().message, &["no runtime for \"kata\" is configured"]);
    let found = finding(&evaluation, Code::TableUnread);
    says(&found.message, &["io.containerd.grpc.v1.cri", "ignores"]);
    assert_eq!((found.place.as_ref().unwrap().line, found.who), (2, Who::ClusterAdministrator));
    // A handler whose file is gone.
    let gone = handler_table("options = { ConfigPath = '/opt/kata/gone.toml' }");
    let which = which_file(Fixture::new().with(CONTAINERD, &gone), None);
    says(&which.candidates[0].why, &["does not exist", "every pod fails"]);
}
