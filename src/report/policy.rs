//! What a policy lets in, and the tightest one for some pods: for people and as JSON.

use std::io::{self, Write};

use indexmap::IndexMap;
use serde_json::{Value as Json, json};

use super::counted::counted;
use super::escape::{visible, visible_lines};
use super::json::{SCHEMA, policy};
use super::text::{Paint, short};
use crate::answer::verdict::ListId;
use crate::audit::powers::{Audit, EntryReport, Opening, Power};
use crate::catalog::Risk;
use crate::evaluate::Evaluator;
use crate::evaluate::own_keys::SIZES;
use crate::input::host::FileKind;
use crate::input::manifest::Pod;
use crate::suggest::Suggestion;

/// How many files are shown of one annotation.
const FILES_SHOWN: usize = 4;
/// How many pods are named of those that fare alike.
const NAMED: usize = 3;

fn risk_colour(risk: Risk) -> &'static str {
    match risk {
        Risk::HostExec => "1;31",
        Risk::HostPath | Risk::GuestIntegrity => "31",
        Risk::Isolation | Risk::Resource => "33",
        Risk::Observability | Risk::None => "2",
    }
}

/// An audit for people.
pub fn audit(out: &mut dyn Write, audit: &Audit, title: &str, paint: Paint) -> io::Result<()> {
    writeln!(out, "{}", paint.wrap("1", &visible(title)))?;
    writeln!(out, "whoever may create pods can change, by risk:")?;
    for risk in Risk::ALL {
        let powers: Vec<&Power> = audit.of_risk(*risk).collect();
        if powers.is_empty() {
            continue;
        }
        writeln!(out)?;
        writeln!(out, "{}  {}", paint.wrap(risk_colour(*risk), risk.as_str()), risk.describe())?;
        for power in powers {
            writeln!(out, "  {:<32} {}", short(power.annotation.key), visible(&opening(&power.by)))?;
            if let Some((files, more)) = &power.files {
                let shown: Vec<_> =
                    files.iter().take(FILES_SHOWN).map(|f| visible(&f.path).into_owned()).collect();
                let rest = files.len().saturating_sub(shown.len());
                let tail = match (rest, more) {
                    (_, true) => format!(" and {rest} or more besides"),
                    (0, false) => String::new(),
                    (rest, false) => format!(" and {rest} more"),
                };
                match files.is_empty() && !more {
                    true => writeln!(out, "  {:<32} no value passes its list", "")?,
                    false => writeln!(out, "  {:<32} {}{tail}", "", shown.join(" "))?,
                }
            }
            if power.anywhere {
                writeln!(out, "  {:<32} and any file of the host, spelled with ..", "")?;
            }
            if !power.used {
                writeln!(out, "  {:<32} this hypervisor makes no use of it", "")?;
            }
        }
    }
    if let Some(sizes_vms) = audit.past {
        writeln!(out)?;
        writeln!(
            out,
            "{}  past every list",
            paint.wrap(risk_colour(Risk::Resource), Risk::Resource.as_str())
        )?;
        for key in SIZES {
            writeln!(out, "  {key:<36} open: CRI-O passes it on, Kata takes it for the sandbox's size")?;
        }
        let effect = if sizes_vms {
            "static sizing makes the VM of them: a pod sizes itself, as annotation or label, whatever default_memory \
             and default_vcpus are closed to"
        } else {
            "without effect here: static_sandbox_resource_mgmt is off"
        };
        writeln!(out, "  {effect}")?;
    }
    writeln!(out)?;
    writeln!(out, "closed by name: {}", counted(audit.closed, "annotation"))?;
    if audit.disabled {
        writeln!(out, "{}", paint.wrap("33", "an invalid entry disables the whole of enable_annotations"))?;
    }
    for list in &audit.idle {
        writeln!(out, "{list} has no effect: no annotation that it checks is let through by name")?;
    }
    let noteworthy: Vec<&EntryReport> =
        audit.entries.iter().filter(|entry| !entry.meaning.warnings.is_empty()).collect();
    if !noteworthy.is_empty() {
        writeln!(out, "\nentries that say more, or less, than they seem to, the widest first:")?;
    }
    for entry in noteworthy {
        let place = entry.place.as_ref().map(|p| format!("  {p}")).unwrap_or_default();
        let pattern = visible(&format!("{:?}", entry.pattern)).into_owned();
        writeln!(out, "  {} {}{}", entry.list, paint.wrap("1", &pattern), visible(&place))?;
        for warning in &entry.meaning.warnings {
            writeln!(out, "    {}", visible(&warning.to_string()))?;
        }
    }
    Ok(())
}

fn opening(by: &Opening) -> String {
    match by {
        Opening::Ungated => "open: no list checks it".to_owned(),
        Opening::Entry { pattern, place, .. } => {
            let place = place.as_ref().map(|p| format!("  {p}")).unwrap_or_default();
            format!("by {pattern:?}{place}")
        }
    }
}

/// An audit as JSON.
pub fn audit_json(evaluator: &Evaluator, audit: &Audit) -> Json {
    let powers: Vec<Json> = audit.powers.iter().map(power_json).collect();
    let entries: Vec<Json> = audit.entries.iter().map(entry_json).collect();
    json!({
        "schema": SCHEMA,
        "policy": policy(evaluator),
        "worst": audit.worst().as_str(),
        "disabled": audit.disabled,
        "closed": audit.closed,
        "idle": audit.idle,
        "open": powers,
        "past": audit.past.map(|sizes_vms| json!({ "keys": SIZES, "sizes_vms": sizes_vms })),
        "entries": entries,
    })
}

fn power_json(power: &Power) -> Json {
    let by = match &power.by {
        Opening::Ungated => Json::Null,
        Opening::Entry { at, pattern, place } => {
            json!({ "index": at, "pattern": pattern, "at": place.as_ref().map(ToString::to_string) })
        }
    };
    json!({
        "key": power.annotation.key,
        "risk": power.annotation.risk.as_str(),
        "entry": by,
        "files": power.files.as_ref().map(|(files, _)| files.iter().map(|f| &f.path).collect::<Vec<_>>()),
        "more_files": power.files.as_ref().is_some_and(|(_, more)| *more),
        "anywhere": power.anywhere,
        "used": power.used,
        "real": power.real(),
    })
}

fn entry_json(entry: &EntryReport) -> Json {
    let kind = |kind: FileKind| match kind {
        FileKind::File => "file",
        FileKind::Directory => "folder",
        FileKind::Symlink | FileKind::Other => "other",
    };
    let files: Vec<Json> =
        entry.meaning.files.iter().map(|f| json!({ "path": f.path, "kind": kind(f.kind) })).collect();
    json!({
        "list": entry.list,
        "index": entry.at,
        "pattern": entry.pattern,
        "at": entry.place.as_ref().map(ToString::to_string),
        "risk": entry.meaning.risk().as_str(),
        "too_broad": entry.too_broad(),
        "names": entry.meaning.names.iter().map(|a| a.key).collect::<Vec<_>>(),
        "files": files,
        "more_files": entry.meaning.more_files,
        "warnings": entry.meaning.warnings.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}

/// A suggestion with what surrounds it.
#[derive(Debug)]
pub struct Proposal<'a> {
    /// The pods it is for.
    pub pods: &'a [Pod],
    /// What is proposed.
    pub suggestion: &'a Suggestion,
    /// Entries of the present policy that none of the pods needs, with their text.
    pub unused: &'a [(ListId, usize, String)],
    /// The change of the files, as a unified diff.
    pub diff: &'a str,
}

/// A suggestion for people; the lists are TOML as it can be pasted.
pub fn proposal(out: &mut dyn Write, proposal: &Proposal<'_>, paint: Paint) -> io::Result<()> {
    let Proposal { pods, suggestion, unused, diff } = proposal;
    let name = |index: usize| pods.get(index).map(Pod::id).unwrap_or_default();
    let table = suggestion.lists.first().map(|(id, _)| id.table.as_ref()).unwrap_or_default();
    writeln!(out, "# the tightest policy for {}", counted(pods.len(), "pod"))?;
    writeln!(out, "[{}]", visible(table))?;
    for (id, entries) in
        suggestion.lists.iter().filter(|(id, e)| !e.is_empty() || id.list == "enable_annotations")
    {
        let entries: Vec<String> =
            entries.iter().map(|e| toml_edit::Value::from(e.as_str()).to_string()).collect();
        writeln!(out, "{} = [{}]", id.list, visible(&entries.join(", ")))?;
    }
    // Pods of one kind fare alike: they stand on one line.
    let named = |indices: &[usize]| {
        let names: Vec<String> =
            indices.iter().take(NAMED).map(|index| visible(&name(*index)).into()).collect();
        match indices.len().saturating_sub(NAMED) {
            0 => names.join(", "),
            more => format!("{} and {more} more", names.join(", ")),
        }
    };
    let mut refused: IndexMap<(&str, &str), Vec<usize>> = IndexMap::new();
    for (index, failure) in &suggestion.impossible {
        refused.entry((failure.stage.as_str(), &failure.message)).or_default().push(*index);
    }
    for ((stage, message), indices) in refused {
        let head = paint.wrap("31", "# no policy makes it start:");
        writeln!(out, "{head} {} ({stage}) {}", named(&indices), visible(message))?;
    }
    let mut lost: IndexMap<&str, Vec<usize>> = IndexMap::new();
    for (index, key) in &suggestion.without_effect {
        lost.entry(key).or_default().push(*index);
    }
    for (key, indices) in lost {
        writeln!(out, "# no policy makes it take effect: {} {}", named(&indices), visible(&short(key)))?;
    }
    for (id, _, text) in *unused {
        writeln!(
            out,
            "# none of the pods needs {} of {}",
            visible(&format!("{text:?}")),
            visible(&id.to_string())
        )?;
    }
    match diff.is_empty() {
        true => writeln!(out, "# the present policy is this one"),
        false => writeln!(out, "\n{}", visible_lines(diff)),
    }
}

/// A suggestion as JSON.
pub fn proposal_json(evaluator: &Evaluator, proposal: &Proposal<'_>) -> Json {
    let Proposal { pods, suggestion, unused, diff } = proposal;
    let name = |index: usize| pods.get(index).map(Pod::id);
    let lists: serde_json::Map<String, Json> =
        suggestion.lists.iter().map(|(id, entries)| (id.list.clone().into_owned(), json!(entries))).collect();
    let impossible: Vec<Json> = suggestion
        .impossible
        .iter()
        .map(|(i, f)| json!({ "pod": name(*i), "stage": f.stage.as_str(), "message": f.message }))
        .collect();
    let idle: Vec<Json> =
        suggestion.without_effect.iter().map(|(i, key)| json!({ "pod": name(*i), "key": key })).collect();
    let unused: Vec<Json> = unused
        .iter()
        .map(|(id, at, text)| json!({ "table": id.table, "list": id.list, "index": at, "pattern": text }))
        .collect();
    json!({
        "schema": SCHEMA,
        "policy": policy(evaluator),
        "table": suggestion.lists.first().map(|(id, _)| id.table.clone()),
        "lists": lists,
        "impossible": impossible,
        "without_effect": idle,
        "unused": unused,
        "diff": diff,
    })
}
