//! The text inside an initdata annotation: base64 of gzip.
//!
//! Whether the text is good TOML is asked at launch, before 3.31 here, too. Facts:
//! src/libs/kata-types/src/initdata.rs at each tag.

use std::collections::BTreeMap;
use std::io::Read;

use base64::Engine;
use serde::{Deserialize, Serialize};

use crate::release::Release;
use crate::release::rs::Change;

use crate::runtime::INITDATA_LIMIT;

/// Why there is no text.
#[derive(Debug, PartialEq, Eq)]
pub enum Undecoded {
    /// runtime-rs crashes, with this message.
    Crash(String),
    /// The document is larger than is read here; runtime-rs would go on.
    TooLarge,
}

/// What the document says; written anew in this order.
#[derive(Deserialize, Serialize)]
struct Document {
    version: String,
    algorithm: String,
    /// In the runtime's own order, which is random.
    data: BTreeMap<String, String>,
}

/// The text of `annotation`.
pub fn decode(annotation: &str, release: Release) -> Result<String, Undecoded> {
    if annotation.is_empty() && release.has(Change::EmptyInitdata) {
        return Ok(String::new());
    }
    let as_given = release.has(Change::InitdataAsGiven);
    let crash = |step: &str, why: String| {
        let chain = match as_given {
            true => format!("decoding initdata annotation failed\n\nCaused by:\n    0: {step}\n    1: {why}"),
            false => format!("{step}\n\nCaused by:\n    {why}"),
        };
        Undecoded::Crash(format!("called `Result::unwrap()` on an `Err` value: {chain}"))
    };
    let packed = base64::engine::general_purpose::STANDARD
        .decode(annotation)
        .map_err(|why| crash("base64 decode", why.to_string()))?;
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(packed.as_slice())
        .take(INITDATA_LIMIT as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|why| crash("gz decoder failed", why.to_string()))?;
    if bytes.len() > INITDATA_LIMIT {
        return Err(Undecoded::TooLarge);
    }
    let text = String::from_utf8(bytes)
        .map_err(|_| crash("gz decoder failed", "stream did not contain valid UTF-8".to_owned()))?;
    if as_given {
        return Ok(text);
    }
    written_anew(&text).map_err(|why| crash("parse initdata overrides", why))
}

/// What releases made of it that read the document before the launch.
fn written_anew(text: &str) -> Result<String, String> {
    let document: Document = toml_0_5::from_str(text).map_err(|why| why.to_string())?;
    if document.version != "0.1.0" {
        return Err(format!("unsupported version: {}, expected: 0.1.0", document.version));
    }
    if !["sha256", "sha384", "sha512"].contains(&document.algorithm.as_str()) {
        let algorithm = document.algorithm;
        return Err(format!(
            "unsupported algorithm: {algorithm}, supported algorithms: sha256, sha384, sha512"
        ));
    }
    toml_0_5::to_string_pretty(&document).map_err(|why| why.to_string())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    const NEWEST: Release = Release::newest(crate::release::Runtime::Rs);

    #[test]
    fn what_is_not_packed_crashes() {
        assert_eq!(decode("", NEWEST), Ok(String::new()));
        let crash = |text: &str| match decode(text, NEWEST) {
            Err(Undecoded::Crash(message)) => message,
            other => format!("{other:?}"),
        };
        assert!(crash("!").ends_with("0: base64 decode\n    1: Invalid symbol 33, offset 0."));
        assert!(crash("AAAA").contains("gz decoder failed"));
    }

    #[test]
    fn a_small_annotation_does_not_become_a_large_document() {
        let packed = |bytes: &[u8]| {
            let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
            gzip.write_all(bytes).unwrap();
            base64::engine::general_purpose::STANDARD.encode(gzip.finish().unwrap())
        };
        assert_eq!(decode(&packed(&vec![b'#'; INITDATA_LIMIT + 1]), NEWEST), Err(Undecoded::TooLarge));
        assert_eq!(decode(&packed(b"a = 1"), NEWEST), Ok("a = 1".to_owned()));
        assert!(
            matches!(decode(&packed(b"\xff"), NEWEST), Err(Undecoded::Crash(why)) if why.ends_with("valid UTF-8"))
        );
    }
}
