//! What Kata, its VMMs, the container runtimes and Kubernetes say when something fails: what it means, which
//! configuration keys it is about, who can mend it and how.
//!
//! Written in `assets/catalog/messages/*.toml`. Facts: the words that the programs print, from their source over
//! all releases; the causes, from what users of Kata report.

/// Who can mend what a message is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Mender {
    Pod,
    Cluster,
    Image,
}

/// A part of a message's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece {
    /// What is always there, in small letters.
    Text(&'static str),
    /// An annotation's key.
    Key,
    /// What it is about: a value, a path, a name.
    Value,
    /// What is held against it: a minimum, a type.
    Least,
    /// Anything.
    Any,
}

/// One message, in all the spellings that releases have for it.
#[derive(Debug, PartialEq, Eq)]
pub struct Message {
    /// Its spellings.
    pub says: &'static [&'static [Piece]],
    /// Which program says it.
    pub of: &'static str,
    /// What it means.
    pub means: &'static str,
    /// What to do.
    pub advice: &'static str,
    /// Who can.
    pub who: Mender,
    /// What may be behind it, the likeliest first, and what tells it apart.
    pub causes: &'static [&'static str],
    /// The configuration keys that it is about: `hypervisor.image` of the active hypervisor's table.
    pub keys: &'static [&'static str],
    /// Changes that may mend it, the smallest first: `hypervisor.shared_fs = "virtio-fs"`, `drop hypervisor.initrd`,
    /// `drop annotation`. What is in braces is another key's value.
    pub tries: &'static [&'static str],
    /// The list that would have to let a value through.
    pub list: Option<&'static str>,
    /// Whether nothing is wrong.
    pub harmless: bool,
    /// Whether it is the outer words around another message.
    pub wraps: bool,
}
