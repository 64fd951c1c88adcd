"""An isolation forest (Liu, Ting, Zhou 2008), as one node that reads raw features.

The trees are grown on normalised rows, and their thresholds brought back to raw values. So the node compares exactly what the
sensor computed: no rounding of the normalisation can send a row down another branch.
"""

from dataclasses import dataclass

import numpy as np
import onnx
from onnx import helper

from .normalise import Normaliser

TREES = 64
SAMPLES = 128


@dataclass(frozen=True)
class Tree:
    """One tree, nodes in preorder; a leaf has -1 for a feature."""

    feature: np.ndarray  # int64
    threshold: np.ndarray  # float32; at most it: left
    left: np.ndarray  # int64
    right: np.ndarray  # int64
    weight: np.ndarray  # float32; of leaves

    def leaves(self, features: np.ndarray) -> np.ndarray:
        """The leaf of each row."""
        at = np.zeros(len(features), dtype=np.int64)
        while True:
            inner = np.flatnonzero(self.feature[at] >= 0)
            if not len(inner):
                return at
            node = at[inner]
            left = features[inner, self.feature[node]] <= self.threshold[node]
            at[inner] = np.where(left, self.left[node], self.right[node])


@dataclass(frozen=True)
class Forest:
    """Trees whose weights add up to the share of the usual path length."""

    trees: list[Tree]

    def strangeness(self, features: np.ndarray) -> np.ndarray:
        """2 to the power of minus that share: above 0.5 is strange (reference)."""
        depth = np.zeros(len(features))
        for tree in self.trees:
            depth += tree.weight[tree.leaves(features)].astype(np.float64)
        return np.exp2(-depth)

    def node(self, source: str, target: str) -> onnx.NodeProto:
        """The node of the graph: depth [n, 1] of features [n, FEATURES]."""
        ids, features, modes, values, yes, no = [], [], [], [], [], []
        leaf_trees, leaf_ids, weights = [], [], []
        tree_ids = []
        for number, tree in enumerate(self.trees):
            for i in range(len(tree.feature)):
                leaf = tree.feature[i] < 0
                tree_ids.append(number)
                ids.append(i)
                features.append(0 if leaf else int(tree.feature[i]))
                modes.append("LEAF" if leaf else "BRANCH_LEQ")
                values.append(0.0 if leaf else float(tree.threshold[i]))
                yes.append(0 if leaf else int(tree.left[i]))
                no.append(0 if leaf else int(tree.right[i]))
                if leaf:
                    leaf_trees.append(number)
                    leaf_ids.append(i)
                    weights.append(float(tree.weight[i]))
        return helper.make_node(
            "TreeEnsembleRegressor",
            [source],
            [target],
            name="forest",
            domain="ai.onnx.ml",
            aggregate_function="SUM",
            n_targets=1,
            post_transform="NONE",
            nodes_treeids=tree_ids,
            nodes_nodeids=ids,
            nodes_featureids=features,
            nodes_modes=modes,
            nodes_values=values,
            nodes_truenodeids=yes,
            nodes_falsenodeids=no,
            target_treeids=leaf_trees,
            target_nodeids=leaf_ids,
            target_ids=[0] * len(leaf_ids),
            target_weights=weights,
        )


def fit(core: np.ndarray, normaliser: Normaliser, seed: int) -> Forest:
    """Grows the forest on normalised rows."""
    from sklearn.ensemble import IsolationForest

    samples = min(SAMPLES, len(core))
    grown = IsolationForest(n_estimators=TREES, max_samples=samples, random_state=seed, n_jobs=1)
    grown.fit(core.astype(np.float32))
    share = 1 / (TREES * average_path(samples))
    return Forest([_tree(one.tree_, normaliser, share) for one in grown.estimators_])


def average_path(rows: float) -> float:
    """The mean path length in a search tree of so many rows (equation 1 of the paper)."""
    if rows <= 1:
        return 0.0
    if rows <= 2:
        return 1.0
    return 2 * (np.log(rows - 1) + np.euler_gamma) - 2 * (rows - 1) / rows


def _tree(grown, normaliser: Normaliser, share: float) -> Tree:
    leaf = grown.children_left < 0
    count = len(leaf)
    depth = np.zeros(count)
    threshold = np.zeros(count, dtype=np.float32)
    weight = np.zeros(count, dtype=np.float32)
    for i in range(count):
        if leaf[i]:
            weight[i] = (depth[i] + average_path(int(grown.n_node_samples[i]))) * share
        else:
            depth[[grown.children_left[i], grown.children_right[i]]] = depth[i] + 1
            threshold[i] = normaliser.value_at(int(grown.feature[i]), float(grown.threshold[i]))
    feature = np.where(leaf, -1, grown.feature).astype(np.int64)
    return Tree(feature, threshold, grown.children_left.astype(np.int64), grown.children_right.astype(np.int64), weight)
