//! Initialization data: how it is read, and the digest that a confidential guest is bound to.
//!
//! The annotation's base64 and gzip are undone when annotations are applied; here the document is read.
//!
//! Facts: src/libs/kata-types/src/initdata.rs and `prepare_initdata_device_config` in
//! src/runtime-rs/crates/runtimes/virt_container/src/sandbox.rs at each tag.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::Refusal;
use crate::input::host::Protection;
use crate::release::Release;
use crate::release::rs::Change;

const CAUSED_BY: &[&str] = &["hypervisor.cc_init_data"];

/// Field order is the order in which missing ones are reported.
#[derive(Debug, Deserialize)]
struct InitData {
    version: String,
    algorithm: String,
    #[serde(rename = "data")]
    _data: HashMap<String, String>,
}

/// How many bytes of digest a platform takes.
fn length(protection: Protection) -> Option<usize> {
    match protection {
        Protection::Tdx => Some(48),
        Protection::Snp => Some(32),
        Protection::Se => Some(256),
        _ => None,
    }
}

fn hash(algorithm: &str, document: &str) -> Option<Vec<u8>> {
    Some(match algorithm {
        "sha256" => Sha256::digest(document).to_vec(),
        "sha384" => Sha384::digest(document).to_vec(),
        "sha512" => Sha512::digest(document).to_vec(),
        _ => return None,
    })
}

fn read(document: &str, release: Release) -> Result<InitData, String> {
    match release.has(Change::Toml1) {
        true => toml::from_str(document).map_err(|why| why.to_string()),
        false => toml_0_5::from_str(document).map_err(|why| why.to_string()),
    }
}

/// How long the digest is, and how much of it a platform keeps, where that is less.
pub(super) fn cut(document: &str, protection: Protection, release: Release) -> Option<(usize, usize)> {
    let whole = hash(&read(document, release).ok()?.algorithm, document)?.len();
    length(protection).filter(|kept| *kept < whole).map(|kept| (whole, kept))
}

/// The digest of `document` as `protection` takes it: cut or filled up with zeros, in base64.
pub(super) fn digest(document: &str, protection: Protection, release: Release) -> Result<String, Refusal> {
    let refuse = |message: String| Refusal::because(message, CAUSED_BY).context("parse initdata");
    let read = read(document, release).map_err(refuse)?;
    if read.version != "0.1.0" {
        return Err(refuse(format!("unsupported version: {}, expected: 0.1.0", read.version)));
    }
    let Some(mut digest) = hash(&read.algorithm, document) else {
        return Err(refuse(format!(
            "unsupported algorithm: {}, supported algorithms: sha256, sha384, sha512",
            read.algorithm
        )));
    };
    if let Some(length) = length(protection) {
        digest.resize(length, 0);
    }
    Ok(STANDARD.encode(digest))
}
