//! ECN codepoints (RFC 3168): quinn-proto and quinn-udp each have a type of their own.

/// As the socket tells it, for the protocol.
pub fn received(ecn: Option<quinn_udp::EcnCodepoint>) -> Option<quinn_proto::EcnCodepoint> {
    ecn.map(|codepoint| match codepoint {
        quinn_udp::EcnCodepoint::Ect0 => quinn_proto::EcnCodepoint::Ect0,
        quinn_udp::EcnCodepoint::Ect1 => quinn_proto::EcnCodepoint::Ect1,
        quinn_udp::EcnCodepoint::Ce => quinn_proto::EcnCodepoint::Ce,
    })
}

/// As the protocol wants it, for the socket.
pub fn sent(ecn: Option<quinn_proto::EcnCodepoint>) -> Option<quinn_udp::EcnCodepoint> {
    ecn.map(|codepoint| match codepoint {
        quinn_proto::EcnCodepoint::Ect0 => quinn_udp::EcnCodepoint::Ect0,
        quinn_proto::EcnCodepoint::Ect1 => quinn_udp::EcnCodepoint::Ect1,
        quinn_proto::EcnCodepoint::Ce => quinn_udp::EcnCodepoint::Ce,
    })
}
