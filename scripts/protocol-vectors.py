#!/usr/bin/env python3
"""Writes test/vectors/protocol/envelope.json: signed requests and responses made without Arbor's code.

    python3 -m venv V && V/bin/pip install cbor2==6.2.1 py-sr25519-bindings==0.2.4 base58==2.1.1
    V/bin/python scripts/protocol-vectors.py > test/vectors/protocol/envelope.json

sr25519 signatures are randomised: a new run gives other signatures over the same bytes.
"""
import hashlib
import json

import base58
import cbor2
import sr25519


def ss58(public_key):
    payload = bytes([42]) + public_key
    return base58.b58encode(payload + hashlib.blake2b(b"SS58PRE" + payload).digest()[:2]).decode()


def pair(seed_byte):
    public_key, secret = sr25519.pair_from_seed(bytes([seed_byte]) * 32)
    return public_key, secret, ss58(public_key)


def sign(key, message):
    return "0x" + sr25519.sign((key[0], key[1]), message).hex()


def request_case(sender, receiver, *, path, netuid, timestamp, timeout, nonce, body):
    body_hash = hashlib.sha256(body).digest()
    signed = cbor2.dumps(
        ["arbor/request/1", "POST", path, sender[2], receiver[2], netuid, timestamp, timeout, nonce, body_hash],
        canonical=True,
    )
    request_hash = hashlib.sha256(signed).digest()
    answer = b'{"text":"' + body[:8].hex().encode() + b'"}'
    response = cbor2.dumps(
        ["arbor/response/1", request_hash, 200, hashlib.sha256(answer).digest(), receiver[2], sender[2]], canonical=True
    )
    return {
        "method": "POST",
        "path": path,
        "body": "0x" + body.hex(),
        "signedBytes": "0x" + signed.hex(),
        "requestHash": "0x" + request_hash.hex(),
        "headers": {
            "arbor-version": "1",
            "arbor-sender": sender[2],
            "arbor-receiver": receiver[2],
            "arbor-netuid": str(netuid),
            "arbor-timestamp": str(timestamp),
            "arbor-timeout": str(timeout),
            "arbor-nonce": "0x" + nonce.hex(),
            "arbor-body-hash": "0x" + body_hash.hex(),
            "arbor-signature": sign(sender, signed),
        },
        "response": {
            "status": 200,
            "body": "0x" + answer.hex(),
            "signedBytes": "0x" + response.hex(),
            "headers": {"arbor-version": "1", "arbor-signature": sign(receiver, response)},
        },
    }


def main():
    one, two = pair(1), pair(2)
    cases = [
        request_case(one, two, path="/chat", netuid=1, timestamp=1_800_000_000_000, timeout=10_000, nonce=bytes(range(16)), body=b'{"prompt":"a"}'),
        request_case(two, one, path="/chat?x=%20y", netuid=0, timestamp=1, timeout=1, nonce=bytes(16), body=b""),
        request_case(one, two, path="/t", netuid=65_535, timestamp=2**53 - 1, timeout=60_000, nonce=b"\xff" * 16, body=bytes(range(256)) * 9),
        request_case(two, one, path="/chat", netuid=23, timestamp=4_294_967_296, timeout=256, nonce=b"\x01" * 16, body="é\u0000😀".encode()),
        request_case(one, two, path="/chat", netuid=24, timestamp=4_294_967_295, timeout=255, nonce=b"\x7f" * 16, body=b" "),
    ]
    print(json.dumps({"madeBy": "scripts/protocol-vectors.py, cbor2 6.2.1, py-sr25519-bindings 0.2.4", "cases": cases}, indent=1))


main()
