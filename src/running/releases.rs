//! Which runtime and which releases print a line: what each argument, and each absence, leaves over.
//!
//! Facts: the spans of `catalog::lines`. What contradicts the rest is set aside and said, since builds are patched.

use super::{Argument, Missing, Program, RUNTIMES};
use crate::catalog::lines::{self, Lack, Spans, TAGS, like};
use crate::release::Runtime;

/// One thing that tells a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// What was seen, or was not.
    pub seen: String,
    /// The tags of the Go runtime that do it.
    pub go: Option<Spans>,
    /// Those of runtime-rs.
    pub rs: Option<Spans>,
    /// It comes from the shipped configuration.
    pub shipped: bool,
}

impl Evidence {
    fn of(&self, runtime: Runtime) -> Option<Spans> {
        match runtime {
            Runtime::Go => self.go,
            Runtime::Rs => self.rs,
        }
    }
}

/// What is left over.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Narrowed {
    /// The runtime; none where both print such a line.
    pub runtime: Option<Runtime>,
    /// The tags, as spans; empty where nothing tells.
    pub tags: Vec<(usize, usize)>,
    /// Those whose shipped configuration fits, too, where that leaves fewer.
    pub as_shipped: Vec<(usize, usize)>,
    /// What the first of them rests on.
    pub since: Vec<String>,
    /// What the last of them rests on.
    pub until: Vec<String>,
    /// What fits none of them.
    pub against: Vec<String>,
}

/// What the arguments of a process tell.
pub fn evidence(program: Program, arguments: &[Argument], missing: Missing) -> Vec<Evidence> {
    let mut found = Vec::new();
    for argument in arguments {
        let shown = |text: &str| format!("{} {text}", argument.option);
        for row in &argument.rows {
            let seen = if argument.kind().is_empty() {
                argument.option.clone()
            } else {
                shown(short(argument.kind()))
            };
            push(&mut found, seen, row.tags(Runtime::Go), row.tags(Runtime::Rs), row.shipped);
        }
        for part in &argument.parts {
            for row in &part.rows {
                let seen = if argument.option == "-append" {
                    shown(short(&part.text))
                } else {
                    format!("{} {}", shown(short(argument.kind())), short(&part.text))
                };
                push(&mut found, seen, row.tags(Runtime::Go), row.tags(Runtime::Rs), row.shipped);
            }
        }
    }
    // What an argument lacks in itself tells something even where others are left out.
    let told = |lack: &&Lack| (!missing.middle || lack.part.is_some()) && holds(lack, arguments, missing);
    for lack in lines::lacks(program.as_str()).filter(told) {
        push(&mut found, lack.says.to_owned(), lack.tags(Runtime::Go), lack.tags(Runtime::Rs), lack.shipped);
    }
    found
}

/// What the path of a program tells: kata-deploy keeps the shims of runtime-rs in a folder of their own, and Go's beside
/// the hypervisors.
pub fn of_path(program: Program, path: Option<&str>) -> Option<Evidence> {
    static EVERY: [(usize, usize); 1] = [(0, TAGS.len().saturating_sub(1))];
    const NONE: Spans = &[];
    let path = path.filter(|_| program == Program::Shim)?;
    let (seen, go, rs) = if path.contains("/runtime-rs/") {
        ("the shim in the folder runtime-rs", NONE, &EVERY[..])
    } else if path.starts_with("/opt/kata/bin/") {
        ("the shim in /opt/kata/bin", &EVERY[..], NONE)
    } else {
        return None;
    };
    Some(Evidence { seen: seen.to_owned(), go: Some(go), rs: Some(rs), shipped: false })
}

fn push(found: &mut Vec<Evidence>, seen: String, go: Option<Spans>, rs: Option<Spans>, shipped: bool) {
    let evidence = Evidence { seen, go, rs, shipped };
    if (go.is_some() || rs.is_some()) && !found.contains(&evidence) {
        found.push(evidence);
    }
}

/// A text as far as it is worth repeating.
fn short(text: &str) -> &str {
    text.char_indices().nth(48).map_or(text, |(end, _)| text.get(..end).unwrap_or(text))
}

/// Whether what a row speaks of is absent, and would be here.
fn holds(lack: &Lack, arguments: &[Argument], missing: Missing) -> bool {
    let is = |argument: &Argument, option: &str, kind: &str| {
        argument.option == option && like(kind, argument.kind())
    };
    let there = |wanted: &str| {
        let (option, rest) = wanted.split_once(' ').unwrap_or((wanted, "*"));
        arguments.iter().any(|argument| match rest.strip_prefix(',') {
            Some(name) => argument.option == option && argument.part(name).is_some(),
            None => is(argument, option, rest),
        })
    };
    if !lack.within.is_none_or(there) || !lack.after.is_none_or(there) {
        return false;
    }
    if let Some(machines) = lack.machine {
        let machine = arguments.iter().find(|argument| argument.option == "-machine");
        if !machine.is_some_and(|m| machines.split(' ').any(|pattern| like(pattern, m.kind()))) {
            return false;
        }
    }
    let mut own = arguments.iter().filter(|argument| is(argument, lack.option, lack.kind.unwrap_or("*")));
    match (lack.part, lack.property) {
        // The last argument may have been cut.
        (Some(part), _) => {
            let last = arguments.last().filter(|_| missing.end);
            let whole =
                |a: &Argument| last != Some(a) && a.value.as_deref().is_some_and(|v| !v.contains("..."));
            own.any(|argument| argument.part(part).is_none() && whole(argument))
        }
        (None, Some(name)) => own.all(|argument| argument.part(name).is_none()),
        (None, None) => own.next().is_none(),
    }
}

fn set(spans: &[(usize, usize)]) -> Vec<bool> {
    (0..TAGS.len()).map(|at| spans.iter().any(|(a, b)| (*a..=*b).contains(&at))).collect()
}

/// The spans of the tags in a set, by neighbours.
fn spans(set: &[bool]) -> Vec<(usize, usize)> {
    let mut found: Vec<(usize, usize)> = Vec::new();
    for at in set.iter().enumerate().filter(|(_, there)| **there).map(|(at, _)| at) {
        match found.last_mut() {
            Some((_, last)) if *last + 1 == at => *last = at,
            _ => found.push((at, at)),
        }
    }
    found
}

fn all_of(runtime: Runtime) -> Vec<bool> {
    let first = TAGS.iter().position(|tag| tag.starts_with("3.0.0")).unwrap_or_default();
    (0..TAGS.len()).map(|at| runtime == Runtime::Go || at >= first).collect()
}

/// What is left of a runtime's tags, and what did not fit.
fn left(evidence: &[&Evidence], runtime: Runtime) -> (Vec<bool>, Vec<String>) {
    let mut tags = all_of(runtime);
    let mut against = Vec::new();
    for one in evidence {
        let Some(own) = one.of(runtime) else { continue };
        let both: Vec<bool> = tags.iter().zip(set(own)).map(|(a, b)| *a && b).collect();
        if both.contains(&true) { tags = both } else { against.push(one.seen.clone()) }
    }
    (tags, against)
}

/// Narrows the releases down.
pub fn narrow(evidence: &[Evidence]) -> Narrowed {
    let certain: Vec<&Evidence> = evidence.iter().filter(|one| !one.shipped).collect();
    let [go, rs] = RUNTIMES.map(|runtime| left(&certain, runtime));
    let only = |tags: Option<Spans>| tags.is_some_and(<[_]>::is_empty);
    let told = certain.iter().any(|one| only(one.go) || only(one.rs));
    let runtime = match (go.1.len(), rs.1.len()) {
        _ if certain.is_empty() => None,
        (a, b) if a < b => Some(Runtime::Go),
        (a, b) if b < a => Some(Runtime::Rs),
        _ => None,
    };
    let Some(runtime) = runtime.filter(|_| told || go.1.len() != rs.1.len()) else {
        return Narrowed::default();
    };
    let (tags, against) = if runtime == Runtime::Go { go } else { rs };
    let shipped: Vec<&Evidence> =
        certain.iter().copied().chain(evidence.iter().filter(|one| one.shipped)).collect();
    let (as_shipped, _) = left(&shipped, runtime);
    let bounds = (tags.iter().position(|there| *there), tags.iter().rposition(|there| *there));
    let mut narrowed = Narrowed { runtime: Some(runtime), against, ..Narrowed::default() };
    if let (Some(first), Some(last)) = bounds {
        let own = |one: &Evidence| {
            one.of(runtime).filter(|own| !own.is_empty() && !against_of(&narrowed.against, one))
        };
        // The first tag, and the last, that each leaves over by itself.
        let begins = |one: &Evidence| {
            own(one).and_then(|own| own.iter().map(|(a, _)| *a).filter(|a| *a <= first).max())
        };
        let ends = |one: &Evidence| {
            own(one).and_then(|own| own.iter().map(|(_, b)| *b).filter(|b| *b >= last).min())
        };
        let latest = certain.iter().filter_map(|one| begins(one)).max().filter(|at| *at > 0);
        let earliest = certain.iter().filter_map(|one| ends(one)).min().filter(|at| *at + 1 < TAGS.len());
        let seen = |found: Vec<&Evidence>| {
            let mut words: Vec<String> = found.into_iter().map(|one| one.seen.clone()).collect();
            words.dedup();
            words.truncate(3);
            words
        };
        let since = certain.iter().copied().filter(|one| latest.is_some() && begins(one) == latest).collect();
        let until =
            certain.iter().copied().filter(|one| earliest.is_some() && ends(one) == earliest).collect();
        (narrowed.since, narrowed.until) = (seen(since), seen(until));
    }
    if as_shipped != tags {
        narrowed.as_shipped = spans(&as_shipped);
    }
    narrowed.tags = spans(&tags);
    narrowed
}

fn against_of(against: &[String], one: &Evidence) -> bool {
    against.contains(&one.seen)
}

/// Whether a tag is of a release and not of an alpha or candidate.
fn is_release(at: usize) -> bool {
    TAGS.get(at).is_some_and(|tag| !tag.contains('-'))
}

/// The releases of spans in words: `2.3.0 to 2.4.3`, `3.0.2, 3.1.0 to 3.13.0`, `2.2.0-alpha1`.
pub fn words(spans: &[(usize, usize)]) -> String {
    let released: Vec<usize> = (0..TAGS.len()).filter(|at| is_release(*at)).collect();
    let inside = |at: &usize| spans.iter().any(|(a, b)| (*a..=*b).contains(at));
    let range = |a: usize, b: usize| {
        let name = |at: usize| TAGS.get(at).copied().unwrap_or_default();
        if a == b { name(a).to_owned() } else { format!("{} to {}", name(a), name(b)) }
    };
    let own: Vec<usize> = released.iter().copied().filter(inside).collect();
    let mut runs: Vec<(usize, usize)> = Vec::new();
    if own.is_empty() {
        runs.extend(spans.iter().copied());
    } else {
        for at in own {
            // Neighbours among the releases are one run, whatever alphas lie between.
            let before = released.iter().rposition(|other| *other < at).and_then(|i| released.get(i));
            match runs.last_mut() {
                Some((_, last)) if before == Some(last) => *last = at,
                _ => runs.push((at, at)),
            }
        }
    }
    runs.into_iter().map(|(a, b)| range(a, b)).collect::<Vec<_>>().join(", ")
}

/// What both leave over; empty where nothing is in both.
pub fn both(a: &[(usize, usize)], b: &[(usize, usize)]) -> Vec<(usize, usize)> {
    spans(&set(a).into_iter().zip(set(b)).map(|(a, b)| a && b).collect::<Vec<_>>())
}

/// Whether a tag's span lies in the spans at least in part.
pub fn meets(a: &[(usize, usize)], b: &[(usize, usize)]) -> bool {
    !both(a, b).is_empty()
}
