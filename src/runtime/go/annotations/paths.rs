//! The hypervisor's programs, and the guest's kernel line.
//!
//! Facts: `addHypervisorPathOverrides` in src/runtime/pkg/oci/utils.go at 4.1.0.

use super::walk::{STEPS, Walk};
use crate::answer::verdict::{Note, Stage, Step};
use crate::catalog::Id;
use crate::golang::strconv;
use crate::input::Text;
use crate::release::Runtime;
use crate::release::go::Change;
use crate::runtime::go::config::{Param, ParamFrom};
use crate::runtime::go::kernel_params;
use crate::runtime::refusal::Refusal;
use crate::runtime::verity::Verity;

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
    match Verity::parse(value, Runtime::Go) {
        Ok(_) => {
            walk.config.hypervisor_config.kernel_verity_params = value.into();
            walk.applied_by(id, Step::new(Stage::Parse, true, "all five parts are there"));
        }
        Err(error) => {
            let message = format!("invalid kernel_verity_params in annotation: {error}");
            let fix = "write root_hash=, salt=, data_blocks=, data_block_size= and hash_block_size=";
            let reason = "not a complete set of dm-verity parameters";
            walk.refused(id, Refusal::at(Stage::Parse, message, reason).advise(fix));
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
    steps.push(Step::new(Stage::Parse, true, Note::Counted(&["", " parameters"], added.len() as u64)));
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
            let refusal = Refusal::at(Stage::Parse, message, "a parameter without a name");
            return walk.refused(id, refusal.advise("give every parameter a name before its ="));
        }
        params.push(param);
    }
    let note = match replaced.is_empty() {
        true => Text::constant("appended to the configured ones"),
        false => format!("appended; these replace what was there: {}", replaced.join(", ")).into(),
    };
    steps.push(Step::new(Stage::Merge, true, note));
    walk.applied(id, steps);
}
