# shellcheck shell=sh
# guard.sh: sourced first by the action's scripts. An earlier step of the job may have put anything into the environment.
#
# `shell:` in action.yml has removed ENV, BASH_ENV and the like already. What is left is functions: where /bin/sh is bash
# (macOS, Red Hat), it takes them from variables called BASH_FUNC_name%%, and one of them could stand for any command below.
# They are forgotten, not refused: Red Hat's own profile exports one for `which`. Until that is done nothing is called but
# special builtins, for which no function stands in a shell called sh (POSIX, 2.9.1.4), and a command by its path.

case ${BASH_VERSION:-} in
?*)
  # Apple's bash calls them __BASH_FUNC<name>()
  for function in $(/usr/bin/env awk 'BEGIN {
    for (name in ENVIRON) {
      if (sub(/^_*BASH_FUNC[_<]/, "", name) && sub(/(%%|>?\(\))$/, "", name) && name ~ /^[A-Za-z0-9_]+$/) print name
    }
  }'); do
    unset -f "$function"
  done
  ;;
esac

# data TEXT: TEXT as the data of a workflow command (GitHub docs, "Workflow commands": % CR LF are escaped).
data() {
  printf '%s' "$1" | LC_ALL=C sed -e 's/%/%25/g' -e "s/$(printf '\r')/%0D/g" | LC_ALL=C awk '{ printf "%s%s", (NR > 1 ? "%0A" : ""), $0 }'
}

notice() { printf '::notice title=vouchsafe::%s\n' "$(data "$1")"; }
die() {
  printf '::error title=vouchsafe::%s\n' "$(data "$1")"
  exit "${2:-1}"
}
