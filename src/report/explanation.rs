//! What a word means, for people and as JSON: the catalogue's rows in every release.

use std::io::{self, Write};

use serde_json::{Value as Json, json};

use super::counted::counted;
use super::escape::visible;
use super::json::who;
use super::text::Paint;
use crate::catalog::{Annotation, ConfigKey, Gate, KeyReader, Reader};
use crate::explain::Meaning;
use crate::explain::journal::Group;
use crate::explain::messages::Decoded;
use crate::release::{Named, Release, Runtime, Version};

/// For people. `policy` says what the host's lists make of an annotation, where a file was given.
pub fn text(
    out: &mut dyn Write,
    meaning: &Meaning,
    policy: &dyn Fn(&str, Option<&str>) -> Option<String>,
    paint: Paint,
) -> io::Result<()> {
    match meaning {
        Meaning::Annotations(annotations) => each_annotation(out, annotations, policy, paint),
        Meaning::ConfigKeys(keys) => each_key(out, keys, paint),
        Meaning::Both(annotations, keys) => {
            each_annotation(out, annotations, policy, paint)?;
            each_key(out, keys, paint)
        }
        Meaning::Message(decoded) => message(out, decoded, policy, paint),
        Meaning::Unknown(names) => {
            writeln!(out, "no annotation, configuration key or message of that name is known")?;
            for name in names {
                writeln!(out, "  did you mean {name}?")?;
            }
            Ok(())
        }
    }
}

fn each_annotation(
    out: &mut dyn Write,
    annotations: &[&'static Annotation],
    policy: &dyn Fn(&str, Option<&str>) -> Option<String>,
    paint: Paint,
) -> io::Result<()> {
    for annotation in annotations {
        writeln!(out, "{}  annotation", paint.wrap("1", annotation.key))?;
        writeln!(out, "  {}", annotation.summary)?;
        writeln!(out, "  risk     {}: {}", annotation.risk.as_str(), annotation.risk.describe())?;
        if let Some(range) = annotation.documented {
            writeln!(out, "  {:<8} {}", "docs", range.replace("..", " to "))?;
        }
        if let Some(new) = annotation.replaced_by {
            writeln!(out, "  replaced by {new}")?;
        }
        if let Some(note) = annotation.note {
            writeln!(out, "  note     {note}")?;
        }
        for runtime in RUNTIMES {
            history(out, runtime, &|release| with_fate(annotation.reader(release)), paint)?;
        }
        changes(out, annotation.base(), paint)?;
        if let Some(said) = policy(annotation.key, None) {
            writeln!(out, "  {} {}", paint.wrap("33", "here"), visible(&said))?;
        }
        writeln!(out)?;
    }
    Ok(())
}

const RUNTIMES: [Runtime; 2] = [Runtime::Go, Runtime::Rs];

/// What each release of a runtime does, in words: a line for each run of releases that do alike.
fn spans(runtime: Runtime, words: &dyn Fn(Release) -> String) -> Vec<(Version, Version, String)> {
    let mut spans: Vec<(Version, Version, String)> = Vec::new();
    for version in runtime.versions() {
        let said = words(Release::new(runtime, version));
        match spans.last_mut() {
            Some((_, last, own)) if *own == said => *last = version,
            _ => spans.push((version, version, said)),
        }
    }
    spans
}

fn history(
    out: &mut dyn Write,
    runtime: Runtime,
    words: &dyn Fn(Release) -> String,
    paint: Paint,
) -> io::Result<()> {
    let measured: Vec<String> = runtime.measured().map(|version| version.to_string()).collect();
    writeln!(out, "  {}  measured at {}", paint.wrap("1", runtime.title()), measured.join(", "))?;
    for (first, last, said) in spans(runtime, words) {
        let span = if first == last { first.to_string() } else { format!("{first} to {last}") };
        writeln!(out, "    {span:<17} {said}")?;
    }
    Ok(())
}

/// The named changes that speak of a key.
fn named(key: &str) -> impl Iterator<Item = (Runtime, &'static Named)> {
    let word = format!("`{key}`");
    let all = RUNTIMES
        .into_iter()
        .flat_map(|runtime| runtime.behaviours().iter().map(move |named| (runtime, named)));
    all.filter(move |(_, named)| named.about.contains(&word))
}

fn changes(out: &mut dyn Write, key: &str, paint: Paint) -> io::Result<()> {
    for (at, (runtime, named)) in named(key).enumerate() {
        if at == 0 {
            writeln!(out, "  {}", paint.wrap("1", "changes"))?;
        }
        let until = named.span.until.map(|until| format!(" to {until}")).unwrap_or_default();
        let span = format!("{}{until}", named.span.since);
        writeln!(out, "    {span:<17} {}: {}", runtime.title(), named.sentence())?;
    }
    Ok(())
}

/// The releases of a runtime that read an annotation: `2.0.0..3.1.3 3.6.0..4.1.0`.
fn read_by(annotation: &Annotation, runtime: Runtime) -> Option<String> {
    let spans = annotation.read_by(runtime);
    let words: Vec<_> = spans.iter().map(|(first, last)| format!("{first}..{last}")).collect();
    (!words.is_empty()).then(|| words.join(" "))
}

/// One release's row in words.
pub fn reader(reader: &Reader) -> String {
    if !reader.read {
        let documented = if reader.documented { "documented, but not read" } else { "not read" };
        return match reader.fate {
            Some(fate) => format!("{documented}: {fate}"),
            None => documented.to_owned(),
        };
    }
    let mut parts = Vec::new();
    if let Some(kind) = reader.kind {
        let unit = reader.unit.map(|u| format!(" in {u}")).unwrap_or_default();
        parts.push(format!("{}{unit}", kind.as_str()));
    }
    match (reader.min, reader.max) {
        (Some(min), Some(max)) => parts.push(format!("{min} to {max}")),
        (Some(min), None) => parts.push(format!("at least {min}")),
        (None, Some(max)) => parts.push(format!("at most {max}")),
        (None, None) => {}
    }
    if !reader.choices.is_empty() {
        parts.push(reader.choices.join(" | "));
    }
    parts.push(gate(reader.gate));
    if let Some(field) = reader.field {
        parts.push(format!("sets {field}"));
    }
    if let Some(merge) = reader.merge {
        parts.push(merge.to_owned());
    }
    if !reader.hypervisors.is_empty() {
        parts.push(format!("used by {}", reader.hypervisors.join(", ")));
    }
    if !reader.effective {
        parts.push("has no effect".into());
    }
    if !reader.documented {
        parts.push("undocumented".into());
    }
    parts.join("; ")
}

/// The same, and what becomes of a bad value.
fn with_fate(own: &Reader) -> String {
    let fate = own.bad.filter(|_| own.read).map(|bad| format!("; {}", bad.describe())).unwrap_or_default();
    format!("{}{fate}", reader(own))
}

/// A gate in words.
pub fn gate(gate: Gate) -> String {
    match gate {
        Gate::None => "open to every pod".into(),
        Gate::Name => "checked by enable_annotations".into(),
        Gate::NameAndValue(list) => format!("checked by enable_annotations and {list}"),
    }
}

fn each_key(out: &mut dyn Write, keys: &[&'static ConfigKey], paint: Paint) -> io::Result<()> {
    for key in keys {
        writeln!(out, "{}  configuration key", paint.wrap("1", &format!("{}.{}", key.table, key.key)))?;
        writeln!(out, "  {}", key.summary)?;
        for runtime in RUNTIMES {
            history(out, runtime, &|release| key_reader(key.reader(release)), paint)?;
        }
        changes(out, key.key, paint)?;
        writeln!(out)?;
    }
    Ok(())
}

/// One release's row of a configuration key in words.
fn key_reader(reader: Option<&KeyReader>) -> String {
    let Some(reader) = reader else { return "not read".to_owned() };
    let unit = reader.unit.map(|u| format!(" in {u}")).unwrap_or_default();
    let mut said = format!("{}{unit}; default {}", reader.kind.as_str(), reader.default);
    if !reader.hypervisors.is_empty() {
        said.push_str(&format!("; used by {}", reader.hypervisors.join(", ")));
    }
    if reader.unused {
        said.push_str("; read, then used by nothing");
    }
    said
}

fn message(
    out: &mut dyn Write,
    decoded: &Decoded,
    policy: &dyn Fn(&str, Option<&str>) -> Option<String>,
    paint: Paint,
) -> io::Result<()> {
    let message = decoded.message;
    let mark = if message.harmless { paint.wrap("32", "harmless") } else { paint.wrap("33", "message") };
    writeln!(out, "{mark} of {}", message.of)?;
    writeln!(out, "  means   {}", message.means)?;
    writeln!(out, "  do      {}", message.advice)?;
    writeln!(out, "  who     {}", who(decoded.who()))?;
    if let Some(list) = message.list {
        writeln!(out, "  list    {list}")?;
    }
    if let Some(value) = decoded.value.as_deref().filter(|v| !v.is_empty()) {
        writeln!(out, "  value   {}", visible(value))?;
    }
    for (number, cause) in message.causes.iter().enumerate() {
        let head = if number == 0 { "causes" } else { "" };
        writeln!(out, "  {head:<7} {}. {cause}", number + 1)?;
    }
    if !message.keys.is_empty() {
        writeln!(out, "  keys    {}", message.keys.join(", "))?;
    }
    match (&decoded.annotation, &decoded.key) {
        (Some(annotation), _) => {
            writeln!(out, "  key     {}", annotation.key)?;
            writeln!(out, "          {}", annotation.summary)?;
            let risk = annotation.risk;
            writeln!(out, "  risk    {}: {}", risk.as_str(), risk.describe())?;
        }
        (None, Some(key)) => writeln!(out, "  key     {} (no such annotation is known)", visible(key))?,
        (None, None) => {}
    }
    let said = decoded
        .key
        .as_deref()
        .and_then(|key| policy(key, decoded.value.as_deref()))
        .or_else(|| decoded.message.list.and_then(|list| policy(list, decoded.value.as_deref())));
    if let Some(said) = said {
        writeln!(out, "  {}    {}", paint.wrap("33", "here"), visible(&said))?;
    }
    Ok(())
}

/// Many messages at once, for people.
pub fn journal(out: &mut dyn Write, lines: u64, groups: &[Group], paint: Paint) -> io::Result<()> {
    let count = |of: &dyn Fn(&Group) -> bool| groups.iter().filter(|g| of(g)).map(|g| g.count).sum::<u64>();
    let known = count(&|group| group.decoded.is_some());
    let unknown = count(&|group| group.decoded.is_none());
    writeln!(
        out,
        "{} read: {} of {}, {} not known",
        counted(lines, "line"),
        counted(known, "message"),
        counted(groups.iter().filter(|group| group.decoded.is_some()).count(), "kind"),
        counted(unknown, "failure"),
    )?;
    for group in groups {
        let place = match group.first == group.last {
            true => format!("line {}", group.first),
            false => format!("lines {} to {}", group.first, group.last),
        };
        let (times, text) = (format!("{} x", group.count), visible(&group.text));
        writeln!(out, "\n{}  {text}  ({place})", paint.wrap("1", &times))?;
        if !group.objects.is_empty() {
            let more = if group.more_objects { " and more" } else { "" };
            writeln!(out, "  of      {}{more}", visible(&group.objects.join(", ")))?;
        }
        let Some(decoded) = &group.decoded else {
            writeln!(out, "  not known")?;
            continue;
        };
        let message = decoded.message;
        writeln!(out, "  means   {}", message.means)?;
        writeln!(out, "  do      {} ({})", message.advice, who(decoded.who()))?;
        for (number, cause) in message.causes.iter().enumerate() {
            let head = if number == 0 { "causes" } else { "" };
            writeln!(out, "  {head:<7} {}. {cause}", number + 1)?;
        }
    }
    Ok(())
}

/// Many messages at once, as JSON.
pub fn journal_json(lines: u64, groups: &[Group]) -> Json {
    let group = |group: &Group| {
        json!({
            "count": group.count, "first_line": group.first, "last_line": group.last, "text": group.text,
            "objects": group.objects, "more_objects": group.more_objects,
            "message": group.decoded.as_ref().map(message_json),
        })
    };
    json!({ "lines": lines, "groups": groups.iter().map(group).collect::<Vec<_>>() })
}

/// As JSON.
pub fn json(meaning: &Meaning) -> Json {
    match meaning {
        Meaning::Annotations(annotations) => json!({ "annotations": annotations_json(annotations) }),
        Meaning::ConfigKeys(keys) => json!({ "config_keys": keys_json(keys) }),
        Meaning::Both(annotations, keys) => {
            json!({ "annotations": annotations_json(annotations), "config_keys": keys_json(keys) })
        }
        Meaning::Message(decoded) => json!({ "message": message_json(decoded) }),
        Meaning::Unknown(names) => json!({ "unknown": true, "nearest": names }),
    }
}

/// A message understood, as JSON.
pub fn message_json(decoded: &Decoded) -> Json {
    let message = decoded.message;
    json!({
        "speaker": message.of, "meaning": message.means, "advice": message.advice, "who": who(decoded.who()),
        "harmless": message.harmless, "annotation": decoded.key, "list": message.list, "value": decoded.value,
        "causes": message.causes, "keys": message.keys, "wraps": message.wraps,
    })
}

fn annotations_json(annotations: &[&'static Annotation]) -> Vec<Json> {
    annotations.iter().map(|a| annotation_json(a)).collect()
}

/// One annotation over all releases.
pub fn annotation_json(annotation: &Annotation) -> Json {
    let row = |reader: &Reader| {
        json!({
            "documented": reader.documented,
            "read": reader.read,
            "effective": reader.effective,
            "fate": reader.fate,
            "type": reader.kind.map(|k| k.as_str()),
            "unit": reader.unit,
            "minimum": reader.min,
            "maximum": reader.max,
            "choices": reader.choices,
            "restricted": reader.gate != Gate::None,
            "list": reader.gate.list(),
            "bad_value": reader.bad.map(|bad| bad.as_str()),
            "field": reader.field,
            "merge": reader.merge,
            "hypervisors": reader.hypervisors,
        })
    };
    let of = |release: Release| row(annotation.reader(release));
    json!({
        "key": annotation.key,
        "summary": annotation.summary,
        "note": annotation.note,
        "risk": annotation.risk.as_str(),
        "level": annotation.level.as_str(),
        "read_by": { "go": read_by(annotation, Runtime::Go), "rs": read_by(annotation, Runtime::Rs) },
        "documented": annotation.documented,
        "replaced_by": annotation.replaced_by,
        "releases": at_stops(&of),
        "history": history_json(&of),
        "changes": changes_json(annotation.base()),
    })
}

fn at_stops(of: &dyn Fn(Release) -> Json) -> serde_json::Map<String, Json> {
    Release::STOPS.iter().map(|release| (release.id(), of(*release))).collect()
}

/// A row for each run of releases that do alike, by runtime.
fn history_json(of: &dyn Fn(Release) -> Json) -> serde_json::Map<String, Json> {
    let rows = |runtime: Runtime| -> Json {
        let mut rows: Vec<(Version, Version, Json)> = Vec::new();
        for version in runtime.versions() {
            let row = of(Release::new(runtime, version));
            match rows.last_mut() {
                Some((_, last, own)) if *own == row => *last = version,
                _ => rows.push((version, version, row)),
            }
        }
        let with_span = |(since, until, row): (Version, Version, Json)| json!({ "since": since.to_string(), "until": until.to_string(), "does": row });
        rows.into_iter().map(with_span).collect::<Vec<_>>().into()
    };
    RUNTIMES.into_iter().map(|runtime| (runtime.as_str().to_owned(), rows(runtime))).collect()
}

fn changes_json(key: &str) -> Vec<Json> {
    let row = |(runtime, named): (Runtime, &Named)| {
        json!({ "runtime": runtime.as_str(), "since": named.span.since.to_string(),
                "until": named.span.until.map(|until| until.to_string()), "text": named.sentence(),
                "upstream": named.upstream })
    };
    named(key).map(row).collect()
}

fn keys_json(keys: &[&'static ConfigKey]) -> Vec<Json> {
    keys.iter()
        .map(|key| {
            let of = |release: Release| -> Json {
                let row = |reader: &KeyReader| {
                    json!({
                        "type": reader.kind.as_str(), "unit": reader.unit, "default": reader.default,
                        "unused": reader.unused, "hypervisors": reader.hypervisors,
                    })
                };
                key.reader(release).map(row).into()
            };
            json!({ "table": key.table, "key": key.key, "summary": key.summary, "releases": at_stops(&of),
                    "history": history_json(&of), "changes": changes_json(key.key) })
        })
        .collect()
}

/// Every annotation that a release knows, a line each: the specification's table.
pub fn table(out: &mut dyn Write, release: Release) -> io::Result<()> {
    let rows: Vec<_> = crate::catalog::all_annotations()
        .iter()
        .map(|a| (a, a.reader(release)))
        .filter(|(_, reader)| reader.read || reader.documented)
        .collect();
    let width = rows.iter().map(|(a, _)| a.key.len()).max().unwrap_or(0) + 4;
    for (annotation, reader) in rows {
        let restricted = if reader.gate.list().is_some() { " (R)" } else { "" };
        let kind = reader.kind.map_or("", |k| k.as_str());
        let unread = if reader.read { "" } else { " [not read]" };
        writeln!(
            out,
            "{:<width$} {kind:<9} {}{unread}",
            format!("{}{restricted}", annotation.key),
            annotation.summary
        )?;
    }
    Ok(())
}
