import csv
import json
import math
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from pipeline.errors import UserError
from pipeline.images.decode import decode
from pipeline.masks.segmentation import segment_set
from pipeline.masks.superpixels import Felzenszwalb
from pipeline.reporting.experiments.compare import ComparedRun, build_compare, changes
from pipeline.reporting.page.page import build_report
from pipeline.reporting.page.statements import statements
from pipeline.reporting.page.words import lede
from pipeline.reporting.report_inputs import Figure, ReportInputs, RunDescription, TestSet
from pipeline.reporting.tables import published_figures
from pipeline.reporting.tables.claims import PairedTests, paired_tests
from pipeline.reporting.tables.leaderboard import Board, boards, read_summary
from pipeline.reporting.tables.published_figures import PublishedFigures, published_for
from pipeline.settings.mask_entries import Masks
from pipeline.settings.registries import PROTOCOLS
from pipeline.storage.store import Store
from pipeline.storage.tables import write_table
from tests.reporting.fixture import METHODS, embedded, made_up_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[ReportInputs, Path]:
    folder = tmp_path_factory.mktemp("run")
    inputs = made_up_run(folder, side=72)
    build_report(inputs, folder / "reports")
    return inputs, folder / "reports"


def row(method: str, metric: str, value: float | None, kind: str = "trained", **more: Any) -> dict[str, Any]:
    base = {
        "set": "sample", "method": method, "kind": kind, "variant": "raw", "protocol": "p@1", "space": "paper",
        "metric": metric, "value": value, "low": None, "high": None, "images": 40, "left_out": 0, "status": "ok",
        "reason": "",
    }  # fmt: skip
    return base | more


def summary(path: Path, rows: list[dict[str, Any]]) -> Path:
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


class Text(HTMLParser):
    """The words of a page, and the tags they stand in."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[str] = []
        self.links: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in ("src", "href") and value]

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_every_file_that_the_page_names_is_there(run: tuple[ReportInputs, Path]) -> None:
    _, out = run
    page = (out / "index.html").read_text()
    links = [link for link in Text(page).links if not link.startswith(("#", "data:"))]
    galleries = embedded(page, "data-gallery")
    tiles = [stem for gallery in galleries for photo in gallery["photos"] for stem in photo["tiles"].values()]  # type: ignore[attr-defined]
    assert len(tiles) == 4 * 7  # grey, two methods raw and harmonized, oracle, truth
    links += [f"{stem}{suffix}" for stem in tiles for suffix in (".jpg", ".png")]
    assert [link for link in links if not (out / link).exists()] == []
    assert not re.search(r"https?://(?!www\.w3\.org)", re.sub(r"<script.*?</script>", "", page, flags=re.S))


def test_harmonized_examples_show_their_objects(tmp_path: Path) -> None:
    inputs = made_up_run(tmp_path / "run", names=("coffee", "rocket"), side=64)
    test_set = inputs.sets[0]
    assert test_set.truth is not None
    masks = Masks(segmenter=Felzenszwalb(size=64, scale=50.0, sigma=0.5, min_size=20))
    table = segment_set(Store(test_set.truth), masks, tmp_path / "cache")
    write_table(table.filter(pc.equal(table["image_id"], "coffee")), tmp_path / "masks.parquet")
    inputs = replace(inputs, sets=(replace(test_set, masks=tmp_path / "masks.parquet"),))
    build_report(inputs, tmp_path / "out")
    figure = "media/harmonizing/sample/coffee.png"
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert page.count(f'src="{figure}"') == 1
    assert decode((tmp_path / "out" / figure).read_bytes()).rgb.shape[1] > 1000
    assert "rocket: its objects cannot be drawn (it has no masks)" in page


def pair_row(one: str, other: str, metric: str, low: float, high: float, p: float, **more: Any) -> dict[str, Any]:
    """A row of pairs.parquet."""
    variants = {"variant": "raw", "other_variant": "raw"} | more
    figures = {"difference": (low + high) / 2, "low": low, "high": high, "p": p / 3, "p_holm": p, "images": 40}
    return {"set": "sample", "metric": metric, "method": one, "other": other} | variants | figures


def of_tests(*rows: dict[str, Any]) -> PairedTests:
    return paired_tests(pd.DataFrame(list(rows)))


def marks_of_rows(board: Board) -> dict[tuple[str, str], str]:
    return {(one.title, name): cell.mark for one in board.rows for name, cell in one.cells.items() if cell.mark}


def test_marks_follow_the_tests_and_not_the_means(tmp_path: Path) -> None:
    rows = [
        row("a", "psnr", 20.0, low=19.0, high=21.0), row("b", "psnr", 19.9, low=10.0, high=30.0),
        row("c", "psnr", 15.0, low=10.0, high=30.0), row("oracle", "psnr", 35.0, kind="ceiling"),
        row("a", "lpips", 0.30), row("b", "lpips", 0.20), row("c", "lpips", 0.29),
        row("a", "cnr", 1.3), row("b", "cnr", 0.8), row("c", "cnr", 0.5),
        row("a", "cf", 30.0), row("b", "cf", 40.0), row("c", "cf", 40.0),
        row("a", "fid", 30.0), row("b", "fid", 40.0), row("c", "fid", 40.0),
    ]  # fmt: skip
    tests = of_tests(
        pair_row("a", "b", "psnr", 0.05, 0.15, 0.001),  # inside b's interval, and yet better on the same photographs
        pair_row("c", "a", "psnr", -5.2, -4.8, 0.001),
        pair_row("a", "b", "lpips", 0.05, 0.15, 0.001),
        pair_row("b", "c", "lpips", -0.2, 0.02, 0.2),
        pair_row("a", "b", "cnr", 0.01, 0.2, 0.04),  # of distances from 1: b is nearer
        pair_row("b", "c", "cnr", -0.4, -0.2, 0.01),
        pair_row("a", "b", "cf", -11.0, -9.0, 0.001),
    )
    (board,) = boards(read_summary(summary(tmp_path / "s.parquet", rows)), tests=tests)
    assert marks_of_rows(board) == {
        ("a", "psnr"): "best",
        ("b", "lpips"): "tied",  # the best mean, found to be better than a, and not than c: nobody leads
        ("c", "lpips"): "tied",
        ("b", "cnr"): "best",
    }
    assert {name: leader.title for name, leader in board.leaders.items()} == {"psnr": "a", "cnr": "b"}
    assert [one.method for one in board.ceiling] == ["oracle"]
    assert lede([board]) == "a leads on PSNR; nobody leads on LPIPS and CNR."  # 0.04 x 3 metrics is above 0.05
    (board,) = boards(read_summary(tmp_path / "s.parquet"))
    assert marks_of_rows(board) == {} and not board.tested  # no tests, no claims


def test_a_mean_whose_test_points_elsewhere_leads_nowhere(tmp_path: Path) -> None:
    """Most photographs for b, the mean of a few far ones for a: the test is sure of a difference, the mean is not."""
    rows = [row("a", "psnr", 20.0), row("b", "psnr", 19.9)]
    tests = of_tests(pair_row("a", "b", "psnr", -0.4, 0.6, 0.001))
    (board,) = boards(read_summary(summary(tmp_path / "s.parquet", rows)), tests=tests)
    assert marks_of_rows(board) == {("a", "psnr"): "tied", ("b", "psnr"): "tied"}


def test_raw_and_harmonized_of_one_method_are_contenders(tmp_path: Path) -> None:
    """0.01 dB that nobody tested is no lead."""
    rows = [row("l2", "psnr", 21.99), row("l2", "psnr", 22.0, variant="harmonized"), row("a", "psnr", 20.0)]
    tests = [
        pair_row("l2", "a", "psnr", 1.0, 3.0, 0.001),
        pair_row("l2", "a", "psnr", 1.0, 3.0, 0.001, variant="harmonized"),
    ]
    path = summary(tmp_path / "s.parquet", rows)
    (board,) = boards(read_summary(path), tests=of_tests(*tests))
    assert marks_of_rows(board) == {("l2 · harmonized", "psnr"): "tied", ("l2", "psnr"): "tied"}
    tests.append(pair_row("l2", "l2", "psnr", -0.02, -0.005, 0.01, other_variant="harmonized"))
    (board,) = boards(read_summary(path), tests=of_tests(*tests))
    assert marks_of_rows(board) == {("l2 · harmonized", "psnr"): "best"}
    assert lede([board]) == "l2 · harmonized leads on PSNR."


def test_a_method_with_fewer_photographs_is_shown_and_not_ranked(tmp_path: Path) -> None:
    rows = [
        row("gray", "psnr", 20.5, kind="floor"),
        row("oracle", "psnr", 29.0, kind="ceiling"), row("oracle", "tar", 60.0, kind="ceiling"),
        row("easy", "psnr", 30.0, images=20, left_out=20, low=20.0, high=31.0),
        row("whole", "psnr", 21.0, low=20.0, high=31.0),
        row("other", "psnr", 20.8),
    ]  # fmt: skip
    pairs = [pair_row("easy", "whole", "psnr", 5.0, 6.0, 0.001), pair_row("other", "whole", "psnr", -0.3, -0.1, 0.001)]
    path = summary(tmp_path / "s.parquet", rows)
    (board,) = boards(read_summary(path), tests=of_tests(*pairs))
    assert [one.method for one in board.rows] == ["whole", "other", "easy"]
    assert [one.method for one in board.ranked] == ["whole", "other"]
    assert marks_of_rows(board) == {("whole", "psnr"): "best"}
    assert statements(board)[0].holds
    inputs = made_up_run(tmp_path / "run", names=("coffee",), side=64)
    inputs = replace(inputs, summary=path, pairs=summary(tmp_path / "pairs.parquet", pairs))
    build_report(inputs, tmp_path / "out")
    assert "20 of 40 photographs, not ranked" in (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    readme = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert "whole leads on PSNR" in readme
    assert "easy (20 of 40 photographs, not ranked)" in readme


def test_statements_are_computed_from_the_figures(tmp_path: Path) -> None:
    rows = [
        row("oracle", "psnr", 30.0, "ceiling"), row("oracle", "tar", 50.0, "ceiling"),
        row("oracle", "cnr", 0.9, "ceiling"),
        row("gray", "psnr", 22.0, "floor"), row("gray", "tar", 1.0, "floor"), row("gray", "cnr", 0.04, "floor"),
        row("a", "psnr", 21.0), row("a", "tar", 51.0), row("a", "cnr", 0.8),
    ]  # fmt: skip
    (board,) = boards(read_summary(summary(tmp_path / "s.parquet", rows)))
    assert [one.holds for one in statements(board)] == [True, False, True, False]
    (empty,) = boards(read_summary(summary(tmp_path / "t.parquet", rows[:3])))
    assert [one.holds for one in statements(empty)] == [None] * 4


def test_results_from_elsewhere_may_be_above_the_oracle(tmp_path: Path) -> None:
    """The oracle is the ceiling of the run's own class space and output size, which bind nobody else."""
    rows = [row("oracle", "psnr", 30.0, "ceiling"), row("a", "psnr", 21.0), row("theirs", "psnr", 31.0, "imported")]
    (board,) = boards(read_summary(summary(tmp_path / "s.parquet", rows)))
    first = statements(board)[0]
    assert first.holds and "trained here" in first.claim and "theirs" not in first.evidence
    rows[1] = row("a", "psnr", 31.0)
    (board,) = boards(read_summary(summary(tmp_path / "s.parquet", rows)))
    assert statements(board)[0].holds is False


def test_gray_with_many_classes_is_not_near_its_minimum(tmp_path: Path) -> None:
    rows = [row("gray", "cnr", 0.2, "floor"), row("gray", "active", 12.0, "floor"), row("a", "cnr", 0.8)]
    (board,) = boards(read_summary(summary(tmp_path / "s.parquet", rows)))
    assert statements(board)[2].holds is False


def test_markup_in_names_is_shown_as_text(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>|*x*"
    picture = {"<img src=x onerror=alert(2)>": np.full((20, 30, 3), 90, np.uint8)}
    inputs = made_up_run(tmp_path / "run", pictures=picture, methods=METHODS | {evil: ("trained", 0.5, 1.0)})
    inputs = replace(inputs, run=RunDescription(machine="<b>fast</b>", settings={"</script>": "<i>"}))
    build_report(inputs, tmp_path / "out")
    page = (tmp_path / "out/index.html").read_text()
    text = Text(page)
    assert text.tags.count("script") == 3 and "i" not in text.tags[text.tags.index("pre") :][:3]
    assert any("<script>alert(1)" in words for words in text.words)
    assert "onerror=alert(2)>" not in page
    assert "<script>" not in (tmp_path / "out/README.md").read_text()


def test_numbers_that_are_none_are_said_and_break_nothing(tmp_path: Path) -> None:
    rows = [
        row("a", "psnr", math.inf), row("b", "psnr", math.nan), row("c", "psnr", 20.0, low=math.nan, high=math.inf),
        row("a", "fid", None, status="missing", reason="Inception-v3 is not here"),
        row("b", "tar", math.nan, status="few_images", reason="few"),
        row("a", "tar", 3.0, status="few_images", reason="few"),
        row("a", "ssim", 0.9, left_out=3, reason="three are identical"),
    ]  # fmt: skip
    build_report(ReportInputs(summary(tmp_path / "s.parquet", rows), RunDescription()), tmp_path / "out")
    words = " ".join(Text((tmp_path / "out/index.html").read_text()).words)
    for part in (
        "The figure is infinite.",
        "The figure is not a number.",
        "Inception-v3 is not here",
        "∞",
        "three are identical",
    ):
        assert part in words
    assert "TAR of b on sample" in words and "TAR of a on sample" not in words
    metrics = json.loads((tmp_path / "out/metrics.json").read_text())
    assert metrics == {"sample": {"a": {"ssim": 0.9, "tar": 3.0}, "b": {}, "c": {"psnr": 20.0}}}


def test_the_page_says_where_its_numbers_come_from(run: tuple[ReportInputs, Path]) -> None:
    """Not all from one table: a sentence that said so was not true of differences, gallery, times, printed figures."""
    page = (run[1] / "index.html").read_text(encoding="utf-8")
    assert "Every number on this page" not in page
    foot = page[page.index("<footer>") : page.index("</footer>")]
    for part in ("summary.parquet", "pairs.parquet", "gallery", "papers"):
        assert part in foot


def test_no_finished_method(tmp_path: Path) -> None:
    build_report(ReportInputs(tmp_path / "absent.parquet", RunDescription()), tmp_path / "out")
    for name in ("index.html", "README.md"):
        assert "No method was finished" in (tmp_path / "out" / name).read_text()
    floor_only = ReportInputs(summary(tmp_path / "s.parquet", [row("gray", "psnr", 20.0, "floor")]), RunDescription())
    build_report(floor_only, tmp_path / "out")
    assert "No finished method" in (tmp_path / "out/index.html").read_text()


def test_missing_pictures_stores_and_figures_are_said(tmp_path: Path) -> None:
    inputs = made_up_run(tmp_path / "run", names=("coffee", "rocket"), side=48)
    (one,) = inputs.sets
    short = made_up_run(tmp_path / "short", names=("coffee",), side=48).sets[0].predictions["l2"]
    broken = replace(one, predictions=one.predictions | {"l2": short, "oracle": tmp_path / "nothing"})
    figure = Figure(tmp_path / "plane.svg", "The ab plane")
    build_report(replace(inputs, sets=(broken, TestSet("other", None)), figures=(figure,)), tmp_path / "out")
    gallery, empty = embedded((tmp_path / "out/index.html").read_text(), "data-gallery")  # type: ignore[misc]
    faults = {photo["id"]: sorted(photo["faults"]) for photo in gallery["photos"]}
    assert faults == {"coffee": ["oracle"], "rocket": ["l2", "oracle"]}
    assert empty["photos"] == []
    words = " ".join(Text((tmp_path / "out/index.html").read_text()).words)
    for part in ("rocket · l2", "The ab plane", "other: there is no store of photographs"):
        assert part in words


def test_summary_of_another_shape_is_refused(tmp_path: Path) -> None:
    path = summary(tmp_path / "s.parquet", [{"set": "sample"}])
    with pytest.raises(UserError, match=r"s\.parquet: has no column method"):
        build_report(ReportInputs(path, RunDescription()), tmp_path / "out")


def test_gallery_spreads_from_the_worst_to_the_best(tmp_path: Path) -> None:
    pictures = {f"p{place}": np.full((8, 8, 3), 20 * place + 20, np.uint8) for place in range(9)}
    inputs = made_up_run(tmp_path / "run", pictures=pictures, methods={"a": ("trained", 0.5, 1.0)})
    inputs = replace(inputs, gallery=3, pairs=None)
    rows = [{"image_id": f"p{place}", "variant": "raw", "psnr": float(place)} for place in range(9)]
    pq.write_table(pa.Table.from_pylist(rows), inputs.rows["a", "sample"])
    build_report(inputs, tmp_path / "out")
    (gallery,) = embedded((tmp_path / "out/index.html").read_text(), "data-gallery")  # type: ignore[misc]
    assert [photo["id"] for photo in gallery["photos"]] == ["p0", "p4", "p8"]
    assert gallery["total"] == 9


REPORTED = ("cf_abs", "delta_cf", "psnr")


def test_published_figures_stand_only_beside_their_own_photographs_and_protocol() -> None:
    assert published_for("", 5000, "ct2-val5k@1", REPORTED) == PublishedFigures()
    (table,) = published_for("imagenet/val/first 5000", 5000, "ct2-val5k@1", REPORTED).beside
    figures = {one.method: one.values for one in table.methods}
    assert figures["CT2"]["psnr"] == 23.5 and figures["DDColor-large"]["cf_abs"] == 38.26
    assert all("fid" not in values for values in figures.values())  # of another Inception
    assert "3.78" in table.note
    for parts, images, protocol in (
        ("imagenet/val/first 5000", 5000, "cic-256@1"),
        ("imagenet/val/first 5000", 4999, "ct2-val5k@1"),
        ("imagenet/val/sample 5000 of seed 1", 5000, "ct2-val5k@1"),
        ("imagenet/val/list ctest10k.txt", 10_000, "ctest10k@1"),
    ):
        found = published_for(parts, images, protocol, REPORTED)
        assert not found.beside
        assert {table.source[:4] for table in found.apart} == {"Kang", "Gain", "Robl"}
    whole = published_for("coco2017/val/all", 5000, "ddcolor-256@1", REPORTED)
    assert [table.source[:4] for table in whole.beside] == ["Kang"]
    assert {table.label("cf") for table in whole.apart if table.source[:4] == "Robl"} == {"CF (which one is unknown)"}
    assert {table.label("ccar") for table in whole.apart if table.source[:4] == "Gain"} == {"CCAR (a count)"}


def test_every_published_table_is_there_with_its_source() -> None:
    """152 figures of DDColor's Table 1; its truth has one CF per set, which all rows agree on."""
    sets = [
        ("imagenet/val/first 5000", 5000, "ct2-val5k@1", 38.21),
        ("imagenet/val/all", 50_000, "ddcolor-256@1", 39.09),
    ]
    sets += [
        ("coco2017/val/all", 5000, "ddcolor-256@1", 38.24),
        ("ade20k/validation/all", 2000, "ddcolor-256@1", 35.04),
    ]
    for parts, images, protocol, truth in sets:
        (table,) = published_for(parts, images, protocol, REPORTED).beside
        rows = [one.values for one in table.methods if {"cf_abs", "delta_cf"} <= one.values.keys()]
        assert rows and all(abs(abs(one["cf_abs"] - truth) - one["delta_cf"]) < 0.011 for one in rows)
    folder = published_figures.PUBLISHED
    with (folder / "ddcolor_table1.csv").open(newline="", encoding="utf-8") as lines:
        assert len(list(csv.DictReader(lines))) == 152
    with (folder / "sources.csv").open(newline="", encoding="utf-8") as lines:
        sources = list(csv.DictReader(lines))
    assert all(one["source"] and one["note"] and one["parts"].count("/") == 2 for one in sources)
    assert {one["protocol"] for one in sources} - {""} <= set(PROTOCOLS)


def test_the_page_keeps_other_protocols_apart(tmp_path: Path) -> None:
    rows = [
        row("a", "psnr", 20.0, images=5000, protocol="ct2-val5k@1"),
        row("a", "fid", 9.0, images=5000, protocol="ct2-val5k@1"),
    ]
    inputs = ReportInputs(
        summary(tmp_path / "s.parquet", rows),
        RunDescription(),
        sets=(TestSet("sample", None, parts="imagenet/val/first 5000"),),
        reported=REPORTED,
    )
    build_report(inputs, tmp_path / "out")
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    board, apart = page[: page.index('class="apart"')], page[page.index('class="apart"') :]
    assert "As printed, same photographs and protocol: Kang et al.: DDColor" in board and "38.26" in board
    assert "CCC++" not in board and "protocol not stated" in apart and "protocol ddcolor-256@1" in apart
    assert "3.92</td>" not in board
    build_report(replace(inputs, sets=(TestSet("sample", None),)), tmp_path / "none")
    assert "As printed" not in (tmp_path / "none" / "index.html").read_text(encoding="utf-8")


def test_confusion_rows_count_a_hundred_for_a_band(tmp_path: Path) -> None:
    shares = {1: [0.335, 0.335, 0.33], 2: [0.0, 0.005, 0.995], 3: [math.nan] * 3}
    rows = [
        {"set": "sample", "method": "a", "variant": "raw", "actual": actual, "predicted": place + 1, "share": share}
        for actual, row_ in shares.items()
        for place, share in enumerate(row_)
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "bands.parquet")
    one = summary(tmp_path / "s.parquet", [row("a", "psnr", 20.0)])
    build_report(ReportInputs(one, RunDescription(), bands=tmp_path / "bands.parquet"), tmp_path / "out")
    lines = (tmp_path / "out/plots/confusion/sample/a.csv").read_text().splitlines()
    assert lines[0] == "actual,predicted"
    assert len(lines) == 1 + 200
    assert lines.count("band 01,band 03") == 33 and lines.count("band 02,band 01") == 0


def test_compare_names_what_differs(run: tuple[ReportInputs, Path], tmp_path: Path) -> None:
    inputs, out = run
    (out / "summary.parquet").write_bytes(inputs.summary.read_bytes())
    a = ComparedRun("main", out, {"spaces": {"paper": {"bin_size": 6, "shift": 108}}})
    b = ComparedRun("<exp>", out, {"spaces": {"paper": {"bin_size": 10, "shift": 108.0}}, "run": {"seed": 1}})
    assert [(one.key, one.a, one.b) for one in changes(a.settings, b.settings)] == [
        ("run.seed", "–", "1"),
        ("spaces.paper.bin_size", "6", "10"),
    ]
    build_compare(a, b, tmp_path)
    page = (tmp_path / "index.html").read_text()
    assert "&lt;exp&gt;" in page and "<exp>" not in page
    assert [link for link in Text(page).links if link.startswith("media") and not (tmp_path / link).exists()] == []
    with pytest.raises(UserError, match=r"no summary\.parquet"):
        build_compare(a, ComparedRun("none", tmp_path / "none"), tmp_path)


def test_same_inputs_give_the_same_bytes(run: tuple[ReportInputs, Path], tmp_path: Path) -> None:
    inputs, _ = run
    first, second = tmp_path / "a" / "reports", tmp_path / "b" / "reports"
    for out in (first, second):
        build_report(inputs, out)
    names = sorted(path.relative_to(first) for path in first.rglob("*") if path.is_file())
    assert names == sorted(path.relative_to(second) for path in second.rglob("*") if path.is_file())
    different = [name for name in names if (first / name).read_bytes() != (second / name).read_bytes()]
    assert [name.name for name in different if name.name not in ("index.html", "README.md")] == []
    # the two pages name the summary by its relative path, which is the same from both folders
    assert different == []
