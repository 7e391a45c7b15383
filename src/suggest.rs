//! The tightest policy with which a set of pods does all that it can do, and the entries of a policy
//! that no pod of a set needs.
//!
//! Proposes exact entries and proves them by evaluating: of what is proposed, nothing can be left out.

use indexmap::IndexMap;
use indexmap::map::Entry;

use crate::answer::verdict::{Failure, ListId, Status};
use crate::catalog::{self, Gate, HYPERVISOR_PREFIX};
use crate::edit::{EditError, History, Plan, PolicyEdit, targets};
use crate::evaluate::{Evaluation, Evaluator, Outcome};
use crate::golang::filepath;
use crate::input::config::Layers;
use crate::input::manifest::Pod;
use crate::release::{Release, Runtime};

/// A regular expression for one name and no other.
pub fn exact_name(short: &str) -> String {
    format!("^{}$", regex::escape(short))
}

/// A glob for one path and no other.
pub fn exact_path(release: Release, path: &str) -> String {
    match release.runtime {
        Runtime::Rs => glob::Pattern::escape(path),
        Runtime::Go => {
            // With an escape it would be expanded, and come out in its shortest spelling.
            let special = path.contains(['*', '?', '[', '\\']);
            if !special || filepath::clean(path) != path {
                return path.to_owned();
            }
            filepath::literally(path)
        }
    }
}

/// What is proposed.
#[derive(Debug, Clone, PartialEq)]
pub struct Suggestion {
    /// Every list of the hypervisor's table, whole.
    pub lists: Vec<(ListId, Vec<String>)>,
    /// Pods that no policy makes start, by index, with the reason.
    pub impossible: Vec<(usize, Failure)>,
    /// Annotations that no policy makes take effect: the pod's index and the key.
    pub without_effect: Vec<(usize, String)>,
}

impl Suggestion {
    /// The layers with the proposed lists in place of theirs.
    pub fn layers(&self, evaluator: &Evaluator) -> Result<Layers, EditError> {
        Ok(self.history(evaluator)?.layers(&evaluator.setup().layers))
    }

    /// The edits that put the proposed lists where the present ones stand.
    pub fn history(&self, evaluator: &Evaluator) -> Result<History, EditError> {
        with_lists(evaluator, &self.lists)
    }
}

type Lists = Vec<(ListId, Vec<String>)>;

/// The lists of the table as they take effect.
fn present(evaluator: &Evaluator, table: &str) -> Lists {
    let history = History::of(&evaluator.setup().layers);
    let lists = history.lists();
    let of_table = lists.iter().filter(|(_, list)| list.id.table == table && list.editable);
    of_table.map(|(_, list)| (list.id.clone(), list.texts())).collect()
}

fn with_lists(evaluator: &Evaluator, lists: &Lists) -> Result<History, EditError> {
    let setup = evaluator.setup();
    let mut history = History::of(&setup.layers);
    for (id, items) in lists {
        let present = history.effective(id).map(|(_, list)| list.texts());
        if present.as_ref() == Some(items) || (present.is_none() && items.is_empty()) {
            continue;
        }
        let target = targets(setup.release, &setup.layers, id);
        let path = target.first().map(|t| t.path().clone()).unwrap_or_else(|| setup.layers.asked.clone());
        history.apply(&path, &PolicyEdit::Set { list: id.clone(), items: items.clone() })?;
    }
    Ok(history)
}

fn under(evaluator: &Evaluator, lists: &Lists) -> Result<Evaluator, EditError> {
    Ok(evaluator.with_layers(with_lists(evaluator, lists)?.layers(&evaluator.setup().layers)))
}

/// What counts of an evaluation: whether the pod starts, and what becomes of each annotation.
fn fate(evaluation: &Evaluation) -> (bool, Vec<Status>) {
    let statuses = evaluation.verdicts.iter().map(|verdict| verdict.status).collect();
    (evaluation.outcome == Outcome::Starts, statuses)
}

fn fates(evaluator: &Evaluator, pods: &[Pod]) -> Vec<(bool, Vec<Status>)> {
    pods.iter().map(|pod| fate(&evaluator.judge(pod))).collect()
}

/// The tightest lists with which every pod that can start does, with every annotation taking effect that
/// can. `hypervisor` is the active table.
pub fn suggest(evaluator: &Evaluator, hypervisor: &str, pods: &[Pod]) -> Result<Suggestion, EditError> {
    let release = evaluator.setup().release;
    let table = format!("hypervisor.{hypervisor}");
    let mut lists: Lists =
        catalog::lists(release).map(|list| (ListId::new(table.clone(), list), Vec::new())).collect();
    // What the pods ask for, whether or not it does them good. Pods of one template fare alike.
    let alike = alike(pods);
    let mut impossible = Vec::new();
    let mut able: Vec<(Pod, &[usize])> = Vec::new();
    let mut asked: IndexMap<Lists, Evaluator> = IndexMap::new();
    for indices in &alike {
        let Some(pod) = indices.first().and_then(|i| pods.get(*i)) else { continue };
        // An annotation that no policy makes good is left to its fate, where the pod starts without its name being
        // let in.
        let mut left_out: Vec<String> = Vec::new();
        // Why it is refused with all that it asks for let in.
        let mut why: Option<Failure> = None;
        let outcome = loop {
            let mut alone: Lists = lists.iter().map(|(id, _)| (id.clone(), Vec::new())).collect();
            ask(release, pod, &left_out, &mut alone);
            let alone = match asked.entry(alone) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => {
                    let evaluator = under(evaluator, new.key())?;
                    new.insert(evaluator)
                }
            };
            let outcome = alone.judge(pod).outcome;
            why = why.or_else(|| outcome.failure().cloned());
            match outcome.failure().and_then(|failure| failure.annotation.clone()) {
                Some(key) if !left_out.contains(&key) => left_out.push(key),
                _ => break outcome,
            }
        };
        match outcome {
            Outcome::Refused(failure) => {
                let failure = why.unwrap_or(failure);
                impossible.extend(indices.iter().map(|i| (*i, failure.clone())));
            }
            // A pod of another runtime needs nothing of this policy.
            Outcome::NotKata | Outcome::Unknown(_) => {}
            Outcome::Starts => {
                ask(release, pod, &left_out, &mut lists);
                able.push((pod.clone(), indices));
            }
        }
    }
    impossible.sort_by_key(|(index, _)| *index);
    // Then what makes no difference goes, entry by entry.
    let (able, indices): (Vec<Pod>, Vec<&[usize]>) = able.into_iter().unzip();
    let wanted = fates(&under(evaluator, &lists)?, &able);
    shrink(evaluator, &mut lists, &able, &wanted)?;
    let last = under(evaluator, &lists)?;
    let mut without_effect = Vec::new();
    for (pod, indices) in able.iter().zip(indices) {
        let idle = last.judge(pod).verdicts.into_iter().filter(|v| {
            v.key.starts_with(catalog::KATA_PREFIX)
                && !matches!(v.status, Status::Applied | Status::Overridden)
        });
        let keys: Vec<String> = idle.map(|v| v.key.into()).collect();
        without_effect.extend(indices.iter().flat_map(|i| keys.iter().map(|key| (*i, key.clone()))));
    }
    without_effect.sort();
    Ok(Suggestion { lists, impossible, without_effect })
}

/// The pods, by index, in groups whose every pod fares alike: what is evaluated of them is the same.
fn alike(pods: &[Pod]) -> Vec<Vec<usize>> {
    let mut groups: IndexMap<_, Vec<usize>> = IndexMap::new();
    for (index, pod) in pods.iter().enumerate() {
        let annotations: Vec<_> = pod.annotations.iter().map(|a| (&a.key, &a.value)).collect();
        let sizing = pod.sizing.map(|s| (s.cpu_quota, s.cpu_period, s.cpu_shares, s.memory_limit));
        let refused = (!pod.problems.is_empty()).then_some(index);
        let key = (annotations, pod.labels.in_order(|_| true), sizing, pod.form, &pod.runtime_class, refused);
        groups.entry(key).or_default().push(index);
    }
    groups.into_values().collect()
}

/// Adds the exact entries that one pod's annotations could need.
fn ask(release: Release, pod: &Pod, left_out: &[String], lists: &mut Lists) {
    for annotation in pod.annotations.iter().filter(|a| !left_out.iter().any(|key| a.key == key.as_str())) {
        let Some(short) = annotation.key.strip_prefix(HYPERVISOR_PREFIX) else { continue };
        let reader = catalog::annotation(&annotation.key).map(|a| a.reader(release));
        let read = reader.is_some_and(|reader| reader.read);
        // runtime-rs refuses the pod for a name that is enabled and unknown; Go, for one that is not.
        if !read && release.runtime == Runtime::Rs {
            continue;
        }
        add(lists, "enable_annotations", exact_name(short));
        if let Some(Gate::NameAndValue(list)) = reader.filter(|r| r.read).map(|r| r.gate) {
            add(lists, list, exact_path(release, &annotation.value));
        }
    }
}

fn add(lists: &mut Lists, name: &str, entry: String) {
    if let Some((_, entries)) = lists.iter_mut().find(|(id, _)| id.list == name)
        && !entries.contains(&entry)
    {
        entries.push(entry);
    }
}

/// Takes every entry away without which the pods fare just as `wanted`; gives those that went.
fn shrink(
    evaluator: &Evaluator,
    lists: &mut Lists,
    pods: &[Pod],
    wanted: &[(bool, Vec<Status>)],
) -> Result<Vec<(ListId, usize)>, EditError> {
    let mut gone = Vec::new();
    for list in 0..lists.len() {
        let count = lists.get(list).map_or(0, |(_, entries)| entries.len());
        for at in (0..count).rev() {
            let mut fewer = lists.clone();
            let Some((id, entries)) = fewer.get_mut(list) else { continue };
            entries.remove(at);
            let id = id.clone();
            if fates(&under(evaluator, &fewer)?, pods) == wanted {
                *lists = fewer;
                gone.push((id, at));
            }
        }
    }
    gone.reverse();
    Ok(gone)
}

/// The entries of the present policy that can all be taken away without any of the pods faring
/// differently, by list and index.
pub fn unused(
    evaluator: &Evaluator,
    hypervisor: &str,
    pods: &[Pod],
) -> Result<Vec<(ListId, usize)>, EditError> {
    let mut lists = present(evaluator, &format!("hypervisor.{hypervisor}"));
    let pods: Vec<Pod> = alike(pods).iter().filter_map(|group| pods.get(*group.first()?)).cloned().collect();
    let wanted = fates(evaluator, &pods);
    shrink(evaluator, &mut lists, &pods, &wanted)
}

/// A suggestion with what surrounds it.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposed {
    /// What is proposed.
    pub suggestion: Suggestion,
    /// Entries of the present policy that none of the pods needs, with their text.
    pub unused: Vec<(ListId, usize, String)>,
    /// The change of the files, as a unified diff.
    pub diff: String,
}

/// What is proposed for `pods`, with all that a report says of it.
pub fn propose(evaluator: &Evaluator, hypervisor: &str, pods: &[Pod]) -> Result<Proposed, EditError> {
    let suggestion = suggest(evaluator, hypervisor, pods)?;
    let diff = suggestion.history(evaluator)?.plans().iter().map(Plan::diff).collect();
    let present = History::of(&evaluator.setup().layers);
    let unused = unused(evaluator, hypervisor, pods)?
        .into_iter()
        .filter_map(|(id, at)| {
            let text = present.effective(&id)?.1.items.get(at)?.text.clone();
            Some((id, at, text))
        })
        .collect();
    Ok(Proposed { suggestion, unused, diff })
}
