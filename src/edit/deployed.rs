//! A configuration as the kata-deploy chart leaves it on a node: the shipped file with the entries that the values
//! add, and the drop-ins that they make.
//!
//! Decides which file says what. Facts: `configure_hypervisor_annotations`, `generate_kernel_params_drop_in` and
//! `install_default_runtime_drop_in` in tools/packaging/kata-deploy/binary/src/artifacts/install.rs at 4.1.0.

use super::{Document, EditError, History};
use crate::answer::verdict::ListId;
use crate::input::config::Layers;
use crate::input::helm::Shim;
use crate::input::toml_tree;
use crate::release::{Release, Runtime};

/// The layers after the chart.
pub fn deployed(layers: &Layers, shim: &Shim) -> Result<Layers, EditError> {
    let Ok(base) = &layers.base else { return Ok(layers.clone()) };
    let table = format!("hypervisor.{}", shim.hypervisor);
    let mut after = layers.clone();
    if !shim.names.is_empty() {
        let list = ListId::new(table.clone(), "enable_annotations");
        let mut names = Document::of(base)?.list(&list).map(super::List::texts).unwrap_or_default();
        names.extend(shim.names.iter().map(|name| name.trim().to_owned()));
        names.sort();
        names.dedup();
        let alone = Layers { drop_ins: Ok(Vec::new()), ..layers.clone() };
        let mut history = History::of(&alone);
        history.set_list(&base.path, &list, &names)?;
        if let Some((path, text)) = history.files().next() {
            after = after.with_text(path, text);
        }
    }
    let resolved = layers.resolved.as_ref().unwrap_or(&layers.asked);
    let folder = resolved.rsplit_once('/').map_or("", |(folder, _)| folder);
    if !shim.kernel_params.is_empty() {
        let tree = toml_tree::parse(base).ok();
        let own = tree.as_ref().and_then(|tree| {
            let table = tree.get("hypervisor")?.table()?.get(&shim.hypervisor)?.table()?;
            table.get("kernel_params")?.str().map(str::to_owned)
        });
        let all: Vec<String> =
            own.into_iter().filter(|text| !text.is_empty()).chain(shim.kernel_params.clone()).collect();
        // As the chart writes it: nothing in it is escaped.
        let text = format!("[{table}]\nkernel_params = \"{}\"\n", all.join(" "));
        after = after.with_text(&format!("{folder}/config.d/30-kernel-params.toml"), &text);
    }
    if let Some(text) = &shim.drop_in {
        after = after.with_text(&format!("{folder}/config.d/50-user-overrides.toml"), text);
    }
    Ok(after)
}

/// The chart's name of the shim that reads a configuration: by the file's name, else by what it is about.
pub fn shim_of(path: &str, release: Release, hypervisor: &str) -> String {
    let file = path.rsplit('/').next().unwrap_or_default();
    let named = file.strip_prefix("configuration-").and_then(|name| name.strip_suffix(".toml"));
    if let Some(name) = named.filter(|name| crate::input::helm::hypervisor(name) == Some(hypervisor)) {
        return name.to_owned();
    }
    match (hypervisor, release.runtime) {
        ("firecracker", _) => "fc".to_owned(),
        ("dragonball" | "remote", _) | (_, Runtime::Go) => hypervisor.to_owned(),
        ("openvmm", Runtime::Rs) => "openvmm-azure-runtime-rs".to_owned(),
        (_, Runtime::Rs) => format!("{hypervisor}-runtime-rs"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHIPPED: &str = "\
[hypervisor.qemu]
enable_annotations = [\"enable_iommu\", \"kernel_params\"] # as shipped
kernel_params = \"quiet\"
";

    #[test]
    fn the_chart_adds_sorts_and_writes_drop_ins() {
        let layers = Layers::of_text("/etc/kata/configuration-qemu.toml", SHIPPED);
        let shim = Shim {
            name: "qemu".into(),
            hypervisor: "qemu".into(),
            names: vec!["default_memory".into(), " enable_iommu".into()],
            drop_in: Some("[runtime]\nenable_debug = true\n".into()),
            kernel_params: vec!["agent.no_proxy=a".into()],
            ..Shim::default()
        };
        let after = deployed(&layers, &shim).unwrap();
        let texts: Vec<(String, String)> =
            after.sources().map(|source| (source.path.to_string(), source.text.to_string())).collect();
        assert!(
            texts[0].1.contains("[\"default_memory\", \"enable_iommu\", \"kernel_params\"] # as shipped"),
            "{texts:?}"
        );
        assert_eq!(
            texts[1..],
            [
                (
                    "/etc/kata/config.d/30-kernel-params.toml".to_owned(),
                    "[hypervisor.qemu]\nkernel_params = \"quiet agent.no_proxy=a\"\n".to_owned()
                ),
                (
                    "/etc/kata/config.d/50-user-overrides.toml".to_owned(),
                    "[runtime]\nenable_debug = true\n".to_owned()
                ),
            ]
        );
        assert_eq!(deployed(&layers, &Shim::default()).unwrap().sources().count(), 1);
    }

    #[test]
    fn shims_have_the_charts_names() {
        let (go, rs) = (Release::newest(Runtime::Go), Release::newest(Runtime::Rs));
        assert_eq!(shim_of("/a/configuration-qemu-tdx.toml", go, "qemu"), "qemu-tdx");
        assert_eq!(shim_of("/a/configuration.toml", go, "firecracker"), "fc");
        assert_eq!(shim_of("/a/configuration.toml", rs, "qemu"), "qemu-runtime-rs");
        assert_eq!(shim_of("/a/configuration-rs-fc.toml", rs, "firecracker"), "fc");
        assert_eq!(shim_of("/a/configuration-dragonball.toml", rs, "dragonball"), "dragonball");
    }
}
