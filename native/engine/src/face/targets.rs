//! The class `Socket`: targets, and streams that are joined with them.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use napi_derive::napi;

use super::options::number;
use super::socket::{Result, Socket, thrown};
use crate::error::{Code, Error};
use crate::events::Failure;
use crate::session::Session;
use crate::splice::{Leftover, Splices};

#[napi]
impl Socket {
    /// Starts connecting to a target.
    #[napi]
    pub fn dial(&mut self, address: String, port: f64) -> Result<f64> {
        let to = address_of(&address, number("port", port).map_err(thrown)?).map_err(thrown)?;
        Ok(
            self.splices(-1.0, |splices, _| match splices.dial(to, Instant::now()) {
                Ok(target) => target.into(),
                Err(error) => -1.0 - f64::from(Failure::from(&error) as u32),
            }),
        )
    }

    /// The address that a connected target is reached from.
    #[napi]
    pub fn local(&mut self, target: u32) -> Option<LocalAddress> {
        let local = self.splices(None, |splices, _| splices.local(target))?;
        Some(LocalAddress {
            address: local.ip().to_canonical().to_string(),
            port: local.port().into(),
        })
    }

    /// Breaks off a target that is joined with nothing.
    #[napi]
    pub fn hang_up(&mut self, target: u32) {
        self.splices((), |splices, _| splices.hang_up(target));
    }

    /// Joins a stream with a target.
    #[napi]
    pub fn join(&mut self, stream: u32, target: u32, up: &[u8], down: &[u8], ended: bool) -> bool {
        self.splices(false, |splices, session| {
            splices.join(session, stream, target, (up, down, ended))
        })
    }

    /// The peer breaks a joined stream off.
    #[napi]
    pub fn break_at(&mut self, stream: u32, at: f64) {
        // Casts of floats saturate.
        self.splices((), |splices, _| splices.break_at(stream, at as u64));
    }

    /// Gives a joined stream up.
    #[napi]
    pub fn part(&mut self, stream: u32) {
        self.splices((), |splices, session| {
            splices.give_up(stream, session, Instant::now())
        });
    }

    /// The peer has ended a joined stream.
    #[napi]
    pub fn end_found(&mut self, stream: u32) {
        self.splices((), |splices, _| splices.end_found(stream));
    }

    /// What a joint left of a stream whose target broke off.
    #[napi]
    pub fn leftover(&mut self, stream: u32) -> Option<LeftoverObject> {
        self.splices(None, |splices, _| splices.leftover(stream))
            .map(Into::into)
    }

    /// Works on the targets; where there is no session, `otherwise`.
    fn splices<T: Clone>(&mut self, otherwise: T, work: impl FnOnce(&mut Splices, &mut Session) -> T) -> T {
        self.with(otherwise.clone(), |driver| match driver.splices() {
            Some((splices, session)) => work(splices, session),
            None => otherwise,
        })
    }
}

/// See index.d.ts.
#[napi(object, object_from_js = false)]
pub struct LocalAddress {
    /// IPv4 or IPv6.
    pub address: String,
    /// The port.
    pub port: u32,
}

/// See index.d.ts.
#[napi(object, js_name = "Leftover", object_from_js = false)]
#[allow(missing_docs)]
pub struct LeftoverObject {
    pub read: f64,
    pub written: f64,
    pub ended: bool,
    pub finished: bool,
}

impl From<Leftover> for LeftoverObject {
    fn from(left: Leftover) -> Self {
        Self {
            read: left.read as f64,
            written: left.written as f64,
            ended: left.ended,
            finished: left.finished,
        }
    }
}

fn address_of(address: &str, port: u32) -> std::result::Result<SocketAddr, Error> {
    let ip: IpAddr = address
        .parse()
        .map_err(|_| Error::new(Code::Address, format_args!("{address:?} is not an IP address")))?;
    let port = u16::try_from(port)
        .map_err(|_| Error::new(Code::Address, format_args!("port {port} is over 65535")))?;
    Ok((ip, port).into())
}
