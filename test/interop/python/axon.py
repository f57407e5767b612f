"""Serves the synapses of the interop table with Bittensor's own axon, without a chain.

Usage: axon.py [--ip 127.0.0.1] [--port P] [--uri //Bob | --wallets FOLDER --wallet NAME]. Prints one line of JSON when it serves, and ends when its input does.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
import typing

# The SDK's log goes to stdout by default, and it reads the command line for options of its own.
answers = sys.stdout
sys.stdout = sys.stderr
arguments = sys.argv[1:]
sys.argv = sys.argv[:1]

import bittensor as bt  # noqa: E402
from bittensor.core.axon import Axon  # noqa: E402
from bittensor_wallet import Keypair, Wallet  # noqa: E402


class Echo(bt.Synapse):
    text: str
    n: int
    reply: typing.Optional[str] = None
    required_hash_fields: typing.ClassVar[tuple[str, ...]] = ("text", "n")


class Dummy(bt.Synapse):
    dummy_input: int
    dummy_output: typing.Optional[int] = None


class Many(bt.Synapse):
    s: str
    i: int
    f: float
    b: bool
    l: typing.List[int]
    d: dict
    o: typing.Optional[str] = None
    out: typing.Optional[dict] = None
    required_hash_fields: typing.ClassVar[tuple[str, ...]] = ("s", "i", "f", "b", "l", "d", "o")


class StreamEcho(bt.StreamingSynapse):
    prompt: str
    completion: str = ""
    required_hash_fields: typing.ClassVar[tuple[str, ...]] = ("prompt",)

    async def process_streaming_response(self, response):
        async for chunk in response.content.iter_any():
            text = chunk.decode()
            self.completion += text
            yield text

    def extract_response_json(self, response):
        return {"name": self.name, "prompt": self.prompt, "completion": self.completion}


class Slow(bt.Synapse):
    x: int


class Boom(bt.Synapse):
    x: int


class Black(bt.Synapse):
    x: int


class Prio(bt.Synapse):
    x: int


class Custom(bt.Synapse):
    x: int


def echo(synapse: Echo) -> Echo:
    synapse.reply = f"{synapse.text}|{synapse.n}"
    return synapse


def dummy(synapse: Dummy) -> Dummy:
    synapse.dummy_output = synapse.dummy_input * 2
    return synapse


def many(synapse: Many) -> Many:
    synapse.out = {"got": synapse.l}
    return synapse


def stream_echo(synapse: StreamEcho) -> bt.StreamingSynapse.BTStreamingResponse:
    words = synapse.prompt.split(" ")

    async def stream(send):
        for word in words:
            await send({"type": "http.response.body", "body": f"{word} ".encode(), "more_body": True})
            await asyncio.sleep(0.05)
        await send({"type": "http.response.body", "body": b"END", "more_body": True})

    return synapse.create_streaming_response(stream)


async def slow(synapse: Slow) -> Slow:
    await asyncio.sleep(3)
    return synapse


def boom(synapse: Boom) -> Boom:
    raise RuntimeError("boom")


def black(synapse: Black) -> Black:
    return synapse


def black_list(synapse: Black) -> typing.Tuple[bool, str]:
    return True, "not a validator"


def prio(synapse: Prio) -> Prio:
    return synapse


def prio_of(synapse: Prio) -> float:
    raise TimeoutError("too slow")


def custom(synapse: Custom) -> Custom:
    synapse.axon.status_code = 418
    synapse.axon.status_message = "teapot"
    return synapse


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--ip", default="127.0.0.1")
    parser.add_argument("--uri", default="//Bob")
    parser.add_argument("--wallets")
    parser.add_argument("--wallet")
    words = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        if words.wallet:
            wallet = Wallet(name=words.wallet, hotkey="default", path=words.wallets)
        else:
            wallet = Wallet(name="interop", hotkey="interop", path=folder)
            wallet.set_hotkey(Keypair.create_from_uri(words.uri), encrypt=False, overwrite=True)
            wallet.set_coldkeypub(Keypair(ss58_address=wallet.hotkey.ss58_address), overwrite=True)
        axon = Axon(wallet=wallet, ip="127.0.0.1", port=8091, external_ip="127.0.0.1", external_port=8091)
        axon.fast_config.host = words.ip
        axon.fast_config.port = words.port
        for forward, blacklist, priority in (
            (echo, None, None),
            (dummy, None, None),
            (many, None, None),
            (stream_echo, None, None),
            (slow, None, None),
            (boom, None, None),
            (black, black_list, None),
            (prio, None, prio_of),
            (custom, None, None),
        ):
            axon.attach(forward_fn=forward, blacklist_fn=blacklist, priority_fn=priority)
        axon.start()
        while not axon.fast_server.started:
            time.sleep(0.01)
        port = axon.fast_server.servers[0].sockets[0].getsockname()[1]
        ready = {"ready": True, "port": port, "hotkey": wallet.hotkey.ss58_address, "version": bt.__version__}
        print(json.dumps(ready), file=answers, flush=True)
        sys.stdin.read()
        axon.stop()


if __name__ == "__main__":
    main()
