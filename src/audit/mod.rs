//! What the policy of a setup lets in: the lists of its files, as they take effect, what each entry means on this
//! host, and by which annotations whoever may create pods can do what. Command line and screen both ask here.

pub mod changes;
pub mod meaning;
pub mod powers;

use self::powers::{Audit, PolicyList};
use crate::edit::{Document, History, List};
use crate::evaluate::own_keys::PastPolicy;
use crate::evaluate::{Evaluator, Setup};
use crate::input::config::Layers;
use crate::input::search;
use crate::release::{Release, Runtime};

/// The lists of the files, as they take effect for `hypervisor`.
pub fn lists(setup: &Setup, hypervisor: &str) -> Vec<PolicyList> {
    let table = format!("hypervisor.{hypervisor}");
    let history = History::of(&setup.layers);
    let read = |list: &List| PolicyList {
        name: list.id.list.to_ascii_lowercase(),
        entries: list.items.iter().map(|i| (i.text.clone(), Some(i.place.clone()))).collect(),
    };
    let mut lists: Vec<PolicyList> =
        history.lists().into_iter().filter(|(_, l)| l.id.table == table).map(|(_, l)| read(l)).collect();
    for variant in variants(setup.release, &setup.layers).iter().filter(|l| l.id.table == table) {
        let variant = read(variant);
        // Of two spellings the runtime takes one at random: both count.
        match lists.iter_mut().find(|list| list.name == variant.name) {
            Some(list) => list.entries.extend(variant.entries),
            None => lists.push(variant),
        }
    }
    lists
}

/// Looks at them.
pub fn of_setup(setup: &Setup, hypervisor: &str) -> Audit {
    Audit::of(setup.release, hypervisor, &lists(setup, hypervisor), &setup.host)
}

/// The same with what the container runtime lets past the lists.
pub fn of_evaluator(evaluator: &Evaluator, hypervisor: &str) -> Audit {
    let past = PastPolicy::of(evaluator).map(|past| past.sizes_vms);
    Audit { past, ..of_setup(evaluator.setup(), hypervisor) }
}

/// The active hypervisor's table name; a file that does not load here still says it.
pub fn active(evaluator: &Evaluator) -> Option<String> {
    let setup = evaluator.setup();
    evaluator
        .hypervisor()
        .map(str::to_owned)
        .or_else(|| setup.hypervisor.clone())
        .or_else(|| search::hypervisor(setup.release, &setup.layers))
}

/// Lists of the main file in another letter case, where the runtime takes them for the lists.
pub fn variants(release: Release, layers: &Layers) -> Vec<List> {
    match (release.runtime, &layers.base) {
        (Runtime::Go, Ok(base)) => {
            Document::of(base).map(|document| document.letter_case_variants().to_vec()).unwrap_or_default()
        }
        _ => Vec::new(),
    }
}
