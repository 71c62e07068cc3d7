"""The stages of dvc.yaml, each with the function that does its work; the command line is laid out from this table.

A function is named as "module:function" in this package and loaded when it runs: the command line starts quickly.
To add a stage: a module here, a line in `STAGES`, a number in versions.yaml, an entry in dvc.yaml.
"""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["set", "space", "method", "baseline", "imported"]
"""What a stage's argument names: a key of the sections sets, spaces or methods, gray or oracle, one of run.imported."""


@dataclass(frozen=True)
class Stage:
    """A stage of dvc.yaml.

    Attributes:
        work: "module:function" in `pipeline.stages`; see `frame.run_stage` for what it is handed and returns.
        about: for the help of the command line: a line, and a paragraph where there is more to say.
        takes: what its arguments name, in order.
        counted_as: key of versions.yaml; empty for one of its own name.
    """

    work: str
    about: str
    takes: tuple[Kind, ...] = ()
    counted_as: str = ""


STAGES = {
    "download": Stage("download:download_set", "Bring one data SET into a store.", ("set",)),
    "histogram": Stage("histogram:count_histogram", "Count the colours of the reference set."),
    "classes": Stage("classes:prune_classes", "Prune the colour classes of SPACE.", ("space",)),
    "weights": Stage("weights:weigh_classes", "Compute the class weights of SPACE.", ("space",)),
    "prepare": Stage("prepare:prepare_method", "Gather what METHOD's own parts need.", ("method",)),
    "train": Stage(
        "train:train_method",
        "Train METHOD; continues where it was stopped.\n\n"
        "On several GPUs: torchrun --nproc-per-node N -m pipeline train METHOD. Each process takes train.batch "
        "photographs a step, and class counts are summed over all of them: N processes train as one with N times the "
        "batch.",
        ("method",),
    ),
    "predict": Stage(
        "predict:predict_results", "Colour the grey test photographs of SET with METHOD.", ("method", "set")
    ),
    "baseline": Stage(
        "predict:predict_results", "The same with gray (no colour) or oracle (true classes).", ("baseline", "set")
    ),
    "segment": Stage("segment:segment_objects", "Find the objects in the grey test photographs of SET.", ("set",)),
    "harmonize": Stage(
        "harmonize:harmonize_results", "Keep METHOD's colours on SET inside their objects.", ("method", "set")
    ),
    "evaluate": Stage("evaluate:score_results", "Score METHOD's results on SET.", ("method", "set")),
    "evaluate_baseline": Stage(
        "evaluate:score_results", "Score gray or oracle on SET.", ("baseline", "set"), "evaluate"
    ),
    "evaluate_imported": Stage(
        "evaluate:score_results", "Score IMPORTED results on SET.", ("imported", "set"), "evaluate"
    ),
    "report": Stage("report:write_report", "Write tables, figures and the page."),
}
"""In the order of the graph."""
