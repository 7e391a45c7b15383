//! `katascope live`: the VMs that run on a node, from `/proc`, each with its pod, handler and release.
//!
//! Reads processes, bundles and configuration files; starts, stops and asks nothing. Facts: proc(5); the bundles of
//! containerd 1.7 to 2.2 and CRI-O.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use clap::Args;
use serde_json::{Value as Json, json};

use super::args::{Input, Output, PolicyInput};
use super::beside::{self, Given};
use super::setup::SetupError;
use super::{CliError, Exit, open};
use crate::node::Handler;
use crate::report::escape::visible;
use crate::report::{json as reports, running as told};
use crate::running::paste::{Command, Record};
use crate::running::{self, Missing, Program, Running, Vm};

/// `live`.
#[derive(Debug, Args)]
pub struct LiveArgs {
    /// The sandbox to compare with its prediction, or the beginning of its id [default: list all]
    #[arg(value_name = "SANDBOX")]
    pub sandbox: Option<String>,
    /// Its pod, where the node has no bundle of it: a manifest
    #[arg(long, value_name = "FILE")]
    pub manifest: Vec<PathBuf>,
    /// Of these, the one of this name
    #[arg(long, value_name = "NAMESPACE/NAME")]
    pub pod: Option<String>,
    /// The runtime handler that served it
    #[arg(long, value_name = "NAME")]
    pub handler: Option<String>,
    /// Host facts, as for check
    #[arg(long, value_name = "FILE")]
    pub host: Option<PathBuf>,
    /// Whether to look for the files that are named, or to take them for granted, as for check
    #[arg(long, value_enum, value_name = "HOW")]
    pub files: Option<super::nodes::FilesChoice>,
    /// The configuration.
    #[command(flatten)]
    pub input: PolicyInput,
    /// How to print.
    #[command(flatten)]
    pub output: Output,
}

impl LiveArgs {
    /// The same, as every other command says it.
    pub fn input(&self) -> Input {
        Input {
            manifests: self.manifest.clone(),
            pod: self.pod.clone(),
            handler: self.handler.clone(),
            host: self.host.clone(),
            files: self.files,
            ..self.input.input()
        }
    }
}

/// The most of a command line that is read.
const LINE_LIMIT: u64 = 1 << 20;
/// The most of a bundle's specification.
const SPEC_LIMIT: u64 = 8 << 20;
/// Linux counts the start of a process in these.
const TICKS: u64 = 100;

/// Where container runtimes keep the specification of a sandbox.
const BUNDLES: [&str; 4] = [
    "run/containerd/io.containerd.runtime.v2.task/k8s.io/{}/config.json",
    "run/k3s/containerd/io.containerd.runtime.v2.task/k8s.io/{}/config.json",
    "run/containerd/io.containerd.runtime.v2.task/default/{}/config.json",
    "run/containers/storage/overlay-containers/{}/userdata/config.json",
];

/// A VM and what the node knows of it.
struct Live<'r> {
    vm: &'r Vm,
    pid: Option<u64>,
    started: Option<SystemTime>,
    bundle: Option<PathBuf>,
    pod: Option<String>,
    handler: Option<String>,
    release: Option<String>,
    config: Vec<String>,
}

pub(super) fn run(args: &LiveArgs) -> Result<Exit, CliError> {
    let root = args.input.root.clone().unwrap_or_else(|| PathBuf::from("/"));
    let running = scan(&root)?;
    let input = args.input();
    let opened = open::open(&input).ok();
    let handlers: Vec<&Handler> = opened.iter().flat_map(|opened| opened.node.node().kata()).collect();
    let vms: Vec<Live<'_>> = running
        .vms
        .iter()
        .filter(|vm| vm.sandbox.is_some() && vm.vmm.is_some())
        .map(|vm| live(vm, &running, &root, &handlers))
        .collect();
    if let Some(sandbox) = &args.sandbox {
        return compare(args, &running, &vms, sandbox, &root);
    }
    let mut out = BufWriter::new(io::stdout().lock());
    if args.output.is_json() {
        let all: Vec<Json> = vms.iter().map(as_json).collect();
        reports::print(&mut out, &json!({ "schema": reports::SCHEMA, "vms": all }))?;
    } else {
        list(&mut out, &vms)?;
    }
    out.flush()?;
    Ok(Exit::Clean)
}

fn bytes(path: &Path, limit: u64) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(limit).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// The processes below a root that are programs of a sandbox.
fn scan(root: &Path) -> Result<Running, CliError> {
    let proc = root.join("proc");
    let entries = std::fs::read_dir(&proc).map_err(|e| SetupError::Unreadable {
        path: proc.display().to_string(),
        reason: super::setup::plain(&e),
    })?;
    let mut pids: Vec<u64> =
        entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    pids.sort_unstable();
    let records = pids.into_iter().enumerate().filter_map(|(at, pid)| {
        let folder = proc.join(pid.to_string());
        let line = bytes(&folder.join("cmdline"), LINE_LIMIT)?;
        let text = String::from_utf8_lossy(&line);
        let argv: Vec<String> = text.trim_end_matches('\0').split('\0').map(str::to_owned).collect();
        Program::of_path(argv.first()?)?;
        let parent = stat(&folder, 1).filter(|parent| *parent > 0);
        let command = Command::Exact(argv);
        Some(Record { line: at + 1, pid: Some(pid), parent, command, missing: Missing::default() })
    });
    Ok(running::of(records.collect()))
}

/// A field of `/proc/PID/stat` behind the name, which may have anything in it.
fn stat(folder: &Path, field: usize) -> Option<u64> {
    let text = bytes(&folder.join("stat"), 4096)?;
    let text = String::from_utf8_lossy(&text).into_owned();
    let (_, rest) = text.rsplit_once(')')?;
    rest.split_whitespace().nth(field)?.parse().ok()
}

fn started(root: &Path, pid: u64) -> Option<SystemTime> {
    let ticks = stat(&root.join("proc").join(pid.to_string()), 19)?;
    let all = bytes(&root.join("proc/stat"), LINE_LIMIT)?;
    let text = String::from_utf8_lossy(&all).into_owned();
    let boot: u64 = text.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(boot.checked_add(ticks / TICKS)?))
}

fn live<'r>(vm: &'r Vm, running: &Running, root: &Path, handlers: &[&Handler]) -> Live<'r> {
    let pid = running.of(vm).find(|process| process.program.is_vmm()).and_then(|process| process.pid);
    let id = vm.sandbox.as_deref().unwrap_or_default();
    let safe = !id.is_empty() && !id.contains(['/', '\\']) && id != ".." && id != ".";
    let bundle = BUNDLES
        .iter()
        .filter(|_| safe)
        .map(|place| root.join(place.replace("{}", id)))
        .find(|path| path.is_file());
    let spec: Option<Json> = bundle
        .as_ref()
        .and_then(|path| bytes(path, SPEC_LIMIT))
        .and_then(|text| serde_json::from_slice(&text).ok());
    let annotation = |key: &str| Some(spec.as_ref()?.get("annotations")?.get(key)?.as_str()?.to_owned());
    let name =
        annotation("io.kubernetes.cri.sandbox-name").or_else(|| annotation("io.kubernetes.cri-o.KubeName"));
    let namespace = annotation("io.kubernetes.cri.sandbox-namespace")
        .or_else(|| annotation("io.kubernetes.cri-o.Namespace"));
    let pod = name.map(|name| format!("{}/{name}", namespace.unwrap_or_else(|| "default".to_owned())));
    let shim = bundle
        .as_ref()
        .and_then(|path| bytes(&path.parent()?.join("shim-binary-path"), 4096))
        .map(|text| String::from_utf8_lossy(&text).trim().to_owned());
    let own = |handler: &&&Handler| {
        handler
            .release
            .is_some_and(|release| vm.narrowed.runtime.is_none_or(|runtime| runtime == release.runtime))
            && shim.as_ref().is_none_or(|shim| handler.shim.found.as_deref() == Some(shim.as_str()))
    };
    let said = annotation("io.kubernetes.cri-o.RuntimeHandler").filter(|name| !name.is_empty());
    let fitting: Vec<&&Handler> = match &said {
        Some(name) => handlers.iter().filter(|handler| handler.name == *name).collect(),
        None => handlers.iter().filter(own).collect(),
    };
    let handler = match fitting.as_slice() {
        [one] => Some(**one),
        _ => None,
    };
    Live {
        vm,
        pid,
        started: pid.and_then(|pid| started(root, pid)),
        bundle,
        pod,
        handler: handler.map(|handler| handler.name.clone()).or(said),
        release: handler.and_then(|handler| handler.release).map(|release| release.title()),
        config: handler
            .map(|handler| {
                handler.config().map(str::to_owned).into_iter().chain(handler.drop_ins.clone()).collect()
            })
            .unwrap_or_default(),
    }
}

fn list(out: &mut dyn Write, vms: &[Live<'_>]) -> io::Result<()> {
    if vms.is_empty() {
        return writeln!(out, "no VM of Kata runs here");
    }
    for live in vms {
        let vmm = live.vm.vmm.map_or("", Program::title);
        let pid = live.pid.map(|pid| format!("process {pid}")).unwrap_or_default();
        writeln!(out, "{}  {vmm}  {pid}", visible(live.vm.sandbox.as_deref().unwrap_or_default()))?;
        let unknown = "unknown: no bundle of the sandbox can be read";
        writeln!(out, "  pod      {}", visible(live.pod.as_deref().unwrap_or(unknown)))?;
        let handler = live.handler.as_deref().unwrap_or("unknown: several could be, or none is configured");
        writeln!(out, "  handler  {}", visible(handler))?;
        if let Some(release) = &live.release {
            writeln!(out, "  release  {release} as installed")?;
        }
        writeln!(out, "  line     {}", told::release(live.vm))?;
    }
    Ok(())
}

fn as_json(live: &Live<'_>) -> Json {
    json!({
        "sandbox": live.vm.sandbox,
        "vmm": live.vm.vmm.map(Program::as_str),
        "pid": live.pid,
        "started": live.started.and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok()).map(|at| at.as_secs()),
        "pod": live.pod,
        "handler": live.handler,
        "release": live.release,
        "line_is_of": told::release(live.vm),
        "runtime": live.vm.narrowed.runtime.map(crate::release::Runtime::as_str),
        "config": live.config,
    })
}

/// One VM beside its prediction.
fn compare(
    args: &LiveArgs,
    running: &Running,
    vms: &[Live<'_>],
    sandbox: &str,
    root: &Path,
) -> Result<Exit, CliError> {
    let vm = beside::one(running, Some(sandbox))?;
    let live = vms.iter().find(|live| live.vm == vm);
    let mut input = args.input();
    if input.manifests.is_empty() {
        match live.and_then(|live| live.bundle.clone()) {
            Some(bundle) => input.manifests.push(bundle),
            None => {
                return Err(SetupError::Usage(
                    "no bundle of this sandbox can be read: name its pod with --manifest".into(),
                )
                .into());
            }
        }
    }
    if input.handler.is_none() && input.config.is_none() {
        input.handler = live.and_then(|live| live.handler.clone());
    }
    let notes = live.map(|live| changed(live, root)).unwrap_or_default();
    let only = Running { processes: running.processes.clone(), vms: vec![vm.clone()] };
    beside::run(&input, &Given::Lines(only), None, &notes, &args.output)
}

/// The configuration files that changed after the VM was started.
fn changed(live: &Live<'_>, root: &Path) -> Vec<String> {
    let Some(started) = live.started else { return Vec::new() };
    let inside = |path: &str| root.join(path.trim_start_matches('/'));
    let later = |path: &&String| {
        std::fs::metadata(inside(path)).and_then(|meta| meta.modified()).is_ok_and(|time| time > started)
    };
    live.config
        .iter()
        .filter(later)
        .map(|path| {
            format!("{path} was changed after this VM had started: the VM still has what stood there before")
        })
        .collect()
}
