"""A network that is trained: stated once, and made into a step of this library, of PyTorch and of JAX.

``model`` is written for ``nn``, this library's or PyTorch's, as both have the same names. ``forward`` is the
same network as a function of JAX, on parameters of the same names. All start from our first values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from .workload import JAX, Step, Workload, Wrap, of_ours, of_torch


@dataclass(frozen=True)
class Network:
    """A model, its data, its loss and its optimizer.

    Args:
        loss: ``cross_entropy`` or ``mse_loss`` with targets, or ``square``, the mean of the outputs' squares.
        forward: of JAX, ``(p, x) -> y``, or ``(y, buffers)`` where the model has some.
        more: what builds further contestants, by name.
    """

    title: str
    model: Callable[[Any], Any]
    forward: Callable[[dict[str, Any], Any], Any]
    data: tuple[Any, ...]
    loss: str
    optimizer: str
    rates: dict[str, float]
    flops: int
    target: float | None = None
    more: Mapping[str, Callable[[Network], Step]] = field(default_factory=dict)

    def workload(self) -> Workload:
        more = {name: partial(make, self) for name, make in self.more.items()}
        builders: dict[str, Callable[[], Step]] = {
            **of_ours(partial(ours, self)), **of_torch(partial(with_torch, self)),
            JAX: partial(with_jax, self), **more,
        }  # fmt: skip
        cut = replace(self, data=tuple(x[:2] for x in self.data))
        return Workload(self.title, builders, self.flops, self.target, cut.workload)

    def start(self) -> tuple[Any, dict[str, Any]]:
        """Return our model, and its parameters and buffers by name."""
        from autograd_core import nn

        nn.manual_seed(0)
        model = self.model(nn)
        return model, model.state_dict()


def loss_function(nn: Any, name: str) -> Callable[..., Any]:
    """Return the loss of a model's output, in either library."""

    def of(y: Any, *targets: Any) -> Any:
        y = y[0] if isinstance(y, tuple) else y
        return (y * y).mean() if known is None else known(y, *targets)

    known = None if name == "square" else getattr(nn.functional, name)
    return of


def ours(network: Network) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    from autograd_core import nn, optim

    model, _ = network.start()
    optimizer = getattr(optim, network.optimizer)(model.parameters(), **network.rates)
    loss_of = loss_function(nn, network.loss)

    def step(x: Any, *targets: Any) -> Any:
        optimizer.zero_grad()
        loss = loss_of(model(x), *targets)
        loss.backward()
        optimizer.step()
        return loss

    return step, network.data


def with_torch(network: Network, wrap: Wrap) -> Step:
    import torch

    model = network.model(torch.nn)
    model.load_state_dict({name: torch.tensor(value) for name, value in network.start()[1].items()})
    optimizer = getattr(torch.optim, network.optimizer)(model.parameters(), **network.rates)
    loss_of = loss_function(torch.nn, network.loss)
    data = [torch.tensor(x) for x in network.data]
    forward = wrap(lambda x, *targets: loss_of(model(x), *targets))

    def step() -> Any:
        optimizer.zero_grad()
        loss = forward(*data)
        loss.backward()
        optimizer.step()
        return loss

    return step


def with_jax(network: Network) -> Step:
    import jax
    import jax.numpy as jnp

    model, state = network.start()
    arrays = {name: jnp.array(value) for name, value in state.items()}
    params = {name: arrays.pop(name) for name, _ in model.named_parameters()}
    losses: dict[str, Any] = {
        "cross_entropy": cross_entropy, "mse_loss": lambda y, t: ((y - t) ** 2).mean(),
        "square": lambda y: (y * y).mean(),
    }  # fmt: skip

    def loss_of(params: Any, buffers: Any, x: Any, *targets: Any) -> Any:
        y = network.forward({**params, **buffers}, x)
        y, buffers = y if isinstance(y, tuple) else (y, buffers)
        return losses[network.loss](y, *targets), buffers

    start, rule = {"SGD": sgd, "Adam": adam}[network.optimizer](**network.rates)

    @partial(jax.jit, donate_argnums=0)
    def update(state: Any, *data: Any) -> Any:
        params, buffers, memory = state
        (loss, buffers), grads = jax.value_and_grad(loss_of, has_aux=True)(params, buffers, *data)
        params, memory = rule(params, grads, memory)
        return loss, (params, buffers, memory)

    now, data = (params, arrays, start(params)), [jnp.asarray(x) for x in network.data]

    def step() -> Any:
        nonlocal now
        loss, now = update(now, *data)
        return jax.block_until_ready((loss, now))[0]  # type: ignore[no-untyped-call]

    return step


def cross_entropy(y: Any, labels: Any) -> Any:
    import jax

    return -jax.numpy.take_along_axis(jax.nn.log_softmax(y), labels[:, None], axis=1).mean()


def sgd(lr: float, momentum: float = 0.0) -> tuple[Any, Any]:
    """Return what JAX's step remembers at first, and its update, as PyTorch has it."""
    import jax
    import jax.numpy as jnp

    def rule(p: Any, g: Any, m: Any) -> Any:
        if momentum:
            g = m = jax.tree.map(lambda m, g: momentum * m + g, m, g)
        return jax.tree.map(lambda p, g: p - lr * g, p, g), m

    return (lambda p: jax.tree.map(jnp.zeros_like, p) if momentum else None), rule


def adam(lr: float) -> tuple[Any, Any]:
    import jax
    import jax.numpy as jnp

    def rule(p: Any, g: Any, memory: Any) -> Any:
        t, m, v = memory
        t = t + 1
        m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
        v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
        rate, root = lr / (1 - 0.9**t), jnp.sqrt(1 - 0.999**t)
        p = jax.tree.map(lambda p, m, v: p - rate * m / (jnp.sqrt(v) / root + 1e-8), p, m, v)
        return p, (t, m, v)

    def start(p: Any) -> Any:
        return jnp.zeros(()), jax.tree.map(jnp.zeros_like, p), jax.tree.map(jnp.zeros_like, p)

    return start, rule
