from unscribed.corpora.transcripts import spoken_words


def test_words_are_lower_case_without_punctuation():
    assert spoken_words("“Don’t 'go', Ms. X-ray… at 5!”") == ["don't", "go", "ms", "x", "ray", "at", "5"]
    assert spoken_words("Größe, ЁЖ; हिन्दी भाषा") == ["größe", "ёж", "हिन्दी", "भाषा"]
