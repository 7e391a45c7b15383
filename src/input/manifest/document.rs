//! From a text to its objects: documents, lists, JSON streams.
//!
//! Decides where one document ends and the next begins, and whether it is JSON or YAML, as kubectl does
//! (k8s.io/apimachinery, util/yaml at 0.36): a line that begins with `---` separates, whatever it stands
//! in; a text that begins with `{` is a stream of JSON values, and YAML where it turns out not to be.

use super::node::{Data, Node};
use super::{DOCUMENT_LIMIT, Fault, InputError, json, place::Locator, yaml};

/// One object of the input, out of its list where it was in one.
#[derive(Debug)]
pub struct Object<'o, 'a> {
    /// The object.
    pub node: &'o Node<'a>,
    /// Number of the document, from 1.
    pub document: usize,
    /// `apiVersion`, or what the list's gives it.
    pub api_version: &'o str,
    /// `kind`, or what the list's gives it.
    pub kind: &'o str,
    /// The kind of the list that it stands in.
    pub list: Option<&'o str>,
    /// Written as JSON: repeated keys are all there.
    pub json: bool,
    /// Keys of this document that were written twice.
    pub repeats: &'o [yaml::Repeat],
    /// Answers where an offset of the document is.
    pub places: Places<'o>,
}

/// Places in one document.
#[derive(Debug, Clone, Copy)]
pub struct Places<'o> {
    locator: &'o Locator<'o>,
    base: usize,
}

impl Places<'_> {
    /// The place of a node or key of this document.
    pub fn of(&self, at: usize) -> crate::input::Place {
        self.locator.place(self.base + at)
    }

    /// The scalar at `at` as it is written: to the end of the line, or to what ends it in a flow.
    pub fn token(&self, at: usize) -> &str {
        let line = self.locator.text().get(self.base + at..).unwrap_or_default();
        let line = line.lines().next().unwrap_or_default();
        let line = line.split(" #").next().unwrap_or(line);
        line.split([',', '}', ']']).next().unwrap_or(line).trim()
    }

    /// The file.
    pub fn file(&self) -> &std::sync::Arc<str> {
        self.locator.file()
    }
}

/// Goes through the objects of a text.
pub struct Walk<'w> {
    locator: &'w Locator<'w>,
    documents: usize,
    visit: &'w mut dyn FnMut(Object<'_, '_>),
}

impl<'w> Walk<'w> {
    /// Starts a walk; `documents` came before it in the same input.
    pub fn new(locator: &'w Locator<'w>, documents: usize, visit: &'w mut dyn FnMut(Object<'_, '_>)) -> Self {
        Self { locator, documents, visit }
    }

    /// Goes to the end; gives the number of documents so far.
    pub fn run(mut self) -> Result<usize, InputError> {
        let text = self.locator.text();
        if text.trim_start().starts_with('{') {
            self.json()?
        } else {
            self.yaml(0)?
        }
        Ok(self.documents)
    }

    /// Goes through items that were cut out of a list, which is the document counted last. The text starts
    /// `base` bytes behind the document's start.
    pub fn items(mut self, head: &Node<'_>, base: usize) -> Result<usize, InputError> {
        let text = self.locator.text();
        let mut at = 0;
        while at < text.len() {
            let (item, more, next) = json::read_item(text, at).map_err(|error| {
                let message = format!("json: offset {}: {}", base + error.at + 1, error.message);
                self.error(error.at, message).of(Fault::Json)
            })?;
            let places = Places { locator: self.locator, base: 0 };
            self.item(&item, head, self.documents, true, &[], places);
            if !more {
                break;
            }
            at = next;
        }
        Ok(self.documents)
    }

    fn next_document(&mut self, at: usize) -> Result<usize, InputError> {
        self.documents += 1;
        if self.documents > DOCUMENT_LIMIT {
            return Err(self.error(at, format!("more than {DOCUMENT_LIMIT} documents in one input")));
        }
        Ok(self.documents)
    }

    fn error(&self, at: usize, message: String) -> InputError {
        InputError::new(self.locator.place(at), message)
    }

    fn json(&mut self) -> Result<(), InputError> {
        let text = self.locator.text();
        let mut at = 0;
        loop {
            let start = json::skip_blanks(text, at);
            if start == text.len() {
                return Ok(());
            }
            match self.json_value(start) {
                Ok(end) => at = end,
                Err(Stop::Input(error)) => return Err(error),
                Err(Stop::Json(error)) => {
                    // Not JSON after all: what is left may be YAML that looked like it.
                    let walked = self.documents;
                    return self.yaml(start).map_err(|yaml| {
                        if self.documents > walked + 1 {
                            return yaml;
                        }
                        let message = format!("json: offset {}: {}", error.at - start + 1, error.message);
                        self.error(error.at, message).of(Fault::Json)
                    });
                }
            }
        }
    }

    /// Reads the JSON value at `start`; the items of a list are let go one by one.
    fn json_value(&mut self, start: usize) -> Result<usize, Stop> {
        let text = self.locator.text();
        let Some(mut members) = json::Members::open(text, start, b'{') else {
            let (node, end) = json::read_value(text, start)?;
            self.document(&node, 0, true, &[])?;
            return Ok(end);
        };
        let mut head = Vec::new();
        let mut items = None;
        while let Some((key, at)) = members.next_key()? {
            if key == "items" && text.as_bytes().get(members.position()) == Some(&b'[') {
                items = Some(members.position());
                members.skip()?;
            } else {
                let value = members.value()?;
                head.push(super::node::Entry { key, at, value });
            }
        }
        let end = members.position();
        let head = Node { at: start, data: Data::Map(head) };
        match (items, head.text("kind")) {
            (Some(items), Some(kind)) if kind.ends_with("List") => {
                // All of it is read before any item is let go: a list that is no JSON may still be YAML.
                let mut elements = json::Members::open(text, items, b'[').ok_or(Stop::nowhere(items))?;
                while elements.next_element()?.is_some() {
                    elements.value()?;
                }
                let document = self.next_document(start)?;
                let mut elements = json::Members::open(text, items, b'[').ok_or(Stop::nowhere(items))?;
                while elements.next_element()?.is_some() {
                    let item = elements.value()?;
                    let places = Places { locator: self.locator, base: 0 };
                    self.item(&item, &head, document, true, &[], places);
                }
                Ok(end)
            }
            (Some(_), _) => {
                let (node, end) = json::read_value(text, start)?;
                self.document(&node, 0, true, &[])?;
                Ok(end)
            }
            (None, _) => {
                self.document(&head, 0, true, &[])?;
                Ok(end)
            }
        }
    }

    /// One whole document whose offsets count from `base`.
    fn document(
        &mut self,
        node: &Node<'_>,
        base: usize,
        json: bool,
        repeats: &[yaml::Repeat],
    ) -> Result<(), InputError> {
        if node.data == Data::Null {
            return Ok(());
        }
        let document = self.next_document(base + node.at)?;
        let places = Places { locator: self.locator, base };
        let kind = node.text("kind").unwrap_or_default();
        let items = node.get("items").filter(|_| kind.ends_with("List"));
        let template = kind == "Template"
            && node.text("apiVersion").is_some_and(|v| v.starts_with("template.openshift.io/"));
        let items = if template { node.get("objects") } else { items };
        match items.map(|i| &i.data) {
            Some(Data::List(items)) => {
                for item in items {
                    self.item(item, node, document, json, repeats, places);
                }
            }
            _ => (self.visit)(Object {
                node,
                document,
                api_version: node.text("apiVersion").unwrap_or_default(),
                kind,
                list: None,
                json,
                repeats,
                places,
            }),
        }
        Ok(())
    }

    fn item(
        &mut self,
        item: &Node<'_>,
        list: &Node<'_>,
        document: usize,
        json: bool,
        repeats: &[yaml::Repeat],
        places: Places<'_>,
    ) {
        let list_kind = list.text("kind").unwrap_or_default();
        let typed = list_kind.strip_suffix("List").filter(|k| !k.is_empty());
        let version = typed.and_then(|_| list.text("apiVersion"));
        (self.visit)(Object {
            node: item,
            document,
            api_version: item.text("apiVersion").or(version).unwrap_or_default(),
            kind: item.text("kind").or(typed).unwrap_or_default(),
            list: Some(list_kind),
            json,
            repeats,
            places,
        });
    }

    fn yaml(&mut self, from: usize) -> Result<(), InputError> {
        let text = self.locator.text();
        let mut at = from;
        while let Some(chunk) = next_chunk(text, at).map_err(|(at, message)| self.error(at, message))? {
            at = chunk.next;
            let body = chunk.body.strip_prefix('\u{feff}');
            let base = chunk.start + if body.is_some() { '\u{feff}'.len_utf8() } else { 0 };
            let body = body.unwrap_or(chunk.body);
            match yaml::open(body) {
                Ok(Some(yaml::Document::Other(reading))) => {
                    self.document(&reading.root, base, false, &reading.repeats)?;
                }
                Ok(Some(yaml::Document::List(list))) => {
                    let document = self.next_document(base + list.head.at)?;
                    let places = Places { locator: self.locator, base };
                    for item in list.items() {
                        self.item(&item, &list.head, document, false, &list.repeats, places);
                    }
                }
                Ok(None) => {}
                Err(error) => {
                    // A fault found late is counted, so that a JSON fault is not blamed for it.
                    self.documents += 1;
                    let message = format!("error converting YAML to JSON: {}", error.message);
                    return Err(self.error(base + error.at.unwrap_or(0), message));
                }
            }
        }
        Ok(())
    }
}

/// Why JSON could not be read on.
enum Stop {
    Json(json::JsonError),
    Input(InputError),
}

impl Stop {
    fn nowhere(at: usize) -> Self {
        Self::Json(json::JsonError { at, message: "unexpected end of JSON input".to_owned() })
    }
}

impl From<json::JsonError> for Stop {
    fn from(error: json::JsonError) -> Self {
        Self::Json(error)
    }
}

impl From<InputError> for Stop {
    fn from(error: InputError) -> Self {
        Self::Input(error)
    }
}

/// The text between two separators.
struct Chunk<'a> {
    start: usize,
    body: &'a str,
    next: usize,
}

/// The next document that is not empty, at or after `from`, which is the start of a line.
fn next_chunk(text: &str, from: usize) -> Result<Option<Chunk<'_>>, (usize, String)> {
    let mut start = from;
    let mut at = from;
    loop {
        let rest = text.get(at..).unwrap_or_default();
        if rest.is_empty() {
            let body = text.get(start..at).unwrap_or_default();
            return Ok((!body.is_empty()).then_some(Chunk { start, body, next: at }));
        }
        let length = memchr::memchr(b'\n', rest.as_bytes()).map_or(rest.len(), |end| end + 1);
        let line = rest.get(..length).unwrap_or_default();
        if let Some(after) = line.strip_prefix("---") {
            let after = after.trim();
            if !after.is_empty() && !after.starts_with('#') {
                return Err((at, format!("invalid Yaml document separator: {after}")));
            }
            let body = text.get(start..at).unwrap_or_default();
            if !body.is_empty() {
                return Ok(Some(Chunk { start, body, next: at + length }));
            }
            start = at + length;
        }
        at += length;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Result<Vec<(usize, String, u32)>, InputError> {
        let locator = Locator::new("f".into(), text, 1);
        let mut found = Vec::new();
        let mut visit =
            |o: Object<'_, '_>| found.push((o.document, o.kind.to_owned(), o.places.of(o.node.at).line));
        Walk::new(&locator, 0, &mut visit).run().map(|_| found)
    }

    fn seen(text: &str) -> Vec<(usize, String, u32)> {
        kinds(text).unwrap()
    }

    #[test]
    fn separators_split_and_empty_documents_do_not_count() {
        let want = |v: &[(usize, &str, u32)]| {
            v.iter().map(|(d, k, l)| (*d, (*k).to_owned(), *l)).collect::<Vec<_>>()
        };
        assert_eq!(
            seen("---\n# c\n---\nkind: A\n--- # x\nkind: B\n...\njunk: [\n---\n"),
            want(&[(1, "A", 4), (2, "B", 6)])
        );
        assert_eq!(seen("\u{feff}kind: A\r\n---\r\n\u{feff}kind: B\r\n"), want(&[(1, "A", 1), (2, "B", 3)]));
        assert_eq!(seen("{\"kind\":\"A\"}\n{\"kind\":\"B\"}"), want(&[(1, "A", 1), (2, "B", 2)]));
        assert_eq!(seen("{\"kind\":\"A\",}"), want(&[(1, "A", 1)]));
        assert_eq!(seen("{\"kind\":\"A\"}\n---\n{\"kind\":\"B\"}"), want(&[(1, "A", 1), (2, "B", 3)]));
        assert_eq!(
            seen("{\"items\":[{\"x\":1},{\"kind\":\"C\"}],\"kind\":\"PodList\"}"),
            want(&[(1, "Pod", 1), (1, "C", 1)])
        );
        assert_eq!(seen("kind: List\nitems:\n- kind: A\n- kind: B\n"), want(&[(1, "A", 3), (1, "B", 4)]));
    }

    #[test]
    fn faults_have_places() {
        let fault = |text| kinds(text).unwrap_err().to_string();
        assert_eq!(fault("a: 1\n--- {b: 1}\n"), "f:2:1: invalid Yaml document separator: {b: 1}");
        assert_eq!(
            fault("a: 1\n---\nx: [\n"),
            "f:4:1: error converting YAML to JSON: yaml: line 1: did not find expected node content"
        );
        assert_eq!(
            fault("{\"a\": \"4\" /* c */}"),
            "f:1:11: json: offset 11: invalid character '/' after object key:value pair"
        );
    }
}
