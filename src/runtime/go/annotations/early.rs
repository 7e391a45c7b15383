//! The words that each annotation had for itself while complaints were not shared.
//!
//! Decides nothing. The words are the runtime's, slips included. Facts: `addAnnotations` and what it calls in
//! src/runtime/virtcontainers/pkg/oci/utils.go at 2.1.0.

use super::known::Id;

/// What the complaint about a boolean calls it.
pub(super) fn boolean_name(id: Id) -> &'static str {
    match id {
        Id::EnableIommu => "iommu",
        Id::DisableImageNvdimm => "use_nvdimm",
        Id::DisableNewNetns => "experimental",
        Id::AgentTracing => "agent.trace",
        _ => id.known().field,
    }
}

/// The size of a number.
pub(super) fn bits(id: Id) -> u32 {
    if matches!(id, Id::RxRateLimiter | Id::TxRateLimiter) { 64 } else { 32 }
}

/// The complaint about a number; `why` is the parser's own.
pub(super) fn number_complaint(id: Id, why: &str) -> String {
    let name = id.known().field;
    match id {
        Id::DefaultVcpus => {
            format!("Error encountered parsing annotation default_vcpus: {why}, please specify numeric value")
        }
        Id::DefaultMaxVcpus => format!(
            "Error encountered parsing annotation for default_maxvcpus: {why}, please specify positive numeric \
             value"
        ),
        Id::DefaultMemory => format!(
            "Error encountered parsing annotation for default_memory: {why}, please specify positive numeric \
             value greater than 8"
        ),
        Id::Msize9p => {
            "Error parsing annotation for msize_9p, please specify positive numeric value".to_owned()
        }
        Id::ContainerPipeSize => {
            format!("Error parsing annotation for {}: Please specify uint32 value", id.known().key)
        }
        Id::RxRateLimiter | Id::TxRateLimiter | Id::PcieRootPort => format!(
            "Error parsing annotation for {name}: {why}, Please specify an integer greater than or equal to 0"
        ),
        _ => format!("Error parsing annotation for {name}: {why}, please specify positive numeric value"),
    }
}
