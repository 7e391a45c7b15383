//! What the runtime made of a sandbox, kept for the pods that ask for the same.
//!
//! A cluster's pods come from few templates. Decides when two sandboxes are the same to a runtime that is asked for
//! outcome and verdicts alone: then names go nowhere but into the launch and into what the agent is told, so that the
//! runtime is given words in their place, and its answer holds for every other name. Keeping answers saves `check` of
//! 100,000 pods of one cluster 59,000 instructions a pod. A pod like no other pays for it with a hash: its answer is
//! kept when the same is asked for once more.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use foldhash::fast::RandomState;

use crate::input::host::Assumption;
use crate::input::manifest::DeviceRequest;
use crate::input::{Annotations, Text};
use crate::runtime::{Run, Sandbox};

/// What stands for a name. No message has it of its own; one that repeats a name is of that pod alone.
const NAME: &str = "{name of the sandbox}";
/// Annotations that say nothing but who the sandbox is.
const NAMES: [&str; 4] = [
    "io.kubernetes.cri.sandbox-name",
    "io.kubernetes.cri.sandbox-namespace",
    "io.kubernetes.cri.sandbox-uid",
    "io.kubernetes.cri.sandbox-log-directory",
];
/// So many answers are kept before all are forgotten: pods may ask for different things without end.
const KEPT: usize = 1 << 8;
/// So many are known to have been asked for once.
const SEEN: usize = 1 << 12;
/// Nothing is kept of a sandbox whose annotations have more bytes than this.
const LARGE: usize = 8 << 10;

/// An answer, and what it rests on that nobody has looked at.
pub(super) type Answer = (Run, Arc<[Assumption]>);

/// The answers so far, by what the sandboxes ask for.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    so_far: Mutex<SoFar>,
    hasher: RandomState,
}

#[derive(Debug, Default)]
struct SoFar {
    answers: HashMap<u64, Known, RandomState>,
    /// What was asked for once.
    once: HashSet<u64, RandomState>,
}

impl SoFar {
    /// Whether it is asked for the first time, as far as anybody remembers.
    fn is_new(&mut self, hash: u64) -> bool {
        if self.once.len() >= SEEN {
            self.once.clear();
        }
        self.once.insert(hash)
    }
}

#[derive(Debug)]
struct Known {
    annotations: Annotations,
    host_network: bool,
    devices: Vec<DeviceRequest>,
    answer: Answer,
}

impl Known {
    fn is_of(&self, sandbox: &Sandbox<'_>) -> bool {
        let same = |((own, value), (key, other)): (&(Text, Text), &(Text, Text))| {
            own == key && **value == *without_name(key, other)
        };
        self.host_network == sandbox.host_network
            && self.devices == sandbox.devices
            && self.annotations.len() == sandbox.annotations.len()
            && self.annotations.iter().zip(sandbox.annotations.iter()).all(same)
    }
}

/// The value of an annotation, a word in its place where it says who the sandbox is.
fn without_name<'v>(key: &str, value: &'v str) -> &'v str {
    if !value.is_empty() && NAMES.contains(&key) { NAME } else { value }
}

impl Remembered {
    /// The answer for `sandbox`: a known one, or what `ask` finds of the sandbox that it is given.
    pub(super) fn answer(&self, sandbox: &Sandbox<'_>, ask: impl Fn(&Sandbox<'_>) -> Answer) -> Answer {
        if sandbox.annotations.iter().map(|(key, value)| key.len() + value.len()).sum::<usize>() > LARGE {
            return ask(sandbox);
        }
        let hash = self.hash(sandbox);
        let lock = || self.so_far.lock().unwrap_or_else(PoisonError::into_inner);
        let mut so_far = lock();
        if let Some(known) = so_far.answers.get(&hash).filter(|known| known.is_of(sandbox)) {
            return known.answer.clone();
        }
        let is_new = so_far.is_new(hash);
        drop(so_far);
        if is_new {
            return ask(sandbox);
        }
        let nameless = |(key, value): &(Text, Text)| {
            let plain = without_name(key, value);
            (key.clone(), if plain == NAME { Text::constant(NAME) } else { value.clone() })
        };
        let annotations = Annotations::from(sandbox.annotations.iter().map(nameless).collect::<Vec<_>>());
        let answer = ask(&Sandbox { annotations: &annotations, hostname: "", ..sandbox.clone() });
        let run = &answer.0;
        let mut said = run.failure.iter().map(|failure| &failure.message);
        if said.any(|said| said.contains(NAME)) || run.findings.iter().any(|f| f.message.contains(NAME)) {
            return ask(sandbox);
        }
        let (host_network, devices) = (sandbox.host_network, sandbox.devices.to_vec());
        let answers = &mut lock().answers;
        if answers.len() >= KEPT {
            answers.clear();
        }
        answers.insert(hash, Known { annotations, host_network, devices, answer: answer.clone() });
        answer
    }

    fn hash(&self, sandbox: &Sandbox<'_>) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        for (key, value) in sandbox.annotations.iter() {
            key.as_str().hash(&mut hasher);
            without_name(key, value).hash(&mut hasher);
        }
        sandbox.host_network.hash(&mut hasher);
        for device in sandbox.devices {
            (&device.resource, device.count).hash(&mut hasher);
        }
        hasher.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::verdict::{Failure, FailureStage};

    fn sandbox<'a>(annotations: &'a Annotations, hostname: &'a str) -> Sandbox<'a> {
        Sandbox { id: "S", hostname, host_network: false, annotations, devices: &[] }
    }

    #[test]
    fn names_are_one_and_everything_else_is_not() {
        let remembered = Remembered::default();
        let asked = std::cell::Cell::new(0);
        let ask = |pairs: &[(&'static str, &'static str)], host_network, devices: &[DeviceRequest]| {
            let annotations = pairs.iter().copied().collect();
            let sandbox = Sandbox { host_network, devices, ..sandbox(&annotations, "web") };
            remembered.answer(&sandbox, |given| {
                asked.set(asked.get() + 1);
                assert!(given.hostname.is_empty() || given.hostname == "web");
                Answer::default()
            });
            asked.get()
        };
        let name = "io.kubernetes.cri.sandbox-name";
        let device = DeviceRequest { resource: "v.com/gpu".into(), count: 1 };
        // Kept once it is asked for again.
        assert_eq!(ask(&[("a", "1"), (name, "web")], false, &[]), 1);
        assert_eq!(ask(&[("a", "1"), (name, "web")], false, &[]), 2);
        assert_eq!(ask(&[("a", "1"), (name, "shop")], false, &[]), 2);
        assert_eq!(ask(&[("a", "1"), (name, "")], false, &[]), 3);
        assert_eq!(ask(&[("a", "2"), (name, "web")], false, &[]), 4);
        assert_eq!(ask(&[("a", "1")], false, &[]), 5);
        assert_eq!(ask(&[("a", "1"), (name, "web")], true, &[]), 6);
        assert_eq!(ask(&[("a", "1"), (name, "web")], false, &[device]), 7);
    }

    #[test]
    fn a_message_with_the_name_in_it_is_of_one_pod() {
        let remembered = Remembered::default();
        let refused = |name: &str| {
            let annotations = [("io.kubernetes.cri.sandbox-name", name.to_owned())].into_iter().collect();
            let (run, _) = remembered.answer(&sandbox(&annotations, name), |given| {
                let name =
                    given.annotations.get("io.kubernetes.cri.sandbox-name").cloned().unwrap_or_default();
                let failure = Some(Failure::new(FailureStage::Launch, format!("no VM for {name}")));
                (Run { failure, ..Run::default() }, Arc::default())
            });
            run.failure.map(|failure| failure.message)
        };
        assert_eq!(refused("web").as_deref(), Some("no VM for web"));
        assert_eq!(refused("shop").as_deref(), Some("no VM for shop"));
        assert_eq!(refused("mail").as_deref(), Some("no VM for mail"));
    }

    #[test]
    fn no_more_is_kept_than_there_is_room() {
        let remembered = Remembered::default();
        let annotations = [("a", "x".repeat(LARGE))].into_iter().collect();
        let ask =
            |annotations: &Annotations| remembered.answer(&sandbox(annotations, ""), |_| Answer::default());
        let kept = || remembered.so_far.lock().map_or((0, 0), |kept| (kept.answers.len(), kept.once.len()));
        for _ in 0..2 {
            ask(&annotations);
        }
        assert_eq!(kept(), (0, 0));
        for value in 0..2 * SEEN {
            let annotations = [("a", value.to_string())].into_iter().collect();
            ask(&annotations);
            if value < 2 * KEPT {
                ask(&annotations);
            }
        }
        let (answers, once) = kept();
        assert!((1..=KEPT).contains(&answers) && (1..=SEEN).contains(&once), "{answers} {once}");
    }
}
