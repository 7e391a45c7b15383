//! Any text as the values of the kata-deploy chart, and what the chart would make of the sample's configuration.
//! The first byte chooses the shim.

use katascope::edit::deployed;
use katascope::evaluate::{Evaluator, Setup};
use katascope::input::source::Source;
use katascope::input::{helm, manifest};
use katascope::runtime::Depth;
use katascope::sample;

/// What the fuzzer makes up.
pub type Input<'a> = (u8, &'a str);

const SHIMS: [&str; 5] = ["qemu", "clh", "fc", "qemu-runtime-rs", "dragonball"];

/// Panics where something does not hold.
pub fn run(input: Input<'_>) {
    let (choice, text) = input;
    let shim = SHIMS[usize::from(choice) % SHIMS.len()];
    let Ok(shim) = helm::read(&Source::new("values.yaml", text), shim) else { return };
    let sample = sample::evaluator();
    let Ok(layers) = deployed(&sample.setup().layers, &shim) else { return };
    let evaluator = Evaluator::new(Setup { layers, ..sample.setup().clone() });
    for pod in manifest::read(&sample::pods()).into_iter().flat_map(|documents| documents.pods) {
        let _ = evaluator.evaluate(&pod, Depth::Full);
    }
}
