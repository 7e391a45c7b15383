//! katascope: what Kata Containers makes of a pod's annotations on a host, before the pod is started.
#![forbid(unsafe_code)]

pub mod agent;
pub mod catalog;
pub mod cli;
pub mod cri;
pub mod diff;
pub mod edit;
pub mod evaluate;
pub mod explain;
pub mod finding;
pub mod input;
pub mod kubernetes;
pub mod launch;
pub mod policy;
pub mod report;
pub mod runtime;
pub mod sample;
pub mod tui;
