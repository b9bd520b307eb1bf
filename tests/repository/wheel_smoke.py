"""Run where only the wheel and what it requires is installed, in a folder with no checkout."""

from __future__ import annotations

import re
import sys
from importlib.metadata import distributions, requires
from importlib.resources import files


def main() -> None:
    import numpy as np

    import autograd_core as ag
    from autograd_core import nn, optim

    def plain(name: str) -> str:
        return re.match(r"[\w-]+", name)[0].replace("_", "-").lower()

    required = {plain(text) for text in requires("autograd-core") if "extra ==" not in text}
    installed = {plain(found.name) for found in distributions()}
    assert installed - {"autograd-core", "pip", "setuptools", "wheel"} == required, installed

    for package in (ag, nn, optim):
        assert package.__file__.startswith(sys.prefix), package.__file__
        assert (files(package) / "py.typed").is_file(), package
    assert (files(nn) / "data" / "DIGITS.md").is_file()

    with (files(nn) / "data" / "digits.npz").open("rb") as file, np.load(file) as digits:
        x = digits["images"].reshape(-1, 64).astype(np.float32) / 16
        y = digits["labels"].astype(int)
    model = nn.Sequential(nn.Linear(64, 16), nn.Tanh(), nn.Linear(16, 10))
    optimizer = optim.SGD(model.parameters(), lr=0.5)
    losses = []
    for _ in range(50):
        loss = nn.functional.cross_entropy(model(ag.tensor(x)), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 2, losses

    a = ag.tensor(np.ones(3), requires_grad=True)
    assert "<svg" in ag.draw((a * a).sum()).svg()
    ag.check_gradients(lambda t: (np.tanh(t) * t).sum(), np.linspace(-1.0, 1.0, 5))
    print(f"{len(required)} libraries required; loss {losses[0]:.2f} -> {losses[-1]:.2f}")


if __name__ == "__main__":
    main()
