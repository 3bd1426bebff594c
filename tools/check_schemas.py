#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares our schema files with Kafka's own.

    check_schemas.py SCHEMA-FOLDER [KAFKA-FOLDER]

KAFKA-FOLDER holds Kafka's JSON schemas, at any depth. Without it they are taken out of Kafka's
jars, which Maven fetches. TAP: a message is a case, which every difference in key, versions,
flexible versions, field, type, tag, nullability or default fails. The exit status is 1 if there is
any, 2 if the comparison could not be made.

This reader of schema files is written apart from wiregen's, so that a mistake in one shows.
"""
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import zipfile

KAFKA_VERSION = "4.3.1"
KAFKA_JARS = ("kafka-clients", "kafka-group-coordinator", "kafka-metadata")
JSON_FOLDERS = ("common/message/", "common/metadata/")
VERSION_MAX = 32767
# What our own nodes say to one another.
OURS_ALONE = ("peer.kp", "quorum.kp", "raft.kp", "replica.kp")
# Fields of ours in messages of Kafka's: tagged ones, which its readers pass over.
OURS_BESIDE = {
    ("register_broker_record", "unclean_restart"),
    ("describe_cluster_request", "include_streams"),
    ("describe_cluster_response", "streams"),
    ("describe_topic_partitions_request", "include_followers"),
    ("describe_topic_partitions_response", "topics.partitions.log_end_offset"),
    ("describe_topic_partitions_response", "topics.partitions.followers"),
}
INTEGERS = ("int8", "int16", "uint16", "int32", "uint32", "int64")


class Field:
    """One field, with absolute sets of versions."""

    def __init__(self, name, kind, array, versions, nullable, tagged, tag, plain, default, fields):
        self.name = name
        self.kind = kind
        self.array = array
        self.versions = versions
        self.nullable = nullable & versions
        self.tagged = tagged & versions
        self.tag = tag
        self.plain = plain
        self.default = default
        self.fields = fields

    def type_text(self):
        return ("[]" if self.array else "") + (self.kind if self.fields is None else "{}")


class Message:
    def __init__(self, name, where, key, versions, flexible, fields, partial=False):
        self.name = name
        self.where = where
        self.key = key
        self.versions = versions
        self.flexible = flexible & versions
        self.fields = fields
        # Metadata records are written by us alone: we may know fewer versions and tagged fields.
        self.partial = partial


def range_of(text, within):
    """The versions of "4+", "-12", "3-7", "3" or "none", as far as they are in `within`."""
    if text is None or text == "none":
        return frozenset()
    match = re.fullmatch(r"(\d*)(?:(\+)|(-)(\d*))?", text)
    if not match:
        raise ValueError(f"not a range of versions: {text}")
    first = int(match[1] or 0)
    last = VERSION_MAX if match[2] else int(match[4]) if match[3] else first
    return frozenset(version for version in within if first <= version <= last)


def show(versions):
    """"3-5,7" for a set of versions."""
    parts = []
    for version in sorted(versions):
        if parts and parts[-1][1] == version - 1:
            parts[-1][1] = version
        else:
            parts.append([version, version])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in parts) or "none"


def snake(name):
    """max_wait_ms for MaxWaitMs."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


# Our side.


def our_default(field_type, words, where):
    if not words:
        return None
    if words[0] != "=" or len(words) != 2:
        raise ValueError(f"{where}: not understood: {' '.join(words)}")
    if words[1] == "null":
        return "null"
    if field_type == "bool":
        return words[1] == "true"
    return int(words[1], 0)


def our_field(words, parent, flexible, where):
    name, field_type, *rest = words
    nullable_type = field_type.startswith("?")
    bare = field_type.lstrip("?")
    array = bare.startswith("[]")
    bare = bare[2:] if array else bare
    fields = [] if bare in ("", "{}") else None
    versions = range_of("0+", parent)
    if rest and re.match(r"-?\d", rest[0]):
        versions = range_of(rest.pop(0), parent)
    nullable = versions if nullable_type else frozenset()
    tag = None
    if rest[:1] == ["null"]:
        nullable = range_of(rest[1], versions)
        rest = rest[2:]
    if rest[:1] == ["tag"]:
        tag = int(rest[1])
        rest = rest[2:]
    plain = rest[:1] == ["plain"]
    default = our_default(bare, rest[1:] if plain else rest, where)
    tagged = versions & flexible if tag is not None else frozenset()
    return Field(name, bare, array, versions, nullable, tagged, tag, plain, default, fields)


def our_versions(words):
    """(versions, flexible versions) of "versions A-B [flexible V]"."""
    first, _, last = words[1].partition("-")
    versions = frozenset(range(int(first), int(last or first) + 1))
    flexible = range_of(words[3] + "+", versions) if words[2:3] == ["flexible"] else frozenset()
    return versions, flexible


def read_ours(path):
    """All messages of one schema file."""
    messages = []
    api = None
    opened = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        where = f"{path.name}:{number}"
        line = line.partition("#")[0].rstrip()
        words = line.split()
        if not words:
            continue
        depth = (len(line) - len(line.lstrip())) // 2
        if depth == 0:
            if words[0] == "api":
                api = (words[1], int(words[2]), *our_versions(words[3:]))
                continue
            if words[0] in ("request", "response"):
                name, key, versions, flexible = api
                name = f"{name}_{words[0]}"
            elif words[0] == "record":
                name, key = words[1], int(words[3])
                versions, flexible = our_versions(words[4:])
            else:
                name, key = words[1], None
                versions, flexible = our_versions(words[2:])
            message = Message(name, where, key, versions, flexible, [])
            messages.append(message)
            opened = [(message.fields, versions)]
            continue
        opened = opened[:depth]
        field = our_field(words, opened[-1][1], message.flexible, where)
        opened[-1][0].append(field)
        if field.fields is not None:
            opened.append((field.fields, field.versions))
    return messages


# Kafka's side.


def their_default(entry, array, kind):
    if entry.get("default", "") == "":
        return None
    if entry["default"] in (None, "null"):
        return "null"
    text = str(entry["default"])
    if kind == "bool":
        return text == "true"
    if kind in INTEGERS and not array:
        return int(text, 0)
    raise ValueError(f"default {text} of {entry['name']} is not understood")


def their_fields(entries, parent, structs):
    fields = []
    for entry in entries:
        kind = entry["type"]
        array = kind.startswith("[]")
        kind = kind[2:] if array else kind
        versions = range_of(entry.get("versions", entry.get("taggedVersions")), parent)
        nested = None
        if kind[0].isupper():
            nested = their_fields(entry.get("fields") or structs[kind], versions, structs)
        plain = entry.get("flexibleVersions") == "none"
        fields.append(
            Field(snake(entry["name"]), kind, array, versions,
                  range_of(entry.get("nullableVersions"), versions),
                  range_of(entry.get("taggedVersions"), versions), entry.get("tag"), plain,
                  their_default(entry, array, kind), nested))
    return fields


def read_theirs(name, entry, unstable):
    """The message of one of Kafka's JSON files; None if it has no versions."""
    versions = range_of(entry["validVersions"], range(VERSION_MAX))
    # A request says for its response too that brokers do not offer the last version yet.
    if entry["type"] in ("request", "response") and entry["apiKey"] in unstable and versions:
        versions -= {max(versions)}
    if not versions:
        return None
    structs = {struct["name"]: struct["fields"] for struct in entry.get("commonStructs", [])}
    return Message(snake(entry["name"]), name, entry.get("apiKey"), versions,
                   range_of(entry["flexibleVersions"], versions),
                   their_fields(entry["fields"], versions, structs),
                   partial=entry["type"] == "metadata")


def fetch_jar(artifact, folder):
    command = ["mvn", "-q", "-B", "-Dstyle.color=never",
               "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy",
               f"-Dartifact=org.apache.kafka:{artifact}:{KAFKA_VERSION}",
               f"-DoutputDirectory={folder}"]
    try:
        subprocess.run(command, check=True, cwd=folder, stdout=sys.stderr)
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"check_schemas: Maven could not fetch {artifact}: {error}")
    return pathlib.Path(folder) / f"{artifact}-{KAFKA_VERSION}.jar"


def json_of_jars():
    with tempfile.TemporaryDirectory() as folder:
        for artifact in KAFKA_JARS:
            with zipfile.ZipFile(fetch_jar(artifact, folder)) as jar:
                for name in jar.namelist():
                    if name.startswith(JSON_FOLDERS) and name.endswith(".json"):
                        yield f"{artifact}: {name}", jar.read(name).decode()


def json_of_folder(folder):
    for path in sorted(pathlib.Path(folder).rglob("*.json")):
        yield str(path.name), path.read_text()


# The comparison.


def compare_field(ours, theirs, common, path, partial):
    """The differences of two fields of one name in the versions that both messages have."""
    if ours.type_text() != theirs.type_text():
        yield f"{path}: type {ours.type_text()}, Kafka has {theirs.type_text()}"
        return
    for what in ("versions", "nullable", "tagged"):
        mine = getattr(ours, what) & common
        other = getattr(theirs, what) & common
        if mine != other:
            yield f"{path}: {what} {show(mine)}, Kafka has {show(other)}"
    if ours.tag != theirs.tag:
        yield f"{path}: tag {ours.tag}, Kafka has {theirs.tag}"
    if ours.plain != theirs.plain:
        yield f"{path}: plain {ours.plain}, Kafka has {theirs.plain}"
    # Zero, false and empty are what a field without a default has.
    if (ours.default or None) != (theirs.default or None):
        yield f"{path}: default {ours.default}, Kafka has {theirs.default}"
    if ours.fields is not None:
        yield from compare_fields(ours.fields, theirs.fields, common & ours.versions, path + ".",
                                  partial)


def compare_fields(ours, theirs, common, path, partial):
    mine = {field.name: field for field in ours}
    other = {field.name: field for field in theirs if field.versions & common}
    for name in sorted(other.keys() - mine.keys()):
        if partial and other[name].tagged >= other[name].versions & common:
            continue
        yield f"{path}{name}: is missing, Kafka has it in {show(other[name].versions)}"
    for name in sorted(mine.keys() - other.keys()):
        yield f"{path}{name}: Kafka does not have it"
    both = mine.keys() & other.keys()
    for name in (field.name for field in ours if field.name in both):
        yield from compare_field(mine[name], other[name], common, path + name, partial)
    # Only fields outside of the tag section have an order on the wire.
    for version in sorted(common):
        orders = [[field.name for field in fields if field.name in both
                   and version in field.versions - field.tagged] for fields in (ours, theirs)]
        if orders[0] != orders[1]:
            yield f"{path}order in version {version}: {orders[0]}, Kafka has {orders[1]}"
            break


def without_ours(fields, message, path=""):
    """The fields but for those of OURS_BESIDE, at any depth."""
    kept = [field for field in fields if (message, path + field.name) not in OURS_BESIDE]
    for field in kept:
        if field.fields is not None:
            field.fields = without_ours(field.fields, message, path + field.name + ".")
    return kept


def compare(ours, theirs):
    if ours.key != theirs.key:
        yield f"key {ours.key}, Kafka has {theirs.key}"
    if ours.versions != theirs.versions and not (theirs.partial and
                                                 ours.versions <= theirs.versions):
        yield f"versions {show(ours.versions)}, Kafka has {show(theirs.versions)}"
    ours.fields = without_ours(ours.fields, ours.name)
    common = ours.versions & theirs.versions
    if ours.flexible & common != theirs.flexible & common:
        yield f"flexible {show(ours.flexible)}, Kafka has {show(theirs.flexible & common)}"
    yield from compare_fields(ours.fields, theirs.fields, common, "", theirs.partial)


def main(arguments):
    if len(arguments) not in (1, 2):
        print(__doc__, file=sys.stderr)
        return 2
    theirs = {}
    source = json_of_folder(arguments[1]) if len(arguments) == 2 else json_of_jars()
    # Their files have comments, which JSON does not know.
    entries = [(name, json.loads(re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE)))
               for name, text in source]
    unstable = {entry["apiKey"] for _, entry in entries if entry.get("latestVersionUnstable")}
    for name, entry in entries:
        message = read_theirs(name, entry, unstable)
        if message is not None:
            # The type of a metadata record is framing, which core/meta/ has.
            message.key = None if message.partial else message.key
            theirs[message.name] = message
    count = 0
    failed = 0
    for path in sorted(pathlib.Path(arguments[0]).glob("*.kp")):
        if path.name in OURS_ALONE:
            continue
        for ours in read_ours(path):
            count += 1
            other = theirs.get(ours.name)
            if other is None and len(arguments) == 2:
                print(f"ok {count} - {ours.name} # SKIP it is not in {arguments[1]}")
                continue
            differences = list(compare(ours, other)) if other else ["Kafka does not have it"]
            failed += bool(differences)
            print(f"{'not ok' if differences else 'ok'} {count} - {ours.name}")
            for difference in differences:
                print(f"# {ours.where}: {difference}")
    print(f"1..{count}")
    if count == 0:
        return 2
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
