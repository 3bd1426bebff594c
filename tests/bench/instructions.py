# SPDX-License-Identifier: Apache-2.0
"""The gate of bench/instructions without what it counts: which commit it compares with, what it
takes and what it refuses, and that every tape plays. That it sees more work in a function it shows
itself in each run of "make bench-instructions". Reports in TAP."""

import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "bench", "instructions"))
import base  # noqa: E402
import gate  # noqa: E402

report = gate.Report()


def git(folder, *arguments):
    subprocess.run(["git", "-c", "user.name=test", "-c", "user.email=test@example.org", "-c",
                    "commit.gpgsign=false", "-c", "init.defaultBranch=main", "-C", folder,
                    *arguments], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def commit(folder, name, message):
    """A commit that adds a file of this name."""
    with open(os.path.join(folder, name), "w", encoding="utf-8"):
        pass
    git(folder, "add", name)
    git(folder, "commit", "-q", "-m", message)


def exported(scratch, source, name=None):
    """Files, message and reason of what base.py writes for a checkout."""
    os.environ["CHRONIK_INSTRUCTIONS_BASE"] = name or ""
    folder = tempfile.mkdtemp(dir=scratch)
    os.rmdir(folder)
    base.export(source, folder)

    def read(part):
        path = os.path.join(folder, part)
        if not os.path.exists(path):
            return None
        with open(path, encoding="utf-8") as file:
            return file.read()
    tree = os.path.join(folder, "tree")
    files = sorted(os.listdir(tree)) if os.path.exists(tree) else None
    return files, read("message"), read("none")


def try_base(scratch):
    plain = os.path.join(scratch, "plain")
    os.makedirs(plain)
    report.verdict(exported(scratch, plain)[2] is not None,
                   "what is no checkout has nothing to be compared with")
    repository = os.path.join(scratch, "repository")
    os.makedirs(os.path.join(repository, "part"))
    git(repository, "init", "-q")
    commit(repository, "first", "first")
    report.verdict(exported(scratch, repository)[2] is not None, "nor has the first commit")
    commit(repository, "second", "second\n\nInstructions: the second's why")
    report.verdict(exported(scratch, os.path.join(repository, "part"))[2] is not None,
                   "nor has what lies in another checkout")
    files, message, none = exported(scratch, repository)
    report.verdict(files == ["first"] and "the second's why" in message and none is None,
                   "a commit is compared with its parent, by its own message")
    git(repository, "checkout", "-q", "-b", "side", "HEAD^")
    commit(repository, "third", "third\n\nInstructions: the third's why")
    git(repository, "checkout", "-q", "main")
    git(repository, "merge", "-q", "--no-ff", "-m", "merge", "side")
    files, message, none = exported(scratch, repository)
    report.verdict(files == ["first", "second"] and "the third's why" in message and
                   "the second's why" not in message,
                   "a merge is compared with its first parent, by the messages that it brings")
    files, message, none = exported(scratch, repository, "HEAD~2")
    report.verdict(files == ["first"] and "the third's why" in message and
                   "the second's why" in message,
                   "a commit that is named is compared with, by all messages since")
    try:
        exported(scratch, repository, "nowhere")
        refused = False
    except SystemExit as end:
        refused = bool(end.code)
    report.verdict(refused, "one that is named and not there is an error")


def try_judge():
    plain = "area: what changed\n\nThey call it Instructions: no reason.\nInstructions:  \n"
    excused = plain + "Instructions: a check of what came\n"
    for before, now, message, taken, text in (
            (1000, 1010, plain, True, "1 % more is taken"),
            (1000, 500, plain, True, "less is taken"),
            (1000, 1011, plain, False, "more than 1 % more is refused"),
            (1000, 1011, excused, True, "unless the message says why"),
            (1000, 9000, excused, True, "however much it is")):
        report.verdict(gate.judge("arm", now, before, message)[0] == taken, text)


def try_put_tapes(scratch):
    tree = os.path.join(scratch, "tree")
    os.makedirs(os.path.join(tree, "bench", "instructions"))
    for path in ("Makefile.am", "bench/instructions/old.c"):
        with open(os.path.join(tree, path), "w", encoding="utf-8"):
            pass
    gate.put_tapes(tree)
    there = os.path.join(tree, "bench", "instructions")
    with open(os.path.join(tree, "Makefile.am"), encoding="utf-8") as file:
        included = file.read().count("bench/instructions/local.mk")
    report.verdict(included == 1 and os.path.exists(os.path.join(there, "main.c")) and
                   os.listdir(there + ".own") == ["old.c"],
                   "this tree's tapes take the place of another's, which stay beside")


def try_tapes():
    for arm in gate.arms_of(gate.TAPE):
        done = subprocess.run([gate.TAPE, arm], stdout=subprocess.PIPE, check=False)
        report.verdict(done.returncode == 0 and b" requests, " in done.stdout,
                       "%s plays, and all is answered without an error" % arm)


def main():
    os.environ["GIT_CONFIG_GLOBAL"] = os.environ["GIT_CONFIG_SYSTEM"] = os.devnull
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        os.environ.pop(name, None)
    with tempfile.TemporaryDirectory(prefix="chronik-instructions.") as scratch:
        try_base(scratch)
        try_put_tapes(scratch)
    try_judge()
    try_tapes()
    print("1..%d" % report.number)
    sys.exit(1 if report.failed else 0)


if __name__ == "__main__":
    main()
