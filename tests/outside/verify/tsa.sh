#!/usr/bin/env bash
# tsa.sh: RFC 3161 time with authorities of our own, and `openssl ts -verify` as the other judge. One line a check.
#
#   tsa.sh                  our request is answered by real authorities (openssl over HTTP); openssl and we accept their
#                           answers; and over fixtures/timestamp/ both come to the same verdict
#   tsa.sh fixtures DIR     writes fixtures/timestamp/ anew, into DIR
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../../.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/vouchsafe-tsa.XXXXXX")
pids=()
# shellcheck disable=SC2317 # by the trap
end() {
  local pid
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  rm -rf "$work"
}
trap end EXIT
TSA=(python3 "$here/tsa.py")
TST_INFO=1.2.840.113549.1.9.16.1.4
NONCE=8001020304050607 # the first bit set: it needs a zero before it as an INTEGER
POLICY=1.2.3.4

# authority NAME ALGORITHM [EXTENSIONS [ISSUER]]: NAME.key, NAME.pem, by a root of its own unless an issuer is named.
authority() (
  name=$1 algorithm=$2 extensions=${3:-$EKU} issuer=${4:-$1.root}
  cd "$work"
  [ -e "$issuer.pem" ] || openssl req -x509 -newkey "${algorithm%%:*}" -pkeyopt "${algorithm#*:}" -nodes -days 3650 \
    -keyout "$issuer.key" -out "$issuer.pem" -subj "/O=Time Test/CN=$name root" -addext keyUsage=critical,keyCertSign 2>/dev/null
  if [ "$algorithm" = ed25519 ]; then openssl genpkey -algorithm ed25519 -out "$name.key"
  else openssl genpkey -algorithm "${algorithm%%:*}" -pkeyopt "${algorithm#*:}" -out "$name.key" 2>/dev/null; fi
  openssl req -new -key "$name.key" -subj "/O=Time Test/CN=$name" -out "$name.csr"
  # short-lived: the fixtures outlive their certificates, as evidence does
  openssl x509 -req -in "$name.csr" -CA "$issuer.pem" -CAkey "$issuer.key" -days 30 -out "$name.pem" \
    -extfile <(printf '%b\nsubjectKeyIdentifier=hash\nbasicConstraints=CA:%s\n' "$extensions" "$(grep -q keyCertSign <<<"$extensions" && echo true || echo false)") 2>/dev/null
)

# config NAME [LINES]: an `openssl ts` configuration for that authority.
config() {
  cat >"$work/$1.cnf" <<CNF
[tsa]
default_tsa = one
[one]
serial = $work/serial
crypto_device = builtin
signer_cert = $work/$1.pem
signer_key = $work/$1.key
signer_digest = sha256
default_policy = $POLICY
digests = sha1, sha256, sha512
ess_cert_id_alg = sha256
CNF
  printf '%b\n' "${2:-}" >>"$work/$1.cnf"
}

# reply NAME QUERY OUT: what the authority answers.
reply() { openssl ts -reply -config "$work/$1.cnf" -queryfile "$2" -out "$3" 2>/dev/null; }

# signed OUT INFO ARGUMENTS...: an answer with a TSTInfo of ours, signed by `openssl cms`.
signed() {
  local out=$1 info=$2
  shift 2
  openssl cms -sign -binary -nodetach -nosmimecap -outform DER -econtent_type "$TST_INFO" -in "$info" -out "$work/cms" "$@" 2>/dev/null
  "${TSA[@]}" wrap 0 "$work/cms" >"$out"
}

EC256=EC:ec_paramgen_curve:P-256
EC384=EC:ec_paramgen_curve:P-384
RSA=RSA:rsa_keygen_bits:2048
EKU=extendedKeyUsage=critical,timeStamping

# by NAME: signer and key, as arguments of `openssl cms`, one a line.
by() { printf -- '-signer\n%s\n-inkey\n%s\n' "$work/$1.pem" "$work/$1.key"; }

fixtures() {
  local out now name odd by_p256 by_rsa arguments
  mkdir -p "$1"
  out=$(cd "$1" && pwd)
  cd "$out"
  rm -f ./*.tsr
  printf 'vouchsafe.example/ledger/prod\n42\n4eyR4yO0kJ+vWbHSVvoSh3ZKu0bJ1J4QyEtbOkWoWOw=\n\n%s\n' \
    '— vouchsafe.example/ledger/prod 1f2e3d4cAAECAwQFBgcICQoLDA0ODw==' >checkpoint.txt
  echo 'another checkpoint' >"$work/other.txt"
  # byte for byte what src/seal/timestamp asks: its tests hold it equal
  python3 - "$here" "$NONCE" >request.tsq <<'PY'
import hashlib, sys
sys.path.insert(0, sys.argv[1])
from tsa import SHA, number, tlv
imprint = tlv(0x30, tlv(0x30, tlv(6, bytes.fromhex(SHA["sha256"])), tlv(5)), tlv(4, hashlib.sha256(open("checkpoint.txt", "rb").read()).digest()))
sys.stdout.buffer.write(tlv(0x30, number(1), imprint, number(int(sys.argv[2], 16)), tlv(1, b"\xff")))
PY
  query() { openssl ts -query "$@" 2>/dev/null; }

  # what `openssl ts` itself makes
  authority rsa2048 $RSA; config rsa2048 'accuracy = secs:1, millisecs:500, microsecs:100\nordering = yes\ntsa_name = yes'
  authority p256 $EC256; config p256
  authority p384 $EC384; config p384 'signer_digest = sha384\nclock_precision_digits = 3'
  for name in rsa2048 p256 p384; do reply $name request.tsq good_$name.tsr; done
  cat "$work"/{rsa2048,p256,p384}.root.pem >roots.pem
  config rsa2048 'signer_digest = sha512'; reply rsa2048 request.tsq good_rsa2048_sha512.tsr
  config p256 'ess_cert_id_alg = sha1'; reply p256 request.tsq good_ess_v1_only.tsr
  config p256 'signer_digest = sha384'; reply p256 request.tsq good_p256_sha384.tsr
  authority between $EC256 'keyUsage=critical,keyCertSign' p256.root
  authority below $EC256 $EKU between
  config below "certs = $work/between.pem"; reply below request.tsq good_intermediate.tsr
  config below "certs = $work/between.pem\ness_cert_id_chain = yes"; reply below request.tsq good_intermediate_ess_chain.tsr
  config below; reply below request.tsq fail_intermediate_absent__Untrusted.tsr
  config p256
  query -data "$work/other.txt" -sha256 -cert -out "$work/q"; reply p256 "$work/q" fail_other_data__Imprint.tsr
  query -data checkpoint.txt -sha512 -cert -out "$work/q"; reply p256 "$work/q" fail_imprint_sha512__Imprint.tsr
  query -data checkpoint.txt -sha1 -cert -out "$work/q"; reply p256 "$work/q" fail_imprint_sha1__Imprint.tsr
  query -data checkpoint.txt -sha256 -cert -out "$work/q"; reply p256 "$work/q" fail_other_nonce__Nonce.tsr
  query -data checkpoint.txt -sha256 -cert -no_nonce -out "$work/q"; reply p256 "$work/q" fail_no_nonce__Nonce.tsr
  query -data checkpoint.txt -sha384 -cert -out "$work/q"; reply p256 "$work/q" fail_rejected_digest__Rejected.tsr
  query -data checkpoint.txt -sha256 -cert -tspolicy 1.2.3.9 -out "$work/q"; reply p256 "$work/q" fail_rejected_policy__Rejected.tsr
  authority stranger $EC256; config stranger; reply stranger request.tsq fail_other_root__Untrusted.tsr
  # the same names as the trusted root, another key
  openssl req -x509 -newkey EC -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/false.key" -out "$work/false.pem" \
    -subj "/O=Time Test/CN=p256 root" 2>/dev/null
  authority double $EC256 $EKU false; config double; reply double request.tsq fail_root_of_the_same_name__Untrusted.tsr

  # what it would not make: TSTInfo of ours, signed by `openssl cms`
  # a minute ahead: the certificates that are made below are valid then
  now=$(date -u -d '1 minute' +%Y%m%d%H%M%SZ)
  info() { "${TSA[@]}" info "$@" >"$work/info"; }
  mapfile -t by_p256 < <(by p256)
  info checkpoint.txt sha256 "$now" $NONCE
  signed good_cms.tsr "$work/info" -cades -md sha256 "${by_p256[@]}"
  "${TSA[@]}" wrap 1 "$work/cms" >good_granted_with_mods.tsr
  signed good_subject_key_identifier.tsr "$work/info" -cades -md sha256 -keyid "${by_p256[@]}"
  mapfile -t by_rsa < <(by rsa2048)
  signed good_rsa2048_pss.tsr "$work/info" -cades -md sha256 "${by_rsa[@]}" -keyopt rsa_padding_mode:pss -keyopt rsa_pss_saltlen:32
  authority ed25519 ed25519 $EKU p256.root
  by_ed25519() { "${TSA[@]}" ed25519 "$work/info" "$work/ed25519.pem" "$work/ed25519.key" "$@"; }
  by_ed25519 >good_ed25519.tsr
  by_ed25519 attribute_certificate >good_ed25519_attribute_certificate.tsr
  by_ed25519 content_type >fail_content_type_signed__Signature.tsr
  by_ed25519 twice >fail_attribute_twice__Malformed.tsr
  by_ed25519 values >fail_attribute_of_two_values__Malformed.tsr
  signed fail_two_signers__Signature.tsr "$work/info" -cades -md sha256 "${by_p256[@]}" "${by_rsa[@]}"
  signed fail_no_ess__Signer.tsr "$work/info" -md sha256 "${by_p256[@]}"
  signed fail_certificate_absent__Signer.tsr "$work/info" -cades -md sha256 -nocerts "${by_p256[@]}"
  signed fail_no_attributes__Signature.tsr "$work/info" -noattr -md sha256 "${by_p256[@]}"
  signed fail_sha1_signature__Unsupported.tsr "$work/info" -cades -md sha1 "${by_p256[@]}"
  signed fail_p256_sha512__Unsupported.tsr "$work/info" -cades -md sha512 "${by_p256[@]}"
  # signed with a certificate for something else, and beside it one that may stamp time, of the same key
  openssl x509 -req -in "$work/p256.csr" -CA "$work/p256.root.pem" -CAkey "$work/p256.root.key" -out "$work/twin.pem" 2>/dev/null
  signed fail_certificate_swapped__Signer.tsr "$work/info" -cades -md sha256 -signer "$work/twin.pem" -inkey "$work/p256.key" \
    -nocerts -certfile "$work/p256.pem"
  signed fail_certificate_without_purpose__Signer.tsr "$work/info" -cades -md sha256 -signer "$work/twin.pem" -inkey "$work/p256.key" \
    -certfile "$work/p256.pem"
  authority no_eku $EC256 'keyUsage=digitalSignature' p256.root
  authority eku_not_critical $EC256 extendedKeyUsage=timeStamping p256.root
  authority eku_and_more $EC256 extendedKeyUsage=critical,timeStamping,codeSigning p256.root
  authority eku_other $EC256 extendedKeyUsage=critical,codeSigning p256.root
  authority key_usage $EC256 "$EKU\nkeyUsage=critical,digitalSignature,keyEncipherment" p256.root
  for name in no_eku eku_not_critical eku_and_more eku_other key_usage; do
    mapfile -t arguments < <(by $name)
    signed fail_${name}__Signer.tsr "$work/info" -cades -md sha256 "${arguments[@]}"
  done
  authority weak RSA:rsa_keygen_bits:1024 $EKU p256.root
  mapfile -t arguments < <(by weak)
  signed fail_rsa1024__Unsupported.tsr "$work/info" -cades -md sha256 "${arguments[@]}"
  authority not_a_ca $EC256 'keyUsage=critical,digitalSignature' p256.root
  authority under $EC256 $EKU not_a_ca
  mapfile -t arguments < <(by under)
  signed fail_issuer_is_no_ca__Untrusted.tsr "$work/info" -cades -md sha256 "${arguments[@]}" -certfile "$work/not_a_ca.pem"
  info checkpoint.txt sha256 20190101000000Z $NONCE; signed fail_before_the_certificate__Untrusted.tsr "$work/info" -cades -md sha256 "${by_p256[@]}"
  info checkpoint.txt sha256 20590101000000Z $NONCE; signed fail_after_the_certificate__Untrusted.tsr "$work/info" -cades -md sha256 "${by_p256[@]}"
  info checkpoint.txt sha256 "$now" $NONCE critical; signed fail_critical_extension__Unsupported.tsr "$work/info" -cades -md sha256 "${by_p256[@]}"
  for odd in version inside after; do
    info checkpoint.txt sha256 "$now" $NONCE $odd
    signed fail_tst_info_${odd}__Malformed.tsr "$work/info" -cades -md sha256 "${by_p256[@]}"
  done
  info checkpoint.txt sha256 "${now%Z}+0100" $NONCE; signed fail_time_not_utc__Malformed.tsr "$work/info" -cades -md sha256 "${by_p256[@]}"
  info checkpoint.txt sha256 "$now" $NONCE
  TST_INFO=1.2.840.113549.1.7.1 signed fail_content_type__Malformed.tsr "$work/info" -cades -md sha256 "${by_p256[@]}"

  # damage
  for place in signature time attributes; do "${TSA[@]}" flip $place good_p256.tsr >fail_flipped_${place}__Signature.tsr; done
  "${TSA[@]}" flip sid good_p256.tsr >fail_flipped_sid__Signer.tsr
  { cat good_p256.tsr; printf '\0'; } >fail_trailing_byte__Malformed.tsr
  head -c 500 good_p256.tsr >fail_cut__Malformed.tsr
  "${TSA[@]}" wrap 0 >fail_granted_without_token__Malformed.tsr
  "${TSA[@]}" wrap 2 "$work/cms" >fail_rejected_with_token__Rejected.tsr
  echo '<html>502 Bad Gateway</html>' >fail_page__Malformed.tsr
  : >fail_empty__Malformed.tsr
  echo "$(find . -name '*.tsr' | wc -l) answers in $out"
}

failed=0
told() { # told STATUS WHAT
  if [ "$1" = 0 ]; then printf '  ok    %s\n' "$2"; else printf '  FAIL  %s\n' "$2"; failed=1; fi
}

# judge ANSWER DATA QUERY ROOTS: openssl's verdict, at the time that the answer claims.
judge() {
  local at
  at=$(openssl ts -reply -in "$1" -text 2>/dev/null | sed -n 's/^Time stamp: //p')
  at=$(date -u -d "${at:-now}" +%s)
  openssl ts -verify -in "$1" -queryfile "$3" -CAfile "$4" -attime "$at" >/dev/null 2>&1 &&
    openssl ts -verify -in "$1" -data "$2" -CAfile "$4" -attime "$at" >/dev/null 2>&1
}

# Where openssl 3.0 and we part, each for a reason:
#   critical_extension   RFC 3161 section 2.4.1 says to refuse; openssl does not look
#   trailing_byte, tst_info_after   openssl reads one element and stops
#   sha1_signature       openssl's default security level still allows SHA-1 there
#   rsa1024              openssl's default security level still allows it
#   p256_sha512          sound, but ring cannot verify it; we say "cannot be checked", not "does not hold"
#   rsa2048_pss, ed25519, subject_key_identifier: sound; `openssl ts` reads the older PKCS #7 only
OPENSSL_TAKES='critical_extension|trailing_byte|tst_info_after|sha1_signature|rsa1024|p256_sha512'
OPENSSL_REFUSES='rsa2048_pss|ed25519|ed25519_attribute_certificate|subject_key_identifier'

verdicts() {
  local dir=$root/fixtures/timestamp answer name want got count=0 parted=0 wrong=0
  for answer in "$dir"/*.tsr; do
    name=$(basename "$answer" .tsr)
    case $name in good_*) want=0 ;; *) want=1 ;; esac
    if [[ $name =~ ^(fail|good)_($OPENSSL_TAKES|$OPENSSL_REFUSES)(__.*)?$ ]]; then want=$((1 - want)) parted=$((parted + 1)); fi
    if judge "$answer" "$dir/checkpoint.txt" "$dir/request.tsq" "$dir/roots.pem"; then got=0; else got=1; fi
    if [ $got != $want ]; then
      told 1 "$name: openssl's verdict is $([ $got = 0 ] && echo good || echo bad)"
      wrong=1
    fi
    count=$((count + 1))
  done
  told "$([ $count -gt 45 ] && echo $wrong || echo 1)" "$count answers in fixtures/timestamp: openssl agrees, except on $parted that are explained"
}

# ours TEST: our side: one of the tests of src/seal/timestamp and src/gather/http that cargo marks `needs tsa.sh`
ours() {
  local log=$work/cargo.log
  (cd "$root" && VOUCHSAFE_TEST_TSA=$work/live cargo test --quiet --lib "$1" -- --ignored --exact) >"$log" 2>&1 || true
  grep -q '^test result: ok. 1 passed' "$log" || { tail -n 30 "$log"; return 1; }
}

live() {
  local dir=$work/live name status
  mkdir -p "$dir"
  cp "$root/fixtures/timestamp/checkpoint.txt" "$dir"
  authority rsa2048 $RSA; config rsa2048 'accuracy = secs:1'
  authority p256 $EC256; config p256
  authority p384 $EC384; config p384 'signer_digest = sha384'
  for name in rsa2048 p256 p384; do
    cat "$work/$name.root.pem" >>"$dir/roots.pem"
    "${TSA[@]}" serve "$work/$name.port" "$work/$name.cnf" >"$work/$name.log" 2>&1 &
    pids+=($!)
    for _ in $(seq 100); do [ -e "$work/$name.port" ] && break; sleep 0.1; done
    echo "$name http://127.0.0.1:$(cat "$work/$name.port")/" >>"$dir/authorities"
  done
  # the request from seal, the question from gather, the verdict from seal: pillars do not know each other
  for name in seal::timestamp::tests::outside_request gather::http::timestamp::tests::outside_question seal::timestamp::tests::outside_answer; do
    ours "$name" && status=0 || status=1
    told $status "$name"
  done
  for name in rsa2048 p256 p384; do
    judge "$dir/$name.tsr" "$dir/checkpoint.txt" "$dir/request.tsq" "$work/$name.root.pem" && status=0 || status=1
    told $status "openssl accepts the answer of $name to our request"
    judge "$dir/$name.tsr" "$root/README.md" "$dir/request.tsq" "$work/$name.root.pem" && status=1 || status=0
    told $status "openssl refuses it for another file"
  done
}

# The whole program: attest asks, openssl checks what it kept, verify checks it too.
program() {
  local vault=$work/vault url ledger status
  local bin=${VOUCHSAFE_BIN:-$root/target/debug/vouchsafe}
  url=$(awk '$1 == "p256" { print $2 }' "$work/live/authorities")
  ledger=$vault/ledger/env=prod
  export HOME=$work
  "$bin" attest -e prod --vault "$vault" --tsa-url "$url" 2>"$work/attest.log" && status=0 || status=1
  told $status 'attest --tsa-url'
  "$bin" attest -e prod --vault "$vault" --heartbeat --tsa-url "$url" 2>>"$work/attest.log" && status=0 || status=1
  told $status 'attest --heartbeat --tsa-url'
  openssl ts -verify -data "$ledger/checkpoints/000000000001" -in "$ledger/timestamps/000000000001.tsr" \
    -CAfile "$work/p256.root.pem" >/dev/null 2>&1 && status=0 || status=1
  told $status 'openssl: the checkpoint in the vault existed at that time'
  "$bin" verify --vault "$vault" --tsa-roots "$work/p256.root.pem" 2>"$work/verify.log" && status=0 || status=1
  [ "$(grep -c 'says p256' "$work/verify.log")" = 2 ] && grep -q 'anchors: 2 of 2 proved' "$work/verify.log" || status=1
  [ $status = 0 ] || cat "$work/attest.log" "$work/verify.log"
  told $status 'verify --tsa-roots: both, and they are anchors'
  "$bin" verify --vault "$vault" --tsa-roots "$work/rsa2048.root.pem" 2>/dev/null && status=1 || status=$(( $? == 3 ? 0 : 1 ))
  told $status 'verify: another root vouches for neither'
  # The newest entry is taken away: what was stamped is more than there is.
  rm "$ledger/999999999998"
  "$bin" verify --vault "$vault" --tsa-roots "$work/p256.root.pem" 2>"$work/verify.log" && status=1 || status=$(( $? == 3 ? 0 : 1 ))
  grep -q truncated "$work/verify.log" || status=1
  told $status 'verify: the end that was stamped is gone'
  "$bin" attest -e prod --vault "$vault" --run-id x --tsa-url http://127.0.0.1:9/ 2>"$work/attest.log" && status=0 || status=1
  grep -q 'not time-stamped' "$work/attest.log" || status=1
  told $status 'an authority that is away stops no record'
}

case ${1:-} in
  fixtures) fixtures "${2:?usage: tsa.sh fixtures DIR}" ;;
  '')
    openssl version
    verdicts
    live
    program
    ;;
  *) echo 'usage: tsa.sh [fixtures DIR]' >&2; exit 2 ;;
esac
exit "$failed"
