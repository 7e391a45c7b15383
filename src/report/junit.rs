//! JUnit XML: one test case a pod; a refused pod is a failure, other findings are its output.
//!
//! Only what the schema knows that Jenkins' xUnit plugin holds reports against (`junit-10.xsd`): where a pod
//! stands is said in its text, since a test case may have neither file nor line.

use std::fmt::Write as _;
use std::io::{self, Write};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

use super::escape::is_hostile;
use super::json::severity;
use crate::answer::finding::{Finding, Severity};
use crate::evaluate::Evaluation;
use crate::input::manifest::Pod;

/// A pod as a test case.
#[derive(Debug, Default)]
pub struct Case {
    text: String,
    failed: bool,
}

/// A pod's test case. Findings at or above `fail_on` make it fail.
pub fn pod(pod: &Pod, evaluation: &Evaluation, fail_on: Severity) -> Case {
    let mut case = Case::default();
    let text = &mut case.text;
    let _ = write!(
        text,
        "    <testcase classname=\"{}\" name=\"{}\"",
        attribute(&pod.namespace),
        attribute(&pod.name),
    );
    let place = format!("{}:{}", attribute(&pod.source.file), pod.source.line);
    // A refusal that is accepted is no failure.
    let told = evaluation.findings.iter().any(|finding| finding.severity == Severity::Refused);
    let refusal = evaluation.outcome.failure().filter(|_| told);
    let (bad, rest): (Vec<&Finding>, Vec<&Finding>) =
        evaluation.findings.iter().partition(|f| f.severity >= fail_on);
    let assumed: Vec<String> = evaluation
        .assumed
        .iter()
        .map(|what| format!("≈ assumed: {}", attribute(&what.to_string())))
        .collect();
    if refusal.is_none() && evaluation.findings.is_empty() && assumed.is_empty() {
        text.push_str("/>\n");
        return case;
    }
    text.push_str(">\n");
    if refusal.is_some() || !bad.is_empty() {
        case.failed = true;
        let message = refusal
            .map(|f| f.message.as_str())
            .or_else(|| bad.first().map(|f| f.message.as_str()))
            .unwrap_or_default();
        let kind = refusal.map_or("finding", |f| f.stage.as_str());
        let _ = writeln!(
            text,
            "      <failure type=\"{}\" message=\"{}\">{place}\n{}</failure>",
            attribute(kind),
            attribute(message),
            lines(&bad)
        );
    }
    if !rest.is_empty() || !assumed.is_empty() {
        let said = [lines(&rest), assumed.join("\n")].into_iter().filter(|part| !part.is_empty());
        let said: Vec<String> = said.collect();
        let _ = writeln!(text, "      <system-out>{place}\n{}</system-out>", said.join("\n"));
    }
    text.push_str("    </testcase>\n");
    case
}

/// The test cases of one run. Their number stands before them, so they are held to the end; packed, since
/// one is much like another.
#[derive(Debug)]
pub struct Junit {
    cases: DeflateEncoder<Vec<u8>>,
    tests: usize,
    failures: usize,
}

impl Default for Junit {
    fn default() -> Self {
        Self { cases: DeflateEncoder::new(Vec::new(), Compression::fast()), tests: 0, failures: 0 }
    }
}

impl Junit {
    /// Adds a pod's.
    pub fn add(&mut self, case: &Case) -> io::Result<()> {
        self.tests += 1;
        self.failures += usize::from(case.failed);
        self.cases.write_all(case.text.as_bytes())
    }

    /// Writes the whole document.
    pub fn write(self, out: &mut dyn Write) -> io::Result<()> {
        let (tests, failures) = (self.tests, self.failures);
        writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
        writeln!(out, "<testsuites tests=\"{tests}\" failures=\"{failures}\" errors=\"0\">")?;
        writeln!(
            out,
            "  <testsuite name=\"katascope\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\">"
        )?;
        let packed = self.cases.finish()?;
        io::copy(&mut DeflateDecoder::new(packed.as_slice()), out)?;
        writeln!(out, "  </testsuite>\n</testsuites>")
    }
}

fn lines(findings: &[&Finding]) -> String {
    findings
        .iter()
        .map(|f| {
            let subject = f.subject.as_deref().map(|s| format!("{s}: ")).unwrap_or_default();
            let fix = f.fix.as_ref().map(|f| format!(" (fix: {f})")).unwrap_or_default();
            attribute(&format!("{}[{}] {subject}{}{fix}", severity(f.severity), f.code.as_str(), f.message))
        })
        .collect::<Vec<_>>()
        .join("\n")
}

/// Text for an attribute or element: markup escaped, hostile characters visible. XML 1.0 cannot hold
/// most control characters at all.
fn attribute(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.trim_end().chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            c if is_hostile(c) || matches!(c, '\u{FFFE}' | '\u{FFFF}') => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}
