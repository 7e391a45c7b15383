//! Go's `regexp.MatchString`: which names a pattern of `enable_annotations` matches in the Go runtimes.
//!
//! A pattern is read by Go's own grammar (`parse`), which takes and refuses other things than the
//! `regex` crate, into the crate's intermediate form; the crate then searches, and where its automaton
//! would grow too big, positions are followed by hand. Facts: the Go 1.25 standard library, regexp/syntax.

mod class;
mod limits;
mod parse;

use regex_syntax::hir::{Class, Hir, HirKind, Look, Repetition};

/// Why Go refuses a pattern; the text is Go's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("error parsing regexp: {message}: `{part}`")]
pub struct SyntaxError {
    /// Go's name for the mistake.
    pub message: &'static str,
    /// The part of the pattern it is about.
    pub part: String,
}

impl SyntaxError {
    fn new(message: &'static str, part: impl Into<String>) -> Self {
        Self { message, part: part.into() }
    }
}

/// A pattern, ready to search.
#[derive(Debug, Clone)]
pub struct GoRegex {
    engine: Engine,
}

#[derive(Debug, Clone)]
enum Engine {
    Automaton(regex::Regex),
    Positions(Box<Hir>),
}

/// The largest automaton built, in bytes; bigger patterns are followed by hand.
const AUTOMATON_LIMIT: usize = 1 << 20;

impl GoRegex {
    /// Reads a pattern as Go does.
    pub fn new(pattern: &str) -> Result<Self, SyntaxError> {
        let hir = parse::parse(pattern)?;
        let built = regex::RegexBuilder::new(&hir.to_string())
            .size_limit(AUTOMATON_LIMIT)
            .nest_limit(u32::MAX)
            .build();
        let engine = match built {
            Ok(regex) => Engine::Automaton(regex),
            Err(_) => Engine::Positions(Box::new(hir)),
        };
        Ok(Self { engine })
    }

    /// Whether the pattern is found anywhere in `text`.
    pub fn is_match(&self, text: &str) -> bool {
        match &self.engine {
            Engine::Automaton(regex) => regex.is_match(text),
            Engine::Positions(hir) => found(hir, text),
        }
    }
}

/// The pattern in the crate's intermediate form; `None` where Go refuses it.
pub fn read(pattern: &str) -> Option<Hir> {
    parse::parse(pattern).ok()
}

/// Searches by following sets of positions through the pattern; needs no automaton.
fn found(hir: &Hir, text: &str) -> bool {
    let starts = (0..=text.len()).map(|i| text.is_char_boundary(i)).collect();
    follow(hir, text, starts).contains(&true)
}

/// From the positions in `from`, those where a match of `hir` can end.
fn follow(hir: &Hir, text: &str, from: Vec<bool>) -> Vec<bool> {
    if !from.contains(&true) {
        return from;
    }
    match hir.kind() {
        HirKind::Empty => from,
        HirKind::Literal(literal) => {
            step(&from, |at| text.as_bytes().get(at..)?.starts_with(&literal.0).then_some(literal.0.len()))
        }
        HirKind::Class(class) => step(&from, |at| {
            let c = text.get(at..)?.chars().next()?;
            contains(class, c).then_some(c.len_utf8())
        }),
        HirKind::Look(look) => step(&from, |at| holds(*look, text.as_bytes(), at).then_some(0)),
        HirKind::Repetition(repetition) => repeat(repetition, text, from),
        HirKind::Capture(capture) => follow(&capture.sub, text, from),
        HirKind::Concat(parts) => parts.iter().fold(from, |at, part| follow(part, text, at)),
        HirKind::Alternation(parts) => {
            let none = vec![false; from.len()];
            parts.iter().fold(none, |ends, part| union(ends, &follow(part, text, from.clone())))
        }
    }
}

fn repeat(repetition: &Repetition, text: &str, from: Vec<bool>) -> Vec<bool> {
    let mut at = from;
    for _ in 0..repetition.min {
        let next = follow(&repetition.sub, text, at.clone());
        if next == at {
            break;
        }
        at = next;
    }
    let more = repetition.max.map_or(u32::MAX, |max| max.saturating_sub(repetition.min));
    let mut ends = at.clone();
    for _ in 0..more {
        at = follow(&repetition.sub, text, at);
        let before = ends.clone();
        ends = union(ends, &at);
        if ends == before {
            break;
        }
    }
    ends
}

fn step(from: &[bool], advance: impl Fn(usize) -> Option<usize>) -> Vec<bool> {
    let mut ends = vec![false; from.len()];
    for (at, _) in from.iter().enumerate().filter(|(_, live)| **live) {
        if let Some(end) = advance(at).and_then(|length| ends.get_mut(at + length)) {
            *end = true;
        }
    }
    ends
}

fn union(mut one: Vec<bool>, other: &[bool]) -> Vec<bool> {
    one.iter_mut().zip(other).for_each(|(a, b)| *a |= b);
    one
}

fn contains(class: &Class, c: char) -> bool {
    match class {
        Class::Unicode(class) => class.iter().any(|r| (r.start()..=r.end()).contains(&c)),
        Class::Bytes(class) => u8::try_from(c)
            .is_ok_and(|b| b.is_ascii() && class.iter().any(|r| (r.start()..=r.end()).contains(&b))),
    }
}

fn holds(look: Look, text: &[u8], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|i| text.get(i)).copied();
    let after = text.get(at).copied();
    let word = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_');
    match look {
        Look::Start => before.is_none(),
        Look::End => after.is_none(),
        Look::StartLF => before.is_none_or(|b| b == b'\n'),
        Look::EndLF => after.is_none_or(|b| b == b'\n'),
        Look::WordAscii => word(before) != word(after),
        Look::WordAsciiNegate => word(before) == word(after),
        // Go's grammar makes no other.
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        GoRegex::new(pattern).unwrap().is_match(text)
    }

    fn refusal(pattern: &str) -> String {
        GoRegex::new(pattern).unwrap_err().to_string()
    }

    #[test]
    fn what_rust_reads_otherwise() {
        assert!(matches("[a&&b]", "&"));
        assert!(matches("[[a]", "["));
        assert!(matches("[[a]]", "a]"));
        assert!(matches("a{,2}", "a{,2}"));
        assert!(matches("a{", "a{"));
        assert!(matches(r"\Qa.b\E$", "a.b"));
        assert!(!matches(r"\Qa.b", "axb"));
        assert!(matches(r"\101", "A"));
        assert!(!matches(r"\d", "٣"));
        assert!(!matches(r"é\b", "é"));
        assert!(matches("a#b", "a#b"));
        assert!(matches("(?i)k", "\u{212a}"));
        assert!(!matches("[\\x{d800}-\\x{dfff}]", "a"));
        assert!(matches("^*a$", "ba"));
    }

    #[test]
    fn what_rust_takes_and_go_does_not() {
        assert_eq!(refusal("a**"), "error parsing regexp: invalid nested repetition operator: `**`");
        assert_eq!(refusal("*a"), "error parsing regexp: missing argument to repetition operator: `*`");
        assert_eq!(refusal("(?x)a b"), "error parsing regexp: invalid or unsupported Perl syntax: `(?x`");
        assert_eq!(refusal("a{1001}"), "error parsing regexp: invalid repeat count: `{1001}`");
        assert_eq!(refusal("(a{100}){100}"), "error parsing regexp: invalid repeat count: `{100}`");
        assert_eq!(
            refusal(r"\p{Alphabetic}"),
            "error parsing regexp: invalid character class range: `\\p{Alphabetic}`"
        );
        assert_eq!(refusal("[z-a]"), "error parsing regexp: invalid character class range: `z-a`");
        assert_eq!(refusal("[a"), "error parsing regexp: missing closing ]: `[a`");
        assert_eq!(refusal("(a"), "error parsing regexp: missing closing ): `(a`");
        assert_eq!(refusal("a)"), "error parsing regexp: unexpected ): `a)`");
        assert_eq!(refusal(r"\u0041"), r"error parsing regexp: invalid escape sequence: `\u`");
        assert_eq!(refusal("a\\"), "error parsing regexp: trailing backslash at end of expression: ``");
        assert_eq!(refusal("(?P<a"), "error parsing regexp: invalid named capture: `(?P<a`");
    }

    #[test]
    fn both_engines_agree() {
        for pattern in ["", "^a+$", "(a|b)*c", r"\bfoo\B", "(?m)^b$", "a{2,3}", "(?i)[^k]", "é.", "x*?y"] {
            let regex = GoRegex::new(pattern).unwrap();
            let hir = parse::parse(pattern).unwrap();
            for text in ["", "a", "aa", "abac", "foos foo", "a\nb\nc", "K", "éé", "xxy", "aaaa"] {
                assert_eq!(regex.is_match(text), found(&hir, text), "{pattern:?} in {text:?}");
            }
        }
    }

    fn hir(pattern: &str) -> Option<Hir> {
        parse::parse(pattern).ok()
    }

    proptest::proptest! {
        #[test]
        fn no_pattern_is_too_odd(pattern in ".{0,12}", text in ".{0,8}") {
            if let Ok(regex) = GoRegex::new(&pattern) {
                let searched = regex.is_match(&text);
                proptest::prop_assert_eq!(searched, hir(&pattern).is_some_and(|hir| found(&hir, &text)));
            }
        }

        #[test]
        fn both_engines_agree_on_what_looks_like_a_pattern(
            pattern in r"([a-c^$.|()]|\\[bBdws]|[a-c][*+?]|\[[a-c^-]{1,3}\]|\(\?i\)|a\{1,2\}){0,8}",
            text in "[a-cA-C1 \n]{0,8}",
        ) {
            if let Ok(regex) = GoRegex::new(&pattern) {
                let searched = regex.is_match(&text);
                proptest::prop_assert_eq!(searched, hir(&pattern).is_some_and(|hir| found(&hir, &text)));
            }
        }

        #[test]
        fn a_quoted_text_matches_itself_alone(text in ".{0,8}", other in ".{0,8}") {
            let exact = GoRegex::new(&format!("^{}$", regex::escape(&text)));
            proptest::prop_assert!(exact.is_ok(), "{:?}", exact);
            if let Ok(exact) = exact {
                proptest::prop_assert!(exact.is_match(&text));
                proptest::prop_assert_eq!(exact.is_match(&other), text == other);
            }
        }
    }
}
