//! What the binaries of Cloud Hypervisor and Firecracker say of themselves, where a release asks them.
//!
//! Facts: `getAvailableVersion` and `checkVersion` in src/runtime/virtcontainers/clh.go from 2.0.0 to 2.1.1;
//! `getVersionNumber`, `parseVersion` and `checkVersion` in src/runtime/virtcontainers/fc.go from 2.0.0 to 4.1.0.

use super::process::output;
use super::{Change, Refusal};
use crate::golang::strconv::{parse_uint, quote};
use crate::input::Host;
use crate::release::Release;

const OLDEST_FIRECRACKER: [u64; 3] = [0, 21, 1];

/// Cloud Hypervisor: asks a binary that is called so.
pub(super) fn check_clh(host: &Host, program: &str) -> Result<(), Refusal> {
    if !program.ends_with("cloud-hypervisor") {
        return Ok(());
    }
    clh_version(host, program).map_err(|why| Refusal::because(why, &["path"]))
}

/// It must be 0.5 or newer.
fn clh_version(host: &Host, program: &str) -> Result<(), String> {
    let Some(said) = output(host, program)? else { return Ok(()) };
    let words: Vec<&str> = said.split_whitespace().collect();
    let [_, version] = words.as_slice() else {
        return Err("Failed to parse cloud-hypervisor version response. Illegal length".to_owned());
    };
    let parts: Vec<&str> = version.split('.').collect();
    let [major, minor, revision] = parts.as_slice() else {
        return Err("Failed to parse cloud-hypervisor version field. Illegal length".to_owned());
    };
    let number = |text: &str| parse_uint(text, 10, 64).map_err(|e| e.to_string());
    let major = number(major.trim_start_matches('v'))?;
    let minor = number(minor)?;
    number(revision.split('-').next().unwrap_or_default())?;
    if major == 0 && minor < 5 {
        return Err(format!(
            "Unsupported version: cloud-hypervisor {major}.{minor} not supported by this driver version (0.5)"
        ));
    }
    Ok(())
}

/// Firecracker: word two of its output must be new enough.
pub(super) fn check_firecracker(release: Release, host: &Host, program: &str) -> Result<(), Refusal> {
    firecracker_version(release, host, program).map_err(|why| Refusal::because(why, &["path"]))
}

fn firecracker_version(release: Release, host: &Host, program: &str) -> Result<(), String> {
    let said =
        output(host, program).map_err(|why| format!("Running checking FC version command failed: {why}"))?;
    let Some(said) = said else { return Ok(()) };
    let line = match said.split_once('\n') {
        Some((line, _)) if release.has(Change::FcVersionLine) => line,
        _ => &said,
    };
    let Some(word) = line.split(' ').nth(1) else {
        return Err("getting FC version failed, the output is malformed".to_owned());
    };
    let text = word.trim();
    let text = text.strip_prefix('v').unwrap_or(text);
    let (numbers, preview) = semantic(text).map_err(|why| format!("Malformed firecracker version: {why}"))?;
    if numbers < OLDEST_FIRECRACKER || (numbers == OLDEST_FIRECRACKER && preview) {
        let [major, minor, patch] = OLDEST_FIRECRACKER;
        return Err(format!(
            "version {text} is not supported. Minimum supported version of firecracker is {major}.{minor}.{patch}"
        ));
    }
    Ok(())
}

/// `major.minor.patch`, and whether a `-` marks it as a preview.
fn semantic(text: &str) -> Result<([u64; 3], bool), String> {
    if text.is_empty() {
        return Err("Version string empty".to_owned());
    }
    let mut parts = text.splitn(3, '.');
    let (Some(major), Some(minor), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
        return Err("No Major.Minor.Patch elements found".to_owned());
    };
    let number = |text: &str, name: &str| {
        let zeroes = text.len() > 1 && text.starts_with('0');
        let lower = name.to_ascii_lowercase();
        if !text.bytes().all(|b| b.is_ascii_digit()) || text.is_empty() {
            return Err(format!("Invalid character(s) found in {lower} number {}", quote(text)));
        }
        if zeroes {
            return Err(format!("{name} number must not contain leading zeroes {}", quote(text)));
        }
        text.parse::<u64>()
            .map_err(|_| format!("strconv.ParseUint: parsing {}: value out of range", quote(text)))
    };
    let before_build = rest.split('+').next().unwrap_or_default();
    let (patch, preview) = match before_build.split_once('-') {
        Some((patch, _)) => (patch, true),
        None => (before_build, false),
    };
    Ok(([number(major, "Major")?, number(minor, "Minor")?, number(patch, "Patch")?], preview))
}
