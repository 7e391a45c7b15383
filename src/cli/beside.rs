//! `katascope diff --with running=FILE` and `katascope live SANDBOX`: a prediction beside the VM that runs.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use serde_json::Value as Json;

use super::args::{Input, Output};
use super::setup::SetupError;
use super::{CliError, Exit, open, paint, pods, running, say_assumed};
use crate::catalog::lines::TAGS;
use crate::diff::running as beside;
use crate::evaluate::Evaluation;
use crate::input::manifest::Pod;
use crate::release::Release;
use crate::report::beside::Beside;
use crate::report::{beside as report, json, running as told};
use crate::running::{Running, Vm, releases};
use crate::runtime::Depth;

/// What runs, as it was given.
pub(super) enum Given {
    /// Process lines.
    Lines(Running),
    /// What a VMM says of itself, or the file it was given.
    Document(Json),
}

/// Reads `FILE` or `FILE#SANDBOX`.
pub(super) fn given(text: &str) -> Result<(Given, Option<String>), CliError> {
    let (path, sandbox) = match text.rsplit_once('#') {
        Some((path, sandbox)) if !Path::new(text).exists() => (path, Some(sandbox.to_owned())),
        _ => (text, None),
    };
    let text = running::text_of(Path::new(path))?;
    if text.trim_start().starts_with('{')
        && let Ok(document) = serde_json::from_str::<Json>(&text)
    {
        return Ok((Given::Document(document), sandbox));
    }
    Ok((Given::Lines(crate::running::read(&text)), sandbox))
}

/// The VM that is meant.
pub(super) fn one<'r>(running: &'r Running, sandbox: Option<&str>) -> Result<&'r Vm, SetupError> {
    let named =
        |vm: &&Vm| sandbox.is_none_or(|id| vm.sandbox.as_deref().is_some_and(|own| own.starts_with(id)));
    let with_vmm: Vec<&Vm> = running.vms.iter().filter(named).filter(|vm| vm.vmm.is_some()).collect();
    match with_vmm.as_slice() {
        [vm] => Ok(vm),
        [] => Err(SetupError::Usage("no VM in the text (see katascope explain --running)".into())),
        several => {
            let names: Vec<&str> = several.iter().map(|vm| vm.sandbox.as_deref().unwrap_or("?")).collect();
            Err(SetupError::Usage(format!("several VMs: choose one with #SANDBOX: {}", names.join(", "))))
        }
    }
}

/// Holds the one pod that is meant against what runs.
pub(super) fn run(
    input: &Input,
    given: &Given,
    sandbox: Option<&str>,
    notes: &[String],
    output: &Output,
) -> Result<Exit, CliError> {
    let vm = match given {
        Given::Lines(lines) => Some(one(lines, sandbox)?),
        Given::Document(_) => None,
    };
    let mut input = input.clone();
    input.sandbox_id = input.sandbox_id.or_else(|| vm.and_then(|vm| vm.sandbox.clone()));
    let node = open::open_readable(&input)?.node;
    say_assumed(node.assumed());
    let pod = the_pod(&input)?;
    let evaluation = node.evaluate(&pod, Depth::Full);
    let release = node.judge_of(&pod).map_or_else(Release::default, |judge| judge.evaluator.setup().release);
    let Some(launch) = &evaluation.launch else {
        let why = evaluation.outcome.failure().map_or_else(String::new, |f| f.message.clone());
        return Err(SetupError::Usage(format!("{}: nothing is started for this pod: {why}", pod.id())).into());
    };
    let rows = match (given, vm) {
        (Given::Lines(lines), Some(vm)) => beside::processes(launch, release, vm, lines),
        (Given::Document(document), _) => of_document(&evaluation, document)?,
        (Given::Lines(_), None) => Vec::new(),
    };
    let (told, fits) = vm.map_or_else(
        || ("a VMM's own document, which tells no release".to_owned(), true),
        |vm| (told::release(vm), fits(vm, release)),
    );
    let pod = pod.id();
    let beside = Beside {
        pod: &pod,
        sandbox: input.sandbox_id.as_deref(),
        predicted: release.title(),
        told,
        fits,
        rows: &rows,
        notes,
        effective: evaluation.effective.as_ref(),
    };
    let mut out = BufWriter::new(io::stdout().lock());
    if output.is_json() {
        json::print(
            &mut out,
            &serde_json::json!({ "schema": json::SCHEMA, "pods": [report::json(&beside)] }),
        )?;
    } else {
        report::text(&mut out, &beside, paint(output.color))?;
    }
    out.flush()?;
    Ok(if rows.iter().any(|row| row.verdict.differs()) { Exit::Found } else { Exit::Clean })
}

fn fits(vm: &Vm, release: Release) -> bool {
    let tag = release.version.to_string();
    let Some(at) = TAGS.iter().position(|known| *known == tag) else { return true };
    vm.narrowed.runtime.is_none_or(|runtime| runtime == release.runtime)
        && (vm.narrowed.tags.is_empty() || releases::meets(&vm.narrowed.tags, &[(at, at)]))
}

/// The pod that was named; with several, one has to be chosen.
fn the_pod(input: &Input) -> Result<Pod, CliError> {
    let mut found: Vec<Pod> = Vec::new();
    pods::each(input, |pod| {
        found.push(pod);
        Ok(())
    })?;
    match found.len() {
        0 if input.manifests.is_empty() => Ok(Pod::bare()),
        0 => Err(SetupError::Usage("no pod in these manifests".into()).into()),
        1 => found.pop().ok_or_else(|| SetupError::Usage("no pod".into()).into()),
        _ => Err(SetupError::Usage(choose(&found)).into()),
    }
}

/// What to say where one pod has to be chosen.
pub(super) fn choose(pods: &[Pod]) -> String {
    const SHOWN: usize = 12;
    let names: Vec<String> = pods.iter().take(SHOWN).map(Pod::id).collect();
    let more = if pods.len() > SHOWN { ", ..." } else { "" };
    format!("{} pods: choose one with --pod: {}{more}", pods.len(), names.join(", "))
}

/// What a VMM says of itself beside what was sent or written for it.
fn of_document(evaluation: &Evaluation, document: &Json) -> Result<Vec<beside::Compared>, SetupError> {
    let launch = evaluation.launch.as_ref();
    let documents: Vec<_> = launch.iter().flat_map(|launch| launch.documents()).collect();
    let create = documents.iter().find(|d| d.title.1.ends_with("vm.create"));
    // Cloud Hypervisor has all devices in one document, those added later too.
    if let (Some(create), Some(config)) = (create, document.get("config")) {
        let mut rows = beside::document(&create.name(), create.body, create.causes, config);
        let added = documents.iter().filter(|d| d.title.1.contains("vm.add-net"));
        for (at, net) in added.enumerate() {
            let own = config.get("net").and_then(|all| all.get(at)).cloned().unwrap_or(Json::Null);
            rows.extend(beside::document(&net.name(), net.body, net.causes, &own));
        }
        return Ok(rows);
    }
    if let (Some(file), true) =
        (documents.iter().find(|d| d.title.0 == "file"), document.get("boot-source").is_some())
    {
        return Ok(beside::document(&file.name(), file.body, file.causes, document));
    }
    Err(SetupError::Usage(
        "no document of this pod's VMM: vm.info of Cloud Hypervisor, the configuration file of Firecracker, or process \
         lines"
            .into(),
    ))
}
