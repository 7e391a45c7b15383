//! Standard base64 as Go reads it: line breaks do not count, and errors name the byte.
//!
//! Facts: encoding/base64 of Go (`DecodeString` and `NewDecoder`).

use super::LibraryError;

/// What decoding gives: everything before the first fault, and the offset of that fault.
pub struct Decoded {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Where the input is no base64.
    pub fault: Option<usize>,
}

fn sextet(byte: u8) -> Option<u8> {
    Some(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}

/// Decodes as far as possible.
pub fn decode_prefix(input: &[u8]) -> Decoded {
    let mut bytes = Vec::with_capacity(input.len() / 4 * 3);
    let mut at = 0;
    loop {
        let mut quantum = [0u8; 4];
        let mut count = 0;
        let mut padded = false;
        let fault = loop {
            let Some(byte) = input.get(at).copied() else {
                break if count == 0 { None } else { Some(at - count) };
            };
            at += 1;
            if let (Some(value), Some(slot)) = (sextet(byte), quantum.get_mut(count)) {
                *slot = value;
                count += 1;
                if count == 4 {
                    break None;
                }
                continue;
            }
            if byte == b'\n' || byte == b'\r' {
                continue;
            }
            if byte != b'=' || count < 2 {
                break Some(at - 1);
            }
            let skip = |at: &mut usize| {
                while matches!(input.get(*at), Some(b'\n' | b'\r')) {
                    *at += 1;
                }
            };
            if count == 2 {
                skip(&mut at);
                match input.get(at) {
                    None => break Some(input.len()),
                    Some(b'=') => at += 1,
                    Some(_) => break Some(at - 1),
                }
            }
            skip(&mut at);
            padded = true;
            break (at < input.len()).then_some(at);
        };
        if (fault.is_some() && !padded) || count == 0 {
            return Decoded { bytes, fault };
        }
        let [a, b, c, d] = quantum;
        let whole = [a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d];
        bytes.extend(whole.iter().take(count - 1));
        if padded {
            return Decoded { bytes, fault };
        }
    }
}

/// `DecodeString`.
pub fn decode(text: &str) -> Result<Vec<u8>, LibraryError> {
    let decoded = decode_prefix(text.as_bytes());
    match decoded.fault {
        None => Ok(decoded.bytes),
        Some(at) => Err(LibraryError(message(at))),
    }
}

fn message(at: usize) -> String {
    format!("illegal base64 data at input byte {at}")
}

/// What a reader on top of a decoder gets: the bytes up to the first fault, and that fault's words. It
/// works in pieces of 1024 characters and counts offsets within them.
pub fn decode_stream(text: &str) -> (Vec<u8>, Option<String>) {
    let plain: Vec<u8> = text.bytes().filter(|b| *b != b'\n' && *b != b'\r').collect();
    let mut bytes = Vec::new();
    for piece in plain.chunks(1024) {
        let whole = piece.len() / 4 * 4;
        let decoded = decode_prefix(piece.get(..whole).unwrap_or_default());
        bytes.extend(decoded.bytes);
        if let Some(at) = decoded.fault {
            return (bytes, Some(message(at)));
        }
        if whole < piece.len() {
            return (bytes, Some("unexpected EOF".to_owned()));
        }
    }
    (bytes, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_where_go_sees_them() {
        assert_eq!(decode("YQ==").unwrap(), b"a");
        assert_eq!(decode("Y\nWJj").unwrap(), b"abc");
        assert_eq!(decode("").unwrap(), b"");
        for (text, at) in
            [("!!", 0), ("YQ", 0), (" YQ==", 0), ("YWJj!", 4), ("YQ=", 3), ("YQ==x", 4), ("YWJjYQ", 4)]
        {
            assert_eq!(decode(text).unwrap_err().0, message(at), "{text}");
        }
        assert_eq!(decode_stream("@@@").1.unwrap(), "unexpected EOF");
    }
}
