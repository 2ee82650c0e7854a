"""Named targets: one per stage that is spread over splits, seeds or rounds."""


localrules:
    corpus,
    manifest,
    vad,
    features,
    kmeans,
    pca,
    segment,
    match,
    acoustic,
    resegment,
    decode,
    figures,


rule corpus:
    input:
        RESULTS + "/corpus/recordings.parquet",


rule manifest:
    input:
        expand(RESULTS + "/manifest/{split}.parquet", split=SPLITS),


rule vad:
    input:
        expand(RESULTS + "/vad/{split}.parquet", split=SPLITS),


rule features:
    input:
        expand(RESULTS + "/features/{split}.npy", split=SPLITS),


rule kmeans:
    input:
        expand(RESULTS + "/kmeans/{split}.npy", split=SPLITS),


rule pca:
    input:
        expand(RESULTS + "/pca/{split}.npy", split=SPLITS),


rule segment:
    input:
        expand(RESULTS + "/segment/{split}.npy", split=SPLITS),


rule match:
    input:
        expand(RESULTS + "/match/{place}/labels.npy", place=ROUND_PLACES),


rule acoustic:
    input:
        expand(RESULTS + "/acoustic/{place}/model.safetensors", place=ROUND_PLACES),


rule resegment:
    input:
        expand(RESULTS + "/resegment/{place}/loss.json", place=ROUND_PLACES),


rule decode:
    input:
        expand(RESULTS + "/decode/{split}.parquet", split=SPLITS),


rule figures:
    input:
        figures(),


force("corpus", "make_corpus")
force("manifest", "manifest_split")
force("vad", "vad_split")
force("features", "features_split")
force("kmeans", "kmeans_fit", "kmeans_split")
force("pca", "pca_fit", "pca_split")
force("segment", "segment_split")
force("match", "match_round")
force("acoustic", "acoustic_round")
force("resegment", "resegment_round")
force("decode", "decode_split")
force("figures", "utterance_figure", "rounds_figure", "confusions_figure", "seconds_figure")
