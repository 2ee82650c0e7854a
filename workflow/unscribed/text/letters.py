"""Letters as CTC models write them, in the form that wav2vec 2.0 is fine-tuned with."""

WORD_DELIMITER = "|"  # stands between words
SPECIAL = ("<pad>", WORD_DELIMITER, "<unk>")  # first of the vocabulary; <pad> is also the blank of CTC
