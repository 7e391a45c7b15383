//! What whoever may create pods can change on this host: every annotation that is open to them, by
//! risk, with the entry that opens it and the values that pass; and every entry, the widest first.
//!
//! Judges the lists and the catalogue; evaluates no pod.

use std::cmp::Reverse;

use super::meaning::{FileHit, Meaning, Warning, explain_entry};
use crate::catalog::{self, Annotation, Gate, Level, Risk};
use crate::input::{Host, Place};
use crate::policy::names::NameGate;
use crate::release::{Release, Runtime};

/// One policy list as it takes effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyList {
    /// `enable_annotations`, `valid_hypervisor_paths`, ...
    pub name: String,
    /// Its entries, with their places.
    pub entries: Vec<(String, Option<Place>)>,
}

impl PolicyList {
    fn patterns(&self) -> Vec<String> {
        self.entries.iter().map(|(pattern, _)| pattern.clone()).collect()
    }
}

/// What opens an annotation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opening {
    /// No list gates it.
    Ungated,
    /// An entry of `enable_annotations`.
    Entry {
        /// Which.
        at: usize,
        /// Its text.
        pattern: String,
        /// Where it stands.
        place: Option<Place>,
    },
}

/// One annotation that is open to whoever may create pods.
#[derive(Debug, Clone, PartialEq)]
pub struct Power {
    /// The annotation.
    pub annotation: &'static Annotation,
    /// What opens it.
    pub by: Opening,
    /// The values that pass, where a list gates them: files of this host, and whether there are more.
    pub files: Option<(Vec<FileHit>, bool)>,
    /// Whether a value can be spelled with `..` so that it passes and means any file of the host.
    pub anywhere: bool,
    /// Whether the active hypervisor makes use of it.
    pub used: bool,
}

impl Power {
    /// Whether a pod can get anything by it: its value gate, where it has one, lets something through.
    pub fn real(&self) -> bool {
        self.used
            && (self.anywhere || self.files.as_ref().is_none_or(|(files, more)| !files.is_empty() || *more))
    }
}

/// One entry and what it means.
#[derive(Debug, Clone, PartialEq)]
pub struct EntryReport {
    /// The list's name.
    pub list: String,
    /// Which entry.
    pub at: usize,
    /// Its text.
    pub pattern: String,
    /// Where it stands.
    pub place: Option<Place>,
    /// What it means among the others.
    pub meaning: Meaning,
}

impl EntryReport {
    /// Names for a name list, files for a value list.
    pub fn breadth(&self) -> usize {
        if self.list == "enable_annotations" { self.meaning.names.len() } else { self.meaning.files.len() }
    }

    /// Whether it lets more through than its text shows at a glance.
    pub fn too_broad(&self) -> bool {
        self.meaning.warnings.iter().any(|warning| {
            matches!(
                warning,
                Warning::Everything
                    | Warning::Unanchored(_)
                    | Warning::CrossesFolders
                    | Warning::LeadsUp
                    | Warning::AnyoneCanWrite(_)
                    | Warning::HiddenFiles
            )
        })
    }
}

/// What a policy lets in.
#[derive(Debug, Clone, PartialEq)]
pub struct Audit {
    /// What is open, worst risk first.
    pub powers: Vec<Power>,
    /// Every entry, those that let in too much first, by risk and breadth.
    pub entries: Vec<EntryReport>,
    /// How many gated annotations stay closed.
    pub closed: usize,
    /// Value lists with entries whose annotation is closed by name: without effect.
    pub idle: Vec<String>,
    /// Whether an invalid entry disables `enable_annotations`.
    pub disabled: bool,
    /// Whether a pod can state its VM's size in keys that no list gates, and whether a VM is made of it; for
    /// whoever knows the container runtime to say.
    pub past: Option<bool>,
}

impl Audit {
    /// Looks at the lists of the active hypervisor's table.
    pub fn of(release: Release, hypervisor: &str, lists: &[PolicyList], host: &Host) -> Self {
        let list = |name: &str| lists.iter().find(|list| list.name == name);
        // A list that a runtime does not take over for this hypervisor stays empty.
        let taken = |name: &str| {
            catalog::config_key("hypervisor.<name>", name)
                .and_then(|key| key.reader(release))
                .is_some_and(|reader| release.runtime == Runtime::Rs || uses(reader.hypervisors, hypervisor))
        };
        let names = list("enable_annotations").filter(|_| taken("enable_annotations"));
        let gate = NameGate::new(release, &names.map(PolicyList::patterns).unwrap_or_default());
        let mut powers = Vec::new();
        let mut closed = 0;
        for (annotation, reader) in catalog::annotations(release) {
            if annotation.level == Level::Output || !reader.effective {
                continue;
            }
            let by = match (reader.gate, annotation.short()) {
                (Gate::None, _) | (_, None) => Opening::Ungated,
                (_, Some(short)) => {
                    let entry = gate.allows(short).and_then(|at| Some((at, names?.entries.get(at)?)));
                    match entry {
                        Some((at, (pattern, place))) => {
                            Opening::Entry { at, pattern: pattern.clone(), place: place.clone() }
                        }
                        None => {
                            closed += 1;
                            continue;
                        }
                    }
                }
            };
            let values = reader.gate.list().map(|name| match list(name).filter(|_| taken(name)) {
                Some(list) => admitted(release, list, host),
                None => Values::default(),
            });
            let anywhere = values.as_ref().is_some_and(|values| values.anywhere);
            let files = values.map(|values| (values.files, values.more));
            let used = reader.used_on(hypervisor);
            powers.push(Power { annotation, by, files, anywhere, used });
        }
        powers.sort_by_key(|power| (power.annotation.risk, power.annotation.key));
        let mut entries: Vec<EntryReport> = lists
            .iter()
            .flat_map(|list| {
                let patterns = list.patterns();
                list.entries.iter().enumerate().map(move |(at, (pattern, place))| EntryReport {
                    list: list.name.clone(),
                    at,
                    pattern: pattern.clone(),
                    place: place.clone(),
                    meaning: explain_entry(release, &list.name, &patterns, at, host),
                })
            })
            .collect();
        entries.sort_by_key(|entry| (!entry.too_broad(), entry.meaning.risk(), Reverse(entry.breadth())));
        let open = |name: &str| powers.iter().any(|p: &Power| reads_list(p.annotation, release, name));
        let idle = lists
            .iter()
            .filter(|list| list.name != "enable_annotations" && !list.entries.is_empty() && !open(&list.name))
            .map(|list| list.name.clone())
            .collect();
        Self { entries, closed, idle, disabled: gate.disabled(), powers, past: None }
    }

    /// What is open, of one risk.
    pub fn of_risk(&self, risk: Risk) -> impl Iterator<Item = &Power> {
        self.powers.iter().filter(move |power| power.annotation.risk == risk)
    }

    /// The worst that can really be done.
    pub fn worst(&self) -> Risk {
        let powers = self.powers.iter().filter(|p| p.real()).map(|p| p.annotation.risk);
        let past = (self.past == Some(true)).then_some(Risk::Resource);
        powers.chain(past).min().unwrap_or(Risk::None)
    }
}

fn uses(hypervisors: &[&str], hypervisor: &str) -> bool {
    hypervisors.is_empty()
        || hypervisors.iter().any(|h| *h == hypervisor || matches!(*h, "any" | "shared code"))
}

fn reads_list(annotation: &Annotation, release: Release, list: &str) -> bool {
    annotation.reader(release).gate.list() == Some(list)
}

#[derive(Default)]
struct Values {
    files: Vec<FileHit>,
    more: bool,
    anywhere: bool,
}

/// What the whole list allows.
fn admitted(release: Release, list: &PolicyList, host: &Host) -> Values {
    let patterns = list.patterns();
    let mut values = Values::default();
    for at in 0..patterns.len() {
        let meaning = explain_entry(release, &list.name, &patterns, at, host);
        values.more |= meaning.more_files;
        values.anywhere |= meaning.warnings.contains(&Warning::LeadsUp);
        values.files.extend(meaning.files);
    }
    values.files.sort_by(|a, b| a.path.cmp(&b.path));
    values.files.dedup();
    values
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::input::host::{HostFacts, MemoryFiles};

    fn list(name: &str, entries: &[&str]) -> PolicyList {
        PolicyList {
            name: name.to_owned(),
            entries: entries.iter().map(|e| ((*e).to_owned(), None)).collect(),
        }
    }

    fn audit(release: Release, hypervisor: &str, lists: &[PolicyList]) -> Audit {
        let files = MemoryFiles::new().file("/usr/bin/qemu", 0o755, "x");
        Audit::of(release, hypervisor, lists, &Host::new(HostFacts::default(), Arc::new(files)))
    }

    fn open(audit: &Audit) -> Vec<&str> {
        audit.powers.iter().filter(|p| p.real()).map(|p| p.annotation.key).collect()
    }

    #[test]
    fn ungated_annotations_are_open_whatever_the_lists_say() {
        let audit = audit(Release::newest(Runtime::Go), "qemu", &[]);
        assert!(open(&audit).contains(&"io.katacontainers.config.runtime.disable_guest_seccomp"));
        assert!(audit.powers.iter().all(|p| p.by == Opening::Ungated));
        assert_eq!(audit.worst(), Risk::GuestIntegrity);
        assert!(audit.closed > 50);
    }

    #[test]
    fn a_name_without_values_gives_no_power() {
        let path = "io.katacontainers.config.hypervisor.path";
        let names = list("enable_annotations", &["^path$"]);
        for release in Release::STOPS {
            let without = audit(release, "qemu", std::slice::from_ref(&names));
            assert!(!open(&without).contains(&path), "{release:?}");
            let lists = [names.clone(), list("valid_hypervisor_paths", &["/usr/bin/*"])];
            let with = audit(release, "qemu", &lists);
            assert_eq!(open(&with).first(), Some(&path), "{release:?}");
            assert_eq!(with.worst(), Risk::HostExec);
            let path = with.powers.iter().find(|p| p.annotation.key == path);
            assert_eq!(path.map(|p| p.anywhere), Some(release.runtime == Runtime::Rs));
            assert!(with.idle.is_empty());
        }
    }

    #[test]
    fn lists_that_do_nothing_are_told() {
        let lists = [list("enable_annotations", &["^path$"]), list("valid_jailer_paths", &["/a"])];
        assert_eq!(audit(Release::newest(Runtime::Go), "firecracker", &lists).idle, ["valid_jailer_paths"]);
        let disabled = [list("enable_annotations", &["(?=a)", "path"])];
        assert!(audit(Release::newest(Runtime::Rs), "qemu", &disabled).disabled);
        assert!(!audit(Release::newest(Runtime::Go), "qemu", &disabled).disabled);
    }

    #[test]
    fn the_widest_entry_comes_first() {
        let lists = [list("enable_annotations", &["^default_memory$", "virtio_fs", ".*", "^path$"])];
        let audit = audit(Release::newest(Runtime::Rs), "qemu", &lists);
        let patterns: Vec<&str> = audit.entries.iter().map(|e| e.pattern.as_str()).collect();
        assert_eq!(patterns, [".*", "virtio_fs", "^path$", "^default_memory$"]);
    }
}
