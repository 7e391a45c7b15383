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

/// What was found: how often, whether it is known, and of which objects.
fn found(text: &str) -> Vec<(u64, bool, String)> {
    let mut program = Command::cargo_bin("katascope").unwrap();
    let output = program.args(["explain", "-", "-o", "json"]).write_stdin(text).output().unwrap();
    let told: Json = serde_json::from_slice(&output.stdout).unwrap();
    let of = |group: &Json| {
        let objects: Vec<&str> =
            group["objects"].as_array().unwrap().iter().map(|o| o.as_str().unwrap()).collect();
        (group["count"].as_u64().unwrap(), !group["message"].is_null(), objects.join(" "))
    };
    told["groups"].as_array().unwrap().iter().map(of).collect()
}

#[test]
fn events_come_to_the_same_in_every_form() {
    let object = |(count, reason, message): &(u64, &str, &str)| {
        json!({
            "apiVersion": "v1", "count": count,
            "involvedObject": { "fieldPath": "spec.containers{c}", "kind": "Pod", "name": "a", "namespace": "shop" },
            "kind": "Event", "message": message,
            "metadata": { "name": "a.17bf2c", "namespace": "shop" },
            "reason": reason, "type": "Warning",
        })
    };
    let objects: Vec<Json> = EVENTS.iter().map(object).collect();
    let lines: Vec<String> = objects.iter().map(Json::to_string).collect();
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": objects });
    let rows = |form: &str| {
        let row = |(count, reason, message): &(u64, &str, &str)| {
            form.replace("COUNT", &count.to_string()).replace("REASON", reason).replace("MESSAGE", message)
        };
        EVENTS.iter().map(row).collect::<Vec<_>>().join("\n")
    };
    let described = "  Warning  REASON  3s (xCOUNT over 4m)  kubelet            MESSAGE";
    let forms = [
        (serde_json::to_string_pretty(&list).unwrap(), "shop/a"),
        (list.to_string(), "shop/a"),
        (lines.join("\n"), "shop/a"),
        (serde_yaml::to_string(&list).unwrap(), "shop/a"),
        (folded(&serde_yaml::to_string(&list).unwrap()), "shop/a"),
        (rows("3s (xCOUNT over 4m)   Warning   REASON   Pod/a   MESSAGE"), "a"),
        (rows("shop        3s (xCOUNT over 4m)   Warning   REASON   Pod/a   MESSAGE"), "shop/a"),
        (rows("3s    Warning   REASON   pod/a         kubelet, n1   MESSAGE   4m   COUNT   a.17bf2c"), "a"),
        (rows(described), ""),
        (format!("Name:         a\nNamespace:    shop\nEvents:\n{}", rows(described)), "shop/a"),
        (rows("Warning REASON 3s (xCOUNT over 4m) kubelet MESSAGE"), ""),
    ];
    for (text, of) in forms {
        // An event that says nothing of Kata is passed over.
        assert_eq!(found(&text), [(17, true, of.to_owned()), (5, true, of.to_owned())], "{text}");
    }
    // The table of `get events` does not say how often.
    let text = rows("3s   Warning   REASON   pod/a   MESSAGE");
    assert_eq!(found(&text), [(1, true, "a".to_owned()), (1, true, "a".to_owned())], "{text}");
}

/// YAML with its long lines broken as kubectl's writer does: at the first blank behind 80 columns.
fn folded(yaml: &str) -> String {
    let mut text = String::new();
    for line in yaml.lines() {
        let mut column = 0;
        for letter in line.chars() {
            column += 1;
            if letter == ' ' && column > 80 {
                text.push_str("\n    ");
                column = 4;
            } else {
                text.push(letter);
            }
        }
        text.push('\n');
    }
    assert_ne!(text, yaml);
    text
}

#[test]
fn a_message_of_several_lines_comes_to_the_same_in_every_form() {
    let chain = "Failed to create pod sandbox: failed to handle message create container\n\nCaused by:\n    \
                 0: start vm\n    1: timed out connecting to vsock 12:1024";
    let event =
        json!({ "count": 3, "involvedObject": { "name": "a" }, "message": chain, "reason": "Failed" });
    let (yaml, line) = (serde_yaml::to_string(&event).unwrap(), event.to_string());
    assert!(yaml.contains("message: |-\n"), "{yaml}");
    let quoted = line.replace("{\"count\":3,", "count: 3\n").replace(",\"message\":", "\nmessage: ");
    let quoted =
        quoted.replace(",\"reason\":\"Failed\"}", "\nreason: Failed").replace("\"name\":", "\"name\": ");
    for text in [line, folded(&quoted), yaml] {
        assert_eq!(found(&text), [(3, true, "a".to_owned())], "{text}");
    }
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
    let entry = |(_, _, message): &(u64, &str, &str)| {
        format!(
            "time=\"2026-01-01T00:00:00Z\" level=error msg=\"RunPodSandbox for \
             &PodSandboxMetadata{{Name:a,Uid:1,Namespace:shop,Attempt:0,}} failed\" error={message:?}"
        )
    };
    let said: Vec<String> = EVENTS.iter().map(entry).collect();
    let json = said.iter().map(|said| json!({ "_COMM": "containerd", "MESSAGE": said, "PRIORITY": "6" }));
    let json: Vec<Json> = json.collect();
    let pretty = |entry: &Json| serde_json::to_string_pretty(entry).unwrap().replace("\": ", "\" : ");
    let forms: [Vec<String>; 4] = [
        said.iter().map(|said| format!("Jan 01 00:00:00 n1 containerd[7]: {said}")).collect(),
        said.clone(),
        json.iter().map(Json::to_string).collect(),
        json.iter().map(pretty).collect(),
    ];
    for lines in forms {
        let text = lines.join("\n");
        let of = |is_known: bool| (1, is_known, "shop/a".to_owned());
        assert_eq!(found(&text), [of(true), of(true), of(false)], "{text}");
    }
}
