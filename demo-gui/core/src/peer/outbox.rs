//! What waits to be sent to the hub. Nothing is lost when its channel is full: single updates are given up, and one
//! difference, computed when there is room again, takes their place.

use std::collections::VecDeque;

use yrs::StateVector;
use yrs::updates::encoder::Encode;

use super::replica::{Change, Replica};
use crate::wire::{change, step1, step2};

/// Updates kept one by one; more are better sent as one difference.
const MAX_QUEUE: usize = 256;

enum Item {
    Change(Change),
    /// The answer to a step 1, with what the other has.
    Answer(StateVector),
}

#[derive(Default)]
pub(super) struct Outbox {
    queue: VecDeque<Item>,
    /// We want to know what the hub has.
    ask: bool,
    /// What the hub has at least, when single updates were given up.
    lost: Option<StateVector>,
}

impl Outbox {
    pub(super) fn ask(&mut self) {
        self.ask = true;
    }

    pub(super) fn push(&mut self, changes: Vec<Change>, replica: &Replica) {
        self.queue.extend(changes.into_iter().map(Item::Change));
        if self.queue.len() > MAX_QUEUE {
            self.give_up(replica);
        }
    }

    pub(super) fn answer(&mut self, has: StateVector, replica: &Replica) {
        self.queue.push_back(Item::Answer(has));
        if self.queue.len() > MAX_QUEUE {
            self.give_up(replica);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty() && !self.ask && self.lost.is_none()
    }

    /// Whether single updates were given up.
    pub(super) fn must_resync(&self) -> bool {
        self.lost.is_some()
    }

    /// Sends what there is, until there is no room; false then.
    pub(super) fn flush(&mut self, replica: &Replica, send: &mut dyn FnMut(Vec<u8>) -> bool) -> bool {
        if self.ask && !send(step1(&replica.state_vector().encode_v1())) {
            self.give_up(replica);
            return false;
        }
        self.ask = false;
        if let Some(from) = &self.lost {
            if !send(step2(&replica.difference(from))) {
                self.give_up(replica);
                return false;
            }
            // It held all that was done up to now.
            self.lost = None;
            self.queue.retain(|item| matches!(item, Item::Answer(_)));
        }
        while let Some(item) = self.queue.pop_front() {
            let frame = match &item {
                Item::Change(made) => change(&made.update),
                Item::Answer(has) => step2(&replica.difference(has)),
            };
            if !send(frame) {
                self.queue.push_front(item);
                self.give_up(replica);
                return false;
            }
        }
        true
    }

    /// Puts one difference in the place of all that is queued.
    fn give_up(&mut self, replica: &Replica) {
        for item in std::mem::take(&mut self.queue) {
            let has = match item {
                Item::Answer(has) => has,
                Item::Change(change) => {
                    let mut has = replica.state_vector();
                    has.set_min(change.client, change.clock);
                    has
                }
            };
            self.lost = Some(match self.lost.take() {
                Some(known) => least(&known, &has),
                None => has,
            });
        }
    }
}

/// What both have.
fn least(one: &StateVector, other: &StateVector) -> StateVector {
    let mut both = StateVector::default();
    for (client, &clock) in one.iter() {
        let clock = clock.min(other.get(client));
        if clock > 0 {
            both.set_max(*client, clock);
        }
    }
    both
}
