//! What a cluster would answer a pod of the handler, without a cluster.
//!
//! Decides as the expressions of `cel` do, over the same rules: names before values, and what is too long is not
//! searched. A test holds the two against each other.

use std::fmt;

use super::SGX_EPC;
use super::cel::{PATH_MAX, most_unknown};
use super::re2::ValuePattern;
use super::rules::{Family, Others, Rules};
use crate::catalog::{HYPERVISOR_PREFIX, KATA_PREFIX};
use crate::golang::regexp::GoRegex;
use crate::input::manifest::Pod;

/// Paths that no folder lists.
const CROOKED: &str = "/\\.{0,2}(?:/|$)";

/// Why a pod is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// These annotations may not be set.
    Names(Vec<String>),
    /// The list does not have the annotation's value.
    Value {
        /// The annotation.
        key: &'static str,
        /// The list.
        list: &'static str,
    },
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short = |key: &str| key.strip_prefix("io.katacontainers.config.").unwrap_or(key).to_owned();
        match self {
            Self::Names(keys) => {
                let keys: Vec<String> = keys.iter().map(|key| short(key)).collect();
                write!(f, "{} may not be set", keys.join(", "))
            }
            Self::Value { key, list } => write!(f, "{list} does not list the value of {}", short(key)),
        }
    }
}

/// Rules, ready for any number of pods.
#[derive(Debug)]
pub struct Admission<'r> {
    rules: &'r Rules,
    names: Vec<GoRegex>,
    /// In the order of the rules' values.
    values: Vec<Vec<Entry>>,
    crooked: Option<GoRegex>,
}

/// An entry of a list, ready to be held against a value.
#[derive(Debug)]
enum Entry {
    Equals(String),
    Matches(GoRegex),
    MatchesClean(GoRegex),
}

impl<'r> Admission<'r> {
    /// By these rules.
    pub fn by(rules: &'r Rules) -> Self {
        let patterns = match &rules.others {
            Others::PassWhere(patterns) | Others::RefusedWhere(patterns) => patterns.as_slice(),
            Others::Refused | Others::Pass => &[],
        };
        let entry = |entry: &ValuePattern| match entry {
            ValuePattern::Equals(text) => Some(Entry::Equals(text.clone())),
            ValuePattern::Matches(pattern) => GoRegex::new(pattern).ok().map(Entry::Matches),
            ValuePattern::MatchesClean(pattern) => GoRegex::new(pattern).ok().map(Entry::MatchesClean),
            ValuePattern::Never => None,
        };
        Self {
            rules,
            names: patterns.iter().filter_map(|pattern| GoRegex::new(pattern).ok()).collect(),
            values: rules.values.iter().map(|rule| rule.entries.iter().filter_map(entry).collect()).collect(),
            crooked: GoRegex::new(CROOKED).ok(),
        }
    }

    /// Why a pod of the handler that is made new would be refused; `None`: it passes.
    pub fn refuses(&self, pod: &Pod) -> Option<Refused> {
        let given = |key: &str| pod.annotations.iter().find(|annotation| annotation.key == key);
        let shut = self.shut(pod);
        if !shut.is_empty() {
            return Some(Refused::Names(shut));
        }
        let mut rules = self.rules.values.iter().zip(&self.values);
        rules.find_map(|(rule, entries)| {
            let annotation = given(rule.key)?;
            let refused = Refused::Value { key: rule.key, list: rule.list };
            (!self.is_listed(&annotation.value, entries)).then_some(refused)
        })
    }

    /// The names that may not be set, in the order of a server's message.
    fn shut(&self, pod: &Pod) -> Vec<String> {
        if !self.rules.judges_names() {
            return Vec::new();
        }
        let judged = |key: &&str| match self.rules.family {
            Family::Hypervisor => key.starts_with(HYPERVISOR_PREFIX),
            Family::Kata => key.starts_with(KATA_PREFIX) || *key == SGX_EPC,
        };
        let fresh: Vec<&str> = pod.annotations.iter().map(|a| a.key.as_str()).filter(judged).collect();
        let among = |list: &[String], key: &str| list.iter().any(|own| own == key);
        let mut shut: Vec<String> =
            self.rules.refused.iter().filter(|key| fresh.contains(&key.as_str())).cloned().collect();
        let unknown: Vec<&str> = fresh
            .into_iter()
            .filter(|key| !among(&self.rules.allowed, key) && !among(&self.rules.refused, key))
            .collect();
        let found = |key: &str| {
            let short = key.strip_prefix(HYPERVISOR_PREFIX).unwrap_or(key);
            self.names.iter().any(|name| name.is_match(short))
        };
        let others = unknown.iter().filter(|key| match &self.rules.others {
            Others::Pass => false,
            Others::Refused => true,
            Others::PassWhere(patterns) => unknown.len() > most_unknown(patterns) || !found(key),
            Others::RefusedWhere(patterns) => unknown.len() > most_unknown(patterns) || found(key),
        });
        shut.extend(others.map(|key| (*key).to_owned()));
        shut
    }

    fn is_listed(&self, value: &str, entries: &[Entry]) -> bool {
        let is_clean = || self.crooked.as_ref().is_some_and(|crooked| !crooked.is_match(value));
        value.chars().count() <= PATH_MAX
            && entries.iter().any(|entry| match entry {
                Entry::Equals(text) => text == value,
                Entry::Matches(pattern) => pattern.is_match(value),
                Entry::MatchesClean(pattern) => is_clean() && pattern.is_match(value),
            })
    }
}
