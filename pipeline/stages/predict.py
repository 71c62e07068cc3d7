"""Stage `predict`: a method's colours for the grey test photographs; stage `baseline` for gray and oracle."""

from pipeline.errors import UserError
from pipeline.inference.whole_sets import predict_gray, predict_oracle, predict_set
from pipeline.methods.checkpoint import WEIGHTS
from pipeline.sets.leaks import near_duplicate_bits, refuse_leaks
from pipeline.settings.params import BASELINES, Settings
from pipeline.stages import paths
from pipeline.stages.prepare import read_prepared
from pipeline.stages.versions import StageVersion
from pipeline.storage.color_tables import read_space
from pipeline.storage.store import Store
from pipeline.storage.tables import write_table


def predict_results(settings: Settings, version: StageVersion, method: str, set_name: str) -> str:
    """Colorize the test split of a set.

    Args:
        settings: params.yaml.
        version: of this stage's code.
        method: a key of `methods`, or gray or oracle.
        set_name: a key of `sets`.

    Raises:
        UserError: if the method is unknown, something is missing, or a test photograph was trained on.
    """
    store = Store(paths.image_set(set_name))
    out, cache = paths.predictions(method, set_name), version.resume_folder(method, set_name)
    if method == "gray":
        predict_gray(settings.predict, store, out, cache)
    elif method == "oracle":
        predict_oracle(read_space(paths.space(settings.run.report_space)), settings.predict, store, out, cache)
    elif method in settings.methods:
        train = settings.run.train
        bits = near_duplicate_bits(settings.sets[train], settings.sets[set_name])
        refuse_leaks(Store(paths.image_set(train)).rows("train"), store.rows("test"), bits)
        entry, head = settings.methods[method], read_prepared(method).head
        hits = predict_set(paths.model(method) / WEIGHTS, entry, head, settings.predict, store, out, cache)
        write_table(hits, paths.class_hits(method, set_name), version.facts())
    else:
        known = ", ".join([*BASELINES, *settings.methods])
        raise UserError(f"{method!r} is no method of params.yaml; there are {known}")
    refused = Store(out).index["status"].ne("ok").sum()
    return f"{len(store.rows('test'))} images" + (f", {refused} of them not finite" if refused else "")
