//! Holds the Go runtime 4.1 against what the real one answered, from configuration files and annotations
//! to the effective configuration, the VM's process and the agent's request, or to the error.
//!
//! The vectors hold the host's files (large ones are zeros), every case with its answer as numbers in a
//! table of strings and one of bodies, and effective values as the difference from the first accepted
//! case of the same configuration.

// A vector that cannot be read fails the test, in the functions beside it, too.

use std::collections::BTreeMap;
use std::sync::Arc;

use katascope::catalog::Generation;
use katascope::input::Host;
use katascope::input::config::Layers;
use katascope::input::host::{Errno, FileKind, Files, HostFacts, NumaNode, Protection, Stat};
use katascope::runtime::verdict::{Stage, Status};
use katascope::runtime::{Depth, LoadOptions, Loaded, Run, Sandbox};
use serde_json::Value as Json;

enum Entry {
    Directory,
    Link(String),
    File(u64, String),
}

/// The recorded host's files; contents that were not kept are zeros.
struct Recorded(BTreeMap<String, Entry>);

impl Recorded {
    fn new(vectors: &Json) -> Self {
        let mut entries = BTreeMap::new();
        for file in vectors["files"].as_array().unwrap() {
            let path = file[1].as_str().unwrap();
            for (at, _) in path.match_indices('/').skip(1) {
                entries.entry(path[..at].to_owned()).or_insert(Entry::Directory);
            }
            let entry = match file[0].as_str().unwrap() {
                "d" => Entry::Directory,
                "l" => Entry::Link(file[2].as_str().unwrap().to_owned()),
                _ => Entry::File(file[2].as_u64().unwrap(), file[3].as_str().unwrap_or_default().to_owned()),
            };
            entries.insert(path.to_owned(), entry);
        }
        Self(entries)
    }

    fn entry(&self, path: &str) -> Result<&Entry, Errno> {
        self.0.get(path).ok_or(Errno::NotFound)
    }
}

impl Files for Recorded {
    fn lstat(&self, path: &str) -> Result<Stat, Errno> {
        let (kind, size) = match self.entry(path)? {
            Entry::Directory => (FileKind::Directory, 4096),
            Entry::Link(target) => (FileKind::Symlink, target.len() as u64),
            Entry::File(size, _) => (FileKind::File, *size),
        };
        Ok(Stat { kind, size, mode: 0o755 })
    }

    fn read_link(&self, path: &str) -> Result<String, Errno> {
        match self.entry(path)? {
            Entry::Link(target) => Ok(target.clone()),
            _ => Err(Errno::Other(22)),
        }
    }

    fn read_dir(&self, path: &str) -> Result<Vec<String>, Errno> {
        let Entry::Directory = self.entry(path)? else { return Err(Errno::NotDirectory) };
        let prefix = format!("{path}/");
        let names = self.0.keys().filter_map(|p| p.strip_prefix(&prefix)).filter(|n| !n.contains('/'));
        Ok(names.map(str::to_owned).collect())
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, Errno> {
        match self.entry(path)? {
            Entry::File(size, text) => {
                let mut bytes = text.clone().into_bytes();
                bytes.resize(usize::try_from(*size).unwrap(), 0);
                Ok(bytes)
            }
            Entry::Directory => Err(Errno::IsDirectory),
            Entry::Link(_) => Err(Errno::NotFound),
        }
    }
}

fn facts(case: &Json, vectors: &Json) -> HostFacts {
    let mut facts = HostFacts::default();
    let Some(body) = case["host"].as_u64() else { return facts };
    let said = &vectors["bodies"][body as usize];
    let number = |value: &Json| value.as_u64();
    facts.cpus = number(&said["cpus"]).map_or(facts.cpus, |n| n as u32);
    facts.memory_mib = number(&said["mem_mb"]).unwrap_or(facts.memory_mib);
    facts.nested = said["nested"].as_bool().unwrap_or_default();
    facts.vhost_vsock = !said["no_vsock"].as_bool().unwrap_or_default();
    facts.protection = match said["protection"].as_str() {
        Some("tdx") => Protection::Tdx,
        Some("snp") => Protection::Snp,
        Some("sev") => Protection::Sev,
        Some("se") => Protection::Se,
        _ => Protection::None,
    };
    for node in said["numa"].as_array().into_iter().flatten() {
        let memory_mib = number(&node["mem_mb"]).unwrap();
        facts.numa.push(NumaNode { cpus: node["cpus"].as_str().unwrap().to_owned(), memory_mib });
    }
    facts
}

/// The annotations that the runtime is given: the case's, and the CRI's own.
fn annotations(case: &Json) -> BTreeMap<String, String> {
    let mut all: BTreeMap<String, String> = [
        ("io.kubernetes.cri.container-type", "sandbox"),
        ("io.kubernetes.cri.sandbox-id", "SANDBOXID"),
        ("io.kubernetes.cri.sandbox-name", "oracle-pod"),
        ("io.kubernetes.cri.sandbox-namespace", "default"),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .into();
    for (key, value) in case["annotations"].as_object().unwrap() {
        all.insert(key.clone(), value.as_str().unwrap().to_owned());
    }
    let sizes = [
        ("cpu_period", "cpu-period"),
        ("cpu_quota", "cpu-quota"),
        ("cpu_shares", "cpu-shares"),
        ("memory_limit", "memory"),
    ];
    for (field, name) in sizes {
        if !case[field].is_null() {
            all.insert(format!("io.kubernetes.cri.sandbox-{name}"), case[field].to_string());
        }
    }
    all
}

/// Numbers by value; what is empty is absent.
fn plain(value: &Json) -> Json {
    match value {
        Json::Number(number) => number.as_f64().map_or(Json::Null, Json::from),
        Json::String(text) if text.is_empty() => Json::Null,
        Json::Array(items) if items.is_empty() => Json::Null,
        Json::Array(items) => Json::Array(items.iter().map(plain).collect()),
        Json::Object(fields) if fields.is_empty() => Json::Null,
        Json::Object(fields) => {
            let mut sorted: Vec<_> = fields.iter().collect();
            sorted.sort_by(|a, b| a.0.cmp(b.0));
            Json::Object(sorted.into_iter().map(|(k, v)| (k.clone(), plain(v))).collect())
        }
        other => other.clone(),
    }
}

struct Held<'a> {
    vectors: &'a Json,
    id: &'a str,
    wrong: Vec<String>,
}

impl Held<'_> {
    fn same(&mut self, what: &str, want: &Json, got: &Json) {
        if plain(want) != plain(got) {
            self.wrong.push(format!("{} {what}: want {want} got {got}", self.id));
        }
    }

    fn string(&self, index: &Json) -> &str {
        self.vectors["strings"][index.as_u64().unwrap() as usize].as_str().unwrap()
    }

    fn strings(&self, indices: &Json) -> Json {
        indices.as_array().into_iter().flatten().map(|i| Json::from(self.string(i))).collect()
    }

    fn body(&self, index: &Json) -> Json {
        index.as_u64().map_or(Json::Null, |i| self.vectors["bodies"][i as usize].clone())
    }

    fn refused(&mut self, case: &Json, run: &Run) {
        let want = self.string(&case["error"]).to_owned();
        let Some(failure) = &run.failure else {
            self.wrong.push(format!("{}: want {want:?}, but it starts", self.id));
            return;
        };
        let gated = run.verdicts.iter().filter(|v| v.stage == Stage::Name && v.status == Status::Refused);
        if let Some(count) = case["not_enabled"].as_u64() {
            // The runtime names any one of them.
            let named = failure.annotation.clone().unwrap_or_default();
            let gated: Vec<_> = gated.map(|v| v.key.clone()).collect();
            let good = gated.len() as u64 == count && gated.contains(&named);
            if !good || failure.message != format!("annotation {named} is not enabled") {
                self.wrong.push(format!("{}: want {count} refused names got {failure:?}", self.id));
            }
        } else if case["panic"].as_bool() == Some(true) {
            if !failure.panic {
                self.wrong.push(format!("{}: want a crash got {failure:?}", self.id));
            }
        } else {
            let error = Json::from(want.trim_end());
            self.same("error", &error, &Json::from(failure.message.trim_end()));
        }
        let stage = Json::from(failure.stage.as_str());
        self.same("stage", &case["stage"], &stage);
        if let Some(named) = &failure.annotation {
            let verdict = run.verdicts.iter().find(|v| v.key == *named);
            if verdict.is_none_or(|v| v.status != Status::Refused || v.reason.is_empty()) {
                self.wrong
                    .push(format!("{}: {named} fails the pod, but its verdict is {verdict:?}", self.id));
            }
        }
    }

    fn accepted(&mut self, case: &Json, run: &Run, base: &BTreeMap<String, Json>) {
        if let Some(failure) = &run.failure {
            self.wrong.push(format!("{}: want a start got {failure:?}", self.id));
            return;
        }
        let effective = run.effective.as_ref().unwrap();
        let changed = case["effective"].as_object().unwrap();
        for (key, want) in base.iter().map(|(k, v)| (k, changed.get(k).unwrap_or(v))).chain(changed) {
            let got = effective.get(key).map_or(Json::Null, |v| v.value.clone());
            let wanted = plain(want);
            let nothing = matches!(wanted, Json::Null | Json::Bool(false)) || wanted.as_f64() == Some(0.0);
            if !(got.is_null() && nothing) {
                self.same(key, want, &got);
            }
        }
        let launch = run.launch.as_ref().unwrap();
        let texts =
            |args: &[katascope::launch::Arg]| -> Json { args.iter().map(|a| a.text.as_str()).collect() };
        let program = Json::from(self.string(&case["program"]));
        self.same("program", &program, &Json::from(launch.program.clone().unwrap_or_default()));
        let args = self.strings(&case["args"]);
        self.same("args", &args, &texts(&launch.args));
        let helper = self.strings(&case["helper"]);
        let got: Json = launch
            .helpers
            .first()
            .map(|h| {
                std::iter::once(h.program.as_str()).chain(h.args.iter().map(|a| a.text.as_str())).collect()
            })
            .unwrap_or_default();
        self.same("helper", &helper, &got);
        let request = |path: &str| {
            launch.requests.iter().find(|r| r.path.contains(path)).map_or(Json::Null, |r| r.body.clone())
        };
        if !case["vm_config"].is_null() {
            let want = self.body(&case["vm_config"]);
            self.same("vm.create", &want, &request("vm.create"));
        }
        if !case["create_vm_request"].is_null() {
            let want = self.body(&case["create_vm_request"]);
            self.same("CreateVM", &want, &request("CreateVM"));
        }
        let want = self.body(&case["fc_config"]);
        let file = launch.files.first().map_or(Json::Null, |f| f.body.clone());
        self.same("fc_config", &want, &file);
        let agent = run.agent.as_ref().unwrap();
        let cmdline = Json::from(self.string(&case["cmdline"]));
        self.same("cmdline", &cmdline, &Json::from(agent.kernel_cmdline.as_str()));
        let want = self.body(&case["create_sandbox"]);
        for (key, value) in want.as_object().unwrap() {
            self.same(key, value, agent.create_sandbox.get(key).unwrap_or(&Json::Null));
        }
        let policy = Json::from(self.string(&case["policy"]));
        self.same("policy", &policy, &Json::from(agent.policy.clone().unwrap_or_default()));
    }
}

#[test]
fn every_recorded_sandbox_comes_out_as_it_did() {
    let vectors: Json = serde_json::from_str(include_str!("vectors/conformance-go.json")).unwrap();
    let files: Arc<dyn Files> = Arc::new(Recorded::new(&vectors));
    let mut hosts: BTreeMap<String, Host> = BTreeMap::new();
    let mut bases: BTreeMap<u64, BTreeMap<String, Json>> = BTreeMap::new();
    let mut held = Held { vectors: &vectors, id: "", wrong: Vec::new() };
    let mut starts = 0;
    for case in vectors["cases"].as_array().unwrap() {
        held.id = case["id"].as_str().unwrap();
        let host = hosts
            .entry(case["host"].to_string())
            .or_insert_with(|| Host::new(facts(case, &vectors), Arc::clone(&files)));
        let path = held.string(&case["config"]);
        let layers = Layers::read(host, path);
        let loaded = Loaded::load(Generation::Go41, &layers, host, &LoadOptions::default());
        let received = annotations(case);
        let sandbox = Sandbox { id: "SANDBOXID", hostname: "oracle-pod", annotations: &received };
        let loaded = match loaded {
            Ok(loaded) => loaded,
            Err(error) => {
                assert_eq!(case["stage"], "load", "{}: {error:?}", held.id);
                assert_eq!(error.message, held.string(&case["error"]), "{}", held.id);
                assert!(error.place.is_some(), "{}", held.id);
                continue;
            }
        };
        let run = loaded.run(host, &sandbox, Depth::Full);
        let brief = loaded.run(host, &sandbox, Depth::Verdicts);
        assert_eq!((&brief.failure, &brief.verdicts), (&run.failure, &run.verdicts), "{}", held.id);
        let kata =
            received.keys().filter(|k| k.starts_with("io.katacontainers.") || k.starts_with("sgx.intel"));
        if run.failure.as_ref().is_none_or(|f| !f.message.starts_with("Unknown container type")) {
            assert_eq!(run.verdicts.len(), kata.count(), "{}", held.id);
        }
        if case["stage"].is_string() {
            held.refused(case, &run);
        } else {
            starts += 1;
            let base = bases
                .entry(case["config"].as_u64().unwrap())
                .or_insert_with(|| case["effective"].as_object().unwrap().clone().into_iter().collect());
            held.accepted(case, &run, base);
        }
    }
    assert!(held.wrong.is_empty(), "{} differences\n{}", held.wrong.len(), held.wrong.join("\n"));
    assert_eq!(starts, 602);
}
