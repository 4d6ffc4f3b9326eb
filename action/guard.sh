# shellcheck shell=sh
# guard.sh: sourced first by the action's scripts. An earlier step of the job may have put anything into the environment.
#
# `shell:` in action.yml has removed ENV, BASH_ENV and the like already. What is left is functions: where /bin/sh is bash
# (macOS, Red Hat), it takes them from variables called BASH_FUNC_name%%, and one of them could stand for any command below.
# A value that only looks like one is no reason to refuse, so names are asked for, and commands are called by a path or
# through `env`, where no function can stand.

if [ -n "${BASH_VERSION:-}" ] && ! /usr/bin/env awk 'BEGIN { for (name in ENVIRON) if (name ~ /^BASH_FUNC_/) exit 1 }'; then
  /usr/bin/env printf '::error title=vouchsafe::an earlier step exported shell functions (BASH_FUNC_…) into this one: remove them, or run vouchsafe in a job of its own\n'
  exit 1
fi

# data TEXT: TEXT as the data of a workflow command (GitHub docs, "Workflow commands": % CR LF are escaped).
data() {
  printf '%s' "$1" | LC_ALL=C sed -e 's/%/%25/g' -e "s/$(printf '\r')/%0D/g" | LC_ALL=C awk '{ printf "%s%s", (NR > 1 ? "%0A" : ""), $0 }'
}

notice() { printf '::notice title=vouchsafe::%s\n' "$(data "$1")"; }
die() {
  printf '::error title=vouchsafe::%s\n' "$(data "$1")"
  exit "${2:-1}"
}
