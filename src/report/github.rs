//! Annotations of a CI run, as GitHub's runner reads them from the output: one line a finding, at its place.
//!
//! Facts: "Workflow commands for GitHub Actions" in its documentation: what must be escaped, and where.

use super::escape::visible;
use super::json::who;
use super::text::short;
use crate::answer::finding::{Finding, Severity};
use crate::evaluate::Evaluation;
use crate::input::manifest::Pod;

/// A pod's findings.
pub fn pod(pod: &Pod, evaluation: &Evaluation) -> String {
    evaluation.findings.iter().map(|finding| line(pod, finding, evaluation)).collect()
}

fn line(pod: &Pod, finding: &Finding, evaluation: &Evaluation) -> String {
    let command = match finding.severity {
        Severity::Refused => "error",
        Severity::Ignored | Severity::Warning => "warning",
        Severity::Note => "notice",
    };
    let place = finding.place.clone().unwrap_or_else(|| pod.place());
    let subject = finding.subject.as_deref().map(|key| format!("{}: ", short(key))).unwrap_or_default();
    let fix = finding.fix.as_ref().map(|fix| format!("\nfix: {fix} ({})", who(finding.who)));
    let assumed =
        if evaluation.hangs_on_assumptions() { "\n≈ if what is assumed of the host holds" } else { "" };
    let text = format!("{}: {subject}{}{}{assumed}", pod.id(), finding.message, fix.unwrap_or_default());
    let column = if place.column > 0 { format!(",col={}", place.column) } else { String::new() };
    format!(
        "::{command} file={},line={}{column},title={}::{}\n",
        property(&place.file),
        place.line.max(1),
        finding.code.as_str(),
        data(&text)
    )
}

/// The text of a command. Line breaks are part of it, in the runner's escapes.
fn data(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(|line| visible(line).replace('%', "%25")).collect();
    lines.join("%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_a_command_early() {
        assert_eq!(data("50%\nmore::x\r"), "50%25%0Amore::x\\r".replace("\\r", &visible("\r")));
        assert_eq!(property("a:b,c%"), "a%3Ab%2Cc%25");
    }
}
