"""Makes calls of the bittensor SDK 10.x that come as JSON lines on stdin, and answers each with one JSON line on stdout.

A request is {"call": name, "args": {...}}: a function of this file, or else a method of bt.Subtensor. In args,
{"$tao": "1.5"}, {"$rao": 5}, {"$alpha": [rao, netuid]}, {"$wallet": [name, hotkey]} and {"$axon": {...}} stand for the SDK's own
objects; balances come back in rao.
"""

import dataclasses
import enum
import json
import sys
import time

# The SDK's log goes to stdout by default: what it prints must not get among the answers.
answers = sys.stdout
sys.stdout = sys.stderr
url, wallets = sys.argv[1:3]
sys.argv = sys.argv[:1]  # the SDK reads the command line for options of its own

import bittensor as bt  # noqa: E402
from bittensor.core.types import ExtrinsicResponse  # noqa: E402
from bittensor.utils.balance import Balance  # noqa: E402
from bittensor_wallet import Keypair, Wallet  # noqa: E402

state = {}


def subtensor():
    return state["subtensor"]


def connect():
    started = time.perf_counter()
    state["subtensor"] = bt.Subtensor(network=url)
    return {"seconds": time.perf_counter() - started, "version": bt.__version__, "block": subtensor().block}


def make_wallet(name, hotkey, coldkey_uri, hotkey_uri):
    """Writes a wallet of well-known keys, unencrypted, as the wallet package lays it out."""
    wallet = Wallet(name=name, hotkey=hotkey, path=wallets)
    cold = Keypair.create_from_uri(coldkey_uri)
    wallet.set_coldkey(cold, encrypt=False, overwrite=True)
    wallet.set_coldkeypub(cold, encrypt=False, overwrite=True)
    wallet.set_hotkey(Keypair.create_from_uri(hotkey_uri), encrypt=False, overwrite=True)
    return keys(wallet)


def keys(wallet):
    return {"coldkey": wallet.coldkeypub.ss58_address, "hotkey": wallet.hotkey.ss58_address}


def send(wallet, pallet, function, params, sign_with="coldkey"):
    """Composes any call from the chain's metadata and waits until it is final."""
    call = subtensor().compose_call(call_module=pallet, call_function=function, call_params=params)
    return subtensor().sign_and_send_extrinsic(
        call=call, wallet=wallet, sign_with=sign_with, wait_for_inclusion=True, wait_for_finalization=True
    )


def timelock(payload, reveal_round):
    """Encrypts bytes to a drand round under the key that bittensor_drand has compiled in."""
    from bittensor_drand import encrypt_at_round

    ciphertext, round_ = encrypt_at_round(bytes.fromhex(payload), reveal_round)
    return {"ciphertext": ciphertext, "round": round_}


def metagraph_of(netuid, lite):
    graph = subtensor().metagraph(netuid, lite=lite)
    fields = (
        "n block uids hotkeys coldkeys axons S AS TS I D C E active last_update validator_permit weights bonds"
    ).split()
    return {field: getattr(graph, field) for field in fields}


def read(value):
    """Turns what the tests send into the SDK's own objects."""
    if isinstance(value, list):
        return [read(item) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((kind, of),) = value.items()
        if kind == "$tao":
            return Balance.from_tao(float(of))
        if kind == "$rao":
            return Balance.from_rao(int(of))
        if kind == "$alpha":
            return Balance.from_rao(int(of[0])).set_unit(of[1])
        if kind == "$wallet":
            return Wallet(name=of[0], hotkey=of[1], path=wallets)
        if kind == "$axon":
            return bt.Axon(wallet=read(of["wallet"]), port=of["port"], ip=of["ip"], external_ip=of["ip"])
    return {key: read(item) for key, item in value.items()}


def plain(value):
    """Turns what the SDK gives into JSON."""
    if isinstance(value, ExtrinsicResponse):
        receipt = value.extrinsic_receipt
        return {
            "success": value.success,
            "message": value.message,
            "error": None if value.error is None else f"{type(value.error).__name__}: {value.error}",
            "block": None if receipt is None or not receipt.block_hash else receipt.block_hash,
            "fee": plain(value.extrinsic_fee),
            "data": plain(value.data),
        }
    if isinstance(value, Balance):
        return int(value.rao)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, enum.Enum):
        return value.name
    if isinstance(value, (bytes, bytearray)):
        return value.hex()
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [plain(item) for item in value]
    if dataclasses.is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if hasattr(value, "tolist"):  # numpy
        return plain(value.tolist())
    if hasattr(value, "value"):
        return plain(value.value)
    return str(value)


own = {name: made for name, made in list(globals().items()) if callable(made) and getattr(made, "__module__", "") == "__main__"}

for line in sys.stdin:
    request = json.loads(line)
    try:
        function = own.get(request["call"]) or getattr(subtensor(), request["call"])
        answer = {"result": plain(function(**read(request["args"])) if callable(function) else function)}
    except Exception as error:  # the test decides what a failure means
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), file=answers, flush=True)
