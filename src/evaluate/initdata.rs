//! The initialization data of one pod.
//!
//! Decides which document is the pod's: the one that the runtime holds, which runtime-rs wrote anew before 3.31, else
//! what the annotation says; where the platforms that the release knows keep its digest; and what of the pod's launch
//! carries it on this host.
//!
//! Facts: `adjustProperLength` and its callers in src/runtime/pkg/govmm/qemu/qemu.go; `adjust_digest` in
//! src/libs/kata-types/src/initdata.rs and `prepare_initdata_device_config` in
//! src/runtime-rs/crates/runtimes/virt_container/src/sandbox.rs, at each tag.

use super::{Evaluation, Setup};
use crate::answer::finding::Code;
use crate::input::host::Protection;
use crate::input::manifest::Pod;
use crate::release::Release;
use crate::release::go::Change;
use crate::runtime::initdata::{Initdata, Place, hex};

/// The annotation under its present name and the one that Go had before.
const KEYS: [&str; 2] =
    ["io.katacontainers.config.hypervisor.cc_init_data", "io.katacontainers.config.runtime.cc_init_data"];

/// What a pod brings with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brought {
    /// The annotation's key.
    pub key: String,
    /// The document.
    pub data: Initdata,
    /// The platform of the host.
    pub host: Protection,
    /// Whether a VM is started for the pod.
    pub starts: bool,
    /// What of the launch carries the digest.
    pub pinned_by: Option<String>,
    /// What is pointed out about it.
    pub remarks: Vec<String>,
}

/// Whether a pod brings a document.
pub fn is_brought(pod: &Pod) -> bool {
    pod.annotations.iter().any(|annotation| KEYS.iter().any(|key| annotation.key == **key))
}

/// The annotation, and what its document says; `None` where the pod brings nothing.
pub fn of(pod: &Pod, evaluation: &Evaluation, setup: Option<&Setup>) -> Option<Brought> {
    let set = KEYS.iter().find_map(|key| pod.annotations.iter().find(|a| a.key == *key))?;
    let release = setup.map_or_else(Release::default, |setup| setup.release);
    let places = places(release);
    let held = evaluation.effective.iter().flat_map(|effective| effective.iter());
    let held = held.filter(|(key, _)| key.ends_with(".initdata")).find_map(|(_, value)| value.value.as_str());
    let mut data = match held.filter(|text| !text.is_empty()) {
        Some(text) => Initdata::read(text.to_owned(), &places),
        None => Initdata::packed(&set.value, &places),
    };
    data.unbound = unbound(release);
    let about = [Code::InitdataDropped, Code::InitdataUnmeasured, Code::InitdataCut, Code::Unprotected];
    let remarks = evaluation.findings.iter().filter(|finding| about.contains(&finding.code));
    Some(Brought {
        key: set.key.to_string(),
        host: setup.map_or(Protection::None, |setup| setup.host.facts.protection),
        starts: evaluation.launch.is_some(),
        pinned_by: pinned_by(evaluation, &data),
        remarks: remarks.map(|finding| finding.message.clone()).collect(),
        data,
    })
}

/// Where the platforms keep the digest.
fn places(release: Release) -> Vec<Place> {
    let mut places = vec![
        Place { platform: Protection::Tdx, field: "mrconfigid", length: 48 },
        Place { platform: Protection::Snp, field: "host-data", length: 32 },
    ];
    if release.has(Change::Realms) {
        places.push(Place { platform: Protection::Cca, field: "personalization-value", length: 64 });
    }
    places
}

/// Where nothing keeps it.
fn unbound(release: Release) -> Vec<(Protection, &'static str)> {
    const ON_A_DISK: &str =
        "no argument carries the digest; the guest gets the document on a disk that the host can change";
    const UNKNOWN: &str = "this runtime knows no realms, and passes the document over";
    let realms = release.has(Change::Realms);
    let cca = (!realms).then_some((Protection::Cca, UNKNOWN));
    std::iter::once((Protection::Se, ON_A_DISK)).chain(cca).collect()
}

/// The argument, or the part of a request, that the digest stands in.
fn pinned_by(evaluation: &Evaluation, data: &Initdata) -> Option<String> {
    let launch = evaluation.launch.as_ref()?;
    let spelled: Vec<[String; 2]> =
        data.bindings.iter().map(|binding| [binding.base64(), hex(&binding.bytes)]).collect();
    let carries = |text: &str| spelled.iter().flatten().any(|digest| text.contains(digest.as_str()));
    let mut words = launch.args.iter().map(|arg| arg.text.as_str());
    let mut option = "";
    let argument = words.find_map(|word| {
        if carries(word) {
            return Some(format!("{option} {word}").trim_start().to_owned());
        }
        option = if word.starts_with('-') { word } else { "" };
        None
    });
    argument.or_else(|| {
        let documents = launch.documents();
        documents.into_iter().find(|d| carries(&d.body.to_string())).map(|d| d.name())
    })
}
