"""Stage `harmonize`: a method's results, their colours kept inside the objects (SPEC section 7)."""

import pyarrow.compute as pc

from pipeline.masks.harmonized_sets import harmonize_set
from pipeline.settings.params import Settings
from pipeline.stages import paths
from pipeline.stages.prepare import read_prepared
from pipeline.stages.versions import StageVersion
from pipeline.storage.color_tables import read_space
from pipeline.storage.store import Store
from pipeline.storage.tables import MASKS, read_table, write_table


def harmonize_results(settings: Settings, version: StageVersion, method: str, set_name: str) -> str:
    """Harmonize a method's results on a set, in the method's own classes (a regression: in the report's).

    Args:
        settings: params.yaml.
        version: of this stage's code.
        method: a key of `methods`.
        set_name: a key of `sets`.

    Raises:
        UserError: if results, masks, set or classes are missing or do not belong together.
    """
    out = paths.harmonized(method, set_name)
    measures = harmonize_set(
        Store(paths.predictions(method, set_name)),
        Store(paths.image_set(set_name)),
        read_table(paths.masks(set_name), MASKS),
        read_prepared(method).head.space or read_space(paths.space(settings.run.report_space)),
        settings.harmonize,
        out,
    )
    facts = settings.harmonize.model_dump(mode="json") | version.facts()
    write_table(measures, paths.harmonized_measures(method, set_name), facts)
    objects, changed = (pc.sum(measures[name]).as_py() or 0 for name in ("objects", "pixels_changed"))
    raw_colours = sum(status != "ok" for status in measures["status"].to_pylist())
    kept = f", {raw_colours} images kept their raw colours" if raw_colours else ""
    return f"{len(measures)} images, {objects} objects, {changed} pixels changed{kept}"
