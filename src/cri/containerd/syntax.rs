//! What containerd's TOML readers refuse, and how they word it.
//!
//! Decides what of TOML 1.1, which the reader of this program takes, is too new for the daemon: it then does not
//! start. Facts: go-toml 1.9.5 (containerd 1.x) and 2.2.3 to 2.3.0 (2.x), which read TOML 1.0.
//!
//! Limitations: 1.9.5 takes some texts that are no TOML (a table named twice in two spellings), which are refused
//! here; what else is no TOML is told in the words of this program's reader.

use super::Broken;
use super::release::Release;
use crate::input::source::Source;
use crate::input::toml_tree::{self, Table};

/// Reads a text as the release's reader does.
pub(super) fn parse(source: &Source, release: Release) -> Result<Table, Broken> {
    let table = toml_tree::parse(source).map_err(|error| no_toml(&error, source, release))?;
    match newer(&source.text, release.is_v1()) {
        Some((at, what)) => Err(refused(source, at, &what, release)),
        None => Ok(table),
    }
}

fn refused(source: &Source, at: usize, what: &str, release: Release) -> Broken {
    let place = source.place(at);
    let (path, line) = (&source.path, place.line);
    Broken::new(if release.is_v1() {
        format!("failed to load TOML: {path}: ({line}, {}): {what}", place.column)
    } else {
        // Columns are bytes there.
        let start = source.text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1);
        format!("failed to unmarshal TOML at row {line} column {}: toml: {what}", at - start + 1)
    })
    .at(&place)
}

fn no_toml(error: &toml_tree::SyntaxError, source: &Source, release: Release) -> Broken {
    let (line, column) = (error.place.line, error.place.column);
    let path = &source.path;
    let text = source.line(line).unwrap_or_default().trim_start();
    Broken::new(if release.is_v1() {
        format!("failed to load TOML: {path}: ({line}, {column}): {}", error.message)
    } else if error.message.contains("duplicate key") {
        // go-toml v2 names the last part of the key.
        let table = text.starts_with('[');
        let key = text.split(['=', ']']).next().unwrap_or_default().trim().trim_start_matches('[');
        let last = key.rsplit('.').next().unwrap_or(key).trim_matches(['"', '\'', ' ']);
        let said = if table {
            format!("table {last} already exists")
        } else {
            format!("key {last} is already defined")
        };
        format!("failed to unmarshal TOML: toml: {said}")
    } else {
        format!("failed to unmarshal TOML at row {line} column {column}: toml: {}", error.message)
    })
    .at(&error.place)
}

/// Where syntax of TOML 1.1 first stands in a text that is valid otherwise, with what is said there.
fn newer(text: &str, is_v1: bool) -> Option<(usize, String)> {
    let bytes = text.as_bytes();
    let mut open: Vec<u8> = Vec::new();
    // The last byte that is no blank, where it stands.
    let (mut last, mut last_at) = (b'\n', 0);
    let mut at = 0;
    while let Some(byte) = bytes.get(at).copied() {
        let in_table = open.last() == Some(&b'{');
        match byte {
            b' ' | b'\t' => {
                at += 1;
                continue;
            }
            b'#' | b'\n' | b'\r' if in_table && !is_v1 => {
                let what = match last {
                    b'{' | b',' => format!("invalid character at start of key: {}", char::from(byte)),
                    _ => "expected character ,".to_owned(),
                };
                return Some((at, what));
            }
            b'\n' | b'\r' if in_table => {
                at += 1;
                continue;
            }
            b'#' => {
                at += bytes.iter().skip(at).take_while(|b| **b != b'\n').count();
                continue;
            }
            b'}' if last == b',' && is_v1 => {
                return Some((last_at, "trailing comma at the end of inline table".to_owned()));
            }
            b'}' if last == b',' => return Some((at, "invalid character at start of key: }".to_owned())),
            _ => {}
        }
        (last, last_at) = (byte, at);
        match byte {
            b'"' | b'\'' => match string(bytes, at, is_v1) {
                Ok(end) => at = end,
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
            b'0'..=b'9' => {
                let is_more = |b: &&u8| b.is_ascii_alphanumeric() || b"_.:+-".contains(*b);
                let end = at + bytes.iter().skip(at).take_while(is_more).count();
                let token = text.get(at..end)?;
                let time = token.find(['T', 't']).map_or(0, |t| t + 1);
                if token.get(time..).is_some_and(has_no_seconds) {
                    let at = at + time;
                    let what = match is_v1 {
                        true => {
                            let after = text.get(at + 5..)?.chars().next().unwrap_or('\u{fffd}');
                            let front = if time > 0 { "parsing error: " } else { "" };
                            format!("{front}time minute/second separator should be :, not {after}")
                        }
                        false => "times are expected to have the format HH:MM:SS[.NNNNNN]".to_owned(),
                    };
                    return Some((at, what));
                }
                at = end;
            }
            _ => at += 1,
        }
    }
    None
}

/// Whether it is a time, or begins with one, that has hours and minutes alone.
fn has_no_seconds(time: &str) -> bool {
    match *time.as_bytes() {
        [h1, h2, b':', m1, m2, ref rest @ ..] => {
            [h1, h2, m1, m2].iter().all(u8::is_ascii_digit) && rest.first() != Some(&b':')
        }
        _ => false,
    }
}

/// The end of a string that starts here, or an escape in it that is new.
fn string(text: &[u8], start: usize, is_v1: bool) -> Result<usize, (usize, String)> {
    let mark = text.get(start).copied().unwrap_or_default();
    let is_at = |at: usize, marks: usize| (0..marks).all(|i| text.get(at + i) == Some(&mark));
    let marks = if is_at(start, 3) { 3 } else { 1 };
    let mut at = start + marks;
    // An empty string, which is no start of three marks.
    if marks == 1 && is_at(at, 1) {
        return Ok(at + 1);
    }
    let is_line_end = marks == 3 && text.get(at) == Some(&b'\n');
    let content = at + usize::from(is_line_end);
    loop {
        match text.get(at) {
            None => return Ok(text.len()),
            Some(b'\\') if mark == b'"' => match text.get(at + 1) {
                Some(letter @ (b'e' | b'x')) if is_v1 => {
                    return Err((content, format!("invalid escape sequence: \\{}", char::from(*letter))));
                }
                Some(b'x') => return Err((at + 1, "invalid escaped character U+0078 'x'".to_owned())),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn told(release: &str, text: &str) -> Option<String> {
        let release = Release::parse(release).unwrap();
        parse(&Source::new("/c.toml", text), release).err().map(|broken| broken.message)
    }

    #[test]
    fn what_is_new_in_toml_is_refused_as_each_reader_does() {
        for (text, at, what) in [
            ("a = {\nb = 1}", "1 column 6", "invalid character at start of key: \n"),
            ("a = {b = 1\n}", "1 column 11", "expected character ,"),
            ("a = {b = 1, # c\n c = 2}", "1 column 13", "invalid character at start of key: #"),
            ("a = { b = \"é\",}", "1 column 16", "invalid character at start of key: }"),
            ("x = 'é'\na = \"x\\x41\"", "2 column 8", "invalid escaped character U+0078 'x'"),
            ("[t]\na = [07:32]", "2 column 6", "times are expected to have the format HH:MM:SS[.NNNNNN]"),
            (
                "a = 1979-05-27T07:32Z",
                "1 column 16",
                "times are expected to have the format HH:MM:SS[.NNNNNN]",
            ),
        ] {
            let said = format!("failed to unmarshal TOML at row {at}: toml: {what}");
            assert_eq!(told("2.1.5", text), Some(said), "{text}");
        }
        for (text, at, what) in [
            ("a = { b = \"é\",}", "1, 14", "trailing comma at the end of inline table"),
            ("a = {b = 1,\n}", "1, 11", "trailing comma at the end of inline table"),
            ("a = [ \"x\", \"\\e\" ]", "1, 13", "invalid escape sequence: \\e"),
            ("a = \"\"\"\n\\x41\"\"\"", "2, 1", "invalid escape sequence: \\x"),
            ("a = [07:32]", "1, 6", "time minute/second separator should be :, not ]"),
            (
                "a = 1979-05-27T07:32",
                "1, 16",
                "parsing error: time minute/second separator should be :, not \u{fffd}",
            ),
        ] {
            assert_eq!(told("1.7.29", text), Some(format!("failed to load TOML: /c.toml: ({at}): {what}")));
        }
        assert_eq!(told("1.7.29", "a = {\nb = 1}"), None);
    }

    #[test]
    fn what_only_looks_new_is_read() {
        let text = "# { a = 1,\n[x.'{']\na = [ # {\n 1,\n]\nb = ''\nc = \"\\\\x41 {\"\nd = '''\n07:32\\x'''\n\
                    e = 1979-05-27 07:32:00-07:30\nf = {}\ng = [{ a = [1,\n] }]\nh = \"\"\"a\"\"\"\"\n07-32 = 1\n";
        for release in ["1.7.29", "2.3.4"] {
            assert_eq!(told(release, text), None);
        }
    }
}
