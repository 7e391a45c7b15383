//! The way of one value from what the files say to what holds for a pod: each place that had a say, in order.
//!
//! Computes nothing: it puts the layers' texts, what loading made of them, the pod's annotation and the runtime's sum
//! in a row.

use serde_json::Value as Json;

use super::{Evaluation, Evaluator};
use crate::answer::Place;
use crate::answer::effective::Origin;
use crate::answer::verdict::Status;
use crate::catalog;
use crate::input::amend;
use crate::input::manifest::Pod;

/// One say in a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// What it was from here on, or would have been.
    pub value: String,
    /// Who said so: `file`, `default`, `annotation default_vcpus`, a rule.
    pub from: String,
    /// Where.
    pub place: Option<Place>,
}

/// A value without the quotation marks of a text, and numbers alike however they are written.
fn plain(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        Json::Number(number) => {
            number.as_f64().map_or_else(|| number.to_string(), |number| number.to_string())
        }
        other => other.to_string(),
    }
}

fn of_toml(text: &str) -> String {
    match text.parse::<f64>() {
        Ok(number) => number.to_string(),
        Err(_) => crate::input::what_if::unquoted(text),
    }
}

impl Evaluator {
    /// Every say in the value that `key` has for an evaluated pod, the last one the one that holds.
    pub fn chain(&self, pod: &Pod, evaluation: &Evaluation, key: &str) -> Vec<Link> {
        let mut links = self.written(key);
        let Some((table, name)) = key.rsplit_once('.') else { return links };
        let link =
            |value: String, from: &str, place: Option<Place>| Link { value, from: from.to_owned(), place };
        let bare = self.bare().and_then(|bare| bare.get(key));
        if links.is_empty() {
            let default = catalog::config_key(table, name)
                .and_then(|known| known.reader(self.setup().release))
                .map(|reader| reader.default)
                .filter(|default| !default.is_empty());
            match (default, bare) {
                (Some(default), _) => links.push(link(default.to_owned(), "default", None)),
                (None, Some(value)) if value.origin == Origin::Default => {
                    links.push(link(plain(&value.value), "default", None));
                }
                _ => {}
            }
        }
        // What loading, and a sandbox that asks for nothing, make of it.
        if let Some(value) = bare
            && let Origin::Derived(rule) = &value.origin
            // A sandbox with limits is sized otherwise.
            && !rule.starts_with("static sizing")
            && links.last().is_none_or(|last| last.value != plain(&value.value))
        {
            links.push(link(plain(&value.value), rule, None));
        }
        let own = |field: &str| field == key;
        for verdict in evaluation.verdicts.iter().filter(|v| v.field.as_deref().is_some_and(own)) {
            let place = pod.annotations.iter().find(|a| a.key == *verdict.key).map(|a| a.place.clone());
            let short = verdict.key.rsplit('.').next().unwrap_or(&verdict.key);
            let outcome = match verdict.status {
                Status::Applied => String::new(),
                status => format!(", {}", status.as_str()),
            };
            links.push(link(verdict.value.to_string(), &format!("annotation {short}{outcome}"), place));
        }
        if let Some(value) = evaluation.effective.as_ref().and_then(|effective| effective.get(key)) {
            let now = plain(&value.value);
            let derived = matches!(value.origin, Origin::Derived(_));
            let sum = if derived { self.sum(evaluation, name) } else { None };
            if sum.is_some() || links.last().is_none_or(|last| of_toml(&last.value) != now) {
                let rule = match &value.origin {
                    Origin::Derived(rule) => match sum {
                        Some(sum) => format!("{rule}: {sum}"),
                        None => rule.to_string(),
                    },
                    origin => origin.kind().to_owned(),
                };
                if links.last().is_none_or(|last| last.value != now || last.from != rule) {
                    links.push(link(now, &rule, None));
                }
            }
        }
        links
    }

    /// What the files say of a key, in the order in which they count.
    fn written(&self, key: &str) -> Vec<Link> {
        let layers = &self.setup().layers;
        let Some((table, name)) = key.rsplit_once('.') else { return Vec::new() };
        let said = layers.what_if.iter().any(|other| other == key);
        let found = layers.sources().filter_map(|source| amend::written(source, table, name));
        found
            .map(|written| Link {
                value: of_toml(&written.text),
                from: if said { "what if".to_owned() } else { "file".to_owned() },
                place: (!said).then_some(written.place),
            })
            .collect()
    }

    /// The sum behind one of the two sizes, where the runtime adds up.
    fn sum(&self, evaluation: &Evaluation, name: &str) -> Option<String> {
        let at = match name {
            "default_vcpus" => 0,
            "default_memory" => 1,
            _ => return None,
        };
        self.base().filter(|base| base.is_static())?;
        let size = self.vm_size(evaluation)?;
        size.steps.get(at)?.split_once(": ").map(|(_, sum)| sum.to_owned())
    }
}
