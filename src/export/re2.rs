//! The gates' patterns in RE2, which a Kubernetes API server searches with (CEL's `matches`).
//!
//! Decides what of a pattern can be said there exactly, for annotation names (which are ASCII) and for paths.
//! The Go runtimes search with RE2 themselves; the `regex` crate reads some signs otherwise, and both kinds of
//! glob want a form of their own. Facts: the grammars of Go's regexp/syntax, of `regex-syntax` 0.8, `glob` 0.3
//! and Go's path/filepath.

use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind, Look};

use crate::golang::filepath::{PathPattern, Piece, clean, has_meta};
use crate::golang::regexp::{self, GoRegex};
use crate::release::Runtime;

/// How many names a pattern may stand for to be written out.
const NAMES: usize = 64;
/// What RE2 repeats at most.
const REPEATS: u32 = 1000;
/// What nothing matches.
const NOTHING: &str = "[^\\x00-\\x{10FFFF}]";

/// An entry of `enable_annotations`, for a server to search names with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NamePattern {
    /// It stands for these names and no others.
    Names(Vec<String>),
    /// RE2 finds it in the same names.
    Matches(String),
    /// It matches every name.
    Every,
    /// RE2 has no form of it.
    NoForm,
}

/// An entry of a `valid_*` list, for a server to hold values against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValuePattern {
    /// This text alone.
    Equals(String),
    /// Whatever RE2 matches from end to end.
    Matches(String),
    /// The same, but no path that is not in its shortest spelling: no host lists one.
    MatchesClean(String),
    /// It stands for no path.
    Never,
}

/// Reads an entry of `enable_annotations`; `None` where the runtime itself cannot.
pub fn name_pattern(runtime: Runtime, pattern: &str) -> Option<NamePattern> {
    let hir = match runtime {
        Runtime::Go => regexp::read(pattern)?,
        Runtime::Rs => ParserBuilder::new().build().parse(pattern).ok()?,
    };
    if let Some(names) = whole(&hir) {
        return Some(NamePattern::Names(names));
    }
    if hir.properties().minimum_len() == Some(0) && hir.properties().look_set().is_empty() {
        return Some(NamePattern::Every);
    }
    if is_plain(pattern) && GoRegex::new(pattern).is_ok() {
        return Some(NamePattern::Matches(pattern.to_owned()));
    }
    let mut printed = String::new();
    let same = print(&hir, &mut printed).is_some() && GoRegex::new(&printed).is_ok();
    Some(match (same, runtime) {
        (true, _) => NamePattern::Matches(printed),
        // It is RE2 as it stands.
        (false, Runtime::Go) => NamePattern::Matches(pattern.to_owned()),
        (false, Runtime::Rs) => NamePattern::NoForm,
    })
}

/// Signs that mean the same to both engines.
fn is_plain(pattern: &str) -> bool {
    pattern.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.*+?^$|()-".contains(&b))
}

/// The names that a pattern anchored at both ends stands for, where they are few.
fn whole(hir: &Hir) -> Option<Vec<String>> {
    let parts = match hir.kind() {
        HirKind::Concat(parts) => parts,
        HirKind::Capture(capture) => return whole(&capture.sub),
        HirKind::Alternation(parts) => {
            let all: Option<Vec<Vec<String>>> = parts.iter().map(whole).collect();
            return Some(all?.concat()).filter(|names| names.len() <= NAMES);
        }
        _ => return None,
    };
    let [first, middle @ .., last] = parts.as_slice() else { return None };
    let is = |hir: &Hir, look| matches!(hir.kind(), HirKind::Look(found) if *found == look);
    if !is(first, Look::Start) || !is(last, Look::End) {
        return None;
    }
    let mut names = vec![String::new()];
    for part in middle {
        names = joined(&names, &words(part)?)?;
    }
    names.retain(|name| name.is_ascii());
    Some(names)
}

fn joined(before: &[String], after: &[String]) -> Option<Vec<String>> {
    let all = before.len() * after.len();
    let pairs = before.iter().flat_map(|a| after.iter().map(move |b| format!("{a}{b}")));
    (all <= NAMES).then(|| pairs.collect())
}

/// The texts that a part stands for, where they are few.
fn words(hir: &Hir) -> Option<Vec<String>> {
    match hir.kind() {
        HirKind::Empty => Some(vec![String::new()]),
        HirKind::Literal(literal) => Some(vec![std::str::from_utf8(&literal.0).ok()?.to_owned()]),
        HirKind::Class(class) => {
            let ranges = ascii(class);
            let size: usize = ranges.iter().map(|(low, high)| usize::from(high - low) + 1).sum();
            let letters = || ranges.iter().flat_map(|(low, high)| *low..=*high);
            (size <= NAMES).then(|| letters().map(|b| char::from(b).to_string()).collect())
        }
        HirKind::Capture(capture) => words(&capture.sub),
        HirKind::Concat(parts) => {
            parts.iter().try_fold(vec![String::new()], |before, part| joined(&before, &words(part)?))
        }
        HirKind::Alternation(parts) => {
            let mut all = Vec::new();
            for part in parts {
                all.extend(words(part)?);
            }
            (all.len() <= NAMES).then_some(all)
        }
        HirKind::Repetition(repetition) => {
            let (0, Some(1)) = (repetition.min, repetition.max) else { return None };
            let mut all = words(&repetition.sub)?;
            all.push(String::new());
            Some(all)
        }
        HirKind::Look(_) => None,
    }
}

/// What of a class is ASCII.
fn ascii(class: &Class) -> Vec<(u8, u8)> {
    let part = |low: u32, high: u32| {
        let (low, high) = (u8::try_from(low).ok()?, u8::try_from(high.min(0x7f)).ok()?);
        (low <= high && low < 0x80).then_some((low, high))
    };
    match class {
        Class::Unicode(class) => {
            class.iter().filter_map(|r| part(u32::from(r.start()), u32::from(r.end()))).collect()
        }
        Class::Bytes(class) => {
            class.iter().filter_map(|r| part(u32::from(r.start()), u32::from(r.end()))).collect()
        }
    }
}

fn sign(byte: u8, out: &mut String) {
    if byte.is_ascii_alphanumeric() || byte == b'_' {
        out.push(char::from(byte));
    } else {
        out.push_str(&format!("\\x{byte:02X}"));
    }
}

/// Writes the part in signs that mean the same to both engines; `None` where RE2 has none for it.
fn print(hir: &Hir, out: &mut String) -> Option<()> {
    match hir.kind() {
        HirKind::Empty => out.push_str("(?:)"),
        HirKind::Literal(literal) if literal.0.is_ascii() => literal.0.iter().for_each(|b| sign(*b, out)),
        // No name has it.
        HirKind::Literal(_) => out.push_str(NOTHING),
        HirKind::Class(class) => match ascii(class).as_slice() {
            [] => out.push_str(NOTHING),
            ranges => {
                out.push('[');
                for (low, high) in ranges {
                    sign(*low, out);
                    if low != high {
                        out.push('-');
                        sign(*high, out);
                    }
                }
                out.push(']');
            }
        },
        HirKind::Look(look) => out.push_str(match look {
            // No name has a line break.
            Look::Start | Look::StartLF | Look::StartCRLF => "\\A",
            Look::End | Look::EndLF | Look::EndCRLF => "\\z",
            Look::WordAscii | Look::WordUnicode => "\\b",
            Look::WordAsciiNegate | Look::WordUnicodeNegate => "\\B",
            _ => return None,
        }),
        HirKind::Repetition(repetition) => {
            if repetition.min > REPEATS || repetition.max.is_some_and(|max| max > REPEATS) {
                return None;
            }
            out.push_str("(?:");
            print(&repetition.sub, out)?;
            out.push_str(&match (repetition.min, repetition.max) {
                (0, None) => ")*".to_owned(),
                (1, None) => ")+".to_owned(),
                (0, Some(1)) => ")?".to_owned(),
                (min, None) => format!("){{{min},}}"),
                (min, Some(max)) => format!("){{{min},{max}}}"),
            });
        }
        HirKind::Capture(capture) => {
            out.push_str("(?:");
            print(&capture.sub, out)?;
            out.push(')');
        }
        HirKind::Concat(parts) => parts.iter().try_for_each(|part| print(part, out))?,
        HirKind::Alternation(parts) => {
            out.push_str("(?:");
            for (at, part) in parts.iter().enumerate() {
                if at > 0 {
                    out.push('|');
                }
                print(part, out)?;
            }
            out.push(')');
        }
    }
    Some(())
}

/// Reads an entry of a `valid_*` list.
pub fn value_pattern(runtime: Runtime, pattern: &str) -> ValuePattern {
    match runtime {
        Runtime::Go => go_value(pattern),
        Runtime::Rs => rs_value(pattern),
    }
}

/// `filepath.Glob`: folder by folder, each in its shortest spelling.
fn go_value(pattern: &str) -> ValuePattern {
    if PathPattern::new(pattern).is_err() {
        return ValuePattern::Never;
    }
    if !has_meta(pattern) {
        return if pattern.is_empty() {
            ValuePattern::Never
        } else {
            ValuePattern::Equals(pattern.to_owned())
        };
    }
    let parts: Vec<&str> = pattern.split('/').collect();
    let first = parts.iter().position(|part| has_meta(part)).unwrap_or_default();
    let (head, tail) = parts.split_at(first);
    let mut out = String::from("^(?s:");
    // What stands before the first wildcard is a folder that Go takes as it is and spells in its shortest form.
    match clean(&head.join("/")).as_str() {
        _ if head.is_empty() => {}
        _ if head == [""] => out.push('/'),
        "/" => out.push('/'),
        "." => {}
        folder => {
            literal(folder, &mut out);
            out.push('/');
        }
    }
    let is_relative = out.ends_with(':');
    for (at, part) in tail.iter().enumerate() {
        if at > 0 {
            out.push('/');
        }
        match PathPattern::new(part) {
            // No folder lists these.
            _ if matches!(*part, "" | "." | "..") => return ValuePattern::Never,
            // Without a folder before it, an empty name would be the root.
            Ok(part) if at == 0 && is_relative && is_stars(&part) => out.push_str("[^/]+"),
            Ok(part) => part.pieces().iter().for_each(|piece| match piece {
                Piece::Text(text) => literal(text, &mut out),
                Piece::Star => out.push_str("[^/]*"),
                Piece::AnyChar => out.push_str("[^/]"),
                Piece::Class { negated, ranges } => class(*negated, ranges, true, &mut out),
            }),
            Err(_) => return ValuePattern::Never,
        }
    }
    out.push_str(")$");
    ValuePattern::MatchesClean(out)
}

/// Whether a name matches whatever it is.
fn is_stars(part: &PathPattern) -> bool {
    part.pieces().iter().all(|piece| matches!(piece, Piece::Star))
}

/// Text as RE2 takes it for itself.
fn literal(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '.' => out.push_str("\\."),
            '-' => out.push(c),
            c => one(c, out),
        }
    }
}

/// A character that stands for itself, also within a class.
fn one(c: char, out: &mut String) {
    if c.is_ascii_alphanumeric() || "/_ ,:=@%".contains(c) {
        out.push(c);
    } else {
        out.push_str(&format!("\\x{{{:02X}}}", u32::from(c)));
    }
}

/// A class of characters, `/` taken out of it where no file name has one.
fn class(negated: bool, ranges: &[(char, char)], names: bool, out: &mut String) {
    let mut ranges: Vec<(char, char)> = ranges.iter().copied().filter(|(low, high)| low <= high).collect();
    if names && !negated {
        let around = |(low, high): (char, char)| {
            if (low..=high).contains(&'/') { vec![(low, '.'), ('0', high)] } else { vec![(low, high)] }
        };
        ranges = ranges.into_iter().flat_map(around).filter(|(low, high)| low <= high).collect();
    }
    if names && negated {
        ranges.push(('/', '/'));
    }
    match (negated, ranges.is_empty()) {
        (false, true) => return out.push_str(NOTHING),
        (true, true) => return out.push('.'),
        (true, false) => out.push_str("[^"),
        (false, false) => out.push('['),
    }
    for (low, high) in ranges {
        one(low, out);
        if low != high {
            out.push('-');
            one(high, out);
        }
    }
    out.push(']');
}

/// `glob` with its default options: a star crosses folders.
fn rs_value(pattern: &str) -> ValuePattern {
    if glob::Pattern::new(pattern).is_err() {
        return ValuePattern::Never;
    }
    if !pattern.contains(['*', '?', '[']) {
        return ValuePattern::Equals(pattern.to_owned());
    }
    let mut out = String::from("^(?s:");
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        rest = match c {
            '*' if rest.starts_with("**") => {
                let after = rest.trim_start_matches("**");
                let deeper = after.strip_prefix('/').unwrap_or(after);
                out.push_str(if deeper.is_empty() { ".*" } else { "(?:.*/)?" });
                deeper
            }
            '*' => {
                out.push_str(".*");
                rest.get(1..).unwrap_or_default()
            }
            '?' => {
                out.push('.');
                rest.get(1..).unwrap_or_default()
            }
            '[' => rs_class(rest, &mut out),
            c => {
                literal(c.encode_utf8(&mut [0; 4]), &mut out);
                rest.get(c.len_utf8()..).unwrap_or_default()
            }
        };
    }
    out.push_str(")$");
    ValuePattern::Matches(out)
}

/// A class of the `glob` crate, which has no escapes and takes a `]` in front for itself; gives what follows.
fn rs_class<'p>(text: &'p str, out: &mut String) -> &'p str {
    let inside = text.strip_prefix('[').unwrap_or(text);
    let (negated, inside) = match inside.strip_prefix('!') {
        Some(rest) => (true, rest),
        None => (false, inside),
    };
    let first = inside.chars().next().map_or(0, char::len_utf8);
    let end = inside.get(first..).and_then(|rest| rest.find(']')).map_or(inside.len(), |at| at + first);
    let signs: Vec<char> = inside.get(..end).unwrap_or_default().chars().collect();
    let mut ranges = Vec::new();
    let mut left = signs.as_slice();
    loop {
        left = match left {
            [low, '-', high, rest @ ..] => {
                ranges.push((*low, *high));
                rest
            }
            [one, rest @ ..] => {
                ranges.push((*one, *one));
                rest
            }
            [] => break,
        };
    }
    class(negated, &ranges, false, out);
    inside.get(end + 1..).unwrap_or_default()
}
