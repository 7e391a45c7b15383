//! From what was said on the command line to a node: its container runtime, its handlers, and what judges
//! their pods.
//!
//! Decides what is opened: the node found on this machine or under `--root`, the one configuration that was
//! named with `-c`, or the embedded sample. Reads files; knows no rule of Kata.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::args::{CriChoice, Input};
use super::error::{SetupError, plain};
use super::setup::{self, inside_root};
use super::{collections, set, what_if};
use crate::cri::Engine;
use crate::cri::containerd::{Containerd, Release};
use crate::cri::crio::{self, Crio};
use crate::edit::deployed;
use crate::evaluate::node::NodeEvaluator;
use crate::evaluate::{Evaluator, Setup};
use crate::input::archive::{self, Collection};
use crate::input::away::{self, Seen};
use crate::input::config::Layers;
use crate::input::host::Look;
use crate::input::{Host, helm, search};
use crate::node::places::{self, Kind};
use crate::node::{Handler, Node, Said};
use crate::release::Runtime;
use crate::report::escape::visible;
use crate::sample;

/// What was opened.
#[derive(Debug, Clone)]
pub struct Opened {
    /// The node.
    pub node: NodeEvaluator,
    /// The folder that shown paths are below (`--root`, or `/`).
    pub root: PathBuf,
    /// Whether it is the embedded sample.
    pub sample: bool,
    /// The collection that the node came in.
    pub collection: Option<Arc<Collection>>,
    /// Files of container runtimes that are there, and that nobody reads.
    pub unread: Vec<&'static str>,
}

impl Opened {
    /// Says that a handler was named where nothing tells of handlers.
    pub fn say_handler_unheeded(&self, input: &Input) {
        let Some(handler) = input.handler.as_deref() else { return };
        let Some(only) = self.node.only().filter(|_| matches!(self.node.node().engine, Engine::Assumed))
        else {
            return;
        };
        let _ = writeln!(
            io::stderr(),
            "katascope: --handler {} is passed over: no container runtime is described, and {} judges every pod; a node \
             (--root) or the container runtime's file (--cri-config) tells what the handler reads",
            visible(handler),
            visible(&only.setup().layers.asked)
        );
    }

    /// What the node was asked about, by option and path on the node.
    pub fn said_of(&self, input: &Input) -> Vec<(String, String)> {
        let config = input.config.as_ref().and(self.node.only());
        let config = config.map(|evaluator| evaluator.setup().layers.asked.to_string());
        let engine = match &self.node.node().engine {
            Engine::Assumed => None,
            Engine::Containerd(containerd) => Some((containerd.path.clone(), "containerd".to_owned())),
            Engine::Crio(crio) => crio.files.first().map(|path| (path.clone(), "crio".to_owned())),
        };
        let (cri, kind) = input.container_runtime.cri_config.as_ref().and(engine).unzip();
        let all = [("config", config), ("cri-config", cri), ("cri", kind)];
        all.into_iter().filter_map(|(option, value)| Some((option.to_owned(), value?))).collect()
    }

    /// The folder that shown paths of configurations are below. A file outside the root is read from this
    /// machine; what it names is still looked up inside.
    pub fn root_of_files(&self, input: &Input) -> PathBuf {
        let shown = self.node.only().map(|evaluator| evaluator.setup().layers.asked.clone());
        let outside = self.root != Path::new("/")
            && input.config.as_ref().is_some_and(|path| {
                std::path::absolute(path).ok().as_deref() == shown.as_deref().map(Path::new)
            });
        if outside { PathBuf::from("/") } else { self.root.clone() }
    }
}

/// One configuration of what was opened.
#[derive(Debug, Clone)]
pub struct Chosen {
    /// What judges by it.
    pub evaluator: Evaluator,
    /// The folder that shown paths are below.
    pub root: PathBuf,
}

/// Whether nothing is said, so that the sample is shown where this machine is no node.
fn nothing_said(input: &Input) -> bool {
    input.config.is_none()
        && input.helm.is_none()
        && input.root.is_none()
        && input.node.is_empty()
        && input.container_runtime.is_open()
        && input.manifests.is_empty()
}

/// Whether the embedded sample is what is opened.
pub fn is_sample(input: &Input) -> bool {
    nothing_said(input) && open(input).is_ok_and(|opened| opened.sample)
}

/// The node that was described.
pub fn open(input: &Input) -> Result<Opened, SetupError> {
    match collections::the_one(input)? {
        Some(collection) => open_collection(input, collection),
        None => open_on(input, &setup::host(input)?),
    }
}

/// Opens a node that came home in files as the node that it is.
pub(super) fn open_collection(input: &Input, collection: Arc<Collection>) -> Result<Opened, SetupError> {
    let said = |option: &str| collection.said.get(option).map(PathBuf::from);
    let mut input = input.clone();
    if input.config.is_none() {
        input.config = said("config");
    }
    if input.container_runtime.is_open() {
        input.container_runtime.cri_config = said("cri-config");
        input.container_runtime.cri = match collection.said.get("cri").map(String::as_str) {
            Some("crio") => Some(CriChoice::Crio),
            Some(_) => Some(CriChoice::Containerd),
            None => None,
        };
    }
    input.version_of_node = input.kata_version.is_none();
    input.kata_version = input.kata_version.or_else(|| collection.kata_version.clone());
    input.container_runtime.containerd =
        input.container_runtime.containerd.or_else(|| collection.containerd_version.clone());
    let mut facts = collection.facts.clone();
    set::facts(&input, &mut facts)?;
    let host = Host::new(facts, Arc::clone(&collection.files));
    input.collection = Some(collection);
    open_on(&input, &host)
}

/// The node that was described, on a host that is at hand, all of whose files can be looked at.
pub fn open_on(input: &Input, host: &Host) -> Result<Opened, SetupError> {
    if input.set.is_empty() {
        return as_it_is(input, host);
    }
    let input = set::with_handler(input)?;
    let opened = as_it_is(&input, host)?;
    Ok(Opened { node: what_if::applied(&input, opened.node)?, ..opened })
}

fn as_it_is(input: &Input, host: &Host) -> Result<Opened, SetupError> {
    if nothing_said(input) {
        let found = discovered(input, host)?.filter(|opened| opened.node.policies().next().is_some());
        return found.map_or_else(|| of_sample(input), Ok);
    }
    if let Some(path) = &input.config {
        return named(input, host, path);
    }
    if let Some(shim) = input.shim.as_deref().filter(|_| input.helm.is_some()) {
        return named(input, host, &shipped(input, host, shim)?);
    }
    match discovered(input, host)? {
        Some(opened) => Ok(opened),
        None => Err(nothing_found(input)),
    }
}

/// The same, for whoever can do nothing without the file that was named.
pub fn open_readable(input: &Input) -> Result<Opened, SetupError> {
    let opened = open(input)?;
    match opened.node.only().and_then(|evaluator| setup::unread(&evaluator.setup().layers)) {
        Some(why) => Err(SetupError::Usage(why)),
        None => Ok(opened),
    }
}

/// One configuration of the node: that of the pods' handler, where there is no doubt which one it is.
pub fn one(input: &Input) -> Result<Chosen, SetupError> {
    let opened = open(input)?;
    let policies: Vec<(Option<&Handler>, &Evaluator)> = opened.node.policies().collect();
    let said = input.handler.as_deref();
    let chosen = match policies.as_slice() {
        [(_, evaluator)] => Some(*evaluator),
        several => several
            .iter()
            .find(|(handler, _)| said.is_some() && handler.map(|h| h.name.as_str()) == said)
            .map(|(_, evaluator)| *evaluator),
    };
    match chosen {
        Some(evaluator) => {
            let root = opened.root_of_files(input);
            Ok(Chosen { evaluator: evaluator.clone(), root })
        }
        None => Err(which_one(&opened.node, said)),
    }
}

/// What to say where one configuration is wanted, and the node has none or several.
pub fn which_one(node: &NodeEvaluator, said: Option<&str>) -> SetupError {
    let names: Vec<&str> = node.node().kata().map(|handler| handler.name.as_str()).collect();
    SetupError::Usage(match (names.as_slice(), said) {
        ([], _) => match &node.node().handlers {
            Err(why) => format!("the container runtime serves no pods: {why}"),
            Ok(_) => "this node has no Kata handler; name a configuration with -c".into(),
        },
        (names, Some(said)) => {
            format!("--handler {said}: no Kata handler of this node; there are {}", names.join(", "))
        }
        (names, None) => {
            format!(
                "this node has {} Kata handlers; name one with --handler: {}",
                names.len(),
                names.join(", ")
            )
        }
    })
}

fn root_folder(input: &Input) -> PathBuf {
    input.root.clone().unwrap_or_else(|| PathBuf::from("/"))
}

/// The sample: a node with one handler.
fn of_sample(input: &Input) -> Result<Opened, SetupError> {
    let sample = sample::evaluator();
    let judged = setup::release(input, &sample.setup().layers)?;
    let evaluator = sample.with_judged(judged);
    let setup = evaluator.setup();
    let node = Node::new(setup.host.clone(), setup.engine.clone(), &Said::default());
    Ok(Opened {
        node: NodeEvaluator::of_one(node, evaluator),
        root: PathBuf::from("/"),
        sample: true,
        collection: None,
        unread: Vec::new(),
    })
}

/// What the flags say of every handler.
fn said<'a>(input: &Input, environment: Option<&'a str>) -> Result<Said<'a>, SetupError> {
    Ok(Said {
        runtime: setup::runtime_said(input)?,
        versions: match &input.kata_version {
            Some(_) => [Runtime::Go, Runtime::Rs].map(|runtime| setup::release_of(input, runtime).ok()),
            None => [None, None],
        },
        environment,
    })
}

/// The shims' variable, where this machine is the node.
fn environment(input: &Input) -> Option<String> {
    std::env::var("KATA_CONF_FILE").ok().filter(|_| input.root.is_none() && input.collection.is_none())
}

/// `-c`: one configuration for all pods that come to Kata.
fn named(input: &Input, host: &Host, path: &Path) -> Result<Opened, SetupError> {
    let root = root_folder(input);
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
    if layers.base.as_ref().is_ok_and(|source| archive::is_collect_data(&source.text)) {
        return Err(SetupError::Usage(format!(
            "-c {path}: this is what kata-collect-data.sh prints of a node; open it with --node {path}",
            path = path.display()
        )));
    }
    let layers = after_chart(input, layers)?;
    let mut engine = engine_said(input, host)?.unwrap_or(Engine::Assumed);
    let how = collections::seen(input, host, std::iter::once(layers.clone()));
    let seen = away::host(host, &layers, how);
    if let (Seen::Nothing, Engine::Containerd(containerd)) = (how, &mut engine) {
        containerd.assume_shims();
    }
    let evaluator = evaluator(input, &seen, layers, engine.clone())?;
    let environment = environment(input);
    let node = Node::new(host.clone(), engine, &said(input, environment.as_deref())?);
    Ok(Opened {
        node: NodeEvaluator::of_one(node, evaluator),
        root,
        sample: false,
        collection: input.collection.clone(),
        unread: Vec::new(),
    })
}

/// The file of a shim as it is shipped, where the chart installs it.
fn shipped(input: &Input, host: &Host, shim: &str) -> Result<PathBuf, SetupError> {
    const FOLDER: &str = "/opt/kata/share/defaults/kata-containers";
    let file = format!("configuration-{shim}.toml");
    let places = [
        format!("{FOLDER}/{file}"),
        format!("{FOLDER}/runtime-rs/{file}"),
        format!("{FOLDER}/runtimes/{shim}/{file}"),
        format!("{FOLDER}/runtime-rs/runtimes/{shim}/{file}"),
    ];
    match places.iter().find(|path| host.exists(path)) {
        Some(path) => Ok(root_folder(input).join(path.trim_start_matches('/'))),
        None => Err(SetupError::Usage(format!(
            "--helm: the chart changes the {file} that its release ships; name that file with -c"
        ))),
    }
}

/// The configuration as the kata-deploy chart leaves it, where its values are given.
fn after_chart(input: &Input, layers: Layers) -> Result<Layers, SetupError> {
    let (Some(values), Some(shim)) = (&input.helm, &input.shim) else { return Ok(layers) };
    let values = setup::read_source(values)?;
    let shim = helm::read(&values, shim).map_err(|why| SetupError::Usage(why.to_string()))?;
    for remark in &shim.remarks {
        let _ = writeln!(io::stderr(), "katascope: {}: {}", visible(&values.path), visible(remark));
    }
    deployed(&layers, &shim).map_err(|why| SetupError::Usage(why.to_string()))
}

fn evaluator(input: &Input, host: &Host, layers: Layers, engine: Engine) -> Result<Evaluator, SetupError> {
    let judged = setup::release(input, &layers)?;
    Ok(Evaluator::new(Setup {
        release: judged.release,
        known_by: judged.known_by,
        release_note: judged.note,
        layers,
        hypervisor: input.hypervisor.clone(),
        sandbox_id: input.sandbox_id.clone(),
        engine,
        host: host.clone(),
    }))
}

/// The node that is found: by its container runtime, else by a file that a runtime would find by itself.
fn discovered(input: &Input, host: &Host) -> Result<Option<Opened>, SetupError> {
    let root = root_folder(input);
    let environment = environment(input);
    let said = said(input, environment.as_deref())?;
    let found = places::find(host, kind(input.container_runtime.cri));
    let found_at = found.as_ref().map(|found| (found.kind, found.path));
    // Of most collections it is known that they are a part, whatever their files name.
    let part = collections::is_part(input).then(|| host.looked_at(Look::Collected, Vec::new()));
    let reader = part.as_ref().unwrap_or(host);
    let looked = engine_said(input, reader)?;
    let by_itself = looked.is_none();
    let engine = match (looked, found_at) {
        (Some(engine), _) => Some(engine),
        (None, Some((kind, path))) if input.container_runtime.cri != Some(CriChoice::None) => {
            Some(read_engine(input, reader, kind, path)?)
        }
        (None, _) => None,
    };
    let unread = found.map(|found| found.unread).unwrap_or_default();
    if let Some(engine) = engine.filter(|engine| !matches!(engine, Engine::Assumed)) {
        let mut node = Node::new(reader.clone(), engine, &said);
        let seen = match input.collection {
            _ if part.is_some() => Seen::Part,
            // Where a container runtime is, there is its node.
            None if input.files.is_none() => Seen::All,
            _ => collections::seen(input, host, node.kata().map(|handler| handler.layers(host))),
        };
        if seen != Seen::All && part.is_none() {
            let host = host.looked_at(Look::Collected, Vec::new());
            let engine = engine_on(input, &host, found_at)?;
            node = Node::new(host, engine, &said);
        }
        // A containerd that nobody named, and that serves no pods, may not be the pods' own.
        let cri_off = matches!(&node.engine, Engine::Containerd(containerd)
            if containerd.handlers.as_ref().is_err_and(|broken| broken.cri_off));
        if by_itself && cri_off {
            node.without_cri = Some("no CRI on this node: containerd's disabled_plugins has it".into());
        }
        let node = NodeEvaluator::new(node, input.hypervisor.clone(), input.sandbox_id.clone()).seen(seen);
        return Ok(Some(Opened { node, root, sample: false, collection: input.collection.clone(), unread }));
    }
    let Some(path) = searched(input).into_iter().find(|path| host.exists(path)) else { return Ok(None) };
    let layers = Layers::read(host, path);
    let seen = away::host(host, &layers, collections::seen(input, host, std::iter::once(layers.clone())));
    let evaluator = evaluator(input, &seen, layers, Engine::Assumed)?;
    let node = Node::new(host.clone(), Engine::Assumed, &said);
    Ok(Some(Opened {
        node: NodeEvaluator::of_one(node, evaluator),
        root,
        sample: false,
        collection: input.collection.clone(),
        unread,
    }))
}

/// The same container runtime, asked of a host that can be looked at in part.
fn engine_on(input: &Input, host: &Host, found: Option<(Kind, &str)>) -> Result<Engine, SetupError> {
    match (engine_said(input, host)?, found) {
        (Some(engine), _) => Ok(engine),
        (None, Some((kind, path))) => read_engine(input, host, kind, path),
        (None, None) => Ok(Engine::Assumed),
    }
}

/// The files that the runtimes would find by themselves.
fn searched(input: &Input) -> Vec<&'static str> {
    let runtimes = match setup::runtime_said(input) {
        Ok(Some(runtime)) => vec![runtime],
        _ => vec![Runtime::Rs, Runtime::Go],
    };
    let releases = runtimes.into_iter().filter_map(|runtime| setup::release_of(input, runtime).ok());
    releases.flat_map(|judged| search::default_paths(judged.release)).copied().collect()
}

fn nothing_found(input: &Input) -> SetupError {
    let at = match (&input.collection, &input.root) {
        (Some(collection), _) => {
            let lacks = collection.lacks();
            let lacks = if lacks.is_empty() {
                String::new()
            } else {
                format!(" (does not hold: {})", lacks.join("; "))
            };
            format!(" in {}, a {} collection{lacks}", collection.name, collection.origin.as_str())
        }
        (None, Some(root)) => format!(" under {}", root.display()),
        (None, None) => String::new(),
    };
    let toml = |path: &&PathBuf| path.extension().is_some_and(|extension| extension == "toml");
    if let Some(path) = input.manifests.iter().find(toml) {
        let path = path.display();
        return SetupError::Usage(format!(
            "{path} looks like a configuration, not like pods: katascope check -c {path}"
        ));
    }
    let choice = match input.container_runtime.cri {
        Some(CriChoice::Containerd) => "no configuration of containerd",
        Some(CriChoice::Crio) => "no configuration of CRI-O",
        Some(CriChoice::None) | None => "no container runtime",
    };
    SetupError::Usage(format!(
        "{choice} and no configuration file found{at}: looked for {}, {}, and {}; name a configuration with -c, a \
         node with --root, or a container runtime's file with --cri-config",
        places::CONTAINERD.join(", "),
        places::CRIO,
        searched(input).join(", ")
    ))
}

fn kind(choice: Option<CriChoice>) -> Option<Kind> {
    match choice? {
        CriChoice::Containerd => Some(Kind::Containerd),
        CriChoice::Crio => Some(Kind::Crio),
        CriChoice::None => None,
    }
}

/// The container runtime that the flags describe.
fn engine_said(input: &Input, host: &Host) -> Result<Option<Engine>, SetupError> {
    let kind = match (input.container_runtime.cri, &input.container_runtime.cri_config) {
        (Some(CriChoice::None), _) => return Ok(Some(Engine::Assumed)),
        (Some(choice), _) => kind(Some(choice)),
        (None, Some(path)) => Some(kind_of(path)),
        (None, None) => return Ok(None),
    };
    let Some(kind) = kind else { return Ok(None) };
    let Some(path) = &input.container_runtime.cri_config else {
        return match places::find(host, Some(kind)) {
            Some(found) => read_engine(input, host, kind, found.path).map(Some),
            None => Err(nothing_found(input)),
        };
    };
    if places::is_template(&path.display().to_string()) {
        return Err(SetupError::Usage(format!(
            "{}: this is a template, which containerd does not read; name the file that is made of it",
            path.display()
        )));
    }
    let on_node = input.collection.is_some() && host.finds(&path.to_string_lossy());
    if let (false, Err(error)) = (on_node, std::fs::metadata(path)) {
        return Err(SetupError::Unreadable { path: path.display().to_string(), reason: plain(&error) });
    }
    let (reader, shown) = inside_root(input, host, path)?;
    let mut engine = read_engine(input, &reader, kind, &shown)?;
    if let Engine::Containerd(containerd) = &mut engine {
        containerd.find_shims(host);
    }
    Ok(Some(engine))
}

/// Whose file that is, by its name.
fn kind_of(path: &Path) -> Kind {
    let crio = path.components().any(|c| c.as_os_str().to_string_lossy().starts_with("crio"));
    if crio { Kind::Crio } else { Kind::Containerd }
}

fn read_engine(input: &Input, host: &Host, kind: Kind, path: &str) -> Result<Engine, SetupError> {
    let handler = input.handler.clone();
    match kind {
        Kind::Containerd => {
            let release = match &input.container_runtime.containerd {
                None => Release::NEWEST,
                Some(text) => Release::parse(text).ok_or_else(|| {
                    SetupError::Usage(format!(
                        "--containerd: '{text}' is no version; write one such as 1.7.34 or 2.3"
                    ))
                })?,
            };
            Ok(Engine::Containerd(Box::new(Containerd::read(host, path, release, handler))))
        }
        Kind::Crio => {
            let crio = match &input.container_runtime.crio {
                None => Crio::read(host, path, handler),
                Some(text) => {
                    let release = crio::Release::parse(text).ok_or_else(|| {
                        SetupError::Usage(format!(
                            "--crio: '{text}' is no version; write one such as 1.33.13 or 1.36"
                        ))
                    })?;
                    Crio::read_as(host, path, release, handler)
                }
            };
            Ok(Engine::Crio(Box::new(crio)))
        }
    }
}
