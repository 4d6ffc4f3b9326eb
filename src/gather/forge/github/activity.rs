//! The history of every branch, as GitHub keeps it: `GET /repos/{owner}/{repo}/activity`.

use super::answers::{Account, Told, path};
use crate::gather::forge::{Asking, Period};
use crate::gather::http::api::{List, Pages};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;

/// The permission that reading it takes.
pub(super) const PERMISSION: &str = "`contents: read`";

/// One move of a branch.
#[derive(Debug, Deserialize)]
pub(super) struct Activity {
    pub(super) before: String,
    pub(super) after: String,
    #[serde(rename = "ref")]
    pub(super) git_ref: String,
    pub(super) timestamp: DateTime<Utc>,
    /// `push`, `force_push`, `pr_merge`, `merge_queue_merge`, `branch_creation` or `branch_deletion`.
    pub(super) activity_type: String,
    pub(super) actor: Option<Account>,
}

/// Everything since the period began, newest first, of all branches and of all types.
pub(super) fn read(asking: &Asking, period: &Period) -> Pages<Told<Activity>> {
    let reach = match window(asking.api.now() - period.from) {
        Some(window) => format!("&time_period={window}"),
        None => String::new(),
    };
    let request = format!("{}/activity?per_page=100{reach}", path(asking));
    // An hour of tolerance: nobody promises that the order of the list is that of the clock to the second.
    let oldest = period.from.checked_sub_signed(TimeDelta::hours(1)).unwrap_or(period.from);
    let wanted = &mut |told: &Told<Activity>| told.known().is_none_or(|a| a.timestamp >= oldest);
    asking.api.pages_while::<List<Told<Activity>>>(&request, wanted)
}

/// The shortest of GitHub's windows that surely reaches back far enough; `None` where only all of it does. They are counted back
/// from when GitHub is asked, which is a little later than our clock says, and only a day and a week have a length that is
/// documented.
pub(super) fn window(age: TimeDelta) -> Option<&'static str> {
    const WINDOWS: &[(&str, i64)] =
        &[("day", 23), ("week", 167), ("month", 27 * 24), ("quarter", 88 * 24), ("year", 364 * 24)];
    WINDOWS.iter().find(|(_, hours)| age <= TimeDelta::hours(*hours)).map(|(name, _)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_reaches_further_than_the_period() {
        let cases = [
            (-1, "day"),
            (23, "day"),
            (24, "week"),
            (26, "week"),
            (168, "month"),
            (28 * 24, "quarter"),
            (90 * 24, "year"),
        ];
        for (hours, name) in cases {
            assert_eq!(window(TimeDelta::hours(hours)), Some(name), "{hours}");
        }
        assert_eq!(window(TimeDelta::hours(366 * 24)), None);
    }
}
