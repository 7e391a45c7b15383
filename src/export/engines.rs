//! Policy engines that take CEL: Kyverno's `ValidatingPolicy` and Gatekeeper's `ConstraintTemplate`.
//!
//! Decides nothing about annotations: the variables and checks are those of `ValidatingAdmissionPolicy` in another
//! frame. Facts: the engines' own documentation, `policies.kyverno.io/v1` of Kyverno 1.17 and the engine
//! `K8sNativeValidation` of Gatekeeper 3.18.

use super::admission::{
    beside, bindings_check, bindings_judged, condition, head, inexact, joined, named, object_name, outside,
    resources, validation, who,
};
use super::cel::{self, Place, Validation};
use super::head::annotations;
use super::rules::Rules;
use super::yaml::Node;
use super::{Action, Exported, Wanted};

/// Neither engine hands a RuntimeClass to an expression: the classes are named.
fn classes(rules: &Rules, wanted: &Wanted) -> Wanted {
    let named = match (&rules.origin.handler, wanted.classes.as_slice()) {
        (Some(handler), []) => vec![handler.clone()],
        (_, classes) => classes.to_vec(),
    };
    Wanted { classes: named, ..wanted.clone() }
}

fn by_name(all: &[Rules], wanted: &Wanted) -> Vec<String> {
    let with = Wanted { classes: vec![String::new()], ..wanted.clone() };
    let mut said = beside(all, if all.iter().all(|r| r.origin.handler.is_none()) { wanted } else { &with });
    if wanted.classes.is_empty() && all.iter().any(|rules| rules.origin.handler.is_some()) {
        said.push(
            "a pod is told by the name of its RuntimeClass, which is taken to be the handler's; --runtime-class \
             NAME names others, and a second class with the handler is not judged"
                .to_owned(),
        );
    }
    said
}

/// Kyverno makes the rules for templates itself, of those for pods.
pub fn kyverno(all: &[Rules], wanted: &Wanted) -> Exported {
    let inexact = inexact(all, by_name(all, wanted));
    let mut documents = Vec::new();
    for rules in all {
        let named_classes = classes(rules, wanted);
        let handler = rules.origin.handler.as_deref();
        let make = |name: &str, on: Node, controllers: &[&str]| {
            let mut spec = Vec::new();
            if let Some(condition) = condition(rules, &named_classes, Place::Pod, "object") {
                spec.push(("matchConditions", named(&[("kata", condition)])));
            }
            spec.push(("variables", named(&cel::variables(rules, Place::Pod, "object", true))));
            let checks = cel::validations(rules, &who(rules));
            spec.push(("validations", Node::List(checks.iter().map(validation).collect())));
            kyverno_policy(&object_name(name, handler), Some(rules), wanted, on, controllers, spec)
        };
        let made = resources("", &["CREATE", "UPDATE"], &["pods"]);
        let controllers: &[&str] = match wanted.templates {
            true => &["deployments", "statefulsets", "daemonsets", "jobs", "cronjobs"],
            false => &[],
        };
        documents.push(make("kata-annotations", Node::List(vec![made]), controllers));
        if wanted.pods {
            let status = Node::List(vec![resources("", &["UPDATE"], &["pods/status"])]);
            documents.push(make("kata-annotations-status", status, &[]));
        }
    }
    if wanted.pods {
        let spec = vec![("validations", Node::List(vec![validation(&bindings_check())]))];
        documents.push(kyverno_policy(
            "kata-annotations-bindings",
            None,
            wanted,
            bindings_judged(),
            &[],
            spec,
        ));
    }
    let head = head(all, "Kyverno's ValidatingPolicy", &inexact);
    Exported { text: head.text() + &joined(&documents), inexact }
}

fn kyverno_policy(
    name: &str,
    rules: Option<&Rules>,
    wanted: &Wanted,
    on: Node,
    controllers: &[&str],
    rest: Vec<(&'static str, Node)>,
) -> Node {
    let actions: &[&str] = match wanted.action {
        Action::Deny => &["Deny"],
        Action::Warn => &["Warn", "Audit"],
        Action::Audit => &["Audit"],
    };
    let mut metadata = vec![("name", Node::text(name))];
    if let Some(rules) = rules {
        metadata.push(("annotations", annotations(rules)));
    }
    let mut constraints = vec![("resourceRules", on)];
    if !wanted.exempt.is_empty() {
        constraints.push(("namespaceSelector", outside(&wanted.exempt)));
    }
    let controllers = Node::Map(vec![("controllers", Node::words(controllers))]);
    let mut spec = vec![
        ("failurePolicy", Node::text("Fail")),
        ("validationActions", Node::words(actions)),
        ("autogen", Node::Map(vec![("podControllers", controllers)])),
        ("matchConstraints", Node::Map(constraints)),
    ];
    spec.extend(rest);
    Node::Map(vec![
        ("apiVersion", Node::text("policies.kyverno.io/v1")),
        ("kind", Node::text("ValidatingPolicy")),
        ("metadata", Node::Map(metadata)),
        ("spec", Node::Map(spec)),
    ])
}

/// Gatekeeper's object is `variables.anyObject`, and no old one is at hand.
pub fn gatekeeper(all: &[Rules], wanted: &Wanted) -> Exported {
    let mut beside = by_name(all, wanted);
    beside.push(
        "an object is judged whole each time it changes, since the old one is not at hand: one that was there \
         before can be changed only with its annotations"
            .to_owned(),
    );
    beside.push("annotations that come by pods/status and pods/binding are not judged".to_owned());
    let inexact = inexact(all, beside);
    let mut documents = Vec::new();
    for rules in all {
        let places = [(wanted.pods, Place::Pod, ""), (wanted.templates, Place::Template, "-templates")];
        for (_, place, end) in places.into_iter().filter(|(wanted, ..)| *wanted) {
            let name = object_name("kata-annotations", rules.origin.handler.as_deref()) + end;
            documents.extend(constraint(rules, &classes(rules, wanted), place, &name));
        }
    }
    let head = head(all, "Gatekeeper's constraints", &inexact);
    Exported { text: head.text() + &joined(&documents), inexact }
}

/// The kind of a constraint, of the name of its object.
fn kind(name: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect::<String>()
    };
    name.split('-').map(word).collect()
}

fn constraint(rules: &Rules, wanted: &Wanted, place: Place, name: &str) -> [Node; 2] {
    const OBJECT: &str = "variables.anyObject";
    let kind = kind(name);
    let mut variables = cel::variables(rules, place, OBJECT, false);
    let condition = condition(rules, wanted, place, OBJECT);
    if let Some(condition) = &condition {
        variables.insert(0, ("ours", condition.clone()));
    }
    let check = |of: Validation| {
        let expression = match &condition {
            Some(_) => format!("!variables.ours || ({})", of.expression),
            None => of.expression,
        };
        let mut entries = vec![("expression", Node::text(expression)), ("message", Node::text(of.message))];
        if let Some(said) = of.message_expression {
            entries.push(("messageExpression", Node::text(said)));
        }
        Node::Map(entries)
    };
    let checks = cel::validations(rules, &who(rules)).into_iter().map(check).collect();
    let source = Node::Map(vec![
        ("failurePolicy", Node::text("Fail")),
        ("variables", named(&variables)),
        ("validations", Node::List(checks)),
    ]);
    let code = Node::Map(vec![("engine", Node::text("K8sNativeValidation")), ("source", source)]);
    let target = Node::Map(vec![
        ("target", Node::text("admission.k8s.gatekeeper.sh")),
        ("code", Node::List(vec![code])),
    ]);
    let names = Node::Map(vec![("names", Node::Map(vec![("kind", Node::text(&kind))]))]);
    let template = Node::Map(vec![
        ("apiVersion", Node::text("templates.gatekeeper.sh/v1")),
        ("kind", Node::text("ConstraintTemplate")),
        (
            "metadata",
            Node::Map(vec![
                ("name", Node::text(kind.to_ascii_lowercase())),
                ("annotations", annotations(rules)),
            ]),
        ),
        (
            "spec",
            Node::Map(vec![("crd", Node::Map(vec![("spec", names)])), ("targets", Node::List(vec![target]))]),
        ),
    ]);
    let kinds = |group: &str, kinds: &[&str]| {
        Node::Map(vec![("apiGroups", Node::words(&[group])), ("kinds", Node::words(kinds))])
    };
    let judged = match place {
        Place::Pod => vec![kinds("", &["Pod"])],
        Place::Template => vec![
            kinds("apps", &["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"]),
            kinds("batch", &["Job", "CronJob"]),
            kinds("", &["ReplicationController", "PodTemplate"]),
        ],
    };
    let mut matched = vec![("kinds", Node::List(judged))];
    if !wanted.exempt.is_empty() {
        matched.push(("excludedNamespaces", Node::words(&wanted.exempt)));
    }
    let action = match wanted.action {
        Action::Deny => "deny",
        Action::Warn => "warn",
        Action::Audit => "dryrun",
    };
    let constraint = Node::Map(vec![
        ("apiVersion", Node::text("constraints.gatekeeper.sh/v1beta1")),
        ("kind", Node::text(kind)),
        ("metadata", Node::Map(vec![("name", Node::text(name))])),
        ("spec", Node::Map(vec![("enforcementAction", Node::text(action)), ("match", Node::Map(matched))])),
    ]);
    [template, constraint]
}
