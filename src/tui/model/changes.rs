//! The rows of screens 3 and 4: what is started and told, argument by argument, against a baseline.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::Value as Json;

use super::row::{Body, ChangeRow, Row};
use super::supposed::Shown;
use super::{Baseline, Model, Screen};
use crate::answer::agent::NetworkRequests;
use crate::answer::launch::{Arg, Cause, Document, Launch, cause_at};
use crate::answer::verdict::Failure;
use crate::catalog::KATA_PREFIX;
use crate::diff::argv::{self, Grouping};
use crate::diff::json::{self, Node};
use crate::diff::{Kind, Sides};
use crate::evaluate::as_if::{AsIf, suppose};
use crate::evaluate::{Evaluation, Evaluator};
use crate::input::manifest::Pod;
use crate::release::{Release, Runtime, Version};
use crate::runtime::Depth;

/// Equal rows kept on both sides of a difference when the rest is folded.
const CONTEXT: usize = 2;
/// Fewer equal rows than this are not worth folding.
const WORTH_FOLDING: usize = 4;

/// The baseline as it was last evaluated.
#[derive(Debug, Clone)]
pub struct Compared {
    /// Which.
    pub baseline: Baseline,
    /// The state it was evaluated in.
    pub revision: u64,
    /// The marked pod.
    pub marked: Option<usize>,
    /// What is supposed of the pod beside it.
    pub shown: Option<Shown>,
    /// What is supposed of the baseline itself, which is refused.
    pub supposed: Option<AsIf>,
    /// What became of it.
    pub evaluation: Rc<Evaluation>,
}

/// The other runtime at the same version; the newest where it was not there yet.
pub fn other_runtime(release: Release) -> Release {
    let runtime = match release.runtime {
        Runtime::Rs => Runtime::Go,
        Runtime::Go => Runtime::Rs,
    };
    let version = runtime.versions().find(|version| *version == release.version);
    Release::new(runtime, version.unwrap_or(Version::NEWEST))
}

impl Model {
    /// The release that follows among those a key goes through: the one that was asked for, then the newest
    /// of each runtime, then an old one.
    pub fn next_release(&self) -> Release {
        let mut all: Vec<Release> = Release::STOPS.into_iter().rev().collect();
        if let Some(asked) = self.invocation.release.filter(|asked| !all.contains(asked)) {
            all.push(asked);
        }
        let current = self.seat.current.setup().release;
        let mut rest = all.iter().skip_while(|release| **release != current).skip(1);
        rest.next().or(all.first()).copied().unwrap_or(current)
    }

    /// What the baseline is, in words, with what is supposed of it.
    pub fn baseline_words(&self) -> String {
        let known = self.compared.as_ref().filter(|known| known.baseline == self.baseline);
        match known.and_then(|known| known.supposed) {
            Some(as_if) => format!("{} as if {}", self.baseline_name(), as_if.as_str()),
            None => self.baseline_name(),
        }
    }

    fn baseline_name(&self) -> String {
        match self.baseline {
            Baseline::Bare => "itself without annotations".into(),
            Baseline::Saved => "the policy on disk".into(),
            Baseline::Marked => match self.marked().and_then(|m| self.pods.get(m)) {
                Some(entry) => format!("pod {}", entry.id),
                None => "no pod is marked".into(),
            },
            Baseline::OtherRuntime => other_runtime(self.seat.current.setup().release).title(),
            Baseline::Elsewhere => match &self.elsewhere {
                Some((name, _)) => name.clone(),
                None => "nothing else is open".into(),
            },
        }
    }

    /// Why there is nothing to compare with: the baseline does not get as far as this screen.
    pub fn baseline_failure(&self) -> Option<&Failure> {
        let known = self.compared.as_ref().filter(|c| c.baseline == self.baseline)?;
        known.evaluation.outcome.failure().filter(|_| match self.screen {
            Screen::Launch => known.evaluation.launch.is_none(),
            Screen::Agent => known.evaluation.agent.is_none(),
            _ => false,
        })
    }

    /// Whether equal runs stand as one line: not while a filter looks for what may be in them.
    fn folds(&self) -> bool {
        self.folded && self.list().filter.is_empty()
    }

    /// Evaluates the baseline where it is not known yet.
    fn compare(&mut self) -> Rc<Evaluation> {
        let shown = self.shown_as();
        if let Some(known) = &self.compared
            && (known.baseline, known.revision, known.marked) == (self.baseline, self.revision, self.marked())
            && known.shown == shown
        {
            return known.evaluation.clone();
        }
        let mut pod = (*self.tried).clone();
        let mut evaluator = self.seat.current.clone();
        // Another node judges by itself.
        let mut other_node = None;
        match self.baseline {
            Baseline::Bare => {
                pod.annotations.retain(|a| !a.key.starts_with(KATA_PREFIX));
                pod.problems.retain(|p| p.annotation.as_ref().is_none_or(|a| !a.starts_with(KATA_PREFIX)));
            }
            Baseline::Saved => evaluator = self.seat.saved.clone(),
            Baseline::Marked => pod = self.marked().and_then(|m| self.with_trials(m)).unwrap_or(pod),
            Baseline::Elsewhere => {
                other_node = self.elsewhere.as_ref().map(|(_, node)| node);
                // Without a pod the first configuration is compared.
                let own = other_node.and_then(|node| match self.pods.is_empty() {
                    false => node.judge_of(&pod).map(|judged| judged.evaluator),
                    true => node.policies().next().map(|(_, policy)| policy),
                });
                evaluator = own.cloned().unwrap_or(evaluator);
            }
            Baseline::OtherRuntime => {
                let release = other_runtime(self.seat.current.setup().release);
                evaluator = self.other.get_or_insert_with(|| self.seat.current.with_release(release)).clone();
            }
        }
        let judge = |pod: &Pod, evaluator: &Evaluator| match other_node {
            Some(_) if self.pods.is_empty() => evaluator.evaluate(pod, Depth::Full),
            Some(node) => node.evaluate_by(pod, Depth::Full, &|_| Some(evaluator)),
            None => self.judged(pod, Depth::Full, evaluator),
        };
        let mut evaluation = judge(&pod, &evaluator);
        // Of a refused baseline something is supposed, too: the same as of the pod beside it, as far as that helps.
        let mut supposed = None;
        if evaluation.outcome.failure().is_some() {
            let first = match shown {
                Some(Shown::AsIf(as_if)) => as_if,
                _ => AsIf::Allowed,
            };
            let rest = [AsIf::Allowed, AsIf::Absent].into_iter().filter(|as_if| *as_if != first);
            for as_if in std::iter::once(first).chain(rest) {
                let tried = suppose(&evaluator, &pod, as_if, &judge).evaluation;
                if tried.launch.is_some() {
                    (evaluation, supposed) = (tried, Some(as_if));
                    break;
                }
            }
        }
        let evaluation = Rc::new(evaluation);
        self.compared = Some(Compared {
            baseline: self.baseline,
            revision: self.revision,
            marked: self.marked(),
            shown,
            supposed,
            evaluation: evaluation.clone(),
        });
        evaluation
    }
}

/// Gives each row an identity of its own.
struct Collector {
    rows: Vec<Row>,
    seen: BTreeMap<String, usize>,
}

impl Collector {
    fn new() -> Self {
        Self { rows: Vec::new(), seen: BTreeMap::new() }
    }

    /// What of the pod is supposed, over everything else.
    fn supposition(&mut self, model: &Model) {
        if let Some((_, sentence)) = model.supposition() {
            self.heading(sentence);
        }
    }

    fn heading(&mut self, text: impl Into<String>) {
        self.rows.push(Row::heading(text));
    }

    fn push(&mut self, section: &str, name: &str, row: ChangeRow) {
        let base = format!("{section}\u{1}{name}");
        let count = self.seen.entry(base.clone()).or_insert(0);
        *count += 1;
        let find = format!(
            "{}\t{}\t{}\t{}",
            row.text.candidate,
            row.text.baseline,
            row.keys.join(" "),
            row.cause.rule
        );
        self.rows.push(Row {
            id: format!("{base}\u{1}{count}").into(),
            find: find.into(),
            body: Body::Change(row.into()),
        });
    }

    fn processes(&mut self, section: &str, sides: Sides<&[Arg]>, grouping: Grouping) {
        let join = |args: &[Arg], range: &std::ops::Range<usize>| -> String {
            let args = args.get(range.clone()).unwrap_or_default();
            args.iter().map(|a| a.text.as_str()).collect::<Vec<_>>().join(" ")
        };
        for row in argv::compare(sides.baseline, sides.candidate, grouping) {
            let text = Sides::new(join(sides.baseline, &row.baseline), join(sides.candidate, &row.candidate));
            let cause = argv::cause(&row, sides);
            let name = if text.candidate.is_empty() { &text.baseline } else { &text.candidate };
            let name = name.split(['=', ' ']).next().unwrap_or_default().to_owned();
            let keys = cause.keys.iter().map(ToString::to_string).collect();
            self.push(
                section,
                &name,
                ChangeRow { kind: row.kind, text, pieces: row.pieces, cause, depth: 0, keys },
            );
        }
    }

    /// A document's tree below its title.
    fn document(&mut self, title: &str, sides: Sides<Option<&Json>>, causes: &[(String, Cause)]) {
        self.heading(title);
        self.body(title, sides, causes);
    }

    fn body(&mut self, section: &str, sides: Sides<Option<&Json>>, causes: &[(String, Cause)]) {
        json::walk(sides, &mut |node| {
            // The document's own bracket says nothing.
            if !(node.pointer.is_empty() && node.is_open()) {
                self.push(section, &node.pointer, document_row(node, causes));
            }
            true
        });
    }
}

fn document_row(node: &Node<'_>, causes: &[(String, Cause)]) -> ChangeRow {
    let shown = |value: &Option<&Json>| -> String {
        let value = match value {
            None => return String::new(),
            Some(Json::Object(map)) if !map.is_empty() => "{".to_owned(),
            Some(Json::Array(list)) if !list.is_empty() => "[".to_owned(),
            Some(other) => other.to_string(),
        };
        node.name.map_or(value.clone(), |name| format!("{name}: {value}"))
    };
    let text = node.values.map(shown);
    let pieces =
        if node.kind == Kind::Changed { argv::pieces(&text.baseline, &text.candidate) } else { Vec::new() };
    let cause = cause_at(causes, &node.pointer).cloned().unwrap_or_default();
    let keys = cause.keys.iter().map(ToString::to_string).collect();
    ChangeRow { kind: node.kind, text, pieces, cause, depth: node.depth.saturating_sub(1), keys }
}

/// The rows of screen 3.
pub fn launch_rows(model: &mut Model) -> Vec<Row> {
    let baseline = model.compare();
    let candidate = model.shown().clone();
    let Some(new) = &candidate.launch else { return Vec::new() };
    // A side that is not there makes no difference of everything.
    let old = baseline.launch.as_ref().unwrap_or(new);
    let mut out = Collector::new();
    out.supposition(model);
    if let Some(failure) = model.baseline_failure() {
        out.heading(format!(
            "no baseline: {} is refused at {}",
            model.baseline_words(),
            failure.stage.as_str()
        ));
    }
    let programs = Sides::new(old.program.as_ref(), new.program.as_ref());
    if programs.baseline.is_some() || programs.candidate.is_some() {
        process(&mut out, "VM", programs, Sides::new(&old.args, &new.args));
    }
    let nothing = Vec::new();
    for i in 0..old.helpers.len().max(new.helpers.len()) {
        let (a, b) = (old.helpers.get(i), new.helpers.get(i));
        let programs = Sides::new(a.map(|h| &h.program), b.map(|h| &h.program));
        let args = Sides::new(a.map_or(&nothing, |h| &h.args), b.map_or(&nothing, |h| &h.args));
        process(&mut out, &format!("helper process {}", i + 1), programs, args);
    }
    documents(&mut out, old, new);
    fold(out.rows, model.folds())
}

fn process(out: &mut Collector, section: &str, programs: Sides<Option<&Arg>>, args: Sides<&Vec<Arg>>) {
    out.heading(section);
    let text = programs.map(|program| program.map_or(String::new(), |program| program.text.clone()));
    let kind = match (programs.baseline, programs.candidate) {
        (None, _) => Kind::Added,
        (_, None) => Kind::Removed,
        (Some(a), Some(b)) if a.text == b.text => Kind::Same,
        _ => Kind::Changed,
    };
    let pieces =
        if kind == Kind::Changed { argv::pieces(&text.baseline, &text.candidate) } else { Vec::new() };
    let decided = programs.candidate.or(programs.baseline);
    let cause = decided.map(|program| program.cause.clone().by("the program")).unwrap_or_default();
    let keys = cause.keys.iter().map(ToString::to_string).collect();
    let row = ChangeRow { kind, text, pieces, cause, depth: 0, keys };
    out.push(section, "\u{1}program", row);
    out.processes(section, Sides::new(args.baseline, args.candidate), Grouping::Options);
}

fn documents(out: &mut Collector, old: &Launch, new: &Launch) {
    let mut rest: Vec<Document<'_>> = old.documents().collect();
    for document in new.documents() {
        let before = rest.iter().position(|d| d.title == document.title).map(|i| rest.remove(i).body);
        out.document(&document.name(), Sides::new(before, Some(document.body)), document.causes);
    }
    for document in rest {
        out.document(&document.name(), Sides::new(Some(document.body), None), document.causes);
    }
}

/// The rows of screen 4.
pub fn agent_rows(model: &mut Model) -> Vec<Row> {
    let baseline = model.compare();
    let candidate = model.shown().clone();
    let Some(new) = &candidate.agent else { return Vec::new() };
    let old = baseline.agent.as_ref().unwrap_or(new);
    let mut out = Collector::new();
    out.supposition(model);
    if let Some(failure) = model.baseline_failure() {
        out.heading(format!(
            "no baseline: {} is refused at {}",
            model.baseline_words(),
            failure.stage.as_str()
        ));
    }
    if !old.kernel_params.is_empty() || !new.kernel_params.is_empty() {
        out.heading("guest kernel command line");
        out.processes("kernel", Sides::new(&old.kernel_params, &new.kernel_params), Grouping::Single);
    }
    let some = |value: &'_ Json| (!value.is_null()).then(|| value.clone());
    let (a, b) = (some(&old.create_sandbox), some(&new.create_sandbox));
    if a.is_some() || b.is_some() {
        let causes = candidate.effective.as_ref().map(|e| new.create_sandbox_causes(e)).unwrap_or_default();
        out.document("request CreateSandbox", Sides::new(a.as_ref(), b.as_ref()), &causes);
    }
    let policy = |p: &Option<String>| p.as_deref().map(Json::from);
    let (a, b) = (policy(&old.policy), policy(&new.policy));
    if a.is_some() || b.is_some() {
        let cause = candidate.effective.as_ref().map(|e| new.policy_cause(e)).unwrap_or_default();
        out.document("request SetPolicy", Sides::new(a.as_ref(), b.as_ref()), &[(String::new(), cause)]);
    }
    let cause = [(String::new(), Cause::rule("the pod's network"))];
    for name in NetworkRequests::NAMES {
        let told = |requests: &NetworkRequests| requests.named(name).map(Json::from);
        let (a, b) = (told(&old.network), told(&new.network));
        if a.is_some() || b.is_some() {
            out.document(&format!("request {name}"), Sides::new(a.as_ref(), b.as_ref()), &cause);
        }
    }
    fold(out.rows, model.folds())
}

/// Folds equal rows away from differences; where nothing differs, nothing is folded.
fn fold(rows: Vec<Row>, folded: bool) -> Vec<Row> {
    let same = |r: &Row| matches!(&r.body, Body::Change(c) if c.kind == Kind::Same);
    let any = rows.iter().any(|r| matches!(&r.body, Body::Change(c) if c.kind != Kind::Same));
    if !folded || !any {
        return rows;
    }
    let near: Vec<bool> = (0..rows.len())
        .map(|i| {
            let from = i.saturating_sub(CONTEXT);
            rows.get(from..(i + CONTEXT + 1).min(rows.len()))
                .unwrap_or_default()
                .iter()
                .any(|r| matches!(&r.body, Body::Change(c) if c.kind != Kind::Same))
        })
        .collect();
    let mut out: Vec<Row> = Vec::new();
    let mut run: Vec<Row> = Vec::new();
    for (row, near) in rows.into_iter().zip(near) {
        if same(&row) && !near {
            run.push(row);
            continue;
        }
        close(&mut run, &mut out);
        out.push(row);
    }
    close(&mut run, &mut out);
    out
}

fn close(run: &mut Vec<Row>, out: &mut Vec<Row>) {
    if run.len() < WORTH_FOLDING {
        out.append(run);
        return;
    }
    let id = run.first().map_or_else(|| "".into(), |r| r.id.clone());
    let find: String = run.iter().map(|r| r.find.as_ref()).collect::<Vec<_>>().join(" ");
    out.push(Row { id: format!("fold\u{1}{id}").into(), find: find.into(), body: Body::Fold(run.len()) });
    run.clear();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(text: &str) -> Vec<Arg> {
        text.split(' ').map(|t| Arg::new(t, Cause::constant())).collect()
    }

    #[test]
    fn equal_runs_fold_around_differences() {
        let old = args("-a -b -c -d -e -f -g -h -i -j");
        let new = args("-a -b -c -d -e -f -g -h -i -z");
        let mut out = Collector::new();
        out.processes("VM", Sides::new(&old, &new), Grouping::Options);
        let rows = fold(out.rows, true);
        assert!(rows.iter().any(|r| matches!(r.body, Body::Fold(7))), "{rows:?}");
        let mut out = Collector::new();
        out.processes("VM", Sides::new(&old, &old), Grouping::Options);
        assert_eq!(fold(out.rows, true).len(), 10);
    }

    #[test]
    fn documents_are_trees_whose_rows_are_found_by_pointer() {
        let old = serde_json::json!({"a": {"b": 1, "c": [1, 2]}, "same": true});
        let new = serde_json::json!({"a": {"b": 2, "c": [1, 2, 3]}, "same": true});
        let mut out = Collector::new();
        out.body("x", Sides::new(Some(&old), Some(&new)), &[]);
        let shown: Vec<(Kind, usize, String)> = out
            .rows
            .iter()
            .filter_map(|r| match &r.body {
                Body::Change(c) => Some((c.kind, c.depth, c.text.candidate.clone())),
                _ => None,
            })
            .collect();
        assert_eq!(shown.first(), Some(&(Kind::Same, 0, "a: {".into())));
        assert!(shown.contains(&(Kind::Changed, 1, "b: 2".into())));
        assert!(shown.contains(&(Kind::Added, 2, "3".into())));
        assert!(shown.contains(&(Kind::Same, 0, "same: true".into())));
    }
}
