# shellcheck shell=sh
# program.sh: finds or makes the program, and writes `path` to $GITHUB_OUTPUT. Sourced by `sh -eu`; no secret is in sight.
#
# A release archive is used only if action/checksums.txt, which is part of the action and covered by the commit that the
# workflow pins, has its sha256; the file is checked each time before it is unpacked, from the tool cache, too. Without a
# row for this version and machine, the action's own source is built.

. "$GITHUB_ACTION_PATH/action/guard.sh"

temp=${RUNNER_TEMP:-${TMPDIR:-/tmp}}
cache=${RUNNER_TOOL_CACHE:-$temp}/vouchsafe
work=$(mktemp -d "$temp/vouchsafe-program.XXXXXX")

sum() {
  if command -v sha256sum >/dev/null; then sha256sum <"$1"; else shasum -a 256 <"$1"; fi | cut -d ' ' -f 1
}

own=$(sed -n 's/^version = "\([^"]*\)"$/\1/p' "$GITHUB_ACTION_PATH/Cargo.toml" | head -n 1)
version=${INPUT_VERSION:-$own}
version=${version#v}
case $version in
  '' | *[!0-9A-Za-z.+-]*) die "version \`$version\` is none: say it as in action/checksums.txt, or leave it out" 2 ;;
esac

system=${RUNNER_OS:-$(uname -s)}
machine=${RUNNER_ARCH:-$(uname -m)}
case $system in
  Linux) system=unknown-linux-musl ;;
  macOS | Darwin) system=apple-darwin ;;
esac
case $machine in
  X64 | x86_64 | amd64) machine=x86_64 ;;
  ARM64 | aarch64 | arm64) machine=aarch64 ;;
esac
archive=vouchsafe-$version-$machine-$system.tar.gz

wanted=
while read -r digest name _; do
  if [ "$name" = "$archive" ]; then wanted=$digest; fi
done <"$GITHUB_ACTION_PATH/action/checksums.txt"

# Where the action came from: the folder …/_actions/OWNER/NAME/REF is the runner's own doing. What github.action_repository
# says is wrong for an action inside an action (actions/runner#2473), so it is asked second.
case $GITHUB_ACTION_PATH in
  */_actions/*/*/*) repository=$(printf '%s' "${GITHUB_ACTION_PATH##*/_actions/}" | cut -d / -f 1-2) ;;
  *) repository=${ACTION_REPOSITORY:-vouchsafe/vouchsafe} ;;
esac
server=${GITHUB_SERVER_URL:-https://github.com}

# get URL FILE: without the token, by whichever client is there.
get() {
  if command -v curl >/dev/null; then
    curl --fail --silent --show-error --location --retry 3 --connect-timeout 20 --max-time 300 --output "$2" "$1"
  elif command -v wget >/dev/null; then
    wget -q -T 60 -O "$2" "$1"
  else
    echo "neither curl nor wget is here" >&2
    return 1
  fi
}

# get_with_token FILE: through the API of this very server, for one that shows nothing to strangers. The token goes in by
# standard input, because a command line can be seen by everybody on the machine; curl drops it when another host is named.
get_with_token() {
  [ -n "${INPUT_GITHUB_TOKEN:-}" ] && [ -n "${GITHUB_API_URL:-}" ] && command -v curl >/dev/null || return 1
  case $INPUT_GITHUB_TOKEN in *[!A-Za-z0-9_.-]*) return 1 ;; esac
  asked() {
    printf 'header = "Authorization: Bearer %s"\n' "$INPUT_GITHUB_TOKEN" |
      curl --config - --fail --silent --show-error --location --retry 3 --connect-timeout 20 --max-time 300 "$@"
  }
  asset=$(asked "$GITHUB_API_URL/repos/$repository/releases/tags/v$version" | tr ',' '\n' | tr '{' '\n' | tr -d ' "' |
    awk -v name="name:$archive" '/^url:.*\/releases\/assets\/[0-9]+$/ { url = substr($0, 5) } $0 == name { print url; exit }')
  case $asset in
    "$GITHUB_API_URL"/*) asked --header 'Accept: application/octet-stream' --output "$1" "$asset" ;;
    *) return 1 ;;
  esac
}

# checked FILE: whether it is what the table says.
checked() { [ "$(sum "$1")" = "$wanted" ]; }

if [ -n "$wanted" ]; then
  kept=$cache/$version-$wanted/$archive
  if [ -f "$kept" ] && cp "$kept" "$work/$archive" && checked "$work/$archive"; then
    echo "vouchsafe $version: from the tool cache"
  else
    url=$server/$repository/releases/download/v$version/$archive
    echo "vouchsafe $version: $url"
    get "$url" "$work/$archive" || get_with_token "$work/$archive" ||
      die "could not get $url: where the runner may not reach it, install vouchsafe there and say binary-path"
    checked "$work/$archive" || die "$url has sha256 $(sum "$work/$archive"), and the action's own table says $wanted: nothing of it was run"
    # the cache is a convenience: one that cannot be written is none
    if mkdir -p "$cache/$version-$wanted" 2>/dev/null && cp "$work/$archive" "$kept.$$" 2>/dev/null; then mv "$kept.$$" "$kept"; fi
  fi
  tar -xzf "$work/$archive" -C "$work"
  for program in "$work/vouchsafe" "$work"/*/vouchsafe; do
    if [ -f "$program" ]; then break; fi
  done
  [ -f "$program" ] || die "$archive holds no program"
else
  [ "$version" = "$own" ] || die "action/checksums.txt has no row for $archive: use the release of the action that has" 2
  # one build for each state of the source and its lock file
  state=$(cd "$GITHUB_ACTION_PATH" && find src Cargo.toml Cargo.lock -type f | LC_ALL=C sort | while read -r file; do
    printf '%s ' "$file"
    sum "$file"
  done >"$work/sources" && sum "$work/sources")
  built=$cache/built-$version-$machine-$system-$state
  program=$built/bin/vouchsafe
  if [ -x "$program" ]; then
    echo "vouchsafe $version: built on this runner before"
  else
    command -v cargo >/dev/null || die "there is no release of $archive, and no cargo to build it: install vouchsafe on the runner and say binary-path"
    notice "no release of $archive is known to this commit of the action: building its source, which takes minutes"
    # a build runs code of its dependencies, so it sees no secret that the job may have in its environment
    if ! env -u VOUCHSAFE_SIGNING_KEY -u VOUCHSAFE_PASSPHRASE -u VOUCHSAFE_OPERATOR_TOKEN -u VOUCHSAFE_API_TOKEN -u VOUCHSAFE_ID_TOKEN -u INPUT_GITHUB_TOKEN -u GITHUB_TOKEN -u GH_TOKEN \
      -u ACTIONS_ID_TOKEN_REQUEST_TOKEN -u ACTIONS_ID_TOKEN_REQUEST_URL -u ACTIONS_RUNTIME_TOKEN \
      -u AWS_ACCESS_KEY_ID -u AWS_SECRET_ACCESS_KEY -u AWS_SESSION_TOKEN \
      CARGO_TARGET_DIR="$work/target" cargo install --locked --path "$GITHUB_ACTION_PATH" --root "$work/root" --bin vouchsafe; then
      die 'could not build vouchsafe: it wants Rust 1.89, a C compiler and a package registry; or say binary-path'
    fi
    rm -rf "$work/target"
    mkdir -p "$cache"
    # whoever comes second has the same program
    [ -e "$built" ] || mv "$work/root" "$built" 2>/dev/null || true
    [ -x "$program" ] || program=$work/root/bin/vouchsafe
  fi
fi
printf 'path=%s\n' "$program" >>"$GITHUB_OUTPUT"
