//! What runs beside what is predicted, for people and as JSON.

use std::io::{self, Write};

use serde_json::{Value as Json, json};

use super::escape::visible;
use super::text::{self, Paint};
use crate::answer::effective::Effective;
use crate::diff::running::{Compared, Verdict};

/// One pod and the VM that runs for it.
#[derive(Debug)]
pub struct Beside<'b> {
    /// The pod, `namespace/name`.
    pub pod: &'b str,
    /// The sandbox of the VM, where the text names it.
    pub sandbox: Option<&'b str>,
    /// The release that was predicted with.
    pub predicted: String,
    /// What the line tells of the release.
    pub told: String,
    /// Whether both fit.
    pub fits: bool,
    /// The arguments.
    pub rows: &'b [Compared],
    /// What else was found.
    pub notes: &'b [String],
    /// Where the prediction's values come from.
    pub effective: Option<&'b Effective>,
}

const ORDER: [(Verdict, &str); 6] = [
    (Verdict::Equal, "equal"),
    (Verdict::Made, "made at the start"),
    (Verdict::Different, "different"),
    (Verdict::OnlyPredicted, "only predicted"),
    (Verdict::OnlyRunning, "only running"),
    (Verdict::Unknown, "not in the text"),
];

fn counts(rows: &[Compared]) -> String {
    let count = |verdict| rows.iter().filter(|row| row.verdict == verdict).count();
    let words: Vec<String> = ORDER
        .iter()
        .map(|(verdict, word)| (count(*verdict), word))
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    words.join(", ")
}

/// For people: the differences with their causes, then every argument.
pub fn text(out: &mut dyn Write, beside: &Beside<'_>, paint: Paint) -> io::Result<()> {
    let sandbox = beside.sandbox.unwrap_or("(its name is not in the text)");
    writeln!(out, "{}  beside sandbox {}", paint.wrap("1", &visible(beside.pod)), visible(sandbox))?;
    let fits = if beside.fits { "" } else { ": they do not fit, name the release with --kata-version" };
    writeln!(out, "  predicted as {}; the line is of {}{fits}", beside.predicted, beside.told)?;
    writeln!(out, "  {}", counts(beside.rows))?;
    for note in beside.notes {
        writeln!(out, "  - {}", visible(note))?;
    }
    for row in beside.rows {
        let (mark, style) = match row.verdict {
            Verdict::Equal => ("=", "2"),
            Verdict::Made => ("~", "2"),
            Verdict::Different => ("≠", "33"),
            Verdict::OnlyPredicted => ("-", "31"),
            Verdict::OnlyRunning => ("+", "32"),
            Verdict::Unknown => ("?", "35"),
        };
        let shown = row.running.as_deref().filter(|_| row.verdict != Verdict::Different);
        let shown = shown.or(row.predicted.as_deref()).unwrap_or_default();
        if row.verdict == Verdict::Different {
            writeln!(out, "  {} predicted {}", paint.wrap(style, mark), visible(shown))?;
            writeln!(out, "    running   {}", visible(row.running.as_deref().unwrap_or_default()))?;
        } else {
            writeln!(out, "  {} {}", paint.wrap(style, mark), visible(shown))?;
        }
        if !row.verdict.differs() {
            continue;
        }
        let cause = text::cause(&row.cause, beside.effective);
        if !cause.is_empty() {
            writeln!(out, "    by        {}", visible(&cause))?;
        }
        if let Some(probably) = &row.probably {
            writeln!(out, "    probably  {}", visible(probably))?;
        }
    }
    Ok(())
}

/// As JSON.
pub fn json(beside: &Beside<'_>) -> Json {
    let count = |verdict| beside.rows.iter().filter(|row| row.verdict == verdict).count();
    json!({
        "pod": beside.pod,
        "sandbox": beside.sandbox,
        "predicted_as": beside.predicted,
        "line_is_of": beside.told,
        "release_fits": beside.fits,
        "counts": ORDER.iter().map(|(verdict, _)| (verdict.as_str().to_owned(), Json::from(count(*verdict)))).collect::<serde_json::Map<_, _>>(),
        "notes": beside.notes,
        "arguments": beside.rows.iter().map(|row| json!({
            "of": row.of,
            "verdict": row.verdict.as_str(),
            "predicted": row.predicted,
            "running": row.running,
            "keys": row.cause.keys.iter().collect::<Vec<_>>(),
            "because": text::cause(&row.cause, beside.effective),
            "probably": row.probably,
        })).collect::<Vec<_>>(),
    })
}
