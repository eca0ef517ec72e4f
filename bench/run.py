#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bench/run.py DATA [--build build/release] [--rounds 7] [--regenerate]

What docs/benchmarks.md quotes. Contestants take turns, round after round, in this process and one
that stays beside it, so that whatever else the machine does hits all of them; of each the median
time counts, and answers are compared as well. Needs numpy, scipy and scikit-learn; exits 1 where a
target is missed.
"""
import argparse
import collections
import csv
import json
import os
import pathlib
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import warnings

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")  # small problems lose by threads

import numpy as np
import scipy
import sklearn
from scipy.optimize import curve_fit
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_absolute_error, r2_score
from sklearn.preprocessing import StandardScaler
from sklearn.utils import resample

MASK = (1 << 64) - 1
failed = []


def row(what, ours, theirs, target, met, note=""):
    print(f"| {what} | {ours} | {theirs} | {target} | {'met' if met else 'MISSED'} | {note} |", flush=True)
    if not met:
        failed.append(what)


def milliseconds(seconds):
    return f"{seconds * 1e3:.3g} ms"


class Contestant:
    def __init__(self, build, data):
        self.process = subprocess.Popen([build / "bench/joulecast_bench", data], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


def timed(work):
    begin = time.perf_counter()
    result = work()
    return time.perf_counter() - begin, result


def draw_rows(b, n):
    """The rows of resample b, as src/fitting/splitmix.hpp draws them."""
    states = [(b + (i + 1) * 0x9E3779B97F4A7C15) & MASK for i in range((n + 1) // 2)]
    z = np.array(states, dtype=np.uint64)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    halves = np.stack([z & np.uint64(0xFFFFFFFF), z >> np.uint64(32)], axis=1).ravel()[:n]
    return ((halves * np.uint64(n)) >> np.uint64(32)).astype(np.int64)


def law(c, eta_max, k, alpha):
    return eta_max * (1.0 - np.exp(-k * c**alpha))


def read_laws(data):
    groups = collections.defaultdict(list)
    for file, column in (("dataForTransformerHEF.csv", "operation"), ("dataForLstmHEF.csv", "component")):
        with open(data / "ecai2025" / file) as table:
            for entry in csv.DictReader(table):
                if entry[column] != "attention_softmax":
                    groups[f"{entry['source']}: {entry[column]}"].append(
                        (float(entry["FLOPs"]) / 1e12, float(entry["HEF"]) / 100))
    return [(name, np.array(rows)) for name, rows in sorted(groups.items())]


def start_of(rows):
    # The start that works for all of them: a knee at the geometric mean size.
    c, eta = rows[:, 0], rows[:, 1]
    return [eta.max(), np.exp(-0.8 * np.log(c).mean()), 0.8]


def fit_with_scipy(rows, start=None):
    return curve_fit(law, rows[:, 0], rows[:, 1], p0=start or start_of(rows), maxfev=20000)[0]


def least_by_force(rows):
    """The smallest sum of squares on 400 x 120 points of (k, alpha), each with its best eta_max."""
    c, eta = rows[:, 0], rows[:, 1]
    sizes, place = np.unique(c, return_inverse=True)
    count = np.bincount(place)
    mean = np.bincount(place, eta) / count
    least = np.inf
    for alpha in np.linspace(0.05, 3.0, 120):
        x = np.exp(np.linspace(np.log(1e-6), np.log(1e9), 400))[:, None] * sizes[None, :] ** alpha
        g = -np.expm1(-x)
        best = np.clip((g * count * mean).sum(1) / np.maximum((g * g * count).sum(1), 1e-300), 1e-9, 1.0)
        sums = (count * (best[:, None] * g - mean) ** 2).sum(1)
        least = min(least, sums.min())
    return least + ((eta - mean[place]) ** 2).sum()


def bench_law_fits(ours, laws, rounds):
    mine, theirs = [], []
    for _ in range(rounds):
        answer = ours.ask("laws")
        mine.append(answer["seconds"])
        seconds, fits = timed(lambda: [fit_with_scipy(rows) for _, rows in laws])
        theirs.append(seconds)
    worse = []
    for fit, (name, rows), other in zip(answer["laws"], laws, fits):
        sums = ((law(rows[:, 0], *fit["law"]) - rows[:, 1]) ** 2).sum()
        inside = 0 < other[0] <= 1
        reference = ((law(rows[:, 0], *other) - rows[:, 1]) ** 2).sum() if inside else np.inf
        if sums > min(reference, least_by_force(rows)) * (1 + 1e-8):
            worse.append(name)
    ratio = statistics.median(theirs) / statistics.median(mine)
    row(f"{len(laws)} law fits, against `curve_fit` from a start that suits each",
        milliseconds(statistics.median(mine)), milliseconds(statistics.median(theirs)),
        "5 times (8)", ratio >= 5, f"{ratio:.1f} times")
    row("the global optimum of each", f"{len(laws) - len(worse)} of {len(laws)}",
        "`curve_fit` and 48,000 points each", "all", not worse, ", ".join(worse))


def bench_law_bootstrap(ours, laws, rounds):
    ratios, mine, theirs, off = [], [], [], 0.0
    chosen = [i for i, (name, _) in enumerate(laws) if "QKV" in name or "hidden_gates" in name]
    for _ in range(max(1, rounds // 3)):
        for index in chosen:
            rows = laws[index][1]
            answer = ours.ask(f"bootstrap {index}")
            start = list(fit_with_scipy(rows))
            drawn = [rows[draw_rows(b, len(rows))] for b in range(1000)]
            seconds, fits = timed(lambda: [fit_with_scipy(one, start) for one in drawn])
            mine.append(answer["seconds"])
            theirs.append(seconds)
            ratios.append(seconds / answer["seconds"])
            for one, other, got in zip(drawn, fits, answer["laws"]):
                sums = [((law(one[:, 0], *p) - one[:, 1]) ** 2).sum() for p in (got, other)]
                off = max(off, sums[0] / sums[1] - 1)
    ratio = statistics.median(ratios)
    row("1000 resamples of a law, against `curve_fit` from the optimum",
        milliseconds(statistics.median(mine)), milliseconds(statistics.median(theirs)),
        "80 times", ratio >= 80,
        f"{ratio:.0f} times; sums of squares exceed scipy's by {max(off, 0.0):.1e} at most")


def read_steps(data):
    names = ["duration_QKV Projections", "duration_Attention Scores", "duration_Attention Output",
             "duration_Final Projection", "energy_joules"]
    with open(data / "ecai2025/SubsetDataForTransformer_energyModel.csv") as table:
        rows = np.array([[float(entry[name]) for name in names] for entry in csv.DictReader(table)])
    rows = rows[np.lexsort(rows.T[::-1])]
    return rows[:, :4], rows[:, 4]


def papers_loop(x, y, folds):
    out = []
    for _ in range(folds):
        one, target = resample(x, y)
        scaled = StandardScaler().fit_transform(one)
        model = Ridge(alpha=5.0).fit(scaled, target)
        predicted = model.predict(scaled)
        out.append((model.intercept_, *model.coef_, r2_score(target, predicted),
                    mean_absolute_error(target, predicted)))
    return out


def lean_loop(x, y, draws):
    out = np.empty((len(draws), 5))
    ridge = Ridge(alpha=5.0, solver="cholesky", copy_X=False)
    for i, draw in enumerate(draws):
        one, target = x[draw], y[draw]
        mean, deviation = one.mean(0), one.std(0)
        ridge.fit((one - mean) / deviation, target)
        out[i, 1:] = ridge.coef_ / deviation
        out[i, 0] = ridge.intercept_ - out[i, 1:] @ mean
    return out


def bench_ridge(ours, data, rounds):
    x, y = read_steps(data)
    draws = [draw_rows(b, len(y)) for b in range(1000)]
    mine, lean, loop = [], [], []
    for _ in range(rounds):
        answer = ours.ask("ridge 1000")
        mine.append(answer["seconds"])
        seconds, expected = timed(lambda: lean_loop(x, y, draws))
        lean.append(seconds)
        loop.append(timed(lambda: papers_loop(x, y, 1000))[0])
    got = np.array(answer["coefficients"])
    # A coefficient that passes through zero has no digits of its own there.
    off = (np.abs(got - expected) / np.abs(expected).mean(0)).max()
    best = statistics.median(mine)
    ratio = statistics.median(loop) / best
    row(f"1000 resamples of the ridge regression, {len(y)} rows, against the paper's loop",
        milliseconds(best), milliseconds(statistics.median(loop)), "500 times", ratio >= 500,
        f"{ratio:.0f} times")
    ratio = statistics.median(lean) / best
    row("the same against a lean loop of scikit-learn", milliseconds(best),
        milliseconds(statistics.median(lean)), "80 times", ratio >= 80, f"{ratio:.0f} times")
    row("coefficients of both", f"{off:.1e} apart", "", "1e-10", off <= 1e-10, "the largest of 5000, relative to the mean size of its term")


def processor_seconds(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds, _ = timed(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL,
                                              stderr=subprocess.DEVNULL))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def bench_commands(build, data, rounds):
    tool = build / "cli/joulecast"
    root = pathlib.Path(__file__).resolve().parent.parent
    with tempfile.TemporaryDirectory() as folder:
        table = pathlib.Path(folder) / "rows.csv"
        with open(data / "aiconfigurator_kernels/h200_gemm_power.csv") as source:
            header, *rows = csv.reader(source)
        place = header.index("latency")
        with open(table, "w", newline="") as target:
            writer = csv.writer(target)
            writer.writerow(header)
            for i in range(100_000):  # the public rows, then the same with times a little longer
                entry = list(rows[i % len(rows)])
                entry[place] = repr(float(entry[place]) * (1 + 1e-3 * (i // len(rows))))
                writer.writerow(entry)
        command = [tool, "import", "aiconfigurator-gemm", table, "--device", "h200-141gb-sxm",
                   "--output", pathlib.Path(folder) / "table.csv"]
        walls = [processor_seconds(command)[0] for _ in range(rounds)]
    row("`import` of 100,000 rows, wall time", milliseconds(statistics.median(walls)), "", "1 s",
        statistics.median(walls) < 1.0)
    command = [tool, "predict", root / "examples/gpt2/config.json", "--gpu", "h100-80gb-sxm",
               "--precision", "bf16", "--batch-size", "8", "--sequence-length", "1024"]
    runs = [processor_seconds(command) for _ in range(20 * rounds)]
    wall, busy = (statistics.median(run[i] for run in runs) for i in (0, 1))
    row("`predict`, a process from start to end, processor time", milliseconds(busy), "", "5 ms",
        busy < 5e-3, f"{milliseconds(wall)} of wall time, spawning included")


def bench_regeneration(build, data):
    root = pathlib.Path(__file__).resolve().parent.parent
    with tempfile.TemporaryDirectory() as folder:
        environment = dict(os.environ, JOULECAST=str(build / "cli/joulecast"))
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        wall, _ = timed(lambda: subprocess.run([root / "scripts/regenerate_laws.sh", data, folder],
                                               check=True, env=environment, stdout=subprocess.DEVNULL))
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        same = subprocess.run(["diff", "-rq", root / "data/laws", folder], stdout=subprocess.PIPE, text=True)
        changed = [line for line in same.stdout.splitlines() if "Only in" not in line]
    row("regenerating the shipped laws", f"{wall:.0f} s", "", "600 s on 2 processors", busy / 2 < 600,
        f"{busy:.0f} s of processor time; {len(changed)} files differ from the shipped ones")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build/release"))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--regenerate", action="store_true")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    build = arguments.build.resolve()
    print(f"{platform.machine()}, {os.cpu_count()} processors; scipy {scipy.__version__}, scikit-learn "
          f"{sklearn.__version__}, numpy {np.__version__}; medians of {arguments.rounds} rounds\n")
    print("| what | joulecast | the other | target | | |\n| --- | ---: | ---: | --- | --- | --- |")
    ours = Contestant(build, arguments.data)
    laws = read_laws(arguments.data)
    bench_law_fits(ours, laws, 3 * arguments.rounds)
    bench_law_bootstrap(ours, laws, arguments.rounds)
    bench_ridge(ours, arguments.data, arguments.rounds)
    bench_commands(build, arguments.data, arguments.rounds)
    if arguments.regenerate:
        bench_regeneration(build, arguments.data)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
