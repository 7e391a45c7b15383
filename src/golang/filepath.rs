//! Go's `filepath.Match` and `filepath.Clean`.
//!
//! Decides which names a glob matches. A star never crosses `/`, but a class may; matching is by bytes and
//! takes each run between two stars at its first fit, without going back. Facts: the Go 1.25 standard
//! library, path/filepath.

/// The pattern is malformed: it matches nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("syntax error in pattern")]
pub struct BadPattern;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Byte(u8),
    AnyChar,
    Class { negated: bool, ranges: Vec<(char, char)> },
}

/// A run of tokens, and whether a star stands before it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Chunk {
    star: bool,
    tokens: Vec<Token>,
}

/// A well-formed pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathPattern {
    chunks: Vec<Chunk>,
}

/// A part of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece<'p> {
    /// Text that stands for itself.
    Text(String),
    /// `*`
    Star,
    /// `?`
    AnyChar,
    /// `[...]`
    Class {
        /// Whether it stands for all other characters.
        negated: bool,
        /// Its characters, from and to.
        ranges: &'p [(char, char)],
    },
}

impl PathPattern {
    /// Reads a pattern.
    pub fn new(pattern: &str) -> Result<Self, BadPattern> {
        let mut chunks: Vec<Chunk> = Vec::new();
        let mut rest = pattern;
        while !rest.is_empty() {
            let tail = rest.trim_start_matches('*');
            let star = tail.len() < rest.len();
            rest = tail;
            let mut tokens = Vec::new();
            while let Some(first) = rest.chars().next() {
                match first {
                    '*' => break,
                    '?' => {
                        tokens.push(Token::AnyChar);
                        rest = rest.get(1..).unwrap_or_default();
                    }
                    '[' => {
                        let (class, after) = class(rest.get(1..).unwrap_or_default())?;
                        tokens.push(class);
                        rest = after;
                    }
                    '\\' => {
                        let escaped = rest.get(1..).unwrap_or_default();
                        let c = escaped.chars().next().ok_or(BadPattern)?;
                        push_bytes(&mut tokens, c);
                        rest = escaped.get(c.len_utf8()..).unwrap_or_default();
                    }
                    c => {
                        push_bytes(&mut tokens, c);
                        rest = rest.get(c.len_utf8()..).unwrap_or_default();
                    }
                }
            }
            chunks.push(Chunk { star, tokens });
        }
        Ok(Self { chunks })
    }

    /// What it is made of, in order.
    pub fn pieces(&self) -> Vec<Piece<'_>> {
        let mut pieces = Vec::new();
        for chunk in &self.chunks {
            if chunk.star {
                pieces.push(Piece::Star);
            }
            let mut text = Vec::new();
            let end = |text: &mut Vec<u8>, pieces: &mut Vec<Piece<'_>>| {
                if !text.is_empty() {
                    pieces.push(Piece::Text(String::from_utf8_lossy(&std::mem::take(text)).into_owned()));
                }
            };
            for token in &chunk.tokens {
                let piece = match token {
                    Token::Byte(byte) => {
                        text.push(*byte);
                        continue;
                    }
                    Token::AnyChar => Piece::AnyChar,
                    Token::Class { negated, ranges } => Piece::Class { negated: *negated, ranges },
                };
                end(&mut text, &mut pieces);
                pieces.push(piece);
            }
            end(&mut text, &mut pieces);
        }
        pieces
    }

    /// Whether the pattern fits the whole of `name`.
    pub fn matches(&self, name: &str) -> bool {
        let mut name = name.as_bytes();
        let mut chunks = self.chunks.iter();
        while let Some(chunk) = chunks.next() {
            let last = chunks.len() == 0;
            if chunk.star && chunk.tokens.is_empty() {
                return !name.contains(&b'/');
            }
            let fits = |at: &[u8]| -> Option<usize> {
                let left = fit(&chunk.tokens, at)?;
                (left == 0 || !last).then_some(left)
            };
            let mut found = fits(name);
            if found.is_none() && chunk.star {
                for (i, byte) in name.iter().enumerate() {
                    if *byte == b'/' {
                        break;
                    }
                    found = fits(name.get(i + 1..).unwrap_or_default());
                    if found.is_some() {
                        break;
                    }
                }
            }
            let Some(left) = found else { return false };
            name = name.get(name.len() - left..).unwrap_or_default();
        }
        name.is_empty()
    }
}

fn push_bytes(tokens: &mut Vec<Token>, c: char) {
    let mut buffer = [0; 4];
    tokens.extend(c.encode_utf8(&mut buffer).bytes().map(Token::Byte));
}

/// Reads a class after its `[`; gives it and what follows its `]`.
fn class(text: &str) -> Result<(Token, &str), BadPattern> {
    let (negated, mut rest) = match text.strip_prefix('^') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let mut ranges = Vec::new();
    loop {
        if let Some(after) = rest.strip_prefix(']')
            && !ranges.is_empty()
        {
            return Ok((Token::Class { negated, ranges }, after));
        }
        let low;
        (low, rest) = class_char(rest)?;
        let mut high = low;
        if let Some(after) = rest.strip_prefix('-') {
            (high, rest) = class_char(after)?;
        }
        ranges.push((low, high));
    }
}

/// One end of a range. Something must follow it, for the class is still open.
fn class_char(text: &str) -> Result<(char, &str), BadPattern> {
    if text.starts_with(['-', ']']) {
        return Err(BadPattern);
    }
    let text = text.strip_prefix('\\').unwrap_or(text);
    let c = text.chars().next().ok_or(BadPattern)?;
    let rest = text.get(c.len_utf8()..).filter(|rest| !rest.is_empty()).ok_or(BadPattern)?;
    Ok((c, rest))
}

/// The first character and its length; a byte that begins none counts as U+FFFD, one byte long.
fn decode(bytes: &[u8]) -> (char, usize) {
    (1..=4)
        .find_map(|n| std::str::from_utf8(bytes.get(..n)?).ok()?.chars().next().map(|c| (c, n)))
        .unwrap_or((char::REPLACEMENT_CHARACTER, 1))
}

/// How many bytes of `name` are left after the tokens, where they fit its beginning.
fn fit(tokens: &[Token], mut name: &[u8]) -> Option<usize> {
    for token in tokens {
        let first = *name.first()?;
        let length = match token {
            Token::Byte(byte) => {
                if *byte != first {
                    return None;
                }
                1
            }
            Token::AnyChar => {
                if first == b'/' {
                    return None;
                }
                decode(name).1
            }
            Token::Class { negated, ranges } => {
                let (c, length) = decode(name);
                if ranges.iter().any(|(low, high)| (*low..=*high).contains(&c)) == *negated {
                    return None;
                }
                length
            }
        };
        name = name.get(length..)?;
    }
    Some(name.len())
}

/// `filepath.Match`.
pub fn path_match(pattern: &str, name: &str) -> Result<bool, BadPattern> {
    Ok(PathPattern::new(pattern)?.matches(name))
}

/// Whether a path has anything in it that a glob reads in a way of its own.
pub fn has_meta(path: &str) -> bool {
    path.contains(['*', '?', '[', '\\'])
}

/// The glob that stands for exactly this path.
pub fn literally(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for c in path.chars() {
        if matches!(c, '*' | '?' | '[' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// `filepath.Clean`: the shortest spelling of a path, by its text alone.
pub fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if rooted => {}
            other => parts.push(other),
        }
    }
    match (rooted, parts.is_empty()) {
        (true, _) => format!("/{}", parts.join("/")),
        (false, true) => ".".to_owned(),
        (false, false) => parts.join("/"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_taken_at_its_first_fit() {
        assert_eq!(path_match("*[^a]*c", "x/c"), Ok(false));
        assert_eq!(path_match("[^a]", "/"), Ok(true));
        assert_eq!(path_match("a*", "a/b"), Ok(false));
        // Two stray bytes of the euro sign count as a character each.
        assert_eq!(path_match("*??b", "€b"), Ok(true));
        assert_eq!(path_match("a\\*b", "a*b"), Ok(true));
        assert_eq!(path_match("x[", "y"), Err(BadPattern));
    }

    #[test]
    fn paths_are_cleaned_by_text() {
        for (path, cleaned) in [
            ("/a//b/./c/..", "/a/b"),
            ("/../x", "/x"),
            ("../x", "../x"),
            ("", "."),
            ("a/..", "."),
            ("/", "/"),
        ] {
            assert_eq!(clean(path), cleaned, "{path}");
        }
    }
}
