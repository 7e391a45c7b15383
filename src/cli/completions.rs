//! Completions for a shell, with the values that it can offer.
//!
//! Decides no argument: all of it is read off the definition in `args` and the names in the catalogue. Where
//! clap's generators fall short (clap_complete 4.6), their scripts are mended here.

use std::collections::BTreeMap;
use std::io::{self, Write};

use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Arg, Command, CommandFactory};
use clap_complete::Shell;

use super::Exit;
use super::args::Cli;
use super::shells::{PLUGIN, is_plugin};
use crate::catalog;
use crate::release::Release;

/// Prints completions for the name that the program was called by.
pub(super) fn print(shell: Shell) -> Exit {
    let name = if is_plugin() { PLUGIN } else { "katascope" };
    let command = with_values(Cli::command());
    let mut script = Vec::new();
    match shell {
        Shell::Zsh => {
            clap_complete::generate(shell, &mut options_only(&command), name, &mut script);
            script = offer_files(&String::from_utf8_lossy(&script), name).into_bytes();
        }
        Shell::Fish => {
            clap_complete::generate(shell, &mut command.clone(), name, &mut script);
            fish_operands(&command, &mut Vec::new(), name, &mut script);
        }
        _ => clap_complete::generate(shell, &mut command.clone(), name, &mut script),
    }
    // A reader that has seen enough is no trouble.
    let _ = io::stdout().write_all(&script);
    Exit::Clean
}

/// The command with the values that a shell can offer where any text is taken.
fn with_values(command: Command) -> Command {
    let command = fill(command);
    let below: Vec<String> = command.get_subcommands().map(|c| c.get_name().to_owned()).collect();
    below.into_iter().fold(command, |command, name| command.mut_subcommand(name, with_values))
}

fn fill(command: Command) -> Command {
    let explained = command.get_name() == "explain";
    command.mut_args(|arg| match arg.get_id().as_str() {
        "words" if explained => offer(arg, keys()),
        "hypervisor" => offer(arg, plain(hypervisors())),
        "arch" => offer(arg, plain(["x86_64", "aarch64", "s390x", "ppc64le", "riscv64"])),
        "list" => offer(arg, plain(Release::STOPS.into_iter().flat_map(catalog::lists))),
        "with" => offer(
            arg,
            plain(["runtime=go", "runtime=rs", "kata-version=2.1", "kata-version=4.1", "pod=none"]),
        ),
        _ => arg,
    })
}

fn offer(arg: Arg, values: BTreeMap<&'static str, &'static str>) -> Arg {
    let values = values.into_iter().map(|(name, help)| {
        let value = PossibleValue::new(name);
        if help.is_empty() { value } else { value.help(help) }
    });
    arg.value_parser(PossibleValuesParser::new(values.collect::<Vec<_>>()))
}

fn plain(names: impl IntoIterator<Item = &'static str>) -> BTreeMap<&'static str, &'static str> {
    names.into_iter().map(|name| (name, "")).collect()
}

/// What `explain` knows by its short name.
fn keys() -> BTreeMap<&'static str, &'static str> {
    let keys = catalog::all_config_keys().iter().map(|key| (key.key, key.summary));
    let annotations = catalog::all_annotations().iter().map(|a| (a.base(), a.summary));
    keys.chain(annotations).filter(|(name, _)| !name.is_empty()).collect()
}

fn hypervisors() -> impl Iterator<Item = &'static str> {
    let readers = catalog::all_annotations().iter();
    readers.flat_map(|a| Release::STOPS.map(|g| a.reader(g).hypervisors)).flatten().copied()
}

/// The command without the files that it may be given directly: zsh would take a subcommand's name for the
/// first of them, and complete nothing after it.
fn options_only(command: &Command) -> Command {
    Command::new(command.get_name().to_owned())
        .args(command.get_arguments().filter(|arg| !arg.is_positional()).cloned())
        .subcommands(command.get_subcommands().cloned())
}

/// Those files, offered beside the subcommands.
fn offer_files(script: &str, name: &str) -> String {
    let commands = format!("    _describe -t commands '{name} commands' commands \"$@\"\n");
    script.replacen(&commands, &format!("{commands}    _files\n"), 1)
}

/// The generator for fish offers the values of options only: those of the arguments, beside files. `path` are
/// the subcommands above.
fn fish_operands<'a>(command: &'a Command, path: &mut Vec<&'a str>, name: &str, script: &mut Vec<u8>) {
    let values: Vec<PossibleValue> = command
        .get_positionals()
        .flat_map(|arg| arg.get_value_parser().possible_values())
        .flatten()
        .collect();
    let function = name.replace('-', "_");
    let place = match path.as_slice() {
        [] => None,
        [above] => Some(format!("__fish_{function}_using_subcommand {above}")),
        [above, .., last] => Some(format!(
            "__fish_{function}_using_subcommand {above}; and __fish_seen_subcommand_from {last}"
        )),
    };
    if let Some(place) = place {
        for value in values.iter().filter(|value| !value.is_hide_set()) {
            let quoted = |text: &str| text.replace('\\', "\\\\").replace('\'', "\\'");
            let _ = write!(script, "complete -c {name} -n \"{place}\" -a '{}'", quoted(value.get_name()));
            if let Some(help) = value.get_help() {
                let _ = write!(script, " -d '{}'", quoted(&help.to_string()));
            }
            let _ = writeln!(script);
        }
    }
    for below in command.get_subcommands() {
        path.push(below.get_name());
        fish_operands(below, path, name, script);
        path.pop();
    }
}
