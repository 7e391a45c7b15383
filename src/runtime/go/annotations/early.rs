//! The words that each annotation had for itself while complaints were not shared.
//!
//! Decides nothing. The words are the runtime's, slips included. Facts: `addAnnotations` and what it calls in
//! src/runtime/virtcontainers/pkg/oci/utils.go at 2.1.0.

use crate::catalog::Id;

/// The key that an annotation sets.
fn field(id: Id) -> &'static str {
    id.target().map_or("", |key| key.field)
}

/// What the complaint about a boolean calls it.
pub(super) fn boolean_name(id: Id) -> &'static str {
    match id {
        Id::HypervisorEnableIommu => "iommu",
        Id::HypervisorDisableImageNvdimm => "use_nvdimm",
        Id::RuntimeDisableNewNetns => "experimental",
        Id::AgentEnableTracing => "agent.trace",
        _ => field(id),
    }
}

/// The complaint about a number; `why` is the parser's own.
pub(super) fn number_complaint(id: Id, why: &str) -> String {
    let name = field(id);
    match id {
        Id::HypervisorDefaultVcpus => {
            format!("Error encountered parsing annotation default_vcpus: {why}, please specify numeric value")
        }
        Id::HypervisorDefaultMaxVcpus => format!(
            "Error encountered parsing annotation for default_maxvcpus: {why}, please specify positive numeric \
             value"
        ),
        Id::HypervisorDefaultMemory => format!(
            "Error encountered parsing annotation for default_memory: {why}, please specify positive numeric \
             value greater than 8"
        ),
        Id::HypervisorMsize9p => {
            "Error parsing annotation for msize_9p, please specify positive numeric value".to_owned()
        }
        Id::AgentContainerPipeSize => {
            format!("Error parsing annotation for {}: Please specify uint32 value", id.annotation().key)
        }
        Id::HypervisorRxRateLimiterMaxRate
        | Id::HypervisorTxRateLimiterMaxRate
        | Id::HypervisorPcieRootPort => format!(
            "Error parsing annotation for {name}: {why}, Please specify an integer greater than or equal to 0"
        ),
        _ => format!("Error parsing annotation for {name}: {why}, please specify positive numeric value"),
    }
}
