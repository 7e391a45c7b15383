//! Which file, which shim.

use super::*;

#[test]
fn case_19_kubelet_and_ctr_read_different_files() {
    let table = handler_table(&format!("options = {{ ConfigPath = '{CLH}' }}"));
    let fixture = Fixture::new().with(CONTAINERD, &table).with(CLH, "").with(ETC, &go("", ""));
    let which = which_file(fixture, None);
    assert_eq!(which.config(), Some(CLH));
    let lost = which.candidates.iter().find(|c| c.path == ETC).unwrap();
    assert!(!lost.chosen);
    says(&lost.why, &["not searched"]);
    says(&which.notes.join("\n"), &["ctr, nerdctl and docker", ETC]);
}

#[test]
fn case_20_the_variable_may_only_name_a_default_file() {
    let fixture = || Fixture::new().with(CONTAINERD, &handler_table("")).with(CLH, "");
    let refused = which_file(fixture(), Some(CLH));
    says(&refused.candidates[0].why, &["refused", "default files"]);
    says(&refused.candidates[0].why, &["ConfigPath"]);
    let linked = fixture()
        .link("/opt/kata/share/defaults/kata-containers/configuration.toml", "configuration-clh.toml");
    let taken = which_file(linked, Some(CLH));
    assert_eq!(taken.config(), Some(CLH));
    assert!(!taken.candidates[0].why.contains("refused"));
    let Meaning::Message(decoded) = explain("invalid KATA_CONF_FILE \"/x.toml\": not allowed") else {
        panic!()
    };
    says(decoded.message.advice, &["ConfigPath", "configuration.toml"]);
}

#[test]
fn case_21_a_file_that_nobody_reads() {
    let table = handler_table(&format!("options = {{ ConfigPath = '{CLH}' }}"));
    let clh = "[hypervisor.clh]\n";
    let root =
        root(&[(CONTAINERD, &table), (CLH, clh), (ETC, clh), ("/etc/kata-containers/config.d/10.toml", "")]);
    let ask = |path: &str| katascope(&["which", "--root", root.to_str().unwrap(), path]);
    for unread in [ETC, "/etc/kata-containers/config.d/10.toml"] {
        let said = ask(unread);
        says(&said.text, &["no handler reads", unread]);
        assert_eq!(said.status, 1);
    }
    let said = ask(CLH);
    says(&said.text, &["kata", "read by"]);
    assert_eq!(said.status, 0);
}

#[test]
fn case_22_the_guest_image_has_to_bring_the_module() {
    let key = "io.katacontainers.config.agent.kernel_modules";
    let evaluation = go_evaluator(&go("", "")).evaluate(&pod(&[(key, "mlx5_core")]), Depth::Verdicts);
    assert_eq!(verdict(&evaluation, key).status, Status::Applied);
    let found = finding(&evaluation, Code::GuestMustBring);
    assert_eq!((found.who, found.severity), (Who::ImageBuilder, Severity::Note));
    says(&found.message, &["mlx5_core", "guest image"]);
    let Meaning::Message(decoded) =
        explain("modprobe: FATAL: Module mlx5_core not found in directory /lib/modules/6.12")
    else {
        panic!()
    };
    assert_eq!(decoded.who(), Who::ImageBuilder);
}
