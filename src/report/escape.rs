//! Hostile text made visible: control characters, bidirectional overrides and zero-width
//! characters become escapes, so that a terminal, a browser or a log never acts on them.

use std::borrow::Cow;

/// Whether `c` would act on a terminal, or hide.
pub fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00AD}' | '\u{061C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}')
}

/// `text` with every hostile character as an escape (`\n`, `\e`, `\u{202e}`).
pub fn visible(text: &str) -> Cow<'_, str> {
    // Mostly it is plain, which is seen without a branch for each byte.
    let is_plain = text.bytes().fold(true, |all, byte| all & (b' '..=b'~').contains(&byte));
    if is_plain || !text.chars().any(is_hostile) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{1b}' => out.push_str("\\e"),
            c if is_hostile(c) => {
                use std::fmt::Write;
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// The same, but line breaks stay.
pub fn visible_lines(text: &str) -> String {
    text.trim_end().split('\n').map(visible).collect::<Vec<_>>().join("\n")
}

/// A JSON text with every hostile character as JSON's own escape: whoever reads it as JSON reads the same.
pub fn json(text: String) -> String {
    let hostile = |c: char| c != '\n' && is_hostile(c);
    // Outside of strings JSON is plain ASCII, and inside serde_json has escaped what is below a space.
    if text.bytes().fold(true, |all, byte| all & (byte < 0x7f)) || !text.chars().any(hostile) {
        return text;
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if !hostile(c) {
            out.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            use std::fmt::Write;
            let _ = write!(out, "\\u{unit:04x}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_overrides_are_shown() {
        assert_eq!(visible("a\u{1b}[31m\u{202e}b\n"), "a\\e[31m\\u{202e}b\\n");
        assert!(matches!(visible("plain ünïcode"), Cow::Borrowed(_)));
    }

    #[test]
    fn json_stays_the_same_json() {
        let value = serde_json::json!({ "a\u{9b}": "b\u{202e}\u{7f}\u{e0041}é\n" });
        for text in [value.to_string(), format!("{value:#}")] {
            let shown = json(text);
            assert!(shown.chars().all(|c| c == '\n' || !is_hostile(c)), "{shown}");
            assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).ok(), Some(value.clone()));
        }
    }
}
