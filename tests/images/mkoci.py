#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-3.0-or-later
"""mkoci.py: write container images as registries and engines do, or wrong in any part.

    mkoci.py [--form oci|oci-archive|docker-archive] [--docker] [--tag TAG] [--config JSON]
             [--platform OS/ARCH[/VARIANT]] OUT LAYER[@gzip|@zstd|@plain|@members|@frames]...

OUT is a layout that exists (the image is added to its index), or a new one, or a file.
LAYER is a tar file. The same arguments give the same bytes.

As a library: Layer and Image say what to write, with every field open to be wrong;
write_layout(), write_oci_archive() and write_docker_archive() write it. Layers may be
streams (an iterable of bytes), so that a huge one needs no memory.

Formats: OCI image-spec 1.1 (image-layout, manifest, config, descriptor), Docker's
image manifest v2 schema 2 and "docker save" format 1.2.
"""
import argparse
import hashlib
import json
import os
import struct
import subprocess
import sys
import tempfile
import zlib

sys.dont_write_bytecode = True
import mktar  # noqa: E402  (no byte code in the source tree)

OCI, DOCKER = "application/vnd.oci.image.", "application/vnd.docker."
MEDIA = {
    "index": (OCI + "index.v1+json", DOCKER + "distribution.manifest.list.v2+json"),
    "manifest": (OCI + "manifest.v1+json", DOCKER + "distribution.manifest.v2+json"),
    "config": (OCI + "config.v1+json", DOCKER + "container.image.v1+json"),
    "plain": (OCI + "layer.v1.tar", DOCKER + "image.rootfs.diff.tar"),
    "gzip": (OCI + "layer.v1.tar+gzip", DOCKER + "image.rootfs.diff.tar.gzip"),
    "zstd": (OCI + "layer.v1.tar+zstd", DOCKER + "image.rootfs.diff.tar.zstd"),
}


def chunks(data, size=1 << 20):
    """@data, bytes or a stream of bytes, in pieces."""
    if isinstance(data, (bytes, bytearray)):
        return (data[at:at + size] for at in range(0, len(data), size)) if data else iter([b""])
    return iter(data)


def gzip_one(stream, level=6):
    """One gzip member; zlib writes no time into it."""
    packer = zlib.compressobj(level, zlib.DEFLATED, 31)
    for chunk in stream:
        yield packer.compress(chunk)
    yield packer.flush()


def gzip_members(stream, size=65536):
    """A member each @size bytes, and an empty one at the end, as eStargz has them."""
    for chunk in stream:
        for at in range(0, len(chunk), size):
            yield from gzip_one([chunk[at:at + size]])
    yield from gzip_one([b""])


def zstd_one(stream, *options):
    """One frame, by the zstd program: all in memory, or through a file where it is long."""
    with tempfile.TemporaryFile() as plain, tempfile.TemporaryFile() as packed:
        for chunk in stream:
            plain.write(chunk)
        plain.seek(0)
        subprocess.run(["zstd", "-q", "-c", *(options or ["-3"])], stdin=plain, stdout=packed, check=True)
        packed.seek(0)
        while chunk := packed.read(1 << 20):
            yield chunk


def zstd_skippable(data, number=0):
    """RFC 8878, 3.1.2: a frame that decoders pass over."""
    return struct.pack("<II", 0x184D2A50 + number, len(data)) + data


def zstd_frames(stream, size=65536):
    """A frame each @size bytes with skippable ones between, as zstd:chunked has them."""
    for chunk in stream:
        for at in range(0, len(chunk), size):
            yield from zstd_one([chunk[at:at + size]])
            yield zstd_skippable(b"between", 3)


def zstd_header(window_log=17, dictionary=None):
    """RFC 8878, 3.1.1: a frame header without content size; the window is 2^window_log."""
    flags = 0 if dictionary is None else 3
    head = struct.pack("<IBB", 0xFD2FB528, flags, (window_log - 10) << 3)
    return head if dictionary is None else head + struct.pack("<I", dictionary)


def zstd_block(data, last=False):
    """A raw block, at most 128 KiB."""
    return (len(data) << 3 | last).to_bytes(3, "little") + data


def zstd_run(byte, size, last=False):
    """A block that repeats one byte: 128 KiB in four bytes."""
    return (size << 3 | 1 << 1 | last).to_bytes(3, "little") + bytes([byte])


PACKERS = {"plain": iter, "gzip": gzip_one, "members": gzip_members, "zstd": zstd_one, "frames": zstd_frames}
KIND = {"members": "gzip", "frames": "zstd"}


class Layer:
    """@tar: bytes, or a stream. @packed: the blob's bytes where they are no packing of @tar."""

    def __init__(self, tar=b"", how="gzip", packed=None, diff_id=None, **descriptor):
        self.tar, self.how, self.packed = tar, how, packed
        self.diff_id, self.descriptor = diff_id, descriptor

    def blob(self):
        """The blob as a stream; self.diff_id is known once it has ended, unless given."""
        if self.packed is not None:
            self.diff_id = self.diff_id or "sha256:" + hashlib.sha256(self.tar).hexdigest()
            return chunks(self.packed)
        return PACKERS[self.how](self.hashed())

    def hashed(self):
        state = hashlib.sha256()
        for chunk in chunks(self.tar):
            state.update(chunk)
            yield chunk
        self.diff_id = self.diff_id or "sha256:" + state.hexdigest()


class Image:
    """@config, @manifest and @descriptor are laid over what would be written; None drops a key.
    A *_raw of bytes or a stream is written in place of the document."""

    def __init__(self, layers, tag="latest", docker=False, platform=None, config=None, manifest=None,
                 descriptor=None, config_raw=None, manifest_raw=None):
        self.layers, self.tag, self.docker, self.platform = layers, tag, docker, platform
        self.config, self.manifest, self.descriptor = config or {}, manifest or {}, descriptor or {}
        self.config_raw, self.manifest_raw = config_raw, manifest_raw

    def media(self, kind):
        return MEDIA[kind][self.docker]


def over(document, changes):
    document = {**document, **changes}
    return {key: value for key, value in document.items() if value is not None}


def dump(document):
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


class Layout:
    """An OCI layout being written in a directory."""

    def __init__(self, path, algorithm="sha256"):
        self.path, self.algorithm = path, algorithm
        os.makedirs(os.path.join(path, "blobs", algorithm), exist_ok=True)
        self.index = {"schemaVersion": 2, "mediaType": MEDIA["index"][0], "manifests": []}
        try:
            with open(os.path.join(path, "index.json"), "rb") as file:
                self.index = json.load(file)
        except FileNotFoundError:
            pass

    def blob(self, stream, **descriptor):
        """Store a blob; its descriptor, with @descriptor laid over."""
        blobs = os.path.join(self.path, "blobs", self.algorithm)
        state, size, place = hashlib.new(self.algorithm), 0, os.path.join(blobs, "new")
        with open(place, "wb") as file:
            for chunk in stream:
                state.update(chunk)
                size += len(chunk)
                file.write(chunk)
        os.rename(place, os.path.join(blobs, state.hexdigest()))
        return over({"digest": self.algorithm + ":" + state.hexdigest(), "size": size}, descriptor)

    def add(self, image, tagged=True):
        """Write @image; its manifest's descriptor, which goes into index.json if @tagged."""
        layers = []
        for layer in image.layers:
            media = image.media(KIND.get(layer.how, layer.how))
            layers.append(self.blob(layer.blob(), **{"mediaType": media, **layer.descriptor}))
        config = over(config_of(image), image.config)
        config = self.blob(chunks(image.config_raw or dump(config)), mediaType=image.media("config"))
        manifest = over({"schemaVersion": 2, "mediaType": image.media("manifest"), "config": config,
                         "layers": layers}, image.manifest)
        found = self.blob(chunks(image.manifest_raw or dump(manifest)), mediaType=image.media("manifest"))
        if image.platform:
            found["platform"] = platform_of(image.platform)
        found = over(found, image.descriptor)
        if tagged:
            self.tag(found, image.tag)
        return found

    def add_index(self, images, tag="latest", docker=False, **changes):
        """Write @images of several platforms, and the index that names them."""
        manifests = [image if isinstance(image, dict) else self.add(image, False) for image in images]
        index = over({"schemaVersion": 2, "mediaType": MEDIA["index"][docker], "manifests": manifests}, changes)
        found = self.blob([dump(index)], mediaType=MEDIA["index"][docker])
        self.tag(found, tag)
        return found

    def tag(self, descriptor, tag):
        if tag is not None:
            descriptor = {**descriptor, "annotations": {"org.opencontainers.image.ref.name": tag}}
        self.index["manifests"].append(descriptor)

    def close(self, index=None, layout=b'{"imageLayoutVersion":"1.0.0"}'):
        for name, data in (("index.json", index or dump(self.index)), ("oci-layout", layout)):
            with open(os.path.join(self.path, name), "wb") as file:
                file.writelines(chunks(data))


def platform_of(text):
    return dict(zip(("os", "architecture", "variant"), text.split("/")))


def config_of(image):
    return {"created": "2024-02-03T04:05:06Z", "os": "linux", "architecture": "amd64",
            **(platform_of(image.platform) if image.platform else {}),
            "config": {"Env": ["PATH=/usr/bin:/bin"], "Cmd": ["/bin/sh"], "Labels": {"made-by": "mkoci"}},
            "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in image.layers]}}


def write_layout(path, *images):
    layout = Layout(path)
    for image in images:
        layout.add(image)
    layout.close()


def read_manifest(path):
    """The manifest of a layout's only image."""
    name = "index.json"
    for _ in range(2):
        with open(os.path.join(path, name), "rb") as file:
            document = json.load(file)
        name = "blobs/sha256/" + document.get("manifests", [{"digest": ""}])[0]["digest"][7:]
    return document


def archive(path, members):
    """A tar file of (name, bytes or path or ("link", target))."""
    with open(path, "wb") as file:
        for name, data in members:
            if isinstance(data, tuple):
                file.write(mktar.symlink(name, data[1]))
            elif isinstance(data, bytes):
                file.write(mktar.file(name, data))
            else:
                file.write(mktar.header(name=name, size=os.path.getsize(data)))
                with open(data, "rb") as source:
                    while chunk := source.read(1 << 20):
                        file.write(chunk)
                file.write(bytes(-file.tell() % mktar.BLOCK))
        file.write(mktar.END)


def write_oci_archive(path, *images, dotted=False):
    with tempfile.TemporaryDirectory() as place:
        write_layout(place, *images)
        names = sorted(os.path.relpath(os.path.join(folder, name), place)
                       for folder, _, names in os.walk(place) for name in names)
        archive(path, [("./" * dotted + name, os.path.join(place, name)) for name in names])


def write_docker_archive(path, *images, late=True, changes=None):
    """As docker save does: uncompressed layers named by their number; @late: manifest.json last."""
    members, entries, seen = [], [], {}
    for image in images:
        names = []
        for layer in image.layers:
            data = b"".join(layer.blob())
            name = hashlib.sha256(data + b"%d" % len(names)).hexdigest() + "/layer.tar"
            if seen.get(data) != name:      # another image's layer of the same place is there already
                members.append((name, ("link", "../" + seen[data]) if data in seen else data))
            seen.setdefault(data, name)
            names.append(name)
        config = image.config_raw or dump(over(config_of(image), image.config))
        name = hashlib.sha256(config).hexdigest() + ".json"
        members.append((name, config))
        tags = image.tag if isinstance(image.tag, list) else [image.tag] if image.tag else []
        entries.append(over({"Config": name, "RepoTags": tags, "Layers": names}, image.manifest))
    table = ("manifest.json", dump(changes(entries) if changes else entries))
    archive(path, [*members, table] if late else [table, *members])


def main():
    parser = argparse.ArgumentParser(description="write a container image")
    parser.add_argument("--form", default="oci", choices=["oci", "oci-archive", "docker-archive"])
    parser.add_argument("--docker", action="store_true", help="Docker's media types")
    parser.add_argument("--tag", default="latest")
    parser.add_argument("--config", type=json.loads, default={}, help="laid over the configuration")
    parser.add_argument("--platform")
    parser.add_argument("out")
    parser.add_argument("layer", nargs="+")
    asked = parser.parse_args()
    layers = []
    for text in asked.layer:
        name, at, how = text.rpartition("@")
        name, how = (name, how) if at and how in PACKERS else (text, "plain" if asked.form == "docker-archive" else "gzip")
        with open(name, "rb") as file:
            layers.append(Layer(file.read(), how))
    image = Image(layers, asked.tag, asked.docker, asked.platform, asked.config)
    {"oci": write_layout, "oci-archive": write_oci_archive,
     "docker-archive": write_docker_archive}[asked.form](asked.out, image)


if __name__ == "__main__":
    main()
