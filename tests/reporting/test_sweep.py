"""The sweep: which experiments belong to it, and what the page draws of them."""

from dataclasses import replace
from pathlib import Path

from pipeline.reporting.experiments.sweep import FinishedRun, sweep_panels, sweep_table
from pipeline.reporting.page.page import build_report
from pipeline.storage.tables import write_table
from tests.reporting.fixture import made_up_run

START = {"spaces": {"paper": {"bin_size": 6}}, "harmonize": {"mode": "guided"}}


def run(name: str, psnr: float, bin_size: float = 6, mode: str = "guided") -> FinishedRun:
    settings = {"spaces": {"paper": {"bin_size": bin_size}}, "harmonize": {"mode": mode}}
    return FinishedRun(name, settings, {"sample": {"l2": {"psnr": psnr}, "oracle": {"psnr": 2 * psnr, "cnr": 0.5}}})


def test_experiments_that_differ_in_one_parameter_make_a_sweep() -> None:
    runs = [run("wide", 21.0, 10), run("wider", 20.0, 14), run("both", 1.0, 4, "mode"), run("same", 2.0)]
    table, left_out = sweep_table(run("HEAD", 22.0), runs)
    frame = table.to_pandas()
    assert set(frame["parameter"]) == {"spaces.paper.bin_size"}
    psnr = frame[(frame["method"] == "l2") & (frame["metric"] == "psnr")]
    found = zip(psnr["experiment"], psnr["value"], psnr["figure"], strict=True)
    assert sorted(found) == [("HEAD", "6", 22.0), ("wide", "10", 21.0), ("wider", "14", 20.0)]
    assert len(left_out) == 2
    assert "both is left out: it differs from HEAD in harmonize.mode, spaces.paper.bin_size" in left_out[0]
    assert left_out[1] == "same is left out: it has the parameters of HEAD, which is a point already"


def test_a_value_counts_once_and_values_stand_in_their_order() -> None:
    runs = [run("again", 20.9, 10), run("ten", 21.0, 10), run("eight", 21.5, 8), run("nine", 21.2, 9.0)]
    table, left_out = sweep_table(run("HEAD", 22.0), runs)
    assert left_out == ["ten is left out: again has spaces.paper.bin_size 10 as well"]
    frame = table.to_pandas()
    psnr = frame[(frame["method"] == "l2") & (frame["metric"] == "psnr")]
    assert list(psnr["figure"]) == [22.0, 21.5, 21.2, 20.9]  # 6, 8, 9, 10, not "10" before "6"


def test_numbers_are_drawn_in_their_order_and_words_are_listed(tmp_path: Path) -> None:
    runs = [run("wide", 21.0, 10), run("narrow", 23.0, 4.5), run("other", 20.5, mode="palette")]
    write_table(sweep_table(run("HEAD", 22.0), runs)[0], tmp_path / "sweep.parquet")
    words, numbers = sweep_panels(tmp_path / "sweep.parquet")
    assert words.parameter == "harmonize.mode" and words.charts == ()
    assert [row[:4] for row in words.rows if row[0] == "l2"] == [
        ("l2", "sample", "guided", "22.00"),
        ("l2", "sample", "palette", "20.50"),
    ]
    assert [chart.title for chart in numbers.charts] == ["PSNR ↑", "CNR →1"]
    psnr = numbers.charts[0]
    assert [name for name, _ in psnr.paths] == ["l2", "oracle"]
    places = [(x, y) for line, x, y in psnr.dots if line == 0]
    assert [x for x, _ in places] == sorted(x for x, _ in places) and len(places) == 3
    assert [y for _, y in places] == sorted(y for _, y in places)  # larger bins, smaller PSNR, lower on the page
    assert [row[2] for row in numbers.rows if row[0] == "l2"] == ["4.5", "6", "10"]
    assert ("l2", "sample", "6", "22.00", "–") in numbers.rows


def test_the_page_shows_the_sweep_and_links_its_table(tmp_path: Path) -> None:
    table, _ = sweep_table(run("HEAD", 22.0), [run("wide", 21.0, 10)])
    write_table(table, tmp_path / "sweep.parquet")
    inputs = replace(made_up_run(tmp_path / "run", names=("coffee",), side=48), sweep=tmp_path / "sweep.parquet")
    build_report(inputs, tmp_path / "out")
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert 'id="sweep"' in page and "spaces.paper.bin_size" in page and 'href="../sweep.parquet"' in page
    assert page.count("<circle") == 4 + 2  # PSNR of two methods at two values, CNR of one
