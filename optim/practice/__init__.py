"""The practice of training: what to check before a long run, how to find its numbers, how to read its curves.

    practice = optim.practice

    print(practice.check_initial_loss(model, loss, x, y))  # near log C?
    print(practice.overfit_small_sample(model, loss, x, y))  # can it learn at all?
    print(practice.lr_range_test(model, optim.SGD, loss, x, y))  # which rate?
    trials = practice.search(train, {"lr": practice.log_uniform(1e-3, 1.0), "weight_decay": [0, 1e-5, 1e-4]})
    trials = practice.search(train, practice.refine(trials))  # coarse, then fine
    print(practice.diagnose(history))  # what do the curves say?

The order is A. Karpathy's in Stanford's CS231n, 2016. Whatever is tried is tried on copies: the model that
is handed in stays as it was, and the library's random numbers go on as if nothing had happened.
"""

from .diagnosis import *
from .initial_loss import *
from .rates import *
from .searching import *
from .small_sample import *
from .spaces import *
