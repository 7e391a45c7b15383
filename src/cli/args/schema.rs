//! What `schema` is told. Decides nothing.

use clap::Args;

use super::RuntimeChoice;
use crate::report::schema;

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
