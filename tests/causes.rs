//! What is said to have decided an argument or a request is what did.

use katascope::answer::launch::Arg;
use katascope::diff::evaluation::{BodyRows, Differences};
use katascope::evaluate::{Evaluation, Evaluator, Setup};
use katascope::input::config::Layers;
use katascope::input::manifest;
use katascope::input::source::Source;
use katascope::release::{Release, Runtime};
use katascope::report;
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

/// What put an argument or a parameter there, in the words of the reports.
fn because(evaluation: &Evaluation, all: &[Arg], text: &str) -> Vec<String> {
    let found = all.iter().filter(|arg| arg.text == text);
    found.map(|arg| report::launch::cause(&arg.cause, evaluation.effective.as_ref())).collect()
}

#[test]
fn each_element_of_a_list_has_the_origin_of_its_own() {
    let of_file = "kernel_params = \"of_file=1 agent.log=debug\"\nvirtio_fs_extra_args = [\"--of-file\"]\n\
                   enable_annotations = [\"kernel_params\", \"virtio_fs_extra_args\"]\n[agent.kata]\n\
                   enable_debug = true";
    for release in [Release::newest(Runtime::Go), Release::newest(Runtime::Rs)] {
        let names = if release.runtime == Runtime::Rs { QEMU_NAMES } else { "" };
        let plain = "enable_annotations = [\"enable_iommu\"]\n[agent.kata]";
        let text = format!("{}{names}", QEMU.replace(plain, of_file));
        let layers = Layers::of_text("/c.toml", &text);
        let line = |part: &str| text.lines().position(|line| line.starts_with(part)).unwrap() + 1;
        let evaluator = Evaluator::new(Setup { layers, release, ..sample::evaluator().setup().clone() });
        let args = match release.runtime {
            Runtime::Go => "[\"--of-pod\"]",
            Runtime::Rs => "--of-pod",
        };
        let spec = serde_json::json!({ "ociVersion": "1.1.0", "annotations": {
            "io.kubernetes.cri.container-type": "sandbox",
            "io.katacontainers.config.hypervisor.kernel_params": "of_pod=1",
            "io.katacontainers.config.hypervisor.virtio_fs_extra_args": args,
        } });
        let documents = manifest::read(&Source::new("pod.json", spec.to_string())).unwrap();
        let evaluation = evaluator.evaluate(&documents.pods[0], Depth::Full);
        assert_eq!(evaluation.outcome.failure(), None);
        let params = &evaluation.agent.as_ref().unwrap().kernel_params;
        let of_file = format!("hypervisor.qemu.kernel_params (/c.toml:{})", line("kernel_params"));
        let of_pod = "hypervisor.qemu.kernel_params (annotation hypervisor.kernel_params)".to_owned();
        let of_agent = format!("agent.kata.enable_debug (/c.toml:{})", line("enable_debug"));
        assert_eq!(because(&evaluation, params, "of_file=1"), [&*of_file], "{release:?}");
        assert_eq!(because(&evaluation, params, "of_pod=1"), [&*of_pod], "{release:?}");
        // The same parameter twice: loading's own, and the file's.
        assert_eq!(because(&evaluation, params, "agent.log=debug"), [of_agent, of_file], "{release:?}");
        let helper = &evaluation.launch.as_ref().unwrap().helpers[0].args;
        let extra = |origin: String| [format!("hypervisor.qemu.virtio_fs_extra_args ({origin})")];
        let of_file = extra(format!("/c.toml:{}", line("virtio_fs_extra_args")));
        let of_pod = extra("annotation hypervisor.virtio_fs_extra_args".to_owned());
        assert_eq!(because(&evaluation, helper, "--of-file"), of_file, "{release:?}");
        assert_eq!(because(&evaluation, helper, "--of-pod"), of_pod, "{release:?}");
    }
}
