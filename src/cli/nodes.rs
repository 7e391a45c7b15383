//! Several nodes at once: pods held against each of them.
//!
//! Decides which nodes fare alike, so that each kind is judged once, and that of many one is in memory at a time.

use std::collections::HashMap;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::sync::Arc;

use super::args::{CheckArgs, CheckFormat, Input};
use super::error::SetupError;
use super::narrow::{self, OnNodes};
use super::open::{self, Opened};
use super::pods::{self, Way};
use super::{CliError, Exit, collections, paint};
use crate::evaluate::affected::firsts_alike;
use crate::evaluate::node::NodeEvaluator;
use crate::input::archive::Collection;
use crate::input::manifest::Pod;
use crate::report::matrix::{Brief, Column, Matrix};

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
    let first = collections::of_path(input, path)?;
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
        let nodes = if index == 0 { std::mem::take(&mut first) } else { collections::of_path(input, path)? };
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
            match open::open_collection(input, node) {
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
    open::open(&input)
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
