//! The cluster's pods as they change: kubectl's own `--watch`, whose events are put over the pods in sight.
//!
//! Decides which pods there are after each event. kubectl prints every pod once at its beginning: by that, pods are
//! noticed that went before it began.

use std::collections::HashSet;
use std::io::{self, BufReader};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::Value as Json;

use super::args::Input;
use super::cluster::Cluster;
use super::kubectl::{self, CLUSTER, Stopper};
use crate::evaluate::affected::firsts_alike;
use crate::input::manifest::Pod;
use crate::report::escape::visible;

/// After so long without a word kubectl has printed every pod once.
const QUIET: Duration = Duration::from_secs(1);
/// Before kubectl is run again, where it ended by itself as API servers end a watch.
const PAUSE: Duration = Duration::from_secs(1);

/// What is new of the cluster.
pub(super) enum News {
    /// These are the pods now; what became of them, where that is worth a word.
    Pods(Vec<Pod>, Option<String>),
    /// Nothing more is heard, for this reason.
    Ended(String),
}

/// The cluster, which is listened to.
pub(super) struct Watched {
    /// What is run for it.
    pub words: String,
    state: State,
    inbox: Receiver<Heard>,
    /// Ended with the screens.
    _running: Running,
}

impl Watched {
    /// What is new since this was asked last; `None` where nothing is that matters.
    pub(super) fn hear(&mut self) -> Option<News> {
        self.state.hear(&self.inbox)
    }
}

/// What the one who reads kubectl's output tells.
enum Heard {
    /// kubectl was run: every pod comes once.
    Began,
    /// These are there, as they are now.
    Here(Vec<Pod>),
    /// These are not any more.
    Gone(Vec<Pod>),
    /// Nothing follows, for this reason.
    Ended(String),
}

/// One line of `--output-watch-events`.
#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: String,
    object: Json,
}

/// Watches beside the screens; `pods` are those in sight.
pub(super) fn begin(input: &Arc<Input>, pods: Vec<Pod>) -> io::Result<Watched> {
    let words = input.cluster.watched();
    let (outbox, inbox) = channel();
    let running = Running::default();
    let listener = {
        let (input, words, running) = (Arc::clone(input), words.clone(), running.clone());
        move || {
            if let Err(why) = listen(&input, &words, &outbox, &running) {
                let _ = outbox.send(Heard::Ended(why));
            }
        }
    };
    std::thread::Builder::new().spawn(listener)?;
    let words = format!("kubectl {}", words.join(" "));
    Ok(Watched { words, state: State::of(pods), inbox, _running: running })
}

/// The kubectl that runs now; it is ended with the last of these.
#[derive(Clone, Default)]
struct Running(Arc<Mutex<Option<Stopper>>>);

impl Running {
    fn is(&self, stopper: Stopper) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(stopper);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The one who reads has the other one, and waits for what kubectl prints.
        if let Some(stopper) = self.0.lock().unwrap_or_else(PoisonError::into_inner).take() {
            stopper.stop();
        }
    }
}

/// Reads what kubectl prints, for as long as somebody hears of it.
fn listen(input: &Input, words: &[String], outbox: &Sender<Heard>, running: &Running) -> Result<(), String> {
    let cluster = Cluster::of(input).map_err(|error| error.to_string())?;
    while outbox.send(Heard::Began).is_ok() {
        let printed = kubectl::run(words, true).map_err(|error| error.to_string())?;
        running.is(printed.stopper());
        let events = serde_json::Deserializer::from_reader(BufReader::new(printed)).into_iter::<Event>();
        for event in events {
            let Event { kind, object } = event.map_err(|error| io::Error::from(error).to_string())?;
            if kind == "ERROR" {
                let message = object.get("message").and_then(Json::as_str).unwrap_or("no reason is given");
                return Err(format!("kubectl {}: {}", words.join(" "), visible(message)));
            }
            let pods = cluster.pods_in(object.to_string()).map_err(|error| error.to_string())?;
            let heard = match kind.as_str() {
                "ADDED" | "MODIFIED" => Heard::Here(pods),
                "DELETED" => Heard::Gone(pods),
                _ => continue,
            };
            if outbox.send(heard).is_err() {
                return Ok(());
            }
        }
        std::thread::sleep(PAUSE);
    }
    Ok(())
}

/// The pods, as far as was heard.
struct State {
    /// Those of files.
    others: Vec<Pod>,
    /// The cluster's, by namespace and name.
    cluster: IndexMap<String, Pod>,
    /// Those that kubectl has printed since it began, until all were.
    seen: Option<HashSet<String>>,
    heard_at: Instant,
}

impl State {
    fn of(pods: Vec<Pod>) -> Self {
        let (cluster, others): (Vec<Pod>, Vec<Pod>) =
            pods.into_iter().partition(|pod| pod.source.file == CLUSTER);
        let cluster = cluster.into_iter().map(|pod| (pod.id(), pod)).collect();
        Self { others, cluster, seen: None, heard_at: Instant::now() }
    }

    /// What is new; `None` where nothing is that matters.
    fn hear(&mut self, inbox: &Receiver<Heard>) -> Option<News> {
        let beginning = self.seen.is_some();
        let mut changes: Vec<String> = Vec::new();
        for heard in inbox.try_iter() {
            self.heard_at = Instant::now();
            match heard {
                Heard::Began => self.seen = Some(HashSet::new()),
                Heard::Here(pods) => changes.extend(pods.into_iter().filter_map(|pod| self.is_here(pod))),
                Heard::Gone(pods) => changes.extend(pods.iter().filter_map(|pod| {
                    let id = pod.id();
                    self.cluster.shift_remove(&id).map(|_| format!("{id} is gone"))
                })),
                Heard::Ended(why) => return Some(News::Ended(why)),
            }
        }
        let begun = |seen: &HashSet<String>, since: Instant| !seen.is_empty() && since.elapsed() > QUIET;
        if self.seen.as_ref().is_some_and(|seen| begun(seen, self.heard_at))
            && let Some(seen) = self.seen.take()
        {
            let before = self.cluster.len();
            self.cluster.retain(|id, _| seen.contains(id));
            changes.extend((self.cluster.len() < before).then(|| "some pods are gone".to_owned()));
        }
        if changes.is_empty() {
            return None;
        }
        let text = match changes.as_slice() {
            // That every pod comes once is no news.
            _ if beginning => None,
            [one] => Some(one.clone()),
            several => Some(format!("{} pods changed", several.len())),
        };
        let pods = self.others.iter().chain(self.cluster.values()).cloned().collect();
        Some(News::Pods(pods, text))
    }

    /// Takes a pod over; what is to be said of it, where it is not as it was.
    fn is_here(&mut self, pod: Pod) -> Option<String> {
        let id = pod.id();
        if let Some(seen) = &mut self.seen {
            seen.insert(id.clone());
        }
        let text = match self.cluster.get(&id) {
            // Most events are about its status, which changes nothing here.
            Some(before) if firsts_alike(&[before.clone(), pod.clone()]) == [0, 0] => return None,
            Some(_) => format!("{id} changed"),
            None => format!("{id} is new"),
        };
        self.cluster.insert(id, pod);
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(name: &str, value: &str) -> Pod {
        let text = format!(
            r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"{name}","namespace":"lab","annotations":{{"a":"{value}"}}}},"spec":{{"containers":[]}}}}"#
        );
        let source = crate::input::Source::new(CLUSTER, text);
        crate::input::manifest::read(&source).unwrap().pods.remove(0)
    }

    /// The pods after some events, and what is said of them.
    fn after(state: &mut State, heard: Vec<Heard>) -> Option<(String, Option<String>)> {
        let (outbox, inbox) = channel();
        heard.into_iter().for_each(|heard| outbox.send(heard).unwrap());
        match state.hear(&inbox)? {
            News::Pods(pods, text) => {
                let names: Vec<String> = pods.iter().map(|pod| pod.name.clone()).collect();
                Some((names.join(" "), text))
            }
            News::Ended(why) => Some((why, None)),
        }
    }

    #[test]
    fn events_are_put_over_the_pods() {
        let mut state = State::of(vec![pod("a", "1"), pod("b", "1"), pod("c", "1")]);
        let beginning =
            vec![Heard::Began, Heard::Here(vec![pod("a", "1")]), Heard::Here(vec![pod("b", "1")])];
        assert_eq!(after(&mut state, beginning), None, "they are as they were");
        state.heard_at -= QUIET * 2;
        assert_eq!(after(&mut state, Vec::new()), Some(("a b".into(), None)), "c went before kubectl began");
        let said = |text: &str| Some(text.to_owned());
        assert_eq!(
            after(&mut state, vec![Heard::Here(vec![pod("b", "2")])]),
            Some(("a b".into(), said("lab/b changed")))
        );
        assert_eq!(after(&mut state, vec![Heard::Here(vec![pod("b", "2")])]), None, "of its status alone");
        let more = vec![Heard::Gone(vec![pod("a", "1")]), Heard::Here(vec![pod("d", "1")])];
        assert_eq!(after(&mut state, more), Some(("b d".into(), said("2 pods changed"))));
        assert_eq!(after(&mut state, vec![Heard::Ended("why".into())]), Some(("why".into(), None)));
    }
}
