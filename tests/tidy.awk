# SPDX-License-Identifier: Apache-2.0
# The laws of style that a machine can judge. Run in the tree's top under LC_ALL=C with the files as
# arguments; prints "LINT FILE:LINE: what is wrong". tests/tidy.sh names the lints and tests them.

function complain(lint, what)
{
    printf "%s %s:%d: %s\n", lint, FILENAME, FNR, what
}

# The line without comments and without what stands in quotes, so that only code is judged.
function code_of(line)
{
    gsub(/\\./, "", line)
    gsub(/"[^"]*"/, "\"\"", line)
    gsub(/'[^']*'/, "' '", line)
    gsub(/\/\*[^*]*\*+([^\/*][^*]*\*+)*\//, " ", line)
    if (in_comment) {
        if (line !~ /\*\//)
            return ""
        sub(/^.*\*\//, "", line)
        in_comment = 0
    }
    if (line ~ /\/\*/) {
        sub(/\/\*.*$/, "", line)
        in_comment = 1
    }
    return line
}

function guard_of(path)
{
    path = toupper(path)
    gsub(/[^A-Z0-9]/, "_", path)
    return path
}

function finish_file()
{
    if (file == "")
        return
    if (is_c && lines > 800)
        printf "file-length %s:%d: %d lines, at most 800\n", file, lines, lines
    if (is_header && !guarded)
        printf "guard %s:1: the guard is not %s\n", file, guard_of(file)
}

function judge_include(line,    name, quoted)
{
    if (line !~ /^[ \t]*#[ \t]*include/)
        return
    quoted = line ~ /"/
    name = line
    sub(/^[^"<]*["<]/, "", name)
    sub(/[">].*$/, "", name)
    if (quoted && name !~ /\//)
        complain("include", name " is not named from the root")
    if (folder == "core") {
        if (quoted ? name !~ /^core\// : !(name in pure_headers) &&
            !(FILENAME ~ /^core\/base\/crc32c/ && name in digest_headers))
            complain("include", "core may not include " name)
    } else if (quoted && FILENAME ~ /^sim\/(main|cmd)/) {
        if (name !~ /^(core|sim|cli)\//)
            complain("include", "a command of the simulator may not include " name)
    } else if (quoted && (folder in arrows) && name !~ arrows[folder] &&
               !(FILENAME ~ /^sim\/(main|cmd_.*)\.c$/ && name ~ /^cli\//)) {
        complain("include", folder " may not include " name)
    }
}

function judge_function(line)
{
    if (line ~ /^\{/) {
        body_start = FNR
    } else if (line ~ /^\}/ && body_start > 0) {
        if (FNR - body_start - 1 > 100)
            complain("function-length", FNR - body_start - 1 " lines, at most 100")
        body_start = 0
    }
}

BEGIN {
    split("stdarg stdbool stddef stdint stdlib string limits inttypes stdalign uthash", names, " ")
    for (i in names)
        pure_headers[names[i] ".h"] = 1
    split("isa-l.h isa-l/crc.h cpuid.h immintrin.h nmmintrin.h x86intrin.h arm_acle.h", names, " ")
    for (i in names)
        digest_headers[names[i]] = 1
    arrows["net"] = "^(core|net)/"
    arrows["disk"] = "^(core|disk)/"
    arrows["sim"] = "^(core|sim)/"
    arrows["cli"] = "^(core|net|disk|cli)/"
    arrows["tools"] = "^(core|sim|tools)/"
    # What nobody calls, and what to call instead.
    banned = "strcpy strcat strncpy strncat sprintf vsprintf gets atoi atol atoll atof strtok " \
             "sscanf rand srand random srandom tmpnam mktemp alloca gmtime localtime " \
             "ctime asctime system popen"
    count = split(banned, names, " ")
    calls = names[1]
    for (i = 2; i <= count; i++)
        calls = calls "|" names[i]
    calls = "(^|[^A-Za-z0-9_.>])(" calls ")[ ]*\\("
    words = "(^|[^A-Za-z0-9_])(TO" "DO|FIX" "ME|XX" "X|HA" "CK)([^A-Za-z0-9_]|$)"
}

FNR == 1 {
    finish_file()
    file = FILENAME
    folder = file
    sub(/\/.*$/, "", folder)
    is_header = file ~ /\.h$/
    is_c = file ~ /\.[ch]$/
    is_make = file ~ /(\.mk|Makefile\.am)$/
    guarded = in_comment = body_start = spdx = 0
}

{ lines = FNR }

FNR <= 2 && /SPDX-License-Identifier: Apache-2\.0/ { spdx = FNR }
FNR == 2 || (FNR == 1 && spdx) {
    if (!spdx && FNR == 2)
        complain("spdx", "no SPDX-License-Identifier")
    if (spdx == 2 && is_c)
        complain("spdx", "the SPDX line is not the first")
}

{
    plain = $0
    gsub(/[\200-\277]/, "", plain)
    if (length(plain) > 100)
        complain("width", length(plain) " columns, at most 100")
    if (/\t/ && !is_make && FILENAME !~ /\.go$/)
        complain("tab", "a tab")
    if (/[ \t\r]$/)
        complain("trailing", "space at the end of the line")
    if ($0 ~ words)
        complain("word", "a note to ourselves")
}

is_c {
    if (is_header && $0 == "#define " guard_of(FILENAME))
        guarded = 1
    judge_include($0)
    judge_function($0)
    code = code_of($0)
    if (code ~ /(^|[ \t;{}])\/\//)
        complain("comment", "a // comment")
    if (match(code, calls))
        complain("call", substr(code, RSTART, RLENGTH) ") is banned")
}

END { finish_file() }
