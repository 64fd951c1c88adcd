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
    work: VecDeque<W>,
    closed: bool,
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
    Work(W),
    /// Nothing came in time.
    Nothing,
    /// Nothing will come any more.
    Closed,
}

impl<Q, W> Inbox<Q, W> {
    /// With room for so many questions and so much work.
    pub(crate) fn new(questions: usize, work: usize) -> Arc<Self> {
        Arc::new(Self {
            lanes: Mutex::new(Lanes {
                questions: VecDeque::new(),
                work: VecDeque::new(),
                closed: false,
            }),
            asked: AtomicUsize::new(0),
            came: Condvar::new(),
            room: (questions, work),
        })
    }

    /// Puts a question in its lane.
    pub(crate) fn ask(&self, question: Q) -> Result<(), AskError> {
        let mut lanes = lock(&self.lanes);
        if lanes.closed {
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

    /// Puts work in its lane; false if there is no room.
    pub(crate) fn give(&self, work: W) -> bool {
        let mut lanes = lock(&self.lanes);
        if lanes.closed || lanes.work.len() >= self.room.1 {
            return false;
        }
        lanes.work.push_back(work);
        drop(lanes);
        self.came.notify_one();
        true
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

    /// Waits for what is next: questions first. What is there when the inbox is closed still comes.
    pub(crate) fn next(&self, limit: Duration) -> Next<Q, W> {
        let end = Instant::now() + limit;
        let mut lanes = lock(&self.lanes);
        loop {
            if let Some(question) = lanes.questions.pop_front() {
                self.asked.store(lanes.questions.len(), Ordering::Release);
                return Next::Question(question);
            }
            if let Some(work) = lanes.work.pop_front() {
                return Next::Work(work);
            }
            if lanes.closed {
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

    /// Nothing is taken any more.
    pub(crate) fn close(&self) {
        lock(&self.lanes).closed = true;
        self.came.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::ZERO;

    #[test]
    fn questions_go_before_work_and_have_room_of_their_own() {
        let inbox = Inbox::new(2, 3);
        for work in 0..3 {
            assert!(inbox.give(work));
        }
        assert!(!inbox.give(9), "the lane of work is full");
        assert!(!inbox.is_asked());
        assert_eq!(inbox.ask('a'), Ok(()));
        assert_eq!(inbox.ask('b'), Ok(()));
        assert_eq!(inbox.ask('c'), Err(AskError::Busy));
        assert!(inbox.is_asked());
        assert_eq!(inbox.next(NOW), Next::Question('a'));
        assert_eq!(inbox.question(), Some('b'));
        assert!(!inbox.is_asked());
        assert_eq!(inbox.next(NOW), Next::Work(0));
        inbox.close();
        assert_eq!(inbox.ask('d'), Err(AskError::Over));
        assert_eq!(inbox.next(NOW), Next::Work(1));
        assert_eq!(inbox.next(NOW), Next::Work(2));
        assert_eq!(inbox.next(NOW), Next::Closed);
    }
}
