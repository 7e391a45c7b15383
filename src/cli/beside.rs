//! `katascope diff --with running=FILE` and `katascope live SANDBOX`: a prediction beside the VM that runs.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::args::{Input, Output};
use super::error::SetupError;
use super::{CliError, Exit, open, paint, pods, running, say_assumed};
use crate::input::host::Assumption;
use crate::input::manifest::Pod;
use crate::release::Release;
use crate::report::beside::{self as report, Beside, Runs};
use crate::report::json;
use crate::running::{Running, Vm};
use crate::runtime::Depth;

/// Reads `FILE` or `FILE#SANDBOX`.
pub(super) fn given(text: &str) -> Result<(Runs, Option<String>), CliError> {
    let (path, sandbox) = match text.rsplit_once('#') {
        Some((path, sandbox)) if !Path::new(text).exists() => (path, Some(sandbox.to_owned())),
        _ => (text, None),
    };
    Ok((Runs::read(&running::text_of(Path::new(path))?), sandbox))
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
pub(super) fn held(
    input: &Input,
    runs: &Runs,
    sandbox: Option<&str>,
    pod: Option<Pod>,
    written: (Option<&serde_json::Value>, Vec<String>),
) -> Result<(Beside, Vec<Assumption>), CliError> {
    let vm = match runs {
        Runs::Lines(lines) => Some(one(lines, sandbox)?),
        Runs::Document(_) | Runs::Answers(_) => None,
    };
    let mut input = input.clone();
    input.sandbox_id = input.sandbox_id.or_else(|| vm.and_then(|vm| vm.sandbox.clone()));
    let node = open::open_readable(&input)?.node;
    let pod = match pod {
        Some(pod) => pod,
        None => the_pod(&input)?,
    };
    let evaluation = node.evaluate(&pod, Depth::Full);
    let release = node.judge_of(&pod).map_or_else(Release::default, |judge| judge.evaluator.setup().release);
    let mut beside = report::of(&pod, (&evaluation, release), runs, vm, written)
        .map_err(|why| SetupError::Usage(why.to_string()))?;
    beside.sandbox = beside.sandbox.or(input.sandbox_id);
    Ok((beside, node.assumed()))
}

/// The same, printed.
pub(super) fn run(
    input: &Input,
    runs: &Runs,
    sandbox: Option<&str>,
    notes: Vec<String>,
    output: &Output,
) -> Result<Exit, CliError> {
    let (beside, assumed) = held(input, runs, sandbox, None, (None, notes))?;
    say_assumed(&assumed);
    print(&beside, output)
}

/// Prints it.
pub(super) fn print(beside: &Beside, output: &Output) -> Result<Exit, CliError> {
    let mut out = BufWriter::new(io::stdout().lock());
    if output.is_json() {
        json::print(
            &mut out,
            &serde_json::json!({ "schema": json::SCHEMA, "pods": [report::json(beside)] }),
        )?;
    } else {
        report::text(&mut out, beside, paint(output.color))?;
    }
    out.flush()?;
    Ok(if beside.differs() { Exit::Found } else { Exit::Clean })
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
