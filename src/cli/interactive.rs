//! Without a command: the terminal program over what was said on the command line.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use super::args::{ColorChoice, Input, ScreenOptions};
use super::setup::{self, SetupError};
use super::{CliError, Exit, pods};
use crate::edit::{RealDisk, writable};
use crate::input::config::Layers;
use crate::input::manifest::Pod;
use crate::tui::effect::Fresh;
use crate::tui::env::Colours;
use crate::tui::{Ended, Session};

/// Opens the screens.
pub(super) fn run(input: &Input, screen: &ScreenOptions) -> Result<Exit, CliError> {
    if !io::stdout().is_terminal() {
        return Err(SetupError::Usage(
            "no terminal; `katascope check` prints the same (see katascope --help)".into(),
        )
        .into());
    }
    let (evaluator, chosen) = setup::evaluator(input)?;
    let pods = read_pods(input)?;
    let asked = chosen.layers.asked.to_string();
    let root = chosen.root.clone();
    let real_path = {
        let root = root.clone();
        move |shown: &str| real(&root, shown)
    };
    let readonly = screen.readonly.then(|| "started with --readonly".to_owned());
    let unwritable = if chosen.sample {
        Some("the sample lies in this program".to_owned())
    } else {
        writable(&RealDisk::new(&root), &asked).err().map(|e| e.to_string())
    };
    let reload = {
        let (input, host, kept) = (input.clone(), evaluator.setup().host.clone(), pods.clone());
        let (sample, layers) = (chosen.sample, chosen.layers.clone());
        move || {
            if sample {
                return Ok(Fresh { layers: layers.clone(), pods: kept.clone() });
            }
            host.forget();
            // Standard input was read to its end; its pods stay.
            let piped = input.manifests.iter().any(|p| p == Path::new("-"));
            let pods = if piped { kept.clone() } else { read_pods(&input).map_err(|e| e.to_string())? };
            let layers: Layers = setup::layers(&input, &host).map_err(|e| e.to_string())?.layers;
            Ok(Fresh { layers, pods })
        }
    };
    let session = Session {
        evaluator,
        pods,
        reload: Box::new(reload),
        real_path: Box::new(real_path),
        root,
        readonly,
        unwritable,
        sample: chosen.sample,
        colours: match screen.color {
            ColorChoice::Auto => Colours::Auto,
            ColorChoice::Always => Colours::Always,
            ColorChoice::Never => Colours::Never,
        },
        settings: screen.settings.clone(),
        words: std::iter::once("katascope".to_owned()).chain(std::env::args().skip(1)).collect(),
    };
    match crate::tui::run(session)? {
        Ended::Quit => Ok(Exit::Clean),
        Ended::Signal(number) => {
            // Whoever waits for this process is told the truth about how it ended.
            let _ = signal_hook::low_level::emulate_default_handler(number);
            Ok(Exit::Trouble)
        }
    }
}

fn read_pods(input: &Input) -> Result<Vec<Pod>, CliError> {
    let mut found = Vec::new();
    pods::each(input, |pod| {
        found.push(pod);
        Ok(())
    })?;
    Ok(found)
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
