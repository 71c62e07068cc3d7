"""Stage `evaluate`: a row per photograph and variant, and the scores of the set as a whole (SPEC section 8)."""

import pyarrow.compute as pc

from pipeline.evaluation.protocols import protocol_named, refuse_other_grey
from pipeline.evaluation.scoring import ScoreSettings, score_set
from pipeline.machine.devices import choose_device
from pipeline.machine.provenance import fingerprint, git_revision, library_versions
from pipeline.settings.params import Settings
from pipeline.stages import paths
from pipeline.stages.prepare import read_prepared
from pipeline.stages.versions import StageVersion
from pipeline.storage.color_tables import read_space
from pipeline.storage.store import Store
from pipeline.storage.tables import CLASS_HITS, HARMONIZED, WEIGHTS, read_table, write_table


def score_results(settings: Settings, version: StageVersion, method: str, set_name: str) -> str:
    """Score a method's results on a set, raw and harmonized.

    Args:
        settings: params.yaml.
        version: of this stage's code.
        method: a key of `methods`, a baseline, or a name of `run.imported`.
        set_name: a key of `sets`.

    Raises:
        UserError: if the method's results, the set or the class tables are missing.
    """
    protocol = protocol_named(settings.run.protocol)
    space_name = settings.run.report_space
    imported = method in settings.run.imported
    refuse_other_grey(protocol)
    results = paths.imported(method, set_name) if imported else paths.predictions(method, set_name)
    variants = {"raw": Store(results)}
    own, measures, hits = None, None, None
    if method in settings.methods:
        variants["harmonized"] = Store(paths.harmonized(method, set_name))
        measures = read_table(paths.harmonized_measures(method, set_name), HARMONIZED)
        own = read_prepared(method).head.space
        hits = read_table(paths.class_hits(method, set_name), CLASS_HITS) if own else None
    scores = ScoreSettings(
        set_name=set_name,
        method=method,
        space_name=space_name,
        batch=settings.evaluate.batch,
        device=str(choose_device()),
        class_counts=read_table(paths.weights(space_name), WEIGHTS)["count"].to_numpy(),
        cache=version.resume_folder("features"),
        stage_version=version.number,
    )
    truth = Store(paths.image_set(set_name))
    rows, set_rows = score_set(
        truth, variants, protocol, read_space(paths.space(space_name)), own, scores, measures, hits
    )
    facts = {
        **version.facts(),
        "protocol": settings.run.protocol,
        "git_revision": git_revision(),
        "parameters": fingerprint(settings),
        "versions": library_versions(),
        "seed": settings.run.seed,
    }
    write_table(rows, paths.image_rows(method, set_name), facts)
    write_table(set_rows, paths.set_rows(method, set_name), facts)
    odd = len(rows) - pc.sum(pc.equal(rows["status"], "ok")).as_py()
    return f"{len(rows)} rows under {settings.run.protocol}" + (f", {odd} with a status of their own" if odd else "")
