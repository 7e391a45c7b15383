//! What a tenant may change.

use super::*;

#[test]
fn case_30_keys_that_no_list_gates() {
    let root = root(&[(GO, &go("enable_annotations = []", ""))]);
    let config = root.join(GO.trim_start_matches('/'));
    let said = katascope(&[
        "policy",
        "audit",
        "--json",
        "-c",
        config.to_str().unwrap(),
        "--root",
        root.to_str().unwrap(),
    ]);
    for open in [
        "config.agent.kernel_modules",
        "config.runtime.disable_new_netns",
        "config.runtime.disable_guest_seccomp",
    ] {
        says(&said.text, &[open]);
    }
    assert!(!said.text.contains("config.hypervisor.kernel_params\""), "{}", said.text);
}
