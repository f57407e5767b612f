"""The decoder-only transformer: RMSNorm, rotary positions, grouped-query attention, gated MLP, tied head."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

KeyValue = tuple[Tensor, Tensor]
MASKED = -1e9


@dataclass(frozen=True)
class Config:
    """Sizes of a model, named as in Hugging Face's Llama configuration."""

    vocab_size: int = 1024
    hidden_size: int = 192
    num_hidden_layers: int = 6
    num_attention_heads: int = 6
    num_key_value_heads: int = 2
    intermediate_size: int = 512
    max_position_embeddings: int = 512
    rope_theta: float = 10000.0
    rms_norm_eps: float = 1e-5
    tie_word_embeddings: bool = True
    head_size: int | None = None  # Hugging Face's head_dim, where it does not follow from the width

    @property
    def head_dim(self) -> int:
        return self.head_size or self.hidden_size // self.num_attention_heads


CONFIGS = {
    "arbor-2m": Config(),
    "arbor-tiny": Config(
        hidden_size=96, num_hidden_layers=2, num_attention_heads=3, num_key_value_heads=1, intermediate_size=256
    ),
}


class RmsNorm(nn.Module):
    def __init__(self, size: int, eps: float):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.eps) * self.weight


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turns each pair (i, i + half) of a head by its position's angle."""
    half = x.shape[-1] // 2
    first, second = x[..., :half], x[..., half:]
    return torch.cat([first * cos - second * sin, second * cos + first * sin], -1)


class Attention(nn.Module):
    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        width, head = config.hidden_size, config.head_dim
        self.q_proj = nn.Linear(width, config.num_attention_heads * head, bias=False)
        self.k_proj = nn.Linear(width, config.num_key_value_heads * head, bias=False)
        self.v_proj = nn.Linear(width, config.num_key_value_heads * head, bias=False)
        self.o_proj = nn.Linear(config.num_attention_heads * head, width, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, mask: Tensor, past: KeyValue | None) -> tuple[Tensor, KeyValue]:
        batch, length, _ = x.shape
        shared, head = self.config.num_key_value_heads, self.config.head_dim
        groups = self.config.num_attention_heads // shared

        def split(projected: Tensor, heads: int) -> Tensor:
            return projected.view(batch, length, heads, head).transpose(1, 2)

        query = rotate(split(self.q_proj(x), groups * shared), cos, sin)
        key = rotate(split(self.k_proj(x), shared), cos, sin)
        value = split(self.v_proj(x), shared)
        if past is not None:
            key, value = torch.cat([past[0], key], 2), torch.cat([past[1], value], 2)
        # [batch, shared, groups, length, head] × [batch, shared, 1, head, total]: the shared heads are never copied out.
        grouped = query.reshape(batch, shared, groups, length, head)
        score = torch.matmul(grouped, key.unsqueeze(2).transpose(-1, -2)) / math.sqrt(head) + mask.unsqueeze(2)
        mixed = torch.matmul(torch.softmax(score, -1), value.unsqueeze(2))
        joined = mixed.reshape(batch, groups * shared, length, head).transpose(1, 2).reshape(batch, length, -1)
        return self.o_proj(joined), (key, value)


class Mlp(nn.Module):
    def __init__(self, config: Config):
        super().__init__()
        self.gate_proj = nn.Linear(config.hidden_size, config.intermediate_size, bias=False)
        self.up_proj = nn.Linear(config.hidden_size, config.intermediate_size, bias=False)
        self.down_proj = nn.Linear(config.intermediate_size, config.hidden_size, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        gate = self.gate_proj(x)
        return self.down_proj(gate * torch.sigmoid(gate) * self.up_proj(x))  # spelled out: the backward of silu does not export


class Layer(nn.Module):
    def __init__(self, config: Config):
        super().__init__()
        self.input_layernorm = RmsNorm(config.hidden_size, config.rms_norm_eps)
        self.self_attn = Attention(config)
        self.post_attention_layernorm = RmsNorm(config.hidden_size, config.rms_norm_eps)
        self.mlp = Mlp(config)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, mask: Tensor, past: KeyValue | None) -> tuple[Tensor, KeyValue]:
        attended, key_value = self.self_attn(self.input_layernorm(x), cos, sin, mask, past)
        x = x + attended
        return x + self.mlp(self.post_attention_layernorm(x)), key_value


class LanguageModel(nn.Module):
    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.num_hidden_layers))
        self.norm = RmsNorm(config.hidden_size, config.rms_norm_eps)
        self.lm_head = None if config.tie_word_embeddings else nn.Linear(config.hidden_size, config.vocab_size, bias=False)
        powers = torch.arange(0, config.head_dim, 2).float() / config.head_dim
        self.register_buffer("inv_freq", 1.0 / (config.rope_theta**powers), persistent=False)
        shrink = math.sqrt(2 * config.num_hidden_layers)  # residual branches start small, so depth does not add up variance
        for name, parameter in self.named_parameters():
            if parameter.dim() == 2:
                residual = "o_proj" in name or "down_proj" in name
                nn.init.normal_(parameter, std=0.02 / shrink if residual else 0.02)

    def body(self, ids: Tensor, mask: Tensor, positions: Tensor, past: list[KeyValue] | None) -> tuple[Tensor, list[KeyValue]]:
        angle = positions.float().unsqueeze(-1) * self.inv_freq
        cos, sin = angle.cos().unsqueeze(1), angle.sin().unsqueeze(1)
        x, present = self.embed_tokens(ids), []
        for index, layer in enumerate(self.layers):
            x, key_value = layer(x, cos, sin, mask, None if past is None else past[index])
            present.append(key_value)
        return self.norm(x), present

    def head(self, hidden: Tensor) -> Tensor:
        return functional.linear(hidden, self.embed_tokens.weight) if self.lm_head is None else self.lm_head(hidden)

    def forward(self, ids: Tensor) -> Tensor:
        """Returns the logits of plain causal attention over whole sequences [batch, length]."""
        length = ids.shape[1]
        mask = torch.full((length, length), MASKED).triu(1)[None, None]
        hidden, _ = self.body(ids, mask, torch.arange(length)[None], None)
        return self.head(hidden)

    def loss(self, tokens: Tensor) -> Tensor:
        """Mean cross entropy (nats a token) of predicting tokens[:, 1:] from tokens[:, :-1]."""
        logits = self(tokens[:, :-1])
        return functional.cross_entropy(logits.reshape(-1, logits.shape[-1]), tokens[:, 1:].reshape(-1))


class Decoder(nn.Module):
    """The exported form: Hugging Face's inputs, a key-value cache, and the last hidden state beside the logits."""

    def __init__(self, model: LanguageModel, untied_head: bool = False):
        super().__init__()
        self.model = model
        # Quantisation skips a weight that the embedding lookup shares; an own copy lets the head be quantised as well.
        self.lm_head = nn.Parameter(model.embed_tokens.weight.detach().clone()) if untied_head else None

    def forward(self, input_ids: Tensor, attention_mask: Tensor, position_ids: Tensor, past: list[KeyValue]):
        seen, length = past[0][0].shape[2], input_ids.shape[1]
        keys = torch.arange(seen + length)
        queries = keys[seen:]
        causal = (keys[None, :] <= queries[:, None])[None]
        present_keys = (torch.index_select(attention_mask, 1, keys) > 0)[:, None, :]
        mask = torch.where(causal & present_keys, 0.0, MASKED)[:, None]
        hidden, present = self.model.body(input_ids, mask, position_ids, past)
        logits = self.model.head(hidden) if self.lm_head is None else functional.linear(hidden, self.lm_head)
        return logits, hidden, present


def parameter_count(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())
