//! What a document of initialization data says to a reader: its parts, and the digest that a confidential guest is
//! bound to.
//!
//! Decides what a verifier has to be told: the digest by the document's own algorithm, and what is left of it where
//! a platform takes fewer bytes. What the runtimes make of the document, and refuse of it, is theirs. Facts:
//! src/libs/kata-types/src/initdata.rs, src/runtime/virtcontainers/initdata.go and
//! src/runtime/pkg/govmm/qemu/qemu.go at each tag.

use std::io::Read;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::INITDATA_LIMIT;
use crate::input::host::Protection;

/// Where a platform keeps a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The platform.
    pub platform: Protection,
    /// Its name for what holds the digest.
    pub field: &'static str,
    /// How many bytes that takes.
    pub length: usize,
}

/// Where a platform keeps the digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// The platform.
    pub platform: Protection,
    /// Its name for what holds the digest.
    pub field: &'static str,
    /// The bytes that it holds: the digest, cut or filled up with zeros.
    pub bytes: Vec<u8>,
    /// How many bytes the digest has.
    pub digest_length: usize,
}

impl Binding {
    /// Whether the end of the digest is lost.
    pub fn is_cut(&self) -> bool {
        self.bytes.len() < self.digest_length
    }

    /// The bytes as QEMU is told them.
    pub fn base64(&self) -> String {
        STANDARD.encode(&self.bytes)
    }
}

/// The document and what it says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Initdata {
    /// The whole document, as the runtime holds it.
    pub text: String,
    /// Its version.
    pub version: Option<String>,
    /// Its algorithm.
    pub algorithm: Option<String>,
    /// Its parts by name, in the order of the document.
    pub parts: Vec<(String, String)>,
    /// The digest; `None` where the algorithm is not known.
    pub digest: Option<Vec<u8>>,
    /// Where each platform keeps it.
    pub bindings: Vec<Binding>,
    /// The platforms that keep it nowhere, each with what becomes of the document.
    pub unbound: Vec<(Protection, &'static str)>,
    /// Why the document cannot be read.
    pub error: Option<String>,
}

impl Initdata {
    /// What a document says that the runtime holds already, and where the platforms keep its digest.
    pub fn read(text: String, places: &[Place]) -> Self {
        let mut data = Self { text, ..Self::default() };
        match toml::from_str::<toml::Table>(&data.text) {
            Ok(table) => read(&mut data, &table),
            Err(why) => data.error = Some(why.message().to_owned()),
        }
        data.digest = data.algorithm.as_deref().and_then(|algorithm| digest(algorithm, data.text.as_bytes()));
        if let Some(digest) = &data.digest {
            data.bindings = places.iter().map(|place| bound(*place, digest)).collect();
        }
        data
    }

    /// What an annotation's value says.
    pub fn packed(value: &str, places: &[Place]) -> Self {
        match unpack(value) {
            Ok(text) => Self::read(text, places),
            Err(why) => Self { error: Some(why), ..Self::default() },
        }
    }
}

fn read(data: &mut Initdata, table: &toml::Table) {
    let text = |key: &str| table.get(key).and_then(toml::Value::as_str).map(str::to_owned);
    data.version = text("version");
    data.algorithm = text("algorithm");
    let parts = table.get("data").and_then(toml::Value::as_table).into_iter().flatten();
    data.parts = parts
        .map(|(name, part)| (name.clone(), part.as_str().map_or_else(|| part.to_string(), str::to_owned)))
        .collect();
    if data.algorithm.is_none() {
        data.error = Some("the document names no algorithm".to_owned());
    }
}

/// Undoes base64 and gzip.
fn unpack(value: &str) -> Result<String, String> {
    let packed = STANDARD.decode(value).map_err(|why| format!("no base64: {why}"))?;
    let mut bytes = Vec::new();
    let read = flate2::read::MultiGzDecoder::new(packed.as_slice())
        .take(INITDATA_LIMIT as u64 + 1)
        .read_to_end(&mut bytes);
    read.map_err(|why| format!("no gzip: {why}"))?;
    if bytes.len() > INITDATA_LIMIT {
        return Err(format!("more than {INITDATA_LIMIT} bytes are not read here"));
    }
    String::from_utf8(bytes).map_err(|why| format!("no text: {why}"))
}

/// The digest of a document by an algorithm that the runtimes know.
pub(super) fn digest(algorithm: &str, document: &[u8]) -> Option<Vec<u8>> {
    Some(match algorithm {
        "sha256" => Sha256::digest(document).to_vec(),
        "sha384" => Sha384::digest(document).to_vec(),
        "sha512" => Sha512::digest(document).to_vec(),
        _ => return None,
    })
}

fn bound(place: Place, digest: &[u8]) -> Binding {
    let mut bytes = digest.to_vec();
    bytes.resize(place.length, 0);
    Binding { platform: place.platform, field: place.field, bytes, digest_length: digest.len() }
}

/// Bytes in hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_cut_or_filled_up() {
        let whole = digest("sha512", b"").unwrap();
        let cut = bound(Place { platform: Protection::Snp, field: "host-data", length: 32 }, &whole);
        assert!(cut.is_cut());
        assert_eq!(cut.bytes, whole[..32]);
        let whole = digest("sha256", b"").unwrap();
        let filled = bound(Place { platform: Protection::Tdx, field: "mrconfigid", length: 48 }, &whole);
        assert!(!filled.is_cut());
        assert_eq!(filled.bytes[32..], [0; 16]);
    }

    #[test]
    fn what_is_no_gzip_is_said() {
        assert!(unpack("!").unwrap_err().starts_with("no base64"));
        assert!(unpack("AAAA").unwrap_err().starts_with("no gzip"));
    }
}
