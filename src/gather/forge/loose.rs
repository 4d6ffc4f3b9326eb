//! Answers of APIs as they come: null where a list is meant, dates that are none.

use crate::gather::http::api::{List, Page};
use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

/// A list, no longer than a page may be; null is an empty one.
pub(super) fn list<'de, T: DeserializeOwned, D: Deserializer<'de>>(d: D) -> Result<Vec<T>, D::Error> {
    Ok(Option::<List<T>>::deserialize(d)?.map(|list| list.open().0).unwrap_or_default())
}

/// A moment. What is no date, and the first second of 1970 and all before it, by which Go and others say that there is none, is
/// none.
pub(super) fn date<'de, D: Deserializer<'de>>(d: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    let text = Option::<String>::deserialize(d)?;
    let read = text.and_then(|text| DateTime::parse_from_rfc3339(&text).ok());
    Ok(read.map(|date| date.with_timezone(&Utc)).filter(|date| date.timestamp() > 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Told {
        #[serde(default, deserialize_with = "list")]
        list: Vec<u8>,
        #[serde(default, deserialize_with = "date")]
        date: Option<DateTime<Utc>>,
    }

    #[test]
    fn what_is_none_is_none() {
        for (text, list, date) in [
            ("{}", 0, None),
            (r#"{"list":null,"date":null}"#, 0, None),
            (r#"{"list":[1,2],"date":"2026-11-25T10:00:00.123456+02:00"}"#, 2, Some(1_795_593_600)),
            (r#"{"date":"0001-01-01T00:00:00Z"}"#, 0, None),
            (r#"{"date":"1970-01-01T00:00:00Z"}"#, 0, None),
            (r#"{"date":"yesterday"}"#, 0, None),
        ] {
            let told: Told = serde_json::from_str(text).unwrap();
            assert_eq!((told.list.len(), told.date.map(|d| d.timestamp())), (list, date), "{text}");
        }
    }
}
