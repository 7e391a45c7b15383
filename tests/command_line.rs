//! The command line as somebody meets it who guesses: near misses, broken files, help.

use crate::support::katascope;

#[test]
fn a_handler_that_nothing_tells_of_is_not_passed_over_in_silence() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("c.toml", crate::support::QEMU);
    write(
        "p.json",
        r#"{"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "a"}, "spec": {"containers": []}}"#,
    );
    let args = ["check", "-c", "c.toml", "--files", "assume", "--handler", "kata-qemu", "p.json"];
    let (_, said, _) = katascope(folder.path(), &args);
    assert!(said.contains("--handler kata-qemu is passed over") && said.contains("--cri-config"), "{said}");
}

#[test]
fn one_of_a_kind_is_counted_as_one() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("c.toml"), crate::support::QEMU).unwrap();
    let pod = |name: &str| {
        format!(
            "{{\"kind\": \"Pod\", \"apiVersion\": \"v1\", \"metadata\": {{\"name\": \"{name}\"}}, \"spec\": {{\"containers\": []}}}}\n"
        )
    };
    for (pods, words) in [(pod("a"), "for 1 pod\n"), (pod("a") + &pod("b"), "for 2 pods\n")] {
        std::fs::write(folder.path().join("p.json"), pods).unwrap();
        let args = ["policy", "suggest", "-c", "c.toml", "--files", "assume", "p.json"];
        let (suggested, said, _) = katascope(folder.path(), &args);
        assert!(suggested.contains(words), "{suggested}{said}");
    }
}

#[test]
fn help_of_a_key_explains_it() {
    let folder = tempfile::tempdir().unwrap();
    let (explained, _, status) = katascope(folder.path(), &["explain", "default_memory"]);
    let (helped, _, also) = katascope(folder.path(), &["help", "default_memory"]);
    assert_eq!((helped.as_str(), also), (explained.as_str(), status));
    assert!(helped.contains("default_memory"));
    let (check, _, _) = katascope(folder.path(), &["help", "check"]);
    assert!(check.contains("Usage: katascope check"), "{check}");
}

#[test]
fn a_command_that_is_misspelt_is_no_manifest() {
    let folder = tempfile::tempdir().unwrap();
    let (_, said, status) = katascope(folder.path(), &["chekc"]);
    assert_eq!(status, 2);
    assert_eq!(said, "katascope: no command and no file is named 'chekc'; did you mean katascope check?\n");
}

#[test]
fn broken_files_are_shown_with_a_mark() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("kata.toml"), "[hypervisor.qemu]\n").unwrap();
    std::fs::write(folder.path().join("bad.json"), "{\"kind\": \"Pod\",\n \"metadata\": {\"name\": ]}}")
        .unwrap();
    let (_, said, status) = katascope(folder.path(), &["check", "-c", "kata.toml", "bad.json"]);
    assert_eq!(status, 2);
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines[0].starts_with("katascope: bad.json:2:23: "), "{said}");
    assert_eq!(
        lines[lines.len() - 2..],
        ["  2 |  \"metadata\": {\"name\": ]}}", "    |                       ^"],
        "{said}"
    );
}

#[test]
fn what_is_no_manifest_is_told_by_its_look() {
    let folder = tempfile::tempdir().unwrap();
    let looks = [
        ("kata.toml", "[hypervisor.qemu]\npath = \"/a\"\n", "looks like a configuration"),
        ("a.txt", "NAME   READY   STATUS\nweb    1/1     Running\n", "-o json or -o yaml"),
        ("b.txt", "NAMESPACE   NAME   READY\nshop        web    1/1\n", "-o json or -o yaml"),
        ("c.txt", "NAMES\n", "string stands where an object has to be"),
    ];
    for (name, text, expected) in looks {
        std::fs::write(folder.path().join(name), text).unwrap();
        let (_, said, status) = katascope(folder.path(), &["check", "-c", "kata.toml", name]);
        assert_eq!(status, 2, "{said}");
        assert!(said.contains(expected), "{name}: {said}");
    }
}

#[test]
fn a_configuration_that_is_not_there_is_said_at_once() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("etc")).unwrap();
    std::fs::write(folder.path().join("etc/kata.toml"), "").unwrap();
    let (_, said, status) = katascope(folder.path(), &["check", "-c", "/etc/kata.toml", "--root", "."]);
    assert_eq!(status, 2);
    assert!(said.contains("below --root it is -c ./etc/kata.toml"), "{said}");
}

#[test]
fn short_help_fits_a_screen() {
    let folder = tempfile::tempdir().unwrap();
    for command in [&["-h"][..], &["check", "-h"], &["show", "-h"], &["policy", "-h"]] {
        let (help, _, _) = katascope(folder.path(), command);
        assert!(help.lines().count() <= 42, "{} lines:\n{help}", help.lines().count());
        assert!(help.lines().all(|l| l.chars().count() <= 100), "{help}");
    }
    let (long, _, _) = katascope(folder.path(), &["--help"]);
    assert!(long.contains("--cri-config") && long.contains("Exit status:"), "{long}");
}

#[test]
fn the_manual_has_its_sections_and_one_title_line() {
    let folder = tempfile::tempdir().unwrap();
    let (page, _, _) = katascope(folder.path(), &["man"]);
    let title = page.lines().find(|l| l.starts_with(".TH")).unwrap();
    assert!(title.contains("katascope 1") && title.matches('"').count() % 2 == 0, "{title}");
    let sections: Vec<&str> =
        page.lines().filter_map(|l| l.strip_prefix(".SH ")).map(|s| s.trim_matches('"')).collect();
    for section in ["EXAMPLES", "EXIT STATUS", "FILES", "ENVIRONMENT"] {
        assert_eq!(sections.iter().filter(|s| **s == section).count(), 1, "{section}");
    }
}

/// What is under version control beside manifests: a chart's values and templates, a kustomization, a ConfigMap.
#[test]
fn files_that_are_no_manifests_of_pods_are_skipped_where_that_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("kata.toml", "[hypervisor.qemu]\n");
    write("values.yaml", "replicas: 3\n");
    write(
        "deployment.yaml",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {{ .Release.Name }}\n",
    );
    write("map.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n");
    write("package.json", "{\"name\": \"a\"}\n");
    write("broken.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: [\n");
    write(
        "pod.yaml",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, image: a}]}\n",
    );
    let check = |files: &[&str]| {
        let words: Vec<&str> = ["check", "-c", "kata.toml", "-q"].iter().chain(files).copied().collect();
        let (_, said, status) = katascope(folder.path(), &words);
        (status, said)
    };
    let others = ["values.yaml", "deployment.yaml", "map.yaml", "package.json"];
    for one in others {
        assert_eq!(check(&[one]).0, 2, "{one}");
        assert_eq!(check(&["--skip-others", one]), (0, String::new()), "{one}");
    }
    let (with_a_pod, said) = check(&[&["--skip-others"], &others[..], &["pod.yaml"]].concat());
    assert!(with_a_pod < 2, "{said}");
    let (broken, said) = check(&["--skip-others", "broken.yaml"]);
    assert_eq!(broken, 2, "{said}");
    assert!(said.contains("broken.yaml:"), "{said}");
}
