//! The request that GitHub Actions and Forgejo Actions share (GitHub docs, "OpenID Connect reference"; the runner's own client is
//! `@actions/core`, `oidc-utils.ts`).

use super::{Asking, LONGEST, Token, fixed};
use crate::gather::http::{Header, Limits, Secret};
use crate::record::change_v1::Change;
use crate::record::identity_v1::Binding;
use ::http::header::{ACCEPT, AUTHORIZATION};
use serde::Deserialize;
use url::Url;

const ADDRESS: &str = "ACTIONS_ID_TOKEN_REQUEST_URL";
const PASS: &str = "ACTIONS_ID_TOKEN_REQUEST_TOKEN";

/// A token whose audience is the digest of the record. `how` says how a workflow gets the right to ask.
pub(super) fn token(asking: &Asking, how: &str) -> Result<Token, String> {
    let (Some(address), Some(pass)) = (asking.env.get(ADDRESS), asking.env.get(PASS)) else {
        return Err(why_not(asking, how));
    };
    // Not repeated: nobody can say what stands in it.
    let mut url = Url::parse(address).map_err(|_| format!("`{ADDRESS}` is no address"))?;
    url.query_pairs_mut().append_pair("audience", asking.audience);
    let bearer = Secret::new(format!("bearer {pass}"));
    let headers = [(AUTHORIZATION, Header::Secret(&bearer)), (ACCEPT, Header::Plain("application/json"))];
    // A redirect would be a place that the runner did not name.
    let limits = Limits { body: LONGEST + 1024, redirects: 0, ..Limits::default() };
    let answer = asking.http.get(url.as_str(), &headers, limits);
    let answer = answer.map_err(|e| format!("the token was asked for and did not come: {e}"))?;
    if answer.status != 200 {
        return Err(format!("the token was asked for and refused with status {}", answer.status));
    }
    #[derive(Deserialize)]
    struct Answer {
        value: String,
    }
    let answer: Answer = serde_json::from_slice(&answer.body)
        .map_err(|_| "the token was asked for, and what was answered is none".to_owned())?;
    Ok(Token { binding: Binding::Audience, ..fixed(&answer.value)? })
}

/// A fork's pull request gets none whatever the workflow says (GitHub docs, "Events that trigger workflows": `pull_request`).
fn why_not(asking: &Asking, how: &str) -> String {
    let fork = |c: &Change| c.pull_request.as_ref().is_some_and(|p| p.from_fork == Some(true));
    if asking.record.run.event.as_deref() == Some("pull_request") && asking.record.changes.iter().any(fork) {
        return "a pull request from a fork gets no identity token, whatever the workflow says".to_owned();
    }
    format!("the job may not ask for an identity token: {how}")
}
