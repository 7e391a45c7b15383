//! `ValidatingAdmissionPolicy` with its binding, `admissionregistration.k8s.io/v1`.
//!
//! Decides which requests are judged: pods when they are made and changed, their status and binding (two doors by
//! which annotations get onto a pod past the rules for pods), and whatever makes pods. What an object has already
//! is not judged again, so that it can still be changed and deleted.

use super::cel::{self, Place, Validation, quote};
use super::head::{self, Head};
use super::rules::Rules;
use super::yaml::Node;
use super::{Action, Exported, SGX_EPC, Wanted};
use crate::catalog::KATA_PREFIX;

/// The longest name of an object that is made of a handler's.
const NAME: usize = 63;

/// A name that Kubernetes takes, of one that a node takes.
pub fn object_name(start: &str, handler: Option<&str>) -> String {
    let Some(handler) = handler else { return start.to_owned() };
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let mut name: String =
        handler.to_ascii_lowercase().chars().map(|c| if fits(c) { c } else { '-' }).take(NAME).collect();
    if name != handler {
        // Two handlers must not come to one name.
        let sum = handler.bytes().fold(5381_u32, |sum, b| sum.wrapping_mul(33) ^ u32::from(b));
        name = format!("{}-{sum:08x}", name.trim_matches('-'));
    }
    format!("{start}-{name}")
}

/// A rule of what is judged.
pub fn resources(group: &str, operations: &[&str], resources: &[&str]) -> Node {
    Node::Map(vec![
        ("apiGroups", Node::words(&[group])),
        ("apiVersions", Node::words(&["v1"])),
        ("operations", Node::words(operations)),
        ("resources", Node::words(resources)),
    ])
}

/// What is judged of pods and of whatever makes them.
pub fn judged(place: Place) -> Node {
    const MADE: [&str; 2] = ["CREATE", "UPDATE"];
    Node::List(match place {
        Place::Pod => vec![resources("", &MADE, &["pods"]), resources("", &["UPDATE"], &["pods/status"])],
        Place::Template => vec![
            resources("apps", &MADE, &["deployments", "statefulsets", "daemonsets", "replicasets"]),
            resources("batch", &MADE, &["jobs", "cronjobs"]),
            resources("", &MADE, &["replicationcontrollers", "podtemplates"]),
        ],
    })
}

/// Whether the pods are a handler's, by RuntimeClasses of these names, or else by the RuntimeClass at hand.
pub fn condition(rules: &Rules, wanted: &Wanted, place: Place, object: &str) -> Option<String> {
    let handler = rules.origin.handler.as_deref();
    let named = |spec: &str| -> Option<String> {
        if !wanted.classes.is_empty() {
            let classes: Vec<String> = wanted.classes.iter().map(|name| quote(name)).collect();
            return Some(format!("{spec}.runtimeClassName in [{}]", classes.join(", ")));
        }
        let handler = quote(handler?);
        Some(format!("{spec}.runtimeClassName == params.metadata.name && params.handler == {handler}"))
    };
    named("")?;
    Some(cel::of_specification(place, object, &|spec| {
        let named = named(spec).unwrap_or_default();
        if rules.default {
            format!("!has({spec}.runtimeClassName) || ({named})")
        } else {
            format!("has({spec}.runtimeClassName) && {named}")
        }
    }))
}

/// Whether a policy follows RuntimeClasses by their handler.
pub fn by_parameter(rules: &Rules, wanted: &Wanted) -> bool {
    wanted.classes.is_empty() && rules.origin.handler.is_some()
}

pub fn validation(of: &Validation) -> Node {
    let mut entries = vec![
        ("expression", Node::text(&of.expression)),
        ("reason", Node::text("Forbidden")),
        ("message", Node::text(&of.message)),
    ];
    if let Some(expression) = &of.message_expression {
        entries.push(("messageExpression", Node::text(expression)));
    }
    Node::Map(entries)
}

pub fn named(pairs: &[(&'static str, String)]) -> Node {
    let one = |(name, expression): &(&'static str, String)| {
        Node::Map(vec![("name", Node::text(*name)), ("expression", Node::text(expression))])
    };
    Node::List(pairs.iter().map(one).collect())
}

/// How a message calls the host whose policy it is.
pub fn who(rules: &Rules) -> String {
    rules.origin.handler.clone().unwrap_or_else(|| "this host".to_owned())
}

fn policy(rules: &Rules, wanted: &Wanted, place: Place, name: &str) -> Node {
    let mut spec = vec![("failurePolicy", Node::text("Fail"))];
    if by_parameter(rules, wanted) {
        let kind = Node::Map(vec![
            ("apiVersion", Node::text("node.k8s.io/v1")),
            ("kind", Node::text("RuntimeClass")),
        ]);
        spec.push(("paramKind", kind));
    }
    spec.push(("matchConstraints", Node::Map(vec![("resourceRules", judged(place))])));
    if let Some(condition) = condition(rules, wanted, place, "object") {
        spec.push(("matchConditions", named(&[("kata", condition)])));
    }
    spec.push(("variables", named(&cel::variables(rules, place, "object", true))));
    let checks = cel::validations(rules, &who(rules));
    spec.push(("validations", Node::List(checks.iter().map(validation).collect())));
    object("ValidatingAdmissionPolicy", name, Some(rules), spec)
}

fn object(kind: &str, name: &str, rules: Option<&Rules>, spec: Vec<(&'static str, Node)>) -> Node {
    let mut metadata = vec![("name", Node::text(name))];
    if let Some(rules) = rules {
        metadata.push(("annotations", head::annotations(rules)));
    }
    Node::Map(vec![
        ("apiVersion", Node::text("admissionregistration.k8s.io/v1")),
        ("kind", Node::text(kind)),
        ("metadata", Node::Map(metadata)),
        ("spec", Node::Map(spec)),
    ])
}

fn binding(name: &str, wanted: &Wanted, by_parameter: bool) -> Node {
    let actions: &[&str] = match wanted.action {
        Action::Deny => &["Deny"],
        Action::Warn => &["Warn", "Audit"],
        Action::Audit => &["Audit"],
    };
    let mut spec = vec![("policyName", Node::text(name)), ("validationActions", Node::words(actions))];
    if by_parameter {
        let parameters =
            Node::Map(vec![("selector", Node::Empty), ("parameterNotFoundAction", Node::text("Deny"))]);
        spec.push(("paramRef", parameters));
    }
    if !wanted.exempt.is_empty() {
        spec.push(("matchResources", Node::Map(vec![("namespaceSelector", outside(&wanted.exempt))])));
    }
    object("ValidatingAdmissionPolicyBinding", name, None, spec)
}

/// Every namespace but these. By name: nobody but the server sets that label.
pub fn outside(exempt: &[String]) -> Node {
    let but = Node::Map(vec![
        ("key", Node::text("kubernetes.io/metadata.name")),
        ("operator", Node::text("NotIn")),
        ("values", Node::words(exempt)),
    ]);
    Node::Map(vec![("matchExpressions", Node::List(vec![but]))])
}

/// Nothing of Kata's is due on a binding, whose annotations the server copies into the pod.
pub fn bindings_check() -> Validation {
    let ours = format!("k.startsWith({}) || k == {}", quote(KATA_PREFIX), quote(SGX_EPC));
    Validation {
        expression: format!(
            "!has(object.metadata.annotations) ||\n!object.metadata.annotations.exists(k, {ours})"
        ),
        message: "a binding must not bring Kata annotations to a pod".to_owned(),
        message_expression: None,
    }
}

/// The requests that bind a pod.
pub fn bindings_judged() -> Node {
    Node::List(vec![resources("", &["CREATE"], &["pods/binding", "bindings"])])
}

fn bindings(name: &str) -> Node {
    let spec = vec![
        ("failurePolicy", Node::text("Fail")),
        ("matchConstraints", Node::Map(vec![("resourceRules", bindings_judged())])),
        ("validations", Node::List(vec![validation(&bindings_check())])),
    ];
    object("ValidatingAdmissionPolicy", name, None, spec)
}

/// What no policy of a server does, whatever it says.
pub fn beside(all: &[Rules], wanted: &Wanted) -> Vec<String> {
    let mut said = Vec::new();
    if all.iter().any(|rules| rules.origin.handler.is_none()) && wanted.classes.is_empty() {
        said.push(
            "which pods are the host's: no handler is known, so that every pod is judged; --handler NAME limits it \
             to the RuntimeClasses of a handler"
                .to_owned(),
        );
    }
    for rules in all {
        if let super::Others::PassWhere(patterns) | super::Others::RefusedWhere(patterns) = &rules.others {
            said.push(format!(
                "more than {} names that nobody knows: they are refused without a search",
                cel::most_unknown(patterns)
            ));
        }
    }
    if all.iter().any(|rules| by_parameter(rules, wanted)) {
        said.push(
            "a pod is told by its RuntimeClass: one whose RuntimeClass has another handler is not judged, and while \
             the cluster has no RuntimeClass at all every pod is refused"
                .to_owned(),
        );
    }
    said.push("static pods: kubelet starts them before any server sees them".to_owned());
    said
}

/// The sentences at the head of a file.
pub fn head(all: &[Rules], what: &str, inexact: &[String]) -> Head {
    let mut head = Head::new(&format!("Which annotations of Kata Containers pods may set, as {what}."));
    if let Some(rules) = all.first() {
        let mode = rules.origin.mode;
        head.sentence("", &format!("Mode {}: {}.", mode.as_str(), mode.meaning()));
    }
    head.sentence("", "From (policy export --check FILE tells whether that has changed):");
    all.iter().for_each(|rules| head.made_from(rules));
    head.inexact(inexact);
    head
}

/// What of all handlers is not exact, each sentence once, with the handler where there are several.
pub fn inexact(all: &[Rules], beside: Vec<String>) -> Vec<String> {
    let mut said: Vec<String> = Vec::new();
    for rules in all {
        for text in &rules.inexact {
            let everywhere = all.iter().all(|other| other.inexact.contains(text));
            let text = match &rules.origin.handler {
                Some(handler) if !everywhere => format!("{handler}: {text}"),
                _ => text.clone(),
            };
            if !said.contains(&text) {
                said.push(text);
            }
        }
    }
    for text in beside {
        if !said.contains(&text) {
            said.push(text);
        }
    }
    said
}

pub fn vap(all: &[Rules], wanted: &Wanted) -> Exported {
    let inexact = inexact(all, beside(all, wanted));
    let mut documents = Vec::new();
    for rules in all {
        let handler = rules.origin.handler.as_deref();
        let mut add = |start: &str, place| {
            let name = object_name(start, handler);
            documents.push(policy(rules, wanted, place, &name));
            documents.push(binding(&name, wanted, by_parameter(rules, wanted)));
        };
        if wanted.pods {
            add("kata-annotations", Place::Pod);
        }
        if wanted.templates {
            add("kata-annotations-templates", Place::Template);
        }
    }
    if wanted.pods {
        let name = "kata-annotations-bindings";
        documents.push(bindings(name));
        documents.push(binding(name, wanted, false));
    }
    let mut head = head(all, "ValidatingAdmissionPolicy", &inexact);
    if wanted.action == Action::Deny {
        head.sentence("", "To see first whom it would hit, make it with --action warn.");
    }
    Exported { text: head.text() + &joined(&documents), inexact }
}

/// One document after the other.
pub fn joined(documents: &[Node]) -> String {
    documents.iter().map(|node| format!("---\n{}", node.document())).collect()
}
