//! The pods that were named: files, folders, standard input, or the sample's.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::args::Input;
use super::kubectl::{self, CLUSTER};
use super::parallel::Seen;
use super::setup::SetupError;
use super::{CliError, open, parallel, setup, what_if};
use crate::input::manifest::pods::{Found, find};
use crate::input::manifest::{self, Fault, InputError, Object, Pod, RuntimeClass};
use crate::input::reading::{Counted, Reading};
use crate::input::what_if::WhatIf;
use crate::input::{Place, Source};
use crate::kubernetes::{self, Node};
use crate::report::escape::{visible, visible_lines};
use crate::sample;

/// Calls `take` with every pod, in input order.
pub(super) fn each(input: &Input, take: impl FnMut(Pod) -> Result<(), CliError>) -> Result<(), CliError> {
    each_worked(input, parallel::cores(), |pod| pod, take)
}

/// How manifests are read.
#[derive(Clone, Copy)]
pub(super) enum Way<'r> {
    /// So many at once.
    Large(NonZero<usize>),
    /// On every core, and told how far it is.
    Told(&'r Arc<Reading>),
    /// Right here.
    Small,
}

impl Way<'_> {
    /// On every core.
    pub(super) fn large() -> Self {
        Self::Large(parallel::cores())
    }
}

/// Whether reading the manifests takes no longer than to start threads for it.
pub(super) fn are_small(input: &Input) -> bool {
    const SMALL: u64 = 256 << 10;
    let mut sum = 0;
    let asked = input.manifests.iter().any(|path| path == Path::new(CLUSTER));
    !asked
        && input.manifests.iter().filter_map(|path| files(path).ok()).flatten().all(|file| {
            match std::fs::metadata(file) {
                Ok(meta) => {
                    sum += meta.len();
                    meta.is_file() && sum <= SMALL
                }
                // What is not there is told at once.
                Err(_) => true,
            }
        })
}

/// Every pod.
pub(super) fn all(input: &Input, way: Way<'_>) -> Result<Vec<Pod>, CliError> {
    let mut found = Vec::new();
    told(
        input,
        way,
        |pod| pod,
        |pod| {
            found.push(pod);
            Ok(())
        },
    )?;
    Ok(found)
}

/// Calls `work` with every pod, on any of `jobs` threads, and `take` with what it gives, in input order.
pub(super) fn each_worked<T: Send>(
    input: &Input,
    jobs: NonZero<usize>,
    work: impl Fn(Pod) -> T + Sync,
    take: impl FnMut(T) -> Result<(), CliError>,
) -> Result<(), CliError> {
    told(input, Way::Large(jobs), work, take)
}

fn told<T: Send>(
    input: &Input,
    way: Way<'_>,
    work: impl Fn(Pod) -> T + Sync,
    mut take: impl FnMut(T) -> Result<(), CliError>,
) -> Result<(), CliError> {
    let cluster = Cluster::of(input)?;
    let wanted = |pod: &Pod| input.pod.as_ref().is_none_or(|id| *id == pod.id() || *id == pod.name);
    let work = |pod: Pod| wanted(&pod).then(|| work(pod));
    let mut seen = 0_usize;
    let mut take = |result: T| {
        seen += 1;
        take(result)
    };
    let mut found = Seen::default();
    if open::is_sample(input) {
        let pods = sample::pods();
        let text = io::Cursor::new(pods.text.to_string());
        found.pods += parallel::here((pods.path, Box::new(text)), &cluster, &work, &mut take)?.pods;
    }
    for path in &input.manifests {
        for file in files(path)? {
            let reading = if let Way::Told(reading) = way { Some(reading) } else { None };
            let opened = cluster.open(&file, reading)?;
            let read = match way {
                Way::Small => parallel::here(opened, &cluster, &work, &mut take),
                Way::Large(jobs) => parallel::each(opened, jobs, &cluster, &work, &mut take),
                Way::Told(_) => parallel::each(opened, parallel::cores(), &cluster, &work, &mut take),
            };
            let read = match read {
                Err(CliError::Setup(SetupError::Manifest { error })) => {
                    match unread(&file, path.is_dir(), input.skip_others, error) {
                        None => continue,
                        Some(error) => return Err(SetupError::from(error).into()),
                    }
                }
                read => read?,
            };
            found.pods += read.pods;
            found.others.extend(read.others);
        }
    }
    match (&input.pod, input.manifests.as_slice()) {
        (Some(id), _) if seen == 0 => {
            Err(SetupError::Usage(format!("--pod: no pod '{id}' in what was read")).into())
        }
        (None, [first, rest @ ..]) if found.pods == 0 && !input.skip_others => {
            let shown = match (rest, first == Path::new("-")) {
                ([], true) => "<stdin>".to_owned(),
                ([], false) => first.display().to_string(),
                _ => format!("{} and {} more", first.display(), rest.len()),
            };
            Err(SetupError::from(manifest::no_pods(&shown.into(), &found.others)).into())
        }
        _ => match cluster.what_if.in_vain().first() {
            Some(word) if found.pods > 0 => Err(SetupError::Usage(format!(
                "--set {word}: none of these pods has a place for it (a container of that name, or containers at all)"
            ))
            .into()),
            _ => Ok(()),
        },
    }
}

/// What is said of a file that cannot be read as manifests; nothing where a folder has things in it that are no
/// objects, or where those are to be skipped, templates among them.
fn unread(file: &Path, in_folder: bool, skip: bool, error: InputError) -> Option<InputError> {
    const LOOKED_AT: u64 = 1 << 20;
    let mut text = Vec::new();
    let read = std::fs::File::open(file).and_then(|file| file.take(LOOKED_AT).read_to_end(&mut text));
    let text = String::from_utf8_lossy(&text);
    if read.is_ok()
        && let Some((number, _)) = text.lines().enumerate().find(|(_, line)| is_template(line))
    {
        if skip {
            return None;
        }
        let line = u32::try_from(number + 1).unwrap_or(u32::MAX);
        let place = Place { line, column: 0, ..error.place };
        // Of JSON that a template is not, there is nothing to say.
        let said = match error.fault {
            Fault::Json => String::new(),
            Fault::Manifest | Fault::Object => format!(" ({})", error.message),
        };
        let error = InputError::new(place, format!("a Helm template, not a manifest: render it first{said}"));
        return Some(error.with_help("helm template CHART | katascope check -"));
    }
    (!((in_folder || skip) && error.fault == Fault::Object)).then_some(error)
}

/// Whether a line has an action of Go's templates in it, outside a comment.
fn is_template(line: &str) -> bool {
    let code = line.trim_start();
    !code.starts_with('#') && code.split_once("{{").is_some_and(|(_, rest)| rest.contains("}}"))
}

/// What every input of a call is read with: Kubernetes' part of the node, and the RuntimeClasses.
#[derive(Debug)]
pub(super) struct Cluster {
    /// Kubernetes' part of the node.
    pub node: Node,
    /// The RuntimeClasses of all inputs.
    pub classes: Vec<RuntimeClass>,
    /// Whether all inputs were searched for them; else those of an input count for the pods behind them.
    pub searched: bool,
    /// Standard input, where it was read to search it.
    stdin: Option<Vec<u8>>,
    /// Which of the cluster's pods are asked for.
    asked: kubectl::ClusterOptions,
    /// What is said of the pods otherwise than their manifests say it.
    what_if: WhatIf,
}

impl Cluster {
    /// What an object is, its pods as they would be written.
    pub(super) fn judge(&self, object: &Object<'_, '_>) -> Found {
        let Some(node) = self.what_if.amended(object) else { return kubernetes::judge(object, &self.node).0 };
        let (mut found, _) = kubernetes::judge(&Object { node: &node, ..*object }, &self.node);
        if let Found::Pods(pods) = &mut found {
            pods.iter_mut().for_each(|pod| self.what_if.mark(pod));
        }
        found
    }

    /// Searches the inputs. Standard input is held for that only where handlers matter: it may be endless.
    pub(super) fn of(input: &Input) -> Result<Self, CliError> {
        let node = setup::node(input)?;
        let asked = input.cluster.clone();
        let what_if = what_if::read(input)?;
        let mut cluster = Self { node, classes: Vec::new(), searched: true, stdin: None, asked, what_if };
        if input.config.is_some() && input.cri.is_none() && input.cri_config.is_none() {
            // One configuration judges all, whatever the handler.
            cluster.searched = false;
            return Ok(cluster);
        }
        for path in &input.manifests {
            if path == Path::new(CLUSTER) {
                cluster.ask_for_classes()?;
                continue;
            }
            if path == Path::new("-") {
                let mut text = Vec::new();
                io::stdin().take(manifest::SIZE_LIMIT).read_to_end(&mut text)?;
                if names_a_class(&mut text.as_slice()) {
                    cluster.search(BufReader::new(text.as_slice()), "<stdin>");
                }
                cluster.stdin = Some(text);
                continue;
            }
            // What is wrong with a file is said when its pods are read.
            for file in files(path).unwrap_or_default() {
                let is_file = std::fs::metadata(&file).is_ok_and(|meta| meta.is_file());
                let open = || std::fs::File::open(&file).ok().filter(|_| is_file);
                if open().is_some_and(|mut opened| names_a_class(&mut opened))
                    && let Some(opened) = open()
                {
                    cluster.search(BufReader::new(opened), &file.display().to_string());
                }
            }
        }
        for class in cluster.contradictions() {
            let _ = writeln!(io::stderr(), "katascope: {}", visible(&class));
        }
        Ok(cluster)
    }

    /// The RuntimeClasses of the cluster; without the right to list them, handlers are told by the classes' names.
    fn ask_for_classes(&mut self) -> Result<(), CliError> {
        let mut text = Vec::new();
        match kubectl::run(&self.asked.classes(), self.asked.screens)?
            .take(manifest::SIZE_LIMIT)
            .read_to_end(&mut text)
        {
            Ok(_) => self.search(BufReader::new(text.as_slice()), "kubectl get runtimeclasses"),
            Err(error) if !self.asked.screens => {
                let _ = writeln!(io::stderr(), "katascope: {}", visible_lines(&error.to_string()));
            }
            Err(_) => {}
        }
        Ok(())
    }

    fn search(&mut self, input: impl BufRead, shown: &str) {
        let mut visit = |object: Object<'_, '_>| {
            if object.kind == "RuntimeClass"
                && let (Found::RuntimeClass(class), _) = find(&object)
            {
                self.classes.push(class);
            }
        };
        let _ = manifest::stream(input, shown, &mut visit);
    }

    /// Classes that come twice with different handlers: the first counts, since the field cannot be changed.
    fn contradictions(&self) -> Vec<String> {
        let mut said = Vec::new();
        for (at, class) in self.classes.iter().enumerate() {
            let first = self.classes.iter().take(at).find(|earlier| earlier.name == class.name);
            if let Some(first) = first.filter(|first| first.handler != class.handler) {
                said.push(format!(
                    "{}: RuntimeClass {} names handler {}, and {} at {}: a handler cannot be changed, the first counts",
                    class.place, class.name, class.handler, first.handler, first.place
                ));
            }
        }
        said
    }

    /// The pods in what kubectl printed of them.
    pub(super) fn pods_in(&self, text: String) -> Result<Vec<Pod>, SetupError> {
        let mut pods = kubernetes::read(&Source::new(CLUSTER, text), &self.node)?.pods;
        for pod in &mut pods {
            kubernetes::name_handler(pod, &self.classes);
        }
        Ok(pods)
    }

    fn open(&self, path: &Path, reading: Option<&Arc<Reading>>) -> Result<Opened, CliError> {
        match &self.stdin {
            Some(text) if path == Path::new("-") => {
                let text = io::Cursor::new(text.clone());
                Ok(("<stdin>".into(), counted("<stdin>", None, text, reading)))
            }
            _ if path == Path::new(CLUSTER) => {
                let printed = kubectl::run(&self.asked.pods(), self.asked.screens)?;
                Ok((CLUSTER.into(), counted(CLUSTER, None, printed, reading)))
            }
            _ => open(path, reading),
        }
    }
}

/// Whether the text has the word in it; the rest of its objects need not be read to tell.
fn names_a_class(input: &mut dyn Read) -> bool {
    const WORD: &[u8] = b"RuntimeClass";
    let finder = memchr::memmem::Finder::new(WORD);
    let mut buffer = vec![0; 1 << 16];
    let mut kept = 0;
    while let Ok(read @ 1..) = input.read(buffer.get_mut(kept..).unwrap_or_default()) {
        let filled = kept + read;
        let seen = buffer.get(..filled).unwrap_or_default();
        if finder.find(seen).is_some() {
            return true;
        }
        // No manifest has a zero in it, and a file of zeros has no end.
        if memchr::memchr(0, seen).is_some() {
            return false;
        }
        // The word may stand across two reads.
        kept = filled.min(WORD.len() - 1);
        buffer.copy_within(filled - kept..filled, 0);
    }
    false
}

/// A manifest's shown name, and what is in it.
pub(super) type Opened = (Arc<str>, Box<dyn BufRead + Send>);

/// Opens a manifest.
fn open(path: &Path, reading: Option<&Arc<Reading>>) -> Result<Opened, CliError> {
    if path == Path::new("-") {
        return Ok(("<stdin>".into(), counted("<stdin>", None, io::stdin(), reading)));
    }
    let shown: Arc<str> = path.display().to_string().into();
    let file = std::fs::File::open(path)
        .map_err(|e| SetupError::Unreadable { path: shown.to_string(), reason: setup::plain(&e) })?;
    let meta = file.metadata();
    if meta.as_ref().is_ok_and(|m| m.is_dir()) {
        return Err(SetupError::Unreadable { path: shown.to_string(), reason: "a folder".into() }.into());
    }
    let size = meta.ok().filter(|m| m.is_file()).map(|m| m.len());
    let input = counted(&shown, size, file, reading);
    Ok((shown, input))
}

fn counted(
    shown: &str,
    size: Option<u64>,
    input: impl Read + Send + 'static,
    reading: Option<&Arc<Reading>>,
) -> Box<dyn BufRead + Send> {
    const BUFFER: usize = 1 << 16;
    match reading {
        None => Box::new(BufReader::with_capacity(BUFFER, input)),
        Some(reading) => {
            reading.file(shown, size);
            let counted = Counted { inner: input, reading: reading.clone() };
            Box::new(BufReader::with_capacity(BUFFER, counted))
        }
    }
}

/// The endings of manifests.
const KNOWN: [&str; 4] = ["yaml", "yml", "json", "jsonl"];

/// The manifest files that `path` means: itself, or those of a folder by name.
fn files(path: &Path) -> Result<Vec<PathBuf>, SetupError> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let unreadable =
        |e: io::Error| SetupError::Unreadable { path: path.display().to_string(), reason: setup::plain(&e) };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).map_err(unreadable)? {
        let file = entry.map_err(unreadable)?.path();
        // kubectl does not look into folders of a folder, whatever they are called.
        if file.extension().is_some_and(|e| KNOWN.iter().any(|k| e.eq_ignore_ascii_case(k))) && !file.is_dir()
        {
            if file.exists() && !file.is_file() {
                let path = file.display().to_string();
                return Err(SetupError::Unreadable { path, reason: "not a regular file".into() });
            }
            files.push(file);
        }
    }
    if files.is_empty() {
        let reason = format!("no manifest in this folder: no file in it ends with .{}", KNOWN.join(", ."));
        return Err(SetupError::Unreadable { path: path.display().to_string(), reason });
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::args::Cli;

    fn read(text: &str, name: &str, way: Way<'_>) -> Result<Vec<Pod>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        let input = Cli::try_parse_from(["katascope", path.to_str().unwrap()]).unwrap().input;
        assert!(are_small(&input));
        let hidden = |text: String| text.replace(&folder.path().display().to_string(), "");
        let mut pods = all(&input, way).map_err(|error| hidden(error.to_string()))?;
        for pod in &mut pods {
            pod.source.file = hidden(std::mem::take(&mut pod.source.file));
            // Places have the path in them, and are the reader's own.
            pod.findings.clear();
            pod.problems.iter_mut().for_each(|problem| problem.place = None);
            pod.annotations.iter_mut().for_each(|a| a.place.file = "".into());
        }
        Ok(pods)
    }

    #[test]
    fn little_is_read_as_much_is() {
        let pod = |name: &str| {
            format!(
                r#"{{"kind":"Pod","apiVersion":"v1","metadata":{{"name":"{name}","annotations":{{"a":"1"}}}},"spec":{{"runtimeClassName":"k","containers":[]}}}}"#
            )
        };
        let class =
            r#"{"kind":"RuntimeClass","apiVersion":"node.k8s.io/v1","metadata":{"name":"k"},"handler":"h"}"#;
        let texts = [
            (sample::PODS.to_owned(), "a.yaml"),
            (format!("{}\n---\n{class}\n---\n{}\n", pod("a"), pod("b")), "a.yaml"),
            (format!("{}\n{class}\n{}\n", pod("a"), pod("b")), "a.json"),
            (format!("{}\n{{\n", pod("a")), "a.json"),
            (
                format!(r#"{{"kind":"List","apiVersion":"v1","items":[{},{class},{}]}}"#, pod("a"), pod("b")),
                "a.json",
            ),
            ("kind: ConfigMap\napiVersion: v1\n".to_owned(), "a.yaml"),
            ("kind: [\n".to_owned(), "a.yaml"),
            (String::new(), "a.yaml"),
        ];
        for (text, name) in texts {
            let much = read(&text, name, Way::large());
            assert_eq!(read(&text, name, Way::Small), much, "{text}");
            assert!(much.is_ok_and(|pods| pods.len() > 1) || !text.contains("\"b\""), "{text}");
        }
    }

    #[test]
    fn what_has_no_end_is_not_little() {
        let input = |path: &str| Cli::try_parse_from(["katascope", path]).unwrap().input;
        assert!(!are_small(&input("/dev/zero")));
        assert!(are_small(&input("/no/such/file")));
    }
}
