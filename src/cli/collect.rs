//! `katascope collect`: what a node's answers rest on, in one archive.
//!
//! Decides nothing about nodes: it opens the node as every other command does and asks it everything that a pod
//! may ask; what was looked up on the way goes into the archive.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::args::CollectArgs;
use super::error::{SetupError, plain};
use super::setup;
use super::{CliError, Exit, open, pods};
use crate::audit;
use crate::edit::output::{self, Existing};
use crate::evaluate::node::NodeEvaluator;
use crate::input::Host;
use crate::input::archive::record::{Recorded, Recorder};
use crate::input::away::named_files;
use crate::input::host::{DiskFiles, Files};
use crate::input::manifest::Pod;
use crate::report::escape::visible;
use crate::runtime::Depth;

/// Files that tell of releases and of kubelet, whoever names them.
const WORTH_KNOWING: [&str; 4] =
    ["/opt/kata/VERSION", "/opt/kata/versions.yaml", "/etc/os-release", "/var/lib/kubelet/config.yaml"];

pub(super) fn run(args: &CollectArgs) -> Result<Exit, CliError> {
    let recorded = recorded(args)?;
    for what in recorded.withheld() {
        let _ = writeln!(io::stderr(), "katascope: left out {}", visible(what));
    }
    if args.print {
        write!(io::stdout(), "{}", recorded.list())?;
        return Ok(Exit::Clean);
    }
    let path =
        args.output.clone().unwrap_or_else(|| PathBuf::from(format!("katascope-{}.tar.gz", recorded.name())));
    if path == Path::new("-") {
        recorded.write(io::stdout().lock())?;
        return Ok(Exit::Clean);
    }
    let unwritable =
        |error: io::Error| SetupError::Unreadable { path: path.display().to_string(), reason: plain(&error) };
    // A name that nobody chose takes no file's place.
    let existing = if args.output.is_some() { Existing::Replace } else { Existing::Keep };
    output::put_with(&path, existing, |out| recorded.write(out)).map_err(unwritable)?;
    writeln!(
        io::stdout(),
        "{}: {} paths of {}, {} of them with their bytes, {} values left out; open it with --node",
        path.display(),
        recorded.paths(),
        visible(recorded.name()),
        recorded.contents(),
        recorded.withheld().len()
    )?;
    Ok(Exit::Clean)
}

/// The folders of the files that configurations name: annotations name others in there. Not those of the system,
/// which hold many.
fn beside_what_is_named(node: &NodeEvaluator, host: &Host) -> BTreeSet<String> {
    const FEW: usize = 100;
    let files = node.policies().flat_map(|(_, evaluator)| named_files(&evaluator.setup().layers));
    let folder = |path: String| Some(path.rsplit_once('/')?.0.to_owned());
    let mut folders: BTreeSet<String> = files.filter_map(folder).collect();
    folders.retain(|folder| host.read_dir(folder).is_ok_and(|names| names.len() <= FEW));
    folders
}

fn recorded(args: &CollectArgs) -> Result<Recorded, CliError> {
    let input = &args.input;
    let facts = setup::facts(input)?;
    let root = input.root.clone().unwrap_or_else(|| PathBuf::from("/"));
    let recorder = Arc::new(Recorder::new(Arc::new(DiskFiles::new(&root))));
    let host = Host::new(facts.clone(), Arc::clone(&recorder) as Arc<dyn Files>);
    let opened = open::open_on(input, &host)?;
    for (_, evaluator) in opened.node.policies() {
        // None of it is wanted: what it looks at is, the files of changes that are tried included.
        let _ = evaluator.base();
        let _ = evaluator.evaluate_and_advise(&Pod::bare(), Depth::Full);
        if let Some(hypervisor) = audit::active(evaluator) {
            let _ = audit::of_setup(evaluator.setup(), &hypervisor);
        }
    }
    for folder in
        beside_what_is_named(&opened.node, &Host::new(facts.clone(), Arc::new(DiskFiles::new(&root))))
    {
        let _ = host.read_dir(&folder);
    }
    if !input.manifests.is_empty() {
        pods::each(input, |pod| {
            opened.node.evaluate_and_advise(&pod, Depth::Full);
            Ok(())
        })?;
    }
    for path in WORTH_KNOWING {
        let _ = host.read(path);
    }
    let hostname = host.read("/etc/hostname").ok();
    let hostname = hostname.map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned());
    let folder = || root.canonicalize().ok()?.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = hostname.filter(|name| !name.is_empty()).or_else(folder).unwrap_or_else(|| "node".to_owned());
    let name: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || "-._".contains(c) { c } else { '-' }).collect();
    Ok(recorder.finish(&name, &facts, opened.said_of(input)))
}
