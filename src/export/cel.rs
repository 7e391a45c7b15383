//! The rules as CEL expressions.
//!
//! Decides how a rule is asked of an object's annotations. Limits of the API server, at 1.36: an expression may
//! cost 1,000,000 for one request, where a `matches` costs a tenth of the text times a quarter of the pattern and
//! an `in` as much as its list is long; a message ends at 5,120 bytes; maps are walked in random order, so that
//! names are told in the order of a list.

use super::re2::ValuePattern;
use super::rules::{Family, Others, Rules, ValueRule};
use crate::catalog::{HYPERVISOR_PREFIX, KATA_PREFIX};

/// What an expression with patterns may cost, of the 1,000,000.
const PATTERN_COST: usize = 400_000;
/// The most names that a message tells.
const NAMES_TOLD: usize = 40;
/// The longest path that a host can have; a longer value is not searched.
pub(super) const PATH_MAX: usize = 4096;

/// A text as CEL writes it.
pub fn quote(text: &str) -> String {
    let mut out = String::from("'");
    for c in text.chars() {
        match c {
            '\'' | '\\' => out.extend(['\\', c]),
            ' '..='~' => out.push(c),
            c if u32::from(c) > 0xffff => out.push_str(&format!("\\U{:08X}", u32::from(c))),
            c => out.push_str(&format!("\\u{:04X}", u32::from(c))),
        }
    }
    out.push('\'');
    out
}

/// A list of texts, one below the other.
pub fn list<T: AsRef<str>>(texts: &[T]) -> String {
    match texts {
        [] => "[]".to_owned(),
        texts => {
            let texts: Vec<String> = texts.iter().map(|text| format!("  {}", quote(text.as_ref()))).collect();
            format!("[\n{}\n]", texts.join(",\n"))
        }
    }
}

/// A variable with its expression.
pub type Variable = (&'static str, String);

/// Annotations and pod specification of what is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The object is the pod.
    Pod,
    /// The object makes pods.
    Template,
}

/// The pod template of an object, whatever its kind.
fn template(object: &str) -> String {
    format!(
        "{object}.kind == 'CronJob' ? {object}.spec.jobTemplate.spec.template :\n\
         {object}.kind == 'PodTemplate' ? (has({object}.template) ? {object}.template : {{}}) :\n\
         has({object}.spec.template) ? {object}.spec.template : {{}}"
    )
}

/// What a pod's or template's specification has to be for a condition to hold; `{}` stands for it.
pub fn of_specification(place: Place, object: &str, condition: &dyn Fn(&str) -> String) -> String {
    match place {
        Place::Pod => condition(&format!("{object}.spec")),
        Place::Template => {
            let inner = condition("t.spec");
            format!("[{}].exists(t, has(t.spec) && ({inner}))", template(object))
        }
    }
}

/// The variables that every rule is asked with; `before` is left out where no old object is at hand.
pub fn variables(rules: &Rules, place: Place, object: &str, ratchet: bool) -> Vec<Variable> {
    let mut all: Vec<Variable> = Vec::new();
    let annotations = |of: &str| {
        format!("has({of}.metadata) && has({of}.metadata.annotations) ? {of}.metadata.annotations : {{}}")
    };
    match place {
        Place::Pod => {
            all.push((
                "given",
                format!("has({object}.metadata.annotations) ? {object}.metadata.annotations : {{}}"),
            ));
            if ratchet {
                all.push((
                    "before",
                    "oldObject != null && has(oldObject.metadata.annotations) ? oldObject.metadata.annotations : {}"
                        .to_owned(),
                ));
            }
        }
        Place::Template => {
            all.push(("template", template(object)));
            all.push(("given", annotations("variables.template")));
            if ratchet {
                let old = format!("[{}].map(t, {})[0]", template("oldObject"), annotations("t"));
                all.push(("before", format!("oldObject == null ? {{}} :\n{old}")));
            }
        }
    }
    let family = match rules.family {
        Family::Hypervisor => format!("k.startsWith({})", quote(HYPERVISOR_PREFIX)),
        Family::Kata => format!("(k.startsWith({}) || k == {})", quote(KATA_PREFIX), quote(super::SGX_EPC)),
    };
    let fresh = if ratchet {
        format!(
            "variables.given.filter(k, {family}\n  && !(k in variables.before && variables.before[k] == \
             variables.given[k]))"
        )
    } else {
        format!("variables.given.filter(k, {family})")
    };
    all.push(("fresh", fresh));
    if !rules.judges_names() {
        return all;
    }
    if rules.others != Others::Pass {
        all.push(("allowed", list(&rules.allowed)));
    }
    all.push(("refused", list(&rules.refused)));
    let unknown = "variables.fresh.filter(k, !(k in variables.allowed) && !(k in variables.refused))";
    let searched = |patterns: &[String], wanted: bool| {
        let start = HYPERVISOR_PREFIX.len();
        let finds: Vec<String> =
            patterns.iter().map(|pattern| format!("s.matches({})", quote(pattern))).collect();
        let not = if wanted { "" } else { "!" };
        format!(
            "size(variables.unknown) > {} ? variables.unknown :\nvariables.unknown.filter(k, \
             {not}[k.substring({start})].exists(s,\n  {}))",
            most_unknown(patterns),
            finds.join("\n  || ")
        )
    };
    match &rules.others {
        Others::Pass => {}
        Others::Refused => all.push(("others", unknown.to_owned())),
        Others::PassWhere(patterns) => {
            all.push(("unknown", unknown.to_owned()));
            all.push(("others", searched(patterns, false)));
        }
        Others::RefusedWhere(patterns) => {
            all.push(("unknown", unknown.to_owned()));
            all.push(("others", searched(patterns, true)));
        }
    }
    let known = "variables.refused.filter(k, k in variables.fresh)";
    all.push(match rules.others {
        Others::Pass => ("shut", known.to_owned()),
        _ => ("shut", format!("{known} + variables.others")),
    });
    all
}

/// How many unknown names can be searched for all patterns within what a server spends on an expression. A name has
/// at most 63 characters, 36 of which are the prefix.
pub fn most_unknown(patterns: &[String]) -> usize {
    let one = |pattern: &String| 28_usize.div_ceil(10) * pattern.len().div_ceil(4) + 6;
    let each: usize = patterns.iter().map(one).sum();
    (PATTERN_COST / each.max(1)).clamp(1, 1000)
}

/// One check: what has to hold, what is said otherwise, and how that is made to fit the object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Validation {
    /// What has to hold.
    pub expression: String,
    /// What is said where the other cannot be made.
    pub message: String,
    /// What is said.
    pub message_expression: Option<String>,
}

/// The checks, names first: the user is told of the first that fails.
pub fn validations(rules: &Rules, who: &str) -> Vec<Validation> {
    let reason = match (rules.family, rules.origin.release.runtime) {
        (Family::Kata, _) => format!("not allowed on {who}"),
        (Family::Hypervisor, crate::release::Runtime::Go) => format!("not in enable_annotations of {who}"),
        (Family::Hypervisor, crate::release::Runtime::Rs) => {
            format!("in enable_annotations of {who}, but unknown to {}", rules.origin.release.title())
        }
    };
    let names = Validation {
        expression: "size(variables.shut) == 0".to_owned(),
        message: format!("a Kata annotation is {reason}"),
        message_expression: Some(format!(
            "{} +\n(size(variables.shut) <= {NAMES_TOLD} ? variables.shut.join(', ') : \
             string(size(variables.shut)) + ' annotations')",
            quote(&format!("{reason}: "))
        )),
    };
    let values = rules.values.iter().map(|rule| value(rule, who));
    std::iter::once(names).filter(|_| rules.judges_names()).chain(values).collect()
}

fn value(rule: &ValueRule, who: &str) -> Validation {
    let key = quote(rule.key);
    let equal: Vec<&String> = rule
        .entries
        .iter()
        .filter_map(|entry| match entry {
            ValuePattern::Equals(text) => Some(text),
            _ => None,
        })
        .collect();
    let mut either = Vec::new();
    if !equal.is_empty() {
        either.push(format!("v in {}", list(&equal).replace('\n', "\n  ")));
    }
    let matches = |pattern: &String| format!("v.matches({})", quote(pattern));
    either.extend(rule.entries.iter().filter_map(|entry| match entry {
        ValuePattern::Matches(pattern) => Some(matches(pattern)),
        _ => None,
    }));
    let clean: Vec<String> = rule
        .entries
        .iter()
        .filter_map(|entry| match entry {
            ValuePattern::MatchesClean(pattern) => Some(matches(pattern)),
            _ => None,
        })
        .collect();
    if !clean.is_empty() {
        // A folder lists neither `.` nor `..`, and no path that is listed has two slashes or ends in one.
        either.push(format!(
            "!v.matches({}) && (\n    {})",
            quote("/\\.{0,2}(?:/|$)"),
            clean.join("\n    || ")
        ));
    }
    let passes = match either.as_slice() {
        [] => "false".to_owned(),
        either => format!("size(v) <= {PATH_MAX} && (\n  {})", either.join("\n  || ")),
    };
    let message = format!("{} of {who} does not list the value of {}", rule.list, rule.key);
    Validation {
        expression: format!("!({key} in variables.fresh) || [variables.given[{key}]].all(v, {passes})"),
        message,
        message_expression: None,
    }
}
