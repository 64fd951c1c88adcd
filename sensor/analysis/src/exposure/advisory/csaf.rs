//! Reads CSAF 2.0 (OASIS Standard, 18 November 2022), section 3: of a document what names the affected products, how
//! bad it is and what to do.
//!
//! What is needed has to be there and has to be of the right type, and everything has a bound. What is not needed is not
//! looked at.

use std::collections::HashMap;

use serde_json::Value;

use super::{Advisory, Affected};

/// Largest file, bytes.
pub const SIZE_MAX: usize = 8 << 20;
/// Branches within branches (section 3.1.2 allows any number; advisories have three to five).
const DEPTH_MAX: usize = 16;
/// Products of a document.
const PRODUCTS_MAX: usize = 5_000;
/// Vulnerabilities of a document.
const VULNERABILITIES_MAX: usize = 1_000;
/// Items of any other list.
const LIST_MAX: usize = 10_000;
/// Letters of a name or number.
const NAME_MAX: usize = 512;
/// Letters of a text, of which the rest is left out.
const TEXT_MAX: usize = 600;
/// Different affected products that are kept.
const KEPT_MAX: usize = 500;
/// Versions and vulnerabilities kept of a product, and remedies of a document.
const FEW_MAX: usize = 32;

/// Why a file is no advisory that can be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CsafError {
    /// It is too large.
    #[error("it has {0} bytes; at most {SIZE_MAX} are read")]
    Large(usize),
    /// It is not JSON.
    #[error("it is not JSON: {0}")]
    Json(String),
    /// Something in it is not as CSAF 2.0 has it.
    #[error("at {path}: {what}")]
    At {
        /// Where: names with dots, places in lists from 0.
        path: String,
        /// What is wrong.
        what: String,
    },
}

/// Reads a document.
///
/// # Errors
/// [`CsafError`] names the place.
pub fn parse(text: &[u8]) -> Result<Advisory, CsafError> {
    if text.len() > SIZE_MAX {
        return Err(CsafError::Large(text.len()));
    }
    let value: Value =
        serde_json::from_slice(text).map_err(|error| CsafError::Json(error.to_string()))?;
    let root = At {
        value: &value,
        path: String::new(),
    };
    let document = root.get("document")?;
    let version = document.get("csaf_version")?;
    if version.name()? != "2.0" {
        return Err(version.error("only CSAF 2.0 is read"));
    }
    let tracking = document.get("tracking")?;
    let mut advisory = Advisory {
        id: tracking.get("id")?.name()?,
        version: tracking.get("version")?.name()?,
        released: tracking.get("current_release_date")?.name()?,
        title: document.get("title")?.name()?,
        publisher: document.get("publisher")?.get("name")?.name()?,
        tlp: tlp(&document)?,
        hash: blake3::hash(text).to_hex().to_string(),
        products: Vec::new(),
        remedies: Vec::new(),
        omitted: 0,
    };
    let tree = Tree::of(&root.get("product_tree")?)?;
    for vulnerability in root.get("vulnerabilities")?.list(VULNERABILITIES_MAX)? {
        add(&mut advisory, &tree, &vulnerability)?;
    }
    if advisory.products.is_empty() {
        return Err(root.get("vulnerabilities")?.error(
            "no product is affected by product_status.known_affected, first_affected or last_affected: there is nothing to look for",
        ));
    }
    Ok(advisory)
}

fn tlp(document: &At<'_>) -> Result<Option<String>, CsafError> {
    let Some(distribution) = document.find("distribution")? else {
        return Ok(None);
    };
    let Some(tlp) = distribution.find("tlp")? else {
        return Ok(None);
    };
    tlp.get("label")?.name().map(Some)
}

/// The lists of section 3.2.3.9 whose products are affected.
const AFFECTED: [&str; 3] = ["known_affected", "first_affected", "last_affected"];

fn add(advisory: &mut Advisory, tree: &Tree, vulnerability: &At<'_>) -> Result<(), CsafError> {
    let cve = vulnerability.find("cve")?.map(|cve| cve.name());
    let cve = cve.transpose()?;
    let scores = scores(vulnerability)?;
    let mut affects = false;
    if let Some(status) = vulnerability.find("product_status")? {
        for list in AFFECTED {
            for id in status.items(list, LIST_MAX)? {
                let known = tree.product(&id)?;
                let score = scores.get(id.name()?.as_str()).copied();
                affects = true;
                note(advisory, known, cve.as_deref(), score);
            }
        }
    }
    for remedy in vulnerability.items("remediations", LIST_MAX)? {
        let details = remedy.get("details")?.text()?;
        if affects {
            advisory.omitted += keep(&mut advisory.remedies, &details);
        }
    }
    Ok(())
}

/// The worst base score of each product, by version 3 of CVSS where there is one.
fn scores(vulnerability: &At<'_>) -> Result<HashMap<String, f64>, CsafError> {
    let mut scores: HashMap<String, f64> = HashMap::new();
    for score in vulnerability.items("scores", LIST_MAX)? {
        let base = match score.find("cvss_v3")? {
            Some(cvss) => Some(cvss),
            None => score.find("cvss_v2")?,
        };
        let Some(base) = base else {
            continue;
        };
        let base = base.get("baseScore")?.score()?;
        for id in score.items("products", LIST_MAX)? {
            let worst = scores.entry(id.name()?).or_default();
            *worst = worst.max(base);
        }
    }
    Ok(scores)
}

fn note(advisory: &mut Advisory, known: &Product, cve: Option<&str>, score: Option<f64>) {
    let same = |one: &Affected| one.vendor == known.vendor && one.product == known.name;
    let at = advisory.products.iter().position(same);
    if at.is_none() && advisory.products.len() >= KEPT_MAX {
        advisory.omitted += 1;
        return;
    }
    let at = at.unwrap_or_else(|| {
        advisory.products.push(Affected {
            vendor: known.vendor.clone(),
            product: known.name.clone(),
            ..Affected::default()
        });
        advisory.products.len() - 1
    });
    let Some(product) = advisory.products.get_mut(at) else {
        return;
    };
    product.cvss = match (product.cvss, score) {
        (Some(a), Some(b)) => Some(a.max(b)),
        (a, b) => a.or(b),
    };
    if let Some(version) = &known.version {
        advisory.omitted += keep(&mut product.versions, version);
    }
    if let Some(cve) = cve {
        advisory.omitted += keep(&mut product.cves, cve);
    }
}

/// How many were left out: 0 or 1.
fn keep(list: &mut Vec<String>, text: &str) -> u64 {
    if list.iter().any(|known| known == text) {
        return 0;
    }
    if list.len() >= FEW_MAX {
        return 1;
    }
    list.push(text.to_owned());
    0
}

/// A product of the tree.
#[derive(Clone, Debug, Default)]
struct Product {
    vendor: String,
    name: String,
    version: Option<String>,
}

/// The product tree (section 3.2.2), by product id.
struct Tree(HashMap<String, Product>);

impl Tree {
    fn of(tree: &At<'_>) -> Result<Self, CsafError> {
        let mut this = Self(HashMap::new());
        for branch in tree.items("branches", LIST_MAX)? {
            this.branch(&branch, &Product::default(), 1)?;
        }
        for product in tree.items("full_product_names", LIST_MAX)? {
            this.add(&product, Product::default())?;
        }
        for relationship in tree.items("relationships", LIST_MAX)? {
            // What is installed on or with something else is still itself.
            let part = this.product(&relationship.get("product_reference")?)?;
            let part = part.clone();
            this.add(&relationship.get("full_product_name")?, part)?;
        }
        Ok(this)
    }

    fn branch(&mut self, branch: &At<'_>, above: &Product, depth: usize) -> Result<(), CsafError> {
        if depth > DEPTH_MAX {
            return Err(branch.error(format!("branches are at most {DEPTH_MAX} deep")));
        }
        let category = branch.get("category")?.name()?;
        let name = branch.get("name")?.name()?;
        let mut here = above.clone();
        match category.as_str() {
            "vendor" => here.vendor = name,
            "product_name" => here.name = name,
            "product_family" if here.name.is_empty() => here.name = name,
            "product_version" | "product_version_range" => here.version = Some(name),
            _ => {}
        }
        for below in branch.items("branches", LIST_MAX)? {
            self.branch(&below, &here, depth + 1)?;
        }
        match branch.find("product")? {
            Some(product) => self.add(&product, here),
            None => Ok(()),
        }
    }

    fn add(&mut self, full: &At<'_>, mut product: Product) -> Result<(), CsafError> {
        let id = full.get("product_id")?;
        let name = full.get("name")?.name()?;
        if product.name.is_empty() {
            product.name = name;
        }
        if self.0.len() >= PRODUCTS_MAX {
            return Err(full.error(format!("at most {PRODUCTS_MAX} products are read")));
        }
        if self.0.insert(id.name()?, product).is_some() {
            return Err(id.error("another product has this id"));
        }
        Ok(())
    }

    fn product(&self, id: &At<'_>) -> Result<&Product, CsafError> {
        let name = id.name()?;
        self.0
            .get(&name)
            .ok_or_else(|| id.error(format!("the product tree has no product {name:?}")))
    }
}

/// A value and where it stands.
struct At<'a> {
    value: &'a Value,
    path: String,
}

impl<'a> At<'a> {
    fn error(&self, what: impl Into<String>) -> CsafError {
        let path = if self.path.is_empty() {
            "the begin".to_owned()
        } else {
            self.path.clone()
        };
        CsafError::At {
            path,
            what: what.into(),
        }
    }

    fn below(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    fn find(&self, key: &str) -> Result<Option<Self>, CsafError> {
        let Value::Object(members) = self.value else {
            return Err(self.error("it is no object"));
        };
        let path = self.below(key);
        Ok(members.get(key).map(|value| Self { value, path }))
    }

    fn get(&self, key: &str) -> Result<Self, CsafError> {
        self.find(key)?.ok_or_else(|| CsafError::At {
            path: self.below(key),
            what: "it is missing".to_owned(),
        })
    }

    fn list(&self, max: usize) -> Result<impl Iterator<Item = Self> + use<'a>, CsafError> {
        let Value::Array(items) = self.value else {
            return Err(self.error("it is no list"));
        };
        if items.len() > max {
            return Err(self.error(format!(
                "it has {} items, at most {max} are read",
                items.len()
            )));
        }
        let path = self.path.clone();
        Ok(items.iter().enumerate().map(move |(at, value)| Self {
            value,
            path: format!("{path}[{at}]"),
        }))
    }

    /// The items of a list that may be missing.
    fn items(&self, key: &str, max: usize) -> Result<Vec<Self>, CsafError> {
        match self.find(key)? {
            Some(list) => Ok(list.list(max)?.collect()),
            None => Ok(Vec::new()),
        }
    }

    /// A name or number: not empty, not long.
    fn name(&self) -> Result<String, CsafError> {
        let Value::String(text) = self.value else {
            return Err(self.error("it is no text"));
        };
        if text.chars().nth(NAME_MAX).is_some() {
            return Err(self.error(format!("it is longer than {NAME_MAX} letters")));
        }
        let text = clean(text);
        if text.is_empty() {
            return Err(self.error("it is empty"));
        }
        Ok(text)
    }

    /// A text, cut where it is long.
    fn text(&self) -> Result<String, CsafError> {
        let Value::String(text) = self.value else {
            return Err(self.error("it is no text"));
        };
        let text = clean(text);
        Ok(match text.char_indices().nth(TEXT_MAX) {
            Some((at, _)) => format!("{}\u{2026}", &text[..at]),
            None => text,
        })
    }

    fn score(&self) -> Result<f64, CsafError> {
        self.value
            .as_f64()
            .filter(|score| (0.0..=10.0).contains(score))
            .ok_or_else(|| self.error("it is no number from 0 to 10"))
    }
}

/// Without what would move a cursor or turn the direction of a line: the text is shown at terminals.
fn clean(text: &str) -> String {
    let shown = |c: char| {
        if c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') {
            ' '
        } else {
            c
        }
    };
    let text: String = text.chars().map(shown).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
