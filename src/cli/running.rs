//! `katascope explain --running`: the process lines of running VMs.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::Path;

use super::args::Output;
use super::error::{SetupError, plain};
use super::{CliError, Exit, paint};
use crate::report::{json, running as report};
use crate::running;

/// The most that is read of a text with process lines.
const TEXT_LIMIT: u64 = 32 << 20;

/// What the process lines in a file say.
pub(super) fn explain(path: &Path, output: &Output) -> Result<Exit, CliError> {
    let running = running::read(&text_of(path)?);
    let mut out = BufWriter::new(io::stdout().lock());
    if output.is_json() {
        json::print(&mut out, &report::json(&running))?;
    } else {
        report::text(&mut out, &running, paint(output.color))?;
    }
    out.flush()?;
    Ok(if running.vms.is_empty() { Exit::Found } else { Exit::Clean })
}

/// A pasted or saved text.
pub(super) fn text_of(path: &Path) -> Result<String, CliError> {
    let unreadable =
        |e: io::Error| SetupError::Unreadable { path: path.display().to_string(), reason: plain(&e) };
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        io::stdin().lock().take(TEXT_LIMIT).read_to_end(&mut bytes).map_err(unreadable)?;
    } else {
        File::open(path)
            .and_then(|file| file.take(TEXT_LIMIT).read_to_end(&mut bytes))
            .map_err(unreadable)?;
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
