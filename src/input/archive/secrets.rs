//! What an archive must not take along: values that log somebody in.
//!
//! Decides by the names of keys and tables, as containerd's registry settings, Docker's `auths` and proxies' URLs
//! have them. Facts: docs/cri/registry.md of containerd, containers-auth.json(5).

/// Names of keys whose value is a secret.
const KEYS: [&str; 14] = [
    "password",
    "passwd",
    "auth",
    "auths",
    "identitytoken",
    "identity_token",
    "registrytoken",
    "token",
    "bearer_token",
    "secret",
    "secret_key",
    "client_secret",
    "authorization",
    "credentials",
];
/// Tables all of whose values are.
const TABLES: [&str; 3] = ["auth", "auths", "header"];
const INSTEAD: &str = "withheld";

/// The content without secrets, `None` where it cannot be told apart, and what was left out.
pub(super) fn without(path: &str, content: Vec<u8>) -> (Option<Vec<u8>>, Vec<String>) {
    let Ok(text) = std::str::from_utf8(&content) else { return (Some(content), Vec::new()) };
    let mut spots: Vec<(std::ops::Range<usize>, String, &str)> = Vec::new();
    match toml_edit::Document::parse(text) {
        Ok(document) => in_table(document.as_table(), "", false, &mut spots),
        // What is no TOML is taken along only where it names no secret at all.
        Err(_) => {
            let lower = text.to_ascii_lowercase();
            let named = |key: &str| lower.contains(&format!("{key}\"")) || lower.contains(&format!("{key}:"));
            if let Some(key) = KEYS.iter().find(|key| named(key)) {
                return (None, vec![format!("{path}: all of it, since it names {key:?}")]);
            }
        }
    }
    urls(text, &mut spots);
    spots.sort_by_key(|(range, ..)| range.start);
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    let mut left_out = Vec::new();
    for (range, name, instead) in spots {
        if range.start < at {
            continue;
        }
        let line = 1 + text.get(..range.start).unwrap_or_default().matches('\n').count();
        left_out.push(format!("{path}:{line}: {name}"));
        out.push_str(text.get(at..range.start).unwrap_or_default());
        out.push_str(instead);
        at = range.end;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    (Some(out.into_bytes()), left_out)
}

fn in_table(
    table: &dyn toml_edit::TableLike,
    within: &str,
    secret: bool,
    spots: &mut Vec<(std::ops::Range<usize>, String, &'static str)>,
) {
    for (key, item) in table.iter() {
        let name = if within.is_empty() { key.to_owned() } else { format!("{within}.{key}") };
        let lower = key.to_ascii_lowercase();
        let table_of = TABLES.contains(&lower.as_str());
        if let Some(inner) = item.as_table_like() {
            in_table(inner, &name, secret || table_of, spots);
            continue;
        }
        if let Some(tables) = item.as_array_of_tables() {
            tables.iter().for_each(|inner| in_table(inner, &name, secret, spots));
            continue;
        }
        let is_secret = secret || KEYS.contains(&lower.as_str());
        let Some(range) = item.span().filter(|_| is_secret) else { continue };
        let instead = match item.as_value() {
            Some(toml_edit::Value::String(text)) if text.value().is_empty() => continue,
            Some(toml_edit::Value::String(_)) => "\"withheld\"",
            Some(toml_edit::Value::Array(_)) => "[\"withheld\"]",
            // A number or a truth value logs nobody in.
            _ => continue,
        };
        spots.push((range, name, instead));
    }
}

/// `https://user:password@proxy`
fn urls(text: &str, spots: &mut Vec<(std::ops::Range<usize>, String, &str)>) {
    for (at, _) in text.match_indices("://") {
        let from = at + 3;
        let rest = text.get(from..).unwrap_or_default();
        let end = rest.find(|c: char| c.is_whitespace() || "/\"'`<>".contains(c)).unwrap_or(rest.len());
        let authority = rest.get(..end).unwrap_or_default();
        if let Some(sign) = authority.rfind('@')
            && authority.get(..sign).is_some_and(|user| user.contains(':'))
        {
            spots.push((from..from + sign, "the user and password of a URL".to_owned(), INSTEAD));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_are_left_out_and_named() {
        let text = "version = 2\n[plugins.\"io.containerd.grpc.v1.cri\".registry.configs.\"r.io\".auth]\n\
                    username = \"bob\" # who\npassword = 'p'\nauth = \"\"\n[proxy]\nurl = \"http://a:b@p:1/\"\n\
                    [plugins.x.header]\nAuthorization = [\"Basic eA==\"]\n[kept]\nruntime_path = \"/a@b\"\n";
        let (kept, left_out) = without("/etc/c.toml", text.into());
        let kept = String::from_utf8(kept.unwrap()).unwrap();
        assert_eq!(
            kept,
            "version = 2\n[plugins.\"io.containerd.grpc.v1.cri\".registry.configs.\"r.io\".auth]\n\
             username = \"withheld\" # who\npassword = \"withheld\"\nauth = \"\"\n[proxy]\nurl = \"http://withheld@p:1/\"\n\
             [plugins.x.header]\nAuthorization = [\"withheld\"]\n[kept]\nruntime_path = \"/a@b\"\n"
        );
        assert_eq!(left_out.len(), 4, "{left_out:?}");
        assert_eq!(
            left_out[1],
            "/etc/c.toml:4: plugins.io.containerd.grpc.v1.cri.registry.configs.r.io.auth.password"
        );
        let (kept, left_out) = without("/root/config.json", b"{\"auths\": {}}".to_vec());
        assert_eq!((kept, left_out.len()), (None, 1));
        assert_eq!(without("/x", b"a: b\n".to_vec()), (Some(b"a: b\n".to_vec()), Vec::new()));
    }
}
