//! What another release would change: the causes, worst first, and under the opened one the pods it touches.
//!
//! Found when a release is chosen, for the files as they were read and for the pods as they were given: unsaved edits
//! and tried values do not count.

use super::row::{Body, Row};
use super::{Model, Screen, Show};
use crate::release::{Evidence, Judged, Release, Runtime, Version};
use crate::upgrade::{Consequence, Effect, Upgrade};

/// The node and its pods under another release.
#[derive(Debug, Clone)]
pub struct Upgrading {
    /// Which.
    pub to: Version,
    /// What differs.
    pub found: Upgrade,
    /// The cause whose pods are listed.
    pub unfolded: Option<usize>,
}

/// A release in the window that lists them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseItem {
    /// Which.
    pub version: Version,
    /// Whether it is the one that is judged now.
    pub here: bool,
    /// How it is known what it does.
    pub evidence: Evidence,
}

/// A release that there is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no {} {version}", runtime.title())]
pub struct NoSuchRelease {
    /// Of which runtime.
    pub runtime: Runtime,
    /// Its version.
    pub version: Version,
}

/// A release of a runtime by its version, where there is one.
pub fn judged(runtime: Runtime, to: Version) -> Result<Judged, NoSuchRelease> {
    match runtime.versions().any(|version| version == to) {
        true => Ok(Judged::from(Release::new(runtime, to))),
        false => Err(NoSuchRelease { runtime, version: to }),
    }
}

/// The releases of the runtime in sight, newest first.
pub fn releases(model: &Model) -> Vec<ReleaseItem> {
    let own = model.seat.current.setup().release;
    let item = |version| ReleaseItem {
        version,
        here: version == own.version,
        evidence: Release::new(own.runtime, version).evidence(),
    };
    own.runtime.versions().rev().map(item).collect()
}

impl Upgrading {
    /// A cause by its place.
    pub fn consequence(&self, at: usize) -> Option<&Consequence> {
        self.found.consequences.get(at)
    }
}

/// The causes under what they come to; the pods of one that is unfolded stand below it.
pub(super) fn rows(model: &Model) -> Vec<Row> {
    let Some(upgrading) = &model.upgrade else { return Vec::new() };
    let show = model.lists[Screen::Upgrade].show;
    let mut rows = Vec::new();
    let mut above = None;
    for (at, one) in upgrading.found.consequences.iter().enumerate() {
        let effect = one.effect();
        let wanted = match show {
            Show::All => true,
            Show::Set => !one.pods.is_empty(),
            Show::Problems => matches!(effect, Effect::Breaks | Effect::Lost),
        };
        if !wanted {
            continue;
        }
        if above != Some(effect) {
            rows.push(Row::heading(effect.describe()));
            above = Some(effect);
        }
        let find = one.cause.to_string().into();
        rows.push(Row { id: at.to_string().into(), find, body: Body::Cause(at) });
        if upgrading.unfolded != Some(at) {
            continue;
        }
        let pods = one.pods.iter().filter_map(|pod| Some((*pod, model.pods.get(*pod)?)));
        rows.extend(pods.map(|(pod, entry)| Row {
            id: format!("{at} {}", entry.id).into(),
            find: entry.id.clone(),
            body: Body::TouchedPod(pod),
        }));
    }
    rows
}
