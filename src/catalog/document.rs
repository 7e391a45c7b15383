//! The catalogue's TOML files as they are written, and what must be true of them.
//!
//! Compiled into the build script, which refuses a catalogue that does not hold; and into the tests,
//! which show that it does refuse.

use std::collections::BTreeSet;
use std::error::Error;

use serde::Deserialize;

use super::words::{Kind, Level, OnBad, Parse, Risk};

/// `annotations.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Annotations {
    pub annotation: Vec<Annotation>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Annotation {
    pub key: String,
    pub summary: String,
    pub note: Option<String>,
    pub risk: Risk,
    pub level: Level,
    pub documented: Option<String>,
    pub replaced_by: Option<String>,
    #[serde(default)]
    pub go: Vec<Reader>,
    #[serde(default)]
    pub rs: Vec<Reader>,
}

/// A version of Kata as the tables write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Numbers(pub u8, pub u8, pub u8);

impl TryFrom<String> for Numbers {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || format!("'{text}' is no version");
        let mut parts = text.split('.').map(|part| part.parse().map_err(|_| wrong()));
        let mut next = || parts.next().ok_or_else(wrong)?;
        Ok(Self(next()?, next()?, next()?))
    }
}

/// What the releases of a span do with an annotation.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reader {
    pub since: Numbers,
    pub until: Option<Numbers>,
    #[serde(default)]
    pub documented: bool,
    #[serde(default)]
    pub read: bool,
    #[serde(default)]
    pub effective: bool,
    #[serde(default)]
    pub overwritten: bool,
    pub fate: Option<String>,
    #[serde(rename = "type")]
    pub kind: Option<Kind>,
    pub parse: Option<Parse>,
    pub unit: Option<String>,
    pub min: Option<u64>,
    pub max: Option<u64>,
    #[serde(default)]
    pub choices: Vec<String>,
    pub gate: Option<GateWord>,
    pub list: Option<String>,
    pub bad: Option<OnBad>,
    pub field: Option<String>,
    pub merge: Option<String>,
    #[serde(default)]
    pub hypervisors: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GateWord {
    None,
    Name,
    NameAndValue,
}

/// `config-keys.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfigKeys {
    pub key: Vec<ConfigKey>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfigKey {
    pub table: String,
    pub key: String,
    pub summary: String,
    #[serde(default)]
    pub go: Vec<KeyReader>,
    #[serde(default)]
    pub rs: Vec<KeyReader>,
}

/// What the releases of a span do with a configuration key.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyReader {
    pub since: Numbers,
    pub until: Option<Numbers>,
    #[serde(rename = "type")]
    pub kind: Kind,
    pub unit: Option<String>,
    pub default: String,
    #[serde(default)]
    pub unused: bool,
    #[serde(default)]
    pub hypervisors: Vec<String>,
}

/// Reads `annotations.toml`; the lists it names must be among `lists`.
pub fn annotations(text: &str, lists: &BTreeSet<String>) -> Result<Vec<Annotation>, Box<dyn Error>> {
    let document: Annotations = toml::from_str(text)?;
    let mut seen = BTreeSet::new();
    for annotation in &document.annotation {
        let key = &annotation.key;
        if !seen.insert(key.as_str()) {
            return Err(format!("{key} stands there twice").into());
        }
        for (runtime, readers) in [("go", &annotation.go), ("rs", &annotation.rs)] {
            in_order(readers.iter().map(|r| (r.since, r.until)))
                .map_err(|e| format!("{key}, {runtime}: {e}"))?;
            for reader in readers {
                check_reader(reader, lists)
                    .map_err(|what| format!("{key}, {runtime} since {:?}: {what}", reader.since))?;
            }
        }
    }
    for annotation in &document.annotation {
        if let Some(by) = &annotation.replaced_by
            && !seen.contains(by.as_str())
        {
            return Err(format!("{}: replaced by {by}, which is not there", annotation.key).into());
        }
    }
    Ok(document.annotation)
}

/// Whether each span ends before the next begins.
fn in_order(spans: impl Iterator<Item = (Numbers, Option<Numbers>)>) -> Result<(), String> {
    let mut before: Option<(Numbers, Option<Numbers>)> = None;
    for (since, until) in spans {
        if until.is_some_and(|until| until < since) {
            return Err(format!("the span since {since:?} ends before it begins"));
        }
        if before.is_some_and(|(_, end)| end.is_none_or(|end| end >= since)) {
            return Err(format!("the span since {since:?} begins before the one above it ends"));
        }
        before = Some((since, until));
    }
    Ok(())
}

fn check_reader(reader: &Reader, lists: &BTreeSet<String>) -> Result<(), String> {
    if !reader.read {
        return match (&reader.fate, reader.parse) {
            (None, _) => Err("not read, but nothing says what becomes of it".to_owned()),
            (_, Some(_)) => Err("not read, but has a parse rule".to_owned()),
            _ => Ok(()),
        };
    }
    if reader.parse.is_none() {
        return Err("no parse rule".to_owned());
    }
    if reader.kind.is_none() {
        return Err("no type".to_owned());
    }
    if reader.kind == Some(Kind::Choice) && reader.choices.is_empty() && !reader.effective {
        return Err("a choice of nothing".to_owned());
    }
    match (reader.gate, &reader.list) {
        (None, _) => Err("no gate".to_owned()),
        (Some(GateWord::NameAndValue), None) => Err("a value gate that names no list".to_owned()),
        (Some(GateWord::NameAndValue), Some(list)) if !lists.contains(list) => {
            Err(format!("the list {list} is no configuration key"))
        }
        (Some(GateWord::None | GateWord::Name), Some(_)) => Err("a list without a value gate".to_owned()),
        _ => Ok(()),
    }
}

/// Reads `config-keys.toml`.
pub fn config_keys(text: &str) -> Result<Vec<ConfigKey>, Box<dyn Error>> {
    let document: ConfigKeys = toml::from_str(text)?;
    let mut seen = BTreeSet::new();
    for key in &document.key {
        if !seen.insert((key.table.as_str(), key.key.as_str())) {
            return Err(format!("{}.{} stands there twice", key.table, key.key).into());
        }
        if key.go.is_empty() && key.rs.is_empty() {
            return Err(format!("{}.{}: no release reads it", key.table, key.key).into());
        }
        for readers in [&key.go, &key.rs] {
            in_order(readers.iter().map(|r| (r.since, r.until)))
                .map_err(|e| format!("{}.{}: {e}", key.table, key.key))?;
        }
    }
    Ok(document.key)
}

/// The names of the `valid_*` lists.
pub fn lists(keys: &[ConfigKey]) -> BTreeSet<String> {
    keys.iter().filter(|k| k.key.starts_with("valid_")).map(|k| k.key.clone()).collect()
}

/// One of `messages/*.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Messages {
    pub message: Vec<Message>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// The words, with `{placeholders}`.
    pub says: Vec<String>,
    pub of: String,
    pub means: String,
    #[serde(rename = "do")]
    pub advice: String,
    pub who: WhoWord,
    #[serde(default)]
    pub causes: Vec<String>,
    /// Configuration keys that it is about: `hypervisor.image`.
    #[serde(default)]
    pub keys: Vec<String>,
    /// Changes that may mend it, the smallest first.
    #[serde(default, rename = "try")]
    pub tries: Vec<String>,
    pub list: Option<String>,
    #[serde(default)]
    pub harmless: bool,
    /// Others' words follow in it.
    #[serde(default)]
    pub wraps: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WhoWord {
    Pod,
    Cluster,
    Image,
}

/// Reads one of `messages/*.toml`; the configuration keys that it names must be among `keys`.
pub fn messages(text: &str, keys: &[ConfigKey]) -> Result<Vec<Message>, Box<dyn Error>> {
    let document: Messages = toml::from_str(text)?;
    let is_key = |name: &str| {
        let (table, key) = name.rsplit_once('.').unwrap_or_default();
        keys.iter().any(|k| k.key == key && k.table.split('.').next() == table.split('.').next())
    };
    for message in &document.message {
        let first = message.says.first().ok_or_else(|| format!("no words: {}", message.means))?;
        if message.says.iter().any(|says| literals(says).iter().map(|l| l.len()).sum::<usize>() < 4) {
            return Err(format!("{first}: too few letters to tell it by").into());
        }
        let mut named = message.keys.clone();
        for change in &message.tries {
            let target =
                change.strip_prefix("drop ").unwrap_or_else(|| change.split(" = ").next().unwrap_or(""));
            if target == "annotation" || target.contains('{') {
                continue;
            }
            named.push(target.to_owned());
            let other = change.split_once(" = {").and_then(|(_, rest)| rest.strip_suffix('}'));
            named.extend(other.map(str::to_owned));
        }
        if let Some(name) = named.iter().find(|name| !is_key(name)) {
            return Err(format!("{first}: {name} is no configuration key").into());
        }
    }
    Ok(document.message)
}

/// What stands between the placeholders of a message.
pub fn literals(says: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = says;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, behind)) = after.split_once('}').filter(|(name, _)| is_placeholder(name)) else {
            break;
        };
        let _ = name;
        found.push(before);
        rest = behind;
    }
    found.push(rest);
    found.retain(|literal| !literal.is_empty());
    found
}

/// Whether what stands in braces is a placeholder.
pub fn is_placeholder(name: &str) -> bool {
    matches!(name, "" | "key" | "value" | "least")
}
