//! Pods against nodes: what becomes of each pod on each node, with the reasons told once.
//!
//! Decides how a cell is written and how reasons are counted; keeps of an evaluation what a cell shows, so that
//! hundreds of nodes and thousands of pods fit.

use std::io::{self, Write};

use indexmap::IndexMap;
use serde_json::{Value as Json, json};

use super::escape::{self, visible};
use super::text::Paint;
use crate::evaluate::{Evaluation, Outcome};
use crate::input::manifest::Pod;

/// A node, as far as the matrix names it.
#[derive(Debug, Clone, Default)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What its files were collected by.
    pub origin: &'static str,
    /// What is not among them.
    pub lacks: Vec<String>,
    /// Why no pod could be judged on it.
    pub error: Option<String>,
}

#[derive(Debug, Clone, Copy)]
struct Cell {
    outcome: Word,
    /// Among the reasons.
    reason: Option<u32>,
    assumed: bool,
    /// Among the handlers.
    handler: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    Starts,
    Refused,
    NotKata,
    Unknown,
}

impl Word {
    fn as_str(self) -> &'static str {
        match self {
            Self::Starts => "starts",
            Self::Refused => "refused",
            Self::NotKata => "not-kata",
            Self::Unknown => "unknown",
        }
    }
}

struct Row {
    id: String,
    name: String,
    namespace: String,
    kind: String,
    source: Json,
}

/// How often a reason was met.
#[derive(Debug, Clone, Copy, Default)]
struct Met {
    pods: usize,
    nodes: usize,
}

/// The matrix; filled node by node.
#[derive(Default)]
pub struct Matrix {
    columns: Vec<Column>,
    rows: Vec<Row>,
    /// One list a node, in the order of the rows.
    cells: Vec<Vec<Cell>>,
    reasons: IndexMap<String, Met>,
    handlers: IndexMap<String, ()>,
}

impl Matrix {
    /// A matrix of these pods, without nodes.
    pub fn new<'p>(pods: impl Iterator<Item = &'p Pod>) -> Self {
        let row = |pod: &Pod| Row {
            id: pod.id(),
            name: pod.name.clone(),
            namespace: pod.namespace.clone(),
            kind: pod.kind.clone(),
            source: json!({
                "file": pod.source.file, "document": pod.source.document, "line": pod.source.line,
            }),
        };
        Self { rows: pods.map(row).collect(), ..Self::default() }
    }

    /// Adds a node with what becomes of each pod on it, in the order of the pods.
    pub fn add(&mut self, column: Column, evaluations: impl Iterator<Item = Evaluation>) {
        let mut cells = Vec::with_capacity(self.rows.len());
        let mut met = std::collections::HashSet::new();
        for evaluation in evaluations {
            let (outcome, reason) = match &evaluation.outcome {
                Outcome::Starts => (Word::Starts, None),
                Outcome::NotKata => (Word::NotKata, None),
                Outcome::Refused(failure) => (
                    Word::Refused,
                    Some(format!("at {}: {}", failure.stage.as_str(), failure.message.trim_end())),
                ),
                Outcome::Unknown(why) => (Word::Unknown, Some(why.to_string())),
            };
            let reason = reason.map(|reason| {
                let entry = self.reasons.entry(reason);
                let index = entry.index() as u32;
                let count = entry.or_default();
                count.pods += 1;
                count.nodes += usize::from(met.insert(index));
                index
            });
            let handler = evaluation.handler.as_deref().map(|name| {
                let entry = self.handlers.entry(name.to_owned());
                let index = entry.index() as u32;
                entry.or_default();
                index
            });
            cells.push(Cell { outcome, reason, assumed: !evaluation.assumed.is_empty(), handler });
        }
        self.columns.push(column);
        self.cells.push(cells);
    }

    /// Whether any pod is refused anywhere, or a node could not be judged.
    pub fn any_refused(&self) -> bool {
        self.cells.iter().flatten().any(|cell| cell.outcome == Word::Refused)
            || self.columns.iter().any(|column| column.error.is_some())
    }

    fn count(cells: &[Cell], word: Word) -> usize {
        cells.iter().filter(|cell| cell.outcome == word).count()
    }

    /// As JSON.
    pub fn json(&self, out: &mut impl Write) -> io::Result<()> {
        let nodes = self.columns.iter().zip(&self.cells).map(|(column, cells)| {
            json!({
                "name": column.name,
                "origin": column.origin,
                "lacks": column.lacks,
                "error": column.error,
                "starts": Self::count(cells, Word::Starts),
                "refused": Self::count(cells, Word::Refused),
                "not_kata": Self::count(cells, Word::NotKata),
                "unknown": Self::count(cells, Word::Unknown),
            })
        });
        let nodes: Vec<Json> = nodes.collect();
        let reasons: Vec<Json> = self
            .reasons
            .iter()
            .map(|(text, met)| json!({ "message": text, "pods": met.pods, "nodes": met.nodes }))
            .collect();
        writeln!(out, "{{\n\"schema\": {},", super::json::SCHEMA)?;
        writeln!(out, "\"nodes\": {},", escape::json(Json::from(nodes).to_string()))?;
        writeln!(out, "\"reasons\": {},", escape::json(Json::from(reasons).to_string()))?;
        write!(out, "\"pods\": [")?;
        for (index, row) in self.rows.iter().enumerate() {
            let on: Vec<Json> = self
                .columns
                .iter()
                .zip(&self.cells)
                .map(|(column, cells)| match cells.get(index) {
                    Some(cell) => json!({
                        "node": column.name,
                        "outcome": cell.outcome.as_str(),
                        "handler": cell.handler.and_then(|at| Some(self.handlers.get_index(at as usize)?.0)),
                        "reason": cell.reason,
                        "assumed": cell.assumed,
                    }),
                    None => json!({
                        "node": column.name, "outcome": "unknown", "handler": null, "reason": null, "assumed": false,
                    }),
                })
                .collect();
            let pod = json!({
                "name": row.name, "namespace": row.namespace, "kind": row.kind, "source": row.source, "nodes": on,
            });
            let comma = if index == 0 { "" } else { "," };
            write!(out, "{comma}\n{}", escape::json(pod.to_string()))?;
        }
        writeln!(out, "\n]\n}}")
    }

    /// As text: the nodes by number, a line a pod, the reasons by letter.
    pub fn text(&self, out: &mut impl Write, paint: Paint) -> io::Result<()> {
        let width = self.reasons.len().to_string().len() + 2;
        for (index, (column, cells)) in self.columns.iter().zip(&self.cells).enumerate() {
            let counts: Vec<String> = [
                (Self::count(cells, Word::Starts), "start"),
                (Self::count(cells, Word::Refused), "refused"),
                (Self::count(cells, Word::NotKata), "not Kata's"),
                (Self::count(cells, Word::Unknown), "not known"),
            ]
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, word)| format!("{count} {word}"))
            .collect();
            writeln!(
                out,
                "node {:>3}  {}  ({})  {}",
                index + 1,
                paint.wrap("1", &visible(&column.name)),
                column.origin,
                column
                    .error
                    .as_deref()
                    .map_or_else(|| counts.join(", "), |error| visible(error).into_owned())
            )?;
            if !column.lacks.is_empty() {
                writeln!(out, "          does not hold: {}", visible(&column.lacks.join("; ")))?;
            }
        }
        let longest = self.rows.iter().map(|row| row.id.chars().count()).max().unwrap_or(0);
        write!(out, "\n{:longest$}", "")?;
        for index in 0..self.columns.len() {
            write!(out, " {:<width$}", index + 1)?;
        }
        writeln!(out)?;
        for (index, row) in self.rows.iter().enumerate() {
            let mut line = format!("{:longest$}", visible(&row.id));
            for cells in &self.cells {
                let (code, text) = match cells.get(index) {
                    None => ("35", "?".to_owned()),
                    Some(cell) => match (cell.outcome, cell.assumed) {
                        (Word::Starts, false) => ("32", "✓".to_owned()),
                        (Word::Starts, true) => ("36", "≈".to_owned()),
                        (Word::NotKata, _) => ("0", "-".to_owned()),
                        (Word::Refused, _) => ("31", format!("✗{}", cell.reason.map_or(0, |at| at + 1))),
                        (Word::Unknown, _) => ("35", format!("?{}", cell.reason.map_or(0, |at| at + 1))),
                    },
                };
                line.push(' ');
                line.push_str(&paint.wrap(code, &format!("{text:<width$}")));
            }
            writeln!(out, "{}", line.trim_end())?;
        }
        if !self.reasons.is_empty() {
            writeln!(out)?;
        }
        for (index, (reason, met)) in self.reasons.iter().enumerate() {
            let mut lines = reason.lines();
            let first = lines.next().unwrap_or_default();
            let pods = if met.pods == 1 { "once".to_owned() } else { format!("{} times", met.pods) };
            let on = if met.nodes == 1 { "1 node".to_owned() } else { format!("{} nodes", met.nodes) };
            writeln!(out, "{:>3}  {} ({pods}, on {on})", index + 1, visible(first))?;
            for line in lines {
                writeln!(out, "     {}", visible(line))?;
            }
        }
        writeln!(
            out,
            "\n{} pods on {} nodes: ✓ starts, ≈ starts if what is assumed holds, ✗ refused, ? not known, - not Kata's",
            self.rows.len(),
            self.columns.len()
        )
    }
}
