//! A certificate authority that lives as long as a stack.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};

use super::StackError;

/// One CA, and a certificate of it for every host of a deployment; PEM. Clones share nothing but the texts.
#[derive(Clone)]
pub(crate) struct Authority {
    pub(crate) ca: String,
    pub(super) certificate: String,
    pub(super) key: String,
}

impl Authority {
    /// A new CA with one certificate for `hosts`, P-256.
    pub(crate) fn new(hosts: Vec<String>) -> Result<Self, StackError> {
        issue(hosts).map_err(|error| failed(&error))
    }

    /// What a server shows.
    pub(crate) fn server(&self) -> Result<Arc<ServerConfig>, StackError> {
        let certificate = CertificateDer::from_pem_slice(self.certificate.as_bytes());
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes());
        let (certificate, key) = (certificate.map_err(|e| failed(&e))?, key.map_err(|e| failed(&e))?);
        let mut server = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|error| failed(&error))?
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .map_err(|error| failed(&error))?;
        server.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(server))
    }
}

/// A client that trusts the CAs in `ca`, PEM, and no other.
pub(crate) fn trusting(ca: &str) -> Result<Arc<ClientConfig>, StackError> {
    let mut roots = RootCertStore::empty();
    for root in CertificateDer::pem_slice_iter(ca.as_bytes()) {
        roots.add(root.map_err(|error| failed(&error))?).map_err(|error| failed(&error))?;
    }
    client_config(roots)
}

/// A client that trusts `roots`.
pub(super) fn client_config(roots: RootCertStore) -> Result<Arc<ClientConfig>, StackError> {
    let client = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(&error))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(client))
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn issue(hosts: Vec<String>) -> Result<Authority, rcgen::Error> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "ssoproof stack");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    let certificate = CertificateParams::new(hosts)?.signed_by(&key, &issuer)?;
    Ok(Authority { ca: issuer.pem(), certificate: certificate.pem(), key: key.serialize_pem() })
}

fn failed(error: &dyn std::fmt::Display) -> StackError {
    StackError::Start { part: "the certificate authority", reason: error.to_string() }
}
