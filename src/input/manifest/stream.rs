//! Inputs too long to hold: JSON lines and the items of a JSON list are read piece by piece.
//!
//! Decides whether an input is JSON lines (its first line is a whole JSON object) and hands on the lines as
//! they come; a line that is not whole ends the lines and starts an ordinary text. Of a text, so much is
//! read that nearly every one is whole; a longer one that is a JSON list is cut into its items (`list`),
//! any other is read to its end first. A list that is cut is held to JSON's grammar: kubectl would read one
//! that only YAML takes, which needs all of it at once.

use std::io::{self, BufRead, Read};
use std::sync::Arc;

use super::document::{Object, Walk};
use super::list::{self, Cutter, End, Head};
use super::place::Locator;
use super::{Fault, InputError, LINE_LIMIT, Place, SIZE_LIMIT, json, text};

/// A part of an input that can be walked apart from the others.
#[derive(Debug)]
pub struct Piece {
    path: Arc<str>,
    text: String,
    /// Line and column at which it starts.
    start: (u32, u32),
    /// Documents before it; of items, the list's own is the last.
    documents: usize,
    /// Where it is items of a list: what the list says, and how far behind its start the piece starts.
    list: Option<(Arc<Head>, usize)>,
}

/// Pieces are handed on once they have so many bytes.
const BATCH: usize = 256 << 10;
/// A text up to this length is read whole, whatever it is.
const HELD: u64 = 2 << 20;

impl Piece {
    /// Its text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Visits its objects; gives the number of documents so far in the input.
    pub fn walk(&self, visit: &mut dyn FnMut(Object<'_, '_>)) -> Result<usize, InputError> {
        let (first, column) = self.start;
        if let Some((head, base)) = &self.list {
            let locator = Locator::from(self.path.clone(), &self.text, first, column);
            return Walk::new(&locator, self.documents, visit).items(&head.node(), *base);
        }
        let mut documents = self.documents;
        let mut rest = self.text.as_str();
        for number in first.. {
            let end = memchr::memchr(b'\n', rest.as_bytes()).map_or(rest.len(), |end| end + 1);
            let Some((line, behind)) = rest.split_at_checked(end).filter(|(line, _)| !line.is_empty()) else {
                break;
            };
            rest = behind;
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
    let mut pieces = |piece: Piece| match piece.walk(&mut **visit.borrow_mut()) {
        Ok(_) => true,
        Err(error) => {
            failed = Some(error);
            false
        }
    };
    let documents = batches(input, path, &mut pieces, &mut |object| (visit.borrow_mut())(object))?;
    failed.map_or(Ok(documents), Err)
}

/// Reads `input`: JSON lines and the items of a long list are handed on in pieces as they are (until `take`
/// says false), the objects of any other text are visited. Gives the number of documents.
pub fn batches(
    mut input: impl BufRead,
    path: impl Into<Arc<str>>,
    take: &mut dyn FnMut(Piece) -> bool,
    visit: &mut dyn FnMut(Object<'_, '_>),
) -> Result<usize, InputError> {
    let path: Arc<str> = path.into();
    let mut line = Vec::new();
    let mut number = 0u32;
    let mut documents = 0;
    let empty = |first: u32, documents| Piece {
        path: path.clone(),
        text: String::new(),
        start: (first, 1),
        documents,
        list: None,
    };
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
            // The next will be as long.
            batch.text.reserve(full.text.len());
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
    let unreadable = |e: io::Error| unreadable(&path, number, &e);
    let held = HELD.max(rest.len() as u64);
    let whole = read_on(&mut input, &mut rest, held).map_err(unreadable)?;
    if whole == Extent::More
        && let Ok(text) = std::str::from_utf8(prefix(&rest))
        && let Some((head, items)) = list::head(text)
    {
        let list = Long { path, start: number, documents: documents + 1, head: Arc::new(head) };
        return list.run(io::Cursor::new(rest).chain(input), items, take, visit);
    }
    let whole = read_on(&mut input, &mut rest, SIZE_LIMIT).map_err(unreadable)?;
    if whole == Extent::More {
        return Err(too_large(path));
    }
    let rest = text::decode(rest);
    let locator = Locator::new(path, &rest, number);
    Walk::new(&locator, documents, visit).run()
}

fn too_large(path: Arc<str>) -> InputError {
    let message = format!("larger than {} MiB", SIZE_LIMIT >> 20);
    InputError::new(Place { file: path, line: 0, column: 0 }, message)
        .with_help("give it as JSON lines: one object on each line")
}

/// Whether a text goes on.
#[derive(PartialEq, Eq)]
enum Extent {
    /// To its end, or so far that nobody can read on.
    Whole,
    More,
}

/// Reads until `text` has `limit` bytes. A NUL ends it too: neither YAML nor JSON gets past one, and what has
/// one may have no end. What stands behind it is not kept, so that it does not matter how much was read at once.
fn read_on(input: &mut impl BufRead, text: &mut Vec<u8>, limit: u64) -> io::Result<Extent> {
    let wide = matches!(text.as_slice(), [0xff, 0xfe, ..] | [0xfe, 0xff, ..]);
    let to_nul = |bytes: &[u8]| memchr::memchr(0, bytes).filter(|_| !wide).map(|at| at + 1);
    if let Some(end) = to_nul(text) {
        text.truncate(end);
        return Ok(Extent::Whole);
    }
    loop {
        let bytes = match input.fill_buf() {
            Ok([]) => return Ok(Extent::Whole),
            Ok(_) if text.len() as u64 >= limit => return Ok(Extent::More),
            Ok(bytes) => bytes,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(e),
        };
        // A reader may have more at hand than is asked for.
        let left = usize::try_from(limit.saturating_sub(text.len() as u64)).unwrap_or(usize::MAX);
        let bytes = bytes.get(..left).unwrap_or(bytes);
        let (read, end) = (bytes.len(), to_nul(bytes));
        text.extend_from_slice(bytes.get(..end.unwrap_or(read)).unwrap_or(bytes));
        input.consume(read);
        if end.is_some() {
            return Ok(Extent::Whole);
        }
    }
}

/// The text up to a character that may not be whole yet.
fn prefix(text: &[u8]) -> &[u8] {
    let end = text.len().saturating_sub(3);
    let start = text.get(end..).unwrap_or_default().iter().position(|b| *b >= 0xc0);
    text.get(..start.map_or(text.len(), |at| end + at)).unwrap_or(text)
}

/// A list that is cut into its items.
struct Long {
    path: Arc<str>,
    /// The line on which it starts.
    start: u32,
    /// Its own number.
    documents: usize,
    head: Arc<Head>,
}

impl Long {
    /// Hands the items on; what stands behind the list is read as any other text.
    fn run(
        self,
        mut input: impl BufRead,
        items: usize,
        take: &mut dyn FnMut(Piece) -> bool,
        visit: &mut dyn FnMut(Object<'_, '_>),
    ) -> Result<usize, InputError> {
        let broken = |e: io::Error| unreadable(&self.path, self.start, &e);
        let mut before = vec![0; items];
        input.read_exact(&mut before).map_err(broken)?;
        let (mut at, mut place) = (items, after((self.start, 1), &String::from_utf8_lossy(&before)));
        let mut cutter = Cutter::default();
        loop {
            let mut bytes = Vec::with_capacity(BATCH + (BATCH >> 2));
            let end = cutter.cut(&mut input, &mut bytes, BATCH).map_err(broken)?;
            let length = bytes.len();
            let text = String::from_utf8(bytes).unwrap_or_else(|e| text::lossy(e.as_bytes()));
            if end == End::TooLong {
                let message = format!("an item of this list is longer than {} MiB", LINE_LIMIT >> 20);
                let (line, column) = place;
                return Err(InputError::new(Place { file: self.path, line, column }, message));
            }
            let (start, next) = (place, after(place, &text));
            // An empty list has no items to read.
            if end != End::Items || text.trim() != "]" || at > items {
                let list = Some((self.head.clone(), at));
                let (path, documents) = (self.path.clone(), self.documents);
                if !take(Piece { path, text, start, documents, list }) {
                    return Ok(self.documents);
                }
            }
            (at, place) = (at + length, next);
            match end {
                End::Full => {}
                End::Items => break,
                // Whoever reads the piece finds out why.
                End::Broken | End::TooLong => return Ok(self.documents),
            }
        }
        let mut rest = Vec::new();
        if read_on(&mut input, &mut rest, SIZE_LIMIT).map_err(broken)? == Extent::More {
            return Err(too_large(self.path));
        }
        let rest = text::decode(rest);
        let (line, column) = place;
        let locator = Locator::from(self.path.clone(), &rest, line, column);
        let (kind, end) = list::tail(&rest).map_err(|error| {
            let message = format!("json: offset {}: {}", at + error.at + 1, error.message);
            InputError::new(locator.place(error.at), message).of(Fault::Json)
        })?;
        let kind = kind.or_else(|| self.head.kind.clone());
        if !kind.as_ref().is_some_and(|kind| kind.ends_with("List")) {
            let place = Place { file: self.path, line: self.start, column: 1 };
            let what = kind.map_or_else(|| "an object without kind".to_owned(), |kind| format!("a {kind}"));
            return Err(InputError::new(place, format!("items in {what}, which is no list")));
        }
        let rest = rest.get(end..).unwrap_or_default();
        if rest.trim().is_empty() {
            return Ok(self.documents);
        }
        let place = locator.place(end);
        let locator = Locator::from(self.path, rest, place.line, place.column);
        Walk::new(&locator, self.documents, visit).run()
    }
}

/// Line and column behind `text`, which starts at `place`.
fn after((line, column): (u32, u32), text: &str) -> (u32, u32) {
    let locator = Locator::from("".into(), text, line, column);
    let place = locator.place(text.len());
    (place.line, place.column)
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

    fn pods(count: usize, before: &str, after: &str) -> String {
        let pod =
            |i| format!("{{\"kind\":\"Pod{i}\",\n \"apiVersion\":\"v1\",\"x\":\"{}é\"}}", "x".repeat(3000));
        let items: Vec<String> = (0..count).map(pod).collect();
        format!("{before}{}{after}", items.join(" ,\n\n"))
    }

    #[test]
    fn a_long_list_reads_like_a_short_one() {
        let count = (HELD as usize) / 3000 + 400;
        for (before, after) in [
            ("{\n\"kind\": \"List\",\n \"items\": [ ", "]\n}\n"),
            (
                "{\"apiVersion\":\"v1\", \"items\": [",
                "\n],\"kind\":\"List\",\"metadata\":{}}\n---\nkind: Z\n",
            ),
            ("\n{\"kind\":\"PodList\",\"items\":[", "]} {\"kind\":\"Z\"}"),
        ] {
            let text = pods(count, before, after);
            assert!(text.len() as u64 > HELD);
            let mut whole = Vec::new();
            let locator = Locator::new("f".into(), &text, 1);
            let mut visit = |o: Object<'_, '_>| {
                let place = o.places.of(o.node.at);
                whole.push((o.document, o.kind.to_owned(), place.line));
            };
            Walk::new(&locator, 0, &mut visit).run().unwrap();
            assert!(whole.len() >= count);
            assert_eq!(names(&text), whole);
        }
    }

    #[test]
    fn faults_of_a_long_list_have_their_place() {
        let count = (HELD as usize) / 3000 + 400;
        let head = "{\"kind\":\"List\",\"items\":[\n";
        let fault = |text: &str| stream(text.as_bytes(), "f", &mut |_| {}).unwrap_err().to_string();
        for after in [",]}", "{}]}", "}", "", ",{\"a\":\"\u{1}\"}]}", "]", "],}", "] x}"] {
            let text = pods(count, head, after);
            let line = text.matches('\n').count() as u32 + 1;
            let told = fault(&text);
            // The same words as for a text that is held.
            let error = json::read_value(&text, 0).unwrap_err();
            let want = format!("json: offset {}: {}", error.at + 1, error.message);
            assert!(told.starts_with(&format!("f:{line}:")) && told.ends_with(&want), "{told}\n{want}");
        }
        let text = pods(count, "{\"items\":[", "],\"kind\":\"Pod\"}");
        assert_eq!(fault(&text), "f:1:1: items in a Pod, which is no list");
        let text = pods(count, "{\"items\":[", "]}");
        assert_eq!(fault(&text), "f:1:1: items in an object without kind, which is no list");
    }

    #[test]
    fn what_has_no_end_is_not_read_to_it() {
        let endless = io::BufReader::new(io::repeat(0));
        let error = stream(endless, "f", &mut |_| {}).unwrap_err();
        assert!(error.message.ends_with("control characters are not allowed"), "{}", error.message);
    }

    #[test]
    fn what_stands_behind_a_nul_does_not_matter() {
        let told = |input: &mut dyn BufRead| stream(input, "f", &mut |_| {}).unwrap_err().to_string();
        for text in ["a: 1\n---\n{x: \0}\n----\n", "\0\n----\n"] {
            let whole = told(&mut text.as_bytes());
            assert_eq!(told(&mut io::BufReader::with_capacity(3, text.as_bytes())), whole);
            assert!(whole.ends_with("control characters are not allowed"), "{whole}");
        }
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
