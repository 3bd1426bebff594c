#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The questions that doc/SIMULATOR.md asks a trace: SQLite takes each, and each has an answer in the
# trace of a run with faults that failed. Every table and view is asked. TAP.
[ -n "${BASH_VERSION-}" ] || exec bash "$0" "$@"
set -u
srcdir=${srcdir:-.}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

cat >"$scratch/asked.json" <<'END'
{
    "tells": "One of two machines crashes under load, and more is expected than can be.",
    "load_ms": 1500,
    "nodes": [{"settings": {"controller.quorum.voters": "1@n1:9093,2@n2:9093"}},
              {"settings": {"controller.quorum.voters": "1@n1:9093,2@n2:9093"}}],
    "topics": [{"name": "orders", "partitions": 2}],
    "clients": [{"kind": "producer", "count": 2}, {"kind": "consumer"}],
    "faults": [{"kind": "crash", "node": 1, "at_ms": 400, "lasts_ms": 20},
               {"kind": "slow_disk", "at_ms": 1400, "lasts_ms": 50}],
    "expect": {"acked_records": 1000000000}
}
END
./chronik-sim run "$scratch/asked.json" --trace "$scratch/asked.db" >"$scratch/said" 2>&1
python3 - "$srcdir/doc/SIMULATOR.md" "$scratch/asked.db" <<'END'
import re, sqlite3, sys

page = open(sys.argv[1], encoding="utf-8").read()
questions = re.findall(r"```sql\n(.*?)```", page, re.S)
db = sqlite3.connect(sys.argv[2])
names = [name for name, in db.execute(
    "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")]
asked = set()
db.set_authorizer(lambda action, one, two, base, inner:
                  asked.add(one) or asked.add(inner) or sqlite3.SQLITE_OK)
results = []
for question in questions:
    what = " ".join(question.split())
    try:
        answers = db.execute(question).fetchall()
        results.append((len(answers) > 0, what, "no answer"))
    except sqlite3.Error as error:
        results.append((False, what, str(error)))
for name in names:
    results.append((name in asked and "**`%s`**" % name in page, name + " is told of", "it is not"))
print("1..%d" % len(results))
for number, (good, what, why) in enumerate(results, 1):
    print("%sok %d - %s" % ("" if good else "not ", number, what.replace("#", "")))
    if not good:
        print("# " + why)
sys.exit(not all(good for good, _, _ in results) or len(questions) == 0)
END
