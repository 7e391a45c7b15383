//! `katascope upgrade`: what another release would change, for these handlers and these pods.

use std::io::{self, BufWriter, Write};

use super::args::{Input, UpgradeArgs};
use super::error::SetupError;
use super::{CliError, Exit, open, paint, pods, say_assumed, setup};
use crate::release::{Judged, Runtime};
use crate::report::upgrade as report;
use crate::upgrade::upgrade;

pub(super) fn run(args: &UpgradeArgs) -> Result<Exit, CliError> {
    let node = open::open_readable(&args.input)?.node;
    say_assumed(&node.assumed());
    let mut all = Vec::new();
    pods::each(&args.input, |pod| {
        all.push(pod);
        Ok(())
    })?;
    let other = Input { kata_version: Some(args.to.clone()), ..args.input.clone() };
    let to = |runtime: Runtime| -> Result<Judged, String> {
        let judged = setup::release_of(&other, runtime);
        judged.map_err(|error| error.to_string().replace("--kata-version: ", ""))
    };
    if let (Err(why), Err(_)) = (to(Runtime::Go), to(Runtime::Rs)) {
        return Err(SetupError::Usage(format!("--to: {why}")).into());
    }
    let upgrade = upgrade(&node, &to, &all);
    let mut out = BufWriter::new(io::stdout().lock());
    if args.output.is_json() {
        crate::report::json::print(&mut out, &report::json(&upgrade))?;
    } else {
        report::text(&mut out, &upgrade, paint(args.output.color))?;
    }
    out.flush()?;
    Ok(if upgrade.breaks() { Exit::Found } else { Exit::Clean })
}
