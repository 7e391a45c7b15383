//! What runs on this machine: the VMs, from `/proc`, each with what the node knows of it.
//!
//! Reads processes and bundles below a root; starts, stops and asks nothing. Facts: proc(5); the bundles of containerd
//! 1.7 to 2.2 and CRI-O.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde_json::Value as Json;

use super::CliError;
use super::args::Input;
use super::error::{SetupError, plain};
use super::served_by::{self, Written};
use super::{beside, open};
use crate::evaluate::node::NodeEvaluator;
use crate::input::host::Assumption;
use crate::input::manifest::Pod;
use crate::release::{Release, Runtime};
use crate::report::beside::{Beside, Runs};
use crate::report::running as told;
use crate::running::record::{Command, Record};
use crate::running::{self, Missing, Program, Running, Vm};
use crate::tui::model::live::Seen;

/// The most of a command line that is read.
const LINE_LIMIT: u64 = 1 << 20;
/// The most of a bundle's specification.
const SPEC_LIMIT: u64 = 8 << 20;
/// Linux counts the start of a process in these.
const TICKS: u64 = 100;

/// Where container runtimes keep the specification of a sandbox.
const BUNDLES: [&str; 8] = [
    "run/containerd/io.containerd.runtime.v2.task/k8s.io/{}/config.json",
    "run/k3s/containerd/io.containerd.runtime.v2.task/k8s.io/{}/config.json",
    "run/k0s/containerd/io.containerd.runtime.v2.task/k8s.io/{}/config.json",
    "var/snap/microk8s/common/run/containerd/io.containerd.runtime.v2.task/k8s.io/{}/config.json",
    "run/containerd/io.containerd.runtime.v2.task/default/{}/config.json",
    "run/containerd/io.containerd.runtime.v2.task/moby/{}/config.json",
    "run/docker/containerd/daemon/io.containerd.runtime.v2.task/moby/{}/config.json",
    "run/containers/storage/overlay-containers/{}/userdata/config.json",
];

/// Where the runtimes keep what they know of a sandbox.
const STATES: [&str; 2] = ["run/vc/sbs/{}/persist.json", "run/kata/{}/state.json"];

/// A VM and what the node knows of it.
pub(super) struct Live {
    pub vm: Vm,
    pub pid: Option<u64>,
    pub started: Option<SystemTime>,
    pub bundle: Option<PathBuf>,
    pub pod: Option<String>,
    pub handler: Option<String>,
    /// Those that may have served it, where several may.
    pub candidates: Vec<String>,
    pub release: Option<Release>,
    pub config: Vec<String>,
}

impl Live {
    /// Its program, for people.
    pub fn vmm(&self) -> &'static str {
        self.vm.vmm.map_or("Dragonball, in its shim", Program::title)
    }

    /// The same for the screen.
    pub fn seen(&self) -> Seen {
        Seen {
            sandbox: self.vm.sandbox.clone(),
            vmm: self.vmm(),
            pid: self.pid,
            started: self.started.and_then(|at| at.elapsed().ok()).map(ago),
            pod: self.pod.clone(),
            handler: self.handler.clone(),
            release: self.release,
            told: told::release(&self.vm),
            beside: None,
        }
    }
}

/// A time since then, in its two largest units.
fn ago(time: Duration) -> String {
    let seconds = time.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s ago"),
        (0, 0, _) => format!("{minutes} min ago"),
        (0, _, _) => format!("{hours} h {minutes} min ago"),
        _ => format!("{days} d {hours} h ago"),
    }
}

/// The machine's VMs.
pub(super) struct Machine {
    root: PathBuf,
    running: Running,
    /// In the order of their processes.
    pub vms: Vec<Live>,
}

impl Machine {
    /// Looks at the processes below the root, and at the node that is described.
    pub fn look(input: &Input) -> Result<Self, CliError> {
        let root = input.root.clone().unwrap_or_else(|| PathBuf::from("/"));
        let running = scan(&root)?;
        let opened = open::open(input).ok();
        let node = opened.as_ref().map(|opened| &opened.node);
        // A shim of runtime-rs without a VMM is one itself.
        let runs = |vm: &&Vm| vm.vmm.is_some() || vm.narrowed.runtime == Some(Runtime::Rs);
        let vms = running.vms.iter().filter(|vm| vm.sandbox.is_some()).filter(runs);
        let vms = vms.map(|vm| live(vm, &running, &root, node)).collect();
        Ok(Self { root, running, vms })
    }

    /// One VM beside the prediction for its pod: of its bundle, where no manifest is named.
    pub fn beside(
        &self,
        input: &Input,
        sandbox: &str,
        otherwise: Option<&Pod>,
    ) -> Result<(Beside, Vec<Assumption>), CliError> {
        let named = |live: &&Live| live.vm.sandbox.as_deref().is_some_and(|own| own.starts_with(sandbox));
        if let Some(inside) = self.vms.iter().find(named).filter(|live| live.vm.vmm.is_none()) {
            return Err(SetupError::Usage(format!(
                "{}: {} has no process line to compare; katascope show launch has the prediction",
                inside.vm.sandbox.as_deref().unwrap_or_default(),
                inside.vmm()
            ))
            .into());
        }
        let vm = beside::one(&self.running, Some(sandbox))?;
        let live = self.vms.iter().find(|live| live.vm == *vm);
        let mut input = input.clone();
        let mut notes = live.map(|live| changed(live, &self.root)).unwrap_or_default();
        let mut pod = None;
        if input.manifests.is_empty() {
            match live.and_then(|live| live.bundle.clone()) {
                Some(bundle) => input.manifests.push(bundle),
                None if otherwise.is_some() => {
                    pod = otherwise.cloned();
                    notes.push("no bundle of this sandbox can be read: this is the pod in sight".to_owned());
                }
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
            let several = live.map(|live| live.candidates.as_slice()).unwrap_or_default();
            if !several.is_empty() {
                return Err(SetupError::Usage(format!(
                    "several handlers may have served this sandbox: {}; name the one with --handler",
                    several.join(", ")
                ))
                .into());
            }
        }
        let only = Running { processes: self.running.processes.clone(), vms: vec![vm.clone()] };
        let written = live.and_then(|live| written(live, &self.root));
        if written.is_some() {
            notes.push("what the runtime itself wrote of the sandbox stands behind the arguments".to_owned());
        }
        beside::held(&input, &Runs::Lines(only), None, pod, (written.as_ref(), notes))
    }
}

fn bytes(path: &Path, limit: u64) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(limit).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// The processes below a root that are programs of a sandbox.
fn scan(root: &Path) -> Result<Running, CliError> {
    let proc = root.join("proc");
    let entries = std::fs::read_dir(&proc)
        .map_err(|e| SetupError::Unreadable { path: proc.display().to_string(), reason: plain(&e) })?;
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

/// The specification of a sandbox, whose name may be the beginning of its id.
fn bundle(vm: &Vm, root: &Path) -> Option<PathBuf> {
    let id = vm.sandbox.as_deref().filter(|id| is_name(id))?;
    let whole = BUNDLES.iter().map(|place| root.join(place.replace("{}", id))).find(|path| path.is_file());
    if whole.is_some() || !matches!(vm.vmm, Some(Program::Firecracker | Program::Jailer)) {
        return whole;
    }
    BUNDLES.iter().find_map(|place| {
        let (folder, rest) = place.split_once("{}/")?;
        let named = |entry: &std::fs::DirEntry| entry.file_name().to_str().is_some_and(|n| n.starts_with(id));
        let mut entries = std::fs::read_dir(root.join(folder)).ok()?.flatten().filter(named);
        let found = entries.next()?.path().join(rest);
        (entries.next().is_none() && found.is_file()).then_some(found)
    })
}

fn live(vm: &Vm, running: &Running, root: &Path, node: Option<&NodeEvaluator>) -> Live {
    let pid = running.of(vm).find(|process| process.program.is_vmm()).and_then(|process| process.pid);
    let bundle = bundle(vm, root);
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
    let said = annotation("io.kubernetes.cri-o.RuntimeHandler").filter(|name| !name.is_empty());
    let written = Written { handler: said.clone(), shim };
    let found = node.map(|node| served_by::handlers(node, vm, running, &written)).unwrap_or_default();
    let handler = match found.as_slice() {
        [one] => Some(*one),
        _ => None,
    };
    let alike = found.iter().all(|other| found.first().is_some_and(|first| first.release == other.release));
    Live {
        vm: vm.clone(),
        pid,
        started: pid.and_then(|pid| started(root, pid)),
        bundle,
        pod,
        handler: handler.map(|handler| handler.name.clone()).or(said),
        candidates: match handler {
            None => found.iter().map(|handler| handler.name.clone()).collect(),
            Some(_) => Vec::new(),
        },
        release: found.first().filter(|_| alike).and_then(|handler| handler.release),
        config: handler
            .map(|handler| {
                handler.config().map(str::to_owned).into_iter().chain(handler.drop_ins.clone()).collect()
            })
            .unwrap_or_default(),
    }
}

/// What the runtime wrote of the sandbox.
fn written(live: &Live, root: &Path) -> Option<Json> {
    let id = live.vm.sandbox.as_deref().filter(|id| is_name(id))?;
    let text = STATES.iter().find_map(|place| bytes(&root.join(place.replace("{}", id)), SPEC_LIMIT))?;
    serde_json::from_slice(&text).ok()
}

/// Whether an id can be a folder's name.
fn is_name(id: &str) -> bool {
    !id.is_empty() && !id.contains(['/', '\\']) && id != ".." && id != "."
}

/// The configuration files that changed after the VM was started.
fn changed(live: &Live, root: &Path) -> Vec<String> {
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
