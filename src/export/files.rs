//! The node's own files: containerd's `pod_annotations`, and a drop-in with the lists of the configuration, as it is
//! or in the values of the kata-deploy chart or in a `MachineConfig`.
//!
//! Decides which entries say the policy there. A drop-in repeats a list whole: the chart's own values only add to
//! what is shipped, and split at commas and spaces. Facts: tools/packaging/kata-deploy at 4.1.0
//! (`configure_hypervisor_annotations`, `install_default_runtime_drop_in`), containerd's merging of imports.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::admission::{head, joined};
use super::head::annotations;
use super::rules::Rules;
use super::yaml::Node;
use super::{Exported, Mode, Unsaid, Wanted};
use crate::catalog::HYPERVISOR_PREFIX;

/// A text as TOML writes it.
fn quote(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn list<T: AsRef<str>>(texts: &[T]) -> String {
    match texts {
        [] => "[]".to_owned(),
        texts => {
            let lines: Vec<String> =
                texts.iter().map(|text| format!("  {},\n", quote(text.as_ref()))).collect();
            format!("[\n{}]", lines.concat())
        }
    }
}

fn bare(key: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_-".contains(&b);
    if !key.is_empty() && key.bytes().all(plain) { key.to_owned() } else { quote(key) }
}

/// The handlers that have a name; a file of the node is a handler's.
fn handler(rules: &Rules) -> Result<&str, Unsaid> {
    rules.origin.handler.as_deref().ok_or(Unsaid::NoHandler)
}

pub fn containerd(all: &[Rules], wanted: &Wanted) -> Result<Exported, Unsaid> {
    if all.iter().any(|rules| rules.origin.mode == Mode::AsHost) {
        return Err(Unsaid::ByNameAlone);
    }
    let mut beside = vec![
        "what is not listed is dropped without a word, and the pod starts without it: only a rule of the cluster \
         refuses it"
            .to_owned(),
        "values: containerd asks for names alone".to_owned(),
    ];
    let (version, plugin) = match wanted.early_containerd {
        true => (2, "io.containerd.grpc.v1.cri"),
        false => (3, "io.containerd.cri.v1.runtime"),
    };
    if wanted.early_containerd {
        beside.push(
            "containerd 1.x lets a drop-in replace a plugin's whole table: write these lines into its main file, in \
             the tables that are there"
                .to_owned(),
        );
    } else {
        beside.push("the version has to be that of containerd's main file, or an older one".to_owned());
    }
    let inexact = beside;
    let mut text = head(all, "containerd's pod_annotations", &inexact).text();
    text.push_str(&format!("version = {version}\n"));
    for rules in all {
        text.push_str(&format!(
            "\n[plugins.{}.containerd.runtimes.{}]\npod_annotations = {}\n",
            quote(plugin),
            bare(handler(rules)?),
            list(&rules.allowed)
        ));
    }
    Ok(Exported { text, inexact })
}

/// The lists of the active table, whole. Where more is refused than the lists say, the names that pass are written out.
fn drop_in(rules: &Rules) -> Result<String, Unsaid> {
    if rules.drop_ins.is_none() {
        return Err(Unsaid::NoDropIns(rules.origin.release.title()));
    }
    let exact = |key: &String| {
        let short = key.strip_prefix(HYPERVISOR_PREFIX)?;
        Some(format!("^{}$", short.replace('.', "\\.")))
    };
    let mut text = format!("[hypervisor.{}]\n", bare(&rules.origin.hypervisor));
    for (name, entries) in &rules.lists {
        let names: Vec<String>;
        let entries = match (name.as_str(), rules.origin.mode) {
            ("enable_annotations", Mode::Closed | Mode::NothingLost) => {
                names = rules.allowed.iter().filter_map(exact).collect();
                &names
            }
            _ => entries,
        };
        // A list that no file sets is empty anyway.
        if name == "enable_annotations" || !entries.is_empty() {
            text.push_str(&format!("{name} = {}\n", list(entries)));
        }
    }
    Ok(text)
}

/// What the configuration has no list for.
fn ungated() -> Vec<String> {
    vec![
        "annotations of agent, runtime and containers, which no list of the configuration gates: rules of the \
         cluster or containerd's pod_annotations keep them out"
            .to_owned(),
    ]
}

pub fn helm(all: &[Rules]) -> Result<Exported, Unsaid> {
    let mut beside = ungated();
    beside.push(
        "the shim's name is taken to be the handler's without kata-, as the chart names its RuntimeClasses"
            .to_owned(),
    );
    let inexact = beside;
    let mut shims = Vec::new();
    for rules in all {
        let handler = handler(rules)?;
        let shim = handler.strip_prefix("kata-").unwrap_or(handler);
        let values = Node::Map(vec![("dropIn", Node::text(drop_in(rules)?.trim_end()))]);
        shims.push((shim.to_owned(), values));
    }
    let mut head = head(all, "values of the kata-deploy chart", &inexact);
    head.sentence(
        "",
        "The drop-in repeats each list whole: allowedHypervisorAnnotations only adds to the list that is shipped.",
    );
    let document = Node::Map(vec![("shims", Node::Table(shims))]).document();
    Ok(Exported { text: head.text() + &document, inexact })
}

pub fn machine_config(all: &[Rules]) -> Result<Exported, Unsaid> {
    let mut beside = ungated();
    let mut documents = Vec::new();
    for rules in all {
        let folder = rules.drop_ins.as_deref().unwrap_or_default();
        if folder.starts_with("/usr/") {
            beside.push(format!(
                "that {folder} can be written: /usr is read-only on such a node, and a handler whose file lies there \
                 wants a copy below /etc"
            ));
        }
        let body = STANDARD.encode(drop_in(rules)?);
        let file = Node::Map(vec![
            ("path", Node::text(format!("{folder}/50-katascope-policy.toml"))),
            ("mode", Node::Number(0o644)),
            ("overwrite", Node::Flag(true)),
            (
                "contents",
                Node::Map(vec![(
                    "source",
                    Node::text(format!("data:text/plain;charset=utf-8;base64,{body}")),
                )]),
            ),
        ]);
        let role = ("machineconfiguration.openshift.io/role".to_owned(), Node::text("kata-oc"));
        let name = super::admission::object_name("50-kata-annotations", rules.origin.handler.as_deref());
        let ignition = Node::Map(vec![
            ("ignition", Node::Map(vec![("version", Node::text("3.2.0"))])),
            ("storage", Node::Map(vec![("files", Node::List(vec![file]))])),
        ]);
        documents.push(Node::Map(vec![
            ("apiVersion", Node::text("machineconfiguration.openshift.io/v1")),
            ("kind", Node::text("MachineConfig")),
            (
                "metadata",
                Node::Map(vec![
                    ("name", Node::text(name)),
                    ("labels", Node::Table(vec![role])),
                    ("annotations", annotations(rules)),
                ]),
            ),
            ("spec", Node::Map(vec![("config", ignition)])),
        ]));
    }
    let inexact = beside;
    let mut head = head(all, "a drop-in by MachineConfig", &inexact);
    head.sentence(
        "",
        "It is written on the nodes of the pool kata-oc, which then restart one after the other.",
    );
    for rules in all {
        head.sentence("", "The drop-in:");
        for line in drop_in(rules)?.lines() {
            head.quote(line);
        }
    }
    Ok(Exported { text: head.text() + &joined(&documents), inexact })
}
