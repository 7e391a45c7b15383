//! `process-lines.toml` as it is written. Compiled into the build script, which turns spans of tags into indices and
//! refuses a tag that is not among them.

use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    pub tags: String,
    pub argument: Vec<Argument>,
    pub lacks: Vec<Lacks>,
    pub template: Vec<Template>,
    pub kernel: Vec<Kernel>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Argument {
    pub of: String,
    pub option: String,
    pub kind: Option<String>,
    pub property: Option<String>,
    pub value: Option<String>,
    pub before: Option<String>,
    pub behind: Option<String>,
    pub says: String,
    pub sets: Option<String>,
    pub note: Option<String>,
    pub go: Option<String>,
    pub rs: Option<String>,
    #[serde(default)]
    pub made: bool,
    #[serde(default)]
    pub shipped: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lacks {
    pub of: String,
    pub option: String,
    pub kind: Option<String>,
    pub property: Option<String>,
    pub part: Option<String>,
    pub within: Option<String>,
    pub after: Option<String>,
    pub machine: Option<String>,
    pub says: String,
    pub go: Option<String>,
    pub rs: Option<String>,
    #[serde(default)]
    pub shipped: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    pub key: String,
    pub value: String,
    pub go: Option<String>,
    pub rs: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kernel {
    pub version: String,
    pub build: Option<String>,
    pub tags: String,
}

/// The tags of spans as first and last index: `1.0.0..1.1.1 2.0.0..`.
fn spans(text: &str, tags: &[&str]) -> Result<Vec<(usize, usize)>, String> {
    let place = |tag: &str| {
        tags.iter().position(|known| *known == tag).ok_or_else(|| format!("'{tag}' is none of the tags"))
    };
    text.split_whitespace()
        .map(|span| {
            let (since, until) = span.split_once("..").ok_or_else(|| format!("'{span}' is no span"))?;
            let last = if until.is_empty() { tags.len() - 1 } else { place(until)? };
            Ok((place(since)?, last))
        })
        .collect()
}

/// The tables as code.
pub fn code(text: &str) -> Result<String, Box<dyn std::error::Error>> {
    let document: Document = toml::from_str(text)?;
    let tags: Vec<&str> = document.tags.split_whitespace().collect();
    let maybe = |text: &Option<String>| match text {
        None => Ok("None".to_owned()),
        Some(text) => spans(text, &tags).map(|spans| format!("Some(&{spans:?})")),
    };
    let mut code = format!("/// Every tag, oldest first.\npub static TAGS: &[&str] = &{tags:?};\n");
    code.push_str("static ARGUMENTS: &[Row] = &[\n");
    for row in &document.argument {
        code.push_str(&format!(
            "Row {{ of: {:?}, option: {:?}, kind: {:?}, property: {:?}, value: {:?}, before: {:?}, behind: {:?}, \
             says: {:?}, sets: {:?}, note: {:?}, go: {}, rs: {}, made: {}, shipped: {} }},\n",
            row.of,
            row.option,
            row.kind,
            row.property,
            row.value,
            row.before,
            row.behind,
            row.says,
            row.sets,
            row.note,
            maybe(&row.go)?,
            maybe(&row.rs)?,
            row.made,
            row.shipped
        ));
    }
    code.push_str("];\nstatic LACKS: &[Lack] = &[\n");
    for row in &document.lacks {
        code.push_str(&format!(
            "Lack {{ of: {:?}, option: {:?}, kind: {:?}, property: {:?}, part: {:?}, within: {:?}, after: {:?}, \
             machine: {:?}, says: {:?}, go: {}, rs: {}, shipped: {} }},\n",
            row.of,
            row.option,
            row.kind,
            row.property,
            row.part,
            row.within,
            row.after,
            row.machine,
            row.says,
            maybe(&row.go)?,
            maybe(&row.rs)?,
            row.shipped
        ));
    }
    code.push_str("];\nstatic TEMPLATES: &[Shipped] = &[\n");
    for row in &document.template {
        code.push_str(&format!(
            "Shipped {{ key: {:?}, value: {:?}, go: {}, rs: {} }},\n",
            row.key,
            row.value,
            maybe(&row.go)?,
            maybe(&row.rs)?
        ));
    }
    code.push_str("];\nstatic KERNELS: &[GuestKernel] = &[\n");
    for row in &document.kernel {
        code.push_str(&format!(
            "GuestKernel {{ version: {:?}, build: {:?}, tags: &{:?} }},\n",
            row.version,
            row.build,
            spans(&row.tags, &tags)?
        ));
    }
    code.push_str("];\n");
    Ok(code)
}
