//! A configuration that does not load, or starts nothing, because it was written for somebody else: the other
//! runtime, or another release of the same.
//!
//! Decides by the names in the files alone, and says what to pass so that they are judged as what they are. Facts:
//! the catalogue's spans.

use super::{Evaluator, Outcome, Setup, remark};
use crate::answer::finding::{Code, Finding, Severity, Who};
use crate::answer::verdict::{Failure, FailureStage};
use crate::catalog::{self, look};
use crate::input::manifest::Pod;
use crate::input::{Annotations, Host, Text, search};
use crate::node;
use crate::release::{Release, Runtime, Span, Version};
use crate::runtime::Depth;

/// Keys named in one message.
const NAMED: usize = 3;

/// Whose files look like, and what to pass.
#[derive(Debug, Clone)]
pub(super) struct Look {
    code: Code,
    message: String,
    fix: String,
}

/// What the files look like where they do not load.
pub(super) fn of_another(evaluator: &Evaluator, pod: &Pod) -> Option<Finding> {
    let Look { code, message, fix } = evaluator.look.get_or_init(|| of_files(evaluator)).clone()?;
    // What does not load says so itself.
    let severity = if evaluator.loaded().is_err() { Severity::Note } else { Severity::Warning };
    Some(remark::finding(code, severity, pod, Who::ClusterAdministrator, message, fix))
}

fn of_files(evaluator: &Evaluator) -> Option<Look> {
    let setup = evaluator.setup();
    let path = &setup.layers.asked;
    setup.layers.base.as_ref().ok()?;
    let like = search::looks_like(&setup.layers);
    if like != setup.release.runtime {
        // Most of what one runtime's file says is said in the other's, too: a file that loads is the other's only
        // where it says so outright, or says what that one alone ever read, or starts nothing here.
        let says_nothing = || evaluator.bare().is_some() && !is_read_by_go_alone(evaluator);
        if evaluator.loaded().is_ok() && like == Runtime::Go && says_nothing() {
            return None;
        }
        let and = if evaluator.loaded().is_ok() { "loads all the same" } else { "is judged" };
        let message =
            format!("{path} looks like a file of {}, and {and} by {}", like.title(), setup.release.title());
        let fix = format!("judge it with --runtime {}", like.as_str());
        return Some(Look { code: Code::OtherRuntimesFile, message, fix });
    }
    if starts_one(evaluator) {
        return None;
    }
    let (keys, nearest) = foreign(evaluator);
    let found = of_the_look(evaluator)
        .or_else(|| that_serves(evaluator, nearest?).map(|version| (version.to_string(), version)));
    let Some((words, version)) = found else { return kept_over_an_upgrade(evaluator) };
    let more = if keys.len() > NAMED { format!(" and {} more", keys.len() - NAMED) } else { String::new() };
    let named: Vec<&str> = keys.iter().take(NAMED).map(String::as_str).collect();
    let title = setup.release.title();
    let why = match keys.len() {
        0 => format!(", and is judged by {title}"),
        1 => format!(": {} is unknown to {title}", named.join(", ")),
        _ => format!(": {}{more} are unknown to {title}", named.join(", ")),
    };
    // Names alone tell no more of a file that loads: shipped files have keys that only later releases read.
    let message = match evaluator.loaded() {
        Ok(_) => format!("{path} fits Kata {words}, and starts nothing here{why}"),
        Err(_) => format!("{path} looks like a file of Kata {words}{why}"),
    };
    let fix = format!("judge it with --kata-version {version}");
    Some(Look { code: Code::OtherReleasesFile, message, fix })
}

/// Whether some key was read by releases of the Go runtime, and by none of runtime-rs.
fn is_read_by_go_alone(evaluator: &Evaluator) -> bool {
    evaluator.setup().layers.places().keys().any(|name| {
        let known = name.rsplit_once('.').and_then(|(table, key)| catalog::config_key(table, key));
        known.is_some_and(|known| {
            known.readers(Runtime::Go).next().is_some() && known.readers(Runtime::Rs).next().is_none()
        })
    })
}

/// Why it is not known whether the configuration that a pod picks would load: nobody collected the file.
pub(super) fn not_collected(host: &Host, failure: &Failure, received: &Annotations) -> Option<Text> {
    let picks = failure.annotation.as_deref().filter(|_| failure.stage == FailureStage::Load)?;
    let path = received.get(picks)?;
    let host = host.looking();
    let absent = || host.knows(path) && host.stat(path).is_err();
    if host.sees_all() || host.read(path).is_ok() || absent() {
        return None;
    }
    Some(format!("{path}, which the pod picks as its configuration, is not in what was collected").into())
}

/// The releases that the files look like, in words, and the newest of them, where the one that judges is none of
/// them and that one makes more of the files.
fn of_the_look(evaluator: &Evaluator) -> Option<(String, Version)> {
    let Setup { release, layers, .. } = evaluator.setup();
    let span = node::release::span_of_look(release.runtime, layers)?;
    let newest = span.until.unwrap_or(Version::NEWEST);
    if span.contains(release.version) || !serves(evaluator, newest) {
        return None;
    }
    let words = if span.since == newest { newest.to_string() } else { format!("{} to {newest}", span.since) };
    Some((words, newest))
}

/// Whether the files load by another version; and start a pod that asks for nothing, where they load by this one.
fn serves(evaluator: &Evaluator, version: Version) -> bool {
    let setup = evaluator.setup();
    let release = Release::new(setup.release.runtime, version);
    let other = Evaluator::load(Setup { release, ..(*setup).clone() }, false);
    match evaluator.loaded() {
        Ok(_) => starts_one(&other),
        Err(_) => other.loaded().is_ok(),
    }
}

/// Whether a pod that asks for nothing starts.
fn starts_one(evaluator: &Evaluator) -> bool {
    evaluator.walk(&Pod::bare(), Depth::Verdicts).outcome == Outcome::Starts
}

/// Where no name tells the release: whether the one before it starts pods with the files, and this one none.
fn kept_over_an_upgrade(evaluator: &Evaluator) -> Option<Look> {
    let Setup { release, layers, .. } = evaluator.setup();
    let before = release.runtime.versions().rfind(|version| *version < release.version)?;
    if evaluator.loaded().is_err() || !serves(evaluator, before) {
        return None;
    }
    let message = format!(
        "{} is a file that {} starts pods with, and {} none",
        layers.asked,
        Release::new(release.runtime, before).title(),
        release.title()
    );
    let fix = format!("take the file of {}, or judge it with --kata-version {before}", release.version);
    Some(Look { code: Code::OtherReleasesFile, message, fix })
}

/// Names that other releases of the runtime know and this one does not, and the nearest version that knows them.
fn foreign(evaluator: &Evaluator) -> (Vec<String>, Option<Version>) {
    let Release { runtime, version, .. } = evaluator.setup().release;
    let mut keys = Vec::new();
    let mut nearest: Option<Version> = None;
    for (name, _) in evaluator.setup().layers.places() {
        let Some((table, key)) = name.rsplit_once('.') else { continue };
        let known = catalog::config_key(table, key);
        let (named, own) = if let Some(span) = of_hypervisor(runtime, table).filter(|s| !s.contains(version))
        {
            // The table's name alone tells: its keys are read in the table that came after it, too.
            let own = if version < span.since { span.since } else { span.until.unwrap_or(Version::NEWEST) };
            (format!("[{table}]"), Some(own))
        } else if known.is_some_and(|known| look::is_refused_agent_key(table, known, runtime, version)) {
            (name.clone(), look::READS_PAST_AGENT_KEYS.until)
        } else {
            let Some(known) = known.filter(|known| known.reader(evaluator.setup().release).is_none()) else {
                continue;
            };
            let reads = |v: &Version| known.readers(runtime).any(|(span, _)| span.contains(*v));
            let before = runtime.versions().filter(|v| *v < version).rfind(reads);
            let after = runtime.versions().filter(|v| *v > version).find(reads);
            (name.clone(), before.or(after))
        };
        let Some(own) = own else { continue };
        if !keys.contains(&named) {
            let first = if named.starts_with('[') { 0 } else { keys.len() };
            keys.insert(first, named);
        }
        // Of several keys the oldest end counts: before it all of them were read.
        nearest =
            Some(nearest.map_or(own, |other| if own < version { other.min(own) } else { other.max(own) }));
    }
    (keys, nearest)
}

/// The releases that know a hypervisor's table, as far as that ever changed.
fn of_hypervisor(runtime: Runtime, table: &str) -> Option<Span> {
    look::hypervisor_span(runtime, table.strip_prefix("hypervisor.")?)
}

/// The release nearest to `version`, away from the one that judges, that makes more of the files; where they load by
/// none, that one itself.
fn that_serves(evaluator: &Evaluator, version: Version) -> Option<Version> {
    let Release { runtime, version: judging, .. } = evaluator.setup().release;
    let found = match version < judging {
        true => runtime.versions().filter(|other| *other <= version).rfind(|v| serves(evaluator, *v)),
        false => runtime.versions().find(|other| *other >= version && serves(evaluator, *other)),
    };
    found.or_else(|| evaluator.loaded().err().map(|_| version))
}
