"""Networks that no golden file shows, against Kaldi's definitions written out."""

import numpy as np
import pytest
import torch

from asdkit.base.errors import DataError
from asdkit.kaldi.xvector_networks import read_xvector

DIM = 3
LENGTHS = (31, 5, 17, 24)


def affine(rng, rows, columns):
    return rng.normal(size=(rows, columns)).round(3), rng.normal(size=rows).round(3)


def statistics(f, feat_dim, period, output_period):
    def extract(t):
        start = t // output_period * output_period
        found = [f(u) for u in range(start, start + output_period, period)]
        x = np.array([v for v in found if v is not None]).reshape(-1, feat_dim)
        if not len(x):
            return None
        return np.concatenate([[len(x)], x.sum(0), (x**2).sum(0)])

    return extract


def pooling(f, feat_dim, period, left, right, num_logs=0):
    def pool(t):
        if t % period:
            return None
        found = [f(u) for u in range(t - left, t + right + 1, period)]
        found = [v for v in found if v is not None]
        if not found:
            return None
        total = np.sum(found, axis=0)
        mean, power = np.split(total[1:] / total[0], [feat_dim])
        std = np.sqrt(np.maximum(power - mean**2, 1e-10))
        return np.concatenate([[np.log(total[0])] * num_logs, mean, std])

    return pool


class Case:
    """A network under construction, as a file and as functions."""

    def __init__(self, oracle, text, rng):
        self.oracles = []
        self.oracle, self.text, self.rng = oracle, text, rng
        self.nodes = [f"input-node name=input dim={DIM}"]
        self.components = {}
        self.steps = []

    def node(self, name, read):
        self.nodes.append(f"component-node name={name} component={name} input={read}")

    def affine(self, name, read, columns, rows, kind="NaturalGradientAffineComponent"):
        w, b = affine(self.rng, rows, columns)
        self.node(name, read)
        after = "<RankIn> 2 <RankOut> 2 <UpdatePeriod> 4 <NumSamplesHistory> 2000 "
        after += "<Alpha> 4 <MaxChangePerSample> 0.1 <IsGradient> F "
        fields = f"<LinearParams> {self.text(w)}<BiasParams> {self.text(b)}"
        before = "<LearningRateFactor> 0.5 <MaxChange> 0.75 <L2Regularize> 0.01 "
        before += "<LearningRate> 0.001 "
        self.components[name] = kind, before + fields + after
        self.steps.append(lambda o: o.add(name, read, lambda x: w @ x + b))

    def linear(self, name, read, columns, rows):
        w, _ = affine(self.rng, rows, columns)
        self.node(name, read)
        fields = f"<LearningRate> 0.001 <Params> {self.text(w)}"
        fields += "<OrthonormalConstraint> -1 <UseNaturalGradient> T <RankInOut> 2 2 "
        fields += "<Alpha> 4 <NumSamplesHistory> 2000 <UpdatePeriod> 4 "
        self.components[name] = "LinearComponent", fields
        self.steps.append(lambda o: o.add(name, read, lambda x: w @ x))

    def tdnn(self, name, read, columns, rows, offsets, bias=True):
        w, b = affine(self.rng, rows, columns * len(offsets))
        b = b if bias else b[:0]
        self.node(name, read)
        fields = "<MaxChange> 0.75 <LearningRate> 0.001 <TimeOffsets> "
        fields += f"[ {' '.join(map(str, offsets))} ]\n<LinearParams> {self.text(w)}"
        fields += f"<BiasParams> {self.text(b)}<OrthonormalConstraint> 0 "
        fields += "<UseNaturalGradient> T <NumSamplesHistory> 2000 <AlphaInOut> 4 4 "
        fields += "<RankInOut> 2 2 "
        self.components[name] = "TdnnComponent", fields

        def layer(f):
            def at(t):
                x = [f(t + u) for u in offsets]
                if any(v is None for v in x):
                    return None
                return w @ np.concatenate(x) + (b if bias else 0)

            return at

        self.steps.append(lambda o: o.add_timed(name, read, layer))

    def relu(self, name, read, dim):
        self.node(name, read)
        fields = f"<Dim> {dim} <ValueAvg> [ ]\n<DerivAvg> [ ]\n<Count> 0 <OderivRms> "
        fields += "[ ]\n<OderivCount> 0 <NumDimsSelfRepaired> 0 <NumDimsProcessed> 0 "
        self.components[name] = "RectifiedLinearComponent", fields
        self.steps.append(lambda o: o.add(name, read, lambda x: np.maximum(x, 0)))

    def norm(self, name, read, dim, block):
        mean = self.rng.normal(size=block).round(3)
        var = self.rng.uniform(0.5, 2, block).round(3)
        self.node(name, read)
        fields = f"<Dim> {dim} <BlockDim> {block} <Epsilon> 0.01 <TargetRms> 0.7 "
        fields += f"<TestMode> F <Count> 50 <StatsMean> {self.text(mean)}"
        fields += f"<StatsVar> {self.text(var)}"
        self.components[name] = "BatchNormComponent", fields
        times = dim // block
        mean, scale = np.tile(mean, times), 0.7 / np.sqrt(np.tile(var, times) + 0.01)
        self.steps.append(lambda o: o.add(name, read, lambda x: (x - mean) * scale))

    def plain(self, name, read, kind, fields, function):
        self.node(name, read)
        self.components[name] = kind, fields
        self.steps.append(lambda o: o.add(name, read, function))

    def range(self, name, read, first, size):
        line = f"dim-range-node name={name} input-node={read} dim-offset={first}"
        self.nodes.append(f"{line} dim={size}")
        self.steps.append(
            lambda o: o.add(name, read, lambda x: x[first : first + size])
        )

    def pool(self, read, dim, period=1, left=0, right=10000, step=1, num_logs=0):
        self.node("ext", read)
        fields = f"<InputDim> {dim} <InputPeriod> {step} <OutputPeriod> {period} "
        fields += "<IncludeVarinance> T "
        self.components["ext"] = "StatisticsExtractionComponent", fields
        self.node("pool", "ext")
        fields = f"<InputDim> {2 * dim + 1} <InputPeriod> {period} <LeftContext> {left}"
        fields += f" <RightContext> {right} <NumLogCountFeatures> {num_logs} "
        fields += "<OutputStddevs> T <VarianceFloor> 1e-10 "
        self.components["pool"] = "StatisticsPoolingComponent", fields

        def add(o):
            o.add_timed("ext", read, lambda f: statistics(f, dim, step, period))
            sizes = dim, period, left, min(right, 60)
            o.add_timed("pool", "ext", lambda f: pooling(f, *sizes, num_logs))

        self.steps.append(add)

    def output(self, read):
        self.nodes.append(f"output-node name=output input={read} objective=linear")
        self.read = read

    def expected(self, feats):
        oracle = self.oracle(feats)
        for step in self.steps:
            step(oracle)
        return oracle.parse(self.read)(0)


@pytest.fixture
def case(oracle, text, rng):
    return Case(oracle, text, rng)


@pytest.fixture
def check(raw, rng):
    """Compare a network with its definition, all utterances in one batch."""

    def compare(case, lengths=LENGTHS, tolerance=2e-5):
        path = raw(case.nodes, case.components)
        sizes = {"chunk_size": 0, "min_chunk_size": 1}
        network = read_xvector(path, **sizes).network
        feats = [rng.normal(size=(n, DIM)) for n in lengths]
        expected = [case.expected(x) for x in feats]
        kept = [n for n, x in enumerate(expected) if x is not None]
        assert kept == [n for n, x in enumerate(feats) if len(x) >= network.context]
        assert kept
        batch = torch.full((len(kept), max(lengths), DIM), 1e3)
        for row, n in enumerate(kept):
            batch[row, : lengths[n]] = torch.from_numpy(feats[n]).float()
        with torch.inference_mode():
            ours = network(batch, torch.tensor([lengths[n] for n in kept])).numpy()
        theirs = np.array([expected[n] for n in kept])
        scale = np.linalg.norm(theirs, axis=1, keepdims=True)
        assert (np.abs(ours - theirs) / scale).max() < tolerance
        return network

    return compare


def test_a_factorized_tdnn_with_its_shortcuts(case, check):
    """As tdnnf-layer makes it: linear, affine at an offset, scaled sums."""
    case.affine("one", "Append(Offset(input, -1), input, Offset(input, 1))", 9, 4)
    case.relu("one_relu", "one", 4)
    for name, before in (("two", "one_relu"), ("three", "two_noop")):
        case.tdnn(f"{name}_linear", before, 4, 2, (-1, 0), bias=False)
        case.tdnn(f"{name}_affine", f"{name}_linear", 2, 4, (0, 1))
        case.relu(f"{name}_relu", f"{name}_affine", 4)
        case.norm(f"{name}_norm", f"{name}_relu", 4, 2)
        fields = "<Dim> 4 <BlockDim> 4 <TimePeriod> 0 <DropoutProportion> 0.3 "
        fields += "<TestMode> <Continuous> "
        norm = f"{name}_norm"
        drop = f"{name}_drop"
        case.plain(drop, norm, "GeneralDropoutComponent", fields, lambda x: x)
        total = f"Sum(Scale(0.66, {before}), {drop})"
        fields = "<Dim> 4 <BackpropScale> 1 "
        case.plain(f"{name}_noop", total, "NoOpComponent", fields, lambda x: x)
    case.linear("prefinal", "three_noop", 4, 3)
    case.pool("prefinal", 3)
    case.affine("embed", "Round(pool, 1)", 6, 5)
    case.output("embed")
    assert check(case).context == 7


def test_statistics_of_some_frames_with_periods_around_zero(case, check):
    case.affine("one", "Append(Offset(input, -2), Offset(input, 2))", 6, 4)
    case.pool("one", 4, period=6, left=12, right=18, step=3, num_logs=2)
    case.affine("embed", "Round(pool, 6)", 10, 5, "AffineComponent")
    case.output("embed")
    check(case)


def test_pooling_over_less_than_the_utterance(case, check):
    case.pool("input", 3, left=0, right=10)
    case.output("pool")
    check(case)


def test_a_frame_layer_on_pooled_statistics(case, check):
    """Statistics at every frame, of a window around it, and pooled again at the end."""
    case.node("ext1", "input")
    fields = "<InputDim> 3 <InputPeriod> 1 <OutputPeriod> 2 <IncludeVarinance> T "
    case.components["ext1"] = "StatisticsExtractionComponent", fields
    case.node("pool1", "ext1")
    fields = "<InputDim> 7 <InputPeriod> 2 <LeftContext> 4 <RightContext> 4 "
    fields += "<NumLogCountFeatures> 1 <OutputStddevs> T <VarianceFloor> 1e-10 "
    case.components["pool1"] = "StatisticsPoolingComponent", fields
    case.steps.append(
        lambda o: o.add_timed("ext1", "input", lambda f: statistics(f, 3, 1, 2))
    )
    case.steps.append(
        lambda o: o.add_timed("pool1", "ext1", lambda f: pooling(f, 3, 2, 4, 4, 1))
    )
    case.affine("one", "Append(Offset(input, 1), input, Round(pool1, 2))", 13, 4)
    case.pool("one", 4)
    case.output("pool")
    check(case, tolerance=2e-4)  # a variance of two frames


def test_what_may_be_missing_at_the_edges(case, check):
    read = "Append(IfDefined(Offset(input, -3)), input, "
    read += "Failover(Offset(input, 4), Scale(-0.5, input)))"
    case.affine("one", read, 9, 4)
    case.affine("two", "Append(ReplaceIndex(input, t, 2), one, Const(0.5, 2))", 9, 3)
    case.pool("two", 3)
    case.output("Append(pool, ReplaceIndex(input, t, 1))")
    assert check(case).context == 3


def test_components_of_other_recipes(case, check):
    case.range("some", "input", 1, 2)
    w, b = np.eye(2) * 2, np.array([0.1, -0.2])
    fields = f"<LinearParams> {case.text(w)}<BiasParams> {case.text(b)}"
    case.plain("lda", "some", "FixedAffineComponent", fields, lambda x: w @ x + b)
    case.plain("tanh", "lda", "TanhComponent", nonlinear(2), np.tanh)
    fields = "<InputDim> 2 <TargetRms> 0.5 <AddLogStddev> T "

    def normalize(x):
        rms = np.sqrt(np.mean(x**2))
        return np.append(0.5 * x / rms, np.log(rms))

    case.plain("norm", "tanh", "NormalizeComponent", fields, normalize)
    fields = "<InputDim> 6 <OutputDim> 3 <Scale> 0.5 "
    both = "Append(norm, Offset(norm, 1))"
    half = lambda x: 0.5 * (x[:3] + x[3:])  # noqa: E731
    case.plain("sum", both, "SumBlockComponent", fields, half)
    fields = "<InputDim> 6 <OutputDim> 3 "
    product = lambda x: x[:3] * x[3:]  # noqa: E731
    case.plain("product", both, "ElementwiseProductComponent", fields, product)
    fields = "<Dim> 3 <DropoutProportion> 0.25 <DropoutPerFrame> F <TestMode> F "
    case.plain("drop", "sum", "DropoutComponent", fields, lambda x: 0.75 * x)
    scales, bias = np.array([2.0, -1.0, 0.5]), np.array([0.1, 0.2, 0.3])
    fields = f"<Scales> {case.text(scales)}"
    case.plain("scale", "drop", "FixedScaleComponent", fields, lambda x: scales * x)
    fields = f"<Bias> {case.text(bias)}"
    case.plain("bias", "product", "FixedBiasComponent", fields, lambda x: x + bias)
    fields = f"<LearningRate> 0.001 <Dim> 6 <Scales> {case.text(scales)}<Offsets> "
    fields += f"{case.text(bias)}<UseNaturalGradient> T <Rank> 20 "
    twice = lambda x: x * np.tile(scales, 2) + np.tile(bias, 2)  # noqa: E731
    case.plain("both", "Append(scale, bias)", "ScaleAndOffsetComponent", fields, twice)
    fields = "<ColumnMap> [ 5 4 3 2 1 0 ]\n"
    case.plain("turned", "both", "PermuteComponent", fields, lambda x: x[::-1])
    fields = "<Sizes> [ 1 3 2 ]\n"
    groups = lambda x: np.array([x[0], x[1:4].sum(), x[4:].sum()])  # noqa: E731
    case.plain("groups", "turned", "SumGroupComponent", fields, groups)
    fields = "<Dim> 3 <Scale> 0.5 <ClippingThreshold> 5 <ZeroingThreshold> 3 "
    fields += "<ZeroingInterval> 20 <RecurrenceInterval> 3 <NumElementsClipped> 0 "
    fields += "<NumElementsZeroed> 0 <NumElementsProcessed> 0 <NumZeroingBoundaries> 0 "
    kind = "BackpropTruncationComponent"
    case.plain("half", "groups", kind, fields, lambda x: x / 2)
    fields = nonlinear(6)
    sigmoid = lambda x: 1 / (1 + np.exp(-x))  # noqa: E731
    case.plain("sigmoid", "turned", "SigmoidComponent", fields, sigmoid)
    case.pool("Append(sigmoid, half)", 9)
    case.plain("softmax", "pool", "SoftmaxComponent", nonlinear(18), softmax)
    case.plain("same", "softmax", "NoOpComponent", nonlinear(18), lambda x: x)
    case.output("same")
    check(case)


def softmax(x):
    e = np.exp(x - x.max())
    return e / e.sum()


def nonlinear(dim):
    """As older versions write a nonlinearity, and NoOp."""
    fields = f"<Dim> {dim} <ValueAvg> [ ]\n<DerivAvg> [ ]\n<Count> 0 "
    return fields + "<SelfRepairLowerThreshold> 0.1 <SelfRepairScale> 1e-05 "


@pytest.mark.parametrize(
    ("read", "what"),
    [
        ("Switch(input, input)", "descriptor 'Switch' is not supported"),
        ("Append(input", "expected ',' or"),
        ("Offset(input, x)", "expected an integer, got 'x'"),
        ("Offset(input, 1, 2)", "only t is supported"),
        ("nobody", "node 'output' reads 'nobody', which is no node"),
        ("Offset(input, -1)", "it has no x-vectors"),
        ("Sum(input, Append(input, input))", "Sum of parts of 3 and 6"),
        ("Append(input, ivector)", "expected one input that the output reads, got inp"),
    ],
)
def test_a_graph_that_cannot_be_is_one_line(raw, read, what):
    nodes = ["input-node name=input dim=3", "input-node name=ivector dim=3"]
    nodes.append(f"output-node name=output input={read}")
    with pytest.raises(DataError, match=what):
        read_xvector(raw(nodes, {}), min_chunk_size=1)


def test_nodes_in_a_circle_are_named(raw):
    nodes = ["input-node name=input dim=3"]
    nodes += ["component-node name=a component=c input=Sum(input, IfDefined(a))"]
    nodes += ["output-node name=output input=a"]
    with pytest.raises(DataError, match="read each other in a circle, at 'a'"):
        read_xvector(raw(nodes, {"c": ("NoOpComponent", "<Dim> 3 <BackpropScale> 1 ")}))


def test_dimensions_that_do_not_fit_are_named(raw, text):
    nodes = ["input-node name=input dim=3"]
    nodes += ["component-node name=a component=c input=Append(input, input)"]
    nodes += ["output-node name=output input=a"]
    fields = f"<LinearParams> {text(np.eye(3))}<BiasParams> {text(np.ones(3))}"
    with pytest.raises(DataError, match="'a' reads 6 dimensions, its component 'c' ta"):
        read_xvector(raw(nodes, {"c": ("FixedAffineComponent", fields)}))
