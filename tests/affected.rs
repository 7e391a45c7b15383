//! What an edit of policy lists cannot change: the pods that they are not held against.

use katascope::catalog::KATA_PREFIX;
use katascope::evaluate::affected::lists_matter_to;
use katascope::evaluate::{Evaluator, Setup};
use katascope::input::config::Layers;
use katascope::input::manifest::{self, Pod};
use katascope::release::{Release, Runtime};
use katascope::runtime::Depth;
use katascope::sample;

/// Each has two lists of the table, its memory and what stands before it.
fn evaluator(release: Release, lists: (&str, &str), memory: u32, before: &str) -> Evaluator {
    let (names, paths) = lists;
    let text = format!(
        "{before}[hypervisor.qemu]\npath = \"/opt/kata/bin/qemu-system-x86_64\"\n\
         kernel = \"/opt/kata/share/kata-containers/vmlinux.container\"\n\
         image = \"/opt/kata/share/kata-containers/kata-containers.img\"\nmachine_type = \"q35\"\n\
         default_memory = {memory}\nshared_fs = \"virtio-fs\"\n\
         virtio_fs_daemon = \"/opt/kata/libexec/virtiofsd\"\nvirtio_fs_cache = \"auto\"\n\
         enable_annotations = {names}\nvalid_hypervisor_paths = {paths}\n[agent.kata]\n\
         [runtime]\ninternetworking_model = \"tcfilter\"\n"
    );
    let text = match release.runtime {
        Runtime::Rs => {
            format!("{text}name = \"virt_container\"\nhypervisor_name = \"qemu\"\nagent_name = \"kata\"\n")
        }
        Runtime::Go => text,
    };
    let layers = Layers::of_text("/c.toml", &text);
    Evaluator::new(Setup { layers, release, ..sample::evaluator().setup().clone() })
}

const LISTS: [(&str, &str); 7] = [
    ("[]", "[]"),
    ("['.*']", "['/opt/kata/bin/qemu-*']"),
    ("['path', 'default_.*']", "['/tmp/*']"),
    ("['(']", "['[']"),
    ("['default_vcpus', '(']", "['***', '/tmp/qemu']"),
    ("['', '^$']", "['', '**/qemu']"),
    ("['kernel_params']", "['/opt/kata/bin/qemu-system-x86_64']"),
];

#[test]
fn edits_of_lists_leave_pods_without_annotations_alone() {
    let all = manifest::read(&sample::pods()).unwrap().pods;
    let bare: Vec<Pod> = all
        .iter()
        .cloned()
        .map(|mut pod| {
            pod.annotations.retain(|a| !a.key.starts_with(KATA_PREFIX));
            pod
        })
        .collect();
    assert!(all.iter().all(lists_matter_to) && !bare.iter().any(lists_matter_to));
    for release in Release::STOPS {
        let evaluators = LISTS.map(|lists| evaluator(release, lists, 2048, ""));
        let fates = |evaluator: &Evaluator, pods: &[Pod]| -> Vec<String> {
            let fate = |pod| {
                let evaluation = evaluator.evaluate(pod, Depth::Verdicts);
                format!("{:?} {:?}", evaluation.outcome, evaluation.verdicts)
            };
            pods.iter().map(fate).collect()
        };
        let (mut alike, mut moved) = (0, 0);
        for one in &evaluators {
            for other in evaluators.iter().filter(|other| one.fares_alike(other)) {
                alike += 1;
                assert_eq!(fates(one, &bare), fates(other, &bare), "{release:?}");
                moved += usize::from(fates(one, &all) != fates(other, &all));
            }
        }
        // Most of them do, and the pods with annotations show that the lists are read.
        assert!(alike > 20 && moved > 10, "{release:?}: {alike} alike, {moved} with other verdicts");
    }
}

#[test]
fn other_changes_are_seen() {
    for release in Release::STOPS {
        let [one, _, other, ..] = LISTS;
        let before = evaluator(release, one, 2048, "");
        assert!(before.fares_alike(&evaluator(release, other, 2048, "# lines move\n\n")));
        assert!(!before.fares_alike(&evaluator(release, one, 4096, "")));
        assert!(!before.fares_alike(&evaluator(release, one, 2048, "[hypervisor\n")));
        let next = Release::STOPS.into_iter().find(|other| *other != release).unwrap();
        assert!(!before.fares_alike(&before.with_release(next)));
    }
}
