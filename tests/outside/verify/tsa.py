#!/usr/bin/env python3
"""The parts of tsa.sh that the openssl program cannot do. `tsa.py VERB ARGUMENTS...`; answers on stdout.

serve PORT-FILE CONFIG   a time-stamping authority on a free loopback port, written to PORT-FILE; `openssl ts` does the work
info DATA DIGEST TIME NONCE [ODD]   the DER of a TSTInfo, to be signed with `openssl cms`;
                         ODD is an oddity: a critical extension, version 2, something more inside or after
wrap STATUS [TOKEN]      a TimeStampResp around a token
ed25519 INFO CERT KEY [ODD]   an answer signed with Ed25519 as RFC 8419 says, which openssl 3.0 cannot; ODD: content_type is
                              another, an attribute twice, or with two values; an attribute_certificate beside
flip PLACE ANSWER        an answer with one bit turned: signature, time, attributes or sid
"""
import hashlib
import http.server
import os
import subprocess
import sys
import tempfile

SHA = {"sha1": "2b0e03021a", "sha256": "608648016503040201", "sha512": "608648016503040203"}


def tlv(tag, *parts):
    body = b"".join(parts)
    size = len(body)
    head = bytes([size]) if size < 128 else bytes([0x81, size]) if size < 256 else bytes([0x82]) + size.to_bytes(2, "big")
    return bytes([tag]) + head + body


def number(value):
    return tlv(2, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def info(data, digest, time, nonce, odd=None):
    algorithm = tlv(0x30, tlv(6, bytes.fromhex(SHA[digest])), tlv(5))
    imprint = tlv(0x30, algorithm, tlv(4, hashlib.new(digest, open(data, "rb").read()).digest()))
    parts = [number(2 if odd == "version" else 1), tlv(6, bytes.fromhex("2a0304")), imprint, number(4711), tlv(0x18, time.encode())]
    parts += [number(int(nonce, 16))] if nonce else []
    if odd == "critical":
        parts.append(tlv(0xA1, tlv(0x30, tlv(6, bytes.fromhex("2a0305")), tlv(1, b"\xff"), tlv(4, tlv(5)))))
    if odd == "inside":
        parts.append(tlv(5))
    return tlv(0x30, *parts) + (tlv(5) if odd == "after" else b"")


def wrap(status, token=None):
    return tlv(0x30, tlv(0x30, number(int(status))), open(token, "rb").read() if token else b"")


def ed25519(info, certificate, key, odd=None):
    def run(*command):
        return subprocess.run(["openssl", *command], check=True, stdout=subprocess.PIPE).stdout

    def attribute(oid, *value):
        return tlv(0x30, tlv(6, bytes.fromhex("2a864886f70d0109" + oid)), tlv(0x31, *value))

    info = open(info, "rb").read()
    der = run("x509", "-in", certificate, "-outform", "DER")
    key_id = hashlib.sha1(run("pkey", "-in", key, "-pubout", "-outform", "DER")[-32:]).digest()
    tst_info = tlv(6, bytes.fromhex("2a864886f70d0109100104"))
    sha512 = tlv(0x30, tlv(6, bytes.fromhex(SHA["sha512"])))
    ess = tlv(0x30, tlv(0x30, tlv(0x30, tlv(4, hashlib.sha256(der).digest()))))
    content_type = tlv(6, bytes.fromhex("2a864886f70d010701")) if odd == "content_type" else tst_info
    digest = tlv(4, hashlib.sha512(info).digest())
    attributes = attribute("03", content_type) * (2 if odd == "twice" else 1) + attribute("04", digest * (2 if odd == "values" else 1)) + attribute("10022f", ess)
    with tempfile.NamedTemporaryFile() as message:
        message.write(tlv(0x31, attributes))
        message.flush()
        signature = run("pkeyutl", "-sign", "-rawin", "-inkey", key, "-in", message.name)
    signer = [number(3), tlv(0x80, key_id), sha512, tlv(0xA0, attributes), tlv(0x30, tlv(6, bytes.fromhex("2b6570"))), tlv(4, signature)]
    content = tlv(0x30, tst_info, tlv(0xA0, tlv(4, info)))
    beside = tlv(0xA1, tlv(0x30)) if odd == "attribute_certificate" else b""
    signed = tlv(0x30, number(3), tlv(0x31, sha512), content, tlv(0xA0, beside, der), tlv(0x31, tlv(0x30, *signer)))
    token = tlv(0x30, tlv(6, bytes.fromhex("2a864886f70d010702")), tlv(0xA0, signed))
    return tlv(0x30, tlv(0x30, number(0)), token)


def flip(place, answer):
    answer = bytearray(open(answer, "rb").read())
    version = answer.index(b"\xa0\x03\x02\x01\x02\x02") + 5  # of the certificate; its serial number follows
    serial = answer[version : version + 2 + answer[version + 1]]
    # genTime is the first GeneralizedTime; signingTime, in the signed attributes, the last UTCTime
    at = {
        "signature": len(answer) - 1,
        "time": answer.index(b"\x18\x0f") + 15,
        "attributes": answer.rindex(b"\x17\x0d") + 13,
        "sid": answer.index(serial, version + 1) + len(serial) - 1,
    }
    answer[at[place]] ^= 1
    return bytes(answer)


def serve(port_file, config):
    class Authority(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            assert self.headers["content-type"] == "application/timestamp-query"
            with tempfile.NamedTemporaryFile() as query:
                query.write(body)
                query.flush()
                command = ["openssl", "ts", "-reply", "-config", config, "-queryfile", query.name]
                answer = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
            self.send_response(200)
            self.send_header("content-type", "application/timestamp-reply")
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

    server = http.server.HTTPServer(("127.0.0.1", 0), Authority)
    with open(port_file + ".new", "w") as out:
        out.write(str(server.server_port))
    os.rename(port_file + ".new", port_file)
    server.serve_forever()


if __name__ == "__main__":
    verb, *arguments = sys.argv[1:]
    answer = {"serve": serve, "info": info, "wrap": wrap, "ed25519": ed25519, "flip": flip}[verb](*arguments)
    sys.stdout.buffer.write(answer)
