# junit.awk: what `cargo test` printed -> one JUnit file a test binary, in the folder `out`.
#
#   cargo test 2>&1 | tee log; awk -v out=DIR -f junit.awk log
#
# Why from the text: libtest's own `--format junit` is unstable, replaces the text that people read, and turning it on
# through RUSTC_BOOTSTRAP rebuilds the crates whose build scripts watch that variable. A second run of the binaries
# would be another run than the one that is told about. So this reads the one run, and trusts nothing: the cases of
# each binary must add up to its closing line, and a binary without a closing line (killed, aborted) is an error.

function escape(s) {
  gsub(/&/, "\\&amp;", s); gsub(/</, "\\&lt;", s); gsub(/>/, "\\&gt;", s); gsub(/"/, "\\&quot;", s)
  gsub(/[\001-\010\013-\037\177]/, "?", s) # XML 1.0 has no way to write these
  return s
}

function begin_suite(name) {
  if (suite != "") wrong("`" suite "` has no closing line: it was killed or it aborted")
  suite = name; cases = 0; passed = 0; failed = 0; ignored = 0; section = ""
  delete names; delete states; delete texts
}

function wrong(why) { print "junit.awk: " why > "/dev/stderr"; bad = 1 }

function end_suite(line,   told, file, i, name, class, secs) {
  match(line, /[0-9]+ passed; [0-9]+ failed; [0-9]+ ignored/)
  split(substr(line, RSTART, RLENGTH), told, /[^0-9]+/)
  secs = line; sub(/.*finished in /, "", secs); sub(/s$/, "", secs)
  if (told[1] != passed || told[2] != failed || told[3] != ignored)
    wrong("`" suite "` closes with " told[1] " passed, " told[2] " failed, " told[3] " ignored; its lines show " \
          passed ", " failed ", " ignored)
  total += cases
  if (cases > 0) {
    file = suite; gsub(/[^A-Za-z0-9]+/, "-", file); file = out "/" file ".xml"
    print "<?xml version=\"1.0\" encoding=\"UTF-8\"?>" > file
    printf "<testsuites>\n<testsuite name=\"%s\" tests=\"%d\" failures=\"%d\" errors=\"0\" skipped=\"%d\" time=\"%s\">\n", \
      escape(suite), cases, failed, ignored, secs > file
    for (i = 1; i <= cases; i++) {
      name = names[i]; class = suite
      if (match(name, /.*::/)) { class = substr(name, 1, RLENGTH - 2); name = substr(name, RLENGTH + 1) }
      printf "  <testcase classname=\"%s\" name=\"%s\"", escape(class), escape(name) > file
      if (states[i] == "ok") print "/>" > file
      else if (states[i] == "FAILED") printf "><failure>%s</failure></testcase>\n", escape(texts[names[i]]) > file
      else printf "><skipped message=\"%s\"/></testcase>\n", escape(states[i]) > file
    }
    print "</testsuite>\n</testsuites>" > file
    close(file)
  }
  suite = ""
}

/^     Running .*\(.*\)$/ { name = $0; sub(/^ +Running (unittests )?/, "", name); sub(/ \(.*/, "", name); begin_suite(name); next }
/^   Doc-tests / { begin_suite("doc-tests " $2); next }
suite == "" { next }
/^test result: / { end_suite($0); next }
/^---- .* stdout ----$/ { section = $2; next }
/^failures:$/ { section = ""; next }
section != "" { if (length(texts[section]) < 4000) texts[section] = texts[section] $0 "\n"; next }
/^test .* \.\.\. (ok|FAILED|ignored(, .*)?)$/ {
  name = $0; state = $0
  sub(/^test /, "", name); sub(/ \.\.\. (ok|FAILED|ignored(, .*)?)$/, "", name); sub(/ - should panic$/, "", name)
  sub(/.* \.\.\. /, "", state)
  names[++cases] = name; states[cases] = state
  if (state == "ok") passed++; else if (state == "FAILED") failed++; else ignored++
}

END {
  if (suite != "") wrong("`" suite "` has no closing line: it was killed or it aborted")
  if (total == 0) wrong("not one test in what was printed")
  printf "junit: %d cases written to %s\n", total, out
  exit bad
}
