//! From what was said on the command line to a host, a release and Kubernetes' part of a node.
//!
//! Reads files; knows no rule of Kata.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::args::{Input, RuntimeChoice};
use super::error::{SetupError, plain};
use super::set;
use crate::audit;
use crate::evaluate::Evaluator;
use crate::input::config::{Layers, Unreadable};
use crate::input::host::{Arch, DiskFiles, FactOrigin, Host, HostFacts, READ_LIMIT};
use crate::input::source::Source;
use crate::input::{probe, search};
use crate::kubernetes::{self, Kubelet, Node};
use crate::node;
use crate::release::{Asked, Judged, KnownBy, Meant, Release, Runtime, Version};

/// The host that was described.
pub fn host(input: &Input) -> Result<Host, SetupError> {
    let facts = facts(input)?;
    let root = input.root.clone().unwrap_or_else(|| PathBuf::from("/"));
    if !root.is_dir() {
        return Err(SetupError::Unreadable {
            path: root.display().to_string(),
            reason: "--root wants a folder".into(),
        });
    }
    Ok(Host::new(facts, Arc::new(DiskFiles::new(root))))
}

/// Whether the host's kernel runs elsewhere: a collection, or a folder without devices. Nothing of this machine tells
/// of its hardware.
fn is_elsewhere(input: &Input) -> bool {
    !input.node.is_empty() || input.root.as_ref().is_some_and(|root| !root.join("dev/null").exists())
}

/// The facts of the hardware that were given, or that this machine has where it is the host.
pub fn facts(input: &Input) -> Result<HostFacts, SetupError> {
    let mut facts = if is_elsewhere(input) { HostFacts::assumed() } else { probe::this_machine() };
    if let Some(path) = &input.host {
        let source = read_source(path)?;
        match input.root {
            Some(_) => probe::describe_host(&mut facts, &source)?,
            None => probe::apply_host_file(&mut facts, &source)?,
        }
    }
    if let Some(cpus) = input.cpus {
        facts.cpus = cpus;
        if facts.origins.get("cpus_allowed") == Some(&FactOrigin::Probed) {
            facts.cpus_allowed = None;
        }
        facts.origins.insert("cpus", FactOrigin::Flag);
    }
    if let Some(memory) = input.memory {
        facts.memory_mib = memory;
        facts.origins.insert("memory_mib", FactOrigin::Flag);
    }
    if let Some(arch) = &input.arch {
        facts.arch = Arch::parse(arch).ok_or_else(|| {
            SetupError::Usage(format!(
                "--arch: '{arch}' is no architecture known here; \
                 write x86_64, aarch64, s390x, ppc64le or riscv64"
            ))
        })?;
        facts.origins.insert("arch", FactOrigin::Flag);
    }
    set::facts(input, &mut facts)?;
    Ok(facts)
}

/// Reads a text file of the user's, with its shown path.
pub fn read_source(path: &Path) -> Result<Source, SetupError> {
    let shown = path.display().to_string();
    let unreadable = |reason: String| SetupError::Unreadable { path: shown.clone(), reason };
    let meta = std::fs::metadata(path).map_err(|e| unreadable(plain(&e)))?;
    if !meta.is_file() {
        return Err(unreadable("not a regular file".into()));
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(|e| unreadable(plain(&e)))?;
    file.take(READ_LIMIT + 1).read_to_end(&mut bytes).map_err(|e| unreadable(plain(&e)))?;
    if bytes.len() as u64 > READ_LIMIT {
        return Err(unreadable(format!("larger than {} MiB", READ_LIMIT >> 20)));
    }
    let text = String::from_utf8(bytes).map_err(|e| {
        unreadable(format!("not UTF-8: the first bad byte is at offset {}", e.utf8_error().valid_up_to()))
    })?;
    Ok(Source::new(shown, text))
}

/// The runtime that the flags name by themselves: also where only one of the two was there at the version.
pub fn runtime_said(input: &Input) -> Result<Option<Runtime>, SetupError> {
    Ok(match input.runtime {
        RuntimeChoice::Go => Some(Runtime::Go),
        RuntimeChoice::Rs => Some(Runtime::Rs),
        RuntimeChoice::Auto => match asked(input)?.map(|asked| asked.of(Runtime::Rs)) {
            Some(Meant::Never { before: None, .. }) => Some(Runtime::Go),
            _ => None,
        },
    })
}

fn asked(input: &Input) -> Result<Option<Asked>, SetupError> {
    let parse = |text: &String| text.parse().map_err(|e| SetupError::Usage(format!("--kata-version: {e}")));
    input.kata_version.as_ref().map(parse).transpose()
}

/// The release of a runtime that the flags ask for, with how it is known.
pub fn release_of(input: &Input, runtime: Runtime) -> Result<Judged, SetupError> {
    let Some(asked) = asked(input)? else { return Ok(Judged::assumed(runtime)) };
    let text = input.kata_version.as_deref().unwrap_or_default();
    let (version, mut note) = match asked.of(runtime) {
        Meant::Known(version) => (version, None),
        Meant::Newer(newest) => (
            newest,
            Some(format!("{text} is newer than {newest}, the newest known here: judged as {newest}")),
        ),
        Meant::Never { before, after } => {
            let around: Vec<_> = before.into_iter().chain(after).map(|version| version.to_string()).collect();
            return Err(SetupError::Usage(format!(
                "--kata-version: {} has no {asked}; the nearest: {}",
                runtime.title(),
                around.join(" and ")
            )));
        }
    };
    let known_by = if input.version_of_node { KnownBy::Node } else { KnownBy::Said };
    if asked.patched && note.is_none() {
        note = Some(format!("{text} is judged as {version}: what its maker changed is not known here"));
    }
    Ok(Judged { release: Release::new(runtime, version), known_by, note })
}

/// The release that the flags name by themselves.
pub fn release_said(input: &Input) -> Result<Option<Judged>, SetupError> {
    runtime_said(input)?.map(|runtime| release_of(input, runtime)).transpose()
}

/// The release said, else the one the file looks like, else the newest.
pub fn release(input: &Input, layers: &Layers) -> Result<Judged, SetupError> {
    let look = search::looks_like(layers);
    let runtime = runtime_said(input)?.unwrap_or(look);
    if input.kata_version.is_some() || runtime != look {
        return release_of(input, runtime);
    }
    let (version, known_by) = node::release::of_look(runtime, layers);
    if version == Version::NEWEST {
        return Ok(Judged::assumed(runtime));
    }
    let path = &layers.asked;
    let note =
        format!("judged as {version}, the newest release that {path} fits: --kata-version names another");
    Ok(Judged { release: Release::new(runtime, version), known_by, note: Some(note) })
}

/// The node that was described: Kubernetes' version, kubelet's settings, CPUs.
pub fn node(input: &Input) -> Result<Node, SetupError> {
    let version: kubernetes::Version = match &input.kubernetes {
        None => kubernetes::Version::default(),
        Some(text) => text.parse().map_err(|e| SetupError::Usage(format!("--kubernetes: {e}")))?,
    };
    let kubelet = match &input.kubelet {
        None => Kubelet::default(),
        Some(path) => Kubelet::read(&read_source(path)?, &version)?,
    };
    Ok(Node::new(version, kubelet, facts(input)?.cpus))
}

/// The host through which a file named by the user is read, and its path there: inside the root
/// where it lies below it, else this machine's.
pub fn inside_root(input: &Input, host: &Host, path: &Path) -> Result<(Host, String), SetupError> {
    let shown = path.to_string_lossy();
    // On a node in a file a path is the node's, or else this machine's.
    if input.collection.is_some() && shown.starts_with('/') && host.finds(&shown) {
        return Ok((host.clone(), shown.into_owned()));
    }
    let root = input.root.clone().unwrap_or_else(|| PathBuf::from("/"));
    let absolute = std::path::absolute(path)
        .map_err(|e| SetupError::Unreadable { path: path.display().to_string(), reason: plain(&e) })?;
    let absolute_root = std::path::absolute(&root).unwrap_or(root);
    Ok(match absolute.strip_prefix(&absolute_root) {
        Ok(inside) if input.collection.is_none() => {
            (host.clone(), Path::new("/").join(inside).to_string_lossy().into_owned())
        }
        _ => {
            let machine = Host::new(host.facts.clone(), Arc::new(DiskFiles::new("/")));
            (machine, absolute.to_string_lossy().into_owned())
        }
    })
}

/// What makes the configuration malformed input rather than a finding: it cannot be read, or is not
/// TOML. With file, line and column.
pub fn trouble(evaluator: &Evaluator) -> Option<String> {
    evaluator.loaded().err()?;
    let layers = &evaluator.setup().layers;
    unread(layers).or_else(|| {
        let mut sources = layers.sources();
        sources.find_map(|source| crate::input::toml_tree::parse(source).err()).map(|e| e.to_string())
    })
}

/// Why the configuration file could not be read, where it could not.
pub fn unread(layers: &Layers) -> Option<String> {
    if let Err(why) = &layers.base {
        if layers.asked.is_empty() {
            return Some("it is not known which configuration it reads: katascope which says why".to_owned());
        }
        let why = match why {
            Unreadable::Io(errno) => errno.go().to_owned(),
            Unreadable::NotUtf8(offset) => format!("not UTF-8: the first bad byte is at offset {offset}"),
            Unreadable::TooLarge(size) => format!("{size} bytes are too many for a configuration file"),
        };
        return Some(format!("{}: {why}", layers.asked));
    }
    None
}

/// The active hypervisor's table name, or why there is none.
pub fn active(evaluator: &Evaluator) -> Result<String, SetupError> {
    audit::active(evaluator).ok_or_else(|| match trouble(evaluator) {
        Some(trouble) => SetupError::Usage(trouble),
        None => no_table(&evaluator.setup().layers.asked),
    })
}

/// What to say of a configuration without a hypervisor.
pub fn no_table(path: &str) -> SetupError {
    SetupError::Usage(format!("{path}: no [hypervisor.*] table; name one with --hypervisor"))
}
