//! CRI-O's TOML reader: one library, in the version of each release.
//!
//! Decides where the versions before 1.6.0 accept less or more, or count lines otherwise; what a text means is
//! the business of the reader of 1.6.0. Facts: lex.go, parse.go and decode.go of github.com/BurntSushi/toml
//! 1.3.2, 1.4.0, 1.5.0 and 1.6.0, and the go.mod of each release of CRI-O.
//!
//! Limitations: times of day without seconds, which only 1.6.0 accepts, pass in all of them.

use super::release::Release;
use crate::golang::toml::{self as newest};
pub use crate::golang::toml::{Document, Error, Key, Spot, Table, Value};

/// The library's versions that releases were built with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Library {
    /// 1.3.2
    V1_3,
    /// 1.4.0
    V1_4,
    /// 1.5.0
    V1_5,
    /// 1.6.0, which reads TOML 1.1.
    V1_6,
}

/// How many arrays may be set twice in one text; more is nothing that anybody writes.
const AGAIN_LIMIT: usize = 32;

impl Library {
    /// The one of a release.
    pub fn of(release: Release) -> Self {
        match (release.minor, release.patch) {
            (..=30, _) => Self::V1_3,
            (31 | 32, _) => Self::V1_4,
            (33 | 34, _) | (35, 0) => Self::V1_5,
            _ => Self::V1_6,
        }
    }

    /// Reads a text.
    pub fn read(self, text: &[u8]) -> Result<Document, Error> {
        if self == Self::V1_6 {
            return newest::parse(text, newest::Dialect::V1_6);
        }
        if let Some(refused) = self.refused(text) {
            return Err(refused);
        }
        let mut text = text.to_vec();
        for _ in 0..AGAIN_LIMIT {
            match newest::parse(&text, newest::Dialect::V1_6) {
                Ok(document) => return Ok(document),
                Err(error) => match array_set_again(&text, &error) {
                    // Of an array that is set twice the later value counts, without a word: the earlier key
                    // is made one that nobody knows, of the same length so that every place stays.
                    Some(name) => name.for_each(|at| {
                        if let Some(byte) = text.get_mut(at) {
                            *byte = b'_';
                        }
                    }),
                    None => return Err(self.recount(&text, error)),
                },
            }
        }
        newest::parse(&text, newest::Dialect::V1_6).map_err(|error| self.recount(&text, error))
    }

    /// The name of a value's type in a message.
    pub fn type_name(self, value: &Value) -> String {
        let name = value.type_name();
        if self == Self::V1_3 { name.replace("any", "interface {}") } else { name.to_owned() }
    }

    /// What TOML 1.0 refuses and TOML 1.1 does not.
    fn refused(self, text: &[u8]) -> Option<Error> {
        let (at, why) = newer_syntax(text)?;
        // A character that no text may hold, in the very place: the reader then says line and key.
        let mut cut = text.get(..at)?.to_vec();
        cut.push(1);
        let error = newest::parse(&cut, newest::Dialect::V1_6).err()?;
        let Some(lead) = error.message.strip_suffix("TOML files cannot contain control characters: '0x01'")
        else {
            return Some(self.recount(text, error));
        };
        let mut message = format!("{lead}{why}");
        // The line before is named, and a carriage return has not begun a new one.
        if let (Some(b'\r'), Some(line)) = (text.get(at), error.spot.map(|spot| spot.line)) {
            message = message.replacen(&format!("line {line}"), &format!("line {}", line - 1), 1);
        }
        Some(Error { message, spot: error.spot, panic: false })
    }

    /// Lines as the older versions count them: until 1.4.0 a line's end counts as the next line, and the end
    /// of the text as the line before it.
    fn recount(self, text: &[u8], error: Error) -> Error {
        if self >= Self::V1_5 {
            return error;
        }
        let message = &error.message;
        let at_line_end =
            ["expected '.' or '=', but got '\\n' instead", "expected value but found '\\n' instead"];
        let shift = if at_line_end.iter().any(|words| message.ends_with(words)) {
            1
        } else if (message.contains("unexpected EOF") || message.contains("end of file"))
            && text.last() != Some(&b'\n')
        {
            -1
        } else {
            0
        };
        let Some(line) = error.spot.map(|spot| spot.line).filter(|_| shift != 0) else { return error };
        let message = message.replacen(&format!("line {line}"), &format!("line {}", line + shift), 1);
        Error { message, ..error }
    }
}

/// Where syntax of TOML 1.1 first stands, with what the older versions say there.
fn newer_syntax(text: &[u8]) -> Option<(usize, &'static str)> {
    const NEWLINE: &str = "newlines not allowed within inline tables";
    let mut open: Vec<u8> = Vec::new();
    let mut at = 0;
    while let Some(byte) = text.get(at).copied() {
        let in_table = open.last() == Some(&b'{');
        match byte {
            b'#' => at += text.get(at..)?.iter().position(|b| *b == b'\n').unwrap_or(text.len() - at),
            b'"' | b'\'' => match string(text, at) {
                Ok(after) => at = after,
                Err(found) => return Some(found),
            },
            b'{' | b'[' => {
                open.push(byte);
                at += 1;
            }
            b'}' | b']' => {
                open.pop();
                at += 1;
            }
            b'\n' | b'\r' if in_table => return Some((at, NEWLINE)),
            b',' if in_table => {
                at += 1;
                while matches!(text.get(at), Some(b' ' | b'\t')) {
                    at += 1;
                }
                if text.get(at) == Some(&b'}') {
                    return Some((at, "trailing comma not allowed in inline tables"));
                }
            }
            _ => at += 1,
        }
    }
    None
}

/// The end of a string that starts here, or an escape in it that is new.
fn string(text: &[u8], start: usize) -> Result<usize, (usize, &'static str)> {
    let mark = text.get(start).copied().unwrap_or_default();
    let is_at = |at: usize, marks: usize| (0..marks).all(|i| text.get(at + i) == Some(&mark));
    let marks = if is_at(start, 3) { 3 } else { 1 };
    let mut at = start + marks;
    loop {
        match text.get(at) {
            None => return Ok(text.len()),
            Some(b'\n') if marks == 1 => return Ok(at),
            Some(b'\\') if mark == b'"' => match text.get(at + 1) {
                Some(b'e') => return Err((at + 1, "invalid escape in string '\\e'")),
                Some(b'x') => return Err((at + 1, "invalid escape in string '\\x'")),
                _ => at += 2,
            },
            Some(_) if is_at(at, marks) => {
                at += marks;
                // One or two more marks belong to the text.
                while marks == 3 && text.get(at) == Some(&mark) {
                    at += 1;
                }
                return Ok(at);
            }
            Some(_) => at += 1,
        }
    }
}

/// The earlier of two keys of one name where either is an array, which only 1.6.0 refuses: where its last
/// piece stands.
fn array_set_again(text: &[u8], error: &Error) -> Option<std::ops::Range<usize>> {
    let name = error.message.rsplit_once("Key '")?.1.strip_suffix("' has already been defined.")?;
    let again = error.spot?.offset;
    let before = newest::parse(text.get(..again)?, newest::Dialect::V1_6).ok()?;
    let (key, spot) = before.keys.iter().rev().find(|(key, _)| key.to_string() == name)?;
    let was_array = matches!(lookup(&before.root, &key.0), Some(Value::Array(_)));
    let rest = text.get(again..)?;
    let value = rest.iter().position(|b| *b == b'=').and_then(|at| rest.get(at + 1..))?;
    let is_array = value.iter().find(|b| !matches!(b, b' ' | b'\t')) == Some(&b'[');
    if !was_array && !is_array {
        return None;
    }
    let last = key.0.last()?;
    let written = text.get(spot.offset..spot.offset + last.len())?;
    (written == last.as_bytes()).then_some(spot.offset..spot.offset + last.len())
}

fn lookup<'t>(root: &'t Table, key: &[String]) -> Option<&'t Value> {
    let (last, tables) = key.split_last()?;
    let mut table = root;
    for piece in tables {
        table = match table.get(piece)? {
            Value::Table(inner) => inner,
            Value::Tables(list) => list.last()?,
            _ => return None,
        };
    }
    table.get(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(library: Library, text: &str) -> String {
        library.read(text.as_bytes()).map_or_else(|e| e.message, |_| "read".to_owned())
    }

    #[test]
    fn toml_1_1_is_refused_until_1_5() {
        let open = "[a]\nb = { c = 1, # why\n d = 2 }\n";
        assert_eq!(told(Library::V1_6, open), "read");
        let refused = "toml: line 2 (last key \"a.b.c\"): newlines not allowed within inline tables";
        assert_eq!(told(Library::V1_5, open), refused);
        let comma = "a = [{ b = 'x, }' , }]";
        let refused = "trailing comma not allowed in inline tables";
        assert!(told(Library::V1_4, comma).ends_with(refused), "{}", told(Library::V1_4, comma));
        let escape = "a = \"\"\"\n\\x41\"\"\"";
        assert!(told(Library::V1_5, escape).ends_with("(last key \"a\"): invalid escape in string '\\x'"));
        // What only looks like it.
        let fine = "# {\na = '''{\n\\x'''\nb = [\n 1,\n]\nc = \"\\\\x41\"\n[x.'{']\nd = {}\n";
        for library in [Library::V1_3, Library::V1_6] {
            assert_eq!(told(library, fine), "read");
        }
        // The first mistake counts.
        assert!(told(Library::V1_5, "a = nope\nb = {\n}").contains("line 1"));
    }

    #[test]
    fn an_array_may_be_set_twice_until_1_5() {
        let text = "[t]\na = ['x']\nb = 1\na = ['y', 'z']\n";
        assert!(told(Library::V1_6, text).ends_with("Key 't.a' has already been defined."));
        let document = Library::V1_5.read(text.as_bytes()).unwrap();
        let Some(Value::Table(t)) = document.root.get("t") else { panic!("a table") };
        let Some(Value::Array(items)) = t.get("a") else { panic!("an array") };
        assert_eq!(items.len(), 2);
        assert!(told(Library::V1_5, "a = 1\na = 2\n").ends_with("Key 'a' has already been defined."));
    }

    #[test]
    fn older_versions_count_a_lines_end_as_the_next_line() {
        let text = "a = 1\nb =\nc = 2\n";
        assert!(told(Library::V1_5, text).starts_with("toml: line 2 "), "{}", told(Library::V1_5, text));
        assert!(told(Library::V1_4, text).starts_with("toml: line 3 "));
        assert!(told(Library::V1_4, "a = 1\nb =").starts_with("toml: line 1 "));
    }
}
