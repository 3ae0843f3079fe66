//! Why a connection is over, as data.

use quinn_proto::ConnectionError;

/// The application's close code of an end that refuses the other's certificate.
pub const CLOSE_WRONG_PIN: u64 = 1;

/// TLS alerts by which a certificate is refused (RFC 8446, section 6.2), as QUIC carries them (RFC 9001, section 4.8).
const ACCESS_DENIED: u64 = 0x100 + 49;
const CERTIFICATE_REQUIRED: u64 = 0x100 + 116;

/// The longest reason that is kept, in bytes.
const MAX_REASON: usize = 1024;

/// What ended it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseKind {
    /// An application close: `code` is the application's own.
    Application,
    /// A certificate that is not the pinned one, or none.
    WrongPin,
    /// A transport error: `code` is QUIC's (RFC 9000, section 20.1).
    Transport,
    /// Nothing came for as long as the idle timeout.
    TimedOut,
    /// The engine itself failed.
    Engine,
}

impl CloseKind {
    /// Its name in JavaScript.
    pub fn name(self) -> &'static str {
        match self {
            Self::Application => "application",
            Self::WrongPin => "wrong-pin",
            Self::Transport => "transport",
            Self::TimedOut => "timed-out",
            Self::Engine => "engine",
        }
    }
}

/// Why a connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloseReason {
    /// What ended it.
    pub kind: CloseKind,
    /// The peer ended it, or refused us; otherwise this end did.
    pub by_peer: bool,
    /// The error code, of a kind that `kind` says.
    pub code: u64,
    /// The closing end's words; the peer's are untrusted bytes.
    pub reason: Vec<u8>,
}

impl CloseReason {
    /// A close of this end's own.
    pub fn local(code: u64, reason: &[u8]) -> Self {
        Self::new(CloseKind::Application, false, code, reason)
    }

    /// The engine's own failure.
    pub fn engine(reason: &str) -> Self {
        Self::new(CloseKind::Engine, false, 0, reason.as_bytes())
    }

    fn new(kind: CloseKind, by_peer: bool, code: u64, reason: &[u8]) -> Self {
        Self {
            kind,
            by_peer,
            code,
            reason: reason.iter().copied().take(MAX_REASON).collect(),
        }
    }

    /// A transport error, or a refused certificate where it is one of those alerts.
    fn transport(by_peer: bool, code: u64, reason: &[u8]) -> Self {
        let refused = code == ACCESS_DENIED || code == CERTIFICATE_REQUIRED;
        let kind = if refused {
            CloseKind::WrongPin
        } else {
            CloseKind::Transport
        };
        Self::new(kind, by_peer, code, reason)
    }
}

impl From<ConnectionError> for CloseReason {
    fn from(error: ConnectionError) -> Self {
        match error {
            ConnectionError::ApplicationClosed(close) => {
                let code = close.error_code.into_inner();
                let wrong = code == CLOSE_WRONG_PIN;
                let kind = if wrong {
                    CloseKind::WrongPin
                } else {
                    CloseKind::Application
                };
                Self::new(kind, true, code, &close.reason)
            }
            ConnectionError::ConnectionClosed(close) => {
                Self::transport(true, close.error_code.into(), &close.reason)
            }
            ConnectionError::TransportError(error) => {
                Self::transport(false, error.code.into(), error.reason.as_bytes())
            }
            ConnectionError::TimedOut => Self::new(CloseKind::TimedOut, false, 0, b""),
            ConnectionError::LocallyClosed => Self::local(0, b""),
            ConnectionError::Reset => Self::new(CloseKind::Transport, true, 0, b"stateless reset"),
            ConnectionError::VersionMismatch => Self::new(
                CloseKind::Transport,
                true,
                0,
                b"the peer knows no version of QUIC that this end knows",
            ),
            ConnectionError::CidsExhausted => Self::engine("no connection ids are left"),
        }
    }
}
