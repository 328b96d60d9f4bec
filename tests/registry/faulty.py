#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-3.0-or-later
"""faulty.py LAYOUT DIR CERTIFICATE: a registry that does one thing wrong, chosen by the repository's name.

Serves the images of an OCI layout as FAULT/ANYTHING:TAG on two ports of 127.0.0.1, the second of
which plays another host: token server, place of redirections, proxy; and on a third one with TLS, by
CERTIFICATE/cert.pem and key.pem. Writes DIR/ports, and each
request as one line to DIR/log: PORT METHOD PATH auth=WORD range=RANGE. "Once" means once for each
name, so that tests do not meet. Ends when its standard input ends.

Distribution spec (end-1 to end-3), distribution's token authentication.
"""
import base64
import collections
import json
import os
import select
import socket
import ssl
import sys
import threading
import time
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

LAYOUT, DIR, CERTIFICATE = sys.argv[1:4]
PASSWORD = "Basic " + base64.b64encode(b"user:secret").decode()
IDENTITY = "identity-token"
counts = collections.Counter()
tokens = collections.Counter()
lock = threading.Lock()


def times(*key):
    """How often this was asked before."""
    with lock:
        counts[key] += 1
        return counts[key] - 1


def blob(digest):
    try:
        with open(os.path.join(LAYOUT, "blobs", *digest.split(":")), "rb") as file:
            return file.read()
    except OSError:
        return None


def index_entry(tag):
    with open(os.path.join(LAYOUT, "index.json"), encoding="utf-8") as file:
        manifests = json.load(file)["manifests"]
    for entry in manifests:
        if tag in (entry["digest"], entry.get("annotations", {}).get("org.opencontainers.image.ref.name")):
            return entry
    return None


class Registry(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def note(self):
        header = self.headers.get("Authorization", "none").split()[0]
        with lock, open(f"{DIR}/log", "a", encoding="utf-8") as log:
            log.write(f"{self.server.server_port} {self.command} {self.path} auth={header} "
                      f"range={self.headers.get('Range', 'none')}\n")

    def answer(self, status, body=b"", length=None, **headers):
        self.send_response(status)
        for name, value in headers.items():
            for one in value if isinstance(value, list) else [value]:
                self.send_header(name.replace("_", "-"), one)
        if length != "chunked":
            self.send_header("Content-Length", str(len(body) if length is None else length))
        else:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
        if length is not None:
            self.close_connection = True

    def break_off(self):
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_RDWR)
        self.close_connection = True

    # -- who may -------------------------------------------------------------------------------

    def realm(self, fault, name):
        return f'Bearer realm="http://127.0.0.1:{other.server_port}/token/{fault}/{name}",service="test service"'

    def allowed(self, fault, name):
        """False: a challenge was sent."""
        given = self.headers.get("Authorization")
        challenges = {
            "basic": 'Basic realm="test"', "redirect": 'Basic realm="test"', "redirect-ask": 'Basic realm="test"', "redirect-round": 'Basic realm="test"',
            "redirect-back": 'Basic realm="test"',
            "both": ['Basic realm="test"', self.realm("bearer", name)],
            "far-realm": 'Bearer realm="http://token.example.org/token",service="x"',
            "file-realm": 'Bearer realm="file:///etc/passwd",service="x"',
            "odd": 'Digest realm="a", nonce="b", Bearer realm="unterminated', "speechless": None,
        }
        if fault in challenges:
            good = given == PASSWORD if fault in ("basic", "redirect", "redirect-ask", "redirect-round", "redirect-back") else None
            challenge = challenges[fault]
            if fault == "both":
                good = self.token_is_good(given)
        elif fault.startswith("bearer"):
            good, challenge = self.token_is_good(given), self.realm(fault, name)
        else:
            return True
        if not good:
            self.answer(401, b"{}", **({"WWW_Authenticate": challenge} if challenge else {}))
        return bool(good)

    def token_is_good(self, given):
        with lock:
            token = (given or "")[len("Bearer "):]
            if (given or "").startswith("Bearer ") and tokens[token] > 0:
                tokens[token] -= 1
                return True
        return False

    def token(self, fault, name, form=None):
        given = self.headers.get("Authorization")
        if fault.startswith("bearer-moved"):
            server = main if fault.endswith("away") else other
            return self.answer(int(fault.split("-")[2]), b"",
                               Location=f"http://127.0.0.1:{server.server_port}/token/bearer-refresh/{name}")
        if fault == "bearer-busy" and times("bearer-busy", name) == 0:
            return self.answer(503, b"", Retry_After="0")
        good = {"bearer-open": True, "bearer-refused": False,
                "bearer-refresh": bool(form) and form.get("refresh_token") == [IDENTITY] and "grant_type" in form,
                }.get(fault, given == PASSWORD)
        if not good:
            return self.answer(401, b"{}")
        value = f"token-{fault}-{name}-{times('token', fault, name)}"
        with lock:
            tokens[value] = 2 if fault == "bearer-short" else 1000
        body = {"access_token" if fault == "bearer-refresh" else "token": value}
        if fault == "bearer-evil":
            body = {"token": "a\r\nX-Evil: 1"}
        return self.answer(200, json.dumps(body).encode())

    # -- what is asked for ---------------------------------------------------------------------

    def do_POST(self):
        self.note()
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.token(*self.path.split("/")[2:4], form=form)

    def do_GET(self):
        self.note()
        parts = urlsplit(self.path).path.strip("/").split("/")
        if parts[0] == "token":
            return self.token(*parts[1:3])
        if parts[0] == "round":
            return self.answer(302, b"", Location=f"http://127.0.0.1:{main.server_port}/v2/chosen/a/blobs/{parts[1]}")
        if parts[0] == "ask":
            return self.answer(401, b"{}", WWW_Authenticate=f'Bearer realm="http://127.0.0.1:{other.server_port}/steal",service="x"')
        if parts[0] == "raw":
            return self.answer(200, blob(parts[1]))
        if parts[0] != "v2" or len(parts) < 5:
            return self.answer(404)
        fault, name, kind, what = parts[1], parts[2], parts[3], parts[4]
        if not self.allowed(fault, name):
            return None
        handler = getattr(self, f"{kind}_{fault.replace('-', '_')}", None) or getattr(self, kind, None)
        return handler(name, what) if handler else self.answer(404)

    do_HEAD = do_GET

    def manifests(self, _name, tag):
        entry = index_entry(tag)
        data = blob(entry["digest"] if entry else tag) if entry or ":" in tag else None
        if data is None:
            return self.answer(404, b'{"errors": []}')
        return self.answer(200, data, Content_Type=json.loads(data).get("mediaType", "application/vnd.oci.image.manifest.v1+json"))

    def blobs(self, _name, digest):
        data = blob(digest)
        if data is None:
            return self.answer(404)
        begin = self.begin()
        if begin:
            return self.answer(206, data[begin:], Content_Range=f"bytes {begin}-{len(data) - 1}/{len(data)}")
        return self.answer(200, data)

    def begin(self):
        given = self.headers.get("Range", "")
        return int(given[len("bytes="):].rstrip("-")) if given.startswith("bytes=") else 0

    # -- faults of manifests -------------------------------------------------------------------

    def manifests_busy(self, name, tag):
        if times("busy", name, tag) == 0:
            return self.answer(429, b"", Retry_After="1")
        return self.manifests(name, tag)

    def manifests_busy_until(self, name, tag):
        if times("until", name, tag) == 0:
            return self.answer(503, b"", Retry_After=formatdate(time.time() + 2, usegmt=True))
        return self.manifests(name, tag)

    def manifests_mute(self, name, tag):
        """Says nothing the first time."""
        if times("mute", name, tag) == 0:
            select.select([self.connection], [], [], 30)
            self.close_connection = True
            return None
        return self.manifests(name, tag)

    def manifests_always_busy(self, _name, _tag):
        return self.answer(429, b"", Retry_After="0", RateLimit_Remaining="0;w=21600")

    def manifests_broken_twice(self, name, tag):
        if times("broken", name, tag) < 2:
            return self.answer(503, b"", Retry_After="0")
        return self.manifests(name, tag)

    def manifests_broken(self, _name, _tag):
        return self.answer(500, b"", Retry_After="0")

    def manifests_forbidden(self, _name, _tag):
        return self.answer(403, b"{}")

    def manifests_giant(self, _name, _tag):
        self.send_response(200)
        self.send_header("Content-Type", "application/vnd.oci.image.manifest.v1+json")
        self.send_header("Content-Length", str(100 << 20))
        self.end_headers()
        try:
            for _ in range(100):
                self.wfile.write(b" " * (1 << 20))
        except OSError:
            pass
        self.close_connection = True

    def manifests_no_json(self, _name, _tag):
        self.answer(200, b"<html>log in here</html>", Content_Type="application/vnd.oci.image.manifest.v1+json")

    def manifests_web_page(self, _name, _tag):
        self.answer(200, b"<html>log in here</html>", Content_Type="text/html")

    def manifests_another(self, name, tag):
        entry = index_entry("latest")
        data = blob(entry["digest"]) + b"\n"
        self.answer(200, data, Content_Type=entry["mediaType"])

    def manifests_many_headers(self, name, tag):
        self.answer(200, b"{}", X_Many=["x"] * 2000)

    def manifests_long_header(self, name, tag):
        self.answer(200, b"{}", X_Long="x" * (1 << 20))

    def manifests_to_file(self, _name, _tag):
        self.answer(307, b"", Location="file:///etc/passwd")

    def manifests_to_http(self, _name, _tag):
        self.answer(307, b"", Location="http://registry.example.org/v2/a/manifests/latest")

    def manifests_far(self, _name, _tag):
        self.answer(307, b"", Location="/" + "x" * 5000)

    def manifests_leave(self, name, tag):
        """The first answer, and then for a second nobody listens."""
        if times("leave", name) == 0:
            self.leave()
        self.manifests(name, tag)

    def leave(self):
        self.server.shutdown()
        self.server.server_close()
        threading.Thread(target=come_back, args=(self.server.server_port,), daemon=True).start()

    def manifests_nowhere(self, _name, _tag):
        self.answer(307, b"")

    def manifests_garbage(self, _name, _tag):
        self.connection.sendall(b"\0\1\2 this is no HTTP\r\n\r\n")
        self.break_off()

    # -- faults of blobs -----------------------------------------------------------------------

    def blobs_redirect(self, _name, digest):
        self.answer(307, b"", Location=f"http://localhost:{other.server_port}/raw/{digest}")

    def blobs_redirect_ask(self, _name, digest):
        self.answer(302, b"", Location=f"http://127.0.0.1:{other.server_port}/ask/{digest}")

    def blobs_redirect_round(self, name, digest):
        """There and back again, to a path that a stranger chose."""
        self.answer(302, b"", Location=f"http://127.0.0.1:{other.server_port}/round/{digest}")

    def blobs_redirect_back(self, name, digest):
        self.answer(302, b"", Location=f"/v2/basic/{name}/blobs/{digest}")

    def blobs_redirect_open(self, name, digest):
        self.blobs_redirect(name, digest)

    def blobs_loop(self, name, digest):
        self.answer(307, b"", Location=f"/v2/loop/{name}/blobs/{digest}")

    def blobs_missing_blob(self, _name, _digest):
        self.answer(404, b"{}")

    def half(self, data, begin=0):
        """The first half, then nothing; nothing at all the next time."""
        self.send_response(206 if begin else 200)
        if begin:
            self.send_header("Content-Range", f"bytes {begin}-{len(data) - 1}/{len(data)}")
        self.send_header("Content-Length", str(len(data) - begin))
        self.end_headers()
        if not begin:
            self.wfile.write(data[:len(data) // 2])

    def blobs_cut(self, name, digest):
        data = blob(digest)
        if times("cut", name, digest) == 0:
            self.half(data)
            return self.break_off()
        return self.blobs(name, digest)

    def blobs_no_range(self, name, digest):
        data = blob(digest)
        if times("no-range", name, digest) == 0:
            self.half(data)
            return self.break_off()
        return self.answer(200, data)

    def blobs_wrong_range(self, name, digest):
        data = blob(digest)
        if times("wrong-range", name, digest) == 0:
            self.half(data)
            return self.break_off()
        return self.answer(206, data, Content_Range=f"bytes 0-{len(data) - 1}/{len(data)}")

    def blobs_short(self, _name, digest):
        self.half(blob(digest), self.begin())
        self.break_off()

    def blobs_long(self, _name, digest):
        self.answer(200, blob(digest) + b"more", length="chunked")

    def blobs_long_length(self, _name, digest):
        self.answer(200, blob(digest) + b"more")

    def blobs_vanish(self, name, digest):
        """Half, and then for a second nobody listens; but not before all three layers are asked for."""
        first = times("vanish", name, digest) == 0
        times("vanish-any", name)
        data = blob(digest)
        if len(data) < 65536 or not first:
            return self.blobs(name, digest)
        self.half(data)
        self.wfile.flush()
        while counts[("vanish-any", name)] < 4:  # the configuration is a blob, too
            time.sleep(0.02)
        self.leave()
        return self.break_off()

    def blobs_wrong(self, _name, digest):
        data = bytearray(blob(digest))
        data[-1] ^= 1
        self.answer(200, bytes(data))

    def blobs_stall(self, name, digest):
        """Half of each layer, and no more. (Not of the configuration, which is fetched before.)"""
        if not blob(digest).startswith(b"{") and times("stall", name, digest) == 0:
            self.half(blob(digest))
            self.wfile.flush()
            select.select([self.connection], [], [], 30)  # until the client has gone
            self.close_connection = True
            return None
        return self.blobs(name, digest)

    def drip(self, data):
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        try:
            for at in range(len(data)):
                self.wfile.write(data[at:at + 1])
                self.wfile.flush()
                time.sleep(0.1)
        except OSError:
            pass
        self.close_connection = True

    def blobs_drip(self, _name, digest):
        """The large layer by ten bytes a second."""
        data = blob(digest)
        return self.drip(data) if len(data) > 65536 else self.answer(200, data)

    def blobs_drip_wrong(self, name, digest):
        """The same; and the other layers are wrong. (The configuration comes first.)"""
        data = blob(digest)
        if len(data) > 65536:
            return self.drip(data)
        return self.answer(200, data if data.startswith(b"{") else data[:-8] + bytes(8))

    def blobs_hold(self, name, digest):
        """Half, and the rest when somebody else asks."""
        data = blob(digest)
        if len(data) > 65536 and times("hold", name, digest) == 0:
            self.half(data)
            self.wfile.flush()
            with open(f"{DIR}/held", "w", encoding="utf-8"):
                pass
            select.select([self.connection], [], [], 60)
            self.close_connection = True
            return None
        return self.blobs(name, digest)

    # -- a proxy -------------------------------------------------------------------------------

    def do_CONNECT(self):
        """A tunnel to the port that DIR/target names, whatever host is asked for."""
        self.note()
        with open(f"{DIR}/target", encoding="utf-8") as file:
            host, port = file.read().strip().rsplit(":", 1)
        with socket.create_connection((host, int(port))) as far:
            self.connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            ends = {self.connection: far, far: self.connection}
            while ends:
                for ready in select.select(list(ends), [], [])[0]:
                    data = ready.recv(65536)
                    if not data:
                        ends = {}
                        break
                    ends[ready].sendall(data)
        self.close_connection = True


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], OSError):  # clients come and go
            super().handle_error(request, client_address)


def come_back(port):
    time.sleep(1)
    Server(("127.0.0.1", port), Registry).serve_forever()


main, other, secure = (Server(("127.0.0.1", 0), Registry) for _ in range(3))
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(f"{CERTIFICATE}/cert.pem", f"{CERTIFICATE}/key.pem")
secure.socket = context.wrap_socket(secure.socket, server_side=True, do_handshake_on_connect=False)
open(f"{DIR}/log", "w", encoding="utf-8").close()
for server in main, other, secure:
    threading.Thread(target=server.serve_forever, daemon=True).start()
with open(f"{DIR}/ports.new", "w", encoding="utf-8") as file:
    file.write(f"{main.server_port} {other.server_port} {secure.server_port}\n")
os.rename(f"{DIR}/ports.new", f"{DIR}/ports")
sys.stdin.read()
