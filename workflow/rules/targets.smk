"""Named targets: one per stage whose rules run for several splits, orders, seeds or rounds."""


localrules:
    corpus,
    manifest,
    vad,
    features,
    pretrain,
    kmeans,
    pca,
    segment,
    phone_lm,
    match,
    acoustic,
    resegment,
    teacher,
    gan,
    decode,
    hmm,
    words,
    supervised,
    diagnose,
    finetune,
    ctm,
    textgrid,
    pseudo_labels,
    figures,


rule corpus:
    input:
        "<results>/corpus/recordings.parquet",
        "<results>/corpus/text.txt",
        force(workflow, "corpus", *plan.corpus.rules),


rule manifest:
    input:
        expand("<results>/manifest/{split}.parquet", split=SPLITS),
        force(workflow, "manifest", "manifest_split"),


rule vad:
    input:
        expand("<results>/vad/{split}.parquet", split=SPLITS),
        force(workflow, "vad", "vad_split"),


rule features:
    input:
        expand("<results>/features/{split}.npy", split=SPLITS),
        force(workflow, "features", *plan.features.rules),


rule pretrain:
    input:
        "<results>/pretrain/model",
        plan.figures.of("pretrain"),
        force(workflow, "pretrain", "pretrain_model", "pretrain_targets", "codebook"),


rule kmeans:
    input:
        expand("<results>/kmeans/{split}.npy", split=SPLITS),
        force(workflow, "kmeans", "kmeans_fit", "kmeans_split"),


rule pca:
    input:
        expand("<results>/pca/{split}.npy", split=SPLITS),
        force(workflow, "pca", "pca_fit", "pca_split"),


rule segment:
    input:
        expand("<results>/segment/{split}.npy", split=SPLITS),
        force(workflow, "segment", "segment_rate", "segment_split"),


rule phone_lm:
    input:
        expand("<results>/phone_lm/{order}gram.fst", order=plan.text.orders),
        force(workflow, "phone_lm", "phone_lm_order"),


rule match:
    input:
        expand("<results>/match/{place}/labels.npy", place=plan.matching.places),
        force(workflow, "match", "match_round"),


rule acoustic:
    input:
        expand("<results>/acoustic/{place}/model.safetensors", place=plan.matching.places),
        force(workflow, "acoustic", "acoustic_round"),


rule resegment:
    input:
        expand("<results>/resegment/{place}/discrepancy.json", place=plan.matching.places),
        force(workflow, "resegment", "resegment_round"),


rule teacher:
    input:
        expand("<results>/teacher/decode/{split}.parquet", split=SPLITS),
        force(workflow, "teacher", "teacher_decode", "teacher_adapt", "teacher_train", "teacher_frames", "speak"),


rule gan:
    input:
        plan.gan.phones(["best"], SPLITS),
        force(workflow, "gan", "gan_segments", "gan_mfcc", "gan_kmeans", "gan_targets", "gan_train", "gan_decode"),


rule decode:
    input:
        expand("<results>/decode/{split}.parquet", split=SPLITS),
        force(workflow, "decode", "decode_split", "decode_round"),


rule hmm:
    input:
        expand(plan.hmm.final("{split}.parquet"), split=["valid", "test"]),
        force(
            workflow,
            "hmm",
            *("hmm_train", "hmm_phone_graph", "hmm_word_graph", "hmm_tune", "hmm_decode", "hmm_select"),
            *("hmm_segments", "match_cycle", "acoustic_cycle", "decode_cycle"),
        ),


rule words:
    input:
        expand("<results>/words/{split}.parquet", split=SPLITS),
        force(workflow, "words", "words_split"),


rule ctm:
    input:
        expand("<results>/ctm/{split}.{unit}.parquet", split=SPLITS, unit=["phones", "words"]),
        force(workflow, "ctm", "ctm_split"),


rule textgrid:
    input:
        expand("<results>/textgrid/{split}", split=SPLITS),
        force(workflow, "textgrid", "textgrid_split"),


rule pseudo_labels:
    input:
        PSEUDO_LABELS,
        force(workflow, "pseudo_labels", "pseudo_labels_split", "vocabulary"),


rule supervised:
    input:
        "<results>/supervised/evaluate/hmm.json",
        "<results>/supervised/evaluate/words.json",
        force(workflow, "supervised", "supervised_text", "supervised_labels", "supervised_train", "supervised_align"),


rule diagnose:
    input:
        "<results>/evaluate/diagnose.json",
        plan.figures.of("diagnose"),
        force(workflow, "diagnose", "diagnose_corpus"),


rule finetune:
    input:
        plan.finetune.scores,
        plan.finetune.recognisers,
        force(workflow, "finetune", "finetune_labels", "finetune_pseudo_labels", "finetune_train"),


rule figures:
    input:
        plan.figures.drawn,
        force(
            workflow,
            "figures",
            *[figure.rule for figure in FIGURES],
        ),
