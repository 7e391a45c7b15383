//! Documents for Kubernetes, as YAML that people read: long texts as blocks, everything else on its line.
//!
//! Decides how a value is quoted; knows no kind of object.

/// A part of a document.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// Keys with their values, in this order.
    Map(Vec<(&'static str, Self)>),
    /// The same, where the keys are data.
    Table(Vec<(String, Self)>),
    /// One below the other.
    List(Vec<Self>),
    /// Words within brackets.
    Words(Vec<String>),
    /// One text.
    Text(String),
    /// `true` or `false`.
    Flag(bool),
    /// A whole number.
    Number(u32),
    /// A map without keys: everything.
    Empty,
}

impl Node {
    /// A text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// Words within brackets.
    pub fn words<T: AsRef<str>>(words: &[T]) -> Self {
        Self::Words(words.iter().map(|word| word.as_ref().to_owned()).collect())
    }

    /// Written as a document of its own.
    pub fn document(&self) -> String {
        let mut out = String::new();
        self.write(0, &mut out);
        out
    }

    fn write(&self, indent: usize, out: &mut String) {
        match self {
            Self::Map(entries) => entries.iter().for_each(|(key, node)| entry(key, node, indent, out)),
            Self::Table(entries) => {
                entries.iter().for_each(|(key, node)| entry(&quoted(key), node, indent, out));
            }
            Self::List(items) => {
                for item in items {
                    let mut inner = String::new();
                    item.write(indent + 2, &mut inner);
                    pad(indent, out);
                    out.push_str("- ");
                    out.push_str(inner.trim_start_matches(' '));
                }
            }
            other => {
                pad(indent, out);
                out.push_str(&other.inline());
                out.push('\n');
            }
        }
    }

    fn inline(&self) -> String {
        match self {
            Self::Words(words) => {
                let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
                format!("[{}]", words.join(", "))
            }
            Self::Text(text) => quoted(text),
            Self::Flag(flag) => flag.to_string(),
            Self::Number(number) => number.to_string(),
            Self::Map(_) | Self::Table(_) | Self::List(_) | Self::Empty => "{}".to_owned(),
        }
    }
}

fn pad(indent: usize, out: &mut String) {
    out.extend(std::iter::repeat_n(' ', indent));
}

fn entry(key: &str, node: &Node, indent: usize, out: &mut String) {
    pad(indent, out);
    out.push_str(key);
    out.push(':');
    match node {
        Node::Map(_) | Node::Table(_) => {
            out.push('\n');
            node.write(indent + 2, out);
        }
        // A list stands as far in as the key that it belongs to.
        Node::List(_) => {
            out.push('\n');
            node.write(indent, out);
        }
        Node::Text(text) if is_block(text) => {
            out.push_str(" |-\n");
            for line in text.lines() {
                pad(indent + 2, out);
                out.push_str(line);
                out.push('\n');
            }
        }
        other => {
            out.push(' ');
            out.push_str(&other.inline());
            out.push('\n');
        }
    }
}

/// Whether the text stands on lines of its own, as it is.
fn is_block(text: &str) -> bool {
    let whole = |line: &str| !line.ends_with(' ') && !line.chars().any(char::is_control) && line.is_ascii();
    (text.contains('\n') || (text.len() > 60 && text.contains(' ')))
        && !text.starts_with([' ', '\n'])
        && !text.ends_with('\n')
        && text.split('\n').all(whole)
}

/// A text on one line.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./".contains(c);
    let word = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/') && text.chars().all(plain);
    let other = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    let taken = other.iter().any(|word| word.eq_ignore_ascii_case(text));
    let shown = |c: char| (' '..='~').contains(&c);
    if word && !taken {
        text.to_owned()
    } else if text.chars().all(shown) {
        format!("'{}'", text.replace('\'', "''"))
    } else {
        let mut out = String::from("\"");
        for c in text.chars() {
            match c {
                '"' | '\\' => out.extend(['\\', c]),
                c if shown(c) => out.push(c),
                c if u32::from(c) > 0xffff => out.push_str(&format!("\\U{:08X}", u32::from(c))),
                c => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            }
        }
        out.push('"');
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(node: &Node) -> serde_json::Value {
        let text = node.document();
        serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
    }

    #[test]
    fn a_document_reads_back() {
        let node = Node::Map(vec![
            ("apiVersion", Node::text("v1")),
            ("flag", Node::Flag(true)),
            ("words", Node::words(&["", "pods", "a b", "true"])),
            ("none", Node::Empty),
            (
                "items",
                Node::List(vec![
                    Node::Map(vec![("name", Node::text("a")), ("expression", Node::text("x\n  y"))]),
                    Node::Map(vec![("name", Node::text("it's"))]),
                    Node::text("z"),
                ]),
            ),
        ]);
        let expected = serde_json::json!({
            "apiVersion": "v1", "flag": true, "words": ["", "pods", "a b", "true"], "none": {},
            "items": [{ "name": "a", "expression": "x\n  y" }, { "name": "it's" }, "z"],
        });
        assert_eq!(read(&node), expected);
    }

    proptest::proptest! {
        #[test]
        fn every_text_reads_back(text in "\\PC{0,20}|[ -~\n]{0,90}|.{0,8}", key in "[ -~é]{1,8}") {
            let node = Node::Table(vec![(key.clone(), Node::text(text.clone()))]);
            proptest::prop_assert_eq!(&read(&node)[&key], &serde_json::Value::from(text));
        }
    }
}
