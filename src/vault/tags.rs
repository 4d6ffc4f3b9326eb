//! Words by which a record can be found without opening it.

use chrono::NaiveDate;

/// Words by which a record can be found without opening it. An index only: tags stay mutable even under a lock
/// (S3 API: `PutObjectTagging` works on a locked version), the truth is in the signed record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tags {
    /// Environment.
    pub env: String,
    /// Platform's id of the run.
    pub run_id: String,
    /// UTC day.
    pub date: NaiveDate,
}

/// How many tags [`Tags`] makes.
pub(super) const TAGS: usize = 3;

impl Tags {
    /// Tag names are the product's contract; values keep to what every store takes (TagSet doc).
    pub(super) fn pairs(&self) -> [(&'static str, String); TAGS] {
        let fit = |text: &str| -> String {
            let keep = |c: char| if c.is_ascii_alphanumeric() || "+-=._:/@".contains(c) { c } else { '_' };
            text.chars().map(keep).take(256).collect()
        };
        [("env", fit(&self.env)), ("pipeline-run-id", fit(&self.run_id)), ("date", self.date.to_string())]
    }
}
