# SPDX-License-Identifier: Apache-2.0
"""Which commit a tree's instructions are compared with: writes into a folder that is not there yet

    tree/       its files
    name        what people call it
    message     what the commits since then say, whose lines "Instructions: why" excuse them

or, where there is no such commit, the one file `none`, which says why.

    base.py FOLDER          of the checkout that this file is in

It is the first parent of HEAD, or the commit that CHRONIK_INSTRUCTIONS_BASE names, which has to be
there."""

import os
import subprocess
import sys


class NoBase(Exception):
    """There is nothing to compare with, and why."""


def git(source, *arguments, **options):
    """What git says about the checkout, whoever owns it."""
    done = subprocess.run(["git", "-c", "safe.directory=*", "-C", source, *arguments],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, **options)
    if done.returncode != 0:
        raise NoBase("git %s failed" % arguments[0])
    return done.stdout


def named(source):
    """The commit's hash."""
    try:
        inside = git(source, "rev-parse", "--show-prefix", text=True).strip()
    except (OSError, NoBase):
        raise NoBase("this is no checkout of git's") from None
    if inside:
        raise NoBase("this is a part of another checkout")
    wanted = os.environ.get("CHRONIK_INSTRUCTIONS_BASE")
    try:
        return git(source, "rev-parse", "--verify", (wanted or "HEAD^") + "^{commit}",
                   text=True).strip()
    except NoBase:
        if wanted:
            sys.exit("base.py: git has no commit %s here" % wanted)
        raise NoBase("git has no parent of HEAD here") from None


def write(folder, name, text):
    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
        file.write(text)


def export(source, folder):
    """Writes the folder for the checkout `source`."""
    os.makedirs(folder)
    try:
        commit = named(source)
        files = git(source, "archive", commit)
        name = git(source, "log", "-1", "--format=%h %s", commit, text=True)
        message = git(source, "log", "--format=%B", commit + "..HEAD", text=True)
    except NoBase as why:
        write(folder, "none", "%s\n" % why)
        return
    tree = os.path.join(folder, "tree")
    os.makedirs(tree)
    subprocess.run(["tar", "-x", "-C", tree], input=files, check=True)
    write(folder, "name", name)
    write(folder, "message", message)


if __name__ == "__main__":
    export(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."), sys.argv[1])
