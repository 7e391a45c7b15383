//! What the binary of Firecracker says of itself, which is asked first.
//!
//! Facts: `getVersionNumber`, `parseVersion` and `checkVersion` in src/runtime/virtcontainers/fc.go from 2.0.0 to
//! 4.1.0.

use std::borrow::Cow;

use super::Change;
use super::process::output;
use crate::golang::strconv::quote;
use crate::input::Host;
use crate::release::Release;

const OLDEST: [u64; 3] = [0, 21, 1];

/// What the binary says of itself, word two of its output, must be new enough.
pub(super) fn check(release: Release, host: &Host, program: &str) -> Result<(), String> {
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
    let version = semantic(text).map_err(|why| format!("Malformed firecracker version: {why}"))?;
    if version.is_older() {
        let [major, minor, patch] = OLDEST;
        return Err(format!(
            "version {text} is not supported. Minimum supported version of firecracker is {major}.{minor}.{patch}"
        ));
    }
    Ok(())
}

struct Version {
    numbers: [u64; 3],
    preview: bool,
}

impl Version {
    fn is_older(&self) -> bool {
        self.numbers < OLDEST || (self.numbers == OLDEST && self.preview)
    }
}

/// `major.minor.patch`, with what may follow a `-` or `+`.
fn semantic(text: &str) -> Result<Version, Cow<'static, str>> {
    if text.is_empty() {
        return Err("Version string empty".into());
    }
    let mut parts = text.splitn(3, '.');
    let (Some(major), Some(minor), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
        return Err("No Major.Minor.Patch elements found".into());
    };
    let number = |text: &str, name: &str| {
        let zeroes = text.len() > 1 && text.starts_with('0');
        let lower = name.to_ascii_lowercase();
        if !text.bytes().all(|b| b.is_ascii_digit()) || text.is_empty() {
            return Err(Cow::from(format!("Invalid character(s) found in {lower} number {}", quote(text))));
        }
        if zeroes {
            return Err(format!("{name} number must not contain leading zeroes {}", quote(text)).into());
        }
        text.parse::<u64>()
            .map_err(|_| Cow::from(format!("strconv.ParseUint: parsing {}: value out of range", quote(text))))
    };
    let before_build = rest.split('+').next().unwrap_or_default();
    let (patch, preview) = match before_build.split_once('-') {
        Some((patch, _)) => (patch, true),
        None => (before_build, false),
    };
    let numbers = [number(major, "Major")?, number(minor, "Minor")?, number(patch, "Patch")?];
    Ok(Version { numbers, preview })
}
