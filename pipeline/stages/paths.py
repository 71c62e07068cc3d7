"""Where the graph keeps what it writes. dvc.yaml names the same places; a test compares the two."""

from pathlib import Path

DATA = Path("data")
REPORTS = Path("reports")
CACHE = Path(".cache")
"""Resume state and timings: of this machine, not of the graph (DESIGN section 3)."""

BY_HAND = Path("by_hand")
"""What no stage can make again: results from elsewhere, which DVC tracks, and small tables, which git does."""
SWEEP = BY_HAND / "sweep.parquet"
TURING_SCORES = BY_HAND / "turing_scores.json"

OUTSIDE = DATA / "outside"
SETS = DATA / "sets"
OUTSIDE_MASKS = OUTSIDE / "masks.json"
OUTSIDE_WEIGHTS = OUTSIDE / "metric_weights.json"
HISTOGRAM = DATA / "histogram.parquet"
SUMMARY = REPORTS / "summary.parquet"
PAIRS = REPORTS / "pairs.parquet"
TURING_KEY = DATA / "turing" / "key.json"
BANDS = REPORTS / "frequency_bands.parquet"
BIN_SIZES = REPORTS / "bin_sizes.parquet"
FIGURES = REPORTS / "figures"
METRICS = REPORTS / "metrics.json"


def outside_set(name: str) -> Path:
    """What lies outside the graph and makes up a set: JSON."""
    return OUTSIDE / "sets" / f"{name}.json"


def image_set(name: str) -> Path:
    """The store of a data set."""
    return SETS / name


def space(name: str) -> Path:
    """The classes of a space, a table of `tables.SPACE`."""
    return DATA / "spaces" / f"{name}.parquet"


def weights(space_name: str) -> Path:
    """The class weights of a space, a table of `tables.WEIGHTS`."""
    return DATA / "weights" / f"{space_name}.parquet"


def weight_batches(space_name: str) -> Path:
    """What Eq. 15 gives per batch, a table of `tables.WEIGHT_BATCHES`."""
    return DATA / "weights" / f"{space_name}_batches.parquet"


def method(name: str) -> Path:
    """The folder of what a method's own parts need."""
    return DATA / "methods" / name


def method_classes(name: str) -> Path:
    """The classes that a method's network puts out, a table of `tables.METHOD`; no row for a regression."""
    return method(name) / "classes.parquet"


def model(name: str) -> Path:
    """The folder of a trained network."""
    return DATA / "models" / name


def training_report(name: str) -> Path:
    """The curves and strips of a training."""
    return REPORTS / "training" / name


def predictions(name: str, set_name: str) -> Path:
    """The store of a method's results on a set."""
    return DATA / "predictions" / name / set_name


def class_hits(name: str, set_name: str) -> Path:
    """How often a method's class scores hit the truth, a table of `tables.CLASS_HITS`."""
    return DATA / "predictions" / name / f"{set_name}.parquet"


def imported(name: str, set_name: str) -> Path:
    """The store of results that came from elsewhere."""
    return BY_HAND / "imported" / name / set_name


def masks(set_name: str) -> Path:
    """The masks of a set's photographs, a table of `tables.MASKS`."""
    return DATA / "masks" / f"{set_name}.parquet"


def harmonized(name: str, set_name: str) -> Path:
    """The store of a method's harmonized results on a set."""
    return DATA / "harmonized" / name / set_name


def harmonized_measures(name: str, set_name: str) -> Path:
    """What harmonisation changed, a table of `tables.HARMONIZED`."""
    return DATA / "harmonized" / name / f"{set_name}.parquet"


def image_rows(name: str, set_name: str) -> Path:
    """A row per photograph and variant of a method's results on a set."""
    return REPORTS / "images" / name / f"{set_name}.parquet"


def set_rows(name: str, set_name: str) -> Path:
    """A row per metric of a whole set, and per metric that could not be computed."""
    return REPORTS / "sets" / name / f"{set_name}.parquet"
