import faiss
import numpy as np
import pytest

from unscribed.clustering import KmeansSettings, cluster

SETTINGS = KmeansSettings(clusters=2, iterations=5, restarts=1, max_frames=100)


def _groups() -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.concatenate([rng.normal(centre, 0.01, (20, 3)) for centre in (0, 5)]).astype(np.float32)


@pytest.mark.parametrize(("gpus", "copies"), [(0, 0), (1, 1)])
def test_a_gpu_is_used_where_faiss_has_one(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, gpus: int, copies: int
) -> None:
    moved: list[int] = []

    def to_gpus(index: faiss.Index, ngpu: int) -> faiss.Index:
        moved.append(ngpu)
        return index  # faiss-cpu cannot move it

    for module in (faiss, faiss.extra_wrappers):
        monkeypatch.setattr(module, "get_num_gpus", lambda: gpus)
    monkeypatch.setattr(faiss, "index_cpu_to_all_gpus", to_gpus, raising=False)
    with caplog.at_level("INFO"):
        centroids, _ = cluster(_groups(), SETTINGS, seed=0)
    assert moved == [gpus] * copies
    assert f"on the {'GPU' if gpus else 'CPU'}" in caplog.text
    assert sorted(np.round(centroids[:, 0])) == [0, 5]
