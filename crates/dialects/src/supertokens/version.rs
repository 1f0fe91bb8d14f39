//! Versions of the interface between an SDK and its core: what is advertised, and what a request may name (section 3.1).

use std::cmp::Ordering;

use super::Refusal;

/// What is advertised, ascending (section 2.5).
const ADVERTISED: [&str; 25] = [
    "2.7", "2.8", "2.9", "2.10", "2.11", "2.12", "2.13", "2.14", "2.15", "2.16", "2.17", "2.18", "2.19", "2.20",
    "2.21", "3.0", "3.1", "4.0", "5.0", "5.1", "5.2", "5.3", "5.4", "5.5", "5.6",
];

/// A version: numbers with dots between them, compared as numbers; missing parts count as zero.
#[derive(Clone, Debug)]
pub struct Version(Vec<u64>);

/// The versions that a core speaks.
#[derive(Clone, Debug)]
pub struct Versions {
    least: Option<Version>,
    /// As `/apiversion` writes them, ascending.
    listed: Vec<&'static str>,
    /// The same, to compare with; never empty.
    known: Vec<Version>,
}

impl Version {
    /// Reads a version; none if it is not digits with single dots between them. A part beyond 64 bits counts as the
    /// greatest there is.
    pub fn parse(text: &str) -> Option<Version> {
        let part = |part: &str| {
            let digits = !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
            digits.then(|| part.parse().unwrap_or(u64::MAX))
        };
        text.split('.').map(part).collect::<Option<Vec<u64>>>().map(Version)
    }

    /// Whether it is this version or a later one.
    pub fn is_at_least(&self, major: u64, minor: u64) -> bool {
        self.cmp(&Version(vec![major, minor])) != Ordering::Less
    }

    fn part(&self, index: usize) -> u64 {
        self.0.get(index).copied().unwrap_or(0)
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let parts = 0..self.0.len().max(other.0.len());
        parts.map(|at| self.part(at).cmp(&other.part(at))).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Version {}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let parts: Vec<String> = self.0.iter().map(u64::to_string).collect();
        f.write_str(&parts.join("."))
    }
}

impl Default for Versions {
    fn default() -> Self {
        Self::between(None, None).expect("without bounds every advertised version is left")
    }
}

impl Versions {
    /// The advertised versions from `least` to `greatest`; none if none is left. Only `greatest` shortens what is
    /// listed.
    pub fn between(least: Option<Version>, greatest: Option<Version>) -> Option<Versions> {
        let advertised = ADVERTISED.into_iter().map(|text| (text, version(text)));
        let (listed, known): (Vec<&str>, Vec<Version>) =
            advertised.filter(|(_, version)| greatest.as_ref().is_none_or(|greatest| version <= greatest)).unzip();
        let last = known.last()?;
        let reachable = least.as_ref().is_none_or(|least| least <= last);
        reachable.then_some(Versions { least, listed, known })
    }

    /// What `/apiversion` lists, ascending.
    pub fn listed(&self) -> &[&'static str] {
        &self.listed
    }

    /// The version that a request is answered in, by its header field; the greatest without one.
    ///
    /// # Errors
    /// [`Refusal::VersionInvalid`], [`Refusal::VersionUnsupported`] and [`Refusal::VersionTooLow`], in this order.
    pub fn choose(&self, sent: Option<&str>) -> Result<Version, Refusal> {
        let greatest = self.known.last().expect("there is a version");
        let Some(sent) = sent else { return Ok(greatest.clone()) };
        let version = Version::parse(sent).ok_or(Refusal::VersionInvalid)?;
        if version > *greatest {
            return Err(Refusal::VersionUnsupported(sent.to_owned()));
        }
        match &self.least {
            Some(least) if version < *least => {
                Err(Refusal::VersionTooLow { sent: sent.to_owned(), least: least.to_string() })
            }
            Some(_) | None => Ok(version),
        }
    }

    /// Whether this very version is listed.
    pub fn lists(&self, wanted: &Version) -> bool {
        self.known.contains(wanted)
    }
}

fn version(text: &str) -> Version {
    Version::parse(text).expect("the advertised versions are digits and dots")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(versions: &Versions, sent: &str) -> String {
        versions.choose(Some(sent)).unwrap_err().text().into_owned()
    }

    #[test]
    fn parts_compare_as_numbers() {
        let sorted: Vec<Version> = ADVERTISED.into_iter().map(version).collect();
        assert!(sorted.is_sorted() && version("2.10") > version("2.9"));
        assert_eq!(version("5.4.0"), version("05.4"));
        assert!(version("2.21").is_at_least(2, 21) && !version("2.20").is_at_least(2, 21));
    }

    /// ST-55 (part): what is no version, and what is none of ours, in the words of section 3.1.
    #[test]
    fn a_version_that_is_none_is_told_from_one_that_is_not_spoken() {
        let versions = Versions::default();
        for wrong in ["abc", "2.x", "1..0", "", ".", "5.4.", " 5.4", "-1", "5,4"] {
            assert_eq!(refused(&versions, wrong), "cdi-version header is invalid", "{wrong:?}");
        }
        for beyond in ["234243", "5.7", "6", "99999999999999999999999999.1"] {
            assert_eq!(refused(&versions, beyond), format!("cdi-version {beyond} not supported"));
        }
        // Only versioned endpoints ask for one that is listed.
        assert!(!versions.lists(&versions.choose(Some("1.0")).unwrap()));
        assert!(ADVERTISED.iter().all(|known| versions.lists(&versions.choose(Some(known)).unwrap())));
    }

    /// ST-56: a configured least and greatest version.
    #[test]
    fn bounds_are_told_and_the_greatest_shortens_the_list() {
        let versions = Versions::between(Version::parse("3.0"), Version::parse("5.2")).unwrap();
        assert_eq!(refused(&versions, "2.21"), "cdi-version 2.21 is lower than the minimum allowed version 3.0");
        assert_eq!(refused(&versions, "5.3"), "cdi-version 5.3 not supported");
        assert_eq!(versions.choose(None).unwrap(), version("5.2"));
        assert_eq!((versions.listed().first(), versions.listed().last()), (Some(&"2.7"), Some(&"5.2")));
        assert!(Versions::between(None, Version::parse("2.6")).is_none());
        assert!(Versions::between(Version::parse("5.1"), Version::parse("5.0")).is_none());
    }
}
