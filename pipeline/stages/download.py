"""A set entry of params.yaml becomes a store: every photograph read, decoded once, kept or refused with a reason."""

from pipeline.sets.archives import archive_folder
from pipeline.sets.building import build_set
from pipeline.settings.params import Settings
from pipeline.stages import paths
from pipeline.stages.versions import StageVersion


def download_set(settings: Settings, version: StageVersion, set_name: str) -> str:
    """Write data/sets/<set>/.

    Args:
        settings: `sets.<set>` is read.
        version: not used: a store is no table.
        set_name: a key of `sets`.

    Raises:
        UserError: if the set's source cannot be had, or too much of it is bad; an older store is left untouched then.
    """
    return str(build_set(set_name, settings.sets[set_name], paths.image_set(set_name), archive_folder()))
