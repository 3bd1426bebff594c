#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Lets Kafka's own classes decode and encode our messages.

    check_bytes.py PROGRAM

PROGRAM (tests/message_lines) prints messages by chance, in every version. Kafka's jars come by
Maven; a JDK is needed. The exit status is 1 if any message does not come back byte-equal.
"""
import pathlib
import subprocess
import sys
import tempfile

from check_schemas import KAFKA_JARS, fetch_jar


def main(arguments):
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    tools = pathlib.Path(__file__).parent
    with tempfile.TemporaryDirectory() as folder:
        jars = ":".join(str(fetch_jar(artifact, folder)) for artifact in KAFKA_JARS)
        with subprocess.Popen([arguments[0]], stdout=subprocess.PIPE) as lines:
            java = subprocess.run(["java", "-cp", jars, str(tools / "CheckBytes.java")],
                                  stdin=lines.stdout, check=False)
        return java.returncode or lines.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
