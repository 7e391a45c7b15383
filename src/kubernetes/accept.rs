//! Whether kubectl and the API server take an object.
//!
//! Decides the order of the refusals: kubectl's mapping and decoding, for the items of a list kubectl's
//! older schema check, the server's decoding (types, then unknown fields), validation. The first that
//! refuses is the one that speaks. Admission is not asked but for what can be known without a cluster.
//! Facts: kubectl and kube-apiserver 1.36.2, `kubectl create` with its default `--validate=strict`.

use super::resources::{Fault, PodResources};
use super::schema::{self, Decoding, Mismatch};
use super::validate::Validation;
use super::{Node as Cluster, names};
use crate::input::manifest::kinds::{self, Kind, Template};
use crate::input::manifest::node::{Data, Entry, Node, Shape};
use crate::input::manifest::pods::IGNORABLE;
use crate::input::manifest::{Object, Problem};

/// One object under judgement.
pub struct Case<'c, 'o, 'a> {
    /// The object.
    pub object: &'c Object<'o, 'a>,
    /// Its kind, where it is one that makes pods.
    pub kind: Option<&'static Kind>,
    /// Its templates with the resources of each.
    pub templates: &'c [Template<'o, 'a>],
    /// The resources of each template, with what is no quantity in them.
    pub resources: &'c [(PodResources, Vec<Fault>)],
    /// The cluster.
    pub cluster: &'c Cluster,
}

impl Case<'_, '_, '_> {
    /// What is refused; empty where the object is accepted.
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = self.mapping();
        // Where all of it fits its type, which is nearly always, none of the three has anything to say of that.
        let built_in = self.built_in();
        let decoding = built_in.map(|kind| schema::decode(self.object.node, kind, ""));
        let fits = decoding == Some(Decoding::default());
        if problems.is_empty() && self.object.list.is_none() && !fits {
            problems = self.own_metadata();
        }
        if problems.is_empty() && self.object.list.is_some() {
            problems = self.list_schema(decoding.as_ref());
        }
        if problems.is_empty() && !fits {
            problems = self.decoding(decoding);
        }
        if problems.is_empty() {
            problems = self.validation(built_in);
        }
        if !problems.is_empty() {
            self.add_other_mismatches(&mut problems);
        }
        problems
    }

    fn problem(&self, at: usize, message: impl Into<String>) -> Problem {
        Problem {
            annotation: None,
            message: message.into(),
            fix: None,
            place: Some(self.object.places.of(at)),
            named: true,
        }
    }

    /// Whether there is such a kind in such a version.
    fn mapping(&self) -> Vec<Problem> {
        let node = self.object.node;
        let (kind, version) = (self.object.kind, self.object.api_version);
        let missing: Vec<&str> = [("apiVersion not set", version), ("kind not set", kind)]
            .into_iter()
            .filter(|(_, value)| value.is_empty())
            .map(|(message, _)| message)
            .collect();
        if !missing.is_empty() {
            let list = missing.join(", ");
            let list = if missing.len() > 1 { format!("[{list}]") } else { list };
            return vec![self.problem(node.at, format!("error validating data: {list}{IGNORABLE}"))];
        }
        if self.object.list.is_some() && kind.ends_with("List") && node.get("items").is_some() {
            return vec![self.problem(node.at, "a List inside a List is not accepted")];
        }
        let (_, number) = kinds::group_version(version);
        let Some(own) = kinds::built_in(kind).filter(|_| self.kind.is_none_or(|k| !k.versions.is_empty()))
        else {
            return Vec::new();
        };
        let group = kinds::group_version(version).0;
        if own.group == group && own.versions.contains(&number) {
            return Vec::new();
        }
        let text = |key| node.get("metadata").and_then(|m| m.text(key)).unwrap_or_default();
        let message = format!(
            "resource mapping not found for name: \"{}\" namespace: \"{}\" from \"{}\": no matches for kind \"{kind}\" \
             in version \"{version}\"\nensure CRDs are installed first",
            text("name"),
            text("namespace"),
            self.object.places.file(),
        );
        let right = own.versions.first().copied().unwrap_or_default();
        let right = if own.group.is_empty() { right.to_owned() } else { format!("{}/{right}", own.group) };
        let mut problem = self.problem(node.entry("apiVersion").map_or(node.at, |e| e.at), message);
        problem.fix = Some(format!("apiVersion: {right}"));
        vec![problem]
    }

    /// kubectl decodes the object's own metadata before it sends anything.
    fn own_metadata(&self) -> Vec<Problem> {
        let Some(metadata) = self.object.node.entry("metadata") else { return Vec::new() };
        if !matches!(metadata.value.data, Data::Map(_) | Data::Null) {
            let shape = metadata.value.shape().as_str();
            let kind = self.object.kind;
            let message = format!(
                "json: cannot unmarshal {shape} into Go struct field {kind}.metadata of type v1.ObjectMeta"
            );
            return vec![self.problem(metadata.at, message)];
        }
        let decoding = schema::decode(&metadata.value, "ObjectMeta", "metadata");
        let repeated = self.repeated_mismatch(metadata);
        decoding.mismatch.or(repeated).map(|m| self.mismatch(&m, String::new())).into_iter().collect()
    }

    /// In JSON each of two equal keys must fit.
    fn repeated_mismatch(&self, metadata: &Entry<'_>) -> Option<Mismatch> {
        let all = self.object.node.entries().iter().filter(|e| self.object.json && e.key == "metadata");
        let mut found =
            all.filter(|e| e.at != metadata.at).map(|e| schema::decode(&e.value, "ObjectMeta", "metadata"));
        found.find_map(|d| d.mismatch)
    }

    fn mismatch(&self, mismatch: &Mismatch, prefix: String) -> Problem {
        let mut problem = self.problem(mismatch.at, format!("{prefix}{}", mismatch.message));
        problem.annotation = mismatch.key.clone().filter(|_| mismatch.path.ends_with("annotations"));
        problem.fix = match mismatch.path.as_str() {
            path if path.ends_with("annotations") && mismatch.key.is_none() => Some(
                "write each annotation as KEY: \"VALUE\" on a line of its own below annotations:".to_owned(),
            ),
            _ => None,
        };
        problem
    }

    /// The check of list items against the older schema: nulls and wholes in the place of strings, unknown fields.
    fn list_schema(&self, decoding: Option<&Decoding>) -> Vec<Problem> {
        let (Some(kind), Some(decoding)) = (self.built_in(), decoding) else { return Vec::new() };
        let own = std::iter::once(("", self.object.node.get("metadata")));
        let metadata = own.chain(self.templates.iter().map(|t| (t.path.as_str(), t.metadata)));
        for (path, metadata) in metadata {
            for entry in metadata.and_then(|m| m.get("annotations")).map(Node::entries).unwrap_or_default() {
                let key = &entry.key;
                let field = || format!("{kind}.{}.annotations.{key}", metadata_path(path));
                let what = match entry.value.shape() {
                    Shape::Null => format!("unknown object type \"nil\" in {}", field()),
                    shape @ (Shape::Array | Shape::Object) => format!(
                        "ValidationError({}): invalid type for \
                         io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta.annotations: got \"{}\", expected \"string\"",
                        field(),
                        if shape == Shape::Array { "array" } else { "map" },
                    ),
                    _ => continue,
                };
                let mut problem = self.problem(entry.at, format!("error validating data: {what}{IGNORABLE}"));
                problem.annotation = Some(key.to_string());
                return vec![problem];
            }
        }
        let unknown = decoding.unknown.iter().map(|unknown| {
            let (parent, field) = unknown.path.rsplit_once('.').unwrap_or(("", &unknown.path));
            let dot = if parent.is_empty() { "" } else { "." };
            let model = match unknown.within {
                "ObjectMeta" => "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta".to_owned(),
                name => format!("io.k8s.api.core.v1.{name}"),
            };
            let what = format!("ValidationError({kind}{dot}{parent}): unknown field \"{field}\" in {model}");
            let mut problem = self.problem(unknown.at, format!("error validating data: {what}{IGNORABLE}"));
            problem.fix = unknown.nearest.map(|n| format!("{n}:"));
            problem
        });
        unknown.collect()
    }

    fn built_in(&self) -> Option<&'static str> {
        let kind = self.kind.filter(|k| !k.versions.is_empty())?;
        schema::knows(kind.kind)
    }

    /// The server's decoding.
    fn decoding(&self, decoding: Option<Decoding>) -> Vec<Problem> {
        let (Some(kind), Some(decoding)) = (self.built_in(), decoding) else {
            return self.custom_resource();
        };
        let Decoding { mismatch, unknown } = decoding;
        let (_, version) = kinds::group_version(self.object.api_version);
        let prefix = format!("{kind} in version \"{version}\" cannot be handled as a {kind}: ");
        if let Some(mismatch) = mismatch {
            return vec![self.mismatch(&mismatch, prefix)];
        }
        if unknown.is_empty() {
            return Vec::new();
        }
        let fields: Vec<_> = unknown.iter().map(|u| format!("unknown field \"{}\"", u.path)).collect();
        let mut problem = unknown.first().map_or_else(
            || self.problem(self.object.node.at, ""),
            |first| self.problem(first.at, format!("{prefix}strict decoding error: {}", fields.join(", "))),
        );
        problem.fix = unknown.iter().find_map(|u| u.nearest.map(|n| self.rename(&u.path, n)));
        vec![problem]
    }

    fn rename(&self, path: &str, nearest: &str) -> String {
        let parent = path.rsplit_once('.').map_or(String::new(), |(parent, _)| format!("{parent}."));
        format!("write {parent}{nearest} instead of {path}")
    }

    /// A custom resource's annotations are strings too, by its own schema.
    fn custom_resource(&self) -> Vec<Problem> {
        for template in self.templates {
            let entries =
                template.metadata.and_then(|m| m.get("annotations")).map(Node::entries).unwrap_or_default();
            let wrong = entries.iter().find(|e| !matches!(e.value.data, Data::String(_) | Data::Null));
            if let Some(entry) = wrong {
                let shape = match (&entry.value.data, entry.value.shape()) {
                    (Data::Number(text), _) if text.contains(['.', 'e']) => "number",
                    (Data::Number(_), _) => "integer",
                    (_, Shape::Bool) => "boolean",
                    (_, shape) => shape.as_str(),
                };
                let field = format!("{}.annotations.{}", metadata_path(&template.path), entry.key);
                let message = format!(
                    "{field}: Invalid value: \"{shape}\": {field} in body must be of type string: \"{shape}\""
                );
                let mut problem = self.problem(entry.at, message);
                problem.annotation = Some(entry.key.to_string());
                return vec![problem];
            }
        }
        Vec::new()
    }

    /// The server's validation.
    fn validation(&self, built_in: Option<&'static str>) -> Vec<Problem> {
        let Some(kind) = built_in else { return self.custom_keys() };
        let node = self.object.node;
        let mut validation = Validation::new(&self.cluster.version);
        if kind == "Pod" && node.path(&["spec", "runtimeClassName"]).and_then(Node::str) == Some("") {
            return vec![self.problem(node.at, "resource name may not be empty")];
        }
        if let Some(problem) = self.overhead_without_class(kind) {
            return vec![problem];
        }
        validation.metadata(node, kind);
        let template = self.templates.first();
        if kind != "Pod" {
            validation.workload(node, kind, template);
        }
        match (template, self.resources.first()) {
            (Some(template), Some((resources, _))) => {
                let path = if template.path.is_empty() {
                    "spec".to_owned()
                } else {
                    format!("{}.spec", template.path)
                };
                if kind != "Pod" {
                    validation.template_metadata(template);
                }
                validation.spec(template.spec, resources, &path, kind, template.node.at);
            }
            _ => {
                let path =
                    kinds::built_in(kind).and_then(|k| k.homes.first()).map_or("spec.template", |h| h.base);
                validation.spec(None, &PodResources::default(), &format!("{path}.spec"), kind, node.at);
            }
        }
        let errors = validation.finish();
        let name = node.get("metadata").and_then(|m| m.text("name")).unwrap_or_default();
        let several = errors.len() > 1;
        let problems = errors.into_iter().enumerate().map(|(index, error)| {
            let lead = if index == 0 { format!("The {kind} \"{name}\" is invalid: ") } else { String::new() };
            let bullet = match (several, index) {
                (false, _) => "",
                (true, 0) => "\n* ",
                (true, _) => "* ",
            };
            let mut problem = self.problem(error.at, format!("{lead}{bullet}{}", error.message));
            problem.fix = self.advice(&error.message, error.annotation.as_deref());
            problem.annotation = error.annotation;
            problem
        });
        problems.collect()
    }

    /// Admission of a pod's own overhead, which only a RuntimeClass may set.
    fn overhead_without_class(&self, kind: &str) -> Option<Problem> {
        let spec = self.object.node.get("spec").filter(|_| kind == "Pod")?;
        let overhead = spec
            .get("overhead")
            .filter(|o| !o.entries().is_empty() && spec.get("runtimeClassName").is_none())?;
        let name = self.object.node.get("metadata").and_then(|m| m.text("name")).unwrap_or_default();
        let message = format!(
            "pods \"{name}\" is forbidden: pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead"
        );
        let mut problem = self.problem(overhead.at, message);
        problem.fix = Some("leave spec.overhead out: the RuntimeClass sets it".to_owned());
        Some(problem)
    }

    fn advice(&self, message: &str, key: Option<&str>) -> Option<String> {
        if message.contains("Too long") {
            return Some(
                "all annotations of a pod share 256 KiB: shorten the largest, or hand a policy over as compressed init data"
                    .to_owned(),
            );
        }
        let key = key?;
        let name = key.rsplit('/').next().unwrap_or(key);
        (name.len() > 63).then(|| {
            format!(
                "the name has {} bytes, 63 are possible: this key cannot be used on Kubernetes",
                name.len()
            )
        })
    }

    /// The metadata of a custom resource is checked like any other; its templates become pods later, where
    /// a bad key is refused too.
    fn custom_keys(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        for template in self.templates {
            for entry in
                template.metadata.and_then(|m| m.get("annotations")).map(Node::entries).unwrap_or_default()
            {
                for fault in names::annotation_key(&entry.key, &self.cluster.version) {
                    let key = super::validate::quoted(&entry.key);
                    let mut problem = self
                        .problem(entry.at, format!("metadata.annotations: Invalid value: {key}: {fault}"));
                    problem.annotation = Some(entry.key.to_string());
                    problems.push(problem);
                }
            }
        }
        problems
    }

    /// Every other annotation that is no string: Kubernetes names only the first, the user mends them all.
    fn add_other_mismatches(&self, problems: &mut Vec<Problem>) {
        let mut maps = vec![self.object.node.get("metadata")];
        maps.extend(self.templates.iter().map(|t| t.metadata));
        for entry in maps.into_iter().flatten().filter_map(|m| m.get("annotations")).flat_map(Node::entries) {
            if matches!(entry.value.data, Data::String(_) | Data::Null) {
                continue;
            }
            let fix = quoted_form(entry, self.object.places.token(entry.value.at));
            match problems.iter_mut().find(|p| p.annotation.as_deref() == Some(&*entry.key)) {
                Some(problem) => problem.fix = problem.fix.take().or(Some(fix)),
                None => {
                    let shape = entry.value.shape().as_str();
                    let mut problem = self.problem(entry.at, format!("a {shape} in the place of a string"));
                    problem.annotation = Some(entry.key.to_string());
                    problem.fix = Some(fix);
                    problem.named = false;
                    problems.push(problem);
                }
            }
        }
    }
}

fn metadata_path(template: &str) -> String {
    if template.is_empty() { "metadata".to_owned() } else { format!("{template}.metadata") }
}

/// The line as it has to be written; `token` is how the value is written now.
fn quoted_form(entry: &Entry<'_>, token: &str) -> String {
    match &entry.value.data {
        Data::List(items) if items.iter().all(|i| i.str().is_some()) => {
            let items: Vec<_> = items.iter().filter_map(Node::str).map(|s| format!("\"{s}\"")).collect();
            format!("{}: '[{}]'", entry.key, items.join(", "))
        }
        Data::List(_) | Data::Map(_) => format!("{}: put the whole value in single quotes", entry.key),
        _ => format!("{}: \"{}\"", entry.key, token.trim_matches(['"', '\''])),
    }
}
