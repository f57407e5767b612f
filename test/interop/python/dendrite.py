"""Asks the synapses of the interop table with Bittensor's own dendrite, without a chain. Prints one line of JSON for each answer.

Usage: dendrite.py HOST PORT HOTKEY [--uri //Alice] [--crowd 64]
"""

import argparse
import asyncio
import json

from axon import Black, Boom, Custom, Dummy, Echo, Many, Prio, Slow, StreamEcho, answers, arguments

import bittensor as bt
from bittensor.core.chain_data import AxonInfo
from bittensor.core.dendrite import Dendrite
from bittensor.utils import networking
from bittensor_wallet import Keypair

networking.get_external_ip = lambda: "203.0.113.7"  # the real one asks the internet


class Unknown(bt.Synapse):
    x: int = 1


OWN = set(bt.Synapse.model_fields)

QUESTIONS = (
    ("Synapse", bt.Synapse(), 12.0),
    ("Echo", Echo(text="h\u00e9llo \"w\u00f6rld\" 'x' \\ \n\t \u2713 \U0001d11e \u200b", n=-7), 12.0),
    ("Echo of a big number", Echo(text="", n=10**30), 12.0),
    ("Echo of 200 KB", Echo(text="\u00e4bc " * 40_000, n=1), 12.0),
    ("Dummy", Dummy(dummy_input=21), 12.0),
    ("Many", Many(s="q\"uo'te", i=-5, f=1e-7, b=True, l=[1, 2, 3], d={"k": [1, None, "x'y", 1.5, False]}), 12.0),
    ("Many with an option", Many(s="", i=0, f=1.0, b=False, l=[], d={"10": 1, "9": 2.0}, o="here"), 12.0),
    ("Slow", Slow(x=5), 12.0),
    ("Slow with too little time", Slow(x=5), 1.0),
    ("Boom", Boom(x=1), 12.0),
    ("Black", Black(x=1), 12.0),
    ("Prio", Prio(x=1), 12.0),
    ("Custom", Custom(x=1), 12.0),
    ("Unknown", Unknown(), 12.0),
)


def tell(name, synapse, **more):
    fields = {key: value for key, value in synapse.model_dump().items() if key not in OWN}
    line = {
        "name": name,
        "status": synapse.dendrite.status_code,
        "message": synapse.dendrite.status_message,
        "success": synapse.is_success,
        "axon": synapse.axon.hotkey,
        "dendrite": synapse.dendrite.hotkey,
        "fields": fields,
        **more,
    }
    print(json.dumps(line), file=answers, flush=True)


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("hotkey")
    parser.add_argument("--uri", default="//Alice")
    parser.add_argument("--crowd", type=int, default=64)
    words = parser.parse_args(arguments)
    target = AxonInfo(version=0, ip=words.host, port=words.port, ip_type=4, hotkey=words.hotkey, coldkey="")
    async with Dendrite(wallet=Keypair.create_from_uri(words.uri)) as dendrite:
        for name, synapse, timeout in QUESTIONS:
            tell(name, await dendrite.call(target, synapse, timeout=timeout, deserialize=False))
        chunks = []
        stream = dendrite.call_stream(target, StreamEcho(prompt="alpha b\u00eata gamma"), timeout=12.0, deserialize=False)
        async for part in stream:
            chunks.append(part)
        tell("StreamEcho", chunks.pop(), chunks=chunks)
        stranger = AxonInfo(
            version=0, ip=words.host, port=words.port, ip_type=4, coldkey="",
            hotkey=Keypair.create_from_uri("//Dave").ss58_address,
        )
        tell("Echo for another axon", await dendrite.call(stranger, Echo(text="a", n=1), deserialize=False))
        crowd = (
            dendrite.call(target, Echo(text="crowd", n=n), timeout=60.0, deserialize=False) for n in range(words.crowd)
        )
        answered = await asyncio.gather(*crowd)
        lost = [f"{one.n}: {one.dendrite.status_message}" for one in answered if one.reply != f"crowd|{one.n}"]
        print(json.dumps({"name": "crowd", "asked": len(answered), "lost": lost}), file=answers, flush=True)


asyncio.run(main())
