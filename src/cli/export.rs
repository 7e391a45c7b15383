//! `katascope policy export`: the host's policy for a cluster, written for a target, and whether such a file is
//! stale.

use std::io::{self, Write};
use std::path::Path;

use super::args::{ActionChoice, ExportArgs, Input, ModeChoice, Target};
use super::error::{SetupError, plain};
use super::open::{self, Opened};
use super::setup;
use super::{CliError, Exit};
use crate::edit::output::{self, Existing};
use crate::export::{self, Action, Exported, Mode, Recorded, Rules, Subject, Wanted};
use crate::report::escape::visible;

impl Target {
    fn meant(self) -> export::Target {
        match self {
            Self::Vap => export::Target::Vap,
            Self::Kyverno => export::Target::Kyverno,
            Self::Gatekeeper => export::Target::Gatekeeper,
            Self::Containerd => export::Target::Containerd,
            Self::Helm => export::Target::Helm,
            Self::Machineconfig => export::Target::MachineConfig,
        }
    }
}

impl ExportArgs {
    fn input(&self) -> Input {
        Input {
            handler: self.handler.clone(),
            container_runtime: self.container_runtime.clone(),
            ..self.input.input()
        }
    }

    fn mode(&self) -> Mode {
        match self.mode {
            ModeChoice::AsHost => Mode::AsHost,
            ModeChoice::NothingLost => Mode::NothingLost,
            ModeChoice::Closed => Mode::Closed,
        }
    }

    fn wanted(&self) -> Wanted {
        let both = !self.pods && !self.templates;
        Wanted {
            pods: self.pods || both,
            templates: self.templates || both,
            action: match self.action {
                ActionChoice::Deny => Action::Deny,
                ActionChoice::Warn => Action::Warn,
                ActionChoice::Audit => Action::Audit,
            },
            exempt: self.exempt.iter().filter(|name| !name.is_empty()).cloned().collect(),
            classes: self.classes.clone(),
            early_containerd: self
                .container_runtime
                .containerd
                .as_deref()
                .is_some_and(|version| version.starts_with("1.")),
        }
    }
}

pub(super) fn run(args: &ExportArgs) -> Result<Exit, CliError> {
    let opened = open::open(&args.input())?;
    if let Some(file) = &args.check {
        return check(args, &opened, file);
    }
    let all = all(args, &opened, args.mode())?;
    let wanted = args.wanted();
    let target = args.to.map_or(export::Target::Vap, Target::meant);
    let Exported { text, inexact } =
        export::export(target, &all, &wanted).map_err(|why| SetupError::Usage(why.to_string()))?;
    let mut stderr = io::stderr().lock();
    for sentence in &inexact {
        writeln!(stderr, "katascope: not said as the host does it: {}", visible(sentence))?;
    }
    match &args.output {
        Some(path) if path != Path::new("-") => {
            output::put(path, &text, Existing::Replace).map_err(|error| SetupError::Unreadable {
                path: path.display().to_string(),
                reason: plain(&error),
            })?
        }
        _ => io::stdout().lock().write_all(text.as_bytes())?,
    }
    Ok(Exit::Clean)
}

/// The rules of the handler that was named, or of every Kata handler of the node.
fn all(args: &ExportArgs, opened: &Opened, mode: Mode) -> Result<Vec<Rules>, SetupError> {
    let subjects = subjects(args, opened);
    if subjects.is_empty() {
        return Err(open::which_one(&opened.node, args.handler.as_deref()));
    }
    let several = subjects.len() > 1;
    let mut all = Vec::new();
    for subject in &subjects {
        match setup::active(subject.evaluator) {
            Ok(hypervisor) => all.push(export::rules(subject, &hypervisor, mode)),
            // Of several handlers one may have no file that can be read: its pods do not start anyway.
            Err(why) if several => {
                let name = subject.handler.as_deref().unwrap_or_default();
                let _ = writeln!(
                    io::stderr(),
                    "katascope: {} is left out: {}",
                    visible(name),
                    visible(&why.to_string())
                );
            }
            Err(why) => return Err(why),
        }
    }
    match all.is_empty() {
        true => {
            Err(SetupError::Usage("no Kata handler of this node has a configuration that can be read".into()))
        }
        false => Ok(all),
    }
}

fn subjects<'n>(args: &ExportArgs, opened: &'n Opened) -> Vec<Subject<'n>> {
    opened
        .node
        .policies()
        .map(|(handler, evaluator)| Subject {
            handler: handler.map(|h| h.name.clone()).or_else(|| args.handler.clone()),
            default: handler.is_some_and(|h| h.default),
            evaluator,
        })
        .filter(|subject| args.handler.is_none() || subject.handler == args.handler)
        .collect()
}

/// Whether the policy that a file was made from is still the host's.
fn check(args: &ExportArgs, opened: &Opened, file: &Path) -> Result<Exit, CliError> {
    let recorded = export::recorded(&setup::read_source(file)?.text);
    let mode = recorded.first().and_then(|first| Mode::parse(&first.mode));
    let Some(mode) = mode else {
        return Err(SetupError::Usage(format!(
            "{}: does not say what it was made from; policy export --to writes that at its head",
            file.display()
        ))
        .into());
    };
    let now = all(args, opened, mode)?;
    let mut stale = false;
    let mut out = io::stdout().lock();
    let mut say = |handler: Option<&str>, is_stale: bool, text: &str| {
        stale |= is_stale;
        let mark = if is_stale { "stale" } else { "current" };
        writeln!(out, "{mark}  {}: {text}", visible(handler.unwrap_or("every pod")))
    };
    for recorded in &recorded {
        let handler = recorded.handler.as_deref();
        match now.iter().find(|rules| rules.origin.handler == recorded.handler) {
            None => say(handler, true, "no such handler here")?,
            Some(rules) => {
                let (is_stale, text) = compared(recorded, rules);
                say(handler, is_stale, &text)?;
            }
        }
    }
    let is_new = |rules: &&Rules| !recorded.iter().any(|recorded| recorded.handler == rules.origin.handler);
    for rules in now.iter().filter(is_new) {
        say(rules.origin.handler.as_deref(), true, "not in the file")?;
    }
    Ok(if stale { Exit::Found } else { Exit::Clean })
}

fn compared(recorded: &Recorded, rules: &Rules) -> (bool, String) {
    let files = rules.origin.files.join(", ");
    let same_files = recorded.config_digest == rules.origin.digest;
    let release = rules.origin.release_word();
    if recorded.policy_digest == rules.digest() {
        let text = if same_files { "is as it was" } else { "has changed, and its policy has not" };
        return (false, format!("{files} {text}"));
    }
    let mut why = Vec::new();
    if recorded.release != release {
        why.push(format!("made for {}, and it is {release}", visible(&recorded.release)));
    }
    if !same_files {
        why.push(format!("{files} has changed"));
    }
    if why.is_empty() {
        why.push("this katascope makes another policy of the same files".to_owned());
    }
    (true, why.join("; "))
}
