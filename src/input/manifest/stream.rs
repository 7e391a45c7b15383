//! Inputs too long to hold: JSON lines are read one at a time.
//!
//! Decides whether an input is JSON lines (its first line is a whole JSON object) and hands on each
//! object as it comes. Anything else is read to its end first; a line that is not whole ends the lines
//! and starts an ordinary text.

use std::io::{BufRead, Read};
use std::sync::Arc;

use super::document::{Object, Walk};
use super::place::Locator;
use super::{InputError, LINE_LIMIT, Place, SIZE_LIMIT, json, text};

/// Lines of an input, each a whole JSON object, that can be walked apart from the others.
#[derive(Debug)]
pub struct Lines {
    path: Arc<str>,
    text: String,
    /// Number of the first line.
    first: u32,
    /// Documents before it.
    documents: usize,
}

/// Lines are handed on once they have so many bytes.
const BATCH: usize = 256 << 10;

impl Lines {
    /// Their text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Visits their objects; gives the number of documents so far in the input.
    pub fn walk(&self, visit: &mut dyn FnMut(Object<'_, '_>)) -> Result<usize, InputError> {
        let mut documents = self.documents;
        for (number, line) in (self.first..).zip(self.text.split_inclusive('\n')) {
            if !line.trim_ascii().is_empty() {
                let locator = Locator::new(self.path.clone(), line, number);
                documents = Walk::new(&locator, documents, visit).run()?;
            }
        }
        Ok(documents)
    }
}

/// Visits every object of `input`; gives the number of documents.
pub fn stream(
    input: impl BufRead,
    path: impl Into<Arc<str>>,
    visit: &mut dyn FnMut(Object<'_, '_>),
) -> Result<usize, InputError> {
    let visit = std::cell::RefCell::new(visit);
    let mut failed = None;
    let mut lines = |lines: Lines| match lines.walk(&mut **visit.borrow_mut()) {
        Ok(_) => true,
        Err(error) => {
            failed = Some(error);
            false
        }
    };
    let documents = batches(input, path, &mut lines, &mut |object| (visit.borrow_mut())(object))?;
    failed.map_or(Ok(documents), Err)
}

/// Reads `input`: JSON lines are handed on in batches as they are (until `take` says false), the objects
/// of any other text are visited. Gives the number of documents.
pub fn batches(
    mut input: impl BufRead,
    path: impl Into<Arc<str>>,
    take: &mut dyn FnMut(Lines) -> bool,
    visit: &mut dyn FnMut(Object<'_, '_>),
) -> Result<usize, InputError> {
    let path: Arc<str> = path.into();
    let mut line = Vec::new();
    let mut number = 0u32;
    let mut documents = 0;
    let empty = |first: u32, documents| Lines { path: path.clone(), text: String::new(), first, documents };
    let mut batch = empty(1, 0);
    loop {
        line.clear();
        if read_line(&mut input, &mut line, &path, number)? == 0 {
            if !batch.text.is_empty() {
                take(batch);
            }
            return Ok(documents);
        }
        number = number.saturating_add(1);
        let blank = line.iter().all(u8::is_ascii_whitespace);
        match std::str::from_utf8(&line) {
            Ok(text) if blank || is_whole(text) => {
                documents += usize::from(!blank);
                batch.text.push_str(text);
            }
            _ => break,
        }
        if batch.text.len() >= BATCH {
            let full = std::mem::replace(&mut batch, empty(number.saturating_add(1), documents));
            if !take(full) {
                return Ok(documents);
            }
        }
    }
    if !batch.text.is_empty() && !take(batch) {
        return Ok(documents);
    }
    // Not JSON lines from here on.
    let mut rest = std::mem::take(&mut line);
    let read = input.by_ref().take(SIZE_LIMIT + 1).read_to_end(&mut rest);
    read.map_err(|e| unreadable(&path, number, &e))?;
    if rest.len() as u64 > SIZE_LIMIT {
        let message = format!("larger than {} MiB", SIZE_LIMIT >> 20);
        let place = Place { file: path, line: 0, column: 0 };
        return Err(
            InputError::new(place, message).with_help("give it as JSON lines: one object on each line")
        );
    }
    let rest = text::decode(rest);
    let locator = Locator::new(path, &rest, number);
    Walk::new(&locator, documents, visit).run()
}

/// One line up to the limit; a longer one is cut and so is not whole.
fn read_line(
    input: &mut impl BufRead,
    line: &mut Vec<u8>,
    path: &Arc<str>,
    number: u32,
) -> Result<usize, InputError> {
    let mut limited = input.by_ref().take(LINE_LIMIT as u64);
    limited.read_until(b'\n', line).map_err(|e| unreadable(path, number, &e))
}

/// Whether a line is one JSON object and nothing else.
fn is_whole(line: &str) -> bool {
    let Some(mut members) = json::Members::open(line, 0, b'{') else { return false };
    loop {
        match members.next_key() {
            Ok(Some(_)) if members.skip().is_ok() => {}
            Ok(None) => return json::skip_blanks(line, members.position()) == line.len(),
            _ => return false,
        }
    }
}

fn unreadable(path: &Arc<str>, line: u32, error: &std::io::Error) -> InputError {
    InputError::new(Place { file: path.clone(), line, column: 0 }, format!("cannot be read: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<(usize, String, u32)> {
        let mut found = Vec::new();
        let mut visit = |o: Object<'_, '_>| {
            found.push((o.document, o.kind.to_owned(), o.places.of(o.node.at).line));
        };
        stream(text.as_bytes(), "f", &mut visit).unwrap();
        found
    }

    #[test]
    fn lines_and_texts_mix() {
        let want = |v: &[(usize, &str, u32)]| {
            v.iter().map(|(d, k, l)| (*d, (*k).to_owned(), *l)).collect::<Vec<_>>()
        };
        assert_eq!(names("{\"kind\":\"A\"}\n\n{\"kind\":\"B\"}\n"), want(&[(1, "A", 1), (2, "B", 3)]));
        assert_eq!(
            names("{\"kind\":\"A\"}\n{\n\"kind\":\"B\"}\n---\nkind: C\n"),
            want(&[(1, "A", 1), (2, "B", 2), (3, "C", 5)])
        );
        assert_eq!(names("kind: A\n"), want(&[(1, "A", 1)]));
    }
}
