//! Without a command: the terminal program over what was said on the command line.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{CommandFactory, Parser, ValueEnum};

use super::args::{Cli, ColorChoice, Input, RuntimeChoice, ScreenOptions};
use super::error::SetupError;
use super::kubectl::CLUSTER;
use super::machine::{self, Machine};
use super::pods::Way;
use super::{CliError, Exit, nodes, open, pods, watching};
use crate::answer::verdict::ListId;
use crate::edit::{RealDisk, Target, targets, writable};
use crate::evaluate::node::NodeEvaluator;
use crate::input::archive::Collection;
use crate::input::config::Layers;
use crate::input::reading::Reading;
use crate::release::Release;
use crate::report::beside::Runs;
use crate::tui::effect::{Fresh, News, Rights, Watched};
use crate::tui::env::Colours;
use crate::tui::invocation::Invocation;
use crate::tui::model::live::Live;
use crate::tui::model::nodes::Nodes;
use crate::tui::model::pods::First;
use crate::tui::spelling::distance;
use crate::tui::{self, Ended, Open, Opening, Session, Wanted};

/// Opens the screens; at the VMs that run, where those are given.
pub(super) fn run(input: &Input, screen: &ScreenOptions, live: Option<Live>) -> Result<Exit, CliError> {
    if let Some((said, meant)) = misspelt(input) {
        return Err(SetupError::Usage(format!(
            "no command and no file is named '{said}'; did you mean katascope {meant}?"
        ))
        .into());
    }
    if !io::stdout().is_terminal() {
        return Err(SetupError::Usage(
            "no terminal; `katascope check` prints the same (see katascope --help)".into(),
        )
        .into());
    }
    let piped = input.manifests.iter().any(|p| p == Path::new("-"));
    let typed = piped && io::stdin().is_terminal();
    let small = !piped && pods::are_small(input);
    let opening = Opening {
        load: {
            let mut input = input.clone();
            input.cluster.screens = true;
            let (input, readonly) = (Arc::new(input), screen.readonly);
            Box::new(move |reading| {
                let mut session = load(&input, readonly, small, reading)?;
                session.live = live;
                Ok::<_, CliError>(session)
            })
        },
        beside: !typed && !small,
        colours: match screen.color {
            ColorChoice::Auto => Colours::Auto,
            ColorChoice::Always => Colours::Always,
            ColorChoice::Never => Colours::Never,
        },
        settings: screen.settings.clone(),
    };
    match crate::tui::run(opening)?? {
        Ended::Quit => Ok(Exit::Clean),
        Ended::Signal(number) => {
            // Whoever waits for this process is told the truth about how it ended.
            let _ = signal_hook::low_level::emulate_default_handler(number);
            Ok(Exit::Trouble)
        }
    }
}

/// The same on the screen of the VMs that run: this machine's, or those of a text.
pub(super) fn run_live(input: &Input, screen: &ScreenOptions, runs: Option<Runs>) -> Result<Exit, CliError> {
    run(input, screen, Some(runs.map(Live::of_text).unwrap_or_default()))
}

/// Reads everything that the screens show; pods that take a while beside the configuration.
fn load(
    input: &Arc<Input>,
    readonly: bool,
    small: bool,
    reading: &Arc<Reading>,
) -> Result<Session, CliError> {
    if let Some(first) = nodes::first_of_several(input)? {
        return load_several(input, readonly, first, reading);
    }
    let begun = if small {
        None
    } else {
        let (input, reading) = (input.clone(), reading.clone());
        Some(std::thread::Builder::new().spawn(move || pods::all(&input, Way::Told(&reading)))?)
    };
    let opened = open::open_readable(input)?;
    let sample = opened.sample;
    let root = opened.root_of_files(input);
    let node = opened.node;
    if let (None, Err(why)) = (node.only(), &node.node().handlers) {
        return Err(SetupError::Usage(format!("the container runtime serves no pods: {why}")).into());
    }
    if node.policies().next().is_none() {
        return Err(open::which_one(&node, None).into());
    }
    let pods = match begun {
        Some(begun) => begun.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?,
        None => pods::all(input, Way::Small)?,
    };
    reading.pods(pods.len());
    let piped = input.manifests.iter().any(|p| p == Path::new("-"));
    let first = First::of(node, pods);
    let in_file = !input.node.is_empty();
    let rights_of = {
        let root = root.clone();
        move |layers: &Layers, release: Release| match sample {
            true => rights_of_sample(),
            false if in_file => rights_of_a_file(),
            false => rights(layers, release, &root),
        }
    };
    let reload = {
        let (input, node) = (input.clone(), first.node.clone());
        // What cannot be read a second time.
        let kept = if sample || piped { first.pods.clone() } else { Vec::new() };
        move |wanted: Wanted<'_>| {
            if sample {
                return Ok(Fresh {
                    layers: layers_of(&node, wanted.handler)?,
                    pods: kept.clone(),
                    node: node.clone(),
                    matrix: None,
                });
            }
            node.node().host.looking().forget();
            let pods = if piped {
                kept.clone()
            } else {
                pods::all(&input, Way::large()).map_err(|e| e.to_string())?
            };
            let node = open::open(&input).map_err(|e| e.to_string())?.node;
            Ok(Fresh { layers: layers_of(&node, wanted.handler)?, pods, node, matrix: None })
        }
    };
    let real_path = {
        let root = root.clone();
        move |shown: &str| real(&root, shown)
    };
    let release = first.node.policies().next().map(|(_, evaluator)| evaluator.setup().release);
    let watched = match input.cluster.watch {
        true => Some(watched(watching::begin(input, first.pods.clone())?)),
        false => None,
    };
    Ok(Session {
        first,
        watched,
        reload: Box::new(reload),
        rights_of: Box::new(rights_of),
        real_path: Box::new(real_path),
        root,
        readonly: readonly.then(why_readonly),
        sample,
        nodes: None,
        machine: machine(input, sample || in_file),
        live: None,
        invocation: release.map(|release| invocation(input, release)).unwrap_or_default(),
        open: opener(readonly),
    })
}

/// Reads what other words name, as on the command line.
fn opener(readonly: bool) -> Open {
    Box::new(move |words| {
        let cli = Cli::try_parse_from(std::iter::once("katascope").chain(words.iter().map(String::as_str)));
        let mut cli = cli.map_err(|error| {
            let text = error.to_string();
            let first = text.lines().next().unwrap_or_default();
            first.strip_prefix("error: ").unwrap_or(first).to_owned()
        })?;
        if cli.command.is_some() {
            return Err("a command is for the shell: here are what to look at, and what with".into());
        }
        if let Some((said, meant)) = misspelt(&cli.input) {
            return Err(format!("no file is named '{said}'; katascope {meant} is a command, for the shell"));
        }
        if cli.input.manifests.iter().any(|path| path == Path::new("-")) {
            return Err("standard input was read already, or is the keyboard".into());
        }
        super::asked_of_cluster(&mut cli);
        cli.input.cluster.screens = true;
        let small = pods::are_small(&cli.input);
        load(&Arc::new(cli.input), readonly, small, &Arc::default()).map_err(|error| error.to_string())
    })
}

/// What looks at this machine; not where what is shown is no configuration of its.
fn machine(input: &Input, elsewhere: bool) -> tui::Machine {
    const ELSEWHERE: &str = "this is not the configuration of a machine that can be looked at";
    if elsewhere {
        let look = Box::new(|| Err(ELSEWHERE.to_owned()));
        return tui::Machine { look, beside: Box::new(|_, _| Err(ELSEWHERE.to_owned())) };
    }
    // A VM's own bundle tells its pod, whatever manifests are shown.
    let input = Input { manifests: Vec::new(), pod: None, ..input.clone() };
    let looking = input.clone();
    tui::Machine {
        look: Box::new(move || {
            let machine = Machine::look(&looking).map_err(|e| e.to_string())?;
            Ok(machine.vms.iter().map(machine::Live::seen).collect())
        }),
        beside: Box::new(move |sandbox, pod| {
            let machine = Machine::look(&input).map_err(|e| e.to_string())?;
            let (beside, _) = machine.beside(&input, sandbox, Some(pod)).map_err(|e| e.to_string())?;
            Ok(beside)
        }),
    }
}

/// The cluster as the screens listen to it.
fn watched(mut cluster: watching::Watched) -> Watched {
    let words = cluster.words.clone();
    let hear = move || {
        Some(match cluster.hear()? {
            watching::News::Pods(pods, text) => News::Pods { pods, text },
            watching::News::Ended(why) => News::Ended(why),
        })
    };
    Watched { words, hear: Box::new(hear) }
}

fn why_readonly() -> String {
    "started with --readonly".to_owned()
}

fn rights_of_a_file() -> Rights {
    let reason = Some("a node in a file is not written to".to_owned());
    Rights { files: reason.clone(), drop_in: reason }
}

/// The same over several nodes in files: all pods on all of them, and the first that can be read opened.
fn load_several(
    input: &Arc<Input>,
    readonly: bool,
    first: Vec<Arc<Collection>>,
    reading: &Arc<Reading>,
) -> Result<Session, CliError> {
    if input.cluster.watch {
        return Err(SetupError::Usage(
            "--watch keeps the pods of one node current, and several are named".into(),
        )
        .into());
    }
    let pods = nodes::pods_of_several(input, Way::Told(reading))?;
    let (mut places, mut opened) = (Vec::new(), None);
    let held = nodes::held_against(input, first, &pods, |number, place, found| {
        reading.node(number + 1, input.node.len().max(number + 1));
        places.push(place.to_owned());
        if let Some(found) = found.filter(|found| found.node.policies().next().is_some())
            && opened.is_none()
        {
            opened = Some((number, found));
        }
    })?;
    let Some((number, found)) = opened else {
        let why = held.columns().iter().find_map(|column| column.error.clone());
        let why = why.unwrap_or_else(|| "none of these nodes has a Kata handler".into());
        return Err(SetupError::Usage(why).into());
    };
    let piped = input.manifests.iter().any(|p| p == Path::new("-"));
    let mut kept = if piped { pods.clone() } else { Vec::new() };
    let first = First::of(found.node, pods);
    let reload = {
        let (input, places) = (input.clone(), places.clone());
        move |wanted: Wanted<'_>| {
            let place = places.get(wanted.node).ok_or("there is no such node")?;
            let node = nodes::open_place(&input, place).map_err(|e| format!("{place}: {e}"))?.node;
            if node.policies().next().is_none() {
                return Err(format!("{place}: {}", open::which_one(&node, None)));
            }
            let layers = match wanted.handler {
                None => node.policies().next().map(|(_, evaluator)| evaluator.setup().layers.clone()),
                named => Some(layers_of(&node, named)?),
            };
            let layers = layers.ok_or("the node has no configuration")?;
            if !wanted.pods {
                return Ok(Fresh { layers, pods: Vec::new(), node, matrix: None });
            }
            let pods = if piped {
                std::mem::take(&mut kept)
            } else {
                nodes::pods_of_several(&input, Way::large()).map_err(|e| e.to_string())?
            };
            if piped {
                kept.clone_from(&pods);
            }
            let first = nodes::first_of_several(&input).map_err(|e| e.to_string())?.unwrap_or_default();
            let matrix =
                nodes::held_against(&input, first, &pods, |_, _, _| {}).map_err(|e| e.to_string())?;
            Ok(Fresh { layers, pods, node, matrix: Some(matrix) })
        }
    };
    let release = first.node.policies().next().map(|(_, evaluator)| evaluator.setup().release);
    let root = PathBuf::from("/");
    let mut said = release.map(|release| invocation(input, release)).unwrap_or_default();
    said.place = places.get(number).cloned();
    said.places = places;
    Ok(Session {
        first,
        watched: None,
        reload: Box::new(reload),
        rights_of: Box::new(|_, _| rights_of_a_file()),
        real_path: Box::new(|shown: &str| PathBuf::from(shown)),
        root,
        readonly: readonly.then(why_readonly),
        sample: false,
        machine: machine(input, true),
        live: None,
        nodes: Some(Nodes { matrix: held, opened: number, at: number }),
        invocation: said,
        open: opener(readonly),
    })
}

/// The configuration of the handler that is looked at.
fn layers_of(node: &NodeEvaluator, handler: Option<&str>) -> Result<Layers, String> {
    let judge = match (node.only(), handler) {
        (Some(only), _) => Some(only),
        (None, Some(name)) => node.of_handler(name).map(|judge| judge.evaluator),
        (None, None) => None,
    };
    let judge = judge.ok_or_else(|| "the handler is gone; nothing was read".to_owned())?;
    Ok(judge.setup().layers.clone())
}

/// What of the files, and beside them, cannot be written.
fn rights(layers: &Layers, release: Release, root: &Path) -> Rights {
    let disk = RealDisk::new(root);
    let refused = |path: &str| writable(&disk, path).err().map(|e| e.to_string());
    // Where a new drop-in lies does not depend on the list that it sets.
    let any = ListId::new("runtime", "enable_annotations");
    let drop_in = targets(release, layers, &any).into_iter().find_map(|target| match target {
        Target::NewDropIn(path) => Some(path),
        Target::File(_) | Target::DropIn(_) => None,
    });
    Rights { files: refused(&layers.asked), drop_in: drop_in.and_then(|path| refused(&path)) }
}

fn rights_of_sample() -> Rights {
    let reason = Some("the sample lies in this program".to_owned());
    Rights { files: reason.clone(), drop_in: reason }
}

/// A first word that is no file but nearly a command.
fn misspelt(input: &Input) -> Option<(String, String)> {
    let said = input.manifests.first().filter(|path| !path.exists())?.to_str()?;
    let near = |name: &str| distance(said, name) <= 1 + said.len() / 5;
    let command = Cli::command();
    let meant = command.get_subcommands().map(|c| c.get_name()).find(|name| near(name))?;
    Some((said.to_owned(), meant.to_owned()))
}

/// The words that say `input` again.
fn invocation(input: &Input, release: Release) -> Invocation {
    let said = |options: &[(&str, Option<String>)]| -> Vec<String> {
        let mut words = Vec::new();
        for (option, value) in options {
            if let Some(value) = value {
                words.extend([(*option).to_owned(), value.clone()]);
            }
        }
        words
    };
    fn path(path: &Option<PathBuf>) -> Option<String> {
        path.as_ref().map(|p| p.display().to_string())
    }
    fn choice<T: ValueEnum + PartialEq>(chosen: &T, default: Option<&T>) -> Option<String> {
        if default == Some(chosen) {
            return None;
        }
        chosen.to_possible_value().map(|v| v.get_name().to_owned())
    }
    Invocation {
        place: input.node.first().map(|path| path.display().to_string()),
        places: Vec::new(),
        configuration: said(&[
            ("-c", path(&input.config)),
            ("--hypervisor", input.hypervisor.clone()),
            ("--root", path(&input.root)),
        ]),
        runtime: said(&[
            ("--runtime", choice(&input.runtime, Some(&RuntimeChoice::Auto))),
            ("--kata-version", input.kata_version.clone()),
        ]),
        release: Some(release),
        node: said(&[
            ("--cri", input.container_runtime.cri.as_ref().and_then(|c| choice(c, None))),
            ("--cri-config", path(&input.container_runtime.cri_config)),
            ("--containerd", input.container_runtime.containerd.clone()),
            ("--crio", input.container_runtime.crio.clone()),
            ("--handler", input.handler.clone()),
            ("--kubelet", path(&input.kubelet)),
            ("--kubernetes", input.kubernetes.clone()),
            ("--host", path(&input.host)),
            ("--cpus", input.cpus.map(|n| n.to_string())),
            ("--memory", input.memory.map(|n| n.to_string())),
            ("--arch", input.arch.clone()),
            ("--sandbox-id", input.sandbox_id.clone()),
        ])
        .into_iter()
        .chain(input.set.iter().flat_map(|word| ["--set".to_owned(), word.clone()]))
        .collect(),
        manifests: input
            .manifests
            .iter()
            .filter(|path| *path != Path::new(CLUSTER))
            .map(|path| path.display().to_string())
            .chain(input.cluster.said())
            .collect(),
        pod: input.pod.clone(),
    }
}

/// Where a shown path lies: below the root, unless it is a manifest named as it lies.
fn real(root: &Path, shown: &str) -> PathBuf {
    match shown.strip_prefix('/') {
        Some(inside) => {
            let below = root.join(inside);
            if below.exists() { below } else { PathBuf::from(shown) }
        }
        None => PathBuf::from(shown),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::release::Runtime;

    #[test]
    fn the_words_say_everything_again() {
        let said = "katascope -c a.toml --root / --hypervisor qemu --runtime go --kata-version 2.1 --cri crio \
            --cri-config c.conf --containerd 2.1 --crio 1.30 --handler kata --kubelet k.yaml --kubernetes 1.30 \
            --host h.toml --cpus 3 --memory 4096 --arch aarch64 --sandbox-id abc pods.yaml more --pod a/b --readonly --color never";
        let input = Cli::try_parse_from(said.split_whitespace()).unwrap().input;
        let words = invocation(&input, Release::go(2, 1, 0)).pods(&["check"], Release::go(2, 1, 0), None);
        assert_eq!(words[1], "check");
        let again = Cli::try_parse_from(words.iter().filter(|w| *w != "check")).unwrap().input;
        assert_eq!(format!("{again:?}"), format!("{input:?}"));
        let none = invocation(&Input::default(), Release::newest(Runtime::Rs));
        assert_eq!(none.pods(&["check"], Release::newest(Runtime::Rs), None), ["katascope", "check"]);
        let other = none.policy(&["policy", "audit"], Release::go(2, 1, 0));
        assert_eq!(other[3..], ["--runtime=go", "--kata-version=2.1.0"]);
    }
}
