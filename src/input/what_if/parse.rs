//! The words of a what-if: `hypervisor.qemu.default_vcpus=4`, `limits.cpu=2`, `handler=kata-clh`, `host.cpus=8`,
//! `annotation:KEY=VALUE`; a `-` behind the name takes it out, as with kubectl label.
//!
//! Decides what a word is about and whether the value is of the key's type. Facts: the catalogue.

use super::{Edit, KeyEdit, PodEdit};
use crate::catalog::{self, Kind};
use crate::release::Runtime;

/// Why a word says nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{word}: {why}")]
pub struct WrongWord {
    /// The word.
    pub word: String,
    /// What is wrong with it, and what to write.
    pub why: String,
}

/// The facts of a host that can be said in one word, and whether they are texts.
const FACTS: [(&str, bool); 10] = [
    ("arch", true),
    ("cpus", false),
    ("memory_mib", false),
    ("nested", false),
    ("protection", true),
    ("vhost_vsock", false),
    ("hugepages", false),
    ("qgs_socket", false),
    ("numa", false),
    ("network", false),
];

/// The resources that have to do with a VM's size.
const RESOURCES: [&str; 2] = ["cpu", "memory"];

/// One word.
pub(super) fn word(word: &str) -> Result<Edit, WrongWord> {
    let wrong = |why: String| WrongWord { word: word.to_owned(), why };
    let (name, value) = match word.split_once('=') {
        Some((name, value)) => (name.trim(), Some(value)),
        None => match word.strip_suffix('-') {
            Some(name) => (name.trim(), None),
            None => return Err(wrong("write KEY=VALUE, or KEY- to take it out".into())),
        },
    };
    if let Some(key) = name.strip_prefix("annotation:") {
        if key.is_empty() {
            return Err(wrong("write annotation:KEY=VALUE".into()));
        }
        let value = value.map(str::to_owned);
        return Ok(Edit::Pod(PodEdit::Annotation { key: whole(key), value }));
    }
    for (list, limits) in [("limits.", true), ("requests.", false)] {
        if let Some(rest) = name.strip_prefix(list) {
            let (container, resource) = match rest.rsplit_once('.') {
                Some((container, resource)) => (Some(container.to_owned()), resource),
                None => (None, rest),
            };
            if !RESOURCES.contains(&resource) && !resource.starts_with("hugepages-") {
                let near = catalog::nearest_name(resource, RESOURCES.into_iter());
                let near = near.map_or(String::new(), |near| format!("did you mean {list}{near}? "));
                return Err(wrong(format!(
                    "{near}write {list}cpu, {list}memory or {list}hugepages-2Mi, or with a container's name {list}NAME.cpu"
                )));
            }
            let (resource, value) = (resource.to_owned(), value.map(str::to_owned));
            return Ok(Edit::Pod(PodEdit::Resource { limits, container, resource, value }));
        }
    }
    if name == "handler" {
        return match value {
            Some(value) if !value.is_empty() => Ok(Edit::Handler(value.to_owned())),
            _ => Err(wrong("write handler=NAME".into())),
        };
    }
    if let Some(fact) = name.strip_prefix("host.") {
        let Some((_, text)) = FACTS.iter().find(|(known, _)| *known == fact) else {
            return Err(wrong(no_such("fact of a host", "host.", fact, FACTS.iter().map(|(name, _)| *name))));
        };
        let value = value.ok_or_else(|| wrong("a fact cannot be taken out: write its value".into()))?;
        let value = if *text { quoted(value) } else { value.to_owned() };
        if !is_toml(&value) {
            return Err(wrong(format!("'{value}' is no value of a host file")));
        }
        return Ok(Edit::Host { fact: fact.to_owned(), value });
    }
    key(name, value).map(Edit::Key).map_err(wrong)
}

/// An annotation's whole key: what has no domain is a key of Kata's.
fn whole(key: &str) -> String {
    if key.contains('/') || key.starts_with("io.") {
        return key.to_owned();
    }
    let head = format!("io.katacontainers.config.{key}");
    if catalog::annotation(&head).is_some() {
        return head;
    }
    let own = catalog::all_annotations().iter().find(|annotation| annotation.short() == Some(key));
    own.map_or_else(|| key.to_owned(), |annotation| annotation.key.to_owned())
}

pub(super) fn key(name: &str, value: Option<&str>) -> Result<KeyEdit, String> {
    let known = name.rsplit_once('.').and_then(|(table, key)| {
        let own = matches!(table, "hypervisor" | "agent");
        catalog::config_key(table, key).filter(|_| !own).map(|known| (table, key, known))
    });
    let Some((table, key, known)) = known else { return Err(unknown(name)) };
    let mut kinds: Vec<Kind> = Vec::new();
    for runtime in [Runtime::Rs, Runtime::Go] {
        let readers: Vec<Kind> = known.readers(runtime).map(|(_, reader)| reader.kind).collect();
        kinds.extend(readers.into_iter().rev());
    }
    let value = value.map(|value| typed(&kinds, value)).transpose()?;
    Ok(KeyEdit { table: table.to_owned(), key: key.to_owned(), value })
}

/// The name that may have been meant.
fn unknown(name: &str) -> String {
    let own = |head: &str| {
        name.strip_prefix(head)?.split_once('.').map(|(table, _)| table).filter(|table| !table.is_empty())
    };
    let (hypervisor, agent) = (own("hypervisor.").unwrap_or("qemu"), own("agent.").unwrap_or("kata"));
    let all: Vec<String> = catalog::all_config_keys()
        .iter()
        .map(|known| {
            let named = if known.table.starts_with("agent") { agent } else { hypervisor };
            format!("{}.{}", known.table.replace("<name>", named), known.key)
        })
        .collect();
    let base = name.rsplit('.').next().unwrap_or(name);
    let same = all.iter().find(|other| other.rsplit('.').next() == Some(base)).map(String::as_str);
    let near = catalog::nearest_name(name, all.iter().map(String::as_str)).or(same).or_else(|| {
        let near = catalog::nearest_name(base, all.iter().filter_map(|other| other.rsplit('.').next()))?;
        all.iter().find(|other| other.rsplit('.').next() == Some(near)).map(String::as_str)
    });
    match near {
        Some(near) => format!("no such configuration key; did you mean {near}?"),
        None => "no such configuration key; besides those there are limits.cpu, requests.cpu, handler, host.cpus, \
                 annotation:KEY"
            .to_owned(),
    }
}

fn no_such<'n>(what: &str, head: &str, name: &str, all: impl Iterator<Item = &'n str> + Clone) -> String {
    match catalog::nearest_name(name, all.clone()) {
        Some(near) => format!("no such {what}; did you mean {head}{near}?"),
        None => format!("no such {what}; there are {}", all.collect::<Vec<_>>().join(", ")),
    }
}

/// The value as TOML, of one of the kinds that the releases give the key.
fn typed(kinds: &[Kind], value: &str) -> Result<String, String> {
    let first = kinds.first().copied().unwrap_or(Kind::Text);
    let as_kind = |kind: &Kind| match kind {
        Kind::Bool => matches!(value, "true" | "false").then(|| value.to_owned()),
        Kind::U8 | Kind::U32 | Kind::U64 => value.parse::<u64>().is_ok().then(|| value.to_owned()),
        Kind::I32 | Kind::I64 => value.parse::<i64>().is_ok().then(|| value.to_owned()),
        Kind::F32 => {
            (value.parse::<f32>().is_ok_and(f32::is_finite) && is_toml(value)).then(|| value.to_owned())
        }
        Kind::List | Kind::Objects => (value.starts_with('[') && is_toml(value)).then(|| value.to_owned()),
        Kind::Table => (value.starts_with('{') && is_toml(value)).then(|| value.to_owned()),
        Kind::Size
        | Kind::Quantity
        | Kind::Text
        | Kind::Path
        | Kind::Choice
        | Kind::Digest
        | Kind::Document => Some(quoted(value)),
    };
    kinds.iter().find_map(as_kind).ok_or_else(|| match first {
        Kind::List => format!("a list of texts: write it as [\"a\", \"b\"], not {value}"),
        Kind::Objects | Kind::Table => format!("{}: write it as TOML, not {value}", first.describe()),
        kind => format!("'{value}' is not what the key takes: {}", kind.describe()),
    })
}

/// A text as TOML writes it; one in its quotation marks stays.
fn quoted(value: &str) -> String {
    let is_string = (value.starts_with('"') || value.starts_with('\'')) && value.len() > 1 && is_toml(value);
    if is_string { value.to_owned() } else { toml_edit::Value::from(value).to_string() }
}

/// A value of TOML without the quotation marks of a text.
pub fn unquoted(value: &str) -> String {
    let text = value.parse::<toml_edit::Value>().ok().and_then(|value| value.as_str().map(str::to_owned));
    text.unwrap_or_else(|| value.to_owned())
}

/// Whether it is one value of TOML.
fn is_toml(value: &str) -> bool {
    value.parse::<toml_edit::Value>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> String {
        match word(text).unwrap() {
            Edit::Key(edit) => edit.value.unwrap_or_default(),
            Edit::Host { value, .. } => value,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn values_have_the_type_of_their_key() {
        assert_eq!(written("hypervisor.qemu.default_vcpus=4"), "4");
        assert_eq!(written("hypervisor.qemu.default_vcpus=2.5"), "2.5");
        assert_eq!(written("hypervisor.qemu.machine_type=q35"), "\"q35\"");
        assert_eq!(written("hypervisor.qemu.kernel_params=a=b \"c\""), "'a=b \"c\"'");
        assert_eq!(written("hypervisor.qemu.enable_iommu=true"), "true");
        assert_eq!(written("hypervisor.qemu.enable_annotations=[\"a\"]"), "[\"a\"]");
        assert_eq!(written("host.protection=tdx"), "\"tdx\"");
        assert_eq!(written("host.cpus=8"), "8");
        for bad in [
            "hypervisor.qemu.default_vcpus=four",
            "hypervisor.qemu.enable_iommu=yes",
            "hypervisor.qemu.enable_annotations=a",
            "hypervisor.qemu.default_memory",
            "host.protection-",
            "handler=",
            "annotation:=1",
        ] {
            assert!(word(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_unknown_name_says_the_nearest() {
        let why = |text: &str| word(text).unwrap_err().why;
        assert!(why("hypervisor.clh.defualt_vcpus=4").contains("did you mean hypervisor.clh.default_vcpus?"));
        assert!(why("default_vcpus=4").contains("did you mean hypervisor.qemu.default_vcpus?"));
        assert!(why("host.cpu=4").contains("did you mean host.cpus?"));
        assert!(why("limits.cpus=4").contains("did you mean limits.cpu?"));
        assert!(why("hypervisor.default_vcpus=4").contains("hypervisor.qemu.default_vcpus"));
    }

    #[test]
    fn a_dash_takes_out() {
        let Edit::Key(edit) = word("hypervisor.qemu.default_vcpus-").unwrap() else { panic!() };
        assert_eq!((edit.name().as_str(), edit.value), ("hypervisor.qemu.default_vcpus", None));
        let key = "io.katacontainers.config.hypervisor.default_vcpus";
        for (text, value) in
            [(format!("annotation:{key}-"), None), (format!("annotation:{key}=4"), Some("4".to_owned()))]
        {
            assert_eq!(word(&text), Ok(Edit::Pod(PodEdit::Annotation { key: key.into(), value })));
        }
        assert_eq!(word("annotation:default_vcpus-"), word(&format!("annotation:{key}-")));
    }
}
