//! Which pod (or other object) a message is about, by what stands in front of it.
//!
//! Decides the name `namespace/name` that an event's `involvedObject` has, in JSON or YAML, on one line or on several,
//! and the one that kubelet (`pod="namespace/name"`) and containerd (`PodSandboxMetadata`, `internal/cri` of 2.x,
//! `pkg/cri` of 1.x) put into their log lines. Names are cut to what an object's can be.

use super::events::json_field;
use super::yaml::{self, indentation};

/// A namespace, a slash and a name are no longer than this.
const LONGEST: usize = 63 + 1 + 253;

/// The object that `kubectl describe` writes of, whose events stand at the end.
#[derive(Debug, Default)]
pub(super) struct Described {
    namespace: Option<String>,
    name: Option<String>,
}

impl Described {
    /// Reads one line: the object's own fields stand at the first column, and blanks fill up their names.
    pub(super) fn read(&mut self, line: &str) {
        let value = |field: &str| {
            let value = line.strip_prefix(field)?.strip_prefix("  ")?.trim();
            (!value.is_empty() && !value.contains(' ')).then(|| cut(value))
        };
        if let Some(name) = value("Name:") {
            *self = Self { namespace: None, name: Some(name) };
        } else if let Some(namespace) = value("Namespace:") {
            self.namespace = Some(namespace);
        }
    }

    /// Its name, once it was read.
    pub(super) fn object(&self) -> Option<String> {
        Some(object(self.namespace.as_deref(), self.name.as_deref()?))
    }
}

/// Reads the object of an event whose fields may stand on lines of their own.
#[derive(Debug, Default)]
pub(super) struct About {
    /// How far the line is indented that the fields stand below.
    within: Option<usize>,
    namespace: Option<String>,
    name: Option<String>,
}

impl About {
    /// Reads one line (or one object of a longer one).
    pub(super) fn read(&mut self, line: &str) {
        if let Some((_, behind)) = line.split_once("involvedObject") {
            let object = object_of(behind.trim_start_matches('"'));
            let within = object.is_none().then(|| indentation(line));
            *self = Self { within, namespace: None, name: None };
            self.fields(object.unwrap_or_default());
        } else if let Some(within) = self.within {
            match indentation(line) > within {
                true => self.fields(line),
                false => self.within = None,
            }
        }
    }

    fn fields(&mut self, text: &str) {
        let value = |json: &str, yaml: &str| {
            let value = json_field(text, json).or_else(|| yaml::field(text, yaml))?;
            let value = value.trim_start_matches(['"', '\'']);
            value.split(['"', '\'', ',', '}']).next().filter(|value| !value.is_empty()).map(cut)
        };
        self.namespace = value("\"namespace\"", "namespace").or(self.namespace.take());
        self.name = value("\"name\"", "name").or(self.name.take());
    }

    /// What was read, once the message comes.
    pub(super) fn take(&mut self) -> Option<String> {
        let Self { namespace, name, .. } = std::mem::take(self);
        Some(object(namespace.as_deref(), &name?))
    }
}

/// What stands before the brace that ends an object; braces in strings end none (`spec.containers{web}`).
fn object_of(text: &str) -> Option<&str> {
    let (mut is_string, mut is_escaped) = (false, false);
    let end = text.find(|letter| {
        is_string ^= letter == '"' && !is_escaped;
        is_escaped = letter == '\\' && !is_escaped;
        letter == '}' && !is_string
    })?;
    text.get(..end)
}

/// `namespace/name`, or the name alone.
pub(super) fn object(namespace: Option<&str>, name: &str) -> String {
    namespace.map_or_else(|| cut(name), |namespace| cut(&format!("{namespace}/{name}")))
}

/// The pod of a log line.
pub(super) fn pod_of_log(text: &str) -> Option<String> {
    if let Some((_, behind)) = text.split_once("pod=\"") {
        return behind.split_once('"').map(|(pod, _)| cut(pod)).filter(|pod| !pod.is_empty());
    }
    let (_, metadata) = text.split_once("PodSandboxMetadata{")?;
    let (metadata, _) = metadata.split_once('}')?;
    let field = |name: &str| metadata.split(',').find_map(|field| field.strip_prefix(name));
    Some(object(field("Namespace:"), field("Name:")?))
}

fn cut(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about(lines: &[&str]) -> Option<String> {
        let mut about = About::default();
        lines.iter().for_each(|line| about.read(line));
        about.take()
    }

    #[test]
    fn an_events_object_is_read_in_every_form() {
        let json = [
            r#"      "involvedObject": {"#,
            r#"          "kind": "Pod","#,
            r#"          "name": "web","#,
            r#"          "namespace": "shop","#,
            r#"      },"#,
            r#"          "name": "other","#,
        ];
        assert_eq!(about(&json).as_deref(), Some("shop/web"));
        let yaml = ["  involvedObject:", "    kind: Pod", "    name: web", "    namespace: 'shop'"];
        assert_eq!(about(&yaml).as_deref(), Some("shop/web"));
        let line = r#"{"involvedObject":{"fieldPath":"spec.containers{c}","kind":"Pod","name":"web","namespace":"shop"}}"#;
        assert_eq!(about(&[line]).as_deref(), Some("shop/web"));
        let line = r#"{"count":1,"involvedObject":{"kind":"Node","name":"n1"},"metadata":{"name":"x"},"message":"y"}"#;
        assert_eq!(about(&[line, r#"  "name": "z""#]).as_deref(), Some("n1"));
        assert_eq!(about(&[r#"  "name": "z""#]), None);
    }

    #[test]
    fn what_is_described_is_named_above() {
        let mut described = Described::default();
        assert_eq!(described.object(), None);
        let pod =
            ["Name:             web", "Namespace:        shop", "    Name:  kube-root-ca.crt", "Name: x"];
        pod.iter().for_each(|line| described.read(line));
        assert_eq!(described.object().as_deref(), Some("shop/web"));
        described.read("Name:               n1");
        assert_eq!(described.object().as_deref(), Some("n1"));
    }

    #[test]
    fn a_log_names_its_pod() {
        let kubelet = r#"E1130 pod_workers.go:1324] "Error syncing pod" err="x" pod="shop/web" podUID="1""#;
        let containerd =
            "RunPodSandbox for &PodSandboxMetadata{Name:web,Uid:1,Namespace:shop,Attempt:0,} failed";
        for line in [kubelet, containerd] {
            assert_eq!(pod_of_log(line).as_deref(), Some("shop/web"), "{line}");
        }
        assert_eq!(pod_of_log("pod=\"\" of nothing"), None);
    }
}
