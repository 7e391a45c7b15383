//! Where a runtime looks for its configuration by itself, and which runtime a file is written for.
//!
//! Facts: src/libs/kata-types/src/config/default.rs at 3.1.0, 3.2.0, 3.3.0 and 4.1.0;
//! src/runtime/pkg/katautils/config-settings.go.in at 4.1.0; src/runtime/Makefile at 2.1.0.

use super::config::Layers;
use crate::release::{Release, Runtime, Span, Version};

/// Where the Go runtime of 2.0 and 2.1 and runtime-rs of 3.0 and 3.1 look: kata-deploy's folder
/// is searched since each builds its shim itself.
const FIRST: [&str; 2] =
    ["/etc/kata-containers/configuration.toml", "/usr/share/defaults/kata-containers/configuration.toml"];

const GO_BEGINNING: Span = Span { since: Version::new(2, 0, 0), until: Some(Version::new(2, 1, 1)) };

/// Where the Go runtime looks: the second as in static builds (kata-deploy), the third as built with the default prefix.
const GO: [&str; 3] = [
    "/etc/kata-containers/configuration.toml",
    "/opt/kata/share/defaults/kata-containers/configuration.toml",
    "/usr/share/defaults/kata-containers/configuration.toml",
];

/// runtime-rs of 3.2 looks in the Go runtime's places, the static build's last.
const RS_WITH_GO: [&str; 3] = [
    "/etc/kata-containers/configuration.toml",
    "/usr/share/defaults/kata-containers/configuration.toml",
    "/opt/kata/share/defaults/kata-containers/configuration.toml",
];

const RS: [&str; 3] = [
    "/etc/kata-containers/runtime-rs/configuration.toml",
    "/usr/share/defaults/kata-containers/runtime-rs/configuration.toml",
    "/opt/kata/share/defaults/kata-containers/runtime-rs/configuration.toml",
];

const RS_BEGINNING: Span = Span { since: Version::new(3, 0, 0), until: Some(Version::new(3, 1, 3)) };

/// The versions whose runtime-rs looks where the Go runtime does.
const RS_AMONG_GO: Span = Span { since: Version::new(3, 2, 0), until: Some(Version::new(3, 2, 0)) };

/// The default configuration files of a release, first wins.
pub fn default_paths(release: Release) -> &'static [&'static str] {
    match release.runtime {
        Runtime::Go if GO_BEGINNING.contains(release.version) => &FIRST,
        Runtime::Go => &GO,
        Runtime::Rs if RS_BEGINNING.contains(release.version) => &FIRST,
        Runtime::Rs if RS_AMONG_GO.contains(release.version) => &RS_WITH_GO,
        Runtime::Rs => &RS,
    }
}

/// The folder that kata-deploy owns: it writes every file in it anew.
const KATA_DEPLOY_PREFIX: &str = "/opt/kata/share/defaults/kata-containers/";

/// Whether kata-deploy rewrites the file at this path, links followed. Drop-ins of one's own are left alone.
pub fn is_rewritten(path: &str) -> bool {
    path.strip_prefix(KATA_DEPLOY_PREFIX).is_some_and(|rest| !rest.contains("config.d/"))
}

/// Keys of `[runtime]` that only runtime-rs reads; it refuses a file without the first three.
const RUNTIME_RS_KEYS: [&str; 3] = ["name", "hypervisor_name", "agent_name"];

/// The runtime that the files look like: runtime-rs if they name a runtime handler, else Go.
pub fn looks_like(layers: &Layers) -> Runtime {
    let names_handler = layers.sources().any(|source| {
        may_set_one(&source.text)
            && toml_edit::Document::parse(source.text.as_ref()).is_ok_and(|document| {
                document
                    .get("runtime")
                    .and_then(|item| item.as_table_like())
                    .is_some_and(|runtime| RUNTIME_RS_KEYS.iter().any(|key| runtime.contains_key(key)))
            })
    });
    let path = layers.resolved.as_deref().unwrap_or(&layers.asked);
    if names_handler || path.contains("/runtime-rs/") { Runtime::Rs } else { Runtime::Go }
}

/// Whether a text can set one of those keys at all: most files of the Go runtime cannot, and need no parser to tell.
fn may_set_one(text: &str) -> bool {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    lines.into_iter().any(|line| line.contains('\\') || RUNTIME_RS_KEYS.iter().any(|key| line.contains(key)))
}

/// The hypervisor table that the files make the active one, as far as their texts tell: for runtime-rs the
/// one that is named, for Go the first there is. For files that do not load on this host.
pub fn hypervisor(release: Release, layers: &Layers) -> Option<String> {
    let mut named = None;
    let mut first = None;
    for source in layers.sources() {
        let Ok(document) = toml_edit::Document::parse(source.text.as_ref()) else { continue };
        let table = |name: &str| document.get(name).and_then(|item| item.as_table_like());
        let name = table("runtime").and_then(|runtime| runtime.get("hypervisor_name"));
        named = name.and_then(|name| name.as_str()).map(str::to_owned).or(named);
        let of_file = table("hypervisor").and_then(|all| all.iter().next().map(|(name, _)| name.to_owned()));
        first = first.or(of_file);
    }
    match release.runtime {
        Runtime::Rs => named.or(first),
        Runtime::Go => first,
    }
}
