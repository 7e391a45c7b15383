//! The options that containerd hands to a shim, as `ctr containers info` prints them: base64 around a message.
//!
//! Facts: `runtimeoptions.v1.Options` in containerd's api/types/runtimeoptions/v1/api.proto, whose second field is the
//! path of the configuration.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The field with the configuration's path, with its wire type.
const CONFIG_PATH: u8 = 2 << 3 | 2;

/// The path of the configuration.
pub(super) fn config_path(value: &str) -> Option<String> {
    let bytes = STANDARD.decode(value).ok()?;
    let mut rest = bytes.as_slice();
    while let Some((tag, after)) = rest.split_first() {
        // All of its fields are texts; their length takes seven bits a byte.
        let mut length = 0;
        let mut after = after;
        for shift in [0, 7, 14] {
            let (byte, behind) = after.split_first()?;
            length |= usize::from(byte & 0x7f) << shift;
            after = behind;
            if byte & 0x80 == 0 {
                break;
            }
        }
        let (text, behind) = after.split_at_checked(length)?;
        if *tag == CONFIG_PATH {
            return String::from_utf8(text.to_vec()).ok().filter(|path| path.starts_with('/'));
        }
        rest = behind;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_field_is_the_path() {
        let message = [&[0x0a, 3][..], b"url", &[0x12, 7], b"/a.toml"].concat();
        assert_eq!(config_path(&STANDARD.encode(&message)).as_deref(), Some("/a.toml"));
        assert_eq!(config_path(&STANDARD.encode([0x12, 0xff, 0xff])), None);
        assert_eq!(config_path("AA=="), None);
    }
}
