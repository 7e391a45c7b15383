//! `katascope show`: one pod's annotations, configuration, launch or agent setup.

use std::io::{self, BufWriter, Write};

use super::args::{ShowArgs, Subject, SubjectFormat};
use super::error::SetupError;
use super::{CliError, Exit, beside, open, paint, pods, say_assumed, setup, write_out};
use crate::evaluate::as_if::{self, Supposed};
use crate::evaluate::node::NodeEvaluator;
use crate::evaluate::{Evaluation, Evaluator, Outcome};
use crate::input::manifest::Pod;
use crate::release::{Release, Runtime};
use crate::report::escape::{visible, visible_lines};
use crate::report::sizing::SizeReport;
use crate::report::{explanation, initdata, json, launch, manifest, text};
use crate::runtime::Depth;
use crate::{catalog, evaluate};

pub(super) fn run(args: &ShowArgs) -> Result<Exit, CliError> {
    let yaml = args.output == SubjectFormat::Yaml;
    if yaml && args.what != Subject::Annotations {
        return Err(SetupError::Usage("-o yaml is for show annotations".into()).into());
    }
    if args.what == Subject::Annotations && args.input.manifests.is_empty() && args.input.pod.is_none() {
        return known(args);
    }
    let opened = open::open(&args.input)?;
    write_out::write(&args.input, &args.write)?;
    say_assumed(&opened.node.assumed());
    if let Some(trouble) = opened.node.only().and_then(setup::trouble) {
        return Err(SetupError::Usage(trouble).into());
    }
    let mut found = Vec::new();
    pods::each(&args.input, |pod| {
        found.push(pod);
        Ok(())
    })?;
    if found.len() > 1 {
        return Err(SetupError::Usage(beside::choose(&found)).into());
    }
    let Some(pod) = found.pop() else {
        return Err(SetupError::Usage("no pod: name a manifest (see katascope show --help)".into()).into());
    };
    opened.say_handler_unheeded(&args.input);
    let evaluation = opened.node.evaluate_and_advise(&pod, Depth::Full);
    let supposed = supposed(args, &opened.node, &pod, &evaluation)?;
    let refused = evaluation.outcome.failure().cloned();
    let mut so_far = None;
    let (pod, evaluation, evaluator) = match supposed {
        Some(Supposed { pod, evaluation, evaluator, .. }) => (pod, evaluation, Some(evaluator)),
        None => {
            let evaluator = evaluator_of(&opened.node, &pod).cloned();
            so_far =
                evaluator.as_ref().filter(|_| refused.is_some()).and_then(|e| as_if::so_far(e, &evaluation));
            (pod, evaluation, evaluator)
        }
    };
    let brought = evaluate::initdata::of(&pod, &evaluation, evaluator.as_ref().map(|e| e.setup()));
    let size = SizeReport::of(&pod, &evaluation, evaluator.as_ref());
    let mut out = BufWriter::new(io::stdout().lock());
    if args.is_json() {
        json::print(&mut out, &subject(args.what, &pod, &evaluation, &size, brought.as_ref()))?;
    } else {
        match args.what {
            Subject::Annotations if yaml => write!(out, "{}", manifest::annotations(&evaluation))?,
            Subject::Annotations => {
                write!(out, "{}", text::traced_pod(&pod, &evaluation, paint(args.color)))?;
            }
            Subject::Config => {
                if so_far.is_some() {
                    writeln!(out, "# {}", as_if::SO_FAR)?;
                }
                let effective = so_far.or_else(|| evaluation.effective.clone());
                text::config(&mut out, &Evaluation { effective, ..evaluation.clone() })?;
            }
            Subject::Launch => launch::text(&mut out, &evaluation, !args.plain)?,
            Subject::Agent => launch::agent(&mut out, &evaluation)?,
            Subject::Sizing => size.text(&mut out)?,
            Subject::Initdata => initdata::text(&mut out, &pod, brought.as_ref())?,
        }
    }
    out.flush()?;
    if let Some(failure) = &refused {
        let _ = writeln!(
            io::stderr(),
            "katascope: {} is refused at {}: {}",
            visible(&pod.id()),
            failure.stage.as_str(),
            visible_lines(&failure.message)
        );
        let hint = args.as_if.is_none() && !matches!(args.what, Subject::Annotations | Subject::Initdata);
        if hint {
            let _ = writeln!(
                io::stderr(),
                "katascope: --as-if allowed and --as-if absent show what it would be given otherwise"
            );
        }
        return Ok(Exit::Found);
    }
    if let Outcome::NotKata | Outcome::Unknown(_) = evaluation.outcome {
        let _ = writeln!(io::stderr(), "katascope: {}", visible_lines(&text::outcome(&pod, &evaluation)));
    }
    Ok(Exit::Clean)
}

/// The configuration that judges a pod, also one that does not get to it.
fn evaluator_of<'n>(node: &'n NodeEvaluator, pod: &Pod) -> Option<&'n Evaluator> {
    node.judge_of(pod).map(|judge| judge.evaluator)
}

/// What is supposed of the pod, where that is asked for; said beside what is printed.
fn supposed(
    args: &ShowArgs,
    node: &NodeEvaluator,
    pod: &Pod,
    evaluation: &Evaluation,
) -> Result<Option<Supposed>, CliError> {
    let Some(choice) = args.as_if else { return Ok(None) };
    if !matches!(evaluation.outcome, Outcome::Starts | Outcome::Refused(_)) {
        return Ok(None);
    }
    let Some(evaluator) = evaluator_of(node, pod) else { return Ok(None) };
    let judge = |pod: &Pod, evaluator: &Evaluator| node.evaluate_by(pod, Depth::Full, &|_| Some(evaluator));
    let supposed = as_if::suppose(evaluator, pod, choice.into(), &judge);
    let sentence = supposed.sentence();
    let _ = writeln!(io::stderr(), "katascope: {}", visible_lines(&sentence));
    if !args.is_json() {
        writeln!(io::stdout(), "# {}", visible(&sentence))?;
    }
    Ok(Some(supposed))
}

/// Without a pod: every annotation that the release knows.
fn known(args: &ShowArgs) -> Result<Exit, CliError> {
    let release = match setup::release_said(&args.input)? {
        Some(judged) => judged.release,
        None if args.input.config.is_some() => open::one(&args.input)?.evaluator.setup().release,
        None => Release::newest(Runtime::Rs),
    };
    if args.output == SubjectFormat::Yaml {
        return Err(
            SetupError::Usage("-o yaml is for the annotations of a pod: name a manifest".into()).into()
        );
    }
    let mut out = BufWriter::new(io::stdout().lock());
    if args.is_json() {
        let all: Vec<_> = catalog::all_annotations()
            .iter()
            .filter(|a| a.reader(release).read || a.reader(release).documented)
            .map(explanation::annotation_json)
            .collect();
        let report = serde_json::json!({ "release": release.id(), "annotations": all });
        json::print(&mut out, &report)?;
    } else {
        explanation::table(&mut out, release)?;
    }
    out.flush()?;
    Ok(Exit::Clean)
}

fn subject(
    what: Subject,
    pod: &Pod,
    evaluation: &Evaluation,
    size: &SizeReport<'_>,
    brought: Option<&evaluate::initdata::Brought>,
) -> serde_json::Value {
    match what {
        Subject::Annotations => evaluation.verdicts.iter().map(json::annotation_value).collect(),
        Subject::Config => evaluation.effective.as_ref().map(json::effective).into(),
        Subject::Launch => evaluation.launch.as_ref().map(json::launch).into(),
        Subject::Agent => evaluation.agent.as_ref().map(json::agent).into(),
        Subject::Sizing => size.json(),
        Subject::Initdata => initdata::json(pod, brought),
    }
}
