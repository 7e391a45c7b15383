//! `katascope diff`: the same question asked twice, with something else the second time.

use std::io::{self, BufWriter, Write};

use clap::ValueEnum;

use super::args::{DiffArgs, DiffSubject, Input, RuntimeChoice};
use super::error::SetupError;
use super::open::Opened;
use super::{CliError, Exit, beside, open, paint, pods, say_assumed, write_out};
use crate::catalog::KATA_PREFIX;
use crate::diff::Sides;
use crate::diff::evaluation::Differences;
use crate::diff::nodes::NodeDifferences;
use crate::evaluate::Evaluation;
use crate::evaluate::node::NodeEvaluator;
use crate::input::manifest::Pod;
use crate::report::changes;
use crate::report::escape::visible;
use crate::report::node_changes::{self, Faring};
use crate::runtime::Depth;

/// What `--with` changed.
struct Candidate {
    input: Input,
    without_annotations: bool,
    /// Whether the other side is another node.
    other_node: bool,
}

pub(super) fn run(args: &DiffArgs) -> Result<Exit, CliError> {
    if let Some(what) = args.with.iter().find_map(|word| word.strip_prefix("running=")) {
        let rest = DiffArgs {
            with: args.with.iter().filter(|w| !w.starts_with("running=")).cloned().collect(),
            ..args.clone()
        };
        let (given, sandbox) = beside::given(what)?;
        return beside::run(&candidate(&rest)?.input, &given, sandbox.as_deref(), Vec::new(), &args.output);
    }
    let candidate = candidate(args)?;
    let as_it_is = Input { set: Vec::new(), ..args.input.clone() };
    let nodes = Sides::new(open::open_readable(&as_it_is)?, open::open_readable(&candidate.input)?);
    let with = if args.with.is_empty() { String::new() } else { format!("  with {}", args.with.join(", ")) };
    let names = Sides::new(
        name(&as_it_is, &nodes.baseline),
        format!("{}{with}", name(&candidate.input, &nodes.candidate)),
    );
    write_out::write(&args.input, &args.write)?;
    let (old, new) = (nodes.baseline.node, nodes.candidate.node);
    let of_nodes = candidate.other_node.then(|| NodeDifferences::between(&old, &new));
    say_assumed(&old.assumed());
    if new.assumed() != old.assumed() {
        say_assumed(&new.assumed());
    }
    let mut old_pods = collect(&as_it_is)?;
    let mut new_pods = collect(&candidate.input)?;
    if args.input.manifests.is_empty() && old_pods.is_empty() && new_pods.is_empty() {
        // Two configurations differ without any pod's help.
        old_pods.push(Pod::bare());
        new_pods.push(Pod::bare());
    }
    if candidate.without_annotations {
        for pod in &mut new_pods {
            pod.annotations.retain(|a| !a.key.starts_with(KATA_PREFIX));
            pod.problems.retain(|p| p.annotation.is_none());
        }
    }
    let one_by_one = args.input.pod != candidate.input.pod && !candidate.without_annotations;
    let pairs = if one_by_one { one_pair(&old_pods, &new_pods)? } else { pair(&old_pods, &new_pods) };
    let mut out = BufWriter::new(io::stdout().lock());
    let paint = paint(args.output.color);
    let mut any = of_nodes.as_ref().is_some_and(NodeDifferences::any);
    let (mut reports, mut farings, mut compared) = (Vec::new(), Vec::new(), 0);
    // Of many pods on two nodes it is told which fare differently; of one, and of what is asked for, everything.
    let in_short = of_nodes.is_some() && args.show == DiffSubject::All && args.input.pod.is_none();
    if !args.output.is_json() {
        writeln!(out, "{}", paint.wrap("31", &format!("- baseline   {}", visible(&names.baseline))))?;
        writeln!(out, "{}\n", paint.wrap("32", &format!("+ candidate  {}", visible(&names.candidate))))?;
        if let Some(differences) = &of_nodes {
            node_changes::text(&mut out, differences, paint)?;
        }
    }
    for sides in pairs {
        let both = evaluate(
            &old,
            &new,
            &sides,
            if in_short && !args.output.is_json() { Depth::Verdicts } else { Depth::Full },
        );
        compared += 1;
        if of_nodes.is_some() {
            farings.extend(Faring::of(&title(&sides), &both));
        }
        let Sides { baseline, candidate } = both;
        if in_short && !args.output.is_json() {
            any |= !farings.is_empty();
            continue;
        }
        let differences = select(Differences::between(&baseline, &candidate), args.show);
        any |= differences.any();
        let title = title(&sides);
        if args.output.is_json() {
            reports.push(changes::json(&title, &differences));
        } else {
            changes::text(&mut out, &title, &differences, &Sides::new(baseline, candidate), args.all, paint)?;
        }
    }
    if args.output.is_json() {
        let sides = Sides::new(crate::report::json::node(&old), crate::report::json::node(&new));
        let mut report = serde_json::json!({
            "schema": crate::report::json::SCHEMA,
            "baseline": sides.baseline,
            "candidate": sides.candidate,
            "pods": reports,
        });
        if let (Some(differences), Some(report)) = (&of_nodes, report.as_object_mut()) {
            report.insert("nodes".into(), node_changes::json(differences));
            report.insert("fare_differently".into(), farings.iter().map(Faring::json).collect());
        }
        crate::report::json::print(&mut out, &report)?;
    } else if of_nodes.is_some() {
        if !farings.is_empty() {
            writeln!(out, "{}", paint.wrap("1", "pods that fare differently"))?;
        }
        for faring in &farings {
            faring.text(&mut out, paint)?;
        }
        let pods = if compared == 1 { "pod".to_owned() } else { format!("{compared} pods") };
        writeln!(out, "\n{} of {pods} fare differently", farings.len())?;
    }
    out.flush()?;
    Ok(if any { Exit::Found } else { Exit::Clean })
}

fn candidate(args: &DiffArgs) -> Result<Candidate, SetupError> {
    let mut input = args.input.clone();
    let mut without_annotations = false;
    for word in &args.with {
        let wrong = |why: &str| SetupError::Usage(format!("--with {word}: {why}"));
        let (key, value) = word.split_once('=').ok_or_else(|| wrong("write KEY=VALUE"))?;
        match key {
            "runtime" => {
                input.runtime = RuntimeChoice::from_str(value, false).map_err(|e| wrong(&e))?;
            }
            "kata-version" => {
                input.kata_version = Some(value.into());
            }
            "config" => input.config = Some(value.into()),
            "hypervisor" => input.hypervisor = Some(value.into()),
            "pod" if value == "none" => without_annotations = true,
            "pod" => input.pod = Some(value.into()),
            "manifest" => input.manifests = vec![value.into()],
            "host" => input.host = Some(value.into()),
            "root" | "node" if value.is_empty() => return Err(wrong("a node's folder or file")),
            "root" => (input.root, input.node) = (Some(value.into()), Vec::new()),
            "node" => (input.root, input.node) = (None, vec![value.into()]),
            "handler" => input.handler = Some(value.into()),
            "cri-config" => input.container_runtime.cri_config = Some(value.into()),
            "containerd" => input.container_runtime.containerd = Some(value.into()),
            "crio" => input.container_runtime.crio = Some(value.into()),
            "kubelet" => input.kubelet = Some(value.into()),
            "arch" => input.arch = Some(value.into()),
            "cpus" => input.cpus = Some(value.parse().map_err(|_| wrong("a number of CPUs"))?),
            "memory" => input.memory = Some(value.parse().map_err(|_| wrong("a number of MiB"))?),
            _ => {
                return Err(wrong(
                    "one of runtime, kata-version, config, hypervisor, pod, manifest, host, root, node, handler, \
                     cri-config, containerd, crio, kubelet, arch, cpus, memory, running",
                ));
            }
        }
    }
    let other_node = args.with.iter().any(|word| word.starts_with("node=") || word.starts_with("root="));
    Ok(Candidate { input, without_annotations, other_node })
}

/// What a side is, for its head.
fn name(input: &Input, opened: &Opened) -> String {
    let node = opened.collection.as_ref().map(|node| format!("{} ({})", node.name, node.origin.as_str()));
    let root = input.root.as_ref().map(|root| root.display().to_string());
    let only = opened.node.only().map(|evaluator| {
        let setup = evaluator.setup();
        let note = setup.release_note.as_deref().map(|note| format!(" ({note})")).unwrap_or_default();
        format!("{}, {}{note}", setup.layers.asked, setup.release.title())
    });
    let handlers = opened.node.only().is_none().then(|| {
        let names: Vec<&str> = opened.node.node().kata().map(|handler| handler.name.as_str()).collect();
        format!("handlers {}", names.join(", "))
    });
    let with = (!input.set.is_empty()).then(|| format!("with {}", input.set.join(", ")));
    let parts: Vec<String> = [node, root, only, handlers, with].into_iter().flatten().collect();
    parts.join("  ")
}

fn collect(input: &Input) -> Result<Vec<Pod>, CliError> {
    let mut pods = Vec::new();
    pods::each(input, |pod| {
        pods.push(pod);
        Ok(())
    })?;
    Ok(pods)
}

/// The pods of both sides by name; one that the other side lacks stands alone.
fn pair<'a>(old: &'a [Pod], new: &'a [Pod]) -> Vec<Sides<Option<&'a Pod>>> {
    let same = |a: &Pod, b: &Pod| a.id() == b.id() && a.kind == b.kind;
    let mut used = vec![false; old.len()];
    let mut pairs: Vec<_> = new
        .iter()
        .map(|pod| {
            let found =
                old.iter().zip(used.iter_mut()).find(|(other, used)| !**used && same(other, pod)).map(
                    |(other, used)| {
                        *used = true;
                        other
                    },
                );
            Sides::new(found, Some(pod))
        })
        .collect();
    pairs.extend(old.iter().zip(used).filter(|(_, used)| !used).map(|(pod, _)| Sides::new(Some(pod), None)));
    pairs
}

/// Two different pods, side by side.
fn one_pair<'a>(old: &'a [Pod], new: &'a [Pod]) -> Result<Vec<Sides<Option<&'a Pod>>>, SetupError> {
    match (old, new) {
        ([old], [new]) => Ok(vec![Sides::new(Some(old), Some(new))]),
        _ => Err(SetupError::Usage(
            "two pods are compared one with one: name the first with --pod, the second with --with pod="
                .into(),
        )),
    }
}

fn evaluate(
    old: &NodeEvaluator,
    new: &NodeEvaluator,
    pods: &Sides<Option<&Pod>>,
    depth: Depth,
) -> Sides<Evaluation> {
    // A pod that only one side has is compared with itself without annotations.
    let bare = |pod: Option<&Pod>| {
        let mut bare = pod.cloned()?;
        bare.annotations.clear();
        bare.problems.clear();
        Some(bare)
    };
    let (a, b) = (pods.baseline.cloned(), pods.candidate.cloned());
    let baseline = a.or_else(|| bare(pods.candidate));
    let candidate = b.or_else(|| bare(pods.baseline));
    let ask = |evaluator: &NodeEvaluator, pod: &Option<Pod>| {
        pod.as_ref().map_or_else(Evaluation::default, |pod| evaluator.evaluate(pod, depth))
    };
    Sides::new(ask(old, &baseline), ask(new, &candidate))
}

fn title(pods: &Sides<Option<&Pod>>) -> String {
    match (pods.baseline, pods.candidate) {
        (Some(a), Some(b)) if a.id() == b.id() => a.id(),
        (Some(a), Some(b)) => format!("{} → {}", a.id(), b.id()),
        (Some(a), None) => format!("{} (only in the baseline)", a.id()),
        (None, Some(b)) => format!("{} (only in the candidate)", b.id()),
        (None, None) => String::new(),
    }
}

fn select(mut differences: Differences, show: DiffSubject) -> Differences {
    let keep = |subject| show == DiffSubject::All || show == subject;
    if !keep(DiffSubject::Annotations) {
        differences.annotations.clear();
        differences.outcome.baseline = differences.outcome.candidate.clone();
    }
    if !keep(DiffSubject::Config) {
        differences.config.clear();
    }
    if !keep(DiffSubject::Launch) {
        differences.processes.clear();
        differences.bodies.clear();
    }
    if !keep(DiffSubject::Agent) {
        differences.kernel.rows.clear();
        differences.agent.clear();
    }
    differences
}
