//! What is said to have decided an argument or a request is what did.

use katascope::diff::evaluation::{BodyRows, Differences};
use katascope::evaluate::{Evaluation, Evaluator, Setup};
use katascope::input::config::Layers;
use katascope::input::manifest;
use katascope::input::source::Source;
use katascope::release::{Release, Runtime};
use katascope::runtime::Depth;
use katascope::sample;

use crate::support::{QEMU, QEMU_NAMES};

fn evaluator(release: Release) -> Evaluator {
    let text = match release.runtime {
        Runtime::Rs => format!("{QEMU}{QEMU_NAMES}"),
        Runtime::Go => QEMU.to_owned(),
    };
    let layers = Layers::of_text("/etc/kata-containers/configuration.toml", &text);
    Evaluator::new(Setup { layers, release, ..sample::evaluator().setup().clone() })
}

/// The pod without the annotation, and with it.
fn differences(release: Release, key: &str, value: &str) -> (Evaluation, Differences) {
    let evaluate = |annotations: serde_json::Value| {
        let spec = serde_json::json!({ "ociVersion": "1.1.0", "annotations": annotations });
        let documents = manifest::read(&Source::new("pod.json", spec.to_string())).unwrap();
        evaluator(release).evaluate(&documents.pods[0], Depth::Full)
    };
    let cri = serde_json::json!({ "io.kubernetes.cri.container-type": "sandbox" });
    let mut with = cri.clone();
    with[key] = value.into();
    let (old, new) = (evaluate(cri), evaluate(with));
    assert_eq!(new.outcome.failure(), None);
    (new.clone(), Differences::between(&old, &new))
}

#[test]
fn the_kernels_command_line_hangs_on_what_its_parameters_hang_on() {
    for release in [Release::newest(Runtime::Go), Release::newest(Runtime::Rs)] {
        let key = "io.katacontainers.config.hypervisor.enable_iommu";
        let (evaluation, _) = differences(release, key, "true");
        let args = evaluation.launch.unwrap().args;
        let at = args.iter().position(|arg| arg.text == "-append").unwrap();
        let cause = &args[at + 1].cause;
        assert_eq!(cause.keys.first().unwrap(), "hypervisor.qemu.kernel_params", "{release:?}");
        assert!(cause.keys.contains(&"hypervisor.qemu.enable_iommu".into()), "{release:?}: {cause:?}");
    }
}

#[test]
fn the_agents_requests_name_the_keys_of_their_own_tables() {
    for release in [Release::newest(Runtime::Go), Release::newest(Runtime::Rs)] {
        let request = |differences: Differences, title: &str| -> BodyRows {
            differences.agent.into_iter().find(|row| row.title == title).unwrap()
        };
        let cause = |row: &BodyRows, pointer: &str| {
            let found = row.causes.iter().find(|(own, _)| own == pointer);
            found.map(|(_, cause)| cause.keys.to_vec()).unwrap_or_default()
        };
        // runtime-rs takes no policy from a pod.
        if release == Release::newest(Runtime::Go) {
            let policy = "io.katacontainers.config.agent.policy";
            let (_, changes) = differences(release, policy, "cGFja2FnZQ==");
            assert_eq!(cause(&request(changes, "SetPolicy"), ""), ["agent.kata.policy"]);
        }
        let modules = "io.katacontainers.config.agent.kernel_modules";
        let (_, changes) = differences(release, modules, "e1000e EEE=1");
        let row = request(changes, "CreateSandbox");
        assert_eq!(cause(&row, "/kernel_modules"), ["agent.kata.kernel_modules"], "{release:?}");
        assert_eq!(cause(&row, "/storages/0"), ["hypervisor.qemu.shared_fs"], "{release:?}");
        let options = cause(&row, "/storages/0/options");
        match release.runtime {
            // The runtime always writes the same.
            Runtime::Rs => assert!(options.is_empty(), "{options:?}"),
            _ => assert_eq!(
                options,
                ["hypervisor.qemu.virtio_fs_cache_size", "hypervisor.qemu.virtio_fs_cache"]
            ),
        }
    }
}
