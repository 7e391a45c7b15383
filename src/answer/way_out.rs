//! The way out of a refusal: where its cause stands, what collides there, and the smallest change that helps.

use super::Place;
use super::finding::Who;
use super::verdict::Fix;

/// How a refused pod comes to start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WayOut {
    /// Where the cause stands, where a file says it.
    pub place: Option<Place>,
    /// The values that it is about, each with its place.
    pub facts: Vec<String>,
    /// The change that was tried and helps.
    pub fix: Option<Fix>,
    /// What became of the pod when it was tried.
    pub gain: Option<String>,
    /// What to do in words; without a change that was tried it says why there is none, too.
    pub advice: String,
    /// What may be behind it, the likeliest first.
    pub causes: &'static [&'static str],
    /// Whether it is a file that was looked for in vain.
    pub misses_file: bool,
    /// Who can.
    pub who: Who,
}
