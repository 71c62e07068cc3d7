"""Stage `segment`: objects in the grey test photographs, once for every method and bin size."""

from pipeline.masks.segmentation import describe_masks, segment_set
from pipeline.settings.params import Settings
from pipeline.stages import paths
from pipeline.stages.versions import StageVersion
from pipeline.storage.store import Store
from pipeline.storage.tables import write_table


def segment_objects(settings: Settings, version: StageVersion, set_name: str) -> str:
    """Segment the test split of a set.

    Args:
        settings: params.yaml.
        version: of this stage's code.
        set_name: a key of `sets`.

    Raises:
        UserError: if the set is missing, or the segmenter's weights or annotations are.
    """
    table = segment_set(Store(paths.image_set(set_name)), settings.masks, version.resume_folder())
    facts = {"set": set_name, "masks": settings.masks.model_dump(mode="json")} | version.facts()
    write_table(table, paths.masks(set_name), facts)
    return f"{settings.masks.segmenter.kind}: {describe_masks(table)}"
