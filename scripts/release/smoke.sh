#!/usr/bin/env bash
# smoke.sh PROGRAM FOLDER: does the program that was built sign, store and verify here? FOLDER is made.
set -euo pipefail
program=${1:?usage: smoke.sh PROGRAM FOLDER}
mkdir -p "${2:?usage: smoke.sh PROGRAM FOLDER}"
cd "$2"
# what it says is told only where something fails
trap 'cat log >&2' ERR
"$program" key new --output key.pem >public.pem 2>log
"$program" attest --environment smoke --vault vault --signing-key key.pem --run-id 1 --outcome succeeded >log 2>&1
"$program" verify --vault vault --key public.pem >log 2>&1
printf 'smoke.sh: %s signs, stores and verifies\n' "$("$program" --version)" >&2
