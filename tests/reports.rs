//! The machine-readable reports of the built program: the contract's schema, SARIF's and JUnit's shape.

use assert_cmd::Command;
use serde_json::Value;

/// The program with a neutral environment.
fn katascope(args: &[&str]) -> (i32, String, String) {
    let output = Command::cargo_bin("katascope")
        .unwrap()
        .args(args)
        .env_clear()
        .env("TERM", "dumb")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    (
        output.status.code().unwrap(),
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

fn schema() -> jsonschema::Validator {
    let text = include_str!("../assets/schema/check-1.schema.json");
    jsonschema::validator_for(&serde_json::from_str(text).unwrap()).unwrap()
}

fn complaints(report: &str) -> Vec<String> {
    let report: Value = serde_json::from_str(report).unwrap();
    schema().iter_errors(&report).map(|e| format!("{}: {e}", e.instance_path())).collect()
}

#[test]
fn the_sample_keeps_the_contract() {
    for args in [&["check", "-o", "json"][..], &["check", "--json", "--full"]] {
        let (status, report, _) = katascope(args);
        assert_eq!(status, 1, "the sample has refused pods");
        assert_eq!(complaints(&report), Vec::<String>::new(), "{args:?}");
    }
}

#[test]
fn the_schema_refuses_what_breaks_the_contract() {
    let (_, report, _) = katascope(&["check", "--json"]);
    let mut report: Value = serde_json::from_str(&report).unwrap();
    report["pods"][0]["outcome"] = "maybe".into();
    assert!(!schema().is_valid(&report));
}

#[test]
fn a_configuration_that_does_not_load_is_told_in_the_report() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("configuration.toml");
    std::fs::write(&config, "[runtime]\nname = \"virt_container\"\nhypervisor_name = [\n").unwrap();
    let pod = dir.path().join("pod.yaml");
    std::fs::write(
        &pod,
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: c, image: i}]}\n",
    )
    .unwrap();
    let (status, report, errors) = katascope(&[
        "check",
        "--json",
        "--runtime",
        "rs",
        "-c",
        config.to_str().unwrap(),
        pod.to_str().unwrap(),
    ]);
    assert_eq!(complaints(&report), Vec::<String>::new());
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["pods"][0]["error"]["stage"], "load");
    assert!(report["policy"]["error"]["message"].as_str().unwrap().contains("TOML parse error"));
    assert_eq!(status, 2, "malformed input is trouble, not a finding: {errors}");
}

#[test]
fn sarif_has_a_rule_and_a_place_for_every_result() {
    let (_, log, _) = katascope(&["check", "-o", "sarif"]);
    let log: Value = serde_json::from_str(&log).unwrap();
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    let rules: Vec<&str> = run["tool"]["driver"]["rules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["id"].as_str().unwrap())
        .collect();
    let results = run["results"].as_array().unwrap();
    assert!(results.len() > 5);
    for result in results {
        assert!(rules.contains(&result["ruleId"].as_str().unwrap()));
        assert!(["error", "warning", "note"].contains(&result["level"].as_str().unwrap()));
        let place = &result["locations"][0]["physicalLocation"];
        assert!(place["artifactLocation"]["uri"].is_string());
        assert!(place["region"]["startLine"].as_u64().unwrap() > 0);
    }
}

#[test]
fn junit_counts_what_it_lists() {
    let (_, xml, _) = katascope(&["check", "-o", "junit"]);
    let count = |what: &str| xml.matches(what).count();
    assert!(xml.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>"));
    assert_eq!(count("<testcase "), 5);
    assert!(xml.contains(&format!("tests=\"5\" failures=\"{}\"", count("<failure "))));
    assert_eq!(count("<testcase "), count("</testcase>") + count("/>\n"));
    assert!(xml.contains("sample/pods.yaml:"), "each text says where its pod stands");
}

/// What Jenkins' xUnit plugin takes (its schema is strict): element, attributes it must have, and may have.
const JUNIT: [(&str, &[&str], &[&str]); 5] = [
    ("testsuites", &[], &["name", "time", "tests", "failures", "errors"]),
    ("testsuite", &["name", "tests", "failures", "errors"], &["time", "skipped", "timestamp", "hostname"]),
    ("testcase", &["name"], &["time", "classname"]),
    ("failure", &[], &["type", "message"]),
    ("system-out", &[], &[]),
];

#[test]
fn junit_has_the_elements_and_attributes_that_its_strictest_reader_takes() {
    let (_, xml, _) = katascope(&["check", "-o", "junit"]);
    let element = regex::Regex::new(r#"<([a-z-]+)((?: [a-z]+="[^"]*")*)"#).unwrap();
    let attribute = regex::Regex::new(r#" ([a-z]+)=""#).unwrap();
    let mut seen = 0;
    for found in element.captures_iter(&xml) {
        let (_, must, may) = JUNIT.iter().find(|(name, ..)| *name == &found[1]).expect(&found[1]);
        let has: Vec<String> = attribute.captures_iter(&found[2]).map(|a| a[1].to_owned()).collect();
        for name in &has {
            assert!(must.iter().chain(*may).any(|known| known == name), "{}: {name}", &found[0]);
        }
        for name in *must {
            assert!(has.iter().any(|given| given == name), "{}: no {name}", &found[0]);
        }
        seen += 1;
    }
    assert!(seen > 10);
}

#[test]
fn hostile_names_never_reach_the_reader_raw() {
    let dir = tempfile::tempdir().unwrap();
    let pod = dir.path().join("pod.json");
    let text = serde_json::json!({
        "ociVersion": "1.1.0", "hostname": "a\u{1b}[31m",
        "annotations": { "io.katacontainers.x\u{202e}\u{1b}]0;t\u{7}": "v\u{0}\u{1b}[2J<&\">" },
    });
    std::fs::write(&pod, text.to_string()).unwrap();
    let config = dir.path().join("configuration.toml");
    std::fs::write(&config, "").unwrap();
    for format in ["text", "sarif", "junit"] {
        let (_, report, errors) = katascope(&[
            "check",
            "-o",
            format,
            "--runtime",
            "rs",
            "-c",
            config.to_str().unwrap(),
            pod.to_str().unwrap(),
        ]);
        for c in ['\u{1b}', '\u{7}', '\u{0}', '\u{202e}'] {
            assert!(!report.contains(c), "{format}: {c:?}");
            assert!(!errors.contains(c), "{format}: {c:?} on standard error");
        }
    }
}

#[test]
fn bad_input_is_one_clear_message_and_status_2() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("c.toml"), "").unwrap();
    std::fs::write(path("bad.yaml"), "a: [1,\nb: 2\n").unwrap();
    std::fs::write(
        path("pod.yaml"),
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: c, image: i}]}\n",
    )
    .unwrap();
    std::fs::write(path("none.yaml"), "apiVersion: v1\nkind: Service\nmetadata: {name: s}\n").unwrap();
    for (args, said) in [
        (vec!["check".into(), "-c".into(), path("c.toml"), path("missing.yaml")], "missing.yaml"),
        (vec!["check".into(), "-c".into(), path("c.toml"), path("bad.yaml")], "bad.yaml:"),
        (vec!["check".into(), "-c".into(), path("c.toml"), path("none.yaml")], "no pod"),
        (vec!["check".into(), "-c".into(), path("gone.toml"), path("pod.yaml")], "gone.toml"),
        (vec!["check".into(), "--runtime".into(), "java".into()], "java"),
        (
            vec![
                "check".into(),
                "--runtime".into(),
                "rs".into(),
                "--kata-version".into(),
                "2.1".into(),
                "-c".into(),
                path("c.toml"),
                path("none.yaml"),
            ],
            "runtime-rs",
        ),
    ] {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let (status, _, errors) = katascope(&args);
        assert_eq!(status, 2, "{args:?}: {errors}");
        assert!(errors.contains(said), "{args:?}: {errors}");
        assert!(!errors.contains("panicked"), "{errors}");
    }
}

#[test]
fn without_a_terminal_the_program_says_what_to_use() {
    let (status, out, errors) = katascope(&[]);
    assert_eq!((status, out.as_str()), (2, ""));
    assert!(errors.contains("katascope check"));
}
