//! How the program meets a shell: the name it was called by, and its man pages. Completions: `completions`.
//!
//! Decides no argument: all of it is read off the definition in `args`.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::path::Path;

use clap::{ArgMatches, Command, CommandFactory};

use super::args::{Cli, EXAMPLES, EXIT_STATUS, SETTINGS_VARIABLE};
use super::error::SetupError;
use super::{CliError, Exit};

/// What `kubectl` looks for on the path to run `kubectl katascope`.
pub(super) const PLUGIN: &str = "kubectl-katascope";

/// Whether the program was called by kubectl.
pub(super) fn is_plugin() -> bool {
    let called = std::env::args_os().next();
    called.as_deref().and_then(|path| Path::new(path).file_name()) == Some(OsStr::new(PLUGIN))
}

/// Whether there is no argument, nor a variable that stands for one: then the parser has nothing to do, and
/// making it ready would take longer than most of what follows.
pub(super) fn nothing_said() -> bool {
    std::env::args_os().len() < 2 && std::env::var_os(SETTINGS_VARIABLE).is_none()
}

/// The process's arguments, under the name that the user typed.
pub(super) fn matches() -> ArgMatches {
    let command = Cli::command();
    if is_plugin() { command.bin_name("kubectl katascope") } else { command }
        .get_matches_from(fall_through(std::env::args_os().collect()))
}

/// `help KEY` is `explain KEY`, where KEY is no command.
fn fall_through(mut words: Vec<OsString>) -> Vec<OsString> {
    let asks = words.get(1).is_some_and(|word| word == "help");
    let key = words.get(2).is_some_and(|word| Cli::command().find_subcommand(word).is_none());
    if let Some(word) = words.get_mut(1).filter(|_| asks && key) {
        *word = "explain".into();
    }
    words
}

/// What a man page says besides the options.
const FILES: [(&str, &str); 5] = [
    (
        "/etc/kata-containers/configuration.toml",
        "and the runtimes' other usual places, where -c names none; config.d beside it",
    ),
    ("/etc/containerd/config.toml", "and the places of k3s, RKE2 and k0s: which file serves a handler"),
    ("/etc/crio/crio.conf", "the same for CRI-O"),
    ("$XDG_CONFIG_HOME/katascope/config.toml", "settings of the terminal program (katascope settings)"),
    ("/dev, /proc, /sys", "facts of this machine, where neither --host nor a flag says them"),
];

const ENVIRONMENT: [(&str, &str); 8] = [
    (SETTINGS_VARIABLE, "settings file of the terminal program; --settings wins"),
    (
        "KATA_CONF_FILE",
        "the configuration file that the shims are given on this node, as containerd's unit sets it",
    ),
    ("NO_COLOR", "not empty: no colour, unless --color always"),
    ("TERM, COLORTERM, COLORFGBG", "what the terminal can show; TERM=dumb: plain text"),
    ("LC_ALL, LC_CTYPE, LANG", "without UTF-8 in them: ASCII glyphs"),
    ("VISUAL, EDITOR", "the editor behind E; default vi"),
    ("XDG_CONFIG_HOME, HOME", "where the settings file is"),
    ("WAYLAND_DISPLAY, DISPLAY, TMUX, SSH_CONNECTION", "how a text is copied"),
];

/// Prints the man page of the program, with the section on its `keys`, or of one of its commands.
pub(super) fn man(command: Option<&str>, keys: &str) -> Result<Exit, CliError> {
    let mut program = Cli::command();
    program.build();
    let page = match command {
        None => program.clone(),
        Some(name) => {
            let found = program.find_subcommand(name).cloned().ok_or_else(|| {
                let names: Vec<&str> = program.get_subcommands().map(Command::get_name).collect();
                SetupError::Usage(format!("man: no command '{name}'; there are {}", names.join(", ")))
            })?;
            let title = format!("katascope-{name}");
            found.display_name(title.clone()).name(title)
        }
    };
    // What `-h` leaves out is left out of `-h` alone.
    let page = page.mut_args(|arg| arg.hide_short_help(false));
    let help = page.get_after_long_help().or_else(|| page.get_after_help()).map(ToString::to_string);
    // The title takes one line, and the models take more.
    let version = concat!("katascope ", env!("CARGO_PKG_VERSION"));
    let man = clap_mangen::Man::new(page).source(version).manual("Kata Containers");
    let mut out = Vec::new();
    man.render_title(&mut out)?;
    man.render_name_section(&mut out)?;
    man.render_synopsis_section(&mut out)?;
    man.render_description_section(&mut out)?;
    man.render_options_section(&mut out)?;
    if command.is_none() {
        man.render_subcommands_section(&mut out)?;
        section(&mut out, "EXIT STATUS", EXIT_STATUS);
        out.extend_from_slice(keys.as_bytes());
        table(&mut out, "FILES", &FILES);
        table(&mut out, "ENVIRONMENT", &ENVIRONMENT);
        section(&mut out, "EXAMPLES", EXAMPLES);
        section(&mut out, "SEE ALSO", "katascope man COMMAND prints the page of one command.");
        man.render_version_section(&mut out)?;
    } else if let Some(help) = help {
        section(&mut out, "MORE", &help);
    }
    io::stdout().write_all(&out)?;
    Ok(Exit::Clean)
}

/// A section whose lines stay as they are.
fn section(out: &mut Vec<u8>, title: &str, text: &str) {
    let _ = writeln!(out, ".SH \"{title}\"\n.nf");
    for line in text.lines() {
        let _ = writeln!(out, "{}", roff(line));
    }
    let _ = writeln!(out, ".fi");
}

fn table(out: &mut Vec<u8>, title: &str, rows: &[(&str, &str)]) {
    let _ = writeln!(out, ".SH {title}");
    for (name, text) in rows {
        let _ = writeln!(out, ".TP\n\\fB{}\\fR\n{}", roff(name), roff(text));
    }
}

/// Text that troff takes for text.
fn roff(line: &str) -> String {
    let text = line.replace('\\', "\\e").replace('-', "\\-");
    if text.starts_with(['.', '\'']) { format!("\\&{text}") } else { text }
}
