//! What the process lines of running VMs say, for people and as JSON.

use std::io::{self, Write};

use serde_json::{Value as Json, json};

use super::escape::visible;
use super::text::Paint;
use crate::catalog::lines::TAGS;
use crate::running::releases;
use crate::running::{Argument, Part, Process, Program, Running, Setting, State, Vm};

/// For people: each VM with what its lines tell, then each of its arguments.
pub fn text(out: &mut dyn Write, running: &Running, paint: Paint) -> io::Result<()> {
    if running.processes.is_empty() {
        return writeln!(out, "no process line of a VM found");
    }
    if running.vms.len() > 1 {
        writeln!(out, "{} VMs; each is explained by itself\n", running.vms.len())?;
    }
    for vm in &running.vms {
        head(out, running, vm, paint)?;
        for process in running.of(vm) {
            process_text(out, process, paint)?;
        }
        writeln!(out)?;
    }
    let others: Vec<&Process> = running.processes.iter().filter(|p| p.program == Program::Other).collect();
    if !others.is_empty() {
        writeln!(out, "{}", paint.wrap("1", "Not of Kata"))?;
    }
    for process in others {
        let path = process.path.as_deref().unwrap_or_default();
        writeln!(
            out,
            "  {}{}  {}",
            place(process),
            visible(path),
            visible(process.remark.as_deref().unwrap_or_default())
        )?;
    }
    Ok(())
}

fn place(process: &Process) -> String {
    match process.pid {
        Some(pid) => format!("line {}, process {pid}: ", process.line),
        None => format!("line {}: ", process.line),
    }
}

/// The runtime and releases of a VM in one line.
pub fn release(vm: &Vm) -> String {
    let narrowed = &vm.narrowed;
    let Some(runtime) = narrowed.runtime else {
        return "nothing on the line tells the runtime or the release".to_owned();
    };
    let all = narrowed.tags.first().is_some_and(|(a, _)| *a == 0)
        && narrowed.tags.last().is_some_and(|(_, b)| *b + 1 == TAGS.len());
    if all {
        return format!("{}; no release can be told", runtime.title());
    }
    format!("{} {}", runtime.title(), releases::words(&narrowed.tags))
}

fn head(out: &mut dyn Write, running: &Running, vm: &Vm, paint: Paint) -> io::Result<()> {
    let sandbox = vm.sandbox.as_deref().unwrap_or("(its name is not in the text)");
    let vmm = vm.vmm.map_or("no VMM in the text", Program::title);
    writeln!(out, "{} {}  {vmm}", paint.wrap("1", "Sandbox"), visible(sandbox))?;
    writeln!(out, "  release    {}", release(vm))?;
    for (word, because) in [("since", &vm.narrowed.since), ("until", &vm.narrowed.until)] {
        if !because.is_empty() {
            writeln!(out, "    {word}    {}", visible(&because.join("; ")))?;
        }
    }
    if !vm.narrowed.as_shipped.is_empty() {
        let words = releases::words(&vm.narrowed.as_shipped);
        writeln!(out, "             {words} where the configuration is as shipped")?;
    }
    if let Some(kernel) = &vm.kernel {
        let words = releases::words(kernel);
        let fits = if releases::meets(kernel, &vm.narrowed.tags) || vm.narrowed.tags.is_empty() {
            String::new()
        } else {
            ", which the arguments contradict: a mixed installation, or an own kernel".to_owned()
        };
        writeln!(out, "             the guest kernel is that of {words}{fits}")?;
    }
    for against in &vm.narrowed.against {
        writeln!(
            out,
            "             {} fits none of these: a patched or development build",
            visible(against)
        )?;
    }
    let counted: Vec<String> =
        running.of(vm).map(|process| format!("{}{}", place(process), process.program.title())).collect();
    writeln!(out, "  processes  {}", counted.join("; "))?;
    for setting in &vm.settings {
        writeln!(out, "  {}", setting_text(setting, paint))?;
    }
    for note in &vm.notes {
        writeln!(out, "  - {}", visible(note))?;
    }
    Ok(())
}

fn setting_text(setting: &Setting, paint: Paint) -> String {
    let value = setting.value.as_deref().map(|value| format!(" = {value:?}")).unwrap_or_default();
    let state = match &setting.state {
        State::Shipped => "as shipped".to_owned(),
        State::Edited(shipped) => {
            let by =
                setting.annotation.map(|key| format!(", or by the annotation {key}")).unwrap_or_default();
            paint.wrap("33", &format!("edited: shipped is {shipped:?}{by}"))
        }
        State::Open => String::new(),
    };
    let remark = setting.remark.map(|remark| format!(" ({remark})")).unwrap_or_default();
    visible(&format!("{}{value}  {state}{remark}", setting.key)).into_owned()
}

fn process_text(out: &mut dyn Write, process: &Process, paint: Paint) -> io::Result<()> {
    let path = process.path.as_deref().unwrap_or("(a piece of a line)");
    writeln!(out, "  {}", paint.wrap("1", &visible(path)))?;
    for argument in &process.arguments {
        argument_text(out, argument, process.program, paint)?;
    }
    Ok(())
}

fn argument_text(out: &mut dyn Write, argument: &Argument, program: Program, paint: Paint) -> io::Result<()> {
    let shown = if argument.parts.is_empty() || argument.option == "-append" {
        argument.value.as_deref().filter(|_| argument.option != "-append").unwrap_or_default()
    } else {
        argument.kind()
    };
    let says = said(&argument.says, argument.sets.as_ref().map(|s| s.key.as_str()), argument.made, program);
    writeln!(out, "    {} {}  {}", visible(&argument.option), visible(shown), paint.wrap("2", &says))?;
    for part in &argument.parts {
        let Part { text, says, sets, made, .. } = part;
        let says = said(says, sets.as_ref().map(|s| s.key.as_str()), *made, program);
        writeln!(out, "      {}  {}", visible(text), paint.wrap("2", &says))?;
    }
    Ok(())
}

fn said(says: &str, key: Option<&str>, made: bool, program: Program) -> String {
    if says.is_empty() {
        return "no release of Kata puts this there".to_owned();
    }
    let key = key.map(|key| match program.table() {
        Some(table) if !key.contains(['.', ' ']) => format!("  [hypervisor.{table}.{key}]"),
        _ => format!("  [{key}]"),
    });
    let made = if made && !says.contains("made ") && !says.contains("no setting") {
        " (made at the start)"
    } else {
        ""
    };
    visible(&format!("{says}{made}{}", key.unwrap_or_default())).into_owned()
}

/// As JSON.
pub fn json(running: &Running) -> Json {
    json!({
        "schema": 1,
        "vms": running.vms.iter().map(vm_json).collect::<Vec<_>>(),
        "processes": running.processes.iter().map(process_json).collect::<Vec<_>>(),
    })
}

fn spans_json(spans: &[(usize, usize)]) -> Json {
    let tag = |at: &usize| TAGS.get(*at).copied();
    spans.iter().map(|(a, b)| json!({ "first": tag(a), "last": tag(b) })).collect()
}

fn vm_json(vm: &Vm) -> Json {
    let narrowed = &vm.narrowed;
    json!({
        "sandbox": vm.sandbox,
        "vmm": vm.vmm.map(Program::as_str),
        "runtime": narrowed.runtime.map(crate::release::Runtime::as_str),
        "release": release(vm),
        "releases": spans_json(&narrowed.tags),
        "since": narrowed.since,
        "until": narrowed.until,
        "as_shipped": spans_json(&narrowed.as_shipped),
        "by_kernel": vm.kernel.as_deref().map(spans_json),
        "contradictions": narrowed.against,
        "settings": vm.settings.iter().map(|setting| json!({
            "key": setting.key,
            "value": setting.value,
            "state": setting.state.as_str(),
            "shipped": match &setting.state { State::Edited(shipped) => Some(shipped), _ => None },
            "annotation": setting.annotation,
            "remark": setting.remark,
        })).collect::<Vec<_>>(),
        "notes": vm.notes,
        "processes": vm.processes,
    })
}

fn process_json(process: &Process) -> Json {
    let missing = process.missing;
    json!({
        "line": process.line,
        "pid": process.pid,
        "parent": process.parent,
        "program": process.program.as_str(),
        "path": process.path,
        "sandbox": process.sandbox,
        "missing": { "front": missing.front, "middle": missing.middle, "end": missing.end },
        "remark": process.remark,
        "arguments": process.arguments.iter().map(argument_json).collect::<Vec<_>>(),
    })
}

fn argument_json(argument: &Argument) -> Json {
    let sets = |sets: &Option<crate::running::argument::Sets>| {
        sets.as_ref().map(|sets| json!({ "key": sets.key, "value": sets.value }))
    };
    json!({
        "option": argument.option,
        "value": argument.value,
        "known": argument.is_known(),
        "says": argument.says,
        "sets": sets(&argument.sets),
        "made_at_start": argument.made,
        "remark": argument.remark,
        "parts": argument.parts.iter().map(|part| json!({
            "text": part.text,
            "known": !part.says.is_empty(),
            "says": part.says,
            "sets": sets(&part.sets),
            "made_at_start": part.made,
        })).collect::<Vec<_>>(),
    })
}
