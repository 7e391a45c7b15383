//! What a cluster should enforce of one handler's policy: which annotations pass by name, and what their values
//! must be.
//!
//! Decides by the gates of `policy` and by the catalogue; writes no format. The name gate is asked of every
//! annotation that is known, so that patterns are left only for names that nobody knows.

use std::collections::BTreeSet;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::Mode;
use super::re2::{NamePattern, ValuePattern, name_pattern, value_pattern};
use crate::audit;
use crate::catalog::{self, Annotation, Gate, HYPERVISOR_PREFIX, KATA_PREFIX, Level, Reader};
use crate::cri::Engine;
use crate::evaluate::{Evaluator, Setup};
use crate::policy::names::NameGate;
use crate::release::go::Change;
use crate::release::{Release, Runtime};

/// Whose policy is asked for.
#[derive(Debug, Clone)]
pub struct Subject<'n> {
    /// The handler, where one is known.
    pub handler: Option<String>,
    /// Whether it serves pods that ask for none.
    pub default: bool,
    /// What judges its pods.
    pub evaluator: &'n Evaluator,
}

/// What a policy was made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The handler; `None`: every pod.
    pub handler: Option<String>,
    /// The configuration's files, drop-ins behind the main file.
    pub files: Vec<Arc<str>>,
    /// The digest of their paths and texts.
    pub digest: String,
    /// The release whose rules hold.
    pub release: Release,
    /// The active hypervisor's table name.
    pub hypervisor: String,
    /// Which of the three policies it is.
    pub mode: Mode,
}

impl Origin {
    /// The release as the reports write it.
    pub fn release_word(&self) -> String {
        format!("{}-{}", self.release.runtime.as_str(), self.release.version)
    }
}

/// Which keys are judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Those that the host's name gate stands before.
    Hypervisor,
    /// All of Kata's, and the one that is not spelled as such.
    Kata,
}

/// What becomes of a name that is in neither list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Others {
    /// It is refused.
    Refused,
    /// It passes.
    Pass,
    /// It passes where one of these finds something in its short name.
    PassWhere(Vec<String>),
    /// It is refused where one of these does.
    RefusedWhere(Vec<String>),
}

/// What the value of an annotation must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueRule {
    /// The annotation.
    pub key: &'static str,
    /// The list that gates it.
    pub list: &'static str,
    /// What its entries stand for.
    pub entries: Vec<ValuePattern>,
}

/// What the cluster is to enforce for one handler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// What it was made from.
    pub origin: Origin,
    /// Whether the handler serves pods that ask for none.
    pub default: bool,
    /// The keys that are judged.
    pub family: Family,
    /// Names that pass.
    pub allowed: Vec<String>,
    /// Names that are known, and refused.
    pub refused: Vec<String>,
    /// All others.
    pub others: Others,
    /// Values of names that pass.
    pub values: Vec<ValueRule>,
    /// The host's lists as they are written, for targets that are the host's own files.
    pub lists: Vec<(String, Vec<String>)>,
    /// The folder that the host looks for drop-ins in; `None` where its release reads none.
    pub drop_ins: Option<String>,
    /// What these rules do not say as the host does.
    pub inexact: Vec<String>,
}

impl Rules {
    /// Whether a name can be refused at all.
    pub fn judges_names(&self) -> bool {
        self.others != Others::Pass || !self.refused.is_empty()
    }

    /// The digest of what is enforced: equal as long as the host's policy is.
    pub fn digest(&self) -> String {
        let origin = &self.origin;
        let said =
            (&origin.handler, origin.release, &origin.hypervisor, origin.mode, self.default, self.family);
        sha256(&[&format!("{said:?}{:?}{:?}{:?}{:?}", self.allowed, self.refused, self.others, self.values)])
    }
}

fn sha256(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    let hex: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

/// The annotations that the host's name gate stands before, of any release.
fn gated() -> impl Iterator<Item = (&'static Annotation, &'static str)> {
    ours().filter_map(|annotation| Some((annotation, annotation.short()?)))
}

/// The annotations of pods and containers, of any release.
fn ours() -> impl Iterator<Item = &'static Annotation> {
    catalog::all_annotations().iter().filter(|annotation| {
        annotation.level != Level::MountOption
            && (annotation.key.starts_with(KATA_PREFIX) || annotation.key == super::SGX_EPC)
    })
}

/// The lists of one table, read once.
struct Lists {
    lists: Vec<(String, Vec<String>)>,
    gate: NameGate,
    runtime: Runtime,
}

impl Lists {
    fn of(evaluator: &Evaluator, hypervisor: &str) -> Self {
        let release = evaluator.setup().release;
        let lists: Vec<(String, Vec<String>)> = match evaluator.loaded() {
            Ok(loaded) => loaded
                .policy_lists()
                .into_iter()
                .map(|(name, list)| (name.to_owned(), list.to_vec()))
                .collect(),
            // It does not load here, but its lists can be read.
            Err(_) => audit::lists(evaluator.setup(), hypervisor)
                .into_iter()
                .map(|list| (list.name, list.entries.into_iter().map(|(text, _)| text).collect()))
                .collect(),
        };
        let names = lists.iter().find(|(name, _)| name == "enable_annotations");
        let gate = NameGate::new(release, names.map_or(&[], |(_, list)| list.as_slice()));
        Self { lists, gate, runtime: release.runtime }
    }

    fn list(&self, name: &str) -> &[String] {
        self.lists.iter().find(|(own, _)| own == name).map_or(&[], |(_, list)| list)
    }

    fn allows(&self, short: &str) -> bool {
        self.gate.allows(short).is_some()
    }

    /// The entries of `enable_annotations` that say something, with what RE2 makes of each.
    fn names(&self) -> Vec<(&String, NamePattern)> {
        if self.gate.disabled() {
            return Vec::new();
        }
        let list = self.list("enable_annotations").iter();
        list.filter_map(|entry| Some((entry, name_pattern(self.runtime, entry)?))).collect()
    }
}

/// The rules of one handler's policy.
pub fn rules(subject: &Subject<'_>, hypervisor: &str, mode: Mode) -> Rules {
    let setup = subject.evaluator.setup();
    let release = setup.release;
    let lists = Lists::of(subject.evaluator, hypervisor);
    let mut inexact = Vec::new();
    let mut known = Names::default();
    let (family, others) = match mode {
        Mode::AsHost => (Family::Hypervisor, as_host(&lists, release, &mut known, &mut inexact)),
        Mode::NothingLost | Mode::Closed => {
            let engine = &setup.engine;
            for annotation in ours() {
                let reader = annotation.reader(release);
                let passes = reader.read
                    && match annotation.short() {
                        Some(short) => reader.gate == Gate::None || lists.allows(short),
                        None => mode == Mode::NothingLost,
                    }
                    && is_passed_on(engine, subject.handler.as_deref(), annotation.key);
                known.add(annotation.key, passes);
            }
            (Family::Kata, Others::Refused)
        }
    };
    let values = values(&lists, release, &known.allowed);
    inexact.extend(unsaid(setup, &lists, mode, &values));
    if let Err(error) = subject.evaluator.loaded() {
        inexact.push(format!(
            "the configuration does not load here, and where it does not the host refuses every pod: {}",
            error.message
        ));
    }
    let files: Vec<Arc<str>> = setup.layers.sources().map(|source| source.path.clone()).collect();
    let texts: Vec<&str> = setup.layers.sources().flat_map(|source| [&*source.path, &*source.text]).collect();
    Rules {
        origin: Origin {
            handler: subject.handler.clone(),
            files,
            digest: sha256(&texts),
            release,
            hypervisor: hypervisor.to_owned(),
            mode,
        },
        default: subject.default,
        family,
        allowed: known.allowed,
        refused: known.refused,
        others,
        values,
        lists: lists.lists,
        drop_ins: drop_ins(setup),
        inexact,
    }
}

/// The folder of drop-ins beside the file, links followed.
fn drop_ins(setup: &Setup) -> Option<String> {
    if setup.release.runtime == Runtime::Go && !setup.release.has(Change::DropIns) {
        return None;
    }
    let layers = &setup.layers;
    let file = layers.resolved.as_ref().unwrap_or(&layers.asked);
    let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
    Some(format!("{folder}/config.d"))
}

/// Names by what becomes of them.
#[derive(Default)]
struct Names {
    allowed: Vec<String>,
    refused: Vec<String>,
}

impl Names {
    fn add(&mut self, key: &str, passes: bool) {
        let list = if passes { &mut self.allowed } else { &mut self.refused };
        if !list.iter().any(|own| own == key) {
            list.push(key.to_owned());
        }
    }
}

/// What the host's own gate does with names: Go refuses what no entry matches; runtime-rs what an entry
/// matches and it does not know.
fn as_host(lists: &Lists, release: Release, known: &mut Names, inexact: &mut Vec<String>) -> Others {
    let go = release.runtime == Runtime::Go;
    for (annotation, short) in gated() {
        let open = lists.allows(short);
        let passes = if go { open } else { !open || annotation.reader(release).read };
        known.add(annotation.key, passes);
    }
    let mut patterns = Vec::new();
    for (entry, pattern) in lists.names() {
        match pattern {
            NamePattern::Names(names) => {
                for name in names {
                    let key = format!("{HYPERVISOR_PREFIX}{name}");
                    if catalog::annotation(&key).is_none() {
                        known.add(&key, go);
                    }
                }
            }
            NamePattern::Every => return if go { Others::Pass } else { Others::Refused },
            NamePattern::Matches(pattern) => patterns.push(pattern),
            NamePattern::NoForm => inexact.push(format!(
                "the entry {entry:?} of enable_annotations has no form in RE2: it is held against the names that \
                 are known, and not against others"
            )),
        }
    }
    match (patterns.is_empty(), go) {
        (true, true) => Others::Refused,
        (true, false) => Others::Pass,
        (false, true) => Others::PassWhere(patterns),
        (false, false) => Others::RefusedWhere(patterns),
    }
}

fn values(lists: &Lists, release: Release, allowed: &[String]) -> Vec<ValueRule> {
    let open = |annotation: &&Annotation, reader: &Reader| {
        reader.read
            && allowed.iter().any(|key| *key == annotation.key)
            && annotation.short().is_some_and(|short| lists.allows(short))
    };
    ours()
        .filter_map(|annotation| {
            let reader = annotation.reader(release);
            let list = reader.gate.list().filter(|_| open(&annotation, reader))?;
            let mut entries = Vec::new();
            for entry in lists.list(list) {
                let entry = value_pattern(release.runtime, entry);
                if entry != ValuePattern::Never && !entries.contains(&entry) {
                    entries.push(entry);
                }
            }
            Some(ValueRule { key: annotation.key, list, entries })
        })
        .collect()
}

/// Whether the container runtime hands the annotation of a pod to the shim.
fn is_passed_on(engine: &Engine, handler: Option<&str>, key: &str) -> bool {
    let Engine::Containerd(containerd) = engine else { return true };
    let Ok(handlers) = &containerd.handlers else { return true };
    let name = handler.unwrap_or(&handlers.default);
    let Some(handler) = handlers.by_name.get(name) else { return true };
    handler.pod_annotations.iter().any(|p| p.glob.as_ref().is_some_and(|glob| glob.matches(key)))
}

/// What the host does and no server can.
fn unsaid(setup: &Setup, lists: &Lists, mode: Mode, values: &[ValueRule]) -> Vec<String> {
    let release = setup.release;
    let mut said = Vec::new();
    for (at, why) in lists.gate.invalid() {
        let entry = lists.list("enable_annotations").get(at).map_or("", String::as_str);
        let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ");
        said.push(match release.runtime {
            Runtime::Go => {
                format!("the entry {entry:?} of enable_annotations matches nothing and is left out: {why}")
            }
            Runtime::Rs => format!("the entry {entry:?} of enable_annotations shuts all names: {why}"),
        });
    }
    let globs = |rule: &ValueRule| rule.entries.iter().any(|entry| !matches!(entry, ValuePattern::Equals(_)));
    let listed: BTreeSet<&str> = values.iter().filter(|rule| globs(rule)).map(|rule| rule.list).collect();
    if !listed.is_empty() {
        let listed: Vec<&str> = listed.into_iter().collect();
        said.push(format!(
            "that a file of the name exists on the host: a path that a glob of {} matches passes here, and the \
             host refuses it where it has no such file",
            listed.join(", ")
        ));
    }
    let reads = |key| catalog::annotation(key).is_some_and(|known| known.reader(release).read);
    if mode != Mode::Closed {
        if reads("io.katacontainers.config_path") {
            said.push(
                "io.katacontainers.config_path takes a pod to another file with other lists: it is judged by the \
                 lists of this one"
                    .into(),
            );
        }
        if release.runtime == Runtime::Rs && reads("io.katacontainers.config.runtime.hypervisor_name") {
            said.push(
                "io.katacontainers.config.runtime.hypervisor_name takes a pod to another table with other lists: it \
                 is judged by the lists of this one"
                    .into(),
            );
        }
    }
    said.push(
        "how values are read: a number that is none, more CPUs than the host has, a file with another digest are \
         refused by the host alone"
            .into(),
    );
    said
}
