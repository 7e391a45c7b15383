//! `--set`: what is said otherwise than the files say it, as the command line has it.
//!
//! Decides nothing; what the words mean is read by the core.

use super::args::Input;
use super::error::SetupError;
use crate::input::host::HostFacts;
use crate::input::what_if::WhatIf;
use crate::input::{Source, probe};

/// What is said otherwise.
pub(super) fn read(input: &Input) -> Result<WhatIf, SetupError> {
    WhatIf::read(&input.set).map_err(|wrong| SetupError::Usage(format!("--set {wrong}")))
}

/// The facts of the host with those that are said otherwise.
pub(super) fn facts(input: &Input, facts: &mut HostFacts) -> Result<(), SetupError> {
    match read(input)?.host_file() {
        Some(text) => probe::apply_host_file(facts, &Source::new("--set host", text))
            .map_err(|error| SetupError::Usage(error.to_string())),
        None => Ok(()),
    }
}

/// The input with the handler that is said otherwise.
pub(super) fn with_handler(input: &Input) -> Result<Input, SetupError> {
    let mut input = input.clone();
    if let Some(handler) = read(&input)?.handler() {
        input.handler = Some(handler.to_owned());
    }
    Ok(input)
}
