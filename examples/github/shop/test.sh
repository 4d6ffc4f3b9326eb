#!/bin/sh
# Stands for a test run: writes a JUnit file, red if there is a file called `broken`.
set -eu
mkdir -p junit
if [ -e broken ]; then
  failure='<failure message="total is 41, not 42"/>' failures=1
else
  failure='' failures=0
fi
cat >junit/shop.xml <<XML
<testsuite name="shop" tests="2" failures="$failures">
  <testcase classname="shop.cart" name="rounds totals">$failure</testcase>
  <testcase classname="shop.cart" name="opens"/>
</testsuite>
XML
[ "$failures" = 0 ]
