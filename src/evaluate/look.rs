//! A configuration that does not load because it was written for somebody else: the other runtime, or another
//! release of the same.
//!
//! Decides by the names in the files alone, and says what to pass so that they are judged as what they are. Facts:
//! the catalogue's spans.

use super::{Evaluator, Setup, notice};
use crate::answer::finding::{Code, Finding, Severity, Who};
use crate::answer::verdict::{Failure, FailureStage};
use crate::catalog;
use crate::input::manifest::Pod;
use crate::input::{Annotations, Host, Text, search};
use crate::release::{Release, Runtime, Version};

/// The last release of runtime-rs whose table for Cloud Hypervisor is not called clh.
const LAST_LONG_NAME: Version = Version::new(3, 29, 0);

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
    let Look { code, message, fix } = evaluator.look.get_or_init(|| look(evaluator)).clone()?;
    // What does not load says so itself.
    let severity = if evaluator.loaded().is_err() { Severity::Note } else { Severity::Warning };
    Some(notice::finding(code, severity, pod, Who::ClusterAdministrator, message, fix))
}

fn look(evaluator: &Evaluator) -> Option<Look> {
    let setup = evaluator.setup();
    let path = &setup.layers.asked;
    setup.layers.base.as_ref().ok()?;
    let look = search::looks_like(&setup.layers);
    if look != setup.release.runtime {
        // Most of what one runtime's file says is said in the other's, too: a file that loads is the other's only
        // where it says so outright, or says what that one alone ever read, or starts nothing here.
        let says_nothing = || evaluator.bare().is_some() && !is_read_by_go_alone(evaluator);
        if evaluator.loaded().is_ok() && look == Runtime::Go && says_nothing() {
            return None;
        }
        let and = if evaluator.loaded().is_ok() { "loads all the same" } else { "is judged" };
        let message =
            format!("{path} looks like a file of {}, and {and} by {}", look.title(), setup.release.title());
        let fix = format!("judge it with --runtime {}", look.as_str());
        return Some(Look { code: Code::OtherRuntimesFile, message, fix });
    }
    evaluator.loaded().err()?;
    let (keys, version) = foreign(evaluator)?;
    let more = if keys.len() > NAMED { format!(" and {} more", keys.len() - NAMED) } else { String::new() };
    let named: Vec<&str> = keys.iter().take(NAMED).map(String::as_str).collect();
    let message = format!(
        "{path} looks like a file of Kata {version}: {}{more} {} unknown to {}",
        named.join(", "),
        if keys.len() == 1 { "is" } else { "are" },
        setup.release.title()
    );
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

/// Keys that other releases of the runtime read and this one does not, and the nearest version that reads them.
fn foreign(evaluator: &Evaluator) -> Option<(Vec<String>, Version)> {
    let Release { runtime, version, .. } = evaluator.setup().release;
    let mut keys = Vec::new();
    let mut nearest: Option<Version> = None;
    for (name, _) in evaluator.setup().layers.places() {
        let Some((table, key)) = name.rsplit_once('.') else { continue };
        // The table's name alone tells: its keys are read in the table that came after it, too.
        if runtime == Runtime::Rs && table == "hypervisor.cloud-hypervisor" && version > LAST_LONG_NAME {
            let table = format!("[{table}]");
            if !keys.contains(&table) {
                keys.insert(0, table);
            }
            nearest = Some(nearest.map_or(LAST_LONG_NAME, |other: Version| other.min(LAST_LONG_NAME)));
            continue;
        }
        let Some(known) = catalog::config_key(table, key) else { continue };
        if known.reader(evaluator.setup().release).is_some() {
            continue;
        }
        let reads = |v: &Version| known.readers(runtime).any(|(span, _)| span.contains(*v));
        let before = runtime.versions().filter(|v| *v < version).rfind(reads);
        let after = runtime.versions().filter(|v| *v > version).find(reads);
        let Some(own) = before.or(after) else { continue };
        keys.push(name);
        // Of several keys the oldest end counts: before it all of them were read.
        nearest =
            Some(nearest.map_or(own, |other| if own < version { other.min(own) } else { other.max(own) }));
    }
    Some((keys, that_loads(evaluator, nearest?)))
}

/// The release nearest to `version`, away from the one that judges, by which the files load; where there is none,
/// that one itself.
fn that_loads(evaluator: &Evaluator, version: Version) -> Version {
    let setup = evaluator.setup();
    let Release { runtime, version: judging, .. } = setup.release;
    let loads = |version: &Version| {
        let release = Release::new(runtime, *version);
        Evaluator::load(Setup { release, ..setup.clone() }, false).loaded().is_ok()
    };
    let found = match version < judging {
        true => runtime.versions().filter(|other| *other <= version).rfind(loads),
        false => runtime.versions().find(|other| *other >= version && loads(other)),
    };
    found.unwrap_or(version)
}
