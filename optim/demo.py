"""Train a network on handwritten digits, check its gradients, draw it: ``python -m optim.demo``."""

from pathlib import Path
from time import perf_counter

from tqdm import tqdm

import autograd_core as ag
from autograd_core import nn, optim

F = nn.functional


def train(seed: int = 0, epochs: int = 30, quiet: bool = True) -> tuple[nn.MLP, list[float], float]:
    """Return a trained network, its loss at each step, and its accuracy on held-out digits."""
    nn.manual_seed(seed)
    x, x_test, y, y_test = nn.data.train_test_split(*nn.data.digits(), test_size=0.2)
    model = nn.MLP([64, 64, 10], activation="tanh")
    optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)
    losses = []
    for _ in tqdm(range(epochs), unit="epoch", disable=quiet):
        for images, labels in nn.data.batches(x, y, batch_size=32):
            loss = F.cross_entropy(model(images), labels)
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            losses.append(loss.item())
    return model, losses, float((model(x_test).argmax(1) == y_test).mean())


def main(out: Path = Path("out"), epochs: int = 30) -> None:
    """Train, say what came of it, check the gradients, and leave two pictures in ``out``."""
    start = perf_counter()
    model, losses, accuracy = train(epochs=epochs, quiet=False)
    print(model)
    print(f"loss {losses[0]:.2f} -> {losses[-1]:.4f}, held-out accuracy {accuracy:.1%}, "
          f"{perf_counter() - start:.1f} s")  # fmt: skip

    images, labels = nn.data.digits()
    loss_of = nn.Lambda(lambda logits: F.cross_entropy(logits, labels[:8]))
    report = ag.check_gradients(nn.Sequential(model, loss_of), images[:8])  # on a float64 copy
    print(f"gradients against finite differences: worst relative error {report.max_error:.0e}")

    out.mkdir(exist_ok=True)
    loss = F.cross_entropy(model(images[:8]), labels[:8])
    loss.backward()
    ag.draw(loss, names=dict(model.named_parameters())).save(out / "graph.svg")
    print(f"the graph of the loss: {out / 'graph.svg'}")
    nn.plots.learning_curve(losses).savefig(out / "learning_curve.png")
    print(f"the learning curve: {out / 'learning_curve.png'}")


if __name__ == "__main__":
    main()
