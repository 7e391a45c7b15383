//! Which version of Kata is installed.
//!
//! Decides what files on a node tell of it. Facts: kata-deploy and the static archives by release: `VERSION`
//! (`git describe`) up to 3.31, `versions.yaml` but for 3.32.0, folders `runtimes/` since 3.27.0; the SHA-256 of
//! each tag's `versions.yaml`.

use sha2::{Digest, Sha256};

use crate::catalog::look;
use crate::input::config::Layers;
use crate::input::host::{Host, hex};
use crate::release::{Asked, KnownBy, Meant, Runtime, Version};

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

/// The newest of the versions whose configuration files look so: by keys and tables that not all of them have.
pub fn of_look(runtime: Runtime, layers: &Layers) -> (Version, KnownBy) {
    match look(runtime, layers.places().keys().map(String::as_str)) {
        Some(span) => (span.until.unwrap_or(Version::NEWEST), KnownBy::File),
        None => (Version::NEWEST, KnownBy::Assumed),
    }
}

/// The newest version with this `versions.yaml`; several patch releases share one.
fn by_digest(bytes: &[u8]) -> Option<Version> {
    let digest = hex(&Sha256::digest(bytes));
    let (_, version) = VERSIONS_YAML.iter().rfind(|(begin, _)| digest.starts_with(begin))?;
    match version.parse::<Asked>().ok()?.of(Runtime::Go) {
        Meant::Known(version) => Some(version),
        Meant::Newer(_) | Meant::Never { .. } => None,
    }
}

/// The first twelve digits of the SHA-256 of `versions.yaml` at each tag.
const VERSIONS_YAML: [(&str, &str); 64] = [
    ("e11a6a1105f3", "2.0.0"),
    ("8c88670523d8", "2.0.1"),
    ("27cd4ab604a7", "2.0.2"),
    ("b81e0ac76b30", "2.0.3"),
    ("f525bc211201", "2.0.4"),
    ("4b1dea86fae6", "2.1.0"),
    ("e6cc244a1758", "2.1.1"),
    ("bb0996ec000d", "2.2.0"),
    ("93480039e8ba", "2.2.1"),
    ("93480039e8ba", "2.2.2"),
    ("2c3e582f4c6e", "2.2.3"),
    ("82c00b94d4f9", "2.3.0"),
    ("1d2230f613a3", "2.3.1"),
    ("ec288f22f236", "2.3.2"),
    ("ec288f22f236", "2.3.3"),
    ("3730c53fd5fa", "2.4.0"),
    ("ce3efcc33b32", "2.4.1"),
    ("36a6bb71e1da", "2.4.2"),
    ("36a6bb71e1da", "2.4.3"),
    ("e88abb3b8e55", "2.5.0"),
    ("5e9b53618f31", "2.5.1"),
    ("75eeed21e9f4", "2.5.2"),
    ("5c211a061d36", "3.0.0"),
    ("8d6c99a7d8e5", "3.0.1"),
    ("1949ff5bff40", "3.0.2"),
    ("925de6f2c67d", "3.1.0"),
    ("925de6f2c67d", "3.1.1"),
    ("925de6f2c67d", "3.1.2"),
    ("6ac9907a7096", "3.1.3"),
    ("5d02e7db3cdd", "3.2.0"),
    ("50d34d1aaa02", "3.3.0"),
    ("ea1bd3eb9167", "3.4.0"),
    ("855e11d837df", "3.5.0"),
    ("6f03a7ba05ba", "3.6.0"),
    ("81d866762966", "3.7.0"),
    ("bb9e9a7b033e", "3.8.0"),
    ("0c27d932f519", "3.9.0"),
    ("6c6adf3d7675", "3.10.0"),
    ("6c6adf3d7675", "3.10.1"),
    ("6702fe8288eb", "3.11.0"),
    ("21ff004ae6ec", "3.12.0"),
    ("b3339189485b", "3.13.0"),
    ("fc865a7d5078", "3.14.0"),
    ("211b09cf01fe", "3.15.0"),
    ("4ba40ab2104a", "3.16.0"),
    ("dcd7ee9108d2", "3.17.0"),
    ("a2bb60ba7e97", "3.18.0"),
    ("eb9894fa9538", "3.19.0"),
    ("eb9894fa9538", "3.19.1"),
    ("184b6c9066dd", "3.20.0"),
    ("305d598c6269", "3.21.0"),
    ("b9222379ebf4", "3.22.0"),
    ("e9e06c76d6dc", "3.23.0"),
    ("347972299f89", "3.24.0"),
    ("74af88ea5936", "3.25.0"),
    ("a010d93656c3", "3.26.0"),
    ("8f095a5e4ce3", "3.27.0"),
    ("246c7bc19e0b", "3.28.0"),
    ("8498b04ad2d2", "3.29.0"),
    ("5c4910246155", "3.30.0"),
    ("8a9d00976619", "3.31.0"),
    ("27a17423b643", "3.32.0"),
    ("eace49e6f935", "4.0.0"),
    ("11688ba40944", "4.1.0"),
];

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

    #[test]
    fn every_version_has_its_digest() {
        let known: Vec<String> = Runtime::Go.versions().map(|v| v.to_string()).collect();
        let here: Vec<&str> = VERSIONS_YAML.iter().map(|(_, version)| *version).collect();
        assert_eq!(known, here);
    }
}
