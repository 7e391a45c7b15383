//! Two evaluations of a pod (under two policies, runtimes or hosts, or of two pods) to changes.

use serde_json::Value as Json;

use super::argv::{self, Grouping, Row};
use super::{Kind, Sides, json};
use crate::answer::effective::EffectiveValue;
use crate::answer::launch::{Arg, Cause, Launch};
use crate::answer::verdict::Verdict;
use crate::evaluate::{Evaluation, Outcome};

/// One annotation on both sides.
#[derive(Debug, Clone, PartialEq)]
pub struct AnnotationRow {
    /// The whole key.
    pub key: String,
    /// What became of the row.
    pub kind: Kind,
    /// The verdicts.
    pub verdicts: Sides<Option<Verdict>>,
}

/// One configuration key on both sides. Keys are compared by what comes after the table, so that two
/// hypervisors' or runtimes' values stand side by side.
#[derive(Debug, Clone, PartialEq)]
pub struct ConfigRow {
    /// The key as the candidate spells it, else as the baseline does.
    pub key: String,
    /// What became of the row.
    pub kind: Kind,
    /// The values.
    pub values: Sides<Option<EffectiveValue>>,
}

/// A process on both sides.
#[derive(Debug, Clone, PartialEq)]
pub struct ProcessRows {
    /// The program.
    pub program: Sides<Option<String>>,
    /// Its arguments.
    pub args: Sides<Vec<Arg>>,
    /// The comparison.
    pub rows: Vec<Row>,
}

/// A body on both sides: a request, a file, the agent's.
#[derive(Debug, Clone, PartialEq)]
pub struct BodyRows {
    /// `PUT vm.create`, a path, `CreateSandbox`.
    pub title: String,
    /// What became of the whole.
    pub kind: Kind,
    /// The differences inside.
    pub changes: Vec<json::Change>,
    /// What decided the parts, by JSON pointer, on the side that `changes` point into.
    pub causes: Vec<(String, Cause)>,
}

/// Everything that differs, and what is the same where the reader needs it.
#[derive(Debug, Clone, PartialEq)]
pub struct Differences {
    /// The outcomes.
    pub outcome: Sides<Outcome>,
    /// Every annotation of either side.
    pub annotations: Vec<AnnotationRow>,
    /// The configuration keys whose values differ.
    pub config: Vec<ConfigRow>,
    /// The VMM, then the helpers.
    pub processes: Vec<ProcessRows>,
    /// Files and requests that differ.
    pub bodies: Vec<BodyRows>,
    /// The guest kernel command line.
    pub kernel: ProcessRows,
    /// The agent's requests.
    pub agent: Vec<BodyRows>,
}

impl Differences {
    /// Compares two evaluations.
    pub fn between(baseline: &Evaluation, candidate: &Evaluation) -> Self {
        let sides = Sides::new(baseline, candidate);
        Self {
            outcome: sides.map(|e| e.outcome.clone()),
            annotations: annotations(baseline, candidate),
            config: config(baseline, candidate),
            processes: processes(baseline, candidate),
            bodies: bodies(baseline, candidate),
            kernel: kernel(baseline, candidate),
            agent: agent(baseline, candidate),
        }
    }

    /// Whether anything differs.
    pub fn any(&self) -> bool {
        let rows_differ = |p: &ProcessRows| p.program.differ() || p.rows.iter().any(|r| r.kind != Kind::Same);
        self.outcome.differ()
            || self.annotations.iter().any(|r| r.kind != Kind::Same)
            || !self.config.is_empty()
            || self.processes.iter().any(rows_differ)
            || !self.bodies.is_empty()
            || rows_differ(&self.kernel)
            || !self.agent.is_empty()
    }
}

fn annotations(baseline: &Evaluation, candidate: &Evaluation) -> Vec<AnnotationRow> {
    let (old, new) = (baseline.verdicts_by_key(), candidate.verdicts_by_key());
    let gone = baseline.verdicts.iter().filter(|verdict| !new.contains_key(verdict.key.as_str()));
    let row = |verdict: &Verdict| {
        let key = verdict.key.as_str();
        let verdicts = Sides::new(old.get(key).copied().cloned(), new.get(key).copied().cloned());
        let kind = match (&verdicts.baseline, &verdicts.candidate) {
            (None, _) => Kind::Added,
            (_, None) => Kind::Removed,
            (Some(a), Some(b)) if (a.status, &a.after, &a.value) == (b.status, &b.after, &b.value) => {
                Kind::Same
            }
            _ => Kind::Changed,
        };
        AnnotationRow { key: key.to_owned(), kind, verdicts }
    };
    candidate.verdicts.iter().chain(gone).map(row).collect()
}

/// `hypervisor.qemu.path` and `hypervisor.clh.path` are the same question.
fn question(key: &str) -> String {
    let mut parts = key.splitn(3, '.');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(table @ ("hypervisor" | "agent")), Some(_), Some(rest)) => format!("{table}.{rest}"),
        _ => key.to_owned(),
    }
}

fn config(baseline: &Evaluation, candidate: &Evaluation) -> Vec<ConfigRow> {
    let (Some(old), Some(new)) = (&baseline.effective, &candidate.effective) else { return Vec::new() };
    let mut rest: indexmap::IndexMap<String, (&str, &EffectiveValue)> =
        old.iter().map(|(k, v)| (question(k), (k.as_ref(), v))).collect();
    let mut rows = Vec::new();
    for (key, value) in new.iter() {
        match rest.shift_remove(&question(key)) {
            Some((_, before)) if before.value == value.value => {}
            Some((_, before)) => rows.push(ConfigRow {
                key: key.to_string(),
                kind: Kind::Changed,
                values: Sides::new(Some(before.clone()), Some(value.clone())),
            }),
            None => rows.push(ConfigRow {
                key: key.to_string(),
                kind: Kind::Added,
                values: Sides::new(None, Some(value.clone())),
            }),
        }
    }
    rows.extend(rest.into_values().map(|(key, value)| ConfigRow {
        key: key.to_owned(),
        kind: Kind::Removed,
        values: Sides::new(Some(value.clone()), None),
    }));
    rows
}

fn process(program: Sides<Option<String>>, args: Sides<Vec<Arg>>, grouping: Grouping) -> ProcessRows {
    let rows = argv::compare(&args.baseline, &args.candidate, grouping);
    ProcessRows { program, args, rows }
}

fn processes(baseline: &Evaluation, candidate: &Evaluation) -> Vec<ProcessRows> {
    let all = |e: &Evaluation| -> Vec<(Option<String>, Vec<Arg>)> {
        let Some(launch) = &e.launch else { return Vec::new() };
        let helpers = launch.helpers.iter().map(|h| (Some(h.program.text.clone()), h.args.clone()));
        let program = launch.program.as_ref().map(|program| program.text.clone());
        std::iter::once((program, launch.args.clone())).chain(helpers).collect()
    };
    let (old, new) = (all(baseline), all(candidate));
    (0..old.len().max(new.len()))
        .map(|i| {
            let (a, b) = (old.get(i).cloned().unwrap_or_default(), new.get(i).cloned().unwrap_or_default());
            process(Sides::new(a.0, b.0), Sides::new(a.1, b.1), Grouping::Options)
        })
        .collect()
}

/// A document with its title, and what decided its parts.
type Titled = (String, Json, Vec<(String, Cause)>);

fn titled(launch: Option<&Launch>) -> Vec<Titled> {
    let documents = launch.into_iter().flat_map(Launch::documents);
    documents.map(|d| (d.name(), d.body.clone(), d.causes.to_vec())).collect()
}

fn pair(old: Vec<Titled>, new: Vec<Titled>) -> Vec<BodyRows> {
    let mut rest = old;
    let mut rows = Vec::new();
    for (title, body, causes) in new {
        let before = rest.iter().position(|(t, ..)| *t == title).map(|i| rest.remove(i).1);
        let kind = if before.is_some() { Kind::Changed } else { Kind::Added };
        let changes = json::compare(&before.unwrap_or_default(), &body);
        if kind == Kind::Added || !changes.is_empty() {
            rows.push(BodyRows { title, kind, changes, causes });
        }
    }
    rows.extend(rest.into_iter().map(|(title, body, causes)| BodyRows {
        title,
        kind: Kind::Removed,
        changes: json::compare(&body, &Json::Null),
        causes,
    }));
    rows
}

fn bodies(baseline: &Evaluation, candidate: &Evaluation) -> Vec<BodyRows> {
    pair(titled(baseline.launch.as_ref()), titled(candidate.launch.as_ref()))
}

fn kernel(baseline: &Evaluation, candidate: &Evaluation) -> ProcessRows {
    let params = |e: &Evaluation| e.agent.as_ref().map(|a| a.kernel_params.clone()).unwrap_or_default();
    process(Sides::default(), Sides::new(params(baseline), params(candidate)), Grouping::Single)
}

fn agent(baseline: &Evaluation, candidate: &Evaluation) -> Vec<BodyRows> {
    let requests = |evaluation: &Evaluation| -> Vec<Titled> {
        let agent = evaluation.agent.as_ref();
        let told = agent.zip(evaluation.effective.as_ref());
        let causes = told.map(|(a, e)| a.create_sandbox_causes(e)).unwrap_or_default();
        let policy_causes = told.map(|(a, e)| vec![(String::new(), a.policy_cause(e))]).unwrap_or_default();
        let create_sandbox = agent.map(|a| a.create_sandbox.clone()).unwrap_or_default();
        let policy = agent.and_then(|a| a.policy.clone()).into();
        let mut all = vec![
            ("CreateSandbox".into(), create_sandbox, causes),
            ("SetPolicy".into(), policy, policy_causes),
        ];
        let network = agent.into_iter().flat_map(|agent| agent.network.each());
        all.extend(network.map(|(name, told)| (name.to_owned(), told.into(), Vec::new())));
        all
    };
    pair(requests(baseline), requests(candidate))
}
