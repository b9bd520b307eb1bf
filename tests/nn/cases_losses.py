"""Rows: losses."""

from __future__ import annotations

import numpy as np

from autograd_core import nn

from .cases import Case
from .loss_rows import (
    POSITIVE,
    REDUCTIONS,
    WEIGHT,
    OfCovariance,
    classes,
    concatenated,
    counts,
    cubes,
    distribution,
    each,
    frames,
    images_of_shares,
    labels,
    labels_without_3,
    lengths,
    lengths_with_0,
    listed,
    listed_once,
    log_distribution,
    loss,
    manhattan,
    no_classes,
    of_clusters,
    one_class,
    one_positive_definite,
    one_sign,
    pixels,
    positive_definite,
    rates,
    shares,
    sign_of_each,
    signs,
    some_classes,
    squared,
    theirs,
    too_few_frames,
    triangular,
    variance_of_columns,
    variance_of_rows,
    variances,
    whole,
    whole_counts,
    yes_or_no,
)

OURS = {"torch": None, "why": "PyTorch has none"}
A, B = (4, 3), (4, 3)

REGRESSION = [
    *[row for name in ("L1Loss", "MSELoss", "SmoothL1Loss", "HuberLoss") for row in [
        *each(name, A, B), *each(name, (0, 3), (0, 3)), loss(name, (), ()), loss(name, (2, 3, 2), (2, 3, 2)),
        loss(name, A, whole, cast=name == "HuberLoss")]],
    *[row for b in (0.5, 3.0, 0.0) for row in each("SmoothL1Loss", A, B, beta=b)],
    *[row for d in (0.5, 3.0) for row in each("HuberLoss", A, B, delta=d)],
]  # fmt: skip
CLASSES = [
    *[row for w in ({}, {"weight": WEIGHT}) for name in ("CrossEntropyLoss", "NLLLoss") for row in [
        *each(name, (4, 3), classes, **w), *each(name, (2, 3, 4), pixels, **w),
        loss(name, (3,), one_class, **w),
        *each(name, (4, 3), some_classes, **w), loss(name, (4, 3), classes, ignore_index=1, **w),
        *each(name, (4, 3), classes, ignore_index=2, **w), *each(name, (0, 3), no_classes, **w)]],
    *[row for w in ({}, {"weight": WEIGHT}) for s in (0.1, 1.0) for row in [
        *each("CrossEntropyLoss", (4, 3), classes, label_smoothing=s, **w),
        *each("CrossEntropyLoss", (4, 3), some_classes, label_smoothing=s, **w)]],
    *[row for w in ({}, {"weight": WEIGHT}) for s in (0.0, 0.1) for row in [
        *each("CrossEntropyLoss", (4, 3), distribution, label_smoothing=s, **w),
        *each("CrossEntropyLoss", (2, 3, 2), images_of_shares, label_smoothing=s, **w)]],
    *[loss(name, (4, 3), classes, weight=POSITIVE) for name in ("CrossEntropyLoss", "NLLLoss")],
    *[row for g in (2.0, 1.0, 0.5) for row in each("FocalLoss", (4, 3), classes, gamma=g, of=OURS)],
    *[row for i in (1, 2)
      for row in each("FocalLoss", (4, 3), classes, weight=WEIGHT, ignore_index=i, of=OURS)],
    *each("FocalLoss", (4, 3), some_classes, weight=POSITIVE, of=OURS),
    *[row for w in ({}, {"weight": WEIGHT}) for row in each("FocalLoss", (4, 3), some_classes, gamma=0.0, **w,
      of={"torch": theirs("CrossEntropyLoss", **w)}) if "reduction" not in row.kwargs],
]  # fmt: skip
LINEAR = [
    Case("LinearCrossEntropyLoss", (5, 3), ((4, 5), classes), kwargs, torch=torch)
    for kwargs, torch in [
        ({}, ""), ({"bias": True}, ""), ({"reduction": "sum"}, ""), ({"reduction": "none"}, ""),
        ({"ignore_index": 1}, ""), ({"ignore_index": 2}, ""), ({"label_smoothing": 0.1}, ""),
        ({"label_smoothing": 1.0}, ""),
        *[({"weight": w}, theirs("LinearCrossEntropyLoss", 5, 3, weight=w)) for w in (WEIGHT, POSITIVE)],
    ]
] + [
    Case("LinearCrossEntropyLoss", (5, 3), ((2, 5), pixels), {"out_features": (4,), "bias": True}),
    Case("LinearCrossEntropyLoss", (4, 5), ((2, 4), cubes), {"out_features": (2, 1)}),
    Case("LinearCrossEntropyLoss", (5, 3), ((4, 5), distribution)),
    Case("LinearCrossEntropyLoss", (5, 3), ((5,), one_class)),
]  # fmt: skip
ADAPTIVE = [
    Case("AdaptiveLogSoftmaxWithLoss", args, ((4, args[0]), target), kwargs, order=order,
         why="" if order == 2 else "second derivatives are those of the row that reaches all clusters")
    for target in (classes, of_clusters)
    for args, kwargs, order in [
        ((4, 13, [4]), {}, 1), ((2, 12, [1, 7]), {"div_value": 1.25}, 2 if target is of_clusters else 1),
        ((3, 12, [1, 3, 7]), {"div_value": 1.4}, 1), ((4, 12, (7,)), {"head_bias": True}, 1),
    ]
] + [Case("AdaptiveLogSoftmaxWithLoss", (4, 12, [1]), ((4,), one_class))]  # fmt: skip
BINARY = [
    *[row for w in ({}, {"weight": WEIGHT}, {"weight": WEIGHT[:1]}) for row in [
        *each("BCELoss", shares, shares, **w), *each("BCEWithLogitsLoss", A, shares, **w)]],
    *[row for w in ({}, {"weight": WEIGHT}) for p in (POSITIVE, WEIGHT) for row in each(
        "BCEWithLogitsLoss", A, shares, pos_weight=p, **w)],
    loss("BCELoss", shares, yes_or_no, cast=True), loss("BCEWithLogitsLoss", A, yes_or_no, cast=True),
    *[row for name in ("BCELoss", "BCEWithLogitsLoss") for row in each(name, (0, 3), (0, 3))],
    *[row for w in ({}, {"weight": WEIGHT}, {"weight": POSITIVE}) for row in each(
        "MultiLabelSoftMarginLoss", A, shares, **w)],
    *each("MultiLabelSoftMarginLoss", A, yes_or_no), *each("MultiLabelSoftMarginLoss", (0, 3), (0, 3)),
    loss("MultiLabelSoftMarginLoss", (3,), (3,)),
    loss("MultiLabelSoftMarginLoss", (2, 3, 2), images_of_shares),
    *[row for k in ({}, {"alpha": None}, {"alpha": 0.9}, {"gamma": 0.0}, {"gamma": 1.0}, {"gamma": 0.5})
      for row in each("SigmoidFocalLoss", A, shares, of=OURS, **k)],
]  # fmt: skip
MARGIN = [
    *each("SoftMarginLoss", A, signs, cast=True), *each("HingeEmbeddingLoss", A, signs),
    *[row for m in (0.25, 2.0) for row in each("HingeEmbeddingLoss", A, signs, margin=m)],
    *each("MarginRankingLoss", A, B, signs),
    *[row for m in (0.5, -0.5) for row in each("MarginRankingLoss", A, B, signs, margin=m)],
    *each("MarginRankingLoss", (0,), (0,), no_classes),
    *each("MultiMarginLoss", (4, 3), classes), loss("MultiMarginLoss", (3,), one_class),
    *[row for k in ({"p": 2}, {"margin": 0.5}, {"margin": 3.0}, {"margin": -0.5}, {"weight": WEIGHT},
                    {"weight": POSITIVE, "p": 2, "margin": 0.5})
      for row in each("MultiMarginLoss", (4, 3), classes, **k)],
    *each("MultiLabelMarginLoss", (4, 4), listed), *each("MultiLabelMarginLoss", (4,), listed_once),
    *each("HingeLoss", A, signs, of=OURS), *each("OneVsAllHingeLoss", (4, 3), classes, of=OURS),
    *each("CrammerSingerLoss", (4, 3), classes, of=OURS),
]  # fmt: skip
RANKING = [
    *[row for m in ({}, {"margin": 0.5}, {"margin": -0.75}) for row in [
        *each("CosineEmbeddingLoss", A, B, sign_of_each, **m),
        loss("CosineEmbeddingLoss", (3,), (3,), one_sign, **m)]],
    *each("CosineEmbeddingLoss", (0, 3), (0, 3), no_classes),
    *[row for k in ({}, {"margin": 0.5}, {"margin": 3.0}, {"p": 1.0}, {"p": 3.0}, {"eps": 1e-3}, {"eps": 0.1},
                    {"swap": True})
      for row in each("TripletMarginLoss", A, B, (4, 3), **k)],
    loss("TripletMarginLoss", (3,), (3,), (3,)),
    loss("TripletMarginLoss", (2, 3, 2), (2, 3, 2), (2, 3, 2), swap=True),
    *each("TripletMarginLoss", (0, 3), (0, 3), (0, 3)),
    *[row for k in ({}, {"margin": 0.5}, {"margin": 3.0}, {"swap": True})
      for row in each("TripletMarginWithDistanceLoss", A, B, (4, 3), **k)],
    *[row for d in (manhattan, squared)
      for row in each("TripletMarginWithDistanceLoss", A, B, (4, 3), distance_function=d)],
    *[row for m in ({}, {"margin": 0.5}, {"margin": 3.0})
      for row in each("ContrastiveLoss", A, B, sign_of_each, of=OURS, **m)],
    *[row for name in ("InfoNCELoss", "NTXentLoss") for k in ({}, {"temperature": 1.0}, {"temperature": 0.25})
      for row in each(name, A, B, of=OURS, **k)],
]  # fmt: skip
LIKELIHOOD = [
    *[row for k in ({}, {"full": True}, {"eps": 1e-3}, {"eps": 0.1}) for row in [
        *each("PoissonNLLLoss", A, counts, **k),
        *each("PoissonNLLLoss", rates, counts, log_input=False, **k)]],
    loss("PoissonNLLLoss", A, whole_counts, full=True, cast=True), *each("PoissonNLLLoss", (0, 3), (0, 3)),
    *[row for v in (variances, variance_of_rows, variance_of_columns)
      for k in ({}, {"full": True}, {"eps": 0.1}) for row in each("GaussianNLLLoss", A, B, v, **k)],
    *each("GaussianNLLLoss", (0, 3), (0, 3), (0, 3)), loss("GaussianNLLLoss", A, whole, variances, eps=0.01),
    *[Case("MultivariateGaussianNLLLoss", (), ((2, 2), (2, 2), s), k, torch=None,
           make=(lambda k=k: OfCovariance(nn.MultivariateGaussianNLLLoss(**k))))
      for s in (positive_definite, one_positive_definite)
      for k in ({}, {"full": True}, {"reduction": "sum"}, {"reduction": "none"})],
    *[row for k in ({}, {"full": True}) for row in each(
        "MultivariateGaussianNLLLoss", (3, 2), (3, 2), triangular, cholesky=True, of=OURS, **k)],
]  # fmt: skip
DIVERGENCE = [
    *[row for r in (*REDUCTIONS, "batchmean") for row in [
        loss("KLDivLoss", A, distribution, reduction=r), loss("KLDivLoss", A, log_distribution, reduction=r,
                                                             log_target=True),
        loss("KLDivLoss", (0, 3), (0, 3), reduction=r)]],
    loss("KLDivLoss", (), lambda rng: np.array(0.5), reduction="batchmean"),
    *each("GaussianKLLoss", A, B, of=OURS), loss("GaussianKLLoss", (3,), (3,), of=OURS),
    *[row for k in ({}, {"beta": 0.5}, {"beta": 4.0}) for row in [
        *each("ELBOLoss", A, shares, (4, 2), (4, 2), of=OURS, **k),
        *each("ELBOLoss", (4, 2, 2), (4, 2, 2), (4, 2), (4, 2), likelihood="gaussian", of=OURS, **k)]],
]  # fmt: skip
CTC = [
    *[row for t in (labels, concatenated)
      for row in each("CTCLoss", (5, 2, 4), t, frames, lengths, around=True)],
    *each("CTCLoss", (5, 2, 4), labels, frames, lengths, around=True, blank=2),
    *each("CTCLoss", (5, 2, 4), labels_without_3, frames, lengths, around=True, blank=3),
    *each("CTCLoss", (5, 2, 4), labels, too_few_frames, lengths, around=True, zero_infinity=True),
    loss("CTCLoss", (5, 4), lambda rng: np.array([1, 1, 2]), lambda rng: np.array(5), lambda rng: np.array(3),
         around=True, reduction="none"),
    loss("CTCLoss", (5, 2, 4), labels, frames, lengths_with_0, around=True),
]  # fmt: skip

CASES = [
    *REGRESSION, *CLASSES, *LINEAR, *ADAPTIVE, *BINARY, *MARGIN, *RANKING, *LIKELIHOOD, *DIVERGENCE, *CTC,
]  # fmt: skip
