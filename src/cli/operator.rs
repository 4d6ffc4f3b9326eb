//! Who answers for a run, by a token of a single sign-on. A token that says nothing stops nobody: the record says why it did not
//! count.

use super::about::AboutArgs;
use super::world::World;
use crate::record::parts_v1::{How, Operator};
use crate::seal::token::{self, Claims, TokenError};
use std::path::Path;

/// What came of the token.
#[derive(Clone, Default)]
pub(super) struct FromToken {
    /// Who it names.
    pub(super) operator: Option<Operator>,
    /// What keeps it from being more than a claim, for people and for the record.
    pub(super) lacks: Option<String>,
}

/// Asks the token of `--operator-token`, against the keys of `--operator-jwks`, whether it is valid now.
pub(super) fn from_token(world: &World, args: &AboutArgs) -> FromToken {
    asked(world, args.operator_token.as_deref(), args.operator_jwks.as_deref())
}

/// The same for who has only these two.
pub(super) fn asked(world: &World, token: Option<&str>, keys: Option<&Path>) -> FromToken {
    let Some(told) = token else { return FromToken::default() };
    match ask(world, told, keys) {
        Ok((claims, checked)) => {
            let how = if checked { How::Oidc } else { How::Flag };
            let operator = name(&claims, how);
            let lacks = match (&operator, checked) {
                (None, _) => Some("the token of --operator-token names nobody".to_owned()),
                (Some(_), true) => None,
                (Some(_), false) => Some(
                    "the signature of --operator-token was not checked: say --operator-jwks with the issuer's keys"
                        .to_owned(),
                ),
            };
            FromToken { operator, lacks }
        }
        Err(why) => FromToken { operator: None, lacks: Some(format!("--operator-token does not count: {why}")) },
    }
}

/// The claims, and whether a signature stands behind them.
fn ask(world: &World, told: &str, keys: Option<&Path>) -> Result<(Claims, bool), String> {
    // Neither is named: what was said for a file may be an opaque token, and this text is signed and kept for years.
    let read = |what: &str, file: &std::path::Path| {
        std::fs::read_to_string(world.at(file)).map_err(|e| format!("could not read the file of {what}: {e}"))
    };
    // A token begins with `{"` in base64; a file is not called so.
    let text = if told.starts_with("eyJ") { told.to_owned() } else { read("the token", told.as_ref())? };
    let say = |e: TokenError| e.to_string();
    let claims = match keys {
        Some(file) => (token::verify(text.trim(), &read("the keys", file)?).map_err(say)?, true),
        None => (token::peek_unverified(text.trim()).map_err(say)?, false),
    };
    claims.0.valid_at((world.now)()).map_err(say)?;
    Ok(claims)
}

/// The person: issuer and subject, which stay, and the names of the moment. Mail addresses are left out, unless they are the
/// name by which the issuer logs people in (OpenID Connect Core 1.0, 5.1).
fn name(claims: &Claims, how: How) -> Option<Operator> {
    let subject = claims.text("sub");
    let id = subject.map(|sub| claims.text("iss").map_or_else(|| sub.to_owned(), |iss| format!("{iss}#{sub}")));
    let login = ["preferred_username", "upn", "login", "user_login", "nickname"].iter().find_map(|c| claims.text(c));
    if id.is_none() && login.is_none() {
        return None;
    }
    let login = login.or(subject).map(str::to_owned);
    Some(Operator { id, login, name: claims.text("name").map(str::to_owned), how, on_behalf_of: None })
}
