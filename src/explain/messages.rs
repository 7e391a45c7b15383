//! Messages that users meet in events and logs: what each means, who can mend it, and how.
//!
//! Decides which message of the catalogue a text is, by the words that the programs really print. A text that is
//! none of them is not guessed at. Of several that fit, the one with the most words counts, and one that only
//! wraps another's words comes last.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use crate::answer::finding::Who;
use crate::catalog::message::{Mender, Message, Piece};
use crate::catalog::{self, Annotation};

/// The longest text that is looked at: messages are a few lines, and a log line may be anything.
pub(super) const LONGEST: usize = 64 << 10;

/// So many letters of a message's longest words are looked for first.
const ENOUGH: usize = 12;

/// A message understood.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded {
    /// The message of the catalogue.
    pub message: &'static Message,
    /// The annotation it is about.
    pub annotation: Option<&'static Annotation>,
    /// The annotation's key as the message has it.
    pub key: Option<String>,
    /// The value that was refused.
    pub value: Option<String>,
    /// What it was held against.
    pub least: Option<String>,
}

impl Decoded {
    /// Who can mend it.
    pub fn who(&self) -> Who {
        match self.message.who {
            Mender::Pod => Who::PodAuthor,
            Mender::Cluster => Who::ClusterAdministrator,
            Mender::Image => Who::ImageBuilder,
        }
    }
}

/// One spelling of a message.
struct Spelling {
    message: &'static Message,
    pieces: &'static [Piece],
    letters: usize,
}

static SPELLINGS: LazyLock<Vec<Spelling>> = LazyLock::new(|| {
    let spelling = |message: &'static Message| {
        message.says.iter().map(move |pieces| {
            let letters = pieces.iter().map(|piece| text_of(*piece).len()).sum();
            Spelling { message, pieces, letters }
        })
    };
    catalog::messages().iter().flat_map(spelling).collect()
});

/// The longest words of each spelling, as many as tell it from most: what has none of them is no message. Of the
/// kind that is built fastest, since mostly a single message is asked about.
static WORDS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let longest = |spelling: &Spelling| {
        let words = spelling.pieces.iter().map(|piece| text_of(*piece)).max_by_key(|text| text.len());
        let words = words.unwrap_or_default();
        words.char_indices().nth(ENOUGH).and_then(|(end, _)| words.get(..end)).unwrap_or(words)
    };
    let kind = Some(AhoCorasickKind::NoncontiguousNFA);
    AhoCorasick::builder().kind(kind).build(SPELLINGS.iter().map(longest)).ok()
});

fn text_of(piece: Piece) -> &'static str {
    match piece {
        Piece::Text(text) => text,
        _ => "",
    }
}

/// Understands `text`, if the catalogue knows it.
pub fn decode(text: &str) -> Option<Decoded> {
    let text = cut(text);
    // Letters keep their places.
    let small = text.to_ascii_lowercase();
    let found = WORDS.as_ref()?.find_overlapping_iter(&small);
    let candidates: BTreeSet<usize> = found.map(|found| found.pattern().as_usize()).collect();
    let best = candidates
        .into_iter()
        .filter_map(|at| SPELLINGS.get(at))
        .filter_map(|spelling| Some((spelling, places(spelling.pieces, &small)?)))
        .max_by_key(|(spelling, _)| (!spelling.message.wraps, spelling.letters));
    let (spelling, places) = best?;
    let mut decoded =
        Decoded { message: spelling.message, annotation: None, key: None, value: None, least: None };
    for (piece, said) in gaps(spelling.pieces, &places, text) {
        match piece {
            Piece::Key => decoded.key = Some(said),
            Piece::Value => decoded.value = Some(said),
            Piece::Least => decoded.least = Some(said),
            Piece::Text(_) | Piece::Any => {}
        }
    }
    decoded.annotation = decoded.key.as_deref().and_then(catalog::annotation);
    Some(decoded)
}

/// As much of a text as is looked at.
fn cut(text: &str) -> &str {
    let mut end = text.len().min(LONGEST);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// Where each of the fixed parts stands in `text`, as close together as they do; `None`: they do not, in order.
fn places(pieces: &[Piece], text: &str) -> Option<Vec<(usize, usize)>> {
    let fixed = || pieces.iter().map(|piece| text_of(*piece)).filter(|fixed| !fixed.is_empty());
    let mut end = 0;
    for part in fixed() {
        end += text.get(end..)?.find(part)? + part.len();
    }
    let mut found = Vec::new();
    for part in fixed().collect::<Vec<_>>().into_iter().rev() {
        let start = text.get(..end)?.rfind(part)?;
        found.push((start, start + part.len()));
        end = start;
    }
    found.reverse();
    Some(found)
}

/// What stands in the place of each placeholder.
fn gaps(pieces: &[Piece], places: &[(usize, usize)], text: &str) -> Vec<(Piece, String)> {
    let mut found = Vec::new();
    let mut next = places.iter();
    let mut before = 0;
    let mut pending = None;
    for piece in pieces {
        match piece {
            Piece::Text(_) => {
                let Some((start, end)) = next.next() else { break };
                if let Some((placeholder, is_first)) = pending.take() {
                    let said = text.get(before..*start).unwrap_or_default();
                    found.push((placeholder, tidied(if is_first { last_words(said) } else { said })));
                }
                before = *end;
            }
            placeholder => pending = Some((*placeholder, before == 0)),
        }
    }
    if let Some((placeholder, _)) = pending {
        found.push((placeholder, tidied(first_words(text.get(before..).unwrap_or_default()))));
    }
    found
}

/// Of what stands before a message the last word, which is its own.
fn last_words(said: &str) -> &str {
    said.rsplit(|c: char| c.is_whitespace() || matches!(c, '"' | '('))
        .find(|word| !word.is_empty())
        .unwrap_or(said)
}

/// Of what stands behind a message as much as can be its own: to the end of the line or the next colon.
fn first_words(said: &str) -> &str {
    let said = said.trim_start().trim_start_matches(['"', '`', '\'']);
    let line = said.split(['\n', '\\', '"']).next().unwrap_or_default();
    line.split_once(": ").map_or(line, |(first, _)| first)
}

fn tidied(said: &str) -> String {
    said.trim_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '`' | '\'' | ',' | ':' | '\\' | ')'))
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advice(text: &str) -> &'static str {
        decode(text).unwrap().message.advice
    }

    #[test]
    fn the_classic_event_names_its_annotation() {
        let event = "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to create containerd \
            task: failed to create shim task: annotation io.katacontainers.config.hypervisor.default_vcpus is not \
            enabled: unknown";
        let decoded = decode(event).unwrap();
        assert_eq!(decoded.annotation.unwrap().base(), "default_vcpus");
        assert_eq!(decoded.who(), Who::ClusterAdministrator);
    }

    #[test]
    fn the_cris_own_keys_are_noise() {
        assert!(decode("Annotation io.kubernetes.cri.container-type not enabled").unwrap().message.harmless);
        assert!(
            !decode("Annotation io.katacontainers.config.hypervisor.path not enabled")
                .unwrap()
                .message
                .harmless
        );
    }

    #[test]
    fn values_are_told_in_the_messages_own_spelling() {
        let decoded =
            decode("hypervisor x: hypervisor /Tmp/qemu required from annotation is not valid: unknown");
        assert_eq!(decoded.unwrap().value.as_deref(), Some("/Tmp/qemu"));
        let decoded = decode("failed to create shim task: nvme is unsupported block device type.").unwrap();
        assert_eq!(decoded.value.as_deref(), Some("nvme"));
        let decoded = decode("RuntimeClass \"Kata-x\" not found").unwrap();
        assert_eq!(decoded.value.as_deref(), Some("Kata-x"));
    }

    #[test]
    fn the_reason_counts_and_not_what_is_around_it() {
        let whole = "Failed to create pod sandbox: failed to launch qemu: exit status 1, error messages from qemu \
            log: Could not access KVM kernel module: No such file or directory: unknown";
        assert!(advice(whole).contains("kvm_intel"));
        assert!(advice("failed to launch qemu: exit status 1").contains("error messages from qemu log"));
    }

    #[test]
    fn what_is_no_message_is_not_guessed_at() {
        assert_eq!(decode("everything is fine"), None);
        assert_eq!(decode(""), None);
    }
}
