//! A DICOM device that nobody knows, or that is not who it says: address, AE title and implementation do not
//! belong together (ATT&CK T1200, T1078).

use std::net::IpAddr;

use crate::detect::counted::CountedLru;
use crate::detect::prelude::*;

pub(super) const ABOUT: About = About {
    id: "unknown_modality",
    techniques: &["T1200", "T1078"],
    finds: "address, AE title and implementation that are new, or do not belong together",
    starts: Starts::AfterLearning,
    wrong_if: &[NEW_MODALITY, REPLACED],
    thresholds: THRESHOLDS,
    features: &[Feature::Peers, Feature::BytesOut],
    new: |values| Box::new(UnknownModality::new(values)),
};

thresholds! {
    /// A device counts as new for this time from when it was first seen.
    modality_new_for: seconds = 86_400, 60..=90 * 86_400;
}

const NEW_MODALITY: &str = "a new modality was put to work";
const REPLACED: &str = "the device was replaced, or has another address now";

/// Titles whose holder is remembered.
const TITLES: std::num::NonZeroUsize = std::num::NonZeroUsize::new(16_384).expect("it is not zero");

/// See the module's description.
pub(super) struct UnknownModality {
    /// Who used a title last without being suspected.
    holders: CountedLru<String, IpAddr>,
    reported: Reported<(IpAddr, Option<String>)>,
    /// How long a device is new, nanoseconds.
    new_for: i64,
}

impl UnknownModality {
    fn new(values: &Values) -> Self {
        let own = Thresholds::of(values);
        Self {
            new_for: own.modality_new_for.as_nanos().cast_signed(),
            holders: CountedLru::new(TITLES),
            reported: Reported::new(values),
        }
    }
}

impl Detector for UnknownModality {
    fn evicted(&self) -> u64 {
        self.holders.evicted() + self.reported.evicted()
    }

    fn observe(&mut self, seen: &Observation, site: &Site<'_>) -> Option<Draft> {
        let What::Association {
            calling,
            implementation,
            ..
        } = &seen.what
        else {
            return None;
        };
        let title = calling.as_deref()?;
        let client = seen.client.ip();
        let draft = self.judge(client, title, implementation.as_deref(), site);
        if draft.is_none() {
            self.holders.put(title.to_owned(), client);
        }
        draft
            .filter(|_| self.reported.first((client, calling.clone()), seen.time))
            .map(|draft| Draft {
                victims: vec![seen.server.ip()],
                service: seen.service(),
                basis: Basis::Novelty,
                ..draft
            })
    }
}

impl UnknownModality {
    fn judge(
        &mut self,
        client: IpAddr,
        title: &str,
        implementation: Option<&str>,
        site: &Site<'_>,
    ) -> Option<Draft> {
        if site.learns() || site.knows(client, &Fact::Title(title)) {
            return None;
        }
        let uid_known =
            implementation.is_none_or(|uid| site.knows(client, &Fact::Implementation(uid)));
        let new_here = !site.knows_at_site(&Fact::Title(title));
        let device_new = site
            .baselines
            .device(client)
            .is_none_or(|device| site.now.0.saturating_sub(device.first().0) < self.new_for);
        if let Some(holder) = self.holders.peek(title)
            && *holder != client
            && !new_here
        {
            let same =
                implementation.is_none_or(|uid| site.knows(*holder, &Fact::Implementation(uid)));
            return Some(Draft {
                technique: "T1078",
                confidence: if same { 0.55 } else { 0.8 },
                evidence: format!(
                    "the AE title {title:?}, which {holder} uses, now comes from here{}",
                    if same {
                        ""
                    } else {
                        ", with another DICOM implementation"
                    }
                ),
                wrong_if: REPLACED,
                ..Draft::default()
            });
        }
        (device_new && new_here && !uid_known).then(|| Draft {
            confidence: 0.55,
            evidence: format!(
                "address, AE title {title:?} and DICOM implementation {} are all new at the site",
                implementation.unwrap_or("(not named)")
            ),
            ..Draft::default()
        })
    }
}
