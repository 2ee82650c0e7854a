"""The symbols of CTC models of letters, in the form that wav2vec 2.0 is fine-tuned with."""

WORD_DELIMITER = "|"  # the symbol between words
SPECIAL = ("<pad>", WORD_DELIMITER, "<unk>")  # first entries of the vocabulary; <pad> is also the blank of CTC
