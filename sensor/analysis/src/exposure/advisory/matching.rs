//! Which devices an advisory may be about: words of vendor and product that a device says of itself.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    net::IpAddr,
};

use sensor_sessions::inventory::{HostReport, RANDOM};
use serde::{Deserialize, Serialize};

use super::{Advisory, AdvisoryVerdict, Affected, Judgement, words};

/// From this score on a match counts as possible.
pub const THRESHOLD: f64 = 0.5;
/// How much the vendor's words count, and the product's.
const VENDOR: f64 = 0.4;
const PRODUCT: f64 = 0.6;
/// Matches that are given at most.
const MATCHES_MAX: usize = 10_000;

/// Whose words agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The vendor's.
    Vendor,
    /// The product's.
    Product,
}

/// What agrees with what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreement {
    /// Whose words.
    pub part: Part,
    /// Those that agree.
    pub words: Vec<String>,
    /// How many it has.
    pub of: usize,
    /// What of the device: `maker of the network card`, `DHCP vendor class`, ...
    pub field: String,
    /// Its text.
    pub text: String,
}

/// An advisory that may be about a device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Match {
    /// The advisory.
    pub advisory: String,
    /// Its title.
    pub title: String,
    /// The device.
    pub device: IpAddr,
    /// The product that agrees best; which of its affected versions the device has is not known.
    #[serde(flatten)]
    pub product: Affected,
    /// How well the texts agree, 0 to 1: 0.4 for the vendor's words, 0.6 for the product's.
    pub score: f64,
    /// What agrees with what.
    pub agreements: Vec<Agreement>,
    /// What a person said of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judgement: Option<Judgement>,
}

impl Match {
    /// A person said that it is about this device.
    #[must_use]
    pub fn is_confirmed(&self) -> bool {
        self.verdict() == Some(AdvisoryVerdict::Confirmed)
    }

    /// A person said that it is not.
    #[must_use]
    pub fn is_dismissed(&self) -> bool {
        self.verdict() == Some(AdvisoryVerdict::Dismissed)
    }

    fn verdict(&self) -> Option<AdvisoryVerdict> {
        self.judgement.as_ref().map(|one| one.verdict)
    }

    /// What agrees with what, in words.
    #[must_use]
    pub fn because(&self) -> String {
        let words = |one: &Agreement| {
            let part = match one.part {
                Part::Vendor => "vendor",
                Part::Product => "product",
            };
            format!(
                "{} of {} words of the {part} ({}) are in the {} {:?}",
                one.words.len(),
                one.of,
                one.words.join(", "),
                one.field,
                one.text
            )
        };
        let all: Vec<String> = self.agreements.iter().map(words).collect();
        all.join("; ")
    }
}

/// All matches, those that agree best first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Matches {
    /// Least score of a match that counts.
    pub threshold: f64,
    /// Those with this score, and those that a person judged.
    pub found: Vec<Match>,
    /// Those below it.
    pub below: Vec<Match>,
    /// Matches left out because they were too many.
    pub omitted: u64,
}

/// A product of an advisory, by its words.
struct Sought<'a> {
    advisory: &'a Advisory,
    product: &'a Affected,
    vendor: Vec<String>,
    name: Vec<String>,
}

/// What a device says of itself.
struct Said {
    field: &'static str,
    text: String,
    words: BTreeSet<String>,
}

/// Compares all advisories with all devices; judgements are for those who call.
#[must_use]
pub fn matches(advisories: &[Advisory], hosts: &[HostReport]) -> Matches {
    let sought: Vec<Sought<'_>> = advisories
        .iter()
        .flat_map(|advisory| {
            advisory.products.iter().map(move |product| Sought {
                advisory,
                product,
                vendor: words::telling(&product.vendor),
                name: words::telling(&product.product),
            })
        })
        .collect();
    // Only products that share a word with a device are looked at.
    let mut index: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, one) in sought.iter().enumerate() {
        for word in one.vendor.iter().chain(&one.name) {
            index.entry(word).or_default().push(at);
        }
    }
    let mut all = Vec::new();
    let mut omitted = 0;
    for host in hosts {
        let said = said(host);
        let words = said.iter().flat_map(|one| &one.words);
        let near: HashSet<usize> = words
            .filter_map(|word| index.get(word.as_str()))
            .flatten()
            .copied()
            .collect();
        // Of an advisory's products the one that agrees best.
        let mut best: BTreeMap<&str, Match> = BTreeMap::new();
        for one in near.into_iter().filter_map(|at| sought.get(at)) {
            let Some(found) = one.compare(host, &said) else {
                continue;
            };
            let known = best.get(one.advisory.id.as_str());
            if known.is_none_or(|known| found.beats(known)) {
                best.insert(&one.advisory.id, found);
            }
        }
        all.extend(best.into_values());
        if all.len() > 2 * MATCHES_MAX {
            omitted += cut(&mut all);
        }
    }
    omitted += cut(&mut all);
    let (found, below) = all.into_iter().partition(|one| one.score >= THRESHOLD);
    Matches {
        threshold: THRESHOLD,
        found,
        below,
        omitted,
    }
}

/// Keeps the best, in order.
fn cut(all: &mut Vec<Match>) -> u64 {
    all.sort_by(|a, b| {
        let by_score = b.score.total_cmp(&a.score);
        by_score
            .then_with(|| a.advisory.cmp(&b.advisory))
            .then(a.device.cmp(&b.device))
    });
    let omitted = all.len().saturating_sub(MATCHES_MAX);
    all.truncate(MATCHES_MAX);
    omitted as u64
}

impl Match {
    /// It agrees better, or as well and is worse.
    fn beats(&self, other: &Self) -> bool {
        let (own, others) = (&self.product, &other.product);
        (self.score, own.cvss.unwrap_or(0.0)) > (other.score, others.cvss.unwrap_or(0.0))
            || (self.score.total_cmp(&other.score).is_eq()
                && own.cvss == others.cvss
                && own.product < others.product)
    }
}

impl Sought<'_> {
    fn compare(&self, host: &HostReport, said: &[Said]) -> Option<Match> {
        let vendor = agreement(Part::Vendor, &self.vendor, said);
        let name = agreement(Part::Product, &self.name, said);
        let score = VENDOR * vendor.0 + PRODUCT * name.0;
        (score > 0.0).then(|| Match {
            advisory: self.advisory.id.clone(),
            title: self.advisory.title.clone(),
            device: host.address,
            product: self.product.clone(),
            score,
            agreements: [vendor.1, name.1].concat(),
            judgement: None,
        })
    }
}

/// The share of the words that are in any text, and where they are, each word once.
fn agreement(part: Part, words: &[String], said: &[Said]) -> (f64, Vec<Agreement>) {
    let mut left: Vec<&String> = words.iter().collect();
    let mut found = Vec::new();
    for one in said {
        let (here, rest): (Vec<&String>, _) =
            left.iter().partition(|word| one.words.contains(**word));
        left = rest;
        if !here.is_empty() {
            found.push(Agreement {
                part,
                words: here.into_iter().cloned().collect(),
                of: words.len(),
                field: one.field.to_owned(),
                text: one.text.clone(),
            });
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "a name has few words")]
    let share = match words.len() {
        0 => 0.0,
        all => (all - left.len()) as f64 / all as f64,
    };
    (share, found)
}

/// The texts of a device, those that its maker wrote first.
fn said(host: &HostReport) -> Vec<Said> {
    let vendor = host.vendor.as_deref().filter(|name| *name != RANDOM);
    let versions = host.implementations.iter();
    let versions = versions.filter_map(|one| one.version_name.as_deref());
    let applications = host.hl7_applications.iter();
    let applications = applications.filter_map(|one| one.application.as_deref());
    let names = host.names.iter().map(|name| name.name.as_str());
    let titles = host.ae_titles.iter().map(|title| title.title.as_str());
    let vendor = vendor.map(|text| ("maker of the network card", text));
    let class = host.vendor_class.as_deref();
    let class = class.map(|text| ("DHCP vendor class", text));
    vendor
        .into_iter()
        .chain(class)
        .chain(versions.map(|text| ("DICOM implementation version", text)))
        .chain(applications.map(|text| ("HL7 application", text)))
        .chain(names.map(|text| ("host name", text)))
        .chain(titles.map(|text| ("AE title", text)))
        .map(|(field, text)| Said {
            field,
            text: text.to_owned(),
            words: words::of_device(text),
        })
        .collect()
}
