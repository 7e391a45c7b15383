//! The one language in which a person says which pods, annotations, keys and cells are meant.
//!
//! Words stand side by side and all must be found; `!word` must not be. `column:text` looks in that column
//! alone, `column=text` wants the whole of it, and the name of an annotation is a column, too, whose value is
//! looked at (`default_vcpus:4`). Quotation marks keep spaces together. Upper and lower case are the same.
//! Any text is a query: what names no column is a word like others.

use memchr::memmem::Finder;

/// What a column can be; each list has some of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Column {
    /// A pod's name, or its namespace and name.
    Pod,
    /// Its namespace.
    Namespace,
    /// What kind of object it stands in.
    Kind,
    /// Its RuntimeClass.
    Class,
    /// The handler that serves it.
    Handler,
    /// The release that judges it.
    Release,
    /// What becomes of it: starts, refused, not-kata, unknown.
    Outcome,
    /// Why, with the stage.
    Reason,
    /// The node.
    Node,
    /// The key of an annotation or of the configuration.
    Key,
    /// The value of one.
    Value,
    /// Where a value comes from.
    Origin,
    /// The file it stands in.
    File,
}

impl Column {
    /// Every column with the words that name it, the first of which is its own.
    pub const NAMES: [(Self, &'static [&'static str]); 13] = [
        (Self::Pod, &["pod", "name"]),
        (Self::Namespace, &["namespace", "ns"]),
        (Self::Kind, &["kind"]),
        (Self::Class, &["class", "runtimeclass"]),
        (Self::Handler, &["handler"]),
        (Self::Release, &["release", "version"]),
        (Self::Outcome, &["outcome", "status", "becomes"]),
        (Self::Reason, &["reason", "why", "stage"]),
        (Self::Node, &["node"]),
        (Self::Key, &["annotation", "key"]),
        (Self::Value, &["value"]),
        (Self::Origin, &["origin"]),
        (Self::File, &["file"]),
    ];

    /// The column of that name.
    pub fn named(name: &str) -> Option<Self> {
        let is_it = |names: &[&str]| names.iter().any(|own| own.eq_ignore_ascii_case(name));
        Self::NAMES.iter().find(|(_, names)| is_it(names)).map(|(column, _)| *column)
    }

    /// Its own name.
    pub fn as_str(self) -> &'static str {
        let names = Self::NAMES.iter().find(|(column, _)| *column == self);
        names.and_then(|(_, names)| names.first()).copied().unwrap_or_default()
    }
}

/// A text that is looked for.
#[derive(Debug, Clone)]
pub struct Word {
    lower: String,
    finder: Finder<'static>,
    whole: bool,
}

impl Word {
    fn new(text: &str, whole: bool) -> Self {
        let lower = text.to_lowercase();
        let finder = Finder::new(lower.as_bytes()).into_owned();
        Self { lower, finder, whole }
    }

    /// Whether `text` has it, or is it where the whole is wanted.
    pub fn is_in(&self, text: &str) -> bool {
        let plain = |byte: u8| byte.is_ascii() && !byte.is_ascii_uppercase();
        if text.bytes().all(plain) { self.is_in_lower(text) } else { self.is_in_lower(&text.to_lowercase()) }
    }

    /// The same of a text in lower case.
    pub fn is_in_lower(&self, text: &str) -> bool {
        if self.whole { text == self.lower } else { self.is_part_of_lower(text) }
    }

    /// Whether a text in lower case has it somewhere, also where the whole is wanted.
    pub fn is_part_of_lower(&self, text: &str) -> bool {
        self.finder.find(text.as_bytes()).is_some()
    }
}

/// What may be the name of an annotation or a key.
#[derive(Debug, Clone)]
pub struct Name {
    text: Box<str>,
    finder: Finder<'static>,
}

impl Name {
    fn new(text: &str) -> Self {
        let finder = Finder::new(text.to_lowercase().as_bytes()).into_owned();
        Self { text: text.into(), finder }
    }

    /// Whether it is this name.
    pub fn is(&self, name: &str) -> bool {
        name.eq_ignore_ascii_case(&self.text)
    }

    /// Whether a text in lower case has it somewhere: where not, nothing in it is of that name.
    pub fn may_be_in_lower(&self, text: &str) -> bool {
        self.finder.find(text.as_bytes()).is_some()
    }
}

/// A text with a colon or an equals sign in it.
#[derive(Debug, Clone)]
pub struct NamedValue {
    /// What stands before the sign.
    pub name: Name,
    /// What stands behind it.
    pub value: Word,
    /// All of it.
    pub term: Word,
}

/// Something that can be found.
pub trait Searched {
    /// Whether any column has the word, or any text beside the columns.
    fn anywhere(&self, word: &Word) -> bool;

    /// Whether this column has it.
    fn column(&self, column: Column, word: &Word) -> bool;

    /// Whether the annotation or key of that name has that value; where there is none of the name, whether the
    /// term is found as it stands.
    fn named(&self, wanted: &NamedValue) -> bool {
        self.anywhere(&wanted.term)
    }
}

/// A text is a thing of one column.
impl Searched for str {
    fn anywhere(&self, word: &Word) -> bool {
        word.is_in(self)
    }

    fn column(&self, _column: Column, _word: &Word) -> bool {
        false
    }
}

#[derive(Debug, Clone)]
enum Wanted {
    Anywhere(Word),
    Column(Column, Word),
    /// What may be the name of an annotation; where it is none, the term is a word as it stands.
    Named(Box<NamedValue>),
}

#[derive(Debug, Clone)]
struct Term {
    negated: bool,
    wanted: Wanted,
}

/// What is looked for. Made of any text; the empty one keeps everything.
#[derive(Debug, Clone, Default)]
pub struct Query {
    terms: Vec<Term>,
}

impl Query {
    /// Reads a text.
    pub fn parse(text: &str) -> Self {
        Self { terms: split(text).iter().filter_map(Piece::term).collect() }
    }

    /// Whether it keeps everything.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether it keeps `thing`.
    pub fn keeps<T: Searched + ?Sized>(&self, thing: &T) -> bool {
        self.terms.iter().all(|term| {
            let found = match &term.wanted {
                Wanted::Anywhere(word) => thing.anywhere(word),
                Wanted::Column(column, word) => thing.column(*column, word),
                Wanted::Named(wanted) => thing.named(wanted),
            };
            found != term.negated
        })
    }

    /// What stands before a colon or an equals sign and is no column: the name of an annotation, or a slip.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.terms.iter().filter_map(|term| match &term.wanted {
            Wanted::Named(named) => Some(&*named.name.text),
            Wanted::Anywhere(_) | Wanted::Column(..) => None,
        })
    }
}

/// One term as it was typed.
#[derive(Debug, Default)]
struct Piece {
    negated: bool,
    /// The text without quotation marks, up to the sign that ends a name.
    name: Option<(String, bool)>,
    text: String,
    quoted: bool,
}

impl Piece {
    /// What it wants; `None` where nothing was typed yet.
    fn term(&self) -> Option<Term> {
        let wanted = match &self.name {
            None if self.text.is_empty() => return None,
            None => Wanted::Anywhere(Word::new(&self.text, false)),
            // `ns:` waits for what follows.
            Some(_) if self.text.is_empty() && !self.quoted => return None,
            Some((name, whole)) => match Column::named(name) {
                Some(column) => Wanted::Column(column, Word::new(&self.text, *whole)),
                None => {
                    let sign = if *whole { '=' } else { ':' };
                    let named = NamedValue {
                        name: Name::new(name),
                        value: Word::new(&self.text, *whole),
                        term: Word::new(&format!("{name}{sign}{}", self.text), false),
                    };
                    Wanted::Named(named.into())
                }
            },
        };
        Some(Term { negated: self.negated, wanted })
    }
}

/// The terms of a text.
fn split(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut piece = Piece::default();
    let (mut started, mut inside) = (false, false);
    for c in text.chars() {
        match c {
            '"' => {
                inside = !inside;
                (piece.quoted, started) = (true, true);
            }
            c if c.is_whitespace() && !inside => {
                if started {
                    pieces.push(std::mem::take(&mut piece));
                }
                started = false;
            }
            '!' if !started => (piece.negated, started) = (true, true),
            ':' | '=' if !inside && piece.name.is_none() && !piece.text.is_empty() && !piece.quoted => {
                piece.name = Some((std::mem::take(&mut piece.text), c == '='));
            }
            c => {
                piece.text.push(c);
                started = true;
            }
        }
    }
    if started {
        pieces.push(piece);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    struct Pod;

    impl Searched for Pod {
        fn anywhere(&self, word: &Word) -> bool {
            word.is_in("shop/web refused default_vcpus 4 kernel_params Quiet x=1")
        }

        fn column(&self, column: Column, word: &Word) -> bool {
            match column {
                Column::Namespace => word.is_in("shop"),
                Column::Handler => word.is_in("kata-qemu-runtime-rs"),
                Column::Outcome => word.is_in("refused"),
                _ => false,
            }
        }

        fn named(&self, wanted: &NamedValue) -> bool {
            match wanted.name.is("default_vcpus") {
                true => wanted.value.is_in("4"),
                false => self.anywhere(&wanted.term),
            }
        }
    }

    fn keeps(query: &str) -> bool {
        Query::parse(query).keeps(&Pod)
    }

    #[test]
    fn words_columns_and_their_opposites() {
        for kept in [
            "",
            "   ",
            "!",
            "ns:",
            "web",
            "WEB quiet",
            "ns:shop",
            "namespace:SHO !outcome:starts",
            "ns=shop handler:kata-qemu",
            "!handler=kata-qemu",
            "default_vcpus:4",
            "default_vcpus=4",
            "!default_vcpus:5",
            "x=1",
            "\"params Quiet\"",
            "\"x=1\"",
            "!prod",
        ] {
            assert!(keeps(kept), "{kept}");
        }
        for lost in
            ["prod", "web prod", "!web", "ns:web", "ns=sho", "!handler:kata-qemu", "default_vcpus:5", "x:1"]
        {
            assert!(!keeps(lost), "{lost}");
        }
    }

    #[test]
    fn what_is_no_column_can_be_told() {
        let query = Query::parse("ns:a default_vcpus:4 namspace:b c");
        assert_eq!(query.names().collect::<Vec<_>>(), ["default_vcpus", "namspace"]);
    }

    #[test]
    fn every_column_has_names_of_its_own() {
        let mut all: Vec<&str> = Column::NAMES.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        for (column, names) in Column::NAMES {
            assert!(names.iter().all(|name| Column::named(name) == Some(column)));
        }
        all.sort_unstable();
        let count = all.len();
        all.dedup();
        assert_eq!(all.len(), count);
    }

    proptest! {
        #[test]
        fn any_text_is_a_query(text in "\\PC*", more in "[a-z!:=\" \u{130}ß]*", thing in "\\PC*") {
            for text in [&text, &more] {
                let query = Query::parse(text);
                let _ = query.keeps(thing.as_str());
                let _ = query.keeps(&Pod);
            }
        }

        #[test]
        fn an_exclamation_mark_turns_a_word_round(word in "[a-z:=\"]*[a-z]", thing in "[a-z:= ]*") {
            let plain = Query::parse(&word);
            let turned = Query::parse(&format!("!{word}"));
            prop_assume!(!plain.is_empty());
            prop_assert_ne!(plain.keeps(thing.as_str()), turned.keeps(thing.as_str()));
            prop_assert_ne!(plain.keeps(&Pod), turned.keeps(&Pod));
        }

        #[test]
        fn two_words_keep_what_both_keep(a in "[a-z]{1,4}", b in "!?[a-z]{1,4}", thing in "[a-z ]*") {
            let both = Query::parse(&format!("{a} {b}"));
            let (a, b) = (Query::parse(&a), Query::parse(&b));
            prop_assert_eq!(both.keeps(thing.as_str()), a.keeps(thing.as_str()) && b.keeps(thing.as_str()));
        }
    }
}
