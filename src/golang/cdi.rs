//! Names of devices as the library of the Container Device Interface reads them.
//!
//! Facts: pkg/parser of container-device-interface 0.6 to 1.0.

/// Whether the parser of names falls over a vendor or a class of one letter.
pub fn is_crash(name: &str) -> bool {
    let is_letter = |text: &str| text.len() == 1 && text.starts_with(|c: char| c.is_ascii_alphabetic());
    let Some((kind, device)) = name.split_once('=').filter(|_| !name.starts_with('/')) else { return false };
    let Some((vendor, class)) = kind.split_once('/') else { return false };
    let whole = !vendor.is_empty() && !class.is_empty() && !device.is_empty();
    whole && (is_letter(vendor) || (is_part(vendor) && is_letter(class)))
}

/// Whether a vendor or a class is spelled as one.
fn is_part(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.ends_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
}

/// Whether a name is `vendor/class=device`.
pub fn is_qualified(name: &str) -> bool {
    let Some((kind, device)) = name.split_once('=').filter(|_| !name.starts_with('/')) else { return false };
    let Some((vendor, class)) = kind.split_once('/') else { return false };
    let is_device = device.starts_with(|c: char| c.is_ascii_alphanumeric())
        && device.ends_with(|c: char| c.is_ascii_alphanumeric())
        && device.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ':'));
    is_part(vendor) && is_part(class) && is_device
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_vendor_class_and_device() {
        for good in ["nvidia.com/gpu=0", "intel.com/qat=vf-1:2", "v1/c1=d"] {
            assert!(is_qualified(good), "{good}");
        }
        for bad in ["", "nvidia.com/gpu", "nvidia.com=0", "1a/gpu=0", "a/gpu=", "a/b=-x", "/a/b=c", "a/b=c d"]
        {
            assert!(!is_qualified(bad), "{bad}");
        }
        for crash in ["v/class=d", "vendor.com/c=d", "v/c=-"] {
            assert!(is_crash(crash), "{crash}");
        }
        for no in ["1/class=d", "vendor.com/1=d", "v/=d", "v/c=", "-v/c=d", "nvidia.com/gpu=0"] {
            assert!(!is_crash(no), "{no}");
        }
    }
}
