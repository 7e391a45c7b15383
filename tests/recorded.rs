//! Holds every release against what the real runtime answered, from configuration files and annotations to
//! the values in the end, the VM's processes and requests and the agent's, or to the error.
//!
//! Knows the public doors alone. What a case is, and how one is written by hand: `tests/recorded/README.md`.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use katascope::answer::effective::Origin;
use katascope::answer::verdict::{FailureStage, Status};
use katascope::cri::Engine;
use katascope::evaluate::{Evaluation, Evaluator, Setup};
use katascope::input::archive::{self, record::Recorder};
use katascope::input::away::{self, Seen};
use katascope::input::config::Layers;
use katascope::input::host::{Errno, FileKind, Files, HostFacts, Look, Stat};
use katascope::input::manifest::{self, DeviceRequest, Pod};
use katascope::input::{Host, Source, probe};
use katascope::release::{KnownBy, Release, Runtime, Version};
use katascope::report::json;
use katascope::runtime::Depth;
use serde_json::{Map, Value as Json, json};

/// The id of every recorded sandbox.
const SANDBOX_ID: &str = "SANDBOXID";

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded").join(name)
}

/// The lines of `NAME.jsonl` and `NAME.jsonl.gz` files of a folder, by the names that `wanted` takes.
fn lines(folder: &Path, wanted: impl Fn(&str) -> bool) -> Vec<Json> {
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let mut all = Vec::new();
    for path in paths {
        let name = path.file_name().unwrap().to_str().unwrap();
        let Some((stem, kind)) = name.split_once('.').filter(|(stem, _)| wanted(stem)) else { continue };
        let bytes = fs::read(&path).unwrap();
        let mut text = String::new();
        match kind {
            "jsonl" => text = String::from_utf8(bytes).unwrap(),
            "jsonl.gz" => drop(flate2::read::GzDecoder::new(&*bytes).read_to_string(&mut text).unwrap()),
            _ => continue,
        }
        let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|e| panic!("{stem}: {e}: {line}"));
        all.extend(text.lines().map(parse));
    }
    all
}

enum Entry {
    Folder,
    Link(String),
    /// Its size, what it begins with (zeros follow), its mode.
    File(u64, Vec<u8>, u32),
}

/// The files of the recorded host.
struct Tree(BTreeMap<String, Entry>);

impl Tree {
    fn new<'a>(lines: impl Iterator<Item = &'a Json>) -> Self {
        let mut entries = BTreeMap::new();
        for line in lines {
            let path = line["path"].as_str().unwrap();
            for (at, _) in path.match_indices('/').skip(1) {
                entries.entry(path[..at].to_owned()).or_insert(Entry::Folder);
            }
            let entry = if let Some(target) = line["link"].as_str() {
                Entry::Link(target.to_owned())
            } else if line["kind"] == "folder" {
                Entry::Folder
            } else {
                let bytes = match line["base64"].as_str() {
                    Some(text) => base64::Engine::decode(&base64::prelude::BASE64_STANDARD, text).unwrap(),
                    None => line["text"].as_str().unwrap_or_default().into(),
                };
                let mode = line["mode"].as_str().unwrap_or("755");
                let size = line["size"].as_u64().unwrap_or(bytes.len() as u64);
                Entry::File(size, bytes, u32::from_str_radix(mode, 8).unwrap())
            };
            entries.insert(path.to_owned(), entry);
        }
        Self(entries)
    }

    fn entry(&self, path: &str) -> Result<&Entry, Errno> {
        self.0.get(path).ok_or(Errno::NotFound)
    }
}

impl Files for Tree {
    fn lstat(&self, path: &str) -> Result<Stat, Errno> {
        let (kind, size, mode) = match self.entry(path)? {
            Entry::Folder => (FileKind::Directory, 4096, 0o755),
            Entry::Link(target) => (FileKind::Symlink, target.len() as u64, 0o777),
            Entry::File(size, _, mode) => (FileKind::File, *size, *mode),
        };
        Ok(Stat::new(kind, size, mode))
    }

    fn read_link(&self, path: &str) -> Result<String, Errno> {
        match self.entry(path)? {
            Entry::Link(target) => Ok(target.clone()),
            _ => Err(Errno::Other(22)),
        }
    }

    fn read_dir(&self, path: &str) -> Result<Vec<String>, Errno> {
        let Entry::Folder = self.entry(path)? else { return Err(Errno::NotDirectory) };
        let prefix = format!("{path}/");
        let names = self.0.keys().filter_map(|p| p.strip_prefix(&prefix)).filter(|n| !n.contains('/'));
        Ok(names.map(str::to_owned).collect())
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, Errno> {
        match self.entry(path)? {
            Entry::File(size, text, _) => {
                let mut bytes = text.clone();
                bytes.resize(usize::try_from(*size).unwrap(), 0);
                Ok(bytes)
            }
            Entry::Folder => Err(Errno::IsDirectory),
            Entry::Link(_) => Err(Errno::NotFound),
        }
    }
}

/// All that is recorded of one release.
pub struct Recording {
    pub release: Release,
    files: Arc<dyn Files>,
    pub cases: Vec<Case>,
}

/// One case: what was asked, and the real runtime's answer.
pub struct Case {
    pub id: String,
    pub config: String,
    pub host: Json,
    annotations: Json,
    pod: Json,
    pub answer: Json,
}

/// The recordings of a runtime's releases.
pub fn recordings(runtime: Runtime) -> Vec<Recording> {
    let releases = runtime.versions().map(|version| Release::new(runtime, version));
    releases.filter(|release| folder(&release.id()).exists()).map(Recording::of).collect()
}

/// The releases of which something was recorded in bulk; what is written by hand makes no release a measured one.
pub fn recorded_releases() -> Vec<Release> {
    let all = [Runtime::Go, Runtime::Rs].into_iter();
    let all = all.flat_map(|runtime| runtime.versions().map(move |version| Release::new(runtime, version)));
    all.filter(|release| folder(&release.id()).join("cases.jsonl.gz").exists()).collect()
}

/// The case's answer over the answer that it is like: of objects, key by key.
fn over(base: &Json, own: &Json) -> Json {
    let (Json::Object(base), Json::Object(own)) = (base, own) else {
        return if own.is_null() { base.clone() } else { own.clone() };
    };
    let mut all = base.clone();
    for (key, value) in own {
        let nested = ["launch", "agent", "effective"].contains(&key.as_str());
        let value = if nested { over(all.get(key).unwrap_or(&Json::Null), value) } else { value.clone() };
        all.insert(key.clone(), value);
    }
    Json::Object(all)
}

impl Recording {
    /// Of one release.
    pub fn of(release: Release) -> Self {
        Self::read(release, &folder(&release.id()))
    }

    /// The cases of a folder, as `tests/recorded/README.md` has them; `release` is the one that they are asked of.
    pub fn read(release: Release, own: &Path) -> Self {
        let is_files = |stem: &str| stem.ends_with("files");
        let (common, files) = (lines(&folder(""), is_files), lines(own, is_files));
        let mut cases: Vec<Case> = Vec::new();
        let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
        for line in lines(own, |stem| !is_files(stem)) {
            let id = line["id"].as_str().unwrap().to_owned();
            let like = line["like"].as_str().map(|other| &cases[numbers[other]].answer);
            let answer = like.map_or_else(|| line["answer"].clone(), |base| over(base, &line["answer"]));
            numbers.insert(id.clone(), cases.len());
            cases.push(Case {
                id,
                config: line["config"].as_str().unwrap().to_owned(),
                host: line["host"].clone(),
                annotations: line["annotations"].clone(),
                pod: line["pod"].clone(),
                answer,
            });
        }
        Self { release, files: Arc::new(Tree::new(common.iter().chain(&files))), cases }
    }

    /// The answers, as they are written.
    pub fn answers(&self) -> impl Iterator<Item = &Json> {
        self.cases.iter().map(|case| &case.answer)
    }

    /// Its name: the release's.
    pub fn id(&self) -> String {
        self.release.id()
    }

    /// The setup of a case.
    pub fn evaluator(&self, case: &Case) -> Evaluator {
        self.evaluator_under(case, self.release)
    }

    /// The setup of a case, under another release.
    pub fn evaluator_under(&self, case: &Case, release: Release) -> Evaluator {
        self.evaluator_on(case, Host::new(self.facts(case), Arc::clone(&self.files)), release)
    }

    /// What is told of a case's host.
    fn facts(&self, case: &Case) -> HostFacts {
        let (cpus, memory) = match self.release.runtime {
            Runtime::Go => (8, 16384),
            Runtime::Rs => (16, 65536),
        };
        // What a host file would say: the recorded host, and what the case has otherwise.
        let said = json!({ "cpus": cpus, "memory_mib": memory, "network": { "interfaces": [] } });
        let said = toml::to_string(&over(&said, &case.host)).unwrap();
        let mut facts = HostFacts::default();
        probe::apply_host_file(&mut facts, &Source::new("host.toml", said)).unwrap();
        facts
    }

    fn evaluator_on(&self, case: &Case, host: Host, release: Release) -> Evaluator {
        let layers = Layers::read(&host, &case.config);
        let seen = if host.sees_all() { Seen::All } else { Seen::Part };
        let host = away::host(&host, &layers, seen);
        Evaluator::new(Setup {
            host,
            layers,
            release,
            known_by: KnownBy::Said,
            release_note: None,
            hypervisor: None,
            sandbox_id: Some(SANDBOX_ID.into()),
            engine: Engine::Assumed,
        })
    }

    /// The sandbox of a case, as the runtime is given it.
    pub fn pod(&self, case: &Case) -> Pod {
        let mut all = Map::new();
        all.insert("io.kubernetes.cri.container-type".into(), "sandbox".into());
        all.insert("io.kubernetes.cri.sandbox-id".into(), SANDBOX_ID.into());
        let mut hostname = "";
        if self.release.runtime == Runtime::Go {
            hostname = "oracle-pod";
            all.insert("io.kubernetes.cri.sandbox-name".into(), hostname.into());
            all.insert("io.kubernetes.cri.sandbox-namespace".into(), "default".into());
        }
        all.extend(case.annotations.as_object().unwrap().clone());
        let hostname = case.pod["hostname"].as_str().unwrap_or(hostname);
        let spec = json!({ "ociVersion": "1.1.0", "hostname": hostname, "annotations": all });
        let mut pod = manifest::read(&Source::new("spec.json", spec.to_string())).unwrap().pods.remove(0);
        pod.isolation.host_network = case.pod["host_network"] == true;
        for (resource, count) in case.pod["devices"].as_object().into_iter().flatten() {
            let count = count.as_u64().and_then(|count| u32::try_from(count).ok()).unwrap();
            pod.devices.push(DeviceRequest { resource: resource.clone(), count });
        }
        pod
    }
}

/// Numbers by value, what is empty is absent, and tokens for what only exists at run time.
fn plain(value: &Json) -> Json {
    match value {
        Json::Number(number) if number.as_u64() == Some(4242) => "{uid}".into(),
        Json::Number(number) => number.as_f64().map_or(Json::Null, Json::from),
        Json::String(text) if text.is_empty() => Json::Null,
        Json::String(text) if text == "4242" || text == "{gid}" => "{uid}".into(),
        Json::String(text) => text.replace("/run/user/4242", "/run/user/{uid}").into(),
        Json::Array(items) if items.is_empty() => Json::Null,
        Json::Array(items) => Json::Array(items.iter().map(plain).collect()),
        Json::Object(fields) if fields.is_empty() => Json::Null,
        Json::Object(fields) => fields.iter().map(|(key, value)| (key.clone(), plain(value))).collect(),
        other => other.clone(),
    }
}

/// runtime-rs put the agent's kernel parameters in random order until then.
const ORDERED: Version = Version::new(3, 26, 0);

/// The words of texts in which the agent's parameters stand, sorted.
fn sorted(value: Json) -> Json {
    match value {
        Json::String(text) if text.contains("agent.") && text.contains(' ') => {
            let mut words: Vec<&str> = text.split_whitespace().collect();
            words.sort_unstable();
            words.join(" ").into()
        }
        Json::Array(items) => items.into_iter().map(sorted).collect(),
        Json::Object(fields) => fields.into_iter().map(|(key, value)| (key, sorted(value))).collect(),
        other => other,
    }
}

struct Held<'a> {
    case: &'a Case,
    release: Release,
    wrong: Vec<String>,
}

impl Held<'_> {
    fn wrong(&mut self, what: impl std::fmt::Display) {
        self.wrong.push(format!("{} {} {what}", self.release.id(), self.case.id));
    }

    fn plain(&self, value: &Json) -> Json {
        let unordered = self.release.runtime == Runtime::Rs && self.release.version < ORDERED;
        if unordered { sorted(plain(value)) } else { plain(value) }
    }

    fn same(&mut self, what: &str, want: &Json, got: &Json) {
        let (want, got) = (self.plain(want), self.plain(got));
        if want != got {
            self.wrong(format!("{what}:\n  want {want}\n  got  {got}"));
        }
    }

    fn refused(&mut self, want: &Json, got: &Evaluation) {
        let Some(failure) = got.outcome.failure() else {
            return self.wrong(format!("starts; want {want}"));
        };
        self.same("stage", &want["stage"], &failure.stage.as_str().into());
        self.same("panic", &want["panic"], &if failure.panic { true.into() } else { Json::Null });
        let one_of: Vec<&str> = match &want["message"] {
            Json::Array(all) => all.iter().filter_map(Json::as_str).collect(),
            one => one.as_str().into_iter().collect(),
        };
        if !one_of.is_empty() && !one_of.iter().any(|text| text.trim() == failure.message.trim()) {
            self.wrong(format!("message:\n  want {one_of:?}\n  got  {:?}", failure.message));
        }
        if let Some(key) = &failure.annotation
            && failure.stage != FailureStage::Launch
            && !got.verdicts.iter().any(|v| v.key == *key && v.status == Status::Refused)
        {
            self.wrong(format!("{key} fails the pod, but its verdict is another"));
        }
    }

    fn started(&mut self, got: &Evaluation) {
        let want = &self.case.answer;
        if let Some(failure) = got.outcome.failure() {
            return self.wrong(format!("should start: {failure:?}"));
        }
        let (effective, launch) =
            (got.effective.as_ref().unwrap(), json::launch(got.launch.as_ref().unwrap()));
        let agent = json::agent(got.agent.as_ref().unwrap());
        for (key, value) in want["effective"].as_object().into_iter().flatten() {
            let value = self.plain(value);
            let nothing = matches!(value, Json::Null | Json::Bool(false)) || value.as_f64() == Some(0.0);
            match effective.get(key) {
                None if nothing => {}
                found => self.same(key, &value, found.map_or(&Json::Null, |found| &found.value)),
            }
        }
        for (key, value) in want["launch"].as_object().into_iter().flatten() {
            match value.as_array().filter(|_| ["requests", "files"].contains(&key.as_str())) {
                Some(all) => self.documents(key, all, launch[key].as_array().unwrap()),
                None => self.same(key, value, &launch[key]),
            }
        }
        for (key, value) in want["agent"].as_object().into_iter().flatten() {
            match key.as_str() {
                "create_sandbox" => {
                    for (field, value) in value.as_object().unwrap() {
                        self.same(field, value, &agent[key][field]);
                    }
                }
                _ => self.same(key, value, &agent[key]),
            }
        }
        for verdict in got.verdicts.iter().filter(|v| v.status == Status::Applied) {
            let origin = verdict.field.as_ref().and_then(|field| effective.get(field)).map(|v| &v.origin);
            let is_its = |origin: &Origin| matches!(origin, Origin::Annotation(_) | Origin::Derived(_));
            if !origin.is_none_or(is_its) {
                self.wrong(format!("{} is applied, but its key comes from {origin:?}", verdict.key));
            }
        }
    }

    /// Requests and files: all there are, in order, in each what is recorded of it.
    fn documents(&mut self, what: &str, want: &[Json], got: &[Json]) {
        let names = |all: &[Json]| -> Json {
            all.iter().map(|one| [one["method"].clone(), one["path"].clone()]).collect::<Vec<_>>().into()
        };
        if what == "requests" {
            self.same(what, &names(want), &names(got));
        }
        self.same(what, &want.len().into(), &got.len().into());
        for (want, got) in want.iter().zip(got) {
            if let Some(body) = want.get("body") {
                self.same(what, body, &got["body"]);
            }
        }
    }
}

/// Of so many cases one is asked of a setup of its own, too: to load one takes longest.
const AFRESH: usize = 5;

/// What is asked for less, or of a setup that other pods were asked of, is answered alike.
fn assert_alike(case: &Case, one: &Evaluation, other: &Evaluation) {
    assert_eq!((&one.outcome, &one.verdicts), (&other.outcome, &other.verdicts), "{}", case.id);
    assert_eq!(one.findings, other.findings, "{}", case.id);
}

fn hold(runtime: Runtime) {
    let (mut wrong, mut count) = (Vec::new(), 0);
    for recording in recordings(runtime) {
        let mut evaluators: BTreeMap<(&str, String), Evaluator> = BTreeMap::new();
        for (at, case) in recording.cases.iter().enumerate() {
            count += 1;
            let evaluator = evaluators
                .entry((&case.config, case.host.to_string()))
                .or_insert_with(|| recording.evaluator(case));
            let pod = recording.pod(case);
            let got = evaluator.evaluate(&pod, Depth::Full);
            // The second time its answer is known.
            for _ in 0..2 {
                assert_alike(case, &got, &evaluator.evaluate(&pod, Depth::Verdicts));
            }
            if at % AFRESH == 0 {
                let fresh = recording.evaluator(case).evaluate(&pod, Depth::Full);
                assert_alike(case, &got, &fresh);
                assert_eq!((&got.effective, &got.launch), (&fresh.effective, &fresh.launch), "{}", case.id);
                assert_eq!(got.agent, fresh.agent, "{}", case.id);
            }
            let mut held = Held { case, release: recording.release, wrong: Vec::new() };
            if case.answer["outcome"] == "starts" {
                held.started(&got);
            } else {
                assert_eq!(case.answer["outcome"], "refused", "{}", case.id);
                held.refused(&case.answer["error"], &got);
            }
            wrong.extend(held.wrong);
        }
    }
    assert!(count > 0);
    assert!(wrong.is_empty(), "{} differences in {count} cases\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn go_answers_as_recorded() {
    hold(Runtime::Go);
}

#[test]
fn rs_answers_as_recorded() {
    hold(Runtime::Rs);
}

/// What `collect` takes home of a host answers as the host did, whatever its configuration: a pod whose questions were
/// among those that were asked there.
#[test]
fn what_was_collected_of_a_recorded_host_answers_as_it_did() {
    const CASES: usize = 2;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("n.tar.gz");
    let mut wrong = Vec::new();
    for release in ["go-2.1.0", "go-4.1.0", "rs-4.1.0"] {
        let all = [Runtime::Go, Runtime::Rs].into_iter().flat_map(recordings);
        let recording = all.into_iter().find(|recording| recording.release.id() == release).unwrap();
        let mut by_config: BTreeMap<&str, Vec<&Case>> = BTreeMap::new();
        for case in &recording.cases {
            by_config.entry(&case.config).or_default().push(case);
        }
        // Which of them is no matter: what is asked of a host differs little from one to the next.
        for (config, cases) in by_config.into_iter().step_by(4) {
            let first = cases[0];
            let cases: Vec<&&Case> =
                cases.iter().filter(|case| case.host == first.host).take(CASES).collect();
            let ask = |evaluator: &Evaluator| -> Vec<String> {
                let pods = cases.iter().map(|case| recording.pod(case));
                let report = |pod: Pod| {
                    json::pod(&pod, &evaluator.evaluate(&pod, Depth::Full), None, Some(json::Full::default()))
                };
                pods.map(|pod| report(pod).unwrap()).collect()
            };
            let facts = recording.facts(first);
            let recorder = Arc::new(Recorder::new(Arc::clone(&recording.files)));
            let host = Host::new(facts.clone(), Arc::clone(&recorder) as Arc<dyn Files>);
            let there = ask(&recording.evaluator_on(first, host, recording.release));
            recorder.finish("n", &facts, Vec::new()).write(fs::File::create(&path).unwrap()).unwrap();
            let node = archive::open(&path, &HostFacts::assumed()).unwrap().remove(0);
            let host = Host::new(node.facts, node.files).looked_at(Look::Collected, Vec::new());
            let here = ask(&recording.evaluator_on(first, host, recording.release));
            wrong.extend(there.iter().zip(&here).filter(|(there, here)| there != here).map(
                |(there, here)| {
                    let at = there.bytes().zip(here.bytes()).take_while(|(a, b)| a == b).count();
                    let part = |text: &str| {
                        String::from_utf8_lossy(text.as_bytes().get(at.saturating_sub(60)..).unwrap())
                            .chars()
                            .take(200)
                            .collect::<String>()
                    };
                    format!("{release} {config}:\n  there {}\n  here  {}", part(there), part(here))
                },
            ));
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}
