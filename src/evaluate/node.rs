//! The door of a whole node: each pod is judged by the handler that serves it.
//!
//! Decides whose rules a pod meets; the rules are those of `Evaluator`. A handler's configuration is loaded
//! once, when the first pod comes to it, and one that does not load is the trouble of its own pods alone.

use std::sync::{Arc, OnceLock};

use super::{Evaluation, Evaluator, Outcome, SANDBOX_ID_TOKEN, Setup, finish, never_reached, refused_by_cri};
use crate::answer::finding::{Code, Finding, Who};
use crate::answer::verdict::{FailureStage, Stage};
use crate::catalog::{self, KATA_PREFIX};
use crate::cri::Engine;
use crate::input::Text;
use crate::input::away::{self, Seen};
use crate::input::config::Layers;
use crate::input::host::Assumption;
use crate::input::manifest::{Form, Pod};
use crate::input::what_if::WhatIf;
use crate::node::{Handler, Node, Route, Said};
use crate::release::{KnownBy, Release, Runtime};
use crate::runtime::{Depth, Run};

/// What judges the pods of one handler.
#[derive(Debug)]
struct Judge {
    /// The handler's name.
    handler: String,
    loaded: OnceLock<Evaluator>,
}

/// A node, ready for any number of pods. Cheap to clone.
#[derive(Debug, Clone)]
pub struct NodeEvaluator {
    node: Arc<Node>,
    judges: Arc<[Judge]>,
    /// The configuration that was named to judge every Kata pod.
    only: Option<Evaluator>,
    hypervisor: Option<String>,
    sandbox_id: Option<String>,
    seen: Seen,
    what_if: WhatIf,
}

/// Who judges a pod.
#[derive(Debug, Clone, Copy)]
pub struct Judged<'n> {
    /// The index among the node's policies.
    pub policy: usize,
    /// The configuration's evaluator.
    pub evaluator: &'n Evaluator,
}

impl NodeEvaluator {
    /// A node with the configuration of each handler.
    pub fn new(node: Node, hypervisor: Option<String>, sandbox_id: Option<String>) -> Self {
        let judges =
            node.kata().map(|h| Judge { handler: h.name.clone(), loaded: OnceLock::new() }).collect();
        Self {
            node: Arc::new(node),
            judges,
            only: None,
            hypervisor,
            sandbox_id,
            seen: Seen::All,
            what_if: WhatIf::default(),
        }
    }

    /// One configuration, and no node around it.
    pub fn alone(evaluator: Evaluator) -> Self {
        let setup = evaluator.setup();
        let node = Node::new(setup.host.clone(), setup.engine.clone(), &Said::default());
        Self::of_one(node, evaluator)
    }

    /// A node on which one configuration judges every pod that comes to Kata.
    pub fn of_one(node: Node, evaluator: Evaluator) -> Self {
        Self {
            node: Arc::new(node),
            judges: Arc::new([]),
            hypervisor: evaluator.setup().hypervisor.clone(),
            sandbox_id: evaluator.setup().sandbox_id.clone(),
            only: Some(evaluator),
            seen: Seen::All,
            what_if: WhatIf::default(),
        }
    }

    /// The same node, of whose files only so much can be looked at.
    #[must_use]
    pub fn seen(self, seen: Seen) -> Self {
        Self { seen, ..self }
    }

    /// The same node, with something said otherwise than its files say it.
    #[must_use]
    pub fn what_if(self, what_if: WhatIf) -> Self {
        let keys = what_if.keys();
        let only = self.only.map(|only| match keys.is_empty() {
            true => only,
            false => only.with_layers(only.setup().layers.with_edits(&keys)),
        });
        let fresh = |judge: &Judge| Judge { handler: judge.handler.clone(), loaded: OnceLock::new() };
        Self { only, what_if, judges: self.judges.iter().map(fresh).collect(), ..self }
    }

    /// What is said otherwise than the files say it, word by word.
    pub fn said_otherwise(&self) -> &[String] {
        self.what_if.words()
    }

    /// What stands for a configuration where the node has none.
    pub fn nothing(&self) -> Evaluator {
        Evaluator::new(Setup {
            host: self.node.host.clone(),
            layers: Layers::read(&self.node.host, "/no configuration"),
            release: Release::newest(Runtime::Rs),
            known_by: KnownBy::Assumed,
            release_note: None,
            hypervisor: None,
            sandbox_id: None,
            engine: Engine::Assumed,
        })
    }

    /// The node.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// What every answer takes for granted, whichever configuration judges. Loads them all.
    pub fn assumed(&self) -> Vec<Assumption> {
        let mut policies = self.policies().filter(|(_, evaluator)| evaluator.loaded().is_ok());
        let Some((_, first)) = policies.next() else { return Vec::new() };
        let rest: Vec<&Evaluator> = policies.map(|(_, evaluator)| evaluator).collect();
        let by_all = |what: &&Assumption| rest.iter().all(|evaluator| evaluator.assumed().contains(what));
        first.assumed().iter().filter(by_all).cloned().collect()
    }

    /// The configuration that was named to judge every pod.
    pub fn only(&self) -> Option<&Evaluator> {
        self.only.as_ref()
    }

    /// Every configuration that judges pods, with the handler that it belongs to.
    pub fn policies(&self) -> impl Iterator<Item = (Option<&Handler>, &Evaluator)> {
        let only = self.only.iter().map(|evaluator| (None, evaluator));
        let each = self.judges.iter().filter_map(|judge| {
            let handler = self.node.handler(&judge.handler)?;
            Some((Some(handler), self.load(judge, handler)))
        });
        only.chain(each)
    }

    fn load<'n>(&'n self, judge: &'n Judge, handler: &Handler) -> &'n Evaluator {
        judge.loaded.get_or_init(|| {
            let layers = handler.layers(&self.node.host).with_edits(&self.what_if.keys());
            Evaluator::new(Setup {
                host: away::host(&self.node.host, &layers, self.seen),
                layers,
                release: handler.release.unwrap_or(Release::newest(Runtime::Go)),
                known_by: handler.known_by,
                release_note: None,
                hypervisor: self.hypervisor.clone(),
                sandbox_id: self.sandbox_id.clone(),
                engine: self.node.engine.clone(),
            })
        })
    }

    /// Who judges the pods of a handler.
    pub fn of_handler(&self, name: &str) -> Option<Judged<'_>> {
        if let Some(evaluator) = &self.only {
            return Some(Judged { policy: 0, evaluator });
        }
        let (policy, judge) = self.judges.iter().enumerate().find(|(_, judge)| judge.handler == name)?;
        let handler = self.node.handler(name)?;
        Some(Judged { policy, evaluator: self.load(judge, handler) })
    }

    /// Who judges a pod; `None` where nobody of Kata does.
    pub fn judge_of(&self, pod: &Pod) -> Option<Judged<'_>> {
        match self.node.route(pod, self.sandbox_id()) {
            Route::Anywhere => self.only.as_ref().map(|evaluator| Judged { policy: 0, evaluator }),
            Route::To { handler, .. } if handler.kata => self.of_handler(&handler.name),
            Route::To { .. } | Route::Refused { .. } | Route::Unknown(_) => None,
        }
    }

    /// The handler that a pod goes to or asks for, and whether it is Kata's.
    pub fn handler_of(&self, pod: &Pod) -> Option<(Text, bool)> {
        match self.node.route(pod, self.sandbox_id()) {
            Route::To { handler, .. } => Some((Text::copy(&handler.name), handler.kata)),
            Route::Refused { handler, .. } => handler.map(|name| (name, false)),
            Route::Anywhere | Route::Unknown(_) => None,
        }
    }

    /// The index of the policy that judged an evaluated pod.
    pub fn policy_of(&self, evaluation: &Evaluation) -> Option<usize> {
        if !matches!(evaluation.outcome, Outcome::Starts | Outcome::Refused(_)) {
            return None;
        }
        if self.only.is_some() {
            return Some(0);
        }
        let name = evaluation.handler.as_ref()?;
        let own = self.judges.iter().position(|judge| judge.handler == **name)?;
        Some(self.picked(evaluation, own).unwrap_or(own))
    }

    /// The policy of the file that the pod itself picks, where its handler's release lets it.
    fn picked(&self, evaluation: &Evaluation, own: usize) -> Option<usize> {
        const CONFIG_PATH: &str = "io.katacontainers.config_path";
        let path = evaluation.received.as_ref()?.get(CONFIG_PATH)?;
        let runtime = |judge: &Judge| self.node.handler(&judge.handler)?.release;
        let release = runtime(self.judges.get(own)?)?;
        if !catalog::annotation(CONFIG_PATH)?.reader(release).read {
            return None;
        }
        let reads = |judge: &Judge| {
            runtime(judge) == Some(release)
                && self.node.handler(&judge.handler).is_some_and(|handler| handler.config() == Some(path))
        };
        self.judges.iter().position(reads)
    }

    fn sandbox_id(&self) -> &str {
        self.sandbox_id.as_deref().unwrap_or(SANDBOX_ID_TOKEN)
    }

    /// What becomes of `pod`.
    pub fn evaluate(&self, pod: &Pod, depth: Depth) -> Evaluation {
        self.evaluate_by(pod, depth, &|_| None)
    }

    /// The same, where `instead` may give another configuration for a handler (an unsaved edit). Its name is
    /// empty where one configuration judges all.
    pub fn evaluate_by<'e>(
        &'e self,
        pod: &Pod,
        depth: Depth,
        instead: &dyn Fn(&str) -> Option<&'e Evaluator>,
    ) -> Evaluation {
        self.routed(pod, instead, &|evaluator| evaluator.evaluate(pod, depth))
    }

    /// What becomes of `pod`, without what a careful reader would add.
    pub fn judge(&self, pod: &Pod) -> Evaluation {
        self.routed(pod, &|_| None, &|evaluator| evaluator.judge(pod))
    }

    /// What becomes of `pod` by the one who judges it, asked as `ask` does.
    fn routed<'e>(
        &'e self,
        pod: &Pod,
        instead: &dyn Fn(&str) -> Option<&'e Evaluator>,
        ask: &dyn Fn(&Evaluator) -> Evaluation,
    ) -> Evaluation {
        if !pod.problems.is_empty() {
            return super::refused_by_kubernetes(pod, pod.sizing);
        }
        match self.node.route(pod, self.sandbox_id()) {
            Route::Anywhere => match instead("").or(self.only.as_ref()) {
                Some(evaluator) => ask(evaluator),
                None => unknown(pod, "no container runtime and no configuration is described".into()),
            },
            Route::Unknown(why) => unknown(pod, why),
            Route::Refused { handler, failure } => match self.not_collected(handler.as_deref()) {
                Some(why) => Evaluation { handler, ..unknown(pod, why) },
                None => Evaluation { handler, ..refused_by_cri(pod, failure) },
            },
            Route::To { handler, assumed, said } => {
                let judge = self.judge_by(handler, instead);
                if let Some(why) = judge.and_then(|judge| self.not_held(judge)) {
                    return Evaluation { handler: Some(Text::copy(&handler.name)), ..unknown(pod, why) };
                }
                let mut evaluation = match judge {
                    Some(evaluator) => ask(evaluator),
                    None => self.not_kata(pod, handler, said),
                };
                evaluation.handler = Some(Text::copy(&handler.name));
                if let Some(sentence) = assumed {
                    let first = Assumption::Handler(Arc::from(&*sentence));
                    evaluation.assumed =
                        std::iter::once(first).chain(evaluation.assumed.iter().cloned()).collect();
                }
                let refused = evaluation.outcome.failure().map(|failure| failure.stage);
                evaluation.findings.extend(self.elsewhere(pod, handler));
                evaluation.findings.extend(refused.and_then(|stage| self.way_out(pod, handler, stage)));
                evaluation
            }
        }
    }

    /// What becomes of `pod`, and how it comes to start where it is refused.
    pub fn evaluate_and_advise(&self, pod: &Pod, depth: Depth) -> Evaluation {
        let mut evaluation = self.evaluate(pod, depth);
        self.advise(pod, &mut evaluation, &|_| None);
        evaluation
    }

    /// Adds how an evaluated `pod` comes to start where it is refused ([`Evaluator::advise`]); `instead` as it was
    /// evaluated with.
    pub fn advise<'e>(
        &'e self,
        pod: &Pod,
        evaluation: &mut Evaluation,
        instead: &dyn Fn(&str) -> Option<&'e Evaluator>,
    ) {
        let judge = match self.node.route(pod, self.sandbox_id()) {
            _ if !pod.problems.is_empty() => None,
            Route::Anywhere => instead("").or(self.only.as_ref()),
            Route::To { handler, .. } => self.judge_by(handler, instead),
            Route::Refused { .. } | Route::Unknown(_) => None,
        };
        match judge {
            Some(evaluator) => evaluator.advise(pod, evaluation),
            None => super::way_out::put_outside(pod, evaluation),
        }
    }

    /// Who judges a handler's pods where `instead` may give another configuration.
    fn judge_by<'e>(
        &'e self,
        handler: &Handler,
        instead: &dyn Fn(&str) -> Option<&'e Evaluator>,
    ) -> Option<&'e Evaluator> {
        if !handler.kata {
            return None;
        }
        let name = if self.only.is_some() { "" } else { handler.name.as_str() };
        instead(name).or_else(|| self.of_handler(&handler.name).map(|judge| judge.evaluator))
    }

    /// Why a pod of this configuration cannot be judged: nobody collected the file.
    fn not_held(&self, judge: &Evaluator) -> Option<Text> {
        let layers = &judge.setup().layers;
        if self.node.host.sees_all() || layers.base.is_ok() || self.node.host.knows(&layers.asked) {
            return None;
        }
        Some(format!("{}, which its handler reads, is not in what was collected", layers.asked).into())
    }

    /// Why a handler that was not found may be there all the same: a file that would say so was not collected.
    fn not_collected(&self, handler: Option<&str>) -> Option<Text> {
        let not_held = self.node.engine.not_held();
        let handler = handler.filter(|name| self.node.handler(name).is_none())?;
        if not_held.is_empty() {
            return None;
        }
        let files = not_held.join(", ");
        Some(format!("handler {handler} is not in what was collected, and {files} is not either").into())
    }

    /// A handler that is no Kata runtime: the container runtime does its part, and Kata none.
    fn not_kata(&self, pod: &Pod, handler: &Handler, said: bool) -> Evaluation {
        let passed = self.node.engine.pass(pod, pod.sizing.as_ref(), self.sandbox_id());
        let shim_missing = handler.shim.missing.is_some() && !said;
        let received = match passed.failure {
            Some(failure) if !shim_missing => return refused_by_cri(pod, failure),
            Some(_) => None,
            None => Some(passed.received),
        };
        let reason =
            Text::from(format!("handler {} is no Kata runtime: it has no effect here", handler.name));
        let verdicts = pod
            .annotations
            .iter()
            .map(|annotation| never_reached(annotation, Stage::Cri, reason.clone()))
            .collect::<Vec<_>>();
        let kata = verdicts.iter().filter(|v| v.key.starts_with(KATA_PREFIX)).count();
        let mut evaluation = finish(pod, Outcome::NotKata, verdicts, Run::default(), pod.sizing, received);
        // What is worth knowing of a Kata pod is not of this one.
        evaluation.findings.clear();
        if kata > 0 {
            let what = if kata == 1 { "Kata annotation has" } else { "Kata annotations have" };
            let message =
                format!("handler {} is no Kata runtime: the pod's {kata} {what} no effect", handler.name);
            let fix = "give the pod the RuntimeClass of a Kata handler, or take them out";
            let finding = Finding::note(Code::NotKata, Who::PodAuthor, message);
            evaluation.findings.push(finding.at(pod.place()).advise(fix));
        }
        evaluation
    }

    /// What to do about a handler that starts no pod.
    fn way_out(&self, pod: &Pod, handler: &Handler, stage: FailureStage) -> Option<Finding> {
        let advice = handler.advice.as_ref().filter(|_| self.only.is_none())?;
        let (code, fix) = match stage {
            FailureStage::Cri => {
                (Code::ShimMissing, "install the shim, or name the path where it lies as runtime_path")
            }
            FailureStage::Load => (
                Code::OtherRuntimesFile,
                "name the runtime's own file in the handler's table, or the other shim",
            ),
            _ => return None,
        };
        let place = handler.place.as_ref().map(|place| format!(" ({place})")).unwrap_or_default();
        let finding = Finding::note(code, Who::ClusterAdministrator, advice);
        Some(finding.at(pod.place()).advise(format!("{fix}{place}")))
    }

    /// A configuration that was named judges a pod whose handler reads another.
    fn elsewhere(&self, pod: &Pod, handler: &Handler) -> Option<Finding> {
        let only = self.only.as_ref().filter(|_| handler.kata && pod.form != Form::Oci)?;
        let judged = &only.setup().layers.asked;
        let own = handler.config().filter(|own| **own != **judged)?;
        let message = format!("judged by {judged}; its handler {} reads {own}", handler.name);
        let fix = "leave -c out: each pod is then judged by the file of its handler";
        let finding = Finding::note(Code::OtherConfiguration, Who::ClusterAdministrator, message);
        Some(finding.at(pod.place()).advise(fix))
    }
}

/// A pod of which nothing says where it would run.
fn unknown(pod: &Pod, why: Text) -> Evaluation {
    let reason = Text::from("not known: nothing says where the pod would run");
    let verdicts = pod.annotations.iter().map(|a| never_reached(a, Stage::Cri, reason.clone())).collect();
    let mut evaluation =
        finish(pod, Outcome::Unknown(why.clone()), verdicts, Run::default(), pod.sizing, None);
    let finding = Finding::warning(Code::HandlerUnknown, Who::ClusterAdministrator, why.as_str());
    evaluation.findings.push(finding.at(pod.place()));
    evaluation
}
