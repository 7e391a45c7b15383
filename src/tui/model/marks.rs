//! The pods that are marked: what is compared, tried on and listed together.
//!
//! One marked pod is the side that others are compared with; of several it is the one marked last that is not in
//! sight itself, so that going from one to the other compares them both ways.

use super::rows::Body;
use super::{Baseline, Model, Screen};

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
                let pod = |row: &super::rows::Row| match row.body {
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

    /// The marked pods with what becomes of them, a line each, in the order of the manifests.
    pub fn marked_lines(&self) -> String {
        let mut marks: Vec<usize> = self.marks.iter().copied().collect();
        marks.sort_unstable();
        let mut text = String::new();
        for entry in marks.into_iter().filter_map(|mark| Some((mark, self.pods.get(mark)?))) {
            let (mark, entry) = entry;
            let summary = self.sweep.get(mark);
            let outcome = summary.map_or("not evaluated yet", |summary| summary.word());
            let why = match summary.map(|summary| (&summary.refused, &summary.why)) {
                Some((Some((stage, message)), _)) => format!("{stage}: {message}"),
                Some((None, why)) => why.to_string(),
                None => String::new(),
            };
            let handler = entry.handler.as_deref().unwrap_or("-");
            let release = entry.release.as_deref().unwrap_or("-");
            text.push_str(&[&entry.id, outcome, handler, release, &why].join("\t"));
            text.push('\n');
        }
        text
    }
}
