//! What a careful reader points out about a launch that the runtime begins: what will fail a step later,
//! and what is different from what is shown.
//!
//! Facts: src/runtime/virtcontainers and src/runtime/virtcontainers/factory at 4.1.0.

use crate::answer::finding::{Code, Finding, Severity, Who};
use crate::input::Host;
use crate::input::host::Arch;
use crate::runtime::go::config::{HypervisorKeys, SandboxConfig};

/// Remarks that grow.
pub(super) struct Remarks(pub(super) Vec<Finding>);

impl Remarks {
    /// Adds one.
    pub(super) fn add(
        &mut self,
        code: Code,
        severity: Severity,
        who: Who,
        subject: &str,
        message: impl Into<String>,
    ) {
        self.0.push(Finding {
            code,
            severity,
            subject: Some(subject.to_owned()),
            place: None,
            message: message.into(),
            fix: None,
            who,
        });
    }

    /// What concerns every hypervisor that is a process of this host. Loading has looked for the files
    /// that the configuration names; nobody has for those that annotations name, nor for the daemon.
    pub(super) fn of(
        host: &Host,
        config: &SandboxConfig,
        keys: &'static HypervisorKeys,
        daemon: bool,
    ) -> Self {
        let hv = &config.hypervisor_config;
        let mut remarks = Self(Vec::new());
        remarks.protection(host, config, keys);
        let custom = &hv.custom_assets;
        let chosen = [
            (&custom.kernel, keys.kernel),
            (&custom.initrd, keys.initrd),
            (&custom.image, keys.image),
            (&custom.firmware, keys.firmware),
        ];
        for (path, key) in chosen {
            let Some(path) = path.as_deref().filter(|path| !host.exists(path)) else { continue };
            remarks.add(
                Code::FailsLater,
                Severity::Warning,
                Who::PodAuthor,
                key,
                format!("there is no {path} on this host: the VM will not start with it"),
            );
        }
        if daemon && !host.exists(&hv.virtio_fs_daemon) {
            remarks.add(
                Code::FailsLater,
                Severity::Warning,
                Who::ClusterAdministrator,
                keys.virtio_fs_daemon,
                format!("there is no {} on this host: starting it will fail", hv.virtio_fs_daemon),
            );
        }
        let factory = &config.factory_config;
        let made =
            || ["memory", "state"].iter().all(|f| host.finds(&format!("{}/{f}", factory.template_path)));
        if factory.template && factory.vm_cache_number == 0 && made() {
            remarks.add(
                Code::NotVerified,
                Severity::Note,
                Who::ClusterAdministrator,
                "factory.enable_template",
                format!(
                    "a template is ready in {}: the VM is cloned from it where the configurations agree, and \
                     shown here as if it were booted",
                    factory.template_path
                ),
            );
        }
        if host.facts.arch != Arch::X86_64 {
            remarks.add(
                Code::NotVerified,
                Severity::Note,
                Who::ClusterAdministrator,
                keys.machine_type,
                format!(
                    "what is started on {} was compared with recordings of 3.32.0 and 4.1.0 alone",
                    host.facts.arch.as_str()
                ),
            );
        }
        remarks
    }
}
