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

/// Every pod; `reading` is told how far it is.
pub(super) fn all(input: &Input, reading: Option<&Arc<Reading>>) -> Result<Vec<Pod>, CliError> {
    let mut found = Vec::new();
    told(
        input,
        reading,
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
    told(input, None, work, take)
}

fn told<T: Send>(
    input: &Input,
    reading: Option<&Arc<Reading>>,
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
            parallel::each(open(&file, reading)?, &node, &work, &mut take)?;
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
