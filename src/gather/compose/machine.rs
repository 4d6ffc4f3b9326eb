//! Where it ran: variables, runner, and the person at a terminal.

use super::joining::Joining;
use crate::gather::platform::{Env, Platform, PlatformFacts};
use crate::gather::{git, variables};
use crate::record::parts_v1::How;
use crate::record::run_v1::{Manual, Runner};
use std::collections::BTreeMap;

pub(super) fn kept_variables(j: &mut Joining, env: &Env, platform: &Platform) -> BTreeMap<String, String> {
    let variables = variables::collect(env, platform, &j.ask.variables);
    let mut missing = Vec::new();
    for (name, why) in variables.refused {
        missing.push(format!("variable {name} was left out: {why}"));
    }
    for name in variables.missing {
        missing.push(format!("variable {name} is not set"));
    }
    j.warnings.extend(missing.iter().cloned());
    j.section("variables", missing, false);
    for name in variables.kept.keys() {
        j.learned(&format!("variables.{name}"), How::CiEnvironment, name);
    }
    variables.kept
}

pub(super) fn runner(j: &mut Joining, facts: &PlatformFacts) -> Option<Runner> {
    let mut runner = facts.runner.clone().unwrap_or_default();
    if runner.os.is_none() {
        runner.os = Some(std::env::consts::OS.to_owned());
        j.learned("runner.os", How::OsUser, "this binary");
    }
    if runner.arch.is_none() {
        runner.arch = Some(std::env::consts::ARCH.to_owned());
        j.learned("runner.arch", How::OsUser, "this binary");
    }
    if runner.name.is_none() && j.ask.host.is_some() {
        runner.name = j.ask.host.clone();
        j.learned("runner.name", How::OsUser, "host name");
    }
    j.section("runner", Vec::new(), false);
    Some(runner)
}

/// What was done by hand: always where no platform runs us, and wherever `run` ran something. In a pipeline a reason alone is
/// kept as what it is, somebody's word about the run.
pub(super) fn manual(j: &mut Joining, env: &Env, platform: &Platform) -> Option<Manual> {
    if !platform.is_manual() && j.ask.manual.is_none() {
        let reason = j.ask.reason.clone()?;
        j.told("manual.reason", "reason");
        return Some(Manual { reason: Some(reason), ..Manual::default() });
    }
    let mut manual = j.ask.manual.clone().unwrap_or_default();
    if !manual.command.is_empty() {
        j.learned("manual.command", How::Flag, "the words after `--`");
        let ended = "the operating system's word on the command";
        let facts = [
            ("manual.exitCode", manual.exit_code.is_some()),
            ("manual.signal", manual.signal.is_some()),
            ("manual.notStarted", manual.not_started.is_some()),
        ];
        for (fact, _) in facts.iter().filter(|(_, known)| *known) {
            j.learned(fact, How::OsUser, ended);
        }
    }
    manual.tty = Some(j.ask.tty);
    j.learned("manual.tty", How::OsUser, "standard error");
    manual.host = j.ask.host.clone();
    if manual.host.is_some() {
        j.learned("manual.host", How::OsUser, "host name");
    }
    manual.os_user = j.ask.user.clone();
    if manual.os_user.is_some() {
        j.learned("manual.osUser", How::OsUser, "operating system");
    }
    manual.git_user = git::user(&j.ask.dir, env);
    if manual.git_user.is_some() {
        j.learned("manual.gitUser", How::Git, "user.name, user.email");
    }
    manual.reason = j.ask.reason.clone();
    let missing = match &manual.reason {
        Some(_) => Vec::new(),
        None => vec!["nobody told why this was done by hand; say --reason".to_owned()],
    };
    if manual.reason.is_some() {
        j.told("manual.reason", "reason");
    }
    j.section("manual", missing, false);
    Some(manual)
}
