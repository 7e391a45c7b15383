//! Which kinds of objects make pods, and where in them the pod template stands.
//!
//! A table, and the search for templates in kinds that are not in it. Facts: the API of Kubernetes
//! 1.36 and the custom resources' own definitions (Argo, Knative, KServe, JobSet, LeaderWorkerSet,
//! Kubeflow, KubeRay, Volcano, agent-sandbox, OpenKruise, OpenShift).

use super::node::{Data, Node};

/// Where one pod template of a kind stands. Paths are dotted; `[]` after a name means every element of
/// an array, `{}` every value of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Home {
    /// From the object to the template.
    pub base: &'static str,
    /// From the template to what holds `annotations` and `labels`.
    pub metadata: &'static str,
    /// From the template to the pod's spec.
    pub spec: &'static str,
    /// From the object to metadata that is added to every template's.
    pub shared: Option<&'static str>,
}

impl Home {
    /// A template with `metadata` and `spec` of its own.
    const fn at(base: &'static str) -> Self {
        Self { base, metadata: "metadata", spec: "spec", shared: None }
    }

    /// A pod spec written out in place, with `annotations` among its fields.
    const fn inlined(base: &'static str) -> Self {
        Self { base, metadata: "", spec: "", shared: None }
    }

    /// The path of the annotations, for messages.
    pub fn annotations_path(&self) -> String {
        let parts = [self.base, self.metadata, "annotations"];
        parts.into_iter().filter(|p| !p.is_empty()).collect::<Vec<_>>().join(".")
    }
}

/// One kind that makes pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// API group; empty for the core group.
    pub group: &'static str,
    /// `Deployment`.
    pub kind: &'static str,
    /// Versions that Kubernetes 1.36 serves; empty for a custom resource.
    pub versions: &'static [&'static str],
    /// Where its pod templates stand.
    pub homes: &'static [Home],
}

impl Kind {
    /// What stands under `apiVersion` in objects of it; `None` for a custom resource.
    pub fn api_version(&self) -> Option<String> {
        let version = self.versions.first()?;
        Some(match self.group {
            "" => (*version).to_owned(),
            group => format!("{group}/{version}"),
        })
    }
}

const fn kind(
    group: &'static str,
    kind: &'static str,
    versions: &'static [&'static str],
    homes: &'static [Home],
) -> Kind {
    Kind { group, kind, versions, homes }
}

const TEMPLATE: &[Home] = &[Home::at("spec.template")];
const JOB_TEMPLATE: &[Home] = &[Home::at("spec.jobTemplate.spec.template")];
const POD_TEMPLATE: &[Home] = &[Home::at("spec.podTemplate")];
const WORKFLOW: &[Home] =
    &[Home { base: "spec.templates[]", metadata: "metadata", spec: "", shared: Some("spec.podMetadata") }];
const CRON_WORKFLOW: &[Home] = &[Home {
    base: "spec.workflowSpec.templates[]",
    metadata: "metadata",
    spec: "",
    shared: Some("spec.workflowSpec.podMetadata"),
}];
const RAY: &[Home] = &[Home::at("spec.headGroupSpec.template"), Home::at("spec.workerGroupSpecs[].template")];
const RAY_NESTED: &[Home] = &[
    Home::at("spec.rayClusterSpec.headGroupSpec.template"),
    Home::at("spec.rayClusterSpec.workerGroupSpecs[].template"),
];
const RAY_SERVICE: &[Home] = &[
    Home::at("spec.rayClusterConfig.headGroupSpec.template"),
    Home::at("spec.rayClusterConfig.workerGroupSpecs[].template"),
];

/// Every kind that is known to make pods.
#[rustfmt::skip]
pub static KINDS: &[Kind] = &[
    kind("", "Pod", &["v1"], &[Home::at("")]),
    kind("", "PodTemplate", &["v1"], &[Home::at("template")]),
    kind("", "ReplicationController", &["v1"], TEMPLATE),
    kind("apps", "ReplicaSet", &["v1"], TEMPLATE),
    kind("apps", "Deployment", &["v1"], TEMPLATE),
    kind("apps", "StatefulSet", &["v1"], TEMPLATE),
    kind("apps", "DaemonSet", &["v1"], TEMPLATE),
    kind("batch", "Job", &["v1"], TEMPLATE),
    kind("batch", "CronJob", &["v1"], JOB_TEMPLATE),
    kind("apps.openshift.io", "DeploymentConfig", &[], TEMPLATE),
    kind("argoproj.io", "Rollout", &[], TEMPLATE),
    kind("argoproj.io", "Workflow", &[], WORKFLOW),
    kind("argoproj.io", "WorkflowTemplate", &[], WORKFLOW),
    kind("argoproj.io", "ClusterWorkflowTemplate", &[], WORKFLOW),
    kind("argoproj.io", "CronWorkflow", &[], CRON_WORKFLOW),
    kind("serving.knative.dev", "Service", &[], TEMPLATE),
    kind("serving.knative.dev", "Configuration", &[], TEMPLATE),
    kind("serving.knative.dev", "Revision", &[], &[Home::at("")]),
    kind("sinks.knative.dev", "JobSink", &[], &[Home::at("spec.job.spec.template")]),
    kind("serving.kserve.io", "InferenceService", &[], &[
        Home::inlined("spec.predictor"), Home::inlined("spec.transformer"), Home::inlined("spec.explainer"),
    ]),
    kind("serving.kserve.io", "ServingRuntime", &[], &[Home::inlined("spec")]),
    kind("serving.kserve.io", "ClusterServingRuntime", &[], &[Home::inlined("spec")]),
    kind("jobset.x-k8s.io", "JobSet", &[], &[Home::at("spec.replicatedJobs[].template.spec.template")]),
    kind("leaderworkerset.x-k8s.io", "LeaderWorkerSet", &[], &[
        Home::at("spec.leaderWorkerTemplate.leaderTemplate"), Home::at("spec.leaderWorkerTemplate.workerTemplate"),
    ]),
    kind("kubeflow.org", "PyTorchJob", &[], &[Home::at("spec.pytorchReplicaSpecs{}.template")]),
    kind("kubeflow.org", "TFJob", &[], &[Home::at("spec.tfReplicaSpecs{}.template")]),
    kind("kubeflow.org", "MPIJob", &[], &[Home::at("spec.mpiReplicaSpecs{}.template")]),
    kind("kubeflow.org", "XGBoostJob", &[], &[Home::at("spec.xgbReplicaSpecs{}.template")]),
    kind("kubeflow.org", "PaddleJob", &[], &[Home::at("spec.paddleReplicaSpecs{}.template")]),
    kind("kubeflow.org", "JAXJob", &[], &[Home::at("spec.jaxReplicaSpecs{}.template")]),
    kind("ray.io", "RayCluster", &[], RAY),
    kind("ray.io", "RayJob", &[], RAY_NESTED),
    kind("ray.io", "RayService", &[], RAY_SERVICE),
    kind("batch.volcano.sh", "Job", &[], &[Home::at("spec.tasks[].template")]),
    kind("agents.x-k8s.io", "Sandbox", &[], POD_TEMPLATE),
    kind("agents.x-k8s.io", "SandboxTemplate", &[], POD_TEMPLATE),
    kind("extensions.agents.x-k8s.io", "SandboxTemplate", &[], POD_TEMPLATE),
    kind("apps.kruise.io", "CloneSet", &[], TEMPLATE),
    kind("apps.kruise.io", "StatefulSet", &[], TEMPLATE),
    kind("apps.kruise.io", "DaemonSet", &[], TEMPLATE),
    kind("apps.kruise.io", "BroadcastJob", &[], TEMPLATE),
    kind("apps.kruise.io", "AdvancedCronJob", &[], &[
        Home::at("spec.template.jobTemplate.spec.template"),
        Home::at("spec.template.broadcastJobTemplate.spec.template"),
    ]),
];

/// The group and version of an `apiVersion`.
pub fn group_version(api_version: &str) -> (&str, &str) {
    api_version.split_once('/').unwrap_or(("", api_version))
}

/// The kind of that group, whatever its version.
pub fn lookup(api_version: &str, kind: &str) -> Option<&'static Kind> {
    let (group, _) = group_version(api_version);
    KINDS.iter().find(|k| k.kind == kind && k.group == group)
}

/// The other kinds of the groups in which users write most, as Kubernetes 1.36 serves them.
#[rustfmt::skip]
static OTHERS: &[(&str, &[&str])] = &[
    ("v1", &["Binding", "ComponentStatus", "ConfigMap", "Endpoints", "Event", "Eviction", "LimitRange", "Namespace",
        "Node", "PersistentVolume", "PersistentVolumeClaim", "PodStatusResult", "ResourceQuota", "Secret", "Service",
        "ServiceAccount", "Status", "List"]),
    ("apps/v1", &["ControllerRevision"]),
    ("batch/v1", &[]),
    ("policy/v1", &["PodDisruptionBudget"]),
    ("autoscaling/v1", &["HorizontalPodAutoscaler", "Scale"]),
    ("autoscaling/v2", &["HorizontalPodAutoscaler"]),
];

/// Whether no such kind is served: groups without a dot are Kubernetes' own, and all of them are in the
/// tables. Lists are their items' business.
pub fn is_missing(api_version: &str, kind: &str) -> bool {
    let (group, _) = group_version(api_version);
    let known = OTHERS.iter().any(|(version, kinds)| *version == api_version && kinds.contains(&kind));
    !group.contains('.') && !known && lookup(api_version, kind).is_none() && !kind.ends_with("List")
}

/// The kind of an object: of its group, or the built-in one that a wrong version means. Groups of
/// custom resources have a dot in their name and are never mistaken for built-in ones.
pub fn resolve(api_version: &str, kind: &str) -> Option<&'static Kind> {
    let (group, _) = group_version(api_version);
    lookup(api_version, kind).or_else(|| built_in(kind).filter(|_| !group.contains('.')))
}

/// A built-in kind of that name, in whichever group it lives: `Deployment` under `extensions/v1beta1`.
pub fn built_in(kind: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|k| k.kind == kind && !k.versions.is_empty())
}

/// One template found in an object.
#[derive(Debug, Clone)]
pub struct Template<'n, 'a> {
    /// The template itself.
    pub node: &'n Node<'a>,
    /// What holds its annotations and labels, where that is there.
    pub metadata: Option<&'n Node<'a>>,
    /// Metadata that every pod of the object gets besides.
    pub shared: Option<&'n Node<'a>>,
    /// The pod's spec.
    pub spec: Option<&'n Node<'a>>,
    /// Dotted path of the template in the object.
    pub path: String,
    /// The name of the element or key that it stands in.
    pub role: Option<String>,
}

/// The templates of `object`, of a kind in the table or found by their looks.
pub fn templates<'n, 'a>(object: &'n Node<'a>, kind: Option<&Kind>) -> Vec<Template<'n, 'a>> {
    let mut found = Vec::new();
    match kind {
        Some(kind) => {
            for home in kind.homes {
                follow(object, home.base, String::new(), None, &mut |node, path, role| {
                    found.push(Template {
                        node,
                        metadata: at(node, home.metadata),
                        shared: home.shared.and_then(|path| at(object, path)),
                        spec: at(node, home.spec),
                        path,
                        role,
                    });
                });
            }
        }
        None => search(object, &mut String::new(), 0, &mut found),
    }
    found
}

fn at<'n, 'a>(node: &'n Node<'a>, path: &str) -> Option<&'n Node<'a>> {
    let mut names = path.split('.').filter(|n| !n.is_empty());
    names.try_fold(node, |node, name| node.get(name))
}

fn follow<'n, 'a>(
    node: &'n Node<'a>,
    path: &str,
    walked: String,
    role: Option<String>,
    visit: &mut dyn FnMut(&'n Node<'a>, String, Option<String>),
) {
    if path.is_empty() {
        visit(node, walked, role);
        return;
    }
    let (step, rest) = path.split_once('.').unwrap_or((path, ""));
    let dotted = |name: &str| if walked.is_empty() { name.to_owned() } else { format!("{walked}.{name}") };
    if let Some(name) = step.strip_suffix("[]") {
        let items = node.get(name).map(Node::items).unwrap_or_default();
        for (index, item) in items.iter().enumerate() {
            let role = ["name", "groupName"].iter().find_map(|k| item.text(k)).map(str::to_owned);
            let role = role.unwrap_or_else(|| index.to_string());
            follow(item, rest, format!("{}[{index}]", dotted(name)), Some(role), visit);
        }
    } else if let Some(name) = step.strip_suffix("{}") {
        for entry in node.get(name).map(Node::entries).unwrap_or_default() {
            let path = format!("{}.{}", dotted(name), entry.key);
            follow(&entry.value, rest, path, Some(entry.key.to_lowercase()), visit);
        }
    } else if let Some(next) = node.get(step) {
        let role = match step {
            "headGroupSpec" => Some("head".to_owned()),
            "leaderTemplate" => Some("leader".to_owned()),
            "workerTemplate" => Some("worker".to_owned()),
            "predictor" | "transformer" | "explainer" => Some(step.to_owned()),
            _ => role,
        };
        follow(next, rest, dotted(step), role, visit);
    }
}

/// How deep templates are looked for in kinds that nobody told us about.
const SEARCH_DEPTH: usize = 12;

/// Anything with a `spec` that has a list of `containers`, below the object itself.
fn search<'n, 'a>(node: &'n Node<'a>, path: &mut String, depth: usize, found: &mut Vec<Template<'n, 'a>>) {
    if depth > SEARCH_DEPTH {
        return;
    }
    let containers = node.get("spec").and_then(|s| s.get("containers"));
    if depth > 0 && containers.is_some_and(|c| c.items().iter().any(|c| c.get("image").is_some())) {
        found.push(Template {
            node,
            metadata: node.get("metadata"),
            shared: None,
            spec: node.get("spec"),
            path: path.clone(),
            role: None,
        });
        return;
    }
    let length = path.len();
    match &node.data {
        Data::Map(entries) => {
            for entry in entries {
                if length > 0 {
                    path.push('.');
                }
                path.push_str(&entry.key);
                search(&entry.value, path, depth + 1, found);
                path.truncate(length);
            }
        }
        Data::List(items) => {
            for (index, item) in items.iter().enumerate() {
                path.push_str(&format!("[{index}]"));
                search(item, path, depth + 1, found);
                path.truncate(length);
            }
        }
        _ => {}
    }
}
