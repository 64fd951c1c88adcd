//! TLS: what the hello messages say (RFC 8446 section 4.1, RFC 5246 section 7.4.1).

use thiserror::Error;
use tls_parser::{
    TlsCipherSuite, TlsClientHelloContents, TlsExtension, TlsVersion,
    parse_tls_client_hello_extension, parse_tls_handshake_client_hello,
    parse_tls_handshake_server_hello, parse_tls_server_hello_extension,
};

use crate::protocol::text::text;

/// Bytes of a record's header and the handshake message's header.
const HEADERS: usize = 9;
/// Application protocols and versions that are kept.
const LIST_MAX: usize = 32;

/// A hello message that can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("malformed {what} at byte {offset} of the TLS record")]
pub(super) struct TlsError {
    /// What was being read.
    pub what: &'static str,
    /// Offset in the record.
    pub offset: usize,
}

/// What one hello message says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Hello {
    /// Of the client.
    Client {
        /// The `legacy_version` (RFC 8446 section 4.1.2).
        version: String,
        /// The versions of the `supported_versions` extension (RFC 8446 section 4.2.1).
        supported_versions: Vec<String>,
        /// The server name that the client asks for (RFC 6066 section 3).
        sni: Option<String>,
        /// Application protocols that the client offers (RFC 7301).
        alpn: Vec<String>,
        /// Extensions are missing.
        cut: bool,
    },
    /// Of the server.
    Server {
        /// The version chosen.
        version: String,
        /// The cipher suite chosen, by its IANA name or number.
        cipher_suite: String,
    },
}

/// Parses a TLS record that begins with a hello message; it may be cut at its end. `Ok(None)`: not
/// even the headers are there.
///
/// # Errors
/// [`TlsError`] if it is no hello message, or is cut before its extensions.
pub(super) fn parse_hello(record: &[u8]) -> Result<Option<Hello>, TlsError> {
    let Some((headers, body)) = record.split_first_chunk::<HEADERS>() else {
        return Ok(None);
    };
    let [.., kind, l0, l1, l2] = *headers;
    let cut = body.len() < u32::from_be_bytes([0, l0, l1, l2]) as usize;
    let bad = |what| TlsError {
        what,
        offset: HEADERS,
    };
    match kind {
        1 => {
            let (rest, hello) =
                parse_tls_handshake_client_hello(body).map_err(|_| bad("ClientHello"))?;
            Ok(Some(client(&hello, rest, cut)))
        }
        2 => {
            let (rest, hello) =
                parse_tls_handshake_server_hello(body).map_err(|_| bad("ServerHello"))?;
            let extensions = hello
                .ext
                .unwrap_or_else(|| rest.get(2..).unwrap_or_default());
            // RFC 8446 section 4.2.1: the version chosen, from 1.3 on, is in this extension.
            let chosen = extensions_of(extensions, parse_tls_server_hello_extension);
            let chosen = chosen.into_iter().find_map(|extension| match extension {
                TlsExtension::SupportedVersions(versions) => versions.first().copied(),
                _ => None,
            });
            let cipher_suite = TlsCipherSuite::from_id(hello.cipher.0).map_or_else(
                || format!("0x{:04x}", hello.cipher.0),
                |suite| suite.name.to_owned(),
            );
            Ok(Some(Hello::Server {
                version: version_name(chosen.unwrap_or(hello.version)),
                cipher_suite,
            }))
        }
        _ => Err(TlsError {
            what: "handshake type",
            offset: 5,
        }),
    }
}

fn client(hello: &TlsClientHelloContents<'_>, rest: &[u8], cut: bool) -> Hello {
    // Where the extensions are cut the parser leaves them, with their length before them.
    let extensions = hello
        .ext
        .unwrap_or_else(|| rest.get(2..).unwrap_or_default());
    let extensions = extensions_of(extensions, parse_tls_client_hello_extension);
    let (mut supported_versions, mut sni, mut alpn) = (Vec::new(), None, Vec::new());
    for extension in extensions {
        match extension {
            TlsExtension::SupportedVersions(versions) => {
                let known = versions.into_iter().filter(|version| !is_grease(version.0));
                supported_versions = known.take(LIST_MAX).map(version_name).collect();
            }
            // Name type 0 is a host name, the only one there is.
            TlsExtension::SNI(names) => {
                sni = names
                    .into_iter()
                    .find(|(kind, _)| kind.0 == 0)
                    .map(|(_, name)| text(name, 255));
            }
            TlsExtension::ALPN(protocols) => {
                alpn = protocols
                    .into_iter()
                    .take(LIST_MAX)
                    .map(|name| text(name, 255))
                    .collect();
            }
            _ => {}
        }
    }
    Hello::Client {
        version: version_name(hello.version),
        supported_versions,
        sni,
        alpn,
        cut,
    }
}

/// The extensions of a list as far as they can be read.
fn extensions_of<'a, F, E>(mut list: &'a [u8], parse: F) -> Vec<TlsExtension<'a>>
where
    F: Fn(&'a [u8]) -> Result<(&'a [u8], TlsExtension<'a>), E>,
{
    let mut extensions = Vec::new();
    while let Some(&[_, _, high, low]) = list.first_chunk::<4>() {
        let length = 4 + usize::from(u16::from_be_bytes([high, low]));
        let Some((one, rest)) = list.split_at_checked(length) else {
            break;
        };
        if let Ok((_, extension)) = parse(one) {
            extensions.push(extension);
        }
        list = rest;
    }
    extensions
}

/// Values that clients offer at random, so that servers stay tolerant (RFC 8701).
const fn is_grease(value: u16) -> bool {
    value & 0x0f0f == 0x0a0a && value >> 8 == value & 0xff
}

fn version_name(version: TlsVersion) -> String {
    match version.0 {
        0x0300 => "SSLv3".to_owned(),
        0x0301 => "TLS 1.0".to_owned(),
        0x0302 => "TLS 1.1".to_owned(),
        0x0303 => "TLS 1.2".to_owned(),
        0x0304 => "TLS 1.3".to_owned(),
        other => format!("0x{other:04x}"),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A record of a hello message with its headers.
    pub(in crate::protocol::tls) fn record(kind: u8, body: &[u8]) -> Vec<u8> {
        let length = u16::try_from(body.len() + 4).unwrap().to_be_bytes();
        let [_, l0, l1, l2] = u32::try_from(body.len()).unwrap().to_be_bytes();
        [&[22, 3, 1, length[0], length[1], kind, l0, l1, l2], body].concat()
    }

    pub(in crate::protocol::tls) fn client_hello() -> Vec<u8> {
        let sni = b"\x00\x00\x00\x0d\x00\x0b\x00\x00\x08pacs.lan";
        let alpn = b"\x00\x10\x00\x07\x00\x05\x04acme";
        let versions = b"\x00\x2b\x00\x07\x06\x1a\x1a\x03\x04\x03\x03";
        let extensions = [&sni[..], alpn, versions].concat();
        let length = u16::try_from(extensions.len()).unwrap().to_be_bytes();
        let head = [&[3, 3][..], &[7; 32], &[0, 0, 2, 0x13, 0x01, 1, 0], &length].concat();
        record(1, &[head, extensions].concat())
    }

    #[test]
    fn a_client_hello_names_server_and_versions() {
        let Ok(Some(Hello::Client {
            version,
            supported_versions,
            sni,
            alpn,
            cut,
        })) = parse_hello(&client_hello())
        else {
            panic!("no ClientHello");
        };
        assert_eq!((version.as_str(), cut), ("TLS 1.2", false));
        assert_eq!(
            supported_versions,
            ["TLS 1.3", "TLS 1.2"],
            "without the GREASE value"
        );
        assert_eq!(sni.as_deref(), Some("pacs.lan"));
        assert_eq!(alpn, ["acme"]);
    }

    #[test]
    fn what_was_cut_is_not_invented() {
        let whole = client_hello();
        for length in 0..whole.len() {
            match parse_hello(&whole[..length]) {
                Ok(Some(Hello::Client { cut, .. })) => assert!(cut, "at {length}"),
                Ok(Some(other)) => panic!("{other:?} at {length}"),
                Ok(None) => assert!(length < HEADERS),
                Err(error) => assert_eq!(error.what, "ClientHello"),
            }
        }
        let Ok(Some(Hello::Client { sni, .. })) = parse_hello(&whole[..whole.len() - 4]) else {
            panic!("no ClientHello");
        };
        assert_eq!(sni.as_deref(), Some("pacs.lan"));
    }
}
