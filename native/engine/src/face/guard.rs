//! A panic inside the engine ends one session, not the process.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::driver::Driver;
use crate::error::{Code, Error};

/// A driver, until it is closed or has failed.
pub(super) struct Guarded(Option<Driver>);

impl Guarded {
    pub(super) fn new(driver: Driver) -> Self {
        Self(Some(driver))
    }

    /// Works on the driver. When that panics it is not used again: what it holds may be half done.
    pub(super) fn with<T>(&mut self, work: impl FnOnce(&mut Driver) -> T) -> Result<T, Error> {
        let Some(driver) = &mut self.0 else {
            return Err(Error::new(Code::State, "the socket is closed"));
        };
        catch_unwind(AssertUnwindSafe(|| work(driver))).map_err(|_| {
            self.close();
            Error::new(Code::Engine, "the engine failed; this session is over")
        })
    }

    /// Closes the socket. Dropping what a panic left behind may panic again.
    pub(super) fn close(&mut self) {
        let driver = self.0.take();
        let _ = catch_unwind(AssertUnwindSafe(|| drop(driver)));
    }
}
