//! What waits for a thread, in two lanes: questions go before work, and each has room of its own.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use sensor_facts::lock::lock;

use super::AskError;

#[derive(Debug)]
struct Lanes<Q, W> {
    questions: VecDeque<Q>,
    work: VecDeque<Vec<W>>,
    /// Pieces of work in all batches.
    pieces: usize,
    /// From then on what waits is given up.
    closed: Option<Instant>,
    given_up: usize,
}

/// The room of both lanes, and what is in them.
#[derive(Debug)]
pub(crate) struct Inbox<Q, W> {
    lanes: Mutex<Lanes<Q, W>>,
    /// Questions that wait, to be read without the lock.
    asked: AtomicUsize,
    came: Condvar,
    room: (usize, usize),
}

/// What the thread has to do next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next<Q, W> {
    Question(Q),
    /// A batch of work.
    Work(Vec<W>),
    /// Nothing came in time.
    Nothing,
    /// Nothing will come any more.
    Closed,
}

impl<Q, W> Inbox<Q, W> {
    /// With room for so many questions and pieces of work.
    pub(crate) fn new(questions: usize, work: usize) -> Arc<Self> {
        Arc::new(Self {
            lanes: Mutex::new(Lanes {
                questions: VecDeque::new(),
                work: VecDeque::new(),
                pieces: 0,
                closed: None,
                given_up: 0,
            }),
            asked: AtomicUsize::new(0),
            came: Condvar::new(),
            room: (questions, work),
        })
    }

    /// Puts a question in its lane.
    pub(crate) fn ask(&self, question: Q) -> Result<(), AskError> {
        let mut lanes = lock(&self.lanes);
        if lanes.closed.is_some() {
            return Err(AskError::Over);
        }
        if lanes.questions.len() >= self.room.0 {
            return Err(AskError::Busy);
        }
        lanes.questions.push_back(question);
        self.asked.store(lanes.questions.len(), Ordering::Release);
        drop(lanes);
        self.came.notify_one();
        Ok(())
    }

    /// Puts a batch of work in its lane, as far as there is room; the number of pieces for which there is none.
    pub(crate) fn give(&self, mut work: Vec<W>) -> usize {
        let offered = work.len();
        let mut lanes = lock(&self.lanes);
        let room = if lanes.closed.is_some() {
            0
        } else {
            self.room.1.saturating_sub(lanes.pieces)
        };
        work.truncate(room);
        let taken = work.len();
        if taken > 0 {
            lanes.pieces += taken;
            lanes.work.push_back(work);
        }
        drop(lanes);
        self.came.notify_one();
        offered - taken
    }

    /// True if a question waits. Costs one read.
    pub(crate) fn is_asked(&self) -> bool {
        self.asked.load(Ordering::Acquire) > 0
    }

    /// The next question, if one waits.
    pub(crate) fn question(&self) -> Option<Q> {
        let mut lanes = lock(&self.lanes);
        let question = lanes.questions.pop_front();
        self.asked.store(lanes.questions.len(), Ordering::Release);
        question
    }

    /// Waits for what is next: questions first. What is there when the inbox is closed still comes while there is time.
    pub(crate) fn next(&self, limit: Duration) -> Next<Q, W> {
        let end = Instant::now() + limit;
        let mut lanes = lock(&self.lanes);
        loop {
            if let Some(question) = lanes.questions.pop_front() {
                self.asked.store(lanes.questions.len(), Ordering::Release);
                return Next::Question(question);
            }
            if lanes.closed.is_some_and(|end| Instant::now() >= end) {
                lanes.given_up += std::mem::take(&mut lanes.pieces);
                lanes.work.clear();
            }
            if let Some(work) = lanes.work.pop_front() {
                lanes.pieces -= work.len();
                return Next::Work(work);
            }
            if lanes.closed.is_some() {
                return Next::Closed;
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Next::Nothing;
            }
            let woken = self.came.wait_timeout(lanes, left);
            lanes = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Nothing is taken any more, and work that is not begun within `limit` is given up.
    pub(crate) fn close(&self, limit: Duration) {
        lock(&self.lanes)
            .closed
            .get_or_insert_with(|| Instant::now() + limit);
        self.came.notify_all();
    }

    /// True if the time for the work that waited at the end is over.
    pub(crate) fn is_over(&self) -> bool {
        lock(&self.lanes)
            .closed
            .is_some_and(|end| Instant::now() >= end)
    }

    /// Pieces of work that were given up at the end.
    pub(crate) fn given_up(&self) -> usize {
        lock(&self.lanes).given_up
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::ZERO;

    #[test]
    fn questions_go_before_work_and_have_room_of_their_own() {
        let inbox = Inbox::new(2, 5);
        for work in [vec![0, 1], vec![2, 3], Vec::new()] {
            assert_eq!(inbox.give(work), 0);
        }
        assert_eq!(inbox.give(vec![4, 5, 6]), 2, "there is room for one");
        assert_eq!(inbox.give(vec![9]), 1, "the lane of work is full");
        assert!(!inbox.is_asked());
        assert_eq!(inbox.ask('a'), Ok(()));
        assert_eq!(inbox.ask('b'), Ok(()));
        assert_eq!(inbox.ask('c'), Err(AskError::Busy));
        assert!(inbox.is_asked());
        assert_eq!(inbox.next(NOW), Next::Question('a'));
        assert_eq!(inbox.question(), Some('b'));
        assert!(!inbox.is_asked());
        assert_eq!(inbox.next(NOW), Next::Work(vec![0, 1]));
        assert_eq!(inbox.give(vec![7, 8, 9]), 1, "there is room for two again");
        inbox.close(Duration::from_hours(1));
        assert_eq!(inbox.ask('d'), Err(AskError::Over));
        assert_eq!(inbox.give(vec![1]), 1);
        assert!(!inbox.is_over());
        for work in [vec![2, 3], vec![4], vec![7, 8]] {
            assert_eq!(inbox.next(NOW), Next::Work(work));
        }
        assert_eq!(inbox.next(NOW), Next::Closed);
        assert_eq!(inbox.given_up(), 0);
    }

    #[test]
    fn work_that_waits_at_the_end_is_given_up_and_counted() {
        let inbox = Inbox::<char, u8>::new(1, 5);
        assert_eq!(inbox.give(vec![0, 1]), 0);
        assert_eq!(inbox.give(vec![2]), 0);
        assert_eq!(inbox.ask('a'), Ok(()));
        inbox.close(NOW);
        assert!(inbox.is_over());
        assert_eq!(inbox.next(NOW), Next::Question('a'), "it was asked before");
        assert_eq!(inbox.next(NOW), Next::Closed);
        assert_eq!(inbox.given_up(), 3);
    }
}
