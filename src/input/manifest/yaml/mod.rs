//! One YAML document, as the Kubernetes clients turn it into JSON.
//!
//! Decides what a text with one document comes to, and whether its items can be made one at a time. What keys
//! and merges become: `decoder`; what a scalar is: `scalar`; the syntax: `tree` and `dialect`, and `plain` for most
//! of what is written. Facts: sigs.k8s.io/yaml 1.6; messages are its own.

mod decoder;
mod dialect;
mod plain;
mod scalar;
mod tree;

use std::borrow::Cow;
use std::collections::HashMap;

use super::node::{Data, Node};
use crate::input::quiet;
use decoder::Decoder;
use tree::{Kind, Tree};

/// Why a text is not YAML, or not YAML that can become JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct YamlError {
    /// Byte offset, where there is one.
    pub at: Option<usize>,
    /// The client's words.
    pub message: String,
}

impl YamlError {
    fn new(at: usize, message: impl Into<String>) -> Self {
        Self { at: Some(at), message: message.into() }
    }
}

/// A key that was written twice in one mapping; the later one counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repeat {
    /// The key.
    pub key: String,
    /// Where the one that counts stands.
    pub at: usize,
}

/// What one document came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading<'t> {
    /// The value.
    pub root: Node<'t>,
    /// Keys written twice.
    pub repeats: Vec<Repeat>,
}

/// A document that is a list, whose items are made one at a time: all at once they take a multiple of the
/// text's room.
pub struct List<'t> {
    /// What the list says beside its items.
    pub head: Node<'t>,
    /// Keys written twice, in the items too.
    pub repeats: Vec<Repeat>,
    tree: Tree<'t>,
    items: usize,
}

impl<'t> List<'t> {
    /// The items, which are known to be readable.
    pub fn items(&self) -> impl Iterator<Item = Node<'t>> {
        let read = |item| Decoder::of_proven(&self.tree).node(item).ok();
        self.tree.children(self.items).filter_map(read)
    }
}

/// The first document of a text.
pub enum Document<'t> {
    /// A list.
    List(List<'t>),
    /// Anything else.
    Other(Reading<'t>),
}

/// Reads the first document of `text`; `None` where there is none (blanks and comments only).
/// Whatever follows a `...` line is passed over, as the clients do.
pub fn read(text: &str) -> Result<Option<Reading<'_>>, YamlError> {
    let tree = build(text)?;
    tree.root.map(|root| whole(&tree, root)).transpose()
}

/// The same, for a document that may be a long list.
pub fn open(text: &str) -> Result<Option<Document<'_>>, YamlError> {
    let tree = build(text)?;
    let Some(root) = tree.root else { return Ok(None) };
    let Some(items) = items(&tree, root) else { return whole(&tree, root).map(Document::Other).map(Some) };
    let mut decoder = Decoder::letting_go(&tree, items);
    let head = decoder.node(root)?;
    if !decoder.beyond_json.is_empty() {
        // Which of them counts shows in the whole value alone.
        return whole(&tree, root).map(Document::Other).map(Some);
    }
    if let Some(error) = decoder.bad_key {
        return Err(error);
    }
    let repeats = decoder.repeats;
    Ok(Some(Document::List(List { head, repeats, tree, items })))
}

fn build(text: &str) -> Result<Tree<'_>, YamlError> {
    if let Some(tree) = quiet::attempt(|| plain::tree(text)).flatten() {
        return Ok(tree);
    }
    // The clients read line by line and so end every document with a line break.
    let whole = if text.ends_with('\n') { Cow::Borrowed(text) } else { Cow::Owned(format!("{text}\n")) };
    // The scanner underneath panics on a tag that a comma follows in a flow collection, and has a few
    // more asserts that crooked tags can reach; go-yaml has one message for all of them.
    quiet::attempt(|| Tree::build(text, &whole, 0)).unwrap_or_else(|| {
        let message = "yaml: did not find expected whitespace or line break";
        Err(YamlError { at: None, message: message.to_owned() })
    })
}

fn whole<'t>(tree: &Tree<'t>, root: usize) -> Result<Reading<'t>, YamlError> {
    let mut decoder = Decoder::new(tree);
    let root = decoder.node(root)?;
    // Only a whole value is turned into JSON: its keys first, and what became of it is written last.
    match decoder.bad_key.or_else(|| beyond_json(&root, &decoder.beyond_json)) {
        Some(error) => Err(error),
        None => Ok(Reading { root, repeats: decoder.repeats }),
    }
}

/// The node with the items, where a document says plainly that it is a list of them.
fn items(tree: &Tree<'_>, root: usize) -> Option<usize> {
    let (mut is_list, mut items) = (false, None);
    let mut children = tree.children(root);
    while let (Some(key), Some(value)) = (children.next(), children.next()) {
        let Kind::Scalar { value: name, .. } = &tree.node(key)?.kind else { return None };
        let written = &tree.node(value)?.kind;
        match (name.as_ref(), written) {
            _ if tree.tag(key).is_some() || name == "<<" => return None,
            ("items", Kind::List { .. }) if items.is_none() => items = Some(value),
            ("items", _) => return None,
            ("kind", Kind::Scalar { value: kind, .. }) => {
                is_list = kind.ends_with("List") && tree.tag(value).is_none();
            }
            ("kind", _) => is_list = false,
            _ => {}
        }
    }
    items.filter(|_| is_list && matches!(tree.node(root).map(|r| &r.kind), Some(Kind::Map { .. })))
}

/// The first number of a finished value that JSON has no word for; one that a repeated key replaced is gone.
fn beyond_json(node: &Node<'_>, numbers: &HashMap<usize, String>) -> Option<YamlError> {
    if numbers.is_empty() {
        return None;
    }
    match &node.data {
        Data::Null => numbers.get(&node.at).map(|message| YamlError::new(node.at, message.as_str())),
        Data::List(items) => items.iter().find_map(|item| beyond_json(item, numbers)),
        Data::Map(entries) => entries.iter().find_map(|entry| beyond_json(&entry.value, numbers)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_become_text() {
        let reading = read("yes: 1\n010: 2\n1.5: 3\n1e30: 4\n!!str no: 5\n-1e40: 6\n").unwrap().unwrap();
        let keys: Vec<_> = reading.root.entries().iter().map(|e| e.key.as_ref()).collect();
        assert_eq!(keys, ["true", "8", "1.5", "1e+30", "no", "-.inf"]);
    }

    #[test]
    fn tags_decide_before_looks() {
        let owned = |data: &Data<'_>| match data {
            Data::String(text) => Data::String(text.clone().into_owned().into()),
            Data::Number(text) => Data::Number(text.clone().into_owned().into()),
            _ => Data::Null,
        };
        let value = |text: &str| {
            read(&format!("k: {text}\n")).map(|r| r.unwrap().root.get("k").map(|n| owned(&n.data)))
        };
        let text = |t: &'static str| Ok(Some(Data::String(t.into())));
        assert_eq!(value("!!str 8"), text("8"));
        assert_eq!(value("!custom 8"), text("8"));
        assert_eq!(value("!!binary aGk="), text("hi"));
        assert_eq!(value("!!int \"8\""), Ok(Some(Data::Number("8".into()))));
        assert_eq!(value("! 8"), text("8"));
        assert_eq!(value("!!int x").unwrap_err().message, "yaml: cannot decode !!str `x` as a !!int");
        assert_eq!(value("!!float 8"), Ok(Some(Data::Number("8".into()))));
    }

    #[test]
    fn merges_replace_what_stands_before_them() {
        let reading = read("b: &b {x: 1, z: 2}\na:\n  x: 0\n  <<: *b\n  z: 3\n").unwrap().unwrap();
        let a = reading.root.get("a").unwrap();
        assert_eq!((a.get("x").unwrap().integer(), a.get("z").unwrap().integer()), (Some(1), Some(3)));
    }

    #[test]
    fn faults_carry_the_client_s_line() {
        let message = |text: &str| read(text).unwrap_err().message;
        assert_eq!(message("a:\n  x: \"1\"\n   y: 2\n"), "yaml: line 2: did not find expected key");
        assert_eq!(message("a: *b\n"), "yaml: unknown anchor 'b' referenced");
        assert_eq!(message("a: &a [*a]\n"), "yaml: anchor 'a' value contains itself");
        assert_eq!(message("%YAML 1.2\n"), "yaml: found incompatible YAML document");
        assert_eq!(message("#\n\n%YAML 1.2\n---\na: 1\n"), "yaml: line 2: found incompatible YAML document");
        // A character that cannot be is found half a kilobyte ahead of the syntax, and no further.
        let ahead = |blanks| message(&format!("a: @x\n#{}\u{1}\n", " ".repeat(blanks)));
        assert_eq!(ahead(400), "yaml: control characters are not allowed");
        assert_eq!(ahead(600), "yaml: found character that cannot start any token");
        assert_eq!(message("~: v\n"), "unsupported map key of type: %!s(<nil>), key: <nil>, value: \"v\"");
        assert!(read("# nothing\n").unwrap().is_none());
        assert_eq!(message("a: 1\nb: \"x\n  \\/\"\n"), "yaml: line 3: found unknown escape character");
        assert!(read("b: \"x\\\\/\"\n").is_ok());
        // The first fault of a scalar is told, on the first line without its number.
        assert_eq!(message("{\"\\/\\ud800\"}"), "yaml: found unknown escape character");
        assert_eq!(message("? ~\n"), "unsupported map key of type: %!s(<nil>), key: <nil>, value: <nil>");
    }

    #[test]
    fn between_brackets_go_yaml_has_rules_of_its_own() {
        let keys = |text: &str| {
            let root = read(text).unwrap().unwrap().root;
            root.entries().iter().map(|e| (e.key.to_string(), e.value.data == Data::Null)).collect::<Vec<_>>()
        };
        assert_eq!(keys("{m:}"), [("m:".to_owned(), true)]);
        assert_eq!(keys("{é: [a:,b:]}\n"), [("é".to_owned(), false)]);
        let message = |text: &str| read(text).unwrap_err().message;
        assert_eq!(message("{u: http://a/b?c=d}"), "yaml: did not find expected ',' or '}'");
        assert_eq!(message("a:\n  u: [x,\n   a:?]\n"), "yaml: line 2: did not find expected ',' or ']'");
        assert_eq!(message("[a: b?c]"), "yaml: did not find expected ',' or ']'");
        assert_eq!(message(&"{m:}".repeat(99)), "yaml: found unexpected ':'");
        assert!(read("u: http://a/b?c=d\n").is_ok());
        let joined = read("[a:,b\n c:]\n").unwrap().unwrap().root;
        assert!(format!("{joined:?}").contains("\"b c:\""), "{joined:?}");
        assert_eq!(message("[\nb~\n c:]\n"), "yaml: line 2: found unexpected ':'");
        // A mark inside is a character of the key; a value has it back.
        assert_eq!(keys("# x\n\u{feff}a: b\nc: d\n").len(), 2);
        let folded = read("a: \"x\n\u{feff}y\"\n").unwrap().unwrap().root;
        assert_eq!(folded.text("a"), Some("x \u{feff}y"));
    }

    #[test]
    fn faults_come_in_the_order_of_the_steps() {
        let message = |text| read(text).unwrap_err().message;
        assert_eq!(message("~: .nan\nb: !!int x\n"), "yaml: cannot decode !!str `x` as a !!int");
        let key = "unsupported map key of type: %!s(<nil>), key: <nil>, value: \"x\"";
        assert_eq!(message("a: .nan\n? ~\n: x\n"), key);
        assert_eq!(message("a: &n .nan\n"), "json: unsupported value: NaN");
        assert!(read("a: .nan\na: x\n").is_ok());
    }

    /// What a document comes to, its list's items one at a time and all at once.
    fn both(text: &str) -> (Result<Vec<String>, YamlError>, Result<Vec<String>, YamlError>) {
        let told = |node: &Node<'_>| format!("{node:?}");
        let one_by_one = open(text).map(|document| match document {
            Some(Document::List(list)) => {
                let mut told: Vec<String> = list.items().map(|item| told(&item)).collect();
                told.push(format!("{:?}", list.repeats));
                told
            }
            _ => vec!["no list".to_owned()],
        });
        let at_once = read(text).map(|reading| {
            let Some(reading) = reading else { return Vec::new() };
            let items = match reading.root.get("items").map(|items| &items.data) {
                Some(Data::List(items)) => items.as_slice(),
                _ => &[],
            };
            let mut told: Vec<String> = items.iter().map(told).collect();
            told.push(format!("{:?}", reading.repeats));
            told
        });
        (one_by_one, at_once)
    }

    #[test]
    fn a_list_reads_alike_one_by_one_and_at_once() {
        let many: String = (0..40).map(|n| format!("    k{n}: {n}\n    'q {n}': \"a\\tb\"\n")).collect();
        let mixed = format!(
            "- a: &x {{b: [1, ~]}}\n  a: 2\n- <<: *x\n  t: |\n    two\n    lines\n- m:\n{many}    k1: again\n"
        );
        for (items, after) in
            [(mixed.as_str(), ""), ("[]\n", ""), ("- a\n- *k\n", "z: 1\n"), ("- a\n", "a: &a [*a]\n")]
        {
            let text = format!("apiVersion: v1\nother: &k v\nitems:\n{items}kind: PodList\n{after}");
            let (one_by_one, at_once) = both(&text);
            assert_ne!(one_by_one, Ok(vec!["no list".to_owned()]), "{text}");
            assert_eq!(one_by_one, at_once, "{text}");
        }
        for faulty in ["- .nan\n", "- ? ~\n  : 1\n", "- !!int x\n", "- {b: *none}\n", "- .nan\n- !!int x\n"] {
            let (one_by_one, at_once) = both(&format!("items:\n{faulty}kind: List\nz: .inf\n"));
            assert!(at_once.is_err(), "{faulty}");
            assert_eq!(one_by_one, at_once, "{faulty}");
        }
        for other in [
            "kind: Pod\nitems: []\n",
            "kind: List\n<<: {}\nitems: []\n",
            "kind: !!binary TGlzdA==\nitems: []\n",
        ] {
            assert_eq!(both(other).0, Ok(vec!["no list".to_owned()]), "{other}");
        }
    }
}
