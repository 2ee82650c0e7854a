from unscribed.artifacts import write_json
from unscribed.evaluation.lm import lm_metrics


def test_lm_metrics(tmp_path):
    for order, value in ((3, 7.5), (4, None)):
        write_json(tmp_path / f"{order}gram.json", {"order": order, "perplexity": value})
    write_json(tmp_path / "report.json", {"order": 4, "perplexity": 90, "oov_rate": 0.0})
    found = lm_metrics([tmp_path / "3gram.json", tmp_path / "4gram.json"], tmp_path / "report.json")
    assert found == {"phone_lm.3.perplexity": 7.5, "word_lm.perplexity": 90.0, "word_lm.oov_rate": 0.0}
