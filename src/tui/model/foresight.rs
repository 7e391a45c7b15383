//! What a change would do to the pod that is looked at, in few rows.
//!
//! Decides which differences are shown first: keys, then arguments, then whole bodies.

use super::plain;
use crate::answer::effective::EffectiveValue;
use crate::answer::launch::Arg;
use crate::diff::Kind;
use crate::diff::evaluation::Differences;
use crate::evaluate::Outcome;

/// What would differ for the pod that is looked at.
#[derive(Debug, Clone)]
pub struct Foresight {
    /// What becomes of it.
    pub outcome: Outcome,
    /// Keys and arguments with what they are and would be; the first ones.
    pub rows: Vec<(String, String, String)>,
    /// How many more there are.
    pub more: usize,
}

impl Foresight {
    /// The first differences of two evaluations.
    pub fn of(differences: &Differences, outcome: Outcome, shown: usize) -> Self {
        let mut rows = Vec::new();
        for row in &differences.config {
            let value =
                |value: &Option<EffectiveValue>| value.as_ref().map_or("-".to_owned(), |v| plain(&v.value));
            rows.push((row.key.clone(), value(&row.values.baseline), value(&row.values.candidate)));
        }
        for process in differences.processes.iter().chain(std::iter::once(&differences.kernel)) {
            for row in process.rows.iter().filter(|row| row.kind != Kind::Same) {
                let text = |args: &[Arg], range: &std::ops::Range<usize>| {
                    let args = args.get(range.clone()).unwrap_or_default();
                    args.iter().map(|arg| arg.text.as_str()).collect::<Vec<_>>().join(" ")
                };
                rows.push((
                    String::new(),
                    text(&process.args.baseline, &row.baseline),
                    text(&process.args.candidate, &row.candidate),
                ));
            }
        }
        for body in differences.bodies.iter().chain(&differences.agent) {
            rows.push((body.title.clone(), String::new(), format!("{} differences", body.changes.len())));
        }
        let more = rows.len().saturating_sub(shown);
        rows.truncate(shown);
        Self { outcome, rows, more }
    }
}
