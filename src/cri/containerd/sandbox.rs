//! RunPodSandbox: which handler serves the pod, and what its OCI spec gets.
//!
//! Decides which annotations pass, and which ones containerd writes itself. Facts: internal/cri/server (2.x)
//! and pkg/cri/server (1.7), sandbox_run.go and podsandbox/sandbox_run_linux.go at the tags named in `mod`.

use super::load::{go_value, toml_type};
use super::tables::Pattern;
use super::{Containerd, Handler, Handlers};
use crate::answer::verdict::{Failure, FailureStage, Fix};
use crate::cri::shim::binary_name;
use crate::cri::{Passage, Passages, Passed, own_keys, with_room};
use crate::input::manifest::{Pod, Sizing};
use crate::input::toml_tree::{Table, Value};
use crate::input::{Annotations, Place};

/// The annotation that forces the handler `untrusted`.
const UNTRUSTED: &str = "io.kubernetes.cri.untrusted-workload";

impl Containerd {
    /// The handler that serves `pod`, by name, or containerd's refusal.
    pub fn handler_of<'a>(
        &'a self,
        handlers: &'a Handlers,
        pod: &Pod,
        sandbox_id: &str,
    ) -> Result<(&'a str, &'a Handler), Failure> {
        let refuse = |why: String| {
            let context = if self.release.is_v1() {
                "failed to get sandbox runtime".to_owned()
            } else {
                format!("unable to get OCI runtime for sandbox {sandbox_id:?}")
            };
            Err(Failure::new(FailureStage::Cri, format!("{context}: {why}")))
        };
        let of_class = || pod.asked_handler(|name| handlers.by_name.contains_key(name));
        let asked = self.handler.as_deref().or_else(of_class).unwrap_or_default();
        let untrusted = pod.annotations.iter().any(|a| a.key == UNTRUSTED && a.value == "true");
        let name = if untrusted {
            if !asked.is_empty() && asked != "untrusted" {
                return refuse("untrusted workload with explicit runtime handler is not allowed".into());
            }
            if pod.isolation.shares_the_host() {
                return refuse("untrusted workload with host access is not allowed".into());
            }
            "untrusted"
        } else if asked.is_empty() {
            &handlers.default
        } else {
            asked
        };
        match handlers.by_name.get_full(name) {
            Some((_, name, handler)) => Ok((name, handler)),
            None => refuse(format!("no runtime for {name:?} is configured")),
        }
    }

    /// The name of the handler that serves `pod`, or why none does.
    pub fn serving(&self, pod: &Pod, sandbox_id: &str) -> Result<&str, Failure> {
        let handlers = self.handlers.as_ref().map_err(Self::broken)?;
        self.handler_of(handlers, pod, sandbox_id).map(|(name, _)| name)
    }

    /// What the runtime gets of `pod`.
    pub fn pass(&self, pod: &Pod, sizing: Option<&Sizing>, sandbox_id: &str) -> Passed {
        let refused = |failure| Passed { failure: Some(failure), ..Passed::default() };
        let handlers = match &self.handlers {
            Ok(handlers) => handlers,
            Err(broken) => return refused(Self::broken(broken)),
        };
        let (name, handler) = match self.handler_of(handlers, pod, sandbox_id) {
            Ok(found) => found,
            Err(failure) => return refused(failure),
        };
        if let Err(message) = self.start(handler, sandbox_id) {
            return refused(Failure::new(FailureStage::Cri, message));
        }
        if let Some(message) = self.shim_missing(handler, sandbox_id) {
            return refused(Failure::new(FailureStage::Cri, message));
        }
        if handler.sandboxer == "shim" {
            return whole_config(pod, name);
        }
        let mut received = with_room(pod);
        // Before the pod's own: a wide pattern lets the pod replace them.
        if let Some(sizing) = sizing {
            super::super::sizing_keys(&mut received, sizing);
        }
        let passages: Vec<Passage> = pod
            .annotations
            .iter()
            .map(|annotation| {
                let passage = gate(handlers, name, handler, &annotation.key);
                if passage.passed {
                    received.push((annotation.key.clone(), annotation.value.clone()));
                }
                passage
            })
            .collect();
        own_keys(&mut received, pod, sandbox_id);
        if let Some(image) = &handlers.sandbox_image {
            received.push(("io.kubernetes.cri.podsandbox.image-name".into(), image.clone()));
        }
        let received = Annotations::from(received);
        Passed { received, passages: Passages::Each(passages), failure: None }
    }

    /// What can go wrong between the handler and its shim, in containerd's words.
    fn start(&self, handler: &Handler, sandbox_id: &str) -> Result<(), String> {
        let v1 = self.release.is_v1();
        if !v1 && !matches!(handler.sandboxer.as_str(), "" | "podsandbox" | "shim") {
            return Err(format!(
                "failed to create sandbox {sandbox_id:?}: failed to get sandbox controller by {}",
                handler.sandboxer
            ));
        }
        if let Some(options) = &handler.options
            && !is_runc(&handler.runtime_type)
        {
            self.options(options)?;
        }
        let context = if v1 { String::new() } else { format!("failed to start sandbox {sandbox_id:?}: ") };
        if handler.runtime_type.is_empty() {
            return Err(format!(
                "{context}failed to create containerd container: create container failed validation: \
                 container.Runtime.Name must be set: invalid argument"
            ));
        }
        let runtime =
            if handler.runtime_path.is_empty() { &handler.runtime_type } else { &handler.runtime_path };
        let well_formed =
            runtime.starts_with('/') || (!runtime.contains('/') && binary_name(runtime).is_some());
        // With a path that is not absolute the name is tried as a runtime type, which it is not.
        if !well_formed || (!handler.runtime_path.is_empty() && !runtime.starts_with('/')) {
            let (example, end) = if v1 { ("v1", ": unknown") } else { ("v2", "") };
            return Err(format!(
                "{context}failed to create containerd task: failed to start shim: failed to resolve runtime \
                 path: invalid runtime name {runtime}, correct runtime name should be either format like \
                 `io.containerd.runc.{example}` or a full path to the binary{end}"
            ));
        }
        Ok(())
    }

    /// What containerd says where a handler's shim cannot be started.
    pub fn shim_missing(&self, handler: &Handler, sandbox_id: &str) -> Option<String> {
        let missing = handler.shim.missing.as_ref()?;
        let (context, end) = if self.release.is_v1() {
            (String::new(), ": unknown")
        } else {
            (format!("failed to start sandbox {sandbox_id:?}: "), "")
        };
        Some(format!("{context}failed to create containerd task: failed to start shim: {missing}{end}"))
    }

    /// The generic runtime options message has three fields; the others are passed over.
    fn options(&self, options: &Table) -> Result<(), String> {
        for (field, go_field, go_type, text) in [
            ("TypeUrl", "TypeUrl", "string", true),
            ("ConfigPath", "ConfigPath", "string", true),
            ("ConfigBody", "ConfigBody", "[]uint8", false),
        ] {
            let Some((_, node)) = options.iter().find(|(key, _)| key.eq_ignore_ascii_case(field)) else {
                continue;
            };
            let fits = match &node.value {
                Value::String(_) => text,
                Value::Array(items) => {
                    !text && items.iter().all(|i| matches!(i.value, Value::Integer(0..=255)))
                }
                _ => false,
            };
            if !fits {
                return Err(if self.release.is_v1() {
                    let go_type = if text { "string" } else { "[]uint8(slice)" };
                    format!(
                        "failed to generate runtime options: (0, 0): Can't convert {} to {go_type}",
                        go_value(&node.value)
                    )
                } else {
                    format!(
                        "failed to generate sandbox runtime options: toml: cannot decode TOML {} into struct \
                         field runtimeoptions.Options.{go_field} of type {go_type}",
                        toml_type(&node.value)
                    )
                });
            }
        }
        Ok(())
    }
}

fn is_runc(runtime_type: &str) -> bool {
    matches!(runtime_type, "io.containerd.runc.v2" | "io.containerd.runc.v1" | "io.containerd.runhcs.v1")
}

/// Whether a handler's `pod_annotations` lets `key` through.
fn gate(handlers: &Handlers, name: &str, handler: &Handler, key: &str) -> Passage {
    if let Some(pattern) = matching(handler, key) {
        return Passage {
            passed: true,
            note: pattern.note.clone(),
            place: Some(pattern.place.clone()),
            fix: None,
        };
    }
    let (note, place) = match &handler.list_place {
        Some(place) => {
            (format!("no pattern in handler {name}'s pod_annotations matches"), Some(place.clone()))
        }
        None => {
            let note = format!("handler {name} has no pod_annotations: it passes nothing on, silently");
            (note, handler.place.clone())
        }
    };
    // The commonest slip: the list stands in a table that does not serve this pod.
    let elsewhere =
        handlers.by_name.iter().find_map(|(other, handler)| Some((other, matching(handler, key)?))).map(
            |(other, pattern)| format!("; {:?} at {} counts for {other} only", pattern.text, pattern.place),
        );
    let note = format!("{note}{}", elsewhere.unwrap_or_default()).into();
    let fix = Some(advice(name, key, place.as_ref()));
    Passage { passed: false, note, place, fix }
}

fn matching<'h>(handler: &'h Handler, key: &str) -> Option<&'h Pattern> {
    handler.pod_annotations.iter().find(|pattern| pattern.glob.as_ref().is_some_and(|glob| glob.matches(key)))
}

fn advice(name: &str, key: &str, place: Option<&Place>) -> Fix {
    let pattern = if key.starts_with(crate::catalog::KATA_PREFIX) { "io.katacontainers.*" } else { key };
    let place = place.map(|place| format!(" ({}:{})", place.file, place.line)).unwrap_or_default();
    let text = format!("add {pattern:?} to pod_annotations of handler {name}{place} and restart containerd");
    Fix::Advice(text.into())
}

/// `sandboxer = "shim"`: the whole pod configuration goes to the shim, past the gate.
fn whole_config(pod: &Pod, name: &str) -> Passed {
    let received = pod.annotations.iter().map(|a| (a.key.clone(), a.value.clone())).collect();
    let note = format!("handler {name} has sandboxer = \"shim\": all annotations pass, ungated");
    Passed { received, passages: Passages::Alike(Passage::free(note)), failure: None }
}
