"""Asks a gateway with OpenAI's own client and prints what came as one line of JSON.

Usage: openai_client.py URL KEY
"""

import json
import sys

import openai

url, key = sys.argv[1:]
client = openai.OpenAI(base_url=url, api_key=key, max_retries=0)
model = client.models.list().data[0].id
messages = [{"role": "user", "content": "Grüße 🌳"}]


def refusal(**more):
    """Names the class, status, parameter and code of a refusal."""
    try:
        client.chat.completions.create(**{"model": model, "messages": messages, **more})
    except openai.APIStatusError as error:
        return [type(error).__name__, error.status_code, error.param, error.code]
    return None


def failure(action):
    """Returns what an action raises."""
    try:
        action()
    except openai.APIError as error:
        return error
    return None


def streamed(pieces):
    """Reads a stream; what breaks it off is told by its class and code."""
    text = ""
    try:
        for piece in pieces:
            if piece.choices:
                text += piece.choices[0].delta.content or ""
            usage = piece.usage
        return [text, usage.total_tokens if usage else None]
    except openai.APIError as error:
        return [text, type(error).__name__, error.code]


whole = client.chat.completions.with_raw_response.create(model=model, messages=messages, max_tokens=8, seed=1)
stream = client.chat.completions.create(
    model=model, messages=messages, max_tokens=8, stream=True, stream_options={"include_usage": True}
)
broken = client.chat.completions.create(
    model=model, messages=[{"role": "user", "content": "break off"}], max_tokens=8, stream=True
)
text = client.completions.create(model=model, prompt="A borrow is", max_tokens=8)
print(
    json.dumps(
        {
            "model": model,
            "whole": whole.parse().choices[0].message.content,
            "usage": whole.parse().usage.total_tokens,
            "miner": whole.headers["x-arbor-miner"],
            "receipt": whole.parse().arbor["receipt"],
            "stream": streamed(stream),
            "broken": streamed(broken),
            "text": text.choices[0].text,
            "errors": [refusal(n=2), refusal(model="gpt"), refusal(max_tokens=10**6), refusal(extra_body={"best_of": 2})],
            "stranger": type(failure(openai.OpenAI(base_url=url, api_key="x", max_retries=0).models.list)).__name__,
        }
    )
)
