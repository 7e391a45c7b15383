//! What runs beside what is predicted, for people and as JSON.

use std::io::{self, Write};

use serde_json::{Value as Json, json};

use super::escape::visible;
use super::launch;
use super::text::Paint;
use crate::catalog::lines::TAGS;
use crate::diff::running::{self as compared, Compared, Verdict};
use crate::diff::{documents, qmp, state};
use crate::evaluate::{Evaluation, Outcome};
use crate::input::manifest::Pod;
use crate::release::Release;
use crate::running::{self, Running, Vm, releases};

/// What runs, as it was read.
#[derive(Debug, Clone, PartialEq)]
pub enum Runs {
    /// Process lines.
    Lines(Running),
    /// What a VMM says of itself, the file it was given, or what the runtime wrote of it.
    Document(Json),
    /// What QEMU answers on its monitor.
    Answers(Vec<Json>),
}

impl Runs {
    /// Reads a text: process lines, or a document.
    pub fn read(text: &str) -> Self {
        if text.trim_start().starts_with('{')
            && let Ok(document) = serde_json::from_str::<Json>(text)
        {
            let is_of_qmp = document.get("return").is_some() || document.get("QMP").is_some();
            return if is_of_qmp { Self::Answers(vec![document]) } else { Self::Document(document) };
        }
        if text.trim_start().starts_with('{')
            && let Some(answers) = qmp::answers(text)
        {
            return Self::Answers(answers);
        }
        Self::Lines(running::read(text))
    }
}

/// One pod and the VM that runs for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Beside {
    /// The pod, `namespace/name`.
    pub pod: String,
    /// The sandbox of the VM, where the text names it.
    pub sandbox: Option<String>,
    /// The release that was predicted with.
    pub predicted: String,
    /// What the line tells of the release.
    pub told: String,
    /// Whether both fit.
    pub fits: bool,
    /// The arguments.
    pub rows: Vec<Compared>,
    /// What decided each in the prediction, in words.
    pub because: Vec<String>,
    /// What else was found.
    pub notes: Vec<String>,
}

/// Why a pod is not held against what runs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NothingToHold {
    /// Nothing runs of it.
    #[error("{pod}: nothing is started for this pod: {why}")]
    NotStarted {
        /// The pod.
        pod: String,
        /// Why it is not.
        why: String,
    },
    /// What is at hand says nothing of a VM.
    #[error(
        "no document of this pod's VM: vm.info of Cloud Hypervisor, the configuration file of Firecracker, answers of \
         QMP, persist.json or state.json of the runtime, or process lines"
    )]
    NoDocument,
}

/// Holds a pod's prediction against a VM, or against what its VMM says of itself where there is none; and against
/// what the runtime wrote of the sandbox, where that is at hand.
pub fn of(
    pod: &Pod,
    (evaluation, release): (&Evaluation, Release),
    runs: &Runs,
    vm: Option<&Vm>,
    (written, notes): (Option<&Json>, Vec<String>),
) -> Result<Beside, NothingToHold> {
    let Some(launch) = &evaluation.launch else {
        let why = match &evaluation.outcome {
            Outcome::Refused(failure) => failure.message.clone(),
            Outcome::Unknown(why) => why.to_string(),
            Outcome::NotKata => "its handler is another runtime than Kata".to_owned(),
            Outcome::Starts => String::new(),
        };
        return Err(NothingToHold::NotStarted { pod: pod.id(), why });
    };
    let mut rows = match (runs, vm) {
        (Runs::Lines(lines), Some(vm)) => compared::processes(launch, release, vm, lines),
        (Runs::Lines(_), None) => Vec::new(),
        (Runs::Answers(answers), _) => qmp::of_launch(launch, answers),
        (Runs::Document(document), _) => documents::of_launch(launch, document)
            .or_else(|| state::of_effective(evaluation.effective.as_ref()?, document))
            .ok_or(NothingToHold::NoDocument)?,
    };
    let (told, fits) = vm.map_or_else(
        || ("a document, which tells no release".to_owned(), true),
        |vm| (super::running::release(vm), fits(vm, release)),
    );
    let effective = evaluation.effective.as_ref();
    if let (Some(written), Some(effective)) = (written, effective) {
        rows.extend(state::of_effective(effective, written).into_iter().flatten());
    }
    Ok(Beside {
        pod: pod.id(),
        sandbox: vm.and_then(|vm| vm.sandbox.clone()),
        predicted: release.title(),
        told,
        fits,
        because: rows.iter().map(|row| launch::cause(&row.cause, effective)).collect(),
        rows,
        notes,
    })
}

fn fits(vm: &Vm, release: Release) -> bool {
    let tag = release.version.to_string();
    let Some(at) = TAGS.iter().position(|known| *known == tag) else { return true };
    vm.narrowed.runtime.is_none_or(|runtime| runtime == release.runtime)
        && (vm.narrowed.tags.is_empty() || releases::meets(&vm.narrowed.tags, &[(at, at)]))
}

impl Beside {
    /// Whether prediction and VM differ.
    pub fn differs(&self) -> bool {
        self.rows.iter().any(|row| row.verdict.differs())
    }

    /// How many arguments there are of each kind, in words.
    pub fn counts(&self) -> String {
        counts(&self.rows)
    }

    /// Each argument with what decided it.
    pub fn arguments(&self) -> impl Iterator<Item = (&Compared, &str)> {
        self.rows.iter().zip(self.because.iter().map(String::as_str))
    }
}

const ORDER: [(Verdict, &str); 6] = [
    (Verdict::Equal, "equal"),
    (Verdict::Made, "made at the start"),
    (Verdict::Different, "different"),
    (Verdict::OnlyPredicted, "only predicted"),
    (Verdict::OnlyRunning, "only running"),
    (Verdict::Unknown, "not in the text"),
];

fn counts(rows: &[Compared]) -> String {
    let count = |verdict| rows.iter().filter(|row| row.verdict == verdict).count();
    let words: Vec<String> = ORDER
        .iter()
        .map(|(verdict, word)| (count(*verdict), word))
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    words.join(", ")
}

/// For people: the differences with their causes, then every argument.
pub fn text(out: &mut dyn Write, beside: &Beside, paint: Paint) -> io::Result<()> {
    let sandbox = beside.sandbox.as_deref().unwrap_or("(its name is not in the text)");
    writeln!(out, "{}  beside sandbox {}", paint.wrap("1", &visible(&beside.pod)), visible(sandbox))?;
    let fits = if beside.fits { "" } else { ": they do not fit, name the release with --kata-version" };
    writeln!(out, "  predicted as {}; the line is of {}{fits}", beside.predicted, beside.told)?;
    writeln!(out, "  {}", beside.counts())?;
    for note in &beside.notes {
        writeln!(out, "  - {}", visible(note))?;
    }
    for (row, cause) in beside.arguments() {
        let (mark, style) = match row.verdict {
            Verdict::Equal => ("=", "2"),
            Verdict::Made => ("~", "2"),
            Verdict::Different => ("≠", "33"),
            Verdict::OnlyPredicted => ("-", "31"),
            Verdict::OnlyRunning => ("+", "32"),
            Verdict::Unknown => ("?", "35"),
        };
        let shown = row.running.as_deref().filter(|_| row.verdict != Verdict::Different);
        let shown = shown.or(row.predicted.as_deref()).unwrap_or_default();
        if row.verdict == Verdict::Different {
            writeln!(out, "  {} predicted {}", paint.wrap(style, mark), visible(shown))?;
            writeln!(out, "    running   {}", visible(row.running.as_deref().unwrap_or_default()))?;
        } else {
            writeln!(out, "  {} {}", paint.wrap(style, mark), visible(shown))?;
        }
        if !row.verdict.differs() {
            continue;
        }
        if !cause.is_empty() {
            writeln!(out, "    by        {}", visible(cause))?;
        }
        if let Some(probably) = &row.probably {
            writeln!(out, "    probably  {}", visible(probably))?;
        }
    }
    Ok(())
}

/// As JSON.
pub fn json(beside: &Beside) -> Json {
    let count = |verdict| beside.rows.iter().filter(|row| row.verdict == verdict).count();
    json!({
        "pod": beside.pod,
        "sandbox": beside.sandbox,
        "predicted_as": beside.predicted,
        "line_is_of": beside.told,
        "release_fits": beside.fits,
        "counts": ORDER.iter().map(|(verdict, _)| (verdict.as_str().to_owned(), Json::from(count(*verdict)))).collect::<serde_json::Map<_, _>>(),
        "notes": beside.notes,
        "arguments": beside.arguments().map(|(row, because)| json!({
            "of": row.of,
            "verdict": row.verdict.as_str(),
            "predicted": row.predicted,
            "running": row.running,
            "keys": row.cause.keys.iter().collect::<Vec<_>>(),
            "because": because,
            "probably": row.probably,
        })).collect::<Vec<_>>(),
    })
}
