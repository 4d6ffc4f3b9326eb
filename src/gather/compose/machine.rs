//! Where it ran: variables, runner, and the person at a terminal.

use super::joining::Joining;
use crate::gather::platform::{Env, Platform, PlatformFacts};
use crate::gather::variables;
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

pub(super) fn manual(j: &mut Joining, platform: &Platform) -> Option<Manual> {
    if !platform.is_manual() {
        return None;
    }
    j.learned("manual.tty", How::OsUser, "standard error");
    if j.ask.host.is_some() {
        j.learned("manual.host", How::OsUser, "host name");
    }
    if j.ask.reason.is_some() {
        j.told("manual.reason", "reason");
    }
    Some(Manual {
        command: Vec::new(),
        exit_code: None,
        signal: None,
        not_started: None,
        os_user: None,
        git_user: None,
        host: j.ask.host.clone(),
        tty: Some(j.ask.tty),
        reason: j.ask.reason.clone(),
    })
}
