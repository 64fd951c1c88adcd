//! What the hello messages of both sides say of a connection.

use sensor_facts::{
    event::{Likely, TlsReport},
    time::Time,
};

use super::hello::{Hello, TlsError, parse_hello};
use crate::protocol::session::Skipped;

/// A TLS connection.
#[derive(Debug, Default)]
pub(super) struct TlsState {
    report: TlsReport,
    reported: bool,
}

impl TlsState {
    /// A session whose port makes `likely` likely.
    pub(super) fn new(likely: Option<Likely>, now: Time) -> Self {
        let report = TlsReport {
            start: now,
            likely,
            encrypted: true,
            ..TlsReport::default()
        };
        Self {
            report,
            reported: false,
        }
    }

    /// Takes a hello record; gives the report once both sides' were seen.
    ///
    /// # Errors
    /// [`TlsError`] if the record can't be read.
    pub(super) fn hello(&mut self, record: &[u8]) -> Result<Option<TlsReport>, TlsError> {
        let hello = parse_hello(record).and_then(|hello| {
            hello.ok_or(TlsError {
                what: "record header",
                offset: record.len(),
            })
        });
        match hello {
            Ok(Hello::Client {
                version,
                supported_versions,
                sni,
                alpn,
                cut,
            }) => {
                self.report.client_version = Some(version);
                self.report.supported_versions = supported_versions;
                self.report.sni = sni;
                self.report.alpn = alpn;
                self.report.incomplete |= cut;
            }
            Ok(Hello::Server {
                version,
                cipher_suite,
            }) => {
                self.report.version = Some(version);
                self.report.cipher_suite = Some(cipher_suite);
            }
            Err(error) => {
                self.report.incomplete = true;
                return Err(error);
            }
        }
        let both = self.report.client_version.is_some() && self.report.version.is_some();
        Ok((both && !self.reported).then(|| self.report()))
    }

    /// Bytes were left out.
    pub(super) fn skip(&mut self, skipped: Skipped) {
        self.report.incomplete |= skipped.add_to(&mut self.report.skipped);
    }

    /// Something is missing.
    pub(super) fn lose(&mut self) {
        self.report.incomplete = true;
    }

    /// The connection is over; gives the report unless it was given before.
    pub(super) fn end(&mut self) -> Option<TlsReport> {
        (!self.reported).then(|| self.report())
    }

    fn report(&mut self) -> TlsReport {
        self.reported = true;
        self.report.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::tls::hello::tests::{client_hello, record};

    #[test]
    fn a_server_hello_gives_the_version_that_was_chosen() {
        let mut session = TlsState::new(Some(Likely::Dicom), Time(1));
        assert_eq!(session.hello(&client_hello()), Ok(None));
        let body = [
            &[3, 3][..],
            &[9; 32],
            &[0, 0x13, 0x02, 0, 0, 6],
            b"\x00\x2b\x00\x02\x03\x04",
        ];
        let report = session
            .hello(&record(2, &body.concat()))
            .unwrap()
            .expect("both sides");
        assert_eq!(report.version.as_deref(), Some("TLS 1.3"));
        assert_eq!(
            report.cipher_suite.as_deref(),
            Some("TLS_AES_256_GCM_SHA384")
        );
        assert_eq!(
            (report.likely, report.encrypted),
            (Some(Likely::Dicom), true)
        );
        assert_eq!(session.end(), None, "it was reported once");
    }
}
