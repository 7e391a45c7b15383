//! What a careful reader would point out about a VM that is started: what fails after that, and what is
//! not modelled.
//!
//! Judges nothing. Facts: the hypervisors' files in src/runtime/virtcontainers at 2.1.0.

use crate::catalog::HYPERVISOR_PREFIX;
use crate::finding::{Code, Finding, Severity, Who};
use crate::input::Host;
use crate::input::host::Arch;
use crate::runtime::go21::config::{Asset, HypervisorType, SandboxConfig};

/// What a careful reader would point out about a sandbox that has been checked.
pub(crate) fn findings(host: &Host, config: &SandboxConfig<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut point_out = |code: Code, severity: Severity, subject: Option<&str>, message: String| {
        findings.push(Finding {
            code,
            severity,
            subject: subject.map(str::to_owned),
            place: None,
            message,
            fix: None,
            who: Who::ClusterAdministrator,
        });
    };
    let hypervisor = config.runtime.hypervisor_type;
    let used: &[(Asset, &str)] = match hypervisor {
        HypervisorType::Qemu => {
            &[(Asset::Kernel, "kernel"), (Asset::Initrd, "initrd"), (Asset::Firmware, "firmware")]
        }
        HypervisorType::Clh => &[(Asset::Kernel, "kernel"), (Asset::Image, "image")],
        HypervisorType::Acrn => &[(Asset::Kernel, "kernel")],
        HypervisorType::Firecracker => &[],
    };
    for (asset, name) in used {
        let path = config.asset(*asset);
        if config.asset_annotation(name).is_some() && !path.is_empty() && !host.exists(path) {
            let key = format!("{HYPERVISOR_PREFIX}{name}");
            let message = format!("nothing checks that {path} is there: the VMM is started, and fails");
            point_out(Code::FailsLater, Severity::Warning, Some(&key), message);
        }
    }
    let factory = &config.runtime.factory_config;
    if factory.template || factory.vm_cache_number > 0 {
        let message = "VMs may come from the factory (enable_template, vm_cache_number): what is shown is one that \
                       is started afresh";
        point_out(Code::NotVerified, Severity::Note, None, message.to_owned());
    }
    if host.facts.arch != Arch::X86_64 {
        let arch = host.facts.arch.as_str();
        let message =
            format!("the launch is that of x86_64: what this release does on {arch} is not modelled");
        point_out(Code::NotVerified, Severity::Warning, None, message);
    }
    findings
}
