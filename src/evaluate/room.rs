//! Pods that ask for more CPUs or memory than a host is taken to have of which nobody knows how much it has.
//!
//! Decides that such a host has as much as the pod asks for, which the answer then rests on: how large the machine is
//! at which somebody reviews a pod says nothing of the node it is for. A host whose size is known refuses or limits
//! what is beyond it.

use super::{Evaluation, Evaluator, Outcome, Setup};
use crate::answer::verdict::{Status, Verdict};
use crate::input::away;

/// More than this no host has; a pod that asks for it is told what the runtime says.
const MOST_CPUS: u32 = 4096;
/// Likewise, in MiB.
const MOST_MEMORY: u64 = 64 << 20;

/// What a pod asks for that a host has to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Room {
    /// CPUs; 0: no more than it has.
    cpus: u32,
    /// Memory in MiB, likewise.
    memory_mib: u64,
}

impl Room {
    /// What `evaluation` lacks of a host of unknown size; `None`: nothing, or its size is known.
    pub(super) fn lacking(evaluator: &Evaluator, evaluation: &Evaluation) -> Option<Self> {
        let facts = &evaluator.setup().host.facts;
        let (guessed_cpus, guessed_memory) = (facts.guesses("cpus"), facts.guesses("memory_mib"));
        if !guessed_cpus && !guessed_memory {
            return None;
        }
        let mut room = Self::default();
        for verdict in evaluation.verdicts.iter().filter(|verdict| is_short(verdict)) {
            let Ok(number) = verdict.value.trim().parse::<f64>() else { continue };
            if is_of_cpus(&verdict.key) && guessed_cpus && number > f64::from(facts.cpus) {
                room.cpus = room.cpus.max(number.ceil().min(f64::from(u32::MAX)) as u32);
            }
            if is_of_memory(&verdict.key) && guessed_memory && number > facts.memory_mib as f64 {
                room.memory_mib = room.memory_mib.max(number as u64);
            }
        }
        (room != Self::default() && room.cpus <= MOST_CPUS && room.memory_mib <= MOST_MEMORY).then_some(room)
    }

    /// The same setup on a host that has as much.
    pub(super) fn made(self, evaluator: &Evaluator) -> Option<Evaluator> {
        let Self { cpus, memory_mib } = self;
        evaluator.tried(&format!("{cpus} CPUs, {memory_mib} MiB"), |own| {
            let host = away::with_room(&own.setup.host, cpus, memory_mib);
            Some(Evaluator::load(Setup { host, ..(*own.setup).clone() }, true))
        })
    }

    /// Whether the pod fares better with it.
    pub(super) fn helps(before: &Evaluation, after: &Evaluation) -> bool {
        let short = |evaluation: &Evaluation| evaluation.verdicts.iter().filter(|v| is_short(v)).count();
        (after.outcome == Outcome::Starts && before.outcome != Outcome::Starts)
            || short(after) < short(before)
    }
}

fn is_of_cpus(key: &str) -> bool {
    key.ends_with(".default_vcpus") || key.ends_with(".default_max_vcpus")
}

fn is_of_memory(key: &str) -> bool {
    key.ends_with(".default_memory") || key.ends_with(".default_maxmemory")
}

/// Whether an annotation about the VM's size does not become what it says.
fn is_short(verdict: &Verdict) -> bool {
    verdict.status != Status::Applied && (is_of_cpus(&verdict.key) || is_of_memory(&verdict.key))
}
