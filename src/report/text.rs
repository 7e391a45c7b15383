//! Reports for people: one block a pod, problems first in it, everything untruncated.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::counted::counted;
use super::escape::visible;
use crate::answer::effective::Origin;
use crate::answer::finding::{Code, Finding, Severity};
use crate::answer::verdict::{Failure, FailureStage, Status, Verdict};
use crate::catalog::KATA_PREFIX;
use crate::evaluate::{Evaluation, Evaluator, Outcome};
use crate::input::host::Assumption;
use crate::input::manifest::Pod;
use crate::node::Handler;

/// How to paint; without colour every meaning still has its word and glyph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paint {
    /// Whether to write SGR sequences.
    pub color: bool,
}

impl Paint {
    /// `text` in the SGR style `code`.
    pub fn wrap(self, code: &str, text: &str) -> String {
        if self.color { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    fn outcome(self, outcome: &Outcome) -> String {
        match outcome {
            Outcome::Starts => self.wrap("32", "starts "),
            Outcome::Refused(_) => self.wrap("1;31", "REFUSED"),
            Outcome::NotKata => self.wrap("2", "no Kata"),
            Outcome::Unknown(_) => self.wrap("35", "unknown"),
        }
    }

    fn status(self, status: Status) -> String {
        let (code, glyph) = Self::glyph(status);
        self.wrap(code, &format!("{glyph} {:<10}", status.as_str()))
    }

    fn sign(self, status: Status) -> String {
        let (code, glyph) = Self::glyph(status);
        self.wrap(code, &glyph.to_string())
    }

    /// The colour and the sign of a status, those of the screens.
    fn glyph(status: Status) -> (&'static str, char) {
        match status {
            Status::Applied => ("32", '✓'),
            Status::Overridden => ("33", '↷'),
            Status::Ignored => ("33", '○'),
            Status::Refused => ("31", '✗'),
            Status::Dropped => ("33", '↓'),
            Status::Invalid => ("31", '!'),
            Status::Unknown => ("35", '?'),
        }
    }
}

/// One pod's block; `all` is what every answer of the report rests on, which is said once for all of them.
pub fn pod(pod: &Pod, evaluation: &Evaluation, all: &[Assumption], paint: Paint) -> String {
    let besides = assumed_besides(evaluation, all, paint);
    block(pod, evaluation, besides.is_some(), false, paint) + &besides.unwrap_or_default()
}

/// The same with the steps that each annotation went through, and the rules that it met there.
pub fn traced_pod(pod: &Pod, evaluation: &Evaluation, paint: Paint) -> String {
    block(pod, evaluation, evaluation.hangs_on_assumptions(), true, paint)
}

fn block(pod: &Pod, evaluation: &Evaluation, marked: bool, traced: bool, paint: Paint) -> String {
    let mut out = String::new();
    let handler = evaluation.handler.as_deref().map(|name| format!("  {}", visible(name)));
    let _ = writeln!(
        out,
        "{}  {}  {}{}  {}",
        paint.outcome(&evaluation.outcome),
        paint.wrap("1", &visible(&pod.id())),
        visible(&pod.kind),
        handler.unwrap_or_default(),
        visible(&pod.place().to_string()),
    );
    if marked {
        out.pop();
        let _ = writeln!(out, "  {}", paint.wrap("36", ASSUMED));
    }
    let _ = writeln!(out, "  {}", visible(&fate(evaluation)));
    if let Some(failure) = evaluation.outcome.failure() {
        let crash = if failure.panic { " (the runtime crashes)" } else { "" };
        for (i, line) in failure.message.trim_end().lines().enumerate() {
            let head = if i == 0 { format!("at {}{crash}: ", failure.stage.as_str()) } else { "  ".into() };
            let _ = writeln!(out, "  {}{}", head, visible(line));
        }
        way_out(&mut out, evaluation, failure);
    }
    let elsewhere = matches!(evaluation.outcome, Outcome::NotKata | Outcome::Unknown(_));
    // Where nobody came to look at them, a line for each would say so many times.
    let ended = evaluation.outcome.failure().map(|failure| failure.stage);
    let early = matches!(ended, Some(FailureStage::Kubernetes | FailureStage::Cri | FailureStage::Load));
    let unseen = |v: &&Verdict| early && !traced && v.status == Status::Ignored && v.fix.is_none();
    match evaluation.verdicts.iter().filter(unseen).count() {
        0 => {}
        1 => out.push_str("  its annotation is not looked at\n"),
        count => out.push_str(&format!("  its {count} annotations are not looked at\n")),
    }
    for verdict in evaluation.verdicts.iter().filter(|v| !elsewhere && !unseen(v)) {
        annotation(&mut out, verdict, evaluation, paint);
        if traced {
            trace(&mut out, verdict, paint);
        }
    }
    let by_key = evaluation.verdicts_by_key();
    let said = |f: &&Finding| {
        let verdict = f.subject.as_deref().and_then(|key| by_key.get(key));
        let is_told = verdict.is_some_and(|v| v.status != Status::Applied && v.reason() == f.message);
        !is_told && evaluation.outcome.failure().is_none_or(|failure| failure.message != f.message)
    };
    for finding in evaluation.findings.iter().filter(said) {
        let _ = writeln!(
            out,
            "  {} {}{}",
            paint.wrap("33", &format!("{}[{}]", severity(finding.severity), finding.code.as_str())),
            finding.subject.as_deref().map(|s| format!("{}: ", short(s))).unwrap_or_default(),
            visible(&finding.message)
        );
        if let Some(fix) = &finding.fix {
            let _ =
                writeln!(out, "      fix: {} ({})", visible(&fix.to_string()), super::json::who(finding.who));
        }
    }
    out
}

/// Where the cause of a refusal stands, the values that collide, and what to do.
fn way_out(out: &mut String, evaluation: &Evaluation, failure: &Failure) {
    let Some(way) = &evaluation.way_out else { return };
    let says_it = |fact: &String| way.place.as_ref().is_some_and(|place| fact.contains(&place.to_string()));
    if let Some(place) = way.place.as_ref().filter(|place| !way.facts.iter().any(says_it) && place.line > 0) {
        let _ = writeln!(out, "      at:  {}", visible(&place.to_string()));
    }
    for fact in &way.facts {
        let _ = writeln!(out, "      with: {}", visible(fact));
    }
    let judged = evaluation.verdicts.iter().find(|v| failure.annotation.as_deref() == Some(v.key.as_str()));
    if judged.is_some_and(|verdict| verdict.fix.is_some()) {
        return;
    }
    let who = super::json::who(way.who);
    let _ = match (&way.fix, &way.gain) {
        (Some(fix), Some(gain)) => {
            writeln!(out, "      fix: {} ({who}; tried: {})", visible(&fix.to_string()), visible(gain))
        }
        (Some(fix), None) => writeln!(out, "      fix: {} ({who})", visible(&fix.to_string())),
        (None, _) => {
            let missed = if way.misses_file { LOOKED_FOR } else { "" };
            writeln!(out, "      fix: {}{missed} ({who})", visible(&way.advice))
        }
    };
}

/// Where a file was looked for in vain, and the desk's way.
const LOOKED_FOR: &str = "; it was looked for on this machine, or below --root DIR where that is given (--files assume \
                          takes what another host has to be there)";

/// The mark of what rests on an assumption.
const ASSUMED: &str = "≈ assumed";

/// What is taken for granted, in one line; `None` where everything was looked at.
pub fn assumed(assumptions: &[Assumption], paint: Paint) -> Option<String> {
    if assumptions.is_empty() {
        return None;
    }
    let (mut there, mut rest) = (Vec::new(), Vec::new());
    for assumption in assumptions {
        match assumption {
            Assumption::There(path) => there.push(visible(path).into_owned()),
            other => rest.push(visible(&other.to_string()).into_owned()),
        }
    }
    let files = match there.len() {
        0 => None,
        1 => Some(format!("this file is there: {}", there.join(""))),
        count => Some(format!("these {count} files are there: {}", there.join(", "))),
    };
    let all: Vec<String> = files.into_iter().chain(rest).collect();
    let mark = paint.wrap("36", ASSUMED);
    let files = assumptions.iter().any(|assumption| assumption.path().is_some());
    let why = if files { "the host's files cannot be looked at here" } else { "nobody said otherwise" };
    Some(format!("{mark}, since {why}: {}\n", all.join("; ")))
}

/// What a pod's answer hangs on besides what all of them rest on, in one line.
fn assumed_besides(evaluation: &Evaluation, all: &[Assumption], paint: Paint) -> Option<String> {
    let own: Vec<String> = evaluation
        .assumed
        .iter()
        .filter(|assumption| assumption.decides() && !all.contains(assumption))
        .map(|assumption| visible(&assumption.to_string()).into_owned())
        .collect();
    (!own.is_empty()).then(|| format!("  {} besides: {}\n", paint.wrap("36", ASSUMED), own.join(", ")))
}

/// A pod and what becomes of it, in one sentence.
pub fn outcome(pod: &Pod, evaluation: &Evaluation) -> String {
    format!("{}: {}", pod.id(), fate(evaluation))
}

/// What becomes of the pod, in one sentence.
fn fate(evaluation: &Evaluation) -> String {
    if let Some(failure) = evaluation.outcome.failure() {
        let because = match failure.annotation.as_deref() {
            Some(key) => format!(", because of {}", short(key)),
            None => String::new(),
        };
        return format!("the pod does not start{because}");
    }
    match &evaluation.outcome {
        Outcome::NotKata => {
            let handler = evaluation.handler.as_deref().unwrap_or("its handler");
            return format!("handler {handler} is another runtime than Kata");
        }
        Outcome::Unknown(why) => return format!("not known where the pod would run: {why}"),
        Outcome::Starts | Outcome::Refused(_) => {}
    }
    let kata = |v: &&Verdict| v.key.starts_with(KATA_PREFIX) || v.status == Status::Applied;
    let all = evaluation.verdicts.iter().filter(kata).count();
    let lost = evaluation.verdicts.iter().filter(kata).filter(|v| v.status != Status::Applied).count();
    match (all, lost) {
        (0, _) => "the pod starts, as the configuration says: it sets no Kata annotation".to_owned(),
        (_, 0) => "the pod starts, and its Kata annotations take effect".to_owned(),
        (1, _) => "the pod starts, and its Kata annotation is lost or overridden".to_owned(),
        (all, lost) if all == lost => {
            format!("the pod starts, and all {all} Kata annotations are lost or overridden")
        }
        (all, 1) => format!("the pod starts, and 1 of {all} Kata annotations is lost or overridden"),
        (all, lost) => format!("the pod starts, and {lost} of {all} Kata annotations are lost or overridden"),
    }
}

fn severity(severity: Severity) -> &'static str {
    super::json::severity(severity)
}

/// The annotation without `io.katacontainers.config.`, which every reader knows.
pub fn short(key: &str) -> String {
    visible(key.strip_prefix("io.katacontainers.config.").unwrap_or(key)).into_owned()
}

fn annotation(out: &mut String, verdict: &Verdict, evaluation: &Evaluation, paint: Paint) {
    let _ = write!(
        out,
        "  {} {} = {}",
        paint.status(verdict.status),
        short(&verdict.key),
        visible(&format!("{:?}", verdict.value)),
    );
    let _ = match evaluation.assumed_for(verdict) {
        None => writeln!(out),
        Some(what) => writeln!(out, "  {}: {}", paint.wrap("36", ASSUMED), visible(&what.to_string())),
    };
    if let (Some(before), Some(after)) = (&verdict.before, &verdict.after)
        && before != after
    {
        let _ = writeln!(out, "      {} → {}", visible(&before.to_string()), visible(&after.to_string()));
    }
    if verdict.status != Status::Applied {
        let _ = writeln!(out, "      {}", visible(&verdict.reason()));
    }
    if let Some(fix) = &verdict.fix {
        let own = evaluation
            .findings
            .iter()
            .find(|f| f.subject.as_deref() == Some(verdict.key.as_str()) && verdict.reason() == f.message);
        let by = own.map(|f| format!(" ({})", super::json::who(f.who))).unwrap_or_default();
        let _ = writeln!(out, "      fix: {}{by}", visible(&fix.to_string()));
    }
}

/// The steps that an annotation went through, in the runtime's order.
fn trace(out: &mut String, verdict: &Verdict, paint: Paint) {
    for step in verdict.trace.iter() {
        let mark = match verdict.status {
            _ if step.passed => paint.wrap("32", "✓"),
            Status::Applied => paint.wrap("31", "✗"),
            status => paint.sign(status),
        };
        let place = step.place.as_ref().map(|place| format!("  {place}")).unwrap_or_default();
        let _ = writeln!(
            out,
            "      {mark} {:<17} {}{}",
            step.stage.title(),
            visible(&step.note.text()),
            visible(&place)
        );
    }
}

/// Whether a configuration loads, in a line or two.
pub fn configuration(
    handler: Option<&Handler>,
    evaluator: &Evaluator,
    error: Option<&str>,
    paint: Paint,
) -> String {
    let setup = evaluator.setup();
    let release = setup.release.title();
    let name = handler.map(|handler| format!("{}  ", handler.name)).unwrap_or_default();
    let head = match error {
        None => paint.wrap("32", "loads  "),
        Some(_) => paint.wrap("1;31", "REFUSED"),
    };
    let mut out = format!("{head}  {}{release}  {}", visible(&name), visible(&setup.layers.asked));
    for line in error.unwrap_or_default().lines() {
        let _ = write!(out, "\n  {}", visible(line));
    }
    out
}

/// How many pods start, are refused, and what was found.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tally {
    /// Pods seen.
    pub pods: usize,
    /// Pods refused.
    pub refused: usize,
    /// Pods of other runtimes.
    pub not_kata: usize,
    /// Pods of which nothing says where they would run.
    pub unknown: usize,
    /// Findings by severity: note, warning, ignored, refused.
    pub findings: [usize; 4],
    /// Warnings that an annotation took effect and was then replaced.
    pub overridden: usize,
}

impl Tally {
    /// The count of one pod.
    pub fn of(evaluation: &Evaluation) -> Self {
        let mut tally = Self::default();
        tally.add(evaluation);
        tally
    }

    /// Adds another count.
    pub fn join(&mut self, other: Self) {
        self.pods += other.pods;
        self.refused += other.refused;
        self.not_kata += other.not_kata;
        self.unknown += other.unknown;
        self.overridden += other.overridden;
        for (own, more) in self.findings.iter_mut().zip(other.findings) {
            *own += more;
        }
    }

    /// Counts one pod.
    pub fn add(&mut self, evaluation: &Evaluation) {
        self.pods += 1;
        match evaluation.outcome {
            Outcome::Starts => {}
            Outcome::Refused(_) => self.refused += 1,
            Outcome::NotKata => self.not_kata += 1,
            Outcome::Unknown(_) => self.unknown += 1,
        }
        for finding in &evaluation.findings {
            self.overridden += usize::from(finding.code == Code::AnnotationOverridden);
            let index = match finding.severity {
                Severity::Note => 0,
                Severity::Warning => 1,
                Severity::Ignored => 2,
                Severity::Refused => 3,
            };
            if let Some(count) = self.findings.get_mut(index) {
                *count += 1;
            }
        }
    }

    /// Whether anything at or above `least` was found.
    pub fn reaches(&self, least: Severity) -> bool {
        let [_, warning, ignored, refused] = self.findings;
        match least {
            Severity::Refused => refused > 0,
            Severity::Ignored => refused + ignored > 0,
            Severity::Warning | Severity::Note => refused + ignored + warning > 0,
        }
    }

    /// The closing line.
    pub fn line(&self) -> String {
        let [notes, warnings, ignored, _] = self.findings;
        let starts = self.pods - self.refused - self.not_kata - self.unknown;
        let start = if starts == 1 { "starts" } else { "start" };
        let mut parts = vec![format!("{starts} {start}"), format!("{} refused", self.refused)];
        if self.not_kata > 0 {
            parts.push(format!("{} of other runtimes", self.not_kata));
        }
        if self.unknown > 0 {
            parts.push(format!("{} of unknown handlers", self.unknown));
        }
        let pods = format!("{}: {}", counted(self.pods, "pod"), parts.join(", "));
        let mut lost = vec![format!("{} without effect", counted(ignored, "annotation"))];
        if self.overridden > 0 {
            lost.push(format!("{} overridden", self.overridden));
        }
        let mut found = vec![counted(warnings.saturating_sub(self.overridden), "warning")];
        if notes > 0 {
            found.push(counted(notes, "note"));
        }
        format!("{pods}; {}; {}", lost.join(", "), found.join(", "))
    }
}

/// Every effective value with its origin.
pub fn config(out: &mut dyn Write, evaluation: &Evaluation) -> io::Result<()> {
    let Some(effective) = &evaluation.effective else { return Ok(()) };
    let width = effective.iter().map(|(key, _)| key.len()).max().unwrap_or(0);
    for (key, value) in effective.iter() {
        writeln!(
            out,
            "{key:<width$} = {}  # {}",
            visible(&value.value.to_string()),
            visible(&origin(&value.origin))
        )?;
    }
    Ok(())
}

/// An origin in words.
pub fn origin(origin: &Origin) -> String {
    match origin {
        Origin::Default => "default".into(),
        Origin::File(place) => place.by_line(),
        Origin::Annotation(key) => format!("annotation {}", short(key)),
        Origin::Derived(rule) => format!("derived: {rule}"),
    }
}
