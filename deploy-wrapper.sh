# shellcheck shell=sh
# deploy-wrapper.sh: makes an existing deploy script leave a record. Two lines at its top, before it does anything:
#
#   export VOUCHSAFE_ENVIRONMENT=production
#   . "$(dirname "$0")/deploy-wrapper.sh"
#
# It runs the script once more, from its first line, under `vouchsafe run`: same shell and options, same arguments, same
# terminal, same exit code. Every flag of `vouchsafe run` has its variable: VOUCHSAFE_REASON, VOUCHSAFE_TICKET,
# VOUCHSAFE_VAULT, VOUCHSAFE_SIGNING_KEY ... (exported, as above). A script that is called by a recorded one belongs to
# the record of its caller.
#
#   VOUCHSAFE_BIN       the program, where it is not in the PATH; named, nothing else is taken
#   VOUCHSAFE_REQUIRED  1: without vouchsafe there is no deployment (exit 125). Otherwise the script goes on without a
#                       record, and says so.
#
# POSIX sh; tried with dash, bash, busybox, ksh93, mksh, yash and zsh (tests/outside/wrapper). Names begin with
# `vouchsafe_`, because this is read into the script.

vouchsafe_without() {
  printf '%s\n' "deploy-wrapper.sh: $1" >&2
  case ${VOUCHSAFE_REQUIRED-} in
    '' | 0 | no | false)
      printf '%s\n' "deploy-wrapper.sh: THIS DEPLOYMENT LEAVES NO RECORD (VOUCHSAFE_REQUIRED=1 would refuse it)" >&2
      ;;
    *)
      printf '%s\n' "deploy-wrapper.sh: refused, because VOUCHSAFE_REQUIRED is set; nothing was deployed" >&2
      exit 125
      ;;
  esac
}

# The shell that runs this script: its own word for it, the kernel's, or that of ps. A script that was started as
# `bash deploy.sh` may say #!/bin/sh, so its first line does not tell.
vouchsafe_shell() {
  if [ -n "${BASH-}" ]; then
    printf '%s\n' "$BASH"
  else
    readlink "/proc/$$/exe" 2>/dev/null || ps -p "$$" -o comm= | sed 's/^-//'
  fi
}

vouchsafe_again() {
  vouchsafe_script=$1
  shift
  case $vouchsafe_script in */*) ;; *) vouchsafe_script=./$vouchsafe_script ;; esac
  # what may have been said on the command line or in the first line, like `sh -e`
  vouchsafe_options=
  for vouchsafe_option in a e f u x C; do
    case $- in *"$vouchsafe_option"*) vouchsafe_options=$vouchsafe_options$vouchsafe_option ;; esac
  done
  set -- "$vouchsafe_script" "$@"
  # shellcheck disable=SC2234,SC3062 # some shells have `[ -o`, the others a list, dash neither
  if ([ -o pipefail ]) 2>/dev/null || set -o | grep '^pipefail[[:space:]]*on' >/dev/null; then set -- -o pipefail "$@"; fi
  if [ -n "$vouchsafe_options" ]; then set -- "-$vouchsafe_options" "$@"; fi
  case ${vouchsafe_interpreter##*/} in
    busybox*) set -- "$vouchsafe_interpreter" sh "$@" ;;
    *) set -- "$vouchsafe_interpreter" "$@" ;;
  esac
  # This process becomes the one that records, so the script, when it comes here again, can ask whether that still lives:
  # what something that outlives a deployment (tmux, a daemon) has inherited switches nothing off.
  VOUCHSAFE_WRAPPER_PID=$$
  export VOUCHSAFE_WRAPPER_PID
  exec "$vouchsafe_bin" run -- "$@"
}

# Is somebody recording already? `vouchsafe run` tells the command by VOUCHSAFE_WRAPPED.
vouchsafe_recorded() {
  case ${VOUCHSAFE_WRAPPER_PID-} in
    '' | *[!0-9]*) [ -n "${VOUCHSAFE_WRAPPED-}" ] ;;
    *) kill -0 "$VOUCHSAFE_WRAPPER_PID" 2>/dev/null ;;
  esac
}

vouchsafe_wrap() {
  if vouchsafe_recorded; then return 0; fi
  vouchsafe_bin=${VOUCHSAFE_BIN:-vouchsafe}
  if ! command -v "$vouchsafe_bin" >/dev/null 2>&1; then
    vouchsafe_without "there is no \`$vouchsafe_bin\` (VOUCHSAFE_BIN may name the program)"
  elif ! "$vouchsafe_bin" run --help </dev/null >/dev/null 2>&1; then
    vouchsafe_without "\`$vouchsafe_bin run\` does not work: too old, or not for this machine"
  elif ! [ -f "$1" ]; then
    vouchsafe_without "\`$1\` is not the script's file, so it cannot be run again under vouchsafe"
  elif ! vouchsafe_interpreter=$(vouchsafe_shell) || [ -z "$vouchsafe_interpreter" ]; then
    vouchsafe_without "cannot tell which shell runs \`$1\`"
  else
    if [ -n "${VOUCHSAFE_ENVIRONMENT-}" ]; then export VOUCHSAFE_ENVIRONMENT; fi
    vouchsafe_again "$@"
  fi
}

# zsh names the sourced file in $0, and the script here
vouchsafe_wrap "${ZSH_ARGZERO-$0}" "$@"
unset -f vouchsafe_without vouchsafe_shell vouchsafe_again vouchsafe_recorded vouchsafe_wrap
