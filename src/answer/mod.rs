//! The words that all rooms answer in: what becomes of an annotation, what a careful reader points out, what
//! holds in the end, what is started and what the guest is told.
//!
//! Decides nothing but how they are put; knows no release.

pub mod agent;
pub mod effective;
pub mod finding;
pub mod launch;
mod note;
mod place;
pub mod text;
pub mod verdict;
pub mod way_out;

pub use place::Place;
pub use text::Text;
