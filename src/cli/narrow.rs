//! Which pods a report is about, and which of their findings are news: `--filter`, `--baseline`,
//! `--write-baseline`.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::CliError;
use super::args::Narrow;
use super::error::SetupError;
use crate::catalog;
use crate::edit::output::{self, Existing};
use crate::evaluate::Evaluation;
use crate::evaluate::searched::{KnownOutcome, SearchedPod};
use crate::input::manifest::Pod;
use crate::query::{Column, NamedValue, Query, Searched, Word};
use crate::report::baseline::{Baseline, Findings, Met};
use crate::report::escape::visible;
use crate::report::matrix::{Cell, Matrix};

/// The query of `--filter`. What is neither a column nor an annotation is looked for as it stands, and said.
pub(super) fn query(text: &str) -> Query {
    let query = Query::parse(text);
    let annotation =
        |name: &str| catalog::all_annotations().iter().any(|known| known.base().eq_ignore_ascii_case(name));
    for name in query.names() {
        let letters = name.chars().all(|c| c.is_ascii_alphabetic() || c == '_');
        if letters && !annotation(name) {
            let columns: Vec<&str> = Column::NAMES.iter().map(|(column, _)| column.as_str()).collect();
            let text = format!(
                "--filter: '{name}' is no column and no annotation of Kata's; columns are {}",
                columns.join(", ")
            );
            let _ = writeln!(io::stderr(), "katascope: {}", visible(&text));
        }
    }
    query
}

/// Whether a query keeps an evaluated pod.
pub(super) fn keeps(query: &Query, pod: &Pod, evaluation: &Evaluation, release: Option<&str>) -> bool {
    query.keeps(&SearchedPod { pod, known: KnownOutcome::of(evaluation, release), text: None })
}

/// A pod on several nodes: what holds on one of them is enough.
pub(super) struct OnNodes<'a> {
    pub pod: &'a Pod,
    pub matrix: &'a Matrix,
    /// Its place in the matrix.
    pub row: usize,
}

impl OnNodes<'_> {
    fn itself(&self) -> SearchedPod<'_> {
        SearchedPod { pod: self.pod, known: KnownOutcome::default(), text: None }
    }

    /// Whether it holds of the pod on one of the nodes.
    fn on_one(&self, holds: impl Fn(&Matrix, Cell) -> bool) -> bool {
        let nodes = 0..self.matrix.columns().len();
        nodes.filter_map(|node| self.matrix.cell(self.row, node)).any(|cell| holds(self.matrix, cell))
    }

    fn outcome(&self, word: &Word) -> bool {
        self.on_one(|_, cell| word.is_in(cell.outcome.as_str()))
    }

    fn reason(&self, word: &Word) -> bool {
        self.on_one(|matrix, cell| {
            cell.reason.and_then(|reason| matrix.reason(reason)).is_some_and(|(text, _)| word.is_in(text))
        })
    }

    fn handler(&self, word: &Word) -> bool {
        self.on_one(|matrix, cell| matrix.handler(cell).is_some_and(|handler| word.is_in(handler)))
    }
}

impl Searched for OnNodes<'_> {
    fn anywhere(&self, word: &Word) -> bool {
        self.itself().anywhere(word) || self.outcome(word) || self.reason(word) || self.handler(word)
    }

    fn column(&self, column: Column, word: &Word) -> bool {
        match column {
            Column::Outcome => self.outcome(word),
            Column::Reason => self.reason(word),
            Column::Handler => self.handler(word),
            Column::Node => self.matrix.columns().iter().any(|column| word.is_in(&column.name)),
            _ => self.itself().column(column, word),
        }
    }

    fn named(&self, wanted: &NamedValue) -> bool {
        self.itself().valued(wanted).unwrap_or_else(|| self.anywhere(&wanted.term))
    }
}

/// What is accepted, and what is to be.
#[derive(Debug, Default)]
pub(super) struct Accepted {
    /// What `--baseline` says.
    pub baseline: Baseline,
    named: Option<PathBuf>,
    into: Option<PathBuf>,
    whole: bool,
}

impl Accepted {
    /// Reads the files that were named.
    pub(super) fn open(narrow: &Narrow) -> Result<Self, CliError> {
        let baseline = match &narrow.baseline {
            None => Baseline::default(),
            Some(path) => read(path)?,
        };
        Ok(Self {
            baseline,
            named: narrow.baseline.clone(),
            into: narrow.write_baseline.clone(),
            whole: narrow.filter.is_none(),
        })
    }

    /// Whether findings are to be gathered.
    pub(super) fn gathers(&self) -> bool {
        self.into.is_some()
    }

    /// What to say at the end: how much was accepted, and what nothing met.
    pub(super) fn lines(&self, met: &Met) -> Vec<String> {
        let Some(path) = &self.named else { return Vec::new() };
        let path = path.display();
        let findings = if met.findings == 1 { "finding is" } else { "findings are" };
        let mut lines = vec![format!("{} {findings} accepted by {path} and not told of", met.findings)];
        // Of a part of the pods nothing can be missed.
        if self.whole {
            let stale = self.baseline.stale(met);
            lines.extend(stale.iter().map(|entry| format!("stale in {path}: {entry}")));
        }
        lines
    }

    /// Writes what was found, where that was asked for.
    pub(super) fn write(&self, found: Findings, out: &mut dyn Write) -> Result<(), CliError> {
        let Some(path) = &self.into else { return Ok(()) };
        let count = found.count();
        let to_screen = path == Path::new("-");
        // Notes of people stay, also in a file that is not read for this report.
        let before = match &self.named {
            Some(named) if named != path => self.baseline.clone(),
            _ if !to_screen && path.exists() => read(path)?,
            _ => Baseline::default(),
        };
        let text = found.document(&before).map_err(io::Error::from)?;
        if to_screen {
            return Ok(out.write_all(text.as_bytes())?);
        }
        output::put(path, &text, Existing::Replace)
            .map_err(|error| SetupError::Usage(format!("{}: {error}", path.display())))?;
        let findings = if count == 1 { "finding" } else { "findings" };
        let said = format!("{count} {findings} accepted in {}", path.display());
        let _ = writeln!(io::stderr(), "katascope: {}", visible(&said));
        Ok(())
    }
}

fn read(path: &Path) -> Result<Baseline, CliError> {
    let wrong = |why: String| CliError::from(SetupError::Usage(format!("{}: {why}", path.display())));
    let text = fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    Baseline::parse(&text).map_err(|error| wrong(error.to_string()))
}
