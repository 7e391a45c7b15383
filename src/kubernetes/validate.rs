//! The API server's validation of the objects that make pods.
//!
//! Decides what is answered with 422: names, annotations, labels, selectors, containers and their
//! resources. What concerns other fields (probes, volumes, security) is passed over.
//! Facts: pkg/apis/{core,apps,batch}/validation at Kubernetes 1.36.2.

use std::collections::BTreeSet;
use std::fmt::Display;

use super::Version;
use super::names;
use super::quantity::Quantity;
use super::resources::{Amounts, PodResources, Role, is_pod_level};
use crate::input::manifest::kinds::Template;
use crate::input::manifest::node::Node;

/// One error of a field.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FieldError {
    /// `spec.containers[0].name: Required value`.
    pub message: String,
    /// The annotation that it is about.
    pub annotation: Option<String>,
    /// Byte offset of what it is about.
    pub at: usize,
}

/// Collects errors.
pub struct Validation<'v> {
    version: &'v Version,
    errors: Vec<FieldError>,
}

impl<'v> Validation<'v> {
    /// Starts with no error.
    pub fn new(version: &'v Version) -> Self {
        Self { version, errors: Vec::new() }
    }

    /// The errors in a fixed order (the real one is random).
    pub fn finish(mut self) -> Vec<FieldError> {
        self.errors.sort();
        self.errors.dedup();
        self.errors
    }

    fn push(&mut self, path: impl Display, what: impl Display, at: usize) {
        self.errors.push(FieldError { message: format!("{path}: {what}"), annotation: None, at });
    }

    fn invalid(&mut self, path: impl Display, value: &str, faults: Vec<String>, at: usize) {
        for fault in faults {
            self.push(&path, format_args!("Invalid value: {}: {fault}", quoted(value)), at);
        }
    }

    /// The object's own metadata.
    pub fn metadata(&mut self, object: &Node<'_>, kind: &str) {
        let metadata = object.get("metadata");
        let text = |key| metadata.and_then(|m| m.text(key)).filter(|t| !t.is_empty());
        let at = metadata.map_or(object.at, |m| m.at);
        match (text("name"), text("generateName")) {
            (Some(name), _) => {
                let at = metadata.and_then(|m| m.get("name")).map_or(at, |n| n.at);
                self.invalid("metadata.name", name, names::subdomain(name, self.version), at);
                if kind == "CronJob" && name.len() > 52 {
                    self.push(
                        "metadata.name",
                        format_args!("Invalid value: {}: must be no more than 52 characters", quoted(name)),
                        at,
                    );
                }
            }
            (None, Some(_)) => {}
            (None, None) => {
                self.push("metadata.name", "Required value: name or generateName is required", at)
            }
        }
        if let Some(namespace) = text("namespace") {
            self.invalid("metadata.namespace", namespace, names::label(namespace, self.version), at);
        }
        self.annotations(metadata, "metadata.annotations");
        self.labels(metadata, "metadata.labels");
    }

    /// Annotations at `path`.
    pub fn annotations(&mut self, metadata: Option<&Node<'_>>, path: impl Display) {
        let Some(map) = metadata.and_then(|m| m.get("annotations")) else { return };
        let mut total = 0;
        for entry in map.entries() {
            total += entry.key.len() + entry.value.str().map_or(0, str::len);
            for fault in names::annotation_key(&entry.key, self.version) {
                self.errors.push(FieldError {
                    message: format!("{path}: Invalid value: {}: {fault}", quoted(&entry.key)),
                    annotation: Some(entry.key.to_string()),
                    at: entry.at,
                });
            }
        }
        if let Some(fault) = names::annotations_size(total, self.version) {
            self.push(path, &fault, map.at);
        }
    }

    fn labels(&mut self, metadata: Option<&Node<'_>>, path: impl Display) {
        for entry in metadata.and_then(|m| m.get("labels")).map(Node::entries).unwrap_or_default() {
            self.invalid(&path, &entry.key, names::qualified(&entry.key, self.version), entry.at);
            let value = entry.value.str().unwrap_or_default();
            self.invalid(&path, value, names::label_value(value, self.version), entry.value.at);
        }
    }

    /// What a workload says around its template.
    pub fn workload(&mut self, object: &Node<'_>, kind: &str, template: Option<&Template<'_, '_>>) {
        let spec = object.get("spec");
        let at = spec.map_or(object.at, |s| s.at);
        if kind == "CronJob" {
            self.schedule(spec.and_then(|s| s.text("schedule")).unwrap_or_default(), at);
        }
        let selects = matches!(kind, "Deployment" | "ReplicaSet" | "DaemonSet" | "StatefulSet");
        let selector = spec.and_then(|s| s.get("selector"));
        if selects && selector.is_none() {
            self.push("spec.selector", "Required value", at);
        }
        let wanted = match kind {
            "ReplicationController" => selector,
            _ if selects => selector.and_then(|s| s.get("matchLabels")),
            _ => None,
        };
        let labels = template.and_then(|t| t.metadata).and_then(|m| m.get("labels"));
        let empty = selector.is_some_and(|s| {
            ["matchLabels", "matchExpressions"]
                .iter()
                .all(|k| s.get(k).is_none_or(|v| v.entries().is_empty() && v.items().is_empty()))
        });
        if selects && empty {
            let what = format!("Invalid value: {{}}: empty selector is invalid for {}", kind.to_lowercase());
            self.push("spec.selector", &what, at);
        }
        let unmatched = wanted
            .map(Node::entries)
            .unwrap_or_default()
            .iter()
            .any(|want| labels.and_then(|l| l.get(&want.key)).and_then(Node::str) != want.value.str());
        if unmatched || (selects && selector.is_none()) {
            let at = labels.map_or(at, |l| l.at);
            self.push(
                "spec.template.metadata.labels",
                "Invalid value: `selector` does not match template `labels`",
                at,
            );
        }
    }

    /// A cron schedule, by its outer form: five fields, or one of the names that begin with `@`.
    fn schedule(&mut self, schedule: &str, at: usize) {
        if schedule.is_empty() {
            self.push("spec.schedule", "Required value", at);
            return;
        }
        let named = ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"];
        let fields = schedule.split_whitespace().count();
        if schedule.starts_with("TZ=") || schedule.starts_with("CRON_TZ=") {
            let what = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead".to_owned();
            self.invalid("spec.schedule", schedule, vec![what], at);
        } else if schedule.starts_with('@') {
            if !named.contains(&schedule) && !schedule.starts_with("@every ") {
                self.invalid(
                    "spec.schedule",
                    schedule,
                    vec![format!("unrecognized descriptor: {schedule}")],
                    at,
                );
            }
        } else if fields != 5 {
            let what = format!("expected exactly 5 fields, found {fields}: [{schedule}]");
            self.invalid("spec.schedule", schedule, vec![what], at);
        }
    }

    /// A template's own metadata; its path has no `metadata` in it.
    pub fn template_metadata(&mut self, template: &Template<'_, '_>) {
        self.annotations(template.metadata, format_args!("{}.annotations", template.path));
        self.labels(template.metadata, format_args!("{}.labels", template.path));
    }

    /// A pod's spec at `path`.
    pub fn spec(
        &mut self,
        spec: Option<&Node<'_>>,
        resources: &PodResources,
        path: &str,
        kind: &str,
        at: usize,
    ) {
        let at = spec.map_or(at, |s| s.at);
        self.containers(spec, path, at);
        self.restart_policy(spec, path, kind, at);
        if let Some(class) = spec.and_then(|s| s.get("runtimeClassName")) {
            let name = class.str().unwrap_or_default();
            self.invalid(
                format_args!("{path}.runtimeClassName"),
                name,
                names::subdomain(name, self.version),
                class.at,
            );
        }
        if kind == "Pod"
            && let Some(ephemeral) =
                spec.and_then(|s| s.get("ephemeralContainers")).filter(|e| !e.items().is_empty())
        {
            self.push(
                format_args!("{path}.ephemeralContainers"),
                "Forbidden: cannot be set on create",
                ephemeral.at,
            );
        }
        let mut index = (0, 0);
        for container in &resources.containers {
            let (list, number) = if container.role == Role::App {
                index.1 += 1;
                ("containers", index.1 - 1)
            } else {
                index.0 += 1;
                ("initContainers", index.0 - 1)
            };
            let base = format_args!("{path}.{list}[{number}].resources");
            self.requirements(&container.limits, &container.requests, Level::Container, base, container.at);
        }
        let overhead = &resources.overhead;
        self.requirements(
            overhead,
            &Amounts::default(),
            Level::Container,
            format_args!("{path}.overhead"),
            at,
        );
        self.pod_level(resources, path, spec.and_then(|s| s.get("resources")).map_or(at, |r| r.at));
    }

    fn containers(&mut self, spec: Option<&Node<'_>>, path: &str, at: usize) {
        let list = |field: &str| spec.and_then(|s| s.get(field)).map(Node::items).unwrap_or_default();
        if list("containers").is_empty() {
            self.push(format_args!("{path}.containers"), "Required value", at);
        }
        let names = |field| -> BTreeSet<&str> { list(field).iter().filter_map(|v| v.text("name")).collect() };
        let (volumes, claims) = (names("volumes"), names("resourceClaims"));
        let mut seen = BTreeSet::new();
        for field in ["containers", "initContainers"] {
            for (index, container) in list(field).iter().enumerate() {
                let base = format_args!("{path}.{field}[{index}]");
                let at = container.at;
                match container.text("name").filter(|n| !n.is_empty()) {
                    None => self.push(format_args!("{base}.name"), "Required value", at),
                    Some(name) => {
                        self.invalid(format_args!("{base}.name"), name, names::label(name, self.version), at);
                        if !seen.insert(name) {
                            self.push(
                                format_args!("{base}.name"),
                                format_args!("Duplicate value: {}", quoted(name)),
                                at,
                            );
                        }
                    }
                }
                // A template may leave the image to a webhook, a pod may not.
                match container.text("image") {
                    None | Some("") => self.push(format_args!("{base}.image"), "Required value", at),
                    Some(image) if image.trim() != image => {
                        let what = format!(
                            "Invalid value: {}: must not have leading or trailing whitespace",
                            quoted(image)
                        );
                        self.push(format_args!("{base}.image"), &what, at);
                    }
                    Some(_) => {}
                }
                for (mount, node) in
                    container.get("volumeMounts").map(Node::items).unwrap_or_default().iter().enumerate()
                {
                    let name = node.text("name").unwrap_or_default();
                    let base = format_args!("{base}.volumeMounts[{mount}]");
                    if name.is_empty() {
                        self.push(format_args!("{base}.name"), "Required value", node.at);
                    }
                    if !volumes.contains(name) {
                        self.push(
                            format_args!("{base}.name"),
                            format_args!("Not found: {}", quoted(name)),
                            node.at,
                        );
                    }
                    if node.text("mountPath").is_none_or(str::is_empty) {
                        self.push(format_args!("{base}.mountPath"), "Required value", node.at);
                    }
                }
                let asked = container
                    .get("resources")
                    .and_then(|r| r.get("claims"))
                    .map(Node::items)
                    .unwrap_or_default();
                for (claim, node) in asked.iter().enumerate() {
                    let name = node.text("name").unwrap_or_default();
                    if !claims.contains(name) {
                        let known = if claims.is_empty() { " which is empty" } else { "" };
                        let what = format!(
                            "Not found: {}: must be one of the names in pod.spec.resourceClaims{known}",
                            quoted(name)
                        );
                        self.push(format_args!("{base}.resources.claims[{claim}]"), &what, node.at);
                    }
                }
            }
        }
    }

    fn restart_policy(&mut self, spec: Option<&Node<'_>>, path: &str, kind: &str, at: usize) {
        let policy = spec.and_then(|s| s.text("restartPolicy")).filter(|p| !p.is_empty()).unwrap_or("Always");
        let allowed: &[&str] = match kind {
            "Job" | "CronJob" => &["OnFailure", "Never"],
            "Pod" | "PodTemplate" => &["Always", "OnFailure", "Never"],
            _ => &["Always"],
        };
        if !allowed.contains(&policy) {
            let allowed = allowed.iter().map(|a| quoted(a)).collect::<Vec<_>>().join(", ");
            let what = format!("Unsupported value: {}: supported values: {allowed}", quoted(policy));
            self.push(format_args!("{path}.restartPolicy"), &what, at);
        }
    }

    /// Limits and requests of one container or of the whole pod, or the overhead as limits.
    fn requirements(
        &mut self,
        limits: &Amounts,
        requests: &Amounts,
        level: Level,
        path: impl Display,
        at: usize,
    ) {
        for (field, amounts) in [("limits", limits), ("requests", requests)] {
            for (name, quantity) in amounts.iter() {
                let key = format_args!("{path}.{field}[{name}]");
                self.resource_name(name, level, key, at);
                self.amount(name, quantity, key, at);
            }
        }
        for (name, request) in requests.iter() {
            let overcommit = is_native(name) && !is_hugepages(name);
            let key = format_args!("{path}.requests");
            match limits.get(name) {
                Some(limit) if !overcommit && !request.equals(limit) => {
                    let what = format!("must be equal to {name} limit of {limit}");
                    self.invalid(key, &request.to_string(), vec![what], at);
                }
                Some(limit) if request.exceeds(limit) => {
                    let what = format!("must be less than or equal to {name} limit of {limit}");
                    self.invalid(key, &request.to_string(), vec![what], at);
                }
                None if !overcommit => {
                    let what = "Required value: Limit must be set for non overcommitable resources";
                    self.push(format_args!("{path}.limits"), what, at);
                }
                _ => {}
            }
        }
        let any = |test: fn(&str) -> bool| limits.iter().chain(requests.iter()).any(|(name, _)| test(name));
        if any(is_hugepages) && !any(|name| matches!(name, "cpu" | "memory")) {
            self.push(path, "Forbidden: HugePages require cpu or memory", at);
        }
    }

    fn resource_name(&mut self, name: &str, level: Level, path: impl Display, at: usize) {
        // Right at every level, and what nearly every container asks for.
        if matches!(name, "cpu" | "memory") {
            return;
        }
        let mut faults = names::qualified(name, self.version);
        let standard = matches!(name, "cpu" | "memory" | "ephemeral-storage") || is_hugepages(name);
        if faults.is_empty() && !name.contains('/') && !standard && !is_quota_name(name) {
            faults.push("must be a standard resource type or fully qualified".to_owned());
        }
        let fine = faults.is_empty();
        match level {
            Level::Container if !name.contains('/') => {
                if !standard {
                    faults.push("must be a standard resource for containers".to_owned());
                }
            }
            Level::Container => {
                if !is_native(name) && name.starts_with("requests.") {
                    faults.push("doesn't follow extended resource name standard".to_owned());
                }
            }
            Level::Pod if fine && !is_pod_level(name) => {
                let what = format!(
                    "Unsupported value: {}: supported values: \"cpu\", \"hugepages-\", \"memory\"",
                    quoted(name)
                );
                self.push(&path, &what, at);
            }
            Level::Pod => {}
        }
        self.invalid(path, name, faults, at);
    }

    fn amount(&mut self, name: &str, quantity: Quantity, path: impl Display, at: usize) {
        let shown = || quantity.to_string();
        if quantity.is_negative() {
            self.invalid(&path, &shown(), vec!["must be greater than or equal to 0".to_owned()], at);
        }
        if (!is_native(name) || is_counted(name)) && quantity.milli() % 1000 != 0 {
            self.invalid(&path, &shown(), vec!["must be an integer".to_owned()], at);
        }
        if let Some(size) = name.strip_prefix("hugepages-") {
            let whole = Quantity::parse(size).is_ok_and(|size| quantity.is_multiple_of(size));
            if !whole {
                self.invalid(
                    &path,
                    &shown(),
                    vec![format!("{quantity} is not positive integer multiple of {name}")],
                    at,
                );
            }
        }
    }

    /// `spec.resources` against the containers'.
    fn pod_level(&mut self, resources: &PodResources, path: &str, at: usize) {
        let Some((requests, limits)) = &resources.pod else { return };
        let base = format_args!("{path}.resources");
        self.requirements(limits, requests, Level::Pod, base, at);
        let all = resources.aggregate(|c| &c.requests);
        for (name, wanted) in all.iter() {
            if let Some(own) = requests.get(name).filter(|own| wanted.exceeds(*own)) {
                let what =
                    format!("must be greater than or equal to aggregate container requests of {wanted}");
                self.invalid(format_args!("{base}.requests[{name}]"), &own.to_string(), vec![what], at);
            }
        }
        let all = resources.aggregate(|c| &c.limits);
        for (name, wanted) in all.iter().filter(|(name, _)| is_hugepages(name)) {
            if let Some(own) = limits.get(name).filter(|own| wanted.exceeds(*own)) {
                let what = format!("must be greater than or equal to aggregate container limits of {wanted}");
                self.invalid(format_args!("{base}.limits[{name}]"), &own.to_string(), vec![what], at);
            }
        }
        let apps = resources.containers.iter().filter(|c| c.role == Role::App);
        for (index, container) in apps.enumerate() {
            for (name, limit) in container.limits.iter() {
                if let Some(own) = limits.get(name).filter(|own| limit.exceeds(*own)) {
                    let what = format!("must be less than or equal to pod limits of {own}");
                    let key = format_args!("{base}.containers[{index}][{name}].limits");
                    self.invalid(key, &limit.to_string(), vec![what], at);
                }
            }
        }
    }
}

/// Whose resources are looked at: each may have names of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Container,
    Pod,
}

fn is_hugepages(name: &str) -> bool {
    name.starts_with("hugepages-")
}

fn is_native(name: &str) -> bool {
    matches!(name, "cpu" | "memory") || !name.contains('/') || name.contains("kubernetes.io/")
}

/// Names that quotas know and containers do not.
fn is_quota_name(name: &str) -> bool {
    match name.split_once('.') {
        Some(("requests", what)) => {
            matches!(what, "cpu" | "memory" | "ephemeral-storage" | "storage") || is_hugepages(what)
        }
        Some(("limits", what)) => matches!(what, "cpu" | "memory" | "ephemeral-storage"),
        _ => name == "storage" || is_counted(name),
    }
}

/// Things that only come whole.
fn is_counted(name: &str) -> bool {
    matches!(
        name,
        "pods"
            | "services"
            | "replicationcontrollers"
            | "resourcequotas"
            | "secrets"
            | "configmaps"
            | "persistentvolumeclaims"
            | "services.nodeports"
            | "services.loadbalancers"
    )
}

/// Go's `%q`.
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if c.is_control() => out.push_str(&format!("\\x{:02x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
