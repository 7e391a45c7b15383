//! `katascope schema`: the JSON Schema of an output, or of `configuration.toml` at a release.

use std::io::{self, Write};

use super::args::{Input, RuntimeChoice, SchemaArgs};
use super::error::SetupError;
use super::setup;
use super::{CliError, Exit};
use crate::release::{Release, Runtime};
use crate::report::{json, schema};

pub(super) fn run(args: &SchemaArgs) -> Result<Exit, CliError> {
    let mut out = io::stdout().lock();
    if let Some((_, text)) = schema::OUTPUTS.iter().find(|(name, _)| *name == args.of) {
        if args.kata_version.is_some() || args.runtime != RuntimeChoice::Auto {
            let why = "--runtime and --kata-version are for schema config: an output has one schema";
            return Err(SetupError::Usage(why.into()).into());
        }
        out.write_all(text.as_bytes())?;
        return Ok(Exit::Clean);
    }
    let input = Input { runtime: args.runtime, kata_version: args.kata_version.clone(), ..Input::default() };
    let release = match setup::release_said(&input)? {
        Some(judged) => judged.release,
        None => match &input.kata_version {
            Some(_) => setup::release_of(&input, Runtime::Rs)?.release,
            None => Release::newest(Runtime::Rs),
        },
    };
    json::print(&mut out, &schema::config(release))?;
    Ok(Exit::Clean)
}
