//! Who git would name as the author of a commit on this machine.

use super::open;
use crate::gather::platform::Env;
use crate::record::run_v1::GitUser;
use git2::{Config, ConfigLevel};
use std::path::{Path, PathBuf};

/// `GIT_AUTHOR_NAME` and `GIT_AUTHOR_EMAIL`, else `user.name` and `user.email` of the repository and of the user
/// (git-config(1), FILES). The files are named here and not found by libgit2, which would ask the process for them.
pub(crate) fn user(dir: &Path, env: &Env) -> Option<GitUser> {
    let config = config(dir, env);
    let of = |variable: &str, key: &str| {
        let told = env.get(variable).map(str::to_owned);
        told.or_else(|| config.as_ref()?.get_string(key).ok()).filter(|v| !v.trim().is_empty() && v.len() <= 1024)
    };
    let user = GitUser { name: of("GIT_AUTHOR_NAME", "user.name"), email: of("GIT_AUTHOR_EMAIL", "user.email") };
    (user != GitUser::default()).then_some(user)
}

fn config(dir: &Path, env: &Env) -> Option<Config> {
    // also sets libgit2 up before its first use
    let repository = open::open(dir).ok().flatten();
    let mut config = Config::new().ok()?;
    let home = env.get("HOME").map(PathBuf::from);
    let xdg = env.get("XDG_CONFIG_HOME").map(PathBuf::from).or_else(|| home.as_ref().map(|h| h.join(".config")));
    let files = [
        (xdg.map(|folder| folder.join("git/config")), ConfigLevel::XDG),
        (home.map(|folder| folder.join(".gitconfig")), ConfigLevel::Global),
        (repository.map(|r| r.commondir().join("config")), ConfigLevel::Local),
    ];
    for (file, level) in files {
        if let Some(file) = file.filter(|f| f.is_file()) {
            // one that cannot be read says nothing
            let _ = config.add_file(&file, level, false);
        }
    }
    Some(config)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn the_nearest_word_counts() {
        let stage = tempfile::tempdir().unwrap();
        let home = stage.path().join("home");
        fs::create_dir_all(home.join(".config/git")).unwrap();
        let env = |more: &[(&str, &str)]| {
            let home = ("HOME".to_owned(), home.display().to_string());
            let more = more.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
            Env::new(std::iter::once(home).chain(more).collect())
        };
        let name = |dir: &Path, env: &Env| user(dir, env).and_then(|u| u.name);
        assert_eq!(user(stage.path(), &env(&[])), None);
        fs::write(home.join(".config/git/config"), "[user]\nname = Xdg\nemail = x@example.test\n").unwrap();
        assert_eq!(name(stage.path(), &env(&[])).as_deref(), Some("Xdg"));
        fs::write(home.join(".gitconfig"), "[user]\nname = Ada\n").unwrap();
        let both = user(stage.path(), &env(&[])).unwrap();
        assert_eq!((both.name.as_deref(), both.email.as_deref()), (Some("Ada"), Some("x@example.test")));
        let repository = stage.path().join("repository");
        git2::Repository::init(&repository).unwrap();
        assert_eq!(name(&repository, &env(&[])).as_deref(), Some("Ada"));
        fs::write(repository.join(".git/config"), "[core]\nbare = false\n[user]\nname = Grace\n").unwrap();
        assert_eq!(name(&repository, &env(&[])).as_deref(), Some("Grace"));
        let told = env(&[("GIT_AUTHOR_NAME", "Told"), ("GIT_AUTHOR_EMAIL", " ")]);
        assert_eq!(name(&repository, &told).as_deref(), Some("Told"));
        fs::write(home.join(".gitconfig"), "[user\nname").unwrap();
        assert_eq!(name(stage.path(), &env(&[])).as_deref(), Some("Xdg"), "a broken file says nothing");
    }
}
