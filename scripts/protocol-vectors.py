#!/usr/bin/env python3
"""Writes test/vectors/protocol/v2.json: certificates, keys, requests, answers and streams made without Arbor's code.

    python3 -m venv V && V/bin/pip install cbor2==6.2.1 py-sr25519-bindings==0.2.4 cryptography==50.0.2
    V/bin/python scripts/protocol-vectors.py > test/vectors/protocol/v2.json

sr25519 signatures are randomised: a new run gives other signatures of certificates over the same bytes, and nothing else.
"""
import base64
import hashlib
import hmac
import json
import struct

import cbor2
import sr25519
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

HOUR = 3_600_000
START = 1_800_000_000_000
JSON, SEALED = "application/json", "application/arbor-sealed"


def canonical(values):
    return cbor2.dumps(values, canonical=True)


def sha256(data):
    return hashlib.sha256(data).digest()


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(payload, proof):
    return f"{b64(payload)}.{b64(proof)}"


def shown(value):
    return "0x" + value.hex() if isinstance(value, bytes) else value


def entry(**fields):
    return {name: shown(value) for name, value in fields.items()}


class Session:
    """A session's secrets, and the certificate that its hotkey signed."""

    def __init__(self, hotkey, purpose, *, secret, netuid=1, genesis=bytes(range(32)), registered_at=100, audience=None,
                 issued_at=START, lifetime=HOUR):
        self.hotkey_seed = bytes([hotkey]) * 32
        self.hotkey = sr25519.pair_from_seed(self.hotkey_seed)
        self.sign_secret, self.seal_secret = bytes([secret]) * 32, bytes([secret + 1]) * 32
        self.signer = Ed25519PrivateKey.from_private_bytes(self.sign_secret)
        self.sealer = X25519PrivateKey.from_private_bytes(self.seal_secret)
        self.sign_key = self.signer.public_key().public_bytes_raw()
        self.seal_key = self.sealer.public_key().public_bytes_raw()
        self.fields = dict(genesisHash=genesis, netuid=netuid, purpose=purpose, hotkey=self.hotkey[0],
                           registeredAt=registered_at, audience=audience, signKey=self.sign_key, sealKey=self.seal_key,
                           issuedAt=issued_at, expiresAt=issued_at + lifetime)
        self.payload = canonical(["arbor/certificate/2", *self.fields.values()])
        self.id = sha256(self.payload)[:16]
        self.signature = sr25519.sign(self.hotkey, self.payload)
        self.text = token(self.payload, self.signature)

    def shown(self):
        return entry(hotkeySeed=self.hotkey_seed, signSecret=self.sign_secret, sealSecret=self.seal_secret, **self.fields,
                     payload=self.payload, id=self.id, signature=self.signature, text=self.text)


class Pair:
    """What an asker's session shares with a miner's."""

    def __init__(self, ask, serve):
        self.ask, self.serve = ask, serve
        self.shared = ask.sealer.exchange(X25519PublicKey.from_public_bytes(serve.seal_key))
        assert self.shared == serve.sealer.exchange(X25519PublicKey.from_public_bytes(ask.seal_key))
        keys = HKDF(hashes.SHA256(), 96, salt=ask.id + serve.id, info=b"arbor/keys/2").derive(self.shared)
        self.mac_key, self.request_key, self.answer_key = keys[:32], keys[32:64], keys[64:]

    def shown(self, sessions):
        return entry(ask=sessions.index(self.ask), serve=sessions.index(self.serve), shared=self.shared,
                     macKey=self.mac_key, requestKey=self.request_key, answerKey=self.answer_key)


def seal(key, counter, index, data):
    return AESGCM(key).encrypt(struct.pack(">QI", counter, index), data, None)


class Request:
    """A request, sealed or not, proven by MAC or by signature."""

    def __init__(self, pair, *, body, counter=1, path="/chat", sealed=False, proof="mac", use_keys=True, accept="whole",
                 sent_at=START + 1_000, timeout=10_000, method="POST"):
        self.pair, self.counter, self.sealed, self.question, self.proof_kind = pair, counter, sealed, body, proof
        self.body = seal(pair.request_key, counter, 0, body) if sealed else body
        self.fields = dict(session=pair.ask.id, with_=pair.serve.id if use_keys else None, counter=counter,
                           receiver=pair.serve.hotkey[0], netuid=pair.serve.fields["netuid"], method=method, path=path,
                           contentType=SEALED if sealed else JSON, accept=accept, sentAt=sent_at, timeoutMs=timeout,
                           bodyLength=len(self.body), bodyHash=sha256(self.body))
        self.payload = canonical(["arbor/request/2", *self.fields.values()])
        self.hash = sha256(self.payload)
        self.proof = (hmac.digest(pair.mac_key, self.payload, "sha256") if proof == "mac"
                      else pair.ask.signer.sign(self.payload))

    def shown(self, pairs):
        fields = {name.rstrip("_"): value for name, value in self.fields.items()}
        return entry(pair=pairs.index(self.pair), proofKind=self.proof_kind, question=self.question, body=self.body,
                     **fields, payload=self.payload, hash=self.hash, proof=self.proof,
                     envelope=token(self.payload, self.proof))

    def answer(self, requests, body, *, status=200, sealed=None, content_type=JSON, at=START + 1_500):
        sealed = self.sealed if sealed is None else sealed
        sent = seal(self.pair.answer_key, self.counter, 0, body) if sealed else body
        serve = self.pair.serve
        fields = dict(session=serve.id, requestHash=self.hash, status=status,
                      contentType=SEALED if sealed else content_type, bodyLength=len(sent), bodyHash=sha256(sent),
                      answeredAt=at)
        payload = canonical(["arbor/answer/2", *fields.values()])
        signature = serve.signer.sign(payload)
        return entry(request=requests.index(self), answer=body, body=sent, **fields, payload=payload,
                     signature=signature, envelope=token(payload, signature))

    def stream(self, requests, chunks, *, status=200, code="", at=START + 2_000):
        serve = self.pair.serve
        sent = [seal(self.pair.answer_key, self.counter, index, chunk) if self.sealed else chunk
                for index, chunk in enumerate(chunks, 1)]
        joined = b"".join(sent)
        fields = dict(session=serve.id, requestHash=self.hash, status=status, code=code, chunks=len(sent),
                      bodyLength=len(joined), bodyHash=sha256(joined), answeredAt=at)
        payload = canonical(["arbor/end/2", *fields.values()])
        end = token(payload, serve.signer.sign(payload)).encode()
        body = b"".join(struct.pack(">BI", 1, len(chunk)) + chunk for chunk in sent) + struct.pack(">BI", 2, len(end)) + end
        return {"request": requests.index(self), "opened": [shown(chunk) for chunk in chunks],
                **entry(**fields, payload=payload, end=end.decode(), body=body)}


def main():
    ask = Session(1, "ask", secret=0x11)
    serve = Session(2, "serve", secret=0x21)
    narrow = Session(3, "ask", secret=0x31, audience=serve.hotkey[0], netuid=65_535, registered_at=2**32,
                     issued_at=2**53 - 1 - 86_400_000, lifetime=86_400_000)
    early = Session(2, "serve", secret=0x41, netuid=24, registered_at=0, issued_at=0, lifetime=255, genesis=b"\xff" * 32)
    sessions = [ask, serve, narrow, early]
    pairs = [Pair(ask, serve), Pair(narrow, early)]
    main_pair, odd_pair = pairs
    requests = [
        Request(main_pair, body=b'{"prompt":"a"}'),
        Request(main_pair, body=b'{"prompt":"a"}', counter=2, sealed=True),
        Request(main_pair, body=b'{"prompt":"a"}', counter=3, proof="signature", use_keys=False),
        Request(main_pair, body=b"", counter=24, sealed=True, proof="signature", accept="stream"),
        Request(main_pair, body=bytes(range(256)) * 3, counter=2**32, sealed=True, path="/chat?x=%20y", accept="stream"),
        Request(odd_pair, body="é\u0000😀".encode(), counter=2**53 - 1, path="/é😀", sent_at=2**53 - 1, timeout=60_000,
                sealed=True),
        Request(odd_pair, body=b" ", counter=255, path="/", sent_at=0, timeout=1, method="GET"),
    ]
    answers = [
        requests[0].answer(requests, b'{"text":"b"}'),
        requests[1].answer(requests, b'{"text":"b"}'),
        requests[1].answer(requests, b'{"code":"MINER_BUSY"}'.ljust(64), status=503, sealed=False),
        requests[2].answer(requests, b"", content_type="text/plain"),
        requests[5].answer(requests, bytes(range(256)) * 2, at=0),
    ]
    streams = [
        requests[3].stream(requests, [b"Hel", "lö".encode(), b"", b'{"text":"Hell\xc3\xb6"}']),
        requests[4].stream(requests, [b"x" * 1_000, b"y"]),
        requests[0].stream(requests, [b"Hel"], status=504, code="MINER_LATE"),
        requests[2].stream(requests, []),
    ]
    print(json.dumps({
        "madeBy": "scripts/protocol-vectors.py, cbor2 6.2.1, cryptography 50.0.2, py-sr25519-bindings 0.2.4",
        "sessions": [session.shown() for session in sessions],
        "pairs": [pair.shown(sessions) for pair in pairs],
        "requests": [request.shown(pairs) for request in requests],
        "answers": answers,
        "streams": streams,
    }, indent=1, ensure_ascii=False))


main()
