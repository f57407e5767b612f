"""Asks a miner over Arbor's protocol, as docs/protocol.md has it: read it before you write the next client.
Usage: arbor_client.py URL HOTKEY TASK JSON --genesis HEX --netuid N --registered-at BLOCK [--miner-registered-at BLOCK]
[--uri //Alice] [--stream] [--plain] [--sign]; JSON is the question, or - for one on each line of standard input. Prints a line for each:
{"status", "answer"} with "text" if streamed, {"status", "code", "signed"} for a refusal, {"fault"} for what must not be believed."""
import argparse, base64, hashlib, hmac, json, os, struct, sys, time, cbor2, urllib3
from bittensor_wallet import Keypair  # sr25519; ed25519, X25519, AES-GCM and HKDF are PyCryptodome's
from Crypto.Cipher import AES
from Crypto.Hash import SHA256
from Crypto.Protocol import DH, KDF
from Crypto.PublicKey import ECC
from Crypto.Signature import eddsa
HOUR_MS, TIMEOUT_MS, MAX_BYTES, Record = 3_600_000, 60_000, 2**24, argparse.Namespace
now = lambda: time.time_ns() // 1_000_000
sha256 = lambda data: hashlib.sha256(data).digest()
encode = lambda *fields: cbor2.dumps(fields, canonical=True)
write_token = lambda *parts: ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)  # payload, proof
aead = lambda key, counter, index: AES.new(key, AES.MODE_GCM, nonce=struct.pack(">QI", counter, index))
send = lambda *request, **more: urllib3.request(*request, timeout=TIMEOUT_MS / 1000, retries=False, preload_content=False, **more)
def check(ok, why):
    if not ok: raise ValueError(why)
def read_token(token, kind):
    payload, proof = (base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in token.split("."))
    fields = cbor2.loads(payload)
    flat = all(type(it) in (str, bytes, type(None)) or type(it) is int and 0 <= it < 2**53 for it in fields)
    same = flat and write_token(encode(*fields), proof) == token  # nothing has two spellings, not even base64url
    check(same and fields[0] == kind and len(token) <= 1024, f"the token is malformed, not canonical, or no {kind}")
    return fields[1:], payload, proof

def open_session(of):  # its secrets never leave the process; the hotkey signs here only
    at = max(now(), of.session.at + 1 if of.session else 0)
    sign, agree = secrets = [ECC.construct(curve=curve, seed=os.urandom(32)) for curve in ("Ed25519", "Curve25519")]
    keys = (secret.public_key().export_key(format="raw") for secret in secrets)
    payload = encode("arbor/certificate/2", of.genesis, of.netuid, "ask", of.key.public_key, of.registered_at, None, *keys, at, at + HOUR_MS)
    of.session = Record(token=write_token(payload, of.key.sign(payload)), id=sha256(payload)[:16], sign=sign, agree=agree, at=at, counter=0, known=False)

def fetch_certificate(of, token=None):
    token = token or send("GET", f"{of.url}/.arbor/certificate/{of.miner.ss58_address}").read(1025).decode()
    (*about, block, audience, sign, agree, begin, end), payload, proof = read_token(token, "arbor/certificate/2")
    check(about == [of.genesis, of.netuid, "serve", of.miner.public_key], "the certificate is of another chain, subnet, purpose or hotkey")
    check(of.miner_registered_at in (None, block) and audience in (None, of.key.public_key), "the certificate is of another slot or audience")
    check(begin < end <= begin + 24 * HOUR_MS and begin <= now() + 5000 and now() < end, "the certificate is over, of the future or too long")
    wrapped = b"<Bytes>%s</Bytes>" % payload  # the wallet's verify takes a signature of this for one of the payload
    check(of.miner.verify(payload, proof) and not of.miner.verify(wrapped, proof), "the hotkey did not sign the certificate")
    sign, agree = eddsa.import_public_key(sign), DH.import_x25519_public_key(agree)  # the first refuses what is no point
    check(not (sign.pointQ * 8).is_point_at_infinity(), "signKey is of small order")
    of.serve = Record(id=sha256(payload)[:16], verify=eddsa.new(sign, "rfc8032").verify, agree=agree, end=end)

def write_request(of, question, at, timeout=TIMEOUT_MS):
    shared = DH.key_agreement(static_priv=of.session.agree, static_pub=of.serve.agree, kdf=bytes)  # refuses zeros
    keys = mac_key, request_key, answer_key = KDF.HKDF(shared, 32, of.session.id + of.serve.id, SHA256, 3, b"arbor/keys/2")
    counter = of.session.counter = of.session.counter + 1  # each attempt takes the next, refused or not
    body = question if of.plain else b"".join(aead(request_key, counter, 0).encrypt_and_digest(question))
    type_, accept = "application/json" if of.plain else "application/arbor-sealed", "stream" if of.stream else "whole"
    payload = encode("arbor/request/2", of.session.id, None if of.plain and of.sign else of.serve.id, counter, of.miner.public_key,
                     of.netuid, "POST", f"/{of.task}", type_, accept, at, timeout, len(body), sha256(body))
    proof = eddsa.new(of.session.sign, "rfc8032").sign(payload) if of.sign else hmac.digest(mac_key, payload, "sha256")
    unseal = lambda index, data: data if of.plain else aead(answer_key, counter, index).decrypt_and_verify(data[:-16], data[-16:])
    return Record(envelope=write_token(payload, proof), body=body, type=type_, hash=sha256(payload), unseal=unseal, keys=keys)

def read_frames(sent, read):
    chunks, body, kind = [], bytearray(), 1
    while kind == 1:
        kind, size = struct.unpack(">BI", read(5))
        check(kind in (1, 2) and size <= 65536 and len(body) < MAX_BYTES, "a frame is malformed, or the stream too long")
        payload = read(size)
        if kind == 1: chunks.append(sent.unseal(len(chunks) + 1, payload)), body.extend(payload)
    check(read(1) == b"", "bytes follow the end")
    return payload.decode("ascii"), chunks, body

def read_answer(of, sent, response):
    status, envelope, type_ = response.status, response.headers.get("arbor-envelope"), response.headers.get("content-type")
    streamed = of.stream and (status, envelope, type_) == (200, None, "application/arbor-stream")
    envelope, chunks, body = read_frames(sent, response.read) if streamed else (envelope, [], response.read(MAX_BYTES))
    if envelope:  # else it is a refusal that anybody may have written: good for a step of recovery and no more
        (*fields, _), payload, proof = read_token(envelope, "arbor/end/2" if streamed else "arbor/answer/2")
        status, label = fields[2] if streamed else status, fields[3]
        right = [of.serve.id, sent.hash, status, label] + [len(chunks)] * streamed + [len(body), sha256(body)]
        check(fields == right, "the answer is of another session, to another request, or not what was signed")
        of.serve.verify(payload, proof)  # raises
    if status != 200: return {"status": status, "code": label if streamed else json.loads(body)["code"], "signed": bool(envelope)}
    check(envelope and label == ("" if streamed else sent.type) and chunks.count(b"") == streamed, "not signed, not sealed, or not whole")
    if not streamed: return {"status": status, "answer": json.loads(sent.unseal(0, body))}
    mark = chunks.index(b"")
    return {"status": status, "answer": json.loads(b"".join(chunks[mark:])), "text": b"".join(chunks[:mark]).decode()}

def ask(of, question):  # each step of recovery once, since one may follow another
    steps = {"WIRE_SESSION": lambda of: None, "WIRE_SESSION_OLD": open_session, "WIRE_SESSION_EXPIRED": open_session, "WIRE_KEYS": fetch_certificate}
    if not of.serve or now() + TIMEOUT_MS > of.serve.end or of.plain and of.sign: fetch_certificate(of)  # the last names no session
    if not of.session or now() > of.session.at + HOUR_MS // 2: open_session(of)
    while True:
        sent = write_request(of, question, now())
        headers = {"arbor-envelope": sent.envelope} | ({} if of.session.known else {"arbor-certificate": of.session.token})
        result = read_answer(of, sent, send("POST", f"{of.url}/{of.task}", body=sent.body, headers=headers))
        of.session.known = result["status"] == 200  # else the certificate goes along again
        if result.get("code") not in steps: return result
        steps.pop(result["code"])(of)

if __name__ == "__main__":
    parser = argparse.ArgumentParser(usage=__doc__)
    for name in ("url", "hotkey", "task", "json", "--genesis", "--uri"): parser.add_argument(name)
    for name in ("--netuid", "--registered-at", "--miner-registered-at"): parser.add_argument(name, type=int)
    for name in ("--stream", "--plain", "--sign"): parser.add_argument(name, action="store_true")
    of = parser.parse_args(namespace=Record(session=None, serve=None, uri="//Alice", code=0))
    of.genesis, of.key, of.miner = bytes.fromhex(of.genesis), Keypair.create_from_uri(of.uri), Keypair(ss58_address=of.hotkey)
    for line in sys.stdin if of.json == "-" else [of.json]:
        try: result = ask(of, line.strip().encode())
        except Exception as fault: result = {"fault": str(fault) or type(fault).__name__}  # whatever it was, it is no answer
        of.code |= "answer" not in result
        print(json.dumps(result), flush=True)
    sys.exit(of.code)
