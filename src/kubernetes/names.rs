//! What names, annotation keys and labels may look like.
//!
//! Decides the checks of apimachinery's validation helpers, in their words (Kubernetes 1.36.2; up to
//! 1.34 lengths are told in characters, later in bytes, and counted in bytes always).

use super::Version;

/// The largest sum of annotation keys and values, in bytes.
pub const ANNOTATIONS_LIMIT: usize = 256 << 10;

const NAME: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an \
    alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is \
    '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

fn too_long(most: usize, version: &Version) -> String {
    let unit = if version.minor() >= 35 { "bytes" } else { "characters" };
    format!("must be no more than {most} {unit}")
}

/// Alphanumeric at both ends, with what is `extra` in between.
fn edged(text: &str, alphanumeric: impl Fn(u8) -> bool, extra: impl Fn(u8) -> bool) -> bool {
    let bytes = text.as_bytes();
    let ends = [bytes.first(), bytes.last()].iter().all(|b| b.is_some_and(|b| alphanumeric(*b)));
    // Without a branch for each byte.
    ends && bytes.iter().fold(true, |fine, b| fine & (alphanumeric(*b) | extra(*b)))
}

fn any_case(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

fn is_mark(byte: u8) -> bool {
    matches!(byte, b'-' | b'_' | b'.')
}

fn lower_case(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

/// What is wrong with a DNS-1123 subdomain.
pub fn subdomain(text: &str, version: &Version) -> Vec<String> {
    let mut faults = Vec::new();
    if text.len() > 253 {
        faults.push(too_long(253, version));
    }
    if !text.split('.').all(|label| edged(label, lower_case, |b| b == b'-')) {
        faults.push(
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must \
             start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
             '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
                .to_owned(),
        );
    }
    faults
}

/// What is wrong with a DNS-1123 label.
pub fn label(text: &str, version: &Version) -> Vec<String> {
    let mut faults = Vec::new();
    if text.len() > 63 {
        faults.push(too_long(63, version));
    }
    if !edged(text, lower_case, |b| b == b'-') {
        faults.push(
            "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start \
             and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is \
             '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
                .to_owned(),
        );
    }
    faults
}

/// What is wrong with a key of the form `prefix/name`.
pub fn qualified(key: &str, version: &Version) -> Vec<String> {
    if key.len() <= 63 && edged(key, any_case, is_mark) {
        // No slash in it.
        return Vec::new();
    }
    let mut faults = Vec::new();
    let mut parts = key.split('/');
    let name = match (parts.next(), parts.next(), parts.next()) {
        (Some(name), None, _) => name,
        (Some(""), Some(name), None) => {
            faults.push("prefix part must be non-empty".to_owned());
            name
        }
        (Some(prefix), Some(name), None) => {
            faults.extend(subdomain(prefix, version).into_iter().map(|f| format!("prefix part {f}")));
            name
        }
        _ => {
            return vec![format!(
                "a valid label key {NAME} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
            )];
        }
    };
    if name.is_empty() {
        faults.push("name part must be non-empty".to_owned());
    } else if name.len() > 63 {
        faults.push(format!("name part {}", too_long(63, version)));
    }
    if !edged(name, any_case, is_mark) {
        faults.push(format!("name part {NAME}"));
    }
    faults
}

/// What is wrong with an annotation's key. Its case does not count.
pub fn annotation_key(key: &str, version: &Version) -> Vec<String> {
    let is_lower = key.bytes().fold(true, |fine, byte| fine & byte.is_ascii() & !byte.is_ascii_uppercase());
    if is_lower { qualified(key, version) } else { qualified(&key.to_lowercase(), version) }
}

/// What is wrong with a label's value.
pub fn label_value(value: &str, version: &Version) -> Vec<String> {
    let mut faults = Vec::new();
    if value.len() > 63 {
        faults.push(too_long(63, version));
    }
    if !value.is_empty() && !edged(value, any_case, is_mark) {
        faults.push(
            "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must \
             start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used \
             for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
                .to_owned(),
        );
    }
    faults
}

/// The fault of annotations that are too large together.
pub fn annotations_size(total: usize, version: &Version) -> Option<String> {
    let wording = if version.minor() >= 32 { "may not be more than" } else { "must have at most" };
    (total > ANNOTATIONS_LIMIT).then(|| format!("Too long: {wording} {ANNOTATIONS_LIMIT} bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn annotation_keys() {
        let version = Version::default();
        let faults = |key: &str| annotation_key(key, &version);
        let long = "a".repeat(64);
        for key in
            ["a", "A.b", "Example.COM/x", "io.katacontainers.config.hypervisor/x", &format!("{long}.com/x")]
        {
            assert!(faults(key).is_empty(), "{key}: {:?}", faults(key));
        }
        assert_eq!(faults(&long), ["name part must be no more than 63 bytes"]);
        assert_eq!(faults("/x"), ["prefix part must be non-empty"]);
        assert_eq!(faults("").len(), 2);
        assert_eq!(faults("é").len(), 1);
        assert!(faults("a/b/c")[0].starts_with("a valid label key must consist"));
        assert!(faults("a..b/x")[0].starts_with("prefix part a lowercase RFC 1123 subdomain"));
        let old: Version = "1.33".parse().unwrap();
        assert_eq!(annotation_key(&long, &old), ["name part must be no more than 63 characters"]);
    }
}
