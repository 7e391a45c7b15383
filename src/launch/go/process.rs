//! What the host's binaries would do when they are started: whether that works at all, and what a small
//! script prints and returns.
//!
//! A real VMM is taken to be good. A shell script of `echo` and `exit` lines, as a stand-in or a broken
//! wrapper is, can be followed. The words are those of Go's os/exec. Facts: where
//! src/runtime/virtcontainers/{acrn,clh,fc,qemu}.go at 2.1.0 run a program and read what it says.

use crate::golang::strconv::quote;
use crate::input::Host;
use crate::input::host::{Errno, FileKind};

/// A script longer than this is not one of `echo` and `exit` alone.
const SCRIPT_LIMIT: u64 = 512;
const PATH: [&str; 6] = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// What a script does.
struct Ran {
    output: String,
    status: u8,
}

/// Why a program cannot be started.
pub(super) fn not_startable(host: &Host, program: &str) -> Option<String> {
    if program.is_empty() {
        return Some("exec: no command".to_owned());
    }
    if !program.contains('/') {
        let found = PATH.iter().any(|folder| executable(host, &format!("{folder}/{program}")).is_ok());
        let quoted = quote(program);
        return (!found).then(|| format!("exec: {quoted}: executable file not found in $PATH"));
    }
    let errno = executable(host, program).err()?;
    Some(format!("fork/exec {program}: {errno}"))
}

fn executable(host: &Host, path: &str) -> Result<(), Errno> {
    let stat = host.stat(path)?;
    if stat.kind == FileKind::Directory || stat.mode & 0o111 == 0 {
        return Err(Errno::PermissionDenied);
    }
    Ok(())
}

/// What a program prints and returns, where it is a script that can be followed.
fn followed(host: &Host, program: &str) -> Option<Ran> {
    if host.stat(program).ok()?.size > SCRIPT_LIMIT {
        return None;
    }
    let text = String::from_utf8(host.read(program).ok()?).ok()?;
    let mut lines = text.strip_prefix("#!/bin/")?.lines();
    if !matches!(lines.next()?.trim(), "sh" | "bash") {
        return None;
    }
    let mut ran = Ran { output: String::new(), status: 0 };
    for line in lines {
        let line = line.trim();
        let mut words = line.split_whitespace();
        match words.next() {
            None => {}
            Some(word) if word.starts_with('#') => {}
            Some("exit") => {
                ran.status = words.next().unwrap_or("0").parse().ok()?;
                return Some(ran);
            }
            Some("echo")
                if !line.contains(['"', '\'', '\\', '$', '`', ';', '|', '&', '<', '>', '*', '?', '(']) =>
            {
                ran.output.push_str(&words.collect::<Vec<_>>().join(" "));
                ran.output.push('\n');
            }
            Some(_) => return None,
        }
    }
    Some(ran)
}

/// What a program prints, where it can be followed; or why it does not start, or end well.
pub(super) fn output(host: &Host, program: &str) -> Result<Option<String>, String> {
    if let Some(why) = not_startable(host, program) {
        return Err(why);
    }
    match followed(host, program) {
        Some(Ran { status, .. }) if status != 0 => Err(format!("exit status {status}")),
        ran => Ok(ran.map(|ran| ran.output)),
    }
}
