//! A command line that grows, and the values on it that are lists of options, each with what put it there.
//!
//! Decides nothing. What an argument hangs on is said as `impl Into<Cause>`: a key, several keys, a rule.

use crate::answer::launch::{Arg, Cause};
use crate::runtime::verity::{SECTOR, Verity};

/// A kernel parameter as the guest's command line has it.
pub(super) fn parameter(key: &str, value: &str) -> String {
    if value.is_empty() { key.to_owned() } else { [key, "=", value].concat() }
}

/// The device mapper's table for a root file system on these devices, quoted.
pub(super) fn verity_table(verity: &Verity, data: &str, hash: &str) -> String {
    format!(
        "\"dm-verity,,,ro,0 {} verity 1 {data} {hash} {} {} {} 0 sha256 {} {}\"",
        (verity.data_block_size / SECTOR).wrapping_mul(verity.data_blocks),
        verity.data_block_size,
        verity.hash_block_size,
        verity.data_blocks,
        verity.root_hash,
        verity.salt
    )
}

/// A command line that grows.
#[derive(Default)]
pub(super) struct Line {
    pub(super) args: Vec<Arg>,
    /// The number of the next address on the channel subsystem of IBM Z.
    pub(super) address: u32,
}

impl Line {
    /// The address of the next device on the channel subsystem.
    pub(super) fn next_address(&mut self) -> String {
        self.address += 1;
        format!("fe.0.{:04x}", self.address - 1)
    }

    /// A word alone.
    pub(super) fn word(&mut self, word: impl Into<String>, cause: impl Into<Cause>) {
        self.args.push(Arg::new(word, cause.into()));
    }

    /// A word that is not always there.
    pub(super) fn word_if(&mut self, there: bool, word: impl Into<String>, cause: impl Into<Cause>) {
        if there {
            self.word(word, cause);
        }
    }

    /// Several words with one cause.
    pub(super) fn words(&mut self, words: &[&str], cause: impl Into<Cause>) {
        let cause = cause.into();
        self.args.extend(words.iter().map(|word| Arg::new(*word, cause.clone())));
    }

    /// A flag with its value; both have the same cause.
    pub(super) fn push(&mut self, flag: &str, value: impl Into<String>, cause: impl Into<Cause>) {
        let cause = cause.into();
        self.word(flag, &cause);
        self.word(value, cause);
    }

    /// The same, where it is there.
    pub(super) fn push_if(
        &mut self,
        there: bool,
        flag: &str,
        value: impl Into<String>,
        cause: impl Into<Cause>,
    ) {
        if there {
            self.push(flag, value, cause);
        }
    }

    /// A flag, with its value where that is not empty.
    pub(super) fn push_if_any(&mut self, flag: &str, value: &str, cause: impl Into<Cause>) {
        let words = [flag, value];
        self.words(if value.is_empty() { &words[..1] } else { &words }, cause);
    }
    pub(super) fn device(&mut self, value: impl Into<String>, cause: impl Into<Cause>) {
        self.push("-device", value, cause);
    }
    pub(super) fn object(&mut self, value: impl Into<String>, cause: impl Into<Cause>) {
        self.push("-object", value, cause);
    }

    /// A flag with options.
    pub(super) fn options(&mut self, flag: &str, options: Options) {
        self.push(flag, options.text, options.cause);
    }
}

/// Options joined by commas, with what decided them all.
pub(super) struct Options {
    text: String,
    pub(super) cause: Cause,
}

impl Options {
    /// The first one.
    pub(super) fn new(first: impl Into<String>, cause: impl Into<Cause>) -> Self {
        Self { text: first.into(), cause: cause.into() }
    }

    /// One more; `keys` decided it, if any did.
    pub(super) fn add(&mut self, option: impl AsRef<str>, keys: impl Into<Cause>) {
        self.text.push(',');
        self.text.push_str(option.as_ref());
        self.because(keys);
    }

    /// One more, where it is there; `keys` decided both.
    pub(super) fn add_if(&mut self, there: bool, option: impl AsRef<str>, keys: impl Into<Cause>) {
        if there {
            self.add(option, keys);
        }
    }

    /// Options that are written with their commas already, or empty.
    pub(super) fn append(&mut self, options: &[&str]) {
        self.text.extend(options.iter().copied());
    }

    /// What else decided them.
    pub(super) fn because(&mut self, keys: impl Into<Cause>) {
        self.cause.add_keys(&keys.into());
    }
}
