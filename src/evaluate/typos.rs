//! What somebody meant by a key that no runtime reads.
//!
//! Decides on the known key behind a wrong prefix, a left-out part or a slip of the hand, and on the
//! successor of a key that moved. Facts: the prefixes of Kata 1.x and of its documentation over time.

use crate::answer::verdict::{Fix, Status, Verdict};
use crate::catalog::{self, CRI_PREFIX, KATA_PREFIX};
use crate::release::Release;

/// Prefixes that were right once, or that a hand writes by itself.
const WRONG_PREFIXES: [&str; 7] = [
    "io.kata-containers.",
    "io.kata-container.",
    "io.katacontainer.",
    "io.kata.containers.",
    "com.github.containers.virtcontainers.",
    "com.github.kata-containers.",
    "katacontainers.io/",
];

/// What stands between the prefix and the name of a real key; people leave it out.
const LEFT_OUT: [&str; 5] = ["", "config.", "config.hypervisor.", "config.runtime.", "config.agent."];

/// Whether a key that is none of Kata's looks as if it should be.
fn looks_like_kata(key: &str) -> bool {
    WRONG_PREFIXES.iter().any(|prefix| key.starts_with(prefix))
        || (key.starts_with("io.") && key.contains(".config.hypervisor."))
}

/// The key that was meant by `key`, where `release` reads no such key and one is near enough.
pub fn meant(key: &str, release: Release) -> Option<&'static str> {
    // Every sandbox has a handful of these, and they are meant for nobody else.
    if key.starts_with(CRI_PREFIX) {
        return None;
    }
    if let Some(annotation) = catalog::annotation(key) {
        return annotation.replaced_by.filter(|_| !annotation.reader(release).read);
    }
    let rest = match key.strip_prefix(KATA_PREFIX) {
        Some(rest) => rest,
        None if looks_like_kata(key) => {
            let prefix = WRONG_PREFIXES.iter().find_map(|prefix| key.strip_prefix(prefix));
            prefix.or_else(|| key.find("config.hypervisor.").and_then(|at| key.get(at..)))?
        }
        None => return None,
    };
    let read = |key: String| {
        catalog::annotation(&key).filter(|known| known.reader(release).read).map(|known| known.key)
    };
    LEFT_OUT
        .iter()
        .find_map(|part| read(format!("{KATA_PREFIX}{part}{rest}")))
        .or_else(|| catalog::nearest(&format!("{KATA_PREFIX}{rest}"), release).map(|near| near.key))
}

/// Whether the key moved, rather than being misspelt.
pub fn moved(key: &str) -> bool {
    catalog::annotation(key).is_some_and(|annotation| annotation.replaced_by.is_some())
}

/// Puts the right key into the verdict on a wrong one, where the verdict says nothing better.
pub fn mend(verdict: &mut Verdict, release: Release) {
    if !matches!(verdict.status, Status::Unknown | Status::Dropped | Status::Ignored) {
        return;
    }
    let Some(key) = meant(&verdict.key, release) else {
        if verdict.fix.is_none() {
            verdict.fix = gone(&verdict.key, release).map(|text| Fix::Advice(text.into()).into());
        }
        return;
    };
    let title = release.title();
    let last =
        catalog::annotation(&verdict.key).and_then(|known| Some(known.read_by(release.runtime).last()?.1));
    let wording = match last.filter(|last| *last < release.version) {
        Some(last) => format!("leave it out: {last} was the last release to read it; {key} takes its place"),
        None if moved(&verdict.key) => format!("write {key}: {title} reads this annotation under that key"),
        None => format!("write {key}: {title} reads no key of this spelling"),
    };
    verdict.fix = Some(Fix::Advice(wording.into()).into());
}

/// What to do about a key that other releases read.
fn gone(key: &str, release: Release) -> Option<String> {
    let annotation = catalog::annotation(key).filter(|known| !known.reader(release).read)?;
    let read_by = annotation.read_by(release.runtime);
    let (first, last) = (read_by.first()?.0, read_by.last()?.1);
    if release.version < first {
        return Some(format!("leave it out: releases from {first} on read it"));
    }
    let instead = match key {
        "io.katacontainers.config_path" => {
            "; choose the file by a handler with its ConfigPath, and the handler by a RuntimeClass"
        }
        _ => "",
    };
    (last < release.version).then(|| format!("leave it out: {last} was the last release to read it{instead}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::release::Runtime;

    #[test]
    fn the_usual_slips_are_understood() {
        let right = "io.katacontainers.config.hypervisor.kernel_params";
        for wrong in [
            "io.kata-containers.hypervisor.kernel_params",
            "io.kata-containers.config.hypervisor.kernel_params",
            "io.katacontainers.hypervisor.kernel_params",
            "io.katacontainers.config.kernel_params",
            "io.katacontainers.kernel_params",
            "io.katacontainers.config.hypervisor.kernel_parms",
            "com.github.containers.virtcontainers.KernelParams",
            "com.github.kata-containers.config.hypervisor.kernel_params",
        ] {
            assert_eq!(meant(wrong, Release::newest(Runtime::Go)), Some(right), "{wrong}");
        }
        assert_eq!(meant("io.kubernetes.cri.container-type", Release::newest(Runtime::Rs)), None);
        assert_eq!(meant("app.kubernetes.io/name", Release::newest(Runtime::Rs)), None);
        assert_eq!(meant(right, Release::newest(Runtime::Rs)), None);
    }
}
