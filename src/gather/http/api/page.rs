//! Answers in pages.

use super::ApiError;
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error, SeqAccess, Visitor};
use std::marker::PhantomData;

/// Items of one page. Platforms list 100; an item of two bytes may take hundreds in memory.
const MOST_ON_A_PAGE: usize = 10_000;

/// A page of an answer.
pub(crate) trait Page: DeserializeOwned {
    /// What it lists.
    type Item;
    /// Its items; the address of the next page and how many there are in all, where the body tells.
    fn open(self) -> (Vec<Self::Item>, Option<String>, Option<u64>);
}

/// A page that is a list, with the next one in the `Link` header (RFC 8288).
#[derive(Debug)]
pub(crate) struct List<T>(Vec<T>);

impl<T: DeserializeOwned> Page for List<T> {
    type Item = T;
    fn open(self) -> (Vec<T>, Option<String>, Option<u64>) {
        (self.0, None, None)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Items<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Items<T> {
            type Value = Vec<T>;
            fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                f.write_str("a list")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut all: A) -> Result<Vec<T>, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = all.next_element()? {
                    if items.len() == MOST_ON_A_PAGE {
                        return Err(A::Error::custom("too many items"));
                    }
                    items.push(item);
                }
                Ok(items)
            }
        }
        d.deserialize_seq(Items(PhantomData)).map(List)
    }
}

/// All pages, as far as they could be read.
#[derive(Debug)]
pub(crate) struct Pages<T> {
    /// What they list, in the order of the answer.
    pub(crate) items: Vec<T>,
    /// Pages that were read.
    pub(crate) read: u32,
    /// How many items the platform says there are.
    pub(crate) told: Option<u64>,
    /// Why it ends before its end.
    pub(crate) missing: Option<ApiError>,
    /// The first request, as it may be told.
    pub(crate) request: String,
}
