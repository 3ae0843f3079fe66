//! TLS for both ends: TLS 1.3 with one certificate each, no resumption and no early data.

use std::sync::Arc;

use quinn_proto::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use rustls::client::Resumption;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::version::TLS13;
use rustls::{ClientConfig, ServerConfig};

use crate::error::{Code, Error, with};
use crate::options::Options;
use crate::pin::Pin;

/// What the client sends as the server's name; nobody looks at it.
pub const SERVER_NAME: &str = "tunnel";

/// The function's end.
pub fn client(options: &Options) -> Result<QuicClientConfig, Error> {
    let provider = provider();
    let pin = Arc::new(Pin::new(options.pin, provider.clone()));
    let (chain, key) = identity(options)?;
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])
        .map_err(with(Code::Engine, "TLS 1.3"))?
        .dangerous()
        .with_custom_certificate_verifier(pin)
        .with_client_auth_cert(chain, key)
        .map_err(with(Code::Identity, "the key and certificate"))?;
    config.alpn_protocols = vec![options.alpn.clone()];
    config.resumption = Resumption::disabled();
    QuicClientConfig::try_from(config).map_err(with(Code::Engine, "cipher suites"))
}

/// The laptop's end.
pub fn server(options: &Options) -> Result<QuicServerConfig, Error> {
    let provider = provider();
    let pin = Arc::new(Pin::new(options.pin, provider.clone()));
    let (chain, key) = identity(options)?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])
        .map_err(with(Code::Engine, "TLS 1.3"))?
        .with_client_cert_verifier(pin)
        .with_single_cert(chain, key)
        .map_err(with(Code::Identity, "the key and certificate"))?;
    config.alpn_protocols = vec![options.alpn.clone()];
    config.send_tls13_tickets = 0;
    QuicServerConfig::try_from(config).map_err(with(Code::Engine, "cipher suites"))
}

/// ring, AES-128 first: half as many rounds again for AES-256 would be paid for at every byte.
fn provider() -> Arc<CryptoProvider> {
    let mut provider = ring::default_provider();
    provider.cipher_suites = vec![
        ring::cipher_suite::TLS13_AES_128_GCM_SHA256,
        ring::cipher_suite::TLS13_AES_256_GCM_SHA384,
        ring::cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
    ];
    Arc::new(provider)
}

fn identity(options: &Options) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), Error> {
    let chain = CertificateDer::pem_slice_iter(&options.certificate)
        .collect::<Result<Vec<_>, _>>()
        .map_err(with(Code::Identity, "the certificate is not PEM"))?;
    if chain.is_empty() {
        return Err(Error::new(Code::Identity, "the PEM holds no certificate"));
    }
    // The library's error may quote what it read: that is a secret.
    let key = PrivateKeyDer::from_pem_slice(&options.key)
        .map_err(|_| Error::new(Code::Identity, "the private key is not PEM"))?;
    Ok((chain, key))
}
