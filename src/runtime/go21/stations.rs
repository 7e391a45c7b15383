//! What is the same for every pod that sets an annotation: whether its name is let through, the key it
//! sets, and the value that holds without it.
//!
//! Made once for each annotation that some pod comes with. Facts: none of its own.

use std::sync::Arc;

use serde_json::Value as Json;

use super::Loaded;
use super::annotations::rules::Rule;
use super::annotations::way::Way;
use super::config::{Asset, SandboxConfig};
use super::effective::{self, Key};
use crate::catalog::{self, HYPERVISOR_PREFIX};
use crate::input::Host;
use crate::release::Release;
use crate::runtime::verdict::{Stage, Step};

/// The first stations of one annotation, under one configuration.
#[derive(Debug, Clone)]
pub(super) struct Stations {
    /// What it is known as, and the name gate where that lets it through.
    pub(super) steps: Arc<[Step]>,
    /// Whether the name gate does.
    pub(super) admitted: bool,
    /// The configuration key that it sets.
    pub(super) key: Option<&'static Key>,
    /// The value that the file gives that key.
    pub(super) before: Option<Arc<Json>>,
    /// Whether it has no effect with this hypervisor.
    pub(super) unused: bool,
    /// The base name of an annotation that names an asset or its digest.
    pub(super) asset: Option<&'static str>,
    /// The asset whose digest it names.
    pub(super) digest_of: Option<Asset>,
}

impl Stations {
    /// Those of the annotation `name`, which `rule` is about.
    pub(super) fn of(loaded: &Loaded, host: &Host, rule: &Rule, name: &str) -> Self {
        let mut way = Way { host, loaded, steps: Vec::new() };
        way.passed(Stage::Known, "read by the Go runtime 2.1");
        let admitted = way.name(name).is_ok();
        let key = effective::key(rule.part, rule.field);
        let hypervisor = loaded.config.hypervisor_type.as_str();
        let unused =
            catalog::annotation(name).map(|a| a.reader(Release::go(2, 1, 0))).is_some_and(|reader| {
                !reader.effective
                    || (!reader.hypervisors.is_empty() && !reader.hypervisors.contains(&hypervisor))
            });
        let short = name.strip_prefix(HYPERVISOR_PREFIX);
        let assets = Asset::ALL.into_iter().map(|asset| (asset, asset.annotations()));
        Self {
            asset: assets
                .clone()
                .flat_map(|(_, (file, digest))| [file, digest])
                .find(|own| Some(*own) == short),
            digest_of: assets.clone().find(|(_, (_, digest))| Some(*digest) == short).map(|(asset, _)| asset),
            steps: way.steps.into(),
            admitted,
            key,
            before: key.map(|key| Arc::new((key.value)(&SandboxConfig::new(&loaded.config, "", "")))),
            unused,
        }
    }
}
