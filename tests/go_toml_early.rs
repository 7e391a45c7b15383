//! Holds the TOML reader of the Go runtime before 3.0 against what the real one (0.3.1) answered: the tree, or the
//! words of the complaint.

use katascope::golang::toml::early::{Table, Value, parse};
use serde_json::{Value as Json, json};

fn table(table: &Table) -> Json {
    Json::Object(table.iter().map(|(key, entry)| (key.clone(), value(&entry.value))).collect())
}

fn value(from: &Value) -> Json {
    match from {
        Value::String(text) => json!(text),
        Value::Integer(number) => json!(number),
        Value::Float => json!({ "float!": true }),
        Value::Boolean(truth) => json!(truth),
        Value::Datetime => json!({ "datetime!": true }),
        Value::Array(items) => items.iter().map(value).collect(),
        Value::Table(inner) => table(inner),
        Value::Tables(all) => json!({ "tables!": all.iter().map(table).collect::<Json>() }),
    }
}

/// Keys in one order.
fn sorted(value: &Json) -> Json {
    match value {
        Json::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by(|a, b| a.0.cmp(b.0));
            Json::Object(fields.into_iter().map(|(k, v)| (k.clone(), sorted(v))).collect())
        }
        Json::Array(items) => items.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

#[test]
fn every_text_is_read_as_it_was() {
    let mut wrong = Vec::new();
    for line in include_str!("vectors/go-toml-early.jsonl").lines() {
        let case: Json = serde_json::from_str(line).unwrap();
        let text = case["text"].as_str().unwrap();
        let (want, got) = match parse(text) {
            Ok(tree) => (sorted(&case["tree"]), sorted(&table(&tree))),
            Err(error) => {
                let kind = if error.panic { "panic" } else { "error" };
                (case[kind].clone(), json!(error.message))
            }
        };
        if want != got {
            wrong.push(format!("{text:?}\n  want {case}\n  got  {got}"));
        }
    }
    assert!(wrong.is_empty(), "{} differences\n{}", wrong.len(), wrong.join("\n"));
}
