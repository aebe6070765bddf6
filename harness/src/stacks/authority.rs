//! A certificate authority that lives as long as a stack.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};

use super::StackError;

/// One CA, a certificate of it for every host of a deployment, and who trusts it. Clones share them.
#[derive(Clone)]
pub(super) struct Authority {
    pub(super) server: Arc<ServerConfig>,
    pub(super) client: Arc<ClientConfig>,
}

impl Authority {
    /// A new CA with one certificate for `hosts`, P-256.
    pub(super) fn new(hosts: Vec<String>) -> Result<Self, StackError> {
        let (certificate, key, root) = issue(hosts).map_err(|error| failed(&error))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(root).map_err(|error| failed(&error))?;
        let client = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|error| failed(&error))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let mut server = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| failed(&error))?
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .map_err(|error| failed(&error))?;
        server.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { server: Arc::new(server), client: Arc::new(client) })
    }
}

type Issued = (CertificateDer<'static>, PrivateKeyDer<'static>, CertificateDer<'static>);

fn issue(hosts: Vec<String>) -> Result<Issued, rcgen::Error> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "ssoproof embedded stack");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    let certificate = CertificateParams::new(hosts)?.signed_by(&key, &issuer)?;
    let der = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    Ok((certificate.der().clone(), der, issuer.der().clone()))
}

fn failed(error: &dyn std::fmt::Display) -> StackError {
    StackError::Start { part: "the certificate authority", reason: error.to_string() }
}
