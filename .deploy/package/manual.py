#!/usr/bin/env python3
"""Manual pages in mdoc(7), from what the program says of itself.

  manual.py PROGRAM CLUSTER_YAML DIRECTORY    writes hearsay.1, hearsay-serve.1, ... and hearsay-cluster.yaml.5

The commands, their options and their texts come from `PROGRAM --experimental-dump-help`; the page of the file is the
shipped file itself, which explains every key. The date is that of SOURCE_DATE_EPOCH.
"""

import json
import os
import subprocess
import sys
import time

# What the program's own help does not say.
EXIT_STATUS = [
    ("0", "Good."),
    ("1", "The answer is no: a topic without route, nodes that disagree, a message that finally failed."),
    ("2", "Wrong usage, a wrong file, a port in use."),
]
MORE = {
    "hearsay serve": [
        ("FILES", [
            ("/etc/hearsay/cluster.yaml", "The cluster, of which hearsay@NAME.service runs the node NAME."),
            ("/etc/hearsay/namesrv.properties", "RocketMQ's properties, for hearsay.service."),
            ("/var/lib/hearsay", "The key-value files."),
        ]),
    ],
}
HIDDEN_EVERYWHERE = {"help", "version"}
# Lines of roff may be long, but mandoc warns above 80 columns of prose.
WIDTH = 78


def main(program, cluster_file, directory):
    help_text = subprocess.run([program, "--experimental-dump-help"], check=True, capture_output=True, text=True).stdout
    root = json.loads(help_text)["command"]
    os.makedirs(directory, exist_ok=True)
    pages = list(walk(root, []))
    for path, command in pages:
        name = "-".join(path)
        others = ["-".join(other) for other, _ in pages if related(path, other)]
        write(directory, name + ".1", page(path, command, others))
    with open(cluster_file, encoding="utf-8") as file:
        write(directory, "hearsay-cluster.yaml.5", file_page(file.read()))


def write(directory, name, lines):
    with open(os.path.join(directory, name), "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def walk(command, above):
    """Every command that people may use, with its path from the program down."""
    path = above + [command["commandName"]]
    if command.get("shouldDisplay", True) and path[-1] != "help":
        yield path, command
        for one in command.get("subcommands", []):
            yield from walk(one, path)


def related(path, other):
    """Parents, children and siblings of a command."""
    return other != path and (other[: len(path)] == path or path[: len(other)] == other or other[:-1] == path[:-1])


# One page


def page(path, command, others):
    arguments = [one for one in command.get("arguments", []) if one.get("shouldDisplay", True)]
    own = [one for one in arguments if not is_everywhere(one)]
    lines = head("-".join(path), "1", sentence(command.get("abstract", "")).rstrip("."))
    lines += [".Sh SYNOPSIS"]
    for synopsis in synopses(path, command, own):
        lines += [".Nm " + " ".join(path)] + synopsis
    lines += [".Sh DESCRIPTION"] + prose(sentence(command.get("abstract", "")))
    if command.get("discussion"):
        lines += [".Pp"] + prose(command["discussion"])
    subcommands = [one for one in command.get("subcommands", []) if one["commandName"] != "help"]
    if subcommands:
        lines += [".Pp", "The commands are:", ".Bl -tag -width Ds"]
        for one in subcommands:
            lines += [".It Xr " + "-".join(path + [one["commandName"]]) + " 1"] + prose(one.get("abstract", ""))
        lines += [".El"]
    if own:
        lines += [".Pp", "The arguments are:", ".Bl -tag -width Ds"]
        for one in own:
            lines += [".It " + heading(one)] + explanation(one)
        lines += [".El"]
    for title, entries in MORE.get(" ".join(path), []):
        lines += section(title, entries)
    lines += section("EXIT STATUS", EXIT_STATUS)
    others = sorted(others) + ([] if len(path) > 2 else ["hearsay-cluster.yaml"])
    lines += [".Sh SEE ALSO"]
    references = [".Xr %s %s" % (one, "5" if one.endswith(".yaml") else "1") for one in others]
    return lines + [line + " ," for line in references[:-1]] + references[-1:]


def head(name, number, description):
    date = time.gmtime(int(os.environ.get("SOURCE_DATE_EPOCH", time.time())))
    day = time.strftime("%B ", date) + str(date.tm_mday) + time.strftime(", %Y", date)
    return [
        ".\\\" Generated from the program's own help.",
        ".Dd " + day, ".Dt %s %s" % (name.upper(), number), ".Os Hearsay",
        ".Sh NAME", ".Nm " + name, ".Nd " + escape(description),
    ]


def section(title, entries):
    lines = [".Sh " + title, ".Bl -tag -width Ds"]
    for word, text in entries:
        lines += [".It " + escape(word)] + prose(text)
    return lines + [".El"]


def is_everywhere(argument):
    return any(name["name"] in HIDDEN_EVERYWHERE for name in argument.get("names", []))


def synopses(path, command, arguments):
    words = []
    for one in arguments:
        if one["kind"] == "positional":
            text = ".Ar " + value(one) + (" ..." if one.get("isRepeating") else "")
        else:
            text = ".Fl " + flag_name(long_name(one)) + (" Ar " + value(one) if one["kind"] == "option" else "")
        words.append(text if not one["isOptional"] else ".Op " + text[1:])
    if command.get("subcommands"):
        words += [".Ar command", ".Op Ar argument ..."]
    return [words]


def heading(argument):
    if argument["kind"] == "positional":
        return "Ar " + value(argument) + (" ..." if argument.get("isRepeating") else "")
    names = ["Fl " + flag_name(name) for name in argument["names"]]
    if argument["kind"] == "option":
        names[-1] += " Ar " + value(argument)
    return " , ".join(names)


def long_name(argument):
    longs = [name for name in argument["names"] if name["kind"] == "long"]
    return (longs or argument["names"])[0]


def flag_name(name):
    return "\\-" + escape(name["name"]) if name["kind"] == "long" else escape(name["name"])


def value(argument):
    return escape(argument.get("valueName", "value"))


def explanation(argument):
    text = " ".join(filter(None, (sentence(argument.get(key) or "") for key in ("abstract", "discussion"))))
    described = argument.get("allValueDescriptions")
    if argument.get("allValues") and not described:
        text += " One of " + ", ".join(argument["allValues"]) + "."
    if argument.get("defaultValue") is not None:
        text += " Default: %s." % argument["defaultValue"]
    if argument.get("isRepeating") and argument["kind"] == "option" and "repeated" not in text:
        text += " May be given several times."
    lines = prose(text)
    if described:
        lines += [".Bl -tag -width replicate -compact"]
        for one in argument["allValues"]:
            lines += [".It Cm " + escape(one)] + prose(sentence(described.get(one, "")))
        lines += [".El"]
    return lines


# The page of cluster.yaml


def file_page(text):
    lines = head("hearsay-cluster.yaml", "5", "one file for a whole cluster of NameServer nodes")
    lines += [".Sh DESCRIPTION", "The file as it is shipped, with every key, its meaning, unit, range and default.",
              ".Xr hearsay-check 1", "names every mistake with its line."]
    lines += literal(text.rstrip("\n").split("\n"))
    return lines + [".Sh SEE ALSO", ".Xr hearsay-check 1 ,", ".Xr hearsay-run 1 ,", ".Xr hearsay-serve 1"]


# roff


def escape(text):
    return text.replace("\\", "\\e").replace("-", "\\-")


def macro_safe(line):
    """A line that begins with a point or an apostrophe would be a request."""
    line = escape(line)
    return "\\&" + line if line[:1] in (".", "'") else line


def literal(lines):
    return [".Bd -literal"] + [macro_safe(line) if line else "" for line in lines] + [".Ed"]


def prose(text):
    """Paragraphs; lines with two spaces in front are commands to type."""
    lines = []
    example = []
    for line in text.split("\n") + [None]:
        if line is not None and line.startswith("  "):
            example.append(line[2:])
            continue
        if example:
            lines += [".Bd -literal -offset indent"] + [macro_safe(one) for one in example] + [".Ed"]
            example = []
        if line is None:
            break
        if not line.strip():
            if lines and lines[-1] not in (".Pp", ".Ed"):
                lines.append(".Pp")
            continue
        for part in sentences(line):
            lines += wrapped(part)
    while lines and lines[-1] == ".Pp":
        lines.pop()
    # A display makes its own space.
    return [line for index, line in enumerate(lines)
            if not (line == ".Pp" and index + 1 < len(lines) and lines[index + 1].startswith(".Bd"))]


def sentences(text):
    """Each on a line of its own, as mdoc wants it: what comes after a full stop and begins with a capital."""
    begin = 0
    for index in range(1, len(text) - 1):
        if text[index - 1] in ".?!" and text[index] == " " and text[index + 1].isupper():
            yield text[begin:index]
            begin = index + 1
    yield text[begin:]


def wrapped(text):
    line = ""
    for word in text.split():
        if line and len(line) + 1 + len(word) > WIDTH:
            yield macro_safe(line)
            line = word
        else:
            line = line + " " + word if line else word
    if line:
        yield macro_safe(line)


def sentence(text):
    text = text.strip()
    return text if not text or text[-1] in ".?!" else text + "."


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
