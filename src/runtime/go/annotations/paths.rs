//! The hypervisor's annotations that name files of the host, and the guest's kernel line.
//!
//! Decides what a `valid_*` list lets through. Facts: `addHypervisorPathOverrides` and `checkPathIsInGlobs` in
//! src/runtime/pkg/oci/utils.go at 4.1.0.

use super::walk::{STEPS, Walk};
use crate::answer::verdict::{Fix, ListId, Note, Stage};
use crate::catalog::Id;
use crate::golang::filepath::literally;
use crate::golang::strconv;
use crate::input::Text;
use crate::release::go::Change;
use crate::runtime::go::config::{Param, ParamFrom};
use crate::runtime::go::kernel_params;
use crate::runtime::go::prepared::step;
use crate::runtime::go::record::Slot;

/// A path that a `valid_*` list has to let through; refuses the pod where it does not.
pub(super) fn take_listed(walk: &mut Walk<'_>, id: Id, value: &str) {
    let loaded = walk.loaded;
    let list = id.annotation().reader(walk.config.release).gate.list();
    let Some(listed) = list.and_then(|list| loaded.listed(list)) else { return };
    if let Some(passed) = listed.allows(walk.host, value) {
        if value.is_empty() {
            return walk.ignored_as_empty(id);
        }
        if let Slot::Text(place) = walk.slot(id) {
            value.clone_into(place);
        }
        return walk.applied_by(id, passed.clone());
    }
    let key = listed.key;
    let name = match id {
        Id::HypervisorPath => "hypervisor",
        Id::HypervisorJailerPath => "jailer",
        Id::HypervisorCtlpath => "hypervisor control",
        Id::HypervisorVhostUserStorePath => "vhost store path",
        Id::HypervisorFileMemBackend => "file_mem_backend value",
        Id::HypervisorVirtioFsDaemon => "virtiofs daemon",
        _ => "entropy source",
    };
    let message = format!("{name} {value} required from annotation is not valid");
    let list = ListId::new(loaded.table, key);
    let exists = !walk.host.knows(value) || walk.host.lstat(value).is_ok();
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
    walk.refused(id, Stage::Value, message, reason, Some(fix));
}

pub(super) fn apply(walk: &mut Walk<'_>) {
    walk.take(&[Id::HypervisorPath, Id::HypervisorJailerPath, Id::HypervisorCtlpath]);
    kernel_line(walk);
    verity(walk);
}

fn verity(walk: &mut Walk<'_>) {
    let id = Id::HypervisorKernelVerityParams;
    let Some(value) = walk.value(id) else { return };
    if value.is_empty() {
        return walk.ignored_as_empty(id);
    }
    match kernel_params::verity(value) {
        Ok(_) => {
            walk.config.hypervisor_config.kernel_verity_params = value.into();
            walk.applied_by(id, step(Stage::Parse, true, "all five parts are there"));
        }
        Err(error) => {
            let message = format!("invalid kernel_verity_params in annotation: {error}");
            let fix = "write root_hash=, salt=, data_blocks=, data_block_size= and hash_block_size=";
            let reason = "not a complete set of dm-verity parameters";
            walk.refused(id, Stage::Parse, message, reason, Some(Fix::Advice(fix.into())));
        }
    }
}

fn kernel_line(walk: &mut Walk<'_>) {
    let id = Id::HypervisorKernelParams;
    let Some(value) = walk.value(id) else { return };
    if value.is_empty() {
        return walk.ignored_as_empty(id);
    }
    let replaces = walk.config.release.has(Change::KernelParamsReplace);
    let mut replaced: Vec<String> = Vec::new();
    let added: Vec<Param> = kernel_params::pairs(strconv::fields(value), ParamFrom::Pod);
    let mut steps = Vec::with_capacity(STEPS);
    steps.push(step(Stage::Parse, true, Note::Counted(&["", " parameters"], added.len() as u64)));
    for param in added {
        let params = &mut walk.config.hypervisor_config.kernel_params.list;
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
            walk.refused(id, Stage::Parse, message, reason, fix);
            return;
        }
        params.push(param);
    }
    let note = match replaced.is_empty() {
        true => Text::constant("appended to the configured ones"),
        false => format!("appended; these replace what was there: {}", replaced.join(", ")).into(),
    };
    steps.push(step(Stage::Merge, true, note));
    walk.applied(id, steps);
}
