//! A handshake and keys that protect nothing, so that a simulated gigabyte costs no AES and every
//! run has the same packets.

use std::{any::Any, sync::Arc};

use bytes::BytesMut;
use quinn_proto::{
    ConnectError, ConnectionId, Side, TransportError,
    crypto::{
        AeadKey, ClientConfig, CryptoError, ExportKeyingMaterialError, HandshakeTokenKey, HeaderKey, HmacKey,
        KeyPair, Keys, PacketKey, ServerConfig, Session, UnsupportedVersion,
    },
    transport_parameters::TransportParameters,
};

const TAG: usize = 16;

/// Every kind of key and configuration at once.
pub struct Plain;

impl HeaderKey for Plain {
    fn decrypt(&self, _: usize, _: &mut [u8]) {}
    fn encrypt(&self, _: usize, _: &mut [u8]) {}
    fn sample_size(&self) -> usize {
        TAG
    }
}

impl PacketKey for Plain {
    fn encrypt(&self, _: u64, _: &mut [u8], _: usize) {}
    fn decrypt(&self, _: u64, _: &[u8], payload: &mut BytesMut) -> Result<(), CryptoError> {
        payload.truncate(payload.len().saturating_sub(TAG));
        Ok(())
    }
    fn tag_len(&self) -> usize {
        TAG
    }
    fn confidentiality_limit(&self) -> u64 {
        u64::MAX
    }
    fn integrity_limit(&self) -> u64 {
        u64::MAX
    }
}

impl HmacKey for Plain {
    fn sign(&self, _: &[u8], out: &mut [u8]) {
        // Nothing that a packet ends in: that would be a stateless reset.
        out.fill(0x5a);
    }
    fn signature_len(&self) -> usize {
        32
    }
    fn verify(&self, _: &[u8], _: &[u8]) -> Result<(), CryptoError> {
        Err(CryptoError)
    }
}

impl AeadKey for Plain {
    fn seal(&self, _: &mut Vec<u8>, _: &[u8]) -> Result<(), CryptoError> {
        Ok(())
    }
    fn open<'a>(&self, data: &'a mut [u8], _: &[u8]) -> Result<&'a mut [u8], CryptoError> {
        Ok(data)
    }
}

impl HandshakeTokenKey for Plain {
    fn aead_from_hkdf(&self, _: &[u8]) -> Box<dyn AeadKey> {
        Box::new(Plain)
    }
}

impl ClientConfig for Plain {
    fn start_session(
        self: Arc<Self>,
        _: u32,
        _: &str,
        params: &TransportParameters,
    ) -> Result<Box<dyn Session>, ConnectError> {
        Ok(Box::new(Handshake::new(Side::Client, params)))
    }
}

impl ServerConfig for Plain {
    fn initial_keys(&self, _: u32, _: &ConnectionId) -> Result<Keys, UnsupportedVersion> {
        Ok(keys())
    }
    fn retry_tag(&self, _: u32, _: &ConnectionId, _: &[u8]) -> [u8; 16] {
        [0; 16]
    }
    fn start_session(self: Arc<Self>, _: u32, params: &TransportParameters) -> Box<dyn Session> {
        Box::new(Handshake::new(Side::Server, params))
    }
}

fn packet_keys() -> KeyPair<Box<dyn PacketKey>> {
    KeyPair {
        local: Box::new(Plain),
        remote: Box::new(Plain),
    }
}

fn keys() -> Keys {
    Keys {
        header: KeyPair {
            local: Box::new(Plain),
            remote: Box::new(Plain),
        },
        packet: packet_keys(),
    }
}

/// The shape of TLS 1.3 in QUIC: hello, hello and parameters, finished. A message is its length in
/// two bytes and its content.
struct Handshake {
    side: Side,
    params: Vec<u8>,
    peer: Option<TransportParameters>,
    input: Vec<u8>,
    received: usize,
    written: usize,
}

impl Handshake {
    fn new(side: Side, params: &TransportParameters) -> Self {
        let mut encoded = Vec::new();
        params.write(&mut encoded);
        Self {
            side,
            params: encoded,
            peer: None,
            input: Vec::new(),
            received: 0,
            written: 0,
        }
    }

    fn write(&mut self, buf: &mut Vec<u8>, content: &[u8]) {
        buf.extend_from_slice(&u16::try_from(content.len()).expect("short").to_be_bytes());
        buf.extend_from_slice(content);
        self.written += 1;
    }
}

impl Session for Handshake {
    fn initial_keys(&self, _: &ConnectionId, _: Side) -> Keys {
        keys()
    }
    fn handshake_data(&self) -> Option<Box<dyn Any>> {
        None
    }
    fn peer_identity(&self) -> Option<Box<dyn Any>> {
        None
    }
    fn early_crypto(&self) -> Option<(Box<dyn HeaderKey>, Box<dyn PacketKey>)> {
        None
    }
    fn early_data_accepted(&self) -> Option<bool> {
        None
    }
    fn is_handshaking(&self) -> bool {
        self.received < 2
    }

    fn read_handshake(&mut self, buf: &[u8]) -> Result<bool, TransportError> {
        self.input.extend_from_slice(buf);
        while self.input.len() >= 2 {
            let end = 2 + usize::from(u16::from_be_bytes([self.input[0], self.input[1]]));
            if self.input.len() < end {
                break;
            }
            let content: Vec<u8> = self.input.drain(..end).skip(2).collect();
            self.received += 1;
            let with_params = if self.side.is_client() { 2 } else { 1 };
            if self.received == with_params {
                self.peer = Some(TransportParameters::read(self.side, &mut &content[..])?);
            }
        }
        Ok(false)
    }

    fn transport_parameters(&self) -> Result<Option<TransportParameters>, TransportError> {
        Ok(self.peer)
    }

    fn write_handshake(&mut self, buf: &mut Vec<u8>) -> Option<Keys> {
        let params = self.params.clone();
        match (self.side, self.received, self.written) {
            (Side::Client, 0, 0) => {
                self.write(buf, &params);
                None
            }
            (Side::Client, 1.., 1) => {
                self.written += 1;
                Some(keys())
            }
            (Side::Client, 2.., 2) => {
                self.write(buf, &[0; 32]);
                Some(keys())
            }
            (Side::Server, 1.., 0) => {
                self.write(buf, &[0; 64]);
                Some(keys())
            }
            (Side::Server, 1.., 1) => {
                self.write(buf, &params);
                Some(keys())
            }
            _ => None,
        }
    }

    fn next_1rtt_keys(&mut self) -> Option<KeyPair<Box<dyn PacketKey>>> {
        Some(packet_keys())
    }
    fn is_valid_retry(&self, _: &ConnectionId, _: &[u8], _: &[u8]) -> bool {
        false
    }
    fn export_keying_material(
        &self,
        _: &mut [u8],
        _: &[u8],
        _: &[u8],
    ) -> Result<(), ExportKeyingMaterialError> {
        Err(ExportKeyingMaterialError)
    }
}
