# SPDX-License-Identifier: Apache-2.0
"""What compare.py makes of its rounds, each of which is {system: {arm's name: what was said}}."""

import statistics

from arms import KNOWN_SLACK

# A bound by the floor may be missed by so much, with the profile that says why.
FLOOR_SLACK = 1.5
# With fewer rounds a median is one or two values that chance picked.
ROUNDS_ENOUGH = 9
# Beyond this share of a processor it may be the client that is measured.
CLIENT_SHARE_MAX = 0.9


def wrong(said):
    """What makes a run of the load worth nothing; an empty text when nothing does."""
    if said is None:
        return "nothing was said"
    found = ["%d %s" % (said[key], key) for key in ("errors", "unanswered", "unsent", "lost")
             if said[key]]
    missing = said["all_records"] - said.get("tail_records", said["all_records"])
    if missing > 0:
        found.append("%d records not read" % missing)
    if not said["requests"]:
        found.append("no requests")
    return ", ".join(found)


def values(rounds, arm, figure, names):
    """The figures of these systems, in each round in which all of them have it."""
    rows = [[one.get(name, {}).get(arm.name) for name in names] for one in rounds]
    return [[figure.read(said) for said in row] for row in rows if not any(map(wrong, row))]


def ratio(rounds, arm, figure, one, other):
    """{median, least, most, rounds} of the rounds' ratios; None when there is none."""
    found = [a / b for a, b in values(rounds, arm, figure, (one, other)) if a > 0 and b > 0]
    if not found:
        return None
    return {"median": statistics.median(found), "least": min(found), "most": max(found),
            "rounds": len(found)}


def judge(figure, found, bound, slack):
    """Whether a ratio keeps its bound: yes, by how much it does not, and NO when that is beyond
    what may be."""
    if bound is None:
        return "-"
    if found is None:
        return "?"
    missed = bound / found["median"] if figure.more else found["median"] / bound
    if missed <= 1:
        return "yes"
    return "%smissed by %.2f x" % ("NO, " if missed > slack else "", missed)


def beside(rounds, arm, figure, other, bound, slack):
    found = ratio(rounds, arm, figure, "chronik", other)
    return {"ratio": found, "bound": bound, "met": judge(figure, found, bound, slack)}


def known(rounds, arm, figure):
    """Floor : Kafka beside what is known of it; None where nothing is, or nothing was measured."""
    found = ratio(rounds, arm, figure, "floor", "kafka")
    if figure.known is None or found is None:
        return None
    off = found["median"] / figure.known - 1
    return {"now": found["median"], "before": figure.known, "off": off,
            "void": abs(off) > KNOWN_SLACK}


def figure_row(names, arm, figure, rounds):
    medians = {}
    for name in names:
        found = values(rounds, arm, figure, (name,))
        medians[name] = statistics.median(one for one, in found) if found else None
    return {"arm": arm.name, "figure": figure.name, "more_is_better": figure.more,
            "medians": medians,
            "shown": {name: "-" if medians[name] is None else figure.form % medians[name]
                      for name in names},
            "floor": beside(rounds, arm, figure, "floor", figure.floor, FLOOR_SLACK),
            "kafka": beside(rounds, arm, figure, "kafka", figure.kafka, 1),
            "known": known(rounds, arm, figure)}


def clients(names, arm, rounds):
    """{system: the median of the share of a processor that the client took}."""
    found = {}
    for name in names:
        shares = [said["own_cpu_s"] / said["seconds"] for one in rounds
                  for said in [one.get(name, {}).get(arm.name)] if not wrong(said)]
        if shares:
            found[name] = statistics.median(shares)
    return found


def complaints(names, arms, rounds):
    """What was to be measured and was not, as lines."""
    lines = []
    for arm in arms:
        for name in names:
            if name == "floor" and not arm.on_floor:
                continue
            found = [why for one in rounds if (why := wrong(one.get(name, {}).get(arm.name)))]
            if found:
                lines.append("%s, %s: not counted in %d of %d rounds: %s" % (
                    name, arm.name, len(found), len(rounds), "; ".join(sorted(set(found)))))
    return lines


def hiccups(names, rounds):
    """{system: how late the machine was while it was measured}: medians of all arms, in us."""
    found = {}
    for name in names:
        late = [said["hiccup"] for one in rounds for said in one.get(name, {}).values() if said]
        if late:
            found[name] = {key: statistics.median(one[key] for one in late)
                           for key in ("p50_us", "p99_us", "p99_9_us")}
            found[name]["max_us"] = max(one["max_us"] for one in late)
    return found


def conclude(names, arms, rounds):
    """All that is to be told; "void" is None when that cannot be known."""
    rows = [figure_row(names, arm, figure, rounds) for arm in arms for figure in arm.figures]
    judged = [row["known"]["void"] for row in rows if row["known"]]
    return {"rounds": len(rounds), "systems": names, "figures": rows,
            "clients": {arm.name: clients(names, arm, rounds) for arm in arms},
            "complaints": complaints(names, arms, rounds), "hiccups": hiccups(names, rounds),
            "void": any(judged) if judged else None}


def show_table(head, rows):
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    for row in [head, ["-" * width for width in widths], *rows]:
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |")


def cells(row, other):
    """A ratio, its bound, and whether that is met."""
    found, bound = row[other]["ratio"], row[other]["bound"]
    return ["-" if found is None else "%(median).3g (%(least).3g to %(most).3g)" % found,
            "-" if bound is None else
            "%s %.3g" % (">=" if row["more_is_better"] else "<=", bound), row[other]["met"]]


def named(rows):
    """Each row with its arm's name, told once."""
    last = None
    for row in rows:
        yield "" if row["arm"] == last else row["arm"], row
        last = row["arm"]


def tally(found, other):
    """How many of the bounds by another system are met, in a few words."""
    met = [row[other]["met"] for row in found["figures"] if row[other]["bound"] is not None]
    return "%d of %d met, %d missed by more than may be, %d not measured" % (
        met.count("yes"), len(met), sum(one.startswith("NO") for one in met), met.count("?"))


def show_ratios(found):
    print("\nchronik by the others: medians of the ratios of %d rounds%s" % (
        found["rounds"], "" if found["rounds"] >= ROUNDS_ENOUGH else
        ": fewer than %d, too few to be told" % ROUNDS_ENOUGH))
    show_table(["arm", "figure", "by floor", "bound", "met", "by Kafka", "bound", "met"],
               [[name, row["figure"], *cells(row, "floor"), *cells(row, "kafka")]
                for name, row in named(found["figures"])])
    for other in ("floor", "Kafka"):
        print("bounds by %s: %s" % (other, tally(found, other.lower())))


def show_figures(found):
    names = found["systems"]
    print("\nmedians of the figures themselves, and the client's share of a processor\n"
          "(from %.0f %% on it may be the client that is measured: *)" % (CLIENT_SHARE_MAX * 100))
    rows = []
    for arm, row in named(found["figures"]):
        shares = found["clients"][row["arm"]]
        rows.append([arm, row["figure"], *(row["shown"][name] for name in names), ", ".join(
            "%.0f %%%s" % (shares[name] * 100, "*" if shares[name] >= CLIENT_SHARE_MAX else "")
            if name in shares else "-" for name in names) if arm else ""])
    show_table(["arm", "figure", *names, "client"], rows)


def show_hiccups(found):
    print("\nhow late the machine itself was while each was measured, us; medians of all arms")
    show_table(["", "p50", "p99", "p99.9", "most of all"],
               [[name, *("%.0f" % late[key] for key in ("p50_us", "p99_us", "p99_9_us", "max_us"))]
                for name, late in found["hiccups"].items()])


def show_known(found):
    if found["void"] is None:
        print("\nWithout Kafka and the floor in one arm it cannot be told whether this run is "
              "void.")
        return
    print("\nfloor : Kafka, beside what it was before")
    rows = []
    for name, row in named([row for row in found["figures"] if row["known"]]):
        one = row["known"]
        rows.append([name, row["figure"], "%.3g" % one["now"], "%.3g" % one["before"],
                     "%+.0f %%%s" % (one["off"] * 100, " VOID" if one["void"] else "")])
    show_table(["arm", "figure", "now", "before", "off by"], rows)
    if found["void"]:
        print("THIS RUN IS VOID: the floor and Kafka do not stand to one another as they did, by "
              "more than a third.")


def show(found):
    """Prints what conclude() found."""
    show_ratios(found)
    show_figures(found)
    show_hiccups(found)
    show_known(found)
    for line in found["complaints"]:
        print("# " + line)
