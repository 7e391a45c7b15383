//! Nodes that came home in files: `--node`, once or several times.
//!
//! Decides which collection is opened, and how much of its host's files can be looked at. The rest is as on any
//! other node.

use std::collections::HashMap;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::ValueEnum;

use super::args::{CheckArgs, CheckFormat, CriChoice, Input};
use super::narrow::{self, OnNodes};
use super::open::{Opened, open_on};
use super::pods::{self, Way};
use super::setup::{self, SetupError};
use super::{CliError, Exit, paint, what_if};
use crate::evaluate::alike::firsts_alike;
use crate::evaluate::node::NodeEvaluator;
use crate::input::Host;
use crate::input::archive::{self, Collection, Origin};
use crate::input::away::{self, Seen};
use crate::input::config::Layers;
use crate::input::manifest::Pod;
use crate::report::escape::visible;
use crate::report::matrix::{Brief, Column, Matrix};

/// What is done about the files that are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs)]
pub enum FilesChoice {
    Check,
    Assume,
}

/// The nodes in what one `--node` names; of several, `FILE#NODE` names one.
fn collections(input: &Input, path: &Path) -> Result<Vec<Arc<Collection>>, SetupError> {
    let facts = setup::facts(input)?;
    let text = path.to_string_lossy();
    let (path, wanted) = match text.rsplit_once('#') {
        Some((file, node)) if !path.exists() => (PathBuf::from(file), Some(node.to_owned())),
        _ => (path.to_owned(), None),
    };
    let mut found = archive::open(&path, &facts).map_err(|e| SetupError::Usage(format!("--node {e}")))?;
    if let Some(wanted) = wanted {
        let names: Vec<String> = found.iter().map(|node| node.name.clone()).collect();
        found.retain(|node| node.name == wanted);
        if found.is_empty() {
            let why = format!("no node '{wanted}' in it; there are {}", names.join(", "));
            return Err(SetupError::Usage(format!("--node {}: {why}", path.display())));
        }
    }
    Ok(found.into_iter().map(Arc::new).collect())
}

/// Every node that was named, in order.
fn all(input: &Input) -> Result<Vec<Arc<Collection>>, SetupError> {
    let mut all = Vec::new();
    for path in &input.node {
        all.extend(collections(input, path)?);
    }
    Ok(all)
}

/// The one node in a file that is asked about; `None` where none was named.
pub(super) fn the_one(input: &Input) -> Result<Option<Arc<Collection>>, SetupError> {
    if let Some(collection) = &input.collection {
        return Ok(Some(Arc::clone(collection)));
    }
    let found = all(input)?;
    match (input.node.first(), found.as_slice()) {
        (None, _) => Ok(None),
        (Some(_), [one]) => Ok(Some(Arc::clone(one))),
        (Some(path), several) => {
            let names: Vec<&str> = several.iter().map(|node| node.name.as_str()).collect();
            Err(SetupError::Usage(format!(
                "{} nodes, and this is about one: {}; name it as --node {}#NODE",
                several.len(),
                names.join(", "),
                path.display()
            )))
        }
    }
}

/// Opens it as the node that it is.
pub(super) fn open(input: &Input, collection: Arc<Collection>) -> Result<Opened, SetupError> {
    let said = |option: &str| collection.said.get(option).map(PathBuf::from);
    let mut input = input.clone();
    if input.config.is_none() {
        input.config = said("config");
    }
    if input.cri_config.is_none() && input.cri.is_none() {
        input.cri_config = said("cri-config");
        input.cri = match collection.said.get("cri").map(String::as_str) {
            Some("crio") => Some(CriChoice::Crio),
            Some(_) => Some(CriChoice::Containerd),
            None => None,
        };
    }
    input.version_of_node = input.kata_version.is_none();
    input.kata_version = input.kata_version.or_else(|| collection.kata_version.clone());
    input.containerd = input.containerd.or_else(|| collection.containerd_version.clone());
    let mut facts = collection.facts.clone();
    what_if::facts(&input, &mut facts)?;
    let host = Host::new(facts, Arc::clone(&collection.files));
    input.collection = Some(collection);
    open_on(&input, &host)
}

/// What the collection does not hold, in one line.
pub(super) fn lacks(collection: &Collection) -> Option<String> {
    let lacks = collection.lacks();
    let list = visible(&lacks.join("; ")).into_owned();
    let name = visible(&collection.name);
    (!lacks.is_empty()).then(|| format!("{name} ({}) does not hold: {list}", collection.origin.as_str()))
}

/// Whether the node is a part of a host's files, whatever they name.
pub(super) fn is_part(input: &Input) -> bool {
    match (input.files, &input.collection) {
        (Some(FilesChoice::Check), _) | (_, None) => false,
        (Some(FilesChoice::Assume), Some(_)) => true,
        (None, Some(collection)) => collection.origin != Origin::Root,
    }
}

/// How much of the host's files can be looked at: they may be elsewhere, and the configurations brought along.
pub(super) fn seen(input: &Input, host: &Host, mut layers: impl Iterator<Item = Layers>) -> Seen {
    let mut is_its_host = || layers.any(|layers| away::is_its_host(&layers, host));
    match (input.files, &input.collection) {
        (Some(FilesChoice::Check), _) => Seen::All,
        (Some(FilesChoice::Assume), None) if input.root.is_none() => Seen::Nothing,
        (Some(FilesChoice::Assume), _) => Seen::Part,
        (None, Some(collection)) if collection.origin != Origin::Root => Seen::Part,
        (None, Some(_)) => {
            if is_its_host() {
                Seen::All
            } else {
                Seen::Part
            }
        }
        (None, None) if input.root.is_some() || is_its_host() => Seen::All,
        (None, None) => Seen::Nothing,
    }
}

/// The pods that several nodes are compared by.
pub(super) fn pods_of_several(input: &Input, way: Way<'_>) -> Result<Vec<Pod>, CliError> {
    if input.manifests.is_empty() {
        return Err(SetupError::Usage("several nodes are compared by pods: name a manifest".into()).into());
    }
    pods::all(input, way)
}

/// The nodes of the first file, where several nodes are named; of many nodes one is in memory at a time.
pub(super) fn first_of_several(input: &Input) -> Result<Option<Vec<Arc<Collection>>>, SetupError> {
    let Some(path) = input.node.first() else { return Ok(None) };
    let first = collections(input, path)?;
    Ok((input.node.len() > 1 || first.len() > 1).then_some(first))
}

/// The pods on every node that was named; `told` hears of each node's number, how it is named again, and what
/// it is opened as, where it is unlike all before it.
pub(super) fn held_against(
    input: &Input,
    mut first: Vec<Arc<Collection>>,
    pods: &[Pod],
    mut told: impl FnMut(usize, &str, Option<Opened>),
) -> Result<Matrix, SetupError> {
    let mut matrix = Matrix::new(pods.iter());
    let firsts = firsts_alike(pods);
    let mut places = Vec::new();
    let mut alike: HashMap<[u8; 64], usize> = HashMap::new();
    for (index, path) in input.node.iter().enumerate() {
        let nodes = if index == 0 { std::mem::take(&mut first) } else { collections(input, path)? };
        let several = nodes.len() > 1;
        for node in nodes {
            let column = Column {
                name: node.name.clone(),
                origin: node.origin.as_str(),
                lacks: node.lacks(),
                error: None,
            };
            let at = path.display();
            let place = if several { format!("{at}#{}", node.name) } else { at.to_string() };
            let number = matrix.columns().len();
            let likeness = node.likeness();
            if let Some(earlier) = likeness.as_ref().and_then(|likeness| alike.get(likeness)) {
                matrix.add_alike(column, *earlier);
                told(number, &place, None);
                places.push(place);
                continue;
            }
            match open(input, node) {
                Ok(opened) => {
                    matrix.add(column, judged(&opened.node, pods, &firsts));
                    alike.extend(likeness.map(|likeness| (likeness, number)));
                    told(number, &place, Some(opened));
                }
                Err(error) => {
                    matrix.add(Column { error: Some(error.to_string()), ..column }, std::iter::empty());
                    told(number, &place, None);
                }
            }
            places.push(place);
        }
    }
    matrix.tell_apart(&places);
    Ok(matrix)
}

/// What becomes of each pod; pods that differ in their names alone are judged once.
fn judged<'n>(
    node: &'n NodeEvaluator,
    pods: &'n [Pod],
    firsts: &'n [usize],
) -> impl Iterator<Item = Brief> + 'n {
    let mut known: HashMap<usize, Brief> = HashMap::new();
    pods.iter().zip(firsts).map(move |(pod, first)| {
        if let Some(brief) = known.get(first) {
            return brief.clone();
        }
        let brief = Brief::of(&node.judge(pod));
        if !brief.names(pod) {
            known.insert(*first, brief.clone());
        }
        brief
    })
}

/// Opens one of several nodes, by how it is named.
pub(super) fn open_place(input: &Input, place: &str) -> Result<Opened, SetupError> {
    let input = Input { node: vec![PathBuf::from(place)], ..input.clone() };
    super::open::open(&input)
}

/// `check` on several nodes; `None` where there is one or none.
pub(super) fn check(args: &CheckArgs) -> Result<Option<Exit>, CliError> {
    let input = &args.input;
    let Some(first) = first_of_several(input)? else { return Ok(None) };
    let format = if args.json { CheckFormat::Json } else { args.output };
    if args.narrow.baseline.is_some() || args.narrow.write_baseline.is_some() {
        let why = "--baseline and --write-baseline are of one node: several are held against each other";
        return Err(SetupError::Usage(why.into()).into());
    }
    let way = args.jobs.map_or_else(Way::large, Way::Large);
    let mut pods = pods_of_several(input, way)?;
    let mut matrix = held_against(input, first.clone(), &pods, |_, _, _| {})?;
    if let Some(text) = &args.narrow.filter {
        let query = narrow::query(text);
        let all = pods.len();
        let mut row = 0..;
        pods.retain(|pod| row.next().is_some_and(|row| query.keeps(&OnNodes { pod, matrix: &matrix, row })));
        if pods.is_empty() {
            return Err(SetupError::Usage(format!("--filter: no pod fits '{text}'")).into());
        }
        // The counts are those of the pods that are told of.
        if pods.len() < all {
            matrix = held_against(input, first, &pods, |_, _, _| {})?;
        }
    }
    let mut out = BufWriter::new(std::io::stdout().lock());
    match format {
        _ if args.quiet => {}
        CheckFormat::Json => matrix.json(&mut out)?,
        CheckFormat::Text => matrix.text(&mut out, paint(args.color))?,
        CheckFormat::Sarif | CheckFormat::Junit | CheckFormat::Github => {
            return Err(SetupError::Usage("several nodes are reported as text or json".into()).into());
        }
    }
    out.flush()?;
    Ok(Some(if matrix.any_refused() { Exit::Found } else { Exit::Clean }))
}
