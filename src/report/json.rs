//! The JSON contract (schema 1): field names are fixed, more may be added.
//!
//! Pods are written as they come, so that a stream of any length needs no memory.

use std::borrow::Cow;
use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Value as Json, json};

use super::escape;
use crate::answer::agent::AgentSetup;
use crate::answer::effective::{Effective, Origin};
use crate::answer::finding::{Finding, Severity, Who};
use crate::answer::launch::{Arg, Launch};
use crate::answer::verdict::{Step, Verdict};
use crate::answer::way_out::WayOut;
use crate::evaluate::as_if::Supposed;
use crate::evaluate::node::NodeEvaluator;
use crate::evaluate::{Evaluation, Evaluator};
use crate::input::Annotations;
use crate::input::archive::Collection;
use crate::input::host::Assumption;
use crate::input::manifest::Pod;
use crate::node::Handler;
use crate::runtime::LoadError;

/// The number of the contract.
pub const SCHEMA: u32 = 1;

/// Writes one report, pod by pod.
pub struct Writer<W: Write> {
    out: W,
    pods: usize,
}

impl<W: Write> Writer<W> {
    /// Opens the report with the policies' part: one for each configuration that judges pods, and where
    /// there is one alone, that by itself too.
    pub fn open(mut out: W, node: &NodeEvaluator, lacks: Option<&Collection>) -> io::Result<Self> {
        let policies: Vec<Json> = node.policies().map(|(handler, e)| policy_of(handler, e)).collect();
        let one = match policies.as_slice() {
            [one] => one.clone(),
            _ => Json::Null,
        };
        write!(out, "{{\n\"schema\": {SCHEMA},\n\"policy\": {},\n", escape::json(one.to_string()))?;
        if let Some(collection) = lacks.filter(|collection| !collection.origin.lacks().is_empty()) {
            let (name, origin) = (&collection.name, collection.origin.as_str());
            let report = json!({ "name": name, "origin": origin, "lacks": collection.lacks() });
            writeln!(out, "\"collection\": {},", escape::json(report.to_string()))?;
        }
        if !node.said_otherwise().is_empty() {
            let said: Json = node.said_otherwise().iter().map(String::as_str).collect();
            writeln!(out, "\"set\": {},", escape::json(said.to_string()))?;
        }
        let lines: Vec<String> = policies.iter().map(|p| escape::json(p.to_string())).collect();
        write!(out, "\"policies\": [\n{}\n],\n\"pods\": [", lines.join(",\n"))?;
        Ok(Self { out, pods: 0 })
    }

    /// Adds a pod's part.
    pub fn pod(&mut self, report: &str) -> io::Result<()> {
        self.out.write_all(if self.pods == 0 { b"\n" } else { b",\n" })?;
        self.pods += 1;
        self.out.write_all(report.as_bytes())
    }

    /// Closes the report.
    pub fn close(mut self) -> io::Result<()> {
        self.out.write_all(b"\n]\n}\n")?;
        self.out.flush()
    }
}

/// One pod's part of the report.
pub fn pod(
    pod: &Pod,
    evaluation: &Evaluation,
    policy: Option<usize>,
    full: Option<Full>,
) -> io::Result<String> {
    Ok(escape::json(serde_json::to_string(&PodReport::new(pod, evaluation, policy, full))?))
}

/// Writes a report that is at hand as a whole, over several lines.
pub fn print(out: &mut dyn Write, report: &Json) -> io::Result<()> {
    writeln!(out, "{}", escape::json(format!("{report:#}")))
}

/// The policy's part: which files under which rules, and whether they load.
pub fn policy(evaluator: &Evaluator) -> Json {
    let setup = evaluator.setup();
    let layers = &setup.layers;
    let drop_ins: Vec<&str> =
        layers.drop_ins.as_deref().unwrap_or_default().iter().map(|d| &*d.path).collect();
    json!({
        "config": &*layers.asked,
        "drop_ins": drop_ins,
        "release": setup.release.id(),
        "known_by": setup.known_by.as_str(),
        "release_note": setup.release_note,
        "evidence": setup.release.evidence().as_str(),
        "hypervisor": evaluator.hypervisor().or(setup.hypervisor.as_deref()),
        "assumed": evaluator.assumed().iter().map(ToString::to_string).collect::<Vec<_>>(),
        "error": evaluator.loaded().err().map(load_error),
    })
}

/// The policy of a node, or those of its handlers.
pub fn node(node: &NodeEvaluator) -> Json {
    let policies: Vec<Json> = node.policies().map(|(handler, e)| policy_of(handler, e)).collect();
    match <[Json; 1]>::try_from(policies) {
        Ok([one]) => one,
        Err(several) => several.into(),
    }
}

/// The same of a handler's configuration.
fn policy_of(handler: Option<&Handler>, evaluator: &Evaluator) -> Json {
    let mut report = policy(evaluator);
    if let (Some(handler), Some(fields)) = (handler, report.as_object_mut()) {
        fields.insert("handler".into(), handler.name.as_str().into());
    }
    report
}

fn load_error(error: &LoadError) -> Json {
    json!({
        "message": error.message,
        "file": error.place.as_ref().map(|p| &*p.file),
        "line": error.place.as_ref().map(|p| p.line).filter(|line| *line > 0),
    })
}

#[derive(Serialize)]
struct PodReport<'a> {
    name: &'a str,
    namespace: &'a str,
    kind: &'a str,
    source: Json,
    outcome: &'static str,
    handler: Option<&'a str>,
    runtime_class: Option<&'a str>,
    policy: Option<usize>,
    assumed: Vec<String>,
    error: Option<Json>,
    annotations: Vec<AnnotationReport<'a>>,
    findings: Vec<Json>,
    #[serde(flatten)]
    full: Option<FullReport<'a>>,
}

#[derive(Serialize)]
struct AnnotationReport<'a> {
    key: &'a str,
    value: &'a str,
    status: &'static str,
    field: Option<&'a str>,
    before: Option<&'a Json>,
    after: Option<&'a Json>,
    stage: &'static str,
    reason: Cow<'a, str>,
    fix: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    assumed: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<Vec<Json>>,
}

#[derive(Serialize)]
struct FullReport<'a> {
    effective: Option<Json>,
    launch: Option<Json>,
    agent: Option<Json>,
    sizing: Option<Json>,
    received: Option<&'a Annotations>,
    as_if: Option<Json>,
}

/// What `--full` adds beside what an evaluation holds.
#[derive(Debug, Clone, Default)]
pub struct Full {
    /// What a refused pod would be given.
    pub as_if: Option<Json>,
}

impl<'a> PodReport<'a> {
    fn new(pod: &'a Pod, evaluation: &'a Evaluation, policy: Option<usize>, full: Option<Full>) -> Self {
        Self {
            name: &pod.name,
            namespace: &pod.namespace,
            kind: &pod.kind,
            source: json!({
                "file": pod.source.file, "document": pod.source.document, "line": pod.source.line,
            }),
            outcome: evaluation.outcome.as_str(),
            handler: evaluation.handler.as_deref(),
            runtime_class: pod.runtime_class.as_deref(),
            policy,
            assumed: evaluation.assumed.iter().map(ToString::to_string).collect(),
            error: evaluation.outcome.failure().map(|failure| {
                json!({
                    "stage": failure.stage.as_str(),
                    "annotation": failure.annotation,
                    "message": failure.message,
                    "panic": failure.panic,
                    "way_out": evaluation.way_out.as_ref().map(way_out),
                })
            }),
            annotations: evaluation
                .verdicts
                .iter()
                .map(|verdict| annotation(verdict, evaluation.assumed_for(verdict), full.is_some()))
                .collect(),
            findings: evaluation.findings.iter().map(finding).collect(),
            full: full.map(|full| FullReport {
                effective: evaluation.effective.as_ref().map(effective),
                launch: evaluation.launch.as_ref().map(launch),
                agent: evaluation.agent.as_ref().map(agent),
                sizing: evaluation.sizing.map(|s| {
                    json!({
                        "cpu_quota": s.cpu_quota, "cpu_period": s.cpu_period,
                        "cpu_shares": s.cpu_shares, "memory_limit": s.memory_limit,
                    })
                }),
                received: evaluation.received.as_ref(),
                as_if: full.as_if,
            }),
        }
    }
}

/// What a refused pod would be given: what there was when it failed, and how it would go on otherwise.
pub fn as_if(so_far: Option<&Effective>, supposed: &[Supposed]) -> Json {
    let mut report = serde_json::Map::new();
    report.insert("so_far".to_owned(), json!({ "effective": so_far.map(effective) }));
    for one in supposed {
        let evaluation = &one.evaluation;
        let entries: Vec<Json> = one
            .entries
            .iter()
            .map(|(list, pattern)| json!({ "list": list.to_string(), "pattern": pattern }))
            .collect();
        let error = evaluation.outcome.failure().map(|failure| {
            json!({
                "stage": failure.stage.as_str(), "annotation": failure.annotation, "message": failure.message,
            })
        });
        let body = json!({
            "entries": entries,
            "without": one.without,
            "outcome": evaluation.outcome.as_str(),
            "error": error,
            "effective": evaluation.effective.as_ref().map(effective),
            "launch": evaluation.launch.as_ref().map(launch),
            "agent": evaluation.agent.as_ref().map(agent),
        });
        report.insert(one.as_if.as_str().to_owned(), body);
    }
    report.into()
}

fn annotation<'a>(verdict: &'a Verdict, assumed: Option<&Assumption>, traced: bool) -> AnnotationReport<'a> {
    AnnotationReport {
        key: &verdict.key,
        value: &verdict.value,
        status: verdict.status.as_str(),
        field: verdict.field.as_deref(),
        before: verdict.before.as_deref(),
        after: verdict.after.as_deref(),
        stage: verdict.stage.as_str(),
        reason: verdict.reason(),
        fix: verdict.fix.as_ref().map(ToString::to_string),
        assumed: assumed.map(ToString::to_string),
        trace: traced.then(|| verdict.trace.iter().map(step).collect()),
    }
}

/// One step.
fn step(step: &Step) -> Json {
    json!({
        "stage": step.stage.as_str(),
        "passed": step.passed,
        "note": step.note.text(),
        "at": step.place.as_ref().map(ToString::to_string),
    })
}

/// A finding, as in every report that is JSON.
pub fn finding(finding: &Finding) -> Json {
    json!({
        "code": finding.code.as_str(),
        "severity": severity(finding.severity),
        "subject": finding.subject,
        "at": finding.place.as_ref().map(ToString::to_string),
        "message": finding.message,
        "fix": finding.fix.as_ref().map(ToString::to_string),
        "who": who(finding.who),
    })
}

/// The word for a severity.
pub fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Note => "note",
        Severity::Warning => "warning",
        Severity::Ignored => "ignored",
        Severity::Refused => "refused",
    }
}

/// The word for who can mend it.
pub fn who(who: Who) -> &'static str {
    match who {
        Who::PodAuthor => "pod author",
        Who::ClusterAdministrator => "cluster administrator",
        Who::ImageBuilder => "image builder",
    }
}

/// The way out of a refusal.
fn way_out(way: &WayOut) -> Json {
    json!({
        "file": way.place.as_ref().map(|p| &*p.file),
        "line": way.place.as_ref().map(|p| p.line).filter(|line| *line > 0),
        "column": way.place.as_ref().map(|p| p.column).filter(|column| *column > 0),
        "facts": way.facts,
        "fix": way.fix.as_ref().map(ToString::to_string),
        "tried": way.gain,
        "advice": way.advice,
        "causes": way.causes,
        "who": who(way.who),
    })
}

/// Effective values by key.
pub fn effective(effective: &Effective) -> Json {
    effective
        .iter()
        .map(|(key, value)| {
            let at = match &value.origin {
                Origin::Default => None,
                Origin::File(place) => Some(place.by_line()),
                Origin::Annotation(key) | Origin::Derived(key) => Some(key.to_string()),
            };
            let report = json!({ "value": value.value, "origin": value.origin.kind(), "at": at });
            (key.to_string(), report)
        })
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn texts(args: &[Arg]) -> Vec<&str> {
    args.iter().map(|a| a.text.as_str()).collect()
}

/// A launch.
pub fn launch(launch: &Launch) -> Json {
    let helpers: Vec<Json> =
        launch.helpers.iter().map(|h| json!({ "program": h.program.text, "args": texts(&h.args) })).collect();
    let files: Vec<Json> = launch.files.iter().map(|f| json!({ "path": f.path, "body": f.body })).collect();
    let requests: Vec<Json> = launch
        .requests
        .iter()
        .map(|r| json!({ "method": r.method, "path": r.path, "body": r.body }))
        .collect();
    json!({
        "program": launch.program.as_ref().map(|program| &program.text),
        "args": texts(&launch.args),
        "helpers": helpers,
        "files": files,
        "requests": requests,
    })
}

/// What the guest is told.
pub fn agent(agent: &AgentSetup) -> Json {
    json!({
        "kernel_cmdline": agent.kernel_cmdline,
        "create_sandbox": agent.create_sandbox,
        "policy": agent.policy,
        "update_interfaces": agent.network.update_interfaces,
        "update_routes": agent.network.update_routes,
        "add_arp_neighbors": agent.network.add_arp_neighbors,
    })
}

/// One verdict.
pub fn annotation_value(verdict: &Verdict) -> Json {
    serde_json::to_value(annotation(verdict, None, true)).unwrap_or_default()
}
