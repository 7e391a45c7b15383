//! From a runtime handler to its shim, its runtime and release, and Kata's configuration file, with what
//! lost and why.
//!
//! Decides which runtime serves a handler and which file it reads, as far as files can tell.
//! Facts: createshim and loadRuntimeConfig of both runtimes at 3.2.0, 3.32.0 and 4.1.0; kata-deploy's layout.

use super::release;
use crate::cri::Entry;
use crate::cri::shim::Shim;
use crate::input::Place;
use crate::input::config::Layers;
use crate::input::host::Host;
use crate::input::search;
use crate::release::{Judged, KnownBy, Release, Runtime, Version};

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

/// A runtime handler of a node.
#[derive(Debug, Clone)]
pub struct Handler {
    /// Its name; that of a shim alone, for `ctr` and `nerdctl`, in brackets.
    pub name: String,
    /// Whether it serves pods that ask for none.
    pub default: bool,
    /// Where its table stands; `None` for a built-in one.
    pub place: Option<Place>,
    /// Whether its shim is Kata's.
    pub kata: bool,
    /// The shim's binary.
    pub shim: Shim,
    /// The runtime at its version; `None` where it is not Kata's, or its shim is not there.
    pub release: Option<Release>,
    /// What tells the runtime.
    pub evidence: String,
    /// What tells the version.
    pub known_by: KnownBy,
    /// The files considered, in the runtime's order.
    pub candidates: Vec<Candidate>,
    /// The drop-ins beside the chosen one, in reading order.
    pub drop_ins: Vec<String>,
    /// What mounts the root file systems of its containers, where the table says so.
    pub snapshotter: Option<String>,
    /// What an administrator should know.
    pub notes: Vec<String>,
    /// What to do where its pods do not start: its shim lies elsewhere, or its file is another runtime's.
    pub advice: Option<String>,
}

impl Handler {
    /// The file that is read.
    pub fn config(&self) -> Option<&str> {
        self.candidates.iter().find(|c| c.chosen).map(|c| c.path.as_str())
    }

    /// The file that the runtime complains about where none is read: the first that it looks for.
    fn asked(&self) -> &str {
        self.config().or_else(|| self.candidates.first().map(|c| c.path.as_str())).unwrap_or_default()
    }

    /// The texts of its configuration.
    pub fn layers(&self, host: &Host) -> Layers {
        Layers::read(host, self.asked())
    }

    /// Why no pod of it can start, as far as its files tell without being loaded.
    pub fn error(&self, host: &Host) -> Option<String> {
        if !self.kata {
            return None;
        }
        if let Some(missing) = &self.shim.missing {
            return Some(missing.clone());
        }
        match self.config() {
            None => Some("no configuration file is found: every pod of this handler fails".into()),
            Some(path) if !host.exists(path) => {
                Some(format!("{path} does not exist: every pod of this handler fails"))
            }
            Some(_) => None,
        }
    }

    /// Whether `path` is the file that the handler's shim reads, or a drop-in beside it.
    pub fn reads(&self, path: &str, host: &Host) -> bool {
        let Some(config) = self.config() else { return false };
        let real =
            |path: &str| host.canonicalize(path).map_or_else(|_| path.to_owned(), |real| real.to_string());
        let path = real(path);
        real(config) == path || self.drop_ins.iter().any(|drop_in| real(drop_in) == path)
    }
}

/// What the user said of every handler, and what the shims' environment says.
#[derive(Debug, Clone, Default)]
pub struct Said<'a> {
    /// `--runtime`.
    pub runtime: Option<Runtime>,
    /// `--kata-version`, of the Go runtime and of runtime-rs; `None` where it is not said, or never was.
    pub versions: [Option<Judged>; 2],
    /// `KATA_CONF_FILE` of the shims.
    pub environment: Option<&'a str>,
}

impl Said<'_> {
    /// The release that was asked for, of this runtime.
    fn of(&self, runtime: Runtime) -> Option<&Judged> {
        let [go, rs] = &self.versions;
        match runtime {
            Runtime::Go => go.as_ref(),
            Runtime::Rs => rs.as_ref(),
        }
    }
}

/// The handler behind an entry of the container runtime.
pub fn of_entry(entry: &Entry<'_>, host: &Host, said: &Said<'_>) -> Handler {
    let mut handler = Handler {
        name: entry.name.to_owned(),
        default: entry.default,
        place: entry.place.cloned(),
        kata: is_kata(entry),
        shim: entry.shim.clone(),
        release: None,
        evidence: String::new(),
        known_by: KnownBy::Assumed,
        candidates: Vec::new(),
        drop_ins: Vec::new(),
        snapshotter: entry.snapshotter.map(str::to_owned),
        notes: Vec::new(),
        advice: None,
    };
    if handler.kata {
        handler.notes.extend(entry.notes.iter().cloned());
        resolve(&mut handler, entry.config.as_ref().map(|(path, _)| *path), host, said);
    }
    handler
}

/// What a shim on PATH would be started with by a client that reads no handler's table.
pub fn of_shim(runtime_type: &str, path: &str, host: &Host, said: &Said<'_>) -> Handler {
    let mut handler = Handler {
        name: format!("({runtime_type})"),
        default: false,
        place: None,
        kata: true,
        shim: Shim::at(path, host),
        release: None,
        evidence: String::new(),
        known_by: KnownBy::Assumed,
        candidates: Vec::new(),
        drop_ins: Vec::new(),
        snapshotter: None,
        notes: vec![format!("no CRI handler: what ctr and nerdctl start with --runtime {runtime_type}")],
        advice: None,
    };
    resolve(&mut handler, None, host, said);
    handler
}

fn is_kata(entry: &Entry<'_>) -> bool {
    let named = |text: &str| text.contains("kata");
    let binary = entry.shim.named.rsplit('/').next().unwrap_or_default();
    named(entry.runtime_type) || named(binary) || (named(&entry.shim.named) && binary.contains("shim"))
}

/// A wrapper script around the shim: what it sets, and what it starts.
#[derive(Debug, Default)]
struct Wrapper {
    conf_file: Option<String>,
    program: Option<String>,
}

/// kata-deploy's shims up to 2.5 are such scripts, and so are many made by hand.
fn wrapper(path: &str, host: &Host) -> Option<Wrapper> {
    const LARGEST: u64 = 64 << 10;
    if host.stat(path).ok()?.size > LARGEST {
        return None;
    }
    let text = String::from_utf8(host.read(path).ok()?).ok()?;
    if !text.starts_with("#!") {
        return None;
    }
    let mut found = Wrapper::default();
    for word in text.lines().filter(|line| !line.starts_with('#')).flat_map(str::split_whitespace) {
        let bare = word.trim_matches(['"', '\'', ';']);
        if let Some((_, value)) = bare.split_once("KATA_CONF_FILE=") {
            found.conf_file = Some(value.trim_matches(['"', '\'']).to_owned());
        } else if bare.starts_with('/') && bare.contains("containerd-shim-kata") {
            found.program = Some(bare.to_owned());
        }
    }
    Some(found)
}

/// Runtime, release and file of a Kata handler whose shim is there.
fn resolve(handler: &mut Handler, config: Option<&str>, host: &Host, said: &Said<'_>) {
    let mut environment = said.environment.map(str::to_owned);
    let mut program = handler.shim.found.clone();
    if let Some(found) = program.as_deref().and_then(|path| wrapper(path, host)) {
        environment = found.conf_file.or(environment);
        handler.notes.push(format!("{} is a script around the shim", handler.shim.named));
        program = found.program.or(program);
    }
    let real = program.map(|path| host.canonicalize(&path).map_or(path, |real| real.to_string()));
    let (runtime, evidence) = match (said.runtime, &real) {
        (Some(runtime), _) => (runtime, "--runtime says so".to_owned()),
        (None, Some(real)) => runtime_of(real, config, host),
        (None, None) => {
            handler.evidence = format!("{} is not there", handler.shim.named);
            // Which file would be read is worth knowing all the same, where the table says it.
            handler.candidates.extend(config.map(|path| Candidate {
                path: path.to_owned(),
                source: Source::Handler,
                chosen: false,
                why: "named by the handler's options, and read by nobody: there is no shim".into(),
            }));
            near_miss(handler, host);
            return;
        }
    };
    handler.evidence = evidence;
    let install = release::of_installation(real.as_deref(), runtime, host);
    // The version has a say in where the runtime looks, and where it looks in what the version is.
    let said = said.of(runtime);
    let guess = said.map(|judged| judged.release.version).or(install.map(|(version, _)| version));
    let guess = guess.unwrap_or(Version::NEWEST);
    choose(handler, Release::new(runtime, guess), config, environment.as_deref(), host);
    let layers = handler.layers(host);
    handler.drop_ins = layers.drop_ins.iter().flatten().map(|drop_in| drop_in.path.to_string()).collect();
    let (version, known_by) = match (said, install) {
        (Some(judged), _) => (judged.release.version, KnownBy::Said),
        (None, Some(found)) => found,
        (None, None) => release::of_look(runtime, &layers),
    };
    handler.release = Some(Release::new(runtime, version));
    handler.known_by = known_by;
    remarks(handler, config, host);
}

/// What tells the two runtimes apart: where the shim really lies, else what is in the file.
fn runtime_of(real: &str, config: Option<&str>, host: &Host) -> (Runtime, String) {
    if real.contains("/runtime-rs/") {
        return (Runtime::Rs, format!("the shim lies in {real}"));
    }
    if real.starts_with("/opt/kata") && real.contains("/bin/") {
        return (Runtime::Go, format!("kata-deploy puts the Go shim at {real}"));
    }
    let of_file = |path: &str| {
        let layers = Layers::read(host, path);
        layers.base.is_ok().then(|| (search::looks_like(&layers), format!("{path} is written for it")))
    };
    if let Some(found) = config.and_then(of_file) {
        return found;
    }
    let first = |runtime| {
        let paths = search::default_paths(Release::newest(runtime));
        paths.iter().find(|path| host.finds(path))
    };
    match (first(Runtime::Go), first(Runtime::Rs)) {
        (None, Some(path)) => (Runtime::Rs, format!("{real} does not tell; only {path} is there")),
        (Some(path), None) => (Runtime::Go, format!("{real} does not tell; only {path} is there")),
        _ => (Runtime::Go, format!("{real} does not tell; packages bring the Go shim, which is assumed")),
    }
}

/// Since this version the variable may only name one of the files that the runtime looks for by itself.
const ONLY_DEFAULT_FILES: Version = Version::new(4, 0, 0);

fn choose(
    handler: &mut Handler,
    release: Release,
    config: Option<&str>,
    environment: Option<&str>,
    host: &Host,
) {
    let defaults = search::default_paths(release);
    let of_handler = config.map(|path| (path, Source::Handler));
    let of_environment = environment.map(|path| (path, Source::Environment));
    // The two runtimes give the variable opposite precedence.
    let named = match release.runtime {
        Runtime::Rs => [of_environment, of_handler],
        Runtime::Go => [of_handler, of_environment],
    };
    let mut decided = false;
    for (path, source) in named.into_iter().flatten() {
        let refused = source == Source::Environment
            && release.version >= ONLY_DEFAULT_FILES
            && !is_default(host, path, defaults);
        let why = if decided {
            "a source that goes first names another file".to_owned()
        } else if refused {
            handler
                .notes
                .push(format!("KATA_CONF_FILE={path} is refused: every pod fails, whatever else is there"));
            "refused: since 4.0.0 the variable may only name one of the default files; name it as ConfigPath in \
             the handler's options, or link configuration.toml to it"
                .to_owned()
        } else if host.exists(path) {
            format!("named by {}", source.as_str())
        } else {
            "does not exist: every pod fails, there is no fallback".to_owned()
        };
        handler.candidates.push(Candidate {
            path: path.to_owned(),
            source,
            chosen: !decided && !refused,
            why,
        });
        decided = true;
    }
    for path in defaults {
        let exists = host.finds(path);
        handler.candidates.push(Candidate {
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
}

fn is_default(host: &Host, path: &str, defaults: &[&str]) -> bool {
    let Ok(real) = host.canonicalize(path) else { return false };
    defaults.iter().any(|default| host.canonicalize(default).is_ok_and(|d| d == real))
}

/// What is worth knowing about a handler's file.
fn remarks(handler: &mut Handler, config: Option<&str>, host: &Host) {
    let Some(release) = handler.release else { return };
    if let Some(path) = config {
        let defaults = search::default_paths(release);
        let other = defaults.iter().find(|default| host.finds(default));
        let theirs = other.map_or_else(|| "find no file".to_owned(), |other| format!("use {other}"));
        if other.is_none_or(|other| *other != path) {
            handler
                .notes
                .push(format!("ctr, nerdctl and docker do not read the handler's table: they {theirs}"));
        }
    }
    let Some(path) = handler.config().map(str::to_owned) else {
        if handler.notes.is_empty() {
            handler.notes.push("no configuration file: every pod of this handler fails".into());
        }
        return;
    };
    if let Ok(real) = host.canonicalize(&path) {
        if *real != *path {
            handler
                .notes
                .push(format!("{path} is a link to {real}; drop-ins are looked for beside that file"));
        }
        if search::is_rewritten(&real) {
            handler.notes.push(format!("{real} is rewritten by kata-deploy: put changes into a drop-in"));
        }
        let layers = Layers::read(host, &path);
        let look = search::looks_like(&layers);
        if layers.base.is_ok() && look != release.runtime {
            handler.advice = Some(format!(
                "{path} looks like a file of {}, and {} reads it: the shim decides; name a file of its own, or the \
                 other shim",
                the(look),
                the(release.runtime)
            ));
        }
    }
}

fn the(runtime: Runtime) -> &'static str {
    match runtime {
        Runtime::Go => "the Go runtime",
        Runtime::Rs => "runtime-rs",
    }
}

/// The shim that lies where kata-deploy puts it, for a table that names another place.
fn near_miss(handler: &mut Handler, host: &Host) {
    const USUAL: [&str; 4] = [
        "/opt/kata/bin/containerd-shim-kata-v2",
        "/opt/kata/runtime-rs/bin/containerd-shim-kata-v2",
        "/usr/local/bin/containerd-shim-kata-v2",
        "/usr/bin/containerd-shim-kata-v2",
    ];
    let there: Vec<&str> = USUAL.into_iter().filter(|path| host.finds(path)).collect();
    handler.advice = Some(match there.as_slice() {
        [] => format!("{} is not installed on this host", handler.shim.named),
        there => {
            format!(
                "{} is not installed on this host; a shim lies at {}",
                handler.shim.named,
                there.join(", ")
            )
        }
    });
}
