//! What another release would change, for people and as JSON: worst first, each with its release.

use std::io::{self, Write};

use serde_json::{Value as Json, json};

use super::escape::visible;
use super::text::{Paint, short};
use crate::diff::Sides;
use crate::evaluate::Outcome;
use crate::release::Judged;
use crate::runtime::LoadError;
use crate::upgrade::{
    Change, Consequence, Effect, HandlerUpgrade, Item, Place, PodUpgrade, Upgrade, outcome,
};

/// Names of pods, and differences, that are shown of one cause.
const SHOWN: usize = 5;

fn glyph(effect: Effect) -> (&'static str, char) {
    match effect {
        Effect::Breaks => ("31", '✗'),
        Effect::Lost => ("33", '○'),
        Effect::Gained => ("32", '✓'),
        Effect::Size | Effect::Launch | Effect::Agent | Effect::Value | Effect::Message => ("36", '~'),
    }
}

/// For people.
pub fn text(out: &mut dyn Write, upgrade: &Upgrade, paint: Paint) -> io::Result<()> {
    for (at, handler) in upgrade.handlers.iter().enumerate() {
        head(out, handler, at, upgrade, paint)?;
    }
    if !upgrade.pods.is_empty() {
        writeln!(out, "{}", tally(&upgrade.pods))?;
    }
    let mut last = None;
    for one in &upgrade.consequences {
        if last != Some(one.effect()) {
            writeln!(out, "\n{}", paint.wrap("1", one.effect().describe()))?;
            last = Some(one.effect());
        }
        consequence(out, one, upgrade, paint)?;
    }
    if upgrade.consequences.is_empty() && !upgrade.breaks() {
        writeln!(out, "no difference")?;
    }
    Ok(())
}

fn head(
    out: &mut dyn Write,
    handler: &HandlerUpgrade,
    at: usize,
    upgrade: &Upgrade,
    paint: Paint,
) -> io::Result<()> {
    let name = handler.handler.as_ref().map_or_else(String::new, |name| format!("{}  ", visible(name)));
    let title = |judged: &Result<Judged, String>| {
        judged.as_ref().map_or_else(Clone::clone, |judged| judged.release.title())
    };
    let titles = handler.releases.map(title);
    let way = format!("{} → {}", titles.baseline, titles.candidate);
    writeln!(out, "{name}{}  {}", visible(&handler.config), paint.wrap("1", &visible(&way)))?;
    for note in [&handler.releases.baseline, &handler.releases.candidate].into_iter().flatten() {
        if let Some(note) = &note.note {
            writeln!(out, "  note: {}", visible(note))?;
        }
    }
    for judged in [&handler.releases.baseline, &handler.releases.candidate].into_iter().flatten() {
        if let Some(caveat) = judged.release.caveat() {
            writeln!(out, "  note: {caveat}")?;
        }
    }
    let Sides { baseline, candidate } = &handler.errors;
    let line = match (baseline, candidate) {
        (None, None) => None,
        (Some(_), None) => Some(("32", "loads from now on".to_owned())),
        (None, Some(error)) => Some(("31", format!("does not load any more: {}", at_place(error)))),
        (Some(_), Some(error)) => Some(("31", format!("does not load under either: {}", at_place(error)))),
    };
    if let Some((style, line)) = line {
        writeln!(out, "  {}", paint.wrap(style, &visible(&line)))?;
    }
    let served = upgrade.pods.iter().filter(|pod| pod.policy == Some(at)).count();
    if handler.handler.is_some() && served > 0 {
        writeln!(out, "  {}", count(served, "pod"))?;
    }
    Ok(())
}

fn at_place(error: &LoadError) -> String {
    let place = error.place.as_ref().map(|place| format!(" ({place})")).unwrap_or_default();
    format!("{}{place}", error.message.trim_end())
}

fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

/// How many pods come out how.
pub fn tally(pods: &[PodUpgrade]) -> String {
    let starts = |pod: &PodUpgrade| pod.outcomes.map(|outcome| matches!(outcome, Outcome::Starts));
    let number = |of: &dyn Fn(&PodUpgrade) -> bool| pods.iter().filter(|pod| of(pod)).count();
    let ours = |pod: &PodUpgrade| pod.policy.is_some();
    let broken = number(&|pod| ours(pod) && starts(pod).baseline && !starts(pod).candidate);
    let gained = number(&|pod| ours(pod) && !starts(pod).baseline && starts(pod).candidate);
    let others = number(&|pod| !ours(pod));
    let same = number(&|pod| ours(pod) && pod.items.is_empty());
    let changed = pods.len() - broken - gained - others - same;
    let mut words = vec![
        format!("{broken} not starting any more"),
        format!("{changed} changed"),
        format!("{same} as before"),
    ];
    if gained > 0 {
        words.insert(1, format!("{gained} starting from now on"));
    }
    if others > 0 {
        words.push(format!("{others} not judged by a Kata configuration"));
    }
    format!("{}: {}", count(pods.len(), "pod"), words.join(", "))
}

fn consequence(out: &mut dyn Write, one: &Consequence, upgrade: &Upgrade, paint: Paint) -> io::Result<()> {
    let (style, glyph) = glyph(one.effect());
    let whom = match (one.pods.len(), one.handlers.len()) {
        (0, handlers) => count(handlers, "configuration"),
        (pods, _) => count(pods, "pod"),
    };
    writeln!(out, " {} {}  {whom}", paint.wrap(style, &glyph.to_string()), visible(&one.cause.to_string()))?;
    let mut rest: Vec<&Item> = one.examples.iter().collect();
    rest.sort_by_key(|item| item.effect);
    for item in rest.iter().take(SHOWN) {
        writeln!(out, "     {}", visible(&difference(item)))?;
    }
    if rest.len() > SHOWN {
        writeln!(out, "     …")?;
    }
    let pods = one.pods.iter().filter_map(|at| upgrade.pods.get(*at)).map(|pod| pod.id.as_str());
    let names: Vec<&str> = pods.take(SHOWN).collect();
    if !names.is_empty() {
        let more =
            if one.pods.len() > SHOWN { format!(", and {}", one.pods.len() - SHOWN) } else { String::new() };
        writeln!(out, "     {}", visible(&format!("{}{more}", names.join(", "))))?;
    }
    if let Some(advice) = &one.advice {
        writeln!(out, "     do: {}", visible(advice))?;
    }
    Ok(())
}

/// `hypervisor.qemu.enable_iommu  false → true`.
pub fn difference(item: &Item) -> String {
    let place = match &item.place {
        Place::Annotation(key) => short(key),
        place => place.to_string(),
    };
    match (&item.before, &item.after) {
        (Some(before), Some(after)) if before == after => format!("{place}  elsewhere: {after}"),
        (Some(before), Some(after)) => format!("{place}  {before} → {after}"),
        (None, Some(after)) => format!("{place}  + {after}"),
        (Some(before), None) => format!("{place}  - {before}"),
        (None, None) => place,
    }
}

/// As JSON.
pub fn json(upgrade: &Upgrade) -> Json {
    let handlers: Vec<Json> = upgrade.handlers.iter().map(handler).collect();
    let pods: Vec<Json> = upgrade.pods.iter().map(pod).collect();
    let causes: Vec<Json> = upgrade.consequences.iter().map(cause).collect();
    json!({
        "schema": super::json::SCHEMA,
        "breaks": upgrade.breaks(),
        "handlers": handlers,
        "pods": pods,
        "causes": causes,
    })
}

fn handler(handler: &HandlerUpgrade) -> Json {
    let release = |judged: &Result<Judged, String>| match judged {
        Ok(judged) => {
            json!({ "release": judged.release.id(), "known_by": judged.known_by.as_str(),
                                "evidence": judged.release.evidence().as_str(), "note": judged.note })
        }
        Err(why) => json!({ "release": null, "note": why }),
    };
    let error = |error: &Option<LoadError>| {
        error.as_ref().map(|error| {
            json!({ "message": error.message, "file": error.place.as_ref().map(|place| &*place.file),
                    "line": error.place.as_ref().map(|place| place.line), "panic": error.panic })
        })
    };
    json!({
        "handler": handler.handler,
        "config": &*handler.config,
        "baseline": release(&handler.releases.baseline),
        "candidate": release(&handler.releases.candidate),
        "errors": { "baseline": error(&handler.errors.baseline), "candidate": error(&handler.errors.candidate) },
        "differences": handler.items.iter().map(item).collect::<Vec<_>>(),
    })
}

fn pod(pod: &PodUpgrade) -> Json {
    json!({
        "name": pod.id,
        "kind": pod.kind,
        "policy": pod.policy,
        "outcome": { "baseline": pod.outcomes.baseline.as_str(), "candidate": pod.outcomes.candidate.as_str() },
        "message": { "baseline": outcome(&pod.outcomes.baseline), "candidate": outcome(&pod.outcomes.candidate) },
        "differences": pod.items.iter().map(item).collect::<Vec<_>>(),
    })
}

fn item(item: &Item) -> Json {
    let what = match &item.place {
        Place::Outcome => "outcome",
        Place::Annotation(_) => "annotation",
        Place::Value(_) => "value",
        Place::Command(0) => "command",
        Place::Command(_) => "helper",
        Place::Kernel => "kernel",
        Place::Document(..) => "document",
        Place::Agent(..) => "agent",
    };
    json!({ "what": what, "place": item.place.to_string(), "effect": item.effect.as_str(),
            "baseline": item.before, "candidate": item.after })
}

fn cause(one: &Consequence) -> Json {
    let effects: serde_json::Map<String, Json> =
        one.effects.iter().map(|(effect, count)| (effect.as_str().to_owned(), json!(count))).collect();
    let (since, until, upstream) = match &one.cause.change {
        Change::Behaviour { since, until, upstream, .. } => {
            (Some(since.to_string()), until.map(|until| until.to_string()), Some(*upstream))
        }
        _ => (None, None, None),
    };
    json!({
        "release": one.cause.release.to_string(),
        "kind": one.cause.change.kind(),
        "text": one.cause.to_string(),
        "since": since,
        "until": until,
        "upstream": upstream,
        "effect": one.effect().as_str(),
        "effects": effects,
        "pods": one.pods,
        "handlers": one.handlers,
        "advice": one.advice,
        "examples": one.examples.iter().map(item).collect::<Vec<_>>(),
    })
}
