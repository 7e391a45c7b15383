//! What two nodes differ in, and the pods that fare differently, for people and as JSON.

use std::io::{self, Write};

use serde_json::{Value as Json, json};

use super::changes::{line, word};
use super::counted::counted;
use super::escape::visible;
use super::text::Paint;
use crate::answer::verdict::Verdict;
use crate::diff::nodes::{FileRow, HandlerRow, KeyRow, NodeDifferences, Row};
use crate::diff::{Kind, Sides};
use crate::evaluate::{Evaluation, Outcome};

/// Keys of one file that are shown to people.
const KEYS: usize = 40;

fn or_dash(value: Option<&str>) -> &str {
    value.unwrap_or("—")
}

fn arrow(values: &Sides<Option<String>>) -> String {
    format!("{} → {}", or_dash(values.baseline.as_deref()), or_dash(values.candidate.as_deref()))
}

fn name_of(row: &HandlerRow) -> &str {
    if row.name.is_empty() { "the configuration" } else { &row.name }
}

/// For people: handlers, files with their keys, named files, hardware.
pub fn text(out: &mut dyn Write, differences: &NodeDifferences, paint: Paint) -> io::Result<()> {
    if !differences.any() {
        return writeln!(out, "the nodes: no difference");
    }
    let section = |out: &mut dyn Write, title: &str| writeln!(out, "{}", paint.wrap("1", title));
    if !differences.handlers.is_empty() {
        section(out, "handlers")?;
    }
    for row in &differences.handlers {
        line(out, paint, row.kind, name_of(row))?;
        for fact in &row.rows {
            line(out, paint, Kind::Same, &format!("    {}  {}", fact.name, arrow(&fact.values)))?;
        }
    }
    if !differences.files.is_empty() {
        section(out, "files")?;
    }
    for row in &differences.files {
        file(out, row, paint)?;
    }
    for (title, rows) in [("files that are named", &differences.named), ("hardware", &differences.hardware)] {
        if !rows.is_empty() {
            section(out, title)?;
        }
        for row in rows {
            line(out, paint, Kind::Changed, &format!("{}  {}", row.name, arrow(&row.values)))?;
        }
    }
    Ok(())
}

fn file(out: &mut dyn Write, row: &FileRow, paint: Paint) -> io::Result<()> {
    let paths = row.paths.map(Option::as_deref);
    let title = match (paths.baseline, paths.candidate) {
        (Some(old), Some(new)) if old != new => format!("{old} → {new}"),
        (old, new) => new.or(old).unwrap_or_default().to_owned(),
    };
    line(out, paint, row.kind, &title)?;
    for key in row.keys.iter().take(KEYS) {
        line(out, paint, key.kind, &format!("    {}", key_text(key)))?;
    }
    if row.keys.len() > KEYS {
        writeln!(out, "        and {} (all in -o json)", counted(row.keys.len() - KEYS, "more key"))?;
    }
    if let Some(why) = &row.unread {
        writeln!(out, "        {}", visible(why))?;
    }
    Ok(())
}

fn key_text(key: &KeyRow) -> String {
    if let Some(entries) = &key.entries {
        let each = |sign: char, texts: &[String]| -> Vec<String> {
            texts.iter().map(|text| format!("{sign}{}", Json::from(text.as_str()))).collect()
        };
        let mut all = each('-', &entries.baseline);
        all.extend(each('+', &entries.candidate));
        // The same entries in another order.
        let all = if all.is_empty() { "another order".to_owned() } else { all.join(" ") };
        let at = key.values.candidate.as_ref().map_or(0, |(_, line)| *line);
        return format!("{}  {all}  (line {at})", key.key);
    }
    let value =
        |side: &Option<(Json, u32)>| side.as_ref().map_or_else(|| "—".to_owned(), |(v, _)| v.to_string());
    let lines: Vec<String> = [&key.values.baseline, &key.values.candidate]
        .into_iter()
        .flatten()
        .map(|(_, line)| line.to_string())
        .collect();
    let word = if lines.len() == 1 { "line" } else { "lines" };
    format!(
        "{}  {} → {}  ({word} {})",
        key.key,
        value(&key.values.baseline),
        value(&key.values.candidate),
        lines.join(", ")
    )
}

fn row_json(row: &Row) -> Json {
    json!({ "name": row.name, "baseline": row.values.baseline, "candidate": row.values.candidate })
}

/// As JSON.
pub fn json(differences: &NodeDifferences) -> Json {
    let handler = |row: &HandlerRow| {
        json!({ "handler": row.name, "change": word(row.kind),
                "differs": row.rows.iter().map(row_json).collect::<Vec<_>>() })
    };
    let key = |row: &KeyRow| {
        let side = |side: &Option<(Json, u32)>| {
            side.as_ref().map(|(value, line)| json!({ "value": value, "line": line }))
        };
        json!({ "key": row.key, "change": word(row.kind),
                "baseline": side(&row.values.baseline), "candidate": side(&row.values.candidate),
                "entries": row.entries.as_ref().map(|e| json!({ "baseline": e.baseline, "candidate": e.candidate })) })
    };
    let file = |row: &FileRow| {
        json!({ "baseline": row.paths.baseline.as_deref(), "candidate": row.paths.candidate.as_deref(),
                "change": word(row.kind), "keys": row.keys.iter().map(key).collect::<Vec<_>>(),
                "unread": row.unread })
    };
    json!({
        "differs": differences.any(),
        "handlers": differences.handlers.iter().map(handler).collect::<Vec<_>>(),
        "files": differences.files.iter().map(file).collect::<Vec<_>>(),
        "named_files": differences.named.iter().map(row_json).collect::<Vec<_>>(),
        "hardware": differences.hardware.iter().map(row_json).collect::<Vec<_>>(),
    })
}

/// A pod that fares otherwise on the other node.
#[derive(Debug, Clone)]
pub struct Faring {
    /// The pod.
    pub pod: String,
    /// The outcomes.
    pub outcome: Sides<String>,
    /// Annotations whose status or value differs, each with both.
    pub annotations: Vec<(String, Sides<String>)>,
}

fn outcome(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Refused(failure) => {
            let first = failure.message.lines().next().unwrap_or_default();
            format!("refused at {}: {first}", failure.stage.as_str())
        }
        Outcome::Unknown(why) => format!("unknown: {why}"),
        other => other.as_str().to_owned(),
    }
}

impl Faring {
    /// Of a pod on both; `None` where it fares alike.
    pub fn of(pod: &str, sides: &Sides<Evaluation>) -> Option<Self> {
        let outcome = sides.map(|evaluation| outcome(&evaluation.outcome));
        let verdict = |evaluation: &Evaluation, key: &str| {
            let found = evaluation.verdicts.iter().find(|verdict| verdict.key == key);
            super::changes::verdict(found)
        };
        let keys = sides.candidate.verdicts.iter().map(|v: &Verdict| v.key.as_str());
        let annotations: Vec<(String, Sides<String>)> = keys
            .map(|key| (key.to_owned(), sides.map(|evaluation| verdict(evaluation, key))))
            .filter(|(_, both)| both.differ())
            .collect();
        let differs = outcome.differ() || !annotations.is_empty();
        differs.then(|| Self { pod: pod.to_owned(), outcome, annotations })
    }

    /// As JSON.
    pub fn json(&self) -> Json {
        let annotation = |(key, both): &(String, Sides<String>)| json!({ "key": key, "baseline": both.baseline, "candidate": both.candidate });
        json!({ "pod": self.pod,
                "baseline": self.outcome.baseline, "candidate": self.outcome.candidate,
                "annotations": self.annotations.iter().map(annotation).collect::<Vec<_>>() })
    }

    /// For people.
    pub fn text(&self, out: &mut dyn Write, paint: Paint) -> io::Result<()> {
        let kind = if self.outcome.differ() { Kind::Changed } else { Kind::Same };
        let sides = match self.outcome.differ() {
            true => format!("{} → {}", self.outcome.baseline, self.outcome.candidate),
            false => self.outcome.candidate.clone(),
        };
        line(out, paint, kind, &format!("{}  {sides}", self.pod))?;
        for (key, both) in &self.annotations {
            let key = super::text::short(key);
            line(out, paint, Kind::Same, &format!("    {key}  {} → {}", both.baseline, both.candidate))?;
        }
        Ok(())
    }
}
