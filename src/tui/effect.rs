//! What `update` asks of the outside. Values only; `run` carries them out.

use crate::edit::Plan;
use crate::evaluate::node::NodeEvaluator;
use crate::input::config::Layers;
use crate::input::manifest::Pod;
use crate::release::Version;
use crate::report::matrix::Matrix;

/// A request to the outside.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Put `text` on the clipboard; `what` names it for the answer.
    Copy {
        /// The text.
        text: String,
        /// A word for it.
        what: String,
    },
    /// Write these files, one after the other, up to the first that fails.
    Save(Vec<Plan>),
    /// Read configuration and manifests again.
    Reload,
    /// Read another node.
    OpenNode {
        /// Which.
        node: usize,
        /// The pod that one goes to there.
        pod: usize,
    },
    /// Look for the VMs that run on this machine.
    Look,
    /// Hold one of them against the prediction for its pod.
    Beside {
        /// Which.
        vm: usize,
        /// Its sandbox.
        sandbox: String,
    },
    /// Read what these words name, in place of what is open.
    OpenInstead {
        /// As on the command line.
        words: Vec<String>,
        /// Whether the same is read otherwise, and one stays where one is.
        keep: bool,
    },
    /// Read what these words name, to see what would come of it.
    Suppose {
        /// As on the command line.
        words: Vec<String>,
    },
    /// Read what these words name, to compare with it.
    OpenBeside {
        /// As on the command line.
        words: Vec<String>,
    },
    /// Write down what was opened and what is kept.
    Remember,
    /// Hold the node and the pods against another release.
    Upgrade {
        /// Which.
        to: Version,
    },
    /// Open an editor.
    Editor {
        /// Shown path.
        path: String,
        /// Line, from 1; 0: unknown.
        line: u32,
    },
    /// Stop, and come back on SIGCONT.
    Suspend,
    /// Draw everything again.
    Redraw,
    /// Take or release the mouse.
    Mouse(bool),
    /// Write this text to a new file in the working folder.
    Export {
        /// The file's name.
        name: String,
        /// Its content.
        text: String,
        /// Whether another name will do where this one is taken.
        another: bool,
    },
    /// End the program; unsaved edits go to stderr as a patch.
    Quit {
        /// The patch.
        patch: Option<String>,
    },
}

/// How saving one file ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SaveOutcome {
    /// It is written; a sentence about it.
    Written(Plan, String),
    /// The file on disk is not what was read.
    Conflict {
        /// Shown path.
        path: String,
        /// What lies there now; `None`: it is gone.
        theirs: Option<String>,
    },
    /// It could not be written; a sentence.
    Failed(String),
}

/// What was read again.
#[derive(Debug, Clone)]
pub struct Fresh {
    /// The node.
    pub node: NodeEvaluator,
    /// The configuration of the handler that is looked at.
    pub layers: Layers,
    /// The pods, where they were asked for.
    pub pods: Vec<Pod>,
    /// What becomes of them on every node, where there are several.
    pub matrix: Option<Matrix>,
}

/// What is heard of the cluster.
#[derive(Debug, Clone)]
pub enum News {
    /// These are the pods now.
    Pods {
        /// All of them.
        pods: Vec<Pod>,
        /// What became of them, where that is worth a word.
        text: Option<String>,
    },
    /// Nothing more is heard, for this reason.
    Ended(String),
}

/// The cluster, which is listened to.
pub struct Watched {
    /// What is run for it.
    pub words: String,
    /// What is new since it was asked last.
    pub hear: Box<dyn FnMut() -> Option<News> + Send>,
}

/// Why what cannot be written; `None`: it can.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rights {
    /// The files that were read.
    pub files: Option<String>,
    /// A new drop-in beside them.
    pub drop_in: Option<String>,
}
