//! Accounts as GitLab shows them: people, machines, and what is left of deleted ones.

use crate::record::parts_v1::Actor;
use serde::Deserialize;

/// The name under which GitLab keeps what deleted accounts left (GitLab docs, "Deleting a user account").
const GHOST: &str = "ghost";

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct User {
    pub id: Option<u64>,
    pub username: Option<String>,
    pub name: Option<String>,
    pub bot: Option<bool>,
}

impl User {
    /// Who it is; nobody who can be named where the account is gone.
    pub(super) fn actor(&self) -> Actor {
        if self.is_ghost() {
            return Actor::default();
        }
        let some = |text: &Option<String>| text.clone().filter(|t| !t.is_empty());
        Actor { id: self.id.map(|id| id.to_string()), login: some(&self.username), name: some(&self.name) }
    }

    /// Who it is, if it is anybody.
    pub(super) fn known(&self) -> Option<Actor> {
        Some(self.actor()).filter(|actor| *actor != Actor::default())
    }

    pub(super) fn is_ghost(&self) -> bool {
        // `ghost1` is the one of an instance on which somebody was called `ghost` already
        let rest = self.username.as_deref().and_then(|name| name.strip_prefix(GHOST));
        rest.is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit())) && self.name.as_deref() == Some("Ghost User")
            || self.username.as_deref() == Some(GHOST)
    }

    /// Whether it is a machine account: as told, else by the names that GitLab gives to the accounts of access tokens and services
    /// (GitLab docs, "Internal users", "Service accounts"). Whoever named a machine like a person is not seen.
    pub(super) fn is_bot(&self) -> Option<bool> {
        self.bot.or_else(|| self.username.as_deref().map(is_bot_name).filter(|bot| *bot))
    }
}

fn is_bot_name(name: &str) -> bool {
    let of_token = |prefix: &str| {
        let rest = name.strip_prefix(prefix).unwrap_or_default();
        let after = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        // `_bot`, `_bot2` of old, `_bot_<random>` of today
        let last = after.strip_prefix("_bot").map(|last| last.trim_start_matches(|c: char| c.is_ascii_digit()));
        after.len() < rest.len() && last.is_some_and(|last| last.is_empty() || last.starts_with('_'))
    };
    let service = name.starts_with("service_account_");
    let own = ["GitLabDuo", "support-bot", "alert-bot", "gitlab-security-bot", "gitlab-bot", "GitLab-Admin-Bot"];
    of_token("project_") || of_token("group_") || service || own.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machines_and_accounts_that_are_gone_are_known_by_their_names() {
        let user = |name: &str| User { id: Some(1), username: Some(name.into()), ..User::default() };
        let bots =
            ["project_7_bot", "project_7_bot_0a1b", "group_12_bot_ff", "project_7_bot1", "service_account_group_1_x"];
        for name in bots {
            assert_eq!(user(name).is_bot(), Some(true), "{name}");
        }
        for name in ["project_bot", "project_x_bot", "roberta", "bot", "project_7_botanist", "ghost"] {
            assert_eq!(user(name).is_bot(), None, "{name}: may still be a machine");
        }
        assert_eq!(User { bot: Some(false), ..user("project_7_bot") }.is_bot(), Some(false), "what is told counts");
        assert_eq!(user("ghost").actor(), Actor::default());
        assert_ne!(user("ghostwriter").actor(), Actor::default());
        assert_ne!(user("ghost1").actor(), Actor::default(), "unless it is called Ghost User");
    }
}
