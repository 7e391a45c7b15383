//! How the list of pods is arranged: what it is filtered by, sorted by and grouped by.
//!
//! The order is worked out once per sort key; a letter of a filter only looks at the pods. What a filter can
//! ask for is `query`'s language, over the same columns as in reports.

use std::collections::BTreeSet;
use std::rc::Rc;

use indexmap::IndexMap;

use super::pods::{Elsewhere, PodEntry, Summary};
use super::row::{Body, Counts, GroupRow, Row};
use super::rows::Rows;
use super::{Model, Screen, Show};
use crate::evaluate::searched::{KnownOutcome, SearchedPod};
use crate::query::Query;

/// What the pods are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    /// The worst first.
    #[default]
    Outcome,
    /// By namespace and name.
    Pod,
    /// By handler.
    Handler,
    /// By release.
    Release,
    /// By how many annotations do not do what they say, the most first.
    Annotations,
    /// By stage and message.
    Reason,
    /// As the manifests have them.
    Given,
}

impl Sort {
    /// In the order of the columns.
    pub const ALL: [Self; 7] = [
        Self::Outcome,
        Self::Pod,
        Self::Handler,
        Self::Release,
        Self::Annotations,
        Self::Reason,
        Self::Given,
    ];

    /// A word for it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Outcome => "outcome",
            Self::Pod => "pod",
            Self::Handler => "handler",
            Self::Release => "release",
            Self::Annotations => "annotations",
            Self::Reason => "why",
            Self::Given => "the manifests' order",
        }
    }

    /// The next one, round and round.
    #[must_use]
    pub fn next(self) -> Self {
        after(&Self::ALL, self)
    }

    /// Whether what became of the pods decides it.
    fn waits(self) -> bool {
        matches!(self, Self::Outcome | Self::Annotations | Self::Reason)
    }
}

/// What the pods are grouped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum GroupBy {
    Reason,
    Namespace,
    Handler,
    Release,
    Outcome,
}

impl GroupBy {
    const ALL: [Option<Self>; 6] = [
        None,
        Some(Self::Reason),
        Some(Self::Namespace),
        Some(Self::Handler),
        Some(Self::Release),
        Some(Self::Outcome),
    ];

    /// A word for it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Reason => "reason",
            Self::Namespace => "namespace",
            Self::Handler => "handler",
            Self::Release => "release",
            Self::Outcome => "outcome",
        }
    }

    /// The next one, then none.
    pub fn next(current: Option<Self>) -> Option<Self> {
        after(&Self::ALL, current)
    }
}

fn after<T: Copy + PartialEq>(all: &[T], current: T) -> T {
    let rest = all.iter().skip_while(|one| **one != current).nth(1);
    rest.or(all.first()).copied().unwrap_or(current)
}

/// How the list is arranged.
#[derive(Debug, Clone, Default)]
pub struct Arrangement {
    /// What the pods are sorted by.
    pub sort: Sort,
    /// The other way round.
    pub reverse: bool,
    /// What they are grouped by.
    pub group: Option<GroupBy>,
    /// The groups whose pods are shown, by identity.
    pub open: BTreeSet<Rc<str>>,
    /// What becomes of the pods that the filter keeps.
    pub counts: Counts,
    /// The pods that the filter keeps, in the list's order.
    pub kept: Rc<[usize]>,
    /// The columns of the longest name.
    pub longest: usize,
    pub(super) order: Rc<[usize]>,
    /// What `order` was made for.
    pub(in crate::tui) made_for: Option<(Sort, bool, bool, u64, usize)>,
}

/// What the identity of a group's row begins with; no pod's does.
const GROUP: &str = "group\u{1}";

/// The identity of a group's row.
pub fn group_id(title: &str) -> Rc<str> {
    format!("{GROUP}{title}").into()
}

/// Whether that is the identity of a group's row.
pub fn is_group(id: &str) -> bool {
    id.starts_with(GROUP)
}

/// What a query sees of a pod of the list.
pub fn searched<'a>(entry: &'a PodEntry, summary: Option<&'a Summary>) -> SearchedPod<'a> {
    let mut known = KnownOutcome {
        handler: entry.handler.as_deref(),
        release: entry.release.as_deref(),
        ..KnownOutcome::default()
    };
    if let Some(summary) = summary {
        known.outcome = summary.word();
        known.why = &summary.why;
        known.stage = summary.refused.as_ref().map_or("", |(stage, _)| stage);
        if let Some((_, message)) = &summary.refused {
            known.why = message;
        }
    }
    SearchedPod { pod: &entry.pod, known, text: Some(entry.text()) }
}

impl Model {
    /// The pods in the order asked for; that of the manifests until what decides it is known.
    fn order(&mut self) -> Rc<[usize]> {
        let Arrangement { sort, reverse, .. } = self.arrangement;
        let known = self.sweep.done() || !sort.waits();
        let asked = (sort, reverse, known, self.sweep.generation(), self.pods.len());
        if self.arrangement.made_for == Some(asked) {
            return self.arrangement.order.clone();
        }
        let mut order: Vec<usize> = (0..self.pods.len()).collect();
        let pod = |i: &usize| self.pods.get(*i);
        let summary = |i: &usize| self.sweep.get(*i);
        match sort {
            _ if !known => {}
            Sort::Outcome => order.sort_by_key(|i| summary(i).map_or(2, Summary::rank)),
            Sort::Pod => order.sort_by(|a, b| {
                let name = |i| pod(i).map(|e: &PodEntry| (&e.pod.namespace, &e.pod.name));
                name(a).cmp(&name(b))
            }),
            Sort::Handler => {
                order.sort_by(|a, b| pod(a).map(|e| &e.handler).cmp(&pod(b).map(|e| &e.handler)))
            }
            Sort::Release => {
                order.sort_by(|a, b| pod(a).map(|e| &e.release).cmp(&pod(b).map(|e| &e.release)))
            }
            Sort::Annotations => {
                order.sort_by_key(|i| std::cmp::Reverse(summary(i).map_or(0, Summary::problems)));
            }
            Sort::Reason => order.sort_by(|a, b| {
                let why = |i| summary(i).and_then(|s: &Summary| s.refused.as_ref());
                // What is refused comes first.
                why(a).is_none().cmp(&why(b).is_none()).then_with(|| why(a).cmp(&why(b)))
            }),
            Sort::Given => {}
        }
        if reverse {
            order.reverse();
        }
        self.arrangement.longest = self.pods.iter().map(|entry| entry.id.len()).max().unwrap_or(0);
        let order: Rc<[usize]> = order.into();
        (self.arrangement.order, self.arrangement.made_for) = (order.clone(), Some(asked));
        order
    }

    /// The rows of screen 6.
    pub(super) fn pod_rows(&mut self) -> Rows {
        let order = self.order();
        let list = &self.lists[Screen::Pods];
        let query = Query::parse(list.filter.text());
        let mut kept = Vec::new();
        let mut counts = Counts::default();
        let mut all = 0;
        for index in order.iter().copied() {
            let Some(entry) = self.pods.get(index) else { continue };
            let summary = self.sweep.get(index);
            let wanted = match list.show {
                Show::All => true,
                Show::Set => summary.is_some_and(|s| s.rank() < 2),
                Show::Problems => summary.is_some_and(|s| s.rank() == 0),
            };
            if !wanted {
                continue;
            }
            all += 1;
            if query.is_empty() || query.keeps(&searched(entry, summary)) {
                counts.add(summary);
                kept.push(index);
            }
        }
        let nothing: Rc<str> = Rc::from("");
        // Of very many pods none is looked at again for its name.
        let row = |index: usize| Row { id: nothing.clone(), find: nothing.clone(), body: Body::Pod(index) };
        let number = kept.len();
        self.arrangement.kept = Rc::from(kept.as_slice());
        let shown = match self.arrangement.group {
            None => kept.into_iter().map(row).collect(),
            Some(by) => {
                let mut shown = Vec::new();
                for (title, (counts, members)) in self.groups(by, kept) {
                    let id = group_id(&title);
                    let open = self.arrangement.open.contains(&id);
                    let head = GroupRow { title: title.into(), counts, open };
                    shown.push(Row { id, find: nothing.clone(), body: Body::Group(head.into()) });
                    if open {
                        shown.extend(members.into_iter().map(row));
                    }
                }
                shown
            }
        };
        self.arrangement.counts = counts;
        Rows { shown, all, kept: number, cursor: None }
    }

    /// The groups with their pods: those with most refusals first, then the largest.
    fn groups(&self, by: GroupBy, pods: Vec<usize>) -> Vec<(String, (Counts, Vec<usize>))> {
        let mut groups: IndexMap<&str, (Counts, Vec<usize>)> = IndexMap::new();
        for index in pods {
            let Some(entry) = self.pods.get(index) else { continue };
            let summary = self.sweep.get(index);
            let (counts, members) = groups.entry(group_of(by, entry, summary)).or_default();
            counts.add(summary);
            members.push(index);
        }
        let mut groups: Vec<(&str, (Counts, Vec<usize>))> = groups.into_iter().collect();
        groups.sort_by(|(a, (x, _)), (b, (y, _))| {
            y.refused.cmp(&x.refused).then(y.all().cmp(&x.all())).then(a.cmp(b))
        });
        groups.into_iter().map(|(title, rest)| (title.to_owned(), rest)).collect()
    }

    /// The pods of the list that are of the group of that title.
    pub fn members(&self, title: &str) -> Vec<usize> {
        let Some(by) = self.arrangement.group else { return Vec::new() };
        let is_member = |index: &&usize| {
            let entry = self.pods.get(**index);
            entry.is_some_and(|entry| group_of(by, entry, self.sweep.get(**index)) == title)
        };
        self.arrangement.kept.iter().filter(is_member).copied().collect()
    }

    /// Folds or unfolds the group under the cursor, or that of the pod under it; whether there is one.
    pub fn fold_group(&mut self) -> bool {
        let Some(by) = self.arrangement.group else { return false };
        let id = match self.rows.current().map(|row| (&row.id, &row.body)) {
            Some((id, Body::Group(_))) => id.clone(),
            Some((_, Body::Pod(index))) => {
                let Some(entry) = self.pods.get(*index) else { return false };
                group_id(group_of(by, entry, self.sweep.get(*index)))
            }
            _ => return false,
        };
        if !self.arrangement.open.remove(&id) {
            self.arrangement.open.insert(id.clone());
        }
        self.lists[Screen::Pods].selected = Some(id);
        self.rebuild_rows();
        true
    }

    /// Selects the pod in sight in the lists of pods, in a group that is unfolded for it.
    pub fn reveal_pod(&mut self) {
        let Some(entry) = self.pods.get(self.pod) else { return };
        if let Some(by) = self.arrangement.group {
            self.arrangement.open.insert(group_id(group_of(by, entry, self.sweep.get(self.pod))));
        }
        let id = entry.id.clone();
        self.lists[self.screen].selected = Some(id);
    }

    /// Unfolds all groups, or folds them where one is unfolded.
    pub fn fold_groups(&mut self) {
        if self.arrangement.open.is_empty() {
            let heads = self.rows.shown.iter().filter(|row| matches!(row.body, Body::Group(_)));
            self.arrangement.open = heads.map(|row| row.id.clone()).collect();
        } else {
            self.arrangement.open.clear();
        }
        self.rebuild_rows();
    }
}

/// What a pod has in common with others of its group.
fn group_of<'a>(by: GroupBy, entry: &'a PodEntry, summary: Option<&'a Summary>) -> &'a str {
    match by {
        GroupBy::Namespace => &entry.pod.namespace,
        GroupBy::Handler => entry.handler.as_deref().unwrap_or("no handler"),
        GroupBy::Release => entry.release.as_deref().unwrap_or("no release of Kata's"),
        GroupBy::Outcome => summary.map_or("not evaluated yet", Summary::word),
        GroupBy::Reason => match summary {
            None => "not evaluated yet",
            Some(summary) if summary.refused.is_some() => &summary.why,
            Some(Summary { elsewhere: Some(Elsewhere::NotKata), .. }) => {
                "another runtime than Kata serves it"
            }
            Some(summary) if summary.elsewhere.is_some() => &summary.why,
            Some(summary) if summary.problems() > 0 => {
                "starts, and annotations are without the effect asked for"
            }
            Some(_) => "starts as asked",
        },
    }
}
