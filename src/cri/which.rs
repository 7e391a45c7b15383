//! From a handler to its shim and Kata's configuration file, with what lost and why.
//!
//! Decides which runtime serves a handler and which file it reads, as far as files can tell.
//! Facts: createshim and loadRuntimeConfig of both runtimes at 4.1.0; kata-deploy 4.1.0's layout.

use super::Engine;
use super::containerd::handlers::Handler;
use crate::input::host::Host;
use crate::input::search;
use crate::input::toml_tree::Value;
use crate::release::{Release, Runtime};

/// Where a configuration file could come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// `ConfigPath` of the handler's options, or CRI-O's `runtime_config_path`.
    Handler,
    /// The shim's environment variable `KATA_CONF_FILE`.
    Environment,
    /// The runtime's own search list.
    Default,
}

impl Source {
    /// In words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Handler => "handler options",
            Self::Environment => "KATA_CONF_FILE",
            Self::Default => "default search",
        }
    }
}

/// One file that was considered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Its path.
    pub path: String,
    /// Who names it.
    pub source: Source,
    /// Whether it is the one.
    pub chosen: bool,
    /// Why, or why not.
    pub why: String,
}

/// Which shim and which file serve a handler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Which {
    /// The handler.
    pub handler: String,
    /// The shim's binary: a path, or a name that is looked for on PATH.
    pub shim: String,
    /// The runtime, where it can be told.
    pub release: Option<Release>,
    /// What tells.
    pub evidence: String,
    /// The files considered, in the runtime's order.
    pub candidates: Vec<Candidate>,
    /// What an administrator should know.
    pub notes: Vec<String>,
}

impl Which {
    /// The file that is read.
    pub fn config(&self) -> Option<&str> {
        self.candidates.iter().find(|c| c.chosen).map(|c| c.path.as_str())
    }
}

/// Every handler of the engine, in file order; `environment` is the shim's `KATA_CONF_FILE`.
pub fn handlers(engine: &Engine, host: &Host, environment: Option<&str>) -> Result<Vec<Which>, String> {
    match engine {
        Engine::Assumed => Ok(Vec::new()),
        Engine::Containerd(containerd) => {
            let handlers = containerd.handlers.as_ref().map_err(|broken| broken.message.clone())?;
            Ok(handlers
                .by_name
                .iter()
                .filter(|(_, handler)| is_kata(handler))
                .map(|(name, handler)| {
                    let (shim, config) = of_containerd(handler);
                    let mut which = decide(name, &shim, config.as_deref(), host, environment);
                    which.notes.extend(notes(name, handler));
                    which
                })
                .collect())
        }
        Engine::Crio(crio) => {
            let handlers = crio.handlers.as_ref().map_err(|broken| broken.message.clone())?;
            Ok(handlers
                .by_name
                .iter()
                .filter(|(_, handler)| handler.is_vm())
                .map(|(name, handler)| {
                    let config = Some(handler.runtime_config_path.as_str()).filter(|p| !p.is_empty());
                    let mut which = decide(name, &handler.runtime_path, config, host, environment);
                    which.notes.push(
                        "CRI-O passes the sandbox's size under a key that Kata does not read: static sizing \
                         sees no limits"
                            .into(),
                    );
                    which
                })
                .collect())
        }
    }
}

fn is_kata(handler: &Handler) -> bool {
    let named = |text: &str| text.contains("kata");
    named(&handler.runtime_type) || named(&handler.runtime_path)
}

/// The shim of a containerd handler, and its `ConfigPath`.
fn of_containerd(handler: &Handler) -> (String, Option<String>) {
    let runtime = if handler.runtime_path.is_empty() { &handler.runtime_type } else { &handler.runtime_path };
    let shim = if runtime.starts_with('/') {
        runtime.clone()
    } else {
        super::containerd::sandbox::binary_name(runtime).unwrap_or_else(|| runtime.clone())
    };
    let config = handler.options.as_ref().and_then(|options| {
        options.iter().find(|(key, _)| key.eq_ignore_ascii_case("ConfigPath")).and_then(|(_, node)| {
            match &node.value {
                Value::String(path) if !path.is_empty() => Some(path.clone()),
                _ => None,
            }
        })
    });
    (shim, config)
}

fn notes(name: &str, handler: &Handler) -> Vec<String> {
    let mut notes = Vec::new();
    if handler.pod_annotations.is_empty() {
        notes.push(format!("handler {name} passes no annotations on: it has no pod_annotations"));
    }
    if handler.sandboxer == "shim" {
        notes.push("sandboxer = \"shim\": ConfigPath is not delivered, and annotations pass ungated".into());
    }
    for (key, place) in &handler.unknown {
        notes.push(format!("{place}: containerd knows no key '{key}' here; it is ignored"));
    }
    if let Some(options) = &handler.options {
        let known = ["TypeUrl", "ConfigPath", "ConfigBody"];
        for (key, node) in options {
            if !known.iter().any(|k| k.eq_ignore_ascii_case(key)) {
                notes.push(format!("{}: Kata's options have no '{key}'; it is ignored", node.place));
            }
        }
    }
    notes
}

/// What tells the two runtimes apart: the shim's path, then the file's.
fn flavour(shim: &str, config: Option<&str>, host: &Host) -> (Option<Release>, String) {
    if shim.contains("/runtime-rs/") {
        return (Some(Release::newest(Runtime::Rs)), format!("the shim lies in {shim}"));
    }
    if let Some(path) = config {
        let name = path.rsplit('/').next().unwrap_or(path);
        if path.contains("/runtime-rs/")
            || name.ends_with("-runtime-rs.toml")
            || name == "configuration-dragonball.toml"
        {
            return (Some(Release::newest(Runtime::Rs)), format!("the file is {path}"));
        }
        if host.exists(path) {
            let layers = crate::input::config::Layers::read(host, path);
            let runtime = search::looks_like(&layers);
            return (Some(Release::newest(runtime)), format!("{path} is written for it"));
        }
    }
    if shim.starts_with("/opt/kata/bin/") {
        return (Some(Release::newest(Runtime::Go)), format!("kata-deploy puts the Go shim at {shim}"));
    }
    (None, format!("{shim} alone does not tell the Go runtime from runtime-rs"))
}

fn decide(name: &str, shim: &str, config: Option<&str>, host: &Host, environment: Option<&str>) -> Which {
    let (release, evidence) = flavour(shim, config, host);
    let assumed = release.unwrap_or(Release::newest(Runtime::Rs));
    let defaults = search::default_paths(assumed);
    let handler = config.map(|path| (path, Source::Handler));
    let environment = environment.map(|path| (path, Source::Environment));
    // The two runtimes give the variable opposite precedence.
    let named = match assumed.runtime {
        Runtime::Rs => [environment, handler],
        Runtime::Go => [handler, environment],
    };
    let mut candidates = Vec::new();
    let mut notes = Vec::new();
    let mut decided = false;
    for (path, source) in named.into_iter().flatten() {
        let refused = source == Source::Environment && !is_default(host, path, defaults);
        let why = if decided {
            "a source that goes first names another file".to_owned()
        } else if refused {
            notes.push(format!("KATA_CONF_FILE={path} is refused: every pod fails, whatever else is there"));
            "refused: since 4.0.0 the variable may only name one of the default files; name it as ConfigPath in \
             the handler's options, or link configuration.toml to it"
                .to_owned()
        } else if host.exists(path) {
            format!("named by {}", source.as_str())
        } else {
            "does not exist: every pod fails, there is no fallback".to_owned()
        };
        candidates.push(Candidate { path: path.to_owned(), source, chosen: !decided && !refused, why });
        decided = true;
    }
    for path in defaults {
        let exists = host.exists(path);
        candidates.push(Candidate {
            path: (*path).to_owned(),
            source: Source::Default,
            chosen: !decided && exists,
            why: match (decided, exists) {
                (true, _) => "not searched: a file is named or found before".to_owned(),
                (false, true) => "the first of the default files that exists".to_owned(),
                (false, false) => "does not exist".to_owned(),
            },
        });
        decided |= exists;
    }
    let mut notes = Vec::new();
    if let Some((path, _)) = handler {
        let other = defaults.iter().find(|default| host.exists(default));
        let theirs = other.map_or_else(|| "find no file".to_owned(), |other| format!("use {other}"));
        if other.is_none_or(|other| *other != path) {
            notes.push(format!("ctr, nerdctl and docker do not read the handler's table: they {theirs}"));
        }
    }
    if let Some(path) = candidates.iter().find(|c| c.chosen).map(|c| c.path.clone()) {
        if let Ok(real) = host.canonicalize(&path) {
            if *real != *path {
                notes.push(format!("{path} is a link to {real}; drop-ins are looked for beside that file"));
            }
            if search::is_rewritten(&real) {
                notes.push(format!("{real} is rewritten by kata-deploy: put changes into a drop-in"));
            }
        }
    } else if notes.is_empty() {
        notes.push("no configuration file: every pod of this handler fails".into());
    }
    Which { handler: name.to_owned(), shim: shim.to_owned(), release, evidence, candidates, notes }
}

fn is_default(host: &Host, path: &str, defaults: &[&str]) -> bool {
    let Ok(real) = host.canonicalize(path) else { return false };
    defaults.iter().any(|default| host.canonicalize(default).is_ok_and(|d| d == real))
}

/// Whether `path` is the file that the handler's shim reads, or a drop-in beside it.
pub fn reads(which: &Which, path: &str, host: &Host) -> bool {
    let Some(config) = which.config() else { return false };
    let real = |path: &str| host.canonicalize(path).map_or_else(|_| path.to_owned(), |real| real.to_string());
    let (config, path) = (real(config), real(path));
    let folder = config.rsplit_once('/').map_or("", |(folder, _)| folder);
    let drop_in = path.strip_prefix(folder).and_then(|rest| rest.strip_prefix("/config.d/"));
    config == path || drop_in.is_some_and(|name| name.ends_with(".toml") && !name.contains('/'))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::cri::containerd::{Containerd, Release};
    use crate::input::host::{HostFacts, MemoryFiles};

    fn host(containerd: &str) -> Host {
        let files = MemoryFiles::new()
            .file("/etc/containerd/config.toml", 0o644, containerd)
            .file("/etc/kata-containers/configuration.toml", 0o644, "[hypervisor.qemu]\n")
            .file("/opt/kata/share/defaults/kata-containers/runtimes/clh/configuration-clh.toml", 0o644, "")
            .link("/opt/kata/c.toml", "share/defaults/kata-containers/runtimes/clh/configuration-clh.toml");
        Host::new(HostFacts::default(), Arc::new(files))
    }

    fn which(containerd: &str, environment: Option<&str>) -> Which {
        let host = host(containerd);
        let read = Containerd::read(&host, "/etc/containerd/config.toml", Release::NEWEST, None);
        handlers(&Engine::Containerd(Box::new(read)), &host, environment).unwrap().remove(0)
    }

    const KATA: &str = "version = 3\n[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.kata]\n\
        runtime_type = 'io.containerd.kata.v2'\nruntime_path = '/opt/kata/bin/containerd-shim-kata-v2'\n";

    #[test]
    fn without_a_config_path_the_default_search_decides() {
        let which = which(KATA, None);
        assert_eq!(which.release, Some(super::Release::newest(Runtime::Go)));
        assert_eq!(which.config(), Some("/etc/kata-containers/configuration.toml"));
        assert!(which.notes.iter().any(|n| n.contains("passes no annotations")));
    }

    #[test]
    fn the_go_shim_prefers_the_handlers_file_to_the_environment() {
        let text = format!("{KATA}options = {{ ConfigPath = '/opt/kata/c.toml' }}\n");
        let which = which(&text, Some("/etc/kata-containers/configuration.toml"));
        assert_eq!(which.config(), Some("/opt/kata/c.toml"));
        assert!(which.notes.iter().any(|n| n.contains("rewritten by kata-deploy")));
    }
}
