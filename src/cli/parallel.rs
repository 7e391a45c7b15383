//! Pods of a long input, judged on several cores and handed on in order.
//!
//! One thread reads, the others take its batches as they get round to it, read pods from them and do the work on
//! them, the caller takes the results in input order. Nothing is held but a few batches, so the length of the input
//! does not matter.

use std::cell::RefCell;
use std::io::BufRead;
use std::num::NonZero;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::CliError;
use super::cluster::{Cluster, Opened};
use super::error::SetupError;
use crate::input::manifest::pods::Found;
use crate::input::manifest::{self, Object, Piece, Pod, RuntimeClass};
use crate::kubernetes;

/// So many batches for each worker are on their way, from being read to their results being taken.
const UNDER_WAY: usize = 4;
/// Pods of a text that is read as a whole, in one batch.
const PODS: usize = 64;

/// What the reader hands to a worker.
enum Batch {
    /// A piece of the input to be read, of which nothing is to be learnt for those behind it.
    Piece(Piece),
    /// Pods that the reader had to read itself.
    Pods(Vec<Pod>),
}

/// A batch, and where its results go.
type Task<T> = (Batch, Sender<Done<T>>);

/// What a worker made of a batch.
struct Done<T> {
    results: Vec<T>,
    pods: usize,
    others: Vec<String>,
    failed: Option<CliError>,
}

/// What was found in an input.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// How many pods.
    pub pods: usize,
    /// The kinds of the objects that make none.
    pub others: Vec<String>,
}

/// What the objects of a text turned out to be.
#[derive(Default)]
struct Sorted {
    pods: Vec<Pod>,
    others: Vec<String>,
    /// RuntimeClasses of this input; where all inputs were searched before, the cluster has them already.
    classes: Vec<RuntimeClass>,
    failed: Option<CliError>,
}

impl Sorted {
    fn sort(&mut self, object: &Object<'_, '_>, cluster: &Cluster) {
        match cluster.judge(object) {
            Found::Pods(pods) => self.pods.extend(pods.into_iter().map(|mut pod| {
                let classes = if cluster.searched { &cluster.classes } else { &self.classes };
                kubernetes::name_handler(&mut pod, classes);
                pod
            })),
            Found::RuntimeClass(class) => {
                self.others.push("RuntimeClass".into());
                if !cluster.searched {
                    self.classes.push(class);
                }
            }
            Found::Other(kind) => self.others.push(kind),
            Found::Unusable(error) => {
                self.failed = self.failed.take().or(Some(SetupError::from(error).into()));
            }
        }
    }
}

/// How many pods are worked on at once where nobody says: one on every core.
pub(super) fn cores() -> NonZero<usize> {
    thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN)
}

/// Calls `work` with every pod of the file, on any of `jobs` threads, and `take` with what it gives, in order.
/// Where `work` gives nothing the pod is passed over.
pub(super) fn each<T: Send>(
    (shown, input): Opened,
    jobs: NonZero<usize>,
    cluster: &Cluster,
    work: &(impl Fn(Pod) -> Option<T> + Sync),
    take: &mut dyn FnMut(T) -> Result<(), CliError>,
) -> Result<Seen, CliError> {
    // Whoever has nothing to do takes the next batch, so that one who is kept waiting keeps nobody else.
    let (inlet, tasks) = channel();
    let tasks = Mutex::new(tasks);
    let (order, outlets) = sync_channel(UNDER_WAY * jobs.get());
    thread::scope(|scope| {
        for _ in 0..jobs.get() {
            scope.spawn(|| run(&tasks, cluster, work));
        }
        let name = shown.clone();
        let reader = scope.spawn(move || read(input, &name, cluster, inlet, order));
        let taken = collect(&outlets, take);
        // Whoever still works finds nobody listening, and ends.
        drop(outlets);
        let read = reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        let (pods, mut others) = taken?;
        others.extend(read?);
        Ok(Seen { pods, others })
    })
}

/// The same on this thread alone, for what is read sooner than threads are started.
pub(super) fn here<T>(
    (shown, input): Opened,
    cluster: &Cluster,
    work: &impl Fn(Pod) -> Option<T>,
    take: &mut dyn FnMut(T) -> Result<(), CliError>,
) -> Result<Seen, CliError> {
    // Both ways of reading sort.
    let sorted = RefCell::new(Sorted::default());
    let mut visit = |object: Object<'_, '_>| sorted.borrow_mut().sort(&object, cluster);
    let mut pieces = |piece: Piece| {
        let mut sorted = sorted.borrow_mut();
        if let Err(error) = piece.walk(&mut |object| sorted.sort(&object, cluster)) {
            sorted.failed = sorted.failed.take().or(Some(SetupError::from(error).into()));
        }
        sorted.failed.is_none()
    };
    let read = manifest::batches(input, shown.clone(), &mut pieces, &mut visit);
    let sorted = sorted.into_inner();
    let pods = sorted.pods.len();
    sorted.pods.into_iter().filter_map(work).try_for_each(take)?;
    if let Some(error) = sorted.failed {
        return Err(error);
    }
    read.map_err(SetupError::from)?;
    Ok(Seen { pods, others: sorted.others })
}

/// A worker's life.
fn run<T>(tasks: &Mutex<Receiver<Task<T>>>, cluster: &Cluster, work: &impl Fn(Pod) -> Option<T>) {
    let next = || tasks.lock().unwrap_or_else(PoisonError::into_inner).recv();
    while let Ok((batch, results)) = next() {
        let mut sorted = Sorted::default();
        match batch {
            Batch::Pods(pods) => sorted.pods = pods,
            Batch::Piece(piece) => {
                if let Err(error) = piece.walk(&mut |object| sorted.sort(&object, cluster)) {
                    sorted.failed = sorted.failed.take().or(Some(SetupError::from(error).into()));
                }
            }
        }
        let pods = sorted.pods.len();
        let done = Done {
            results: sorted.pods.into_iter().filter_map(work).collect(),
            pods,
            others: sorted.others,
            failed: sorted.failed,
        };
        if results.send(done).is_err() {
            return;
        }
    }
}

/// Reads, and deals batches out.
struct Dealer<'n, T> {
    sorted: Sorted,
    cluster: &'n Cluster,
    inlet: Sender<Task<T>>,
    /// Where the results of each batch come out, in the order of the batches.
    order: SyncSender<Receiver<Done<T>>>,
    /// Somebody still takes results.
    open: bool,
}

impl<T> Dealer<'_, T> {
    fn deal(&mut self, batch: Batch) {
        let (results, outlet) = channel();
        // Waits while enough are under way.
        self.open = self.open && self.order.send(outlet).is_ok() && self.inlet.send((batch, results)).is_ok();
    }

    fn object(&mut self, object: &Object<'_, '_>) {
        self.sorted.sort(object, self.cluster);
        if self.sorted.pods.len() >= PODS {
            self.flush();
        }
    }

    fn flush(&mut self) {
        if !self.sorted.pods.is_empty() {
            let pods = std::mem::take(&mut self.sorted.pods);
            self.deal(Batch::Pods(pods));
        }
    }

    fn piece(&mut self, piece: Piece) -> bool {
        let nothing_to_learn = || self.sorted.classes.is_empty() && !piece.text().contains("RuntimeClass\"");
        if self.cluster.searched || nothing_to_learn() {
            self.flush();
            self.deal(Batch::Piece(piece));
        } else if let Err(error) = piece.walk(&mut |object| self.object(&object)) {
            // A class counts for the pods behind it, so these were read in order.
            let error = SetupError::from(error).into();
            self.sorted.failed = self.sorted.failed.take().or(Some(error));
        }
        self.open && self.sorted.failed.is_none()
    }
}

/// Reads to the end; gives the kinds of the objects that make no pods, where the workers do not tell.
fn read<T>(
    input: Box<dyn BufRead + Send>,
    shown: &Arc<str>,
    cluster: &Cluster,
    inlet: Sender<Task<T>>,
    order: SyncSender<Receiver<Done<T>>>,
) -> Result<Vec<String>, CliError> {
    let dealer = Dealer { sorted: Sorted::default(), cluster, inlet, order, open: true };
    // Both ways of reading deal.
    let dealer = RefCell::new(dealer);
    let mut pieces = |piece: Piece| dealer.borrow_mut().piece(piece);
    let mut visit = |object: Object<'_, '_>| dealer.borrow_mut().object(&object);
    let read = manifest::batches(input, shown.clone(), &mut pieces, &mut visit);
    let mut dealer = dealer.into_inner();
    dealer.flush();
    match dealer.sorted.failed.take() {
        Some(error) => Err(error),
        None => read.map(|_| dealer.sorted.others).map_err(|error| SetupError::from(error).into()),
    }
}

/// Takes the results in the order in which the batches were dealt.
fn collect<T>(
    outlets: &Receiver<Receiver<Done<T>>>,
    take: &mut dyn FnMut(T) -> Result<(), CliError>,
) -> Result<(usize, Vec<String>), CliError> {
    let mut pods = 0;
    let mut others = Vec::new();
    for outlet in outlets {
        // A worker that ended before it was done tells why when it is joined.
        let Ok(done) = outlet.recv() else { break };
        pods += done.pods;
        others.extend(done.others);
        for result in done.results {
            take(result)?;
        }
        if let Some(error) = done.failed {
            return Err(error);
        }
    }
    Ok((pods, others))
}
