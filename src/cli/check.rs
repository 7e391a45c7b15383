//! `katascope check`: every pod, outcome and findings.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};
use std::sync::{Mutex, PoisonError};

use super::args::{CheckArgs, CheckFormat, FailOn};
use super::open::Opened;
use super::progress::Progress;
use super::setup::SetupError;
use super::{CliError, Exit, nodes, open, paint, pods, setup};
use crate::answer::finding::Severity;
use crate::cri::Engine;
use crate::evaluate::Evaluation;
use crate::evaluate::node::NodeEvaluator;
use crate::input::manifest::Pod;
use crate::report::escape::visible;
use crate::report::grouped::{self, Groups, Share};
use crate::report::junit::Junit;
use crate::report::text::{self, Tally};
use crate::report::{github, json, junit, sarif};
use crate::runtime::Depth;

/// So many pods are told of one by one.
const FEW: usize = 20;

pub(super) fn run(args: &CheckArgs) -> Result<Exit, CliError> {
    if let Some(exit) = nodes::check(args)? {
        return Ok(exit);
    }
    let format = if args.json { CheckFormat::Json } else { args.output };
    let opened = match format {
        // Of a file that is not there one line says more than a line for each pod; reports for machines are whole.
        CheckFormat::Text => open::open_readable(&args.input)?,
        CheckFormat::Json | CheckFormat::Sarif | CheckFormat::Junit | CheckFormat::Github => {
            open::open(&args.input)?
        }
    };
    let node = &opened.node;
    if args.input.manifests.is_empty() && !opened.sample {
        return configurations(args, &opened);
    }
    let depth = if args.full && format == CheckFormat::Json { Depth::Full } else { Depth::Verdicts };
    let least = match args.fail_on {
        FailOn::Refused => Severity::Refused,
        FailOn::Ignored => Severity::Ignored,
        FailOn::Warning => Severity::Warning,
    };
    let asked = Asked { node, classes: Mutex::default() };
    let mut tally = Tally::default();
    let mut progress = Progress::begin(args.quiet);
    let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    match format {
        _ if args.quiet => {
            let work = |pod: Pod| Tally::of(&asked.evaluate(&pod, depth));
            pods::each_worked(&args.input, work, |counted| {
                progress.pod();
                tally.join(counted);
                Ok(())
            })?;
        }
        CheckFormat::Json => {
            let mut writer = json::Writer::open(&mut out, node, opened.collection.as_deref())?;
            let work = |pod: Pod| {
                let evaluation = asked.evaluate(&pod, depth);
                (Tally::of(&evaluation), json::pod(&pod, &evaluation, node.policy_of(&evaluation), args.full))
            };
            pods::each_worked(&args.input, work, |(counted, report)| {
                progress.pod();
                tally.join(counted);
                Ok(writer.pod(&report?)?)
            })?;
            writer.close()?;
        }
        CheckFormat::Sarif => {
            let mut writer = sarif::Writer::open(&mut out)?;
            let work = |pod: Pod| {
                let evaluation = asked.evaluate(&pod, depth);
                (Tally::of(&evaluation), sarif::pod(&pod, &evaluation))
            };
            pods::each_worked(&args.input, work, |(counted, results)| {
                progress.pod();
                tally.join(counted);
                Ok(writer.pod(&results)?)
            })?;
            writer.close()?;
        }
        CheckFormat::Junit => {
            let mut all = Junit::default();
            let work = |pod: Pod| {
                let evaluation = asked.evaluate(&pod, depth);
                (Tally::of(&evaluation), junit::pod(&pod, &evaluation, least))
            };
            pods::each_worked(&args.input, work, |(counted, case)| {
                progress.pod();
                tally.join(counted);
                Ok(all.add(&case)?)
            })?;
            all.write(&mut out)?;
        }
        CheckFormat::Github => {
            let work = |pod: Pod| {
                let evaluation = asked.evaluate(&pod, depth);
                (Tally::of(&evaluation), github::pod(&pod, &evaluation))
            };
            pods::each_worked(&args.input, work, |(counted, lines)| {
                progress.pod();
                tally.join(counted);
                Ok(out.write_all(lines.as_bytes())?)
            })?;
        }
        CheckFormat::Text => {
            let paint = paint(args.color);
            let work = |pod: Pod| {
                let evaluation = asked.evaluate(&pod, depth);
                let besides = text::assumed_besides(&evaluation, node.assumed(), paint);
                let report = text::pod(&pod, &evaluation, paint) + &besides.unwrap_or_default();
                (Tally::of(&evaluation), report, Share::of(&pod, &evaluation))
            };
            // Nothing is said where the pods cannot be read.
            let mut head = Some(grouped::head(node));
            // Of few pods each is told; of many what they have in common.
            let (mut few, mut groups) = (Vec::new(), Groups::default());
            pods::each_worked(&args.input, work, |(counted, report, share)| {
                progress.pod();
                tally.join(counted);
                if args.all {
                    if let Some(head) = head.take() {
                        writeln!(out, "{head}")?;
                    }
                    return Ok(writeln!(out, "{report}")?);
                }
                groups.add(share);
                if tally.pods <= FEW {
                    few.push(report);
                }
                Ok(())
            })?;
            if let Some(head) = head.take() {
                writeln!(out, "{head}")?;
            }
            if tally.pods > FEW && !args.all {
                write!(out, "{}", groups.text(paint))?;
                writeln!(out)?;
            } else {
                for report in few {
                    writeln!(out, "{report}")?;
                }
            }
            writeln!(out, "{}", tally.line())?;
            for note in report_notes(node) {
                writeln!(out, "{}", visible(&note))?;
            }
            write!(out, "{}", text::assumed(node.assumed(), paint).unwrap_or_default())?;
            if let Some(lacks) = opened.collection.as_ref().and_then(|collection| nodes::lacks(collection)) {
                writeln!(out, "{lacks}")?;
            }
        }
    }
    out.flush()?;
    asked.say_whose();
    if let Some(trouble) = node.only().and_then(setup::trouble) {
        return Err(SetupError::Usage(trouble).into());
    }
    Ok(if tally.reaches(least) { Exit::Found } else { Exit::Clean })
}

/// The node, and the classes of the pods that it was asked about.
struct Asked<'n> {
    node: &'n NodeEvaluator,
    classes: Mutex<BTreeMap<String, usize>>,
}

impl Asked<'_> {
    fn evaluate(&self, pod: &Pod, depth: Depth) -> Evaluation {
        if self.counts()
            && let Some(class) = &pod.runtime_class
        {
            let mut classes = self.classes.lock().unwrap_or_else(PoisonError::into_inner);
            *classes.entry(class.clone()).or_default() += 1;
        }
        self.node.evaluate(pod, depth)
    }

    /// Whether one configuration judges pods of all classes, since nothing tells their handlers.
    fn counts(&self) -> bool {
        self.node.only().is_some() && matches!(self.node.node().engine, Engine::Assumed)
    }

    /// Several classes are hardly served by one file.
    fn say_whose(&self) {
        const NAMED: usize = 6;
        let classes = self.classes.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(only) = self.node.only().filter(|_| classes.len() > 1) else { return };
        let named: Vec<String> =
            classes.iter().take(NAMED).map(|(class, pods)| format!("{class} ({pods})")).collect();
        let more = if classes.len() > NAMED { ", ..." } else { "" };
        let text = format!(
            "pods of {} RuntimeClasses were judged by {}, whatever serves them: {}{more}; a node (--root) or the \
             container runtime's file (--cri-config) tells which file is whose",
            classes.len(),
            only.setup().layers.asked,
            named.join(", ")
        );
        let _ = writeln!(io::stderr(), "katascope: {}", visible(&text));
    }
}

/// Without a manifest: whether the configuration of each handler loads.
fn configurations(args: &CheckArgs, opened: &Opened) -> Result<Exit, CliError> {
    if something_is_piped() {
        return Err(SetupError::Usage(
            "no manifest: standard input is read only where - stands among the manifests".into(),
        )
        .into());
    }
    let node = &opened.node;
    let mut out = BufWriter::new(io::stdout().lock());
    let format = if args.json { CheckFormat::Json } else { args.output };
    let mut broken = 0;
    let mut loaded = 0;
    for (handler, evaluator) in node.policies() {
        let error = handler.and_then(|handler| handler.error(&node.node().host));
        let error = error.or_else(|| evaluator.loaded().err().map(|error| error.message.clone()));
        broken += usize::from(error.is_some());
        loaded += usize::from(error.is_none());
        if format == CheckFormat::Text && !args.quiet {
            writeln!(
                out,
                "{}",
                text::configuration(handler, evaluator, error.as_deref(), paint(args.color))
            )?;
        }
    }
    if let Err(why) = &node.node().handlers {
        return Err(SetupError::Usage(format!("the container runtime serves no pods: {why}")).into());
    }
    match format {
        _ if args.quiet => {}
        CheckFormat::Text => {
            writeln!(
                out,
                "no manifest: {loaded} configurations load, {broken} do not; no pod was looked at"
            )?;
            for note in report_notes(node) {
                writeln!(out, "{}", visible(&note))?;
            }
        }
        CheckFormat::Json => json::Writer::open(&mut out, node, opened.collection.as_deref())?.close()?,
        CheckFormat::Sarif => sarif::Writer::open(&mut out)?.close()?,
        CheckFormat::Junit => Junit::default().write(&mut out)?,
        CheckFormat::Github => {}
    }
    out.flush()?;
    if let Some(trouble) = node.only().and_then(setup::trouble) {
        return Err(SetupError::Usage(trouble).into());
    }
    Ok(if broken > 0 { Exit::Found } else { Exit::Clean })
}

/// Whether somebody writes into standard input: a file, or a pipe in which something comes within a moment.
fn something_is_piped() -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let stdin = io::stdin();
    let Ok(stat) = rustix::fs::fstat(&stdin) else { return false };
    match rustix::fs::FileType::from_raw_mode(stat.st_mode) {
        rustix::fs::FileType::RegularFile => stat.st_size > 0,
        rustix::fs::FileType::Fifo => {
            let mut asked = [PollFd::new(&stdin, PollFlags::IN)];
            let moment = Timespec { tv_sec: 0, tv_nsec: 200_000_000 };
            poll(&mut asked, Some(&moment)).is_ok_and(|count| count > 0)
                && asked.iter().any(|fd| fd.revents().contains(PollFlags::IN))
        }
        _ => false,
    }
}

/// What has to be known of the releases that are judged, each once.
fn report_notes(node: &NodeEvaluator) -> Vec<String> {
    let mut notes: Vec<String> = Vec::new();
    for (_, evaluator) in node.policies() {
        let setup = evaluator.setup();
        let own = setup.release_note.clone().into_iter().chain(setup.release.caveat());
        notes.extend(
            own.map(|note| format!("note: {note}")).filter(|note| !notes.contains(note)).collect::<Vec<_>>(),
        );
    }
    notes
}
