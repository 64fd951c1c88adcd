//! The queue of what happens next: frames of conversations that are under way, and jobs that begin new ones.

use std::{cmp::Reverse, collections::BinaryHeap};

use super::world::World;
use crate::wire::{burst::Burst, dice::Dice};

/// Does something at a time; gives the time at which it is to be done again.
pub(crate) type Act = Box<dyn FnMut(&mut World, &mut Dice, u64) -> Option<u64> + Send>;

/// Something that a device does, with chance of its own.
pub(crate) struct Job {
    pub(crate) dice: Dice,
    pub(crate) act: Act,
    /// The attack that it is part of.
    pub(crate) episode: Option<usize>,
}

/// Takes a frame: its time, its bytes, and the attack that it is part of.
pub(crate) type Sink<'a> = &'a mut dyn FnMut(u64, &[u8], Option<usize>);

enum Item {
    Burst(Burst, Option<usize>),
    Job(Box<Job>),
}

/// Plays what the hosts do in the order of time.
pub(crate) struct Sim {
    world: World,
    due: BinaryHeap<Reverse<(u64, u64, usize)>>,
    items: Vec<Option<Item>>,
    free: Vec<usize>,
    number: u64,
}

impl Sim {
    /// With the jobs that wait in `world`.
    pub(crate) fn new(world: World) -> Self {
        let mut sim = Self {
            world,
            due: BinaryHeap::new(),
            items: Vec::new(),
            free: Vec::new(),
            number: 0,
        };
        sim.collect(None);
        sim
    }

    fn add(&mut self, time: u64, item: Item) {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.items.push(None);
            self.items.len() - 1
        });
        self.items[slot] = Some(item);
        self.number += 1;
        self.due.push(Reverse((time, self.number, slot)));
    }

    /// Takes what a job left in the world.
    fn collect(&mut self, episode: Option<usize>) {
        for burst in std::mem::take(&mut self.world.bursts) {
            if let Some(time) = burst.due() {
                self.add(time, Item::Burst(burst, episode));
            }
        }
        for (time, mut job) in std::mem::take(&mut self.world.jobs) {
            job.episode = job.episode.or(episode);
            self.add(time, Item::Job(Box::new(job)));
        }
    }

    /// Hands out all frames before `end` with the attack that they belong to.
    pub(crate) fn run(&mut self, end: u64, frame: Sink<'_>) {
        while let Some(Reverse((time, _, slot))) = self.due.pop() {
            if time >= end {
                break;
            }
            match self.items[slot].take() {
                Some(Item::Burst(mut burst, episode)) => {
                    let next = self.due.peek().map_or(end, |next| next.0.0);
                    let mut due = Some(time);
                    while due.is_some_and(|due| due <= next && due < end) {
                        if let Some((time, bytes)) = burst.take() {
                            frame(time, bytes, episode);
                        }
                        due = burst.due();
                    }
                    if let Some(due) = due {
                        self.number += 1;
                        self.items[slot] = Some(Item::Burst(burst, episode));
                        self.due.push(Reverse((due, self.number, slot)));
                    } else {
                        self.free.push(slot);
                    }
                }
                Some(Item::Job(mut job)) => {
                    let again = (job.act)(&mut self.world, &mut job.dice, time);
                    self.collect(job.episode);
                    if let Some(again) = again {
                        self.number += 1;
                        self.items[slot] = Some(Item::Job(job));
                        self.due
                            .push(Reverse((again.max(time + 1), self.number, slot)));
                    } else {
                        self.free.push(slot);
                    }
                }
                None => self.free.push(slot),
            }
        }
    }
}
