"""Asks the inference subnet's Chat with Bittensor's own dendrite, without a chain. Prints one line of JSON for each answer.

Usage: chat.py HOST PORT HOTKEY REQUEST URI…, where REQUEST is the JSON of the request. The last line is a request that was signed and not sent.
"""

import asyncio
import json
import typing

from axon import answers, arguments

import bittensor as bt
from bittensor.core.chain_data import AxonInfo
from bittensor.core.dendrite import Dendrite
from bittensor.utils import networking
from bittensor_wallet import Keypair

networking.get_external_ip = lambda: "203.0.113.7"  # the real one asks the internet


class Chat(bt.Synapse):
    prompt: str
    maxTokens: int
    temperature: float
    topK: typing.Optional[int] = None
    topP: typing.Optional[float] = None
    stop: typing.Optional[typing.List[str]] = None
    seed: str
    text: typing.Optional[str] = None
    tokens: typing.Optional[typing.List[int]] = None
    finish: typing.Optional[str] = None
    fingerprint: typing.Optional[typing.List[str]] = None
    required_hash_fields: typing.ClassVar[tuple[str, ...]] = (
        "prompt",
        "maxTokens",
        "temperature",
        "topK",
        "topP",
        "stop",
        "seed",
    )


def tell(line):
    print(json.dumps(line), file=answers, flush=True)


def signed_text(synapse, hotkey):
    """The text that bittensor's dendrite signs."""
    own = synapse.dendrite
    return f"{own.nonce}.{own.hotkey}.{hotkey}.{own.uuid}.{synapse.computed_body_hash or synapse.body_hash}"


async def main():
    host, port, hotkey, request, *uris = arguments
    target = AxonInfo(version=0, ip=host, port=int(port), ip_type=4, hotkey=hotkey, coldkey="")
    fields = json.loads(request)
    for uri in uris:
        async with Dendrite(wallet=Keypair.create_from_uri(uri)) as dendrite:
            answer = await dendrite.call(target, Chat(**fields), timeout=12.0, deserialize=False)
            own = {name: getattr(answer, name) for name in ("text", "tokens", "finish", "fingerprint")}
            status = answer.dendrite.status_code
            signed = signed_text(answer, hotkey)
            tell({"uri": uri, "status": status, "message": answer.dendrite.status_message, "response": own, "signedText": signed})
    async with Dendrite(wallet=Keypair.create_from_uri(uris[0])) as dendrite:
        synapse = dendrite.preprocess_synapse_for_request(target, Chat(**fields), timeout=12.0)
        tell({"headers": synapse.to_headers(), "body": json.dumps(synapse.model_dump())})


asyncio.run(main())
