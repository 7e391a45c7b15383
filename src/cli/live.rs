//! `katascope live`: the VMs that run on a node, from `/proc`, each with its pod, handler and release.
//!
//! Prints what `machine` finds.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::time::SystemTime;

use serde_json::{Value as Json, json};

use super::args::{Input, LiveArgs, Output, ScreenOptions};
use super::machine::{self, Machine};
use super::{CliError, Exit, beside, interactive, open, say_assumed};
use crate::release::Release;
use crate::report::beside::Runs;
use crate::report::escape::visible;
use crate::report::{json as reports, running as told};
use crate::running::{Program, Running};

pub(super) fn run(args: &LiveArgs) -> Result<Exit, CliError> {
    let mut input = args.input();
    if let Some(path) = &args.running {
        let runs = beside::given(&path.display().to_string())?.0;
        let unsaid = args.pod.is_none() && open::is_sample(&input);
        return match (&args.sandbox, &runs) {
            (None, Runs::Lines(lines)) if args.list || unsaid => {
                of_text(lines, unsaid && !args.list, &args.output)
            }
            (None, _) if on_screen(args, &input) => screen(&input, Some(runs)),
            (sandbox, _) => beside::run(&input, &runs, sandbox.as_deref(), Vec::new(), &args.output),
        };
    }
    let machine = Machine::look(&input)?;
    if args.sandbox.is_none() && on_screen(args, &input) {
        if input.manifests.is_empty() {
            input.manifests = machine.vms.iter().filter_map(|vm| vm.bundle.clone()).collect();
        }
        return screen(&input, None);
    }
    if let Some(sandbox) = &args.sandbox {
        let (beside, assumed) = machine.beside(&input, sandbox, None)?;
        say_assumed(&assumed);
        return beside::print(&beside, &args.output);
    }
    print(&machine.vms, true, &args.output)?;
    Ok(Exit::Clean)
}

fn print(vms: &[machine::Live], here: bool, output: &Output) -> Result<(), CliError> {
    let mut out = BufWriter::new(io::stdout().lock());
    if output.is_json() {
        let all: Vec<Json> = vms.iter().map(as_json).collect();
        reports::print(&mut out, &json!({ "schema": reports::SCHEMA, "vms": all }))?;
    } else {
        list(&mut out, vms, here)?;
    }
    out.flush()?;
    Ok(())
}

/// The VMs of a text, where they are asked for or nothing is there to predict by.
fn of_text(lines: &Running, unsaid: bool, output: &Output) -> Result<Exit, CliError> {
    let vms: Vec<machine::Live> = lines
        .vms
        .iter()
        .filter(|vm| vm.vmm.is_some())
        .map(|vm| machine::Live {
            vm: vm.clone(),
            pid: lines.of(vm).find(|process| process.program.is_vmm()).and_then(|process| process.pid),
            started: None,
            bundle: None,
            pod: None,
            handler: None,
            candidates: Vec::new(),
            release: None,
            config: Vec::new(),
        })
        .collect();
    print(&vms, false, output)?;
    if unsaid {
        let _ = writeln!(
            io::stderr(),
            "katascope: no configuration is named, so nothing is compared: -c FILE does, with --manifest FILE for the \
             pod; katascope explain --running FILE explains every argument"
        );
    }
    Ok(if vms.is_empty() { Exit::Found } else { Exit::Clean })
}

/// Whether the screen is opened: at a terminal, where there is a configuration to predict by.
fn on_screen(args: &LiveArgs, input: &Input) -> bool {
    let terminal = io::stdout().is_terminal() && io::stdin().is_terminal();
    terminal && !args.list && !args.output.is_json() && !open::is_sample(input) && open::open(input).is_ok()
}

fn screen(input: &Input, runs: Option<Runs>) -> Result<Exit, CliError> {
    interactive::run_live(input, &ScreenOptions::default(), runs)
}

fn list(out: &mut dyn Write, vms: &[machine::Live], here: bool) -> io::Result<()> {
    if vms.is_empty() {
        return writeln!(out, "{}", if here { "no VM of Kata runs here" } else { "no VM in the text" });
    }
    for live in vms {
        let vmm = live.vmm();
        let pid = live.pid.map(|pid| format!("process {pid}")).unwrap_or_default();
        writeln!(
            out,
            "{}  {vmm}  {pid}",
            visible(live.vm.sandbox.as_deref().unwrap_or("(its name is not in the text)"))
        )?;
        if !here {
            writeln!(out, "  line     {}", told::release(&live.vm))?;
            continue;
        }
        let unknown = "unknown: no bundle of the sandbox can be read";
        writeln!(out, "  pod      {}", visible(live.pod.as_deref().unwrap_or(unknown)))?;
        let handler = match (&live.handler, live.candidates.as_slice()) {
            (Some(name), _) => name.clone(),
            (None, []) => "unknown: none that is configured could have served it".to_owned(),
            (None, several) => format!("one of {}", several.join(", ")),
        };
        writeln!(out, "  handler  {}", visible(&handler))?;
        if let Some(release) = live.release {
            let release = release.title();
            writeln!(out, "  release  {release} as installed")?;
        }
        writeln!(out, "  line     {}", told::release(&live.vm))?;
    }
    Ok(())
}

fn as_json(live: &machine::Live) -> Json {
    json!({
        "sandbox": live.vm.sandbox,
        "vmm": live.vm.vmm.map_or("dragonball", Program::as_str),
        "pid": live.pid,
        "started": live.started.and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok()).map(|at| at.as_secs()),
        "pod": live.pod,
        "handler": live.handler,
        "candidates": live.candidates,
        "release": live.release.map(Release::title),
        "line_is_of": told::release(&live.vm),
        "runtime": live.vm.narrowed.runtime.map(crate::release::Runtime::as_str),
        "config": live.config,
    })
}
