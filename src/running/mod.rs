//! What a process line of a running VM says: which program it is, what each argument is and what set it, which
//! sandbox, runtime and releases it tells.
//!
//! Decides from the text alone; looks at no machine and judges no pod. What is cut, left out or hidden in a text is
//! unknown, never absent. Facts: `catalog::lines`, whose data names its sources.

pub mod argument;
pub mod paste;
pub mod program;
pub mod record;
pub mod releases;
mod settings;
pub mod split;
mod story;

pub use argument::{Argument, Part};
pub use program::Program;
pub use settings::{Setting, State};

use crate::release::Runtime;
use record::Record;
use releases::Narrowed;

/// One process of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// The line of the text it begins at, from 1.
    pub line: usize,
    /// Its id, where the text has one.
    pub pid: Option<u64>,
    /// Its parent's.
    pub parent: Option<u64>,
    /// Which program.
    pub program: Program,
    /// Its path as the text has it; none where the text is a piece of a line.
    pub path: Option<String>,
    /// Its arguments, named.
    pub arguments: Vec<Argument>,
    /// The sandbox it belongs to.
    pub sandbox: Option<String>,
    /// What is known to be missing from the text.
    pub missing: Missing,
    /// What it is, where it is no program of Kata.
    pub remark: Option<String>,
}

/// What a text leaves out of a process line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Missing {
    /// The beginning.
    pub front: bool,
    /// The end.
    pub end: bool,
    /// Something between: arguments were picked out, or replaced by dots.
    pub middle: bool,
}

impl Missing {
    /// Whether anything is.
    pub fn any(self) -> bool {
        self.front || self.end || self.middle
    }
}

/// One VM: the processes of a sandbox, and what they tell together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vm {
    /// Its sandbox.
    pub sandbox: Option<String>,
    /// Its processes, as indices into those of the text.
    pub processes: Vec<usize>,
    /// Its VMM.
    pub vmm: Option<Program>,
    /// The runtime and the tags that print such lines.
    pub narrowed: Narrowed,
    /// What the guest kernel's name tells of the release, likewise.
    pub kernel: Option<Vec<(usize, usize)>>,
    /// What was configured.
    pub settings: Vec<Setting>,
    /// What else there is to say.
    pub notes: Vec<String>,
}

/// A text with process lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    /// Every process, in the order of the text.
    pub processes: Vec<Process>,
    /// The VMs.
    pub vms: Vec<Vm>,
}

/// Reads a text: what `ps`, `pgrep -a` or `pmap` print, `/proc/PID/cmdline`, a runtime's log, or lines that somebody
/// wrapped or picked out of them.
pub fn read(text: &str) -> Running {
    of(paste::records(text))
}

/// The same of commands that were found elsewhere.
pub fn of(records: Vec<Record>) -> Running {
    story::tell(records.into_iter().filter_map(process).collect())
}

fn process(record: Record) -> Option<Process> {
    let found = split::split(&record)?;
    let arguments = argument::name(found.program, &found.arguments);
    let mut process = Process {
        line: record.line,
        pid: record.pid,
        parent: record.parent,
        program: found.program,
        path: found.path,
        sandbox: program::sandbox(found.program, &arguments),
        arguments,
        missing: record.missing,
        remark: None,
    };
    // What is absent from a line that somebody picked arguments out of tells nothing.
    process.missing.middle |= process.program == Program::Qemu && story::is_excerpt(&process);
    story::cut(&mut process);
    story::remark(&mut process);
    Some(process)
}

impl Running {
    /// The processes of a VM.
    pub fn of<'r>(&'r self, vm: &'r Vm) -> impl Iterator<Item = &'r Process> {
        vm.processes.iter().filter_map(|at| self.processes.get(*at))
    }
}

/// The runtimes that there are.
pub(crate) const RUNTIMES: [Runtime; 2] = [Runtime::Go, Runtime::Rs];
