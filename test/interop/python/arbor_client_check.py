"""Works the example of docs/protocol.md through with the functions of arbor_client.py, then tries certificates that it must not take.
Prints how many lines of the example were compared, and the names of those that differ.

Usage: arbor_client_check.py docs/protocol.md
"""

import io
import re
import sys
from types import SimpleNamespace

import arbor_client as client
from bittensor_wallet import Keypair

document = open(sys.argv[1], encoding="utf-8").read()
lines = dict(re.findall(r"^ {4}(\w+\.\w+) +(\S+)$", document, re.MULTILINE))
data = {name: bytes.fromhex(text) for name, text in lines.items() if re.fullmatch("([0-9a-f]{2})+", text)}
BEGIN = 1_800_000_000_000
client.now = lambda: BEGIN
secrets = iter((b"\x11" * 32, b"\x12" * 32))
client.os = SimpleNamespace(urandom=lambda _length: next(secrets))
asker, miner = (Keypair.create_from_seed(byte * 32) for byte in ("01", "02"))
of = SimpleNamespace(genesis=bytes(range(32)), netuid=1, registered_at=100, miner_registered_at=100, task="chat", session=None)
of.key, of.miner, of.plain, of.sign, of.stream = asker, miner, False, False, False


def response_of(body, headers):
    return SimpleNamespace(status=200, headers=headers, read=io.BytesIO(body).read)


client.open_session(of)
session = of.session
client.fetch_certificate(of, lines["serve.certificate"])
ask_fields, ask_payload, _ = client.read_token(session.token, "arbor/certificate/2")
serve_fields, serve_payload, _ = client.read_token(lines["serve.certificate"], "arbor/certificate/2")
seen = {
    "ask.signKey": ask_fields[6],
    "ask.sealKey": ask_fields[7],
    "ask.payload": ask_payload,
    "ask.id": session.id,
    "serve.signKey": serve_fields[6],
    "serve.sealKey": serve_fields[7],
    "serve.payload": serve_payload,
    "serve.id": of.serve.id,
}
for side, key, payload in (("ask", asker, ask_payload), ("serve", miner, serve_payload)):
    seen[f"{side}.signature"] = data[f"{side}.signature"] if key.verify(payload, data[f"{side}.signature"]) else b""
    seen[f"{side}.certificate"] = client.write_token(payload, data[f"{side}.signature"])

session.counter = 1
sent = client.write_request(of, data["request.question"], BEGIN + 1000, 10_000)
_, payload, proof = client.read_token(sent.envelope, "arbor/request/2")
seen |= dict(zip(("pair.macKey", "pair.requestKey", "pair.answerKey"), sent.keys))
seen |= {
    "request.body": sent.body,
    "request.bodyHash": client.sha256(sent.body),
    "request.payload": payload,
    "request.hash": sent.hash,
    "request.proof": proof,
    "request.envelope": sent.envelope,
}

body = data["answer.body"]
_, payload, proof = client.read_token(lines["answer.envelope"], "arbor/answer/2")
seen |= {"answer.payload": payload, "answer.signature": proof, "answer.bodyHash": client.sha256(body)}
seen["answer.answer"] = sent.unseal(0, body)
answer = client.read_answer(of, sent, response_of(body, {"arbor-envelope": lines["answer.envelope"]}))
assert answer == {"status": 200, "answer": {"text": "b"}}, answer

session.counter, of.sign, of.stream = 23, True, True
sent = client.write_request(of, b"", BEGIN + 1000, 10_000)
streamed = client.read_answer(of, sent, response_of(data["stream.body"], {"content-type": "application/arbor-stream"}))
assert streamed == {"status": 200, "answer": {"text": "Hellö"}, "text": "Hellö"}, streamed
end, _, _ = client.read_frames(sent, io.BytesIO(data["stream.body"]).read)
seen |= {"stream.envelope": sent.envelope, "stream.requestHash": sent.hash}
seen["stream.payload"] = client.read_token(end, "arbor/end/2")[1]


def refuses(what, fields, sign=miner.sign):
    """Expects that the client takes no certificate with these fields."""
    payload = client.encode("arbor/certificate/2", *fields)
    try:
        client.fetch_certificate(of, client.write_token(payload, sign(payload)))
    except Exception:
        return
    raise AssertionError(f"the client takes a certificate {what}")


identity = bytes([1, *bytes(31)])  # a point of small order on both curves
hostile = {
    "of another chain": (0, bytes(32)),
    "of another subnet": (1, 2),
    "of an asker": (2, "ask"),
    "of another hotkey": (3, asker.public_key),
    "of another slot": (4, 101),
    "for another reader": (5, miner.public_key),
    "with a signKey of small order": (6, identity),
    "with a signKey that is no point": (6, bytes([2, *bytes(31)])),
    "with a sealKey of small order": (7, identity),
    "of the future": (8, BEGIN + 5001),
    "for longer than a day": (9, BEGIN + 86_400_001),
    "that is over": (9, BEGIN),
    "with a field of another type": (4, 100.0),
    "with a truth for a number": (1, True),
}
client.fetch_certificate(of, client.write_token(serve_payload, miner.sign(serve_payload)))
for what, (place, value) in hostile.items():
    refuses(what, [*serve_fields[:place], value, *serve_fields[place + 1 :]])
refuses("with a field more", [*serve_fields, 1])
refuses("signed by another hotkey", serve_fields, asker.sign)
refuses("signed as a text", serve_fields, lambda payload: miner.sign(b"<Bytes>" + payload + b"</Bytes>"))
for spelling in (lines["serve.certificate"][:-1] + "h", lines["serve.certificate"] + "=", lines["serve.certificate"] + "\n"):
    try:
        client.read_token(spelling, "arbor/certificate/2")
    except Exception:
        continue
    raise AssertionError(f"the client takes {spelling}")

wrong = [name for name, value in seen.items() if (value if isinstance(value, str) else value.hex()) != lines[name]]
print("checked", len(seen), "wrong", *wrong)
sys.exit(1 if wrong else 0)
