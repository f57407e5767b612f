"""Makes calls of the bittensor SDK 11.x that come as JSON lines on stdin, and answers each with one JSON line on stdout.

A request is {"call": name, "args": {...}}: one of the functions below.
"""

import json
import sys

answers = sys.stdout
sys.stdout = sys.stderr
url, wallets = sys.argv[1:3]
sys.argv = sys.argv[:1]

import bittensor as bt  # noqa: E402

state = {}


def client():
    return state["client"]


def connect():
    state["client"] = bt.SyncClient(url)
    client().connect()
    return {"version": bt.__version__, "block": client().block, "finalized": client().finalized_block, "spec": client().spec_version}


def get_balance(address, block=None):
    return client().balances.get(address, block=block).rao


def block_hash(block):
    return client().block_info(block).hash


def wait_for_block(block):
    return client().wait_for_block(block).number


def storage(pallet, item, params):
    return client().query((pallet, item), params)


def netuids():
    return [netuid for netuid, exists in client().query_map(("SubtensorModule", "NetworksAdded")) if exists]


def metagraph(netuid):
    graph = client().subnets.metagraph(netuid)
    return [{"uid": neuron.uid, "hotkey": neuron.hotkey, "coldkey": neuron.coldkey} for neuron in graph.neurons]


def transfer(name, hotkey, dest, amount_tao):
    wallet = bt.Wallet(name=name, hotkey=hotkey, path=wallets)
    result = client().execute(bt.Transfer(dest_ss58=dest, amount_tao=amount_tao), wallet)
    return {"success": result.success, "message": str(result.message), "block": result.block_hash}


calls = {made.__name__: made for made in (connect, get_balance, block_hash, wait_for_block, storage, netuids, metagraph, transfer)}

for line in sys.stdin:
    request = json.loads(line)
    try:
        answer = {"result": calls[request["call"]](**request["args"])}
    except Exception as error:  # the test decides what a failure means
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), file=answers, flush=True)
