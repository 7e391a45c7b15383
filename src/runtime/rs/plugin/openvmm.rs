//! OpenVMM. Facts: src/libs/kata-types/src/config/hypervisor/openvmm.rs at 4.1.0.

use super::super::config::Hypervisor;
use super::super::error::{ConfigResult, ensure, existing};
use super::{Plugin, absent, enough_memory, too_many_vcpus};
use crate::input::Host;

pub(super) fn validate(hv: &Hypervisor, host: &Host) -> ConfigResult {
    absent("path", !hv.path.is_empty(), "OpenVMM binary path is empty")?;
    existing(host, &hv.path, "path", "OpenVMM binary path `{}` is invalid: {}")?;
    let most = Plugin::Openvmm.max_vcpus();
    ensure(!too_many_vcpus(hv, most), "default_maxvcpus", || {
        format!("OpenVMM hypervisor cannot support more than {most} vCPUs")
    })?;
    enough_memory(hv, Plugin::Openvmm, "OpenVMM")
}
