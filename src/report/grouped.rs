//! Many pods in one screenful: what they have in common is told once, with how many, three examples, and who can
//! mend it.
//!
//! Decides what is one reason: findings of one code about one key whose messages differ in nothing but the values
//! in them.

use std::borrow::Cow;
use std::fmt::Write as _;

use indexmap::IndexMap;

use super::counted::{counted, times};
use super::escape::visible;
use super::json::{severity, who};
use super::text::{Paint, short};
use crate::answer::finding::{Code, Finding, Severity, Who};
use crate::evaluate::Evaluation;
use crate::evaluate::node::NodeEvaluator;
use crate::input::manifest::Pod;
use crate::release::KnownBy;

/// Reasons that are told before the rest is summed up: a report of them fits two screens.
const TOLD: usize = 14;
/// Pods that are named for a reason.
const EXAMPLES: usize = 3;
/// Handlers that are named at the head.
const HANDLERS: usize = 6;

/// What makes findings one reason.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Kind {
    severity: Severity,
    code: Code,
    subject: Option<String>,
    /// The message without its values.
    shape: String,
    who: Who,
}

#[derive(Debug)]
struct Reason {
    message: String,
    fix: Option<String>,
    pods: usize,
    /// How many of them have other values in the message.
    others: usize,
    examples: Vec<String>,
}

/// What one pod adds.
#[derive(Debug)]
pub struct Share {
    name: String,
    reasons: Vec<(Kind, String, Option<String>)>,
}

impl Share {
    /// Of a pod.
    pub fn of(pod: &Pod, evaluation: &Evaluation) -> Self {
        let name = pod.id();
        let reason = |finding: &Finding| {
            let kind = Kind {
                severity: finding.severity,
                code: finding.code,
                subject: finding.subject.clone(),
                shape: shape(&finding.message, &name),
                who: finding.who,
            };
            (kind, finding.message.clone(), finding.fix.as_ref().map(ToString::to_string))
        };
        let reasons = evaluation.findings.iter().map(reason).collect();
        Self { name, reasons }
    }
}

/// A message without the values in it: what stands in quotation marks, paths, numbers, and the pod's own name.
pub fn shape(message: &str, pod: &str) -> String {
    let mut out = String::with_capacity(message.len());
    let message = if pod.is_empty() { message.into() } else { Cow::from(message.replace(pod, "")) };
    let mut chars = message.chars().peekable();
    let mut before = ' ';
    while let Some(c) = chars.next() {
        let starts_word = !before.is_alphanumeric();
        match c {
            '"' | '`' => {
                for inner in chars.by_ref() {
                    if inner == c {
                        break;
                    }
                }
                out.push_str("\"\"");
            }
            '/' if starts_word => {
                while chars.next_if(|c| !c.is_whitespace() && !matches!(c, ',' | ':' | ';' | ')')).is_some() {
                }
                out.push('/');
            }
            c if c.is_ascii_digit() && starts_word => {
                while chars.next_if(|c| c.is_ascii_digit() || *c == '.').is_some() {}
                out.push('0');
            }
            c => out.push(c),
        }
        before = c;
    }
    out
}

/// The reasons of all pods.
#[derive(Debug, Default)]
pub struct Groups {
    reasons: IndexMap<Kind, Reason>,
}

impl Groups {
    /// Adds a pod's.
    pub fn add(&mut self, share: Share) {
        for (kind, message, fix) in share.reasons {
            match self.reasons.get_mut(&kind) {
                Some(reason) => {
                    reason.pods += 1;
                    reason.others += usize::from(reason.message != message);
                    if reason.examples.len() < EXAMPLES && !reason.examples.contains(&share.name) {
                        reason.examples.push(share.name.clone());
                    }
                }
                None => {
                    let examples = vec![share.name.clone()];
                    self.reasons.insert(kind, Reason { message, fix, pods: 1, others: 0, examples });
                }
            }
        }
    }

    /// As text, the worst and most frequent first.
    pub fn text(&self, paint: Paint) -> String {
        let mut all: Vec<(&Kind, &Reason)> = self.reasons.iter().collect();
        all.sort_by(|(a, x), (b, y)| b.severity.cmp(&a.severity).then(y.pods.cmp(&x.pods)));
        let mut out = String::new();
        for (kind, reason) in all.iter().take(TOLD) {
            let word = format!("{:<8}", severity(kind.severity));
            let code = match kind.severity {
                Severity::Refused => "1;31",
                Severity::Ignored | Severity::Warning => "33",
                Severity::Note => "2",
            };
            let pods = counted(reason.pods, "pod");
            let subject = kind.subject.as_deref().map(|key| format!("  {}", short(key))).unwrap_or_default();
            let _ = writeln!(
                out,
                "{} {:<11}{}  [{}]",
                paint.wrap(code, &word),
                pods,
                paint.wrap("1", &subject),
                kind.code.as_str()
            );
            let others = match reason.others {
                0 => String::new(),
                others => format!(" ({others} with other values)"),
            };
            let first = reason.message.lines().next().unwrap_or_default();
            let _ = writeln!(out, "    {}{others}", visible(first));
            if let Some(fix) = &reason.fix {
                let first = fix.lines().next().unwrap_or_default();
                let _ = writeln!(out, "    fix: {} ({})", visible(first), who(kind.who));
            }
            let more = reason.pods.saturating_sub(reason.examples.len());
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let _ = writeln!(out, "    {}{more}", visible(&reason.examples.join(", ")));
        }
        let rest = all.get(TOLD..).unwrap_or_default();
        if !rest.is_empty() {
            let met: usize = rest.iter().map(|(_, reason)| reason.pods).sum();
            let (more, met) = (counted(rest.len(), "more reason"), times(met));
            let _ = writeln!(out, "and {more}, met {met}: --all tells every pod's");
        }
        out
    }
}

fn known_by(known: KnownBy) -> &'static str {
    match known {
        KnownBy::Said => "as said",
        KnownBy::Node => "told by the node",
        KnownBy::File => "by the look of its file",
        KnownBy::Assumed => "assumed: nothing tells",
    }
}

/// What a report is about: the node where it has a name, the configurations with what reads them, and the host.
pub fn head(node: &NodeEvaluator, name: Option<&str>) -> String {
    let mut out = String::new();
    if let Some(name) = name {
        let _ = writeln!(out, "node {}", visible(name));
    }
    let all: Vec<_> = node.policies().collect();
    for (handler, evaluator) in all.iter().take(HANDLERS) {
        let setup = evaluator.setup();
        let handler = handler.map(|handler| format!("{}  ", handler.name)).unwrap_or_default();
        let drop_ins = setup.layers.drop_ins.as_ref().map_or(0, Vec::len);
        let drop_ins = if drop_ins == 0 { String::new() } else { format!(" +{drop_ins}") };
        let hypervisor = evaluator.hypervisor().map(|name| format!(" · {name}")).unwrap_or_default();
        let line = format!(
            "{handler}{}{drop_ins} · {}{hypervisor} ({})",
            setup.layers.asked,
            setup.release.title(),
            known_by(setup.known_by)
        );
        let _ = writeln!(out, "{}", visible(&line));
    }
    if all.len() > HANDLERS {
        let _ = writeln!(out, "and {}: katascope which", counted(all.len() - HANDLERS, "more handler"));
    }
    if let Some((_, evaluator)) = all.first() {
        let host = &evaluator.setup().host;
        let facts = &host.facts;
        let guess = if facts.guess_the_machine() { "≈ " } else { "" };
        let _ = writeln!(
            out,
            "{guess}host {} · {} CPUs · {} MiB",
            facts.arch.as_str(),
            facts.cpus,
            facts.memory_mib
        );
    }
    if !node.said_otherwise().is_empty() {
        let _ = writeln!(out, "what if {}", visible(&node.said_otherwise().join(", ")));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_do_not_make_another_reason() {
        let same = |a: &str, b: &str| shape(a, "shop/a") == shape(b, "shop/a");
        assert!(same("path \"/a b\" is bad", "path \"/c\" is bad"));
        assert!(same("the VM has 12 CPUs of 8", "the VM has 400 CPUs of 64"));
        assert!(same("open /no/such: gone", "open /other: gone"));
        assert!(!same("default_vcpus is bad", "default_memory is bad"));
        assert!(!same("q35 is bad", "virt is bad"));
        assert_eq!(shape("shop/a starts late", "shop/a"), " starts late");
    }
}
