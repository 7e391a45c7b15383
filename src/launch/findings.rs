//! What a careful reader points out about a launch that the runtime begins: what will fail a step later, what is
//! different from what was asked for, and how a confidential guest is less than its configuration says.
//!
//! Judges nothing; which of it holds, each runtime's own file decides.

use crate::answer::finding::{Code, Finding, Who};

/// The findings of one launch, in the order in which they come up.
#[derive(Default)]
pub(super) struct Findings(pub(super) Vec<Finding>);

impl Findings {
    /// A warning, to whoever runs the hosts.
    pub(super) fn warn(&mut self, code: Code, key: &str, message: impl Into<String>) {
        self.0.push(Finding::warning(code, Who::ClusterAdministrator, message).about(key));
    }

    /// A note, to whoever runs the hosts.
    pub(super) fn note(&mut self, code: Code, key: &str, message: impl Into<String>) {
        self.0.push(Finding::note(code, Who::ClusterAdministrator, message).about(key));
    }

    /// A warning to whoever wrote the pod.
    pub(super) fn warn_author(&mut self, code: Code, key: &str, message: impl Into<String>) {
        self.0.push(Finding::warning(code, Who::PodAuthor, message).about(key));
    }

    /// A confidential guest is not protected.
    pub(super) fn unprotected(&mut self, key: &str, why: &str) {
        let message = format!("confidential_guest is set, and the VM starts UNPROTECTED: {why}");
        self.warn(Code::Unprotected, key, message);
    }

    /// Initialization data is not measured; `confidential`: and the guest is to be trusted with it.
    pub(super) fn unmeasured_initdata(&mut self, key: &str, confidential: bool) {
        let message = "the guest gets the initialization data on a disk that the host can change: no digest of it \
                       is in what the guest attests to";
        match confidential {
            true => self.warn(Code::InitdataUnmeasured, key, message),
            false => self.note(Code::InitdataUnmeasured, key, message),
        }
    }
}

/// What a guest of SEV is on a host with SEV-SNP.
pub(super) const PLAIN_SEV: &str = "the host has SEV-SNP, and without sev_snp_guest the VM is a plain SEV guest: its \
                                    memory is encrypted, not guarded against being changed, and it cannot attest as \
                                    SEV-SNP or TDX";
