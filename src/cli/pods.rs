//! The pods that were named: files, folders, standard input, or the sample's.

use std::io;
use std::path::{Path, PathBuf};

use super::CliError;
use super::args::Input;
use super::setup::SetupError;
use crate::input::manifest::{self, Pod};
use crate::sample;

/// Calls `take` with every pod, in input order.
pub(super) fn each(input: &Input, mut take: impl FnMut(Pod) -> Result<(), CliError>) -> Result<(), CliError> {
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
        let _ = sample::pods();
    }
    for path in &input.manifests {
        for file in files(path)? {
            read(&file, &mut take)?;
        }
    }
    match &input.pod {
        Some(id) if seen == 0 => {
            Err(SetupError::Usage(format!("--pod: no pod '{id}' in what was read")).into())
        }
        _ => Ok(()),
    }
}

fn read(path: &Path, take: &mut dyn FnMut(Pod) -> Result<(), CliError>) -> Result<(), CliError> {
    // OCI specs, one a line; the manifest reader takes this place.
    let text = std::fs::read_to_string(path)
        .map_err(|e| SetupError::Unreadable { path: path.display().to_string(), reason: e.to_string() })?;
    for (i, line) in text.lines().enumerate() {
        let value: serde_json::Value =
            serde_json::from_str(line).map_err(|e| SetupError::Usage(e.to_string()))?;
        let file: std::sync::Arc<str> = path.display().to_string().into();
        let annotations = value
            .get("annotations")
            .and_then(|a| a.as_object())
            .into_iter()
            .flatten()
            .map(|(key, value)| manifest::PodAnnotation {
                key: key.clone(),
                value: value.as_str().unwrap_or_default().to_owned(),
                place: crate::input::Place {
                    file: file.clone(),
                    line: u32::try_from(i + 1).unwrap_or(0),
                    column: 1,
                },
            })
            .collect();
        take(Pod {
            name: "oci".into(),
            namespace: "default".into(),
            kind: "OCI".into(),
            source: manifest::PodSource {
                file: file.to_string(),
                document: i + 1,
                line: u32::try_from(i + 1).unwrap_or(0),
            },
            form: manifest::Form::Oci,
            annotations,
            labels: Default::default(),
            runtime_class: None,
            hostname: value.get("hostname").and_then(|h| h.as_str()).unwrap_or_default().into(),
            sizing: None,
            problems: Vec::new(),
        })?;
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
