//! The pods that were named: files, folders, standard input, or the sample's.

use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::args::Input;
use super::setup::SetupError;
use super::{CliError, parallel, setup};
use crate::input::manifest::Pod;
use crate::input::reading::{Counted, Reading};
use crate::kubernetes;
use crate::sample;

/// Calls `take` with every pod, in input order.
pub(super) fn each(input: &Input, take: impl FnMut(Pod) -> Result<(), CliError>) -> Result<(), CliError> {
    each_worked(input, |pod| pod, take)
}

/// How manifests are read.
#[derive(Clone, Copy)]
pub(super) enum Way<'r> {
    /// On every core.
    Large,
    /// On every core, and told how far it is.
    Told(&'r Arc<Reading>),
    /// Right here.
    Small,
}

/// Whether reading the manifests takes no longer than to start threads for it.
pub(super) fn are_small(input: &Input) -> bool {
    const SMALL: u64 = 256 << 10;
    let mut sum = 0;
    input.manifests.iter().filter_map(|path| files(path).ok()).flatten().all(|file| {
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

/// Calls `work` with every pod, on any thread, and `take` with what it gives, in input order.
pub(super) fn each_worked<T: Send>(
    input: &Input,
    work: impl Fn(Pod) -> T + Sync,
    take: impl FnMut(T) -> Result<(), CliError>,
) -> Result<(), CliError> {
    told(input, Way::Large, work, take)
}

fn told<T: Send>(
    input: &Input,
    way: Way<'_>,
    work: impl Fn(Pod) -> T + Sync,
    mut take: impl FnMut(T) -> Result<(), CliError>,
) -> Result<(), CliError> {
    let node = setup::node(input)?;
    let wanted = |pod: &Pod| input.pod.as_ref().is_none_or(|id| *id == pod.id() || *id == pod.name);
    let work = |pod: Pod| wanted(&pod).then(|| work(pod));
    let mut seen = 0_usize;
    let mut take = |result: T| {
        seen += 1;
        take(result)
    };
    if input.manifests.is_empty() && input.config.is_none() {
        for pod in kubernetes::read(&sample::pods(), &node).map_err(SetupError::from)?.pods {
            work(pod).map_or(Ok(()), &mut take)?;
        }
    }
    for path in &input.manifests {
        for file in files(path)? {
            let reading = if let Way::Told(reading) = way { Some(reading) } else { None };
            let opened = open(&file, reading)?;
            match way {
                Way::Small => parallel::here(opened, &node, &work, &mut take)?,
                Way::Large | Way::Told(_) => parallel::each(opened, &node, &work, &mut take)?,
            }
        }
    }
    match &input.pod {
        Some(id) if seen == 0 => {
            Err(SetupError::Usage(format!("--pod: no pod '{id}' in what was read")).into())
        }
        _ => Ok(()),
    }
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
            let much = read(&text, name, Way::Large);
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
