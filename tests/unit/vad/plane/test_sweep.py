"""The sweep as a whole: metrics, intervals, merging, any executor, files that cannot be read."""

from __future__ import annotations

import os
import signal
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
import soundfile
from naive_vad import frames_for, naive_counts, naive_turns

from rt_notebook import ConfigError, ServerVad, vad
from rt_notebook.vad.plane import corpus as _corpus

# Two turns with a pause of 320 ms in the first; then a noise that nobody made by speaking.
TRACE = np.array(
    [0] * 30 + [0.9] * 30 + [0] * 10 + [0.9] * 20 + [0.1] * 60 + [0.9] * 30 + [0] * 60 + [0.7] * 5 + [0] * 60,
    np.float32,
)
LABELS = np.array([[30 * 0.032, 90 * 0.032], [150 * 0.032, 180 * 0.032]])
AXES = ([0.3, 0.5, 0.8], [160, 500, 3000], [0, 300])


def swept(count=1, **options):
    return vad.sweep([TRACE] * count, *AXES, labels=[LABELS] * count, **options)


def test_the_metrics_say_what_happens():
    result = swept()
    hasty = result.at(ServerVad(threshold=0.5, silence_duration_ms=160))
    assert hasty["false_cutoff_rate"] == 0.5
    assert hasty["split_rate"] == 0.5
    assert hasty["endpoint_latency_mean_ms"] == pytest.approx(160)
    usual = result.at(ServerVad(threshold=0.5, silence_duration_ms=500))
    assert (usual["false_cutoff_rate"], usual["swallowed_rate"], usual["miss_rate"]) == (0, 0, 0)
    assert usual["false_starts_per_min"] == pytest.approx(60 / (TRACE.size * 0.032))
    assert usual["endpoint_latency_mean_ms"] == pytest.approx(512)
    assert usual["cost"] == pytest.approx(0.512 + usual["false_starts_per_min"])
    assert result.at(ServerVad(threshold=0.8, silence_duration_ms=500))["false_starts_per_min"] == 0
    endless = result.at(ServerVad(threshold=0.5, silence_duration_ms=3000))
    # The first end is not marked before the second turn begins; nor is the second, until the recording ends.
    assert endless["swallowed_rate"] == 1.0
    assert np.isnan(endless["cost"])


def test_a_metric_is_a_plane_that_can_be_drawn():
    result = swept()
    assert result.metric("cost").shape == (3, 3)
    silent, padded = (result.metric("noise_s_per_min", ms) for ms in (0, 300))
    assert (padded > silent).all()
    assert result.metric("noise_s_per_min")[0, 0] == silent[0, 0]
    with pytest.raises(ConfigError, match=r"no metric 'costs'.*cost"):
        result.metric("costs")
    with pytest.raises(ConfigError, match="was not swept"):
        result.at(ServerVad(threshold=0.51))


def test_the_table_has_a_row_a_setting():
    table = swept().to_pandas()
    assert len(table) == 18
    row = table[
        (table.threshold == 0.5) & (table.silence_duration_ms == 160) & (table.prefix_padding_ms == 300)
    ]
    assert row.false_cutoff_rate.tolist() == [0.5]


def test_quantiles_are_read_off_the_bins():
    trace = np.zeros(4000, np.float32)
    labels = []
    for turn in range(20):
        trace[turn * 180 : turn * 180 + 30 + turn] = 0.9
        labels.append((turn * 180 * 0.032, (turn * 180 + 30) * 0.032))
    at = vad.sweep([trace], [0.5], [160], [0], labels=[labels]).at(
        ServerVad(threshold=0.5, silence_duration_ms=160, prefix_padding_ms=0)
    )
    latencies = [160 + 32 * turn for turn in range(20)]
    assert at["endpoint_latency_mean_ms"] == pytest.approx(np.mean(latencies))
    assert abs(at["endpoint_latency_p50_ms"] - np.quantile(latencies, 0.5)) < 50
    assert abs(at["endpoint_latency_p90_ms"] - np.quantile(latencies, 0.9)) < 50


def test_without_labels_there_is_what_needs_none():
    result = vad.sweep(TRACE, *AXES)
    assert result.metrics == ("turns_per_min", "speech_s_per_min", "sent_s_per_min")
    assert set(result.to_pandas()) >= set(result.metrics)
    with pytest.raises(ConfigError, match="needs labels"):
        result.metric("cost")
    assert result.metric("turns_per_min")[0, 0] > result.metric("turns_per_min")[0, 2]


def test_other_grids_are_scored_on_their_own():
    trace = vad.Trace(TRACE, hop_ms=16)
    labels = np.rint(LABELS / 2 * 1000).astype(int).tolist()
    found = vad.sweep([trace], [0.5], [160], [100], labels=[np.array(labels) / 1000]).total
    turns = naive_turns(TRACE.tolist(), 0.5, frames_for(160, 16))
    wanted = naive_counts(turns, labels, TRACE.size, 100, hop_ms=16)
    assert dict(
        zip(("turns", "open", "speech_ms"), found.counts[:3, 0, 0].tolist(), strict=True)
    ).items() <= (wanted.items())


def test_each_recording_has_its_labels_however_they_come(tmp_path):
    (tmp_path / "a.csv").write_text("start_s,end_s\n0.96,2.88\n4.8,5.76\n")
    table = pd.DataFrame(LABELS, columns=["start_s", "end_s"])
    for labels in (tmp_path / "a.csv", str(tmp_path / "a.csv"), table, [table], [LABELS.tolist()]):
        same(swept(), vad.sweep(TRACE, *AXES, labels=labels))
    with pytest.raises(ConfigError, match="2 recordings and labels for 1"):
        vad.sweep([TRACE, TRACE], *AXES, labels=[LABELS, None])


def test_intervals_hold_the_value_and_are_the_same_each_time():
    other = TRACE.copy()
    other[60:70] = 0.9
    result = vad.sweep([TRACE, other] * 5, *AXES, labels=[LABELS] * 10)
    setting = ServerVad(threshold=0.5, silence_duration_ms=160)
    low, high = result.interval("false_cutoff_rate", setting)
    assert low < result.at(setting)["false_cutoff_rate"] < high
    assert (low, high) == result.interval("false_cutoff_rate", setting)
    assert (low, high) != result.interval("false_cutoff_rate", setting, seed=1)
    wide = result.interval("endpoint_latency_p90_ms", setting, level=0.99)
    assert wide[0] <= wide[1]


def same(one, other):
    assert one.names == other.names
    for mine, theirs in zip(one.parts, other.parts, strict=True):
        assert np.array_equal(mine.counts, theirs.counts)
        assert np.array_equal(mine.padded, theirs.padded)
        assert np.array_equal(mine.latencies, theirs.latencies)


def test_sweeps_of_the_same_settings_add_up():
    both = swept(1) + swept(2)
    assert len(both.parts) == 3
    assert np.array_equal(both.total.counts, 3 * swept().total.counts)
    with pytest.raises(ConfigError, match="different settings"):
        swept() + vad.sweep(TRACE, [0.5], [100], [0], labels=[LABELS])


@pytest.fixture
def corpus(tmp_path):
    """Files with their labels, and one that is no audio."""
    random = np.random.default_rng(3)
    files, labels = [], []
    for number in range(6):
        loud = np.repeat(random.integers(0, 2, 20), 6000) * 0.2 + 0.001
        file = tmp_path / f"{number}.wav"
        soundfile.write(file, loud * random.standard_normal(loud.size), 24_000)
        (tmp_path / f"{number}.csv").write_text("start_s,end_s\n0.5,1\n2,3.25\n")
        files.append(str(file))
        labels.append(str(tmp_path / f"{number}.csv"))
    (tmp_path / "2.wav").write_text("no audio")
    return files, labels


def of_files(corpus, executor=None):
    files, labels = corpus
    with pytest.warns(UserWarning, match=r"2[.]wav.* left out.*cannot be read"):
        return vad.sweep(
            files, [0.3, 0.6], [100, 400], [0, 200], labels=labels, detector="energy", executor=executor
        )


def test_threads_and_processes_give_what_one_thread_gives(corpus):
    alone = of_files(corpus)
    assert len(alone.parts) == 5
    assert [name for name, _ in alone.failed] == [corpus[0][2]]
    assert alone.total.counts.any()
    with ThreadPoolExecutor(3) as threads:
        same(alone, of_files(corpus, threads))
    with ProcessPoolExecutor(2) as processes:
        same(alone, of_files(corpus, processes))


def test_labels_are_guessed_by_whoever_judges_the_recording(corpus):
    files, _ = corpus
    axes = [0.3, 0.6], [100, 400], [0, 200]
    with ThreadPoolExecutor(3) as threads, pytest.warns(UserWarning, match=r"2[.]wav.* left out"):
        spread = vad.sweep(files, *axes, labels="guess", detector="energy", executor=threads)
    with pytest.warns(UserWarning, match=r"2[.]wav.* left out"):
        alone = vad.sweep(files, *axes, labels="guess", detector="energy")
    same(alone, spread)
    assert alone.total.truths > 0
    assert [name for name, _ in alone.failed] == [files[2]]


def test_a_detector_that_is_not_there_is_refused_once(corpus, recwarn):
    with pytest.raises(ConfigError, match="nix"):
        vad.sweep(corpus[0], detector="nix")
    assert not recwarn.list


def test_a_worker_that_is_killed_loses_nothing(corpus):
    alone = of_files(corpus)
    with ProcessPoolExecutor(1) as processes:
        # The next task finds its worker dead.
        processes.submit(os.kill, processes.submit(os.getpid).result(), signal.SIGKILL)
        same(alone, of_files(corpus, processes))


def test_an_interrupt_cancels_what_has_not_begun(corpus):
    class Stopped:
        """An executor whose second result never comes, because somebody stops the kernel."""

        def __init__(self):
            self.futures = []

        def submit(self, run):
            self.futures.append(Future())
            if len(self.futures) == 1:
                self.futures[0].set_result(run())
            if len(self.futures) == 2:
                self.futures[1].set_exception(KeyboardInterrupt())
            return self.futures[-1]

    executor = Stopped()
    with pytest.raises(KeyboardInterrupt):
        vad.sweep(*[corpus[0]], [0.5], [100], [0], labels=corpus[1], detector="energy", executor=executor)
    assert [future.cancelled() for future in executor.futures] == [False, False, *[True] * 4]


def test_many_recordings_share_tasks(monkeypatch):
    monkeypatch.setattr(_corpus, "MAX_TASKS", 4)
    shared = swept(10)
    assert [part.recordings for part in shared.parts] == [3, 3, 3, 1]
    assert shared.names[0] == "recording 1 and 2 more"
    assert "over 10 recordings" in repr(shared)
    assert np.array_equal(shared.total.counts, 10 * swept().total.counts)


def test_wrong_settings_are_refused():
    for axes in (([1.5], [100], [0]), ([0.5], [], [0]), ([0.5], [100.5], [0]), ([0.5], [100], [-1])):
        with pytest.raises(ConfigError, match="not usable"):
            vad.sweep(TRACE, *axes)
    with pytest.raises(ConfigError, match="labels for 1"):
        vad.sweep([TRACE, TRACE], labels=[LABELS])
    with (
        pytest.raises(ConfigError, match="No recording can be read"),
        pytest.warns(UserWarning, match="left out"),
    ):
        vad.sweep("none.wav")
