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
        "<results>/corpus/recordings.parquet",
        force("corpus", "make_corpus"),


rule manifest:
    input:
        expand("<results>/manifest/{split}.parquet", split=SPLITS),
        force("manifest", "manifest_split"),


rule vad:
    input:
        expand("<results>/vad/{split}.parquet", split=SPLITS),
        force("vad", "vad_split"),


rule features:
    input:
        expand("<results>/features/{split}.npy", split=SPLITS),
        force("features", "features_split"),


rule kmeans:
    input:
        expand("<results>/kmeans/{split}.npy", split=SPLITS),
        force("kmeans", "kmeans_fit", "kmeans_split"),


rule pca:
    input:
        expand("<results>/pca/{split}.npy", split=SPLITS),
        force("pca", "pca_fit", "pca_split"),


rule segment:
    input:
        expand("<results>/segment/{split}.npy", split=SPLITS),
        force("segment", "segment_split"),


rule match:
    input:
        expand("<results>/match/{place}/labels.npy", place=ROUND_PLACES),
        force("match", "match_round"),


rule acoustic:
    input:
        expand("<results>/acoustic/{place}/model.safetensors", place=ROUND_PLACES),
        force("acoustic", "acoustic_round"),


rule resegment:
    input:
        expand("<results>/resegment/{place}/loss.json", place=ROUND_PLACES),
        force("resegment", "resegment_round"),


rule decode:
    input:
        expand("<results>/decode/{split}.parquet", split=SPLITS),
        force("decode", "decode_split", "decode_round"),


rule figures:
    input:
        figures(),
        force("figures", "utterance_figure", "rounds_figure", "confusions_figure", "seconds_figure"),
