//! From an object to its pods, judged: what Kubernetes refuses, the size that kubelet gives.
//!
//! The door of this room: decides the order in which the files beside it are asked, and no rule of its
//! own. `read` goes through a whole text, `judge` through one object of a stream.

use super::accept::Case;
use super::quantity::Quantity;
use super::resources::PodResources;
use super::{Node, noticed, sizing};
use crate::input::manifest::document::Walk;
use crate::input::manifest::place::Locator;
use crate::input::manifest::pods::{self, Found};
use crate::input::manifest::{
    self, Documents, Form, InputError, Object, Pod, Problem, RuntimeClass, Stray, Sum, kinds,
};
use crate::input::source::Source;

/// What an object is, its pods complete with problems, size and findings, and its strays.
///
/// Give every object of an input to it in order. OCI specs and CRI pod configurations pass as they are.
pub fn judge(object: &Object<'_, '_>, node: &Node) -> (Found, Vec<Stray>) {
    let (mut found, strays) = pods::find(object);
    let Found::Pods(pods) = &mut found else { return (found, strays) };
    if pods.iter().any(|p| p.form != Form::Kubernetes) {
        return (found, strays);
    }
    let kind = kinds::resolve(object.api_version, object.kind);
    let templates = kinds::templates(object.node, kind);
    let resources: Vec<_> = templates.iter().map(|t| PodResources::read(t.spec, &node.version)).collect();
    let case = Case { object, kind, templates: &templates, resources: &resources, cluster: node };
    let mut problems = case.problems();
    for problem in &mut problems {
        problem.fix = problem.fix.take().or_else(|| placeholder(&problem.message));
    }
    if pods.is_empty() && !problems.is_empty() {
        // A workload whose template is missing: refused, and so worth a line.
        pods.push(pods::without_template(object));
    }
    let mut resources = resources.into_iter();
    for pod in pods {
        pod.problems.clone_from(&problems);
        if let Some((resources, faults)) = resources.next() {
            complete(pod, resources, faults.is_empty(), object, node);
        }
        pod.findings.extend(noticed::strays(&strays));
        pod.findings.extend(noticed::writing(pod, object));
        pod.findings.extend(noticed::timeout(pod, node));
    }
    (found, strays)
}

/// What to do where Kubernetes complains of a text that somebody meant to replace.
fn placeholder(message: &str) -> Option<String> {
    let (start, end) = [("${", "}"), ("{{", "}}")].into_iter().find(|(start, _)| message.contains(start))?;
    let (_, rest) = message.split_once(start)?;
    let (name, _) = rest.split_once(end)?;
    Some(format!(
        "{start}{name}{end} is a placeholder: replace it first (envsubst, kustomize build, helm template)"
    ))
}

fn complete(pod: &mut Pod, resources: PodResources, readable: bool, object: &Object<'_, '_>, node: &Node) {
    if !readable {
        return;
    }
    let size = sizing::size(&resources, node);
    pod.sizing = size.sizing;
    pod.devices = resources.devices();
    pod.cgroup = Some(sizing::cgroup(&resources, &size));
    pod.findings.extend(noticed::sizing(pod, &resources, &size, node));
    if let (true, Err(refusal)) = (pod.problems.is_empty(), sizing::admit(&resources, node)) {
        pod.problems.push(Problem {
            annotation: None,
            message: refusal.to_string(),
            fix: Some("ask for fewer whole CPUs, or for a fraction: then they are shared".to_owned()),
            place: Some(object.places.of(object.node.at)),
            named: true,
        });
    }
    let node = node.clone();
    pod.sum = Some(Sum::new(move || sizing::explain(&resources, &size, &node)));
}

/// Everything that a text holds, judged. A text without a pod is an error.
pub fn read(source: &Source, node: &Node) -> Result<Documents, InputError> {
    let locator = Locator::new(source.path.clone(), &source.text, 1);
    let mut documents = Documents::default();
    let mut unusable: Option<InputError> = None;
    let mut visit = |object: Object<'_, '_>| {
        let (found, strays) = judge(&object, node);
        documents.strays.extend(strays);
        match found {
            Found::Pods(pods) => documents.pods.extend(pods),
            Found::RuntimeClass(class) => documents.runtime_classes.push(class),
            Found::Other(kind) => documents.others.push(kind),
            Found::Unusable(error) => unusable = unusable.take().or(Some(error)),
        }
    };
    Walk::new(&locator, 0, &mut visit).run()?;
    unusable.map_or(Ok(()), Err)?;
    if documents.pods.is_empty() {
        return Err(manifest::no_pods(&source.path, &documents.others));
    }
    for pod in &mut documents.pods {
        name_handler(pod, &documents.runtime_classes);
    }
    Ok(documents)
}

/// Tells a pod the handler of its class, where the class is among `classes`.
pub fn name_handler(pod: &mut Pod, classes: &[RuntimeClass]) {
    let class = classes.iter().find(|c| pod.runtime_class.as_deref() == Some(c.name.as_str()));
    if let Some(class) = class {
        pod.handler = Some(class.handler.clone());
        let memory = class.overhead.get("memory").and_then(|amount| Quantity::parse(amount).ok());
        pod.class_overhead = memory.map_or(0, Quantity::value);
        pod.findings.extend(noticed::overhead(pod, class));
        let amount = |name: &str| class.overhead.get(name).and_then(|text| Quantity::parse(text).ok());
        let (cpu, memory) = (amount("cpu"), amount("memory"));
        // An object of a cluster has it in its spec already.
        if let Some(cgroup) = &mut pod.cgroup
            && (cgroup.overhead_milli_cpus, cgroup.overhead_memory) == (0, 0)
        {
            cgroup.overhead_milli_cpus = cpu.map_or(0, Quantity::milli);
            cgroup.overhead_memory = memory.map_or(0, Quantity::value);
        }
    }
}
