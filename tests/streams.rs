//! Long inputs through the program itself: order, classes that come late, lines that are broken.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value as Json;

const CONFIG: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/sample/configuration.toml");

fn pod(index: usize) -> String {
    format!(
        "{{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{{\"name\":\"web-{index}\",\"annotations\":{{\"pad\":\"{}\"}}}},\
         \"spec\":{{\"runtimeClassName\":\"kata\",\"containers\":[{{\"name\":\"a\",\"image\":\"a\"}}]}}}}\n",
        "x".repeat(1000)
    )
}

/// The report as JSON, what was said on standard error, and the exit status.
fn check(input: &str) -> (Json, String, i32) {
    check_by(input, &[])
}

fn check_by(input: &str, more: &[&str]) -> (Json, String, i32) {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let mut child = Command::new(env!("CARGO_BIN_EXE_katascope"))
        .args(["check", "--json", "-c", CONFIG, "--root", root.to_str().unwrap(), "-"])
        .args(more)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let text = input.to_owned();
    let writer = std::thread::spawn(move || {
        // The program may stop reading before the end.
        let _ = stdin.write_all(text.as_bytes());
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    let report = serde_json::from_slice(&output.stdout).unwrap_or_default();
    (report, String::from_utf8(output.stderr).unwrap(), output.status.code().unwrap())
}

fn names(report: &Json) -> Vec<&str> {
    report["pods"].as_array().unwrap().iter().map(|p| p["name"].as_str().unwrap()).collect()
}

#[test]
fn json_lines_come_out_in_the_order_in_which_they_went_in() {
    let input: String = (0..3000).map(pod).collect();
    let (report, said, _) = check(&input);
    let want: Vec<String> = (0..3000).map(|i| format!("web-{i}")).collect();
    assert_eq!(names(&report), want, "{said}");
    for at in [0usize, 700, 2999] {
        let source = &report["pods"][at]["source"];
        assert_eq!(
            (source["line"].as_u64(), source["document"].as_u64()),
            (Some(at as u64 + 1), Some(at as u64 + 1))
        );
    }
}

#[test]
fn however_many_work_the_report_is_the_same() {
    let input: String = (0..3000).map(pod).collect();
    let alone = check_by(&input, &["--jobs", "1"]);
    assert_eq!(names(&alone.0).len(), 3000);
    for jobs in ["2", "7"] {
        assert_eq!(check_by(&input, &["--jobs", jobs]), alone, "{jobs}");
    }
    assert_eq!(check_by(&input, &["--jobs", "0"]).2, 2);
}

#[test]
fn a_list_is_answered_like_lines() {
    let lines: String = (0..300).map(pod).collect();
    let items: Vec<String> = (0..300).map(|i| pod(i).trim_end().to_owned()).collect();
    let list = format!("{{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[\n{}\n]}}\n", items.join(",\n"));
    assert_eq!(names(&check(&lines).0), names(&check(&list).0));
}

#[test]
fn a_class_counts_for_the_pods_behind_it() {
    let class = "{\"apiVersion\":\"node.k8s.io/v1\",\"kind\":\"RuntimeClass\",\"metadata\":{\"name\":\"kata\"},\
                 \"handler\":\"kata\",\"overhead\":{\"podFixed\":{\"cpu\":\"250m\"}}}\n";
    let input: String =
        (0..1000).map(|i| if i == 600 { class.to_owned() + &pod(i) } else { pod(i) }).collect();
    let (report, _, _) = check(&input);
    let told =
        |pod: &Json| pod["findings"].as_array().unwrap().iter().any(|f| f["code"] == "overhead-left-out");
    let pods = report["pods"].as_array().unwrap();
    assert_eq!(pods.len(), 1000);
    let first = pods.iter().position(told).unwrap();
    assert_eq!((first, pods.iter().filter(|p| told(p)).count()), (600, 400));
}

#[test]
fn a_broken_line_ends_the_work_with_its_place() {
    let input: String =
        (0..900).map(|i| if i == 500 { "{\"kind\": \n".to_owned() } else { pod(i) }).collect();
    let (_, said, status) = check(&input);
    assert_eq!(status, 2);
    assert!(said.contains("<stdin>:50"), "{said}");
}
