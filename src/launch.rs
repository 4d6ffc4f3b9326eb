//! A command that is started with this process's own streams and waited for. The one part of the program that is about
//! processes and signals; the library asks for it through `World`.

use std::io;
use std::process::Command;
use vouchsafe::{Ended, Launch};

/// Starts the command and waits for its end. It has our terminal, our streams, our process group.
pub(crate) fn launch(wanted: &Launch) -> io::Result<Ended> {
    let mut command = Command::new(&wanted.program);
    command.args(&wanted.args);
    match run(command, wanted) {
        // A script without a first line that names its shell: execvp(3) and every shell then take sh.
        Err(e) if cfg!(unix) && e.raw_os_error() == Some(8) => {
            let mut command = Command::new("sh");
            command.arg(&wanted.program).args(&wanted.args);
            run(command, wanted)
        }
        ended => ended,
    }
}

fn prepared(mut command: Command, wanted: &Launch) -> Command {
    for name in &wanted.without {
        command.env_remove(name);
    }
    command.envs(wanted.with.iter().map(|(name, value)| (name, value)));
    command
}

#[cfg(unix)]
fn run(command: Command, wanted: &Launch) -> io::Result<Ended> {
    use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
    use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
    use signal_hook::iterator::SignalsInfo;
    use signal_hook::iterator::exfiltrator::WithOrigin;
    use signal_hook::low_level::siginfo::Cause;
    use std::os::unix::process::ExitStatusExt as _;
    use std::sync::{Arc, Mutex, PoisonError};

    // Before the child is there, so that none is missed; from here on no signal ends us before the record is made.
    let all = [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2];
    let mut signals = SignalsInfo::<WithOrigin>::new(all)?;
    let handle = signals.handle();
    let mut child = prepared(command, wanted).spawn()?;
    let pid =
        i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or_else(|| io::Error::other("no such child"))?;
    let stopped = Arc::new(Mutex::new((false, None)));
    let shared = Arc::clone(&stopped);
    let forwarding = std::thread::spawn(move || {
        for info in signals.forever() {
            let mut state = shared.lock().unwrap_or_else(PoisonError::into_inner);
            let (gone, by) = &mut *state;
            if ![SIGUSR1, SIGUSR2].contains(&info.signal) {
                by.get_or_insert(info.signal);
            }
            // A key pressed at the terminal reaches the whole process group: the child has it already.
            let typed = matches!(info.cause, Cause::Kernel) && info.signal != SIGHUP;
            if let (false, false, Some(signal)) = (*gone, typed, Signal::from_named_raw(info.signal)) {
                // it may have ended by itself just now
                let _ = kill_process(pid, signal);
            }
        }
    });
    // Waits without taking the child's number away, so that no signal can go to a stranger with the same one.
    while let Err(e) = waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT) {
        if e.kind() != io::ErrorKind::Interrupted {
            break;
        }
    }
    let by = {
        let mut state = stopped.lock().unwrap_or_else(PoisonError::into_inner);
        state.0 = true;
        state.1
    };
    let status = child.wait()?;
    // The handlers stay and do nothing: the record is made in peace.
    handle.close();
    let _ = forwarding.join();
    Ok(Ended { code: status.code(), signal: status.signal(), stopped_by: by })
}

#[cfg(not(unix))]
fn run(command: Command, wanted: &Launch) -> io::Result<Ended> {
    // Ctrl-C goes to every process of the console: the child decides, and we stay to record what it did.
    let noted = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    signal_hook::flag::register(signal_hook::consts::SIGINT, std::sync::Arc::clone(&noted))?;
    let status = prepared(command, wanted).spawn()?.wait()?;
    let stopped = noted.load(std::sync::atomic::Ordering::Relaxed);
    Ok(Ended { code: status.code(), signal: None, stopped_by: stopped.then_some(signal_hook::consts::SIGINT) })
}
