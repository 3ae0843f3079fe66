//! Errors that JavaScript sees: a code and what happened.

use std::fmt;

/// Why a call was refused; `code` in JavaScript.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// An option is missing, of the wrong shape or out of its limits.
    Option,
    /// An address cannot be read or used.
    Address,
    /// The system refused a socket.
    Socket,
    /// The process or the system has no descriptor left; Node's own code for it.
    Descriptors,
    /// The key or certificate cannot be used.
    Identity,
    /// The call does not fit what was done before.
    State,
    /// The engine itself failed: the session is over.
    Engine,
}

impl AsRef<str> for Code {
    fn as_ref(&self) -> &str {
        match self {
            Self::Option => "E_ENGINE_OPTION",
            Self::Address => "E_ENGINE_ADDRESS",
            Self::Socket => "E_ENGINE_SOCKET",
            Self::Descriptors => "EMFILE",
            Self::Identity => "E_ENGINE_IDENTITY",
            Self::State => "E_ENGINE_STATE",
            Self::Engine => "E_ENGINE_FAILED",
        }
    }
}

/// A refused call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// What kind of error this is.
    pub code: Code,
    /// What happened, for a person.
    pub message: String,
}

impl Error {
    /// An error with its message.
    pub fn new(code: Code, message: impl fmt::Display) -> Self {
        Self {
            code,
            message: message.to_string(),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.as_ref(), self.message)
    }
}

impl std::error::Error for Error {}

/// What the system says of a socket that it refuses: a want of descriptors is told apart.
pub(crate) fn refused(what: &'static str) -> impl FnOnce(std::io::Error) -> Error {
    move |error| {
        // ENFILE, EMFILE, WSAEMFILE.
        let code = match error.raw_os_error() {
            Some(23 | 24 | 10_024) => Code::Descriptors,
            _ => Code::Socket,
        };
        Error::new(code, format_args!("{what}: {error}"))
    }
}

/// Adds a code to another library's error.
pub(crate) fn with<E: fmt::Display>(code: Code, what: &'static str) -> impl FnOnce(E) -> Error {
    move |error| Error::new(code, format_args!("{what}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_want_of_descriptors_is_told_apart() {
        let told = |errno| refused("cannot open")(std::io::Error::from_raw_os_error(errno)).code;
        assert_eq!(told(24), Code::Descriptors);
        assert_eq!(told(13), Code::Socket);
    }
}
