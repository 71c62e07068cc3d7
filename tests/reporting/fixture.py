"""A small made-up run for the tests of the report: real photographs, results made by simple color changes.

The figures below are invented to have a known shape (which is best, what is inside an interval, what is missing); only
PSNR is that of the pictures.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from skimage import data as photographs

from pipeline.color import lab
from pipeline.images.decode import encode_png
from pipeline.images.resizing import resize
from pipeline.reporting.report_inputs import ReportInputs, RunDescription, TestSet
from pipeline.storage.store import StoreWriter

# method: kind, factor on chroma, constant added to b
METHODS = {
    "gray": ("floor", 0.0, 0.0),
    "ccc_plus_plus_lite": ("trained", 0.9, 6.0),
    "l2": ("trained", 0.45, 3.0),
    "oracle": ("ceiling", 0.97, 0.5),
}
NAMES = ("astronaut", "chelsea", "coffee", "rocket")


def scene(name: str, side: int) -> np.ndarray:
    """One photograph that comes inside scikit-image, uint8 (H, W, 3)."""
    rgb = getattr(photographs, name)()
    height, width = rgb.shape[:2]
    scale = side / max(height, width)
    return resize(rgb, (round(height * scale), round(width * scale)))


def recolored(rgb: np.ndarray, chroma: float, warmth: float) -> np.ndarray:
    values = lab.rgb_to_lab(rgb)
    values[..., 1:] *= chroma
    values[..., 2] += warmth
    return lab.lab_to_rgb(values)


def psnr(one: np.ndarray, other: np.ndarray) -> float:
    error = np.mean((one.astype(float) - other) ** 2) / 255**2
    return float(10 * np.log10(1 / error)) if error else float("inf")


def write_store(path: Path, pictures: dict[str, np.ndarray]) -> Path:
    with StoreWriter(path) as writer:
        for image_id, rgb in pictures.items():
            height, width = rgb.shape[:2]
            writer.add(
                image_id, encode_png(rgb), ".png", split="test", width=width, height=height,
                credit="scikit-image", licence="CC0",
            )  # fmt: skip
    return path


def made_up_run(
    folder: Path,
    names: Sequence[str] = NAMES,
    methods: dict[str, tuple[str, float, float]] = METHODS,
    side: int = 200,
    pictures: dict[str, np.ndarray] | None = None,
) -> ReportInputs:
    """Write stores, tables and curves of a run below `folder` and name them as the stage `report` would."""
    truth = pictures or {name: scene(name, side) for name in names}
    stores, harmonized, rows = {}, {}, {}
    summary, pairs = [], []
    scores: dict[str, list[float]] = {}
    for method, (kind, chroma, warmth) in methods.items():
        results = {name: recolored(rgb, chroma, warmth) for name, rgb in truth.items()}
        stores[method] = write_store(folder / "predictions" / method, results)
        after = {name: recolored(rgb, chroma * 0.95, warmth * 0.5) for name, rgb in truth.items()}
        variants = {"raw": results}
        if kind == "trained":
            variants["harmonized"] = after
            harmonized[method] = write_store(folder / "harmonized" / method, after)
        table = []
        for variant, made in variants.items():
            for place, name in enumerate(truth):
                table.append(
                    {
                        "set": "sample", "method": method, "image_id": name, "variant": variant,
                        "protocol": "cic-256 v1", "space": "paper", "status": "ok",
                        "width": truth[name].shape[1], "height": truth[name].shape[0],
                        "psnr": psnr(truth[name], made[name]), "cnr": 0.05 + chroma, "tar": 4 * chroma + place * 0.1,
                        "pixels_changed": 120.0 * place if variant == "harmonized" else None,
                    }
                )  # fmt: skip
            values = [row["psnr"] for row in table if row["variant"] == variant]
            scores[f"{method} {variant}"] = values
            summary += figures(method, kind, variant, values, chroma)
        rows[method, "sample"] = folder / "images" / f"{method}.parquet"
        rows[method, "sample"].parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.Table.from_pylist(table), rows[method, "sample"])
    for one in methods:
        for other in methods:
            if one < other:
                gaps = np.subtract(scores[f"{one} raw"], scores[f"{other} raw"])
                middle = float(gaps.mean())
                pairs.append(
                    {
                        "set": "sample", "metric": "psnr", "variant": "raw", "method": one, "other": other,
                        "other_variant": "raw",
                        "difference": middle, "low": middle - 1.5, "high": middle + 1.5, "p": 0.01,
                        "p_holm": 0.02 if abs(middle) > 3 else 0.4, "images": len(truth),
                    }
                )  # fmt: skip
    pq.write_table(pa.Table.from_pylist(summary), folder / "summary.parquet")
    pq.write_table(pa.Table.from_pylist(pairs), folder / "pairs.parquet")
    return ReportInputs(
        summary=folder / "summary.parquet",
        pairs=folder / "pairs.parquet",
        rows=rows,
        sets=(TestSet("sample", write_store(folder / "truth", truth), stores, harmonized),),
        training={"l2": curves(folder / "training" / "l2")},
        run=RunDescription(
            revisions=dict.fromkeys(rows, "0123abc"), date="2026-11-21", machine="2 cores, 24 GB, no GPU", seed=7,
            protocol="cic-256 v1",
            stage_seconds={"report": 4.2, "train@l2": 190.0, "download": 0.4}, settings={"run": {"seed": 7}},
            versions={"torch": "2.9"},
        ),
    )  # fmt: skip


def figures(method: str, kind: str, variant: str, values: list[float], chroma: float) -> list[dict[str, object]]:
    mean = float(np.mean(values))
    made_up = {
        "psnr": (mean, 1.2), "ssim": (0.9 + chroma / 100, 0.02), "lpips": (0.3 - chroma / 5, 0.03),
        "cnr": (0.05 + chroma, 0.08), "active": (1 + 60 * chroma, 4.0), "tar": (4 * chroma + 0.2, 0.4),
        "cf": (40 * chroma, 3.0), "mse": (0.02 - chroma / 100, 0.001), "uiqi": (0.8 + chroma / 50, 0.02),
    }  # fmt: skip
    base = {
        "set": "sample",
        "method": method,
        "kind": kind,
        "variant": variant,
        "protocol": "cic-256 v1",
        "space": "paper",
    }
    rows: list[dict[str, object]] = [
        base | {
            "metric": metric, "value": value, "low": value - half, "high": value + half, "images": len(values),
            "left_out": 0, "status": "ok", "reason": "",
        }
        for metric, (value, half) in made_up.items()
    ]  # fmt: skip
    reason = "Inception-v3 is not there: place inception.pth in HUEBENCH_WEIGHTS"
    nothing = {"value": None, "low": None, "high": None, "images": 0, "left_out": 0}
    return [*rows, base | {"metric": "fid", "status": "missing", "reason": reason} | nothing]


def curves(folder: Path) -> Path:
    """A DVCLive folder with the loss of training and validation."""
    for group in ("train", "validation"):
        path = folder / "plots" / "metrics" / group / "loss.tsv"
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [
            f"{step}\t{2.0 / (1 + step / 50) + (0.1 if group == 'validation' else 0.0)}" for step in range(0, 400, 4)
        ]
        path.write_text("step\tloss\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return folder


def embedded(page: str, name: str) -> object:
    """The plain data that a page carries for its script."""
    start = page.index(f'id="{name}">') + len(f'id="{name}">')
    return json.loads(page[start : page.index("</script>", start)])
