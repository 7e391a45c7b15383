//! Any text as a long input that comes in pieces, as kubectl prints it: how it is cut changes nothing.

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
        let Object { document, api_version, kind, list, json, .. } = object;
        let names = object.node.entries().iter().map(|entry| &entry.key);
        objects
            .push(format!("{document} {api_version} {kind} {list:?} {json} {:?}", names.collect::<Vec<_>>()));
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
}
