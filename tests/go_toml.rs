//! Holds the Go runtime's TOML reader against what BurntSushi/toml 1.2.0 to 1.6.0 made of the same texts: the tree,
//! the message, and the message of fitting it into the runtime's own tables.

// A vector that cannot be read fails the test, in the functions beside it, too.

use std::sync::Arc;

use katascope::golang::toml;
use katascope::input::Host;
use katascope::input::config::Layers;
use katascope::input::host::{HostFacts, MemoryFiles};
use katascope::runtime::LoadOptions;
use katascope::runtime::go;
use serde_json::{Map, Value as Json, json};

/// Integers and floats with their kind, so that nothing passes for the other; keys sorted.
fn tree(value: &toml::Value) -> Json {
    match value {
        toml::Value::String(text) => json!(text),
        toml::Value::Integer(number) => json!(format!("i{number}")),
        toml::Value::Float(number) if number.is_nan() => json!("fnan"),
        toml::Value::Float(number) => json!(format!("f{:016x}", number.to_bits())),
        toml::Value::Boolean(flag) => json!(flag),
        toml::Value::Datetime => json!("DATE"),
        toml::Value::Array(items) => items.iter().map(tree).collect(),
        toml::Value::Table(table) => table_tree(table),
        toml::Value::Tables(tables) => tables.iter().map(table_tree).collect(),
    }
}

fn table_tree(table: &toml::Table) -> Json {
    let mut entries: Vec<_> = table.iter().map(|(key, value)| (key.clone(), tree(value))).collect();
    entries.sort_by(|a, b| a.0.cmp(&b.0));
    Json::Object(entries.into_iter().collect::<Map<_, _>>())
}

fn bytes(case: &Json) -> Vec<u8> {
    match (case["text"].as_str(), case["hex"].as_str()) {
        (Some(text), _) => text.as_bytes().to_vec(),
        (_, Some(hex)) => {
            (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
        }
        _ => panic!("neither text nor hex: {case}"),
    }
}

#[test]
fn every_recorded_text_is_read_as_go_reads_it() {
    let host = Host::new(HostFacts::default(), Arc::new(MemoryFiles::new()));
    let (mut failed, mut fitted) = (0, 0);
    for line in include_str!("vectors/go-toml.jsonl").lines() {
        let case: Json = serde_json::from_str(line).unwrap();
        let bytes = bytes(&case);
        let read = toml::parse(&bytes, toml::Dialect::V1_6);
        if let Some(error) = case["error"].as_str() {
            failed += 1;
            assert_eq!(read.map(|_| ()).map_err(|e| e.message), Err(error.to_owned()), "{line}");
            continue;
        }
        let document = read.unwrap_or_else(|e| panic!("{e}: {line}"));
        assert_eq!(table_tree(&document.root), case["tree"], "{line}");
        let layers = Layers::of_text("/x.toml", std::str::from_utf8(&bytes).unwrap());
        let loaded =
            go::load(katascope::release::Release::default(), &layers, &host, &LoadOptions::default());
        let message = loaded.err().map(|e| e.message).filter(|m| m.starts_with("toml:"));
        fitted += usize::from(message.is_some());
        assert_eq!(message.as_deref(), case["typed"].as_str(), "{line}");
    }
    assert!(failed > 150 && fitted > 20, "{failed} {fitted}");
}

/// The versions that Kata 3.0 to 4.1 and CRI-O 1.30 to 1.36 were built with, and the texts that they differ in.
#[test]
fn every_version_reads_as_it_does() {
    let (mut trees, mut errors) = (0, 0);
    for line in include_str!("vectors/go-toml-between.jsonl").lines() {
        let case: Json = serde_json::from_str(line).unwrap();
        for version in case["versions"].as_array().unwrap() {
            let dialect = match version.as_str().unwrap() {
                "1.2.0" | "1.2.1" => toml::Dialect::V1_2,
                "1.3.2" => toml::Dialect::V1_3,
                "1.4.0" => toml::Dialect::V1_4,
                "1.5.0" => toml::Dialect::V1_5,
                "1.6.0" => toml::Dialect::V1_6,
                other => panic!("{other} is no version of the library"),
            };
            match toml::parse(&bytes(&case), dialect) {
                Ok(document) => {
                    assert_eq!(table_tree(&document.root), case["tree"], "{version}: {line}");
                    trees += 1;
                }
                Err(error) => {
                    assert_eq!(Some(error.message.as_str()), case["error"].as_str(), "{version}: {line}");
                    errors += 1;
                }
            }
        }
    }
    assert!(trees > 400 && errors > 1_500, "{trees} {errors}");
}
