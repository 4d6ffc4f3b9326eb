#!/usr/bin/env bash
# smoke.sh PROGRAM FOLDER: does the program that was built sign, store and verify here?
set -euo pipefail
program=${1:?usage: smoke.sh PROGRAM FOLDER}
mkdir -p "${2:?usage: smoke.sh PROGRAM FOLDER}"
cd "$2"
"$program" key new --output key.pem >public.pem 2>/dev/null
"$program" attest --environment smoke --vault vault --signing-key key.pem --run-id 1 --outcome succeeded >/dev/null 2>&1
"$program" verify --vault vault --key public.pem >/dev/null 2>&1
printf 'smoke.sh: %s signs, stores and verifies\n' "$("$program" --version)" >&2
