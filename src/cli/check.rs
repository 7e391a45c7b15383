//! `katascope check`: every pod, outcome and findings.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};
use std::num::NonZero;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use super::args::{CheckArgs, CheckFormat, FailOn, Input};
use super::error::SetupError;
use super::narrow::{self, Accepted};
use super::open::Opened;
use super::progress::Progress;
use super::{CliError, Exit, collections, nodes, open, paint, parallel, pods, setup, write_out};
use crate::answer::finding::Severity;
use crate::cri::Engine;
use crate::evaluate::as_if::{self, AsIf};
use crate::evaluate::node::NodeEvaluator;
use crate::evaluate::{Evaluation, Evaluator};
use crate::input::manifest::Pod;
use crate::query::Query;
use crate::report::baseline::{Findings, Met};
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
    write_out::write(&args.input, &args.write)?;
    if !args.quiet {
        opened.say_handler_unheeded(&args.input);
    }
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
    let accepted = Accepted::open(&args.narrow)?;
    let query = args.narrow.filter.as_deref().map(narrow::query);
    let asked = Asked { node, classes: Mutex::default(), query, accepted: &accepted };
    let mut walk = Walk {
        asked: &asked,
        input: &args.input,
        jobs: args.jobs.unwrap_or_else(parallel::cores),
        depth,
        advised: !args.quiet,
        tally: Tally::default(),
        met: Met::default(),
        found: Findings::default(),
        progress: Progress::begin(args.quiet),
    };
    let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    match format {
        _ if args.quiet => walk.each(|_, _| (), |(), _| Ok(()))?,
        CheckFormat::Json => {
            let mut writer = json::Writer::open(&mut out, node, opened.collection.as_deref())?;
            walk.each(
                |pod, found| {
                    let full = args.full.then(|| json::Full { as_if: as_if(node, pod, found) });
                    json::pod(pod, found, node.policy_of(found), full)
                },
                |report, _| Ok(writer.pod(&report?)?),
            )?;
            writer.close()?;
        }
        CheckFormat::Sarif => {
            let mut writer = sarif::Writer::open(&mut out)?;
            walk.each(sarif::pod, |results, _| Ok(writer.pod(&results)?))?;
            writer.close()?;
        }
        CheckFormat::Junit => {
            let mut all = Junit::default();
            walk.each(|pod, found| junit::pod(pod, found, least), |case, _| Ok(all.add(&case)?))?;
            all.write(&mut out)?;
        }
        CheckFormat::Github => {
            walk.each(github::pod, |lines, _| Ok(out.write_all(lines.as_bytes())?))?;
        }
        CheckFormat::Text => {
            let paint = paint(args.color);
            let assumed = node.assumed();
            let name = opened.collection.as_ref().map(|collection| collection.name.as_str());
            // Nothing is said where the pods cannot be read.
            let head = grouped::head(node, name) + &text::assumed(&assumed, paint).unwrap_or_default();
            let mut head = Some(head);
            // Of few pods each is told; of many what they have in common.
            let (mut few, mut groups) = (Vec::new(), Groups::default());
            let only_news = args.narrow.baseline.is_some();
            // Nobody reads what is said of one of many: a third of the work.
            let are_many = AtomicBool::new(false);
            walk.each(
                |pod, found| {
                    let told = !only_news || !found.findings.is_empty();
                    let report = (told && !are_many.load(Ordering::Relaxed))
                        .then(|| text::pod(pod, found, &assumed, paint));
                    (report, Share::of(pod, found))
                },
                |(report, share), pods| {
                    if args.all {
                        if let Some(head) = head.take() {
                            writeln!(out, "{head}")?;
                        }
                        return report.map_or(Ok(()), |report| Ok(writeln!(out, "{report}")?));
                    }
                    groups.add(share);
                    if pods <= FEW {
                        few.extend(report);
                    } else {
                        are_many.store(true, Ordering::Relaxed);
                    }
                    Ok(())
                },
            )?;
            if let Some(head) = head.take() {
                writeln!(out, "{head}")?;
            }
            if walk.tally.pods > FEW && !args.all {
                // Nothing, where all of it is accepted.
                let told = groups.text(paint);
                if !told.is_empty() {
                    writeln!(out, "{told}")?;
                }
            } else {
                for report in few {
                    writeln!(out, "{report}")?;
                }
            }
            writeln!(out, "{}", walk.tally.line())?;
            for line in accepted.lines(&walk.met) {
                writeln!(out, "{}", visible(&line))?;
            }
            for note in report_notes(node) {
                writeln!(out, "{}", visible(&note))?;
            }
            if let Some(lacks) =
                opened.collection.as_ref().and_then(|collection| collections::lacks(collection))
            {
                writeln!(out, "{lacks}")?;
            }
        }
    }
    let Walk { tally, met, found, .. } = walk;
    if format != CheckFormat::Text || args.quiet {
        // Reports for machines have no place for it.
        for line in accepted.lines(&met).into_iter().skip(1) {
            let _ = writeln!(io::stderr(), "katascope: {}", visible(&line));
        }
    }
    if let (Some(query), 0) = (&args.narrow.filter, tally.pods) {
        out.flush()?;
        return Err(SetupError::Usage(format!("--filter: no pod fits '{query}'")).into());
    }
    accepted.write(found, &mut out)?;
    out.flush()?;
    asked.say_whose();
    if let Some(trouble) = node.only().and_then(setup::trouble) {
        return Err(SetupError::Usage(trouble).into());
    }
    Ok(if tally.reaches(least) { Exit::Found } else { Exit::Clean })
}

/// What a refused pod would be given otherwise.
fn as_if(node: &NodeEvaluator, pod: &Pod, evaluation: &Evaluation) -> Option<serde_json::Value> {
    evaluation.outcome.failure()?;
    let evaluator = node.judge_of(pod)?.evaluator;
    let judge = |pod: &Pod, evaluator: &Evaluator| node.evaluate_by(pod, Depth::Full, &|_| Some(evaluator));
    let supposed = AsIf::ALL.map(|as_if| as_if::suppose(evaluator, pod, as_if, &judge));
    let so_far = as_if::so_far(evaluator, evaluation);
    Some(json::as_if(so_far.as_ref(), &supposed))
}

/// Every pod that is asked for: evaluated, told of, counted.
struct Walk<'a> {
    asked: &'a Asked<'a>,
    input: &'a Input,
    /// How many pods are judged at once.
    jobs: NonZero<usize>,
    depth: Depth,
    /// Whether the advice is printed.
    advised: bool,
    tally: Tally,
    met: Met,
    found: Findings,
    progress: Progress,
}

impl Walk<'_> {
    /// Calls `tell` with each, on any thread, and `take` with what it gives and the number of pods by then, in
    /// input order.
    fn each<T: Send>(
        &mut self,
        tell: impl Fn(&Pod, &Evaluation) -> T + Sync,
        mut take: impl FnMut(T, usize) -> Result<(), CliError>,
    ) -> Result<(), CliError> {
        let (asked, depth, advised) = (self.asked, self.depth, self.advised);
        let work = |pod: Pod| {
            let mut evaluation = asked.evaluate(&pod, depth)?;
            if advised {
                asked.node.advise(&pod, &mut evaluation, &|_| None);
            }
            let found = asked.accepted.gathers().then(|| Findings::of(&pod, &evaluation));
            let met = asked.accepted.baseline.accept(&pod, &mut evaluation);
            Some((Tally::of(&evaluation), found, met, tell(&pod, &evaluation)))
        };
        pods::each_worked(self.input, self.jobs, work, |done| {
            self.progress.pod();
            let Some((counted, found, met, told)) = done else { return Ok(()) };
            self.tally.join(counted);
            self.met.join(met);
            if let Some(found) = found {
                self.found.join(found);
            }
            take(told, self.tally.pods)
        })
    }
}

/// The node, what is asked about it, and the classes of the pods that it was asked about.
struct Asked<'n> {
    node: &'n NodeEvaluator,
    classes: Mutex<BTreeMap<String, usize>>,
    query: Option<Query>,
    accepted: &'n Accepted,
}

impl Asked<'_> {
    /// What becomes of a pod; `None`: it is not asked about.
    fn evaluate(&self, pod: &Pod, depth: Depth) -> Option<Evaluation> {
        let evaluation = self.node.evaluate(pod, depth);
        if let Some(query) = &self.query {
            let release = self.node.policy_of(&evaluation).and_then(|at| self.node.policies().nth(at));
            let release = release.map(|(_, evaluator)| evaluator.setup().release.id());
            if !narrow::keeps(query, pod, &evaluation, release.as_deref()) {
                return None;
            }
        }
        if self.counts()
            && let Some(class) = &pod.runtime_class
        {
            let mut classes = self.classes.lock().unwrap_or_else(PoisonError::into_inner);
            *classes.entry(class.clone()).or_default() += 1;
        }
        Some(evaluation)
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
            let (loads, does) = (
                if loaded == 1 { "configuration loads" } else { "configurations load" },
                if broken == 1 { "does" } else { "do" },
            );
            writeln!(out, "no manifest: {loaded} {loads}, {broken} {does} not; no pod was looked at")?;
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
