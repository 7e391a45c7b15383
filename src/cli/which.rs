//! `katascope which`: which shim and configuration file serve a handler, and why.

use std::io::{self, Write};

use serde_json::json;

use super::args::WhichArgs;
use super::error::SetupError;
use super::open::{self, Opened};
use super::{CliError, Exit, paint};
use crate::cri::Engine;
use crate::node::{Handler, Node, nearest};
use crate::report::escape::visible;
use crate::report::json::print;
use crate::report::text::Paint;

pub(super) fn run(args: &WhichArgs) -> Result<Exit, CliError> {
    let opened = open::open(&args.input.input())?;
    let node = opened.node.node();
    if matches!(node.engine, Engine::Assumed) || opened.sample {
        return Err(SetupError::Usage(
            "no container runtime configuration found; name one with --cri-config, or a node with --root"
                .into(),
        )
        .into());
    }
    if let (Err(why), true) = (&node.handlers, node.shims.is_empty()) {
        return Err(SetupError::Usage(format!("the container runtime serves no pods: {why}")).into());
    }
    let all: Vec<&Handler> = node.handlers().iter().chain(&node.shims).collect();
    if let Some(path) = args.handler.as_deref().filter(|asked| asked.contains('/')) {
        return readers(args, path, &all, node);
    }
    let found: Vec<&Handler> = match args.handler.as_deref() {
        None => all,
        Some(asked) => match all.iter().find(|handler| handler.name == asked) {
            Some(handler) => vec![*handler],
            None => return Err(no_such_handler(asked, &all).into()),
        },
    };
    let mut out = io::stdout().lock();
    if args.output.is_json() {
        let handlers: Vec<_> = found.iter().map(|handler| as_json(handler, node)).collect();
        let dropped: Vec<_> = node
            .engine
            .dropped()
            .into_iter()
            .map(|(name, reason, place)| {
                json!({ "handler": name, "reason": reason, "at": place.map(ToString::to_string) })
            })
            .collect();
        let report = json!({
            "schema": 1,
            "files": node.engine.files(),
            "unread": opened.unread,
            "handlers": handlers,
            "dropped": dropped,
        });
        print(&mut out, &report)?;
    } else {
        files(&mut out, &opened)?;
        for handler in &found {
            text(&mut out, handler, node, paint(args.output.color))?;
        }
    }
    // A node often has handlers that nobody uses; of one that is asked about it matters.
    let broken = args.handler.is_some() && found.iter().any(|handler| handler.error(&node.host).is_some());
    Ok(if broken { Exit::Found } else { Exit::Clean })
}

fn no_such_handler(asked: &str, all: &[&Handler]) -> SetupError {
    let names: Vec<&str> = all.iter().map(|handler| handler.name.as_str()).collect();
    let near = nearest(asked, names.iter().copied());
    let near = near.map(|name| format!(" (did you mean {name}?)")).unwrap_or_default();
    SetupError::Usage(format!(
        "no handler '{asked}' is configured{near}; there {}",
        match names.as_slice() {
            [] => "are none".into(),
            [one] => format!("is {one}"),
            names => format!("are {}", names.join(", ")),
        }
    ))
}

/// Which handlers read a file: none is worth an exit status.
fn readers(args: &WhichArgs, path: &str, all: &[&Handler], node: &Node) -> Result<Exit, CliError> {
    let names: Vec<&str> = all
        .iter()
        .filter(|handler| handler.reads(path, &node.host))
        .map(|handler| handler.name.as_str())
        .collect();
    let mut out = io::stdout().lock();
    if args.output.is_json() {
        print(&mut out, &json!({ "schema": 1, "file": path, "read_by": names }))?;
    } else if names.is_empty() {
        writeln!(out, "no handler reads {}", visible(path))?;
        for handler in all.iter().filter(|handler| handler.kata) {
            let config = handler.config().unwrap_or("no file");
            writeln!(out, "  {} reads {}", visible(&handler.name), visible(config))?;
        }
    } else {
        writeln!(out, "{} is read by {}", visible(path), visible(&names.join(", ")))?;
    }
    Ok(if names.is_empty() { Exit::Found } else { Exit::Clean })
}

fn as_json(handler: &Handler, node: &Node) -> serde_json::Value {
    let candidates: Vec<_> = handler
        .candidates
        .iter()
        .map(|c| json!({ "path": c.path, "source": c.source.as_str(), "chosen": c.chosen, "why": c.why }))
        .collect();
    json!({
        "handler": handler.name,
        "default": handler.default,
        "at": handler.place.as_ref().map(ToString::to_string),
        "shim": handler.shim.found,
        "runtime": handler.release.map(|release| release.runtime.as_str()),
        "release": handler.release.map(|release| release.version.to_string()),
        "known_by": handler.release.map(|_| handler.known_by.as_str()),
        "evidence": handler.evidence,
        "config": handler.config(),
        "drop_ins": handler.drop_ins,
        "snapshotter": handler.snapshotter,
        "error": handler.error(&node.host),
        "candidates": candidates,
        "notes": handler.notes.iter().chain(&handler.advice).collect::<Vec<_>>(),
    })
}

/// The files that the container runtime read, and those that it did not.
fn files(out: &mut dyn Write, opened: &Opened) -> io::Result<()> {
    let node = opened.node.node();
    let name = if matches!(node.engine, Engine::Crio(_)) { "CRI-O" } else { "containerd" };
    match node.engine.files() {
        [] => writeln!(out, "{name} reads no file: its built-in handlers alone")?,
        files => writeln!(out, "{name} reads {}", visible(&files.join(", ")))?,
    }
    for path in &opened.unread {
        writeln!(out, "  {path} is there, and is not read")?;
    }
    for (name, reason, place) in node.engine.dropped() {
        let place = place.map(|place| format!(" ({place})")).unwrap_or_default();
        writeln!(out, "  handler {} is not there{}: {}", visible(name), visible(&place), visible(&reason))?;
    }
    if let Err(why) = &node.handlers {
        writeln!(out, "  it serves no pods: {}", visible(why))?;
    } else if node.kata().next().is_none() {
        writeln!(out, "  it has no Kata handler")?;
    }
    for path in node.engine.not_held() {
        writeln!(out, "  it imports {}, which is not in what was collected", visible(path))?;
    }
    Ok(())
}

fn text(out: &mut dyn Write, handler: &Handler, node: &Node, paint: Paint) -> io::Result<()> {
    let runtime = match (handler.release, handler.kata) {
        (Some(release), _) => format!("{} ({})", release.title(), handler.known_by.as_str()),
        (None, true) => "Kata, runtime not known".into(),
        (None, false) => "another runtime".into(),
    };
    let default = if handler.default { "  default" } else { "" };
    writeln!(out, "{}  {runtime}{default}", paint.wrap("1", &visible(&handler.name)))?;
    let shim = handler.shim.found.as_deref().unwrap_or(&handler.shim.named);
    let missing = if handler.shim.found.is_none() { "  not there" } else { "" };
    writeln!(out, "  shim  {}{missing}", visible(shim))?;
    if !handler.evidence.is_empty() && handler.shim.found.is_some() {
        writeln!(out, "        {}", visible(&handler.evidence))?;
    }
    for candidate in &handler.candidates {
        let mark = if candidate.chosen { paint.wrap("32", "▸") } else { " ".into() };
        writeln!(out, "  {mark} {}  {}", visible(&candidate.path), visible(&candidate.why))?;
    }
    for drop_in in &handler.drop_ins {
        writeln!(out, "    + {}", visible(drop_in))?;
    }
    if let Some(snapshotter) = &handler.snapshotter {
        writeln!(out, "  snapshotter  {}", visible(snapshotter))?;
    }
    let error = handler.error(&node.host);
    for problem in error.iter() {
        writeln!(out, "  {} {}", paint.wrap("31", "✗"), visible(problem))?;
    }
    for note in handler.notes.iter().chain(&handler.advice).filter(|note| error.as_ref() != Some(note)) {
        writeln!(out, "  {} {}", paint.wrap("33", "!"), visible(note))?;
    }
    Ok(())
}
