//! Mutexes that are usable after a panic of their holder: what they guard is consistent between any two statements.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks the mutex, also if a thread panicked while it held the lock.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
