//! SARIF 2.1.0: findings with rules and places, for code hosting sites and editors.
//!
//! Decides how a finding becomes a result. A pod's outcome is told by its findings.

use serde_json::{Value as Json, json};

use super::escape::visible;
use super::json::{severity, who};
use crate::evaluate::Evaluation;
use crate::finding::{Code, Finding, Severity};
use crate::input::manifest::Pod;

/// Collects the results of one run.
#[derive(Debug, Default)]
pub struct Sarif {
    results: Vec<Json>,
}

impl Sarif {
    /// Adds a pod's findings.
    pub fn pod(&mut self, pod: &Pod, evaluation: &Evaluation) {
        self.results.extend(evaluation.findings.iter().map(|f| result(pod, f)));
    }

    /// The whole log.
    pub fn log(self) -> Json {
        let rules: Vec<Json> = Code::ALL
            .iter()
            .map(|code| {
                json!({
                    "id": code.as_str(),
                    "shortDescription": { "text": code.description() },
                })
            })
            .collect();
        json!({
            "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
            "version": "2.1.0",
            "runs": [{
                "tool": { "driver": {
                    "name": "katascope",
                    "version": env!("CARGO_PKG_VERSION"),
                    "rules": rules,
                } },
                "columnKind": "unicodeCodePoints",
                "results": self.results,
            }],
        })
    }
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Refused => "error",
        Severity::Ignored | Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

fn result(pod: &Pod, finding: &Finding) -> Json {
    let subject = finding.subject.as_deref().map(|s| format!("{s}: ")).unwrap_or_default();
    let fix = finding.fix.as_ref().map(|f| format!("\nfix: {f}")).unwrap_or_default();
    let text = format!("{}: {subject}{}{fix}", pod.id(), finding.message);
    let place = finding.place.clone().unwrap_or_else(|| pod.place());
    let region = match place.column {
        0 => json!({ "startLine": place.line.max(1) }),
        column => json!({ "startLine": place.line.max(1), "startColumn": column }),
    };
    json!({
        "ruleId": finding.code.as_str(),
        "level": level(finding.severity),
        "message": { "text": visible_lines(&text) },
        "locations": [{
            "physicalLocation": {
                "artifactLocation": { "uri": uri(&place.file) },
                "region": region,
            },
            "logicalLocations": [{ "fullyQualifiedName": visible(&pod.id()), "kind": "resource" }],
        }],
        "properties": { "severity": severity(finding.severity), "who": who(finding.who) },
    })
}

/// Line breaks stay, everything else hostile becomes visible.
fn visible_lines(text: &str) -> String {
    text.trim_end().split('\n').map(visible).collect::<Vec<_>>().join("\n")
}

/// A path as a relative or file URI: what a URI cannot hold is percent-encoded.
fn uri(path: &str) -> String {
    let mut out = if path.starts_with('/') { "file://".to_owned() } else { String::new() };
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte));
            }
            _ => {
                use std::fmt::Write;
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}
