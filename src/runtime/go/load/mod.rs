//! From files to the runtime's configuration: merge, default, clamp, check.
//!
//! Decides whether the configuration loads, and what holds before any pod. Facts: `LoadConfiguration` and
//! what it calls in src/runtime/pkg/katautils/config.go at 4.1.0.

mod checks;
mod files;
mod hypervisors;
pub(super) mod settings;

use std::collections::HashMap;

use super::config::{
    AgentConfig, HypervisorConfig, HypervisorType, InterworkingModel, RuntimeConfig, VfioMode,
};
use super::kernel_params;
use crate::golang::toml::Dialect;
use crate::input::config::Layers;
use crate::input::{Host, Place};
use crate::release::go::Change;
use crate::release::{Release, Version};
use crate::runtime::defaults::or_word;
use crate::runtime::{LoadError, LoadOptions};
use files::Files;

/// The TOML library that a release is built with.
pub(super) fn toml_of(release: Release) -> Dialect {
    let since = [
        (Version::new(3, 28, 0), Dialect::V1_6),
        (Version::new(3, 21, 0), Dialect::V1_5),
        (Version::new(3, 5, 0), Dialect::V1_3),
        (Version::new(3, 0, 0), Dialect::V1_2),
    ];
    let found = since.into_iter().find(|(since, _)| release.version >= *since);
    found.map_or(Dialect::V0_3, |(_, dialect)| dialect)
}

/// What loading gives.
#[derive(Debug, Clone)]
pub(super) struct Configuration {
    pub runtime: RuntimeConfig,
    /// The table that the agent's settings came from.
    pub agent_table: String,
    /// The chosen hypervisor's table as written, for what was asked beside what holds.
    pub asked: HypervisorConfig,
    /// Where each key was set last.
    pub places: HashMap<String, Place>,
    /// The names of all hypervisor tables, in the order of the files.
    pub hypervisor_tables: Vec<String>,
    /// The names of all agent tables.
    pub agent_tables: Vec<String>,
}

/// Loads.
pub(super) fn load(
    release: Release,
    layers: &Layers,
    host: &Host,
    options: &LoadOptions<'_>,
) -> Result<Configuration, LoadError> {
    let Files { config: files, places } = Files::read(release, layers, host)?;
    let path: &str = layers.resolved.as_deref().unwrap_or(&layers.asked);
    let main = Place::whole(path);
    let fail = |message: String, key: &str| {
        LoadError::new(message, places.get(key).cloned().unwrap_or_else(|| main.clone()))
    };
    let said = &files.runtime;
    let mut config = RuntimeConfig {
        release,
        runtime: said.clone(),
        factory: files.factory.clone(),
        netmon: files.netmon.clone(),
        ..Default::default()
    };
    // An unset word keeps the zero value: the built-in words are set on a value that is thrown away.
    if !said.internetworking_model.is_empty() {
        let model = InterworkingModel::parse(&said.internetworking_model);
        config.inter_network_model = model.ok_or_else(|| {
            fail(format!("Unknown type {}", said.internetworking_model), "runtime.internetworking_model")
        })?;
    }
    if !said.vfio_mode.is_empty() {
        config.vfio_mode = VfioMode::parse(&said.vfio_mode)
            .ok_or_else(|| fail(format!("Unknown VFIO mode {}", said.vfio_mode), "runtime.vfio_mode"))?;
    }

    let name = choose_hypervisor(&files, host, options, &mut config)
        .map_err(|(message, key)| fail(format!("{path}: {message}"), &key))?;
    let agent = files.agent.last().map(|(name, table)| (name.clone(), table.clone()));
    let agent_table;
    (agent_table, config.agent_config) = agent.unwrap_or_else(|| ("kata".to_owned(), AgentConfig::default()));
    config.runtime.emptydir_mode = settings::empty_dir_mode(&said.emptydir_mode, release)
        .map_err(|message| fail(format!("{path}: {message}"), "runtime.emptydir_mode"))?;
    or_word(&mut config.factory.template_path, "/run/vc/vm/template");
    or_word(&mut config.factory.vm_cache_endpoint, "/var/run/kata-containers/cache.sock");
    if release.has(Change::TraceModes) {
        settings::trace_options(&mut config.agent_config)
            .map_err(|error| fail(error.message, &format!("agent.{agent_table}.{}", error.key)))?;
    }
    let mut params = kernel_params::added_at_load(&config.hypervisor_config, &config.agent_config, release);
    params.append(&mut config.hypervisor_config.kernel_params.list);
    if params.iter().any(|param| param.key.is_empty()) {
        return Err(fail("Empty kernel parameter".into(), &format!("hypervisor.{name}.kernel_params")));
    }
    config.hypervisor_config.kernel_params.list = params;

    config.runtime.enable_vcpus_pinning &= !release.has(Change::PinningByAnnotationAlone);
    let unknown = |feature: &&String| !(release.has(Change::NewStore) && feature.as_str() == "newstore");
    if let Some(feature) = said.experimental.iter().find(unknown) {
        let feature = crate::golang::strconv::quote(feature);
        return Err(fail(format!("Unsupported experimental feature {feature}"), "runtime.experimental"));
    }
    or_word(&mut config.netmon.path, "/usr/libexec/kata-containers/kata-netmon");
    match release.has(Change::BindMounts) {
        true => checks::bind_mounts(&said.sandbox_bind_mounts, host)
            .map_err(|message| fail(message.into(), "runtime.sandbox_bind_mounts"))?,
        false => config.runtime.sandbox_bind_mounts = [].into(),
    }
    if release.has(Change::Netmon) && said.disable_new_netns && files.netmon.enable_netmon {
        let message = "config disable_new_netns conflicts with enable_netmon";
        return Err(fail(message.into(), "runtime.disable_new_netns"));
    }
    checks::check(&config, host).map_err(|error| {
        let key = error.key.replace("hypervisor.", &format!("hypervisor.{name}."));
        fail(error.message, &key)
    })?;

    let asked = files.hypervisor.get(&name).cloned().unwrap_or_default();
    let hypervisor_tables = files.hypervisor.into_keys().collect();
    let agent_tables = files.agent.into_keys().collect();
    Ok(Configuration { runtime: config, agent_table, asked, places, hypervisor_tables, agent_tables })
}

/// Builds every hypervisor table, as the runtime does, and takes one. The runtime walks them in a random
/// order and keeps the last one: where there are several, somebody has to say which.
fn choose_hypervisor(
    files: &files::TomlConfig,
    host: &Host,
    options: &LoadOptions<'_>,
    config: &mut RuntimeConfig,
) -> Result<String, (String, String)> {
    let release = config.release;
    let mut built = Vec::new();
    for (name, table) in &files.hypervisor {
        let Some(kind) = HypervisorType::parse(name).filter(|kind| kind.is_in(release)) else {
            if release.has(Change::UnknownTablesRefused) {
                return Err((settings::unknown_table(name), format!("hypervisor.{name}")));
            }
            // What such a table says is never looked at: the hypervisor is left without any setting.
            built.push((name, HypervisorType::default(), HypervisorConfig::default()));
            continue;
        };
        let one = hypervisors::build(kind, table, host, release)
            .map_err(|error| (error.message, format!("hypervisor.{name}.{}", error.key)))?;
        built.push((name, kind, one));
    }
    let wanted = options.hypervisor;
    let index = match (built.as_slice(), wanted) {
        ([], _) => {
            config.hypervisor_config = hypervisors::built_in(release);
            return Ok("qemu".into());
        }
        ([_], _) => 0,
        (several, wanted) => {
            let found = wanted.and_then(|wanted| several.iter().position(|(name, ..)| *name == wanted));
            found.ok_or_else(|| {
                let names: Vec<&str> = several.iter().map(|(name, ..)| name.as_str()).collect();
                let message = format!(
                    "{} hypervisor tables ({}): the runtime takes one of them at random, so say which \
                     (--hypervisor)",
                    names.len(),
                    names.join(", ")
                );
                let second = names.get(1).copied().unwrap_or_default();
                (message, format!("hypervisor.{second}"))
            })?
        }
    };
    let (name, kind, one) = built.swap_remove(index);
    config.hypervisor_type = kind;
    config.hypervisor_config = one;
    Ok(name.clone())
}
