//! What a person asks for, besides the reports.

use super::{format_named, known};
use crate::gather::pick::Pick;

/// Least severities that a person may ask to fail a gate, in the words of the scanners.
pub(crate) const THRESHOLDS: &[&str] = &["critical", "high", "medium", "low", "error", "warning", "note", "any"];

/// What was asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ask {
    /// A row of [`super::FORMATS`] by name, for every file that was named; switches recognition off.
    pub(crate) forced: Option<String>,
    /// The same for the reports that a word picks, also in folders and archives.
    pub(crate) forced_for: Vec<(Pick, String)>,
    /// Least severity that fails a gate: one of [`THRESHOLDS`]. Without it each format has its own.
    pub(crate) threshold: Option<String>,
}

impl Ask {
    /// The words of `--report-format`, `NAME` or `GLOB=NAME`, and of `--gate-threshold`.
    pub(crate) fn new(formats: &[String], threshold: Option<&str>) -> Result<Self, String> {
        let mut ask = Self { threshold: threshold.map(str::to_owned), ..Self::default() };
        for word in formats {
            let (pick, name) = match word.rsplit_once('=') {
                Some((pick, name)) => (Some(pick), name),
                None => (None, word.as_str()),
            };
            if format_named(name).is_none() {
                return Err(format!("there is no report format `{name}`; there are: {}", known()));
            }
            match pick {
                Some("") => return Err(format!("`{word}` names no report: say GLOB=FORMAT, or FORMAT alone")),
                Some(pick) => ask.forced_for.push((Pick::new(pick), name.to_owned())),
                None if ask.forced.is_some() => return Err(format!("`{name}` is the second format for all files")),
                None => ask.forced = Some(name.to_owned()),
            }
        }
        Ok(ask)
    }

    /// What was asked for about one report. `named`: it was named itself, not found in a folder or an archive.
    pub(super) fn of(&self, shown: &str, named: bool) -> Self {
        let picked = self.forced_for.iter().find(|(pick, _)| pick.holds(shown)).map(|(_, name)| name.clone());
        Self {
            forced: picked.or_else(|| self.forced.clone().filter(|_| named)),
            forced_for: Vec::new(),
            threshold: self.threshold.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_forced_for_all_or_for_some() {
        let words = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
        let ask = Ask::new(&words(&["odd.txt=junit"]), Some("high")).unwrap();
        assert_eq!(ask.of("a/odd.txt", false).forced.as_deref(), Some("junit"));
        assert_eq!(ask.of("ci.zip!odd.txt", false).forced.as_deref(), Some("junit"));
        assert_eq!(ask.of("b.txt", true).forced, None);
        let ask = Ask::new(&words(&["junit"]), None).unwrap();
        assert_eq!(ask.of("b.txt", true).forced.as_deref(), Some("junit"));
        assert_eq!(ask.of("b.txt", false).forced, None, "what was not named is recognised");
        for wrong in [&["junkit"][..], &["a=b"], &["=junit"], &["junit", "junit"], &["junit="]] {
            let error = Ask::new(&words(wrong), None).unwrap_err();
            assert!(error.contains('`') && error.len() > 30, "{error}");
        }
        assert!(Ask::new(&words(&["xml"]), None).unwrap_err().contains("there are: junit"));
    }
}
