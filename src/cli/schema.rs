//! `katascope schema`: the JSON Schema of an output, or of `configuration.toml` at a release.

use std::io::{self, Write};

use clap::Args;

use super::args::{Input, RuntimeChoice};
use super::setup::{self, SetupError};
use super::{CliError, Exit};
use crate::release::{Release, Runtime};
use crate::report::{json, schema};

const SCHEMA_HELP: &str = "\
Examples:
  katascope schema check > check.schema.json
  katascope schema config --runtime rs --kata-version 4.1 > kata-rs.schema.json
  taplo lint --schema file:///tmp/kata-rs.schema.json configuration.toml

An editor takes it by the first line of a file: #:schema ./kata-rs.schema.json";

/// `schema`.
#[derive(Debug, Args)]
#[command(after_help = SCHEMA_HELP)]
pub struct SchemaArgs {
    /// Whose: config, or an output
    #[arg(value_name = "OUTPUT", value_parser = names())]
    pub of: String,
    /// The runtime that reads the configuration; auto: runtime-rs
    #[arg(long, value_enum, default_value_t)]
    pub runtime: RuntimeChoice,
    /// Its Kata version, such as 3.19 or 3.19.1 [default: the newest]
    #[arg(long, value_name = "VERSION")]
    pub kata_version: Option<String>,
}

fn names() -> clap::builder::PossibleValuesParser {
    std::iter::once("config").chain(schema::OUTPUTS.iter().map(|(name, _)| *name)).collect::<Vec<_>>().into()
}

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
