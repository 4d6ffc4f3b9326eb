#!/bin/sh
# terraform-apply.sh [WORDS OF terraform plan]: plans, and applies exactly that plan, recorded by `vouchsafe run`.
#
#   VOUCHSAFE_ENVIRONMENT=production VOUCHSAFE_REASON='SHOP-7: a bigger till' ./terraform-apply.sh -var-file=production.tfvars
#
# The record has the SHA-256 of the plan, not the plan: it may hold secrets. The exit code is terraform's. A plan that says that
# there is nothing to do is not applied and not recorded.
set -eu

terraform=${TERRAFORM:-terraform} # or tofu
folder=$(umask 077 && mktemp -d)
trap 'rm -rf "$folder"' EXIT

code=0
"$terraform" plan -input=false -detailed-exitcode -out="$folder/plan.tfplan" "$@" || code=$?
case $code in
  0) echo 'nothing to do, so nothing to record' >&2 && exit 0 ;;
  2) ;;
  *) exit "$code" ;;
esac
vouchsafe run --artifact "$folder/plan.tfplan" -- "$terraform" apply -input=false "$folder/plan.tfplan"
