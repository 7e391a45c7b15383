//! What manifests are read with: Kubernetes' part of the node, and the RuntimeClasses of all of them.
//!
//! Decides which files an input is, and where they are searched for classes before their pods are read.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::args::{ClusterOptions, Input};
use super::error::{SetupError, plain};
use super::kubectl::{self, CLUSTER};
use super::{CliError, set, setup};
use crate::input::Source;
use crate::input::manifest::pods::{Found, find};
use crate::input::manifest::{self, Object, Pod, RuntimeClass};
use crate::input::reading::{Counted, Reading};
use crate::input::what_if::WhatIf;
use crate::kubernetes::{self, Node};
use crate::report::escape::{visible, visible_lines};

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
    asked: ClusterOptions,
    /// What is said of the pods otherwise than their manifests say it.
    pub what_if: WhatIf,
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
        let what_if = set::read(input)?;
        let mut cluster = Self { node, classes: Vec::new(), searched: true, stdin: None, asked, what_if };
        if input.config.is_some() && input.container_runtime.is_open() {
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

    /// Opens one of the inputs.
    pub(super) fn open(&self, path: &Path, reading: Option<&Arc<Reading>>) -> Result<Opened, CliError> {
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
        .map_err(|e| SetupError::Unreadable { path: shown.to_string(), reason: plain(&e) })?;
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
pub(super) fn files(path: &Path) -> Result<Vec<PathBuf>, SetupError> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let unreadable =
        |e: io::Error| SetupError::Unreadable { path: path.display().to_string(), reason: plain(&e) };
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
