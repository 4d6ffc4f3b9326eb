#!/usr/bin/env bash
# run.sh BUNDLE PUBLIC_PEM [ARTIFACT]: every verifier of docs/VERIFYING.md, its block run word for word.
#
# Each sees the genuine bundle, which it has to accept, and changed copies, which it has to refuse. Two copies show
# the faults of others that the page's table names, and are expected as it says. One line a verifier; exit 1 if one of
# them errs or is not there. Tools: PREFIX (from install.sh), or each by its own variable:
# COSIGN3 and COSIGN2 (binaries), VENV (a Python venv with securesystemslib and cryptography), NODE_MODULES (a folder).
# VERBOSE=1 shows what the verifiers say.
set -euo pipefail

BUNDLE=$(realpath "${1:?usage: run.sh BUNDLE PUBLIC_PEM [ARTIFACT]}")
PUBLIC=$(realpath "${2:?usage: run.sh BUNDLE PUBLIC_PEM [ARTIFACT]}")
ARTIFACT=${3:+$(realpath "$3")}
PAGE=$(realpath "$(dirname "$0")/../../../docs/VERIFYING.md")
PREFIX=${PREFIX:-/nowhere}
COSIGN3=${COSIGN3:-$PREFIX/cosign3/cosign}
COSIGN2=${COSIGN2:-$PREFIX/cosign2/cosign}
VENV=${VENV:-$PREFIX/venv}
NODE_MODULES=${NODE_MODULES:-$PREFIX/node_modules}

WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
failed=0

# The block that follows `<!-- run: NAME -->` on the page.
block() {
  awk -v mark="<!-- run: $1 -->" '
    $0 == mark { found = 1; next }
    found && /^```sh$/ { inside = 1; next }
    inside && /^```$/ { exit }
    inside { print }' "$PAGE"
}

# jq or openssl, quietly: prepare NAME puts a copy of the bundle and the key into $WORK/NAME.
prepare() {
  mkdir -p "$WORK/$1"
  cp "$BUNDLE" "$WORK/$1/record.json"
  cp "$PUBLIC" "$WORK/$1/public.pem"
  if [ -n "$ARTIFACT" ]; then cp "$ARTIFACT" "$WORK/$1/artifact"; fi
  if [ -d "$NODE_MODULES" ]; then ln -s "$NODE_MODULES" "$WORK/$1/node_modules"; fi
}

prepare genuine
prepare payload     # one word of the statement changed, the rest as it was
payload=$(jq -j .dsseEnvelope.payload "$BUNDLE" | openssl base64 -d -A | sed 's/"predicate":{/"predicate":{"added":true,/' | openssl base64 -e -A)
jq -c --arg p "$payload" '.dsseEnvelope.payload = $p' "$BUNDLE" > "$WORK/payload/record.json"
prepare signature   # its first byte changed
sig=$(jq -j '.dsseEnvelope.signatures[0].sig' "$BUNDLE")
first=${sig:0:1}; other=A; if [ "$first" = A ]; then other=B; fi
jq -c --arg s "$other${sig:1}" '.dsseEnvelope.signatures[0].sig = $s' "$BUNDLE" > "$WORK/signature/record.json"
prepare type        # another payload type over the same bytes
jq -c '.dsseEnvelope.payloadType = "application/json"' "$BUNDLE" > "$WORK/type/record.json"
prepare key         # another public key
openssl genpkey -algorithm ed25519 2>/dev/null | openssl pkey -pubout > "$WORK/key/public.pem"
prepare artifact    # another file than the one that was deployed
if [ -n "$ARTIFACT" ]; then echo 'not what was deployed' >> "$WORK/artifact/artifact"; fi
prepare twice       # a second, changed payload before the one that was signed
jq -c . "$BUNDLE" | sed "s|\"dsseEnvelope\":{|&\"payload\":\"$payload\",|" > "$WORK/twice/record.json"
prepare weak        # the identity point as public key, and the signature that it accepts for every text
bytes() { printf '%s' "$1" | xxd -r -p; }
point=01$(printf '%062d' 0)
weak_keyid=SHA256:$(bytes "0000000b7373682d6564323535313900000020$point" | openssl dgst -sha256 -binary | openssl base64 -A | tr -d '=')
weak_sig=$(bytes "$point$(printf '%064d' 0)" | openssl base64 -e -A)
jq -c --arg p "$payload" --arg s "$weak_sig" --arg k "$weak_keyid" \
  '.dsseEnvelope |= (.payload = $p | .signatures[0] = {keyid: $k, sig: $s})' "$BUNDLE" > "$WORK/weak/record.json"
printf -- '-----BEGIN PUBLIC KEY-----\n%s\n-----END PUBLIC KEY-----\n' \
  "$(bytes "302a300506032b6570032100$point" | openssl base64 -e -A)" > "$WORK/weak/public.pem"
for copy in payload signature type twice weak; do
  if cmp -s "$BUNDLE" "$WORK/$copy/record.json"; then echo "run.sh: could not change the $copy" >&2; exit 1; fi
done

# verifier NAME FOLDERS COPY...: runs the block NAME with FOLDERS first on the PATH. A copy written `COPY=accepted` is
# one that this verifier is known to take.
verifier() {
  local name=$1 path=$2 copy line=''
  shift 2
  block "$name" > "$WORK/$name.sh"
  if [ ! -s "$WORK/$name.sh" ]; then echo "$name: no such block in $PAGE"; failed=1; return; fi
  for copy in genuine "$@"; do
    local said status=0 want=refused got=refused
    case $copy in *=accepted) want=accepted copy=${copy%=*} ;; esac
    said=$(cd "$WORK/$copy" && PATH="$path$PATH" bash -e "$WORK/$name.sh" 2>&1) || status=$?
    if [ "$copy" = genuine ]; then want=accepted; fi
    if [ "$status" = 0 ]; then got=accepted; fi
    if [ "$got" = "$want" ]; then line+="  $copy $got"; else line+="  $copy $got (WRONG)"; failed=1; fi
    if [ -n "${VERBOSE:-}" ] || [ "$got" != "$want" ]; then
      printf '%s\n' "$said" | tail -n 3 | cut -c 1-200 | sed "s/^/    $name, $copy (exit $status): /" >&2
    fi
  done
  printf '%-17s%s\n' "$name" "$line"
}

# missing NAME WHAT: a verifier that should have been there.
missing() { printf '%-17s  NOT THERE: %s\n' "$1" "$2"; failed=1; }

# A folder that holds TOOL under the name `cosign`.
as_cosign() { mkdir -p "$WORK/bin-$1" && ln -s "$(realpath "$2")" "$WORK/bin-$1/cosign" && printf '%s:' "$WORK/bin-$1"; }

verifier openssl '' payload signature type key twice=accepted weak=accepted
verifier fingerprint '' key
if [ -x "$COSIGN3" ]; then
  cosign3=$(as_cosign 3 "$COSIGN3")
  verifier cosign3 "$cosign3" payload signature type key twice weak=accepted
  if [ -n "$ARTIFACT" ]; then verifier cosign3-artifact "$cosign3" payload signature type key artifact; fi
else missing cosign3 "$COSIGN3"; fi
if [ -x "$COSIGN2" ]; then
  cosign2=$(as_cosign 2 "$COSIGN2")
  verifier cosign2 "$cosign2" payload signature type key twice=accepted weak=accepted
  if [ -n "$ARTIFACT" ]; then verifier cosign2-artifact "$cosign2" payload signature type key artifact; fi
else missing cosign2 "$COSIGN2"; fi
if [ -x "$VENV/bin/python3" ]; then
  verifier python "$VENV/bin:" payload signature type key twice weak=accepted
  verifier securesystemslib "$VENV/bin:" payload signature type key twice=accepted weak=accepted
else missing python "$VENV"; fi
if [ -d "$NODE_MODULES/@sigstore/verify" ]; then
  verifier sigstore-js '' payload signature type key twice=accepted weak=accepted
else missing sigstore-js "$NODE_MODULES"; fi
exit "$failed"
