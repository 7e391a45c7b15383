//! Holds the Go runtime 2.1 against what the real one answered, from configuration files and annotations
//! to the effective configuration, the VM's process and the agent's request, or to the error.
//!
//! Of several annotations that the name gate refuses the real runtime names any one.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::support::{GO_CRI, Recorded, assert_as_fresh, plain, received, tokens, unpacked};
use katascope::answer::effective::Origin;
use katascope::answer::finding::Code;
use katascope::answer::launch::Arg;
use katascope::answer::verdict::{Stage, Status};
use katascope::input::Host;
use katascope::input::config::Layers;
use katascope::input::host::{Files, HostFacts};
use katascope::release::Release;
use katascope::runtime::{Depth, LoadError, LoadOptions, Loaded, Run, Sandbox};
use serde_json::Value as Json;

fn facts(case: &Json) -> HostFacts {
    let said = &case["host"];
    HostFacts {
        cpus: said["cpus"].as_u64().unwrap_or(8) as u32,
        memory_mib: said["mem_mb"].as_u64().unwrap_or(16384),
        nested: said["nested"].as_bool().unwrap_or_default(),
        vhost_vsock: !said["no_vsock"].as_bool().unwrap_or_default(),
        ..HostFacts::default()
    }
}

#[derive(Default)]
struct Held {
    id: String,
    wrong: Vec<String>,
}

impl Held {
    fn wrong(&mut self, what: impl std::fmt::Display) {
        self.wrong.push(format!("{} {what}", self.id));
    }

    fn same(&mut self, what: &str, want: &Json, got: &Json) {
        if plain(want) != plain(got) {
            self.wrong(format!("{what}: want {want} got {got}"));
        }
    }

    fn refused(&mut self, want: &Json, run: &Run) {
        let failure = run.failure.as_ref().unwrap();
        self.same("stage", &want["stage"], &failure.stage.as_str().into());
        if want["panic"] == true && !failure.panic {
            self.wrong("want a crash");
        }
        let gated = run.verdicts.iter().filter(|v| v.stage == Stage::Name && v.status == Status::Refused);
        match want["not_enabled"].as_array() {
            Some(keys) => {
                let gated: Json = gated.map(|v| v.key.as_str()).collect();
                self.same("gated", &Json::from(keys.clone()), &gated);
                let named = failure.annotation.as_deref().unwrap_or_default();
                self.same(
                    "error",
                    &format!("annotation {named} is not enabled").into(),
                    &failure.message.clone().into(),
                );
            }
            None => self.same("error", &want["error"], &failure.message.clone().into()),
        }
        if let Some(key) = failure.annotation.as_deref().filter(|key| key.starts_with("io.katacontainers.")) {
            let verdict = run.verdicts.iter().find(|v| v.key == key);
            if verdict.is_none_or(|v| v.status != Status::Refused) {
                self.wrong(format!("{key} fails the pod, but its verdict is {verdict:?}"));
            }
        }
    }

    fn accepted(&mut self, want: &Json, run: &Run) {
        let effective = run.effective.as_ref().unwrap();
        for (key, value) in want["effective"].as_object().unwrap() {
            let got = effective.get(key).map_or(Json::Null, |v| v.value.clone());
            let nothing =
                matches!(plain(value), Json::Null | Json::Bool(false)) || value.as_f64() == Some(0.0);
            if !(got.is_null() && nothing) {
                self.same(key, value, &got);
            }
        }
        for verdict in run.verdicts.iter().filter(|v| v.status == Status::Applied) {
            let Some(field) = &verdict.field else { continue };
            let origin = effective.get(field).map(|v| &v.origin);
            if origin != Some(&Origin::Annotation(verdict.key.to_string().into())) {
                self.wrong(format!("{} is applied, but {field} comes from {origin:?}", verdict.key));
            }
        }
        let texts = |args: &[Arg]| -> Json { args.iter().map(|a| a.text.as_str()).collect() };
        let launch = run.launch.as_ref().unwrap();
        self.same("program", &want["program"], &launch.program.clone().into());
        self.same("args", &want["args"], &texts(&launch.args));
        let helper: Json = launch.helpers.first().map_or(Json::Null, |h| {
            std::iter::once(h.program.as_str()).chain(h.args.iter().map(|a| a.text.as_str())).collect()
        });
        self.same("helper", &want["helper"], &helper);
        let created = launch.requests.iter().find(|r| r.path == "vm.create");
        self.same("vm.create", &want["vm_config"], &created.map_or(Json::Null, |r| r.body.clone()));
        let file = launch.files.first().map_or(Json::Null, |f| f.body.clone());
        self.same("fc_config", &want["fc_config"], &file);
        let agent = run.agent.as_ref().unwrap();
        self.same("cmdline", &want["cmdline"], &agent.kernel_cmdline.clone().into());
        for (key, value) in want["create_sandbox"].as_object().unwrap() {
            self.same(key, value, agent.create_sandbox.get(key).unwrap_or(&Json::Null));
        }
    }
}

fn run(loaded: &Result<Loaded, LoadError>, host: &Host, sandbox: &Sandbox<'_>, depth: Depth) -> Run {
    match loaded {
        Ok(loaded) => loaded.run(host, sandbox, depth),
        Err(error) => Loaded::run_without(Release::go(2, 1, 0), error, host, sandbox, depth),
    }
}

#[test]
fn every_recorded_sandbox_comes_out_as_it_did() {
    let recorded = tokens(&unpacked(include_bytes!("vectors/conformance-go21.json.gz")));
    let vectors: Json = serde_json::from_str(&recorded).unwrap();
    let files: Arc<dyn Files> = Arc::new(Recorded::new(&vectors));
    let mut held = Held::default();
    let mut starts = 0;
    let mut loads: BTreeMap<(String, String), _> = BTreeMap::new();
    for case in vectors["cases"].as_array().unwrap() {
        held.id = case["id"].as_str().unwrap().to_owned();
        let want = &case["want"];
        let facts = facts(case);
        let path = case["config"].as_str().unwrap();
        let (host, loaded) = loads.entry((path.to_owned(), format!("{facts:?}"))).or_insert_with(|| {
            let host = Host::new(facts, Arc::clone(&files));
            let layers = Layers::read(&host, path);
            let loaded = Loaded::load(Release::go(2, 1, 0), &layers, &host, &LoadOptions::default());
            (host, loaded)
        });
        if loaded.as_ref().is_err_and(|error| error.place.is_none()) {
            held.wrong("has no place");
        }
        let annotations = received(case, &GO_CRI).into_iter().collect();
        let sandbox = Sandbox {
            id: "SANDBOXID",
            hostname: "oracle-pod",
            host_network: false,
            annotations: &annotations,
        };
        let full = run(loaded, host, &sandbox, Depth::Full);
        let brief = run(loaded, host, &sandbox, Depth::Verdicts);
        assert_eq!((&brief.failure, &brief.verdicts), (&full.failure, &full.verdicts), "{}", held.id);
        assert_eq!(brief.findings, full.findings, "{}", held.id);
        let fresh = Host::new(host.facts.clone(), Arc::clone(&files));
        assert_as_fresh(Release::go(2, 1, 0), path, &fresh, &sandbox, &full);
        if loaded.is_ok() {
            let is_owed = |key: &str| key.starts_with("io.katacontainers.") || key == "sgx.intel.com/epc";
            assert_eq!(full.verdicts.len(), annotations.in_order(is_owed).len(), "{}", held.id);
        }
        assert!(full.verdicts.iter().all(|v| !v.reason().is_empty() && !v.trace.is_empty()), "{}", held.id);
        let moved = annotations.get("io.katacontainers.config_path").is_some_and(|path| !path.is_empty());
        let said = full.findings.iter().any(|finding| finding.code == Code::ConfigElsewhere);
        assert_eq!(said, moved, "{}", held.id);
        match (&full.failure, want["stage"].as_str()) {
            (None, None) => {
                starts += 1;
                held.accepted(want, &full);
            }
            (Some(_), Some(_)) => held.refused(want, &full),
            (None, Some(_)) => held.wrong(format!("starts; want {}", want["error"])),
            (Some(failure), None) => held.wrong(format!("should start: {failure:?}")),
        }
    }
    assert!(held.wrong.is_empty(), "{} differences\n{}", held.wrong.len(), held.wrong.join("\n"));
    assert_eq!(starts, 460);
}
