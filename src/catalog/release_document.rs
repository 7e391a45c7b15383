//! `releases.toml` as it is written. Compiled into the build script alone.

use std::fmt::Write as _;

use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    release: Vec<Row>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    version: String,
    versions_yaml: String,
    #[serde(default)]
    measured: Vec<Runtime>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Runtime {
    Go,
    Rs,
}

/// The table that the program is built with.
pub fn code(text: &str) -> Result<String, Box<dyn std::error::Error>> {
    let document: Document = toml::from_str(text)?;
    let mut code = String::from("/// Every release, oldest first.\npub static RELEASES: &[Row] = &[\n");
    for row in &document.release {
        let numbers: Vec<u8> = row.version.split('.').map(str::parse).collect::<Result<_, _>>()?;
        let [major, minor, patch] = numbers.as_slice() else {
            return Err(format!("{} is no version", row.version).into());
        };
        let measured: Vec<String> =
            row.measured.iter().map(|runtime| format!("Runtime::{runtime:?}")).collect();
        writeln!(
            code,
            "Row {{ version: Version::new({major}, {minor}, {patch}), versions_yaml: {:?}, measured: &[{}] }},",
            row.versions_yaml,
            measured.join(", ")
        )?;
    }
    code.push_str("];\n");
    Ok(code)
}
