# SPDX-License-Identifier: LGPL-3.0-or-later
"""stacks_documents.py: manifests, indexes, configurations and blobs that must be refused (mklayers.py)."""
import json
import os

import mkoci
from mkoci import Image, Layer
from mktar import END, file

TAR = file("a", "one") + END
HEX = "0123456789abcdef" * 4
MIB = 1 << 20


def layout(change=None, layer=None, words="", **image):
    """An image of two layers with one thing wrong: of the second layer, or of the image."""
    def run(place):
        layers = [Layer(TAR), Layer(file("b") + END, **(layer or {}))]
        made = mkoci.Layout(place + "/oci")
        made.add(Image(layers, **image))
        if change:
            change(made)
        made.close()
        return f"oci:{place}/oci"
    return run, words


def blob_of(made, what):
    """The file of the manifest, its configuration, or its last layer."""
    def path(descriptor):
        return os.path.join(made.path, "blobs", "sha256", descriptor["digest"][7:])
    manifest = path(made.index["manifests"][0])
    if what == "manifest":
        return manifest
    with open(manifest, "rb") as source:
        document = json.load(source)
    return path(document["config"] if what == "config" else document["layers"][-1])


def damaged(what, words, how=lambda path: append(path, b"more")):
    return layout(lambda made: how(blob_of(made, what)), words=words)


def append(path, data):
    with open(path, "ab") as out:
        out.write(data)


def flip(path):
    """One bit of the content, the size kept."""
    with open(path, "r+b") as out:
        out.seek(12)
        byte = out.read(1)[0]
        out.seek(12)
        out.write(bytes([byte ^ 1]))


def as_fifo(path):
    os.unlink(path)
    os.mkfifo(path)


def as_folder(path):
    os.unlink(path)
    os.mkdir(path)


def as_link(path):
    os.unlink(path)
    os.symlink("/etc/passwd", path)


def raw_index(data):
    def run(place):
        made = mkoci.Layout(place + "/oci")
        made.add(Image([Layer(TAR)]))
        made.close(index=data(made) if callable(data) else data)
        return f"oci:{place}/oci"
    return run


def spaces(size):
    return (b" " * MIB for _ in range(size // MIB))


def big_index(size):
    """Right, but for its length."""
    return lambda made: [b'{"schemaVersion":2,"annotations":{"x":"', *(b"x" * MIB for _ in range(size // MIB)),
                         b'"},"manifests":', json.dumps(made.index["manifests"]).encode(), b"}"]


def many_manifests(made):
    return mkoci.dump({**made.index, "manifests": made.index["manifests"] * 200000})


def both(made):
    """A document that is a manifest and an index (CVE-2021-41190)."""
    manifest = blob_of(made, "manifest")
    with open(manifest, "rb") as source:
        document = json.load(source)
    document["manifests"] = made.index["manifests"]
    del document["mediaType"]
    made.index["manifests"] = []
    made.tag(made.blob([mkoci.dump(document)], mediaType=mkoci.MEDIA["manifest"][0]), "latest")


def missing(name):
    def run(place):
        made = mkoci.Layout(place + "/oci")
        made.add(Image([Layer(TAR)]))
        made.close()
        os.unlink(os.path.join(place, "oci", name))
        return f"oci:{place}/oci"
    return run


def option(words_before, source=""):
    def run(place):
        made = mkoci.Layout(place + "/oci")
        made.add_index([Image([Layer(TAR)], platform="linux/amd64")], "first")
        made.add_index([Image([Layer(TAR)], platform="linux/arm64")], "second")
        made.close()
        return f"{words_before}oci:{place}/oci{source}"
    return run


def deep_index(depth):
    def run(place):
        made = mkoci.Layout(place + "/oci")
        inner = made.add(Image([Layer(TAR)], platform="linux/amd64"), False)
        for _ in range(depth):
            inner = made.add_index([inner], None)
        made.index["manifests"] = []
        made.tag(inner, "latest")
        made.close()
        return f"--platform linux/amd64 oci:{place}/oci"
    return run


def layers_of(count):
    descriptor = {"mediaType": mkoci.MEDIA["gzip"][0], "digest": "sha256:" + HEX, "size": 100}
    return {"layers": [descriptor] * count}


def bad_layer(words, **descriptor):
    return layout(layer=descriptor, words=words)


def bad_digest(text):
    return bad_layer("digest", digest=text)


STACKS = {
    # Digests and sizes
    "digest-traversal": bad_digest("sha256:../../../etc/passwd"),
    "digest-upper-case": bad_digest("sha256:" + HEX.upper()),
    "digest-short": bad_digest("sha256:abcdef"),
    "digest-long": bad_digest("sha256:" + HEX + "0"),
    "digest-empty": bad_digest(""),
    "digest-no-algorithm": bad_digest(HEX),
    "digest-unknown": bad_digest("md5:" + HEX[:32]),
    "digest-newline": bad_digest("sha256:" + HEX[:-1] + "\n"),
    "digest-number": bad_digest(7),
    "digest-missing": bad_layer("digest", digest=None),
    "config-digest-traversal": layout(manifest={"config": {"mediaType": mkoci.MEDIA["config"][0], "size": 5,
                                                           "digest": "sha256:../../oci-layout"}}, words="digest"),
    "manifest-digest-traversal": layout(descriptor={"digest": "sha256:../../index.json"}, words="digest"),
    "size-larger": bad_layer("layer 2", size=1000000),
    "size-smaller": bad_layer("layer 2", size=10),
    "size-negative-descriptor": bad_layer("size", size=-1),
    "size-huge-descriptor": bad_layer("layer 2", size=(1 << 63) - 1),
    "size-beyond-integers": bad_layer("", size=1 << 70),
    "size-string": bad_layer("size", size="100"),
    "size-missing": bad_layer("size", size=None),
    "manifest-size": layout(descriptor={"size": 5}, words="descriptor says 5"),
    # Contents
    "layer-longer": damaged("layer", "layer 2"),
    "layer-flipped": damaged("layer", "layer 2", flip),
    "layer-missing": damaged("layer", "layer 2", os.unlink),
    "layer-empty": damaged("layer", "layer 2", lambda path: os.truncate(path, 0)),
    "layer-fifo": damaged("layer", "layer 2", as_fifo),
    "layer-folder": damaged("layer", "layer 2", as_folder),
    "layer-symlink": damaged("layer", "layer 2", as_link),
    "manifest-flipped": damaged("manifest", "manifest", flip),
    "manifest-missing": damaged("manifest", "manifest", os.unlink),
    "config-flipped": damaged("config", "config", flip),
    "config-missing": damaged("config", "config", os.unlink),
    "diff-id-wrong": layout(layer={"diff_id": "sha256:" + HEX}, words="layer 2.*diff_id"),
    "diff-id-no-digest": layout(layer={"diff_id": "sha256:../x"}, words="digest|diff_id"),
    "diff-ids-too-few": layout(config={"rootfs": {"type": "layers", "diff_ids": ["sha256:" + HEX]}}, words="configuration"),
    "diff-ids-too-many": layout(config={"rootfs": {"type": "layers", "diff_ids": ["sha256:" + HEX] * 3}}, words="configuration"),
    "diff-ids-missing": layout(config={"rootfs": None}, words="rootfs|diff_id"),
    "diff-ids-type": layout(config={"rootfs": {"type": "layers", "diff_ids": {"a": 1}}}, words="diff_id"),
    # Types
    "layer-type-unknown": bad_layer("layer 2|mediaType|media type", mediaType="application/x-brotli"),
    "layer-type-encrypted": bad_layer("layer 2|encrypted", mediaType=mkoci.MEDIA["gzip"][0] + "+encrypted"),
    "layer-type-number": bad_layer("mediaType|media type", mediaType=1),
    "layer-foreign": bad_layer("layer 2", mediaType="application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
                               urls=["https://127.0.0.1:1/layer"], digest="sha256:" + HEX),
    "manifest-type-lies": layout(manifest={"mediaType": mkoci.MEDIA["index"][0]}, words="manifest|index|media"),
    "manifest-type-unknown": layout(manifest={"mediaType": "application/x-what"}, descriptor={"mediaType": "application/x-what"},
                                    words="application/x-what"),
    "manifest-v1": layout(manifest_raw=mkoci.dump({"schemaVersion": 1, "name": "a", "tag": "b", "fsLayers": []}),
                          words="manifest|schema"),
    "schema-version-3": layout(manifest={"schemaVersion": 3}, words="schema"),
    "manifest-and-index": layout(both, words="an index and a manifest"),
    "config-of-other-type": layout(manifest={"config": {"mediaType": "application/vnd.oci.empty.v1+json", "size": 2,
                                                        "digest": "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"}},
                                   words="config|not a container"),
    # Documents
    "manifest-100m": layout(manifest_raw=spaces(100 * MIB), words="manifest"),
    "config-20m": layout(config_raw=spaces(20 * MIB), words="config"),
    "index-20m": (raw_index(big_index(20 * MIB)), "index"),
    "index-many": (raw_index(many_manifests), "index"),
    "manifest-no-json": layout(manifest_raw=b"<html>sign in</html>", words="manifest"),
    "manifest-cut": layout(manifest_raw=b'{"schemaVersion":2,"layers":[', words="manifest"),
    "manifest-deep": layout(manifest_raw=b"[" * 1000000, words="manifest"),
    "manifest-empty": layout(manifest_raw=[b""], words="manifest"),
    "manifest-array": layout(manifest_raw=b"[]", words="manifest"),
    "manifest-nul": layout(manifest_raw=b'{"schemaVersion":2,"mediaType":"a\\u0000b"}', words="manifest"),
    "manifest-no-utf8": layout(manifest_raw=b'{"schemaVersion":2,"mediaType":"\xff"}', words="manifest"),
    "manifest-duplicate-key": layout(manifest_raw=b'{"schemaVersion":2,"layers":[],"layers":[]}', words="manifest"),
    "manifest-no-layers": layout(manifest={"layers": None}, words="layers"),
    "manifest-layers-type": layout(manifest={"layers": "text"}, words="layers"),
    "manifest-layer-type": layout(manifest={"layers": [7]}, words="layer"),
    "manifest-no-config": layout(manifest={"config": None}, words="config"),
    "manifest-layers-many": layout(manifest=layers_of(20000), words="layers|manifest"),
    "config-no-json": layout(config_raw=b"text", words="config"),
    "config-array": layout(config_raw=b"[1]", words="config"),
    "index-no-json": (raw_index(b"text"), "index"),
    "index-empty": (raw_index(mkoci.dump({"schemaVersion": 2, "manifests": []})), "oci"),
    "index-type": (raw_index(mkoci.dump({"schemaVersion": 2, "manifests": 7})), "manifests"),
    "index-missing": (missing("index.json"), "index.json"),
    "layout-missing": (missing("oci-layout"), "oci-layout"),
    "layout-is-no-folder": (lambda place: "oci:/dev/null", "/dev/null"),
    "layout-nowhere": (lambda place: f"oci:{place}/nosuch", "nosuch"),
    "index-deep": (deep_index(200), "index"),
    # Choice
    "no-such-tag": (option("", ":nosuch"), "nosuch"),
    "no-such-platform": (option("--platform linux/s390x ", ":first"), "linux/s390x"),
    "tag-needed": (option(""), "first.*second|tag"),
    "platform-is-no-platform": (option("--platform linux ", ":first"), "linux"),
}
