//! The initialization data of one pod.
//!
//! Decides which document is the pod's: the one that the runtime holds, which runtime-rs wrote anew before 3.31, else
//! what the annotation says.

use super::Evaluation;
use crate::input::manifest::Pod;
use crate::runtime::initdata::Initdata;

/// The annotation under its present name and the one that Go had before.
const KEYS: [&str; 2] =
    ["io.katacontainers.config.hypervisor.cc_init_data", "io.katacontainers.config.runtime.cc_init_data"];

/// The annotation's key and what the pod brings with it; `None` where it brings nothing.
pub fn of(pod: &Pod, evaluation: &Evaluation) -> Option<(String, Initdata)> {
    let set = KEYS.iter().find_map(|key| pod.annotations.iter().find(|a| a.key == *key))?;
    let held = evaluation.effective.iter().flat_map(|effective| effective.iter());
    let held = held.filter(|(key, _)| key.ends_with(".initdata")).find_map(|(_, value)| value.value.as_str());
    let data = match held.filter(|text| !text.is_empty()) {
        Some(text) => Initdata::read(text.to_owned()),
        None => Initdata::packed(&set.value),
    };
    Some((set.key.to_string(), data))
}
