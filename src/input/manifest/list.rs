//! A JSON list too long to hold: its items are cut out of the stream as they come.
//!
//! Decides where one item ends and the next begins, by brackets and strings alone; what is wrong inside an
//! item is found when it is read. A text is such a list if its head says so: `kind` ends in `List`, and what the items
//! are is said before them, or, since kubectl writes `kind` behind the items, by the first item itself.

use std::io::{self, BufRead};

use super::node::{Data, Entry, Node};
use super::{LINE_LIMIT, json};

/// What a list says before its items.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Head {
    /// `apiVersion`, where it was said.
    pub api_version: Option<String>,
    /// `kind`, where it was said.
    pub kind: Option<String>,
}

impl Head {
    /// As the object that the items stand in.
    pub fn node(&self) -> Node<'static> {
        let text = |key: &'static str, value: String| Entry {
            key: key.into(),
            at: 0,
            value: Node { at: 0, data: Data::String(value.into()) },
        };
        let kind = self.kind.clone().unwrap_or_else(|| "List".to_owned());
        let version = self.api_version.clone().map(|version| text("apiVersion", version));
        Node { at: 0, data: Data::Map(version.into_iter().chain([text("kind", kind)]).collect()) }
    }
}

/// Whether the object at `at` needs no list to tell its kind.
fn says_what_it_is(text: &str, at: usize) -> bool {
    json::read_value(text, at)
        .is_ok_and(|(first, _)| first.text("kind").is_some() && first.text("apiVersion").is_some())
}

/// Whether a text that goes on is a list to be cut: its head, and the offset behind the `[` of its items.
pub fn head(text: &str) -> Option<(Head, usize)> {
    let mut members = json::Members::open(text, 0, b'{')?;
    let mut head = Head::default();
    while let Ok(Some((key, _))) = members.next_key() {
        let at = members.position();
        if key == "items" && text.as_bytes().get(at) == Some(&b'[') {
            let items = at + 1;
            let is_list = head.kind.as_ref().is_none_or(|kind| kind.ends_with("List"));
            let is_told = head.kind.is_some() && head.api_version.is_some();
            let list = is_list && (is_told || says_what_it_is(text, items));
            return list.then_some((head, items));
        }
        let value = members.value().ok()?;
        let said = value.str().map(str::to_owned);
        match &*key {
            "apiVersion" => head.api_version = said,
            "kind" => head.kind = said,
            _ => {}
        }
    }
    None
}

/// What is left of a list behind its items: the kind that it names there, and the offset behind the list.
pub fn tail(text: &str) -> Result<(Option<String>, usize), json::JsonError> {
    let mut members = json::Members::resume(text);
    let mut kind = None;
    while let Some((key, at)) = members.next_key()? {
        if key == "items" {
            let message = "items twice in a list that is too long to hold".to_owned();
            return Err(json::JsonError { at, message });
        }
        let value = members.value()?;
        if key == "kind" {
            kind = value.str().map(str::to_owned);
        }
    }
    Ok((kind, members.position()))
}

/// Why the cutting ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The piece has so many bytes; more items follow.
    Full,
    /// Its last byte ends the items.
    Items,
    /// The input is over, or goes on with what cannot be: reading the piece tells.
    Broken,
    /// One item is longer than is read.
    TooLong,
}

/// Where in the structure the next byte stands.
#[derive(Debug, Default)]
pub struct Cutter {
    depth: usize,
    string: bool,
    escaped: bool,
}

impl Cutter {
    /// Moves bytes of `input` to `piece` until it has at least `enough` and an item ends, which its last
    /// byte (`,` or `]`) says.
    pub fn cut(&mut self, input: &mut impl BufRead, piece: &mut Vec<u8>, enough: usize) -> io::Result<End> {
        loop {
            let bytes = match input.fill_buf() {
                Ok([]) => return Ok(End::Broken),
                Ok(bytes) => bytes,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(e),
            };
            let held = piece.len();
            let found = self.find_end(bytes, |at| held + at + 1 >= enough);
            let taken = found.map_or(bytes.len(), |(at, _)| at + 1);
            piece.extend_from_slice(bytes.get(..taken).unwrap_or_default());
            input.consume(taken);
            if let Some((_, end)) = found {
                return Ok(end);
            }
            if piece.len() > enough + LINE_LIMIT {
                return Ok(End::TooLong);
            }
        }
    }

    /// Where the first item ends that is far enough, or all of them.
    fn find_end(&mut self, bytes: &[u8], is_far: impl Fn(usize) -> bool) -> Option<(usize, End)> {
        let mut at = 0;
        loop {
            let rest = bytes.get(at..)?;
            if self.string && !self.escaped {
                // Most bytes are inside strings.
                at += json::to_quote(rest);
            }
            let end = self.step(*bytes.get(at)?);
            if let Some(end) = end.filter(|end| *end != End::Full || is_far(at)) {
                return Some((at, end));
            }
            at += 1;
        }
    }

    fn step(&mut self, byte: u8) -> Option<End> {
        if self.string {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.string = false,
                _ => {}
            }
            return None;
        }
        match byte {
            b'"' => self.string = true,
            b'{' | b'[' => self.depth += 1,
            b']' if self.depth == 0 => return Some(End::Items),
            b'}' if self.depth == 0 => return Some(End::Broken),
            b'}' | b']' => self.depth -= 1,
            b',' if self.depth == 0 => return Some(End::Full),
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &str, enough: usize) -> (Vec<String>, End) {
        let (mut cutter, mut input, mut all) = (Cutter::default(), text.as_bytes(), Vec::new());
        loop {
            let mut piece = Vec::new();
            let end = cutter.cut(&mut input, &mut piece, enough).unwrap();
            all.push(String::from_utf8(piece).unwrap());
            if end != End::Full {
                return (all, end);
            }
        }
    }

    #[test]
    fn items_are_cut_where_they_end() {
        let text = "{\"a\":\"],\\\"\"}, [1,2] ,3] , \"kind\": 4}";
        assert_eq!(pieces(text, 1).0, ["{\"a\":\"],\\\"\"},", " [1,2] ,", "3]"]);
        assert_eq!(pieces(text, 14).0, ["{\"a\":\"],\\\"\"}, [1,2] ,", "3]"]);
        assert_eq!(pieces("]", 1), (vec!["]".to_owned()], End::Items));
        assert_eq!(pieces("{\"a\"", 1), (vec!["{\"a\"".to_owned()], End::Broken));
        assert_eq!(pieces("1}", 1), (vec!["1}".to_owned()], End::Broken));
    }

    #[test]
    fn a_head_says_whether_it_is_a_list() {
        let kind = |text| head(text).map(|(head, at)| (head.kind, at));
        let pods = "{\"apiVersion\": \"v1\", \"kind\": \"PodList\", \"items\": [{";
        assert_eq!(kind(pods), Some((Some("PodList".to_owned()), 50)));
        assert_eq!(kind("{\"kind\": \"PodList\", \"items\": [{"), None);
        assert_eq!(kind("{\"items\": [{\"kind\": \"Pod\", \"apiVersion\": \"v1\"}, {"), Some((None, 11)));
        assert_eq!(kind("{\"items\": [{\"kind\": \"Pod\"}, {"), None);
        assert_eq!(kind("{\"kind\": \"Pod\", \"items\": [{"), None);
        assert_eq!(kind("{\"kind\": \"List\", \"items\": {}"), None);
        assert_eq!(tail(", \"kind\": \"List\"} x"), Ok((Some("List".to_owned()), 17)));
        assert!(tail(", \"items\": []}").is_err());
        assert!(tail(" \"kind\": 1}").is_err());
    }
}
