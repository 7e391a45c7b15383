//! SARIF 2.1.0: findings with rules and places, for code hosting sites and editors.
//!
//! Decides how a finding becomes a result. A pod's outcome is told by its findings.

use std::io::{self, Write};

use serde_json::{Value as Json, json};

use super::escape::{self, visible, visible_lines};
use super::json::{severity, who};
use crate::answer::finding::{Code, Finding, Severity};
use crate::evaluate::Evaluation;
use crate::input::manifest::Pod;

/// Writes the log of one run as its pods come: nothing is held.
#[derive(Debug)]
pub struct Writer<W: Write> {
    out: W,
    any: bool,
}

impl<W: Write> Writer<W> {
    /// Opens the log; the rules are known before any result.
    pub fn open(mut out: W) -> io::Result<Self> {
        let rule =
            |code: &Code| json!({ "id": code.as_str(), "shortDescription": { "text": code.description() } });
        let driver = json!({
            "name": "katascope",
            "version": env!("CARGO_PKG_VERSION"),
            "rules": Code::ALL.iter().map(rule).collect::<Vec<Json>>(),
        });
        write!(
            out,
            "{{\n\"$schema\": \"https://json.schemastore.org/sarif-2.1.0.json\",\n\"version\": \"2.1.0\",\n\
             \"runs\": [{{\n\"tool\": {{ \"driver\": {driver} }},\n\"columnKind\": \"unicodeCodePoints\",\n\
             \"results\": ["
        )?;
        Ok(Self { out, any: false })
    }

    /// Adds what `pod` gave.
    pub fn pod(&mut self, results: &[String]) -> io::Result<()> {
        for result in results {
            let before = if self.any { ",\n" } else { "\n" };
            write!(self.out, "{before}{result}")?;
            self.any = true;
        }
        Ok(())
    }

    /// Closes the log.
    pub fn close(mut self) -> io::Result<()> {
        self.out.write_all(b"\n]\n}]\n}\n")
    }
}

/// A pod's findings, a result each.
pub fn pod(pod: &Pod, evaluation: &Evaluation) -> Vec<String> {
    evaluation
        .findings
        .iter()
        .map(|finding| escape::json(result(pod, finding, evaluation).to_string()))
        .collect()
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Refused => "error",
        Severity::Ignored | Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

fn result(pod: &Pod, finding: &Finding, evaluation: &Evaluation) -> Json {
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
        "properties": {
            "severity": severity(finding.severity),
            "who": who(finding.who),
            "assumed": evaluation.assumed.iter().map(|what| visible(&what.to_string()).into_owned()).collect::<Vec<_>>(),
        },
    })
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
