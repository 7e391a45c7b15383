//! `katascope which`: which shim and configuration file serve a handler, and why.

use std::io::{self, Write};

use serde_json::json;

use super::args::WhichArgs;
use super::setup::{self, SetupError};
use super::{CliError, Exit, paint};
use crate::cri::which::{Which, handlers, reads};
use crate::input::Host;
use crate::report::escape::visible;
use crate::report::json::print;

pub(super) fn run(args: &WhichArgs) -> Result<Exit, CliError> {
    let mut input = args.input.input();
    if input.cri_config.is_none() {
        let found = setup::cri_file(input.cri, input.root.as_deref());
        input.cri_config = found;
        if let (None, Some(_)) = (input.cri, &input.cri_config) {
            input.cri = setup::engine_of(input.cri_config.as_deref());
        }
    }
    if input.cri_config.is_none() {
        return Err(SetupError::Usage(
            "no container runtime configuration found; name one with --cri-config (and --cri crio for CRI-O)"
                .into(),
        )
        .into());
    }
    let host = setup::host(&input)?;
    let engine = setup::engine(&input, &host)?;
    let environment = std::env::var("KATA_CONF_FILE").ok();
    let mut found = handlers(&engine, &host, environment.as_deref())
        .map_err(|why| SetupError::Usage(format!("the container runtime does not start: {why}")))?;
    let asked = args.handler.as_ref();
    if let Some(path) = asked.filter(|asked| asked.contains('/')) {
        return readers(args, path, &found, &host);
    }
    if let Some(asked) = asked {
        let names: Vec<String> = found.iter().map(|w| w.handler.clone()).collect();
        found.retain(|which| which.handler == *asked);
        if found.is_empty() {
            return Err(SetupError::Usage(format!(
                "no Kata handler '{asked}' is configured; there {}",
                match names.as_slice() {
                    [] => "are none".into(),
                    names => format!("are {}", names.join(", ")),
                }
            ))
            .into());
        }
    }
    let mut out = io::stdout().lock();
    if args.output.is_json() {
        let report: Vec<_> = found.iter().map(as_json).collect();
        print(&mut out, &json!({ "schema": 1, "handlers": report }))?;
    } else {
        for which in &found {
            text(&mut out, which, paint(args.output.color))?;
        }
    }
    let missing = found.iter().any(|w| w.config().is_none_or(|path| !host.exists(path)));
    Ok(if missing { Exit::Found } else { Exit::Clean })
}

/// Which handlers read a file: none is worth an exit status.
fn readers(args: &WhichArgs, path: &str, found: &[Which], host: &Host) -> Result<Exit, CliError> {
    let names: Vec<&str> =
        found.iter().filter(|which| reads(which, path, host)).map(|which| which.handler.as_str()).collect();
    let mut out = io::stdout().lock();
    if args.output.is_json() {
        print(&mut out, &json!({ "schema": 1, "file": path, "read_by": names }))?;
    } else if names.is_empty() {
        writeln!(out, "no handler reads {}", visible(path))?;
        for which in found {
            let config = which.config().unwrap_or("no file");
            writeln!(out, "  {} reads {}", visible(&which.handler), visible(config))?;
        }
    } else {
        writeln!(out, "{} is read by {}", visible(path), visible(&names.join(", ")))?;
    }
    Ok(if names.is_empty() { Exit::Found } else { Exit::Clean })
}

fn as_json(which: &Which) -> serde_json::Value {
    let candidates: Vec<_> = which
        .candidates
        .iter()
        .map(|c| json!({ "path": c.path, "source": c.source.as_str(), "chosen": c.chosen, "why": c.why }))
        .collect();
    json!({
        "handler": which.handler,
        "shim": which.shim,
        "release": which.release.map(|g| g.id()),
        "evidence": which.evidence,
        "config": which.config(),
        "candidates": candidates,
        "notes": which.notes,
    })
}

fn text(out: &mut dyn Write, which: &Which, paint: crate::report::text::Paint) -> io::Result<()> {
    let runtime = which.release.map_or("runtime unknown".to_owned(), |r| r.title());
    writeln!(out, "{}  {runtime}", paint.wrap("1", &visible(&which.handler)))?;
    writeln!(out, "  shim  {}", visible(&which.shim))?;
    writeln!(out, "        {}", visible(&which.evidence))?;
    for candidate in &which.candidates {
        let mark = if candidate.chosen { paint.wrap("32", "▸") } else { " ".into() };
        writeln!(out, "  {mark} {}  {}", visible(&candidate.path), visible(&candidate.why))?;
    }
    for note in &which.notes {
        writeln!(out, "  {} {}", paint.wrap("33", "!"), visible(note))?;
    }
    Ok(())
}
