//! An evaluation to text, JSON, SARIF and JUnit: one file per format over the same findings.
//!
//! Decides wording and layout, never a verdict. Hostile text is escaped here, once (`escape`).

pub mod baseline;
pub mod beside;
pub mod changes;
pub mod counted;
pub mod escape;
pub mod explanation;
pub mod github;
pub mod grouped;
pub mod initdata;
pub mod json;
pub mod junit;
pub mod launch;
pub mod manifest;
pub mod matrix;
pub mod node_changes;
pub mod policy;
pub mod running;
pub mod sarif;
pub mod schema;
pub mod sizing;
pub mod text;
pub mod upgrade;
