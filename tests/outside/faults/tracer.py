"""Runs a program and counts, over all of its threads, the system calls that change something on the disk or that are heard
by somebody. At the n-th of them it kills the program, or lets that one call fail.

strace can do both (`inject=…:when=N`), but it counts for each thread by itself, so that of two threads' first writes only one
could ever be hit. Linux on x86-64.
"""

import ctypes
import errno
import os
import platform
import signal

TRACEME, PEEKUSER, POKEUSER, CONT, SYSCALL, SETOPTIONS, GET_SYSCALL_INFO = 0, 3, 6, 7, 24, 0x4200, 0x420E
SYSGOOD, FORK, VFORK, CLONE, EXEC, EXITKILL = 0x1, 0x2, 0x4, 0x8, 0x10, 0x100000
WALL = 0x40000000
RAX, ORIG_RAX = 10 * 8, 15 * 8
O_CREAT = 0o100

CALLS = {
    1: "write", 18: "pwrite64", 20: "writev", 74: "fsync", 75: "fdatasync", 76: "truncate", 77: "ftruncate", 73: "flock",
    2: "open", 257: "openat", 85: "creat", 82: "rename", 264: "renameat", 316: "renameat2", 83: "mkdir", 258: "mkdirat",
    84: "rmdir", 86: "link", 265: "linkat", 87: "unlink", 263: "unlinkat", 90: "chmod", 91: "fchmod", 268: "fchmodat",
    44: "sendto", 46: "sendmsg",
}
# What makes sense for which call; a call that is not here cannot fail in this way.
ERRORS = {
    "write": errno.ENOSPC, "pwrite64": errno.ENOSPC, "writev": errno.ENOSPC, "fsync": errno.EIO, "fdatasync": errno.EIO,
    "open": errno.ENOSPC, "openat": errno.ENOSPC, "mkdir": errno.ENOSPC, "mkdirat": errno.ENOSPC, "link": errno.ENOSPC,
    "linkat": errno.ENOSPC, "rename": errno.ENOSPC, "renameat": errno.ENOSPC, "renameat2": errno.ENOSPC,
    "unlink": errno.EIO, "unlinkat": errno.EIO, "flock": errno.ENOLCK, "ftruncate": errno.EIO,
}

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long


class Info(ctypes.Structure):
    """`struct ptrace_syscall_info` (ptrace(2)), as far as it is used."""

    _fields_ = [("op", ctypes.c_uint8), ("pad", ctypes.c_uint8 * 3), ("arch", ctypes.c_uint32), ("at", ctypes.c_uint64),
                ("stack", ctypes.c_uint64), ("nr", ctypes.c_uint64), ("args", ctypes.c_uint64 * 6), ("more", ctypes.c_uint64)]


def ptrace(request, pid, place=0, data=0):
    done = libc.ptrace(request, pid, place, data)
    if done == -1 and (number := ctypes.get_errno()):
        raise OSError(number, os.strerror(number))
    return done


def counts(pid, info, stdio):
    """The name of a call that counts; None for any other."""
    name = CALLS.get(info.nr)
    if name in ("open", "openat"):
        return name if info.args[1 if name == "open" else 2] & O_CREAT else None
    if name in ("write", "writev", "pwrite64", "ftruncate"):
        try:
            target = os.readlink(f"/proc/{pid}/fd/{info.args[0]}")
        except OSError:
            return None
        # Wake-ups between its own threads change nothing.
        return name if target.startswith("/") or info.args[0] in stdio else None
    if name in ("sendto", "sendmsg"):
        return None
    return name


def trace(words, env, cwd, out, err, kill_at=None, fail_at=None):
    """Exit code (None: it was killed, here or by itself) and the names of the calls that counted, in their order."""
    assert platform.machine() == "x86_64", "this tracer knows x86-64 only"
    leader = os.fork()
    if leader == 0:
        try:
            os.chdir(cwd)
            os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
            os.dup2(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 1)
            os.dup2(os.open(err, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
            libc.ptrace(TRACEME, 0, 0, 0)
            os.kill(os.getpid(), signal.SIGSTOP)
            os.execve(words[0], words, env)
        finally:
            os._exit(127)
    os.waitpid(leader, WALL)
    ptrace(SETOPTIONS, leader, 0, SYSGOOD | FORK | VFORK | CLONE | EXEC | EXITKILL)
    ptrace(SYSCALL, leader)
    seen, failing, started, info = [], {}, False, Info()
    while True:
        pid, status = os.waitpid(-1, WALL)
        if os.WIFEXITED(status) or os.WIFSIGNALED(status):
            if pid == leader:
                return (os.WEXITSTATUS(status) if os.WIFEXITED(status) else None), seen
            continue
        stop, pass_on = os.WSTOPSIG(status), 0
        try:
            if stop == signal.SIGTRAP | 0x80:
                ptrace(GET_SYSCALL_INFO, pid, ctypes.sizeof(info), ctypes.addressof(info))
                if info.op == 2 and pid in failing:
                    ptrace(POKEUSER, pid, RAX, -failing.pop(pid) % 2**64)
                elif info.op == 1 and started and (name := counts(pid, info, (1, 2))):
                    seen.append(name)
                    if len(seen) == kill_at:
                        ptrace(POKEUSER, pid, ORIG_RAX, 2**64 - 1)  # not even this one is done
                        os.kill(leader, signal.SIGKILL)
                        continue
                    if len(seen) == fail_at and name in ERRORS:
                        ptrace(POKEUSER, pid, ORIG_RAX, 2**64 - 1)
                        failing[pid] = ERRORS[name]
            elif stop == signal.SIGTRAP:
                started = True  # its exec, or a new thread
            elif stop not in (signal.SIGSTOP,):
                pass_on = stop
            ptrace(SYSCALL, pid, 0, pass_on)
        except ProcessLookupError:
            pass  # it was killed under our hands
