//! One pod's way through the annotations: what arrived, what each one did, and the first failure.
//!
//! Decides how values are parsed and how a decision is written down; which annotation does what is decided
//! by the steps beside it. After the first failure the runtime stops; here the walk goes on, so that
//! every annotation gets its own verdict. Facts: `newAnnotationConfiguration` and its setters in
//! src/runtime/pkg/oci/utils.go at 4.1.0.

use super::early;
use crate::answer::verdict::{Failure, FailureStage, Fix, Note, Stage, Status, Step};
use crate::catalog::{Id, Parse};
use crate::golang::strconv;
use crate::input::{Host, Text};
use crate::release::go::Change;
use crate::runtime::Sandbox;
use crate::runtime::go::Loaded;
use crate::runtime::go::config::SandboxConfig;
use crate::runtime::go::prepared::Prepared;
use crate::runtime::go::record::Slot;
use crate::runtime::refusal::Refusal;

/// Room for the prepared after the name gate of an annotation that takes effect.
pub(super) const STEPS: usize = 4;

/// What became of one annotation.
#[derive(Debug)]
pub(in crate::runtime::go) struct Decision {
    pub status: Status,
    /// Where its way ended.
    pub stage: Stage,
    pub reason: Text,
    pub fix: Option<Box<Fix>>,
    /// The prepared after the name gate.
    pub steps: Vec<Step>,
    /// The number that was cut to 32 bits.
    pub cut: Option<(u64, u32)>,
}

/// An annotation of the pod.
#[derive(Debug, Clone, Copy)]
pub(in crate::runtime::go) struct Attempt<'a> {
    pub key: &'a Text,
    pub value: &'a Text,
    /// Which it is, with what is the same for every pod; `None`: nothing reads it.
    pub read: Option<(Id, &'a Prepared)>,
}

pub(in crate::runtime::go) struct Walk<'a> {
    pub host: &'a Host,
    pub loaded: &'a Loaded,
    pub config: SandboxConfig,
    /// The annotations that a verdict is owed on, in key order.
    pub attempts: Vec<Attempt<'a>>,
    /// The values, by annotation; those that the name gate refused are not here.
    pub values: [Option<&'a str>; Id::COUNT],
    pub decisions: Vec<(Id, Decision)>,
    pub failure: Option<Failure>,
}

/// A size with a unit, as other runtimes and Kubernetes take it, in MiB.
fn mebibytes(text: &str) -> Option<u64> {
    let at = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(at);
    let number: u64 = number.parse().ok()?;
    match unit.trim().trim_end_matches(['b', 'B']).trim_end_matches('i') {
        "K" | "k" => Some(number >> 10),
        "M" => Some(number),
        "G" => number.checked_mul(1 << 10),
        "T" => number.checked_mul(1 << 20),
        _ => None,
    }
}

impl<'a> Walk<'a> {
    /// A walk before its first annotation. It is large, and better not moved.
    pub fn new(host: &'a Host, loaded: &'a Loaded, sandbox: &Sandbox<'a>) -> Self {
        let room = sandbox.annotations.len();
        Self {
            host,
            loaded,
            config: SandboxConfig::new(loaded.runtime(), sandbox.id, sandbox.hostname),
            attempts: Vec::with_capacity(room),
            values: [None; Id::COUNT],
            decisions: Vec::with_capacity(room),
            failure: None,
        }
    }

    /// The value of an annotation that came this far.
    pub fn value(&self, id: Id) -> Option<&'a str> {
        self.values.get(id as usize).copied().flatten()
    }

    /// Writes a decision down.
    fn decide(
        &mut self,
        id: Id,
        status: Status,
        stage: Stage,
        reason: Text,
        fix: Option<Fix>,
        steps: Vec<Step>,
    ) {
        let decision = Decision { status, stage, reason, fix: fix.map(Box::new), steps, cut: None };
        self.decisions.push((id, decision));
    }

    pub fn decision_on(&mut self, id: Id) -> Option<&mut Decision> {
        self.decisions.iter_mut().find(|(other, _)| *other == id).map(|(_, mark)| mark)
    }

    /// It took effect, with one step on the way.
    pub fn applied_by(&mut self, id: Id, step: Step) {
        let mut steps = Vec::with_capacity(STEPS);
        steps.push(step);
        self.applied(id, steps);
    }

    /// It took effect.
    pub fn applied(&mut self, id: Id, steps: Vec<Step>) {
        self.decide(id, Status::Applied, Stage::Effective, Text::default(), None, steps);
    }

    /// It took effect as free text.
    pub fn applied_as_is(&mut self, id: Id) {
        self.applied_by(id, Step::new(Stage::Parse, true, "taken as it is"));
    }

    /// The runtime reads past it.
    pub fn ignored(&mut self, id: Id, stage: Stage, reason: impl Into<Text>) {
        self.without_effect(id, Status::Ignored, stage, reason);
    }

    /// Nothing comes of it, and the pod starts all the same.
    pub fn without_effect(&mut self, id: Id, status: Status, stage: Stage, reason: impl Into<Text>) {
        let reason = reason.into();
        let steps = vec![Step::new(stage, false, reason.clone())];
        self.decide(id, status, stage, reason, None, steps);
    }

    /// It makes the pod fail; only the first failure is the pod's.
    pub fn refused(&mut self, id: Id, refusal: Refusal) {
        if self.failure.is_none() {
            let failure =
                Failure::new(FailureStage::Annotations, refusal.message.as_str()).by(id.annotation().key);
            self.failure = Some(if refusal.panic { failure.crash() } else { failure });
        }
        self.stopped(id, refusal);
    }

    /// What makes the pod fail stops here, whatever was written down of it before.
    pub fn stopped(&mut self, id: Id, refusal: Refusal) {
        let Refusal { stage, message, reason, fix, .. } = refusal;
        self.decisions.retain(|(other, _)| *other != id);
        self.decide(id, Status::Refused, stage, reason, fix, vec![Step::new(stage, false, message)]);
    }

    /// What was read, where it was not refused.
    pub fn accepted<T>(&mut self, id: Id, read: Result<T, Box<Refusal>>) -> Option<T> {
        read.map_err(|refusal| self.refused(id, *refusal)).ok()
    }

    /// The place of the value that an annotation sets.
    pub fn slot(&mut self, id: Id) -> Slot<'_> {
        let key = self.loaded.prepared(id).and_then(|prepared| prepared.key);
        key.map_or(Slot::Other, |key| key.slot(&mut self.config))
    }

    /// The runtime reads past an empty value.
    pub fn ignored_as_empty(&mut self, id: Id) {
        self.ignored(id, Stage::Parse, "an empty value changes nothing here");
    }

    /// A boolean, in one of Go's twelve spellings.
    pub fn flag(&mut self, id: Id, value: &str) {
        match strconv::parse_bool(value) {
            Some(flag) => {
                if let Slot::Bool(place) = self.slot(id) {
                    *place = flag;
                }
                let note = if flag { "the boolean true" } else { "the boolean false" };
                self.applied_by(id, Step::new(Stage::Parse, true, note));
            }
            None => {
                let called = match self.config.release.has(Change::SharedComplaints)
                    && id != Id::HypervisorEnableSwap
                {
                    true => id.annotation().key,
                    false => early::boolean_name(id),
                };
                let message = format!(
                    "Error parsing annotation for {called}: Please specify boolean value 'true|false'"
                );
                let reason = format!("{value:?} is not one of Go's spellings of true and false");
                let refusal = Refusal::at(Stage::Parse, message, reason);
                let refusal = match value.trim().to_ascii_lowercase().as_str() {
                    "true" | "yes" | "on" | "y" => refusal.write(true),
                    "false" | "no" | "off" | "n" => refusal.write(false),
                    _ => refusal.advise("write true or false"),
                };
                self.refused(id, refusal);
            }
        }
    }

    /// Decimal digits that fit 64 bits.
    pub fn number(&mut self, id: Id) -> Option<u64> {
        let value = self.value(id)?;
        let shared = self.config.release.has(Change::SharedComplaints);
        let parse = id.annotation().reader(self.config.release).parse;
        let bits = if parse == Some(Parse::GoUint32) { 32 } else { 64 };
        let number = strconv::parse_uint(value, 10, bits);
        if let Err(error) = &number {
            let key = id.annotation().key;
            let message = match shared {
                true => {
                    format!("Error parsing annotation for {key}: Please specify positive numeric value")
                }
                false => early::number_complaint(id, &error.to_string()),
            };
            let digits = value.trim().trim_start_matches('+');
            let plain = strconv::parse_uint(digits, 10, 64).ok();
            let meant = plain.or_else(|| mebibytes(digits).filter(|_| id == Id::HypervisorDefaultMemory));
            let refusal = Refusal::at(
                Stage::Parse,
                message,
                format!("{value:?} is not a whole number in plain digits"),
            );
            let refusal = match meant {
                Some(meant) => refusal.write(meant),
                None => refusal.advise("write a whole number in plain digits"),
            };
            self.refused(id, refusal);
        }
        number.ok()
    }

    /// A number was taken over.
    pub fn applied_number(&mut self, id: Id, number: u64) {
        self.applied_by(id, Step::new(Stage::Parse, true, Note::Counted(&["the number ", ""], number)));
    }

    /// Takes over a number for a field of 32 bits that nothing speaks against.
    pub fn take_bounded(&mut self, id: Id, refuses: impl FnOnce(&SandboxConfig, u64) -> Option<Refusal>) {
        let Some(number) = self.number(id) else { return };
        if let Some(refusal) = refuses(&self.config, number) {
            return self.refused(id, refusal);
        }
        let kept = self.applied_cut(id, number);
        if let Slot::U32(place) = self.slot(id) {
            *place = kept;
        }
    }

    /// A number for a field of 32 bits: what does not fit is cut off.
    pub fn applied_cut(&mut self, id: Id, number: u64) -> u32 {
        let kept = number as u32;
        self.applied_number(id, number);
        if u64::from(kept) != number
            && let Some(mark) = self.decision_on(id)
        {
            mark.cut = Some((number, kept));
            mark.steps.push(Step::new(Stage::Range, true, format!("cut to 32 bits: {kept}")));
        }
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::mebibytes;

    #[test]
    fn sizes_with_units_are_understood() {
        let sizes = ["2Gi", "2048MiB", "2G", "2 GB", "1T", "2.5Gi", "x"].map(mebibytes);
        assert_eq!(sizes, [Some(2048), Some(2048), Some(2048), Some(2048), Some(1 << 20), None, None]);
    }
}
