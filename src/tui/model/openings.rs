//! What can be opened from inside the program: words as on the command line, those that were opened before, and
//! those that somebody keeps.

/// How many openings are remembered.
pub const RECENT: usize = 20;
/// The longest that is.
pub const LONGEST: usize = 2000;

/// What the opened is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// It takes the place of what is open.
    Instead,
    /// Launch and agent are compared with it.
    Compare,
}

/// Openings of before, the newest first; each a line of words as a shell reads them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Openings {
    /// What was opened.
    pub recent: Vec<String>,
    /// What is kept.
    pub bookmarks: Vec<String>,
    /// Whether what is opened is remembered.
    pub remembers: bool,
}

impl Openings {
    /// Notes what was opened; whether that is anything new.
    pub fn note(&mut self, line: &str) -> bool {
        if !self.remembers || line.is_empty() || line.len() > LONGEST {
            return false;
        }
        if self.recent.first().is_some_and(|first| first == line) {
            return false;
        }
        self.recent.retain(|other| other != line);
        self.recent.insert(0, line.to_owned());
        self.recent.truncate(RECENT);
        true
    }

    /// Keeps a line, or drops it; whether it is kept now.
    pub fn toggle(&mut self, line: &str) -> bool {
        let before = self.bookmarks.len();
        self.bookmarks.retain(|other| other != line);
        let kept = self.bookmarks.len() == before;
        if kept {
            self.bookmarks.insert(0, line.to_owned());
            self.bookmarks.truncate(RECENT);
        }
        kept
    }

    /// What is offered: the bookmarks, then what was opened before.
    pub fn offered(&self) -> Vec<(bool, &str)> {
        let kept = self.bookmarks.iter().map(|line| (true, line.as_str()));
        let recent = self.recent.iter().filter(|line| !self.bookmarks.contains(line));
        kept.chain(recent.map(|line| (false, line.as_str()))).collect()
    }
}

/// A line in words, as a shell would read them; `None`: a quotation mark has no end.
pub fn words(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (Some(end), letter) if letter == end => quote = None,
            (Some('"') | None, '\\') => word.get_or_insert_default().extend(letters.next()),
            (Some(_), letter) => word.get_or_insert_default().push(letter),
            (None, '\'' | '"') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (None, letter) if letter.is_whitespace() => words.extend(word.take()),
            (None, letter) => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_words_as_in_a_shell() {
        let split = |line: &str| words(line).unwrap();
        assert_eq!(split("-c 'a b.toml'  pods.yaml"), ["-c", "a b.toml", "pods.yaml"]);
        assert_eq!(split(r#"--set "k=a \"b\"" c\ d"#), ["--set", "k=a \"b\"", "c d"]);
        assert_eq!(split("''"), [""]);
        assert!(split("  ").is_empty());
        assert_eq!(words("-c 'a"), None);
    }

    #[test]
    fn what_was_opened_is_bounded_and_told_once() {
        let mut openings = Openings { remembers: true, ..Openings::default() };
        for number in 0..30 {
            assert!(openings.note(&format!("-c {number}")));
        }
        assert_eq!((openings.recent.len(), openings.recent[0].as_str()), (RECENT, "-c 29"));
        assert!(!openings.note("-c 29"));
        assert!(openings.toggle("-c 20") && openings.offered()[0] == (true, "-c 20"));
        assert_eq!(openings.offered().len(), RECENT);
        assert!(!openings.toggle("-c 20"));
        openings.remembers = false;
        assert!(!openings.note("new"));
    }
}
