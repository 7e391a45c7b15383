//! Every release that exists is asked: no question brings one down, each says how its answers are known, and each edge
//! of a span of the catalogue makes a difference between the release before and the release itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use katascope::answer::verdict::{Stage, Status, Verdict};
use katascope::catalog::{self, ConfigKey, KeyReader, Kind, Reader};
use katascope::evaluate::{Evaluator, Outcome, Setup};
use katascope::input::config::Layers;
use katascope::input::host::{HostFacts, MemoryFiles};
use katascope::input::manifest::{self, Pod};
use katascope::input::{Host, Source};
use katascope::release::{Evidence, KnownBy, Release, Runtime};
use katascope::runtime::Depth;
use katascope::sample;
use serde_json::{Value as Json, json};

use crate::recorded::recorded_releases;

const RUNTIMES: [Runtime; 2] = [Runtime::Go, Runtime::Rs];

fn releases() -> impl Iterator<Item = Release> {
    RUNTIMES
        .into_iter()
        .flat_map(|runtime| runtime.versions().map(move |version| Release::new(runtime, version)))
}

#[test]
fn what_is_measured_is_recorded() {
    assert_eq!(releases().count(), 64 + 42);
    for release in releases() {
        let recorded = recorded_releases().contains(&release);
        assert_eq!(release.evidence() == Evidence::Measured, recorded, "{}", release.id());
        assert_eq!(release.caveat().is_none(), recorded, "{}", release.id());
    }
}

/// A configuration that names files of `/kata` alone, for one hypervisor.
fn configuration(hypervisor: &str, more: &str) -> String {
    let name = match hypervisor {
        "dragonball" | "remote" => "",
        _ => "path = \"/kata/vmm\"\nvirtio_fs_daemon = \"/kata/virtiofsd\"\n",
    };
    let pipe = if hypervisor == "acrn" { "" } else { "container_pipe_size = 0\n" };
    format!(
        "[hypervisor.{hypervisor}]\n{name}kernel = \"/kata/vmlinuz\"\nimage = \"/kata/kata.img\"\n\
         ctlpath = \"/kata/ctl\"\njailer_path = \"\"\nenable_annotations = [\".*\"]\nvalid_hypervisor_paths = [\"/kata/*\"]\n\
         {more}\n[agent.kata]\n{pipe}[runtime]\nname = \"virt_container\"\nhypervisor_name = \"{hypervisor}\"\n\
         agent_name = \"kata\"\n"
    )
}

fn evaluator(release: Release, text: &str) -> Evaluator {
    let files = ["vmm", "virtiofsd", "vmlinuz", "kata.img", "ctl"];
    let files = files
        .iter()
        .fold(MemoryFiles::new(), |all, name| all.file(&format!("/kata/{name}"), 0o755, "x"))
        .file("/usr/bin/qemu-lite-system-x86_64", 0o755, "")
        .file("/usr/bin/qemu-system-x86_64", 0o755, "")
        .file("/dev/vhost-vsock", 0o666, "")
        .file("/dev/urandom", 0o666, "");
    let host = Host::new(HostFacts { cpus: 8, memory_mib: 16_384, ..HostFacts::default() }, Arc::new(files));
    let layers = Layers::of_text("/kata/configuration.toml", text);
    Evaluator::new(Setup {
        host,
        layers,
        release,
        known_by: KnownBy::Said,
        release_note: None,
        ..sample::evaluator().setup().clone()
    })
}

fn pod(annotations: &Json) -> Pod {
    let spec = json!({ "ociVersion": "1.1.0", "annotations": annotations });
    manifest::read(&Source::new("pod.json", spec.to_string())).unwrap().pods.remove(0)
}

/// The pods that the specification of this project speaks of: one for each key of its table.
fn pods_of_the_specification() -> Vec<Pod> {
    let rows = include_str!("specification.tsv").lines().skip(1).filter_map(|row| row.split_once('\t'));
    rows.filter(|(key, _)| !key.ends_with("config_path"))
        .map(|(key, rest)| {
            let value = match rest.split('\t').next() {
                Some("boolean") => "true",
                Some("string") => "/kata/vmm",
                _ => "2",
            };
            pod(&json!({ key: value }))
        })
        .collect()
}

#[test]
fn every_release_has_an_answer() {
    let sample = sample::evaluator();
    let of_the_sample = manifest::read(&sample::pods()).unwrap().pods;
    let specified = pods_of_the_specification();
    for release in releases() {
        let own = sample.with_release(release);
        for pod in &of_the_sample {
            let answer = own.evaluate(pod, Depth::Full);
            let reached = matches!(answer.outcome, Outcome::Starts);
            assert_eq!(answer.launch.is_some() && answer.agent.is_some(), reached, "{}", release.id());
        }
        let hypervisor = if release.runtime == Runtime::Rs { "dragonball" } else { "qemu" };
        let small = evaluator(release, &configuration(hypervisor, ""));
        assert!(small.loaded().is_ok(), "{}: {:?}", release.id(), small.loaded().err());
        for pod in &specified {
            let answer = small.evaluate(pod, Depth::Verdicts);
            assert_eq!(answer.verdicts.len(), 1, "{}", release.id());
        }
    }
}

/// The hypervisor whose table is asked: one that uses it, and that the two releases know.
fn hypervisor(names: &[&'static str], both: [Release; 2]) -> &'static str {
    let all = [
        "qemu",
        "clh",
        "cloud-hypervisor",
        "firecracker",
        "dragonball",
        "remote",
        "stratovirt",
        "acrn",
        "openvmm",
    ];
    let known = |name: &&str| both.iter().all(|release| catalog::knows_hypervisor(*release, name));
    let used = |name: &&str| {
        names.is_empty() || names.contains(name) || *name == "cloud-hypervisor" && names.contains(&"clh")
    };
    all.into_iter().filter(known).find(used).or_else(|| all.into_iter().find(known)).unwrap()
}

fn before(release: Release) -> Option<Release> {
    let version = release.runtime.versions().rev().find(|version| *version < release.version)?;
    Some(Release::new(release.runtime, version))
}

/// A value that is read as one of this kind.
fn value(kind: Option<Kind>, choices: &[&str]) -> String {
    match kind {
        Some(Kind::Bool) => "true".into(),
        Some(Kind::Text | Kind::Path | Kind::Digest | Kind::List) => "/kata/vmm".into(),
        Some(Kind::Choice) => choices.first().copied().unwrap_or("x").into(),
        _ => "2".into(),
    }
}

fn verdict(release: Release, reader: &Reader, both: [Release; 2], key: &str) -> Verdict {
    // A remote hypervisor wants more, and every table of runtime-rs takes its annotations.
    let hypervisor = match hypervisor(reader.hypervisors, both) {
        "remote" if release.runtime == Runtime::Rs => "qemu",
        name => name,
    };
    let text = configuration(hypervisor, "");
    let asked = pod(&json!({ key: value(reader.kind, reader.choices) }));
    evaluator(release, &text).evaluate(&asked, Depth::Verdicts).verdicts.remove(0)
}

#[test]
fn an_annotation_is_known_from_its_first_release_to_its_last() {
    let mut wrong = Vec::new();
    for (release, earlier) in releases().filter_map(|release| Some((release, before(release)?))) {
        for annotation in catalog::all_annotations() {
            let (old, new) = (annotation.reader(earlier), annotation.reader(release));
            if old.read == new.read || annotation.level == catalog::Level::MountOption {
                continue;
            }
            let reader = if new.read { new } else { old };
            let both = [earlier, release];
            let known = |release, read: bool| {
                let verdict = verdict(release, reader, both, annotation.key);
                let unknown = verdict.status == Status::Unknown || verdict.stage == Stage::Known;
                if read { !unknown } else { unknown || verdict.status == Status::Ignored }
            };
            if !known(earlier, old.read) || !known(release, new.read) {
                wrong.push(format!("{} {}", release.id(), annotation.key));
            }
        }
    }
    assert!(wrong.is_empty(), "{} are known wrongly:\n{}", wrong.len(), wrong.join("\n"));
}

/// Keys that take no value of the plain ones.
const VALUES: &[(&str, &str)] = &[
    ("block_device_logical_sector_size", "512"),
    ("block_device_physical_sector_size", "512"),
    ("hugepage_type", "\"hugetlbfs\""),
    ("rootfs_type", "\"ext4\""),
    ("virtio_fs_queue_size", "512"),
    ("guest_extension_images", "[]"),
    ("shared_mounts", "[]"),
];

/// A table's name as a file has it, and the line that sets a key in it.
fn setting(key: &ConfigKey, reader: &KeyReader, hypervisor: &str) -> String {
    let table =
        key.table.replace("hypervisor.<name>", &format!("hypervisor.{hypervisor}")).replace("<name>", "kata");
    let own = VALUES.iter().find(|(name, _)| *name == key.key);
    let plain = match reader.kind {
        Kind::Bool => "true".to_owned(),
        Kind::List => "[]".to_owned(),
        Kind::Text | Kind::Path | Kind::Choice | Kind::Digest => "\"\"".to_owned(),
        _ => "1".to_owned(),
    };
    format!("{table}\n{} = {}", key.key, own.map_or(plain.as_str(), |(_, value)| value))
}

/// The configuration with a key more, in the table where it belongs.
fn with(key: &ConfigKey, reader: &KeyReader, hypervisor: &str) -> String {
    let (table, line) =
        setting(key, reader, hypervisor).split_once('\n').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let text = configuration(hypervisor, "");
    let head = format!("[{table}]\n");
    let own = line.split(' ').next().unwrap();
    let kept: Vec<&str> = text.lines().filter(|other| other.split(' ').next() != Some(own)).collect();
    let text = kept.join("\n") + "\n";
    match text.contains(&head) {
        true => text.replace(&head, &format!("{head}{line}\n")),
        false => format!("{text}{head}{line}\n"),
    }
}

#[test]
fn a_key_is_read_from_its_first_release_to_its_last() {
    let (mut wrong, mut refused) = (Vec::new(), BTreeSet::new());
    for (release, earlier) in releases().filter_map(|release| Some((release, before(release)?))) {
        for key in catalog::all_config_keys() {
            let (old, new) = (key.reader(earlier), key.reader(release));
            let (Some(reader), true) = (new.or(old), old.is_some() != new.is_some()) else { continue };
            let hypervisor = hypervisor(reader.hypervisors, [earlier, release]);
            let text = with(key, reader, hypervisor);
            for (release, read) in [(earlier, old.is_some()), (release, new.is_some())] {
                let evaluator = evaluator(release, &text);
                if let Err(error) = evaluator.loaded() {
                    refused.insert(format!("{}.{}: {} {}", key.table, key.key, release.id(), error.message));
                } else {
                    let named =
                        evaluator.unread_keys().iter().filter_map(|finding| finding.subject.as_deref());
                    let unread = named.into_iter().any(|name| name.ends_with(key.key));
                    // It goes on as another spelling of the key that took its place.
                    if unread == read && key.key != "dbg_monitor_socket" {
                        wrong.push(format!("{} {}.{} {hypervisor}", release.id(), key.table, key.key));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} are read wrongly:\n{}\n{refused:?}", wrong.len(), wrong.join("\n"));
    eprintln!("{refused:?}");
}

/// What counts where a key is absent.
fn default_of(release: Release, key: &ConfigKey, hypervisor: &str) -> Option<Json> {
    let text = configuration(hypervisor, "");
    let kept: Vec<&str> = text.lines().filter(|line| line.split(' ').next() != Some(key.key)).collect();
    let evaluator = evaluator(release, &kept.join("\n"));
    let table =
        key.table.replace("hypervisor.<name>", &format!("hypervisor.{hypervisor}")).replace("<name>", "kata");
    let bare = evaluator.bare()?;
    bare.get(&format!("{table}.{}", key.key)).map(|found| found.value.clone())
}

/// Defaults whose text changes where nothing that is shown does: the file's unit alone.
const TOLD_OTHERWISE: &[&str] = &["agent.<name>.create_container_timeout"];

#[test]
fn a_default_that_moves_moves_the_value() {
    let mut wrong = Vec::new();
    for (release, earlier) in releases().filter_map(|release| Some((release, before(release)?))) {
        for key in catalog::all_config_keys() {
            let (Some(old), Some(new)) = (key.reader(earlier), key.reader(release)) else { continue };
            let name = format!("{}.{}", key.table, key.key);
            if old.default == new.default || TOLD_OTHERWISE.contains(&name.as_str()) {
                continue;
            }
            let all = [
                "qemu",
                "clh",
                "cloud-hypervisor",
                "firecracker",
                "dragonball",
                "remote",
                "stratovirt",
                "acrn",
            ];
            let moves = all.iter().any(|hypervisor| {
                default_of(earlier, key, hypervisor) != default_of(release, key, hypervisor)
            });
            if !moves {
                wrong.push(format!("{} {name}: {} -> {}", release.id(), old.default, new.default));
            }
        }
    }
    assert!(wrong.is_empty(), "{} stay:\n{}", wrong.len(), wrong.join("\n"));
}

/// All values where nothing but what is needed is said.
fn bare(release: Release, hypervisor: &str) -> BTreeMap<String, Json> {
    let evaluator = evaluator(release, &configuration(hypervisor, ""));
    let bare = evaluator.bare().into_iter().flat_map(|all| all.iter());
    bare.map(|(key, found)| (key.to_string(), found.value.clone())).collect()
}

#[test]
fn a_default_that_stays_keeps_the_value() {
    let mut wrong = Vec::new();
    for hypervisor in
        ["qemu", "clh", "cloud-hypervisor", "firecracker", "dragonball", "remote", "stratovirt", "acrn"]
    {
        let said = configuration(hypervisor, "");
        for runtime in RUNTIMES {
            let all: Vec<Release> =
                runtime.versions().map(|version| Release::new(runtime, version)).collect();
            let values: Vec<_> = all.iter().map(|release| bare(*release, hypervisor)).collect();
            for at in 1..all.len() {
                for (name, value) in &values[at] {
                    let alike = |old: &Json| {
                        old == value || old.as_f64().is_some_and(|old| Some(old) == value.as_f64())
                    };
                    let Some(old) = values[at - 1].get(name).filter(|old| !alike(old)) else { continue };
                    let (table, key) = name.rsplit_once('.').unwrap();
                    if said.lines().any(|line| line.starts_with(&format!("{key} = "))) {
                        continue;
                    }
                    let Some(known) = catalog::config_key(table, key) else { continue };
                    let used = |reader: &KeyReader| {
                        reader.hypervisors.is_empty()
                            || reader
                                .hypervisors
                                .iter()
                                .any(|name| [hypervisor, "shared code"].contains(name))
                    };
                    // The runtime adds to these itself.
                    if key == "kernel_params" || !known.reader(all[at]).is_some_and(used) {
                        continue;
                    }
                    let default = |release| known.reader(release).map(|reader| reader.default);
                    if default(all[at - 1]) == default(all[at]) {
                        wrong.push(format!(
                            "{} {name}: {old} -> {value}, {:?}",
                            all[at].id(),
                            default(all[at])
                        ));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} move:\n{}", wrong.len(), wrong.join("\n"));
}
