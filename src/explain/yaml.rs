//! Fields of YAML line by line, and the message that goes over several.
//!
//! Decides where the text of a field `message` ends and what it is: `kubectl get -o yaml` breaks long texts at 80
//! columns (`emitterc.go` of `sigs.k8s.io/yaml`), in plain or quoted, and writes those of several lines as a block.
//! Takes no more of YAML than that, since what stands around it may be a log.

use super::messages::LONGEST;

/// How a text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    Plain,
    SingleQuoted,
    DoubleQuoted,
    /// `|`, with the column its lines begin at, once there is one.
    Literal(Option<usize>),
    /// `>`
    Folded,
}

/// The text of a field `message`, as far as it was read.
#[derive(Debug)]
pub(super) struct Message {
    /// The column of the field's name: what goes on stands further in.
    within: usize,
    style: Style,
    text: String,
}

impl Message {
    /// Begins with the line that has the field, which may begin an item of a list.
    pub(super) fn begin(line: &str) -> Option<Self> {
        let text = field(line, "message")?;
        let within = line.find("message")?;
        let (style, text) = match text.as_bytes() {
            [b'\'', ..] => (Style::SingleQuoted, text.get(1..)?),
            [b'"', ..] => (Style::DoubleQuoted, text.get(1..)?),
            [b'|', rest @ ..] if is_header(rest) => (Style::Literal(None), ""),
            [b'>', rest @ ..] if is_header(rest) => (Style::Folded, ""),
            _ => (Style::Plain, text),
        };
        Some(Self { within, style, text: text.to_owned() })
    }

    /// Takes the next line, where it is one of the text's; its end may be with it.
    pub(super) fn goes_on(&mut self, line: &str) -> bool {
        let text = line.trim();
        let indentation = indentation(line);
        if self.is_closed() || (indentation <= self.within && !text.is_empty()) {
            return false;
        }
        if self.text.len() > LONGEST {
            return true;
        }
        if let Style::Literal(column) = &mut self.style {
            let column = *column.get_or_insert(indentation);
            self.text.push_str(line.get(column..).unwrap_or_default().trim_end_matches(['\n', '\r']));
            self.text.push('\n');
            return true;
        }
        let is_joined = self.style == Style::DoubleQuoted && self.text.ends_with('\\');
        if is_joined {
            // A break that is no part of the text; a backslash stands before the blanks that are.
            self.text.pop();
        } else if text.is_empty() {
            self.text.push('\n');
        } else if !self.text.is_empty() && !self.text.ends_with('\n') {
            self.text.push(' ');
        }
        self.text.push_str(text.strip_prefix('\\').filter(|rest| rest.starts_with(' ')).unwrap_or(text));
        true
    }

    /// Whether the quote stands that ends the text.
    fn is_closed(&self) -> bool {
        let count = |quote: char, text: &str| text.chars().rev().take_while(|c| *c == quote).count();
        match self.style {
            Style::SingleQuoted => count('\'', &self.text) % 2 == 1,
            Style::DoubleQuoted => {
                self.text.strip_suffix('"').is_some_and(|text| count('\\', text).is_multiple_of(2))
            }
            _ => false,
        }
    }

    /// The text; what is escaped in double quotes still is.
    pub(super) fn text(self) -> String {
        match self.style {
            Style::SingleQuoted => self.text.strip_suffix('\'').unwrap_or(&self.text).replace("''", "'"),
            Style::DoubleQuoted => self.text.strip_suffix('"').unwrap_or(&self.text).to_owned(),
            _ => self.text,
        }
    }
}

/// The text of a message that is given with its field, whole.
pub(super) fn message(text: &str) -> Option<String> {
    let mut lines = text.lines();
    let mut message = Message::begin(lines.next()?)?;
    lines.take_while(|line| message.goes_on(line)).for_each(drop);
    Some(message.text())
}

/// Whether that is what may stand behind the `|` or `>` of a block.
fn is_header(rest: &[u8]) -> bool {
    rest.iter().all(|b| matches!(b, b'+' | b'-' | b'1'..=b'9'))
}

/// The value of a field, which may begin an item of a list.
pub(super) fn field<'l>(line: &'l str, name: &str) -> Option<&'l str> {
    let line = line.trim();
    let line = line.strip_prefix("- ").unwrap_or(line).trim_start();
    line.strip_prefix(name)?.strip_prefix(": ").map(str::trim)
}

/// `count: 12` of an event.
pub(super) fn count(line: &str) -> Option<u64> {
    field(line, "count")?.parse().ok()
}

/// The column that a line's text begins at.
pub(super) fn indentation(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_may_go_over_several_lines() {
        let texts = [
            ("    message: it is", "it is"),
            ("  - message: 'it''s: so'", "it's: so"),
            ("message: \"a: b\"", "a: b"),
            ("message: a\n  b c\n    d\nmetadata:\n", "a b c d"),
            ("- message: 'it''s:\n    so'''\n    no", "it's: so'"),
            ("  message: 'a:\n\n    b''\n    c'\n    d", "a:\nb' c"),
            ("message: \"a: b\\\n  \\ c\\\"\n  d\"\n  e", "a: b c\\\" d"),
            ("message: |-\n    a\n      b\n\n    c\nd", "a\n  b\n\nc\n"),
            ("message: >\n  a\n  b\n", "a b"),
            ("message: |it", "|it"),
        ];
        for (yaml, text) in texts {
            assert_eq!(message(yaml).as_deref(), Some(text), "{yaml}");
        }
        for line in ["messages: a", "\"message\": \"a\"", "a message: b", "message:"] {
            assert_eq!(message(line), None, "{line}");
        }
    }

    #[test]
    fn a_count_is_a_number_alone() {
        assert_eq!(
            (count("- count: 7"), count("count: 7 pods"), count("discount: 7")),
            (Some(7), None, None)
        );
    }
}
