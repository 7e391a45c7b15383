//! What runs beside what is predicted, argument by argument.
//!
//! Decides which arguments mean the same: tokens of the prediction (`{uuid}`, `{fd}`, ...) stand for whatever was made
//! at the start; what a text cut or left out is unknown; for the rest it says what probably made the difference.

use crate::answer::launch::{Arg, Cause, Launch};
use crate::catalog::lines::TAGS;
use crate::release::Release;
use crate::running::split::{self, Given};
use crate::running::{Argument, Process, Program, Running, Vm, argument, releases};

/// What became of one argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The same.
    Equal,
    /// The same but for what is made at the start.
    Made,
    /// Another value.
    Different,
    /// Predicted, and not there.
    OnlyPredicted,
    /// There, and not predicted.
    OnlyRunning,
    /// The text does not have it, which tells nothing.
    Unknown,
}

impl Verdict {
    /// The word of reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "equal",
            Self::Made => "made-at-start",
            Self::Different => "different",
            Self::OnlyPredicted => "only-predicted",
            Self::OnlyRunning => "only-running",
            Self::Unknown => "unknown",
        }
    }

    /// Whether prediction and VM differ.
    pub fn differs(self) -> bool {
        matches!(self, Self::Different | Self::OnlyPredicted | Self::OnlyRunning)
    }
}

/// One argument, or one part of a document, on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// Of which program or document.
    pub of: String,
    /// What became of it.
    pub verdict: Verdict,
    /// As predicted.
    pub predicted: Option<String>,
    /// As it runs.
    pub running: Option<String>,
    /// What decided the prediction.
    pub cause: Cause,
    /// What probably made the difference.
    pub probably: Option<String>,
}

/// An option with its value on one side.
struct Unit {
    option: String,
    value: Option<String>,
    cause: Cause,
    used: bool,
}

impl Unit {
    fn text(&self) -> String {
        match &self.value {
            Some(value) if self.option.starts_with("--") && !value.is_empty() => {
                format!("{} {value}", self.option)
            }
            Some(value) => format!("{} {value}", self.option),
            None => self.option.clone(),
        }
    }

    fn value(&self) -> &str {
        self.value.as_deref().unwrap_or_default()
    }

    /// What makes it the same thing with another value: option, kind, and a name that is not made at the start.
    fn same_thing(&self, other: &Self) -> bool {
        let repeats = [
            "-device",
            "-object",
            "-chardev",
            "-netdev",
            "-drive",
            "-blockdev",
            "-numa",
            "-fsdev",
            "-qmp",
            "-o",
        ];
        let kind = |unit: &Self| unit.value().split([',', '=']).next().unwrap_or_default().to_owned();
        let id =
            |unit: &Self| unit.value().split(',').find(|part| part.starts_with("id=")).map(str::to_owned);
        self.option == other.option
            && (!repeats.contains(&self.option.as_str())
                || kind(self) == kind(other)
                    && match (id(self), id(other)) {
                        (Some(a), Some(b)) => is_filled(&a, &b),
                        _ => true,
                    })
    }
}

/// Whether a text is a prediction with its tokens filled in.
pub fn is_filled(predicted: &str, running: &str) -> bool {
    let mut rest = running;
    let mut open = false;
    let mut pieces = predicted;
    loop {
        let (literal, after) = match token(pieces) {
            Some((before, after)) => (before, Some(after)),
            None => (pieces, None),
        };
        let at = if open && after.is_none() && !literal.is_empty() {
            rest.len().checked_sub(literal.len()).filter(|_| rest.ends_with(literal))
        } else if open {
            rest.find(literal)
        } else {
            rest.starts_with(literal).then_some(0)
        };
        let Some(at) = at else { return false };
        // A token stands for one word.
        let filled = rest.get(..at).unwrap_or_default();
        if open && (filled.is_empty() && !literal.is_empty() || filled.contains([',', ' '])) {
            return false;
        }
        rest = rest.get(at + literal.len()..).unwrap_or_default();
        match after {
            Some(after) => {
                pieces = after;
                open = true;
            }
            None => return rest.is_empty() || (open && literal.is_empty() && !rest.contains([',', ' '])),
        }
    }
}

/// The text before the first token, and after it.
fn token(text: &str) -> Option<(&str, &str)> {
    const TOKENS: [&str; 13] = [
        "{uuid}",
        "{cid}",
        "{fd}",
        "{nonce}",
        "{mac}",
        "{netns}",
        "{uid}",
        "{sandbox-id}",
        "{image-size}",
        "{bdf}",
        "{id}",
        "{vendor}",
        "{device}",
    ];
    let first = TOKENS.iter().filter_map(|token| Some((text.find(token)?, token.len()))).min()?;
    Some((text.get(..first.0)?, text.get(first.0 + first.1..)?))
}

/// The predicted options of a program, each with what decided it.
fn predicted(program: &str, args: &[Arg]) -> Vec<Unit> {
    let argv = std::iter::once(program.to_owned()).chain(args.iter().map(|arg| arg.text.clone())).collect();
    let mut left = args.iter();
    let unit = |given: Given| {
        let cause = left.next().map(|arg| (arg.text.as_str(), arg.cause.clone())).unwrap_or_default();
        if cause.0 == given.option && given.value.is_some() {
            left.next();
        }
        Unit { option: given.option, value: given.value, cause: cause.1, used: false }
    };
    split::of_argv(argv).map(|split| split.arguments.into_iter().map(unit).collect()).unwrap_or_default()
}

/// What the jailer hands to the VMM, which takes its place: the id, and what follows `--`.
fn handed_on(units: Vec<Unit>) -> Vec<Unit> {
    let mut own = false;
    let mut handed = |unit: &Unit| {
        let keep = own || unit.option == "--id";
        own |= unit.option == "--";
        keep
    };
    units.into_iter().filter(|unit| handed(unit)).collect()
}

fn running(arguments: &[Argument]) -> Vec<Unit> {
    let unit = |a: &Argument| Unit {
        option: a.option.clone(),
        value: a.value.clone(),
        cause: Cause::default(),
        used: false,
    };
    arguments.iter().map(unit).collect()
}

/// Compares a launch with the processes of a VM.
pub fn processes(launch: &Launch, release: Release, vm: &Vm, all: &Running) -> Vec<Compared> {
    let mut rows = Vec::new();
    let main = launch.program.iter().map(|program| (&program.text, &launch.args));
    let helpers = launch.helpers.iter().map(|helper| (&helper.program.text, &helper.args));
    for (path, args) in main.chain(helpers) {
        let program = Program::of_path(path).unwrap_or(Program::Other);
        let same = |process: &&Process| {
            process.program == program
                || program == Program::Jailer && process.program == Program::Firecracker
        };
        let Some(process) = all.of(vm).find(same) else {
            let vmm = all.of(vm).find(|process| process.program.is_vmm());
            if let Some(vmm) = vmm.filter(|_| program.is_vmm() || program == Program::Jailer) {
                let own = vmm.path.clone().unwrap_or_else(|| vmm.program.as_str().to_owned());
                let probably =
                    Some("the VM was started with another hypervisor: another handler or file".to_owned());
                let of = vmm.program.as_str();
                rows.push(row(
                    of,
                    Verdict::Different,
                    Some(path.clone()),
                    Some(own),
                    Cause::default(),
                    probably,
                ));
                continue;
            }
            let probably = Some("its process is not in the text".to_owned());
            rows.push(row(path, Verdict::Unknown, Some(path.clone()), None, Cause::default(), probably));
            continue;
        };
        let of = process.program.as_str();
        if let Some(own) = &process.path {
            let key = if program.is_vmm() { "path" } else { "virtio_fs_daemon" };
            let table = vm.vmm.and_then(Program::table).unwrap_or("qemu");
            let cause = Cause::key(format!("hypervisor.{table}.{key}"));
            let same = own == path || process.program != program;
            let verdict = if same { Verdict::Equal } else { Verdict::Different };
            let probably = (!same).then(|| "another file or binary".to_owned());
            rows.push(row(of, verdict, Some(path.clone()), Some(own.clone()), cause, probably));
        }
        let mut units = predicted(path, args);
        let jailed = process.program != program;
        if jailed {
            units = handed_on(units);
        }
        let before = rows.len();
        compare(of, units, process, (release, vm), &mut rows);
        if jailed {
            // The jailer adds when it started.
            let added = |row: &Compared| {
                let option = row.running.as_deref().and_then(|text| text.split(' ').next());
                process.arguments.iter().any(|own| own.made && Some(own.option.as_str()) == option)
            };
            for row in rows.iter_mut().skip(before).filter(|row| row.verdict == Verdict::OnlyRunning) {
                if added(row) {
                    (row.verdict, row.probably) = (Verdict::Made, None);
                }
            }
        }
    }
    rows
}

pub(super) fn row(
    of: &str,
    verdict: Verdict,
    predicted: Option<String>,
    running: Option<String>,
    cause: Cause,
    probably: Option<String>,
) -> Compared {
    Compared { of: of.to_owned(), verdict, predicted, running, cause, probably }
}

fn compare(
    of: &str,
    mut old: Vec<Unit>,
    process: &Process,
    judged: (Release, &Vm),
    rows: &mut Vec<Compared>,
) {
    let mut new = running(&process.arguments);
    let mut found: Vec<(usize, Compared)> = Vec::new();
    // The same, wherever on the line it stands.
    for unit in &mut old {
        let equal = |other: &&mut Unit| {
            !other.used && other.option == unit.option && is_filled(unit.value(), other.value())
        };
        if let Some((at, other)) = new.iter_mut().enumerate().find(|(_, other)| equal(other)) {
            (unit.used, other.used) = (true, true);
            let verdict = if unit.value() == other.value() { Verdict::Equal } else { Verdict::Made };
            found.push((
                at,
                row(of, verdict, Some(unit.text()), Some(other.text()), unit.cause.clone(), None),
            ));
        }
    }
    let mut rest = Vec::new();
    for unit in old.iter().filter(|unit| !unit.used) {
        let partner = new.iter_mut().enumerate().find(|(_, other)| !other.used && unit.same_thing(other));
        match partner {
            Some((at, other)) => {
                other.used = true;
                let argument = process.arguments.get(at);
                let verdict = if unit.option == "-append" {
                    parameters(of, unit, other, &mut rest);
                    None
                } else {
                    Some(Verdict::Different)
                };
                if let Some(verdict) = verdict {
                    let hidden = other.value().contains("...");
                    let cut = process.missing.end && at + 1 == process.arguments.len();
                    let verdict = if hidden || cut { Verdict::Unknown } else { verdict };
                    let probably = Some(why(argument, &unit.cause, judged));
                    found.push((
                        at,
                        row(of, verdict, Some(unit.text()), Some(other.text()), unit.cause.clone(), probably),
                    ));
                }
            }
            None if process.missing.any() => {
                rest.push(row(
                    of,
                    Verdict::Unknown,
                    Some(unit.text()),
                    None,
                    unit.cause.clone(),
                    Some("not in the text".to_owned()),
                ));
            }
            None => {
                let probably = Some(why(None, &unit.cause, judged));
                rest.push(row(
                    of,
                    Verdict::OnlyPredicted,
                    Some(unit.text()),
                    None,
                    unit.cause.clone(),
                    probably,
                ));
            }
        }
    }
    for (at, unit) in new.iter().enumerate().filter(|(_, unit)| !unit.used) {
        let probably = Some(why(process.arguments.get(at), &Cause::default(), judged));
        found.push((at, row(of, Verdict::OnlyRunning, None, Some(unit.text()), Cause::default(), probably)));
    }
    found.sort_by_key(|(at, _)| *at);
    rows.extend(found.into_iter().map(|(_, row)| row));
    rows.append(&mut rest);
}

/// The guest's parameters, one by one.
fn parameters(of: &str, old: &Unit, new: &Unit, rows: &mut Vec<Compared>) {
    let mut left = argument::words(new.value());
    let name = |word: &str| word.split('=').next().unwrap_or(word).to_owned();
    let of = format!("{of}, guest kernel");
    let mut removed = Vec::new();
    for word in argument::words(old.value()) {
        match left.iter().position(|other| is_filled(&word, other)) {
            Some(at) => drop(left.remove(at)),
            None => removed.push(word),
        }
    }
    for word in removed {
        let changed = left.iter().position(|other| name(other) == name(&word)).map(|at| left.remove(at));
        let verdict = if changed.is_some() { Verdict::Different } else { Verdict::OnlyPredicted };
        let probably = Some(EARLIER.to_owned());
        rows.push(row(&of, verdict, Some(word), changed, old.cause.clone(), probably));
    }
    for word in left.into_iter().filter(|word| !word.contains("...")) {
        let probably =
            Some("kernel_params of the file or the annotation were others when the VM started".to_owned());
        rows.push(row(&of, Verdict::OnlyRunning, None, Some(word), Cause::default(), probably));
    }
}

pub(super) const EARLIER: &str = "what decides it was another when the VM started: the file or a drop-in changed since, another file \
                       was read, or the pod had other annotations or limits";

/// What probably made a difference.
fn why(argument: Option<&Argument>, cause: &Cause, (release, vm): (Release, &Vm)) -> String {
    if argument.is_some_and(|a| !a.is_known() || a.parts.iter().any(|part| part.says.is_empty())) {
        return "no release of Kata prints this: a patched runtime, a wrapper or a hand edit".to_owned();
    }
    let tag = release.version.to_string();
    let at = TAGS.iter().position(|known| *known == tag);
    let rows = argument.iter().flat_map(|a| a.rows.iter().chain(a.parts.iter().flat_map(|part| &part.rows)));
    let other = rows
        .filter_map(|row| row.tags(release.runtime))
        .find(|spans| at.is_some_and(|at| !spans.iter().any(|(a, b)| (*a..=*b).contains(&at))));
    if let Some(spans) = other {
        let words = releases::words(spans);
        return match words.as_str() {
            "" => "the other runtime prints this".to_owned(),
            _ => format!("another release prints this: {words}"),
        };
    }
    if vm.narrowed.runtime.is_some_and(|runtime| runtime != release.runtime) {
        return "the VM was started by the other runtime".to_owned();
    }
    if cause.keys.is_empty()
        && argument.is_none_or(|a| a.sets.is_none() && a.parts.iter().all(|p| p.sets.is_none()))
    {
        return "another release, another host, or a patched runtime".to_owned();
    }
    EARLIER.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_stand_for_one_word() {
        assert!(is_filled("vsock-{cid},guest-cid={cid}", "vsock-7,guest-cid=7"));
        assert!(is_filled("{uuid}", "11111111-2222-4333-8444-555555555555"));
        assert!(is_filled("plain", "plain") && !is_filled("plain", "plainer"));
        assert!(!is_filled("id={nonce}", "id=a,b=c") && !is_filled("fds={fd}", "vhostfds=3"));
        assert!(is_filled("--netns {netns} -x", "--netns /var/run/netns/cni-1 -x"));
    }
}
