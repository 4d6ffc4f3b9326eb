#!/bin/sh
# Stands for a deployment.
set -eu
echo "shop is on production"
