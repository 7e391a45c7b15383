//! What commands share that print: how, of which pods, and which findings are news.

use std::path::PathBuf;

use clap::Args;

use super::choices::{ColorChoice, ShowFormat};

/// How `show`, `diff` and `explain` print.
#[derive(Debug, Clone, Args)]
pub struct Output {
    /// The format
    #[arg(short, long, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: ShowFormat,
    /// The same as -o json
    #[arg(long, conflicts_with = "output")]
    pub json: bool,
    /// When to use colour
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    pub color: ColorChoice,
}

impl Output {
    /// Whether JSON was asked for, either way.
    pub fn is_json(&self) -> bool {
        self.json || self.output == ShowFormat::Json
    }
}

/// Of which pods and findings `check` tells.
#[derive(Debug, Clone, Default, Args)]
pub struct Narrow {
    /// Only pods that this finds, as on screen: words, !word, column:text, column=text
    ///
    /// All words must be found, !word must not be. Columns: pod, namespace (ns), kind, class, handler, release,
    /// outcome, reason, annotation, value, file; the name of an annotation is a column, too (default_vcpus:4).
    #[arg(long, value_name = "QUERY")]
    pub filter: Option<String>,
    /// Findings that are accepted: they are not told of again, and do not count for the exit status
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// Accept what is found now: write it into this file for --baseline (- for standard output)
    #[arg(long, value_name = "FILE")]
    pub write_baseline: Option<PathBuf>,
}
