"""Every measure by name; the only place that lists them."""

from __future__ import annotations

from layerscope.measures.accuracy import Accuracy
from layerscope.measures.activation_spectra import VCI, ActivationCovSVs, ActivationStableRank
from layerscope.measures.base import Measure
from layerscope.measures.cdnv import CDNV
from layerscope.measures.cdnv_pairs import CDNVPairs
from layerscope.measures.classifier_etf import ClassifierETF
from layerscope.measures.collapsed_layer import NCLayer
from layerscope.measures.drift import Drift
from layerscope.measures.etf import ETF
from layerscope.measures.group_accuracy import ClassRecall, GroupAccuracy
from layerscope.measures.information.binned_information import BinnedMI
from layerscope.measures.information.class_information import ClassMI
from layerscope.measures.information.diffusion_entropy import DSE
from layerscope.measures.information.diffusion_information import DSMI
from layerscope.measures.information.discrete_information import DiscreteMI, JointPMF
from layerscope.measures.information.gaussian_information import GaussianMI
from layerscope.measures.information.latent_information import LatentMI
from layerscope.measures.information.neighbor_information import KSG
from layerscope.measures.information.paired_information import PairedLatentMI, PairedMI
from layerscope.measures.kernel_geometry import GNC2
from layerscope.measures.minority_collapse import MinorityCollapse
from layerscope.measures.mlp_svd import MLPSVD
from layerscope.measures.nc1 import NC1
from layerscope.measures.ncc import NCC
from layerscope.measures.ood_orthogonality import NC5
from layerscope.measures.self_duality import SelfDuality
from layerscope.measures.seli import SELI
from layerscope.measures.subspace_angles import AngleBetweenSubspaces
from layerscope.measures.traces import Traces
from layerscope.measures.weight_ranks import WeightRanks
from layerscope.measures.weight_svs import WeightSVs

_ALL: tuple[Measure, ...] = (
    Accuracy(),
    Traces(),
    CDNV(),
    NC1(),
    ETF(),
    NCC(),
    WeightSVs(),
    AngleBetweenSubspaces(),
    GNC2(),
    ClassifierETF(),
    SelfDuality(),
    WeightRanks(),
    NCLayer(),
    MLPSVD(),
    GroupAccuracy(),
    ClassRecall(),
    Drift(),
    MinorityCollapse(),
    SELI(),
    ActivationCovSVs(),
    VCI(),
    NC5(),
    ActivationStableRank(),
    DSE(),
    DSMI(),
    BinnedMI(),
    KSG(),
    GaussianMI(),
    LatentMI(),
    DiscreteMI(),
    JointPMF(),
    PairedMI(),
    PairedLatentMI(),
    ClassMI(),
    CDNVPairs(),
)

MEASURES: dict[str, Measure] = {measure.name: measure for measure in _ALL}
