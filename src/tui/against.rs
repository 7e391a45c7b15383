//! Holds what is open against another release, beside the screens: with many pods that takes a while.
//!
//! Decides nothing: what differs is `upgrade`'s. After a moment it is said what one waits for.

use std::io;
use std::sync::mpsc::channel;

use super::display::Display;
use super::geometry::Geometry;
use super::model::upgrade::judged;
use super::model::{Model, Notice};
use super::session::MOMENT;
use crate::input::manifest::Pod;
use crate::release::Version;
use crate::upgrade::{Upgrade, upgrade};

pub(super) fn found(
    display: &mut Display,
    to: Version,
    model: &mut Model,
    geometry: &mut Geometry,
) -> io::Result<Upgrade> {
    let (outbox, inbox) = channel();
    let node = model.node.clone();
    let pods: Vec<Pod> = model.pods.iter().map(|entry| (*entry.pod).clone()).collect();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            drop(outbox.send(upgrade(
                &node,
                &|runtime| judged(runtime, to).map_err(|error| error.to_string()),
                &pods,
            )));
        });
        if let Ok(found) = inbox.recv_timeout(MOMENT) {
            return Ok(found);
        }
        let before = model.notice.replace(Notice { text: format!("holding against {to}"), bad: false });
        let drawn = display.draw(model, geometry);
        model.notice = before;
        drawn?;
        Ok(inbox.recv().unwrap_or_default())
    })
}
