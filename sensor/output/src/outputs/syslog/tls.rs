//! TLS to a syslog receiver (RFC 5425), by rustls: version 1.2 or 1.3.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{
    CertificateError, ClientConfig, ClientConnection, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
};

/// How a receiver is known, and how it knows the sensor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsOptions {
    /// Certificates of the authorities that are trusted, PEM; without it the system's.
    pub ca: Option<PathBuf>,
    /// Name that the certificate has to be for; without it that of the address.
    pub server_name: Option<String>,
    /// Certificate chain and private key of the sensor, PEM, where the receiver demands one.
    pub identity: Option<(PathBuf, PathBuf)>,
}

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub(super) enum TlsError {
    #[error("can't read {what} {path}: {why}")]
    File {
        what: &'static str,
        path: PathBuf,
        why: String,
    },
    #[error("the system has no certificates of authorities: name those of the receiver (`ca`)")]
    NoRoots,
    #[error("{0:?} is no name and no address that a certificate could be for (`server_name`)")]
    Name(String),
    #[error("its certificate is of an authority that is not trusted here (`ca`)")]
    Authority,
    #[error("its certificate is not for {0} (`server_name`)")]
    OtherName(String),
    #[error("{0}")]
    Tls(#[from] rustls::Error),
}

impl TlsOptions {
    /// The name that the certificate of `host` has to be for.
    fn name<'a>(&'a self, host: &'a str) -> &'a str {
        self.server_name.as_deref().unwrap_or(host)
    }

    /// A connection to `host` that has not begun. All files are read anew, so that a renewed certificate is in use with
    /// the next connection.
    pub(super) fn connection(&self, host: &str) -> Result<ClientConnection, TlsError> {
        let name = self.name(host);
        let server =
            ServerName::try_from(name.to_owned()).map_err(|_| TlsError::Name(name.to_owned()))?;
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(self.roots()?);
        let config = match &self.identity {
            None => builder.with_no_client_auth(),
            Some((chain, key)) => builder.with_client_auth_cert(
                certificates("the certificate", chain)?,
                PrivateKeyDer::from_pem_file(key).map_err(|error| file("the key", key, &error))?,
            )?,
        };
        Ok(ClientConnection::new(Arc::new(config), server)?)
    }

    fn roots(&self) -> Result<RootCertStore, TlsError> {
        let mut roots = RootCertStore::empty();
        if let Some(path) = &self.ca {
            let what = "the authority's certificate";
            for certificate in certificates(what, path)? {
                roots
                    .add(certificate)
                    .map_err(|error| file(what, path, &error))?;
            }
        } else {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if roots.is_empty() {
                return Err(TlsError::NoRoots);
            }
        }
        Ok(roots)
    }

    /// The error in words of the configuration.
    pub(super) fn explained(&self, host: &str, error: rustls::Error) -> TlsError {
        match error {
            rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
                TlsError::Authority
            }
            rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            ) => TlsError::OtherName(self.name(host).to_owned()),
            other => TlsError::Tls(other),
        }
    }
}

fn certificates(what: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let all = read.map_err(|error| file(what, path, &error))?;
    if all.is_empty() {
        return Err(file(what, path, &"there is none in it"));
    }
    Ok(all)
}

fn file(what: &'static str, path: &Path, why: &impl ToString) -> TlsError {
    TlsError::File {
        what,
        path: path.to_owned(),
        why: why.to_string(),
    }
}
