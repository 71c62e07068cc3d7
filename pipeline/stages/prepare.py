"""Stage `prepare`: hand each method the classes of its own space, and nothing of any other.

A template in dvc.yaml cannot look up the space of a method, so `train` could only depend on every space, and adding one
would train every method anew. This stage depends on them all, takes a second, and writes the same bytes as long as the
method's own space is the same: what follows it stays cached.
"""

from pipeline.methods.build import Prepared
from pipeline.methods.head import AbHead, ClassHead
from pipeline.methods.prepared_statistics import needed_axis_counts, needed_class_counts, needed_soft_prior
from pipeline.settings.params import Settings
from pipeline.stages import paths
from pipeline.stages.versions import StageVersion
from pipeline.storage.color_tables import (
    mapped_counts,
    method_table,
    read_axis_counts,
    read_cells,
    read_method_classes,
    read_space,
)
from pipeline.storage.tables import write_table


def prepare_method(settings: Settings, version: StageVersion, method: str) -> str:
    """Write what a method needs of the class space and the reference set.

    Args:
        settings: params.yaml.
        version: of this stage's code.
        method: a key of `methods`.
    """
    model = settings.methods[method].model
    name = model.head.classes
    cells = read_cells(paths.HISTOGRAM)
    by_axis = needed_axis_counts(model, cells)
    if name is None:
        table, facts = method_table(None, None, axis_counts=by_axis)
        write_table(table, paths.method_classes(method), facts | version.facts())
        return "regresses ab, needs no classes" + (", with the counts of a and b" if by_axis is not None else "")
    path = paths.space(name)
    space = read_space(path)
    counts = needed_class_counts(model, mapped_counts(path, space))
    prior = needed_soft_prior(model, space, cells)
    table, facts = method_table(name, space, counts, prior, by_axis)
    write_table(table, paths.method_classes(method), facts | version.facts())
    handed = {
        ", with their counts": counts,
        ", with their soft prior": prior,
        ", with the counts of a and b": by_axis,
    }
    return f"{space.kept_count} kept classes of space {name}" + "".join(
        words for words, found in handed.items() if found is not None
    )


def read_prepared(method: str) -> Prepared:
    """What this stage wrote for a method.

    Args:
        method: a key of `methods`.

    Returns:
        Its head, and the statistics that its parts need.

    Raises:
        UserError: if the table is missing.
    """
    path = paths.method_classes(method)
    found, by_axis = read_method_classes(path), read_axis_counts(path)
    if found is None:
        return Prepared(AbHead(), axis_counts=by_axis)
    name, space, counts, prior = found
    return Prepared(ClassHead(name, space), counts, prior, by_axis)
