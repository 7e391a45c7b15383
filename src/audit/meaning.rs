//! What one entry of a policy list means on this host: the annotations it lets through with their
//! risk, the files it allows, and where it says more, or less, than it seems to.
//!
//! Matches with the gates' own rules (`names`, `values`); judges no pod.

use std::fmt;
use std::sync::Arc;

use crate::catalog::{self, Annotation, Gate, Level, Risk};
use crate::input::Host;
use crate::input::host::FileKind;
use crate::input::host::globs;
use crate::policy::names::NameGate;
use crate::policy::values::ValueGate;
use crate::release::{Release, Runtime};

/// How many files are listed, and how many looked at, before a search ends.
const FILES_LISTED: usize = 500;
const FILES_VISITED: usize = 5000;

/// What an entry means.
#[derive(Debug, Clone, PartialEq)]
pub struct Meaning {
    /// The annotations whose name it lets through, worst risk first. Of a value list: those it gates.
    pub names: Vec<&'static Annotation>,
    /// The files of the host that a value list allows by it.
    pub files: Vec<FileHit>,
    /// Whether there may be more files than are listed.
    pub more_files: bool,
    /// What it says beyond what it seems to say, worst first.
    pub warnings: Vec<Warning>,
}

impl Meaning {
    /// The worst that whoever may create pods can do by it.
    pub fn risk(&self) -> Risk {
        self.names.iter().map(|annotation| annotation.risk).min().unwrap_or(Risk::None)
    }
}

/// One file that a value list allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileHit {
    /// Its path, as the annotation would have to spell it.
    pub path: String,
    /// What it is, links followed.
    pub kind: FileKind,
}

/// Something about an entry that its author should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Warning {
    /// It is malformed, and with it the whole list lets nothing through.
    DisablesAll(String),
    /// Another entry is malformed and disables the whole list.
    DisabledBy(usize),
    /// It is malformed and lets nothing through.
    Invalid(String),
    /// It matches every name there is.
    Everything,
    /// It is found inside longer names as well.
    Unanchored(Vec<&'static str>),
    /// A wildcard also stands for `/`, so that files in folders below are admitted.
    CrossesFolders,
    /// A wildcard also stands for `..`, so that files anywhere can be spelled to match.
    LeadsUp,
    /// What it allows, or its folder, can be written by any user of the host.
    AnyoneCanWrite(String),
    /// A class begins with a sign that does not negate here.
    NotNegated(char),
    /// It is relative to a folder that depends on the pod.
    Relative,
    /// A wildcard also stands for hidden files.
    HiddenFiles,
    /// It matches no annotation that this release reads; those it knows otherwise.
    NoName(Vec<&'static str>),
    /// It allows no file of this host.
    NoFile,
    /// The host's files cannot be looked at.
    FilesNotKnown,
    /// It repeats an earlier entry.
    Duplicate(usize),
    /// Whatever it lets through, this other entry does too.
    Shadowed(usize),
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DisablesAll(why) => {
                write!(f, "malformed, and disables the whole list: {}", cause(why))
            }
            Self::DisabledBy(at) => write!(f, "without effect: entry {} disables the whole list", at + 1),
            Self::Invalid(why) => write!(f, "malformed, matches nothing: {}", cause(why)),
            Self::Everything => f.write_str("matches every name"),
            Self::Unanchored(names) => {
                write!(f, "not anchored: also matches {} (^ and $ make it exact)", some(names))
            }
            Self::CrossesFolders => {
                f.write_str("the wildcard also stands for /: files in folders below are admitted")
            }
            Self::LeadsUp => {
                f.write_str("the wildcard also stands for ..: a path can be spelled to lead anywhere")
            }
            Self::AnyoneCanWrite(path) => write!(f, "any user of the host can write {path}"),
            Self::NotNegated('^') => f.write_str("[^ does not negate in runtime-rs; [! does"),
            Self::NotNegated(sign) => write!(f, "[{sign} does not negate in the Go runtime; [^ does"),
            Self::Relative => f.write_str("relative: what it stands for depends on the runtime's folder"),
            Self::HiddenFiles => f.write_str("the wildcard also stands for hidden files"),
            Self::NoName(names) if names.is_empty() => f.write_str("matches no annotation that exists"),
            Self::NoName(names) => {
                write!(f, "matches no annotation that this runtime reads, only {}", some(names))
            }
            Self::NoFile => f.write_str("no file of this host matches"),
            Self::FilesNotKnown => {
                f.write_str("which files it stands for is not known: the host's cannot be looked at")
            }
            Self::Duplicate(at) => write!(f, "the same as entry {}", at + 1),
            Self::Shadowed(at) => write!(f, "adds nothing to entry {}", at + 1),
        }
    }
}

fn cause(text: &str) -> &str {
    // The regex crate draws the pattern over several lines; the last says what is wrong.
    text.lines().last().unwrap_or_default().trim_start_matches("error: ")
}

fn some(names: &[&'static str]) -> String {
    let (shown, rest) = names.split_at(names.len().min(3));
    match rest.len() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// What entry `at` means among the others of its list (`enable_annotations`, `valid_hypervisor_paths`, ...).
pub fn explain_entry(release: Release, list: &str, patterns: &[String], at: usize, host: &Host) -> Meaning {
    let mut meaning =
        Meaning { names: Vec::new(), files: Vec::new(), more_files: false, warnings: Vec::new() };
    let Some(pattern) = patterns.get(at) else { return meaning };
    if list == "enable_annotations" {
        explain_name(release, pattern, &mut meaning);
        among_names(release, patterns, at, &mut meaning);
    } else {
        meaning.names = gated_by(release, list);
        explain_value(release, pattern, host, &mut meaning);
        among_values(release, patterns, at, host, &mut meaning);
    }
    if let Some(first) = patterns.iter().position(|p| p == pattern).filter(|first| *first < at) {
        meaning.warnings.retain(|w| !matches!(w, Warning::Shadowed(_)));
        meaning.warnings.push(Warning::Duplicate(first));
    }
    meaning
}

/// The annotations whose value a list gates.
pub fn gated_by(release: Release, list: &str) -> Vec<&'static Annotation> {
    catalog::annotations(release)
        .filter(|(_, reader)| reader.gate.list() == Some(list))
        .map(|(annotation, _)| annotation)
        .collect()
}

/// The annotations that the name gate stands before, by short name.
pub fn gated_names(release: Release) -> impl Iterator<Item = (&'static Annotation, &'static str)> {
    catalog::annotations(release)
        .filter(|(_, reader)| reader.gate != Gate::None)
        .filter_map(|(annotation, _)| Some((annotation, annotation.short()?)))
}

fn one(release: Release, pattern: &str) -> NameGate {
    NameGate::new(release, &[pattern.to_owned()])
}

fn explain_name(release: Release, pattern: &str, meaning: &mut Meaning) {
    let gate = one(release, pattern);
    if let Some((_, why)) = gate.invalid().next() {
        let why = why.to_owned();
        meaning.warnings.push(match release.runtime {
            Runtime::Rs => Warning::DisablesAll(why),
            Runtime::Go => Warning::Invalid(why),
        });
        return;
    }
    let exact = one(release, &format!("^(?:{pattern})$"));
    let mut inside = Vec::new();
    let mut all = true;
    for (annotation, short) in gated_names(release) {
        if gate.allows(short).is_some() {
            meaning.names.push(annotation);
            if exact.allows(short).is_none() {
                inside.push(short);
            }
        } else {
            all = false;
        }
    }
    meaning.names.sort_by_key(|annotation| annotation.risk);
    // A name that does not exist tells a pattern for everything from one that only happens to match all.
    if all && gate.allows("katascope\u{1}").is_some() {
        meaning.warnings.push(Warning::Everything);
    } else if !inside.is_empty() {
        meaning.warnings.push(Warning::Unanchored(inside));
    }
    if meaning.names.is_empty() {
        let known = catalog::all_annotations()
            .iter()
            .filter(|annotation| annotation.level != Level::MountOption)
            .filter_map(Annotation::short)
            .filter(|short| gate.allows(short).is_some())
            .collect();
        meaning.warnings.push(Warning::NoName(known));
    }
}

fn among_names(release: Release, patterns: &[String], at: usize, meaning: &mut Meaning) {
    let whole = NameGate::new(release, patterns);
    if whole.disabled() {
        let culprit = whole.invalid().map(|(i, _)| i).find(|i| *i != at);
        let own = meaning.warnings.iter().any(|w| matches!(w, Warning::DisablesAll(_)));
        if let (false, Some(culprit)) = (own, culprit) {
            meaning.warnings.insert(0, Warning::DisabledBy(culprit));
        }
        return;
    }
    if meaning.names.is_empty() {
        return;
    }
    let own = meaning.names.len();
    let covers = |(other, pattern): (usize, &String)| {
        let gate = one(release, pattern);
        let all = meaning
            .names
            .iter()
            .all(|annotation| annotation.short().is_some_and(|s| gate.allows(s).is_some()));
        let theirs = gated_names(release).filter(|(_, short)| gate.allows(short).is_some()).count();
        (all && (other < at || theirs > own)).then_some(other)
    };
    let shadow = patterns.iter().enumerate().filter(|(other, _)| *other != at).find_map(covers);
    meaning.warnings.extend(shadow.map(Warning::Shadowed));
}

fn wildcards(pattern: &str) -> bool {
    pattern.contains(['*', '?', '['])
}

fn explain_value(release: Release, pattern: &str, host: &Host, meaning: &mut Meaning) {
    let rust = release.runtime == Runtime::Rs;
    if pattern.is_empty() {
        meaning.warnings.push(Warning::NoFile);
        return;
    }
    let list = [pattern.to_owned()];
    let gate = ValueGate::new(release, &list);
    if let Some((_, why)) = gate.invalid().next() {
        meaning.warnings.push(Warning::Invalid(why.to_owned()));
        return;
    }
    if rust {
        (meaning.files, meaning.more_files) = matching_files(pattern, &gate, host);
        if wildcards(pattern) {
            if gate_takes(&gate, host, pattern, "..") {
                meaning.warnings.push(Warning::LeadsUp);
            }
            if gate_takes(&gate, host, pattern, "a/b") {
                meaning.warnings.push(Warning::CrossesFolders);
            }
        }
    } else {
        let found = globs::files(host, pattern);
        meaning.more_files = found.files.len() > FILES_LISTED || (!found.whole && host.sees_all());
        meaning.files = found.files.iter().take(FILES_LISTED).filter_map(|path| hit(host, path)).collect();
    }
    let open = meaning.files.iter().find_map(|file| anyone_can_write(host, &file.path));
    meaning.warnings.extend(open.map(Warning::AnyoneCanWrite));
    let sign = if rust { "[^" } else { "[!" };
    if pattern.contains(sign) {
        meaning.warnings.push(Warning::NotNegated(if rust { '^' } else { '!' }));
    }
    if !pattern.starts_with('/') {
        meaning.warnings.push(Warning::Relative);
    }
    let hidden = |file: &FileHit| file.path.contains("/.") && !pattern.contains("/.");
    if meaning.files.iter().any(hidden) {
        meaning.warnings.push(Warning::HiddenFiles);
    }
    if !host.sees_all() {
        meaning.warnings.push(Warning::FilesNotKnown);
    } else if meaning.files.is_empty() && !meaning.more_files {
        meaning.warnings.push(Warning::NoFile);
    }
}

/// Whether a wildcard of the pattern stands for `part`: the first one is written out so.
fn gate_takes(gate: &ValueGate, host: &Host, pattern: &str, part: &str) -> bool {
    pattern.match_indices('*').any(|(at, _)| {
        let (head, tail) = pattern.split_at(at);
        let tail = tail.trim_start_matches('*');
        let plain = |text: &str| !wildcards(text);
        // `..` must be a component of its own to lead up.
        let folder = if part == ".." && !head.ends_with('/') { "x/../" } else { "" };
        let slash = if part == ".." && !tail.starts_with('/') { "/x" } else { "" };
        plain(head) && gate.allows(host, &format!("{head}{folder}{part}{slash}{}", filled(tail))).is_some()
    })
}

/// A text that the rest of a pattern matches, where its wildcards are plain ones.
fn filled(pattern: &str) -> String {
    pattern.chars().filter(|c| *c != '*').map(|c| if c == '?' { 'x' } else { c }).collect()
}

fn hit(host: &Host, path: &str) -> Option<FileHit> {
    let stat = host.knows(path).then(|| host.stat(path).ok()).flatten()?;
    Some(FileHit { path: path.to_owned(), kind: stat.kind })
}

/// The host's files that a text pattern matches, searched from the last folder it names without a wildcard.
fn matching_files(pattern: &str, gate: &ValueGate, host: &Host) -> (Vec<FileHit>, bool) {
    if !wildcards(pattern) {
        return (hit(host, pattern).into_iter().collect(), false);
    }
    let plain = pattern.split(['*', '?', '[']).next().unwrap_or_default();
    let start = plain.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut folders: Vec<String> = vec![start.to_owned()];
    let (mut found, mut visited) = (Vec::new(), 0);
    while let Some(folder) = folders.pop() {
        let listed: Arc<[String]> = match host.read_dir(if folder.is_empty() { "/" } else { &folder }) {
            Ok(names) => names,
            Err(_) => continue,
        };
        for name in listed.iter().rev() {
            visited += 1;
            if visited > FILES_VISITED || found.len() == FILES_LISTED {
                return (sorted(found), true);
            }
            let path = format!("{folder}/{name}");
            // A folder that is a link is matched but not walked: it may lead round.
            let walk = host.lstat(&path).is_ok_and(|stat| stat.kind == FileKind::Directory);
            if gate.allows(host, &path).is_some() {
                found.extend(hit(host, &path));
            }
            if walk {
                folders.push(path);
            }
        }
    }
    (sorted(found), false)
}

fn sorted(mut files: Vec<FileHit>) -> Vec<FileHit> {
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

/// The file, or the folder it lies in, where any user may write it.
fn anyone_can_write(host: &Host, path: &str) -> Option<String> {
    const WORLD: u32 = 0o002;
    const STICKY: u32 = 0o1000;
    let real = host.canonicalize(path).ok()?;
    let mut at: &str = &real;
    loop {
        let stat = host.stat(if at.is_empty() { "/" } else { at }).ok()?;
        let sticky = stat.kind == FileKind::Directory && stat.mode & STICKY != 0 && at != &*real;
        if stat.mode & WORLD != 0 && !sticky && stat.kind != FileKind::Other {
            return Some(if at.is_empty() { "/".to_owned() } else { at.to_owned() });
        }
        at = at.rsplit_once('/')?.0;
    }
}

fn among_values(release: Release, patterns: &[String], at: usize, host: &Host, meaning: &mut Meaning) {
    let Some(pattern) = patterns.get(at) else { return };
    let covers = |(other, theirs): (usize, &String)| {
        let gate = ValueGate::new(release, std::slice::from_ref(theirs));
        let all = match release.runtime {
            // Of texts, only a plain path can be told to be covered whole.
            Runtime::Rs => !wildcards(pattern) && gate.allows(host, pattern).is_some(),
            Runtime::Go => {
                !meaning.files.is_empty()
                    && !meaning.more_files
                    && meaning.files.iter().all(|file| gate.allows(host, &file.path).is_some())
                    && (other < at
                        || globs::files(host, theirs).files.len() > globs::files(host, pattern).files.len())
            }
        };
        (all && other != at && theirs != pattern).then_some(other)
    };
    let shadow = patterns.iter().enumerate().find_map(covers);
    meaning.warnings.extend(shadow.map(Warning::Shadowed));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::host::{HostFacts, MemoryFiles};

    fn host() -> Host {
        let files = MemoryFiles::new()
            .file("/opt/kata/bin/qemu", 0o755, "x")
            .file("/opt/kata/bin/.old", 0o755, "x")
            .file("/opt/kata/bin/sub/qemu", 0o755, "x")
            .file("/srv/any", 0o777, "x")
            .link("/opt/kata/round", "/opt/kata");
        Host::new(HostFacts::default(), Arc::new(files))
    }

    fn explain(release: Release, list: &str, pattern: &str, host: &Host) -> Meaning {
        explain_entry(release, list, &[pattern.to_owned()], 0, host)
    }

    fn paths(meaning: &Meaning) -> Vec<&str> {
        meaning.files.iter().map(|f| f.path.as_str()).collect()
    }

    #[test]
    fn names_come_worst_first() {
        let meaning = explain(Release::newest(Runtime::Go), "enable_annotations", "path", &host());
        assert_eq!(meaning.risk(), Risk::HostExec);
        let shorts: Vec<_> = meaning.names.iter().filter_map(|a| a.short()).collect();
        assert!(shorts.contains(&"path") && shorts.contains(&"jailer_path"));
        let Some(Warning::Unanchored(inside)) = meaning.warnings.first() else { panic!("{meaning:?}") };
        assert!(inside.contains(&"jailer_path") && !inside.contains(&"path"));
        assert!(
            explain(Release::newest(Runtime::Go), "enable_annotations", "^path$", &host())
                .warnings
                .is_empty()
        );
    }

    #[test]
    fn everything_and_nothing() {
        for pattern in ["", ".*", "^", "."] {
            let meaning = explain(Release::newest(Runtime::Rs), "enable_annotations", pattern, &host());
            assert_eq!(meaning.warnings, [Warning::Everything], "{pattern:?}");
        }
        let nothing = explain(Release::newest(Runtime::Rs), "enable_annotations", "use_vsock", &host());
        assert_eq!(nothing.warnings, [Warning::NoName(vec!["use_vsock"])]);
        let invalid = |release| explain(release, "enable_annotations", "a(?!b)", &host()).warnings;
        assert!(matches!(invalid(Release::newest(Runtime::Rs))[..], [Warning::DisablesAll(_)]));
        assert!(matches!(invalid(Release::newest(Runtime::Go))[..], [Warning::Invalid(_)]));
    }

    #[test]
    fn among_others() {
        let list = ["kernel".to_owned(), "kernel_params".to_owned(), "kernel".to_owned(), "(".to_owned()];
        let warnings =
            |release, at| explain_entry(release, "enable_annotations", &list, at, &host()).warnings;
        assert_eq!(warnings(Release::newest(Runtime::Go), 1), [Warning::Shadowed(0)]);
        assert_eq!(warnings(Release::newest(Runtime::Go), 2).last(), Some(&Warning::Duplicate(0)));
        assert_eq!(warnings(Release::newest(Runtime::Rs), 1).first(), Some(&Warning::DisabledBy(3)));
    }

    #[test]
    fn files_by_each_runtimes_rules() {
        let go = explain(Release::newest(Runtime::Go), "valid_hypervisor_paths", "/opt/kata/bin/*", &host());
        assert_eq!(paths(&go), ["/opt/kata/bin/.old", "/opt/kata/bin/qemu", "/opt/kata/bin/sub"]);
        assert_eq!(go.warnings, [Warning::HiddenFiles]);
        assert_eq!(go.risk(), Risk::HostExec);
        let rs = explain(Release::newest(Runtime::Rs), "valid_hypervisor_paths", "/opt/kata/bin/*", &host());
        assert_eq!(paths(&rs).len(), 4);
        assert_eq!(rs.warnings, [Warning::LeadsUp, Warning::CrossesFolders, Warning::HiddenFiles]);
        let rs =
            explain(Release::newest(Runtime::Rs), "valid_hypervisor_paths", "/opt/kata/bin/q[^x]mu", &host());
        assert_eq!(rs.warnings, [Warning::NotNegated('^'), Warning::NoFile]);
        let go =
            explain(Release::newest(Runtime::Go), "valid_hypervisor_paths", "/opt/kata/bin/q[!x]mu", &host());
        assert_eq!(go.warnings, [Warning::NotNegated('!'), Warning::NoFile]);
        let open = explain(Release::go(2, 1, 0), "valid_hypervisor_paths", "/srv/*", &host());
        assert_eq!(open.warnings, [Warning::AnyoneCanWrite("/srv/any".into())]);
        let relative = explain(Release::go(2, 1, 0), "valid_hypervisor_paths", "qemu", &host());
        assert_eq!(relative.warnings, [Warning::Relative, Warning::NoFile]);
    }

    #[test]
    fn a_value_entry_that_adds_nothing() {
        let list = ["/opt/kata/bin/qemu".to_owned(), "/opt/*/bin/*".to_owned()];
        for release in Release::STOPS {
            let meaning = explain_entry(release, "valid_hypervisor_paths", &list, 0, &host());
            assert_eq!(meaning.warnings, [Warning::Shadowed(1)], "{release:?}");
        }
    }
}
