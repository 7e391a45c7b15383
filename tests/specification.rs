//! Holds the catalogue and the Go runtime 2.1 against the annotations of Kata's documentation at its time:
//! 64 keys, the type of each, which are restricted, and the list that restricts them.
//!
//! Where the documentation and the runtime disagree the runtime counts, and the test names the difference.

use std::collections::BTreeSet;
use std::sync::Arc;

use katascope::answer::verdict::{Stage, Status, Verdict};
use katascope::catalog::{self, Gate, HYPERVISOR_PREFIX, Kind};
use katascope::evaluate::{Evaluator, Setup};
use katascope::input::config::Layers;
use katascope::input::host::{HostFacts, MemoryFiles};
use katascope::input::source::Source;
use katascope::input::{Host, manifest};
use katascope::release::Release;
use katascope::sample;

struct Documented {
    key: &'static str,
    kind: &'static str,
    restricted: bool,
    list: Option<&'static str>,
}

impl Documented {
    fn gated(&self) -> bool {
        self.key.starts_with(HYPERVISOR_PREFIX)
    }

    fn is(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.key.strip_prefix("io.katacontainers.") == Some(*name))
    }
}

fn documented() -> Vec<Documented> {
    let rows = include_str!("specification.tsv").lines().skip(1);
    rows.map(|row| {
        let cells: Vec<&str> = row.split('\t').collect();
        let [key, kind, restricted, list] = cells[..] else { panic!("{row}") };
        Documented { key, kind, restricted: restricted == "R", list: (list != "-").then_some(list) }
    })
    .collect()
}

/// What the documentation has and the runtime never looks at.
const NEVER_READ: [&str; 5] = [
    "pkg.oci.bundle_path",
    "pkg.oci.container_type",
    "config.hypervisor.asset_hash_type",
    "config.hypervisor.enable_vhost_user_store",
    "config.hypervisor.use_vsock",
];

#[test]
fn every_documented_key_is_in_the_catalogue() {
    let rows = documented();
    assert_eq!(rows.len(), 64);
    assert_eq!(rows.iter().filter(|row| row.restricted).count(), 6);
    for row in &rows {
        let annotation = catalog::annotation(row.key).unwrap_or_else(|| panic!("{} is not there", row.key));
        let reader = annotation.reader(Release::go(2, 1, 0));
        assert!(reader.documented, "{}", row.key);
        assert_eq!(reader.read, !row.is(&NEVER_READ), "{}", row.key);
        if !reader.read {
            continue;
        }
        let kind = reader.kind.unwrap();
        let fits = match row.kind {
            // Documented as a boolean, read as names of features.
            "boolean" if row.is(&["config.runtime.experimental"]) => kind == Kind::List,
            "boolean" => kind == Kind::Bool,
            // One key is documented without a type.
            "uint32" | "-" => kind == Kind::U32,
            _ => matches!(kind, Kind::Text | Kind::Path | Kind::Choice | Kind::Digest | Kind::List),
        };
        assert!(fits, "{} is documented as {}, not {kind:?}", row.key, row.kind);
        let gate = match row.list {
            Some(list) => Gate::NameAndValue(list),
            // Not marked as restricted, though a list gates it.
            None if row.is(&["config.hypervisor.entropy_source"]) => {
                Gate::NameAndValue("valid_entropy_sources")
            }
            None if row.gated() => Gate::Name,
            None => Gate::None,
        };
        assert_eq!(reader.gate, gate, "{}", row.key);
        assert_eq!(row.restricted, row.list.is_some(), "{}", row.key);
    }
}

#[test]
fn what_else_is_read_is_known() {
    let rows: BTreeSet<&str> = documented().iter().map(|row| row.key).collect();
    let others: Vec<&str> = catalog::annotations(Release::go(2, 1, 0))
        .map(|(annotation, _)| annotation.key)
        .filter(|key| !rows.contains(key))
        .collect();
    assert_eq!(
        others,
        [
            "io.katacontainers.config.hypervisor.hypervisorctl_hash",
            "io.katacontainers.config.hypervisor.rx_rate_limiter_max_rate",
            "io.katacontainers.config.hypervisor.tx_rate_limiter_max_rate",
            "io.katacontainers.config.runtime.enable_pprof",
            "sgx.intel.com/epc",
        ]
    );
}

/// The verdict on one annotation under a table without any list but `enable_annotations`.
fn verdict(enabled: &str, key: &str, value: &str) -> Verdict {
    let files = ["qemu", "vmlinuz", "kata.img"];
    let files =
        files.iter().fold(MemoryFiles::new(), |all, name| all.file(&format!("/kata/{name}"), 0o755, "x"));
    let host = Host::new(HostFacts::default(), Arc::new(files));
    let text = format!(
        "[hypervisor.qemu]\npath = \"/kata/qemu\"\nkernel = \"/kata/vmlinuz\"\nimage = \"/kata/kata.img\"\n\
         enable_annotations = {enabled}\n"
    );
    let layers = Layers::of_text("/kata/configuration.toml", &text);
    let release = Release::go(2, 1, 0);
    let evaluator = Evaluator::new(Setup { host, layers, release, ..sample::evaluator().setup().clone() });
    let spec = serde_json::json!({ "ociVersion": "1.1.0", "annotations": { key: value } });
    let documents = manifest::read(&Source::new("pod.json", spec.to_string())).unwrap();
    evaluator.judge(&documents.pods[0]).verdicts.remove(0)
}

#[test]
fn names_and_values_are_gated_as_documented() {
    for row in documented() {
        if row.is(&["config_path"]) {
            continue;
        }
        let closed = verdict("[]", row.key, "/kata/qemu");
        let at_name = closed.status == Status::Refused && closed.stage == Stage::Name;
        assert_eq!(at_name, row.gated(), "{}: {closed:?}", row.key);
        let open = verdict("[\".*\"]", row.key, "/kata/qemu");
        // A list that lets no file through, and not a word that is none of a few.
        let at_value = open.status == Status::Refused
            && open.stage == Stage::Value
            && open.reason().contains("no pattern of valid_");
        let listed = row.restricted || row.is(&["config.hypervisor.entropy_source"]);
        assert_eq!(at_value, listed, "{}: {open:?}", row.key);
        if row.is(&NEVER_READ) {
            let nothing = matches!(open.status, Status::Ignored | Status::Unknown | Status::Overridden);
            assert!(nothing, "{}: {open:?}", row.key);
        }
        if row.kind == "boolean" && !row.is(&NEVER_READ) {
            assert_eq!(open.status, Status::Refused, "{}", row.key);
        }
        if row.kind == "boolean" && !row.is(&NEVER_READ) && !row.is(&["config.runtime.experimental"]) {
            let good = verdict("[\".*\"]", row.key, "false");
            assert_eq!(good.status, Status::Applied, "{}: {good:?}", row.key);
        }
    }
}
