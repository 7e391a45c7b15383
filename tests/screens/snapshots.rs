//! Every screen and window at the sizes that people have.

use super::stage::Stage;

const SIZES: [(u16, u16); 4] = [(80, 24), (100, 30), (140, 40), (200, 60)];

fn snap(name: &str, script: &str, sizes: &[(u16, u16)]) {
    for (width, height) in sizes {
        let mut stage = Stage::new(*width, *height);
        stage.keys(script);
        insta::assert_snapshot!(format!("{name}-{width}x{height}"), stage.screen(), script);
    }
}

#[test]
fn screens() {
    for (name, script) in [
        ("annotations", ". 1"),
        ("annotations-refused", ". . 1"),
        ("policy", "2 j"),
        ("launch", ". 3"),
        ("agent", ". 4"),
        ("config", ". 5"),
        ("pods", "6"),
    ] {
        snap(name, script, &SIZES);
    }
}

#[test]
fn pages_of_a_narrow_terminal() {
    snap("detail", ". enter", &[(80, 24), (60, 20)]);
    snap("detail-search", ". enter / `name` enter", &[(80, 24)]);
    snap("launch-detail", ". 3 enter enter", &[(80, 24)]);
    snap("tiny", "1", &[(30, 8)]);
}

#[test]
fn windows() {
    for (name, script) in [
        ("help", "?"),
        ("help-search", "? `undo`"),
        ("palette", ": `sa`"),
        ("find", "f `memory`"),
        ("try", ". e ctrl-u `banana`"),
        ("pattern", "2 a `machine`"),
        ("pattern-edit", "2 j e ctrl-u `^enable_iommu$`"),
        ("save", "2 j d s"),
        ("edit-key", ". 5 / `default_vcpus` enter e ctrl-u `8`"),
        ("save-key", ". 5 / `default_vcpus` enter e ctrl-u `8` enter s"),
        ("sizing", ". S"),
        ("open-other", "B F"),
        ("quit", "2 j d q"),
        ("copy", ". Y"),
        ("messages", "2 j d u m"),
        ("audit", "2 A"),
        ("export", ". e ctrl-u `9` enter x"),
    ] {
        snap(name, script, &[(80, 24), (140, 40)]);
    }
    for (name, script) in [
        ("edit-key", ". 5 / `default_vcpus` enter e ctrl-u `8`"),
        ("save-key", ". 5 / `default_vcpus` enter e ctrl-u `8` enter s"),
        ("sizing", ". S"),
        ("open-other", "B F"),
        ("searched", "2 A / `host` enter n"),
        ("text-out", ". S Y"),
    ] {
        snap(name, script, &[(60, 20), (120, 36)]);
        let mut stage = Stage::new(80, 24);
        stage.ascii = true;
        stage.keys(script);
        insta::assert_snapshot!(format!("{name}-ascii"), stage.screen(), script);
    }
}

#[test]
fn states() {
    snap("filter", ". / `vcpu`", &[(100, 30)]);
    snap("filter-nothing", ". / `zzzz`", &[(100, 30)]);
    snap("problems", ". . v v", &[(100, 30)]);
    snap("unfolded", ". 3 Z", &[(140, 40)]);
    snap("side-by-side", ". 3 t", &[(140, 40)]);
    snap("other-pod", "space . 3", &[(140, 40)]);
    snap("undone", "2 j d u", &[(100, 30)]);
}

#[test]
fn without_pods() {
    let mut stage = Stage::of(
        super::stage::evaluator(
            super::stage::CONFIG,
            katascope::release::Release::newest(katascope::release::Runtime::Go),
        ),
        Vec::new(),
        100,
        30,
    );
    for key in ["1", "2", "3", "6"] {
        stage.keys(key);
        insta::assert_snapshot!(format!("no-pods-{key}"), stage.screen());
    }
}

#[test]
fn a_configuration_that_does_not_load() {
    let evaluator = super::stage::evaluator(
        "[hypervisor.qemu]\npath = 5\n",
        katascope::release::Release::newest(katascope::release::Runtime::Go),
    );
    let mut stage = Stage::of(evaluator, super::stage::pods(super::stage::PODS), 100, 30);
    insta::assert_snapshot!("does-not-load", stage.keys(". 1").screen());
}

/// A pod whose guest is to be confidential, on a host that protects none, and what it brings with it.
#[test]
fn confidential_guests() {
    use std::io::Write;

    use base64::Engine;
    use katascope::release::Release;

    let document =
        "algorithm = \"sha512\"\nversion = \"0.1.0\"\n\n[data]\n\"aa.toml\" = \"[token_configs]\"\n";
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packer.write_all(document.as_bytes()).unwrap();
    let value = base64::engine::general_purpose::STANDARD.encode(packer.finish().unwrap());
    let key = "io.katacontainers.config.hypervisor.cc_init_data";
    let manifest = format!(
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: guarded\n  annotations:\n    {key}: {value}\nspec:\n  \
         runtimeClassName: kata\n  containers: [{{name: a, image: b}}]\n"
    );
    let config = super::stage::CONFIG
        .replace("enable_annotations = [", "enable_annotations = [\n    \"cc_init_data\",");
    let named = "[runtime]\nname = \"virt_container\"\nhypervisor_name = \"qemu\"\nagent_name = \"kata\"";
    let config = config.replace("[runtime]", named);
    let config = config.replace("[hypervisor.qemu]", "[hypervisor.qemu]\nconfidential_guest = true");
    for (width, height) in [(60, 20), (80, 24), (120, 36)] {
        let evaluator = super::stage::evaluator(&config, Release::rs(3, 28, 0));
        let mut stage = Stage::of(evaluator, super::stage::pods(&manifest), width, height);
        insta::assert_snapshot!(format!("unprotected-{width}x{height}"), stage.screen());
        insta::assert_snapshot!(format!("initdata-{width}x{height}"), stage.keys("I").screen());
    }
}

/// Colours where they matter: the looks of every cell.
#[test]
fn colours() {
    use katascope::tui::theme::Preset;
    for preset in [Preset::Dark, Preset::Light, Preset::Sixteen] {
        let mut stage = Stage::new(100, 16);
        stage.model.preset = preset;
        stage.keys(". . 1");
        insta::assert_debug_snapshot!(format!("colours-{}", preset.name()), stage.draw());
    }
}
