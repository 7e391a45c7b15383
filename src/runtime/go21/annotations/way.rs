//! What one annotation meets on its way: how values are read, what is said of those that are not taken.
//!
//! Decides parsing, and the verdicts of gates; which annotation does what: `rules`. Facts:
//! `addAnnotations` and its parts in src/runtime/virtcontainers/pkg/oci/utils.go at 2.1.0; Go's strconv.

use crate::catalog::HYPERVISOR_PREFIX;
use crate::input::Host;
use crate::policy::go_path::literally;
use crate::runtime::go_text::{self, NumError};
use crate::runtime::go21::Loaded;
use crate::runtime::go21::config::List;
use crate::runtime::verdict::{Fix, ListId, Note, Stage, Step};

/// What an annotation did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// The value is the annotation's.
    Replaced,
    /// The value was added to what was there.
    Appended,
    /// Nothing; why.
    Kept(&'static str),
}

/// Why an annotation makes the pod fail.
#[derive(Debug)]
pub(in crate::runtime::go21) struct Refused {
    pub(super) stage: Stage,
    /// The runtime's words.
    pub(super) message: String,
    /// Ours.
    pub(super) reason: String,
    pub(super) fix: Option<Fix>,
    pub(super) note: String,
}

/// The stations of one annotation.
pub(in crate::runtime::go21) struct Way<'a> {
    pub(in crate::runtime::go21) host: &'a Host,
    pub(in crate::runtime::go21) loaded: &'a Loaded,
    pub(in crate::runtime::go21) steps: Vec<Step>,
}

impl Way<'_> {
    /// Notes a station that let the annotation pass.
    pub(in crate::runtime::go21) fn passed(&mut self, stage: Stage, note: impl Into<Note>) {
        self.steps.push(Step { stage, passed: true, note: note.into(), place: None });
    }

    /// The table of the active hypervisor.
    fn table(&self) -> String {
        format!("hypervisor.{}", self.loaded.config.hypervisor_type.as_str())
    }

    /// The name gate.
    pub(in crate::runtime::go21) fn name(&mut self, key: &str) -> Result<(), Box<Refused>> {
        let Some(short) = key.strip_prefix(HYPERVISOR_PREFIX) else {
            self.passed(Stage::Name, "not gated: only hypervisor annotations are");
            return Ok(());
        };
        let place = self.loaded.list_place("enable_annotations");
        match self.loaded.name_gate.admits(short) {
            Some(index) => {
                let pattern = self.loaded.enable_annotations.get(index).cloned().unwrap_or_default();
                let note = format!("{pattern:?} matches").into();
                self.steps.push(Step { stage: Stage::Name, passed: true, note, place });
                Ok(())
            }
            None => {
                let count = self.loaded.enable_annotations.len();
                let note = format!("none of {count} patterns of enable_annotations matches {short:?}");
                self.steps.push(Step { stage: Stage::Name, passed: false, note: note.clone().into(), place });
                Err(Box::new(Refused {
                    stage: Stage::Name,
                    message: format!("annotation {key} is not enabled"),
                    reason: format!("no pattern of enable_annotations lets {short:?} through"),
                    fix: Some(Fix::Allow {
                        list: ListId::new(self.table(), "enable_annotations"),
                        pattern: format!("^{}$", exactly(short)),
                    }),
                    note,
                }))
            }
        }
    }

    fn unread(stage: Stage, message: String, reason: String, fix: Fix) -> Box<Refused> {
        Box::new(Refused { stage, message, note: reason.clone(), reason, fix: Some(fix) })
    }

    /// A boolean in one of Go's twelve spellings; `word` is what the message calls the annotation.
    pub(super) fn boolean(&mut self, value: &str, word: &str) -> Result<bool, Box<Refused>> {
        match go_text::parse_bool(value) {
            Some(truth) => {
                self.passed(Stage::Parse, if truth { "true" } else { "false" });
                Ok(truth)
            }
            None => Err(Self::unread(
                Stage::Parse,
                format!("Error parsing annotation for {word}: Please specify boolean value 'true|false'"),
                format!("{value:?} is no boolean: 1, t, true, 0, f, false are, in lower or upper case"),
                Fix::Value("true".into()),
            )),
        }
    }

    /// A number without sign.
    pub(super) fn number(
        &mut self,
        value: &str,
        bits: u32,
        message: impl Fn(&NumError) -> String,
    ) -> Result<u64, Box<Refused>> {
        match go_text::parse_uint(value, 10, bits) {
            Ok(number) => {
                self.passed(Stage::Parse, Note::Counted(&["", ""], number));
                Ok(number)
            }
            Err(error) => Err(Self::unread(
                Stage::Parse,
                message(&error),
                format!("{value:?} is no whole number of {bits} bits, in digits alone"),
                Fix::Advice("write a whole number, in digits alone".into()),
            )),
        }
    }

    /// A number without sign, of 32 bits.
    pub(super) fn number32(
        &mut self,
        value: &str,
        message: impl Fn(&NumError) -> String,
    ) -> Result<u32, Box<Refused>> {
        self.number(value, 32, message).map(|number| u32::try_from(number).unwrap_or(u32::MAX))
    }

    /// One of a few words; `message` is given the list of them.
    pub(super) fn choice(
        &mut self,
        value: &str,
        words: &[&str],
        message: impl FnOnce(&str) -> String,
    ) -> Result<(), Box<Refused>> {
        if words.contains(&value) {
            self.passed(Stage::Range, "one of the words that are known");
            return Ok(());
        }
        let nearest = words.iter().find(|w| w.eq_ignore_ascii_case(value)).or(words.first());
        Err(Self::unread(
            Stage::Range,
            message(&go_text::list(words)),
            format!("{value:?} is none of {}", words.join(", ")),
            Fix::Value(nearest.copied().unwrap_or_default().to_owned()),
        ))
    }

    /// Out of range.
    pub(super) fn out_of_range(message: String, reason: String, fix: Fix) -> Box<Refused> {
        Self::unread(Stage::Range, message, reason, fix)
    }

    /// A file that one of the globs of a list must stand for.
    pub(super) fn listed(
        &mut self,
        value: &str,
        list: List,
        message: impl FnOnce(&str) -> String,
    ) -> Result<(), Box<Refused>> {
        let index = List::ALL.iter().position(|l| *l == list).unwrap_or_default();
        let Some(gate) = self.loaded.gates.get(index) else { return Ok(()) };
        if let Some(passed) = gate.admits(self.host, value) {
            self.steps.push(passed.clone());
            return Ok(());
        }
        let place = gate.place.clone();
        let hypervisor = self.loaded.config.hypervisor_type;
        let (reason, fix) = if !hypervisor.lists().contains(&list) {
            let reason =
                format!("{} is not read for {}, so no value passes", list.key(), hypervisor.as_str());
            (reason, Fix::Advice("leave the annotation out: nothing can let it through".into()))
        } else if self.host.knows(value) && self.host.lstat(value).is_err() {
            let reason = format!("{value:?} is no file of the host, and only files that are there can pass");
            (reason, Fix::Advice("name a file of the host that the list admits".into()))
        } else {
            let reason = format!("no pattern of {} stands for {value:?}", list.key());
            (reason, Fix::Allow { list: ListId::new(self.table(), list.key()), pattern: literally(value) })
        };
        let note = format!("none of {} patterns of {} stands for it", gate.len(), list.key());
        self.steps.push(Step { stage: Stage::Value, passed: false, note: note.clone().into(), place });
        let message = message(value);
        Err(Box::new(Refused { stage: Stage::Value, message, reason, fix: Some(fix), note }))
    }
}

/// A regular expression for exactly this text.
fn exactly(text: &str) -> String {
    text.chars().fold(String::new(), |mut out, c| {
        if c.is_ascii_punctuation() && c != '_' && c != '-' {
            out.push('\\');
        }
        out.push(c);
        out
    })
}
