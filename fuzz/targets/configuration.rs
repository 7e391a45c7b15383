//! Any text as a configuration file, under each release, with a pod that sets a few annotations.
//! The first byte chooses the release.

use std::sync::LazyLock;

use katascope::evaluate::{Evaluator, Setup};
use katascope::input::config::Layers;
use katascope::input::manifest::{self, Pod};
use katascope::input::source::Source;
use katascope::release::Release;
use katascope::runtime::Depth;
use katascope::sample;

static POD: LazyLock<Option<Pod>> = LazyLock::new(|| {
    let text = r#"{"ociVersion": "1.1.0", "annotations": {
        "io.kubernetes.cri.container-type": "sandbox",
        "io.kubernetes.cri.sandbox-memory": "1073741824",
        "io.katacontainers.config.hypervisor.default_vcpus": "2",
        "io.katacontainers.config.hypervisor.path": "/opt/kata/bin/qemu-system-x86_64",
        "io.katacontainers.config.hypervisor.kernel_params": "a=b c",
        "io.katacontainers.config.agent.kernel_modules": "x; y"}}"#;
    manifest::read(&Source::new("pod.json", text)).ok()?.pods.into_iter().next()
});

/// What the fuzzer makes up.
pub type Input<'a> = (u8, &'a str);

/// Panics where something does not hold.
pub fn run(input: Input<'_>) {
    let (choice, text) = input;
    let release = Release::STOPS[usize::from(choice) % 3];
    let setup = Setup {
        layers: Layers::of_text("/etc/kata-containers/configuration.toml", text),
        release,
        ..sample::evaluator().setup().clone()
    };
    let evaluator = Evaluator::new(setup);
    if let Some(pod) = POD.as_ref() {
        let quick = evaluator.evaluate(pod, Depth::Verdicts);
        let full = evaluator.evaluate(pod, Depth::Full);
        assert_eq!(quick.outcome, full.outcome, "the outcome does not depend on how much is asked");
    }
}
