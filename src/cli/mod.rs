//! Arguments and exit codes: the headless face. Knows no rule of Kata.

pub mod args;
mod beside;
mod check;
mod cluster;
mod collect;
mod collections;
mod completions;
mod diff;
mod error;
mod exit;
mod explain;
pub mod export;
mod interactive;
pub mod kubectl;
mod live;
mod machine;
mod mark;
mod narrow;
mod nodes;
mod open;
mod parallel;
mod pods;
mod policy;
mod progress;
mod running;
mod schema;
mod served_by;
mod set;
mod setup;
mod shells;
mod show;
mod upgrade;
mod watching;
mod what_if;
mod which;
mod write_out;

use std::io::{self, IsTerminal, Write};

use clap::FromArgMatches;

use args::{Cli, ColorChoice, Command, PolicyCommand};
use error::SetupError;
pub use exit::Exit;
use report::Paint;

use crate::input::host::Assumption;
use crate::report::{escape, text as report};
use crate::tui::keymap::Keymap;
use crate::tui::keys;

/// Why a command ended without its work done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    #[error(transparent)]
    Setup(#[from] SetupError),
    #[error("{0}")]
    Output(#[from] io::Error),
    #[error(transparent)]
    Edit(#[from] crate::edit::EditError),
    #[error(transparent)]
    Save(#[from] crate::edit::SaveError),
}

/// Puts the cluster among the manifests of whatever command asks it.
fn asked_of_cluster(cli: &mut Cli) {
    let input = match &mut cli.command {
        None => {
            cli.input.cluster.watch = cli.screen.watch;
            &mut cli.input
        }
        Some(Command::Check(args)) => &mut args.input,
        Some(Command::Show(args)) => &mut args.input,
        Some(Command::Diff(args)) => &mut args.input,
        Some(Command::Collect(args)) => &mut args.input,
        Some(Command::Policy(args)) => match &mut args.command {
            PolicyCommand::Suggest(args) => &mut args.input,
            _ => return,
        },
        _ => return,
    };
    if input.cluster.asked() {
        input.manifests.push(kubectl::CLUSTER.into());
    }
}

/// Runs the program on the process's arguments.
pub fn run() -> Exit {
    let cli = if shells::nothing_said() {
        Cli::default()
    } else {
        Cli::from_arg_matches(&shells::matches()).unwrap_or_else(|error| error.exit())
    };
    let mut cli = cli;
    asked_of_cluster(&mut cli);
    let result = match cli.command {
        None => interactive::run(&cli.input, &cli.screen, None),
        Some(Command::Check(args)) => check::run(&args),
        Some(Command::Show(args)) => show::run(&args),
        Some(Command::Diff(args)) => diff::run(&args),
        Some(Command::Explain(args)) => explain::run(&args),
        Some(Command::Policy(args)) => policy::run(&args.command),
        Some(Command::Which(args)) => which::run(&args),
        Some(Command::Upgrade(args)) => upgrade::run(&args),
        Some(Command::Live(args)) => live::run(&args),
        Some(Command::Collect(args)) => collect::run(&args),
        Some(Command::Schema(args)) => schema::run(&args),
        Some(Command::Completions { shell }) => Ok(completions::print(shell)),
        Some(Command::Man { command }) => {
            let keys = keys::roff(&keys::sections(&Keymap::default()));
            shells::man(command.as_deref(), &keys)
        }
        Some(Command::Settings) => settings(),
    };
    match result {
        Ok(exit) => exit,
        // A closed pipe ends quietly: the reader has seen enough.
        Err(CliError::Output(e)) if e.kind() == io::ErrorKind::BrokenPipe => Exit::Clean,
        Err(error) => {
            let text = escape::visible_lines(&error.to_string());
            let _ = writeln!(io::stderr(), "katascope: {text}");
            if let Some(mark) = mark::under(&error.to_string()) {
                let _ = writeln!(io::stderr(), "{mark}");
            }
            Exit::Trouble
        }
    }
}

fn settings() -> Result<Exit, CliError> {
    let path = crate::tui::env::Env::capture().settings_path();
    let shown = path.as_ref().map_or("nowhere: HOME is not set".into(), |p| p.display().to_string());
    let there = if path.is_some_and(|p| p.exists()) { "" } else { " (not there)" };
    write!(io::stdout(), "# read from {shown}{there}\n{}", crate::tui::settings::DEFAULT)?;
    Ok(Exit::Clean)
}

/// Says on standard error what the answer rests on that nobody has looked at.
fn say_assumed(assumed: &[Assumption]) {
    // The network that is assumed for every pod is said in reports of pods alone.
    let is_news = |what: &Assumption| what.decides() || matches!(what, Assumption::Machine(_));
    if let Some(line) =
        report::assumed(assumed, Paint { color: false }).filter(|_| assumed.iter().any(is_news))
    {
        let _ = write!(io::stderr(), "katascope: {line}");
    }
}

fn paint(choice: ColorChoice) -> Paint {
    let color = match choice {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => {
            io::stdout().is_terminal()
                && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
                && std::env::var_os("TERM").is_none_or(|t| t != "dumb")
        }
    };
    Paint { color }
}
