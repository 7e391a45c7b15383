//! The way of a copy to the clipboard.
//!
//! OSC 52 reaches the user's own terminal over any number of hops; tmux and local tools are asked as well.

use std::io::{self, Write};
use std::process::{Command, Stdio};

use base64::Engine as _;

use super::env::Env;
use super::message::Copied;

/// The most that terminals take, encoded.
const LIMIT: usize = 74_994;

/// Copies `text`; what became of it.
pub(super) fn copy(env: &Env, text: &str, what: &str) -> Copied {
    let mut by = Vec::new();
    if let Some(sequence) = sequence(text, env.tmux()) {
        let mut out = io::stdout();
        if let Err(error) = out.write_all(sequence.as_bytes()).and_then(|()| out.flush()) {
            return Copied::Failed(error.to_string());
        }
        by.push("OSC 52");
    }
    if env.tmux() && fed("tmux", &["load-buffer", "-w", "-"], text) {
        by.push("tmux");
    }
    if !env.remote() {
        by.extend(local(env, text));
    }
    if by.is_empty() {
        return Copied::TooLong { what: what.to_owned(), bytes: text.len() };
    }
    Copied::Done(format!("copied {what}: {} bytes by {}", text.len(), by.join(" and ")))
}

/// What the terminal is told; `None`: it would not take so much.
fn sequence(text: &str, tmux: bool) -> Option<String> {
    let encoded = base64::engine::general_purpose::STANDARD.encode(text);
    if encoded.len() > LIMIT {
        return None;
    }
    let mut osc = format!("\x1b]52;c;{encoded}\x07");
    if tmux {
        // tmux heeds the one or passes the other on, by its settings; by default it does neither.
        osc.push_str(&format!("\x1bPtmux;{}\x1b\\", osc.replace('\x1b', "\x1b\x1b")));
    }
    Some(osc)
}

fn local(env: &Env, text: &str) -> Option<&'static str> {
    let tools: [(&str, &str, &[&str]); 3] = [
        ("WAYLAND_DISPLAY", "wl-copy", &[]),
        ("DISPLAY", "xclip", &["-selection", "clipboard"]),
        ("__CF_USER_TEXT_ENCODING", "pbcopy", &[]),
    ];
    let (_, tool, args) = tools.into_iter().find(|(variable, _, _)| env.var(variable).is_some())?;
    fed(tool, args, text).then_some(tool)
}

/// Whether a program took `text` as its input.
fn fed(program: &str, args: &[&str], text: &str) -> bool {
    let spawned = Command::new(program)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut child) = spawned else { return false };
    let written = child.stdin.take().is_some_and(|mut pipe| pipe.write_all(text.as_bytes()).is_ok());
    child.wait().is_ok_and(|status| status.success()) && written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tmux_is_told_twice() {
        assert_eq!(sequence("hi", false).as_deref(), Some("\x1b]52;c;aGk=\x07"));
        let both = sequence("hi", true).unwrap();
        assert_eq!(both, "\x1b]52;c;aGk=\x07\x1bPtmux;\x1b\x1b]52;c;aGk=\x07\x1b\\");
    }

    #[test]
    fn what_no_terminal_takes_is_not_sent() {
        assert!(sequence(&"x".repeat(56_000), false).is_some());
        assert!(sequence(&"x".repeat(57_000), false).is_none());
        let env = Env::of(&[("SSH_TTY", "/dev/pts/1")]);
        let told = copy(&env, &"x".repeat(57_000), "value");
        assert_eq!(told, Copied::TooLong { what: "value".into(), bytes: 57_000 });
    }
}
