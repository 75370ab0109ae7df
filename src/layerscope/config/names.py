"""The ids a config may name: data sets, model families, measures. Literals only; `lookup` resolves them."""

from __future__ import annotations

SECTIONS = ("Model", "Data", "Optimizer", "Logging", "Measurements", "Run", "Slurm")
"""The sections of a config, in the order they are written."""

SLURM_SECTION = "Slurm"
"""The section about the cluster, which changes no result: it makes no run another one."""

NESTED_KEYS = {
    SLURM_SECTION: ("train", "measure", "plot", "extra"),
    "Data": ("imbalance", "gaussian", "ood"),
    "Optimizer": ("lr-groups",),
    "Measurements": ("information", "pairs"),
}
"""Section → the keys of it that hold keys of their own."""

MODULE_KEYS = "lr-groups"
"""The key whose own keys are names of modules, to be left as they are."""

KEY_ALIASES = {SLURM_SECTION: {"gpus": "gpus-per-run"}}
"""Section → other words for some of its keys."""

MATRIX_SECTION = "Matrix"
"""The section that turns a config into many; expanded before validation."""

SCREEN_SECTION = "Screen"
"""The section that names networks to compare; such a file describes no run."""

EXCLUSIVE, ZIP, EXCLUDE = MATRIX_WORDS = ("_Exclusive", "_Zip", "_Exclude")
"""The words that a matrix knows besides sections and keys."""

DATASETS = (
    "digits",
    "mnist",
    "mnist_debug",
    "fashionmnist",
    "kmnist",
    "cifar10",
    "cifar100",
    "svhn",
    "stl10",
    "tinyimagenet",
    "imagenet",
    "imagenet_lt",
    "imagefolder",
    "arrays",
    "gaussian_classes",
)

FOLDER_DATASETS = ("tinyimagenet", "imagenet", "imagenet_lt", "imagefolder")
"""Data sets of single image files, which can be resized when read."""

OWN_DATASETS = ("imagefolder", "arrays")
"""Data sets that are nothing but the user's own files: their place says which data they are."""

MEASURES = (
    "Accuracy",
    "Traces",
    "CDNV",
    "NC1",
    "ETF",
    "NCC",
    "WeightSVs",
    "AngleBetweenSubspaces",
    "GNC2",
    "ClassifierETF",
    "SelfDuality",
    "WeightRanks",
    "NCLayer",
    "MLPSVD",
    "GroupAccuracy",
    "ClassRecall",
    "Drift",
    "MinorityCollapse",
    "SELI",
    "ActivationCovSVs",
    "VCI",
    "NC5",
    "ActivationStableRank",
    "DSE",
    "DSMI",
    "BinnedMI",
    "KSG",
    "GaussianMI",
    "LatentMI",
    "DiscreteMI",
    "JointPMF",
    "PairedMI",
    "PairedLatentMI",
    "ClassMI",
    "CDNVPairs",
)
"""Every measure, in the order of the registry."""

MEASURE_GROUPS: dict[str, tuple[str, ...]] = {
    "Fast": MEASURES[: MEASURES.index("MLPSVD")],
    "StableRank": ("ActivationStableRank",),
    "Imbalance": ("GroupAccuracy", "ClassRecall", "Drift", "MinorityCollapse", "SELI"),
    "Slow": ("MLPSVD", "ActivationCovSVs", "VCI", "NC5"),
    "Information": MEASURES[MEASURES.index("DSE") : MEASURES.index("LatentMI")],
    "Latent": ("LatentMI",),
    "Pairs": ("DiscreteMI", "JointPMF", "PairedMI"),
    "PairedLatent": ("PairedLatentMI",),
    "Classwise": ("ClassMI",),
    "ClassPairs": ("CDNVPairs",),
    "All": MEASURES,
}

MEASURE_ALIASES: dict[str, str] = {"trace": "Traces"}
"""Older names (lower case, without the suffix `Measure` or `Testset`) of measures."""

OWN_EXAMPLES = (
    *("mlp", "mlp_small", "mlp_wide", "mlp_large", "convnet", "convnet_small", "convnet_deep"),
    *("ae", "ae_small", "aec", "aec_small"),
)
"""Names of our own families to propose for a misspelt one."""

ZOO_MODELS = (
    "zoo/resnet18",
    "zoo/resnet18_ln",
    "zoo/resnet50",
    "zoo/resnet50_ln",
    "zoo/vgg11",
    "zoo/vgg16",
    "zoo/mobilenet_v2",
    "zoo/shufflenet_v2",
    "zoo/regnet_y_400mf",
    "zoo/densenet121",
    "zoo/efficientnet_b0",
    "zoo/googlenet",
    "zoo/convnext_tiny",
    "zoo/vit_tiny",
    "zoo/vit_tiny_original",
    "zoo/mobilenetv4_small",
    "zoo/repvit_m1",
    "zoo/dinov3_small",
    "zoo/eva02_tiny",
)
"""Presets for studies of neural collapse, whose classifier is always called ``fc``."""

TORCHVISION_LISTED = (0, 29)
"""The newest torchvision whose classifiers are all in `TORCHVISION_MODELS`."""

TORCHVISION_MODELS = (
    "alexnet",
    "convnext_base",
    "convnext_large",
    "convnext_small",
    "convnext_tiny",
    "densenet121",
    "densenet161",
    "densenet169",
    "densenet201",
    "efficientnet_b0",
    "efficientnet_b1",
    "efficientnet_b2",
    "efficientnet_b3",
    "efficientnet_b4",
    "efficientnet_b5",
    "efficientnet_b6",
    "efficientnet_b7",
    "efficientnet_v2_l",
    "efficientnet_v2_m",
    "efficientnet_v2_s",
    "googlenet",
    "inception_v3",
    "maxvit_t",
    "mnasnet0_5",
    "mnasnet0_75",
    "mnasnet1_0",
    "mnasnet1_3",
    "mobilenet_v2",
    "mobilenet_v3_large",
    "mobilenet_v3_small",
    "regnet_x_16gf",
    "regnet_x_1_6gf",
    "regnet_x_32gf",
    "regnet_x_3_2gf",
    "regnet_x_400mf",
    "regnet_x_800mf",
    "regnet_x_8gf",
    "regnet_y_128gf",
    "regnet_y_16gf",
    "regnet_y_1_6gf",
    "regnet_y_32gf",
    "regnet_y_3_2gf",
    "regnet_y_400mf",
    "regnet_y_800mf",
    "regnet_y_8gf",
    "resnet101",
    "resnet152",
    "resnet18",
    "resnet34",
    "resnet50",
    "resnext101_32x8d",
    "resnext101_64x4d",
    "resnext50_32x4d",
    "shufflenet_v2_x0_5",
    "shufflenet_v2_x1_0",
    "shufflenet_v2_x1_5",
    "shufflenet_v2_x2_0",
    "squeezenet1_0",
    "squeezenet1_1",
    "swin_b",
    "swin_s",
    "swin_t",
    "swin_v2_b",
    "swin_v2_s",
    "swin_v2_t",
    "vgg11",
    "vgg11_bn",
    "vgg13",
    "vgg13_bn",
    "vgg16",
    "vgg16_bn",
    "vgg19",
    "vgg19_bn",
    "vit_b_16",
    "vit_b_32",
    "vit_h_14",
    "vit_l_16",
    "vit_l_32",
    "wide_resnet101_2",
    "wide_resnet50_2",
)
