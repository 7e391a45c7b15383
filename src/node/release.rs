//! Which version of Kata is installed.
//!
//! Decides what files on a node tell of it. Facts: kata-deploy and the static archives by release: `VERSION`
//! (`git describe`) up to 3.31, `versions.yaml` but for 3.32.0, folders `runtimes/` since 3.27.0; its digest at each
//! tag in `assets/catalog/releases.toml`.

use sha2::{Digest, Sha256};

use crate::catalog::look::look;
use crate::input::away;
use crate::input::config::Layers;
use crate::input::host::{Host, hex};
use crate::release::{Asked, KnownBy, Meant, RELEASES, Runtime, Span, Version};

/// The version of the installation that a shim belongs to.
pub fn of_installation(shim: Option<&str>, runtime: Runtime, host: &Host) -> Option<(Version, KnownBy)> {
    let folder = shim?.rsplit_once("/bin/")?.0;
    let prefix = folder.strip_suffix("/runtime-rs").unwrap_or(folder);
    if !prefix.starts_with("/opt/") {
        return None;
    }
    let said = host.read(&format!("{prefix}/VERSION")).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let meant = said.and_then(|text| text.trim().parse::<Asked>().ok()).map(|asked| asked.of(runtime));
    if let Some(Meant::Known(version) | Meant::Newer(version)) = meant {
        return Some((version, KnownBy::Node));
    }
    let versions = host.read(&format!("{prefix}/versions.yaml")).ok();
    if let Some(version) = versions.as_ref().and_then(|bytes| by_digest(bytes)) {
        return Some((version, KnownBy::Node));
    }
    let layered = host.finds(&format!("{prefix}/share/defaults/kata-containers/runtimes"))
        || host.finds(&format!("{prefix}/share/defaults/kata-containers/runtime-rs/runtimes"));
    match (layered, versions) {
        // The one release that brings neither file.
        (true, None) => Some((Version::new(3, 32, 0), KnownBy::Node)),
        // versions.yaml came back with 4.0.0, VERSION did not.
        (true, Some(_)) => Some((Version::NEWEST, KnownBy::Node)),
        (false, _) => None,
    }
}

/// The versions whose configuration files look so; `None` where all of them might.
pub fn span_of_look(runtime: Runtime, layers: &Layers) -> Option<Span> {
    let machines = away::texts(layers, "machine_type");
    look(runtime, layers.places().keys().map(String::as_str), &machines)
}

/// The newest of the versions whose configuration files look so: by keys and tables that not all of them have.
pub fn of_look(runtime: Runtime, layers: &Layers) -> (Version, KnownBy) {
    let span = span_of_look(runtime, layers);
    let newest = span.and_then(|span| span.until).unwrap_or(Version::NEWEST);
    (newest, if span.is_some() { KnownBy::File } else { KnownBy::Assumed })
}

/// The newest version with this `versions.yaml`; several patch releases share one.
fn by_digest(bytes: &[u8]) -> Option<Version> {
    let digest = hex(&Sha256::digest(bytes));
    RELEASES.iter().rfind(|row| digest.starts_with(row.versions_yaml)).map(|row| row.version)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::input::host::{HostFacts, MemoryFiles};

    fn installed(files: MemoryFiles) -> Option<Version> {
        let host = Host::new(HostFacts::default(), Arc::new(files));
        let shim = Some("/opt/kata/runtime-rs/bin/containerd-shim-kata-v2");
        of_installation(shim, Runtime::Rs, &host).map(|(version, _)| version)
    }

    #[test]
    fn a_file_with_a_key_that_was_read_past_is_older_than_its_refusal() {
        let of = |text| of_look(Runtime::Rs, &Layers::of_text("/c.toml", text)).0;
        assert_eq!(of("[agent.kata]\ndial_timeout = 45\n"), Version::new(3, 28, 0));
        // A key that nobody ever read tells nothing, nor does what all releases read.
        assert_eq!(of("[agent.kata]\ndail_timeout = 45\nenable_debug = true\n"), Version::NEWEST);
    }

    #[test]
    fn the_files_of_an_installation_tell_its_version() {
        let version = |text| MemoryFiles::new().file("/opt/kata/VERSION", 0o644, text);
        assert_eq!(installed(version("3.19.1\n")), Some(Version::new(3, 19, 1)));
        assert_eq!(installed(version("3.3.0-12-gabc")), Some(Version::new(3, 3, 0)));
        assert_eq!(installed(version("nonsense")), None);
        let layered = MemoryFiles::new().file(
            "/opt/kata/share/defaults/kata-containers/runtimes/qemu/configuration-qemu.toml",
            0o644,
            "",
        );
        assert_eq!(installed(layered.clone()), Some(Version::new(3, 32, 0)));
        assert_eq!(installed(layered.file("/opt/kata/versions.yaml", 0o644, "x")), Some(Version::NEWEST));
        assert_eq!(installed(MemoryFiles::new()), None);
    }
}
