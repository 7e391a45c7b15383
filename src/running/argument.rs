//! Names every argument and every property in it: what it is, which key sets it, and which releases print it so.
//!
//! Facts: `catalog::lines`.

use super::program::{Program, hidden};
use super::split::Given;
use crate::catalog::lines::{self, Row};

/// An argument, named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Argument {
    /// The option.
    pub option: String,
    /// Its value.
    pub value: Option<String>,
    /// What it is; empty where no release of Kata prints it.
    pub says: String,
    /// The key that sets it, with the value where the line tells it.
    pub sets: Option<Sets>,
    /// Made at the start, no setting.
    pub made: bool,
    /// What its value consists of.
    pub parts: Vec<Part>,
    /// What went wrong with it in the text.
    pub remark: Option<String>,
    /// Which rows are about the whole of it.
    pub rows: Vec<&'static Row>,
}

/// A property of a value, or a parameter of the guest kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// As it stands.
    pub text: String,
    /// Its name.
    pub name: String,
    /// What it is; empty where no release of Kata prints it.
    pub says: String,
    /// The key that sets it.
    pub sets: Option<Sets>,
    /// Made at the start, no setting.
    pub made: bool,
    /// Which rows are about it.
    pub rows: Vec<&'static Row>,
}

/// A key that a line tells of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sets {
    /// The key without its table (`default_memory`), with one where it is another's (`agent.kata.enable_debug`).
    pub key: String,
    /// Its value, where the line tells it.
    pub value: Option<String>,
}

impl Argument {
    /// Whether a release of Kata prints it.
    pub fn is_known(&self) -> bool {
        !self.says.is_empty()
    }

    /// The first word of the value.
    pub fn kind(&self) -> &str {
        self.value.as_deref().map(kind).unwrap_or_default()
    }

    /// The first part of that name.
    pub fn part(&self, name: &str) -> Option<&Part> {
        self.parts.iter().find(|part| part.name == name)
    }
}

/// The first word of a value.
fn kind(value: &str) -> &str {
    if value.starts_with('{') { value } else { value.split(',').next().unwrap_or(value) }
}

/// Names the arguments of a program.
pub fn name(program: Program, given: &[Given]) -> Vec<Argument> {
    let options: Vec<&str> = given.iter().map(|given| given.option.as_str()).collect();
    given.iter().enumerate().map(|(at, given)| one(program, given, at, &options)).collect()
}

fn one(program: Program, given: &Given, at: usize, options: &[&str]) -> Argument {
    let of = program.as_str();
    let option = given.option.as_str();
    let value = given.value.as_deref().unwrap_or_default();
    let (kind, parts) = match (program, option) {
        (Program::Qemu | Program::StratoVirt, "-append") => ("", parameters(of, value)),
        (Program::Qemu | Program::StratoVirt, _) if !value.is_empty() => {
            (kind(value), properties(of, option, value))
        }
        _ => (value, Vec::new()),
    };
    let rows = closest(lines::whole(of, option, kind), options, at);
    let first = rows.first();
    let mut argument = Argument {
        option: option.to_owned(),
        value: given.value.clone(),
        says: first.map(|row| row.says.to_owned()).unwrap_or_default(),
        sets: rows.iter().find_map(|row| sets(row, value_of(option, kind))),
        made: first.is_some_and(|row| row.made),
        parts,
        remark: None,
        rows,
    };
    if option == "-append" && argument.says.is_empty() {
        argument.says = "the command line of the guest kernel".to_owned();
    }
    if given.damaged && !option.starts_with('-') {
        argument.says = "the end of an argument whose beginning is cut off in the text".to_owned();
    } else if given.damaged {
        argument.remark =
            Some("a blank is missing here: the text is damaged, no release prints it so".to_owned());
    }
    if given.glued {
        argument.remark = Some(
            "option and value are one argument: no release prints it so, and QEMU refuses it (a development build)"
                .to_owned(),
        );
    }
    if argument.says.is_empty() && hidden(value) {
        argument.says = "left out in the text".to_owned();
    }
    argument
}

/// The rows that hold here, without the general ones where there is one for just this.
fn closest(mut rows: Vec<&'static Row>, all: &[&str], at: usize) -> Vec<&'static Row> {
    rows.retain(|row| stands(row, all, at));
    if let Some(first) = rows.first().copied() {
        rows.retain(|row| row.asks_as(first));
    }
    rows
}

/// What a value tells of a key: `cache=auto` of virtiofsd is `auto`.
fn value_of<'v>(option: &str, kind: &'v str) -> &'v str {
    match option {
        "-o" => kind.split_once('=').map_or(kind, |(_, value)| value),
        _ => kind,
    }
}

/// Whether a row's neighbours stand where it says.
fn stands(row: &Row, all: &[&str], at: usize) -> bool {
    let place = |name: &str| all.iter().position(|other| *other == name);
    row.before.is_none_or(|name| place(name).is_some_and(|other| at < other))
        && row.behind.is_none_or(|name| place(name).is_some_and(|other| at > other))
}

fn sets(row: &Row, value: &str) -> Option<Sets> {
    let text = row.sets?;
    let (key, set) = text.split_once(" = ").map_or((text, None), |(key, set)| (key, Some(set)));
    let value = set.map(|set| if set == "{}" { plain(key, value) } else { set.trim_matches('"').to_owned() });
    Some(Sets { key: key.to_owned(), value: value.filter(|value| !hidden(value)) })
}

/// A value as the configuration writes it.
fn plain(key: &str, value: &str) -> String {
    let number = |text: &str| text.parse::<u64>().ok();
    match key {
        "default_memory" | "virtio_fs_cache_size" => {
            let gib = value.strip_suffix('G').and_then(number).map(|n| n.saturating_mul(1024).to_string());
            gib.unwrap_or_else(|| value.trim_end_matches('M').to_owned())
        }
        _ => value.to_owned(),
    }
}

fn properties(of: &str, option: &str, value: &str) -> Vec<Part> {
    let first = kind(value);
    let Some(rest) = value.get(first.len()..).and_then(|rest| rest.strip_prefix(',')) else {
        return Vec::new();
    };
    // Two commas are one of the value's own.
    let rest = rest.replace(",,", "\u{1}");
    rest.split(',')
        .filter(|text| !text.is_empty())
        .map(|text| {
            let text = text.replace('\u{1}', ",");
            let (name, value) = text.split_once('=').unwrap_or((&text, ""));
            part(&text, name, value, closest(lines::property(of, option, first, name, value), &[], 0))
        })
        .collect()
}

fn part(text: &str, name: &str, value: &str, rows: Vec<&'static Row>) -> Part {
    let unknown = hidden(value);
    let first = rows.iter().find(|row| !unknown || row.says.contains("name")).or(rows.first());
    Part {
        text: text.to_owned(),
        name: name.to_owned(),
        says: match first {
            Some(row) => row.says.to_owned(),
            None if unknown => "left out in the text".to_owned(),
            None => String::new(),
        },
        sets: rows.iter().find_map(|row| sets(row, value)).filter(|_| !unknown),
        made: first.is_some_and(|row| row.made),
        // What is hidden tells no release.
        rows: if unknown { Vec::new() } else { rows },
    }
}

/// The guest's parameters: words, and what stands in quotes is one.
pub fn words(line: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut quoted = false;
    for word in line.split_whitespace() {
        match found.last_mut() {
            Some(last) if quoted => {
                last.push(' ');
                last.push_str(word);
            }
            _ => found.push(word.to_owned()),
        }
        if word.matches('"').count() % 2 == 1 {
            quoted = !quoted;
        }
    }
    found
}

fn parameters(of: &str, line: &str) -> Vec<Part> {
    let texts = words(line);
    let split: Vec<(&str, &str)> =
        texts.iter().map(|text| text.split_once('=').unwrap_or((text.as_str(), ""))).collect();
    let names: Vec<&str> = split.iter().map(|(name, _)| *name).collect();
    let mut seen: Vec<&str> = Vec::new();
    let mut parts = Vec::with_capacity(texts.len());
    for (at, (text, (name, value))) in texts.iter().zip(&split).enumerate() {
        let rows = closest(lines::property(of, "-append", "", name, value), &names, at);
        let again = seen.contains(&text.as_str());
        seen.push(text);
        let mut part = part(text, name, value, rows);
        if text.contains("...") || text == "…" {
            part.says = "left out in the text".to_owned();
            part.rows.clear();
        } else if part.says.is_empty() || again {
            part.says = match again {
                true => "once more, from kernel_params".to_owned(),
                false => "no parameter of the runtime: from kernel_params".to_owned(),
            };
            part.sets = Some(Sets { key: "kernel_params".to_owned(), value: None });
            part.made = false;
        }
        parts.push(part);
    }
    parts
}
