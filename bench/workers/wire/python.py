"""The Python arm of bench/wire.ts: `serve PORT` is an axon of bittensor 10.5.0, `ask PORT HOTKEY` a dendrite. See bench/wire.ts for the talk on stdin and stdout."""
import asyncio, json, sys, tempfile, time
from typing import ClassVar

arguments, sys.argv = sys.argv[1:], sys.argv[:1]
import bittensor as bt
from bittensor.utils import networking

networking.get_external_ip = lambda: "192.0.2.1"  # no look-up of our own address: there is no network here


class Echo(bt.Synapse):
    text: str
    reply: str = ""
    required_hash_fields: ClassVar[tuple[str, ...]] = ("text",)


def wallet(uri):
    made = bt.Wallet(name="bench", path=tempfile.mkdtemp())
    made.set_hotkey(bt.Keypair.create_from_uri(uri), encrypt=False, overwrite=True)
    made.set_coldkeypub(bt.Keypair.create_from_uri(uri), encrypt=False, overwrite=True)
    return made


def say(**line):
    print(json.dumps(line), flush=True)


def serve(port):
    def echo(synapse: Echo) -> Echo:
        synapse.reply = synapse.text
        return synapse

    mine = wallet("//Bob")
    axon = bt.Axon(wallet=mine, port=port, ip="0.0.0.0", external_ip="127.0.0.1", external_port=port)
    axon.attach(forward_fn=echo)
    axon.start()
    say(ready=mine.hotkey.ss58_address)
    sys.stdin.read()


async def ask(port, hotkey):
    mine = wallet("//Alice")
    dendrite = bt.Dendrite(wallet=mine)
    say(ready=mine.hotkey.ss58_address)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        job = json.loads(line)
        axons = [
            bt.AxonInfo(version=10005000, ip=address, port=port, ip_type=4, hotkey=hotkey, coldkey=hotkey)
            for address in job["addresses"]
        ]
        left, failed, text = iter(range(job["requests"])), 0, "x" * job["bytes"]

        async def worker():
            nonlocal failed
            for index in left:
                answer = await dendrite.call(
                    target_axon=axons[index % len(axons)], synapse=Echo(text=text), timeout=60, deserialize=False
                )
                failed += answer.dendrite.status_code != 200 or answer.reply != text

        started = time.perf_counter()
        await asyncio.gather(*(worker() for _ in range(job["concurrency"])))
        say(failed=failed, wallMs=(time.perf_counter() - started) * 1e3)


if arguments[0] == "serve":
    serve(int(arguments[1]))
else:
    asyncio.run(ask(int(arguments[1]), arguments[2]))
