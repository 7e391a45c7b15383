//! Holds runtime-rs 4.1 against what the real one answered, from configuration files and annotations to
//! the effective configuration, or to the error.
//!
//! Where several annotations fail the real runtime names any one of them; the vectors list them all.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::support::{Recorded, assert_as_fresh, plain, received, vectors};
use katascope::answer::effective::Origin;
use katascope::answer::verdict::Status;
use katascope::input::config::Layers;
use katascope::input::host::{Files, HostFacts};
use katascope::input::{Annotations, Host};
use katascope::release::{Release, Runtime};
use katascope::runtime::{Depth, LoadOptions, Loaded, Run, Sandbox};
use serde_json::Value as Json;

const CRI: [(&str, &str); 2] =
    [("io.kubernetes.cri.container-type", "sandbox"), ("io.kubernetes.cri.sandbox-id", "SANDBOXID")];

fn facts(case: &Json) -> HostFacts {
    HostFacts {
        cpus: case["host_cpus"].as_u64().unwrap_or(16) as u32,
        memory_mib: case["host_mem_mib"].as_u64().unwrap_or(65536),
        nested: case["nested"].as_bool().unwrap_or_default(),
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

    fn refused(&mut self, want: &Json, stage: &str, message: &str, panic: bool) {
        if want["stage"] != stage {
            self.wrong(format!("stage: want {} got {stage}: {message}", want["stage"]));
        }
        if want["panic"] == true {
            if !panic {
                self.wrong(format!("want a crash got {message:?}"));
            }
            return;
        }
        let alternatives: Vec<&str> = want["order_dependent"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|text| text.as_str()?.strip_prefix("err annotations "))
            .collect();
        let error = want["error"].as_str().unwrap();
        if message != error && !alternatives.contains(&message) {
            self.wrong(format!("error:\n  want {error:?}\n  got  {message:?}"));
        }
    }

    fn accepted(&mut self, want: &Json, run: &Run, annotations: &Annotations) {
        let effective = run.effective.as_ref().unwrap();
        let wanted = want["effective"].as_object().unwrap();
        for (key, value) in wanted {
            let got = effective.get(key).map_or(Json::Null, |v| v.value.clone());
            if plain(value) != plain(&got) {
                self.wrong(format!("{key}: want {value} got {got}"));
            }
        }
        for key in effective.iter().map(|(key, _)| key).filter(|key| !wanted.contains_key(key.as_ref())) {
            self.wrong(format!("{key} is not one of the runtime's"));
        }
        for verdict in &run.verdicts {
            let field = verdict.field.as_deref().unwrap_or_default();
            let set = effective.get(field).map(|v| &v.origin);
            if verdict.status == Status::Applied && !matches!(set, Some(Origin::Annotation(_))) {
                self.wrong(format!("{} is applied, but {field} comes from {set:?}", verdict.key));
            }
            if annotations.get(&verdict.key) != Some(&verdict.value) {
                self.wrong(format!("{} has another value than the pod", verdict.key));
            }
        }
    }
}

#[test]
fn every_recorded_sandbox_comes_out_as_it_did() {
    let vectors = vectors(include_bytes!("vectors/conformance-rs.json.gz"));
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
            let loaded = Loaded::load(Release::newest(Runtime::Rs), &layers, &host, &LoadOptions::default());
            (host, loaded)
        });
        let loaded = match loaded {
            Ok(loaded) => loaded,
            Err(error) => {
                held.refused(want, "load", &error.message, error.panic);
                if error.place.is_none() {
                    held.wrong("has no place");
                }
                continue;
            }
        };
        let annotations = received(case, &CRI).into_iter().collect();
        let sandbox =
            Sandbox { id: "SANDBOXID", hostname: "", host_network: false, annotations: &annotations };
        let run = loaded.run(host, &sandbox, Depth::Full);
        let brief = loaded.run(host, &sandbox, Depth::Verdicts);
        assert_eq!((&brief.failure, &brief.verdicts), (&run.failure, &run.verdicts), "{}", held.id);
        assert_eq!(brief.findings, run.findings, "{}", held.id);
        let fresh = Host::new(host.facts.clone(), Arc::clone(&files));
        assert_as_fresh(Release::newest(Runtime::Rs), path, &fresh, &sandbox, &run);
        let katas = annotations.in_order(|key| key.starts_with("io.katacontainers.")).len();
        assert_eq!(run.verdicts.len(), katas, "{}", held.id);
        assert!(run.verdicts.iter().all(|v| !v.reason().is_empty() && !v.trace.is_empty()), "{}", held.id);
        match (&run.failure, want["accepted"].as_bool().unwrap()) {
            (None, true) => {
                starts += 1;
                held.accepted(want, &run, &annotations);
            }
            (Some(failure), false) => {
                held.refused(want, failure.stage.as_str(), &failure.message, failure.panic);
                if let Some(key) = &failure.annotation {
                    let verdict = run.verdicts.iter().find(|v| v.key == *key);
                    if failure.stage.as_str() != "launch"
                        && verdict.is_none_or(|v| v.status != Status::Refused)
                    {
                        held.wrong(format!("{key} fails the pod, but its verdict is {verdict:?}"));
                    }
                }
            }
            (None, false) => held.wrong(format!("starts; want {}", want["error"])),
            (Some(failure), true) => held.wrong(format!("should start: {failure:?}")),
        }
    }
    assert!(held.wrong.is_empty(), "{} differences\n{}", held.wrong.len(), held.wrong.join("\n"));
    assert_eq!(starts, 794);
}
