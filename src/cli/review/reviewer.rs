//! Who reviews: by flag, by token, by the CI run, by the machine.

use super::Args;
use crate::cli::exit::Failure;
use crate::cli::made::Made;
use crate::cli::operator;
use crate::cli::world::World;
use crate::record::parts_v1::{How, Operator};

/// Who reviews.
pub(super) struct Reviewer {
    pub(super) who: Operator,
    /// What told it.
    pub(super) source: String,
    /// What keeps it from being more than a claim.
    pub(super) lacks: Vec<String>,
}

/// The first of flag, token, CI user and user of this machine.
pub(super) fn reviewer(world: &World, args: &Args, made: &Made) -> Result<Reviewer, Failure> {
    if args.reviewer.is_some() && args.operator_token.is_some() {
        return Err(Failure::usage(
            "--reviewer and --operator-token both name who reviews",
            "the token names the person; leave out --reviewer",
        ));
    }
    let plain =
        |login: &str, how| Operator { id: None, login: Some(login.to_owned()), name: None, how, on_behalf_of: None };
    if let Some(login) = args.reviewer.as_deref().map(str::trim) {
        if login.is_empty() {
            return Err(Failure::usage("--reviewer is empty", "say who reviews it"));
        }
        let lacks = vec![
            "who reviewed is told by a flag; a token of a single sign-on (--operator-token) would show it".to_owned(),
        ];
        return Ok(Reviewer { who: plain(login, How::Flag), source: "--reviewer".to_owned(), lacks });
    }
    let token = operator::asked(world, args.operator_token.as_deref(), args.operator_jwks.as_deref());
    let lacks: Vec<String> = token.lacks.into_iter().collect();
    if args.operator_token.is_some() {
        // A token that was given is who the person says they are; nobody else stands in for it.
        let why = || lacks.first().cloned().unwrap_or_default();
        let who = token
            .operator
            .ok_or_else(|| Failure::failed(anyhow::anyhow!("{}", why()), "get a new token, or say --reviewer"))?;
        return Ok(Reviewer { who, source: "--operator-token".to_owned(), lacks });
    }
    if let Some(who) = made.facts.operator.clone() {
        let told = made.facts.provenance.iter().find(|p| p.fact.starts_with("operator."));
        let source = told.and_then(|p| p.source.clone()).unwrap_or_else(|| made.platform.to_owned());
        return Ok(Reviewer { who, source, lacks });
    }
    match &world.user {
        Some(user) if made.run.is_none() => {
            let lacks = vec![
                "who reviewed is the user of the machine; a token of a single sign-on (--operator-token) would show it"
                    .to_owned(),
            ];
            Ok(Reviewer { who: plain(user, How::OsUser), source: "operating system".to_owned(), lacks })
        }
        _ => Err(Failure::failed(
            anyhow::anyhow!("nobody named who reviews it"),
            "say --reviewer LOGIN, or --operator-token with a token of your single sign-on",
        )),
    }
}
