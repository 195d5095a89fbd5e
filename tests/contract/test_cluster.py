"""A sweep over a corpus on a Dask cluster: the same figures, also when a worker dies in the middle."""

from __future__ import annotations

import os
import signal
from concurrent.futures import Executor, Future, ProcessPoolExecutor

import numpy as np
import pytest
import soundfile

from rt_notebook import vad

THRESHOLDS = [0.3, 0.6]
SILENCES_MS = [100, 400]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Twelve files with their labels."""
    folder, random = tmp_path_factory.mktemp("corpus"), np.random.default_rng(5)
    files, labels = [], []
    for number in range(12):
        loud = np.repeat(random.integers(0, 2, 40), 6000) * 0.2 + 0.001
        files.append(str(folder / f"{number}.wav"))
        soundfile.write(files[-1], loud * random.standard_normal(loud.size), 24_000)
        labels.append(str(folder / f"{number}.csv"))
        (folder / f"{number}.csv").write_text("start_s,end_s\n0.5,1\n2,3.25\n")
    return files, labels


@pytest.fixture(scope="module")
def alone(corpus):
    return of_files(corpus)


@pytest.fixture(scope="module")
def client():
    distributed = pytest.importorskip("distributed", reason="install the extra: rt-notebook[cluster]")
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


class Killing(Executor):
    """An executor one of whose workers is killed while tasks are being given out."""

    def __init__(self, inner: Executor, pid: int) -> None:
        self._inner, self._pid, self.submitted = inner, pid, 0

    def submit(self, run, /, *args, **kwargs) -> Future:
        self.submitted += 1
        if self.submitted == 6:
            os.kill(self._pid, signal.SIGKILL)
        return self._inner.submit(run, *args, **kwargs)


def of_files(corpus, executor=None):
    files, labels = corpus
    return vad.sweep(files, THRESHOLDS, SILENCES_MS, [0], labels=labels, detector="energy", executor=executor)


def same(one, other) -> None:
    assert one.names == other.names
    assert one.failed == other.failed == ()
    for mine, theirs in zip(one.parts, other.parts, strict=True):
        assert np.array_equal(mine.counts, theirs.counts)
        assert np.array_equal(mine.latencies, theirs.latencies)


def test_a_cluster_gives_what_one_thread_gives(corpus, alone, client):
    assert alone.total.counts.any()
    same(alone, of_files(corpus, client.get_executor()))
    worked = client.run(os.getpid)
    assert os.getpid() not in worked.values()


def test_a_worker_of_a_cluster_that_is_killed_loses_nothing(corpus, alone, client):
    pid = next(iter(client.run(os.getpid).values()))
    executor = Killing(client.get_executor(), pid)
    same(alone, of_files(corpus, executor))
    assert executor.submitted == 12


def test_a_worker_of_a_pool_that_is_killed_loses_nothing(corpus, alone):
    with ProcessPoolExecutor(2) as processes:
        executor = Killing(processes, processes.submit(os.getpid).result())
        same(alone, of_files(corpus, executor))
        assert executor.submitted == 12
