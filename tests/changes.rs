//! Every named change decides something: with it taken back, a case is answered otherwise by the release that made
//! the difference.
//!
//! Which case shows which change is written in `tests/changes/rows.tsv`: the runtime, the change, the recording and
//! the case; `written` is the folder of cases beside it, written to show a change. A change that no case can show
//! stands there with `-` and the reason. `UPDATE=1` looks for the cases that are not there yet, `UPDATE=written` among the
//! written ones alone.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use katascope::evaluate::{Evaluation, Evaluator};
use katascope::release::{Named, Release, Runtime, Version};
use katascope::report::json;
use katascope::runtime::Depth;
use serde_json::{Value as Json, json};

use crate::recorded::{Case, Recording, recordings};

/// The name of the cases that were written to show a change.
const WRITTEN: &str = "written";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/changes")
}

/// The releases that made a difference: the first that does it, and the first that does it no more.
fn edges(runtime: Runtime, named: &Named) -> Vec<Release> {
    let first = runtime.versions().next().unwrap();
    let after = named.span.until.and_then(|until| runtime.versions().find(|version| *version > until));
    let since = Some(named.span.since).filter(|since| *since > first);
    since.into_iter().chain(after).map(|version| Release::new(runtime, version)).collect()
}

/// Whether a case shows a change: without it one of those releases answers otherwise. Where a key came or went with
/// the change, taking it back alone does nothing; a case that is written for the change, and is named after it, may
/// then show it between the release before and the release itself.
fn shows(named: &Named, recording: &Recording, case: &Case) -> bool {
    let answer = |release: Release| ask(&recording.evaluator_under(case, release), recording, case);
    let before = |release: Release| {
        let earlier = release.runtime.versions().rev().find(|version| *version < release.version);
        Release::new(release.runtime, earlier.unwrap())
    };
    edges(recording.release.runtime, named).into_iter().any(|release| {
        let own = answer(release);
        own != answer(release.turning(named)) || case.id == named.name && own != answer(before(release))
    })
}

/// What is compared of an answer.
fn answer(evaluation: &Evaluation) -> Json {
    let values = evaluation.effective.as_ref().map(|effective| {
        effective
            .iter()
            .map(|(key, value)| (key.to_string(), value.value.clone()))
            .collect::<BTreeMap<_, _>>()
    });
    json!({
        "outcome": format!("{:?}", evaluation.outcome),
        "values": values,
        "launch": evaluation.launch.as_ref().map(json::launch),
        "agent": evaluation.agent.as_ref().map(json::agent),
    })
}

fn ask(evaluator: &Evaluator, recording: &Recording, case: &Case) -> Json {
    answer(&evaluator.evaluate(&recording.pod(case), Depth::Full))
}

/// The cases of a runtime by the name that rows have for where they stand.
fn named_recordings(runtime: Runtime) -> BTreeMap<String, Recording> {
    let written = Recording::read(Release::newest(runtime), &folder().join(runtime.as_str()));
    let all = recordings(runtime).into_iter().map(|recording| (recording.id(), recording));
    all.chain([(WRITTEN.to_owned(), written)]).collect()
}

/// The rows of a runtime: the change, where its case stands, and the case or the reason why there is none.
fn rows(text: &str, runtime: Runtime) -> BTreeMap<&str, (&str, &str)> {
    let mut rows = BTreeMap::new();
    for line in text.lines() {
        let [whose, name, recording, case] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("no row of four fields: {line}");
        };
        if whose == runtime.as_str() {
            assert!(rows.insert(name, (recording, case)).is_none(), "{name} stands there twice");
        }
    }
    rows
}

fn hold(runtime: Runtime) {
    let recordings = named_recordings(runtime);
    let text = std::fs::read_to_string(folder().join("rows.tsv")).unwrap();
    let mut rows = rows(&text, runtime);
    let mut wrong = Vec::new();
    for named in runtime.behaviours() {
        match rows.remove(named.name) {
            None => wrong.push(format!("{}: no case", named.name)),
            Some(("-", why)) => assert!(!why.is_empty(), "{}", named.name),
            Some((recording, case)) => {
                let recording =
                    recordings.get(recording).unwrap_or_else(|| panic!("no recording {recording}"));
                let found = recording.cases.iter().find(|one| one.id == case);
                let case = found.unwrap_or_else(|| panic!("no case {case}"));
                if !shows(named, recording, case) {
                    wrong.push(format!("{}: {} is answered the same without it", named.name, case.id));
                }
            }
        }
    }
    assert!(rows.is_empty(), "no such changes: {:?}", rows.keys());
    assert!(wrong.is_empty(), "{} changes decide nothing\n{}", wrong.len(), wrong.join("\n"));
}

/// How many recordings are asked in search of a case: those next to the release.
const NEAREST: usize = 3;

/// The recordings in the order in which they are asked: the cases written for it, then by how near they are.
fn nearest(runtime: Runtime, recordings: &BTreeMap<String, Recording>, edge: Version) -> Vec<&str> {
    let at = |version: Version| runtime.versions().position(|one| one == version).unwrap();
    let mut names: Vec<(usize, &str)> = recordings
        .iter()
        .map(|(name, one)| match name.as_str() {
            WRITTEN => (0, WRITTEN),
            name => (1 + at(one.release.version).abs_diff(at(edge)), name),
        })
        .collect();
    names.sort_unstable();
    let asked = if std::env::var("UPDATE").is_ok_and(|what| what == WRITTEN) { 1 } else { 1 + NEAREST };
    names.into_iter().take(asked).map(|(_, name)| name).collect()
}

/// Looks for a case for each change that has none; of each setup, few are asked.
fn seek(runtime: Runtime, text: &str) -> Vec<String> {
    const FEW: usize = 3;
    let recordings = named_recordings(runtime);
    let known = rows(text, runtime);
    let mut found = Vec::new();
    let mut wanted: BTreeMap<Version, Vec<&'static Named>> = BTreeMap::new();
    for named in runtime.behaviours() {
        if let Some((recording, case)) = known.get(named.name) {
            found.push(format!("{}\t{}\t{recording}\t{case}", runtime.as_str(), named.name));
        } else {
            wanted.entry(edges(runtime, named)[0].version).or_default().push(named);
        }
    }
    for (version, mut names) in wanted {
        let release = Release::new(runtime, version);
        for place in nearest(runtime, &recordings, version) {
            let recording = &recordings[place];
            let mut setups: BTreeMap<(&str, String), Vec<&Case>> = BTreeMap::new();
            for case in &recording.cases {
                setups.entry((&case.config, case.host.to_string())).or_default().push(case);
            }
            for cases in setups.values() {
                if names.is_empty() {
                    break;
                }
                let few: Vec<&Case> = match place {
                    WRITTEN => cases.clone(),
                    _ => cases.iter().copied().take(FEW).collect(),
                };
                let at = recording.evaluator_under(few[0], release);
                let answers: Vec<Json> = few.iter().map(|case| ask(&at, recording, case)).collect();
                names.retain(|named| {
                    let turned = recording.evaluator_under(few[0], release.turning(named));
                    let found_here = few
                        .iter()
                        .zip(&answers)
                        .find(|(case, answer)| ask(&turned, recording, case) != **answer)
                        .map(|(case, _)| *case);
                    let own = || {
                        few.iter()
                            .copied()
                            .find(|case| case.id == named.name && shows(named, recording, case))
                    };
                    let found_here = found_here.or_else(own);
                    if let Some(case) = found_here {
                        let row = format!("{}\t{}\t{place}\t{}", runtime.as_str(), named.name, case.id);
                        eprintln!("ROW\t{row}");
                        found.push(row);
                    }
                    found_here.is_none()
                });
            }
        }
        for named in names {
            eprintln!("NONE\t{}\t{}\t{}", runtime.as_str(), named.name, release.id());
        }
    }
    found
}

#[test]
fn every_change_decides_something() {
    if std::env::var_os("UPDATE").is_some() {
        let path = folder().join("rows.tsv");
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let mut rows = std::thread::scope(|scope| {
            let go = scope.spawn(|| seek(Runtime::Go, &text));
            let mut rows = seek(Runtime::Rs, &text);
            rows.extend(go.join().unwrap());
            rows
        });
        rows.sort_unstable();
        let mut text = String::new();
        for row in rows {
            writeln!(text, "{row}").unwrap();
        }
        std::fs::write(path, text).unwrap();
        return;
    }
    hold(Runtime::Go);
    hold(Runtime::Rs);
}
