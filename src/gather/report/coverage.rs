//! Numbers of coverage, as reports of it write them. Shared by their formats.

use super::outcome::Number;
use super::refusal::{Refusal, quoted};
use super::tally::Tally;
use super::xml::Tag;
use crate::record::test_run_v1::Covered;

/// The number in an attribute; absent where the attribute is. What is no number is refused: a part of a whole that
/// nobody can read is no figure.
pub(crate) fn number(tag: &Tag<'_>, attribute: &str) -> Result<Option<u64>, Refusal> {
    let Some(text) = tag.attribute(attribute.as_bytes()) else { return Ok(None) };
    match Number::parse(&text) {
        Number::Is(n) => Ok(Some(n)),
        _ => Err(Refusal::new(format!("the number in `{attribute}`, {}, cannot be read", quoted(&text)))),
    }
}

/// `covered` of `total`, which cannot be less.
pub(crate) fn covered(what: &str, covered: u64, total: u64) -> Result<Covered, Refusal> {
    if covered > total {
        return Err(Refusal::new(format!("it covers {covered} {what} of {total}, which cannot be")));
    }
    Ok(Covered { covered, total })
}

/// Warns where a rate between 0 and 1 is not `part`, rounded to some digits.
pub(crate) fn check_rate(what: &str, rate: Option<&str>, part: Option<Covered>, tally: &mut Tally) {
    let (Some(text), Some(Covered { covered, total })) = (rate, part) else { return };
    let is = if total == 0 { None } else { Some(covered as f64 / total as f64) };
    let near = |rate: f64| is.is_none_or(|is| (rate - is).abs() < 0.011);
    if !text.trim().parse().is_ok_and(|rate: f64| (0.0..=1.0).contains(&rate) && near(rate)) {
        tally.warn(|| format!("declares a {what} rate of {}; its numbers are {covered} of {total}", quoted(text)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_held_against_its_numbers() {
        let part = |covered, total| Some(Covered { covered, total });
        for (rate, part, warnings) in [
            ("0.5", part(1, 2), 0),
            ("0.33", part(1, 3), 0),
            ("1", part(0, 0), 0),
            ("0", part(0, 0), 0),
            ("0.9", part(1, 2), 1),
            ("50", part(1, 2), 1),
            ("NaN", part(1, 2), 1),
            ("-0.5", part(1, 2), 1),
            ("1.5", part(0, 0), 1),
            ("", part(1, 2), 1),
            ("0.9", None, 0),
        ] {
            let mut tally = Tally::default();
            check_rate("line", Some(rate), part, &mut tally);
            assert_eq!(tally.finish().warnings.len(), warnings, "{rate}");
        }
    }

    #[test]
    fn more_than_all_cannot_be_covered() {
        assert!(covered("lines", 2, 2).is_ok());
        assert!(covered("lines", 3, 2).is_err());
    }
}
