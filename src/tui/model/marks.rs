//! The pods that are marked: what is compared, tried on and listed together.
//!
//! One marked pod is the side that others are compared with; of several it is the one marked last that is not in
//! sight itself, so that going from one to the other compares them both ways.

use std::rc::Rc;

use super::row::Body;
use super::{Baseline, Model, Screen};
use crate::tui::widget::text;

impl Model {
    /// The pod that others are compared with.
    pub fn marked(&self) -> Option<usize> {
        self.marks.iter().rev().find(|mark| **mark != self.pod).or(self.marks.last()).copied()
    }

    /// The pods that a value is tried on: the marked ones where the pod in sight is one of several, else it alone.
    pub fn together(&self) -> Vec<usize> {
        match self.marks.len() > 1 && self.marks.contains(&self.pod) {
            true => self.marks.iter().copied().collect(),
            false => vec![self.pod],
        }
    }

    /// The pods of the row under the cursor: of the head of a group all that it has.
    fn pods_here(&self) -> Vec<usize> {
        match self.rows.current().map(|row| &row.body) {
            Some(Body::Group(group)) => self.members(&group.title),
            Some(Body::Pod(index) | Body::PodOnNodes(index)) => vec![*index],
            _ => Vec::new(),
        }
    }

    /// Marks the pods under the cursor, or takes their marks back where all have one.
    pub fn toggle_marks(&mut self) {
        let here = self.pods_here();
        self.mark(&here);
    }

    /// Marks every pod of the list as it is filtered, or takes the marks back where all have one.
    pub fn toggle_all_marks(&mut self) {
        let all = match self.screen {
            Screen::Pods => self.arrangement.kept.to_vec(),
            _ => {
                let pod = |row: &super::row::Row| match row.body {
                    Body::PodOnNodes(index) => Some(index),
                    _ => None,
                };
                self.rows.shown.iter().filter_map(pod).collect()
            }
        };
        self.mark(&all);
    }

    fn mark(&mut self, pods: &[usize]) {
        if pods.iter().all(|pod| self.marks.contains(pod)) {
            self.marks.retain(|mark| !pods.contains(mark));
        } else {
            self.marks.extend(pods);
        }
        self.baseline = if self.marks.is_empty() { Baseline::Bare } else { Baseline::Marked };
    }

    /// Makes the pod in sight the only marked one.
    pub fn mark_alone(&mut self, pod: usize) {
        self.marks.clear();
        self.marks.insert(pod);
        self.baseline = Baseline::Marked;
    }

    /// The marked pods with what becomes of them, a row each, in the order of the manifests: pod, outcome, handler,
    /// release, why.
    fn marked_rows(&self) -> Vec<[String; 5]> {
        let mut marks: Vec<usize> = self.marks.iter().copied().collect();
        marks.sort_unstable();
        let row = |mark: usize| {
            let entry = self.pods.get(mark)?;
            let summary = self.sweep.get(mark);
            let outcome = summary.map_or("not evaluated yet", |summary| summary.word());
            let why = match summary.map(|summary| (&summary.refused, &summary.why)) {
                Some((Some((stage, message)), _)) => format!("{stage}: {message}"),
                Some((None, why)) => why.to_string(),
                None => String::new(),
            };
            let or_none = |text: &Option<Rc<str>>| text.as_deref().unwrap_or("-").to_owned();
            let (handler, release) = (or_none(&entry.handler), or_none(&entry.release));
            Some([entry.id.to_string(), outcome.to_owned(), handler, release, why])
        };
        marks.into_iter().filter_map(row).collect()
    }

    /// The marked pods as lines with tabs between the columns, for programs.
    pub fn marked_lines(&self) -> String {
        self.marked_rows().iter().map(|row| row.join("\t") + "\n").collect()
    }

    /// The same as a table to read.
    pub fn marked_table(&self) -> String {
        let rows = self.marked_rows();
        let mut widths = [0; 4];
        for row in &rows {
            for (width, text) in widths.iter_mut().zip(row) {
                *width = (*width).max(text::width(text));
            }
        }
        let line = |row: &[String; 5]| {
            let mut line = String::new();
            for (at, text) in row.iter().enumerate() {
                line.push_str(text);
                if let Some(width) = widths.get(at) {
                    line.push_str(&" ".repeat(width - text::width(text) + 2));
                }
            }
            line.trim_end().to_owned() + "\n"
        };
        rows.iter().map(line).collect()
    }
}
