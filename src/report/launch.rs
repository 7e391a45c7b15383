//! The VM's processes, requests and what the guest is told, as text: commands that a shell takes, each option with its
//! cause. Decides wording and layout only.

use std::io::{self, Write};

use serde_json::Value as Json;

use super::escape::{self, visible};
use super::text::origin;
use crate::answer::effective::Effective;
use crate::answer::launch::{Arg, Cause};
use crate::evaluate::Evaluation;

/// What put an argument there, in words.
pub fn cause(cause: &Cause, effective: Option<&Effective>) -> String {
    let mut parts: Vec<String> = cause
        .keys
        .iter()
        .map(|key| match effective.and_then(|e| e.origin(cause, key)) {
            Some(from) => format!("{key} ({})", origin(from)),
            None => key.to_string(),
        })
        .collect();
    if !cause.rule.is_empty() {
        parts.push(cause.rule.to_string());
    }
    parts.join(", ")
}

fn args(out: &mut dyn Write, program: &str, args: &[Arg], effective: Option<&Effective>) -> io::Result<()> {
    writeln!(out, "{}", visible(program))?;
    for arg in args {
        writeln!(out, "  {}  # {}", visible(&arg.text), visible(&cause(&arg.cause, effective)))?;
    }
    Ok(())
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    let shown = visible(word);
    if !shown.is_empty() && shown.chars().all(plain) {
        return shown.into_owned();
    }
    format!("'{}'", shown.replace('\'', r"'\''"))
}

fn command(
    out: &mut dyn Write,
    program: &str,
    args: &[Arg],
    effective: Option<&Effective>,
    causes: bool,
) -> io::Result<()> {
    const COLUMN: usize = 64;
    write!(out, "{}", quoted(program))?;
    let mut left = args.iter().peekable();
    while let Some(arg) = left.next() {
        let mut line = quoted(&arg.text);
        // A value stands beside its option.
        let option = arg.text.starts_with('-');
        if option
            && let Some(value) = left.next_if(|next| !next.text.starts_with('-') && next.cause == arg.cause)
        {
            line.push(' ');
            line.push_str(&quoted(&value.text));
        }
        let because = cause(&arg.cause, effective);
        if causes && !because.is_empty() {
            let because = visible(&because).replace(['`', '\\'], "'");
            write!(out, " \\\n  {line:<COLUMN$}  `# {because}`")?;
        } else {
            write!(out, " \\\n  {line}")?;
        }
    }
    writeln!(out)
}

/// The VM's processes and requests: commands that a shell takes, an option a line with its cause at the right, in the
/// one form of comment that may stand before a backslash.
pub fn text(out: &mut dyn Write, evaluation: &Evaluation, causes: bool) -> io::Result<()> {
    let Some(launch) = &evaluation.launch else { return Ok(()) };
    let effective = evaluation.effective.as_ref().filter(|_| causes);
    if let Some(program) = &launch.program {
        command(out, &program.text, &launch.args, effective, causes)?;
    }
    for helper in &launch.helpers {
        command(out, &helper.program.text, &helper.args, effective, causes)?;
    }
    for file in &launch.files {
        writeln!(out, "{}\n{}", visible(&file.path), pretty(&file.body))?;
    }
    for request in &launch.requests {
        writeln!(out, "{} {}\n{}", visible(&request.method), visible(&request.path), pretty(&request.body))?;
    }
    Ok(())
}

/// JSON over several lines.
fn pretty(body: &Json) -> String {
    if body.is_null() { String::new() } else { escape::json(format!("{body:#}")) }
}

/// What the guest is told.
pub fn agent(out: &mut dyn Write, evaluation: &Evaluation) -> io::Result<()> {
    let Some(agent) = &evaluation.agent else { return Ok(()) };
    args(out, "guest kernel command line", &agent.kernel_params, evaluation.effective.as_ref())?;
    writeln!(out, "CreateSandbox\n{}", pretty(&agent.create_sandbox))?;
    if let Some(policy) = &agent.policy {
        writeln!(out, "policy\n{}", visible(policy))?;
    }
    for (name, requests) in agent.network.each() {
        for request in requests {
            writeln!(out, "{name}\n{}", pretty(request))?;
        }
    }
    Ok(())
}
