//! Where an edit goes: the file that sets the list, a drop-in, a patch, or the values of the
//! kata-deploy chart; and what would be written there.

use std::sync::Arc;

use crate::answer::verdict::ListId;
use crate::diff::text::unified;
use crate::input::config::Layers;
use crate::release::go::Change;
use crate::release::{Release, Runtime};

use super::document::Document;

/// One file as saving would change it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Its path, as shown.
    pub path: Arc<str>,
    /// What it must still hold when it is written; `None`: it must not exist.
    pub before: Option<Arc<str>>,
    /// What is written; `None`: the file goes, since this program made it and nothing is left in it.
    pub after: Option<Arc<str>>,
}

impl Plan {
    /// The change as a unified diff that `patch -p1` takes.
    pub fn diff(&self) -> String {
        let path = self.path.trim_start_matches('/');
        let name = |side: &str, text: &Option<Arc<str>>| match text {
            Some(_) => format!("{side}/{path}"),
            None => "/dev/null".to_owned(),
        };
        let before = self.before.as_deref().unwrap_or_default();
        unified(&name("a", &self.before), &name("b", &self.after), before, self.text())
    }

    /// What the file holds afterwards; nothing where it goes.
    pub fn text(&self) -> &str {
        self.after.as_deref().unwrap_or_default()
    }
}

/// Where an edit of a list may go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The main file.
    File(Arc<str>),
    /// A drop-in that exists.
    DropIn(Arc<str>),
    /// A drop-in that does not exist yet; it repeats the whole list.
    NewDropIn(Arc<str>),
}

impl Target {
    /// The path.
    pub fn path(&self) -> &Arc<str> {
        match self {
            Self::File(path) | Self::DropIn(path) | Self::NewDropIn(path) => path,
        }
    }
}

/// Where an edit of `list` may go so that it takes effect, best first: the file that sets it today, then
/// the drop-ins after that, then a new one. The first releases of the Go runtime read no drop-ins.
pub fn targets(release: Release, layers: &Layers, list: &ListId) -> Vec<Target> {
    let sources: Vec<_> = layers.sources().collect();
    let sets = |source: &&crate::input::Source| {
        Document::of(source).is_ok_and(|document| document.list(list).is_some())
    };
    let base = layers.base.as_ref().ok().map(|base| Target::File(base.path.clone()));
    if release.runtime == Runtime::Go && !release.has(Change::DropIns) {
        return base.into_iter().collect();
    }
    let holder = sources.iter().rposition(sets).unwrap_or(0);
    let mut targets: Vec<Target> = sources
        .iter()
        .enumerate()
        .skip(holder)
        .map(|(i, source)| {
            if i == 0 && layers.base.is_ok() {
                Target::File(source.path.clone())
            } else {
                Target::DropIn(source.path.clone())
            }
        })
        .collect();
    if let (Ok(resolved), Ok(drop_ins)) = (&layers.resolved, &layers.drop_ins) {
        let folder = resolved.rsplit_once('/').map_or("", |(folder, _)| folder);
        let last = drop_ins.iter().map(|d| &*d.path).max().unwrap_or_default();
        let path = ["90-katascope.toml", "zz-katascope.toml"]
            .iter()
            .map(|name| format!("{folder}/config.d/{name}"))
            .find(|path| path.as_str() > last);
        targets.extend(path.map(|path| Target::NewDropIn(path.into())));
    }
    targets
}

/// Values of the kata-deploy chart that make `names` the whole list: the chart's own value only adds to what is
/// shipped, and splits at blanks and commas, so that the list goes into a drop-in.
pub fn helm_values(shim: &str, hypervisor: &str, names: &[String]) -> String {
    // A JSON string is a string of TOML's, too.
    let names: Vec<String> =
        names.iter().map(|name| serde_json::Value::from(name.as_str()).to_string()).collect();
    format!(
        "shims:\n  {shim}:\n    dropIn: |\n      [hypervisor.{hypervisor}]\n      enable_annotations = [{}]\n",
        names.join(", ")
    )
}
