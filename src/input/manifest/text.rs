//! Bytes to text, the way the Kubernetes clients do it.
//!
//! Decides encodings only: UTF-8 and UTF-16 with a byte order mark; what is not UTF-8 becomes U+FFFD,
//! one for each byte, silently (kubectl says nothing either).

/// The text of `bytes`.
pub fn decode(bytes: Vec<u8>) -> String {
    let wide = |bytes: &[u8], join: fn([u8; 2]) -> u16| {
        let units = bytes.chunks_exact(2).filter_map(|pair| pair.try_into().ok().map(join));
        char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect::<String>()
    };
    match bytes.as_slice() {
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        _ => String::from_utf8(bytes).unwrap_or_else(|e| lossy(e.as_bytes())),
    }
}

/// Each byte that is not UTF-8 becomes U+FFFD, as in Go.
pub fn lossy(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bad_byte_is_one_replacement() {
        assert_eq!(decode(b"caf\xe9".to_vec()), "caf\u{fffd}");
        assert_eq!(decode(vec![0xff, 0xfe, b'a', 0, 0x3d, 0xd8, 0, 0xde]), "a😀");
        assert_eq!(lossy(b"\xf0\x9f\x98"), "\u{fffd}\u{fffd}\u{fffd}");
    }
}
