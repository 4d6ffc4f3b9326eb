#!/usr/bin/env bash
# keys.sh: the private keys that we write, read by others. One line a reader; exit 1 if one cannot.
#
# fixtures/keys/test-private.pem and good_private_encrypted_by_us.pem are byte for byte what src/seal/key.rs writes (its tests
# hold them equal). VENV: a Python venv with cryptography; PREFIX: from install.sh.
set -euo pipefail
cd "$(dirname "$0")/../../../fixtures/keys"
VENV=${VENV:-${PREFIX:-/nowhere}/venv}
failed=0

# reader NAME FILE COMMAND...: the command has to print test-public.pem.
reader() {
  local name=$1 file=$2 said
  shift 2
  if said=$("$@" 2>&1) && [ "$said" = "$(cat test-public.pem)" ]; then printf '%-8s  %s  read\n' "$name" "$file"
  else printf '%-8s  %s  NOT READ: %s\n' "$name" "$file" "$(printf '%s' "$said" | tail -n 1)"; failed=1; fi
}

PYTHON='import sys
from cryptography.hazmat.primitives import serialization as s
key = s.load_pem_private_key(open(sys.argv[1], "rb").read(), sys.argv[2].encode() if len(sys.argv) > 2 else None)
print(key.public_key().public_bytes(s.Encoding.PEM, s.PublicFormat.SubjectPublicKeyInfo).decode(), end="")'
NODE='const c = require("node:crypto"), [file, passphrase] = process.argv.slice(1);
const key = c.createPrivateKey({ key: require("node:fs").readFileSync(file), passphrase });
process.stdout.write(c.createPublicKey(key).export({ type: "spki", format: "pem" }));'

PLAIN=test-private.pem
LOCKED=good_private_encrypted_by_us.pem
PASSPHRASE='test passphrase'
reader openssl "$PLAIN" openssl pkey -in "$PLAIN" -pubout
reader openssl "$LOCKED" openssl pkey -in "$LOCKED" -passin "pass:$PASSPHRASE" -pubout
reader python "$PLAIN" "$VENV/bin/python3" -c "$PYTHON" "$PLAIN"
reader python "$LOCKED" "$VENV/bin/python3" -c "$PYTHON" "$LOCKED" "$PASSPHRASE"
reader node "$PLAIN" node -e "$NODE" "$PLAIN"
reader node "$LOCKED" node -e "$NODE" "$LOCKED" "$PASSPHRASE"
exit "$failed"
