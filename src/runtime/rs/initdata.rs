//! The text inside an initdata annotation: base64 of gzip.
//!
//! Whether the text is good TOML is asked at launch. Facts: src/libs/kata-types/src/initdata.rs at 4.1.0.

use std::io::Read;

use base64::Engine;

use crate::runtime::INITDATA_LIMIT;

/// Why there is no text.
#[derive(Debug, PartialEq, Eq)]
pub enum Undecoded {
    /// runtime-rs crashes, with this message.
    Crash(String),
    /// The document is larger than is read here; runtime-rs would go on.
    TooLarge,
}

/// The text of `annotation`.
pub fn decode(annotation: &str) -> Result<String, Undecoded> {
    if annotation.is_empty() {
        return Ok(String::new());
    }
    let crash = |step: &str, why: String| {
        Undecoded::Crash(format!(
            "called `Result::unwrap()` on an `Err` value: decoding initdata annotation failed\n\nCaused by:\n    \
             0: {step}\n    1: {why}"
        ))
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
    String::from_utf8(bytes)
        .map_err(|_| crash("gz decoder failed", "stream did not contain valid UTF-8".to_owned()))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn what_is_not_packed_crashes() {
        assert_eq!(decode(""), Ok(String::new()));
        let crash = |text: &str| match decode(text) {
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
        assert_eq!(decode(&packed(&vec![b'#'; INITDATA_LIMIT + 1])), Err(Undecoded::TooLarge));
        assert_eq!(decode(&packed(b"a = 1")), Ok("a = 1".to_owned()));
        assert!(
            matches!(decode(&packed(b"\xff")), Err(Undecoded::Crash(why)) if why.ends_with("valid UTF-8"))
        );
    }
}
