//! The way out of a refusal before the runtime is asked: by Kubernetes or by the container runtime.
//!
//! Decides without trying: what is to be changed stands in the message, in the problem that Kubernetes has
//! with the object, or in the catalogue's advice on the message.

use crate::answer::finding::Who;
use crate::answer::verdict::{Failure, FailureStage, Fix};
use crate::answer::way_out::WayOut;
use crate::evaluate::Evaluation;
use crate::explain::messages::{Decoded, decode};
use crate::input::manifest::Pod;

/// The way out for a pod that is refused before the runtime is asked.
pub(in crate::evaluate) fn put_outside(pod: &Pod, evaluation: &mut Evaluation) {
    let way_out = evaluation.outcome.failure().map(|failure| outside(pod, evaluation, failure));
    evaluation.way_out = way_out;
}

fn outside(pod: &Pod, evaluation: &Evaluation, failure: &Failure) -> WayOut {
    let decoded = decode(&failure.message);
    let problem = pod.problems.iter().find(|problem| problem.named);
    let fix = problem.and_then(|problem| problem.fix.clone());
    let near = decoded.as_ref().and_then(|decoded| decoded.value.as_deref()).and_then(near_field);
    let fix = fix
        .map(|fix| Fix::Advice(fix.into()))
        .or(near.map(|near| Fix::Advice(format!("write {near}").into())));
    let of_finding = evaluation.findings.iter().filter(|f| f.fix.is_some()).find_map(|f| f.place.clone());
    let place =
        problem.and_then(|problem| problem.place.clone()).or(of_finding).or_else(|| Some(pod.place()));
    let advice = decoded.as_ref().map_or_else(
        || {
            "correct what the message names, in the manifest or in the container runtime's configuration"
                .to_owned()
        },
        |decoded| decoded.message.advice.to_owned(),
    );
    let of_stage = match failure.stage {
        FailureStage::Kubernetes => Who::PodAuthor,
        _ => Who::ClusterAdministrator,
    };
    WayOut {
        place,
        facts: Vec::new(),
        fix,
        gain: None,
        advice,
        causes: decoded.as_ref().map_or(&[], |decoded| decoded.message.causes),
        misses_file: false,
        who: decoded.as_ref().map_or(of_stage, Decoded::who),
    }
}

/// The field of Kubernetes' metadata that a misspelt one is nearest to.
fn near_field(field: &str) -> Option<String> {
    const FIELDS: [&str; 5] = ["annotations", "labels", "namespace", "name", "generateName"];
    let (head, name) = field.rsplit_once('.')?;
    let letters = |text: &str| {
        let mut letters: Vec<char> = text.to_lowercase().chars().collect();
        letters.sort_unstable();
        letters
    };
    let apart = |other: &str| {
        let (own, other) = (letters(name), letters(other));
        let common = own.iter().filter(|c| other.contains(c)).count();
        own.len().max(other.len()).saturating_sub(common)
    };
    FIELDS
        .iter()
        .filter(|other| {
            head.ends_with("metadata") && apart(other) <= 2 && other.len().abs_diff(name.len()) <= 3
        })
        .min_by_key(|other| apart(other))
        .map(|other| format!("{head}.{other}"))
}
