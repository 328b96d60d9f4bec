#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-3.0-or-later
"""mklayers.py: layers and images that are odd or hostile in one way each, by name.

    mklayers.py list good|bad       the names
    mklayers.py make NAME DIR       write one below DIR; prints the words that name it to
                                    firn-build (SOURCE, an option before it where needed)
    mklayers.py all good|bad DIR    write each below DIR/NAME, those words into DIR/NAME/source,
                                    and of a bad one what its message must match into .../words
    mklayers.py check DIR           of all good ones, compare DIR/NAME/image with what must be
                                    in it; prints the names of the right ones, then what is wrong
    mklayers.py tars DIR            the uppermost layers as they are, for the fuzzer to begin with

A stack is what to write and what is expected. What to write: a list of layers (bytes or
mkoci.Layer), lowest first, which become the image oci:DIR/oci; or a function that writes
below DIR and returns the words. What is expected: of a good one the whole tree; of a bad
one what the one line must say.
"""
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tools"))
import mkoci  # noqa: E402
import stacks_bad  # noqa: E402
import stacks_bombs  # noqa: E402
import stacks_documents  # noqa: E402
import stacks_good  # noqa: E402

GOOD = stacks_good.STACKS
BAD = {**stacks_bad.STACKS, **stacks_bombs.STACKS, **stacks_documents.STACKS}


def make(what, place):
    os.makedirs(place, exist_ok=True)
    if callable(what):
        return what(place)
    layers = [layer if isinstance(layer, mkoci.Layer) else mkoci.Layer(layer) for layer in what]
    mkoci.write_layout(os.path.join(place, "oci"), mkoci.Image(layers))
    return "oci:" + os.path.join(place, "oci")


def check(tree, image):
    """Compare what @tree says of each path, and that there is nothing else."""
    import listing
    found, failures = listing.read_squashfs(image), []
    for path, wanted in tree.items():
        entry = found.get(path)
        for field, value in wanted.items():
            if entry is None or getattr(entry, field) != value:
                failures.append(f"{path!r}: {field} is {getattr(entry, field, 'missing')!r}, not {value!r}")
    failures += [f"{path!r} is too much" for path in found
                 if path not in tree and path not in (b"", b"etc") and not listing.is_point(path)]
    return failures


def make_all(stacks, place):
    for name, (what, expected) in stacks.items():
        source = make(what, os.path.join(place, name))
        with open(os.path.join(place, name, "source"), "w", encoding="utf-8") as out:
            out.write(source + "\n")
        if isinstance(expected, str):
            with open(os.path.join(place, name, "words"), "w", encoding="utf-8") as out:
                out.write(expected + "\n")


def check_all(place):
    for name, (_, tree) in GOOD.items():
        image = os.path.join(place, name, "image")
        failures = check(tree, image) if os.path.exists(image) else ["not built"]
        print("\n".join([f"right {name}"] if not failures else [f"wrong {name}: {line}" for line in failures[:10]]))


def write_tars(place):
    for name, (what, _) in {**GOOD, **BAD}.items():
        top = what[-1] if isinstance(what, list) else None
        if isinstance(top, bytes) and len(top) < 40000:
            with open(os.path.join(place, name), "wb") as out:
                out.write(top)


def main():
    verb, name = sys.argv[1:3]
    if verb == "list":
        print("\n".join(GOOD if name == "good" else BAD))
    elif verb == "make":
        print(make({**GOOD, **BAD}[name][0], sys.argv[3]))
    elif verb == "all":
        make_all(GOOD if name == "good" else BAD, sys.argv[3])
    elif verb == "tars":
        write_tars(name)
    elif verb == "check":
        check_all(name)


main()
