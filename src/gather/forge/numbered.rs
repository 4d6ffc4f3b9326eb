//! Pages by number, for lists whose answers do not say where the next page is: Bitbucket's pipelines, Gitea's reviews and feeds.

use crate::gather::http::api::{Api, ApiError, Page, Pages};

/// Pages that are read of one list.
const MOST_PAGES: u32 = 200;

/// All pages, until one is empty, all that are told of have come, or `wanted` says that an item and all behind it are not. `id`
/// knows an item again: a server that does not number its pages answers the first one for ever.
pub(super) fn pages<P: Page>(
    api: &Api,
    way: &str,
    id: fn(&P::Item) -> String,
    wanted: &mut dyn FnMut(&P::Item) -> bool,
) -> Pages<P::Item> {
    let request = format!("{}/{way}", api.place());
    let mut all = Pages { items: Vec::new(), read: 0, told: None, missing: None, request };
    let (mut came, mut first) = (0u64, None);
    loop {
        let number = all.read + 1;
        let page = if number == 1 { way.to_owned() } else { format!("{way}&page={number}") };
        let (items, _, told) = match api.get::<P>(&page) {
            Ok(page) => page.open(),
            Err(e) => {
                all.missing = Some(e);
                return all;
            }
        };
        all.told = told.or(all.told);
        let Some(begins) = items.first().map(id) else {
            all.read += u32::from(number == 1);
            return all;
        };
        if first.as_ref() == Some(&begins) {
            return all;
        }
        first.get_or_insert(begins);
        all.read = number;
        came += items.len() as u64;
        for item in items {
            if !wanted(&item) {
                return all;
            }
            all.items.push(item);
        }
        if all.told.is_some_and(|told| came >= told) {
            return all;
        }
        if number >= MOST_PAGES {
            let path = way.split('?').next().unwrap_or_default();
            all.missing =
                Some(ApiError::Cut(format!("`{path}`"), format!("there are more than {MOST_PAGES} pages of it")));
            return all;
        }
    }
}
