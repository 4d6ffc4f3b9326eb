#!/usr/bin/env bash
# build.sh TARGET OUTDIR: the release archive of one target, with its program, manual pages and completions.
#
#   scripts/release/build.sh x86_64-unknown-linux-musl dist
#
# The same commit gives the same bytes in any folder, by any user, on any day (tests/outside/release shows it for Linux):
# the compiler is pinned below, paths are mapped away, times are those of the commit, names are sorted. The C parts
# (libgit2, zlib, ring) of the Linux programs are compiled by zig's clang and everything is linked by rustc's own lld, so
# that nothing of the machine comes in. macOS and Windows use the linker of their runner, and are not promised to repeat.
#
# Wants rustup, git, Python 3; for Linux targets the C compiler of zig.txt, as `zig` or as ZIG="python3 -m ziglang".
# VOUCHSAFE_BIN: a program of this version that runs here, to print the pages of a target that does not.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

TARGET=${1:?usage: build.sh TARGET OUTDIR}
OUT=${2:?usage: build.sh TARGET OUTDIR}
RUST_VERSION=1.95.0
ZIG_VERSION=$(sed -n 's/^ziglang==\([0-9.]*\).*/\1/p' scripts/release/zig.txt) # another one gives other bytes

say() { printf 'build.sh: %s\n' "$*" >&2; }
die() {
  say "$*"
  exit 1
}
python() { if command -v python3 >/dev/null; then python3 "$@"; else command python "$@"; fi; }
# Windows: what rustc will see, not what the shell calls it
native() { if command -v cygpath >/dev/null; then cygpath -m "$1"; else printf '%s\n' "$1"; fi; }

VERSION=$(scripts/release/version.sh)
export RUSTUP_TOOLCHAIN=$RUST_VERSION
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH
mkdir -p "$OUT"
OUT=$(cd "$OUT" && pwd)
NAME=vouchsafe-$VERSION-$TARGET
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}
WORK=$CARGO_TARGET_DIR/release-$TARGET
rm -rf "$WORK"
mkdir -p "$WORK/$NAME"

# Paths that would reach the program: panics name source files, C asserts theirs.
sysroot=$(native "$(rustc --print sysroot)")
commit=$(rustc -vV | sed -n 's/^commit-hash: //p')
cargo_home=$(native "${CARGO_HOME:-$HOME/.cargo}")
flags=(
  "--remap-path-prefix=$cargo_home=/cargo"
  "--remap-path-prefix=$sysroot/lib/rustlib/src/rust=/rustc/$commit"
  "--remap-path-prefix=$(native "$CARGO_TARGET_DIR")=/target"
  "--remap-path-prefix=$(native "$PWD")=/vouchsafe"
)
env_name=${TARGET//-/_}
cflags="-ffile-prefix-map=$cargo_home=/cargo -ffile-prefix-map=$CARGO_TARGET_DIR=/target -ffile-prefix-map=$PWD=/vouchsafe"

program=vouchsafe
case $TARGET in
  *-linux-musl)
    ZIG=${ZIG:-zig}
    [ "$($ZIG version)" = "$ZIG_VERSION" ] || die "wants zig $ZIG_VERSION (PyPI: ziglang), found $($ZIG version)"
    # cc-rs adds --target in Rust's words, which zig does not read; baseline is the oldest CPU of the target
    cat > "$WORK/cc" <<CC
#!/bin/sh
for arg do
  shift
  case \$arg in --target=*) ;; *) set -- "\$@" "\$arg" ;; esac
done
exec $ZIG cc -target ${TARGET%%-*}-linux-musl -mcpu=baseline -fno-sanitize=all -g0 "\$@"
CC
    printf '#!/bin/sh\nexec %s ar "$@"\n' "$ZIG" > "$WORK/ar"
    chmod +x "$WORK/cc" "$WORK/ar"
    export "CC_$env_name=$WORK/cc" "AR_$env_name=$WORK/ar" "CFLAGS_$env_name=$cflags"
    flags+=("-Clinker=rust-lld" "-Clinker-flavor=ld.lld" "-Clink-self-contained=yes" "-Ctarget-feature=+crt-static")
    ;;
  *-apple-darwin)
    export ZERO_AR_DATE=1 "CFLAGS_$env_name=$cflags"
    ;;
  *-windows-msvc)
    program=vouchsafe.exe
    flags+=("-Ctarget-feature=+crt-static" "-Clink-arg=/Brepro")
    ;;
esac
CARGO_ENCODED_RUSTFLAGS=$(IFS=$'\x1f'; printf '%s' "${flags[*]}")
export CARGO_ENCODED_RUSTFLAGS

rustup target list --installed | grep -qx "$TARGET" || rustup target add "$TARGET"
say "$NAME with $(rustc --version), SOURCE_DATE_EPOCH=$SOURCE_DATE_EPOCH"
cargo build --release --locked --target "$TARGET" --bin vouchsafe
built=$CARGO_TARGET_DIR/$TARGET/release/$program
case $TARGET in
  *-linux-musl)
    if readelf -d "$built" | grep NEEDED || readelf -l "$built" | grep INTERP; then die "$built is not static"; fi
    ;;
esac
if LC_ALL=C grep -aqF -e "$PWD/" -e "$cargo_home/" "$built"; then die "$built names folders of this machine"; fi

# The pages, by the program itself where it runs here: it is tried at the same time.
speaker=$built
"$speaker" --version >/dev/null 2>&1 || speaker=${VOUCHSAFE_BIN:?$built does not run here: name one that does}
[ "$("$speaker" --version)" = "vouchsafe $VERSION" ] || die "$speaker is not vouchsafe $VERSION"
if [ "$speaker" = "$built" ]; then scripts/release/smoke.sh "$built" "$WORK/smoke"; fi
stage=$WORK/$NAME
cp "$built" README.md CHANGELOG.md LICENSE-APACHE LICENSE-MIT NOTICE.txt "$stage/"
"$speaker" man "$stage/man/man1" 2>/dev/null
mkdir "$stage/completions"
"$speaker" completions bash > "$stage/completions/vouchsafe.bash"
"$speaker" completions zsh > "$stage/completions/_vouchsafe"
"$speaker" completions fish > "$stage/completions/vouchsafe.fish"
"$speaker" completions elvish > "$stage/completions/vouchsafe.elv"
"$speaker" completions powershell > "$stage/completions/_vouchsafe.ps1"

case $TARGET in
  *-windows-*) archive=$OUT/$NAME.zip ;;
  *) archive=$OUT/$NAME.tar.gz ;;
esac
python scripts/release/pack.py "$WORK" "$NAME" "$archive"
say "$archive"
