//! `explain -`: the same events in each form that kubectl and journalctl print come to the same.

use assert_cmd::Command;
use serde_json::{Value as Json, json};

/// How often each happened, why, and what was said.
const EVENTS: [(u64, &str, &str); 3] = [
    (
        17,
        "FailedCreatePodSandBox",
        "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to create containerd task: failed to create \
         shim task: annotation io.katacontainers.config.hypervisor.enable_iommu is not enabled: unknown",
    ),
    (
        5,
        "FailedCreatePodSandBox",
        "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to get sandbox runtime: no runtime for \
         \"kata-x\" is configured",
    ),
    (2, "Failed", "Error: the flux of 'a' is odd"),
];

/// How often each was found and whether it is known, and all that was said.
fn found(text: &str) -> (Vec<(u64, bool)>, String) {
    let mut program = Command::cargo_bin("katascope").unwrap();
    let output = program.args(["explain", "-", "-o", "json"]).write_stdin(text).output().unwrap();
    let told: Json = serde_json::from_slice(&output.stdout).unwrap();
    let groups = told["groups"].as_array().unwrap().iter();
    let found = groups.map(|group| (group["count"].as_u64().unwrap(), !group["message"].is_null()));
    (found.collect(), told.to_string())
}

fn objects() -> Vec<Json> {
    let object = |(count, reason, message): &(u64, &str, &str)| {
        json!({
            "apiVersion": "v1", "kind": "Event", "type": "Warning",
            "count": count, "reason": reason, "message": message,
            "involvedObject": { "kind": "Pod", "name": "a" },
            "metadata": { "name": "a.17bf2c" },
        })
    };
    EVENTS.iter().map(object).collect()
}

#[test]
fn events_come_to_the_same_in_every_form() {
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": objects() });
    let lines: Vec<String> = objects().iter().map(Json::to_string).collect();
    let rows = |row: &dyn Fn(&str, &str, u64) -> String| {
        let rows = EVENTS.iter().map(|(count, reason, message)| row(reason, message, *count));
        rows.collect::<Vec<_>>().join("\n")
    };
    let forms = [
        ("json, indented", serde_json::to_string_pretty(&list).unwrap()),
        ("json, on one line", list.to_string()),
        ("json, a line each", lines.join("\n")),
        ("yaml", serde_yaml::to_string(&list).unwrap()),
        (
            "events",
            rows(&|reason, message, count| {
                format!("3s (x{count} over 4m)   Warning   {reason}   Pod/a   {message}")
            }),
        ),
        (
            "events -A",
            rows(&|reason, message, count| {
                format!("default     3s (x{count} over 4m)   Warning   {reason}   Pod/a   {message}")
            }),
        ),
        (
            "get events -o wide",
            rows(&|reason, message, count| {
                format!(
                    "3s    Warning   {reason}   pod/a         kubelet, n1   {message}   4m   {count}   a.17bf2c"
                )
            }),
        ),
        (
            "describe, of a web page",
            rows(&|reason, message, count| {
                format!("Warning {reason} 3s (x{count} over 4m) kubelet {message}")
            }),
        ),
        (
            "describe",
            rows(&|reason, message, count| {
                format!("  Warning  {reason}  3s (x{count} over 4m)  kubelet            {message}")
            }),
        ),
    ];
    for (form, text) in forms {
        let (found, told) = found(&text);
        // An event that says nothing of Kata is passed over.
        assert_eq!(found, [(17, true), (5, true)], "{form}:\n{text}\n{told}");
    }
    // The table of `get events` does not say how often.
    let (found, told) =
        found(&rows(&|reason, message, _| format!("3s   Warning   {reason}   pod/a   {message}")));
    assert_eq!(found, [(1, true), (1, true)], "{told}");
}

#[test]
fn a_file_is_told_from_a_word() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("events.txt"), "").unwrap();
    let (_, said, status) = crate::support::katascope(folder.path(), &["explain", "events.txt"]);
    assert_eq!(status, 2);
    assert!(said.contains("katascope explain - < events.txt"), "{said}");
}

#[test]
fn a_journal_comes_to_the_same_in_every_form() {
    let said = |message: &str| {
        format!("time=\"2026-01-01T00:00:00Z\" level=error msg=\"RunPodSandbox failed\" error={message:?}")
    };
    let entry = |(_, _, message): &(u64, &str, &str)| json!({ "_COMM": "containerd", "PRIORITY": "6", "MESSAGE": said(message), "_PID": "7" });
    let entries: Vec<Json> = EVENTS.iter().map(entry).collect();
    let pretty = |entry: &Json| serde_json::to_string_pretty(entry).unwrap().replace("\": ", "\" : ");
    let forms: [(&str, Vec<String>); 4] = [
        (
            "short",
            EVENTS.iter().map(|(_, _, m)| format!("Jan 01 00:00:00 n1 containerd[7]: {}", said(m))).collect(),
        ),
        ("cat", EVENTS.iter().map(|(_, _, message)| said(message)).collect()),
        ("json", entries.iter().map(Json::to_string).collect()),
        ("json-pretty", entries.iter().map(pretty).collect()),
    ];
    for (form, lines) in forms {
        let (found, told) = found(&lines.join("\n"));
        assert_eq!(found, [(1, true), (1, true), (1, false)], "{form}: {told}");
    }
}
