//! Several nodes: what becomes of each pod on each, of which one is opened.
//!
//! The matrix is filled when the nodes are read; of the opened node the outcomes under unsaved edits count.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::arrange::searched;
use super::pods::{Elsewhere, PodEntry, Summary};
use super::row::{Body, Row};
use super::rows::Rows;
use super::{Model, Screen, Show};
use crate::input::host::Assumption;
use crate::query::{self, Column, Query, Searched};
use crate::report::matrix::{Matrix, Word};

/// The nodes beside the one that is opened.
#[derive(Debug, Clone)]
pub struct Nodes {
    /// What becomes of each pod on each.
    pub matrix: Matrix,
    /// The node that the other screens show.
    pub opened: usize,
    /// The node under the cursor.
    pub at: usize,
}

/// What one field of the matrix shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodeOutcome {
    /// The outcome.
    pub word: Word,
    /// Whether it rests on what nobody has looked at.
    pub assumed: bool,
    /// The reason's number, from 1.
    pub number: Option<u32>,
}

impl Nodes {
    /// The node under the cursor, `by` places on.
    pub fn step(&mut self, by: isize) {
        let last = self.matrix.columns().len().saturating_sub(1);
        self.at = self.at.saturating_add_signed(by).min(last);
    }

    /// The name of a node.
    pub fn name(&self, node: usize) -> &str {
        self.matrix.columns().get(node).map_or("", |column| &column.name)
    }

    /// The part of each name that tells it from the others: of folders, without what all paths begin and end
    /// with.
    pub fn short_names(&self) -> Vec<&str> {
        let names: Vec<&str> = self.matrix.columns().iter().map(|column| column.name.as_str()).collect();
        let (Some(first), true) = (names.first(), names.len() > 1) else { return names };
        let slashes: Vec<usize> = first.match_indices('/').map(|(at, _)| at).collect();
        let shared = |part: Option<&&str>| part.copied().unwrap_or_default().to_owned();
        let begins: Vec<&str> = slashes.iter().rev().filter_map(|at| first.get(..=*at)).collect();
        let begin = shared(begins.iter().find(|part| names.iter().all(|name| name.starts_with(**part))));
        let ends: Vec<&str> = slashes.iter().filter_map(|at| first.get(*at..)).collect();
        let end = shared(ends.iter().find(|part| names.iter().all(|name| name.ends_with(**part))));
        let short = |name: &str| begin.len()..name.len().saturating_sub(end.len());
        let part = |name| str::get(name, short(name)).filter(|part| !part.is_empty()).unwrap_or(name);
        names.iter().map(|name| part(*name)).collect()
    }

    /// That of one node.
    pub fn short_name(&self, node: usize) -> &str {
        self.short_names().get(node).copied().unwrap_or_default()
    }
}

impl Model {
    /// What becomes of a pod on a node; `None` where the node could not be judged.
    pub fn outcome(&self, pod: usize, node: usize) -> Option<NodeOutcome> {
        let nodes = self.nodes.as_ref()?;
        if let Some(summary) = self.in_memory(pod, node) {
            let word = match (&summary.refused, summary.elsewhere) {
                (Some(_), _) => Word::Refused,
                (None, Some(Elsewhere::NotKata)) => Word::NotKata,
                (None, Some(Elsewhere::Unknown)) => Word::Unknown,
                (None, None) => Word::Starts,
            };
            return Some(NodeOutcome {
                word,
                assumed: summary.assumed.iter().any(Assumption::decides),
                number: None,
            });
        }
        let cell = nodes.matrix.cell(pod, node)?;
        let number = cell.reason.map(|index| index + 1);
        Some(NodeOutcome { word: cell.outcome, assumed: cell.assumed, number })
    }

    /// What becomes of a pod under what is edited and tried, where that is this node's.
    fn in_memory(&self, pod: usize, node: usize) -> Option<&Summary> {
        let here = self.nodes.as_ref().is_some_and(|nodes| nodes.opened == node);
        if here && (self.seat.edited || self.trying() > 0) { self.sweep.get(pod) } else { None }
    }

    /// Why.
    pub fn reason(&self, pod: usize, node: usize) -> Option<String> {
        if let Some(summary) = self.in_memory(pod, node) {
            return summary.refused.as_ref().map(|(stage, message)| format!("at {stage}: {message}"));
        }
        let matrix = &self.nodes.as_ref()?.matrix;
        matrix.reason(matrix.cell(pod, node)?.reason?).map(|(text, _)| text.to_owned())
    }

    /// How a pod's outcomes lie over the nodes: whether they differ, and whether any is a refusal.
    fn spread(&self, pod: usize) -> (bool, bool) {
        let count = self.nodes.as_ref().map_or(0, |nodes| nodes.matrix.columns().len());
        let mut words = (0..count).map(|node| self.outcome(pod, node).map(|outcome| outcome.word));
        let first = words.next().flatten();
        let mut refused = first == Some(Word::Refused);
        let mut differs = false;
        for word in words {
            differs |= word != first;
            refused |= word == Some(Word::Refused);
        }
        (differs, refused)
    }
}

/// A pod with what becomes of it on every node, as a query looks at it: one node is enough.
struct OnNodes<'m> {
    model: &'m Model,
    pod: usize,
    entry: &'m PodEntry,
}

impl OnNodes<'_> {
    fn nodes(&self) -> std::ops::Range<usize> {
        0..self.model.nodes.as_ref().map_or(0, |nodes| nodes.matrix.columns().len())
    }

    fn outcome(&self, word: &query::Word) -> bool {
        let mut outcomes = self.nodes().filter_map(|node| self.model.outcome(self.pod, node));
        outcomes.any(|outcome| word.is_in(outcome.word.as_str()))
    }

    /// Whether a reason has it; each is looked at once.
    fn reason(&self, word: &query::Word) -> bool {
        let mut seen = BTreeSet::new();
        self.nodes().any(|node| {
            let number = self.model.outcome(self.pod, node).and_then(|outcome| outcome.number);
            (number.is_none() || seen.insert(number))
                && self.model.reason(self.pod, node).is_some_and(|reason| word.is_in(&reason))
        })
    }

    fn node(&self, word: &query::Word) -> bool {
        self.nodes().any(|node| self.model.nodes.as_ref().is_some_and(|nodes| word.is_in(nodes.name(node))))
    }
}

impl Searched for OnNodes<'_> {
    fn anywhere(&self, word: &query::Word) -> bool {
        searched(self.entry, None).anywhere(word) || self.outcome(word) || self.reason(word)
    }

    fn column(&self, column: Column, word: &query::Word) -> bool {
        match column {
            Column::Outcome => self.outcome(word),
            Column::Reason => self.reason(word),
            Column::Node => self.node(word),
            _ => searched(self.entry, None).column(column, word),
        }
    }

    fn named(&self, wanted: &query::NamedValue) -> bool {
        searched(self.entry, None).valued(wanted).unwrap_or_else(|| self.anywhere(&wanted.term))
    }
}

/// Every pod; those whose outcomes differ first, then those that are refused everywhere.
pub(super) fn rows(model: &Model) -> Rows {
    let list = &model.lists[Screen::Nodes];
    let query = Query::parse(list.filter.text());
    let mut all = 0;
    let mut rows: Vec<(u8, Row)> = Vec::new();
    for (index, entry) in model.pods.iter().enumerate() {
        let (differs, refused) = model.spread(index);
        let wanted = match list.show {
            Show::All => true,
            Show::Set => differs,
            Show::Problems => refused,
        };
        if !wanted {
            continue;
        }
        all += 1;
        if query.is_empty() || query.keeps(&OnNodes { model, pod: index, entry }) {
            let rank = match (differs, refused) {
                (true, _) => 0,
                (false, true) => 1,
                (false, false) => 2,
            };
            let body = Body::PodOnNodes(index);
            rows.push((rank, Row { id: entry.id.clone(), find: Rc::from(""), body }));
        }
    }
    rows.sort_by_key(|(rank, _)| *rank);
    let shown: Vec<Row> = rows.into_iter().map(|(_, row)| row).collect();
    Rows { kept: shown.len(), shown, all, cursor: None }
}
