//! The pods that were named: files, folders, standard input, or the sample's.

use std::io::{self, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::args::Input;
use super::setup::SetupError;
use super::{CliError, setup};
use crate::input::manifest::pods::Found;
use crate::input::manifest::{self, Object, Pod};
use crate::kubernetes::{self, Node};
use crate::sample;

/// Calls `take` with every pod, in input order.
pub(super) fn each(input: &Input, mut take: impl FnMut(Pod) -> Result<(), CliError>) -> Result<(), CliError> {
    let node = setup::node(input)?;
    let wanted = |pod: &Pod| input.pod.as_ref().is_none_or(|id| *id == pod.id() || *id == pod.name);
    let mut seen = 0_usize;
    let mut take = |pod: Pod| {
        if wanted(&pod) {
            seen += 1;
            take(pod)
        } else {
            Ok(())
        }
    };
    if input.manifests.is_empty() && input.config.is_none() {
        for pod in kubernetes::read(&sample::pods(), &node).map_err(SetupError::from)?.pods {
            take(pod)?;
        }
    }
    for path in &input.manifests {
        for file in files(path)? {
            read(&file, &node, &mut take)?;
        }
    }
    match &input.pod {
        Some(id) if seen == 0 => {
            Err(SetupError::Usage(format!("--pod: no pod '{id}' in what was read")).into())
        }
        _ => Ok(()),
    }
}

fn read(path: &Path, node: &Node, take: &mut dyn FnMut(Pod) -> Result<(), CliError>) -> Result<(), CliError> {
    let shown: Arc<str> =
        if path == Path::new("-") { "<stdin>".into() } else { path.display().to_string().into() };
    let mut failed = None;
    let mut pods = 0_usize;
    let mut others = Vec::new();
    let mut classes = Vec::new();
    let mut visit = |object: Object<'_, '_>| {
        let (found, _) = kubernetes::judge(&object, node);
        match found {
            Found::Pods(found) => {
                for mut pod in found {
                    pods += 1;
                    kubernetes::name_handler(&mut pod, &classes);
                    if failed.is_none() {
                        failed = take(pod).err();
                    }
                }
            }
            Found::RuntimeClass(class) => classes.push(class),
            Found::Other(kind) => others.push(kind),
            Found::Unusable(error) => failed = failed.take().or(Some(SetupError::from(error).into())),
        }
    };
    let read = if path == Path::new("-") {
        manifest::stream(&mut io::stdin().lock(), shown.clone(), &mut visit)
    } else {
        let file = std::fs::File::open(path)
            .map_err(|e| SetupError::Unreadable { path: shown.to_string(), reason: setup::plain(&e) })?;
        if file.metadata().is_ok_and(|m| m.is_dir()) {
            return Err(SetupError::Unreadable { path: shown.to_string(), reason: "a folder".into() }.into());
        }
        manifest::stream(&mut BufReader::with_capacity(1 << 16, file), shown.clone(), &mut visit)
    };
    if let Some(error) = failed {
        return Err(error);
    }
    read.map_err(SetupError::from)?;
    if pods == 0 {
        return Err(SetupError::from(manifest::no_pods(&shown, &others)).into());
    }
    Ok(())
}

/// The manifest files that `path` means: itself, or those of a folder by name.
fn files(path: &Path) -> Result<Vec<PathBuf>, SetupError> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let unreadable =
        |e: io::Error| SetupError::Unreadable { path: path.display().to_string(), reason: e.to_string() };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).map_err(unreadable)? {
        let file = entry.map_err(unreadable)?.path();
        let known = ["yaml", "yml", "json", "jsonl"];
        if file.extension().is_some_and(|e| known.iter().any(|k| e.eq_ignore_ascii_case(k))) {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}
