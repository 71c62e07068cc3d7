"""huebench score: folders alone, the code of evaluate, tables that can be pasted, errors of one line."""

import csv
import re
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result
from PIL import Image
from skimage import data
from skimage.metrics import peak_signal_noise_ratio

from pipeline.cli import main
from pipeline.evaluation.protocols import CT2_VAL5K
from pipeline.evaluation.schemas import PAIR_ROWS, SUMMARY_ROWS, image_rows_schema

COUNT = 36


def photograph(number: int) -> np.ndarray:
    whole = data.coffee()
    return whole[number * 5 : number * 5 + 60, number * 9 : number * 9 + 84]


def faded(rgb: np.ndarray, share: float) -> np.ndarray:
    grey = rgb.mean(-1, keepdims=True)
    return (share * rgb + (1 - share) * grey).round().astype(np.uint8)


def write(folder: Path, name: str, rgb: np.ndarray) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(rgb).save(folder / name)


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """truth/, vivid/ (the better one), dull_1/ and same_2/, which is as good as vivid; nothing of a project."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HUEBENCH_WORKERS", "1")
    monkeypatch.setenv("HUEBENCH_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    random = np.random.default_rng(0)
    for number in range(COUNT):
        rgb = photograph(number)
        write(Path("truth"), f"photo.{number:02d}.png", rgb)
        write(Path("vivid"), f"photo.{number:02d}.png", faded(rgb, 0.9 + random.normal(0, 0.01)))
        write(Path("dull_1"), f"photo.{number:02d}.bmp", faded(rgb, 0.5))
        write(Path("same_2"), f"photo.{number:02d}.png", faded(rgb, 0.9 + random.normal(0, 0.01)))
    return tmp_path


def call(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["score", *arguments])


def test_two_folders_and_nothing_else(folders: Path) -> None:
    done = call("truth", "vivid", "dull_1", "--protocol", "ct2-val5k@1", "-o", "out")
    assert done.exit_code == 0, done.output
    rows = pq.read_table("out/photographs.parquet")
    assert rows.schema.names == image_rows_schema().names
    frame = rows.to_pandas().set_index(["method", "image_id"])
    assert len(frame) == 2 * COUNT
    assert set(frame["protocol"]) == {"ct2-val5k@1"} and set(frame["status"]) == {"ok"}
    for number in (0, 7):
        truth, result = (
            CT2_VAL5K.apply(np.asarray(Image.open(f"{folder}/photo.{number:02d}.{suffix}")))
            for folder, suffix in (("truth", "png"), ("dull_1", "bmp"))
        )
        found = frame.at[("dull_1", f"photo.{number:02d}"), "psnr"]
        assert found == pytest.approx(peak_signal_noise_ratio(truth, result))
    summary = pq.read_table("out/summary.parquet")
    assert summary.schema.names == SUMMARY_ROWS.names
    means = {(one["method"], one["metric"]): one["value"] for one in summary.to_pylist()}
    assert means["dull_1", "psnr"] == pytest.approx(frame.loc["dull_1", "psnr"].mean())
    assert means["dull_1", "delta_cf"] > means["vivid", "delta_cf"] > 0
    assert pq.read_table("out/pairs.parquet").schema.names == PAIR_ROWS.names
    with Path("out/scores.csv").open(newline="", encoding="utf-8") as lines:
        written = {(one["method"], one["metric"]): one["value"] for one in csv.DictReader(lines)}
    assert float(written["vivid", "psnr"]) == means["vivid", "psnr"]
    assert {path.name for path in Path("out").iterdir()} == {
        *("photographs.parquet", "sets.parquet", "summary.parquet", "pairs.parquet"),
        *("scores.csv", "table.tex", "index.html"),
    }


def test_the_terminal_table_fits_and_says_what_the_tests_carry(folders: Path) -> None:
    done = call("truth", "vivid", "dull_1", "-o", "out")
    lines = done.output.splitlines()
    assert max(len(line) for line in lines if "http" not in line) <= 80
    assert re.search(r"^vivid +\S+\*", done.output, flags=re.M)
    assert "vivid leads on PSNR" in done.output
    done = call("truth", "vivid", "same_2", "-o", "out")
    assert "leads on psnr" not in done.output.lower().replace("nobody leads on psnr", "")
    assert re.search(r"^vivid +\S+°", done.output, flags=re.M)


def test_latex_has_bold_leaders_and_no_markup_of_names(folders: Path) -> None:
    (folders / "dull_1").rename(folders / "dull & <b>50%_1")
    done = call("truth", "vivid", "dull & <b>50%_1", "-o", "out")
    assert done.exit_code == 0, done.output
    table = Path("out/table.tex").read_text(encoding="utf-8")
    assert r"    dull \& <b>50\%\_1 & " in table
    (vivid,) = [line for line in table.splitlines() if line.lstrip().startswith("vivid &")]
    assert vivid.count(r"\textbf{") >= 3
    for part in (r"\toprule", r"\midrule", r"\bottomrule", r"PSNR $\uparrow$", r"\begin{tabular}{lrrr"):
        assert part in table
    body = [line for line in table.splitlines() if line.endswith(r"\\")]
    assert len({line.count(" & ") for line in body}) == 1 and len(body) == 3
    page = Path("out/index.html").read_text(encoding="utf-8")
    assert "<b>50%" not in page


def test_what_does_not_match_is_named(folders: Path) -> None:
    (folders / "vivid" / "photo.03.png").unlink()
    write(folders / "vivid", "stranger.png", photograph(0))
    write(folders / "dull_1", "photo.05.bmp", photograph(5)[:50])
    (folders / "dull_1" / "photo.06.bmp").write_bytes(b"no image")
    for folder, suffix in (("vivid", "png"), ("dull_1", "bmp")):
        (folders / folder / f"photo.08.{suffix}").unlink()
    done = call("truth", "vivid", "dull_1", "-o", "out")
    assert done.exit_code == 0, done.output
    said = " ".join(done.output.split())
    for part in (
        "vivid: 1 files that belong to no photograph: stranger.png",
        "1 photographs without a result in any folder, left out: photo.08",
        "vivid: 1 photographs without a result: photo.03",
        "dull_1: 1 results with status size_mismatch: photo.05",
        "dull_1: 1 results with status unknown_format: photo.06",
        "not computed: lpips, frechet_alexnet: AlexNet",
        "dull_1 (33 of 34)",
    ):
        assert part in said, part
    assert "stranger.png" in Path("out/index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere", "vivid"], "nowhere is no folder"),
        (["truth", "nowhere"], "nowhere is no folder"),
        (["empty", "vivid"], "empty holds no image file"),
        (["truth", "empty"], "empty: no file is named as a photograph of truth, such as photo.00"),
        (["truth", "vivid", "vivid"], "two folders of results are called"),
        (["truth", "vivid", "--protocol", "cic"], "protocol is 'cic', it takes one of cic-256@1, native@1"),
        (["truth", "twice"], "twice: 1 photographs with more than one file: photo.00; keep one file for each"),
    ],
)
def test_errors_are_one_line(folders: Path, arguments: list[str], message: str) -> None:
    (folders / "empty").mkdir()
    for suffix in ("png", "bmp"):
        write(folders / "twice", f"photo.00.{suffix}", photograph(0))
    done = call(*arguments, "-o", "out")
    assert done.exit_code == 2
    assert message in done.output and len(done.output.splitlines()) == 1
    assert not list(Path().glob("out/*"))


def test_photographs_in_subfolders_and_folders_of_one_name(folders: Path) -> None:
    for place in ("a/results", "b/results"):
        for number in (0, 1):
            write(folders / place / "deep", f"photo.{number:02d}.png", photograph(number))
    done = call("truth", "a/results", "b/results", "-o", "out")
    assert done.exit_code == 0, done.output
    frame = pq.read_table("out/photographs.parquet").to_pandas()
    assert set(frame["method"]) == {"a/results", "b/results"} and set(frame["status"]) == {"identical"}
