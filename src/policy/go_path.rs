//! Go's `filepath.Match` and `filepath.Glob`, with the host's files in place of the machine's.
//!
//! Decides which files a glob of a `valid_*` list stands for in the Go runtimes. A star never
//! crosses `/`, but a class may; matching is by bytes and takes each run between two stars at its
//! first fit, without going back. Facts: the Go 1.25 standard library, path/filepath.

use std::sync::Arc;

use crate::input::Host;
use crate::input::host::{Expansion, FileKind};

/// The pattern is malformed: it matches nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("syntax error in pattern")]
pub struct BadPattern;

/// How many folders deep a glob may nest before Go calls it malformed.
const DEPTH_LIMIT: usize = 10_000;

/// How many names one glob looks at before it is given up. Go would go on: `/*/*/*/*` through `/proc` has
/// no end that anybody waits for.
const GLOB_LIMIT: usize = 1 << 20;

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

fn has_meta(path: &str) -> bool {
    path.contains(['*', '?', '[', '\\'])
}

/// `filepath.Glob`: the files of the host that a pattern stands for. A malformed pattern stands for
/// none; the Go runtimes never look at the error. The answer is remembered by the host.
pub fn glob(host: &Host, pattern: &str) -> Arc<Expansion> {
    host.remembered_glob(pattern, || {
        let mut left = GLOB_LIMIT;
        let files = expand(host, pattern, 0, &mut left).unwrap_or_default();
        Expansion { files, whole: left > 0 && host.sees_all() }
    })
}

/// Whether the glob stands for `path` (and maybe others): the same answer as looking for it among all of
/// them, without listing any folder that `path` is not in. The answer is remembered by the host. A file that
/// nobody can look for is taken for granted where the text of the glob fits it.
pub fn glob_has(host: &Host, pattern: &str, path: &str) -> bool {
    let files = if host.knows(path) { Some(host) } else { None };
    // No folder lists `..`, so no star ever stands for it.
    if files.is_none() && has_meta(pattern) && clean(path) != path {
        return false;
    }
    let has = host.remembered_match(pattern, path, || has(files, pattern, path, 0));
    has && (files.is_some() || host.exists(path))
}

/// `host` is `None` where only the texts can be compared.
fn has(host: Option<&Host>, pattern: &str, path: &str, depth: usize) -> bool {
    if depth == DEPTH_LIMIT || PathPattern::new(pattern).is_err() {
        return false;
    }
    if !has_meta(pattern) {
        return pattern == path && host.is_none_or(|host| host.lstat(pattern).is_ok());
    }
    let (folder, file) = split(pattern);
    let (parent, name) = match path.rsplit_once('/') {
        Some(("", name)) => ("/", name),
        Some((parent, name)) => (parent, name),
        None => (".", path),
    };
    if !PathPattern::new(file).is_ok_and(|file| file.matches(name)) {
        return false;
    }
    let listed = if has_meta(folder) { parent } else { folder };
    let in_folder =
        if has_meta(folder) { has(host, folder, parent, depth + 1) } else { clean(folder) == parent };
    let there = |host: &Host| {
        host.stat(listed).map(|s| s.kind) == Ok(FileKind::Directory)
            && host.read_dir(listed).is_ok_and(|names| names.iter().any(|n| n == name))
    };
    in_folder && host.is_none_or(there)
}

/// The folder part of a glob as Go lists it, and what its names have to match.
fn split(pattern: &str) -> (&str, &str) {
    let (folder, file) = match pattern.rfind('/') {
        Some(slash) => pattern.split_at(slash + 1),
        None => ("", pattern),
    };
    let folder = match folder {
        "" => ".",
        "/" => "/",
        longer => longer.strip_suffix('/').unwrap_or(longer),
    };
    (folder, file)
}

fn expand(host: &Host, pattern: &str, depth: usize, left: &mut usize) -> Result<Vec<String>, BadPattern> {
    if depth == DEPTH_LIMIT {
        return Err(BadPattern);
    }
    PathPattern::new(pattern)?;
    if !has_meta(pattern) {
        let found = host.knows(pattern) && host.lstat(pattern).is_ok();
        return Ok(if found { vec![pattern.to_owned()] } else { Vec::new() });
    }
    let (folder, file) = split(pattern);
    let file = PathPattern::new(file)?;
    let mut found = Vec::new();
    if has_meta(folder) {
        for folder in expand(host, folder, depth + 1, left)? {
            list(host, &folder, &file, &mut found, left);
        }
    } else {
        list(host, folder, &file, &mut found, left);
    }
    Ok(found)
}

fn list(host: &Host, folder: &str, file: &PathPattern, found: &mut Vec<String>, left: &mut usize) {
    if *left == 0 || !host.knows(folder) || host.stat(folder).map(|s| s.kind) != Ok(FileKind::Directory) {
        return;
    }
    if let Ok(names) = host.read_dir(folder) {
        let read = names.len().min(*left);
        *left -= read;
        let names = names.iter().take(read).filter(|n| file.matches(n));
        found.extend(names.map(|n| clean(&format!("{folder}/{n}"))));
    }
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
    use crate::input::host::{HostFacts, MemoryFiles};

    fn host() -> Host {
        let files = MemoryFiles::new()
            .file("/opt/kata/bin/qemu", 0o755, "x")
            .file("/opt/kata/bin/qemu-old", 0o755, "x")
            .file("/opt/kata/bin/.hidden", 0o755, "x")
            .file("/opt/other/bin/qemu", 0o755, "x")
            .file("/opt/a*b", 0o644, "x")
            .link("/usr/bin", "/opt/kata/bin")
            .link("/opt/dangling", "/nowhere");
        Host::new(HostFacts::default(), Arc::new(files))
    }

    fn found(pattern: &str) -> Vec<String> {
        glob(&host(), pattern).files.clone()
    }

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
    fn globs_expand_on_the_host() {
        assert_eq!(found("/opt/*/bin/qemu"), ["/opt/kata/bin/qemu", "/opt/other/bin/qemu"]);
        assert_eq!(found("/usr/bin/q*"), ["/usr/bin/qemu", "/usr/bin/qemu-old"]);
        assert_eq!(found("/usr/bin/*"), ["/usr/bin/.hidden", "/usr/bin/qemu", "/usr/bin/qemu-old"]);
        assert_eq!(found("/opt//kata/../kata/bin/qemu-*"), ["/opt/kata/bin/qemu-old"]);
        assert_eq!(found("/opt//kata/bin/qemu"), ["/opt//kata/bin/qemu"]);
        assert_eq!(found("/opt/d*"), ["/opt/dangling"]);
        assert_eq!(found("/opt/dangling"), ["/opt/dangling"]);
        assert_eq!(found("/opt/a\\*b"), ["/opt/a*b"]);
        assert!(found("/opt/[").is_empty());
        assert!(found("/opt/*/").is_empty());
        assert!(found("/*kata*").is_empty());
        assert!(found("").is_empty());
    }

    #[test]
    fn one_path_is_found_without_the_others() {
        for (pattern, path, has) in [
            ("/opt/*/bin/qemu", "/opt/kata/bin/qemu", true),
            ("/opt//kata/../kata/bin/qemu-*", "/opt/kata/bin/qemu-old", true),
            ("/opt//kata/../kata/bin/qemu-*", "/opt//kata/../kata/bin/qemu-old", false),
            ("/opt//kata/bin/qemu", "/opt//kata/bin/qemu", true),
            ("/opt//kata/bin/qemu", "/opt/kata/bin/qemu", false),
            ("/opt/d*", "/opt/dangling", true),
            ("/opt/*/", "/opt/kata/", false),
            ("o*", "opt", true),
            ("*", "", false),
        ] {
            assert_eq!(glob_has(&host(), pattern, path), has, "{pattern} {path}");
            assert_eq!(found(pattern).iter().any(|f| f == path), has, "{pattern} {path}");
        }
    }

    #[test]
    fn a_glob_over_too_much_is_given_up_and_says_so() {
        let folders = (0..1100).map(|i| format!("/d/{i}/x"));
        let files = folders.fold(MemoryFiles::new(), |files, path| files.file(&path, 0o644, ""));
        // Every folder leads back to the first.
        let files = files.link("/d/up", "/d");
        let host = Host::new(HostFacts::default(), Arc::new(files));
        assert!(glob(&host, "/d/*/*").whole);
        let all = glob(&host, "/d/*/*/*/*/*/*/*/*/*/*");
        assert!(all.whole);
        let loops: String = (0..60).map(|_| "/*").collect();
        assert!(glob(&host, &format!("/d{loops}")).files.len() <= GLOB_LIMIT);
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

    proptest::proptest! {
        #[test]
        fn a_glob_stands_for_the_files_it_matches(pattern in "(/([a-c]|\\*|\\?|\\[ab\\]|\\[\\^a\\]){1,3}){1,3}") {
            let files = ["/a", "/b/a", "/b/ab", "/b/c/a", "/cb/a", "/cb/ca/bb", "/abc"];
            let host = Host::new(
                HostFacts::default(),
                Arc::new(files.iter().fold(MemoryFiles::new(), |all, f| all.file(f, 0o644, ""))),
            );
            let folders = ["/b", "/b/c", "/cb", "/cb/ca"];
            // A class that does not hold `/` keeps each part of the pattern to one part of the path.
            let deep = |path: &str| path.matches('/').count();
            let mut expected: Vec<&str> = files
                .into_iter()
                .chain(folders)
                .filter(|f| deep(f) == deep(&pattern) && path_match(&pattern, f) == Ok(true))
                .collect();
            expected.sort();
            let mut found = glob(&host, &pattern).files.clone();
            found.sort();
            proptest::prop_assert_eq!(&found, &expected);
            for path in files.into_iter().chain(folders).chain(["/", "/b/", "a", "/b//a", "/nope", ""]) {
                let has = found.iter().any(|f| f == path);
                proptest::prop_assert_eq!(glob_has(&host, &pattern, path), has, "{}", path);
            }
        }

        #[test]
        fn no_pattern_is_too_odd(pattern in ".{0,10}", name in ".{0,10}") {
            let _ = path_match(&pattern, &name);
            for path in glob(&host(), &pattern).files.iter() {
                proptest::prop_assert!(glob_has(&host(), &pattern, path));
            }
        }
    }
}
