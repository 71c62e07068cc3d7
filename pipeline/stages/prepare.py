"""Stage `prepare`: hand each method the classes of its own space, and nothing of any other.

A template in dvc.yaml cannot look up the space of a method, so `train` could only depend on every space, and adding one
would train every method anew. This stage depends on them all, takes a second, and writes the same bytes as long as the
method's own space is the same: what follows it stays cached.
"""

import numpy as np
import pyarrow as pa

from pipeline.color.space import ColorSpace
from pipeline.settings.params import Settings
from pipeline.stages import paths
from pipeline.stages.versions import StageVersion
from pipeline.storage.tables import METHOD, SPACE, WEIGHTS, read_table, table_facts, write_table


def prepare_method(settings: Settings, version: StageVersion, method: str) -> str:
    """Write the class table of a method.

    Args:
        settings: params.yaml.
        version: of this stage's code.
        method: a key of `methods`.
    """
    space_name = settings.methods[method].space
    if space_name is None:
        write_table(METHOD.empty_table(), paths.method_classes(method), {"space": None} | version.facts())
        return "regresses ab, needs no classes"
    facts = table_facts(read_table(paths.space(space_name), SPACE))
    weights = read_table(paths.weights(space_name), WEIGHTS)
    columns = [pa.array(np.arange(len(weights), dtype=np.int32))] + [weights[name] for name in METHOD.names[1:]]
    write_table(
        pa.Table.from_arrays(columns, schema=METHOD),
        paths.method_classes(method),
        {"space": space_name, "bin_size": facts["bin_size"], "shift": facts["shift"]} | version.facts(),
    )
    return f"{len(weights)} kept classes of space {space_name}"


def method_space(method: str) -> tuple[str, ColorSpace] | None:
    """The class space of a method, as this stage wrote it.

    Args:
        method: a key of `methods`.

    Returns:
        Its name and the space with the kept classes; None for a regression.

    Raises:
        UserError: if the table is missing.
    """
    table = read_table(paths.method_classes(method), METHOD)
    facts = table_facts(table)
    if facts["space"] is None:
        return None
    return facts["space"], ColorSpace(facts["bin_size"], facts["shift"], table["class_id"].to_numpy())
