//! Turns `assets/catalog/*.toml` into tables of the program, so that nothing is parsed at start.

use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;

#[path = "src/catalog/document.rs"]
#[allow(missing_docs)]
mod document;
#[path = "src/catalog/words.rs"]
mod words;

fn main() -> Result<(), Box<dyn Error>> {
    for path in ["assets/catalog", "src/catalog/document.rs", "src/catalog/words.rs"] {
        println!("cargo::rerun-if-changed={path}");
    }
    let keys = document::config_keys(&std::fs::read_to_string("assets/catalog/config-keys.toml")?)
        .map_err(|e| format!("assets/catalog/config-keys.toml: {e}"))?;
    let annotations = document::annotations(
        &std::fs::read_to_string("assets/catalog/annotations.toml")?,
        &document::lists(&keys),
    )
    .map_err(|e| format!("assets/catalog/annotations.toml: {e}"))?;

    let mut code = String::new();
    writeln!(code, "pub(super) static ANNOTATIONS: &[Annotation] = &[")?;
    for a in &annotations {
        writeln!(
            code,
            "Annotation {{ key: {:?}, summary: {:?}, note: {:?}, risk: Risk::{:?}, level: Level::{:?}, \
             documented: {:?}, replaced_by: {:?}, readers: &[",
            a.key, a.summary, a.note, a.risk, a.level, a.documented, a.replaced_by
        )?;
        for (runtime, readers) in [("Go", &a.go), ("Rs", &a.rs)] {
            for reader in readers {
                writeln!(code, "(Runtime::{runtime}, {}, ", span(reader.since, reader.until))?;
                write_reader(&mut code, reader)?;
                writeln!(code, "),")?;
            }
        }
        writeln!(code, "] }},")?;
    }
    writeln!(code, "];")?;
    let mut order: Vec<usize> = (0..annotations.len()).collect();
    order.sort_by_key(|i| annotations.get(*i).map(|a| (a.key.len(), a.key.clone())));
    writeln!(
        code,
        "/// Indices of `ANNOTATIONS`, by length and key: keys begin alike.\nstatic ANNOTATIONS_BY_KEY: &[usize] = &{order:?};"
    )?;

    writeln!(code, "pub(super) static CONFIG_KEYS: &[ConfigKey] = &[")?;
    for k in &keys {
        writeln!(
            code,
            "ConfigKey {{ table: {:?}, key: {:?}, summary: {:?}, readers: &[",
            k.table, k.key, k.summary
        )?;
        for (runtime, readers) in [("Go", &k.go), ("Rs", &k.rs)] {
            for r in readers {
                writeln!(
                    code,
                    "(Runtime::{runtime}, {}, KeyReader {{ kind: Kind::{:?}, unit: {:?}, default: {:?}, unused: {}, hypervisors: &{:?} }}),",
                    span(r.since, r.until),
                    r.kind,
                    r.unit,
                    r.default,
                    r.unused,
                    r.hypervisors
                )?;
            }
        }
        writeln!(code, "] }},")?;
    }
    writeln!(code, "];")?;
    let mut order: Vec<usize> = (0..keys.len()).collect();
    order.sort_by_key(|i| keys.get(*i).map(|k| (k.table.clone(), k.key.clone())));
    writeln!(
        code,
        "/// Indices of `CONFIG_KEYS`, by table and key.\nstatic CONFIG_KEYS_BY_NAME: &[usize] = &{order:?};"
    )?;

    let out = std::env::var("OUT_DIR")?;
    std::fs::write(Path::new(&out).join("catalog.rs"), code)?;
    Ok(())
}

fn span(since: document::Numbers, until: Option<document::Numbers>) -> String {
    let version = |n: document::Numbers| format!("Version::new({}, {}, {})", n.0, n.1, n.2);
    let until = until.map_or("None".to_owned(), |until| format!("Some({})", version(until)));
    format!("Span {{ since: {}, until: {until} }}", version(since))
}

fn write_reader(code: &mut String, r: &document::Reader) -> Result<(), Box<dyn Error>> {
    let gate = match (r.gate, &r.list) {
        (Some(document::GateWord::NameAndValue), Some(list)) => format!("Gate::NameAndValue({list:?})"),
        (Some(document::GateWord::Name), _) => "Gate::Name".to_owned(),
        _ => "Gate::None".to_owned(),
    };
    let parse = r.parse.map_or("None".to_owned(), |p| format!("Some(Parse::{p:?})"));
    let kind = r.kind.map_or("None".to_owned(), |k| format!("Some(Kind::{k:?})"));
    let bad = r.bad.map_or("None".to_owned(), |b| format!("Some(OnBad::{b:?})"));
    writeln!(
        code,
        "Reader {{ documented: {}, read: {}, effective: {}, overwritten: {}, fate: {:?}, kind: {kind}, \
         parse: {parse}, unit: {:?}, min: {:?}, max: {:?}, choices: &{:?}, gate: {gate}, bad: {bad}, \
         field: {:?}, merge: {:?}, hypervisors: &{:?} }}",
        r.documented,
        r.read,
        r.effective,
        r.overwritten,
        r.fate,
        r.unit,
        r.min,
        r.max,
        r.choices,
        r.field,
        r.merge,
        r.hypervisors
    )?;
    Ok(())
}
