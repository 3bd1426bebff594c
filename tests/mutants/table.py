# SPDX-License-Identifier: Apache-2.0
"""Makes the table of planted bugs from what hunt.py found.

    python3 table.py STATE.json PAGE.md

The table goes where the page has its marks."""

import json
import os
import sys

from hunt import SCENARIOS, key_of, names_of, scenario_of, tells_of

BEGIN, END = "<!-- table: begin (made by tests/mutants/table.py) -->", "<!-- table: end -->"
HEAD = ("| Mutant | What is planted | Found by | From base seeds | Seeds | Events | CPU seconds | "
        "Actions after shrinking | … in seconds |\n|-|-|-|-|-|-|-|-|-|\n")


def row_of(name, row):
    if row is None:
        return "| %s | %s | not hunted yet | | | | | | |\n" % (name, tells_of(name))
    found = sorted((f for f in row["findings"] if f is not None), key=lambda f: f["seconds"])
    middle = found[len(found) // 2] if found else None
    judges = ", ".join(sorted({f["judge"] for f in found})) or "nobody"
    shrunk = row["shrunk"]
    return "| %s | %s | %s | %d of %d | %s | %s | %s | %s | %s |\n" % (
        name, row["tells"], judges, len(found), len(row["findings"]),
        middle["seeds"] if middle else "",
        middle.get("events", "") if middle else "",
        "%.2f" % middle["seconds"] if middle else "",
        shrunk["actions"] if shrunk else "",
        "%.1f" % shrunk["seconds"] if shrunk else "")


def table_of(state):
    text = HEAD + "".join(row_of(name, state["mutants"].get(name)) for name in names_of())
    for kind in ("",) + tuple(sorted(SCENARIOS)):
        keys = [(base, key_of(kind, base)) for base in state["bases"]
                if key_of(kind, base) in state["clean"]]
        broken = [str(seed) for _, key in keys for seed in state["broken"].get(key, [])]
        if keys:
            text += "\nThe build without a mutant passes the seeds %s of %s%s.\n" % (
                ", ".join("%s to %d" % (base, state["clean"][key]) for base, key in keys),
                os.path.basename(scenario_of(kind)),
                ", all but %s, with which nothing counts as found" % ", ".join(broken)
                if broken else "")
    return text


def main():
    with open(sys.argv[1], encoding="utf-8") as text:
        state = json.load(text)
    with open(sys.argv[2], encoding="utf-8") as text:
        page = text.read()
    before, rest = page.split(BEGIN + "\n")
    after = rest.split(END + "\n")[1]
    with open(sys.argv[2], "w", encoding="utf-8") as text:
        text.write(before + BEGIN + "\n\n" + table_of(state) + "\n" + END + "\n" + after)


if __name__ == "__main__":
    main()
