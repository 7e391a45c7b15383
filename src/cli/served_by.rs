//! Which handler of a node a running VM was started for.
//!
//! Decides by what the container runtime wrote of the sandbox, else by what the VM's line has of a handler's
//! configuration: the hypervisor, its program, the guest's kernel and root. No file of containerd that can be read
//! without it names the handler.

use crate::evaluate::Evaluator;
use crate::evaluate::node::NodeEvaluator;
use crate::input::search;
use crate::node::Handler;
use crate::running::{Process, Running, Vm};

/// What the container runtime wrote.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// The handler, which CRI-O writes into the sandbox's annotations.
    pub handler: Option<String>,
    /// The shim, which containerd keeps beside the bundle.
    pub shim: Option<String>,
}

/// The handlers that may have served a VM: one, where enough tells it.
pub(super) fn handlers<'n>(
    node: &'n NodeEvaluator,
    vm: &Vm,
    running: &Running,
    written: &Written,
) -> Vec<&'n Handler> {
    let kata = || node.node().kata();
    if let Some(name) = &written.handler {
        return kata().filter(|handler| handler.name == *name).collect();
    }
    let runtime = vm.narrowed.runtime;
    let mut found: Vec<&Handler> = kata()
        .filter(|handler| {
            handler.release.is_some_and(|release| runtime.is_none_or(|own| own == release.runtime))
                && written.shim.as_ref().is_none_or(|shim| handler.shim.found.as_deref() == Some(shim))
        })
        .collect();
    let vmm = running.of(vm).find(|process| process.program.is_vmm());
    let tells: [&dyn Fn(&Evaluator) -> bool; 4] = [
        &|evaluator| has_hypervisor(evaluator, vm),
        &|evaluator| vmm.is_some_and(|vmm| value(evaluator, "path").as_deref() == vmm.path.as_deref()),
        &|evaluator| vmm.is_some_and(|vmm| is_on_line(evaluator, "kernel", vmm)),
        &|evaluator| {
            vmm.is_some_and(|vmm| is_on_line(evaluator, "image", vmm) || is_on_line(evaluator, "initrd", vmm))
        },
    ];
    for tell in tells {
        if found.len() < 2 {
            break;
        }
        let fits =
            |handler: &&&Handler| node.of_handler(&handler.name).is_some_and(|judged| tell(judged.evaluator));
        let fitting: Vec<&Handler> = found.iter().filter(fits).copied().collect();
        // What tells none apart was changed since, or is not on such a line.
        if !fitting.is_empty() {
            found = fitting;
        }
    }
    found
}

/// The active hypervisor, also of files that do not load by now.
fn hypervisor(evaluator: &Evaluator) -> Option<String> {
    let setup = evaluator.setup();
    let own = evaluator.hypervisor().map(str::to_owned);
    own.or_else(|| search::hypervisor(setup.release, &setup.layers))
}

/// Whether a configuration's hypervisor is the VM's program; runtime-rs's own runs in the shim.
fn has_hypervisor(evaluator: &Evaluator, vm: &Vm) -> bool {
    let table = vm.vmm.map_or(Some("dragonball"), crate::running::Program::table);
    match (hypervisor(evaluator).as_deref(), table) {
        (Some("cloud-hypervisor"), Some("clh")) => true,
        (own, table) => own.is_some() && own == table,
    }
}

/// A key of the active hypervisor's table, else as the files write it.
fn value(evaluator: &Evaluator, key: &str) -> Option<String> {
    let table = format!("hypervisor.{}", hypervisor(evaluator)?);
    let loaded = || evaluator.bare()?.get(&format!("{table}.{key}"))?.value.as_str().map(str::to_owned);
    let written = || {
        let written = evaluator.setup().layers.written(&table, key)?;
        Some(written.text.trim_matches(['"', '\'']).to_owned())
    };
    loaded().or_else(written).filter(|value| !value.is_empty())
}

fn is_on_line(evaluator: &Evaluator, key: &str, vmm: &Process) -> bool {
    let Some(path) = value(evaluator, key) else { return false };
    let mut values = vmm.arguments.iter().filter_map(|argument| argument.value.as_deref());
    values.any(|value| value.split([',', '=', ' ']).any(|piece| piece == path))
}
