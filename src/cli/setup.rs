//! From what was said on the command line to a host, layers, a release and pods.
//!
//! Reads files; knows no rule of Kata but the runtimes' default search paths.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::args::{CriChoice, FilesChoice, Input, RuntimeChoice};
use crate::cri::Engine;
use crate::cri::containerd::{self, Containerd};
use crate::cri::crio::{self, Crio};
use crate::cri::which;
use crate::evaluate::{Evaluator, Setup};
use crate::input::config::{Layers, Unreadable};
use crate::input::host::{Arch, DiskFiles, FactOrigin, Host, HostFacts, READ_LIMIT};
use crate::input::source::Source;
use crate::input::{away, probe, search};
use crate::kubernetes::kubelet::KubeletError;
use crate::kubernetes::{Kubelet, Node, Version};
use crate::release::{Asked, Judged, KnownBy, Meant, Release, Runtime};
use crate::sample;

/// Why the program cannot do its work; exit status 2.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// A file could not be read.
    #[error("{path}: {reason}")]
    Unreadable {
        /// As the user named it.
        path: String,
        /// What the system said.
        reason: String,
    },
    /// A host file is wrong.
    #[error(transparent)]
    HostFile(#[from] probe::HostFileError),
    /// A manifest is wrong.
    #[error("{error}{}", help(error))]
    Manifest {
        /// What the reader says.
        #[from]
        error: crate::input::manifest::InputError,
    },
    /// kubelet would not start.
    #[error(transparent)]
    Kubelet(#[from] KubeletError),
    /// The words do not fit.
    #[error("{0}")]
    Usage(String),
}

fn help(error: &crate::input::manifest::InputError) -> String {
    error.help.as_ref().map(|help| format!("\n  {help}")).unwrap_or_default()
}

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

fn facts(input: &Input) -> Result<HostFacts, SetupError> {
    let mut facts = probe::this_machine();
    if let Some(path) = &input.host {
        probe::apply_host_file(&mut facts, &read_source(path)?)?;
    }
    if let Some(cpus) = input.cpus {
        facts.cpus = cpus;
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

/// An I/O error without `(os error 2)`.
pub fn plain(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}

/// A configuration as chosen, and where it really lies.
#[derive(Debug, Clone)]
pub struct Chosen {
    /// The texts.
    pub layers: Layers,
    /// The folder that shown paths are below (`--root`, or `/`).
    pub root: PathBuf,
    /// Whether it is the embedded sample.
    pub sample: bool,
}

/// The configuration file: the one named, else the first that the runtime would find.
pub fn layers(input: &Input, host: &Host) -> Result<Chosen, SetupError> {
    let root = input.root.clone().unwrap_or_else(|| PathBuf::from("/"));
    let Some(path) = &input.config else {
        if let Some(path) = by_handler(input, host)? {
            return Ok(Chosen { layers: Layers::read(host, &path), root, sample: false });
        }
        let releases = match release_said(input)? {
            Some(judged) => vec![judged.release],
            None => vec![release_of(input, Runtime::Rs)?.release, release_of(input, Runtime::Go)?.release],
        };
        let paths: Vec<&str> = releases.iter().flat_map(|r| search::default_paths(*r)).copied().collect();
        return match paths.iter().find(|path| host.exists(path)) {
            Some(path) => Ok(Chosen { layers: Layers::read(host, path), root, sample: false }),
            None => Err(SetupError::Usage(format!(
                "no configuration file: none of {} exists; name one with -c",
                paths.join(", ")
            ))),
        };
    };
    let (reader, shown) = inside_root(input, host, path)?;
    let inside = root.join(path.strip_prefix("/").unwrap_or(path));
    if input.root.is_some() && !path.exists() && inside.exists() {
        return Err(SetupError::Usage(format!(
            "-c {}: no such file on this machine; below --root it is -c {}",
            path.display(),
            inside.display()
        )));
    }
    let layers = Layers::read(&reader, &shown);
    // A file outside the root is read from this machine; what it names is still looked up inside.
    let outside = root != Path::new("/") && std::path::absolute(path).is_ok_and(|p| p == Path::new(&shown));
    Ok(Chosen { layers, root: if outside { PathBuf::from("/") } else { root }, sample: false })
}

/// The runtime that the flags name by themselves: also where only one of the two was there at the version.
fn runtime_said(input: &Input) -> Result<Option<Runtime>, SetupError> {
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
fn release_of(input: &Input, runtime: Runtime) -> Result<Judged, SetupError> {
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
                "--kata-version: there is no {asked} of the {}; the nearest: {}",
                runtime.title(),
                around.join(" and ")
            )));
        }
    };
    if asked.patched && note.is_none() {
        note = Some(format!("{text} is judged as {version}: what its maker changed is not known here"));
    }
    Ok(Judged { release: Release { runtime, version }, known_by: KnownBy::Said, note })
}

/// The release that the flags name by themselves.
pub fn release_said(input: &Input) -> Result<Option<Judged>, SetupError> {
    runtime_said(input)?.map(|runtime| release_of(input, runtime)).transpose()
}

/// The release said, else the one the file looks like.
pub fn release(input: &Input, layers: &Layers) -> Result<Judged, SetupError> {
    match release_said(input)? {
        Some(judged) => Ok(judged),
        None => release_of(input, search::looks_like(layers)),
    }
}

/// Everything but the pods.
pub fn evaluator(input: &Input) -> Result<(Evaluator, Chosen), SetupError> {
    if input.config.is_none() && input.manifests.is_empty() && input.root.is_none() {
        let sample = sample::evaluator();
        let judged = release(input, &sample.setup().layers)?;
        let evaluator = sample.with_judged(judged);
        let layers = evaluator.setup().layers.clone();
        return Ok((evaluator, Chosen { layers, root: PathBuf::from("/"), sample: true }));
    }
    let host = host(input)?;
    let chosen = layers(input, &host)?;
    let judged = release(input, &chosen.layers)?;
    let host = as_far_as_seen(input, host, &chosen.layers);
    let setup = Setup {
        layers: chosen.layers.clone(),
        release: judged.release,
        known_by: judged.known_by,
        release_note: judged.note,
        hypervisor: input.hypervisor.clone(),
        sandbox_id: input.sandbox_id.clone(),
        engine: engine(input, &host.looking())?,
        host,
    };
    Ok((Evaluator::new(setup), chosen))
}

/// The host as far as it can be looked at: its files may be elsewhere, and the configuration brought along.
fn as_far_as_seen(input: &Input, host: Host, layers: &Layers) -> Host {
    match input.files {
        _ if layers.base.is_err() => host,
        Some(FilesChoice::Check) => host,
        Some(FilesChoice::Assume) if input.root.is_some() => away::partly_seen(&host, layers),
        Some(FilesChoice::Assume) => away::unseen(&host, layers),
        None if input.root.is_some() || away::is_its_host(layers, &host) => host,
        None => away::unseen(&host, layers),
    }
}

/// The configuration file that the container runtime names for the handler, where one is described.
/// One that lies in its usual place is asked for the file too; what it passes on is judged only where
/// --cri says so.
fn by_handler(input: &Input, host: &Host) -> Result<Option<String>, SetupError> {
    let engine = match cri_file(None, input.root.as_deref()) {
        Some(found) if input.cri.is_none() && input.cri_config.is_none() => {
            let cri = engine_of(Some(&found));
            engine(&Input { cri, cri_config: Some(found), ..input.clone() }, host)?
        }
        _ => engine(input, host)?,
    };
    let environment = std::env::var("KATA_CONF_FILE").ok();
    let Ok(found) = which::handlers(&engine, host, environment.as_deref()) else { return Ok(None) };
    let which = match &input.handler {
        Some(handler) => found.iter().find(|w| w.handler == *handler),
        // One Kata handler is no question; of several, nobody said which.
        None if found.len() == 1 => found.first(),
        None => None,
    };
    Ok(which.and_then(|w| w.config()).map(str::to_owned))
}

/// The node that was described: Kubernetes' version, kubelet's settings, CPUs.
pub fn node(input: &Input) -> Result<Node, SetupError> {
    let version: Version = match &input.kubernetes {
        None => Version::default(),
        Some(text) => text.parse().map_err(|e| SetupError::Usage(format!("--kubernetes: {e}")))?,
    };
    let kubelet = match &input.kubelet {
        None => Kubelet::default(),
        Some(path) => Kubelet::read(&read_source(path)?, &version)?,
    };
    Ok(Node::new(version, kubelet, facts(input)?.cpus))
}

/// Where container runtimes have their configuration: the packages', k3s', RKE2's and k0s'.
const CRI_FILES: [(CriChoice, &str); 6] = [
    (CriChoice::Containerd, "/var/lib/rancher/k3s/agent/etc/containerd/config.toml"),
    (CriChoice::Containerd, "/var/lib/rancher/rke2/agent/etc/containerd/config.toml"),
    (CriChoice::Containerd, "/etc/k0s/containerd.toml"),
    (CriChoice::Containerd, "/etc/containerd/config.toml"),
    (CriChoice::Crio, "/etc/crio/crio.conf"),
    // kata-deploy and OpenShift's operators write drop-ins only.
    (CriChoice::Crio, "/etc/crio/crio.conf.d"),
];

fn places(choice: Option<CriChoice>) -> impl Iterator<Item = &'static str> {
    CRI_FILES.iter().filter(move |(engine, _)| choice.is_none_or(|c| c == *engine)).map(|(_, path)| *path)
}

/// The container runtime's file in its usual places; k3s and RKE2 ignore the packages' one, so theirs
/// goes first.
pub fn cri_file(choice: Option<CriChoice>, root: Option<&Path>) -> Option<PathBuf> {
    let root = root.unwrap_or(Path::new("/"));
    let is_there =
        |path: &PathBuf| path.is_file() || path.extension().is_some_and(|e| e == "d") && path.is_dir();
    places(choice).map(|path| root.join(path.trim_start_matches('/'))).find(is_there)
}

/// Whose file that is, by its name.
pub fn engine_of(path: Option<&Path>) -> Option<CriChoice> {
    let mut names = path?.components().filter_map(|part| part.as_os_str().to_str());
    let is_crio = names.any(|name| matches!(name, "crio.conf" | "crio.conf.d"));
    Some(if is_crio { CriChoice::Crio } else { CriChoice::Containerd })
}

/// Where CRI-O's file would be: it starts without any, and that it is there at all its folder says.
fn without_files(choice: CriChoice, input: &Input, host: &Host) -> Option<PathBuf> {
    let root = input.root.as_deref().unwrap_or(Path::new("/"));
    (choice == CriChoice::Crio && host.exists("/etc/crio"))
        .then(|| root.join(crio::Places::MAIN.trim_start_matches('/')))
}

/// The container runtime that was described.
pub fn engine(input: &Input, host: &Host) -> Result<Engine, SetupError> {
    let choice = match (input.cri, &input.cri_config) {
        (Some(choice), _) => choice,
        (None, Some(path)) => engine_of(Some(path)).unwrap_or(CriChoice::Containerd),
        (None, None) => return Ok(Engine::Assumed),
    };
    let found = cri_file(Some(choice), input.root.as_deref()).or_else(|| without_files(choice, input, host));
    let Some(path) = input.cri_config.as_ref().or(found.as_ref()) else {
        return match choice {
            CriChoice::None => Ok(Engine::Assumed),
            CriChoice::Containerd | CriChoice::Crio => Err(SetupError::Usage(format!(
                "no configuration of {} found (looked for {}); name it with --cri-config",
                if choice == CriChoice::Crio { "CRI-O" } else { "containerd" },
                places(Some(choice)).collect::<Vec<_>>().join(", ")
            ))),
        };
    };
    let release = match &input.containerd {
        None => containerd::Release::NEWEST,
        Some(text) => containerd::Release::parse(text).ok_or_else(|| {
            SetupError::Usage(format!(
                "--containerd: '{text}' is no version; write one such as 1.7.34 or 2.3"
            ))
        })?,
    };
    let (host, shown) = inside_root(input, host, path)?;
    match choice {
        CriChoice::None => Ok(Engine::Assumed),
        CriChoice::Containerd => {
            let handler = input.handler.clone();
            Ok(Engine::Containerd(Box::new(Containerd::read(&host, &shown, release, handler))))
        }
        CriChoice::Crio => {
            let handler = input.handler.clone();
            let Some(text) = &input.crio else {
                return Ok(Engine::Crio(Box::new(Crio::read(&host, &shown, handler))));
            };
            let release = crio::Release::parse(text).ok_or_else(|| {
                SetupError::Usage(format!(
                    "--crio: '{text}' is no version; write one such as 1.33.13 or 1.36"
                ))
            })?;
            Ok(Engine::Crio(Box::new(Crio::read_as(&host, &shown, release, handler))))
        }
    }
}

/// The host through which a file named by the user is read, and its path there: inside the root
/// where it lies below it, else this machine's.
fn inside_root(input: &Input, host: &Host, path: &Path) -> Result<(Host, String), SetupError> {
    let root = input.root.clone().unwrap_or_else(|| PathBuf::from("/"));
    let absolute = std::path::absolute(path)
        .map_err(|e| SetupError::Unreadable { path: path.display().to_string(), reason: plain(&e) })?;
    let absolute_root = std::path::absolute(&root).unwrap_or(root);
    Ok(match absolute.strip_prefix(&absolute_root) {
        Ok(inside) => (host.clone(), Path::new("/").join(inside).to_string_lossy().into_owned()),
        Err(_) => {
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
        let why = match why {
            Unreadable::Io(errno) => errno.go().to_owned(),
            Unreadable::NotUtf8(offset) => format!("not UTF-8: the first bad byte is at offset {offset}"),
            Unreadable::TooLarge(size) => format!("{size} bytes are too many for a configuration file"),
        };
        return Some(format!("{}: {why}", layers.asked));
    }
    None
}
