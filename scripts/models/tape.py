"""Writes a computation and its reverse-mode derivative as ONNX operations: each step forward knows how its slope runs back."""

from collections import defaultdict
from collections.abc import Callable

import numpy as np

from graph import Graph

FUSED = "com.microsoft"


class Tape:
    """Operations by automatic names; a value's slope is the derivative of the loss by it, once `run_back` was called."""

    def __init__(self, graph: Graph, mixed: bool = False):
        self.graph = graph
        self.mixed = mixed
        self.halves: dict[str, str] = {}
        self.count = 0
        self.back: list[Callable[[], None]] = []
        self.slopes: dict[str, list[str]] = defaultdict(list)

    def op(self, kind: str, *inputs: str, domain: str = "", **attributes) -> str:
        self.count += 1
        return self.graph.node(kind, list(inputs), f"{kind}_{self.count}", domain, **attributes)

    def number(self, value: float) -> str:
        return self.graph.tensor(f"number_{value!r}", np.array(value, np.float32))

    def half(self, value: str) -> str:
        if value not in self.halves:
            self.halves[value] = self.op("Cast", value, to=np.float16)
        return self.halves[value]

    def matrix(self, a: str, b: str, flip_a: bool = False, flip_b: bool = False) -> str:
        """Product of two matrices; a mixed tape multiplies in fp16 and goes on in fp32."""
        if self.mixed:
            a, b = self.half(a), self.half(b)
        flips = {"transA": int(flip_a), "transB": int(flip_b)}
        result = self.op("Gemm", a, b, **flips) if flip_a or flip_b else self.op("MatMul", a, b)
        return self.op("Cast", result, to=np.float32) if self.mixed else result

    def product(self, a: str, b: str, flip_a: bool = False, flip_b: bool = False, scale: float = 1.0) -> str:
        """Matrix product over the last two axes, either factor transposed without a copy."""
        return self.op("FusedMatMul", a, b, domain=FUSED, transA=int(flip_a), transB=int(flip_b), alpha=scale)

    def slope(self, value: str) -> str:
        """The sum of what arrived for a value."""
        parts = self.slopes.pop(value)
        total = parts[0]
        for part in parts[1:]:
            total = self.op("Add", total, part)
        self.slopes[value] = [total]
        return total

    def run_back(self) -> None:
        for step in reversed(self.back):
            step()

    def add(self, x: str, y: str) -> str:
        result = self.op("Add", x, y)

        def back() -> None:
            for term in (x, y):
                self.slopes[term].append(self.slope(result))

        self.back.append(back)
        return result

    def linear(self, x: str, weight: str) -> str:
        """[rows, in] × [in, out]."""
        result = self.matrix(x, weight)

        def back() -> None:
            slope = self.slope(result)
            self.slopes[x].append(self.matrix(slope, weight, flip_b=True))
            self.slopes[weight].append(self.matrix(x, slope, flip_a=True))

        self.back.append(back)
        return result

    def scale(self, x: str, factor: float) -> str:
        result = self.op("Mul", x, self.number(factor))
        self.back.append(lambda: self.slopes[x].append(self.op("Mul", self.slope(result), self.number(factor))))
        return result

    def reshape(self, x: str, to: str, back_to: str) -> str:
        result = self.op("Reshape", x, to)
        self.back.append(lambda: self.slopes[x].append(self.op("Reshape", self.slope(result), back_to)))
        return result

    def transpose(self, x: str, order: list[int]) -> str:
        result = self.op("Transpose", x, perm=order)
        inverse = [order.index(axis) for axis in range(len(order))]
        self.back.append(lambda: self.slopes[x].append(self.op("Transpose", self.slope(result), perm=inverse)))
        return result

    def norm(self, x: str, weight: str, width: int, eps: float) -> str:
        """Root mean square over a row: y = x / rms(x) × weight."""
        squares = self.op("ReduceSumSquare", x, self.graph.whole([-1]), keepdims=1)
        mean = self.op("Add", self.op("Mul", squares, self.number(1 / width)), self.number(eps))
        shrink = self.op("Reciprocal", self.op("Sqrt", mean))
        even = self.op("Mul", x, shrink)
        result = self.op("Mul", even, weight)

        def back() -> None:
            slope = self.slope(result)
            by_weight = self.op("Mul", slope, even)
            self.slopes[weight].append(self.op("ReduceSum", by_weight, self.graph.whole([0]), keepdims=0))
            column = self.op("Mul", self.op("Unsqueeze", weight, self.graph.whole([1])), self.number(1 / width))
            along = self.op("MatMul", by_weight, column)
            across = self.op("Sub", self.op("Mul", slope, weight), self.op("Mul", even, along))
            self.slopes[x].append(self.op("Mul", across, shrink))

        self.back.append(back)
        return result

    def rotate(self, x: str, cos: str, sin: str, against: str) -> str:
        """Turns pairs (i, i + half) of each head of [batch, length, heads × size] by the position's angle; `against` is −sin."""
        first = self.graph.whole([0])
        turn = lambda value, by: self.op("RotaryEmbedding", value, first, cos, by, domain=FUSED)
        result = turn(x, sin)
        self.back.append(lambda: self.slopes[x].append(turn(self.slope(result), against)))
        return result

    def attend(self, query: str, key: str, value: str, mask: str, scale: float) -> str:
        """Softmax attention; rows of queries that share a key head lie in one matrix: [batch, shared, groups × length, size]."""
        score = self.op("Add", self.product(query, key, flip_b=True, scale=scale), mask)
        share = self.op("Softmax", score, axis=-1)
        result = self.op("MatMul", share, value)

        def back() -> None:
            slope = self.slope(result)
            self.slopes[value].append(self.product(share, slope, flip_a=True))
            # The sum over a row of share × its slope is that of the result × its slope, which is shorter.
            drift = self.op("ReduceSum", self.op("Mul", result, slope), self.graph.whole([-1]), keepdims=1)
            by_score = self.op("Mul", share, self.op("Sub", self.product(slope, value, flip_b=True), drift))
            self.slopes[query].append(self.product(by_score, key, scale=scale))
            self.slopes[key].append(self.product(by_score, query, flip_a=True, scale=scale))

        self.back.append(back)
        return result

    def gate(self, gate: str, up: str) -> str:
        """gate × sigmoid(gate) × up."""
        open_ = self.op("Sigmoid", gate)
        silu = self.op("Mul", gate, open_)
        result = self.op("Mul", silu, up)

        def back() -> None:
            slope = self.slope(result)
            self.slopes[up].append(self.op("Mul", slope, silu))
            # silu' = open + silu × (1 − open)
            rise = self.op("Add", open_, self.op("Sub", silu, self.op("Mul", silu, open_)))
            self.slopes[gate].append(self.op("Mul", self.op("Mul", slope, up), rise))

        self.back.append(back)
        return result

    def embed(self, table: str, ids: str) -> str:
        result = self.op("Gather", table, ids)

        def back() -> None:
            slope = self.slope(result)
            # One index an element: ScatterND adds rows of the same token in several threads at once, and loses some.
            rows = self.op("Expand", self.op("Unsqueeze", ids, self.graph.whole([1])), self.op("Shape", slope))
            if table in self.slopes:
                start = self.slope(table)
            else:
                start = self.op("Mul", table, self.number(0.0))
            self.slopes[table] = [self.op("ScatterElements", start, rows, slope, axis=0, reduction="add")]

        self.back.append(back)
        return result

    def row_share(self, column: str) -> str:
        """One over the number of rows."""
        rows = self.op("Squeeze", self.op("Shape", column, start=0, end=1))
        self.share_of_row = self.op("Reciprocal", self.op("Cast", rows, to=np.float32))
        return self.share_of_row

    def final_slope(self, value: str) -> str:
        """A slope as it leaves the graph."""
        slope = self.slope(value)
        return self.op("Mul", slope, self.share_of_row) if self.mixed else slope

    def cross_entropy(self, hidden: str, head: str, targets: str, tied: bool) -> str:
        """Mean over rows of −log softmax(hidden × head)[target]; `tied` heads are [vocabulary, width], others [width, vocabulary]."""
        logits = self.matrix(hidden, head, flip_b=tied)
        share = self.op("Softmax", logits, axis=-1)
        column = self.op("Unsqueeze", targets, self.graph.whole([1]))
        # The largest share is exp(largest logit − log of the sum), which gives that log without a second pass of exponentials.
        top = lambda of: self.op("ReduceMax", of, self.graph.whole([-1]), keepdims=1)
        total = self.op("Sub", top(logits), self.op("Log", top(share)))
        each = self.op("Sub", total, self.op("GatherElements", logits, column, axis=1))
        loss = self.op("ReduceMean", each, keepdims=0)

        def back() -> None:
            ones = self.op("Expand", self.number(-1.0), self.op("Shape", column))
            slope = self.op("ScatterElements", share, column, ones, axis=1, reduction="add")
            # Divided by the rows where tensors are narrow; on a mixed tape at its very end, since fp16 knows no small slopes.
            part = self.row_share(column)
            even = (lambda value: value) if self.mixed else (lambda value: self.op("Mul", value, part))
            self.slopes[hidden].append(even(self.matrix(slope, head, flip_b=not tied)))
            small = even(hidden)
            pair = (slope, small) if tied else (small, slope)
            self.slopes[head].append(self.matrix(*pair, flip_a=True))

        self.back.append(back)
        return loss


def prune(graph: Graph) -> None:
    """Drops operations and tensors that no output needs."""
    needed, kept = {value.name for value in graph.outputs}, []
    for node in reversed(graph.nodes):
        if needed.isdisjoint(node.output):
            continue
        kept.append(node)
        needed.update(node.input)
    graph.nodes = kept[::-1]
    graph.tensors = {name: tensor for name, tensor in graph.tensors.items() if name in needed}


def rename(graph: Graph, names: dict[str, str]) -> None:
    """Gives values other names, wherever they are written and read."""
    for node in graph.nodes:
        for side in (node.input, node.output):
            for index, value in enumerate(side):
                side[index] = names.get(value, value)
