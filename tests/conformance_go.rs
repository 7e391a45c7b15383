//! Holds the Go runtime 4.1 against what the real one answered, from configuration files and annotations
//! to the effective configuration, the VM's process and the agent's request, or to the error.
//!
//! The vectors hold the host's files (large ones are zeros), every case with its answer as numbers in a
//! table of strings and one of bodies, and effective values as the difference from the first accepted
//! case of the same configuration.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::support::{GO_CRI, Recorded, assert_as_fresh, plain, received, tokens};
use katascope::answer::verdict::{Stage, Status};
use katascope::input::Host;
use katascope::input::config::Layers;
use katascope::input::host::{Files, HostFacts, NumaNode, Protection};
use katascope::release::{Release, Runtime};
use katascope::runtime::{Depth, LoadOptions, Loaded, Run, Sandbox};
use serde_json::Value as Json;

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
            let gated: Vec<_> = gated.map(|v| v.key.to_string()).collect();
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
            if verdict.is_none_or(|v| v.status != Status::Refused || v.reason().is_empty()) {
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
        let texts = |args: &[katascope::answer::launch::Arg]| -> Json {
            args.iter().map(|a| a.text.as_str()).collect()
        };
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
    let vectors: Json = serde_json::from_str(&tokens(include_str!("vectors/conformance-go.json"))).unwrap();
    let files: Arc<dyn Files> = Arc::new(Recorded::new(&vectors));
    let mut hosts: BTreeMap<String, Host> = BTreeMap::new();
    let mut bases: BTreeMap<u64, BTreeMap<String, Json>> = BTreeMap::new();
    let mut held = Held { vectors: &vectors, id: "", wrong: Vec::new() };
    let mut starts = 0;
    let mut loads: BTreeMap<(String, String), _> = BTreeMap::new();
    for case in vectors["cases"].as_array().unwrap() {
        held.id = case["id"].as_str().unwrap();
        let host = hosts
            .entry(case["host"].to_string())
            .or_insert_with(|| Host::new(facts(case, &vectors), Arc::clone(&files)));
        let path = held.string(&case["config"]);
        let loaded = loads.entry((path.to_owned(), case["host"].to_string())).or_insert_with(|| {
            Loaded::load(
                Release::newest(Runtime::Go),
                &Layers::read(host, path),
                host,
                &LoadOptions::default(),
            )
        });
        let annotations = received(case, &GO_CRI).into_iter().collect();
        let sandbox = Sandbox {
            id: "SANDBOXID",
            hostname: "oracle-pod",
            host_network: false,
            annotations: &annotations,
        };
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
        assert_eq!(brief.findings, run.findings, "{}", held.id);
        let fresh = Host::new(host.facts.clone(), Arc::clone(&files));
        assert_as_fresh(Release::newest(Runtime::Go), path, &fresh, &sandbox, &run);
        let is_katas = |key: &str| key.starts_with("io.katacontainers.") || key.starts_with("sgx.intel");
        let katas = annotations.in_order(is_katas).len();
        if run.failure.as_ref().is_none_or(|f| !f.message.starts_with("Unknown container type")) {
            assert_eq!(run.verdicts.len(), katas, "{}", held.id);
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
