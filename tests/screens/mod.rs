//! The terminal program through its real keymap, update and view: key scripts, snapshots at every
//! size, properties, and the built program in a pseudo-terminal.

mod cluster;
mod conflicts;
mod every_size;
mod live;
mod marks;
mod nodes;
mod picture;
mod promises;
mod properties;
mod pty;
mod scripts;
mod snapshots;
mod stage;
mod stranger;
mod sweeps;
mod upgrade;
