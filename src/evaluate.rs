//! The one door: a setup and a pod in, an evaluation out.
//!
//! Decides the order of Kubernetes, container runtime and Kata, and joins their answers into one
//! verdict per annotation. Does no I/O of its own and keeps no state but the loaded configuration.

pub mod affected;
pub mod as_if;
pub mod chain;
mod container_root;
mod devices;
mod findings;
mod host_limits;
pub mod initdata;
mod look;
pub mod node;
mod notice;
pub mod own_keys;
mod remark;
mod remembered;
mod resolver;
mod room;
pub mod searched;
mod start;
mod typos;
mod unread;
pub mod vm_size;
mod way_out;

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use self::findings::finish;
use self::remembered::Remembered;
use self::room::Room;
use self::start::LaunchAndAgent;
use crate::answer::Place;
use crate::answer::agent::AgentSetup;
use crate::answer::effective::{Effective, Origin};
use crate::answer::finding::Finding;
use crate::answer::launch::Launch;
use crate::answer::verdict::{Failure, FailureStage, Fix, Stage, Status, Step, Trace, Verdict};
use crate::answer::way_out::WayOut;
use crate::catalog::{CRI_PREFIX, KATA_PREFIX};
use crate::cri::{Engine, Passages};
use crate::input::config::Layers;
use crate::input::host::Assumption;
use crate::input::manifest::{Pod, PodAnnotation, Sizing};
use crate::input::{Annotations, Host, Text, what_if};
use crate::release::{Judged, KnownBy, Release};
use crate::runtime::{Asked, Depth, LoadError, LoadOptions, Loaded, Run, Sandbox};

/// The token for a sandbox id that nobody gave.
pub const SANDBOX_ID_TOKEN: &str = "{sandbox-id}";

/// Everything but the pod.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The host.
    pub host: Host,
    /// The configuration file and its drop-ins.
    pub layers: Layers,
    /// The rules that apply.
    pub release: Release,
    /// How it is known that it is this release.
    pub known_by: KnownBy,
    /// What a reader has to know of the choice of the release.
    pub release_note: Option<String>,
    /// The hypervisor table to take where the runtime would pick at random.
    pub hypervisor: Option<String>,
    /// The sandbox id; a token where absent.
    pub sandbox_id: Option<String>,
    /// The container runtime.
    pub engine: Engine,
}

/// Whether the pod starts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Outcome {
    /// The VM is started.
    #[default]
    Starts,
    /// It is not.
    Refused(Failure),
    /// Its handler is another runtime than Kata.
    NotKata,
    /// Nothing given says where it would run, for this reason.
    Unknown(Text),
}

impl Outcome {
    /// The failure of a refused pod.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Refused(failure) => Some(failure),
            Self::Starts | Self::NotKata | Self::Unknown(_) => None,
        }
    }

    /// The word of the reports.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Starts => "starts",
            Self::Refused(_) => "refused",
            Self::NotKata => "not-kata",
            Self::Unknown(_) => "unknown",
        }
    }
}

/// What becomes of one pod.
#[derive(Debug, Clone, Default)]
pub struct Evaluation {
    /// Whether it starts.
    pub outcome: Outcome,
    /// The handler that serves it, or that it asks for.
    pub handler: Option<Text>,
    /// One verdict for each annotation that the pod sets, in the pod's order.
    pub verdicts: Vec<Verdict>,
    /// What a careful reader would point out, worst first.
    pub findings: Vec<Finding>,
    /// Every key the release reads (`Depth::Full`, where the pod gets so far).
    pub effective: Option<Effective>,
    /// The VM's processes and requests (likewise).
    pub launch: Option<Launch>,
    /// What the guest is told (likewise).
    pub agent: Option<AgentSetup>,
    /// What kubelet hands to the CRI.
    pub sizing: Option<Sizing>,
    /// The annotations of the sandbox that the runtime is given; `None` where it is given none.
    pub received: Option<Annotations>,
    /// What the answer rests on that nobody has looked at.
    pub assumed: Arc<[Assumption]>,
    /// How a refused pod comes to start, where somebody asked ([`Evaluator::advise`]).
    pub way_out: Option<WayOut>,
}

impl Evaluation {
    /// The verdicts, by their annotation's whole key.
    pub fn verdicts_by_key(&self) -> HashMap<&str, &Verdict> {
        self.verdicts.iter().map(|verdict| (verdict.key.as_str(), verdict)).collect()
    }

    /// Whether the pod might fare otherwise if what nobody has looked at is not as it is taken to be.
    pub fn hangs_on_assumptions(&self) -> bool {
        self.assumed.iter().any(Assumption::decides)
    }

    /// What a verdict rests on that nobody has looked at: the file that the annotation names, or its digest.
    pub fn assumed_for(&self, verdict: &Verdict) -> Option<&Assumption> {
        if self.assumed.is_empty() || !matches!(verdict.status, Status::Applied | Status::Overridden) {
            return None;
        }
        self.assumed.iter().find(|assumption| match assumption {
            Assumption::Digest(_) => verdict.key.ends_with("_hash"),
            _ => assumption.path() == Some(&*verdict.value),
        })
    }
}

/// A setup whose configuration is loaded, ready for any number of pods. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Evaluator {
    setup: Arc<Setup>,
    loaded: Arc<Result<Loaded, LoadError>>,
    /// The size of a sandbox that asks for nothing, once somebody wants it.
    base: Arc<OnceLock<Option<vm_size::Base>>>,
    /// Whose the files look like, once somebody wants it.
    look: Arc<OnceLock<Option<look::Look>>>,
    /// What decides whether its containers get roots, likewise.
    roots: Arc<OnceLock<Option<container_root::Base>>>,
    /// What the loaded configuration rests on that nobody has looked at.
    assumed: Arc<[Assumption]>,
    /// What became of sandboxes so far.
    remembered: Arc<Remembered>,
    /// What was tried in search of a way out, and found.
    tried: Arc<way_out::Tried>,
    /// Keys of the configuration that nobody reads, once somebody wants them.
    unread: Arc<OnceLock<Vec<Finding>>>,
    /// Every value of a sandbox that asks for nothing, once somebody wants it.
    bare: Arc<OnceLock<Option<Effective>>>,
}

impl Evaluator {
    /// Loads the configuration.
    pub fn new(setup: Setup) -> Self {
        Self::load(setup, true)
    }

    /// The same; `noting` says whether anybody asks what it rests on that nobody has looked at.
    fn load(setup: Setup, noting: bool) -> Self {
        let options = LoadOptions { hypervisor: setup.hypervisor.as_deref() };
        let host = setup.host.noting(setup.host.granted());
        let loaded = Loaded::load(setup.release, &setup.layers, &host, &options);
        if let (Ok(loaded), false) = (&loaded, !noting || host.is_known()) {
            // What every start asks is asked once, before what a pod asks on top.
            let nothing = Annotations::default();
            let sandbox = Sandbox {
                id: SANDBOX_ID_TOKEN,
                hostname: "",
                host_network: false,
                annotations: &nothing,
                devices: &[],
            };
            loaded.run(asked(&host, &sandbox, Depth::Full));
        }
        let assumed = host.noted();
        drop(host);
        let (setup, loaded) = (Arc::new(setup), Arc::new(loaded));
        Self {
            setup,
            loaded,
            base: Arc::default(),
            look: Arc::default(),
            roots: Arc::default(),
            assumed,
            remembered: Arc::default(),
            tried: Arc::default(),
            unread: Arc::default(),
            bare: Arc::default(),
        }
    }

    /// What the loaded configuration rests on that nobody has looked at.
    pub fn assumed(&self) -> &Arc<[Assumption]> {
        &self.assumed
    }

    /// The same setup with other layers (an unsaved edit, another file).
    #[must_use]
    pub fn with_layers(&self, layers: Layers) -> Self {
        Self::new(Setup { layers, ..(*self.setup).clone() })
    }

    /// The same setup under another release.
    #[must_use]
    pub fn with_release(&self, release: Release) -> Self {
        Self::new(Setup { release, known_by: KnownBy::Said, release_note: None, ..(*self.setup).clone() })
    }

    /// The same setup under a release of which it is known how it came to be judged.
    #[must_use]
    pub fn with_judged(&self, judged: Judged) -> Self {
        let Judged { release, known_by, note } = judged;
        Self::new(Setup { release, known_by, release_note: note, ..(*self.setup).clone() })
    }

    /// What was set up.
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// The loaded configuration, or why it does not load.
    pub fn loaded(&self) -> Result<&Loaded, &LoadError> {
        self.loaded.as_ref().as_ref()
    }

    /// The active hypervisor's table name, where the configuration loads.
    pub fn hypervisor(&self) -> Option<&str> {
        self.loaded().ok().map(Loaded::hypervisor)
    }

    /// What the configuration makes of a sandbox that asks for nothing; `None` where it does not start.
    pub fn base(&self) -> Option<&vm_size::Base> {
        let compute = || Some(vm_size::Base::of(self.bare()?, self.hypervisor()?));
        self.base.get_or_init(compute).as_ref()
    }

    /// What decides whether containers get roots; `None` where a sandbox that asks for nothing does not start.
    fn roots(&self) -> Option<&container_root::Base> {
        let compute = || Some(container_root::Base::of(self.bare()?, self.hypervisor()?));
        self.roots.get_or_init(compute).as_ref()
    }

    /// Every value of a sandbox that asks for nothing; `None` where it does not start.
    pub fn bare(&self) -> Option<&Effective> {
        self.bare.get_or_init(|| self.asking_for_nothing()).as_ref()
    }

    /// Keys of the configuration that nobody reads.
    pub fn unread_keys(&self) -> &[Finding] {
        self.unread.get_or_init(|| unread::keys(self))
    }

    /// The VM's size for a sandbox that was evaluated, with the sum behind it.
    pub fn vm_size(&self, evaluation: &Evaluation) -> Option<vm_size::VmSize> {
        let release = self.setup.release;
        let workload = vm_size::Workload::of(release, evaluation.received.as_ref()?);
        Some(vm_size::VmSize::of(release, self.base()?, workload, &evaluation.verdicts))
    }

    /// The id given to sandboxes.
    pub fn sandbox_id(&self) -> &str {
        self.setup.sandbox_id.as_deref().unwrap_or(SANDBOX_ID_TOKEN)
    }

    /// What becomes of `pod`.
    pub fn evaluate(&self, pod: &Pod, depth: Depth) -> Evaluation {
        let mut evaluation = self.walk(pod, depth);
        let mut notices = notice::notices(self, pod, &evaluation);
        if evaluation.findings.is_empty() {
            evaluation.findings = notices;
        } else {
            evaluation.findings.append(&mut notices);
        }
        evaluation.findings.sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| a.code.cmp(&b.code)));
        evaluation
    }

    /// What becomes of `pod`, and how it comes to start where it is refused.
    pub fn evaluate_and_advise(&self, pod: &Pod, depth: Depth) -> Evaluation {
        let mut evaluation = self.evaluate(pod, depth);
        self.advise(pod, &mut evaluation);
        evaluation
    }

    /// Adds how `pod` comes to start where it is refused, and what would help annotations that no list lets
    /// through. That is found by trying, which takes longer than the answer itself.
    pub fn advise(&self, pod: &Pod, evaluation: &mut Evaluation) {
        way_out::put(self, pod, evaluation);
    }

    /// What becomes of `pod`, without what a careful reader would add.
    pub fn judge(&self, pod: &Pod) -> Evaluation {
        self.walk(pod, Depth::Verdicts)
    }

    /// Kubernetes, the container runtime and Kata in order, on a host that is taken to have what the pod asks for where its size is not known.
    fn walk(&self, pod: &Pod, depth: Depth) -> Evaluation {
        let evaluation = self.pass_through(pod, depth);
        let roomier = Room::lacking(self, &evaluation).and_then(|room| room.made(self));
        let Some(roomier) = roomier else { return evaluation };
        let other = roomier.pass_through(pod, depth);
        if Room::helps(&evaluation, &other) { other } else { evaluation }
    }

    /// Kubernetes, the container runtime and Kata in order.
    fn pass_through(&self, pod: &Pod, depth: Depth) -> Evaluation {
        let sizing = pod.sizing;
        if !pod.problems.is_empty() {
            return refused_by_kubernetes(pod, sizing);
        }
        let passed = self.setup.engine.pass(pod, sizing.as_ref(), self.sandbox_id());
        if let Some(failure) = passed.failure {
            return refused_by_cri(pod, failure);
        }
        let sandbox = Sandbox {
            id: self.sandbox_id(),
            hostname: &pod.hostname,
            host_network: pod.isolation.host_network,
            annotations: &passed.received,
            devices: &pod.devices,
        };
        let (mut run, assumed) = match depth {
            Depth::Verdicts => {
                self.remembered.answer(&sandbox, |sandbox| self.run(sandbox, depth, |_, _| ()))
            }
            Depth::Full => self.run(&sandbox, depth, |agent, host| resolver::tell(agent, pod, host)),
        };
        let mut verdicts = self.join(pod, &passed.passages, &mut run);
        own_keys::judge(self, pod, &passed.received, &mut verdicts);
        if let Some(failure) = own_keys::called_a_container(self, pod, &passed.received) {
            run = Run { failure: Some(failure), ..Run::default() };
        }
        let outcome = match run.failure.take() {
            Some(failure) => match look::not_collected(&self.setup.host, &failure, &passed.received) {
                Some(why) => Outcome::Unknown(why),
                None => Outcome::Refused(failure),
            },
            None => Outcome::Starts,
        };
        if let Some(effective) = &mut run.effective {
            of_what_if(effective, &self.setup.layers.what_if);
        }
        Evaluation { assumed, ..finish(pod, outcome, verdicts, run, sizing, Some(passed.received)) }
    }

    /// What the runtime makes of a sandbox, and what that rests on; `tell` adds to what its agent is told.
    fn run(
        &self,
        sandbox: &Sandbox<'_>,
        depth: Depth,
        tell: impl Fn(&mut AgentSetup, &Host),
    ) -> remembered::Answer {
        let host = self.setup.host.noting(&self.assumed);
        let mut run = match self.loaded.as_ref() {
            Ok(loaded) => loaded.run(asked(&host, sandbox, depth)),
            Err(error) => Loaded::run_without(self.setup.release, error, asked(&host, sandbox, depth)),
        };
        if let Some(agent) = &mut run.agent {
            tell(agent, &host);
        }
        let assumed = host.noted();
        (run, assumed)
    }

    /// One verdict per annotation of the pod, from the CRI's answer and the runtime's.
    fn join(&self, pod: &Pod, passages: &Passages, run: &mut Run) -> Vec<Verdict> {
        let mut answers: Vec<Option<Verdict>> =
            std::mem::take(&mut run.verdicts).into_iter().map(Some).collect();
        let mut next = 0;
        let mut answer = |key: &str| {
            // Pods mostly write their keys in order, so that the answer is the next one.
            let is_it = |at: &usize| matches!(answers.get(*at), Some(Some(verdict)) if verdict.key == key);
            let at = (next..answers.len()).chain(0..next).find(is_it)?;
            next = at + 1;
            answers.get_mut(at)?.take()
        };
        let mut verdicts: Vec<Verdict> = Vec::with_capacity(pod.annotations.len());
        for (index, annotation) in pod.annotations.iter().enumerate() {
            let Some(passage) = passages.of(index) else { break };
            let of_cri = annotation.key.starts_with(CRI_PREFIX);
            // A verdict is large: it is put in its place first, and finished there.
            verdicts.push(match passage.passed {
                true if of_cri => self.without_answer(annotation),
                true => answer(&annotation.key).unwrap_or_else(|| self.without_answer(annotation)),
                false => Verdict {
                    status: Status::Dropped,
                    fix: passage.fix.clone().map(Box::new),
                    ..never_reached(annotation, Stage::Cri, passage.note.clone())
                },
            });
            if let Some(verdict) = verdicts.last_mut() {
                let step = Step::new(Stage::Cri, passage.passed, passage.note.clone());
                verdict.trace.begin(step.at(passage.place.clone()));
                if !of_cri {
                    typos::mend(verdict, self.setup.release);
                }
            }
        }
        verdicts
    }

    /// The verdict on an annotation that the runtime did not speak about.
    fn without_answer(&self, annotation: &PodAnnotation) -> Verdict {
        if self.loaded.is_err() {
            return never_reached(annotation, Stage::Known, "the configuration does not load".into());
        }
        if annotation.key.starts_with(KATA_PREFIX) {
            let reason = format!("{} reads no such annotation", self.setup.release.title()).into();
            return Verdict { status: Status::Unknown, ..never_reached(annotation, Stage::Known, reason) };
        }
        never_reached(annotation, Stage::Known, "not one of Kata's annotations".into())
    }
}

/// What a runtime is asked, with the launches of this house behind it.
fn asked<'a>(host: &'a Host, sandbox: &'a Sandbox<'a>, depth: Depth) -> Asked<'a> {
    Asked { host, sandbox, depth, start: &LaunchAndAgent }
}

fn refused_by_kubernetes(pod: &Pod, sizing: Option<Sizing>) -> Evaluation {
    let verdicts = pod
        .annotations
        .iter()
        .map(|a| match pod.problems.iter().find(|p| p.annotation.as_deref() == Some(a.key.as_str())) {
            Some(problem) => {
                let reason = Text::copy(&problem.message);
                let step = Step::new(Stage::Kubernetes, false, reason.clone()).at(problem.place.clone());
                Verdict {
                    fix: problem.fix.clone().map(|text| Fix::Advice(text.into()).into()),
                    trace: Trace::from(vec![step]),
                    ..Verdict::new(&a.key, &a.value, Status::Invalid, Stage::Kubernetes, reason)
                }
            }
            None => never_reached(a, Stage::Kubernetes, "Kubernetes refuses the object it stands in".into()),
        })
        .collect();
    let message =
        pod.problems.iter().filter(|p| p.named).map(|p| p.message.as_str()).collect::<Vec<_>>().join("\n");
    let mut failure = Failure::new(FailureStage::Kubernetes, message);
    failure.annotation = pod.problems.iter().find_map(|p| p.annotation.clone());
    finish(pod, Outcome::Refused(failure), verdicts, Run::default(), sizing, None)
}

fn refused_by_cri(pod: &Pod, failure: Failure) -> Evaluation {
    let reason = Text::from("the container runtime refuses the pod");
    let verdicts = pod.annotations.iter().map(|a| never_reached(a, Stage::Cri, reason.clone())).collect();
    finish(pod, Outcome::Refused(failure), verdicts, Run::default(), pod.sizing, None)
}

/// A verdict that ends before the runtime looked.
fn never_reached(annotation: &PodAnnotation, stage: Stage, reason: Text) -> Verdict {
    Verdict::new(&annotation.key, &annotation.value, Status::Ignored, stage, reason)
}

/// Values of the configuration that stand in no file have no line in one.
fn of_what_if(effective: &mut Effective, keys: &[String]) {
    for key in keys {
        if effective.get(key).is_some_and(|value| matches!(value.origin, Origin::File(_)))
            && let Some(value) = effective.get_mut(key)
        {
            value.origin = Origin::File(Place { file: what_if::PLACE.into(), line: 0, column: 0 });
        }
    }
}
