//! A panic inside the engine ends one session, not the process.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::driver::Driver;

/// Why there was no work done.
pub(super) enum Failure {
    /// The driver is gone already.
    Closed,
    /// The work has just failed, and the driver with it.
    Panicked,
}

/// A driver, until it is closed or has failed.
pub(super) struct Guarded(Option<Driver>);

impl Guarded {
    pub(super) fn new(driver: Driver) -> Self {
        Self(Some(driver))
    }

    /// Works on the driver. When that panics it is not used again: what it holds may be half done.
    pub(super) fn with<T>(&mut self, work: impl FnOnce(&mut Driver) -> T) -> Result<T, Failure> {
        let Some(driver) = &mut self.0 else {
            return Err(Failure::Closed);
        };
        catch_unwind(AssertUnwindSafe(|| work(driver))).map_err(|_| {
            self.close();
            Failure::Panicked
        })
    }

    /// Closes the socket. Dropping what a panic left behind may panic again.
    pub(super) fn close(&mut self) {
        let driver = self.0.take();
        let _ = catch_unwind(AssertUnwindSafe(|| drop(driver)));
    }
}
