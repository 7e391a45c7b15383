//! Any text as the values of the kata-deploy chart, and what the chart would make of the sample's configuration.
//! Values as a part of another chart's say the same, and a pod's outcome does not depend on how much is asked.
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
    if let Ok(own @ serde_json::Value::Object(_)) = serde_yaml::from_str(text)
        && own.get("shims").is_some()
    {
        let nested = serde_json::json!({ "kata": own }).to_string();
        let nested = helm::read(&Source::new("values.yaml", nested), &shim.name);
        assert_eq!(nested.as_ref().ok(), Some(&shim), "as a part of another chart's");
    }
    let sample = sample::evaluator();
    let Ok(layers) = deployed(&sample.setup().layers, &shim) else { return };
    let evaluator = Evaluator::new(Setup { layers, ..sample.setup().clone() });
    for pod in manifest::read(&sample::pods()).into_iter().flat_map(|documents| documents.pods) {
        let full = evaluator.evaluate(&pod, Depth::Full);
        let short = evaluator.evaluate(&pod, Depth::Verdicts);
        assert_eq!(full.outcome, short.outcome, "{}", pod.id());
    }
}
