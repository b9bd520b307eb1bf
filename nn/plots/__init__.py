"""Pictures of data and training, drawn with matplotlib (the extra ``plot``).

    nn.plots.learning_curve(losses).savefig("curve.png")
    nn.plots.learning_curve(history)                # a panel for each quantity
    nn.plots.confusion_matrix(model(x), labels)
    nn.plots.images(x[:25], labels[:25], predicted=guesses)
    nn.plots.weights_as_images(model)               # of the first layer
    nn.plots.activation_histograms(model, x)
    nn.plots.gradient_histograms(model, x, loss=lambda y: F.cross_entropy(y, labels))
    nn.plots.decision_regions(model, points, labels)
    nn.plots.contour(lambda a, b: a**2 - b**2, (-1, 1), (-1, 1), paths={"SGD": path})
    nn.plots.schedule(lambda step: 0.1 * 0.95**step, 100)
    nn.plots.lr_range(rates, losses)

Each function returns matplotlib's Figure: ``savefig`` writes it, and a notebook shows it. The state of
pyplot, which all code shares, is never touched.
"""

from .comparison import *
from .curves import *
from .histograms import *
from .matrix import *
from .pictures import *
from .regions import *
from .surfaces import *
