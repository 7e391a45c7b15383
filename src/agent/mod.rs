//! Effective configuration to what the guest is told: kernel command line and agent requests.
//!
//! Decides what the agent is asked once the VM runs; reads no files. Facts: named in each file.

pub mod go;
pub mod rs;
