//! Go's grammar of regular expressions, read into the intermediate form of the `regex` crate.
//!
//! Captures and greediness are dropped: only whether something matches is asked.

use regex_syntax::hir::{Class, ClassUnicode, Hir, Look, Repetition};

use super::SyntaxError;
use super::class;
use super::limits::{Budget, Measure, REPEAT};

const MISSING_ARGUMENT: &str = "missing argument to repetition operator";
const NESTED_REPEAT: &str = "invalid nested repetition operator";
const REPEAT_SIZE: &str = "invalid repeat count";
const TOO_DEEP: &str = "expression nests too deeply";
const TOO_LARGE: &str = "expression too large";
const MISSING_PAREN: &str = "missing closing )";
const UNEXPECTED_PAREN: &str = "unexpected )";
const PERL_OPERATOR: &str = "invalid or unsupported Perl syntax";
const NAMED_CAPTURE: &str = "invalid named capture";
const MISSING_BRACKET: &str = "missing closing ]";
const CLASS_RANGE: &str = "invalid character class range";
const BAD_ESCAPE: &str = "invalid escape sequence";
const TRAILING_BACKSLASH: &str = "trailing backslash at end of expression";

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Flags {
    fold: bool,
    multi_line: bool,
    dot_all: bool,
}

struct Item {
    hir: Hir,
    measure: Measure,
    /// A plain character, with its folding: neighbours of one kind are one node to Go.
    literal: Option<bool>,
}

/// What is open between a `(` and its `)`.
struct Level {
    alternatives: Vec<(Hir, Measure)>,
    items: Vec<Item>,
    /// The flags in force before the group.
    outer: Flags,
    capture: bool,
}

impl Level {
    fn new(outer: Flags, capture: bool) -> Self {
        Self { alternatives: Vec::new(), items: Vec::new(), outer, capture }
    }

    /// Ends the row of items under way.
    fn end_row(&mut self) {
        let items = std::mem::take(&mut self.items);
        let mut measures: Vec<Measure> = Vec::new();
        let mut previous = None;
        for item in &items {
            match measures.last_mut() {
                Some(last) if item.literal.is_some() && item.literal == previous => last.size += 1,
                _ => measures.push(item.measure),
            }
            previous = item.literal;
        }
        let hir = Hir::concat(items.into_iter().map(|item| item.hir).collect());
        self.alternatives.push((hir, Measure::group(measures.into_iter(), false)));
    }

    fn finish(mut self) -> (Hir, Measure) {
        self.end_row();
        let measure = Measure::group(self.alternatives.iter().map(|(_, measure)| *measure), true);
        (Hir::alternation(self.alternatives.into_iter().map(|(hir, _)| hir).collect()), measure)
    }
}

struct Parser<'p> {
    whole: &'p str,
    rest: &'p str,
    flags: Flags,
    levels: Vec<Level>,
    current: Level,
    budget: Budget,
}

/// Reads a whole pattern.
pub(super) fn parse(pattern: &str) -> Result<Hir, SyntaxError> {
    let flags = Flags::default();
    let mut parser = Parser {
        whole: pattern,
        rest: pattern,
        flags,
        levels: Vec::new(),
        current: Level::new(flags, false),
        budget: Budget::new(),
    };
    parser.run()?;
    let Parser { whole, levels, current, budget, .. } = parser;
    if !levels.is_empty() {
        return Err(SyntaxError::new(MISSING_PAREN, whole));
    }
    let (hir, measure) = current.finish();
    check(whole, measure, &budget)?;
    Ok(hir)
}

fn check(whole: &str, measure: Measure, budget: &Budget) -> Result<(), SyntaxError> {
    if measure.too_large(budget) {
        return Err(SyntaxError::new(TOO_LARGE, whole));
    }
    if measure.too_deep() {
        return Err(SyntaxError::new(TOO_DEEP, whole));
    }
    Ok(())
}

impl<'p> Parser<'p> {
    fn run(&mut self) -> Result<(), SyntaxError> {
        // Where the repetition operator just read begins: another may not follow it.
        let mut last_repeat: Option<&'p str> = None;
        while let Some(c) = self.rest.chars().next() {
            let at = self.rest;
            let mut repeat = None;
            match c {
                '(' if at.starts_with("(?") => self.perl_group()?,
                '(' => {
                    self.skip(1);
                    self.open(true);
                }
                ')' => self.close()?,
                '|' => {
                    self.skip(1);
                    self.current.end_row();
                }
                '^' => self.look(1, if self.flags.multi_line { Look::StartLF } else { Look::Start })?,
                '$' => self.look(1, if self.flags.multi_line { Look::EndLF } else { Look::End })?,
                '.' => {
                    self.skip(1);
                    let all = if self.flags.dot_all {
                        class::of(&[('\0', char::MAX)])
                    } else {
                        class::of(&[('\0', '\u{9}'), ('\u{b}', char::MAX)])
                    };
                    self.class(all)?;
                }
                '[' => self.bracket()?,
                '*' | '+' | '?' => {
                    self.skip(1);
                    let (min, max) = match c {
                        '*' => (0, None),
                        '+' => (1, None),
                        _ => (0, Some(1)),
                    };
                    self.repeat(at, last_repeat, min, max, Some(c))?;
                    repeat = Some(at);
                }
                '{' => match counts(at) {
                    None => {
                        self.skip(1);
                        self.character('{')?;
                    }
                    Some((counts, rest)) => {
                        self.rest = rest;
                        let Some((min, max)) = counts else {
                            return Err(SyntaxError::new(REPEAT_SIZE, self.since(at)));
                        };
                        self.repeat(at, last_repeat, min, max, None)?;
                        repeat = Some(at);
                    }
                },
                '\\' => self.backslash()?,
                c => {
                    self.skip(c.len_utf8());
                    self.character(c)?;
                }
            }
            last_repeat = repeat;
        }
        Ok(())
    }

    fn skip(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }

    /// The text read since `start`.
    fn since(&self, start: &'p str) -> &'p str {
        start.get(..start.len() - self.rest.len()).unwrap_or_default()
    }

    fn push(&mut self, hir: Hir, measure: Measure, literal: Option<bool>) -> Result<(), SyntaxError> {
        self.budget.node();
        check(self.whole, measure, &self.budget)?;
        self.current.items.push(Item { hir, measure, literal });
        Ok(())
    }

    fn look(&mut self, bytes: usize, look: Look) -> Result<(), SyntaxError> {
        self.skip(bytes);
        self.push(Hir::look(look), Measure::leaf(), None)
    }

    fn class(&mut self, class: ClassUnicode) -> Result<(), SyntaxError> {
        let single = match class.ranges() {
            [range] if range.start() == range.end() => Some(false),
            _ => None,
        };
        self.push(Hir::class(Class::Unicode(class)), Measure::leaf(), single)
    }

    fn character(&mut self, c: char) -> Result<(), SyntaxError> {
        let alone = class::of(&[(c, c)]);
        let fold = self.flags.fold;
        let class = if fold { class::folded(alone) } else { alone };
        let fold = fold && class.ranges().len() > 1;
        self.push(Hir::class(Class::Unicode(class)), Measure::leaf(), Some(fold))
    }

    /// A character given by number; no text holds a surrogate.
    fn code_point(&mut self, point: u32) -> Result<(), SyntaxError> {
        match char::from_u32(point) {
            Some(c) => self.character(c),
            None => self.class(ClassUnicode::empty()),
        }
    }

    fn open(&mut self, capture: bool) {
        self.budget.node();
        let level = Level::new(self.flags, capture);
        self.levels.push(std::mem::replace(&mut self.current, level));
    }

    fn close(&mut self) -> Result<(), SyntaxError> {
        self.skip(1);
        let Some(outer) = self.levels.pop() else {
            return Err(SyntaxError::new(UNEXPECTED_PAREN, self.whole));
        };
        let inner = std::mem::replace(&mut self.current, outer);
        self.flags = inner.outer;
        let capture = inner.capture;
        let (hir, measure) = inner.finish();
        self.push(hir, if capture { measure.capture() } else { measure }, None)
    }

    /// `operator` is absent for `{min,max}`.
    fn repeat(
        &mut self,
        before: &'p str,
        last_repeat: Option<&'p str>,
        min: u32,
        max: Option<u32>,
        operator: Option<char>,
    ) -> Result<(), SyntaxError> {
        if self.rest.starts_with('?') {
            self.skip(1);
        }
        if let Some(last) = last_repeat {
            return Err(SyntaxError::new(NESTED_REPEAT, self.since(last)));
        }
        let Some(item) = self.current.items.pop() else {
            return Err(SyntaxError::new(MISSING_ARGUMENT, self.since(before)));
        };
        let measure = match operator {
            Some(operator) => item.measure.operator(operator),
            None => {
                self.budget.repeat(min, max);
                item.measure.counted(min, max)
            }
        };
        let sub = Box::new(item.hir);
        let hir = Hir::repetition(Repetition { min, max, greedy: true, sub });
        self.push(hir, measure, None)?;
        if operator.is_none() && (min >= 2 || max.is_some_and(|max| max >= 2)) && measure.repeats_too_often()
        {
            return Err(SyntaxError::new(REPEAT_SIZE, self.since(before)));
        }
        Ok(())
    }

    /// `(?flags)`, `(?flags:`, `(?P<name>` and `(?<name>`.
    fn perl_group(&mut self) -> Result<(), SyntaxError> {
        let start = self.rest;
        let name_at = if start.len() > 4 && start.starts_with("(?P<") {
            Some(4)
        } else if start.len() > 3 && start.starts_with("(?<") {
            Some(3)
        } else {
            None
        };
        if let Some(name_at) = name_at {
            let Some(end) = start.find('>') else {
                return Err(SyntaxError::new(NAMED_CAPTURE, start));
            };
            let name = start.get(name_at..end).unwrap_or_default();
            self.skip(end + 1);
            if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
                return Err(SyntaxError::new(NAMED_CAPTURE, self.since(start)));
            }
            self.open(true);
            return Ok(());
        }
        self.skip(2);
        let (mut flags, mut on, mut seen) = (self.flags, true, false);
        while let Some(c) = self.rest.chars().next() {
            self.skip(c.len_utf8());
            match c {
                'i' => flags.fold = on,
                'm' => flags.multi_line = on,
                's' => flags.dot_all = on,
                'U' => {}
                '-' if on => {
                    (on, seen) = (false, false);
                    continue;
                }
                ':' | ')' if on || seen => {
                    if c == ':' {
                        self.open(false);
                    }
                    self.flags = flags;
                    return Ok(());
                }
                _ => break,
            }
            seen = true;
        }
        Err(SyntaxError::new(PERL_OPERATOR, self.since(start)))
    }

    fn backslash(&mut self) -> Result<(), SyntaxError> {
        let start = self.rest;
        let Some(letter) = start.chars().nth(1) else {
            return Err(SyntaxError::new(TRAILING_BACKSLASH, ""));
        };
        match letter {
            'A' => self.look(2, Look::Start),
            'z' => self.look(2, Look::End),
            'b' => self.look(2, Look::WordAscii),
            'B' => self.look(2, Look::WordAsciiNegate),
            'C' => Err(SyntaxError::new(BAD_ESCAPE, "\\C")),
            'Q' => {
                let quoted = start.get(2..).unwrap_or_default();
                let (literal, rest) = quoted.split_once("\\E").unwrap_or((quoted, ""));
                self.rest = rest;
                literal.chars().try_for_each(|c| self.character(c))
            }
            _ => match self.class_escape()? {
                Some(class) => self.class(class),
                None => {
                    let point = self.escape()?;
                    self.code_point(point)
                }
            },
        }
    }

    fn group(&self, (class, negated): (ClassUnicode, bool)) -> ClassUnicode {
        let mut class = if self.flags.fold { class::folded(class) } else { class };
        if negated {
            class.negate();
        }
        class
    }

    /// `\d`, `\pL`, `\p{Greek}` and the like, where one stands here.
    fn class_escape(&mut self) -> Result<Option<ClassUnicode>, SyntaxError> {
        let start = self.rest;
        let mut chars = start.chars();
        if chars.next() != Some('\\') {
            return Ok(None);
        }
        let Some(letter) = chars.next() else { return Ok(None) };
        if let Some(perl) = class::perl(letter) {
            self.skip(2);
            return Ok(Some(self.group(perl)));
        }
        if !matches!(letter, 'p' | 'P') {
            return Ok(None);
        }
        let name = match chars.next() {
            Some('{') => match start.find('}') {
                Some(end) => {
                    self.skip(end + 1);
                    start.get(3..end).unwrap_or_default()
                }
                None => return Err(SyntaxError::new(CLASS_RANGE, start)),
            },
            single => {
                let length = single.map_or(0, char::len_utf8);
                self.skip(2 + length);
                start.get(2..2 + length).unwrap_or_default()
            }
        };
        let (inverted, name) = name.strip_prefix('^').map_or((false, name), |rest| (true, rest));
        match class::unicode(name) {
            Some(table) => Ok(Some(self.group((table, inverted != (letter == 'P'))))),
            None => Err(SyntaxError::new(CLASS_RANGE, self.since(start))),
        }
    }

    /// A character by its escape.
    fn escape(&mut self) -> Result<u32, SyntaxError> {
        let start = self.rest;
        self.skip(1);
        let Some(c) = self.rest.chars().next() else {
            return Err(SyntaxError::new(TRAILING_BACKSLASH, ""));
        };
        self.skip(c.len_utf8());
        let octal = |text: &str| text.chars().next().and_then(|c| c.to_digit(8));
        match c {
            '1'..='7' if octal(self.rest).is_none() => {}
            '0'..='7' => {
                let mut value = c.to_digit(8).unwrap_or(0);
                for _ in 1..3 {
                    let Some(digit) = octal(self.rest) else { break };
                    value = value * 8 + digit;
                    self.skip(1);
                }
                return Ok(value);
            }
            'x' => {
                if let Some(value) = self.hexadecimal() {
                    return Ok(value);
                }
            }
            'a' => return Ok(7),
            'f' => return Ok(12),
            'n' => return Ok(10),
            'r' => return Ok(13),
            't' => return Ok(9),
            'v' => return Ok(11),
            c if c.is_ascii() && !c.is_ascii_alphanumeric() => return Ok(u32::from(c)),
            _ => {}
        }
        Err(SyntaxError::new(BAD_ESCAPE, self.since(start)))
    }

    /// What follows `\x`: two digits, or any number of them in braces.
    fn hexadecimal(&mut self) -> Option<u32> {
        let mut next = || {
            let c = self.rest.chars().next()?;
            self.rest = self.rest.get(c.len_utf8()..)?;
            Some(c)
        };
        let first = next()?;
        if first != '{' {
            let second = next();
            return Some(first.to_digit(16)? * 16 + second?.to_digit(16)?);
        }
        let mut value = None;
        loop {
            match next()? {
                '}' => return value,
                digit => {
                    let longer = value.unwrap_or(0) * 16 + digit.to_digit(16)?;
                    if longer > u32::from(char::MAX) {
                        return None;
                    }
                    value = Some(longer);
                }
            }
        }
    }

    fn bracket(&mut self) -> Result<(), SyntaxError> {
        let whole = self.rest;
        self.skip(1);
        let negated = self.rest.starts_with('^');
        if negated {
            self.skip(1);
        }
        let mut class = ClassUnicode::empty();
        let mut first = true;
        while first || !self.rest.starts_with(']') {
            first = false;
            if let Some(rest) = self.rest.strip_prefix("[:")
                && let Some((name, after)) = rest.split_once(":]")
            {
                let Some(group) = class::posix(name) else {
                    return Err(SyntaxError::new(CLASS_RANGE, format!("[:{name}:]")));
                };
                self.rest = after;
                class.union(&self.group(group));
                continue;
            }
            if let Some(group) = self.class_escape()? {
                class.union(&group);
                continue;
            }
            let start = self.rest;
            let low = self.class_character(whole)?;
            let mut high = low;
            if self.rest.len() >= 2 && self.rest.starts_with('-') && !self.rest.starts_with("-]") {
                self.skip(1);
                high = self.class_character(whole)?;
                if high < low {
                    return Err(SyntaxError::new(CLASS_RANGE, self.since(start)));
                }
            }
            let range = class::of_code_points(low, high);
            class.union(&if self.flags.fold { class::folded(range) } else { range });
        }
        self.skip(1);
        if negated {
            class.negate();
        }
        self.class(class)
    }

    fn class_character(&mut self, whole: &str) -> Result<u32, SyntaxError> {
        match self.rest.chars().next() {
            None => Err(SyntaxError::new(MISSING_BRACKET, whole)),
            Some('\\') => self.escape(),
            Some(c) => {
                self.skip(c.len_utf8());
                Ok(u32::from(c))
            }
        }
    }
}

type Counts = (u32, Option<u32>);

/// `{min}`, `{min,}` or `{min,max}` and what follows. `None`: it is no repetition and `{` is itself;
/// `Some((None, _))`: the counts are out of bounds.
fn counts(text: &str) -> Option<(Option<Counts>, &str)> {
    let (min, rest) = count(text.strip_prefix('{')?)?;
    let (max, rest) = match rest.strip_prefix(',') {
        None => (Some(min), rest),
        Some(rest) if rest.starts_with('}') => (None, rest),
        Some(rest) => count(rest).map(|(max, rest)| (Some(max), rest))?,
    };
    let rest = rest.strip_prefix('}')?;
    let fits = min <= REPEAT && max.is_none_or(|max| max <= REPEAT && min <= max);
    Some((fits.then_some((min, max)), rest))
}

/// A decimal number without leading zeros; one that is too long counts as the largest.
fn count(text: &str) -> Option<(u32, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    if digits.is_empty() || (digits.len() > 1 && digits.starts_with('0')) {
        return None;
    }
    Some((digits.parse().unwrap_or(u32::MAX), rest))
}
