//! The class `Socket`.

use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use napi::Status;
use napi::bindgen_prelude::Function;
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi_derive::napi;

use super::guard::{Failure, Guarded};
use super::options::{AttachOptions, number};
use super::stats::{CloseObject, StatsObject};
use super::values::{Bytes, Words};
use crate::close::CloseReason;
use crate::driver::{self, Driver, Next};
use crate::error::{Code, Error, refused, with};
use crate::events::{EVENT_WORDS, Event};
use crate::options::Options;
use crate::poller::{Interest, Registration, Wake};
use crate::session::{DatagramSent, Read, Session, Write};
use crate::stats::Stats;

pub(super) type Result<T> = std::result::Result<T, napi::Error<Code>>;
type OnReady = ThreadsafeFunction<(), (), (), Status, false, false>;

/// Added to what `read` returns when the peer's end came with it.
const END: i32 = 1 << 30;
const GONE: i32 = -1;
const STOPPED: i32 = -2;
const TOO_LARGE: i32 = -2;
const NONE: i32 = -1;
/// The longest read or write of one call.
const MAX_LENGTH: usize = (1 << 30) - 1;

/// One UDP socket and the QUIC session on it.
#[napi]
pub struct Socket {
    /// Dropped first: it watches the socket that `driver` owns.
    registration: Option<Registration<UdpSocket>>,
    driver: Guarded,
    /// `onReady` is called and has not come to its turn yet.
    called: Arc<AtomicBool>,
    address: String,
    port: u32,
    receive_buffer: u32,
    /// The engine itself has failed, and whether that was told.
    failed: Option<CloseReason>,
    told: bool,
}

#[napi]
impl Socket {
    /// Binds a UDP socket. `onReady` is called whenever there is something to do.
    #[napi(constructor)]
    pub fn new(address: String, port: f64, on_ready: Function<'_, (), ()>) -> Result<Self> {
        let mut driver =
            Driver::bind(driver::address(&address, number("port", port).map_err(thrown)?).map_err(thrown)?)
                .map_err(thrown)?;
        let call: OnReady = on_ready
            .build_threadsafe_function()
            .callee_handled::<false>()
            .build()
            .map_err(with(Code::Engine, "onReady"))
            .map_err(thrown)?;
        let called = Arc::new(AtomicBool::new(false));
        let pending = called.clone();
        let wake: Wake = Arc::new(move || {
            if !pending.swap(true, Ordering::AcqRel) {
                call.call((), ThreadsafeFunctionCallMode::NonBlocking);
            }
        });
        driver.on_target(wake.clone());
        let registration = Registration::new(driver.socket().raw(), wake)
            .map_err(refused("cannot wait for the socket"))
            .map_err(thrown)?;
        let local = driver.socket().local();
        let receive_buffer = u32::try_from(driver.socket().receive_buffer()).unwrap_or(u32::MAX);
        let socket = Self {
            registration: Some(registration),
            driver: Guarded::new(driver),
            called,
            address: local.ip().to_string(),
            port: local.port().into(),
            receive_buffer,
            failed: None,
            told: false,
        };
        if let Some(registration) = &socket.registration {
            registration.wait(Interest::READABLE);
        }
        Ok(socket)
    }

    /// The local address.
    #[napi(getter)]
    pub fn address(&self) -> String {
        self.address.clone()
    }

    /// The local port.
    #[napi(getter)]
    pub fn port(&self) -> u32 {
        self.port
    }

    /// The receive buffer that the system granted.
    #[napi(getter)]
    pub fn receive_buffer(&self) -> u32 {
        self.receive_buffer
    }

    /// Whether there are targets on this system.
    #[napi(getter)]
    pub fn can_dial(&self) -> bool {
        cfg!(target_os = "linux")
    }

    /// Sends one packet that is not the session's.
    #[napi]
    pub fn send(&mut self, bytes: &[u8], address: String, port: f64) -> Result<bool> {
        let to = driver::address(&address, number("port", port).map_err(thrown)?).map_err(thrown)?;
        Ok(self.with(false, |driver| driver.send(bytes, to)))
    }

    /// Copies packets that are not the session's.
    #[napi]
    pub fn packets(&mut self, out: Bytes<'_>) -> u32 {
        self.with(0, |driver| driver.packets(out.0) as u32)
    }

    /// Fixes the peer and begins QUIC.
    #[napi]
    pub fn attach(&mut self, options: AttachOptions) -> Result<()> {
        let options = Options::try_from(options).map_err(thrown)?;
        let over = Err(Error::new(Code::State, "the socket is closed"));
        self.with(over, |driver| driver.attach(&options, Instant::now()))
            .map_err(thrown)
    }

    /// The peer is at another address.
    #[napi]
    pub fn move_to(&mut self, address: String, port: f64) -> Result<bool> {
        let peer = driver::address(&address, number("port", port).map_err(thrown)?).map_err(thrown)?;
        Ok(self.with(false, |driver| driver.move_to(peer, Instant::now())))
    }

    /// A packet of the peer's that came before `attach`.
    #[napi]
    pub fn receive(&mut self, bytes: &[u8]) {
        self.with((), |driver| driver.receive(Instant::now(), bytes));
    }

    /// Receives, and fills `events`.
    #[napi]
    pub fn turn(&mut self, events: Words<'_>) -> u32 {
        self.called.store(false, Ordering::Release);
        if self.failed.is_none() {
            let count = self.with(0, |driver| driver.turn(Instant::now(), events.0) as u32);
            if self.failed.is_none() {
                return count;
            }
        }
        self.tell_failure(events.0)
    }

    /// Sends, and waits for more unless there is more to do.
    #[napi]
    pub fn flush(&mut self) -> bool {
        let idle = Next::Wait(Interest::READABLE);
        match self.with(idle, |driver| driver.flush(Instant::now())) {
            Next::Again => true,
            Next::Wait(interest) => {
                if let Some(registration) = &self.registration {
                    registration.wait(interest);
                }
                self.failed.is_some() && !self.told
            }
        }
    }

    /// Opens a stream.
    #[napi]
    pub fn open(&mut self) -> i64 {
        self.session(GONE.into(), |session| match session.open() {
            Some(stream) => stream.into(),
            None => GONE.into(),
        })
    }

    /// Reads from a stream.
    #[napi]
    pub fn read(&mut self, stream: u32, buffer: Bytes<'_>) -> i32 {
        let length = buffer.0.len().min(MAX_LENGTH);
        let room = buffer.0.get_mut(..length).unwrap_or_default();
        self.session(GONE, |session| match session.read(stream, room) {
            Read::Bytes { count, end } => count as i32 | if end { END } else { 0 },
            Read::Gone => GONE,
        })
    }

    /// Writes to a stream.
    #[napi]
    pub fn write(&mut self, stream: u32, bytes: &[u8]) -> i32 {
        let bytes = bytes.get(..bytes.len().min(MAX_LENGTH)).unwrap_or_default();
        self.session(GONE, |session| match session.write(stream, bytes) {
            Write::Taken(count) => count as i32,
            Write::Stopped => STOPPED,
            Write::Gone => GONE,
        })
    }

    /// The next stream that may write.
    #[napi]
    pub fn writable(&mut self) -> i64 {
        self.with(GONE.into(), |driver| match driver.next_writable(Instant::now()) {
            Some(stream) => stream.into(),
            None => NONE.into(),
        })
    }

    /// Ends this end's direction.
    #[napi]
    pub fn finish(&mut self, stream: u32) -> bool {
        self.session(false, |session| session.finish_stream(stream))
    }

    /// Gives up this end's direction.
    #[napi]
    pub fn reset(&mut self, stream: u32, code: u32) -> bool {
        self.session(false, |session| session.reset(stream, code))
    }

    /// Wants no more of the peer's direction.
    #[napi]
    pub fn stop(&mut self, stream: u32, code: u32) -> bool {
        self.session(false, |session| session.stop(stream, code))
    }

    /// Whether something of this end's direction is still to be delivered.
    #[napi]
    pub fn is_kept(&mut self, stream: u32) -> bool {
        self.session(false, |session| session.is_kept(stream))
    }

    /// Sends a QUIC datagram.
    #[napi]
    pub fn send_datagram(&mut self, bytes: &[u8]) -> i32 {
        self.session(GONE, |session| match session.send_datagram(bytes) {
            DatagramSent::Queued => 1,
            DatagramSent::NoRoom => 0,
            DatagramSent::TooLarge => TOO_LARGE,
            DatagramSent::Gone => GONE,
        })
    }

    /// Reads a QUIC datagram.
    #[napi]
    pub fn read_datagram(&mut self, buffer: Bytes<'_>) -> i32 {
        self.session(NONE, |session| {
            // One that does not fit is lost: the next may.
            while let Some(datagram) = session.receive_datagram() {
                if let Some(room) = buffer.0.get_mut(..datagram.len()) {
                    room.copy_from_slice(&datagram);
                    return datagram.len() as i32;
                }
            }
            NONE
        })
    }

    /// The longest QUIC datagram that may be sent now.
    #[napi]
    pub fn max_datagram(&mut self) -> u32 {
        self.session(0, |session| session.max_datagram() as u32)
    }

    /// Asks the peer for a sign of life.
    #[napi]
    pub fn ping(&mut self) {
        self.session((), Session::ping)
    }

    /// Frames of the peer's authentic packets so far.
    #[napi]
    pub fn received(&mut self) -> f64 {
        self.session(0.0, |session| session.received_frames() as f64)
    }

    /// The session's numbers.
    #[napi]
    pub fn stats(&mut self) -> StatsObject {
        let none = StatsObject::new(Stats::default(), 0, false);
        self.with(none, |driver| {
            let stats = driver
                .session()
                .map(|session| session.stats())
                .unwrap_or_default();
            StatsObject::new(stats, driver.sent_batches(), driver.marks_ecn())
        })
    }

    /// Why the session is over.
    #[napi]
    pub fn close_reason(&mut self) -> Option<CloseObject> {
        let reason = self.session(None, |session| session.close_reason().cloned());
        self.failed.clone().or(reason).as_ref().map(CloseObject::from)
    }

    /// Why the last handshake came to nothing, where the session waits for another.
    #[napi]
    pub fn failed_attempt(&mut self) -> Option<CloseObject> {
        let reason = self.session(None, |session| session.failed_attempt().cloned());
        reason.as_ref().map(CloseObject::from)
    }

    /// Tells the peer that the session is over, and why.
    #[napi]
    pub fn close(&mut self, code: u32, reason: &[u8]) {
        self.with((), |driver| {
            let now = Instant::now();
            if let Some((splices, session)) = driver.splices() {
                session.close(now, code.into(), reason);
                splices.break_all();
            }
            driver.flush(now);
        });
    }

    /// Closes the socket. Without `close` the peer is told nothing. May be called again.
    #[napi]
    pub fn destroy(&mut self) {
        // The last handle of `onReady` goes with it: the process may end.
        self.registration = None;
        self.driver.close();
    }

    /// Works on the driver; where there is none any more, or it fails at this, `otherwise`.
    pub(super) fn with<T>(&mut self, otherwise: T, work: impl FnOnce(&mut Driver) -> T) -> T {
        match self.driver.with(work) {
            Ok(done) => done,
            Err(Failure::Closed) => otherwise,
            Err(Failure::Panicked) => {
                self.failed = Some(CloseReason::engine("the engine failed"));
                self.registration = None;
                otherwise
            }
        }
    }

    /// Works on the session; where there is none yet, `otherwise`.
    fn session<T>(&mut self, otherwise: T, work: impl FnOnce(&mut Session) -> T) -> T
    where
        T: Clone,
    {
        self.with(otherwise.clone(), |driver| {
            driver.session().map(work).unwrap_or(otherwise)
        })
    }

    /// The engine's own failure is the last event.
    fn tell_failure(&mut self, out: &mut [u32]) -> u32 {
        let Some(slot) = out.first_chunk_mut::<EVENT_WORDS>() else {
            return 0;
        };
        if std::mem::replace(&mut self.told, true) {
            return 0;
        }
        *slot = Event::Closed.encode();
        1
    }
}

pub(super) fn thrown(error: Error) -> napi::Error<Code> {
    napi::Error::new(error.code, error.message)
}
