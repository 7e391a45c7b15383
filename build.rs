//! Turns `assets/catalog/**/*.toml` into tables of the program, so that nothing is parsed at start.

use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;

#[path = "src/catalog/document.rs"]
#[allow(missing_docs)]
mod document;
#[path = "src/catalog/line_document.rs"]
#[allow(missing_docs)]
mod line_document;
#[path = "src/catalog/release_document.rs"]
mod release_document;
#[path = "src/catalog/words.rs"]
mod words;

fn main() -> Result<(), Box<dyn Error>> {
    for path in [
        "assets/catalog",
        "assets/catalog/messages",
        "src/catalog/document.rs",
        "src/catalog/line_document.rs",
        "src/catalog/release_document.rs",
        "src/catalog/words.rs",
    ] {
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

    write_ids(&mut code, &annotations)?;

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

    write_messages(&mut code, &keys)?;

    let out = std::env::var("OUT_DIR")?;
    std::fs::write(Path::new(&out).join("catalog.rs"), code)?;
    let releases = release_document::code(&std::fs::read_to_string("assets/catalog/releases.toml")?)
        .map_err(|e| format!("assets/catalog/releases.toml: {e}"))?;
    std::fs::write(Path::new(&out).join("releases.rs"), releases)?;
    let lines = line_document::code(&std::fs::read_to_string("assets/catalog/process-lines.toml")?)
        .map_err(|e| format!("assets/catalog/process-lines.toml: {e}"))?;
    std::fs::write(Path::new(&out).join("process_lines.rs"), lines)?;
    Ok(())
}

/// A name for each annotation: the words of its key from behind `io.katacontainers.` and `config.`.
fn write_ids(code: &mut String, annotations: &[document::Annotation]) -> Result<(), Box<dyn Error>> {
    let mut names = Vec::new();
    writeln!(
        code,
        "/// Which annotation, by the words of its key.\n\
         #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]\npub enum Id {{"
    )?;
    for annotation in annotations {
        let key = annotation.key.trim_start_matches("io.katacontainers.").trim_start_matches("config.");
        let words = key.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
        let name: String = words
            .map(|word| {
                let (first, rest) = word.split_at(1);
                first.to_ascii_uppercase() + rest
            })
            .collect();
        writeln!(code, "/// `{}`\n{name},", annotation.key)?;
        names.push(format!("Self::{name}"));
    }
    let all = names.join(", ");
    writeln!(
        code,
        "}}\nimpl Id {{\n/// All of them, in the order of `all_annotations`.\n\
         pub const ALL: [Self; {}] = [{all}];\n}}",
        names.len()
    )?;
    Ok(())
}

/// What programs say when something fails, each template cut at its placeholders.
fn write_messages(code: &mut String, keys: &[document::ConfigKey]) -> Result<(), Box<dyn Error>> {
    let mut files: Vec<_> = std::fs::read_dir("assets/catalog/messages")?.collect::<Result<Vec<_>, _>>()?;
    files.sort_by_key(|file| file.path());
    writeln!(code, "pub(super) static MESSAGES: &[Message] = &[")?;
    for file in files {
        let path = file.path();
        let messages = document::messages(&std::fs::read_to_string(&path)?, keys)
            .map_err(|e| format!("{}: {e}", path.display()))?;
        for m in messages {
            let says: Vec<Vec<String>> = m.says.iter().map(|says| pieces(says)).collect();
            let says: Vec<String> = says.iter().map(|pieces| format!("&[{}]", pieces.join(", "))).collect();
            writeln!(
                code,
                "Message {{ says: &[{}], of: {:?}, means: {:?}, advice: {:?}, who: Mender::{:?}, causes: &{:?}, \
                 keys: &{:?}, tries: &{:?}, list: {:?}, harmless: {}, wraps: {} }},",
                says.join(", "),
                m.of,
                m.means,
                m.advice,
                m.who,
                m.causes,
                m.keys,
                m.tries,
                m.list,
                m.harmless,
                m.wraps
            )?;
        }
    }
    writeln!(code, "];")?;
    Ok(())
}

/// A template as code: `Piece::Text("annotation "), Piece::Key, Piece::Text(" is not enabled")`, letters small.
fn pieces(says: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = says;
    for literal in document::literals(says) {
        let at = rest.find(literal).unwrap_or_default();
        let (before, after) = rest.split_at(at);
        found.extend(gap(before));
        found.push(format!("Piece::Text({:?})", literal.to_ascii_lowercase()));
        rest = after.get(literal.len()..).unwrap_or_default();
    }
    // What a message ends with may be nothing at all.
    if let (Some(last), Some(literal), Some(gap)) =
        (found.last_mut(), document::literals(says).last(), gap(rest))
    {
        *last = format!("Piece::Text({:?})", literal.trim_end().to_ascii_lowercase());
        found.push(gap);
    }
    found
}

/// A placeholder as code.
fn gap(text: &str) -> Option<String> {
    let piece = match text {
        "{key}" => "Piece::Key",
        "{value}" => "Piece::Value",
        "{least}" => "Piece::Least",
        "{}" => "Piece::Any",
        _ => return None,
    };
    Some(piece.to_owned())
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
