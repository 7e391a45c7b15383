//! Pods against nodes: what becomes of each pod on each node, with the reasons told once.
//!
//! Decides how a cell is written and how reasons are counted; keeps of an evaluation what a cell shows, so that
//! hundreds of nodes and thousands of pods fit.

use std::io::{self, Write};

use indexmap::IndexMap;
use serde::Serialize;
use serde_json::{Value as Json, json};

use super::counted::{counted, times};
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

/// What becomes of one pod on one node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    /// In a word.
    pub outcome: Word,
    /// Why, among the reasons.
    pub reason: Option<u32>,
    /// Whether that rests on what nobody has looked at.
    pub assumed: bool,
    /// Among the handlers.
    handler: Option<u32>,
}

/// An outcome without its reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)]
pub enum Word {
    Starts,
    Refused,
    NotKata,
    Unknown,
}

impl Word {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Starts => "starts",
            Self::Refused => "refused",
            Self::NotKata => "not-kata",
            Self::Unknown => "unknown",
        }
    }
}

#[derive(Debug, Clone)]
struct Row {
    id: String,
    name: String,
    namespace: String,
    kind: String,
    source: Json,
}

/// A cell, as JSON.
#[derive(Serialize)]
struct OnNode<'m> {
    node: &'m str,
    outcome: &'static str,
    handler: Option<&'m str>,
    reason: Option<u32>,
    assumed: bool,
}

/// A row, as JSON.
#[derive(Serialize)]
struct PodOnNodes<'m> {
    name: &'m str,
    namespace: &'m str,
    kind: &'m str,
    source: &'m Json,
    nodes: Vec<OnNode<'m>>,
}

/// How often a reason was met.
#[derive(Debug, Clone, Copy, Default)]
pub struct Met {
    /// By pods, on all nodes together.
    pub pods: usize,
    /// On how many nodes.
    pub nodes: usize,
}

/// What the matrix keeps of an evaluation.
#[derive(Debug, Clone)]
pub struct Brief {
    outcome: Word,
    reason: Option<String>,
    assumed: bool,
    handler: Option<String>,
}

impl Brief {
    /// Of an evaluation.
    pub fn of(evaluation: &Evaluation) -> Self {
        let (outcome, reason) = match &evaluation.outcome {
            Outcome::Starts => (Word::Starts, None),
            Outcome::NotKata => (Word::NotKata, None),
            Outcome::Refused(failure) => {
                let reason = format!("at {}: {}", failure.stage.as_str(), failure.message.trim_end());
                (Word::Refused, Some(reason))
            }
            Outcome::Unknown(why) => (Word::Unknown, Some(why.to_string())),
        };
        let handler = evaluation.handler.as_deref().map(str::to_owned);
        Self { outcome, reason, assumed: evaluation.hangs_on_assumptions(), handler }
    }

    /// Whether the reason speaks of the pod by name.
    pub fn names(&self, pod: &Pod) -> bool {
        let says =
            |word: &str| !word.is_empty() && self.reason.as_ref().is_some_and(|text| text.contains(word));
        says(&pod.name) || says(&pod.namespace)
    }
}

/// The matrix; filled node by node.
#[derive(Debug, Clone, Default)]
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
    pub fn add(&mut self, column: Column, briefs: impl Iterator<Item = Brief>) {
        let mut cells = Vec::with_capacity(self.rows.len());
        let mut met = std::collections::HashSet::new();
        for Brief { outcome, reason, assumed, handler } in briefs {
            let reason = reason.map(|reason| {
                let entry = self.reasons.entry(reason);
                let index = entry.index() as u32;
                let count = entry.or_default();
                count.pods += 1;
                count.nodes += usize::from(met.insert(index));
                index
            });
            let handler = handler.map(|name| {
                let entry = self.handlers.entry(name);
                let index = entry.index() as u32;
                entry.or_default();
                index
            });
            cells.push(Cell { outcome, reason, assumed, handler });
        }
        self.columns.push(column);
        self.cells.push(cells);
    }

    /// Adds a node on which every pod fares as on an earlier one.
    pub fn add_alike(&mut self, column: Column, earlier: usize) {
        let cells = self.cells.get(earlier).cloned().unwrap_or_default();
        let mut met = std::collections::HashSet::new();
        for reason in cells.iter().filter_map(|cell| cell.reason) {
            if let Some((_, count)) = self.reasons.get_index_mut(reason as usize) {
                count.pods += 1;
                count.nodes += usize::from(met.insert(reason));
            }
        }
        self.columns.push(column);
        self.cells.push(cells);
    }

    /// The nodes.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// What becomes of a pod on a node; `None` where the node could not be judged.
    pub fn cell(&self, row: usize, column: usize) -> Option<Cell> {
        self.cells.get(column)?.get(row).copied()
    }

    /// A reason, and how often it was met.
    pub fn reason(&self, index: u32) -> Option<(&str, Met)> {
        self.reasons.get_index(index as usize).map(|(text, met)| (text.as_str(), *met))
    }

    /// How many reasons there are.
    pub fn reasons(&self) -> usize {
        self.reasons.len()
    }

    /// The handler that the pod goes to there.
    pub fn handler(&self, cell: Cell) -> Option<&str> {
        self.handlers.get_index(cell.handler? as usize).map(|(name, ())| name.as_str())
    }

    /// How many pods have each outcome on a node, as far as there are any: `2 start, 1 refused`.
    pub fn counts(&self, column: usize) -> String {
        let cells = self.cells.get(column).map(Vec::as_slice).unwrap_or_default();
        let counts = [
            (Self::count(cells, Word::Starts), "start"),
            (Self::count(cells, Word::Refused), "refused"),
            (Self::count(cells, Word::NotKata), "not Kata's"),
            (Self::count(cells, Word::Unknown), "not known"),
        ];
        let met = counts.iter().filter(|(count, _)| *count > 0);
        met.map(|(count, word)| format!("{count} {word}")).collect::<Vec<_>>().join(", ")
    }

    /// Tells nodes of one name apart by how each was named.
    pub fn tell_apart(&mut self, places: &[String]) {
        let names: Vec<String> = self.columns.iter().map(|column| column.name.clone()).collect();
        for (column, place) in self.columns.iter_mut().zip(places) {
            if names.iter().filter(|name| **name == column.name).count() > 1 {
                column.name.clone_from(place);
            }
        }
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
            let on: Vec<OnNode<'_>> = self
                .columns
                .iter()
                .zip(&self.cells)
                .map(|(column, cells)| {
                    let cell = cells.get(index);
                    OnNode {
                        node: &column.name,
                        outcome: cell.map_or(Word::Unknown, |cell| cell.outcome).as_str(),
                        handler: cell.and_then(|cell| self.handler(*cell)),
                        reason: cell.and_then(|cell| cell.reason),
                        assumed: cell.is_some_and(|cell| cell.assumed),
                    }
                })
                .collect();
            let pod = PodOnNodes {
                name: &row.name,
                namespace: &row.namespace,
                kind: &row.kind,
                source: &row.source,
                nodes: on,
            };
            let comma = if index == 0 { "" } else { "," };
            write!(out, "{comma}\n{}", escape::json(serde_json::to_string(&pod)?))?;
        }
        writeln!(out, "\n]\n}}")
    }

    /// As text: the nodes by number, a line a pod, the reasons by letter.
    pub fn text(&self, out: &mut impl Write, paint: Paint) -> io::Result<()> {
        let width = self.reasons.len().to_string().len() + 2;
        for (index, column) in self.columns.iter().enumerate() {
            let counts = self.counts(index);
            writeln!(
                out,
                "node {:>3}  {}  ({})  {}",
                index + 1,
                paint.wrap("1", &visible(&column.name)),
                column.origin,
                column.error.as_deref().map_or(counts, |error| visible(error).into_owned())
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
            let pods = times(met.pods);
            let on = counted(met.nodes, "node");
            writeln!(out, "{:>3}  {} ({pods}, on {on})", index + 1, visible(first))?;
            for line in lines {
                writeln!(out, "     {}", visible(line))?;
            }
        }
        writeln!(
            out,
            "\n{} on {}: ✓ starts, ≈ starts if what is assumed holds, ✗ refused, ? not known, - not Kata's",
            counted(self.rows.len(), "pod"),
            counted(self.columns.len(), "node")
        )
    }
}
