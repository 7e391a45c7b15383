//! What an edit of the lists newly lets in, or shuts out: two audits held against each other.
//!
//! Decides what counts as a power gained or lost: a name that opens or closes, and of a name that stays open the
//! values that its list newly allows or no longer does.

use super::powers::{Audit, Opening, Power};
use crate::catalog::{Annotation, Risk};

/// One annotation by which whoever may create pods can do more than before, or less.
#[derive(Debug, Clone, PartialEq)]
pub struct PowerChange {
    /// The annotation.
    pub annotation: &'static Annotation,
    /// Whether it is let in now, and was before.
    pub open: (bool, bool),
    /// The entry that opens it now, or did.
    pub by: Option<String>,
    /// Files that are newly admitted as its value.
    pub files_in: Vec<String>,
    /// Files that are admitted no longer.
    pub files_out: Vec<String>,
    /// Whether there are more files than can be named.
    pub more: bool,
    /// Whether any file of the host can be meant by a value that passes.
    pub anywhere: bool,
    /// Whether it gives nothing: no value passes, or this hypervisor makes nothing of it.
    pub idle: bool,
}

impl PowerChange {
    /// What whoever sets it gets.
    pub fn risk(&self) -> Risk {
        self.annotation.risk
    }

    /// Whether more is let in than before.
    pub fn gains(&self) -> bool {
        self.open == (true, false) || !self.files_in.is_empty()
    }
}

fn files(power: Option<&Power>) -> Vec<String> {
    let hits = power.and_then(|power| power.files.as_ref()).map(|(hits, _)| hits.as_slice());
    hits.unwrap_or_default().iter().map(|hit| hit.path.clone()).collect()
}

/// What differs from the one to the other, what is gained first, the worst risk first.
pub fn changes(before: &Audit, after: &Audit) -> Vec<PowerChange> {
    let mut all: Vec<&'static Annotation> =
        before.powers.iter().chain(&after.powers).map(|power| power.annotation).collect();
    all.sort_by_key(|annotation| (annotation.risk, annotation.key));
    all.dedup_by_key(|annotation| annotation.key);
    let mut found: Vec<PowerChange> = all
        .into_iter()
        .filter_map(|annotation| {
            let is_it = |power: &&Power| power.annotation.key == annotation.key;
            let (old, new) = (before.powers.iter().find(is_it), after.powers.iter().find(is_it));
            let (was, now) = (files(old), files(new));
            let files_in: Vec<String> = now.iter().filter(|file| !was.contains(file)).cloned().collect();
            let files_out: Vec<String> = was.iter().filter(|file| !now.contains(file)).cloned().collect();
            let open = (new.is_some(), old.is_some());
            if open.0 == open.1 && files_in.is_empty() && files_out.is_empty() {
                return None;
            }
            let by = match new.or(old).map(|power| &power.by) {
                Some(Opening::Entry { pattern, .. }) => Some(pattern.clone()),
                _ => None,
            };
            let told = new.or(old)?;
            Some(PowerChange {
                annotation,
                open,
                by,
                files_in,
                files_out,
                more: told.files.as_ref().is_some_and(|(_, more)| *more),
                anywhere: told.anywhere,
                idle: !told.real(),
            })
        })
        .collect();
    found.sort_by_key(|change| (!change.gains(), change.idle, change.risk(), change.annotation.key));
    found
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::powers::PolicyList;
    use super::*;
    use crate::input::Host;
    use crate::input::host::{HostFacts, MemoryFiles};
    use crate::release::{Release, Runtime};

    fn audit(names: &[&str], paths: &[&str]) -> Audit {
        let list = |name: &str, entries: &[&str]| PolicyList {
            name: name.to_owned(),
            entries: entries.iter().map(|e| ((*e).to_owned(), None)).collect(),
        };
        let files = MemoryFiles::new().file("/usr/bin/qemu", 0o755, "x").file("/usr/bin/qemu-2", 0o755, "x");
        let host = Host::new(HostFacts::default(), Arc::new(files));
        let lists = [list("enable_annotations", names), list("valid_hypervisor_paths", paths)];
        Audit::of(Release::newest(Runtime::Go), "qemu", &lists, &host)
    }

    #[test]
    fn names_and_files_are_told_with_their_risk() {
        let before = audit(&["^default_vcpus$"], &["/usr/bin/qemu"]);
        let after = audit(&["^path$"], &["/usr/bin/qemu*"]);
        let found = changes(&before, &after);
        let told: Vec<_> = found.iter().map(|c| (c.annotation.base(), c.open, c.files_in.len())).collect();
        assert_eq!(told, [("path", (true, false), 2), ("default_vcpus", (false, true), 0)]);
        assert_eq!(found.first().map(PowerChange::risk), Some(Risk::HostExec));
        assert!(changes(&before, &before).is_empty());
        // A name that was open before gets other files.
        let found = changes(&audit(&["^path$"], &["/usr/bin/qemu"]), &after);
        assert_eq!(found.first().map(|c| c.files_in.clone()), Some(vec!["/usr/bin/qemu-2".to_owned()]));
    }
}
