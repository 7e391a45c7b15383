//! `katascope check`: every pod, outcome and findings.

use std::io::{self, BufWriter, Write};

use super::args::{CheckArgs, CheckFormat, FailOn};
use super::progress::Progress;
use super::setup::SetupError;
use super::{CliError, Exit, paint, pods, setup};
use crate::finding::Severity;
use crate::input::manifest::Pod;
use crate::report::junit::Junit;
use crate::report::text::{self, Tally};
use crate::report::{json, junit, sarif};
use crate::runtime::Depth;

pub(super) fn run(args: &CheckArgs) -> Result<Exit, CliError> {
    let (evaluator, _) = setup::evaluator(&args.input)?;
    let format = if args.json { CheckFormat::Json } else { args.output };
    let depth = if args.full && format == CheckFormat::Json { Depth::Full } else { Depth::Verdicts };
    let least = match args.fail_on {
        FailOn::Refused => Severity::Refused,
        FailOn::Ignored => Severity::Ignored,
        FailOn::Warning => Severity::Warning,
    };
    let mut tally = Tally::default();
    let mut progress = Progress::begin(args.quiet);
    let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    match format {
        _ if args.quiet => {
            let work = |pod: Pod| Tally::of(&evaluator.evaluate(&pod, depth));
            pods::each_worked(&args.input, work, |counted| {
                progress.pod();
                tally.join(counted);
                Ok(())
            })?;
        }
        CheckFormat::Json => {
            let mut writer = json::Writer::open(&mut out, &evaluator)?;
            let work = |pod: Pod| {
                let evaluation = evaluator.evaluate(&pod, depth);
                (Tally::of(&evaluation), json::pod(&pod, &evaluation, args.full))
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
                let evaluation = evaluator.evaluate(&pod, depth);
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
                let evaluation = evaluator.evaluate(&pod, depth);
                (Tally::of(&evaluation), junit::pod(&pod, &evaluation, least))
            };
            pods::each_worked(&args.input, work, |(counted, case)| {
                progress.pod();
                tally.join(counted);
                Ok(all.add(&case)?)
            })?;
            all.write(&mut out)?;
        }
        CheckFormat::Text => {
            let paint = paint(args.color);
            let work = |pod: Pod| {
                let evaluation = evaluator.evaluate(&pod, depth);
                let besides = text::assumed_besides(&evaluation, evaluator.assumed(), paint);
                let report = text::pod(&pod, &evaluation, paint) + &besides.unwrap_or_default();
                (Tally::of(&evaluation), report)
            };
            pods::each_worked(&args.input, work, |(counted, report)| {
                progress.pod();
                tally.join(counted);
                Ok(writeln!(out, "{report}")?)
            })?;
            writeln!(out, "{}", tally.line())?;
            write!(out, "{}", text::assumed(evaluator.assumed(), paint).unwrap_or_default())?;
        }
    }
    out.flush()?;
    if let Some(trouble) = setup::trouble(&evaluator) {
        return Err(SetupError::Usage(trouble).into());
    }
    Ok(if tally.reaches(least) { Exit::Found } else { Exit::Clean })
}
