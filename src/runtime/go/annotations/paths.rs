//! The hypervisor's annotations that name files of the host, and the guest's kernel line.
//!
//! Decides what a `valid_*` list lets through. Facts: `addHypervisorPathOverrides` and `checkPathIsInGlobs` in
//! src/runtime/pkg/oci/utils.go at 4.1.0.

use super::session::{STATIONS, Session};
use crate::answer::verdict::{Fix, ListId, Note, Stage, Step};
use crate::catalog::Id;
use crate::golang::filepath::literally;
use crate::golang::strconv;
use crate::input::Text;
use crate::release::go::Change;
use crate::runtime::go::config::{HypervisorConfig, Param, ParamFrom};
use crate::runtime::go::gates::ValueGates;
use crate::runtime::go::kernel_params;
use crate::runtime::go::stations::step;
use crate::runtime::go_listed::ListedPaths;

/// Whether a `valid_*` list lets the value through; refuses the pod where it does not.
fn admitted(
    session: &mut Session<'_>,
    id: Id,
    name: &str,
    gate: impl FnOnce(&ValueGates) -> &ListedPaths,
) -> Option<Step> {
    let value = session.value(id)?;
    let loaded = session.loaded;
    let listed = gate(&loaded.gates);
    if let Some(passed) = listed.admits(session.host, value) {
        return Some(passed.clone());
    }
    let key = listed.key;
    let message = format!("{name} {value} required from annotation is not valid");
    let list = ListId::new(loaded.table, key);
    let exists = !session.host.knows(value) || session.host.lstat(value).is_ok();
    let (reason, fix) = match exists {
        true => (
            format!("no pattern of {key} expands to {value}"),
            Fix::Allow { list, pattern: literally(value) },
        ),
        // A glob expands to files that exist: no pattern could let it through.
        false => (
            format!("{value:?} is no file of this host, so no pattern of {key} can expand to it"),
            Fix::Advice("name a file that exists on the host".into()),
        ),
    };
    session.refused(id, Stage::Value, message, reason, Some(fix));
    None
}

/// A path that a `valid_*` list has to let through.
pub(super) fn gated(
    session: &mut Session<'_>,
    id: Id,
    name: &str,
    gate: impl FnOnce(&ValueGates) -> &ListedPaths,
    field: impl FnOnce(&mut HypervisorConfig) -> &mut String,
) {
    if let (Some(value), Some(passed)) = (session.value(id), admitted(session, id, name, gate)) {
        *field(&mut session.config.hypervisor_config) = value.to_owned();
        session.applied_by(id, passed);
    }
}

pub(super) fn entropy_source(session: &mut Session<'_>) {
    let id = Id::HypervisorEntropySource;
    let passed = admitted(session, id, "entropy source", |gates| &gates.entropy_source);
    if let (Some(value), Some(passed)) = (session.value(id), passed) {
        if value.is_empty() {
            session.ignored(id, Stage::Parse, "an empty value changes nothing here");
        } else {
            session.config.hypervisor_config.entropy_source = value.into();
            session.applied_by(id, passed);
        }
    }
}

pub(super) fn apply(session: &mut Session<'_>) {
    gated(session, Id::HypervisorPath, "hypervisor", |gates| &gates.hypervisor, |h| &mut h.path);
    gated(session, Id::HypervisorJailerPath, "jailer", |gates| &gates.jailer, |h| &mut h.jailer_path);
    gated(session, Id::HypervisorCtlpath, "hypervisor control", |gates| &gates.ctl, |h| &mut h.ctlpath);
    kernel_line(session);
    match session.value(Id::HypervisorKernelVerityParams) {
        None => {}
        Some("") => {
            session.ignored(
                Id::HypervisorKernelVerityParams,
                Stage::Parse,
                "an empty value changes nothing here",
            );
        }
        Some(value) => match kernel_params::verity(value) {
            Ok(_) => {
                session.config.hypervisor_config.kernel_verity_params = value.into();
                session.applied_by(
                    Id::HypervisorKernelVerityParams,
                    step(Stage::Parse, true, "all five parts are there"),
                );
            }
            Err(error) => {
                let message = format!("invalid kernel_verity_params in annotation: {error}");
                let fix = Some(Fix::Advice(
                    "write root_hash=, salt=, data_blocks=, data_block_size= and hash_block_size=".into(),
                ));
                let reason = "not a complete set of dm-verity parameters";
                session.refused(Id::HypervisorKernelVerityParams, Stage::Parse, message, reason, fix);
            }
        },
    }
}

fn kernel_line(session: &mut Session<'_>) {
    let id = Id::HypervisorKernelParams;
    let Some(value) = session.value(id) else { return };
    if value.is_empty() {
        session.ignored(id, Stage::Parse, "an empty value changes nothing here");
        return;
    }
    let replaces = session.config.release.has(Change::KernelParamsReplace);
    let mut replaced: Vec<String> = Vec::new();
    let added: Vec<Param> = kernel_params::pairs(strconv::fields(value), ParamFrom::Pod);
    let mut steps = Vec::with_capacity(STATIONS);
    steps.push(step(Stage::Parse, true, Note::Counted(&["", " parameters"], added.len() as u64)));
    for param in added {
        let params = &mut session.config.hypervisor_config.kernel_params.list;
        let before = params.len();
        if replaces {
            params.retain(|existing| existing.key != param.key);
        }
        if params.len() != before {
            replaced.push(param.key.clone());
        }
        if param.key.is_empty() {
            let message =
                "Error adding kernel parameters in annotation kernel_params : Empty kernel parameter";
            let reason = "a parameter without a name";
            let fix = Some(Fix::Advice("give every parameter a name before its =".into()));
            session.refused(id, Stage::Parse, message, reason, fix);
            return;
        }
        params.push(param);
    }
    let note = match replaced.is_empty() {
        true => Text::constant("appended to the configured ones"),
        false => format!("appended; these replace what was there: {}", replaced.join(", ")).into(),
    };
    steps.push(step(Stage::Merge, true, note));
    session.applied(id, steps);
}
