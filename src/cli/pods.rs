//! The pods that were named: files, folders, standard input, or the sample's.

use std::io::{self, Read};
use std::num::NonZero;
use std::path::Path;
use std::sync::Arc;

use super::args::Input;
use super::cluster::{Cluster, files};
use super::error::SetupError;
use super::kubectl::CLUSTER;
use super::parallel::Seen;
use super::{CliError, open, parallel};
use crate::input::Place;
use crate::input::manifest::{self, Fault, InputError, Pod};
use crate::input::reading::Reading;
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
