//! A trail, or a part of it, in one file that can be verified on any machine.
//!
//! JSON lines: a [`Header`], the entries as they stand in the trail, the checkpoints of them. The header is signed by
//! the trail's key and names a digest of all that follows, so that nothing of the file can be changed.
//!
//! Under pseudonyms entries are not what they were, so their chain is made anew. The header then names no hash of the
//! original, of which addresses could be guessed, but one under the site's key: the site can show what it was made of.

mod error;

use std::{
    fs::{self, File},
    io,
    ops::Range,
    path::{Path, PathBuf},
};

use sensor_facts::{rule::Actor, time::Time};
use serde::{Deserialize, Serialize};

use super::{
    Checkpoint, CheckpointFlaw, Entry, Flaw,
    checkpoint::is_signed,
    entry::GENESIS,
    reading::{read_each, segments},
    signer::sign,
};
use crate::pseudonym::Veil;
use error::LENGTH_MAX;

pub use error::BundleError;

/// Version of the form.
const FORM: u32 = 1;
/// How the file begins.
const BEGIN: &[u8] = b"{\"bundle\":";

/// What a bundle holds, and who vouches for it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// Version of the form.
    pub bundle: u32,
    /// Version of the program that made it.
    pub version: String,
    /// When it was made.
    pub time: Time,
    /// For whom.
    pub by: Actor,
    /// Addresses, names and words of people are pseudonyms.
    pub pseudonymised: bool,
    /// Number of the first entry.
    pub first: u64,
    /// Entries.
    pub entries: u64,
    /// Hash of the entry before the first.
    pub before: String,
    /// Hash of the last entry.
    pub head: String,
    /// Under pseudonyms: the original's hash of the last entry, hashed under the site's key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original: Option<String>,
    /// Checkpoints after the entries.
    pub checkpoints: u64,
    /// BLAKE3 of all lines after this one, hexadecimal.
    pub digest: String,
    /// The public key, hexadecimal.
    pub key: String,
    /// Ed25519 over this line with an empty signature, hexadecimal.
    pub signature: String,
}

/// Entries of a trail, read to be exported.
#[derive(Debug)]
pub struct Selection {
    trail: PathBuf,
    folder: PathBuf,
    first: u64,
    before: String,
    head: String,
    entries: Vec<(Entry, Vec<u8>)>,
}

impl Selection {
    /// The entries of a time: from the first in it to the last before its end.
    ///
    /// # Errors
    /// [`BundleError`]; a broken trail is not exported.
    pub fn read(trail: &Path, within: &Range<Time>) -> Result<Self, BundleError> {
        let mut this = Self {
            trail: trail.to_owned(),
            folder: trail.parent().unwrap_or(Path::new(".")).to_owned(),
            first: 0,
            before: GENESIS.to_owned(),
            head: GENESIS.to_owned(),
            entries: Vec::new(),
        };
        let (mut over, mut length) = (false, 0);
        read_each(trail, |read| {
            over |= read.entry.time >= within.end;
            if read.entry.time < within.start && this.entries.is_empty() {
                return;
            }
            if !over && length <= LENGTH_MAX {
                if this.entries.is_empty() {
                    read.prev.clone_into(&mut this.before);
                }
                length += read.line.len();
                read.own.clone_into(&mut this.head);
                this.entries.push((read.entry, read.line.to_owned()));
            }
        })?;
        if length > LENGTH_MAX {
            return Err(BundleError::Long);
        }
        this.first = this.entries.first().ok_or(BundleError::Empty)?.0.seq;
        Ok(this)
    }

    /// The number of the first.
    #[must_use]
    pub const fn first(&self) -> u64 {
        self.first
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.entries.len() as u64
    }

    /// Never: that is an error before.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The bundle, signed; with a veil under pseudonyms.
    ///
    /// # Errors
    /// [`BundleError`].
    pub fn bundle(
        self,
        by: Actor,
        time: Time,
        veil: Option<&Veil>,
    ) -> Result<Vec<u8>, BundleError> {
        let mut header = Header {
            bundle: FORM,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            time,
            by,
            pseudonymised: veil.is_some(),
            first: self.first,
            entries: self.len(),
            before: self.before.clone(),
            head: self.head.clone(),
            original: None,
            checkpoints: 0,
            digest: String::new(),
            key: String::new(),
            signature: String::new(),
        };
        let mut rest = Vec::new();
        let folder = self.folder.clone();
        match veil {
            None => {
                let checkpoints = self.checkpoints()?;
                header.checkpoints = checkpoints.len() as u64;
                let entries = self.entries.into_iter().map(|(_, line)| line);
                for line in entries.chain(checkpoints) {
                    rest.extend_from_slice(&line);
                    rest.push(b'\n');
                }
            }
            Some(veil) => self.veiled(veil, &mut header, &mut rest)?,
        }
        header.digest = blake3::hash(&rest).to_hex().to_string();
        // The key is signed too: the first signature is only to learn it.
        header.key = sign(&folder, b"").map_err(BundleError::Sign)?.0;
        let message = header.message();
        header.signature = sign(&folder, &message).map_err(BundleError::Sign)?.1;
        let mut bundle = header.line();
        bundle.push(b'\n');
        bundle.append(&mut rest);
        Ok(bundle)
    }

    /// The chain anew.
    fn veiled(
        self,
        veil: &Veil,
        header: &mut Header,
        rest: &mut Vec<u8>,
    ) -> Result<(), BundleError> {
        let failed = |seq| move |error| BundleError::Veil(seq, error);
        let seq = self.first;
        header.original = Some(veil.pseudonyms().digest(self.head.as_bytes()));
        header.by = through(veil, "by", &header.by).map_err(failed(seq))?;
        let mut prev = GENESIS.to_owned();
        header.before.clone_from(&prev);
        for (entry, _) in self.entries {
            let failed = failed(entry.seq);
            let entry = through(veil, "entry", &entry).map_err(failed)?;
            let (line, own) = entry.line(&prev).map_err(failed)?;
            rest.extend_from_slice(line.as_bytes());
            rest.push(b'\n');
            prev = own;
        }
        header.head = prev;
        Ok(())
    }

    /// The lines of the checkpoints of these entries.
    fn checkpoints(&self) -> Result<Vec<Vec<u8>>, BundleError> {
        let within = self.first..self.first + self.len();
        let mut ours = Vec::new();
        for segment in segments(&self.trail)? {
            let path = segment.checkpoints;
            let text = match fs::read(&path) {
                Ok(text) => text,
                Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
                Err(source) => return Err(BundleError::System { path, source }),
            };
            let lines = text.split_inclusive(|byte| *byte == b'\n');
            let whole = lines.filter_map(|line| line.strip_suffix(b"\n"));
            let signed = whole.filter(|line| {
                Checkpoint::parse(line, None).is_ok_and(|one| within.contains(&one.seq))
            });
            ours.extend(signed.map(<[u8]>::to_owned));
        }
        Ok(ours)
    }
}

/// Through the veil and back, in a field of this name.
fn through<T: Serialize + for<'a> Deserialize<'a>>(
    veil: &Veil,
    field: &str,
    what: &T,
) -> Result<T, serde_json::Error> {
    let mut value = serde_json::json!({});
    value[field] = serde_json::to_value(what)?;
    veil.value(&mut value);
    serde_json::from_value(value[field].take())
}

impl Header {
    fn line(&self) -> Vec<u8> {
        // Strings and numbers can't fail.
        serde_json::to_vec(self).unwrap_or_default()
    }

    fn message(&self) -> Vec<u8> {
        let unsigned = Self {
            signature: String::new(),
            ..self.clone()
        };
        let mut message = b"wardtap audit bundle v1\n".to_vec();
        message.append(&mut unsigned.line());
        message
    }

    fn parse(line: &[u8], key: Option<&str>) -> Result<Self, BundleError> {
        let header: Self =
            serde_json::from_slice(line).map_err(|_| BundleError::Header("it is no header"))?;
        // Spaces, escapes and the order of members would be changes that nobody sees.
        if header.line() != line {
            return Err(BundleError::Header("it is not written as a header is"));
        }
        if header.bundle != FORM {
            return Err(BundleError::Header("it is of another version"));
        }
        if let Some(expected) = key
            && header.key != expected
        {
            return Err(BundleError::Key {
                found: header.key,
                expected: expected.to_owned(),
            });
        }
        if !is_signed(&header.key, &header.signature, &header.message()) {
            return Err(BundleError::Header("the signature is not of it"));
        }
        Ok(header)
    }
}

/// True if a file is a bundle and no trail.
///
/// # Errors
/// When it can't be read.
pub fn is_bundle(path: &Path) -> io::Result<bool> {
    let mut begin = Vec::new();
    io::Read::read_to_end(
        &mut io::Read::take(File::open(path)?, BEGIN.len() as u64),
        &mut begin,
    )?;
    Ok(begin == BEGIN)
}

/// Reads a bundle and holds each line against what was signed; with `key` only that one's signatures count.
///
/// # Errors
/// [`BundleError`] names the first entry that is not what it was.
pub fn verify(
    path: &Path,
    key: Option<&str>,
    on: impl FnMut(Entry),
) -> Result<Header, BundleError> {
    let bytes = fs::read(path).map_err(|source| BundleError::System {
        path: path.to_owned(),
        source,
    })?;
    verify_bytes(&bytes, key, on)
}

/// The same, of a file's content.
///
/// # Errors
/// As [`verify`].
pub fn verify_bytes(
    bytes: &[u8],
    key: Option<&str>,
    mut on: impl FnMut(Entry),
) -> Result<Header, BundleError> {
    let end = bytes.iter().position(|byte| *byte == b'\n');
    let end = end.ok_or(BundleError::Header("it has no end"))?;
    let header = Header::parse(&bytes[..end], key)?;
    let rest = &bytes[end + 1..];
    let mut lines = rest.split_inclusive(|byte| *byte == b'\n');
    let mut line = move || lines.next()?.strip_suffix(b"\n");

    let mut heads = vec![header.before.clone()];
    for entry in (header.first..).take(usize::try_from(header.entries).unwrap_or(usize::MAX)) {
        let broken = |flaw| BundleError::Entry { entry, flaw };
        let line = line().ok_or(broken(Flaw::Shape))?;
        let prev = heads.last().map_or(GENESIS, String::as_str);
        let (read, own) = Entry::parse(line, prev, entry).map_err(broken)?;
        on(read);
        heads.push(own);
    }
    if heads.last() != Some(&header.head) {
        return Err(BundleError::Rest("the last hash is another"));
    }
    for number in 1..=header.checkpoints {
        let broken = |flaw| BundleError::Checkpoint { number, flaw };
        let line = line().ok_or(broken(CheckpointFlaw::Shape))?;
        let one = Checkpoint::parse(line, Some(&header.key)).map_err(broken)?;
        let at = one.seq.checked_sub(header.first).map(|at| at + 1);
        let head = at.and_then(|at| heads.get(usize::try_from(at).ok()?));
        if head != Some(&one.head) {
            return Err(broken(CheckpointFlaw::Order));
        }
    }
    if blake3::hash(rest).to_hex().as_str() != header.digest {
        return Err(BundleError::Rest("the digest is another"));
    }
    Ok(header)
}
