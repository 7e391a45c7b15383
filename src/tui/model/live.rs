//! The VMs that run: those of this machine, or of a text that was pasted; and one of them beside its prediction.
//!
//! The outside looks at the machine and predicts for a VM's own pod; a pasted VM is held against the pod in sight.

use super::row::{Body, Row};
use super::{Model, Screen, Show};
use crate::diff::running::Verdict;
use crate::release::Release;
use crate::report::beside::{self, Beside, NothingToHold, Runs};
use crate::report::running as told;
use crate::running::{Program, Running, Vm};

/// A VM that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// Its sandbox.
    pub sandbox: Option<String>,
    /// Its VMM.
    pub vmm: &'static str,
    /// Its process.
    pub pid: Option<u64>,
    /// When it was started, in words.
    pub started: Option<String>,
    /// Its pod, `namespace/name`.
    pub pod: Option<String>,
    /// The handler that served it.
    pub handler: Option<String>,
    /// The release as installed.
    pub release: Option<Release>,
    /// What its line tells of the release.
    pub told: String,
    /// Beside its prediction, once asked for.
    pub beside: Option<Result<Beside, String>>,
}

/// Where the VMs were seen.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Place {
    /// Nobody has looked yet.
    #[default]
    Nowhere,
    /// On this machine.
    Here,
    /// In a text that was pasted or named.
    Text(Runs),
    /// They cannot be looked for; the reason.
    Unseen(String),
}

/// What the screen holds.
#[derive(Debug, Clone, Default)]
pub struct Live {
    /// The VMs.
    pub vms: Vec<Seen>,
    /// The one beside its prediction.
    pub opened: Option<usize>,
    /// Where they were seen.
    pub place: Place,
}

impl Live {
    /// The VM that is open.
    pub fn open(&self) -> Option<&Seen> {
        self.vms.get(self.opened?)
    }

    /// The open VM beside its prediction.
    pub fn beside(&self) -> Option<&Beside> {
        self.open()?.beside.as_ref()?.as_ref().ok()
    }

    /// The VMs of a text.
    pub fn of_text(runs: Runs) -> Self {
        let vms = match &runs {
            Runs::Lines(lines) => {
                lines.vms.iter().filter(|vm| vm.vmm.is_some()).map(|vm| of_line(vm, lines)).collect()
            }
            Runs::Document(document) => vec![of_document(document)],
            Runs::Answers(_) => {
                vec![Seen { vmm: Program::Qemu.title(), ..of_document(&serde_json::Value::Null) }]
            }
        };
        Self { vms, opened: None, place: Place::Text(runs) }
    }
}

fn of_line(vm: &Vm, lines: &Running) -> Seen {
    Seen {
        sandbox: vm.sandbox.clone(),
        vmm: vm.vmm.map_or("", Program::title),
        pid: lines.of(vm).find(|process| process.program.is_vmm()).and_then(|process| process.pid),
        started: None,
        pod: None,
        handler: None,
        release: None,
        told: told::release(vm),
        beside: None,
    }
}

fn of_document(document: &serde_json::Value) -> Seen {
    let vmm =
        if document.get("boot-source").is_some() { Program::Firecracker } else { Program::CloudHypervisor };
    Seen {
        sandbox: None,
        vmm: vmm.title(),
        pid: None,
        started: None,
        pod: None,
        handler: None,
        release: None,
        told: "a document, which tells no release".to_owned(),
        beside: None,
    }
}

impl Model {
    /// A VM of the text beside the prediction for the pod in sight.
    pub fn beside_of_text(&self, index: usize) -> Option<Result<Beside, NothingToHold>> {
        let Place::Text(runs) = &self.live.place else { return None };
        let vm = match runs {
            Runs::Lines(lines) => Some(lines.vms.iter().filter(|vm| vm.vmm.is_some()).nth(index)?),
            Runs::Document(_) | Runs::Answers(_) => None,
        };
        let judged = (&*self.evaluation, self.seat.current.setup().release);
        Some(beside::of(&self.tried, judged, runs, vm, (None, Vec::new())))
    }
}

/// The VMs, or the arguments of the open one under the programs they belong to.
pub(super) fn rows(model: &Model) -> Vec<Row> {
    let Some(beside) = model.live.beside() else {
        return model.live.vms.iter().enumerate().map(|(index, seen)| vm_row(index, seen)).collect();
    };
    let show = model.lists[Screen::Live].show;
    let wanted = |verdict: Verdict| match show {
        Show::All => true,
        Show::Set => verdict != Verdict::Equal,
        Show::Problems => verdict.differs(),
    };
    let mut rows = Vec::new();
    let mut of: Option<&str> = None;
    for (index, row) in beside.rows.iter().enumerate().filter(|(_, row)| wanted(row.verdict)) {
        if of != Some(&row.of) {
            rows.push(Row::heading(row.of.clone()));
            of = Some(&row.of);
        }
        let find: Vec<&str> =
            [&row.predicted, &row.running].into_iter().flatten().map(String::as_str).collect();
        rows.push(Row {
            id: format!("argument {index}").into(),
            find: find.join("\t").into(),
            body: Body::Argument(index),
        });
    }
    rows
}

fn vm_row(index: usize, seen: &Seen) -> Row {
    let id = seen.sandbox.clone().unwrap_or_else(|| format!("VM {index}"));
    let parts = [Some(id.as_str()), Some(seen.vmm), seen.pod.as_deref(), seen.handler.as_deref()];
    let find: Vec<&str> = parts.into_iter().flatten().collect();
    Row { find: find.join("\t").into(), id: id.into(), body: Body::Vm(index) }
}
