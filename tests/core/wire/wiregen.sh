#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What wiregen refuses, and where it says that the fault lies. TAP.
set -u
LC_ALL=C
export LC_ALL
wiregen=$PWD/tools/wiregen
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
number=0
failed=0

# refuses LINE TEXT: wiregen says TEXT about LINE of the schema on standard input.
refuses()
{
    number=$((number + 1))
    cat >bad.kp
    "$wiregen" out bad.kp >said 2>&1
    status=$?
    if [ "$status" -eq 1 ] && grep -qF "bad.kp:$1: " said && grep -qF "$2" said &&
        [ ! -e out.c ]; then
        echo "ok $number - $2"
    else
        failed=1
        echo "not ok $number - $2"
        sed 's/^/# /' said
        rm -f out.c out.h
    fi
}

# field LINE TEXT: the same about line 2 of a message with versions 0-4 that is flexible from 2 on.
field()
{
    refuses 2 "$2" <<END
data thing versions 0-4 flexible 2
$1
END
}

field '  Name string' 'not a name in snake_case'
field '  name' 'the type is missing'
field '  name text' '"text" is not a type'
field '  name ?int32' 'int32 has no null'
field '  name []records' 'there are no arrays of records'
field '  name []?string' '"[]?string" is not a type'
field '  name string 5+' 'do not lie within 0-4'
field '  name string 0+' 'leave nothing out'
field '  name string -4' 'leave nothing out'
field '  name string 3-1' 'do not lie within 0-4'
field '  name string 1x' 'is not a range of versions'
field '  name string null 1+' '"null" needs a nullable type'
field '  name ?string null 0+' 'leave nothing out'
field '  name ?string null' 'the range of versions with null is missing'
field '  name string tag 0' 'not possible below the first flexible version'
field '  name string 1+ tag 0' 'not possible below the first flexible version'
field '  name string 2+ tag 64' 'tags end at 63'
field '  name string 2+ tag -1' 'the tag has to be a number'
field '  name int32 plain' '"plain" needs a string'
field '  name int8 = 128' 'does not fit int8'
field '  name uint16 = -1' 'does not fit uint16'
field '  name int32 = 2147483648' 'does not fit int32'
field '  name int64 = 9223372036854775808' 'does not fit int64'
field '  name int32 = x' 'is not a default of this type'
field '  name bool = 1' 'is not a default of this type'
field '  name uuid = 0' 'is not a default of this type'
field '  name []int32 = 1' 'is not a default of this type'
field '  name string = null' 'nullable in every version'
field '  name ?string null 1+ = null' 'nullable in every version'
field '  name int32 = ' 'the default is missing'
field '  name int32 = 1 2' 'is not expected here'
field '  name ?{}' 'has the default null'
field '   name int32' 'two spaces a level'
field '    name int32' 'deeper than the struct'
field '  name []' 'is nothing at all in version 0'
field "  name$(printf '\t')int32" 'there is a tab'

refuses 3 'field name is declared twice' <<'END'
data thing versions 0
  name int32
  name int32
END
refuses 3 'tag 1 is that of first' <<'END'
data thing versions 0-3 flexible 0
  first int32 tag 1
  second int32 2+ tag 1
END
refuses 3 'a nullable struct cannot be tagged' <<'END'
data thing versions 0 flexible 0
  first int32
  second ?{} tag 1 = null
END
refuses 2 'struct thing is declared twice' <<'END'
data thing versions 0
data thing versions 0
END
refuses 4 'struct thing_part is declared twice' <<'END'
data thing versions 0
  parts []
    name string
  part []
    name string
END
refuses 1 'a field stands here that belongs to no message' <<'END'
  name string
END
refuses 1 'begins no message' <<'END'
message thing versions 0
END
refuses 1 '"versions A-B" is missing' <<'END'
data thing
END
refuses 1 'lies above the last version' <<'END'
data thing versions 0-1 flexible 2
END
refuses 1 'is not a range of versions' <<'END'
data thing versions 2-1
END
refuses 1 'belongs to no api' <<'END'
request
END
refuses 2 'belongs to no api' <<'END'
api thing 1 versions 0
response
END
refuses 1 'needs a request and a response' <<'END'
api thing 1 versions 0
request
  name string
END
refuses 5 'key 1 is that of thing' <<'END'
api thing 1 versions 0
request
  name string
response
api other 1 versions 0
END
refuses 1 '"type T" is missing' <<'END'
record thing_key versions 0
  name string
END
refuses 1 'can have no version but 0' <<'END'
record thing_key type 1 versions 0-1
  name string
END
printf 'data thing versions 0' >no-end
refuses 1 'has no end' <no-end

number=$((number + 1))
printf 'data thing versions 0\n  name string\n' >good.kp
if "$wiregen" out good.kp && [ -s out.c ] && [ -s out.h ] && [ ! -e out.c.draft ]; then
    echo "ok $number - a good schema becomes two files"
else
    failed=1
    echo "not ok $number - a good schema becomes two files"
fi

echo "1..$number"
exit "$failed"
