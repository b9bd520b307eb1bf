"""Train a network on handwritten digits, check its gradients, draw it: ``python -m optim.demo``."""

from __future__ import annotations

import copy
from pathlib import Path
from time import perf_counter

from tqdm import tqdm

import autograd_core as ag
from autograd_core import nn, optim

EPOCHS = 30


def fit(seed: int = 0, quiet: bool = True) -> tuple[nn.MLP, list[float], list[float]]:
    """Return a trained network, and after each epoch its loss and its accuracy on other digits."""
    nn.manual_seed(seed)
    x, x_test, y, y_test = nn.data.train_test_split(*nn.data.digits(), test_size=0.2)
    model = nn.MLP([64, 64, 10], activation="tanh")
    optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)
    losses, accuracies = [], []
    for _ in (bar := tqdm(range(EPOCHS), unit="epoch", disable=quiet)):
        total = 0.0
        for images, labels in (batches := nn.data.batches(x, y, batch_size=32)):
            loss = nn.functional.cross_entropy(model(images), labels)
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            total += loss.item()
        losses.append(total / len(batches))
        accuracies.append(float((model(x_test).argmax(1) == y_test).mean()))
        bar.set_postfix_str(f"loss {losses[-1]:.4f}, accuracy {accuracies[-1]:.1%}", refresh=False)
    return model, losses, accuracies


def train(seed: int = 0) -> float:
    """Return the accuracy on held-out digits of a network trained from this seed."""
    return fit(seed)[2][-1]


def main(folder: Path = Path("out")) -> None:
    """Train, tell, check and draw; pictures go into ``folder``."""
    start = perf_counter()
    model, losses, accuracies = fit(quiet=False)
    print(model)
    print(f"loss {losses[0]:.3f} -> {losses[-1]:.4f}, accuracy on 360 held-out digits "
          f"{accuracies[-1]:.1%}, {perf_counter() - start:.1f} s")  # fmt: skip

    images, labels = (part[:8] for part in nn.data.digits())
    loss = nn.Lambda(lambda logits: nn.functional.cross_entropy(logits, labels))
    report = ag.check_gradients(nn.Sequential(copy.deepcopy(model), loss).double(), images)
    print(f"gradients against finite differences: worst relative error {report.max_error:.1e}")

    folder.mkdir(exist_ok=True)
    value = nn.functional.cross_entropy(model(images), labels)
    value.backward()
    names = dict(model.named_parameters()) | {"loss": value}
    ag.draw(value, names=names).save(folder / "graph.svg")
    print(f"the graph of the loss: {folder / 'graph.svg'}")
    try:
        import matplotlib.pyplot as plt
    except ImportError:
        return print("no learning curve: matplotlib is missing; pip install 'autograd-core[plot]'")
    figure, axes = plt.subplots()
    axes.semilogy(losses, label="training loss")
    axes.semilogy([1 - a for a in accuracies], label="held-out error")
    axes.set_xlabel("epoch")
    axes.legend()
    figure.savefig(folder / "learning_curve.png")
    plt.close(figure)
    print(f"the learning curve: {folder / 'learning_curve.png'}")


if __name__ == "__main__":
    main()
