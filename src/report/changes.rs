//! Differences between two evaluations, for people and as JSON.

use std::io::{self, Write};

use serde_json::{Value as Json, json};

use super::escape::visible;
use super::launch::cause;
use super::text::{Paint, origin, short};
use crate::answer::effective::{Effective, Origin};
use crate::answer::launch::{Arg, cause_at};
use crate::answer::verdict::Verdict;
use crate::diff::argv::{self, Row};
use crate::diff::evaluation::{BodyRows, ConfigRow, Differences, ProcessRows};
use crate::diff::{Kind, Sides};
use crate::evaluate::Evaluation;

fn mark(kind: Kind) -> (&'static str, char) {
    match kind {
        Kind::Same => ("0", ' '),
        Kind::Moved => ("36", '↕'),
        Kind::Changed => ("33", '~'),
        Kind::Added => ("32", '+'),
        Kind::Removed => ("31", '-'),
    }
}

pub(super) fn line(out: &mut dyn Write, paint: Paint, kind: Kind, text: &str) -> io::Result<()> {
    let (style, glyph) = mark(kind);
    writeln!(out, "  {}", paint.wrap(style, &format!("{glyph} {}", visible(text))))
}

/// For people: only what differs, an argument a line, with its cause.
pub fn text(
    out: &mut dyn Write,
    title: &str,
    differences: &Differences,
    sides: &Sides<Evaluation>,
    all: bool,
    paint: Paint,
) -> io::Result<()> {
    if !differences.any() {
        return writeln!(out, "{}: no difference", visible(title));
    }
    writeln!(out, "{}", paint.wrap("1", &visible(title)))?;
    if differences.outcome.differ() {
        for (kind, outcome) in
            [(Kind::Removed, &differences.outcome.baseline), (Kind::Added, &differences.outcome.candidate)]
        {
            let message = outcome.failure().map(|f| format!(" at {}: {}", f.stage.as_str(), f.message));
            line(
                out,
                paint,
                kind,
                &format!("{}{}", outcome.as_str(), message.unwrap_or_default().trim_end()),
            )?;
        }
    }
    heading(out, "annotations", differences.annotations.iter().any(|r| r.kind != Kind::Same))?;
    for row in differences.annotations.iter().filter(|r| r.kind != Kind::Same) {
        let text = format!(
            "{}  {} → {}",
            short(&row.key),
            verdict(row.verdicts.baseline.as_ref()),
            verdict(row.verdicts.candidate.as_ref())
        );
        line(out, paint, row.kind, &text)?;
    }
    heading(out, "configuration", !differences.config.is_empty())?;
    let told = |row: &&ConfigRow| all || !is_a_default_of_one(row);
    for row in differences.config.iter().filter(told) {
        let value = |v: &Option<crate::answer::effective::EffectiveValue>| {
            v.as_ref().map_or_else(|| "—".into(), |v| format!("{} ({})", v.value, origin(&v.origin)))
        };
        let text = format!("{}  {} → {}", row.key, value(&row.values.baseline), value(&row.values.candidate));
        line(out, paint, row.kind, &text)?;
    }
    let left_out = differences.config.iter().filter(|row| !told(row)).count();
    if left_out > 0 {
        let keys = if left_out == 1 {
            "key that only one side has, at its"
        } else {
            "keys that only one side has, at their"
        };
        writeln!(out, "    and {left_out} {keys} default: --all")?;
    }
    let effective = sides.map(|e| e.effective.as_ref());
    for process in &differences.processes {
        processes(out, paint, process, &effective)?;
    }
    for body in &differences.bodies {
        bodies(out, paint, body, &effective)?;
    }
    if differences.kernel.rows.iter().any(|r| r.kind != Kind::Same) {
        heading(out, "guest kernel command line", true)?;
        rows(out, paint, &differences.kernel, &effective)?;
    }
    for body in &differences.agent {
        bodies(out, paint, body, &effective)?;
    }
    writeln!(out)
}

/// Whether one side does not know the key, and nobody has set it on the other.
fn is_a_default_of_one(row: &ConfigRow) -> bool {
    match (&row.values.baseline, &row.values.candidate) {
        (Some(one), None) | (None, Some(one)) => one.origin == Origin::Default,
        _ => false,
    }
}

fn heading(out: &mut dyn Write, text: &str, wanted: bool) -> io::Result<()> {
    if wanted { writeln!(out, " {text}") } else { Ok(()) }
}

pub(super) fn verdict(verdict: Option<&Verdict>) -> String {
    match verdict {
        None => "not set".into(),
        Some(v) => match &v.after {
            Some(after) => format!("{} ({after})", v.status.as_str()),
            None => v.status.as_str().into(),
        },
    }
}

fn processes(
    out: &mut dyn Write,
    paint: Paint,
    process: &ProcessRows,
    effective: &Sides<Option<&Effective>>,
) -> io::Result<()> {
    let differs = process.program.differ() || process.rows.iter().any(|r| r.kind != Kind::Same);
    let name = process.program.candidate.as_ref().or(process.program.baseline.as_ref());
    heading(out, &visible(name.map_or("process", String::as_str)), differs)?;
    if process.program.differ() {
        let program = |p: &Option<String>| p.clone().unwrap_or_else(|| "—".into());
        let text =
            format!("{} → {}", program(&process.program.baseline), program(&process.program.candidate));
        line(out, paint, Kind::Changed, &text)?;
    }
    rows(out, paint, process, effective)
}

fn joined(args: &[Arg], range: &std::ops::Range<usize>) -> String {
    args.get(range.clone()).unwrap_or_default().iter().map(|a| a.text.as_str()).collect::<Vec<_>>().join(" ")
}

fn rows(
    out: &mut dyn Write,
    paint: Paint,
    process: &ProcessRows,
    effective: &Sides<Option<&Effective>>,
) -> io::Result<()> {
    for row in process.rows.iter().filter(|r| r.kind != Kind::Same) {
        let text = match row.kind {
            Kind::Removed => joined(&process.args.baseline, &row.baseline),
            Kind::Changed => changed(row),
            _ => joined(&process.args.candidate, &row.candidate),
        };
        let effective = if row.kind == Kind::Removed { effective.baseline } else { effective.candidate };
        let why = cause(&argv::cause(row, process.args.map(Vec::as_slice)), effective);
        line(out, paint, row.kind, &format!("{text}  # {why}"))?;
    }
    Ok(())
}

/// `-m [-2048M,-]{+4096M,+}slots=10`, as word diffs are written.
fn changed(row: &Row) -> String {
    row.pieces
        .iter()
        .map(|piece| match piece.kind {
            Kind::Removed => format!("[-{}-]", piece.text),
            Kind::Added => format!("{{+{}+}}", piece.text),
            _ => piece.text.clone(),
        })
        .collect()
}

fn bodies(
    out: &mut dyn Write,
    paint: Paint,
    body: &BodyRows,
    effective: &Sides<Option<&Effective>>,
) -> io::Result<()> {
    heading(out, &visible(&body.title), true)?;
    let effective = if body.kind == Kind::Removed { effective.baseline } else { effective.candidate };
    for change in &body.changes {
        let value = |v: &Option<Json>| v.as_ref().map_or_else(|| "—".into(), Json::to_string);
        let values = change.values.map(value);
        let mut text = format!("{}  {} → {}", change.pointer, values.baseline, values.candidate);
        if let Some(why) = cause_at(&body.causes, &change.pointer) {
            text.push_str(&format!("  # {}", cause(why, effective)));
        }
        line(out, paint, change.kind, &text)?;
    }
    Ok(())
}

pub(super) fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Same => "same",
        Kind::Moved => "moved",
        Kind::Changed => "changed",
        Kind::Added => "added",
        Kind::Removed => "removed",
    }
}

/// As JSON: every row that differs.
pub fn json(title: &str, differences: &Differences) -> Json {
    let annotations: Vec<Json> = differences
        .annotations
        .iter()
        .filter(|r| r.kind != Kind::Same)
        .map(|r| {
            let side = |v: &Option<Verdict>| v.as_ref().map(super::json::annotation_value);
            json!({ "key": r.key, "change": word(r.kind),
                    "baseline": side(&r.verdicts.baseline), "candidate": side(&r.verdicts.candidate) })
        })
        .collect();
    let config: Vec<Json> = differences
        .config
        .iter()
        .map(|r| {
            let side =
                |v: &Option<crate::answer::effective::EffectiveValue>| v.as_ref().map(|v| v.value.clone());
            json!({ "key": r.key, "change": word(r.kind),
                    "baseline": side(&r.values.baseline), "candidate": side(&r.values.candidate) })
        })
        .collect();
    let args = |p: &ProcessRows| -> Vec<Json> {
        p.rows
            .iter()
            .filter(|r| r.kind != Kind::Same)
            .map(|r| {
                json!({ "change": word(r.kind),
                        "baseline": joined(&p.args.baseline, &r.baseline),
                        "candidate": joined(&p.args.candidate, &r.candidate) })
            })
            .collect()
    };
    let process = |p: &ProcessRows| json!({ "baseline": p.program.baseline, "candidate": p.program.candidate, "args": args(p) });
    let body = |b: &BodyRows| {
        let changes: Vec<Json> = b
            .changes
            .iter()
            .map(|c| {
                json!({ "pointer": c.pointer, "change": word(c.kind),
                        "baseline": c.values.baseline, "candidate": c.values.candidate })
            })
            .collect();
        json!({ "title": b.title, "change": word(b.kind), "changes": changes })
    };
    json!({
        "pod": title,
        "differs": differences.any(),
        "outcome": { "baseline": differences.outcome.baseline.as_str(),
                     "candidate": differences.outcome.candidate.as_str() },
        "annotations": annotations,
        "config": config,
        "processes": differences.processes.iter().map(process).collect::<Vec<_>>(),
        "bodies": differences.bodies.iter().map(body).collect::<Vec<_>>(),
        "kernel_cmdline": args(&differences.kernel),
        "agent": differences.agent.iter().map(body).collect::<Vec<_>>(),
    })
}
