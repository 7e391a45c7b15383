//! The text inside an initdata annotation: base64 of gzip.
//!
//! Whether the text is good TOML is asked at launch. Facts: src/libs/kata-types/src/initdata.rs at 4.1.0.

use std::io::Read;

use base64::Engine;

/// The text of `annotation`, or the message that runtime-rs crashes with.
pub fn decode(annotation: &str) -> Result<String, String> {
    if annotation.is_empty() {
        return Ok(String::new());
    }
    let crash = |step: &str, why: String| {
        format!(
            "called `Result::unwrap()` on an `Err` value: decoding initdata annotation failed\n\nCaused by:\n    \
             0: {step}\n    1: {why}"
        )
    };
    let packed = base64::engine::general_purpose::STANDARD
        .decode(annotation)
        .map_err(|why| crash("base64 decode", why.to_string()))?;
    let mut text = String::new();
    flate2::read::GzDecoder::new(packed.as_slice())
        .read_to_string(&mut text)
        .map_err(|why| crash("gz decoder failed", why.to_string()))?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_packed_crashes() {
        assert_eq!(decode(""), Ok(String::new()));
        assert!(
            decode("!").is_err_and(|m| m.ends_with("0: base64 decode\n    1: Invalid symbol 33, offset 0."))
        );
        assert!(decode("AAAA").is_err_and(|m| m.contains("gz decoder failed")));
    }
}
