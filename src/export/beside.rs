//! What a cluster would enforce of a host's policy, beside what the host does with the same pods.

use std::fmt::Write as _;

use super::re2::ValuePattern;
use super::{Mode, Others, Refused, Rules};
use crate::report::text::short;

/// Entries of a list that are told.
const TOLD: usize = 8;
/// Pods that are told.
const PODS: usize = 200;

/// A pod on the host and in the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Both {
    /// The pod.
    pub id: String,
    /// Why the host refuses it: the stage and the message.
    pub host: Option<(String, String)>,
    /// Why the cluster refuses it.
    pub cluster: Option<Refused>,
}

impl Both {
    fn differs(&self) -> bool {
        self.host.is_some() != self.cluster.is_some()
    }
}

/// The rules of a mode, with every pod of the handler.
#[derive(Debug)]
pub struct Enforced {
    /// The rules.
    pub rules: Rules,
    /// The pods.
    pub pods: Vec<Both>,
}

/// As text, the first mode in full; `waiting` pods are not evaluated yet.
pub fn text(modes: &[Enforced], waiting: usize) -> String {
    let mut out = String::new();
    let Some(first) = modes.first() else { return "No [hypervisor.*] table: nothing to enforce.".to_owned() };
    let mode = first.rules.origin.mode.as_str();
    let _ = writeln!(
        out,
        "An API server can refuse these pods at kubectl apply, before this host sees them: katascope policy export \
         --to vap\n"
    );
    for enforced in modes {
        let more = enforced.pods.iter().filter(|pod| pod.host.is_none() && pod.cluster.is_some()).count();
        let less = enforced.pods.iter().filter(|pod| pod.host.is_some() && pod.cluster.is_none()).count();
        let both = enforced.pods.iter().filter(|pod| pod.host.is_some() && pod.cluster.is_some()).count();
        let mode = enforced.rules.origin.mode;
        let _ = writeln!(out, "{:<13} {}", mode.as_str(), mode.meaning());
        let _ = writeln!(
            out,
            "{:<13} of {}: {both} refused by both, {more} by the cluster alone, {less} by the host alone",
            "",
            count(enforced.pods.len(), "pod")
        );
    }
    if waiting > 0 {
        let _ = writeln!(out, "{} not evaluated yet: open this again", count(waiting, "pod"));
    }
    let differing: Vec<&Both> = first.pods.iter().filter(|pod| pod.differs()).collect();
    let _ = writeln!(out, "\nPods where the cluster ({mode}) and this host differ: {}", differing.len());
    for pod in differing.iter().take(PODS) {
        let said = match (&pod.host, &pod.cluster) {
            (Some((stage, message)), None) => {
                format!("the cluster lets it in, this host refuses it at {stage}: {message}")
            }
            (_, Some(refused)) => format!("this host starts it, the cluster refuses it: {refused}"),
            (None, None) => continue,
        };
        let _ = writeln!(out, "  {}: {said}", pod.id);
    }
    if differing.len() > PODS {
        let _ = writeln!(out, "  and {} more", differing.len() - PODS);
    }
    rules(&mut out, &first.rules);
    out
}

fn rules(out: &mut String, rules: &Rules) {
    let names = |list: &[String]| list.iter().map(|key| short(key)).collect::<Vec<_>>().join(", ");
    let mode = rules.origin.mode.as_str();
    let _ = writeln!(out, "\nWhat {mode} says of annotations");
    let _ = writeln!(out, "  pass ({}): {}", rules.allowed.len(), names(&rules.allowed));
    let others = match &rules.others {
        Others::Refused => "every other name of Kata's is refused".to_owned(),
        Others::Pass => "every other name passes".to_owned(),
        Others::PassWhere(patterns) => format!("other names pass where one matches: {}", patterns.join(", ")),
        Others::RefusedWhere(patterns) => {
            format!("other names are refused where one matches: {}", patterns.join(", "))
        }
    };
    let _ = writeln!(out, "  {others}");
    if rules.origin.mode != Mode::Closed && !rules.refused.is_empty() {
        let _ = writeln!(out, "  refused ({}): {}", rules.refused.len(), names(&rules.refused));
    }
    for rule in &rules.values {
        let entry = |entry: &ValuePattern| match entry {
            ValuePattern::Equals(text) => format!("\"{text}\""),
            ValuePattern::Matches(pattern) | ValuePattern::MatchesClean(pattern) => pattern.clone(),
            ValuePattern::Never => String::new(),
        };
        let mut entries: Vec<String> = rule.entries.iter().take(TOLD).map(entry).collect();
        if rule.entries.len() > TOLD {
            entries.push(format!("and {} more", rule.entries.len() - TOLD));
        }
        let entries = if entries.is_empty() { "nothing".to_owned() } else { entries.join(", ") };
        let _ = writeln!(out, "  {} may be ({}): {entries}", short(rule.key), rule.list);
    }
    if !rules.inexact.is_empty() {
        let _ = writeln!(out, "\nNot said as the host does it");
        for sentence in &rules.inexact {
            let _ = writeln!(out, "  {sentence}");
        }
    }
}

fn count(n: usize, word: &str) -> String {
    if n == 1 { format!("1 {word}") } else { format!("{n} {word}s") }
}
