"""Train a network on handwritten digits, check its gradients, draw it: ``python -m optim.demo``."""

from pathlib import Path
from time import perf_counter

import autograd_core as ag
from autograd_core import nn, optim

F = nn.functional


def train(seed: int = 0, epochs: int = 30, quiet: bool = True) -> tuple[nn.MLP, optim.History, float]:
    """Return a trained network, what was recorded, and its accuracy on held-out digits."""
    nn.manual_seed(seed)
    x, x_test, y, y_test = nn.data.train_test_split(*nn.data.digits(), test_size=0.2)
    model = nn.MLP([64, 64, 10], activation="tanh")
    optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)
    trainer = optim.Trainer(model, optimizer, nn.CrossEntropyLoss(), metrics=["accuracy"], quiet=quiet)
    history = trainer.fit(x, y, epochs=epochs, batch_size=32, log_every=5)
    return model, history, trainer.evaluate(x_test, y_test)["accuracy"]


def main(out: Path = Path("out"), epochs: int = 30) -> None:
    """Train, say what came of it, check the gradients, and leave two pictures in ``out``."""
    start = perf_counter()
    model, history, accuracy = train(epochs=epochs, quiet=False)
    print(model)
    print(f"held-out accuracy {accuracy:.1%}, {perf_counter() - start:.1f} s")

    images, labels = nn.data.digits()
    loss_of = nn.Lambda(lambda logits: F.cross_entropy(logits, labels[:8]))
    report = ag.check_gradients(nn.Sequential(model, loss_of), images[:8])  # on a float64 copy
    print(f"gradients against finite differences: worst relative error {report.max_error:.0e}")

    out.mkdir(exist_ok=True)
    loss = F.cross_entropy(model(images[:8]), labels[:8])
    loss.backward()
    ag.draw(loss, names=dict(model.named_parameters())).save(out / "graph.svg")
    print(f"the graph of the loss: {out / 'graph.svg'}")
    history.plot().savefig(out / "learning_curve.png")
    print(f"the learning curve: {out / 'learning_curve.png'}")


if __name__ == "__main__":
    main()
