"""The pages in a real browser: opened from disk, used, and judged by what is on the screen."""

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.reporting.page.page import build_report
from pipeline.reporting.turing.answers import score
from pipeline.reporting.turing.trials import Plan, build_turing
from tests.reporting import browser as driving
from tests.reporting.fixture import made_up_run

pytestmark = driving.needed()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    inputs = made_up_run(folder / "run", side=160)
    out = folder / "reports"
    build_report(inputs, out)
    results = {name: path for name, path in inputs.sets[0].predictions.items() if name in ("l2", "ccc_plus_plus_lite")}
    build_turing([replace(inputs.sets[0], predictions=results)], out, folder / "key.json", 3, Plan(2, 1, 1, 1))
    return out


@pytest.fixture(scope="module")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[driving.Browser]:
    with driving.browser(tmp_path_factory.mktemp("browser")) as session:
        yield session


def first_column(chrome: driving.Browser, selector: str) -> list[str]:
    return chrome.run(
        "return [...document.querySelectorAll(arguments[0])].map((node) => node.textContent.trim())", selector
    )


def button(selector: str, words: str) -> str:
    """JavaScript that presses the button whose text begins so."""
    return f"[...document.querySelectorAll('{selector}')].find((one) => one.textContent.startsWith('{words}')).click()"


def test_page_opens_from_disk_without_a_complaint_or_a_request(report: Path, chrome: driving.Browser) -> None:
    chrome.requests(), chrome.complaints()
    chrome.size(1440, 900)
    chrome.open(report / "index.html")
    chrome.run("for (const image of document.images) image.loading = 'eager'")
    chrome.wait("Promise.all([...document.images].map((image) => image.decode())).then(done)")
    assert [one for one in chrome.requests() if not one.startswith(("file:", "data:", "chrome:"))] == []
    assert chrome.complaints() == []


@pytest.mark.parametrize("width", [360, 1440])
def test_nothing_sticks_out_of_the_window(report: Path, chrome: driving.Browser, width: int) -> None:
    chrome.size(width, 800, phone=width < 500)
    chrome.open(report / "index.html")
    assert chrome.run("return document.documentElement.scrollWidth") == width


def test_dark_mode_follows_the_system_and_the_button_overrides_it(report: Path, chrome: driving.Browser) -> None:
    background = "return getComputedStyle(document.body).backgroundColor"
    chrome.size(1440, 900, dark=False)
    chrome.open(report / "index.html")
    light = chrome.run(background)
    chrome.size(1440, 900, dark=True)
    dark = chrome.run(background)
    assert light != dark
    chrome.run("document.querySelector('.theme').click()")
    assert chrome.run(background) == light


def test_leaderboard_sorts_best_first_and_worst_first(report: Path, chrome: driving.Browser) -> None:
    chrome.size(1440, 900)
    chrome.open(report / "index.html")
    click = button("table.board thead button", "LPIPS")
    names = "table.board tbody.sorted tr > :first-child"
    chrome.run(click)
    best = first_column(chrome, names)
    assert best[0].startswith("ccc_plus_plus_lite")  # LPIPS: lower is better, and the fixture gives it the least
    chrome.run(click)
    assert first_column(chrome, names)[0].startswith("l2")


def test_gallery_sorts_filters_and_compares(report: Path, chrome: driving.Browser) -> None:
    chrome.size(1440, 900)
    chrome.open(report / "index.html")
    worst = first_column(chrome, ".photo h3")
    chrome.run(button("#gallery-controls button", "Best first"))
    assert first_column(chrome, ".photo h3") == worst[::-1]
    count = "return document.querySelector('.photo').querySelectorAll('figure').length"
    assert chrome.run(count) == 5  # grey, two methods, oracle, truth
    chrome.run("document.querySelector('#gallery-columns input').click()")
    assert chrome.run(count) == 4
    chrome.run("document.querySelector('.photo .tiles button').click()")
    slider = "document.querySelector('dialog .compare')"
    chrome.press("\ue014")  # arrow right moves the slider, which has the focus
    assert chrome.run(f"return {slider}.style.getPropertyValue('--x')") == "50.5"
    shown = chrome.run(
        f"return [{slider}.clientWidth > 100, getComputedStyle({slider}.querySelector('.over')).clipPath]"
    )
    assert shown == [True, "inset(0px 0px 0px 50.5%)"]


def test_picture_that_is_gone_is_said(report: Path, chrome: driving.Browser, tmp_path: Path) -> None:
    inputs = made_up_run(tmp_path / "run", names=("coffee",), side=64)
    build_report(inputs, tmp_path / "reports")
    (tmp_path / "reports/media/sample/coffee/l2.jpg").unlink()
    chrome.size(1440, 900)
    chrome.open(tmp_path / "reports/index.html")
    chrome.run("document.querySelector('#gallery').scrollIntoView({ behavior: 'instant' })")
    end = time.monotonic() + 5
    while not (said := first_column(chrome, ".absent")) and time.monotonic() < end:
        time.sleep(0.05)
    assert said == ["The picture's file is not there."]
    chrome.complaints()  # the browser notes the missing file as well


def test_turing_session_with_the_keyboard_is_scored(report: Path, chrome: driving.Browser, tmp_path: Path) -> None:
    sources = {
        name: one["source"] for name, one in json.loads((report.parent / "key.json").read_text())["pictures"].items()
    }
    chrome.complaints()
    chrome.open(report / "turing.html")
    for _ in range(400):
        phase = chrome.run("return document.getElementById('test').dataset.phase")
        if phase == "done":
            break
        if phase in ("start", "feedback", "ready"):
            chrome.run("document.querySelector('.go').click()")
        elif phase == "choose":
            assert chrome.run("return document.querySelectorAll('.frame img').length") == 0  # gone after the exposure
            chrome.press("\ue012")  # arrow left
            time.sleep(0.05)
        time.sleep(0.05)
    content = chrome.run("return window.turingAnswers")
    assert chrome.complaints() == []
    assert len(content["answers"]) == 4
    for answer in content["answers"]:
        assert answer["chosen"] == answer["left"]
        if "check" in (sources[answer["left"]], sources[answer["right"]]):
            real = next(name for name in (answer["left"], answer["right"]) if sources[name] == "truth")
            answer["chosen"] = real  # pressing left only may fail the check, which is tested elsewhere
    answers = tmp_path / "answers.json"
    answers.write_text(json.dumps(content))
    scores = score([answers], report.parent / "key.json")
    assert scores["visitors"] == 1
    assert sum(row["trials"] for row in scores["fooling"]) == 2  # type: ignore[attr-defined]
