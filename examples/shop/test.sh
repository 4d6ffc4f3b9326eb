#!/bin/sh
# Stands for a test run: writes JUnit files, red if there is a file called `broken`.
set -eu
mkdir -p junit
if [ -e broken ]; then
  failure='<failure message="total is 41, not 42"/>' failures=1
else
  failure='' failures=0
fi
for part in shop till; do
  cat >"junit/$part.xml" <<XML
<testsuite name="$part" tests="2" failures="$failures">
  <testcase classname="$part.cart" name="rounds totals">$failure</testcase>
  <testcase classname="$part.cart" name="opens"/>
</testsuite>
XML
done
[ "$failures" = 0 ]
