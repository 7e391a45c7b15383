//! Any text as a long input that comes in pieces, as kubectl prints it: how it is cut changes nothing. A JSON list is
//! also read with so many blanks behind it that it is cut into its items.

use std::io::{BufReader, Cursor, Read};

use katascope::input::manifest::{self, Object};

/// What the fuzzer makes up.
pub type Input<'a> = &'a str;

/// A reader that gives few bytes at once, as a pipe may.
struct Few<'a>(Cursor<&'a [u8]>);

impl Read for Few<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = buffer.len().min(3);
        self.0.read(&mut buffer[..length])
    }
}

fn told(text: &str, few: bool) -> (Vec<String>, Result<usize, String>) {
    let mut objects = Vec::new();
    let mut visit = |object: Object<'_, '_>| {
        let Object { document, api_version, kind, list, json, places, .. } = object;
        let place = places.of(object.node.at);
        let keys: Vec<_> = object.node.entries().iter().map(|entry| &entry.key).collect();
        let place = (place.line, place.column);
        // The name of a list that stands behind its items is not known before.
        let list = list.is_some();
        objects.push(format!("{document} {place:?} {api_version} {kind} {list} {json} {keys:?}"));
    };
    let answer = if few {
        manifest::stream(
            BufReader::with_capacity(5, Few(Cursor::new(text.as_bytes()))),
            "fuzz.json",
            &mut visit,
        )
    } else {
        manifest::stream(text.as_bytes(), "fuzz.json", &mut visit)
    };
    (objects, answer.map_err(|error| error.to_string()))
}

/// Panics where something does not hold.
pub fn run(text: Input<'_>) {
    assert_eq!(told(text, true), told(text, false));
    let value = if text.contains("items") { serde_json::from_str(text).ok() } else { None };
    let Some(serde_json::Value::Object(mut list)) = value else { return };
    if !list.get("items").is_some_and(serde_json::Value::is_array) {
        return;
    }
    let is_list =
        list.get("kind").and_then(serde_json::Value::as_str).is_some_and(|kind| kind.ends_with("List"));
    // As kubectl writes it, or with its kind before the items, and never as one of JSON's lines.
    let kind = if text.len().is_multiple_of(2) { list.remove("kind") } else { None };
    let kind = kind.map(|kind| format!("\"kind\":{kind},")).unwrap_or_default();
    let version =
        list.remove("apiVersion").map(|version| format!("\"apiVersion\":{version},")).unwrap_or_default();
    let list = serde_json::Value::Object(list).to_string();
    let short = list.replacen('{', &format!("{{\n{kind}{version}"), 1);
    let long = format!("{short}{}", " ".repeat(2 << 20));
    let (whole, cut) = (told(&short, false), told(&long, false));
    let no_list = cut.1.as_ref().is_err_and(|error| error.contains("which is no list"));
    assert!(whole == cut || (no_list && !is_list), "{short:?}: {whole:?}, cut {cut:?}");
}
