//! Two evaluations, commands or documents to changes. Decides what counts as one change; prints nothing.

pub mod argv;
pub mod documents;
pub mod evaluation;
pub mod json;
pub mod nodes;
pub mod qmp;
pub mod running;
pub mod sequence;
pub mod state;
pub mod text;

/// The two sides of any diff.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sides<T> {
    /// What it is compared with.
    pub baseline: T,
    /// What is looked at.
    pub candidate: T,
}

impl<T> Sides<T> {
    /// Both sides.
    pub fn new(baseline: T, candidate: T) -> Self {
        Self { baseline, candidate }
    }

    /// The same of both sides.
    pub fn map<'a, U>(&'a self, f: impl Fn(&'a T) -> U) -> Sides<U> {
        Sides { baseline: f(&self.baseline), candidate: f(&self.candidate) }
    }
}

impl<T: PartialEq> Sides<T> {
    /// Whether the sides differ.
    pub fn differ(&self) -> bool {
        self.baseline != self.candidate
    }
}

/// What became of one row from baseline to candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// On both sides, at the same place.
    Same,
    /// On both sides, elsewhere.
    Moved,
    /// On both sides, different inside.
    Changed,
    /// Only in the candidate.
    Added,
    /// Only in the baseline.
    Removed,
}
