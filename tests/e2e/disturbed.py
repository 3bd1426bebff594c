# SPDX-License-Identifier: Apache-2.0
"""The client tests again, with a broker whose system calls come short, are interrupted, have to be
repeated and wake it for nothing: nobody may notice.

CHRONIK_E2E_SEEDS (default "1") are what the faults are drawn from, CHRONIK_E2E_SCRIPTS which tests
that is."""

import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from chronik import Tap, must  # noqa: E402
from faulty import HARMLESS, Control  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
SEEDS = os.environ.get("CHRONIK_E2E_SEEDS", "1").split()
SCRIPTS = os.environ.get("CHRONIK_E2E_SCRIPTS", "clients rdkafka crash hostile").split()
PER_MILLE = 200
SECONDS = 1200
# Less than without faults: what is tested is the drivers.
LENGTHS = {"CHRONIK_E2E_RECORDS": "5000", "CHRONIK_E2E_CYCLES": "3", "CHRONIK_E2E_REQUESTS": "3000",
           "CHRONIK_E2E_IDLE": "100"}


def run(script, seed, control):
    environment = dict(LENGTHS, **os.environ)
    environment.update(control.environment(seed))
    done = subprocess.run(["sh", os.path.join(HERE, script + ".sh")], env=environment,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=SECONDS)
    text = done.stdout.decode(errors="replace")
    passed = len(re.findall(r"^ok (?!.*# SKIP)", text, re.M))
    must(done.returncode == 0 and passed > 0 and "\nnot ok" not in "\n" + text, text)


def everything_happened(control):
    silent = [kind for kind in HARMLESS if control.happened(kind) == 0]
    must(not silent, "never happened: %s" % silent)


def main():
    tap = Tap()
    with tempfile.NamedTemporaryFile(prefix="chronik-faulty.") as file:
        control = Control(file.name)
        control.harmless(PER_MILLE)
        for seed in SEEDS:
            for script in SCRIPTS:
                if script == "rdkafka" and not os.path.exists("tests/rdkafka"):
                    tap.skip("rdkafka, seed %s" % seed, "it needs librdkafka's headers")
                    continue
                tap.case("%s, seed %s" % (script, seed), run, script, seed, control)
        tap.case("every kind of harmless fault happened", everything_happened, control)
        print("# " + ", ".join("%s %d" % (kind, control.happened(kind)) for kind in HARMLESS))
    tap.end()


if __name__ == "__main__":
    main()
