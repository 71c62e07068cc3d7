"""The page `index.html`, the Markdown leaderboard and the tables behind both, from a finished run."""

import json
import os
from pathlib import Path

from pipeline.machine.files import write_text
from pipeline.reporting.experiments.sweep import sweep_panels
from pipeline.reporting.page import words
from pipeline.reporting.page.missing import missing_figures
from pipeline.reporting.page.statements import statements
from pipeline.reporting.pictures.charts import training_panels
from pipeline.reporting.pictures.frequency_bands import band_charts
from pipeline.reporting.pictures.gallery import Gallery, build_gallery
from pipeline.reporting.pictures.harmonized_examples import drawn, examples, harmonized_table
from pipeline.reporting.pictures.plates import plates
from pipeline.reporting.render import render
from pipeline.reporting.report_inputs import ReportInputs
from pipeline.reporting.tables import exports
from pipeline.reporting.tables.bin_sizes import bin_size_table
from pipeline.reporting.tables.claims import paired_tests, read_pairs
from pipeline.reporting.tables.leaderboard import boards, read_summary
from pipeline.reporting.tables.paired_differences import pair_data
from pipeline.reporting.turing.turing_scores import read_scores


def build_report(inputs: ReportInputs, out: Path) -> None:
    """Write the report of a run: the page with its pictures, the Markdown leaderboard, the tables for DVC.

    Written below `out`: `index.html`, `README.md`, `metrics.json`, `tables/*.csv`, `plots/` and `media/` (with
    `gallery.json`, which `compare` reads).
    Whatever is missing or broken (no finished method, a store that cannot be read, figures that are nan) is said in
    the page's last section; it does not stop the page.

    Args:
        inputs: paths and facts, see `ReportInputs`.
        out: the folder of the report.

    Raises:
        UserError: the summary or the table of pairs has not the columns of the graph.
    """
    out.mkdir(parents=True, exist_ok=True)
    summary = read_summary(inputs.summary)
    pair_table = read_pairs(inputs.pairs)
    parts = {test_set.name: test_set.parts for test_set in inputs.sets}
    found = boards(summary, parts, paired_tests(pair_table), inputs.reported, parts)
    kinds = {row.method: row.kind for board in found for row in board.everyone}
    pairs, pair_faults = pair_data(pair_table)
    galleries = [build_gallery(test_set, inputs, kinds, out) for test_set in inputs.sets]
    shown = [
        drawn(examples(gallery), test_set, inputs.harmonize, out)
        for gallery, test_set in zip(galleries, inputs.sets, strict=True)
    ]
    panels, training_faults = training_panels(inputs.training, out)
    figures, figure_faults = plates(inputs.figures, out)
    links = exports.write_tables(summary, inputs, found, out)
    faults = [*pair_faults, *training_faults, *figure_faults, *inputs.notes]
    faults += [fault for gallery in galleries for fault in gallery.faults]
    faults += [fault for _, undrawn in shown for fault in undrawn]
    scores = read_scores(inputs.turing)
    context = {
        "run": inputs.run,
        "headline": words.headline(found),
        "lede": words.lede(found),
        "facts": words.facts(inputs.run, found, kinds),
        "stages": words.stage_times(inputs.run.stage_seconds),
        "settings_text": words.settings_text(inputs.run.settings),
        "markdown_figure": words.markdown_figure,
        "boards": [(board, statements(board)) for board in found],
        "hero": _hero(galleries, kinds),
        "galleries": galleries,
        "gallery_data": [gallery.as_data() for gallery in galleries],
        "pairs": pairs,
        "figures": figures,
        "bin_sizes": bin_size_table(inputs.bin_sizes),
        "bands": band_charts(found),
        "training": panels,
        "sweep": sweep_panels(inputs.sweep),
        "sweep_link": os.path.relpath(inputs.sweep, out) if inputs.sweep is not None else "",
        "harmonized": [table for board in found if (table := harmonized_table(board)) is not None],
        "examples": [example for some, _ in shown for example in some],
        "scores": scores,
        "score_rows": words.score_rows(scores),
        "turing_page": (out / "turing.html").exists(),
        "missing": missing_figures(summary, galleries, kinds, faults),
        "links": links,
        "summary_link": os.path.relpath(inputs.summary, out),
        "kinds": kinds,
    }
    write_text(out / "media" / "gallery.json", json.dumps(context["gallery_data"], ensure_ascii=False) + "\n")
    write_text(out / "index.html", render("index.html", context))
    write_text(out / "README.md", render("leaderboard.md", context))


def _hero(galleries: list[Gallery], kinds: dict[str, str]) -> dict[str, object] | None:
    """Choose the photograph under the title: that of median mean PSNR of the methods, so neither luck nor bad luck."""
    for gallery in galleries:
        columns = [key for key in gallery.columns if kinds.get(key.split("+")[0]) != "ceiling"]
        whole = [photo for photo in gallery.photos if not any(key in photo.faults for key in columns)]
        if not whole:
            continue
        methods = [key for key in columns if key in kinds]

        def standing(photo, methods=methods):  # type: ignore[no-untyped-def]
            figures = [photo.values[key]["psnr"] for key in methods if "psnr" in photo.values.get(key, {})]
            return (sum(figures) / len(figures) if figures else 0.0, photo.image_id)

        photo = sorted(whole, key=standing)[len(whole) // 2]
        chosen = [key for key in columns if "+" not in key]
        return {"photo": photo, "columns": chosen[:1] + chosen[1:-1][:3] + chosen[-1:], "set": gallery.set}
    return None
