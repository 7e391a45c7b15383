//! What the binary of Cloud Hypervisor says of itself, which the first releases ask.
//!
//! Facts: `getAvailableVersion` and `checkVersion` in src/runtime/virtcontainers/clh.go from 2.0.0 to 2.1.1.

use super::Refusal;
use super::process::output;
use crate::golang::strconv::parse_uint;
use crate::input::Host;

/// Asks a binary that is called `cloud-hypervisor`.
pub(super) fn check(host: &Host, program: &str) -> Result<(), Refusal> {
    if !program.ends_with("cloud-hypervisor") {
        return Ok(());
    }
    version(host, program).map_err(|why| Refusal::because(why, &["path"]))
}

/// It must be 0.5 or newer.
fn version(host: &Host, program: &str) -> Result<(), String> {
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
