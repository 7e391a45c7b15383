//! What an edit of the policy cannot change, so that nobody works it out again.
//!
//! Decides when two setups differ in the entries of policy lists alone. Those are held against Kata's
//! annotations and nothing else, so that a pod without any fares under both alike.

use std::collections::HashMap;

use super::Evaluator;
use crate::answer::Place;
use crate::answer::effective::Effective;
use crate::catalog::{self, KATA_PREFIX};
use crate::input::Annotations;
use crate::input::manifest::Pod;
use crate::runtime::{Depth, Sandbox};

/// Whether the entries of policy lists have a say in what becomes of `pod`.
pub fn lists_matter_to(pod: &Pod) -> bool {
    pod.annotations.iter().any(|annotation| annotation.key.starts_with(KATA_PREFIX))
}

/// For each pod the first one that differs from it in nothing but its name, its namespace and where it stands: no
/// runtime asks for those before it starts a VM. A pod that Kubernetes refuses is like no other.
pub fn firsts_alike(pods: &[Pod]) -> Vec<usize> {
    let mut firsts: HashMap<String, usize> = HashMap::new();
    let mut alike = |(index, pod): (usize, &Pod)| {
        if !pod.problems.is_empty() {
            return index;
        }
        let bare = Pod::bare();
        let mut nameless = Pod { namespace: bare.namespace, source: bare.source, ..pod.clone() };
        (nameless.name, nameless.hostname, nameless.uid) = (String::new(), String::new(), None);
        nameless.findings.clear();
        for annotation in &mut nameless.annotations {
            annotation.place = Place { file: "".into(), line: 0, column: 0 };
        }
        *firsts.entry(format!("{nameless:?}")).or_insert(index)
    };
    pods.iter().enumerate().map(&mut alike).collect()
}

impl Evaluator {
    /// Whether the two, which have the same host and container runtime, differ for nobody but pods that
    /// policy lists matter to. Where a sandbox that asks for nothing does not start, nobody can tell.
    pub fn fares_alike(&self, other: &Self) -> bool {
        let release = self.setup.release;
        if release != other.setup.release || self.hypervisor() != other.hypervisor() {
            return false;
        }
        let (Some(own), Some(others)) = (self.bare(), other.bare()) else {
            return false;
        };
        let lists: Vec<&str> = catalog::lists(release).collect();
        let is_list = |key: &str| lists.contains(&key.rsplit('.').next().unwrap_or(key));
        let same = |own: &Effective, other: &Effective| {
            let own = own.iter().filter(|(key, _)| !is_list(key));
            let others = other.iter().filter(|(key, _)| !is_list(key));
            own.map(|(key, value)| (key, &value.value)).eq(others.map(|(key, value)| (key, &value.value)))
        };
        same(own, others)
    }

    /// Every value that a sandbox without annotations gets.
    pub(super) fn asking_for_nothing(&self) -> Option<Effective> {
        let annotations = Annotations::default();
        let sandbox = Sandbox {
            id: self.sandbox_id(),
            hostname: "",
            host_network: false,
            annotations: &annotations,
            devices: &[],
        };
        self.loaded().ok()?.run(super::asked(&self.setup.host, &sandbox, Depth::Full)).effective
    }
}
