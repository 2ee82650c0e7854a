"""The frames that the teacher learns from. Rules read this, too: it imports nothing heavy."""

MEL_BINS = 40
# As the section `features` of the configuration. The means stay: the teacher removes them after a floor of its own.
FEATURES = {
    "kind": "logmel",
    "window_ms": 25.0,
    "hop_ms": 10.0,
    "mel_bins": MEL_BINS,
    "coefficients": MEL_BINS,
    "deltas": False,
    "mean_norm": "none",
}
